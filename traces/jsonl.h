/* Reading JSON Lines: what its files share. */
#ifndef WDDMSIM_TRACES_JSONL_H
#define WDDMSIM_TRACES_JSONL_H

#include "traces/arena.h"
#include "traces/check.h"
#include "traces/message.h"

#include <jansson.h>

enum { JSONL_NO_ELEMENT = -1 };

/* Strings of an event point into `line_value`, lists and extras into `arena`; both live until the
 * next line. */
struct jsonl {
    struct trace_input *input;
    const char *path;
    uint64_t line;
    json_t *header_value;
    json_t *line_value;
    struct trace_arena arena;
    struct trace_arena header_arena;
    struct trace_field_sets sets[TRACE_OPS];
    struct trace_field_sets element_sets;
    char *place;
    size_t place_room;
    /* Where in the line we are, for messages. */
    const char *op;  /* NULL: not yet known */
    int64_t element; /* of CreateAllocation's allocations[], or JSONL_NO_ELEMENT */
    struct trace_error *error;
};

/* Messages. All answer false. A place, the op if known, and the element stand before each. */

/* "trace.jsonl:1042", for the line read last. */
const char *jsonl_place(void *state);

bool jsonl_fail(struct jsonl *reader, const char *message);
bool jsonl_fail_memory(struct jsonl *reader);
bool jsonl_fail_missing(struct jsonl *reader, const char *field);

/* `size: expected a positive number of bytes, got "-4096"` */
bool jsonl_fail_value(struct jsonl *reader, const char *field, const char *expected,
                      const json_t *got);

/* `unknown op "Sumbit"; did you mean "Submit"?` */
bool jsonl_fail_unknown(struct jsonl *reader, const char *what, const char *name,
                        struct trace_guess guess);

/* Values. */

/* Whether the value is an integer from 0 to `most`. */
bool jsonl_get_count(const json_t *value, uint64_t most, uint64_t *number);

/* Reads a value of the field's type to where the field lies; false with a message. */
bool jsonl_read_value(struct jsonl *reader, const struct trace_field_spec *spec,
                      const json_t *value, void *target);

/* CreateAllocation's allocations[]. */
bool jsonl_read_creations(struct jsonl *reader, const char *field, const json_t *value,
                          struct trace_allocations *creations);

#endif
