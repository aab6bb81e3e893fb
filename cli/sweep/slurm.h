/* A sweep on a cluster: its shards as a job array of Slurm, their merging as a job behind it. */
#ifndef WDDMSIM_CLI_SWEEP_SLURM_H
#define WDDMSIM_CLI_SWEEP_SLURM_H

#include "cli/sweep/plan.h"

/* Submits what is missing, follows it until it has ended, and prints its report; with --dry-run
 * prints the scripts. The exit status. */
int slurm_run(struct study *study, struct plan *plan);

#endif
