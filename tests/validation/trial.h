/* A replay of a few events that an experiment writes, and what came of it. */
#ifndef WDDMSIM_TESTS_TRIAL_H
#define WDDMSIM_TESTS_TRIAL_H

#include "model/hardware/profile.h"
#include "tests/validation/validation.h"

#include <stdint.h>
#include <stdio.h>

enum { TRIAL_KEYS = 12, TRIAL_CALLS = 1 << 18 };

struct trial {
    const char *profile;
    const char *keys[TRIAL_KEYS][2]; /* changes to it; NULL ends them */
    const void *what;                /* the experiment's */
    uint64_t from_ns;                /* bytes are counted from then on */
};

struct trial_result {
    uint64_t start_ns[TRIAL_CALLS], done_ns[TRIAL_CALLS]; /* of each event's call */
    uint64_t calls, end_ns;
    uint64_t in_bytes, out_bytes, fill_bytes; /* moved from `from_ns` on */
    uint64_t in_count, out_count;
    uint64_t link_busy_ns[2]; /* in, out */
    uint64_t engine_ns[2][3]; /* nodes 0 and 1: idle, busy, switching */
    int64_t resident[4];      /* bytes, by segment id */
    int64_t moved_in[4];      /* by paging, less what it moved out, by segment id */
    uint64_t allocated[4];    /* at the end, by segment id */
};

/* Runs it in a child process; ends the program if it fails. `write` writes the header and the
 * events, one line each. The caller frees the result with trial_free. */
struct trial_result *trial_run(const struct trial *trial,
                               void (*write)(FILE *trace, const void *what));
void trial_free(struct trial_result *result);

/* The beginning of every trace: submissions name what they need; one device and one context of the
 * engine. */
void trial_begin(FILE *trace, const char *node);
/* The same with another residency. */
void trial_begin_with(FILE *trace, const char *node, const char *residency);

/* Allocations [first, first + count) of so many bytes each, which only local memory may hold and
 * which the processor has written. 3 events each. */
enum { TRIAL_BEGIN_EVENTS = 2, TRIAL_DATA_EVENTS = 3 };
void trial_data(FILE *trace, uint32_t first, uint32_t count, uint64_t bytes);

/* A submission. */
void trial_submit(FILE *trace, uint64_t t_ns, uint64_t gpu_ns, const uint32_t *reads,
                  uint32_t count);

#endif
