/* What Dxgkrnl's files share among themselves. */
#ifndef WDDMSIM_DXGKRNL_INTERNAL_H
#define WDDMSIM_DXGKRNL_INTERNAL_H

#include "model/dxgkrnl/dxgkrnl.h"
#include "model/dxgkrnl/handles.h"
#include "model/memory.h"
#include "model/status.h"

struct dxgk_process {
    struct dxgkrnl *dxgkrnl;
    uint32_t pid;
    struct handle_table handles;
    struct dxgk_device *devices;
    uint64_t ddi_free_ns;         /* until then one of its threads is inside a DDI of level zero */
    struct dxgk_va_range *gpu_va; /* the process's GPU virtual address space, by address */
    struct dxgk_process *next;
};

struct dxgk_device {
    struct dxgk_process *process;
    struct dxgadapter *adapter;
    d3dkmt_handle handle;
    bool system;
    bool error; /* answers STATUS_DEVICE_REMOVED */
    bool in_driver;
    void *driver;
    struct vidmm_device *vidmm;
    struct dxgk_context *contexts;
    struct dxgk_resource *resources;
    struct dxgk_allocation *allocations;    /* all of the device's views */
    struct dxgk_context_allocation *shared; /* device-context allocations */
    uint32_t terminating;                   /* terminations under way */
    bool dying;
    struct dxgk_device *prev, *next;
};

struct dxgk_context {
    struct dxgk_device *device;
    d3dkmt_handle handle;
    bool existing; /* was there before the recording */
    bool in_driver;
    void *driver;
    struct vidsch_context *vidsch;
    struct dxgk_context_allocation *allocations;
    struct dxgk_context *prev, *next;
};

/* A context allocation: of one context, or of all contexts of a device. */
struct dxgk_context_allocation {
    struct dxgk_device *device;
    struct dxgk_context *context; /* NULL: shared across contexts */
    d3dkmt_handle handle;         /* 0: the miniport's own */
    void *driver;
    bool virtual_address_valid; /* wddm.md §4.3 */
    bool initialised;           /* DXGK_OPERATION_INIT_CONTEXT_RESOURCE was issued */
    uint64_t size;
    struct vidmm_allocation *vidmm;
    struct dxgk_context_allocation *prev, *next;
};

/* A context allocation that its driver writes to (wddm.md §4.4). */
struct dxgk_update {
    struct vidmm_request request;
    struct dxgkrnl *dxgkrnl;
    struct dxgk_context_allocation *allocation; /* NULL: it is gone */
    struct d3dkmt_call *call;                   /* that waits for it, or NULL */
    struct dxgk_update *prev, *next;            /* all of the adapter */
    uint32_t data_bytes;
    unsigned char data[];
};

/* The adapter's side of a resource, shared by the devices that opened it. */
struct dxgk_shared_resource {
    struct dxgadapter *adapter;
    bool shared, nt; /* CreateShared, NtSecuritySharing */
    bool cross_adapter;
    bool sealed; /* shared out, queried or opened: takes no more allocations */
    d3dkmt_handle global;
    uint32_t views;      /* devices' views */
    uint32_t nt_handles; /* open NT handles */
    uint32_t holds;      /* views, NT handles, terminations: 0 = destroyed */
    bool in_driver;      /* the miniport knows it */
    void *driver;
    uint64_t runtime_data_bytes, private_data_bytes, total_private_data_bytes;
    uint32_t count, room;
    struct dxgk_global_allocation **allocations;
    /* Of a cross-adapter resource that devices of other adapters have opened: these have a twin
     * each, of the same memory, which keeps it alive as an NT handle does. */
    struct dxgk_shared_resource *origin; /* NULL: no twin */
    struct dxgk_shared_resource *twins, *next_twin;
};

/* The adapter's side of an allocation. */
struct dxgk_global_allocation {
    struct vidmm_allocation *vidmm;
    void *driver;
    uint64_t private_data_bytes;
    uint32_t views;      /* devices' views, not yet closed, and NT handles */
    uint32_t terminated; /* of these */
};

/* A device's view of a resource. */
struct dxgk_resource {
    struct dxgk_device *device;
    d3dkmt_handle handle;
    struct dxgk_shared_resource *shared;
    struct dxgk_allocation *views;
    struct dxgk_resource *prev, *next;
};

