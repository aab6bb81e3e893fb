/* Following jobs: submitted, handed to the engine, done. */
#ifndef WDDMSIM_TRACES_LINUX_JOBS_H
#define WDDMSIM_TRACES_LINUX_JOBS_H

#include "traces/linux/linux.h"

struct linux_jobs;

/* NULL: out of memory. */
struct linux_jobs *linux_jobs_create(struct linux_import *import);

/* Takes the next record in order of time; those that are not about jobs are ignored. Failures are
 * the import's. */
void linux_jobs_take(struct linux_jobs *jobs, const struct linux_record *record);

/* The recording ends: what is still under way stays without an end. */
void linux_jobs_end(struct linux_jobs *jobs);

void linux_jobs_free(struct linux_jobs *jobs);

#endif
