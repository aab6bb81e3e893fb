/* How to decode the events of a binary trace: the vocabulary the file was written with, matched
 * with ours. */
#ifndef WDDMSIM_TRACES_WTRACE_PLAN_H
#define WDDMSIM_TRACES_WTRACE_PLAN_H

#include "traces/arena.h"
#include "traces/vocabulary.h"

/* Reads varints and bytes; never beyond `end`. */
struct wtrace_cursor {
    const unsigned char *at, *end;
};

/* memset to 0: told the size, the compiler would clear an event word by word in place, several
 * times slower than the library. */
void wtrace_clear(void *memory, size_t size);

bool wtrace_get_long_varint(struct wtrace_cursor *cursor, uint64_t *number);

static inline bool wtrace_get_varint(struct wtrace_cursor *cursor, uint64_t *number)
{
    const unsigned char *at = cursor->at;
    if (cursor->end - at >= 2) { /* most fit two bytes */
        if (at[0] < 0x80) {
            *number = at[0];
            cursor->at = at + 1;
            return true;
        }
        if (at[1] < 0x80) {
            *number = (uint64_t)(at[0] & 0x7f) | (uint64_t)at[1] << 7;
            cursor->at = at + 2;
            return true;
        }
    }
    return wtrace_get_long_varint(cursor, number);
}

enum wtrace_code {
    WTRACE_CODE_COUNT,
    WTRACE_CODE_POSITIVE, /* a count that may not be 0 */
    WTRACE_CODE_DONE,     /* a count told by its difference from t */
    WTRACE_CODE_SIGNED,
    WTRACE_CODE_BOOL,
    WTRACE_CODE_STATUS,
    WTRACE_CODE_NAME,
    WTRACE_CODE_NAMES,
    WTRACE_CODE_STRING,
    WTRACE_CODE_EXTRAS, /* a string that holds the x- fields */
    WTRACE_CODE_FLAGS,
    WTRACE_CODE_STANDARD,
    WTRACE_CODE_CREATIONS,
    WTRACE_CODE_NEWER, /* a field this version does not know */
};

/* One field. */
struct wtrace_step {
    enum wtrace_code code;
    uint32_t offset;
    uint64_t given;
    uint64_t known; /* FLAGS: bits that have names */
};

/* One op, or an element of CreateAllocation. Step i belongs to presence bit i. */
struct wtrace_plan {
    const struct wtrace_step *steps;
    uint64_t presence; /* bits that may be set */
    uint64_t required; /* TRACE_GIVEN bits */
    enum trace_op op;  /* TRACE_OPS: an op this version does not know */
};

struct wtrace_plans {
    struct wtrace_plan *ops; /* by their number in the file */
    uint32_t op_count;
    struct wtrace_plan allocation;
};

/* Reads the vocabulary of a HEAD section. NULL, or what is wrong. Plans live in the arena. */
const char *wtrace_read_plans(struct wtrace_cursor *cursor, struct trace_arena *arena,
                              struct wtrace_plans *plans);

/* Reads length and bytes of a UTF-8 string into the arena. */
const char *wtrace_read_string(struct wtrace_cursor *cursor, struct trace_arena *arena,
                               const char **text);

#endif
