/* Contexts of one level in turn, a quantum each. With a quantum much shorter than the jobs that is
 * processor sharing, in which a job of length x takes x / (1 - load), whatever the others are like.
 * With costs, each turn but the first is preceded by a switch; a context by itself goes on. */
#include "tests/validation/lab.h"

#include <stdio.h>

static struct lab *quantum_lab(const char *quantum)
{
    struct lab *lab = lab_new();
    lab_set(lab, "scheduler.policy", "software");
    lab_set(lab, "scheduler.quantum.normal", quantum);
    lab_set(lab, "nodes.3d.preemption", "instruction");
    return lab;
}

/* Jobs that are there at the beginning, and when they are done by hand. */
struct jobs {
    const char *quantum;
    uint64_t switch_ns;
    uint32_t count;
    double length[3], done[3]; /* ms */
};

static void by_hand(const struct jobs *jobs)
{
    struct lab *lab = quantum_lab(jobs->quantum);
    lab->profile.nodes[0].save_ns = jobs->switch_ns; /* charged when a context leaves the engine */
    lab->source_count = jobs->count;
    for (uint32_t i = 0; i < jobs->count; i++)
        lab->sources[i] =
            (struct lab_source){.between = {LAB_FIXED, .mean_ns = 1e12},
                                .service = {LAB_FIXED, .mean_ns = jobs->length[i] * 1e6},
                                .count = 1};
    lab_run(lab);
    for (uint32_t i = 0; i < jobs->count; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s each, a switch of %.3g ms: %.3g ms done at", jobs->quantum,
                 (double)jobs->switch_ns / 1e6, jobs->length[i]);
        validation_near(text, jobs->done[i], lab->sources[i].completed_ns[0] / 1e6, "ms", 1e-12);
    }
    lab_free(lab);
}

/* Always busy: useful work is q / (q + c) of the time, the same for each. */
static void shares(void)
{
    enum { CONTEXTS = 4 };
    struct lab *lab = quantum_lab("1ms");
    lab->profile.nodes[0].save_ns = 100000;
    lab->until_ns = UINT64_C(10000000000);
    lab->source_count = CONTEXTS;
    for (int i = 0; i < CONTEXTS; i++)
        lab->sources[i] = (struct lab_source){
            .closed = true, .service = {LAB_FIXED, .mean_ns = 1e6}, .count = 100000};
    lab_run(lab);
    for (int i = 0; i < CONTEXTS; i++) {
        char text[64];
        snprintf(text, sizeof text, "four always busy, 1 ms and 0.1 ms: share of number %d", i + 1);
        validation_near(text, 100 / 1.1 / CONTEXTS, (double)lab->sources[i].completed_count / 100,
                        "%", 0.001);
    }
    lab_free(lab);
}

static void processor_sharing(void)
{
    static const double load = 0.8, mean = 100, length[] = {10, 1000}; /* µs */
    double chance = (mean - length[0]) / (length[1] - length[0]);
    const double part[] = {1 - chance, chance};
    struct lab *lab = quantum_lab("1us");
    lab->source_count = 2;
    for (int i = 0; i < 2; i++)
        lab->sources[i] = (struct lab_source){
            .contexts = 500,
            .between = {LAB_EXPONENTIAL, .mean_ns = mean * 1e3 / load / part[i]},
            .service = {LAB_FIXED, .mean_ns = length[i] * 1e3},
            .count = validation_jobs(i ? 40000 : 400000)};
    lab_run(lab);
    for (int i = 0; i < 2; i++) {
        char text[64];
        snprintf(text, sizeof text, "1 us each, load 0.8: a job of %.0f us", length[i]);
        validation_confident(text, length[i] / (1 - load), lab_mean_us(&lab->sources[i]), "us",
                             0.1);
    }
    lab_free(lab);
}

void round_robin(void)
{
    by_hand(&(struct jobs){"1ms", 0, 2, {10, 10}, {19, 20}});
    by_hand(&(struct jobs){"1ms", 100000, 2, {10, 10}, {20.8, 21.9}});
    by_hand(&(struct jobs){"2ms", 50000, 3, {10, 20, 30}, {26.6, 49.15, 61.2}});
    by_hand(&(struct jobs){"1ms", 100000, 1, {10}, {10}});
    shares();
    processor_sharing();
}
