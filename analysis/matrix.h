/* The blame matrix: which process's doing made the calls of which process take as long as they
 * took.
 *
 * A call that never waited was its own process's doing; any other is followed along its chain. To
 * follow is more work than to count, so there is a budget that grows with the run: a call that
 * exceeds it is taken to be like the process's next one that is followed. The rows add up to the
 * latencies of their process exactly. */
#ifndef WDDMSIM_ANALYSIS_MATRIX_H
#define WDDMSIM_ANALYSIS_MATRIX_H

#include "analysis/chains.h"

enum { MATRIX_PROCESSES = 64, MATRIX_FREE_STEPS = 1 << 21, MATRIX_RECORDS_PER_STEP = 16 };

/* How the process of number 0 is called. */
#define MATRIX_NOBODY "the system or nobody known"

/* All zero is empty. */
struct matrix {
    uint32_t processes;
    uint32_t pid[MATRIX_PROCESSES]; /* the last one, if there are so many, stands for all others */
    bool others;
    uint64_t ns[MATRIX_PROCESSES][MATRIX_PROCESSES]; /* victim, culprit */
    uint64_t pending[MATRIX_PROCESSES];
    uint64_t total_ns, followed_ns;
};

/* A call of the process took from_ns to to_ns; `job`: what to follow, 0: it never waited. */
void matrix_add(struct matrix *matrix, struct chains *chains, uint32_t pid, uint64_t job,
                uint64_t from_ns, uint64_t to_ns);

/* What is still pending goes where the rest of its row went. */
void matrix_close(struct matrix *matrix);

#endif
