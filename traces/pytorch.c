/* The "pytorch" trace format: a memory snapshot of PyTorch's caching allocator
 * (torch.cuda.memory._dump_snapshot), a pickle of its history and of what it holds at the end
 * (trace-formats.md §5). */
#include "traces/activity/reader.h"
#include "traces/buffer.h"
#include "traces/message.h"
#include "traces/pickle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct trace_format trace_format_pytorch;

/* The structure, as far as it matters. */

enum entry_field { ENTRY_ACTION, ENTRY_ADDR, ENTRY_SIZE, ENTRY_STREAM, ENTRY_TIME };
static const struct pickle_field entry_fields[] = {
    {"action", NULL}, {"addr", NULL}, {"size", NULL}, {"stream", NULL}, {"time_us", NULL},
};

enum block_field { BLOCK_ADDRESS, BLOCK_SIZE, BLOCK_STATE };
static const struct pickle_field block_fields[] = {
    {"address", NULL},
    {"size", NULL},
    {"state", NULL},
};

enum segment_field { SEGMENT_ADDRESS, SEGMENT_SIZE, SEGMENT_DEVICE, SEGMENT_EXPANDABLE };
static const struct pickle_shape entry = {.fields = entry_fields, .field_count = 5};
static const struct pickle_shape trace = {.list = true, .items = &entry};
static const struct pickle_shape traces = {.list = true, .items = &trace};
static const struct pickle_shape block = {.fields = block_fields, .field_count = 3};
static const struct pickle_shape blocks = {.list = true, .items = &block};
static const struct pickle_field segment_fields[] = {
    {"address", NULL},       {"total_size", NULL}, {"device", NULL},
    {"is_expandable", NULL}, {"blocks", &blocks},
};
static const struct pickle_shape segment = {.fields = segment_fields, .field_count = 5};
static const struct pickle_shape segments = {.list = true, .items = &segment};
static const struct pickle_field snapshot_fields[] = {
    {"segments", &segments},
    {"device_traces", &traces},
};
static const struct pickle_shape snapshot = {.fields = snapshot_fields, .field_count = 2};

enum word {
    ALLOC,
    FREE_REQUESTED,
    FREE_COMPLETED,
    SEGMENT_ALLOC,
    SEGMENT_FREE,
    SEGMENT_MAP,
    SEGMENT_UNMAP,
    SNAPSHOT,
    OOM,
    ACTIVE_ALLOCATED,
    ACTIVE_PENDING_FREE,
    ACTIVE_AWAITING_FREE,
    WORDS
};
static const char *const words[WORDS] = {
    [ALLOC] = "alloc",
    [FREE_REQUESTED] = "free_requested",
    [FREE_COMPLETED] = "free_completed",
    [SEGMENT_ALLOC] = "segment_alloc",
    [SEGMENT_FREE] = "segment_free",
    [SEGMENT_MAP] = "segment_map",
    [SEGMENT_UNMAP] = "segment_unmap",
    [SNAPSHOT] = "snapshot",
    [OOM] = "oom",
    [ACTIVE_ALLOCATED] = "active_allocated",
    [ACTIVE_PENDING_FREE] = "active_pending_free",
    [ACTIVE_AWAITING_FREE] = "active_awaiting_free",
};

struct held_block {
    uint64_t offset, bytes;
    int64_t address; /* -1: not said */
    bool held;
};

struct reading {
    struct activity_reader *reader;
    const struct trace_open_options *options;
    bool of_segments; /* allocations are segments, not blocks */
    bool made_up_work;
    uint32_t device; /* of the history being read */
    uint32_t devices;
    int64_t last_us; /* of that history */
    bool any_time;
    struct held_block *blocks; /* of the segment to come */
    size_t block_count, block_room;
    uint64_t entries, actions[WORDS], actions_unknown, without_time, segments, reserved_bytes;
};

/* Values. */

static bool number(const struct pickle_object *object, unsigned field, int64_t *value)
{
    *value = object->values[field].number;
    return object->values[field].kind == PICKLE_NUMBER && *value >= 0;
}

