/* The "chrome" encoding: JSON of Chrome's tracing, which chrome://tracing and ui.perfetto.dev open
 * (trace-formats.md §11). Dates are microseconds with a fraction. */
#include "traces/encoder.h"
#include "traces/message.h"
#include "traces/view/view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Numbers of groups that are no process. */
static const uint32_t MADE_UP = 1000000000;

struct chrome {
    struct view *view;
    struct trace_buffer *out;
    struct trace_map groups; /* group: its pid + 1; counters' names by track */
    struct trace_map tracks; /* track: its (pid, tid) */
    struct trace_map names;
    struct trace_arena arena;
    bool any, failed;
};

/* Where a track is, for Chrome. */
struct place {
    uint32_t pid, tid;
    const char *counter; /* its name */
};

static void put_format(struct chrome *chrome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put_format(struct chrome *chrome, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    trace_buffer_put(chrome->out, text, length > 0 ? (size_t)length : 0);
}

static void put_string(struct chrome *chrome, const char *text)
{
    trace_buffer_put_byte(chrome->out, '"');
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\')
            trace_buffer_put_byte(chrome->out, '\\');
        if (c < 0x20)
            put_format(chrome, "\\u%04x", c);
        else
            trace_buffer_put_byte(chrome->out, c);
    }
    trace_buffer_put_byte(chrome->out, '"');
}

static void begin(struct chrome *chrome, char phase, const struct place *place)
{
    put_format(chrome, "%s\n{\"ph\":\"%c\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32,
               chrome->any ? "," : "", phase, place->pid, place->tid);
    chrome->any = true;
}

static void put_date(struct chrome *chrome, const char *key, uint64_t ns)
{
    put_format(chrome, ",\"%s\":%" PRIu64 ".%03" PRIu64, key, ns / 1000, ns % 1000);
}

static void put_arguments(struct chrome *chrome, const struct view_arguments *arguments)
{
    put_format(chrome, ",\"args\":{");
    for (size_t i = 0; i < arguments->count; i++) {
        const struct view_argument *argument = &arguments->items[i];
        if (i > 0)
            trace_buffer_put_byte(chrome->out, ',');
        put_string(chrome, argument->key);
        trace_buffer_put_byte(chrome->out, ':');
        if (argument->text != NULL)
            put_string(chrome, argument->text);
        else
            put_format(chrome, "%" PRIu64, argument->number);
    }
    put_format(chrome, "}}");
}

static void name(struct chrome *chrome, const char *what, const struct place *place,
                 const char *text)
{
    begin(chrome, 'M', place);
    put_format(chrome, ",\"name\":\"%s\",\"args\":{\"name\":", what);
    put_string(chrome, text);
    put_format(chrome, "}}");
}

static void group(void *self, uint32_t number, enum view_kind kind, uint32_t process,
                  const char *text)
{
    struct chrome *chrome = self;
    struct place *place = trace_arena_take(&chrome->arena, 1, sizeof *place);
    if (place == NULL || !trace_map_put(&chrome->groups, number, 0, place)) {
        chrome->failed = true;
        return;
    }
    place->pid = kind == VIEW_PROCESS && process != 0 ? process : MADE_UP + number;
    name(chrome, "process_name", place, text);
    begin(chrome, 'M', place);
    put_format(chrome, ",\"name\":\"process_sort_index\",\"args\":{\"sort_index\":%d}}",
               kind == VIEW_PROCESS  ? 2
               : kind == VIEW_ENGINE ? 0
                                     : 1);
}

static struct place *make_place(struct chrome *chrome, uint32_t track, uint32_t group_number)
{
    const struct place *of = trace_map_get(&chrome->groups, group_number, 0);
    struct place *place = trace_arena_take(&chrome->arena, 1, sizeof *place);
    if (of == NULL || place == NULL || !trace_map_put(&chrome->tracks, track, 0, place)) {
        chrome->failed = true;
        return NULL;
    }
    *place = *of;
    return place;
}

static void track(void *self, uint32_t number, uint32_t group_number, uint32_t thread,
                  const char *text)
{
    struct chrome *chrome = self;
    struct place *place = make_place(chrome, number, group_number);
    if (place == NULL)
        return;
    place->tid = thread != 0 ? thread : MADE_UP + number;
    name(chrome, "thread_name", place, text);
}

