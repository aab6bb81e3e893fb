/* LRU stack distances in one pass (Mattson and others, IBM Systems Journal 1970), for objects of
 * any size: a reference finds its object in every LRU memory that holds at least `distance` bytes,
 * and in no smaller one.
 *
 * An object that ceases to exist leaves a hole: memories that held it have that much room, until
 * something that comes in takes it. So a hole moves down the stack to where what took it lay. */
#ifndef WDDMSIM_ANALYSIS_STACK_DISTANCE_H
#define WDDMSIM_ANALYSIS_STACK_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

struct stack_distance {
    /* A place in the stack for each reference, the latest on top; places are used up and then
     * dealt anew. */
    uint64_t *bytes; /* [place]: of the object or the hole; 0: empty */
    uint64_t *sums;  /* a Fenwick tree over them */
    uint32_t *owner; /* [place]: the object; of a hole UINT32_MAX */
    uint32_t places, top;
    uint64_t total;
    uint32_t *place; /* [object]: one more than its place; 0: not in the stack */
    uint32_t objects;
    uint32_t *holes; /* a heap of places, the highest first; some may be empty by now */
    uint32_t hole_count, hole_room;
};

/* All zero is an empty stack. */
void stack_distance_fini(struct stack_distance *stack);

/* The object, of so many bytes, is used: its distance in bytes, itself included; UINT64_MAX if it
 * was not in the stack. Objects are small numbers. The size of one in the stack never changes. */
uint64_t stack_distance_use(struct stack_distance *stack, uint32_t object, uint64_t bytes);

/* The object is no more. */
void stack_distance_remove(struct stack_distance *stack, uint32_t object);

#endif
