/* VidSch, the GPU scheduler: contexts with software queues, nodes with hardware queues, fences.
 *
 * A packet's life: queued in its context's software queue; once it is the context's first and the
 * policy says that it is the context's turn, VidMm prepares its memory and it is handed to the
 * node's hardware queue; the engine switches contexts if it must and runs it, or is preempted and
 * hands it back; an interrupt later the DPC completes it. Waits, signals and presents are taken by
 * the worker when it is the context's turn; a wait stays until its fence is reached, a signal or
 * present completes behind what its context has on the engine.
 *
 * One worker hands over what the policy chooses, one packet after the other, and sleeps in between;
 * completions come from the DPC, which runs beside it. Each step takes its time (wddm.md §8; the
 * times are those of the Windows recording). With hardware scheduling the engines choose
 * themselves. */
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
struct vidmm_touches;

/* A 64-bit monitored fence. It is nobody's: packets on any adapter wait for it and signal it. */
struct vidsch_fence {
    uint64_t value;
    struct probe_thing signalled_by; /* whose signal raised it to that */
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

/* What a DPC has to do: it takes `duration_ns`, then `make` is called. */
struct vidsch_task {
    void (*make)(void *owner);
    void *owner;
    struct vidsch_packet *packet; /* that it is for, or NULL */
    uint64_t duration_ns;
    uint64_t ready_ns; /* not before */
    struct vidsch_task *prev, *next;
};

struct vidsch_packet {
    enum probe_packet_kind kind;
    struct vidsch_context *context;
    uint64_t id;                       /* in the order of queueing */
    struct vidsch_packet *prev, *next; /* in the software queue, then among the taken ones */
    struct vidsch_packet *hardware_prev, *hardware_next; /* in the node's hardware queue */

    uint64_t queued_ns, placed_ns, started_ns, finished_ns;
    uint64_t execute_ns;              /* engine time on this adapter; paging: what it took */
    uint64_t granule_ns;              /* longest stretch that cannot be preempted; 0: the node's */
    uint64_t driver_ns, interrupt_ns; /* as recorded, if they were and count */
    bool driver_known, interrupt_known;
    uint64_t remaining_ns; /* of execute_ns, when it was last taken up */
    uint64_t resumed_ns;   /* then */
    uint64_t switch_ns;
    uint64_t blocked_before_ns; /* the context's blocked time when it began to wait in its queue */
    uint32_t preemptions;       /* times it was handed back */
    uint32_t flips;             /* that show what it draws */
    bool started;
    struct blame blame;

    struct vidsch_fence *fence; /* wait and signal */
    uint64_t value;
    struct vidsch_broadcast *broadcast; /* signal on several contexts, else NULL */
    struct vidsch_waiter waiter;
    bool flip;         /* present: programs the display itself */
    uint64_t interval; /* present: refreshes that it stays on the display at least */
    bool in_time;      /* present: within the frame latency; else it is held up, and ... */
    void (*let_in)(void *owner, struct vidsch_packet *packet); /* ... this says when not any more;
                                                                  NULL: nobody wants to know */

    /* What the packet's memory is, for VidMm alone. */
    struct vidmm_allocation **references;
    const uint64_t *next_uses; /* of each reference, behind this one; NULL: nobody knows */
    uint32_t reference_count;
    uint32_t hits;
    struct vidmm_touches *touches; /* of memory that comes when it is touched; NULL: of none */
    bool without_memory; /* no room was found: it runs all the same, and that is reported */
    bool places_sought;  /* VidMm has looked for better places for what it names, once */
    bool prepared;       /* its memory is pinned */
    bool dropped;        /* its context was aborted before it had run */

    /* A paging packet does not run for a known time: `execute` starts it, and
     * vidsch_packet_executed says when it is over. */
    void (*execute)(void *owner, struct vidsch_packet *packet);
    /* The packet is complete; the owner may free or reuse it. */
    void (*completed)(void *owner, struct vidsch_packet *packet);
    void *owner;

