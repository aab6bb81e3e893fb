/* The recorder, driven by hand: every expected number is worked out in a comment. */
#include "analysis/record.h"
#include "analysis/recorder.h"
#include "model/status.h"

#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int make_folder(void **unused)
{
    (void)unused;
    strcpy(folder, "/tmp/wddmsim-analysis-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **unused)
{
    (void)unused;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] != '.') {
            char *path = output_path(folder, entry->d_name);
            if (unlink(path) != 0)
                rmdir(path);
            free(path);
        }
    closedir(directory);
    return rmdir(folder);
}

/* The whole file; free() it. */
static char *contents(const char *name)
{
    char *path = output_path(folder, name), *text = NULL;
    size_t length = 0, room = 0;
    FILE *file = fopen(path, "rb");
    free(path);
    assert_non_null(file);
    for (int c; (c = getc(file)) != EOF; text[length++] = (char)c)
        if (length + 2 > room)
            text = realloc(text, room = 2 * room + 4096);
    fclose(file);
    assert_non_null(text);
    text[length] = 0;
    return text;
}

static bool exists(const char *name)
{
    char *path = output_path(folder, name);
    bool found = access(path, F_OK) == 0;
    free(path);
    return found;
}

static void assert_no_part_remains(void)
{
    DIR *directory = opendir(folder);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        assert_null(strstr(entry->d_name, ".part"));
    closedir(directory);
}

