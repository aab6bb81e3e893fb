/* Writing JSON Lines in canonical form: one compact object per line; t, pid, tid, op, the op's
 * fields in the order of the vocabulary, the outcome, the x- fields. */
#include "traces/encoder.h"

#include "model/status.h"
#include "traces/input.h"
#include "traces/message.h"
#include "traces/vocabulary.h"

#include <assert.h>

static void put_text(struct trace_buffer *out, const char *text)
{
    trace_buffer_put(out, text, strlen(text));
}

static void put_count(struct trace_buffer *out, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    trace_buffer_put(out, digits + at, sizeof digits - at);
}

static void put_signed(struct trace_buffer *out, int64_t number)
{
    if (number < 0)
        trace_buffer_put_byte(out, '-');
    put_count(out, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

/* A JSON string, escaped as little as JSON allows. */
static void put_string(struct trace_buffer *out, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    trace_buffer_put_byte(out, '"');
    const char *plain = text; /* start of what needs no escaping */
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        trace_buffer_put(out, plain, (size_t)(text - plain));
        plain = text + 1;
        static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: byte, its letter */
        const char *pair = named;
        while (*pair != '\0' && (unsigned char)*pair != byte)
            pair += 2;
        if (*pair != '\0') {
            trace_buffer_put(out, (const char[]){'\\', pair[1]}, 2);
        } else {
            put_text(out, "\\u00");
            trace_buffer_put(out, (const char[]){hex[byte >> 4], hex[byte & 15]}, 2);
        }
    }
    trace_buffer_put(out, plain, (size_t)(text - plain));
    trace_buffer_put_byte(out, '"');
}

/* `,"name":` */
static void put_key(struct trace_buffer *out, const char *name)
{
    size_t length = strlen(name);
    if (!trace_buffer_reserve(out, length + 4))
        return;
    unsigned char *at = out->bytes + out->length;
    *at++ = ',';
    *at++ = '"';
    memcpy(at, name, length);
    at += length;
    *at++ = '"';
    *at++ = ':';
    out->length += length + 4;
}

static void put_name(struct trace_buffer *out, const struct trace_name *name)
{
    if (name->text != NULL)
        put_string(out, name->text);
    else
        put_count(out, name->number);
}

static void put_names(struct trace_buffer *out, const struct trace_names *names)
{
    trace_buffer_put_byte(out, '[');
    for (uint32_t i = 0; i < names->count; i++) {
        if (i > 0)
            trace_buffer_put_byte(out, ',');
        put_name(out, &names->items[i]);
    }
    trace_buffer_put_byte(out, ']');
}

static void put_flags(struct trace_buffer *out, const struct trace_flag *flags, uint64_t bits)
{
    const char *separator = "";
    trace_buffer_put_byte(out, '[');
    for (; flags->name != NULL; flags++)
        if ((bits & flags->bit) != 0) {
            put_text(out, separator);
            put_string(out, flags->name);
            separator = ",";
        }
    trace_buffer_put_byte(out, ']');
}

static void put_choice(struct trace_buffer *out, const struct trace_flag *flags, uint64_t bit)
{
    while (flags->name != NULL && flags->bit != bit)
        flags++;
    put_string(out, flags->name != NULL ? flags->name : "");
}

static void put_status(struct trace_buffer *out, uint32_t status)
{
    const char *name = status_name(status);
    if (name != NULL)
        put_string(out, name);
    else
        put_count(out, status);
}

static void put_standard(struct trace_buffer *out, const struct trace_standard *standard)
{
    put_text(out, "{\"type\":");
    if (standard->type == 1)
        put_text(out, "\"ExistingHeap\"");
    else
        put_count(out, standard->type);
    put_text(out, ",\"size\":");
    put_count(out, standard->size);
    trace_buffer_put_byte(out, '}');
}

/* The inside of an object of x- fields, behind what stands already. */
static void put_extras(struct trace_buffer *out, const char *extras)
{
    const char *open = strchr(extras, '{'), *close = strrchr(extras, '}');
    assert(open != NULL && close > open);
    while (close - open > 1 && (open[1] == ' ' || open[1] == '\t'))
        open++;
    if (close - open == 1)
        return;
    trace_buffer_put_byte(out, ',');
    trace_buffer_put(out, open + 1, (size_t)(close - open - 1));
}

static void put_fields(struct trace_buffer *out, const struct trace_op_spec *spec,
                       const void *structure, uint64_t given);

static void put_creations(struct trace_buffer *out, const struct trace_allocations *list)
{
    trace_buffer_put_byte(out, '[');
    for (uint32_t i = 0; i < list->count; i++) {
        const struct trace_allocation *item = &list->items[i];
        if (i > 0)
            trace_buffer_put_byte(out, ',');
        size_t start = out->length;
        put_fields(out, &trace_allocation_spec, item, item->given);
        if (trace_given(item->given, TRACE_EXTRAS))
            put_extras(out, item->extras);
        if (!out->failed)
            out->bytes[start] = '{'; /* over the comma before the first key */
        trace_buffer_put_byte(out, '}');
    }
    trace_buffer_put_byte(out, ']');
}

static void put_value(struct trace_buffer *out, const struct trace_field_spec *field,
                      const void *value)
{
    switch (field->type) {
    case TRACE_TYPE_COUNT:
        put_count(out, *(const uint64_t *)value);
        return;
    case TRACE_TYPE_SIGNED:
        put_signed(out, *(const int64_t *)value);
        return;
    case TRACE_TYPE_BOOL:
        put_text(out, *(const bool *)value ? "true" : "false");
        return;
    case TRACE_TYPE_STATUS:
        put_status(out, *(const uint32_t *)value);
        return;
    case TRACE_TYPE_NAME:
        put_name(out, value);
        return;
    case TRACE_TYPE_NAMES:
        put_names(out, value);
        return;
    case TRACE_TYPE_STRING:
        put_string(out, *(const char *const *)value);
        return;
    case TRACE_TYPE_FLAGS:
        put_flags(out, field->flags, *(const uint64_t *)value);
        return;
    case TRACE_TYPE_CHOICE:
        put_choice(out, field->flags, *(const uint64_t *)value);
        return;
    case TRACE_TYPE_STANDARD:
        put_standard(out, value);
        return;
    case TRACE_TYPE_ADDRESS:
        if (*(const uint64_t *)value == 1)
            put_text(out, "true");
        else
            put_count(out, *(const uint64_t *)value);
        return;
    case TRACE_TYPE_CREATIONS:
        put_creations(out, value);
        return;
    }
}

static void put_fields(struct trace_buffer *out, const struct trace_op_spec *spec,
                       const void *structure, uint64_t given)
{
    for (uint32_t i = 0; i < spec->field_count; i++) {
        const struct trace_field_spec *field = &spec->fields[i];
        if (!trace_given(given, field->field))
            continue;
        put_key(out, field->name);
        put_value(out, field, (const unsigned char *)structure + field->offset);
    }
}

/* The outcome fields that the op does not have as its own (ObserveTransfer has dur). */
static uint64_t outcome_of(const struct trace_event *event)
{
    const struct trace_op_spec *spec = &trace_ops[event->op];
    uint64_t own = 0;
    for (uint32_t i = 0; i < spec->field_count; i++)
        own |= TRACE_GIVEN(spec->fields[i].field);
    return event->given & ~own;
}

static bool put_event(void *state, const struct trace_event *event, struct trace_buffer *out,
                      uint64_t written, struct trace_error *error)
{
    (void)state, (void)written;
    const struct trace_op_spec *spec = &trace_ops[event->op];
    size_t start = out->length;
    put_text(out, "{\"t\":");
    put_count(out, event->t_ns);
    put_text(out, ",\"pid\":");
    put_count(out, event->pid);
    put_text(out, ",\"tid\":");
    put_count(out, event->tid);
    put_text(out, ",\"op\":\"");
    put_text(out, spec->name);
    trace_buffer_put_byte(out, '"');
    put_fields(out, spec, event, event->given);
    put_fields(out, &trace_outcome_spec, event, outcome_of(event));
    if (trace_given(event->given, TRACE_EXTRAS))
        put_extras(out, event->extras);
    put_text(out, "}\n");
    bool readable = out->length - start <= TRACE_LONGEST_LINE;
    if (!out->failed && readable)
        return true;
    out->length = start;
    return readable ? trace_fail(error, false, "out of memory")
                    : trace_fail(error, true, "%s: a line longer than %d MiB", spec->name,
                                 TRACE_LONGEST_LINE >> 20);
}

static void *start(const struct trace_header *header, struct trace_buffer *out)
{
    static const char *const residency[] = {
        [TRACE_RESIDENCY_EXPLICIT] = "explicit",
        [TRACE_RESIDENCY_AT_CREATE] = "at-create",
        [TRACE_RESIDENCY_PER_SUBMIT] = "per-submit",
        [TRACE_RESIDENCY_FAULT] = "fault",
    };
    put_text(out, "{\"wddmsim\":");
    put_count(out, TRACE_VERSION);
    if (header->source != NULL) {
        put_key(out, "source");
        put_string(out, header->source);
    }
    if (header->residency != TRACE_RESIDENCY_UNSTATED) {
        put_key(out, "residency");
        put_string(out, residency[header->residency]);
    }
    if (header->create_unknown) {
        put_key(out, "unknown");
        put_string(out, "create");
    }
    if (header->unknown_size != 0 && header->unknown_size != TRACE_DEFAULT_UNKNOWN_SIZE) {
        put_key(out, "unknown-size");
        put_count(out, header->unknown_size);
    }
    if (header->extras != NULL)
        put_extras(out, header->extras);
    put_text(out, "}\n");
    static char stateless; /* text needs no memory of what went before */
    return &stateless;
}

static bool finish(void *state, struct trace_buffer *out, uint64_t written,
                   struct trace_error *error)
{
    (void)state, (void)out, (void)written, (void)error;
    return true;
}

static void free_nothing(void *state)
{
    (void)state;
}

const struct trace_encoder trace_encoder_jsonl = {.name = "jsonl",
                                                  .compresses = true,
                                                  .start = start,
                                                  .put = put_event,
                                                  .finish = finish,
                                                  .free = free_nothing};
