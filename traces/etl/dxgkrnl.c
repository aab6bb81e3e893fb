/* A whole recording is read, mapped and sorted when it is opened. */
#include "traces/etl/import.h"
#include "traces/message.h"
#include "traces/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct etl_reader {
    struct etl_import import;
    struct etl_source source;
    size_t next;
    bool damage_told;
    char description[160];
    char place[288];
};

/* Turns record after record into events. */
static void map_records(struct etl_import *import)
{
    struct etl_values values;
    etl_map_rundown(import);
    for (size_t i = 0; i < import->records.count && !import->failed; i++) {
        const struct etl_event *event = &import->records.items[i];
        if (!etl_decode_event(event, &values)) {
            import->tally.undecodable++;
            continue;
        }
        struct etl_thread *thread = etl_thread_of(import, event);
        if (thread == NULL)
            return;
        /* No record is smaller than its handles: without them it says nothing. */
        if (values.present == 0) {
            import->tally.undecodable++;
            if (event->id == ID_QUEUE_START || event->id == ID_QUEUE_WAIT ||
                event->id == ID_QUEUE_SIGNAL)
                import->next_packet++;
            continue;
        }
        switch (event->id) {
        case ID_CALL:
            etl_thread_call(import, thread);
            break;
        case ID_RETURN:
            etl_thread_return(import, thread, etl_get(&values, ETL_Function));
            break;
        case ID_SELECT_CONTEXT:
            etl_map_level(import, event, &values);
            break;
        case ID_CPU_WAIT:
            import->tally.cpu_waits++;
            break;
        case ID_QUEUE_START:
        case ID_QUEUE_WAIT:
        case ID_QUEUE_SIGNAL:
            etl_map_queue(import, event, &values, thread);
            break;
        default:
            etl_map_object(import, event, &values, thread);
            etl_map_memory(import, event, &values, thread);
            break;
        }
    }
    etl_map_initial_fences(import);
}

