/* Two classes, 100 µs and 1,000 µs long, arriving at random (Cobham). Where an engine stops only
 * between packets the higher class waits for the rest of one; where it stops at any time, for
 * nothing; in between, the coarser the later. */
#include "tests/validation/lab.h"

#include <stdio.h>

static const double HIGH = 100, LOW = 1000; /* µs */

struct loads {
    double high, low;
};

static struct lab *run_classes(struct loads loads, int32_t priority, const char *preemption,
                               const char *granule, const char *depth)
{
    struct lab *lab = lab_new();
    lab_set(lab, "nodes.3d.preemption", preemption);
    lab_set(lab, "nodes.3d.granule", granule);
    lab_set(lab, "scheduler.queue-depth", depth);
    lab->source_count = 2;
    lab->sources[0] =
        (struct lab_source){.priority = priority,
                            .between = {LAB_EXPONENTIAL, .mean_ns = HIGH * 1e3 / loads.high},
                            .service = {LAB_FIXED, .mean_ns = HIGH * 1e3},
                            .count = validation_jobs(1000000)};
    lab->sources[1] =
        (struct lab_source){.between = {LAB_EXPONENTIAL, .mean_ns = LOW * 1e3 / loads.low},
                            .service = {LAB_FIXED, .mean_ns = LOW * 1e3},
                            .count = validation_jobs(1000000)};
    lab_run(lab);
    return lab;
}

static void rows(const char *what, struct loads loads, struct lab *lab, double high, double low)
{
    const double expected[] = {high, low};
    for (int i = 0; i < 2; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s, loads %.1f, %.1f: %s", what, loads.high, loads.low,
                 i ? "low" : "high");
        validation_confident(text, expected[i], lab_mean_us(&lab->sources[i]), "us", 0.03);
    }
    lab_free(lab);
}

static void three_columns(struct loads loads)
{
    double rest =
        (loads.high * HIGH + loads.low * LOW) / 2; /* of what is running, at a random time */
    double free_of_high = 1 - loads.high, idle = 1 - loads.high - loads.low;
    rows("one class", loads, run_classes(loads, 0, "none", "0ns", "1"), HIGH + rest / idle,
         LOW + rest / idle);
    double high = HIGH + rest / free_of_high, low = LOW + rest / (free_of_high * idle);
    rows("not preempted", loads, run_classes(loads, 1, "none", "0ns", "1"), high, low);
    rows("between packets", loads, run_classes(loads, 1, "dma-buffer", "0ns", "2"), high, low);
    rows("at any time", loads, run_classes(loads, 1, "instruction", "0ns", "2"),
         HIGH + loads.high * HIGH / (2 * free_of_high),
         LOW / free_of_high + rest / (free_of_high * idle));
}

/* In between the high class waits for a part of the granule. */
static void between(struct loads loads)
{
    static const char *const granules[] = {"50us", "200us", "500us"};
    double before = HIGH + loads.high * HIGH / (2 * (1 - loads.high));
    double last = HIGH + (loads.high * HIGH + loads.low * LOW) / 2 / (1 - loads.high);
    for (int i = 0; i < 3; i++) {
        char text[64];
        struct lab *lab = run_classes(loads, 1, "instruction", granules[i], "2");
        double mean = lab_mean_us(&lab->sources[0]).mean;
        snprintf(text, sizeof text, "granule %s, loads %.1f, %.1f: high", granules[i], loads.high,
                 loads.low);
        validation_between(text, before, last, mean, "us");
        before = mean;
        lab_free(lab);
    }
}

void priorities(void)
{
    three_columns((struct loads){0.2, 0.6});
    three_columns((struct loads){0.3, 0.5});
    three_columns((struct loads){0.1, 0.8});
    between((struct loads){0.2, 0.6});
}
