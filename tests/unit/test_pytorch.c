/* PyTorch memory snapshots: the figures known of real ones, pickles made up here whose events were
 * worked out by hand, and pickles that mean harm. */
#include "traces/reader.h"
#include "traces/vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/imported.h"
#include "tests/unit/make_pickle.h"
#include "tests/unit/recorded.h"

extern const struct trace_format trace_format_pytorch;

/* The real recordings */

/* What is allocated at the end: the snapshot's own list of it must come out of the history. */
static const struct snapshot {
    const char *name;
    size_t entries, allocs, frees, active_blocks, segments;
    double reserved_bytes, span_s; /* as published: 25.2 GB, 0.65 s */
} snapshots[] = {
    {"transformer-medium-ctx1024-training.pickle", 22331, 7591, 7370, 885, 234, 25.2e9, 0.65},
    {"transformer-medium-ctx128-training.pickle", 19136, 6526, 6305, 885, 377, 7.2e9, 0.17},
    {"transformer-medium-ctx512-inference.pickle", 4998, 1666, 1666, 223, 101, 2.0e9, 0.076},
    {"cs336-a.pickle", 5163, 1721, 1721, 229, 216, 14.2e9, 0.25},
};

static void open_snapshot(const struct snapshot *snapshot, const char *setting,
                          struct trace_reader **reader)
{
    char path[4096];
    struct trace_error error = {0};
    const struct trace_open_options options = {.settings = &setting, .setting_count = 1};
    recorded("pytorch-snapshot", snapshot->name, path, sizeof path);
    if (!trace_open(path, &options, reader, &error))
        fail_msg("%s", error.message);
    assert_string_equal(trace_reader_format(*reader), "pytorch");
    assert_int_equal(trace_reader_header(*reader)->residency, TRACE_RESIDENCY_AT_CREATE);
    const struct expected_fact facts[] = {
        {"entries", (double)snapshot->entries},
        {"entries-alloc", (double)snapshot->allocs},
        {"entries-free-completed", (double)snapshot->frees},
        {"segments", (double)snapshot->segments},
        {"undecodable", 0},
        {"entries-unknown", 0},
        {"entries-without-time", 0},
        {"allocations-replaced", 0},
    };
    assert_facts(*reader, facts, sizeof facts / sizeof *facts);
    size_t count;
    const struct trace_fact *all = trace_reader_facts(*reader, &count);
    double reserved = fact(all, count, "segments-bytes");
    assert_true(reserved > snapshot->reserved_bytes - 0.05e9 &&
                reserved < snapshot->reserved_bytes + 0.05e9);
}

static void test_blocks_of_the_recordings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof snapshots / sizeof *snapshots; i++) {
        struct trace_reader *reader;
        struct trace_event event;
        struct trace_error error;
        enum trace_result result;
        size_t created = 0, existing = 0, destroyed = 0;
        uint64_t last_ns = 0;
        open_snapshot(&snapshots[i], "allocations=blocks", &reader);
        while ((result = trace_next(reader, &event, &error)) == TRACE_EVENT) {
            created += event.op == TRACE_CREATE_ALLOCATION && !event.existing;
            existing += event.op == TRACE_CREATE_ALLOCATION && event.existing;
            destroyed += event.op == TRACE_DESTROY_ALLOCATION;
            last_ns = event.t_ns;
        }
        assert_int_equal(result, TRACE_END);
        assert_int_equal(created, snapshots[i].allocs);
        assert_int_equal(destroyed, snapshots[i].frees);
        assert_int_equal(existing + created - destroyed, snapshots[i].active_blocks);
        double span_s = (double)last_ns * 1e-9;
        assert_true(span_s > 0.97 * snapshots[i].span_s && span_s < 1.03 * snapshots[i].span_s);
        trace_close(reader);
    }
}

/* None of them has entries of segments: all were there before. */
static void test_segments_of_the_recordings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof snapshots / sizeof *snapshots; i++) {
        struct trace_reader *reader;
        struct trace_event event;
        struct trace_error error;
        size_t existing = 0, others = 0;
        double bytes = 0;
        open_snapshot(&snapshots[i], "allocations=segments", &reader);
        while (trace_next(reader, &event, &error) == TRACE_EVENT) {
            bool creates = event.op == TRACE_CREATE_ALLOCATION && event.existing;
            existing += creates;
            others += !creates;
            bytes += creates ? (double)event.creations.items[0].size : 0;
        }
        assert_int_equal(existing, snapshots[i].segments);
        assert_int_equal(others, 1); /* the device */
        size_t count;
        const struct trace_fact *facts = trace_reader_facts(reader, &count);
        assert_true(bytes == fact(facts, count, "segments-bytes"));
        assert_non_null(strstr(trace_reader_header(reader)->extras, "all segments were there"));
        trace_close(reader);
    }
}

