#include "traces/encoder.h"

#include "traces/arena.h"
#include "traces/message.h"
#include "traces/vocabulary.h"
#include "traces/wtrace.h"

#include <zlib.h>
#include <zstd.h>

/* Out of memory is an error to report, not a reason to exit. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum {
    BLOCK = 256 * 1024, /* raw bytes after which a block is closed */
    LEVEL = 1,          /* of zstd: speed first */
};

/* A string of the block under construction. */
struct string {
    UT_hash_handle hh;
    uint32_t number;
    char text[];
};

/* A thread of the block under construction. */
struct thread {
    UT_hash_handle hh;
    uint64_t id; /* pid in the upper half, tid in the lower */
    uint32_t number;
};

struct wtrace {
    ZSTD_CCtx *zstd;
    struct trace_buffer records, strings, payload;
    struct string *string_table;
    struct thread *thread_table;
    struct thread *thread; /* of the last event */
    uint32_t string_count, thread_count, events;
    struct trace_arena arena; /* holds the two tables' entries */
    uint64_t first_event;     /* events in the blocks before */
    uint64_t first_t, t;
    struct trace_buffer index; /* entries of all blocks */
    uint64_t own[TRACE_OPS];   /* fields that are the op's own */
    bool failed;               /* out of memory in a table */
};

/* Integers. */

static void put_varint(struct trace_buffer *out, uint64_t number)
{
    if (!trace_buffer_reserve(out, 10))
        return;
    unsigned char *at = out->bytes + out->length;
    while (number >= 0x80) {
        *at++ = (unsigned char)(number | 0x80);
        number >>= 7;
    }
    *at++ = (unsigned char)number;
    out->length = (size_t)(at - out->bytes);
}

static unsigned char *store32(unsigned char *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        *at++ = (unsigned char)(number >> (8 * i));
    return at;
}

static unsigned char *store64(unsigned char *at, uint64_t number)
{
    return store32(store32(at, (uint32_t)number), (uint32_t)(number >> 32));
}

/* Sections. */

/* Appends a section with the raw bytes, packed, as its payload; NULL: without payload. */
static bool put_section(struct wtrace *writer, struct wtrace_section section,
                        const struct trace_buffer *raw, struct trace_buffer *out)
{
    size_t length = raw != NULL ? raw->length : 0;
    size_t bound = raw != NULL ? ZSTD_compressBound(length) : 0;
    if (!trace_buffer_reserve(out, WTRACE_SECTION_LENGTH + bound))
        return false;
    unsigned char *head = out->bytes + out->length, *payload = head + WTRACE_SECTION_LENGTH;
    size_t packed = 0;
    if (raw != NULL) {
        packed = ZSTD_compressCCtx(writer->zstd, payload, bound, raw->bytes, length, LEVEL);
        if (ZSTD_isError(packed))
            return false;
    }
    unsigned char *at = store32(head, section.kind);
    at = store32(at, (uint32_t)packed);
    at = store32(at, (uint32_t)length);
    at = store32(at, section.events);
    at = store64(at, section.first_event);
    at = store64(at, section.first_t);
    at = store64(at, section.last_t);
    at = store32(at, (uint32_t)crc32_z(0, payload, packed));
    store32(at, (uint32_t)crc32_z(0, head, WTRACE_SECTION_LENGTH - 4));
    out->length += WTRACE_SECTION_LENGTH + packed;
    return true;
}

/* HEAD. */

static void put_plain_string(struct trace_buffer *out, const char *text)
{
    put_varint(out, strlen(text));
    trace_buffer_put(out, text, strlen(text));
}

static void put_spec(struct trace_buffer *out, const struct trace_op_spec *spec)
{
    put_plain_string(out, spec->name);
    put_varint(out, spec->field_count);
    for (uint32_t i = 0; i < spec->field_count; i++) {
        put_plain_string(out, spec->fields[i].name);
        put_varint(out, spec->fields[i].type);
    }
}

