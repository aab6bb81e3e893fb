/* GPreempt (A100): best-effort work yields at the end of its time slice of 200 µs, and its state of
 * 44.3 MiB takes 40 µs to save. Who comes at a random time waits for half a slice and for that. Who
 * announces itself ahead has the engine taken meanwhile. */
#include "tests/validation/lab.h"

#include <stdio.h>

static double added_us(double ahead_us)
{
    struct lab *lab = lab_new();
    lab_set(lab, "nodes.3d.preemption", "instruction");
    lab_set(lab, "nodes.3d.granule", "200us");
    lab_set(lab, "nodes.3d.save", "40us");
    lab_set(lab, "scheduler.queue-depth", "1"); /* best effort does not stand behind the request */
    lab->source_count = 2;
    lab->sources[0] = (struct lab_source){.priority = 1,
                                          .announced_ns = (uint64_t)(ahead_us * 1e3),
                                          .between = {LAB_EXPONENTIAL, .mean_ns = 3e6},
                                          .service = {LAB_FIXED, .mean_ns = 0},
                                          .contexts = 20,
                                          .count = validation_jobs(100000)};
    lab->sources[1] = (struct lab_source){.closed = true, .service = {LAB_FIXED, .mean_ns = 1e12}};
    lab_run(lab);
    double mean = confident_mean(lab->sources[0].response_ns, lab->sources[0].count).mean / 1e3;
    lab_free(lab);
    return mean;
}

void shrinking_timeslice(void)
{
    static const double ahead_us[] = {50, 100, 150, 200, 250};
    double before = added_us(0);
    validation_between("not announced: added latency", 100, 150, before, "us");
    for (int i = 0; i < 5; i++) {
        char text[64];
        double added = added_us(ahead_us[i]);
        bool late = ahead_us[i] >= 250;
        snprintf(text, sizeof text, "announced %.0f us ahead: added latency", ahead_us[i]);
        validation_between(text, 0, late ? 40 : before, added, "us");
        before = added;
    }
}
