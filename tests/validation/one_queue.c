/* One context, one engine: Poisson arrivals, services of 100 µs in the mean. The response time of
 * M/M/1 is exponential; the means of the others are Pollaczek's and Khinchine's. A switch before
 * every packet, as eager switching makes it, is a part of the service. */
#include "tests/validation/lab.h"

#include <math.h>
#include <stdio.h>

static const double MEAN_NS = 1e5;
static const double loads[] = {0.3, 0.5, 0.7, 0.8, 0.9, 0.95};

static struct lab *run_queue(double load, struct lab_time service, double switch_ns)
{
    struct lab *lab = lab_new();
    lab->source_count = 1;
    lab->sources[0] = (struct lab_source){
        .between = {LAB_EXPONENTIAL, .mean_ns = (MEAN_NS + switch_ns) / load},
        .service = service,
        .count = validation_jobs(load > 0.85 ? 4000000 : 1000000),
    };
    if (switch_ns > 0) {
        lab_set(lab, "scheduler.context-switch", "eager");
        lab->profile.nodes[0].switch_ns = (uint64_t)switch_ns;
    }
    lab_run(lab);
    return lab;
}

static void mean_row(const char *what, double load, double expected_ns, const struct lab *lab)
{
    char text[64];
    snprintf(text, sizeof text, "%s, load %.2f: mean", what, load);
    validation_confident(text, expected_ns / 1e3, lab_mean_us(&lab->sources[0]), "us",
                         load > 0.75 ? 0.05 : 0.015);
}

/* Second moment of services of `first` or, with that chance, `other`. */
static double second_moment(double first, double other, double chance)
{
    return (1 - chance) * first * first + chance * other * other;
}

static double pollaczek_khinchine(double load, double mean, double second)
{
    return mean + load / mean * second / (2 * (1 - load));
}

static void memoryless(double load)
{
    static const double quantiles[] = {0.95, 0.99};
    struct lab *lab = run_queue(load, (struct lab_time){LAB_EXPONENTIAL, .mean_ns = MEAN_NS}, 0);
    double mean = MEAN_NS / (1 - load);
    mean_row("M/M/1", load, mean, lab);
    for (size_t i = 0; i < 2; i++) {
        char text[64];
        snprintf(text, sizeof text, "M/M/1, load %.2f: p%.0f", load, quantiles[i] * 100);
        validation_confident(text, -mean * log(1 - quantiles[i]) / 1e3,
                             lab_quantile_us(&lab->sources[0], quantiles[i]), "us",
                             load > 0.75 ? 0.05 : 0.02);
    }
    lab_free(lab);
}

void one_queue(void)
{
    const struct lab_time fixed = {LAB_FIXED, .mean_ns = MEAN_NS};
    const struct lab_time mixed = {LAB_TWO_POINTS, 5e4, 5.5e5, 0.1};
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
        memoryless(loads[i]);
        struct lab *lab = run_queue(loads[i], fixed, 0);
        mean_row("M/D/1", loads[i], pollaczek_khinchine(loads[i], MEAN_NS, MEAN_NS * MEAN_NS), lab);
        lab_free(lab);
        lab = run_queue(loads[i], mixed, 0);
        mean_row("M/G/1", loads[i],
                 pollaczek_khinchine(loads[i], MEAN_NS, second_moment(5e4, 5.5e5, 0.1)), lab);
        lab_free(lab);
    }
    static const double switch_ns = 2e4, load = 0.7;
    struct lab *lab = run_queue(load, mixed, switch_ns);
    mean_row("M/G/1 and a switch of 20 us each", load,
             pollaczek_khinchine(load, MEAN_NS + switch_ns,
                                 second_moment(5e4 + switch_ns, 5.5e5 + switch_ns, 0.1)),
             lab);
    lab_free(lab);
}
