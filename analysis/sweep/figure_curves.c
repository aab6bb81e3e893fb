/* Metrics along a key: one panel per metric, or small multiples of the first where more than two
 * keys are varied. */
#include "analysis/heap.h"
#include "analysis/sweep/view.h"

#include <math.h>

/* One panel: its metric on the grid. */
struct panel {
    size_t metric;
    size_t place;       /* of the panel among the view's, for its levels */
    double low, high;   /* of what is drawn */
    double least, most; /* of the means alone */
    bool log;
    double divisor;
    const char *unit;
};

static size_t line_count(const struct sweep_view *view)
{
    return view->lines != VIEW_NONE ? view->table->axis[view->lines].levels : 1;
}

static const struct sweep_cell *cell_at(const struct sweep_view *view,
                                        const struct sweep_cells *cells, size_t panel, size_t line,
                                        size_t x)
{
    size_t *level = heap_new(view->table->axes, sizeof *level);
    sweep_view_levels(view, panel, line, x, level);
    size_t place = 0;
    for (size_t a = 0; a < cells->axes; a++)
        place = place * cells->levels[a] + level[cells->axis[a]];
    free(level);
    return &cells->cell[place];
}

/* Unit of a panel's values, and whether they are drawn by their logarithm: then a band that reaches
 * below all means ends there. */
static void scale(const struct sweep_view *view, struct panel *panel)
{
    panel->log =
        view->table->axis[view->x].numeric && panel->least > 0 && panel->most > 20 * panel->least;
    if (panel->log)
        panel->low = fmax(panel->low, panel->least / 1.5);
    panel->divisor =
        sweep_view_unit(view->table->metric[panel->metric].unit, panel->high, &panel->unit);
}

/* Range and unit of a panel's values, bands included. */
static void measure(const struct sweep_view *view, const struct sweep_cells *cells,
                    struct panel *panel)
{
    size_t xs = view->table->axis[view->x].levels;
    for (size_t l = 0; l < line_count(view); l++)
        for (size_t x = 0; x < xs; x++) {
            const struct sweep_cell *cell = cell_at(view, cells, panel->place, l, x);
            if (isnan(cell->mean))
                continue;
            double low = cell->mean - cell->half;
            panel->low = fmin(panel->low, cell->mean >= 0 && low < 0 ? 0 : low);
            panel->high = fmax(panel->high, cell->mean + cell->half);
            panel->least = fmin(panel->least, cell->mean);
            panel->most = fmax(panel->most, cell->mean);
        }
    scale(view, panel);
}

/* The line's values; returns the place of its knee, the number of values if it has none. */
static size_t write_line(const struct sweep_view *view, const struct sweep_cells *cells,
                         const struct panel *panel, size_t line, FILE *data)
{
    const struct sweep_axis *axis = &view->table->axis[view->x];
    double *xs = heap_new(axis->levels, sizeof *xs), *ys = heap_new(axis->levels, sizeof *ys);
    size_t count = 0, knee = axis->levels, *level = heap_new(axis->levels, sizeof *level);
    const struct sweep_cell *least = NULL, *most = NULL;
    for (size_t x = 0; x < axis->levels; x++) {
        const struct sweep_cell *cell = cell_at(view, cells, panel->place, line, x);
        const double row[] = {sweep_view_x(view, (size_t)view->x, x), cell->mean / panel->divisor,
                              fmax(cell->mean - cell->half, panel->log ? panel->low : -INFINITY) /
                                  panel->divisor,
                              (cell->mean + cell->half) / panel->divisor};
        plot_row(data, row, 4);
        if (isnan(cell->mean))
            continue;
        least = least == NULL || cell->mean < least->mean ? cell : least;
        most = most == NULL || cell->mean > most->mean ? cell : most;
        xs[count] = axis->logarithmic ? log(row[0]) : row[0];
        ys[count] = cell->mean;
        level[count++] = x;
    }
    fputs("\n\n", data);
    size_t bend = axis->numeric ? insight_knee(xs, ys, count) : count;
    if (bend < count &&
        most->mean - least->mean >
            cells_difference(cells, (size_t)(least - cells->cell), (size_t)(most - cells->cell))
                .half)
        knee = level[bend];
    free(xs);
    free(ys);
    free(level);
    return knee;
}

