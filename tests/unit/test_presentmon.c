/* PresentMon: recordings of three programs in the three generations of its columns, and rows by
 * hand. */
#include "traces/reader.h"
#include "traces/vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/imported.h"
#include "tests/unit/recorded.h"

extern const struct trace_format trace_format_presentmon;

static void read_recorded(const char *name, size_t rows, size_t packets, size_t undisplayed,
                          size_t chains, double median_busy_ns)
{
    const struct expected_fact facts[] = {
        {"rows", (double)rows},
        {"presents", (double)rows},
        {"packets", (double)packets},
        {"presents-not-displayed", (double)undisplayed},
        {"undecodable", 0},
        {"frames-generated", 0},
        {"swap-chains", (double)chains},
        {"gpu-busy-median-ns", median_busy_ns},
    };
    char path[4096];
    struct trace_error error = {0};
    struct trace_reader *reader;
    size_t counts[TRACE_OPS];
    if (!trace_open(recorded("presentmon-csv", name, path, sizeof path), NULL, &reader, &error))
        fail_msg("%s", error.message);
    assert_string_equal(trace_reader_format(reader), "presentmon");
    assert_facts(reader, facts, sizeof facts / sizeof *facts);
    count_events(reader, counts);
    assert_int_equal(counts[TRACE_PRESENT], rows);
    assert_int_equal(counts[TRACE_SUBMIT], packets);
    assert_int_equal(counts[TRACE_CREATE_CONTEXT], chains);
    trace_close(reader);
}

/* Figures of a script of its own: rows, those with GPU time, those never displayed, chains, median
 * GPU time. The oldest generation keeps the first present of
 * each chain, which has no one before it. */
static void test_recordings(void **state)
{
    (void)state;
    read_recorded("case0.csv", 357, 356, 8, 10, 223500);
    read_recorded("case0_v2.csv", 357, 356, 8, 10, 223500);
    read_recorded("case0_v1.csv", 368, 366, 9, 10, 223750);
    read_recorded("case1.csv", 50, 50, 3, 4, 176550);
    read_recorded("case1_v2.csv", 50, 50, 3, 4, 176550);
    read_recorded("case1_v1.csv", 56, 56, 3, 6, 189000);
    read_recorded("case2.csv", 93, 92, 2, 4, 709600);
    read_recorded("case2_v2.csv", 93, 92, 2, 4, 709600);
    read_recorded("case2_v1.csv", 97, 95, 2, 4, 694300);
}

/* The same two frames in each generation. The first present is called at 100 ms and takes 0.5 ms,
 * its image is seen 16 ms later; the GPU works from 92 ms on for 9 ms in all, up to 102 ms. The
 * second one is called at 116 ms, its GPU time is 95 % gaps: it works 1 ms, and ends at 112 ms; the
 * image is never seen. t 0 is the first packet: at 93 ms, so that 9 ms end at 102 ms. */
static const char expected[] =
    "{\"t\":0,\"pid\":7,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"pid "
    "7\",\"existing\":true}\n"
    "{\"t\":0,\"pid\":7,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"a b.exe 7 "
    "0xab\",\"device\":\"pid 7\",\"node\":\"3d\",\"existing\":true}\n"
    "{\"t\":0,\"pid\":7,\"tid\":0,\"op\":\"Submit\",\"context\":\"a b.exe 7 "
    "0xab\",\"gpu\":9000000,\"done\":9000000}\n"
    "{\"t\":7000000,\"pid\":7,\"tid\":0,\"op\":\"Present\",\"context\":\"a b.exe 7 "
    "0xab\",\"interval\":1,\"dur\":500000,\"done\":23000000}\n"
    "{\"t\":18000000,\"pid\":7,\"tid\":0,\"op\":\"Submit\",\"context\":\"a b.exe 7 "
    "0xab\",\"gpu\":1000000,\"done\":19000000}\n"
    "{\"t\":23000000,\"pid\":7,\"tid\":0,\"op\":\"Present\",\"context\":\"a b.exe 7 "
    "0xab\",\"interval\":1,\"dur\":250000}\n";

static const char oldest[] =
    "\xef\xbb\xbf"
    "Application,ProcessID,SwapChainAddress,Runtime,SyncInterval,PresentFlags,Dropped,"
    "TimeInSeconds,msInPresentAPI,msBetweenPresents,AllowsTearing,PresentMode,"
    "msUntilRenderComplete,msUntilDisplayed,msBetweenDisplayChange,msFlipDelay,"
    "msUntilRenderStart,msGPUActive,msGPUVideoActive,msSinceInput,QPCTime\r\n"
    "a b.exe,7,0xAB,DXGI,1,0,0,0.1,0.5,16,0,Composed: Flip,2,16,16,0,-8,9,0,0,1000\r\n"
    "a b.exe,7,0xAB,DXGI,1,0,1,0.116,0.25,16,0,Composed: Flip,-4,0,0,0,-23,1,0,0,1160\r\n";

/* Programs began with the frames at 90 and 100.5 ms, on a counter of 3.119142 MHz. */
static const char second[] =
    "Application,ProcessID,SwapChainAddress,PresentRuntime,SyncInterval,PresentFlags,"
    "AllowsTearing,PresentMode,FrameType,CPUStartQPC,FrameTime,CPUBusy,CPUWait,GPULatency,GPUTime,"
    "GPUBusy,GPUWait,VideoBusy,DisplayLatency,DisplayedTime\n"
    "a b.exe,7,0xAB,DXGI,1,0,0,Composed: Flip,Application,280722780,10.5,10,0.5,2,10,9,1,0,26,16\n"
    "a b.exe,7,0xAB,DXGI,1,0,0,Composed: "
    "Flip,Application,280755531,16,15.5,0.25,-7.5,19,1,18,0,NA,NA\n";

