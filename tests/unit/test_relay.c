/* What a probe is told across a relay is what it is told without one: all of it, in order, with
 * segments as they were at that moment. */
#include "analysis/relay.h"
#include "analysis/series.h"

#include "tests/unit/child.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A listener: writes down what it hears. Like the recorder, it looks at the segments when a sampler
 * says so. */
struct listener {
    struct probe probe;
    struct probe_machine machine;
    struct sampler sampler;
    FILE *out;
    char *notes;
    size_t length;
    bool slow;
    uint64_t heard;
};

__attribute__((format(printf, 2, 3))) static void note(struct listener *listener,
                                                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(listener->out, format, arguments);
    va_end(arguments);
    if (++listener->heard % 1000 == 0 && listener->slow)
        usleep(500);
}

static void on_machine(void *self, const struct probe_machine *machine)
{
    struct listener *listener = self;
    listener->machine = *machine;
    note(listener, "machine of %" PRIu32 " segments\n", machine->segments);
}

static void on_context(void *self, uint32_t id, uint32_t pid, uint32_t node,
                       struct probe_label name, bool system)
{
    note(self, "context %" PRIu32 " %" PRIu32 " %" PRIu32 " %s %" PRIu64 " %d\n", id, pid, node,
         name.text != NULL ? name.text : "-", name.number, system);
}

static void on_call(void *self, const struct probe_call *call)
{
    const struct probe_expected *expected = &call->expected;
    uint64_t blame = 0;
    for (int i = 0; i < PROBE_CAUSES; i++)
        blame = blame * 31 + call->blame_ns[i];
    note(self,
         "call %" PRIu64 " %s %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
         " %d %" PRIu32 " %" PRIu64 " %" PRIu64 " %d %d %d %" PRIu32 " %" PRIu64 " %" PRIu64 "\n",
         call->index, call->op, call->pid, call->tid, call->due_ns, call->start_ns, call->return_ns,
         call->done_ns, call->asynchronous, call->status, blame, call->job, expected->has_status,
         expected->has_dur, expected->has_done, expected->status, expected->dur_ns,
         expected->latency_ns);
}

static void on_packet(void *self, uint64_t now_ns, const struct probe_packet *packet)
{
    note(self,
         "packet %" PRIu64 ": %" PRIu64 " %d %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64
         " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32
         " %d %" PRIu32 "\n",
         now_ns, packet->job, packet->kind, packet->context, packet->node, packet->queued_ns,
         packet->placed_ns, packet->started_ns, packet->finished_ns, packet->completed_ns,
         packet->execute_ns, packet->switch_ns, packet->references, packet->hits, packet->dropped,
         packet->preemptions);
}

static void on_job(void *self, uint64_t now_ns, const struct probe_job *job)
{
    note(self, "job %" PRIu64 ": %" PRIu64 " %s %d %" PRIu32 " %" PRIu32 " %" PRIu32 " %s\n",
         now_ns, job->number, job->call != NULL ? job->call : "-", job->kind, job->pid,
         job->context, job->node, job->paging != NULL ? job->paging : "-");
    if (job->paging != NULL) /* else the rest means nothing */
        note(self, "  of %" PRIu32 " %s %" PRIu64 " %" PRIu64 "\n", job->owner,
             job->memory.text != NULL ? job->memory.text : "-", job->memory.number, job->bytes);
}

static void note_things(struct listener *listener, struct probe_thing who, struct probe_thing what)
{
    note(listener, "  %d/%" PRIu64 " %d/%" PRIu64 "\n", (int)who.kind, (uint64_t)who.id,
         (int)what.kind, (uint64_t)what.id);
}

static void on_wait(void *self, uint64_t now_ns, struct probe_thing who, enum probe_cause cause,
                    struct probe_thing what)
{
    note(self, "wait %" PRIu64 " %d\n", now_ns, cause);
    note_things(self, who, what);
}

static void on_found(void *self, struct probe_thing who, struct probe_thing what)
{
    note(self, "found\n");
    note_things(self, who, what);
}

static void on_engine(void *self, uint64_t now_ns, uint32_t node, enum probe_engine state,
                      uint32_t depth, uint32_t waiting)
{
    note(self, "engine %" PRIu64 " %" PRIu32 " %d %" PRIu32 " %" PRIu32 "\n", now_ns, node, state,
         depth, waiting);
}

static void on_switch(void *self, uint64_t now_ns, uint32_t node, uint32_t from, uint32_t to,
                      bool made, uint64_t cost_ns)
{
    note(self, "switch %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %d %" PRIu64 "\n", now_ns,
         node, from, to, made, cost_ns);
}

static void on_attempt(void *self, uint64_t now_ns, uint32_t node, uint32_t context,
                       enum probe_attempt result)
{
    note(self, "attempt %" PRIu64 " %" PRIu32 " %" PRIu32 " %d\n", now_ns, node, context, result);
}

