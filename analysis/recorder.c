#include "analysis/heap.h"
#include "analysis/record.h"
#include "analysis/section.h"
#include "model/status.h"

#include <assert.h>
#include <inttypes.h>
#include <unistd.h>

/* Ops. The pointer of a static string stands for the op, so that no string is looked at on the way
 * in; the same op under another pointer (two string literals) is found by its letters once. */
static uint32_t find_op_slowly(struct recorder *recorder, const char *name, size_t slot)
{
    uint32_t op = 0;
    while (op < recorder->ops && strcmp(recorder->op[op].name, name) != 0)
        op++;
    if (op == RECORD_OPS)
        op--; /* far more ops than there are: counted under the last one */
    if (op == recorder->ops) {
        struct record_op *new = &recorder->op[recorder->ops++];
        new->name = name;
        new->statuses = 1; /* status[0]: success */
        new->pairs.stride = 1;
    }
    recorder->op_cache[slot].name = name;
    recorder->op_cache[slot].op = op;
    return op;
}

static uint32_t find_op(struct recorder *recorder, const char *name)
{
    uintptr_t bits = (uintptr_t)name;
    size_t slot = (size_t)((uint64_t)bits * 0x9e3779b97f4a7c15u >> 56);
    if (recorder->op_cache[slot].name == name)
        return recorder->op_cache[slot].op;
    return find_op_slowly(recorder, name, slot);
}

struct record_process *record_process_slowly(struct recorder *recorder, uint32_t pid)
{
    struct record_process *process;
    HASH_FIND(hh, recorder->processes, &pid, sizeof pid, process);
    if (process == NULL) {
        process = heap_new(1, sizeof *process);
        process->pid = pid;
        HASH_ADD(hh, recorder->processes, pid, sizeof process->pid, process);
    }
    recorder->process_cache[record_process_slot(pid)] = process;
    return process;
}

static void count_status(struct record_op *op, uint32_t status)
{
    uint32_t i = 0;
    while (i < op->statuses && op->status[i].code != status)
        i++;
    if (i == RECORD_STATUSES) {
        op->other_failures += !status_is_success(status);
        return;
    }
    if (i == op->statuses)
        op->status[op->statuses++].code = status;
    op->status[i].count++;
}

static void compare(struct record_errors *errors, uint64_t recorded, uint64_t simulated)
{
    histogram_add(&errors->recorded, recorded);
    histogram_add(&errors->simulated, simulated);
    uint64_t difference = simulated > recorded ? simulated - recorded : recorded - simulated;
    if (recorded == 0 && difference != 0) {
        errors->undefined++;
        return;
    }
    uint64_t ppm = 0;
    if (difference <= UINT64_MAX / 1000000) { /* 2^128 divides slowly */
        ppm = recorded == 0 ? 0 : difference * 1000000 / recorded;
    } else {
        histogram_sum wide = (histogram_sum)difference * 1000000 / recorded;
        ppm = wide > UINT64_MAX ? UINT64_MAX : (uint64_t)wide;
    }
    histogram_add(&errors->ppm, ppm);
}

static void keep_pair(struct record_pairs *pairs, uint64_t recorded, uint64_t simulated, bool done)
{
    if ((pairs->seen++ & (pairs->stride - 1)) != 0) /* a power of two */
        return;
    if (pairs->pair == NULL) {
        pairs->pair = heap_new(RECORD_PAIRS, sizeof *pairs->pair);
        pairs->done = heap_new(RECORD_PAIRS, sizeof *pairs->done);
    }
    if (pairs->count == RECORD_PAIRS) {
        for (uint32_t i = 0; i < RECORD_PAIRS / 2; i++) {
            memcpy(pairs->pair[i], pairs->pair[2 * i], sizeof *pairs->pair);
            pairs->done[i] = pairs->done[2 * i];
        }
        pairs->count = RECORD_PAIRS / 2;
        pairs->stride *= 2;
    }
    pairs->pair[pairs->count][0] = recorded;
    pairs->pair[pairs->count][1] = simulated;
    pairs->done[pairs->count++] = done;
}

static void against_recording(struct recorder *recorder, struct record_op *op,
                              const struct probe_call *call, uint64_t latency, uint64_t returned)
{
    const struct probe_expected *expected = &call->expected;
    if (expected->has_status) {
        recorder->status_checked++;
        recorder->status_mismatches += expected->status != call->status;
    }
    if (expected->has_dur)
        compare(&op->dur, expected->dur_ns, returned);
    if (expected->has_done)
        compare(&op->done, expected->latency_ns, latency);
    if (expected->has_done)
        keep_pair(&op->pairs, expected->latency_ns, latency, true);
    else if (expected->has_dur)
        keep_pair(&op->pairs, expected->dur_ns, returned, false);
    if (recorder->options.expect)
        expect_call(recorder, call);
}

