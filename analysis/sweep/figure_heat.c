/* Two keys: a metric on the plane, with contour lines where both are numbers. */
#include "analysis/heap.h"
#include "analysis/sweep/view.h"

#include <math.h>

/* The two axes of the plane: the view's x, and the other one that has values. */
static int other_axis(const struct sweep_view *view)
{
    int other = VIEW_NONE, count = 0;
    for (size_t a = 0; a < view->table->axes; a++)
        if (view->table->axis[a].levels > 1 && (int)a != view->x) {
            other = (int)a;
            count++;
        }
    return count == 1 ? other : VIEW_NONE;
}

/* Borders of the levels: half-way between neighbours, by factor on a logarithmic axis. */
static void borders(const struct sweep_view *view, size_t axis, size_t level, double *from,
                    double *to)
{
    const struct sweep_axis *shown = &view->table->axis[axis];
    double here = sweep_view_x(view, axis, level);
    double before = level > 0 ? sweep_view_x(view, axis, level - 1) : (double)NAN;
    double after = level + 1 < shown->levels ? sweep_view_x(view, axis, level + 1) : (double)NAN;
    if (shown->logarithmic) {
        *from = isnan(before) ? here / sqrt(after / here) : sqrt(before * here);
        *to = isnan(after) ? here * sqrt(here / before) : sqrt(here * after);
    } else {
        *from = isnan(before) ? here - (after - here) / 2 : (before + here) / 2;
        *to = isnan(after) ? here + (here - before) / 2 : (here + after) / 2;
    }
}

static bool rises(const struct sweep_axis *axis)
{
    for (size_t l = 1; l < axis->levels; l++)
        if (!(axis->level[l].value > axis->level[l - 1].value))
            return false;
    return axis->numeric;
}

bool figure_heat(const void *what, size_t which, FILE *script, FILE *data, char *reason,
                 size_t size)
{
    const struct sweep_view *view = what;
    const struct sweep_table *table = view->table;
    int other = other_axis(view);
    if (table->design.kind != DESIGN_GRID || table->searches > 0 || view->x == VIEW_NONE ||
        other == VIEW_NONE) {
        snprintf(reason, size, "it takes two keys with several values");
        return false;
    }
    size_t metric = view->metric[which], x = (size_t)view->x, y = (size_t)other;
    size_t *level = heap_new(table->axes, sizeof *level);
    struct sweep_cells cells;
    cells_make(table, metric, &cells);
    double low = INFINITY, high = -INFINITY, divisor;
    for (size_t i = 0; i < cells.count; i++) {
        low = fmin(low, cells.cell[i].mean);
        high = fmax(high, cells.cell[i].mean);
    }
    const char *unit;
    char label[256];
    divisor = sweep_view_unit(table->metric[metric].unit, high, &unit);
    bool any = high >= low;
    bool plane = any && rises(&table->axis[x]) && rises(&table->axis[y]) &&
                 table->axis[x].levels > 2 && table->axis[y].levels > 2 && high > low;
    for (size_t j = 0; any && j < table->axis[y].levels; j++) {
        for (size_t i = 0; i < table->axis[x].levels; i++) {
            double row[7];
            for (size_t a = 0; a < cells.axes; a++)
                level[a] = cells.axis[a] == x ? i : cells.axis[a] == y ? j : 0;
            row[0] = sweep_view_x(view, x, i);
            row[1] = sweep_view_x(view, y, j);
            row[2] = cells.cell[cells_place(&cells, level)].mean / divisor;
            borders(view, x, i, &row[3], &row[4]);
            borders(view, y, j, &row[5], &row[6]);
            plot_row(data, row, 7);
        }
        putc('\n', data); /* a row of the plane, for the contours */
    }
    if (any) {
        double from, to, unused;
        sweep_view_declare_axis(view, x, 'x', script);
        sweep_view_declare_axis(view, y, 'y', script);
        borders(view, x, 0, &from, &unused);
        borders(view, x, table->axis[x].levels - 1, &unused, &to);
        plot_declare_number(script, "xlow", from);
        plot_declare_number(script, "xhigh", to);
        borders(view, y, 0, &from, &unused);
        borders(view, y, table->axis[y].levels - 1, &unused, &to);
        plot_declare_number(script, "ylow", from);
        plot_declare_number(script, "yhigh", to);
        plot_declare_number(script, "zlow", low / divisor);
        plot_declare_number(script, "zhigh", high / divisor);
        sweep_view_label(table->metric[metric].title, unit, label, sizeof label);
        fputs("title = ", script);
        plot_string(script, label);
        fprintf(script, "\nplane = %d\nwritten = %d\nmore = %d\n", plane, cells.count <= 120,
                table->metric[metric].better == METRIC_MORE);
    } else {
        snprintf(reason, size, "no run has a value of %.100s", table->metric[metric].path);
    }
    cells_free(&cells);
    free(level);
    return any;
}
