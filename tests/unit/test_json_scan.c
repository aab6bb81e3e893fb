/* Walking JSON piece by piece: every token across the borders of the window, escapes, numbers as
 * whole nanoseconds, and what is malformed or endless. */
#include "traces/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    struct trace_input *input;
    struct json_scan scan;
    struct trace_error error;
};

static void begin(struct walk *walk, const char *text, size_t length)
{
    *walk = (struct walk){0};
    assert_true(trace_input_from_memory(text, length, "t.json", &walk->input, &walk->error));
    assert_true(json_scan_open(&walk->scan, walk->input, &walk->error));
}

static void end(struct walk *walk)
{
    json_scan_close(&walk->scan);
    trace_input_close(walk->input);
}

static void assert_text(struct json_text text, const char *expected)
{
    if (!json_text_is(text, expected))
        fail_msg("\"%.*s\", expected \"%s\"", (int)text.length, text.bytes, expected);
}

static void test_walk(void **state)
{
    (void)state;
    static const char text[] =
        " { \"a\" : [ 1 , -2.5e3,\"x\\\"\\u00e9\\ud83d\\ude00\\n\",true,null ],\n"
        "\t\"b\":{\"deep\":[[{}]], \"s\":\"}]\"}, \"c\":{}, \"d\":[] } \n";
    struct walk walk;
    struct json_scan *scan = &walk.scan;
    struct json_text read;
    begin(&walk, text, strlen(text));
    assert_int_equal(json_scan_kind(scan), '{');
    assert_true(json_scan_enter(scan, '{'));
    assert_true(json_scan_key(scan, &read));
    assert_text(read, "a");
    assert_true(json_scan_enter(scan, '['));
    assert_true(json_scan_item(scan) && json_scan_kind(scan) == '0');
    assert_true(json_scan_number(scan, &read));
    assert_text(read, "1");
    assert_true(json_scan_item(scan) && json_scan_number(scan, &read));
    assert_text(read, "-2.5e3");
    assert_true(json_scan_item(scan) && json_scan_text(scan, &read));
    assert_text(read, "x\"\xc3\xa9\xf0\x9f\x98\x80\n");
    assert_true(json_scan_item(scan) && json_scan_kind(scan) == 't' && json_scan_skip(scan));
    assert_true(json_scan_item(scan) && json_scan_kind(scan) == 'n' && json_scan_skip(scan));
    assert_false(json_scan_item(scan));
    assert_true(json_scan_key(scan, &read));
    assert_text(read, "b");
    assert_true(json_scan_skip(scan));
    assert_true(json_scan_key(scan, &read) && json_scan_enter(scan, '{'));
    assert_false(json_scan_key(scan, &read));
    assert_true(json_scan_key(scan, &read) && json_scan_enter(scan, '['));
    assert_false(json_scan_item(scan));
    assert_false(json_scan_key(scan, &read));
    assert_false(json_scan_failed(scan));
    assert_true(json_scan_at_end(scan));
    end(&walk);
}

static void test_leaving(void **state)
{
    (void)state;
    static const char text[] = "[{\"a\":1,\"b\":[{\"c\":\"]}\"}],\"d\":2},[1,[2],3],7]";
    struct walk walk;
    struct json_scan *scan = &walk.scan;
    struct json_text read;
    begin(&walk, text, strlen(text));
    assert_true(json_scan_enter(scan, '[') && json_scan_item(scan) && json_scan_enter(scan, '{'));
    assert_true(json_scan_key(scan, &read) && json_scan_skip(scan) && json_scan_leave(scan));
    assert_true(json_scan_item(scan) && json_scan_enter(scan, '[') && json_scan_leave(scan));
    assert_true(json_scan_item(scan) && json_scan_number(scan, &read));
    assert_text(read, "7");
    assert_false(json_scan_item(scan));
    assert_true(json_scan_at_end(scan));
    end(&walk);
}

/* The window holds 256 KiB. Elements of every kind are pushed across its border byte by byte; what
 * comes out must not depend on where they lie. */
