/* Traces for viewers: one made up here, and what of it is seen where, worked out by hand; the same
 * in both encodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "traces/encoder.h"
#include "traces/input.h"
#include "traces/reader.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct trace_format trace_format_jsonl;

/* A process with one thread, whose Lock overlaps its Submit; a packet of 2 us that ended at 9 us;
 * a transfer each way at once. */
static const char trace[] =
    "{\"wddmsim\":1,\"source\":\"by \\\"hand\\\"\\n\"}\n"
    "{\"t\":0,\"pid\":5,\"tid\":7,\"op\":\"CreateDevice\",\"device\":1}\n"
    "{\"t\":1000,\"pid\":5,\"tid\":7,\"op\":\"CreateContext\",\"device\":1,\"context\":\"c\","
    "\"node\":\"copy\"}\n"
    "{\"t\":2000,\"dur\":500,\"pid\":5,\"tid\":7,\"op\":\"CreateAllocation\",\"device\":1,"
    "\"allocations\":[{\"allocation\":9,\"size\":4096}]}\n"
    "{\"t\":3000,\"dur\":100,\"done\":9000,\"pid\":5,\"tid\":7,\"op\":\"Submit\",\"context\":\"c\","
    "\"gpu\":2000,\"allocations\":[9],\"writes\":[]}\n"
    "{\"t\":3050,\"dur\":1000,\"pid\":5,\"tid\":7,\"op\":\"Lock\",\"device\":1,"
    "\"allocation\":9}\n"
    "{\"t\":4000,\"dur\":700,\"op\":\"ObserveTransfer\",\"from\":\"system\",\"to\":\"local\","
    "\"bytes\":4096}\n"
    "{\"t\":4100,\"dur\":100,\"op\":\"ObserveTransfer\",\"from\":\"local\",\"to\":\"system\","
    "\"bytes\":8192}\n"
    "{\"t\":5000,\"pid\":5,\"tid\":7,\"op\":\"DestroyAllocation\",\"device\":1,"
    "\"allocations\":[9]}\n";

static struct trace_buffer shown(const struct trace_encoder *encoder, const char *text)
{
    struct trace_buffer out = {0};
    struct trace_input *input;
    struct trace_header header = {0};
    struct trace_event event;
    struct trace_error error = {.message = ""};
    enum trace_result result;
    void *reader;
    assert_true(trace_input_from_memory(text, strlen(text), "t", &input, &error));
    assert_true(trace_format_jsonl.open(input, NULL, &reader, &header, &error));
    void *state = encoder->start(&header, &out);
    assert_non_null(state);
    while ((result = trace_format_jsonl.next(reader, &event, &error)) == TRACE_EVENT)
        assert_true(encoder->put(state, &event, &out, 0, &error));
    if (result != TRACE_END)
        fail_msg("%s", error.message);
    assert_true(encoder->finish(state, &out, 0, &error));
    assert_false(out.failed);
    encoder->free(state);
    trace_format_jsonl.close(reader);
    return out;
}

