/* What of a trace is seen where.
 *
 * A process has a track for each of its threads, with the calls, and one for the bytes it has
 * allocated. An engine has a track for each context that runs there, with the packets as the engine
 * had them; an arrow leads from the call to its packet. What is not recorded is not shown: a packet
 * without an end, a call without a duration (which is an instant). */
#include "traces/view/view.h"

#include "traces/vocabulary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Slices that overlap need tracks of their own. */
enum { LANES = 8 };

struct lanes {
    uint32_t group, thread;
    const char *name;
    uint32_t tracks[LANES]; /* 0: not needed yet */
    uint64_t free_ns[LANES];
};

struct context {
    uint32_t group; /* its engine */
    struct lanes packets;
};

struct process {
    uint32_t group, counter;
    uint64_t bytes;
};

struct allocation {
    uint64_t bytes;
    struct process *process;
    struct allocation *next; /* that is free, too */
};

struct view {
    const struct view_writer *writer;
    void *self;
    struct trace_arena arena;
    struct trace_map processes, threads, contexts, engines, transfers, allocations;
    struct allocation *unused;
    uint32_t last; /* number given to a group or track */
    uint32_t transfer_group;
    uint64_t flows;
    bool failed;
};

struct view *view_create(const struct view_writer *writer, void *self)
{
    struct view *view = calloc(1, sizeof *view);
    if (view == NULL)
        return NULL;
    view->writer = writer;
    view->self = self;
    return view;
}

void view_free(struct view *view)
{
    if (view == NULL)
        return;
    trace_map_free(&view->processes);
    trace_map_free(&view->threads);
    trace_map_free(&view->contexts);
    trace_map_free(&view->engines);
    trace_map_free(&view->transfers);
    trace_map_free(&view->allocations);
    trace_arena_free(&view->arena);
    free(view);
}

static void *take(struct view *view, size_t size)
{
    void *memory = trace_arena_take(&view->arena, 1, size);
    view->failed = view->failed || memory == NULL;
    return memory;
}

static void put(struct view *view, struct trace_map *map, uint64_t a, uint64_t b, void *value)
{
    if (!trace_map_put(map, a, b, value))
        view->failed = true;
}

static const char *copy_text(struct view *view, const char *text)
{
    char *copy = take(view, strlen(text) + 1);
    return copy != NULL ? strcpy(copy, text) : "";
}

/* Names. */

static const char *text_of(struct trace_name name, char room[24])
{
    if (name.text != NULL)
        return name.text;
    snprintf(room, 24, "%" PRIu64, name.number);
    return room;
}

/* Bytes of the text that are shown: `most`, or fewer where that would cut a character. */
static int shown(const char *text, size_t most)
{
    size_t length = strnlen(text, most + 1);
    if (length > most)
        for (length = most; length > 0 && (text[length] & 0xC0) == 0x80;)
            length--;
    return (int)length;
}

/* Two numbers that stand for a name: so far apart for any two that meet that they are not compared
 * further. It is about what is shown, not what is computed. */
static void key_of(struct trace_name name, uint64_t key[2])
{
    key[0] = UINT64_C(14695981039346656037); /* FNV-1a, twice */
    key[1] = UINT64_C(0x6c62272e07bb0142);
    if (name.text == NULL) {
        key[0] ^= name.number;
        return;
    }
    for (const char *at = name.text; *at != '\0'; at++)
        for (int i = 0; i < 2; i++)
            key[i] = (key[i] ^ (unsigned char)*at) * (UINT64_C(1099511628211) + 2 * (uint64_t)i);
}

/* Groups and tracks. */

static struct process *process_of(struct view *view, uint32_t pid)
{
    struct process *process = trace_map_get(&view->processes, pid, 1);
    if (process != NULL || (process = take(view, sizeof *process)) == NULL)
        return process;
    char name[32];
    snprintf(name, sizeof name, pid != 0 ? "process %" PRIu32 : "process unknown", pid);
    process->group = ++view->last;
    view->writer->group(view->self, process->group, VIEW_PROCESS, pid, name);
    put(view, &view->processes, pid, 1, process);
    return process;
}

static struct lanes *thread_of(struct view *view, uint32_t pid, uint32_t tid)
{
    struct lanes *lanes = trace_map_get(&view->threads, pid, (uint64_t)tid + 1);
    if (lanes != NULL)
        return lanes;
    struct process *process = process_of(view, pid);
    lanes = take(view, sizeof *lanes);
    if (process == NULL || lanes == NULL)
        return NULL;
    char name[32];
    snprintf(name, sizeof name, tid != 0 ? "thread %" PRIu32 : "calls", tid);
    *lanes = (struct lanes){.group = process->group, .thread = tid, .name = copy_text(view, name)};
    put(view, &view->threads, pid, (uint64_t)tid + 1, lanes);
    return lanes;
}

