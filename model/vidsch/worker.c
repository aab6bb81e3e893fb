/* The worker: one thread of VidSch that makes an adapter's transitions one after the other. */
#include "model/vidsch/internal.h"

#include <utlist.h>

static void work(void *owner);

static void make_first(struct vidsch *vidsch)
{
    struct vidsch_worker *worker = &vidsch->worker;
    struct vidsch_task *task = worker->tasks;
    DL_DELETE(worker->tasks, task);
    void (*make)(struct vidsch_packet * packet) = task->make;
    struct vidsch_packet *packet = task->packet;
    memory_pool_give(&vidsch->tasks, task);
    make(packet);
}

/* Makes what takes no time at once and sets the timer for the rest. Transitions that a transition
 * brings about queue up behind: `running` keeps this loop the only one. */
static void go_on(struct vidsch *vidsch)
{
    struct vidsch_worker *worker = &vidsch->worker;
    while (worker->tasks && worker->tasks->duration_ns == 0)
        make_first(vidsch);
    worker->running = worker->tasks != NULL;
    if (worker->running)
        sim_after(vidsch->sim, &worker->timer, worker->tasks->duration_ns);
}

static void work(void *owner)
{
    struct vidsch *vidsch = owner;
    make_first(vidsch);
    go_on(vidsch);
}

void vidsch_worker_init(struct vidsch *vidsch)
{
    vidsch->tasks.object_size = sizeof(struct vidsch_task);
    sim_timer_init(&vidsch->worker.timer, work, vidsch);
}

void vidsch_worker_add(struct vidsch *vidsch, uint64_t duration_ns, struct vidsch_packet *packet,
                       void (*make)(struct vidsch_packet *packet))
{
    struct vidsch_task *task = memory_pool_take(&vidsch->tasks);
    *task = (struct vidsch_task){.make = make, .packet = packet, .duration_ns = duration_ns};
    DL_APPEND(vidsch->worker.tasks, task);
    if (!vidsch->worker.running) {
        vidsch->worker.running = true;
        go_on(vidsch);
    }
}
