/* The scheduler of WDDM 2.7: the GPU's own processor picks the packets; Windows only sets bands,
 * priorities and quanta (wddm.md §8.5).
 *
 * The highest band first. Within the realtime band the highest level; within the others the
 * processes take turns, a process quantum each, and within a process the highest in-process
 * priority goes first. Contexts of one level, or of one priority, take turns. Whoever is preempted
 * has a grace period, set by the one that preempts it: between bands, between processes, between
 * contexts. A quantum that ends while nobody else wants the engine begins anew. */
#include "model/vidsch/internal.h"

#include <stdlib.h>
#include <utlist.h>

enum { HIGHEST = 7, PRIORITIES = 2 * HIGHEST + 1, LEVELS = 32 };

/* Ready contexts by priority: the highest first, and of one priority in turn. */
struct ladder {
    uint32_t map; /* bit n: somebody is on rung n */
    struct vidsch_context *rungs[LEVELS];
};

/* A process' part of a node. */
struct vidsch_share {
    struct ladder contexts; /* by in-process priority */
    int64_t quantum_left_ns;
    bool begun;
    struct vidsch_share *prev, *next;
};

struct hardware {
    struct ladder realtime;                           /* by level */
    struct vidsch_share *bands[VIDSCH_BAND_REALTIME]; /* with somebody ready, in turn */
    struct vidsch_starved starved;
};

static void *create(struct vidsch_node *node)
{
    (void)node;
    return memory_new(1, sizeof(struct hardware));
}

static uint64_t process_quantum_ns(const struct vidsch_context *context)
{
    return context->vidsch->profile->scheduler.process_quantum_ns;
}

static struct vidsch_share *share_of(const struct vidsch_context *context)
{
    struct vidsch_process *process = context->process;
    struct vidsch_share **share = &process->shares[context->node->ordinal];
    if (!*share) {
        *share = memory_new(1, sizeof **share);
        (*share)->quantum_left_ns = (int64_t)process_quantum_ns(context);
    }
    return *share;
}

static bool is_realtime(const struct vidsch_context *context)
{
    return context->band == VIDSCH_BAND_REALTIME;
}

static struct ladder *ladder_of(const struct vidsch_context *context)
{
    struct hardware *own = context->node->ready;
    return is_realtime(context) ? &own->realtime : &share_of(context)->contexts;
}

static uint32_t rung_of(const struct vidsch_context *context)
{
    return is_realtime(context) ? context->level : (uint32_t)(context->in_process + HIGHEST);
}

static struct vidsch_context **peers_of(const struct vidsch_context *context)
{
    return &ladder_of(context)->rungs[rung_of(context)];
}

static struct vidsch_share **band_of(const struct vidsch_context *context)
{
    struct hardware *own = context->node->ready;
    return &own->bands[context->band];
}

static void ready(struct vidsch_context *context, bool again)
{
    vidsch_engine_charge(context->node); /* until now it had no such competitor */
    struct ladder *ladder = ladder_of(context);
    if (!ladder->map && !is_realtime(context)) {
        struct vidsch_share *share = share_of(context);
        if (again || share->begun)
            DL_PREPEND(*band_of(context), share);
        else
            DL_APPEND(*band_of(context), share);
    }
    ladder->map |= UINT32_C(1) << rung_of(context);
    struct vidsch_context **peers = peers_of(context);
    if (again || context->quantum == VIDSCH_QUANTUM_BEGUN)
        DL_PREPEND(*peers, context);
    else
        DL_APPEND(*peers, context);
    if (!again)
        context->ready_ns = sim_now(context->vidsch->sim);
}

static void unready(struct vidsch_context *context)
{
    struct ladder *ladder = ladder_of(context);
    struct vidsch_context **peers = peers_of(context);
    DL_DELETE(*peers, context);
    if (!*peers)
        ladder->map &= ~(UINT32_C(1) << rung_of(context));
    if (!ladder->map && !is_realtime(context))
        DL_DELETE(*band_of(context), share_of(context));
}

static bool is_in(const struct vidsch_packet *running, enum vidsch_band band)
{
    return running && running->context->band == band;
}

/* The highest of the bands that share the engine with somebody ready; a starved normal band has its
 * share before the focus band. */
static enum vidsch_band band_in_turn(struct vidsch_node *node)
{
    struct hardware *own = node->ready;
    bool normal = own->bands[VIDSCH_BAND_NORMAL] || is_in(node->hardware, VIDSCH_BAND_NORMAL);
    bool focus = own->bands[VIDSCH_BAND_FOCUS] || is_in(node->hardware, VIDSCH_BAND_FOCUS);
    bool yields = vidsch_starved_yields(&own->starved, node, normal && focus);
    if (own->bands[VIDSCH_BAND_FOCUS] && !(yields && own->bands[VIDSCH_BAND_NORMAL]))
        return VIDSCH_BAND_FOCUS;
    return own->bands[VIDSCH_BAND_NORMAL] ? VIDSCH_BAND_NORMAL : VIDSCH_BAND_IDLE;
}

static struct vidsch_share *share_in_turn(struct vidsch_node *node, struct vidsch_share **band)
{
    struct vidsch_share *first = *band;
    uint64_t quantum_ns = node->vidsch->profile->scheduler.process_quantum_ns;
    if (quantum_ns && first && first->next && first->quantum_left_ns <= 0) {
        first->quantum_left_ns = (int64_t)quantum_ns;
        first->begun = false;
        DL_DELETE(*band, first);
        DL_APPEND(*band, first);
    }
    return *band;
}

