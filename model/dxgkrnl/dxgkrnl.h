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
#include "model/vidmm/vidmm.h"
#include "model/vidsch/vidsch.h"

struct dxgkrnl;
struct dxgk_process;

/* D3DKMT_HANDLE: valid in its process only; 0 is no handle. */
typedef uint32_t d3dkmt_handle;

struct dxgkrnl *dxgkrnl_create(struct sim *sim, const struct profile *profile,
                               struct vidsch *vidsch, struct vidmm *vidmm,
                               const struct dxgkddi *ddi);
/* What the miniport calls back. */
struct dxgkrnl_interface dxgkrnl_interface(struct dxgkrnl *dxgkrnl);
void dxgkrnl_destroy(struct dxgkrnl *dxgkrnl);

struct dxgk_process *dxgkrnl_process(struct dxgkrnl *dxgkrnl, uint32_t pid);

/* A call under way. The caller zeroes it, sets the callbacks and owner, and may read the rest. */
struct d3dkmt_call {
    struct dxgkrnl *dxgkrnl;
    uint32_t status;
    bool answered; /* its status is known; CPU time may still have to pass */
    bool returned;
    bool asynchronous; /* has a part that outlives the return */
    uint32_t pending;  /* the return and the asynchronous part: 0 = finished */
    uint64_t start_ns, return_ns, done_ns;
    struct blame blame; /* start to done, or to return if nothing is asynchronous */
    /* The call has returned: its thread is free. */
    void (*on_return)(void *owner, struct d3dkmt_call *call);
    /* Returned and done: nothing of Dxgkrnl's points to the call any more. */
    void (*on_finish)(void *owner, struct d3dkmt_call *call);
    void *owner;

    /* Dxgkrnl's own. */
    bool (*may_return)(struct d3dkmt_call *call); /* NULL, or false: waits on */
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
                              d3dkmt_handle *device);
uint32_t d3dkmt_destroy_device(struct dxgk_process *process, struct d3dkmt_call *call,
                               d3dkmt_handle device);

struct d3dkmt_create_context {
    d3dkmt_handle device;
    uint32_t node;
    int32_t priority; /* -7..7 */
    bool system;
    bool existing; /* was there before the recording: its memory is resident already */
    struct probe_label label;
    d3dkmt_handle context; /* out */
};
uint32_t d3dkmt_create_context(struct dxgk_process *process, struct d3dkmt_call *call,
                               struct d3dkmt_create_context *args);
uint32_t d3dkmt_destroy_context(struct dxgk_process *process, struct d3dkmt_call *call,
                                d3dkmt_handle context);
uint32_t d3dkmt_set_context_scheduling_priority(struct dxgk_process *process,
                                                struct d3dkmt_call *call, d3dkmt_handle context,
                                                int32_t priority);

/* Allocations. D3DKMT_CREATEALLOCATIONFLAGS bits that the model obeys. */
enum { D3DKMT_CREATE_RESOURCE = 1, D3DKMT_CREATE_SHARED = 2 };

struct d3dkmt_allocation_info {
    struct dxgk_private_data private_data;
    struct probe_label label;
    bool system_memory; /* the caller's memory backs it */
    bool override_priority;
    d3dkmt_handle allocation; /* out */
};

struct d3dkmt_create_allocation {
    d3dkmt_handle device;
    d3dkmt_handle resource; /* in/out */
    uint32_t flags;
    uint32_t count;
    struct d3dkmt_allocation_info *allocations;
    bool existing; /* were there before the recording: resident already */
};
uint32_t d3dkmt_create_allocation(struct dxgk_process *process, struct d3dkmt_call *call,
                                  struct d3dkmt_create_allocation *args);

/* Opens a resource of `owner` in a device; `allocations` gets one handle per allocation, in order
 * (room for `count`, which must be what the resource has). */
uint32_t d3dkmt_open_resource(struct dxgk_process *process, struct d3dkmt_call *call,
                              d3dkmt_handle device, struct dxgk_process *owner,
                              d3dkmt_handle resource, d3dkmt_handle *opened,
                              d3dkmt_handle *allocations, uint32_t count);

enum { D3DKMT_ASSUME_NOT_IN_USE = 1, D3DKMT_SYNCHRONOUS_DESTROY = 2 };
uint32_t d3dkmt_destroy_allocation2(struct dxgk_process *process, struct d3dkmt_call *call,
                                    d3dkmt_handle device, d3dkmt_handle resource,
                                    const d3dkmt_handle *allocations, uint32_t count,
                                    uint32_t flags);

/* DxgkCbCreateContextAllocation and its counterpart, as a driver would call them. */
uint32_t dxgkcb_create_context_allocation(struct dxgk_process *process, struct d3dkmt_call *call,
                                          d3dkmt_handle context, d3dkmt_handle device,
                                          const struct dxgkargcb_create_context_allocation *arg,
                                          struct probe_label label, d3dkmt_handle *allocation);
uint32_t dxgkcb_destroy_context_allocation(struct dxgk_process *process, struct d3dkmt_call *call,
                                           d3dkmt_handle allocation);

/* Residency. Arrays of handles are the caller's. */
uint32_t d3dkmt_make_resident(struct dxgk_process *process, struct d3dkmt_call *call,
                              d3dkmt_handle device, const d3dkmt_handle *allocations,
                              uint32_t count, uint32_t flags);
uint32_t d3dkmt_evict(struct dxgk_process *process, struct d3dkmt_call *call, d3dkmt_handle device,
                      const d3dkmt_handle *allocations, uint32_t count, bool not_written);
uint32_t d3dkmt_set_allocation_priority(struct dxgk_process *process, struct d3dkmt_call *call,
                                        const d3dkmt_handle *allocations, uint32_t count,
                                        int64_t priority);
uint32_t d3dkmt_offer_allocations(struct dxgk_process *process, struct d3dkmt_call *call,
                                  d3dkmt_handle device, const d3dkmt_handle *allocations,
                                  uint32_t count, int64_t priority);
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
    const d3dkmt_handle *allocations; /* everything the packet reads or writes, each once */
    uint32_t count;
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

/* A present handed to the compositor, or with `flip` to the display. */
uint32_t d3dkmt_present(struct dxgk_process *process, struct d3dkmt_call *call,
                        d3dkmt_handle context, bool flip, uint64_t interval);

/* Everything the process owns goes. */
uint32_t d3dkmt_exit_process(struct dxgk_process *process, struct d3dkmt_call *call);

#endif
