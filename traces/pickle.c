#include "traces/pickle.h"

#include "traces/buffer.h"
#include "traces/message.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The opcodes that are known (pickletools.py of CPython, protocol 5). */
enum opcode {
    OP_PROTO = 0x80,
    OP_FRAME = 0x95,
    OP_MARK = '(',
    OP_STOP = '.',
    OP_EMPTY_DICT = '}',
    OP_EMPTY_LIST = ']',
    OP_EMPTY_TUPLE = ')',
    OP_TUPLE = 't',
    OP_TUPLE1 = 0x85,
    OP_TUPLE2 = 0x86,
    OP_TUPLE3 = 0x87,
    OP_SETITEM = 's',
    OP_SETITEMS = 'u',
    OP_APPEND = 'a',
    OP_APPENDS = 'e',
    OP_SHORT_BINUNICODE = 0x8c,
    OP_BINUNICODE = 'X',
    OP_BININT = 'J',
    OP_BININT1 = 'K',
    OP_BININT2 = 'M',
    OP_LONG1 = 0x8a,
    OP_LONG4 = 0x8b,
    OP_BINFLOAT = 'G',
    OP_NONE = 'N',
    OP_NEWTRUE = 0x88,
    OP_NEWFALSE = 0x89,
    OP_MEMOIZE = 0x94,
    OP_BINPUT = 'q',
    OP_LONG_BINPUT = 'r',
    OP_BINGET = 'h',
    OP_LONG_BINGET = 'j',
};

/* What runs code in Python, or may: named when it is refused. */
static const struct {
    unsigned char code;
    const char *name;
} dangerous[] = {
    {'c', "GLOBAL"},    {0x93, "STACK_GLOBAL"}, {'R', "REDUCE"},
    {'b', "BUILD"},     {'i', "INST"},          {'o', "OBJ"},
    {0x81, "NEWOBJ"},   {0x92, "NEWOBJ_EX"},    {0x82, "EXT1"},
    {0x83, "EXT2"},     {0x84, "EXT4"},         {'P', "PERSID"},
    {'Q', "BINPERSID"}, {0x97, "NEXT_BUFFER"},  {0x98, "READONLY_BUFFER"},
};

/* A value on the stack. */
enum kind {
    MARK,
    TEXT,   /* a string that is none of the words */
    OPAQUE, /* anything that does not matter */
    NUMBER,
    WORD,      /* a key or word: its number in `number` */
    LIST,      /* of a shape */
    DICTIONARY /* of a shape: its object in `object` */
};

struct value {
    uint8_t kind;
    uint8_t shape; /* index in `shapes` */
    uint32_t object;
    int64_t number;
};

enum {
    WINDOW = 64 * 1024,
    SHAPES = 16,
    WORDS = 200,
    LONGEST_WORD = 32,
    MOST_VALUES = 1 << 20,  /* on the stack; a pickler leaves no more than some thousand there */
    MOST_OBJECTS = 1 << 16, /* not yet put anywhere; a pickler puts a thousand at a time */
    MOST_MEMO = 1 << 28,
    NO_OBJECT = UINT32_MAX,
    PROGRESS_EVERY = 1 << 16, /* opcodes */
};

/* What a byte of the memo stands for; from FIRST_WORD on a word. */
enum { MEMO_TEXT, MEMO_OPAQUE, FIRST_WORD };

struct machine {
    struct trace_input *input;
    const struct pickle_listener *listener;
    struct trace_error *error;
    unsigned char window[WINDOW];
    size_t at, end;
    uint64_t base;   /* offset of the window */
    uint64_t offset; /* of the opcode */

    const struct pickle_shape *shapes[SHAPES];
    unsigned shape_count;
    const char *words[WORDS]; /* the listener's, then the keys */
    uint8_t word_lengths[WORDS];
    unsigned word_count;

    struct value *stack;
    size_t depth, stack_room;
    uint32_t *marks; /* places of the marks on the stack */
    size_t mark_count, mark_room;
    uint8_t *memo;
    size_t memo_count, memo_room;
    struct pickle_object *objects;
    uint32_t *free_objects; /* numbers of those not in use */
    size_t object_count, object_room, free_count, free_room;
};

