#include "cli/sweep/collect.h"
#include "analysis/heap.h"
#include "analysis/result.h"

#include <math.h>

static void copy_level(const struct sweep_level *from, struct sweep_level *to)
{
    to->value = from->value;
    to->label = from->label != NULL ? heap_text(from->label) : NULL;
}

static void copy_axes(const struct study *study, struct sweep_table *table)
{
    table->axes = study->axis_count;
    table->axis = heap_new(table->axes, sizeof *table->axis);
    table->searched = heap_new(table->axes, sizeof *table->searched);
    for (size_t a = 0; a < table->axes; a++) {
        const struct sweep_axis *shown = &study->axes[a].shown;
        struct sweep_axis *axis = &table->axis[a];
        *axis = *shown;
        axis->name = heap_text(shown->name);
        axis->level = heap_new(shown->levels, sizeof *axis->level);
        for (size_t l = 0; l < shown->levels; l++)
            copy_level(&shown->level[l], &axis->level[l]);
        copy_level(&shown->baseline, &axis->baseline);
        table->searched[a] = study->searched[a];
    }
}

static void copy_points(const struct study *study, const struct plan *plan,
                        struct sweep_table *table)
{
    table->points = plan->count;
    table->point = heap_new(table->points, sizeof *table->point);
    for (size_t i = 0; i < plan->count; i++)
        plan_copy_point(study, &plan->points[i], &table->point[i]);
}

/* The traces of the points, each once, in the order of the points. */
static void list_traces(const struct study *study, struct sweep_table *table)
{
    table->trace = heap_new(study->axis_count + table->points, sizeof *table->trace);
    for (size_t i = 0; i < table->points; i++) {
        struct spot spot;
        char error[700];
        size_t t = 0;
        bool good = spot_make(study, &table->point[i], &spot, error, sizeof error) &&
                    spot_identify(study, &spot, error, sizeof error);
        while (good && t < table->traces && strcmp(table->trace[t].name, spot.source.name) != 0)
            t++;
        if (good && t == table->traces)
            table->trace[table->traces++] =
                (struct sweep_trace){heap_text(spot.source.name), heap_text(spot.source.sha256)};
        spot_free(&spot);
    }
}

static void add_metric(void *self, const char *path, double value)
{
    (void)value;
    sweep_table_add_metric(self, path);
}

/* The call that took most time of this run; NULL if there is none. */
static const char *main_call(const json_t *summary)
{
    const char *op;
    return result_ranked(result_at(summary, "calls", NULL), result_call_time, &op, 1) == 1 ? op
                                                                                           : NULL;
}

/* What the sweep is about where nobody says: submissions, or the call that took most time. */
static void add_standard_metrics(struct sweep_table *table, const json_t *summary)
{
    static const char *const parts[] = {"p50", "mean", "p95", "p99"};
    const char *op = main_call(summary);
    bool submits = json_is_object(result_at(summary, "calls", "Submit", NULL));
    for (size_t i = 0; !submits && op != NULL && i < 4; i++) {
        char path[128];
        snprintf(path, sizeof path, "calls.%s.latency_ns.%s", op, parts[i]);
        sweep_table_add_metric(table, path);
    }
    for (size_t i = 0; i < metrics_known_count; i++)
        if (metrics_known[i].standard)
            sweep_table_add_metric(table, metrics_known[i].path);
}

/* Why it took that long: the causes of the first metric, if it is the latency of a call. */
static void add_causes(struct sweep_table *table, const json_t *summary)
{
    char pattern[256];
    const char *path = table->metric[0].path;
    const char *latency = strstr(path, ".latency_ns.");
    if (strncmp(path, "calls.", 6) != 0 || latency == NULL)
        return;
    snprintf(pattern, sizeof pattern, "%.*s.blame_ns.*", (int)(latency - path), path);
    metric_each(summary, pattern, add_metric, table);
}

/* Metrics that were asked for, with * expanded over every result there is; else the usual ones. */
static void choose_metrics(const struct study *study, const struct plan *plan,
                           const char *directory, struct sweep_table *table)
{
    json_t *typical = NULL; /* a baseline's, or the first there is */
    for (size_t i = 0; i < plan->count; i++)
        if (plan->points[i].state == SWEEP_DONE &&
            (typical == NULL || plan->points[i].role == SWEEP_BASELINE)) {
            json_decref(typical);
            typical = store_load(directory, plan->keys[i]);
            if (plan->points[i].role == SWEEP_BASELINE)
                break;
        }
    for (size_t m = 0; m < study->metrics.count; m++) {
        const char *pattern = study->metrics.items[m].text;
        if (strchr(pattern, '*') == NULL) {
            sweep_table_add_metric(table, pattern);
            continue;
        }
        for (size_t i = 0; i < plan->count; i++)
            if (plan->points[i].state == SWEEP_DONE) {
                json_t *summary = store_load(directory, plan->keys[i]);
                metric_each(summary, pattern, add_metric, table);
                json_decref(summary);
            }
    }
    if (study->search_metric != NULL)
        table->search_metric = sweep_table_add_metric(table, study->search_metric);
    if (table->metrics == 0 || study->metrics.count == 0)
        add_standard_metrics(table, typical);
    for (size_t i = 0; i < 2 && study->pareto[i] != NULL; i++)
        table->pareto[i] = sweep_table_add_metric(table, study->pareto[i]);
    table->has_pareto = study->pareto[0] != NULL;
    if (study->costs.count > 0) {
        size_t cost = sweep_table_add_metric(table, "cost");
        table->metric[cost].better = METRIC_LESS;
    }
    add_causes(table, typical);
    json_decref(typical);
}

