/* How long calls took: the distribution of each op, and its slow tail. */
#include "analysis/distribution.h"
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/section.h"

#include <math.h>
#include <string.h>

/* Whether the recording says how long (nearly) all calls of the op took: of a MakeResident only the
 * pending ones have a completion, and their distribution is not that of all. */
static bool fully_recorded(const struct result *result, const char *op)
{
    const json_t *recorded = AT(result->summary, "recorded"), *known = AT(recorded, "done", op);
    if (!json_is_object(known))
        known = AT(recorded, "dur", op);
    return NUMBER(known, "count") >= 0.9 * NUMBER(result->summary, "calls", op, "count");
}

struct curve {
    FILE *data;
    bool begun;
    double least, most;
};

static void point(void *self, double value, double share)
{
    struct curve *curve = self;
    double at[2] = {fmax(value, 1), 0}; /* 0 ns has no place on a logarithmic axis */
    curve->least = fmin(curve->least, at[0]);
    curve->most = fmax(curve->most, at[0]);
    if (!curve->begun) /* where it rises from nothing */
        plot_row(curve->data, at, 2);
    curve->begun = true;
    at[1] = share;
    plot_row(curve->data, at, 2);
}

/* Blocks of the data, in order: op 1 simulated, op 1 recorded, op 2 simulated, ...; an op without a
 * recording has a block of one empty point. */
static bool data(const struct result *result, FILE *script, FILE *data, char *reason, size_t size)
{
    const char *ops[PLOT_SERIES];
    size_t count = result_ranked(AT(result->summary, "calls"), result_call_time, ops, PLOT_SERIES);
    struct distributions all;
    struct curve curve = {.data = data, .least = INFINITY};
    bool known[PLOT_SERIES] = {false};
    if (!distributions_load(&all, result, reason, size))
        return false;
    for (size_t block = 0; block < 2 * count; block++) {
        const char *op = ops[block / 2];
        bool recorded = block % 2 == 1;
        const struct distribution *distribution = distributions_find(&all, op, recorded);
        fputs("0 NaN\n", data);
        curve.begun = false;
        if (distribution != NULL && (!recorded || fully_recorded(result, op)))
            distribution_points(distribution, point, &curve);
        known[block / 2] = recorded && curve.begun;
        fputs("\n\n", data);
    }
    distributions_free(&all);
    if (!isfinite(curve.least)) {
        snprintf(reason, size, "there were no calls");
        return false;
    }
    plot_declare(script, "op", ops, count);
    plot_place_legend(script, ops, NULL, count);
    fprintf(script, "array known[%zu]\n", count);
    for (size_t i = 0; i < count; i++)
        fprintf(script, "known[%zu] = %d\n", i + 1, known[i]);
    plot_declare_number(script, "least", curve.least);
    plot_declare_number(script, "most", curve.most);
    return true;
}

static void say(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM];
    const char *op = section_largest(AT(summary, "calls"), result_call_time);
    if (op == NULL)
        return;
    const json_t *latency = AT(summary, "calls", op, "latency_ns");
    double p99 = NUMBER(latency, "p99");
    snprintf(says, SECTION_SENTENCE,
             "Most time went into %s: half of its %s calls took %s or less%s%s.", op,
             section_count_text(a, NUMBER(summary, "calls", op, "count")),
             html_time(b, NUMBER(latency, "p50")), isnan(p99) ? "" : ", the slowest 1 % more than ",
             isnan(p99) ? "" : html_time(c, p99));
}

static double failures(const json_t *call)
{
    double failed = 0;
    const char *status;
    json_t *times;
    json_object_foreach((json_t *)(uintptr_t)AT(call, "failures"), status, times) failed +=
        result_number(times);
    return failed;
}

static void tables(FILE *out, const struct result *result)
{
    static const char *const columns[] = {"mean", "p50", "p90", "p95", "p99", "p999", "max"};
    const char *op;
    json_t *call;
    section_table(out, "call", "count", "failed", "mean", "p50", "p90", "p95", "p99", "p99.9",
                  "max", "steady mean", NULL);
    json_object_foreach((json_t *)(uintptr_t)AT(result->summary, "calls"), op, call)
    {
        html(out, "<tr><td>%s</td>", op);
        page_cell_count(out, NUMBER(call, "count"));
        page_cell_count(out, failures(call));
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            page_cell_time(out, NUMBER(call, "latency_ns", columns[i]));
        page_cell_interval(out, NUMBER(call, "steady_ns", "mean"),
                           NUMBER(call, "steady_ns", "half_width"), html_time);
        fputs("</tr>\n", out);
    }
    section_table_end(out);
}

const struct section section_latency = {
    .title = "How long calls took",
    .figure = "latency",
    .data = data,
    .say = say,
    .tables = tables,
};
