/* Tables of an SQLite file that somebody else made: read only, nothing in it is executed, and what
 * would take for ever is given up. */
#ifndef WDDMSIM_TRACES_DATABASE_H
#define WDDMSIM_TRACES_DATABASE_H

#include "traces/input.h"

struct database;

/* Opens what lies in `input`, which stays the caller's: a plain file where it is, anything else (a
 * pipe, what was compressed) in memory. False: not a database, damaged, or no memory. */
bool database_open(struct trace_input *input, struct database **database,
                   struct trace_error *error);
void database_close(struct database *database);

/* Whether there is a table of that name; views and virtual tables are none. */
bool database_has(struct database *database, const char *table);

enum { DATABASE_COLUMNS = 16 };

/* One row: the values of the columns asked for. What a table lacks, what is NULL and what is no
 * number is not given, and 0. */
struct database_row {
    int64_t values[DATABASE_COLUMNS];
    uint32_t given;  /* bit i: value i */
    uint64_t number; /* of the row, from 1 */
    const char
        *text; /* of the column that was asked for as text, "" if none; valid until the next */
};

/* Calls `row` for each row of the table, in the order they stand there, until it answers false. The
 * names of columns end with NULL; one that begins with '=' is read as text. True for a table that
 * does not exist. False: `row` answered false, or the file is damaged: database_damage. */
bool database_read(struct database *database, const char *table, const char *const *columns,
                   bool (*row)(void *self, const struct database_row *row), void *self);

/* What is wrong with the file, "" if nothing: located, one line. */
const struct trace_error *database_damage(const struct database *database);

#endif
