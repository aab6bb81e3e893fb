#include "traces/etl/container.h"

#include "traces/etl/bytes.h"
#include "traces/etl/xpress.h"
#include "traces/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUFFER_HEADER = 72,
    BUFFER_MAX = 64 << 20, /* far above any real one */
    READ_STEP = 1 << 20,   /* memory grows with what was read, not with what a field says */
    FLAG_PROCESSOR_INDEX = 0x20,
    FLAG_COMPRESSED = 0x40,
    TYPE_FILE_HEADER = 4,
    LOGFILE_HEADER = 264, /* bytes up to and with BuffersLost, without the two pointers */
};

struct etl_container {
    struct trace_input *input;
    struct etl_header header;
    struct etl_counts counts;
    uint64_t offset; /* of the current buffer */
    uint16_t processor;
    unsigned char *plain; /* the buffer as it lies in the file */
    size_t plain_capacity;
    unsigned char *expanded; /* the same decompressed, if it was compressed */
    size_t expanded_capacity;
    const unsigned char *bytes; /* one of them */
    size_t next, end;           /* records not read yet */
    bool damaged;               /* the current buffer, somewhere */
    bool finished;
    char damage[320];
};

__attribute__((format(printf, 2, 3))) static void note_damage(struct etl_container *container,
                                                              const char *format, ...)
{
    if (container->damage[0] != '\0')
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(container->damage, sizeof container->damage, format, arguments);
    va_end(arguments);
}

/* Buffers */

/* Reads until `want` bytes of the current buffer are there; *have says how many are. False: out of
 * memory. */
static bool fill(struct etl_container *container, size_t have, size_t want, size_t *got)
{
    *got = have;
    while (*got < want) {
        size_t upto = want - *got < READ_STEP ? want : *got + READ_STEP;
        if (upto > container->plain_capacity) {
            unsigned char *grown = realloc(container->plain, upto);
            if (grown == NULL)
                return false;
            container->plain = grown;
            container->plain_capacity = upto;
        }
        size_t more;
        struct trace_error error;
        if (!trace_input_read(container->input, container->plain + *got, upto - *got, &more,
                              &error)) {
            note_damage(container, "offset %llu: %.200s",
                        (unsigned long long)trace_input_offset(container->input), error.message);
            return true;
        }
        if (more == 0)
            return true;
        *got += more;
    }
    return true;
}

static bool expand(struct etl_container *container, size_t size, size_t in_use)
{
    if (in_use > container->expanded_capacity) {
        unsigned char *grown = realloc(container->expanded, in_use);
        if (grown == NULL)
            return false;
        container->expanded = grown;
        container->expanded_capacity = in_use;
    }
    memcpy(container->expanded, container->plain, BUFFER_HEADER);
    size_t written;
    bool whole =
        etl_xpress_expand(container->plain + BUFFER_HEADER, size - BUFFER_HEADER,
                          container->expanded + BUFFER_HEADER, in_use - BUFFER_HEADER, &written);
    if (!whole || BUFFER_HEADER + written < in_use) {
        note_damage(container, "offset %llu: compressed buffer expands to %zu bytes, expected %zu",
                    (unsigned long long)container->offset, written, in_use - BUFFER_HEADER);
        container->damaged = true;
    }
    container->bytes = container->expanded;
    container->end = BUFFER_HEADER + written;
    container->counts.compressed_buffers++;
    return true;
}

