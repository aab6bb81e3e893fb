#include "workloads/replay.h"

#include "model/status.h"
#include "model/vidmm/policies.h"
#include "traces/vocabulary.h"
#include "workloads/order.h"
#include "workloads/player.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* A call put off until its thread is free, or until another thread's call has been made. */
struct put_off {
    struct trace_event *event;
    char *place; /* where it stood, if it may be refused; else NULL */
    uint64_t index;
    uint64_t due_ns;
    uint64_t gap_ns; /* from the thread's previous return, when gaps are kept */
    struct put_off *prev, *next;
};

/* One recorded thread. */
struct replay_thread {
    struct replay *replay;
    uint64_t key; /* pid, tid */
    bool in_call;
    struct put_off *put_off;
    uint64_t free_ns;          /* when the last call returned */
    uint64_t recorded_free_ns; /* when it returned in the recording */
    struct sim_timer timer;    /* the first put-off call's date */
    struct replay_thread *waiting_prev, *waiting_next;
    bool waiting; /* its first put-off call may not overtake another thread's */
    UT_hash_handle hh;
};

/* Events put off at most: then no more are read until some are made. */
enum { PUT_OFF_MAX = 1 << 16, CHECK_EVERY = 256, PROGRESS_EVERY = 4096 };

struct replay {
    struct trace_reader *reader;
    const struct replay_options *options;
    struct replay_result *result;
    struct sim *sim;
    struct player player;
    struct order *order;
    struct replay_thread *threads;
    struct replay_thread *last_thread; /* asked for: most calls follow one of their own thread */
    struct replay_thread *waiting;
    struct trace_event event; /* the next one, read and not yet due */
    bool have_event, at_end;
    uint64_t index; /* of that event */
    uint32_t put_off;
    struct sim_timer feed;
    struct replay_thread *awaited; /* as fast as possible: whose return lets reading go on */
    enum replay_status status;
    char *error;
    size_t error_size;
};

static void stop(struct replay *replay, enum replay_status status, const char *message)
{
    if (replay->status == REPLAY_OK) {
        replay->status = status;
        snprintf(replay->error, replay->error_size, "%s", message);
    }
    sim_stop(replay->sim);
}

/* A bad event stops the run, or is counted. */
static bool bad_event(struct replay *replay, const char *message, bool skippable)
{
    if (!replay->options->skip_bad || !skippable) {
        stop(replay, REPLAY_BAD_INPUT, message);
        return false;
    }
    if (replay->result->bad_events++ == 0)
        snprintf(replay->result->first_bad, sizeof replay->result->first_bad, "%s", message);
    return true;
}

static void check(struct replay *replay)
{
    const char *wrong = replay->player.failure[0] ? replay->player.failure : NULL;
    for (uint32_t i = 0; i < replay->player.adapter_count && !wrong; i++) {
        wrong = vidsch_check(replay->player.adapters[i].vidsch);
        if (!wrong)
            wrong = vidmm_check(replay->player.adapters[i].vidmm);
    }
    if (wrong) {
        char message[400];
        snprintf(message, sizeof message, "invariant broken at %" PRIu64 " ns: %s",
                 sim_now(replay->sim), wrong);
        stop(replay, REPLAY_FAILED, message);
    }
}

/* Reads on to the next event of the wanted part. False: there is none, or the run has stopped. */
static bool read_event(struct replay *replay)
{
    const struct replay_options *options = replay->options;
    while (!replay->at_end) {
        struct trace_error error;
        enum trace_result result = trace_next(replay->reader, &replay->event, &error);
        if (result == TRACE_BAD) {
            if (!bad_event(replay, error.message, error.skippable))
                return false;
            continue;
        }
        if (result == TRACE_END || replay->event.t_ns >= options->to_ns) {
            replay->at_end = true;
            break;
        }
        replay->index++;
        if (replay->event.t_ns >= options->from_ns) {
            replay->have_event = true;
            return true;
        }
        char message[512], located[700];
        if (!player_skip(&replay->player, &replay->event, message, sizeof message)) {
            snprintf(located, sizeof located, "%s: %s", trace_reader_place(replay->reader),
                     message);
            if (!bad_event(replay, located, true))
                return false;
        }
    }
    return false;
}

static struct replay_thread *thread_of(struct replay *replay, const struct trace_event *event)
{
    uint64_t key = (uint64_t)event->pid << 32 | event->tid;
    struct replay_thread *thread = replay->last_thread;
    if (thread && thread->key == key)
        return thread;
    HASH_FIND(hh, replay->threads, &key, sizeof key, thread);
    if (!thread) {
        thread = memory_new(1, sizeof *thread);
        thread->replay = replay;
        thread->key = key;
        thread->recorded_free_ns = replay->options->from_ns;
        HASH_ADD(hh, replay->threads, key, sizeof key, thread);
    }
    replay->last_thread = thread;
    return thread;
}

