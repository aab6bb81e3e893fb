/* Running a study: what `sweep` and `scenario` do. */
#ifndef WDDMSIM_CLI_SWEEP_SWEEP_H
#define WDDMSIM_CLI_SWEEP_SWEEP_H

#include "cli/sweep/plan.h"

/* Runs it into its folder, or into `output` if it names none. The exit status. */
int sweep_run(struct study *study, const char *output);

/* Collects what the folder has, writes the table, the figures and the page, and prints the summary.
 * The exit status. */
int sweep_merge(struct study *study, struct plan *plan);

/* Writes study.yaml into the folder; false after a message. */
bool sweep_save_study(const struct study *study);

#endif
