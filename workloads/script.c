#include "workloads/script.h"

#include "model/memory.h"
#include "traces/vocabulary.h"

#include <gsl/gsl_randist.h>

/* How long the calls take on the machine that the made-up recording is of: somewhat more than the
 * medians of the Windows 10 recording, so that its threads are free again when the next call is
 * due. */
static const uint64_t call_ns[TRACE_OPS] = {
    [TRACE_CREATE_DEVICE] = 5000000,
    [TRACE_CREATE_CONTEXT] = 20000000,
    [TRACE_CREATE_ALLOCATION] = 70000,
    [TRACE_OPEN_RESOURCE] = 25000,
    [TRACE_DESTROY_ALLOCATION] = 8000,
    [TRACE_MAKE_RESIDENT] = 13000,
    [TRACE_EVICT] = 4000,
    [TRACE_OFFER_ALLOCATIONS] = 4000,
    [TRACE_RECLAIM_ALLOCATIONS] = 4000,
    [TRACE_LOCK] = 4500,
    [TRACE_UNLOCK] = 4500,
    [TRACE_SUBMIT] = 16000,
    [TRACE_SIGNAL] = 13000,
    [TRACE_WAIT] = 5500,
    [TRACE_PRESENT] = 160000,
};

void script_think(struct script *script, double mean_ns)
{
    script->clock_ns += (uint64_t)gsl_ran_exponential(script->random[SCRIPT_PACE], mean_ns);
}

static struct trace_event *call(struct script *script, enum trace_op op, uint64_t given)
{
    if (script->count == script->room) {
        script->room = script->room != 0 ? 2 * script->room : 16;
        script->events = memory_resize(script->events, script->room, sizeof *script->events);
    }
    struct trace_event *event = &script->events[script->count++];
    memory_clear(event, sizeof *event);
    event->op = op;
    event->given = given;
    event->t_ns = script->clock_ns;
    event->pid = script->pid;
    event->tid = script->tid;
    if (script->think_ns > 0) {
        script->clock_ns += call_ns[op];
        script_think(script, script->think_ns);
    }
    return event;
}

static void *take(struct script *script, size_t count, size_t size)
{
    void *memory = trace_arena_take(&script->arena, count, size);
    if (memory == NULL)
        memory_exhausted();
    return memory;
}

static struct trace_name name(uint64_t number)
{
    return (struct trace_name){.text = NULL, .number = number};
}

struct trace_name *script_names(struct script *script, uint32_t count)
{
    return take(script, count, sizeof(struct trace_name));
}

struct trace_names script_list(struct script *script, const uint64_t *numbers, uint32_t count)
{
    struct trace_name *items = script_names(script, count);
    for (uint32_t i = 0; i < count; i++)
        items[i] = name(numbers[i]);
    return (struct trace_names){items, count};
}

void script_create_device(struct script *script)
{
    script->device = ++script->stage->devices;
    call(script, TRACE_CREATE_DEVICE, TRACE_GIVEN(TRACE_DEVICE))->device = name(script->device);
}

uint64_t script_create_context(struct script *script, const char *node, int priority)
{
    struct trace_event *event =
        call(script, TRACE_CREATE_CONTEXT,
             TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_NODE) |
                 (priority != 0 ? TRACE_GIVEN(TRACE_PRIORITY) : 0));
    event->context = name(++script->stage->contexts);
    event->device = name(script->device);
    event->node = (struct trace_name){.text = node, .number = 0};
    event->priority = priority;
    return event->context.number;
}

/* The list of the only segment that allocations may lie in. */
static struct trace_names segments_of(struct script *script)
{
    struct trace_name *segment = script_names(script, 1);
    segment->text = script->segment;
    return (struct trace_names){segment, 1};
}

static struct trace_event *create(struct script *script, const char *usage, uint64_t size,
                                  uint64_t *numbers, uint32_t count)
{
    struct trace_allocation *items = take(script, count, sizeof *items);
    struct trace_names segments = {0};
    if (script->segment != NULL)
        segments = segments_of(script);
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = ++script->stage->allocations;
        items[i] = (struct trace_allocation){
            .given =
                TRACE_GIVEN(TRACE_ALLOCATION) | TRACE_GIVEN(TRACE_SIZE) | TRACE_GIVEN(TRACE_USAGE),
            .allocation = name(numbers[i]),
            .size = size,
            .usage = usage,
        };
        if (script->segment != NULL) {
            items[i].given |= TRACE_GIVEN(TRACE_SEGMENTS);
            items[i].segments = segments;
        }
    }
    struct trace_event *event = call(script, TRACE_CREATE_ALLOCATION,
                                     TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_CREATIONS));
    event->device = name(script->device);
    event->creations = (struct trace_allocations){items, count};
    return event;
}

void script_create(struct script *script, const char *usage, uint64_t size, uint64_t *numbers,
                   uint32_t count)
{
    create(script, usage, size, numbers, count);
}

