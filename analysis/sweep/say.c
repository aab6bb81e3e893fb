#include "analysis/sweep/say.h"
#include "analysis/heap.h"
#include "analysis/human.h"

#include <math.h>

char *say_value(const struct sweep_metric *metric, double value, char *text)
{
    metric_text(metric->unit, value, text);
    char *unit = strstr(text, " us");
    if (unit != NULL)
        strcpy(unit, " µs");
    return text;
}

void say_levels(const struct sweep_table *table, const struct sweep_level *at, char *text,
                size_t size)
{
    size_t length = 0;
    text[0] = 0;
    for (size_t a = 0; a < table->axes && length < size; a++)
        if (at[a].label != NULL)
            length += (size_t)snprintf(text + length, size - length, "%s%s=%s",
                                       length > 0 ? ", " : "", table->axis[a].name, at[a].label);
    if (text[0] == 0)
        snprintf(text, size, "everywhere");
}

/* What was played, in a word: a file's name, or the generator's ("wddmsim generate NAME ..."). */
static const char *trace_name(const struct sweep_table *table, size_t *length)
{
    static const char command[] = "wddmsim generate ";
    const char *name = table->traces > 0 ? table->trace[0].name : "";
    if (strncmp(name, command, strlen(command)) == 0) {
        name += strlen(command);
        *length = strcspn(name, " ");
        return name;
    }
    const char *slash = strrchr(name, '/');
    name = table->traces > 1 ? "several traces" : slash != NULL ? slash + 1 : name;
    *length = strlen(name);
    return name;
}

void say_title(const struct sweep_table *table, char *text)
{
    if (table->title[0] != 0) {
        snprintf(text, SAY_ROOM, "%s", table->title);
        return;
    }
    size_t length = 0, name_length;
    const char *name = trace_name(table, &name_length);
    text[0] = 0;
    for (size_t a = 0; a < table->axes && length < SAY_ROOM; a++)
        length += (size_t)snprintf(text + length, SAY_ROOM - length, "%s%s",
                                   length > 0 ? " × " : "", table->axis[a].name);
    if (length < SAY_ROOM && table->traces > 0)
        snprintf(text + length, SAY_ROOM - length, "%s%.*s on %s", length > 0 ? " of " : "",
                 (int)name_length, name, table->hardware);
}

/* "at a=1, b=2"; the baseline is called so. */
static void say_place(const struct sweep_table *table, const struct sweep_point *point, char *text,
                      size_t size)
{
    char levels[300];
    say_levels(table, point->at, levels, sizeof levels);
    snprintf(text, size, point->role == SWEEP_BASELINE ? "at the baseline" : "at %s", levels);
}

void say_range(const struct sweep_table *table, size_t metric, char *text)
{
    struct sweep_extreme least, greatest;
    const struct sweep_metric *shown = &table->metric[metric];
    char low[HUMAN_ROOM], high[HUMAN_ROOM], low_at[340], high_at[340];
    text[0] = 0;
    if (!insight_range(table, metric, &least, &greatest))
        return;
    say_value(shown, least.mean, low);
    say_value(shown, greatest.mean, high);
    say_place(table, least.point, low_at, sizeof low_at);
    say_place(table, greatest.point, high_at, sizeof high_at);
    if (least.mean < greatest.mean)
        snprintf(text, SAY_ROOM, "%s: from %s, %s, to %s, %s.", shown->title, low, low_at, high,
                 high_at);
    else
        snprintf(text, SAY_ROOM, "%s: %s in every run.", shown->title, low);
}