static void test_borders(void **state)
{
    (void)state;
    enum { WINDOW = 256 * 1024, REACH = 80 };
    static const char tail[] = "\", {\"key one\" : \"te\\u0078t \\\\\" , \"n\":-12.75,\"s\":{\"x\":"
                               "[\"\\\\\\\"\",\"a\"]}, \"t\": true}]";
    char *text = malloc(WINDOW + 2 + sizeof tail);
    assert_non_null(text);
    for (size_t at = WINDOW - REACH; at < WINDOW + 2; at++) {
        /* A first string that is passed over, so long that the rest begins where it should. */
        memset(text, 'x', at);
        memcpy(text, "[\"", 2);
        memcpy(text + at, tail, sizeof tail);
        struct walk walk;
        struct json_scan *scan = &walk.scan;
        struct json_text read;
        begin(&walk, text, at + sizeof tail - 1);
        assert_true(json_scan_enter(scan, '[') && json_scan_item(scan) && json_scan_skip(scan));
        assert_true(json_scan_item(scan) && json_scan_enter(scan, '{'));
        assert_true(json_scan_key(scan, &read));
        assert_text(read, "key one");
        assert_true(json_scan_text(scan, &read));
        assert_text(read, "text \\");
        assert_true(json_scan_key(scan, &read) && json_scan_number(scan, &read));
        assert_text(read, "-12.75");
        assert_true(json_scan_key(scan, &read) && json_scan_skip(scan));
        assert_true(json_scan_key(scan, &read) && json_scan_skip(scan));
        assert_false(json_scan_key(scan, &read));
        assert_false(json_scan_item(scan));
        assert_true(json_scan_at_end(scan));
        assert_int_equal(json_scan_offset(scan), at + sizeof tail - 1);
        end(&walk);
    }
    free(text);
}

/* Passes over one value. */
static void assert_skips(const char *text, size_t length, const char *complaint)
{
    struct walk walk;
    begin(&walk, text, length);
    bool good = json_scan_skip(&walk.scan) && json_scan_at_end(&walk.scan);
    if (complaint == NULL && !good)
        fail_msg("%.40s: %s", text, walk.error.message);
    if (complaint != NULL && (good || strstr(walk.error.message, complaint) == NULL))
        fail_msg("%.40s: \"%s\" lacks \"%s\"", text, good ? "" : walk.error.message, complaint);
    if (complaint != NULL)
        assert_true(json_scan_failed(&walk.scan) && walk.error.skippable);
    end(&walk);
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "offset 0: the file ends"},
        {"{", "offset 1: the file ends"},
        {"[1,2", "offset 4: the file ends"},
        {"\"abc", "the file ends"},
        {"\"abc\\", "the file ends"},
        {"[}", "offset 1: expected ]"},
        {"{\"a\":[}", "offset 6: expected ]"},
        {"{]", "offset 1: expected }"},
        {"]", "offset 0: expected a value"},
        {",", "offset 0: expected a value"},
        {"NaN", NULL},
        {"-Infinity", NULL},
        {"[NaN,{\"x\":Infinity}]", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_skips(cases[i][0], strlen(cases[i][0]), cases[i][1]);

    struct walk walk;
    struct json_text read;
    static const char *const objects[][2] = {
        {"{\"a\" 1}", "offset 5: expected : behind a key"},
        {"{\"a\":1 \"b\":2}", "offset 7: expected , or }"},
        {"{a:1}", "offset 1: expected a string"},
        {"{\"\\x\":1}", "a malformed escape"},
        {"{\"\\u12g4\":1}", "a malformed escape"},
        {"[1]", "offset 0: expected an object"},
        {"{\"a\":1", "offset 6: the file ends"},
    };
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        begin(&walk, objects[i][0], strlen(objects[i][0]));
        if (json_scan_enter(&walk.scan, '{'))
            while (json_scan_key(&walk.scan, &read) && json_scan_skip(&walk.scan))
                ;
        if (strstr(walk.error.message, objects[i][1]) == NULL)
            fail_msg("%s: \"%s\"", objects[i][0], walk.error.message);
        /* Whatever is asked of a failed scan, the answer is no, and the message stays. */
        assert_false(json_scan_enter(&walk.scan, '{') || json_scan_item(&walk.scan) ||
                     json_scan_skip(&walk.scan) || json_scan_at_end(&walk.scan) ||
                     json_scan_number(&walk.scan, &read) || json_scan_leave(&walk.scan));
        assert_non_null(strstr(walk.error.message, objects[i][1]));
        end(&walk);
    }
}

