#include "traces/merge.h"

#include "traces/arena.h"
#include "traces/facts.h"
#include "traces/interner.h"
#include "traces/message.h"
#include "traces/rename.h"
#include "traces/vocabulary.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct part {
    struct trace_reader *reader;
    uint64_t shift_ns; /* added to its dates */
    struct trace_event event;
    enum trace_result result; /* of reading the event */
    struct trace_error error;
    bool before;     /* the event is of what was there before */
    unsigned number; /* of the part, if its names need it in front; else 0 */
    bool unknown;    /* there are events of no known process */
    bool at_create;  /* its allocations are resident from their creation on, and the trace will not
                        say so for all of it */
};

struct merge {
    struct part *parts;
    size_t count;
    struct part *last; /* that the last event came from; NULL: none */
    struct interner devices, contexts, allocations, resident; /* that were there before */
    struct trace_arena arena;  /* of an event, and of the one that follows from it */
    struct trace_event follow; /* to come before any other */
    bool follows;
    struct trace_facts facts;
    char *source, *extras;
    uint64_t dropped;
    bool ended;
    bool failed; /* out of memory */
};

/* Clocks. */

/* From one file to another: 70 years. */
static const int64_t FARTHEST_NS = INT64_MAX / 4;

/* When t 0 of the part was on the clock that both have; false: they have none. Recordings of one
 * format count their own way; QPC and Linux' clock are the machine's. */
static bool common_clock(const struct trace_reader *first, const struct trace_reader *other,
                         int64_t *distance_ns)
{
    static const struct {
        const char *key;
        double ns; /* of its unit */
        bool same_format;
    } clocks[] = {{"clock-qpc-start-ns", 1, false},
                  {"clock-linux-start-ns", 1, false},
                  {"start-us", 1000, true}};
    size_t first_count, other_count;
    const struct trace_fact *a = trace_reader_facts(first, &first_count);
    const struct trace_fact *b = trace_reader_facts(other, &other_count);
    for (size_t c = 0; c < sizeof clocks / sizeof clocks[0]; c++)
        for (size_t i = 0; i < first_count; i++)
            for (size_t k = 0; k < other_count; k++) {
                if (strcmp(a[i].key, clocks[c].key) != 0 || strcmp(b[k].key, clocks[c].key) != 0 ||
                    (clocks[c].same_format &&
                     strcmp(trace_reader_format(first), trace_reader_format(other)) != 0))
                    continue;
                double ns = (b[k].value - a[i].value) * clocks[c].ns;
                *distance_ns = fabs(ns) < (double)FARTHEST_NS ? (int64_t)ns : INT64_MAX;
                return true;
            }
    return false;
}

/* Dates are counted from the earliest t 0. */
static bool set_shifts(struct merge *merge, const struct trace_part *parts,
                       struct trace_error *error)
{
    int64_t offsets[TRACE_MOST_PARTS], earliest = 0;
    for (size_t i = 0; i < merge->count; i++) {
        offsets[i] = 0;
        if (parts[i].has_offset)
            offsets[i] = parts[i].offset_ns;
        else if (i > 0 &&
                 !common_clock(merge->parts[0].reader, merge->parts[i].reader, &offsets[i]))
            trace_facts_add_format(&merge->facts, "", 1,
                                   "file-%zu-clock-assumed|no clock in common with the first file, "
                                   "and no offset given: both begin at once",
                                   i + 1);
        if (offsets[i] > FARTHEST_NS || offsets[i] < -FARTHEST_NS)
            return trace_fail(error, false,
                              "%s: begins more than 70 years from %s: not on one "
                              "clock; give an offset",
                              parts[i].path, parts[0].path);
        if (offsets[i] < earliest)
            earliest = offsets[i];
    }
    for (size_t i = 0; i < merge->count; i++) {
        merge->parts[i].shift_ns = (uint64_t)(offsets[i] - earliest);
        trace_facts_add_format(&merge->facts, "ns", merge->parts[i].shift_ns,
                               "file-%zu-start-ns|when file %zu begins", i + 1, i + 1);
    }
    return true;
}

static bool check_settings(const struct merge *merge, const struct trace_open_options *options,
                           struct trace_error *error)
{
    for (size_t i = 0; i < options->setting_count; i++) {
        bool known = false;
        for (size_t k = 0; k < merge->count; k++)
            known = known || trace_reader_has_setting(merge->parts[k].reader, options->settings[i]);
        if (!known)
            return trace_fail(error, false,
                              "reader setting \"%.60s\": no format of the files has it",
                              options->settings[i]);
    }
    return true;
}

