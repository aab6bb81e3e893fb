/* What the files that read trace.dat share. */
#ifndef WDDMSIM_TRACES_LINUX_DAT_H
#define WDDMSIM_TRACES_LINUX_DAT_H

#include "traces/linux/reader.h"

/* Numbers as the recorded machine wrote them. */
struct dat_order {
    bool big_endian;
};

static inline uint64_t dat_number(struct dat_order order, const unsigned char *at, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | at[order.big_endian ? i : size - 1 - i];
    return number;
}

/* How a field lies in a record. */
enum dat_form {
    DAT_NUMBER,
    DAT_ARRAY,         /* of char: a text */
    DAT_LOCATED,       /* a text elsewhere in the record: offset and length in 16 bits each */
    DAT_LOCATED_BEHIND /* the same, the offset counted from behind this field */
};

struct dat_place {
    const struct linux_field *field;
    uint32_t offset, size;
    uint8_t form; /* enum dat_form */
};

/* What the format text says of one tracepoint that matters. */
struct dat_plan {
    int tracepoint;
    uint32_t pid_offset;
    uint8_t count;
    struct dat_place places[LINUX_FIELDS];
};

/* One "field:" line. */
struct dat_field_line {
    const char *type, *name;
    size_t type_length, name_length;
    bool array;
    uint64_t offset, size;
};

/* Reads the next such line of a format text; NULL: there is none. Else where to go on. */
const char *dat_next_field(const char *text, const char *end, struct dat_field_line *line);

/* Reads a format text. False: of no tracepoint that matters, or damaged. */
bool dat_plan_make(const struct linux_lookup *lookup, const char *text, size_t length,
                   struct dat_plan *plan, uint16_t *id);

/* How the pages of the ring buffer are laid out, from their own format text. */
struct dat_pages {
    struct dat_order order;
    uint32_t page_size, long_size;
    uint32_t commit_offset, commit_size, data_offset;
};
void dat_pages_read_format(struct dat_pages *pages, const char *text, size_t length);

/* Reads the records of a page. Answers where it is damaged, or SIZE_MAX. *missed is how many
 * records are missing before it, *any whether `record` wants more. */
size_t dat_page_read(const struct dat_pages *pages, const unsigned char *page, size_t length,
                     bool (*record)(void *self, uint64_t stamp, const unsigned char *data,
                                    size_t size),
                     void *self, uint64_t *missed);

/* The bytes of a file in sections, which may be compressed each by itself. */
struct dat_cursor {
    struct trace_seekable *file; /* NULL: the bytes are in memory */
    const unsigned char *bytes;
    uint64_t at, end; /* in the file, or of the bytes */
    struct dat_order order;
    bool failed; /* it ended too early */
};

void dat_get(struct dat_cursor *cursor, void *buffer, size_t size);
uint64_t dat_get_number(struct dat_cursor *cursor, size_t size);
void dat_skip(struct dat_cursor *cursor, uint64_t size);

#endif
