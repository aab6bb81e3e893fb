/* Fences, barriers and the worker. */
#include "model/blind.h"
#include "model/vidsch/internal.h"

#include "tests/unit/child.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Waiters go in the order they came; who is told may wait again, or raise the fence further. */
static struct vidsch_fence fence;
static const struct probe_thing nobody = {.kind = PROBE_NOTHING};
static struct vidsch_waiter waiters[6];
static char told[16];

static void tell(void *owner)
{
    strncat(told, owner, 1);
}

static void wait_for(int i, uint64_t value, void (*reached)(void *owner), char *owner)
{
    waiters[i] =
        (struct vidsch_waiter){.fence = &fence, .value = value, .reached = reached, .owner = owner};
    vidsch_fence_wait(&waiters[i]);
}

static void wait_again(void *owner)
{
    tell(owner);
    wait_for(4, 2, tell, "i"); /* reached already */
    wait_for(5, 9, tell, "x");
}

static void raise_further(void *owner)
{
    tell(owner);
    vidsch_fence_signal(&fence, 5, nobody);
}

static void fences_only_grow(void **state)
{
    (void)state;
    fence = (struct vidsch_fence){0};
    told[0] = '\0';
    wait_for(0, 0, tell, "n"); /* every fence starts at 0 */
    assert_string_equal(told, "n");
    wait_for(0, 3, tell, "a");
    wait_for(1, 2, wait_again, "b");
    wait_for(2, 5, tell, "c");
    wait_for(3, 1, raise_further, "d");
    vidsch_fence_signal(&fence, 0, nobody);
    assert_string_equal(told, "n");
    /* 3 lets a, b (and at once what b asks for) and d go; d's 5 lets c go. */
    vidsch_fence_signal(&fence, 3, nobody);
    assert_string_equal(told, "nabidc");
    assert_int_equal(fence.value, 5);
    vidsch_fence_signal(&fence, 4, nobody); /* lower: nothing */
    assert_int_equal(fence.value, 5);
    assert_ptr_equal(fence.waiters, &waiters[5]);
    vidsch_fence_signal(&fence, UINT64_MAX, nobody);
    assert_string_equal(told, "nabidcx");
    assert_null(fence.waiters);
}

/* A small machine: the ruler, with a worker whose submissions take 10 ns and whose completions take
 * 4. Its packets need no memory. */
struct machine {
    struct profile profile;
    struct probe probe;
    struct sim *sim;
    struct vidsch *vidsch;
    struct vidsch_context *contexts[3];
    struct vidsch_packet packets[8];
    uint64_t placed_ns[8], completed_ns[8];
    uint64_t passed_ns;
    uint64_t tdr_ns; /* permitted, and again to stop */
    struct vidsch_context *paging;
    struct sim_timer paged;
    uint32_t waiting[2]; /* in software queues, as the probe was told last */
};

static struct machine machine;

static void note_packet(void *self, uint64_t now_ns, const struct probe_packet *packet)
{
    (void)self, (void)now_ns;
    /* Every packet's dates are in order, and its parts fit between them. */
    if (packet->kind == PROBE_RENDER) {
        child_expects(packet->queued_ns <= packet->placed_ns, true);
        child_expects(packet->placed_ns <= packet->started_ns, true);
        child_expects(packet->started_ns + packet->switch_ns + packet->execute_ns,
                      packet->finished_ns);
        child_expects(packet->finished_ns <= packet->completed_ns, true);
    }
}

static void note_engine(void *self, uint64_t now_ns, uint32_t node, enum probe_engine state,
                        uint32_t depth, uint32_t waiting)
{
    (void)self, (void)now_ns, (void)state;
    machine.waiting[node] = waiting;
    child_expects(depth <= machine.profile.scheduler.queue_depth, true);
}

static bool prepare(void *vidmm, struct vidsch_packet *packet)
{
    (void)vidmm, (void)packet;
    return true;
}

static void release(void *vidmm, struct vidsch_packet *packet)
{
    (void)vidmm, (void)packet;
}

static void unload(void *vidmm, struct vidsch_context *context)
{
    (void)vidmm, (void)context;
}

static void completed(void *owner, struct vidsch_packet *packet)
{
    (void)owner;
    machine.completed_ns[packet - machine.packets] = sim_now(machine.sim);
    machine.placed_ns[packet - machine.packets] = packet->placed_ns;
    child_expects(blame_sum(&packet->blame), sim_now(machine.sim) - packet->queued_ns);
}

