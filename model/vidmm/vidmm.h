/* VidMm, the video memory manager: segments, allocations, residency, paging.
 *
 * An allocation lives in system memory (segment 0) or in one segment. What must be resident is
 * decided by the device's residency list (WDDM 2.0) or by each submission's own list (WDDM 1.2).
 * One worker serves requests in order: it finds room, evicting the policy's victims, builds paging
 * buffers for the paging nodes, and goes on; a request is done when its node has run them. */
#ifndef WDDMSIM_VIDMM_H
#define WDDMSIM_VIDMM_H

#include "model/vidsch/vidsch.h"

struct vidmm;
struct vidmm_allocation;
struct vidmm_device;

/* DXGK_SEGMENTPREFERENCE and DXGK_SEGMENTBANKPREFERENCE (wddm.md §6.1): an id, and from which end.
 */
enum {
    VIDMM_SEGMENT_ID = 0x1f,
    VIDMM_FROM_END = 0x20,
    VIDMM_BANK = 0x7f,
    VIDMM_BANK_FROM_TOP = 0x80
};

/* What VidMm needs to know of an allocation: DXGK_ALLOCATIONINFO as far as it is obeyed. */
struct vidmm_allocation_info {
    uint64_t size;                /* bytes, rounded up to a page */
    uint64_t alignment;           /* bytes, 0 = a page */
    uint32_t segments;            /* supported set: bit n = segment n + 1 */
    uint8_t preferred[5];         /* segments in order of preference; 0 ends the list */
    uint8_t bank;                 /* of the first one, VIDMM_BANK; 0: any */
    bool from_end;                /* FromEndOfSegment */
    bool overlay;                 /* Overlay, Capture: in the last fifth, and there it stays */
    bool contiguous;              /* AccessedPhysically: in one piece within its segment */
    bool permanent_system_memory; /* PermanentSysMem: the system copy stays valid */
    bool demand_paged;     /* where it may be in a memory segment, it comes when it is touched */
    bool needs_no_zeroing; /* AllowNotZeroed: the first page-in need not fill */
    bool borrowed;    /* its pages are those of another adapter's allocation, and committed there */
    bool has_content; /* backed by memory that holds something already (ExistingSysMem) */
    int64_t priority;
    uint32_t pid;
    struct probe_label label; /* text is copied */
    bool context_allocation;  /* save area or other allocation of a context */
    uint32_t context;         /* its id */
    /* Called once, when it has first been paged in. May be NULL. */
    void (*first_page_in)(void *owner);
    void *owner;
};

struct vidmm *vidmm_create(struct sim *sim, const struct profile *profile, struct vidsch *vidsch,
                           struct probe *probe);
void vidmm_destroy(struct vidmm *vidmm);

/* Another adapter of the machine: what both have in system memory counts against its size. To be
 * said before there are allocations. */
void vidmm_join(struct vidmm *vidmm, struct vidmm *other);

/* Starts the random numbers that a victim policy may draw: the same seed, the same victims. */
void vidmm_seed(struct vidmm *vidmm, uint64_t seed);

/* The state of a segment, for probe_machine. */
void vidmm_segment_state(const void *vidmm, uint32_t segment, struct probe_segment_state *state);

/* Bytes of it that processes may require, all together; 0: as much as they like. */
uint64_t vidmm_segment_budget(const struct vidmm *vidmm, uint32_t segment);

/* Creates an allocation without content, resident nowhere. STATUS_SUCCESS,
 * STATUS_INVALID_PARAMETER (no usable segment, alignment not a power of two),
 * STATUS_GRAPHICS_NO_VIDEO_MEMORY (larger than every supported segment), STATUS_NO_MEMORY (commit
 * limit of system memory). */
uint32_t vidmm_allocation_create(struct vidmm *vidmm, const struct vidmm_allocation_info *info,
                                 struct vidmm_allocation **allocation);

/* Frees the allocation; its content is dropped. Packets and paging under way still hold it and
 * delay the end. */
void vidmm_allocation_destroy(struct vidmm_allocation *allocation);

/* The allocation existed before the recording: taken to be resident where it likes best, if there
 * is room without evicting anything. */
void vidmm_allocation_assume_resident(struct vidmm_allocation *allocation);

/* Live allocations, and the bytes they commit. */
uint64_t vidmm_allocations(const struct vidmm *vidmm);
uint64_t vidmm_committed(const struct vidmm *vidmm);

uint64_t vidmm_allocation_size(const struct vidmm_allocation *allocation);
struct probe_label vidmm_allocation_label(const struct vidmm_allocation *allocation);
uint32_t vidmm_allocation_segment(const struct vidmm_allocation *allocation); /* 0: not resident */
void vidmm_allocation_set_priority(struct vidmm_allocation *allocation, int64_t priority);

