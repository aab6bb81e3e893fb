/* Exports of Nsight Systems: the figures known of real ones, databases made up here whose events
 * were worked out by hand, and databases that mean harm. */
#include "traces/reader.h"
#include "traces/vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/imported.h"
#include "tests/unit/make_nsight.h"
#include "tests/unit/recorded.h"

extern const struct trace_format trace_format_nsight;

/* The real recordings */

static void test_recordings(void **state)
{
    (void)state;
    static const struct expected_fact gpudb[] = {
        {"copies-pageable-to-device", 164},
        {"copies-pageable-to-device-bytes", 536962766}, /* 537 MB, 101 ms */
        {"copies-pageable-to-device-ns", 100951169},
        {"copies-device-to-pageable", 24},
        {"copies-device-to-pageable-bytes", 738663444}, /* 739 MB, 286 ms */
        {"copies-device-to-pageable-ns", 286008748},
        {"kernels", 12},
        {"fills", 16},
        {"work-unlaunched", 0},
        {"undecodable", 0},
    };
    static const size_t gpudb_events[TRACE_OPS] = {
        [TRACE_CREATE_DEVICE] = 1,
        [TRACE_CREATE_CONTEXT] = 3,
        [TRACE_SUBMIT] = 164 + 24 + 12 + 16,
        [TRACE_OBSERVE_TRANSFER] = 164 + 24 + 16,
        /* From engine to engine, copies that the call waits for, kernels that are waited for. */
        [TRACE_SIGNAL] = 31 + 188 + 12,
        [TRACE_WAIT] = 31 + 188 + 12,
    };
    assert_recording("nsys-sqlite", "gpudb-rtx6000.sqlite.gz", NULL, "nsight", gpudb,
                     sizeof gpudb / sizeof *gpudb, gpudb_events);
    static const struct expected_fact pinned[] = {
        {"copies-pinned-to-device", 8},
        {"copies-pinned-to-device-bytes", 800e6},
        {"copies-device-to-pinned", 4},
        {"copies-device-to-pinned-bytes", 400e6},
        {"kernels", 4},
        {"work-unlaunched", 0},
    };
    static const size_t pinned_events[TRACE_OPS] = {
        [TRACE_CREATE_DEVICE] = 1,  [TRACE_CREATE_CONTEXT] = 4 * 3,
        [TRACE_SUBMIT] = 8 + 4 + 4, [TRACE_OBSERVE_TRANSFER] = 8 + 4,
        [TRACE_SIGNAL] = 4 * 2 + 1, /* in, kernel, out on each stream; one wait */
        [TRACE_WAIT] = 4 * 2 + 1,
    };
    assert_recording("nsys-sqlite", "pinned-copies-rtx4060ti.sqlite.gz", NULL, "nsight", pinned,
                     sizeof pinned / sizeof *pinned, pinned_events);
    static const struct expected_fact unified[] = {
        {"migrations-in-page-fault", 24},
        {"migrations-in-speculative", 24},
        {"migrations-out-page-fault", 12},
        {"migrations-out-speculative", 12},
        {"kernels", 1},
        {"copies", 0},
    };
    static const size_t unified_events[TRACE_OPS] = {
        [TRACE_CREATE_DEVICE] = 1, [TRACE_CREATE_CONTEXT] = 1,    [TRACE_SUBMIT] = 1,
        [TRACE_SIGNAL] = 1,        [TRACE_OBSERVE_TRANSFER] = 72, [TRACE_WAIT] = 1,
    };
    assert_recording("nsys-sqlite", "unified-memory-rtx4060laptop.sqlite.gz", NULL, "nsight",
                     unified, sizeof unified / sizeof *unified, unified_events);
}

/* Databases made up */

static void import_database(struct imported *imported, const char *sql)
{
    size_t length;
    unsigned char *bytes = make_database(sql, &length);
    import(imported, &trace_format_nsight, bytes, length, NULL);
    sqlite3_free(bytes);
}

/* t 0 is 500. cudaMemcpy waits for what it launched; the fill has no launch. Pageable memory is
 * nobody's business, pinned memory is the system's. */
