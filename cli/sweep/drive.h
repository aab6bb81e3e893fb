/* Running the points of a sweep: what is not in the folder yet, side by side, each in a process of
 * its own. */
#ifndef WDDMSIM_CLI_SWEEP_DRIVE_H
#define WDDMSIM_CLI_SWEEP_DRIVE_H

#include "analysis/sweep/pool.h"
#include "cli/sweep/plan.h"

struct drive {
    const struct study *study;
    const char *directory;
    struct plan *plan;
    unsigned workers;
    bool may_run; /* else what the folder has is all there is */
    bool progress;
    size_t found, ran, failed; /* points: in the folder already, run now, in vain */
    enum pool_end end;         /* of the last pool; an error, once told, ends everything */
};

/* Runs those of the points that have no result yet; results are in the folder then, and the
 * points' states and messages say the rest. False, after a message, if it ended early:
 * interrupted, or nothing more can be written. */
bool drive_points(struct drive *drive, const size_t *places, size_t count);

/* Imports or generates the traces of the plan's points that have no result yet: the tasks of a
 * cluster find them then. False like drive_points. */
bool drive_sources(struct drive *drive);

/* The metric of a finished point, NaN if it has none. */
double drive_metric(const struct study *study, const char *directory, const struct plan *plan,
                    size_t place, const char *path);

/* search_runs.c: runs the searches side by side, all of them or every `shards`th from `shard` on,
 * and then, if `found` is not NULL, fills what each of them found (one for each base of the plan)
 * from the results in the folder. False like drive_points. */
bool drive_searches(struct drive *drive, uint64_t shard, uint64_t shards,
                    struct sweep_search *found);

#endif
