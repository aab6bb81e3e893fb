/* A hash map from a pair of numbers (handles, sequence numbers) to a pointer. It is never walked,
 * so nothing depends on its order. */
#ifndef WDDMSIM_TRACES_MAP_H
#define WDDMSIM_TRACES_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_map_slot;

struct trace_map { /* all zero: empty */
    struct trace_map_slot *slots;
    size_t capacity, used;
};

/* What the pair leads to; NULL if nothing. */
void *trace_map_get(const struct trace_map *map, uint64_t a, uint64_t b);

/* Sets or replaces it; NULL forgets it. False: out of memory. */
bool trace_map_put(struct trace_map *map, uint64_t a, uint64_t b, void *value);

void trace_map_free(struct trace_map *map);

#endif
