/* Engines of one kind and one queue before them: Erlang's C. Contexts are on a node for good, so
 * the queue is the laboratory's. */
#include "tests/validation/lab.h"

#include <math.h>
#include <stdio.h>

static double erlang_c(unsigned servers, double load)
{
    double a = servers * load, term = 1, sum = 0;
    for (unsigned k = 0; k < servers; k++) {
        sum += term;
        term *= a / (k + 1);
    }
    double last = term / (1 - load);
    return last / (sum + last);
}

static void row(unsigned servers, double load)
{
    static const double mean_ns = 1e6;
    struct lab *lab = lab_new();
    for (uint32_t i = 1; i < servers; i++)
        lab->profile.nodes[i] = lab->profile.nodes[0];
    lab->profile.node_count = servers;
    lab->source_count = 1;
    lab->sources[0] =
        (struct lab_source){.contexts = servers,
                            .spread = true,
                            .between = {LAB_EXPONENTIAL, .mean_ns = mean_ns / servers / load},
                            .service = {LAB_EXPONENTIAL, .mean_ns = mean_ns},
                            .count = validation_jobs(1000000)};
    lab_run(lab);
    char text[64];
    double expected = 1e3 * (1 + erlang_c(servers, load) / (servers * (1 - load)));
    snprintf(text, sizeof text, "%u engines, load %.1f: mean", servers, load);
    validation_confident(text, expected, lab_mean_us(&lab->sources[0]), "us", 0.015);
    lab_free(lab);
}

void several_engines(void)
{
    row(2, 0.5);
    row(2, 0.8);
    row(4, 0.8);
}
