#include "cli/cli.h"
#include "model/hardware/units.h"

#include <stdlib.h>
#include <string.h>

enum { OFFSET = 0x1001 };

static const struct argp_option options[] = {
    {"offset", OFFSET, "N=TIME", 0,
     "the Nth file begins so much later than the first (-3ms: earlier); may be repeated (default: "
     "what a clock in common says, else at the same time)",
     0},
    {0},
};

/* "2=1.5ms", "3=-2s". */
static void read_offset(struct cli_copy *copy, const char *text, struct argp_state *state)
{
    char *equals;
    unsigned long number = strtoul(text, &equals, 10);
    bool earlier = *equals == '=' && equals[1] == '-';
    uint64_t ns = 0;
    if (equals == text || *equals != '=' || number < 2 || number > TRACE_MOST_PARTS ||
        !units_parse_ns(equals + 1 + earlier, &ns) || ns > INT64_MAX / 4) {
        argp_error(state,
                   "--offset: expected the number of a file from 2 on and a time, such as 2=1.5ms, "
                   "got \"%.60s\"",
                   text);
        return;
    }
    copy->offsets[number - 1] =
        (struct trace_part){.has_offset = true, .offset_ns = earlier ? -(int64_t)ns : (int64_t)ns};
}

/* The files are known only when all of the command line is read. */
static void join_offsets(struct cli_copy *copy, struct argp_state *state)
{
    for (size_t i = 0; i < TRACE_MOST_PARTS; i++) {
        if (!copy->offsets[i].has_offset)
            continue;
        if (i >= copy->input_count)
            argp_error(state, "--offset: there is no file %zu", i + 1);
        else
            copy->inputs[i].has_offset = true,
            copy->inputs[i].offset_ns = copy->offsets[i].offset_ns;
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct cli_copy *copy = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = copy;
        return 0;
    case OFFSET:
        read_offset(copy, text, state);
        return 0;
    case ARGP_KEY_END:
        join_offsets(copy, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {
    {&cli_copy_argp, 0, NULL, 0}, {&cli_common_argp, 0, NULL, -1}, {0}};

static const struct argp import_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "FILE... -o TRACE",
    .doc = "Read a foreign recording and write it as a wddmsim trace.\v"
           "Formats are told apart by content, whatever the file is called, and may be compressed "
           "(gzip, zstd, xz, bzip2, zip). The counts the importer made stand in the header of the "
           "trace, under x-import. Several files are recordings of one machine: their events are "
           "put in order on one clock, and what the kernel calls the same is the same.",
    .children = children,
};

static int run_import(int argc, char **argv)
{
    struct cli_copy copy = {0};
    cli_parse(&cli_import, argc, argv, &copy);
    int status = cli_copy_trace(&copy);
    cli_copy_free(&copy);
    return status;
}

const struct cli_command cli_import = {"import", "read a foreign recording, write a wddmsim trace",
                                       &import_argp, run_import};
