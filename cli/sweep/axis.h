/* A key that a sweep varies, and the values it takes: --vary KEY=VALUES. */
#ifndef WDDMSIM_CLI_SWEEP_AXIS_H
#define WDDMSIM_CLI_SWEEP_AXIS_H

#include "analysis/sweep/table.h"
#include "workloads/workloads.h"

/* How the values of a key are read, written and spaced. */
struct quantity {
    bool numeric; /* else its values are names */
    enum metric_unit unit;
    double granule; /* the smallest step; 0: none */
};

/* Of a key: one of the profile's, one of how the trace is played (hardware, pace, trace, miniport,
 * unknown-size), or workload.PARAMETER. False and a message if it is none of these. */
bool quantity_of(const char *key, const struct workload *workload, struct quantity *quantity,
                 char *error, size_t error_size);

/* Text with a unit to bytes, ns, bytes/s or a plain number, and back. */
bool quantity_parse(const struct quantity *quantity, const char *text, double *value);
enum { QUANTITY_TEXT_SIZE = 64 };
void quantity_print(const struct quantity *quantity, double value, char text[QUANTITY_TEXT_SIZE]);

/* What one value of an axis sets. */
struct axis_setting {
    char *key, *value;
};
struct axis_settings {
    struct axis_setting *items;
    size_t count;
};

struct axis {
    struct sweep_axis shown;
    struct quantity quantity;
    bool named; /* each level is a name for settings; else it is a value of the key */
    struct axis_settings *settings; /* one for each level */
    char *text;                     /* VALUES as they were written */
    double step;                    /* of a range: its values are low + n · step */
};

/* Parses "KEY=VALUES":
 *   a,b,c                 these values; numbers are put in order
 *   LOW..HIGH:STEP        evenly spaced
 *   LOW..HIGH*FACTOR      spaced by a factor
 *   LOW..HIGH, LOW..HIGH* a range to search or sample, evenly or by logarithm
 *   A{KEY=V,KEY=V},B{…}   names for what sets several keys together; KEY is then any name
 * False and a message, without the option's name, if it is none. */
bool axis_parse(const char *text, const struct workload *workload, struct axis *axis, char *error,
                size_t error_size);

/* An axis of these traces, named after their files. */
void axis_of_traces(const char *const *paths, size_t count, struct axis *axis);

void axis_free(struct axis *axis);

/* The value at a coordinate in [0, 1] of the axis: of its list, or of its range, rounded to its
 * step. free() the label. Returns the level's place, `levels` for a range. */
size_t axis_at(const struct axis *axis, double coordinate, struct sweep_level *level);

/* A value of a range, rounded to its step. free() the label. */
void axis_value(const struct axis *axis, double value, struct sweep_level *level);

#endif
