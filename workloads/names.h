/* The recorder's names of live objects, and what they stand for in the simulated system. */
#ifndef WDDMSIM_WORKLOADS_NAMES_H
#define WDDMSIM_WORKLOADS_NAMES_H

#include "model/dxgkrnl/dxgkrnl.h"
#include "model/memory.h"
#include "traces/event.h"

#include <uthash.h>

/* A device's handle for an allocation or a resource. */
struct named_view {
    struct named_object *device;
    d3dkmt_handle handle;
};

struct named_object {
    struct trace_name name; /* text is the object's own */
    struct replay_process *process;
    d3dkmt_handle handle; /* device, context, context allocation; resource: its global share */
    bool nt;              /* resource: shared by NT handle */
    uint8_t adapter;      /* device: its number */
    struct named_object *device; /* context: its device; allocation, resource: its creator's */
    struct named_view *views;    /* allocation, resource: who created or opened it */
    struct named_view only_view; /* the usual case needs no list */
    uint32_t view_count;
    struct named_object *resource; /* allocation: the one it belongs to, or NULL */
    struct named_object **members; /* resource: its allocations, in order */
    uint32_t member_count;
    struct vidsch_fence fence;        /* fence */
    uint32_t required;                /* allocation: MakeResident less Evict */
    uint32_t number;                  /* allocation: among those submissions named; 0: none yet */
    uint64_t bytes;                   /* allocation: asked for */
    uint64_t mark;                    /* event that named it last: lists name things twice */
    struct named_object *prev, *next; /* those with numbers */
    UT_hash_handle hh;                /* those with texts */
};

struct names_slot {
    uint64_t number;
    struct named_object *object; /* NULL: empty */
};

/* One table per kind of object; both lists are in the order the names were given. */
struct names {
    struct named_object *by_number, *by_text;
    struct names_slot *slots; /* the numbers: open addressing, at most half of 2^bits are used */
    uint32_t bits;
    size_t count;
    struct memory_pool pool;
};

/* NULL: no live object has this name. */
struct named_object *names_find(const struct names *names, struct trace_name name);

/* The name must be free. */
struct named_object *names_add(struct names *names, struct trace_name name);

void names_remove(struct names *names, struct named_object *object);
void names_fini(struct names *names);

/* Calls `visit` for every object; it may remove that object. */
void names_each(struct names *names, void (*visit)(void *self, struct named_object *object),
                void *self);

/* For messages: the name as text, in one of a few static buffers. */
const char *names_text(struct trace_name name);

#endif
