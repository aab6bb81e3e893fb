#include "analysis/histogram.h"
#include "analysis/heap.h"

#include <assert.h>

enum { FIRST_ROOM = 16 };

static void count_in_bucket(struct histogram *histogram, uint64_t value, uint64_t times)
{
    unsigned octave = histogram_octave(value);
    if (histogram->octave[octave] == NULL)
        histogram->octave[octave] = heap_new(HISTOGRAM_BUCKETS, sizeof(uint64_t));
    histogram->octave[octave][histogram_bucket(value, octave)] += times;
}

/* From values to buckets. */
static void pour(struct histogram *histogram)
{
    for (uint64_t i = 0; i < histogram->count; i++)
        count_in_bucket(histogram, histogram->raw[i], 1);
    free(histogram->raw);
    histogram->raw = NULL;
}

void histogram_add_slowly(struct histogram *histogram, uint64_t value)
{
    uint64_t count = histogram->count;
    if (count == HISTOGRAM_EXACT)
        pour(histogram);
    if (count >= HISTOGRAM_EXACT) {
        count_in_bucket(histogram, value, 1);
    } else {
        /* Room doubles: it is full exactly when the count is a power of two, FIRST_ROOM or up. */
        if (count == 0)
            histogram->raw = heap_new(FIRST_ROOM, sizeof *histogram->raw);
        else if (count >= FIRST_ROOM && (count & (count - 1)) == 0)
            histogram->raw =
                heap_resize(histogram->raw, (size_t)(2 * count), sizeof *histogram->raw);
        histogram->raw[count] = value;
    }
    if (count == 0 || value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
    histogram->count++;
    histogram->sum += value;
}

void histogram_add_times(struct histogram *histogram, uint64_t value, uint64_t times)
{
    unsigned octave = histogram_octave(value);
    for (; times != 0 && histogram->octave[octave] == NULL; times--)
        histogram_add(histogram, value);
    if (times == 0)
        return;
    histogram_add(histogram, value); /* minimum and maximum */
    histogram->octave[octave][histogram_bucket(value, octave)] += times - 1;
    histogram->count += times - 1;
    histogram->sum += (histogram_sum)value * (times - 1);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (from->count == 0)
        return;
    if (from->raw != NULL) { /* few values: record them again */
        for (uint64_t i = 0; i < from->count; i++)
            histogram_add(into, from->raw[i]);
        return;
    }
    if (into->raw != NULL)
        pour(into);
    for (unsigned o = 0; o < HISTOGRAM_OCTAVES; o++) {
        if (from->octave[o] == NULL)
            continue;
        if (into->octave[o] == NULL)
            into->octave[o] = heap_new(HISTOGRAM_BUCKETS, sizeof(uint64_t));
        for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++)
            into->octave[o][b] += from->octave[o][b];
    }
    if (into->count == 0 || from->min < into->min)
        into->min = from->min;
    if (from->max > into->max)
        into->max = from->max;
    into->count += from->count;
    into->sum += from->sum;
}

/* The middle of a bucket, held inside what was recorded. */
static uint64_t middle(const struct histogram *histogram, unsigned octave, unsigned bucket)
{
    uint64_t value = bucket;
    if (octave != 0) {
        unsigned shift = octave - 1;
        value = ((uint64_t)(HISTOGRAM_BUCKETS + bucket) << shift) + ((1ull << shift) >> 1);
    }
    if (value < histogram->min)
        value = histogram->min;
    return value > histogram->max ? histogram->max : value;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void histogram_walk(const struct histogram *histogram,
                    void (*visit)(void *self, uint64_t value, uint64_t cumulative), void *self)
{
    if (histogram->count == 0)
        return;
    uint64_t cumulative = 0;
    if (histogram->raw != NULL) {
        size_t count = (size_t)histogram->count;
        uint64_t sorted[HISTOGRAM_EXACT];
        assert(count <= HISTOGRAM_EXACT);
        memcpy(sorted, histogram->raw, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, ascending);
        for (size_t i = 0; i < count; i++)
            if (i + 1 == count || sorted[i + 1] != sorted[i])
                visit(self, sorted[i], i + 1);
        return;
    }
    for (unsigned o = 0; o < HISTOGRAM_OCTAVES; o++)
        for (unsigned b = 0; histogram->octave[o] != NULL && b < HISTOGRAM_BUCKETS; b++)
            if (histogram->octave[o][b] != 0) {
                cumulative += histogram->octave[o][b];
                visit(self, middle(histogram, o, b), cumulative);
            }
}

struct search {
    uint64_t rank, value;
    bool found;
};

static void search_rank(void *self, uint64_t value, uint64_t cumulative)
{
    struct search *search = self;
    if (!search->found && cumulative >= search->rank) {
        search->found = true;
        search->value = value;
    }
}

bool histogram_quantile(const struct histogram *histogram, unsigned permille, uint64_t *value)
{
    assert(permille < 1000);
    uint64_t count = histogram->count;
    if (count == 0 || (permille > 900 && count < 1000 / (1000 - permille)))
        return false;
    histogram_sum rank = ((histogram_sum)count * permille + 999) / 1000;
    struct search search = {.rank = rank == 0 ? 1 : (uint64_t)rank};
    histogram_walk(histogram, search_rank, &search);
    *value = search.value;
    return true;
}

double histogram_mean(const struct histogram *histogram)
{
    return histogram->count == 0 ? 0 : (double)histogram->sum / (double)histogram->count;
}

void histogram_clear(struct histogram *histogram)
{
    free(histogram->raw);
    for (unsigned o = 0; o < HISTOGRAM_OCTAVES; o++)
        free(histogram->octave[o]);
    *histogram = (struct histogram){0};
}
