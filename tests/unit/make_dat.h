/* Small trace.dat files, as trace-cmd would have written them: for unit tests and as fuzz seeds. */
#ifndef WDDMSIM_TESTS_MAKE_DAT_H
#define WDDMSIM_TESTS_MAKE_DAT_H

#include "traces/buffer.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

struct dat_made {
    struct trace_buffer file;
    unsigned version; /* 6 or 7 */
    bool big_endian;
    const char *packing;   /* of version 7: "none", "zstd", "zlib" */
    const char *clock;     /* NULL: not said */
    const char *processes; /* "thread process\n": what a fork keeps; NULL: nothing */
    const char *format;    /* in place of amdgpu_cs_ioctl's; NULL: as it is */
};

static inline void dat_put(struct trace_buffer *to, const struct dat_made *made, uint64_t number,
                           size_t size)
{
    for (size_t i = 0; i < size; i++)
        trace_buffer_put_byte(
            to, (unsigned char)(number >> (8 * (made->big_endian ? size - 1 - i : i))));
}

static inline void dat_put_text(struct trace_buffer *to, const char *text)
{
    trace_buffer_put(to, text, strlen(text) + 1);
}

/* A text with its size in front, of that many bytes. */
static inline void dat_put_sized(struct trace_buffer *to, const struct dat_made *made,
                                 const char *text, size_t size)
{
    dat_put(to, made, strlen(text), size);
    trace_buffer_put(to, text, strlen(text));
}

#define DAT_COMMON                                                                                 \
    "format:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"                \
    "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"                         \
    "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"                 \
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

