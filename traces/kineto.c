/* The "kineto" trace format: Chrome trace-event JSON of the PyTorch profiler (Kineto), which has
 * the GPU's work as CUPTI tells it and what the caching allocator did (trace-formats.md §6). */
#include "traces/activity/reader.h"
#include "traces/chrome.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { DEVICES = 16, DEVICE_TYPE_CUDA = 1 };

/* What of an event's "args" counts. */
struct kineto_args {
    uint64_t of;                                                      /* offset of the event */
    struct chrome_number device, context, stream, correlation, bytes; /* work and calls */
    struct chrome_number memory_bytes, address, type, memory_device, allocated, reserved;
};

struct kineto {
    struct activity_reader *reader;
    struct json_scan scan;
    struct kineto_args args;
    char devices[DEVICES][CHROME_TEXT];
    int64_t memory[DEVICES];
    uint32_t device; /* of the first work */
    uint32_t pid;    /* of the program */
    bool has_device;
    uint64_t events, memory_events, cpu_memory, memory_without_address, most_reserved,
        most_allocated;
    bool failed; /* adding an activity */
    const struct trace_open_options *options;
};

/* What an event is, as far as that is said. */
enum meaning { NOTHING, PERHAPS, KERNEL, COPY, FILL, CALL, MEMORY };

static enum meaning meaning_of(const struct chrome_event *event)
{
    static const struct {
        const char *category;
        enum meaning meaning;
    } categories[] = {
        {"kernel", KERNEL}, /* in old files with capitals */
        {"gpu_memcpy", COPY},   {"Memcpy", COPY},      {"gpu_memset", FILL}, {"Memset", FILL},
        {"cuda_runtime", CALL}, {"cuda_driver", CALL}, {"Runtime", CALL},    {"hip_runtime", CALL},
    };
    if (event->phase == 'i' || event->phase == 'I')
        return event->name[0] == '\0'                 ? PERHAPS
               : strcmp(event->name, "[memory]") == 0 ? MEMORY
                                                      : NOTHING;
    if (event->phase != 'X' && event->phase != '\0')
        return NOTHING;
    if (event->category[0] == '\0')
        return PERHAPS;
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
        if (strcasecmp(event->category, categories[i].category) == 0)
            return event->phase == '\0' ? PERHAPS : categories[i].meaning;
    return event->phase == 'X' ? NOTHING : PERHAPS;
}

static bool wanted(void *self, const struct chrome_event *event)
{
    (void)self;
    return meaning_of(event) != NOTHING;
}

static bool read_args(void *self, struct json_scan *scan, const struct chrome_event *event)
{
    struct kineto *kineto = self;
    static const struct chrome_field fields[] = {
        {"device", offsetof(struct kineto_args, device), NULL},
        {"context", offsetof(struct kineto_args, context), NULL},
        {"stream", offsetof(struct kineto_args, stream), NULL},
        {"correlation", offsetof(struct kineto_args, correlation), NULL},
        {"bytes", offsetof(struct kineto_args, bytes), NULL},
        {"Bytes", offsetof(struct kineto_args, memory_bytes), NULL},
        {"Addr", offsetof(struct kineto_args, address), NULL},
        {"Device Type", offsetof(struct kineto_args, type), NULL},
        {"Device Id", offsetof(struct kineto_args, memory_device), NULL},
        {"Total Allocated", offsetof(struct kineto_args, allocated), NULL},
        {"Total Reserved", offsetof(struct kineto_args, reserved), NULL},
        {NULL, 0, NULL},
    };
    kineto->args = (struct kineto_args){.of = event->offset};
    return chrome_numbers(scan, fields, &kineto->args);
}

static bool in_32_bits(int64_t value)
{
    return value >= 0 && value <= UINT32_MAX;
}

/* "Memcpy HtoD (Pinned -> Device)": the words in parentheses, in newer files also "HtoD" alone. */
static uint8_t memory_named(const char *word)
{
    if (strncasecmp(word, "Pageable", 8) == 0)
        return MEMORY_PAGEABLE;
    if (strncasecmp(word, "Pinned", 6) == 0)
        return MEMORY_PINNED;
    if (strncasecmp(word, "Device", 6) == 0 || strncasecmp(word, "Array", 5) == 0)
        return MEMORY_DEVICE;
    return MEMORY_UNKNOWN;
}

static void name_ends(const char *name, struct activity *copy)
{
    const char *way = strstr(name, "HtoD"), *open = strchr(name, '('), *arrow = strstr(name, "-> ");
    if (open != NULL && arrow != NULL) {
        copy->from = memory_named(open + 1);
        copy->to = memory_named(arrow + 3);
    }
    if (way != NULL)
        copy->to = MEMORY_DEVICE;
    else if (strstr(name, "DtoH") != NULL)
        copy->from = MEMORY_DEVICE;
    else if (strstr(name, "DtoD") != NULL || strstr(name, "PtoP") != NULL)
        copy->from = copy->to = MEMORY_DEVICE;
}

