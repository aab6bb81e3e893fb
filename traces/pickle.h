/* Python pickles of plain data, read without executing anything and without building what they
 * hold.
 *
 * Of the pickle machine only the opcodes that make dictionaries, lists, tuples, strings and numbers
 * are known; each of the others is refused with its offset, those that name or call something in
 * Python (GLOBAL, REDUCE, BUILD, ...) foremost. What is wanted is described by a shape: which
 * dictionaries and lists, by the keys that lead to them, and which of their values. A dictionary of
 * the shape is handed over when it is put where it belongs, then forgotten; everything else is
 * passed over. Memory: 16 bytes for each value on the machine's stack, one for each value in its
 * memo, and the dictionaries of the shape that are not yet put anywhere. */
#ifndef WDDMSIM_TRACES_PICKLE_H
#define WDDMSIM_TRACES_PICKLE_H

#include "traces/input.h"

struct pickle_shape;

/* A key of a dictionary and what is of interest there: a dictionary or list of some shape, or
 * (NULL) a number or word. */
struct pickle_field {
    const char *key;
    const struct pickle_shape *shape;
};

enum { PICKLE_FIELDS = 12 };

struct pickle_shape {
    bool list;
    const struct pickle_shape *items;  /* of a list */
    const struct pickle_field *fields; /* of a dictionary, at most PICKLE_FIELDS */
    unsigned field_count;
};

enum pickle_kind {
    PICKLE_ABSENT,
    PICKLE_NUMBER, /* a whole number, True or False */
    PICKLE_WORD,   /* one of the words */
    PICKLE_OTHER   /* something else */
};

struct pickle_scalar {
    enum pickle_kind kind;
    int64_t number; /* or index of the word */
};

/* A dictionary of a shape: its values in the order of the shape's fields. */
struct pickle_object {
    uint64_t offset; /* where it began */
    struct pickle_scalar values[PICKLE_FIELDS];
};

struct pickle_listener {
    void *self;
    const struct pickle_shape *root;
    const char *const *words; /* strings that are told apart, besides the keys; at most 100 */
    unsigned word_count;
    /* A list of the shape begins. NULL: not wanted. */
    void (*begin)(void *self, const struct pickle_shape *list);
    /* A dictionary of the shape is complete, all that lies inside was handed over before. False:
     * stop, `error` says why. */
    bool (*object)(void *self, const struct pickle_shape *shape, const struct pickle_object *object,
                   struct trace_error *error);
    void (*progress)(void *self); /* now and then; NULL: not wanted */
};

/* Reads all. False: the error says what is refused or wrong and where; what came before it was
 * handed over. */
bool pickle_read(struct trace_input *input, const struct pickle_listener *listener,
                 struct trace_error *error);

/* Whether these are the first bytes of a pickle. */
bool pickle_detect(const unsigned char *head, size_t length);

#endif
