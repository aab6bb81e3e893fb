/* Blame: what something that takes time was waiting for, nanosecond by nanosecond. Exactly one
 * cause is open from begin to end, so the columns sum to the whole. */
#ifndef WDDMSIM_MODEL_BLAME_H
#define WDDMSIM_MODEL_BLAME_H

#include "model/probe.h"

struct blame {
    uint64_t ns[PROBE_CAUSES];
    uint64_t since_ns;
    enum probe_cause cause;
};

static inline void blame_begin(struct blame *blame, enum probe_cause cause, uint64_t now_ns)
{
    *blame = (struct blame){.since_ns = now_ns, .cause = cause};
}

/* From now on the wait has another cause. */
static inline void blame_switch(struct blame *blame, enum probe_cause cause, uint64_t now_ns)
{
    blame->ns[blame->cause] += now_ns - blame->since_ns;
    blame->since_ns = now_ns;
    blame->cause = cause;
}

static inline void blame_end(struct blame *blame, uint64_t now_ns)
{
    blame_switch(blame, blame->cause, now_ns);
}

/* Of the time since the last switch, `ns` had another cause after all. */
static inline void blame_move(struct blame *blame, enum probe_cause to, uint64_t ns)
{
    blame->ns[to] += ns;
    blame->since_ns += ns;
}

static inline uint64_t blame_sum(const struct blame *blame)
{
    uint64_t sum = 0;
    for (int cause = 0; cause < PROBE_CAUSES; cause++)
        sum += blame->ns[cause];
    return sum;
}

#endif
