/* The "xperf" trace format: `xperf -i x.etl -o x.txt -a dumper`, with or without -add_fieldnames
 * (trace-formats.md §3.1).
 *
 * A heading names the columns of every kind of record, then comes a line for each record. Kinds
 * that differ in what they hold may share a name: which one a line is, its cells tell. */
#include "traces/etl/text.h"

#include "traces/message.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELL_NAME,
    CELL_TIME,
    CELL_PROCESS,
    CELL_THREAD,
    CELL_PROCESSOR,
    CELL_DATA = 9,
    WINDOWS_10 = 10240,
    MOST_KINDS = 512,
};

/* A kind of record, as the heading has it. */
struct kind {
    size_t layout;
    size_t cells; /* that its lines have: perhaps more than the layout */
};

struct xperf {
    struct etl_text *text;
    struct kind kinds[MOST_KINDS]; /* of the layouts that matter */
    size_t kind_count;
    bool heading; /* its lines come now */
};

/* "Microsoft-Windows-DxgKrnl/DmaPacket/win:Start": task and opcode, joined to what the layouts are
 * called by. False: of another provider. */
static bool split_name(struct trace_cell cell, struct trace_cell *task, struct trace_cell *opcode)
{
    static const char provider[] = "Microsoft-Windows-DxgKrnl/";
    const size_t length = sizeof provider - 1;
    if (cell.length <= length || memcmp(cell.text, provider, length) != 0)
        return false;
    *task = (struct trace_cell){cell.text + length, cell.length - length};
    const char *slash = memchr(task->text, '/', task->length);
    if (slash == NULL) {
        *opcode = (struct trace_cell){"Info", 4};
        return true;
    }
    *opcode = (struct trace_cell){slash + 1, task->length - (size_t)(slash - task->text) - 1};
    task->length = (size_t)(slash - task->text);
    if (opcode->length > 4 && memcmp(opcode->text, "win:", 4) == 0) {
        opcode->text += 4;
        opcode->length -= 4;
    }
    return true;
}

static bool is_called(const struct etl_columns *columns, struct trace_cell task,
                      struct trace_cell opcode)
{
    size_t length = strlen(columns->name);
    return length == task.length + 1 + opcode.length &&
           memcmp(columns->name, task.text, task.length) == 0 &&
           memcmp(columns->name + task.length + 1, opcode.text, opcode.length) == 0;
}

/* The layout of a line of the heading: as many of its columns as it has must be called as there;
 * newer kernels put further ones behind. SIZE_MAX: none. */
static size_t layout_of_heading(const struct etl_text *text, struct trace_cell task,
                                struct trace_cell opcode, const struct trace_cell *names,
                                size_t count)
{
    size_t best = SIZE_MAX, most = 0;
    for (size_t i = 0; i < etl_columns_count; i++) {
        size_t columns = etl_text_columns(text, i), same = 0;
        if (!is_called(&etl_columns[i], task, opcode) || columns > count || columns <= most)
            continue;
        while (same < columns && etl_text_column_is(text, i, same, names[same]))
            same++;
        if (same == columns) {
            best = i;
            most = columns;
        }
    }
    return best;
}

static void read_heading(struct xperf *xperf)
{
    struct etl_text *text = xperf->text;
    const struct trace_cells *cells = &text->cells;
    struct trace_cell task, opcode;
    if (cells->count <= CELL_DATA || !split_name(cells->items[CELL_NAME], &task, &opcode))
        return;
    size_t layout =
        layout_of_heading(text, task, opcode, cells->items + CELL_DATA, cells->count - CELL_DATA);
    if (layout == SIZE_MAX || xperf->kind_count == MOST_KINDS)
        return;
    for (size_t i = 0; i < xperf->kind_count; i++)
        if (xperf->kinds[i].layout == layout && xperf->kinds[i].cells == cells->count - CELL_DATA)
            return;
    xperf->kinds[xperf->kind_count++] =
        (struct kind){.layout = layout, .cells = cells->count - CELL_DATA};
}

/* "dwm.exe (1072)", "\"Unknown\" (-1)": the number in the last parentheses. */
static uint32_t process_of(struct trace_cell cell)
{
    size_t close = cell.length;
    while (close > 0 && cell.text[close - 1] != ')')
        close--;
    size_t open = close;
    while (open > 0 && cell.text[open - 1] != '(')
        open--;
    uint64_t number;
    struct trace_cell inside = {cell.text + open, close > open ? close - open - 1 : 0};
    while (inside.length > 0 && *inside.text == ' ') {
        inside.text++;
        inside.length--;
    }
    return open > 0 && trace_cell_number(inside, &number) ? (uint32_t)number : 0;
}

/* Which of the kinds of that name the cells are of; SIZE_MAX: none, SIZE_MAX - 1: several. */
static size_t layout_of_cells(const struct xperf *xperf, struct trace_cell task,
                              struct trace_cell opcode, const struct trace_cell *cells,
                              size_t count, bool *called)
{
    size_t found = SIZE_MAX;
    *called = false;
    for (size_t i = 0; i < xperf->kind_count; i++) {
        const struct kind *kind = &xperf->kinds[i];
        if (!is_called(&etl_columns[kind->layout], task, opcode))
            continue;
        *called = true;
        if (kind->cells != count || !etl_text_fits(xperf->text, kind->layout, cells,
                                                   etl_text_columns(xperf->text, kind->layout)))
            continue;
        if (found != SIZE_MAX)
            return SIZE_MAX - 1;
        found = kind->layout;
    }
    return found;
}

