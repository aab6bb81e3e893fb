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

void dxgk_call_begin(struct dxgk_process *process, struct d3dkmt_call *call, enum profile_call kind)
{
    call->dxgkrnl = process->dxgkrnl;
    call->dxgkrnl->call = call;
    call->cost = &process->dxgkrnl->profile->costs[kind];
    call->start_ns = now(call);
    call->pending = 1;
    call->charged_ns = call->cost->fixed_ns;
    call->locked_ns = 0;
    blame_begin(&call->blame, PROBE_CPU, call->start_ns);
    call->blame.call = call->op;
    call->blame.pid = process->pid;
}

void dxgk_call_look(struct d3dkmt_call *call)
{
    if (!call->answered || sim_timer_pending(&call->timer) || call->returned)
        return; /* its CPU time is not over yet */
    if (call->updates && dxgk_update_awaited(call))
        return;
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

void dxgk_call_charge_ddi(struct dxgk_process *process, struct d3dkmt_call *call, uint64_t cpu_ns)
{
    uint64_t enter = call->start_ns + call->charged_ns;
    if (enter < process->ddi_free_ns) {
        call->locked_ns += process->ddi_free_ns - enter;
        enter = process->ddi_free_ns;
    }
    process->ddi_free_ns = enter + cpu_ns;
    call->charged_ns = process->ddi_free_ns - call->start_ns;
}

void dxgk_call_charge_allocations(struct d3dkmt_call *call, uint64_t count, uint64_t bytes)
{
    const struct profile_cost *cost = call->cost;
    call->charged_ns += count * cost->allocation_ns + (bytes >> 12) * cost->page_ps / 1000;
}

uint32_t dxgk_call_return(struct d3dkmt_call *call, uint32_t status, uint64_t allocations)
{
    if (status_is_success(status))
        dxgk_call_charge_allocations(call, allocations, 0);
    call->status = status;
    call->answered = true;
    call->dxgkrnl->call = NULL;
    blame_was(&call->blame, call->dxgkrnl->probe, PROBE_LOCK,
              probe_thing(PROBE_PROCESS, call->blame.pid), call->locked_ns);
    if (call->charged_ns) {
        sim_timer_init(&call->timer, time_over, call);
        sim_after(call->dxgkrnl->sim, &call->timer, call->charged_ns);
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
    uint32_t pid = call->blame.pid;
    blame_begin(&call->blame, PROBE_CPU, call->start_ns);
    call->blame.call = call->op;
    call->blame.pid = pid;
}

void dxgk_call_wait(struct d3dkmt_call *call, enum probe_cause cause, struct probe_thing what)
{
    blame_wait(&call->blame, call->dxgkrnl->probe, cause, what, now(call));
}

void dxgk_call_found(struct d3dkmt_call *call, struct probe_thing what)
{
    blame_found(&call->blame, call->dxgkrnl->probe, what);
}

void dxgk_call_done(struct d3dkmt_call *call)
{
    call->done_ns = now(call);
    part_over(call);
}
