#include "analysis/heap.h"
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/page.h"
#include "analysis/section.h"
#include "analysis/sweep/metric.h"

#include <math.h>
#include <string.h>

/* A key number of every result: where it stands in the summary, and how it is written. */
struct key_number {
    const char *meaning, *path;
    char *(*format)(char *text, double value);
};

static char *count_text(char *text, double count)
{
    return human_count(text, count > 0 ? (uint64_t)count : 0);
}

static const struct key_number key_numbers[] = {
    {"simulated time", "run.simulated_ns", html_time},
    {"between presents, median", "presents.interval_ns.p50", html_time},
    {"between presents, p99", "presents.interval_ns.p99", html_time},
    {"resident when submitted", "residency.hit_ratio", human_share},
    {"paged in", "paging.page_in_bytes", human_bytes},
    {"paged out", "paging.page_out_bytes", human_bytes},
    {"filled", "paging.fill_bytes", human_bytes},
    {"demotions", "paging.demotions", count_text},
    {"link busy, in", "paging.link_busy_ns.in", html_time},
    {"context switches", "scheduling.context_switches", count_text},
    {"context switches avoided", "scheduling.context_switches_avoided", count_text},
    {"preemptions", "scheduling.preemptions", count_text},
};

/* How far the mean is from the first side's, and of replications how far that may be from the
 * truth.
 */
static void change_text(FILE *out, const struct difference *found)
{
    char change[HUMAN_ROOM], width[HUMAN_ROOM];
    double relative = found->difference.mean / found->first;
    double half_width = found->difference.half_width / found->first;
    if (fabs(relative) < 0.0005 && !(half_width >= 0.0005)) {
        fputs(" <span class=\"soft\">(same)</span>", out);
        return;
    }
    if (relative >= 9)
        html(out, " <span class=\"soft\">(× %s",
             human_decimal(change, 1 + relative, relative < 99 ? 1 : 0));
    else
        html(out, " <span class=\"soft\">(%s%s", relative > 0 ? "+" : "",
             human_share(change, relative));
    if (!isnan(half_width))
        html(out, " ± %s%s", human_share(width, half_width),
             fabs(found->difference.mean) > found->difference.half_width ? "" : ", may be chance");
    fputs(")</span>", out);
}

static void cells(FILE *out, const struct difference *found, size_t count,
                  char *(*format)(char *text, double value))
{
    char text[HUMAN_ROOM];
    for (size_t i = 0; i < count; i++) {
        if (isnan(found[i].second)) {
            fputs("<td>–</td>", out);
            continue;
        }
        html(out, "<td>%s", format(text, found[i].second));
        if (i != 0 && found[i].first > 0)
            change_text(out, &found[i]);
        fputs("</td>", out);
    }
}

/* A row of a table with a cell per side: the mean of its runs. None if no result has the number. */
static void row(FILE *out, const char *meaning, const struct side *sides, size_t count,
                const char *path, char *(*format)(char *text, double value))
{
    struct difference *found = heap_new(count, sizeof *found);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        found[i] = side_difference(&sides[0], &sides[i], path);
        any |= !isnan(found[i].second);
    }
    if (any) {
        html(out, "<tr><td>%s</td>", meaning);
        cells(out, found, count, format);
        fputs("</tr>\n", out);
    }
    free(found);
}

static void head(FILE *out, const char *first, const struct side *sides, size_t count)
{
    html(out, "<div class=\"wide\"><table><thead><tr><th>%s</th>", first);
    for (size_t i = 0; i < count; i++)
        html(out, "<th>%s</th>", sides[i].label);
    fputs("</tr></thead><tbody>\n", out);
}

static void numbers_table(FILE *out, const struct side *sides, size_t count)
{
    head(out, "", sides, count);
    for (size_t k = 0; k < sizeof key_numbers / sizeof *key_numbers; k++)
        row(out, key_numbers[k].meaning, sides, count, key_numbers[k].path, key_numbers[k].format);
    fputs("</tbody></table></div>\n", out);
}

static void calls_table(FILE *out, const struct side *sides, size_t count)
{
    static const char *const columns[] = {"mean", "p50", "p95", "p99"};
    const char *ops[64];
    char meaning[128], path[256];
    size_t op_count = result_ranked(result_at(sides[0].runs[0].summary, "calls", NULL),
                                    result_call_time, ops, sizeof ops / sizeof *ops);
    head(out, "latency", sides, count);
    for (size_t op = 0; op < op_count; op++)
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            snprintf(meaning, sizeof meaning, "%.100s, %s", ops[op], columns[c]);
            snprintf(path, sizeof path, "calls.%s.latency_ns.%s", ops[op], columns[c]);
            row(out, meaning, sides, count, path, html_time);
        }
    fputs("</tbody></table></div>\n", out);
}

static size_t most_runs(const struct side *sides, size_t count)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++)
        most = sides[i].count > most ? sides[i].count : most;
    return most;
}

