/* Dxgkrnl's object layer and the D3DKMT calls.
 *
 * A call takes effect when it is made; then its CPU time passes, or what it waits for happens, and
 * it returns. Its asynchronous part, if it has one, is done when the packet completes, the paging
 * fence is signalled, or the deferred destruction is over.
 *
 * Every call answers its NTSTATUS when it is made, though to the thread that made it the answer
 * comes with the return: by then `call` may be finished and gone. */
#ifndef WDDMSIM_DXGKRNL_H
#define WDDMSIM_DXGKRNL_H

#include "model/ddi.h"
#include "model/dxgkrnl/fault.h"
#include "model/vidmm/vidmm.h"
#include "model/vidsch/vidsch.h"

#include <stdio.h>

struct dxgkrnl;
struct dxgk_process;

/* D3DKMT_HANDLE: valid in its process only; 0 is no handle. */
typedef uint32_t d3dkmt_handle;

/* With the machine's first adapter; what is the machine's own is the first profile's. */
struct dxgkrnl *dxgkrnl_create(struct sim *sim, const struct profile *profile,
                               struct vidsch *vidsch, struct vidmm *vidmm,
                               const struct dxgkddi *ddi, struct probe *probe);
/* One adapter more. `ddi` is its own miniport's. */
void dxgkrnl_add_adapter(struct dxgkrnl *dxgkrnl, const struct profile *profile,
                         struct vidsch *vidsch, struct vidmm *vidmm, const struct dxgkddi *ddi);
/* Starts the miniports: they are told what their adapter has and what they may call back. To be
 * done first; answers what the first one does that fails. */
uint32_t dxgkrnl_start_device(struct dxgkrnl *dxgkrnl);
/* Removes the miniport, too, whether it was started or not. NULL is allowed. */
void dxgkrnl_destroy(struct dxgkrnl *dxgkrnl);

struct dxgk_process *dxgkrnl_process(struct dxgkrnl *dxgkrnl, uint32_t pid);

/* From now on the fault's step fails at its Nth time. */
void dxgkrnl_order_fault(struct dxgkrnl *dxgkrnl, const struct dxgk_fault *fault);

/* How often each step was reached since the first order. */
void dxgkrnl_reached(const struct dxgkrnl *dxgkrnl, uint64_t reached[DXGK_STEP_COUNT]);

/* Writes all objects, handles and bytes: equal texts, equal states. */
void dxgkrnl_dump(const struct dxgkrnl *dxgkrnl, FILE *out);

/* A call under way. The caller zeroes it, sets the callbacks and owner, and may read the rest. */
struct d3dkmt_call {
    struct dxgkrnl *dxgkrnl;
    const char *op; /* a static string, for the probe; NULL is allowed */
    uint32_t status;
    bool answered; /* its status is known; CPU time may still have to pass */
    bool returned;
    bool asynchronous; /* has a part that outlives the return */
    uint32_t pending;  /* the return and the asynchronous part: 0 = finished */
    uint64_t start_ns, return_ns, done_ns;
    const struct profile_cost *cost;
    uint64_t charged_ns; /* CPU time of the steps made so far */
    uint64_t locked_ns;  /* of it, waiting for another call's step */
    struct blame blame;  /* start to done, or to return if nothing is asynchronous */
    /* The call has returned: its thread is free. */
    void (*on_return)(void *owner, struct d3dkmt_call *call);
    /* Returned and done: nothing of Dxgkrnl's points to the call any more. */
    void (*on_finish)(void *owner, struct d3dkmt_call *call);
    void *owner;
    /* For a victim policy that knows the future: when each allocation that the call names is used
     * next (vidmm_foresee). Valid while the call is made; NULL: nobody knows. */
    const uint64_t *next_uses;

    /* Dxgkrnl's own. */
    bool (*may_return)(struct d3dkmt_call *call); /* NULL, or false: waits on */
    uint32_t updates;                             /* of context allocations, that it waits for */
    bool updating;                                /* the first of them is under way */
    struct dxgk_device *at_stake;                 /* in error if the call's paging fails; or NULL */
    struct sim_timer timer;
    struct vidmm_request request;
    struct vidsch_barrier barrier;
    struct vidsch_waiter waiter;
    struct vidsch_packet packet;
    void *extra; /* freed with the call */
    uint32_t extra_count;
};

/* Devices and contexts. */
uint32_t d3dkmt_create_device(struct dxgk_process *process, struct d3dkmt_call *call,
                              uint64_t adapter, bool system, d3dkmt_handle *device);
uint32_t d3dkmt_destroy_device(struct dxgk_process *process, struct d3dkmt_call *call,
                               d3dkmt_handle device);
