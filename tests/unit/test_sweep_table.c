/* The table of a sweep: metrics out of summaries, means and their confidence, what is made of them,
 * and the files. Expected numbers are worked out in the comments. */
#include "analysis/heap.h"
#include "analysis/human.h"
#include "analysis/output.h"
#include "analysis/sweep/page.h"
#include "analysis/sweep/report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_near(double got, double expected, double tolerance, const char *what)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s: expected %.9g, got %.9g", what, expected, got);
}

static void list(void *self, const char *path, double value)
{
    char *text = self;
    sprintf(text + strlen(text), "%s=%g ", path, value);
}

static void metrics_are_paths(void **unused)
{
    (void)unused;
    json_t *json = json_loads(
        "{\"calls\": {\"Submit\": {\"latency_ns\": {\"p50\": 10, \"p99\": null}, \"count\": 2},"
        " \"Lock\": {\"latency_ns\": {\"p50\": 4}}},"
        " \"processes\": [{\"pid\": 7, \"calls\": 1}, {\"pid\": 1, \"calls\": 2}],"
        " \"residency\": {\"hit_ratio\": 0.5}}",
        0, NULL);
    assert_near(metric_value(json, "calls.Submit.latency_ns.p50"), 10, 0, "p50");
    assert_true(isnan(metric_value(json, "calls.Submit.latency_ns.p99")));
    assert_true(isnan(metric_value(json, "calls.Submit")));
    assert_true(isnan(metric_value(json, "calls.Nothing.count")));
    assert_true(isnan(metric_value(json, "")));
    assert_near(metric_value(json, "processes.7.calls"), 1, 0, "by its pid");
    assert_near(metric_value(json, "processes.1.calls"), 2, 0, "by its pid, not its place");
    assert_near(metric_value(json, "processes.0.calls"), 1, 0, "by its place");
    char text[400] = "";
    metric_each(json, "calls.*.latency_ns.p50", list, text);
    assert_string_equal(text, "calls.Submit.latency_ns.p50=10 calls.Lock.latency_ns.p50=4 ");
    text[0] = 0;
    metric_each(json, "calls.*.nothing", list, text);
    assert_string_equal(text, "");
    json_decref(json);
    assert_int_equal(metric_unit("calls.Submit.latency_ns.p99"), METRIC_NS);
    assert_int_equal(metric_unit("run.simulated_ns"), METRIC_NS);
    assert_int_equal(metric_unit("paging.page_in_bytes"), METRIC_BYTES);
    assert_int_equal(metric_unit("segments.local.largest_free_bytes_min"), METRIC_BYTES);
    assert_int_equal(metric_unit("residency.hit_ratio"), METRIC_SHARE);
    assert_int_equal(metric_unit("paging.evictions"), METRIC_PLAIN);
    assert_string_equal(metric_find("p99")->path, "calls.Submit.latency_ns.p99");
    assert_null(metric_find("p98"));
}

/* A table of a grid: `levels` values of each key, all values 0. */
static struct sweep_table grid(size_t axes, const size_t *levels, uint64_t seeds)
{
    struct sweep_table table = {.version = heap_text("1"),
                                .title = heap_text(""),
                                .question = heap_text(""),
                                .hardware = heap_text("ideal"),
                                .seeds = seeds,
                                .axes = axes};
    size_t count = 1;
    table.trace = heap_new(1, sizeof *table.trace);
    table.trace[table.traces++] =
        (struct sweep_trace){heap_text("/some/trace.jsonl"), heap_text("0")};
    table.axis = heap_new(axes, sizeof *table.axis);
    table.searched = heap_new(axes, sizeof *table.searched);
    for (size_t a = 0; a < axes; a++) {
        struct sweep_axis *axis = &table.axis[a];
        char name[] = {(char)('a' + a), 0};
        count *= levels[a];
        axis->name = heap_text(name);
        axis->numeric = true;
        axis->levels = levels[a];
        axis->level = heap_new(levels[a], sizeof *axis->level);
        for (size_t l = 0; l < levels[a]; l++) {
            char label[] = {(char)('1' + l), 0};
            axis->level[l] = (struct sweep_level){heap_text(label), (double)l + 1};
        }
        axis->baseline = (struct sweep_level){heap_text("1"), 1};
    }
    sweep_table_add_metric(&table, "calls.Submit.latency_ns.p50");
    sweep_table_add_metric(&table, "residency.hit_ratio");
    table.points = count * seeds;
    table.point = heap_new(table.points, sizeof *table.point);
    for (size_t i = 0; i < table.points; i++) {
        struct sweep_point *point = &table.point[i];
        size_t rest = i / seeds;
        *point = (struct sweep_point){.state = SWEEP_DONE, .seed = 5 + i % seeds};
        point->at = heap_new(axes, sizeof *point->at);
        point->level = heap_new(axes, sizeof *point->level);
        point->value = heap_new(2, sizeof *point->value);
        for (size_t a = axes; a-- > 0; rest /= levels[a]) {
            const struct sweep_level *level = &table.axis[a].level[rest % levels[a]];
            point->level[a] = rest % levels[a];
            point->at[a] = (struct sweep_level){heap_text(level->label), level->value};
        }
    }
    return table;
}