/* Reads the next buffer. False: out of memory. At the end of the file, whole or not, `finished`. */
static bool read_buffer(struct etl_container *container)
{
    container->offset = trace_input_offset(container->input);
    container->next = container->end = 0;
    container->counts.damaged_buffers += container->damaged;
    container->damaged = false;
    size_t got;
    if (!fill(container, 0, BUFFER_HEADER, &got))
        return false;
    uint32_t size = got >= 4 ? etl_u32(container->plain) : 0;
    if (got < BUFFER_HEADER || size < BUFFER_HEADER || size > BUFFER_MAX) {
        container->finished = true;
        container->counts.trailing_bytes = got;
        if (got > 0 && got < BUFFER_HEADER)
            note_damage(container,
                        "offset %llu: the file ends %zu bytes into a buffer header of %d: it was "
                        "cut off; %llu buffers before are whole",
                        (unsigned long long)container->offset, got, BUFFER_HEADER,
                        (unsigned long long)container->counts.buffers);
        else if (got > 0 && size != 0) /* zero: padding behind the last buffer */
            note_damage(container, "offset %llu: buffer size %u, expected %d to %d",
                        (unsigned long long)container->offset, size, BUFFER_HEADER, BUFFER_MAX);
        return true;
    }
    if (!fill(container, BUFFER_HEADER, size, &got))
        return false;
    const unsigned char *header = container->plain;
    uint32_t in_use = etl_u32(header + 0x30);
    uint16_t flags = etl_u16(header + 0x34);
    container->processor =
        (flags & FLAG_PROCESSOR_INDEX) != 0 ? etl_u16(header + 0x28) & 0x7ff : header[0x28];
    container->next = BUFFER_HEADER;
    if (got < size) {
        container->finished = true;
        note_damage(container,
                    "offset %llu: the file ends %zu bytes into a buffer of %u: it was cut off; "
                    "%llu buffers before are whole",
                    (unsigned long long)container->offset, got, size,
                    (unsigned long long)container->counts.buffers);
        container->damaged = true;
    } else {
        container->counts.buffers++;
    }
    if ((flags & FLAG_COMPRESSED) != 0) {
        if (in_use < BUFFER_HEADER || in_use > BUFFER_MAX) {
            note_damage(container,
                        "offset %llu: compressed buffer holds %u bytes, expected %d to %d",
                        (unsigned long long)container->offset, in_use, BUFFER_HEADER, BUFFER_MAX);
            container->damaged = true;
            return true;
        }
        return expand(container, got, in_use);
    }
    container->bytes = container->plain;
    container->end = in_use < got ? in_use : got;
    return true;
}

/* Record headers */

struct record_kind {
    uint8_t type;
    uint8_t size_at; /* where the 16-bit size lies */
    uint8_t header;  /* bytes before the payload */
    uint8_t pointer_size;
    uint8_t stamp_at; /* 0: not read here */
    bool has_thread;  /* thread and process ids at 8 */
    bool has_provider;
};

enum { RECORD_EVENT_32 = 0x12, RECORD_EVENT_64 = 0x13 };

static const struct record_kind record_kinds[] = {
    {0x01, 4, 32, 4, 16, true, false}, /* SYSTEM */
    {0x02, 4, 32, 8, 16, true, false},
    {0x03, 4, 24, 4, 16, true, false}, /* COMPACT */
    {0x04, 4, 24, 8, 16, true, false},
    {0x10, 4, 16, 4, 8, false, false}, /* PERFINFO */
    {0x11, 4, 16, 8, 8, false, false},
    {0x0a, 0, 48, 4, 16, true, true}, /* FULL_HEADER */
    {0x14, 0, 48, 8, 16, true, true},
    {0x0b, 0, 72, 4, 16, true, false}, /* INSTANCE */
    {0x15, 0, 72, 8, 16, true, false},
    {RECORD_EVENT_32, 0, 80, 4, 16, true, true}, /* EVENT_HEADER */
    {RECORD_EVENT_64, 0, 80, 8, 16, true, true},
};

/* WPP messages and whatever else has its size in the first 16 bits: stepped over. */
static const struct record_kind other_kind = {.header = 8, .pointer_size = 8};

static const struct record_kind *kind_of(const unsigned char *marker)
{
    if (marker[3] == 0xc0)
        for (size_t i = 0; i < sizeof record_kinds / sizeof record_kinds[0]; i++)
            if (record_kinds[i].type == marker[2])
                return &record_kinds[i];
    return (marker[3] & 0x80) != 0 ? &other_kind : NULL;
}

/* Steps over the extended items (stacks, activity ids) before the payload. False: they do not end
 * within the record. */
