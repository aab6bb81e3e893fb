/* A job is known by up to three names: context and number of its fence, the fence's address, its
 * number on its ring. Tracepoints tell different ones, so each job is found by any it has. */
#include "traces/linux/jobs.h"

#include "traces/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { MOST_UNDER_WAY = 1 << 16 }; /* recorded machines have tens; what never ends is given up */

struct job {
    struct job *prev, *next; /* by age */
    struct trace_sorted order;
    uint64_t origin;
    uint64_t fence_context, seqno, fence, id;
    uint64_t run_ns, gpu_ns;
    uint64_t on_context, on_seqno; /* waited for last */
    uint32_t thread, context;
    uint16_t ring;
    uint8_t tracepoint; /* that made it known */
    uint8_t waits;      /* before it */
    bool by_fence, by_address, by_id;
    bool seen;    /* its submission is recorded */
    bool begun;   /* it was handed to the engine */
    bool running; /* and is there */
    bool signals;
};

/* A thread in a wait. */
struct waiting {
    struct trace_sorted order;
    uint64_t origin, context, seqno, value;
    uint32_t fence;
    bool open;
};

struct linux_jobs {
    struct linux_import *import;
    struct job *under_way, *spare;
    size_t count;
    struct trace_map by_fence, by_address, by_id;
    struct trace_map contexts; /* (kind and number, ring): index + 1 */
    struct trace_map engines;  /* ring: index + 1 */
    struct trace_map queues;   /* of xe, (device, number): ring */
    struct trace_map threads;  /* waiting */
    struct trace_arena arena;
    bool queues_are_rings; /* xe: each execution queue has a scheduler of its own */
    bool scheduler_tells;  /* the DRM scheduler's tracepoints are there */
};

static bool is_on(const struct linux_import *import, const char *name)
{
    int tracepoint = linux_lookup(&import->lookup, name, strlen(name));
    return import->tally.tracepoints[tracepoint] > 0;
}

struct linux_jobs *linux_jobs_create(struct linux_import *import)
{
    static const char *const xe[] = {"xe_exec_queue_create", "xe_sched_job_exec",
                                     "xe_sched_job_run", "xe_hw_fence_signal", "xe_bo_move"};
    struct linux_jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs == NULL) {
        linux_fail(import, "out of memory");
        return NULL;
    }
    jobs->import = import;
    for (size_t i = 0; i < sizeof xe / sizeof xe[0]; i++)
        jobs->queues_are_rings = jobs->queues_are_rings || is_on(import, xe[i]);
    jobs->scheduler_tells = is_on(import, "drm_sched_job") || is_on(import, "drm_sched_job_queue");
    return jobs;
}

void linux_jobs_free(struct linux_jobs *jobs)
{
    if (jobs == NULL)
        return;
    struct job *job, *next;
    DL_FOREACH_SAFE (jobs->under_way, job, next)
        free(job);
    LL_FOREACH_SAFE (jobs->spare, job, next)
        free(job);
    trace_map_free(&jobs->by_fence);
    trace_map_free(&jobs->by_address);
    trace_map_free(&jobs->by_id);
    trace_map_free(&jobs->contexts);
    trace_map_free(&jobs->engines);
    trace_map_free(&jobs->queues);
    trace_map_free(&jobs->threads);
    trace_arena_free(&jobs->arena);
    free(jobs);
}

static void put(struct linux_jobs *jobs, struct trace_map *map, uint64_t a, uint64_t b, void *value)
{
    if (!trace_map_put(map, a, b, value))
        linux_fail(jobs->import, "out of memory");
}

static void *as_pointer(size_t number)
{
    return (void *)(uintptr_t)number;
}

/* Engines and contexts. */

