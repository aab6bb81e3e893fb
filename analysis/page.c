#include "analysis/page.h"
#include "analysis/heap.h"
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/output.h"

#include <math.h>

enum { SENTENCE = 512 };

static const char *const titles[PLOTS] = {
    [PLOT_LATENCY] = "How long calls took",    [PLOT_BLAME] = "Why they took that long",
    [PLOT_RESIDENCY] = "Who had the memory",   [PLOT_ENGINES] = "What the engines did",
    [PLOT_RECORDED] = "Against the recording",
};

/* Shorthand for the summary's leaves. */
#define AT(json, ...) result_at(json, __VA_ARGS__, NULL)
#define NUMBER(json, ...) result_number(result_at(json, __VA_ARGS__, NULL))
#define TEXT(json, ...) result_text(result_at(json, __VA_ARGS__, NULL))

static void cell(FILE *out, double value, char *(*format)(char *text, double value))
{
    char text[HUMAN_ROOM];
    html(out, "<td>%s</td>", isnan(value) ? "–" : format(text, value));
}

static char *count_text(char *text, double count)
{
    return human_count(text, count > 0 ? (uint64_t)count : 0);
}

void page_cell_time(FILE *out, double ns)
{
    cell(out, ns, html_time);
}

void page_cell_bytes(FILE *out, double bytes)
{
    cell(out, bytes, human_bytes);
}

void page_cell_count(FILE *out, double count)
{
    cell(out, count, count_text);
}

void page_cell_share(FILE *out, double share)
{
    cell(out, share, human_share);
}

void page_figure(FILE *out, const char *directory, const char *name, const char *meaning,
                 const struct plot_outcome *outcome)
{
    char file[64];
    if (!outcome->drawn) {
        html(out, "<p class=\"soft\">No figure: %s.</p>\n", outcome->reason);
        return;
    }
    snprintf(file, sizeof file, "plots/%s.svg", name);
    char *path = output_path(directory, file), *line = NULL;
    FILE *svg = fopen(path, "rb");
    size_t room = 0;
    bool inside = false;
    if (meaning[0] != 0) {
        fputs("<p>", out);
        html_prose(out, meaning);
        fputs("</p>\n", out);
    }
    fputs("<figure>\n", out);
    while (svg != NULL && getline(&line, &room, svg) >= 0) {
        inside = inside || strstr(line, "<svg") != NULL; /* behind the XML prolog */
        char *title = strstr(line, "<title>"), *end = strstr(line, "</title>");
        if (title != NULL && end != NULL) /* gnuplot's names for its lines, as tool tips */
            memmove(title, end + strlen("</title>"), strlen(end + strlen("</title>")) + 1);
        if (inside)
            fputs(line, out);
    }
    fputs("</figure>\n", out);
    if (svg != NULL)
        fclose(svg);
    free(line);
    free(path);
}

/* The object's key with the largest number, or NULL. */
static const char *largest(const json_t *object, double (*weight)(const json_t *value))
{
    const char *key;
    return result_ranked(object, weight, &key, 1) == 1 ? key : NULL;
}

static double by_number(const json_t *value)
{
    double number = result_number(value);
    return number > 0 ? number : (double)NAN;
}

static double by_busy(const json_t *node)
{
    return by_number(AT(node, "busy_ns"));
}

static double by_peak(const json_t *segment)
{
    return by_number(AT(segment, "peak_resident_bytes"));
}

static double by_fullness(const json_t *segment)
{
    return by_peak(segment) / by_number(AT(segment, "size_bytes"));
}

static double by_count(const json_t *entry)
{
    return by_number(AT(entry, "count"));
}

/* One sentence on what a figure shows in this run, made from the numbers. */
static void say_latency(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM];
    const char *op = largest(AT(summary, "calls"), result_call_time);
    if (op == NULL)
        return;
    const json_t *latency = AT(summary, "calls", op, "latency_ns");
    double p99 = NUMBER(latency, "p99");
    snprintf(says, SENTENCE, "Most time went into %s: half of its %s calls took %s or less%s%s.",
             op, count_text(a, NUMBER(summary, "calls", op, "count")),
             html_time(b, NUMBER(latency, "p50")), isnan(p99) ? "" : ", the slowest 1 % more than ",
             isnan(p99) ? "" : html_time(c, p99));
}