static void put_line(struct trace_buffer *lines, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put_line(struct trace_buffer *lines, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    trace_buffer_put(lines, text, (size_t)length);
}

/* Every event in a line: phase, process.thread, date+duration in us, name, what is told. */
static void test_chrome(void **state)
{
    (void)state;
    static const char expected[] =
        "M 5.0 process_name {\"name\":\"process 5\"}\n"
        "M 5.0 process_sort_index {\"sort_index\":2}\n"
        "M 5.7 thread_name {\"name\":\"thread 7\"}\n"
        "i 5.7 0.000 CreateDevice {\"device\":\"1\"}\n"
        "M 1000000003.0 process_name {\"name\":\"engine copy\"}\n"
        "M 1000000003.0 process_sort_index {\"sort_index\":0}\n"
        "i 5.7 1.000 CreateContext {\"context\":\"c\",\"device\":\"1\",\"node\":\"copy\"}\n"
        "X 5.7 2.000+0.500 CreateAllocation {\"allocations\":1,\"device\":\"1\"}\n"
        "C 5.0 2.000 allocated bytes {\"bytes\":4096}\n"
        "X 5.7 3.000+0.100 Submit {\"allocations\":1,\"context\":\"c\",\"done after ns\":6000,"
        "\"gpu\":2000,\"writes\":0}\n"
        "s 5.7 3.000 runs 1\n"
        "M 1000000003.1000000005 thread_name {\"name\":\"context c\"}\n"
        "X 1000000003.1000000005 7.000+2.000 packet {\"allocations\":1,\"context\":\"c\","
        "\"done after ns\":6000,\"gpu\":2000,\"writes\":0}\n"
        "f 1000000003.1000000005 7.000 runs 1\n"
        "M 5.1000000006 thread_name {\"name\":\"thread 7 (2)\"}\n"
        "X 5.1000000006 3.050+1.000 Lock {\"allocation\":\"9\",\"device\":\"1\"}\n"
        "M 1000000007.0 process_name {\"name\":\"transfers\"}\n"
        "M 1000000007.0 process_sort_index {\"sort_index\":1}\n"
        "M 1000000007.1000000008 thread_name {\"name\":\"system to local\"}\n"
        "X 1000000007.1000000008 4.000+0.700 4096 bytes "
        "{\"bytes\":4096,\"dur\":700,\"from\":\"system\","
        "\"to\":\"local\"}\n"
        "M 1000000007.1000000009 thread_name {\"name\":\"local to system\"}\n"
        "X 1000000007.1000000009 4.100+0.100 8192 bytes "
        "{\"bytes\":8192,\"dur\":100,\"from\":\"local\","
        "\"to\":\"system\"}\n"
        "i 5.7 5.000 DestroyAllocation {\"allocations\":1,\"device\":\"1\"}\n"
        "C 5.0 5.000 allocated bytes {\"bytes\":0}\n";
    struct trace_buffer out = shown(&trace_encoder_chrome, trace), lines = {0};
    json_t *all = json_loadb((const char *)out.bytes, out.length, 0, NULL), *item;
    size_t index;
    assert_non_null(all);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(all, "otherData"), "source")),
        "by \"hand\"\n");
    json_array_foreach(json_object_get(all, "traceEvents"), index, item)
    {
        json_t *arguments = json_object_get(item, "args"), *duration = json_object_get(item, "dur");
        const char *phase = json_string_value(json_object_get(item, "ph"));
        put_line(&lines, "%s %" PRId64 ".%" PRId64 " ", phase,
                 (int64_t)json_integer_value(json_object_get(item, "pid")),
                 (int64_t)json_integer_value(json_object_get(item, "tid")));
        if (*phase != 'M')
            put_line(&lines, "%.3f", json_real_value(json_object_get(item, "ts")));
        if (duration != NULL)
            put_line(&lines, "+%.3f", json_real_value(duration));
        put_line(&lines, "%s%s ", *phase != 'M' ? " " : "",
                 json_string_value(json_object_get(item, "name")));
        char *told = arguments != NULL ? json_dumps(arguments, JSON_COMPACT | JSON_SORT_KEYS)
                                       : json_dumps(json_object_get(item, "id"), JSON_ENCODE_ANY);
        put_line(&lines, "%s\n", told);
        free(told);
    }
    trace_buffer_put_byte(&lines, '\0');
    assert_string_equal(lines.bytes, expected);
    json_decref(all);
    trace_buffer_free(&lines);
    trace_buffer_free(&out);
}

/* Protocol buffers, as far as these files need them. */

struct message {
    const unsigned char *at, *end;
};

struct field {
    unsigned number;
    uint64_t value;        /* of a number */
    struct message inside; /* of bytes */
};

static uint64_t varint(struct message *message)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        assert_true(message->at < message->end && shift < 64);
        value |= (uint64_t)(*message->at & 0x7F) << shift;
        if ((*message->at++ & 0x80) == 0)
            return value;
    }
}

static bool next_field(struct message *message, struct field *field)
{
    if (message->at == message->end)
        return false;
    uint64_t key = varint(message);
    *field = (struct field){.number = (unsigned)(key >> 3)};
    if ((key & 7) == 0) {
        field->value = varint(message);
    } else if ((key & 7) == 1) {
        assert_true(message->end - message->at >= 8);
        for (unsigned i = 0; i < 8; i++)
            field->value |= (uint64_t)*message->at++ << (8 * i);
    } else {
        assert_int_equal(key & 7, 2);
        uint64_t length = varint(message);
        assert_true((uint64_t)(message->end - message->at) >= length);
        field->inside = (struct message){message->at, message->at + length};
        message->at += length;
    }
    return true;
}

/* "number=value" or "number=text", messages in brackets. */
static void put_message(struct trace_buffer *lines, struct message message,
                        const unsigned *messages)
{
    struct field field;
    for (const char *between = ""; next_field(&message, &field); between = " ") {
        put_line(lines, "%s%u=", between, field.number);
        bool nested = false;
        for (const unsigned *at = messages; *at != 0; at++)
            nested = nested || *at == field.number;
        if (field.inside.at == NULL) {
            put_line(lines, "%" PRIu64, field.value);
        } else if (nested) {
            static const unsigned none[] = {0};
            put_line(lines, "(");
            put_message(lines, field.inside, none);
            put_line(lines, ")");
        } else {
            put_line(lines, "%.*s", (int)(field.inside.end - field.inside.at),
                     (const char *)field.inside.at);
        }
    }
}

/* A line for every packet: of tracks, uuid 1, name 2, process 3, thread 4, parent 5, counter 8; of
 * events, the date in ns, type 9 (1 begins, 2 ends, 3 instant, 4 counter), track 11, name 23, flows
 * 47 and 48, value 30, annotations 4. */