static uint32_t engine_of(struct linux_jobs *jobs, uint16_t ring)
{
    struct linux_import *import = jobs->import;
    const char *name = ring != 0 ? linux_text_of(import, ring) : "unknown";
    size_t known = (size_t)(uintptr_t)trace_map_get(&jobs->engines, ring, 0);
    if (known != 0)
        return (uint32_t)(known - 1);
    size_t length = strlen(name);
    if (jobs->queues_are_rings) /* "rcs12": the twelfth queue for an engine of that class */
        while (length > 1 && name[length - 1] >= '0' && name[length - 1] <= '9')
            length--;
    size_t index = 0;
    while (index < import->engine_count && (strncmp(import->engines[index].name, name, length) ||
                                            import->engines[index].name[length] != '\0'))
        index++;
    if (index == import->engine_count) {
        struct linux_engine *grown =
            trace_array_grow(import->engines, &import->engine_room, index + 1, sizeof *grown);
        char *copy = trace_arena_take(&import->arena, length + 1, 1);
        if (grown != NULL)
            import->engines = grown;
        if (grown == NULL || copy == NULL) {
            linux_fail(import, "out of memory");
            return UINT32_MAX;
        }
        memcpy(copy, name, length);
        grown[index] = (struct linux_engine){.name = copy};
        import->engine_count++;
    }
    put(jobs, &jobs->engines, ring, 0, as_pointer(index + 1));
    return (uint32_t)index;
}

static bool name_context(struct linux_import *import, struct linux_context *context,
                         const char *ring, const struct linux_record *record)
{
    enum { ROOM = 112 };
    char *name = trace_arena_take(&import->arena, 2, ROOM);
    if (name == NULL)
        return linux_fail(import, "out of memory");
    if (linux_has(record, LINUX_CONTEXT))
        snprintf(name, ROOM, "%s %" PRIu64, ring, record->values[LINUX_CONTEXT]);
    else if (linux_has(record, LINUX_ENTITY))
        snprintf(name, ROOM, "%s 0x%" PRIx64, ring, record->values[LINUX_ENTITY]);
    else
        snprintf(name, ROOM, "%s", ring);
    context->name = name;
    context->fence = name + ROOM;
    snprintf(name + ROOM, ROOM, "%.90s jobs", name);
    return true;
}

/* The context of a submission or of what the engine is handed. UINT32_MAX: failed. */
static uint32_t context_of(struct linux_jobs *jobs, const struct linux_record *record,
                           uint16_t ring)
{
    static const uint64_t BY_CONTEXT = UINT64_C(1) << 62, BY_ENTITY = UINT64_C(2) << 62;
    struct linux_import *import = jobs->import;
    uint64_t key = linux_has(record, LINUX_CONTEXT) ? record->values[LINUX_CONTEXT] ^ BY_CONTEXT
                                                    : record->values[LINUX_ENTITY] ^ BY_ENTITY;
    uint64_t where = ring | (uint64_t)record->values[LINUX_DEVICE] << 16;
    size_t known = (size_t)(uintptr_t)trace_map_get(&jobs->contexts, key, where);
    if (known != 0)
        return (uint32_t)(known - 1);
    uint32_t engine = engine_of(jobs, ring);
    struct linux_context *grown = trace_array_grow(import->contexts, &import->context_room,
                                                   import->context_count + 1, sizeof *grown);
    if (grown != NULL)
        import->contexts = grown;
    if (grown == NULL || engine == UINT32_MAX) {
        linux_fail(import, "out of memory");
        return UINT32_MAX;
    }
    size_t index = import->context_count;
    grown[index] = (struct linux_context){.engine = engine};
    if (!name_context(import, &grown[index], import->engines[engine].name, record))
        return UINT32_MAX;
    import->context_count++;
    put(jobs, &jobs->contexts, key, where, as_pointer(index + 1));
    return (uint32_t)index;
}

/* The first submission tells whose context it is; until then it is the kernel's own. */
static void own_context(struct linux_jobs *jobs, uint32_t index, const struct linux_record *record,
                        bool submits)
{
    struct linux_import *import = jobs->import;
    struct linux_context *context = &import->contexts[index];
    if (context->met)
        return;
    context->met = submits;
    context->device = linux_device_of(import, submits ? linux_process_of(record) : 0,
                                      (uint16_t)record->values[LINUX_DEVICE]);
    import->tally.threads_for_processes += submits && record->process == 0;
}

/* Finding jobs. */

static uint64_t low(uint64_t number)
{
    return number & UINT32_MAX; /* some tracepoints tell no more of it */
}

static struct job *by_fence(const struct linux_jobs *jobs, uint64_t context, uint64_t seqno)
{
    return trace_map_get(&jobs->by_fence, low(context), low(seqno));
}

