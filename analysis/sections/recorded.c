/* The simulated times against the recorded ones. */
#include "analysis/heap.h"
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/section.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

enum { SCATTER = 1800 }; /* points drawn at most */

static double pairs_of_op(const json_t *entry)
{
    double count = result_number(result_at(entry, "count", NULL));
    return count > 0 ? count : (double)NAN;
}

static void scatter(const double *recorded, const double *simulated, size_t count, size_t most,
                    FILE *data)
{
    size_t stride = count / most + 1;
    for (size_t i = 0; i < count; i += stride) {
        double values[] = {recorded[i], simulated[i]};
        plot_row(data, values, 2);
    }
    fputs("\n\n", data);
}

/* The same quantiles of both, each sorted on its own: on the diagonal, the distributions agree. */
static void quantile_pairs(double *recorded, double *simulated, size_t count, FILE *data)
{
    gsl_sort(recorded, 1, count);
    gsl_sort(simulated, 1, count);
    for (int percent = 1; percent <= 99; percent++) {
        double values[] = {
            gsl_stats_quantile_from_sorted_data(recorded, 1, count, percent / 100.0),
            gsl_stats_quantile_from_sorted_data(simulated, 1, count, percent / 100.0)};
        plot_row(data, values, 2);
    }
    fputs("\n\n", data);
}

/* Two blocks per op: calls (recorded, simulated), and quantiles 1..99 %. */
static bool data(const struct result *result, FILE *script, FILE *data, char *reason, size_t size)
{
    const char *candidates[2 * PLOT_SERIES], *ops[PLOT_SERIES];
    const json_t *all = result_at(result->summary, "recorded", NULL);
    size_t found =
        result_ranked(result_at(all, "done", NULL), pairs_of_op, candidates, PLOT_SERIES);
    found +=
        result_ranked(result_at(all, "dur", NULL), pairs_of_op, candidates + found, PLOT_SERIES);
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < found && count < PLOT_SERIES; i++)
        if (plot_index_of(ops, count, candidates[i]) == count)
            ops[count++] = candidates[i];
    double least = INFINITY, most = 0;
    for (size_t op = 0; op < count; op++) {
        struct result_table table;
        if (!result_table_open(&table, result, "recorded.csv",
                               "recorded_latency_ns,simulated_latency_ns,op", reason, size))
            return false;
        double *recorded = NULL, *simulated = NULL;
        size_t pairs = 0;
        while (result_table_next(&table, 3)) {
            double r = result_table_number(&table, 0), s = result_table_number(&table, 1);
            if (strcmp(table.field[2], ops[op]) != 0 || isnan(r + s))
                continue;
            if ((pairs & (pairs - 1)) == 0) {
                recorded = heap_resize(recorded, 2 * pairs + 1, sizeof *recorded);
                simulated = heap_resize(simulated, 2 * pairs + 1, sizeof *simulated);
            }
            recorded[pairs] = fmax(r, 1);
            simulated[pairs] = fmax(s, 1);
            least = fmin(least, fmin(recorded[pairs], simulated[pairs]));
            most = fmax(most, fmax(recorded[pairs], simulated[pairs]));
            pairs++;
        }
        result_table_close(&table);
        if (pairs != 0) {
            scatter(recorded, simulated, pairs, SCATTER / count, data);
            quantile_pairs(recorded, simulated, pairs, data);
            ops[kept++] = ops[op];
        }
        free(recorded);
        free(simulated);
    }
    if (kept == 0) {
        snprintf(reason, size, "the recording does not say how long its calls took");
        return false;
    }
    plot_declare(script, "op", ops, kept);
    plot_place_legend(script, ops, NULL, kept);
    plot_declare_number(script, "least", least);
    plot_declare_number(script, "most", most);
    return true;
}

static void say(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM];
    const json_t *all = AT(summary, "recorded", "done");
    const char *op = section_largest(all, section_by_count), *what = "completion";
    if (op == NULL) {
        all = AT(summary, "recorded", "dur");
        op = section_largest(all, section_by_count);
        what = "duration";
    }
    double error = op != NULL ? NUMBER(all, op, "median_error") : (double)NAN;
    if (!isnan(error))
        snprintf(says, SECTION_SENTENCE,
                 "The median error of the simulated %s of %s is %s over %s recorded calls. A "
                 "sample is drawn; the errors in the table are of all calls.",
                 what, op, human_share(a, error), section_count_text(b, NUMBER(all, op, "count")));
}

static bool wanted(const struct result *result)
{
    const json_t *recorded = AT(result->summary, "recorded");
    return json_object_size(AT(recorded, "done")) + json_object_size(AT(recorded, "dur")) != 0;
}

/* One kind of time, the same calls on both sides. */
static void rows(FILE *out, const json_t *all, const char *until)
{
    static const char *const quantiles[] = {"p50", "p95"};
    const char *op;
    json_t *known;
    json_object_foreach((json_t *)(uintptr_t)all, op, known)
    {
        html(out, "<tr><td>%s %s</td>", op, until);
        page_cell_count(out, NUMBER(known, "count"));
        for (size_t i = 0; i < 2; i++) {
            page_cell_time(out, NUMBER(known, "recorded_ns", quantiles[i]));
            page_cell_time(out, NUMBER(known, "simulated_ns", quantiles[i]));
        }
        page_cell_share(out, NUMBER(known, "median_error"));
        page_cell_share(out, NUMBER(known, "p90_error"));
        fputs("</tr>\n", out);
    }
}

static void tables(FILE *out, const struct result *result)
{
    const json_t *recorded = AT(result->summary, "recorded");
    section_table(out, "from the call to", "recorded calls", "p50 recorded", "simulated",
                  "p95 recorded", "simulated", "median error", "p90 error", NULL);
    rows(out, AT(recorded, "done"), "done");
    rows(out, AT(recorded, "dur"), "return");
    section_table_end(out);
}

const struct section section_recorded = {.title = "Against the recording",
                                         .wanted = wanted,
                                         .figure = "recorded",
                                         .data = data,
                                         .say = say,
                                         .tables = tables};