static void on_reset(void *self, uint64_t now_ns, uint32_t node, uint32_t context)
{
    note(self, "reset %" PRIu64 " %" PRIu32 " %" PRIu32 "\n", now_ns, node, context);
}

static void on_paging(void *self, const struct probe_paging *operation)
{
    note(self,
         "paging %d %s %" PRIu64 " %" PRIu32 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu64
         " %" PRIu64 " %" PRIu64 " %" PRIu64 " %s %d\n",
         operation->kind, operation->allocation.text != NULL ? operation->allocation.text : "-",
         operation->allocation.number, operation->pid, operation->bytes, operation->from,
         operation->to, operation->job, operation->queued_ns, operation->started_ns,
         operation->finished_ns, operation->cause, operation->context_allocation);
}

/* What is named at once may come in parts. */
static void on_uses(void *self, uint64_t now_ns, const struct probe_use *use, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        note(self, "use %" PRIu64 " %" PRIu32 " %" PRIu64 "\n", now_ns, use[i].allocation,
             use[i].bytes);
}

static void on_gone(void *self, uint64_t now_ns, uint32_t allocation)
{
    note(self, "gone %" PRIu64 " %" PRIu32 "\n", now_ns, allocation);
}

static void look_at(struct listener *listener, uint32_t segment)
{
    struct probe_segment_state state;
    listener->machine.segment_state(listener->machine.model, segment, &state);
    note(listener,
         "segment %" PRIu32 ": %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
         segment, state.allocated, state.marked, state.free, state.largest_free,
         state.largest_free_or_marked);
}

static void note_bytes(struct listener *listener, const char *what, uint64_t now_ns, uint32_t pid,
                       uint32_t segment, int64_t bytes)
{
    bool thinned;
    note(listener, "%s %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRId64 "\n", what, now_ns, pid,
         segment, bytes);
    if (sampler_due(&listener->sampler, now_ns)) {
        sampler_add(&listener->sampler, now_ns, &thinned);
        for (uint32_t id = 1; id <= listener->machine.segments; id++)
            look_at(listener, id);
    } else if (sampler_again(&listener->sampler, now_ns) && segment != 0) {
        look_at(listener, segment);
    }
}

static void on_resident(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment, int64_t bytes)
{
    note_bytes(self, "resident", now_ns, pid, segment, bytes);
}

static void on_committed(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment, int64_t bytes)
{
    note_bytes(self, "committed", now_ns, pid, segment, bytes);
}

static void on_context_allocation(void *self, uint64_t now_ns, uint32_t context, int created,
                                  int resident)
{
    note(self, "context allocation %" PRIu64 " %" PRIu32 " %d %d\n", now_ns, context, created,
         resident);
}

static void on_present(void *self, uint64_t now_ns, const struct probe_present *present)
{
    note(self,
         "present %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d %d\n",
         now_ns, present->context, present->pid, present->job, present->queued_ns, present->missed,
         present->flip, present->dropped);
}

static void on_link(void *self, uint64_t now_ns, uint32_t adapter, bool into_adapter, bool busy)
{
    note(self, "link %" PRIu64 " %" PRIu32 " %d %d\n", now_ns, adapter, into_adapter, busy);
}

static void on_count(void *self, const char *key, uint64_t count)
{
    note(self, "count %s %" PRIu64 "\n", key, count);
}

static void on_assume(void *self, const char *key, uint64_t count)
{
    note(self, "assume %s %" PRIu64 "\n", key, count);
}

static void on_warn(void *self, const char *message)
{
    note(self, "warn %s\n", message);
}

static void listen(struct listener *listener)
{
    *listener = (struct listener){.probe = {.self = listener,
                                            .machine = on_machine,
                                            .context = on_context,
                                            .call = on_call,
                                            .packet = on_packet,
                                            .job = on_job,
                                            .wait = on_wait,
                                            .found = on_found,
                                            .engine = on_engine,
                                            .context_switch = on_switch,
                                            .attempt = on_attempt,
                                            .reset = on_reset,
                                            .paging = on_paging,
                                            .uses = on_uses,
                                            .gone = on_gone,
                                            .resident = on_resident,
                                            .committed = on_committed,
                                            .context_allocation = on_context_allocation,
                                            .present = on_present,
                                            .link = on_link,
                                            .count = on_count,
                                            .assume = on_assume,
                                            .warn = on_warn}};
    listener->out = open_memstream(&listener->notes, &listener->length);
    assert_non_null(listener->out);
}

static void forget(struct listener *listener)
{
    fclose(listener->out);
    free(listener->notes);
    free(listener->sampler.t_ns);
}

