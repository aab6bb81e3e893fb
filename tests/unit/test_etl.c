/* Windows recordings: the figures known of a real one, recordings made up here whose outcome is
 * known exactly, and damage of every kind. */
#include "traces/buffer.h"
#include "traces/etl/container.h"
#include "traces/etl/layouts.h"
#include "traces/etl/xpress.h"
#include "traces/input.h"
#include "traces/reader.h"
#include "traces/vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/recorded.h"

extern const struct trace_format trace_format_etl;

/* The real recordings */

static struct trace_reader *open_recorded(const char *name)
{
    char path[4096];
    struct trace_error error = {0};
    struct trace_reader *reader;
    const struct trace_open_options options = {0};
    if (!trace_open(recorded("windows-etl", name, path, sizeof path), &options, &reader, &error))
        fail_msg("%s", error.message);
    assert_string_equal(trace_reader_format(reader), "etl");
    return reader;
}

static const char steamvr[] = "steamvr-win10-17134.etl.gz";

static void test_counts_of_the_recording(void **state)
{
    (void)state;
    static const struct expected_fact expected[] = {
        {"records", 211033},
        {"header-records", 2},
        {"dxgkrnl-records", 196500},
        {"events-lost", 0},
        {"buffers-lost", 0},
        {"buffers", 345},
        {"damaged-buffers", 0},
        {"undecodable", 0},
        {"contexts-with-engine-work", 8},
        {"contexts-preemption-only", 1},
        {"contexts-without-node", 0},
        {"render-dma-packets", 2298},
        {"preempted", 25},
        {"preemption-packets", 17},
        {"preemption-attempts", 3679},
        {"paging-dma-packets", 89},
        {"dma-stops-unpaired", 1},
        {"dma-packets-without-queue-packet", 0},
        {"render-queue-packets", 2273},
        {"render-queue-count", 2273},
        {"paging-queue-packets", 89},
        {"flip-queue-packets", 332},
        {"present-history-queue-packets", 618},
        {"wait-queue-packets", 1741},
        {"signal-queue-packets", 1924},
        {"submissions-without-engine-time", 0},
        {"operation-113-count", 15},
        {"operation-206-count", 15},
        {"operation-121-count", 33},
        {"make-resident-calls", 306},
        {"make-resident-immediate", 291},
        {"make-resident-pending", 15},
        {"allocations-created", 16},
        {"allocations-created-bytes", 1933312},
        {"adapter-allocation-stops", 38},
        {"terminations", 27},
        {"discards", 29},
        {"fills", 13},
        {"fill-bytes", 11 * 4096 + 32768 + 299008},
        {"transfers", 0},
        {"page-ins-segment-2", 14},
        {"page-ins-segment-4", 2},
        {"evictions", 6},
        {"segment-2-resident-bytes", 2260684800},
        {"segment-4-resident-bytes", 167043072},
        {"terminated-to-closed-count", 27},
        {"terminated-to-destroyed-count", 26},
    };
    struct trace_reader *reader = open_recorded(steamvr);
    assert_facts(reader, expected, sizeof expected / sizeof expected[0]);
    const char *extras = trace_reader_header(reader)->extras;
    assert_non_null(strstr(extras, "{\"x-import\":{"));
    assert_non_null(strstr(extras, "\"records\":211033,"));
    assert_non_null(strstr(extras, "\"x-lacks\":[\"which allocations most packets use"));
    assert_non_null(strstr(trace_reader_header(reader)->source, "build 17134, 8 processors"));
    trace_close(reader);
}

