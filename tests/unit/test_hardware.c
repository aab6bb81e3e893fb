/* The parameter table, units, the YAML loader and the built-in profiles. */
#include "model/hardware/keys.h"
#include "model/hardware/profile.h"
#include "model/hardware/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void sizes_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
        const char *back;
    } cases[] = {
        {"0", 0, "0B"},
        {"4096", 4096, "4KiB"},
        {"8GiB", UINT64_C(8) << 30, "8GiB"},
        {"8 GB", UINT64_C(8000000000), "7812500KiB"},
        {"1.5MiB", 1572864, "1536KiB"},
        {"0.5KB", 500, "500B"},
        {"16 TiB", UINT64_C(16) << 40, "16TiB"},
        {"18446744073709551615", UINT64_MAX, "18446744073709551615B"},
    };
    static const char *const bad[] = {"",      "GiB",  "-1",   "1.5",         "1 gib",
                                      "8GiBs", "0x10", "1e3B", "20000000TiB", "1.0.0KB",
                                      ".",     "8G",   "1 2"};
    char text[UNITS_TEXT_SIZE];
    uint64_t value;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(units_parse_size(cases[i].text, &value));
        assert_int_equal(value, cases[i].bytes);
        units_print_size(value, text);
        assert_string_equal(text, cases[i].back);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(units_parse_size(bad[i], &value));
}

static void times_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
        const char *back;
    } cases[] = {
        {"0", 0, "0ns"},
        {"15.4us", 15400, "15.4us"},
        {"15400", 15400, "15.4us"},
        {"1 s", 1000000000, "1s"},
        {"0.000000001s", 1, "1ns"},
        {"2000ps", 2, "2ns"},
        {"1ms", 1000000, "1ms"},
        {"1500us", 1500000, "1.5ms"},
        {"\xc2\xb5s", 0, NULL},
        {"18446744073709551615", UINT64_MAX, "18446744073.709551615s"},
    };
    char text[UNITS_TEXT_SIZE];
    uint64_t value;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(units_parse_ns(cases[i].text, &value), cases[i].back != NULL);
        if (cases[i].back == NULL)
            continue;
        assert_int_equal(value, cases[i].ns);
        units_print_ns(value, text);
        assert_string_equal(text, cases[i].back);
        assert_true(units_parse_ns(text, &value));
        assert_int_equal(value, cases[i].ns);
    }
    assert_false(units_parse_ns("1.5", &value));
    assert_false(units_parse_ns("1.5ps", &value));
    assert_false(units_parse_ns("3 min", &value));
    assert_true(units_parse_ps("4.7ns", &value));
    assert_int_equal(value, 4700);
    units_print_ps(value, text);
    assert_string_equal(text, "4.7ns");
    units_print_ps(314, text);
    assert_string_equal(text, "314ps");
}

static void rates_are_read_and_written(void **state)
{
    (void)state;
    char text[UNITS_TEXT_SIZE];
    double rate, back;
    assert_true(units_parse_rate("25.7GB/s", &rate));
    assert_true(rate == 25.7e9);
    units_print_rate(rate, text);
    assert_string_equal(text, "25.7GB/s");
    assert_true(units_parse_rate("24 GiB/s", &rate));
    assert_true(rate == 24.0 * 1073741824);
    assert_true(units_parse_rate("0", &rate) && rate == 0.0);
    assert_false(units_parse_rate("25.7", &rate));
    assert_false(units_parse_rate("25.7GB", &rate));
    assert_false(units_parse_rate("-1GB/s", &rate));
    assert_false(units_parse_rate("nan GB/s", &rate));
    /* Whatever the value, the text reads back to the last bit. */
    uint64_t random = 12345;
    for (int i = 0; i < 20000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        rate = (double)(random >> 11) / (double)(1 << (random % 20));
        units_print_rate(rate, text);
        assert_true(units_parse_rate(text, &back));
        assert_true(back == rate);
    }
}

