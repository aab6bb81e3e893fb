/* Reading JSON Lines: one object per line, the header first. */
#include "traces/jsonl.h"

#include "traces/input.h"
#include "traces/reader.h"

#include <stdlib.h>
#include <string.h>

/* Objects. */

/* Keeps an x- field for the object written as `extras`. */
static bool keep_extra(struct jsonl *reader, json_t **extras, const char *key, json_t *value)
{
    if (*extras == NULL)
        *extras = json_object();
    return json_object_set(*extras, key, value) == 0 || jsonl_fail_memory(reader);
}

/* The kept x- fields as text; takes over `extras`. */
static bool dump_extras(struct jsonl *reader, struct trace_arena *arena, json_t *extras,
                        const char **text)
{
    size_t length = json_dumpb(extras, NULL, 0, JSON_COMPACT);
    char *copy = trace_arena_take(arena, length + 1, 1);
    if (copy != NULL && length > 0)
        json_dumpb(extras, copy, length, JSON_COMPACT);
    json_decref(extras);
    *text = copy;
    return (copy != NULL && length > 0) || jsonl_fail_memory(reader);
}

/* Finds the field a key names. Text usually follows the table's order, so the search goes on where
 * the last one ended. */
static const struct trace_field_spec *find_field(const struct trace_op_spec *spec, const char *key,
                                                 uint32_t *next)
{
    for (uint32_t tried = 0; tried < spec->field_count; tried++) {
        if (*next >= spec->field_count)
            *next = 0;
        const struct trace_field_spec *field = &spec->fields[(*next)++];
        if (strcmp(field->name, key) == 0)
            return field;
    }
    return NULL;
}

static bool fail_field(struct jsonl *reader, const struct trace_op_spec *spec, const char *key,
                       bool event)
{
    static const char *const common[] = {"t", "pid", "tid"};
    struct trace_guess guess = trace_guess_start(key);
    for (uint32_t i = 0; i < spec->field_count; i++)
        trace_guess_offer(&guess, key, spec->fields[i].name);
    for (uint32_t i = 0; event && i < trace_outcome_spec.field_count; i++)
        trace_guess_offer(&guess, key, trace_outcome_spec.fields[i].name);
    for (size_t i = 0; event && i < sizeof common / sizeof *common; i++)
        trace_guess_offer(&guess, key, common[i]);
    return jsonl_fail_unknown(reader, "unknown field", key, guess);
}

static bool fail_required(struct jsonl *reader, const struct trace_op_spec *spec, uint64_t given)
{
    for (uint32_t i = 0; i < spec->field_count; i++)
        if (spec->fields[i].required && !trace_given(given, spec->fields[i].field))
            return jsonl_fail_missing(reader, spec->fields[i].name);
    return true;
}

static bool read_allocation(struct jsonl *reader, json_t *object,
                            struct trace_allocation *allocation)
{
    if (!json_is_object(object))
        return jsonl_fail(reader, "expected an object");
    json_t *extras = NULL;
    uint32_t next = 0;
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        json_t *value = json_object_iter_value(at);
        const struct trace_field_spec *field = find_field(&trace_allocation_spec, key, &next);
        bool good;
        if (field != NULL) {
            good =
                jsonl_read_value(reader, field, value, (unsigned char *)allocation + field->offset);
            allocation->given |= TRACE_GIVEN(field->field);
        } else if (strncmp(key, "x-", 2) == 0) {
            good = keep_extra(reader, &extras, key, value);
        } else {
            good = fail_field(reader, &trace_allocation_spec, key, false);
        }
        if (!good) {
            json_decref(extras);
            return false;
        }
    }
    if (extras != NULL) {
        allocation->given |= TRACE_GIVEN(TRACE_EXTRAS);
        if (!dump_extras(reader, &reader->arena, extras, &allocation->extras))
            return false;
    }
    if ((reader->element_sets.required & ~allocation->given) != 0)
        return fail_required(reader, &trace_allocation_spec, allocation->given);
    return true;
}