/* Published figures in µs, to the digits they were published with. */
static void test_times_of_the_recording(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        double us[4]; /* min, median, p95, max; negative: not published */
        int digits;
    } expected[] = {
        {"render-dma", {27.9, 125, 1584, 1690}, 0},
        {"render-queue", {46, 1016, 2855, 3315}, 0},
        {"paging-dma", {35.6, 57.7, 101, 120}, 0},
        {"paging-queue", {56.7, 86.9, 157, 183}, 0},
        {"operation-113", {-1, 120, -1, -1}, 0},
        {"operation-206", {-1, 507, -1, 1305}, 0},
        {"operation-121", {-1, 18.6, -1, -1}, 1},
        {"make-resident-immediate-call", {-1, 4.8, -1, -1}, 1},
        {"dxgk-create-allocation", {33.7, 44.9, 102.3, 102.3}, 1},
        {"ddi-create-allocation", {17.6, 22.8, 53.5, 53.5}, 1},
        {"ddi-open-allocation", {2.2, 4.2, 9.9, 9.9}, 1},
        {"process-heap-allocate", {-1, 5.5, 15.4, 15.4}, 1},
        {"dxgk-destroy-allocation2", {4.2, 7.4, 40.1, 350.1}, 1},
        {"ddi-close-allocation", {1.9, 4.8, 34.9, 36.2}, 1},
        {"ddi-destroy-allocation", {3.2, 8.5, 18.3, 20.5}, 1},
        {"terminated-to-closed", {302, 948, 1384, 1465}, 0},
        {"terminated-to-destroyed", {315.5, 963, 1391, 1476}, 0},
        {"dxgk-map-gpu-virtual-address", {3.5, 5.5, 23.4, 23.4}, 1},
        {"dxgk-make-resident", {3.8, 12.5, 18.0, 201.3}, 1},
        {"ddi-build-paging-buffer", {1.0, 2.6, 7.7, 146.2}, 1},
        {"dxgk-submit-command", {4.2, 15.4, 30.5, 203.3}, 1},
        {"ddi-submit-command-virtual", {3.2, 24.4, 74.4, 110.9}, 1},
        {"ddi-preempt-command", {7.7, 15.4, 51.0, 51.0}, 1},
        {"dpi-fdo-message-interrupt-routine", {-1, 9.0, 37.5, 60.6}, 1},
        {"vid-sch-ddi-notify-interrupt", {-1, 2.2, 4.5, 18.3}, 1},
        {"dpi-dpc-for-isr", {-1, 8.3, 69.2, 198.1}, 1},
        {"ddi-notify-dpc", {-1, 15.4, 62.8, 115.4}, 1},
        {"dxgk-signal-synchronization-object-from-gpu2", {-1, 12.2, 42.6, 132.4}, 1},
        {"dxgk-wait-for-synchronization-object", {-1, 5.1, 12.2, 1684.1}, 1},
        {"dxgk-present", {-1, 158.1, 299.1, 844.8}, 1},
        {"dxgk-present-multi-plane-overlay3", {-1, 39.1, 56.4, 151.6}, 1},
        {"dxgk-lock2", {-1, 4.2, -1, -1}, 1},
        {"probe-and-lock-pages", {-1, 67.3, -1, -1}, 1},
        {"unlock-pages", {-1, 97.3, -1, -1}, 1},
    };
    static const char *const parts[] = {"min", "median", "p95", "max"};
    struct trace_reader *reader = open_recorded(steamvr);
    size_t count;
    const struct trace_fact *facts = trace_reader_facts(reader, &count);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        double half = expected[i].digits == 0 ? 0.5 : 0.0501;
        for (size_t part = 0; part < 4; part++) {
            char key[96];
            snprintf(key, sizeof key, "%s-%s-ns", expected[i].key, parts[part]);
            double us = fact(facts, count, key) / 1000;
            if (expected[i].us[part] >= 0 && fabs(us - expected[i].us[part]) > half)
                fail_msg("%s is %.2f us, expected %.1f", key, us, expected[i].us[part]);
        }
    }
    /* 1 % quantiles of packets that found the engine idle: 22.1 µs behind another context's, 11.5
     * behind one of their own. */
    assert_true(fabs(fact(facts, count, "switch-ns-node-0") - 10580) < 1);
    assert_true(fabs(fact(facts, count, "engine-latency-ns") - 11542) <= 1);
    assert_true(fact(facts, count, "switch-ns-node-1") == 0);
    trace_close(reader);
}

/* A set of names, by text. */
struct names {
    char (*items)[48];
    size_t count;
};

static bool has_name(const struct names *names, const char *text)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], text) == 0)
            return true;
    return false;
}

static void add_name(struct names *names, const char *text)
{
    if (has_name(names, text))
        return;
    names->items = realloc(names->items, (names->count + 1) * sizeof *names->items);
    assert_non_null(names->items);
    snprintf(names->items[names->count++], sizeof *names->items, "%s", text);
}

static void add_new_name(struct names *names, struct trace_name name)
{
    assert_false(has_name(names, name.text));
    add_name(names, name.text);
}

