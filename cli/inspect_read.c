#include "cli/inspect.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

/* Something alive, known by name. */
struct inspect_object {
    UT_hash_handle hh;
    uint32_t pid;
    uint64_t size;                      /* allocation: bytes */
    struct inspect_object *resource;    /* allocation: what it belongs to */
    struct inspect_object *members;     /* resource: its allocations */
    struct inspect_object *next, *prev; /* among these */
    uint64_t signaled, waited;          /* fence: highest values */
    bool is_waited, is_signaled;
    uint32_t number;      /* allocation: among those that are referred to; 0: none yet */
    uint64_t named_event; /* allocation: the latest that referred to it */
    unsigned char key[];  /* 'n' and the number's bytes, or 't' and the text */
};

struct inspect_pid {
    UT_hash_handle hh;
    uint32_t pid;
    size_t index; /* in `processes` */
};

enum { NUMBER_KEY = 1 + sizeof(uint64_t) };

static struct inspect_object *find(const struct inspection *inspection, enum inspect_kind kind,
                                   struct trace_name name)
{
    struct inspect_object *object, *head = inspection->kinds[kind].objects;
    if (name.text != NULL) {
        /* The key's first letter is not in front of the text: hash both in one piece. */
        unsigned char short_key[128], *key = short_key;
        size_t length = strlen(name.text);
        if (length + 1 > sizeof short_key && (key = malloc(length + 1)) == NULL)
            return NULL;
        key[0] = 't';
        memcpy(key + 1, name.text, length);
        HASH_FIND(hh, head, key, length + 1, object);
        if (key != short_key)
            free(key);
        return object;
    }
    unsigned char key[NUMBER_KEY] = {'n'};
    memcpy(key + 1, &name.number, sizeof name.number);
    HASH_FIND(hh, head, key, NUMBER_KEY, object);
    return object;
}

static struct inspect_object *add(struct inspection *inspection, enum inspect_kind kind,
                                  struct trace_name name, uint32_t pid)
{
    size_t length = name.text != NULL ? 1 + strlen(name.text) : NUMBER_KEY;
    struct inspect_object *object = calloc(1, sizeof *object + length);
    if (object == NULL) {
        inspection->out_of_memory = true;
        return NULL;
    }
    object->pid = pid;
    object->key[0] = name.text != NULL ? 't' : 'n';
    if (name.text != NULL)
        memcpy(object->key + 1, name.text, length - 1);
    else
        memcpy(object->key + 1, &name.number, sizeof name.number);
    HASH_ADD_KEYPTR(hh, inspection->kinds[kind].objects, object->key, length, object);
    if (++inspection->kinds[kind].alive > inspection->kinds[kind].peak)
        inspection->kinds[kind].peak = inspection->kinds[kind].alive;
    return object;
}

static struct inspect_object *create(struct inspection *inspection, enum inspect_kind kind,
                                     struct trace_name name, uint32_t pid)
{
    inspection->kinds[kind].created++;
    struct inspect_object *object = find(inspection, kind, name);
    if (object != NULL) {
        inspection->kinds[kind].twice++;
        return object;
    }
    return add(inspection, kind, name, pid);
}

static void destroy_object(struct inspection *inspection, enum inspect_kind kind,
                           struct inspect_object *object)
{
    if (object->resource != NULL)
        DL_DELETE(object->resource->members, object);
    for (struct inspect_object *member, *next = object->members; (member = next) != NULL;) {
        next = member->next;
        member->resource = NULL;
        destroy_object(inspection, INSPECT_ALLOCATIONS, member);
    }
    if (object->number != 0 && inspection->named != NULL)
        inspect_references_remove(inspection->named, object->number);
    inspection->bytes_alive -= object->size;
    inspection->kinds[kind].alive--;
    inspection->kinds[kind].destroyed++;
    HASH_DEL(inspection->kinds[kind].objects, object);
    free(object);
}