static struct vidsch_context *first_of(struct ladder *ladder)
{
    struct vidsch_context **peers = &ladder->rungs[31 - __builtin_clz(ladder->map)];
    struct vidsch_context *first = *peers;
    if (first->next && first->quantum == VIDSCH_QUANTUM_EXPIRED) {
        vidsch_quantum_refresh(first);
        DL_DELETE(*peers, first);
        DL_APPEND(*peers, first);
    }
    return *peers;
}

static struct vidsch_context *choose(struct vidsch_node *node)
{
    struct hardware *own = node->ready;
    vidsch_engine_charge(node);
    enum vidsch_band band = band_in_turn(node);
    if (own->realtime.map)
        return first_of(&own->realtime);
    struct vidsch_share *share = share_in_turn(node, &own->bands[band]);
    return share ? first_of(&share->contexts) : NULL;
}

/* With `left_ns` to go. */
static enum probe_attempt until(struct vidsch_node *node, int64_t left_ns, int64_t grace_ns)
{
    if (left_ns + grace_ns <= 0)
        return PROBE_ATTEMPT_SUCCESS;
    vidsch_node_again(node, sim_now(node->vidsch->sim) + (uint64_t)(left_ns + grace_ns));
    return left_ns > 0 ? PROBE_ATTEMPT_REMAINING_QUANTUM
                       : PROBE_ATTEMPT_REMAINING_PREEMPTION_QUANTUM;
}

/* A grace period that began when the context became ready. */
static enum probe_attempt grace(struct vidsch_node *node, const struct vidsch_context *context,
                                uint64_t grace_ns)
{
    int64_t waited_ns = (int64_t)(sim_now(node->vidsch->sim) - context->ready_ns);
    return until(node, -waited_ns, (int64_t)grace_ns);
}

static enum probe_attempt between_contexts(struct vidsch_node *node,
                                           const struct vidsch_context *context,
                                           const struct vidsch_context *running)
{
    const struct profile_scheduler *scheduler = &node->vidsch->profile->scheduler;
    if (rung_of(context) > rung_of(running))
        return grace(node, context, is_realtime(context) ? 0 : scheduler->grace_lower_ns);
    if (rung_of(context) < rung_of(running))
        return PROBE_ATTEMPT_LESS_PRIORITY;
    if (running->quantum_ns == 0)
        return PROBE_ATTEMPT_REMAINING_QUANTUM;
    return until(node, running->quantum_left_ns, (int64_t)scheduler->grace_same_ns);
}

static enum probe_attempt attempt(struct vidsch_node *node, const struct vidsch_context *context,
                                  struct vidsch_context *running)
{
    const struct hardware *own = node->ready;
    const struct profile_scheduler *scheduler = &node->vidsch->profile->scheduler;
    bool yields = own->starved.yields && context->band == VIDSCH_BAND_NORMAL &&
                  running->band == VIDSCH_BAND_FOCUS;
    bool yielded = own->starved.yields && context->band == VIDSCH_BAND_FOCUS &&
                   running->band == VIDSCH_BAND_NORMAL;
    if (yields)
        return PROBE_ATTEMPT_SUCCESS;
    if (context->band < running->band || yielded)
        return PROBE_ATTEMPT_LESS_PRIORITY;
    if (context->band > running->band)
        return grace(node, context, is_realtime(context) ? 0 : scheduler->grace_band_ns);
    if (is_realtime(context) || context->process == running->process)
        return between_contexts(node, context, running);
    if (scheduler->process_quantum_ns == 0)
        return PROBE_ATTEMPT_REMAINING_QUANTUM;
    return until(node, share_of(running)->quantum_left_ns, (int64_t)scheduler->grace_process_ns);
}

/* Used up with nobody else there to profit from it, a quantum begins anew. */
static int64_t renewed(int64_t left_ns, uint64_t quantum_ns)
{
    int64_t over_ns = -left_ns % (int64_t)quantum_ns;
    return (int64_t)quantum_ns - over_ns;
}

/* Nobody else's packet stands behind its own on the engine. */
static bool is_last_placed(const struct vidsch_context *context)
{
    const struct vidsch_packet *running = context->node->hardware;
    const struct vidsch_packet *next = running ? running->hardware_next : NULL;
    return !next || next->context == context;
}

static void charge_process(struct vidsch_context *context, uint64_t ns)
{
    struct vidsch_share *share = share_of(context);
    uint64_t quantum_ns = process_quantum_ns(context);
    const struct vidsch_share *first = *band_of(context);
    bool alone = (!first || (first == share && !first->next)) && is_last_placed(context);
    share->begun = true;
    share->quantum_left_ns -= (int64_t)ns;
    if (quantum_ns && share->quantum_left_ns <= 0 && alone)
        share->quantum_left_ns = renewed(share->quantum_left_ns, quantum_ns);
}

static void charge(struct vidsch_context *context, uint64_t ns)
{
    if (!is_realtime(context))
        charge_process(context, ns);
    vidsch_quantum_charge(context, ns);
    const struct vidsch_context *peer = *peers_of(context);
    bool alone = (!peer || (peer == context && !peer->next)) && is_last_placed(context);
    if (context->quantum == VIDSCH_QUANTUM_EXPIRED && alone) {
        context->quantum_left_ns = renewed(context->quantum_left_ns, context->quantum_ns);
        context->quantum = VIDSCH_QUANTUM_BEGUN;
    }
}

const struct vidsch_policy vidsch_policy_hardware = {
    .summary = "WDDM 2.7: bands, processes and contexts in turn, kept by the GPU itself",
    .apart = true,
    .firmware = true,
    .create = create,
    .ready = ready,
    .unready = unready,
    .select = choose,
    .attempt = attempt,
    .charge = charge,
};