static void submit(int packet, int context, uint64_t execute_ns)
{
    machine.packets[packet] = (struct vidsch_packet){
        .kind = PROBE_RENDER, .execute_ns = execute_ns, .completed = completed};
    vidsch_submit(machine.contexts[context], &machine.packets[packet]);
}

static void run_machine(void (*start)(void *owner))
{
    struct profile_error error;
    if (!profile_load("ideal", &machine.profile, &error))
        child_fails("%s", error.message);
    machine.profile.scheduler.submit_ns = 10;
    machine.profile.scheduler.complete_ns = 4;
    machine.profile.scheduler.tdr_permitted_ns = machine.tdr_ns;
    machine.profile.scheduler.tdr_delay_ns = machine.tdr_ns;
    machine.probe = blind_probe();
    machine.probe.packet = note_packet;
    machine.probe.engine = note_engine;
    const struct sim_link link = {1e9, 1e9, 1, false};
    machine.sim = sim_create(&link, 1, NULL);
    machine.vidsch = vidsch_create(machine.sim, &machine.profile, &machine.probe);
    vidsch_set_memory(
        machine.vidsch,
        &(struct vidsch_memory){.prepare = prepare, .release = release, .unload = unload});
    for (uint32_t i = 0; i < 3; i++) /* two on node 0, one on node 1 */
        machine.contexts[i] = vidsch_context_create(machine.vidsch, i / 2, 0, false, 1,
                                                    (struct probe_label){.number = i}, NULL);
    sim_run(machine.sim, start, NULL);
    child_expects(vidsch_pending(machine.vidsch), 0);
    const char *wrong = vidsch_check(machine.vidsch);
    if (wrong)
        child_fails("%s", wrong);
}

static void two_nodes(void *owner)
{
    (void)owner;
    submit(0, 0, 100);
    submit(1, 2, 100);
    submit(2, 0, 100);
}

/* Placements at 10, 20 and 30, one after the other. Packet 0 runs 10..110, completes at 114; packet
 * 1 runs 20..120, completes at 124; packet 2 runs behind packet 0 until 210: 214. */
static void the_worker_is_one_at_a_time_body(void *argument)
{
    (void)argument;
    run_machine(two_nodes);
    for (int i = 0; i < 3; i++)
        child_expects(machine.placed_ns[i], 10 * (i + 1));
    child_expects(machine.completed_ns[0], 114);
    child_expects(machine.completed_ns[1], 124);
    child_expects(machine.completed_ns[2], 214);
    vidsch_destroy(machine.vidsch);
    sim_destroy(machine.sim);
}

static void the_worker_is_one_at_a_time(void **state)
{
    (void)state;
    assert_true(child_runs(the_worker_is_one_at_a_time_body, NULL));
}

static struct vidsch_barrier barriers[2];

static void passed(void *owner)
{
    (void)owner;
    machine.passed_ns = sim_now(machine.sim);
}

static void never_before_the_other(void *owner)
{
    (void)owner;
    child_expects(machine.passed_ns, sim_now(machine.sim));
}

static void set_barriers(void *owner)
{
    two_nodes(owner);
    for (int i = 0; i < 2; i++)
        barriers[i] =
            (struct vidsch_barrier){.passed = i ? never_before_the_other : passed, .left = 1};
    for (int i = 0; i < 2; i++)
        for (int context = 0; context < 3; context++)
            vidsch_barrier_add(&barriers[i], machine.contexts[context]);
    submit(3, 0, 1000); /* too late to count */
    vidsch_barrier_arm(&barriers[0]);
    vidsch_barrier_arm(&barriers[1]);
    child_expects(machine.passed_ns, 0);
    submit(4, 1, 10);
}

/* What was queued before is done at 214; of two barriers the older passes first. */
static void barriers_pass_in_order_body(void *argument)
{
    (void)argument;
    run_machine(set_barriers);
    child_expects(machine.passed_ns, 214);
    /* With nothing queued a barrier passes when it is armed. */
    machine.passed_ns = 0;
    barriers[0].left = 1;
    vidsch_barrier_add(&barriers[0], machine.contexts[0]);
    vidsch_barrier_arm(&barriers[0]);
    child_expects(machine.passed_ns, sim_now(machine.sim));
    vidsch_destroy(machine.vidsch);
    sim_destroy(machine.sim);
}

