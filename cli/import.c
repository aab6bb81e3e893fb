#include "cli/cli.h"

#include <stdlib.h>

enum { READER = 0x1000 };

static const struct argp_option options[] = {
    {"output", 'o', "TRACE", 0,
     "trace to write: .wtrace is binary, anything else text, compressed if it ends in .gz or .zst; "
     "- is standard output",
     0},
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

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct cli_copy *copy = state->input;
    switch (key) {
    case 'o':
        copy->output = text;
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
        cli_take_argument(&copy->input, text, "file", state);
        return 0;
    case ARGP_KEY_END:
        if (copy->input == NULL || copy->output == NULL)
            argp_error(state, "expected a file to read and -o TRACE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp import_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "FILE -o TRACE",
    .doc = "Read a foreign recording and write it as a wddmsim trace.\v"
           "Formats are told apart by content, whatever the file is called, and may be compressed "
           "(gzip, zstd, xz, bzip2, zip). The counts the importer made stand in the header of the "
           "trace, under x-import.",
    .children = cli_common,
};

static const struct argp convert_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE -o TRACE",
    .doc = "Convert a trace between the text and the binary encoding.\v"
           "Converting back gives the same events.",
    .children = cli_common,
};

static int run_import(int argc, char **argv)
{
    struct cli_copy copy = {0};
    cli_parse(&cli_import, argc, argv, &copy);
    int status = cli_copy_trace(&copy);
    free(copy.reader.items);
    return status;
}

static int run_convert(int argc, char **argv)
{
    struct cli_copy copy = {0};
    cli_parse(&cli_convert, argc, argv, &copy);
    int status = cli_copy_trace(&copy);
    free(copy.reader.items);
    return status;
}

const struct cli_command cli_import = {"import", "read a foreign recording, write a wddmsim trace",
                                       &import_argp, run_import};

const struct cli_command cli_convert = {"convert", "convert a trace between text and binary",
                                        &convert_argp, run_convert};
