/* The slowest calls of each op, and the slowest frames, each with its chain: what it waited for and
 * what that waited for, down to who was at work. */
#ifndef WDDMSIM_ANALYSIS_SLOWEST_H
#define WDDMSIM_ANALYSIS_SLOWEST_H

#include "analysis/chains.h"

enum {
    SLOWEST = 10,
    CHAIN_LINES = 12,
    /* Chain records after which a slow call is explained, before what it waited for is forgotten.
     * While every call is slower than the one before, most are out of the list again by then. */
    SLOWEST_PATIENCE = CHAIN_RECORDS / 16
};

/* A stretch of a chain. The lines of a chain follow each other in time and add up to the whole;
 * where there would be too many, stretches that went the same way are one line. */
struct chain_line {
    uint64_t ns;
    enum probe_cause cause; /* the column that it counts in */
    uint32_t pid;           /* whose doing it is */
    uint32_t jobs;          /* how many were at work one after the other */
    char *way;              /* from what waited to who was at work, a line each */
};

struct slow {
    uint64_t index, start_ns, ns; /* index: of the call */
    uint32_t pid, tid;
    uint64_t job, due; /* job: to be explained once the chains' next record is `due`; 0: it is */
    size_t lines;
    struct chain_line line[CHAIN_LINES];
};

/* Slowest first; of equal ones the first. All zero is empty. */
struct slowest {
    size_t count;
    struct slow *slow[SLOWEST];
};

/* Whether one that took so long belongs there. */
static inline bool slowest_wants(const struct slowest *slowest, uint64_t ns)
{
    return slowest->count < SLOWEST || ns > slowest->slow[SLOWEST - 1]->ns;
}

/* Puts it there, to be explained by the chain of its job (0: it was at work all the time). */
void slowest_add(struct slowest *slowest, const struct slow *slow, uint64_t job,
                 const struct chains *chains);

/* Explains those that are due, or all. */
void slowest_explain(struct slowest *slowest, struct chains *chains,
                     const struct chain_names *names, bool all);

void slowest_clear(struct slowest *slowest);

#endif
