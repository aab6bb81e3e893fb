/* What the figures of latencies show: the numbers behind each, shaped for its script. */
#include "analysis/heap.h"
#include "analysis/plots.h"
#include "model/probe.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

enum { SCATTER = 1800 }; /* points drawn at most */

/* One point of a distribution; in front of the first, where it rises from nothing. */
static void rise(FILE *data, const double at[2], bool first)
{
    double foot[2] = {at[0], 0};
    if (first)
        plot_row(data, foot, 2);
    plot_row(data, at, 2);
}

/* Whether the recording says how long (nearly) all calls of the op took: of a MakeResident only the
 * pending ones have a completion, and their distribution is not that of all. */
static bool fully_recorded(const struct result *result, const char *op)
{
    const json_t *recorded = result_at(result->summary, "recorded", NULL);
    const json_t *known = result_at(recorded, "done", op, NULL);
    if (!json_is_object(known))
        known = result_at(recorded, "dur", op, NULL);
    double all = result_number(result_at(result->summary, "calls", op, "count", NULL));
    return result_number(result_at(known, "count", NULL)) >= 0.9 * all;
}

/* Blocks of the data, in order: op 1 simulated, op 1 recorded, op 2 simulated, ...; an op without
 * a recording has a block of one empty point. */
bool plot_data_latency(const struct result *result, FILE *script, FILE *data, char *reason,
                       size_t size)
{
    const char *ops[PLOT_SERIES];
    size_t count = result_ranked(result_at(result->summary, "calls", NULL), result_call_time, ops,
                                 PLOT_SERIES);
    size_t points = 0;
    bool known[PLOT_SERIES] = {false};
    double least = INFINITY, most = 0;
    for (size_t block = 0; block < 2 * count; block++) {
        struct result_table table;
        if (!result_table_open(&table, result, "latency-cdf.csv", "op,source,latency_ns,share",
                               reason, size))
            return false;
        bool first = true, drawn = block % 2 == 0 || fully_recorded(result, ops[block / 2]);
        fputs("0 NaN\n", data);
        while (drawn && result_table_next(&table, 4)) {
            const char *source = block % 2 == 0 ? "simulated" : "recorded";
            double at[2] = {result_table_number(&table, 2), result_table_number(&table, 3)};
            if (strcmp(table.field[0], ops[block / 2]) != 0 ||
                strcmp(table.field[1], source) != 0 || isnan(at[0]) || isnan(at[1]))
                continue;
            at[0] = fmax(at[0], 1); /* 0 ns has no place on a logarithmic axis */
            least = fmin(least, at[0]);
            most = fmax(most, at[0]);
            known[block / 2] = known[block / 2] || block % 2 == 1;
            rise(data, at, first);
            first = false;
            points++;
        }
        result_table_close(&table);
        fputs("\n\n", data);
    }
    if (points == 0) {
        snprintf(reason, size, "there were no calls");
        return false;
    }
    plot_declare(script, "op", ops, count);
    plot_place_legend(script, ops, NULL, count);
    fprintf(script, "array known[%zu]\n", count);
    for (size_t i = 0; i < count; i++)
        fprintf(script, "known[%zu] = %d\n", i + 1, known[i]);
    plot_declare_number(script, "least", least);
    plot_declare_number(script, "most", most);
    return true;
}