bool jsonl_read_creations(struct jsonl *reader, const char *field, const json_t *value,
                          struct trace_allocations *creations)
{
    if (!json_is_array(value) || json_array_size(value) > TRACE_MOST_CREATIONS)
        return jsonl_fail_value(reader, field, "a list of allocations", value);
    size_t count = json_array_size(value);
    struct trace_allocation *items = trace_arena_take(&reader->arena, count, sizeof *items);
    if (items == NULL)
        return jsonl_fail_memory(reader);
    for (size_t i = 0; i < count; i++) {
        reader->element = (int64_t)i;
        if (!read_allocation(reader, json_array_get(value, i), &items[i]))
            return false;
    }
    reader->element = JSONL_NO_ELEMENT;
    *creations = (struct trace_allocations){.items = items, .count = (uint32_t)count};
    return true;
}

/* One key of an event that is not its op's own: t, pid, tid, op, an outcome, an x- field. */
static bool read_common(struct jsonl *reader, const char *key, json_t *value,
                        struct trace_event *event, bool *has_t, json_t **extras)
{
    uint64_t number;
    if (strcmp(key, "op") == 0)
        return true; /* read before the others */
    if (strcmp(key, "t") == 0) {
        *has_t = jsonl_get_count(value, INT64_MAX, &event->t_ns);
        return *has_t || jsonl_fail_value(reader, key, "a number of nanoseconds", value);
    }
    if (strcmp(key, "pid") == 0 || strcmp(key, "tid") == 0) {
        if (!jsonl_get_count(value, UINT32_MAX, &number))
            return jsonl_fail_value(reader, key, "an integer from 0 to 4294967295", value);
        *(key[0] == 'p' ? &event->pid : &event->tid) = (uint32_t)number;
        return true;
    }
    uint32_t next = 0;
    const struct trace_field_spec *field = find_field(&trace_outcome_spec, key, &next);
    if (field != NULL) {
        event->given |= TRACE_GIVEN(field->field);
        return jsonl_read_value(reader, field, value, (unsigned char *)event + field->offset);
    }
    if (strncmp(key, "x-", 2) == 0)
        return keep_extra(reader, extras, key, value);
    return fail_field(reader, &trace_ops[event->op], key, true);
}

static bool read_op(struct jsonl *reader, const json_t *object, enum trace_op *op)
{
    const json_t *value = json_object_get(object, "op");
    if (value == NULL)
        return jsonl_fail_missing(reader, "op");
    if (!json_is_string(value))
        return jsonl_fail_value(reader, "op", "the name of an op", value);
    const char *name = json_string_value(value);
    if (!trace_op_from_name(name, op)) {
        struct trace_guess guess = trace_guess_start(name);
        for (size_t i = 0; i < TRACE_OPS; i++)
            trace_guess_offer(&guess, name, trace_ops[i].name);
        return jsonl_fail_unknown(reader, "unknown op", name, guess);
    }
    reader->op = trace_ops[*op].name;
    return true;
}

static bool read_event(struct jsonl *reader, json_t *object, struct trace_event *event)
{
    if (!read_op(reader, object, &event->op))
        return false;
    const struct trace_op_spec *spec = &trace_ops[event->op];
    json_t *extras = NULL;
    bool has_t = false;
    uint32_t next = 0;
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        json_t *value = json_object_iter_value(at);
        const struct trace_field_spec *field = find_field(spec, key, &next);
        bool good;
        if (field != NULL) {
            good = jsonl_read_value(reader, field, value, (unsigned char *)event + field->offset);
            event->given |= TRACE_GIVEN(field->field);
        } else {
            good = read_common(reader, key, value, event, &has_t, &extras);
        }
        if (!good) {
            json_decref(extras);
            return false;
        }
    }
    if (extras != NULL) {
        event->given |= TRACE_GIVEN(TRACE_EXTRAS);
        if (!dump_extras(reader, &reader->arena, extras, &event->extras))
            return false;
    }
    if (!has_t)
        return jsonl_fail_missing(reader, "t");
    if ((reader->sets[event->op].required & ~event->given) != 0)
        return fail_required(reader, spec, event->given);
    const char *wrong = trace_check_combination(event->op, event->given);
    return wrong == NULL || jsonl_fail(reader, wrong);
}

