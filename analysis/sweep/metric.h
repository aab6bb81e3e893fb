/* The metrics of a sweep: numbers of a run's summary, named by their path in it,
 * calls.Submit.latency_ns.p99. */
#ifndef WDDMSIM_ANALYSIS_SWEEP_METRIC_H
#define WDDMSIM_ANALYSIS_SWEEP_METRIC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What a number counts: how it is written for people. */
enum metric_unit { METRIC_PLAIN, METRIC_NS, METRIC_BYTES, METRIC_RATE, METRIC_SHARE };

enum metric_better { METRIC_NEITHER, METRIC_LESS, METRIC_MORE };

/* A number of the summary that has a name for people, and one to type. */
struct metric_known {
    const char *path, *name, *title;
    enum metric_better better;
    bool standard; /* taken by every sweep that names no metrics */
};
extern const struct metric_known metrics_known[];
extern const size_t metrics_known_count;

/* The row of a path or of a short name; NULL if it has none. */
const struct metric_known *metric_find(const char *text);

/* The unit that the path's end tells: _ns, _bytes, _share, _ratio, _error; what stands below a key
 * that ends so (latency_ns.p99) has its unit. */
enum metric_unit metric_unit(const char *path);

/* The number at a path of the summary, NaN if there is none. In an array the path's number picks
 * the element with that pid, id or context, else the one in that place. */
double metric_value(const json_t *summary, const char *path);

/* Calls `visit` for every number whose path the pattern matches; a * in the pattern stands for any
 * one key. In the summary's order. */
void metric_each(const json_t *summary, const char *pattern,
                 void (*visit)(void *self, const char *path, double value), void *self);

/* A value for people, with its unit. `text` has room for HUMAN_ROOM. */
char *metric_text(enum metric_unit unit, double value, char *text);

#endif
