/* Events of the vocabulary, from activities in order. */
#include "traces/activity/internal.h"

#include "traces/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A new event behind those that wait to be handed out; NULL: out of memory. */
static struct trace_event *emit(struct activities *activities, enum trace_op op,
                                const struct activity *from)
{
    struct trace_event *queue = trace_array_grow(activities->queue, &activities->queue_room,
                                                 activities->queue_count + 1, sizeof *queue);
    if (queue == NULL) {
        activity_fail(activities, "out of memory");
        return NULL;
    }
    activities->queue = queue;
    struct trace_event *event = &queue[activities->queue_count++];
    *event = (struct trace_event){.op = op};
    if (from != NULL) {
        event->t_ns = from->order.key - trace_sorted_key(activities->start_ns);
        event->pid = from->pid;
        event->tid = from->tid;
    } else {
        event->existing = true;
        event->given = TRACE_GIVEN(TRACE_EXISTING);
    }
    return event;
}

static void give_name(struct trace_event *event, enum trace_field field, struct trace_name *to,
                      const char *name)
{
    *to = (struct trace_name){.text = name};
    event->given |= TRACE_GIVEN(field);
}

static void give_extras(struct trace_event *event, const char *extras)
{
    event->extras = extras;
    event->given |= TRACE_GIVEN(TRACE_EXTRAS);
}

/* Memory. */

static const char *address_name(struct activities *activities, uint32_t pid, uint64_t address)
{
    enum { ROOM = 48 };
    char *name = trace_arena_take(&activities->names, ROOM, 1);
    if (name == NULL)
        activity_fail(activities, "out of memory");
    else if (activities->several_processes)
        snprintf(name, ROOM, "pid %" PRIu32 " 0x%" PRIx64, pid, address);
    else
        snprintf(name, ROOM, "0x%" PRIx64, address);
    return name;
}

static void create(struct activities *activities, const struct activity *from,
                   const struct activity_device *device, const char *name, uint64_t bytes,
                   const char *usage)
{
    struct trace_allocation *element = trace_arena_take(&activities->names, 1, sizeof *element);
    struct trace_event *event = emit(activities, TRACE_CREATE_ALLOCATION, from);
    if (event == NULL || element == NULL || name == NULL) {
        activity_fail(activities, "out of memory");
        return;
    }
    element->allocation.text = name;
    element->size = bytes;
    element->usage = usage;
    element->given =
        TRACE_GIVEN(TRACE_ALLOCATION) | TRACE_GIVEN(TRACE_SIZE) | TRACE_GIVEN(TRACE_USAGE);
    event->pid = device->pid;
    give_name(event, TRACE_DEVICE, &event->device, device->name);
    event->creations = (struct trace_allocations){.items = element, .count = 1};
    event->given |= TRACE_GIVEN(TRACE_CREATIONS);
}

static void destroy(struct activities *activities, const struct activity *from,
                    const struct activity_device *device)
{
    struct trace_name *name = trace_arena_take(&activities->names, 1, sizeof *name);
    struct trace_event *event = emit(activities, TRACE_DESTROY_ALLOCATION, from);
    if (event == NULL || name == NULL) {
        activity_fail(activities, "out of memory");
        return;
    }
    name->text = address_name(activities, from->pid, from->address);
    give_name(event, TRACE_DEVICE, &event->device, device->name);
    event->allocations = (struct trace_names){.items = name, .count = 1};
    event->given |= TRACE_GIVEN(TRACE_ALLOCATIONS);
}

static void emit_memory(struct activities *activities, const struct activity *memory)
{
    static const char *const usages[USAGES] = {
        [USAGE_BUFFER] = "buffer",     [USAGE_UPLOAD] = "upload",
        [USAGE_READBACK] = "readback", [USAGE_TEXTURE] = "texture",
        [USAGE_DEPTH] = "depth",       [USAGE_RENDER_TARGET] = "render-target",
        [USAGE_HEAP] = "heap",
    };
    struct trace_map *live = &activities->live;
    const struct activity_device *device = activity_device(activities, memory->pid, memory->device);
    uint64_t bytes;
    bool alive = activity_live(live, memory->pid, memory->address, &bytes);
    if (device == NULL || memory->kind == ACTIVITY_HELD)
        return;
    if (alive)
        destroy(activities, memory, device);
    bool made = memory->kind == ACTIVITY_ALLOCATE;
    if (made) {
        create(activities, memory, device, address_name(activities, memory->pid, memory->address),
               memory->bytes, usages[memory->usage]);
        struct trace_event *event = &activities->queue[activities->queue_count - 1];
        if (memory->dur_ns != 0 && activities->failure == NULL) {
            event->dur_ns = memory->dur_ns;
            event->given |= TRACE_GIVEN(TRACE_DUR);
        }
    }
    if (made || alive)
        activity_set_live(activities, live, memory->pid, memory->address,
                          made ? memory->bytes + 1 : 0);
}

/* Work. */