/* What is known of all parts. */

/* A process that is not known in a part with names of its own: no machine has that many. */
static uint32_t process_of(unsigned number)
{
    return 1000000000 + number;
}

static void join_facts(struct merge *merge)
{
    for (size_t i = 0; i < merge->count; i++) {
        size_t count;
        const struct trace_fact *facts = trace_reader_facts(merge->parts[i].reader, &count);
        for (size_t k = 0; k < count; k++)
            trace_facts_add_format(&merge->facts, facts[k].unit, (uint64_t)facts[k].value,
                                   "file-%zu-%s|%s", i + 1, facts[k].key, facts[k].meaning);
    }
}

/* Where parts know residency in different ways, the calls that some of them recorded count, and
 * those that others take for granted are added. */
static enum trace_residency join_residency(struct merge *merge)
{
    const struct trace_header *first = trace_reader_header(merge->parts[0].reader);
    bool same = true, told = true;
    for (size_t i = 0; i < merge->count; i++) {
        enum trace_residency residency = trace_reader_header(merge->parts[i].reader)->residency;
        same = same && residency == first->residency;
        told = told &&
               (residency == TRACE_RESIDENCY_EXPLICIT || residency == TRACE_RESIDENCY_AT_CREATE);
        merge->parts[i].at_create = residency == TRACE_RESIDENCY_AT_CREATE;
    }
    for (size_t i = 0; i < merge->count; i++)
        merge->parts[i].at_create = merge->parts[i].at_create && !same;
    return same ? first->residency : told ? TRACE_RESIDENCY_EXPLICIT : TRACE_RESIDENCY_PER_SUBMIT;
}

static void join_header(struct merge *merge, struct trace_header *header)
{
    size_t room = 1;
    json_t *extras = json_object(), *imports = json_array(), *lacks = json_array();
    *header = *trace_reader_header(merge->parts[0].reader);
    header->residency = join_residency(merge);
    for (size_t i = 0; i < merge->count; i++) {
        const struct trace_header *part = trace_reader_header(merge->parts[i].reader);
        json_t *of_part = part->extras != NULL ? json_loads(part->extras, 0, NULL) : NULL;
        json_t *counts = json_object_get(of_part, "x-import"), *lack;
        size_t index;
        header->create_unknown = header->create_unknown || part->create_unknown;
        room += strlen(part->source != NULL ? part->source : "") + 3;
        json_array_append_new(imports, counts != NULL ? json_incref(counts) : json_object());
        json_array_foreach(json_object_get(of_part, "x-lacks"), index, lack)
            json_array_append_new(lacks, json_sprintf("file %d (%s): %s", (int)i + 1,
                                                      trace_reader_format(merge->parts[i].reader),
                                                      json_string_value(lack)));
        json_decref(of_part);
    }
    json_object_set_new(extras, "x-import", imports);
    if (json_array_size(lacks) > 0)
        json_object_set(extras, "x-lacks", lacks);
    json_decref(lacks);
    merge->extras = json_dumps(extras, JSON_COMPACT);
    json_decref(extras);
    merge->source = calloc(1, room);
    for (size_t i = 0; merge->source != NULL && i < merge->count; i++) {
        const char *source = trace_reader_header(merge->parts[i].reader)->source;
        if (source == NULL)
            continue;
        if (merge->source[0] != '\0')
            strcat(merge->source, "; ");
        strcat(merge->source, source);
    }
    header->source = merge->source != NULL && merge->source[0] != '\0' ? merge->source : NULL;
    header->extras = merge->extras;
    merge->failed = merge->failed || merge->source == NULL || merge->extras == NULL;
}

/* Gives the event of a part with names of its own what tells it from other parts'. */
static void make_own(struct merge *merge, struct part *part, struct trace_event *event)
{
    if (!trace_rename_objects(event, part->number, &merge->arena))
        merge->failed = true;
    if (event->pid != 0)
        return;
    event->pid = process_of(part->number);
    part->unknown = true;
}

/* Whether something of that name was there before in another part; else it is now. */
static bool is_known(struct merge *merge, struct interner *kind, struct trace_name name)
{
    uint32_t count = kind->count, number = interner_number(kind, name);
    merge->failed = merge->failed || number == UINT32_MAX;
    merge->dropped += number < count;
    return number < count;
}

