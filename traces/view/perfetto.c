/* The "perfetto" encoding: packets of ui.perfetto.dev's protocol buffers (trace-formats.md §11). A
 * file is a row of packets; messages within messages have their length in front. */
#include "traces/encoder.h"
#include "traces/message.h"
#include "traces/view/view.h"

enum {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,

    TRACE_PACKET = 1,
    PACKET_TIMESTAMP = 8,
    PACKET_SEQUENCE = 10,
    PACKET_TRACK_EVENT = 11,
    PACKET_SEQUENCE_FLAGS = 13,
    PACKET_TRACK_DESCRIPTOR = 60,

    DESCRIPTOR_UUID = 1,
    DESCRIPTOR_NAME = 2,
    DESCRIPTOR_PROCESS = 3,
    DESCRIPTOR_THREAD = 4,
    DESCRIPTOR_PARENT = 5,
    DESCRIPTOR_COUNTER = 8,
    PROCESS_PID = 1,
    PROCESS_NAME = 6,
    THREAD_PID = 1,
    THREAD_TID = 2,
    THREAD_NAME = 5,
    COUNTER_UNIT = 3,
    UNIT_BYTES = 3,

    EVENT_ANNOTATION = 4,
    EVENT_TYPE = 9,
    EVENT_TRACK = 11,
    EVENT_NAME = 23,
    EVENT_VALUE = 30,
    EVENT_FLOW = 47,
    EVENT_FLOW_ENDS = 48,
    TYPE_BEGIN = 1,
    TYPE_END = 2,
    TYPE_INSTANT = 3,
    TYPE_COUNTER = 4,
    ANNOTATION_UINT = 3,
    ANNOTATION_STRING = 6,
    ANNOTATION_NAME = 10,

    SEQUENCE = 1,
    SEQUENCE_BEGINS = 1,
};

struct perfetto {
    struct view *view;
    struct trace_buffer *out;
    struct trace_buffer packet, message, inner; /* one within the other */
    struct trace_map processes;                 /* group: its pid + 1 */
    bool begun, failed;
};

/* Protocol buffers. */

static void put_varint(struct trace_buffer *to, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        trace_buffer_put_byte(to, (unsigned char)(number | 0x80));
    trace_buffer_put_byte(to, (unsigned char)number);
}

static void put_number(struct trace_buffer *to, unsigned field, uint64_t number)
{
    put_varint(to, (uint64_t)field << 3 | WIRE_VARINT);
    put_varint(to, number);
}

static void put_fixed(struct trace_buffer *to, unsigned field, uint64_t number)
{
    put_varint(to, (uint64_t)field << 3 | WIRE_FIXED64);
    for (unsigned i = 0; i < 8; i++)
        trace_buffer_put_byte(to, (unsigned char)(number >> (8 * i)));
}

static void put_bytes(struct trace_buffer *to, unsigned field, const void *bytes, size_t length)
{
    put_varint(to, (uint64_t)field << 3 | WIRE_BYTES);
    put_varint(to, length);
    trace_buffer_put(to, bytes, length);
}

static void put_text(struct trace_buffer *to, unsigned field, const char *text)
{
    put_bytes(to, field, text, strlen(text));
}

/* Puts the message, which is empty then. */
static void put_message(struct perfetto *perfetto, struct trace_buffer *to, unsigned field,
                        struct trace_buffer *message)
{
    perfetto->failed = perfetto->failed || message->failed;
    put_bytes(to, field, message->bytes, message->length);
    message->length = 0;
}

/* Completes a packet that holds the message. */
static void put_packet(struct perfetto *perfetto, unsigned field)
{
    put_number(&perfetto->packet, PACKET_SEQUENCE, SEQUENCE);
    if (!perfetto->begun)
        put_number(&perfetto->packet, PACKET_SEQUENCE_FLAGS, SEQUENCE_BEGINS);
    perfetto->begun = true;
    put_message(perfetto, &perfetto->packet, field, &perfetto->message);
    put_message(perfetto, perfetto->out, TRACE_PACKET, &perfetto->packet);
}

/* Tracks. */

static void group(void *self, uint32_t number, enum view_kind kind, uint32_t process,
                  const char *name)
{
    struct perfetto *perfetto = self;
    struct trace_buffer *message = &perfetto->message;
    put_number(message, DESCRIPTOR_UUID, number);
    if (kind == VIEW_PROCESS && process != 0) {
        put_number(&perfetto->inner, PROCESS_PID, process);
        put_text(&perfetto->inner, PROCESS_NAME, name);
        put_message(perfetto, message, DESCRIPTOR_PROCESS, &perfetto->inner);
        if (!trace_map_put(&perfetto->processes, number, 0,
                           (void *)(uintptr_t)((uint64_t)process + 1)))
            perfetto->failed = true;
    } else {
        put_text(message, DESCRIPTOR_NAME, name);
    }
    put_packet(perfetto, PACKET_TRACK_DESCRIPTOR);
}

static void track(void *self, uint32_t number, uint32_t group_number, uint32_t thread,
                  const char *name)
{
    struct perfetto *perfetto = self;
    struct trace_buffer *message = &perfetto->message;
    uint64_t process = (uint64_t)(uintptr_t)trace_map_get(&perfetto->processes, group_number, 0);
    put_number(message, DESCRIPTOR_UUID, number);
    put_number(message, DESCRIPTOR_PARENT, group_number);
    if (thread != 0 && process != 0) {
        put_number(&perfetto->inner, THREAD_PID, process - 1);
        put_number(&perfetto->inner, THREAD_TID, thread);
        put_text(&perfetto->inner, THREAD_NAME, name);
        put_message(perfetto, message, DESCRIPTOR_THREAD, &perfetto->inner);
    } else {
        put_text(message, DESCRIPTOR_NAME, name);
    }
    put_packet(perfetto, PACKET_TRACK_DESCRIPTOR);
}

