#include "traces/writer.h"

#include "traces/check.h"
#include "traces/encoder.h"
#include "traces/message.h"
#include "traces/sink.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH = 128 * 1024 };

struct trace_writer {
    char *path;
    const struct trace_encoder *encoder;
    void *state;
    struct trace_sink *sink;
    struct trace_buffer out;
    uint64_t written; /* bytes that left `out` */
    uint64_t t_ns;    /* of the last event */
};

static bool flush(struct trace_writer *writer, struct trace_error *error)
{
    if (writer->out.failed)
        return trace_fail(error, false, "%s: out of memory", writer->path);
    if (!trace_sink_write(writer->sink, writer->out.bytes, writer->out.length, error))
        return false;
    writer->written += writer->out.length;
    writer->out.length = 0;
    return true;
}

static void free_writer(struct trace_writer *writer)
{
    if (writer->state != NULL)
        writer->encoder->free(writer->state);
    trace_buffer_free(&writer->out);
    free(writer->path);
    free(writer);
}

static const struct trace_encoder *const encoders[] = {
    &trace_encoder_jsonl, &trace_encoder_wtrace, &trace_encoder_chrome, &trace_encoder_perfetto};

enum { ENCODERS = sizeof encoders / sizeof encoders[0] };

static const struct trace_encoder *encoder_named(const char *name)
{
    for (size_t i = 0; i < ENCODERS; i++)
        if (strcmp(encoders[i]->name, name) == 0)
            return encoders[i];
    return NULL;
}

bool trace_writer_knows(const char *encoding)
{
    return encoder_named(encoding) != NULL;
}

/* By how the path ends, without what says that it is compressed. */
static const struct trace_encoder *encoder_of(const char *path)
{
    static const char *const packed[] = {".gz", ".zst"};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof packed / sizeof packed[0]; i++) {
        size_t size = strlen(packed[i]);
        if (length > size && memcmp(path + length - size, packed[i], size) == 0) {
            length -= size;
            break;
        }
    }
    for (size_t i = 0; i < ENCODERS; i++) {
        const char *suffix = encoders[i]->suffix;
        size_t size = suffix != NULL ? strlen(suffix) : 0;
        if (size > 0 && length > size && memcmp(path + length - size, suffix, size) == 0 &&
            (encoders[i]->compresses || path[length] == '\0'))
            return encoders[i];
    }
    return &trace_encoder_jsonl;
}

bool trace_writer_open_as(const char *path, const char *encoding, const struct trace_header *header,
                          struct trace_writer **result, struct trace_error *error)
{
    *result = NULL;
    const struct trace_encoder *encoder =
        encoding != NULL ? encoder_named(encoding) : encoder_of(path);
    if (encoder == NULL)
        return trace_fail(error, false, "%s: there is no encoding \"%.60s\"", path, encoding);
    if (header->extras != NULL && !trace_check_extras(header->extras))
        return trace_fail(error, false, "%s: header: extras: not an object of x- fields", path);
    if (header->source != NULL && !trace_is_utf8(header->source, strlen(header->source)))
        return trace_fail(error, false, "%s: header: source: not UTF-8", path);
    struct trace_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return trace_fail(error, false, "%s: out of memory", path);
    writer->encoder = encoder;
    writer->path = strdup(path);
    writer->state = writer->encoder->start(header, &writer->out);
    if (writer->path == NULL || writer->state == NULL || writer->out.failed) {
        free_writer(writer);
        return trace_fail(error, false, "%s: out of memory", path);
    }
    if (!trace_sink_open(path, encoder->compresses, &writer->sink, error)) {
        free_writer(writer);
        return false;
    }
    *result = writer;
    return true;
}

bool trace_writer_open(const char *path, const struct trace_header *header,
                       struct trace_writer **writer, struct trace_error *error)
{
    return trace_writer_open_as(path, NULL, header, writer, error);
}

bool trace_writer_put(struct trace_writer *writer, const struct trace_event *event,
                      struct trace_error *error)
{
    struct trace_error why;
    if (!trace_check_event(event, &why))
        return trace_fail(error, true, "%s: %s", writer->path, why.message);
    if (event->t_ns < writer->t_ns)
        return trace_fail(error, true, "%s: t: goes back from %" PRIu64 " to %" PRIu64 " ns",
                          writer->path, writer->t_ns, event->t_ns);
    if (!writer->encoder->put(writer->state, event, &writer->out, writer->written, &why))
        return trace_fail(error, why.skippable, "%s: %s", writer->path, why.message);
    writer->t_ns = event->t_ns;
    return writer->out.length < FLUSH || flush(writer, error);
}

bool trace_writer_close(struct trace_writer *writer, struct trace_error *error)
{
    struct trace_error why;
    bool good = writer->encoder->finish(writer->state, &writer->out, writer->written, &why) ||
                trace_fail(error, false, "%s: %s", writer->path, why.message);
    good = good && flush(writer, error);
    if (good)
        good = trace_sink_finish(writer->sink, error);
    else
        trace_sink_abandon(writer->sink);
    free_writer(writer);
    return good;
}

void trace_writer_abandon(struct trace_writer *writer)
{
    if (writer == NULL)
        return;
    trace_sink_abandon(writer->sink);
    free_writer(writer);
}