/* When it is used next, for the policy that knows the future: dates are the caller's, UINT64_MAX
 * never. Said before each use of it, and at its creation. */
void vidmm_foresee(struct vidmm_allocation *allocation, uint64_t next_use);

/* Keeps the memory of the structure alive for a packet. */
void vidmm_allocation_hold(struct vidmm_allocation *allocation);
void vidmm_allocation_drop(struct vidmm_allocation *allocation);

/* What a call or a packet asks VidMm's worker for; embedded there. */
enum vidmm_request_kind {
    VIDMM_PAGE_IN,
    VIDMM_PAGE_OUT,
    VIDMM_MAP,    /* GPU virtual addresses */
    VIDMM_FAULT,  /* what a packet touched on its engine: a batch */
    VIDMM_UPDATE, /* the driver writes to a context allocation */
    VIDMM_UNMAP,  /* of terminated allocations */
    VIDMM_FLUSH   /* all that was submitted before */
};

struct vidmm_request {
    enum vidmm_request_kind kind;
    struct vidmm_device *device;     /* for whom; NULL: nobody in particular */
    bool in_place;                   /* what is there stays where it is */
    bool whole_device;               /* and all else that the device requires by then */
    struct vidmm_allocation **items; /* `one`, or a list that VidMm frees */
    struct vidmm_allocation *one;
    uint32_t count, next_item;
    const char *cause;   /* static, for paging.csv */
    struct blame *blame; /* of whoever waits; may be NULL */
    uint32_t status;     /* STATUS_NO_MEMORY if something found no room */
    uint64_t queued_ns;
    void (*done)(void *owner, struct vidmm_request *request);
    void *owner;
    struct vidmm_request *prev, *next;

    /* VidMm's own. */
    struct vidmm *vidmm;
    bool taken;                   /* by the worker, once */
    uint64_t moved_bytes;         /* in and out */
    uint64_t channels;            /* whose work the signal has to wait for */
    struct vidsch_barrier signal; /* the paging fence */
};

/* Memory segment groups (wddm.md §5.4), and what is known of a process (§6.4). */
enum vidmm_group { VIDMM_LOCAL, VIDMM_NON_LOCAL, VIDMM_GROUPS, VIDMM_NO_GROUP = VIDMM_GROUPS };
enum vidmm_band { VIDMM_BAND_DWM, VIDMM_BAND_FOCUS, VIDMM_BAND_NORMAL };
enum vidmm_visibility { VIDMM_MINIMIZED, VIDMM_OCCLUDED, VIDMM_VISIBLE };

void vidmm_process_set_state(struct vidmm *vidmm, uint32_t pid, enum vidmm_band band,
                             enum vidmm_visibility visibility);
/* What was said of the process is forgotten. */
void vidmm_process_exit(struct vidmm *vidmm, uint32_t pid);

/* D3DKMTQueryVideoMemoryInfo. Bytes. */
struct vidmm_video_memory {
    uint64_t budget, usage;
};
void vidmm_video_memory(struct vidmm *vidmm, uint32_t pid, enum vidmm_group group,
                        struct vidmm_video_memory *info);

/* A device's residency list. */
struct vidmm_device *vidmm_device_create(struct vidmm *vidmm, uint32_t pid);
void vidmm_device_destroy(struct vidmm_device *device); /* no packets may be pending */

enum {
    VIDMM_CANT_TRIM_FURTHER = 1,
    VIDMM_MUST_SUCCEED = 2,
    VIDMM_EXISTING = 0x100, /* ours: it was so before, nothing is paged if there is room */
    VIDMM_TRIMS = 0x200     /* ours: over budget, the user-mode driver trims and insists */
};

/* D3DKMTMakeResident (wddm.md §6.3): raises each allocation's count on the device. STATUS_SUCCESS:
 * all are resident; STATUS_PENDING: `request` (filled in: blame, done, owner by the caller) is
 * under way; STATUS_NO_MEMORY: the process would require more than its budget, or the device more
 * than the segments hold; nothing changed, *bytes_to_trim says by how much. On WDDM 1.2 it only
 * states intent: STATUS_SUCCESS. */
uint32_t vidmm_make_resident(struct vidmm_device *device, struct vidmm_allocation *const *items,
                             uint32_t count, uint32_t flags, struct vidmm_request *request,
                             uint64_t *bytes_to_trim);

/* D3DKMTEvict: lowers the counts. `not_written`: the content need not be copied out.
 * STATUS_INVALID_PARAMETER if one of them is not on the list (nothing changed). The caller says
 * with vidmm_evict_settle when the work queued before is over: then what is at 0 leaves the list
 * and may be evicted when room is needed (wddm.md §6.3). */
