/* Sections of the page of one result: each is one file in sections/ and one row in sections.c. */
#ifndef WDDMSIM_ANALYSIS_SECTION_H
#define WDDMSIM_ANALYSIS_SECTION_H

#include "analysis/page.h"
#include "analysis/plots.h"
#include "analysis/result.h"

#include <stdint.h>
#include <string.h>

enum { SECTION_SENTENCE = 512, SECTION_BINS = 240 };

struct section {
    const char *title;
    /* Whether there is anything to show; NULL: always. */
    bool (*wanted)(const struct result *result);
    /* The figure: plots/NAME.svg, drawn by templates/NAME.gp. NULL: none. Writes the numbers to
     * `data` and the variables that the script needs to `script`; false and a reason if there is
     * nothing to draw. */
    const char *figure;
    bool (*data)(const struct result *result, FILE *script, FILE *data, char *reason, size_t size);
    /* One sentence on what this very run shows, into SECTION_SENTENCE bytes; nothing if there is
     * nothing to say. */
    void (*say)(const json_t *summary, char *says);
    /* What stands behind the figure. NULL: nothing. */
    void (*tables)(FILE *out, const struct result *result);
};

extern const struct section *const sections[];
extern const size_t section_count;

/* Shorthand for the summary's leaves. */
#define AT(json, ...) result_at(json, __VA_ARGS__, NULL)
#define NUMBER(json, ...) result_number(result_at(json, __VA_ARGS__, NULL))
#define TEXT(json, ...) result_text(result_at(json, __VA_ARGS__, NULL))

/* What activity.csv counts, per second, in equal parts of the run; NAN where there is no row. */
enum section_rate {
    SECTION_IN,
    SECTION_OUT,
    SECTION_FILLED,
    SECTION_DROPPED,
    SECTION_SWITCHES,
    SECTION_AVOIDED,
    SECTION_RATES
};

struct section_rates {
    double of[SECTION_RATES][SECTION_BINS];
};

bool section_rates(const struct result *result, struct section_rates *rates, char *reason,
                   size_t size);

/* The object's key with the largest number, or NULL. */
const char *section_largest(const json_t *object, double (*weight)(const json_t *value));

/* Weights: a number above zero; the `count` of an object. NAN where there is none. */
double section_by_number(const json_t *value);
double section_by_count(const json_t *entry);

/* A number of things for people. */
char *section_count_text(char *text, double count);

/* A table that scrolls by itself where it is too wide: its head from the texts, NULL at the end. */
void section_table(FILE *out, const char *heading, ...);
void section_table_end(FILE *out);

#endif
