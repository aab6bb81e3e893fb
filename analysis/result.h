/* A result folder as the report reads it back. Nothing in it is trusted: it may be damaged or made
 * by hand. */
#ifndef WDDMSIM_ANALYSIS_RESULT_H
#define WDDMSIM_ANALYSIS_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct result {
    const char *directory; /* the caller's */
    char *label;           /* for people: last part of the folder's path */
    json_t *summary;
};

/* Reads DIRECTORY/summary.json. False and a message if it is missing or not a replay's. */
bool result_load(struct result *result, const char *directory, char *error, size_t error_size);
void result_free(struct result *result);

/* The value at a path of keys ("run", "events", NULL); never NULL: json_null() when absent. */
const json_t *result_at(const json_t *json, const char *key, ...);

/* A number, or NAN; a text, or "". */
double result_number(const json_t *json);
const char *result_text(const json_t *json);

/* An object's keys in order of falling weight, at most `most`; returns how many. The names belong
 * to the object. */
size_t result_ranked(const json_t *object, double (*weight)(const json_t *value), const char **keys,
                     size_t most);

/* Total time in all calls of an op; its number of calls. For result_ranked. */
double result_call_time(const json_t *call);

/* One of the folder's CSV files, row by row. */
struct result_table {
    FILE *file;
    char *line;
    size_t room;
    char *field[32];
    size_t fields;
};

/* Opens NAME and checks that its header starts with `header`. False and a message if not. */
bool result_table_open(struct result_table *table, const struct result *result, const char *name,
                       const char *header, char *error, size_t error_size);
/* The next row with at least `least` fields; shorter ones are passed over. */
bool result_table_next(struct result_table *table, size_t least);
/* A field as a number, or NAN. */
double result_table_number(const struct result_table *table, size_t field);
void result_table_close(struct result_table *table);

#endif
