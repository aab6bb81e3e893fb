/* What a sweep's table says: which keys matter, where a curve bends, what is worth its price. */
#ifndef WDDMSIM_ANALYSIS_SWEEP_INSIGHT_H
#define WDDMSIM_ANALYSIS_SWEEP_INSIGHT_H

#include "analysis/sweep/cells.h"
#include "analysis/sweep/sensitivity.h"

/* What one key does to a metric. */
struct sweep_effect {
    size_t axis;
    bool explained; /* `indices` hold: shares of the metric's variance over the whole sweep */
    struct sensitivity indices;
    bool swings; /* `low` and `high` hold: the metric's least and greatest mean with only this key
                    away from the baseline, and where */
    double low, high;
    struct sweep_level low_at, high_at; /* the table's own labels */
    double
        half; /* half the width of the confidence interval of high − low, seed by seed; 0 of one */
    bool off_baseline; /* some other key's baseline is not among its values: the nearest stood in */
};

/* One for each axis that is not searched over, the one that matters most first; returns how many.
 * `effects` has room for all axes. */
size_t insight_effects(const struct sweep_table *table, size_t metric,
                       struct sweep_effect *effects);

/* The knee of a curve, after Satopaa et al. 2011: the place farthest from the straight line between
 * its ends, both scaled to one. `count` if there are fewer than five places or it bends by less
 * than a tenth. x rises; no NaN. */
size_t insight_knee(const double *x, const double *y, size_t count);

/* How many points from this one on differ in the seed alone. */
size_t insight_seeds(const struct sweep_table *table, size_t first);

/* The mean of the metric over these; NaN if none has a value. */
double insight_mean(const struct sweep_table *table, size_t first, size_t metric);

/* Marks the first seed of the points that no other beats in the means of both metrics; points that
 * miss one are not. `front` has room for one for each point of the table. Returns how many are
 * marked. Metrics of which neither more nor less is better count as better when less. */
size_t insight_pareto(const struct sweep_table *table, size_t a, size_t b, bool *front);

/* For each level of an axis, in how many combinations of the others it is best, alone or with
 * others within a thousandth. `wins` has room for its levels. Returns the combinations compared: 0
 * if the sweep is no grid or nothing is better or worse. */
size_t insight_wins(const struct sweep_table *table, size_t metric, size_t axis, size_t *wins);

/* The points with the least and the greatest mean of the metric; false: none has a value. */
struct sweep_extreme {
    const struct sweep_point *point; /* the first seed's */
    double mean;
};
bool insight_range(const struct sweep_table *table, size_t metric, struct sweep_extreme *least,
                   struct sweep_extreme *greatest);

#endif
