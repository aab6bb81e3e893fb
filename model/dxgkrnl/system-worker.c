/* The system worker: behind VidMm, closes and destroys terminated allocations, one at a time
 * (wddm.md §3.2, steps 6 and 7). In the Windows recording it takes the latest first, waits for the
 * paging queue before it closes one, and for VidMm's worker to be through with what it has before
 * it destroys one: behind a batch of terminations the first one is closed early and destroyed when
 * all of them are unmapped, the others follow in reverse order. */
#include "model/dxgkrnl/internal.h"

#include <utlist.h>

static void run(struct dxgk_system_worker *worker);

/* What the worker is at, or waits for. */
static void serve(const struct dxgk_system_worker *worker, struct probe_thing what)
{
    const struct dxgkrnl *dxgkrnl = worker->dxgkrnl;
    probe_wait(dxgkrnl->probe, sim_now(dxgkrnl->sim), probe_thing(PROBE_DESTROYER, 0), PROBE_QUEUE,
               what);
}

static void go_on(struct dxgk_system_worker *worker)
{
    worker->pending = false;
    run(worker);
}

static void flushed(void *owner, struct vidmm_request *request)
{
    (void)request;
    go_on(owner);
}

static void drained(void *owner)
{
    go_on(owner);
}

static void time_over(void *owner)
{
    go_on(owner);
}

static void spend(struct dxgk_system_worker *worker, uint64_t cpu_ns)
{
    if (cpu_ns == 0) {
        worker->pending = false;
        return;
    }
    serve(worker, blame_thing(&worker->closing->termination->call->blame));
    sim_timer_init(&worker->timer, time_over, worker);
    sim_after(worker->dxgkrnl->sim, &worker->timer, cpu_ns);
}

/* Closed: the device's view is gone. Destroyed: so is the allocation, if that was the last one. */
static void make_step(struct dxgk_system_worker *worker)
{
    struct dxgkrnl *dxgkrnl = worker->dxgkrnl;
    struct dxgk_closing *closing = worker->closing;
    struct dxgk_termination *termination = closing->termination;
    struct dxgadapter *adapter = termination->device->adapter;
    const struct profile_ddi *ddi = &adapter->profile->ddi;
    struct probe_thing pager = probe_thing(PROBE_PAGER, vidsch_adapter(adapter->vidsch)->number);
    worker->pending = true;
    switch (worker->step++) {
    case 0: /* what was unmapped is unmapped on the adapter, too */
        worker->flush =
            (struct vidmm_request){.done = flushed, .owner = worker, .cause = "destroy"};
        serve(worker, pager);
        if (termination->unmapped)
            vidmm_flush(adapter->vidmm, &worker->flush);
        else
            worker->pending = false;
        break;
    case 1:
        spend(worker, ddi->close_allocation_ns);
        break;
    case 2:
        closing->global->terminated--;
        worker->last = dxgk_global_close(termination->device, closing->global);
        worker->drained = (struct vidmm_drained){.drained = drained, .owner = worker};
        serve(worker, pager);
        if (worker->last)
            vidmm_await_drained(adapter->vidmm, &worker->drained);
        else
            worker->pending = false;
        break;
    case 3:
        spend(worker, worker->last ? ddi->destroy_allocation_ns : 0);
        break;
    default:
        worker->pending = false;
        worker->closing = NULL;
        if (worker->last)
            dxgk_global_destroy(adapter, termination->shared, closing->global);
        memory_pool_give(&dxgkrnl->closings, closing);
        dxgk_termination_step(termination);
        break;
    }
}

static void run(struct dxgk_system_worker *worker)
{
    if (worker->running)
        return;
    worker->running = true;
    while (!worker->pending && (worker->closing || worker->stack)) {
        if (!worker->closing) {
            worker->closing = worker->stack;
            LL_DELETE(worker->stack, worker->closing);
            worker->step = 0;
        }
        make_step(worker);
    }
    if (!worker->pending)
        serve(worker, probe_thing(PROBE_NOTHING, 0));
    worker->running = false;
}

void dxgk_system_worker_close(struct dxgkrnl *dxgkrnl, struct dxgk_termination *termination,
                              struct dxgk_global_allocation *global)
{
    struct dxgk_closing *closing = memory_pool_take(&dxgkrnl->closings);
    *closing = (struct dxgk_closing){.termination = termination, .global = global};
    LL_PREPEND(dxgkrnl->system_worker.stack, closing);
}

void dxgk_system_worker_run(struct dxgkrnl *dxgkrnl)
{
    run(&dxgkrnl->system_worker);
}
