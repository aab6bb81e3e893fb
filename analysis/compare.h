/* Whether results differ, by how much, and what for.
 *
 * A side of a comparison is a result folder, or a folder of result folders: replications, which are
 * paired with those of the other side that had the same seed. Of pairs, the mean difference has a
 * 95 % confidence interval (Student's). */
#ifndef WDDMSIM_ANALYSIS_COMPARE_H
#define WDDMSIM_ANALYSIS_COMPARE_H

#include "analysis/distribution.h"
#include "analysis/result.h"
#include "analysis/steady.h"
#include "model/probe.h"

#include <stdio.h>

struct side {
    char *label;
    struct result *runs;
    char **directories; /* of the runs */
    size_t count;
};

/* False and a message if there is no result in the folder. */
bool side_load(struct side *side, const char *directory, char *error, size_t error_size);
void side_free(struct side *side);

/* The distributions of all runs of the side together: those of all their calls. False and a message
 * if the table of one is missing or not ours. */
bool side_distributions(const struct side *side, struct distributions *all, char *error,
                        size_t error_size);

/* Of the side, the run of the same seed as this one; NULL: none. */
const struct result *side_partner(const struct side *side, const struct result *run);

/* A number of the summary, by its path (analysis/sweep/metric.h), on both sides. */
struct difference {
    double first, second;       /* means; NAN: a side does not have it */
    struct estimate difference; /* second - first */
    size_t pairs;               /* of runs with the same seed; 0: single runs, or none match */
};

struct difference side_difference(const struct side *first, const struct side *second,
                                  const char *path);

/* How far a quantile ("p99") of an op's latency moves, in ns, and what it has more or less of. */
struct shift {
    double first, by, part[PROBE_CAUSES];
};

/* False if a side does not have the quantile. */
bool side_shift(const struct side *first, const struct side *second, const char *op,
                const char *quantile, struct shift *shift);

/* "p99 of MakeResident fell by 4.10 ms: transfer -3.80 ms, queue -300 us": the causes that moved
 * most. `time` writes nanoseconds. */
enum { SHIFT_TEXT = 320 };
char *shift_text(char text[SHIFT_TEXT], const char *op, const char *quantile,
                 const struct shift *shift, char *(*time)(char *text, double ns));

/* "calls.Submit.latency_ns.p99 > +5%": a number of the other results, or with a sign how far it is
 * from the first result's, in its own unit or in per cent of that. */
struct condition {
    char path[256];
    enum { CONDITION_ABOVE, CONDITION_BELOW } sense;
    bool or_equal, difference, relative;
    double limit;
};

/* False and a message that says what is wrong with the text. */
bool condition_parse(struct condition *condition, const char *text, char *error, size_t error_size);

/* Whether it holds of the second side. False and a message if a side does not have the number. */
bool condition_holds(const struct condition *condition, const struct side *first,
                     const struct side *second, bool *holds, char *error, size_t error_size);

/* The differences as a table for the terminal, and what latencies consist of more or less. */
void compare_print(FILE *out, const struct side *sides, size_t count);

#endif
