/* From the texts of a study's options to axes, a search and costs. */
#include "analysis/heap.h"
#include "cli/sweep/study.h"
#include "model/hardware/units.h"

#include <math.h>

static struct axis *find_axis(const struct study *study, const char *name, size_t length)
{
    for (size_t i = 0; i < study->axis_count; i++)
        if (strlen(study->axes[i].shown.name) == length &&
            memcmp(study->axes[i].shown.name, name, length) == 0)
            return &study->axes[i];
    return NULL;
}

static struct axis *add_axis(struct study *study)
{
    study->axes = heap_resize(study->axes, study->axis_count + 1, sizeof *study->axes);
    return &study->axes[study->axis_count++];
}

static bool is_path(const char *key, const char *value)
{
    size_t length = strlen(value);
    if (strcmp(key, "miniport") == 0 || strcmp(key, "trace") == 0)
        return true;
    return strcmp(key, "hardware") == 0 &&
           (strchr(value, '/') != NULL || (length > 5 && strcmp(value + length - 5, ".yaml") == 0));
}

/* Files are found from anywhere, also by the tasks of a cluster. */
static char *absolute(const char *path)
{
    char *whole = realpath(path, NULL);
    return whole != NULL ? whole : heap_text(path); /* whoever opens it will say what is wrong */
}

/* Values that are files become names for their absolute paths. */
static void find_files(struct axis *axis)
{
    bool files = false;
    for (size_t i = 0; i < axis->shown.levels; i++) {
        struct axis_settings *settings = &axis->settings[i];
        struct sweep_level *level = &axis->shown.level[i];
        for (size_t s = 0; s < settings->count; s++)
            if (is_path(settings->items[s].key, settings->items[s].value)) {
                char *whole = absolute(settings->items[s].value);
                free(settings->items[s].value);
                settings->items[s].value = whole;
                files = true;
            }
        if (axis->named || !is_path(axis->shown.name, level->label))
            continue;
        settings->items = heap_new(1, sizeof *settings->items);
        settings->items[0] =
            (struct axis_setting){heap_text(axis->shown.name), absolute(level->label)};
        settings->count = 1;
        const char *slash = strrchr(level->label, '/');
        char *name = heap_text(slash != NULL ? slash + 1 : level->label);
        free(level->label);
        level->label = name;
        files = true;
    }
    if (!files)
        return;
    for (size_t i = 0; i < axis->shown.levels && !axis->named; i++) /* then all of them are */
        if (axis->settings[i].count == 0) {
            axis->settings[i].items = heap_new(1, sizeof *axis->settings[i].items);
            axis->settings[i].items[0] = (struct axis_setting){
                heap_text(axis->shown.name), heap_text(axis->shown.level[i].label)};
            axis->settings[i].count = 1;
        }
    axis->named = true;
    free(axis->text);
    axis->text = NULL;
}

static void settle_axes(struct study *study)
{
    char error[400];
    if (study->traces.count > 1) {
        const char **paths = heap_new(study->traces.count, sizeof *paths);
        for (size_t i = 0; i < study->traces.count; i++)
            paths[i] = study->traces.items[i].text;
        axis_of_traces(paths, study->traces.count, add_axis(study));
        free(paths);
    }
    for (size_t i = 0; i < study->vary.count; i++) {
        const struct study_text *given = &study->vary.items[i];
        size_t length = strcspn(given->text, "=");
        if (find_axis(study, given->text, length) != NULL)
            study_refuse(given, "vary", "this key is varied twice");
        struct axis axis;
        if (!axis_parse(given->text, study->workload, &axis, error, sizeof error))
            study_refuse(given, "vary", error);
        *add_axis(study) = axis;
    }
    for (size_t i = 0; i < study->axis_count; i++)
        find_files(&study->axes[i]);
}

/* KEY, a range that is varied, or KEY=LOW..HIGH: the search is over it. */
static void search_over(struct study *study, const struct study_text *given, const char *option)
{
    char error[400];
    size_t length = strcspn(given->text, "=");
    struct axis *axis = find_axis(study, given->text, length);
    if (given->text[length] == '=') {
        struct axis range;
        if (axis != NULL)
            study_refuse(given, option, "this key is varied already");
        if (!axis_parse(given->text, study->workload, &range, error, sizeof error))
            study_refuse(given, option, error);
        axis = add_axis(study);
        *axis = range;
    }
    if (axis == NULL || !axis->shown.range)
        study_refuse(given, option,
                     "expected KEY=LOW..HIGH, with its units, or a KEY that is "
                     "varied from LOW to HIGH without steps");
    study->searched = heap_resize(study->searched, study->axis_count, sizeof *study->searched);
    study->searched[axis - study->axes] = true;
}

static const char *metric_path(const char *text)
{
    const struct metric_known *known = metric_find(text);
    return known != NULL ? known->path : text;
}