static void test_events_of_the_recording(void **state)
{
    (void)state;
    struct trace_reader *reader = open_recorded(steamvr);
    struct trace_event event;
    struct trace_error error;
    struct names objects = {0}, signalled = {0}, waited = {0};
    enum trace_result result;
    size_t ops[TRACE_OPS] = {0}, packets = 0, broadcasts = 0, pending = 0,
           durations[TRACE_OPS] = {0};
    uint64_t last_ns = 0, gpu_ns = 0, switches = 0, transferred = 0, background = 0;
    while ((result = trace_next(reader, &event, &error)) != TRACE_END) {
        if (result == TRACE_BAD)
            fail_msg("%s", error.message);
        assert_true(event.t_ns >= last_ns);
        last_ns = event.t_ns;
        ops[event.op]++;
        durations[event.op] += trace_given(event.given, TRACE_DUR);
        bool done = trace_given(event.given, TRACE_DONE);
        assert_true(!done || event.done_ns >= event.t_ns);
        switch (event.op) {
        case TRACE_CREATE_DEVICE:
            add_new_name(&objects, event.device);
            break;
        case TRACE_CREATE_CONTEXT:
            assert_true(has_name(&objects, event.device.text));
            add_new_name(&objects, event.context);
            break;
        case TRACE_CREATE_ALLOCATION:
            assert_true(has_name(&objects, event.device.text));
            for (uint32_t i = 0; i < event.creations.count; i++) {
                add_new_name(&objects, event.creations.items[i].allocation);
                if (strncmp(event.creations.items[i].allocation.text, "background", 10) == 0)
                    background += event.creations.items[i].size;
            }
            break;
        case TRACE_SUBMIT:
            assert_true(has_name(&objects, event.context.text));
            assert_true(done && event.done_ns >= event.t_ns + event.gpu_ns);
            assert_true(event.switch_ns <= event.gpu_ns / 2);
            gpu_ns += event.gpu_ns;
            switches += event.switch_ns > 0;
            break;
        case TRACE_SIGNAL:
            add_name(&signalled, event.fence.text);
            if (event.extras != NULL)
                break; /* assumed */
            packets += event.contexts.count + trace_given(event.given, TRACE_CONTEXT);
            broadcasts += event.contexts.count > 0;
            break;
        case TRACE_WAIT:
            add_name(&waited, event.fence.text);
            break;
        case TRACE_MAKE_RESIDENT:
            pending += event.status == 0x103 && done;
            break;
        case TRACE_OBSERVE_TRANSFER:
            if (strstr(event.extras, "paging-buffer") != NULL)
                transferred += event.bytes;
            break;
        default:
            break;
        }
    }
    assert_int_equal(ops[TRACE_SUBMIT], 2273);
    assert_int_equal(ops[TRACE_PRESENT], 332 + 618);
    assert_int_equal(ops[TRACE_WAIT], 1741);
    assert_int_equal(packets, 1924);
    assert_int_equal(broadcasts, 348);
    assert_int_equal(ops[TRACE_MAKE_RESIDENT], 306 + 2);
    assert_int_equal(durations[TRACE_MAKE_RESIDENT], 306);
    assert_int_equal(pending, 15);
    assert_int_equal(durations[TRACE_SUBMIT], 1672);
    assert_int_equal(durations[TRACE_CREATE_ALLOCATION], 15);
    assert_int_equal(durations[TRACE_DESTROY_ALLOCATION], 25);
    assert_int_equal(durations[TRACE_PRESENT], 332 + 511);
    assert_int_equal(ops[TRACE_LOCK], 1);
    assert_int_equal(ops[TRACE_OPEN_RESOURCE], 1);
    assert_int_equal(ops[TRACE_CREATE_CONTEXT], 13);
    assert_int_equal(ops[TRACE_OBSERVE_TRANSFER], 89 + 13 + 29);
    assert_int_equal(transferred, 11 * 4096 + 32768 + 299008);
    assert_int_equal(background, 2260684800 - 2 * 65536 + 167043072);
    /* 567,643,975 by another program that rounds times differently. */
    assert_true(gpu_ns > 567643975 - ops[TRACE_SUBMIT] && gpu_ns < 567643975 + ops[TRACE_SUBMIT]);
    assert_int_equal(switches, 745);
    for (size_t i = 0; i < waited.count; i++)
        assert_true(has_name(&signalled, waited.items[i]));
    free(objects.items);
    free(signalled.items);
    free(waited.items);
    trace_close(reader);
}

static void test_recorded_compressed_buffer(void **state)
{
    (void)state;
    struct trace_reader *reader = open_recorded("compressed-buffers-small.etl");
    struct trace_event event;
    struct trace_error error;
    size_t count;
    const struct trace_fact *facts = trace_reader_facts(reader, &count);
    assert_true(fact(facts, count, "compressed-buffers") == 1);
    assert_true(fact(facts, count, "damaged-buffers") == 0);
    assert_true(fact(facts, count, "records") > 0);
    assert_true(fact(facts, count, "dxgkrnl-records") == 0);
    assert_int_equal(trace_next(reader, &event, &error), TRACE_END);
    trace_close(reader);
}

/* The two examples of [MS-XCA], and what a decoder must refuse. */
static void test_xpress(void **state)
{
    (void)state;
    static const unsigned char alphabet[] = {
        0x3f, 0x00, 0x00, 0x00, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b,
        0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a};
    static const unsigned char repeated[] = {0xff, 0xff, 0xff, 0x1f, 0x61, 0x62, 0x63,
                                             0x17, 0x00, 0x0f, 0xff, 0x26, 0x01};
    unsigned char out[400];
    size_t written;
    assert_true(etl_xpress_expand(alphabet, sizeof alphabet, out, 26, &written));
    assert_int_equal(written, 26);
    assert_memory_equal(out, "abcdefghijklmnopqrstuvwxyz", 26);
    assert_true(etl_xpress_expand(repeated, sizeof repeated, out, 300, &written));
    assert_int_equal(written, 300);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(out[i], "abc"[i % 3]);
    assert_false(etl_xpress_expand(repeated, sizeof repeated, out, 299, &written));
    for (size_t cut = 8; cut < sizeof repeated; cut++)
        assert_false(etl_xpress_expand(repeated, cut, out, 300, &written) && written == 300);
    /* two matches share the byte of their nibbles: lengths 7 + 2 + 3 and 7 + 1 + 3 */
    static const unsigned char shared[] = {0x00, 0x00, 0x00, 0x60, 'x',
                                           0x07, 0x00, 0x12, 0x07, 0x00};
    assert_true(etl_xpress_expand(shared, sizeof shared, out, 24, &written));
    assert_int_equal(written, 24);
    static const unsigned char before[] = {0x00, 0x00, 0x00, 0x40, 'x', 0x08, 0x00};
    assert_false(etl_xpress_expand(before, sizeof before, out, 10, &written));
}

