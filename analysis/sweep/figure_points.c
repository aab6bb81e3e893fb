/* Figures of single points: a sample over each key, and the front of two metrics. */
#include "analysis/heap.h"
#include "analysis/sweep/view.h"

#include <gsl/gsl_sort.h>
#include <math.h>

/* Means of the metric in classes of the coordinate: the trend in the cloud. Equal coordinates are
 * in one class. */
static void write_trend(double *x, double *y, size_t count, double divisor, FILE *data)
{
    enum { CLASSES = 12 };
    size_t classes = count / 6 < CLASSES ? count / 6 : CLASSES;
    gsl_sort2(x, 1, y, 1, count);
    for (size_t c = 0, begin = 0, end; c < classes; c++, begin = end) {
        double sum_x = 0;
        end = count * (c + 1) / classes;
        while (end > begin && end < count && x[end] <= x[end - 1])
            end++;
        if (end <= begin) {
            end = begin;
            continue;
        }
        for (size_t i = begin; i < end; i++)
            sum_x += x[i];
        struct sweep_cell cell = cell_of(y + begin, end - begin);
        const double row[] = {sum_x / (double)(end - begin), cell.mean / divisor};
        plot_row(data, row, 2);
    }
    if (classes == 0)
        fputs("NaN NaN\n", data);
    fputs("\n\n", data);
}

bool figure_scatter(const void *what, size_t which, FILE *script, FILE *data, char *reason,
                    size_t size)
{
    enum { PANELS_MAX = 9 };
    const struct sweep_view *view = what;
    const struct sweep_table *table = view->table;
    struct sweep_extreme least, greatest;
    (void)which;
    if (!design_samples(&table->design) || !insight_range(table, 0, &least, &greatest)) {
        snprintf(reason, size, "nothing was sampled");
        return false;
    }
    const char *unit;
    double divisor = sweep_view_unit(table->metric[0].unit, greatest.mean, &unit);
    size_t panels = view->effects < PANELS_MAX ? view->effects : PANELS_MAX;
    double *xs = heap_new(table->points, sizeof *xs), *ys = heap_new(table->points, sizeof *ys);
    char(*labels)[256] = heap_new(panels, sizeof *labels);
    const char **texts = heap_new(panels, sizeof *texts);
    fprintf(script, "array named[%zu]\narray xlog[%zu]\n", panels, panels);
    for (size_t p = 0; p < panels; p++) {
        size_t a = view->effect[p].axis, count = 0;
        const struct sweep_axis *axis = &table->axis[a];
        const char *axis_unit = "";
        double scale =
            axis->numeric
                ? sweep_view_unit(axis->unit,
                                  axis->range ? axis->high : axis->level[axis->levels - 1].value,
                                  &axis_unit)
                : 1;
        for (size_t i = 0; i < table->points; i++) {
            const struct sweep_point *point = &table->point[i];
            if (point->role != SWEEP_POINT || isnan(point->value[0]))
                continue;
            xs[count] = axis->numeric ? point->at[a].value / scale : (double)point->level[a] + 1;
            ys[count] = point->value[0];
            const double row[] = {xs[count], ys[count] / divisor};
            plot_row(data, row, 2);
            count++;
        }
        fputs("\n\n", data);
        write_trend(xs, ys, count, divisor, data);
        sweep_view_label(axis->name, axis_unit, labels[p], sizeof labels[p]);
        texts[p] = labels[p];
        fprintf(script, "named[%zu] = %d\nxlog[%zu] = %d\n", p + 1, !axis->numeric, p + 1,
                axis->logarithmic);
        for (size_t l = 0; l < axis->levels && !axis->numeric; l++) {
            fprintf(script, "tick_%zu_%zu = ", p + 1, l + 1);
            plot_string(script, axis->level[l].label);
            putc('\n', script);
        }
        fprintf(script, "ticks_%zu = %zu\n", p + 1, axis->numeric ? 0 : axis->levels);
    }
    plot_declare(script, "key", texts, panels);
    char title[256];
    sweep_view_label(table->metric[0].title, unit, title, sizeof title);
    fputs("above = ", script);
    plot_string(script, title);
    putc('\n', script);
    free(xs);
    free(ys);
    free(labels);
    free(texts);
    return true;
}

