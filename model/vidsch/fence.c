/* Monitored fences: values that only grow, and who waits for them. */
#include "model/vidsch/internal.h"

#include <stdlib.h>
#include <utlist.h>

void vidsch_fence_signal(struct vidsch_fence *fence, uint64_t value, struct probe_thing by)
{
    if (value <= fence->value)
        return;
    fence->value = value;
    fence->signalled_by = by;
    /* A waiter's continuation may add waiters; they go to the list's end and are looked at too. */
    struct vidsch_waiter *waiter = fence->waiters;
    while (waiter) {
        struct vidsch_waiter *next = waiter->next;
        if (waiter->value <= fence->value) {
            DL_DELETE(fence->waiters, waiter);
            waiter->reached(waiter->owner);
            next = fence->waiters; /* the list may have changed in any way */
        }
        waiter = next;
    }
}

void vidsch_fence_cancel(struct vidsch_waiter *waiter)
{
    DL_DELETE(waiter->fence->waiters, waiter);
}

void vidsch_fence_wait(struct vidsch_waiter *waiter)
{
    if (waiter->fence->value >= waiter->value)
        waiter->reached(waiter->owner);
    else
        DL_APPEND(waiter->fence->waiters, waiter);
}

/* A broadcast counts when its last packet is complete. */
void vidsch_signal_complete(struct vidsch_packet *packet)
{
    struct vidsch_fence *fence = packet->fence;
    uint64_t value = packet->value;
    struct probe_thing signal = blame_thing(&packet->blame);
    struct vidsch_broadcast *broadcast = packet->broadcast;
    vidsch_packet_complete(packet);
    if (broadcast && --broadcast->left > 0)
        return;
    free(broadcast);
    vidsch_fence_signal(fence, value, signal);
}
