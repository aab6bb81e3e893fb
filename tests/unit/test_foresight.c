/* What a trace will use next, for the victim policy that knows the future. */
#include "workloads/foresight.h"

#include "tests/unit/child.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct foresight *read_text(const char *text, struct trace_error *error)
{
    char path[] = "/tmp/wddmsim-foresight-XXXXXX.jsonl";
    int fd = mkstemps(path, 6);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct trace_reader *reader;
    const struct trace_open_options options = {0};
    bool opened = trace_open(path, &options, &reader, error);
    unlink(path);
    assert_true(opened);
    struct foresight *foresight = foresight_read(reader, error);
    trace_close(reader);
    return foresight;
}

#define CREATE(name)                                                                               \
    "{\"t\":0,\"op\":\"CreateAllocation\",\"device\":1,\"allocations\":"                           \
    "[{\"allocation\":" name ",\"size\":1}]}\n"
#define USE(op, lists) "{\"t\":0,\"op\":\"" op "\"," lists "}\n"

static void the_next_use_of_each_place(void **state)
{
    (void)state;
    struct trace_error error;
    struct foresight *foresight = read_text(
        "{\"wddmsim\":1}\n"                                                             /* event */
        CREATE("1")                                                                     /* 0 */
        CREATE("\"b\"")                                                                 /* 1 */
        USE("MakeResident", "\"device\":1,\"allocations\":[1,\"b\",1]")                 /* 2 */
        USE("Submit", "\"context\":1,\"gpu\":1,\"allocations\":[\"b\"],\"writes\":[7]") /* 3 */
        USE("Evict", "\"device\":1,\"allocations\":[1]")                                /* 4 */
        "nonsense\n" /* no event */
        USE("Submit", "\"context\":1,\"gpu\":1,\"allocations\":[1],\"writes\":[1,\"b\"]") /* 5 */
        CREATE("1")                                                    /* 6: anew */
        USE("ReclaimAllocations", "\"device\":1,\"allocations\":[1]"), /* 7 */
        &error);
    assert_non_null(foresight);
    static const struct {
        uint64_t event;
        uint32_t place;
        uint64_t next;
    } wanted[] = {
        {0, 0, 2},          {1, 0, 2},          {2, 0, 5},          {2, 1, 3},
        {2, 2, 2},          {3, 0, 5},          {3, 1, UINT64_MAX}, {4, 0, UINT64_MAX},
        {5, 0, UINT64_MAX}, {5, 1, 5},          {5, 2, UINT64_MAX}, {6, 0, 7},
        {7, 0, UINT64_MAX}, {7, 1, UINT64_MAX}, {8, 0, UINT64_MAX}, {999, 0, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (foresight_next(foresight, wanted[i].event, wanted[i].place) != wanted[i].next)
            fail_msg("event %" PRIu64 ", place %" PRIu32 ": %" PRIu64, wanted[i].event,
                     wanted[i].place, foresight_next(foresight, wanted[i].event, wanted[i].place));
    foresight_free(foresight);
}

static void a_long_trace_is_remembered(void **state)
{
    (void)state;
    enum { EVENTS = 5000, NAMES = 700 };
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    fprintf(out, "{\"wddmsim\":1,\"unknown\":\"create\"}\n");
    for (int i = 0; i < EVENTS; i++)
        fprintf(out, USE("Submit", "\"context\":1,\"gpu\":1,\"allocations\":[%d]"), i % NAMES + 1);
    fclose(out);
    struct trace_error error;
    struct foresight *foresight = read_text(text, &error);
    assert_non_null(foresight);
    for (uint64_t i = 0; i < EVENTS; i++)
        assert_int_equal(foresight_next(foresight, i, 0),
                         i + NAMES < EVENTS ? i + NAMES : UINT64_MAX);
    foresight_free(foresight);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_use_of_each_place),
        cmocka_unit_test(a_long_trace_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