/* Leaves out allocations that were there before in another part. True: they all were. */
static bool leave_out_known(struct merge *merge, struct trace_event *event)
{
    uint32_t count = 0;
    struct trace_allocation *items =
        trace_arena_take(&merge->arena, event->creations.count, sizeof *items);
    if (items == NULL) {
        merge->failed = true;
        return false;
    }
    for (uint32_t i = 0; i < event->creations.count; i++)
        if (!is_known(merge, &merge->allocations, event->creations.items[i].allocation))
            items[count++] = event->creations.items[i];
    event->creations.items = items;
    event->creations.count = count;
    return count == 0;
}

/* The same of what was resident. */
static bool leave_out_resident(struct merge *merge, struct trace_names *names)
{
    uint32_t count = 0;
    struct trace_name *items = trace_arena_take(&merge->arena, names->count, sizeof *items);
    if (items == NULL) {
        merge->failed = true;
        return false;
    }
    for (uint32_t i = 0; i < names->count; i++)
        if (!is_known(merge, &merge->resident, names->items[i]))
            items[count++] = names->items[i];
    *names = (struct trace_names){items, count};
    return count == 0;
}

static bool is_told_twice(struct merge *merge, struct trace_event *event)
{
    if (!event->existing)
        return false;
    switch (event->op) {
    case TRACE_CREATE_DEVICE:
        return is_known(merge, &merge->devices, event->device);
    case TRACE_CREATE_CONTEXT:
        return is_known(merge, &merge->contexts, event->context);
    case TRACE_CREATE_ALLOCATION:
        return leave_out_known(merge, event);
    case TRACE_MAKE_RESIDENT:
        return leave_out_resident(merge, &event->allocations);
    default:
        return false;
    }
}

/* What creates the event's allocations makes them resident, too. */
static void follow_up(struct merge *merge, const struct trace_event *event)
{
    uint32_t count = event->creations.count;
    bool failed = trace_given(event->given, TRACE_STATUS) && (event->status & 0x80000000) != 0;
    if (event->op != TRACE_CREATE_ALLOCATION || failed || count == 0)
        return;
    struct trace_name *names = trace_arena_take(&merge->arena, count, sizeof *names);
    merge->failed = merge->failed || names == NULL;
    for (uint32_t i = 0; names != NULL && i < count; i++)
        names[i] = event->creations.items[i].allocation;
    merge->follows = names != NULL;
    merge->follow = (struct trace_event){
        .op = TRACE_MAKE_RESIDENT,
        .t_ns = event->t_ns,
        .pid = event->pid,
        .tid = event->tid,
        .existing = true,
        .device = event->device,
        .allocations = {names, count},
        .given = TRACE_GIVEN(TRACE_EXISTING) | TRACE_GIVEN(TRACE_DEVICE) |
                 TRACE_GIVEN(TRACE_ALLOCATIONS),
    };
}

/* The format of the merged trace. */

static void advance(struct part *part)
{
    part->result = trace_next(part->reader, &part->event, &part->error);
    part->before = part->result == TRACE_EVENT && part->event.existing && part->event.t_ns == 0;
    if (part->result != TRACE_EVENT || part->before)
        return;
    part->event.t_ns += part->shift_ns;
    if (trace_given(part->event.given, TRACE_DONE))
        part->event.done_ns += part->shift_ns;
}

/* Whose event comes next: bad ones at once, then what was there before, then by date; the first of
 * equals. NULL: all have ended. */
static struct part *choose(struct merge *merge)
{
    struct part *best = NULL;
    for (size_t i = 0; i < merge->count; i++) {
        struct part *part = &merge->parts[i];
        if (part->result == TRACE_END)
            continue;
        if (part->result == TRACE_BAD)
            return part;
        if (best == NULL || part->before > best->before ||
            (part->before == best->before && part->event.t_ns < best->event.t_ns))
            best = part;
    }
    return best;
}

static void tell_dropped(struct merge *merge)
{
    if (merge->ended)
        return;
    merge->ended = true;
    trace_facts_add(&merge->facts, "told-twice",
                    "that were there before, as more than one file says", "", merge->dropped);
    for (size_t i = 0; i < merge->count; i++)
        if (merge->parts[i].unknown)
            trace_facts_add_format(&merge->facts, "", process_of(merge->parts[i].number),
                                   "file-%zu-process-assumed|stands for the process of file %zu, "
                                   "which does not tell it",
                                   i + 1, i + 1);
}

