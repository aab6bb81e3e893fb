/* A comparison for the terminal. */
#include "analysis/compare.h"
#include "analysis/heap.h"
#include "analysis/human.h"
#include "analysis/sweep/metric.h"
#include "model/probe.h"

#include <math.h>

enum { OPS = 16, CAUSES_TOLD = 4 };

static const char *const columns[] = {"mean", "p50", "p99"};

/* With its sign, so that it reads as a change. */
static char *change_text(enum metric_unit unit, double value, char *text)
{
    char size[HUMAN_ROOM];
    snprintf(text, HUMAN_ROOM, "%c%.30s", value < 0 ? '-' : '+',
             metric_text(unit, fabs(value), size));
    return text;
}

static void print_row(FILE *out, const char *title, const char *path, const struct side *first,
                      const struct side *second)
{
    struct difference found = side_difference(first, second, path);
    enum metric_unit unit = metric_unit(path);
    char a[HUMAN_ROOM], b[HUMAN_ROOM], change[HUMAN_ROOM] = "", share[HUMAN_ROOM] = "";
    char width[HUMAN_ROOM] = "";
    if (isnan(found.first) && isnan(found.second))
        return;
    double by = found.difference.mean;
    if (by != 0 && !isnan(by)) {
        change_text(unit, by, change);
        if (found.first != 0)
            change_text(METRIC_SHARE, found.second / found.first - 1, share);
    } else if (by == 0) {
        snprintf(change, sizeof change, "same");
    }
    if (by != 0 && !isnan(found.difference.half_width))
        metric_text(unit, found.difference.half_width, width);
    bool sure = fabs(by) > found.difference.half_width;
    fprintf(out, "%-34s %12s %12s %13s %10s", title, metric_text(unit, found.first, a),
            metric_text(unit, found.second, b), change, share);
    if (width[0] != 0)
        fprintf(out, "  +- %s%s", width, sure ? "" : " (may be chance)");
    fputc('\n', out);
}

/* "p99 of MakeResident fell by 4.10 ms: transfer -3.80 ms, queue -0.300 ms" */
static void explain_shift(FILE *out, const char *op, const char *column, const struct side *first,
                          const struct side *second)
{
    char path[256], size[HUMAN_ROOM];
    double part[PROBE_CAUSES];
    snprintf(path, sizeof path, "calls.%s.latency_ns.%s", op, column);
    double by = side_difference(first, second, path).difference.mean;
    if (isnan(by) || by == 0)
        return;
    for (int cause = 0; cause < PROBE_CAUSES; cause++) {
        snprintf(path, sizeof path, "calls.%s.blame_at_ns.%s.%s", op, column,
                 probe_cause_names[cause]);
        part[cause] = side_difference(first, second, path).difference.mean;
        if (isnan(part[cause]))
            part[cause] = 0;
    }
    fprintf(out, "%s of %s %s by %s", column, op, by < 0 ? "fell" : "rose",
            metric_text(METRIC_NS, fabs(by), size));
    for (int told = 0; told < CAUSES_TOLD; told++) {
        int most = 0;
        for (int cause = 1; cause < PROBE_CAUSES; cause++)
            if (fabs(part[cause]) > fabs(part[most]))
                most = cause;
        if (part[most] == 0 || fabs(part[most]) < 0.02 * fabs(by))
            break;
        fprintf(out, "%s %s %s", told == 0 ? ":" : ",", probe_cause_names[most],
                change_text(METRIC_NS, part[most], size));
        part[most] = 0;
    }
    fputc('\n', out);
}

static void print_pair(FILE *out, const struct side *first, const struct side *second)
{
    const char *ops[OPS];
    char title[128], path[256];
    size_t count =
        result_ranked(result_at(first->runs[0].summary, "calls", NULL), result_call_time, ops, OPS);
    fprintf(out, "%-34s %12.12s %12.12s %13s\n", "", first->label, second->label, "difference");
    for (size_t i = 0; i < metrics_known_count; i++)
        if (strncmp(metrics_known[i].path, "calls.", 6) != 0)
            print_row(out, metrics_known[i].title, metrics_known[i].path, first, second);
    for (size_t op = 0; op < count; op++)
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            snprintf(path, sizeof path, "calls.%s.latency_ns.%s", ops[op], columns[c]);
            snprintf(title, sizeof title, "%s, %s", ops[op], columns[c]);
            print_row(out, title, path, first, second);
        }
    fputc('\n', out);
    for (size_t op = 0; op < count; op++)
        for (size_t c = 1; c < sizeof columns / sizeof *columns; c++)
            explain_shift(out, ops[op], columns[c], first, second);
}

void compare_print(FILE *out, const struct side *sides, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (i > 1)
            fputc('\n', out);
        print_pair(out, &sides[0], &sides[i]);
    }
}