static int compare_mapped(const void *left, const void *right)
{
    const struct etl_mapped *a = left, *b = right;
    if (a->event->t_ns != b->event->t_ns)
        return a->event->t_ns < b->event->t_ns ? -1 : 1;
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

/* Frees all but the events and facts, which is all that is needed once the import is done. */
static void free_import(struct etl_import *import)
{
    struct trace_map *const maps[] = {
        &import->first_device,   &import->first_context, &import->first_global,
        &import->first_local,    &import->context_node,  &import->engine_contexts,
        &import->process_device, &import->devices,       &import->contexts,
        &import->globals,        &import->locals,        &import->made_up_devices,
        &import->generations,    &import->resources,     &import->fences,
        &import->threads,        &import->buffers,       &import->references,
        &import->paging,         &import->context_level, &import->context_quantum,
        &import->process_band,
    };
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        trace_map_free(maps[i]);
    for (size_t i = 0; i < QUEUE_TYPES; i++)
        trace_samples_free(&import->queue_ns[i]);
    for (size_t i = 0; i < DMA_TYPES; i++)
        trace_samples_free(&import->dma_ns[i]);
    for (size_t i = 0; i < OPERATIONS_MAX; i++)
        trace_samples_free(&import->operation_ns[i]);
    for (size_t i = 0; i <= NODES_MAX; i++) {
        trace_samples_free(&import->nodes[i].same);
        trace_samples_free(&import->nodes[i].other);
    }
    trace_samples_free(&import->immediate_ns);
    trace_samples_free(&import->pending_ns);
    trace_samples_free(&import->closed_ns);
    trace_samples_free(&import->destroyed_ns);
    for (size_t i = 0; i < import->thread_count; i++)
        free(import->thread_list[i]->calls);
    import->thread_count = 0;
    free(import->thread_list);
    free(import->allocations);
    free(import->packets);
    free(import->calls);
    import->thread_list = NULL;
    import->allocations = NULL;
    import->packets = NULL;
    import->calls = NULL;
    etl_records_free(&import->records);
}

void etl_reader_close(void *state)
{
    struct etl_reader *reader = state;
    if (reader == NULL)
        return;
    free_import(&reader->import);
    free(reader->import.events);
    trace_arena_free(&reader->import.arena);
    trace_facts_free(&reader->import.facts);
    reader->source.close(reader->source.self);
    free(reader);
}

static bool import_all(struct etl_reader *reader, const struct trace_open_options *options)
{
    struct etl_import *import = &reader->import;
    import->unknown_size =
        options->unknown_size != 0 ? options->unknown_size : TRACE_DEFAULT_UNKNOWN_SIZE;
    import->build = reader->source.header->build;
    if (!etl_records_read(&import->records, &reader->source, options->progress,
                          options->progress_self))
        return false;
    etl_learn_calls(import);
    etl_learn_objects(import);
    etl_learn_segments(import);
    etl_learn_priorities(import);
    etl_learn_engines(import);
    if (!import->failed)
        map_records(import);
    etl_summarize(import, &reader->source);
    etl_map_background(import);
    if (import->event_count > 0)
        qsort(import->events, import->event_count, sizeof *import->events, compare_mapped);
    trace_facts_add(&import->facts, "events", "events of the trace", "", import->event_count);
    return !import->failed && !import->facts.failed;
}

bool etl_reader_open(const struct etl_source *source, const struct trace_open_options *options,
                     void **state, struct trace_header *header, struct trace_error *error)
{
    static const struct trace_open_options defaults;
    struct etl_reader *reader = calloc(1, sizeof *reader);
    *state = NULL;
    if (reader == NULL) {
        trace_fail(error, false, "%s: out of memory", trace_input_path(source->input));
        source->close(source->self);
        return false;
    }
    reader->source = *source;
    const char *json = NULL;
    if (import_all(reader, options != NULL ? options : &defaults))
        json = trace_facts_json(&reader->import.facts);
    if (json == NULL) {
        trace_fail(error, false, "%s: out of memory", trace_input_path(source->input));
        etl_reader_close(reader);
        return false;
    }
    free_import(&reader->import);
    source->describe(source->self, reader->description, sizeof reader->description);
    *header = (struct trace_header){
        .version = TRACE_VERSION,
        .source = reader->description,
        .residency = TRACE_RESIDENCY_EXPLICIT,
        .create_unknown = true,
        .unknown_size = reader->import.unknown_size,
        .extras = json,
    };
    *state = reader;
    return true;
}

enum trace_result etl_reader_next(void *state, struct trace_event *event, struct trace_error *error)
{
    struct etl_reader *reader = state;
    if (reader->next < reader->import.event_count) {
        *event = *reader->import.events[reader->next++].event;
        return TRACE_EVENT;
    }
    if (reader->damage_told || !reader->source.damage(reader->source.self, error))
        return TRACE_END;
    /* After what was whole: who skips bad parts has all the rest. */
    reader->damage_told = true;
    return TRACE_BAD;
}

const char *etl_reader_place(void *state)
{
    struct etl_reader *reader = state;
    const char *path = trace_input_path(reader->source.input);
    int length = snprintf(reader->place, sizeof reader->place, "%.240s", path);
    if (reader->next > 0 && !reader->damage_told) {
        uint64_t offset = reader->import.events[reader->next - 1].offset;
        if (reader->source.lines)
            snprintf(reader->place + length, sizeof reader->place - (size_t)length, ":%" PRIu64,
                     offset);
        else
            snprintf(reader->place + length, sizeof reader->place - (size_t)length,
                     ": offset 0x%" PRIx64, offset);
    }
    return reader->place;
}

const struct trace_fact *etl_reader_facts(void *state, size_t *count)
{
    struct etl_reader *reader = state;
    *count = reader->import.facts.count;
    return reader->import.facts.items;
}