static bool add(struct reading *reading, const struct activity *activity, struct trace_error *error)
{
    struct activity_reader *reader = reading->reader;
    return activities_add(reader->activities, activity) ||
           trace_fail(error, false, "%s: %s", trace_input_path(reader->input),
                      activities_failure(reader->activities));
}

/* Memory that the driver maps into an expandable segment is made of handles of one size, 20 MiB in
 * large segments and 2 MiB in small ones; any of them can be given back alone. Each is an
 * allocation.
 */
static bool add_handles(struct reading *reading, struct activity memory, struct trace_error *error)
{
    static const uint64_t SMALL = 2 << 20, LARGE = 20 << 20, MOST = 1 << 16;
    uint64_t bytes = memory.bytes, handle = bytes % LARGE == 0 ? LARGE : SMALL;
    if (bytes % handle != 0 || bytes / handle > MOST)
        return add(reading, &memory, error);
    memory.bytes = handle;
    for (uint64_t at = 0; at < bytes; at += handle, memory.address += handle)
        if (!add(reading, &memory, error))
            return false;
    return true;
}

/* The history. */

/* Nothing is recorded of the GPU's work. With the setting `work=made-up` it is taken to be busy
 * from one allocation or free to the next, unless they follow each other closely. */
static bool make_up_work(struct reading *reading, const struct pickle_object *object,
                         int64_t now_us, struct trace_error *error)
{
    enum { BURST_US = 10 };
    int64_t stream = 0;
    bool pause = reading->any_time && now_us - reading->last_us >= BURST_US;
    if (!reading->made_up_work || !pause)
        return true;
    number(object, ENTRY_STREAM, &stream);
    return add(reading,
               &(struct activity){
                   .kind = ACTIVITY_KERNEL,
                   .origin = object->offset,
                   .start_ns = reading->last_us * 1000,
                   .dur_ns = (uint64_t)(now_us - reading->last_us) * 1000,
                   .device = reading->device,
                   .stream = stream <= UINT32_MAX ? (uint32_t)stream : 0,
               },
               error);
}

/* An entry's time. Before PyTorch 2.1 there is none: then a microsecond passes. */
static bool time_of(struct reading *reading, const struct pickle_object *object, int64_t *now_us)
{
    if (object->values[ENTRY_TIME].kind == PICKLE_ABSENT) {
        *now_us = reading->any_time ? reading->last_us + 1 : 0;
        reading->without_time++;
        return *now_us <= ACTIVITY_FARTHEST_NS / 1000;
    }
    return number(object, ENTRY_TIME, now_us) && *now_us <= ACTIVITY_FARTHEST_NS / 1000;
}

static bool read_entry(struct reading *reading, const struct pickle_object *object,
                       struct trace_error *error)
{
    const struct pickle_scalar *action = &object->values[ENTRY_ACTION];
    int64_t address, bytes, now_us;
    reading->entries++;
    if (action->kind != PICKLE_WORD || action->number > OOM) {
        reading->actions_unknown++;
        return true;
    }
    reading->actions[action->number]++;
    bool of_segment = action->number >= SEGMENT_ALLOC && action->number <= SEGMENT_UNMAP;
    bool of_block = action->number == ALLOC || action->number == FREE_COMPLETED;
    if (!of_segment && !of_block)
        return true;
    if (!time_of(reading, object, &now_us) || !number(object, ENTRY_ADDR, &address) ||
        !number(object, ENTRY_SIZE, &bytes)) {
        reading->reader->undecodable++;
        return true;
    }
    if (!make_up_work(reading, object, now_us, error))
        return false;
    reading->last_us = now_us;
    reading->any_time = true;
    if (of_segment != reading->of_segments)
        return true;
    bool takes =
        action->number == ALLOC || action->number == SEGMENT_ALLOC || action->number == SEGMENT_MAP;
    const struct activity memory = {
        .kind = takes ? ACTIVITY_ALLOCATE : ACTIVITY_FREE,
        .origin = object->offset,
        .start_ns = now_us * 1000,
        .address = (uint64_t)address,
        .bytes = (uint64_t)bytes,
        .device = reading->device,
    };
    if (action->number == SEGMENT_MAP || action->number == SEGMENT_UNMAP)
        return add_handles(reading, memory, error);
    return add(reading, &memory, error);
}