static void every_default_is_in_range_and_survives_a_round_trip(void **state)
{
    (void)state;
    struct profile *owner = calloc(1, sizeof *owner);
    char text[KEY_TEXT_SIZE], again[KEY_TEXT_SIZE];
    assert_non_null(owner);
    for (size_t i = 0; i < profile_key_count(); i++) {
        const struct key_spec *spec = &profile_keys[i];
        assert_true(key_parse(spec, spec->standard, owner));
        key_print(spec, owner, text);
        assert_string_equal(text, spec->standard);

        /* Both ends of the range as well. */
        const char *dots = strstr(spec->range, "..");
        if (dots != NULL) {
            snprintf(again, sizeof again, "%.*s", (int)(dots - spec->range), spec->range);
            assert_true(key_parse(spec, again, owner));
            key_print(spec, owner, text);
            assert_string_equal(text, again);
            assert_true(key_parse(spec, dots + 2, owner));
            key_print(spec, owner, text);
            assert_string_equal(text, dots + 2);
            assert_false(key_parse(spec, "-1", owner));
            assert_false(key_parse(spec, "99999999999999999999", owner));
        }
        assert_false(key_parse(spec, "", owner));
        assert_false(key_parse(spec, "no such value", owner));
        assert_true(strlen(profile_key(i).meaning) > 0);
    }
    free(owner);
}

struct counter {
    size_t count;
    struct hardware *copy;
};

static void set_again(void *self, const char *key, const char *value)
{
    struct counter *counter = self;
    struct profile_error error;
    counter->count++;
    if (!hardware_set(counter->copy, key, value, "test", &error))
        fail_msg("%s", error.message);
}

static void count(void *self, const char *key, const char *value)
{
    (void)key, (void)value;
    ((struct counter *)self)->count++;
}

static void every_builtin_loads_checks_and_reloads(void **state)
{
    (void)state;
    struct hardware *first = malloc(sizeof *first), *second = malloc(sizeof *second);
    struct profile_error error;
    assert_true(profile_builtins_count >= 6);
    for (size_t i = 0; i < profile_builtins_count; i++) {
        const struct profile_builtin *builtin = &profile_builtins[i];
        if (!hardware_load(builtin->name, first, &error) || !hardware_check(first, &error))
            fail_msg("%s", error.message);
        assert_string_equal(first->adapters[0].name, builtin->name);
        assert_true(strlen(builtin->summary) > 20);

        /* Written and loaded. */
        char path[] = "/tmp/wddmsim-test-XXXXXX.yaml";
        int descriptor = mkstemps(path, 5);
        FILE *file = fdopen(descriptor, "w");
        assert_non_null(file);
        hardware_write(first, file);
        assert_int_equal(fclose(file), 0);
        if (!hardware_load(path, second, &error))
            fail_msg("%s", error.message);
        unlink(path);
        assert_memory_equal(first, second, sizeof *first);

        /* Set key by key. */
        struct counter counter = {0, second};
        memset(second, 0, sizeof *second);
        second->adapter_count = 1;
        profile_reset(&second->adapters[0]);
        hardware_each(first, first->adapter_count == 1 ? set_again : count, &counter);
        if (first->adapter_count == 1)
            assert_memory_equal(first, second, sizeof *first);

        /* The files are complete: none leaves a value to the table's defaults. */
        size_t lines = 0;
        for (const char *line = builtin->yaml; *line != '\0'; line = strchr(line, '\n') + 1) {
            size_t colon = strcspn(line, ":#\n");
            lines += line[colon] == ':' && line[colon + 1] == ' ';
        }
        assert_int_equal(lines, counter.count);
    }
    free(first);
    free(second);
}

