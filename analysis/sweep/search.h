/* Searches over the keys of a sweep: the value from which on a condition holds, the values at which
 * a metric is least. Each evaluation is a run, so whoever searches says what a run costs: `batch`
 * evaluates several points at once, side by side. */
#ifndef WDDMSIM_ANALYSIS_SWEEP_SEARCH_H
#define WDDMSIM_ANALYSIS_SWEEP_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

struct search_runs {
    /* Values of the metric at `count` points of `keys` coordinates each, NaN where it has none.
     * False: the search ends here (interrupted, a run failed). */
    bool (*batch)(void *self, const double *points, size_t count, double *values);
    void *self;
    /* How many runs were made, if not every evaluation is one (equal points are run once); may be
     * NULL. */
    const size_t *made;
};

enum search_end {
    SEARCH_FOUND,
    SEARCH_EVERYWHERE, /* the condition holds in the whole range */
    SEARCH_NOWHERE,    /* it never does */
    SEARCH_UNKNOWN,    /* the metric has no value at an end of the range */
    SEARCH_ENDED       /* batch ended it */
};

struct search_condition {
    double bound;
    bool at_least; /* metric >= bound, else metric <= bound */
    bool strictly; /* > or < */
};
bool search_holds(const struct search_condition *condition, double value);

struct search_threshold {
    enum search_end end;
    bool from_here_up; /* the condition holds from `value` up, else down from it */
    double value;      /* the last multiple of the step, from the low end, at which it holds */
    double next;       /* the neighbour at which it does not */
    bool not_monotone; /* the first look saw the condition change more than once */
};

/* Where between low and high the condition begins (or ends) to hold, to one step: a look at evenly
 * spaced values, which brackets the change, then GSL's bisection in between. Where it changes more
 * than once, the change nearest to the end at which it holds is found. */
struct search_threshold search_threshold(const struct search_runs *runs, double low, double high,
                                         double step, const struct search_condition *condition);

/* Where in the unit cube of `keys` dimensions the metric is least, with at most `budget` runs: half
 * of them look around (Sobol's sequence), the rest refine from the best place found: Brent's method
 * in one dimension, the simplex of Nelder and Mead in more. `best` has room for keys coordinates.
 * False: no run gave a value, or batch ended it. */
bool search_minimum(const struct search_runs *runs, size_t keys, size_t budget, double *best,
                    double *least);

#endif
