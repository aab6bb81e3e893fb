#include "traces/check.h"

#include "traces/message.h"

#include <jansson.h>
#include <string.h>

static struct trace_field_sets sets_of(const struct trace_op_spec *spec)
{
    struct trace_field_sets sets = {0, 0};
    for (uint32_t i = 0; i < spec->field_count; i++) {
        sets.allowed |= TRACE_GIVEN(spec->fields[i].field);
        if (spec->fields[i].required)
            sets.required |= TRACE_GIVEN(spec->fields[i].field);
    }
    return sets;
}

struct trace_field_sets trace_op_fields(enum trace_op op)
{
    struct trace_field_sets sets = sets_of(&trace_ops[op]);
    sets.allowed |= sets_of(&trace_outcome_spec).allowed | TRACE_GIVEN(TRACE_EXTRAS);
    return sets;
}

struct trace_field_sets trace_allocation_fields(void)
{
    struct trace_field_sets sets = sets_of(&trace_allocation_spec);
    sets.allowed |= TRACE_GIVEN(TRACE_EXTRAS);
    return sets;
}

const char *trace_check_combination(enum trace_op op, uint64_t given)
{
    bool context = trace_given(given, TRACE_CONTEXT);
    if (op == TRACE_CREATE_CONTEXT_ALLOCATION && !context && !trace_given(given, TRACE_DEVICE))
        return "context or device: missing";
    if ((op == TRACE_SIGNAL || op == TRACE_WAIT) && context && trace_given(given, TRACE_CONTEXTS))
        return "context and contexts: only one of them may be given";
    if (op == TRACE_SET_CONTEXT_PRIORITY && !trace_given(given, TRACE_PRIORITY) &&
        !trace_given(given, TRACE_IN_PROCESS))
        return "priority or in-process: missing";
    if (op == TRACE_SET_PROCESS_PRIORITY && !trace_given(given, TRACE_CLASS) &&
        !trace_given(given, TRACE_BAND))
        return "class or band: missing";
    return NULL;
}

bool trace_must_be_positive(const struct trace_field_spec *field)
{
    return field->field == TRACE_SIZE;
}

uint64_t trace_flags_known(const struct trace_flag *flags)
{
    uint64_t known = 0;
    for (; flags->name != NULL; flags++)
        known |= flags->bit;
    return known;
}

bool trace_check_extras(const char *extras)
{
    if (extras == NULL || strpbrk(extras, "\n\r") != NULL)
        return false;
    json_t *object = json_loads(extras, JSON_REJECT_DUPLICATES, NULL);
    bool good = json_is_object(object);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) good = good && strncmp(key, "x-", 2) == 0;
    json_decref(object);
    return good;
}

static const char *wrong_name(const struct trace_name *name)
{
    if (name->text == NULL)
        return name->number > INT64_MAX ? "the number is beyond 2^63 - 1" : NULL;
    if (name->text[0] == '\0')
        return "the name is empty";
    return trace_is_utf8(name->text, strlen(name->text)) ? NULL : "the name is not UTF-8";
}

