#include "cli/sweep/axis.h"
#include "analysis/heap.h"

#include <math.h>

enum { LEVELS_MAX = 10000 };

static bool fail(char *error, size_t size, const char *key, const char *what, const char *got)
{
    snprintf(error, size, "%.100s: %s, got \"%.60s\"", key, what, got);
    return false;
}

static char *piece(const char *begin, const char *end)
{
    while (begin < end && *begin == ' ')
        begin++;
    while (end > begin && end[-1] == ' ')
        end--;
    return heap_check(strndup(begin, (size_t)(end - begin)));
}

/* The end of an item: the next comma outside braces. */
static const char *item_end(const char *text)
{
    int depth = 0;
    for (; *text != 0 && (*text != ',' || depth > 0); text++)
        depth += *text == '{' ? 1 : *text == '}' ? -1 : 0;
    return text;
}

static struct axis_settings *add_level(struct axis *axis, char *label, double value)
{
    struct sweep_axis *shown = &axis->shown;
    shown->level = heap_resize(shown->level, shown->levels + 1, sizeof *shown->level);
    axis->settings = heap_resize(axis->settings, shown->levels + 1, sizeof *axis->settings);
    shown->level[shown->levels] = (struct sweep_level){label, value};
    axis->settings[shown->levels] = (struct axis_settings){0};
    return &axis->settings[shown->levels++];
}

static void add_setting(struct axis_settings *settings, char *key, char *value)
{
    settings->items = heap_resize(settings->items, settings->count + 1, sizeof *settings->items);
    settings->items[settings->count++] = (struct axis_setting){key, value};
}

/* NAME{KEY=VALUE,KEY=VALUE} */
static bool add_named(struct axis *axis, const char *text, const char *end,
                      const struct workload *workload, char *error, size_t size)
{
    const char *brace = memchr(text, '{', (size_t)(end - text));
    char *item = piece(text, end);
    bool good = end > brace && end[-1] == '}' && brace > text;
    if (!good)
        fail(error, size, axis->shown.name, "expected NAME{KEY=VALUE,KEY=VALUE}", item);
    struct axis_settings *settings = NULL;
    if (good)
        settings = add_level(axis, piece(text, brace), (double)NAN);
    for (const char *at = brace + 1; good && at < end - 1;) {
        const char *stop = item_end(at);
        stop = stop < end - 1 ? stop : end - 1;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        struct quantity unused;
        if (equals == NULL) {
            good = fail(error, size, axis->shown.name, "expected NAME{KEY=VALUE,KEY=VALUE}", item);
            break;
        }
        add_setting(settings, piece(at, equals), piece(equals + 1, stop));
        good =
            quantity_of(settings->items[settings->count - 1].key, workload, &unused, error, size);
        at = stop + 1;
    }
    free(item);
    return good;
}

/* A number of this size is known to so much: the step of ranges that are given none. */
static double step_for(const struct quantity *quantity, double size)
{
    double step =
        quantity->unit == METRIC_BYTES ? exp2(floor(log2(size))) : pow(10, floor(log10(size)));
    double least = quantity->unit == METRIC_BYTES ? 4096 : quantity->granule;
    return step > least ? step : least;
}

/* LOW..HIGH, with :STEP, *FACTOR or * behind it. */
static bool add_range(struct axis *axis, const char *text, bool only, char *error, size_t size)
{
    const struct quantity *quantity = &axis->quantity;
    struct sweep_axis *shown = &axis->shown;
    const char *dots = strstr(text, "..");
    char *low_text = piece(text, dots);
    char *high_text = piece(dots + 2, dots + 2 + strcspn(dots + 2, ":*"));
    const char *rest = dots + 2 + strcspn(dots + 2, ":*");
    char *spacing = *rest != 0 ? piece(rest + 1, rest + strlen(rest)) : heap_text("");
    double low = 0, high = 0, by = 0, factor = 0;
    bool good =
        quantity_parse(quantity, low_text, &low) && quantity_parse(quantity, high_text, &high);
    if (good && *rest == ':')
        good = quantity_parse(quantity, spacing, &by) && by > 0;
    else if (good && *rest == '*' && spacing[0] != 0)
        good = quantity_parse(&(struct quantity){true, METRIC_PLAIN, 0}, spacing, &factor) &&
               factor > 1;
    bool listed = by > 0 || factor > 1;
    good = good && low < high && (*rest != '*' || low > 0) && (listed || only);
    if (!good)
        fail(error, size, shown->name,
             low < high && *rest == 0 && !only
                 ? "expected a list, or one range"
                 : "expected a range such as LOW..HIGH:STEP or LOW..HIGH*FACTOR, its values with "
                   "their units",
             text);
    shown->logarithmic = *rest == '*';
    for (size_t i = 0; good && listed; i++) {
        double value = by > 0 ? low + (double)i * by : low * pow(factor, (double)i);
        if (value > high * (1 + 1e-9))
            break;
        if (i == LEVELS_MAX) {
            good = fail(error, size, shown->name, "expected at most 10000 values", text);
            break;
        }
        if (quantity->granule > 0)
            value = round(value / quantity->granule) * quantity->granule;
        char label[QUANTITY_TEXT_SIZE];
        quantity_print(quantity, value, label);
        add_level(axis, heap_text(label), value);
    }
    if (good && !listed) {
        shown->range = true;
        shown->low = low;
        shown->high = high;
        axis->step = step_for(quantity, (high - low) / 1000);
    }
    free(low_text);
    free(high_text);
    free(spacing);
    return good;
}

