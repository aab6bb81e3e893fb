/* Reading one encoding and writing another: what import and convert have in common. */
#include "cli/cli.h"
#include "traces/writer.h"

#include <inttypes.h>
#include <stdlib.h>

enum { READER = 0x1000, TO };

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0,
     "file to write: .wtrace is binary, .pftrace for Perfetto, .json for Chrome, anything else "
     "text; "
     "text and JSON are compressed if it ends in .gz or .zst; - is standard output",
     0},
    {"to", TO, "NAME", 0,
     "what to write, whatever the file is called: jsonl, wtrace, perfetto or chrome", 0},
    {"format", 'f', "NAME", 0, "format of the recording (default: detected from its content)", 0},
    {"reader", READER, "KEY=VALUE", 0,
     "a choice that the reader of the recording's format leaves open; may be repeated; the manual "
     "page lists them",
     0},
    {"unknown-size", 'u', "SIZE", 0,
     "bytes of an object whose creation was not recorded (default: 64KiB)", 0},
    {"skip-bad", 'b', NULL, 0, "leave out bad events instead of stopping", 0},
    {"quiet", 'q', NULL, 0, "no progress, no count", 0},
    {"verbose", 'v', NULL, 0, "print what the reader counted", 0},
    {0},
};

static void add_input(struct cli_copy *copy, const char *path, struct argp_state *state)
{
    struct trace_part *inputs = realloc(copy->inputs, (copy->input_count + 1) * sizeof *inputs);
    if (inputs == NULL) {
        argp_failure(state, CLI_FAILED, 0, "out of memory");
        return;
    }
    copy->inputs = inputs;
    inputs[copy->input_count++] = (struct trace_part){.path = path};
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct cli_copy *copy = state->input;
    switch (key) {
    case 'o':
        copy->output = text;
        return 0;
    case TO:
        if (!trace_writer_knows(text))
            argp_error(state, "--to: expected jsonl, wtrace, perfetto or chrome, got \"%.60s\"",
                       text);
        copy->encoding = text;
        return 0;
    case 'f':
        copy->format = text;
        return 0;
    case READER:
        cli_add_setting(&copy->reader, text, state);
        return 0;
    case 'u':
        copy->unknown_size = cli_size(text, "unknown-size", state);
        return 0;
    case 'b':
        copy->skip_bad = true;
        return 0;
    case 'q':
        copy->quiet = true;
        return 0;
    case 'v':
        copy->verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        add_input(copy, text, state);
        return 0;
    case ARGP_KEY_END:
        if (copy->input_count == 0 || copy->output == NULL)
            argp_error(state, "expected a file to read and -o FILE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp cli_copy_argp = {.options = options, .parser = parse};

void cli_copy_free(struct cli_copy *copy)
{
    free(copy->inputs);
    free(copy->reader.items);
}

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
    struct trace_open_options open_options = {
        .format = copy->format,
        .settings = copy->reader.items,
        .setting_count = copy->reader.count,
        .unknown_size = copy->unknown_size,
        .progress = show_import,
        .progress_self = &state,
    };
    cli_catch_interrupt();
    cli_progress_start(&state.progress, copy->quiet);
    if (!trace_open_parts(copy->inputs, copy->input_count, &open_options, &reader, &error)) {
        cli_progress_end(&state.progress);
        return cli_bad_input(error.message);
    }
    if (!trace_writer_open_as(copy->output, copy->encoding, trace_reader_header(reader), &writer,
                              &error)) {
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
