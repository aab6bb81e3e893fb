/* What VidMm's files share among themselves. */
#ifndef WDDMSIM_VIDMM_INTERNAL_H
#define WDDMSIM_VIDMM_INTERNAL_H

#include "model/memory.h"
#include "model/status.h"
#include "model/vidmm/pages.h"
#include "model/vidmm/range.h"
#include "model/vidmm/victims.h"
#include "model/vidmm/vidmm.h"

#include <gsl/gsl_rng.h>
#include <uthash.h>

enum { VIDMM_PAGE = 4096 };

enum vidmm_state {
    VIDMM_OUT,       /* in system memory */
    VIDMM_PAGING_IN, /* room is reserved, content on its way */
    VIDMM_RESIDENT,
    VIDMM_EVICTING /* its room is given away, the content on its way out */
};

/* Once all that is queued for the allocation is over. */
enum vidmm_content {
    VIDMM_NOTHING,    /* never written, or dropped: a page-in is a fill */
    VIDMM_IN_SYSTEM,  /* the valid copy is in system memory */
    VIDMM_IN_SEGMENT, /* the valid copy is in the segment only */
    VIDMM_IN_BOTH     /* the segment's copy equals the system's: eviction needs no copy */
};

struct vidmm_allocation {
    struct vidmm *vidmm;
    uint64_t size; /* rounded up to pages */
    uint64_t alignment;
    uint32_t segments;
    uint8_t preferred[5], bank;
    bool from_end, overlay;
    bool contiguous, permanent_system_memory, context_allocation, needs_no_zeroing;
    bool borrowed; /* its pages are another allocation's, and committed there */
    void (*first_page_in)(void *owner); /* NULL: none, or it was */
    void *owner;
    bool dying;
    int64_t priority;
    enum vidmm_priority rank; /* its class */
    int64_t offered;          /* offer priority, 0 = not offered */
    bool discarded;           /* while offered */
    bool may_decommit, decommitted;
    uint32_t reclaims; /* an offer begun before the latest one has no effect */
    struct vidmm_process *process;
    uint32_t context;
    struct probe_label label;

    enum vidmm_state state;
    enum vidmm_content content;
    struct vidmm_segment *segment; /* where it is or goes to; NULL: nowhere */
    struct range_extent *extents;
    uint32_t in_flight;            /* operations queued for it and not over */
    struct vidmm_channel *channel; /* that has the last of them, in ... */
    uint64_t buffer;               /* ... its so many-th buffer */
    bool mapped;                   /* in its process's GPU virtual address space */
    uint32_t pins;                 /* packets, requests, the loaded context: not to be moved */
    uint32_t locks;                /* CPU mappings */
    bool host_mapped;              /* in its segment's CPU host aperture */
    uint32_t holds;                /* structures that point here */
    struct vidmm_residency *residencies, *trimmed;
    enum vidmm_group group; /* of the segment it likes best */
    /* If it is demand-paged, it is its blocks that lie somewhere, never itself; a block has pages.
     */
    struct vidmm_allocation **blocks;
    uint32_t block_count;
    struct vidmm_pages *pages;
    bool marked;
    bool counts; /* as its segment's range knows: as if it were free */
    bool stale;  /* its segment's range does not know whether it is marked */
    struct vidmm_allocation *stale_prev, *stale_next;
    struct vidmm_allocation *decommit_prev, *decommit_next; /* if it may be */
    struct vidmm_standing standing;               /* among those who may leave its segment */
    struct vidmm_allocation *all_prev, *all_next; /* all allocations */
};

/* An allocation on a device's residency list; or one that its user-mode driver trimmed, and takes
 * back when it is used. */
struct vidmm_residency {
    struct vidmm_device *device;
    struct vidmm_allocation *allocation;
    uint32_t count;
    bool listed;    /* in its device's list of missing ones */
    bool permanent; /* vidmm_device_require: not the program's to give up */
    uint64_t used;  /* when a submission named it */
    struct vidmm_residency *in_device_prev, *in_device_next;
    struct vidmm_residency *in_allocation_prev, *in_allocation_next;
    struct vidmm_residency *missing_prev, *missing_next; /* of its device, if listed */
};

/* The GPU-context allocations of one context. */
struct vidmm_context_memory {
    struct vidmm_allocation **items;
    uint32_t count;
    bool loaded; /* pinned: the engine has, or gets, the context's state */
    struct vidmm_context_memory *prev, *next; /* all contexts that have any */
};

