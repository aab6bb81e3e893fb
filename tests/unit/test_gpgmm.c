/* Captures of GPGMM: the figures known of real ones, and captures made up here whose events were
 * worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/imported.h"
#include "tests/unit/recorded.h"

extern const struct trace_format trace_format_gpgmm;

/* The real recordings */

static void test_recordings(void **state)
{
    (void)state;
    static const struct expected_fact superresolution[] = {
        {"resource-calls", 46},
        {"resources", 46},
        {"heaps", 10},
        {"latency-with-heap-count", 10},
        {"latency-placed-count", 36},
        {"latency-placed-min-ns", 115000},
        {"allocations", 10},
        {"frees", 10},
        {"allocations-left", 0},
        {"frees-unknown", 0},
        {"undecodable", 0},
    };
    static const size_t heaps[TRACE_OPS] = {
        [TRACE_CREATE_DEVICE] = 1,
        [TRACE_CREATE_ALLOCATION] = 10,
        [TRACE_DESTROY_ALLOCATION] = 10,
    };
    static const char name[] = "directml-superresolution.json.gz";
    assert_recording("gpgmm-json", name, NULL, "gpgmm", superresolution,
                     sizeof superresolution / sizeof *superresolution, heaps);
    static const struct expected_fact of_resources[] = {{"allocations", 46}, {"frees", 46}};
    static const size_t resources[TRACE_OPS] = {
        [TRACE_CREATE_DEVICE] = 1,
        [TRACE_CREATE_ALLOCATION] = 46,
        [TRACE_DESTROY_ALLOCATION] = 46,
    };
    assert_recording("gpgmm-json", name, "allocations=resources", "gpgmm", of_resources, 2,
                     resources);
    static const struct expected_fact resnet[] = {
        {"resource-calls", 9},
        {"heaps", 8},
        {"latency-with-heap-max-ns", 4669000},
        {"latency-placed-count", 1},
        {"allocations-left", 0},
    };
    static const size_t resnet_heaps[TRACE_OPS] = {
        [TRACE_CREATE_DEVICE] = 1,
        [TRACE_CREATE_ALLOCATION] = 8,
        [TRACE_DESTROY_ALLOCATION] = 8,
    };
    assert_recording("gpgmm-json", "webnn-resnet50v2.json.gz", NULL, "gpgmm", resnet, 5,
                     resnet_heaps);
}

/* Captures made up */

#define EVENT(name, phase, ts, more)                                                               \
    "{\"name\":\"" name "\",\"ph\":\"" phase "\",\"tid\":7,\"pid\":5,\"ts\":" #ts more "},\n"
#define ID(id) ",\"id\":\"" id "\""
#define SNAPSHOT(members) ",\"args\":{\"snapshot\":{" members "}}"
#define CREATE(ts, type, resource)                                                                 \
    EVENT("ResourceAllocator.CreateResource", "i", ts,                                             \
          ",\"args\":{\"allocationDescriptor\":{\"Flags\":0,\"HeapType\":" #type                   \
          "},\"resourceDescriptor\":{" resource "}}")