/* Recordings made up here */

struct recording {
    struct trace_buffer file;
    struct trace_buffer records; /* of the buffer being filled */
    unsigned pointer;            /* bytes of one */
    unsigned clock;
    uint64_t start;
};

static void put(struct trace_buffer *buffer, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        trace_buffer_put_byte(buffer, (unsigned char)(number >> (8 * i)));
}

static void put_zeros(struct trace_buffer *buffer, size_t count)
{
    for (size_t i = 0; i < count; i++)
        trace_buffer_put_byte(buffer, 0);
}

/* XPRESS with literals only. */
static void put_literals(struct trace_buffer *to, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (i % 32 == 0)
            put(to, 0, 4);
        trace_buffer_put_byte(to, bytes[i]);
    }
}

static void end_buffer(struct recording *recording, unsigned processor, unsigned type,
                       bool compressed)
{
    struct trace_buffer packed = {0};
    const struct trace_buffer *records = &recording->records;
    if (compressed)
        put_literals(&packed, records->bytes, records->length);
    const struct trace_buffer *body = compressed ? &packed : records;
    struct trace_buffer *file = &recording->file;
    put(file, 72 + body->length, 4);
    put_zeros(file, 0x28 - 4);
    put(file, processor, 2);
    put_zeros(file, 6);
    put(file, 72 + records->length, 4);
    put(file, compressed ? 0x40 : 0, 2);
    put(file, type, 2);
    put_zeros(file, 16);
    trace_buffer_put(file, body->bytes, body->length);
    recording->records.length = 0;
    trace_buffer_free(&packed);
}

static const uint64_t qpc_hz = 3119142;

static struct recording start_recording(unsigned pointer, unsigned clock)
{
    struct recording recording = {
        .pointer = pointer, .clock = clock, .start = UINT64_C(0x1d4f0000000000)};
    struct trace_buffer *record = &recording.records;
    put(record, pointer == 4 ? 0xc0010002 : 0xc0020002, 4);
    put(record, 32 + 264 + 2 * pointer, 2);
    put_zeros(record, 10);
    put(record, recording.start, 8);
    put_zeros(record, 8 + 8);
    put(record, 17134, 4);
    put(record, 2, 4); /* processors */
    put_zeros(record, 48 - 16);
    put(record, 3, 4);    /* events lost */
    put(record, 3600, 4); /* MHz */
    put_zeros(record, 240 - 56 + 2 * pointer);
    put(record, qpc_hz, 8);
    put_zeros(record, 8);
    put(record, clock, 4);
    put(record, 1, 4); /* buffers lost */
    put_zeros(record, (8 - record->length % 8) % 8);
    end_buffer(&recording, 0, 4, false);
    return recording;
}

/* Adds an event of process 40, thread 7. `fields` spells the payload: p pointer, 4 and 8 numbers;
 * all arguments are uint64_t. */
static void event(struct recording *recording, uint64_t stamp, unsigned id, unsigned version,
                  const char *fields, ...)
{
    static const unsigned char provider[16] = {0x5a, 0xc4, 0x2e, 0x80, 0x99, 0x1e, 0x83, 0x4b,
                                               0x99, 0x20, 0x87, 0xc9, 0x82, 0x77, 0xba, 0x9d};
    struct trace_buffer payload = {0};
    va_list numbers;
    va_start(numbers, fields);
    for (; *fields != '\0'; fields++)
        put(&payload, va_arg(numbers, uint64_t),
            *fields == 'p' ? recording->pointer : (size_t)(*fields - '0'));
    va_end(numbers);
    struct trace_buffer *record = &recording->records;
    bool extended = stamp % 200 == 0; /* some have two extended items before the payload */
    put(record,
        (80 + (extended ? 32U : 0U) + payload.length) |
            (recording->pointer == 4 ? 0xc0120000 : 0xc0130000),
        4);
    put(record, extended, 4);
    put(record, 7, 4);
    put(record, 40, 4);
    put(record, recording->start + stamp, 8);
    trace_buffer_put(record, provider, sizeof provider);
    put(record, id, 2);
    put(record, version, 1);
    put_zeros(record, 80 - 0x2b);
    if (extended) {
        put(record, (8 + 8) | 5 << 16 | UINT64_C(1) << 32 | UINT64_C(8) << 48, 8);
        put_zeros(record, 8);
        put(record, (8 + 3) | 1 << 16 | UINT64_C(3) << 48, 8);
        put_zeros(record, 8);
    }
    trace_buffer_put(record, payload.bytes, payload.length);
    put_zeros(record, (8 - record->length % 8) % 8);
    trace_buffer_free(&payload);
}

