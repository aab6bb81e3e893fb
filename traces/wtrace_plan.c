#include "traces/wtrace_plan.h"

#include "traces/check.h"
#include "traces/message.h"

#include <string.h>

enum { MOST_OPS = 256, MOST_FIELDS = 48 }; /* with outcome and extras, presence fits 64 bits */

void wtrace_clear(void *memory, size_t size)
{
    memset(memory, 0, size);
}

bool wtrace_get_long_varint(struct wtrace_cursor *cursor, uint64_t *number)
{
    const unsigned char *at = cursor->at;
    uint64_t value = 0;
    if (cursor->end - at >= 10) { /* the longest there is: no need to look for the end */
        for (unsigned shift = 0; shift < 63; shift += 7) {
            value |= (uint64_t)(*at & 0x7f) << shift;
            if (*at++ < 0x80) {
                cursor->at = at;
                *number = value;
                return true;
            }
        }
        cursor->at = at + 1;
        *number = value | (uint64_t)*at << 63;
        return *at <= 1;
    }
    for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
        unsigned char byte = *cursor->at++;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *number = value;
            return true;
        }
    }
    return false;
}

const char *wtrace_read_string(struct wtrace_cursor *cursor, struct trace_arena *arena,
                               const char **text)
{
    uint64_t length;
    if (!wtrace_get_varint(cursor, &length) || length > (uint64_t)(cursor->end - cursor->at))
        return "a string runs past the end";
    const char *bytes = (const char *)cursor->at;
    if (memchr(bytes, '\0', (size_t)length) != NULL || !trace_is_utf8(bytes, (size_t)length))
        return "a string is not UTF-8";
    char *copy = trace_arena_take(arena, (size_t)length + 1, 1);
    if (copy == NULL)
        return "out of memory";
    memcpy(copy, bytes, (size_t)length);
    cursor->at += length;
    *text = copy;
    return NULL;
}

static const struct trace_field_spec *find_field(const struct trace_op_spec *spec, const char *name)
{
    for (uint32_t i = 0; spec != NULL && i < spec->field_count; i++)
        if (strcmp(spec->fields[i].name, name) == 0)
            return &spec->fields[i];
    return NULL;
}

static enum wtrace_code code_of(const struct trace_field_spec *field)
{
    switch (field->type) {
    case TRACE_TYPE_COUNT:
        if (field->field == TRACE_DONE)
            return WTRACE_CODE_DONE;
        return trace_must_be_positive(field) ? WTRACE_CODE_POSITIVE : WTRACE_CODE_COUNT;
    case TRACE_TYPE_ADDRESS:
        return WTRACE_CODE_COUNT;
    case TRACE_TYPE_SIGNED:
        return WTRACE_CODE_SIGNED;
    case TRACE_TYPE_BOOL:
        return WTRACE_CODE_BOOL;
    case TRACE_TYPE_STATUS:
        return WTRACE_CODE_STATUS;
    case TRACE_TYPE_NAME:
        return WTRACE_CODE_NAME;
    case TRACE_TYPE_NAMES:
        return WTRACE_CODE_NAMES;
    case TRACE_TYPE_STRING:
        return WTRACE_CODE_STRING;
    case TRACE_TYPE_FLAGS:
    case TRACE_TYPE_CHOICE:
        return WTRACE_CODE_FLAGS;
    case TRACE_TYPE_STANDARD:
        return WTRACE_CODE_STANDARD;
    case TRACE_TYPE_CREATIONS:
        return WTRACE_CODE_CREATIONS;
    }
    return WTRACE_CODE_NEWER;
}

static struct wtrace_step step_for(const struct trace_field_spec *field)
{
    return (struct wtrace_step){
        .code = code_of(field),
        .offset = (uint32_t)field->offset,
        .given = TRACE_GIVEN(field->field),
        .known = field->flags != NULL ? trace_flags_known(field->flags) : 0,
    };
}

/* The extras of an event or element. */
static struct wtrace_step extras_step(size_t offset)
{
    return (struct wtrace_step){
        .code = WTRACE_CODE_EXTRAS, .offset = (uint32_t)offset, .given = TRACE_GIVEN(TRACE_EXTRAS)};
}

