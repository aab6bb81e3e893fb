/* By how much each quantile of a latency moves from one result to another. */
#include "analysis/compare.h"
#include "analysis/heap.h"
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/page.h"
#include "analysis/section.h"

#include <math.h>

enum { OPS = 4, STEPS = 200 };

/* The axis of the quantiles, wide at both ends: log10(q / (1 - q)), from 1 % to 99.9 %. */
static double quantile_at(int step)
{
    double x = -2 + 5.0 * step / STEPS;
    return 1 / (1 + pow(10, -x));
}

/* One block: quantiles and shifts in ns. An end that too few calls tell of is left out, as p99 is
 * below a hundred. Returns the number of points; widens `least` and `most`. */
static size_t write_shifts(FILE *data, const struct distribution *from,
                           const struct distribution *to, double *least, double *most)
{
    size_t points = 0;
    for (int step = 0; from != NULL && to != NULL && step <= STEPS; step++) {
        double share = quantile_at(step), calls = fmin(from->total, to->total);
        if (share * calls < 1 || (1 - share) * calls < 1 - 1e-9)
            continue;
        double shift = distribution_quantile(to, share) - distribution_quantile(from, share);
        double row[] = {log10(share / (1 - share)), shift};
        *least = fmin(*least, shift);
        *most = fmax(*most, shift);
        plot_row(data, row, 2);
        points++;
    }
    if (points == 0)
        fputs("0 NaN\n", data);
    fputs("\n\n", data);
    return points;
}

static void declare_results(FILE *script, const struct side *sides, size_t count)
{
    const char **labels = heap_new(count, sizeof *labels);
    int *shown = heap_new(count, sizeof *shown);
    char(*texts)[128] = heap_new(count, sizeof *texts);
    for (size_t r = 0; r < count; r++) {
        snprintf(texts[r], sizeof texts[r], "%.56s against %.56s", sides[r].label, sides[0].label);
        labels[r] = texts[r];
        shown[r] = r != 0;
    }
    plot_declare(script, "result", labels, count);
    plot_place_legend(script, labels, shown, count);
    free(labels);
    free(shown);
    free(texts);
}

/* Beyond this many ns the axis is logarithmic: three decades of it at most. */
static double knee(double reach)
{
    return reach > 0 ? fmax(1, pow(10, floor(log10(reach)) - 2)) : 1;
}

static void declare_panel(FILE *script, size_t panel, double least, double most)
{
    const char *const names[] = {"least", "most", "knee"};
    const double values[] = {least, most, knee(fmax(-least, most))};
    for (size_t i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s[%zu]", names[i], panel + 1);
        plot_declare_number(script, name, values[i]);
    }
}

/* One block per op and result but the first. */
bool plot_shifts(const void *what, size_t count, FILE *script, FILE *data, char *reason,
                 size_t size)
{
    const struct side *sides = what;
    const char *ops[OPS];
    size_t panels = result_ranked(result_at(sides[0].runs[0].summary, "calls", NULL),
                                  result_call_time, ops, OPS);
    struct distributions *all = heap_new(count, sizeof *all);
    size_t loaded = 0, points = 0;
    while (loaded < count && side_distributions(&sides[loaded], &all[loaded], reason, size))
        loaded++;
    if (loaded == count) {
        plot_declare(script, "op", ops, panels);
        declare_results(script, sides, count);
        fprintf(script, "array least[%d]\narray most[%d]\narray knee[%d]\n", OPS, OPS, OPS);
        for (size_t op = 0; op < panels; op++) {
            double least = 0, most = 0;
            for (size_t r = 1; r < count; r++)
                points += write_shifts(data, distributions_find(&all[0], ops[op], false),
                                       distributions_find(&all[r], ops[op], false), &least, &most);
            declare_panel(script, op, least, most);
        }
        if (points == 0)
            snprintf(reason, size, "no op has two calls in both results");
    }
    for (size_t r = 0; r < loaded; r++)
        distributions_free(&all[r]);
    free(all);
    return points != 0;
}

static const char *moves(char text[64], double by)
{
    char size[HUMAN_ROOM];
    if (by == 0)
        return "stays";
    snprintf(text, 64, "%s by %s", by < 0 ? "falls" : "rises", html_time(size, fabs(by)));
    return text;
}

static double moved(const struct side *sides, size_t to, const char *op, const char *quantile)
{
    char path[256];
    snprintf(path, sizeof path, "calls.%s.latency_ns.%s", op, quantile);
    return side_difference(&sides[0], &sides[to], path).difference.mean;
}

/* Of the op with most time, and the result in which its median moves furthest. */
void page_say_shifts(char *says, size_t size, const struct side *sides, size_t count)
{
    const char *op = section_largest(AT(sides[0].runs[0].summary, "calls"), result_call_time);
    char middle[64], slow[64];
    size_t to = 0;
    says[0] = 0;
    for (size_t r = 1; op != NULL && r < count; r++) {
        double by = moved(sides, r, op, "p50");
        if (!isnan(by) && (to == 0 || fabs(by) > fabs(moved(sides, to, op, "p50"))))
            to = r;
    }
    if (to == 0)
        return;
    double tail = moved(sides, to, op, "p99");
    snprintf(says, size,
             "From %.64s to %.64s the median of %.64s %s%s%s. Above the zero line a quantile is "
             "slower than in %.64s, below it faster.",
             sides[0].label, sides[to].label, op, moves(middle, moved(sides, to, op, "p50")),
             isnan(tail) ? "" : ", and its p99 ", isnan(tail) ? "" : moves(slow, tail),
             sides[0].label);
}
