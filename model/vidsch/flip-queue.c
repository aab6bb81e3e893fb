/* The flip queue of what a context presents, which stands for its swap chain: flips that the
 * display has taken, in order, each shown when it is drawn and, if it waits for that, at a refresh.
 *
 * A flip with an interval stays for at least so many refreshes. One without ends what is left of
 * the time of the one before it and gives way to a newer one that is ready before it is shown:
 * then it is dropped. (IDXGISwapChain1::Present; `scheduler.tearing`: it is shown at once.)
 *
 * A present is retired once it is shown, dropped, or handed to the compositor. No more than
 * `scheduler.frame-latency` are queued and not retired; others are held up, in order. */
#include "model/vidsch/internal.h"

#include <stdlib.h>
#include <utlist.h>

struct flip {
    struct vidsch_barrier drawn; /* what the context had drawn when it was queued is complete */
    struct vidsch_flip_queue *queue;
    struct probe_thing job;
    uint64_t queued_ns, interval;
    bool ready;
    struct flip *prev, *next;
};

struct vidsch_flip_queue {
    struct vidsch *vidsch;
    struct vidsch_context *context; /* NULL: it is gone */
    uint32_t context_id, pid;
    struct flip *flips; /* in order */
    uint32_t count;
    struct sim_timer refresh; /* then the first one is shown */
    bool in_step;             /* the one on the screen waited for a refresh */
    uint64_t free_ns;         /* from then on another one can be shown */
    uint64_t due_ns;    /* from then on one that does not cut the time of the last one short */
    uint32_t unretired; /* presents queued and not retired, without those held up */
    struct vidsch_packet *held_up;
    uint32_t busy; /* being looked at further up the stack */
    struct vidsch_flip_queue *prev, *next;
};

static const struct profile_scheduler *scheduler_of(const struct vidsch_flip_queue *queue)
{
    return &queue->vidsch->profile->scheduler;
}

static void report(const struct vidsch_flip_queue *queue, struct probe_present present)
{
    struct probe *probe = queue->vidsch->probe;
    present.context = queue->context_id;
    present.pid = queue->pid;
    probe->present(probe->self, sim_now(queue->vidsch->sim), &present);
}

static void free_if_over(struct vidsch_flip_queue *queue)
{
    if (queue->context || queue->flips || queue->busy)
        return;
    DL_DELETE(queue->vidsch->flip_queues, queue);
    free(queue);
}

/* Whoever hears of it may go on at once, and be back here before it is over. */
static void let_in(struct vidsch_flip_queue *queue, struct vidsch_packet *packet)
{
    DL_DELETE2(queue->held_up, packet, hardware_prev, hardware_next);
    queue->unretired++;
    packet->in_time = true;
    if (packet->let_in)
        packet->let_in(packet->owner, packet);
}

void vidsch_flip_queue_retire(struct vidsch_flip_queue *queue)
{
    struct vidsch_context *context = queue->context;
    queue->unretired--;
    if (!context)
        return;
    context->held++;
    if (queue->held_up)
        let_in(queue, queue->held_up);
    vidsch_context_display_moved(context);
    vidsch_context_let_go(context);
}

static void leave(struct flip *flip, struct probe_present present)
{
    struct vidsch_flip_queue *queue = flip->queue;
    present.flip = true;
    present.job = flip->job.id;
    present.queued_ns = flip->queued_ns;
    DL_DELETE(queue->flips, flip);
    queue->count--;
    free(flip);
    report(queue, present);
    vidsch_flip_queue_retire(queue);
}

static bool waits_for_refresh(const struct flip *flip)
{
    const struct profile_scheduler *scheduler = scheduler_of(flip->queue);
    return scheduler->vsync_ns && (flip->interval || !scheduler->tearing);
}

static bool is_replaced(const struct flip *flip)
{
    return flip->interval == 0 && flip->next && flip->next->ready && waits_for_refresh(flip);
}

/* So many refreshes later, or never: beyond the end of time. */
static uint64_t later(uint64_t date_ns, uint64_t refreshes, uint64_t vsync_ns)
{
    uint64_t most = (INT64_MAX - date_ns) / vsync_ns;
    return refreshes < most ? date_ns + refreshes * vsync_ns : INT64_MAX;
}

static uint64_t date_of(const struct flip *flip)
{
    const struct vidsch_flip_queue *queue = flip->queue;
    uint64_t now = sim_now(queue->vidsch->sim), vsync = scheduler_of(queue)->vsync_ns;
    uint64_t from = flip->interval ? queue->due_ns : queue->free_ns;
    if (!waits_for_refresh(flip))
        return now;
    return from == INT64_MAX ? from : ((from > now ? from : now) + vsync - 1) / vsync * vsync;
}

static void show(struct flip *flip)
{
    struct vidsch_flip_queue *queue = flip->queue;
    uint64_t now = sim_now(queue->vidsch->sim), vsync = scheduler_of(queue)->vsync_ns;
    struct probe_present present = {.dropped = false};
    bool in_step = flip->interval && vsync;
    if (in_step && queue->in_step && now > queue->due_ns)
        present.missed = (now - queue->due_ns) / vsync;
    queue->in_step = in_step;
    queue->free_ns = waits_for_refresh(flip) ? later(now, 1, vsync) : now;
    queue->due_ns = in_step ? later(now, flip->interval, vsync) : queue->free_ns;
    leave(flip, present);
}

static void show_at(struct vidsch_flip_queue *queue, uint64_t date_ns)
{
    struct sim *sim = queue->vidsch->sim;
    if (sim_timer_pending(&queue->refresh))
        sim_cancel(sim, &queue->refresh);
    if (date_ns < INT64_MAX)
        sim_at(sim, &queue->refresh, date_ns);
}

