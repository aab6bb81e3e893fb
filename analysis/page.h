/* report.html: of one result, or of several compared. Self-contained: style and figures are inside,
 * nothing is loaded from anywhere. */
#ifndef WDDMSIM_ANALYSIS_PAGE_H
#define WDDMSIM_ANALYSIS_PAGE_H

#include "analysis/plots.h"
#include "analysis/result.h"

enum { PAGE_PROCESS = 32 };

/* The page of one result with the outcomes of its sections' figures. */
void page_one(FILE *out, const struct result *result, const struct plot_outcome *outcomes);

/* The page of several; `directory` holds plots/compare.svg. The first result is what the others are
 * measured against. */
void page_several(FILE *out, const struct result *results, size_t count, const char *directory,
                  const struct plot_outcome *outcome);

/* Puts DIRECTORY/plots/NAME.svg into the page, or says why it is not there. */
void page_figure(FILE *out, const char *directory, const char *name, const char *meaning,
                 const struct plot_outcome *outcome);

/* A value as a table cell: time in ns, bytes, a count, a share; an en dash where there is none. */
void page_cell_time(FILE *out, double ns);
void page_cell_bytes(FILE *out, double bytes);
void page_cell_count(FILE *out, double count);
void page_cell_share(FILE *out, double share);

/* A mean and half the width of its confidence interval. */
void page_cell_interval(FILE *out, double mean, double half_width,
                        char *(*format)(char *text, double value));

/* "process 1234". */
const char *page_process(char text[PAGE_PROCESS], double pid);

/* What the words of the tables mean. */
void page_definitions(FILE *out);

#endif