static void let_waiting_threads_try(struct replay *replay);
static void next_put_off(struct replay_thread *thread);

static void feed_now(struct replay *replay)
{
    if (!sim_timer_pending(&replay->feed))
        sim_at(replay->sim, &replay->feed, sim_now(replay->sim));
}

static void call_returned(void *owner)
{
    struct replay_thread *thread = owner;
    struct replay *replay = thread->replay;
    thread->in_call = false;
    thread->free_ns = sim_now(replay->sim);
    if (replay->awaited == thread) {
        replay->awaited = NULL;
        feed_now(replay);
    }
    if (thread->put_off)
        next_put_off(thread);
}

/* `place`: where the event stood if the reader is elsewhere by now; else NULL. */
static void play(struct replay *replay, struct replay_thread *thread,
                 const struct trace_event *event, uint64_t index, uint64_t due_ns,
                 const char *place)
{
    char message[512];
    thread->in_call = true;
    if (!player_play(&replay->player, event, index, due_ns, call_returned, thread, message,
                     sizeof message)) {
        char located[700];
        snprintf(located, sizeof located, "%s: %s",
                 place ? place : trace_reader_place(replay->reader), message);
        bad_event(replay, located, true);
        call_returned(thread);
    }
    replay->result->events++;
    if (replay->options->check &&
        (replay->result->events % CHECK_EVERY == 0 || replay->player.failure[0]))
        check(replay);
    if (replay->options->progress && replay->result->events % PROGRESS_EVERY == 0 &&
        !replay->options->progress(replay->options->progress_self, replay->result->events,
                                   sim_now(replay->sim))) {
        replay->result->interrupted = true;
        sim_stop(replay->sim);
    }
}

static void play_put_off(void *owner)
{
    struct replay_thread *thread = owner;
    struct replay *replay = thread->replay;
    struct put_off *first = thread->put_off;
    if (!order_allows(replay->order, first->index, first->event)) {
        thread->waiting = true;
        DL_APPEND2(replay->waiting, thread, waiting_prev, waiting_next);
        return;
    }
    DL_DELETE(thread->put_off, first);
    if (replay->put_off-- == PUT_OFF_MAX)
        feed_now(replay);
    order_made(replay->order, first->index, first->event);
    play(replay, thread, first->event, first->index, first->due_ns,
         first->place ? first->place : "");
    free(first->place);
    free(first->event);
    free(first);
    let_waiting_threads_try(replay);
}

/* Sets the date of the thread's first put-off call, once it is free. */
static void next_put_off(struct replay_thread *thread)
{
    struct replay *replay = thread->replay;
    const struct put_off *first = thread->put_off;
    if (thread->in_call || thread->waiting || sim_timer_pending(&thread->timer))
        return;
    uint64_t date =
        replay->options->pace == REPLAY_THINK ? thread->free_ns + first->gap_ns : first->due_ns;
    uint64_t now = sim_now(replay->sim);
    sim_timer_init(&thread->timer, play_put_off, thread);
    sim_at(replay->sim, &thread->timer, date > now ? date : now);
}

static void let_waiting_threads_try(struct replay *replay)
{
    struct replay_thread *thread, *next;
    DL_FOREACH_SAFE2 (replay->waiting, thread, next, waiting_next) {
        if (!order_allows(replay->order, thread->put_off->index, thread->put_off->event))
            continue;
        DL_DELETE2(replay->waiting, thread, waiting_prev, waiting_next);
        thread->waiting = false;
        next_put_off(thread);
    }
}

/* Between two calls of a thread the recording shows a gap, as far as it knows when the first one
 * returned. */
static uint64_t recorded_gap(struct replay_thread *thread, const struct trace_event *event)
{
    uint64_t gap =
        event->t_ns > thread->recorded_free_ns ? event->t_ns - thread->recorded_free_ns : 0;
    uint64_t returned = event->t_ns + event->dur_ns;
    if (returned > thread->recorded_free_ns)
        thread->recorded_free_ns = returned;
    return gap;
}

/* What names a new object: its name may be taken. */
static bool may_be_refused(enum trace_op op)
{
    return op == TRACE_CREATE_DEVICE || op == TRACE_CREATE_CONTEXT ||
           op == TRACE_CREATE_ALLOCATION || op == TRACE_CREATE_CONTEXT_ALLOCATION;
}