/* What is held at the end. */

static bool read_block(struct reading *reading, const struct pickle_object *object,
                       struct trace_error *error)
{
    int64_t bytes;
    if (!number(object, BLOCK_SIZE, &bytes)) {
        reading->reader->undecodable++;
        return true;
    }
    struct held_block *grown = trace_array_grow(reading->blocks, &reading->block_room,
                                                reading->block_count + 1, sizeof *grown);
    if (grown == NULL)
        return trace_fail(error, false, "%s: out of memory",
                          trace_input_path(reading->reader->input));
    reading->blocks = grown;
    const struct pickle_scalar *state = &object->values[BLOCK_STATE];
    grown[reading->block_count] = (struct held_block){
        .offset = object->offset,
        .bytes = (uint64_t)bytes,
        .held = state->kind == PICKLE_WORD && state->number >= ACTIVE_ALLOCATED,
    };
    if (!number(object, BLOCK_ADDRESS, &grown[reading->block_count].address))
        grown[reading->block_count].address = -1;
    reading->block_count++;
    return true;
}

static bool hold_blocks(struct reading *reading, struct activity memory, struct trace_error *error)
{
    uint64_t address = memory.address;
    for (size_t i = 0; i < reading->block_count; i++) {
        const struct held_block *held = &reading->blocks[i];
        if (held->address >= 0)
            address = (uint64_t)held->address;
        memory.origin = held->offset;
        memory.address = address;
        memory.bytes = held->bytes;
        if (held->held && !add(reading, &memory, error))
            return false;
        address += held->bytes; /* in older snapshots blocks say no address: they follow */
    }
    return true;
}

static bool read_segment(struct reading *reading, const struct pickle_object *object,
                         struct trace_error *error)
{
    int64_t address, bytes, device = 0;
    bool good = number(object, SEGMENT_ADDRESS, &address) && number(object, SEGMENT_SIZE, &bytes);
    if (object->values[SEGMENT_DEVICE].kind != PICKLE_ABSENT)
        good = good && number(object, SEGMENT_DEVICE, &device) && device <= UINT32_MAX;
    reading->segments++;
    if (!good) {
        reading->reader->undecodable++;
    } else {
        const struct activity memory = {
            .kind = ACTIVITY_HELD,
            .origin = object->offset,
            .address = (uint64_t)address,
            .bytes = (uint64_t)bytes,
            .device = (uint32_t)device,
        };
        reading->reserved_bytes += (uint64_t)bytes;
        good = !reading->of_segments ? hold_blocks(reading, memory, error)
               : object->values[SEGMENT_EXPANDABLE].number != 0
                   ? add_handles(reading, memory, error)
                   : add(reading, &memory, error);
        if (!good)
            return false;
    }
    reading->block_count = 0;
    return true;
}

/* The listener. */

static void begin(void *self, const struct pickle_shape *list)
{
    struct reading *reading = self;
    if (list != &trace)
        return;
    reading->device = reading->devices++; /* one history each */
    reading->any_time = false;
    reading->last_us = 0;
}

static bool read_object(void *self, const struct pickle_shape *shape,
                        const struct pickle_object *object, struct trace_error *error)
{
    if (shape == &entry)
        return read_entry(self, object, error);
    if (shape == &block)
        return read_block(self, object, error);
    return shape != &segment || read_segment(self, object, error);
}

static void show_progress(void *self)
{
    const struct reading *reading = self;
    activity_reader_progress(reading->reader, reading->options);
}