static void barriers_pass_in_order(void **state)
{
    (void)state;
    assert_true(child_runs(barriers_pass_in_order_body, NULL));
}

/* Contexts destroyed with work queued go when it is done; an idle one at once. */
static void destroy_with_work(void *owner)
{
    two_nodes(owner);
    for (int i = 0; i < 3; i++)
        vidsch_context_destroy(machine.contexts[i]);
}

static void a_destroyed_context_drains_body(void *argument)
{
    (void)argument;
    run_machine(destroy_with_work);
    child_expects(machine.completed_ns[2], 214);
    child_expects(machine.vidsch->contexts == NULL, true);
    vidsch_destroy(machine.vidsch);
    sim_destroy(machine.sim);
}

static void a_destroyed_context_drains(void **state)
{
    (void)state;
    assert_true(child_runs(a_destroyed_context_drains_body, NULL));
}

static void wait_and_signal(void *owner)
{
    (void)owner;
    machine.packets[0] = (struct vidsch_packet){
        .kind = PROBE_WAIT, .fence = &fence, .value = 1, .completed = completed};
    vidsch_submit(machine.contexts[0], &machine.packets[0]);
    child_expects(machine.waiting[0], 1);
    machine.packets[1] = (struct vidsch_packet){
        .kind = PROBE_SIGNAL, .fence = &fence, .value = 2, .completed = completed};
    vidsch_submit(machine.contexts[0], &machine.packets[1]);
    child_expects(machine.waiting[0], 2);
    machine.packets[2] = (struct vidsch_packet){
        .kind = PROBE_SIGNAL, .fence = &fence, .value = 1, .completed = completed};
    vidsch_submit(machine.contexts[1], &machine.packets[2]);
    child_expects(machine.waiting[0], 0); /* they take no time here */
}

/* Waits and signals never reach an engine, and are heard of all the same. */
static void what_waits_is_told_body(void *argument)
{
    (void)argument;
    fence = (struct vidsch_fence){0};
    run_machine(wait_and_signal);
    child_expects(fence.value, 2);
    vidsch_destroy(machine.vidsch);
    sim_destroy(machine.sim);
}

static void what_waits_is_told(void **state)
{
    (void)state;
    assert_true(child_runs(what_waits_is_told_body, NULL));
}

static void paged(void *owner)
{
    vidsch_packet_executed(owner);
}

static void page(void *owner, struct vidsch_packet *packet)
{
    (void)owner;
    sim_timer_init(&machine.paged, paged, packet);
    sim_after(machine.sim, &machine.paged, 50);
}

static void hang(void *owner)
{
    (void)owner;
    machine.paging = vidsch_context_create(machine.vidsch, 0, 0, true, 0,
                                           (struct probe_label){.number = 3}, NULL);
    submit(0, 0, 1000);
    machine.packets[1] =
        (struct vidsch_packet){.kind = PROBE_PAGING, .execute = page, .completed = completed};
    vidsch_submit(machine.paging, &machine.packets[1]);
    submit(2, 1, 100);
    submit(3, 0, 1);
}

/* Packet 0 runs from 10, is asked to stop at 110 and does not by 210: it is dropped, and what its
 * context has behind it. The paging packet, placed behind it at 20, goes first: again at 220, runs
 * until 270, complete at 274. Then packet 2: placed at 230, it runs until 370, complete at 374. */
static void a_reset_spares_paging_packets_body(void *argument)
{
    (void)argument;
    machine.tdr_ns = 100;
    run_machine(hang);
    child_expects(machine.completed_ns[0], 210);
    child_expects(machine.completed_ns[3], 210);
    child_expects(machine.packets[0].dropped && machine.packets[3].dropped, true);
    child_expects(machine.completed_ns[1], 274);
    child_expects(machine.completed_ns[2], 374);
    child_expects(machine.packets[1].dropped || machine.packets[2].dropped, false);
    vidsch_destroy(machine.vidsch);
    sim_destroy(machine.sim);
}

static void a_reset_spares_paging_packets(void **state)
{
    (void)state;
    assert_true(child_runs(a_reset_spares_paging_packets_body, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fences_only_grow),       cmocka_unit_test(the_worker_is_one_at_a_time),
        cmocka_unit_test(barriers_pass_in_order), cmocka_unit_test(a_destroyed_context_drains),
        cmocka_unit_test(what_waits_is_told),     cmocka_unit_test(a_reset_spares_paging_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
