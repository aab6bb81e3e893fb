/* Where DxgKrnl records come from: a Windows recording, or what tools of Windows printed of one. */
#ifndef WDDMSIM_TRACES_ETL_SOURCE_H
#define WDDMSIM_TRACES_ETL_SOURCE_H

#include "traces/etl/container.h"
#include "traces/facts.h"
#include "traces/reader.h"

struct etl_source {
    void *self;
    const struct etl_header *header;
    const struct trace_input *input; /* for messages and progress */
    /* As etl_container_next. */
    enum etl_step (*next)(void *self, struct etl_record *record);
    bool lines; /* the offsets of records are numbers of lines */
    /* Facts about the file, once it is read. */
    void (*facts)(void *self, struct trace_facts *facts);
    /* Once all events were handed out: fills the error and answers true if the file was damaged. */
    bool (*damage)(void *self, struct trace_error *error);
    /* What it is, for people; complete once it is read. */
    void (*describe)(void *self, char *text, size_t room);
    void (*close)(void *self);
};

/* Reads all of the source, which it takes over whether it succeeds or not, and makes events of it.
 * The rest are functions of a format whose state it gives. */
bool etl_reader_open(const struct etl_source *source, const struct trace_open_options *options,
                     void **state, struct trace_header *header, struct trace_error *error);
enum trace_result etl_reader_next(void *state, struct trace_event *event,
                                  struct trace_error *error);
const char *etl_reader_place(void *state);
const struct trace_fact *etl_reader_facts(void *state, size_t *count);
void etl_reader_close(void *state);

#endif
