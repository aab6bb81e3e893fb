/* Blame: what something that takes time was waiting for, nanosecond by nanosecond. Exactly one
 * cause is open from begin to end, so the columns sum to the whole. */
#ifndef WDDMSIM_MODEL_BLAME_H
#define WDDMSIM_MODEL_BLAME_H

#include "model/probe.h"

struct blame {
    uint64_t ns[PROBE_CAUSES];
    uint64_t since_ns;
    enum probe_cause cause;
    uint64_t job; /* its number; 0: not begun, because it never waited */
    struct probe_thing what;
    const char *call; /* what to announce a call as */
    uint32_t pid;
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

/* The same, and it is for something else. A call that has not waited before becomes a job. */
static inline void blame_wait(struct blame *blame, struct probe *probe, enum probe_cause cause,
                              struct probe_thing what, uint64_t now_ns)
{
    if (blame->job == 0)
        blame->job = probe_begin(probe, blame->since_ns,
                                 (struct probe_job){.call = blame->call, .pid = blame->pid});
    blame_switch(blame, cause, now_ns);
    blame->what = what;
    probe_wait(probe, now_ns, probe_thing(PROBE_JOB, blame->job), cause, what);
}

/* The first `ns` since the last switch were a wait for something else after all. */
static inline void blame_was(struct blame *blame, struct probe *probe, enum probe_cause cause,
                             struct probe_thing what, uint64_t ns)
{
    enum probe_cause open = blame->cause;
    struct probe_thing open_what = blame->what;
    if (ns == 0)
        return;
    blame_wait(blame, probe, cause, what, blame->since_ns);
    blame_wait(blame, probe, open, open_what, blame->since_ns + ns);
}

/* It gets on with it. */
static inline void blame_work(struct blame *blame, struct probe *probe, enum probe_cause cause,
                              uint64_t now_ns)
{
    blame_wait(blame, probe, cause, probe_thing(PROBE_NOTHING, 0), now_ns);
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