static void put_off(struct replay *replay, struct replay_thread *thread, uint64_t due_ns)
{
    struct put_off *item = memory_new(1, sizeof *item);
    item->event = trace_event_copy(&replay->event);
    if (may_be_refused(replay->event.op))
        item->place = strdup(trace_reader_place(replay->reader));
    item->index = replay->index - 1;
    item->due_ns = due_ns;
    item->gap_ns = recorded_gap(thread, &replay->event);
    DL_APPEND(thread->put_off, item);
    replay->put_off++;
    order_put_off(replay->order, item->index, item->event);
    next_put_off(thread);
}

static bool may_be_made_now(const struct replay *replay, const struct replay_thread *thread)
{
    return !thread->in_call && !thread->put_off &&
           order_allows(replay->order, replay->index - 1, &replay->event);
}

/* As recorded, as fast as the threads allow, or with the recorded gaps: whether the event is to be
 * looked at now. */
static bool is_due(const struct replay *replay, const struct replay_thread *thread, uint64_t due_ns)
{
    switch (replay->options->pace) {
    case REPLAY_ASAP:
        return !thread->in_call;
    case REPLAY_THINK:
        return replay->put_off < PUT_OFF_MAX;
    default:
        return due_ns <= sim_now(replay->sim) && replay->put_off < PUT_OFF_MAX;
    }
}

/* Makes, or puts off, every call that is due; comes back at the date of the next one. */
static void feed(void *owner)
{
    struct replay *replay = owner;
    uint64_t now = sim_now(replay->sim);
    while (replay->status == REPLAY_OK && !replay->result->interrupted &&
           (replay->have_event || read_event(replay))) {
        uint64_t due = replay->event.t_ns - replay->options->from_ns;
        struct replay_thread *thread = thread_of(replay, &replay->event);
        if (!is_due(replay, thread, due)) {
            if (replay->options->pace == REPLAY_RECORDED && due > now)
                sim_at(replay->sim, &replay->feed, due);
            else if (replay->options->pace == REPLAY_ASAP)
                replay->awaited = thread;
            return;
        }
        replay->have_event = false;
        if (replay->options->pace != REPLAY_THINK && may_be_made_now(replay, thread))
            play(replay, thread, &replay->event, replay->index - 1, due, NULL);
        else
            put_off(replay, thread, due);
    }
}

/* Appends to the sentence about who waits, as far as there is room. */
__attribute__((format(printf, 2, 3))) static void tell(struct replay_result *result,
                                                       const char *format, ...)
{
    size_t length = strlen(result->waiting);
    va_list arguments;
    va_start(arguments, format);
    if (length)
        length += (size_t)snprintf(result->waiting + length, sizeof result->waiting - length, "; ");
    if (length < sizeof result->waiting)
        vsnprintf(result->waiting + length, sizeof result->waiting - length, format, arguments);
    va_end(arguments);
}

static const struct vidsch_waiter *fence_waiter(const struct played_call *call)
{
    const struct vidsch_waiter *waiter = &call->call.waiter;
    if (!waiter->fence)
        waiter = &call->call.packet.waiter;
    return waiter->fence ? waiter : NULL;
}

/* Who waits for what when nothing can happen any more: for fences, or else behind such a wait. */
static void report_waiting(struct replay *replay)
{
    struct replay_result *result = replay->result;
    const struct played_call *call, *first = NULL;
    DL_FOREACH (replay->player.calls, call) {
        if (call->silent)
            continue;
        result->waiting_calls++;
        first = first ? first : call;
        const struct vidsch_waiter *waiter = fence_waiter(call);
        if (waiter)
            tell(result,
                 "event %" PRIu64 " (%s of process %u) waits for a fence to reach %" PRIu64
                 ", which stands at %" PRIu64,
                 call->report.index, call->report.op, call->report.pid, waiter->value,
                 waiter->fence->value);
    }
    if (first && !result->waiting[0])
        tell(result, "event %" PRIu64 " (%s of process %u) is the first of them",
             first->report.index, first->report.op, first->report.pid);
    if (!replay->at_end) /* whoever waits has kept the rest of the trace from being read */
        return;
    /* A recording cut out of a running system ends in the middle, too. */
    if (result->waiting_calls && replay->player.header.create_unknown) {
        struct probe *probe = replay->player.probe;
        probe->assume(probe->self, "calls_unfinished_when_the_recording_ends",
                      result->waiting_calls);
        result->waiting_calls = 0;
    }
}

static void segment_state(const void *self, uint32_t segment, struct probe_segment_state *state)
{
    const struct player *player = self;
    const struct player_adapter *adapter = &player->adapters[player->adapter_count - 1];
    while (segment <= adapter->place.first_segment)
        adapter--;
    vidmm_segment_state(adapter->vidmm, segment - adapter->place.first_segment, state);
}

