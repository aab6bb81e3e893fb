/* The "trace.dat" trace format: what trace-cmd records, versions 6 and 7 (trace-formats.md §4.2,
 * §4.3, and the trace-cmd.dat manual pages).
 *
 * Nothing that the file says is believed before it is held against what there is of it: the sample
 * of a fork that keeps process numbers where others keep the number of processors once made a
 * reader ask for 150 GB. Sections are walked, never mapped, and CPU data is read page by page. */
#include "traces/linux/dat.h"

#include "traces/buffer.h"
#include "traces/message.h"
#include "traces/seekable.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum {
    LARGEST_SECTION = 64 * 1024 * 1024, /* unpacked; of a big kernel all formats take 5 MB */
    LARGEST_FORMAT = 256 * 1024,
    LARGEST_PAGE = 1024 * 1024,
    MOST_PROCESSORS = 8192,
    MOST_BUFFERS = 256,
};

enum dat_option {
    OPTION_DONE = 0,
    OPTION_BUFFER = 3,
    OPTION_CLOCK = 4,
    OPTION_UNAME = 5,
    OPTION_PROCESSORS = 8,
    OPTION_TSC = 14,
    OPTION_HEADER = 16,
    OPTION_FORMATS = 17, /* of ftrace itself: none that matters */
    OPTION_EVENTS = 18,
};

/* CPU data of one processor. */
struct piece {
    uint64_t offset, size;
};

struct dat {
    struct linux_reader *reader;
    const struct trace_open_options *options;
    struct trace_seekable *file;
    uint64_t size; /* of the file */
    struct dat_pages pages;
    unsigned version;
    enum { PLAIN, ZSTD, ZLIB } packing;
    uint32_t processors;
    struct dat_plan plans[LINUX_TRACEPOINTS_MAX];
    size_t plan_count;
    uint8_t plan_of_id[UINT16_MAX + 1]; /* + 1; 0: does not matter */
    struct trace_map process_of_thread;
    struct piece *pieces;
    size_t piece_count, piece_room;
    uint64_t buffers[MOST_BUFFERS]; /* version 6: where further ones begin */
    size_t buffer_count;
    char clock[32];
    uint32_t tsc_multiplier, tsc_shift;
    uint64_t tsc_offset;
    bool tsc;
    char kernel[96];
    uint64_t next_options; /* version 7: where the next section of them is; 0: nowhere */
    unsigned char *page;   /* a page, or a run of them that was packed together */
    size_t page_room;
    uint64_t page_offset; /* of what is being read, for messages */
    bool failed;
};

/* Reading. */

void dat_get(struct dat_cursor *cursor, void *buffer, size_t size)
{
    if (cursor->failed || size > cursor->end - cursor->at) {
        cursor->failed = true;
        memset(buffer, 0, size);
        return;
    }
    if (cursor->file == NULL)
        memcpy(buffer, cursor->bytes + cursor->at, size);
    else if (!trace_seekable_read(cursor->file, cursor->at, buffer, size))
        cursor->failed = true;
    cursor->at += size;
}

uint64_t dat_get_number(struct dat_cursor *cursor, size_t size)
{
    unsigned char bytes[8];
    dat_get(cursor, bytes, size);
    return cursor->failed ? 0 : dat_number(cursor->order, bytes, size);
}

void dat_skip(struct dat_cursor *cursor, uint64_t size)
{
    if (cursor->failed || size > cursor->end - cursor->at)
        cursor->failed = true;
    else
        cursor->at += size;
}

/* A text that ends with NUL, cut to what fits. */
static void get_text(struct dat_cursor *cursor, char *text, size_t room)
{
    size_t used = 0;
    char c = '\0';
    do {
        dat_get(cursor, &c, 1);
        if (c != '\0' && used + 1 < room)
            text[used++] = c;
    } while (c != '\0' && !cursor->failed);
    text[used] = '\0';
}

static struct dat_cursor cursor_at(const struct dat *dat, uint64_t offset)
{
    return (struct dat_cursor){
        .file = dat->file,
        .at = offset < dat->size ? offset : dat->size,
        .end = dat->size,
        .order = dat->pages.order,
        .failed = offset > dat->size,
    };
}

/* Notes the first damage. Returns false. */
static bool damaged(struct dat *dat, uint64_t offset, const char *what)
{
    if (dat->reader->damage.message[0] == '\0')
        trace_fail(&dat->reader->damage, true, "%s: offset %" PRIu64 ": %s",
                   trace_input_path(dat->reader->input), offset, what);
    return false;
}