static bool add_value(struct axis *axis, char *text, char *error, size_t size)
{
    double value = (double)NAN;
    if (text[0] == 0 ||
        (axis->quantity.numeric && !quantity_parse(&axis->quantity, text, &value))) {
        static const char *const expected[] = {
            [METRIC_PLAIN] = "expected a number",
            [METRIC_NS] = "expected a time such as 15.4us",
            [METRIC_BYTES] = "expected a size such as 64KiB or 8GiB",
            [METRIC_RATE] = "expected a rate such as 25.7GB/s",
            [METRIC_SHARE] = "expected a number",
        };
        fail(error, size, axis->shown.name,
             axis->quantity.numeric ? expected[axis->quantity.unit] : "expected a value", text);
        free(text);
        return false;
    }
    add_level(axis, text, value);
    return true;
}

static bool add_item(struct axis *axis, const char *text, const char *end, bool only, char *error,
                     size_t size)
{
    char *item = piece(text, end);
    if (!axis->quantity.numeric || strstr(item, "..") == NULL)
        return add_value(axis, item, error, size);
    bool good = add_range(axis, item, only, error, size);
    free(item);
    return good;
}

static bool differ(const struct axis *axis, char *error, size_t size)
{
    const struct sweep_axis *shown = &axis->shown;
    for (size_t i = 0; i < shown->levels; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(shown->level[i].label, shown->level[j].label) == 0 ||
                (shown->numeric && shown->level[i].value == shown->level[j].value))
                return fail(error, size, shown->name, "expected every value once",
                            shown->level[i].label);
    return true;
}

static int by_value(const void *a, const void *b)
{
    const struct sweep_level *one = a, *other = b;
    return (one->value > other->value) - (one->value < other->value);
}

bool axis_parse(const char *text, const struct workload *workload, struct axis *axis, char *error,
                size_t error_size)
{
    const char *equals = strchr(text, '=');
    *axis = (struct axis){0};
    if (equals == NULL || equals == text || equals[1] == 0) {
        snprintf(error, error_size, "expected KEY=VALUES, got \"%.60s\"", text);
        return false;
    }
    axis->shown.name = piece(text, equals);
    axis->text = heap_text(equals + 1);
    axis->named = strchr(axis->text, '{') != NULL;
    bool good =
        axis->named || quantity_of(axis->shown.name, workload, &axis->quantity, error, error_size);
    axis->shown.numeric = axis->quantity.numeric;
    axis->shown.unit = axis->quantity.unit;
    bool only = *item_end(axis->text) == 0;
    for (const char *at = axis->text; good; at++) {
        const char *end = item_end(at);
        good = axis->named ? add_named(axis, at, end, workload, error, error_size)
                           : add_item(axis, at, end, only, error, error_size);
        at = end;
        if (*at == 0)
            break;
    }
    good = good && differ(axis, error, error_size);
    if (!good)
        axis_free(axis);
    else if (axis->shown.numeric && axis->shown.levels > 1) /* curves run from left to right */
        qsort(axis->shown.level, axis->shown.levels, sizeof *axis->shown.level, by_value);
    return good;
}

void axis_of_traces(const char *const *paths, size_t count, struct axis *axis)
{
    *axis = (struct axis){.shown = {.name = heap_text("trace")}, .named = true};
    for (size_t i = 0; i < count; i++) {
        const char *slash = strrchr(paths[i], '/');
        const char *name = slash != NULL ? slash + 1 : paths[i];
        for (size_t j = 0; j < i; j++)
            if (strcmp(axis->shown.level[j].label, name) == 0)
                name = paths[i];
        struct axis_settings *settings = add_level(axis, heap_text(name), (double)NAN);
        add_setting(settings, heap_text("trace"), heap_text(paths[i]));
    }
}

void axis_free(struct axis *axis)
{
    for (size_t i = 0; i < axis->shown.levels; i++) {
        for (size_t s = 0; s < axis->settings[i].count; s++) {
            free(axis->settings[i].items[s].key);
            free(axis->settings[i].items[s].value);
        }
        free(axis->settings[i].items);
        free(axis->shown.level[i].label);
    }
    free(axis->settings);
    free(axis->shown.level);
    free(axis->shown.baseline.label);
    free(axis->shown.name);
    free(axis->text);
    *axis = (struct axis){0};
}

void axis_value(const struct axis *axis, double value, struct sweep_level *level)
{
    const struct sweep_axis *shown = &axis->shown;
    char label[QUANTITY_TEXT_SIZE];
    double step = shown->logarithmic ? step_for(&axis->quantity, value / 256) : axis->step;
    if (shown->logarithmic)
        value = round(value / step) * step;
    else
        value = shown->low + round((value - shown->low) / step) * step;
    value = fmin(fmax(value, shown->low), shown->high);
    quantity_print(&axis->quantity, value, label);
    quantity_parse(&axis->quantity, label, &value); /* what is set is what is told */
    *level = (struct sweep_level){heap_text(label), value};
}

size_t axis_at(const struct axis *axis, double coordinate, struct sweep_level *level)
{
    const struct sweep_axis *shown = &axis->shown;
    if (shown->range) {
        double span = shown->high - shown->low;
        axis_value(axis,
                   shown->logarithmic ? shown->low * pow(shown->high / shown->low, coordinate)
                                      : shown->low + coordinate * span,
                   level);
        return shown->levels;
    }
    size_t place = (size_t)(coordinate * (double)shown->levels);
    place = place < shown->levels ? place : shown->levels - 1;
    *level = (struct sweep_level){heap_text(shown->level[place].label), shown->level[place].value};
    return place;
}
