#include "analysis/heap.h"
#include "analysis/output.h"
#include "analysis/result.h"
#include "analysis/sweep/table.h"

#include <errno.h>
#include <unistd.h>

/* A reader under way: the first thing that is wrong is what is told. */
struct reading {
    struct sweep_table *table;
    const char *path;
    char *error;
    size_t error_size;
};

static bool fail(struct reading *reading, const char *what)
{
    snprintf(reading->error, reading->error_size, "%s: not the table of a sweep: %s", reading->path,
             what);
    return false;
}

static char *text_at(const json_t *json, const char *key)
{
    return heap_text(result_text(result_at(json, key, NULL)));
}

/* The place of a text among names; `count` if it is none of them. */
static size_t place_of(const char *const *names, size_t count, const char *text)
{
    size_t i = 0;
    while (i < count && strcmp(names[i], text) != 0)
        i++;
    return i;
}

static struct sweep_level level_of(const json_t *json)
{
    struct sweep_level level = {NULL, result_number(result_at(json, "value", NULL))};
    if (json_is_object(json))
        level.label = text_at(json, "label");
    return level;
}

static enum metric_unit unit_of(const json_t *json)
{
    static const char *const names[] = {"", "ns", "bytes", "bytes_per_s", "share"};
    size_t place = place_of(names, 5, result_text(result_at(json, "unit", NULL)));
    return place < 5 ? (enum metric_unit)place : METRIC_PLAIN;
}

static void read_axes(struct sweep_table *table, const json_t *axes)
{
    table->axes = json_array_size(axes);
    table->axis = heap_new(table->axes, sizeof *table->axis);
    table->searched = heap_new(table->axes, sizeof *table->searched);
    for (size_t a = 0; a < table->axes; a++) {
        const json_t *json = json_array_get(axes, a);
        const json_t *levels = result_at(json, "levels", NULL);
        struct sweep_axis *axis = &table->axis[a];
        axis->name = text_at(json, "name");
        axis->unit = unit_of(json);
        axis->numeric = json_is_true(result_at(json, "numeric", NULL));
        axis->logarithmic = json_is_true(result_at(json, "logarithmic", NULL));
        axis->low = result_number(result_at(json, "low", NULL));
        axis->high = result_number(result_at(json, "high", NULL));
        axis->range = axis->low < axis->high;
        table->searched[a] = json_is_true(result_at(json, "searched", NULL));
        axis->levels = json_array_size(levels);
        axis->level = heap_new(axis->levels, sizeof *axis->level);
        for (size_t l = 0; l < axis->levels; l++) {
            axis->level[l] = level_of(json_array_get(levels, l));
            if (axis->level[l].label == NULL)
                axis->level[l].label = heap_text("");
        }
        axis->baseline = level_of(result_at(json, "baseline", NULL));
    }
}

static void read_metrics(struct sweep_table *table, const json_t *metrics)
{
    static const char *const better[] = {"neither", "less", "more"};
    table->metrics = json_array_size(metrics);
    table->metric = heap_new(table->metrics, sizeof *table->metric);
    for (size_t m = 0; m < table->metrics; m++) {
        const json_t *json = json_array_get(metrics, m);
        size_t place = place_of(better, 3, result_text(result_at(json, "better", NULL)));
        table->metric[m] = (struct sweep_metric){
            .path = text_at(json, "path"),
            .title = text_at(json, "title"),
            .unit = unit_of(json),
            .better = place < 3 ? (enum metric_better)place : METRIC_NEITHER,
        };
    }
}

static struct sweep_level *read_levels(const struct sweep_table *table, const json_t *at)
{
    struct sweep_level *levels = heap_new(table->axes, sizeof *levels);
    for (size_t a = 0; a < table->axes; a++)
        levels[a] = level_of(result_at(at, table->axis[a].name, NULL));
    return levels;
}

static bool read_point(struct reading *reading, const json_t *json, struct sweep_point *point)
{
    const struct sweep_table *table = reading->table;
    size_t role = place_of(sweep_role_names, 3, result_text(result_at(json, "role", NULL)));
    size_t state = place_of(sweep_state_names, 4, result_text(result_at(json, "state", NULL)));
    double seed = result_number(result_at(json, "seed", NULL));
    point->at = read_levels(table, result_at(json, "at", NULL));
    point->level = heap_new(table->axes, sizeof *point->level);
    point->value = heap_new(table->metrics, sizeof *point->value);
    for (size_t a = 0; a < table->axes; a++) {
        const struct sweep_axis *axis = &table->axis[a];
        const char *label = point->at[a].label;
        while (point->level[a] < axis->levels &&
               (label == NULL || strcmp(axis->level[point->level[a]].label, label) != 0))
            point->level[a]++;
    }
    for (size_t m = 0; m < table->metrics; m++)
        point->value[m] = result_number(result_at(json, "metrics", table->metric[m].path, NULL));
    if (json_is_string(result_at(json, "message", NULL)))
        point->message = text_at(json, "message");
    if (role == 3 || state == 4)
        return fail(reading, "a point has no role or no state");
    point->role = (enum sweep_role)role;
    point->state = (enum sweep_state)state;
    point->seed = seed >= 0 ? (uint64_t)seed : 0;
    return true;
}

