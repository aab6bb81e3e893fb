/* Encodings as the writer sees them: events in, bytes out. The first two can be read again. */
#ifndef WDDMSIM_TRACES_ENCODER_H
#define WDDMSIM_TRACES_ENCODER_H

#include "traces/buffer.h"
#include "traces/event.h"

/* An encoder appends to `out`, which the writer empties between calls; `written` bytes went before
 * what is there. Events are well formed (trace_check_event) and in order. A call that
 * fails with a skippable error leaves no part of its event behind. */
struct trace_encoder {
    const char *name;
    const char *suffix; /* of paths; NULL: none, it is what others are not */
    bool compresses;    /* what it writes may be compressed */
    /* NULL: out of memory. */
    void *(*start)(const struct trace_header *header, struct trace_buffer *out);
    bool (*put)(void *state, const struct trace_event *event, struct trace_buffer *out,
                uint64_t written, struct trace_error *error);
    /* What stands behind the last event. */
    bool (*finish)(void *state, struct trace_buffer *out, uint64_t written,
                   struct trace_error *error);
    void (*free)(void *state);
};

extern const struct trace_encoder trace_encoder_jsonl;
extern const struct trace_encoder trace_encoder_wtrace;
extern const struct trace_encoder trace_encoder_chrome;
extern const struct trace_encoder trace_encoder_perfetto;

#endif
