/* What tools of Windows print of a recording: the real one printed here as they would, and read
 * again; and lines by hand. */
#include "traces/etl/bytes.h"
#include "traces/etl/columns.h"
#include "traces/etl/container.h"
#include "traces/etl/layouts.h"
#include "traces/etl/records.h"
#include "traces/reader.h"
#include "traces/vocabulary.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/imported.h"
#include "tests/unit/recorded.h"

extern const struct trace_format trace_format_xperf, trace_format_tracerpt, trace_format_etl;

enum tool { XPERF, XPERF_NAMES, TRACERPT };

/* A line of the text and when it was. */
struct printed {
    uint64_t stamp, order;
    char *text;
};

struct printing {
    struct printed *items;
    size_t count, room;
};

static const struct etl_columns *columns_of(const struct etl_record *record)
{
    for (size_t i = 0; i < etl_columns_count; i++)
        if (etl_columns[i].id == record->id && etl_columns[i].version == record->version)
            return &etl_columns[i];
    return NULL;
}

static uint64_t take_number(const struct etl_record *record, size_t *at, char letter)
{
    size_t width = letter == 'p'                    ? record->pointer_size
                   : letter == 'c'                  ? 1
                   : letter == 'w'                  ? 2
                   : letter == 'U' || letter == 'I' ? 8
                                                    : 4;
    uint64_t number = 0;
    if (*at + width > record->length)
        return 0;
    for (size_t i = 0; i < width; i++)
        number |= (uint64_t)record->payload[*at + i] << (8 * i);
    *at += width;
    return number;
}