static void on_call(void *self, const struct probe_call *call)
{
    struct recorder *recorder = self;
    uint32_t index = find_op(recorder, call->op);
    struct record_op *op = &recorder->op[index];
    struct record_process *process = record_process(recorder, call->pid);
    struct record_calls *calls = process->calls[index];
    if (calls == NULL)
        calls = process->calls[index] = heap_new(1, sizeof *calls);

    uint64_t returned = call->return_ns - call->start_ns;
    uint64_t latency = call->asynchronous ? call->done_ns - call->start_ns : returned;
    uint64_t end = call->start_ns + latency;
    assert(call->return_ns >= call->start_ns);
    assert(!call->asynchronous || call->done_ns >= call->start_ns);
    if (end > recorder->last_ns)
        recorder->last_ns = end;

    histogram_add(&calls->latency, latency);
    batches_add(&op->steady, latency);
    if (call->asynchronous)
        histogram_add(&calls->returned, returned);
    recorder->blame_mismatches +=
        blame_levels_add(&calls->levels, latency, call->blame_ns) != latency;

    if (call->status == STATUS_SUCCESS) {
        op->status[0].count++;
    } else {
        count_status(op, call->status);
        calls->failures += !status_is_success(call->status);
    }
    if (call->start_ns > call->due_ns)
        histogram_add(&recorder->late, call->start_ns - call->due_ns);
    else
        recorder->not_late++;
    recorder->early += call->start_ns < call->due_ns;

    explain_call(recorder, op, call, latency);
    const struct probe_expected *expected = &call->expected;
    if (expected->has_status || expected->has_dur || expected->has_done)
        against_recording(recorder, op, call, latency, returned);
    if (recorder->timeline != NULL)
        timeline_call(recorder->timeline, call);
    if (recorder->calls_csv.file != NULL)
        csv_calls_row(&recorder->calls_csv, call, latency);
}

/* Where there are several adapters, "1:local" is the segment `local` of the second one. */
static char *own_name(const struct probe_machine *machine, uint32_t adapter, const char *name)
{
    char text[64];
    if (machine->adapters < 2)
        return heap_text(name);
    snprintf(text, sizeof text, "%" PRIu32 ":%s", adapter, name);
    return heap_text(text);
}

static void on_machine(void *self, const struct probe_machine *machine)
{
    struct recorder *recorder = self;
    assert(machine->segments < RECORD_SEGMENTS && machine->nodes <= RECORD_NODES &&
           machine->adapters <= RECORD_ADAPTERS);
    recorder->adapters = machine->adapters;
    if (machine->adapters > 1)
        recorder->links = heap_new(machine->adapters, sizeof *recorder->links);
    recorder->segments = machine->segments;
    recorder->nodes = machine->nodes;
    for (uint32_t i = 0; i < machine->segments; i++) {
        recorder->space[i + 1].bins = heap_new(1, sizeof *recorder->space[i + 1].bins);
        recorder->segment[i + 1].adapter = machine->segment[i].adapter;
        recorder->segment[i + 1].name =
            own_name(machine, machine->segment[i].adapter, machine->segment[i].name);
        recorder->segment[i + 1].size_bytes = machine->segment[i].size_bytes;
        recorder->segment[i + 1].budget_bytes = machine->segment[i].budget_bytes;
        recorder->segment[i + 1].aperture = machine->segment[i].aperture;
        recorder->largest_free_min[i + 1] = UINT64_MAX;
    }
    for (uint32_t i = 0; i < RECORD_SEGMENTS; i++)
        recorder->segment[i].word = csv_word(record_segment_name(recorder, i));
    for (uint32_t i = 0; i < machine->nodes; i++) {
        recorder->node_facts[i].adapter = machine->node[i].adapter;
        recorder->node_facts[i].name =
            own_name(machine, machine->node[i].adapter, machine->node[i].name);
        recorder->node_facts[i].kind = heap_text(machine->node[i].kind);
        recorder->node[i].used = true;
    }
    recorder->segment_state = machine->segment_state;
    recorder->model = machine->model;
}

