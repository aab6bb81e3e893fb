/* One walk along the timeline before events are made of it: which devices and streams there are,
 * what was allocated before the first event, and how much there is of everything. */
#include "traces/activity/internal.h"

#include "traces/buffer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *format(struct activities *activities, const char *text, ...)
    __attribute__((format(printf, 2, 3)));

/* A text in the arena; NULL: out of memory. */
static const char *format(struct activities *activities, const char *text, ...)
{
    enum { ROOM = 96 };
    char *name = trace_arena_take(&activities->arena, ROOM, 1);
    if (name == NULL)
        return NULL;
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(name, ROOM, text, arguments);
    va_end(arguments);
    return name;
}

struct activity_device *activity_device(struct activities *activities, uint32_t pid,
                                        uint32_t number)
{
    struct activity_device *device = trace_map_get(&activities->devices, pid, number);
    if (device != NULL)
        return device;
    device = trace_arena_take(&activities->arena, 1, sizeof *device);
    if (device == NULL || !trace_map_put(&activities->devices, pid, number, device))
        return NULL;
    device->pid = pid;
    device->device = number;
    if (activities->first_device != NULL && activities->first_device->pid != pid)
        activities->several_processes = true;
    *activities->last_device = device;
    activities->last_device = &device->next;
    return device;
}

static uint64_t owner_key(const struct activity *of)
{
    return (uint64_t)of->pid << 32 | of->device;
}

static uint64_t stream_key(const struct activity *of)
{
    return (uint64_t)of->context << 32 | of->stream;
}

struct activity_stream *activity_stream(struct activities *activities, const struct activity *of)
{
    return trace_map_get(&activities->streams, owner_key(of), stream_key(of));
}

static struct activity_stream *meet_stream(struct activities *activities, const struct activity *of)
{
    struct activity_stream *stream = activity_stream(activities, of);
    if (stream != NULL)
        return stream;
    stream = trace_arena_take(&activities->arena, 1, sizeof *stream);
    struct activity_device *device = activity_device(activities, of->pid, of->device);
    if (stream == NULL || device == NULL ||
        !trace_map_put(&activities->streams, owner_key(of), stream_key(of), stream))
        return NULL;
    stream->device = device;
    stream->context = of->context;
    stream->stream = of->stream;
    *activities->last_stream = stream;
    activities->last_stream = &stream->next;
    return stream;
}

/* Memory. */

bool activity_live(const struct trace_map *live, uint32_t pid, uint64_t address, uint64_t *bytes)
{
    void *value = trace_map_get(live, pid, address);
    *bytes = (uint64_t)(uintptr_t)value - (value != NULL);
    return value != NULL;
}

bool activity_set_live(struct activities *activities, struct trace_map *live, uint32_t pid,
                       uint64_t address, uint64_t bytes_and_1)
{
    static_assert(sizeof(uintptr_t) >= sizeof(uint64_t), "sizes are kept in pointers");
    return trace_map_put(live, pid, address, (void *)(uintptr_t)bytes_and_1) ||
           activity_fail(activities, "out of memory");
}

/* Notes that the memory was there before the first event. */
static bool hold(struct activities *activities, const struct activity *memory)
{
    if (memory->bytes == 0 ||
        trace_map_get(&activities->held_addresses, memory->pid, memory->address) != NULL)
        return true;
    struct activity_held *grown = trace_array_grow(activities->held, &activities->held_room,
                                                   activities->held_count + 1, sizeof *grown);
    if (grown == NULL)
        return activity_fail(activities, "out of memory");
    activities->held = grown;
    grown[activities->held_count++] =
        (struct activity_held){memory->pid, memory->device, memory->address, memory->bytes};
    activities->tally.held_bytes += memory->bytes;
    return activity_device(activities, memory->pid, memory->device) != NULL &&
                   trace_map_put(&activities->held_addresses, memory->pid, memory->address,
                                 activities)
               ? true
               : activity_fail(activities, "out of memory");
}

static void shrink(struct activity_tally *tally, uint64_t bytes)
{
    tally->alive--;
    tally->alive_bytes -= bytes;
}

static bool learn_memory(struct activities *activities, struct trace_map *live,
                         const struct activity *memory)
{
    struct activity_tally *tally = &activities->tally;
    uint64_t bytes;
    bool alive = activity_live(live, memory->pid, memory->address, &bytes);
    switch (memory->kind) {
    case ACTIVITY_ALLOCATE:
        if (alive) {
            tally->replaced++;
            shrink(tally, bytes);
        }
        tally->bytes_allocated += memory->bytes;
        tally->alive++;
        tally->alive_bytes += memory->bytes;
        if (tally->alive_bytes > tally->most_bytes)
            tally->most_bytes = tally->alive_bytes;
        return activity_device(activities, memory->pid, memory->device) != NULL
                   ? activity_set_live(activities, live, memory->pid, memory->address,
                                       memory->bytes + 1)
                   : activity_fail(activities, "out of memory");
    case ACTIVITY_FREE:
        if (alive) {
            shrink(tally, bytes);
            return activity_set_live(activities, live, memory->pid, memory->address, 0);
        }
        tally->frees_unknown++;
        return hold(activities, memory);
    default: /* held at the end, and nothing was told of it: since before the first event */
        return alive || hold(activities, memory);
    }
}

/* Work. */