/* "8GiB, lazy": the values of a point, for the few that are named. */
static void name_point(const struct sweep_table *table, const struct sweep_point *point, char *text,
                       size_t size)
{
    size_t length = 0;
    text[0] = 0;
    for (size_t a = 0; a < table->axes && length < size; a++)
        if (point->at[a].label != NULL)
            length += (size_t)snprintf(text + length, size - length, "%s%s", length > 0 ? ", " : "",
                                       point->at[a].label);
}

/* A point of the front. */
struct front_point {
    double x;
    size_t place;
};

static int by_x(const void *a, const void *b)
{
    const struct front_point *one = a, *other = b;
    if (one->x < other->x || one->x > other->x)
        return one->x < other->x ? -1 : 1;
    return (one->place > other->place) - (one->place < other->place);
}

bool figure_pareto(const void *what, size_t which, FILE *script, FILE *data, char *reason,
                   size_t size)
{
    enum { NAMED = 12 };
    const struct sweep_view *view = what;
    const struct sweep_table *table = view->table;
    (void)which;
    if (!table->has_pareto) {
        snprintf(reason, size, "no two metrics were named");
        return false;
    }
    size_t a = table->pareto[0], b = table->pareto[1], kept = 0;
    bool *front = heap_new(table->points, sizeof *front);
    struct sweep_extreme least, most_a, most_b;
    size_t marked = insight_pareto(table, a, b, front);
    if (marked == 0 || !insight_range(table, a, &least, &most_a) ||
        !insight_range(table, b, &least, &most_b)) {
        snprintf(reason, size, "no run has both metrics");
        free(front);
        return false;
    }
    const char *unit_a, *unit_b;
    double scale_a = sweep_view_unit(table->metric[a].unit, most_a.mean, &unit_a);
    double scale_b = sweep_view_unit(table->metric[b].unit, most_b.mean, &unit_b);
    struct front_point *kept_points = heap_new(marked, sizeof *kept_points);
    for (size_t i = 0; i < table->points; i += insight_seeds(table, i)) {
        const double row[] = {insight_mean(table, i, a) / scale_a,
                              insight_mean(table, i, b) / scale_b};
        if (isnan(row[0]) || isnan(row[1]))
            continue;
        plot_row(data, row, 2);
        if (front[i])
            kept_points[kept++] = (struct front_point){row[0], i};
    }
    fputs("\n\n", data);
    qsort(kept_points, kept, sizeof *kept_points, by_x);
    size_t named = 0;
    for (size_t i = 0; i < kept; i++) {
        const struct sweep_point *point = &table->point[kept_points[i].place];
        const double row[] = {kept_points[i].x,
                              insight_mean(table, kept_points[i].place, b) / scale_b};
        bool again = i > 0 && kept_points[i - 1].x >= row[0]; /* on a front then equal in both */
        plot_row(data, row, 2);
        if (again || named == NAMED)
            continue;
        char name[200];
        name_point(table, point, name, sizeof name);
        fprintf(script, "name_%zu = ", named + 1);
        plot_string(script, name);
        fprintf(script, "\nname_x_%zu = ", named + 1);
        plot_number(script, row[0]);
        fprintf(script, "\nname_y_%zu = ", ++named);
        plot_number(script, row[1]);
        putc('\n', script);
    }
    char label[256];
    fprintf(script, "names = %zu\nfalls = %d\n", named,
            (table->metric[a].better == METRIC_MORE) == (table->metric[b].better == METRIC_MORE));
    fputs("xname = ", script);
    sweep_view_label(table->metric[a].title, unit_a, label, sizeof label);
    plot_string(script, label);
    fputs("\nyname = ", script);
    sweep_view_label(table->metric[b].title, unit_b, label, sizeof label);
    plot_string(script, label);
    putc('\n', script);
    plot_declare_number(script, "base_x", cell_of_role(table, SWEEP_BASELINE, a).mean / scale_a);
    plot_declare_number(script, "base_y", cell_of_role(table, SWEEP_BASELINE, b).mean / scale_b);
    free(front);
    free(kept_points);
    return true;
}