#define N(number) ((uint64_t)(number))

static void created(struct recording *recording, uint64_t stamp, unsigned id, uint64_t global,
                    uint64_t size)
{
    event(recording, stamp, id, 1, "ppp484444444pppp", N(40), N(0xd0), N(0xa0), N(0x40000005), size,
          N(4096), N(0), N(7), N(2 | 1 << 6), N(0), N(8), N(0x78000000), global, N(0), N(0), N(0));
}

static void opened(struct recording *recording, uint64_t stamp, unsigned id, uint64_t local,
                   uint64_t global)
{
    event(recording, stamp, id, 1, "pppppppppppp", N(40), N(0xd0), N(0xa0), local, global, N(0),
          N(0), N(0), N(0), N(0), N(0), N(0));
}

/* One of everything, on two processors whose buffers lie in the file the wrong way round. Stamps
 * are ticks from the start of the recorder; the first DxgKrnl event is at 1000. */
static struct recording sample(unsigned pointer, unsigned clock, bool compressed)
{
    struct recording r = start_recording(pointer, clock);
    /* processor 1: the engine, the queue's ends, paging */
    event(&r, 2600, 175, 1, "pp484p4", N(0xc1), N(0), N(0), N(71), N(5), N(0xb1), N(0));
    event(&r, 3600, 176, 0, "p4844", N(0xc1), N(0), N(71), N(5), N(1)); /* preempted */
    event(&r, 3700, 175, 1, "pp484p4", N(0xc1), N(0xc1), N(0), N(72), N(5), N(0xb1), N(0));
    event(&r, 4000, 176, 0, "p4844", N(0xc1), N(0), N(72), N(5), N(0));
    event(&r, 4100, 180, 1, "p4444p", N(0xc1), N(0), N(5), N(0), N(0), N(0));
    event(&r, 4200, 180, 1, "p4444p", N(0xc1), N(5), N(6), N(0), N(0), N(0));
    event(&r, 4300, 180, 1, "p4444p", N(0xc2), N(5), N(1), N(0), N(0), N(0));
    event(&r, 5700, 307, 1, "pp4p884488", N(0xa0), N(0xbb), N(0), N(0x91), N(0), N(8192), N(0),
          N(2), N(0), N(0));
    event(&r, 5800, 325, 0, "pp88", N(0xf0), N(0), N(9), N(0));
    event(&r, 6500, 37, 1, "pppppppppppp", N(4), N(0xd0), N(0xa0), N(0x81), N(0x91), N(0), N(0),
          N(0), N(0), N(0), N(0), N(0));
    created(&r, 6600, 34, 0x91, 8192);
    end_buffer(&r, 1, 0, compressed);
    /* processor 0: the calls of process 40 */
    event(&r, 1000, 23, 0, "pp44488", N(0xa0), N(0xc1), N(3), N(0), N(0), N(0), N(0));
    event(&r, 1500, 244, 1, "p44p8p", N(0xc2), N(77), N(0), N(0xe1), N(4), N(0));
    event(&r, 2000, 105, 0, "4", N(2102));
    event(&r, 2100, 43, 0, "pp4ppp444", N(0xc1), N(0xb1), N(3), N(0), N(0x55), N(0x56), N(0), N(0),
          N(1));
    event(&r, 2200, 178, 1, "p448444pp8", N(0xc1), N(0), N(5), N(512), N(0), N(0), N(0), N(0xb1),
          N(0), N(0));
    event(&r, 2300, 106, 0, "4", N(2102));
    event(&r, 2400, 245, 2, "p444p8p", N(0xc1), N(6), N(0), N(1), N(0xe1), N(8), N(0));
    event(&r, 2410, 245, 2, "p444p8p", N(0xc2), N(1), N(0), N(1), N(0xe1), N(8), N(0));
    event(&r, 5000, 105, 0, "4", N(2003));
    created(&r, 5100, 33, 0x91, 8192);
    created(&r, 5120, 33, 0x92, 16384); /* in the same call */
    opened(&r, 5150, 36, 0x81, 0x91);
    event(&r, 5200, 106, 0, "4", N(2003));
    event(&r, 5300, 338, 0, "pp44", N(0xf0), N(0), N(1), N(0));
    event(&r, 5310, 322, 1, "ppp84p4", N(0xd0), N(0xf0), N(0), N(9), N(206), N(0x81), N(0));
    event(&r, 5320, 320, 0, "p4", N(0x81), N(1));
    event(&r, 5400, 339, 0, "488", N(0x103), N(0), N(3));
    event(&r, 6000, 39, 0, "p", N(0x81));
    created(&r, 7000, 33, 0x91, 4096); /* the same handle again */
    event(&r, 7100, 60000, 0, "4", N(0));
    event(&r, 7200, 39, 200, "p", N(0x81)); /* a version from the future */
    end_buffer(&r, 0, 0, false);
    return r;
}

struct read {
    struct trace_header header;
    struct trace_event *events[64];
    size_t count;
    size_t bad;
    char message[512];
    double records, lost, buffers_lost, unknown, undecodable;
};

