#include "traces/map.h"

#include <stdlib.h>

struct trace_map_slot {
    uint64_t a, b;
    void *value;
    bool taken; /* stays set when the value is forgotten, so that searches go on behind it */
};

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The slot of the pair, or the free one where it belongs. */
static struct trace_map_slot *find(const struct trace_map *map, uint64_t a, uint64_t b)
{
    size_t i = (size_t)mix(a ^ mix(b + UINT64_C(0x9e3779b97f4a7c15))) & (map->capacity - 1);
    while (map->slots[i].taken && (map->slots[i].a != a || map->slots[i].b != b))
        i = (i + 1) & (map->capacity - 1);
    return &map->slots[i];
}

void *trace_map_get(const struct trace_map *map, uint64_t a, uint64_t b)
{
    return map->capacity == 0 ? NULL : find(map, a, b)->value;
}

/* Makes the table anew without forgotten entries, larger if that alone does not halve its load. */
static bool grow(struct trace_map *map)
{
    size_t alive = 0;
    for (size_t i = 0; i < map->capacity; i++)
        alive += map->slots[i].value != NULL;
    struct trace_map larger = {.capacity = map->capacity == 0          ? 64
                                           : 3 * alive < map->capacity ? map->capacity
                                                                       : 2 * map->capacity};
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (larger.slots == NULL)
        return false;
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->slots[i].value == NULL)
            continue;
        *find(&larger, map->slots[i].a, map->slots[i].b) = map->slots[i];
        larger.used++;
    }
    free(map->slots);
    *map = larger;
    return true;
}

bool trace_map_put(struct trace_map *map, uint64_t a, uint64_t b, void *value)
{
    if (map->used * 3 >= map->capacity * 2 && !grow(map))
        return false;
    struct trace_map_slot *slot = find(map, a, b);
    if (!slot->taken)
        map->used++;
    *slot = (struct trace_map_slot){a, b, value, true};
    return true;
}

void trace_map_free(struct trace_map *map)
{
    free(map->slots);
    *map = (struct trace_map){0};
}
