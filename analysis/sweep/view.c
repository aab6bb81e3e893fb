#include "analysis/sweep/view.h"
#include "analysis/heap.h"

#include <math.h>

/* Whether any two means of the metric differ. */
static bool varies(const struct sweep_table *table, size_t metric)
{
    struct sweep_extreme least, greatest;
    return insight_range(table, metric, &least, &greatest) && least.mean < greatest.mean;
}

static bool is_cause(const char *path)
{
    return strstr(path, ".blame_ns.") != NULL || strstr(path, ".blame_total_ns.") != NULL;
}

static void choose_metrics(struct sweep_view *view)
{
    const struct sweep_table *table = view->table;
    view->metric[view->metrics++] = 0;
    for (size_t m = 1; m < table->metrics && view->metrics < VIEW_METRICS; m++)
        if (!is_cause(table->metric[m].path) && varies(table, m))
            view->metric[view->metrics++] = m;
}

/* Along the axis: the first key of three or more numbers, else the one with most values. */
static int choose_x(const struct sweep_table *table)
{
    int x = VIEW_NONE;
    for (size_t a = 0; a < table->axes; a++) {
        const struct sweep_axis *axis = &table->axis[a];
        if (table->searched[a] || axis->levels == 0)
            continue;
        if (axis->numeric && axis->levels >= 3)
            return (int)a;
        if (x == VIEW_NONE || axis->levels > table->axis[x].levels)
            x = (int)a;
    }
    return x;
}

void sweep_view_make(const struct sweep_table *table, struct sweep_view *view)
{
    *view = (struct sweep_view){.table = table, .lines = VIEW_NONE, .panels = 1};
    view->effect = heap_new(table->axes, sizeof *view->effect);
    view->panel_axis = heap_new(table->axes, sizeof *view->panel_axis);
    choose_metrics(view);
    view->effects = insight_effects(table, 0, view->effect);
    view->x = choose_x(table);
    /* The strongest of the others tells lines apart, the next ones panels, as long as there is
     * room. */
    for (size_t e = 0; e < view->effects; e++) {
        size_t a = view->effect[e].axis, levels = table->axis[a].levels;
        if ((int)a == view->x || levels < 2)
            continue;
        if (view->lines == VIEW_NONE && levels <= VIEW_LINES) {
            view->lines = (int)a;
        } else if (view->panels * levels <= VIEW_PANELS) {
            view->panel_axis[view->panel_axes++] = a;
            view->panels *= levels;
        }
    }
}

void sweep_view_free(struct sweep_view *view)
{
    free(view->effect);
    free(view->panel_axis);
}

void sweep_view_levels(const struct sweep_view *view, size_t panel, size_t line, size_t x,
                       size_t *level)
{
    const struct sweep_table *table = view->table;
    for (size_t a = 0; a < table->axes; a++)
        level[a] = cells_baseline(&table->axis[a]);
    for (size_t p = view->panel_axes; p-- > 0;) {
        size_t levels = table->axis[view->panel_axis[p]].levels;
        level[view->panel_axis[p]] = panel % levels;
        panel /= levels;
    }
    if (view->lines != VIEW_NONE)
        level[view->lines] = line;
    if (view->x != VIEW_NONE)
        level[view->x] = x;
}

void sweep_view_panel_name(const struct sweep_view *view, size_t panel, char *text, size_t size)
{
    const struct sweep_table *table = view->table;
    size_t *level = heap_new(table->axes, sizeof *level), length = 0;
    sweep_view_levels(view, panel, 0, 0, level);
    text[0] = 0;
    for (size_t p = 0; p < view->panel_axes && length < size; p++) {
        const struct sweep_axis *axis = &table->axis[view->panel_axis[p]];
        length += (size_t)snprintf(text + length, size - length, "%s%s=%s", p > 0 ? ", " : "",
                                   axis->name, axis->level[level[view->panel_axis[p]]].label);
    }
    free(level);
}

double sweep_view_unit(enum metric_unit unit, double greatest, const char **name)
{
    static const struct {
        enum metric_unit unit;
        double worth;
        const char *name;
    } units[] = {
        {METRIC_NS, 1e9, "s"},
        {METRIC_NS, 1e6, "ms"},
        {METRIC_NS, 1e3, "µs"},
        {METRIC_NS, 1, "ns"},
        {METRIC_BYTES, 1099511627776., "TiB"},
        {METRIC_BYTES, 1073741824., "GiB"},
        {METRIC_BYTES, 1048576., "MiB"},
        {METRIC_BYTES, 1024., "KiB"},
        {METRIC_BYTES, 1, "bytes"},
        {METRIC_RATE, 1e9, "GB/s"},
        {METRIC_RATE, 1e6, "MB/s"},
        {METRIC_RATE, 1e3, "KB/s"},
        {METRIC_RATE, 1, "B/s"},
        {METRIC_SHARE, 0.01, "%"},
    };
    size_t last = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].unit == unit) {
            last = i;
            if (fabs(greatest) >= units[i].worth)
                break;
        }
    *name = unit == METRIC_PLAIN ? "" : units[last].name;
    return unit == METRIC_PLAIN ? 1 : units[last].worth;
}

void sweep_view_label(const char *name, const char *unit, char *text, size_t size)
{
    snprintf(text, size, "%s%s%s", name, unit[0] != 0 ? ", " : "", unit);
}

static double axis_unit(const struct sweep_axis *axis, const char **name)
{
    double greatest = axis->range ? axis->high : 0;
    for (size_t l = 0; l < axis->levels; l++)
        greatest = fmax(greatest, axis->level[l].value);
    return sweep_view_unit(axis->unit, greatest, name);
}

double sweep_view_x(const struct sweep_view *view, size_t axis, size_t level)
{
    const struct sweep_axis *shown = &view->table->axis[axis];
    const char *name;
    return shown->numeric ? shown->level[level].value / axis_unit(shown, &name) : (double)level + 1;
}

void sweep_view_declare_axis(const struct sweep_view *view, size_t axis, char letter, FILE *script)
{
    const struct sweep_axis *shown = &view->table->axis[axis];
    const char *unit, **labels = heap_new(shown->levels, sizeof *labels);
    char label[256], name[16];
    double divisor = axis_unit(shown, &unit), baseline = (double)NAN;
    for (size_t l = 0; l < shown->levels; l++) {
        labels[l] = shown->level[l].label;
        if (!shown->numeric && shown->baseline.label != NULL &&
            strcmp(labels[l], shown->baseline.label) == 0)
            baseline = (double)l + 1;
    }
    if (shown->numeric && shown->levels > 0 && shown->baseline.value >= shown->level[0].value &&
        shown->baseline.value <= shown->level[shown->levels - 1].value)
        baseline = shown->baseline.value / divisor;
    sweep_view_label(shown->name, shown->numeric ? unit : "", label, sizeof label);
    fprintf(script, "%cname = ", letter);
    plot_string(script, label);
    fprintf(script, "\n%clog = %d\n%cnamed = %d\n", letter, shown->logarithmic, letter,
            !shown->numeric);
    snprintf(name, sizeof name, "%ctick", letter);
    plot_declare(script, name, labels, shown->levels);
    snprintf(name, sizeof name, "base_%c", letter);
    plot_declare_number(script, name, baseline);
    double first = sweep_view_x(view, axis, 0), last = sweep_view_x(view, axis, shown->levels - 1);
    snprintf(name, sizeof name, "%cfirst", letter);
    plot_declare_number(script, name, fmin(first, last));
    snprintf(name, sizeof name, "%clast", letter);
    plot_declare_number(script, name, fmax(first, last));
    free(labels);
}