static void assert_line(const char *text, const char *line)
{
    const char *found = strstr(text, line);
    if (found == NULL || (found != text && found[-1] != '\n'))
        fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void segment_state(const void *model, uint32_t segment, struct probe_segment_state *state)
{
    (void)model;
    *state = (struct probe_segment_state){100 * segment, 40, 900, 700, 740};
}

static void hardware(const void *profile, FILE *out)
{
    fprintf(out, "name: %s\n", (const char *)profile);
}

/* `directory` NULL: a recorder without a folder. */
static struct recorder *start_in(const char *directory, bool calls, bool expect)
{
    struct recorder_options options = {.uses = true,
                                       .directory = directory,
                                       .calls = calls,
                                       .expect = expect,
                                       .expect_tolerance_ns = 1};
    char error[256] = "";
    struct recorder *recorder = recorder_create(&options, error, sizeof error);
    assert_non_null(recorder);
    struct probe *probe = recorder_probe(recorder);
    struct probe_machine machine = {.segments = 2, .nodes = 1, .segment_state = segment_state};
    machine.segment[0].name = "local";
    machine.segment[0].size_bytes = 1000;
    machine.segment[1].name = "aperture, big";
    machine.segment[1].size_bytes = 5000;
    machine.segment[1].aperture = true;
    machine.node[0].name = "3d";
    machine.node[0].kind = "3d";
    probe->machine(probe->self, &machine);
    return recorder;
}

static struct recorder *start(bool calls, bool expect)
{
    return start_in(folder, calls, expect);
}

static const struct recorder_run ordinary_run = {.version = "1",
                                                 .trace = "t",
                                                 .trace_sha256 = "0",
                                                 .command_line = "c",
                                                 .profile = "p",
                                                 .pace = "recorded",
                                                 .events = 5,
                                                 .simulated_ns = 1000,
                                                 .wall_s = 0.5};

/* Ends the run at 1000 ns. */
static void finish(struct recorder *recorder)
{
    char error[256] = "";
    if (!recorder_finish(recorder, &ordinary_run, hardware, "p", error, sizeof error))
        fail_msg("%s", error);
    assert_no_part_remains();
}

static json_t *summary(void)
{
    char *text = contents("summary.json");
    json_t *json = json_loads(text, 0, NULL);
    free(text);
    assert_non_null(json);
    return json;
}

static const json_t *at(const json_t *json, const char *path)
{
    char copy[128], *rest = copy;
    strcpy(copy, path);
    for (char *key; (key = strsep(&rest, "/")) != NULL;) {
        const json_t *next = json_object_get(json, key);
        if (next == NULL)
            fail_msg("summary.json: no %s in %s", key, path);
        json = next;
    }
    return json;
}

static void assert_number(const json_t *json, const char *path, double expected)
{
    double got = json_number_value(at(json, path));
    if (got < expected - 1e-9 || got > expected + 1e-9)
        fail_msg("%s: expected %g, got %g", path, expected, got);
}

static void submit(struct recorder *recorder, uint64_t index, uint64_t cpu, uint64_t queue,
                   uint64_t execute, uint64_t recorded)
{
    struct probe *probe = recorder_probe(recorder);
    uint64_t start_ns = 10 * index, latency = cpu + queue + execute;
    struct probe_call call = {.index = index,
                              .op = "Submit",
                              .pid = 7,
                              .tid = 8,
                              .due_ns = start_ns - 1,
                              .start_ns = start_ns,
                              .return_ns = start_ns + cpu,
                              .done_ns = start_ns + latency,
                              .asynchronous = true};
    call.blame_ns[PROBE_CPU] = cpu;
    call.blame_ns[PROBE_QUEUE] = queue;
    call.blame_ns[PROBE_EXECUTE] = execute;
    call.expected.has_done = true;
    call.expected.latency_ns = recorded;
    probe->call(probe->self, &call);
}

/* Three submissions: 100, 101, 103 ns; recorded as 50, 101, 206 ns. */
static void submit_three(struct recorder *recorder)
{
    submit(recorder, 1, 10, 0, 90, 50);
    submit(recorder, 2, 10, 1, 90, 101);
    submit(recorder, 3, 10, 0, 93, 206);
}

static void fail_create(struct recorder *recorder)
{
    struct probe *probe = recorder_probe(recorder);
    struct probe_call call = {.index = 4,
                              .op = "CreateAllocation",
                              .pid = 3,
                              .due_ns = 400,
                              .start_ns = 400,
                              .return_ns = 901,
                              .status = STATUS_GRAPHICS_NO_VIDEO_MEMORY};
    call.blame_ns[PROBE_RESERVE] = 501;
    call.expected = (struct probe_expected){
        .has_status = true, .status = STATUS_SUCCESS, .has_dur = true, .dur_ns = 500};
    probe->call(probe->self, &call);
}

static void calls_and_blame(void **unused)
{
    (void)unused;
    struct recorder *recorder = start(true, false);
    submit_three(recorder);
    fail_create(recorder);
    finish(recorder);

    /* Mean 304 / 3 = 101.333; cpu 30 / 3, queue 1 / 3, execute 273 / 3: 10 + 0.333 + 91. */
    char *latency = contents("latency.csv");
    assert_string_equal(
        latency,
        "pid,op,count,failures,min_ns,mean_ns,p50_ns,p90_ns,p99_ns,p999_ns,max_ns,blame_cpu_ns,"
        "blame_lock_ns,blame_reserve_ns,blame_transfer_ns,blame_fill_ns,blame_map_ns,"
        "blame_queue_ns,blame_switch_ns,blame_preempt_ns,blame_execute_ns,blame_fence_ns,"
        "blame_display_ns,p95_ns\n"
        "3,CreateAllocation,1,1,501,501.000,501,501,,,501,0.000,0.000,501.000,0.000,0.000,0.000,"
        "0.000,0.000,0.000,0.000,0.000,0.000,\n"
        "7,Submit,3,0,100,101.333,101,103,,,103,10.000,0.000,0.000,0.000,0.000,0.000,0.333,0.000,"
        "0.000,91.000,0.000,0.000,\n");
    free(latency);

    char *calls = contents("calls.csv");
    assert_string_equal(
        calls,
        "index,t_ns,start_ns,return_ns,done_ns,pid,tid,op,status,latency_ns,blame_cpu_ns,"
        "blame_lock_ns,blame_reserve_ns,blame_transfer_ns,blame_fill_ns,blame_map_ns,"
        "blame_queue_ns,blame_switch_ns,blame_preempt_ns,blame_execute_ns,blame_fence_ns,"
        "blame_display_ns\n"
        "1,9,10,20,110,7,8,Submit,STATUS_SUCCESS,100,10,0,0,0,0,0,0,0,0,90,0,0\n"
        "2,19,20,30,121,7,8,Submit,STATUS_SUCCESS,101,10,0,0,0,0,0,1,0,0,90,0,0\n"
        "3,29,30,40,133,7,8,Submit,STATUS_SUCCESS,103,10,0,0,0,0,0,0,0,0,93,0,0\n"
        "4,400,400,901,,3,0,CreateAllocation,STATUS_GRAPHICS_NO_VIDEO_MEMORY,501,0,0,501,0,0,0,0,"
        "0,0,0,0,0\n");
    free(calls);

    /* Errors of Submit: 50/50 = 1, 0, 103/206 = 0.5: sorted 0 0.5 1. Bias (304-357)/357. */
    json_t *json = summary();
    assert_number(json, "calls/Submit/count", 3);
    assert_number(json, "calls/Submit/latency_ns/mean", 101.333);
    assert_number(json, "calls/Submit/blame_total_ns/execute", 273);
    assert_number(json, "calls/CreateAllocation/failures/STATUS_GRAPHICS_NO_VIDEO_MEMORY", 1);
    assert_number(json, "recorded/done/Submit/median_error", 0.5);
    assert_number(json, "recorded/done/Submit/p90_error", 1);
    assert_number(json, "recorded/done/Submit/bias", -53 / 357.0);
    assert_number(json, "recorded/dur/CreateAllocation/median_error", 0.002);
    assert_number(json, "recorded/status_mismatches", 1);
    assert_number(json, "drift/late_share", 0.75); /* the three were made 1 ns late */
    assert_true(json_is_null(at(json, "calls/Submit/latency_ns/p99")));
    json_decref(json);
    recorder_destroy(recorder);
}

static void blame_adds_up_to_the_mean(void **unused)
{
    (void)unused;
    /* 1 / 3 each is 0.333 333 333: the thousandth left over goes to one of the three. */
    uint64_t thirds[PROBE_CAUSES] = {1, 1, 1};
    struct record_blame mean;
    record_blame_mean(thirds, 3, &mean);
    assert_int_equal(mean.total, 1000);
    assert_int_equal(mean.part[0], 334);
    assert_int_equal(mean.part[1], 333);
    assert_int_equal(mean.part[2], 333);
    for (uint64_t count = 1; count < 2000; count++) {
        uint64_t blame[PROBE_CAUSES], parts = 0, total = 0;
        for (uint64_t cause = 0; cause < PROBE_CAUSES; cause++)
            total += blame[cause] = (cause + 3) * 1234567 % (count + cause + 1);
        record_blame_mean(blame, count, &mean);
        for (int cause = 0; cause < PROBE_CAUSES; cause++)
            parts += mean.part[cause];
        assert_int_equal(parts, mean.total);
        assert_int_equal(mean.total, total * 1000 / count);
    }
}

static void residency_is_weighted_by_time(void **unused)
{
    (void)unused;
    struct recorder *recorder = start(false, false);
    struct probe *probe = recorder_probe(recorder);
    /* Of process 7: 400 bytes for 500 ns, 600 for 250 ns, none for 250 ns: 350,000 byte ns in
     * 1000 ns, on average 350, and what it lacks of its 800 is in no segment, on average 450.
     * Process 9 has 50 from 750 on: 12.5. */
    probe->committed(probe->self, 0, 7, 1, 800);
    probe->resident(probe->self, 0, 7, 1, 400);
    probe->resident(probe->self, 500, 7, 1, 200);
    probe->resident(probe->self, 750, 7, 1, -600);
    probe->resident(probe->self, 750, 9, 1, 50);
    finish(recorder);

    json_t *json = summary();
    assert_number(json, "segments/local/peak_resident_bytes", 600);
    assert_number(json, "segments/local/mean_resident_bytes", 362.5);
    assert_number(json, "segments/local/peak_committed_bytes", 800);
    assert_number(json, "segments/local/largest_free_bytes_min", 700);
    const json_t *processes = json_object_get(json, "processes");
    assert_number(json_array_get(processes, 0), "segments/local/mean_resident_bytes", 350);
    assert_number(json_array_get(processes, 0), "segments/local/resident_time_share", 0.75);
    assert_number(json_array_get(processes, 0), "segments/system/mean_resident_bytes", 450);
    assert_number(json_array_get(processes, 1), "segments/local/mean_resident_bytes", 12.5);
    json_decref(json);

    char *rows = contents("residency.csv");
    assert_line(rows, "t_ns,scope,pid,segment,resident_bytes,committed_bytes,allocated_bytes,"
                      "marked_bytes,free_bytes,largest_free_bytes,largest_free_or_marked_bytes\n");
    assert_line(rows, "0,segment,,local,400,800,100,40,900,700,740\n");
    assert_line(rows, "0,segment,,\"aperture, big\",0,0,200,40,900,700,740\n");
    assert_line(rows, "500,process,7,local,600,800,,,,,\n");
    assert_line(rows, "0,process,7,system,400,,,,,,\n");
    assert_line(rows, "500,process,7,system,200,,,,,,\n");
    assert_line(rows, "500,segment,,system,200,,,,,,\n");
    assert_line(rows, "750,process,7,system,800,,,,,,\n");
    assert_line(rows, "1000,process,7,system,800,,,,,,\n");
    assert_line(rows, "750,segment,,local,50,800,100,40,900,700,740\n");
    assert_line(rows, "750,process,9,local,50,0,,,,,\n");
    assert_line(rows, "1000,process,9,local,50,0,,,,,\n");
    free(rows);
    recorder_destroy(recorder);
}

static void engines_add_up_to_the_run(void **unused)
{
    (void)unused;
    struct recorder *recorder = start(false, false);
    struct probe *probe = recorder_probe(recorder);
    void *self = probe->self;
    struct probe_label label = {"ctx", 0};
    probe->context(self, 5, 7, 0, label, false);
    /* Idle 100, busy 200, switching 50, busy 250, idle 400. */
    probe->engine(self, 100, 0, PROBE_ENGINE_BUSY, 1, 0);
    probe->engine(self, 300, 0, PROBE_ENGINE_SWITCHING, 2, 3);
    probe->engine(self, 350, 0, PROBE_ENGINE_BUSY, 2, 0);
    probe->engine(self, 600, 0, PROBE_ENGINE_IDLE, 0, 0);
    probe->context_switch(self, 300, 0, 4, 5, true, 50);
    probe->context_switch(self, 350, 0, 5, 5, false, 0);
    struct probe_packet packet = {.kind = PROBE_RENDER,
                                  .context = 5,
                                  .queued_ns = 90,
                                  .placed_ns = 95,
                                  .started_ns = 100,
                                  .finished_ns = 300,
                                  .completed_ns = 310,
                                  .execute_ns = 200,
                                  .references = 4,
                                  .hits = 3,
                                  .preemptions = 2};
    probe->packet(self, 310, &packet);
    probe->present(self, 320, &(struct probe_present){5, 7, .queued_ns = 300});
    probe->present(self, 400, &(struct probe_present){5, 7, .queued_ns = 310, .dropped = true});
    probe->present(self, 500, &(struct probe_present){5, 7, .queued_ns = 320, .missed = 3});
    /* Into the adapter 30 + 400 ns, still busy at the end. */
    probe->link(self, 100, 0, true, true);
    probe->link(self, 130, 0, true, false);
    probe->link(self, 600, 0, true, true);
    /* Alive 0..1000, resident 0..250. */
    probe->context_allocation(self, 0, 5, 1, 1);
    probe->context_allocation(self, 250, 5, 0, -1);
    finish(recorder);

    json_t *json = summary();
    assert_number(json, "scheduling/nodes/0/busy_ns", 450);
    assert_number(json, "scheduling/nodes/0/switch_ns", 50);
    assert_number(json, "scheduling/nodes/0/idle_ns", 500);
    assert_number(json, "scheduling/nodes/0/queue_depth_mean", 0.8);
    assert_number(json, "scheduling/nodes/0/queue_ns/p50", 10);
    assert_number(json, "scheduling/preemptions", 2);
    assert_number(json, "scheduling/context_switches", 1);
    assert_number(json, "scheduling/context_switches_avoided", 1);
    assert_number(json, "residency/hit_ratio", 0.75);
    assert_number(json, "presents/interval_ns/p50", 180);
    /* The dropped one counts apart; shown 20 and 180 after the calls, one three refreshes late. */
    assert_number(json, "presents/count", 2);
    assert_number(json, "presents/dropped", 1);
    assert_number(json, "presents/late", 1);
    assert_number(json, "presents/missed_refreshes", 3);
    assert_number(json, "presents/until_shown_ns/mean", 100);
    assert_number(json, "paging/link_busy_ns/in", 430);
    assert_number(json, "context_allocations/resident_ns_share", 0.25);
    json_decref(json);

    char *rows = contents("engines.csv");
    assert_line(rows, "t_ns,node,busy_share,queue_depth_mean,waiting_mean,switch_share\n");
    assert_line(rows, "99,0,0.000000,0.000000,0.000000,0.000000\n");
    assert_line(rows, "100,0,1.000000,1.000000,0.000000,0.000000\n");
    assert_line(rows, "300,0,0.000000,2.000000,3.000000,1.000000\n");
    assert_line(rows, "999,link-in,1.000000,,,\n");
    free(rows);
    recorder_destroy(recorder);
}

static void paging_is_counted_by_cause(void **unused)
{
    (void)unused;
    struct recorder *recorder = start(false, false);
    struct probe *probe = recorder_probe(recorder);
    struct probe_paging operation = {.kind = PROBE_PAGE_OUT,
                                     .allocation = {"a,b", 0},
                                     .pid = 7,
                                     .bytes = 64,
                                     .from = 1,
                                     .queued_ns = 10,
                                     .started_ns = 20,
                                     .finished_ns = 30,
                                     .cause = "eviction"};
    probe->paging(probe->self, &operation);
    operation.kind = PROBE_PAGE_IN;
    operation.from = 0;
    operation.to = 1;
    operation.queued_ns = 130; /* needed again 100 ns after it was evicted */
    operation.started_ns = 140;
    operation.finished_ns = 190;
    operation.cause = "submission";
    operation.context_allocation = true;
    probe->paging(probe->self, &operation);
    finish(recorder);

    char *rows = contents("paging.csv"), expected[512];
    snprintf(expected, sizeof expected,
             "t_ns,op,allocation,bytes,from,to,queued_ns,started_ns,finished_ns,cause,pid\n"
             "30,%s,\"a,b\",64,local,system,10,20,30,eviction,7\n"
             "190,%s,\"a,b\",64,system,local,130,140,190,submission,7\n",
             probe_paging_names[PROBE_PAGE_OUT], probe_paging_names[PROBE_PAGE_IN]);
    assert_string_equal(rows, expected);
    free(rows);
    json_t *json = summary();
    assert_number(json, "paging/page_in_bytes", 64);
    assert_number(json, "paging/evictions", 1);
    assert_number(json, "paging/refaults", 1);
    assert_number(json, "paging/refault_distance_ns/max", 100);
    assert_number(json, "context_allocations/page_ins", 1);
    json_decref(json);
    recorder_destroy(recorder);
}

static void expectations_are_checked(void **unused)
{
    (void)unused;
    struct recorder *recorder = start(false, true);
    submit_three(recorder); /* done: 50, 101, 206 expected; 100, 101, 103 got: two fail */
    fail_create(recorder);  /* status fails; dur is 1 ns off, within the tolerance */
    uint64_t checked = 0, failed = 0;
    recorder_expectations(recorder, &checked, &failed);
    assert_int_equal(checked, 5);
    assert_int_equal(failed, 3);
    assert_string_equal(recorder->unmet_message[0],
                        "event 1 (Submit): done: expected 50 ns after the call, got 100 ns");
    assert_string_equal(recorder->unmet_message[2],
                        "event 4 (CreateAllocation): status: expected STATUS_SUCCESS, got "
                        "STATUS_GRAPHICS_NO_VIDEO_MEMORY");
    recorder_destroy(recorder);
    assert_no_part_remains();
    assert_false(exists("summary.json")); /* never finished: nothing is left */
}

static void summary_has_every_key_of_the_contract(void **unused)
{
    (void)unused;
    static const char *const keys[] = {
        "run/version",
        "run/trace",
        "run/trace_sha256",
        "run/profile",
        "run/overrides",
        "run/seed",
        "run/events",
        "run/simulated_ns",
        "run/wall_s",
        "run/events_per_s",
        "run/partial",
        "calls/Submit/count",
        "calls/Submit/failures",
        "calls/Submit/latency_ns/min",
        "calls/Submit/latency_ns/mean",
        "calls/Submit/latency_ns/p50",
        "calls/Submit/latency_ns/p90",
        "calls/Submit/latency_ns/p99",
        "calls/Submit/latency_ns/p999",
        "calls/Submit/latency_ns/max",
        "calls/Submit/blame_ns/cpu",
        "calls/Submit/blame_ns/fence",
        "segments/local/size_bytes",
        "segments/local/peak_resident_bytes",
        "segments/local/mean_resident_bytes",
        "segments/local/largest_free_bytes_min",
        "residency/references",
        "residency/hits",
        "residency/hit_ratio",
        "paging/page_in_bytes",
        "paging/page_in_count",
        "paging/page_out_bytes",
        "paging/page_out_count",
        "paging/fill_bytes",
        "paging/fill_count",
        "paging/discard_bytes",
        "paging/evictions",
        "paging/demotions",
        "paging/link_busy_ns/in",
        "paging/link_busy_ns/out",
        "scheduling/packets",
        "scheduling/preemptions",
        "scheduling/context_switches",
        "scheduling/context_switches_avoided",
        "scheduling/nodes/0/busy_ns",
        "scheduling/nodes/0/idle_ns",
        "scheduling/nodes/0/switch_ns",
        "scheduling/nodes/0/queue_ns/p50",
        "scheduling/nodes/0/execute_ns/p50",
        "context_allocations/created",
        "context_allocations/resident_ns_share",
        "context_allocations/page_ins",
        "presents/count",
        "presents/interval_ns/p50",
        "recorded/dur/CreateAllocation/count",
        "recorded/done/Submit/median_error",
        "recorded/done/Submit/p90_error",
        "recorded/status_mismatches",
        "expectations/checked",
        "expectations/failed",
        "assumptions/unknown_handles",
        "warnings",
    };
    struct recorder *recorder = start(false, false);
    struct probe *probe = recorder_probe(recorder);
    submit_three(recorder);
    fail_create(recorder);
    probe->assume(probe->self, "unknown_handles", 2);
    probe->warn(probe->self, "twice");
    probe->warn(probe->self, "twice");
    finish(recorder);
    json_t *json = summary();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        at(json, keys[i]);
    assert_number(json, "assumptions/unknown_handles", 2);
    const json_t *warnings = json_object_get(json, "warnings");
    assert_string_equal(json_string_value(json_array_get(warnings, 0)), "twice (2 times)");
    json_decref(json);
    recorder_destroy(recorder);

    static const char *const files[] = {"summary.json",    "latency.csv",  "residency.csv",
                                        "paging.csv",      "engines.csv",  "recorded.csv",
                                        "latency-cdf.csv", "hardware.yaml"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_true(exists(files[i]));
    assert_false(exists("calls.csv"));
}

static void equal_runs_give_equal_files(void **unused)
{
    (void)unused;
    static const char *const files[] = {"summary.json", "latency.csv", "recorded.csv",
                                        "latency-cdf.csv"};
    enum { FILES = sizeof files / sizeof *files };
    char *first[FILES];
    for (int run = 0; run < 2; run++) {
        struct recorder *recorder = start(true, false);
        submit_three(recorder);
        fail_create(recorder);
        finish(recorder);
        recorder_destroy(recorder);
        for (size_t i = 0; i < FILES; i++) {
            char *text = contents(files[i]);
            if (run == 0) {
                first[i] = text;
                continue;
            }
            assert_string_equal(text, first[i]);
            free(text);
            free(first[i]);
        }
    }
}

static void no_folder_same_summary(void **unused)
{
    (void)unused;
    struct recorder *with = start(false, false), *without = start_in(NULL, false, false);
    for (uint64_t i = 1; i < 5; i++) {
        submit(with, i, 10, 20 * i, 30, 50);
        submit(without, i, 10, 20 * i, 30, 50);
    }
    finish(with);
    recorder_destroy(with);
    json_t *written = summary(), *returned = recorder_summary(without, &ordinary_run);
    recorder_destroy(without);
    assert_true(json_equal(written, returned));
    json_decref(written);
    json_decref(returned);
}

static void failures_leave_nothing_half_written(void **unused)
{
    (void)unused;
    char error[256] = "";
    /* The folder's name belongs to a file. */
    char *path = output_path(folder, "file"), *below = output_path(path, "out");
    fclose(fopen(path, "w"));
    struct recorder_options options = {.directory = below};
    assert_null(recorder_create(&options, error, sizeof error));
    assert_non_null(strstr(error, "cannot make this folder"));
    free(below);
    free(path);
    /* A folder stands where latency.csv should go. */
    path = output_path(folder, "latency.csv");
    assert_int_equal(mkdir(path, 0777), 0);
    free(path);
    struct recorder *recorder = start(false, false);
    struct recorder_run run = {.simulated_ns = 1};
    assert_false(recorder_finish(recorder, &run, NULL, NULL, error, sizeof error));
    assert_non_null(strstr(error, "latency.csv"));
    assert_no_part_remains();
    recorder_destroy(recorder);
}

/* However long the run, the memory and the files stay small. */
static void long_runs_stay_bounded(void **unused)
{
    (void)unused;
    struct recorder *recorder = start(false, false);
    struct probe *probe = recorder_probe(recorder);
    for (uint64_t t = 0; t < 1000000; t += 5) {
        probe->resident(probe->self, t, 7, 1, t % 10 == 0 ? 8 : -8);
        probe->engine(probe->self, t, 0, t % 10 == 0 ? PROBE_ENGINE_BUSY : PROBE_ENGINE_IDLE, 1, 0);
    }
    for (uint32_t use = 0; use < RECORD_USES + 10; use++) /* 1, 2, 3, and then only 4 */
        probe->uses(
            probe->self, use,
            &(struct probe_use){.bytes = 4096, .allocation = use < RECORD_USES ? 1 + use % 3 : 4},
            1);
    finish(recorder);
    assert_in_range(recorder->sampler.count, 1000, 2000);
    char *rows = contents("residency.csv");
    size_t lines = 0;
    for (const char *c = rows; *c != 0; c++)
        lines += *c == '\n';
    assert_in_range(lines, 1000, 3 * 2000 + 10);
    free(rows);
    /* Busy every other 5 ns until 999,995, where it went idle. */
    json_t *json = summary();
    assert_number(json, "scheduling/nodes/0/busy_ns", 500000);
    assert_number(json, "residency/miss_curve/references", RECORD_USES);
    assert_number(json, "residency/miss_curve/of_references", RECORD_USES + 10);
    assert_number(json, "residency/miss_curve/enough_bytes", 3 * 4096);
    assert_number(json, "segments/local/mean_resident_bytes", 500000 * 8 / 999995.0);
    json_decref(json);
    recorder_destroy(recorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_and_blame, make_folder, remove_folder),
        cmocka_unit_test(blame_adds_up_to_the_mean),
        cmocka_unit_test_setup_teardown(residency_is_weighted_by_time, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(engines_add_up_to_the_run, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(paging_is_counted_by_cause, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(expectations_are_checked, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(summary_has_every_key_of_the_contract, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(equal_runs_give_equal_files, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(no_folder_same_summary, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(failures_leave_nothing_half_written, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(long_runs_stay_bounded, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