static void test_cuda(void **state)
{
    (void)state;
    static const char expected[] =
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"gpu 0\",\"existing\":"
        "true}\n"
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"gpu 0 stream 7\","
        "\"device\":\"gpu 0\",\"node\":\"compute\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"gpu 0 stream 7 "
        "copies "
        "out\",\"device\":\"gpu 0\",\"node\":\"copy2\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateAllocation\",\"device\":\"gpu 0\","
        "\"allocations\":[{\"allocation\":\"0x1000\",\"size\":65536,\"usage\":\"buffer\"}]}\n"
        "{\"t\":100,\"pid\":50,\"tid\":0,\"op\":\"CreateAllocation\",\"device\":\"gpu 0\","
        "\"allocations\":[{\"allocation\":\"0x2000\",\"size\":4096,\"usage\":\"upload\"}]}\n"
        "{\"t\":500,\"pid\":50,\"tid\":51,\"op\":\"Submit\",\"context\":\"gpu 0 stream 7\",\"gpu\":"
        "2000,\"dur\":400,\"done\":3000}\n"
        "{\"t\":1500,\"pid\":50,\"tid\":51,\"op\":\"Signal\",\"context\":\"gpu 0 stream 7\","
        "\"fence\":\"gpu 0 stream 7 order\",\"value\":1}\n"
        "{\"t\":1500,\"pid\":50,\"tid\":51,\"op\":\"Wait\",\"context\":\"gpu 0 stream 7 copies "
        "out\",\"fence\":\"gpu 0 stream 7 order\",\"value\":1}\n"
        "{\"t\":1500,\"pid\":50,\"tid\":51,\"op\":\"Submit\",\"context\":\"gpu 0 stream 7 copies "
        "out\",\"gpu\":4000,\"dur\":7000,\"done\":7500}\n"
        "{\"t\":1501,\"pid\":50,\"tid\":51,\"op\":\"Signal\",\"context\":\"gpu 0 stream 7 copies "
        "out\",\"fence\":\"gpu 0 stream 7 order\",\"value\":2}\n"
        "{\"t\":1501,\"pid\":50,\"tid\":51,\"op\":\"Wait\",\"fence\":\"gpu 0 stream 7 order\","
        "\"value\":2}\n"
        "{\"t\":3500,\"pid\":50,\"tid\":51,\"op\":\"ObserveTransfer\",\"bytes\":65536,\"dur\":4000,"
        "\"from\":\"local\",\"to\":\"system\",\"x-kind\":\"copy\",\"x-memory\":\"pageable\"}\n"
        "{\"t\":7600,\"pid\":50,\"tid\":0,\"op\":\"ObserveTransfer\",\"bytes\":4096,\"dur\":100,"
        "\"from\":\"system\",\"to\":\"local\",\"x-kind\":\"migration\",\"x-cause\":\"page-fault\"}"
        "\n"
        /* cudaDeviceSynchronize at 9500 finds nothing new to wait for. */
        "{\"t\":9410,\"pid\":50,\"tid\":0,\"op\":\"ObserveTransfer\",\"bytes\":256,\"dur\":10,"
        "\"from\":\"local\",\"to\":\"local\",\"x-kind\":\"fill\"}\n"
        "{\"t\":9410,\"pid\":50,\"tid\":0,\"op\":\"Signal\",\"context\":\"gpu 0 stream 7 copies "
        "out\",\"fence\":\"gpu 0 stream 7 order\",\"value\":3}\n"
        "{\"t\":9410,\"pid\":50,\"tid\":0,\"op\":\"Wait\",\"context\":\"gpu 0 stream 7\",\"fence\":"
        "\"gpu 0 stream 7 order\",\"value\":3}\n"
        "{\"t\":9410,\"pid\":50,\"tid\":0,\"op\":\"Submit\",\"context\":\"gpu 0 stream 7\",\"gpu\":"
        "10,\"done\":9420}\n"
        "{\"t\":9450,\"pid\":50,\"tid\":0,\"op\":\"DestroyAllocation\",\"device\":\"gpu 0\","
        "\"allocations\":[\"0x1000\"]}\n";
    struct imported imported;
    import_database(&imported, nsight_cuda_sample);
    assert_string_equal(imported.error.message, "");
    assert_lines(&imported, expected);
    assert_string_equal(imported.header.source, "Nsight Systems, Made Up");
    assert_true(imported_fact(&imported, "rows") == 11);
    assert_true(imported_fact(&imported, "work-unlaunched") == 1);
    assert_true(imported_fact(&imported, "undecodable") == 0);
    assert_string_equal(trace_format_nsight.place(imported.state),
                        "t: CUDA_GPU_MEMORY_USAGE_EVENTS row 4");
    imported_free(&imported);
}

