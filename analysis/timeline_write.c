/* The timeline as JSON. Events stand in order of time; every slice is one event with its length, so
 * there is nothing to balance but the packets' stays in their queues, and those have numbers. */
#include "analysis/heap.h"
#include "analysis/timeline.h"
#include "model/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <unistd.h>
#include <zlib.h>

enum { GPU = 1000000000, LANES = 64, FIRST_LANE = 1000, TEXT = 1024 };

/* What an item gives rise to, in the order in which it stands at the same instant. */
enum event { EVENT_SLICE, EVENT_BEGIN, EVENT_END, EVENT_COUNTER, EVENT_FROM, EVENT_TO };

struct event_at {
    uint64_t t_ns;
    uint32_t item;
    uint8_t event; /* enum event */
    uint32_t flow; /* number of a flow, EVENT_FROM and EVENT_TO */
};

struct job_item {
    uint64_t job;
    uint32_t item;
};

struct jobs {
    size_t count;
    struct job_item *of;
};

struct writer {
    const struct timeline *timeline;
    const struct chain_names *names;
    gzFile file;
    bool failed;
    size_t length, events;
    char text[1 << 16];
    uint64_t lane_free_ns[LANES];
    uint8_t *lane; /* of each paging item */
    struct event_at *event;
    size_t event_count, event_room;
};

static void flush(struct writer *writer)
{
    int length = (int)writer->length;
    if (length > 0 && !writer->failed && gzwrite(writer->file, writer->text, (unsigned)length) < 1)
        writer->failed = true;
    writer->length = 0;
}

static void put(struct writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct writer *writer, const char *format, ...)
{
    if (sizeof writer->text - writer->length < TEXT)
        flush(writer);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(writer->text + writer->length, TEXT, format, arguments);
    va_end(arguments);
    writer->length += length < TEXT ? (size_t)length : TEXT - 1;
}

/* Text inside a JSON string: what needs an escape, and what is not ASCII, becomes a question mark.
 */
static const char *plain(char room[64], const char *text)
{
    size_t i = 0;
    for (; i < 63 && text[i] != 0; i++)
        room[i] =
            text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\' ? '?' : text[i];
    room[i] = 0;
    return room;
}

/* Microseconds, to the nanosecond. */
static void put_time(struct writer *writer, const char *key, uint64_t ns)
{
    put(writer, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned)(ns % 1000));
}

static void begin(struct writer *writer, const char *phase, uint64_t pid, uint64_t tid,
                  uint64_t t_ns)
{
    put(writer, "%s{\"ph\":\"%s\",\"pid\":%" PRIu64 ",\"tid\":%" PRIu64,
        writer->events++ == 0 ? "" : ",\n", phase, pid, tid);
    put_time(writer, "ts", t_ns);
}

static void metadata(struct writer *writer, const char *what, uint64_t pid, uint64_t tid,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));