static bool put_head(struct wtrace *writer, const struct trace_header *header,
                     struct trace_buffer *out)
{
    struct trace_buffer *raw = &writer->payload;
    raw->length = 0;
    put_varint(raw, TRACE_VERSION);
    put_varint(raw, header->residency);
    put_varint(raw, header->create_unknown);
    put_varint(raw, header->unknown_size != 0 ? header->unknown_size : TRACE_DEFAULT_UNKNOWN_SIZE);
    const char *const texts[] = {header->source, header->extras};
    for (size_t i = 0; i < 2; i++) {
        put_varint(raw, texts[i] != NULL);
        if (texts[i] != NULL)
            put_plain_string(raw, texts[i]);
    }
    put_varint(raw, TRACE_OPS);
    put_spec(raw, &trace_outcome_spec);
    put_spec(raw, &trace_allocation_spec);
    for (int op = 0; op < TRACE_OPS; op++)
        put_spec(raw, &trace_ops[op]);
    return !raw->failed && raw->length <= WTRACE_MOST_RAW &&
           put_section(writer, (struct wtrace_section){.kind = WTRACE_HEAD}, raw, out);
}

/* Tables of the block. */

static uint32_t string_number(struct wtrace *writer, const char *text)
{
    size_t length = strlen(text);
    struct string *string;
    HASH_FIND(hh, writer->string_table, text, length, string);
    if (string != NULL)
        return string->number;
    string = trace_arena_take(&writer->arena, 1, sizeof *string + length + 1);
    if (string == NULL) {
        writer->failed = true;
        return 0;
    }
    memcpy(string->text, text, length + 1);
    string->number = writer->string_count;
    HASH_ADD_KEYPTR(hh, writer->string_table, string->text, length, string);
    if (string->hh.tbl == NULL) {
        writer->failed = true;
        return 0;
    }
    writer->string_count++;
    put_varint(&writer->strings, length);
    trace_buffer_put(&writer->strings, text, length + 1);
    return string->number;
}

static void put_thread(struct wtrace *writer, uint32_t pid, uint32_t tid)
{
    uint64_t id = (uint64_t)pid << 32 | tid;
    struct thread *thread = writer->thread;
    if (thread == NULL || thread->id != id)
        HASH_FIND(hh, writer->thread_table, &id, sizeof id, thread);
    writer->thread = thread;
    if (thread != NULL) {
        put_varint(&writer->records, thread->number);
        return;
    }
    thread = trace_arena_take(&writer->arena, 1, sizeof *thread);
    if (thread != NULL) {
        thread->id = id;
        thread->number = writer->thread_count;
        HASH_ADD(hh, writer->thread_table, id, sizeof thread->id, thread);
    }
    if (thread == NULL || thread->hh.tbl == NULL) {
        writer->failed = true;
        return;
    }
    writer->thread = thread;
    writer->thread_count++;
    put_varint(&writer->records, thread->number);
    put_varint(&writer->records, pid);
    put_varint(&writer->records, tid);
}

/* Fields. */

static void put_name(struct wtrace *writer, const struct trace_name *name)
{
    if (name->text != NULL)
        put_varint(&writer->records, (uint64_t)string_number(writer, name->text) * 2 + 1);
    else
        put_varint(&writer->records, name->number * 2);
}

static void put_names(struct wtrace *writer, const struct trace_names *names)
{
    put_varint(&writer->records, names->count);
    for (uint32_t i = 0; i < names->count; i++)
        put_name(writer, &names->items[i]);
}

static uint64_t presence(const struct trace_op_spec *spec, uint64_t given)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < spec->field_count; i++)
        bits |= (uint64_t)trace_given(given, spec->fields[i].field) << i;
    return bits;
}

static void put_fields(struct wtrace *writer, const struct trace_op_spec *spec,
                       const void *structure, uint64_t given, uint64_t t);

static void put_creations(struct wtrace *writer, const struct trace_allocations *list)
{
    put_varint(&writer->records, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct trace_allocation *item = &list->items[i];
        bool extras = trace_given(item->given, TRACE_EXTRAS);
        put_varint(&writer->records, presence(&trace_allocation_spec, item->given) |
                                         (uint64_t)extras << trace_allocation_spec.field_count);
        put_fields(writer, &trace_allocation_spec, item, item->given, 0);
        if (extras)
            put_varint(&writer->records, string_number(writer, item->extras));
    }
}