/* Unpacks bytes into `to`, which has room for exactly `size`. */
static bool unpack(const struct dat *dat, const void *packed, size_t packed_size, void *to,
                   size_t size)
{
    uLongf got = size;
    switch (dat->packing) {
    case ZSTD:
        return ZSTD_decompress(to, size, packed, packed_size) == size;
    case ZLIB:
        return uncompress(to, &got, packed, packed_size) == Z_OK && got == size;
    default:
        return false;
    }
}

/* Reads packed bytes of the file and unpacks them into new memory. NULL: damaged, or no memory. */
static unsigned char *get_packed(struct dat *dat, uint64_t offset, size_t packed_size, size_t size)
{
    unsigned char *packed = NULL, *bytes = NULL;
    if (packed_size <= dat->size && size <= LARGEST_SECTION) {
        packed = malloc(packed_size + 1);
        bytes = malloc(size + 1);
    }
    if (packed == NULL || bytes == NULL ||
        !trace_seekable_read(dat->file, offset, packed, packed_size) ||
        !unpack(dat, packed, packed_size, bytes, size)) {
        free(bytes);
        bytes = NULL;
    }
    free(packed);
    return bytes;
}

/* Formats. */

static void read_format(struct dat *dat, struct dat_cursor *cursor)
{
    uint64_t size = dat_get_number(cursor, 8);
    if (size > LARGEST_FORMAT || cursor->failed) {
        dat_skip(cursor, size);
        return;
    }
    char *text = malloc(size + 1);
    if (text == NULL) {
        cursor->failed = true;
        return;
    }
    dat_get(cursor, text, size);
    struct dat_plan plan;
    uint16_t id;
    if (!cursor->failed && dat->plan_count < LINUX_TRACEPOINTS_MAX &&
        dat_plan_make(&dat->reader->import.lookup, text, size, &plan, &id)) {
        dat->plans[dat->plan_count++] = plan;
        dat->plan_of_id[id] = (uint8_t)dat->plan_count;
    }
    free(text);
}

static void read_header_formats(struct dat *dat, struct dat_cursor *cursor)
{
    char name[16], text[4096];
    get_text(cursor, name, sizeof name); /* header_page */
    uint64_t size = dat_get_number(cursor, 8);
    if (size <= sizeof text) {
        dat_get(cursor, text, size);
        if (!cursor->failed)
            dat_pages_read_format(&dat->pages, text, size);
    } else {
        dat_skip(cursor, size);
    }
    get_text(cursor, name, sizeof name); /* header_event */
    dat_skip(cursor, dat_get_number(cursor, 8));
}

static void read_event_formats(struct dat *dat, struct dat_cursor *cursor)
{
    char name[64];
    uint64_t systems = dat_get_number(cursor, 4);
    for (uint64_t i = 0; i < systems && !cursor->failed; i++) {
        get_text(cursor, name, sizeof name);
        uint64_t events = dat_get_number(cursor, 4);
        for (uint64_t k = 0; k < events && !cursor->failed; k++)
            read_format(dat, cursor);
    }
}

/* Options. */

/* A fork keeps the process of each thread where others keep the number of processors. */
static void read_processes(struct dat *dat, const char *text)
{
    while (*text != '\0') {
        char *end;
        unsigned long long thread = strtoull(text, &end, 10), process;
        if (end == text || *end != ' ')
            return;
        text = end;
        process = strtoull(text, &end, 10);
        if (end == text || thread > UINT32_MAX || process > UINT32_MAX)
            return;
        if (!trace_map_put(&dat->process_of_thread, thread, 0, (void *)(uintptr_t)process))
            dat->failed = true;
        text = end + strspn(end, "\n");
    }
}

/* "Linux HOST RELEASE MACHINE": whose machine it was is nobody's business. */
static void read_uname(struct dat *dat, char *text)
{
    char *words[4] = {0}, *save = NULL;
    size_t count = 0;
    for (char *word = strtok_r(text, " ", &save); word != NULL && count < 4;
         word = strtok_r(NULL, " ", &save))
        words[count++] = word;
    if (count == 4)
        snprintf(dat->kernel, sizeof dat->kernel, "%.50s %.20s", words[2], words[3]);
}

