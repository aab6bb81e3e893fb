/* Events out of an unpacked block of a binary trace (wtrace.h says how they are laid out). */
#ifndef WDDMSIM_TRACES_WTRACE_DECODER_H
#define WDDMSIM_TRACES_WTRACE_DECODER_H

#include "traces/wtrace_plan.h"

struct wtrace_thread;

/* All zero but `plans`: ready for its first block. */
struct wtrace_decoder {
    const struct wtrace_plans *plans;
    const unsigned char *raw; /* the block */
    struct wtrace_cursor cursor;
    uint64_t t;
    uint32_t *strings; /* offsets into raw */
    size_t string_room;
    uint64_t string_count;
    const char *good_extras;       /* the block's x- fields checked last, or NULL */
    struct wtrace_thread *threads; /* the block has seen */
    size_t thread_room;
    uint64_t thread_count;
    struct trace_arena arena; /* lists of the last event */
};

/* Begins a block, which must stay in place until the next one begins. NULL, or what is wrong. */
const char *wtrace_decoder_start(struct wtrace_decoder *decoder, const unsigned char *raw,
                                 size_t length, uint64_t first_t);

/* Decodes the next event. It points into the block and the decoder and lives until the next call.
 * NULL, or what is wrong; then where the next event starts is not known. */
const char *wtrace_decode(struct wtrace_decoder *decoder, struct trace_event *event);

void wtrace_decoder_free(struct wtrace_decoder *decoder);

#endif