void say_effects(const struct sweep_view *view, char *text)
{
    const struct sweep_table *table = view->table;
    const struct sweep_metric *metric = &table->metric[0];
    char share[HUMAN_ROOM], low[HUMAN_ROOM], high[HUMAN_ROOM], more[HUMAN_ROOM];
    text[0] = 0;
    if (view->effects == 0)
        return;
    const struct sweep_effect *first = &view->effect[0];
    const char *name = table->axis[first->axis].name;
    bool swings = first->swings && first->high > first->low;
    size_t length = 0;
    if (first->explained && view->effects > 1) {
        double own = fmin(fmax(0, first->indices.first), 1); /* estimates stray */
        length = (size_t)snprintf(text, SAY_ROOM,
                                  "%s matters most: it explains %s of the variance "
                                  "on its own",
                                  name, human_share(share, own));
        if (!isnan(first->indices.total) && first->indices.total > own + 0.02)
            length += (size_t)snprintf(text + length, SAY_ROOM - length,
                                       ", and %s together with the others",
                                       human_share(more, fmin(first->indices.total, 1)));
        length += (size_t)snprintf(text + length, SAY_ROOM - length, ".");
    }
    if (swings && length < SAY_ROOM)
        length += (size_t)snprintf(
            text + length, SAY_ROOM - length,
            "%sFrom the baseline, %s alone takes %s from %s (%s) to %s (%s).",
            length > 0 ? " " : "", name, metric->title, say_value(metric, first->low, low),
            first->low_at.label, say_value(metric, first->high, high), first->high_at.label);
    if (length == 0)
        snprintf(text, SAY_ROOM, "Nothing that was varied moves this metric.");
}

/* The means of the first metric along x, the other keys at their baselines; returns how many. */
static size_t curve(const struct sweep_view *view, double *xs, double *ys, size_t *level)
{
    const struct sweep_table *table = view->table;
    const struct sweep_axis *axis = &table->axis[view->x];
    size_t *levels = heap_new(table->axes, sizeof *levels), count = 0;
    struct sweep_cells cells;
    cells_make(table, 0, &cells);
    for (size_t x = 0; x < axis->levels; x++) {
        size_t place = 0;
        for (size_t a = 0; a < cells.axes; a++) {
            size_t own = cells.axis[a];
            size_t here = own == (size_t)view->x ? x : cells_baseline(&table->axis[own]);
            place = place * cells.levels[a] + here;
        }
        double mean = cells.cell[place].mean;
        if (isnan(mean))
            continue;
        xs[count] = axis->logarithmic ? log(axis->level[x].value) : axis->level[x].value;
        ys[count] = mean;
        level[count++] = x;
    }
    cells_free(&cells);
    free(levels);
    return count;
}

void say_knee(const struct sweep_view *view, char *text)
{
    const struct sweep_table *table = view->table;
    text[0] = 0;
    if (table->design.kind != DESIGN_GRID || table->searches > 0 || view->x == VIEW_NONE ||
        !table->axis[view->x].numeric)
        return;
    const struct sweep_axis *axis = &table->axis[view->x];
    double *xs = heap_new(axis->levels, sizeof *xs), *ys = heap_new(axis->levels, sizeof *ys);
    size_t *level = heap_new(axis->levels, sizeof *level), flat = 0;
    size_t count = curve(view, xs, ys, level), knee = insight_knee(xs, ys, count);
    double span = 0, noise = 0;
    for (size_t i = 0; i < count; i++)
        span = fmax(span, fabs(ys[i] - ys[count - 1]));
    for (size_t e = 0; e < view->effects; e++)
        if (view->effect[e].axis == (size_t)view->x)
            noise = view->effect[e].half;
    while (flat < count && fabs(ys[flat] - ys[count - 1]) > 0.01 * span)
        flat++;
    char here[HUMAN_ROOM], end[HUMAN_ROOM];
    if (span <= noise)
        text[0] = 0; /* seeds make as much of a difference */
    else if (count >= 3 && flat > 0 && flat + 1 < count)
        snprintf(text, SAY_ROOM, "From %s=%s on %s hardly changes any more: %s there, %s at %s.",
                 axis->name, axis->level[level[flat]].label, table->metric[0].title,
                 say_value(&table->metric[0], ys[flat], here),
                 say_value(&table->metric[0], ys[count - 1], end),
                 axis->level[level[count - 1]].label);
    else if (knee < count)
        snprintf(text, SAY_ROOM, "The curve bends at %s=%s, where %s is %s.", axis->name,
                 axis->level[level[knee]].label, table->metric[0].title,
                 say_value(&table->metric[0], ys[knee], here));
    free(xs);
    free(ys);
    free(level);
}

