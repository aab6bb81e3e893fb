/* Several files as one trace: what comes first, on whose clock, and what is the same in both. */
#include "traces/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "traces/check.h"
#include "traces/encoder.h"
#include "traces/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 3 };

/* Files with these texts, merged. */
struct merged {
    char paths[MOST][64];
    struct trace_part parts[MOST];
    size_t count;
    struct trace_reader *reader; /* NULL: refused */
    struct trace_error error;
    struct trace_buffer lines; /* terminated: its events, or where one was bad */
};

/* Nobody knows the process here: it is not shown. */
static void leave_out_processes(struct trace_buffer *lines)
{
    static const char unknown[] = "\"pid\":0,\"tid\":0,";
    char *at = (char *)lines->bytes;
    while ((at = strstr(at, unknown)) != NULL)
        memmove(at, at + sizeof unknown - 1, strlen(at + sizeof unknown - 1) + 1);
}

static void merge(struct merged *merged, const struct trace_open_options *options)
{
    static const struct trace_header text_header = {.version = TRACE_VERSION};
    struct trace_event event;
    struct trace_error error;
    uint64_t t_ns = 0;
    enum trace_result result;
    if (!trace_open_parts(merged->parts, merged->count, options, &merged->reader, &merged->error))
        return;
    void *encoder = trace_encoder_jsonl.start(&text_header, &merged->lines);
    merged->lines.length = 0; /* without the header */
    while ((result = trace_next(merged->reader, &event, &merged->error)) != TRACE_END) {
        if (result == TRACE_BAD) {
            trace_buffer_put(&merged->lines, merged->error.message, strlen(merged->error.message));
            trace_buffer_put_byte(&merged->lines, '\n');
            break;
        }
        assert_true(event.t_ns >= t_ns);
        t_ns = event.t_ns;
        assert_true(trace_check_event(&event, &error));
        assert_true(trace_encoder_jsonl.put(encoder, &event, &merged->lines, 0, &error));
    }
    trace_encoder_jsonl.free(encoder);
    trace_buffer_put_byte(&merged->lines, '\0');
    leave_out_processes(&merged->lines);
}

static void add(struct merged *merged, const char *text, bool has_offset, int64_t offset_ns)
{
    static unsigned count;
    char *path = merged->paths[merged->count];
    snprintf(path, sizeof merged->paths[0], "/tmp/wddmsim-merge-%ld-%u", (long)getpid(), count++);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    merged->parts[merged->count++] = (struct trace_part){path, has_offset, offset_ns};
}

static void done(struct merged *merged)
{
    for (size_t i = 0; i < merged->count; i++)
        unlink(merged->paths[i]);
    if (merged->reader != NULL)
        trace_close(merged->reader);
    trace_buffer_free(&merged->lines);
}

static double fact_of(const struct merged *merged, const char *key)
{
    size_t count;
    const struct trace_fact *facts = trace_reader_facts(merged->reader, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(facts[i].key, key) == 0)
            return facts[i].value;
    fail_msg("no fact %s", key);
    return 0;
}

#define HEADER(more) "{\"wddmsim\":1" more "}\n"
#define DEVICE(t, more, name)                                                                      \
    "{\"t\":" #t ",\"op\":\"CreateDevice\"" more ",\"device\":" #name "}\n"
#define ALLOCATE(t, more, name)                                                                    \
    "{\"t\":" #t ",\"op\":\"CreateAllocation\"" more ",\"device\":1,\"allocations\":["             \
    "{\"allocation\":" #name ",\"size\":4096}]}\n"
#define BEFORE ",\"existing\":true"

/* The second begins 500 ns after the first. What was there before comes first, once; dates that are
 * the same go by the order of the files; the end of asynchronous work moves along. */
static void test_order(void **state)
{
    (void)state;
    struct merged merged = {.count = 0};
    add(&merged,
        HEADER(",\"source\":\"a\"") DEVICE(
            0, BEFORE, 1) "{\"t\":700,\"op\":\"Signal\",\"context\":1,\"fence\":1,\"value\":1}\n"
                          "{\"t\":900,\"op\":\"Signal\",\"context\":1,\"fence\":1,\"value\":2}\n",
        false, 0);
    add(&merged,
        HEADER(",\"source\":\"b\"") DEVICE(0, BEFORE, 1) DEVICE(
            0, BEFORE, 2) "{\"t\":100,\"done\":300,\"op\":\"Submit\",\"context\":2,\"gpu\":50,"
                          "\"allocations\":[],"
                          "\"writes\":[]}\n"
                          "{\"t\":400,\"op\":\"Signal\",\"context\":2,\"fence\":2,\"value\":1}\n",
        true, 500);
    merge(&merged, NULL);
    if (merged.reader == NULL)
        fail_msg("%s", merged.error.message);
    assert_string_equal(
        merged.lines.bytes,
        "{\"t\":0,\"op\":\"CreateDevice\",\"device\":1,\"existing\":true}\n"
        "{\"t\":0,\"op\":\"CreateDevice\",\"device\":2,\"existing\":true}\n"
        "{\"t\":600,\"op\":\"Submit\",\"context\":2,\"gpu\":50,\"allocations\":[],\"writes\":[],"
        "\"done\":800}\n"
        "{\"t\":700,\"op\":\"Signal\",\"context\":1,\"fence\":1,\"value\":1}\n"
        "{\"t\":900,\"op\":\"Signal\",\"context\":1,\"fence\":1,\"value\":2}\n"
        "{\"t\":900,\"op\":\"Signal\",\"context\":2,\"fence\":2,\"value\":1}\n");
    assert_string_equal(trace_reader_header(merged.reader)->source, "a; b");
    assert_true(fact_of(&merged, "told-twice") == 1);
    assert_true(fact_of(&merged, "file-1-start-ns") == 0);
    assert_true(fact_of(&merged, "file-2-start-ns") == 500);
    done(&merged);
}