static void test_perfetto(void **state)
{
    (void)state;
    static const char expected[] =
        "track 1=1 3=(1=5 6=process 5)\n"
        "track 1=2 5=1 4=(1=5 2=7 5=thread 7)\n"
        "0 9=3 11=2 23=CreateDevice 4=(10=device 6=1)\n"
        "track 1=3 2=engine copy\n"
        "1000 9=3 11=2 23=CreateContext 4=(10=context 6=c) 4=(10=device 6=1) 4=(10=node 6=copy)\n"
        "2000 9=1 11=2 23=CreateAllocation 4=(10=device 6=1) 4=(10=allocations 3=1)\n"
        "2500 9=2 11=2\n"
        "track 1=4 2=allocated bytes 5=1 8=(3=3)\n"
        "2000 9=4 11=4 30=4096\n"
        "3000 9=1 11=2 23=Submit 47=1 4=(10=context 6=c) 4=(10=gpu 3=2000) "
        "4=(10=allocations 3=1) 4=(10=writes 3=0) 4=(10=done after ns 3=6000)\n"
        "3100 9=2 11=2\n"
        "track 1=5 5=3 2=context c\n"
        "7000 9=1 11=5 23=packet 48=1 4=(10=context 6=c) 4=(10=gpu 3=2000) "
        "4=(10=allocations 3=1) 4=(10=writes 3=0) 4=(10=done after ns 3=6000)\n"
        "9000 9=2 11=5\n"
        "track 1=6 5=1 2=thread 7 (2)\n"
        "3050 9=1 11=6 23=Lock 4=(10=device 6=1) 4=(10=allocation 6=9)\n"
        "4050 9=2 11=6\n"
        "track 1=7 2=transfers\n"
        "track 1=8 5=7 2=system to local\n"
        "4000 9=1 11=8 23=4096 bytes 4=(10=bytes 3=4096) 4=(10=dur 3=700) "
        "4=(10=from 6=system) 4=(10=to 6=local)\n"
        "4700 9=2 11=8\n"
        "track 1=9 5=7 2=local to system\n"
        "4100 9=1 11=9 23=8192 bytes 4=(10=bytes 3=8192) 4=(10=dur 3=100) "
        "4=(10=from 6=local) 4=(10=to 6=system)\n"
        "4200 9=2 11=9\n"
        "5000 9=3 11=2 23=DestroyAllocation 4=(10=device 6=1) 4=(10=allocations 3=1)\n"
        "5000 9=4 11=4 30=0\n";
    static const unsigned in_track[] = {3, 4, 8, 0}, in_event[] = {4, 0};
    struct trace_buffer out = shown(&trace_encoder_perfetto, trace), lines = {0};
    struct message file = {out.bytes, out.bytes + out.length};
    struct field packet;
    for (unsigned count = 0; next_field(&file, &packet); count++) {
        struct field field;
        uint64_t date = UINT64_MAX;
        bool sequence = false, begins = false;
        assert_int_equal(packet.number, 1);
        while (next_field(&packet.inside, &field)) {
            sequence = sequence || (field.number == 10 && field.value == 1);
            begins = begins || (field.number == 13 && field.value == 1);
            if (field.number == 8)
                date = field.value;
            if (field.number == 60) {
                put_line(&lines, "track ");
                put_message(&lines, field.inside, in_track);
            } else if (field.number == 11) {
                put_line(&lines, "%" PRIu64 " ", date);
                put_message(&lines, field.inside, in_event);
            }
        }
        put_line(&lines, "\n");
        assert_true(sequence);
        assert_int_equal(begins, count == 0);
    }
    trace_buffer_put_byte(&lines, '\0');
    assert_string_equal(lines.bytes, expected);
    trace_buffer_free(&lines);
    trace_buffer_free(&out);
}

/* What is shown of a long name ends with a whole character: of 140 bytes, or 60. */
static void test_long_names(void **state)
{
    (void)state;
    char long_trace[1000], as[140], context[160], way[160];
    memset(as, 'a', sizeof as);
    snprintf(
        long_trace, sizeof long_trace,
        "{\"wddmsim\":1}\n"
        "{\"t\":0,\"done\":9,\"op\":\"Submit\",\"context\":\"%.139s\u00e9z\",\"gpu\":2}\n"
        "{\"t\":0,\"dur\":7,\"op\":\"ObserveTransfer\",\"from\":\"%.58s\u20ac\",\"to\":\"%.60s\","
        "\"bytes\":4096}\n",
        as, as, as);
    snprintf(context, sizeof context, "context %.139s", as);
    snprintf(way, sizeof way, "%.58s to %.60s", as, as);
    struct trace_buffer out = shown(&trace_encoder_chrome, long_trace);
    json_t *all = json_loadb((const char *)out.bytes, out.length, 0, NULL), *item;
    size_t index;
    unsigned found = 0;
    assert_non_null(all); /* it is UTF-8 */
    json_array_foreach(json_object_get(all, "traceEvents"), index, item)
    {
        const char *name =
            json_string_value(json_object_get(json_object_get(item, "args"), "name"));
        found += name != NULL && (strcmp(name, context) == 0 || strcmp(name, way) == 0);
    }
    assert_int_equal(found, 2);
    json_decref(all);
    trace_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_long_names),
                                       cmocka_unit_test(test_chrome),
                                       cmocka_unit_test(test_perfetto)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