/* A device's view of an allocation. */
struct dxgk_allocation {
    struct dxgk_device *device;
    d3dkmt_handle handle;
    struct dxgk_resource *resource; /* NULL: the device's own */
    struct dxgk_global_allocation *global;
    bool named;                          /* by the call that is being looked at */
    struct dxgk_allocation *prev, *next; /* of the device */
    struct dxgk_allocation *in_resource_prev, *in_resource_next; /* of its resource */
};

/* What one call terminated: destroyed when the device's work is over. */
struct dxgk_termination {
    struct vidsch_barrier idle;
    struct dxgk_device *device;
    struct d3dkmt_call *call;
    struct dxgk_shared_resource *shared; /* the resource they belong to, or NULL */
    uint32_t count, left;                /* allocations; of these, not yet destroyed */
    bool unmapped;                       /* by VidMm: before, there was something to unmap */
    struct vidmm_request request;
    struct dxgk_global_allocation *one; /* the usual case needs no list */
    struct dxgk_global_allocation **globals;
};

/* A terminated allocation that waits for the system worker, the latest first. */
struct dxgk_closing {
    struct dxgk_termination *termination;
    struct dxgk_global_allocation *global;
    struct dxgk_closing *next;
};

struct dxgk_system_worker {
    struct dxgkrnl *dxgkrnl;
    struct dxgk_closing *stack;
    struct dxgk_closing *closing; /* the one in hand */
    int step;
    bool pending; /* the step in hand takes time */
    bool running; /* further up the stack */
    bool last;    /* nobody else has a view of the one in hand */
    struct sim_timer timer;
    struct vidmm_request flush;
    struct vidmm_drained drained;
};

/* The adapter as its miniport is told of it. */
struct dxgk_described_adapter {
    struct dxgk_adapter adapter; /* first: what the miniport has leads back here */
    const struct profile *profile;
    struct dxgk_segment segments[PROFILE_SEGMENTS_MAX];
    struct dxgk_node nodes[PROFILE_NODES_MAX];
};

/* An adapter, who manages it, and its miniport. */
struct dxgadapter {
    struct dxgkrnl *dxgkrnl;
    const struct profile *profile;
    struct vidsch *vidsch;
    struct vidmm *vidmm;
    struct dxgkddi ddi;
    struct dxgk_described_adapter described;
    bool removed;
    struct dxgadapter *next; /* in the order of their numbers */
};

struct dxgkrnl {
    struct sim *sim;
    const struct profile *profile; /* for what is the machine's own */
    struct dxgadapter *adapters;
    struct dxgkrnl_interface interface;
    struct probe *probe;
    struct dxgk_faults faults;
    bool stopping; /* dxgk_stop is at work */
    struct handle_table globals;
    struct dxgk_process *processes;
    struct memory_pool packets; /* of broadcasts */
    struct memory_pool views, global_allocations, resources, shared_resources, terminations;
    struct memory_pool closings;
    struct dxgk_system_worker system_worker;
    struct d3dkmt_call *call; /* being made; NULL: the system works by itself */
    struct dxgk_update *updates;
};

static inline uint32_t dxgk_step(struct dxgkrnl *dxgkrnl, enum dxgk_step step)
{
    return dxgkrnl->faults.count ? dxgk_faults_reach(&dxgkrnl->faults, step) : STATUS_SUCCESS;
}

/* The end of the simulation: the miniports are told of the end of all that is left, and removed.
 * The memory of devices and what they own is freed. */
void dxgk_stop(struct dxgkrnl *dxgkrnl);

/* The adapter of that number, or NULL. */
struct dxgadapter *dxgk_adapter_of(const struct dxgkrnl *dxgkrnl, uint64_t number);

/* The segments that are apertures, as a set. */
uint32_t dxgk_aperture_set(const struct profile *profile);

/* An engine was reset under the context: its device is in error, and what that has queued is
 * dropped (wddm.md §8.7). */
void dxgk_context_hung(void *dxgkrnl, struct vidsch_context *context);

/* STATUS_DEVICE_REMOVED: the device is in error or its adapter gone. */
uint32_t dxgk_device_state(struct dxgk_device *device);

/* Validation of a create, in the documented order (wddm.md §1.4). On success *device and, for an
 * existing one, *resource are found. */
uint32_t dxgk_validate_create(struct dxgk_process *process,
                              const struct d3dkmt_create_allocation *args,
                              struct dxgk_device **device, struct dxgk_resource **resource);

