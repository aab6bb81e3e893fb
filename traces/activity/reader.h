/* What the readers of activities have in common: all is read when the recording is opened, then
 * events are handed out, and if the file was damaged somewhere, that is said at the end. */
#ifndef WDDMSIM_TRACES_ACTIVITY_READER_H
#define WDDMSIM_TRACES_ACTIVITY_READER_H

#include "traces/activity/activity.h"
#include "traces/input.h"
#include "traces/reader.h"

struct activity_reader {
    struct trace_input *input;
    struct activities *activities;
    struct trace_facts facts;
    struct trace_error damage; /* behind which nothing could be read; message "": none */
    int64_t base_ns;           /* zero of the activities' clock on the recording's */
    uint64_t undecodable;      /* entries of a kind that counts, without what it needs */
    bool damage_told;
    char source[192];
    char place[400];
};

/* Takes over `input`, whether it succeeds or not. `places` as for activities_create. */
bool activity_reader_create(struct trace_input *input,
                            void (*places)(void *self, uint64_t origin, char place[64]), void *self,
                            struct activity_reader **reader, struct trace_error *error);

/* "offset 1234": for recordings whose origins are offsets in the file. */
void activity_place_offset(void *self, uint64_t origin, char place[64]);

/* Tells the progress of reading. */
void activity_reader_progress(const struct activity_reader *reader,
                              const struct trace_open_options *options);

/* Everything is read, and `source` is set: makes it ready to be handed out, fills the header, and
 * *state is the reader. False: nothing in the recording can be used, or failed; the reader is
 * closed. */
bool activity_reader_finish(struct activity_reader *reader, void **state,
                            struct trace_header *header, struct trace_error *error);

/* Functions of a format whose state is an activity_reader. */
enum trace_result activity_reader_next(void *state, struct trace_event *event,
                                       struct trace_error *error);
const char *activity_reader_place(void *state);
const struct trace_fact *activity_reader_facts(void *state, size_t *count);
void activity_reader_close(void *state);

#endif
