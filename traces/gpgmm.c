/* The "gpgmm" trace format: what GPGMM, an allocator for D3D12, records of itself as Chrome JSON.
 *
 * A call of CreateResource finds room in a heap or has one made, which is when the system hears of
 * it; the resource is a piece of the heap. Objects are told when they are made (N), described (O)
 * and deleted (D). How long a call took is a counter behind it, or the distance of its B and E. */
#include "traces/activity/reader.h"
#include "traces/chrome.h"
#include "traces/map.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

extern const struct trace_format trace_format_gpgmm;

/* What of an event's "args" counts. */
struct gpgmm_args {
    uint64_t of; /* offset of the event */
    struct chrome_number counter, bytes, uma, heap_type, page, dimension, flags;
};

static const struct chrome_field resource_fields[] = {
    {"Dimension", offsetof(struct gpgmm_args, dimension), NULL},
    {"Flags", offsetof(struct gpgmm_args, flags), NULL},
    {NULL, 0, NULL},
};
static const struct chrome_field allocation_fields[] = {
    {"HeapType", offsetof(struct gpgmm_args, heap_type), NULL},
    {NULL, 0, NULL},
};
/* Of 2022 there are versions that write the type under another name. */
static const struct chrome_field property_fields[] = {
    {"Type", offsetof(struct gpgmm_args, heap_type), NULL},
    {"SizeInBytes", offsetof(struct gpgmm_args, heap_type), NULL},
    {"CPUPageProperty", offsetof(struct gpgmm_args, page), NULL},
    {NULL, 0, NULL},
};
static const struct chrome_field heap_fields[] = {
    {"Properties", 0, property_fields},
    {NULL, 0, NULL},
};
static const struct chrome_field snapshot_fields[] = {
    {"SizeInBytes", offsetof(struct gpgmm_args, bytes), NULL},
    {"Size", offsetof(struct gpgmm_args, bytes), NULL},
    {"IsUMA", offsetof(struct gpgmm_args, uma), NULL},
    {"Heap", 0, heap_fields},
    {NULL, 0, NULL},
};
static const struct chrome_field args_fields[] = {
    {"value", offsetof(struct gpgmm_args, counter), NULL},
    {"snapshot", 0, snapshot_fields},
    {"allocationDescriptor", 0, allocation_fields},
    {"resourceDescriptor", 0, resource_fields},
    {NULL, 0, NULL},
};

/* Memory that was made and whose description, or the end of its call, is still to come. */
struct made {
    uint64_t id, origin;
    int64_t at_ns;
    uint64_t bytes;
    bool heap, described, in_call;
    uint8_t usage;
};

enum { MADE = 8 };

struct thread {
    uint32_t pid, tid;
    bool open; /* in a call of CreateResource */
    int64_t start_ns;
    int64_t dur_ns; /* -1: not known yet */
    int64_t heap_type;
    uint8_t usage; /* of a resource in memory of the default type */
    struct made made[MADE];
    unsigned made_count;
    struct thread *next;
};

struct gpgmm {
    struct activity_reader *reader;
    const struct trace_open_options *options;
    struct json_scan scan;
    struct gpgmm_args args;
    struct trace_map by_number;
    struct thread *threads; /* all of them */
    bool of_resources;      /* allocations are resources, not heaps */
    bool uma;
    uint64_t events, calls, heaps, resources, command_lists;
    struct trace_samples heap_latencies, placed_latencies;
};

/* Memory. */

enum { HEAP_DEFAULT = 1, HEAP_UPLOAD = 2, HEAP_READBACK = 3, HEAP_CUSTOM = 4 };

/* D3D12_HEAP_TYPE; of a custom one D3D12_CPU_PAGE_PROPERTY says what the processor does with it. */
static uint8_t usage_of_heap(int64_t type, int64_t page, uint8_t otherwise)
{
    enum { WRITE_COMBINE = 2, WRITE_BACK = 3 };
    if (type == HEAP_UPLOAD || (type == HEAP_CUSTOM && page == WRITE_COMBINE))
        return USAGE_UPLOAD;
    if (type == HEAP_READBACK || (type == HEAP_CUSTOM && page == WRITE_BACK))
        return USAGE_READBACK;
    return otherwise;
}

/* D3D12_RESOURCE_DIMENSION, D3D12_RESOURCE_FLAGS */
static uint8_t usage_of_resource(int64_t dimension, int64_t flags)
{
    enum { BUFFER = 1, ALLOW_RENDER_TARGET = 1, ALLOW_DEPTH_STENCIL = 2 };
    if (dimension <= BUFFER)
        return USAGE_BUFFER;
    return flags & ALLOW_RENDER_TARGET   ? USAGE_RENDER_TARGET
           : flags & ALLOW_DEPTH_STENCIL ? USAGE_DEPTH
                                         : USAGE_TEXTURE;
}

