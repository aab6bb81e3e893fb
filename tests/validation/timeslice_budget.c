/* NVIDIA DRIVE OS 6.0.4, "Setting the Timeslice": a context of low priority that ignores preemption
 * keeps its timeslice of 1.5 ms, is given 2 ms to switch, and is reset in 1.5 ms. So one of high
 * priority begins 5 ms after it wants the engine, at the latest, and with a period of 16.6 ms it
 * meets every deadline if its work takes no longer than 11.6 ms. */
#include "tests/validation/lab.h"

#include <stdio.h>

enum { PERIODS = 3, PHASES = 20 };

static const double period_ns = 16600000, slice_ns = 1500000;

/* Of the high one, in ms, when the low one begins so long before it comes. */
static double worst_response(double work_ns, double ahead_ns)
{
    struct lab *lab = lab_new();
    lab_set(lab, "scheduler.policy", "hardware");
    lab_set(lab, "nodes.3d.preemption", "instruction");
    lab_set(lab, "nodes.3d.granule", "1s");
    lab_set(lab, "scheduler.grace.band", "1.5ms");
    lab_set(lab, "scheduler.tdr-delay", "2ms");
    lab_set(lab, "scheduler.tdr-reset", "1.5ms");
    lab->source_count = 2;
    lab->sources[0] = (struct lab_source){.band = VIDSCH_BAND_FOCUS,
                                          .between = {LAB_FIXED, .mean_ns = period_ns},
                                          .first_ns = (uint64_t)period_ns,
                                          .service = {LAB_FIXED, .mean_ns = work_ns},
                                          .count = PERIODS};
    lab->sources[1] = (struct lab_source){.band = VIDSCH_BAND_NORMAL,
                                          .between = {LAB_FIXED, .mean_ns = 1e12},
                                          .first_ns = (uint64_t)(period_ns - ahead_ns),
                                          .service = {LAB_FIXED, .mean_ns = 1e9},
                                          .count = 1};
    lab_run(lab);
    double worst = 0;
    for (size_t i = 0; i < lab->sources[0].completed_count; i++)
        if (lab->sources[0].response_ns[i] > worst)
            worst = lab->sources[0].response_ns[i];
    lab_free(lab);
    return worst / 1e6;
}

/* Over the phases of the low one. */
static double worst_of_phases(double work_ns)
{
    double worst = 0;
    for (int phase = 0; phase < PHASES; phase++) {
        double response = worst_response(work_ns, 1 + slice_ns * phase / (PHASES - 1));
        worst = response > worst ? response : worst;
    }
    return worst;
}

void timeslice_budget(void)
{
    static const double works[] = {1, 11.5, 11.7}; /* ms */
    for (int i = 0; i < 3; i++) {
        char text[64];
        double worst = worst_of_phases(works[i] * 1e6);
        snprintf(text, sizeof text, "work of %g ms: worst delay until it begins", works[i]);
        validation_near(text, 5, worst - works[i], "ms", 0.001);
        snprintf(text, sizeof text, "work of %g ms: deadlines missed", works[i]);
        validation_near(text, works[i] > 11.6, worst > period_ns / 1e6, "", 0);
    }
}
