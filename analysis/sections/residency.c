/* Who had the memory: resident bytes of processes over time, segment by segment. */
#include "analysis/heap.h"
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/section.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { STEPS = 600 };

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
static bool data(const struct result *result, FILE *script, FILE *data, char *reason, size_t size)
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
    static const char *const arrays[] = {"size", "budget", "peak", "shares", "names", "hues"};
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
        double budget = NUMBER(segment, "budget_bytes");
        snprintf(name, sizeof name, "budget[%zu]", i + 1);
        plot_declare_number(script, name, budget > 0 ? budget : 0);
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

static void say(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM];
    const char *name = section_largest(AT(summary, "segments"), fullness);
    const json_t *segment = name != NULL ? AT(summary, "segments", name) : NULL;
    double scattered = NUMBER(segment, "fragmentation_mean");
    if (segment != NULL)
        snprintf(says, SECTION_SENTENCE,
                 "Segment %.60s held %s at its fullest, %s of its size, and %s on average%s%s%s.",
                 name, human_bytes(a, peak_resident(segment)), human_share(b, fullness(segment)),
                 human_bytes(c, NUMBER(segment, "mean_resident_bytes")),
                 scattered >= 0.001 ? "; " : "",
                 scattered >= 0.001 ? human_share(d, scattered) : "",
                 scattered >= 0.001 ? " of what was free lay outside its largest hole" : "");
}

static void segments(FILE *out, const json_t *summary)
{
    const char *name;
    json_t *segment;
    section_table(out, "segment", "size", "peak resident", "mean resident", "steady mean",
                  "peak committed", "least largest hole", "free outside it", NULL);
    json_object_foreach((json_t *)(uintptr_t)AT(summary, "segments"), name, segment)
    {
        html(out, "<tr><td>%s</td>", name);
        page_cell_bytes(out, NUMBER(segment, "size_bytes"));
        page_cell_bytes(out, NUMBER(segment, "peak_resident_bytes"));
        page_cell_bytes(out, NUMBER(segment, "mean_resident_bytes"));
        page_cell_interval(out, NUMBER(segment, "steady_resident_bytes", "mean"),
                           NUMBER(segment, "steady_resident_bytes", "half_width"), human_bytes);
        page_cell_bytes(out, NUMBER(segment, "peak_committed_bytes"));
        page_cell_bytes(out, NUMBER(segment, "largest_free_bytes_min"));
        page_cell_share(out, NUMBER(segment, "fragmentation_mean"));
        fputs("</tr>\n", out);
    }
    section_table_end(out);
}

static void space_cell(FILE *out, const json_t *space)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM];
    double mean = NUMBER(space, "mean_resident_bytes"), peak = NUMBER(space, "peak_resident_bytes");
    if (mean > 0 && isnan(peak))
        html(out, "<td>%s</td>", human_bytes(a, mean));
    else if (!(peak > 0))
        fputs("<td>–</td>", out);
    else
        html(out, "<td>%s <span class=\"soft\">(peak %s)</span></td>", human_bytes(a, mean),
             human_bytes(b, peak));
}

/* Mean and peak of each process in each segment. */
static void shares_table(FILE *out, const json_t *summary)
{
    enum { SEGMENTS = 6, LISTED = 100 };
    const char *names[SEGMENTS];
    size_t count = result_ranked(AT(summary, "segments"), peak_resident, names, SEGMENTS), index;
    json_t *process;
    if (count == 0)
        return;
    fputs("<div class=\"wide\"><table><thead><tr><th>mean resident</th>", out);
    for (size_t i = 0; i < count; i++)
        html(out, "<th>%s</th>", names[i]);
    fputs("<th>system memory</th></tr></thead><tbody>\n", out);
    json_array_foreach((json_t *)(uintptr_t)AT(summary, "processes"), index, process)
    {
        char pid[HUMAN_ROOM];
        const json_t *spaces = AT(process, "segments");
        if (index == LISTED || section_largest(spaces, peak_resident) == NULL)
            continue;
        html(out, "<tr><td>%s</td>", page_process(pid, NUMBER(process, "pid")));
        for (size_t i = 0; i < count; i++)
            space_cell(out, AT(spaces, names[i]));
        space_cell(out, AT(spaces, "system"));
        fputs("</tr>\n", out);
    }
    section_table_end(out);
}

static void tables(FILE *out, const struct result *result)
{
    segments(out, result->summary);
    shares_table(out, result->summary);
}

const struct section section_residency = {.title = "Who had the memory",
                                          .figure = "residency",
                                          .data = data,
                                          .say = say,
                                          .tables = tables};