static struct job *find_job(const struct linux_jobs *jobs, const struct linux_record *record)
{
    const uint64_t *values = record->values;
    struct job *job = NULL;
    if (linux_has(record, LINUX_CONTEXT) && linux_has(record, LINUX_SEQNO))
        job = by_fence(jobs, values[LINUX_CONTEXT], values[LINUX_SEQNO]);
    if (job == NULL && linux_has(record, LINUX_FENCE))
        job = trace_map_get(&jobs->by_address, values[LINUX_FENCE], 0);
    if (job == NULL && linux_has(record, LINUX_ID) && linux_has(record, LINUX_RING))
        job = trace_map_get(&jobs->by_id, values[LINUX_RING], values[LINUX_ID]);
    return job;
}

/* Adds the names that the record tells. */
static void name_job(struct linux_jobs *jobs, struct job *job, const struct linux_record *record)
{
    const uint64_t *values = record->values;
    if (!job->by_fence && linux_has(record, LINUX_CONTEXT) && linux_has(record, LINUX_SEQNO)) {
        job->by_fence = true;
        job->fence_context = low(values[LINUX_CONTEXT]);
        job->seqno = low(values[LINUX_SEQNO]);
        put(jobs, &jobs->by_fence, job->fence_context, job->seqno, job);
    }
    if (!job->by_address && linux_has(record, LINUX_FENCE)) {
        job->by_address = true;
        job->fence = values[LINUX_FENCE];
        put(jobs, &jobs->by_address, job->fence, 0, job);
    }
    if (!job->by_id && linux_has(record, LINUX_ID) && linux_has(record, LINUX_RING)) {
        job->by_id = true;
        job->ring = (uint16_t)values[LINUX_RING];
        job->id = values[LINUX_ID];
        put(jobs, &jobs->by_id, job->ring, job->id, job);
    }
}

/* Takes the names away from a job, unless a younger one has them by now. */
static void forget_names(struct linux_jobs *jobs, const struct job *job)
{
    if (job->by_fence && trace_map_get(&jobs->by_fence, job->fence_context, job->seqno) == job)
        put(jobs, &jobs->by_fence, job->fence_context, job->seqno, NULL);
    if (job->by_address && trace_map_get(&jobs->by_address, job->fence, 0) == job)
        put(jobs, &jobs->by_address, job->fence, 0, NULL);
    if (job->by_id && trace_map_get(&jobs->by_id, job->ring, job->id) == job)
        put(jobs, &jobs->by_id, job->ring, job->id, NULL);
}

/* Telling what became of them. */

static void tell(struct linux_jobs *jobs, const struct linux_job *told)
{
    if (!trace_sorter_put(jobs->import->jobs, told))
        linux_take_failure(jobs->import, jobs->import->jobs);
}

static void sample(struct linux_jobs *jobs, struct trace_sorter *sorter, uint64_t ns)
{
    const struct trace_sorted sample = {.key = ns};
    if (!trace_sorter_put(sorter, &sample))
        linux_take_failure(jobs->import, sorter);
}

/* The job goes, done at that time or, with 0, in a way that is not recorded. */
static void retire(struct linux_jobs *jobs, struct job *job, uint64_t done_ns)
{
    struct linux_import *import = jobs->import;
    struct linux_job told = {
        .order = job->order,
        .origin = job->origin,
        .gpu_ns = job->gpu_ns,
        .done_ns = done_ns,
        .value = job->seqno,
        .thread = job->thread,
        .context = job->context,
        .fence = job->context,
        .kind = LINUX_JOB,
        .signals = job->signals,
    };
    told.order.tie += LINUX_PLACES - 1;
    tell(jobs, &told);
    import->tally.jobs_without_end += done_ns == 0;
    import->tally.jobs_done += done_ns != 0;
    forget_names(jobs, job);
    DL_DELETE(jobs->under_way, job);
    LL_PREPEND(jobs->spare, job);
    jobs->count--;
}

static struct job *make_job(struct linux_jobs *jobs, const struct linux_record *record,
                            uint16_t ring, bool submits)
{
    struct linux_import *import = jobs->import;
    uint32_t context = context_of(jobs, record, ring);
    if (context == UINT32_MAX)
        return NULL;
    own_context(jobs, context, record, submits);
    if (jobs->count == MOST_UNDER_WAY) {
        import->tally.given_up++;
        retire(jobs, jobs->under_way, 0);
    }
    struct job *job = jobs->spare;
    if (job != NULL)
        LL_DELETE(jobs->spare, job);
    else
        job = malloc(sizeof *job);
    if (job == NULL || import->failure != NULL) {
        free(job);
        linux_fail(import, "out of memory");
        return NULL;
    }
    *job = (struct job){
        .order = record->order,
        .origin = record->origin,
        .thread = submits ? record->thread : 0,
        .context = context,
        .ring = ring,
        .tracepoint = record->tracepoint,
        .seen = submits,
    };
    DL_APPEND(jobs->under_way, job);
    jobs->count++;
    name_job(jobs, job, record);
    return job;
}