/* "local", or the whole choice with the chosen one in brackets. */
static void read_clock(struct dat *dat, const char *text)
{
    const char *open = strchr(text, '[');
    const char *from = open != NULL ? open + 1 : text;
    size_t length = strcspn(from, "] \n");
    if (length >= sizeof dat->clock)
        length = sizeof dat->clock - 1;
    memcpy(dat->clock, from, length);
    dat->clock[length] = '\0';
}

static void add_piece(struct dat *dat, uint64_t offset, uint64_t size)
{
    struct piece *grown =
        trace_array_grow(dat->pieces, &dat->piece_room, dat->piece_count + 1, sizeof *grown);
    if (grown == NULL) {
        dat->failed = true;
        return;
    }
    dat->pieces = grown;
    if (size > 0)
        grown[dat->piece_count++] = (struct piece){offset, size};
}

/* Version 7: where the data of a buffer lies, processor by processor. */
static void read_buffer_option(struct dat *dat, struct dat_cursor *cursor)
{
    char name[64], clock[64];
    dat_skip(cursor, 8); /* of the section */
    get_text(cursor, name, sizeof name);
    get_text(cursor, clock, sizeof clock);
    if (dat->clock[0] == '\0')
        read_clock(dat, clock);
    uint64_t page_size = dat_get_number(cursor, 4), count = dat_get_number(cursor, 4);
    if (page_size >= 512 && page_size <= LARGEST_PAGE)
        dat->pages.page_size = (uint32_t)page_size;
    for (uint64_t i = 0; i < count && !cursor->failed; i++) {
        dat_skip(cursor, 4); /* which processor */
        uint64_t offset = dat_get_number(cursor, 8), size = dat_get_number(cursor, 8);
        if (!cursor->failed)
            add_piece(dat, offset, size);
    }
}

static void read_tsc(struct dat *dat, struct dat_cursor *cursor)
{
    dat->tsc_multiplier = (uint32_t)dat_get_number(cursor, 4);
    dat->tsc_shift = (uint32_t)dat_get_number(cursor, 4);
    dat->tsc_offset = dat_get_number(cursor, 8);
    dat->tsc = !cursor->failed && dat->tsc_shift < 64;
}

static bool read_section(struct dat *dat, uint64_t offset,
                         void (*read)(struct dat *dat, struct dat_cursor *cursor));

/* One option of `size` bytes, which the cursor stands before and is behind afterwards. */
static void read_option(struct dat *dat, struct dat_cursor *cursor, unsigned option, uint64_t size)
{
    enum { LONGEST = 1024 * 1024 };
    struct dat_cursor inner = *cursor;
    dat_skip(cursor, size);
    if (cursor->failed)
        return;
    inner.end = inner.at + size;
    bool text = option == OPTION_CLOCK || option == OPTION_UNAME || option == OPTION_PROCESSORS;
    if (option == OPTION_PROCESSORS && size == 4) {
        uint64_t count = dat_get_number(&inner, 4);
        if (count <= MOST_PROCESSORS)
            dat->processors = (uint32_t)count;
    } else if (text && size <= LONGEST) {
        char *copy = calloc(1, size + 1);
        if (copy == NULL) {
            dat->failed = true;
            return;
        }
        dat_get(&inner, copy, size);
        if (option == OPTION_CLOCK)
            read_clock(dat, copy);
        else if (option == OPTION_UNAME)
            read_uname(dat, copy);
        else
            read_processes(dat, copy);
        free(copy);
    } else if (option == OPTION_TSC) {
        read_tsc(dat, &inner);
    } else if (option == OPTION_BUFFER && dat->version == 7) {
        read_buffer_option(dat, &inner);
    } else if (option == OPTION_BUFFER && dat->buffer_count < MOST_BUFFERS) {
        dat->buffers[dat->buffer_count++] = dat_get_number(&inner, 8);
    } else if (option == OPTION_HEADER) {
        read_section(dat, dat_get_number(&inner, 8), read_header_formats);
    } else if (option == OPTION_EVENTS) {
        read_section(dat, dat_get_number(&inner, 8), read_event_formats);
    }
}

/* Version 6: one run of options, up to the one that says so. */
static void read_options_6(struct dat *dat, struct dat_cursor *cursor)
{
    while (!cursor->failed) {
        unsigned option = (unsigned)dat_get_number(cursor, 2);
        if (option == OPTION_DONE)
            return;
        read_option(dat, cursor, option, dat_get_number(cursor, 4));
    }
}