uint64_t script_create_shared(struct script *script, const char *usage, uint64_t size,
                              uint64_t *numbers, uint32_t count)
{
    enum { CREATE_RESOURCE = 1, CREATE_SHARED = 2 };
    struct trace_event *event = create(script, usage, size, numbers, count);
    event->given |= TRACE_GIVEN(TRACE_RESOURCE) | TRACE_GIVEN(TRACE_FLAGS);
    event->resource = name(++script->stage->resources);
    event->flags = CREATE_RESOURCE | CREATE_SHARED;
    return event->resource.number;
}

void script_open(struct script *script, uint64_t resource)
{
    struct trace_event *event =
        call(script, TRACE_OPEN_RESOURCE, TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_RESOURCE));
    event->device = name(script->device);
    event->resource = name(resource);
}

static void on_list(struct script *script, enum trace_op op, const uint64_t *numbers,
                    uint32_t count, uint64_t flags)
{
    if (count == 0)
        return;
    struct trace_names list = script_list(script, numbers, count);
    struct trace_event *event = call(script, op,
                                     TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_ALLOCATIONS) |
                                         (flags != 0 ? TRACE_GIVEN(TRACE_FLAGS) : 0));
    event->device = name(script->device);
    event->allocations = list;
    event->flags = flags;
}

void script_make_resident(struct script *script, const uint64_t *numbers, uint32_t count)
{
    on_list(script, TRACE_MAKE_RESIDENT, numbers, count, 0);
}

void script_evict(struct script *script, const uint64_t *numbers, uint32_t count, uint64_t flags)
{
    on_list(script, TRACE_EVICT, numbers, count, flags);
}

void script_destroy(struct script *script, const uint64_t *numbers, uint32_t count)
{
    on_list(script, TRACE_DESTROY_ALLOCATION, numbers, count, 0);
}

void script_offer(struct script *script, const uint64_t *numbers, uint32_t count)
{
    on_list(script, TRACE_OFFER_ALLOCATIONS, numbers, count, 0);
}

void script_reclaim(struct script *script, const uint64_t *numbers, uint32_t count)
{
    on_list(script, TRACE_RECLAIM_ALLOCATIONS, numbers, count, 0);
}

void script_set_state(struct script *script, uint64_t flags)
{
    call(script, TRACE_SET_PROCESS_STATE, flags != 0 ? TRACE_GIVEN(TRACE_FLAGS) : 0)->flags = flags;
}

static void lock_or_unlock(struct script *script, enum trace_op op, uint64_t allocation)
{
    struct trace_event *event =
        call(script, op, TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_ALLOCATION));
    event->device = name(script->device);
    event->allocation = name(allocation);
}

void script_access(struct script *script, uint64_t allocation, double mean_ns)
{
    lock_or_unlock(script, TRACE_LOCK, allocation);
    script_think(script, mean_ns);
    lock_or_unlock(script, TRACE_UNLOCK, allocation);
}

struct trace_event *script_submit(struct script *script, uint64_t context, uint64_t gpu_ns,
                                  struct trace_names reads, struct trace_names writes)
{
    struct trace_event *event = call(script, TRACE_SUBMIT,
                                     TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_GPU) |
                                         (reads.count != 0 ? TRACE_GIVEN(TRACE_ALLOCATIONS) : 0) |
                                         (writes.count != 0 ? TRACE_GIVEN(TRACE_WRITES) : 0));
    event->context = name(context);
    event->gpu_ns = gpu_ns;
    event->allocations = reads;
    event->writes = writes;
    return event;
}

static void on_fence(struct script *script, enum trace_op op, uint64_t context, uint64_t fence,
                     uint64_t value)
{
    struct trace_event *event = call(script, op,
                                     (context != 0 ? TRACE_GIVEN(TRACE_CONTEXT) : 0) |
                                         TRACE_GIVEN(TRACE_FENCE) | TRACE_GIVEN(TRACE_VALUE));
    event->context = name(context);
    event->fence = name(fence);
    event->value = value;
}

void script_signal(struct script *script, uint64_t context, uint64_t fence, uint64_t value)
{
    on_fence(script, TRACE_SIGNAL, context, fence, value);
}

void script_wait(struct script *script, uint64_t context, uint64_t fence, uint64_t value)
{
    on_fence(script, TRACE_WAIT, context, fence, value);
}

void script_wait_until(struct script *script, uint64_t fence, uint64_t value, uint64_t done_ns)
{
    script_wait(script, 0, fence, value);
    if (script->clock_ns < done_ns)
        script->clock_ns = done_ns;
}

void script_present(struct script *script, uint64_t context, uint64_t allocation, int interval)
{
    struct trace_event *event =
        call(script, TRACE_PRESENT,
             TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_ALLOCATION) |
                 (interval != SCRIPT_TO_COMPOSITOR ? TRACE_GIVEN(TRACE_INTERVAL) : 0));
    event->context = name(context);
    event->allocation = name(allocation);
    event->interval = interval != SCRIPT_TO_COMPOSITOR ? (uint64_t)interval : 0;
}

void script_exit(struct script *script)
{
    call(script, TRACE_EXIT_PROCESS, 0);
}
