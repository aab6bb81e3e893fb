#include "model/simulation/sharing.h"

static bool share_a_link(const struct sim_transfer *a, const struct sim_transfer *b,
                         const struct sim_link *links)
{
    const struct sim_link *one = &links[a->link], *other = &links[b->link];
    return a != b && (one == other || (one->shared && other->shared)) &&
           (a->direction == b->direction || one->duplex_factor < 1 || other->duplex_factor < 1);
}

/* Until now `other` took part of the link for as long as `weight` says: of the same other, or if
 * there is no room, it counts with the latest. */
static void add(struct sim_transfer *transfer, const struct sim_transfer *other, double weight,
                uint64_t now_ns)
{
    uint32_t last = transfer->losses - 1;
    if (transfer->losses == 0 || transfer->loss[last].other != other->who)
        last += transfer->losses < SIM_LOSSES;
    if (last == transfer->losses) {
        transfer->losses++;
        transfer->loss[last] = (struct sim_loss){.other = other->who};
    }
    transfer->loss[last].to_ns = now_ns;
    transfer->loss[last].weight += weight;
}

void sharing_note(struct sim_transfer *list, const struct sim_link *links, uint64_t now_ns)
{
    for (struct sim_transfer *transfer = list; transfer; transfer = transfer->next) {
        double sharers = 1;
        for (const struct sim_transfer *other = list; other; other = other->next)
            sharers += share_a_link(transfer, other, links);
        double each = (double)(now_ns - transfer->noted_ns) / sharers;
        for (const struct sim_transfer *other = list; each > 0 && other; other = other->next)
            if (share_a_link(transfer, other, links))
                add(transfer, other, each, now_ns);
        transfer->noted_ns = now_ns;
    }
}

/* All of what was lost is known exactly; where there were several others, each has a part in
 * proportion to how long it was there. What was lost to another lies at the end of the time that
 * they shared. */
void sharing_settle(struct sim_transfer *transfer, uint64_t alone_ns, uint64_t now_ns)
{
    uint64_t took_ns = now_ns - transfer->start_ns, before_ns = now_ns;
    uint64_t left_ns = took_ns > alone_ns ? took_ns - alone_ns : 0;
    double weights = 0;
    for (uint32_t i = 0; i < transfer->losses; i++)
        weights += transfer->loss[i].weight;
    for (uint32_t i = transfer->losses; i-- > 0;) {
        struct sim_loss *loss = &transfer->loss[i];
        uint64_t part_ns =
            i != 0 ? (uint64_t)((double)left_ns * (loss->weight / weights)) : left_ns;
        if (loss->to_ns > before_ns)
            loss->to_ns = before_ns;
        uint64_t room_ns = loss->to_ns - transfer->start_ns;
        before_ns = loss->from_ns = loss->to_ns - (part_ns < room_ns ? part_ns : room_ns);
        weights -= loss->weight;
        left_ns -= part_ns;
    }
}