/* Both list what was there: the second adds what the first did not know, in the same calls. */
static void test_told_twice(void **state)
{
    (void)state;
#define RESIDENT(names)                                                                            \
    "{\"t\":0,\"op\":\"MakeResident\"" BEFORE ",\"device\":1,\"allocations\":[" names "]}\n"
#define THERE(more)                                                                                \
    "{\"t\":0,\"op\":\"CreateAllocation\"" BEFORE                                                  \
    ",\"device\":1,\"allocations\":[{\"allocation\":1,"                                            \
    "\"size\":8}" more "]}\n"
    struct merged merged = {.count = 0};
    add(&merged, HEADER("") DEVICE(0, BEFORE, 1) THERE("") RESIDENT("1"), false, 0);
    add(&merged,
        HEADER("") DEVICE(0, BEFORE, 1) THERE(",{\"allocation\":2,\"size\":9}") RESIDENT("1,2"),
        true, 50);
    add(&merged, HEADER("") DEVICE(0, BEFORE, 1) THERE("") RESIDENT("1"), true, 70);
    merge(&merged, NULL);
    assert_string_equal(
        merged.lines.bytes,
        "{\"t\":0,\"op\":\"CreateDevice\",\"device\":1,\"existing\":true}\n"
        "{\"t\":0,\"op\":\"CreateAllocation\",\"device\":1,\"allocations\":[{\"allocation\":1,"
        "\"size\":8}],\"existing\":true}\n"
        "{\"t\":0,\"op\":\"MakeResident\",\"device\":1,\"allocations\":[1],\"existing\":true}\n"
        "{\"t\":0,\"op\":\"CreateAllocation\",\"device\":1,\"allocations\":[{\"allocation\":2,"
        "\"size\":9}],\"existing\":true}\n"
        "{\"t\":0,\"op\":\"MakeResident\",\"device\":1,\"allocations\":[2],\"existing\":true}\n");
    assert_true(fact_of(&merged, "told-twice") == 6);
    done(&merged);
}

/* The second began 300 ns before the first: dates count from there. */
static void test_earlier(void **state)
{
    (void)state;
    struct merged merged = {.count = 0};
    add(&merged, HEADER("") DEVICE(100, "", 1), false, 0);
    add(&merged, HEADER("") DEVICE(100, "", 2), true, -300);
    merge(&merged, NULL);
    assert_string_equal(merged.lines.bytes, "{\"t\":100,\"op\":\"CreateDevice\",\"device\":2}\n"
                                            "{\"t\":400,\"op\":\"CreateDevice\",\"device\":1}\n");
    assert_null(trace_reader_header(merged.reader)->source);
    assert_string_equal(trace_reader_header(merged.reader)->extras, "{\"x-import\":[{},{}]}");
    done(&merged);
}

/* One says when what is resident, the other that all is from its creation on: said for that, too. A
 * creation that failed made nothing resident. */
static void test_residency(void **state)
{
    (void)state;
    struct merged merged = {.count = 0};
    add(&merged, HEADER(",\"residency\":\"explicit\"") ALLOCATE(10, "", 1), false, 0);
    add(&merged,
        HEADER(",\"residency\":\"at-create\"") ALLOCATE(20, "", 2)
            ALLOCATE(30, ",\"status\":3221225495", 3),
        true, 0);
    merge(&merged, NULL);
    assert_int_equal(trace_reader_header(merged.reader)->residency, TRACE_RESIDENCY_EXPLICIT);
    assert_string_equal(
        merged.lines.bytes,
        "{\"t\":10,\"op\":\"CreateAllocation\",\"device\":1,\"allocations\":[{\"allocation\":1,"
        "\"size\":4096}]}\n"
        "{\"t\":20,\"op\":\"CreateAllocation\",\"device\":1,\"allocations\":[{\"allocation\":2,"
        "\"size\":4096}]}\n"
        "{\"t\":20,\"op\":\"MakeResident\",\"device\":1,\"allocations\":[2],\"existing\":true}\n"
        "{\"t\":30,\"op\":\"CreateAllocation\",\"device\":1,\"allocations\":[{\"allocation\":3,"
        "\"size\":4096}],\"status\":\"STATUS_NO_MEMORY\"}\n");
    done(&merged);
}