/* Version 6. */

/* Where each processor's data lies, perhaps behind options of its own. */
static bool read_data_6(struct dat *dat, struct dat_cursor *cursor)
{
    char kind[11] = "";
    uint64_t begun = cursor->at;
    dat_get(cursor, kind, 10);
    if (strcmp(kind, "options  ") == 0) {
        read_options_6(dat, cursor);
        begun = cursor->at;
        dat_get(cursor, kind, 10);
    }
    if (cursor->failed)
        return damaged(dat, begun, "the file ends before its data");
    if (strcmp(kind, "latency  ") == 0)
        return damaged(dat, begun,
                       "holds the text of a latency tracer: give that text instead "
                       "(trace-cmd report)");
    if (strcmp(kind, "flyrecord") != 0)
        return damaged(dat, begun, "expected \"flyrecord\" before the data");
    for (uint32_t i = 0; i < dat->processors && !cursor->failed; i++) {
        uint64_t offset = dat_get_number(cursor, 8), size = dat_get_number(cursor, 8);
        if (!cursor->failed)
            add_piece(dat, offset, size);
    }
    return !cursor->failed || damaged(dat, cursor->at, "the file ends before its data");
}

static bool read_file_6(struct dat *dat, struct dat_cursor *cursor)
{
    read_header_formats(dat, cursor);
    for (uint64_t count = dat_get_number(cursor, 4); count > 0 && !cursor->failed; count--)
        dat_skip(cursor, dat_get_number(cursor, 8)); /* of ftrace itself */
    read_event_formats(dat, cursor);
    dat_skip(cursor, dat_get_number(cursor, 4)); /* addresses of kernel functions */
    dat_skip(cursor, dat_get_number(cursor, 4)); /* texts of printk */
    dat_skip(cursor, dat_get_number(cursor, 8)); /* names of tasks */
    dat->processors = (uint32_t)dat_get_number(cursor, 4);
    if (dat->processors > MOST_PROCESSORS)
        return damaged(dat, cursor->at - 4, "more processors than there are machines with");
    if (cursor->failed)
        return damaged(dat, cursor->at, "the file ends among its formats");
    if (!read_data_6(dat, cursor))
        return false;
    uint32_t processors = dat->processors;
    for (size_t i = 0; i < dat->buffer_count; i++) {
        struct dat_cursor further = cursor_at(dat, dat->buffers[i]);
        dat->processors = processors;
        if (!read_data_6(dat, &further))
            return false;
    }
    return true;
}

/* Version 7. */

/* Reads the section whose head is there. False: damaged. */
static bool read_section(struct dat *dat, uint64_t offset,
                         void (*read)(struct dat *dat, struct dat_cursor *cursor))
{
    enum { COMPRESSED = 1 };
    struct dat_cursor cursor = cursor_at(dat, offset);
    dat_skip(&cursor, 2); /* which section it is */
    unsigned flags = (unsigned)dat_get_number(&cursor, 2);
    dat_skip(&cursor, 4); /* its description */
    uint64_t size = dat_get_number(&cursor, 8);
    if (cursor.failed || size > cursor.end - cursor.at)
        return damaged(dat, offset, "a section goes on behind the end of the file");
    cursor.end = cursor.at + size;
    unsigned char *unpacked = NULL;
    if ((flags & COMPRESSED) != 0) {
        uint64_t packed_size = dat_get_number(&cursor, 4);
        uint64_t unpacked_size = dat_get_number(&cursor, 4);
        if (!cursor.failed && packed_size <= cursor.end - cursor.at)
            unpacked = get_packed(dat, cursor.at, packed_size, unpacked_size);
        if (unpacked == NULL)
            return damaged(dat, offset, "a section that cannot be unpacked");
        cursor =
            (struct dat_cursor){.bytes = unpacked, .end = unpacked_size, .order = dat->pages.order};
    }
    read(dat, &cursor);
    free(unpacked);
    return !cursor.failed || damaged(dat, offset, "a section that ends too early");
}

/* A section of options; the last one is where the next such section is. */
static void read_options_7(struct dat *dat, struct dat_cursor *cursor)
{
    dat->next_options = 0;
    while (cursor->at < cursor->end && !cursor->failed) {
        unsigned option = (unsigned)dat_get_number(cursor, 2);
        uint64_t size = dat_get_number(cursor, 4);
        if (option == OPTION_DONE) {
            dat->next_options = size == 8 ? dat_get_number(cursor, 8) : 0;
            return;
        }
        read_option(dat, cursor, option, size);
    }
}