static void destroy(struct inspection *inspection, enum inspect_kind kind, struct trace_name name)
{
    struct inspect_object *object = find(inspection, kind, name);
    if (object == NULL)
        inspection->kinds[kind].not_created++;
    else
        destroy_object(inspection, kind, object);
}

static void use(struct inspection *inspection, enum inspect_kind kind, struct trace_name name)
{
    if (find(inspection, kind, name) == NULL)
        inspection->kinds[kind].not_created++;
}

static void use_all(struct inspection *inspection, enum inspect_kind kind, struct trace_names names)
{
    for (uint32_t i = 0; i < names.count; i++)
        use(inspection, kind, names.items[i]);
}

static void add_bytes(struct inspection *inspection, struct inspect_process *process,
                      struct inspect_object *allocation, uint64_t size)
{
    inspection->bytes_created += size;
    process->bytes_created += size;
    if (allocation == NULL || allocation->size != 0)
        return;
    allocation->size = size;
    inspection->bytes_alive += size;
    if (inspection->bytes_alive > inspection->bytes_peak)
        inspection->bytes_peak = inspection->bytes_alive;
}

static void create_allocations(struct inspection *inspection, struct inspect_process *process,
                               const struct trace_event *event)
{
    struct inspect_object *resource = NULL;
    if (trace_given(event->given, TRACE_RESOURCE)) {
        resource = find(inspection, INSPECT_RESOURCES, event->resource);
        if (resource == NULL) /* naming one that exists adds to it */
            resource = create(inspection, INSPECT_RESOURCES, event->resource, event->pid);
    }
    for (uint32_t i = 0; i < event->creations.count; i++) {
        const struct trace_allocation *item = &event->creations.items[i];
        struct inspect_object *allocation =
            create(inspection, INSPECT_ALLOCATIONS, item->allocation, event->pid);
        add_bytes(inspection, process, allocation, item->size);
        if (allocation != NULL && resource != NULL && allocation->resource == NULL) {
            allocation->resource = resource;
            DL_APPEND(resource->members, allocation);
        }
    }
}

static void exit_process(struct inspection *inspection, uint32_t pid)
{
    /* Resources before allocations, which go with them. */
    for (int kind = 0; kind < INSPECT_FENCES; kind++)
        for (struct inspect_object *object, *next = inspection->kinds[kind].objects;
             (object = next) != NULL;) {
            next = object->hh.next;
            if (object->pid == pid)
                destroy_object(inspection, (enum inspect_kind)kind, object);
        }
}

static void note_fence(struct inspection *inspection, const struct trace_event *event)
{
    struct inspect_object *fence = find(inspection, INSPECT_FENCES, event->fence);
    if (fence == NULL) {
        inspection->kinds[INSPECT_FENCES].created++;
        fence = add(inspection, INSPECT_FENCES, event->fence, event->pid);
    }
    if (fence == NULL)
        return;
    bool signal = event->op == TRACE_SIGNAL;
    uint64_t *highest = signal ? &fence->signaled : &fence->waited;
    *(signal ? &fence->is_signaled : &fence->is_waited) = true;
    if (event->value > *highest)
        *highest = event->value;
}

/* Uses of names that any op may make. */
static void note_uses(struct inspection *inspection, const struct trace_event *event)
{
    if (trace_given(event->given, TRACE_DEVICE))
        use(inspection, INSPECT_DEVICES, event->device);
    if (trace_given(event->given, TRACE_CONTEXT))
        use(inspection, INSPECT_CONTEXTS, event->context);
    use_all(inspection, INSPECT_CONTEXTS, event->contexts);
    if (trace_given(event->given, TRACE_RESOURCE))
        use(inspection, INSPECT_RESOURCES, event->resource);
    if (trace_given(event->given, TRACE_ALLOCATION))
        use(inspection, INSPECT_ALLOCATIONS, event->allocation);
    use_all(inspection, INSPECT_ALLOCATIONS, event->allocations);
    use_all(inspection, INSPECT_ALLOCATIONS, event->writes);
}

