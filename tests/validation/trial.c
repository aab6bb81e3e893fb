#include "tests/validation/trial.h"

#include "model/blind.h"
#include "tests/unit/child.h"
#include "traces/reader.h"
#include "workloads/replay.h"

static struct trial_result *result; /* the child's, shared */
static uint64_t from_ns, node_since_ns[2], link_since_ns[2];
static enum probe_engine node_state[2];
static const struct probe_machine *machine;

static void note_machine(void *self, const struct probe_machine *told)
{
    static struct probe_machine kept;
    (void)self;
    kept = *told;
    machine = &kept;
}

static void note_call(void *self, const struct probe_call *call)
{
    (void)self;
    result->calls++;
    if (call->index >= TRIAL_CALLS)
        child_fails("more calls than a trial has room for");
    result->start_ns[call->index] = call->start_ns;
    result->done_ns[call->index] = call->asynchronous ? call->done_ns : call->return_ns;
}

static void note_paging(void *self, const struct probe_paging *operation)
{
    (void)self;
    if (operation->to)
        result->moved_in[operation->to & 3] += (int64_t)operation->bytes;
    if (operation->from)
        result->moved_in[operation->from & 3] -= (int64_t)operation->bytes;
    if (operation->finished_ns < from_ns)
        return;
    bool in = operation->kind == PROBE_PAGE_IN, out = operation->kind == PROBE_PAGE_OUT;
    result->in_bytes += in ? operation->bytes : 0;
    result->out_bytes += out ? operation->bytes : 0;
    result->fill_bytes += operation->kind == PROBE_FILLED ? operation->bytes : 0;
    result->in_count += in;
    result->out_count += out;
}

static void note_resident(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment,
                          int64_t bytes)
{
    (void)self, (void)now_ns, (void)pid;
    result->resident[segment & 3] += bytes;
}

static void note_link(void *self, uint64_t now_ns, uint32_t adapter, bool in, bool busy)
{
    (void)self, (void)adapter;
    if (!busy)
        result->link_busy_ns[!in] += now_ns - link_since_ns[!in];
    link_since_ns[!in] = now_ns;
}

static void note_engine(void *self, uint64_t now_ns, uint32_t node, enum probe_engine state,
                        uint32_t depth, uint32_t waiting)
{
    (void)self, (void)depth, (void)waiting;
    if (node > 1)
        return;
    result->engine_ns[node][node_state[node]] += now_ns - node_since_ns[node];
    node_since_ns[node] = now_ns;
    node_state[node] = state;
}

struct task {
    const struct trial *trial;
    void (*write)(FILE *trace, const void *what);
};

static struct trace_reader *open_trace(const struct task *task)
{
    char path[] = "/tmp/wddmsim-trial-XXXXXX.jsonl";
    int fd = mkstemps(path, 6);
    FILE *trace = fd < 0 ? NULL : fdopen(fd, "w");
    if (!trace)
        child_fails("no temporary file");
    task->write(trace, task->trial->what);
    fclose(trace);
    struct trace_reader *reader;
    struct trace_error error;
    bool opened = trace_open(path, NULL, &reader, &error);
    unlink(path);
    if (!opened)
        child_fails("%s", error.message);
    return reader;
}

static void run(void *argument)
{
    const struct task *task = argument;
    static struct profile profile;
    struct profile_error wrong;
    bool good = profile_load(task->trial->profile, &profile, &wrong);
    for (int i = 0; good && i < TRIAL_KEYS && task->trial->keys[i][0]; i++)
        good = profile_set(&profile, task->trial->keys[i][0], task->trial->keys[i][1], "trial",
                           &wrong);
    if (!good || !profile_check(&profile, &wrong))
        child_fails("%s", wrong.message);
    struct probe probe = blind_probe();
    probe.machine = note_machine;
    probe.call = note_call;
    probe.paging = note_paging;
    probe.resident = note_resident;
    probe.link = note_link;
    probe.engine = note_engine;
    from_ns = task->trial->from_ns;
    struct trace_reader *reader = open_trace(task);
    const struct replay_options options = {.to_ns = UINT64_MAX, .seed = 1};
    struct replay_result replayed;
    char error[512] = "";
    if (replay_run(reader, &profile, &probe, &options, &replayed, error, sizeof error) != REPLAY_OK)
        child_fails("%s", error);
    result->end_ns = replayed.simulated_ns;
    for (uint32_t node = 0; node < 2; node++)
        note_engine(NULL, replayed.simulated_ns, node, PROBE_ENGINE_IDLE, 0, 0);
    for (uint32_t id = 1; id <= machine->segments && id < 4; id++) {
        struct probe_segment_state state;
        machine->segment_state(machine->model, id, &state);
        result->allocated[id] = state.allocated;
    }
    replay_release();
    trace_close(reader);
}

struct trial_result *trial_run(const struct trial *trial,
                               void (*write)(FILE *trace, const void *what))
{
    result = child_shared(sizeof *result);
    if (!child_runs(run, &(struct task){trial, write})) {
        fprintf(stderr, "a trial failed\n");
        exit(1);
    }
    return result;
}

void trial_free(struct trial_result *given)
{
    munmap(given, sizeof *given);
}

void trial_begin(FILE *trace, const char *node)
{
    trial_begin_with(trace, node, "per-submit");
}

void trial_begin_with(FILE *trace, const char *node, const char *residency)
{
    fprintf(trace,
            "{\"wddmsim\":1,\"residency\":\"%s\"}\n"
            "{\"t\":0,\"pid\":1,\"tid\":1,\"op\":\"CreateDevice\",\"device\":1}\n"
            "{\"t\":0,\"pid\":1,\"tid\":1,\"op\":\"CreateContext\",\"context\":1,\"device\":1,"
            "\"node\":\"%s\"}\n",
            residency, node);
}

void trial_data(FILE *trace, uint32_t first, uint32_t count, uint64_t bytes)
{
    for (uint32_t i = first; i < first + count; i++)
        fprintf(trace,
                "{\"t\":0,\"pid\":1,\"tid\":1,\"op\":\"CreateAllocation\",\"device\":1,"
                "\"allocations\":[{\"allocation\":%u,\"size\":%" PRIu64
                ",\"segments\":[\"local\"]}]}\n"
                "{\"t\":0,\"pid\":1,\"tid\":1,\"op\":\"Lock\",\"device\":1,\"allocation\":%u}\n"
                "{\"t\":0,\"pid\":1,\"tid\":1,\"op\":\"Unlock\",\"device\":1,\"allocation\":%u}\n",
                i, bytes, i, i);
}

void trial_submit(FILE *trace, uint64_t t_ns, uint64_t gpu_ns, const uint32_t *reads,
                  uint32_t count)
{
    fprintf(trace,
            "{\"t\":%" PRIu64
            ",\"pid\":1,\"tid\":1,\"op\":\"Submit\",\"context\":1,\"gpu\":%" PRIu64
            ",\"allocations\":[",
            t_ns, gpu_ns);
    for (uint32_t i = 0; i < count; i++)
        fprintf(trace, "%s%u", i ? "," : "", reads[i]);
    fputs("]}\n", trace);
}
