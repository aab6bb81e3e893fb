/* Who may leave a segment, in order.
 *
 * Each resident allocation that nothing holds in place stands in one line: that of a pool, of its
 * segment, of its class of priority and of one of the policy's lines. The pools are those who would
 * miss it: nobody much (it is offered), no device of its process, one device, several. Whoever
 * looks for a victim goes through the pools in their order and takes the first in line; a line is a
 * tree, so that takes O(log n).
 *
 * To be used costs an allocation no more than a new key: it is put in its place when it would be
 * next. In the same way one that is pinned is taken out of line when it comes up, and stands in
 * again when it is let go of. */
#ifndef WDDMSIM_VIDMM_VICTIMS_H
#define WDDMSIM_VIDMM_VICTIMS_H

#include "model/vidmm/policies.h"

#include <bsd/sys/tree.h>

struct vidmm;
struct vidmm_device;

/* The smallest leaves first. The second part never occurs twice. */
struct vidmm_key {
    uint64_t first, second;
};

RB_HEAD(vidmm_order, vidmm_allocation);

/* Somebody stands in few of the lines that there are: those are listed, by segment, stage, class of
 * priority and line of the policy. */
struct vidmm_line {
    struct vidmm_order order;
    const struct vidmm_pool *pool;
    struct vidmm_line **among, *prev, *next; /* the list, as long as somebody stands here */
};

/* An allocation's place, and what policies remember of it. */
struct vidmm_standing {
    RB_ENTRY(vidmm_allocation) entry;
    struct vidmm_line *in; /* NULL: stands in no line */
    struct vidmm_key at;   /* where it stands */
    struct vidmm_key key;  /* where it should */
    uint32_t line;         /* of the policy's lines */
    uint32_t uses;         /* what a policy counts */
    bool fresh;            /* came, and is yet to be used by what made it come */
    bool chosen;           /* as a victim */
    uint64_t next_use;     /* by what is yet to come; UINT64_MAX: never */
    uint64_t left_at;      /* vidmm_remember; 0: not remembered */
    const struct vidmm_segment *left;
};

/* D3DDDI_ALLOCATIONPRIORITY in its five classes (wddm.md §6.2). */
enum vidmm_priority {
    VIDMM_MINIMUM,
    VIDMM_LOW,
    VIDMM_NORMAL,
    VIDMM_HIGH,
    VIDMM_MAXIMUM,
    VIDMM_PRIORITIES
};

/* The pools, in the order in which they are asked. */
enum vidmm_stage { VIDMM_OFFERED, VIDMM_UNWANTED, VIDMM_WANTED, VIDMM_STAGES };

struct vidmm_pool {
    struct vidmm_line *lines;            /* [segment][priority][line] */
    const struct vidmm_process *process; /* whose allocations they all are; NULL: of several */
    const struct vidmm_device *device;   /* that alone requires them; NULL: none does */
};

/* The segments must be there. The caller says whose it is. */
void vidmm_pool_init(struct vidmm_pool *pool, struct vidmm *vidmm, enum vidmm_stage stage);
void vidmm_pool_fini(struct vidmm_pool *pool);

/* The class of a priority; 0, which no driver may answer, counts as normal. */
enum vidmm_priority vidmm_priority_class(int64_t priority);

/* The allocation's holders, priority or state have changed: it stands where it belongs. */
void vidmm_restand(struct vidmm_allocation *allocation);

/* It has come to its segment; is used; leaves. */
void vidmm_standing_begin(struct vidmm_allocation *allocation);
void vidmm_standing_use(struct vidmm_allocation *allocation);
void vidmm_standing_end(struct vidmm_allocation *allocation);

/* The next victim in the segment for an allocation that `device` wants to page in: what is offered,
 * then what no device requires, then what devices require that do not run; in each the lowest class
 * first, `highest` at most. It is out of line: vidmm_restand puts it back. NULL: there is none. */
struct vidmm_allocation *vidmm_take_victim(struct vidmm_segment *segment,
                                           const struct vidmm_device *device,
                                           enum vidmm_priority highest);

/* For policies. Places the allocation in a line: behind those whose key is smaller, and behind
 * equals. */
void vidmm_stand(struct vidmm_allocation *allocation, uint32_t line, uint64_t key);
/* The same, but where it stood among equals. */
void vidmm_stand_keeping_order(struct vidmm_allocation *allocation, uint64_t key);
/* Grows with every vidmm_stand. */
uint64_t vidmm_stamp(const struct vidmm_allocation *allocation);
uint64_t vidmm_exact_priority(const struct vidmm_allocation *allocation);
/* Remembers that it leaves; whether it did, and no more than so many bytes have been remembered
 * since. */
void vidmm_remember(struct vidmm_segment *segment, struct vidmm_allocation *allocation);
bool vidmm_left_within(const struct vidmm_segment *segment,
                       const struct vidmm_allocation *allocation, uint64_t bytes);

#endif