static void emit_fence(struct activities *activities, enum trace_op op, const struct activity *from,
                       const struct activity_stream *stream, enum activity_engine engine,
                       bool on_engine)
{
    struct trace_event *event = emit(activities, op, from);
    if (event == NULL)
        return;
    if (on_engine)
        give_name(event, TRACE_CONTEXT, &event->context, stream->names[engine]);
    give_name(event, TRACE_FENCE, &event->fence, stream->fence);
    event->value = stream->value;
    event->given |= TRACE_GIVEN(TRACE_VALUE);
}

/* A stream does one thing after the other, also where its contexts are of several engines. */
static void keep_order(struct activities *activities, const struct activity *work,
                       struct activity_stream *stream, enum activity_engine engine)
{
    if (stream->ran && stream->last != engine) {
        stream->value++;
        emit_fence(activities, TRACE_SIGNAL, work, stream, stream->last, true);
        emit_fence(activities, TRACE_WAIT, work, stream, engine, true);
    }
    stream->last = engine;
    stream->ran = true;
    stream->used = true;
}

static void emit_submit(struct activities *activities, const struct activity *work)
{
    struct activity_stream *stream = activity_stream(activities, work);
    enum activity_engine engine = activity_engine(work);
    if (stream == NULL)
        return;
    keep_order(activities, work, stream, engine);
    if (!trace_map_put(&activities->threads, work->pid, work->tid, stream))
        activity_fail(activities, "out of memory");
    struct trace_event *event = emit(activities, TRACE_SUBMIT, work);
    if (event == NULL)
        return;
    give_name(event, TRACE_CONTEXT, &event->context, stream->names[engine]);
    event->gpu_ns = work->gpu_ns;
    event->done_ns = (uint64_t)work->done_ns - (uint64_t)activities->start_ns;
    event->given |= TRACE_GIVEN(TRACE_GPU) | TRACE_GIVEN(TRACE_DONE);
    if (work->kind == ACTIVITY_PACKET && work->bytes > 0) {
        event->bytes = work->bytes;
        event->given |= TRACE_GIVEN(TRACE_BYTES);
    }
    if (work->call_dur_ns != 0) {
        event->dur_ns = work->call_dur_ns;
        event->given |= TRACE_GIVEN(TRACE_DUR);
    }
}

static void emit_observed(struct activities *activities, const struct activity *transfer)
{
    static const char *const copies[MEMORY_KINDS] = {
        [MEMORY_UNKNOWN] = "{\"x-kind\":\"copy\"}",
        [MEMORY_PAGEABLE] = "{\"x-kind\":\"copy\",\"x-memory\":\"pageable\"}",
        [MEMORY_PINNED] = "{\"x-kind\":\"copy\",\"x-memory\":\"pinned\"}",
        [MEMORY_DEVICE] = "{\"x-kind\":\"copy\"}",
    };
    static const char *const migrations[CAUSE_KINDS] = {
        [CAUSE_NONE] = "{\"x-kind\":\"migration\"}",
        [CAUSE_PREFETCH] = "{\"x-kind\":\"migration\",\"x-cause\":\"prefetch\"}",
        [CAUSE_PAGE_FAULT] = "{\"x-kind\":\"migration\",\"x-cause\":\"page-fault\"}",
        [CAUSE_SPECULATION] = "{\"x-kind\":\"migration\",\"x-cause\":\"speculative\"}",
        [CAUSE_EVICTION] = "{\"x-kind\":\"migration\",\"x-cause\":\"eviction\"}",
        [CAUSE_ACCESS_COUNTERS] = "{\"x-kind\":\"migration\",\"x-cause\":\"access-counters\"}",
    };
    struct trace_event *event = emit(activities, TRACE_OBSERVE_TRANSFER, transfer);
    if (event == NULL)
        return;
    bool fill = transfer->kind == ACTIVITY_FILL;
    event->bytes = transfer->bytes;
    event->dur_ns = transfer->dur_ns;
    event->given |= TRACE_GIVEN(TRACE_BYTES) | TRACE_GIVEN(TRACE_DUR);
    give_name(event, TRACE_FROM, &event->from,
              fill || transfer->from == MEMORY_DEVICE ? "local" : "system");
    give_name(event, TRACE_TO, &event->to,
              fill || transfer->to == MEMORY_DEVICE ? "local" : "system");
    if (fill)
        give_extras(event, "{\"x-kind\":\"fill\"}");
    else if (transfer->kind == ACTIVITY_MIGRATION)
        give_extras(event, migrations[transfer->cause]);
    else
        give_extras(event, copies[transfer->from == MEMORY_DEVICE ? transfer->to : transfer->from]);
}

/* Waits. */

static void wait_for(struct activities *activities, const struct activity *wait,
                     struct activity_stream *stream)
{
    if (!stream->used)
        return; /* nothing new to wait for */
    stream->used = false;
    stream->value++;
    emit_fence(activities, TRACE_SIGNAL, wait, stream, stream->last, true);
    emit_fence(activities, TRACE_WAIT, wait, stream, stream->last, false);
    struct trace_event *event = &activities->queue[activities->queue_count - 1];
    if (activities->failure == NULL && wait->dur_ns != 0) {
        event->dur_ns = wait->dur_ns;
        event->given |= TRACE_GIVEN(TRACE_DUR);
    }
}

