/* Presents: handed to the compositor, or through the flip queue to the display. */
#include "model/vidsch/internal.h"

#include <stdlib.h>
#include <utlist.h>

static void shown(const struct vidsch_context *context)
{
    struct vidsch *vidsch = context->vidsch;
    vidsch->probe->present(vidsch->probe->self, sim_now(vidsch->sim), context->id,
                           context->process->pid);
}

void vidsch_present_complete(struct vidsch_packet *packet)
{
    shown(packet->context);
    vidsch_packet_complete(packet);
}

/* A flip on its way to the screen: it shows what the context had drawn when the flip was queued, so
 * it waits for that, and for the vertical blank it was asked to wait for. */
struct flip {
    struct vidsch_barrier drawn;
    struct sim_timer vsync;
    struct vidsch *vidsch;
    uint32_t context, pid;
    uint64_t earliest_ns;
    bool synchronised;
};

static void flip_shown(void *owner)
{
    struct flip *flip = owner;
    struct probe *probe = flip->vidsch->probe;
    probe->present(probe->self, sim_now(flip->vidsch->sim), flip->context, flip->pid);
    free(flip);
}

static void flip_drawn(void *owner)
{
    struct flip *flip = owner;
    uint64_t date = sim_now(flip->vidsch->sim);
    uint64_t vsync = flip->vidsch->profile->scheduler.vsync_ns;
    if (date < flip->earliest_ns)
        date = flip->earliest_ns;
    if (flip->synchronised)
        date = (date + vsync - 1) / vsync * vsync;
    sim_timer_init(&flip->vsync, flip_shown, flip);
    sim_at(flip->vidsch->sim, &flip->vsync, date);
}

/* The context's youngest packet that draws and is not complete. */
static struct vidsch_packet *drawing(const struct vidsch_context *context)
{
    struct vidsch_packet *packet = context->taken ? context->taken->prev : NULL;
    while (packet && !vidsch_packet_is_dma(packet))
        packet = packet == context->taken ? NULL : packet->prev;
    return packet;
}

/* The flip is in the flip queue, which is the end of its packet: the worker has programmed the
 * display, or the DPC will, once everything is drawn (in the recording: 207 of 332 flips). */
static void flip_queued(void *owner)
{
    struct vidsch_packet *packet = owner;
    struct vidsch_context *context = packet->context;
    struct vidsch *vidsch = context->vidsch;
    uint64_t vsync = vidsch->profile->scheduler.vsync_ns;
    if (vidsch_context_is_overtaken(packet))
        return;
    struct flip *flip = memory_new(1, sizeof *flip);
    *flip = (struct flip){
        .drawn = {.passed = flip_drawn, .owner = flip, .left = 1},
        .vidsch = vidsch,
        .context = context->id,
        .pid = context->process->pid,
        .synchronised = packet->interval > 0 && vsync > 0,
    };
    if (flip->synchronised) {
        flip->earliest_ns = context->next_vsync_ns;
        uint64_t now = sim_now(vidsch->sim);
        uint64_t base = now > context->next_vsync_ns ? now : context->next_vsync_ns;
        context->next_vsync_ns = (base + vsync - 1) / vsync * vsync + packet->interval * vsync;
    }
    struct vidsch_packet *before = drawing(context);
    if (before)
        before->flips++;
    vidsch_barrier_attach(&flip->drawn, before);
    context->held++;
    vidsch_context_take(context);
    vidsch_context_advance(context);
    vidsch_packet_complete(packet);
    vidsch_context_let_go(context);
    vidsch_barrier_arm(&flip->drawn);
}

void vidsch_present_begin(struct vidsch_packet *packet, struct vidsch_task *task)
{
    const struct vidsch_context *context = packet->context;
    const struct profile_scheduler *scheduler = &context->vidsch->profile->scheduler;
    *task = (struct vidsch_task){.make = vidsch_context_taken,
                                 .owner = packet,
                                 .packet = packet,
                                 .duration_ns = scheduler->present_ns};
    if (!packet->flip)
        return;
    task->make = flip_queued;
    if (!drawing(context)) /* the display can be programmed at once */
        task->duration_ns += scheduler->flip_ns;
}
