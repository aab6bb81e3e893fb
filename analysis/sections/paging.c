/* What was paged: rates over time, the link, by whose cause, and how soon it was needed again. */
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/section.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name, *bytes, *count;
    int rate;
} flows[] = {
    {"in", "page_in_bytes", "page_in_count", SECTION_IN},
    {"out", "page_out_bytes", "page_out_count", SECTION_OUT},
    {"filled", "fill_bytes", "fill_count", SECTION_FILLED},
    {"dropped", "discard_bytes", "discard_count", SECTION_DROPPED},
};
enum { FLOWS = sizeof flows / sizeof *flows };

static bool wanted(const struct result *result)
{
    for (size_t i = 0; i < FLOWS; i++)
        if (NUMBER(result->summary, "paging", flows[i].count) > 0)
            return true;
    return false;
}

static bool read_link(const struct result *result, double span, double (*busy)[SECTION_BINS],
                      char *reason, size_t size)
{
    static const char *const names[] = {"link-in", "link-out"};
    double count[2][SECTION_BINS] = {{0}};
    struct result_table table;
    if (!result_table_open(&table, result, "engines.csv", "t_ns,node,busy_share", reason, size))
        return false;
    while (result_table_next(&table, 3)) {
        double t = result_table_number(&table, 0), share = result_table_number(&table, 2);
        size_t line = plot_index_of(names, 2, table.field[1]);
        if (line == 2 || isnan(t + share) || t < 0 || t >= span)
            continue;
        size_t bin = (size_t)(t / span * SECTION_BINS);
        count[line][bin] += 1;
        busy[line][bin] += share;
    }
    result_table_close(&table);
    for (size_t line = 0; line < 2; line++)
        for (size_t bin = 0; bin < SECTION_BINS; bin++)
            busy[line][bin] /= count[line][bin];
    return true;
}

/* One block: t, bytes per second of each flow, link busy in and out (0..100). */
static bool data(const struct result *result, FILE *script, FILE *data, char *reason, size_t size)
{
    double busy[2][SECTION_BINS] = {{0}}, span = NUMBER(result->summary, "run", "simulated_ns");
    struct section_rates rates;
    const char *names[FLOWS];
    if (!(span > 0) || !section_rates(result, &rates, reason, size) ||
        !read_link(result, span, busy, reason, size))
        return false;
    double unit = plot_time_unit(script, span), most = 0;
    for (size_t bin = 0; bin < SECTION_BINS; bin++) {
        double values[3 + FLOWS] = {((double)bin + 0.5) * span / SECTION_BINS / unit};
        for (size_t i = 0; i < FLOWS; i++) {
            values[i + 1] = rates.of[flows[i].rate][bin];
            most = fmax(most, isnan(values[i + 1]) ? 0 : values[i + 1]);
        }
        values[FLOWS + 1] = 100 * busy[0][bin];
        values[FLOWS + 2] = 100 * busy[1][bin];
        if (!isnan(values[1]))
            plot_row(data, values, 3 + FLOWS);
    }
    fprintf(script, "array shown[%d]\n", FLOWS);
    for (size_t i = 0; i < FLOWS; i++) {
        names[i] = flows[i].name;
        fprintf(script, "shown[%zu] = %d\n", i + 1,
                NUMBER(result->summary, "paging", flows[i].bytes) > 0);
    }
    plot_declare(script, "flow", names, FLOWS);
    plot_declare_number(script, "most", most);
    const json_t *link = AT(result->summary, "paging", "link_busy_ns");
    fprintf(script, "link_used = %d\n", NUMBER(link, "in") + NUMBER(link, "out") > 0);
    return true;
}

static void say(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM], e[HUMAN_ROOM];
    const json_t *paging = AT(summary, "paging");
    double refaults = NUMBER(paging, "refaults"), ratio = NUMBER(summary, "residency", "hit_ratio");
    int length = snprintf(says, SECTION_SENTENCE, "%s came in, %s went out, %s were filled",
                          human_bytes(a, NUMBER(paging, "page_in_bytes")),
                          human_bytes(b, NUMBER(paging, "page_out_bytes")),
                          human_bytes(c, NUMBER(paging, "fill_bytes")));
    if (refaults > 0 && length > 0)
        length += snprintf(says + length, SECTION_SENTENCE - (size_t)length,
                           "; %s times something was needed again that had been sent away, half of "
                           "them within %s",
                           section_count_text(d, refaults),
                           html_time(e, NUMBER(paging, "refault_distance_ns", "p50")));
    if (ratio < 1 && length > 0)
        length +=
            snprintf(says + length, SECTION_SENTENCE - (size_t)length,
                     "; %s of the references were resident when submitted", human_share(a, ratio));
    if (length > 0 && length < SECTION_SENTENCE - 1)
        strcpy(says + length, ".");
}

static void tables(FILE *out, const struct result *result)
{
    const json_t *paging = AT(result->summary, "paging");
    const char *cause, *kind;
    json_t *kinds, *flow;
    section_table(out, "because of", "operation", "count", "bytes", NULL);
    json_object_foreach((json_t *)(uintptr_t)AT(paging, "causes"), cause, kinds)
    {
        json_object_foreach(kinds, kind, flow)
        {
            html(out, "<tr><td>%s</td><td>%s</td>", cause, kind);
            page_cell_count(out, NUMBER(flow, "count"));
            page_cell_bytes(out, NUMBER(flow, "bytes"));
            fputs("</tr>\n", out);
        }
    }
    section_table_end(out);
    if (!(NUMBER(paging, "refaults") > 0))
        return;
    static const char *const columns[] = {"p50", "p90", "p95", "p99", "max"};
    section_table(out, "", "count", "p50", "p90", "p95", "p99", "max", NULL);
    fputs("<tr><td>from eviction to being needed again</td>", out);
    page_cell_count(out, NUMBER(paging, "refaults"));
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        page_cell_time(out, NUMBER(paging, "refault_distance_ns", columns[i]));
    fputs("</tr>\n", out);
    section_table_end(out);
}

const struct section section_paging = {.title = "What was paged",
                                       .wanted = wanted,
                                       .figure = "paging",
                                       .data = data,
                                       .say = say,
                                       .tables = tables};
