/* Who comes at a random time waits for the rest of the granule that runs, and for what is queued in
 * the hardware before it. Arrivals 10.61803 granules of 100 µs apart fall everywhere in one as
 * often. */
#include "tests/validation/lab.h"

#include <stdio.h>

static struct lab *run_against(struct lab_time granule, const char *depth, uint32_t customers)
{
    struct lab *lab = lab_new();
    lab_set(lab, "scheduler.queue-depth", depth);
    lab->source_count = 2;
    lab->sources[0] = (struct lab_source){.priority = 1,
                                          .between = {LAB_FIXED, .mean_ns = 1061803},
                                          .service = {LAB_FIXED, .mean_ns = 0},
                                          .count = validation_jobs(300000)};
    lab->sources[1] =
        (struct lab_source){.closed = true, .customers = customers, .service = granule};
    lab_run(lab);
    return lab;
}

/* `depth` granules of 100 µs are always in the hardware queue. */
static void behind(uint32_t depth)
{
    static const double granule = 100;
    char text[64], number[8];
    snprintf(number, sizeof number, "%u", depth);
    struct lab *lab =
        run_against((struct lab_time){LAB_FIXED, .mean_ns = granule * 1e3}, number, depth + 2);
    const struct lab_source *source = &lab->sources[0];
    double most = 0;
    for (size_t i = 0; i < source->count; i++)
        most = source->response_ns[i] > most ? source->response_ns[i] : most;
    snprintf(text, sizeof text, "%u in the hardware queue: mean", depth);
    validation_near(text, (depth - 0.5) * granule, lab_mean_us(source).mean, "us", 0.001);
    snprintf(text, sizeof text, "%u in the hardware queue: p99", depth);
    validation_near(text, (depth - 0.01) * granule, lab_quantile_us(source, 0.99).mean, "us",
                    0.005);
    snprintf(text, sizeof text, "%u in the hardware queue: most", depth);
    validation_between(text, (depth - 0.01) * granule, depth * granule, most / 1e3, "us");
    lab_free(lab);
}

void residual_time(void)
{
    behind(1);
    behind(2);
    behind(4);
    static const double first = 50, other = 550, chance = 0.1;
    double mean = (1 - chance) * first + chance * other;
    double second = (1 - chance) * first * first + chance * other * other;
    struct lab *lab =
        run_against((struct lab_time){LAB_TWO_POINTS, first * 1e3, other * 1e3, chance}, "1", 3);
    validation_confident("granules of 50 and 550 us: mean", second / (2 * mean),
                         lab_mean_us(&lab->sources[0]), "us", 0.015);
    lab_free(lab);
}