static void ideal_is_the_ruler(void **state)
{
    (void)state;
    struct profile *p = malloc(sizeof *p);
    struct profile_error error;
    assert_true(profile_load("ideal", p, &error));
    assert_int_equal(p->wddm, 12);
    assert_true(p->link.bandwidth_in == 1e9 && p->link.bandwidth_out == 1e9);
    assert_int_equal(p->link.latency_ns, 0);
    assert_true(p->link.duplex_factor == 1.0);
    assert_true(p->memory.fill_rate == 0.0);
    assert_int_equal(p->memory.page_table_entry_ps + p->memory.tlb_flush_ns, 0);
    assert_int_equal(p->memory.aperture_map_ns, 0);
    assert_int_equal(p->segment_count, 2);
    assert_string_equal(p->segments[0].name, "local");
    assert_int_equal(p->segments[0].kind, PROFILE_MEMORY);
    assert_int_equal(p->segments[0].size, 1 << 30);
    assert_int_equal(p->segments[0].page, 4096);
    assert_int_equal(p->segments[0].cpu_visible, 0);
    assert_string_equal(p->segments[1].name, "aperture");
    assert_int_equal(p->segments[1].kind, PROFILE_APERTURE);
    assert_int_equal(p->segments[1].size, 1 << 30);
    assert_int_equal(p->node_count, 3);
    assert_string_equal(p->nodes[0].name, "3d");
    assert_string_equal(p->nodes[1].name, "copy");
    assert_int_equal(p->nodes[2].kind, PROFILE_NODE_PAGING);
    for (uint32_t i = 0; i < p->node_count; i++) {
        const struct profile_node *n = &p->nodes[i];
        assert_true(n->speed == 1.0);
        assert_int_equal(n->switch_ns + n->save_ns + n->restore_ns + n->save_area, 0);
    }
    const struct profile_scheduler *s = &p->scheduler;
    assert_int_equal(s->queue_depth, 2);
    assert_int_equal(s->context_switch, PROFILE_LAZY);
    assert_int_equal(s->submit_ns + s->complete_ns + s->wait_ns + s->signal_ns + s->present_ns, 0);
    assert_int_equal(s->flip_ns + s->vsync_ns + p->vidmm.build_ns, 0);
    assert_int_equal(p->vidmm.eviction, 0); /* lru */
    assert_false(p->miniport.context_save_area);
    for (int i = 0; i < PROFILE_CALLS; i++)
        assert_int_equal(p->costs[i].fixed_ns + p->costs[i].allocation_ns + p->costs[i].page_ps, 0);
    free(p);
}

static void settings_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *message; /* message: a part of it; NULL: accepted */
    } cases[] = {
        {"segments.local.size", "16GiB", NULL},
        {"scheduler.context-switch", "eager", NULL},
        {"wddm", "1.2", NULL},
        {"nodes.encode.kind", "video", NULL},
        {"nodes.encode.switch", "3us", NULL},
        {"wddm", "2.8", "--set: wddm: expected one of 1.2, 2.0, 2.7, got \"2.8\""},
        {"segments.local.size", "lots", "--set: segments.local.size: expected a size"},
        {"segments.local.szie", "8GiB", "did you mean segments.local.size?"},
        {"link.bandwith-in", "8GB/s", "did you mean link.bandwidth-in?"},
        {"segments.lcoal.size", "8GiB", "no segment \"lcoal\""},
        {"nodes.7.kind", "3d", "no such key"},
        {"link.duplex-factor", "0.4", "expected a number in 0.5..1, got \"0.4\""},
        {"link", "1", "no such key"},
        {"segments.NAME.size", "1GiB", "no segment \"NAME\""},
        {"vidmm.zero-fill", "maybe", "expected one of true, false"},
        {"", "1", "no such key"},
        {"name", "a b\n", "expected a name"},
    };
    struct profile *profile = malloc(sizeof *profile);
    struct profile_error error;
    assert_true(profile_load("rtx3070-8g", profile, &error));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool good = profile_set(profile, cases[i].key, cases[i].value, "--set", &error);
        if (good != (cases[i].message == NULL))
            fail_msg("%s=%s: %s", cases[i].key, cases[i].value, good ? "accepted" : error.message);
        if (!good && strstr(error.message, cases[i].message) == NULL)
            fail_msg("got: %s", error.message);
    }
    assert_true(profile_check(profile, &error));
    assert_int_equal(profile->segments[0].size, UINT64_C(16) << 30);
    assert_int_equal(profile->wddm, 12);
    assert_int_equal(profile->nodes[profile->node_count - 1].switch_ns, 3000);
    assert_string_equal(profile_usage_segment(profile, "upload"), "aperture");
    assert_string_equal(profile_usage_segment(profile, "no-such-usage"), "local");
    assert_string_equal(profile_usage_segment(profile, NULL), "local");
    free(profile);
}