static enum trace_result merge_next(void *state, struct trace_event *event,
                                    struct trace_error *error)
{
    struct merge *merge = state;
    if (merge->follows) {
        *event = merge->follow;
        merge->follows = false;
        return TRACE_EVENT;
    }
    for (;;) {
        trace_arena_reset(&merge->arena);
        if (merge->last != NULL)
            advance(merge->last);
        struct part *part = choose(merge);
        merge->last = part;
        if (merge->failed) {
            trace_fail(error, false, "out of memory");
            return TRACE_BAD;
        }
        if (part == NULL) {
            tell_dropped(merge);
            return TRACE_END;
        }
        if (part->result == TRACE_BAD) {
            *error = part->error;
            return TRACE_BAD;
        }
        *event = part->event;
        if (part->number != 0)
            make_own(merge, part, event);
        if (is_told_twice(merge, event))
            continue;
        if (part->at_create)
            follow_up(merge, event);
        return TRACE_EVENT;
    }
}

static const char *merge_place(void *state)
{
    struct merge *merge = state;
    return trace_reader_place(merge->last != NULL ? merge->last->reader : merge->parts[0].reader);
}

static const struct trace_fact *merge_facts(void *state, size_t *count)
{
    const struct merge *merge = state;
    *count = merge->facts.count;
    return merge->facts.items;
}

static void merge_progress(void *state, uint64_t *done, uint64_t *total)
{
    const struct merge *merge = state;
    *done = *total = 0;
    for (size_t i = 0; i < merge->count; i++) {
        uint64_t part_done, part_total;
        trace_reader_progress(merge->parts[i].reader, &part_done, &part_total);
        *done += part_done;
        *total += part_total;
    }
}

static void merge_close(void *state)
{
    struct merge *merge = state;
    if (merge == NULL)
        return;
    for (size_t i = 0; i < merge->count; i++)
        trace_close(merge->parts[i].reader);
    free(merge->parts);
    trace_arena_free(&merge->arena);
    interner_fini(&merge->devices);
    interner_fini(&merge->contexts);
    interner_fini(&merge->allocations);
    interner_fini(&merge->resident);
    trace_facts_free(&merge->facts);
    free(merge->source);
    free(merge->extras);
    free(merge);
}

static const struct trace_format merged = {
    .name = "merged",
    .next = merge_next,
    .place = merge_place,
    .facts = merge_facts,
    .progress = merge_progress,
    .close = merge_close,
};

bool trace_open_parts(const struct trace_part *parts, size_t count,
                      const struct trace_open_options *options, struct trace_reader **reader,
                      struct trace_error *error)
{
    *reader = NULL;
    if (count == 1)
        return trace_open(parts[0].path, options, reader, error);
    if (count == 0 || count > TRACE_MOST_PARTS)
        return trace_fail(error, false, "%zu files: expected 1 to %d", count, TRACE_MOST_PARTS);
    struct merge *merge = calloc(1, sizeof *merge);
    struct trace_header header;
    if (merge != NULL)
        merge->parts = calloc(count, sizeof *merge->parts);
    if (merge == NULL || merge->parts == NULL) {
        free(merge);
        return trace_fail(error, false, "out of memory");
    }
    bool good = true;
    struct trace_open_options each = options != NULL ? *options : (struct trace_open_options){0};
    each.settings_of_others = true;
    for (; good && merge->count < count; merge->count += good) {
        struct part *part = &merge->parts[merge->count];
        good = trace_open(parts[merge->count].path, &each, &part->reader, error);
        if (good && merge->count > 0 && trace_reader_names_its_own(part->reader))
            part->number = (unsigned)merge->count + 1;
    }
    good = good && check_settings(merge, &each, error) && set_shifts(merge, parts, error);
    if (good) {
        join_facts(merge);
        join_header(merge, &header);
        for (size_t i = 0; i < count; i++)
            advance(&merge->parts[i]);
        *reader = merge->failed || merge->facts.failed ? NULL
                                                       : trace_reader_wrap(&merged, merge, &header);
        if (*reader == NULL)
            good = trace_fail(error, false, "out of memory");
    }
    if (!good)
        merge_close(merge);
    return good;
}
