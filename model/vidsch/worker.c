/* The worker: one thread that makes an adapter's transitions one after the other, going round the
 * nodes. With hardware scheduling each engine has a worker of its own, its firmware, to pick the
 * packets. */
#include "model/vidsch/internal.h"

static bool find_task(struct vidsch_worker *worker)
{
    struct vidsch *vidsch = worker->vidsch;
    while (worker->nodes) {
        /* The first node from `turn` on, round the end. */
        uint64_t behind = worker->nodes >> worker->turn << worker->turn;
        uint32_t ordinal = (uint32_t)__builtin_ctzll(behind ? behind : worker->nodes);
        uint64_t bit = UINT64_C(1) << ordinal;
        worker->nodes &= ~bit; /* whatever happens meanwhile may set it again */
        if (vidsch_node_next(&vidsch->nodes[ordinal], worker)) {
            worker->nodes |= bit;
            worker->turn = (ordinal + 1) % vidsch->profile->node_count;
            return true;
        }
    }
    return false;
}

static void serve(struct vidsch_worker *worker, const struct vidsch_packet *packet)
{
    vidsch_serves(worker->vidsch, vidsch_place_worker(worker), packet);
    worker->rests_on = NULL;
    worker->serving = true;
}

/* There is nothing to do, or nothing that can be done: a context whose turn it is finds no place on
 * its node, and others stand behind it. */
static void rest(struct vidsch_worker *worker)
{
    const struct vidsch *vidsch = worker->vidsch;
    const struct vidsch_node *on = NULL;
    for (uint32_t i = 0; i < vidsch->profile->node_count && !on; i++)
        if (vidsch->nodes[i].stuck && vidsch->nodes[i].placer == worker)
            on = &vidsch->nodes[i];
    worker->state = VIDSCH_ASLEEP;
    if (!worker->serving && worker->rests_on == on)
        return;
    worker->serving = false;
    worker->rests_on = on;
    probe_wait(vidsch->probe, sim_now(vidsch->sim), vidsch_place_worker(worker), PROBE_QUEUE,
               on ? vidsch_place_node(on) : probe_thing(PROBE_NOTHING, 0));
}

/* Makes what takes no time at once and sets the timer for the rest. What a transition brings about
 * only marks nodes: this loop is the only one. */
static void go_on(struct vidsch_worker *worker)
{
    worker->state = VIDSCH_WORKING;
    while (find_task(worker)) {
        if (worker->task.duration_ns) {
            serve(worker, worker->task.packet);
            sim_after(worker->vidsch->sim, &worker->timer, worker->task.duration_ns);
            return;
        }
        worker->task.make(worker->task.owner);
    }
    rest(worker);
}

/* Awake, or done with the transition in hand. */
static void work(void *owner)
{
    struct vidsch_worker *worker = owner;
    if (worker->state == VIDSCH_WORKING)
        worker->task.make(worker->task.owner);
    go_on(worker);
}

void vidsch_worker_init(struct vidsch_worker *worker, struct vidsch *vidsch, uint32_t place)
{
    worker->place = place;
    worker->vidsch = vidsch;
    sim_timer_init(&worker->timer, work, worker);
}

void vidsch_worker_look(struct vidsch_worker *worker, const struct vidsch_node *node)
{
    worker->nodes |= UINT64_C(1) << node->ordinal;
    if (worker->state != VIDSCH_ASLEEP)
        return;
    uint64_t wake_ns = worker == &worker->vidsch->worker
                           ? worker->vidsch->profile->scheduler.wake_ns
                           : 0; /* an engine's firmware does not sleep */
    if (wake_ns) {
        worker->state = VIDSCH_WAKING;
        sim_after(worker->vidsch->sim, &worker->timer, wake_ns);
    } else {
        go_on(worker);
    }
}
