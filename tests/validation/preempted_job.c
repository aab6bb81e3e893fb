/* Jobs of 10 ms, one after the other, preempted by arrivals of 100 µs at 1,000 a second, of which
 * each switch costs c. With c = 0 a job takes s / (1 - λ s1).
 *
 * With a cost: each time the engine is taken away it is gone for D = a switch there, what arrives
 * meanwhile and all that follows it, and a switch back; what arrives during the switch back, some
 * arrivals with p = 1 - exp(-λ c), takes the engine away again as soon as that is over. With
 * b = s1 / (1 - λ s1) for each arrival and what follows it,
 *     E[D | k arrivals] = 2 c + (k + λ c) b + p E[D | again],   E[k | again] = λ c / p
 * and a job takes s (1 + λ E[D | 1]). The formula of the literature, s / (1 - λ (s1 + 2 c)), takes
 * every arrival to cost two switches, which is so if the long job stands in the hardware queue
 * behind the short one. */
#include "tests/validation/lab.h"

#include <math.h>

static double gone_us(double arrivals, double rate, double cost, double busy, double again)
{
    return 2 * cost + (arrivals + rate * cost) * busy + again;
}

static double expected_us(double rate, double high, double low, double cost)
{
    double busy = high / (1 - rate * high);
    if (cost == 0)
        return low * (1 + rate * busy);
    double p = 1 - exp(-rate * cost);
    double again = gone_us(rate * cost / p, rate, cost, busy, 0) / (1 - p);
    return low * (1 + rate * gone_us(1, rate, cost, busy, p * again));
}

static const double RATE = 1e-3, HIGH = 100, LOW = 10000; /* µs */

static struct confident run_job(const char *depth, const char *switch_time)
{
    struct lab *lab = lab_new();
    lab_set(lab, "scheduler.queue-depth", depth);
    lab_set(lab, "nodes.3d.preemption", "instruction");
    lab_set(lab, "nodes.3d.switch", switch_time);
    lab->source_count = 2;
    lab->sources[0] = (struct lab_source){.priority = 1,
                                          .between = {LAB_EXPONENTIAL, .mean_ns = 1e3 / RATE},
                                          .service = {LAB_FIXED, .mean_ns = HIGH * 1e3}};
    lab->sources[1] = (struct lab_source){.closed = true,
                                          .service = {LAB_FIXED, .mean_ns = LOW * 1e3},
                                          .count = validation_jobs(100000)};
    lab_run(lab);
    struct confident mean = lab_mean_us(&lab->sources[1]);
    lab_free(lab);
    return mean;
}

void preempted_job(void)
{
    validation_confident("10 ms, switches cost nothing", expected_us(RATE, HIGH, LOW, 0),
                         run_job("2", "0us"), "us", 0.002);
    validation_confident("10 ms, a switch costs 40 us", expected_us(RATE, HIGH, LOW, 40),
                         run_job("1", "40us"), "us", 0.002);
    validation_near("  the same behind the short ones", LOW / (1 - RATE * (HIGH + 2 * 40)),
                    run_job("2", "40us").mean, "us", 0.005);
}