/* Pickles made up */

#define DEVICE(n, more)                                                                            \
    "{\"t\":0,\"pid\":0,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"gpu " #n "\"," more         \
    "\"existing\":true}\n"
#define CREATE(t, n, address, size, more)                                                          \
    "{\"t\":" #t ",\"pid\":0,\"tid\":0,\"op\":\"CreateAllocation\",\"device\":\"gpu " #n           \
    "\",\"allocations\":[{\"allocation\":\"" address "\",\"size\":" #size                          \
    ",\"usage\":\"buffer\"}]" more "}\n"
#define BEFORE ",\"existing\":true"
#define DESTROY(t, n, address)                                                                     \
    "{\"t\":" #t ",\"pid\":0,\"tid\":0,\"op\":\"DestroyAllocation\",\"device\":\"gpu " #n          \
    "\",\"allocations\":[\"" address "\"]}\n"

static void import_pickle(struct imported *imported, const struct trace_buffer *pickle,
                          const char *setting)
{
    const struct trace_open_options options = {.settings = &setting,
                                               .setting_count = setting != NULL};
    import(imported, &trace_format_pytorch, pickle->bytes, pickle->length, &options);
    if (imported->state == NULL)
        fail_msg("%s", imported->error.message);
    assert_string_equal(imported->error.message, "");
}

/* Blocks without an address follow each other from the segment's on: 4096 + 512 + 1024 = 5632 is
 * held at the end, and so is 4096. 4864 is given back without having been taken: it was there
 * before. 5632 was taken and given back during the history, then held again by the list: that is
 * not possible, and it stays as the history says. */
static void test_blocks(void **state)
{
    (void)state;
    struct trace_buffer pickle = {0};
    struct imported imported;
    pickle_sample(&pickle);
    import_pickle(&imported, &pickle, NULL);
    assert_lines(&imported,
                 DEVICE(0, "") CREATE(0, 0, "0x1300", 300, BEFORE)
                     CREATE(0, 0, "0x1000", 512, BEFORE) CREATE(0, 0, "0x1600", 256, BEFORE)
                         DESTROY(0, 0, "0x1600") CREATE(0, 0, "0x1600", 100, "")
                             DESTROY(15000, 0, "0x1300") DESTROY(20000, 0, "0x1600"));
    assert_true(imported_fact(&imported, "entries") == 9);
    assert_true(imported_fact(&imported, "entries-oom") == 1);
    assert_true(imported_fact(&imported, "entries-unknown") == 1);
    assert_true(imported_fact(&imported, "undecodable") == 1); /* the block without a size */
    assert_true(imported_fact(&imported, "segments") == 2);
    assert_true(imported_fact(&imported, "start-us") == 1000);
    assert_string_equal(imported.header.source, "PyTorch memory snapshot, blocks");
    imported_free(&imported);
    trace_buffer_free(&pickle);
}

/* Two handles of 20 MiB are mapped at 1 TiB + 20 MiB and the second is unmapped again. The list at
 * the end has the first handle of the segment, which was there before, and the second. */
static void test_segments(void **state)
{
    (void)state;
    struct trace_buffer pickle = {0};
    struct imported imported;
    pickle_sample(&pickle);
    import_pickle(&imported, &pickle, "allocations=segments");
    assert_lines(&imported,
                 DEVICE(1, "\"adapter\":1,") DEVICE(0, "") CREATE(0, 0, "0x1000", 8192, BEFORE)
                     CREATE(0, 1, "0x10000000000", 20971520, BEFORE)
                         CREATE(0, 1, "0x10001400000", 20971520, "")
                             CREATE(0, 1, "0x10002800000", 20971520, "")
                                 DESTROY(1000, 1, "0x10002800000"));
    imported_free(&imported);
    trace_buffer_free(&pickle);
}

/* From 1000 to 1010 and from 1020 to 1500 the GPU is busy; 1010 to 1015 and 1015 to 1020 are one
 * burst. */
static void test_made_up_work(void **state)
{
    (void)state;
    struct trace_buffer pickle = {0};
    struct imported imported;
    pickle_write(&pickle, "#80#05 } 'device_traces' ] ] (");
    static const int64_t times[] = {1000, 1010, 1015, 1020, 1500};
    for (int i = 0; i < 5; i++)
        pickle_write(&pickle, "} ( 'action' 'alloc' 'addr' %d 'size' 64 'stream' 3 'time_us' %d u",
                     (int64_t)i, times[i]);
    pickle_write(&pickle, "e a s .");
    import_pickle(&imported, &pickle, "work=made-up");
    const char *submits = strstr((const char *)imported.lines.bytes, "\"op\":\"Submit\"");
    assert_non_null(submits);
    assert_non_null(strstr((const char *)imported.lines.bytes,
                           "{\"t\":0,\"pid\":0,\"tid\":0,\"op\":\"Submit\",\"context\":\"gpu 0 "
                           "stream 3\",\"gpu\":10000,\"done\":10000}\n"));
    assert_non_null(strstr((const char *)imported.lines.bytes,
                           "{\"t\":20000,\"pid\":0,\"tid\":0,\"op\":\"Submit\",\"context\":\"gpu 0 "
                           "stream 3\",\"gpu\":480000,\"done\":500000}\n"));
    assert_true(imported_fact(&imported, "kernels") == 2);
    assert_non_null(strstr(imported.header.extras, "work is made up"));
    imported_free(&imported);

    import_pickle(&imported, &pickle, NULL);
    assert_null(strstr((const char *)imported.lines.bytes, "Submit"));
    imported_free(&imported);
    trace_buffer_free(&pickle);
}