/* False: failed, as the activities remember. */
static bool add(struct gpgmm *gpgmm, const struct activity *activity)
{
    return activities_add(gpgmm->reader->activities, activity);
}

static bool add_made(struct gpgmm *gpgmm, const struct thread *thread, const struct made *made,
                     bool first)
{
    if (!made->described) {
        gpgmm->reader->undecodable++;
        return true;
    }
    bool timed = made->in_call && first && thread->dur_ns > 0;
    return add(gpgmm, &(struct activity){
                          .kind = ACTIVITY_ALLOCATE,
                          .origin = made->origin,
                          .start_ns = made->in_call ? thread->start_ns : made->at_ns,
                          .dur_ns = timed ? (uint64_t)thread->dur_ns : 0,
                          .bytes = made->bytes,
                          .address = made->id,
                          .pid = thread->pid,
                          .tid = thread->tid,
                          .usage = made->usage,
                      });
}

/* Nothing more is told of what the thread made so far. */
static bool tell_made(struct gpgmm *gpgmm, struct thread *thread)
{
    bool first = true, heap = false;
    for (unsigned i = 0; i < thread->made_count; i++) {
        const struct made *made = &thread->made[i];
        heap = heap || (made->heap && made->in_call);
        if (made->heap == gpgmm->of_resources)
            continue;
        if (!add_made(gpgmm, thread, made, first))
            return false;
        first = first && !made->in_call;
    }
    if (thread->dur_ns >= 0)
        trace_samples_add(&gpgmm->reader->facts,
                          heap ? &gpgmm->heap_latencies : &gpgmm->placed_latencies,
                          (uint64_t)thread->dur_ns);
    thread->made_count = 0;
    thread->dur_ns = -1;
    return true;
}

/* Threads and their calls. */

/* NULL: out of memory, as the facts remember. */
static struct thread *thread_of(struct gpgmm *gpgmm, const struct chrome_event *event)
{
    struct thread *thread = trace_map_get(&gpgmm->by_number, event->pid, event->tid);
    if (thread != NULL)
        return thread;
    thread = calloc(1, sizeof *thread);
    if (thread == NULL || !trace_map_put(&gpgmm->by_number, event->pid, event->tid, thread)) {
        free(thread);
        gpgmm->reader->facts.failed = true;
        return NULL;
    }
    *thread =
        (struct thread){.pid = event->pid, .tid = event->tid, .dur_ns = -1, .next = gpgmm->threads};
    gpgmm->threads = thread;
    return thread;
}

static bool begin_call(struct gpgmm *gpgmm, struct thread *thread, const struct chrome_event *event)
{
    const struct gpgmm_args *args = &gpgmm->args;
    if (!tell_made(gpgmm, thread))
        return false;
    gpgmm->calls++;
    thread->open = true;
    thread->start_ns = event->ts_ns;
    thread->heap_type = args->heap_type.given ? args->heap_type.value : HEAP_DEFAULT;
    thread->usage = usage_of_resource(args->dimension.value, args->flags.value);
    return true;
}

static void end_call(struct gpgmm *gpgmm, struct thread *thread, int64_t start_ns, int64_t end_ns)
{
    if (!thread->open)
        return;
    thread->open = false;
    if (start_ns > end_ns || !activity_in_time(start_ns, (uint64_t)(end_ns - start_ns))) {
        gpgmm->reader->undecodable++;
        return;
    }
    thread->start_ns = start_ns;
    thread->dur_ns = end_ns - start_ns;
}

/* The counter is in microseconds. */
static void end_call_by_counter(struct gpgmm *gpgmm, struct thread *thread,
                                const struct chrome_event *event)
{
    static const int64_t LONGEST_US = ACTIVITY_FARTHEST_NS / 1000 / 2;
    const struct chrome_number *counter = &gpgmm->args.counter;
    if (!counter->given || counter->value < 0 || counter->value > LONGEST_US)
        gpgmm->reader->undecodable++;
    else
        end_call(gpgmm, thread, event->ts_ns - counter->value * 1000, event->ts_ns);
}

/* Objects. */

static bool make(struct gpgmm *gpgmm, struct thread *thread, const struct chrome_event *event,
                 bool heap)
{
    if (thread->made_count == MADE && !tell_made(gpgmm, thread))
        return false;
    *(heap ? &gpgmm->heaps : &gpgmm->resources) += 1;
    thread->made[thread->made_count++] = (struct made){
        .id = event->id,
        .origin = event->offset,
        .at_ns = event->ts_ns,
        .heap = heap,
        .in_call = thread->open,
    };
    return true;
}

