/* Reading the binary encoding. Nothing in the file is believed: sizes are bounded before memory is
 * taken for them, and every number is checked against what is left. */
#include "traces/reader.h"

#include "traces/buffer.h"
#include "traces/check.h"
#include "traces/input.h"
#include "traces/message.h"
#include "traces/wtrace.h"
#include "traces/wtrace_decoder.h"

#include <inttypes.h>
#include <stdio.h>
#include <zlib.h>
#include <zstd.h>

struct wtrace {
    struct trace_input *input;
    const char *path;
    ZSTD_DCtx *zstd;
    struct trace_arena head_arena; /* header strings and plans */
    struct wtrace_plans plans;

    unsigned char *packed, *raw; /* one section's payload */
    size_t packed_room, raw_room;

    struct wtrace_section section; /* the block being decoded */
    uint64_t offset;               /* of the section in the file */
    struct wtrace_decoder decoder;
    bool in_block;
    uint32_t left; /* events to come in the block */

    uint64_t events; /* in the blocks so far, bad ones too */
    uint64_t blocks, indexed, index_offset;
    bool ended;
    char *place;
    size_t place_room;
    struct trace_error *error;
};

static bool fail(struct wtrace *reader, bool skippable, const char *message)
{
    return trace_fail(reader->error, skippable, "%s: offset %" PRIu64 ": %s", reader->path,
                      reader->offset, message);
}

/* Sections. */

static bool read_exactly(struct wtrace *reader, unsigned char *bytes, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        size_t more;
        if (!trace_input_read(reader->input, bytes + *got, size - *got, &more, reader->error))
            return false;
        if (more == 0)
            break;
        *got += more;
    }
    return true;
}

static uint32_t load32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t load64(const unsigned char *at)
{
    return load32(at) | (uint64_t)load32(at + 4) << 32;
}

static bool read_section_head(struct wtrace *reader, struct wtrace_section *section)
{
    unsigned char head[WTRACE_SECTION_LENGTH];
    size_t got;
    reader->offset = trace_input_offset(reader->input);
    if (!read_exactly(reader, head, sizeof head, &got))
        return false;
    if (got < sizeof head) {
        reader->offset += got;
        return fail(reader, false, "the file ends here and has no end mark: it was cut off");
    }
    if (load32(head + 44) != (uint32_t)crc32_z(0, head, 44))
        return fail(reader, false, "damaged: the checksum of a section's head does not match");
    *section = (struct wtrace_section){
        .kind = load32(head),
        .packed = load32(head + 4),
        .raw = load32(head + 8),
        .events = load32(head + 12),
        .first_event = load64(head + 16),
        .first_t = load64(head + 24),
        .last_t = load64(head + 32),
        .crc = load32(head + 40),
    };
    if (section->kind < WTRACE_HEAD || section->kind > WTRACE_END)
        return fail(reader, false, "a section of a kind that this version does not know");
    if (section->packed > WTRACE_MOST_PACKED || section->raw > WTRACE_MOST_RAW)
        return fail(reader, false, "a section is larger than any can be");
    return true;
}

/* Brings a section's payload into `packed`; the checksum is *good or not. */
static bool read_payload(struct wtrace *reader, const struct wtrace_section *section, bool *good)
{
    size_t got;
    void *packed = trace_array_grow(reader->packed, &reader->packed_room, section->packed, 1);
    if (packed == NULL)
        return fail(reader, false, "out of memory");
    reader->packed = packed;
    if (!read_exactly(reader, reader->packed, section->packed, &got))
        return false;
    if (got < section->packed) {
        reader->offset = trace_input_offset(reader->input);
        return fail(reader, false, "the file ends here, inside a section: it was cut off");
    }
    *good = section->crc == (uint32_t)crc32_z(0, reader->packed, section->packed);
    return true;
}

/* NULL, or what is wrong. */
static const char *unpack(struct wtrace *reader, const struct wtrace_section *section)
{
    void *raw = trace_array_grow(reader->raw, &reader->raw_room, section->raw, 1);
    if (raw == NULL)
        return "out of memory";
    reader->raw = raw;
    size_t length = ZSTD_decompressDCtx(reader->zstd, reader->raw, section->raw, reader->packed,
                                        section->packed);
    if (ZSTD_isError(length) || length != section->raw)
        return "damaged: a section does not unpack";
    return NULL;
}

