/* Reading JSON Lines: values, and what is said of bad ones. */
#include "traces/jsonl.h"

#include "model/status.h"

#include <stdio.h>
#include <string.h>

/* Messages. */

const char *jsonl_place(void *state)
{
    struct jsonl *reader = state;
    snprintf(reader->place, reader->place_room, "%s:%llu", reader->path,
             (unsigned long long)reader->line);
    return reader->place;
}

/* "trace.jsonl:1042: CreateAllocation: allocations[3]: " and the message. */
bool jsonl_fail(struct jsonl *reader, const char *message)
{
    char element[40] = "";
    if (reader->element != JSONL_NO_ELEMENT)
        snprintf(element, sizeof element, "allocations[%lld]: ", (long long)reader->element);
    return trace_fail(reader->error, true, "%s: %s%s%s%s", jsonl_place(reader),
                      reader->op != NULL ? reader->op : "", reader->op != NULL ? ": " : "", element,
                      message);
}

bool jsonl_fail_memory(struct jsonl *reader)
{
    return trace_fail(reader->error, false, "%s: out of memory", jsonl_place(reader));
}

struct excerpt {
    char text[TRACE_EXCERPT + 8];
    size_t length;
};

/* jansson's side of dumping a value: takes what fits and then stops it. */
static int take_excerpt(const char *bytes, size_t size, void *data)
{
    struct excerpt *excerpt = data;
    size_t room = sizeof excerpt->text - 1 - excerpt->length;
    size_t taken = size < room ? size : room;
    memcpy(excerpt->text + excerpt->length, bytes, taken);
    excerpt->length += taken;
    return taken == size ? 0 : -1;
}

bool jsonl_fail_value(struct jsonl *reader, const char *field, const char *expected,
                      const json_t *got)
{
    struct excerpt found = {.length = 0};
    char message[256];
    json_dump_callback(got, take_excerpt, &found, JSON_COMPACT | JSON_ENCODE_ANY);
    trace_shorten(found.text, sizeof found.text);
    if (json_is_string(got))
        snprintf(message, sizeof message, "%.80s: expected %s, got the string %s", field, expected,
                 found.text);
    else
        snprintf(message, sizeof message, "%.80s: expected %s, got \"%s\"", field, expected,
                 found.text);
    return jsonl_fail(reader, message);
}

bool jsonl_fail_unknown(struct jsonl *reader, const char *what, const char *name,
                        struct trace_guess guess)
{
    char excerpt[TRACE_EXCERPT + 8], message[256];
    snprintf(excerpt, sizeof excerpt, "%s", name);
    trace_shorten(excerpt, sizeof excerpt);
    if (guess.best != NULL)
        snprintf(message, sizeof message, "%s \"%s\"; did you mean \"%s\"?", what, excerpt,
                 guess.best);
    else
        snprintf(message, sizeof message, "%s \"%s\"", what, excerpt);
    return jsonl_fail(reader, message);
}

bool jsonl_fail_missing(struct jsonl *reader, const char *field)
{
    char message[64];
    snprintf(message, sizeof message, "%s: missing", field);
    return jsonl_fail(reader, message);
}

/* What a number stands for. */
static const char *expected_count(const struct trace_field_spec *spec)
{
    switch (spec->field) {
    case TRACE_SIZE:
        return "a positive number of bytes";
    case TRACE_ALIGNMENT:
    case TRACE_BYTES:
    case TRACE_PRIVATE_DATA:
    case TRACE_RUNTIME_DATA:
        return "a number of bytes";
    case TRACE_DUR:
    case TRACE_DONE:
    case TRACE_GPU:
    case TRACE_SWITCH:
    case TRACE_GRANULE:
        return "a number of nanoseconds";
    default:
        return "a non-negative integer";
    }
}

/* Values. */

bool jsonl_get_count(const json_t *value, uint64_t most, uint64_t *number)
{
    if (!json_is_integer(value))
        return false;
    json_int_t integer = json_integer_value(value);
    *number = (uint64_t)integer;
    return integer >= 0 && (uint64_t)integer <= most;
}

static bool get_name(const json_t *value, struct trace_name *name)
{
    if (json_is_string(value)) {
        name->text = json_string_value(value);
        return name->text[0] != '\0';
    }
    return jsonl_get_count(value, INT64_MAX, &name->number);
}

static bool read_names(struct jsonl *reader, const char *field, const json_t *value,
                       struct trace_names *names)
{
    if (!json_is_array(value) || json_array_size(value) > TRACE_MOST_NAMES)
        return jsonl_fail_value(reader, field, "a list of names", value);
    size_t count = json_array_size(value);
    struct trace_name *items = trace_arena_take(&reader->arena, count, sizeof *items);
    if (items == NULL)
        return jsonl_fail_memory(reader);
    for (size_t i = 0; i < count; i++)
        if (!get_name(json_array_get(value, i), &items[i])) {
            char where[96];
            snprintf(where, sizeof where, "%s[%zu]", field, i);
            return jsonl_fail_value(reader, where,
                                    "a name (a non-negative integer or a non-empty string)",
                                    json_array_get(value, i));
        }
    *names = (struct trace_names){.items = items, .count = (uint32_t)count};
    return true;
}

