/* What the figures over simulated time show: the numbers behind each, shaped for its script. */
#include "analysis/heap.h"
#include "analysis/plots.h"

#include <math.h>
#include <stdint.h>

enum { STEPS = 600, ENGINE_BINS = 240 };

static double peak_resident(const json_t *entry)
{
    double peak = result_number(result_at(entry, "peak_resident_bytes", NULL));
    return peak > 0 ? peak : (double)NAN;
}

static double fullness(const json_t *segment)
{
    return peak_resident(segment) / result_number(result_at(segment, "size_bytes", NULL));
}

/* The processes with the highest peaks in one segment, the rest as one. */
struct shares {
    const char *segment;
    size_t count; /* of pids named */
    bool others;
    double pid[PLOT_SERIES - 1], peak[PLOT_SERIES - 1];
    double bytes[PLOT_SERIES]; /* now; the last is all others */
    double last_ns;            /* of the last row written */
    bool pending;
    size_t rows;
    struct share_of { /* every process's own, to know what the others add up to */
        double pid, bytes;
    } * of;
    size_t of_count;
};

static void rank_processes(struct shares *shares, const json_t *processes)
{
    size_t index;
    json_t *process;
    json_array_foreach((json_t *)(uintptr_t)processes, index, process)
    {
        double pid = result_number(result_at(process, "pid", NULL));
        double peak = peak_resident(result_at(process, "segments", shares->segment, NULL));
        if (isnan(peak) || isnan(pid))
            continue;
        size_t at = shares->count;
        while (at > 0 && shares->peak[at - 1] < peak)
            at--;
        shares->others = shares->others || shares->count == PLOT_SERIES - 1;
        if (at == PLOT_SERIES - 1)
            continue;
        size_t kept = shares->count < PLOT_SERIES - 1 ? shares->count : PLOT_SERIES - 2;
        memmove(shares->pid + at + 1, shares->pid + at, (kept - at) * sizeof *shares->pid);
        memmove(shares->peak + at + 1, shares->peak + at, (kept - at) * sizeof *shares->peak);
        shares->pid[at] = pid;
        shares->peak[at] = peak;
        shares->count = kept + 1;
    }
}

static void stairs(struct shares *shares, FILE *data, double t_ns, double unit)
{
    double values[PLOT_SERIES + 1] = {t_ns / unit}, sum = 0;
    size_t count = shares->count + shares->others;
    for (size_t i = 0; i < count; i++)
        values[i + 1] = sum += shares->bytes[i < shares->count ? i : PLOT_SERIES - 1];
    plot_row(data, values, count + 1);
    shares->last_ns = t_ns;
    shares->rows++;
}

static void set_share(struct shares *shares, double pid, double bytes)
{
    size_t i = 0, slot = 0;
    while (i < shares->of_count && shares->of[i].pid != pid)
        i++;
    if (i == shares->of_count) {
        if ((i & (i - 1)) == 0)
            shares->of = heap_resize(shares->of, i == 0 ? 1 : 2 * i, sizeof *shares->of);
        shares->of[shares->of_count++] = (struct share_of){pid, 0};
    }
    while (slot < shares->count && shares->pid[slot] != pid)
        slot++;
    shares->bytes[slot < shares->count ? slot : PLOT_SERIES - 1] += bytes - shares->of[i].bytes;
    shares->of[i].bytes = bytes;
}

static bool write_shares(const struct result *result, struct shares *shares, FILE *data,
                         double span, double unit, char *reason, size_t size)
{
    struct result_table table;
    if (!result_table_open(&table, result, "residency.csv", "t_ns,scope,pid,segment,resident_bytes",
                           reason, size))
        return false;
    double now = 0, step = span / STEPS;
    shares->pending = true; /* the start, with whatever is resident by then */
    shares->last_ns = -step;
    while (result_table_next(&table, 5)) {
        double t = result_table_number(&table, 0), bytes = result_table_number(&table, 4);
        double pid = result_table_number(&table, 2);
        if (strcmp(table.field[1], "process") != 0 ||
            strcmp(table.field[3], shares->segment) != 0 || isnan(t + bytes + pid) || t < now)
            continue;
        if (t > now && shares->pending && (now - shares->last_ns >= step || t - now >= step)) {
            stairs(shares, data, now, unit);
            shares->pending = false;
        }
        if (t > now && !shares->pending && t - shares->last_ns >= step)
            stairs(shares, data, t, unit); /* the level until here, then the step */
        now = t;
        set_share(shares, pid, bytes);
        shares->pending = true;
    }
    if (shares->pending)
        stairs(shares, data, now, unit);
    stairs(shares, data, span > now ? span : now, unit);
    result_table_close(&table);
    free(shares->of);
    fputs("\n\n", data);
    return true;
}

/* The colour of a process, from 1: the same in every panel. The last one stands for all others. */
static size_t hue_of(double pids[PLOT_SERIES - 1], size_t *known, double pid)
{
    size_t i = 0;
    while (i < *known && pids[i] != pid)
        i++;
    if (i == *known && *known < PLOT_SERIES - 1)
        pids[(*known)++] = pid;
    return i % (PLOT_SERIES - 1) + 1;
}