static void metadata(struct writer *writer, const char *what, uint64_t pid, uint64_t tid,
                     const char *format, ...)
{
    char value[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    begin(writer, "M", pid, tid, 0);
    put(writer, ",\"name\":\"%s\",\"args\":{%s}}", what, value);
}

static uint64_t track_of(const struct writer *writer, const struct timeline_item *item)
{
    if (item->kind == TIMELINE_PAGING)
        return FIRST_LANE + (uint64_t)writer->lane[item - writer->timeline->item];
    return item->kind == TIMELINE_CALL ? item->tid : (uint64_t)item->place + 1;
}

static uint64_t process_of(const struct timeline_item *item)
{
    return item->kind == TIMELINE_CALL || item->kind == TIMELINE_QUEUED ||
                   item->kind == TIMELINE_RESIDENT
               ? item->pid
               : GPU;
}

static const char *const packet_names[PROBE_PACKET_KINDS] = {
    [PROBE_RENDER] = "render", [PROBE_PAGING] = "paging",   [PROBE_WAIT] = "wait",
    [PROBE_SIGNAL] = "signal", [PROBE_PRESENT] = "present",
};

static const char *packet_name(const struct timeline_item *item)
{
    const char *name = packet_names[item->packet];
    return name != NULL ? name : "packet";
}

/* Viewers choose a slice's colour by its name, and at least Perfetto overlooks digits in it: a
 * context that is only a number gets letters of its own. */
static const char *context_name(const struct writer *writer, uint32_t context, char text[64])
{
    char room[64], letters[8];
    const char *name = plain(room, writer->names->context(writer->names->self, context));
    size_t at = sizeof letters;
    if (name[strspn(name, "0123456789")] != 0) {
        snprintf(text, 64, "%s", name);
        return text;
    }
    letters[--at] = 0;
    do {
        letters[--at] = (char)('a' + context % 26);
        context /= 26;
    } while (context > 0 && at > 0);
    snprintf(text, 64, "context %.40s (%s)", name, letters + at);
    return text;
}

static void slice(struct writer *writer, const struct timeline_item *item)
{
    char room[64], other[64], label[CHAIN_LABEL];
    const struct chain_names *names = writer->names;
    begin(writer, "X", process_of(item), track_of(writer, item), item->start_ns);
    put_time(writer, "dur", item->end_ns - item->start_ns);
    if (item->kind == TIMELINE_CALL) {
        char status[STATUS_TEXT_SIZE];
        put(writer,
            ",\"name\":\"%s\",\"cat\":\"call\",\"args\":{\"event\":%" PRIu64 ",\"status\":\"%s\"}}",
            item->of.call.op, item->of.call.index, status_text(item->of.call.status, status));
    } else if (item->kind == TIMELINE_PAGING) {
        put(writer, ",\"name\":\"%s\",\"cat\":\"paging\",\"args\":{\"memory\":\"%s\"",
            item->of.paging.name, plain(room, chain_label(label, &item->of.paging.memory)));
        put(writer, ",\"process\":%" PRIu32 ",\"bytes\":%" PRIu64, item->pid,
            item->of.paging.bytes);
        put(writer, ",\"from\":\"%s\",\"to\":\"%s\"",
            plain(room, names->segment(names->self, item->of.paging.from)),
            plain(other, names->segment(names->self, item->of.paging.to)));
        put(writer, ",\"cause\":\"%s\"}}",
            item->of.paging.cause != NULL ? item->of.paging.cause : "unknown");
    } else {
        bool switching = item->kind == TIMELINE_SWITCH;
        put(writer,
            ",\"name\":\"%s%s\",\"cat\":\"%s\",\"args\":{\"process\":%" PRIu32
            ",\"packet\":\"%s\"}}",
            switching ? "switch to " : "", context_name(writer, item->of.packet_of.context, room),
            switching ? "switch" : packet_name(item), item->pid, packet_name(item));
    }
}

static void stay(struct writer *writer, const struct timeline_item *item, bool ends)
{
    char room[64];
    const struct chain_names *names = writer->names;
    begin(writer, ends ? "e" : "b", item->pid, 0, ends ? item->end_ns : item->start_ns);
    put(writer, ",\"name\":\"%s\",\"cat\":\"queued\",\"id\":\"0x%" PRIx64 "\"", packet_name(item),
        item->job);
    if (!ends)
        put(writer, ",\"args\":{\"context\":\"%s\"}",
            plain(room, names->context(names->self, item->of.packet_of.context)));
    put(writer, "}");
}

/* " of adapter 1"; the first one is not said. */
static const char *of_adapter(char text[64], uint32_t adapter)
{
    text[0] = '\0';
    if (adapter != 0)
        snprintf(text, 64, " of adapter %" PRIu32, adapter);
    return text;
}

static void counter(struct writer *writer, const struct timeline_item *item)
{
    char room[64], other[64];
    const struct chain_names *names = writer->names;
    begin(writer, "C", process_of(item), 0, item->start_ns);
    if (item->kind == TIMELINE_RESIDENT)
        put(writer, ",\"name\":\"resident in %s\",\"args\":{\"bytes\":%" PRIu64 "}}",
            plain(room, names->segment(names->self, item->place)), item->of.other);
    else if (item->kind == TIMELINE_LINK)
        put(writer, ",\"name\":\"link %s%s\",\"args\":{\"busy\":%" PRIu64 "}}",
            item->place % 2 != 0 ? "in" : "out", of_adapter(other, item->place / 2),
            item->of.other);
    else
        put(writer, ",\"name\":\"packets for %s\",\"args\":{\"on it\":%u,\"queued\":%u}}",
            plain(room, names->node(names->self, item->place)), (unsigned)(item->of.other >> 32),
            (unsigned)(item->of.other & UINT32_MAX));
}

/* An arrow between slices. */
static void flow(struct writer *writer, const struct timeline_item *item, uint32_t number,
                 bool arrives)
{
    begin(writer, arrives ? "f" : "s", process_of(item), track_of(writer, item), item->start_ns);
    put(writer, ",\"name\":\"leads to\",\"cat\":\"flow\",\"id\":%" PRIu32 "%s}", number,
        arrives ? ",\"bp\":\"e\"" : "");
}

static int by_job(const void *a, const void *b)
{
    const struct job_item *x = a, *y = b;
    if (x->job != y->job)
        return x->job < y->job ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* The items of a kind by their job, the first one of each. */
static struct jobs jobs_of(const struct timeline *timeline, enum timeline_kind kind)
{
    struct jobs jobs = {.of = heap_new(timeline->count, sizeof *jobs.of)};
    for (size_t i = 0; i < timeline->count; i++)
        if (timeline->item[i].kind == kind && timeline->item[i].job != 0)
            jobs.of[jobs.count++] = (struct job_item){timeline->item[i].job, (uint32_t)i};
    qsort(jobs.of, jobs.count, sizeof *jobs.of, by_job);
    size_t kept = 0;
    for (size_t i = 0; i < jobs.count; i++)
        if (kept == 0 || jobs.of[kept - 1].job != jobs.of[i].job)
            jobs.of[kept++] = jobs.of[i];
    jobs.count = kept;
    return jobs;
}

/* UINT32_MAX: there is none. */
static uint32_t item_of(const struct jobs *jobs, uint64_t job)
{
    size_t low = 0, high = jobs->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (jobs->of[middle].job < job)
            low = middle + 1;
        else
            high = middle;
    }
    return low < jobs->count && jobs->of[low].job == job ? jobs->of[low].item : UINT32_MAX;
}

static void event(struct writer *writer, uint64_t t_ns, uint32_t item, enum event event,
                  uint32_t flow)
{
    if (writer->event_count == writer->event_room) {
        writer->event_room = writer->event_room == 0 ? 1024 : 2 * writer->event_room;
        writer->event = heap_resize(writer->event, writer->event_room, sizeof *writer->event);
    }
    writer->event[writer->event_count++] = (struct event_at){t_ns, item, (uint8_t)event, flow};
}

static void arrow(struct writer *writer, uint32_t from, uint32_t to, uint32_t *flows)
{
    const struct timeline_item *item = writer->timeline->item;
    if (from == UINT32_MAX || to == UINT32_MAX || item[to].start_ns < item[from].start_ns)
        return;
    ++*flows;
    event(writer, item[from].start_ns, from, EVENT_FROM, *flows);
    event(writer, item[to].start_ns, to, EVENT_TO, *flows);
}

/* From calls to their packets' runs, and to the paging that they needed. */
static void arrows(struct writer *writer)
{
    const struct timeline *timeline = writer->timeline;
    struct jobs calls = jobs_of(timeline, TIMELINE_CALL), runs = jobs_of(timeline, TIMELINE_RUN),
                operations = jobs_of(timeline, TIMELINE_PAGING);
    uint32_t flows = 0;
    uint64_t last[2] = {0, 0};
    for (size_t i = 0; i < calls.count; i++)
        arrow(writer, calls.of[i].item, item_of(&runs, calls.of[i].job), &flows);
    for (size_t i = 0; i < timeline->count; i++) {
        const struct timeline_item *item = &timeline->item[i];
        if (item->kind != TIMELINE_NEEDS || (item->job == last[0] && item->of.other == last[1]))
            continue;
        last[0] = item->job;
        last[1] = item->of.other;
        arrow(writer, item_of(&calls, item->job), item_of(&operations, item->of.other), &flows);
    }
    free(calls.of);
    free(runs.of);
    free(operations.of);
}

static int by_time(const void *a, const void *b)
{
    const struct event_at *x = a, *y = b;
    if (x->t_ns != y->t_ns)
        return x->t_ns < y->t_ns ? -1 : 1;
    if (x->event != y->event)
        return x->event < y->event ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static void plan(struct writer *writer)
{
    const struct timeline *timeline = writer->timeline;
    for (uint32_t i = 0; i < timeline->count; i++) {
        const struct timeline_item *item = &timeline->item[i];
        if (item->kind == TIMELINE_NEEDS)
            continue;
        enum event first = item->kind == TIMELINE_QUEUED     ? EVENT_BEGIN
                           : item->kind >= TIMELINE_RESIDENT ? EVENT_COUNTER
                                                             : EVENT_SLICE;
        event(writer, item->start_ns, i, first, 0);
        if (first == EVENT_BEGIN)
            event(writer, item->end_ns, i, EVENT_END, 0);
    }
    arrows(writer);
    qsort(writer->event, writer->event_count, sizeof *writer->event, by_time);
}

/* Paging operations that overlap stand in lanes below each other. */
static void place_in_lanes(struct writer *writer)
{
    const struct timeline *timeline = writer->timeline;
    writer->lane = heap_new(timeline->count, 1);
    for (size_t i = 0; i < writer->event_count; i++) {
        uint32_t index = writer->event[i].item;
        const struct timeline_item *item = &timeline->item[index];
        if (item->kind != TIMELINE_PAGING || writer->event[i].event != EVENT_SLICE)
            continue;
        uint8_t lane = 0;
        while (lane + 1 < LANES && writer->lane_free_ns[lane] > item->start_ns)
            lane++;
        writer->lane_free_ns[lane] = item->end_ns;
        writer->lane[index] = lane;
    }
}

/* The names of what there are events of. */
static void name_tracks(struct writer *writer)
{
    const struct timeline *timeline = writer->timeline;
    bool node[TIMELINE_NODES] = {false}, lane[LANES] = {false};
    char room[64];
    metadata(writer, "process_name", GPU, 0, "\"name\":\"GPU\"");
    metadata(writer, "process_sort_index", GPU, 0, "\"sort_index\":-1");
    uint32_t named[4096], count = 0;
    for (size_t i = 0; i < timeline->count; i++) {
        const struct timeline_item *item = &timeline->item[i];
        uint32_t n = 0;
        if (item->kind == TIMELINE_RUN || item->kind == TIMELINE_SWITCH)
            node[item->place % TIMELINE_NODES] = true;
        if (item->kind == TIMELINE_PAGING)
            lane[writer->lane[i]] = true;
        if (process_of(item) == GPU)
            continue;
        while (n < count && named[n] != item->pid)
            n++;
        if (n < count || count == sizeof named / sizeof *named)
            continue;
        named[count++] = item->pid;
        metadata(writer, "process_name", item->pid, 0, "\"name\":\"process %" PRIu32 "\"",
                 item->pid);
    }
    for (uint32_t i = 0; i < TIMELINE_NODES; i++)
        if (node[i])
            metadata(writer, "thread_name", GPU, i + 1, "\"name\":\"engine %s\"",
                     plain(room, writer->names->node(writer->names->self, i)));
    for (uint32_t i = 0; i < LANES; i++)
        if (lane[i])
            metadata(writer, "thread_name", GPU, FIRST_LANE + i, "\"name\":\"paging %" PRIu32 "\"",
                     i + 1);
}

static void put_event(struct writer *writer, const struct event_at *at)
{
    const struct timeline_item *item = &writer->timeline->item[at->item];
    switch ((enum event)at->event) {
    case EVENT_SLICE:
        slice(writer, item);
        break;
    case EVENT_BEGIN:
    case EVENT_END:
        stay(writer, item, at->event == EVENT_END);
        break;
    case EVENT_COUNTER:
        counter(writer, item);
        break;
    case EVENT_FROM:
    case EVENT_TO:
        flow(writer, item, at->flow, at->event == EVENT_TO);
        break;
    }
}

static void put_all(struct writer *writer, uint64_t end_ns)
{
    const struct timeline *timeline = writer->timeline;
    put(writer, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"simulated_ns\":\"%" PRIu64 "\"",
        end_ns);
    put(writer, ",\"left_out\":\"%" PRIu64 "\",\"kept\":\"", timeline->left_out);
    if (timeline->stride == 0)
        put(writer, "everything");
    else
        put(writer, "one in %" PRIu64 " windows of %" PRIu64 " ns", timeline->stride,
            timeline->window_ns);
    put(writer, "\"},\n\"traceEvents\":[\n");
    name_tracks(writer);
    for (size_t i = 0; i < writer->event_count; i++)
        put_event(writer, &writer->event[i]);
    put(writer, "\n]}\n");
    flush(writer);
}

bool timeline_write(struct timeline *timeline, const struct chain_names *names, uint64_t end_ns,
                    struct output *output, char *error, size_t error_size)
{
    FILE *file = output_open(output, "timeline.json.gz", error, error_size);
    if (file == NULL)
        return false;
    struct writer *writer = heap_new(1, sizeof *writer);
    writer->timeline = timeline;
    writer->names = names;
    int copy = dup(fileno(file));
    writer->file = copy >= 0 ? gzdopen(copy, "wb4") : NULL;
    if (writer->file != NULL) {
        plan(writer);
        place_in_lanes(writer);
        put_all(writer, end_ns);
        writer->failed |= gzclose(writer->file) != Z_OK;
    } else {
        writer->failed = true;
        if (copy >= 0)
            close(copy);
    }
    bool written = !writer->failed;
    if (!written)
        snprintf(error, error_size, "%s/timeline.json.gz: cannot write: %s", output->directory,
                 errno != 0 ? strerror(errno) : "the disk may be full");
    free(writer->lane);
    free(writer->event);
    free(writer);
    return written;
}
