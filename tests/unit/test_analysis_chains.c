/* Chains by hand: what a stretch of time is made of is worked out in the comments. */
#include "analysis/chains.h"
#include "analysis/matrix.h"
#include "analysis/slowest.h"

#include <gsl/gsl_rng.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct chains chains;

static int make(void **unused)
{
    (void)unused;
    chains_init(&chains);
    return 0;
}

static int clear(void **unused)
{
    (void)unused;
    chains_clear(&chains);
    return 0;
}

static struct probe_thing job(uint64_t number)
{
    return probe_thing(PROBE_JOB, number);
}

static const struct probe_thing nothing = {.kind = PROBE_NOTHING};

/* Begins a render packet. */
static void begin(uint64_t now_ns, uint64_t number, uint32_t pid)
{
    chains_job(&chains, now_ns, &(struct probe_job){.number = number, .pid = pid});
}

/* The pieces, the first in time first, each as "from-to:" and its hops: J1>N0>J2 and the last one's
 * cause. */
struct pieces {
    char text[4096];
    uint64_t next_to_ns, sum_ns;
};

static void add_piece(void *self, const struct chain_piece *piece)
{
    static const char letters[] = " JPCNSMDFT";
    struct pieces *pieces = self;
    char line[512], *end = line;
    assert_int_equal(piece->to_ns, pieces->next_to_ns); /* no gap, no overlap */
    assert_true(piece->from_ns < piece->to_ns);
    pieces->next_to_ns = piece->from_ns;
    pieces->sum_ns += piece->to_ns - piece->from_ns;
    end += sprintf(end, "%d-%d ", (int)piece->from_ns, (int)piece->to_ns);
    for (size_t i = 0; i < piece->hops; i++)
        end += sprintf(end, "%c%d", letters[piece->hop[i].thing.kind], (int)piece->hop[i].thing.id);
    sprintf(end, " %s%s; ", probe_cause_names[piece->hop[piece->hops - 1].cause],
            piece->forgotten ? "?" : "");
    if (strlen(line) + strlen(pieces->text) < sizeof pieces->text) {
        memmove(pieces->text + strlen(line), pieces->text, strlen(pieces->text) + 1);
        memcpy(pieces->text, line, strlen(line));
    }
}

static void assert_follows(uint64_t number, uint64_t from_ns, uint64_t to_ns, const char *expected)
{
    struct pieces pieces = {.next_to_ns = to_ns};
    chains_follow(&chains, number, from_ns, to_ns, add_piece, &pieces);
    assert_int_equal(pieces.sum_ns, to_ns - from_ns);
    assert_string_equal(pieces.text, expected);
}

/* Packet 1 is queued at 100 while packet 2 of another process runs on engine 0 until 300, then
 * packet 3 until 350; then it runs itself. */
static void a_wait_for_an_engine_is_for_who_runs_there(void **unused)
{
    (void)unused;
    const struct probe_thing node = probe_thing(PROBE_NODE, 0);
    begin(0, 2, 20);
    begin(0, 3, 30);
    chains_wait(&chains, 0, node, PROBE_CPU, job(2));
    chains_wait(&chains, 0, job(2), PROBE_EXECUTE, nothing);
    chains_wait(&chains, 0, job(3), PROBE_QUEUE, node);
    begin(100, 1, 10);
    chains_wait(&chains, 100, job(1), PROBE_QUEUE, node);
    chains_wait(&chains, 300, node, PROBE_CPU, job(3));
    chains_wait(&chains, 300, job(3), PROBE_SWITCH, nothing);
    chains_wait(&chains, 320, job(3), PROBE_EXECUTE, nothing);
    chains_wait(&chains, 350, node, PROBE_CPU, job(1));
    chains_wait(&chains, 350, job(1), PROBE_EXECUTE, nothing);
    assert_follows(1, 100, 400,
                   "100-300 J1N0J2 execute; 300-320 J1N0J3 switch; 320-350 J1N0J3 execute; "
                   "350-400 J1 execute; ");
    assert_follows(1, 310, 330, "310-320 J1N0J3 switch; 320-330 J1N0J3 execute; ");
    assert_follows(1, 100, 100, "");
}