/* Two levels, three seeds: 10, 12, 14 and 13, 16, 16. Means 12 and 15; standard deviations 2 and
 * sqrt 3; Student's t for 2 degrees of freedom is 4.302653. Seed by seed the differences are 3, 4,
 * 2: mean 3, deviation 1. */
static void seeds_give_confidence(void **unused)
{
    (void)unused;
    static const double values[] = {10, 12, 14, 13, 16, 16};
    struct sweep_table table = grid(1, (const size_t[]){2}, 3);
    struct sweep_cells cells;
    for (size_t i = 0; i < 6; i++)
        table.point[i].value[0] = values[i];
    cells_make(&table, 0, &cells);
    assert_int_equal(cells.count, 2);
    assert_near(cells.cell[0].mean, 12, 1e-12, "mean");
    assert_near(cells.cell[0].half, 4.302653 * 2 / sqrt(3), 1e-5, "half width");
    assert_near(cells.cell[1].half, 4.302653, 1e-5, "half width");
    struct sweep_cell difference = cells_difference(&cells, 0, 1);
    assert_near(difference.mean, 3, 1e-12, "difference");
    assert_near(difference.half, 4.302653 / sqrt(3), 1e-5, "half width of the difference");
    cells_free(&cells);
    table.point[1].value[0] = (double)NAN; /* one seed has none: 10, 14 */
    table.point[4].state = SWEEP_FAILED;   /* and one failed: 13, 16; both have seeds 5 and 7 */
    cells_make(&table, 0, &cells);
    assert_near(cells.cell[0].mean, 12, 1e-12, "mean of two");
    assert_int_equal(cells.cell[1].count, 2);
    assert_int_equal(cells_difference(&cells, 0, 1).count, 2);
    cells_free(&cells);
    sweep_table_free(&table);
}

/* f = 10 a + b + 5 (a - 1)(b - 1): along a at b = 1 from 10 to 30 plus 1; along b at a = 1: by 1.
 */
static void effects_are_ordered(void **unused)
{
    (void)unused;
    struct sweep_table table = grid(2, (const size_t[]){3, 2}, 1);
    struct sweep_effect effect[2];
    for (size_t i = 0; i < 6; i++) {
        double a = table.point[i].at[0].value, b = table.point[i].at[1].value;
        table.point[i].value[0] = 10 * a + b + 5 * (a - 1) * (b - 1);
        table.point[i].value[1] = 0.5;
    }
    assert_int_equal(insight_effects(&table, 0, effect), 2);
    assert_int_equal(effect[0].axis, 0);
    assert_true(effect[0].swings && effect[0].explained && !effect[0].off_baseline);
    assert_near(effect[0].low, 11, 1e-12, "low");
    assert_near(effect[0].high, 31, 1e-12, "high");
    assert_string_equal(effect[0].high_at.label, "3");
    assert_near(effect[1].high - effect[1].low, 1, 1e-12, "b alone");
    assert_true(effect[0].indices.total > effect[0].indices.first);
    assert_int_equal(insight_effects(&table, 1, effect), 2);
    assert_false(effect[0].explained); /* it does not vary */
    free(table.axis[1].baseline.label);
    table.axis[1].baseline = (struct sweep_level){heap_text("1.4"), 1.4};
    assert_int_equal(insight_effects(&table, 0, effect), 2);
    assert_true(effect[0].off_baseline); /* the nearest, 1, stands in */
    assert_near(effect[0].low, 11, 1e-12, "low");
    sweep_table_free(&table);
}

