/* From the results in a sweep's folder to its table. */
#ifndef WDDMSIM_CLI_SWEEP_COLLECT_H
#define WDDMSIM_CLI_SWEEP_COLLECT_H

#include "cli/sweep/plan.h"

/* Takes the metrics of every finished point out of the folder. A result that cannot be read is
 * removed and its point missing. `found`, one for each base of the plan, is taken over. */
void collect(const struct study *study, const struct plan *plan, const char *directory,
             struct sweep_search *found, struct sweep_table *table);

#endif