static void add_to(struct record_tally *tally, const char *key, uint64_t count)
{
    uint32_t i = 0;
    while (i < tally->keys && tally->of[i].key != key)
        i++;
    if (i == tally->keys) /* not the same pointer: perhaps the same letters */
        for (i = 0; i < tally->keys && strcmp(tally->of[i].key, key) != 0;)
            i++;
    if (i == RECORD_KEYS)
        i--;
    if (i == tally->keys)
        tally->of[tally->keys++].key = key;
    tally->of[i].count += count;
}

static void on_assume(void *self, const char *key, uint64_t count)
{
    struct recorder *recorder = self;
    add_to(&recorder->assumed, key, count);
}

static void on_count(void *self, const char *key, uint64_t count)
{
    struct recorder *recorder = self;
    add_to(&recorder->counted, key, count);
}

static void on_warn(void *self, const char *message)
{
    struct recorder *recorder = self;
    for (uint32_t i = 0; i < recorder->warnings; i++)
        if (strcmp(recorder->warning[i].text, message) == 0) {
            recorder->warning[i].count++;
            return;
        }
    if (recorder->warnings == RECORD_MESSAGES) {
        recorder->more_warnings++;
        return;
    }
    recorder->warning[recorder->warnings].text = heap_text(message);
    recorder->warning[recorder->warnings++].count = 1;
}

void record_warn(struct recorder *recorder, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    on_warn(recorder, message);
}

static void on_uses(void *self, uint64_t now_ns, const struct probe_use *use, uint32_t count)
{
    struct recorder *recorder = self;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t bytes = miss_curve_pages(use[i].bytes);
        working_set_use(recorder->working, now_ns, use[i].allocation, bytes);
        if (recorder->working->uses <= RECORD_USES)
            miss_curve_use(recorder->misses, use[i].allocation, bytes);
    }
}

static void on_gone(void *self, uint64_t now_ns, uint32_t allocation)
{
    struct recorder *recorder = self;
    if (recorder->working->uses < RECORD_USES)
        miss_curve_remove(recorder->misses, allocation);
    working_set_gone(recorder->working, now_ns, allocation);
}

static bool open_streams(struct recorder *recorder, char *error, size_t error_size)
{
    if (recorder->directory == NULL)
        return true;
    if (!output_folder(recorder->directory, error, error_size))
        return false;
    recorder->paging_csv.file = output_open(&recorder->output, "paging.csv", error, error_size);
    if (recorder->paging_csv.file == NULL)
        return false;
    csv_paging_header(recorder->paging_csv.file);
    if (recorder->options.calls) {
        recorder->calls_csv.file = output_open(&recorder->output, "calls.csv", error, error_size);
        if (recorder->calls_csv.file == NULL)
            return false;
        csv_calls_header(recorder->calls_csv.file);
    }
    return true;
}

struct recorder *recorder_create(const struct recorder_options *options, char *error,
                                 size_t error_size)
{
    struct recorder *recorder = heap_new(1, sizeof *recorder);
    recorder->options = *options;
    if (options->directory != NULL)
        recorder->directory = heap_text(options->directory);
    recorder->options.directory = recorder->directory;
    recorder->output.directory = recorder->directory;
    for (uint32_t i = 0; i < RECORD_SEGMENTS; i++) {
        recorder->space[i].segment = i;
        recorder->space[i].whole = true;
        recorder->space[i].series.width = SERIES_WIDTH;
    }
    for (int kind = 0; kind < PROBE_PAGING_KINDS; kind++)
        recorder->paging_word[kind] = csv_word(probe_paging_names[kind]);
    chains_init(&recorder->chains);
    if (options->timeline)
        recorder->timeline = heap_new(1, sizeof *recorder->timeline);
    recorder->faults = heap_new(RECORD_FAULTS, sizeof *recorder->faults);
    recorder->misses = miss_curve_create(RECORD_USES);
    recorder->working = heap_new(1, sizeof *recorder->working);
    recorder->probe = (struct probe){
        .self = recorder,
        .machine = on_machine,
        .context = engines_context,
        .call = on_call,
        .packet = engines_packet,
        .job = explain_job,
        .wait = options->timeline ? explain_wait_timeline : explain_wait,
        .found = explain_found,
        .engine = engines_engine,
        .context_switch = engines_context_switch,
        .attempt = engines_attempt,
        .reset = engines_reset,
        .paging = residency_paging,
        .uses = options->uses ? on_uses : NULL,
        .gone = options->uses ? on_gone : NULL,
        .resident = residency_resident,
        .committed = residency_committed,
        .context_allocation = residency_context_allocation,
        .present = engines_present,
        .link = engines_link,
        .count = on_count,
        .assume = on_assume,
        .warn = on_warn,
    };
    if (!open_streams(recorder, error, error_size)) {
        recorder_destroy(recorder);
        return NULL;
    }
    if (options->beside)
        recorder->relay = relay_start(&recorder->probe);
    return recorder;
}