/* What a page fault or a timeout leads to: the device answers STATUS_DEVICE_REMOVED from now on. */
uint32_t d3dkmt_mark_device_as_error(struct dxgk_process *process, struct d3dkmt_call *call,
                                     d3dkmt_handle device);
/* Not a call of the process, though it looks like one: the adapter is gone. What needs it answers
 * STATUS_DEVICE_REMOVED, destroying still works (wddm.md §3.4). Work that is queued runs to its
 * end. STATUS_INVALID_PARAMETER: there is no such adapter. */
uint32_t dxgk_remove_adapter(struct dxgk_process *process, struct d3dkmt_call *call,
                             uint64_t adapter);

/* No call either: the system takes note of where the process is on the screen. */
uint32_t dxgk_set_process_state(struct dxgk_process *process, struct d3dkmt_call *call,
                                enum vidmm_band band, enum vidmm_visibility visibility);

struct d3dkmt_create_context {
    d3dkmt_handle device;
    uint32_t node;
    int32_t priority;    /* -7..7 */
    int32_t in_process;  /* -7..7, within its process */
    uint64_t quantum_ns; /* its own; 0: its band's */
    bool system;
    bool existing; /* was there before the recording: its memory is resident already */
    struct probe_label label;
    d3dkmt_handle context; /* out */
};
uint32_t d3dkmt_create_context(struct dxgk_process *process, struct d3dkmt_call *call,
                               struct d3dkmt_create_context *args);
uint32_t d3dkmt_destroy_context(struct dxgk_process *process, struct d3dkmt_call *call,
                                d3dkmt_handle context);
/* NULL leaves a priority as it is. */
uint32_t d3dkmt_set_context_scheduling_priority(struct dxgk_process *process,
                                                struct d3dkmt_call *call, d3dkmt_handle context,
                                                const int32_t *priority, const int32_t *in_process);
/* The process' class, and the band that the window manager puts it in; NULL leaves it as it is. */
uint32_t d3dkmt_set_process_scheduling_priority(struct dxgk_process *process,
                                                struct d3dkmt_call *call,
                                                const enum vidsch_class *class,
                                                const enum vidsch_band *band);

/* D3DKMT_CREATEALLOCATIONFLAGS (wddm.md §1.3); RULES.md says what each does. */
enum d3dkmt_create_allocation_flags {
    D3DKMT_CREATE_RESOURCE = 1 << 0,
    D3DKMT_CREATE_SHARED = 1 << 1,
    D3DKMT_NON_SECURE = 1 << 2,
    D3DKMT_CREATE_PROTECTED = 1 << 3,
    D3DKMT_RESTRICT_SHARED_ACCESS = 1 << 4,
    D3DKMT_EXISTING_SYSMEM = 1 << 5,
    D3DKMT_NT_SECURITY_SHARING = 1 << 6,
    D3DKMT_READ_ONLY = 1 << 7,
    D3DKMT_CREATE_WRITE_COMBINED = 1 << 8,
    D3DKMT_CREATE_CACHED = 1 << 9,
    D3DKMT_SWAP_CHAIN_BACK_BUFFER = 1 << 10,
    D3DKMT_CROSS_ADAPTER = 1 << 11,
    D3DKMT_OPEN_CROSS_ADAPTER = 1 << 12,
    D3DKMT_PARTIAL_SHARED_CREATION = 1 << 13,
    D3DKMT_ZEROED = 1 << 14,
    D3DKMT_WRITE_WATCH = 1 << 15,
    D3DKMT_STANDARD_ALLOCATION = 1 << 16,
    D3DKMT_EXISTING_SECTION = 1 << 17,
    D3DKMT_ALLOW_NOT_ZEROED = 1 << 18,
    D3DKMT_PHYSICALLY_CONTIGUOUS = 1 << 19,
    D3DKMT_NO_KMD_ACCESS = 1 << 20,
    D3DKMT_SHARED_DISPLAYABLE = 1 << 21,
    D3DKMT_NO_IMPLICIT_SYNCHRONIZATION = 1 << 22
};

/* D3DDDI_ALLOCATIONINFO2.Flags. */
enum { D3DDDI_PRIMARY = 1, D3DDDI_STEREO = 2, D3DDDI_OVERRIDE_PRIORITY = 4 };

/* D3DDDI_ALLOCATIONINFO2 (wddm.md §1.2). */
struct d3dkmt_allocation_info {
    d3dkmt_handle allocation; /* out; means nothing after a failure */
    uint64_t system_memory;   /* pSystemMem, or hSection with ExistingSection; 0: none */
    struct dxgk_private_data private_data;
    uint32_t flags;               /* Primary, Stereo, OverridePriority */
    uint32_t vidpn_source;        /* of a primary */
    int64_t priority;             /* with OverridePriority */
    uint64_t gpu_virtual_address; /* out: 0, the system assigns none: the user-mode driver maps */
    struct probe_label label;
};

