/* Small numbers for what comes and goes: given out from 1, and those given back first. */
#ifndef WDDMSIM_WORKLOADS_NUMBERS_H
#define WDDMSIM_WORKLOADS_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* All zero: none was given out. */
struct numbers {
    uint32_t given; /* so far, the highest */
    uint32_t *unused;
    size_t unused_count, unused_room;
};

uint32_t numbers_take(struct numbers *numbers);

/* Without memory to remember it, the number is not given out again. */
void numbers_give(struct numbers *numbers, uint32_t number);

void numbers_fini(struct numbers *numbers);

#endif