static void describe_adapter(const struct player_adapter *adapter, struct probe_machine *machine)
{
    const struct profile *profile = adapter->profile;
    for (uint32_t i = 0; i < profile->segment_count; i++) {
        const struct profile_segment *segment = &profile->segments[i];
        uint64_t limit = segment->commit_limit;
        machine->segment[machine->segments].name = segment->name;
        machine->segment[machine->segments].adapter = adapter->place.number;
        machine->segment[machine->segments].size_bytes =
            limit && limit < segment->size ? limit : segment->size;
        machine->segment[machine->segments].budget_bytes =
            vidmm_segment_budget(adapter->vidmm, i + 1);
        machine->segment[machine->segments++].aperture = segment->kind == PROFILE_APERTURE;
    }
    for (uint32_t i = 0; i < profile->node_count; i++) {
        machine->node[machine->nodes].name = profile->nodes[i].name;
        machine->node[machine->nodes].adapter = adapter->place.number;
        machine->node[machine->nodes++].kind = profile_node_kind_names[profile->nodes[i].kind];
    }
}

static void describe(const struct player *player, struct probe_machine *machine)
{
    *machine = (struct probe_machine){
        .adapters = player->adapter_count, .segment_state = segment_state, .model = player};
    for (uint32_t i = 0; i < player->adapter_count; i++)
        describe_adapter(&player->adapters[i], machine);
}

static void free_threads(struct replay *replay)
{
    struct replay_thread *thread, *next_thread;
    HASH_ITER (hh, replay->threads, thread, next_thread) {
        struct put_off *item, *next;
        DL_FOREACH_SAFE (thread->put_off, item, next) {
            free(item->place);
            free(item->event);
            free(item);
        }
        HASH_DEL(replay->threads, thread);
        free(thread);
    }
    order_destroy(replay->order);
}

/* The run of this process. */
static struct replay replay;

enum replay_status replay_run(struct trace_reader *reader, const struct profile *profile,
                              struct probe *probe, const struct replay_options *options,
                              struct replay_result *result, char *error, size_t error_size)
{
    *result = (struct replay_result){0};
    const struct profile *profiles[HARDWARE_ADAPTERS_MAX] = {profile};
    struct sim_link links[HARDWARE_ADAPTERS_MAX];
    uint32_t count = 1 + options->other_count;
    for (uint32_t i = 0; i < count; i++) {
        profiles[i] = i == 0 ? profile : &options->others[i - 1];
        links[i] = (struct sim_link){.bandwidth_in = profiles[i]->link.bandwidth_in,
                                     .bandwidth_out = profiles[i]->link.bandwidth_out,
                                     .duplex_factor = profiles[i]->link.duplex_factor,
                                     .shared = profiles[i]->link.shared};
    }
    replay = (struct replay){.reader = reader,
                             .options = options,
                             .result = result,
                             .sim = sim_create(links, count, NULL),
                             .order = order_create(),
                             .error = error,
                             .error_size = error_size};
    sim_timer_init(&replay.feed, feed, &replay);
    uint32_t started = player_init(&replay.player, replay.sim, profiles, count, probe,
                                   trace_reader_header(reader), options->miniport);
    if (!status_is_success(started)) {
        char room[STATUS_TEXT_SIZE];
        snprintf(error, error_size, "the miniport did not start: %s", status_text(started, room));
        return REPLAY_FAILED;
    }
    replay.player.check = options->check;
    replay.player.foresight = options->foresight;
    for (uint32_t i = 0; i < replay.player.adapter_count; i++)
        vidmm_seed(replay.player.adapters[i].vidmm, options->seed + i);
    for (size_t i = 0; i < options->fault_count; i++)
        dxgkrnl_order_fault(replay.player.dxgkrnl, &options->faults[i]);
    struct probe_machine machine;
    describe(&replay.player, &machine);
    probe->machine(probe->self, &machine);
    sim_run(replay.sim, feed, &replay);
    result->simulated_ns = sim_now(replay.sim);
    sim_counts(replay.sim, &result->dates, &result->transfers);
    if (options->check && replay.status == REPLAY_OK)
        check(&replay);
    if (replay.status == REPLAY_OK && !result->interrupted)
        report_waiting(&replay);
    return replay.status;
}

bool replay_needs_foresight(const struct profile *profile)
{
    return vidmm_policies[profile->vidmm.eviction]->needs_next_use;
}

void replay_release(void)
{
    if (!replay.sim)
        return;
    free_threads(&replay);
    /* What is still under way when a run ends early is not taken apart piece by piece: it stays
     * reachable until the process ends. */
    if (replay.player.calls)
        return;
    player_fini(&replay.player);
    sim_destroy(replay.sim);
    replay = (struct replay){0};
}