/* A model that says anything. What its segments hold changes with everything it says, so that who
 * looks too late sees something else. */
struct model {
    uint64_t random, now_ns, said;
    bool fluent; /* says nothing that a relay has to catch up for */
    char text[20000];
};

static void segment_state(const void *self, uint32_t segment, struct probe_segment_state *state)
{
    const struct model *model = self;
    uint64_t said = model->said;
    *state = (struct probe_segment_state){said, said + segment, 3 * said, said / 2, said / 3};
}

static uint64_t any(struct model *model)
{
    return child_random(&model->random);
}

static uint32_t small(struct model *model)
{
    return (uint32_t)child_below(&model->random, 50);
}

static bool perhaps(struct model *model)
{
    return any(model) % 2 != 0;
}

/* Every eighth is a number, and about one in a thousand is longer than a relay passes on as it
 * does others. It changes with the next. */
static struct probe_label label(struct model *model)
{
    size_t length = 1 + child_below(&model->random, perhaps(model) ? 12 : 80);
    if (any(model) % 8 == 0)
        return (struct probe_label){.number = any(model)};
    if (any(model) % 1024 == 0 && !model->fluent)
        length = 4090 + child_below(&model->random, sizeof model->text - 4091);
    memset(model->text, 'a' + (int)child_below(&model->random, 26), length);
    model->text[length] = 0;
    return (struct probe_label){.text = model->text, .number = any(model)};
}

static struct probe_thing thing(struct model *model)
{
    return probe_thing((enum probe_thing_kind)child_below(&model->random, PROBE_THINGS),
                       any(model));
}

static void say_call(struct model *model, struct probe *probe)
{
    struct probe_call call = {.index = any(model),
                              .op = perhaps(model) ? "Submit" : "Lock",
                              .pid = small(model),
                              .tid = small(model),
                              .due_ns = any(model),
                              .start_ns = any(model),
                              .return_ns = any(model),
                              .done_ns = any(model),
                              .asynchronous = perhaps(model),
                              .status = small(model),
                              .job = any(model)};
    for (int i = 0; i < PROBE_CAUSES; i++)
        call.blame_ns[i] = any(model);
    if (perhaps(model)) {
        call.expected.has_status = perhaps(model);
        call.expected.has_dur = perhaps(model);
        call.expected.has_done = perhaps(model);
        if (call.expected.has_status)
            call.expected.status = small(model);
        if (call.expected.has_dur)
            call.expected.dur_ns = any(model);
        if (call.expected.has_done)
            call.expected.latency_ns = any(model);
    }
    probe->call(probe->self, &call);
}

static void say_job(struct model *model, struct probe *probe)
{
    probe_begin(probe, model->now_ns,
                (struct probe_job){.call = perhaps(model) ? "Lock" : NULL,
                                   .kind = PROBE_PAGING,
                                   .pid = small(model),
                                   .context = small(model),
                                   .node = small(model),
                                   .paging = perhaps(model) ? "page-in" : NULL,
                                   .owner = small(model),
                                   .memory = label(model),
                                   .bytes = any(model)});
}

static void say_packet(struct model *model, struct probe *probe)
{
    probe->packet(probe->self, model->now_ns,
                  &(struct probe_packet){.job = any(model),
                                         .kind = PROBE_RENDER,
                                         .context = small(model),
                                         .node = small(model),
                                         .queued_ns = any(model),
                                         .placed_ns = any(model),
                                         .started_ns = any(model),
                                         .finished_ns = any(model),
                                         .completed_ns = any(model),
                                         .execute_ns = any(model),
                                         .switch_ns = any(model),
                                         .references = small(model),
                                         .hits = small(model),
                                         .dropped = perhaps(model),
                                         .preemptions = small(model)});
}

static void say_paging(struct model *model, struct probe *probe)
{
    probe->paging(probe->self, &(struct probe_paging){.kind = PROBE_PAGE_OUT,
                                                      .allocation = label(model),
                                                      .pid = small(model),
                                                      .bytes = any(model),
                                                      .from = small(model),
                                                      .to = small(model),
                                                      .job = any(model),
                                                      .queued_ns = any(model),
                                                      .started_ns = any(model),
                                                      .finished_ns = any(model),
                                                      .cause = "eviction",
                                                      .context_allocation = perhaps(model)});
}

/* Mostly a few, now and then more than a message holds. */
static void say_uses(struct model *model, struct probe *probe)
{
    struct probe_use uses[600];
    uint32_t count = any(model) % 64 != 0 ? small(model) % 4 : 600 - small(model);
    for (uint32_t i = 0; i < count; i++)
        uses[i] = (struct probe_use){.bytes = any(model), .allocation = small(model)};
    probe->uses(probe->self, model->now_ns, uses, count);
}

