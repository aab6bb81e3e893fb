/* A sweep's points put together for people: means over the seeds with their confidence, on the
 * grid of the listed values. */
#ifndef WDDMSIM_ANALYSIS_SWEEP_CELLS_H
#define WDDMSIM_ANALYSIS_SWEEP_CELLS_H

#include "analysis/sweep/table.h"

struct sweep_cell {
    size_t count; /* of seeds with a value */
    double mean;  /* NaN: none has */
    double half; /* half the width of the mean's 95 % confidence interval (Student's t); 0 of one */
};

/* One metric at every combination of levels of the axes that list any, the last axis running
 * fastest. */
struct sweep_cells {
    size_t axes;
    size_t *axis;   /* of the table */
    size_t *levels; /* of each */
    size_t count, seeds;
    struct sweep_cell *cell;
    double *values; /* count × seeds, NaN where there is none */
};

/* Of a grid. cells_free in any case. */
void cells_make(const struct sweep_table *table, size_t metric, struct sweep_cells *cells);
void cells_free(struct sweep_cells *cells);

/* Where the cell with these levels is. */
size_t cells_place(const struct sweep_cells *cells, const size_t *level);

/* The mean of b − a, seed by seed: equal seeds have equal traces, so what they have in common does
 * not blur the difference. */
struct sweep_cell cells_difference(const struct sweep_cells *cells, size_t a, size_t b);

/* Of the points with that role, whatever their values. */
struct sweep_cell cell_of_role(const struct sweep_table *table, enum sweep_role role,
                               size_t metric);

/* Of values; NaN among them are left out. */
struct sweep_cell cell_of(const double *values, size_t count);

/* The level of an axis where its baseline is, or the nearest to it; the first if it is unknown. */
size_t cells_baseline(const struct sweep_axis *axis);

#endif
