/* The slowest calls and frames with their chains: what each waited for, and what that waited for.
 */
#include "analysis/heap.h"
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/section.h"
#include "model/probe.h"

#include <math.h>
#include <string.h>

/* At most PER_OP of an op: one that waits for long by nature would take all places. */
enum { CALLS = 10, PER_OP = 3, FRAMES = 3 };

struct slow {
    const char *op; /* NULL: a frame */
    double ns;
    const json_t *entry;
};

static int longest_first(const void *a, const void *b)
{
    const struct slow *x = a, *y = b;
    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    return strcmp(x->op, y->op);
}

/* The slowest calls that waited at all; returns how many. */
static size_t slowest_calls(const json_t *summary, struct slow slow[CALLS])
{
    const char *op;
    json_t *call;
    size_t count = 0;
    struct slow *all = NULL;
    json_object_foreach((json_t *)(uintptr_t)AT(summary, "calls"), op, call)
    {
        const json_t *slowest = AT(call, "slowest");
        for (size_t i = 0; i < json_array_size(slowest) && i < PER_OP; i++) {
            const json_t *entry = json_array_get(slowest, i);
            double ns = NUMBER(entry, "latency_ns");
            if (!(ns > 0) || json_array_size(AT(entry, "chain")) == 0)
                continue;
            all = heap_resize(all, count + 1, sizeof *all);
            all[count++] = (struct slow){op, ns, entry};
        }
    }
    if (count != 0)
        qsort(all, count, sizeof *all, longest_first);
    count = count < CALLS ? count : CALLS;
    for (size_t i = 0; i < count; i++)
        slow[i] = all[i];
    free(all);
    return count;
}

static int cause_number(const char *name)
{
    int cause = 0;
    while (cause < PROBE_CAUSES && strcmp(probe_cause_names[cause], name) != 0)
        cause++;
    return cause; /* PROBE_CAUSES: all that is left over */
}

/* The chain as one bar, each line as wide as it took long. */
static void bar(FILE *out, const json_t *chain, double ns)
{
    size_t index;
    json_t *line;
    fputs("<div class=\"chain\">", out);
    json_array_foreach((json_t *)(uintptr_t)chain, index, line)
    {
        char width[HUMAN_ROOM], text[HUMAN_ROOM];
        double part = NUMBER(line, "ns");
        const char *cause = TEXT(line, "cause");
        if (part > 0)
            html(out, "<i class=\"cause%s\" style=\"width:%s%%\" title=\"%s, %s\"></i>",
                 human_decimal(text, cause_number(cause), 0),
                 human_decimal(width, 100 * part / ns, 3), cause[0] != 0 ? cause : "others",
                 html_time(text, part));
    }
    fputs("</div>\n", out);
}

/* Who was at work, and in what. */
static void at_work(char *text, size_t size, const json_t *way)
{
    size_t hops = json_array_size(way);
    const char *what = hops > 0 ? result_text(json_array_get(way, hops - 1)) : "";
    if (hops > 1)
        snprintf(text, size, "%s: %s", result_text(json_array_get(way, hops - 2)), what);
    else
        snprintf(text, size, "%s", what);
}

static void way(FILE *out, const json_t *line)
{
    const json_t *way = AT(line, "way");
    double jobs = NUMBER(line, "jobs");
    size_t hops = json_array_size(way);
    char count[HUMAN_ROOM], text[256];
    if (hops == 0) {
        html(out, "%s shorter stretches", section_count_text(count, jobs));
        return;
    }
    at_work(text, sizeof text, way);
    html(out, "%s", text);
    if (jobs > 1)
        html(out, " (%s of them)", section_count_text(count, jobs));
    if (hops > 2)
        fputs("<span class=\"way\">", out);
    for (size_t i = 0; i + 2 < hops; i++)
        html(out, "%s → ", result_text(json_array_get(way, i)));
    if (hops > 2)
        html(out, "%s</span>", result_text(json_array_get(way, hops - 2)));
}

