#include "traces/linux/linux.h"

#include "traces/buffer.h"
#include "traces/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORDS_MEMORY = 24 * 1024 * 1024,
    JOBS_MEMORY = 24 * 1024 * 1024,
    SAMPLES_MEMORY = 2 * 1024 * 1024,
    MOST_TEXTS = 4096, /* different rings, drivers and devices: real machines have dozens */
    LONGEST_TEXT = 63,
};

bool linux_init(struct linux_import *import, struct trace_facts *facts)
{
    *import = (struct linux_import){.facts = facts};
    linux_lookup_prepare(&import->lookup);
    import->records = trace_sorter_create(sizeof(struct linux_record), RECORDS_MEMORY);
    import->jobs = trace_sorter_create(sizeof(struct linux_job), JOBS_MEMORY);
    import->queued = trace_sorter_create(sizeof(struct trace_sorted), SAMPLES_MEMORY);
    import->to_done = trace_sorter_create(sizeof(struct trace_sorted), SAMPLES_MEMORY);
    import->on_engine = trace_sorter_create(sizeof(struct trace_sorted), SAMPLES_MEMORY);
    return import->records != NULL && import->jobs != NULL && import->queued != NULL &&
           import->to_done != NULL && import->on_engine != NULL;
}

void linux_free(struct linux_import *import)
{
    linux_emission_free(import);
    trace_sorter_free(import->records);
    trace_sorter_free(import->jobs);
    trace_sorter_free(import->queued);
    trace_sorter_free(import->to_done);
    trace_sorter_free(import->on_engine);
    trace_map_free(&import->texts);
    trace_map_free(&import->device_numbers);
    trace_arena_free(&import->arena);
    free(import->text_list);
    free(import->engines);
    free(import->contexts);
    free(import->devices);
    free(import->held);
}

bool linux_fail(struct linux_import *import, const char *what)
{
    if (import->failure == NULL)
        import->failure = what;
    return false;
}

bool linux_take_failure(struct linux_import *import, const struct trace_sorter *sorter)
{
    const char *failure = trace_sorter_failure(sorter);
    return linux_fail(import, failure != NULL ? failure : "out of memory");
}

uint16_t linux_text(struct linux_import *import, const char *text, size_t length)
{
    if (length > LONGEST_TEXT)
        length = LONGEST_TEXT;
    if (length == 0)
        return 0;
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    struct linux_text *first = trace_map_get(&import->texts, hash, 0);
    for (struct linux_text *old = first; old != NULL; old = old->next)
        if (old->length == length && memcmp(old->text, text, length) == 0)
            return old->number;
    if (import->text_count == MOST_TEXTS) {
        import->tally.texts_left_out++;
        return 0;
    }
    struct linux_text *made =
        trace_arena_take(&import->arena, 1, sizeof *made + 2 * (LONGEST_TEXT + 1));
    const struct linux_text **list = trace_array_grow(import->text_list, &import->text_room,
                                                      import->text_count + 1, sizeof *list);
    if (list != NULL)
        import->text_list = list;
    if (made == NULL || list == NULL || !trace_map_put(&import->texts, hash, 0, made)) {
        linux_fail(import, "out of memory");
        return 0;
    }
    made->next = first;
    made->length = (uint16_t)length;
    memcpy(made->text, text, length);
    made->clean = made->text + LONGEST_TEXT + 1;
    memcpy(made->text + LONGEST_TEXT + 1, text, length);
    trace_make_printable(made->text + LONGEST_TEXT + 1);
    list[import->text_count++] = made;
    made->number = (uint16_t)import->text_count;
    return made->number;
}

const char *linux_text_of(const struct linux_import *import, uint16_t number)
{
    return number == 0 ? "" : import->text_list[number - 1]->clean;
}

/* i915 says engines in numbers: a class and which one of it, or in old kernels which one of all. */
static void name_engine(struct linux_import *import, struct linux_record *record)
{
    static const char *const classes[] = {"render", "copy", "video", "enhance", "compute"};
    uint64_t class = record->values[LINUX_RING];
    const char *name = linux_has(record, LINUX_RING) && class < sizeof classes / sizeof classes[0]
                           ? classes[class]
                           : "engine";
    char text[48];
    int length = snprintf(text, sizeof text, "%s%" PRIu64, name, record->values[LINUX_INSTANCE]);
    linux_give(record, LINUX_RING, linux_text(import, text, (size_t)length));
}

bool linux_add(struct linux_import *import, int tracepoint, struct linux_record *record)
{
    const struct linux_tracepoint *about = &linux_tracepoints[tracepoint];
    unsigned needed = 0;
    bool numbered = false; /* its engine is */
    for (uint8_t i = 0; i < about->field_count; i++) {
        const struct linux_field *field = &about->fields[i];
        if (field->needed)
            needed |= 1U << field->slot;
        numbered = numbered || (about->kind < LINUX_QUEUE && field->slot == LINUX_RING &&
                                field->type != LINUX_TEXT);
    }
    import->tally.tracepoints[tracepoint]++;
    if (about->kind == LINUX_COUNTED)
        return true;
    if ((record->given & needed) != needed) {
        import->tally.undecodable++;
        return true;
    }
    if (numbered && (linux_has(record, LINUX_RING) || linux_has(record, LINUX_INSTANCE)))
        name_engine(import, record);
    record->kind = about->kind;
    record->tracepoint = (uint8_t)tracepoint;
    record->order.tie = LINUX_PLACES * ++import->added;
    return trace_sorter_put(import->records, record) || linux_take_failure(import, import->records);
}

bool linux_finish(struct linux_import *import)
{
    if (import->failure != NULL || !linux_learn(import) || !linux_name_engines(import))
        return false;
    linux_summarize(import);
    return import->failure == NULL && linux_emission_start(import);
}
