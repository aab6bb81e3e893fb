/* NVAPI's description of command buffers: the operating system takes 50 to 80 µs from one
 * submission to the next, so shorter command lists leave the GPU idle for the rest of that. */
#include "tests/validation/lab.h"

#include <math.h>
#include <stdio.h>

void submission_bubbles(void)
{
    static const double gap = 65, lengths[] = {20, 50, 65, 200}; /* µs */
    for (int i = 0; i < 4; i++) {
        struct lab *lab = lab_new();
        lab_set(lab, "scheduler.submit", "65us");
        lab->until_ns = UINT64_C(1000000000);
        lab->source_count = 1;
        lab->sources[0] = (struct lab_source){
            .closed = true, .customers = 8, .service = {LAB_FIXED, .mean_ns = lengths[i] * 1e3}};
        lab_run(lab);
        char text[64];
        snprintf(text, sizeof text, "lists of %.0f us: the GPU is busy", lengths[i]);
        validation_near(text, 100 * fmin(1, lengths[i] / gap),
                        100 * (double)lab->busy_ns[0] / (double)lab->until_ns, "%", 0.005);
        lab_free(lab);
    }
}