static void say_blame(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM];
    const char *op = largest(AT(summary, "calls"), result_call_time);
    const json_t *blame = op != NULL ? AT(summary, "calls", op, "blame_ns") : NULL;
    const char *cause = blame != NULL ? largest(blame, by_number) : NULL;
    double mean = op != NULL ? NUMBER(summary, "calls", op, "latency_ns", "mean") : 0;
    if (cause != NULL && mean > 0)
        snprintf(says, SENTENCE,
                 "The mean %s takes %s; the largest part of it, %s, is %s. Every nanosecond of a "
                 "call has one cause, and they add up to its latency.",
                 op, html_time(a, mean), human_share(b, NUMBER(blame, cause) / mean), cause);
}

static void say_residency(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM];
    const char *name = largest(AT(summary, "segments"), by_fullness);
    const json_t *segment = name != NULL ? AT(summary, "segments", name) : NULL;
    double paged = NUMBER(summary, "paging", "page_in_bytes");
    if (segment != NULL)
        snprintf(says, SENTENCE,
                 "Segment %.60s held %s at its fullest, %s of its size, and %s on average; %s were "
                 "paged in.",
                 name, human_bytes(a, by_peak(segment)), human_share(b, by_fullness(segment)),
                 human_bytes(c, NUMBER(segment, "mean_resident_bytes")),
                 human_bytes(d, isnan(paged) ? 0 : paged));
}

static void say_engines(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM];
    const char *key = largest(AT(summary, "scheduling", "nodes"), by_busy);
    const json_t *node = key != NULL ? AT(summary, "scheduling", "nodes", key) : NULL;
    if (node != NULL)
        snprintf(says, SENTENCE,
                 "The busiest engine, %.60s, worked %s of the time; half of its packets waited %s "
                 "or less before they started. Laziness avoided %s context switches.",
                 TEXT(node, "name"), human_share(a, NUMBER(node, "busy_share")),
                 html_time(b, NUMBER(node, "queue_ns", "p50")),
                 count_text(c, NUMBER(summary, "scheduling", "context_switches_avoided")));
}

static void say_recorded(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM];
    const json_t *all = AT(summary, "recorded", "done");
    const char *op = largest(all, by_count), *what = "completion";
    if (op == NULL) {
        all = AT(summary, "recorded", "dur");
        op = largest(all, by_count);
        what = "duration";
    }
    double error = op != NULL ? NUMBER(all, op, "median_error") : (double)NAN;
    if (!isnan(error))
        snprintf(
            says, SENTENCE,
            "The median error of the simulated %s of %s is %s over %s recorded calls. A sample "
            "is drawn; the errors in the table are of all calls.",
            what, op, human_share(a, error), count_text(b, NUMBER(all, op, "count")));
}

static void figure_section(FILE *out, const struct result *result, int plot,
                           const struct plot_outcome *outcome)
{
    static void (*const say[PLOTS])(const json_t *summary, char *says) = {
        [PLOT_LATENCY] = say_latency,     [PLOT_BLAME] = say_blame,
        [PLOT_RESIDENCY] = say_residency, [PLOT_ENGINES] = say_engines,
        [PLOT_RECORDED] = say_recorded,
    };
    char says[SENTENCE] = "";
    if (outcome->drawn)
        say[plot](result->summary, says);
    html(out, "<h2>%s</h2>\n", titles[plot]);
    page_figure(out, result->directory, plot_names[plot], says, outcome);
}

/* A key as words: underscores become spaces. */
static const char *words(char spaced[128], const char *key)
{
    snprintf(spaced, 128, "%s", key);
    for (char *at = spaced; *at != 0; at++)
        *at = *at == '_' ? ' ' : *at;
    return spaced;
}

static void notes(FILE *out, const json_t *summary)
{
    const json_t *assumptions = AT(summary, "assumptions"), *warnings = AT(summary, "warnings");
    const char *key;
    json_t *value;
    size_t index, count = json_array_size(warnings);
    json_object_foreach((json_t *)(uintptr_t)assumptions, key, value) count +=
        result_number(value) > 0;
    if (count == 0)
        return;
    fputs("<section class=\"notes\">\n<h2>Assumptions and warnings</h2>\n<ul>\n", out);
    json_array_foreach((json_t *)(uintptr_t)warnings, index, value)
        html(out, "<li>%s</li>\n", result_text(value));
    json_object_foreach((json_t *)(uintptr_t)assumptions, key, value)
    {
        char text[HUMAN_ROOM], spaced[128];
        if (result_number(value) > 0)
            html(out, "<li>Assumed, not recorded: %s: %s</li>\n", words(spaced, key),
                 count_text(text, result_number(value)));
    }
    fputs("</ul>\n</section>\n", out);
}