static void lines(FILE *out, const json_t *chain)
{
    size_t index;
    json_t *line;
    fputs("<ol class=\"chain-lines\">\n", out);
    json_array_foreach((json_t *)(uintptr_t)chain, index, line)
    {
        char text[HUMAN_ROOM], number[HUMAN_ROOM];
        const char *cause = TEXT(line, "cause");
        html(out, "<li><i class=\"cause%s\"></i><b>%s</b> <span class=\"soft\">%s</span> ",
             human_decimal(number, cause_number(cause), 0), html_time(text, NUMBER(line, "ns")),
             cause[0] != 0 ? cause : "");
        way(out, line);
        fputs("</li>\n", out);
    }
    fputs("</ol>\n", out);
}

static void one(FILE *out, const struct slow *slow)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM];
    const json_t *chain = AT(slow->entry, "chain");
    fputs("<details class=\"slow\"><summary>", out);
    html(out, "<b>%s</b> %s", html_time(a, slow->ns), slow->op != NULL ? slow->op : "frame");
    if (slow->op != NULL)
        html(out, ", event %s", human_decimal(b, NUMBER(slow->entry, "index"), 0));
    html(out, ", process %s, at %s", human_decimal(c, NUMBER(slow->entry, "pid"), 0),
         html_time(d, NUMBER(slow->entry, "start_ns")));
    bar(out, chain, slow->ns);
    fputs("</summary>\n", out);
    lines(out, chain);
    fputs("</details>\n", out);
}

static bool wanted(const struct result *result)
{
    struct slow slow[CALLS];
    return slowest_calls(result->summary, slow) != 0;
}

static void say(const json_t *summary, char *says)
{
    struct slow slow[CALLS];
    char a[HUMAN_ROOM], b[HUMAN_ROOM], work[256];
    const json_t *longest = NULL;
    size_t index, count = slowest_calls(summary, slow);
    json_t *line;
    if (count == 0)
        return;
    json_array_foreach((json_t *)(uintptr_t)AT(slow[0].entry, "chain"), index,
                       line) if (longest == NULL || NUMBER(line, "ns") > NUMBER(longest, "ns"))
        longest = line;
    at_work(work, sizeof work, AT(longest, "way"));
    snprintf(
        says, SECTION_SENTENCE,
        "The slowest call, a %s of process %.0f, took %s; %s of it was %.200s. Each bar is one "
        "call from start to end, coloured by cause; open it to read what waited for what.",
        slow[0].op, NUMBER(slow[0].entry, "pid"), html_time(a, slow[0].ns),
        html_time(b, NUMBER(longest, "ns")), work[0] != 0 ? work : "many short stretches");
}

static void causes(FILE *out)
{
    fputs("<p class=\"causes\">", out);
    for (int cause = 0; cause < PROBE_CAUSES; cause++) {
        char number[HUMAN_ROOM];
        html(out, "<span><i class=\"cause%s\"></i>%s</span> ", human_decimal(number, cause, 0),
             probe_cause_names[cause]);
    }
    fputs("</p>\n", out);
}

static void tables(FILE *out, const struct result *result)
{
    struct slow slow[CALLS];
    size_t count = slowest_calls(result->summary, slow), index;
    const json_t *frames = AT(result->summary, "presents", "slowest");
    json_t *entry;
    causes(out);
    for (size_t i = 0; i < count; i++)
        one(out, &slow[i]);
    if (json_array_size(frames) == 0)
        return;
    fputs("<p>And the longest frames, from one present to the next:</p>\n", out);
    json_array_foreach((json_t *)(uintptr_t)frames, index, entry)
    {
        if (index < FRAMES)
            one(out, &(struct slow){NULL, NUMBER(entry, "interval_ns"), entry});
    }
}

const struct section section_slowest = {
    .title = "The slowest, and why", .wanted = wanted, .say = say, .tables = tables};
