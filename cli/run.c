/* One replay from trace to results: what `replay` and `demo` do. */
#include "analysis/recorder.h"
#include "analysis/report.h"
#include "cli/cli.h"
#include "model/miniport/miniport.h"
#include "workloads/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A run and what it holds until its end. */
struct session {
    const struct cli_run *run;
    struct profile profile;
    struct dxgkddi miniport; /* where it is not the built-in one */
    struct trace_reader *reader;
    struct foresight *foresight; /* NULL: the victim policy does not ask for it */
    struct recorder *recorder;
    struct cli_progress progress;
    struct replay_result result;
    bool catching;
};

static bool show_progress(void *self, uint64_t events, uint64_t simulated_ns)
{
    struct session *session = self;
    uint64_t done, total;
    (void)simulated_ns;
    if (!session->catching) { /* again: SimGrid took the signal for itself when it started */
        cli_catch_interrupt();
        session->catching = true;
    }
    if (session->progress.shown) {
        trace_reader_progress(session->reader, &done, &total);
        cli_progress_update(&session->progress, done, total, events);
    }
    return !cli_interrupted();
}

static void show_import(void *self, uint64_t done, uint64_t total)
{
    struct session *session = self;
    cli_progress_update(&session->progress, done, total, 0);
}

static bool load_hardware(struct session *session)
{
    const struct cli_run *run = session->run;
    struct profile_error error;
    bool good = profile_load(run->play.hardware, &session->profile, &error);
    for (size_t i = 0; good && i < run->play.set_count; i++)
        good = profile_set(&session->profile, run->play.set_keys[i], run->play.set_values[i],
                           "--set", &error);
    if (!good) {
        cli_bad_input(error.message);
        return false;
    }
    good = profile_check(&session->profile, &error);
    if (!good)
        fprintf(stderr, "%s: %s\n", run->play.hardware, error.message);
    return good;
}

static bool load_miniport(struct session *session)
{
    char error[512];
    if (session->run->play.miniport == NULL)
        return true;
    bool good = miniport_load(session->run->play.miniport, &session->miniport, error, sizeof error);
    if (!good)
        cli_bad_input(error);
    return good;
}

static void write_hardware(const void *profile, FILE *out)
{
    profile_write(profile, out);
}

/* The reader's facts as two lists; false: out of memory. */
static bool list_facts(struct session *session, struct recorder_run *about, const char ***keys,
                       double **values)
{
    size_t count;
    const struct trace_fact *facts = trace_reader_facts(session->reader, &count);
    *keys = calloc(count + 1, sizeof **keys);
    *values = calloc(count + 1, sizeof **values);
    if (*keys == NULL || *values == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        (*keys)[i] = facts[i].key;
        (*values)[i] = facts[i].value;
    }
    about->fact_keys = *keys;
    about->fact_values = *values;
    about->fact_count = count;
    return true;
}

static void draw_report(const struct cli_run *run)
{
    char error[512] = "";
    if (!report_write(&run->output, 1, run->output, error, sizeof error))
        cli_error("no plots: %s", error); /* the tables are there: not a failure */
}

/* What the end of the run says about it, once the results are written. */
static int conclude(const struct session *session)
{
    const struct replay_result *result = &session->result;
    int status = CLI_OK;
    if (result->bad_events > 0)
        cli_error("%" PRIu64 " bad events skipped, the first: %s", result->bad_events,
                  result->first_bad);
    if (session->run->expect) {
        uint64_t checked, failed;
        recorder_expectations(session->recorder, &checked, &failed);
        if (failed > 0 || !session->run->quiet)
            fprintf(stderr, "%" PRIu64 " expectations checked, %" PRIu64 " failed\n", checked,
                    failed);
        if (failed > 0)
            status = CLI_FAILED;
    }
    if (result->waiting_calls > 0 && !result->interrupted) {
        cli_error("%" PRIu64 " calls still wait for what can never happen: %s",
                  result->waiting_calls, result->waiting);
        status = CLI_FAILED;
    }
    if (result->interrupted) {
        cli_error("interrupted: the results cover what was simulated by then");
        status = CLI_INTERRUPTED;
    }
    return status;
}

/* --verbose: what was run and where the results are. */
static void describe(const struct session *session, double wall_s)
{
    const struct cli_run *run = session->run;
    fprintf(stderr, "%s (%s) on %s, %zu values changed, %.3f s; results in %s\n", run->trace,
            trace_reader_format(session->reader), session->profile.name, run->play.set_count,
            wall_s, run->output);
    cli_print_facts(session->reader, stderr);
}