    struct vidsch_task task;
    struct vidsch_barrier_link *barriers; /* pass when this packet completes */
};

/* Fires when every packet that was queued when it was set has completed. */
struct vidsch_barrier {
    void (*passed)(void *owner);
    void *owner;
    uint32_t left;
    struct probe_thing last; /* the packet that completed last */
};

/* What VidMm hands down at set-up. */
struct vidsch_memory {
    void *vidmm;
    /* Is all the packet needs resident? Then it is pinned there and the answer is yes; else paging
     * starts, and either vidsch_prepared is called once all is there and pinned, or
     * vidsch_prepare_again when asking again is worthwhile. */
    bool (*prepare)(void *vidmm, struct vidsch_packet *packet);
    /* The packet is complete, or was preempted and will be prepared again: what was pinned for it
     * may go. */
    void (*release)(void *vidmm, struct vidsch_packet *packet);
    /* A packet of another context was placed behind this context's: its GPU-context allocations
     * need not stay (wddm.md §4.2). */
    void (*unload)(void *vidmm, struct vidsch_context *context);
    /* A packet with touches runs, or goes on: after how much of its `remaining_ns` it comes upon
     * what is not there; UINT64_MAX: never. Then the engine stalls, `serve` is called, and in the
     * end vidsch_packet_served, maybe at once. May be NULL where no packet has touches. */
    uint64_t (*touch)(struct vidsch_packet *packet);
    void (*serve)(struct vidsch_packet *packet);
};

/* D3DKMT_SCHEDULINGPRIORITYCLASS of a process, and the band it is in (wddm.md §8.3, §8.5). */
enum vidsch_class {
    VIDSCH_CLASS_IDLE,
    VIDSCH_CLASS_BELOW_NORMAL,
    VIDSCH_CLASS_NORMAL,
    VIDSCH_CLASS_ABOVE_NORMAL,
    VIDSCH_CLASS_HIGH,
    VIDSCH_CLASS_REALTIME
};
enum vidsch_band {
    VIDSCH_BAND_IDLE,
    VIDSCH_BAND_NORMAL,
    VIDSCH_BAND_FOCUS,
    VIDSCH_BAND_REALTIME,
    VIDSCH_BANDS
};

/* Of the machine's only adapter, or first one; of any. */
struct vidsch *vidsch_create(struct sim *sim, const struct profile *profile, struct probe *probe);
struct vidsch *vidsch_create_on(const struct probe_adapter *adapter, struct sim *sim,
                                const struct profile *profile, struct probe *probe);
const struct probe_adapter *vidsch_adapter(const struct vidsch *vidsch);
void vidsch_set_memory(struct vidsch *vidsch, const struct vidsch_memory *memory);
void vidsch_destroy(struct vidsch *vidsch);

/* `hung` is called when an engine that ran the context's packet had to be reset: it aborts that
 * context, and whichever go with it. Without it that one alone is aborted. */
void vidsch_set_hung(struct vidsch *vidsch,
                     void (*hung)(void *owner, struct vidsch_context *context), void *owner);

/* A context on a node. `owner` is the device's, for VidMm. */
struct vidsch_context *vidsch_context_create(struct vidsch *vidsch, uint32_t node, int32_t priority,
                                             bool system, uint32_t pid, struct probe_label label,
                                             void *owner);

/* The context takes no more packets; it is freed when its last one has completed. */
void vidsch_context_destroy(struct vidsch_context *context);

/* The context's device goes: its queued waits end, whatever their fences say, and no new one begins
 * (wddm.md §3.4: the device's scheduler is flushed). Other work runs. */
void vidsch_context_flush(struct vidsch_context *context);

/* The context's device is in error: what an engine has of it runs to its end, all else is dropped
 * in its order; what is queued later, too. Signals that are dropped count, or who waits for them
 * would do so for ever. */
void vidsch_context_abort(struct vidsch_context *context);

/* Of all contexts of the process, those to come included. */
void vidsch_process_set_class(struct vidsch *vidsch, uint32_t pid, enum vidsch_class class);
void vidsch_process_set_band(struct vidsch *vidsch, uint32_t pid, enum vidsch_band band);

/* The process is gone: who gets its number next begins as everybody does. */
void vidsch_process_exit(struct vidsch *vidsch, uint32_t pid);

/* -7..7, among all contexts and among those of its process. */
void vidsch_context_set_priority(struct vidsch_context *context, int32_t priority);
void vidsch_context_set_in_process_priority(struct vidsch_context *context, int32_t priority);

/* A quantum of its own, instead of its band's; 0: its band's. */
void vidsch_context_set_quantum(struct vidsch_context *context, uint64_t quantum_ns);

void *vidsch_context_owner(const struct vidsch_context *context);
uint32_t vidsch_context_id(const struct vidsch_context *context);
uint32_t vidsch_context_node(const struct vidsch_context *context);
bool vidsch_context_system(const struct vidsch_context *context);

/* Whether the context's state is on its engine, or will be after what is placed. */
bool vidsch_context_loaded(const struct vidsch_context *context);

/* Packets of the context for which memory is pinned. */
uint32_t vidsch_context_in_flight(const struct vidsch_context *context);

/* The context's GPU-context allocations: VidMm's business, kept here for it. NULL: none. */
void vidsch_context_set_memory(struct vidsch_context *context, struct vidmm_context_memory *memory);
struct vidmm_context_memory *vidsch_context_memory(const struct vidsch_context *context);

/* Queues a packet. The caller fills kind, execute_ns and what the kind needs; the rest is VidSch's.
 * The packet stays the caller's and must live until `completed`. */
void vidsch_submit(struct vidsch_context *context, struct vidsch_packet *packet);

/* A paging packet's work is over. */
void vidsch_packet_executed(struct vidsch_packet *packet);

/* What a packet on its engine touched is there now: it goes on. */
void vidsch_packet_served(struct vidsch_packet *packet);

/* VidMm is done preparing the packet; or it is not, but is to be asked again. */
void vidsch_prepared(struct vidsch_packet *packet);
void vidsch_prepare_again(struct vidsch_packet *packet);

/* Switches idle engines to the null context, so that what the last context keeps resident there may
 * move (wddm.md §8.6): the memory's `unload` says when. False: there was none. */
bool vidsch_unload_idle(struct vidsch *vidsch);

/* Whether such a switch is under way. */
bool vidsch_unloading(const struct vidsch *vidsch);

/* Raises a fence from the CPU or from a completed packet and lets its waiters go. `by`: the call or
 * packet, as the probe knows it. */
void vidsch_fence_signal(struct vidsch_fence *fence, uint64_t value, struct probe_thing by);

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