struct probe *recorder_probe(struct recorder *recorder)
{
    return recorder->relay != NULL ? relay_probe(recorder->relay) : &recorder->probe;
}

void recorder_catch_up(struct recorder *recorder)
{
    if (recorder->relay != NULL)
        relay_catch_up(recorder->relay);
}

static int by_pid(const struct record_process *a, const struct record_process *b)
{
    return (a->pid > b->pid) - (a->pid < b->pid);
}

static int by_id(const struct record_context *a, const struct record_context *b)
{
    return (a->id > b->id) - (a->id < b->id);
}

/* What was kept for each process, summed up. */
static void sum_blame(struct recorder *recorder)
{
    for (struct record_process *process = recorder->processes; process != NULL;
         process = process->hh.next)
        for (uint32_t i = 0; i < recorder->ops; i++)
            if (process->calls[i] != NULL) {
                blame_levels_sum(&process->calls[i]->levels, process->calls[i]->blame_ns);
                blame_levels_merge(&recorder->op[i].levels, &process->calls[i]->levels);
            }
}

/* Ends every account at the end of the run and says what does not add up. */
static void close_books(struct recorder *recorder, const struct recorder_run *run)
{
    relay_end(recorder->relay);
    recorder->relay = NULL;
    recorder->end_ns =
        run->simulated_ns > recorder->last_ns ? run->simulated_ns : recorder->last_ns;
    histogram_add_times(&recorder->late, 0, recorder->not_late);
    sum_blame(recorder);
    residency_close(recorder);
    miss_curve_finish(recorder->misses);
    working_set_finish(recorder->working, recorder->end_ns);
    engines_close(recorder);
    explain_close(recorder);
    HASH_SORT(recorder->processes, by_pid);
    HASH_SORT(recorder->contexts, by_id);
    if (recorder->blame_mismatches != 0)
        record_warn(recorder, "the causes of %" PRIu64 " calls do not add up to their latency",
                    recorder->blame_mismatches);
    if (run->waiting_calls != 0)
        record_warn(recorder,
                    "%" PRIu64 " calls were still waiting when the trace ended; they are not in "
                    "the latencies",
                    run->waiting_calls);
    if (run->bad_events != 0)
        record_warn(recorder, "%" PRIu64 " bad events were skipped", run->bad_events);
    if (run->partial)
        record_warn(recorder, "the run was interrupted: the results are partial");
    recorder->finished = true;
}

static void remove_file(const struct recorder *recorder, const char *name)
{
    char *path = output_path(recorder->directory, name);
    unlink(path);
    free(path);
}

/* Files of an earlier run that this one does not write would tell of something else. */
static void remove_stale(const struct recorder *recorder)
{
    remove_file(recorder, "report.html");
    for (size_t i = 0; i < section_count; i++)
        if (sections[i]->figure != NULL)
            plot_remove(recorder->directory, sections[i]->figure);
    if (!recorder->options.calls)
        remove_file(recorder, "calls.csv");
    if (!recorder->options.timeline)
        remove_file(recorder, "timeline.json.gz");
}

static bool write_timeline(struct recorder *recorder, char *error, size_t error_size)
{
    const struct chain_names names = record_names(recorder);
    if (recorder->timeline == NULL)
        return true;
    if (recorder->timeline->left_out != 0)
        record_warn(recorder,
                    "timeline.json.gz holds one in %" PRIu64 " windows of %" PRIu64
                    " us: the run has too many events for all of them",
                    recorder->timeline->stride, recorder->timeline->window_ns / 1000);
    return timeline_write(recorder->timeline, &names, recorder->end_ns, &recorder->output, error,
                          error_size);
}