static void append(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char **text, const char *format, ...)
{
    char piece[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    size_t length = *text != NULL ? strlen(*text) : 0;
    *text = realloc(*text, length + strlen(piece) + 1);
    assert_non_null(*text);
    strcpy(*text + length, piece);
}

static void append_number(char **text, const struct etl_columns *columns, const char *field,
                          enum tool tool, char letter, uint64_t number)
{
    static const char *const queue[] = {
        "DXGKETW_RENDER_COMMAND_BUFFER", "DXGKETW_DEFERRED_COMMAND_BUFFER",
        "DXGKETW_SYSTEM_COMMAND_BUFFER", "DXGKETW_MMIOFLIP_COMMAND_BUFFER",
        "DXGKETW_WAIT_COMMAND_BUFFER",   "DXGKETW_SIGNAL_COMMAND_BUFFER",
        "DXGKETW_DEVICE_COMMAND_BUFFER", "DXGKETW_SOFTWARE_COMMAND_BUFFER",
        "DXGKETW_PAGING_COMMAND_BUFFER",
    };
    bool queues = columns->id == 178 || columns->id == 180;
    if (tool == TRACERPT && queues && strncmp(field, "PacketType", 10) == 0 && number < 9)
        append(text, "\"%s \"", queue[number]);
    else if (letter == 'p')
        append(text, "0x%016" PRIx64, number);
    else if (letter == 'b')
        append(text, "%s", number != 0 ? "true" : "false");
    else
        append(text, "%" PRIu64, number);
}

/* Values of the record's fields, each behind a comma. */
static void append_fields(char **text, const struct etl_record *record,
                          const struct etl_columns *columns, enum tool tool)
{
    struct {
        const char *name;
        size_t length;
        uint64_t value;
    } seen[40];
    size_t count = 0, at = 0;
    for (const char *field = columns->fields; *field != '\0';) {
        size_t length = strcspn(field, "[:"), elements = 1;
        const char *colon = strchr(field, ':');
        bool array = field[length] == '[';
        char letter = colon[1];
        for (size_t i = 0; array && i < count; i++)
            if (strncmp(field + length + 1, seen[i].name, seen[i].length) == 0)
                elements = seen[i].value;
        append(text, ", ");
        if (tool == XPERF_NAMES)
            append(text, "%.*s : ", (int)(colon - field), field);
        if (array && tool != TRACERPT)
            append(text, "[");
        for (size_t i = 0; i < elements; i++) {
            uint64_t number = take_number(record, &at, letter);
            if (!array)
                seen[count].value = number;
            if (i > 0)
                append(text, ", ");
            append_number(text, columns, field, tool, letter, number);
        }
        if (array && tool != TRACERPT)
            append(text, "]");
        seen[count].name = field;
        seen[count++].length = length;
        field = colon + 2;
        field += *field == ' ';
    }
}

static void print_record(struct printing *printing, const struct etl_record *record, enum tool tool,
                         uint64_t ticks)
{
    const struct etl_columns *columns = columns_of(record);
    char *text = NULL;
    if (columns == NULL && tool != TRACERPT)
        return;
    if (tool == TRACERPT) {
        /* A payload that is not decoded is not printed here. */
        append(&text,
               "Microsoft-Windows-DxgKrnl, Start , %u, %u, 17, 0, 1, 0, 0x4000000000000001, "
               "0x%08X, 0x%08X, %u, , , {00000000-0000-0000-0000-000000000000}, , %" PRIu64
               ", 0, 0",
               record->id, record->version, record->pid, record->tid, record->processor, ticks);
    } else {
        const char *slash = strchr(columns->name, '/');
        append(&text,
               "Microsoft-Windows-DxgKrnl/%.*s/win:%s, %10" PRIu64
               ", \"some, app.exe\" (%4d), %6u, %3u, , , , ",
               (int)(slash - columns->name), columns->name, slash + 1, ticks, (int)record->pid,
               record->tid, record->processor);
    }
    if (columns != NULL)
        append_fields(&text, record, columns, tool);
    append(&text, "\r\n");
    struct printed *grown =
        trace_array_grow(printing->items, &printing->room, printing->count + 1, sizeof *grown);
    assert_non_null(grown);
    printing->items = grown;
    grown[printing->count] =
        (struct printed){.stamp = record->stamp, .order = printing->count, .text = text};
    printing->count++;
}

static int compare_printed(const void *left, const void *right)
{
    const struct printed *a = left, *b = right;
    if (a->stamp != b->stamp)
        return a->stamp < b->stamp ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static void put_text(struct trace_buffer *file, const char *text)
{
    trace_buffer_put(file, text, strlen(text));
}

static void put_heading(struct trace_buffer *file, enum tool tool)
{
    char *text = NULL;
    if (tool == TRACERPT) {
        put_text(file,
                 "Event Name, Type, Event ID, Version, Channel, Level, Opcode, Task, Keyword, PID, "
                 "TID, Processor Number, Instance ID, Parent Instance ID, Activity ID, Related "
                 "Activity ID, Clock-Time, Kernel(ms), User(ms), User Data\r\n"
                 "EventTrace, Header, 0, 2, 0, 0, 0, 0, 0x0, 0x8080, 0x46DC, 0, , , {0}, , "
                 "131985000000000000, 30, 15, 1048576, 83886090, 17134, 8, 131985000100000000, "
                 "156250, 0, 0x0, 25, 1, 8, 7, 2496\r\n");
        return;
    }
    append(&text, "BeginHeader\r\n");
    for (size_t i = 0; i < etl_columns_count; i++) {
        const char *slash = strchr(etl_columns[i].name, '/');
        append(&text,
               "Microsoft-Windows-DxgKrnl/%.*s/win:%s,  TimeStamp,     Process Name ( PID),   "
               "ThreadID, CPU, etw:ActivityId, etw:Related ActivityId, etw:UserSid, "
               "etw:SessionId",
               (int)(slash - etl_columns[i].name), etl_columns[i].name, slash + 1);
        for (const char *field = etl_columns[i].fields; *field != '\0';) {
            const char *colon = strchr(field, ':');
            append(&text, ", %.*s", (int)(colon - field), field);
            field = colon + 2;
            field += *field == ' ';
        }
        append(&text, "\r\n");
    }
    append(&text, "EndHeader\r\nOS Version: 10.0.17134, Trace Start: 131985000000000000, Trace "
                  "Length: 2 sec, PointerSize: 8\r\n");
    put_text(file, text);
    free(text);
}

/* The recording as the tool prints it. */
static void print_recording(const char *path, enum tool tool, struct trace_buffer *file)
{
    static const uint64_t FILETIME = UINT64_C(131985000000000000);
    struct trace_error error;
    struct trace_input *input;
    struct etl_container *container;
    struct etl_record record;
    struct printing printing = {0};
    assert_true(trace_input_open(path, &input, &error));
    assert_true(etl_container_open(input, &container, &error));
    const struct etl_header *header = etl_container_header(container);
    while (etl_container_next(container, &record) == ETL_RECORD) {
        if (record.provider == NULL || memcmp(record.provider, etl_dxgkrnl, sizeof etl_dxgkrnl))
            continue;
        uint64_t ns = etl_stamp_distance_ns(header, header->start_stamp, record.stamp);
        print_record(&printing, &record, tool, tool == TRACERPT ? FILETIME + ns / 100 : ns / 1000);
    }
    etl_container_close(container);
    qsort(printing.items, printing.count, sizeof *printing.items, compare_printed);
    put_heading(file, tool);
    for (size_t i = 0; i < printing.count; i++) {
        put_text(file, printing.items[i].text);
        free(printing.items[i].text);
    }
    free(printing.items);
}

static bool close_to(uint64_t a, uint64_t b, uint64_t tolerance)
{
    return (a > b ? a - b : b - a) <= tolerance;
}

static void assert_names(struct trace_name a, struct trace_name b)
{
    assert_true((a.text == NULL) == (b.text == NULL));
    if (a.text != NULL)
        assert_string_equal(a.text, b.text);
    assert_true(a.number == b.number);
}

static void assert_lists(struct trace_names a, struct trace_names b)
{
    assert_int_equal(a.count, b.count);
    for (uint32_t i = 0; i < a.count; i++)
        assert_names(a.items[i], b.items[i]);
}

/* The same but for times, each of which the text rounds down; differences of two are off by one
 * step, sums of such by some. What was a context switch is a statistic of such times. */
static void assert_same(const struct trace_event *a, const struct trace_event *b, uint64_t step_ns)
{
    uint64_t ignored = TRACE_GIVEN(TRACE_SWITCH);
    assert_int_equal(a->op, b->op);
    assert_int_equal(a->pid, b->pid);
    assert_int_equal(a->tid, b->tid);
    assert_true((a->given & ~ignored) == (b->given & ~ignored));
    assert_true(close_to(a->t_ns, b->t_ns, step_ns));
    assert_true(close_to(a->done_ns, b->done_ns, step_ns));
    assert_true(close_to(a->dur_ns, b->dur_ns, 2 * step_ns));
    assert_true(close_to(a->gpu_ns, b->gpu_ns, 4 * step_ns));
    assert_int_equal(a->status, b->status);
    assert_true(a->bytes == b->bytes && a->value == b->value && a->flags == b->flags);
    assert_names(a->device, b->device);
    assert_names(a->context, b->context);
    assert_names(a->node, b->node);
    assert_names(a->fence, b->fence);
    assert_names(a->resource, b->resource);
    assert_names(a->allocation, b->allocation);
    assert_lists(a->contexts, b->contexts);
    assert_lists(a->allocations, b->allocations);
    assert_lists(a->writes, b->writes);
    assert_int_equal(a->creations.count, b->creations.count);
    for (uint32_t i = 0; i < a->creations.count; i++) {
        assert_names(a->creations.items[i].allocation, b->creations.items[i].allocation);
        assert_true(a->creations.items[i].size == b->creations.items[i].size);
        assert_true(a->creations.items[i].kmd_flags == b->creations.items[i].kmd_flags);
        assert_true(a->creations.items[i].priority == b->creations.items[i].priority);
    }
}

struct both {
    struct trace_reader *recording;
    const struct trace_format *format;
    void *text;
};

static void open_both(struct both *both, enum tool tool, const struct trace_format *format)
{
    char path[4096];
    struct trace_error error;
    struct trace_buffer file = {0};
    struct trace_input *input;
    struct trace_header header = {0};
    const struct trace_open_options options = {0};
    recorded("windows-etl", "steamvr-win10-17134.etl.gz", path, sizeof path);
    print_recording(path, tool, &file);
    assert_true(format->detect(file.bytes, 4096));
    assert_true(trace_input_from_memory(file.bytes, file.length, "t", &input, &error));
    both->format = format;
    if (!format->open(input, &options, &both->text, &header, &error))
        fail_msg("%s", error.message);
    assert_non_null(strstr(header.source, "build 17134"));
    assert_true(trace_open(path, NULL, &both->recording, &error));
    trace_buffer_free(&file);
}

/* Facts that both tell and that are no times are the same. */
static void close_both(struct both *both)
{
    static const struct expected_fact same[] = {
        {"lines-not-understood", 0},
        {"lines-ambiguous", 0},
        {"values-not-understood", 0},
        {"build-unknown", 0},
    };
    size_t count, text_count, compared = 0;
    const struct trace_fact *facts = trace_reader_facts(both->recording, &count);
    const struct trace_fact *text_facts = both->format->facts(both->text, &text_count);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_true(fact(text_facts, text_count, same[i].key) == same[i].value);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < text_count; k++) {
            /* Of the file, not of what it tells; tools do not print what has no layout. */
            if (strcmp(facts[i].key, text_facts[k].key) != 0 || strcmp(facts[i].unit, "ns") == 0 ||
                strcmp(facts[i].key, "records") == 0 || strcmp(facts[i].key, "unmapped") == 0 ||
                strcmp(facts[i].key, "dxgkrnl-records") == 0 ||
                strcmp(facts[i].key, "unknown-ids") == 0 ||
                strcmp(facts[i].key, "events-lost") == 0)
                continue;
            if (facts[i].value != text_facts[k].value)
                fail_msg("%s is %.0f, expected %.0f", facts[i].key, text_facts[k].value,
                         facts[i].value);
            compared++;
        }
    assert_true(compared > 100);
    both->format->close(both->text);
    trace_close(both->recording);
}

/* tracerpt keeps 100 ns, more than the recording's clock has: the same events in the same order. */
static void test_tracerpt(void **state)
{
    (void)state;
    struct both both;
    struct trace_error error;
    struct trace_event a, b;
    open_both(&both, TRACERPT, &trace_format_tracerpt);
    for (size_t events = 0;; events++) {
        enum trace_result expected = trace_next(both.recording, &a, &error);
        enum trace_result is = both.format->next(both.text, &b, &error);
        if (is != expected)
            fail_msg("event %zu: %s", events, error.message);
        if (expected == TRACE_END) {
            assert_int_equal(events, 6702);
            break;
        }
        assert_same(&a, &b, 100);
    }
    close_both(&both);
}

/* xperf keeps microseconds: what was within one may change places, and nothing else changes. */
static void read_printed(enum tool tool)
{
    struct both both;
    struct trace_error error;
    struct trace_event event;
    size_t counts[2][TRACE_OPS] = {{0}};
    uint64_t gpu_ns[2] = {0}, done_ns[2] = {0};
    open_both(&both, tool, &trace_format_xperf);
    for (int text = 0; text < 2; text++)
        while ((text ? both.format->next(both.text, &event, &error)
                     : trace_next(both.recording, &event, &error)) == TRACE_EVENT) {
            counts[text][event.op]++;
            gpu_ns[text] += event.gpu_ns;
            if (trace_given(event.given, TRACE_DONE))
                done_ns[text] += event.done_ns - event.t_ns; /* t 0 is another record's */
        }
    for (int op = 0; op < TRACE_OPS; op++)
        assert_int_equal(counts[0][op], counts[1][op]);
    assert_int_equal(counts[1][TRACE_SUBMIT], 2273);
    /* Each is off by less than a microsecond either way. */
    assert_true(close_to(gpu_ns[0], gpu_ns[1], 1000 * counts[1][TRACE_SUBMIT]));
    assert_true(close_to(done_ns[0], done_ns[1], 1000 * (size_t)6702));
    close_both(&both);
}

static void test_xperf(void **state)
{
    (void)state;
    read_printed(XPERF);
}

static void test_xperf_with_names(void **state)
{
    (void)state;
    read_printed(XPERF_NAMES);
}

static void test_tables(void **state)
{
    (void)state;
    assert_int_equal(etl_columns_count, etl_layout_count);
    for (size_t i = 0; i < etl_columns_count; i++) {
        assert_int_equal(etl_columns[i].id, etl_layouts[i].id);
        assert_int_equal(etl_columns[i].version, etl_layouts[i].version);
    }
}

/* By hand */

#define HEADS                                                                                      \
    "  TimeStamp,     Process Name ( PID),   ThreadID, CPU, etw:ActivityId, "                      \
    "etw:Related ActivityId, etw:UserSid, etw:SessionId, "

/* A packet with a column more than is known, one of an unknown type, one of a kind that the heading
 * does not have, and one that could be either of two kinds. */
static void test_xperf_lines(void **state)
{
    (void)state;
    struct imported imported;
    import_text(
        &imported, &trace_format_xperf,
        "BeginHeader\n"
        "        Microsoft-Windows-DxgKrnl/QueuePacket/win:Start, " HEADS
        "hContext, PacketType, SubmitSequence, DmaBufferSize, AllocationListSize, "
        "PatchLocationListSize, bPresent, hDmaBuffer, pQueuePacket, ProgressFenceValue, New\n"
        "Microsoft-Windows-DxgKrnl/QueuePacket/win:Stop, " HEADS
        "hContext, PacketType, SubmitSequence, bPreempted, bTimeouted\n"
        "EndHeader\n"
        "Microsoft-Windows-DxgKrnl/QueuePacket/win:Start, 10, a.exe (77), 78, 0, , , , , 0x10, "
        "DXGKETW_RENDER_COMMAND_BUFFER, 5, 4096, 0, 0, false, 0x20, 0x30, 0, 99\n"
        "Microsoft-Windows-DxgKrnl/QueuePacket/win:Start, 11, a.exe (77), 78, 0, , , , , 0x10, "
        "SOMETHING_NEW, 6, 4096, 0, 0, false, 0x20, 0x30, 0, 99\n"
        "Microsoft-Windows-DxgKrnl/QueuePacket/win:Start, 12, a.exe (77), 78, 0, , , , , 0x10, 0\n"
        "Microsoft-Windows-DxgKrnl/DmaPacket/win:Start, 13, a.exe (77), 78, 0, , , , , 0x10, 0\n"
        "Microsoft-Windows-Dwm-Core/Frame/win:Start, 13, a.exe (77), 78, 0, , , , , 0x10, 0\n"
        "Microsoft-Windows-DxgKrnl/QueuePacket/win:Stop, 30, a.exe (77), 78, 0, , , , , 0x10, 0, "
        "5, "
        "false, false\n");
    assert_int_equal((int)imported_fact(&imported, "records"), 2);
    assert_int_equal((int)imported_fact(&imported, "lines-not-understood"), 2);
    assert_int_equal((int)imported_fact(&imported, "lines-others"), 2);
    assert_int_equal((int)imported_fact(&imported, "values-not-understood"), 1);
    assert_int_equal((int)imported_fact(&imported, "build-unknown"), 1);
    assert_lines(&imported,
                 "{\"t\":0,\"pid\":77,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"pid "
                 "77\",\"existing\":true}\n"
                 "{\"t\":0,\"pid\":77,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"0x10\","
                 "\"device\":\"pid 77\",\"node\":0,\"existing\":true}\n"
                 "{\"t\":0,\"pid\":77,\"tid\":78,\"op\":\"Submit\",\"context\":\"0x10\",\"gpu\":0,"
                 "\"bytes\":4096,\"done\":20000}\n");
    imported_free(&imported);
}

static void test_refused(void **state)
{
    (void)state;
    static const char long_array[] =
        "Event Name, Type, Event ID, Version, Channel, Level, Opcode, Task, Keyword, PID, TID, "
        "Processor Number, Instance ID, Parent Instance ID, Activity ID, Related Activity ID, "
        "Clock-Time, Kernel(ms), User(ms), User Data\n"
        "Microsoft-Windows-DxgKrnl, Info, 43, 0, 0, 0, 0, 0, 0x0, 0x1, 0x2, 0, , , {0}, , 9, 0, 0, "
        "0x1, 0x2, 4000000000, 0x3\n";
    struct imported imported;
    import_text(&imported, &trace_format_tracerpt, long_array);
    assert_int_equal((int)imported_fact(&imported, "lines-not-understood"), 1);
    assert_int_equal(imported.events, 0);
    imported_free(&imported);
    assert_false(trace_format_tracerpt.detect((const unsigned char *)"Event Name, Type\n", 17));
    assert_false(trace_format_xperf.detect((const unsigned char *)"BeginHeaders\n", 13));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tracerpt),         cmocka_unit_test(test_xperf),
        cmocka_unit_test(test_xperf_with_names), cmocka_unit_test(test_tables),
        cmocka_unit_test(test_xperf_lines),      cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
