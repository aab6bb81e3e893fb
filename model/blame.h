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

static inline struct probe_thing blame_thing(const struct blame *blame)
{
    return probe_thing(blame->job ? PROBE_JOB : PROBE_NOTHING, blame->job);
}

/* From now on the wait has another cause. */
static inline void blame_switch(struct blame *blame, enum probe_cause cause, uint64_t now_ns)
{
    blame->ns[blame->cause] += now_ns - blame->since_ns;
    blame->since_ns = now_ns;
    blame->cause = cause;
}

/* A call that others wait for, or that waits itself, becomes a job. */
static inline struct probe_thing blame_job(struct blame *blame, struct probe *probe)
{
    if (blame->job == 0)
        blame->job = probe_begin(
            probe, blame->since_ns,
            (struct probe_job){.call = blame->call ? blame->call : "call", .pid = blame->pid});
    return blame_thing(blame);
}

/* As blame_switch, and the wait is for something else. */
static inline void blame_wait(struct blame *blame, struct probe *probe, enum probe_cause cause,
                              struct probe_thing what, uint64_t now_ns)
{
    struct probe_thing who = blame_job(blame, probe);
    blame_switch(blame, cause, now_ns);
    blame->what = what;
    probe_wait(probe, now_ns, who, cause, what);
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

/* What it has been waiting for turns out to be this. */
static inline void blame_found(const struct blame *blame, struct probe *probe,
                               struct probe_thing what)
{
    if (blame->job)
        probe_found(probe, blame_thing(blame), what);
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