/* D3DKMT_STANDARDALLOCATIONTYPE. */
enum { D3DKMT_EXISTING_HEAP = 1, D3DKMT_STANDARD_CROSS_ADAPTER = 2 };

/* D3DKMT_CREATESTANDARDALLOCATION. */
struct d3dkmt_standard_allocation {
    uint64_t type;
    uint64_t size; /* bytes */
};

/* D3DKMT_CREATEALLOCATION (wddm.md §1.1). */
struct d3dkmt_create_allocation {
    d3dkmt_handle device;
    d3dkmt_handle resource;     /* in: to add to, or 0; out: with CreateResource */
    d3dkmt_handle global_share; /* out: shared without NtSecuritySharing */
    uint64_t runtime_data_bytes;
    uint64_t private_data_bytes;                       /* of the resource */
    const struct d3dkmt_standard_allocation *standard; /* with StandardAllocation */
    uint32_t flags;
    uint32_t count;
    struct d3dkmt_allocation_info *allocations;
    bool existing;     /* were there before the recording: resident already */
    bool demand_paged; /* ours: those that may be in memory segments come when they are touched */
};

/* D3DKMTCreateAllocation2: STATUS_SUCCESS, STATUS_INVALID_PARAMETER, STATUS_INVALID_HANDLE (the
 * resource), STATUS_DEVICE_REMOVED, STATUS_NO_MEMORY, STATUS_GRAPHICS_NO_VIDEO_MEMORY, or what the
 * miniport answered. All or nothing. */
uint32_t d3dkmt_create_allocation(struct dxgk_process *process, struct d3dkmt_call *call,
                                  struct d3dkmt_create_allocation *args);

/* Sharing (wddm.md §1.7). An NT handle's object: keeps the resource alive until it is closed. */
struct dxgk_shared_resource;

/* D3DKMTShareObjects on one resource made with NtSecuritySharing; seals it. NULL in *object and
 * STATUS_INVALID_PARAMETER for anything else. */
uint32_t d3dkmt_share_objects(struct dxgk_process *process, const d3dkmt_handle *objects,
                              uint32_t count, struct dxgk_shared_resource **object);
void dxgk_close_nt_handle(struct dxgk_shared_resource *object);

struct d3dkmt_query_resource_info {
    d3dkmt_handle device;
    d3dkmt_handle global_share;        /* of a resource shared by global handle, or 0 and ... */
    struct dxgk_shared_resource *nt;   /* ... an NT handle's object */
    uint32_t count;                    /* out: allocations */
    uint64_t runtime_data_bytes;       /* out */
    uint64_t private_data_bytes;       /* out: the resource's */
    uint64_t total_private_data_bytes; /* out: all allocations' */
};
/* D3DKMTQueryResourceInfo(FromNtHandle): seals the resource. */
uint32_t d3dkmt_query_resource_info(struct dxgk_process *process,
                                    struct d3dkmt_query_resource_info *args);

struct d3dkmt_open_resource {
    d3dkmt_handle device;
    d3dkmt_handle global_share;
    struct dxgk_shared_resource *nt;
    uint32_t count; /* this and the sizes must be what the query said */
    uint64_t runtime_data_bytes;
    uint64_t private_data_bytes;
    uint64_t total_private_data_bytes; /* room for all allocations' */
    d3dkmt_handle resource;            /* out */
    d3dkmt_handle *allocations;        /* out: `count` handles, in order */
};
/* D3DKMTOpenResource2, D3DKMTOpenResourceFromNtHandle: seals the resource. All or nothing. On a
 * device of another adapter only a cross-adapter resource can be opened: else
 * STATUS_INVALID_PARAMETER. */
uint32_t d3dkmt_open_resource(struct dxgk_process *process, struct d3dkmt_call *call,
                              struct d3dkmt_open_resource *args);

/* D3DDDICB_DESTROYALLOCATION2FLAGS. */
enum { D3DKMT_ASSUME_NOT_IN_USE = 1, D3DKMT_SYNCHRONOUS_DESTROY = 2 };
/* A resource with all it holds (the list is not looked at), or a list of allocations. Bad handles
 * and flags: STATUS_INVALID_PARAMETER, and nothing is destroyed. */