/* Protocol 2, with numbered places in the memo, single items without marks, and no times: a
 * microsecond passes from entry to entry. */
static void test_old_pickle(void **state)
{
    (void)state;
    struct trace_buffer pickle = {0};
    struct imported imported;
    pickle_write(&pickle, "#80#02 } q#00 ( X#08#00#00#00segments q#01 ] r#02#00#00#00");
    pickle_write(&pickle,
                 "'device_traces' ] ( ] ( } ( 'action' 'alloc' 'addr' J#00#10#00#00 'size' "
                 "M#00#02 u } ( 'action' 'free_completed' 'addr' "
                 "J#00#10#00#00 'size' M#00#02 u e ] } 'action' 'snapshot' s a e u .");
    import_pickle(&imported, &pickle, NULL);
    assert_lines(&imported,
                 DEVICE(0, "") CREATE(0, 0, "0x1000", 512, "") DESTROY(1000, 0, "0x1000"));
    assert_true(imported_fact(&imported, "entries-without-time") == 2);
    imported_free(&imported);
    trace_buffer_free(&pickle);
}

/* Pickles that mean harm */

/* In front of the refused opcode stands a snapshot with one allocation that is never closed. */
static void assert_pickle_refused(const char *words, const char *pattern)
{
    struct trace_buffer pickle = {0};
    pickle_write(&pickle, "#80#04");
    pickle_write(&pickle, pattern);
    assert_refused(&trace_format_pytorch, pickle.bytes, pickle.length, words);
    trace_buffer_free(&pickle);
}

static void test_code_is_refused(void **state)
{
    (void)state;
    static const char *const opcodes[][2] = {
        {"c", "GLOBAL"},    {"#93", "STACK_GLOBAL"}, {"R", "REDUCE"},
        {"b", "BUILD"},     {"i", "INST"},           {"o", "OBJ"},
        {"#81", "NEWOBJ"},  {"#92", "NEWOBJ_EX"},    {"#82", "EXT1"},
        {"#83", "EXT2"},    {"#84", "EXT4"},         {"P", "PERSID"},
        {"Q", "BINPERSID"}, {"#97", "NEXT_BUFFER"},
    };
    for (size_t i = 0; i < sizeof opcodes / sizeof *opcodes; i++) {
        char words[80];
        snprintf(words, sizeof words, "t: offset 2: opcode %s is refused", opcodes[i][1]);
        assert_pickle_refused(words, opcodes[i][0]);
    }
    /* os.system("..."), as one would write it. */
    assert_pickle_refused("offset 2: opcode GLOBAL is refused",
                          "cos#0asystem#0a(S#27touch /tmp/harm#27#0atR.");
    assert_pickle_refused("offset 21: opcode STACK_GLOBAL is refused",
                          "} 'segments' 'posix' #94 #93 'x' #85 R s .");
    /* Every byte that is not among the opcodes known. */
    for (unsigned code = 0; code < 256; code++) {
        struct imported imported;
        unsigned char bytes[3] = {0x80, 4, (unsigned char)code};
        import(&imported, &trace_format_pytorch, bytes, sizeof bytes, NULL);
        assert_null(imported.state);
        imported_free(&imported);
    }
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"offset 2: takes more values", "a"},
        {"offset 2: takes more values", "s"},
        {"offset 2: takes more values", "e"},
        {"offset 2: takes more values", "u"},
        {"offset 2: takes more values", "t"},
        {"offset 3: takes more values", "( e"},
        {"offset 4: takes more values", "( ( u"},
        {"offset 4: takes more values", "] ( a"},
        {"offset 2: takes more values", "#86"},
        {"offset 2: takes more values", "#94"},
        {"offset 5: a key without a value", "} ( N u"},
        {"offset 5: appends to what is no list", "K#01 N a"},
        {"offset 6: sets an item of what is no dictionary", "K#01 N N s"},
        {"offset 2: recalls a value that was not kept", "h#00"},
        {"offset 4: recalls a value that was not kept", "} #94 j#01#00#00#00"},
        {"offset 3: keeps a value under a number too large", "} r#01#00#00#00"},
        {"offset 3: keeps a value under a number too large", "} r#ff#ff#ff#ff"},
        {"offset 2: a number of negative length", "#8b#ff#ff#ff#ff"},
        {"offset 2: stops with values left over", "."},
        {"offset 4: stops with values left over", "N N ."},
        {"offset 4: stops with values left over", "} ( ."},
        {"offset 3: not the structure of a memory snapshot", "N ."},
        {"the file ends in the middle", "X#ff#ff#ff#ff only so much"},
        {"the file ends in the middle", "#8b#ff#ff#ff#7f"},
        {"the file ends in the middle", "#95#ff#ff#ff#ff#ff#ff#ff#ff"},
        /* Things of the snapshot where they do not belong. */
        {"not the structure of a memory snapshot", "} 'segments' N s ."},
        {"not the structure of a memory snapshot", "} 'segments' } s ."},
        {"not the structure of a memory snapshot", "} 'device_traces' ] } a s ."},
        {"not the structure of a memory snapshot", "} 'device_traces' ] ] 7 a a s ."},
        {"not the structure of a memory snapshot", "} 'segments' ] #85 N s ."},
        {"not the structure of a memory snapshot", "} ( 'x' ] #94 'segments' h#00 u ."},
        {"holds no work of a GPU and no allocations", "} ."},
        {"holds no work of a GPU and no allocations", "} ( 'a' } 'b' ] u ."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_pickle_refused(cases[i][0], cases[i][1]);
}