/* The header. */

static bool read_header_field(struct jsonl *reader, const char *key, json_t *value,
                              struct trace_header *header, json_t **extras)
{
    static const char *const fields[] = {"wddmsim", "source", "residency", "unknown",
                                         "unknown-size"};
    const char *text = json_string_value(value);
    if (strcmp(key, "wddmsim") == 0)
        return true; /* read before the others */
    if (strcmp(key, "source") == 0) {
        header->source = text;
        return text != NULL || jsonl_fail_value(reader, key, "a string", value);
    }
    if (strcmp(key, "residency") == 0) {
        if (text != NULL && strcmp(text, "explicit") == 0)
            header->residency = TRACE_RESIDENCY_EXPLICIT;
        else if (text != NULL && strcmp(text, "at-create") == 0)
            header->residency = TRACE_RESIDENCY_AT_CREATE;
        else if (text != NULL && strcmp(text, "per-submit") == 0)
            header->residency = TRACE_RESIDENCY_PER_SUBMIT;
        else if (text != NULL && strcmp(text, "fault") == 0)
            header->residency = TRACE_RESIDENCY_FAULT;
        else
            return jsonl_fail_value(reader, key, "explicit, at-create, per-submit or fault", value);
        return true;
    }
    if (strcmp(key, "unknown") == 0) {
        header->create_unknown = text != NULL && strcmp(text, "create") == 0;
        return header->create_unknown || (text != NULL && strcmp(text, "fail") == 0) ||
               jsonl_fail_value(reader, key, "create or fail", value);
    }
    if (strcmp(key, "unknown-size") == 0) {
        bool good = jsonl_get_count(value, INT64_MAX, &header->unknown_size);
        return (good && header->unknown_size > 0) ||
               jsonl_fail_value(reader, key, "a positive number of bytes", value);
    }
    if (strncmp(key, "x-", 2) == 0)
        return keep_extra(reader, extras, key, value);
    struct trace_guess guess = trace_guess_start(key);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        trace_guess_offer(&guess, key, fields[i]);
    return jsonl_fail_unknown(reader, "unknown field", key, guess);
}

static bool read_header(struct jsonl *reader, json_t *object, struct trace_header *header)
{
    const json_t *version = json_object_get(object, "wddmsim");
    if (version == NULL)
        return jsonl_fail(reader, "not a wddmsim trace: the first line must be a header such as "
                                  "{\"wddmsim\": 1}");
    reader->op = "header";
    uint64_t number;
    if (!jsonl_get_count(version, INT64_MAX, &number) || number == 0)
        return jsonl_fail_value(reader, "wddmsim", "version 1", version);
    if (number > TRACE_VERSION)
        return jsonl_fail_value(reader, "wddmsim",
                                "version 1; the trace was made by a newer version of wddmsim",
                                version);
    header->version = (uint32_t)number;

    json_t *extras = NULL;
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at))
        if (!read_header_field(reader, json_object_iter_key(at), json_object_iter_value(at), header,
                               &extras)) {
            json_decref(extras);
            return false;
        }
    return extras == NULL || dump_extras(reader, &reader->header_arena, extras, &header->extras);
}

/* Lines. */

static bool is_blank(const char *line, size_t length)
{
    while (length > 0 && (*line == ' ' || *line == '\t' || *line == '\r'))
        line++, length--;
    return length == 0;
}

/* The next line that is not blank, as an object. What *object holds is the caller's in
 * any case. */
static enum trace_result next_object(struct jsonl *reader, json_t **object)
{
    char *line;
    size_t length;
    do {
        if (!trace_input_line(reader->input, &line, &length, reader->error))
            return TRACE_BAD;
        if (line == NULL)
            return TRACE_END;
        reader->line++;
    } while (is_blank(line, length));