static bool fail_at(struct machine *machine, uint64_t offset, const char *what)
{
    return trace_fail(machine->error, true, "%s: offset %" PRIu64 ": %s",
                      trace_input_path(machine->input), offset, what);
}

static bool fail(struct machine *machine, const char *what)
{
    return fail_at(machine, machine->offset, what);
}

static bool out_of_memory(struct machine *machine)
{
    trace_fail(machine->error, false, "%s: out of memory", trace_input_path(machine->input));
    return false;
}

/* Bytes. */

static bool refill(struct machine *machine)
{
    machine->base += machine->end;
    machine->at = machine->end = 0;
    if (!trace_input_read(machine->input, machine->window, WINDOW, &machine->end, machine->error))
        return false;
    return machine->end > 0 || fail_at(machine, machine->base, "the file ends in the middle");
}

static inline bool byte(struct machine *machine, unsigned char *value)
{
    if (machine->at == machine->end && !refill(machine))
        return false;
    *value = machine->window[machine->at++];
    return true;
}

/* An unsigned little-endian number of `size` bytes, at most 8. */
static inline bool count(struct machine *machine, unsigned size, uint64_t *value)
{
    unsigned char next;
    *value = 0;
    for (unsigned i = 0; i < size; i++) {
        if (!byte(machine, &next))
            return false;
        *value |= (uint64_t)next << 8 * i;
    }
    return true;
}

static bool skip(struct machine *machine, uint64_t length)
{
    while (length > 0) {
        if (machine->at == machine->end && !refill(machine))
            return false;
        size_t ready = machine->end - machine->at;
        size_t step = length < ready ? (size_t)length : ready;
        machine->at += step;
        length -= step;
    }
    return true;
}

/* Words and shapes. */

static void add_word(struct machine *machine, const char *word)
{
    for (unsigned i = 0; i < machine->word_count; i++)
        if (strcmp(machine->words[i], word) == 0)
            return;
    assert(machine->word_count < WORDS && strlen(word) <= LONGEST_WORD);
    machine->words[machine->word_count] = word;
    machine->word_lengths[machine->word_count++] = (uint8_t)strlen(word);
}

/* Adds it and all it leads to. */
static void add_shape(struct machine *machine, const struct pickle_shape *shape)
{
    for (unsigned i = 0; i < machine->shape_count; i++)
        if (machine->shapes[i] == shape)
            return;
    assert(machine->shape_count < SHAPES);
    machine->shapes[machine->shape_count++] = shape;
    if (shape->list)
        add_shape(machine, shape->items);
    for (unsigned i = 0; !shape->list && i < shape->field_count; i++) {
        add_word(machine, shape->fields[i].key);
        if (shape->fields[i].shape != NULL)
            add_shape(machine, shape->fields[i].shape);
    }
}

static uint8_t number_of(const struct machine *machine, const struct pickle_shape *shape)
{
    uint8_t number = 0;
    while (machine->shapes[number] != shape)
        number++;
    return number;
}

static const struct pickle_shape *shape_of(const struct machine *machine, struct value value)
{
    return machine->shapes[value.shape];
}

/* The field of a dictionary that a key names; NULL: none. */
static const struct pickle_field *field_of(const struct machine *machine,
                                           const struct pickle_shape *shape, struct value key)
{
    if (key.kind != WORD)
        return NULL;
    const char *word = machine->words[key.number];
    for (unsigned i = 0; i < shape->field_count; i++)
        if (strcmp(shape->fields[i].key, word) == 0)
            return &shape->fields[i];
    return NULL;
}

/* The stack. */

static inline bool push(struct machine *machine, struct value value)
{
    if (machine->depth == MOST_VALUES)
        return fail(machine, "more values at once than a pickle of this kind has");
    struct value *stack =
        trace_array_grow(machine->stack, &machine->stack_room, machine->depth + 1, sizeof *stack);
    if (stack == NULL)
        return out_of_memory(machine);
    machine->stack = stack;
    stack[machine->depth++] = value;
    return true;
}