/* Reads a whole file from memory; false if it does not open. */
static bool read_all(const void *bytes, size_t length, struct read *read)
{
    *read = (struct read){0};
    struct trace_error error = {0};
    struct trace_input *input;
    const struct trace_open_options options = {.unknown_size = 1000};
    void *state;
    struct trace_event next;
    enum trace_result result;
    assert_true(trace_input_from_memory(bytes, length, "made-up.etl", &input, &error));
    if (!trace_format_etl.open(input, &options, &state, &read->header, &error)) {
        snprintf(read->message, sizeof read->message, "%s", error.message);
        return false;
    }
    while ((result = trace_format_etl.next(state, &next, &error)) != TRACE_END) {
        assert_non_null(trace_format_etl.place(state));
        if (result == TRACE_BAD) {
            assert_true(error.skippable);
            read->bad++;
            snprintf(read->message, sizeof read->message, "%s", error.message);
        } else if (read->count < 64) {
            read->events[read->count++] = trace_event_copy(&next);
        }
    }
    size_t count;
    const struct trace_fact *facts = trace_format_etl.facts(state, &count);
    read->records = fact(facts, count, "records");
    read->lost = fact(facts, count, "events-lost");
    read->buffers_lost = fact(facts, count, "buffers-lost");
    read->unknown = fact(facts, count, "unknown-ids");
    read->undecodable = fact(facts, count, "undecodable");
    trace_format_etl.close(state);
    return true;
}

static void free_read(struct read *read)
{
    for (size_t i = 0; i < read->count; i++)
        free(read->events[i]);
}

static const struct trace_event *find(const struct read *read, enum trace_op op, size_t which)
{
    for (size_t i = 0; i < read->count; i++)
        if (read->events[i]->op == op && which-- == 0)
            return read->events[i];
    fail_msg("no such event");
    return NULL;
}

/* Stamp to ns since the first DxgKrnl event. */
static uint64_t ns(unsigned clock, uint64_t stamp)
{
    uint64_t hz = clock == 1 ? qpc_hz : clock == 2 ? 10000000 : UINT64_C(3600000000);
    return (stamp - 1000) * 1000000000 / hz;
}

static void check_sample(unsigned pointer, unsigned clock, bool compressed)
{
    struct recording recording = sample(pointer, clock, compressed);
    struct read read;
    assert_true(read_all(recording.file.bytes, recording.file.length, &read));
    assert_int_equal(read.bad, 0);
    assert_true(read.records == 32 && read.lost == 3 && read.buffers_lost == 1);
    assert_true(read.unknown == 1 && read.undecodable == 1);
    assert_true(read.header.create_unknown);
    assert_int_equal(read.header.unknown_size, 1000);
    assert_int_equal(read.header.residency, TRACE_RESIDENCY_EXPLICIT);

    const struct trace_event *e = find(&read, TRACE_CREATE_DEVICE, 0);
    assert_string_equal(e->device.text, "0xd0");
    assert_int_equal(e->pid, 40);
    e = find(&read, TRACE_CREATE_CONTEXT, 0);
    assert_string_equal(e->device.text, "0xd0");
    e = find(&read, TRACE_CREATE_CONTEXT, 1);
    assert_string_equal(e->context.text, "0xc1");
    assert_int_equal(e->node.number, 3);
    e = find(&read, TRACE_SIGNAL, 0); /* what the fence had reached */
    assert_int_equal(e->t_ns, 0);
    assert_int_equal(e->value, 7);

    e = find(&read, TRACE_SUBMIT, 0);
    assert_int_equal(e->t_ns, ns(clock, 2200));
    assert_int_equal(e->gpu_ns,
                     ns(clock, 3600) - ns(clock, 2600) + ns(clock, 4000) - ns(clock, 3700));
    assert_int_equal(e->done_ns, ns(clock, 4100));
    assert_int_equal(e->dur_ns, ns(clock, 2300) - ns(clock, 2000));
    assert_int_equal(e->bytes, 512);
    assert_int_equal(e->allocations.count, 1);
    assert_string_equal(e->allocations.items[0].text, "0x55");
    assert_int_equal(e->writes.count, 1);
    assert_string_equal(e->writes.items[0].text, "0x56");

    e = find(&read, TRACE_SIGNAL, 1); /* one broadcast of two packets */
    assert_int_equal(e->contexts.count, 2);
    assert_int_equal(e->value, 8);
    assert_int_equal(e->done_ns, ns(clock, 4300));
    e = find(&read, TRACE_WAIT, 0);
    assert_string_equal(e->fence.text, "0xe1");
    assert_int_equal(e->value, 4);
    assert_false(trace_given(e->given, TRACE_DONE));

    e = find(&read, TRACE_CREATE_ALLOCATION, 0);
    assert_int_equal(e->t_ns, ns(clock, 5000));
    assert_int_equal(e->dur_ns, ns(clock, 5200) - ns(clock, 5000));
    assert_int_equal(e->creations.count, 2);
    assert_string_equal(e->creations.items[1].allocation.text, "0x92");
    const struct trace_allocation *a = e->creations.items;
    assert_string_equal(a->allocation.text, "0x91");
    assert_int_equal(a->size, 8192);
    /* Set 1 to 3, preferred 2 then 1, evicted through 4: an eviction set holds apertures only, so
     * 4 is one, and the others are local memory. Each kind is named once. */
    assert_int_equal(a->segments.count, 1);
    assert_string_equal(a->segments.items[0].text, "local");
    assert_int_equal(a->preferred.count, 1);
    assert_string_equal(a->preferred.items[0].text, "local");
    assert_string_equal(a->eviction_segments.items[0].text, "aperture");
    assert_int_equal(a->kmd_flags, 5);
    assert_int_equal(a->priority, 0x78000000);

    e = find(&read, TRACE_MAKE_RESIDENT, 0);
    assert_int_equal(e->t_ns, ns(clock, 5300));
    assert_int_equal(e->status, 0x103);
    assert_int_equal(e->done_ns, ns(clock, 5800));
    assert_string_equal(e->allocations.items[0].text, "0x91");
    e = find(&read, TRACE_OBSERVE_TRANSFER, 0);
    assert_int_equal(e->bytes, 8192);
    assert_string_equal(e->to.text, "local");
    e = find(&read, TRACE_DESTROY_ALLOCATION, 0);
    assert_string_equal(e->allocations.items[0].text, "0x91");
    assert_int_equal(e->done_ns, ns(clock, 6600));
    e = find(&read, TRACE_CREATE_ALLOCATION, 1);
    assert_string_equal(e->creations.items[0].allocation.text, "0x91#2");
    for (size_t i = 1; i < read.count; i++)
        assert_true(read.events[i]->t_ns >= read.events[i - 1]->t_ns);
    free_read(&read);
    trace_buffer_free(&recording.records);
    trace_buffer_free(&recording.file);
}