static void whole_profiles_are_checked(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"segments.local.page", "8KiB", "segments.local.page: expected 4KiB, 64KiB or 2MiB"},
        {"segments.local.size", "4KiB", "segments.local.size: expected a whole number of pages"},
        {"segments.local.commit-limit", "1TiB", "segments.local.commit-limit: expected at most"},
        {"segments.local.cpu-visible", "1TiB", "segments.local.cpu-visible: expected at most"},
        {"nodes.paging.kind", "copy", "nodes: expected at least one of kind paging"},
        {"miniport.usage.depth", "vram", "miniport.usage.depth: expected the name of a segment"},
    };
    struct profile *profile = malloc(sizeof *profile);
    struct profile_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(profile_load("rtx3070-8g", profile, &error));
        assert_true(profile_set(profile, cases[i][0], cases[i][1], "test", &error));
        assert_false(profile_check(profile, &error));
        if (strstr(error.message, cases[i][2]) == NULL)
            fail_msg("got: %s", error.message);
    }
    free(profile);
}

/* A second adapter begins as a copy, has the segments that are listed for it and no others, and of
 * what is the machine's own the same. */
static void adapters_begin_as_copies(void **state)
{
    (void)state;
    static const char yaml[] =
        "wddm: 1.2\n"
        "link: {latency: 3us, shared: true}\n"
        "system: {memory: 8GiB}\n"
        "segments: {local: {size: 1GiB}, aperture: {kind: aperture, size: 1GiB}}\n"
        "nodes: {3d: {kind: 3d}, paging: {kind: paging}}\n"
        "adapters:\n"
        "  1:\n"
        "    name: second\n"
        "    link: {bandwidth-in: 5GB/s}\n"
        "    segments: {local: {size: 2GiB}, aperture: {kind: aperture, size: 64KiB},\n"
        "               spare: {size: 4KiB}}\n"
        "  2: {name: third}\n";
    struct hardware *hardware = malloc(sizeof *hardware);
    struct profile_error error;
    char path[] = "/tmp/wddmsim-test-XXXXXX.yaml";
    int descriptor = mkstemps(path, 5);
    assert_int_equal(write(descriptor, yaml, strlen(yaml)), strlen(yaml));
    close(descriptor);
    bool good = hardware_load(path, hardware, &error) && hardware_check(hardware, &error);
    unlink(path);
    if (!good)
        fail_msg("%s", error.message);
    assert_int_equal(hardware->adapter_count, 3);
    const struct profile *second = &hardware->adapters[1], *third = &hardware->adapters[2];
    assert_string_equal(second->name, "second");
    assert_int_equal(second->link.latency_ns, 3000);
    assert_true(second->link.shared);
    assert_true(second->link.bandwidth_in == 5e9);
    assert_int_equal(second->segment_count, 3);
    assert_int_equal(second->segments[0].size, UINT64_C(2) << 30);
    assert_int_equal(second->node_count, 2);
    assert_int_equal(third->segment_count, 2);
    assert_int_equal(third->segments[0].size, UINT64_C(1) << 30);

    assert_true(hardware_set(hardware, "wddm", "2.0", "test", &error));
    assert_int_equal(third->wddm, 20);
    assert_true(hardware_set(hardware, "link.latency", "4us", "test", &error));
    assert_int_equal(third->link.latency_ns, 3000);
    assert_true(hardware_set(hardware, "adapters.3.name", "fourth", "test", &error));
    assert_int_equal(hardware->adapters[3].link.latency_ns, 4000);
    static const char *const refused[][2] = {
        {"adapters.5.name", "test: adapters.5.name: expected adapters.4 before it"},
        {"adapters.4.link.latency", "the profile has no adapter 4 (a new one starts with "},
        {"adapters.1.wddm", "test: adapters.1.wddm: wddm is the machine's"},
        {"adapters.1.costs.submit.fixed", "costs.submit.fixed is the machine's"},
        {"adapters.0.name", "expected adapters.N.KEY, N in 1..7"},
        {"adapters.8.name", "expected adapters.N.KEY, N in 1..7"},
        {"adapters.1", "expected adapters.N.KEY"},
        {"adapters.2.link.latncy", "test: adapters.2: link.latncy: no such key, did you mean"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_false(hardware_set(hardware, refused[i][0], "1us", "test", &error));
        if (strstr(error.message, refused[i][1]) == NULL)
            fail_msg("got: %s", error.message);
    }
    assert_int_equal(hardware->adapter_count, 4);

    assert_true(hardware_set(hardware, "adapters.2.segments.local.size", "5KiB", "test", &error));
    assert_false(hardware_check(hardware, &error));
    assert_non_null(strstr(error.message, "adapters.2.segments.local.size: expected a whole"));
    free(hardware);
}

static void files_are_refused_with_their_place(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "1: expected a profile"},
        {"- 1\n", "1: expected a map"},
        {"link:\n  latency: fast\n", "2: link.latency: expected a time"},
        {"link:\n  latency: 1us\nlink.latency: 2us\n", "3: link.latency: given twice"},
        {"link: {latency: 1us, latency: 1us}\n", "1: link.latency: given twice"},
        {"link:\n  latncy: 1us\n", "2: link.latncy: no such key, did you mean link.latency?"},
        {"link:\n  - 1\n", "2: link: expected a value or a map"},
        {"a: &x 1\n", "1: a: no such key"},
        {"name: *x\n", "1: name: expected a value or a map"},
        {"name: [\n", ""},
        {"{a: {b: {c: {d: {e: {f: {g: {h: {i: {j: 1}}}}}}}}}}\n", "1: maps lie too deep"},
        {"name: one\n---\nname: two\n", "expected the end of the file"},
        {"? [a]\n: 1\n", "expected a key"},
        {"system:\n  memory:\n", "2: system.memory: expected a size"},
        {"adapters:\n  1: {name: b}\nname: a\n", "3: name: expected before adapters.1"},
        {"adapters:\n  2: {name: b}\n", "2: adapters.2.name: expected adapters.1 before it"},
        {"adapters:\n  1: {wddm: 2.0}\n", "2: adapters.1.wddm: wddm is the machine's"},
        {"adapters:\n  1: {name: b, name: c}\n", "2: adapters.1.name: given twice"},
        {"adapters:\n  one: {name: b}\n", "2: adapters.one.name: expected adapters.N.KEY"},
        {"adapters:\n  1: {name: b}\n", "expected one adapter, got 2"},
    };
    struct profile *profile = malloc(sizeof *profile);
    struct profile_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[] = "/tmp/wddmsim-test-XXXXXX.yaml";
        char expected[256];
        int descriptor = mkstemps(path, 5);
        assert_int_equal(write(descriptor, cases[i][0], strlen(cases[i][0])), strlen(cases[i][0]));
        close(descriptor);
        bool good = profile_load(path, profile, &error);
        unlink(path);
        snprintf(expected, sizeof expected, "%s:", path);
        if (good || strncmp(error.message, expected, strlen(expected)) != 0 ||
            strstr(error.message, cases[i][1]) == NULL)
            fail_msg("case %zu: %s", i, good ? "accepted" : error.message);
    }
    assert_false(profile_load("/no/such/file.yaml", profile, &error));
    assert_non_null(strstr(error.message, "No such file"));
    assert_false(profile_load("/", profile, &error));
    assert_false(profile_load("rtx3070", profile, &error));
    assert_non_null(strstr(error.message, "did you mean rtx3070-8g?"));
    free(profile);
}