static bool push_number(struct machine *machine, int64_t number)
{
    return push(machine, (struct value){.kind = NUMBER, .number = number});
}

static bool push_kind(struct machine *machine, enum kind kind)
{
    return push(machine, (struct value){.kind = (uint8_t)kind});
}

static bool push_mark(struct machine *machine)
{
    uint32_t *marks = trace_array_grow(machine->marks, &machine->mark_room, machine->mark_count + 1,
                                       sizeof *marks);
    if (marks == NULL)
        return out_of_memory(machine);
    machine->marks = marks;
    marks[machine->mark_count++] = (uint32_t)machine->depth;
    return push_kind(machine, MARK);
}

/* Where the values above the last mark begin; 0 if there is no mark. */
static size_t above_mark(const struct machine *machine)
{
    return machine->mark_count > 0 ? machine->marks[machine->mark_count - 1] + (size_t)1 : 0;
}

static void give_object(struct machine *machine, struct value value)
{
    if (value.kind == DICTIONARY && value.object != NO_OBJECT)
        machine->free_objects[machine->free_count++] = value.object;
}

/* Whether so many values can be taken without taking the last mark. */
static bool has(struct machine *machine, size_t values)
{
    return machine->depth - above_mark(machine) >= values ||
           fail(machine, "takes more values than there are");
}

/* What is pushed now: which shape it must have, by what is below it; NULL: it does not matter.
 *
 * Where several values stand above a mark they are for the dictionary or list below the mark, key
 * and value in turn for a dictionary. A pickler puts a single one without a mark: then it belongs
 * to the dictionary or list right below (below its key). Which of the two it is can be told by what
 * may stand there: no list of a shape has items of its own kind. */
static const struct pickle_shape *expected(const struct machine *machine, bool list)
{
    if (machine->depth == 0)
        return machine->listener->root->list == list ? machine->listener->root : NULL;
    const struct value *top = &machine->stack[machine->depth - 1];
    size_t above = above_mark(machine), values = machine->depth - above;
    const struct pickle_shape *shape = NULL;
    if (top->kind == LIST && shape_of(machine, *top)->items->list == list) {
        shape = shape_of(machine, *top)->items; /* alone in that list */
    } else if (values >= 2 && top[-1].kind == DICTIONARY && top->kind == WORD) {
        const struct pickle_field *field = field_of(machine, shape_of(machine, top[-1]), *top);
        shape = field != NULL ? field->shape : NULL; /* alone in that dictionary */
    } else if (above >= 2) {
        const struct value *owner = &machine->stack[above - 2];
        if (owner->kind == LIST) {
            shape = shape_of(machine, *owner)->items;
        } else if (owner->kind == DICTIONARY && values % 2 == 1) {
            const struct pickle_field *field = field_of(machine, shape_of(machine, *owner), *top);
            shape = field != NULL ? field->shape : NULL;
        }
    }
    return shape != NULL && shape->list == list ? shape : NULL;
}

static bool take_object(struct machine *machine, uint32_t *number)
{
    if (machine->free_count > 0) {
        *number = machine->free_objects[--machine->free_count];
    } else {
        if (machine->object_count == MOST_OBJECTS)
            return fail(machine, "more dictionaries at once than a pickle of this kind has");
        struct pickle_object *objects = trace_array_grow(
            machine->objects, &machine->object_room, machine->object_count + 1, sizeof *objects);
        if (objects == NULL)
            return out_of_memory(machine);
        machine->objects = objects;
        /* Room to give all of them back. */
        uint32_t *free_objects = trace_array_grow(machine->free_objects, &machine->free_room,
                                                  machine->object_count + 1, sizeof *free_objects);
        if (free_objects == NULL)
            return out_of_memory(machine);
        machine->free_objects = free_objects;
        *number = (uint32_t)machine->object_count++;
    }
    machine->objects[*number] = (struct pickle_object){.offset = machine->offset};
    return true;
}

