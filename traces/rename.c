#include "traces/rename.h"

#include "traces/vocabulary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool names_objects(enum trace_field field)
{
    switch (field) {
    case TRACE_DEVICE:
    case TRACE_CONTEXT:
    case TRACE_CONTEXTS:
    case TRACE_RESOURCE:
    case TRACE_ALLOCATION:
    case TRACE_ALLOCATIONS:
    case TRACE_WRITES:
    case TRACE_FENCE:
        return true;
    default:
        return false;
    }
}

static bool rename_one(struct trace_name *name, unsigned prefix, struct trace_arena *arena)
{
    enum { AROUND = 24 + 24 }; /* the prefix, and a number */
    size_t room = AROUND + (name->text != NULL ? strlen(name->text) : 0);
    char *text = trace_arena_take(arena, room, 1);
    if (text == NULL)
        return false;
    if (name->text != NULL)
        snprintf(text, room, "%u: %s", prefix, name->text);
    else
        snprintf(text, room, "%u: %" PRIu64, prefix, name->number);
    *name = (struct trace_name){.text = text};
    return true;
}

static bool rename_list(struct trace_names *names, unsigned prefix, struct trace_arena *arena)
{
    struct trace_name *items = trace_arena_take(arena, names->count, sizeof *items);
    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < names->count; i++) {
        items[i] = names->items[i];
        if (!rename_one(&items[i], prefix, arena))
            return false;
    }
    names->items = items;
    return true;
}

static bool rename_creations(struct trace_allocations *list, unsigned prefix,
                             struct trace_arena *arena)
{
    struct trace_allocation *items = trace_arena_take(arena, list->count, sizeof *items);
    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < list->count; i++) {
        items[i] = list->items[i];
        if (!rename_one(&items[i].allocation, prefix, arena))
            return false;
    }
    list->items = items;
    return true;
}

bool trace_rename_objects(struct trace_event *event, unsigned prefix, struct trace_arena *arena)
{
    const struct trace_op_spec *spec = &trace_ops[event->op];
    bool good = true;
    for (uint32_t i = 0; good && i < spec->field_count; i++) {
        const struct trace_field_spec *field = &spec->fields[i];
        void *at = (unsigned char *)event + field->offset;
        if (!trace_given(event->given, field->field))
            continue;
        if (field->type == TRACE_TYPE_CREATIONS)
            good = rename_creations(at, prefix, arena);
        else if (!names_objects(field->field))
            continue;
        else if (field->type == TRACE_TYPE_NAME)
            good = rename_one(at, prefix, arena);
        else if (field->type == TRACE_TYPE_NAMES)
            good = rename_list(at, prefix, arena);
    }
    return good;
}