/* The ring that a record names, or of xe's jobs, that its queue was made for. */
static uint16_t ring_of(const struct linux_jobs *jobs, const struct linux_record *record)
{
    if (linux_has(record, LINUX_RING))
        return (uint16_t)record->values[LINUX_RING];
    return (uint16_t)(uintptr_t)trace_map_get(&jobs->queues, record->values[LINUX_DEVICE],
                                              record->values[LINUX_ENTITY]);
}

/* xe's own tracepoints of jobs and the scheduler's are about the same jobs and have no name in
 * common: where both are recorded, the scheduler's count. */
static bool told_twice(const struct linux_jobs *jobs, const struct linux_record *record)
{
    return jobs->scheduler_tells && !linux_has(record, LINUX_RING) &&
           (record->kind == LINUX_SUBMIT || record->kind == LINUX_RUN);
}

static void submit(struct linux_jobs *jobs, const struct linux_record *record)
{
    struct job *job = find_job(jobs, record);
    if (job != NULL && job->tracepoint != record->tracepoint) {
        name_job(jobs, job, record); /* the same, told by another driver layer */
        return;
    }
    if (job != NULL)
        retire(jobs, job, 0); /* its name is used again, and its end was not recorded */
    if (make_job(jobs, record, ring_of(jobs, record), true) != NULL)
        jobs->import->tally.submissions++;
}

static void run(struct linux_jobs *jobs, const struct linux_record *record)
{
    struct job *job = find_job(jobs, record);
    if (job != NULL && job->running && job->tracepoint == record->tracepoint) {
        retire(jobs, job, 0); /* as above */
        job = NULL;
    }
    if (job == NULL) {
        job = make_job(jobs, record, ring_of(jobs, record), false);
        if (job == NULL)
            return;
        jobs->import->tally.jobs_unseen++;
    }
    name_job(jobs, job, record);
    if (job->running)
        return;
    if (!job->begun && job->seen)
        sample(jobs, jobs->import->queued, record->order.key - job->order.key);
    job->begun = job->running = true;
    job->run_ns = record->order.key;
}

/* Engine time up to now: an engine does one job after the other, and the next one may be handed
 * over before. Where the hand-over is not recorded, the submission stands for it. */
static void count_engine_time(struct linux_jobs *jobs, struct job *job, uint64_t now_ns)
{
    struct linux_import *import = jobs->import;
    struct linux_engine *engine = &import->engines[import->contexts[job->context].engine];
    uint64_t from_ns = job->begun ? job->run_ns : job->order.key;
    if (from_ns < engine->free_ns)
        from_ns = engine->free_ns;
    if (now_ns > from_ns)
        job->gpu_ns += now_ns - from_ns;
    engine->free_ns = now_ns;
}

static void finish(struct linux_jobs *jobs, const struct linux_record *record)
{
    struct linux_import *import = jobs->import;
    struct job *job = find_job(jobs, record);
    if (job == NULL) {
        import->tally.ends_unknown++;
        return;
    }
    if (record->kind == LINUX_OFF && linux_has(record, LINUX_COMPLETED) &&
        record->values[LINUX_COMPLETED] == 0) {
        import->tally.preemptions++;
        if (job->running)
            count_engine_time(jobs, job, record->order.key);
        job->running = false;
        return;
    }
    if (job->running || !job->begun)
        count_engine_time(jobs, job, record->order.key);
    import->tally.jobs_without_begin += !job->begun;
    if (job->seen)
        sample(jobs, import->to_done, record->order.key - job->order.key);
    sample(jobs, import->on_engine, job->gpu_ns);
    retire(jobs, job, record->order.key);
}

/* Waiting. */