static void test_deep_and_long(void **state)
{
    (void)state;
    enum { MILLION = 1000000 };
    char *text = malloc(2 * MILLION);
    assert_non_null(text);
    memset(text, '[', MILLION);
    assert_skips(text, MILLION, "offset 512: nested too deep");
    memset(text, '[', JSON_DEEPEST_SKIPPED);
    memset(text + JSON_DEEPEST_SKIPPED, ']', JSON_DEEPEST_SKIPPED);
    assert_skips(text, (size_t)2 * JSON_DEEPEST_SKIPPED, NULL);
    memset(text, 'x', MILLION);
    text[0] = text[MILLION - 1] = '"';
    assert_skips(text, MILLION, NULL); /* passed over, a string may be long */
    memset(text, '\\', MILLION);
    text[0] = text[MILLION - 1] = '"';
    assert_skips(text, MILLION, NULL); /* 499999 backslashes escaped, none is left */

    struct walk walk;
    struct json_text read;
    memset(text, 'x', MILLION);
    text[0] = '"';
    begin(&walk, text, MILLION);
    assert_false(json_scan_text(&walk.scan, &read));
    assert_non_null(strstr(walk.error.message, "too long to be read"));
    end(&walk);
    memset(text, '1', MILLION);
    begin(&walk, text, MILLION);
    assert_false(json_scan_number(&walk.scan, &read));
    assert_non_null(strstr(walk.error.message, "too long to be read"));
    end(&walk);
    memset(text, '[', MILLION);
    begin(&walk, text, MILLION);
    int depth = 0;
    while (json_scan_enter(&walk.scan, '[') && json_scan_item(&walk.scan))
        depth++;
    assert_int_equal(depth, JSON_DEEPEST - 1);
    assert_non_null(strstr(walk.error.message, "nested too deep"));
    end(&walk);
    free(text);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int decimals;
        int64_t value;
        bool good;
    } cases[] = {
        {"0", 3, 0, true},
        {"-0", 3, 0, true},
        {"1669783687464181", 3, 1669783687464181000, true},
        {"1669783687464.181", 3, 1669783687464181, true},
        {"3.5", 3, 3500, true},
        {"3.0004", 3, 3000, true},
        {"3.0005", 3, 3001, true},
        {"-3.0005", 3, -3001, true},
        {"0.4999999999999999999999", 0, 0, true},
        {"0.5", 0, 1, true},
        {"1.5e3", 0, 1500, true},
        {"1.5E+3", 3, 1500000, true},
        {"15e-1", 0, 2, true},
        {"149e-2", 0, 1, true},
        {"1234567e-9", 3, 1, true},
        {"1e-400", 3, 0, true},
        {"0e99999999999", 3, 0, true},
        {"9223372036854775807", 0, INT64_MAX, true},
        {"-9223372036854775807", 0, -INT64_MAX, true},
        {"9223372036854775808", 0, 0, false},
        {"18446744073709551616", 0, 0, false},
        {"9223372036854775.807", 3, INT64_MAX, true},
        {"9223372036854775.808", 3, 0, false},
        {"1e19", 0, 0, false},
        {"1e400", 3, 0, false},
        {"", 0, 0, false},
        {"-", 0, 0, false},
        {".", 0, 0, false},
        {"1e", 0, 0, false},
        {"1x", 0, 0, false},
        {"1.2.3", 0, 0, false},
        {"--1", 0, 0, false},
        {"1e5x", 0, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = -77;
        bool good = json_scaled((struct json_text){cases[i].text, strlen(cases[i].text)},
                                cases[i].decimals, &value);
        if (good != cases[i].good || (good && value != cases[i].value))
            fail_msg("%s: %d, %lld", cases[i].text, good, (long long)value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),          cmocka_unit_test(test_leaving),
        cmocka_unit_test(test_borders),       cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_deep_and_long), cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
