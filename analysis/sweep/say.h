/* What a sweep shows, in sentences: for the page and the terminal. Each function fills one sentence
 * (SAY_ROOM bytes), or leaves it empty if there is nothing to say. */
#ifndef WDDMSIM_ANALYSIS_SWEEP_SAY_H
#define WDDMSIM_ANALYSIS_SWEEP_SAY_H

#include "analysis/sweep/view.h"

enum { SAY_ROOM = 900 };

/* The title: the study's own, or what is varied, of what. */
void say_title(const struct sweep_table *table, char *text);

/* The least and the greatest of a metric, and where. */
void say_range(const struct sweep_table *table, size_t metric, char *text);

/* Which key moves the first metric most, and by how much. */
void say_effects(const struct sweep_view *view, char *text);

/* Where the curve bends, or that more does not help from some value on. */
void say_knee(const struct sweep_view *view, char *text);

/* Which value of a key of names is best, and how often. */
void say_wins(const struct sweep_view *view, char *text);

/* At how many points calls fail otherwise than at the baseline, and how at the first. */
void say_failing(const struct sweep_table *table, char *text);

/* What one search found. */
void say_search(const struct sweep_table *table, const struct sweep_search *search, char *text);

/* The values of a point or search: "a=1, b=2"; "everywhere" if there are none. */
void say_levels(const struct sweep_table *table, const struct sweep_level *at, char *text,
                size_t size);

/* A value of a metric with its unit, as a page writes it. */
char *say_value(const struct sweep_metric *metric, double value, char *text);

#endif