static void keys_are_found(void **unused)
{
    (void)unused;
    char suggestion[PROFILE_KEY_SIZE];
    static const struct {
        const char *key, *row;
        enum key_type type;
    } keys[] = {
        {"segments.local.size", "segments.NAME.size", KEY_SIZE},
        {"nodes.3d.speed", "nodes.NAME.speed", KEY_NUMBER},
        {"scheduler.queue-depth", "scheduler.queue-depth", KEY_COUNT},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct key_spec *row = profile_key_find(keys[i].key, suggestion);
        assert_non_null(row);
        assert_string_equal(row->key, keys[i].row);
        assert_int_equal(row->type, keys[i].type);
    }
    assert_null(profile_key_find("segments.local.szie", suggestion));
    assert_string_equal(suggestion, "segments.local.size");
    assert_null(profile_key_find("weather", suggestion));
    assert_string_equal(suggestion, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read_and_written),
        cmocka_unit_test(times_are_read_and_written),
        cmocka_unit_test(rates_are_read_and_written),
        cmocka_unit_test(every_default_is_in_range_and_survives_a_round_trip),
        cmocka_unit_test(every_builtin_loads_checks_and_reloads),
        cmocka_unit_test(ideal_is_the_ruler),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(whole_profiles_are_checked),
        cmocka_unit_test(adapters_begin_as_copies),
        cmocka_unit_test(files_are_refused_with_their_place),
        cmocka_unit_test(keys_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