static bool push_container(struct machine *machine, bool list)
{
    const struct pickle_shape *shape = expected(machine, list);
    if (shape == NULL)
        return push_kind(machine, OPAQUE);
    struct value value = {
        .kind = list ? LIST : DICTIONARY, .shape = number_of(machine, shape), .object = NO_OBJECT};
    if (!list && !take_object(machine, &value.object))
        return false;
    if (list && machine->listener->begin != NULL)
        machine->listener->begin(machine->listener->self, shape);
    return push(machine, value);
}

/* Putting. */

/* A value is put where something of `shape` belongs (NULL: it does not matter). */
static bool put(struct machine *machine, const struct pickle_shape *shape, struct value value)
{
    const struct pickle_listener *listener = machine->listener;
    bool shaped = value.kind == LIST || value.kind == DICTIONARY;
    if (shape == NULL)
        return !shaped || fail(machine, "not the structure of a memory snapshot");
    if (!shaped || shape_of(machine, value) != shape)
        return fail(machine, "not the structure of a memory snapshot");
    if (value.kind == LIST)
        return true;
    bool good =
        listener->object(listener->self, shape, &machine->objects[value.object], machine->error);
    give_object(machine, value);
    return good;
}

static bool set_item(struct machine *machine, struct value dictionary, struct value key,
                     struct value value)
{
    if (dictionary.kind != DICTIONARY)
        return dictionary.kind == OPAQUE ? put(machine, NULL, value)
                                         : fail(machine, "sets an item of what is no dictionary");
    if (key.kind == LIST || key.kind == DICTIONARY)
        return fail(machine, "not the structure of a memory snapshot");
    const struct pickle_shape *shape = shape_of(machine, dictionary);
    const struct pickle_field *field = field_of(machine, shape, key);
    if (field == NULL || field->shape != NULL)
        return put(machine, field != NULL ? field->shape : NULL, value);
    machine->objects[dictionary.object].values[field - shape->fields] = (struct pickle_scalar){
        .kind = value.kind == NUMBER ? PICKLE_NUMBER
                : value.kind == WORD ? PICKLE_WORD
                                     : PICKLE_OTHER,
        .number = value.number,
    };
    return put(machine, NULL, value);
}

static bool append(struct machine *machine, struct value list, struct value value)
{
    if (list.kind != LIST && list.kind != OPAQUE)
        return fail(machine, "appends to what is no list");
    return put(machine, list.kind == LIST ? shape_of(machine, list)->items : NULL, value);
}

/* SETITEM, APPEND: one item; its owner stays. */
static bool put_one(struct machine *machine, bool list)
{
    size_t values = list ? 1 : 2;
    if (!has(machine, values + 1))
        return false;
    machine->depth -= values;
    const struct value *top = &machine->stack[machine->depth - 1];
    return list ? append(machine, top[0], top[1]) : set_item(machine, top[0], top[1], top[2]);
}

/* SETITEMS, APPENDS: all above the last mark, for what is below it. */
static bool put_all(struct machine *machine, bool list)
{
    size_t above = above_mark(machine), step = list ? 1 : 2;
    if (machine->mark_count < 1 || above < 2 || machine->stack[above - 2].kind == MARK)
        return fail(machine, "takes more values than there are");
    if ((machine->depth - above) % step != 0)
        return fail(machine, "a key without a value");
    struct value owner = machine->stack[above - 2];
    for (size_t i = above; i < machine->depth; i += step) {
        const struct value *item = &machine->stack[i];
        if (list ? !append(machine, owner, item[0]) : !set_item(machine, owner, item[0], item[1]))
            return false;
    }
    machine->depth = above - 1;
    machine->mark_count--;
    return true;
}

/* A tuple, of nothing that matters, of so many values. */
static bool make_tuple(struct machine *machine, size_t values)
{
    if (!has(machine, values))
        return false;
    for (size_t i = 0; i < values; i++)
        if (!put(machine, NULL, machine->stack[machine->depth - 1 - i]))
            return false;
    machine->depth -= values;
    return push_kind(machine, OPAQUE);
}

