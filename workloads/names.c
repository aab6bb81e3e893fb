/* Names are looked up several times per event, and most are numbers: these have a table of their
 * own, whose look-up touches one cache line. */
#include "workloads/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { FIRST_BITS = 6 };

static size_t home(const struct names *names, uint64_t number)
{
    return (size_t)(number * 0x9e3779b97f4a7c15 >> (64 - names->bits));
}

static size_t after(const struct names *names, size_t slot)
{
    return (slot + 1) & (((size_t)1 << names->bits) - 1);
}

/* The slot of the number, or the empty one where it would be. */
static size_t find_slot(const struct names *names, uint64_t number)
{
    size_t slot = home(names, number);
    while (names->slots[slot].object && names->slots[slot].number != number)
        slot = after(names, slot);
    return slot;
}

static void grow(struct names *names)
{
    names->bits = names->bits ? names->bits + 1 : FIRST_BITS;
    free(names->slots);
    names->slots = memory_new((size_t)1 << names->bits, sizeof *names->slots);
    struct named_object *object;
    DL_FOREACH (names->by_number, object)
        names->slots[find_slot(names, object->name.number)] =
            (struct names_slot){object->name.number, object};
}

static void add_number(struct names *names, struct named_object *object)
{
    if (names->count >= ((size_t)1 << names->bits) / 2)
        grow(names);
    names->count++;
    DL_APPEND(names->by_number, object);
    names->slots[find_slot(names, object->name.number)] =
        (struct names_slot){object->name.number, object};
}

/* Those behind the emptied slot that would no longer be found move up. */
static void remove_number(struct names *names, struct named_object *object)
{
    size_t hole = find_slot(names, object->name.number);
    size_t mask = ((size_t)1 << names->bits) - 1;
    for (size_t slot = after(names, hole); names->slots[slot].object; slot = after(names, slot)) {
        size_t way = (slot - home(names, names->slots[slot].number)) & mask;
        if (way < ((slot - hole) & mask))
            continue;
        names->slots[hole] = names->slots[slot];
        hole = slot;
    }
    names->slots[hole].object = NULL;
    names->count--;
    DL_DELETE(names->by_number, object);
}

struct named_object *names_find(const struct names *names, struct trace_name name)
{
    struct named_object *object;
    if (!name.text)
        return names->slots ? names->slots[find_slot(names, name.number)].object : NULL;
    HASH_FIND_STR(names->by_text, name.text, object);
    return object;
}

struct named_object *names_add(struct names *names, struct trace_name name)
{
    names->pool.object_size = sizeof(struct named_object);
    struct named_object *object = memory_pool_take(&names->pool);
    *object = (struct named_object){.name.number = name.number};
    if (name.text) {
        object->name.text = strdup(name.text);
        HASH_ADD_KEYPTR(hh, names->by_text, object->name.text, strlen(name.text), object);
    } else {
        add_number(names, object);
    }
    return object;
}

void names_remove(struct names *names, struct named_object *object)
{
    if (object->name.text)
        HASH_DEL(names->by_text, object);
    else
        remove_number(names, object);
    free((void *)(uintptr_t)object->name.text);
    if (object->views != &object->only_view)
        free(object->views);
    free(object->members);
    memory_pool_give(&names->pool, object);
}

void names_each(struct names *names, void (*visit)(void *self, struct named_object *object),
                void *self)
{
    struct named_object *object, *next;
    DL_FOREACH_SAFE (names->by_number, object, next)
        visit(self, object);
    HASH_ITER (hh, names->by_text, object, next)
        visit(self, object);
}

static void remove_object(void *self, struct named_object *object)
{
    names_remove(self, object);
}

void names_fini(struct names *names)
{
    names_each(names, remove_object, names);
    free(names->slots);
    memory_pool_fini(&names->pool);
    *names = (struct names){0};
}

const char *names_text(struct trace_name name)
{
    static char buffers[4][64];
    static unsigned turn;
    char *buffer = buffers[turn++ % 4];
    if (name.text)
        snprintf(buffer, sizeof buffers[0], "\"%.60s\"", name.text);
    else
        snprintf(buffer, sizeof buffers[0], "%" PRIu64, name.number);
    return buffer;
}