uint32_t vidmm_evict(struct vidmm_device *device, struct vidmm_allocation *const *items,
                     uint32_t count, bool not_written);

void vidmm_evict_settle(struct vidmm_device *device, struct vidmm_allocation *allocation);

/* The device closes the allocation: whatever its count, it leaves the list. */
void vidmm_device_close(struct vidmm_device *device, struct vidmm_allocation *allocation);

/* A device-context allocation: on the device's list as long as it lives, whatever the WDDM version
 * (wddm.md §4.2: resident whenever any context of the device is scheduled). */
void vidmm_device_require(struct vidmm_device *device, struct vidmm_allocation *allocation);

/* A GPU-context allocation: resident before a packet of the context enters the hardware queue, and
 * until a packet of another context is placed behind it. */
void vidmm_context_add(struct vidsch_context *context, struct vidmm_allocation *allocation);
void vidmm_context_remove(struct vidsch_context *context, struct vidmm_allocation *allocation);

/* Whether a submission with these references could ever be prepared. */
bool vidmm_fits(struct vidmm *vidmm, struct vidmm_allocation *const *items, uint32_t count);

/* A submission of the device names these: how many of them are resident. */
uint32_t vidmm_reference(struct vidmm_device *device, struct vidmm_allocation *const *items,
                         uint32_t count);

/* Of a submission some references of which are demand-paged: those come page by page as the engine
 * touches them, one reference after the other, all of each; `writes_from`: from this one on they
 * are written. Sets the packet's touches, or none if nothing is; freed by vidmm_touches_end when
 * the packet is complete. */
void vidmm_touches_begin(struct vidmm *vidmm, struct vidsch_packet *packet, uint32_t writes_from);
void vidmm_touches_end(struct vidsch_packet *packet);

/* CPU access (Lock2). True: possible at once. False: the content must leave its segment first;
 * `request` is under way. */
bool vidmm_lock(struct vidmm_device *device, struct vidmm_allocation *allocation,
                struct vidmm_request *request);
/* STATUS_INVALID_PARAMETER if it was not locked. */
uint32_t vidmm_unlock(struct vidmm_allocation *allocation);

/* Offered content may be dropped; the lowest priority goes first. An offer begins with the call and
 * takes effect when the work queued before is over, unless it was reclaimed meanwhile. Reclaim
 * pages in what the device still requires (STATUS_PENDING); whether content was dropped is counted.
 */
struct vidmm_offer {
    int64_t priority;  /* 1 to 4 */
    bool may_decommit; /* its pages of system memory may be given up, too */
};
uint32_t vidmm_offer_begin(const struct vidmm_allocation *allocation);
void vidmm_offer(struct vidmm_allocation *allocation, struct vidmm_offer offer, uint32_t begun);
uint32_t vidmm_reclaim(struct vidmm_device *device, struct vidmm_allocation *const *items,
                       uint32_t count, struct vidmm_request *request);

/* D3DKMTMapGpuVirtualAddress (WDDM 2): the worker writes the page tables. */
void vidmm_map(struct vidmm_allocation *allocation, struct vidmm_request *request);

/* DXGK_OPERATION_UPDATE_CONTEXT_ALLOCATION: the driver writes to the allocation where it is, by way
 * of the paging process's scratch area (wddm.md §4.4). `request` as with vidmm_terminate. */
void vidmm_update(struct vidmm_allocation *allocation, struct vidmm_request *request);

/* A device's work that could touch these allocations is over, and it has terminated them: they
 * leave its residency list and its process's address space; those that are `last`, nobody else's,
 * leave their segment, too, without a copy. `request` (done, owner, blame, cause by the caller) is
 * over when the paging node has passed it. False: there is nothing to do, and nothing was queued.
 */
bool vidmm_terminate(struct vidmm_device *device, struct vidmm_allocation *const *items,
                     const bool *last, uint32_t count, struct vidmm_request *request);

/* Everything that was submitted to the paging nodes before is over when `request` is. */
void vidmm_flush(struct vidmm *vidmm, struct vidmm_request *request);

/* Waits until the worker has nothing left to do; `drained` is called once, maybe at once. */
struct vidmm_drained {
    void (*drained)(void *owner);
    void *owner;
    struct vidmm_drained *prev, *next;
};
void vidmm_await_drained(struct vidmm *vidmm, struct vidmm_drained *waiter);

/* Verifies VidMm's invariants; NULL, or what is wrong. */
const char *vidmm_check(const struct vidmm *vidmm);

#endif
