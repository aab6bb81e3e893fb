/* A handle table (wddm.md §0.1): one series for all kinds of objects, in steps of 0x40; two unique
 * bits tell a slot's users apart; a freed slot goes to the far end of the free list. Each process
 * has one for its own handles, the system one for the global handles of shared resources, which
 * have 2 in their low six bits. */
#ifndef WDDMSIM_DXGKRNL_HANDLES_H
#define WDDMSIM_DXGKRNL_HANDLES_H

#include <stdint.h>

enum handle_kind {
    HANDLE_FREE,
    HANDLE_DEVICE,
    HANDLE_CONTEXT,
    HANDLE_RESOURCE,
    HANDLE_ALLOCATION,
    HANDLE_CONTEXT_ALLOCATION,
    HANDLE_SHARED_RESOURCE
};

struct handle_slot {
    void *object;
    uint8_t kind;
    uint8_t unique; /* 1..3 while in use, then the last user's */
    uint32_t next_free;
};

enum { HANDLE_LOCAL = 0, HANDLE_GLOBAL = 2 };

struct handle_table {
    struct handle_slot *slots;
    uint32_t count;                             /* of slots; slot 0 is never given out */
    uint32_t first_free, last_free, free_count; /* a queue: the longest free is used first */
    uint8_t instance;                           /* the low six bits: HANDLE_LOCAL, HANDLE_GLOBAL */
};

/* 0: the table is full. */
uint32_t handle_new(struct handle_table *table, enum handle_kind kind, void *object);

/* Takes back the handle given out last, as if it had never been: the next one is the same. */
void handle_cancel(struct handle_table *table, uint32_t handle);

/* The object, or NULL if the handle is not one of that kind. */
void *handle_find(const struct handle_table *table, enum handle_kind kind, uint32_t handle);

void handle_free(struct handle_table *table, uint32_t handle);

/* What handle_new will answer next. */
uint32_t handle_next(const struct handle_table *table);

void handle_table_fini(struct handle_table *table);

#endif