/* The bit of a name in the table; false: it is not there, and that is the error. */
static bool find_flag(struct jsonl *reader, const struct trace_field_spec *spec, const char *name,
                      uint64_t *bit)
{
    const struct trace_flag *flag = spec->flags;
    while (flag->name != NULL && strcmp(flag->name, name) != 0)
        flag++;
    if (flag->name != NULL) {
        *bit = flag->bit;
        return true;
    }
    char what[96];
    struct trace_guess guess = trace_guess_start(name);
    for (flag = spec->flags; flag->name != NULL; flag++)
        trace_guess_offer(&guess, name, flag->name);
    snprintf(what, sizeof what, "%s: unknown %s", spec->name,
             spec->type == TRACE_TYPE_CHOICE ? "choice" : "flag");
    return jsonl_fail_unknown(reader, what, name, guess);
}

static bool read_choice(struct jsonl *reader, const struct trace_field_spec *spec,
                        const json_t *value, uint64_t *bit)
{
    if (!json_is_string(value))
        return jsonl_fail_value(reader, spec->name, "a name", value);
    return find_flag(reader, spec, json_string_value(value), bit);
}

static bool read_flags(struct jsonl *reader, const struct trace_field_spec *spec,
                       const json_t *value, uint64_t *bits)
{
    if (!json_is_array(value))
        return jsonl_fail_value(reader, spec->name, "a list of flag names", value);
    *bits = 0;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *name = json_string_value(json_array_get(value, i));
        if (name == NULL)
            return jsonl_fail_value(reader, spec->name, "a list of flag names", value);
        uint64_t bit;
        if (!find_flag(reader, spec, name, &bit))
            return false;
        *bits |= bit;
    }
    return true;
}

static bool read_status(struct jsonl *reader, const char *field, const json_t *value,
                        uint32_t *status)
{
    uint64_t number;
    if (json_is_string(value) && status_from_name(json_string_value(value), status))
        return true;
    if (!jsonl_get_count(value, UINT32_MAX, &number))
        return jsonl_fail_value(reader, field, "the name or number of an NTSTATUS", value);
    *status = (uint32_t)number;
    return true;
}

static bool read_standard(struct jsonl *reader, const char *field, const json_t *value,
                          struct trace_standard *standard)
{
    const json_t *type = json_object_get(value, "type");
    const json_t *size = json_object_get(value, "size");
    bool heap = json_is_string(type) && strcmp(json_string_value(type), "ExistingHeap") == 0;
    if (heap)
        standard->type = 1;
    if (json_object_size(value) != 2 ||
        !(heap || jsonl_get_count(type, INT64_MAX, &standard->type)) ||
        !jsonl_get_count(size, INT64_MAX, &standard->size))
        return jsonl_fail_value(reader, field,
                                "{\"type\": \"ExistingHeap\" or a number, \"size\": bytes}", value);
    return true;
}

bool jsonl_read_value(struct jsonl *reader, const struct trace_field_spec *spec,
                      const json_t *value, void *target)
{
    switch (spec->type) {
    case TRACE_TYPE_COUNT: {
        uint64_t *number = target;
        if (!jsonl_get_count(value, INT64_MAX, number) ||
            (*number == 0 && trace_must_be_positive(spec)))
            return jsonl_fail_value(reader, spec->name, expected_count(spec), value);
        return true;
    }
    case TRACE_TYPE_SIGNED:
        if (!json_is_integer(value))
            return jsonl_fail_value(reader, spec->name, "an integer", value);
        *(int64_t *)target = json_integer_value(value);
        return true;
    case TRACE_TYPE_BOOL:
        if (!json_is_boolean(value))
            return jsonl_fail_value(reader, spec->name, "true or false", value);
        *(bool *)target = json_is_true(value);
        return true;
    case TRACE_TYPE_STATUS:
        return read_status(reader, spec->name, value, target);
    case TRACE_TYPE_NAME:
        if (!get_name(value, target))
            return jsonl_fail_value(reader, spec->name,
                                    "a name (a non-negative integer or a non-empty string)", value);
        return true;
    case TRACE_TYPE_NAMES:
        return read_names(reader, spec->name, value, target);
    case TRACE_TYPE_STRING:
        if (!json_is_string(value))
            return jsonl_fail_value(reader, spec->name, "a string", value);
        *(const char **)target = json_string_value(value);
        return true;
    case TRACE_TYPE_FLAGS:
        return read_flags(reader, spec, value, target);
    case TRACE_TYPE_CHOICE:
        return read_choice(reader, spec, value, target);
    case TRACE_TYPE_STANDARD:
        return read_standard(reader, spec->name, value, target);
    case TRACE_TYPE_ADDRESS:
        if (json_is_true(value))
            *(uint64_t *)target = 1;
        else if (!jsonl_get_count(value, INT64_MAX, target))
            return jsonl_fail_value(reader, spec->name, "an address or true", value);
        return true;
    case TRACE_TYPE_CREATIONS:
        return jsonl_read_creations(reader, spec->name, value, target);
    }
    return false;
}