static void say_something(struct model *model, struct probe *probe)
{
    uint64_t now_ns = model->now_ns += any(model) % 4 == 0 ? 0 : any(model) % 5000;
    void *self = probe->self;
    uint32_t segment = (uint32_t)child_below(&model->random, 4);
    model->said++;
    switch (child_below(&model->random, 20)) {
    case 0:
        probe->context(self, probe->contexts++, small(model), small(model), label(model),
                       perhaps(model));
        return;
    case 1:
        say_call(model, probe);
        return;
    case 2:
        say_packet(model, probe);
        return;
    case 3:
        say_job(model, probe);
        return;
    case 4: /* at times of something that is over */
        probe_wait(probe, now_ns - child_below(&model->random, 100) % (now_ns + 1), thing(model),
                   PROBE_QUEUE, thing(model));
        return;
    case 5:
        probe_found(probe, thing(model), thing(model));
        return;
    case 6:
        probe->engine(self, now_ns, small(model), PROBE_ENGINE_BUSY, small(model), small(model));
        return;
    case 7:
        probe->context_switch(self, now_ns, small(model), small(model), small(model),
                              perhaps(model), any(model));
        return;
    case 8:
        probe->attempt(self, now_ns, small(model), small(model), PROBE_ATTEMPT_LESS_PRIORITY);
        return;
    case 9:
        probe->reset(self, now_ns, small(model), small(model));
        return;
    case 10:
        say_paging(model, probe);
        return;
    case 11:
        probe->resident(self, now_ns, small(model), segment, (int64_t)any(model));
        return;
    case 12:
        probe->committed(self, now_ns, small(model), segment, (int64_t)any(model));
        return;
    case 13:
        probe->context_allocation(self, now_ns, small(model), perhaps(model), -1);
        return;
    case 14:
        probe->present(self, now_ns,
                       &(struct probe_present){.context = small(model),
                                               .pid = small(model),
                                               .job = any(model),
                                               .queued_ns = any(model),
                                               .missed = any(model),
                                               .flip = perhaps(model),
                                               .dropped = perhaps(model)});
        return;
    case 15:
        probe->link(self, now_ns, small(model), perhaps(model), perhaps(model));
        return;
    case 16:
        say_uses(model, probe);
        return;
    case 17:
        probe->gone(self, now_ns, small(model));
        return;
    case 18:
        probe->count(self, "evictions", any(model));
        return;
    default:
        probe->assume(self, "durations", any(model));
        if (any(model) % 512 == 0 && !model->fluent)
            probe->warn(self, model->text);
    }
}

/* Says `count` things to the probe. */
static void run(struct probe *probe, uint64_t seed, uint64_t count, bool fluent)
{
    struct model model = {.random = seed, .fluent = fluent};
    const struct probe_machine machine = {
        .segments = 3, .segment_state = segment_state, .model = &model};
    probe->machine(probe->self, &machine);
    for (uint64_t i = 0; i < count; i++)
        say_something(&model, probe);
}

static void hears_the_same(uint64_t seed, uint64_t count, bool fluent)
{
    struct listener near, far;
    listen(&near);
    listen(&far);
    far.slow = fluent;
    struct relay *relay = relay_start(&far.probe);
    assert_non_null(relay);
    run(&near.probe, seed, count, fluent);
    run(relay_probe(relay), seed, count, fluent);
    assert_int_equal(near.probe.jobs, relay_probe(relay)->jobs);
    relay_catch_up(relay);
    assert_int_equal(far.heard, near.heard); /* all, before it ends */
    relay_end(relay);
    fflush(near.out);
    fflush(far.out);
    size_t at = 0;
    while (at < near.length && at < far.length && near.notes[at] == far.notes[at])
        at++;
    if (at != near.length || at != far.length)
        fail_msg("seed %" PRIu64 ": differs from byte %zu on: \"%.60s\", not \"%.60s\"", seed, at,
                 far.notes + at, near.notes + at);
    forget(&near);
    forget(&far);
}

/* 200,000 things are more than all blocks of a relay hold. Samples are taken at 2,000 instants and
 * thinned then, which 200,000 things reach too. */
static void tells_everything(void **state)
{
    (void)state;
    const char *wish = getenv("WDDMSIM_RANDOM_SEED");
    uint64_t seed = wish ? strtoull(wish, NULL, 10) : 1;
    print_message("seeds %" PRIu64 " to %" PRIu64 "\n", seed, seed + 1);
    hears_the_same(seed, 200000, false);
    hears_the_same(seed + 1, 200000, true); /* and the listener is slower than the model */
}

/* Nothing to tell, and so little that no block is ever full. */
static void tells_little(void **state)
{
    (void)state;
    for (uint64_t count = 0; count < 4; count++)
        hears_the_same(7, count, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_everything),
        cmocka_unit_test(tells_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
