/* PyTorch profiler recordings: the figures known of real ones, recordings made up here whose
 * events were worked out by hand, and damage. */
#include "traces/reader.h"
#include "traces/vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/imported.h"
#include "tests/unit/recorded.h"

extern const struct trace_format trace_format_kineto;

/* The real recordings */

static void test_recording_with_memory(void **state)
{
    (void)state;
    /* 28,010 events of memory, 14,005 of each kind: 1,240 are the processor's. */
    static const struct expected_fact facts[] = {
        {"memory-events", 28010},
        {"cpu-memory-events", 1240},
        {"allocations", 14005 - 620},
        {"frees", 14005 - 620},
        {"allocations-left", 0},
        {"frees-unknown", 0},
        {"allocations-replaced", 0},
        {"kernels", 19370},
        {"fills", 880},
        {"copies", 2040},
        {"copies-device-to-device", 2040},
        {"work-unlaunched", 0},
        {"undecodable", 0},
        /* The allocator's own account, at its highest: what was there before and what was taken. */
        {"allocator-allocated-bytes", 6629508096},
        {"background-bytes", 6629508096 - 2532893696},
        {"allocations-most-bytes", 2532893696},
        {"gpu-memory-bytes", 34089730048},
    };
    static const size_t events[TRACE_OPS] = {
        [TRACE_CREATE_DEVICE] = 1,
        [TRACE_CREATE_CONTEXT] = 2,
        [TRACE_CREATE_ALLOCATION] = 13385 + 1,
        [TRACE_DESTROY_ALLOCATION] = 13385,
        [TRACE_SUBMIT] = 19370 + 880 + 2040,
        [TRACE_OBSERVE_TRANSFER] = 880 + 2040,
        [TRACE_SIGNAL] = 2, /* the one wait for the device, on two streams */
        [TRACE_WAIT] = 2,
    };
    assert_recording("kineto-json", "training-with-memory-events.json.gz", NULL, "kineto", facts,
                     sizeof facts / sizeof *facts, events);
}

static void test_recording_of_pageable_copies(void **state)
{
    (void)state;
    static const struct expected_fact facts[] = {
        {"kernels", 6080},
        {"copies-pinned-to-device", 35},
        {"copies-pinned-to-device-bytes", 253534084}, /* 254 MB in 21.1 ms */
        {"copies-pinned-to-device-ns", 21073000},
        {"copies-pageable-to-device", 45},
        {"copies-device-to-pageable", 30},
        {"copies-device-to-device", 1280},
        {"memory-events", 0},
    };
    static const size_t events[TRACE_OPS] = {
        [TRACE_CREATE_DEVICE] = 1,
        [TRACE_CREATE_CONTEXT] = 8,
        [TRACE_SUBMIT] = 6080 + 277 + 35 + 45 + 30 + 1280,
        [TRACE_OBSERVE_TRANSFER] = 277 + 35 + 45 + 30 + 1280,
        [TRACE_SIGNAL] = 84 + 80,
        [TRACE_WAIT] = 84 + 80,
    };
    assert_recording("kineto-json", "training-h2d-d2h-rank0of16.json.gz", NULL, "kineto", facts,
                     sizeof facts / sizeof *facts, events);
}

static void test_recording_of_pinned_copies(void **state)
{
    (void)state;
    static const struct expected_fact facts[] = {
        {"kernels", 8568},
        {"copies-pinned-to-device", 150},
        {"copies-pinned-to-device-bytes", 423923260}, /* 424 MB in 50.7 ms */
        {"copies-pinned-to-device-ns", 50656000},
        {"copies-device-to-pageable", 60},
        {"copies-device-to-device", 18},
        {"work-unlaunched", 0},
    };
    static const size_t events[TRACE_OPS] = {
        [TRACE_CREATE_DEVICE] = 1,
        [TRACE_CREATE_CONTEXT] = 6,
        [TRACE_SUBMIT] = 8568 + 654 + 150 + 60 + 18,
        [TRACE_OBSERVE_TRANSFER] = 654 + 150 + 60 + 18,
        [TRACE_SIGNAL] = 131 + 63,
        [TRACE_WAIT] = 131 + 63,
    };
    assert_recording("kineto-json", "training-pinned-h2d-rank3of8.json.gz", NULL, "kineto", facts,
                     sizeof facts / sizeof *facts, events);
}