/* What the first run of each side was made of; its others differ in seed, and perhaps in trace. */
static void runs_table(FILE *out, const struct side *sides, size_t count)
{
    bool several = most_runs(sides, count) > 1;
    html(out,
         "<div class=\"wide\"><table><thead><tr><th>result</th>%r<th class=\"text\">trace</th>"
         "<th class=\"text\">profile</th><th class=\"text\">overrides</th><th>warnings</th></tr>"
         "</thead><tbody>\n",
         several ? "<th>runs</th>" : "");
    for (size_t i = 0; i < count; i++) {
        const json_t *run = result_at(sides[i].runs[0].summary, "run", NULL);
        char number[HUMAN_ROOM];
        const char *key;
        json_t *value;
        size_t warnings = 0;
        for (size_t k = 0; k < sides[i].count; k++)
            warnings += json_array_size(result_at(sides[i].runs[k].summary, "warnings", NULL));
        html(out, "<tr><td>%s</td>", sides[i].label);
        if (several)
            html(out, "<td>%s</td>", human_count(number, sides[i].count));
        html(out, "<td class=\"text\">%s%s</td><td class=\"text\">%s</td><td class=\"text\">",
             result_text(result_at(run, "trace", NULL)), sides[i].count > 1 ? ", …" : "",
             result_text(result_at(run, "profile", NULL)));
        json_object_foreach((json_t *)(uintptr_t)result_at(run, "overrides", NULL), key, value)
            html(out, "<code>%s=%s</code> ", key, result_text(value));
        html(out, "</td><td>%s</td></tr>\n", human_count(number, warnings));
    }
    fputs("</tbody></table></div>\n", out);
}

static const char *trace_of(const struct result *run)
{
    return result_text(result_at(run->summary, "run", "trace_sha256", NULL));
}

/* Results of different traces can be put side by side, but the reader should know. */
static bool same_traces(const struct side *sides, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t k = 0; k < sides[i].count; k++) {
            const struct result *run = &sides[i].runs[k], *partner = side_partner(&sides[0], run);
            partner = partner != NULL ? partner : &sides[0].runs[0];
            if (strcmp(trace_of(run), trace_of(partner)) != 0)
                return false;
        }
    return true;
}

/* Of the op that took most time: its median in every result. */
static void say_latencies(char *says, size_t size, const struct side *sides, size_t count)
{
    const char *op = section_largest(AT(sides[0].runs[0].summary, "calls"), result_call_time);
    char path[128], text[HUMAN_ROOM];
    size_t length = 0;
    says[0] = 0;
    if (op == NULL)
        return;
    snprintf(path, sizeof path, "calls.%.64s.latency_ns.p50", op);
    length += (size_t)snprintf(says, size, "Half of the calls of %.64s took at most", op);
    for (size_t i = 0; i < count && length < size / 2; i++) {
        double median = side_difference(&sides[0], &sides[i], path).second;
        length += (size_t)snprintf(says + length, size - length, "%s %s in %.64s", i > 0 ? "," : "",
                                   isnan(median) ? "–" : html_time(text, median), sides[i].label);
    }
    snprintf(says + length, size - length, "; the further left a curve, the faster.%s",
             most_runs(sides, count) > 1 ? " Curves are of all runs of a result." : "");
}

void page_several(FILE *out, const struct side *sides, size_t count, const char *directory,
                  const struct plot_outcome outcomes[PAGE_FIGURES])
{
    bool several = most_runs(sides, count) > 1;
    char number[HUMAN_ROOM], says[1024];
    html_begin(out, "Comparison");
    html(out,
         "<h1>%s results compared</h1>\n<p class=\"soft\">Differences in brackets are relative to "
         "the first, %s.%s</p>\n",
         human_count(number, count), sides[0].label,
         several ? " Of a folder of several runs, tables and sentences have the mean; runs of the "
                   "same seed are "
                   "pairs, and where there are two or more, the mean of their differences is "
                   "certain to ± at 95 % (Student's t). Curves are of all calls of all its runs."
                 : "");
    if (!same_traces(sides, count))
        fputs("<section class=\"notes\"><h2>These are results of different traces</h2></section>\n",
              out);
    runs_table(out, sides, count);
    fputs("<h2>Key numbers</h2>\n", out);
    numbers_table(out, sides, count);
    fputs("<h2>Latencies</h2>\n", out);
    say_latencies(says, sizeof says, sides, count);
    page_figure(out, directory, "compare", says, &outcomes[PAGE_COMPARE]);
    calls_table(out, sides, count);
    fputs("<h2>How far each quantile moves</h2>\n", out);
    page_say_shifts(says, sizeof says, sides, count);
    page_figure(out, directory, "shifts", says, &outcomes[PAGE_SHIFTS]);
    fputs("<h2>What took more time, and what less</h2>\n", out);
    page_say_shift_causes(says, sizeof says, sides, count);
    page_figure(out, directory, "shift-causes", says, &outcomes[PAGE_SHIFT_CAUSES]);
    if (outcomes[PAGE_SHIFT_CAUSES].drawn)
        page_shift_causes_table(out, sides, count);
    page_definitions(out);
    html_end(out);
}
