#include "cli/cli.h"

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct cli_copy *copy = state->input;
    (void)text;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = copy;
        return 0;
    case ARGP_KEY_END:
        if (copy->input_count > 1)
            argp_error(state, "expected one trace, got \"%.60s\" as well", copy->inputs[1].path);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {
    {&cli_copy_argp, 0, NULL, 0}, {&cli_common_argp, 0, NULL, -1}, {0}};

static const struct argp convert_argp = {
    .parser = parse,
    .args_doc = "TRACE -o FILE",
    .doc = "Convert a trace to the other encoding, or to what trace viewers read.\v"
           "Between text and binary nothing is lost. perfetto and chrome are for looking at a "
           "recording before it is simulated: ui.perfetto.dev opens both, chrome://tracing the "
           "latter.",
    .children = children,
};

static int run_convert(int argc, char **argv)
{
    struct cli_copy copy = {0};
    cli_parse(&cli_convert, argc, argv, &copy);
    int status = cli_copy_trace(&copy);
    cli_copy_free(&copy);
    return status;
}

const struct cli_command cli_convert = {"convert",
                                        "convert a trace between encodings, or for a trace viewer",
                                        &convert_argp, run_convert};
