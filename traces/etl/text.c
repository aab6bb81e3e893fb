#include "traces/etl/text.h"

#include "traces/etl/layouts.h"
#include "traces/etl/records.h"
#include "traces/message.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 40, MOST_ITEMS = 24, POINTER = 8, MOST_ELEMENTS = 1 << 16 };

struct column {
    const char *name;
    uint8_t length;
    char letter;
    int8_t counted_by; /* column; -1: it is no array */
};

struct etl_text_layout {
    const struct etl_layout *layout;
    struct column columns[MOST_COLUMNS];
    uint8_t count;
    int8_t column_of_item[MOST_ITEMS]; /* -1: a run to step over */
};

/* Names that stand for numbers: of the maps that matter, as the manifest has them. */
static bool named_number(struct trace_cell cell, const char *column, uint64_t *number)
{
    static const struct {
        const char *name;
        uint64_t number;
    } names[] = {
        {"true", 1},
        {"false", 0},
        {"DXGKETW_RENDER_COMMAND_BUFFER", 0},
        {"DXGKETW_DEFERRED_COMMAND_BUFFER", 1},
        {"DXGKETW_SYSTEM_COMMAND_BUFFER", 2},
        {"DXGKETW_MMIOFLIP_COMMAND_BUFFER", 3},
        {"DXGKETW_WAIT_COMMAND_BUFFER", 4},
        {"DXGKETW_SIGNAL_COMMAND_BUFFER", 5},
        {"DXGKETW_DEVICE_COMMAND_BUFFER", 6},
        {"DXGKETW_SOFTWARE_COMMAND_BUFFER", 7},
        {"DXGKETW_PAGING_COMMAND_BUFFER", 8},
        {"DXGKETW_CLIENT_RENDER_BUFFER", 0},
        {"DXGKETW_CLIENT_PAGING_BUFFER", 1},
        {"DXGKETW_SYSTEM_PAGING_BUFFER", 2},
        {"DXGKETW_SYSTEM_PREEMTION_BUFFER", 3},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (trace_cell_is(cell, names[i].name)) {
            *number = names[i].number;
            return true;
        }
    if (strncmp(column, "Function", 8) != 0)
        return false;
    *number = 0; /* a function that nobody asks for */
    for (size_t i = 0; i < etl_function_count; i++)
        if (trace_cell_is(cell, etl_functions[i].name))
            *number = etl_functions[i].id;
    return cell.length > 0;
}

/* Layouts. */

static void read_columns(struct etl_text_layout *layout, const char *fields)
{
    while (*fields != '\0' && layout->count < MOST_COLUMNS) {
        struct column *column = &layout->columns[layout->count];
        size_t length = strcspn(fields, "[:");
        *column = (struct column){.name = fields, .length = (uint8_t)length, .counted_by = -1};
        fields += length;
        if (*fields == '[') {
            size_t count_length = strcspn(++fields, "]");
            for (int8_t i = 0; i < (int8_t)layout->count; i++)
                if (layout->columns[i].length == count_length &&
                    memcmp(layout->columns[i].name, fields, count_length) == 0)
                    column->counted_by = i;
            fields += count_length + 1;
        }
        column->letter = fields[1];
        fields += 2;
        fields += strspn(fields, " ");
        layout->count++;
    }
}

static bool column_named(const struct column *column, const char *name, size_t length)
{
    return column->length == length && memcmp(column->name, name, length) == 0;
}

static void find_items(struct etl_text_layout *layout)
{
    for (unsigned i = 0; i < layout->layout->items && i < MOST_ITEMS; i++) {
        const struct etl_item *item = &etl_items[layout->layout->first + i];
        const char *name = etl_field_names[item->field];
        layout->column_of_item[i] = -1;
        for (uint8_t c = 0; item->field != ETL_NO_FIELD && c < layout->count; c++)
            if (column_named(&layout->columns[c], name, strlen(name)))
                layout->column_of_item[i] = (int8_t)c;
    }
}

/* Few of all layouts come up in a file: each is made out when it does. */
static const struct etl_text_layout *layout_of(const struct etl_text *text, size_t index)
{
    struct etl_text_layout *layout = &text->layouts[index];
    if (layout->layout == NULL) {
        layout->layout = &etl_layouts[index];
        read_columns(layout, etl_columns[index].fields);
        find_items(layout);
    }
    return layout;
}

struct etl_text *etl_text_create(struct trace_input *input, const char *tool,
                                 struct trace_error *error)
{
    struct etl_text *text = calloc(1, sizeof *text);
    if (text != NULL)
        text->layouts = calloc(etl_columns_count, sizeof *text->layouts);
    if (text == NULL || text->layouts == NULL) {
        free(text);
        trace_fail(error, false, "%s: out of memory", trace_input_path(input));
        trace_input_close(input);
        return NULL;
    }
    text->input = input;
    text->tool = tool;
    text->header.clock = 2;
    return text;
}

void etl_text_close(void *self)
{
    struct etl_text *text = self;
    if (text == NULL)
        return;
    trace_input_close(text->input);
    trace_buffer_free(&text->payload);
    trace_cells_free(&text->cells);
    free(text->layouts);
    free(text);
}

const char *etl_text_line(struct etl_text *text, size_t *length)
{
    char *line;
    if (text->damage.message[0] != '\0' ||
        !trace_input_line(text->input, &line, length, &text->damage) || line == NULL)
        return NULL;
    if (*length > 0 && line[*length - 1] == '\r')
        line[--*length] = '\0';
    text->line++;
    return line;
}

size_t etl_text_columns(const struct etl_text *text, size_t layout)
{
    return layout_of(text, layout)->count;
}

bool etl_text_column_is(const struct etl_text *text, size_t layout, size_t index,
                        struct trace_cell name)
{
    const struct column *column = &layout_of(text, layout)->columns[index];
    const char *bracket = memchr(name.text, '[', name.length);
    size_t length = bracket != NULL ? (size_t)(bracket - name.text) : name.length;
    return column_named(column, name.text, length);
}

/* Values. */

/* The elements of an array in one cell: "[1, 2]", or one without brackets; blanks, commas and
 * semicolons between. */
static struct trace_cell next_element(struct trace_cell *list)
{
    static const char between[] = "[], \t;";
    while (list->length > 0 && strchr(between, *list->text) != NULL) {
        list->text++;
        list->length--;
    }
    struct trace_cell element = {list->text, 0};
    while (list->length > 0 && strchr(between, *list->text) == NULL) {
        list->text++;
        list->length--;
        element.length++;
    }
    return element;
}

static size_t count_elements(struct trace_cell list)
{
    size_t count = 0;
    while (next_element(&list).length > 0)
        count++;
    return count;
}

/* The value of a cell, without the "name : " that -add_fieldnames puts before it. */
static struct trace_cell value_of(struct trace_cell cell, const struct column *column)
{
    if (cell.length < column->length || memcmp(cell.text, column->name, column->length) != 0)
        return cell;
    const char *colon = memmem(cell.text, cell.length, " : ", 3);
    if (colon == NULL)
        return cell;
    size_t skipped = (size_t)(colon - cell.text) + 3;
    return trace_cell_trimmed(cell.text + skipped, cell.length - skipped);
}

static bool looks_like(struct trace_cell cell, const struct column *column)
{
    uint64_t number;
    bool is_number = trace_cell_number(cell, &number);
    bool truth = trace_cell_is(cell, "true") || trace_cell_is(cell, "false");
    switch (column->letter) {
    case 'p':
        return is_number && cell.length > 2 && cell.text[1] == 'x';
    case 'b':
        return truth || (is_number && number <= 1);
    case 's':
        return true;
    default:
        return !truth && cell.length > 0;
    }
}

bool etl_text_fits(const struct etl_text *text, size_t index, const struct trace_cell *cells,
                   size_t count)
{
    const struct etl_text_layout *layout = layout_of(text, index);
    if (count != layout->count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct column *column = &layout->columns[i];
        struct trace_cell cell = value_of(cells[i], column);
        if (column->counted_by < 0) {
            if (!looks_like(cell, column))
                return false;
            continue;
        }
        const struct column *counter = &layout->columns[column->counted_by];
        uint64_t wanted;
        if (!trace_cell_number(value_of(cells[column->counted_by], counter), &wanted) ||
            wanted != count_elements(cell))
            return false;
        for (struct trace_cell element; (element = next_element(&cell)).length > 0;)
            if (!looks_like(element, column))
                return false;
    }
    return true;
}

static void put_number(struct etl_text *text, uint64_t number, size_t width)
{
    for (size_t i = 0; i < width; i++)
        trace_buffer_put_byte(&text->payload, (unsigned char)(number >> (8 * i)));
}

static bool put_value(struct etl_text *text, struct trace_cell cell, const struct column *column,
                      size_t width)
{
    uint64_t number;
    if (!trace_cell_number(cell, &number) && !named_number(cell, column->name, &number)) {
        text->values_left_out++;
        if (!column_named(column, "Flags", 5))
            return false;
        number = 0; /* names of flags: they are not essential */
    }
    put_number(text, number, width);
    return true;
}

/* Where each column's cells are. False: there are too few. */
static bool locate(const struct etl_text_layout *layout, const struct trace_cell *cells,
                   size_t count, enum etl_arrays arrays, size_t first[MOST_COLUMNS],
                   size_t size[MOST_COLUMNS])
{
    size_t at = 0;
    for (size_t i = 0; i < layout->count; i++) {
        const struct column *column = &layout->columns[i];
        uint64_t elements = 1;
        first[i] = at;
        size[i] = 0;
        if (arrays == ETL_ARRAYS_SPREAD && column->counted_by >= 0) {
            size_t counter = first[column->counted_by];
            if (counter >= count || !trace_cell_number(cells[counter], &elements) ||
                elements > MOST_ELEMENTS)
                return false;
        }
        size[i] = (size_t)elements;
        at += size[i];
    }
    return true;
}

static bool put_array(struct etl_text *text, struct trace_cell list, const struct column *column,
                      size_t width)
{
    for (struct trace_cell element; (element = next_element(&list)).length > 0;)
        if (!put_value(text, element, column, width))
            return false;
    return true;
}

bool etl_text_encode(struct etl_text *text, size_t index, const struct trace_cell *cells,
                     size_t count, enum etl_arrays arrays)
{
    const struct etl_text_layout *layout = layout_of(text, index);
    size_t first[MOST_COLUMNS], size[MOST_COLUMNS];
    text->payload.length = 0;
    if (!locate(layout, cells, count, arrays, first, size))
        return false;
    for (unsigned i = 0; i < layout->layout->items && i < MOST_ITEMS; i++) {
        const struct etl_item *item = &etl_items[layout->layout->first + i];
        int8_t c = layout->column_of_item[i];
        if (item->field == ETL_NO_FIELD) {
            put_number(text, 0, 0);
            for (size_t skipped = item->bytes + (size_t)item->count * POINTER; skipped > 0;
                 skipped--)
                trace_buffer_put_byte(&text->payload, 0);
            continue;
        }
        if (c < 0 || first[c] + size[c] > count)
            return i > 0; /* the line ends here, as a shorter payload would */
        const struct column *column = &layout->columns[c];
        size_t width = item->bytes != 0 ? item->bytes : POINTER;
        for (size_t k = 0; k < size[c]; k++) {
            struct trace_cell cell = value_of(cells[first[c] + k], column);
            bool list = arrays == ETL_ARRAYS_BRACKETED && column->counted_by >= 0;
            if (list ? !put_array(text, cell, column, width)
                     : !put_value(text, cell, column, width))
                return false;
        }
    }
    return !text->payload.failed;
}

void etl_text_record(struct etl_text *text, struct etl_record *record, bool empty)
{
    text->records++;
    *record = (struct etl_record){
        .offset = text->line,
        .pointer_size = POINTER,
        .provider = etl_dxgkrnl,
        .payload = text->payload.bytes,
        .length = empty ? 0 : text->payload.length,
    };
}

void etl_text_facts(void *self, struct trace_facts *facts)
{
    const struct etl_text *text = self;
    trace_facts_add(facts, "records", "lines that are records of DxgKrnl", "", text->records);
    trace_facts_add(facts, "lines-others", "lines of other records, and headings", "",
                    text->others);
    trace_facts_add(facts, "lines-not-understood",
                    "lines of DxgKrnl left out: cells that do not fit, or a value not understood",
                    "", text->not_understood);
    trace_facts_add(facts, "lines-ambiguous", "lines of DxgKrnl left out: several layouts fit", "",
                    text->ambiguous);
    trace_facts_add(facts, "values-not-understood", "cells that are no number and no known name",
                    "", text->values_left_out);
    trace_facts_add(facts, "build-unknown",
                    "1: the text does not say which Windows, taken to be 10 or later", "",
                    text->build_unknown);
}

bool etl_text_damage(void *self, struct trace_error *error)
{
    const struct etl_text *text = self;
    if (text->damage.message[0] == '\0')
        return false;
    *error = text->damage;
    error->skippable = true;
    return true;
}

void etl_text_describe(void *self, char *description, size_t room)
{
    const struct etl_text *text = self;
    char build[32] = "";
    if (!text->build_unknown)
        snprintf(build, sizeof build, ", build %" PRIu32, text->header.build);
    snprintf(description, room, "Windows event recording as text of %s%s", text->tool, build);
}

struct etl_source etl_text_source(struct etl_text *text,
                                  enum etl_step (*next)(void *self, struct etl_record *record))
{
    return (struct etl_source){
        .self = text,
        .header = &text->header,
        .input = text->input,
        .next = next,
        .lines = true,
        .facts = etl_text_facts,
        .damage = etl_text_damage,
        .describe = etl_text_describe,
        .close = etl_text_close,
    };
}