static void knees_are_found(void **unused)
{
    (void)unused;
    const double x[] = {1, 2, 3, 4, 5, 6};
    assert_int_equal(insight_knee(x, (const double[]){10, 5, 1, 1, 1, 1}, 6), 2);
    assert_int_equal(insight_knee(x, (const double[]){0, 1, 2, 3, 4, 5}, 6), 6); /* straight */
    assert_int_equal(insight_knee(x, (const double[]){7, 7, 7, 7, 7, 7}, 6), 6); /* flat */
    assert_int_equal(insight_knee(x, (const double[]){10, 1, 1}, 3), 3);         /* too few */
}

/* Points (p50, hits): less of the first, more of the second is better. (1, .2) (2, .5) (2, .4)
 * (3, .9) (4, .9): the third loses to the second, the last to the fourth. */
static void front_is_not_beaten(void **unused)
{
    (void)unused;
    static const double values[][2] = {{1, .2}, {2, .5}, {2, .4}, {3, .9}, {4, .9}, {0, NAN}};
    static const bool expected[] = {true, true, false, true, false, false};
    struct sweep_table table = grid(1, (const size_t[]){6}, 1);
    bool front[6];
    for (size_t i = 0; i < 6; i++)
        for (size_t m = 0; m < 2; m++)
            table.point[i].value[m] = values[i][m];
    assert_int_equal(insight_pareto(&table, 0, 1, front), 3);
    assert_memory_equal(front, expected, sizeof front);
    sweep_table_free(&table);
}

/* Latencies, levels of a: {5, 5, 1}, {4, 9, 4.001}: b = 3 wins once and ties once (0.025 %). */
static void wins_are_counted(void **unused)
{
    (void)unused;
    static const double values[] = {5, 5, 1, 4, 9, 4.001};
    struct sweep_table table = grid(2, (const size_t[]){2, 3}, 1);
    size_t wins[3];
    for (size_t i = 0; i < 6; i++)
        table.point[i].value[0] = values[i];
    assert_int_equal(insight_wins(&table, 0, 1, wins), 2);
    assert_int_equal(wins[0], 1);
    assert_int_equal(wins[1], 0);
    assert_int_equal(wins[2], 2);
    sweep_table_free(&table);
}

static char folder[64];