static void depend(struct linux_jobs *jobs, const struct linux_record *record)
{
    struct linux_import *import = jobs->import;
    struct job *job = find_job(jobs, record);
    struct job *on =
        by_fence(jobs, record->values[LINUX_ON_CONTEXT], record->values[LINUX_ON_SEQNO]);
    if (job == NULL) {
        import->tally.dependencies_unknown++;
        return;
    }
    if (on == NULL) {
        import->tally.dependencies_met++;
        return;
    }
    if (on->context == job->context ||
        (job->on_context == on->fence_context && job->on_seqno == on->seqno && job->waits > 0))
        return; /* one queue, or told before */
    import->tally.dependencies++;
    job->on_context = on->fence_context;
    job->on_seqno = on->seqno;
    on->signals = true;
    struct linux_job told = {
        .order = job->order,
        .origin = record->origin,
        .value = on->seqno,
        .thread = job->thread,
        .context = job->context,
        .fence = on->context,
        .kind = LINUX_ENGINE_WAIT,
    };
    if (job->waits < LINUX_PLACES - 2)
        job->waits++;
    told.order.tie += job->waits;
    tell(jobs, &told);
}

static void begin_wait(struct linux_jobs *jobs, const struct linux_record *record)
{
    struct linux_import *import = jobs->import;
    struct job *on = find_job(jobs, record);
    if (on == NULL) {
        import->tally.waits_met++;
        return;
    }
    struct waiting *waiting = trace_map_get(&jobs->threads, record->thread, 0);
    if (waiting == NULL) {
        waiting = trace_arena_take(&jobs->arena, 1, sizeof *waiting);
        if (waiting == NULL) {
            linux_fail(import, "out of memory");
            return;
        }
        put(jobs, &jobs->threads, record->thread, 0, waiting);
    }
    import->tally.waits_without_end += waiting->open;
    *waiting = (struct waiting){
        .order = record->order,
        .origin = record->origin,
        .context = on->fence_context,
        .seqno = on->seqno,
        .value = on->seqno,
        .fence = on->context,
        .open = true,
    };
    on->signals = true;
}

static void end_wait(struct linux_jobs *jobs, const struct linux_record *record)
{
    struct waiting *waiting = trace_map_get(&jobs->threads, record->thread, 0);
    if (waiting == NULL || !waiting->open ||
        waiting->context != low(record->values[LINUX_CONTEXT]) ||
        waiting->seqno != low(record->values[LINUX_SEQNO]))
        return;
    waiting->open = false;
    jobs->import->tally.waits++;
    struct linux_job told = {
        .order = waiting->order,
        .origin = waiting->origin,
        .value = waiting->value,
        .dur_ns = record->order.key - waiting->order.key,
        .thread = record->thread,
        .process = linux_process_of(record),
        .fence = waiting->fence,
        .kind = LINUX_THREAD_WAIT,
    };
    tell(jobs, &told);
}

/* Which kind of engine a queue of xe is for: the ring's name says the same as the scheduler's. */
static void make_queue(struct linux_jobs *jobs, const struct linux_record *record)
{
    static const char *const classes[] = {"rcs", "vcs", "vecs", "bcs", "other", "ccs"};
    uint64_t class = record->values[LINUX_CLASS];
    if (class >= sizeof classes / sizeof classes[0])
        return;
    uint16_t ring = linux_text(jobs->import, classes[class], strlen(classes[class]));
    put(jobs, &jobs->queues, record->values[LINUX_DEVICE], record->values[LINUX_ENTITY],
        as_pointer(ring));
}

void linux_jobs_take(struct linux_jobs *jobs, const struct linux_record *record)
{
    if (told_twice(jobs, record))
        return;
    switch (record->kind) {
    case LINUX_SUBMIT:
        submit(jobs, record);
        break;
    case LINUX_RUN:
        run(jobs, record);
        break;
    case LINUX_OFF:
    case LINUX_DONE:
    case LINUX_SIGNALLED:
        finish(jobs, record);
        break;
    case LINUX_DEPENDS:
        depend(jobs, record);
        break;
    case LINUX_WAIT_BEGIN:
        begin_wait(jobs, record);
        break;
    case LINUX_WAIT_END:
        end_wait(jobs, record);
        break;
    case LINUX_QUEUE:
        make_queue(jobs, record);
        break;
    default:
        break;
    }
}

void linux_jobs_end(struct linux_jobs *jobs)
{
    while (jobs->under_way != NULL && jobs->import->failure == NULL)
        retire(jobs, jobs->under_way, 0);
}
