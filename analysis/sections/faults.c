/* Demand paging: what was touched and was not there, and what came with it. */
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/section.h"

static bool wanted(const struct result *result)
{
    return NUMBER(result->summary, "faults", "count") > 0 ||
           NUMBER(result->summary, "faults", "stalled_ns") > 0;
}

static void say(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM];
    const json_t *faults = AT(summary, "faults");
    double batches = NUMBER(faults, "batches");
    int length =
        snprintf(says, SECTION_SENTENCE, "Engines stalled %s for %s faults, served in %s batches",
                 html_time(a, NUMBER(faults, "stalled_ns")),
                 section_count_text(b, NUMBER(faults, "count")), section_count_text(c, batches));
    if (batches > 0 && length > 0)
        length += snprintf(says + length, SECTION_SENTENCE - (size_t)length, ", %s each",
                           html_time(d, NUMBER(faults, "stalled_ns") / batches));
    if (length > 0 && length < SECTION_SENTENCE - 1)
        strcpy(says + length, ".");
}

static void tables(FILE *out, const struct result *result)
{
    static const struct {
        const char *name, *key;
        void (*cell)(FILE *out, double value);
    } rows[] = {
        {"faults, of 4 KiB each", "count", page_cell_count},
        {"batches that they were served in", "batches", page_cell_count},
        {"blocks in these", "blocks", page_cell_count},
        {"moved in", "page_in_bytes", page_cell_bytes},
        {"filled", "fill_bytes", page_cell_bytes},
        {"of both, prefetched", "prefetched_bytes", page_cell_bytes},
        {"prefetched and touched", "prefetched_used_bytes", page_cell_bytes},
        {"prefetched and evicted untouched", "prefetched_unused_bytes", page_cell_bytes},
        {"times a block was pinned outside", "blocks_pinned", page_cell_count},
        {"read outside, over the link", "read_outside_bytes", page_cell_bytes},
        {"written outside", "written_outside_bytes", page_cell_bytes},
        {"time that engines stalled", "stalled_ns", page_cell_time},
    };
    section_table(out, "", "in all", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double value = NUMBER(result->summary, "faults", rows[i].key);
        html(out, "<tr><td>%s</td>", rows[i].name);
        rows[i].cell(out, value > 0 ? value : 0);
        fputs("</tr>\n", out);
    }
    section_table_end(out);
}

const struct section section_faults = {
    .title = "Page faults", .wanted = wanted, .say = say, .tables = tables};
