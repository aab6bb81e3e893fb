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
    struct dxgk_process *next;
};

struct dxgk_device {
    struct dxgk_process *process;
    d3dkmt_handle handle;
    struct vidmm_device *vidmm;
    struct dxgk_context *contexts;
    struct dxgk_resource *resources;
    struct dxgk_allocation *allocations;    /* all of the device's views */
    struct dxgk_context_allocation *shared; /* device-context allocations */
    uint32_t terminating;                   /* views closed by a call, not yet destroyed */
    bool dying;
    struct dxgk_device *prev, *next;
};

struct dxgk_context {
    struct dxgk_device *device;
    d3dkmt_handle handle;
    struct vidsch_context *vidsch;
    struct dxgk_context_allocation *allocations;
    bool existing; /* was there before the recording */
    struct dxgk_context *prev, *next;
};

/* A context allocation: of one context, or of all contexts of a device. */
struct dxgk_context_allocation {
    struct dxgk_device *device;
    struct dxgk_context *context; /* NULL: shared across contexts */
    d3dkmt_handle handle;         /* 0: the miniport's own */
    struct vidmm_allocation *vidmm;
    struct dxgk_context_allocation *prev, *next;
};

/* The adapter's side of a resource, shared by the devices that opened it. */
struct dxgk_shared_resource {
    bool shared;
    uint32_t views;
    uint32_t count, room;
    struct dxgk_global_allocation **allocations;
};

/* The adapter's side of an allocation. */
struct dxgk_global_allocation {
    struct vidmm_allocation *vidmm;
    uint32_t views;
};

/* A device's view of a resource. */
struct dxgk_resource {
    struct dxgk_device *device;
    d3dkmt_handle handle;
    struct dxgk_shared_resource *shared;
    struct dxgk_resource *prev, *next;
};

/* A device's view of an allocation. */
struct dxgk_allocation {
    struct dxgk_device *device;
    d3dkmt_handle handle;
    struct dxgk_resource *resource; /* NULL: the device's own */
    struct dxgk_global_allocation *global;
    struct dxgk_allocation *prev, *next;
};

struct dxgkrnl {
    struct sim *sim;
    const struct profile *profile;
    struct vidsch *vidsch;
    struct vidmm *vidmm;
    struct dxgkddi ddi;
    struct dxgk_process *processes;
    struct memory_pool packets; /* of broadcasts */
};

/* The call begins now. */
void dxgk_call_begin(struct dxgk_process *process, struct d3dkmt_call *call);

/* The call returns `status` after the CPU time that the profile says it takes, or later if
 * call->may_return says so. */
uint32_t dxgk_call_return(struct d3dkmt_call *call, uint32_t status, enum profile_call kind,
                          uint64_t allocations, uint64_t bytes);

/* What call->may_return waited for may have come. */
void dxgk_call_look(struct d3dkmt_call *call);

/* The call gets an asynchronous part; it is over with dxgk_call_done. */
void dxgk_call_defer(struct d3dkmt_call *call);
void dxgk_call_done(struct d3dkmt_call *call);

/* Before the call was answered it turned out that it has none after all. */
void dxgk_call_forget(struct d3dkmt_call *call);

/* Lookups by kind; NULL for a handle that is not such an object of the process. */
struct dxgk_device *dxgk_device(struct dxgk_process *process, d3dkmt_handle handle);
struct dxgk_context *dxgk_context(struct dxgk_process *process, d3dkmt_handle handle);
struct dxgk_resource *dxgk_resource(struct dxgk_process *process, d3dkmt_handle handle);
struct dxgk_allocation *dxgk_allocation(struct dxgk_process *process, d3dkmt_handle handle);

/* VidMm's side of `count` handles that must be views of the device; NULL if one is not. The caller
 * frees it. */
struct vidmm_allocation **dxgk_allocations(struct dxgk_process *process, struct dxgk_device *device,
                                           const d3dkmt_handle *handles, uint32_t count);

/* Frees a view's handle and structure; what is left is the adapter's side. */
struct dxgk_global_allocation *dxgk_allocation_forget(struct dxgk_allocation *allocation);
void dxgk_resource_forget(struct dxgk_resource *resource);

/* DxgkDdiCloseAllocation, and DxgkDdiDestroyAllocation behind the last view: work that could touch
 * it has finished. */
void dxgk_allocation_close(struct dxgk_device *device, struct dxgk_global_allocation *global);

/* Frees a context that has drained, with its allocations. */
void dxgk_context_free(struct dxgk_context *context);

/* Lets `barrier` wait for all work queued by the device. */
void dxgk_device_barrier(struct dxgk_device *device, struct vidsch_barrier *barrier);

/* Takes the device out of its process; what it owns goes when its queued work is over, and `gone`
 * waits for that. */
void dxgk_device_close(struct dxgk_device *device, struct vidsch_barrier *gone);
void dxgk_device_free(struct dxgk_device *device);

uint32_t dxgk_context_allocation_create(struct dxgk_context *context, struct dxgk_device *device,
                                        const struct dxgkargcb_create_context_allocation *arg,
                                        struct probe_label label,
                                        struct dxgk_context_allocation **out);
void dxgk_context_allocation_free(struct dxgk_context_allocation *allocation);

#endif