/* Packet 1 waits in its context's queue behind packet 2, which waits until 50 for VidMm, which is
 * at paging packet 3 for another process; then 2 waits for a fence that packet 4 signals at 90. At
 * 90 packet 1 is first, and VidSch is at it until 100. */
static void queues_and_fences_are_seen_through(void **unused)
{
    (void)unused;
    const struct probe_thing queue = probe_thing(PROBE_CONTEXT, 7),
                             pager = probe_thing(PROBE_PAGER, 0),
                             vidsch = probe_thing(PROBE_SCHEDULER, 0);
    begin(0, 2, 10);
    begin(0, 3, 30);
    begin(0, 4, 40);
    begin(0, 1, 10);
    chains_wait(&chains, 0, queue, PROBE_CPU, job(2));
    chains_wait(&chains, 0, job(2), PROBE_RESERVE, pager);
    chains_wait(&chains, 0, pager, PROBE_CPU, job(3));
    chains_wait(&chains, 0, job(3), PROBE_TRANSFER, nothing);
    chains_wait(&chains, 0, job(1), PROBE_QUEUE, queue);
    chains_wait(&chains, 50, pager, PROBE_CPU, nothing);
    chains_wait(&chains, 50, job(2), PROBE_FENCE, nothing);
    chains_wait(&chains, 60, job(4), PROBE_EXECUTE, nothing);
    chains_found(&chains, job(2), job(4));
    chains_wait(&chains, 90, job(2), PROBE_QUEUE, nothing);
    chains_wait(&chains, 90, queue, PROBE_CPU, job(1));
    chains_wait(&chains, 90, job(1), PROBE_QUEUE, vidsch);
    chains_wait(&chains, 90, vidsch, PROBE_CPU, job(1));
    assert_follows(1, 0, 100,
                   "0-50 J1C7J2M0J3 transfer; 50-60 J1C7J2J4 cpu; 60-90 J1C7J2J4 execute; "
                   "90-100 J1S0 cpu; ");
}

struct causes {
    uint64_t ns[PROBE_CAUSES];
};

static void add_cause(void *self, const struct chain_piece *piece)
{
    struct causes *causes = self;
    causes->ns[chain_cause(piece)] += piece->to_ns - piece->from_ns;
}

/* The columns of packet 1 above: behind a packet that waits for a fence, it is the fence. */
static void columns_are_those_of_the_call(void **unused)
{
    queues_and_fences_are_seen_through(unused);
    struct causes causes = {0};
    chains_follow(&chains, 1, 0, 100, add_cause, &causes);
    assert_int_equal(causes.ns[PROBE_FENCE], 40);
    assert_int_equal(causes.ns[PROBE_QUEUE], 60);
}

/* Job 1 waits from 0 for a signal that job 2 gives at 100. Job 2 begins at 60 only: its thread was
 * in a call, job 3, from 20 to 50, which waited for job 4. Before and between it was at its own
 * pace. */
static void a_job_that_had_not_begun_was_up_to_its_thread(void **unused)
{
    (void)unused;
    begin(0, 1, 10);
    chains_wait(&chains, 0, job(1), PROBE_FENCE, nothing);
    begin(20, 3, 20);
    begin(20, 4, 40);
    chains_wait(&chains, 20, job(4), PROBE_TRANSFER, nothing);
    chains_wait(&chains, 20, job(3), PROBE_TRANSFER, job(4));
    chains_call(&chains,
                &(struct probe_call){
                    .op = "Lock", .pid = 20, .tid = 21, .start_ns = 20, .return_ns = 50, .job = 3});
    begin(60, 2, 20);
    chains_wait(&chains, 60, job(2), PROBE_EXECUTE, nothing);
    chains_call(&chains, &(struct probe_call){.op = "Signal",
                                              .pid = 20,
                                              .tid = 21,
                                              .start_ns = 60,
                                              .return_ns = 61,
                                              .done_ns = 100,
                                              .job = 2,
                                              .asynchronous = true});
    chains_found(&chains, job(1), job(2));
    assert_follows(1, 0, 100,
                   "0-20 J1J2T0 cpu; 20-50 J1J2T0J3J4 transfer; 50-60 J1J2T0P20 cpu; "
                   "60-100 J1J2 execute; ");
}