/* Recordings made up */

/* A launch and its kernel stand far apart and in the wrong order; the kernel of another stream
 * begins while the first one runs and counts from its end; a copy in follows on the first stream,
 * so the copy engine waits for the 3D engine; then the thread waits for the copy. Times are in
 * microseconds, with fractions, and t 0 is the first launch. */
static void test_work(void **state)
{
    (void)state;
    static const char text[] =
        "{\"schemaVersion\":1,\"deviceProperties\":[{\"id\":0,\"name\":\"Made Up\"}],"
        "\"traceEvents\":[\n"
        "{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"b\",\"pid\":0,\"tid\":9,\"ts\":1012,\"dur\":"
        "10,\"args\":{\"device\":0,\"context\":1,\"stream\":9,\"correlation\":12}},\n"
        "{\"args\":{\"correlation\":11,\"stream\":7,\"device\":0,\"context\":1},\"dur\":9.5,\"ts\":"
        "1005.25,\"name\":\"a\",\"cat\":\"kernel\",\"ph\":\"X\"},\n"
        "{\"ph\":\"X\",\"cat\":\"gpu_memcpy\",\"name\":\"Memcpy HtoD (Pinned -> Device)\",\"ts\":"
        "1030,\"dur\":4,\"args\":{\"device\":0,\"context\":1,\"stream\":7,\"correlation\":13,"
        "\"bytes\":40960}},\n"
        "{\"ph\":\"X\",\"cat\":\"cuda_runtime\",\"name\":\"cudaLaunchKernel\",\"pid\":50,\"tid\":"
        "51,\"ts\":1000,\"dur\":3,\"args\":{\"correlation\":11}},\n"
        "{\"ph\":\"X\",\"cat\":\"cuda_runtime\",\"name\":\"cudaLaunchKernel\",\"pid\":50,\"tid\":"
        "52,\"ts\":1001,\"dur\":2,\"args\":{\"correlation\":12}},\n"
        "{\"ph\":\"X\",\"cat\":\"cuda_runtime\",\"name\":\"cudaMemcpyAsync\",\"pid\":50,\"tid\":"
        "51,\"ts\":1004,\"dur\":5,\"args\":{\"correlation\":13}},\n"
        "{\"ph\":\"X\",\"cat\":\"cuda_runtime\",\"name\":\"cudaStreamSynchronize\",\"pid\":50,"
        "\"tid\":51,\"ts\":1010,\"dur\":24,\"args\":{\"correlation\":14}},\n"
        "{\"ph\":\"X\",\"cat\":\"cuda_runtime\",\"name\":\"cudaStreamSynchronize\",\"pid\":50,"
        "\"tid\":51,\"ts\":1040,\"dur\":1,\"args\":{\"correlation\":15}},\n"
        "{\"ph\":\"X\",\"cat\":\"cpu_op\",\"name\":\"aten::add\",\"pid\":50,\"tid\":51,\"ts\":1,"
        "\"dur\":1},\n"
        "{\"ph\":\"s\",\"id\":11,\"ts\":1000,\"cat\":\"ac2g\",\"name\":\"ac2g\"}\n"
        "]}\n";
    static const char expected[] =
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"gpu "
        "0\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"gpu 0 stream "
        "7\",\"device\":"
        "\"gpu 0\",\"node\":\"compute\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"gpu 0 stream 7 "
        "copies in\","
        "\"device\":\"gpu 0\",\"node\":\"copy\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"gpu 0 stream "
        "9\",\"device\":"
        "\"gpu 0\",\"node\":\"compute\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":50,\"tid\":51,\"op\":\"Submit\",\"context\":\"gpu 0 stream 7\",\"gpu\":"
        "9500,\"dur\":3000,\"done\":14750}\n"
        "{\"t\":1000,\"pid\":50,\"tid\":52,\"op\":\"Submit\",\"context\":\"gpu 0 stream 9\","
        "\"gpu\":7250,\"dur\":2000,\"done\":22000}\n"
        "{\"t\":4000,\"pid\":50,\"tid\":51,\"op\":\"Signal\",\"context\":\"gpu 0 stream 7\","
        "\"fence\":\"gpu 0 stream 7 order\",\"value\":1}\n"
        "{\"t\":4000,\"pid\":50,\"tid\":51,\"op\":\"Wait\",\"context\":\"gpu 0 stream 7 copies "
        "in\",\"fence\":\"gpu 0 stream 7 order\",\"value\":1}\n"
        "{\"t\":4000,\"pid\":50,\"tid\":51,\"op\":\"Submit\",\"context\":\"gpu 0 stream 7 copies "
        "in\",\"gpu\":4000,\"dur\":5000,\"done\":34000}\n"
        "{\"t\":10000,\"pid\":50,\"tid\":51,\"op\":\"Signal\",\"context\":\"gpu 0 stream 7 copies "
        "in\",\"fence\":\"gpu 0 stream 7 order\",\"value\":2}\n"
        "{\"t\":10000,\"pid\":50,\"tid\":51,\"op\":\"Wait\",\"fence\":\"gpu 0 stream 7 order\","
        "\"value\":2,\"dur\":24000}\n"
        "{\"t\":30000,\"pid\":50,\"tid\":51,\"op\":\"ObserveTransfer\",\"bytes\":40960,\"dur\":"
        "4000,\"from\":\"system\",\"to\":\"local\",\"x-kind\":\"copy\",\"x-memory\":\"pinned\"}\n";
    struct imported imported;
    import_text(&imported, &trace_format_kineto, text);
    assert_lines(&imported, expected);
    assert_string_equal(imported.header.source, "PyTorch profiler (Kineto), Made Up");
    assert_string_equal(imported.error.message, "");
    assert_true(imported_fact(&imported, "overlapped-ns") == 2750);
    assert_true(imported_fact(&imported, "order-fences") == 1);
    assert_true(imported_fact(&imported, "waits") == 2); /* the second had nothing to wait for */
    assert_true(imported_fact(&imported, "waits-guessed") == 2);
    assert_true(imported_fact(&imported, "start-us") == 1000);
    imported_free(&imported);
}

