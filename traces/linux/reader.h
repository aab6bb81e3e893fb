/* What the two formats of Linux recordings have in common: all is read when the recording is
 * opened, then events are handed out, and if it was damaged somewhere, that is said at the end. */
#ifndef WDDMSIM_TRACES_LINUX_READER_H
#define WDDMSIM_TRACES_LINUX_READER_H

#include "traces/linux/linux.h"

struct linux_reader {
    struct trace_input *input;
    struct linux_import import;
    struct trace_facts facts;
    struct trace_error damage; /* behind which nothing could be read; message "": none */
    const char *origin_unit;   /* "line", "offset": what origins count */
    uint64_t origin;
    bool damage_told, placed;
    char source[192];
    char place[400];
};

/* Takes over `input`, whether it succeeds or not. */
bool linux_reader_create(struct trace_input *input, const char *origin_unit,
                         struct linux_reader **reader, struct trace_error *error);

/* Everything is read, and `source` is set: makes it ready to be handed out, fills the header, and
 * *state is the reader. False: nothing in the recording can be used, or failed; the reader is
 * closed. */
bool linux_reader_finish(struct linux_reader *reader, void **state, struct trace_header *header,
                         struct trace_error *error);

/* Says why adding failed; the reader is closed. Returns false. */
bool linux_reader_fail(struct linux_reader *reader, struct trace_error *error);

/* Functions of a format whose state is a linux_reader. */
enum trace_result linux_reader_next(void *state, struct trace_event *event,
                                    struct trace_error *error);
const char *linux_reader_place(void *state);
const struct trace_fact *linux_reader_facts(void *state, size_t *count);
void linux_reader_close(void *state);

#endif
