#include "model/vidmm/internal.h"

#include <stdlib.h>
#include <utlist.h>

static int compare(const struct vidmm_allocation *a, const struct vidmm_allocation *b)
{
    const struct vidmm_key *x = &a->standing.at, *y = &b->standing.at;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (x->second > y->second) - (x->second < y->second);
}

RB_PROTOTYPE(vidmm_order, vidmm_allocation, standing.entry, compare)
RB_GENERATE(vidmm_order, vidmm_allocation, standing.entry, compare)

static bool before(const struct vidmm_key *a, const struct vidmm_key *b)
{
    return a->first != b->first ? a->first < b->first : a->second < b->second;
}

static bool same(const struct vidmm_key *a, const struct vidmm_key *b)
{
    return a->first == b->first && a->second == b->second;
}

void vidmm_pool_init(struct vidmm_pool *pool, struct vidmm *vidmm, enum vidmm_stage stage)
{
    const size_t of_segment = (size_t)VIDMM_PRIORITIES * VIDMM_LINES;
    uint32_t segments = vidmm->profile->segment_count;
    pool->lines = memory_new(segments * of_segment, sizeof *pool->lines);
    for (uint32_t i = 0; i < segments; i++)
        for (size_t k = 0; k < of_segment; k++)
            pool->lines[i * of_segment + k] = (struct vidmm_line){
                .pool = pool,
                .among = &vidmm->segments[i].filled[stage][k / VIDMM_LINES][k % VIDMM_LINES]};
}

void vidmm_pool_fini(struct vidmm_pool *pool)
{
    free(pool->lines);
}

static struct vidmm_line *line_of(const struct vidmm_pool *pool,
                                  const struct vidmm_segment *segment, enum vidmm_priority rank,
                                  uint32_t line)
{
    return &pool->lines[((segment->id - 1) * VIDMM_PRIORITIES + rank) * VIDMM_LINES + line];
}

enum vidmm_priority vidmm_priority_class(int64_t priority)
{
    static const int64_t least[VIDMM_PRIORITIES] = {0, 0x50000000, 0x78000000, 0xA0000000,
                                                    0xC8000000};
    if (priority == 0)
        return VIDMM_NORMAL;
    enum vidmm_priority rank = VIDMM_MAXIMUM;
    while (rank > VIDMM_MINIMUM && priority < least[rank])
        rank--;
    return rank;
}

uint64_t vidmm_exact_priority(const struct vidmm_allocation *allocation)
{
    const uint64_t normal = 0x78000000;
    return allocation->priority > 0 ? (uint64_t)allocation->priority : normal;
}

/* Offers have priorities of their own, 1 and up: the lowest goes first (wddm.md §6.5). */
static enum vidmm_priority offer_class(const struct vidmm_allocation *allocation)
{
    return allocation->offered < VIDMM_PRIORITIES ? (enum vidmm_priority)(allocation->offered - 1)
                                                  : VIDMM_MAXIMUM;
}

/* Where the allocation would stand if it is not pinned; NULL: nowhere. */
static struct vidmm_line *home(const struct vidmm_allocation *allocation)
{
    const struct vidmm *vidmm = allocation->vidmm;
    const struct vidmm_residency *residency = allocation->residencies;
    const struct vidmm_pool *pool = &vidmm->wanted_by_several;
    enum vidmm_priority rank = allocation->rank;
    if (allocation->state != VIDMM_RESIDENT || vidmm_locked_in_place(allocation) ||
        allocation->overlay)
        return NULL;
    if (allocation->offered) {
        pool = &vidmm->offers;
        rank = offer_class(allocation);
    } else if (!residency) {
        pool = &allocation->process->unwanted;
    } else if (!residency->in_allocation_next) {
        pool = &residency->device->wanted;
    }
    return line_of(pool, allocation->segment, rank, allocation->standing.line);
}