/* Counts flags that are carried without effect, under `assumptions`. */
void dxgk_count_carried(struct dxgkrnl *dxgkrnl, uint32_t flags);
void dxgk_count_carried_kmd(struct dxgkrnl *dxgkrnl, uint64_t flags);

/* Whether VidMm and Dxgkrnl may accept what the miniport answered (wddm.md §2.2, §2.3, §1.6):
 * STATUS_SUCCESS or STATUS_INVALID_PARAMETER. What only segments can tell vidmm_allocation_create
 * checks. */
uint32_t dxgk_validate_answer(const struct profile *profile,
                              const struct dxgk_allocation_info *answer, bool primary,
                              bool cross_adapter);

/* The part of it that context allocations share: flags, segments, alignment. */
uint32_t dxgk_validate_flags(const struct profile *profile, uint64_t flags);

/* The call begins now; its fixed cost is charged. */
void dxgk_call_begin(struct dxgk_process *process, struct d3dkmt_call *call,
                     enum profile_call kind);

/* The call makes an allocation of so many bytes, or several. */
void dxgk_call_charge_allocations(struct d3dkmt_call *call, uint64_t count, uint64_t bytes);

/* CPU time inside a DDI of threading level zero: several threads may be in there at once, but never
 * two of the same process (wddm.md §2). */
void dxgk_call_charge_ddi(struct dxgk_process *process, struct d3dkmt_call *call, uint64_t cpu_ns);

/* The call returns `status` after the CPU time that was charged, or later if call->may_return says
 * so. If it succeeds, the allocations that it names are charged too. */
uint32_t dxgk_call_return(struct d3dkmt_call *call, uint32_t status, uint64_t allocations);

/* What call->may_return waited for may have come. */
void dxgk_call_look(struct d3dkmt_call *call);

/* The call gets an asynchronous part; it is over with dxgk_call_done. */
void dxgk_call_defer(struct d3dkmt_call *call);
void dxgk_call_done(struct d3dkmt_call *call);

/* Before the call was answered it turned out that it has none after all. */
void dxgk_call_forget(struct d3dkmt_call *call);

/* From now on the call waits for that, or gets on by itself; what it has been waiting for turns out
 * to be that. */
void dxgk_call_wait(struct d3dkmt_call *call, enum probe_cause cause, struct probe_thing what);
void dxgk_call_found(struct d3dkmt_call *call, struct probe_thing what);

/* Lookups by kind; NULL for a handle that is not such an object of the process. */
struct dxgk_device *dxgk_device(struct dxgk_process *process, d3dkmt_handle handle);
struct dxgk_context *dxgk_context(struct dxgk_process *process, d3dkmt_handle handle);
struct dxgk_resource *dxgk_resource(struct dxgk_process *process, d3dkmt_handle handle);
struct dxgk_allocation *dxgk_allocation(struct dxgk_process *process, d3dkmt_handle handle);

/* VidMm's side of `count` handles that must be views of the device; NULL if one is not. The caller
 * frees it. */
struct vidmm_allocation **dxgk_allocations(struct dxgk_process *process, struct dxgk_device *device,
                                           const d3dkmt_handle *handles, uint32_t count);

/* The adapter's side of a resource. release: one hold less; behind the last one it is gone, and
 * the miniport is told so. */
struct dxgk_shared_resource *dxgk_shared_new(struct dxgadapter *adapter,
                                             const struct d3dkmt_create_allocation *args);
void dxgk_shared_add(struct dxgk_shared_resource *shared, struct dxgk_global_allocation *global);
void dxgk_shared_remove(struct dxgk_shared_resource *shared,
                        const struct dxgk_global_allocation *global);
void dxgk_shared_release(struct dxgk_shared_resource *shared);

/* The twin is the other adapter's side of a cross-adapter resource, and keeps the origin alive. */
void dxgk_shared_pair(struct dxgk_shared_resource *origin, struct dxgk_shared_resource *twin);

/* Opens a cross-adapter resource as the first of its device's adapter to do so: the miniport there
 * makes an allocation of the same pages, with OpenCrossAdapter (wddm.md §1.3, §1.6). */
uint32_t dxgk_create_twin(struct d3dkmt_call *call, struct dxgk_device *device,
                          struct dxgk_shared_resource *origin, struct d3dkmt_open_resource *opened);

