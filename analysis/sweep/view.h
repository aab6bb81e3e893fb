/* How a sweep is shown: which key lies along the axis, which tells lines apart, which panels, and
 * which metrics are worth a panel. */
#ifndef WDDMSIM_ANALYSIS_SWEEP_VIEW_H
#define WDDMSIM_ANALYSIS_SWEEP_VIEW_H

#include "analysis/plots.h"
#include "analysis/sweep/insight.h"

enum { VIEW_METRICS = 6, VIEW_PANELS = 12, VIEW_LINES = 8, VIEW_NONE = -1 };

struct sweep_view {
    const struct sweep_table *table;
    size_t effects;
    struct sweep_effect *effect; /* on the first metric, the strongest first */
    int x, lines;                /* axes; VIEW_NONE */
    size_t panel_axes;
    size_t *panel_axis; /* the axes whose levels are panels; what is left is at its baseline */
    size_t panels;      /* combinations of their levels */
    size_t metrics;
    size_t metric[VIEW_METRICS]; /* the first, and others that vary */
};

void sweep_view_make(const struct sweep_table *table, struct sweep_view *view);
void sweep_view_free(struct sweep_view *view);

/* The levels of all axes of a grid's cell: baselines, then these. */
void sweep_view_levels(const struct sweep_view *view, size_t panel, size_t line, size_t x,
                       size_t *level);

/* The name of a panel: "pace=think, hardware=ideal"; empty if there is one. */
void sweep_view_panel_name(const struct sweep_view *view, size_t panel, char *text, size_t size);

/* What an axis or metric is divided by to be drawn, by its greatest value, and its unit's name. */
double sweep_view_unit(enum metric_unit unit, double greatest, const char **name);

/* The name of an axis or metric with its unit: "segments.local.size, GiB". */
void sweep_view_label(const char *name, const char *unit, char *text, size_t size);

/* Declares an axis to a script, of the letter x: xname, xlog, xnamed (its values are names),
 * xticks, xtick[], base_x (NaN: unknown or off the axis), xfirst and xlast. And the number to draw
 * a level at. */
void sweep_view_declare_axis(const struct sweep_view *view, size_t axis, char letter, FILE *script);
double sweep_view_x(const struct sweep_view *view, size_t axis, size_t level);

/* The figures: each is a plot_prepare whose `what` is a struct sweep_view. `which` of the heat map
 * is the metric. */
plot_prepare figure_curves, figure_heat, figure_causes, figure_effects, figure_scatter,
    figure_pareto, figure_threshold, figure_minimum;

#endif
