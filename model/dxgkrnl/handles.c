#include "model/dxgkrnl/handles.h"

#include "model/memory.h"

#include <assert.h>
#include <stdlib.h>

enum {
    INDEX_SHIFT = 6,
    UNIQUE_SHIFT = 30,
    INDEX_MASK = 0xffffff,
    KEPT_FREE = 128 /* slots that stay free before any is used again */
};

static uint32_t take_slot(struct handle_table *table)
{
    if (table->free_count > KEPT_FREE) {
        uint32_t index = table->first_free;
        table->first_free = table->slots[index].next_free;
        table->free_count--;
        return index;
    }
    if (table->count == table->room) {
        table->room = table->room ? 2 * table->room : 64;
        table->slots = memory_resize(table->slots, table->room, sizeof *table->slots);
    }
    if (table->count == 0) /* slot 0 would be handle 0x40000000: never given out */
        table->slots[table->count++] = (struct handle_slot){0};
    table->slots[table->count] = (struct handle_slot){0};
    return table->count++;
}

uint32_t handle_new(struct handle_table *table, enum handle_kind kind, void *object)
{
    uint32_t index = take_slot(table);
    assert(index <= INDEX_MASK);
    struct handle_slot *slot = &table->slots[index];
    slot->kind = (uint8_t)kind;
    slot->object = object;
    slot->unique = (uint8_t)(slot->unique % 3 + 1);
    return (uint32_t)slot->unique << UNIQUE_SHIFT | index << INDEX_SHIFT;
}

static struct handle_slot *find(const struct handle_table *table, uint32_t handle)
{
    uint32_t index = handle >> INDEX_SHIFT & INDEX_MASK;
    if (index >= table->count || handle & ((1 << INDEX_SHIFT) - 1))
        return NULL;
    struct handle_slot *slot = &table->slots[index];
    return slot->kind != HANDLE_FREE && slot->unique == handle >> UNIQUE_SHIFT ? slot : NULL;
}

void *handle_find(const struct handle_table *table, enum handle_kind kind, uint32_t handle)
{
    const struct handle_slot *slot = find(table, handle);
    return slot && slot->kind == kind ? slot->object : NULL;
}

void handle_free(struct handle_table *table, uint32_t handle)
{
    struct handle_slot *slot = find(table, handle);
    assert(slot);
    uint32_t index = handle >> INDEX_SHIFT & INDEX_MASK;
    slot->kind = HANDLE_FREE;
    slot->object = NULL;
    if (table->free_count)
        table->slots[table->last_free].next_free = index;
    else
        table->first_free = index;
    table->last_free = index;
    table->free_count++;
}

void handle_table_fini(struct handle_table *table)
{
    free(table->slots);
}