static void counter(void *self, uint32_t number, uint32_t group_number, const char *name)
{
    struct perfetto *perfetto = self;
    struct trace_buffer *message = &perfetto->message;
    put_number(message, DESCRIPTOR_UUID, number);
    put_text(message, DESCRIPTOR_NAME, name);
    put_number(message, DESCRIPTOR_PARENT, group_number);
    put_number(&perfetto->inner, COUNTER_UNIT, UNIT_BYTES);
    put_message(perfetto, message, DESCRIPTOR_COUNTER, &perfetto->inner);
    put_packet(perfetto, PACKET_TRACK_DESCRIPTOR);
}

/* Events. */

static void begin_event(struct perfetto *perfetto, uint64_t t_ns, unsigned type, uint32_t number)
{
    put_number(&perfetto->packet, PACKET_TIMESTAMP, t_ns);
    put_number(&perfetto->message, EVENT_TYPE, type);
    put_number(&perfetto->message, EVENT_TRACK, number);
}

static void put_arguments(struct perfetto *perfetto, const struct view_arguments *arguments)
{
    for (size_t i = 0; i < arguments->count; i++) {
        const struct view_argument *argument = &arguments->items[i];
        put_text(&perfetto->inner, ANNOTATION_NAME, argument->key);
        if (argument->text != NULL)
            put_text(&perfetto->inner, ANNOTATION_STRING, argument->text);
        else
            put_number(&perfetto->inner, ANNOTATION_UINT, argument->number);
        put_message(perfetto, &perfetto->message, EVENT_ANNOTATION, &perfetto->inner);
    }
}

static void slice(void *self, uint32_t number, uint64_t start_ns, uint64_t dur_ns, const char *name,
                  const struct view_arguments *arguments, uint64_t flow_begins, uint64_t flow_ends)
{
    struct perfetto *perfetto = self;
    begin_event(perfetto, start_ns, TYPE_BEGIN, number);
    put_text(&perfetto->message, EVENT_NAME, name);
    if (flow_begins != 0)
        put_fixed(&perfetto->message, EVENT_FLOW, flow_begins);
    if (flow_ends != 0)
        put_fixed(&perfetto->message, EVENT_FLOW_ENDS, flow_ends);
    put_arguments(perfetto, arguments);
    put_packet(perfetto, PACKET_TRACK_EVENT);
    begin_event(perfetto, start_ns + dur_ns, TYPE_END, number);
    put_packet(perfetto, PACKET_TRACK_EVENT);
}

static void instant(void *self, uint32_t number, uint64_t t_ns, const char *name,
                    const struct view_arguments *arguments)
{
    struct perfetto *perfetto = self;
    begin_event(perfetto, t_ns, TYPE_INSTANT, number);
    put_text(&perfetto->message, EVENT_NAME, name);
    put_arguments(perfetto, arguments);
    put_packet(perfetto, PACKET_TRACK_EVENT);
}

static void value(void *self, uint32_t number, uint64_t t_ns, uint64_t what)
{
    struct perfetto *perfetto = self;
    begin_event(perfetto, t_ns, TYPE_COUNTER, number);
    put_number(&perfetto->message, EVENT_VALUE, what);
    put_packet(perfetto, PACKET_TRACK_EVENT);
}

static const struct view_writer perfetto_writer = {.group = group,
                                                   .track = track,
                                                   .counter = counter,
                                                   .slice = slice,
                                                   .instant = instant,
                                                   .value = value};

static void free_perfetto(void *state)
{
    struct perfetto *perfetto = state;
    view_free(perfetto->view);
    trace_map_free(&perfetto->processes);
    trace_buffer_free(&perfetto->packet);
    trace_buffer_free(&perfetto->message);
    trace_buffer_free(&perfetto->inner);
    free(perfetto);
}

static void *start(const struct trace_header *header, struct trace_buffer *out)
{
    struct perfetto *perfetto = calloc(1, sizeof *perfetto);
    (void)header;
    (void)out;
    if (perfetto == NULL)
        return NULL;
    perfetto->view = view_create(&perfetto_writer, perfetto);
    if (perfetto->view == NULL) {
        free_perfetto(perfetto);
        return NULL;
    }
    return perfetto;
}

static bool put(void *state, const struct trace_event *event, struct trace_buffer *out,
                uint64_t written, struct trace_error *error)
{
    struct perfetto *perfetto = state;
    (void)written;
    perfetto->out = out;
    return (view_put(perfetto->view, event) && !perfetto->failed) ||
           trace_fail(error, false, "out of memory");
}

static bool finish(void *state, struct trace_buffer *out, uint64_t written,
                   struct trace_error *error)
{
    (void)state;
    (void)out;
    (void)written;
    (void)error;
    return true;
}

const struct trace_encoder trace_encoder_perfetto = {.name = "perfetto",
                                                     .suffix = ".pftrace",
                                                     .compresses = true,
                                                     .start = start,
                                                     .put = put,
                                                     .finish = finish,
                                                     .free = free_perfetto};
