/* Plots and the HTML page of result folders. */
#ifndef WDDMSIM_ANALYSIS_REPORT_H
#define WDDMSIM_ANALYSIS_REPORT_H

#include <stdbool.h>
#include <stddef.h>

/* (Re)draws the SVG plots with gnuplot and report.html of the result folder(s). One folder: its own
 * report, written into it. Several, each of them
 * a result or a folder of results: a comparing report written into `output`. False and a message
 * on failure (a missing folder, a file that is not ours, gnuplot missing). */
bool report_write(const char *const *directories, size_t count, const char *output, char *error,
                  size_t error_size);

/* Draws all figures of the folder once more, in each of the formats ("png,pdf"), which must be
 * known. False and a message on failure (gnuplot missing). */
bool report_knows_formats(const char *formats);
bool report_convert(const char *directory, const char *formats, char *error, size_t error_size);

#endif