static void add_facts(const struct reading *reading)
{
    struct trace_facts *facts = &reading->reader->facts;
    trace_facts_add(facts, "entries", "entries of the history", "", reading->entries);
    for (unsigned i = 0; i <= OOM; i++) {
        char key[40];
        snprintf(key, sizeof key, "%s", words[i]);
        for (char *at = key; *at != '\0'; at++)
            *at = *at == '_' ? '-' : *at;
        if (reading->actions[i] > 0)
            trace_facts_add_format(facts, "", reading->actions[i], "entries-%s|of them %s", key,
                                   words[i]);
    }
    trace_facts_add(facts, "entries-unknown", "of them of a kind not known", "",
                    reading->actions_unknown);
    trace_facts_add(facts, "entries-without-time",
                    "of them without a time: a microsecond behind the one before", "",
                    reading->without_time);
    trace_facts_add(facts, "segments", "pieces that the driver had given at the end", "",
                    reading->segments);
    trace_facts_add(facts, "segments-bytes", "their bytes: what was reserved", "bytes",
                    reading->reserved_bytes);
    trace_facts_lack(facts, "what came before the oldest entry: the history is a ring");
    if (reading->made_up_work)
        trace_facts_lack(facts, "what the GPU did: work is made up, from one allocation or free to "
                                "the next");
    bool taken = reading->actions[SEGMENT_ALLOC] + reading->actions[SEGMENT_FREE] +
                     reading->actions[SEGMENT_MAP] + reading->actions[SEGMENT_UNMAP] >
                 0;
    if (reading->of_segments && !taken)
        trace_facts_lack(facts, "what the driver was asked for: all segments were there before, so "
                                "nothing happens; blocks have what the program did");
    else if (reading->of_segments)
        trace_facts_lack(facts, "what the program asked for: allocations are what the allocator "
                                "took from the driver");
    else
        trace_facts_lack(facts, "what the driver was asked for: allocations are the pieces of a "
                                "caching allocator, which has more");
}

static bool read_settings(struct reading *reading, struct trace_error *error)
{
    const struct trace_format *format = &trace_format_pytorch;
    const char *allocations = trace_setting(format, reading->options, "allocations");
    const char *work = trace_setting(format, reading->options, "work");
    reading->of_segments = strcmp(allocations, "segments") == 0;
    reading->made_up_work = strcmp(work, "made-up") == 0;
    if (!reading->of_segments && strcmp(allocations, "blocks") != 0)
        return trace_fail_setting(format, "allocations", allocations, error);
    return reading->made_up_work || strcmp(work, "none") == 0 ||
           trace_fail_setting(format, "work", work, error);
}

static void read_all(struct reading *reading)
{
    const struct pickle_listener listener = {
        .self = reading,
        .root = &snapshot,
        .words = words,
        .word_count = WORDS,
        .begin = begin,
        .object = read_object,
        .progress = show_progress,
    };
    struct activity_reader *reader = reading->reader;
    pickle_read(reader->input, &listener, &reader->damage);
    free(reading->blocks);
    add_facts(reading);
    snprintf(reader->source, sizeof reader->source, "PyTorch memory snapshot, %s",
             reading->of_segments ? "segments" : "blocks");
}

static bool pytorch_open(struct trace_input *input, const struct trace_open_options *options,
                         void **state, struct trace_header *header, struct trace_error *error)
{
    struct reading reading = {.options = options};
    *state = NULL;
    if (!read_settings(&reading, error)) {
        trace_input_close(input);
        return false;
    }
    if (!activity_reader_create(input, activity_place_offset, NULL, &reading.reader, error))
        return false;
    read_all(&reading);
    return activity_reader_finish(reading.reader, state, header, error);
}

static const struct trace_setting settings[] = {
    {"allocations", "blocks or segments", "blocks",
     "what an allocation is: a piece that the caching allocator gave to the program, or a segment "
     "that it took from the driver"},
    {"work", "none or made-up", "none",
     "the recording has no work of the GPU; made-up: taken to be busy from one allocation or free "
     "to "
     "the next, where 10 us or more pass"},
};

const struct trace_format trace_format_pytorch = {
    .name = "pytorch",
    .summary = "memory snapshot of PyTorch (pickle)",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .names_its_own = true,
    .detect = pickle_detect,
    .open = pytorch_open,
    .next = activity_reader_next,
    .place = activity_reader_place,
    .facts = activity_reader_facts,
    .close = activity_reader_close,
};
