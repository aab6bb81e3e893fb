/* Jobs whose working sets do not fit together, with a lock or without.
 *
 * A job is a process that runs kernels one after another, each of which works on all of its
 * buffers. Without a lock the kernels of all jobs come to the engine in turn, and at every change
 * one working set must make room for the other. With a lock, a job has the GPU to itself for some
 * kernels and gives it away once they are done: sets are swapped once a quantum, which with O + I
 * bytes a swap costs (O + I) / bandwidth of it (validation.md B12).
 *
 * Calls take no time. The recorded machine has room for everything. */
#include "workloads/script.h"
#include "workloads/workloads.h"

enum residency { HELD, IN_TURN, FAULT };

struct swap {
    char node[PROFILE_NAME_SIZE], segment[PROFILE_NAME_SIZE];
    uint32_t jobs, buffers, ahead;
    uint64_t working_set, kernel_ns, work_ns, quantum_ns;
    enum residency residency;
};

#define ROW(...) WORKLOAD_ROW(swap, __VA_ARGS__)

static const struct key_spec parameters[] = {
    {ROW("jobs", COUNT, jobs, "1..256", "2", "jobs that run at the same time")},
    {ROW("working-set", SIZE, working_set, "4KiB..4TB", "6GiB", "bytes each job works on")},
    {ROW("buffers", COUNT, buffers, "1..4096", "24", "allocations that these bytes lie in")},
    {ROW("kernel-time", TIME, kernel_ns, "1ns..1000s", "10ms", "engine time of a kernel")},
    {ROW("work", TIME, work_ns, "1ns..1000000s", "10s", "engine time of all kernels of a job")},
    {ROW("quantum", TIME, quantum_ns, "0ns..1000000s", "0ns",
         "engine time of the kernels that a job runs each time it has the lock, without what "
         "swapping takes; 0: there is no lock")},
    {ROW("residency", CHOICE, residency, "held, in-turn, fault", "held",
         "held: a job's buffers are resident all the time; in-turn: only while it has the lock; "
         "fault: what a kernel touches comes then")},
    {ROW("ahead", COUNT, ahead, "1..1024", "2", "kernels that may be in a job's queue")},
    WORKLOAD_SEGMENT_ROW(swap, segment, "local", "allocations"),
    {ROW("node", TEXT, node, "a node's name", "compute", "the engine they share")},
};

struct job {
    struct script script;
    const struct swap *swap;
    struct engine *engine;
    uint64_t lock; /* the fence: reaches k when the lock has been given away k times */
    uint32_t index;
    uint64_t context, fence, *buffers;
    uint64_t kernels, run;   /* in all, and so far */
    uint64_t quantum, turns; /* kernels at a time; times it had the lock */
    bool has_lock;
    uint64_t *done; /* by kernel modulo ahead */
};

static void start(struct job *job)
{
    struct script *script = &job->script;
    const struct swap *swap = job->swap;
    script_create_device(script);
    job->context = script_create_context(script, swap->node, 0);
    job->fence = ++script->stage->fences;
    script_create(script, "buffer", swap->working_set / swap->buffers, job->buffers, swap->buffers);
    if (swap->residency == HELD)
        script_make_resident(script, job->buffers, swap->buffers);
}

static void wait_for(struct job *job, uint64_t kernel)
{
    script_wait_until(&job->script, job->fence, kernel, job->done[(kernel - 1) % job->swap->ahead]);
}

static void run_kernel(struct job *job)
{
    struct script *script = &job->script;
    const struct swap *swap = job->swap;
    job->done[job->run++ % swap->ahead] =
        engine_run(job->engine, script->clock_ns, swap->kernel_ns);
    script_submit(script, job->context, swap->kernel_ns, (struct trace_names){0},
                  script_list(script, job->buffers, swap->buffers));
    script_signal(script, job->context, job->fence, job->run);
}

/* The jobs take the lock one after the other: it is this one's turn when all before have had it,
 * and it takes it the instant after. */
static void take_lock(struct job *job)
{
    const struct swap *swap = job->swap;
    uint64_t before = job->turns++ * swap->jobs + job->index;
    script_wait_until(&job->script, job->lock, before,
                      before * (job->quantum * swap->kernel_ns + 1));
    job->has_lock = true;
    if (swap->residency == IN_TURN)
        script_make_resident(&job->script, job->buffers, swap->buffers);
}

static void give_lock(struct job *job)
{
    const struct swap *swap = job->swap;
    wait_for(job, job->run);
    if (swap->residency == IN_TURN)
        script_evict(&job->script, job->buffers, swap->buffers, SCRIPT_EVICT_NOW);
    script_signal(&job->script, 0, job->lock, (job->turns - 1) * swap->jobs + job->index + 1);
    job->has_lock = false;
}

static bool act(struct script *script)
{
    struct job *job = (struct job *)script;
    if (job->context == 0) {
        start(job);
    } else if (job->run == job->kernels) {
        script_exit(script);
        return false;
    } else if (job->quantum != 0 && !job->has_lock) {
        take_lock(job);
    } else {
        run_kernel(job);
        bool last = job->run == job->kernels;
        if (job->quantum != 0 && (last || job->run % job->quantum == 0))
            give_lock(job);
        else if (last || job->run >= job->swap->ahead)
            wait_for(job, last ? job->run : job->run - job->swap->ahead + 1);
    }
    return true;
}

static uint64_t in_kernels(const struct swap *swap, uint64_t time_ns)
{
    uint64_t kernels = time_ns / swap->kernel_ns;
    return kernels != 0 ? kernels : 1;
}

static void set(struct stage *stage, const void *of)
{
    const struct swap *swap = of;
    struct engine *engine = stage_memory(stage, 1, sizeof *engine);
    uint64_t lock = ++stage->fences;
    if (swap->residency == FAULT)
        stage->residency = TRACE_RESIDENCY_FAULT;
    for (uint32_t i = 0; i < swap->jobs; i++) {
        struct job *job = stage_script(stage, stage_process(stage), act, sizeof *job);
        job->swap = swap;
        job->script.segment = workload_segment(swap->segment);
        job->engine = engine;
        job->lock = lock;
        job->index = i;
        job->kernels = in_kernels(swap, swap->work_ns);
        job->quantum = swap->quantum_ns != 0 ? in_kernels(swap, swap->quantum_ns) : 0;
        job->buffers = stage_memory(stage, swap->buffers, sizeof *job->buffers);
        job->done = stage_memory(stage, swap->ahead, sizeof *job->done);
    }
}

static const char *refuse(const void *of)
{
    const struct swap *swap = of;
    if (swap->working_set / swap->buffers < 4096)
        return "a buffer has less than 4 KiB: expected a larger working-set or fewer buffers";
    if (swap->residency == IN_TURN && swap->quantum_ns == 0)
        return "residency in-turn follows the lock: expected a quantum";
    return NULL;
}

const struct workload workload_swap = {
    .name = "swap",
    .summary = "jobs whose working sets do not fit together, with a lock or without",
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .size = sizeof(struct swap),
    .refuse = refuse,
    .set = set,
};
