/* report.html: of one result, or of several compared. Self-contained: style and figures are inside,
 * nothing is loaded from anywhere. */
#ifndef WDDMSIM_ANALYSIS_PAGE_H
#define WDDMSIM_ANALYSIS_PAGE_H

#include "analysis/compare.h"
#include "analysis/plots.h"
#include "analysis/result.h"

enum { PAGE_PROCESS = 32 };

/* The page of one result with the outcomes of its sections' figures. */
void page_one(FILE *out, const struct result *result, const struct plot_outcome *outcomes);

/* The figures of the page of several, each plots/NAME.svg drawn by templates/NAME.gp. */
enum compare_figure { PAGE_COMPARE, PAGE_SHIFTS, PAGE_SHIFT_CAUSES, PAGE_FIGURES };

/* The page of several; `directory` holds the figures. The first side is what the others are
 * measured against. */
void page_several(FILE *out, const struct side *sides, size_t count, const char *directory,
                  const struct plot_outcome outcomes[PAGE_FIGURES]);

/* What these figures show of these very results, into `size` bytes. */
void page_say_shifts(char *says, size_t size, const struct side *sides, size_t count);
void page_say_shift_causes(char *says, size_t size, const struct side *sides, size_t count);

/* The numbers behind the causes. */
void page_shift_causes_table(FILE *out, const struct side *sides, size_t count);

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
