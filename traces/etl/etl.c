/* The "etl" trace format: what Windows' own tracing writes. */
#include "traces/etl/source.h"
#include "traces/message.h"

#include <inttypes.h>
#include <stdio.h>

static enum etl_step source_next(void *self, struct etl_record *record)
{
    return etl_container_next(self, record);
}

static void source_facts(void *self, struct trace_facts *facts)
{
    const struct etl_counts *counts = etl_container_counts(self);
    trace_facts_add(facts, "records", "records but for the file's own", "", counts->records);
    trace_facts_add(facts, "header-records", "records about the file itself", "",
                    counts->header_records);
    trace_facts_add(facts, "buffers", "buffers in the file", "", counts->buffers);
    trace_facts_add(facts, "compressed-buffers", "of them compressed", "",
                    counts->compressed_buffers);
    trace_facts_add(facts, "damaged-buffers", "buffers read in part or not at all", "",
                    counts->damaged_buffers);
    trace_facts_add(facts, "trailing-bytes", "behind the last buffer", "bytes",
                    counts->trailing_bytes);
}

static bool source_damage(void *self, struct trace_error *error)
{
    const char *damage = etl_container_damage(self);
    uint64_t places = etl_container_counts(self)->damaged_buffers;
    char more[48] = "";
    if (damage == NULL)
        return false;
    if (places > 1)
        snprintf(more, sizeof more, " (%" PRIu64 " damaged buffers in all)", places);
    trace_fail(error, true, "%s: %s%s", trace_input_path(etl_container_input(self)), damage, more);
    return true;
}

static void source_describe(void *self, char *text, size_t room)
{
    const struct etl_header *file = etl_container_header(self);
    snprintf(text, room, "Windows ETL, build %" PRIu32 ", %" PRIu32 " processors%s%s", file->build,
             file->processors, file->session[0] != '\0' ? ", session " : "", file->session);
}

static void source_close(void *self)
{
    etl_container_close(self);
}

static bool etl_open(struct trace_input *input, const struct trace_open_options *options,
                     void **state, struct trace_header *header, struct trace_error *error)
{
    struct etl_container *container;
    *state = NULL;
    if (!etl_container_open(input, &container, error))
        return false;
    const struct etl_source source = {
        .self = container,
        .header = etl_container_header(container),
        .input = etl_container_input(container),
        .next = source_next,
        .facts = source_facts,
        .damage = source_damage,
        .describe = source_describe,
        .close = source_close,
    };
    return etl_reader_open(&source, options, state, header, error);
}

const struct trace_format trace_format_etl = {
    .name = "etl",
    .summary = "Windows event recording with Microsoft-Windows-DxgKrnl events",
    .detect = etl_container_detect,
    .open = etl_open,
    .next = etl_reader_next,
    .place = etl_reader_place,
    .facts = etl_reader_facts,
    .close = etl_reader_close,
};