static void put_value(struct wtrace *writer, const struct trace_field_spec *field,
                      const void *value, uint64_t t)
{
    struct trace_buffer *out = &writer->records;
    switch (field->type) {
    case TRACE_TYPE_COUNT:
        if (field->field == TRACE_DONE) /* near t, so the difference is short */
            put_varint(out, wtrace_zigzag((int64_t)(*(const uint64_t *)value - t)));
        else
            put_varint(out, *(const uint64_t *)value);
        return;
    case TRACE_TYPE_ADDRESS:
    case TRACE_TYPE_FLAGS:
    case TRACE_TYPE_CHOICE:
        put_varint(out, *(const uint64_t *)value);
        return;
    case TRACE_TYPE_SIGNED:
        put_varint(out, wtrace_zigzag(*(const int64_t *)value));
        return;
    case TRACE_TYPE_BOOL:
        put_varint(out, *(const bool *)value);
        return;
    case TRACE_TYPE_STATUS:
        put_varint(out, *(const uint32_t *)value);
        return;
    case TRACE_TYPE_NAME:
        put_name(writer, value);
        return;
    case TRACE_TYPE_NAMES:
        put_names(writer, value);
        return;
    case TRACE_TYPE_STRING:
        put_varint(out, string_number(writer, *(const char *const *)value));
        return;
    case TRACE_TYPE_STANDARD:
        put_varint(out, ((const struct trace_standard *)value)->type);
        put_varint(out, ((const struct trace_standard *)value)->size);
        return;
    case TRACE_TYPE_CREATIONS:
        put_creations(writer, value);
        return;
    }
}

static void put_fields(struct wtrace *writer, const struct trace_op_spec *spec,
                       const void *structure, uint64_t given, uint64_t t)
{
    for (uint32_t i = 0; i < spec->field_count; i++) {
        const struct trace_field_spec *field = &spec->fields[i];
        if (trace_given(given, field->field))
            put_value(writer, field, (const unsigned char *)structure + field->offset, t);
    }
}

static void put_record(struct wtrace *writer, const struct trace_event *event)
{
    struct trace_buffer *out = &writer->records;
    const struct trace_op_spec *spec = &trace_ops[event->op];
    uint64_t outcome = event->given & ~writer->own[event->op];
    bool extras = trace_given(event->given, TRACE_EXTRAS);
    put_varint(out, event->op);
    put_varint(out, presence(spec, event->given) |
                        presence(&trace_outcome_spec, outcome) << spec->field_count |
                        (uint64_t)extras << (spec->field_count + trace_outcome_spec.field_count));
    put_varint(out, event->t_ns - (writer->events == 0 ? event->t_ns : writer->t));
    put_thread(writer, event->pid, event->tid);
    put_fields(writer, spec, event, event->given, event->t_ns);
    put_fields(writer, &trace_outcome_spec, event, outcome, event->t_ns);
    if (extras)
        put_varint(out, string_number(writer, event->extras));
}

/* Blocks. */

static void clear_block(struct wtrace *writer)
{
    HASH_CLEAR(hh, writer->string_table);
    HASH_CLEAR(hh, writer->thread_table);
    trace_arena_reset(&writer->arena);
    writer->records.length = writer->strings.length = 0;
    writer->thread = NULL;
    writer->string_count = writer->thread_count = writer->events = 0;
}

