/* B13: Knuth's rule, that in equilibrium there are half as many holes as blocks; and what buddies
 * waste. */
#include "model/vidmm/range.h"
#include "tests/validation/validation.h"

#include <gsl/gsl_rng.h>

enum { PLACES = 4000, PAGE = 4096 };

static struct range_extent *take(struct range *range, uint64_t bytes)
{
    const struct range_wish wish = {
        .size = bytes, .alignment = PAGE, .to = range->size, .contiguous = true};
    return range_take(range, &wish);
}

static double holes_per_block(gsl_rng *random)
{
    struct range range;
    range_init(&range, (uint64_t)PLACES * 600 * PAGE, RANGE_FIRST);
    static struct range_extent *blocks[PLACES];
    double holes = 0, live = 0;
    size_t steps = validation_jobs(2000000), alive = 0;
    for (size_t step = 0; step < steps; step++) {
        struct range_extent **block = &blocks[gsl_rng_uniform_int(random, PLACES)];
        if (*block) {
            range_give(&range, *block, (*block)->size);
            *block = NULL;
            alive--;
        } else if ((*block = take(&range, (1 + gsl_rng_uniform_int(random, 1000)) * PAGE))) {
            alive++;
        }
        if (step < steps / 2 || step % 997)
            continue;
        range_settle(&range);
        for (const struct range_extent *at = range.lowest; at; at = at->above)
            holes += !at->taken;
        live += (double)alive;
    }
    range_fini(&range);
    return holes / live;
}

static double wasted_by_buddies(gsl_rng *random)
{
    struct range range;
    range_init(&range, UINT64_C(1) << 36, RANGE_BUDDY);
    double wanted = 0, taken = 0;
    for (int i = 0; i < 20000; i++) {
        uint64_t bytes = (257 + gsl_rng_uniform_int(random, 256)) * PAGE;
        wanted += (double)bytes;
        taken += (double)take(&range, bytes)->size;
    }
    range_fini(&range);
    return 100 * (1 - wanted / taken);
}

void fifty_percent(void)
{
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    validation_between("first fit: holes per block", 0.4, 0.6, holes_per_block(random), "");
    validation_near("buddies: unused in their blocks", 25, wasted_by_buddies(random), "%", 0.02);
    gsl_rng_free(random);
}
