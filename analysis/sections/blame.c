/* Why calls took that long: what the mean of each op, and all the time of each process, consists
 * of.
 */
#include "analysis/heap.h"
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/section.h"
#include "model/probe.h"

#include <math.h>

enum { OPS = 12, PROCESSES = 8, LABEL = 48 };

struct bar {
    char label[LABEL], amount[LABEL];
    double part[PROBE_CAUSES], total;
};

struct bars {
    size_t count;
    struct bar bar[OPS + PROCESSES];
};

static void op_bars(struct bars *bars, const json_t *calls)
{
    const char *ops[OPS];
    size_t count = result_ranked(calls, result_call_time, ops, OPS);
    for (size_t i = 0; i < count; i++) {
        struct bar bar = {.total = 0};
        char mean[HUMAN_ROOM];
        for (int cause = 0; cause < PROBE_CAUSES; cause++) {
            double part = NUMBER(calls, ops[i], "blame_ns", probe_cause_names[cause]);
            bar.total += bar.part[cause] = part > 0 ? part : 0;
        }
        snprintf(bar.label, LABEL, "%s", ops[i]);
        snprintf(bar.amount, LABEL, "%s", html_time(mean, bar.total));
        if (bar.total > 0)
            bars->bar[bars->count++] = bar;
    }
}

struct process {
    double pid;
    struct bar bar;
};

static int busiest_first(const void *a, const void *b)
{
    const struct process *x = a, *y = b;
    if (x->bar.total != y->bar.total)
        return x->bar.total > y->bar.total ? -1 : 1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Sums of latency.csv: count times the mean by cause. */
static bool process_bars(struct bars *bars, const struct result *result, char *reason, size_t size)
{
    enum { FIRST_CAUSE = 11 };
    struct result_table table;
    struct process *all = NULL;
    size_t count = 0;
    if (!result_table_open(&table, result, "latency.csv",
                           "pid,op,count,failures,min_ns,mean_ns,p50_ns,p90_ns,p99_ns,p999_ns,"
                           "max_ns,blame_cpu_ns",
                           reason, size))
        return false;
    while (result_table_next(&table, FIRST_CAUSE + PROBE_CAUSES)) {
        double pid = result_table_number(&table, 0), calls = result_table_number(&table, 2);
        if (isnan(pid) || isnan(calls))
            continue;
        if (count == 0 || all[count - 1].pid != pid) { /* rows of a process stand together */
            all = heap_resize(all, count + 1, sizeof *all);
            all[count++] = (struct process){.pid = pid};
        }
        for (int cause = 0; cause < PROBE_CAUSES; cause++) {
            double part = calls * result_table_number(&table, FIRST_CAUSE + (size_t)cause);
            all[count - 1].bar.part[cause] += part > 0 ? part : 0;
            all[count - 1].bar.total += part > 0 ? part : 0;
        }
    }
    result_table_close(&table);
    if (count != 0)
        qsort(all, count, sizeof *all, busiest_first);
    for (size_t i = 0; i < count && i < PROCESSES && all[i].bar.total > 0; i++) {
        char sum[HUMAN_ROOM];
        snprintf(all[i].bar.label, LABEL, "process %.0f", all[i].pid);
        snprintf(all[i].bar.amount, LABEL, "%s", html_time(sum, all[i].bar.total));
        bars->bar[bars->count++] = all[i].bar;
    }
    free(all);
    return true;
}

/* Rows: bar (from 1), cause (from 0), the cause's share of it from ... to ... */
static bool data(const struct result *result, FILE *script, FILE *data, char *reason, size_t size)
{
    struct bars bars = {.count = 0};
    const char *labels[OPS + PROCESSES], *amounts[OPS + PROCESSES];
    int used[PROBE_CAUSES] = {0};
    op_bars(&bars, AT(result->summary, "calls"));
    size_t ops = bars.count;
    if (!process_bars(&bars, result, reason, size))
        return false;
    if (ops == 0) {
        snprintf(reason, size, "no call took any time");
        return false;
    }
    for (size_t i = 0; i < bars.count; i++) {
        double from = 0;
        labels[i] = bars.bar[i].label;
        amounts[i] = bars.bar[i].amount;
        for (int cause = 0; cause < PROBE_CAUSES; cause++) {
            double part = bars.bar[i].part[cause] / bars.bar[i].total;
            double values[] = {(double)i + 1, cause, from, from + part};
            if (part > 0) {
                plot_row(data, values, 4);
                used[cause] = 1;
            }
            from += part;
        }
    }
    plot_declare(script, "bar", labels, bars.count);
    plot_declare(script, "amount", amounts, bars.count);
    fprintf(script, "ops = %zu\n", ops);
    plot_declare(script, "cause", probe_cause_names, PROBE_CAUSES);
    plot_place_legend(script, probe_cause_names, used, PROBE_CAUSES);
    fprintf(script, "array used[%d]\n", PROBE_CAUSES);
    for (int cause = 0; cause < PROBE_CAUSES; cause++)
        fprintf(script, "used[%d] = %d\n", cause + 1, used[cause]);
    return true;
}

static void say(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM];
    const char *op = section_largest(AT(summary, "calls"), result_call_time);
    const json_t *blame = op != NULL ? AT(summary, "calls", op, "blame_ns") : NULL;
    const char *cause = blame != NULL ? section_largest(blame, section_by_number) : NULL;
    double mean = op != NULL ? NUMBER(summary, "calls", op, "latency_ns", "mean") : 0;
    if (cause != NULL && mean > 0)
        snprintf(says, SECTION_SENTENCE,
                 "The mean %s takes %s; the largest part of it, %s, is %s. Every nanosecond of a "
                 "call has one cause, and they add up to its latency.",
                 op, html_time(a, mean), human_share(b, NUMBER(blame, cause) / mean), cause);
}

const struct section section_blame = {
    .title = "Why they took that long", .figure = "blame", .data = data, .say = say};