static void declare_panels(const struct sweep_view *view, const struct panel *panels, size_t count,
                           FILE *script)
{
    char(*titles)[256] = heap_new(count, sizeof *titles);
    const char **texts = heap_new(count, sizeof *texts);
    char(*units)[32] = heap_new(count, sizeof *units);
    for (size_t p = 0; p < count; p++) {
        const struct sweep_metric *metric = &view->table->metric[panels[p].metric];
        if (view->panel_axes > 0)
            sweep_view_panel_name(view, p, titles[p], sizeof titles[p]);
        else
            sweep_view_label(metric->title, panels[p].unit, titles[p], sizeof titles[p]);
        snprintf(units[p], sizeof units[p], "%s", panels[p].unit);
        texts[p] = titles[p];
    }
    plot_declare(script, "title", texts, count);
    if (view->panel_axes > 0) {
        char name[256];
        sweep_view_label(view->table->metric[0].title, panels[0].unit, name, sizeof name);
        fputs("above = ", script);
        plot_string(script, name);
        putc('\n', script);
    } else {
        fputs("above = ''\n", script);
    }
    fprintf(script, "array ylog[%zu]\narray ylow[%zu]\narray yhigh[%zu]\n", count, count, count);
    for (size_t p = 0; p < count; p++) {
        double low = panels[p].low / panels[p].divisor, high = panels[p].high / panels[p].divisor;
        fprintf(script, "ylog[%zu] = %d\nylow[%zu] = ", p + 1, panels[p].log, p + 1);
        plot_number(script, low);
        fprintf(script, "\nyhigh[%zu] = ", p + 1);
        plot_number(script, high);
        putc('\n', script);
    }
    free(titles);
    free(texts);
    free(units);
}

static void declare_lines(const struct sweep_view *view, FILE *script)
{
    const struct sweep_axis *axis =
        view->lines != VIEW_NONE ? &view->table->axis[view->lines] : NULL;
    size_t count = axis != NULL ? axis->levels : 1;
    char(*names)[160] = heap_new(count, sizeof *names);
    const char **texts = heap_new(count, sizeof *texts);
    for (size_t l = 0; l < count; l++) {
        if (axis != NULL)
            snprintf(names[l], sizeof names[l], "%s=%s", axis->name, axis->level[l].label);
        texts[l] = names[l];
    }
    plot_declare(script, "line", texts, count);
    if (axis != NULL)
        plot_place_legend(script, texts, NULL, count);
    free(names);
    free(texts);
}

bool figure_curves(const void *what, size_t which, FILE *script, FILE *data, char *reason,
                   size_t size)
{
    const struct sweep_view *view = what;
    (void)which;
    if (view->table->design.kind != DESIGN_GRID || view->table->searches > 0 ||
        view->x == VIEW_NONE) {
        snprintf(reason, size, "no key has listed values");
        return false;
    }
    bool multiples = view->panel_axes > 0;
    size_t count = multiples ? view->panels : view->metrics;
    struct panel *panels = heap_new(count, sizeof *panels);
    struct sweep_cells *cells = heap_new(count, sizeof *cells);
    for (size_t p = 0; p < count; p++) {
        panels[p] = (struct panel){.metric = multiples ? 0 : view->metric[p],
                                   .place = multiples ? p : 0,
                                   .low = INFINITY,
                                   .high = -INFINITY,
                                   .least = INFINITY,
                                   .most = -INFINITY};
        cells_make(view->table, panels[p].metric, &cells[p]);
        measure(view, &cells[p], &panels[p]);
    }
    for (size_t p = 1; multiples && p < count; p++) { /* the same scale for all */
        panels[0].low = fmin(panels[0].low, panels[p].low);
        panels[0].high = fmax(panels[0].high, panels[p].high);
        panels[0].least = fmin(panels[0].least, panels[p].least);
        panels[0].most = fmax(panels[0].most, panels[p].most);
    }
    for (size_t p = 0; multiples && p < count; p++) {
        panels[p].low = panels[0].low;
        panels[p].high = panels[0].high;
        panels[p].divisor =
            sweep_view_unit(view->table->metric[0].unit, panels[p].high, &panels[p].unit);
    }
    bool any = panels[0].high >= panels[0].low, bands = false;
    size_t knees = 0;
    for (size_t p = 0; any && p < count; p++)
        for (size_t l = 0; l < line_count(view); l++) {
            size_t knee = write_line(view, &cells[p], &panels[p], l, data);
            if (knee < view->table->axis[view->x].levels && !multiples) {
                const struct sweep_cell *cell = cell_at(view, &cells[p], panels[p].place, l, knee);
                fprintf(script, "knee_panel_%zu = %zu\nknee_x_%zu = ", knees + 1, p + 1, knees + 1);
                plot_number(script, sweep_view_x(view, (size_t)view->x, knee));
                fprintf(script, "\nknee_y_%zu = ", knees + 1);
                plot_number(script, cell->mean / panels[p].divisor);
                fprintf(script, "\nknee_line_%zu = %zu\n", ++knees, l + 1);
            }
        }
    for (size_t p = 0; p < count; p++) {
        for (size_t i = 0; i < cells[p].count; i++)
            bands = bands || cells[p].cell[i].half > 0;
        cells_free(&cells[p]);
    }
    if (any) {
        fprintf(script, "panels = %zu\nknees = %zu\nbands = %d\n", count, knees, bands);
        declare_panels(view, panels, count, script);
        declare_lines(view, script);
        sweep_view_declare_axis(view, (size_t)view->x, 'x', script);
    } else {
        snprintf(reason, size, "no run has a value of %.100s", view->table->metric[0].path);
    }
    free(cells);
    free(panels);
    return any;
}
