/* A context's quantum, and the share of an engine that the normal band is guaranteed. */
#include "model/vidsch/internal.h"

void vidsch_quantum_renew(struct vidsch_context *context)
{
    context->quantum = VIDSCH_QUANTUM_RENEWED;
    context->quantum_left_ns = (int64_t)context->quantum_ns;
}

void vidsch_quantum_refresh(struct vidsch_context *context)
{
    context->quantum = VIDSCH_QUANTUM_FRESH;
    context->quantum_left_ns = (int64_t)context->quantum_ns;
}

void vidsch_quantum_charge(struct vidsch_context *context, uint64_t ns)
{
    if (context->quantum_ns == 0 || context->quantum == VIDSCH_QUANTUM_RENEWED)
        return;
    if (context->quantum == VIDSCH_QUANTUM_FRESH)
        context->quantum = VIDSCH_QUANTUM_BEGUN;
    context->quantum_left_ns -= (int64_t)ns;
    if (context->quantum_left_ns <= 0)
        context->quantum = VIDSCH_QUANTUM_EXPIRED;
}

/* A band that is starved gains credit at its share of the time, and pays with the time it runs. It
 * runs from a slice of credit on until there is none left, so in the long run it has its share. */
bool vidsch_starved_yields(struct vidsch_starved *starved, struct vidsch_node *node,
                           bool both_want_it)
{
    const struct profile_scheduler *scheduler = &node->vidsch->profile->scheduler;
    uint64_t now = sim_now(node->vidsch->sim);
    int64_t passed = (int64_t)(now - starved->since_ns);
    int64_t permille = (int64_t)(scheduler->normal_share * 1000 + 0.5);
    starved->since_ns = now;
    if (!both_want_it || permille == 0) {
        *starved = (struct vidsch_starved){.since_ns = now, .wanted = false};
        return false;
    }
    if (starved->wanted)
        starved->credit += passed * permille - (starved->runs ? passed * 1000 : 0);
    starved->wanted = true;
    const struct vidsch_packet *packet = node->hardware;
    starved->runs = packet && packet->context->band == VIDSCH_BAND_NORMAL;
    int64_t slice = (int64_t)scheduler->yield_slice_ns * 1000;
    if (starved->credit >= slice)
        starved->yields = true;
    else if (starved->credit <= 0)
        starved->yields = false;
    /* When that will change, as far as it can be said. */
    if (starved->yields && starved->runs)
        vidsch_node_again(node, now + (uint64_t)(starved->credit / (1000 - permille)) + 1);
    else if (!starved->yields)
        vidsch_node_again(node, now + (uint64_t)((slice - starved->credit) / permille) + 1);
    return starved->yields;
}
