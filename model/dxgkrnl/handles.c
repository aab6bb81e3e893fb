#include "model/dxgkrnl/handles.h"

#include "model/memory.h"

#include <assert.h>
#include <stdlib.h>

enum {
    INDEX_SHIFT = 6,
    UNIQUE_SHIFT = 30,
    INDEX_MASK = 0xffffff,
    INSTANCE_MASK = 0x3f,
    GROWTH = 1024,   /* slots added at a time */
    KEPT_FREE = 128, /* slots that stay free before any is used again */
    UNIQUES = 3      /* 0 would make handles of small tables look like nothing */
};

static void append(struct handle_table *table, uint32_t index)
{
    if (table->free_count++)
        table->slots[table->last_free].next_free = index;
    else
        table->first_free = index;
    table->last_free = index;
}

/* New slots are free and go behind those that are. Slot 0 is the adapter's, which a process opens
 * before anything else; adapters are not modelled. */
static void grow(struct handle_table *table)
{
    uint32_t count = table->count;
    if (count + GROWTH > INDEX_MASK + 1)
        return;
    table->slots = memory_resize(table->slots, count + GROWTH, sizeof *table->slots);
    table->count = count + GROWTH;
    for (uint32_t index = count; index < table->count; index++) {
        table->slots[index] = (struct handle_slot){0};
        if (index != 0)
            append(table, index);
    }
}

static uint32_t handle_at(const struct handle_table *table, uint32_t index, uint32_t unique)
{
    return unique << UNIQUE_SHIFT | index << INDEX_SHIFT | table->instance;
}

uint32_t handle_new(struct handle_table *table, enum handle_kind kind, void *object)
{
    if (table->free_count <= KEPT_FREE)
        grow(table);
    if (table->free_count == 0)
        return 0;
    uint32_t index = table->first_free;
    struct handle_slot *slot = &table->slots[index];
    table->first_free = slot->next_free;
    table->free_count--;
    slot->kind = (uint8_t)kind;
    slot->object = object;
    slot->unique = (uint8_t)(slot->unique % UNIQUES + 1);
    return handle_at(table, index, slot->unique);
}

static struct handle_slot *find(const struct handle_table *table, uint32_t handle)
{
    uint32_t index = handle >> INDEX_SHIFT & INDEX_MASK;
    if (index >= table->count || (handle & INSTANCE_MASK) != table->instance)
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
    slot->kind = HANDLE_FREE;
    slot->object = NULL;
    append(table, handle >> INDEX_SHIFT & INDEX_MASK);
}

void handle_cancel(struct handle_table *table, uint32_t handle)
{
    struct handle_slot *slot = find(table, handle);
    assert(slot);
    uint32_t index = handle >> INDEX_SHIFT & INDEX_MASK;
    slot->kind = HANDLE_FREE;
    slot->object = NULL;
    slot->unique = (uint8_t)(slot->unique == 1 ? UNIQUES : slot->unique - 1);
    if (table->free_count++ == 0)
        table->last_free = index;
    else
        slot->next_free = table->first_free;
    table->first_free = index;
}

uint32_t handle_next(const struct handle_table *table)
{
    if (table->free_count > 0)
        return handle_at(table, table->first_free,
                         table->slots[table->first_free].unique % UNIQUES + 1U);
    uint32_t index = table->count ? table->count : 1;
    return table->count + GROWTH > INDEX_MASK + 1 ? 0 : handle_at(table, index, 1);
}

void handle_table_fini(struct handle_table *table)
{
    free(table->slots);
}
