#include "analysis/series.h"
#include "analysis/heap.h"

#include <assert.h>

enum { SERIES_REPEATS = 64 };

/* Arbitrary bits that depend on nothing but `number`. */
static uint32_t scatter(uint32_t number)
{
    number = (number ^ (number >> 15)) * 0x2c1b3c6du;
    number = (number ^ (number >> 12)) * 0x297a2d39u;
    return number ^ (number >> 15);
}

/* Of the instants 2i and 2i + 1, the one that thinning keeps. */
static uint32_t kept_of(uint32_t pair)
{
    return 2 * pair + (scatter(pair) & 1);
}

bool sampler_due(const struct sampler *sampler, uint64_t now_ns)
{
    return sampler->count == 0 ||
           (now_ns > sampler->t_ns[sampler->count - 1] && now_ns >= sampler->next_ns);
}

uint32_t sampler_add(struct sampler *sampler, uint64_t now_ns, bool *thinned)
{
    if (sampler->t_ns == NULL)
        sampler->t_ns = heap_new(SERIES_POINTS, sizeof *sampler->t_ns);
    *thinned = sampler->count == SERIES_POINTS;
    if (*thinned) {
        for (uint32_t i = 0; i < SERIES_POINTS / 2; i++)
            sampler->t_ns[i] = sampler->t_ns[kept_of(i)];
        sampler->count = SERIES_POINTS / 2;
        sampler->interval_ns = (now_ns - sampler->t_ns[0]) / (SERIES_POINTS / 2) + 1;
    }
    if (sampler->interval_ns != 0)
        sampler->next_ns =
            now_ns + sampler->interval_ns / 2 + scatter(sampler->count) % sampler->interval_ns;
    sampler->t_ns[sampler->count] = now_ns;
    sampler->repeats = 0;
    return sampler->count++;
}

bool sampler_again(struct sampler *sampler, uint64_t now_ns)
{
    return sampler->count != 0 && sampler->t_ns[sampler->count - 1] == now_ns &&
           sampler->repeats++ < SERIES_REPEATS;
}

void series_thin(struct series *series)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < series->count; i++) {
        uint32_t pair = series->instant[i] / 2;
        uint32_t instant = series->instant[i] <= kept_of(pair) ? pair : pair + 1;
        if (kept != 0 && series->instant[kept - 1] == instant)
            kept--; /* this point is the later one */
        series->instant[kept] = instant;
        memmove(series->values + (size_t)kept * series->width,
                series->values + (size_t)i * series->width, series->width * sizeof *series->values);
        kept++;
    }
    series->count = kept;
}

void series_put(struct series *series, uint32_t instant, const uint64_t *values)
{
    size_t bytes = series->width * sizeof *values;
    assert(series->width >= 1 && series->width <= SERIES_WIDTH);
    if (series->count != 0) {
        uint32_t last = series->count - 1;
        uint64_t *previous = series->values + (size_t)last * series->width;
        assert(series->instant[last] <= instant);
        if (memcmp(previous, values, bytes) == 0)
            return;
        if (series->instant[last] == instant) {
            memcpy(previous, values, bytes);
            return;
        }
    }
    if (series->count == series->room) {
        series->room = series->room == 0 ? 16 : 2 * series->room;
        series->instant = heap_resize(series->instant, series->room, sizeof *series->instant);
        series->values =
            heap_resize(series->values, (size_t)series->room * series->width, sizeof *values);
    }
    series->instant[series->count] = instant;
    memcpy(series->values + (size_t)series->count * series->width, values, bytes);
    series->count++;
}

void series_clear(struct series *series)
{
    free(series->instant);
    free(series->values);
    *series = (struct series){.width = series->width};
}

static void widen(struct bins *bins)
{
    uint32_t used = (bins->used + 1) / 2;
    for (uint32_t i = 0; i < used; i++)
        for (uint32_t lane = 0; lane < BINS_LANES; lane++)
            bins->value[i][lane] = bins->value[2 * i][lane] + bins->value[2 * i + 1][lane];
    memset(bins->value[used], 0, (bins->used - used) * sizeof *bins->value);
    bins->used = used;
    bins->shift++;
}

void bins_add_slowly(struct bins *bins, uint64_t from_ns, uint64_t to_ns,
                     const uint64_t weights[BINS_LANES])
{
    if (to_ns <= from_ns)
        return;
    while (((to_ns - 1) >> bins->shift) >= SERIES_POINTS)
        widen(bins);
    uint64_t first = from_ns >> bins->shift, last = (to_ns - 1) >> bins->shift;
    if (last >= bins->used)
        bins->used = (uint32_t)last + 1;
    for (; first < last; first++) {
        uint64_t end = (first + 1) << bins->shift;
        bins_add_to(bins->value[first], end - from_ns, weights);
        from_ns = end;
    }
    bins_add_to(bins->value[last], to_ns - from_ns, weights);
}

void bins_count(struct bins *bins, uint64_t now_ns, const uint64_t amounts[BINS_LANES])
{
    while (now_ns >> bins->shift >= SERIES_POINTS)
        widen(bins);
    uint32_t at = (uint32_t)(now_ns >> bins->shift);
    if (at >= bins->used)
        bins->used = at + 1;
    bins_add_to(bins->value[at], 1, amounts);
}

void bins_widen(struct bins *bins, uint32_t shift)
{
    while (bins->shift < shift)
        widen(bins);
}

uint64_t bins_sum(const struct bins *bins, int lane)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < bins->used; i++)
        sum += bins->value[i][lane];
    return sum;
}
