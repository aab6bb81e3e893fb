/* Presents: handed to the compositor, or through the flip queue to the display. */
#include "model/vidsch/internal.h"

void vidsch_present_complete(struct vidsch_packet *packet)
{
    struct vidsch_flip_queue *queue = packet->context->flip_queue;
    vidsch_flip_queue_composed(packet);
    vidsch_packet_complete(packet);
    vidsch_flip_queue_retire(queue);
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
    if (vidsch_context_is_overtaken(packet))
        return;
    struct vidsch_packet *before = drawing(context);
    struct vidsch_barrier *drawn = vidsch_flip_queue_add(packet, before);
    if (before)
        before->flips++;
    context->held++;
    vidsch_context_take(context);
    vidsch_context_advance(context);
    vidsch_packet_complete(packet);
    vidsch_context_let_go(context);
    vidsch_barrier_arm(drawn);
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
