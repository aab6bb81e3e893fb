/* Customers that think and are served in turn, both times exponential: mean value analysis. */
#include "tests/validation/lab.h"

#include <stdio.h>

void closed_system(void)
{
    static const double think = 4000, service = 1000; /* µs */
    double queue = 0;
    for (uint32_t n = 1; n <= 8; n++) {
        double response = service * (1 + queue);
        double rate = n / (think + response);
        queue = rate * response;
        if ((n & (n - 1)) != 0)
            continue;
        struct lab *lab = lab_new();
        lab->source_count = 1;
        lab->sources[0] =
            (struct lab_source){.closed = true,
                                .customers = n,
                                .contexts = n,
                                .between = {LAB_EXPONENTIAL, .mean_ns = think * 1e3},
                                .service = {LAB_EXPONENTIAL, .mean_ns = service * 1e3},
                                .count = validation_jobs(1000000)};
        lab_run(lab);
        char text[64];
        const struct lab_source *source = &lab->sources[0];
        snprintf(text, sizeof text, "%u customers: response", n);
        validation_confident(text, response, lab_mean_us(source), "us", 0.01);
        snprintf(text, sizeof text, "%u customers: utilisation", n);
        validation_near(text, rate * service,
                        (double)lab->busy_ns[0] / source->completed_ns[source->count - 1], "",
                        validation_full ? 0.005 : 0.015);
        lab_free(lab);
    }
}