static void counter(void *self, uint32_t number, uint32_t group_number, const char *text)
{
    struct chrome *chrome = self;
    struct place *place = make_place(chrome, number, group_number);
    char *copy = trace_arena_take(&chrome->arena, strlen(text) + 1, 1);
    if (place == NULL || copy == NULL) {
        chrome->failed = true;
        return;
    }
    place->counter = strcpy(copy, text);
}

static void put_flow(struct chrome *chrome, char phase, const struct place *place, uint64_t t_ns,
                     uint64_t flow)
{
    begin(chrome, phase, place);
    put_date(chrome, "ts", t_ns);
    put_format(chrome, "%s,\"cat\":\"packet\",\"name\":\"runs\",\"id\":%" PRIu64 "}",
               phase == 'f' ? ",\"bp\":\"e\"" : "", flow);
}

static void slice(void *self, uint32_t number, uint64_t start_ns, uint64_t dur_ns, const char *text,
                  const struct view_arguments *arguments, uint64_t flow_begins, uint64_t flow_ends)
{
    struct chrome *chrome = self;
    const struct place *place = trace_map_get(&chrome->tracks, number, 0);
    if (place == NULL)
        return;
    begin(chrome, 'X', place);
    put_date(chrome, "ts", start_ns);
    put_date(chrome, "dur", dur_ns);
    put_format(chrome, ",\"name\":");
    put_string(chrome, text);
    put_arguments(chrome, arguments);
    if (flow_begins != 0)
        put_flow(chrome, 's', place, start_ns, flow_begins);
    if (flow_ends != 0)
        put_flow(chrome, 'f', place, start_ns, flow_ends);
}

static void instant(void *self, uint32_t number, uint64_t t_ns, const char *text,
                    const struct view_arguments *arguments)
{
    struct chrome *chrome = self;
    const struct place *place = trace_map_get(&chrome->tracks, number, 0);
    if (place == NULL)
        return;
    begin(chrome, 'i', place);
    put_date(chrome, "ts", t_ns);
    put_format(chrome, ",\"s\":\"t\",\"name\":");
    put_string(chrome, text);
    put_arguments(chrome, arguments);
}

static void value(void *self, uint32_t number, uint64_t t_ns, uint64_t what)
{
    struct chrome *chrome = self;
    const struct place *place = trace_map_get(&chrome->tracks, number, 0);
    if (place == NULL)
        return;
    begin(chrome, 'C', place);
    put_date(chrome, "ts", t_ns);
    put_format(chrome, ",\"name\":");
    put_string(chrome, place->counter);
    put_format(chrome, ",\"args\":{\"bytes\":%" PRIu64 "}}", what);
}

static const struct view_writer chrome_writer = {.group = group,
                                                 .track = track,
                                                 .counter = counter,
                                                 .slice = slice,
                                                 .instant = instant,
                                                 .value = value};

static void free_chrome(void *state)
{
    struct chrome *chrome = state;
    view_free(chrome->view);
    trace_map_free(&chrome->groups);
    trace_map_free(&chrome->tracks);
    trace_arena_free(&chrome->arena);
    free(chrome);
}

static void *start(const struct trace_header *header, struct trace_buffer *out)
{
    struct chrome *chrome = calloc(1, sizeof *chrome);
    if (chrome == NULL)
        return NULL;
    chrome->view = view_create(&chrome_writer, chrome);
    if (chrome->view == NULL) {
        free_chrome(chrome);
        return NULL;
    }
    chrome->out = out;
    put_format(chrome, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"source\":");
    put_string(chrome, header->source != NULL ? header->source : "");
    put_format(chrome, "},\"traceEvents\":[");
    return chrome;
}

static bool put(void *state, const struct trace_event *event, struct trace_buffer *out,
                uint64_t written, struct trace_error *error)
{
    struct chrome *chrome = state;
    (void)written;
    chrome->out = out;
    return (view_put(chrome->view, event) && !chrome->failed) ||
           trace_fail(error, false, "out of memory");
}

static bool finish(void *state, struct trace_buffer *out, uint64_t written,
                   struct trace_error *error)
{
    struct chrome *chrome = state;
    (void)written;
    (void)error;
    chrome->out = out;
    put_format(chrome, "\n]}\n");
    return true;
}

const struct trace_encoder trace_encoder_chrome = {.name = "chrome",
                                                   .suffix = ".json",
                                                   .compresses = true,
                                                   .start = start,
                                                   .put = put,
                                                   .finish = finish,
                                                   .free = free_chrome};