#define KERNEL(ts, dur, stream, correlation)                                                       \
    "{\"ph\":\"X\",\"cat\":\"kernel\",\"ts\":" #ts ",\"dur\":" #dur                                \
    ",\"args\":{\"stream\":" #stream ",\"correlation\":" #correlation "}},"
#define SUBMIT(t, tid, gpu, more)                                                                  \
    "{\"t\":" #t ",\"pid\":50,\"tid\":" #tid                                                       \
    ",\"op\":\"Submit\",\"context\":\"gpu 0 stream 7\",\"gpu\":" #gpu more "}\n"

/* The recording begins in the middle: what runs at 100 and 120 was asked for before what runs at
 * 130 and was asked for at 20. What runs last was, too, but there is nothing to tell when. One
 * launch may be of several kernels, which run in their order, not the file's. On another stream
 * nothing is known of the order. */
static void test_unlaunched(void **state)
{
    (void)state;
    static const char text[] = "[" KERNEL(131, 1, 7, 11) KERNEL(130, 1, 7, 11) KERNEL(120, 10, 7, 3)
        KERNEL(100, 20, 7, 2) KERNEL(200, 5, 7, 4)
            KERNEL(50, 1, 8, 5) "{\"ph\":\"X\",\"cat\":\"cuda_runtime\",\"name\":"
                                "\"cudaGraphLaunch\",\"pid\":50,\"tid\":"
                                "51,\"ts\":20,\"dur\":3,\"args\":{\"correlation\":11}}]";
    static const char expected[] =
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"gpu 0\","
        "\"existing\":true}\n"
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"gpu 0 stream 7\","
        "\"device\":\"gpu 0\",\"node\":\"compute\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"gpu 0 stream 8\","
        "\"device\":\"gpu 0\",\"node\":\"compute\",\"existing\":true}\n" SUBMIT(
            0, 0, 20000, ",\"done\":100000") SUBMIT(0, 0, 10000, ",\"done\":110000")
            SUBMIT(0, 51, 1000, ",\"dur\":3000,\"done\":111000")
                SUBMIT(0, 51, 1000, ",\"done\":112000") "{\"t\":30000,\"pid\":50,\"tid\":0,\"op\":"
                                                        "\"Submit\",\"context\":\"gpu 0 stream 8\","
                                                        "\"gpu\":1000,\"done\":31000}\n" SUBMIT(
                                                            180000, 0, 5000, ",\"done\":185000");
    struct imported imported;
    import_text(&imported, &trace_format_kineto, text);
    assert_lines(&imported, expected);
    assert_true(imported_fact(&imported, "work-unlaunched") == 4);
    imported_free(&imported);
}