static const char newest[] =
    "Application,ProcessID,SwapChainAddress,PresentRuntime,SyncInterval,PresentFlags,"
    "AllowsTearing,PresentMode,FrameType,TimeInMs,MsBetweenPresents,MsInPresentAPI,"
    "MsRenderPresentLatency,MsUntilDisplayed,MsBetweenAppStart,MsCPUBusy,MsCPUWait,MsGPULatency,"
    "MsGPUTime,MsGPUBusy,MsGPUWait\n"
    "a b.exe,7,0xAB,DXGI,1,0,0,Composed: Flip,Application,100,NA,0.5,2,16,10.5,10,0.5,2,10,9,1\n"
    "a b.exe,7,0xAB,DXGI,1,0,0,Composed: Flip,Intel_XEFG,108,NA,0.5,2,16,10.5,10,0.5,2,10,9,1\n"
    "a b.exe,7,0xAB,DXGI,1,0,0,Composed: "
    "Flip,Application,116,16,0.25,-4,NA,16,15.5,0.25,-7.5,19,1,18\n"
    "a b.exe,7,0xAB,DXGI,1,0\n"
    "a b.exe,NA,0xAB,DXGI,1,0,0,Composed: "
    "Flip,Application,116,16,0.25,-4,NA,16,15.5,0.25,-7.5,19,1,18\n";

static void test_oldest(void **state)
{
    (void)state;
    struct imported imported;
    assert_true(trace_format_presentmon.detect((const unsigned char *)oldest, strlen(oldest)));
    import_text(&imported, &trace_format_presentmon, oldest);
    assert_lines(&imported, expected);
    assert_int_equal((int)imported_fact(&imported, "presents-not-displayed"), 1);
    imported_free(&imported);
}

static void test_newest(void **state)
{
    (void)state;
    struct imported imported;
    assert_true(trace_format_presentmon.detect((const unsigned char *)newest, strlen(newest)));
    import_text(&imported, &trace_format_presentmon, newest);
    assert_lines(&imported, expected);
    assert_int_equal((int)imported_fact(&imported, "frames-generated"), 1);
    assert_int_equal((int)imported_fact(&imported, "undecodable"), 2);
    imported_free(&imported);
}

/* Dates of 31 years and of 317, in seconds: the latter are damage, not a time in ns that wraps. */
static void test_far(void **state)
{
    (void)state;
    struct imported imported;
    import_text(&imported, &trace_format_presentmon,
                "Application,ProcessID,SwapChainAddress,Runtime,SyncInterval,PresentFlags,Dropped,"
                "TimeInSeconds,msInPresentAPI,msBetweenPresents\n"
                "a,7,0xAB,DXGI,1,0,0,999999999,0.5,0\n"
                "a,7,0xAB,DXGI,1,0,0,9999999999,0.5,1\n"
                "a,7,0xAB,DXGI,1,0,0,-9999999999,0.5,1\n");
    assert_int_equal((int)imported_fact(&imported, "presents"), 1);
    assert_int_equal((int)imported_fact(&imported, "undecodable"), 2);
    imported_free(&imported);
}

/* 32,751 ticks in 10.5 ms: 3.119142857 MHz, which a whole number of Hz is off by 0.3 ppm. A date is
 * rounded to a tick, and all of them are 90 s from the counter's zero: they move together. */
static void test_ticks(void **state)
{
    (void)state;
    struct imported imported;
    import_text(&imported, &trace_format_presentmon, second);
    assert_int_equal((int)imported_fact(&imported, "ticks-per-second"), 3119143);
    assert_int_equal((int)imported_fact(&imported, "ticks-assumed"), 0);
    struct trace_input *input;
    struct trace_error error;
    imported_free(&imported);

    void *reader;
    struct trace_header header = {0};
    struct trace_event event;
    const struct trace_open_options options = {0};
    static const uint64_t dates[] = {0, 0, 0, 7000000, 18000000, 23000000};
    assert_true(trace_input_from_memory(second, strlen(second), "t", &input, &error));
    assert_true(trace_format_presentmon.open(input, &options, &reader, &header, &error));
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        assert_int_equal(trace_format_presentmon.next(reader, &event, &error), TRACE_EVENT);
        assert_true(event.t_ns + 321 > dates[i] && event.t_ns < dates[i] + 321); /* one tick */
    }
    assert_int_equal(trace_format_presentmon.next(reader, &event, &error), TRACE_END);
    trace_format_presentmon.close(reader);
}

static void test_refused(void **state)
{
    (void)state;
    static const char empty[] = "Application,ProcessID,SwapChainAddress,TimeInSeconds\n",
                      useless[] = "Application,ProcessID,SwapChainAddress,TimeInSeconds\n"
                                  "a,7,0x0,NA\n";
    assert_refused(&trace_format_presentmon, empty, strlen(empty), "holds no presents: 0 rows");
    assert_refused(&trace_format_presentmon, useless, strlen(useless),
                   "holds no presents: 1 rows, 1 of them without process or time");
    assert_false(
        trace_format_presentmon.detect((const unsigned char *)"Application,ProcessID\n", 22));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recordings), cmocka_unit_test(test_oldest),
        cmocka_unit_test(test_newest),     cmocka_unit_test(test_far),
        cmocka_unit_test(test_ticks),      cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