static void describe(struct gpgmm *gpgmm, struct thread *thread, const struct chrome_event *event,
                     bool heap)
{
    const struct gpgmm_args *args = &gpgmm->args;
    unsigned i = thread->made_count;
    while (i > 0 && (thread->made[i - 1].id != event->id || thread->made[i - 1].heap != heap))
        i--;
    if (i == 0 || thread->made[i - 1].described || args->bytes.value <= 0)
        return; /* described again: nothing of it is new */
    struct made *made = &thread->made[i - 1];
    int64_t type = args->heap_type.given ? args->heap_type.value : thread->heap_type;
    made->described = true;
    made->bytes = (uint64_t)args->bytes.value;
    made->usage = usage_of_heap(type, args->page.value, heap ? USAGE_HEAP : thread->usage);
}

static bool give_back(struct gpgmm *gpgmm, const struct chrome_event *event, bool heap)
{
    if (heap == gpgmm->of_resources)
        return true;
    return add(gpgmm, &(struct activity){
                          .kind = ACTIVITY_FREE,
                          .origin = event->offset,
                          .start_ns = event->ts_ns,
                          .address = event->id,
                          .pid = event->pid,
                          .tid = event->tid,
                      });
}

/* Events. */

enum meaning { NOTHING, CALL, LATENCY, HEAP, RESOURCE, ALLOCATOR, COMMAND_LISTS };

static enum meaning meaning_of(const char *name)
{
    static const struct {
        const char *name;
        enum meaning meaning;
    } names[] = {
        {"ResourceAllocator.CreateResource", CALL},
        {"GPU allocation latency (us)", LATENCY},
        {"GPU allocation hit time (us)", LATENCY}, /* in older versions */
        {"Heap", HEAP},
        {"IHeap", HEAP},
        {"ResourceAllocation", RESOURCE},
        {"IResourceAllocation", RESOURCE},
        {"ResourceAllocator", ALLOCATOR},
        {"IResourceAllocator", ALLOCATOR},
        {"ResidencyManager.ExecuteCommandLists", COMMAND_LISTS},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i].name) == 0)
            return names[i].meaning;
    return NOTHING;
}

static bool wanted(void *self, const struct chrome_event *event)
{
    (void)self;
    if (event->phase != '\0' && strchr("iIBECNOD", event->phase) == NULL)
        return false;
    return event->name[0] == '\0' || meaning_of(event->name) != NOTHING;
}

static bool read_args(void *self, struct json_scan *scan, const struct chrome_event *event)
{
    struct gpgmm *gpgmm = self;
    gpgmm->args = (struct gpgmm_args){.of = event->offset};
    return chrome_numbers(scan, args_fields, &gpgmm->args);
}

static bool read_object(struct gpgmm *gpgmm, struct thread *thread,
                        const struct chrome_event *event, bool heap)
{
    switch (event->phase) {
    case 'N':
        return make(gpgmm, thread, event, heap);
    case 'O':
        describe(gpgmm, thread, event, heap);
        return true;
    case 'D':
        return give_back(gpgmm, event, heap);
    default:
        return true;
    }
}

static bool read_event(void *self, const struct chrome_event *event)
{
    struct gpgmm *gpgmm = self;
    enum meaning meaning = meaning_of(event->name);
    if (gpgmm->args.of != event->offset)
        gpgmm->args = (struct gpgmm_args){.of = event->offset};
    if (meaning == NOTHING)
        return true;
    gpgmm->events++;
    if (!event->has_ts || !activity_in_time(event->ts_ns, 0)) {
        gpgmm->reader->undecodable++;
        return true;
    }
    struct thread *thread = thread_of(gpgmm, event);
    if (thread == NULL)
        return false;
    bool instant = event->phase == 'i' || event->phase == 'I';
    if (meaning == HEAP || meaning == RESOURCE)
        return read_object(gpgmm, thread, event, meaning == HEAP);
    if (meaning == CALL && instant)
        return begin_call(gpgmm, thread, event);
    if (meaning == CALL && event->phase == 'B' && thread->open)
        thread->start_ns = event->ts_ns; /* behind the instant that told the call's arguments */
    else if (meaning == CALL && event->phase == 'E')
        end_call(gpgmm, thread, thread->start_ns, event->ts_ns);
    else if (meaning == LATENCY)
        end_call_by_counter(gpgmm, thread, event);
    else if (meaning == ALLOCATOR && gpgmm->args.uma.given)
        gpgmm->uma = gpgmm->args.uma.value != 0;
    else if (meaning == COMMAND_LISTS && instant)
        gpgmm->command_lists++;
    return true;
}

