/* The "tracerpt" trace format: `tracerpt x.etl -of CSV -o x.csv` (trace-formats.md §3.2).
 *
 * A heading, then a line for each record with id and version; what the record holds comes last,
 * cell by cell without names, elements of arrays each in a cell. */
#include "traces/etl/text.h"

#include "traces/message.h"

#include <stdlib.h>
#include <string.h>

enum {
    CELL_NAME,
    CELL_TYPE,
    CELL_ID,
    CELL_VERSION,
    CELL_PID = 9,
    CELL_TID,
    CELL_PROCESSOR,
    CELL_TIME = 16,
    CELL_DATA = 19,
    WINDOWS_10 = 10240,
};

static uint64_t number_of(const struct trace_cells *cells, size_t index)
{
    uint64_t number = 0;
    if (index >= cells->count || !trace_cell_number(cells->items[index], &number))
        return 0;
    return number;
}

/* The recording's own record, always the first: which Windows, how many processors, what was
 * lost. */
static void read_header(struct etl_text *text)
{
    enum { BUILD = CELL_DATA + 2, PROCESSORS, LOST = CELL_DATA + 11 };
    const struct trace_cells *cells = &text->cells;
    text->header.build = (uint32_t)number_of(cells, BUILD);
    text->header.processors = (uint32_t)number_of(cells, PROCESSORS);
    text->header.events_lost = (uint32_t)number_of(cells, LOST);
    text->build_unknown = text->header.build == 0;
}

static int compare_columns(const void *left, const void *right)
{
    const struct etl_columns *a = left, *b = right;
    return a->id != b->id ? a->id - b->id : a->version - b->version;
}

/* Whether the line is a record, which is then filled. */
static bool read_line(struct etl_text *text, struct etl_record *record)
{
    const struct trace_cells *cells = &text->cells;
    const struct trace_cell *items = cells->items;
    if (cells->count <= CELL_TIME)
        return false;
    uint64_t time = number_of(cells, CELL_TIME);
    if (text->header.start_stamp == 0)
        text->header.start_stamp = time;
    if (trace_cell_is(items[CELL_NAME], "EventTrace") && trace_cell_is(items[CELL_TYPE], "Header"))
        read_header(text);
    uint64_t id = number_of(cells, CELL_ID), version = number_of(cells, CELL_VERSION);
    if (!trace_cell_is(items[CELL_NAME], "Microsoft-Windows-DxgKrnl") || id > UINT16_MAX ||
        version > UINT8_MAX || time == 0)
        return false;
    const struct etl_columns wanted = {.id = (uint16_t)id, .version = (uint8_t)version};
    const struct etl_columns *found =
        bsearch(&wanted, etl_columns, etl_columns_count, sizeof wanted, compare_columns);
    bool empty = found == NULL;
    if (!empty && !etl_text_encode(text, (size_t)(found - etl_columns), items + CELL_DATA,
                                   cells->count > CELL_DATA ? cells->count - CELL_DATA : 0,
                                   ETL_ARRAYS_SPREAD)) {
        text->not_understood++;
        return false;
    }
    etl_text_record(text, record, empty);
    record->id = (uint16_t)id;
    record->version = (uint8_t)version;
    record->stamp = time;
    record->pid = (uint32_t)number_of(cells, CELL_PID);
    record->tid = (uint32_t)number_of(cells, CELL_TID);
    record->processor = (uint16_t)number_of(cells, CELL_PROCESSOR);
    return true;
}

static enum etl_step next(void *self, struct etl_record *record)
{
    struct etl_text *text = self;
    const char *line;
    size_t length;
    while ((line = etl_text_line(text, &length)) != NULL) {
        trace_cells_split(&text->cells, line, length, true);
        if (text->cells.failed || text->payload.failed)
            return ETL_OUT_OF_MEMORY;
        uint64_t before = text->not_understood;
        if (read_line(text, record))
            return ETL_RECORD;
        text->others += text->not_understood == before;
    }
    return ETL_END;
}

static bool tracerpt_open(struct trace_input *input, const struct trace_open_options *options,
                          void **state, struct trace_header *header, struct trace_error *error)
{
    *state = NULL;
    struct etl_text *text = etl_text_create(input, "tracerpt", error);
    if (text == NULL)
        return false;
    text->header.frequency_hz = 10000000;
    text->header.build = WINDOWS_10; /* until it is told */
    text->build_unknown = true;
    const struct etl_source source = etl_text_source(text, next);
    return etl_reader_open(&source, options, state, header, error);
}

static bool tracerpt_detect(const unsigned char *head, size_t length)
{
    static const char begin[] = "Event Name,";
    const unsigned char *newline = memchr(head, '\n', length);
    size_t line = newline != NULL ? (size_t)(newline - head) : length;
    return line > sizeof begin && memmem(head, line, begin, sizeof begin - 1) != NULL &&
           memmem(head, line, "Event ID,", 9) != NULL &&
           memmem(head, line, "Clock-Time,", 11) != NULL;
}

const struct trace_format trace_format_tracerpt = {
    .name = "tracerpt",
    .summary = "the same as text: CSV of tracerpt",
    .detect = tracerpt_detect,
    .open = tracerpt_open,
    .next = etl_reader_next,
    .place = etl_reader_place,
    .facts = etl_reader_facts,
    .close = etl_reader_close,
};