static bool read_searches(struct reading *reading, const json_t *json)
{
    static const char *const ends[] = {"found", "everywhere", "nowhere", "unknown", "ended"};
    struct sweep_table *table = reading->table;
    const json_t *list = result_at(json, "results", NULL);
    const char *sought = result_text(result_at(json, "sought", NULL));
    const char *sign = result_text(result_at(json, "condition", NULL));
    bool minimum = strcmp(sought, "threshold") != 0;
    table->maximum = strcmp(sought, "maximum") == 0;
    table->search_metric = sweep_table_metric(table, result_text(result_at(json, "metric", NULL)));
    if (table->search_metric == table->metrics)
        return fail(reading, "the metric of the search is none of its metrics");
    table->condition = (struct search_condition){
        .bound = result_number(result_at(json, "bound", NULL)),
        .at_least = sign[0] == '>',
        .strictly = sign[0] != 0 && sign[1] == 0,
    };
    table->searches = json_array_size(list);
    table->search = heap_new(table->searches, sizeof *table->search);
    for (size_t i = 0; i < table->searches; i++) {
        const json_t *one = json_array_get(list, i);
        struct sweep_search *search = &table->search[i];
        size_t end = place_of(ends, 5, result_text(result_at(one, "end", NULL)));
        double runs = result_number(result_at(one, "runs", NULL));
        search->at = read_levels(table, result_at(one, "at", NULL));
        search->minimum = minimum;
        search->end = end < 5 ? (enum search_end)end : SEARCH_ENDED;
        search->runs = runs > 0 ? (size_t)runs : 0;
        search->found = level_of(result_at(one, "found", NULL));
        search->next = level_of(result_at(one, "next", NULL));
        search->from_here_up =
            strcmp(result_text(result_at(one, "holds", NULL)), "from there up") == 0;
        search->not_monotone = json_is_false(result_at(one, "monotone", NULL));
        search->least = result_number(result_at(one, "least", NULL));
        if (json_is_object(result_at(one, "best", NULL)))
            search->best = read_levels(table, result_at(one, "best", NULL));
        if (search->end == SEARCH_FOUND &&
            (minimum ? search->best == NULL : search->found.label == NULL))
            search->end = SEARCH_ENDED;
    }
    return true;
}

static bool read_table(struct reading *reading, const json_t *json)
{
    struct sweep_table *table = reading->table;
    const json_t *sweep = result_at(json, "sweep", NULL), *points = result_at(json, "points", NULL);
    const json_t *traces = result_at(sweep, "traces", NULL);
    char design_error[200];
    if (!json_is_object(sweep) || !json_is_array(points))
        return fail(reading, "no `sweep` or no `points`");
    table->version = text_at(sweep, "version");
    table->title = text_at(sweep, "title");
    table->question = text_at(sweep, "question");
    table->hardware = text_at(sweep, "hardware");
    table->partial = json_is_true(result_at(sweep, "partial", NULL));
    double seeds = result_number(result_at(sweep, "seeds", NULL));
    table->seeds = seeds >= 1 && seeds <= (double)json_array_size(points) ? (uint64_t)seeds : 1;
    if (!design_parse(result_text(result_at(sweep, "design", NULL)), &table->design, design_error,
                      sizeof design_error))
        return fail(reading, design_error);
    table->traces = json_array_size(traces);
    table->trace = heap_new(table->traces, sizeof *table->trace);
    for (size_t i = 0; i < table->traces; i++)
        table->trace[i] = (struct sweep_trace){text_at(json_array_get(traces, i), "name"),
                                               text_at(json_array_get(traces, i), "sha256")};
    read_axes(table, result_at(json, "axes", NULL));
    read_metrics(table, result_at(json, "metrics", NULL));
    if (table->metrics == 0)
        return fail(reading, "no metrics");
    const json_t *pareto = result_at(json, "pareto", NULL);
    if (json_array_size(pareto) == 2) {
        for (size_t i = 0; i < 2; i++)
            table->pareto[i] = sweep_table_metric(table, result_text(json_array_get(pareto, i)));
        table->has_pareto = table->pareto[0] < table->metrics && table->pareto[1] < table->metrics;
    }
    if (json_is_object(result_at(json, "search", NULL)) &&
        !read_searches(reading, result_at(json, "search", NULL)))
        return false;
    double combinations = 1; /* what a grid is laid out for must be there */
    for (size_t a = 0; a < table->axes; a++)
        combinations *= table->axis[a].levels > 0 ? (double)table->axis[a].levels : 1;
    if (table->design.kind == DESIGN_GRID && table->searches == 0 &&
        combinations > (double)json_array_size(points))
        return fail(reading, "it has fewer points than its grid");
    table->point = heap_new(json_array_size(points), sizeof *table->point);
    bool good = true;
    for (size_t i = 0; good && i < json_array_size(points); i++)
        good = read_point(reading, json_array_get(points, i), &table->point[table->points++]);
    return good;
}

bool sweep_table_is_there(const char *directory)
{
    char *path = output_path(directory, "sweep.json");
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

bool sweep_table_read(struct sweep_table *table, const char *directory, char *error,
                      size_t error_size)
{
    json_error_t problem;
    char *path = output_path(directory, "sweep.json");
    struct reading reading = {table, path, error, error_size};
    *table = (struct sweep_table){0};
    FILE *file = fopen(path, "rb");
    json_t *json = file != NULL ? json_loadf(file, JSON_REJECT_DUPLICATES, &problem) : NULL;
    if (file == NULL)
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
    else if (json == NULL)
        snprintf(error, error_size, "%s:%d: not JSON: %s", path, problem.line, problem.text);
    if (file != NULL)
        fclose(file);
    bool good = json != NULL && read_table(&reading, json);
    if (!good)
        sweep_table_free(table);
    json_decref(json);
    free(path);
    return good;
}