static enum trace_result start_block(struct wtrace *reader, const struct wtrace_section *section,
                                     bool intact)
{
    uint64_t expected = reader->events;
    reader->events = section->first_event + section->events;
    reader->blocks++;
    reader->section = *section;
    const char *wrong = NULL;
    if (reader->indexed > 0 || section->events == 0 || section->last_t > INT64_MAX ||
        section->first_t > section->last_t || reader->events < section->first_event)
        wrong = "damaged: a block contradicts itself";
    else if (!intact)
        wrong = "damaged: the checksum of a block does not match";
    else if (section->first_event != expected)
        wrong = "damaged: blocks are missing or out of order";
    else
        wrong = unpack(reader, section);
    if (wrong == NULL)
        wrong = wtrace_decoder_start(&reader->decoder, reader->raw, section->raw, section->first_t);
    if (wrong != NULL) {
        fail(reader, true, wrong);
        return TRACE_BAD;
    }
    reader->in_block = true;
    reader->left = section->events;
    return TRACE_EVENT;
}

static enum trace_result check_end(struct wtrace *reader, const struct wtrace_section *end)
{
    const unsigned char *behind;
    size_t length;
    if (!trace_input_peek(reader->input, 1, &behind, &length, reader->error))
        return TRACE_BAD;
    uint64_t index = reader->indexed > 0 ? reader->index_offset : reader->offset;
    reader->ended = true;
    if (length > 0)
        fail(reader, false, "there are bytes behind the end mark");
    else if (end->first_event != reader->events || end->first_t != index ||
             reader->indexed != reader->blocks || end->packed != 0 || end->raw != 0)
        fail(reader, false, "damaged: the end mark does not match what came before it");
    else
        return TRACE_END;
    return TRACE_BAD;
}

/* Closes a block that has no more events; BAD if it does not end as its head says. */
static enum trace_result end_block(struct wtrace *reader)
{
    reader->in_block = false;
    const struct wtrace_decoder *decoder = &reader->decoder;
    if (decoder->cursor.at == decoder->cursor.end && decoder->t == reader->section.last_t)
        return TRACE_EVENT;
    fail(reader, true, "damaged: a block does not end as its head says");
    return TRACE_BAD;
}

/* Goes to the next block. TRACE_EVENT: there is one, ready to be decoded. */
static enum trace_result next_block(struct wtrace *reader)
{
    while (!reader->ended) {
        struct wtrace_section section;
        bool intact;
        if (!read_section_head(reader, &section) || !read_payload(reader, &section, &intact)) {
            reader->ended = true;
            return TRACE_BAD;
        }
        switch (section.kind) {
        case WTRACE_BLOCK:
            return start_block(reader, &section, intact);
        case WTRACE_END:
            return check_end(reader, &section);
        case WTRACE_INDEX:
            if (reader->indexed == 0)
                reader->index_offset = reader->offset;
            reader->indexed += section.events;
            if (intact && section.events != 0 &&
                section.raw / WTRACE_ENTRY_LENGTH == section.events)
                continue;
            fail(reader, true, "damaged: the checksum of the index does not match");
            return TRACE_BAD;
        default:
            fail(reader, true, "damaged: a second header");
            return TRACE_BAD;
        }
    }
    return TRACE_END;
}

static const char *place(void *state)
{
    struct wtrace *reader = state;
    snprintf(reader->place, reader->place_room, "%s: event %" PRIu64, reader->path,
             reader->in_block ? reader->events - reader->left : reader->events);
    return reader->place;
}

static enum trace_result next_event(void *state, struct trace_event *event,
                                    struct trace_error *error)
{
    struct wtrace *reader = state;
    reader->error = error;
    while (reader->left == 0) {
        enum trace_result result = reader->in_block ? end_block(reader) : next_block(reader);
        if (result != TRACE_EVENT)
            return result;
    }
    reader->left--;
    const char *wrong = wtrace_decode(&reader->decoder, event);
    if (wrong == NULL)
        return TRACE_EVENT;
    trace_fail(error, true, "%s: offset %" PRIu64 ": event %" PRIu64 ": %s", reader->path,
               reader->offset, reader->events - reader->left, wrong);
    reader->left = 0; /* where the next event starts is not known: go on behind the block */
    reader->in_block = false;
    return TRACE_BAD;
}

/* Opening. */