static const char dat_header_page[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
                                      "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
                                      "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
                                      "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";

enum { DAT_SUBMIT = 300, DAT_RUN, DAT_SIGNALED, DAT_MOVE, DAT_OTHER };

/* amdgpu_cs_ioctl and amdgpu_sched_run_job lie alike. */
#define DAT_JOB(name, id)                                                                          \
    "name: " name "\nID: " id "\n" DAT_COMMON                                                      \
    "\tfield:uint64_t sched_job_id;\toffset:8;\tsize:8;\tsigned:0;\n"                              \
    "\tfield:__data_loc char[] timeline;\toffset:16;\tsize:4;\tsigned:1;\n"                        \
    "\tfield:unsigned int context;\toffset:20;\tsize:4;\tsigned:0;\n"                              \
    "\tfield:unsigned int seqno;\toffset:24;\tsize:4;\tsigned:0;\n\nprint fmt: \"\"\n"

static const char *const dat_formats[] = {
    DAT_JOB("amdgpu_cs_ioctl", "300"),
    DAT_JOB("amdgpu_sched_run_job", "301"),
    "name: dma_fence_signaled\nID: 302\n" DAT_COMMON
    "\tfield:unsigned int context;\toffset:8;\tsize:4;\tsigned:0;\n"
    "\tfield:unsigned int seqno;\toffset:12;\tsize:4;\tsigned:0;\n\nprint fmt: \"\"\n",
    /* xe_bo_move in two spellings at once: a text in an array, and one located behind its field */
    "name: xe_bo_move\nID: 303\n" DAT_COMMON
    "\tfield:struct xe_bo * bo;\toffset:8;\tsize:8;\tsigned:0;\n"
    "\tfield:size_t size;\toffset:16;\tsize:8;\tsigned:0;\n"
    "\tfield:char old_placement_name[8];\toffset:24;\tsize:8;\tsigned:1;\n"
    "\tfield:__rel_loc char[] new_placement_name;\toffset:32;\tsize:4;\tsigned:1;\n"
    "\tfield:bool move_lacks_source;\toffset:36;\tsize:1;\tsigned:0;\n\nprint fmt: \"\"\n",
    "name: sched_switch\nID: 304\n" DAT_COMMON "\nprint fmt: \"\"\n",
};

/* What every record begins with. */
static inline void dat_put_common(struct trace_buffer *record, const struct dat_made *made,
                                  unsigned id, uint32_t thread)
{
    dat_put(record, made, id, 2);
    dat_put(record, made, 0, 2);
    dat_put(record, made, thread, 4);
}

static inline void dat_put_job(struct trace_buffer *record, const struct dat_made *made,
                               unsigned id, uint32_t thread, const char *ring, uint32_t context,
                               uint32_t seqno)
{
    enum { BEHIND = 28 };
    dat_put_common(record, made, id, thread);
    dat_put(record, made, seqno, 8);
    dat_put(record, made, BEHIND | (strlen(ring) + 1) << 16, 4);
    dat_put(record, made, context, 4);
    dat_put(record, made, seqno, 4);
    dat_put_text(record, ring);
}

static inline void dat_put_signaled(struct trace_buffer *record, const struct dat_made *made,
                                    uint32_t context, uint32_t seqno)
{
    dat_put_common(record, made, DAT_SIGNALED, 0);
    dat_put(record, made, context, 4);
    dat_put(record, made, seqno, 4);
}

static inline void dat_put_move(struct trace_buffer *record, const struct dat_made *made,
                                uint32_t thread, uint64_t object, uint64_t bytes, const char *from,
                                const char *to, bool empty)
{
    char old[8] = "";
    dat_put_common(record, made, DAT_MOVE, thread);
    dat_put(record, made, object, 8);
    dat_put(record, made, bytes, 8);
    memcpy(old, from, strlen(from) < sizeof old ? strlen(from) : sizeof old);
    trace_buffer_put(record, old, sizeof old);
    dat_put(record, made, 1 | (strlen(to) + 1) << 16, 4); /* behind this field and the next */
    dat_put(record, made, empty, 1);
    dat_put_text(record, to);
}

enum { DAT_PAGE = 4096 };

/* Zeros up to that length. */
static inline void dat_pad(struct trace_buffer *to, size_t length)
{
    static const unsigned char zeros[DAT_PAGE];
    while (to->length < length && !to->failed) {
        size_t missing = length - to->length;
        trace_buffer_put(to, zeros, missing < sizeof zeros ? missing : sizeof zeros);
    }
}

/* A page of the ring buffer. */
struct dat_page {
    struct trace_buffer bytes;
    uint64_t stamp;
};

static inline void dat_page_begin(struct dat_page *page, const struct dat_made *made,
                                  uint64_t stamp)
{
    *page = (struct dat_page){.stamp = stamp};
    dat_put(&page->bytes, made, stamp, 8);
    dat_put(&page->bytes, made, 0, 8); /* the commit, when it is known */
}

static inline void dat_page_word(struct dat_page *page, const struct dat_made *made, unsigned type,
                                 uint64_t delta)
{
    dat_put(&page->bytes, made, made->big_endian ? type << 27 | delta : delta << 5 | type, 4);
}

/* Adds a record and empties it. Deltas of more than 27 bits need a word of their own. */
static inline void dat_page_add(struct dat_page *page, const struct dat_made *made, uint64_t stamp,
                                struct trace_buffer *record)
{
    uint64_t delta = stamp - page->stamp;
    if (delta >> 27 != 0) {
        dat_page_word(page, made, 30, delta & ((1U << 27) - 1));
        dat_put(&page->bytes, made, delta >> 27, 4);
        delta = 0;
    }
    while (record->length % 4 != 0)
        trace_buffer_put_byte(record, 0);
    if (record->length / 4 <= 28) {
        dat_page_word(page, made, (unsigned)(record->length / 4), delta);
    } else {
        dat_page_word(page, made, 0, delta);
        dat_put(&page->bytes, made, record->length + 4, 4);
    }
    trace_buffer_put(&page->bytes, record->bytes, record->length);
    page->stamp = stamp;
    record->length = 0;
}

/* Completes the page; `missed` records were lost before it. */
static inline void dat_page_end(struct dat_page *page, const struct dat_made *made, uint64_t missed)
{
    struct trace_buffer commit = {0};
    uint64_t bits = page->bytes.length - 16;
    if (missed > 0)
        bits |= UINT64_C(3) << 30;
    dat_put(&commit, made, bits, 8);
    memcpy(page->bytes.bytes + 8, commit.bytes, 8);
    if (missed > 0)
        dat_put(&page->bytes, made, missed, 8);
    dat_pad(&page->bytes, DAT_PAGE);
    trace_buffer_free(&commit);
}

/* Version 7: the bytes packed as the file says. */
static inline void dat_put_packed(struct trace_buffer *to, const struct dat_made *made,
                                  const struct trace_buffer *bytes)
{
    size_t room = ZSTD_compressBound(bytes->length) + compressBound(bytes->length);
    uLongf length = room;
    unsigned char *packed = malloc(room);
    if (packed == NULL)
        abort();
    if (strcmp(made->packing, "zstd") == 0)
        length = ZSTD_compress(packed, room, bytes->bytes, bytes->length, 1);
    else
        compress(packed, &length, bytes->bytes, bytes->length);
    dat_put(to, made, length, 4);
    dat_put(to, made, bytes->length, 4);
    trace_buffer_put(to, packed, length);
    free(packed);
}

static inline void dat_put_section(struct dat_made *made, unsigned id,
                                   const struct trace_buffer *bytes)
{
    bool packs = strcmp(made->packing, "none") != 0 && id != 0;
    struct trace_buffer body = {0};
    if (packs)
        dat_put_packed(&body, made, bytes);
    else
        trace_buffer_put(&body, bytes->bytes, bytes->length);
    dat_put(&made->file, made, id, 2);
    dat_put(&made->file, made, packs, 2);
    dat_put(&made->file, made, 0, 4);
    dat_put(&made->file, made, body.length, 8);
    trace_buffer_put(&made->file, body.bytes, body.length);
    trace_buffer_free(&body);
}

static inline void dat_put_option(struct trace_buffer *to, const struct dat_made *made, unsigned id,
                                  const void *bytes, size_t length)
{
    dat_put(to, made, id, 2);
    dat_put(to, made, length, 4);
    trace_buffer_put(to, bytes, length);
}

static inline void dat_put_header_formats(struct trace_buffer *to, const struct dat_made *made)
{
    dat_put_text(to, "header_page");
    dat_put_sized(to, made, dat_header_page, 8);
    dat_put_text(to, "header_event");
    dat_put_sized(to, made, "# compressed entry header\n", 8);
}

static inline void dat_put_event_formats(struct trace_buffer *to, const struct dat_made *made)
{
    enum { COUNT = sizeof dat_formats / sizeof dat_formats[0] };
    dat_put(to, made, 1, 4);
    dat_put_text(to, "made up");
    dat_put(to, made, COUNT, 4);
    for (size_t i = 0; i < COUNT; i++)
        dat_put_sized(to, made, i == 0 && made->format != NULL ? made->format : dat_formats[i], 8);
}

static inline void dat_put_options(struct trace_buffer *to, const struct dat_made *made)
{
    static const char kernel[] = "Linux somebodys-machine 6.1.0 x86_64";
    if (made->processes != NULL)
        dat_put_option(to, made, 8, made->processes, strlen(made->processes));
    if (made->clock != NULL)
        dat_put_option(to, made, 4, made->clock, strlen(made->clock) + 1);
    dat_put_option(to, made, 5, kernel, sizeof kernel);
}

static inline void dat_put_head(struct dat_made *made)
{
    trace_buffer_put(&made->file, "\x17\x08\x44tracing", 10);
    dat_put_text(&made->file, made->version == 6 ? "6" : "7");
    dat_put(&made->file, made, made->big_endian, 1);
    dat_put(&made->file, made, 8, 1);
    dat_put(&made->file, made, DAT_PAGE, 4);
}

/* The file of these pages, each the data of one processor. */
static inline void dat_make_6(struct dat_made *made, const struct dat_page *pages, size_t count)
{
    struct trace_buffer *file = &made->file;
    dat_put_head(made);
    dat_put_header_formats(file, made);
    dat_put(file, made, 0, 4);
    dat_put_event_formats(file, made);
    dat_put_sized(file, made, "ffffffff T nothing\n", 4);
    dat_put(file, made, 0, 4);
    dat_put_sized(file, made, "7 task\n", 8);
    dat_put(file, made, count, 4);
    dat_put_text(file, "options  ");
    dat_put_options(file, made);
    dat_put(file, made, 0, 2);
    dat_put_text(file, "flyrecord");
    size_t at = file->length + 16 * count;
    at = (at + DAT_PAGE - 1) / DAT_PAGE * DAT_PAGE;
    for (size_t i = 0; i < count; i++) {
        dat_put(file, made, at + i * DAT_PAGE, 8);
        dat_put(file, made, DAT_PAGE, 8);
    }
    dat_pad(file, at);
    for (size_t i = 0; i < count; i++)
        trace_buffer_put(file, pages[i].bytes.bytes, DAT_PAGE);
}

static inline void dat_make_7(struct dat_made *made, const struct dat_page *pages, size_t count)
{
    enum { HEADER = 16, EVENTS = 18, BUFFER = 3, OPTIONS = 0 };
    struct trace_buffer *file = &made->file, part = {0}, options = {0}, offset = {0};
    uint64_t header_at, events_at;
    bool packs = strcmp(made->packing, "none") != 0;
    dat_put_head(made);
    dat_put_text(file, made->packing);
    dat_put_text(file, packs ? "1.0" : "");
    size_t pointer = file->length; /* to the first options */
    dat_put(file, made, 0, 8);
    header_at = file->length;
    dat_put_header_formats(&part, made);
    dat_put_section(made, HEADER, &part);
    part.length = 0;
    events_at = file->length;
    dat_put_event_formats(&part, made);
    dat_put_section(made, EVENTS, &part);
    part.length = 0;
    dat_put(&offset, made, header_at, 8);
    dat_put_option(&options, made, HEADER, offset.bytes, 8);
    offset.length = 0;
    dat_put(&offset, made, events_at, 8);
    dat_put_option(&options, made, EVENTS, offset.bytes, 8);
    offset.length = 0;
    dat_put_options(&options, made);
    uint64_t first_options = file->length;
    /* The chain goes on behind these options and the data. */
    size_t next_pointer = first_options + 16 + options.length + 6;
    dat_put(&offset, made, 0, 8);
    dat_put_option(&options, made, OPTIONS, offset.bytes, 8);
    dat_put_section(made, OPTIONS, &options);
    options.length = 0;

    dat_put(&part, made, 0, 8);
    dat_put_text(&part, "");
    dat_put_text(&part, made->clock != NULL ? made->clock : "local");
    dat_put(&part, made, DAT_PAGE, 4);
    dat_put(&part, made, count, 4);
    for (size_t i = 0; i < count; i++) {
        uint64_t at = file->length;
        if (packs) {
            dat_put(file, made, 1, 4);
            dat_put_packed(
                file, made,
                &(struct trace_buffer){.bytes = pages[i].bytes.bytes, .length = DAT_PAGE});
        } else {
            trace_buffer_put(file, pages[i].bytes.bytes, DAT_PAGE);
        }
        dat_put(&part, made, i, 4);
        dat_put(&part, made, at, 8);
        dat_put(&part, made, file->length - at - (packs ? 4 : 0), 8);
    }
    uint64_t last_options = file->length;
    dat_put_option(&options, made, BUFFER, part.bytes, part.length);
    dat_put_option(&options, made, OPTIONS, "\0\0\0\0\0\0\0", 8);
    dat_put_section(made, OPTIONS, &options);
    offset.length = 0;
    dat_put(&offset, made, first_options, 8);
    dat_put(&offset, made, last_options, 8);
    memcpy(file->bytes + pointer, offset.bytes, 8);
    memcpy(file->bytes + next_pointer, offset.bytes + 8, 8);
    trace_buffer_free(&part);
    trace_buffer_free(&options);
    trace_buffer_free(&offset);
}

/* Two processors; what happens is in test_linux.c. */
static inline void dat_sample_pages(const struct dat_made *made, struct dat_page pages[2])
{
    enum { THREAD = 70, XE = 80 };
    const uint64_t second = 1000000000;
    struct trace_buffer record = {0};
    dat_page_begin(&pages[0], made, 5 * second);
    dat_put_job(&record, made, DAT_SUBMIT, THREAD, "gfx", 41, 7);
    dat_page_add(&pages[0], made, 5 * second + 100, &record);
    dat_page_word(&pages[0], made, 29, 50); /* a record that was thrown away */
    dat_put(&pages[0].bytes, made, 8, 4);
    dat_put(&pages[0].bytes, made, 0, 4);
    pages[0].stamp += 50;
    dat_put_job(&record, made, DAT_SUBMIT, THREAD, "gfx", 41, 8);
    dat_page_add(&pages[0], made, 5 * second + 300, &record);
    dat_put_signaled(&record, made, 41, 8);
    dat_page_add(&pages[0], made, 6 * second, &record); /* too far for a delta */
    dat_page_end(&pages[0], made, 0);

    dat_page_begin(&pages[1], made, 5 * second);
    dat_page_word(&pages[1], made, 31, (5 * second + 120) & ((1U << 27) - 1));
    dat_put(&pages[1].bytes, made, (5 * second + 120) >> 27, 4);
    pages[1].stamp = 5 * second + 120;
    dat_put_job(&record, made, DAT_RUN, 9, "gfx", 41, 7);
    dat_page_add(&pages[1], made, 5 * second + 150, &record);
    dat_put_job(&record, made, DAT_RUN, 9, "gfx", 41, 8);
    dat_page_add(&pages[1], made, 5 * second + 320, &record);
    dat_put_move(&record, made, XE, 0xabc000, 65536, "system", "vram0", false);
    dat_page_add(&pages[1], made, 5 * second + 400, &record);
    dat_put_move(&record, made, XE, 0xabc000, 65536, "vram0", "gtt", true);
    dat_page_add(&pages[1], made, 5 * second + 450, &record);
    dat_put_common(&record, made, DAT_OTHER, 9);
    for (size_t i = 0; i < 40; i++) /* longer than fits beside the type */
        dat_put(&record, made, i, 4);
    dat_page_add(&pages[1], made, 5 * second + 500, &record);
    dat_put_signaled(&record, made, 41, 7);
    dat_page_add(&pages[1], made, 5 * second + 1000, &record);
    dat_page_end(&pages[1], made, 3);
    trace_buffer_free(&record);
}

static inline void dat_sample(struct dat_made *made)
{
    struct dat_page pages[2];
    dat_sample_pages(made, pages);
    if (made->version == 6)
        dat_make_6(made, pages, 2);
    else
        dat_make_7(made, pages, 2);
    trace_buffer_free(&pages[0].bytes);
    trace_buffer_free(&pages[1].bytes);
}

#endif
