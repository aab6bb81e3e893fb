/* Latencies of several results on top of each other. */
#include "analysis/heap.h"
#include "analysis/plots.h"

#include <math.h>
#include <string.h>

/* One point of a distribution; in front of the first, where it rises from nothing. */
static void rise(FILE *data, const double at[2], bool first)
{
    double foot[2] = {at[0], 0};
    if (first)
        plot_row(data, foot, 2);
    plot_row(data, at, 2);
}

/* One block per op and result: the op's latency distribution there. */
bool plot_compare(const void *what, size_t count, FILE *script, FILE *data, char *reason,
                  size_t size)
{
    const struct result *results = what;
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