static void leave_line(struct vidmm_allocation *allocation)
{
    struct vidmm_line *line = allocation->standing.in;
    RB_REMOVE(vidmm_order, &line->order, allocation);
    allocation->standing.in = NULL;
    if (RB_EMPTY(&line->order))
        DL_DELETE(*line->among, line);
}

static void enter_line(struct vidmm_allocation *allocation, struct vidmm_line *line)
{
    allocation->standing.at = allocation->standing.key;
    allocation->standing.in = line;
    if (RB_EMPTY(&line->order))
        DL_APPEND(*line->among, line);
    RB_INSERT(vidmm_order, &line->order, allocation);
}

void vidmm_restand(struct vidmm_allocation *allocation)
{
    struct vidmm_standing *standing = &allocation->standing;
    struct vidmm_line *line = home(allocation);
    if (standing->in == line)
        return;
    if (standing->in)
        leave_line(allocation);
    if (line && !allocation->pins)
        enter_line(allocation, line);
}

static void place(struct vidmm_allocation *allocation, uint32_t line, struct vidmm_key key)
{
    struct vidmm_standing *standing = &allocation->standing;
    struct vidmm_segment *segment = allocation->segment;
    segment->line_bytes[standing->line] -= allocation->size;
    segment->line_bytes[line] += allocation->size;
    bool moves = standing->in && (line != standing->line || before(&key, &standing->at));
    if (moves)
        leave_line(allocation);
    standing->line = line;
    standing->key = key;
    if (moves)
        vidmm_restand(allocation);
}

void vidmm_stand(struct vidmm_allocation *allocation, uint32_t line, uint64_t key)
{
    place(allocation, line, (struct vidmm_key){key, ++allocation->vidmm->stamps});
}

void vidmm_stand_keeping_order(struct vidmm_allocation *allocation, uint64_t key)
{
    const struct vidmm_standing *standing = &allocation->standing;
    place(allocation, standing->line, (struct vidmm_key){key, standing->key.second});
}

uint64_t vidmm_stamp(const struct vidmm_allocation *allocation)
{
    return allocation->vidmm->stamps;
}

void vidmm_remember(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    segment->remembered_bytes += allocation->size;
    allocation->standing.left_at = segment->remembered_bytes;
    allocation->standing.left = segment;
}

bool vidmm_left_within(const struct vidmm_segment *segment,
                       const struct vidmm_allocation *allocation, uint64_t bytes)
{
    const struct vidmm_standing *standing = &allocation->standing;
    return standing->left == segment && segment->remembered_bytes - standing->left_at < bytes;
}

void vidmm_foresee(struct vidmm_allocation *allocation, uint64_t next_use)
{
    for (uint32_t i = 0; i < vidmm_part_count(allocation); i++)
        vidmm_part(allocation, i)->standing.next_use = next_use;
}

void vidmm_standing_begin(struct vidmm_allocation *allocation)
{
    struct vidmm_segment *segment = allocation->segment;
    struct vidmm_standing *standing = &allocation->standing;
    standing->line = 0;
    standing->chosen = false;
    segment->line_bytes[0] += allocation->size;
    allocation->vidmm->policy->added(segment, allocation);
    standing->fresh = true;
    vidmm_restand(allocation);
}

void vidmm_standing_use(struct vidmm_allocation *allocation)
{
    const struct vidmm_policy *policy = allocation->vidmm->policy;
    struct vidmm_standing *standing = &allocation->standing;
    if (allocation->state != VIDMM_RESIDENT)
        return;
    if (standing->fresh)
        policy->added(allocation->segment, allocation);
    else if (policy->used)
        policy->used(allocation->segment, allocation);
    standing->fresh = false;
}

void vidmm_standing_end(struct vidmm_allocation *allocation)
{
    struct vidmm_segment *segment = allocation->segment;
    const struct vidmm_policy *policy = allocation->vidmm->policy;
    if (policy->removed)
        policy->removed(segment, allocation);
    vidmm_restand(allocation);
    segment->line_bytes[allocation->standing.line] -= allocation->size;
}

