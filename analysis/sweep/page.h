/* report.html of a sweep: the story in figures, with a sentence to each. */
#ifndef WDDMSIM_ANALYSIS_SWEEP_PAGE_H
#define WDDMSIM_ANALYSIS_SWEEP_PAGE_H

#include "analysis/page.h"
#include "analysis/sweep/say.h"

enum {
    SWEEP_THRESHOLD,
    SWEEP_MINIMUM,
    SWEEP_CURVES,
    SWEEP_HEAT,
    SWEEP_HEAT_2,
    SWEEP_CAUSES,
    SWEEP_SCATTER,
    SWEEP_EFFECTS,
    SWEEP_PARETO,
    SWEEP_FIGURES
};

const char *sweep_figure_name(int figure);

void page_sweep(FILE *out, const struct sweep_view *view, const char *directory,
                const struct plot_outcome outcomes[SWEEP_FIGURES]);

#endif