    json_error_t why;
    *object = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (*object == NULL) {
        trace_fail(reader->error, true, "%s: column %d: not valid JSON: %s", jsonl_place(reader),
                   why.column, why.text);
        return TRACE_BAD;
    }
    if (!json_is_object(*object)) {
        jsonl_fail(reader, "expected an object");
        return TRACE_BAD;
    }
    return TRACE_EVENT;
}

static enum trace_result next_event(void *state, struct trace_event *event,
                                    struct trace_error *error)
{
    struct jsonl *reader = state;
    json_decref(reader->line_value);
    reader->line_value = NULL;
    trace_arena_reset(&reader->arena);
    reader->op = NULL;
    reader->element = JSONL_NO_ELEMENT;
    reader->error = error;
    enum trace_result result = next_object(reader, &reader->line_value);
    if (result != TRACE_EVENT)
        return result;
    *event = (struct trace_event){0};
    return read_event(reader, reader->line_value, event) ? TRACE_EVENT : TRACE_BAD;
}

static bool has_byte_order_mark(const unsigned char *head, size_t length)
{
    return (length >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0) ||
           (length >= 2 && (memcmp(head, "\xff\xfe", 2) == 0 || memcmp(head, "\xfe\xff", 2) == 0));
}

static bool detect(const unsigned char *head, size_t length)
{
    if (has_byte_order_mark(head, length))
        return true; /* a text, refused with its reason when opened */
    size_t i = 0;
    while (i < length && (head[i] == ' ' || (head[i] >= '\t' && head[i] <= '\r')))
        i++;
    return i < length && head[i] == '{';
}

static void close_reader(void *state)
{
    struct jsonl *reader = state;
    json_decref(reader->line_value);
    json_decref(reader->header_value);
    trace_arena_free(&reader->arena);
    trace_arena_free(&reader->header_arena);
    trace_input_close(reader->input);
    free(reader->place);
    free(reader);
}

static bool read_first_line(struct jsonl *reader, struct trace_header *header)
{
    const unsigned char *head;
    size_t length;
    if (!trace_input_peek(reader->input, 4, &head, &length, reader->error))
        return false;
    if (has_byte_order_mark(head, length))
        return trace_fail(reader->error, false,
                          "%s:1: starts with a byte order mark: save it as UTF-8 without one",
                          reader->path);
    enum trace_result result = next_object(reader, &reader->header_value);
    if (result == TRACE_END)
        return trace_fail(reader->error, false, "%s: has only blank lines", reader->path);
    return result == TRACE_EVENT && read_header(reader, reader->header_value, header);
}

static bool open_reader(struct trace_input *input, const struct trace_open_options *options,
                        void **state, struct trace_header *header, struct trace_error *error)
{
    (void)options;
    struct jsonl *reader = trace_input_reader(input, sizeof *reader, error);
    if (reader == NULL)
        return false;
    reader->input = input;
    reader->path = trace_input_path(input);
    reader->element = JSONL_NO_ELEMENT;
    reader->error = error;
    reader->place_room = strlen(reader->path) + 32;
    reader->place = malloc(reader->place_room);
    for (int op = 0; op < TRACE_OPS; op++)
        reader->sets[op] = trace_op_fields((enum trace_op)op);
    reader->element_sets = trace_allocation_fields();
    bool good = reader->place != NULL ? read_first_line(reader, header)
                                      : trace_fail(error, false, "%s: out of memory", reader->path);
    if (!good) {
        error->skippable = false; /* without its header a trace means nothing */
        close_reader(reader);
        return false;
    }
    *state = reader;
    return true;
}

const struct trace_format trace_format_jsonl = {
    .name = "jsonl",
    .summary = "JSON Lines",
    .detect = detect,
    .open = open_reader,
    .next = next_event,
    .place = jsonl_place,
    .facts = NULL,
    .close = close_reader,
};
