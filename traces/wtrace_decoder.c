/* Decoding the events of a binary trace's block. Functions answer NULL, or what is wrong. Nothing
 * in the block is believed: every number is checked against what is left. */
#include "traces/wtrace_decoder.h"

#include "traces/buffer.h"
#include "traces/check.h"
#include "traces/message.h"
#include "traces/wtrace.h"

struct wtrace_thread {
    uint32_t pid, tid;
};

/* The strings at the start of a block. */
static const char *read_strings(struct wtrace_decoder *decoder)
{
    struct wtrace_cursor *cursor = &decoder->cursor;
    uint64_t count;
    if (!wtrace_get_varint(cursor, &count) || count > (uint64_t)(cursor->end - cursor->at) / 2)
        return "damaged: more strings than the block can hold";
    void *strings = trace_array_grow(decoder->strings, &decoder->string_room, (size_t)count,
                                     sizeof *decoder->strings);
    if (strings == NULL)
        return "out of memory";
    decoder->strings = strings;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t length;
        if (!wtrace_get_varint(cursor, &length) || length >= (uint64_t)(cursor->end - cursor->at))
            return "damaged: a string runs past the block";
        const char *text = (const char *)cursor->at;
        if (strnlen(text, (size_t)length + 1) != length || !trace_is_utf8(text, (size_t)length))
            return "damaged: a string is not UTF-8";
        decoder->strings[i] = (uint32_t)(cursor->at - decoder->raw);
        cursor->at += length + 1;
    }
    decoder->string_count = count;
    return NULL;
}

const char *wtrace_decoder_start(struct wtrace_decoder *decoder, const unsigned char *raw,
                                 size_t length, uint64_t first_t)
{
    decoder->raw = raw;
    decoder->cursor = (struct wtrace_cursor){.at = raw, .end = raw + length};
    decoder->t = first_t;
    decoder->thread_count = 0;
    decoder->good_extras = NULL;
    return read_strings(decoder);
}

void wtrace_decoder_free(struct wtrace_decoder *decoder)
{
    trace_arena_free(&decoder->arena);
    free(decoder->strings);
    free(decoder->threads);
}

#define SHORT "damaged: an event runs past its block"
#define BEYOND "damaged: a number is beyond 2^63 - 1"

static const char *get_name(struct wtrace_decoder *decoder, struct trace_name *name)
{
    uint64_t code;
    if (!wtrace_get_varint(&decoder->cursor, &code))
        return SHORT;
    if ((code & 1) == 0) {
        name->number = code >> 1;
        return NULL;
    }
    if (code >> 1 >= decoder->string_count)
        return "damaged: a name is not among the block's strings";
    name->text = (const char *)decoder->raw + decoder->strings[code >> 1];
    return name->text[0] != '\0' ? NULL : "damaged: an empty name";
}

static const char *get_names(struct wtrace_decoder *decoder, struct trace_names *names)
{
    struct wtrace_cursor *cursor = &decoder->cursor;
    uint64_t count;
    if (!wtrace_get_varint(cursor, &count) || count > (uint64_t)(cursor->end - cursor->at) ||
        count > TRACE_MOST_NAMES)
        return "damaged: a list is longer than its block";
    struct trace_name *items = trace_arena_take(&decoder->arena, (size_t)count, sizeof *items);
    if (items == NULL)
        return "out of memory";
    for (uint64_t i = 0; i < count; i++) {
        const char *wrong = get_name(decoder, &items[i]);
        if (wrong != NULL)
            return wrong;
    }
    *names = (struct trace_names){.items = items, .count = (uint32_t)count};
    return NULL;
}

static const char *get_fields(struct wtrace_decoder *decoder, const struct wtrace_plan *plan,
                              uint64_t presence, void *structure, uint64_t *given);

static const char *get_creations(struct wtrace_decoder *decoder,
                                 struct trace_allocations *creations)
{
    struct wtrace_cursor *cursor = &decoder->cursor;
    const struct wtrace_plan *plan = &decoder->plans->allocation;
    uint64_t count, presence;
    if (!wtrace_get_varint(cursor, &count) || count > (uint64_t)(cursor->end - cursor->at) ||
        count > TRACE_MOST_CREATIONS)
        return "damaged: a list is longer than its block";
    struct trace_allocation *items =
        trace_arena_take(&decoder->arena, (size_t)count, sizeof *items);
    if (items == NULL)
        return "out of memory";
    for (uint64_t i = 0; i < count; i++) {
        if (!wtrace_get_varint(cursor, &presence) || (presence & ~plan->presence) != 0)
            return "damaged: an allocation's fields";
        const char *wrong = get_fields(decoder, plan, presence, &items[i], &items[i].given);
        if (wrong != NULL)
            return wrong;
    }
    *creations = (struct trace_allocations){.items = items, .count = (uint32_t)count};
    return NULL;
}

static const char *get_string(struct wtrace_decoder *decoder, const char **text)
{
    uint64_t number;
    if (!wtrace_get_varint(&decoder->cursor, &number))
        return SHORT;
    if (number >= decoder->string_count)
        return "damaged: a string is not among the block's";
    *text = (const char *)decoder->raw + decoder->strings[number];
    return NULL;
}

static const char *get_extras(struct wtrace_decoder *decoder, const char **text)
{
    const char *wrong = get_string(decoder, text);
    if (wrong != NULL || *text == decoder->good_extras) /* equal ones are one string of the block */
        return wrong;
    if (!trace_check_extras(*text))
        return "damaged: the x- fields are not an object of such";
    decoder->good_extras = *text;
    return NULL;
}

