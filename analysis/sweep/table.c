#include "analysis/sweep/table.h"
#include "analysis/heap.h"

#include <math.h>

const char *const sweep_state_names[] = {
    [SWEEP_MISSING] = "missing",
    [SWEEP_DONE] = "done",
    [SWEEP_FAILED] = "failed",
    [SWEEP_INVALID] = "invalid",
};
const char *const sweep_role_names[] = {
    [SWEEP_POINT] = "point", [SWEEP_BASELINE] = "baseline", [SWEEP_SEARCH] = "search"};

static void free_levels(struct sweep_level *levels, size_t count)
{
    for (size_t i = 0; levels != NULL && i < count; i++)
        free(levels[i].label);
    free(levels);
}

void sweep_search_free(struct sweep_search *search, size_t axes)
{
    free_levels(search->at, axes);
    free_levels(search->best, axes);
    free(search->found.label);
    free(search->next.label);
}

void sweep_table_free(struct sweep_table *table)
{
    for (size_t i = 0; i < table->points; i++) {
        free_levels(table->point[i].at, table->axes);
        free(table->point[i].level);
        free(table->point[i].message);
        free(table->point[i].value);
    }
    for (size_t i = 0; i < table->searches; i++)
        sweep_search_free(&table->search[i], table->axes);
    for (size_t i = 0; i < table->axes; i++) {
        free_levels(table->axis[i].level, table->axis[i].levels);
        free(table->axis[i].baseline.label);
        free(table->axis[i].name);
    }
    for (size_t i = 0; i < table->metrics; i++) {
        free(table->metric[i].path);
        free(table->metric[i].title);
    }
    for (size_t i = 0; i < table->traces; i++) {
        free(table->trace[i].name);
        free(table->trace[i].sha256);
    }
    free(table->point);
    free(table->search);
    free(table->searched);
    free(table->axis);
    free(table->metric);
    free(table->trace);
    free(table->version);
    free(table->title);
    free(table->question);
    free(table->hardware);
    *table = (struct sweep_table){0};
}

size_t sweep_table_metric(const struct sweep_table *table, const char *path)
{
    size_t i = 0;
    while (i < table->metrics && strcmp(table->metric[i].path, path) != 0)
        i++;
    return i;
}

size_t sweep_table_add_metric(struct sweep_table *table, const char *path)
{
    size_t place = sweep_table_metric(table, path);
    if (place < table->metrics)
        return place;
    const struct metric_known *known = metric_find(path);
    table->metric = heap_resize(table->metric, table->metrics + 1, sizeof *table->metric);
    table->metric[table->metrics] = (struct sweep_metric){
        .path = heap_text(path),
        .title = heap_text(known != NULL ? known->title : path),
        .unit = metric_unit(path),
        .better = known != NULL ? known->better : METRIC_NEITHER,
    };
    return table->metrics++;
}

size_t sweep_table_count(const struct sweep_table *table, enum sweep_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < table->points; i++)
        count += table->point[i].state == state;
    return count;
}

bool sweep_table_has(const struct sweep_table *table, size_t metric)
{
    for (size_t i = 0; i < table->points; i++)
        if (!isnan(table->point[i].value[metric]))
            return true;
    return false;
}
