/* JSON of any length, walked piece by piece: memory does not grow with it, and what nobody asks for
 * is passed over as fast as it can be looked at.
 *
 * The walk follows the shape that the caller expects:
 *
 *     if (json_scan_enter(scan, '{'))
 *         while (json_scan_key(scan, &key))
 *             if (json_text_is(key, "ts")) ... json_scan_number(scan, &text) ...
 *             else json_scan_skip(scan);
 *
 * Every function that answers false has either come to the end of what it walks, or failed:
 * json_scan_failed tells, and the error says where. After a failure all of them answer false.
 * What is passed over is checked for its brackets and strings only, and numbers that are none in
 * JSON (NaN, Infinity), which recorders write, are let pass. */
#ifndef WDDMSIM_TRACES_JSON_SCAN_H
#define WDDMSIM_TRACES_JSON_SCAN_H

#include "traces/input.h"

#include <string.h>

/* Bytes of the longest string that is read; what is passed over may be longer. And the deepest
 * nesting of what is walked and of what is passed over. */
enum { JSON_LONGEST_TEXT = 64 * 1024, JSON_DEEPEST = 32, JSON_DEEPEST_SKIPPED = 512 };

struct json_scan {
    struct trace_input *input;
    struct trace_error *error; /* of the owner, who may exchange it */
    unsigned char *bytes;
    size_t at, end;
    uint64_t base; /* offset of bytes[0] */
    uint32_t depth;
    uint32_t begun;   /* bit d: the list or object at depth d has had an element */
    uint32_t objects; /* bit d: it is an object */
    bool ended, failed;
    char key[64]; /* the last key; of a longer one its beginning */
};

/* A piece of text, not terminated, valid until the scan goes on. Escapes are undone. */
struct json_text {
    const char *bytes;
    size_t length;
};

static inline bool json_text_is(struct json_text text, const char *word)
{
    size_t length = strlen(word);
    return text.length == length && memcmp(text.bytes, word, length) == 0;
}

/* Begins to read `input`, which stays the caller's. False: out of memory. */
bool json_scan_open(struct json_scan *scan, struct trace_input *input, struct trace_error *error);
void json_scan_close(struct json_scan *scan);

/* A scan over bytes in memory that need not be complete, for a look at how a file begins; they stay
 * the caller's. It fails where they end. Not to be closed. */
void json_scan_look(struct json_scan *scan, const unsigned char *bytes, size_t length,
                    struct trace_error *error);

/* What comes next: '{', '[', '"', '0' for a number, 't', 'f', 'n', or 0 at the end and for what is
 * none of these. */
char json_scan_kind(struct json_scan *scan);

/* Enters a list ('[') or an object ('{'); anything else there is an error. */
bool json_scan_enter(struct json_scan *scan, char kind);

/* The next key of the object entered last (its first 64 bytes), or the next element of the list.
 * False: that was all, and it has been left. */
bool json_scan_key(struct json_scan *scan, struct json_text *key);
bool json_scan_item(struct json_scan *scan);

/* The value that comes next. A number is its text. */
bool json_scan_text(struct json_scan *scan, struct json_text *text);
bool json_scan_number(struct json_scan *scan, struct json_text *text);
bool json_scan_skip(struct json_scan *scan);

/* Passes over the rest of the object or list entered last, and leaves it. */
bool json_scan_leave(struct json_scan *scan);

/* Whether nothing but blanks is left. */
bool json_scan_at_end(struct json_scan *scan);

/* Where in the (decompressed) file the next byte stands. */
uint64_t json_scan_offset(const struct json_scan *scan);

bool json_scan_failed(const struct json_scan *scan);

/* Fails with a message at the offset given. Returns false. */
bool json_scan_fail(struct json_scan *scan, uint64_t offset, const char *message);

/* The value of a number times 10^decimals, rounded to the nearest whole; halves away from zero.
 * False: it is none, or beyond 63 bits. */
bool json_scaled(struct json_text number, int decimals, int64_t *value);

#endif
