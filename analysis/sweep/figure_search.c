/* What searches looked at, and what they found. */
#include "analysis/heap.h"
#include "analysis/human.h"
#include "analysis/sweep/view.h"

#include <gsl/gsl_sort.h>
#include <math.h>

/* Whether a point was run for the search: the keys it was not over are at its values. */
static bool belongs(const struct sweep_table *table, const struct sweep_search *search,
                    const struct sweep_point *point)
{
    if (point->role != SWEEP_SEARCH || isnan(point->value[table->search_metric]))
        return false;
    for (size_t a = 0; a < table->axes; a++)
        if (!table->searched[a] && (point->at[a].label == NULL || search->at[a].label == NULL ||
                                    strcmp(point->at[a].label, search->at[a].label) != 0))
            return false;
    return true;
}

static void name_search(const struct sweep_table *table, const struct sweep_search *search,
                        char *text, size_t size)
{
    size_t length = 0;
    text[0] = 0;
    for (size_t a = 0; a < table->axes && length < size; a++)
        if (search->at[a].label != NULL)
            length +=
                (size_t)snprintf(text + length, size - length, "%s%s=%s", length > 0 ? ", " : "",
                                 table->axis[a].name, search->at[a].label);
}

/* Searches that a figure can tell apart, and their names for its legend. */
static size_t declare_searches(const struct sweep_table *table, FILE *script)
{
    size_t count = table->searches < VIEW_LINES ? table->searches : VIEW_LINES;
    char(*names)[200] = heap_new(count, sizeof *names);
    const char **texts = heap_new(count, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        name_search(table, &table->search[i], names[i], sizeof names[i]);
        texts[i] = names[i];
    }
    plot_declare(script, "line", texts, count);
    if (count > 1)
        plot_place_legend(script, texts, NULL, count);
    free(names);
    free(texts);
    return count;
}

static void declare_text(FILE *script, const char *name, const char *text)
{
    fprintf(script, "%s = ", name);
    plot_string(script, text);
    putc('\n', script);
}

/* The mean over the seeds of points at the same place. */
static void write_means(double *x, double *y, size_t count, FILE *data)
{
    gsl_sort2(x, 1, y, 1, count);
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin; end < count && x[end] <= x[begin]; end++)
            ;
        const double row[] = {x[begin], cell_of(y + begin, end - begin).mean};
        plot_row(data, row, 2);
    }
    if (count == 0)
        fputs("NaN NaN\n", data);
    fputs("\n\n", data);
}

bool figure_threshold(const void *what, size_t which, FILE *script, FILE *data, char *reason,
                      size_t size)
{
    const struct sweep_view *view = what;
    const struct sweep_table *table = view->table;
    struct sweep_extreme least, greatest;
    size_t metric = table->search_metric, axis = 0;
    (void)which;
    if (table->searches == 0 || table->search[0].minimum ||
        !insight_range(table, metric, &least, &greatest)) {
        snprintf(reason, size, "no threshold was looked for");
        return false;
    }
    while (!table->searched[axis])
        axis++;
    const char *x_unit, *y_unit;
    double x_scale = sweep_view_unit(table->axis[axis].unit, table->axis[axis].high, &x_unit);
    double y_scale = sweep_view_unit(table->metric[metric].unit,
                                     fmax(greatest.mean, table->condition.bound), &y_unit);
    size_t count = declare_searches(table, script);
    double *xs = heap_new(table->points, sizeof *xs), *ys = heap_new(table->points, sizeof *ys);
    fprintf(script, "array found[%zu]\n", count);
    for (size_t i = 0; i < count; i++) {
        size_t kept = 0;
        for (size_t p = 0; p < table->points; p++)
            if (belongs(table, &table->search[i], &table->point[p])) {
                xs[kept] = table->point[p].at[axis].value / x_scale;
                ys[kept++] = table->point[p].value[metric] / y_scale;
            }
        write_means(xs, ys, kept, data);
        fprintf(script, "found[%zu] = ", i + 1);
        plot_number(script, table->search[i].end == SEARCH_FOUND
                                ? table->search[i].found.value / x_scale
                                : (double)NAN);
        putc('\n', script);
    }
    char label[256], bound[HUMAN_ROOM];
    sweep_view_label(table->axis[axis].name, x_unit, label, sizeof label);
    declare_text(script, "xname", label);
    sweep_view_label(table->metric[metric].title, y_unit, label, sizeof label);
    declare_text(script, "title", label);
    plot_declare_number(script, "bound", table->condition.bound / y_scale);
    metric_text(table->metric[metric].unit, table->condition.bound, bound);
    snprintf(label, sizeof label, "%s%s %s", table->condition.at_least ? ">" : "<",
             table->condition.strictly ? "" : "=", bound);
    declare_text(script, "bound_text", label);
    free(xs);
    free(ys);
    return true;
}

bool figure_minimum(const void *what, size_t which, FILE *script, FILE *data, char *reason,
                    size_t size)
{
    const struct sweep_view *view = what;
    const struct sweep_table *table = view->table;
    struct sweep_extreme least, greatest;
    size_t metric = table->search_metric;
    (void)which;
    if (table->searches == 0 || !table->search[0].minimum ||
        !insight_range(table, metric, &least, &greatest)) {
        snprintf(reason, size, "no minimum was looked for");
        return false;
    }
    const char *unit;
    double scale = sweep_view_unit(table->metric[metric].unit, greatest.mean, &unit);
    size_t count = declare_searches(table, script), seeds = (size_t)table->seeds;
    double *values = heap_new(table->points, sizeof *values);
    for (size_t i = 0; i < count; i++) {
        size_t kept = 0;
        double best = (double)NAN;
        for (size_t p = 0; p < table->points; p++)
            if (belongs(table, &table->search[i], &table->point[p]))
                values[kept++] = table->point[p].value[metric] / scale;
        for (size_t run = 0; run * seeds < kept; run++) {
            size_t left = kept - run * seeds;
            double mean = cell_of(values + run * seeds, left < seeds ? left : seeds).mean;
            if (isnan(best) || (table->maximum ? mean > best : mean < best))
                best = mean;
            const double row[] = {(double)(run + 1), mean, best};
            plot_row(data, row, 3);
        }
        fputs(kept == 0 ? "NaN NaN NaN\n\n\n" : "\n\n", data);
    }
    char label[256];
    sweep_view_label(table->metric[metric].title, unit, label, sizeof label);
    declare_text(script, "title", label);
    fprintf(script, "maximum = %d\n", table->maximum);
    free(values);
    return true;
}
