/* Records that tools of Windows printed, made into what a recording holds: the cells of a line
 * become the payload that they were printed from. */
#ifndef WDDMSIM_TRACES_ETL_TEXT_H
#define WDDMSIM_TRACES_ETL_TEXT_H

#include "traces/buffer.h"
#include "traces/cells.h"
#include "traces/etl/columns.h"
#include "traces/etl/source.h"

/* A layout that lines can be read by. */
struct etl_text_layout;

/* What the readers of such text share. */
struct etl_text {
    struct trace_input *input;
    struct etl_header header;
    struct etl_text_layout *layouts; /* as many as etl_columns, in their order */
    struct trace_cells cells;
    struct trace_buffer payload;
    uint64_t line; /* number of the last one read */
    struct trace_error damage;
    uint64_t records, others, not_understood, ambiguous, values_left_out;
    const char *tool;   /* for people: "xperf" */
    bool build_unknown; /* of Windows */
};

/* Takes over `input`. NULL: out of memory, and the input is closed. */
struct etl_text *etl_text_create(struct trace_input *input, const char *tool,
                                 struct trace_error *error);
void etl_text_close(void *self);

/* The next line, without a line end of Windows; NULL at the end and where reading failed, which
 * `damage` says then. */
const char *etl_text_line(struct etl_text *text, size_t *length);

/* How arrays are printed: all of it in one cell with brackets, or an element in each cell. */
enum etl_arrays { ETL_ARRAYS_BRACKETED, ETL_ARRAYS_SPREAD };

/* Makes the payload of a record of that layout from cells. False: they do not fit, or hold a value
 * that is not understood. */
bool etl_text_encode(struct etl_text *text, size_t layout, const struct trace_cell *cells,
                     size_t count, enum etl_arrays arrays);

/* Whether cells look like a record of that layout: as many, each of its kind, arrays as long as
 * they say. For arrays in brackets. */
bool etl_text_fits(const struct etl_text *text, size_t layout, const struct trace_cell *cells,
                   size_t count);

/* Names of the layout's columns, the count of arrays behind them in brackets as xperf has it. */
size_t etl_text_columns(const struct etl_text *text, size_t layout);
bool etl_text_column_is(const struct etl_text *text, size_t layout, size_t column,
                        struct trace_cell name);

/* Fills a record but for id, version, stamp, process, thread and processor: its payload is the one
 * encoded last, or with `empty` none. */
void etl_text_record(struct etl_text *text, struct etl_record *record, bool empty);

/* Functions of an etl_source. */
void etl_text_facts(void *self, struct trace_facts *facts);
bool etl_text_damage(void *self, struct trace_error *error);
void etl_text_describe(void *self, char *description, size_t room);

/* The source of this text. */
struct etl_source etl_text_source(struct etl_text *text,
                                  enum etl_step (*next)(void *self, struct etl_record *record));

#endif
