/* The container of Windows event recordings: buffers, record headers, clock.
 *
 * Records come in the order of the file: buffers in flush order, each with the events of one
 * processor. Whoever needs time order sorts by stamp, stably (records.h). Damage never stops the
 * reading of what is whole: it is counted, and the first place is kept for the user. */
#ifndef WDDMSIM_TRACES_ETL_CONTAINER_H
#define WDDMSIM_TRACES_ETL_CONTAINER_H

#include "traces/input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct etl_container;

/* What the logfile header record says. */
struct etl_header {
    uint32_t build;        /* of Windows */
    uint32_t processors;   /* of the recorded machine */
    uint32_t events_lost;  /* the recorder dropped these for lack of buffers */
    uint32_t buffers_lost; /* and these buffers when writing them */
    uint64_t frequency_hz; /* of the stamps */
    uint64_t start_stamp;  /* of the header record itself */
    uint32_t clock;        /* 1 QPC, 2 system time, 3 processor cycles */
    char session[64];      /* its name, ASCII, cut to fit; empty if there is none */
};

/* One record. Pointers are valid until the next one is read. */
struct etl_record {
    uint64_t offset; /* where it starts in the file; if in a compressed buffer, where that does */
    uint64_t stamp;  /* raw clock */
    uint32_t pid, tid;
    uint16_t processor;
    uint16_t id; /* of the event; manifest events only, else 0 */
    uint8_t version;
    uint8_t opcode;
    uint8_t pointer_size;          /* 4 or 8, of the payload */
    const unsigned char *provider; /* 16 bytes; NULL: the record has none */
    const unsigned char *payload;
    size_t length; /* of the payload */
};

/* What was counted while reading. */
struct etl_counts {
    uint64_t buffers;
    uint64_t compressed_buffers;
    uint64_t header_records;  /* the file's own: logfile header and its extensions */
    uint64_t records;         /* all others */
    uint64_t damaged_buffers; /* skipped, wholly or behind the first damaged record */
    uint64_t trailing_bytes;  /* behind the last buffer */
};

/* Whether the first bytes of a file are an ETL's: a file-header buffer with a logfile header. */
bool etl_container_detect(const unsigned char *head, size_t length);

/* Reads the first buffer. Takes over `input`, whether it succeeds or not. */
bool etl_container_open(struct trace_input *input, struct etl_container **container,
                        struct trace_error *error);

enum etl_step { ETL_RECORD, ETL_END, ETL_OUT_OF_MEMORY };

/* The next record but for the file's own. */
enum etl_step etl_container_next(struct etl_container *container, struct etl_record *record);

const struct etl_header *etl_container_header(const struct etl_container *container);
const struct etl_counts *etl_container_counts(const struct etl_container *container);

/* The first damage, ready to print, with its byte offset; NULL: none so far. */
const char *etl_container_damage(const struct etl_container *container);

/* Nanoseconds from one stamp to a later one; 0 if it is not later, INT64_MAX if farther. */
uint64_t etl_stamp_distance_ns(const struct etl_header *header, uint64_t from, uint64_t to);

const struct trace_input *etl_container_input(const struct etl_container *container);

void etl_container_close(struct etl_container *container);

#endif
