/* VidSch, the GPU scheduler: contexts with software queues, nodes with hardware queues, fences.
 *
 * A packet's life: queued in its context's software queue; behind a wait packet it stays there
 * until the fence is reached; once it is the context's first, the node's turn comes by priority,
 * then by age; VidMm prepares its memory; the worker hands it to the node's hardware queue; the
 * engine switches contexts if it must and runs it; an interrupt later the worker completes it.
 *
 * One worker makes all transitions of an adapter, one after the other: submissions, completions,
 * waits and signals each take their time on it (wddm.md §8; the Windows recording shows 7 to 13 us
 * between consecutive transitions). */
#ifndef WDDMSIM_VIDSCH_H
#define WDDMSIM_VIDSCH_H

#include "model/blame.h"
#include "model/hardware/profile.h"
#include "model/simulation/simulation.h"

struct vidsch;
struct vidsch_node;
struct vidsch_context;
struct vidsch_barrier_link;
struct vidmm_allocation;
struct vidmm_context_memory;

/* A 64-bit monitored fence. */
struct vidsch_fence {
    uint64_t value;
    struct vidsch_waiter *waiters;
};

/* Something that goes on once a fence reaches a value. */
struct vidsch_waiter {
    struct vidsch_fence *fence;
    uint64_t value;
    void (*reached)(void *owner);
    void *owner;
    struct vidsch_waiter *prev, *next;
};

/* One Signal on several contexts: the value counts when the last of its packets is reached
 * (observed in the Windows recording, trace-formats.md §2.3). */
struct vidsch_broadcast {
    uint32_t left;
};

struct vidsch_packet {
    enum probe_packet_kind kind;
    struct vidsch_context *context;
    struct vidsch_packet *prev, *next; /* in the software queue, then in the hardware queue */
    uint64_t order;

    uint64_t queued_ns, placed_ns, started_ns, finished_ns;
    uint64_t execute_ns; /* engine time on this adapter; paging: what it took */
    uint64_t switch_ns;
    uint64_t blocked_before_ns; /* the context's blocked time when the packet was queued */
    struct blame blame;

    struct vidsch_fence *fence; /* wait and signal */
    uint64_t value;
    struct vidsch_broadcast *broadcast; /* signal on several contexts, else NULL */
    struct vidsch_waiter waiter;
    bool flip;         /* present: programs the display itself */
    uint64_t interval; /* present: vsyncs since the context's last one */

    /* What the packet's memory is, for VidMm alone. */
    struct vidmm_allocation **references;
    const uint64_t *next_uses; /* of each reference, behind this one; NULL: nobody knows */
    uint32_t reference_count;
    uint32_t hits;
    bool without_memory; /* no room was found: it runs all the same, and that is reported */

    /* A paging packet does not run for a known time: `execute` starts it, and
     * vidsch_packet_executed says when it is over. */
    void (*execute)(void *owner, struct vidsch_packet *packet);
    /* The packet is complete; the owner may free or reuse it. */
    void (*completed)(void *owner, struct vidsch_packet *packet);
    void *owner;

    struct sim_timer timer;
    struct vidsch_barrier_link *barriers; /* pass when this packet completes */
};

/* Fires when every packet that was queued when it was set has completed. */
struct vidsch_barrier {
    void (*passed)(void *owner);
    void *owner;
    uint32_t left;
};

/* What VidMm hands down at set-up. */
struct vidsch_memory {
    void *vidmm;
    /* Is all the packet needs resident? Then it is pinned there and the answer is yes; else paging
     * starts and vidsch_prepared is called when asking again is worthwhile. */
    bool (*prepare)(void *vidmm, struct vidsch_packet *packet);
    /* The packet left the hardware queue. */
    void (*release)(void *vidmm, struct vidsch_packet *packet);
    /* A packet of another context was placed behind this context's: its GPU-context allocations
     * need not stay (wddm.md §4.2). */
    void (*unload)(void *vidmm, struct vidsch_context *context);
};

struct vidsch *vidsch_create(struct sim *sim, const struct profile *profile, struct probe *probe);
void vidsch_set_memory(struct vidsch *vidsch, const struct vidsch_memory *memory);
void vidsch_destroy(struct vidsch *vidsch);

/* A context on a node. `owner` is the device's, for VidMm. */
struct vidsch_context *vidsch_context_create(struct vidsch *vidsch, uint32_t node, int32_t priority,
                                             bool system, uint32_t pid, struct probe_label label,
                                             void *owner);

/* The context takes no more packets; it is freed when its last one has completed. */
void vidsch_context_destroy(struct vidsch_context *context);

/* The context's device goes: its queued waits end, whatever their fences say, and no new one begins
 * (wddm.md §3.4: the device's scheduler is flushed). Other work runs. */
void vidsch_context_flush(struct vidsch_context *context);

void vidsch_context_set_priority(struct vidsch_context *context, int32_t priority);
void *vidsch_context_owner(const struct vidsch_context *context);
uint32_t vidsch_context_id(const struct vidsch_context *context);
uint32_t vidsch_context_node(const struct vidsch_context *context);
bool vidsch_context_system(const struct vidsch_context *context);

/* Whether the context's state is on its engine, or will be after what is placed. */
bool vidsch_context_loaded(const struct vidsch_context *context);

/* Packets of the context between preparation and release. */
uint32_t vidsch_context_in_flight(const struct vidsch_context *context);

/* The context's GPU-context allocations: VidMm's business, kept here for it. NULL: none. */
void vidsch_context_set_memory(struct vidsch_context *context, struct vidmm_context_memory *memory);
struct vidmm_context_memory *vidsch_context_memory(const struct vidsch_context *context);

/* Queues a packet. The caller fills kind, execute_ns and what the kind needs; the rest is VidSch's.
 * The packet stays the caller's and must live until `completed`. */
void vidsch_submit(struct vidsch_context *context, struct vidsch_packet *packet);

/* A paging packet's work is over. */
void vidsch_packet_executed(struct vidsch_packet *packet);

/* VidMm is done preparing the packet. */
void vidsch_prepared(struct vidsch_packet *packet);

/* Switches idle engines to the null context, so that what the last context keeps resident there may
 * move (wddm.md §8.6). False: there was none. */
bool vidsch_unload_idle(struct vidsch *vidsch);

/* Raises a fence from the CPU or from a completed packet and lets its waiters go. */
void vidsch_fence_signal(struct vidsch_fence *fence, uint64_t value);

/* Waits from the CPU: `reached` is called once, maybe at once. */
void vidsch_fence_wait(struct vidsch_waiter *waiter);

/* Ends a wait before its time: `reached` is not called any more. */
void vidsch_fence_cancel(struct vidsch_waiter *waiter);

/* Adds what is queued in the context to a barrier (left starts at 1; vidsch_barrier_arm drops it
 * and may fire). */
void vidsch_barrier_add(struct vidsch_barrier *barrier, struct vidsch_context *context);
void vidsch_barrier_arm(struct vidsch_barrier *barrier);

/* Packets queued and not completed, for --check and for the end of a trace. */
uint64_t vidsch_pending(const struct vidsch *vidsch);

/* Verifies VidSch's invariants; NULL, or what is wrong. */
const char *vidsch_check(const struct vidsch *vidsch);

#endif
