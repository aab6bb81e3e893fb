/* What makes an event well formed, whatever its encoding: which fields it must and may carry, and
 * which values they may have. */
#ifndef WDDMSIM_TRACES_CHECK_H
#define WDDMSIM_TRACES_CHECK_H

#include "traces/vocabulary.h"

/* Bounds that keep a hostile input from taking all memory; far beyond what a call can carry. */
enum { TRACE_MOST_NAMES = 1 << 20, TRACE_MOST_CREATIONS = 1 << 16 };

/* The fields of one op, or of an element of CreateAllocation, as TRACE_GIVEN bits. */
struct trace_field_sets {
    uint64_t required;
    uint64_t allowed;
};

/* Of an op, with the outcome and extras that every event may carry. */
struct trace_field_sets trace_op_fields(enum trace_op op);

/* Of an element of CreateAllocation's allocations[]. */
struct trace_field_sets trace_allocation_fields(void);

/* The rows of an op that deals with fields in combination: NULL, or what is wrong ("context or
 * device: missing"). */
const char *trace_check_combination(enum trace_op op, uint64_t given);

/* Whether a field that counts bytes may not be 0: the sizes of allocations. */
bool trace_must_be_positive(const struct trace_field_spec *field);

/* All bits that a flag table names. */
uint64_t trace_flags_known(const struct trace_flag *flags);

/* Everything above and every value, for events that come from a program instead of a file. False:
 * `error` says which field and why. */
bool trace_check_event(const struct trace_event *event, struct trace_error *error);

/* Whether the text is one JSON object on one line whose keys all start with x-. */
bool trace_check_extras(const char *extras);

#endif