/* A view less; the global handle stops resolving behind the last view and NT handle. */
void dxgk_shared_unview(struct dxgk_shared_resource *shared);

/* Puts a new view into the lists of its device and resource; unlink takes it out again and frees
 * it, its handle being free already. What is left is the adapter's side. */
void dxgk_view_link(struct dxgk_allocation *view);
struct dxgk_global_allocation *dxgk_view_unlink(struct dxgk_allocation *view);

/* Frees a device's view of a resource; its handle is free, and it is in no list. */
void dxgk_resource_free(struct dxgk_resource *resource);

/* DxgkDdiOpenAllocation, DxgkDdiCloseAllocation, DxgkDdiDestroyAllocation for one allocation. */
uint32_t dxgk_open_in_driver(struct d3dkmt_call *call, struct dxgk_device *device,
                             struct dxgk_global_allocation *global);
void dxgk_close_in_driver(struct dxgk_device *device, struct dxgk_global_allocation *global);
void dxgk_destroy_in_driver(struct dxgadapter *adapter, struct dxgk_shared_resource *shared,
                            void *driver_allocation);

/* A view (or, with device NULL, an NT handle) gives up the allocation, which is closed. True: that
 * was the last one. The work that could touch it has finished. */
bool dxgk_global_close(struct dxgk_device *device, struct dxgk_global_allocation *global);
/* What comes behind the last one. */
void dxgk_global_destroy(struct dxgadapter *adapter, struct dxgk_shared_resource *shared,
                         struct dxgk_global_allocation *global);

/* Gives a terminated allocation to the system worker, and sets it to work. */
void dxgk_system_worker_close(struct dxgkrnl *dxgkrnl, struct dxgk_termination *termination,
                              struct dxgk_global_allocation *global);
void dxgk_system_worker_run(struct dxgkrnl *dxgkrnl);

/* One allocation of the termination is destroyed. */
void dxgk_termination_step(struct dxgk_termination *termination);

/* Frees a context that has drained, with its allocations. */
void dxgk_context_free(struct dxgk_context *context);

/* The call's asynchronous part is over when call->barrier has passed: work queued before must end.
 */
void dxgk_begin_teardown(struct d3dkmt_call *call);

/* Lets `barrier` wait for all work queued by the device. */
void dxgk_device_barrier(struct dxgk_device *device, struct vidsch_barrier *barrier);

/* Takes the device out of its process; what it owns goes when its queued work is over, and `gone`
 * waits for that. */
void dxgk_device_close(struct dxgk_device *device, struct vidsch_barrier *gone);
void dxgk_device_free(struct dxgk_device *device);

uint32_t dxgk_context_allocation_create(struct dxgk_context *context, struct dxgk_device *device,
                                        struct dxgkargcb_create_context_allocation *arg,
                                        struct probe_label label,
                                        struct dxgk_context_allocation **out);
void dxgk_context_allocation_free(struct dxgk_context_allocation *allocation);
/* All of a list lose their handles, as far as they have one. */
void dxgk_free_context_allocation_handles(struct dxgk_device *device,
                                          struct dxgk_context_allocation *list);
/* Where the process whose address space it is mapped in sees it; 0: it could not be mapped. */
uint64_t dxgk_context_allocation_map(struct dxgk_context_allocation *allocation,
                                     const struct dxgkargcb_map_context_allocation *arg);

/* The allocation is to be written. When the call that is being made has used its CPU time, what it
 * asked for is written one after the other, and then it returns. forget: the allocation goes. */
uint32_t dxgk_update(struct dxgk_context_allocation *allocation,
                     const struct dxgkargcb_update_context_allocation *arg);
void dxgk_update_forget(const struct dxgk_context_allocation *allocation);
/* Starts the next one that the call waits for; whether there is one. */
bool dxgk_update_awaited(struct d3dkmt_call *call);
void dxgk_updates_free(struct dxgkrnl *dxgkrnl);

/* The process's GPU virtual address space: maps `size` bytes for `owner` at `base`, or with base 0
 * at the first fit between the two limits (maximum 0: none). The address, or 0. */
uint64_t dxgk_va_map(struct dxgk_process *process, const void *owner, uint64_t base,
                     uint64_t minimum, uint64_t maximum, uint64_t size);
void dxgk_va_unmap(struct dxgk_process *process, const void *owner);
void dxgk_va_unmap_all(struct dxgk_process *process);

#endif
