/* Reading one encoding and writing another: what import and convert have in common. */
#include "cli/cli.h"
#include "traces/writer.h"

#include <inttypes.h>

struct state {
    struct cli_progress progress;
};

static void show_import(void *self, uint64_t done, uint64_t total)
{
    struct state *state = self;
    cli_progress_update(&state->progress, done, total, 0);
}

static int copy_events(const struct cli_copy *copy, struct trace_reader *reader,
                       struct trace_writer *writer, struct state *state, uint64_t *events,
                       uint64_t *bad)
{
    struct trace_event event;
    struct trace_error error;
    for (*events = *bad = 0; !cli_interrupted();) {
        enum trace_result result = trace_next(reader, &event, &error);
        if (result == TRACE_END)
            return CLI_OK;
        bool read = result == TRACE_EVENT;
        if (!read || !trace_writer_put(writer, &event, &error)) {
            if (!copy->skip_bad || !error.skippable) {
                int bad_input = cli_bad_input(error.message);
                return read ? CLI_FAILED : bad_input;
            }
            if ((*bad)++ == 0)
                fprintf(stderr, "%s (skipped)\n", error.message);
            continue;
        }
        if ((++*events & 0xfff) == 0 && state->progress.shown) {
            uint64_t done, total;
            trace_reader_progress(reader, &done, &total);
            cli_progress_update(&state->progress, done, total, *events);
        }
    }
    cli_error("interrupted: the trace is not complete");
    return CLI_INTERRUPTED;
}

int cli_copy_trace(const struct cli_copy *copy)
{
    struct state state;
    struct trace_reader *reader;
    struct trace_writer *writer;
    struct trace_error error;
    uint64_t events, bad;
    struct trace_open_options options = {
        .format = copy->format,
        .settings = copy->reader.items,
        .setting_count = copy->reader.count,
        .unknown_size = copy->unknown_size,
        .progress = show_import,
        .progress_self = &state,
    };
    cli_catch_interrupt();
    cli_progress_start(&state.progress, copy->quiet);
    if (!trace_open(copy->input, &options, &reader, &error)) {
        cli_progress_end(&state.progress);
        return cli_bad_input(error.message);
    }
    if (!trace_writer_open(copy->output, trace_reader_header(reader), &writer, &error)) {
        cli_progress_end(&state.progress);
        trace_close(reader);
        cli_bad_input(error.message);
        return CLI_FAILED;
    }
    int status = copy_events(copy, reader, writer, &state, &events, &bad);
    cli_progress_end(&state.progress);
    if (status != CLI_OK) {
        trace_writer_abandon(writer);
    } else if (!trace_writer_close(writer, &error)) {
        cli_bad_input(error.message);
        status = CLI_FAILED;
    } else if (!copy->quiet) {
        fprintf(stderr, "%s: %" PRIu64 " events (%s)", copy->output, events,
                trace_reader_format(reader));
        if (bad > 0)
            fprintf(stderr, ", %" PRIu64 " bad ones skipped", bad);
        fputc('\n', stderr);
    }
    if (copy->verbose)
        cli_print_facts(reader, stderr);
    trace_close(reader);
    return status;
}