static bool put_block(struct wtrace *writer, struct trace_buffer *out, uint64_t written)
{
    if (writer->events == 0)
        return true;
    struct trace_buffer *raw = &writer->payload;
    uint64_t offset = written + out->length;
    raw->length = 0;
    put_varint(raw, writer->string_count);
    trace_buffer_put(raw, writer->strings.bytes, writer->strings.length);
    trace_buffer_put(raw, writer->records.bytes, writer->records.length);
    struct wtrace_section section = {.kind = WTRACE_BLOCK,
                                     .events = writer->events,
                                     .first_event = writer->first_event,
                                     .first_t = writer->first_t,
                                     .last_t = writer->t};
    if (raw->failed || !put_section(writer, section, raw, out))
        return false;
    unsigned char entry[WTRACE_ENTRY_LENGTH];
    store64(store64(store64(store64(entry, offset), section.first_event), section.first_t),
            section.last_t);
    trace_buffer_put(&writer->index, entry, sizeof entry);
    writer->first_event += writer->events;
    clear_block(writer);
    return !writer->index.failed;
}

static bool put_event(void *state, const struct trace_event *event, struct trace_buffer *out,
                      uint64_t written, struct trace_error *error)
{
    struct wtrace *writer = state;
    if (writer->events == 0)
        writer->first_t = event->t_ns;
    put_record(writer, event);
    writer->t = event->t_ns;
    writer->events++;
    size_t raw = writer->records.length + writer->strings.length;
    if (raw > WTRACE_MOST_RAW - 16)
        return trace_fail(error, false, "%s: an event of more than 16 MiB",
                          trace_ops[event->op].name);
    bool good = !writer->failed && !writer->records.failed && !writer->strings.failed;
    if (good && raw >= BLOCK)
        good = put_block(writer, out, written);
    return good || trace_fail(error, false, "out of memory");
}

/* INDEX and END. */
static bool put_end(struct wtrace *writer, struct trace_buffer *out, uint64_t written)
{
    uint64_t index_offset = written + out->length;
    for (size_t at = 0; at < writer->index.length; at += WTRACE_MOST_INDEX) {
        size_t left = writer->index.length - at;
        struct trace_buffer part = {.bytes = writer->index.bytes + at,
                                    .length = left < WTRACE_MOST_INDEX ? left : WTRACE_MOST_INDEX};
        struct wtrace_section section = {.kind = WTRACE_INDEX,
                                         .events = (uint32_t)(part.length / WTRACE_ENTRY_LENGTH),
                                         .first_event = writer->first_event};
        if (!put_section(writer, section, &part, out))
            return false;
    }
    struct wtrace_section end = {.kind = WTRACE_END,
                                 .first_event = writer->first_event,
                                 .first_t = index_offset,
                                 .last_t = writer->t};
    return put_section(writer, end, NULL, out);
}

static bool finish(void *state, struct trace_buffer *out, uint64_t written,
                   struct trace_error *error)
{
    struct wtrace *writer = state;
    bool good = !writer->failed && put_block(writer, out, written) && put_end(writer, out, written);
    return good || trace_fail(error, false, "out of memory");
}

static void free_writer(void *state)
{
    struct wtrace *writer = state;
    clear_block(writer);
    ZSTD_freeCCtx(writer->zstd);
    trace_arena_free(&writer->arena);
    trace_buffer_free(&writer->records);
    trace_buffer_free(&writer->strings);
    trace_buffer_free(&writer->payload);
    trace_buffer_free(&writer->index);
    free(writer);
}

static void *start(const struct trace_header *header, struct trace_buffer *out)
{
    struct wtrace *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return NULL;
    for (int op = 0; op < TRACE_OPS; op++)
        for (uint32_t i = 0; i < trace_ops[op].field_count; i++)
            writer->own[op] |= TRACE_GIVEN(trace_ops[op].fields[i].field);
    writer->zstd = ZSTD_createCCtx();
    trace_buffer_put(out, WTRACE_MAGIC, WTRACE_MAGIC_LENGTH - 1);
    trace_buffer_put_byte(out, WTRACE_VERSION);
    if (writer->zstd == NULL || !put_head(writer, header, out)) {
        free_writer(writer);
        return NULL;
    }
    return writer;
}

const struct trace_encoder trace_encoder_wtrace = {.name = "wtrace",
                                                   .suffix = ".wtrace",
                                                   .start = start,
                                                   .put = put_event,
                                                   .finish = finish,
                                                   .free = free_writer};