static const char *read_header(struct wtrace *reader, struct wtrace_cursor *cursor,
                               struct trace_header *header)
{
    uint64_t version, residency, create_unknown, given;
    if (!wtrace_get_varint(cursor, &version) || !wtrace_get_varint(cursor, &residency) ||
        !wtrace_get_varint(cursor, &create_unknown) ||
        !wtrace_get_varint(cursor, &header->unknown_size))
        return "damaged: the header ends early";
    if (version > TRACE_VERSION)
        return "the trace was made by a newer version of wddmsim";
    if (version == 0 || residency > TRACE_RESIDENCY_FAULT || create_unknown > 1 ||
        header->unknown_size == 0 || header->unknown_size > INT64_MAX)
        return "damaged: the header holds impossible values";
    header->version = (uint32_t)version;
    header->residency = (enum trace_residency)residency;
    header->create_unknown = create_unknown == 1;
    const char **const texts[] = {&header->source, &header->extras};
    for (size_t i = 0; i < 2; i++) {
        if (!wtrace_get_varint(cursor, &given) || given > 1)
            return "damaged: the header ends early";
        const char *wrong =
            given == 1 ? wtrace_read_string(cursor, &reader->head_arena, texts[i]) : NULL;
        if (wrong != NULL)
            return wrong;
    }
    if (header->extras != NULL && !trace_check_extras(header->extras))
        return "damaged: the header's x- fields are not an object of such";
    return wtrace_read_plans(cursor, &reader->head_arena, &reader->plans);
}

static bool read_head(struct wtrace *reader, struct trace_header *header)
{
    unsigned char magic[WTRACE_MAGIC_LENGTH];
    size_t got;
    struct wtrace_section section;
    bool intact;
    if (!read_exactly(reader, magic, sizeof magic, &got))
        return false;
    if (got < sizeof magic || memcmp(magic, WTRACE_MAGIC, sizeof magic - 1) != 0)
        return fail(reader, false, "not a binary wddmsim trace");
    if (magic[sizeof magic - 1] != WTRACE_VERSION)
        return fail(reader, false, "the trace was made by a newer version of wddmsim");
    if (!read_section_head(reader, &section) || !read_payload(reader, &section, &intact))
        return false;
    if (!intact || section.kind != WTRACE_HEAD)
        return fail(reader, false, "damaged: the checksum of the header does not match");
    const char *wrong = unpack(reader, &section);
    if (wrong == NULL) {
        struct wtrace_cursor cursor = {.at = reader->raw, .end = reader->raw + section.raw};
        wrong = read_header(reader, &cursor, header);
        if (wrong == NULL && cursor.at != cursor.end)
            wrong = "damaged: the header is longer than it should be";
    }
    return wrong == NULL || fail(reader, false, wrong);
}

static void close_reader(void *state)
{
    struct wtrace *reader = state;
    ZSTD_freeDCtx(reader->zstd);
    trace_arena_free(&reader->head_arena);
    trace_input_close(reader->input);
    free(reader->packed);
    free(reader->raw);
    wtrace_decoder_free(&reader->decoder);
    free(reader->place);
    free(reader);
}

static bool open_reader(struct trace_input *input, const struct trace_open_options *options,
                        void **state, struct trace_header *header, struct trace_error *error)
{
    (void)options;
    struct wtrace *reader = trace_input_reader(input, sizeof *reader, error);
    if (reader == NULL)
        return false;
    reader->input = input;
    reader->path = trace_input_path(input);
    reader->error = error;
    reader->decoder.plans = &reader->plans;
    reader->zstd = ZSTD_createDCtx();
    reader->place_room = strlen(reader->path) + 40;
    reader->place = malloc(reader->place_room);
    bool good = reader->zstd != NULL && reader->place != NULL
                    ? read_head(reader, header)
                    : fail(reader, false, "out of memory");
    if (!good) {
        close_reader(reader);
        return false;
    }
    *state = reader;
    return true;
}

static bool detect(const unsigned char *head, size_t length)
{
    return length >= WTRACE_MAGIC_LENGTH &&
           memcmp(head, WTRACE_MAGIC, WTRACE_MAGIC_LENGTH - 1) == 0;
}

const struct trace_format trace_format_wtrace = {
    .name = "wtrace",
    .summary = "wddmsim's binary trace",
    .detect = detect,
    .open = open_reader,
    .next = next_event,
    .place = place,
    .facts = NULL,
    .close = close_reader,
};