/* Linux recordings begin at their first record, and tell when that was on the kernel's clock. */
static void test_clock(void **state)
{
    (void)state;
#define MOVE(date)                                                                                 \
    "# tracer: nop\n#\n            Xorg-1234  [000] .... " date                                    \
    ": amdgpu_ttm_bo_move: bo=000000001, from=1, to=2, size=4096\n"
    struct merged merged = {.count = 0};
    add(&merged, MOVE("100.000500"), false, 0);
    add(&merged, MOVE("100.000200"), false, 0);
    add(&merged, HEADER("") DEVICE(0, "", 1), false, 0);
    merge(&merged, NULL);
    if (merged.reader == NULL)
        fail_msg("%s", merged.error.message);
    assert_true(fact_of(&merged, "file-1-start-ns") == 300000);
    assert_true(fact_of(&merged, "file-2-start-ns") == 0);
    assert_true(fact_of(&merged, "file-3-start-ns") == 300000);
    assert_true(fact_of(&merged, "file-3-clock-assumed") == 1);
    assert_true(fact_of(&merged, "file-2-moves") == 1);
    done(&merged);
}

/* Requests to two servers: each file numbers its blocks from 0 on and knows no process, so what the
 * second calls block 0 is another one, of another process. */
static void test_own_names(void **state)
{
    (void)state;
#define REQUEST(date)                                                                              \
    "{\"timestamp\": " #date ", \"input_length\": 512, \"output_length\": 1, "                     \
    "\"hash_ids\": [0]}\n"
    struct merged merged = {.count = 0};
    add(&merged, REQUEST(0), false, 0);
    add(&merged, REQUEST(0), true, 1000);
    merge(&merged, NULL);
    if (merged.reader == NULL)
        fail_msg("%s", merged.error.message);
    const char *lines = (const char *)merged.lines.bytes;
    assert_non_null(strstr(lines, "{\"t\":0,\"op\":\"CreateDevice\",\"device\":\"gpu 0\""));
    assert_non_null(strstr(lines, "{\"t\":0,\"pid\":1000000002,\"tid\":0,\"op\":\"CreateDevice\","
                                  "\"device\":\"2: gpu 0\""));
    assert_non_null(strstr(lines, "\"device\":\"gpu 0\",\"allocations\":[{\"allocation\":0,"));
    assert_non_null(
        strstr(lines, "\"device\":\"2: gpu 0\",\"allocations\":[{\"allocation\":\"2: 0\","));
    assert_non_null(strstr(lines, "\"context\":\"2: requests\",\"gpu\":"));
    assert_non_null(strstr(lines, "\"writes\":[\"2: 0\"]"));
    assert_true(fact_of(&merged, "told-twice") == 0);
    assert_true(fact_of(&merged, "file-2-process-assumed") == 1000000002);
    done(&merged);
}

static void test_bad(void **state)
{
    (void)state;
    struct merged merged = {.count = 0};
    add(&merged, HEADER("") DEVICE(5, "", 1) DEVICE(50, "", 2), false, 0);
    add(&merged, HEADER("") DEVICE(9, "", 3) "{\"t\":10,\"op\":\"Nonsense\"}\n", true, 0);
    merge(&merged, NULL);
    char expected[200];
    snprintf(expected, sizeof expected, "%s:3: ", merged.paths[1]);
    const char *last = strstr((const char *)merged.lines.bytes, "\"device\":3}\n");
    assert_non_null(last);
    assert_memory_equal(last + strlen("\"device\":3}\n"), expected, strlen(expected));
    done(&merged);

    static const char *const setting = "colour=red";
    const struct trace_open_options options = {.settings = &setting, .setting_count = 1};
    merged = (struct merged){.count = 0};
    add(&merged, HEADER(""), false, 0);
    add(&merged, HEADER(""), true, INT64_MAX / 2);
    merge(&merged, &options);
    assert_null(merged.reader);
    assert_non_null(strstr(merged.error.message, "no format of the files has it"));
    merge(&merged, NULL);
    assert_null(merged.reader);
    assert_non_null(strstr(merged.error.message, "not on one clock"));
    done(&merged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),   cmocka_unit_test(test_told_twice),
        cmocka_unit_test(test_earlier), cmocka_unit_test(test_residency),
        cmocka_unit_test(test_clock),   cmocka_unit_test(test_own_names),
        cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