/* Rows: op (from 1), cause (from 0), the cause's share of the mean from ... to ... */
bool plot_data_blame(const struct result *result, FILE *script, FILE *data, char *reason,
                     size_t size)
{
    enum { OPS = 12 };
    const char *ops[OPS];
    const json_t *calls = result_at(result->summary, "calls", NULL);
    size_t count = result_ranked(calls, result_call_time, ops, OPS), kept = 0;
    double means[OPS];
    int used[PROBE_CAUSES] = {0};
    for (size_t i = 0; i < count; i++) {
        const json_t *blame = result_at(calls, ops[i], "blame_ns", NULL);
        double total = 0, from = 0;
        for (int cause = 0; cause < PROBE_CAUSES; cause++) {
            double part = result_number(result_at(blame, probe_cause_names[cause], NULL));
            total += isnan(part) ? 0 : part;
        }
        if (total <= 0)
            continue;
        ops[kept] = ops[i];
        means[kept++] = total;
        for (int cause = 0; cause < PROBE_CAUSES; cause++) {
            double part = result_number(result_at(blame, probe_cause_names[cause], NULL));
            if (!(part > 0))
                continue;
            double values[] = {(double)kept, cause, from / total, (from + part) / total};
            plot_row(data, values, 4);
            from += part;
            used[cause] = 1;
        }
    }
    if (kept == 0) {
        snprintf(reason, size, "no call took any time");
        return false;
    }
    plot_declare(script, "op", ops, kept);
    fprintf(script, "array mean[%zu]\n", kept);
    for (size_t i = 0; i < kept; i++) {
        char name[32];
        snprintf(name, sizeof name, "mean[%zu]", i + 1);
        plot_declare_number(script, name, means[i]);
    }
    plot_declare(script, "cause", probe_cause_names, PROBE_CAUSES);
    plot_place_legend(script, probe_cause_names, used, PROBE_CAUSES);
    fprintf(script, "array used[%d]\n", PROBE_CAUSES);
    for (int cause = 0; cause < PROBE_CAUSES; cause++)
        fprintf(script, "used[%d] = %d\n", cause + 1, used[cause]);
    return true;
}

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
bool plot_data_recorded(const struct result *result, FILE *script, FILE *data, char *reason,
                        size_t size)
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

/* One block per op and result: the op's latency distribution there. */
bool plot_data_compare(const struct result *results, size_t count, FILE *script, FILE *data,
                       char *reason, size_t size)
{
    enum { OPS = 4 };
    const char *ops[OPS], **labels = heap_new(count, sizeof *labels);
    size_t panels =
        result_ranked(result_at(results[0].summary, "calls", NULL), result_call_time, ops, OPS);
    double least[OPS], most[OPS];
    bool good = panels != 0;
    snprintf(reason, size, "there were no calls");
    for (size_t op = 0; good && op < panels; op++) {
        least[op] = INFINITY;
        most[op] = 1;
        for (size_t r = 0; good && r < count; r++) {
            struct result_table table;
            good = result_table_open(&table, &results[r], "latency-cdf.csv",
                                     "op,source,latency_ns,share", reason, size);
            bool first = true;
            fputs("0 NaN\n", data);
            while (good && result_table_next(&table, 4)) {
                double at[2] = {result_table_number(&table, 2), result_table_number(&table, 3)};
                if (strcmp(table.field[0], ops[op]) != 0 ||
                    strcmp(table.field[1], "simulated") != 0 || isnan(at[0] + at[1]))
                    continue;
                at[0] = fmax(at[0], 1);
                least[op] = fmin(least[op], at[0]);
                most[op] = fmax(most[op], at[0]);
                rise(data, at, first);
                first = false;
            }
            if (good)
                result_table_close(&table);
            fputs("\n\n", data);
        }
    }
    for (size_t r = 0; r < count; r++)
        labels[r] = results[r].label;
    if (good) {
        plot_declare(script, "op", ops, panels);
        plot_declare(script, "result", labels, count);
        plot_place_legend(script, labels, NULL, count);
        fprintf(script, "array least[%zu]\narray most[%zu]\n", panels, panels);
        for (size_t op = 0; op < panels; op++) {
            char name[32];
            snprintf(name, sizeof name, "least[%zu]", op + 1);
            plot_declare_number(script, name, isfinite(least[op]) ? least[op] : 1);
            snprintf(name, sizeof name, "most[%zu]", op + 1);
            plot_declare_number(script, name, most[op]);
        }
    }
    free(labels);
    return good;
}