static void test_made_up_recordings(void **state)
{
    (void)state;
    for (unsigned clock = 1; clock <= 3; clock++) {
        check_sample(4, clock, false);
        check_sample(8, clock, true);
    }
}

/* A recording with a rundown: what it lists exists, and is resident, from the start. */
static void test_rundown(void **state)
{
    (void)state;
    struct recording r = start_recording(8, 1);
    event(&r, 1000, 274, 0, "p48", N(0xa0), N(2), N(100000));
    event(&r, 1100, 29, 0, "pp4p44", N(40), N(0xa0), N(1), N(0xd0), N(0), N(0));
    event(&r, 1200, 32, 0, "p44444444ppp", N(0xd0), N(6), N(0), N(0), N(0), N(0), N(0), N(0), N(0),
          N(0xc1), N(0), N(0));
    created(&r, 1300, 35, 0x91, 8192);
    opened(&r, 1400, 38, 0x81, 0x91);
    event(&r, 1500, 227, 0, "p48", N(0x91), N(2), N(0));
    event(&r, 1600, 340, 0, "p444", N(0x81), N(0), N(0), N(0));
    event(&r, 1700, 178, 0, "p448444p", N(0xc1), N(0), N(5), N(512), N(0), N(0), N(0), N(0));
    end_buffer(&r, 0, 0, false);
    struct read read;
    assert_true(read_all(r.file.bytes, r.file.length, &read));
    const struct trace_event *e = find(&read, TRACE_CREATE_ALLOCATION, 0);
    assert_int_equal(e->t_ns, 0);
    assert_string_equal(e->device.text, "0xd0");
    assert_true(e->existing);
    e = find(&read, TRACE_CREATE_ALLOCATION, 1); /* the rest of the segment */
    assert_string_equal(e->creations.items[0].allocation.text, "background-2");
    assert_int_equal(e->creations.items[0].size, 100000 - 8192);
    e = find(&read, TRACE_MAKE_RESIDENT, 0);
    assert_string_equal(e->allocations.items[0].text, "0x91");
    e = find(&read, TRACE_LOCK, 0);
    assert_string_equal(e->allocation.text, "0x91");
    e = find(&read, TRACE_CREATE_CONTEXT, 0);
    assert_int_equal(e->node.number, 6);
    assert_string_equal(e->device.text, "0xd0");
    free_read(&read);
    trace_buffer_free(&r.records);
    trace_buffer_free(&r.file);
}

/* An allocation of 0 bytes cannot be: it counts as one whose creation was not recorded. */
static void test_no_size(void **state)
{
    (void)state;
    struct recording r = start_recording(8, 1);
    created(&r, 1000, 33, 0x91, 0);
    opened(&r, 1100, 36, 0x81, 0x91);
    event(&r, 1200, 340, 0, "p444", N(0x81), N(0), N(0), N(0));
    end_buffer(&r, 0, 0, false);
    struct read read;
    assert_true(read_all(r.file.bytes, r.file.length, &read));
    assert_int_equal(read.undecodable, 1);
    assert_string_equal(find(&read, TRACE_LOCK, 0)->allocation.text, "0x91");
    for (size_t i = 0; i < read.count; i++)
        assert_int_not_equal(read.events[i]->op, TRACE_CREATE_ALLOCATION);
    free_read(&read);
    trace_buffer_free(&r.records);
    trace_buffer_free(&r.file);
}