/* Whatever waits in a circle: it ends. */
static void circles_end(void **unused)
{
    (void)unused;
    begin(0, 1, 10);
    begin(0, 2, 20);
    chains_wait(&chains, 0, job(1), PROBE_QUEUE, job(2));
    chains_wait(&chains, 0, job(2), PROBE_LOCK, job(1));
    assert_follows(1, 0, 10, "0-10 J1J2 lock; ");
}

static void what_is_too_old_is_forgotten(void **unused)
{
    (void)unused;
    begin(0, 1, 10);
    chains_wait(&chains, 0, job(1), PROBE_QUEUE, job(9)); /* which nobody ever heard of */
    chains_wait(&chains, 10, job(1), PROBE_EXECUTE, nothing);
    assert_follows(1, 0, 20, "0-10 J1J9 cpu?; 10-20 J1 execute; ");
    for (uint64_t i = 0; i < CHAIN_RECORDS - 1; i++)
        chains_wait(&chains, 20 + i, probe_thing(PROBE_NODE, 3), PROBE_CPU, nothing);
    assert_follows(1, 0, 20, "0-10 J1 cpu?; 10-20 J1 execute; ");
    begin(20, 1 + CHAIN_JOBS, 11); /* takes job 1's place */
    assert_follows(1, 0, 20, "0-20 J1 cpu?; ");
}

/* What is said later for the same moment takes the place of what was said before. */
static void the_last_word_on_a_moment_counts(void **unused)
{
    (void)unused;
    begin(0, 1, 10);
    begin(0, 2, 11);
    uint64_t records = chains.next;
    chains_wait(&chains, 5, job(1), PROBE_QUEUE, job(2));
    chains_wait(&chains, 5, job(1), PROBE_EXECUTE, nothing);
    assert_int_equal(chains.next, records + 1);
    assert_follows(1, 0, 9, "0-5 J1 cpu; 5-9 J1 execute; ");
}

/* Everybody waits for anybody at random: pieces cover the time exactly, and so does the matrix. */
static void pieces_and_matrix_always_add_up(void **unused)
{
    (void)unused;
    enum { SEED = 6, JOBS = 200, EVENTS = 4000, NODES = 5 };
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(rng, SEED);
    struct matrix *matrix = calloc(1, sizeof *matrix);
    uint64_t total = 0;
    for (uint32_t i = 1; i <= JOBS; i++)
        begin(i, i, i % 7);
    for (uint64_t t = JOBS; t < EVENTS; t++) {
        struct probe_thing who = gsl_rng_uniform(rng) < 0.3
                                     ? probe_thing(PROBE_NODE, gsl_rng_uniform_int(rng, NODES))
                                     : job(1 + gsl_rng_uniform_int(rng, JOBS));
        struct probe_thing what = gsl_rng_uniform(rng) < 0.3 ? nothing
                                  : gsl_rng_uniform(rng) < 0.4
                                      ? probe_thing(PROBE_NODE, gsl_rng_uniform_int(rng, NODES))
                                      : job(1 + gsl_rng_uniform_int(rng, JOBS));
        chains_wait(&chains, t, who, (enum probe_cause)gsl_rng_uniform_int(rng, PROBE_CAUSES),
                    what);
        uint64_t number = 1 + gsl_rng_uniform_int(rng, JOBS);
        uint64_t from = gsl_rng_uniform_int(rng, t), to = from + gsl_rng_uniform_int(rng, t - from);
        struct pieces pieces = {.next_to_ns = to};
        chains_follow(&chains, number, from, to, add_piece, &pieces);
        assert_int_equal(pieces.sum_ns, to - from);
        matrix_add(matrix, &chains, (uint32_t)(number % 7), number, from, to);
        total += to - from;
    }
    matrix_close(matrix);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < matrix->processes; i++)
        for (uint32_t j = 0; j < matrix->processes; j++)
            sum += matrix->ns[i][j];
    assert_int_equal(sum, total);
    assert_int_equal(matrix->total_ns, total);
    assert_true(matrix->followed_ns < total); /* the budget was exceeded: that was tested, too */
    free(matrix);
    gsl_rng_free(rng);
}

