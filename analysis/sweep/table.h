/* A sweep's table: what was varied, and what came out at each point. It is what sweep.json holds,
 * so a report can be drawn again from the file alone. */
#ifndef WDDMSIM_ANALYSIS_SWEEP_TABLE_H
#define WDDMSIM_ANALYSIS_SWEEP_TABLE_H

#include "analysis/sweep/design.h"
#include "analysis/sweep/metric.h"
#include "analysis/sweep/search.h"

#include <stdint.h>
#include <stdio.h>

/* One value of a key: as it was written, and as a number (NaN for what is none, a policy's name).
 */
struct sweep_level {
    char *label;
    double value;
};

struct sweep_axis {
    char *name; /* the key, or the name of several set together */
    enum metric_unit unit;
    bool numeric;
    bool logarithmic; /* spaced by a factor */
    bool range;       /* searched or sampled between low and high, not listed */
    double low, high;
    size_t levels;
    struct sweep_level *level;   /* listed, in the order given */
    struct sweep_level baseline; /* where nothing is varied; label NULL: unknown */
};

struct sweep_metric {
    char *path, *title;
    enum metric_unit unit;
    enum metric_better better;
};

enum sweep_role { SWEEP_POINT, SWEEP_BASELINE, SWEEP_SEARCH };
enum sweep_state {
    SWEEP_MISSING, /* not run yet */
    SWEEP_DONE,
    SWEEP_FAILED,
    SWEEP_INVALID /* could not be run at all */
};

struct sweep_point {
    enum sweep_role role;
    enum sweep_state state;
    struct sweep_level *at; /* one for each axis */
    size_t *level; /* its place among the axis' levels; the number of levels: it is not listed */
    uint64_t seed;
    char *message; /* why it failed or is invalid; if it is done: which calls failed that do
                    * not at the baseline; else NULL */
    double *value; /* one for each metric; NaN: it has none */
};

/* What a search found with the other keys at their levels. */
struct sweep_search {
    struct sweep_level *at; /* one for each axis; label NULL: searched over */
    bool minimum;           /* else a threshold */
    enum search_end end;
    bool from_here_up, not_monotone; /* of a threshold */
    struct sweep_level found, next;  /* of a threshold; labels NULL if there is none */
    struct sweep_level *best;        /* of a minimum: one for each axis, or NULL */
    double least;
    size_t runs;
};

struct sweep_trace {
    char *name, *sha256; /* "" of what is generated */
};

struct sweep_table {
    char *version, *title, *question, *hardware; /* title and question may be "" */
    size_t traces;
    struct sweep_trace *trace;
    struct design design;
    uint64_t seeds;
    bool partial; /* interrupted, or shards are missing */
    size_t axes;
    struct sweep_axis *axis;
    size_t metrics;
    struct sweep_metric *metric; /* the first is what the report tells about */
    size_t points;
    struct sweep_point *point;
    /* Searches: over which axes, and for what of which metric. */
    size_t searches;
    struct sweep_search *search;
    bool *searched; /* one for each axis */
    size_t search_metric;
    bool maximum;
    struct search_condition condition;
    bool has_pareto;
    size_t pareto[2]; /* metrics */
};

void sweep_table_free(struct sweep_table *table);
void sweep_search_free(struct sweep_search *search, size_t axes);

/* The metric's place; the number of metrics if it is not there. */
size_t sweep_table_metric(const struct sweep_table *table, const char *path);

/* Adds a metric at the end, unless it is there; `path` is copied. Only before there are values. */
size_t sweep_table_add_metric(struct sweep_table *table, const char *path);

/* How many points are in that state. */
size_t sweep_table_count(const struct sweep_table *table, enum sweep_state state);

/* Whether any of its points has a value of the metric. */
bool sweep_table_has(const struct sweep_table *table, size_t metric);

/* Writes sweep.json and sweep.csv into the folder. False and a message on failure. */
bool sweep_table_write(const struct sweep_table *table, const char *directory, char *error,
                       size_t error_size);

/* Reads sweep.json back; nothing in it is trusted. False and a message if it is none. */
bool sweep_table_read(struct sweep_table *table, const char *directory, char *error,
                      size_t error_size);

/* Whether the folder has a sweep.json. */
bool sweep_table_is_there(const char *directory);

extern const char *const sweep_state_names[]; /* "missing", "done", "failed", "invalid" */
extern const char *const sweep_role_names[];  /* "point", "baseline", "search" */

#endif
