/* sweep.json, for programs and for drawing the report again, and sweep.csv: one row per point. The
 * same points give the same bytes, however many ran at once and in what order. */
#include "analysis/heap.h"
#include "analysis/output.h"
#include "analysis/sweep/table.h"

#include <jansson.h>
#include <math.h>

static json_t *number(double value)
{
    if (!isfinite(value))
        return json_null();
    bool whole = value == floor(value) && fabs(value) < 9e15;
    return whole ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *text(const char *string)
{
    json_t *json = string != NULL ? json_string(string) : json_null();
    return json != NULL ? json : json_string(""); /* not UTF-8 */
}

static json_t *level_json(const struct sweep_level *level)
{
    if (level->label == NULL)
        return json_null();
    json_t *json = json_object();
    json_object_set_new(json, "label", text(level->label));
    json_object_set_new(json, "value", number(level->value));
    return json;
}

/* An axis' name to a value; what has none is left out. */
static json_t *levels_json(const struct sweep_table *table, const struct sweep_level *levels)
{
    json_t *json = json_object();
    for (size_t a = 0; a < table->axes; a++)
        if (levels[a].label != NULL)
            json_object_set_new(json, table->axis[a].name, level_json(&levels[a]));
    return json;
}

static const char *unit_name(enum metric_unit unit)
{
    static const char *const names[] = {[METRIC_PLAIN] = "",
                                        [METRIC_NS] = "ns",
                                        [METRIC_BYTES] = "bytes",
                                        [METRIC_RATE] = "bytes_per_s",
                                        [METRIC_SHARE] = "share"};
    return names[unit];
}

static json_t *axis_json(const struct sweep_table *table, size_t index)
{
    const struct sweep_axis *axis = &table->axis[index];
    json_t *json = json_object(), *levels = json_array();
    json_object_set_new(json, "name", text(axis->name));
    json_object_set_new(json, "unit", text(unit_name(axis->unit)));
    json_object_set_new(json, "numeric", json_boolean(axis->numeric));
    json_object_set_new(json, "logarithmic", json_boolean(axis->logarithmic));
    json_object_set_new(json, "searched", json_boolean(table->searched[index]));
    if (axis->range) {
        json_object_set_new(json, "low", number(axis->low));
        json_object_set_new(json, "high", number(axis->high));
    }
    for (size_t l = 0; l < axis->levels; l++)
        json_array_append_new(levels, level_json(&axis->level[l]));
    json_object_set_new(json, "levels", levels);
    json_object_set_new(json, "baseline", level_json(&axis->baseline));
    return json;
}

static json_t *metric_json(const struct sweep_metric *metric)
{
    static const char *const better[] = {
        [METRIC_NEITHER] = "neither", [METRIC_LESS] = "less", [METRIC_MORE] = "more"};
    json_t *json = json_object();
    json_object_set_new(json, "path", text(metric->path));
    json_object_set_new(json, "title", text(metric->title));
    json_object_set_new(json, "unit", text(unit_name(metric->unit)));
    json_object_set_new(json, "better", text(better[metric->better]));
    return json;
}

static json_t *point_json(const struct sweep_table *table, const struct sweep_point *point)
{
    json_t *json = json_object(), *metrics = json_object();
    json_object_set_new(json, "role", text(sweep_role_names[point->role]));
    json_object_set_new(json, "state", text(sweep_state_names[point->state]));
    if (point->message != NULL)
        json_object_set_new(json, "message", text(point->message));
    json_object_set_new(json, "at", levels_json(table, point->at));
    json_object_set_new(json, "seed", json_integer((json_int_t)point->seed));
    for (size_t m = 0; m < table->metrics; m++)
        json_object_set_new(metrics, table->metric[m].path, number(point->value[m]));
    json_object_set_new(json, "metrics", metrics);
    return json;
}

static json_t *search_json(const struct sweep_table *table, const struct sweep_search *search)
{
    static const char *const ends[] = {[SEARCH_FOUND] = "found",
                                       [SEARCH_EVERYWHERE] = "everywhere",
                                       [SEARCH_NOWHERE] = "nowhere",
                                       [SEARCH_UNKNOWN] = "unknown",
                                       [SEARCH_ENDED] = "ended"};
    json_t *json = json_object();
    json_object_set_new(json, "at", levels_json(table, search->at));
    json_object_set_new(json, "end", text(ends[search->end]));
    json_object_set_new(json, "runs", json_integer((json_int_t)search->runs));
    if (search->minimum) {
        json_object_set_new(json, "best",
                            search->best != NULL ? levels_json(table, search->best) : json_null());
        json_object_set_new(json, "least", number(search->least));
        return json;
    }
    json_object_set_new(json, "found", level_json(&search->found));
    json_object_set_new(json, "next", level_json(&search->next));
    json_object_set_new(json, "holds",
                        text(search->from_here_up ? "from there up" : "from there down"));
    json_object_set_new(json, "monotone", json_boolean(!search->not_monotone));
    return json;
}

/* What was searched for. */
static json_t *sought_json(const struct sweep_table *table)
{
    static const char *const signs[2][2] = {{"<=", "<"}, {">=", ">"}};
    json_t *json = json_object(), *list = json_array();
    bool minimum = table->searches > 0 && table->search[0].minimum;
    json_object_set_new(json, "metric", text(table->metric[table->search_metric].path));
    json_object_set_new(json, "sought",
                        text(!minimum         ? "threshold"
                             : table->maximum ? "maximum"
                                              : "minimum"));
    if (!minimum) {
        json_object_set_new(json, "condition",
                            text(signs[table->condition.at_least][table->condition.strictly]));
        json_object_set_new(json, "bound", number(table->condition.bound));
    }
    for (size_t i = 0; i < table->searches; i++)
        json_array_append_new(list, search_json(table, &table->search[i]));
    json_object_set_new(json, "results", list);
    return json;
}

static json_t *table_json(const struct sweep_table *table)
{
    char design[48];
    json_t *json = json_object(), *sweep = json_object(), *traces = json_array();
    json_t *axes = json_array(), *metrics = json_array(), *points = json_array();
    design_print(&table->design, design);
    json_object_set_new(sweep, "version", text(table->version));
    json_object_set_new(sweep, "title", text(table->title));
    json_object_set_new(sweep, "question", text(table->question));
    json_object_set_new(sweep, "hardware", text(table->hardware));
    for (size_t i = 0; i < table->traces; i++)
        json_array_append_new(traces, json_pack("{s:o, s:o}", "name", text(table->trace[i].name),
                                                "sha256", text(table->trace[i].sha256)));
    json_object_set_new(sweep, "traces", traces);
    json_object_set_new(sweep, "design", text(design));
    json_object_set_new(sweep, "seeds", json_integer((json_int_t)table->seeds));
    json_object_set_new(sweep, "partial", json_boolean(table->partial));
    for (size_t i = 0; i < 4; i++)
        json_object_set_new(
            sweep, sweep_state_names[i],
            json_integer((json_int_t)sweep_table_count(table, (enum sweep_state)i)));
    json_object_set_new(json, "sweep", sweep);
    for (size_t a = 0; a < table->axes; a++)
        json_array_append_new(axes, axis_json(table, a));
    json_object_set_new(json, "axes", axes);
    for (size_t m = 0; m < table->metrics; m++)
        json_array_append_new(metrics, metric_json(&table->metric[m]));
    json_object_set_new(json, "metrics", metrics);
    if (table->has_pareto)
        json_object_set_new(json, "pareto",
                            json_pack("[o, o]", text(table->metric[table->pareto[0]].path),
                                      text(table->metric[table->pareto[1]].path)));
    if (table->searches > 0)
        json_object_set_new(json, "search", sought_json(table));
    for (size_t i = 0; i < table->points; i++)
        json_array_append_new(points, point_json(table, &table->point[i]));
    json_object_set_new(json, "points", points);
    return json;
}

/* The same digits in every locale; nothing for what is no number. */
static void csv_real(FILE *file, double value)
{
    if (!isfinite(value))
        return;
    char digits[40];
    bool whole = value == floor(value) && fabs(value) < 9e15;
    snprintf(digits, sizeof digits, whole ? "%.0f" : "%.15g", value);
    for (char *c = digits; *c != 0; c++)
        *c = *c == ',' ? '.' : *c;
    fputs(digits, file);
}

static void write_csv(const struct sweep_table *table, FILE *file)
{
    fputs("point,role,state", file);
    for (size_t a = 0; a < table->axes; a++) {
        const struct sweep_axis *axis = &table->axis[a];
        char name[256];
        const char *unit = axis->numeric ? unit_name(axis->unit) : "";
        snprintf(name, sizeof name, "%s%s%s", axis->name, unit[0] != 0 ? "_" : "", unit);
        putc(',', file);
        csv_text(file, name);
    }
    fputs(",seed", file);
    for (size_t m = 0; m < table->metrics; m++) {
        putc(',', file);
        csv_text(file, table->metric[m].path);
    }
    fputs(",message\n", file);
    for (size_t i = 0; i < table->points; i++) {
        const struct sweep_point *point = &table->point[i];
        csv_number(file, i + 1);
        fprintf(file, ",%s,%s", sweep_role_names[point->role], sweep_state_names[point->state]);
        for (size_t a = 0; a < table->axes; a++) {
            putc(',', file);
            if (table->axis[a].numeric)
                csv_real(file, point->at[a].value);
            else if (point->at[a].label != NULL)
                csv_text(file, point->at[a].label);
        }
        putc(',', file);
        csv_number(file, point->seed);
        for (size_t m = 0; m < table->metrics; m++) {
            putc(',', file);
            csv_real(file, point->value[m]);
        }
        putc(',', file);
        csv_text(file, point->message != NULL ? point->message : "");
        putc('\n', file);
    }
}

bool sweep_table_write(const struct sweep_table *table, const char *directory, char *error,
                       size_t error_size)
{
    struct output output = {.directory = directory};
    FILE *csv = output_open(&output, "sweep.csv", error, error_size);
    FILE *file = csv != NULL ? output_open(&output, "sweep.json", error, error_size) : NULL;
    if (file == NULL) {
        output_abandon(&output);
        return false;
    }
    write_csv(table, csv);
    json_t *json = table_json(table);
    json_dumpf(json, file, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
    putc('\n', file);
    json_decref(json);
    return output_commit(&output, error, error_size); /* which finds what could not be written */
}
