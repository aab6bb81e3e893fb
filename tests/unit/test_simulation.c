/* The calendar, and transfers: computed ones, SimGrid's, and exact processor sharing. */
#include "model/simulation/calendar.h"
#include "model/simulation/simulation.h"

#include "tests/unit/child.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Against a plain list searched for its least (date, order). */
static void calendar_keeps_dates_and_order(void **state)
{
    (void)state;
    enum { TIMERS = 60, STEPS = 20000 };
    struct calendar calendar = {0};
    struct sim_timer timers[TIMERS] = {0};
    uint64_t date[TIMERS], order[TIMERS], orders = 0, random = 1;
    bool pending[TIMERS] = {false};
    for (int step = 0; step < STEPS; step++) {
        size_t i = child_below(&random, TIMERS);
        switch (child_below(&random, 4)) {
        case 0:
        case 1: /* a pending timer is moved */
            date[i] = child_below(&random, 40);
            order[i] = orders++;
            pending[i] = true;
            calendar_set(&calendar, &timers[i], date[i]);
            break;
        case 2:
            if (pending[i])
                calendar_remove(&calendar, &timers[i]);
            pending[i] = false;
            break;
        default: {
            size_t first = TIMERS;
            for (size_t j = 0; j < TIMERS; j++)
                if (pending[j] && (first == TIMERS || date[j] < date[first] ||
                                   (date[j] == date[first] && order[j] < order[first])))
                    first = j;
            assert_int_equal(calendar_next(&calendar) == UINT64_MAX, first == TIMERS);
            if (first == TIMERS)
                break;
            assert_int_equal(calendar_next(&calendar), date[first]);
            assert_ptr_equal(calendar_take(&calendar), &timers[first]);
            pending[first] = false;
        }
        }
        for (size_t j = 0; j < TIMERS; j++)
            assert_int_equal(sim_timer_pending(&timers[j]), pending[j]);
    }
    calendar_fini(&calendar);
    assert_int_equal(calendar_next(&calendar), UINT64_MAX);
}

/* Timers of one date fire in the order they were set; a handler may set one for this very date, and
 * cancel one that has not fired. */
static struct sim *sim;
static struct sim_timer a, b, c, d;
static char story[16];
static size_t told;

static void tell(void *owner)
{
    story[told++] = *(const char *)owner;
}

static void tell_and_change(void *owner)
{
    tell(owner);
    sim_at(sim, &d, sim_now(sim));
    sim_cancel(sim, &c);
    sim_cancel(sim, &c); /* not pending: nothing */
}

static void stop(void *owner)
{
    tell(owner);
    sim_stop(sim);
}

static void set_timers(void *owner)
{
    (void)owner;
    sim_timer_init(&a, tell_and_change, "a");
    sim_timer_init(&b, tell, "b");
    sim_timer_init(&c, tell, "c");
    sim_timer_init(&d, stop, "d");
    sim_at(sim, &b, 5);
    sim_at(sim, &a, 10);
    sim_at(sim, &c, 10);
    sim_at(sim, &b, 10); /* moved behind c */
}

static void run_timers(void *argument)
{
    (void)argument;
    const struct sim_link link = {1e9, 1e9, 1, false};
    sim = sim_create(&link, 1, NULL);
    sim_run(sim, set_timers, NULL);
    if (strcmp(story, "abd") != 0)
        child_fails("the timers fired as %s", story);
    child_expects(sim_now(sim), 10);
    sim_destroy(sim);
}

static void timers_fire_in_order(void **state)
{
    (void)state;
    assert_true(child_runs(run_timers, NULL));
}

/* A list of transfers, started at their dates; each end is written down. */
struct flow {
    uint64_t start_ns, bytes, end_ns;
    enum sim_direction direction;
    size_t number;
    struct sim_timer timer;
    struct sim_transfer transfer;
};

struct run {
    struct sim_link link;
    bool always_simgrid;
    size_t count;
    struct flow flows[];
};