static bool read_file_7(struct dat *dat, struct dat_cursor *cursor)
{
    char name[16], version[32];
    uint64_t at = cursor->at;
    get_text(cursor, name, sizeof name);
    get_text(cursor, version, sizeof version);
    if (strcmp(name, "zstd") == 0)
        dat->packing = ZSTD;
    else if (strcmp(name, "zlib") == 0)
        dat->packing = ZLIB;
    else if (strcmp(name, "none") != 0)
        return damaged(dat, at, "packed in a way that is not known: expected zstd, zlib or none");
    uint64_t options = dat_get_number(cursor, 8), before = 0;
    if (cursor->failed)
        return damaged(dat, cursor->at, "the file ends in its head");
    for (; options != 0; options = dat->next_options) {
        /* They are written one behind the other: a chain that goes back is a circle. */
        if (options <= before)
            return damaged(dat, options, "options that lead back to options before them");
        before = options;
        if (!read_section(dat, options, read_options_7))
            return false;
    }
    return true;
}

/* Data. */

static uint64_t stamp_to_ns(const struct dat *dat, uint64_t stamp)
{
    if (!dat->tsc)
        return stamp;
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)((wide)stamp * dat->tsc_multiplier >> dat->tsc_shift) + dat->tsc_offset;
}

/* The text of a value, where it lies; NULL: it is none. */
static const char *text_in(const struct dat *dat, const struct dat_place *place,
                           const unsigned char *data, size_t size, size_t *length)
{
    size_t from = place->offset, room = place->size;
    if (place->form != DAT_ARRAY) {
        uint64_t where = dat_number(dat->pages.order, data + place->offset, 4);
        from =
            (size_t)(where & 0xffff) + (place->form == DAT_LOCATED_BEHIND ? place->offset + 4 : 0);
        room = (size_t)(where >> 16);
    }
    if (from > size || room > size - from)
        return NULL;
    *length = strnlen((const char *)data + from, room);
    return (const char *)data + from;
}

static void read_value(struct dat *dat, const struct dat_place *place, const unsigned char *data,
                       size_t size, struct linux_record *record)
{
    struct linux_import *import = &dat->reader->import;
    const char *text = NULL;
    size_t length = 0;
    char number_text[24];
    uint64_t number = 0;
    if (place->size > size || place->offset > size - place->size)
        return;
    if (place->form != DAT_NUMBER) {
        if (place->form != DAT_ARRAY && place->size < 4)
            return;
        text = text_in(dat, place, data, size, &length);
        if (text == NULL)
            return;
    } else if (place->size <= 8) {
        number = dat_number(dat->pages.order, data + place->offset, place->size);
    } else {
        return;
    }
    switch (place->field->type) {
    case LINUX_TEXT:
        if (text == NULL) { /* the address of a name, in old kernels */
            length = (size_t)snprintf(number_text, sizeof number_text, "0x%" PRIx64, number);
            text = number_text;
        }
        number = linux_text(import, text, length);
        if (number == 0)
            return;
        break;
    case LINUX_PLACEMENT:
        if (text != NULL && !linux_placement_named(text, length, &number))
            return;
        break;
    default:
        if (text != NULL)
            return;
        break;
    }
    linux_give(record, place->field->slot, number);
}

static bool read_record(void *self, uint64_t stamp, const unsigned char *data, size_t size)
{
    struct dat *dat = self;
    struct linux_import *import = &dat->reader->import;
    if (size < 8)
        return true; /* nothing that a tracepoint wrote */
    uint64_t t_ns = stamp_to_ns(dat, stamp);
    linux_note_time(import, t_ns);
    uint8_t plan_number = dat->plan_of_id[dat_number(dat->pages.order, data, 2)];
    if (plan_number == 0) {
        import->tally.others++;
        return true;
    }
    const struct dat_plan *plan = &dat->plans[plan_number - 1];
    struct linux_record record = {.order.key = t_ns, .origin = dat->page_offset};
    if (plan->pid_offset <= size - 4)
        record.thread = (uint32_t)dat_number(dat->pages.order, data + plan->pid_offset, 4);
    record.process = (uint32_t)(uintptr_t)trace_map_get(&dat->process_of_thread, record.thread, 0);
    for (uint8_t i = 0; i < plan->count; i++)
        read_value(dat, &plan->places[i], data, size, &record);
    dat->failed = !linux_add(import, plan->tracepoint, &record);
    return !dat->failed;
}

