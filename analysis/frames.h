/* Frame times the way players look at them. A frame is what lies between two presents of the same
 * context.
 *
 * 1 % low: the mean of the slowest 1 % of the frames, as frames per second. A stutter: a frame that
 * took more than twice the median of the FRAME_WINDOW before it.
 *
 * Dropped: presented and never shown, because a newer one was ready first; it ends no frame. Late:
 * shown so many refreshes after the one before it had been on the display for the interval that it
 * asked for, these are missed. Both as PresentMon and the players mean them. */
#ifndef WDDMSIM_ANALYSIS_FRAMES_H
#define WDDMSIM_ANALYSIS_FRAMES_H

#include "analysis/histogram.h"
#include "analysis/steady.h"
#include "model/probe.h"

enum { FRAME_WINDOW = 19, FRAME_BINS = 1024 };

/* Frames of one process over time, in bins of a power of two nanoseconds that doubles whenever
 * FRAME_BINS do not reach any more; a frame counts where it ends. */
struct frame_bin {
    uint64_t count, sum_ns, longest_ns;
    uint64_t dropped, late; /* presents that were so then */
};

/* All zero is empty. */
struct frames {
    struct histogram interval;
    struct batches steady; /* intervals in order */
    uint64_t stutters;
    uint64_t dropped, late, missed;
    struct histogram until_shown; /* from the call, without those dropped */
    uint32_t shift, used;
    struct frame_bin bin[FRAME_BINS];
};

/* One context's latest frames. All zero: it has not presented yet. */
struct frame_pace {
    bool begun;
    uint64_t last_ns;
    uint32_t count; /* frames so far */
    uint64_t recent[FRAME_WINDOW], sorted[FRAME_WINDOW];
};

/* A present at now_ns ends a frame, unless it is the context's first. */
void frames_present(struct frames *frames, struct frame_pace *pace, uint64_t now_ns);

/* What became of it: whether it was shown, or handed to the compositor. */
bool frames_fate(struct frames *frames, uint64_t now_ns, const struct probe_present *present);

/* Frames per second of the slowest 1 %; false below 100 frames. */
bool frames_low(const struct frames *frames, double *per_second);

/* Adds what another process had, over time too. */
void frames_merge(struct frames *into, const struct frames *from);

void frames_clear(struct frames *frames);

#endif
