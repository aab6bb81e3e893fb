/* A call's way from entry to return and beyond. */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>

static uint64_t now(const struct d3dkmt_call *call)
{
    return sim_now(call->dxgkrnl->sim);
}

static void part_over(struct d3dkmt_call *call)
{
    if (--call->pending > 0)
        return;
    free(call->extra);
    call->extra = NULL;
    call->on_finish(call->owner, call);
}

void dxgk_call_begin(struct dxgk_process *process, struct d3dkmt_call *call)
{
    call->dxgkrnl = process->dxgkrnl;
    call->start_ns = now(call);
    call->pending = 1;
    blame_begin(&call->blame, PROBE_CPU, call->start_ns);
}

void dxgk_call_look(struct d3dkmt_call *call)
{
    if (!call->answered || sim_timer_pending(&call->timer) || call->returned)
        return; /* its CPU time is not over yet */
    if (call->may_return && !call->may_return(call))
        return;
    call->returned = true;
    call->return_ns = now(call);
    if (!call->asynchronous)
        blame_end(&call->blame, call->return_ns);
    call->on_return(call->owner, call);
    part_over(call);
}

static void time_over(void *owner)
{
    dxgk_call_look(owner);
}

uint32_t dxgk_call_return(struct d3dkmt_call *call, uint32_t status, enum profile_call kind,
                          uint64_t allocations, uint64_t bytes)
{
    const struct profile_cost *cost = &call->dxgkrnl->profile->costs[kind];
    uint64_t duration =
        cost->fixed_ns + allocations * cost->allocation_ns + (bytes >> 12) * cost->page_ps / 1000;
    call->status = status;
    call->answered = true;
    if (duration) {
        sim_timer_init(&call->timer, time_over, call);
        sim_after(call->dxgkrnl->sim, &call->timer, duration);
    } else {
        dxgk_call_look(call); /* which may be the end of the call */
    }
    return status;
}

void dxgk_call_defer(struct d3dkmt_call *call)
{
    call->asynchronous = true;
    call->pending++;
}

void dxgk_call_forget(struct d3dkmt_call *call)
{
    call->asynchronous = false;
    call->pending--;
    blame_begin(&call->blame, PROBE_CPU, call->start_ns);
}

void dxgk_call_done(struct d3dkmt_call *call)
{
    call->done_ns = now(call);
    part_over(call);
}
