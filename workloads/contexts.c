/* Contexts that share one engine: the scheduler's workload.
 *
 * Two classes of processes, each with its own way of asking for work, time on the engine and
 * priority. A closed loop submits, waits until at most `ahead - 1` of its packets are left, thinks,
 * and submits again; an open one submits at its own dates whatever becomes of the packets before.
 * Each stream of a process is a thread with a context.
 *
 * Calls take no time here and the dates of a closed loop are made of thinking alone: whatever the
 * GPU takes comes on top when the trace is replayed with the gaps between calls kept (--pace
 * think). Without thinking, any pace gives the same. */
#include "workloads/distribution.h"
#include "workloads/script.h"
#include "workloads/workloads.h"

#include "traces/vocabulary.h"

enum loop { CLOSED, OPEN };

struct class
{
    uint32_t processes, streams, packets, ahead;
    enum loop loop;
    uint64_t interval_ns, gpu_ns, granule_ns, memory;
    struct distribution interval, gpu;
    int32_t priority;
};

struct contexts {
    char node[PROFILE_NAME_SIZE];
    struct class normal, urgent;
};

#define ROW(...) WORKLOAD_ROW(contexts, __VA_ARGS__)

#define CLASS(prefix, member, count, how, pause, pauses, importance)                               \
    {ROW(prefix "contexts", COUNT, member.processes, "0..4096", count,                             \
         "processes of this class, with one context each unless they have more streams")},         \
        {ROW(prefix "streams", COUNT, member.streams, "1..256", "1",                               \
             "contexts of each process, each with a thread of its own")},                          \
        {ROW(prefix "packets", COUNT, member.packets, "1..1000000000", "1000",                     \
             "submissions of each context")},                                                      \
        {ROW(prefix "loop", CHOICE, member.loop, "closed, open", how,                              \
             "closed: waits for its packets before it submits more; open: submits at its own "     \
             "dates")},                                                                            \
        {ROW(prefix "ahead", COUNT, member.ahead, "1..1024", "1",                                  \
             "closed loops: packets that may be in the queue at a time")},                         \
        {ROW(prefix "interval", TIME, member.interval_ns, "0ns..1000s", pause,                     \
             "open: from one submission to the next, mean; closed: thinking before each")},        \
        DISTRIBUTION_ROWS(contexts, prefix "intervals", member.interval, pauses, "0.5",            \
                          "the intervals"),                                                        \
        {ROW(prefix "gpu-time", TIME, member.gpu_ns, "1ns..1000s", "1ms",                          \
             "engine time of a packet, mean")},                                                    \
        DISTRIBUTION_ROWS(contexts, prefix "gpu-times", member.gpu, "fixed", "0.5",                \
                          "the engine times"),                                                     \
        {ROW(prefix "granule", TIME, member.granule_ns, "0ns..1000s", "0ns",                       \
             "longest stretch of a packet that cannot be preempted; 0: not said")},                \
        {ROW(prefix "memory", SIZE, member.memory, "0B..4TB", "0B",                                \
             "bytes of an allocation that every packet of the context writes")},                   \
    {                                                                                              \
        ROW(prefix "priority", SIGNED, member.priority, "-7..7", importance,                       \
            "scheduling priority of the contexts")                                                 \
    }

static const struct key_spec parameters[] = {
    {ROW("node", TEXT, node, "a node's name", "3d", "the engine they share")},
    CLASS("", normal, "2", "closed", "0ns", "fixed", "0"),
    CLASS("urgent-", urgent, "0", "open", "20ms", "exponential", "1"),
};

enum { RANDOM_INTERVAL = SCRIPT_PACE + 1, RANDOM_ENGINE };

struct stream {
    struct script script;
    const struct contexts *contexts;
    const struct class *class;
    const struct stream *first; /* the process' first stream, which makes the device */
    uint64_t context, fence, allocation;
    uint32_t packets; /* submitted so far */
};