/* Reads pages that lie one behind the other in memory. False: damaged. */
static bool read_pages(struct dat *dat, const unsigned char *bytes, size_t size, uint64_t offset)
{
    uint32_t page_size = dat->pages.page_size;
    for (size_t at = 0; at < size && !dat->failed; at += page_size) {
        uint64_t missed;
        size_t length = size - at < page_size ? size - at : page_size;
        dat->page_offset = offset + at;
        size_t bad = dat_page_read(&dat->pages, bytes + at, length, read_record, dat, &missed);
        dat->reader->import.tally.lost += missed;
        if (bad != SIZE_MAX)
            return damaged(dat, offset + at + bad, "a damaged page of the ring buffer");
    }
    return true;
}

static void show_progress(const struct dat *dat, uint64_t done)
{
    if (dat->options != NULL && dat->options->progress != NULL)
        dat->options->progress(dat->options->progress_self, done, dat->size);
}

static bool make_room(struct dat *dat, size_t size)
{
    if (size <= dat->page_room)
        return true;
    unsigned char *grown = realloc(dat->page, size);
    if (grown == NULL) {
        dat->failed = true;
        return false;
    }
    dat->page = grown;
    dat->page_room = size;
    return true;
}

static bool read_plain_piece(struct dat *dat, const struct piece *piece)
{
    enum { PAGES = 64 };
    uint64_t run = (uint64_t)PAGES * dat->pages.page_size;
    if (!make_room(dat, (size_t)(piece->size < run ? piece->size : run)))
        return false;
    for (uint64_t at = 0; at < piece->size && !dat->failed; at += run) {
        uint64_t offset = piece->offset + at;
        size_t size = (size_t)(piece->size - at < run ? piece->size - at : run);
        uint64_t left = offset < dat->size ? dat->size - offset : 0;
        bool whole = size <= left;
        if (!whole)
            size = (size_t)left - (size_t)left % dat->pages.page_size;
        if (!trace_seekable_read(dat->file, offset, dat->page, size) ||
            !read_pages(dat, dat->page, size, offset))
            return damaged(dat, offset, "cannot be read");
        if (!whole)
            return damaged(dat, offset + size, "the file ends within its data");
        show_progress(dat, offset);
    }
    return true;
}

/* Version 7: runs of pages, each packed by itself. */
static bool read_packed_piece(struct dat *dat, const struct piece *piece)
{
    struct dat_cursor cursor = cursor_at(dat, piece->offset);
    uint64_t count = dat_get_number(&cursor, 4); /* not among the piece's bytes */
    if (piece->size < cursor.end - cursor.at)
        cursor.end = cursor.at + piece->size;
    for (; count > 0 && !cursor.failed && !dat->failed; count--) {
        uint64_t offset = cursor.at;
        uint64_t packed_size = dat_get_number(&cursor, 4), size = dat_get_number(&cursor, 4);
        if (cursor.failed || packed_size > cursor.end - cursor.at)
            break;
        unsigned char *pages = get_packed(dat, cursor.at, packed_size, size);
        bool good = pages != NULL && read_pages(dat, pages, size, offset);
        free(pages);
        if (!good)
            return damaged(dat, offset, "pages that cannot be unpacked");
        dat_skip(&cursor, packed_size);
        show_progress(dat, offset);
    }
    return count == 0 || dat->failed ||
           damaged(dat, cursor.at, "the file ends within its packed pages");
}

/* Clocks that count something else than ns, as far as the kernel has them. */
static bool counts_ticks(const struct dat *dat)
{
    return !dat->tsc && (strcmp(dat->clock, "counter") == 0 || strcmp(dat->clock, "uptime") == 0 ||
                         strcmp(dat->clock, "x86-tsc") == 0 || strncmp(dat->clock, "ppc", 3) == 0);
}

