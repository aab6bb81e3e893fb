/* The binary encoding, .wtrace: what its writer and its reader share.
 *
 * A file is an eight-byte magic, whose last byte is the version, and a row of sections. A section
 * is a fixed head of 48 bytes and `packed` bytes of payload, one zstd frame that unpacks to `raw`
 * bytes. All integers are little-endian. Every byte is under a CRC-32: of the payload, and of the
 * head.
 *
 *   HEAD   the trace's header, and the vocabulary the file was written with: the names and types of
 *          every op's fields. Readers decode by that, so the vocabulary may grow.
 *   BLOCK  events, about 256 KiB of them, independent of all other blocks
 *   INDEX  per block four integers of 8 bytes: offset in the file, events before it, first and last
 *          t. For tools that want a part of a long trace; a replay needs all that comes before
 *   END    no payload; `first_event` is the number of events, `first_t` the offset of the first
 *          INDEX. A file without it was cut off.
 *
 * A BLOCK's payload starts with its strings: their number, then each as length, bytes, NUL. Then
 * follow the events, all varints (7 bits per byte, least significant first):
 *
 *   op      index in HEAD's vocabulary
 *   fields  bit i: the op's i-th field is given; then status, dur, done; then extras
 *   t       less the t of the event before it in the block (of the first: less `first_t`)
 *   thread  index of the (pid, tid) among those the block has seen; one more than the last is a new
 *           one, followed by pid and tid
 *
 * and the given fields by type: numbers as they are, signed ones and `done` (less t) zigzag, names
 * as 2n or 2s + 1 for string s, strings as their index, lists as their length and elements; an
 * element of CreateAllocation as its own field bits (extras last) and fields. */
#ifndef WDDMSIM_TRACES_WTRACE_H
#define WDDMSIM_TRACES_WTRACE_H

#include <stdint.h>

#define WTRACE_MAGIC "\x89WTRC\r\n" /* and the version */

enum {
    WTRACE_VERSION = 1,
    WTRACE_MAGIC_LENGTH = 8,
    WTRACE_SECTION_LENGTH = 48,
    WTRACE_MOST_RAW = 16 * 1024 * 1024,    /* of one section, unpacked */
    WTRACE_ENTRY_LENGTH = 32,              /* of INDEX, unpacked */
    WTRACE_MOST_INDEX = 1024 * 1024,       /* of one INDEX, unpacked */
    WTRACE_MOST_PACKED = 17 * 1024 * 1024, /* beyond zstd's worst case of that */
};

enum wtrace_kind {
    WTRACE_HEAD = 1,
    WTRACE_BLOCK = 2,
    WTRACE_INDEX = 3,
    WTRACE_END = 4,
};

/* The head of a section, in the order of its bytes; a CRC-32 of them ends it. */
struct wtrace_section {
    uint32_t kind;
    uint32_t packed;      /* bytes of payload in the file */
    uint32_t raw;         /* bytes it unpacks to */
    uint32_t events;      /* BLOCK: events; INDEX: entries */
    uint64_t first_event; /* events before this section */
    uint64_t first_t;     /* ns */
    uint64_t last_t;      /* ns */
    uint32_t crc;         /* of the payload as it lies in the file */
};

static inline uint64_t wtrace_zigzag(int64_t number)
{
    return ((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0);
}

static inline int64_t wtrace_unzigzag(uint64_t code)
{
    return (int64_t)((code >> 1) ^ (0 - (code & 1)));
}

#endif
