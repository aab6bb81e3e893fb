/* What a program's own tools record of its GPU: memory taken and given back, calls that queue work,
 * the work itself, copies, waits.
 *
 * Readers of such recordings (kineto, nsight, pytorch, gpgmm) hand activities over in whatever
 * order they stand in the file. When all are there they are joined (a launch and its kernel by
 * their correlation), put in order of time, and handed out as events of the vocabulary. Memory is
 * bounded however long the recording is, but for what is alive at the same time. */
#ifndef WDDMSIM_TRACES_ACTIVITY_H
#define WDDMSIM_TRACES_ACTIVITY_H

#include "traces/facts.h"
#include "traces/sorter.h"

enum activity_kind {
    ACTIVITY_LAUNCH,    /* a call that queued work; the correlation says which */
    ACTIVITY_KERNEL,    /* work on the GPU */
    ACTIVITY_FILL,      /* work: bytes set */
    ACTIVITY_COPY,      /* work: bytes moved from `from` to `to` */
    ACTIVITY_PACKET,    /* work: a packet of a WDDM context, which `engine` runs */
    ACTIVITY_MIGRATION, /* the same, moved by the system and not by a call */
    ACTIVITY_ALLOCATE,  /* bytes at address */
    ACTIVITY_FREE,      /* of address; bytes if known */
    ACTIVITY_HELD,      /* what is allocated when the recording ends */
    ACTIVITY_WAIT,      /* the thread waited for a stream */
    ACTIVITY_WAIT_LAST, /* it waited for the stream that it launched into last, as far as is known
                         */
    ACTIVITY_WAIT_ALL,  /* it waited for all streams */
    ACTIVITY_KINDS
};

/* Where a copy's bytes lie. Pinned memory is of the system, and known to the GPU. */
enum activity_memory {
    MEMORY_UNKNOWN,
    MEMORY_PAGEABLE,
    MEMORY_PINNED,
    MEMORY_DEVICE,
    MEMORY_KINDS
};

/* What memory was taken for, as far as that is known: what a driver places it by. */
enum activity_usage {
    USAGE_BUFFER,
    USAGE_UPLOAD,
    USAGE_READBACK,
    USAGE_TEXTURE,
    USAGE_RENDER_TARGET,
    USAGE_DEPTH,
    USAGE_HEAP,
    USAGES
};

/* Kernels, fills, and copies inside the adapter's memory compute; other copies leave or enter it.
 */
enum activity_engine {
    ENGINE_COMPUTE,
    ENGINE_COPY_IN,
    ENGINE_COPY_OUT,
    ENGINE_3D,
    ENGINE_COPY,
    ENGINE_VIDEO,
    ENGINES
};

/* Why the system moved something. */
enum activity_cause {
    CAUSE_NONE,
    CAUSE_PREFETCH,
    CAUSE_PAGE_FAULT,
    CAUSE_SPECULATION,
    CAUSE_EVICTION,
    CAUSE_ACCESS_COUNTERS,
    CAUSE_KINDS
};

/* `device` of a wait for whatever the process has under way. */
#define ACTIVITY_ANY_DEVICE UINT32_MAX

/* One activity. What does not apply is zero. */
struct activity {
    struct trace_sorted order; /* set here, not by the reader */
    uint64_t origin;           /* where in the file, for messages; orders what is simultaneous */
    int64_t start_ns;          /* on any clock, the same for all */
    uint64_t dur_ns;
    uint64_t bytes;
    uint64_t address;
    uint64_t correlation; /* the same for a launch and its work, unique in the file; 0: none */
    uint32_t pid;         /* 0: the recording's only process, or not known */
    uint32_t tid;
    uint32_t device, context, stream; /* of a packet, the halves of the context's handle */
    uint8_t kind;                     /* enum activity_kind */
    uint8_t from, to;                 /* enum activity_memory */
    uint8_t cause;                    /* enum activity_cause */
    uint8_t usage;                    /* enum activity_usage, of memory taken */
    /* Of work, once it is joined to its launch, which is done here; a packet brings it along. */
    int64_t called_ns;
    uint64_t call_dur_ns; /* 0: not known, or of several works with one launch not the first */
    uint64_t gpu_ns;      /* engine time */
    int64_t done_ns;      /* when whoever waits for it is told */
    uint8_t engine;       /* of a packet */
    bool unlaunched;      /* set here: its call is not recorded */
    bool observed;        /* of a copy or fill, set here: the second time, what it was seen to do */
};

/* Activities begin and end no farther than this from the zero of their clock, 126 years: readers
 * refuse what does as damage, and differences are never too large. */
#define ACTIVITY_FARTHEST_NS INT64_C(4000000000000000000)

static inline bool activity_in_time(int64_t start_ns, uint64_t dur_ns)
{
    return start_ns >= -ACTIVITY_FARTHEST_NS && start_ns <= ACTIVITY_FARTHEST_NS &&
           dur_ns <= (uint64_t)(ACTIVITY_FARTHEST_NS - start_ns);
}

struct activities;

/* NULL: out of memory. `places` writes where the activity of that origin stands into `place`, which
 * has room for it ("offset 1234"). */
struct activities *activities_create(void (*places)(void *self, uint64_t origin, char place[64]),
                                     void *self);
void activities_free(struct activities *activities);

/* Adds one. False: out of memory or of temporary space (activities_failure). */
bool activities_add(struct activities *activities, const struct activity *activity);

/* The process that owns work whose launch is not recorded. */
void activities_set_process(struct activities *activities, uint32_t pid);

/* Bytes that were allocated on a device at a time, by the account of the recording; the earliest
 * account counts. What of them is known by address stands for itself, one allocation for the rest.
 */
void activities_held_before(struct activities *activities, uint32_t device, int64_t at_ns,
                            uint64_t bytes);

/* What a call of this name (of the CUDA or HIP runtime or driver, with a version behind it or not)
 * is: ACTIVITY_LAUNCH, or one of the waits. `waits`: it is a launch, and then waits for it. */
enum activity_kind activity_of_call(const char *name, bool *waits);

/* Ends adding: joins, sorts, looks what was there before the first event; adds facts and what the
 * recording lacks. False: failed, as above. */
bool activities_finish(struct activities *activities, struct trace_facts *facts);

/* The next event; false at the end or after a failure. What it points to lives until the next
 * call. */
bool activities_next(struct activities *activities, struct trace_event *event);

/* Where the last event's activity stood; "" for what nobody recorded. */
const char *activities_place(struct activities *activities);

/* Once finished: whether there is nothing to hand out, and t 0 on the activities' clock. */
bool activities_empty(const struct activities *activities);
int64_t activities_start_ns(const struct activities *activities);

/* What failed, or NULL. */
const char *activities_failure(const struct activities *activities);

#endif