static bool make_marked_tuple(struct machine *machine)
{
    if (machine->mark_count == 0)
        return fail(machine, "takes more values than there are");
    if (!make_tuple(machine, machine->depth - above_mark(machine)))
        return false;
    machine->mark_count--;
    machine->depth--; /* the mark is below the tuple */
    machine->stack[machine->depth - 1] = machine->stack[machine->depth];
    return true;
}

/* Strings and numbers. */

static bool read_text(struct machine *machine, unsigned size)
{
    uint64_t length;
    unsigned char text[LONGEST_WORD];
    if (!count(machine, size, &length))
        return false;
    if (length > LONGEST_WORD)
        return skip(machine, length) && push_kind(machine, TEXT);
    for (size_t i = 0; i < length; i++)
        if (!byte(machine, &text[i]))
            return false;
    for (unsigned i = 0; i < machine->word_count; i++)
        if (machine->word_lengths[i] == length && memcmp(machine->words[i], text, length) == 0)
            return push(machine, (struct value){.kind = WORD, .number = i});
    return push_kind(machine, TEXT);
}

/* `length` bytes, two's complement. What has more than 64 bits is no number that matters. */
static bool read_long(struct machine *machine, uint64_t length)
{
    uint64_t bits;
    if (length > sizeof bits)
        return skip(machine, length) && push_kind(machine, OPAQUE);
    if (!count(machine, (unsigned)length, &bits))
        return false;
    if (length > 0 && length < sizeof bits && (bits >> (8 * length - 1) & 1))
        bits |= ~UINT64_C(0) << 8 * length;
    return push_number(machine, (int64_t)bits);
}

static bool read_count(struct machine *machine, unsigned size)
{
    uint64_t value;
    return count(machine, size, &value) && push_number(machine, (int64_t)value);
}

static bool read_int(struct machine *machine)
{
    uint64_t value;
    return count(machine, 4, &value) && push_number(machine, (int32_t)(uint32_t)value);
}

/* The memo. */

static bool memoize(struct machine *machine, uint64_t index)
{
    if (!has(machine, 1))
        return false;
    /* Picklers number what they keep from 0 on. */
    if (index > machine->memo_count || index >= MOST_MEMO)
        return fail(machine, "keeps a value under a number too large");
    uint8_t *memo =
        trace_array_grow(machine->memo, &machine->memo_room, (size_t)index + 1, sizeof *memo);
    if (memo == NULL)
        return out_of_memory(machine);
    machine->memo = memo;
    struct value top = machine->stack[machine->depth - 1];
    memo[index] = top.kind == WORD   ? (uint8_t)(FIRST_WORD + top.number)
                  : top.kind == TEXT ? MEMO_TEXT
                                     : MEMO_OPAQUE;
    if (index == machine->memo_count)
        machine->memo_count++;
    return true;
}

static bool memoize_number(struct machine *machine, unsigned size)
{
    uint64_t index;
    return count(machine, size, &index) && memoize(machine, index);
}

static bool recall(struct machine *machine, unsigned size)
{
    uint64_t index;
    if (!count(machine, size, &index))
        return false;
    if (index >= machine->memo_count)
        return fail(machine, "recalls a value that was not kept");
    uint8_t kept = machine->memo[index];
    if (kept >= FIRST_WORD)
        return push(machine, (struct value){.kind = WORD, .number = kept - FIRST_WORD});
    return push_kind(machine, kept == MEMO_TEXT ? TEXT : OPAQUE);
}

/* The machine. */

static bool refuse(struct machine *machine, unsigned char opcode)
{
    char what[96];
    for (size_t i = 0; i < sizeof dangerous / sizeof *dangerous; i++)
        if (dangerous[i].code == opcode) {
            snprintf(what, sizeof what,
                     "opcode %s is refused: it would run code, and a memory snapshot has none",
                     dangerous[i].name);
            return fail(machine, what);
        }
    snprintf(what, sizeof what, "opcode 0x%02x is none that a memory snapshot has", opcode);
    return fail(machine, what);
}

static bool stop(struct machine *machine)
{
    if (machine->mark_count > 0 || machine->depth != 1)
        return fail(machine, "stops with values left over");
    return put(machine, machine->listener->root, machine->stack[0]);
}