/* The 3D node runs packet 5 from 200 to 290, then packet 6, handed over at 260, until 590, then the
 * rest of packet 5, handed over at 300, until 890: 90 + 300 ns and 300 ns. The pieces of 90 + 590
 * and 330 ns overlap by 30 and 290 ns. The copy runs on an engine of its own. */
static void test_wddm(void **state)
{
    (void)state;
    static const char expected[] =
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"gpu 0\",\"existing\":"
        "true}\n"
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"0xffffffffffffff91\","
        "\"device\":\"gpu 0\",\"node\":\"3d\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":50,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"0x1b58\",\"device\":"
        "\"gpu 0\",\"node\":\"copy\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":50,\"tid\":51,\"op\":\"Submit\",\"context\":\"0xffffffffffffff91\","
        "\"gpu\":390,\"bytes\":64,\"done\":800}\n"
        "{\"t\":10,\"pid\":50,\"tid\":51,\"op\":\"Submit\",\"context\":\"0xffffffffffffff91\","
        "\"gpu\":300,\"bytes\":32,\"done\":500}\n"
        "{\"t\":20,\"pid\":50,\"tid\":51,\"op\":\"Submit\",\"context\":\"0x1b58\",\"gpu\":100,"
        "\"bytes\":16,\"done\":300}\n"
        "{\"t\":350,\"pid\":50,\"tid\":0,\"op\":\"ObserveTransfer\",\"bytes\":4096,\"dur\":0,"
        "\"from\":\"local\",\"to\":\"system\",\"x-kind\":\"migration\"}\n";
    struct imported imported;
    import_database(&imported, nsight_wddm_sample);
    assert_string_equal(imported.error.message, "");
    assert_lines(&imported, expected);
    assert_true(imported_fact(&imported, "packets") == 3);
    assert_true(imported_fact(&imported, "overlapped-ns") == 30 + 290);
    assert_true(imported_fact(&imported, "packets-not-work") == 1);
    assert_true(imported_fact(&imported, "packets-without-engine-time") == 0);
    assert_true(imported_fact(&imported, "evictions") == 1);
    imported_free(&imported);
}

/* Columns that a version lacks are taken as not told; text and NULL where numbers belong, too. */
static void test_other_columns(void **state)
{
    (void)state;
    struct imported imported;
    import_database(&imported,
                    "CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INTEGER, \"end\" INTEGER);"
                    "INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (5,15),(20,10),"
                    "(9223372036854775807,9223372036854775807);"
                    "CREATE TABLE CUPTI_ACTIVITY_KIND_MEMCPY (start, end, bytes, copyKind, "
                    "streamId, k TEXT PRIMARY KEY) WITHOUT ROWID;"
                    "INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY VALUES (20,30,'many',99,-7,'a'),"
                    "('soon',40,NULL,1,x'00','b');");
    assert_string_equal(imported.error.message, "");
    assert_true(imported_fact(&imported, "kernels") == 1);
    assert_true(imported_fact(&imported, "copies-unknown-to-unknown") == 1);
    assert_true(imported_fact(&imported, "undecodable") == 2);
    assert_true(imported_fact(&imported, "rows") == 5);
    imported_free(&imported);
}

/* Databases that mean harm */

static void assert_database_refused(const char *words, const char *sql)
{
    size_t length;
    unsigned char *bytes = make_database(sql, &length);
    assert_refused(&trace_format_nsight, bytes, length, words);
    sqlite3_free(bytes);
}

/* Only tables are read. A view may be endless, or lead to itself. */
static void test_views(void **state)
{
    (void)state;
    static const char nothing[] = "holds no work of a GPU and no allocations";
    assert_database_refused(nothing,
                            "CREATE VIEW CUPTI_ACTIVITY_KIND_KERNEL AS WITH RECURSIVE c(x) "
                            "AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x AS start, "
                            "x+1 AS end FROM c");
    assert_database_refused(nothing, "CREATE VIEW CUPTI_ACTIVITY_KIND_KERNEL AS SELECT * FROM b;"
                                     "CREATE VIEW b AS SELECT * FROM CUPTI_ACTIVITY_KIND_KERNEL");
    assert_database_refused(nothing, "CREATE TABLE other (a)");
    assert_database_refused(nothing, "CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (a, b)");
    assert_refused(&trace_format_nsight, "", 0, nothing); /* an empty file is an empty database */
    assert_refused(&trace_format_nsight, "SQLite format 3", 16, "file is not a database");
}