static int make_folder(void **unused)
{
    (void)unused;
    strcpy(folder, "/tmp/wddmsim-table-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **unused)
{
    (void)unused;
    static const char *const files[] = {"sweep.json", "sweep.csv", "again.json"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = output_path(folder, files[i]);
        unlink(path);
        free(path);
    }
    return rmdir(folder);
}

static char *contents(const char *name)
{
    char *path = output_path(folder, name), *text = NULL;
    size_t length, room = 1 << 20;
    FILE *file = fopen(path, "rb");
    free(path);
    assert_non_null(file);
    text = heap_new(room, 1);
    length = fread(text, 1, room - 1, file);
    text[length] = 0;
    fclose(file);
    return text;
}

static struct sweep_table full_table(void)
{
    struct sweep_table table = grid(2, (const size_t[]){2, 2}, 2);
    for (size_t i = 0; i < table.points; i++) {
        table.point[i].value[0] = 1000. + (double)i;
        table.point[i].value[1] = 0.125;
    }
    table.point[3].state = SWEEP_FAILED;
    table.point[3].message = heap_text("it said \"no\", and <left>");
    table.point[3].value[0] = table.point[3].value[1] = (double)NAN;
    table.has_pareto = true;
    table.pareto[1] = 1;
    return table;
}

/* What is written and read again writes the same bytes. */
static void files_come_back(void **unused)
{
    (void)unused;
    char error[300];
    struct sweep_table table = full_table(), back;
    assert_true(sweep_table_write(&table, folder, error, sizeof error));
    char *json = contents("sweep.json"), *csv = contents("sweep.csv");
    assert_true(sweep_table_is_there(folder));
    assert_true(sweep_table_read(&back, folder, error, sizeof error));
    assert_int_equal(back.points, 8);
    assert_int_equal(back.seeds, 2);
    assert_int_equal(back.point[3].state, SWEEP_FAILED);
    assert_true(isnan(back.point[3].value[0]));
    assert_int_equal(back.point[5].level[0], 1);
    assert_true(sweep_table_write(&back, folder, error, sizeof error));
    char *json_again = contents("sweep.json"), *csv_again = contents("sweep.csv");
    assert_string_equal(json, json_again);
    assert_string_equal(csv, csv_again);
    assert_non_null(strstr(
        csv, "point,role,state,a,b,seed,calls.Submit.latency_ns.p50,residency.hit_ratio,message\n"
             "1,point,done,1,1,5,1000,0.125,\n"));
    assert_non_null(strstr(csv, "4,point,failed,1,2,6,,,\"it said \"\"no\"\", and <left>\"\n"));
    free(json);
    free(csv);
    free(json_again);
    free(csv_again);
    sweep_table_free(&table);
    sweep_table_free(&back);
}

/* Whatever is cut out of the file or changed in it, reading it says what is wrong or gives a table
 * that a summary can be made of. */
static void damage_is_survived(void **unused)
{
    (void)unused;
    char error[400];
    struct sweep_table table = full_table();
    assert_true(sweep_table_write(&table, folder, error, sizeof error));
    sweep_table_free(&table);
    char *text = contents("sweep.json"), *path = output_path(folder, "sweep.json");
    size_t length = strlen(text), taken = 0;
    uint64_t random = 12345;
    FILE *nothing = fopen("/dev/null", "w");
    for (int round = 0; round < 2000; round++) {
        char *damaged = heap_text(text);
        for (int change = 0; change < 1 + round % 3; change++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            static const char bytes[] = "0123456789{}[]\",:-.enul";
            damaged[(random >> 20) % length] = bytes[(random >> 50) % (sizeof bytes - 1)];
        }
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fwrite(damaged, 1, round % 10 == 0 ? length / 2 : length, file);
        fclose(file);
        free(damaged);
        struct sweep_table back;
        error[0] = 0;
        if (sweep_table_read(&back, folder, error, sizeof error)) {
            taken++;
            sweep_print(&back, folder, nothing);
            sweep_table_free(&back);
        } else {
            assert_non_null(strstr(error, "sweep.json"));
        }
    }
    assert_in_range(taken, 100, 1900); /* both happen */
    fclose(nothing);
    free(text);
    free(path);
}

/* Sentences name the key, the values and what they were. */
static void sentences_say_it(void **unused)
{
    (void)unused;
    char text[SAY_ROOM];
    struct sweep_table table = grid(2, (const size_t[]){6, 2}, 1);
    struct sweep_view view;
    for (size_t i = 0; i < 12; i++) {
        double a = table.point[i].at[0].value;
        table.point[i].value[0] = a < 4 ? 8e6 - 2e6 * a : 1e6;
    }
    sweep_view_make(&table, &view);
    say_title(&table, text);
    assert_string_equal(text, "a × b of trace.jsonl on ideal");
    say_range(&table, 0, text);
    assert_string_equal(text, "Submit to done, median: from 1.00 ms, at a=4, b=1, to 6.00 ms, at "
                              "a=1, b=1.");
    say_effects(&view, text);
    assert_string_equal(text, "a matters most: it explains 100 % of the variance on its own. From "
                              "the baseline, a alone takes Submit to done, median from 1.00 ms (4) "
                              "to 6.00 ms (1).");
    say_knee(&view, text);
    assert_string_equal(text, "From a=4 on Submit to done, median hardly changes any more: 1.00 ms "
                              "there, 1.00 ms at 6.");
    sweep_view_free(&view);
    sweep_table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_are_paths),
        cmocka_unit_test(seeds_give_confidence),
        cmocka_unit_test(effects_are_ordered),
        cmocka_unit_test(knees_are_found),
        cmocka_unit_test(front_is_not_beaten),
        cmocka_unit_test(wins_are_counted),
        cmocka_unit_test_setup_teardown(files_come_back, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(damage_is_survived, make_folder, remove_folder),
        cmocka_unit_test(sentences_say_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
