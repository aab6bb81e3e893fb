/* What a sweep shows: the figures and the page of its folder, and a summary for the terminal. */
#ifndef WDDMSIM_ANALYSIS_SWEEP_REPORT_H
#define WDDMSIM_ANALYSIS_SWEEP_REPORT_H

#include "analysis/sweep/table.h"

/* (Re)draws the figures and report.html from the folder's sweep.json. False and a message on
 * failure. */
bool sweep_report(const char *directory, char *error, size_t error_size);

/* The summary, one screen. */
void sweep_print(const struct sweep_table *table, const char *directory, FILE *out);

#endif
