/* Which keys matter: how far each moves the first metric on its own (tornado), and what share of
 * the variance it explains. */
#include "analysis/heap.h"
#include "analysis/sweep/view.h"

#include <math.h>

bool figure_effects(const void *what, size_t which, FILE *script, FILE *data, char *reason,
                    size_t size)
{
    const struct sweep_view *view = what;
    const struct sweep_table *table = view->table;
    const struct sweep_metric *metric = &table->metric[0];
    (void)which;
    bool swings = false, explained = false, totals = false;
    double baseline = cell_of_role(table, SWEEP_BASELINE, 0).mean;
    double least = baseline, greatest = baseline; /* fmin and fmax pass over NaN */
    for (size_t e = 0; e < view->effects; e++) {
        const struct sweep_effect *effect = &view->effect[e];
        swings = swings || (effect->swings && effect->high > effect->low);
        explained = explained || effect->explained;
        totals = totals || (effect->explained && !isnan(effect->indices.total));
        if (effect->swings) {
            least = fmin(least, effect->low);
            greatest = fmax(greatest, effect->high);
        }
    }
    if (view->effects < 2 || (!swings && !explained)) {
        snprintf(reason, size,
                 view->effects < 2 ? "it takes two keys to compare them"
                                   : "nothing that was varied moves the metric");
        return false;
    }
    const char *unit, **names = heap_new(view->effects, sizeof *names);
    const char **lows = heap_new(view->effects, sizeof *lows);
    const char **highs = heap_new(view->effects, sizeof *highs);
    double divisor = sweep_view_unit(metric->unit, greatest, &unit);
    for (size_t e = 0; e < view->effects; e++) {
        const struct sweep_effect *effect = &view->effect[e];
        bool moves = effect->swings && effect->high > effect->low;
        names[e] = table->axis[effect->axis].name;
        lows[e] = moves && effect->low_at.label != NULL ? effect->low_at.label : "";
        highs[e] = moves && effect->high_at.label != NULL ? effect->high_at.label : "";
        const double row[] = {(double)e + 1, effect->swings ? effect->low / divisor : (double)NAN,
                              effect->swings ? effect->high / divisor : (double)NAN,
                              effect->explained ? effect->indices.first : (double)NAN,
                              effect->explained ? effect->indices.total : (double)NAN};
        plot_row(data, row, 5);
    }
    char label[256];
    plot_declare(script, "key", names, view->effects);
    plot_declare(script, "low_at", lows, view->effects);
    plot_declare(script, "high_at", highs, view->effects);
    sweep_view_label(metric->title, unit, label, sizeof label);
    fputs("title = ", script);
    plot_string(script, label);
    fprintf(script, "\nswings = %d\nexplained = %d\ntotals = %d\n", swings, explained, totals);
    plot_declare_number(script, "baseline", baseline / divisor);
    plot_declare_number(script, "low", least / divisor);
    plot_declare_number(script, "high", greatest / divisor);
    free(names);
    free(lows);
    free(highs);
    return true;
}
