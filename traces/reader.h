/* Reading any trace: detection by content, one event at a time, errors with their place. */
#ifndef WDDMSIM_TRACES_READER_H
#define WDDMSIM_TRACES_READER_H

#include "traces/event.h"

struct trace_reader;

/* One thing a reader counted or measured while reading: for `inspect`, for the header's x-import,
 * and for summaries. */
struct trace_fact {
    const char *key;     /* stable, machine-readable: "records", "events-lost" */
    const char *meaning; /* for people */
    const char *unit;    /* "", "ns", "bytes" */
    double value;
};

struct trace_open_options {
    const char *format;          /* NULL: detect from content */
    const char *const *settings; /* each KEY=VALUE, of the format's own */
    size_t setting_count;
    bool settings_of_others; /* settings that the format does not have are left alone */
    uint64_t unknown_size;   /* 0: what the header or the importer says */
    /* Progress of long imports; may be NULL. `done` and `total` are bytes of input, total 0 when
     * unknown. */
    void (*progress)(void *self, uint64_t done, uint64_t total);
    void *progress_self;
};

/* Opens a trace of any known format, compressed (gzip, zstd, xz, bzip2, zip) or not; `path` "-" is
 * standard input. Returns false and fills the error if it cannot; *reader is then NULL. */
bool trace_open(const char *path, const struct trace_open_options *options,
                struct trace_reader **reader, struct trace_error *error);

enum trace_result { TRACE_EVENT, TRACE_END, TRACE_BAD };

/* Reads the next event. After TRACE_BAD with error->skippable set, the next call goes on behind
 * the bad event. Guarantees for every format: t never goes back (an event that does is bad),
 * required fields are given, fields belong to the op. */
enum trace_result trace_next(struct trace_reader *reader, struct trace_event *event,
                             struct trace_error *error);

const struct trace_header *trace_reader_header(const struct trace_reader *reader);

/* Name of the format being read ("jsonl", "wtrace", "etl"). */
const char *trace_reader_format(const struct trace_reader *reader);

/* Where the last event stood, for messages about its meaning: "trace.jsonl:1042",
 * "trace.wtrace: event 1042", "x.etl: offset 0x1234". Owned by the reader, valid until its next
 * call. */
const char *trace_reader_place(struct trace_reader *reader);

/* Facts counted so far (importers: complete once opened). Owned by the reader. */
const struct trace_fact *trace_reader_facts(const struct trace_reader *reader, size_t *count);

/* Bytes of the file read so far and its size (0 if unknown), for progress. */
void trace_reader_progress(const struct trace_reader *reader, uint64_t *done, uint64_t *total);

void trace_close(struct trace_reader *reader);

/* What a format provides; formats.c lists them. A new format is one file and one row there. */
struct trace_input;
struct trace_setting {
    const char *key;
    const char *values;   /* "segments or blocks", "a number of bytes" */
    const char *standard; /* what it is when nobody says */
    const char *meaning;  /* one line for the documentation */
};
struct trace_format {
    const char *name;
    const char *summary;
    const struct trace_setting *settings; /* what who reads it may choose */
    size_t setting_count;
    bool names_its_own; /* what it calls objects means nothing outside of the one recording */
    /* Whether the first bytes (up to 4096; fewer at the end of input) are this format's. */
    bool (*detect)(const unsigned char *head, size_t length);
    /* Takes over `input`, whether it succeeds or not. */
    bool (*open)(struct trace_input *input, const struct trace_open_options *options, void **state,
                 struct trace_header *header, struct trace_error *error);
    enum trace_result (*next)(void *state, struct trace_event *event, struct trace_error *error);
    const char *(*place)(void *state);
    const struct trace_fact *(*facts)(void *state, size_t *count);  /* NULL: none */
    void (*progress)(void *state, uint64_t *done, uint64_t *total); /* NULL: the input's */
    void (*close)(void *state);
};

/* The value chosen for one of the format's settings, or its standard. Any value may have been
 * given: who asks refuses what it does not know, with trace_fail_setting, which returns false. */
const char *trace_setting(const struct trace_format *format,
                          const struct trace_open_options *options, const char *key);
bool trace_fail_setting(const struct trace_format *format, const char *key, const char *value,
                        struct trace_error *error);

extern const struct trace_format *const trace_formats[];
extern const size_t trace_format_count;

#endif
