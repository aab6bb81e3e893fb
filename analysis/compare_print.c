/* A comparison for the terminal. */
#include "analysis/compare.h"
#include "analysis/heap.h"
#include "analysis/human.h"
#include "analysis/sweep/metric.h"

#include <math.h>

enum { OPS = 16 };

static const char *const columns[] = {"mean", "p50", "p99"};

/* With its sign, so that it reads as a change; `size`: the value without one. */
static void change_text(double value, const char *size, char *text)
{
    snprintf(text, HUMAN_ROOM, "%c%.30s", value < 0 ? '-' : '+', size);
}

/* How far apart two values are: shares are so many points apart, for per cent would be of one. */
static char *distance_text(enum metric_unit unit, double value, char *text)
{
    if (unit == METRIC_SHARE)
        snprintf(text, HUMAN_ROOM, "%.3g points", 100 * value);
    else
        metric_text(unit, value, text);
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
        char size[HUMAN_ROOM];
        double part = found.second / found.first - 1;
        change_text(by, distance_text(unit, fabs(by), size), change);
        if (found.first != 0)
            change_text(part, human_share(size, fabs(part)), share);
    } else if (by == 0) {
        snprintf(change, sizeof change, "same");
    }
    if (by != 0 && !isnan(found.difference.half_width))
        distance_text(unit, found.difference.half_width, width);
    bool sure = fabs(by) > found.difference.half_width;
    fprintf(out, "%-34s %12s %12s %13s %10s", title, metric_text(unit, found.first, a),
            metric_text(unit, found.second, b), change, share);
    if (width[0] != 0)
        fprintf(out, "  +- %s%s", width, sure ? "" : " (may be chance)");
    fputc('\n', out);
}

static void explain_shift(FILE *out, const char *op, const char *quantile, const struct side *first,
                          const struct side *second)
{
    struct shift shift;
    char text[SHIFT_TEXT];
    if (side_shift(first, second, op, quantile, &shift) && shift.by != 0)
        fprintf(out, "%s\n", shift_text(text, op, quantile, &shift, human_time));
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