/* Columns computed from others are as long to compute as whoever wrote them likes. */
static void test_generated_columns(void **state)
{
    (void)state;
    assert_database_refused("CUPTI_ACTIVITY_KIND_KERNEL: string or blob too big",
                            "CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (a INTEGER, start AS "
                            "(length(zeroblob(a))), end AS "
                            "(length(hex(zeroblob(a)))));"
                            "INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL (a) VALUES (5000000)");
}

static unsigned get_16(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

/* A table is a tree of pages. Here all children of an inner page are made to be one page: the root
 * itself, or the next inner page, seven deep, so that of some thousand rows become billions. */
static void test_trees_of_pages(void **state)
{
    (void)state;
    enum { PAGE = 512, INNER = 5, HEAD = 12, DEEP = 8 };
    size_t length;
    unsigned char *bytes = make_database(
        "CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INTEGER, end INTEGER, pad TEXT);"
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < 8000) INSERT INTO "
        "CUPTI_ACTIVITY_KIND_KERNEL SELECT x, x+1, 'padding padding' FROM c;",
        &length);
    size_t inner[DEEP], count = 0;
    for (size_t page = 1; page < length / PAGE && count < DEEP; page++)
        if (bytes[page * PAGE] == INNER)
            inner[count++] = page;
    assert_int_equal(count, DEEP);
    assert_int_equal(inner[0], 1); /* the root */
    for (int itself = 0; itself < 2; itself++) {
        unsigned char *changed = malloc(length);
        assert_non_null(changed);
        memcpy(changed, bytes, length);
        for (size_t i = 0; i + 1 < DEEP; i++) {
            unsigned char *head = changed + inner[i] * PAGE;
            size_t number = 1 + (itself ? inner[0] : inner[i + 1]);
            const unsigned char child[4] = {0, 0, (unsigned char)(number >> 8),
                                            (unsigned char)number};
            for (unsigned cell = 0; cell < get_16(head + 3); cell++)
                memcpy(head + get_16(head + HEAD + 2 * cell), child, sizeof child);
            memcpy(head + 8, child, sizeof child);
        }
        struct imported imported;
        import(&imported, &trace_format_nsight, changed, length, NULL);
        const char *words = itself ? "malformed" : "takes more work than a file of its size should";
        if (strstr(imported.error.message, words) == NULL)
            fail_msg("%s", imported.error.message);
        imported_free(&imported);
        free(changed);
    }
    sqlite3_free(bytes);
}

/* Eight bytes changed somewhere, or an end cut off: read, or refused with one line; and what is
 * read comes in order. Seeds are printed. */
static void test_damage(void **state)
{
    (void)state;
    static const char *const samples[] = {nsight_cuda_sample, nsight_wddm_sample};
    unsigned seed = 20261125;
    print_message("seed %u\n", seed);
    for (size_t s = 0; s < 2; s++) {
        size_t length;
        unsigned char *bytes = make_database(samples[s], &length), *changed = malloc(length);
        assert_non_null(changed);
        for (int round = 0; round < 1000; round++) {
            struct imported imported;
            memcpy(changed, bytes, length);
            for (int i = 0; i < 8; i++) {
                seed = seed * 1664525 + 1013904223;
                changed[16 + (seed >> 8) % (length - 16)] = (unsigned char)seed;
            }
            seed = seed * 1664525 + 1013904223;
            import(&imported, &trace_format_nsight, changed,
                   round % 2 ? length : 100 + (seed >> 8) % (length - 100), NULL);
            assert_int_equal(strcspn(imported.error.message, "\n"), strlen(imported.error.message));
            imported_free(&imported);
        }
        free(changed);
        sqlite3_free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recordings),     cmocka_unit_test(test_cuda),
        cmocka_unit_test(test_wddm),           cmocka_unit_test(test_other_columns),
        cmocka_unit_test(test_views),          cmocka_unit_test(test_generated_columns),
        cmocka_unit_test(test_trees_of_pages), cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
