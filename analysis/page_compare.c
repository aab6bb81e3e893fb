#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/page.h"

#include <math.h>
#include <string.h>

/* A key number of every result: where it stands, and how it is written. */
struct key_number {
    const char *meaning;
    const char *path[4];
    char *(*format)(char *text, double value);
};

static char *count_text(char *text, double count)
{
    return human_count(text, count > 0 ? (uint64_t)count : 0);
}

static const struct key_number key_numbers[] = {
    {"simulated time", {"run", "simulated_ns"}, html_time},
    {"between presents, median", {"presents", "interval_ns", "p50"}, html_time},
    {"between presents, p99", {"presents", "interval_ns", "p99"}, html_time},
    {"resident when submitted", {"residency", "hit_ratio"}, human_share},
    {"paged in", {"paging", "page_in_bytes"}, human_bytes},
    {"paged out", {"paging", "page_out_bytes"}, human_bytes},
    {"filled", {"paging", "fill_bytes"}, human_bytes},
    {"demotions", {"paging", "demotions"}, count_text},
    {"link busy, in", {"paging", "link_busy_ns", "in"}, html_time},
    {"context switches", {"scheduling", "context_switches"}, count_text},
    {"context switches avoided", {"scheduling", "context_switches_avoided"}, count_text},
    {"preemptions", {"scheduling", "preemptions"}, count_text},
};

/* A value, and behind it how far it is from the first result's. */
static void value_cell(FILE *out, double value, double first, bool is_first,
                       char *(*format)(char *text, double value))
{
    char text[HUMAN_ROOM], change[HUMAN_ROOM];
    if (isnan(value)) {
        fputs("<td>–</td>", out);
        return;
    }
    html(out, "<td>%s", format(text, value));
    if (!is_first && first > 0) {
        double relative = value / first - 1;
        const char *sign = relative > 0 ? "+" : "";
        if (fabs(relative) < 0.0005)
            fputs(" <span class=\"soft\">(same)</span>", out);
        else if (relative >= 9)
            html(out, " <span class=\"soft\">(× %s)</span>",
                 human_decimal(change, value / first, relative < 99 ? 1 : 0));
        else
            html(out, " <span class=\"soft\">(%s%s)</span>", sign, human_share(change, relative));
    }
    fputs("</td>", out);
}

static void head(FILE *out, const char *first, const struct result *results, size_t count)
{
    html(out, "<div class=\"wide\"><table><thead><tr><th>%s</th>", first);
    for (size_t i = 0; i < count; i++)
        html(out, "<th>%s</th>", results[i].label);
    fputs("</tr></thead><tbody>\n", out);
}

static void numbers_table(FILE *out, const struct result *results, size_t count)
{
    head(out, "", results, count);
    for (size_t k = 0; k < sizeof key_numbers / sizeof *key_numbers; k++) {
        const struct key_number *key = &key_numbers[k];
        double first = (double)NAN;
        html(out, "<tr><td>%s</td>", key->meaning);
        for (size_t i = 0; i < count; i++) {
            double value = result_number(result_at(results[i].summary, key->path[0], key->path[1],
                                                   key->path[2], key->path[3], NULL));
            first = i == 0 ? value : first;
            value_cell(out, value, first, i == 0, key->format);
        }
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
}

static void calls_table(FILE *out, const struct result *results, size_t count)
{
    static const char *const columns[] = {"mean", "p50", "p95", "p99"};
    const char *ops[64];
    size_t op_count = result_ranked(result_at(results[0].summary, "calls", NULL), result_call_time,
                                    ops, sizeof ops / sizeof *ops);
    head(out, "latency", results, count);
    for (size_t op = 0; op < op_count; op++)
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            double first = (double)NAN;
            html(out, "<tr><td>%s, %s</td>", ops[op], columns[c]);
            for (size_t i = 0; i < count; i++) {
                double value = result_number(result_at(results[i].summary, "calls", ops[op],
                                                       "latency_ns", columns[c], NULL));
                first = i == 0 ? value : first;
                value_cell(out, value, first, i == 0, html_time);
            }
            fputs("</tr>\n", out);
        }
    fputs("</tbody></table></div>\n", out);
}

static void runs_table(FILE *out, const struct result *results, size_t count)
{
    fputs("<div class=\"wide\"><table><thead><tr><th>result</th><th class=\"text\">trace</th>"
          "<th class=\"text\">profile</th><th class=\"text\">overrides</th><th>warnings</th></tr>"
          "</thead><tbody>\n",
          out);
    for (size_t i = 0; i < count; i++) {
        const json_t *run = result_at(results[i].summary, "run", NULL);
        char warnings[HUMAN_ROOM];
        const char *key;
        json_t *value;
        html(out,
             "<tr><td>%s</td><td class=\"text\">%s</td><td class=\"text\">%s</td>"
             "<td class=\"text\">",
             results[i].label, result_text(result_at(run, "trace", NULL)),
             result_text(result_at(run, "profile", NULL)));
        json_object_foreach((json_t *)(uintptr_t)result_at(run, "overrides", NULL), key, value)
            html(out, "<code>%s=%s</code> ", key, result_text(value));
        html(out, "</td><td>%s</td></tr>\n",
             human_count(warnings,
                         json_array_size(result_at(results[i].summary, "warnings", NULL))));
    }
    fputs("</tbody></table></div>\n", out);
}

/* Results of different traces can be put side by side, but the reader should know. */
static bool same_trace(const struct result *results, size_t count)
{
    const json_t *first = result_at(results[0].summary, "run", "trace_sha256", NULL);
    for (size_t i = 1; i < count; i++)
        if (strcmp(result_text(first),
                   result_text(result_at(results[i].summary, "run", "trace_sha256", NULL))) != 0)
            return false;
    return true;
}

void page_several(FILE *out, const struct result *results, size_t count, const char *directory,
                  const struct plot_outcome outcomes[PAGE_FIGURES])
{
    char number[HUMAN_ROOM], says[1024];
    html_begin(out, "Comparison");
    html(out,
         "<h1>%s results compared</h1>\n<p class=\"soft\">Differences in brackets are relative to "
         "the first, %s.</p>\n",
         human_count(number, count), results[0].label);
    if (!same_trace(results, count))
        fputs("<section class=\"notes\"><h2>These are results of different traces</h2></section>\n",
              out);
    runs_table(out, results, count);
    fputs("<h2>Key numbers</h2>\n", out);
    numbers_table(out, results, count);
    fputs("<h2>Latencies</h2>\n", out);
    page_figure(out, directory, "compare",
                "The ops that took most time in the first result, each with its distribution in "
                "every result: the further left, the faster.",
                &outcomes[PAGE_COMPARE]);
    calls_table(out, results, count);
    fputs("<h2>How far each quantile moves</h2>\n", out);
    page_say_shifts(says, sizeof says, results, count);
    page_figure(out, directory, "shifts", says, &outcomes[PAGE_SHIFTS]);
    fputs("<h2>What took more time, and what less</h2>\n", out);
    page_say_shift_causes(says, sizeof says, results, count);
    page_figure(out, directory, "shift-causes", says, &outcomes[PAGE_SHIFT_CAUSES]);
    if (outcomes[PAGE_SHIFT_CAUSES].drawn)
        page_shift_causes_table(out, results, count);
    page_definitions(out);
    html_end(out);
}