static void flow_ended(void *owner)
{
    ((struct flow *)owner)->end_ns = sim_now(sim);
}

static void flow_starts(void *owner)
{
    struct flow *flow = owner;
    sim_transfer_start(sim, &flow->transfer, 0, flow->direction, flow->bytes, flow_ended, flow);
    flow->transfer.who = (uint64_t)flow->number;
}

static void set_flows(void *owner)
{
    struct run *run = owner;
    for (size_t i = 0; i < run->count; i++) {
        run->flows[i].number = i;
        sim_timer_init(&run->flows[i].timer, flow_starts, &run->flows[i]);
        sim_at(sim, &run->flows[i].timer, run->flows[i].start_ns);
    }
}

static void run_flows(void *argument)
{
    struct run *run = argument;
    const struct sim_options options = {.always_simgrid = run->always_simgrid};
    sim = sim_create(&run->link, 1, &options);
    sim_run(sim, set_flows, run);
    sim_destroy(sim);
}

static struct run *new_run(size_t count, double bandwidth, double factor)
{
    struct run *run = child_shared(sizeof *run + count * sizeof run->flows[0]);
    run->link = (struct sim_link){bandwidth, bandwidth, factor, false};
    run->count = count;
    return run;
}

static void free_run(struct run *run)
{
    munmap(run, sizeof *run + run->count * sizeof run->flows[0]);
}

static void check_pair(const uint64_t bytes[2], const uint64_t ends[2], double bandwidth,
                       bool always_simgrid)
{
    struct run *run = new_run(2, bandwidth, 1);
    run->always_simgrid = always_simgrid;
    for (int i = 0; i < 2; i++)
        run->flows[i].bytes = bytes[i];
    assert_true(child_runs(run_flows, run));
    for (int i = 0; i < 2; i++)
        assert_int_equal(run->flows[i].end_ns, ends[i]);
    free_run(run);
}

/* At 12.35 bytes/ns, rounded up to whole nanoseconds: two flows of 1 GB share and end after
 * 2 GB / 12.35 = 161943319.8; of 1 and 0.5 GB the smaller ends after 1 GB / 12.35 = 80971659.9, the
 * other after 1.5 GB / 12.35 = 121457489.9. */
static void transfers_share_a_direction(void **state)
{
    (void)state;
    const uint64_t equal[] = {1000000000, 1000000000}, uneven[] = {1000000000, 500000000};
    for (int always = 0; always < 2; always++) {
        check_pair(equal, (uint64_t[]){161943320, 161943320}, 12.35e9, always);
        check_pair(uneven, (uint64_t[]){121457490, 80971660}, 12.35e9, always);
        check_pair((uint64_t[]){1, 0}, (uint64_t[]){1, 0}, 1e9, always);
        check_pair((uint64_t[]){1000, 1000}, (uint64_t[]){2000000, 2000000}, 1e6, always);
    }
}

/* A flow whose last byte takes long yet: at 1 MB/s a byte takes 1000 ns. 2 bytes from 0; 1 byte
 * joins at 1500, when half a byte (500 ns) is left: at half speed until 2500, then the second has
 * half a byte left: 3000. */
static void a_joining_transfer_does_not_end_another(void **state)
{
    (void)state;
    for (int always = 0; always < 2; always++) {
        struct run *run = new_run(2, 1e6, 1);
        run->always_simgrid = always;
        run->flows[0].bytes = 2;
        run->flows[1].bytes = 1;
        run->flows[1].start_ns = 1500;
        assert_true(child_runs(run_flows, run));
        assert_int_equal(run->flows[0].end_ns, 2500);
        assert_int_equal(run->flows[1].end_ns, 3000);
        free_run(run);
    }
}

