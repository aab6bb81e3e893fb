/* The figures of a report: each is data in a result folder, a gnuplot script beside it in plots/
 * (run again with `gnuplot plots/NAME.gp` from the folder) and the SVG it draws. */
#ifndef WDDMSIM_ANALYSIS_PLOTS_H
#define WDDMSIM_ANALYSIS_PLOTS_H

#include "analysis/result.h"

enum { PLOT_SERIES = 8 }; /* lines or areas that can be told apart in one panel */

struct plot_outcome {
    bool drawn;
    char reason[256]; /* why not */
};

/* Draws DIRECTORY/plots/NAME.svg from a template and what `prepare` writes: the figure's numbers to
 * `data` and the variables its script needs to `script`; false and a reason if there is nothing to
 * draw. `what` and `which` are handed on. A figure there is no (sound) data for is not drawn, and
 * `outcome` says why; false, with a message, only if it cannot be done at all: gnuplot missing,
 * folder not writable. */
typedef bool plot_prepare(const void *what, size_t which, FILE *script, FILE *data, char *reason,
                          size_t size);
bool plot_make(const char *directory, const char *name, const char *template, plot_prepare *prepare,
               const void *what, size_t which, struct plot_outcome *outcome, char *error,
               size_t error_size);

/* Draws a figure that has been drawn as SVG once more: DIRECTORY/plots/NAME.FORMAT, png or pdf. */
bool plot_format_is_known(const char *format);
bool plot_convert(const char *directory, const char *name, const char *format, char *error,
                  size_t error_size);

/* Removes the figure with its script and data: it would tell of something else. */
void plot_remove(const char *directory, const char *name);

/* Of several sides (analysis/compare.h): their latencies on top of each other. */
plot_prepare plot_compare;

/* By how much each quantile of an op moves from the first result to the others; and which causes
 * its median and p99 have more or less of. */
plot_prepare plot_shifts, plot_shift_causes;

/* plot_script.c. A text as a gnuplot string; a number the same in every locale, NaN where there is
 * none; a row of a data file. */
void plot_string(FILE *out, const char *text);
void plot_number(FILE *out, double value);
void plot_row(FILE *data, const double *values, size_t count);

/* In a script: NAME = value; the array NAME of strings, and NAMEs, how many there are. */
void plot_declare_number(FILE *script, const char *name, double value);
void plot_declare(FILE *script, const char *name, const char *const *texts, size_t count);

/* Places for a legend below the figure, row by row as wide as they need: legend_x in pixels,
 * legend_row from 0, legend_rows. gnuplot's own would be cut to the width of one panel. Entries not
 * `shown` (NULL: all are) take no place. */
void plot_place_legend(FILE *script, const char *const *texts, const int *shown, size_t count);

/* The unit of a time axis, declared with its length; times in the data are divided by it. */
double plot_time_unit(FILE *script, double span_ns);

/* Where `text` is among the texts; `count` if it is not. */
size_t plot_index_of(const char *const *texts, size_t count, const char *text);

/* gnuplot.c: runs DIRECTORY/plots/NAME.gp in the folder. Like plot_make. */
bool gnuplot_run(const char *directory, const char *name, struct plot_outcome *outcome, char *error,
                 size_t error_size);

#endif
