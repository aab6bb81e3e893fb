/* Which process delayed which. */
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/matrix.h"
#include "analysis/section.h"

#include <math.h>
#include <string.h>

enum { PROCESSES = 12 };

static double row_sum(const json_t *row)
{
    const char *key;
    json_t *value;
    double sum = 0;
    json_object_foreach((json_t *)(uintptr_t)row, key, value) sum += result_number(value);
    return sum;
}

static bool wanted(const struct result *result)
{
    return json_object_size(AT(result->summary, "blame", "between_ns")) > 1;
}

static const char *process_name(char *text, const char *pid)
{
    if (strcmp(pid, "0") == 0)
        return MATRIX_NOBODY;
    snprintf(text, HUMAN_ROOM, strcmp(pid, "others") == 0 ? "%.20s" : "process %.20s", pid);
    return text;
}

static void say(const json_t *summary, char *says)
{
    const json_t *between = AT(summary, "blame", "between_ns");
    const char *victim, *culprit, *who[2] = {NULL, NULL};
    json_t *row, *value;
    double most = 0, all = 0, others = 0;
    json_object_foreach((json_t *)(uintptr_t)between, victim, row)
    {
        json_object_foreach(row, culprit, value)
        {
            double ns = result_number(value);
            all += ns;
            if (strcmp(victim, culprit) == 0)
                continue;
            others += ns;
            if (ns > most) {
                most = ns;
                who[0] = victim;
                who[1] = culprit;
            }
        }
    }
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM];
    if (who[0] == NULL)
        snprintf(says, SECTION_SENTENCE, "No process had to wait for another.");
    else
        snprintf(says, SECTION_SENTENCE,
                 "%s of all the time in calls is the doing of another process; most of it, %s, is "
                 "calls of %s waiting for %s. Who is at work at the end of the chain is held "
                 "responsible: with its own pace, its packets, or its memory being in the way.",
                 human_share(a, others / all), html_time(b, most), process_name(c, who[0]),
                 process_name(d, who[1]));
}

/* The darker, the larger its share of the row. */
static void cell(FILE *out, double ns, double row)
{
    char text[HUMAN_ROOM], level[HUMAN_ROOM];
    if (!(ns > 0) || !(row > 0)) {
        fputs("<td>–</td>", out);
        return;
    }
    html(out, "<td class=\"heat\" style=\"--heat:%s%%\">%s</td>",
         human_decimal(level, 60 * sqrt(ns / row), 0), html_time(text, ns));
}

static void tables(FILE *out, const struct result *result)
{
    const json_t *blame = AT(result->summary, "blame"), *between = AT(blame, "between_ns");
    const char *pids[PROCESSES];
    char text[HUMAN_ROOM];
    size_t count = result_ranked(between, row_sum, pids, PROCESSES);
    fputs("<div class=\"wide\"><table class=\"matrix\"><thead><tr><th>calls of</th>", out);
    for (size_t i = 0; i < count; i++)
        html(out, "<th>because of %s</th>", process_name(text, pids[i]));
    fputs("<th>others</th><th>in all</th></tr></thead><tbody>\n", out);
    for (size_t i = 0; i < count; i++) {
        const json_t *row = AT(between, pids[i]);
        double sum = row_sum(row), named = 0;
        html(out, "<tr><td>%s</td>", process_name(text, pids[i]));
        for (size_t j = 0; j < count; j++) {
            double ns = NUMBER(row, pids[j]);
            cell(out, ns, sum);
            named += ns > 0 ? ns : 0;
        }
        cell(out, sum - named, sum);
        page_cell_time(out, sum);
        fputs("</tr>\n", out);
    }
    section_table_end(out);
    double followed = NUMBER(blame, "followed_share");
    if (followed < 0.9995)
        html(out,
             "<p class=\"soft\">%s of the time was followed to its cause call by call, the rest "
             "is taken to be like it.</p>\n",
             human_share(text, followed));
}

const struct section section_delays = {
    .title = "Who delayed whom", .wanted = wanted, .say = say, .tables = tables};