static void tally_work(struct activity_tally *tally, const struct activity *work)
{
    if (work->observed)
        return;
    tally->work_ns += work->dur_ns;
    tally->gpu_ns += work->gpu_ns;
    if (work->kind == ACTIVITY_FILL)
        tally->fill_bytes += work->bytes;
    if (work->kind != ACTIVITY_COPY)
        return;
    tally->copies[work->from][work->to]++;
    tally->copy_bytes[work->from][work->to] += work->bytes;
    tally->copy_ns[work->from][work->to] += work->dur_ns;
}

static bool learn_work(struct activities *activities, const struct activity *work)
{
    struct activity_stream *stream = meet_stream(activities, work);
    if (stream == NULL)
        return activity_fail(activities, "out of memory");
    enum activity_engine engine = activity_engine(work);
    stream->packets = work->kind == ACTIVITY_PACKET;
    stream->names[engine] = ""; /* needed; named when all are known */
    if (!work->observed) {
        activities->tally.order_fences += stream->ran && stream->last != engine;
        stream->ran = true;
        stream->last = engine;
    }
    tally_work(&activities->tally, work);
    return true;
}

static bool learn_activity(struct activities *activities, struct trace_map *live,
                           const struct activity *activity)
{
    activities->tally.count[activity->kind] += !activity->observed;
    switch (activity->kind) {
    case ACTIVITY_KERNEL:
    case ACTIVITY_FILL:
    case ACTIVITY_COPY:
    case ACTIVITY_PACKET:
        return learn_work(activities, activity);
    case ACTIVITY_ALLOCATE:
    case ACTIVITY_FREE:
    case ACTIVITY_HELD:
        return learn_memory(activities, live, activity);
    case ACTIVITY_MIGRATION: {
        bool out = activity->from == MEMORY_DEVICE;
        activities->tally.migrations[activity->cause][out]++;
        activities->tally.migration_bytes[activity->cause][out] += activity->bytes;
        return true;
    }
    default:
        return true;
    }
}

/* Names, now that it is known what there is. */

static bool name_device(struct activities *activities, struct activity_device *device)
{
    device->name =
        activities->several_processes
            ? format(activities, "pid %" PRIu32 " gpu %" PRIu32, device->pid, device->device)
            : format(activities, "gpu %" PRIu32, device->device);
    return device->name != NULL;
}

static bool name_stream(struct activities *activities, struct activity_stream *stream)
{
    static const char *const suffixes[ENGINES] = {
        [ENGINE_COPY_IN] = " copies in",
        [ENGINE_COPY_OUT] = " copies out",
    };
    char base[64], context[32] = "";
    if (stream->context > 1)
        snprintf(context, sizeof context, " context %" PRIu32, stream->context);
    if (stream->packets)
        snprintf(base, sizeof base, "0x%" PRIx64, (uint64_t)stream->context << 32 | stream->stream);
    else
        snprintf(base, sizeof base, "%s%s stream %" PRIu32, stream->device->name, context,
                 stream->stream);
    bool good = true;
    for (int engine = 0; engine < ENGINES; engine++) {
        if (stream->names[engine] == NULL)
            continue;
        const char *suffix = suffixes[engine] != NULL ? suffixes[engine] : "";
        stream->names[engine] = format(activities, "%s%s", base, suffix);
        good = good && stream->names[engine] != NULL;
    }
    stream->ran = false;
    stream->fence = format(activities, "%s order", base);
    return good && stream->fence != NULL;
}

/* What an account says was held before, less what is known by address. */
static bool learn_background(struct activities *activities, const struct activity_account *account)
{
    uint64_t bytes = account->bytes;
    for (size_t i = 0; i < activities->held_count; i++)
        if (activities->held[i].device == account->device)
            bytes -= activities->held[i].bytes < bytes ? activities->held[i].bytes : bytes;
    if (bytes == 0)
        return true;
    struct activity_device *device =
        activity_device(activities, activities->process, account->device);
    if (device == NULL)
        return false;
    device->background = bytes;
    device->background_name = format(activities, "held before on gpu %" PRIu32, device->device);
    activities->tally.background_bytes += bytes;
    return device->background_name != NULL;
}

bool activity_learn(struct activities *activities)
{
    struct trace_map live = {0};
    const struct activity *activity;
    bool good = true, any = false;
    if (!trace_sorter_start(activities->timeline))
        return activity_take_failure(activities, activities->timeline);
    while (good && (activity = trace_sorter_next(activities->timeline)) != NULL) {
        if (!any && activity->kind != ACTIVITY_HELD) {
            any = true;
            activities->start_ns = trace_sorted_date(activity->order.key);
        }
        good = learn_activity(activities, &live, activity);
    }
    trace_map_free(&live);
    if (trace_sorter_failure(activities->timeline) != NULL)
        return activity_take_failure(activities, activities->timeline);
    for (size_t i = 0; good && i < activities->account_count; i++)
        good = learn_background(activities, &activities->accounts[i]);
    for (struct activity_device *device = activities->first_device; good && device != NULL;
         device = device->next)
        good = name_device(activities, device);
    for (struct activity_stream *stream = activities->first_stream; good && stream != NULL;
         stream = stream->next)
        good = name_stream(activities, stream);
    if (!good)
        return activity_fail(activities, "out of memory");
    return trace_sorter_start(activities->timeline) ||
           activity_take_failure(activities, activities->timeline);
}
