#include "analysis/compare.h"
#include "analysis/human.h"
#include "analysis/report.h"
#include "analysis/sweep/metric.h"
#include "cli/cli.h"

#include <stdlib.h>

enum { SIDES_MAX = 64, CONDITIONS_MAX = 64, FAIL_IF = 0x100 };

struct request {
    const char *folders[SIDES_MAX];
    size_t count;
    struct condition conditions[CONDITIONS_MAX];
    const char *texts[CONDITIONS_MAX]; /* of the conditions */
    size_t condition_count;
    const char *output;
    bool quiet;
};

static const struct argp_option options[] = {
    {"output", 'o', "DIR", 0, "write a page that compares them, too, into this folder", 0},
    {"fail-if", FAIL_IF, "CONDITION", 0,
     "exit with 1 if this holds of a result: PATH > LIMIT or PATH < LIMIT, where PATH is that of a "
     "number in summary.json and LIMIT a number with a unit, or with a sign in front how far it is "
     "from the first result's: 'calls.Submit.latency_ns.p99 > +5%'. May be repeated",
     0},
    {"quiet", 'q', NULL, 0, "print nothing but conditions that hold", 0},
    {0},
};

static void add_condition(struct request *request, const char *text, struct argp_state *state)
{
    char error[512];
    if (request->condition_count == CONDITIONS_MAX)
        argp_error(state, "expected at most %d conditions", CONDITIONS_MAX);
    else if (!condition_parse(&request->conditions[request->condition_count], text, error,
                              sizeof error))
        argp_error(state, "--fail-if: %s", error);
    else
        request->texts[request->condition_count++] = text;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case 'o':
        request->output = text;
        return 0;
    case 'q':
        request->quiet = true;
        return 0;
    case FAIL_IF:
        add_condition(request, text, state);
        return 0;
    case ARGP_KEY_ARG:
        if (request->count == SIDES_MAX)
            argp_error(state, "expected at most %d results", SIDES_MAX);
        else
            request->folders[request->count++] = text;
        return 0;
    case ARGP_KEY_END:
        if (request->count < 2)
            argp_error(state, "expected at least two results");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp compare_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "DIR DIR...",
    .doc = "Say how results differ from the first, and what their latencies consist of more or "
           "less. A folder of result folders stands for replications: they are paired by their "
           "seeds, and differences have a 95 % confidence interval.",
    .children = cli_common,
};

/* What a condition that holds is about, in both results. */
static void tell(const char *text, const struct condition *condition, const struct side *first,
                 const struct side *second)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM];
    struct difference found = side_difference(first, second, condition->path);
    enum metric_unit unit = metric_unit(condition->path);
    cli_error("%s: %s: %s, in %s %s", second->label, text, metric_text(unit, found.second, b),
              first->label, metric_text(unit, found.first, a));
}

/* CLI_OK: none of the conditions holds. */
static int judge(const struct request *request, const struct side *sides)
{
    int status = CLI_OK;
    for (size_t c = 0; c < request->condition_count; c++)
        for (size_t i = 1; i < request->count; i++) {
            bool holds;
            char error[512];
            if (!condition_holds(&request->conditions[c], &sides[0], &sides[i], &holds, error,
                                 sizeof error)) {
                cli_error("--fail-if: %s", error);
                return CLI_USAGE;
            }
            if (!holds)
                continue;
            tell(request->texts[c], &request->conditions[c], &sides[0], &sides[i]);
            status = CLI_FAILED;
        }
    return status;
}

static int run_compare(int argc, char **argv)
{
    static struct request request;
    static struct side sides[SIDES_MAX];
    char error[512];
    int status = CLI_OK;
    cli_parse(&cli_compare, argc, argv, &request);
    for (size_t i = 0; i < request.count && status == CLI_OK; i++)
        if (!side_load(&sides[i], request.folders[i], error, sizeof error)) {
            cli_error("%s", error);
            status = CLI_USAGE;
        }
    if (status == CLI_OK && !request.quiet)
        compare_print(stdout, sides, request.count);
    if (status == CLI_OK && request.output != NULL &&
        !report_write(request.folders, request.count, request.output, error, sizeof error)) {
        cli_error("%s", error);
        status = CLI_FAILED;
    }
    if (status == CLI_OK)
        status = judge(&request, sides);
    for (size_t i = 0; i < request.count; i++)
        side_free(&sides[i]);
    return cli_finish_output(status);
}

const struct cli_command cli_compare = {"compare", "say how results differ, for people and for CI",
                                        &compare_argp, run_compare};
