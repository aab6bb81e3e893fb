/* The scheduler of WDDM 1.2 to 2.6: the worker takes the first context of the highest ready level,
 * and does with its first packet what can be done.
 *
 * The order within a level was read off the Windows recording (build 17134), where it foretells
 * 9,992 of 9,994 selections; the other two fall into its first 2 ms, when what went before is not
 * known:
 *  - Who becomes ready in the middle of a quantum goes to the front; who has a quantum to begin, to
 *    the end, and so does who has used one up, with a new one.
 *  - Whose quantum is used up while others of its level are ready gets a new one and goes to the
 *    end.
 *  - A quantum that was renewed counts down only once somebody else of the level is ready, too.
 *  - Only the first context of a level is looked at: if its packet finds no place, those behind it
 *    wait, even those that do not want the engine.
 * No context takes the engine from another one of its own level before that one's quantum and a
 * preemption quantum on top have passed. */
#include "model/vidsch/internal.h"

#include <stdlib.h>
#include <utlist.h>

enum { LEVELS = 32, FIRST_NORMAL = 1, FIRST_FOCUS = 16, FIRST_REALTIME = 26 };

struct software {
    uint32_t map; /* bit n: somebody is ready at level n */
    struct vidsch_context *levels[LEVELS];
    struct vidsch_starved starved;
};

static void *create(struct vidsch_node *node)
{
    (void)node;
    return memory_new(1, sizeof(struct software));
}

static void ready(struct vidsch_context *context, bool again)
{
    struct software *own = context->node->ready;
    struct vidsch_context **level = &own->levels[context->level];
    if (!again && context->quantum == VIDSCH_QUANTUM_EXPIRED)
        vidsch_quantum_renew(context);
    if (again || context->quantum == VIDSCH_QUANTUM_BEGUN)
        DL_PREPEND(*level, context);
    else
        DL_APPEND(*level, context);
    own->map |= UINT32_C(1) << context->level;
}

static void unready(struct vidsch_context *context)
{
    struct software *own = context->node->ready;
    struct vidsch_context **level = &own->levels[context->level];
    DL_DELETE(*level, context);
    if (!*level)
        own->map &= ~(UINT32_C(1) << context->level);
}

static bool is_in(const struct vidsch_context *context, enum vidsch_band band)
{
    return context && context->band == band && !context->system;
}

/* The levels that count: a starved normal band has its share before the focus band. */
static uint32_t levels_to_look_at(struct vidsch_node *node)
{
    static const uint32_t normal = (1U << FIRST_FOCUS) - (1U << FIRST_NORMAL);
    static const uint32_t focus = (1U << FIRST_REALTIME) - (1U << FIRST_FOCUS);
    struct software *own = node->ready;
    const struct vidsch_context *running = node->hardware ? node->hardware->context : NULL;
    bool normal_wants = own->map & normal || is_in(running, VIDSCH_BAND_NORMAL);
    bool focus_wants = own->map & focus || is_in(running, VIDSCH_BAND_FOCUS);
    bool yields = vidsch_starved_yields(&own->starved, node, normal_wants && focus_wants);
    return yields && own->map & normal ? own->map & ~focus : own->map;
}

static struct vidsch_context *choose(struct vidsch_node *node)
{
    struct software *own = node->ready;
    if (!own->map)
        return NULL;
    vidsch_engine_charge(node);
    uint32_t map = levels_to_look_at(node);
    struct vidsch_context **level = &own->levels[31 - __builtin_clz(map)];
    bool contended = (*level)->next;
    while (contended && (*level)->quantum == VIDSCH_QUANTUM_EXPIRED) {
        struct vidsch_context *context = *level;
        vidsch_quantum_renew(context);
        DL_DELETE(*level, context);
        DL_APPEND(*level, context);
    }
    if (contended && (*level)->quantum == VIDSCH_QUANTUM_RENEWED)
        (*level)->quantum = VIDSCH_QUANTUM_FRESH;
    return *level;
}

static enum probe_attempt attempt_same_level(struct vidsch_node *node,
                                             struct vidsch_context *running)
{
    struct vidsch *vidsch = node->vidsch;
    int64_t beyond_ns = (int64_t)vidsch->profile->scheduler.preemption_quantum_ns;
    if (running->quantum_ns == 0)
        return PROBE_ATTEMPT_REMAINING_QUANTUM;
    if (running->quantum == VIDSCH_QUANTUM_RENEWED)
        running->quantum = VIDSCH_QUANTUM_FRESH;
    int64_t until_ns = running->quantum_left_ns + beyond_ns;
    if (until_ns <= 0)
        return PROBE_ATTEMPT_SUCCESS;
    vidsch_node_again(node, sim_now(vidsch->sim) + (uint64_t)until_ns);
    return running->quantum == VIDSCH_QUANTUM_EXPIRED ? PROBE_ATTEMPT_REMAINING_PREEMPTION_QUANTUM
                                                      : PROBE_ATTEMPT_REMAINING_QUANTUM;
}

static enum probe_attempt attempt(struct vidsch_node *node, const struct vidsch_context *context,
                                  struct vidsch_context *running)
{
    const struct software *own = node->ready;
    bool yields = own->starved.yields && is_in(context, VIDSCH_BAND_NORMAL) &&
                  is_in(running, VIDSCH_BAND_FOCUS);
    bool yielded = own->starved.yields && is_in(context, VIDSCH_BAND_FOCUS) &&
                   is_in(running, VIDSCH_BAND_NORMAL);
    if (yields || (context->level > running->level && !yielded))
        return PROBE_ATTEMPT_SUCCESS;
    if (context->level < running->level || yielded)
        return PROBE_ATTEMPT_LESS_PRIORITY;
    return attempt_same_level(node, running);
}

const struct vidsch_policy vidsch_policy_software = {
    .summary = "WDDM 1.2 to 2.6: levels and quanta, kept by the operating system's worker",
    .create = create,
    .ready = ready,
    .unready = unready,
    .select = choose,
    .attempt = attempt,
    .charge = vidsch_quantum_charge,
};