#define MEMORY(ts, address, bytes, total)                                                          \
    "{\"ph\":\"i\",\"name\":\"[memory]\",\"pid\":5,\"tid\":6,\"ts\":" #ts                          \
    ",\"args\":{\"Device Type\":1,\"Device Id\":2,\"Addr\":" #address ",\"Bytes\":" #bytes         \
    ",\"Total Allocated\":" #total "}}"

/* The first account, 700 bytes before, is of 100 that are freed later, by their address, and of
 * 600 nobody names. What is allocated where something is lies there instead. */
static void test_memory(void **state)
{
    (void)state;
    static const char text[] = "[" MEMORY(20, 4096, -100, 900) "," MEMORY(
        10, 8192, 300,
        1000) ","
              "{\"ph\":\"i\",\"name\":\"[memory]\",\"ts\":11,\"args\":{\"Device "
              "Type\":0,\"Addr\":1,\"Bytes\":5}}," MEMORY(30, 8192, 512, 900) "," MEMORY(
                  40, 8192, -512, 700) "," MEMORY(41, 12288, 0, 700) "]";
    static const char expected[] =
        "{\"t\":0,\"pid\":5,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"gpu 2\",\"adapter\":2,"
        "\"existing\":true}\n"
        "{\"t\":0,\"pid\":5,\"tid\":0,\"op\":\"CreateAllocation\",\"device\":\"gpu "
        "2\",\"allocations\":[{"
        "\"allocation\":\"held before on gpu 2\",\"size\":600,\"usage\":\"buffer\"}],\"existing\":"
        "true}\n"
        "{\"t\":0,\"pid\":5,\"tid\":0,\"op\":\"CreateAllocation\",\"device\":\"gpu "
        "2\",\"allocations\":[{"
        "\"allocation\":\"0x1000\",\"size\":100,\"usage\":\"buffer\"}],\"existing\":true}\n"
        "{\"t\":0,\"pid\":5,\"tid\":6,\"op\":\"CreateAllocation\",\"device\":\"gpu 2\","
        "\"allocations\":[{\"allocation\":\"0x2000\",\"size\":300,\"usage\":\"buffer\"}]}\n"
        "{\"t\":10000,\"pid\":5,\"tid\":6,\"op\":\"DestroyAllocation\",\"device\":\"gpu 2\","
        "\"allocations\":[\"0x1000\"]}\n"
        "{\"t\":20000,\"pid\":5,\"tid\":6,\"op\":\"DestroyAllocation\",\"device\":\"gpu 2\","
        "\"allocations\":[\"0x2000\"]}\n"
        "{\"t\":20000,\"pid\":5,\"tid\":6,\"op\":\"CreateAllocation\",\"device\":\"gpu 2\","
        "\"allocations\":[{\"allocation\":\"0x2000\",\"size\":512,\"usage\":\"buffer\"}]}\n"
        "{\"t\":30000,\"pid\":5,\"tid\":6,\"op\":\"DestroyAllocation\",\"device\":\"gpu 2\","
        "\"allocations\":[\"0x2000\"]}\n";
    struct imported imported;
    import_text(&imported, &trace_format_kineto, text);
    assert_lines(&imported, expected);
    assert_true(imported_fact(&imported, "background-bytes") == 600);
    assert_true(imported_fact(&imported, "frees-unknown") == 1);
    assert_true(imported_fact(&imported, "allocations-replaced") == 1);
    assert_true(imported_fact(&imported, "allocations-empty") == 1);
    assert_true(imported_fact(&imported, "cpu-memory-events") == 1);
    assert_non_null(strstr(imported.header.extras, "residency only"));
    imported_free(&imported);
}