static void emit_wait(struct activities *activities, const struct activity *wait)
{
    if (wait->kind == ACTIVITY_WAIT_ALL) {
        for (struct activity_stream *stream = activities->first_stream; stream != NULL;
             stream = stream->next)
            if (stream->device->pid == wait->pid &&
                (wait->device == ACTIVITY_ANY_DEVICE || wait->device == stream->device->device))
                wait_for(activities, wait, stream);
        return;
    }
    struct activity_stream *stream =
        wait->kind == ACTIVITY_WAIT ? activity_stream(activities, wait)
                                    : trace_map_get(&activities->threads, wait->pid, wait->tid);
    if (stream != NULL)
        wait_for(activities, wait, stream);
}

static void emit_activity(struct activities *activities, const struct activity *activity)
{
    activities->origin = activity->origin;
    activities->placed = true;
    switch (activity->kind) {
    case ACTIVITY_KERNEL:
    case ACTIVITY_FILL:
    case ACTIVITY_COPY:
    case ACTIVITY_PACKET:
        if (activity->observed)
            emit_observed(activities, activity);
        else
            emit_submit(activities, activity);
        break;
    case ACTIVITY_MIGRATION:
        emit_observed(activities, activity);
        break;
    case ACTIVITY_WAIT:
    case ACTIVITY_WAIT_LAST:
    case ACTIVITY_WAIT_ALL:
        emit_wait(activities, activity);
        break;
    default:
        emit_memory(activities, activity);
        break;
    }
}

/* What was there before the first activity: devices, contexts, memory. */

static void emit_device(struct activities *activities, const struct activity_device *device)
{
    struct trace_event *event = emit(activities, TRACE_CREATE_DEVICE, NULL);
    if (event == NULL)
        return;
    event->pid = device->pid;
    give_name(event, TRACE_DEVICE, &event->device, device->name);
    if (device->device != 0) {
        event->adapter = device->device;
        event->given |= TRACE_GIVEN(TRACE_ADAPTER);
    }
    if (device->background > 0)
        create(activities, NULL, device, device->background_name, device->background, "buffer");
}

static void emit_context(struct activities *activities, const struct activity_stream *stream,
                         int engine)
{
    static const char *const nodes[ENGINES] = {
        [ENGINE_COMPUTE] = "compute", [ENGINE_COPY_IN] = "copy", [ENGINE_COPY_OUT] = "copy2",
        [ENGINE_3D] = "3d",           [ENGINE_COPY] = "copy",    [ENGINE_VIDEO] = "video",
    };
    if (stream->names[engine] == NULL)
        return;
    struct trace_event *event = emit(activities, TRACE_CREATE_CONTEXT, NULL);
    if (event == NULL)
        return;
    event->pid = stream->device->pid;
    give_name(event, TRACE_CONTEXT, &event->context, stream->names[engine]);
    give_name(event, TRACE_DEVICE, &event->device, stream->device->name);
    give_name(event, TRACE_NODE, &event->node, nodes[engine]);
}

static void emit_held(struct activities *activities, const struct activity_held *held)
{
    const struct activity_device *device = activity_device(activities, held->pid, held->device);
    if (device == NULL)
        return;
    create(activities, NULL, device, address_name(activities, held->pid, held->address),
           held->bytes, "buffer");
    activity_set_live(activities, &activities->live, held->pid, held->address, held->bytes + 1);
}

/* One more piece of it; false: that was all. */
static bool emit_prelude(struct activities *activities)
{
    if (!activities->started) {
        activities->started = true;
        activities->next_device = activities->first_device;
        activities->next_stream = activities->first_stream;
    }
    if (activities->next_device != NULL) {
        emit_device(activities, activities->next_device);
        activities->next_device = activities->next_device->next;
    } else if (activities->next_stream != NULL) {
        for (int engine = 0; engine < ENGINES; engine++)
            emit_context(activities, activities->next_stream, engine);
        activities->next_stream = activities->next_stream->next;
    } else if (activities->next_held < activities->held_count) {
        emit_held(activities, &activities->held[activities->next_held++]);
    } else {
        return false;
    }
    return true;
}

bool activities_next(struct activities *activities, struct trace_event *event)
{
    while (activities->queue_next == activities->queue_count && activities->failure == NULL) {
        activities->queue_next = activities->queue_count = 0;
        trace_arena_reset(&activities->names);
        if (emit_prelude(activities))
            continue;
        const struct activity *next = trace_sorter_next(activities->timeline);
        if (next == NULL) {
            if (trace_sorter_failure(activities->timeline) != NULL)
                activity_take_failure(activities, activities->timeline);
            return false;
        }
        emit_activity(activities, next);
    }
    if (activities->failure != NULL)
        return false;
    *event = activities->queue[activities->queue_next++];
    return true;
}

const char *activities_place(struct activities *activities)
{
    activities->place[0] = '\0';
    if (activities->placed)
        activities->places(activities->self, activities->origin, activities->place);
    return activities->place;
}
