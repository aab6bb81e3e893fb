/* One walk over the records before events are made of them: jobs, whose they are, and which buffer
 * objects were there before they were first mentioned. */
#include "traces/linux/jobs.h"

#include "traces/buffer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

static_assert(sizeof(uintptr_t) >= sizeof(uint64_t), "sizes are kept in pointers");

/* The ordinal of an adapter, in the order of their first mention; what names none is of the first.
 */
static uint32_t ordinal_of(struct linux_import *import, uint16_t adapter)
{
    static const uint64_t ADAPTERS = UINT64_MAX; /* no process */
    uintptr_t known = (uintptr_t)trace_map_get(&import->device_numbers, ADAPTERS, adapter);
    if (known != 0 || adapter == 0)
        return known != 0 ? (uint32_t)(known - 1) : 0;
    uint32_t ordinal = import->adapter_count++;
    if (!trace_map_put(&import->device_numbers, ADAPTERS, adapter,
                       (void *)(uintptr_t)(ordinal + 1)))
        linux_fail(import, "out of memory");
    return ordinal;
}

uint32_t linux_device_of(struct linux_import *import, uint32_t process, uint16_t adapter)
{
    enum { ROOM = 48 };
    uint32_t ordinal = ordinal_of(import, adapter);
    uintptr_t known = (uintptr_t)trace_map_get(&import->device_numbers, process, ordinal);
    if (known != 0)
        return (uint32_t)(known - 1);
    struct linux_device *grown = trace_array_grow(import->devices, &import->device_room,
                                                  import->device_count + 1, sizeof *grown);
    char *name = trace_arena_take(&import->arena, ROOM, 1);
    if (grown != NULL)
        import->devices = grown;
    if (grown == NULL || name == NULL ||
        !trace_map_put(&import->device_numbers, process, ordinal,
                       (void *)(uintptr_t)(import->device_count + 1))) {
        linux_fail(import, "out of memory");
        return 0;
    }
    int length = process != 0 ? snprintf(name, ROOM, "pid %" PRIu32, process)
                              : snprintf(name, ROOM, "kernel");
    if (ordinal > 0)
        snprintf(name + length, ROOM - (size_t)length, " gpu %" PRIu32, ordinal);
    grown[import->device_count] =
        (struct linux_device){.name = name, .process = process, .ordinal = ordinal};
    return (uint32_t)import->device_count++;
}

/* Buffer objects. */

static void set_alive(struct linux_import *import, struct trace_map *alive, uint64_t object,
                      bool is)
{
    static char yes;
    if (!trace_map_put(alive, object, 0, is ? &yes : NULL))
        linux_fail(import, "out of memory");
}

/* Notes that the object was there before, of that size. */
static void hold(struct linux_import *import, struct trace_map *alive,
                 const struct linux_record *record)
{
    uint64_t object = record->values[LINUX_OBJECT], bytes = record->values[LINUX_BYTES];
    if (trace_map_get(alive, object, 0) != NULL)
        return;
    if (bytes == 0 || bytes > INT64_MAX) {
        import->tally.undecodable++;
        return;
    }
    struct linux_held *grown =
        trace_array_grow(import->held, &import->held_room, import->held_count + 1, sizeof *grown);
    if (grown == NULL) {
        linux_fail(import, "out of memory");
        return;
    }
    import->held = grown;
    grown[import->held_count++] = (struct linux_held){
        .object = object,
        .bytes = bytes,
        .device = linux_device_of(import, linux_process_of(record),
                                  (uint16_t)record->values[LINUX_DEVICE]),
    };
    import->tally.held_bytes += bytes;
    set_alive(import, alive, object, true);
}

static void create(struct linux_import *import, struct trace_map *alive,
                   const struct linux_record *record)
{
    uint64_t bytes = linux_bytes_of(record);
    if (!linux_has(record, LINUX_OBJECT)) {
        import->tally.objects_without_name++;
        return;
    }
    if (bytes == 0) {
        import->tally.undecodable++;
        return;
    }
    uint64_t object = record->values[LINUX_OBJECT];
    import->tally.objects_created++;
    import->tally.bytes_created += bytes;
    import->tally.objects_replaced += trace_map_get(alive, object, 0) != NULL;
    (void)linux_device_of(import, linux_process_of(record), (uint16_t)record->values[LINUX_DEVICE]);
    set_alive(import, alive, object, true);
}

static void learn_move(struct linux_import *import, struct trace_map *alive,
                       const struct linux_record *record)
{
    const uint64_t *values = record->values;
    hold(import, alive, record);
    if (values[LINUX_EMPTY] != 0) {
        import->tally.moves_empty++;
        return;
    }
    import->tally.moves++;
    if (values[LINUX_TO] >= PLACE_LOCAL && values[LINUX_FROM] < PLACE_LOCAL)
        import->tally.moved_in += values[LINUX_BYTES];
    if (values[LINUX_FROM] >= PLACE_LOCAL && values[LINUX_TO] < PLACE_LOCAL)
        import->tally.moved_out += values[LINUX_BYTES];
}

static void learn_object(struct linux_import *import, struct trace_map *alive,
                         const struct linux_record *record)
{
    switch (record->kind) {
    case LINUX_CREATE:
        create(import, alive, record);
        break;
    case LINUX_DESTROY:
        if (trace_map_get(alive, record->values[LINUX_OBJECT], 0) == NULL)
            break; /* of a size that nobody told */
        import->tally.objects_destroyed++;
        set_alive(import, alive, record->values[LINUX_OBJECT], false);
        break;
    case LINUX_MOVE:
        learn_move(import, alive, record);
        break;
    case LINUX_LIST:
        import->has_references = true;
        hold(import, alive, record);
        break;
    case LINUX_MEMORY:
        if (record->values[LINUX_BYTES] > import->tally.most_memory)
            import->tally.most_memory = record->values[LINUX_BYTES];
        break;
    default:
        break;
    }
}

bool linux_learn(struct linux_import *import)
{
    struct trace_map alive = {0};
    struct linux_jobs *jobs = linux_jobs_create(import);
    if (jobs == NULL || !trace_sorter_start(import->records)) {
        linux_jobs_free(jobs);
        return linux_take_failure(import, import->records);
    }
    const struct linux_record *record;
    while (import->failure == NULL && (record = trace_sorter_next(import->records)) != NULL) {
        linux_jobs_take(jobs, record);
        learn_object(import, &alive, record);
    }
    linux_jobs_end(jobs);
    linux_jobs_free(jobs);
    trace_map_free(&alive);
    if (trace_sorter_failure(import->records) != NULL)
        return linux_take_failure(import, import->records);
    return import->failure == NULL;
}
