/* The report on sound, damaged and hostile result folders. */
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/output.h"
#include "analysis/recorder.h"
#include "analysis/report.h"
#include "analysis/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char error[512];

static void run(const char *const *arguments)
{
    pid_t child = fork();
    if (child == 0) {
        execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
}

static int make_folder(void **unused)
{
    (void)unused;
    strcpy(folder, "/tmp/wddmsim-report-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **unused)
{
    (void)unused;
    const char *const arguments[] = {"rm", "-rf", folder, NULL};
    run(arguments);
    return 0;
}

static void put(const char *name, const char *text)
{
    char *path = output_path(folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    free(path);
}

static char *page(void)
{
    char *path = output_path(folder, "report.html"), *text = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(getdelim(&text, &room, 0, file) > 0);
    fclose(file);
    free(path);
    return text;
}

static bool report(void)
{
    const char *directories[] = {folder};
    error[0] = 0;
    return report_write(directories, 1, NULL, error, sizeof error);
}

static bool no_gnuplot(void)
{
    return system("gnuplot --version >/dev/null 2>&1") != 0;
}

/* A run of one op whose names try to get out of the page and of the scripts. */
static void record(void)
{
    struct recorder_options options = {.directory = folder};
    struct recorder *recorder = recorder_create(&options, error, sizeof error);
    assert_non_null(recorder);
    struct probe *probe = recorder_probe(recorder);
    struct probe_machine machine = {.segments = 1, .nodes = 1};
    machine.segment[0].name = "lo'cal <i>";
    machine.segment[0].size_bytes = 1 << 20;
    machine.node[0].name = "3d`touch x`";
    machine.node[0].kind = "3d";
    probe->machine(probe->self, &machine);
    for (uint64_t i = 0; i < 200; i++) {
        struct probe_call call = {.index = i,
                                  .op = "Submit",
                                  .pid = 1,
                                  .start_ns = 100 * i,
                                  .return_ns = 100 * i + i,
                                  .expected = {.has_dur = true, .dur_ns = i + 1}};
        call.blame_ns[PROBE_CPU] = i;
        probe->call(probe->self, &call);
        probe->resident(probe->self, 100 * i, 1, 1, 64);
        probe->engine(probe->self, 100 * i, 0, PROBE_ENGINE_BUSY, 1, 0);
        probe->engine(probe->self, 100 * i + 50, 0, PROBE_ENGINE_IDLE, 0, 0);
    }
    probe->warn(probe->self, "<script>alert('x')</script> & \"more\"");
    struct recorder_run run_facts = {.trace = "a <b> trace", .profile = "p", .simulated_ns = 20000};
    assert_true(recorder_finish(recorder, &run_facts, NULL, NULL, error, sizeof error));
    recorder_destroy(recorder);
}

static void a_sound_folder_gets_every_figure(void **unused)
{
    (void)unused;
    if (no_gnuplot())
        skip();
    record();
    if (!report())
        fail_msg("%s", error);
    static const char *const drawn[] = {"plots/latency.svg", "plots/blame.svg",
                                        "plots/residency.svg", "plots/engines.svg",
                                        "plots/recorded.svg"};
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++) {
        char *path = output_path(folder, drawn[i]);
        assert_int_equal(access(path, R_OK), 0);
        free(path);
    }
    char *text = page();
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "<b> trace"));
    assert_null(strstr(text, "lo'cal <i>"));
    assert_null(strstr(text, "No figure"));
    assert_null(strstr(text, "src="));
    assert_non_null(strstr(text, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp;"));
    free(text);
}

static void several_folders_are_compared(void **unused)
{
    (void)unused;
    if (no_gnuplot())
        skip();
    record();
    const char *directories[] = {folder, folder};
    assert_false(report_write(directories, 2, NULL, error, sizeof error));
    char *output = output_path(folder, "compared");
    if (!report_write(directories, 2, output, error, sizeof error))
        fail_msg("%s", error);
    char *path = output_path(output, "plots/compare.svg");
    assert_int_equal(access(path, R_OK), 0);
    free(path);
    free(output);
}

static void damaged_summaries_are_named(void **unused)
{
    (void)unused;
    static const char *const damaged[] = {"",
                                          "{",
                                          "[]",
                                          "{\"run\": 1, \"calls\": {}}",
                                          "{\"run\": {}, \"run\": {}, \"calls\": {}}",
                                          "\xff\xfe"};
    assert_false(report());
    assert_non_null(strstr(error, "summary.json"));
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        put("summary.json", damaged[i]);
        assert_false(report());
        assert_non_null(strstr(error, "summary.json"));
    }
    const char *missing[] = {"/nowhere/at/all"};
    assert_false(report_write(missing, 1, NULL, error, sizeof error));
    assert_string_equal(error, "/nowhere/at/all: no such folder");
}

static void damaged_tables_cost_their_figure_only(void **unused)
{
    (void)unused;
    if (no_gnuplot())
        skip();
    static const char *const tables[] = {"latency-cdf.csv", "residency.csv", "engines.csv",
                                         "recorded.csv"};
    static const char *const damage[] = {
        "",
        "something,else\n1,2\n",
        "op,source,latency_ns,share\nSubmit,simulated,x,y\n,,,\n\"\n",
        "t_ns,scope,pid,segment,resident_bytes\n-5,process,1,lo'cal <i>,1e999\nnan,process\n",
        "t_ns,node,busy_share,queue_depth_mean,waiting_mean\n1e300,0,1,1,1\n-1,0,1,1,1\n",
        "recorded_latency_ns,simulated_latency_ns,op\n-1,-1,Submit\n"};
    record();
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (size_t d = 0; d < sizeof damage / sizeof *damage; d++) {
            put(tables[t], damage[d]);
            if (!report())
                fail_msg("%s", error);
        }
    char *path = output_path(folder, "latency-cdf.csv");
    unlink(path);
    free(path);
    if (!report())
        fail_msg("%s", error);
    char *text = page();
    assert_non_null(strstr(text, "No figure"));
    free(text);
    put("summary.json", "{\"run\": {\"simulated_ns\": \"x\", \"overrides\": 3}, \"calls\": {\"a\": "
                        "7, \"b\": {\"count\": -1, \"latency_ns\": []}}, \"segments\": [1], "
                        "\"processes\": {\"x\": 1}, \"scheduling\": {\"nodes\": 5}, \"warnings\": "
                        "[1, {}]}");
    if (!report())
        fail_msg("%s", error);
}

static void numbers_for_people(void **unused)
{
    (void)unused;
    char text[HUMAN_ROOM];
    assert_string_equal(human_time(text, 0), "0 ns");
    assert_string_equal(human_time(text, 812), "812 ns");
    assert_string_equal(human_time(text, 1250), "1.25 us");
    assert_string_equal(human_time(text, 999.6), "1.00 us");
    assert_string_equal(human_time(text, 33100000), "33.1 ms");
    assert_string_equal(html_time(text, 1250), "1.25 µs");
    assert_string_equal(human_bytes(text, 640), "640 B");
    assert_string_equal(human_bytes(text, 1536.0 * 1024 * 1024), "1.50 GiB");
    assert_string_equal(human_count(text, 1234567), "1,234,567");
    assert_string_equal(human_count(text, 12), "12");
    assert_string_equal(human_share(text, 0.125), "12.5 %");
    assert_string_equal(human_decimal(text, -0.0004, 3), "0.000");
    assert_string_equal(human_decimal(text, -2.5, 1), "-2.5");
    assert_string_equal(human_thousandths(text, 12005), "12.005");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sound_folder_gets_every_figure, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(several_folders_are_compared, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(damaged_summaries_are_named, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(damaged_tables_cost_their_figure_only, make_folder,
                                        remove_folder),
        cmocka_unit_test(numbers_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
