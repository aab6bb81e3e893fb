/* Jobs run side by side, each in a forked process of its own: a simulation can run once per
 * process, and a job that crashes, hangs on to memory or is killed takes nothing else along. What
 * the parent has decoded or loaded the jobs share, as far as they do not write to it. */
#ifndef WDDMSIM_ANALYSIS_SWEEP_POOL_H
#define WDDMSIM_ANALYSIS_SWEEP_POOL_H

#include <stdbool.h>
#include <stddef.h>

/* What a job returns, that is its process's exit status. */
enum pool_status {
    POOL_DONE,
    POOL_FAILED, /* it said why on standard error; trying again would not help */
    POOL_STOP    /* the same, and it would be so for every other job: no more are started */
};

struct pool_counts {
    size_t count, done, failed, running;
};

struct pool {
    unsigned workers;
    /* In a process of its own; its standard input and output are nothing, what it writes to
     * standard error becomes its message. */
    enum pool_status (*job)(void *self, size_t index);
    /* In the parent, when a job has ended for good. One that was killed or crashed is tried a
     * second time first. `message` is one line, empty if it is done. */
    void (*ended)(void *self, size_t index, bool done, const char *message);
    /* In the parent, some ten times a second; false ends every job at once. May be NULL. */
    bool (*go_on)(void *self, const struct pool_counts *counts);
    void *self;
};

enum pool_end {
    POOL_COMPLETE,    /* every job has ended */
    POOL_INTERRUPTED, /* go_on said so */
    POOL_STOPPED      /* a job returned POOL_STOP, or no process could be made; message says why */
};

/* Runs the jobs 0 … count - 1, in that order as workers are free. `message` is set if it stopped.
 */
enum pool_end pool_run(const struct pool *pool, size_t count, char *message, size_t size);

#endif