/* Cut at every byte: what is whole is read, and the end is told with its place. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    struct recording recording = sample(8, 1, true);
    size_t opened_at = 0;
    for (size_t length = 0; length < recording.file.length; length++) {
        struct read read;
        if (!read_all(recording.file.bytes, length, &read)) {
            assert_int_equal(opened_at, 0);
            assert_non_null(strstr(read.message, "made-up.etl"));
            continue;
        }
        if (opened_at == 0)
            opened_at = length;
        bool between = read.bad == 0; /* two buffers: only their border is no cut */
        assert_true(read.bad <= 1);
        if (!between)
            assert_non_null(strstr(read.message, "offset "));
        free_read(&read);
    }
    assert_true(opened_at > 72);
    struct read read;
    assert_true(read_all(recording.file.bytes, recording.file.length - 1000, &read));
    assert_non_null(strstr(read.message, "it was cut off"));
    free_read(&read);
    trace_buffer_free(&recording.records);
    trace_buffer_free(&recording.file);
}

/* Every byte changed in several ways, and every 32-bit word made huge: no more than an error. */
static void test_damaged_anywhere(void **state)
{
    (void)state;
    static const unsigned char changes[] = {0x01, 0x80, 0xff};
    struct recording recording = sample(8, 1, true);
    unsigned char *bytes = recording.file.bytes;
    for (size_t i = 0; i < recording.file.length; i++) {
        struct read read;
        unsigned char before[4] = {bytes[i]};
        for (size_t change = 0; change < sizeof changes; change++) {
            bytes[i] ^= changes[change];
            read_all(bytes, recording.file.length, &read);
            free_read(&read);
            bytes[i] = before[0];
        }
        if (i % 4 != 0 || i + 4 > recording.file.length)
            continue;
        memcpy(before, bytes + i, 4);
        memset(bytes + i, 0xff, 4);
        bytes[i + 3] = 0x7f;
        read_all(bytes, recording.file.length, &read);
        free_read(&read);
        memcpy(bytes + i, before, 4);
    }
    trace_buffer_free(&recording.records);
    trace_buffer_free(&recording.file);
}

static void test_not_a_recording(void **state)
{
    (void)state;
    struct read read;
    struct recording recording = sample(8, 1, false);
    assert_true(trace_format_etl.detect(recording.file.bytes, recording.file.length));
    assert_false(trace_format_etl.detect(recording.file.bytes, 79));
    assert_false(trace_format_etl.detect((const unsigned char *)"{\"wddmsim\":1}\n", 14));
    assert_false(read_all("", 0, &read));
    assert_false(read_all(recording.file.bytes + 72, recording.file.length - 72, &read));
    trace_buffer_free(&recording.records);
    trace_buffer_free(&recording.file);
}

/* The recording cut at many places: slow under sanitizers, so the step is coarse. */
static void test_recording_cut(void **state)
{
    (void)state;
    char path[4096];
    struct trace_error error = {0};
    struct trace_input *input;
    assert_true(
        trace_input_open(recorded("windows-etl", steamvr, path, sizeof path), &input, &error));
    size_t length = 0, got;
    enum { ROOM = 24 << 20 };
    const char *wanted = getenv("WDDMSIM_CUT_STEP"); /* 4096 takes minutes */
    size_t step = wanted != NULL ? strtoul(wanted, NULL, 10) : 3 * 1000 * 1000;
    assert_true(step > 0);
    unsigned char *bytes = malloc(ROOM);
    assert_non_null(bytes);
    while (trace_input_read(input, bytes + length, ROOM - length, &got, &error) && got > 0)
        length += got;
    trace_input_close(input);
    double before = 0;
    for (size_t cut = step; cut < length; cut += step) {
        struct read read;
        /* The file's memory ends where it is cut: a byte read too many is seen by ASan. */
        unsigned char *part = malloc(cut);
        assert_non_null(part);
        memcpy(part, bytes, cut);
        assert_true(read_all(part, cut, &read));
        assert_in_range(read.bad, 0, 1);
        if (read.bad) /* else it was cut behind a whole buffer */
            assert_non_null(strstr(read.message, "it was cut off"));
        assert_true(read.records >= before);
        before = read.records;
        free_read(&read);
        free(part);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xpress),
        cmocka_unit_test(test_made_up_recordings),
        cmocka_unit_test(test_rundown),
        cmocka_unit_test(test_no_size),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_damaged_anywhere),
        cmocka_unit_test(test_not_a_recording),
        cmocka_unit_test(test_counts_of_the_recording),
        cmocka_unit_test(test_times_of_the_recording),
        cmocka_unit_test(test_events_of_the_recording),
        cmocka_unit_test(test_recorded_compressed_buffer),
        cmocka_unit_test(test_recording_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
