/* Events of the vocabulary: what was there before, then jobs and buffer objects in order of time.
 */
#include "traces/linux/linux.h"

#include "traces/buffer.h"
#include "traces/queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REFERENCES = 1 << 22 }; /* in all lists together */

/* A buffer object, under the name of its latest life. */
struct object {
    char name[40];
    uint32_t generation;
    uint32_t device;
    bool alive;
};

/* Buffer objects that a submission uses. */
struct list {
    struct list *next; /* all of them */
    uint64_t address;
    struct object **items;
    size_t count, room;
};

struct thread {
    uint64_t filling; /* the list that its records are adding to; 0: none */
    uint64_t uses;    /* that its next submission uses */
};

struct linux_emission {
    struct linux_import *import;
    struct trace_queue queue;
    struct trace_arena arena;
    struct trace_map objects, lists, threads;
    struct list *all_lists;
    size_t references;
    const struct linux_record *record; /* the next of each; NULL: no more */
    const struct linux_job *job;
    size_t next_device, next_context, next_held;
    uint64_t origin;
};

static bool is_of_objects(const struct linux_record *record)
{
    return record->kind == LINUX_CREATE || record->kind == LINUX_DESTROY ||
           record->kind == LINUX_MOVE || record->kind == LINUX_LIST || record->kind == LINUX_USE;
}

static void next_record(struct linux_emission *emission)
{
    do
        emission->record = trace_sorter_next(emission->import->records);
    while (emission->record != NULL && !is_of_objects(emission->record));
    if (emission->record == NULL && trace_sorter_failure(emission->import->records) != NULL)
        linux_take_failure(emission->import, emission->import->records);
}

static void next_job(struct linux_emission *emission)
{
    emission->job = trace_sorter_next(emission->import->jobs);
    if (emission->job == NULL && trace_sorter_failure(emission->import->jobs) != NULL)
        linux_take_failure(emission->import, emission->import->jobs);
}

bool linux_emission_start(struct linux_import *import)
{
    struct linux_emission *emission = calloc(1, sizeof *emission);
    if (emission == NULL)
        return linux_fail(import, "out of memory");
    import->emission = emission;
    emission->import = import;
    if (!trace_sorter_start(import->records))
        return linux_take_failure(import, import->records);
    if (!trace_sorter_start(import->jobs))
        return linux_take_failure(import, import->jobs);
    next_record(emission);
    next_job(emission);
    return import->failure == NULL;
}

static void forget_lists(struct linux_emission *emission)
{
    for (struct list *list = emission->all_lists, *next; list != NULL; list = next) {
        next = list->next;
        free(list->items);
        free(list);
    }
    emission->all_lists = NULL;
    emission->references = 0;
    trace_map_free(&emission->lists);
}

void linux_emission_free(struct linux_import *import)
{
    struct linux_emission *emission = import->emission;
    if (emission == NULL)
        return;
    forget_lists(emission);
    trace_map_free(&emission->objects);
    trace_map_free(&emission->threads);
    trace_arena_free(&emission->arena);
    trace_queue_free(&emission->queue);
    free(emission);
    import->emission = NULL;
}

static void out_of_memory(struct linux_emission *emission)
{
    linux_fail(emission->import, "out of memory");
}

/* An event at the time of a record or job. NULL: out of memory. */
static struct trace_event *add(struct linux_emission *emission, enum trace_op op,
                               const struct trace_sorted *when, uint32_t process, uint32_t thread)
{
    uint64_t t_ns = when != NULL ? when->key - emission->import->first_ns : 0;
    struct trace_event *event = trace_queue_add(&emission->queue, op, t_ns);
    if (event == NULL) {
        out_of_memory(emission);
        return NULL;
    }
    event->pid = process;
    event->tid = thread;
    if (when == NULL) {
        event->existing = true;
        event->given = TRACE_GIVEN(TRACE_EXISTING);
    }
    return event;
}

/* Buffer objects. */

static struct object *object_of(struct linux_emission *emission, uint64_t address)
{
    struct object *object = trace_map_get(&emission->objects, address, 0);
    if (object != NULL)
        return object;
    object = trace_arena_take(&emission->arena, 1, sizeof *object);
    if (object == NULL || !trace_map_put(&emission->objects, address, 0, object)) {
        out_of_memory(emission);
        return NULL;
    }
    return object;
}