bool recorder_finish(struct recorder *recorder, const struct recorder_run *run,
                     void (*hardware)(const void *profile, FILE *out), const void *profile,
                     char *error, size_t error_size)
{
    assert(!recorder->finished && recorder->directory != NULL);
    close_books(recorder, run);
    for (uint32_t i = 0; i < recorder->unmet_messages; i++)
        fprintf(stderr, "%s\n", recorder->unmet_message[i]);
    if (recorder->unmet > recorder->unmet_messages)
        fprintf(stderr, "... and %" PRIu64 " more\n", recorder->unmet - recorder->unmet_messages);

    bool written = csv_write(recorder, error, error_size);
    if (written && hardware != NULL) {
        FILE *file = output_open(&recorder->output, "hardware.yaml", error, error_size);
        written = file != NULL;
        if (written)
            hardware(profile, file);
    }
    written = written && write_timeline(recorder, error, error_size);
    written = written && summary_write(recorder, run, error, error_size);
    if (!written)
        output_abandon(&recorder->output);
    written = written && output_commit(&recorder->output, error, error_size);
    recorder->calls_csv.file = recorder->paging_csv.file = NULL;
    if (written)
        remove_stale(recorder);
    return written;
}

struct json_t *recorder_summary(struct recorder *recorder, const struct recorder_run *run)
{
    assert(!recorder->finished && recorder->directory == NULL);
    close_books(recorder, run);
    return summary_make(recorder, run);
}

void recorder_expectations(const struct recorder *recorder, uint64_t *checked, uint64_t *failed)
{
    *checked = recorder->expected;
    *failed = recorder->unmet;
}

const char *recorder_check(const struct recorder *recorder)
{
    return recorder->chain_mismatches != 0 ? recorder->chain_mismatch : NULL;
}

static void free_process(struct record_process *process)
{
    for (uint32_t i = 0; i < RECORD_OPS; i++)
        if (process->calls[i] != NULL) {
            record_calls_clear(process->calls[i]);
            free(process->calls[i]);
        }
    for (uint32_t i = 0; i < RECORD_SEGMENTS; i++)
        if (process->space[i] != NULL) {
            series_clear(&process->space[i]->series);
            free(process->space[i]);
        }
    if (process->frames != NULL)
        frames_clear(process->frames);
    free(process->frames);
    free(process);
}

static void free_op(struct record_op *op)
{
    struct record_errors *errors[] = {&op->dur, &op->done};
    for (size_t i = 0; i < 2; i++) {
        histogram_clear(&errors[i]->recorded);
        histogram_clear(&errors[i]->simulated);
        histogram_clear(&errors[i]->ppm);
    }
    blame_levels_clear(&op->levels);
    slowest_clear(&op->slowest);
    free(op->pairs.pair);
    free(op->pairs.done);
}

void recorder_destroy(struct recorder *recorder)
{
    if (recorder == NULL)
        return;
    relay_end(recorder->relay);
    output_abandon(&recorder->output);
    struct record_process *process, *next_process;
    HASH_ITER (hh, recorder->processes, process, next_process) {
        HASH_DEL(recorder->processes, process);
        free_process(process);
    }
    struct record_context *context, *next_context;
    HASH_ITER (hh, recorder->contexts, context, next_context) {
        HASH_DEL(recorder->contexts, context);
        free(context->name);
        free(context);
    }
    for (uint32_t i = 0; i < recorder->ops; i++)
        free_op(&recorder->op[i]);
    for (uint32_t i = 0; i < RECORD_SEGMENTS; i++) {
        series_clear(&recorder->space[i].series);
        free(recorder->space[i].bins);
        free(recorder->segment[i].name);
    }
    for (uint32_t i = 0; i < RECORD_NODES; i++) {
        histogram_clear(&recorder->node[i].queue);
        histogram_clear(&recorder->node[i].execute);
        free(recorder->node_facts[i].name);
        free(recorder->node_facts[i].kind);
    }
    for (uint32_t i = 0; i < recorder->unmet_messages; i++)
        free(recorder->unmet_message[i]);
    for (uint32_t i = 0; i < recorder->warnings; i++)
        free(recorder->warning[i].text);
    histogram_clear(&recorder->late);
    histogram_clear(&recorder->paging_latency);
    histogram_clear(&recorder->refault);
    frames_clear(&recorder->frames);
    slowest_clear(&recorder->slowest_frames);
    chains_clear(&recorder->chains);
    if (recorder->timeline != NULL)
        timeline_clear(recorder->timeline);
    free(recorder->timeline);
    struct record_switch *kind, *next_kind;
    HASH_ITER (hh, recorder->switch_kinds, kind, next_kind) {
        HASH_DEL(recorder->switch_kinds, kind);
        free(kind);
    }
    free(recorder->sampler.t_ns);
    free(recorder->links);
    free(recorder->faults);
    miss_curve_destroy(recorder->misses);
    working_set_fini(recorder->working);
    free(recorder->working);
    free(recorder->directory);
    free(recorder);
}