static int write_results(struct session *session, double wall_s)
{
    const struct cli_run *run = session->run;
    char digest[65], miniport_digest[65], error[512] = "out of memory";
    const char **fact_keys = NULL;
    double *fact_values = NULL;
    struct recorder_run about = {
        .version = VERSION,
        .trace = run->trace,
        .trace_sha256 = cli_digest(run->trace, digest) ? digest : NULL,
        .command_line = run->command_line,
        .profile = session->profile.name,
        .override_keys = run->play.set_keys,
        .override_values = run->play.set_values,
        .override_count = run->play.set_count,
        .miniport = run->play.miniport,
        .miniport_sha256 =
            run->play.miniport != NULL && cli_digest(run->play.miniport, miniport_digest)
                ? miniport_digest
                : NULL,
        .pace = cli_pace_names[run->play.pace],
        .seed = run->play.seed,
        .events = session->result.events,
        .bad_events = session->result.bad_events,
        .simulated_ns = session->result.simulated_ns,
        .wall_s = wall_s,
        .partial = session->result.interrupted,
        .waiting_calls = session->result.waiting_calls,
    };
    bool good = list_facts(session, &about, &fact_keys, &fact_values) &&
                recorder_finish(session->recorder, &about, write_hardware, &session->profile, error,
                                sizeof error);
    if (!good) {
        cli_error("%s", error);
    } else {
        if (!run->quiet)
            recorder_print(session->recorder, &about, stdout, isatty(STDOUT_FILENO));
        if (run->verbose)
            describe(session, wall_s);
        if (run->report)
            draw_report(run);
    }
    free(fact_keys);
    free(fact_values);
    return good ? conclude(session) : CLI_FAILED;
}

/* Runs what was set up; the caller cleans up. */
static int play(struct session *session)
{
    const struct cli_run *run = session->run;
    char error[512];
    const struct recorder_options recording = {
        .directory = run->output,
        .calls = run->calls,
        .expect = run->expect,
        .expect_tolerance_ns = run->tolerance_ns,
    };
    session->recorder = recorder_create(&recording, error, sizeof error);
    if (session->recorder == NULL) {
        cli_error("%s", error);
        return CLI_FAILED;
    }
    const struct replay_options options = {
        .pace = (enum replay_pace)run->play.pace,
        .from_ns = run->play.from_ns,
        .to_ns = run->play.to_ns,
        .seed = run->play.seed,
        .check = run->play.check,
        .skip_bad = run->play.skip_bad,
        .faults = run->faults,
        .fault_count = run->fault_count,
        .miniport = run->play.miniport != NULL ? &session->miniport : NULL,
        .foresight = session->foresight,
        .progress = show_progress,
        .progress_self = session,
    };
    double begun = cli_seconds();
    enum replay_status status =
        replay_run(session->reader, &session->profile, recorder_probe(session->recorder), &options,
                   &session->result, error, sizeof error);
    double wall_s = cli_seconds() - begun;
    cli_progress_end(&session->progress);
    if (status == REPLAY_BAD_INPUT)
        return cli_bad_input(error);
    if (status == REPLAY_FAILED) {
        cli_error("%s", error);
        return CLI_FAILED;
    }
    return write_results(session, wall_s);
}

static bool open_trace(struct session *session, struct trace_reader **reader)
{
    const struct cli_run *run = session->run;
    struct trace_error error;
    const struct trace_open_options options = {
        .format = run->play.format,
        .settings = run->play.reader.items,
        .setting_count = run->play.reader.count,
        .unknown_size = run->play.unknown_size,
        .progress = show_import,
        .progress_self = session,
    };
    cli_progress_start(&session->progress, run->quiet);
    bool opened = trace_open(run->trace, &options, reader, &error);
    cli_progress_end(&session->progress);
    if (!opened)
        cli_bad_input(error.message);
    return opened;
}

/* A victim policy that knows the future has the trace read once before it is played. */
static bool look_ahead(struct session *session)
{
    struct trace_reader *reader;
    struct trace_error error;
    if (!replay_needs_foresight(&session->profile))
        return true;
    if (strcmp(session->run->trace, "-") == 0) {
        cli_bad_input("-: vidmm.eviction=belady reads the trace twice: expected a file, got "
                      "standard input");
        return false;
    }
    if (!open_trace(session, &reader))
        return false;
    session->foresight = foresight_read(reader, &error);
    if (session->foresight == NULL)
        cli_bad_input(error.message);
    trace_close(reader);
    return session->foresight != NULL;
}

int cli_run_replay(const struct cli_run *run)
{
    struct session *session = calloc(1, sizeof *session);
    int status = CLI_USAGE;
    if (session == NULL) {
        cli_error("out of memory");
        return CLI_FAILED;
    }
    session->run = run;
    if (load_hardware(session) && load_miniport(session)) {
        cli_catch_interrupt();
        if (look_ahead(session) && open_trace(session, &session->reader))
            status = play(session);
    }
    recorder_destroy(session->recorder);
    replay_release();
    if (session->reader != NULL)
        trace_close(session->reader);
    foresight_free(session->foresight);
    free(session);
    return status;
}