static uint32_t engine_of(struct view *view, const char *node)
{
    uint64_t key[2];
    key_of((struct trace_name){.text = node}, key);
    uint32_t *group = trace_map_get(&view->engines, key[0], key[1]);
    if (group == NULL) {
        char name[80];
        group = take(view, sizeof *group);
        if (group == NULL)
            return 0;
        *group = ++view->last;
        snprintf(name, sizeof name, "engine %.*s", shown(node, 60), node);
        view->writer->group(view->self, *group, VIEW_ENGINE, 0, name);
        put(view, &view->engines, key[0], key[1], group);
    }
    return *group;
}

static struct context *context_of(struct view *view, struct trace_name name, const char *node)
{
    uint64_t key[2];
    char number[24], text[160];
    key_of(name, key);
    struct context *context = trace_map_get(&view->contexts, key[0], key[1]);
    if (context != NULL || (context = take(view, sizeof *context)) == NULL)
        return context;
    context->group = engine_of(view, node != NULL ? node : "unknown");
    const char *called = text_of(name, number);
    snprintf(text, sizeof text, "context %.*s", shown(called, 140), called);
    context->packets = (struct lanes){.group = context->group, .name = copy_text(view, text)};
    put(view, &view->contexts, key[0], key[1], context);
    return context;
}

/* The track where a slice from then on fits, or the last one from when on it does: *start_ns. */
static uint32_t track_for(struct view *view, struct lanes *lanes, uint64_t *start_ns,
                          uint64_t end_ns)
{
    unsigned lane = 0;
    while (lane + 1 < LANES && lanes->tracks[lane] != 0 && lanes->free_ns[lane] > *start_ns)
        lane++;
    if (lanes->tracks[lane] == 0) {
        char name[200];
        lanes->tracks[lane] = ++view->last;
        if (lane == 0)
            snprintf(name, sizeof name, "%s", lanes->name);
        else
            snprintf(name, sizeof name, "%s (%u)", lanes->name, lane + 1);
        view->writer->track(view->self, lanes->tracks[lane], lanes->group,
                            lane == 0 ? lanes->thread : 0, name);
    }
    if (*start_ns < lanes->free_ns[lane])
        *start_ns = lanes->free_ns[lane];
    if (end_ns > lanes->free_ns[lane])
        lanes->free_ns[lane] = end_ns;
    return lanes->tracks[lane];
}

static void show(struct view *view, struct lanes *lanes, uint64_t start_ns, uint64_t end_ns,
                 const char *name, const struct view_arguments *arguments, uint64_t flow_begins,
                 uint64_t flow_ends)
{
    uint32_t track = track_for(view, lanes, &start_ns, end_ns);
    view->writer->slice(view->self, track, start_ns, end_ns > start_ns ? end_ns - start_ns : 0,
                        name, arguments, flow_begins, flow_ends);
}

/* Arguments. */

static void add_text(struct view_arguments *arguments, const char *key, const char *text)
{
    if (arguments->count < sizeof arguments->items / sizeof arguments->items[0])
        arguments->items[arguments->count++] = (struct view_argument){.key = key, .text = text};
}

static void add_number(struct view_arguments *arguments, const char *key, uint64_t number)
{
    if (arguments->count < sizeof arguments->items / sizeof arguments->items[0])
        arguments->items[arguments->count++] = (struct view_argument){.key = key, .number = number};
}

/* The fields of an event that are names or numbers; of lists, how many they name. */
static void add_fields(struct view_arguments *arguments, const struct trace_event *event,
                       char room[][24])
{
    const struct trace_op_spec *spec = &trace_ops[event->op];
    size_t used = 0;
    for (uint32_t i = 0; i < spec->field_count; i++) {
        const struct trace_field_spec *field = &spec->fields[i];
        const void *at = (const char *)event + field->offset;
        if (!trace_given(event->given, field->field))
            continue;
        if (field->type == TRACE_TYPE_NAME)
            add_text(arguments, field->name, text_of(*(const struct trace_name *)at, room[used++]));
        else if (field->type == TRACE_TYPE_NAMES)
            add_number(arguments, field->name, ((const struct trace_names *)at)->count);
        else if (field->type == TRACE_TYPE_CREATIONS)
            add_number(arguments, field->name, ((const struct trace_allocations *)at)->count);
        else if (field->type == TRACE_TYPE_COUNT)
            add_number(arguments, field->name, *(const uint64_t *)at);
    }
    if (trace_given(event->given, TRACE_STATUS))
        add_number(arguments, "status", event->status);
    if (trace_given(event->given, TRACE_DONE) && event->done_ns >= event->t_ns)
        add_number(arguments, "done after ns", event->done_ns - event->t_ns);
}

/* Events. */