static bool add(struct kineto *kineto, const struct activity *activity)
{
    if (activities_add(kineto->reader->activities, activity))
        return true;
    kineto->failed = true;
    return false;
}

static bool add_work(struct kineto *kineto, const struct chrome_event *event, enum meaning meaning,
                     struct activity *work)
{
    const struct kineto_args *args = &kineto->args;
    if (!in_32_bits(args->device.value) || !in_32_bits(args->context.value) ||
        !in_32_bits(args->stream.value) || args->bytes.value < 0) {
        kineto->reader->undecodable++;
        return true;
    }
    work->pid = 0; /* the event's is the device */
    work->tid = 0;
    work->kind = meaning == KERNEL ? ACTIVITY_KERNEL
                 : meaning == COPY ? ACTIVITY_COPY
                                   : ACTIVITY_FILL;
    work->device = (uint32_t)args->device.value;
    work->context = (uint32_t)args->context.value;
    work->stream = (uint32_t)args->stream.value;
    work->bytes = (uint64_t)args->bytes.value;
    if (meaning == COPY)
        name_ends(event->name, work);
    else if (meaning == FILL)
        work->to = MEMORY_DEVICE;
    if (!kineto->has_device) {
        kineto->has_device = true;
        kineto->device = work->device;
    }
    return add(kineto, work);
}

static bool add_call(struct kineto *kineto, const struct chrome_event *event, struct activity *call)
{
    if (kineto->pid == 0)
        kineto->pid = event->pid;
    bool waits;
    call->device = ACTIVITY_ANY_DEVICE;
    call->kind = (uint8_t)activity_of_call(event->name, &waits);
    if (!add(kineto, call) || !waits)
        return !kineto->failed;
    call->kind = ACTIVITY_WAIT_LAST; /* what it launched comes first */
    call->start_ns++;
    call->dur_ns = 0;
    return add(kineto, call);
}

static bool add_memory(struct kineto *kineto, const struct chrome_event *event,
                       struct activity *memory)
{
    const struct kineto_args *args = &kineto->args;
    kineto->memory_events++;
    if (args->type.given && args->type.value != DEVICE_TYPE_CUDA) {
        kineto->cpu_memory++;
        return true;
    }
    if (!args->type.given || !args->address.given) {
        kineto->memory_without_address++; /* oldest files: totals only */
        return true;
    }
    if (!args->memory_bytes.given || args->memory_bytes.value == INT64_MIN ||
        args->address.value < 0 || !in_32_bits(args->memory_device.value)) {
        kineto->reader->undecodable++;
        return true;
    }
    bool frees = args->memory_bytes.value < 0;
    memory->kind = frees ? ACTIVITY_FREE : ACTIVITY_ALLOCATE;
    memory->bytes = (uint64_t)(frees ? -args->memory_bytes.value : args->memory_bytes.value);
    memory->address = (uint64_t)args->address.value;
    memory->device = (uint32_t)args->memory_device.value;
    memory->dur_ns = 0;
    if (kineto->pid == 0)
        kineto->pid = event->pid;
    if (args->allocated.value > (int64_t)kineto->most_allocated)
        kineto->most_allocated = (uint64_t)args->allocated.value;
    if (args->reserved.value > (int64_t)kineto->most_reserved)
        kineto->most_reserved = (uint64_t)args->reserved.value;
    /* The account is of after the event. */
    if (args->allocated.value > 0 && args->allocated.value >= args->memory_bytes.value)
        activities_held_before(kineto->reader->activities, memory->device, event->ts_ns,
                               (uint64_t)(args->allocated.value - args->memory_bytes.value));
    return add(kineto, memory);
}

static bool read_event(void *self, const struct chrome_event *event)
{
    struct kineto *kineto = self;
    enum meaning meaning = meaning_of(event);
    if (kineto->args.of != event->offset)
        kineto->args = (struct kineto_args){.of = event->offset};
    struct activity activity = {
        .origin = event->offset,
        .start_ns = event->ts_ns,
        .dur_ns = event->dur_ns,
        .pid = event->pid,
        .tid = event->tid,
        .correlation =
            kineto->args.correlation.value > 0 ? (uint64_t)kineto->args.correlation.value : 0,
    };
    kineto->events++;
    bool good = true;
    if (meaning == NOTHING || meaning == PERHAPS)
        ;
    else if (!event->has_ts || !activity_in_time(event->ts_ns, event->dur_ns))
        kineto->reader->undecodable++;
    else if (meaning == CALL)
        good = add_call(kineto, event, &activity);
    else if (meaning == MEMORY)
        good = add_memory(kineto, event, &activity);
    else
        good = add_work(kineto, event, meaning, &activity);
    return good;
}

