/* A3 and B9: transfers that share a link, in one direction (each gets the same) and in both (each
 * keeps a share of its bandwidth). */
#include "model/simulation/simulation.h"
#include "tests/unit/child.h"
#include "tests/validation/validation.h"

enum { FLOWS = 2 };

struct flow {
    struct sim_transfer transfer;
    enum sim_direction direction;
    double bytes, end_s;
    struct sim *sim;
};

struct link_trial {
    struct sim_link link;
    struct flow flows[FLOWS];
};

static void arrived(void *owner)
{
    struct flow *flow = owner;
    flow->end_s = (double)sim_now(flow->sim) * 1e-9;
}

static void begin(void *owner)
{
    struct link_trial *trial = owner;
    for (struct flow *flow = trial->flows; flow < trial->flows + FLOWS; flow++)
        if (flow->bytes > 0)
            sim_transfer_start(flow->sim, &flow->transfer, 0, flow->direction,
                               (uint64_t)flow->bytes, arrived, flow);
}

static void run_flows(void *argument)
{
    struct link_trial *trial = argument;
    struct sim *sim = sim_create(&trial->link, 1, NULL);
    for (int i = 0; i < FLOWS; i++)
        trial->flows[i].sim = sim;
    sim_run(sim, begin, trial);
    sim_destroy(sim);
}

static void run(struct link_trial *trial)
{
    if (!child_runs(run_flows, trial))
        validation_fail("two flows");
}

/* 512 MiB each way, and one half as long: in a given share of the bandwidth until the shorter is
 * over, then in all of it. */
void both_directions(void)
{
    const double bytes = 512.0 * 1048576, rate = 26e9, factor = 0.73;
    struct link_trial *trial = child_shared(sizeof *trial);
    trial->link = (struct sim_link){rate, rate, factor, false};
    trial->flows[0] = (struct flow){.direction = SIM_IN, .bytes = bytes};
    trial->flows[1] = (struct flow){.direction = SIM_OUT};
    run(trial);
    validation_between("512 MiB in, alone", 25.9, 26.2, bytes / trial->flows[0].end_s * 1e-9,
                       "GB/s");
    trial->flows[0] = (struct flow){.direction = SIM_IN, .bytes = bytes};
    trial->flows[1] = (struct flow){.direction = SIM_OUT, .bytes = bytes};
    run(trial);
    validation_between("512 MiB in while as much goes out", 18.4, 19.6,
                       bytes / trial->flows[0].end_s * 1e-9, "GB/s");
    validation_near("  closed form: size / (f B)", bytes / (factor * rate) * 1e3,
                    trial->flows[0].end_s * 1e3, "ms", 1e-6);
    trial->flows[0] = (struct flow){.direction = SIM_IN, .bytes = bytes};
    trial->flows[1] = (struct flow){.direction = SIM_OUT, .bytes = bytes / 2};
    run(trial);
    double shorter = bytes / 2 / (factor * rate);
    validation_near("256 MiB out beside it: the shorter", shorter * 1e3,
                    trial->flows[1].end_s * 1e3, "ms", 1e-6);
    validation_near("  the longer, faster from there on", (shorter + bytes / 2 / rate) * 1e3,
                    trial->flows[0].end_s * 1e3, "ms", 1e-6);
    munmap(trial, sizeof *trial);
}

void fair_sharing(void)
{
    static const struct {
        const char *name;
        double other, first_ms, second_ms;
    } rows[] = {{"1 GB and 1 GB", 1e9, 161.9, 161.9}, {"1 GB and 0.5 GB", 5e8, 121.5, 81.0}};
    struct link_trial *trial = child_shared(sizeof *trial);
    trial->link = (struct sim_link){12.35e9, 12.35e9, 1, false};
    for (int i = 0; i < 2; i++) {
        trial->flows[0] = (struct flow){.direction = SIM_IN, .bytes = 1e9};
        trial->flows[1] = (struct flow){.direction = SIM_IN, .bytes = rows[i].other};
        run(trial);
        char text[64];
        snprintf(text, sizeof text, "%s together: the first", rows[i].name);
        validation_near(text, rows[i].first_ms, trial->flows[0].end_s * 1e3, "ms", 0.0005);
        validation_near("  the second", rows[i].second_ms, trial->flows[1].end_s * 1e3, "ms",
                        0.0005);
    }
    munmap(trial, sizeof *trial);
}