static const char *wrong_names(const struct trace_names *names)
{
    if (names->count > TRACE_MOST_NAMES)
        return "too many names";
    for (uint32_t i = 0; i < names->count; i++) {
        const char *wrong = wrong_name(&names->items[i]);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static const char *wrong_fields(const struct trace_op_spec *spec, const void *structure,
                                uint64_t given, const char **field);

static const char *wrong_creations(const struct trace_allocations *list)
{
    if (list->count > TRACE_MOST_CREATIONS)
        return "too many allocations";
    const struct trace_field_sets sets = trace_allocation_fields();
    for (uint32_t i = 0; i < list->count; i++) {
        const struct trace_allocation *item = &list->items[i];
        const char *field;
        if ((item->given & ~sets.allowed) != 0 || (sets.required & ~item->given) != 0)
            return "an element lacks a field or has one too many";
        if (trace_given(item->given, TRACE_EXTRAS) && !trace_check_extras(item->extras))
            return "an element's extras are not an object of x- fields";
        const char *wrong = wrong_fields(&trace_allocation_spec, item, item->given, &field);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static const char *wrong_value(const struct trace_field_spec *spec, const void *value)
{
    switch (spec->type) {
    case TRACE_TYPE_COUNT:
    case TRACE_TYPE_ADDRESS: {
        uint64_t number = *(const uint64_t *)value;
        if (number == 0 && trace_must_be_positive(spec))
            return "the number of bytes is 0";
        return number > INT64_MAX ? "the number is beyond 2^63 - 1" : NULL;
    }
    case TRACE_TYPE_NAME:
        return wrong_name(value);
    case TRACE_TYPE_NAMES:
        return wrong_names(value);
    case TRACE_TYPE_STRING: {
        const char *text = *(const char *const *)value;
        return text != NULL && trace_is_utf8(text, strlen(text)) ? NULL : "not a UTF-8 string";
    }
    case TRACE_TYPE_FLAGS: {
        uint64_t unknown = *(const uint64_t *)value & ~trace_flags_known(spec->flags);
        return unknown != 0 ? "a bit without a name is set" : NULL;
    }
    case TRACE_TYPE_CHOICE: {
        uint64_t bit = *(const uint64_t *)value;
        bool one =
            bit != 0 && (bit & (bit - 1)) == 0 && (bit & ~trace_flags_known(spec->flags)) == 0;
        return one ? NULL : "no choice, or several";
    }
    case TRACE_TYPE_STANDARD: {
        const struct trace_standard *standard = value;
        bool beyond = standard->type > INT64_MAX || standard->size > INT64_MAX;
        return beyond ? "the number is beyond 2^63 - 1" : NULL;
    }
    case TRACE_TYPE_CREATIONS:
        return wrong_creations(value);
    case TRACE_TYPE_SIGNED:
    case TRACE_TYPE_BOOL:
    case TRACE_TYPE_STATUS:
        break; /* every value is good */
    }
    return NULL;
}

static const char *wrong_fields(const struct trace_op_spec *spec, const void *structure,
                                uint64_t given, const char **field)
{
    for (uint32_t i = 0; i < spec->field_count; i++) {
        if (!trace_given(given, spec->fields[i].field))
            continue;
        *field = spec->fields[i].name;
        const char *wrong = wrong_value(&spec->fields[i],
                                        (const unsigned char *)structure + spec->fields[i].offset);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

bool trace_check_event(const struct trace_event *event, struct trace_error *error)
{
    if ((unsigned)event->op >= TRACE_OPS)
        return trace_fail(error, true, "op %u is not in the vocabulary", (unsigned)event->op);
    const struct trace_op_spec *op = &trace_ops[event->op];
    const struct trace_field_sets sets = trace_op_fields(event->op);
    if (event->t_ns > INT64_MAX)
        return trace_fail(error, true, "%s: t: the number is beyond 2^63 - 1", op->name);
    if ((event->given & ~sets.allowed) != 0)
        return trace_fail(error, true, "%s: carries a field of another op", op->name);
    if ((sets.required & ~event->given) != 0)
        return trace_fail(error, true, "%s: a required field is missing", op->name);
    const char *wrong = trace_check_combination(event->op, event->given);
    if (wrong != NULL)
        return trace_fail(error, true, "%s: %s", op->name, wrong);

    const char *field = NULL;
    wrong = wrong_fields(op, event, event->given, &field);
    if (wrong == NULL)
        wrong = wrong_fields(&trace_outcome_spec, event, event->given, &field);
    if (wrong == NULL && trace_given(event->given, TRACE_EXTRAS) &&
        !trace_check_extras(event->extras)) {
        field = "extras";
        wrong = "not an object of x- fields";
    }
    return wrong == NULL || trace_fail(error, true, "%s: %s: %s", op->name, field, wrong);
}
