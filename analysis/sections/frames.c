/* Frame times of the processes that present. */
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/section.h"

#include <math.h>

enum { SHOWN = 4 };

static bool wanted(const struct result *result)
{
    return NUMBER(result->summary, "presents", "interval_ns", "max") > 0;
}

/* The processes with most frames, by their place in the summary. */
static size_t busiest(const json_t *summary, const json_t *shown[SHOWN])
{
    const json_t *processes = AT(summary, "processes");
    size_t count = 0, index;
    json_t *process;
    json_array_foreach((json_t *)(uintptr_t)processes, index, process)
    {
        double presents = NUMBER(process, "presents");
        if (!json_is_object(AT(process, "frames")) || !(presents > 1))
            continue;
        size_t at = count < SHOWN ? count++ : SHOWN;
        while (at > 0 && NUMBER(shown[at - 1], "presents") < presents) {
            if (at < SHOWN)
                shown[at] = shown[at - 1];
            at--;
        }
        if (at < SHOWN)
            shown[at] = process;
    }
    return count;
}

/* One block per process: t, mean and longest frame that ended there, in milliseconds; how many were
 * dropped and late. */
static bool data(const struct result *result, FILE *script, FILE *data, char *reason, size_t size)
{
    const json_t *shown[SHOWN];
    const char *names[SHOWN];
    char name[SHOWN][PAGE_PROCESS];
    double span = NUMBER(result->summary, "run", "simulated_ns"), most = 0, amiss[2] = {0};
    size_t count = busiest(result->summary, shown), points = 0;
    if (!(span > 0))
        return false;
    double unit = plot_time_unit(script, span);
    for (size_t i = 0; i < count; i++) {
        struct result_table table;
        double pid = NUMBER(shown[i], "pid");
        if (!result_table_open(&table, result, "frames.csv",
                               "t_ns,pid,frames,mean_ns,longest_ns,dropped,late", reason, size))
            return false;
        while (result_table_next(&table, 7)) {
            double values[] = {result_table_number(&table, 0) / unit,
                               result_table_number(&table, 3) / 1e6,
                               result_table_number(&table, 4) / 1e6, result_table_number(&table, 5),
                               result_table_number(&table, 6)};
            if (result_table_number(&table, 1) != pid || isnan(values[0] + values[3] + values[4]))
                continue;
            plot_row(data, values, 5);
            most = fmax(most, values[2]);
            amiss[0] += values[3];
            amiss[1] += values[4];
            points++;
        }
        result_table_close(&table);
        fputs("\n\n", data);
        names[i] = page_process(name[i], pid);
    }
    if (points == 0) {
        snprintf(reason, size, "no frame was completed");
        return false;
    }
    plot_declare(script, "subject", names, count);
    plot_declare_number(script, "most", most);
    plot_declare_number(script, "dropped", amiss[0]);
    plot_declare_number(script, "late", amiss[1]);
    double usual = NUMBER(result->summary, "presents", "interval_ns", "p50") / 1e6;
    plot_declare_number(script, "usual", isnan(usual) ? most : usual);
    return true;
}

/* ", 3 late", or nothing. */
static const char *part(char text[2 * HUMAN_ROOM], double count, const char *what)
{
    char number[HUMAN_ROOM];
    text[0] = 0;
    if (count > 0)
        snprintf(text, 2 * HUMAN_ROOM, ", %s %s", section_count_text(number, count), what);
    return text;
}

static void say(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM], e[HUMAN_ROOM];
    char f[2 * HUMAN_ROOM], g[2 * HUMAN_ROOM];
    const json_t *shown[SHOWN];
    if (busiest(summary, shown) == 0)
        return;
    const json_t *frames = AT(shown[0], "frames");
    double low = NUMBER(frames, "one_percent_low_fps"), stutters = NUMBER(frames, "stutters");
    double late = NUMBER(frames, "late"), dropped = NUMBER(frames, "dropped");
    snprintf(says, SECTION_SENTENCE,
             "Process %s presented %s times, half of its frames within %s%s%s%s; %s stutter%s%s%s.",
             human_decimal(a, NUMBER(shown[0], "pid"), 0),
             section_count_text(b, NUMBER(shown[0], "presents")),
             html_time(c, NUMBER(frames, "interval_ns", "p50")),
             isnan(low) ? "" : ", its slowest 1 % at ", isnan(low) ? "" : human_decimal(d, low, 1),
             isnan(low) ? "" : " frames per second",
             stutters > 0 ? section_count_text(e, stutters) : "no", stutters == 1 ? "" : "s",
             part(f, late, "late"), part(g, dropped, "never shown"));
}

static void tables(FILE *out, const struct result *result)
{
    static const char *const columns[] = {"mean", "p50", "p99", "max"};
    size_t index;
    json_t *process;
    section_table(out, "frames of", "count", "mean", "p50", "p99", "max", "1 % low", "stutters",
                  "late", "dropped", "shown after, p50", "steady mean", NULL);
    json_array_foreach((json_t *)(uintptr_t)AT(result->summary, "processes"), index, process)
    {
        char text[HUMAN_ROOM], pid[PAGE_PROCESS];
        const json_t *frames = AT(process, "frames");
        double low = NUMBER(frames, "one_percent_low_fps");
        if (!(NUMBER(frames, "interval_ns", "max") > 0))
            continue;
        html(out, "<tr><td>%s</td>", page_process(pid, NUMBER(process, "pid")));
        page_cell_count(out, NUMBER(process, "presents"));
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            page_cell_time(out, NUMBER(frames, "interval_ns", columns[i]));
        if (isnan(low))
            fputs("<td>–</td>", out);
        else
            html(out, "<td>%s/s</td>", human_decimal(text, low, 1));
        page_cell_count(out, NUMBER(frames, "stutters"));
        page_cell_count(out, NUMBER(frames, "late"));
        page_cell_count(out, NUMBER(frames, "dropped"));
        page_cell_time(out, NUMBER(frames, "until_shown_ns", "p50"));
        page_cell_interval(out, NUMBER(frames, "steady_ns", "mean"),
                           NUMBER(frames, "steady_ns", "half_width"), html_time);
        fputs("</tr>\n", out);
    }
    section_table_end(out);
}

const struct section section_frames = {.title = "Frames",
                                       .wanted = wanted,
                                       .figure = "frames",
                                       .data = data,
                                       .say = say,
                                       .tables = tables};