static uint64_t pause_ns(struct stream *stream)
{
    const struct class *class = stream->class;
    if (class->interval_ns == 0)
        return 0;
    return (uint64_t)distribution_draw(&class->interval, stream->script.random[RANDOM_INTERVAL],
                                       (double)class->interval_ns);
}

static void start(struct stream *stream)
{
    struct script *script = &stream->script;
    if (stream->first == stream)
        script_create_device(script);
    script->device = stream->first->script.device;
    stream->context =
        script_create_context(script, stream->contexts->node, stream->class->priority);
    stream->fence = ++script->stage->fences;
    if (stream->class->memory != 0) {
        script_create(script, "buffer", stream->class->memory, &stream->allocation, 1);
        script_make_resident(script, &stream->allocation, 1);
    }
    /* Equal intervals begin anywhere, so that nobody is always the first. */
    if (stream->class->loop == OPEN && stream->class->interval.kind == DISTRIBUTION_FIXED)
        script->clock_ns += (uint64_t)(gsl_rng_uniform(script->random[RANDOM_INTERVAL]) *
                                       (double)stream->class->interval_ns);
    else if (stream->class->loop == OPEN)
        script->clock_ns += pause_ns(stream);
}

static void submit(struct stream *stream)
{
    struct script *script = &stream->script;
    const struct class *class = stream->class;
    uint64_t gpu_ns =
        distribution_whole(&class->gpu, script->random[RANDOM_ENGINE], (double)class->gpu_ns);
    struct trace_names writes = {0};
    if (stream->allocation != 0)
        writes = script_list(script, &stream->allocation, 1);
    struct trace_event *event =
        script_submit(script, stream->context, gpu_ns, (struct trace_names){0}, writes);
    if (class->granule_ns != 0) {
        event->given |= TRACE_GIVEN(TRACE_GRANULE);
        event->granule_ns = class->granule_ns;
    }
    script_signal(script, stream->context, stream->fence, ++stream->packets);
}

static bool act(struct script *script)
{
    struct stream *stream = (struct stream *)script;
    const struct class *class = stream->class;
    if (stream->context == 0) {
        start(stream);
    } else if (stream->packets < class->packets) {
        if (class->loop == CLOSED) {
            if (stream->packets >= class->ahead)
                script_wait(script, 0, stream->fence, stream->packets - class->ahead + 1);
            script->clock_ns += pause_ns(stream);
        }
        submit(stream);
        if (class->loop == OPEN)
            script->clock_ns += pause_ns(stream);
    } else {
        script_wait(script, 0, stream->fence, stream->packets);
        return false;
    }
    return true;
}

static void set_class(struct stage *stage, const struct contexts *contexts,
                      const struct class *class)
{
    for (uint32_t i = 0; i < class->processes; i++) {
        uint32_t pid = stage_process(stage);
        const struct stream *first = NULL;
        for (uint32_t k = 0; k < class->streams; k++) {
            struct stream *stream = stage_script(stage, pid, act, sizeof *stream);
            first = first != NULL ? first : stream;
            stream->contexts = contexts;
            stream->class = class;
            stream->first = first;
        }
    }
}

static void set(struct stage *stage, const void *of)
{
    const struct contexts *contexts = of;
    set_class(stage, contexts, &contexts->normal);
    set_class(stage, contexts, &contexts->urgent);
}

static const char *refuse(const void *of)
{
    const struct contexts *contexts = of;
    const struct class *classes[] = {&contexts->normal, &contexts->urgent};
    if (contexts->normal.processes + contexts->urgent.processes == 0)
        return "expected contexts or urgent-contexts to be at least 1";
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (distribution_wrong(&classes[i]->interval) || distribution_wrong(&classes[i]->gpu))
            return DISTRIBUTION_WRONG;
        if (classes[i]->processes != 0 && classes[i]->loop == OPEN && classes[i]->interval_ns == 0)
            return "an open loop needs an interval";
    }
    return NULL;
}

const struct workload workload_contexts = {
    .name = "contexts",
    .summary = "contexts that share one engine, some of them perhaps more urgent",
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .size = sizeof(struct contexts),
    .refuse = refuse,
    .set = set,
};