/* Where amdgpu's domains lie: GTT is system memory that the adapter maps. */
static void give_segments(struct linux_emission *emission, struct trace_allocation *element,
                          const struct linux_record *record)
{
    enum { GTT = 2, VRAM = 4 };
    uint64_t allowed = record->values[LINUX_ALLOWED], preferred = record->values[LINUX_PREFERRED];
    struct trace_name *names = trace_queue_memory(&emission->queue, 3, sizeof *names);
    if (names == NULL)
        return;
    uint32_t count = 0;
    if ((allowed & VRAM) != 0)
        names[count++].text = "local";
    if ((allowed & GTT) != 0)
        names[count++].text = "aperture";
    if (count == 0)
        return;
    element->segments = (struct trace_names){names, count};
    element->given |= TRACE_GIVEN(TRACE_SEGMENTS);
    if ((allowed & preferred & (VRAM | GTT)) == 0)
        return;
    names[2].text = (allowed & preferred & VRAM) != 0 ? "local" : "aperture";
    element->preferred = (struct trace_names){&names[2], 1};
    element->given |= TRACE_GIVEN(TRACE_PREFERRED);
}

static void create(struct linux_emission *emission, uint64_t address, uint64_t bytes,
                   uint32_t device, const struct linux_record *record)
{
    struct object *object = object_of(emission, address);
    const struct linux_device *owner = &emission->import->devices[device];
    struct trace_event *event =
        add(emission, TRACE_CREATE_ALLOCATION, record != NULL ? &record->order : NULL,
            owner->process, record != NULL ? record->thread : 0);
    struct trace_allocation *element = trace_queue_memory(&emission->queue, 1, sizeof *element);
    if (object == NULL || event == NULL || element == NULL) {
        out_of_memory(emission);
        return;
    }
    if (++object->generation == 1)
        snprintf(object->name, sizeof object->name, "0x%" PRIx64, address);
    else
        snprintf(object->name, sizeof object->name, "0x%" PRIx64 "#%" PRIu32, address,
                 object->generation);
    object->alive = true;
    object->device = device;
    element->allocation.text = trace_queue_text(&emission->queue, object->name);
    element->size = bytes;
    element->usage = "buffer";
    element->given =
        TRACE_GIVEN(TRACE_ALLOCATION) | TRACE_GIVEN(TRACE_SIZE) | TRACE_GIVEN(TRACE_USAGE);
    if (record != NULL)
        give_segments(emission, element, record);
    trace_give_name(event, TRACE_DEVICE, &event->device, owner->name);
    event->creations = (struct trace_allocations){.items = element, .count = 1};
    event->given |= TRACE_GIVEN(TRACE_CREATIONS);
}

static void destroy(struct linux_emission *emission, const struct linux_record *record)
{
    struct object *object = object_of(emission, record->values[LINUX_OBJECT]);
    if (object == NULL || !object->alive)
        return;
    const struct linux_device *owner = &emission->import->devices[object->device];
    struct trace_event *event =
        add(emission, TRACE_DESTROY_ALLOCATION, &record->order, owner->process, record->thread);
    struct trace_name *name = trace_queue_memory(&emission->queue, 1, sizeof *name);
    if (event == NULL || name == NULL) {
        out_of_memory(emission);
        return;
    }
    name->text = trace_queue_text(&emission->queue, object->name);
    trace_give_name(event, TRACE_DEVICE, &event->device, owner->name);
    event->allocations = (struct trace_names){.items = name, .count = 1};
    event->given |= TRACE_GIVEN(TRACE_ALLOCATIONS);
    object->alive = false;
}

static void move(struct linux_emission *emission, const struct linux_record *record)
{
    static const char *const places[] = {"system", "aperture", "local"};
    const uint64_t *values = record->values;
    if (values[LINUX_EMPTY] != 0 || values[LINUX_BYTES] > INT64_MAX)
        return;
    struct trace_event *event = add(emission, TRACE_OBSERVE_TRANSFER, &record->order,
                                    linux_process_of(record), record->thread);
    if (event == NULL)
        return;
    event->bytes = values[LINUX_BYTES];
    event->given |= TRACE_GIVEN(TRACE_BYTES) | TRACE_GIVEN(TRACE_DUR); /* how long: not recorded */
    uint64_t from = values[LINUX_FROM], to = values[LINUX_TO];
    trace_give_name(event, TRACE_FROM, &event->from,
                    places[from < PLACE_LOCAL ? from : PLACE_LOCAL]);
    trace_give_name(event, TRACE_TO, &event->to, places[to < PLACE_LOCAL ? to : PLACE_LOCAL]);
    trace_give_extras(event, "{\"x-kind\":\"move\"}");
}

