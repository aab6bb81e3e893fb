#include "workloads/order.h"

#include "model/memory.h"
#include "traces/vocabulary.h"

#include <stdlib.h>
#include <string.h>
#define HASH_FUNCTION(key, length, hash) ((hash) = order_hash((key)))
static unsigned order_hash(const void *key)
{
    uint64_t words[2];
    memcpy(words, key, sizeof words);
    return (unsigned)((words[1] * 0x9e3779b97f4a7c15 + words[0]) >> 32);
}

#include <uthash.h>
#include <utlist.h>

enum kind { DEVICE, CONTEXT, ALLOCATION, RESOURCE, PROCESS };

/* A put-off event that names an object. */
struct mention {
    uint64_t index;
    struct mention *prev, *next;
};

struct key {
    uint64_t kind;
    uint64_t name; /* the number, or a hash of the text: two that collide only wait too much */
};

struct object {
    struct key key;
    struct mention *uses, *lifecycle; /* by index; those that create, open or destroy it apart */
    UT_hash_handle hh;
};

struct order {
    struct object *objects;
    struct memory_pool mentions, pool;
};

struct order *order_create(void)
{
    struct order *order = memory_new(1, sizeof *order);
    order->mentions.object_size = sizeof(struct mention);
    order->pool.object_size = sizeof(struct object);
    return order;
}

static void forget(struct order *order, struct object *object)
{
    HASH_DEL(order->objects, object);
    memory_pool_give(&order->pool, object);
}

void order_destroy(struct order *order)
{
    HASH_CLEAR(hh, order->objects);
    memory_pool_fini(&order->mentions);
    memory_pool_fini(&order->pool);
    free(order);
}

/* Calls `visit` for every object the event names until it answers false. */
struct visitor {
    bool (*visit)(struct visitor *visitor, const struct key *key, bool lifecycle);
    struct order *order;
    uint64_t index;
};

static bool visit(struct visitor *visitor, enum kind kind, struct trace_name name, bool lifecycle)
{
    struct key key = {(uint64_t)kind, name.number};
    if (name.text) { /* FNV-1a */
        key.name = 0xcbf29ce484222325;
        for (const char *byte = name.text; *byte; byte++)
            key.name = (key.name ^ (unsigned char)*byte) * 0x100000001b3;
    }
    return visitor->visit(visitor, &key, lifecycle);
}

static bool visit_list(struct visitor *visitor, enum kind kind, struct trace_names names,
                       bool lifecycle)
{
    for (uint32_t i = 0; i < names.count; i++)
        if (!visit(visitor, kind, names.items[i], lifecycle))
            return false;
    return true;
}

static bool creates_or_destroys(enum trace_op op, enum kind kind)
{
    switch (op) {
    case TRACE_CREATE_DEVICE:
    case TRACE_DESTROY_DEVICE:
        return kind == DEVICE;
    case TRACE_CREATE_CONTEXT:
    case TRACE_DESTROY_CONTEXT:
        return kind == CONTEXT;
    case TRACE_CREATE_ALLOCATION:
    case TRACE_DESTROY_ALLOCATION:
    case TRACE_OPEN_RESOURCE:
        return kind == ALLOCATION || kind == RESOURCE;
    case TRACE_CREATE_CONTEXT_ALLOCATION:
    case TRACE_DESTROY_CONTEXT_ALLOCATION:
        return kind == ALLOCATION;
    case TRACE_EXIT_PROCESS:
        return kind == PROCESS;
    default:
        return false;
    }
}

static bool visit_all(struct visitor *visitor, const struct trace_event *event)
{
    enum trace_op op = event->op;
    struct trace_name process = {.number = event->pid};
    if (!visit(visitor, PROCESS, process, creates_or_destroys(op, PROCESS)))
        return false;
    if (trace_given(event->given, TRACE_DEVICE) &&
        !visit(visitor, DEVICE, event->device, creates_or_destroys(op, DEVICE)))
        return false;
    if (trace_given(event->given, TRACE_CONTEXT) &&
        !visit(visitor, CONTEXT, event->context, creates_or_destroys(op, CONTEXT)))
        return false;
    if (trace_given(event->given, TRACE_RESOURCE) &&
        !visit(visitor, RESOURCE, event->resource, creates_or_destroys(op, RESOURCE)))
        return false;
    bool allocations = creates_or_destroys(op, ALLOCATION);
    if (trace_given(event->given, TRACE_ALLOCATION) &&
        !visit(visitor, ALLOCATION, event->allocation, allocations))
        return false;
    for (uint32_t i = 0; i < event->creations.count; i++)
        if (!visit(visitor, ALLOCATION, event->creations.items[i].allocation, true))
            return false;
    return visit_list(visitor, CONTEXT, event->contexts, false) &&
           visit_list(visitor, ALLOCATION, event->allocations, allocations) &&
           visit_list(visitor, ALLOCATION, event->writes, false);
}

static bool add(struct visitor *visitor, const struct key *key, bool lifecycle)
{
    struct order *order = visitor->order;
    struct object *object;
    HASH_FIND(hh, order->objects, key, sizeof *key, object);
    if (!object) {
        object = memory_pool_take(&order->pool);
        *object = (struct object){.key = *key};
        HASH_ADD(hh, order->objects, key, sizeof *key, object);
    }
    struct mention *mention = memory_pool_take(&order->mentions);
    *mention = (struct mention){.index = visitor->index};
    struct mention **list = lifecycle ? &object->lifecycle : &object->uses;
    DL_APPEND(*list, mention);
    return true;
}

void order_put_off(struct order *order, uint64_t index, const struct trace_event *event)
{
    visit_all(&(struct visitor){.visit = add, .order = order, .index = index}, event);
}

static bool take_away(struct visitor *visitor, const struct key *key, bool lifecycle)
{
    struct object *object;
    HASH_FIND(hh, visitor->order->objects, key, sizeof *key, object);
    if (!object)
        return true;
    struct mention **list = lifecycle ? &object->lifecycle : &object->uses, *mention, *next;
    DL_FOREACH_SAFE (*list, mention, next) {
        if (mention->index > visitor->index)
            break;
        if (mention->index == visitor->index) {
            DL_DELETE(*list, mention);
            memory_pool_give(&visitor->order->mentions, mention);
        }
    }
    if (!object->uses && !object->lifecycle)
        forget(visitor->order, object);
    return true;
}

void order_made(struct order *order, uint64_t index, const struct trace_event *event)
{
    visit_all(&(struct visitor){.visit = take_away, .order = order, .index = index}, event);
}

static bool allows(struct visitor *visitor, const struct key *key, bool lifecycle)
{
    struct object *object;
    HASH_FIND(hh, visitor->order->objects, key, sizeof *key, object);
    if (!object)
        return true;
    bool use_before = object->uses && object->uses->index < visitor->index;
    bool lifecycle_before = object->lifecycle && object->lifecycle->index < visitor->index;
    return !lifecycle_before && !(lifecycle && use_before);
}

bool order_allows(const struct order *order, uint64_t index, const struct trace_event *event)
{
    if (!order->objects)
        return true;
    struct visitor visitor = {
        .visit = allows, .order = (struct order *)(uintptr_t)order, .index = index};
    return visit_all(&visitor, event);
}
