#include "traces/etl/xpress.h"

#include "traces/etl/bytes.h"

#include <string.h>

struct source {
    const unsigned char *next, *end;
    const unsigned char *nibble; /* byte whose high half is the next nibble, or NULL */
};

static inline size_t left(const struct source *source)
{
    return (size_t)(source->end - source->next);
}

/* The rest of a match length whose three bits were all ones: a nibble, then a byte, then 16 and
 * 32 bits, each when the smaller one is not enough. Two nibbles share a byte, which need not lie
 * beside the second use. */
static bool read_long_length(struct source *source, size_t *length)
{
    size_t value;
    if (source->nibble != NULL) {
        value = *source->nibble >> 4;
        source->nibble = NULL;
    } else {
        if (left(source) < 1)
            return false;
        source->nibble = source->next++;
        value = *source->nibble & 15;
    }
    if (value == 15) {
        if (left(source) < 1)
            return false;
        value = *source->next++;
        if (value == 255) {
            if (left(source) < 2)
                return false;
            value = etl_u16(source->next);
            source->next += 2;
            if (value == 0) {
                if (left(source) < 4)
                    return false;
                value = etl_u32(source->next);
                source->next += 4;
            }
            if (value < 22)
                return false;
            value -= 22;
        }
        value += 15;
    }
    *length = value + 7;
    return true;
}

bool etl_xpress_expand(const unsigned char *source_bytes, size_t source_size, unsigned char *target,
                       size_t target_size, size_t *written)
{
    struct source source = {.next = source_bytes, .end = source_bytes + source_size};
    uint32_t flags = 0;
    unsigned flags_left = 0;
    size_t out = 0;
    bool whole = true;
    while (out < target_size && left(&source) > 0) {
        if (flags_left == 0) {
            if (left(&source) < 4) {
                whole = false;
                break;
            }
            flags = etl_u32(source.next);
            source.next += 4;
            flags_left = 32;
            continue; /* the source may end behind its last flags */
        }
        if ((flags >> --flags_left & 1) == 0) {
            target[out++] = *source.next++;
            continue;
        }
        if (left(&source) < 2) {
            whole = false;
            break;
        }
        unsigned match = etl_u16(source.next);
        source.next += 2;
        size_t distance = (match >> 3) + 1, length = match & 7;
        if (length == 7 && !read_long_length(&source, &length)) {
            whole = false;
            break;
        }
        length += 3;
        if (distance > out || length > target_size - out) {
            whole = false;
            break;
        }
        if (distance >= length) {
            memcpy(target + out, target + out - distance, length);
            out += length;
        } else {
            /* Source and target overlap: the match repeats what it writes. */
            for (; length > 0; length--, out++)
                target[out] = target[out - distance];
        }
    }
    *written = out;
    return whole;
}