struct vidmm_process {
    struct vidmm *vidmm;
    uint32_t pid;
    uint32_t members; /* its allocations and devices, and that something was said of it */
    uint32_t devices;
    struct vidmm_pool unwanted; /* its allocations that no device requires */
    enum vidmm_band band;
    enum vidmm_visibility visibility;
    bool stated; /* one of these is not the usual */
    double weight;
    uint64_t usage[VIDMM_GROUPS]; /* bytes its devices require */
    uint64_t kept[VIDMM_GROUPS];  /* of that, what it is entitled to */
    /* Periodic trims. */
    uint64_t trimmed_ns; /* the last one */
    uint64_t trimmed_at; /* uses there had been by then */
    bool active;         /* something was submitted since */
    bool idle_trimmed;   /* nothing had been since the one before */
    struct vidmm_process *prev, *next;
    UT_hash_handle hh;
};

struct vidmm_device {
    struct vidmm *vidmm;
    struct vidmm_device *prev, *next; /* all devices */
    struct vidmm_process *process;
    uint32_t running; /* packets from preparation to completion: the list must stay resident */
    uint64_t required_bytes;
    struct vidmm_pool wanted; /* what it alone requires */
    struct vidmm_residency *required, *trimmed;
    bool names_references;           /* its submissions say what they use */
    struct vidmm_residency *missing; /* required and not resident */
    uint32_t missing_count;
    uint32_t coming;       /* requests under way that bring all of it in */
    uint64_t turn_ends_ns; /* it was paged in: until then it stays and may run */
};

struct vidmm_segment {
    struct vidmm *vidmm;
    uint32_t id; /* 1.. */
    enum vidmm_group group;
    const struct profile_segment *profile;
    struct range range;
    uint64_t resident_bytes;
    uint64_t host_mapped_bytes; /* in the CPU host aperture */
    struct vidmm_line *filled[VIDMM_STAGES][VIDMM_PRIORITIES][VIDMM_LINES];
    uint64_t line_bytes[VIDMM_LINES]; /* resident, by the policy's lines */
    uint64_t remembered_bytes;        /* vidmm_remember: in all */
    uint64_t clock;                   /* the policy's */
    struct vidmm_allocation *stale;   /* marked or not since the state was last asked for */
    uint64_t marked_bytes;
    struct vidmm_vacating *vacating;
};

/* What an operation is about: an allocation moves, which is reported; its addresses are mapped or
 * unmapped; the driver writes to it where it is. */
enum vidmm_deed { VIDMM_MOVE, VIDMM_PAGE_TABLES, VIDMM_WRITE };

/* One paging operation (wddm.md §7.1), queued in a paging buffer. */
struct vidmm_operation {
    enum vidmm_deed deed;
    enum probe_paging_kind kind; /* of a move */
    struct vidmm_allocation *allocation;
    struct vidmm_request *request; /* on whose behalf */
    uint64_t bytes;
    uint32_t from, to;
    uint64_t queued_ns, started_ns;
    const char *cause;
    uint64_t job; /* as the probe knows it, once it has begun */
    struct vidmm_operation *next;
};

/* Room that is given away while a paging node has yet to move out what was there. Only kept where
 * there are several nodes. */
struct vidmm_vacating {
    uint64_t offset, size;
    struct vidmm_channel *channel;
    uint64_t buffer; /* the channel's so many-th */
    struct vidmm_vacating *prev, *next;
};

/* Operations that a paging node runs one after the other. */
struct vidmm_buffer {
    struct vidmm_channel *channel;
    struct vidmm_operation *operations, *last; /* the first one runs */
    uint64_t bytes;
    uint64_t passes; /* buffers that a single large operation takes */
    struct vidsch_packet packet;
    struct sim_transfer transfer;
    struct sim_timer timer;
};

/* A paging node with the system context that feeds it. */
struct vidmm_channel {
    struct vidmm *vidmm;
    struct vidsch_context *context;
    uint64_t submitted, completed; /* buffers */
    uint64_t awaits;               /* scratch: of another channel, by the buffer being submitted */
    struct vidsch_fence fence;     /* `completed`, for other nodes to wait for */
};

/* The thread that serves the paging queues. */
struct vidmm_worker {
    struct vidmm *vidmm;
    struct vidmm_request *requests;     /* of the paging queues, in order */
    struct vidmm_request *terminations; /* unmapping, served when there are no others */
    struct vidmm_request *request;      /* being served */
    struct vidmm_request *submitted;    /* served, and not yet passed by the nodes */
    struct vidmm_channel *channel;      /* that runs what it needs */
    struct vidmm_buffer *buffer;        /* being built, or NULL */
    uint64_t cpu_ns;                    /* worked and not yet spent */
    struct sim_timer timer;
    bool stepping;   /* go_on is at it further up the stack */
    bool busy;       /* the processor's time passes, then the buffer is submitted */
    bool concluding; /* and then the request's signal */
    bool waiting;    /* until something is let go of */
    struct vidmm_allocation **victims; /* to be evicted before room is looked for again */
    uint32_t victim_count, victim_next, victim_room;
    struct vidmm_drained *drained; /* who waits until it has nothing left to do */
};