static void note_objects(struct inspection *inspection, struct inspect_process *process,
                         const struct trace_event *event)
{
    switch (event->op) {
    case TRACE_CREATE_DEVICE:
        create(inspection, INSPECT_DEVICES, event->device, event->pid);
        break;
    case TRACE_DESTROY_DEVICE:
        destroy(inspection, INSPECT_DEVICES, event->device);
        break;
    case TRACE_CREATE_CONTEXT:
        use(inspection, INSPECT_DEVICES, event->device);
        create(inspection, INSPECT_CONTEXTS, event->context, event->pid);
        break;
    case TRACE_DESTROY_CONTEXT:
        destroy(inspection, INSPECT_CONTEXTS, event->context);
        break;
    case TRACE_CREATE_ALLOCATION:
        use(inspection, INSPECT_DEVICES, event->device);
        create_allocations(inspection, process, event);
        break;
    case TRACE_CREATE_CONTEXT_ALLOCATION:
        add_bytes(inspection, process,
                  create(inspection, INSPECT_ALLOCATIONS, event->allocation, event->pid),
                  event->size);
        break;
    case TRACE_DESTROY_CONTEXT_ALLOCATION:
        destroy(inspection, INSPECT_ALLOCATIONS, event->allocation);
        break;
    case TRACE_DESTROY_ALLOCATION:
        use(inspection, INSPECT_DEVICES, event->device);
        if (trace_given(event->given, TRACE_RESOURCE))
            destroy(inspection, INSPECT_RESOURCES, event->resource);
        for (uint32_t i = 0; i < event->allocations.count; i++)
            destroy(inspection, INSPECT_ALLOCATIONS, event->allocations.items[i]);
        break;
    case TRACE_EXIT_PROCESS:
        exit_process(inspection, event->pid);
        break;
    case TRACE_SIGNAL:
    case TRACE_WAIT:
        note_uses(inspection, event);
        note_fence(inspection, event);
        break;
    default:
        note_uses(inspection, event);
        break;
    }
}

/* What the event refers to; a name that occurs twice in it counts once. */
static void note_references(struct inspection *inspection, const struct trace_event *event,
                            struct trace_names names, struct miss_curve *curve)
{
    struct inspect_references *references = inspection->named;
    for (uint32_t i = 0; i < names.count; i++) {
        struct inspect_object *object = find(inspection, INSPECT_ALLOCATIONS, names.items[i]);
        if (object == NULL && references->unknown_size != 0) {
            object = find(inspection, INSPECT_UNKNOWN, names.items[i]);
            if (object == NULL)
                object = add(inspection, INSPECT_UNKNOWN, names.items[i], event->pid);
        }
        if (object == NULL || object->named_event == inspection->events)
            continue;
        object->named_event = inspection->events;
        inspect_references_use(references, curve, &object->number, object->size);
    }
}

static struct inspect_process *process_of(struct inspection *inspection, uint32_t pid)
{
    struct inspect_pid *entry;
    HASH_FIND(hh, inspection->pids, &pid, sizeof pid, entry);
    if (entry != NULL)
        return &inspection->processes[entry->index];
    size_t count = inspection->process_count;
    if ((count & (count - 1)) == 0) { /* full whenever it is a power of two, or empty */
        size_t room = count == 0 ? 1 : 2 * count;
        struct inspect_process *grown =
            realloc(inspection->processes, room * sizeof *inspection->processes);
        if (grown == NULL)
            return NULL;
        inspection->processes = grown;
    }
    entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->pid = pid;
    entry->index = count;
    HASH_ADD(hh, inspection->pids, pid, sizeof entry->pid, entry);
    inspection->processes[count] = (struct inspect_process){.pid = pid};
    inspection->process_count++;
    return &inspection->processes[count];
}

