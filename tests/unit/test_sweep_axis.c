/* What --vary says, and the points and prices that follow. */
#include "cli/sweep/study.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct axis parsed(const char *text)
{
    struct axis axis;
    char error[400] = "";
    const char *nearest;
    if (!axis_parse(text, workload_find("frames", &nearest), &axis, error, sizeof error))
        fail_msg("%s: %s", text, error);
    return axis;
}

/* The labels, with commas between them. */
static void assert_levels(const char *text, const char *expected)
{
    struct axis axis = parsed(text);
    char labels[1000] = "";
    for (size_t i = 0; i < axis.shown.levels; i++) {
        strcat(labels, i > 0 ? "," : "");
        strcat(labels, axis.shown.level[i].label);
    }
    assert_string_equal(labels, expected);
    axis_free(&axis);
}

static void lists_and_ranges(void **unused)
{
    (void)unused;
    assert_levels("segments.local.size=1GiB,2GiB, 3GiB", "1GiB,2GiB,3GiB");
    assert_levels("segments.local.size=1GiB..3GiB:512MiB", "1GiB,1536MiB,2GiB,2560MiB,3GiB");
    assert_levels("segments.local.size=1GiB..3.5GiB:1GiB", "1GiB,2GiB,3GiB");
    assert_levels("segments.local.size=1MiB..64MiB*4", "1MiB,4MiB,16MiB,64MiB");
    assert_levels("segments.local.size=512MiB,1GiB..3GiB:1GiB,8GiB", "512MiB,1GiB,2GiB,3GiB,8GiB");
    assert_levels("segments.local.size=8GiB,2GiB,1GiB", "1GiB,2GiB,8GiB");
    assert_levels("link.latency=0ns..2us:500ns", "0ns,500ns,1us,1.5us,2us");
    assert_levels("link.bandwidth-in=8GB/s..32GB/s*2", "8GB/s,16GB/s,32GB/s");
    /* 0.1 has no exact double: the third value must not be 0.30000000000000004 */
    assert_levels("nodes.3d.speed=0.1..0.5:0.1", "0.1,0.2,0.3,0.4,0.5");
    assert_levels("scheduler.queue-depth=1..16*2", "1,2,4,8,16");
    /* Whole numbers stay whole: 1, 2.5, 6.25, 15.6 */
    assert_levels("scheduler.queue-depth=1..16*2.5", "1,3,6,16");
    assert_levels("memory.page-table-entry=0.5ns,314ps", "314ps,0.5ns");
    assert_levels("scheduler.context-switch=lazy,eager", "lazy,eager");
    assert_levels("hardware=ideal,rtx4090-24g", "ideal,rtx4090-24g");
    assert_levels("workload.processes=1..3:1", "1,2,3");
    assert_levels("workload.texture-size=1MiB..4MiB*2", "1MiB,2MiB,4MiB");
    struct axis axis = parsed("segments.local.size=1GiB..8GiB*2");
    assert_true(axis.shown.logarithmic && axis.shown.numeric && !axis.shown.range);
    assert_int_equal(axis.shown.unit, METRIC_BYTES);
    assert_true(axis.shown.level[3].value == 8589934592.);
    axis_free(&axis);
}

static void names_for_several_keys(void **unused)
{
    (void)unused;
    struct axis axis = parsed("PCIe=gen3{link.bandwidth-in=12.3GB/s, link.bandwidth-out=12.6GB/s},"
                              "gen4{link.bandwidth-in=25.5GB/s}");
    assert_int_equal(axis.shown.levels, 2);
    assert_false(axis.shown.numeric);
    assert_string_equal(axis.shown.level[0].label, "gen3");
    assert_int_equal(axis.settings[0].count, 2);
    assert_string_equal(axis.settings[0].items[1].key, "link.bandwidth-out");
    assert_string_equal(axis.settings[0].items[1].value, "12.6GB/s");
    assert_int_equal(axis.settings[1].count, 1);
    axis_free(&axis);
    axis = parsed("variant=plain{},fast{nodes.3d.speed=2}");
    assert_int_equal(axis.settings[0].count, 0);
    axis_free(&axis);
}

