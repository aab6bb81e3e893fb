/* What hardware costs: a price for each unit of a key, or for each of its values. */
#include "analysis/heap.h"
#include "cli/sweep/study.h"
#include "model/hardware/units.h"

#include <math.h>

static bool fail(char *error, size_t size, const char *text)
{
    snprintf(error, size,
             "expected KEY=PRICE/UNIT (segments.local.size=5/GiB) or KEY=VALUE:PRICE,…, got "
             "\"%.60s\"",
             text);
    return false;
}

/* "5/GiB", "0.3/(GB/s)", "2" (for each unit of a plain number). */
static bool parse_unit_price(const struct axis *axis, const char *text, struct study_cost *cost)
{
    char one[48], price[48];
    size_t length = strcspn(text, "/");
    snprintf(price, sizeof price, "%.*s", (int)length, text);
    if (length >= sizeof price || !axis->quantity.numeric ||
        !units_parse_number(price, &cost->price))
        return false;
    if (text[length] == 0) {
        cost->unit = 1;
        return axis->quantity.unit == METRIC_PLAIN;
    }
    const char *unit = text + length + 1;
    size_t end = strlen(unit);
    if (end > 1 && unit[0] == '(' && unit[end - 1] == ')') {
        unit++;
        end -= 2;
    }
    snprintf(one, sizeof one, "1%.*s", (int)end, unit);
    return quantity_parse(&axis->quantity, one, &cost->unit) && cost->unit > 0;
}

static bool parse_prices(const struct axis *axis, const char *text, struct study_cost *cost)
{
    size_t levels = axis->shown.levels;
    cost->prices = heap_new(levels, sizeof *cost->prices);
    for (size_t i = 0; i < levels; i++)
        cost->prices[i] = (double)NAN;
    for (const char *at = text;; at++) {
        char price[48];
        const char *end = at + strcspn(at, ",");
        const char *colon = memchr(at, ':', (size_t)(end - at));
        if (colon == NULL)
            return false;
        size_t level = 0, length = (size_t)(colon - at);
        while (level < levels && (strlen(axis->shown.level[level].label) != length ||
                                  memcmp(axis->shown.level[level].label, at, length) != 0))
            level++;
        snprintf(price, sizeof price, "%.*s", (int)(end - colon - 1), colon + 1);
        if (level == levels || !units_parse_number(price, &cost->prices[level]))
            return false;
        at = end;
        if (*at == 0)
            return true;
    }
}

bool study_cost_parse(const struct study *study, const char *text, struct study_cost *cost,
                      char *error, size_t error_size)
{
    const char *equals = strchr(text, '=');
    size_t length = equals != NULL ? (size_t)(equals - text) : 0;
    *cost = (struct study_cost){.axis = study->axis_count};
    for (size_t i = 0; i < study->axis_count; i++)
        if (strlen(study->axes[i].shown.name) == length &&
            memcmp(study->axes[i].shown.name, text, length) == 0)
            cost->axis = i;
    if (equals == NULL)
        return fail(error, error_size, text);
    if (cost->axis == study->axis_count) {
        snprintf(error, error_size, "%.*s: nothing of this name is varied", (int)length, text);
        return false;
    }
    const struct axis *axis = &study->axes[cost->axis];
    bool each = strchr(equals, ':') != NULL;
    bool good =
        each ? parse_prices(axis, equals + 1, cost) : parse_unit_price(axis, equals + 1, cost);
    return good || fail(error, error_size, text);
}

double study_cost_of(const struct study *study, const struct sweep_point *point)
{
    double sum = 0;
    for (size_t i = 0; i < study->costs.count; i++) {
        const struct study_cost *cost = &study->prices[i];
        if (cost->prices == NULL)
            sum += cost->price * point->at[cost->axis].value / cost->unit;
        else if (point->level[cost->axis] < study->axes[cost->axis].shown.levels)
            sum += cost->prices[point->level[cost->axis]];
        else
            sum = (double)NAN;
    }
    return sum;
}
