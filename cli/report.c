#include "analysis/report.h"
#include "cli/cli.h"

enum { FOLDERS_MAX = 64, FORMAT = 0x100 };

struct request {
    const char *folders[FOLDERS_MAX];
    size_t count;
    const char *output, *formats;
};

static const struct argp_option options[] = {
    {"output", 'o', "DIR", 0,
     "folder for the report that compares several (default: wddmsim-report)", 0},
    {"format", FORMAT, "LIST", 0, "draw the figures as png, pdf or both (png,pdf), too", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case 'o':
        request->output = text;
        return 0;
    case FORMAT:
        request->formats = text;
        if (!report_knows_formats(text))
            argp_error(state, "--format: expected png, pdf or png,pdf, got \"%s\"", text);
        return 0;
    case ARGP_KEY_ARG:
        if (request->count == FOLDERS_MAX)
            argp_error(state, "expected at most %d folders", FOLDERS_MAX);
        else
            request->folders[request->count++] = text;
        return 0;
    case ARGP_KEY_END:
        if (request->count == 0)
            argp_error(state, "expected a result folder");
        if (request->count == 1 && request->output != NULL)
            argp_error(state, "--output is for several folders; the report of one stays in it");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp report_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "DIR...",
    .doc =
        "Draw the plots and the page of a replay's folder again, in that folder. Several folders "
        "are compared with the first, on one page of their own.",
    .children = cli_common,
};

static int run_report(int argc, char **argv)
{
    struct request request = {0};
    char error[512];
    cli_parse(&cli_report, argc, argv, &request);
    if (request.output == NULL)
        request.output = request.count == 1 ? request.folders[0] : "wddmsim-report";
    if (!report_write(request.folders, request.count, request.output, error, sizeof error)) {
        cli_error("%s", error);
        return CLI_FAILED;
    }
    if (request.formats != NULL &&
        !report_convert(request.output, request.formats, error, sizeof error)) {
        cli_error("--format: %s", error);
        return CLI_FAILED;
    }
    printf("%s/report.html\n", request.output);
    return CLI_OK;
}

const struct cli_command cli_report = {"report", "draw the plots and the page of result folders",
                                       &report_argp, run_report};
