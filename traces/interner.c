#include "traces/interner.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BITS = 10 };

static uint64_t hash(struct trace_name name)
{
    uint64_t sum = name.number;
    if (name.text != NULL) { /* FNV-1a */
        sum = UINT64_C(0xcbf29ce484222325);
        for (const char *at = name.text; *at != '\0'; at++)
            sum = (sum ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    }
    return sum * UINT64_C(0x9e3779b97f4a7c15);
}

static bool same(struct trace_name a, struct trace_name b)
{
    if (a.text == NULL || b.text == NULL)
        return a.text == b.text && a.number == b.number;
    return strcmp(a.text, b.text) == 0;
}

/* The slot of the name, or the empty one where it would be. */
static size_t find_slot(const struct interner *interner, struct trace_name name)
{
    size_t mask = ((size_t)1 << interner->bits) - 1;
    size_t slot = (size_t)(hash(name) >> (64 - interner->bits));
    while (interner->slots[slot] != 0 && !same(interner->names[interner->slots[slot] - 1], name))
        slot = (slot + 1) & mask;
    return slot;
}

static bool grow_slots(struct interner *interner)
{
    unsigned bits = interner->bits != 0 ? interner->bits + 1 : FIRST_BITS;
    uint32_t *slots = calloc((size_t)1 << bits, sizeof *slots);
    if (slots == NULL)
        return false;
    free(interner->slots);
    interner->slots = slots;
    interner->bits = bits;
    for (uint32_t i = 0; i < interner->count; i++)
        slots[find_slot(interner, interner->names[i])] = i + 1;
    return true;
}

static bool grow_names(struct interner *interner)
{
    uint32_t room = interner->room != 0 ? 2 * interner->room : 256;
    struct trace_name *names = realloc(interner->names, room * sizeof *names);
    if (names == NULL)
        return false;
    interner->names = names;
    interner->room = room;
    return true;
}

uint32_t interner_number(struct interner *interner, struct trace_name name)
{
    bool full = interner->bits == 0 || interner->count >= ((size_t)1 << interner->bits) / 2;
    if (full && !grow_slots(interner))
        return UINT32_MAX;
    size_t slot = find_slot(interner, name);
    if (interner->slots[slot] != 0)
        return interner->slots[slot] - 1;
    if (interner->count == interner->room && !grow_names(interner))
        return UINT32_MAX;
    struct trace_name *kept = &interner->names[interner->count];
    *kept = (struct trace_name){.number = name.number};
    if (name.text != NULL && (kept->text = strdup(name.text)) == NULL)
        return UINT32_MAX;
    interner->slots[slot] = ++interner->count;
    return interner->count - 1;
}

void interner_fini(struct interner *interner)
{
    for (uint32_t i = 0; i < interner->count; i++)
        free((char *)(uintptr_t)interner->names[i].text);
    free(interner->names);
    free(interner->slots);
}