/* What the file is, from its first bytes; false: not one that can be read. */
static bool read_head(struct dat *dat, struct dat_cursor *cursor)
{
    char version[8];
    dat_skip(cursor, 10); /* the magic */
    get_text(cursor, version, sizeof version);
    dat->version = (unsigned)strtoul(version, NULL, 10);
    if (dat->version != 6 && dat->version != 7) {
        char what[80];
        snprintf(what, sizeof what, "version \"%.8s\" of trace.dat: expected 6 or 7", version);
        return damaged(dat, 10, what);
    }
    dat->pages.order.big_endian = dat_get_number(cursor, 1) != 0;
    cursor->order = dat->pages.order;
    dat->pages.long_size = (uint32_t)dat_get_number(cursor, 1);
    dat->pages.page_size = (uint32_t)dat_get_number(cursor, 4);
    if (dat->pages.long_size != 4 && dat->pages.long_size != 8)
        return damaged(dat, cursor->at - 5, "expected 4 or 8 bytes in a long");
    if (dat->pages.page_size < 512 || dat->pages.page_size > LARGEST_PAGE)
        return damaged(dat, cursor->at - 4, "a size that no page has");
    dat->pages.commit_offset = 8;
    dat->pages.commit_size = dat->pages.long_size;
    dat->pages.data_offset = 8 + dat->pages.long_size;
    return true;
}

static bool check_pages(struct dat *dat)
{
    const struct dat_pages *pages = &dat->pages;
    if ((pages->commit_size == 4 || pages->commit_size == 8) && pages->commit_offset >= 8 &&
        pages->commit_offset <= 64 &&
        pages->data_offset >= pages->commit_offset + pages->commit_size &&
        pages->data_offset <= 128)
        return true;
    return damaged(dat, 0, "header_page: describes no page of a ring buffer");
}

/* Reads what can be read; the damage is noted. */
static void read_all(struct dat *dat)
{
    struct dat_cursor cursor = cursor_at(dat, 0);
    if (!read_head(dat, &cursor))
        return;
    bool good = dat->version == 6 ? read_file_6(dat, &cursor) : read_file_7(dat, &cursor);
    if (counts_ticks(dat)) {
        damaged(dat, 0,
                "recorded with a clock of ticks: record with a clock of time "
                "(trace-cmd record -C local)");
        return;
    }
    if (!check_pages(dat))
        return;
    (void)good; /* what was found before the damage is whole */
    for (size_t i = 0; i < dat->piece_count && !dat->failed; i++)
        if (dat->packing == PLAIN)
            read_plain_piece(dat, &dat->pieces[i]);
        else
            read_packed_piece(dat, &dat->pieces[i]);
}

static bool dat_open(struct trace_input *input, const struct trace_open_options *options,
                     void **state, struct trace_header *header, struct trace_error *error)
{
    struct linux_reader *reader;
    *state = NULL;
    if (!linux_reader_create(input, "offset", &reader, error))
        return false;
    struct dat *dat = calloc(1, sizeof *dat);
    if (dat == NULL)
        return linux_reader_fail(reader, error);
    dat->reader = reader;
    dat->options = options;
    bool good = trace_seekable_open(input, &dat->file, error);
    if (!good) {
        linux_reader_close(reader);
        free(dat);
        return false;
    }
    if (error->message[0] != '\0') /* what was there of a damaged file is read all the same */
        reader->damage = *error;
    dat->size = trace_seekable_size(dat->file);
    read_all(dat);
    snprintf(reader->source, sizeof reader->source, "Linux trace.dat version %u%s%s", dat->version,
             dat->kernel[0] != '\0' ? ", kernel " : "", dat->kernel);
    trace_make_printable(reader->source);
    good = !dat->failed;
    trace_seekable_close(dat->file);
    trace_map_free(&dat->process_of_thread);
    free(dat->pieces);
    free(dat->page);
    free(dat);
    return good ? linux_reader_finish(reader, state, header, error)
                : linux_reader_fail(reader, error);
}

static bool dat_detect(const unsigned char *head, size_t length)
{
    static const unsigned char magic[] = {0x17, 0x08, 0x44, 't', 'r', 'a', 'c', 'i', 'n', 'g'};
    return length >= sizeof magic && memcmp(head, magic, sizeof magic) == 0;
}

const struct trace_format trace_format_dat = {
    .name = "trace.dat",
    .summary = "Linux ftrace as trace-cmd records it, versions 6 and 7",
    .detect = dat_detect,
    .open = dat_open,
    .next = linux_reader_next,
    .place = linux_reader_place,
    .facts = linux_reader_facts,
    .close = linux_reader_close,
};
