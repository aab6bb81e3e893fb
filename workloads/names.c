/* Names are looked up several times per event: numbers are hashed by one multiplication and
 * compared as numbers. */
#define HASH_FUNCTION(key, length, hash) ((hash) = names_hash((key), (length)))
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static unsigned names_hash(const void *key, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325;
    if (length == sizeof(uint64_t)) {
        memcpy(&hash, key, sizeof hash);
        hash *= 0x9e3779b97f4a7c15;
    } else {
        const unsigned char *byte = key;
        for (size_t i = 0; i < length; i++)
            hash = (hash ^ byte[i]) * 0x100000001b3;
    }
    return (unsigned)(hash >> 32);
}

static int names_differ(const void *a, const void *b, size_t length)
{
    uint64_t first, second;
    if (length != sizeof first)
        return memcmp(a, b, length);
    memcpy(&first, a, sizeof first);
    memcpy(&second, b, sizeof second);
    return first != second;
}
#define HASH_KEYCMP(a, b, length) names_differ((a), (b), (length))

#include "workloads/names.h"

#include "model/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct named_object *names_find(const struct names *names, struct trace_name name)
{
    struct named_object *object;
    if (name.text)
        HASH_FIND_STR(names->by_text, name.text, object);
    else
        HASH_FIND(hh, names->by_number, &name.number, sizeof name.number, object);
    return object;
}

struct named_object *names_add(struct names *names, struct trace_name name)
{
    struct named_object *object = memory_new(1, sizeof *object);
    object->name.number = name.number;
    if (name.text) {
        object->name.text = strdup(name.text);
        HASH_ADD_KEYPTR(hh, names->by_text, object->name.text, strlen(name.text), object);
    } else {
        HASH_ADD(hh, names->by_number, name.number, sizeof name.number, object);
    }
    return object;
}

void names_remove(struct names *names, struct named_object *object)
{
    if (object->name.text)
        HASH_DEL(names->by_text, object);
    else
        HASH_DEL(names->by_number, object);
    free((void *)(uintptr_t)object->name.text);
    free(object->views);
    free(object->members);
    free(object);
}

void names_each(struct names *names, void (*visit)(void *self, struct named_object *object),
                void *self)
{
    struct named_object *object, *next;
    HASH_ITER (hh, names->by_number, object, next)
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