#define LATENCY(ts, us)                                                                            \
    EVENT("GPU allocation latency (us)", "C", ts, ",\"args\":{\"value\":" #us "}")
#define BUFFER "\"Dimension\":1,\"Flags\":0"
#define BEGIN                                                                                      \
    "{\"traceEvents\":[{\"name\":\"thread_name\",\"ph\":\"M\",\"args\":{\"name\":\"GPGMM_"         \
    "MainThread\"}},\n"
#define END "{}]}"

#define DEVICE                                                                                     \
    "{\"t\":0,\"pid\":5,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"gpu 0\",\"existing\":"      \
    "true}\n"
#define CREATED(t, id, size, usage, more)                                                          \
    "{\"t\":" #t ",\"pid\":5,\"tid\":7,\"op\":\"CreateAllocation\",\"device\":\"gpu 0\","          \
    "\"allocations\":[{\"allocation\":\"" id "\",\"size\":" #size ",\"usage\":\"" usage            \
    "\"}]" more "}\n"
#define DESTROYED(t, id)                                                                           \
    "{\"t\":" #t ",\"pid\":5,\"tid\":7,\"op\":\"DestroyAllocation\",\"device\":\"gpu 0\","         \
    "\"allocations\":[\"" id "\"]}\n"

/* Two resources in one heap, for upload; then one in memory of the default type. The call whose end
 * the counter tells at 150 us began 45 us before. */
/* clang-format off */
static const char capture[] =
    BEGIN
    EVENT("ResourceAllocator", "O", 90, SNAPSHOT("\"IsUMA\":1"))
    CREATE(100, 2, BUFFER)
    EVENT("Heap", "N", 120, ID("0xa0"))
    EVENT("Heap", "O", 121, ID("0xa0") SNAPSHOT("\"SizeInBytes\":4194304,\"Heap\":{"
          "\"SizeInBytes\":4194304,\"Properties\":{\"SizeInBytes\":2,\"CPUPageProperty\":0}}"))
    EVENT("ResourceAllocation", "N", 149, ID("0xb0"))
    LATENCY(150, 45)
    EVENT("ResourceAllocation", "O", 152, ID("0xb0") SNAPSHOT("\"SizeInBytes\":65536"))
    CREATE(200, 2, BUFFER)
    EVENT("ResourceAllocation", "N", 209, ID("0xb1"))
    LATENCY(210, 8)
    EVENT("ResourceAllocation", "O", 212, ID("0xb1") SNAPSHOT("\"SizeInBytes\":131072"))
    CREATE(300, 1, "\"Flags\":1,\"Dimension\":3")
    EVENT("Heap", "N", 320, ID("0xa1"))
    EVENT("Heap", "O", 321, ID("0xa1") SNAPSHOT("\"SizeInBytes\":8388608"))
    EVENT("ResourceAllocation", "N", 329, ID("0xb2"))
    LATENCY(330, 30)
    EVENT("ResourceAllocation", "O", 331, ID("0xb2") SNAPSHOT("\"SizeInBytes\":8000000"))
    EVENT("ResourceAllocation", "D", 400, ID("0xb0"))
    EVENT("ResourceAllocation", "D", 410, ID("0xb1"))
    EVENT("Heap", "D", 500, ID("0xa0"))
    EVENT("ResidencyManager.ExecuteCommandLists", "i", 510, "")
    END;
/* clang-format on */

static void test_heaps(void **state)
{
    (void)state;
    struct imported imported;
    import_text(&imported, &trace_format_gpgmm, capture);
    assert_string_equal(imported.error.message, "");
    assert_lines(&imported, DEVICE CREATED(0, "0xa0", 4194304, "upload", ",\"dur\":45000")
                                CREATED(195000, "0xa1", 8388608, "heap", ",\"dur\":30000")
                                    DESTROYED(395000, "0xa0"));
    assert_string_equal(imported.header.source, "GPGMM (D3D12), integrated GPU, heaps");
    assert_true(imported_fact(&imported, "resource-calls") == 3);
    assert_true(imported_fact(&imported, "latency-with-heap-median-ns") == 37500);
    assert_true(imported_fact(&imported, "latency-placed-max-ns") == 8000);
    assert_true(imported_fact(&imported, "command-lists") == 1);
    assert_true(imported_fact(&imported, "undecodable") == 0);
    char place[64];
    snprintf(place, sizeof place, "t: offset %td",
             strstr(capture, "{\"name\":\"Heap\",\"ph\":\"D\"") - capture);
    assert_string_equal(trace_format_gpgmm.place(imported.state), place);
    imported_free(&imported);
}

static void test_resources(void **state)
{
    (void)state;
    static const char *const setting[] = {"allocations=resources"};
    const struct trace_open_options options = {.settings = setting, .setting_count = 1};
    struct imported imported;
    import(&imported, &trace_format_gpgmm, capture, strlen(capture), &options);
    assert_lines(&imported,
                 DEVICE CREATED(0, "0xb0", 65536, "upload", ",\"dur\":45000")
                     CREATED(97000, "0xb1", 131072, "upload", ",\"dur\":8000")
                         CREATED(195000, "0xb2", 8000000, "render-target", ",\"dur\":30000")
                             DESTROYED(295000, "0xb0") DESTROYED(305000, "0xb1"));
    imported_free(&imported);
}

/* Versions differ: the process is a name, sizes have another key, the call's begin and end are
 * told instead of its latency, objects are described again and again, names begin with an I. */
static void test_versions(void **state)
{
    (void)state;
    static const char older[] =
        "{ \"traceEvents\": [{}, "
        "{\"name\":\"ResourceAllocator.CreateResource\",\"ph\":\"i\",\"tid\":7,\"ts\":10,\"pid\":"
        "\"GPGMM\",\"args\":{\"allocationDescriptor\":{\"HeapType\":3}}},"
        "{\"args\":{\"x\":[{}]},\"ts\":12,\"ph\":\"B\",\"tid\":7,\"name\":"
        "\"ResourceAllocator.CreateResource\"},"
        "{\"name\":\"IHeap\",\"ph\":\"N\",\"id\":\"0xa0\",\"tid\":7,\"ts\":20},"
        "{\"name\":\"IHeap\",\"ph\":\"O\",\"id\":\"0xa0\",\"tid\":7,\"ts\":21,\"args\":{"
        "\"snapshot\":"
        "{\"Size\":4096,\"IsResident\":0}}},"
        "{\"name\":\"IHeap\",\"ph\":\"O\",\"id\":\"0xa0\",\"tid\":7,\"ts\":22,\"args\":{"
        "\"snapshot\":"
        "{\"Size\":4097,\"IsResident\":1}}},"
        "{\"name\":\"ResourceAllocator.CreateResource\",\"ph\":\"E\",\"tid\":7,\"ts\":30},"
        "{\"name\":\"IHeap\",\"ph\":\"N\",\"id\":\"0xa1\",\"tid\":7,\"ts\":40},"
        "{\"name\":\"IHeap\",\"ph\":\"O\",\"id\":\"0xa1\",\"tid\":7,\"ts\":41,\"args\":{"
        "\"snapshot\":"
        "{\"SizeInBytes\":512,\"Heap\":{\"Properties\":{\"Type\":4,\"CPUPageProperty\":2}}}}}]}";
    struct imported imported;
    assert_true(trace_format_gpgmm.detect((const unsigned char *)older, strlen(older)));
    import_text(&imported, &trace_format_gpgmm, older);
    assert_lines(
        &imported,
        "{\"t\":0,\"pid\":0,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"gpu 0\",\"existing\":"
        "true}\n"
        "{\"t\":0,\"pid\":0,\"tid\":7,\"op\":\"CreateAllocation\",\"device\":\"gpu 0\","
        "\"allocations\":[{\"allocation\":\"0xa0\",\"size\":4096,\"usage\":\"readback\"}],\"dur\":"
        "18000}\n"
        /* made by the program itself */
        "{\"t\":28000,\"pid\":0,\"tid\":7,\"op\":\"CreateAllocation\",\"device\":\"gpu 0\","
        "\"allocations\":[{\"allocation\":\"0xa1\",\"size\":512,\"usage\":\"upload\"}]}\n");
    imported_free(&imported);
}

/* Two threads in their calls at the same time; more heaps in one call than anyone makes; a heap
 * that nobody describes; a latency and a time that cannot be. */
static void test_odd(void **state)
{
    (void)state;
    /* clang-format off */
    static const char odd[] =
        BEGIN
        CREATE(10, 1, BUFFER)
        EVENT("Heap", "N", 11, ID("0x1"))
        "{\"name\":\"ResourceAllocator.CreateResource\",\"ph\":\"i\",\"tid\":8,\"pid\":5,\"ts\":12,"
        "\"args\":{\"allocationDescriptor\":{\"HeapType\":2}}},"
        "{\"name\":\"Heap\",\"ph\":\"N\",\"tid\":8,\"pid\":5,\"ts\":13,\"id\":\"0x2\"},"
        "{\"name\":\"Heap\",\"ph\":\"O\",\"tid\":8,\"pid\":5,\"ts\":14,\"id\":\"0x2\",\"args\":{"
        "\"snapshot\":{\"SizeInBytes\":64}}},"
        EVENT("Heap", "O", 15, ID("0x1") SNAPSHOT("\"SizeInBytes\":32"))
        LATENCY(18, 8)
        "{\"name\":\"GPU allocation latency (us)\",\"ph\":\"C\",\"tid\":8,\"pid\":5,\"ts\":19,"
        "\"args\":{\"value\":7}},"
        CREATE(20, 1, BUFFER)
        EVENT("Heap", "N", 21, ID("0x3"))
        LATENCY(22, -1)
        EVENT("Heap", "N", 9e300, ID("0x4"))
        EVENT("Heap", "D", 30, ID("0x77"))
        END;
    /* clang-format on */
    struct imported imported;
    import_text(&imported, &trace_format_gpgmm, odd);
    assert_lines(
        &imported,
        DEVICE CREATED(0, "0x1", 32, "heap",
                       ",\"dur\":8000") "{\"t\":2000,\"pid\":5,\"tid\":8,\"op\":"
                                        "\"CreateAllocation\",\"device\":\"gpu 0\","
                                        "\"allocations\":[{\"allocation\":\"0x2\",\"size\":64,"
                                        "\"usage\":\"upload\"}],\"dur\":7000}\n");
    assert_true(imported_fact(&imported, "undecodable") == 3);
    assert_true(imported_fact(&imported, "frees-unknown") == 1);
    imported_free(&imported);
}

static void test_many_heaps_in_a_call(void **state)
{
    (void)state;
    struct trace_buffer text = {0};
    struct imported imported;
    char line[256];
    static const char create[] = BEGIN CREATE(10, 1, BUFFER);
    trace_buffer_put(&text, create, strlen(create));
    for (int heap = 1; heap <= 20; heap++) {
        int length = snprintf(line, sizeof line,
                              "{\"name\":\"Heap\",\"ph\":\"N\",\"tid\":7,\"ts\":%d,\"pid\":5,"
                              "\"id\":%d},{\"name\":\"Heap\",\"ph\":\"O\",\"tid\":7,\"pid\":5,"
                              "\"ts\":%d,\"id\":%d,\"args\":{\"snapshot\":{\"Size\":%d}}},",
                              10 + heap, heap, 10 + heap, heap, 100 * heap);
        trace_buffer_put(&text, line, (size_t)length);
    }
    static const char end[] = LATENCY(40, 30) END;
    trace_buffer_put(&text, end, strlen(end));
    import(&imported, &trace_format_gpgmm, text.bytes, text.length, NULL);
    assert_true(imported_fact(&imported, "allocations") == 20);
    assert_true(imported_fact(&imported, "allocations-bytes") == 100 * 210);
    assert_true(imported_fact(&imported, "latency-with-heap-count") == 1);
    imported_free(&imported);
    trace_buffer_free(&text);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const setting[] = {"allocations=pools"};
    const struct trace_open_options options = {.settings = setting, .setting_count = 1};
    struct imported imported;
    import(&imported, &trace_format_gpgmm, capture, strlen(capture), &options);
    assert_string_equal(imported.error.message,
                        "reader setting allocations: expected heaps or resources, got \"pools\"");
    assert_refused(&trace_format_gpgmm, BEGIN END, strlen(BEGIN END),
                   "holds no work of a GPU and no allocations");
    assert_refused(&trace_format_gpgmm, "[1", 2, "the file ends in the middle");
    assert_false(trace_format_gpgmm.detect((const unsigned char *)"{\"traceEvents\":[", 16));
}

/* Cut off anywhere: what is whole is read, then it is said. */
static void test_cut(void **state)
{
    (void)state;
    for (size_t length = 0; length < strlen(capture); length++) {
        struct imported imported;
        import(&imported, &trace_format_gpgmm, capture, length, NULL);
        assert_string_not_equal(imported.error.message, "");
        imported_free(&imported);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recordings), cmocka_unit_test(test_heaps),
        cmocka_unit_test(test_resources),  cmocka_unit_test(test_versions),
        cmocka_unit_test(test_odd),        cmocka_unit_test(test_many_heaps_in_a_call),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