/* What is endless is refused before it takes much memory. */
static void test_bombs(void **state)
{
    (void)state;
    enum { MANY = 3000000 };
    static const struct {
        char opcode;
        const char *words;
    } bombs[] = {
        {'}', "more values at once"}, /* dictionaries of dictionaries */
        {']', "more values at once"},
        {'(', "more values at once"},
        {'N', "more values at once"},
    };
    struct trace_buffer pickle = {0};
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        pickle.length = 0;
        pickle_write(&pickle, "#80#04");
        for (size_t n = 0; n < MANY; n++)
            trace_buffer_put_byte(&pickle, (unsigned char)bombs[i].opcode);
        assert_refused(&trace_format_pytorch, pickle.bytes, pickle.length, bombs[i].words);
    }
    /* Entries that are never put into their history. */
    pickle.length = 0;
    pickle_write(&pickle, "#80#04 } 'device_traces' ] (");
    pickle_write(&pickle, "] (");
    for (size_t n = 0; n < 100000; n++)
        pickle_write(&pickle, "}");
    assert_refused(&trace_format_pytorch, pickle.bytes, pickle.length, "more dictionaries at once");
    /* A mapping of 8 EiB is not cut into handles. */
    pickle.length = 0;
    pickle_write(&pickle,
                 "#80#04 } 'device_traces' ] ] } ( 'action' 'segment_map' 'addr' 0 'size' %d "
                 "'time_us' 1 u a a s .",
                 INT64_MAX - (20 << 20) + 1);
    struct imported imported;
    import_pickle(&imported, &pickle, "allocations=segments");
    assert_int_equal(imported.events, 2);
    imported_free(&imported);
    trace_buffer_free(&pickle);
}

/* Cut off anywhere, what came before is there, then one complaint. */
static void test_cut(void **state)
{
    (void)state;
    struct trace_buffer pickle = {0};
    pickle_sample(&pickle);
    size_t events = 0;
    for (size_t cut = 0; cut < pickle.length; cut++) {
        struct imported imported;
        import(&imported, &trace_format_pytorch, pickle.bytes, cut, NULL);
        if (strstr(imported.error.message, "t: offset ") == NULL ||
            strstr(imported.error.message, "the file ends in the middle") == NULL)
            fail_msg("cut at %zu: %s", cut, imported.error.message);
        assert_true(imported.error.skippable == (imported.state != NULL));
        assert_true(imported.events >= events); /* more of it, more comes out */
        events = imported.events;
        imported_free(&imported);
    }
    assert_int_equal(events, 8);
    trace_buffer_free(&pickle);
}

static void test_settings(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"allocations=pages", "reader setting allocations: expected blocks or segments, got "
                              "\"pages\""},
        {"work=hard", "reader setting work: expected none or made-up, got \"hard\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct imported imported;
        const struct trace_open_options options = {.settings = &cases[i][0], .setting_count = 1};
        import(&imported, &trace_format_pytorch, "\x80\x04}.", 4, &options);
        assert_string_equal(imported.error.message, cases[i][1]);
        imported_free(&imported);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_of_the_recordings),
        cmocka_unit_test(test_segments_of_the_recordings),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_made_up_work),
        cmocka_unit_test(test_old_pickle),
        cmocka_unit_test(test_code_is_refused),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