/* Bytes of a group of segments. */
struct vidmm_group_budget {
    uint64_t available; /* to all processes together */
    uint64_t usage;     /* required by their devices */
    uint64_t kept;      /* of it, what each is entitled to */
};

struct vidmm {
    struct sim *sim;
    const struct profile *profile;
    struct vidsch *vidsch;
    struct probe *probe;
    struct probe_adapter adapter;
    struct vidmm *neighbour; /* those of a machine in a ring: system memory is theirs together */
    const struct vidmm_policy *policy;
    gsl_rng *random; /* the policy's */
    uint64_t stamps; /* given to those who stand in line */
    struct vidmm_pool offers, wanted_by_several;
    struct vidmm_process *processes, *process_of_pid;
    struct vidmm_group_budget groups[VIDMM_GROUPS];
    double weights;                  /* of all processes */
    uint64_t uses;                   /* of allocations, by submissions that name them */
    struct sim_timer trim, periodic; /* callbacks to come */
    uint64_t periodic_ns;            /* when, if it is pending */
    bool explicit_residency;         /* WDDM 2.0 */
    uint64_t committed_bytes;
    uint64_t allocation_count;
    struct vidmm_segment *segments; /* [id - 1] */
    struct vidmm_allocation *allocations;
    struct vidmm_device *devices;
    struct vidmm_context_memory *contexts;
    struct vidmm_worker worker;
    struct vidmm_channel *channels;
    uint32_t channel_count;
    uint32_t running;         /* packets from preparation to completion */
    uint64_t batches;         /* of faults */
    uint32_t on_link[2];      /* transfers under way in each direction */
    uint64_t prefetched_used; /* pages touched that came along, and not told yet */
    bool blocked;             /* the worker waits for room */
    uint32_t offered;         /* allocations that are */
    struct vidmm_allocation *decommittable;
    struct vidsch_packet **held; /* packets not prepared while the worker is blocked */
    uint32_t held_count, held_room;
    const char *failure; /* seen to go wrong, for vidmm_check; NULL: nothing */
    struct sim_timer kick;
    struct probe_thing let_go; /* who let go of something, or will when its turn ends */
    struct sim_timer turn;     /* end of a device's turn that the worker waits for */
    struct memory_pool residencies, allocation_pool, operations, buffers, waits, vacating;
};

static inline struct vidmm_segment *vidmm_segment(struct vidmm *vidmm, uint32_t id)
{
    return &vidmm->segments[id - 1];
}

/* The CPU reaches the allocation where it lies, so there it stays. In an aperture it reaches the
 * system's pages, whatever becomes of the GPU's mapping of them (wddm.md §5.6). */
static inline bool vidmm_locked_in_place(const struct vidmm_allocation *allocation)
{
    return allocation->locks && allocation->segment->profile->kind == PROFILE_MEMORY;
}

/* Marked: nothing holds the allocation where it is, it may go as soon as its room is wanted. Marks
 * come and go with every packet, and are asked for now and then: only then does the range of their
 * segment hear of those that have changed. */
static inline bool vidmm_is_marked(const struct vidmm_allocation *allocation)
{
    return allocation->state == VIDMM_RESIDENT && !allocation->pins &&
           !vidmm_locked_in_place(allocation) && !allocation->overlay &&
           (!allocation->residencies || allocation->offered);
}

void vidmm_mark(struct vidmm_allocation *allocation, bool marked);
void vidmm_list_stale(struct vidmm_allocation *allocation);
void vidmm_unlist_stale(struct vidmm_allocation *allocation);

/* Behind every change of what vidmm_is_marked looks at. */
static inline void vidmm_remark(struct vidmm_allocation *allocation)
{
    bool marked = vidmm_is_marked(allocation);
    if (marked != allocation->marked)
        vidmm_mark(allocation, marked);
    vidmm_restand(allocation);
}

/* The allocation enters or leaves the state in which it counts as resident. */
void vidmm_became_resident(struct vidmm_allocation *allocation);
void vidmm_ceases_resident(struct vidmm_allocation *allocation);

