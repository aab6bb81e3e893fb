/* Joining: which call queued which work, and how long the engines took for it. */
#include "traces/activity/internal.h"

#include <stdlib.h>

/* Walks the launches and their work, which stand together, and leaves the work with when it was
 * called for. */
static bool join_launches(struct activities *activities)
{
    struct trace_sorter *sorter = activities->launches;
    struct activity launch = {0};
    bool told = false; /* the launch's duration stands on the first of its works */
    const struct activity *next;
    if (!trace_sorter_start(sorter))
        return activity_take_failure(activities, sorter);
    while ((next = trace_sorter_next(sorter)) != NULL) {
        if (next->kind == ACTIVITY_LAUNCH) {
            launch = *next;
            told = false;
            continue;
        }
        struct activity work = *next;
        work.called_ns = work.start_ns;
        if (launch.correlation == work.correlation) {
            work.called_ns = launch.start_ns;
            work.call_dur_ns = told ? 0 : launch.dur_ns;
            work.pid = launch.pid;
            work.tid = launch.tid;
            told = true;
        } else {
            work.unlaunched = true;
            activities->tally.unlaunched++;
        }
        work.order = (struct trace_sorted){trace_sorted_key(work.start_ns), work.origin};
        if (!trace_sorter_put(activities->work, &work))
            return activity_take_failure(activities, activities->work);
    }
    if (trace_sorter_failure(sorter) != NULL)
        return activity_take_failure(activities, sorter);
    trace_sorter_free(sorter);
    activities->launches = NULL;
    return true;
}

/* A stream does one thing after the other, in the order they were asked for. So what ran before
 * something whose call is known was asked for before that call, too: the earliest such call of each
 * stream, as the work is walked from the last to the first. */
static bool order_unlaunched(struct activities *activities, struct trace_sorter *backwards,
                             struct trace_map *streams)
{
    const struct activity *next;
    if (!trace_sorter_start(backwards))
        return activity_take_failure(activities, backwards);
    while ((next = trace_sorter_next(backwards)) != NULL) {
        struct activity work = *next;
        uint64_t owner = (uint64_t)work.pid << 32 | work.device;
        uint64_t number = (uint64_t)work.context << 32 | work.stream;
        int64_t *earliest_ns = trace_map_get(streams, owner, number);
        if (earliest_ns == NULL && !work.unlaunched) {
            earliest_ns = trace_arena_take(&activities->arena, 1, sizeof *earliest_ns);
            if (earliest_ns == NULL || !trace_map_put(streams, owner, number, earliest_ns))
                return activity_fail(activities, "out of memory");
            *earliest_ns = work.called_ns;
        }
        if (work.unlaunched && earliest_ns != NULL && *earliest_ns < work.called_ns)
            work.called_ns = *earliest_ns;
        else if (!work.unlaunched && work.called_ns < *earliest_ns)
            *earliest_ns = work.called_ns;
        work.order.key = ~work.order.key;
        work.order.tie = ~work.order.tie;
        if (!trace_sorter_put(activities->work, &work))
            return activity_take_failure(activities, activities->work);
    }
    return trace_sorter_failure(backwards) == NULL || activity_take_failure(activities, backwards);
}

static bool call_unlaunched(struct activities *activities)
{
    struct trace_sorter *forwards = activities->work;
    struct trace_sorter *backwards = trace_sorter_create(sizeof(struct activity), SORTER_MEMORY);
    struct trace_map streams = {0};
    const struct activity *next;
    bool good = backwards != NULL || activity_fail(activities, "out of memory");
    good = good && (trace_sorter_start(forwards) || activity_take_failure(activities, forwards));
    while (good && (next = trace_sorter_next(forwards)) != NULL) {
        struct activity work = *next;
        if (work.pid == 0)
            work.pid = activities->process;
        work.order.key = ~work.order.key;
        work.order.tie = ~work.order.tie;
        good = trace_sorter_put(backwards, &work) || activity_take_failure(activities, backwards);
    }
    if (good && trace_sorter_failure(forwards) != NULL)
        good = activity_take_failure(activities, forwards);
    trace_sorter_free(forwards);
    activities->work = trace_sorter_create(sizeof(struct activity), SORTER_MEMORY);
    good = good && (activities->work != NULL || activity_fail(activities, "out of memory"));
    good = good && order_unlaunched(activities, backwards, &streams);
    trace_sorter_free(backwards);
    trace_map_free(&streams);
    return good;
}

/* When an engine became free, in the recording. */
struct engine {
    int64_t free_ns;
    bool used;
};

static struct engine *engine_of(struct activities *activities, struct trace_map *engines,
                                const struct activity *work)
{
    uint64_t number = (uint64_t)activity_engine(work);
    struct engine *engine = trace_map_get(engines, work->device, number);
    if (engine != NULL)
        return engine;
    engine = trace_arena_take(&activities->arena, 1, sizeof *engine);
    if (engine == NULL || !trace_map_put(engines, work->device, number, engine))
        return NULL;
    return engine;
}

/* Puts work, which comes in the order it started in, on the timeline at the time of its call. An
 * engine of the model does one thing at a time: what ran beside something else is counted from when
 * that had ended, as for packets of a Windows recording. A copy is seen a second time, when it
 * began. */
static bool time_work(struct activities *activities, struct trace_map *engines)
{
    struct trace_sorter *sorter = activities->work;
    const struct activity *next;
    uint64_t rank = 0;
    if (!trace_sorter_start(sorter))
        return activity_take_failure(activities, sorter);
    while ((next = trace_sorter_next(sorter)) != NULL) {
        struct activity work = *next;
        struct engine *engine = engine_of(activities, engines, &work);
        if (engine == NULL)
            return activity_fail(activities, "out of memory");
        int64_t end_ns = work.start_ns + (int64_t)work.dur_ns;
        int64_t from_ns =
            engine->used && engine->free_ns > work.start_ns ? engine->free_ns : work.start_ns;
        work.gpu_ns = end_ns > from_ns ? (uint64_t)(end_ns - from_ns) : 0;
        if (!engine->used || end_ns > engine->free_ns)
            *engine = (struct engine){.free_ns = end_ns, .used = true};
        if (work.pid == 0)
            work.pid = activities->process;
        if ((work.kind == ACTIVITY_COPY || work.kind == ACTIVITY_FILL) && work.bytes > 0) {
            work.observed = true; /* in the order of its start, as it comes */
            if (!trace_sorter_put(activities->timeline, &work))
                return activity_take_failure(activities, activities->timeline);
            work.observed = false;
        }
        /* Behind memory that is taken at the same time, in the order it runs in. */
        work.order =
            (struct trace_sorted){trace_sorted_key(work.called_ns), UINT64_C(1) << 63 | rank++};
        if (!trace_sorter_put(activities->timeline, &work))
            return activity_take_failure(activities, activities->timeline);
    }
    if (trace_sorter_failure(sorter) != NULL)
        return activity_take_failure(activities, sorter);
    trace_sorter_free(sorter);
    activities->work = NULL;
    return true;
}

bool activity_join(struct activities *activities)
{
    struct trace_map engines = {0};
    bool good = join_launches(activities) &&
                (activities->tally.unlaunched == 0 || call_unlaunched(activities)) &&
                time_work(activities, &engines);
    trace_map_free(&engines);
    return good;
}
