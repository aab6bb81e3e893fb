/* One replay from trace to results: what `replay` and `demo` do. */
#include "analysis/report.h"
#include "cli/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

static void write_hardware(const void *profile, FILE *out)
{
    profile_write(profile, out);
}

static void draw_report(const struct cli_run *run)
{
    char error[512] = "";
    if (!report_write(&run->output, 1, run->output, error, sizeof error))
        cli_error("no plots: %s", error); /* the tables are there: not a failure */
}

/* What the end of the run says about it, once the results are written. */
static int conclude(const struct cli_run *run, const struct session *session,
                    const struct recorder *recorder)
{
    const struct replay_result *result = &session->result;
    int status = CLI_OK;
    if (result->bad_events > 0)
        cli_error("%" PRIu64 " bad events skipped, the first: %s", result->bad_events,
                  result->first_bad);
    if (run->expect) {
        uint64_t checked, failed;
        recorder_expectations(recorder, &checked, &failed);
        if (failed > 0 || !run->quiet)
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
static void describe(const struct cli_run *run, const struct session *session)
{
    fprintf(stderr, "%s (%s) on %s, %zu values changed, %.3f s; results in %s\n", run->trace,
            trace_reader_format(session->reader), session->profile.name, run->play.set_count,
            session->wall_s, run->output);
    cli_print_facts(session->reader, stderr);
}

static int write_results(const struct cli_run *run, struct session *session,
                         struct recorder *recorder)
{
    char digest[65], error[512];
    struct recorder_run about;
    if (!session_describe(session, cli_digest(run->trace, digest) ? digest : NULL,
                          run->command_line, &about))
        return CLI_FAILED;
    if (!recorder_finish(recorder, &about, write_hardware, &session->profile, error,
                         sizeof error)) {
        cli_error("%s", error);
        return CLI_FAILED;
    }
    if (!run->quiet)
        recorder_print(recorder, &about, stdout, isatty(STDOUT_FILENO));
    if (run->verbose)
        describe(run, session);
    if (run->report)
        draw_report(run);
    return conclude(run, session, recorder);
}

int cli_run_replay(const struct cli_run *run)
{
    char error[512];
    const struct recorder_options recording = {
        .directory = run->output,
        .calls = run->calls,
        .expect = run->expect,
        .expect_tolerance_ns = run->tolerance_ns,
    };
    struct recorder *recorder = NULL;
    struct session *session = malloc(sizeof *session);
    if (session == NULL) {
        cli_error("out of memory");
        return CLI_FAILED;
    }
    int status = session_open(session, &run->play, run->trace, run->quiet);
    if (status == CLI_OK) {
        recorder = recorder_create(&recording, error, sizeof error);
        if (recorder == NULL) {
            cli_error("%s", error);
            status = CLI_FAILED;
        }
    }
    if (status == CLI_OK)
        status = session_play(session, recorder, run->faults, run->fault_count);
    if (status == CLI_OK)
        status = write_results(run, session, recorder);
    session_close(session, recorder);
    free(session);
    return status;
}