/* "METRIC <= VALUE" */
static void settle_condition(struct study *study)
{
    const struct study_text *given = &study->such_that;
    if (given->text == NULL)
        study_refuse(&study->find, "find", "expected --such-that \"METRIC <= VALUE\" as well");
    const char *sign = strpbrk(given->text, "<>");
    if (sign == NULL || sign == given->text)
        study_refuse(given, "such-that", "expected \"METRIC <= VALUE\", or >=, < or >");
    const char *end = sign;
    while (end > given->text && end[-1] == ' ')
        end--;
    char *metric = heap_check(strndup(given->text, (size_t)(end - given->text)));
    study->search_metric = metric_path(study_keep(study, metric));
    study->condition.at_least = *sign == '>';
    study->condition.strictly = sign[1] != '=';
    const char *value = sign + 1 + (sign[1] == '=');
    value += strspn(value, " ");
    struct quantity quantity = {.numeric = true, .unit = metric_unit(study->search_metric)};
    size_t length = strlen(value);
    bool percent = quantity.unit == METRIC_SHARE && length > 1 && value[length - 1] == '%';
    char *number = heap_check(strndup(value, percent ? length - 1 : length));
    bool good = quantity_parse(&quantity, number, &study->condition.bound);
    free(number);
    if (!good)
        study_refuse(given, "such-that",
                     quantity.unit == METRIC_NS ? "expected a time such as 16ms to compare with"
                     : quantity.unit == METRIC_BYTES
                         ? "expected a size such as 1GiB to compare with"
                         : "expected a number to compare with");
    if (percent)
        study->condition.bound /= 100;
}

static void settle_search(struct study *study)
{
    study->searched = heap_resize(study->searched, study->axis_count, sizeof *study->searched);
    memset(study->searched, 0, study->axis_count * sizeof *study->searched);
    if (study->search == STUDY_FIND) {
        search_over(study, &study->find, "find");
        settle_condition(study);
    } else if (study->search == STUDY_MINIMISE) {
        study->search_metric = metric_path(study->minimise.text);
        for (size_t i = 0; i < study->over.count; i++)
            search_over(study, &study->over.items[i], "over");
        bool any = false;
        for (size_t i = 0; i < study->axis_count; i++) {
            if (study->over.count == 0)
                study->searched[i] = study->axes[i].shown.range;
            any = any || study->searched[i];
        }
        if (!any)
            study_refuse(&study->minimise, "minimise", "expected --over KEY=LOW..HIGH as well");
    }
    if (study->search != STUDY_NO_SEARCH && study->design.kind != DESIGN_GRID)
        study_refuse(study->search == STUDY_FIND ? &study->find : &study->minimise,
                     study->search == STUDY_FIND ? "find" : "minimise",
                     "a search has no other design than grid");
    for (size_t i = 0; i < study->axis_count; i++) {
        struct axis *axis = &study->axes[i];
        if (axis->shown.range && !study->searched[i] && !design_samples(&study->design)) {
            char message[300];
            snprintf(message, sizeof message,
                     "%.100s: %s takes listed values: expected LOW..HIGH:STEP, or a design that "
                     "samples ranges (sobol:N), or a search (--find, --over)",
                     axis->shown.name,
                     study->design.kind == DESIGN_GRID ? "a grid" : "one at a time");
            study_refuse(&study->vary.items[0], "vary", message);
        }
        if (study->searched[i] && study->resolution.text != NULL &&
            (!quantity_parse(&axis->quantity, study->resolution.text, &axis->step) ||
             !(axis->step > 0)))
            study_refuse(&study->resolution, "resolution",
                         "expected a step, in the unit of the key that is searched");
    }
}

static void settle_costs(struct study *study)
{
    char error[400];
    study->prices = heap_new(study->costs.count, sizeof *study->prices);
    for (size_t i = 0; i < study->costs.count; i++)
        if (!study_cost_parse(study, study->costs.items[i].text, &study->prices[i], error,
                              sizeof error))
            study_refuse(&study->costs.items[i], "cost", error);
}

/* Where the trace comes from: files or a generator. */
static void settle_traces(struct study *study)
{
    bool varied = false;
    for (size_t i = 0; i < study->vary.count; i++)
        varied = varied || strncmp(study->vary.items[i].text, "trace=", 6) == 0;
    if (study->workload != NULL && (study->traces.count > 0 || varied)) {
        cli_error("expected a trace or a --workload, got both");
        exit(CLI_USAGE);
    }
    if (study->workload == NULL && study->traces.count == 0 && !varied) {
        cli_error("expected a trace, a study (a .yaml file), or --workload (see wddmsim sweep "
                  "--help)");
        exit(CLI_USAGE);
    }
    for (size_t i = 0; i < study->traces.count; i++) {
        struct study_text *trace = &study->traces.items[i];
        if (strcmp(trace->text, "-") == 0)
            study_refuse(trace, "trace",
                         "a sweep reads it many times: expected a file, got "
                         "standard input");
        trace->text = study_keep(study, absolute(trace->text));
    }
}

void study_settle(struct study *study)
{
    settle_traces(study);
    if (is_path("hardware", study->play.hardware))
        study->play.hardware = study_keep(study, absolute(study->play.hardware));
    if (study->play.miniport != NULL)
        study->play.miniport = study_keep(study, absolute(study->play.miniport));
    settle_axes(study);
    settle_search(study);
    settle_costs(study);
    for (size_t i = 0; i < study->metrics.count; i++)
        study->metrics.items[i].text = metric_path(study->metrics.items[i].text);
    for (size_t i = 0; i < 2 && study->pareto[i] != NULL; i++)
        study->pareto[i] = metric_path(study->pareto[i]);
    if (study->axis_count == 0 && study->seeds < 2) {
        cli_error("nothing is varied: expected --vary KEY=VALUES, --find or several traces");
        exit(CLI_USAGE);
    }
}