static void show_progress(void *self)
{
    const struct gpgmm *gpgmm = self;
    activity_reader_progress(gpgmm->reader, gpgmm->options);
}

static void add_facts(struct gpgmm *gpgmm)
{
    struct trace_facts *facts = &gpgmm->reader->facts;
    trace_facts_add(facts, "memory-events", "events about memory", "", gpgmm->events);
    trace_facts_add(facts, "resource-calls", "calls that create a resource", "", gpgmm->calls);
    trace_facts_add(facts, "resources", "resources made", "", gpgmm->resources);
    trace_facts_add(facts, "heaps", "heaps made for them", "", gpgmm->heaps);
    trace_facts_add(facts, "command-lists", "executions of command lists: left out", "",
                    gpgmm->command_lists);
    trace_facts_add_quantiles(facts, "latency-with-heap", "calls that made a heap",
                              &gpgmm->heap_latencies);
    trace_facts_add_quantiles(facts, "latency-placed", "calls that found room in a heap",
                              &gpgmm->placed_latencies);
    trace_facts_lack(facts, "what calls take when nobody records: writing the recording, some 19 "
                            "us each, is part of their durations");
    trace_facts_lack(facts, gpgmm->of_resources
                                ? "what the driver was asked for: resources are pieces of heaps"
                                : "which part of a heap is used: resources are pieces of heaps");
}

static bool read_settings(struct gpgmm *gpgmm, struct trace_error *error)
{
    const char *value = trace_setting(&trace_format_gpgmm, gpgmm->options, "allocations");
    gpgmm->of_resources = strcmp(value, "resources") == 0;
    return gpgmm->of_resources || strcmp(value, "heaps") == 0 ||
           trace_fail_setting(&trace_format_gpgmm, "allocations", value, error);
}

static void read_all(struct gpgmm *gpgmm)
{
    const struct chrome_listener listener = {
        .self = gpgmm,
        .wanted = wanted,
        .args = read_args,
        .event = read_event,
        .progress = show_progress,
    };
    struct activity_reader *reader = gpgmm->reader;
    gpgmm->scan.error = &reader->damage;
    chrome_read(&gpgmm->scan, &listener);
    for (struct thread *thread = gpgmm->threads, *next; thread != NULL; thread = next) {
        next = thread->next;
        tell_made(gpgmm, thread);
        free(thread);
    }
    trace_map_free(&gpgmm->by_number);
    add_facts(gpgmm);
    trace_samples_free(&gpgmm->heap_latencies);
    trace_samples_free(&gpgmm->placed_latencies);
    snprintf(reader->source, sizeof reader->source, "GPGMM (D3D12)%s, %s",
             gpgmm->uma ? ", integrated GPU" : "", gpgmm->of_resources ? "resources" : "heaps");
}

static bool gpgmm_open(struct trace_input *input, const struct trace_open_options *options,
                       void **state, struct trace_header *header, struct trace_error *error)
{
    struct gpgmm gpgmm = {.options = options};
    *state = NULL;
    if (!read_settings(&gpgmm, error)) {
        trace_input_close(input);
        return false;
    }
    if (!activity_reader_create(input, activity_place_offset, NULL, &gpgmm.reader, error))
        return false;
    if (!json_scan_open(&gpgmm.scan, input, error)) {
        activity_reader_close(gpgmm.reader);
        return false;
    }
    read_all(&gpgmm);
    json_scan_close(&gpgmm.scan);
    return activity_reader_finish(gpgmm.reader, state, header, error);
}

/* The allocator's name is that of a thread or of the process, at the begin. */
static bool gpgmm_detect(const unsigned char *head, size_t length)
{
    static const char *const keys[] = {"traceEvents", NULL};
    static const char name[] = "\"GPGMM";
    return chrome_detect(head, length, keys) && memmem(head, length, name, sizeof name - 1) != NULL;
}

static const struct trace_setting settings[] = {
    {"allocations", "heaps or resources", "heaps",
     "what an allocation is: a heap, which the system made, or a resource, which is a piece of "
     "one"},
};

const struct trace_format trace_format_gpgmm = {
    .name = "gpgmm",
    .summary = "Chrome JSON of GPGMM, an allocator for D3D12",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .names_its_own = true,
    .detect = gpgmm_detect,
    .open = gpgmm_open,
    .next = activity_reader_next,
    .place = activity_reader_place,
    .facts = activity_reader_facts,
    .close = activity_reader_close,
};