/* The device's claim on the allocation, or NULL. */
struct vidmm_residency *vidmm_residency_of(const struct vidmm_device *device,
                                           const struct vidmm_allocation *allocation);

/* A segment's id as the probe knows it; 0 stays system memory. */
static inline uint32_t vidmm_probe_segment(const struct vidmm *vidmm, uint32_t id)
{
    return id ? vidmm->adapter.first_segment + id : 0;
}

static inline struct probe_thing vidmm_pager(const struct vidmm *vidmm)
{
    return probe_thing(PROBE_PAGER, vidmm->adapter.number);
}

/* The segment it likes best. */
uint32_t vidmm_first_segment(const struct vidmm_allocation *allocation);

/* The allocation's pages of system memory, unless they are borrowed, are committed, or not any
 * more. */
void vidmm_commit(struct vidmm_allocation *allocation, bool more);

/* The allocation is not offered any more. */
void vidmm_offer_end(struct vidmm_allocation *allocation);

/* Whether so many bytes more of system memory may be committed: for that, pages of offered
 * allocations are given up. */
bool vidmm_commit_room(struct vidmm *vidmm, uint64_t bytes);

/* What leaves with it when it leaves its segment. */
static inline uint64_t vidmm_bytes_here(const struct vidmm_allocation *allocation)
{
    return allocation->pages ? vidmm_page_count(&allocation->pages->here) * (uint64_t)VIDMM_PAGE
                             : allocation->size;
}

/* What of it moves by itself: its blocks, or it. */
static inline uint32_t vidmm_part_count(const struct vidmm_allocation *allocation)
{
    return allocation->blocks ? allocation->block_count : 1;
}

static inline struct vidmm_allocation *vidmm_part(struct vidmm_allocation *allocation, uint32_t i)
{
    return allocation->blocks ? allocation->blocks[i] : allocation;
}

/* Its state, or that it is offered, has changed: it is missing to those who require it, or not. */
void vidmm_relist(struct vidmm_allocation *allocation);

/* From now on the GPU may write it: NotWrittenTo, said of the time before, no longer holds. */
void vidmm_may_be_written(struct vidmm_allocation *allocation);

/* Starts paging in those of the items that are not resident; STATUS_SUCCESS if all are. */
uint32_t vidmm_page_in(struct vidmm_device *device, struct vidmm_allocation *const *items,
                       uint32_t count, const char *cause, struct vidmm_request *request);

/* It is no longer in its segment's CPU host aperture, if it was (cpu-access.c). */
void vidmm_unmap_from_host(struct vidmm_allocation *allocation);

/* Gives back its room and forgets its segment. */
void vidmm_leave_segment(struct vidmm_allocation *allocation);

/* Tries the segments in order of preference for free room; reserves it. */
bool vidmm_place(struct vidmm_allocation *allocation);

/* With a throttle: whether it lies where it does not like to be, and a request that has moved so
 * much may move it to where it does. */
bool vidmm_may_be_promoted(const struct vidmm_allocation *allocation, uint64_t moved_bytes);

/* A device with packets under way requires it. */
bool vidmm_required_by_running(const struct vidmm_allocation *allocation);

/* Whether what it holds would be lost if it left its segment without a copy. */
static inline bool vidmm_needs_copy(const struct vidmm_allocation *allocation)
{
    return allocation->content == VIDMM_IN_SEGMENT && !allocation->offered && !allocation->dying &&
           !allocation->permanent_system_memory;
}

/* Whether what the device requires may be taken for `other`: it neither runs nor is being brought
 * in, and its turn is over. */
static inline bool vidmm_device_yields(const struct vidmm_device *device,
                                       const struct vidmm_device *other)
{
    return device != other && !device->running && !device->coming &&
           device->turn_ends_ns <= sim_now(device->vidmm->sim);
}

/* Whether the allocation may be sent away for `device`; `idle_devices`: also what others require
 * that do not run. */
bool vidmm_evictable(const struct vidmm_allocation *allocation, const struct vidmm_device *device,
                     bool idle_devices);

/* Chooses victims for the worker's request so that the allocation may fit, or places it in a
 * segment it likes less; false: neither is possible. */
bool vidmm_choose_victims(struct vidmm_worker *worker, struct vidmm_allocation *allocation);

/* Queues a request for the worker. */
void vidmm_request_start(struct vidmm *vidmm, struct vidmm_request *request);

/* Something was let go of, by that: who waits looks again. */
void vidmm_kick(struct vidmm *vidmm, struct probe_thing by);

