/* What can be observed of the model: the only thing analysis knows of it.
 *
 * The model calls these functions as things happen, in order of simulated time. Times are integer
 * nanoseconds since the start of the simulation. Pointers are valid during the call only. */
#ifndef WDDMSIM_MODEL_PROBE_H
#define WDDMSIM_MODEL_PROBE_H

#include <stdbool.h>
#include <stdint.h>

/* Every nanosecond of a call's latency has one of these causes; they sum to the latency. */
enum probe_cause {
    PROBE_CPU,      /* the call's own work on the processor */
    PROBE_LOCK,     /* another call of the same kind is inside */
    PROBE_RESERVE,  /* finding room, waiting for evictions included */
    PROBE_TRANSFER, /* paging copies on the link */
    PROBE_FILL,     /* zeroing at first page-in */
    PROBE_MAP,      /* page tables, apertures, TLB */
    PROBE_QUEUE,    /* behind other work on the engine or on the scheduler's worker */
    PROBE_SWITCH,   /* context switch */
    PROBE_PREEMPT,  /* preemption */
    PROBE_EXECUTE,  /* the engine's own time */
    PROBE_FENCE,    /* waiting for a fence that other work signals */
    PROBE_DISPLAY,  /* ahead of the display: frame latency, flip queue */
    PROBE_CAUSES
};

/* "cpu", "lock", ... */
extern const char *const probe_cause_names[PROBE_CAUSES];

/* The recorder's name for an object: text, or a number when text is NULL. */
struct probe_label {
    const char *text;
    uint64_t number;
};

/* What the recording knew of a call's outcome. */
struct probe_expected {
    bool has_status, has_dur, has_done;
    uint32_t status;
    uint64_t dur_ns;     /* call to return */
    uint64_t latency_ns; /* recorded done - recorded t */
};

/* Waiting. What takes time is a job: a packet, or a call that waits for something itself. Jobs have
 * numbers of their own, given out from 1 as they begin (probe_begin). What jobs take turns at is a
 * place. At any moment a job gets on with it or waits for one other thing; a place serves one job,
 * or waits for another place, or is idle. To follow these from one to the next is to say why
 * something took as long as it did. */
enum probe_thing_kind {
    PROBE_NOTHING,   /* of a job: it gets on with it; of a place: it is idle */
    PROBE_JOB,       /* id: its number */
    PROBE_PROCESS,   /* a process at its own pace, on the processor. id: pid */
    PROBE_CONTEXT,   /* a context's software queue; serves its first packet. id: the context's */
    PROBE_NODE,      /* an engine. id: ordinal */
    PROBE_SCHEDULER, /* what of VidSch works on one transition after the other. id: below */
    PROBE_PAGER, /* VidMm's worker; serves who waits for the request that it is at. id: adapter */
    PROBE_DESTROYER, /* the system worker; serves whose allocations it closes and destroys */
    PROBE_SCREEN,    /* the display, which keeps its own time */
    PROBE_THINGS
};

enum { PROBE_SCHEDULER_WORKER, PROBE_SCHEDULER_DPC, PROBE_SCHEDULER_FIRMWARE /* + node */ };

/* An adapter among those of the machine. Segments and nodes of all of them are numbered through, in
 * the order of adapters; the model's rooms know only their own and number these from where they
 * begin. VidSch's worker and DPC of the first adapter have the ids above, those of others follow
 * the nodes'. */
struct probe_adapter {
    uint32_t number;        /* from 0 */
    uint32_t first_segment; /* segments of the adapters before it */
    uint32_t first_node;
};

enum { PROBE_NODES_MAX = 64, PROBE_SEGMENTS_MAX = 31 }; /* of all adapters */

/* The id of the adapter's worker or DPC. */
static inline uint32_t probe_scheduler(uint32_t part, uint32_t adapter)
{
    return adapter == 0 ? part
                        : PROBE_SCHEDULER_FIRMWARE + PROBE_NODES_MAX + 2 * (adapter - 1) + part;
}

struct probe_thing {
    uint64_t kind : 8, id : 56;
};

/* One finished call. Latency = done - start if it has an asynchronous part, else return - start. */
struct probe_call {
    uint64_t index; /* of the event in the trace, from 0 */
    const char *op; /* "CreateAllocation", ...; a static string, the same pointer for the same op */
    uint32_t pid, tid;
    uint64_t due_ns;    /* when the recording made it (after --from is subtracted) */
    uint64_t start_ns;  /* when the replay made it */
    uint64_t return_ns; /* when it returned to the caller */
    uint64_t done_ns;   /* when its asynchronous part finished; meaningful if asynchronous */
    bool asynchronous;
    uint32_t status; /* NTSTATUS */
    uint64_t blame_ns[PROBE_CAUSES];
    uint64_t
        job; /* whose waits were its own: its packet's, or its own number; 0: it never waited */
    struct probe_expected expected;
};

