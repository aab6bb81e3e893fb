/* Requests to a server of a language model: the figures known of a real recording, and recordings
 * made up here whose events were worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/imported.h"
#include "tests/unit/recorded.h"

extern const struct trace_format trace_format_kvcache;

/* 12,031 requests, 288,500 references to 182,790 blocks, 3,537 s. Every block is made and goes. */
static void test_recording(void **state)
{
    (void)state;
    static const struct expected_fact facts[] = {
        {"requests", 12031}, {"references", 288500}, {"blocks", 182790},
        {"undecodable", 0},  {"blocks-most", 8199},
    };
    char path[4096];
    struct trace_error error = {0};
    struct trace_reader *reader;
    struct trace_event event;
    enum trace_result result;
    size_t requests = 0, reads = 0, writes = 0, created = 0, destroyed = 0;
    uint64_t last_ns = 0;
    if (!trace_open(recorded("kvcache-jsonl", "conversation.jsonl.gz", path, sizeof path), NULL,
                    &reader, &error))
        fail_msg("%s", error.message);
    assert_string_equal(trace_reader_format(reader), "kvcache");
    assert_int_equal(trace_reader_header(reader)->residency, TRACE_RESIDENCY_PER_SUBMIT);
    assert_facts(reader, facts, sizeof facts / sizeof *facts);
    while ((result = trace_next(reader, &event, &error)) == TRACE_EVENT) {
        if (!trace_check_event(&event, &error))
            fail_msg("%s: %s", trace_reader_place(reader), error.message);
        requests += event.op == TRACE_SUBMIT;
        reads += event.op == TRACE_SUBMIT ? event.allocations.count : 0;
        writes += event.writes.count;
        created += event.creations.count;
        destroyed += event.op == TRACE_DESTROY_ALLOCATION ? event.allocations.count : 0;
        last_ns = event.t_ns;
    }
    assert_int_equal(result, TRACE_END);
    assert_int_equal(requests, 12031);
    assert_int_equal(reads + writes, 288500);
    assert_int_equal(writes, 182790);
    assert_int_equal(created, 182790);
    assert_int_equal(destroyed, 182790);
    assert_int_equal(last_ns / 1000000, 3536999);
    trace_close(reader);
}

/* t 0 is 1,000 ms. The first request computes 513 tokens and answers with 2: 513 * 10 + 2 * 1000
 * ns. The second finds two blocks and computes what is left of 1,030 tokens, 6. The third finds all
 * its tokens, and the last of them is computed nevertheless. The second is the last one to name 7
 * and 9, the third to name 0. */
static void test_requests(void **state)
{
    (void)state;
    static const char *const settings[] = {"block-bytes=100", "prefill-ns=10", "decode-ns=1000"};
    const struct trace_open_options options = {.settings = settings, .setting_count = 3};
    static const char text[] =
        "{\"timestamp\": 1000, \"input_length\": 513, \"output_length\": 2, \"hash_ids\": [0, 7]}\n"
        "{\"hash_ids\":[7,0,9,7],\"other\":[{}],\"output_length\":0,\"input_length\":1030,"
        "\"timestamp\":1000.5}\n\n"
        "{\"timestamp\":1002,\"input_length\":512,\"output_length\":0,\"hash_ids\":[0]}\n"
        "{\"timestamp\":1002,\"input_length\":0,\"output_length\":1,\"hash_ids\":[]}";
    static const char expected[] =
        "{\"t\":0,\"pid\":0,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"gpu 0\","
        "\"existing\":true}\n"
        "{\"t\":0,\"pid\":0,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"requests\","
        "\"device\":\"gpu 0\",\"node\":\"compute\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":0,\"tid\":0,\"op\":\"CreateAllocation\",\"device\":\"gpu 0\","
        "\"allocations\":[{\"allocation\":0,\"size\":100,\"usage\":\"buffer\"},"
        "{\"allocation\":7,\"size\":100,\"usage\":\"buffer\"}]}\n"
        "{\"t\":0,\"pid\":0,\"tid\":0,\"op\":\"Submit\",\"context\":\"requests\",\"gpu\":7130,"
        "\"writes\":[0,7]}\n"
        "{\"t\":500000,\"pid\":0,\"tid\":0,\"op\":\"CreateAllocation\",\"device\":\"gpu 0\","
        "\"allocations\":[{\"allocation\":9,\"size\":100,\"usage\":\"buffer\"}]}\n"
        "{\"t\":500000,\"pid\":0,\"tid\":0,\"op\":\"Submit\",\"context\":\"requests\",\"gpu\":60,"
        "\"allocations\":[0,7],\"writes\":[9]}\n"
        "{\"t\":500000,\"pid\":0,\"tid\":0,\"op\":\"DestroyAllocation\",\"device\":\"gpu 0\","
        "\"allocations\":[7,9]}\n"
        "{\"t\":2000000,\"pid\":0,\"tid\":0,\"op\":\"Submit\",\"context\":\"requests\",\"gpu\":10,"
        "\"allocations\":[0]}\n"
        "{\"t\":2000000,\"pid\":0,\"tid\":0,\"op\":\"DestroyAllocation\",\"device\":\"gpu 0\","
        "\"allocations\":[0]}\n"
        "{\"t\":2000000,\"pid\":0,\"tid\":0,\"op\":\"Submit\",\"context\":\"requests\","
        "\"gpu\":1000}\n";
    struct imported imported;
    assert_true(trace_format_kvcache.detect((const unsigned char *)text, sizeof text - 1));
    import(&imported, &trace_format_kvcache, text, strlen(text), &options);
    assert_string_equal(imported.error.message, "");
    assert_lines(&imported, expected);
    assert_true(imported_fact(&imported, "blocks") == 3);
    assert_true(imported_fact(&imported, "references") == 6);
    assert_true(imported_fact(&imported, "blocks-most") == 3);
    char place[64];
    snprintf(place, sizeof place, "t: offset %td", strrchr(text, '\n') + 1 - text);
    assert_string_equal(trace_format_kvcache.place(imported.state), place);
    imported_free(&imported);
}

