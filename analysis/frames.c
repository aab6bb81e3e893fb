#include "analysis/frames.h"

#include <string.h>

static void add_bin(struct frame_bin *into, struct frame_bin bin)
{
    into->count += bin.count;
    into->sum_ns += bin.sum_ns;
    into->dropped += bin.dropped;
    into->late += bin.late;
    if (bin.longest_ns > into->longest_ns)
        into->longest_ns = bin.longest_ns;
}

static void widen(struct frames *frames)
{
    for (uint32_t i = 0; i < (frames->used + 1) / 2; i++) {
        struct frame_bin both = frames->bin[2 * i];
        if (2 * i + 1 < frames->used)
            add_bin(&both, frames->bin[2 * i + 1]);
        frames->bin[i] = both;
    }
    uint32_t used = (frames->used + 1) / 2;
    memset(frames->bin + used, 0, (frames->used - used) * sizeof *frames->bin);
    frames->used = used;
    frames->shift++;
}

static void count_in_bin(struct frames *frames, uint64_t now_ns, struct frame_bin bin)
{
    while (now_ns >> frames->shift >= FRAME_BINS)
        widen(frames);
    uint32_t at = (uint32_t)(now_ns >> frames->shift);
    if (at >= frames->used)
        frames->used = at + 1;
    add_bin(&frames->bin[at], bin);
}

/* Takes the oldest of the window out of the sorted ones and puts the new one in. */
static void remember(struct frame_pace *pace, uint64_t interval)
{
    uint32_t slot = pace->count % FRAME_WINDOW, kept = pace->count, at;
    if (kept >= FRAME_WINDOW) {
        uint64_t oldest = pace->recent[slot];
        kept = FRAME_WINDOW - 1;
        for (at = 0; pace->sorted[at] != oldest; at++)
            ;
        memmove(pace->sorted + at, pace->sorted + at + 1, (kept - at) * sizeof *pace->sorted);
    }
    for (at = kept; at > 0 && pace->sorted[at - 1] > interval; at--)
        pace->sorted[at] = pace->sorted[at - 1];
    pace->sorted[at] = interval;
    pace->recent[slot] = interval;
    pace->count++;
}

void frames_present(struct frames *frames, struct frame_pace *pace, uint64_t now_ns)
{
    if (pace->begun && now_ns >= pace->last_ns) {
        uint64_t interval = now_ns - pace->last_ns;
        histogram_add(&frames->interval, interval);
        batches_add(&frames->steady, interval);
        frames->stutters += pace->count >= FRAME_WINDOW &&
                            interval / 2 + interval % 2 > pace->sorted[FRAME_WINDOW / 2];
        count_in_bin(frames, now_ns, (struct frame_bin){1, interval, interval, 0, 0});
        remember(pace, interval);
    }
    pace->begun = true;
    pace->last_ns = now_ns;
}

bool frames_fate(struct frames *frames, uint64_t now_ns, const struct probe_present *present)
{
    bool late = present->missed > 0;
    if (late || present->dropped)
        count_in_bin(frames, now_ns, (struct frame_bin){.dropped = present->dropped, .late = late});
    frames->dropped += present->dropped;
    frames->late += late;
    frames->missed += present->missed;
    if (present->dropped)
        return false;
    histogram_add(&frames->until_shown, now_ns - present->queued_ns);
    return true;
}

/* The slowest ones, from the distribution upwards. */
struct tail {
    uint64_t skip, seen; /* frames that do not count; frames so far */
    double sum;
};

static void add_tail(void *self, uint64_t value, uint64_t cumulative)
{
    struct tail *tail = self;
    uint64_t from = tail->seen > tail->skip ? tail->seen : tail->skip;
    if (cumulative > from)
        tail->sum += (double)value * (double)(cumulative - from);
    tail->seen = cumulative;
}

bool frames_low(const struct frames *frames, double *per_second)
{
    uint64_t count = frames->interval.count, slowest = count / 100;
    struct tail tail = {.skip = count - slowest};
    if (slowest == 0)
        return false;
    histogram_walk(&frames->interval, add_tail, &tail);
    if (tail.sum <= 0)
        return false;
    *per_second = 1e9 * (double)slowest / tail.sum;
    return true;
}

void frames_merge(struct frames *into, const struct frames *from)
{
    histogram_merge(&into->interval, &from->interval);
    histogram_merge(&into->until_shown, &from->until_shown);
    into->stutters += from->stutters;
    into->dropped += from->dropped;
    into->late += from->late;
    into->missed += from->missed;
    while (into->shift < from->shift)
        widen(into);
    for (uint32_t i = 0; i < from->used; i++)
        if (from->bin[i].count != 0 || from->bin[i].dropped != 0 || from->bin[i].late != 0)
            count_in_bin(into, (uint64_t)i << from->shift, from->bin[i]);
}

void frames_clear(struct frames *frames)
{
    histogram_clear(&frames->interval);
    histogram_clear(&frames->until_shown);
    *frames = (struct frames){0};
}