static void note_outcome(struct inspect_op *op, const struct trace_event *event)
{
    if (trace_given(event->given, TRACE_DUR))
        histogram_add(&op->dur, event->dur_ns);
    if (trace_given(event->given, TRACE_DONE) && event->done_ns >= event->t_ns)
        histogram_add(&op->done, event->done_ns - event->t_ns);
    if (!trace_given(event->given, TRACE_STATUS))
        return;
    size_t i = 0;
    while (i < op->status_count && op->statuses[i].status != event->status)
        i++;
    if (i == INSPECT_STATUSES) {
        op->other_statuses++;
        return;
    }
    if (i == op->status_count)
        op->statuses[op->status_count++].status = event->status;
    op->statuses[i].count++;
}

static void note(struct inspection *inspection, const struct trace_event *event)
{
    if (inspection->events++ == 0)
        inspection->first_ns = event->t_ns;
    inspection->last_ns = event->t_ns;
    inspection->ops[event->op].count++;
    note_outcome(&inspection->ops[event->op], event);

    struct inspect_process *process = process_of(inspection, event->pid);
    if (process == NULL) {
        inspection->out_of_memory = true;
        return;
    }
    if (process->events++ == 0)
        process->first_ns = event->t_ns;
    process->last_ns = event->t_ns;
    process->presents += event->op == TRACE_PRESENT;
    if (event->op == TRACE_SUBMIT) {
        process->submits++;
        process->gpu_ns += event->gpu_ns;
        inspection->submits++;
        inspection->gpu_ns += event->gpu_ns;
        inspection->references += event->allocations.count + event->writes.count;
    }
    note_objects(inspection, process, event);
    struct inspect_references *references = inspection->named;
    if (references != NULL && event->op == TRACE_SUBMIT) {
        note_references(inspection, event, event->allocations, references->submits);
        note_references(inspection, event, event->writes, references->submits);
    } else if (references != NULL && event->op == TRACE_MAKE_RESIDENT) {
        note_references(inspection, event, event->allocations, references->residency);
    }
}

enum trace_result inspect_read(struct inspection *inspection, struct trace_reader *reader,
                               bool skip_bad, bool (*tick)(void *self, uint64_t events), void *self,
                               struct trace_error *error)
{
    struct trace_event event;
    enum trace_result result;
    while ((result = trace_next(reader, &event, error)) != TRACE_END) {
        if (result == TRACE_EVENT) {
            note(inspection, &event);
        } else if (!skip_bad || !error->skippable) {
            return TRACE_BAD;
        } else if (inspection->bad_events++ == 0) {
            memcpy(inspection->first_bad, error->message, sizeof inspection->first_bad);
        }
        if (((inspection->events + inspection->bad_events) & 0xfff) == 0 &&
            !tick(self, inspection->events))
            break;
    }
    for (struct inspect_object *fence = inspection->kinds[INSPECT_FENCES].objects; fence != NULL;
         fence = fence->hh.next)
        inspection->waits_unsignaled +=
            fence->is_waited && (!fence->is_signaled || fence->waited > fence->signaled);
    return TRACE_END;
}

void inspect_free(struct inspection *inspection)
{
    for (int kind = 0; kind < INSPECT_ALL; kind++) {
        struct inspect_object *object, *next;
        HASH_ITER (hh, inspection->kinds[kind].objects, object, next) {
            HASH_DEL(inspection->kinds[kind].objects, object);
            free(object);
        }
    }
    struct inspect_pid *pid, *next_pid;
    HASH_ITER (hh, inspection->pids, pid, next_pid) {
        HASH_DEL(inspection->pids, pid);
        free(pid);
    }
    free(inspection->processes);
    for (int op = 0; op < TRACE_OPS; op++) {
        histogram_clear(&inspection->ops[op].dur);
        histogram_clear(&inspection->ops[op].done);
    }
}
