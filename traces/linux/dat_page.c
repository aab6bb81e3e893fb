/* Pages of the kernel's ring buffer (trace-formats.md §4.2). */
#include "traces/linux/dat.h"

enum {
    TYPE_LENGTH_BEHIND = 0, /* the next word is the length */
    TYPE_PADDING = 29,
    TYPE_TIME_EXTEND = 30,
    TYPE_TIME_STAMP = 31,
    DELTA_BITS = 27,
};

static const uint64_t COMMIT_MASK = (UINT64_C(1) << 27) - 1;
static const uint64_t MISSED = UINT64_C(1) << 31, MISSED_STORED = UINT64_C(1) << 30;
static const uint64_t STAMP_MASK = (UINT64_C(1) << 59) - 1;

static uint32_t word(struct dat_order order, const unsigned char *at)
{
    return (uint32_t)dat_number(order, at, 4);
}

size_t dat_page_read(const struct dat_pages *pages, const unsigned char *page, size_t length,
                     bool (*record)(void *self, uint64_t stamp, const unsigned char *data,
                                    size_t size),
                     void *self, uint64_t *missed)
{
    struct dat_order order = pages->order;
    *missed = 0;
    if (length < pages->data_offset || length < (size_t)pages->commit_offset + pages->commit_size)
        return 0;
    uint64_t stamp = dat_number(order, page, 8);
    uint64_t commit = dat_number(order, page + pages->commit_offset, pages->commit_size);
    size_t at = pages->data_offset, end = at + (size_t)(commit & COMMIT_MASK);
    if (end > length)
        return pages->commit_offset;
    if ((commit & MISSED) != 0) {
        *missed = 1;
        if ((commit & MISSED_STORED) != 0 && length - end >= pages->long_size)
            *missed = dat_number(order, page + end, pages->long_size);
    }
    while (at + 4 <= end) {
        size_t start = at;
        uint32_t header = word(order, page + at);
        uint32_t type = order.big_endian ? header >> DELTA_BITS : header & 31;
        uint64_t delta = order.big_endian ? header & COMMIT_MASK : header >> 5;
        size_t size = 4 * (size_t)type;
        at += 4;
        bool more = type == TYPE_LENGTH_BEHIND || type >= TYPE_PADDING;
        if (type == TYPE_PADDING && delta == 0)
            return SIZE_MAX; /* the rest is empty */
        if (more && end - at < 4)
            return start;
        uint32_t next = more ? word(order, page + at) : 0;
        switch (type) {
        case TYPE_PADDING:
            stamp += delta;
            if (next > end - at)
                return start;
            at += next;
            continue;
        case TYPE_TIME_EXTEND:
            stamp += delta + ((uint64_t)next << DELTA_BITS);
            at += 4;
            continue;
        case TYPE_TIME_STAMP:
            stamp = (stamp & ~STAMP_MASK) | ((delta + ((uint64_t)next << DELTA_BITS)) & STAMP_MASK);
            at += 4;
            continue;
        case TYPE_LENGTH_BEHIND:
            if (next < 4)
                return start;
            at += 4;
            size = (size_t)next - 4;
            break;
        default:
            break;
        }
        if (size > end - at)
            return start;
        stamp += delta;
        if (!record(self, stamp, page + at, size))
            return SIZE_MAX;
        size = (size + 3) & ~(size_t)3;
        at += size < end - at ? size : end - at;
    }
    return SIZE_MAX;
}