/* What is incomplete, or goes back in time, is left out and counted; its blocks, too. */
static void test_undecodable(void **state)
{
    (void)state;
    struct imported imported;
    import_text(
        &imported, &trace_format_kvcache,
        "{\"timestamp\":5,\"input_length\":1,\"hash_ids\":[1]}\n"
        "{\"timestamp\":5,\"input_length\":1,\"output_length\":1,\"hash_ids\":[2]}\n"
        "{\"timestamp\":4,\"input_length\":1,\"output_length\":1,\"hash_ids\":[3]}\n"
        "{\"timestamp\":\"6\",\"input_length\":1,\"output_length\":1,\"hash_ids\":[4]}\n"
        "{\"timestamp\":7,\"input_length\":-1,\"output_length\":1,\"hash_ids\":[5]}\n"
        "{\"timestamp\":7,\"input_length\":1,\"output_length\":1e12,\"hash_ids\":[6]}\n"
        "{\"timestamp\":7,\"input_length\":1,\"output_length\":1,\"hash_ids\":[-7,8,\"9\"]}\n"
        "{\"timestamp\":1e300,\"input_length\":1,\"output_length\":1,\"hash_ids\":[9]}\n");
    assert_string_equal(imported.error.message, "");
    assert_true(imported_fact(&imported, "requests") == 2);
    assert_true(imported_fact(&imported, "blocks") == 2);
    assert_true(imported_fact(&imported, "undecodable") == 6 + 2);
    imported_free(&imported);
}

static void test_refused(void **state)
{
    (void)state;
    static const char line[] =
        "{\"timestamp\":5,\"input_length\":1,\"output_length\":1,\"hash_ids\":[2]}\n";
    static const struct {
        const char *setting, *message;
    } settings[] = {
        {"block-bytes=0", "reader setting block-bytes: expected a number of bytes, got \"0\""},
        {"prefill-ns=-1",
         "reader setting prefill-ns: expected a number of nanoseconds, got \"-1\""},
        {"decode-ns=long",
         "reader setting decode-ns: expected a number of nanoseconds, got \"long\""},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const struct trace_open_options options = {.settings = &settings[i].setting,
                                                   .setting_count = 1};
        struct imported imported;
        import(&imported, &trace_format_kvcache, line, strlen(line), &options);
        assert_string_equal(imported.error.message, settings[i].message);
        imported_free(&imported);
    }
    assert_refused(&trace_format_kvcache, "{\"hash_ids\":[]}", 15, "t: holds no requests");
    assert_refused(&trace_format_kvcache, "[]", 2, "t: offset 0: expected an object");
    assert_false(
        trace_format_kvcache.detect((const unsigned char *)"{\"wddmsim\":1}\n\"hash_ids\"", 25));
}

/* A file that ends in the middle, and a list without end. */
static void test_damage(void **state)
{
    (void)state;
    static const char cut[] = /* 130 bytes */
        "{\"timestamp\":5,\"input_length\":1,\"output_length\":1,\"hash_ids\":[2]}\n"
        "{\"timestamp\":6,\"input_length\":1,\"output_length\":1,\"hash_ids\":[2,";
    struct imported imported;
    import(&imported, &trace_format_kvcache, cut, strlen(cut), NULL);
    assert_true(imported_fact(&imported, "requests") == 1);
    assert_string_equal(imported.error.message, "t: offset 130: the file ends in the middle");
    imported_free(&imported);

    enum { MANY = (1 << 20) + 1 };
    struct trace_buffer text = {0};
    trace_buffer_put(&text, cut, strlen(cut));
    for (int i = 0; i < MANY; i++)
        trace_buffer_put(&text, "1,", 2);
    import(&imported, &trace_format_kvcache, text.bytes, text.length, NULL);
    assert_true(imported_fact(&imported, "requests") == 1);
    assert_non_null(strstr(imported.error.message, "too many hash_ids"));
    imported_free(&imported);
    trace_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recording),   cmocka_unit_test(test_requests),
        cmocka_unit_test(test_undecodable), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