static bool skip_extended_items(const unsigned char *bytes, size_t size, size_t *payload)
{
    enum { ITEM_HEADER = 8 };
    for (;;) {
        if (size - *payload < ITEM_HEADER)
            return false;
        const unsigned char *item = bytes + *payload;
        size_t data = ((size_t)etl_u16(item + 6) + 7) & ~(size_t)7;
        if (size - *payload - ITEM_HEADER < data)
            return false;
        *payload += ITEM_HEADER + data;
        if ((etl_u16(item + 4) & 1) == 0)
            return true;
    }
}

static void damaged_record(struct etl_container *container, const char *what, size_t size)
{
    note_damage(container, "offset %llu, byte %zu of the %sbuffer: record of %zu bytes %s",
                (unsigned long long)container->offset, container->next,
                container->bytes == container->expanded ? "decompressed " : "", size, what);
    container->damaged = true;
    container->next = container->end;
}

/* Reads the record at `next` and steps behind it. False: there is none, or it is damaged and the
 * rest of the buffer is given up, as nothing tells where the next record starts. */
static bool read_record(struct etl_container *container, struct etl_record *record,
                        const unsigned char **marker)
{
    size_t left = container->end > container->next ? container->end - container->next : 0;
    if (left < 8) {
        container->next = container->end;
        return false;
    }
    const unsigned char *bytes = container->bytes + container->next;
    if (etl_u32(bytes) == 0 || etl_u32(bytes) == UINT32_MAX) {
        container->next = container->end;
        return false;
    }
    const struct record_kind *kind = kind_of(bytes);
    if (kind == NULL) {
        damaged_record(container, "has no header type that exists", 0);
        return false;
    }
    size_t size = etl_u16(bytes + kind->size_at);
    if (size < kind->header || size > left) {
        damaged_record(container,
                       size < kind->header ? "is shorter than its header" : "passes its end", size);
        return false;
    }
    size_t payload = kind->header;
    bool manifest = kind->type == RECORD_EVENT_32 || kind->type == RECORD_EVENT_64;
    if (manifest && (etl_u16(bytes + 4) & 1) != 0 && !skip_extended_items(bytes, size, &payload)) {
        damaged_record(container, "has extended items that pass its end", size);
        return false;
    }
    *record = (struct etl_record){
        .offset = container->offset + (container->bytes == container->plain ? container->next : 0),
        .stamp = kind->stamp_at != 0 ? etl_u64(bytes + kind->stamp_at) : 0,
        .pid = kind->has_thread ? etl_u32(bytes + 12) : 0,
        .tid = kind->has_thread ? etl_u32(bytes + 8) : 0,
        .processor = container->processor,
        .id = manifest ? etl_u16(bytes + 0x28) : 0,
        .version = manifest ? bytes[0x2a] : 0,
        .opcode = manifest ? bytes[0x2d] : 0,
        .pointer_size = kind->pointer_size,
        .provider = kind->has_provider ? bytes + 24 : NULL,
        .payload = bytes + payload,
        .length = size - payload,
    };
    *marker = bytes;
    container->next += (size + 7) & ~(size_t)7;
    return true;
}

/* SYSTEM records of group 0 describe the file itself. */
static bool is_own_record(const unsigned char *marker)
{
    return marker[3] == 0xc0 && (marker[2] == 1 || marker[2] == 2) && marker[7] == 0;
}

enum etl_step etl_container_next(struct etl_container *container, struct etl_record *record)
{
    const unsigned char *marker;
    for (;;) {
        while (!read_record(container, record, &marker)) {
            if (container->next < container->end)
                continue;
            if (container->finished) {
                container->counts.damaged_buffers += container->damaged;
                container->damaged = false;
                return ETL_END;
            }
            if (!read_buffer(container))
                return ETL_OUT_OF_MEMORY;
        }
        if (!is_own_record(marker)) {
            container->counts.records++;
            return ETL_RECORD;
        }
        container->counts.header_records++;
    }
}

/* The logfile header and the clock */

/* Frequencies above this do not exist, and below it a remainder times 10^9 stays within 64 bits. */
static const uint64_t FREQUENCY_MAX = UINT64_C(18000000000);