/* Entries that lack what they need are counted; the rest is read. */
static void test_undecodable(void **state)
{
    (void)state;
    static const char text[] =
        "{\"traceEvents\":[1,null,\"x\",[],{},"
        "{\"ph\":\"X\",\"cat\":\"kernel\",\"dur\":1,\"args\":{\"stream\":1}},"
        "{\"ph\":\"X\",\"cat\":\"kernel\",\"ts\":1e30,\"args\":{\"stream\":1}},"
        "{\"ph\":\"X\",\"cat\":\"kernel\",\"ts\":1,\"args\":{\"stream\":-1}},"
        "{\"ph\":\"X\",\"cat\":\"kernel\",\"ts\":4e15,\"dur\":1e15,\"args\":{\"stream\":1}},"
        "{\"ph\":\"X\",\"cat\":\"Kernel\",\"ts\":1,\"dur\":1,\"args\":{\"stream\":1}},"
        "{\"ph\":\"i\",\"name\":\"[memory]\",\"ts\":1,\"args\":{\"Device Type\":1,\"Addr\":-4,"
        "\"Bytes\":1}},"
        "{\"ph\":\"i\",\"name\":\"[memory]\",\"ts\":1,\"args\":{\"Device Type\":1,\"Addr\":4}},"
        "{\"ph\":\"i\",\"name\":\"[memory]\",\"ts\":1,\"args\":{\"Device\":1,\"Bytes\":1}}"
        "]}";
    struct imported imported;
    import_text(&imported, &trace_format_kineto, text);
    assert_true(imported_fact(&imported, "undecodable") == 6);
    assert_true(imported_fact(&imported, "kernels") == 1);
    assert_true(imported_fact(&imported, "memory-events-without-address") == 1);
    imported_free(&imported);
}

/* A file cut off anywhere gives what was whole, then one complaint that can be skipped. */
static void test_damage(void **state)
{
    (void)state;
    static const char text[] =
        "{\"traceEvents\":[{\"ph\":\"X\",\"cat\":\"kernel\",\"ts\":1,\"dur\":1,\"args\":{"
        "\"stream\":1}},{\"ph\":\"X\",\"cat\":\"kernel\",\"ts\":2,\"dur\":1,\"args\":{\"stream\":"
        "1}}]}";
    size_t length = strlen(text), first = (size_t)(strchr(text, ',') - text);
    first = (size_t)(strstr(text, "}},") - text) + 2;
    for (size_t cut = 0; cut < length; cut++) {
        struct imported imported;
        import(&imported, &trace_format_kineto, text, cut, NULL);
        if ((imported.state != NULL) != (cut >= first))
            fail_msg("cut at %zu: %s", cut, imported.error.message);
        assert_non_null(strstr(imported.error.message, "t: offset "));
        assert_non_null(strstr(imported.error.message, "the file ends in the middle"));
        assert_true(imported.error.skippable == (cut >= first));
        if (cut >= first)
            assert_int_equal(imported.events, cut >= length - 2 ? 4 : 3);
        imported_free(&imported);
    }
    assert_refused(&trace_format_kineto, "{\"traceEvents\":[]}", 18, "holds no work of a GPU");
    assert_refused(&trace_format_kineto, "{\"traceEvents\":{}}", 18, "offset 15: expected a list");
    assert_refused(&trace_format_kineto, "7", 1, "offset 0: expected an object");
}

static void test_detection(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        {"{\"traceEvents\": [", true},
        {"\n{\n  \"schemaVersion\": 1,", true},
        {"{\"otherData\":{\"a\":[1,2]},\"traceEvents\"", false}, /* cut before the colon */
        {"{\"otherData\":{\"a\":[1,2]},\"traceEvents\":", true},
        {"[{\"name\":\"x\",\"ph\":\"X\",", true},
        {"[{\"name\":\"x\"},{\"ph\":\"X\"}", false},
        {"{\"wddmsim\":1,\"source\":\"traceEvents\"}", false},
        {"{\"segments\":[]}", false},
        {"[1]", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (trace_format_kineto.detect((const unsigned char *)cases[i].text,
                                       strlen(cases[i].text)) != cases[i].is)
            fail_msg("%s", cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recording_with_memory),
        cmocka_unit_test(test_recording_of_pageable_copies),
        cmocka_unit_test(test_recording_of_pinned_copies),
        cmocka_unit_test(test_work),
        cmocka_unit_test(test_unlaunched),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_undecodable),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_detection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
