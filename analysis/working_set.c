#include "analysis/working_set.h"

#include "analysis/heap.h"

#include <inttypes.h>
#include <math.h>

enum { SHORTEST_ROW_NS = 1000, FIRST_ROOM = 256 };

static unsigned gap_of(uint64_t ns)
{
    if (ns < 4)
        return (unsigned)ns;
    unsigned octave = 63 - (unsigned)__builtin_clzll(ns);
    return 4 * (octave - 1) + (unsigned)(ns >> (octave - 2) & 3);
}

/* The shortest of such gaps. */
static uint64_t shortest(unsigned gap)
{
    return gap < 4 ? gap : (uint64_t)(4 + gap % 4) << (gap / 4 - 1);
}

void working_set_fini(struct working_set *set)
{
    free(set->last);
}

static void add_gap(struct working_set *set, uint64_t now_ns, const struct working_set_use *use)
{
    uint64_t ns = now_ns > use->t_ns ? now_ns - use->t_ns : 0;
    unsigned gap = gap_of(ns);
    set->gap[gap].bytes += use->bytes;
    set->gap[gap].byte_ns += (histogram_sum)use->bytes * ns;
}

void working_set_use(struct working_set *set, uint64_t now_ns, uint32_t object, uint64_t bytes)
{
    while (object >= set->room) {
        uint32_t room = set->room != 0 ? 2 * set->room : FIRST_ROOM;
        set->last = heap_resize(set->last, room, sizeof *set->last);
        memset(set->last + set->room, 0, (room - set->room) * sizeof *set->last);
        set->room = room;
    }
    add_gap(set, now_ns, &set->last[object]);
    set->last[object] = (struct working_set_use){now_ns, bytes};
    set->uses++;
}

void working_set_gone(struct working_set *set, uint64_t now_ns, uint32_t object)
{
    if (object >= set->room)
        return;
    add_gap(set, now_ns, &set->last[object]);
    set->last[object].bytes = 0;
}

void working_set_finish(struct working_set *set, uint64_t end_ns)
{
    for (uint32_t object = 0; object < set->room; object++)
        working_set_gone(set, end_ns, object);
    set->end_ns = end_ns;
}

/* Gaps shorter than the window count whole, of the others as much as the window is long: exact if
 * no gap of one kind is shorter and another longer. */
static double mean_at(const struct working_set *set, uint64_t window_ns)
{
    histogram_sum byte_ns = 0;
    unsigned first = gap_of(window_ns);
    for (unsigned gap = 0; gap < WORKING_SET_GAPS; gap++)
        byte_ns +=
            gap < first ? set->gap[gap].byte_ns : (histogram_sum)set->gap[gap].bytes * window_ns;
    return (double)byte_ns / (double)set->end_ns;
}

double working_set_mean(const struct working_set *set, uint64_t window_ns)
{
    if (set->end_ns == 0 || window_ns > set->end_ns)
        return (double)NAN;
    unsigned gap = gap_of(window_ns);
    uint64_t from = shortest(gap), to = gap + 1 < WORKING_SET_GAPS ? shortest(gap + 1) : from;
    if (window_ns == from || to == from)
        return mean_at(set, from);
    double part = (double)(window_ns - from) / (double)(to - from);
    return mean_at(set, from) + part * (mean_at(set, to) - mean_at(set, from));
}

void working_set_write(const struct working_set *set, FILE *out)
{
    fputs("window_ns,mean_bytes\n", out);
    if (set->room == 0)
        return;
    for (unsigned gap = gap_of(SHORTEST_ROW_NS); gap < WORKING_SET_GAPS; gap++) {
        uint64_t window = shortest(gap);
        if (window > set->end_ns)
            return;
        if (window >= SHORTEST_ROW_NS)
            fprintf(out, "%" PRIu64 ",%.0f\n", window, mean_at(set, window));
    }
}
