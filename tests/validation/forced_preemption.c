/* gpu_ext (RTX 5090): a kernel of 261.678 ms takes 716.415 ms while it is preempted 5,504 times a
 * second. That is T = T0 / (1 - r c) with c = 115.3 µs for each time, which the other rates must
 * follow. */
#include "tests/validation/lab.h"

#include <stdio.h>

void forced_preemption(void)
{
    static const double alone = 261.678, cost = 115.3;         /* ms, µs */
    static const double rates[] = {5504, 1000, 2000};          /* a second */
    static const double published[] = {716.415, 295.8, 340.1}; /* ms */
    for (int i = 0; i < 3; i++) {
        struct lab *lab = lab_new();
        lab_set(lab, "nodes.3d.preemption", "instruction");
        lab->profile.nodes[0].switch_ns = (uint64_t)(cost * 1e3 / 2); /* there and back */
        lab->source_count = 2;
        lab->sources[0] = (struct lab_source){.priority = 1,
                                              .between = {LAB_FIXED, .mean_ns = 1e9 / rates[i]},
                                              .first_ns = (uint64_t)(1e9 / rates[i])};
        lab->sources[1] = (struct lab_source){.between = {LAB_FIXED, .mean_ns = 1e12},
                                              .service = {LAB_FIXED, .mean_ns = alone * 1e6},
                                              .count = 1};
        lab_run(lab);
        char text[64];
        double taken = lab->sources[1].response_ns[0] / 1e6;
        snprintf(text, sizeof text, "%.0f a second: published", rates[i]);
        validation_near(text, published[i], taken, "ms", i ? 0.01 : 0.15);
        snprintf(text, sizeof text, "%.0f a second: closed form", rates[i]);
        validation_near(text, alone / (1 - rates[i] * cost * 1e-6), taken, "ms", 0.001);
        lab_free(lab);
    }
}