static bool read_logfile_header(struct etl_container *container, const struct etl_record *record,
                                struct trace_error *error)
{
    const char *path = trace_input_path(container->input);
    size_t pointers = 2u * record->pointer_size;
    const unsigned char *p = record->payload;
    if (record->length < LOGFILE_HEADER + pointers)
        return trace_fail(error, false, "%s: logfile header of %zu bytes, expected at least %zu",
                          path, record->length, LOGFILE_HEADER + pointers);
    struct etl_header *header = &container->header;
    header->build = etl_u32(p + 8);
    header->processors = etl_u32(p + 12);
    header->events_lost = etl_u32(p + 48);
    header->buffers_lost = etl_u32(p + 260 + pointers);
    header->clock = etl_u32(p + 256 + pointers);
    header->start_stamp = record->stamp;
    uint64_t performance_hz = etl_u64(p + 240 + pointers), cpu_mhz = etl_u32(p + 52);
    header->frequency_hz = header->clock == 2   ? 10000000
                           : header->clock == 3 ? cpu_mhz * 1000000
                                                : performance_hz;
    if (header->frequency_hz == 0 || header->frequency_hz > FREQUENCY_MAX)
        return trace_fail(error, false, "%s: clock %u at %llu Hz, expected 1 to %llu Hz", path,
                          header->clock, (unsigned long long)header->frequency_hz,
                          (unsigned long long)FREQUENCY_MAX);
    size_t length = 0;
    for (size_t at = 264 + pointers; at + 2 <= record->length; at += 2) {
        unsigned unit = etl_u16(p + at);
        if (unit == 0 || length + 1 == sizeof header->session)
            break;
        header->session[length++] = unit >= 0x20 && unit < 0x7f ? (char)unit : '?';
    }
    return true;
}

uint64_t etl_stamp_distance_ns(const struct etl_header *header, uint64_t from, uint64_t to)
{
    if (to <= from)
        return 0;
    uint64_t ticks = to - from, seconds = ticks / header->frequency_hz;
    if (seconds >= (uint64_t)INT64_MAX / 1000000000)
        return INT64_MAX;
    return seconds * 1000000000 + ticks % header->frequency_hz * 1000000000 / header->frequency_hz;
}

bool etl_container_detect(const unsigned char *head, size_t length)
{
    if (length < BUFFER_HEADER + 8)
        return false;
    uint32_t size = etl_u32(head);
    const unsigned char *marker = head + BUFFER_HEADER;
    return size >= BUFFER_HEADER && size <= BUFFER_MAX &&
           etl_u16(head + 0x36) == TYPE_FILE_HEADER && is_own_record(marker) && marker[6] == 0;
}

bool etl_container_open(struct trace_input *input, struct etl_container **result,
                        struct trace_error *error)
{
    struct etl_container *container = trace_input_reader(input, sizeof *container, error);
    *result = container;
    if (container == NULL)
        return false;
    container->input = input;
    const char *path = trace_input_path(input);
    struct etl_record record;
    const unsigned char *marker;
    bool good;
    if (!read_buffer(container))
        good = trace_fail(error, false, "%s: out of memory", path);
    else if (!read_record(container, &record, &marker) || !is_own_record(marker) || marker[6] != 0)
        good = trace_fail(error, false,
                          "%s: offset %d: expected a logfile header record as the first of the "
                          "file%s%s",
                          path, BUFFER_HEADER, container->damage[0] != '\0' ? "; " : "",
                          container->damage);
    else
        good = read_logfile_header(container, &record, error);
    container->counts.header_records = 1;
    if (!good) {
        etl_container_close(container);
        *result = NULL;
    }
    return good;
}

const struct etl_header *etl_container_header(const struct etl_container *container)
{
    return &container->header;
}

const struct etl_counts *etl_container_counts(const struct etl_container *container)
{
    return &container->counts;
}

const char *etl_container_damage(const struct etl_container *container)
{
    return container->damage[0] != '\0' ? container->damage : NULL;
}

const struct trace_input *etl_container_input(const struct etl_container *container)
{
    return container->input;
}

void etl_container_close(struct etl_container *container)
{
    if (container == NULL)
        return;
    trace_input_close(container->input);
    free(container->plain);
    free(container->expanded);
    free(container);
}