/* "OS Version: 10.0.17134, Trace Start: ..." */
static void read_version(struct etl_text *text, const char *line)
{
    static const char key[] = "OS Version: ";
    const char *at = strstr(line, key);
    if (at == NULL)
        return;
    at += sizeof key - 1;
    at += strspn(at, "0123456789");
    at += *at == '.';
    at += strspn(at, "0123456789");
    unsigned long build = *at == '.' ? strtoul(at + 1, NULL, 10) : 0;
    if (build > 0 && build <= UINT32_MAX) {
        text->header.build = (uint32_t)build;
        text->build_unknown = false;
    }
}

/* Whether the line is a record, which is then filled. */
static bool read_line(struct xperf *xperf, const char *line, struct etl_record *record)
{
    struct etl_text *text = xperf->text;
    const struct trace_cells *cells = &text->cells;
    struct trace_cell task, opcode;
    uint64_t time, thread = 0, processor = 0;
    bool called = false;
    if (cells->count <= CELL_DATA || !split_name(cells->items[CELL_NAME], &task, &opcode)) {
        if (text->build_unknown && cells->count > 1)
            read_version(text, line);
        text->others++;
        return false;
    }
    size_t layout = layout_of_cells(xperf, task, opcode, cells->items + CELL_DATA,
                                    cells->count - CELL_DATA, &called);
    if (!called) {
        text->others++;
        return false;
    }
    if (layout == SIZE_MAX - 1) {
        text->ambiguous++;
        return false;
    }
    if (layout == SIZE_MAX || !trace_cell_number(cells->items[CELL_TIME], &time) ||
        time > INT64_MAX ||
        !etl_text_encode(text, layout, cells->items + CELL_DATA, cells->count - CELL_DATA,
                         ETL_ARRAYS_BRACKETED)) {
        text->not_understood++;
        return false;
    }
    (void)trace_cell_number(cells->items[CELL_THREAD], &thread);
    (void)trace_cell_number(cells->items[CELL_PROCESSOR], &processor);
    etl_text_record(text, record, false);
    record->id = etl_columns[layout].id;
    record->version = etl_columns[layout].version;
    record->stamp = time;
    record->pid = process_of(cells->items[CELL_PROCESS]);
    record->tid = (uint32_t)thread;
    record->processor = (uint16_t)processor;
    return true;
}

static enum etl_step next(void *self, struct etl_record *record)
{
    struct xperf *xperf = self;
    struct etl_text *text = xperf->text;
    const char *line;
    size_t length;
    while ((line = etl_text_line(text, &length)) != NULL) {
        if (strcmp(line, "BeginHeader") == 0 || strcmp(line, "EndHeader") == 0) {
            xperf->heading = line[0] == 'B';
            continue;
        }
        trace_cells_split(&text->cells, line, length, true);
        if (text->cells.failed || text->payload.failed)
            return ETL_OUT_OF_MEMORY;
        if (xperf->heading)
            read_heading(xperf);
        else if (read_line(xperf, line, record))
            return ETL_RECORD;
    }
    return ETL_END;
}

static void facts(void *self, struct trace_facts *to)
{
    etl_text_facts(((struct xperf *)self)->text, to);
}

static bool damage(void *self, struct trace_error *error)
{
    return etl_text_damage(((struct xperf *)self)->text, error);
}

static void describe(void *self, char *description, size_t room)
{
    etl_text_describe(((struct xperf *)self)->text, description, room);
}

static void close_xperf(void *self)
{
    struct xperf *xperf = self;
    etl_text_close(xperf->text);
    free(xperf);
}

static bool xperf_open(struct trace_input *input, const struct trace_open_options *options,
                       void **state, struct trace_header *header, struct trace_error *error)
{
    *state = NULL;
    struct etl_text *text = etl_text_create(input, "xperf", error);
    struct xperf *xperf = text != NULL ? calloc(1, sizeof *xperf) : NULL;
    if (xperf == NULL) {
        if (text != NULL) {
            trace_fail(error, false, "%s: out of memory", trace_input_path(input));
            etl_text_close(text);
        }
        return false;
    }
    xperf->text = text;
    text->header.frequency_hz = 1000000;
    text->header.build = WINDOWS_10; /* until it is told */
    text->build_unknown = true;
    struct etl_source source = etl_text_source(text, next);
    source.self = xperf;
    source.facts = facts;
    source.damage = damage;
    source.describe = describe;
    source.close = close_xperf;
    return etl_reader_open(&source, options, state, header, error);
}

static bool xperf_detect(const unsigned char *head, size_t length)
{
    static const char begin[] = "BeginHeader";
    const size_t size = sizeof begin - 1;
    return length > size && memcmp(head, begin, size) == 0 &&
           (head[size] == '\r' || head[size] == '\n');
}

const struct trace_format trace_format_xperf = {
    .name = "xperf",
    .summary = "the same as text: dumper of xperf",
    .detect = xperf_detect,
    .open = xperf_open,
    .next = etl_reader_next,
    .place = etl_reader_place,
    .facts = etl_reader_facts,
    .close = etl_reader_close,
};