/* The first in line whom nothing holds, put where it belongs. */
static struct vidmm_allocation *first_in(struct vidmm_line *line)
{
    struct vidmm_allocation *first;
    while ((first = RB_MIN(vidmm_order, &line->order)) != NULL) {
        bool in_place = same(&first->standing.key, &first->standing.at);
        if (in_place && !first->pins)
            break;
        leave_line(first);
        if (!first->pins)
            enter_line(first, line);
    }
    return first;
}

/* Of those that several devices require the first whom none of them holds: there are few. */
static struct vidmm_allocation *first_idle_in(struct vidmm_line *line,
                                              const struct vidmm_device *device)
{
    struct vidmm_allocation *allocation = first_in(line);
    while (allocation && !vidmm_evictable(allocation, device, true))
        allocation = RB_NEXT(vidmm_order, &line->order, allocation);
    return allocation;
}

static struct vidmm_allocation *earlier(struct vidmm_allocation *a, struct vidmm_allocation *b)
{
    if (!a || !b)
        return a ? a : b;
    return before(&a->standing.at, &b->standing.at) ? a : b;
}

/* Whom the line has to give for the device; NULL: nobody. */
static struct vidmm_allocation *first_for(const struct vidmm *vidmm, struct vidmm_line *line,
                                          const struct vidmm_device *device)
{
    const struct vidmm_pool *pool = line->pool;
    if (pool == &vidmm->wanted_by_several)
        return first_idle_in(line, device);
    return !pool->device || vidmm_device_yields(pool->device, device) ? first_in(line) : NULL;
}

/* The first in line of those whose processes are over their budget, or else of the others
 * (wddm.md §6.6). Who stands in the lines of one pool has one process, or it does not matter. */
static struct vidmm_allocation *first_of(const struct vidmm_segment *segment,
                                         const struct vidmm_device *device, enum vidmm_stage stage,
                                         enum vidmm_priority rank, uint32_t number)
{
    struct vidmm_allocation *over = NULL, *other = NULL;
    struct vidmm_line *line, *next;
    DL_FOREACH_SAFE (segment->filled[stage][rank][number], line, next) {
        const struct vidmm_process *process = line->pool->process;
        struct vidmm_allocation *first = first_for(segment->vidmm, line, device);
        if (first && process && vidmm_over_budget(process, segment->group))
            over = earlier(over, first);
        else
            other = earlier(other, first);
    }
    return over ? over : other;
}

/* The policy says which line has to give; where it is empty the other one does. */
static struct vidmm_allocation *next_of(struct vidmm_segment *segment,
                                        const struct vidmm_device *device, enum vidmm_stage stage,
                                        enum vidmm_priority rank)
{
    const struct vidmm_policy *policy = segment->vidmm->policy;
    for (;;) {
        uint32_t line = policy->line ? policy->line(segment) : 0;
        struct vidmm_allocation *first = first_of(segment, device, stage, rank, line);
        if (!first && policy->line)
            first = first_of(segment, device, stage, rank, 1 - line);
        if (!first || !policy->spares || !policy->spares(segment, first))
            return first;
    }
}

struct vidmm_allocation *vidmm_take_victim(struct vidmm_segment *segment,
                                           const struct vidmm_device *device,
                                           enum vidmm_priority highest)
{
    const struct vidmm *vidmm = segment->vidmm;
    for (enum vidmm_stage stage = vidmm->offered ? VIDMM_OFFERED : VIDMM_UNWANTED;
         stage < VIDMM_STAGES; stage++) {
        enum vidmm_priority most = stage == VIDMM_OFFERED ? VIDMM_MAXIMUM : highest;
        for (enum vidmm_priority rank = VIDMM_MINIMUM; rank <= most; rank++) {
            struct vidmm_allocation *victim = next_of(segment, device, stage, rank);
            if (!victim)
                continue;
            leave_line(victim);
            victim->standing.chosen = true;
            return victim;
        }
    }
    return NULL;
}