static bool step(struct machine *machine, unsigned char opcode)
{
    uint64_t length;
    switch (opcode) {
    case OP_PROTO:
        return skip(machine, 1);
    case OP_FRAME:
        return skip(machine, 8);
    case OP_MARK:
        return push_mark(machine);
    case OP_EMPTY_DICT:
        return push_container(machine, false);
    case OP_EMPTY_LIST:
        return push_container(machine, true);
    case OP_EMPTY_TUPLE:
        return push_kind(machine, OPAQUE);
    case OP_TUPLE:
        return make_marked_tuple(machine);
    case OP_TUPLE1:
    case OP_TUPLE2:
    case OP_TUPLE3:
        return make_tuple(machine, 1U + opcode - OP_TUPLE1);
    case OP_SETITEM:
        return put_one(machine, false);
    case OP_SETITEMS:
        return put_all(machine, false);
    case OP_APPEND:
        return put_one(machine, true);
    case OP_APPENDS:
        return put_all(machine, true);
    case OP_SHORT_BINUNICODE:
        return read_text(machine, 1);
    case OP_BINUNICODE:
        return read_text(machine, 4);
    case OP_BININT:
        return read_int(machine);
    case OP_BININT1:
        return read_count(machine, 1);
    case OP_BININT2:
        return read_count(machine, 2);
    case OP_LONG1:
        return count(machine, 1, &length) && read_long(machine, length);
    case OP_LONG4:
        if (!count(machine, 4, &length))
            return false;
        return length <= INT32_MAX ? read_long(machine, length)
                                   : fail(machine, "a number of negative length");
    case OP_BINFLOAT:
        return skip(machine, 8) && push_kind(machine, OPAQUE);
    case OP_NONE:
        return push_kind(machine, OPAQUE);
    case OP_NEWTRUE:
    case OP_NEWFALSE:
        return push_number(machine, opcode == OP_NEWTRUE);
    case OP_MEMOIZE:
        return memoize(machine, machine->memo_count);
    case OP_BINPUT:
        return memoize_number(machine, 1);
    case OP_LONG_BINPUT:
        return memoize_number(machine, 4);
    case OP_BINGET:
        return recall(machine, 1);
    case OP_LONG_BINGET:
        return recall(machine, 4);
    default:
        return refuse(machine, opcode);
    }
}

static bool run(struct machine *machine)
{
    unsigned char opcode;
    for (uint64_t steps = 1;; steps++) {
        machine->offset = machine->base + machine->at;
        if (!byte(machine, &opcode))
            return false;
        if (opcode == OP_STOP)
            return stop(machine);
        if (!step(machine, opcode))
            return false;
        if (steps % PROGRESS_EVERY == 0 && machine->listener->progress != NULL)
            machine->listener->progress(machine->listener->self);
    }
}

bool pickle_read(struct trace_input *input, const struct pickle_listener *listener,
                 struct trace_error *error)
{
    struct machine *machine = calloc(1, sizeof *machine);
    if (machine == NULL)
        return trace_fail(error, false, "%s: out of memory", trace_input_path(input));
    machine->input = input;
    machine->listener = listener;
    machine->error = error;
    for (unsigned i = 0; i < listener->word_count; i++)
        add_word(machine, listener->words[i]);
    add_shape(machine, listener->root);
    bool good = run(machine);
    free(machine->stack);
    free(machine->marks);
    free(machine->memo);
    free(machine->objects);
    free(machine->free_objects);
    free(machine);
    return good;
}

bool pickle_detect(const unsigned char *head, size_t length)
{
    return length >= 3 && head[0] == OP_PROTO && head[1] >= 2 && head[1] <= 5 &&
           (head[2] == OP_FRAME || head[2] == OP_EMPTY_DICT || head[2] == OP_MARK ||
            head[2] == OP_EMPTY_LIST || head[2] == 'c' || head[2] == OP_SHORT_BINUNICODE ||
            head[2] == OP_BINUNICODE);
}
