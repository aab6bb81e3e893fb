/* Why: the causes of the first metric's call, stacked, along the key of the curves. */
#include "analysis/heap.h"
#include "analysis/sweep/view.h"

#include <math.h>

enum { CAUSES_MAX = 16, PANELS_MAX = 4 };

/* The metrics that are causes of the call that the first metric is of. */
static size_t find_causes(const struct sweep_table *table, size_t *metric)
{
    const char *path = table->metric[0].path, *latency = strstr(path, ".latency_ns.");
    size_t count = 0, length = latency != NULL ? (size_t)(latency - path) : 0;
    for (size_t m = 1; length > 0 && m < table->metrics && count < CAUSES_MAX; m++)
        if (strncmp(table->metric[m].path, path, length) == 0 &&
            strncmp(table->metric[m].path + length, ".blame_ns.", 10) == 0)
            metric[count++] = m;
    return count;
}

/* The mean of a cause at a place; the axes that are neither x nor lines are at their baselines. */
static double value_at(const struct sweep_view *view, const struct sweep_cells *cells, size_t line,
                       size_t x)
{
    size_t *level = heap_new(view->table->axes, sizeof *level), place = 0;
    for (size_t a = 0; a < view->table->axes; a++)
        level[a] = cells_baseline(&view->table->axis[a]);
    if (view->lines != VIEW_NONE)
        level[view->lines] = line;
    level[view->x] = x;
    for (size_t a = 0; a < cells->axes; a++)
        place = place * cells->levels[a] + level[cells->axis[a]];
    free(level);
    return cells->cell[place].mean;
}

bool figure_causes(const void *what, size_t which, FILE *script, FILE *data, char *reason,
                   size_t size)
{
    const struct sweep_view *view = what;
    const struct sweep_table *table = view->table;
    size_t metric[CAUSES_MAX], causes = find_causes(table, metric);
    (void)which;
    if (causes == 0 || table->design.kind != DESIGN_GRID || table->searches > 0 ||
        view->x == VIEW_NONE) {
        snprintf(reason, size, "the first metric is not the latency of a call, on a grid");
        return false;
    }
    const struct sweep_axis *axis = &table->axis[view->x];
    const struct sweep_axis *lines = view->lines != VIEW_NONE ? &table->axis[view->lines] : NULL;
    size_t panels = lines == NULL ? 1 : lines->levels < PANELS_MAX ? lines->levels : PANELS_MAX;
    double *bottom = heap_new(panels * axis->levels, sizeof *bottom), high = 0;
    double *values = heap_new(causes * panels * axis->levels, sizeof *values);
    int used[CAUSES_MAX] = {0};
    for (size_t c = 0; c < causes; c++) {
        struct sweep_cells cells;
        cells_make(table, metric[c], &cells);
        for (size_t p = 0; p < panels; p++)
            for (size_t x = 0; x < axis->levels; x++) {
                double value = value_at(view, &cells, p, x);
                size_t place = p * axis->levels + x;
                values[c * panels * axis->levels + place] = isnan(value) ? 0 : value;
                bottom[place] += isnan(value) ? 0 : value;
                used[c] |= value > 0;
                high = fmax(high, bottom[place]);
            }
        cells_free(&cells);
    }
    bool any = high > 0;
    if (any) {
        const char *unit, *names[CAUSES_MAX];
        char(*titles)[160] = heap_new(panels, sizeof *titles), label[256], call[128];
        const char **texts = heap_new(panels, sizeof *texts);
        double divisor = sweep_view_unit(METRIC_NS, high, &unit);
        memset(bottom, 0, panels * axis->levels * sizeof *bottom);
        for (size_t c = 0; c < causes; c++) {
            names[c] = strrchr(table->metric[metric[c]].path, '.') + 1;
            for (size_t p = 0; p < panels; p++) {
                for (size_t x = 0; x < axis->levels; x++) {
                    size_t place = p * axis->levels + x;
                    double value = values[c * panels * axis->levels + place];
                    const double row[] = {(double)x + 1, bottom[place] / divisor,
                                          (bottom[place] + value) / divisor};
                    plot_row(data, row, 3);
                    bottom[place] += value;
                }
                fputs("\n\n", data);
            }
        }
        for (size_t p = 0; p < panels; p++) {
            if (lines != NULL)
                snprintf(titles[p], sizeof titles[p], "%s=%s", lines->name, lines->level[p].label);
            texts[p] = titles[p];
        }
        plot_declare(script, "title", texts, panels);
        plot_declare(script, "cause", names, causes);
        fprintf(script, "array used[%zu]\n", causes);
        for (size_t c = 0; c < causes; c++)
            fprintf(script, "used[%zu] = %d\n", c + 1, used[c]);
        plot_place_legend(script, names, used, causes);
        sweep_view_declare_axis(view, (size_t)view->x, 'x', script);
        snprintf(call, sizeof call, "%.*s", (int)strcspn(table->metric[0].path + 6, "."),
                 table->metric[0].path + 6);
        snprintf(label, sizeof label, "mean %s by cause, %s", call, unit);
        fputs("above = ", script);
        plot_string(script, label);
        fputs("\nhigh = ", script);
        plot_number(script, high / divisor);
        putc('\n', script);
        free(titles);
        free(texts);
    } else {
        snprintf(reason, size, "no run says what the first metric consists of");
    }
    free(bottom);
    free(values);
    return any;
}
