/* What the engines did over time: busy, queued for, switched between contexts. */
#include "analysis/heap.h"
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/section.h"

#include <math.h>
#include <string.h>

static double node_time(const json_t *node)
{
    double busy = NUMBER(node, "busy_ns") + NUMBER(node, "switch_ns");
    return busy > 0 ? busy : (double)NAN;
}

/* Sums of bins of engines.csv, for a line of SECTION_BINS points. */
struct engine_bins {
    double count[SECTION_BINS], busy[SECTION_BINS], queue[SECTION_BINS];
};

static bool read_bins(const struct result *result, const char *const *lines, size_t count,
                      double span, struct engine_bins *bins, char *reason, size_t size)
{
    struct result_table table;
    if (!result_table_open(&table, result, "engines.csv",
                           "t_ns,node,busy_share,queue_depth_mean,waiting_mean", reason, size))
        return false;
    while (result_table_next(&table, 5)) {
        double t = result_table_number(&table, 0), busy = result_table_number(&table, 2);
        size_t line = plot_index_of(lines, count, table.field[1]);
        if (line == count || isnan(t + busy) || t < 0 || t >= span)
            continue;
        double queue = result_table_number(&table, 3) + result_table_number(&table, 4);
        size_t bin = (size_t)(t / span * SECTION_BINS);
        bins[line].count[bin] += 1;
        bins[line].busy[bin] += busy;
        bins[line].queue[bin] += isnan(queue) ? 0 : queue;
    }
    result_table_close(&table);
    return true;
}

/* One block per engine: t, busy share (0..100), packets queued; then one block: t, switches made
 * and avoided per second. */
static bool data(const struct result *result, FILE *script, FILE *data, char *reason, size_t size)
{
    const char *lines[PLOT_SERIES];
    const json_t *nodes = AT(result->summary, "scheduling", "nodes");
    double span = NUMBER(result->summary, "run", "simulated_ns");
    size_t count = result_ranked(nodes, node_time, lines, PLOT_SERIES);
    struct section_rates rates;
    if (count == 0 || !(span > 0)) {
        snprintf(reason, size, "no engine had anything to do");
        return false;
    }
    struct engine_bins *bins = heap_new(count, sizeof *bins);
    bool read = read_bins(result, lines, count, span, bins, reason, size) &&
                section_rates(result, &rates, reason, size);
    double unit = read ? plot_time_unit(script, span) : 1;
    for (size_t line = 0; read && line < count; line++) {
        for (size_t bin = 0; bin < SECTION_BINS; bin++) {
            double in = bins[line].count[bin];
            double values[] = {((double)bin + 0.5) * span / SECTION_BINS / unit,
                               100 * bins[line].busy[bin] / in, bins[line].queue[bin] / in};
            if (in > 0)
                plot_row(data, values, 3);
        }
        fputs("\n\n", data);
    }
    free(bins);
    if (!read)
        return false;
    for (size_t bin = 0; bin < SECTION_BINS; bin++) {
        double values[] = {((double)bin + 0.5) * span / SECTION_BINS / unit,
                           rates.of[SECTION_SWITCHES][bin], rates.of[SECTION_AVOIDED][bin]};
        if (!isnan(values[1]))
            plot_row(data, values, 3);
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = TEXT(nodes, lines[i], "name");
        lines[i] = name[0] != 0 ? name : lines[i];
    }
    plot_declare(script, "line", lines, count);
    return true;
}

static double by_busy(const json_t *node)
{
    return section_by_number(AT(node, "busy_ns"));
}

static void say(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM];
    const char *key = section_largest(AT(summary, "scheduling", "nodes"), by_busy);
    const json_t *node = key != NULL ? AT(summary, "scheduling", "nodes", key) : NULL;
    if (node != NULL)
        snprintf(says, SECTION_SENTENCE,
                 "The busiest engine, %.60s, worked %s of the time; half of its packets waited %s "
                 "or less before they started. %s context switches were made, and laziness avoided "
                 "%s.",
                 TEXT(node, "name"), human_share(a, NUMBER(node, "busy_share")),
                 html_time(b, NUMBER(node, "queue_ns", "p50")),
                 section_count_text(c, NUMBER(summary, "scheduling", "context_switches")),
                 section_count_text(d, NUMBER(summary, "scheduling", "context_switches_avoided")));
}