/* A page-in for process 10 waits 30 ns for what process 20 runs, evicts memory of process 20 for 50
 * ns and moves its own for 20. */
static void memory_in_the_way_is_its_owners_doing(void **unused)
{
    (void)unused;
    struct matrix *matrix = calloc(1, sizeof *matrix);
    begin(0, 1, 10);
    begin(0, 2, 20);
    const struct probe_job evict = {.number = 3,
                                    .pid = 10,
                                    .owner = 20,
                                    .paging = "page-out",
                                    .memory.text = "b",
                                    .bytes = 1024},
                           fetch = {.number = 4,
                                    .pid = 10,
                                    .owner = 10,
                                    .paging = "page-in",
                                    .memory.number = 5,
                                    .bytes = 1};
    chains_job(&chains, 0, &evict);
    chains_job(&chains, 0, &fetch);
    chains_wait(&chains, 0, job(2), PROBE_EXECUTE, nothing);
    chains_wait(&chains, 0, job(1), PROBE_RESERVE, job(2));
    chains_wait(&chains, 30, job(3), PROBE_TRANSFER, nothing);
    chains_wait(&chains, 30, job(1), PROBE_RESERVE, job(3));
    chains_wait(&chains, 80, job(4), PROBE_TRANSFER, nothing);
    chains_wait(&chains, 80, job(1), PROBE_TRANSFER, job(4));
    matrix_add(matrix, &chains, 10, 1, 0, 100);
    matrix_add(matrix, &chains, 10, 0, 0, 7); /* a call that never waited */
    matrix_close(matrix);
    assert_int_equal(matrix->pid[0], 10);
    assert_int_equal(matrix->pid[1], 20);
    assert_int_equal(matrix->ns[0][0], 20 + 7);
    assert_int_equal(matrix->ns[0][1], 80);
    free(matrix);
}

static const char *name(void *self, uint32_t id)
{
    (void)id;
    return self;
}

/* The same, as a chain in words; and of eleven calls the shortest does not stay. */
static void a_chain_is_told_in_order(void **unused)
{
    struct slowest slowest = {0};
    const struct chain_names names = {name, name, name, (void *)(uintptr_t) "3d"};
    memory_in_the_way_is_its_owners_doing(unused);
    for (uint64_t i = 0; i < SLOWEST; i++)
        slowest_add(&slowest, &(struct slow){.index = i, .ns = 5 + i, .pid = 10}, 0, &chains);
    slowest_add(&slowest, &(struct slow){.index = 100, .ns = 100, .pid = 10}, 1, &chains);
    slowest_explain(&slowest, &chains, &names, false);
    assert_int_equal(slowest.slow[0]->lines, 0); /* not yet */
    slowest_explain(&slowest, &chains, &names, true);
    assert_false(slowest_wants(&slowest, 6));
    assert_int_equal(slowest.count, SLOWEST);
    assert_int_equal(slowest.slow[SLOWEST - 1]->ns, 6);
    const struct slow *slow = slowest.slow[0];
    assert_int_equal(slow->index, 100);
    assert_int_equal(slow->lines, 3);
    assert_int_equal(slow->line[0].ns, 30);
    assert_int_equal(slow->line[0].pid, 20);
    assert_string_equal(slow->line[0].way, "packet of process 20\nexecute");
    assert_int_equal(slow->line[1].ns, 50);
    assert_int_equal(slow->line[1].pid, 20);
    assert_int_equal(slow->line[1].cause, PROBE_RESERVE);
    assert_string_equal(slow->line[1].way,
                        "page-out of b (1.00 KiB) for process 10, memory of process 20\ntransfer");
    assert_string_equal(slow->line[2].way, "page-in of 5 (1 B) for process 10\ntransfer");
    slowest_clear(&slowest);
}

