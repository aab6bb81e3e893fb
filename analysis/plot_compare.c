/* Latencies of several results on top of each other. */
#include "analysis/compare.h"
#include "analysis/heap.h"
#include "analysis/plots.h"

#include <math.h>

enum { OPS = 4 };

/* What has been written of one op. */
struct panel {
    FILE *data;
    double least, most;
    bool begun; /* the curve */
};

/* One point of a distribution; in front of the first, where it rises from nothing. */
static void rise(void *self, double value, double share)
{
    struct panel *panel = self;
    double at[2] = {fmax(value, 1), share}, foot[2] = {at[0], 0};
    if (!panel->begun)
        plot_row(panel->data, foot, 2);
    plot_row(panel->data, at, 2);
    panel->begun = true;
    panel->least = fmin(panel->least, at[0]);
    panel->most = fmax(panel->most, at[0]);
}

static void declare_panel(FILE *script, size_t op, const struct panel *panel)
{
    char name[32];
    snprintf(name, sizeof name, "least[%zu]", op + 1);
    plot_declare_number(script, name, isfinite(panel->least) ? panel->least : 1);
    snprintf(name, sizeof name, "most[%zu]", op + 1);
    plot_declare_number(script, name, panel->most);
}

/* One block per op and side: the op's latency distribution there, of all runs together. */
static void write_curves(FILE *script, FILE *data, const struct distributions *all, size_t count,
                         const char *const *ops, size_t panels)
{
    fprintf(script, "array least[%zu]\narray most[%zu]\n", panels, panels);
    for (size_t op = 0; op < panels; op++) {
        struct panel panel = {.data = data, .least = INFINITY, .most = 1};
        for (size_t i = 0; i < count; i++) {
            const struct distribution *one = distributions_find(&all[i], ops[op], false);
            panel.begun = false;
            fputs("0 NaN\n", data);
            if (one != NULL)
                distribution_points(one, rise, &panel);
            fputs("\n\n", data);
        }
        declare_panel(script, op, &panel);
    }
}

bool plot_compare(const void *what, size_t count, FILE *script, FILE *data, char *reason,
                  size_t size)
{
    const struct side *sides = what;
    const char *ops[OPS], **labels = heap_new(count, sizeof *labels);
    struct distributions *all = heap_new(count, sizeof *all);
    size_t loaded = 0, panels = result_ranked(result_at(sides[0].runs[0].summary, "calls", NULL),
                                              result_call_time, ops, OPS);
    snprintf(reason, size, "there were no calls");
    while (panels != 0 && loaded < count &&
           side_distributions(&sides[loaded], &all[loaded], reason, size))
        labels[loaded] = sides[loaded].label, loaded++;
    bool good = loaded == count;
    if (good) {
        plot_declare(script, "op", ops, panels);
        plot_declare(script, "result", labels, count);
        plot_place_legend(script, labels, NULL, count);
        write_curves(script, data, all, count, ops, panels);
    }
    for (size_t i = 0; i < loaded; i++)
        distributions_free(&all[i]);
    free(all);
    free(labels);
    return good;
}