/* Which calls failed, and how; free() it. */
static char *failed_calls(const json_t *summary)
{
    char *text;
    size_t length;
    FILE *out = heap_check(open_memstream(&text, &length));
    const char *op, *status, *between = "";
    json_t *call, *times;
    json_object_foreach(json_object_get(summary, "calls"), op, call)
        json_object_foreach(json_object_get(call, "failures"), status, times)
    {
        fprintf(out, "%s%s: %s", between, op, status);
        between = ", ";
    }
    fclose(out);
    return heap_check(text);
}

/* Points where calls fail otherwise than at the baseline say so: what programs did without there
 * takes no time. */
static void note_failed_calls(struct sweep_table *table, char *const *failed)
{
    const char *usual = "";
    for (size_t i = 0; i < table->points; i++)
        if (table->point[i].role == SWEEP_BASELINE && failed[i] != NULL)
            usual = failed[i];
    for (size_t i = 0; i < table->points; i++)
        if (failed[i] != NULL && failed[i][0] != 0 && strcmp(failed[i], usual) != 0)
            table->point[i].message = heap_text(failed[i]);
}

static void read_values(const struct study *study, const struct plan *plan, const char *directory,
                        struct sweep_table *table)
{
    char **failed = heap_new(table->points, sizeof *failed);
    for (size_t i = 0; i < table->points; i++) {
        struct sweep_point *point = &table->point[i];
        point->value = heap_new(table->metrics, sizeof *point->value);
        json_t *summary = NULL;
        if (point->state == SWEEP_DONE) {
            summary = store_load(directory, plan->keys[i]);
            if (summary == NULL) {
                store_forget(directory, plan->keys[i]);
                point->state = SWEEP_MISSING;
            } else {
                failed[i] = failed_calls(summary);
            }
        }
        for (size_t m = 0; m < table->metrics; m++)
            point->value[m] = summary == NULL ? (double)NAN
                              : strcmp(table->metric[m].path, "cost") == 0
                                  ? study_cost_of(study, point)
                                  : metric_value(summary, table->metric[m].path);
        json_decref(summary);
    }
    note_failed_calls(table, failed);
    for (size_t i = 0; i < table->points; i++)
        free(failed[i]);
    free(failed);
}

/* Of the metrics that nobody asked for, those stay that some run has. */
static void drop_empty_metrics(const struct study *study, struct sweep_table *table)
{
    if (study->metrics.count > 0)
        return;
    for (size_t m = table->metrics; m-- > 0;) {
        bool kept = sweep_table_has(table, m) || table->metrics == 1 ||
                    (table->searches > 0 && m == table->search_metric) ||
                    (table->has_pareto && (m == table->pareto[0] || m == table->pareto[1]));
        if (kept)
            continue;
        free(table->metric[m].path);
        free(table->metric[m].title);
        size_t behind = table->metrics - m - 1;
        memmove(&table->metric[m], &table->metric[m + 1], behind * sizeof *table->metric);
        for (size_t i = 0; i < table->points; i++)
            memmove(&table->point[i].value[m], &table->point[i].value[m + 1],
                    behind * sizeof *table->point[i].value);
        table->metrics--;
        table->search_metric -= table->search_metric > m;
        for (size_t p = 0; p < 2; p++)
            table->pareto[p] -= table->pareto[p] > m;
    }
}

void collect(const struct study *study, const struct plan *plan, const char *directory,
             struct sweep_search *found, struct sweep_table *table)
{
    const char *slash = strrchr(study->play.hardware, '/');
    *table = (struct sweep_table){
        .version = heap_text(VERSION),
        .title = heap_text(study->title != NULL ? study->title : ""),
        .question = heap_text(study->question != NULL ? study->question : ""),
        .hardware = heap_text(slash != NULL ? slash + 1 : study->play.hardware),
        .design = study->design,
        .seeds = study->seeds,
        .maximum = study->maximise,
        .condition = study->condition,
    };
    copy_axes(study, table);
    copy_points(study, plan, table);
    list_traces(study, table);
    choose_metrics(study, plan, directory, table);
    if (found != NULL) {
        table->searches = plan->searches;
        table->search = found;
    }
    read_values(study, plan, directory, table);
    drop_empty_metrics(study, table);
    table->partial = sweep_table_count(table, SWEEP_MISSING) > 0;
    for (size_t i = 0; i < table->searches; i++)
        table->partial = table->partial || table->search[i].end == SEARCH_ENDED;
}
