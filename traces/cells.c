#include "traces/cells.h"

#include "traces/buffer.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct trace_cell trace_cell_trimmed(const char *text, size_t length)
{
    static const char around[] = {' ', '\t', '"'};
    while (length > 0 && memchr(around, *text, sizeof around) != NULL) {
        text++;
        length--;
    }
    while (length > 0 && memchr(around, text[length - 1], sizeof around) != NULL)
        length--;
    return (struct trace_cell){text, length};
}

static void add_cell(struct trace_cells *cells, const char *text, size_t length)
{
    struct trace_cell *items =
        trace_array_grow(cells->items, &cells->room, cells->count + 1, sizeof *items);
    if (items == NULL) {
        cells->failed = true;
        return;
    }
    cells->items = items;
    items[cells->count++] = trace_cell_trimmed(text, length);
}

void trace_cells_split(struct trace_cells *cells, const char *line, size_t length, bool brackets)
{
    size_t from = 0, depth = 0;
    bool quoted = false;
    cells->count = 0;
    for (size_t at = 0; at < length; at++) {
        char c = line[at];
        if (c == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (brackets && (c == '[' || c == '{'))
            depth++;
        else if ((c == ']' || c == '}') && depth > 0)
            depth--;
        else if (c == ',' && depth == 0) {
            add_cell(cells, line + from, at - from);
            from = at + 1;
        }
    }
    add_cell(cells, line + from, length - from);
}

void trace_cells_free(struct trace_cells *cells)
{
    free(cells->items);
    *cells = (struct trace_cells){0};
}

bool trace_cell_is(struct trace_cell cell, const char *text)
{
    return cell.length == strlen(text) && memcmp(cell.text, text, cell.length) == 0;
}

bool trace_cell_number(struct trace_cell cell, uint64_t *number)
{
    size_t at = 0;
    uint64_t value = 0;
    if (cell.length > 2 && cell.text[0] == '0' && (cell.text[1] | 0x20) == 'x') {
        for (at = 2; at < cell.length && isxdigit((unsigned char)cell.text[at]); at++) {
            int c = cell.text[at];
            value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        *number = value;
        return at == cell.length && cell.length <= 18;
    }
    bool negative = cell.length > 1 && cell.text[0] == '-';
    for (at = negative; at < cell.length && cell.text[at] >= '0' && cell.text[at] <= '9'; at++)
        value = 10 * value + (uint64_t)(cell.text[at] - '0');
    *number = negative ? 0 - value : value;
    return at == cell.length && at > negative && cell.length <= 20;
}

bool trace_cell_real(struct trace_cell cell, double *number)
{
    char text[64], *end;
    if (cell.length == 0 || cell.length >= sizeof text)
        return false;
    memcpy(text, cell.text, cell.length);
    text[cell.length] = '\0';
    *number = strtod(text, &end);
    return *end == '\0' && isfinite(*number);
}
