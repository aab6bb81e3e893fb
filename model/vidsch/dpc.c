/* The DPC: what an engine's interrupt sets going. It completes packets one after the other, while
 * the worker does its own work on another processor (in the Windows recording the two overlap). */
#include "model/vidsch/internal.h"

#include <utlist.h>

static void work(void *owner);

static void make_first(struct vidsch_dpc *dpc)
{
    struct vidsch_task *task = dpc->tasks;
    DL_DELETE(dpc->tasks, task);
    task->make(task->owner);
}

/* Nobody asks while there is only one. */
static void tell_whom_it_serves(const struct vidsch_dpc *dpc)
{
    vidsch_serves(dpc->vidsch, vidsch_place_dpc(dpc->vidsch), dpc->tasks->packet);
}

/* Makes what takes no time at once and sets the timer for the rest. `running` keeps this loop the
 * only one. */
static void go_on(struct vidsch_dpc *dpc)
{
    struct sim *sim = dpc->vidsch->sim;
    while (dpc->tasks) {
        uint64_t now = sim_now(sim);
        uint64_t begin = dpc->tasks->ready_ns > now ? dpc->tasks->ready_ns : now;
        if (begin + dpc->tasks->duration_ns > now) {
            if (dpc->tasks->next)
                tell_whom_it_serves(dpc);
            sim_at(sim, &dpc->timer, begin + dpc->tasks->duration_ns);
            return;
        }
        make_first(dpc);
    }
    dpc->running = false;
}

static void work(void *owner)
{
    struct vidsch_dpc *dpc = owner;
    make_first(dpc);
    go_on(dpc);
}

void vidsch_dpc_init(struct vidsch *vidsch)
{
    vidsch->dpc.vidsch = vidsch;
    sim_timer_init(&vidsch->dpc.timer, work, &vidsch->dpc);
}

void vidsch_dpc_interrupt(struct vidsch *vidsch, struct vidsch_task *task,
                          const uint64_t *recorded_ns)
{
    struct vidsch_dpc *dpc = &vidsch->dpc;
    const struct profile_scheduler *scheduler = &vidsch->profile->scheduler;
    uint64_t now = sim_now(vidsch->sim), slept_ns = now - dpc->last_ns;
    task->ready_ns = now + scheduler->interrupt_ns;
    if (recorded_ns)
        task->ready_ns = now + *recorded_ns;
    else if (scheduler->processor_idle_ns && slept_ns >= scheduler->processor_idle_ns)
        task->ready_ns += scheduler->interrupt_cold_ns;
    if (dpc->tasks && task->ready_ns < dpc->tasks->prev->ready_ns)
        task->ready_ns = dpc->tasks->prev->ready_ns; /* behind the one that wakes it */
    dpc->last_ns = now;
    DL_APPEND(dpc->tasks, task);
    if (dpc->running && dpc->tasks->next == task)
        tell_whom_it_serves(dpc);
    if (!dpc->running) {
        dpc->running = true;
        go_on(dpc);
    }
}

/* Only what the DPC makes calls this: it is running, and go_on takes it up. */
void vidsch_dpc_next(struct vidsch *vidsch, struct vidsch_task *task)
{
    task->ready_ns = sim_now(vidsch->sim);
    DL_PREPEND(vidsch->dpc.tasks, task);
}