static void key_number(FILE *out, const char *value, const char *meaning)
{
    html(out, "<div><b>%s</b><span>%s</span></div>\n", value, meaning);
}

static void key_numbers(FILE *out, const json_t *summary)
{
    char text[HUMAN_ROOM];
    double value;
    fputs("<section class=\"keys\">\n", out);
    if (!isnan(value = NUMBER(summary, "run", "simulated_ns")))
        key_number(out, html_time(text, value), "simulated");
    if (!isnan(value = NUMBER(summary, "run", "events")))
        key_number(out, count_text(text, value), "events");
    if (!isnan(value = NUMBER(summary, "calls", "Submit", "latency_ns", "p50")))
        key_number(out, html_time(text, value), "Submit to done, median");
    if (!isnan(value = NUMBER(summary, "calls", "Submit", "latency_ns", "p99")))
        key_number(out, html_time(text, value), "Submit to done, p99");
    if (!isnan(value = NUMBER(summary, "presents", "interval_ns", "p50")))
        key_number(out, html_time(text, value), "between presents, median");
    if (!isnan(value = NUMBER(summary, "residency", "hit_ratio")))
        key_number(out, human_share(text, value), "resident when submitted");
    if (!isnan(value = NUMBER(summary, "paging", "page_in_bytes")))
        key_number(out, human_bytes(text, value), "paged in");
    if (!isnan(value = NUMBER(summary, "paging", "page_out_bytes")))
        key_number(out, human_bytes(text, value), "paged out");
    fputs("</section>\n", out);
}