/* Lists. */

static struct thread *thread_of(struct linux_emission *emission, uint32_t number)
{
    struct thread *thread = trace_map_get(&emission->threads, number, 0);
    if (thread != NULL)
        return thread;
    thread = trace_arena_take(&emission->arena, 1, sizeof *thread);
    if (thread == NULL || !trace_map_put(&emission->threads, number, 0, thread)) {
        out_of_memory(emission);
        return NULL;
    }
    return thread;
}

static struct list *list_of(struct linux_emission *emission, uint64_t address)
{
    struct list *list = trace_map_get(&emission->lists, address, 0);
    if (list != NULL)
        return list;
    list = calloc(1, sizeof *list);
    if (list == NULL || !trace_map_put(&emission->lists, address, 0, list)) {
        free(list);
        out_of_memory(emission);
        return NULL;
    }
    list->address = address;
    list->next = emission->all_lists;
    emission->all_lists = list;
    return list;
}

/* A list is told object by object, by one thread in one go. The same address told again is another
 * list: nobody tells when lists are freed. */
static void add_to_list(struct linux_emission *emission, const struct linux_record *record)
{
    uint64_t address = record->values[LINUX_LIST_OF];
    if (emission->references >= MOST_REFERENCES) {
        forget_lists(emission);
    }
    struct thread *thread = thread_of(emission, record->thread);
    struct list *list = list_of(emission, address);
    struct object *object = object_of(emission, record->values[LINUX_OBJECT]);
    if (thread == NULL || list == NULL || object == NULL)
        return;
    if (thread->filling != address) {
        emission->references -= list->count;
        list->count = 0;
    }
    thread->filling = thread->uses = address;
    struct object **grown =
        trace_array_grow(list->items, &list->room, list->count + 1, sizeof *grown);
    if (grown == NULL) {
        out_of_memory(emission);
        return;
    }
    list->items = grown;
    list->items[list->count++] = object;
    emission->references++;
}

static void use_list(struct linux_emission *emission, const struct linux_record *record)
{
    struct thread *thread = thread_of(emission, record->thread);
    if (thread == NULL)
        return;
    thread->filling = 0;
    thread->uses = record->values[LINUX_LIST_OF];
}

static void give_references(struct linux_emission *emission, struct trace_event *event,
                            uint32_t number)
{
    struct thread *thread = trace_map_get(&emission->threads, number, 0);
    if (thread == NULL)
        return;
    thread->filling = 0;
    const struct list *list = trace_map_get(&emission->lists, thread->uses, 0);
    if (list == NULL || list->count == 0)
        return;
    struct trace_name *names = trace_queue_memory(&emission->queue, list->count, sizeof *names);
    if (names == NULL) {
        out_of_memory(emission);
        return;
    }
    uint32_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->alive)
            names[count++].text = list->items[i]->name;
    event->allocations = (struct trace_names){.items = names, .count = count};
    if (count > 0)
        event->given |= TRACE_GIVEN(TRACE_ALLOCATIONS);
}

/* Jobs. */

static void add_fence(struct linux_emission *emission, enum trace_op op,
                      const struct linux_job *job, uint32_t process, bool on_engine)
{
    const struct linux_context *contexts = emission->import->contexts;
    struct trace_event *event = add(emission, op, &job->order, process, job->thread);
    if (event == NULL)
        return;
    if (on_engine)
        trace_give_name(event, TRACE_CONTEXT, &event->context, contexts[job->context].name);
    trace_give_name(event, TRACE_FENCE, &event->fence, contexts[job->fence].fence);
    event->value = job->value;
    event->given |= TRACE_GIVEN(TRACE_VALUE);
    if (op == TRACE_WAIT && !on_engine) {
        event->dur_ns = job->dur_ns;
        event->given |= TRACE_GIVEN(TRACE_DUR);
    }
}