/* One of "deviceProperties". */
static bool read_device(struct kineto *kineto, struct json_scan *scan)
{
    struct json_text key;
    char name[CHROME_TEXT] = "";
    int64_t id = -1, bytes = 0;
    if (!json_scan_enter(scan, '{'))
        return false;
    while (json_scan_key(scan, &key)) {
        if (json_text_is(key, "id")               ? !chrome_integer(scan, &id)
            : json_text_is(key, "name")           ? !chrome_text(scan, name)
            : json_text_is(key, "totalGlobalMem") ? !chrome_integer(scan, &bytes)
                                                  : !json_scan_skip(scan))
            return false;
    }
    if (id >= 0 && id < DEVICES) {
        memcpy(kineto->devices[id], name, sizeof name);
        kineto->memory[id] = bytes;
    }
    return !json_scan_failed(scan);
}

static bool read_other(void *self, struct json_text key, struct json_scan *scan)
{
    struct kineto *kineto = self;
    if (json_text_is(key, "baseTimeNanoseconds"))
        return chrome_integer(scan, &kineto->reader->base_ns);
    if (!json_text_is(key, "deviceProperties") || json_scan_kind(scan) != '[')
        return json_scan_skip(scan);
    json_scan_enter(scan, '[');
    while (json_scan_item(scan))
        if (json_scan_kind(scan) != '{' ? !json_scan_skip(scan) : !read_device(kineto, scan))
            return false;
    return !json_scan_failed(scan);
}

static void show_progress(void *self)
{
    const struct kineto *kineto = self;
    activity_reader_progress(kineto->reader, kineto->options);
}

static void add_facts(struct kineto *kineto)
{
    struct trace_facts *facts = &kineto->reader->facts;
    trace_facts_add(facts, "gpu-events", "events about the GPU: work, calls, memory", "",
                    kineto->events);
    trace_facts_add(facts, "memory-events", "events about memory", "", kineto->memory_events);
    trace_facts_add(facts, "cpu-memory-events", "of them the processor's: left out", "",
                    kineto->cpu_memory);
    trace_facts_add(facts, "memory-events-without-address", "of them without an address: left out",
                    "", kineto->memory_without_address);
    trace_facts_add(facts, "allocator-allocated-bytes", "most that the allocator had given out",
                    "bytes", kineto->most_allocated);
    trace_facts_add(facts, "allocator-reserved-bytes", "most that it had taken from the driver",
                    "bytes", kineto->most_reserved);
    if (kineto->most_allocated > 0)
        trace_facts_lack(facts, "what the driver was asked for: allocations are the pieces of a "
                                "caching allocator, which has more");
    if (kineto->device < DEVICES && kineto->memory[kineto->device] > 0)
        trace_facts_add(facts, "gpu-memory-bytes", "memory of the GPU", "bytes",
                        (uint64_t)kineto->memory[kineto->device]);
}

static bool kineto_open(struct trace_input *input, const struct trace_open_options *options,
                        void **state, struct trace_header *header, struct trace_error *error)
{
    struct kineto kineto = {.options = options};
    const struct chrome_listener listener = {
        .self = &kineto,
        .wanted = wanted,
        .args = read_args,
        .event = read_event,
        .other = read_other,
        .progress = show_progress,
    };
    *state = NULL;
    if (!activity_reader_create(input, activity_place_offset, NULL, &kineto.reader, error))
        return false;
    struct activity_reader *reader = kineto.reader;
    if (!json_scan_open(&kineto.scan, input, error)) {
        activity_reader_close(reader);
        return false;
    }
    kineto.scan.error = &reader->damage;
    chrome_read(&kineto.scan, &listener);
    json_scan_close(&kineto.scan);
    add_facts(&kineto);
    activities_set_process(reader->activities, kineto.pid);
    const char *name = kineto.device < DEVICES ? kineto.devices[kineto.device] : "";
    snprintf(reader->source, sizeof reader->source, "PyTorch profiler (Kineto)%s%s",
             name[0] != '\0' ? ", " : "", name);
    return activity_reader_finish(reader, state, header, error);
}

static bool kineto_detect(const unsigned char *head, size_t length)
{
    static const char *const keys[] = {"traceEvents",         "schemaVersion",   "deviceProperties",
                                       "baseTimeNanoseconds", "displayTimeUnit", NULL};
    return chrome_detect(head, length, keys);
}

const struct trace_format trace_format_kineto = {
    .name = "kineto",
    .summary = "Chrome JSON of the PyTorch profiler",
    .names_its_own = true,
    .detect = kineto_detect,
    .open = kineto_open,
    .next = activity_reader_next,
    .place = activity_reader_place,
    .facts = activity_reader_facts,
    .close = activity_reader_close,
};
