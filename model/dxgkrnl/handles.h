/* A process's handle table (wddm.md §0.1): one series for all kinds of objects, in steps of 0x40;
 * two unique bits tell a slot's users apart; a freed slot is not used again at once. */
#ifndef WDDMSIM_DXGKRNL_HANDLES_H
#define WDDMSIM_DXGKRNL_HANDLES_H

#include <stdint.h>

enum handle_kind {
    HANDLE_FREE,
    HANDLE_DEVICE,
    HANDLE_CONTEXT,
    HANDLE_RESOURCE,
    HANDLE_ALLOCATION,
    HANDLE_CONTEXT_ALLOCATION
};

struct handle_slot {
    void *object;
    uint8_t kind;
    uint8_t unique; /* 1..3 while in use */
    uint32_t next_free;
};

struct handle_table {
    struct handle_slot *slots;
    uint32_t count, room;
    uint32_t first_free, last_free, free_count; /* a queue: the longest free is used first */
};

uint32_t handle_new(struct handle_table *table, enum handle_kind kind, void *object);

/* The object, or NULL if the handle is not one of that kind. */
void *handle_find(const struct handle_table *table, enum handle_kind kind, uint32_t handle);

void handle_free(struct handle_table *table, uint32_t handle);
void handle_table_fini(struct handle_table *table);

#endif
