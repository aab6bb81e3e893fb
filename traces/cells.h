/* Lines of comma-separated cells. */
#ifndef WDDMSIM_TRACES_CELLS_H
#define WDDMSIM_TRACES_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of a line, without the blanks and quotes around it. */
struct trace_cell {
    const char *text;
    size_t length;
};

struct trace_cells { /* all zero: none */
    struct trace_cell *items;
    size_t count, room;
    bool failed; /* out of memory */
};

/* Takes a line apart at its commas; those in quotes are part of a cell, and if wanted those in
 * brackets and braces. */
void trace_cells_split(struct trace_cells *cells, const char *line, size_t length, bool brackets);

void trace_cells_free(struct trace_cells *cells);

struct trace_cell trace_cell_trimmed(const char *text, size_t length);

bool trace_cell_is(struct trace_cell cell, const char *text);

/* A whole number, decimal with or without a sign, or 0x. */
bool trace_cell_number(struct trace_cell cell, uint64_t *number);

/* A finite decimal number. */
bool trace_cell_real(struct trace_cell cell, double *number);

#endif