enum probe_packet_kind {
    PROBE_RENDER,
    PROBE_PAGING,
    PROBE_WAIT,
    PROBE_SIGNAL,
    PROBE_PRESENT,
    PROBE_NULL_SWITCH, /* of length zero: switches an idle engine to the null context */
    PROBE_PREEMPTION,  /* asks an engine to stop, for `context` */
    PROBE_PACKET_KINDS
};

/* A job begins. */
struct probe_job {
    uint64_t number;
    const char *call; /* what a call is at, a static string; NULL: a packet */
    enum probe_packet_kind kind;
    uint32_t pid;              /* on whose behalf */
    uint32_t context;          /* of a packet, as announced by probe.context */
    uint32_t node;             /* likewise */
    const char *paging;        /* what a paging packet does (first), a static string, else NULL */
    uint32_t owner;            /* and whose memory that is */
    struct probe_label memory; /* and which */
    uint64_t bytes;            /* and how much, all of it */
};

/* One finished queue packet. */
struct probe_packet {
    uint64_t job;
    enum probe_packet_kind kind;
    uint32_t context; /* as announced by probe.context */
    uint32_t node;
    uint64_t queued_ns;    /* into the context's software queue */
    uint64_t placed_ns;    /* into the node's hardware queue (render, paging) */
    uint64_t started_ns;   /* on the engine, switch included */
    uint64_t finished_ns;  /* engine stopped */
    uint64_t completed_ns; /* completion processed by the scheduler */
    uint64_t execute_ns;   /* the packet's own engine time */
    uint64_t switch_ns;    /* context switch in front of it */
    uint32_t references;   /* allocations it names (render) */
    uint32_t hits;         /* of these, resident when it was submitted */
    bool dropped;          /* not run, or not to its end: its device is in error */
    uint32_t preemptions;  /* times it was taken off the engine before it was finished */
};

/* What became of a present: shown, dropped, or handed to the compositor. */
struct probe_present {
    uint32_t context, pid;
    uint64_t job; /* its packet's, which it stays until it is shown */
    uint64_t queued_ns;
    uint64_t missed; /* refreshes that had come since the one before it had been on long enough */
    bool flip;       /* for the display itself */
    bool dropped;    /* never shown: a newer one was ready before */
};

/* What became of an attempt to preempt an engine for a context: the reasons of the real scheduler
 * (D3DKMT_QUERYRESULT_PREEMPTION_ATTEMPT_RESULT, wddm.md §8.4), those that can occur here. */
enum probe_attempt {
    PROBE_ATTEMPT_SUCCESS,
    PROBE_ATTEMPT_NO_COMMAND,     /* the engine has nothing to be preempted */
    PROBE_ATTEMPT_NOT_ENABLED,    /* it cannot be preempted */
    PROBE_ATTEMPT_PAGING_COMMAND, /* it runs a paging packet */
    PROBE_ATTEMPT_PENDING_FLIP,   /* a flip waits for what it runs */
    PROBE_ATTEMPT_LESS_PRIORITY,
    PROBE_ATTEMPT_REMAINING_QUANTUM,
    PROBE_ATTEMPT_REMAINING_PREEMPTION_QUANTUM, /* or grace period */
    PROBE_ATTEMPT_ALREADY_PREEMPTING,
    PROBE_ATTEMPT_ALREADY_RUNNING, /* it runs the context itself */
    PROBE_ATTEMPTS
};

extern const char *const probe_attempt_names[PROBE_ATTEMPTS];

enum probe_paging_kind {
    PROBE_PAGE_IN,  /* system memory to segment */
    PROBE_PAGE_OUT, /* segment to system memory */
    PROBE_FILLED,   /* first page-in: zeroed in place, or taken as it is */
    PROBE_DISCARD,  /* dropped without a copy */
    PROBE_MAP_APERTURE,
    PROBE_UNMAP_APERTURE,
    PROBE_DEMOTE, /* memory segment to aperture */
    PROBE_PAGING_KINDS
};

extern const char *const probe_paging_names[PROBE_PAGING_KINDS];

/* One finished paging operation. */
struct probe_paging {
    enum probe_paging_kind kind;
    struct probe_label allocation;
    uint32_t pid; /* owner */
    uint64_t bytes;
    uint32_t from, to; /* segment ids, 0 = system memory */
    uint64_t job;      /* the packet that did it */
    uint64_t queued_ns, started_ns, finished_ns;
    const char *cause; /* static: "MakeResident", "submission", "eviction", "lock", ... */
    bool context_allocation;
};

/* An allocation that a submission names: a number of its own, from 1. */
struct probe_use {
    uint64_t bytes;
    uint32_t allocation;
};

/* A segment at one instant, the figures GPUView's users know. Bytes. */
struct probe_segment_state {
    uint64_t allocated; /* in use by some allocation */
    uint64_t marked;    /* of these, evictable now */
    uint64_t free;
    uint64_t largest_free;
    uint64_t largest_free_or_marked; /* largest contiguous stretch of free or evictable */
};