static void check_loss(const struct flow *flow, uint32_t which, uint64_t from_ns, uint64_t to_ns,
                       uint64_t other)
{
    assert_true(which < flow->transfer.losses);
    assert_int_equal(flow->transfer.loss[which].from_ns, from_ns);
    assert_int_equal(flow->transfer.loss[which].to_ns, to_ns);
    assert_int_equal(flow->transfer.loss[which].other, other);
}

/* At 1 byte/ns, 600 bytes twice at 0, and 300 at 900. The first two share until 900, when each has
 * 150 left; with the third that takes 450, until 1350; the third has 150 left then: 1500. Until 900
 * each of the first two lost half of the time to the other, the end of it; until 1350 all of them
 * lost a third of the time to each of the others, first to the one that began last. */
static void what_is_lost_goes_to_those_who_share(void **state)
{
    (void)state;
    struct run *run = new_run(3, 1e9, 1);
    for (size_t i = 0; i < 3; i++)
        run->flows[i].bytes = i == 2 ? 300 : 600;
    run->flows[2].start_ns = 900;
    assert_true(child_runs(run_flows, run));
    assert_int_equal(run->flows[0].end_ns, 1350);
    assert_int_equal(run->flows[1].end_ns, 1350);
    assert_int_equal(run->flows[2].end_ns, 1500);
    for (size_t i = 0; i < 2; i++) {
        check_loss(&run->flows[i], 0, 450, 900, 1 - i);
        check_loss(&run->flows[i], 1, 1050, 1200, 2);
        check_loss(&run->flows[i], 2, 1200, 1350, 1 - i);
        assert_int_equal(run->flows[i].transfer.losses, 3);
    }
    check_loss(&run->flows[2], 0, 1050, 1200, 1);
    check_loss(&run->flows[2], 1, 1200, 1350, 0);
    assert_int_equal(run->flows[2].transfer.losses, 2);
    free_run(run);
}

static void random_flows(struct run *run, uint64_t seed, uint64_t gap_ns, uint64_t most_bytes)
{
    uint64_t date = 0;
    for (size_t i = 0; i < run->count; i++) {
        date += child_below(&seed, gap_ns);
        run->flows[i].start_ns = date;
        run->flows[i].bytes = child_below(&seed, most_bytes);
        run->flows[i].direction = child_below(&seed, 2) ? SIM_IN : SIM_OUT;
    }
}

/* Whatever joins and leaves when: what a transfer lost is as much as it took longer than alone,
 * lies within it, and does not overlap. */
static void losses_add_up(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        print_message("seed %" PRIu64 "\n", seed);
        struct run *run = new_run(2000, 12.35e9, seed % 2 ? 0.75 : 1);
        random_flows(run, seed * 104729, 3000, 65536);
        assert_true(child_runs(run_flows, run));
        uint64_t lost = 0;
        for (size_t i = 0; i < run->count; i++) {
            const struct flow *flow = &run->flows[i];
            const struct sim_transfer *transfer = &flow->transfer;
            uint64_t reached = flow->start_ns, sum = 0;
            uint64_t alone = flow->bytes ? (uint64_t)ceil((double)flow->bytes / 12.35 - 0.01) : 0;
            for (uint32_t k = 0; k < transfer->losses; k++) {
                assert_true(transfer->loss[k].from_ns >= reached);
                assert_true(transfer->loss[k].to_ns >= transfer->loss[k].from_ns);
                assert_true(transfer->loss[k].other != i);
                reached = transfer->loss[k].to_ns;
                sum += transfer->loss[k].to_ns - transfer->loss[k].from_ns;
            }
            assert_true(reached <= flow->end_ns);
            assert_int_equal(sum, transfer->losses ? flow->end_ns - flow->start_ns - alone : 0);
            lost += sum;
        }
        assert_true(lost > 0);
        free_run(run);
    }
}

/* The same flows, once with every end decided by SimGrid, once with those of lone transfers
 * computed: the same dates. Mean size 32 KiB at 12.35 bytes/ns is 2.7 us; one starts every 4 us on
 * average, so that alone and together both are common. */
