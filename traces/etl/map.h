/* A hash map from a pair of numbers (handles, sequence numbers) to a pointer. It is never walked,
 * so nothing depends on its order. */
#ifndef WDDMSIM_TRACES_ETL_MAP_H
#define WDDMSIM_TRACES_ETL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct etl_map_slot;

struct etl_map { /* all zero: empty */
    struct etl_map_slot *slots;
    size_t capacity, used;
};

/* What the pair leads to; NULL if nothing. */
void *etl_map_get(const struct etl_map *map, uint64_t a, uint64_t b);

/* Sets or replaces it; NULL forgets it. False: out of memory. */
bool etl_map_put(struct etl_map *map, uint64_t a, uint64_t b, void *value);

void etl_map_free(struct etl_map *map);

#endif