/* The fields of one op as the file lists them. `spec` NULL: an op this version does not know. */
static const char *read_steps(struct wtrace_cursor *cursor, struct trace_arena *arena,
                              const struct trace_op_spec *spec, struct wtrace_step *steps,
                              uint32_t *count)
{
    uint64_t fields;
    if (!wtrace_get_varint(cursor, &fields) || fields > MOST_FIELDS)
        return "the vocabulary is damaged";
    *count = 0;
    while (*count < fields) {
        const char *name;
        uint64_t type;
        const char *wrong = wtrace_read_string(cursor, arena, &name);
        if (wrong != NULL)
            return wrong;
        if (!wtrace_get_varint(cursor, &type))
            return "the vocabulary is damaged";
        const struct trace_field_spec *field = find_field(spec, name);
        struct wtrace_step *step = &steps[(*count)++];
        if (field == NULL)
            *step = (struct wtrace_step){.code = WTRACE_CODE_NEWER};
        else if (field->type != type)
            return "a field has another type than in this version of wddmsim";
        else
            *step = step_for(field);
    }
    return NULL;
}

static const char *read_plan(struct wtrace_cursor *cursor, struct trace_arena *arena,
                             const struct trace_op_spec *spec, const struct wtrace_step *tail,
                             uint32_t tail_count, struct wtrace_plan *plan)
{
    struct wtrace_step steps[MOST_FIELDS + 1];
    uint32_t count;
    const char *wrong = read_steps(cursor, arena, spec, steps, &count);
    if (wrong != NULL)
        return wrong;
    struct wtrace_step *kept = trace_arena_take(arena, count + tail_count, sizeof *kept);
    if (kept == NULL)
        return "out of memory";
    if (count > 0)
        memcpy(kept, steps, count * sizeof *kept);
    memcpy(kept + count, tail, tail_count * sizeof *kept);
    plan->steps = kept;
    plan->presence = (UINT64_C(1) << (count + tail_count)) - 1;
    return NULL;
}

const char *wtrace_read_plans(struct wtrace_cursor *cursor, struct trace_arena *arena,
                              struct wtrace_plans *plans)
{
    uint64_t op_count;
    const char *name, *wrong;
    if (!wtrace_get_varint(cursor, &op_count) || op_count > MOST_OPS)
        return "the vocabulary is damaged";
    plans->op_count = (uint32_t)op_count;
    plans->ops = trace_arena_take(arena, plans->op_count, sizeof *plans->ops);
    if (plans->ops == NULL)
        return "out of memory";

    struct wtrace_step tail[MOST_FIELDS + 1]; /* outcome and extras, behind every op's own fields */
    uint32_t outcomes;
    if ((wrong = wtrace_read_string(cursor, arena, &name)) != NULL ||
        (wrong = read_steps(cursor, arena, &trace_outcome_spec, tail, &outcomes)) != NULL)
        return wrong;
    if (outcomes > 63 - MOST_FIELDS - 1)
        return "the vocabulary is damaged";
    tail[outcomes] = extras_step(offsetof(struct trace_event, extras));

    const struct wtrace_step extras = extras_step(offsetof(struct trace_allocation, extras));
    if ((wrong = wtrace_read_string(cursor, arena, &name)) != NULL ||
        (wrong = read_plan(cursor, arena, &trace_allocation_spec, &extras, 1,
                           &plans->allocation)) != NULL)
        return wrong;
    plans->allocation.required = trace_allocation_fields().required;

    for (uint32_t i = 0; i < plans->op_count; i++) {
        struct wtrace_plan *plan = &plans->ops[i];
        if ((wrong = wtrace_read_string(cursor, arena, &name)) != NULL)
            return wrong;
        bool known = trace_op_from_name(name, &plan->op);
        const struct trace_op_spec *spec = known ? &trace_ops[plan->op] : NULL;
        if ((wrong = read_plan(cursor, arena, spec, tail, outcomes + 1, plan)) != NULL)
            return wrong;
        if (!known) {
            plan->op = TRACE_OPS;
            continue;
        }
        plan->required = trace_op_fields(plan->op).required;
    }
    return NULL;
}