/* The process; made if nobody asked for it before. leave: one member less. */
struct vidmm_process *vidmm_process_join(struct vidmm *vidmm, uint32_t pid);
void vidmm_process_leave(struct vidmm_process *process);
void vidmm_process_free(struct vidmm_process *process);
struct vidmm_process *vidmm_process_of(const struct vidmm *vidmm, uint32_t pid); /* NULL: none */

/* Its devices, band or visibility have changed. */
void vidmm_process_reweigh(struct vidmm_process *process);

enum vidmm_group vidmm_segment_group(const struct profile_segment *segment);
void vidmm_budgets_init(struct vidmm *vidmm);
void vidmm_trim_init(struct vidmm *vidmm);
void vidmm_umd_init(struct vidmm *vidmm);

/* A process submits something: if what was trimmed when it was told was not enough, because its
 * work needed the rest, it is told again. */
void vidmm_still_over_budget(struct vidmm *vidmm);

/* Some device has come to require the allocation, or none does any more. */
void vidmm_charge(struct vidmm_allocation *allocation, bool more);

/* Bytes that the process requires beyond its budget. */
uint64_t vidmm_over_budget(const struct vidmm_process *process, enum vidmm_group group);

/* The user-mode driver of the process evicts what it used least recently: bytes given back. */
uint64_t vidmm_umd_trim(const struct vidmm_process *process, enum vidmm_group group,
                        uint64_t bytes);
/* A submission of the device names these. */
void vidmm_umd_use(struct vidmm_device *device, struct vidmm_allocation *const *items,
                   uint32_t count);

/* Off the list, and back: false, if it was not trimmed there. */
void vidmm_residency_trim(struct vidmm_residency *residency);
bool vidmm_residency_restore(struct vidmm_device *device, struct vidmm_allocation *allocation);

/* Something that summaries count. */
static inline void vidmm_count(struct vidmm *vidmm, const char *key, uint64_t count)
{
    if (vidmm->probe->count)
        vidmm->probe->count(vidmm->probe->self, key, count);
}

void vidmm_worker_init(struct vidmm *vidmm);

/* Requests under way are nobody's in particular any more: the device goes. */
void vidmm_worker_forget(const struct vidmm_device *device);
void vidmm_worker_fini(struct vidmm *vidmm);

/* Somebody begins to move something over the link, or has moved it. */
void vidmm_link(struct vidmm *vidmm, enum sim_direction direction, bool busy);

/* The transfer of that job is over: how much of it was another's doing, on the same link. */
void vidmm_tell_losses(struct vidmm *vidmm, const struct sim_transfer *transfer,
                       struct probe_thing who);

/* How many operations of DxgkDdiBuildPagingBuffer it takes, and the bytes it adds to a buffer. */
uint32_t vidmm_operation_builds(const struct vidmm *vidmm, const struct vidmm_operation *operation);
uint64_t vidmm_operation_bytes(const struct vidmm *vidmm, const struct vidmm_operation *operation);

/* A buffer for the channel's node; it frees itself when it has been run. */
struct vidmm_buffer *vidmm_buffer_new(struct vidmm_channel *channel);
void vidmm_buffer_add(struct vidmm_buffer *buffer, const struct vidmm_operation *operation);
void vidmm_buffer_submit(struct vidmm_buffer *buffer);

/* The allocation is about to leave its segment by an operation of this buffer. */
void vidmm_buffer_vacates(const struct vidmm_buffer *buffer,
                          const struct vidmm_allocation *allocation);

/* One operation of those queued for the allocation is over. */
void vidmm_arrived(struct vidmm_allocation *allocation);

void vidmm_context_memory_free(struct vidmm *vidmm, struct vidmm_context_memory *context);

/* What the worker's processor time is for a batch of faults, and for a block in it of which so many
 * bytes come in. */
uint64_t vidmm_batch_ns(const struct vidmm *vidmm);
uint64_t vidmm_fault_ns(struct vidmm_allocation *block, uint64_t bytes);

/* Its items come in, and are pinned until it is over. */
static inline bool vidmm_brings_in(const struct vidmm_request *request)
{
    return request->kind == VIDMM_PAGE_IN || request->kind == VIDMM_FAULT;
}

/* The hooks for VidSch. */
uint64_t vidmm_touch(struct vidsch_packet *packet);
void vidmm_serve(struct vidsch_packet *packet);
bool vidmm_prepare(void *vidmm, struct vidsch_packet *packet);
void vidmm_release(void *vidmm, struct vidsch_packet *packet);
void vidmm_unload(void *vidmm, struct vidsch_context *context);

#endif
