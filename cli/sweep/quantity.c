/* The values of keys as numbers. */
#include "cli/sweep/axis.h"
#include "model/hardware/key.h"
#include "model/hardware/units.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Keys that are not the profile's: how a trace is played. */
static const struct {
    const char *key;
    struct quantity quantity;
} play_keys[] = {
    {"hardware", {.numeric = false}},
    {"trace", {.numeric = false}},
    {"pace", {.numeric = false}},
    {"miniport", {.numeric = false}},
    {"unknown-size", {true, METRIC_BYTES, 1}},
};

static void quantity_of_row(const struct key_spec *row, struct quantity *quantity)
{
    static const struct quantity quantities[] = {
        [KEY_SIZE] = {true, METRIC_BYTES, 1},   [KEY_TIME] = {true, METRIC_NS, 1},
        [KEY_FINE] = {true, METRIC_NS, 0.001},  [KEY_RATE] = {true, METRIC_RATE, 0},
        [KEY_NUMBER] = {true, METRIC_PLAIN, 0}, [KEY_COUNT] = {true, METRIC_PLAIN, 1},
        [KEY_SIGNED] = {true, METRIC_PLAIN, 1}, [KEY_TEXT] = {.numeric = false},
    };
    *quantity = quantities[row->type];
}

static bool of_workload(const char *name, const struct workload *workload,
                        struct quantity *quantity, char *error, size_t error_size)
{
    for (size_t i = 0; workload != NULL && i < workload->parameter_count; i++)
        if (strcmp(workload->parameters[i].key, name) == 0) {
            quantity_of_row(&workload->parameters[i], quantity);
            return true;
        }
    if (workload == NULL)
        snprintf(error, error_size, "workload.%.60s: no workload was named (--workload)", name);
    else
        snprintf(error, error_size,
                 "workload.%.60s: no such parameter (see wddmsim generate %s --help)", name,
                 workload->name);
    return false;
}

bool quantity_of(const char *key, const struct workload *workload, struct quantity *quantity,
                 char *error, size_t error_size)
{
    char nearest[PROFILE_KEY_SIZE];
    if (strncmp(key, "workload.", 9) == 0)
        return of_workload(key + 9, workload, quantity, error, error_size);
    for (size_t i = 0; i < sizeof play_keys / sizeof *play_keys; i++)
        if (strcmp(key, play_keys[i].key) == 0) {
            *quantity = play_keys[i].quantity;
            return true;
        }
    const struct key_spec *row = profile_key_find(key, nearest);
    if (row != NULL) {
        quantity_of_row(row, quantity);
        return true;
    }
    if (strcmp(key, "seed") == 0)
        snprintf(error, error_size, "seed: --replicate N runs every point with N seeds");
    else if (nearest[0] != '\0')
        snprintf(error, error_size, "%.100s: no such key, did you mean %s?", key, nearest);
    else
        snprintf(error, error_size, "%.100s: no such key (see wddmsim hardware keys)", key);
    return false;
}

bool quantity_parse(const struct quantity *quantity, const char *text, double *value)
{
    uint64_t whole;
    bool good = false;
    switch (quantity->unit) {
    case METRIC_BYTES:
        good = units_parse_size(text, &whole);
        *value = good ? (double)whole : 0;
        return good;
    case METRIC_NS:
        good = units_parse_ps(text, &whole);
        *value = good ? (double)whole / 1000 : 0;
        return good;
    case METRIC_RATE:
        return units_parse_rate(text, value);
    case METRIC_SHARE:
    case METRIC_PLAIN:
        break;
    }
    return units_parse_number(text, value);
}

/* Sums and products leave digits that nobody meant. */
static double rounded(double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.12g", value);
    return strtod(text, NULL);
}

void quantity_print(const struct quantity *quantity, double value, char text[QUANTITY_TEXT_SIZE])
{
    static_assert((int)QUANTITY_TEXT_SIZE >= (int)UNITS_TEXT_SIZE, "every quantity fits");
    switch (quantity->unit) {
    case METRIC_BYTES:
        units_print_size((uint64_t)llround(value), text);
        return;
    case METRIC_NS:
        units_print_ps((uint64_t)llround(value * 1000), text);
        return;
    case METRIC_RATE:
        units_print_rate(rounded(value), text);
        return;
    case METRIC_SHARE:
    case METRIC_PLAIN:
        break;
    }
    units_print_number(rounded(value), text);
}