void say_wins(const struct sweep_view *view, char *text)
{
    const struct sweep_table *table = view->table;
    size_t length = 0;
    text[0] = 0;
    for (size_t a = 0; a < table->axes && length < SAY_ROOM; a++) {
        const struct sweep_axis *axis = &table->axis[a];
        size_t *wins = heap_new(axis->levels, sizeof *wins);
        size_t compared = axis->numeric || axis->levels < 2 ? 0 : insight_wins(table, 0, a, wins);
        bool all_alike = true;
        for (size_t l = 0; l < axis->levels; l++)
            all_alike = all_alike && wins[l] == compared;
        if (compared > 1 && all_alike) {
            length += (size_t)snprintf(text + length, SAY_ROOM - length,
                                       "%sIt makes no difference which %s.", length > 0 ? " " : "",
                                       axis->name);
        } else if (compared > 1) {
            length += (size_t)snprintf(text + length, SAY_ROOM - length,
                                       "%s%s: best, or within 0.1 %% of it, is",
                                       length > 0 ? " " : "", axis->name);
            for (size_t l = 0; l < axis->levels && length < SAY_ROOM; l++)
                length += (size_t)snprintf(text + length, SAY_ROOM - length, "%s %s in %zu",
                                           l > 0 ? "," : "", axis->level[l].label, wins[l]);
            if (length < SAY_ROOM)
                length +=
                    (size_t)snprintf(text + length, SAY_ROOM - length, " of %zu cases.", compared);
        }
        free(wins);
    }
}

void say_failing(const struct sweep_table *table, char *text)
{
    const struct sweep_point *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < table->points; i++) {
        const struct sweep_point *point = &table->point[i];
        if (point->state != SWEEP_DONE || point->message == NULL)
            continue;
        first = first != NULL ? first : point;
        count++;
    }
    char where[300];
    text[0] = 0;
    if (first == NULL)
        return;
    say_levels(table, first->at, where, sizeof where);
    snprintf(text, SAY_ROOM,
             "At %zu of %zu points calls fail that do not at the baseline, as at %s (%s). What "
             "programs did without there takes no time: such points cannot be compared.",
             count, table->points, where, first->message);
}

static void say_condition(const struct sweep_table *table, char *text, size_t size)
{
    char bound[HUMAN_ROOM];
    const struct sweep_metric *metric = &table->metric[table->search_metric];
    snprintf(text, size, "%s %s%s %s", metric->title, table->condition.at_least ? ">" : "<",
             table->condition.strictly ? "" : "=",
             say_value(metric, table->condition.bound, bound));
}

static void say_threshold(const struct sweep_table *table, const struct sweep_search *search,
                          char *text)
{
    char condition[300];
    size_t axis = 0;
    while (axis < table->axes && !table->searched[axis])
        axis++;
    const char *name = axis < table->axes ? table->axis[axis].name : "";
    const char *bend = search->not_monotone ? " It does not hold at every value in between." : "";
    say_condition(table, condition, sizeof condition);
    switch (search->end) {
    case SEARCH_FOUND:
        snprintf(text, SAY_ROOM, "%s from %s=%s on%s (not at %s).%s", condition, name,
                 search->found.label, search->from_here_up ? "" : " downwards",
                 search->next.label != NULL ? search->next.label : "its neighbour",
                 search->not_monotone ? " The condition changes more than once in the range." : "");
        return;
    case SEARCH_EVERYWHERE:
        snprintf(text, SAY_ROOM, "%s at both ends of the range of %s.%s", condition, name, bend);
        return;
    case SEARCH_NOWHERE:
        snprintf(text, SAY_ROOM, "%s at neither end of the range of %s.%s", condition, name,
                 search->not_monotone ? " It holds somewhere in between." : "");
        return;
    case SEARCH_UNKNOWN:
        snprintf(text, SAY_ROOM,
                 "No run has the metric %s; a quantile takes enough calls (p99: "
                 "100).",
                 table->metric[table->search_metric].path);
        return;
    case SEARCH_ENDED:
        break;
    }
    snprintf(text, SAY_ROOM, "This search is not complete.");
}

void say_search(const struct sweep_table *table, const struct sweep_search *search, char *text)
{
    const struct sweep_metric *metric = &table->metric[table->search_metric];
    char where[300], value[HUMAN_ROOM];
    if (!search->minimum) {
        say_threshold(table, search, text);
    } else if (search->end == SEARCH_FOUND && search->best != NULL) {
        say_levels(table, search->best, where, sizeof where);
        snprintf(text, SAY_ROOM, "%s is %s, %s, at %s (%zu runs).", metric->title,
                 table->maximum ? "greatest" : "least", say_value(metric, search->least, value),
                 where, search->runs);
    } else {
        snprintf(text, SAY_ROOM, "This search is not complete.");
    }
}