static void computed_ends_are_simgrids(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        print_message("seed %" PRIu64 "\n", seed);
        struct run *runs[2];
        for (int i = 0; i < 2; i++) {
            runs[i] = new_run(2000, 12.35e9, seed % 2 ? 0.75 : 1);
            runs[i]->always_simgrid = i;
            random_flows(runs[i], seed * 7919, 8000, 65536);
            assert_true(child_runs(run_flows, runs[i]));
        }
        for (size_t i = 0; i < runs[0]->count; i++)
            if (runs[0]->flows[i].end_ns != runs[1]->flows[i].end_ns)
                fail_msg("flow %zu ends at %" PRIu64 " computed, %" PRIu64 " by SimGrid", i,
                         runs[0]->flows[i].end_ns, runs[1]->flows[i].end_ns);
        free_run(runs[0]);
        free_run(runs[1]);
    }
}

/* Exact processor sharing of one direction: from event to event each of n flows gets 1/n. */
static void share_exactly(const struct run *run, enum sim_direction direction, long double *ends)
{
    long double now = 0, rate = (long double)run->link.bandwidth_in / 1e9L;
    size_t *active = calloc(run->count, sizeof *active), count = 0, next = 0;
    long double *left = calloc(run->count, sizeof *left);
    assert_non_null(active);
    assert_non_null(left);
    for (;;) {
        while (next < run->count && run->flows[next].direction != direction)
            next++;
        long double until = next < run->count ? (long double)run->flows[next].start_ns : INFINITY;
        long double least = INFINITY;
        for (size_t i = 0; i < count; i++)
            least = left[active[i]] < least ? left[active[i]] : least;
        if (count == 0 && next == run->count)
            break;
        long double end = now + least * (long double)count / rate;
        long double date = count && end <= until ? end : until;
        long double moved = count ? (date - now) * rate / (long double)count : 0;
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            left[active[i]] -= moved;
            if (left[active[i]] <= 1e-9L)
                ends[active[i]] = date;
            else
                active[kept++] = active[i];
        }
        count = kept;
        now = date;
        if (date == until && next < run->count) {
            left[next] = (long double)run->flows[next].bytes;
            active[count++] = next++;
        }
    }
    free(active);
    free(left);
}

static void many_transfers_share_exactly(void **state)
{
    (void)state;
    enum { FLOWS = 20000 };
    const uint64_t seed = 20171;
    print_message("seed %" PRIu64 "\n", seed);
    struct run *run = new_run(FLOWS, 12.35e9, 1);
    random_flows(run, seed, 5000, 98304);
    assert_true(child_runs(run_flows, run));
    long double *ends = calloc(FLOWS, sizeof *ends);
    share_exactly(run, SIM_IN, ends);
    share_exactly(run, SIM_OUT, ends);
    size_t off = 0;
    for (size_t i = 0; i < FLOWS; i++) {
        long double late = (long double)run->flows[i].end_ns - ends[i];
        /* Rounded up, but for a hundredth of a nanosecond. */
        if (late < -0.02L || late >= 1.001L)
            fail_msg("flow %zu ends at %" PRIu64 ", exactly %.6Lf", i, run->flows[i].end_ns,
                     ends[i]);
        off += late > 1;
    }
    print_message("%zu of %d ends a nanosecond late\n", off, FLOWS);
    assert_true(off < FLOWS / 1000);
    free(ends);
    free_run(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendar_keeps_dates_and_order),
        cmocka_unit_test(timers_fire_in_order),
        cmocka_unit_test(transfers_share_a_direction),
        cmocka_unit_test(a_joining_transfer_does_not_end_another),
        cmocka_unit_test(what_is_lost_goes_to_those_who_share),
        cmocka_unit_test(losses_add_up),
        cmocka_unit_test(computed_ends_are_simgrids),
        cmocka_unit_test(many_transfers_share_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