uint32_t d3dkmt_destroy_allocation2(struct dxgk_process *process, struct d3dkmt_call *call,
                                    d3dkmt_handle device, d3dkmt_handle resource,
                                    const d3dkmt_handle *allocations, uint32_t count,
                                    uint32_t flags);

/* DxgkCbCreateContextAllocation and its counterpart, as a driver would call them; context and
 * device by handle, those of `arg` are not looked at. */
uint32_t dxgkcb_create_context_allocation(struct dxgk_process *process, struct d3dkmt_call *call,
                                          d3dkmt_handle context, d3dkmt_handle device,
                                          struct dxgkargcb_create_context_allocation *arg,
                                          struct probe_label label, d3dkmt_handle *allocation);
uint32_t dxgkcb_destroy_context_allocation(struct dxgk_process *process, struct d3dkmt_call *call,
                                           d3dkmt_handle allocation);

/* D3DKMTMapGpuVirtualAddress: STATUS_PENDING, and done when the paging fence is signalled; before
 * WDDM 2 there is nothing to map, STATUS_SUCCESS. */
uint32_t d3dkmt_map_gpu_virtual_address(struct dxgk_process *process, struct d3dkmt_call *call,
                                        d3dkmt_handle device, d3dkmt_handle allocation);

/* Residency. Arrays of handles are the caller's. */
uint32_t d3dkmt_make_resident(struct dxgk_process *process, struct d3dkmt_call *call,
                              d3dkmt_handle device, const d3dkmt_handle *allocations,
                              uint32_t count, uint32_t flags);
uint32_t d3dkmt_evict(struct dxgk_process *process, struct d3dkmt_call *call, d3dkmt_handle device,
                      const d3dkmt_handle *allocations, uint32_t count, bool not_written);
uint32_t d3dkmt_set_allocation_priority(struct dxgk_process *process, struct d3dkmt_call *call,
                                        const d3dkmt_handle *allocations, uint32_t count,
                                        int64_t priority);
/* D3DDDI_OFFER_FLAGS. */
enum { D3DDDI_OFFER_IMMEDIATELY = 1, D3DDDI_ALLOW_DECOMMIT = 2 };
uint32_t d3dkmt_offer_allocations(struct dxgk_process *process, struct d3dkmt_call *call,
                                  d3dkmt_handle device, const d3dkmt_handle *allocations,
                                  uint32_t count, int64_t priority, uint32_t flags);
uint32_t d3dkmt_reclaim_allocations2(struct dxgk_process *process, struct d3dkmt_call *call,
                                     d3dkmt_handle device, const d3dkmt_handle *allocations,
                                     uint32_t count);
uint32_t d3dkmt_lock2(struct dxgk_process *process, struct d3dkmt_call *call, d3dkmt_handle device,
                      d3dkmt_handle allocation);
uint32_t d3dkmt_unlock2(struct dxgk_process *process, struct d3dkmt_call *call,
                        d3dkmt_handle device, d3dkmt_handle allocation);

/* Submissions. */
struct d3dkmt_submit {
    d3dkmt_handle context;
    uint64_t execute_ns;              /* engine time as recorded, without any context switch */
    uint64_t granule_ns;              /* longest stretch that cannot be preempted; 0: not known */
    const uint64_t *driver_ns;        /* recorded: of handing it over; NULL: not known */
    const uint64_t *interrupt_ns;     /* recorded: from engine stop to DPC; NULL: not known */
    const d3dkmt_handle *allocations; /* everything the packet reads or writes, each once */
    uint32_t count;
    uint32_t writes_from; /* from this one on they are written */
};
uint32_t d3dkmt_submit_command(struct dxgk_process *process, struct d3dkmt_call *call,
                               const struct d3dkmt_submit *args);

/* Signals and waits: queued in one or more contexts, or by the processor with none. */
uint32_t d3dkmt_signal(struct dxgk_process *process, struct d3dkmt_call *call,
                       const d3dkmt_handle *contexts, uint32_t count, struct vidsch_fence *fence,
                       uint64_t value);
uint32_t d3dkmt_wait(struct dxgk_process *process, struct d3dkmt_call *call,
                     const d3dkmt_handle *contexts, uint32_t count, struct vidsch_fence *fence,
                     uint64_t value);

/* The process goes: if the call is a wait of the processor, it ends. */
void d3dkmt_end_wait(struct d3dkmt_call *call);

/* A present handed to the compositor, or with `flip` to the display. */
uint32_t d3dkmt_present(struct dxgk_process *process, struct d3dkmt_call *call,
                        d3dkmt_handle context, bool flip, uint64_t interval);

/* Everything the process owns goes. */
uint32_t d3dkmt_exit_process(struct dxgk_process *process, struct d3dkmt_call *call);

#endif
