/* Frame times, by hand: every expected number is worked out in a comment. */
#include "analysis/frames.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct run {
    struct frames frames;
    struct frame_pace pace;
    uint64_t now_ns;
};

static int make_run(void **state)
{
    *state = calloc(1, sizeof(struct run));
    return *state == NULL;
}

static int free_run(void **state)
{
    struct run *run = *state;
    frames_clear(&run->frames);
    free(run);
    return 0;
}

/* So many frames of one length; the first present only begins the first frame. */
static void frames(struct run *run, unsigned count, uint64_t interval_ns)
{
    if (!run->pace.begun)
        frames_present(&run->frames, &run->pace, run->now_ns);
    for (unsigned i = 0; i < count; i++)
        frames_present(&run->frames, &run->pace, run->now_ns += interval_ns);
}

static void a_frame_lies_between_two_presents(void **state)
{
    struct run *run = *state;
    frames_present(&run->frames, &run->pace, 1000);
    assert_int_equal(run->frames.interval.count, 0);
    frames_present(&run->frames, &run->pace, 1007);
    assert_int_equal(run->frames.interval.count, 1);
    assert_int_equal(run->frames.interval.min, 7);
}

/* 20 is twice the median of nineteen 10s and no more; 21 is. Of 18 frames nobody knows a median. */
static void a_stutter_takes_more_than_twice_the_median_of_the_nineteen_before(void **state)
{
    struct run *run = *state;
    frames(run, 18, 10);
    frames(run, 1, 1000);
    assert_int_equal(run->frames.stutters, 0);
    frames(run, 1, 20);
    assert_int_equal(run->frames.stutters, 0);
    frames(run, 1, 21);
    assert_int_equal(run->frames.stutters, 1);
    /* Ten more of 21. In front of the k-th there are 17 - k tens among the last nineteen: up to the
     * seventh they are the median, and 21 is a stutter; from the eighth on it is 20 or 21. */
    frames(run, 10, 21);
    assert_int_equal(run->frames.stutters, 1 + 7);
    frames(run, 1, 42);
    assert_int_equal(run->frames.stutters, 8);
    frames(run, 1, 43);
    assert_int_equal(run->frames.stutters, 9);
}

/* 198 frames of 10 ms and two of 40 and 60: the slowest 1 % of 200 take 50 ms on average, which is
 * 20 frames per second. Below 100 frames there is no slowest 1 %. */
static void the_one_percent_low_is_the_mean_of_the_slowest(void **state)
{
    struct run *run = *state;
    double low;
    frames(run, 99, 10000000);
    assert_false(frames_low(&run->frames, &low));
    frames(run, 99, 10000000);
    frames(run, 1, 40000000);
    frames(run, 1, 60000000);
    assert_true(frames_low(&run->frames, &low));
    assert_true(fabs(low - 20) < 1e-9);
}

/* Two processes, one with bins a thousand times as wide: counts, sums and the longest survive, and
 * a frame is still in the bin of its end. */
static void processes_add_up(void **state)
{
    struct run *run = *state, other = {.now_ns = 0};
    frames(run, 1000, 3);
    frames(&other, 4, 1000000);
    assert_true(other.frames.shift > run->frames.shift);
    frames_merge(&run->frames, &other.frames);
    uint64_t count = 0, sum = 0, longest = 0;
    for (uint32_t i = 0; i < run->frames.used; i++) {
        const struct frame_bin *bin = &run->frames.bin[i];
        count += bin->count;
        sum += bin->sum_ns;
        longest = bin->longest_ns > longest ? bin->longest_ns : longest;
    }
    assert_int_equal(count, 1004);
    assert_int_equal(sum, 1000 * 3 + 4 * 1000000);
    assert_int_equal(longest, 1000000);
    assert_int_equal(run->frames.interval.count, 1004);
    assert_int_equal(run->frames.bin[4000000 >> run->frames.shift].count, 1);
    assert_int_equal(run->frames.bin[0].count, 1000 + (1000000 >> run->frames.shift == 0));
    frames_clear(&other.frames);
}

/* Shown at 1000 and three refreshes late at 3000; between them one is replaced. What was replaced
 * ends no frame and has no time until it is shown: 900 and 700 have. Merging keeps it all. */
static void what_is_dropped_or_late_is_counted_apart(void **state)
{
    struct run *run = *state, sum = {.now_ns = 0};
    struct probe_present present = {.queued_ns = 100, .flip = true};
    assert_true(frames_fate(&run->frames, 1000, &present));
    present = (struct probe_present){.queued_ns = 1200, .flip = true, .dropped = true};
    assert_false(frames_fate(&run->frames, 2000, &present));
    present = (struct probe_present){.queued_ns = 2300, .flip = true, .missed = 3};
    assert_true(frames_fate(&run->frames, 3000, &present));
    frames_merge(&sum.frames, &run->frames);
    assert_int_equal(sum.frames.dropped, 1);
    assert_int_equal(sum.frames.late, 1);
    assert_int_equal(sum.frames.missed, 3);
    assert_int_equal(sum.frames.until_shown.count, 2);
    assert_int_equal(sum.frames.until_shown.sum, 900 + 700);
    uint64_t shift = sum.frames.shift; /* 2: a bin is 4 ns */
    assert_int_equal(shift, 2);
    assert_int_equal(sum.frames.bin[2000 >> shift].dropped, 1);
    assert_int_equal(sum.frames.bin[3000 >> shift].late, 1);
    frames_clear(&sum.frames);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_run, free_run)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_frame_lies_between_two_presents),
        test(a_stutter_takes_more_than_twice_the_median_of_the_nineteen_before),
        test(the_one_percent_low_is_the_mean_of_the_slowest),
        test(processes_add_up),
        test(what_is_dropped_or_late_is_counted_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