/* The types that are one integer. */
static inline const char *get_number(struct wtrace_decoder *decoder, const struct wtrace_step *step,
                                     void *target)
{
    uint64_t number;
    if (!wtrace_get_varint(&decoder->cursor, &number))
        return SHORT;
    switch (step->code) {
    case WTRACE_CODE_DONE:
        number = (uint64_t)wtrace_unzigzag(number) + decoder->t;
        break;
    case WTRACE_CODE_POSITIVE:
        if (number == 0)
            return "damaged: a size of 0 bytes";
        break;
    case WTRACE_CODE_SIGNED:
        *(int64_t *)target = wtrace_unzigzag(number);
        return NULL;
    case WTRACE_CODE_BOOL:
        *(bool *)target = number != 0;
        return NULL;
    case WTRACE_CODE_STATUS:
        *(uint32_t *)target = (uint32_t)number;
        return number <= UINT32_MAX ? NULL : "damaged: a status beyond 32 bits";
    case WTRACE_CODE_FLAGS:
        *(uint64_t *)target = number;
        return (number & ~step->known) == 0 ? NULL : "damaged: an unknown flag";
    default:
        break;
    }
    *(uint64_t *)target = number;
    return number <= INT64_MAX ? NULL : BEYOND;
}

static const char *get_standard(struct wtrace_decoder *decoder, struct trace_standard *standard)
{
    if (!wtrace_get_varint(&decoder->cursor, &standard->type) ||
        !wtrace_get_varint(&decoder->cursor, &standard->size))
        return SHORT;
    return standard->type <= INT64_MAX && standard->size <= INT64_MAX ? NULL : BEYOND;
}

static const char *get_fields(struct wtrace_decoder *decoder, const struct wtrace_plan *plan,
                              uint64_t presence, void *structure, uint64_t *given)
{
    uint64_t seen = 0;
    for (; presence != 0; presence &= presence - 1) {
        const struct wtrace_step *step = &plan->steps[__builtin_ctzll(presence)];
        void *target = (unsigned char *)structure + step->offset;
        const char *wrong;
        seen |= step->given;
        switch (step->code) {
        case WTRACE_CODE_NAME:
            wrong = get_name(decoder, target);
            break;
        case WTRACE_CODE_NAMES:
            wrong = get_names(decoder, target);
            break;
        case WTRACE_CODE_STRING:
            wrong = get_string(decoder, target);
            break;
        case WTRACE_CODE_EXTRAS:
            wrong = get_extras(decoder, target);
            break;
        case WTRACE_CODE_STANDARD:
            wrong = get_standard(decoder, target);
            break;
        case WTRACE_CODE_CREATIONS:
            wrong = get_creations(decoder, target);
            break;
        case WTRACE_CODE_NEWER:
            return "a field that only a newer version of wddmsim knows";
        default:
            wrong = get_number(decoder, step, target);
            break;
        }
        if (wrong != NULL)
            return wrong;
    }
    *given = seen;
    return (plan->required & ~seen) == 0 ? NULL : "damaged: a required field is missing";
}

static const char *get_thread(struct wtrace_decoder *decoder, struct trace_event *event)
{
    uint64_t number, pid, tid;
    if (!wtrace_get_varint(&decoder->cursor, &number) || number > decoder->thread_count)
        return "damaged: a thread is not among the block's";
    if (number == decoder->thread_count) {
        if (!wtrace_get_varint(&decoder->cursor, &pid) ||
            !wtrace_get_varint(&decoder->cursor, &tid) || pid > UINT32_MAX || tid > UINT32_MAX)
            return "damaged: a thread's identity";
        void *threads = trace_array_grow(decoder->threads, &decoder->thread_room,
                                         (size_t)number + 1, sizeof *decoder->threads);
        if (threads == NULL)
            return "out of memory";
        decoder->threads = threads;
        decoder->threads[number] = (struct wtrace_thread){(uint32_t)pid, (uint32_t)tid};
        decoder->thread_count++;
    }
    event->pid = decoder->threads[number].pid;
    event->tid = decoder->threads[number].tid;
    return NULL;
}

const char *wtrace_decode(struct wtrace_decoder *decoder, struct trace_event *event)
{
    struct wtrace_cursor *cursor = &decoder->cursor;
    uint64_t op, presence, delta;
    trace_arena_reset(&decoder->arena);
    if (!wtrace_get_varint(cursor, &op) || !wtrace_get_varint(cursor, &presence) ||
        !wtrace_get_varint(cursor, &delta))
        return SHORT;
    if (op >= decoder->plans->op_count)
        return "damaged: an op that is not in the vocabulary";
    const struct wtrace_plan *plan = &decoder->plans->ops[op];
    if (plan->op == TRACE_OPS)
        return "an op that only a newer version of wddmsim knows";
    if ((presence & ~plan->presence) != 0)
        return "damaged: a field that the op does not have";
    if (delta > INT64_MAX - decoder->t)
        return BEYOND;

    wtrace_clear(event, sizeof *event);
    decoder->t += delta;
    event->op = plan->op;
    event->t_ns = decoder->t;
    const char *wrong = get_thread(decoder, event);
    if (wrong == NULL)
        wrong = get_fields(decoder, plan, presence, event, &event->given);
    if (wrong == NULL)
        wrong = trace_check_combination(event->op, event->given);
    return wrong;
}