/* Packet 1 behind twenty others of 10, 11, ... 29 ns, in turn of so many processes. */
static struct slowest behind_twenty(uint32_t processes)
{
    struct slowest slowest = {0};
    const struct chain_names names = {name, name, name, (void *)(uintptr_t) "3d"};
    const struct probe_thing node = probe_thing(PROBE_NODE, 0);
    begin(0, 1, 10);
    chains_wait(&chains, 0, job(1), PROBE_QUEUE, node);
    uint64_t t = 0;
    for (uint32_t i = 0; i < 20; i++) {
        begin(t, 2 + i, 20 + i % processes);
        chains_wait(&chains, t, node, PROBE_CPU, job(2 + i));
        chains_wait(&chains, t, job(2 + i), PROBE_EXECUTE, nothing);
        t += 10 + i;
    }
    assert_int_equal(t, 390);
    slowest_add(&slowest, &(struct slow){.ns = t, .pid = 10}, 1, &chains);
    slowest_explain(&slowest, &chains, &names, true);
    return slowest;
}

/* With room for twelve lines, those of 29 down to 19 ns are told, in order; 10 + ... + 18 = 126 ns
 * are the rest. */
static void long_chains_keep_their_longest_lines(void **unused)
{
    (void)unused;
    struct slowest slowest = behind_twenty(20);
    const struct slow *slow = slowest.slow[0];
    assert_int_equal(slow->lines, CHAIN_LINES);
    for (uint64_t i = 0; i < CHAIN_LINES - 1; i++)
        assert_int_equal(slow->line[i].ns, 19 + i);
    assert_int_equal(slow->line[CHAIN_LINES - 1].ns, 126);
    assert_int_equal(slow->line[CHAIN_LINES - 1].jobs, 9);
    assert_null(slow->line[CHAIN_LINES - 1].way);
    slowest_clear(&slowest);
}

/* Two processes in turn: 10 + 12 + ... + 28 = 190 ns of the first, 200 of the second. */
static void what_goes_the_same_way_is_told_once(void **unused)
{
    (void)unused;
    struct slowest slowest = behind_twenty(2);
    const struct slow *slow = slowest.slow[0];
    assert_int_equal(slow->lines, 2);
    assert_int_equal(slow->line[0].ns, 190);
    assert_int_equal(slow->line[0].pid, 20);
    assert_int_equal(slow->line[0].jobs, 10);
    assert_string_equal(slow->line[0].way, "engine 3d\npackets of process 20\nexecute");
    assert_int_equal(slow->line[1].ns, 200);
    slowest_clear(&slowest);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_wait_for_an_engine_is_for_who_runs_there),
        test(queues_and_fences_are_seen_through),
        test(columns_are_those_of_the_call),
        test(a_job_that_had_not_begun_was_up_to_its_thread),
        test(circles_end),
        test(what_is_too_old_is_forgotten),
        test(the_last_word_on_a_moment_counts),
        test(pieces_and_matrix_always_add_up),
        test(memory_in_the_way_is_its_owners_doing),
        test(a_chain_is_told_in_order),
        test(long_chains_keep_their_longest_lines),
        test(what_goes_the_same_way_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