static void count_bytes(struct view *view, struct process *process, uint64_t t_ns)
{
    if (process->counter == 0) {
        process->counter = ++view->last;
        view->writer->counter(view->self, process->counter, process->group, "allocated bytes");
    }
    view->writer->value(view->self, process->counter, t_ns, process->bytes);
}

static void allocate(struct view *view, const struct trace_event *event)
{
    struct process *process = process_of(view, event->pid);
    if (process == NULL)
        return;
    for (uint32_t i = 0; i < event->creations.count; i++) {
        const struct trace_allocation *item = &event->creations.items[i];
        struct allocation *allocation = view->unused;
        uint64_t key[2];
        if (allocation != NULL)
            view->unused = allocation->next;
        else if ((allocation = take(view, sizeof *allocation)) == NULL)
            return;
        *allocation = (struct allocation){.bytes = item->size, .process = process};
        process->bytes += item->size;
        key_of(item->allocation, key);
        put(view, &view->allocations, key[0], key[1], allocation);
    }
    count_bytes(view, process, event->t_ns);
}

static void release(struct view *view, const struct trace_event *event)
{
    for (uint32_t i = 0; i < event->allocations.count; i++) {
        uint64_t key[2];
        key_of(event->allocations.items[i], key);
        struct allocation *allocation = trace_map_get(&view->allocations, key[0], key[1]);
        if (allocation == NULL)
            continue;
        allocation->process->bytes -= allocation->bytes;
        put(view, &view->allocations, key[0], key[1], NULL);
        count_bytes(view, allocation->process, event->t_ns);
        allocation->next = view->unused;
        view->unused = allocation;
    }
}

static void show_transfer(struct view *view, const struct trace_event *event,
                          const struct view_arguments *arguments)
{
    uint64_t from[2], to[2];
    char rooms[2][24], name[160];
    key_of(event->from, from);
    key_of(event->to, to);
    uint64_t way[2] = {from[0] + 3 * to[0], from[1] + 3 * to[1]};
    struct lanes *lanes = trace_map_get(&view->transfers, way[0], way[1]);
    if (lanes == NULL) {
        if (view->transfer_group == 0) {
            view->transfer_group = ++view->last;
            view->writer->group(view->self, view->transfer_group, VIEW_TRANSFERS, 0, "transfers");
        }
        lanes = take(view, sizeof *lanes);
        if (lanes == NULL)
            return;
        const char *source = text_of(event->from, rooms[0]), *target = text_of(event->to, rooms[1]);
        snprintf(name, sizeof name, "%.*s to %.*s", shown(source, 60), source, shown(target, 60),
                 target);
        *lanes = (struct lanes){.group = view->transfer_group, .name = copy_text(view, name)};
        put(view, &view->transfers, way[0], way[1], lanes);
    }
    snprintf(name, sizeof name, "%" PRIu64 " bytes", event->bytes);
    show(view, lanes, event->t_ns, event->t_ns + event->dur_ns, name, arguments, 0, 0);
}

/* A call on its thread; what it began on an engine there. */
static void show_call(struct view *view, const struct trace_event *event,
                      const struct view_arguments *arguments)
{
    struct lanes *thread = thread_of(view, event->pid, event->tid);
    const char *name = trace_ops[event->op].name;
    bool runs = event->op == TRACE_SUBMIT && trace_given(event->given, TRACE_DONE) &&
                event->done_ns >= event->t_ns;
    uint64_t flow = runs ? ++view->flows : 0;
    if (thread == NULL)
        return;
    if (trace_given(event->given, TRACE_DUR) || runs) {
        show(view, thread, event->t_ns, event->t_ns + event->dur_ns, name, arguments, flow, 0);
    } else {
        uint64_t t_ns = event->t_ns;
        view->writer->instant(view->self, track_for(view, thread, &t_ns, t_ns), event->t_ns, name,
                              arguments);
    }
    struct context *context = runs ? context_of(view, event->context, NULL) : NULL;
    if (context != NULL) {
        uint64_t start_ns = event->gpu_ns < event->done_ns ? event->done_ns - event->gpu_ns : 0;
        show(view, &context->packets, start_ns, event->done_ns, "packet", arguments, 0, flow);
    }
}

bool view_put(struct view *view, const struct trace_event *event)
{
    struct view_arguments arguments = {.count = 0};
    char room[16][24], number[24];
    add_fields(&arguments, event, room);
    if (event->op == TRACE_CREATE_CONTEXT)
        (void)context_of(view, event->context, text_of(event->node, number));
    if (event->op == TRACE_OBSERVE_TRANSFER)
        show_transfer(view, event, &arguments);
    else if (!event->existing)
        show_call(view, event, &arguments);
    if (event->op == TRACE_CREATE_ALLOCATION)
        allocate(view, event);
    else if (event->op == TRACE_DESTROY_ALLOCATION)
        release(view, event);
    return !view->failed;
}