static void calls_table(FILE *out, const json_t *summary)
{
    const char *op;
    json_t *call;
    fputs("<div class=\"wide\"><table><thead><tr><th>call</th><th>count</th><th>failed</th>"
          "<th>mean</th><th>p50</th><th>p90</th><th>p95</th><th>p99</th><th>p99.9</th><th>max</th>"
          "</tr></thead><tbody>\n",
          out);
    json_object_foreach((json_t *)(uintptr_t)AT(summary, "calls"), op, call)
    {
        static const char *const columns[] = {"mean", "p50", "p90", "p95", "p99", "p999", "max"};
        double failed = 0;
        const char *status;
        json_t *times;
        json_object_foreach((json_t *)(uintptr_t)AT(call, "failures"), status, times) failed +=
            result_number(times);
        html(out, "<tr><td>%s</td>", op);
        page_cell_count(out, NUMBER(call, "count"));
        page_cell_count(out, failed);
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            page_cell_time(out, NUMBER(call, "latency_ns", columns[i]));
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
}

/* One kind of time, the same calls on both sides. */
static void recorded_rows(FILE *out, const json_t *all, const char *until)
{
    static const char *const quantiles[] = {"p50", "p95"};
    const char *op;
    json_t *known;
    json_object_foreach((json_t *)(uintptr_t)all, op, known)
    {
        html(out, "<tr><td>%s %s</td>", op, until);
        page_cell_count(out, NUMBER(known, "count"));
        for (size_t i = 0; i < 2; i++) {
            page_cell_time(out, NUMBER(known, "recorded_ns", quantiles[i]));
            page_cell_time(out, NUMBER(known, "simulated_ns", quantiles[i]));
        }
        page_cell_share(out, NUMBER(known, "median_error"));
        page_cell_share(out, NUMBER(known, "p90_error"));
        fputs("</tr>\n", out);
    }
}

static void recorded_table(FILE *out, const json_t *summary)
{
    const json_t *done = AT(summary, "recorded", "done"), *dur = AT(summary, "recorded", "dur");
    if (json_object_size(done) + json_object_size(dur) == 0)
        return;
    fputs("<div class=\"wide\"><table><thead><tr><th>from the call to</th><th>recorded calls</th>"
          "<th>p50 recorded</th><th>simulated</th><th>p95 recorded</th><th>simulated</th>"
          "<th>median error</th><th>p90 error</th></tr></thead><tbody>\n",
          out);
    recorded_rows(out, done, "done");
    recorded_rows(out, dur, "return");
    fputs("</tbody></table></div>\n", out);
}

static void segments_table(FILE *out, const json_t *summary)
{
    const char *name;
    json_t *segment;
    fputs("<div class=\"wide\"><table><thead><tr><th>segment</th><th>size</th><th>peak resident"
          "</th><th>mean resident</th><th>peak committed</th><th>least largest free block</th>"
          "</tr></thead><tbody>\n",
          out);
    json_object_foreach((json_t *)(uintptr_t)AT(summary, "segments"), name, segment)
    {
        html(out, "<tr><td>%s</td>", name);
        page_cell_bytes(out, NUMBER(segment, "size_bytes"));
        page_cell_bytes(out, NUMBER(segment, "peak_resident_bytes"));
        page_cell_bytes(out, NUMBER(segment, "mean_resident_bytes"));
        page_cell_bytes(out, NUMBER(segment, "peak_committed_bytes"));
        page_cell_bytes(out, NUMBER(segment, "largest_free_bytes_min"));
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n<div class=\"wide\"><table><thead><tr><th>paging, by cause</th>"
          "<th>operation</th><th>count</th><th>bytes</th></tr></thead><tbody>\n",
          out);
    json_object_foreach((json_t *)(uintptr_t)AT(summary, "paging", "causes"), name, segment)
    {
        const char *kind;
        json_t *flow;
        json_object_foreach((json_t *)(uintptr_t)segment, kind, flow)
        {
            html(out, "<tr><td>%s</td><td>%s</td>", name, kind);
            page_cell_count(out, NUMBER(flow, "count"));
            page_cell_bytes(out, NUMBER(flow, "bytes"));
            fputs("</tr>\n", out);
        }
    }
    fputs("</tbody></table></div>\n", out);
}

static void engines_table(FILE *out, const json_t *summary)
{
    const char *key;
    json_t *node;
    fputs("<div class=\"wide\"><table><thead><tr><th>engine</th><th>packets</th><th>busy</th>"
          "<th>switching</th><th>wait p50</th><th>wait p99</th><th>executing p50</th>"
          "<th>preemptions</th><th>switches</th><th>avoided</th></tr></thead><tbody>\n",
          out);
    json_object_foreach((json_t *)(uintptr_t)AT(summary, "scheduling", "nodes"), key, node)
    {
        if (!(by_busy(node) > 0) && !(NUMBER(node, "packets") > 0))
            continue;
        html(out, "<tr><td>%s %s</td>", key, TEXT(node, "name"));
        page_cell_count(out, NUMBER(node, "packets"));
        page_cell_share(out, NUMBER(node, "busy_share"));
        page_cell_time(out, NUMBER(node, "switch_ns"));
        page_cell_time(out, NUMBER(node, "queue_ns", "p50"));
        page_cell_time(out, NUMBER(node, "queue_ns", "p99"));
        page_cell_time(out, NUMBER(node, "execute_ns", "p50"));
        page_cell_count(out, NUMBER(node, "preemptions"));
        page_cell_count(out, NUMBER(node, "context_switches"));
        page_cell_count(out, NUMBER(node, "context_switches_avoided"));
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
}

static void processes_table(FILE *out, const json_t *summary)
{
    enum { LISTED = 200 };
    size_t index;
    json_t *process;
    fputs("<div class=\"wide\"><table><thead><tr><th>process</th><th>calls</th><th>failed</th>"
          "<th>packets</th><th>engine time</th><th>presents</th><th>peak resident</th></tr></thead>"
          "<tbody>\n",
          out);
    json_array_foreach((json_t *)(uintptr_t)AT(summary, "processes"), index, process)
    {
        char pid[HUMAN_ROOM];
        const char *name;
        json_t *segment;
        int listed = 0;
        if (index == LISTED)
            break;
        bool idle = !(NUMBER(process, "calls") > 0) && !(NUMBER(process, "packets") > 0);
        if (idle && largest(AT(process, "segments"), by_peak) == NULL)
            continue;
        html(out, "<tr><td>%s</td>",
             NUMBER(process, "pid") == 0 ? "unknown"
                                         : human_decimal(pid, NUMBER(process, "pid"), 0));
        page_cell_count(out, NUMBER(process, "calls"));
        page_cell_count(out, NUMBER(process, "failures"));
        page_cell_count(out, NUMBER(process, "packets"));
        page_cell_time(out, NUMBER(process, "execute_ns"));
        page_cell_count(out, NUMBER(process, "presents"));
        fputs("<td>", out);
        json_object_foreach((json_t *)(uintptr_t)AT(process, "segments"), name, segment)
        {
            char bytes[HUMAN_ROOM];
            if (by_peak(segment) > 0)
                html(out, "%s%s %s", listed++ > 0 ? ", " : "", name,
                     human_bytes(bytes, by_peak(segment)));
        }
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
}

static void run_details(FILE *out, const json_t *summary)
{
    const json_t *run = AT(summary, "run");
    char text[HUMAN_ROOM];
    const char *key;
    json_t *value;
    html(out, "<dl><dt>command</dt><dd><code>%s</code></dd><dt>trace</dt><dd><code>%s</code></dd>",
         TEXT(run, "command_line"), TEXT(run, "trace"));
    html(out, "<dt>SHA-256 of the trace</dt><dd><code>%s</code></dd><dt>profile</dt><dd>%s</dd>",
         TEXT(run, "trace_sha256"), TEXT(run, "profile"));
    json_object_foreach((json_t *)(uintptr_t)AT(run, "overrides"), key, value)
        html(out, "<dt>override</dt><dd><code>%s=%s</code></dd>", key, result_text(value));
    if (AT(run, "miniport"))
        html(out, "<dt>miniport</dt><dd><code>%s</code></dd>", TEXT(run, "miniport"));
    html(out, "<dt>pace</dt><dd>%s</dd><dt>seed</dt><dd>%s</dd>", TEXT(run, "pace"),
         human_decimal(text, NUMBER(run, "seed"), 0));
    html(out, "<dt>wddmsim</dt><dd>%s</dd></dl>\n", TEXT(run, "version"));
}

void page_definitions(FILE *out)
{
    fputs(
        "<footer>\n<p><b>Latency</b> of a call is from when the replay made it to when it was "
        "done: "
        "the end of its asynchronous part if it has one (Submit, Signal, Present, a pending "
        "MakeResident), else its "
        "return. <b>Quantiles</b> are by nearest rank: p90 is the smallest latency that at least "
        "90 % of the calls do not exceed, exact up to 1,024 calls and within 0.2 % beyond; p99 "
        "needs 100 calls, p99.9 a thousand, else it is left out (–).</p>\n"
        "<p><b>Error</b> is |simulated − recorded| / recorded, per call. <b>Resident</b> means are "
        "weighted by time over the whole run; engines take as long wherever memory is resident, in "
        "an aperture too. <b>Wait</b> is from the software queue to the "
        "engine. "
        "<b>Switches avoided</b>: packets of the context that ran last, for which eager switching "
        "would have switched.</p>\n"
        "<p><b>Causes</b>: cpu, the call's own work; lock, another call inside; reserve, finding "
        "room, evictions included; transfer, copies over the link; fill, zeroing; map, page tables "
        "and apertures; queue, behind other work; switch, context switch; preempt, preemption; "
        "execute, the engine's own time; fence, waiting for other work's signal.</p>\n</footer>\n",
        out);
}

void page_one(FILE *out, const struct result *result, const struct plot_outcome outcomes[PLOTS])
{
    const json_t *summary = result->summary;
    char title[256];
    const char *trace = TEXT(summary, "run", "trace"), *slash = strrchr(trace, '/');
    trace = slash != NULL ? slash + 1 : trace;
    snprintf(title, sizeof title, "%.120s on %.80s", trace, TEXT(summary, "run", "profile"));
    html_begin(out, title);
    html(out, "<h1>%s</h1>\n<p class=\"soft\"><code>%s</code></p>\n", title,
         TEXT(summary, "run", "command_line"));
    notes(out, summary);
    key_numbers(out, summary);
    figure_section(out, result, PLOT_LATENCY, &outcomes[PLOT_LATENCY]);
    calls_table(out, summary);
    figure_section(out, result, PLOT_BLAME, &outcomes[PLOT_BLAME]);
    figure_section(out, result, PLOT_RESIDENCY, &outcomes[PLOT_RESIDENCY]);
    segments_table(out, summary);
    figure_section(out, result, PLOT_ENGINES, &outcomes[PLOT_ENGINES]);
    engines_table(out, summary);
    figure_section(out, result, PLOT_RECORDED, &outcomes[PLOT_RECORDED]);
    recorded_table(out, summary);
    fputs("<h2>Processes</h2>\n", out);
    processes_table(out, summary);
    fputs("<h2>What was run</h2>\n", out);
    run_details(out, summary);
    page_definitions(out);
    html_end(out);
}
