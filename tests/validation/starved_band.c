/* DXGKARG_SETUPPRIORITYBANDS: the normal band's share of an engine while the focus band wants all
 * of it is 10 % unless the system says otherwise. */
#include "tests/validation/lab.h"

#include <stdio.h>

static void row(const char *policy, const char *share, double percent)
{
    static const double length_ns = 50000;
    struct lab *lab = lab_new();
    lab_set(lab, "scheduler.policy", policy);
    lab_set(lab, "scheduler.normal-share", share);
    lab_set(lab, "scheduler.yield-slice", "1ms");
    lab_set(lab, "nodes.3d.preemption", "dma-buffer");
    lab->until_ns = validation_full ? UINT64_C(10000000000) : UINT64_C(1000000000);
    lab->source_count = 2;
    for (int i = 0; i < 2; i++)
        lab->sources[i] = (struct lab_source){.band = i ? VIDSCH_BAND_NORMAL : VIDSCH_BAND_FOCUS,
                                              .closed = true,
                                              .customers = 4,
                                              .service = {LAB_FIXED, .mean_ns = length_ns},
                                              .count = 1000000};
    lab_run(lab);
    char text[64];
    double ns = (double)lab->sources[1].completed_count * length_ns;
    snprintf(text, sizeof text, "%s scheduling, share %s: normal band", policy, share);
    validation_between(text, percent - 2, percent + 2, 100 * ns / (double)lab->until_ns, "%");
    lab_free(lab);
}

void starved_band(void)
{
    static const char *const policies[] = {"software", "hardware"};
    for (int i = 0; i < 2; i++) {
        row(policies[i], "0.1", 10);
        row(policies[i], "0.25", 25);
        row(policies[i], "0.5", 50);
        row(policies[i], "0", 0);
    }
}