/* What the machine consists of; given once before anything happens. */
struct probe_machine {
    uint32_t adapters;
    uint32_t segments; /* ids 1..segments; [id - 1] */
    struct {
        const char *name; /* its own; an adapter's has no other of the same name */
        uint32_t adapter;
        uint64_t size_bytes;   /* capacity: size or commit limit */
        uint64_t budget_bytes; /* of it, what processes may require; 0: there are no budgets */
        bool aperture;
    } segment[PROBE_SEGMENTS_MAX];
    uint32_t nodes; /* 0..nodes-1 */
    struct {
        const char *name;
        const char *kind;
        uint32_t adapter;
    } node[PROBE_NODES_MAX];
    /* May be asked in `resident` and `committed`, in the model's thread, and behind the run. */
    void (*segment_state)(const void *model, uint32_t segment, struct probe_segment_state *state);
    const void *model;
};

enum probe_engine { PROBE_ENGINE_IDLE, PROBE_ENGINE_BUSY, PROBE_ENGINE_SWITCHING };

struct probe {
    void *self;
    uint64_t jobs;     /* begun so far */
    uint32_t contexts; /* announced so far */

    void (*machine)(void *self, const struct probe_machine *machine);
    void (*context)(void *self, uint32_t context, uint32_t pid, uint32_t node,
                    struct probe_label name, bool system);
    void (*call)(void *self, const struct probe_call *call);
    void (*packet)(void *self, uint64_t now_ns, const struct probe_packet *packet);
    /* May be NULL, all three. From now on `who` waits for `what`, or gets on with it if that is
     * nothing; `cause` is what a job's time is then blamed on. */
    void (*job)(void *self, uint64_t now_ns, const struct probe_job *job);
    void (*wait)(void *self, uint64_t now_ns, struct probe_thing who, enum probe_cause cause,
                 struct probe_thing what);
    /* What `who` has been waiting for since it last began to turns out to be this. */
    void (*found)(void *self, struct probe_thing who, struct probe_thing what);
    /* An engine changes what it does; `depth` packets are in its hardware queue, the running one
     * included, and `waiting` in software queues of its contexts. */
    void (*engine)(void *self, uint64_t now_ns, uint32_t node, enum probe_engine state,
                   uint32_t depth, uint32_t waiting);
    /* A packet of `to` was placed behind one of `from` (UINT32_MAX: none). `made` false: same
     * context again, the switch that laziness avoided (eager switching would have made it). */
    void (*context_switch)(void *self, uint64_t now_ns, uint32_t node, uint32_t from, uint32_t to,
                           bool made, uint64_t cost_ns);
    /* A context whose turn it is wants the engine for itself: whether it is preempted, or why not.
     */
    void (*attempt)(void *self, uint64_t now_ns, uint32_t node, uint32_t context,
                    enum probe_attempt result);
    /* The engine had not stopped for whoever wanted it, and was reset: `context` was running. May
     * be NULL. */
    void (*reset)(void *self, uint64_t now_ns, uint32_t node, uint32_t context);
    void (*paging)(void *self, const struct probe_paging *operation);
    /* A submission names these allocations, each once. And one that submissions have named is no
     * more: its number may be given to another. May be NULL, both. */
    void (*uses)(void *self, uint64_t now_ns, const struct probe_use *use, uint32_t count);
    void (*gone)(void *self, uint64_t now_ns, uint32_t allocation);
    /* Bytes that became (or ceased to be) resident in a segment for a process. */
    void (*resident)(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment, int64_t bytes);
    /* Bytes created (committed) or destroyed for a process, wherever they are. `segment` is the
     * first one the allocation may live in. */
    void (*committed)(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment, int64_t bytes);
    /* A context allocation: created, destroyed, became resident, stopped being resident. */
    void (*context_allocation)(void *self, uint64_t now_ns, uint32_t context, int created,
                               int resident);
    void (*present)(void *self, uint64_t now_ns, const struct probe_present *present);
    void (*link)(void *self, uint64_t now_ns, uint32_t adapter, bool into_adapter, bool busy);
    /* Something that the memory manager did: counted under `key` (static string). May be NULL. */
    void (*count)(void *self, const char *key, uint64_t count);
    /* Something was assumed, not known: counted under `key` (static string). */
    void (*assume)(void *self, const char *key, uint64_t count);
    void (*warn)(void *self, const char *message);
};

/* Gives the job its number and announces it. */
static inline uint64_t probe_begin(struct probe *probe, uint64_t now_ns, struct probe_job job)
{
    job.number = ++probe->jobs;
    if (probe->job)
        probe->job(probe->self, now_ns, &job);
    return job.number;
}

static inline void probe_wait(struct probe *probe, uint64_t now_ns, struct probe_thing who,
                              enum probe_cause cause, struct probe_thing what)
{
    if (probe->wait)
        probe->wait(probe->self, now_ns, who, cause, what);
}

static inline void probe_found(struct probe *probe, struct probe_thing who, struct probe_thing what)
{
    if (probe->found)
        probe->found(probe->self, who, what);
}

static inline struct probe_thing probe_thing(enum probe_thing_kind kind, uint64_t id)
{
    return (struct probe_thing){.kind = (uint64_t)kind & 0xff, .id = id & 0xffffffffffffffu};
}

#endif