static void engines(FILE *out, const json_t *summary)
{
    const char *key;
    json_t *node;
    section_table(out, "engine", "packets", "busy", "steady busy", "switching", "wait p50",
                  "wait p99", "executing p50", "preemptions", "switches", "avoided", NULL);
    json_object_foreach((json_t *)(uintptr_t)AT(summary, "scheduling", "nodes"), key, node)
    {
        if (!(by_busy(node) > 0) && !(NUMBER(node, "packets") > 0))
            continue;
        html(out, "<tr><td>%s %s</td>", key, TEXT(node, "name"));
        page_cell_count(out, NUMBER(node, "packets"));
        page_cell_share(out, NUMBER(node, "busy_share"));
        page_cell_interval(out, NUMBER(node, "steady_busy_share", "mean"),
                           NUMBER(node, "steady_busy_share", "half_width"), human_share);
        page_cell_time(out, NUMBER(node, "switch_ns"));
        page_cell_time(out, NUMBER(node, "queue_ns", "p50"));
        page_cell_time(out, NUMBER(node, "queue_ns", "p99"));
        page_cell_time(out, NUMBER(node, "execute_ns", "p50"));
        page_cell_count(out, NUMBER(node, "preemptions"));
        page_cell_count(out, NUMBER(node, "context_switches"));
        page_cell_count(out, NUMBER(node, "context_switches_avoided"));
        fputs("</tr>\n", out);
    }
    section_table_end(out);
}

/* A pair of contexts of switches.csv. */
struct pair {
    char *text;
    double made, avoided, cost_ns;
};

static int most_first(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    double p = x->made + x->avoided, q = y->made + y->avoided;
    if (p != q)
        return p > q ? -1 : 1;
    return strcmp(x->text, y->text);
}

static char *pair_text(const struct result_table *table)
{
    char text[256];
    bool none = table->field[2][0] == 0;
    snprintf(text, sizeof text, "engine %.20s: %.60s%s%.12s → %.60s of %.12s", table->field[0],
             none ? "nothing" : table->field[1], none ? "" : " of ", table->field[2],
             table->field[3], table->field[4]);
    return heap_text(text);
}

/* From which context to which. */
static void switches(FILE *out, const struct result *result)
{
    enum { LISTED = 12 };
    struct result_table table;
    struct pair *pairs = NULL;
    char reason[256];
    size_t count = 0;
    if (!result_table_open(&table, result, "switches.csv",
                           "node,from,from_pid,to,to_pid,made,avoided,cost_ns", reason,
                           sizeof reason))
        return;
    while (result_table_next(&table, 8)) {
        pairs = heap_resize(pairs, count + 1, sizeof *pairs);
        pairs[count++] =
            (struct pair){pair_text(&table), result_table_number(&table, 5),
                          result_table_number(&table, 6), result_table_number(&table, 7)};
    }
    result_table_close(&table);
    if (count != 0) {
        qsort(pairs, count, sizeof *pairs, most_first);
        fputs("<details><summary>Between which contexts</summary>\n", out);
        section_table(out, "from context of process → to", "switches", "avoided", "time", NULL);
    }
    for (size_t i = 0; i < count && i < LISTED; i++) {
        html(out, "<tr><td>%s</td>", pairs[i].text);
        page_cell_count(out, pairs[i].made);
        page_cell_count(out, pairs[i].avoided);
        page_cell_time(out, pairs[i].cost_ns);
        fputs("</tr>\n", out);
    }
    if (count != 0) {
        section_table_end(out);
        fputs("</details>\n", out);
    }
    for (size_t i = 0; i < count; i++)
        free(pairs[i].text);
    free(pairs);
}

static void tables(FILE *out, const struct result *result)
{
    engines(out, result->summary);
    switches(out, result);
}

const struct section section_engines = {.title = "What the engines did",
                                        .figure = "engines",
                                        .data = data,
                                        .say = say,
                                        .tables = tables};