static void look(void *owner)
{
    struct vidsch_flip_queue *queue = owner;
    struct flip *flip;
    queue->busy++;
    while ((flip = queue->flips) && flip->ready) {
        uint64_t date = date_of(flip);
        if (is_replaced(flip)) {
            leave(flip, (struct probe_present){.dropped = true});
        } else if (date <= sim_now(queue->vidsch->sim)) {
            show(flip);
        } else {
            show_at(queue, date);
            break;
        }
    }
    queue->busy--;
    free_if_over(queue);
}

static void drawn(void *owner)
{
    struct flip *flip = owner;
    struct vidsch *vidsch = flip->queue->vidsch;
    flip->ready = true;
    probe_wait(vidsch->probe, sim_now(vidsch->sim), flip->job, PROBE_DISPLAY,
               probe_thing(PROBE_SCREEN, 0));
    look(flip->queue);
}

struct vidsch_barrier *vidsch_flip_queue_add(const struct vidsch_packet *packet,
                                             struct vidsch_packet *drawing)
{
    struct vidsch_flip_queue *queue = packet->context->flip_queue;
    struct probe *probe = queue->vidsch->probe;
    struct flip *flip = memory_new(1, sizeof *flip);
    *flip = (struct flip){
        .drawn = {.passed = drawn, .owner = flip, .left = 1},
        .queue = queue,
        .job = blame_thing(&packet->blame),
        .queued_ns = packet->queued_ns,
        .interval = packet->interval,
    };
    DL_APPEND(queue->flips, flip);
    queue->count++;
    if (drawing)
        probe_wait(probe, sim_now(queue->vidsch->sim), flip->job, PROBE_QUEUE,
                   blame_thing(&drawing->blame));
    vidsch_barrier_attach(&flip->drawn, drawing);
    return &flip->drawn;
}

static struct vidsch_flip_queue *queue_of(struct vidsch_context *context)
{
    if (!context->flip_queue) {
        struct vidsch_flip_queue *queue = memory_new(1, sizeof *queue);
        *queue = (struct vidsch_flip_queue){.vidsch = context->vidsch,
                                            .context = context,
                                            .context_id = context->id,
                                            .pid = context->process->pid};
        sim_timer_init(&queue->refresh, look, queue);
        DL_APPEND(context->vidsch->flip_queues, queue);
        context->flip_queue = queue;
    }
    return context->flip_queue;
}

void vidsch_flip_queue_submit(struct vidsch_packet *packet)
{
    struct vidsch_flip_queue *queue = queue_of(packet->context);
    uint32_t latency = scheduler_of(queue)->frame_latency;
    packet->in_time = !latency || (!queue->held_up && queue->unretired < latency);
    if (packet->in_time)
        queue->unretired++;
    else
        DL_APPEND2(queue->held_up, packet, hardware_prev, hardware_next);
}

bool vidsch_flip_queue_holds_up(const struct vidsch_packet *packet)
{
    if (packet->kind != PROBE_PRESENT)
        return false;
    const struct vidsch_flip_queue *queue = packet->context->flip_queue;
    uint32_t length = scheduler_of(queue)->flip_queue;
    return !packet->in_time || (packet->flip && length && queue->count >= length);
}

struct probe_thing vidsch_flip_queue_first(const struct vidsch_context *context)
{
    const struct vidsch_packet *packet = context->taken;
    if (context->flip_queue->flips)
        return context->flip_queue->flips->job;
    while (packet && packet->kind != PROBE_PRESENT)
        packet = packet->next;
    return packet ? blame_thing(&packet->blame) : probe_thing(PROBE_SCREEN, 0);
}

void vidsch_flip_queue_composed(const struct vidsch_packet *packet)
{
    report(packet->context->flip_queue,
           (struct probe_present){.job = packet->blame.job, .queued_ns = packet->queued_ns});
}

void vidsch_flip_queue_abandon(struct vidsch_packet *packet)
{
    if (!packet->in_time)
        let_in(packet->context->flip_queue, packet);
    vidsch_flip_queue_retire(packet->context->flip_queue);
}

void vidsch_flip_queue_leave(struct vidsch_context *context)
{
    if (!context->flip_queue)
        return;
    context->flip_queue->context = NULL;
    free_if_over(context->flip_queue);
}

const char *vidsch_flip_queue_check(const struct vidsch *vidsch)
{
    const struct profile_scheduler *scheduler = &vidsch->profile->scheduler;
    const struct vidsch_flip_queue *queue;
    const struct flip *flip;
    DL_FOREACH (vidsch->flip_queues, queue) {
        uint32_t count = 0;
        DL_FOREACH (queue->flips, flip)
            count++;
        if (count != queue->count)
            return "a flip queue does not hold what was counted";
        if (scheduler->flip_queue && count > scheduler->flip_queue)
            return "a flip queue holds more flips than it has places";
        if (scheduler->frame_latency && queue->unretired > scheduler->frame_latency)
            return "more presents are queued and not retired than the frame latency allows";
        if (count > queue->unretired)
            return "a flip queue holds flips that nobody presented";
    }
    return NULL;
}

void vidsch_flip_queues_free(struct vidsch *vidsch)
{
    struct vidsch_flip_queue *queue, *next;
    struct flip *flip, *next_flip;
    DL_FOREACH_SAFE (vidsch->flip_queues, queue, next) {
        DL_FOREACH_SAFE (queue->flips, flip, next_flip)
            free(flip);
        free(queue);
    }
}