/* One block per segment: t, then the running sums of its processes' resident bytes. */
bool plot_data_residency(const struct result *result, FILE *script, FILE *data, char *reason,
                         size_t size)
{
    enum { PANELS = 4 };
    const char *segments[PANELS];
    const json_t *all = result_at(result->summary, "segments", NULL);
    const json_t *processes = result_at(result->summary, "processes", NULL);
    double span = result_number(result_at(result->summary, "run", "simulated_ns", NULL));
    size_t count = result_ranked(all, fullness, segments, PANELS);
    if (count == 0 || !(span > 0)) {
        snprintf(reason, size, "nothing became resident");
        return false;
    }
    plot_declare(script, "segment", segments, count);
    double unit = plot_time_unit(script, span);
    static const char *const arrays[] = {"size", "peak", "shares", "names", "hues"};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        fprintf(script, "array %s[%zu]\n", arrays[i], count);
    double pids[PLOT_SERIES - 1];
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        struct shares shares = {.segment = segments[i]};
        rank_processes(&shares, processes);
        if (!write_shares(result, &shares, data, span, unit, reason, size))
            return false;
        const json_t *segment = result_at(all, segments[i], NULL);
        char name[32];
        snprintf(name, sizeof name, "size[%zu]", i + 1);
        plot_declare_number(script, name, result_number(result_at(segment, "size_bytes", NULL)));
        snprintf(name, sizeof name, "peak[%zu]", i + 1);
        plot_declare_number(script, name, peak_resident(segment));
        fprintf(script, "shares[%zu] = %zu\nnames[%zu] = '", i + 1, shares.count + shares.others,
                i + 1);
        for (size_t p = 0; p < shares.count; p++)
            if (shares.pid[p] == 0)
                fprintf(script, "%sunknown", p != 0 ? " " : "");
            else
                fprintf(script, "%s%.0f", p != 0 ? " " : "", shares.pid[p]);
        fprintf(script, "%s'\nhues[%zu] = '", shares.others ? " others" : "", i + 1);
        for (size_t p = 0; p < shares.count; p++)
            fprintf(script, "%zu ", hue_of(pids, &known, shares.pid[p]));
        fprintf(script, "%d'\n", PLOT_SERIES);
    }
    return true;
}

static double node_time(const json_t *node)
{
    double busy = result_number(result_at(node, "busy_ns", NULL)) +
                  result_number(result_at(node, "switch_ns", NULL));
    return busy > 0 ? busy : (double)NAN;
}

/* Sums of bins of engines.csv, for a line of ENGINE_BINS points. */
struct engine_bins {
    double count[ENGINE_BINS], busy[ENGINE_BINS], queue[ENGINE_BINS];
};

/* One block per line: t, busy share (0..100), packets queued. The lines: the busiest nodes, then
 * the link in and out if it was used. */
bool plot_data_engines(const struct result *result, FILE *script, FILE *data, char *reason,
                       size_t size)
{
    const char *lines[PLOT_SERIES];
    const json_t *nodes = result_at(result->summary, "scheduling", "nodes", NULL);
    double span = result_number(result_at(result->summary, "run", "simulated_ns", NULL));
    size_t engines = result_ranked(nodes, node_time, lines, PLOT_SERIES - 2), count = engines;
    const json_t *link = result_at(result->summary, "paging", "link_busy_ns", NULL);
    if (result_number(result_at(link, "in", NULL)) > 0)
        lines[count++] = "link-in";
    if (result_number(result_at(link, "out", NULL)) > 0)
        lines[count++] = "link-out";
    if (count == 0 || !(span > 0)) {
        snprintf(reason, size, "no engine had anything to do");
        return false;
    }
    struct result_table table;
    if (!result_table_open(&table, result, "engines.csv",
                           "t_ns,node,busy_share,queue_depth_mean,waiting_mean", reason, size))
        return false;
    struct engine_bins *bins = heap_new(count, sizeof *bins);
    while (result_table_next(&table, 5)) {
        double t = result_table_number(&table, 0), busy = result_table_number(&table, 2);
        size_t line = plot_index_of(lines, count, table.field[1]);
        if (line == count || isnan(t + busy) || t < 0 || t >= span)
            continue;
        double queue = result_table_number(&table, 3) + result_table_number(&table, 4);
        size_t bin = (size_t)(t / span * ENGINE_BINS);
        bins[line].count[bin] += 1;
        bins[line].busy[bin] += busy;
        bins[line].queue[bin] += isnan(queue) ? 0 : queue;
    }
    result_table_close(&table);
    double unit = plot_time_unit(script, span);
    for (size_t line = 0; line < count; line++) {
        for (size_t bin = 0; bin < ENGINE_BINS; bin++) {
            double in = bins[line].count[bin];
            double values[] = {((double)bin + 0.5) * span / ENGINE_BINS / unit,
                               100 * bins[line].busy[bin] / in, bins[line].queue[bin] / in};
            if (in > 0)
                plot_row(data, values, 3);
        }
        fputs("\n\n", data);
    }
    free(bins);
    for (size_t i = 0; i < engines; i++) {
        const char *name = result_text(result_at(nodes, lines[i], "name", NULL));
        lines[i] = name[0] != 0 ? name : lines[i];
    }
    plot_declare(script, "line", lines, count);
    fprintf(script, "engines = %zu\n", engines);
    return true;
}
