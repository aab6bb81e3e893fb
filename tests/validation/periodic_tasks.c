/* Periodic tasks of fixed priority that begin together: the first response is the worst one, by
 * the fixed point R = C + sum of ceil(R / T) C over the higher ones. */
#include "tests/validation/lab.h"

#include <stdio.h>

enum { TASKS = 3, UNIT_NS = 1000000 };

/* Not preempted, a task waits for a packet of a lower one in addition: 1 + 3 and 2 + 3 + 2 * 1. So
 * it comes at 12, where the third is the first to arrive and runs until 15. The third itself is
 * not interrupted once it runs. */
static const struct task {
    uint32_t cost, period, worst, worst_not_preempted;
} tasks[TASKS] = {{1, 4, 1, 4}, {2, 6, 3, 7}, {3, 12, 10, 6}};

static double worst_of(const struct lab_source *source)
{
    double worst = 0;
    for (size_t i = 0; i < source->completed_count; i++)
        worst = source->response_ns[i] > worst ? source->response_ns[i] : worst;
    return worst / UNIT_NS;
}

static struct lab *run_tasks(const char *preemption, const char *depth)
{
    struct lab *lab = lab_new();
    lab_set(lab, "nodes.3d.preemption", preemption);
    lab_set(lab, "scheduler.queue-depth", depth);
    lab->source_count = TASKS;
    for (int i = 0; i < TASKS; i++)
        lab->sources[i] = (struct lab_source){
            .priority = TASKS - i,
            .between = {LAB_FIXED, .mean_ns = (double)tasks[i].period * UNIT_NS},
            .service = {LAB_FIXED, .mean_ns = (double)tasks[i].cost * UNIT_NS},
            .count = 1000};
    lab_run(lab);
    return lab;
}

void periodic_tasks(void)
{
    struct lab *lab = run_tasks("instruction", "2");
    for (int i = 0; i < TASKS; i++) {
        char text[64];
        snprintf(text, sizeof text, "cost %u, period %u, preemptive: worst", tasks[i].cost,
                 tasks[i].period);
        validation_near(text, tasks[i].worst, worst_of(&lab->sources[i]), "", 0);
    }
    lab_free(lab);
    lab = run_tasks("none", "1");
    for (int i = 0; i < TASKS; i++) {
        char text[64];
        snprintf(text, sizeof text, "cost %u, period %u, not preempted: worst", tasks[i].cost,
                 tasks[i].period);
        validation_near(text, tasks[i].worst_not_preempted, worst_of(&lab->sources[i]), "", 0);
    }
    lab_free(lab);
}