static void what_is_wrong_is_said(void **unused)
{
    (void)unused;
    static const char *const wrong[][2] = {
        {"link.latency", "expected KEY=VALUES"},
        {"=1us", "expected KEY=VALUES"},
        {"link.latncy=1us", "did you mean link.latency?"},
        {"weather=nice", "see wddmsim hardware keys"},
        {"link.latency=1us,,2us", "expected a time"},
        {"link.latency=soon", "expected a time such as 15.4us, got \"soon\""},
        {"link.bandwidth-in=8", "expected a rate"},
        {"segments.local.size=2GiB..1GiB:1MiB", "expected a range"},
        {"segments.local.size=1GiB..2GiB:0B", "expected a range"},
        {"segments.local.size=1GiB..2GiB*1", "expected a range"},
        {"segments.local.size=0B..2GiB*2", "expected a range"},
        {"segments.local.size=1..:", "expected a range"},
        {"segments.local.size=1GiB..2GiB,4GiB", "expected a list, or one range"},
        {"segments.local.size=0B..1TiB:1B", "at most 10000 values"},
        {"segments.local.size=1GiB,1024MiB", "expected every value once"},
        {"PCIe=gen3{link.bandwidth-in}", "expected NAME{KEY=VALUE,KEY=VALUE}"},
        {"PCIe=gen3{link.bandwidth-in=1GB/s", "expected NAME{KEY=VALUE,KEY=VALUE}"},
        {"PCIe={link.bandwidth-in=1GB/s}", "expected NAME{KEY=VALUE,KEY=VALUE}"},
        {"PCIe=gen3{link.bandwidth=1GB/s}", "no such key"},
        {"workload.textures-size=1MiB", "no such parameter"},
        {"seed=1,2", "--replicate"},
    };
    const char *nearest;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct axis axis;
        char error[400] = "";
        if (axis_parse(wrong[i][0], workload_find("frames", &nearest), &axis, error, sizeof error))
            fail_msg("%s is taken", wrong[i][0]);
        if (strstr(error, wrong[i][1]) == NULL)
            fail_msg("%s: \"%s\" lacks \"%s\"", wrong[i][0], error, wrong[i][1]);
    }
}

static void assert_at(const struct axis *axis, double coordinate, const char *label)
{
    struct sweep_level level;
    axis_at(axis, coordinate, &level);
    assert_string_equal(level.label, label);
    free(level.label);
}

static void coordinates_become_values(void **unused)
{
    (void)unused;
    struct axis axis = parsed("segments.local.size=1GiB..5GiB");
    assert_true(axis.shown.range);
    assert_true(axis.step == 4194304); /* of 4 GiB / 1000, the power of two below: 4 MiB */
    assert_at(&axis, 0, "1GiB");
    assert_at(&axis, 1, "5GiB");
    assert_at(&axis, 0.5, "3GiB");
    assert_at(&axis, 0.3333, "2388MiB"); /* 1 GiB + 341 steps */
    axis_free(&axis);
    axis = parsed("link.latency=1us..100us*");
    assert_at(&axis, 0, "1us");
    assert_at(&axis, 0.5, "10us");
    assert_at(&axis, 1, "100us");
    axis_free(&axis);
    axis = parsed("scheduler.queue-depth=1..5");
    assert_at(&axis, 0.4, "3"); /* 2.6 */
    axis_free(&axis);
    axis = parsed("scheduler.context-switch=lazy,eager");
    assert_at(&axis, 0.49, "lazy");
    assert_at(&axis, 0.5, "eager");
    assert_at(&axis, 1, "eager");
    axis_free(&axis);
}

static void costs_add_up(void **unused)
{
    (void)unused;
    static const char *const wrong[] = {"segments.local.size",
                                        "segments.local.size=",
                                        "segments.local.size=5",
                                        "segments.local.size=5/parsec",
                                        "segments.local.size=-5/GiB",
                                        "PCIe=5/GiB",
                                        "PCIe=gen3:1,gen9:2",
                                        "PCIe=gen3:x",
                                        "other=1"};
    struct axis axes[] = {parsed("segments.local.size=2GiB,4GiB"),
                          parsed("link.bandwidth-in=8GB/s,16GB/s"),
                          parsed("PCIe=gen3{link.latency=1us},gen4{link.latency=2us}")};
    struct study_cost prices[3];
    struct study study = {.axes = axes, .axis_count = 3, .prices = prices};
    char error[300];
    study.costs.count = 3;
    assert_true(
        study_cost_parse(&study, "segments.local.size=5/GiB", &prices[0], error, sizeof error));
    assert_true(
        study_cost_parse(&study, "link.bandwidth-in=0.5/(GB/s)", &prices[1], error, sizeof error));
    assert_true(study_cost_parse(&study, "PCIe=gen3:0,gen4:30", &prices[2], error, sizeof error));
    struct sweep_level at[] = {{NULL, 4294967296.}, {NULL, 16e9}, {NULL, (double)NAN}};
    size_t level[] = {1, 1, 1};
    struct sweep_point point = {.at = at, .level = level};
    assert_true(fabs(study_cost_of(&study, &point) - (4 * 5 + 16 * 0.5 + 30)) < 1e-9);
    level[2] = 2; /* none of the listed: no price */
    assert_true(isnan(study_cost_of(&study, &point)));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct study_cost cost;
        if (study_cost_parse(&study, wrong[i], &cost, error, sizeof error))
            fail_msg("%s is taken", wrong[i]);
        free(cost.prices);
    }
    free(prices[2].prices);
    for (size_t i = 0; i < 3; i++)
        axis_free(&axes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_and_ranges),      cmocka_unit_test(names_for_several_keys),
        cmocka_unit_test(what_is_wrong_is_said), cmocka_unit_test(coordinates_become_values),
        cmocka_unit_test(costs_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
