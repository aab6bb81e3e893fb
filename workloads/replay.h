/* The replayer: plays a trace's calls into the model, one replay thread per recorded thread. */
#ifndef WDDMSIM_WORKLOADS_REPLAY_H
#define WDDMSIM_WORKLOADS_REPLAY_H

#include "model/ddi.h"
#include "model/dxgkrnl/fault.h"
#include "model/hardware/profile.h"
#include "model/probe.h"
#include "traces/reader.h"
#include "workloads/foresight.h"

enum replay_pace {
    REPLAY_RECORDED, /* each call at its recorded time, or when its thread is free again */
    REPLAY_THINK,    /* recorded gaps between a call's return and the thread's next call are kept */
    REPLAY_ASAP      /* as soon as the thread is free, in recorded order */
};

struct replay_options {
    enum replay_pace pace;
    uint64_t from_ns, to_ns; /* the part of the trace to play; to_ns UINT64_MAX: to its end */
    uint64_t seed;           /* of what the victim policy leaves to chance */
    bool check;              /* verify the model's invariants while running */
    bool skip_bad;           /* count and report bad events instead of stopping */
    const struct dxgk_fault *faults; /* steps of calls that are to fail */
    size_t fault_count;
    const struct dxgkddi *miniport; /* the first adapter's; NULL: the built-in one */
    const struct profile *others;   /* adapters beside the first one */
    uint32_t other_count;
    /* What the trace will use when, for the victim policy that wants to know
     * (replay_needs_foresight); NULL: nobody knows. */
    const struct foresight *foresight;
    /* Called now and then with simulated time; returning false interrupts the run (partial
     * results). May be NULL. */
    bool (*progress)(void *self, uint64_t events, uint64_t simulated_ns);
    void *progress_self;
};

struct replay_result {
    uint64_t events;     /* read from the trace and played */
    uint64_t bad_events; /* skipped */
    char first_bad[512]; /* message of the first one */
    uint64_t simulated_ns;
    uint64_t dates, transfers; /* that the simulation took: for benchmarks */
    bool interrupted;
    uint64_t waiting_calls; /* still waiting at the end for what can never happen */
    char waiting[512];      /* who waits for what, first few */
};

enum replay_status {
    REPLAY_OK,
    REPLAY_BAD_INPUT, /* exit 2: message says where */
    REPLAY_FAILED     /* exit 1: an invariant failed (--check) */
};

/* Runs the whole replay; once per process (SimGrid's clock never resets). */
enum replay_status replay_run(struct trace_reader *reader, const struct profile *profile,
                              struct probe *probe, const struct replay_options *options,
                              struct replay_result *result, char *error, size_t error_size);

/* Whether the profile's victim policy has to know the future. */
bool replay_needs_foresight(const struct profile *profile);

/* Frees the run's model, once nobody asks it anything any more (probe_machine.segment_state). */
void replay_release(void);

#endif