static void emit_job(struct linux_emission *emission, const struct linux_job *job)
{
    struct linux_import *import = emission->import;
    emission->origin = job->origin;
    if (job->kind == LINUX_THREAD_WAIT) {
        add_fence(emission, TRACE_WAIT, job, job->process, false);
        return;
    }
    const struct linux_context *context = &import->contexts[job->context];
    uint32_t process = import->devices[context->device].process;
    if (job->kind == LINUX_ENGINE_WAIT) {
        add_fence(emission, TRACE_WAIT, job, process, true);
        return;
    }
    struct trace_event *event = add(emission, TRACE_SUBMIT, &job->order, process, job->thread);
    if (event == NULL)
        return;
    trace_give_name(event, TRACE_CONTEXT, &event->context, context->name);
    event->gpu_ns = job->gpu_ns;
    event->given |= TRACE_GIVEN(TRACE_GPU);
    if (job->done_ns != 0) {
        event->done_ns = job->done_ns - import->first_ns;
        event->given |= TRACE_GIVEN(TRACE_DONE);
    }
    if (job->thread != 0)
        give_references(emission, event, job->thread);
    if (job->signals)
        add_fence(emission, TRACE_SIGNAL, job, process, true);
}

static void emit_record(struct linux_emission *emission, const struct linux_record *record)
{
    emission->origin = record->origin;
    switch (record->kind) {
    case LINUX_CREATE:
        if (!linux_has(record, LINUX_OBJECT) || linux_bytes_of(record) == 0)
            break;
        destroy(emission, record); /* nobody told that what was there is gone */
        create(emission, record->values[LINUX_OBJECT], linux_bytes_of(record),
               linux_device_of(emission->import, linux_process_of(record),
                               (uint16_t)record->values[LINUX_DEVICE]),
               record);
        break;
    case LINUX_DESTROY:
        destroy(emission, record);
        break;
    case LINUX_MOVE:
        move(emission, record);
        break;
    case LINUX_LIST:
        add_to_list(emission, record);
        break;
    default:
        use_list(emission, record);
        break;
    }
}

/* What was there before: devices, contexts, buffer objects. One more piece of it; false: that was
 * all. */
static bool emit_prelude(struct linux_emission *emission)
{
    const struct linux_import *import = emission->import;
    if (emission->next_device < import->device_count) {
        const struct linux_device *device = &import->devices[emission->next_device++];
        struct trace_event *event = add(emission, TRACE_CREATE_DEVICE, NULL, device->process, 0);
        if (event == NULL)
            return true;
        trace_give_name(event, TRACE_DEVICE, &event->device, device->name);
        if (device->ordinal != 0) {
            event->adapter = device->ordinal;
            event->given |= TRACE_GIVEN(TRACE_ADAPTER);
        }
    } else if (emission->next_context < import->context_count) {
        const struct linux_context *context = &import->contexts[emission->next_context++];
        const struct linux_device *device = &import->devices[context->device];
        struct trace_event *event = add(emission, TRACE_CREATE_CONTEXT, NULL, device->process, 0);
        if (event == NULL)
            return true;
        trace_give_name(event, TRACE_CONTEXT, &event->context, context->name);
        trace_give_name(event, TRACE_DEVICE, &event->device, device->name);
        trace_give_name(event, TRACE_NODE, &event->node, import->engines[context->engine].node);
    } else if (emission->next_held < import->held_count) {
        const struct linux_held *held = &import->held[emission->next_held++];
        create(emission, held->object, held->bytes, held->device, NULL);
    } else {
        return false;
    }
    return true;
}

static bool before(const struct trace_sorted *a, const struct trace_sorted *b)
{
    return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

bool linux_next(struct linux_import *import, struct trace_event *event, uint64_t *origin)
{
    struct linux_emission *emission = import->emission;
    while (import->failure == NULL && !trace_queue_take(&emission->queue, event)) {
        if (emit_prelude(emission))
            continue;
        const struct linux_record *record = emission->record;
        const struct linux_job *job = emission->job;
        if (job != NULL && (record == NULL || before(&job->order, &record->order))) {
            emit_job(emission, job);
            next_job(emission);
        } else if (record != NULL) {
            emit_record(emission, record);
            next_record(emission);
        } else {
            return false;
        }
    }
    *origin = emission->origin;
    return import->failure == NULL;
}
