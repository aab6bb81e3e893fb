/* The points that a study asks for, before any of them is run. */
#ifndef WDDMSIM_CLI_SWEEP_PLAN_H
#define WDDMSIM_CLI_SWEEP_PLAN_H

#include "cli/sweep/spot.h"

struct plan {
    const struct study *study;
    size_t count, room;
    struct sweep_point *points;
    char (*keys)[STORE_KEY_SIZE]; /* of the results; empty for an invalid point */
    size_t searches;
    struct sweep_point *bases; /* one for each search: the axes it is not over */
};

/* The design's points and the baselines, every seed of each, or the bases of the searches. Points
 * that cannot be run are there, too, with the reason. False and one line if there are too many. */
bool plan_make(const struct study *study, struct plan *plan, char *error, size_t error_size);

/* Adds a point at the base's values and, on the axes searched over, at these; returns its place,
 * or that of an equal one that is there already. */
size_t plan_add_searched(struct plan *plan, const struct sweep_point *base, const double *values,
                         uint64_t seed);

void plan_free(struct plan *plan);

/* Copies and frees what a point consists of. */
void plan_copy_point(const struct study *study, const struct sweep_point *from,
                     struct sweep_point *to);
void plan_free_point(const struct study *study, struct sweep_point *point);

#endif
