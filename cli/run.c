/* One replay from trace to results: what `replay` and `demo` do. */
#include "analysis/report.h"
#include "cli/session.h"

#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_hardware(const void *hardware, FILE *out)
{
    hardware_write(hardware, out);
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
    const char *wrong = recorder_check(recorder);
    if (wrong != NULL) {
        cli_error("%s", wrong);
        status = CLI_FAILED;
    }
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
            trace_reader_format(session->reader), session->hardware.adapters[0].name,
            run->play.set_count, session->wall_s, run->output);
    cli_print_facts(session->reader, stderr);
}

/* What standard output can show (no-color.org: NO_COLOR set to anything means no colours). */
static unsigned terminal_can(void)
{
    const char *none = getenv("NO_COLOR"), *kind = getenv("TERM");
    unsigned can = 0;
    if (!isatty(STDOUT_FILENO))
        return can;
    if ((none == NULL || none[0] == 0) && (kind == NULL || strcmp(kind, "dumb") != 0))
        can |= RECORDER_COLOUR;
    locale_t user = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (user != (locale_t)0 && strcmp(nl_langinfo_l(CODESET, user), "UTF-8") == 0)
        can |= RECORDER_BLOCKS;
    if (user != (locale_t)0)
        freelocale(user);
    return can;
}

static int write_results(const struct cli_run *run, struct session *session,
                         struct recorder *recorder)
{
    char digest[65], error[512];
    struct recorder_run about;
    if (!session_describe(session, cli_digest(run->trace, digest) ? digest : NULL,
                          run->command_line, &about))
        return CLI_FAILED;
    if (!recorder_finish(recorder, &about, write_hardware, &session->hardware, error,
                         sizeof error)) {
        cli_error("%s", error);
        return CLI_FAILED;
    }
    if (!run->quiet)
        recorder_print(recorder, &about, stdout, terminal_can());
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
        .check = run->play.check,
        .timeline = run->timeline,
        .expect_tolerance_ns = run->tolerance_ns,
        .uses = true,
        .beside = cli_processors() > 1,
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
        status = session_play(session, recorder_probe(recorder), run->faults, run->fault_count);
    if (status == CLI_OK)
        status = write_results(run, session, recorder);
    session_close(session, recorder);
    free(session);
    return status;
}
