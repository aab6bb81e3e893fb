/* The processes, one row each. */
#include "analysis/html.h"
#include "analysis/section.h"

#include <string.h>

static bool is_idle(const json_t *process)
{
    return !(NUMBER(process, "calls") > 0) && !(NUMBER(process, "packets") > 0);
}

static void tables(FILE *out, const struct result *result)
{
    enum { LISTED = 200 };
    const json_t *between = AT(result->summary, "blame", "between_ns");
    size_t index;
    json_t *process;
    section_table(out, "process", "calls", "failed", "packets", "engine time", "presents",
                  "time in calls, its own doing", "others' doing", NULL);
    json_array_foreach((json_t *)(uintptr_t)AT(result->summary, "processes"), index, process)
    {
        char pid[PAGE_PROCESS], key[16];
        double own = 0, others = 0;
        const char *culprit;
        json_t *ns;
        if (index == LISTED)
            break;
        if (is_idle(process))
            continue;
        snprintf(key, sizeof key, "%.0f", NUMBER(process, "pid"));
        json_object_foreach((json_t *)(uintptr_t)AT(between, key), culprit, ns) *
            (strcmp(culprit, key) == 0 ? &own : &others) += result_number(ns);
        html(out, "<tr><td>%s</td>", page_process(pid, NUMBER(process, "pid")));
        page_cell_count(out, NUMBER(process, "calls"));
        page_cell_count(out, NUMBER(process, "failures"));
        page_cell_count(out, NUMBER(process, "packets"));
        page_cell_time(out, NUMBER(process, "execute_ns"));
        page_cell_count(out, NUMBER(process, "presents"));
        page_cell_time(out, own);
        page_cell_time(out, others);
        fputs("</tr>\n", out);
    }
    section_table_end(out);
}

const struct section section_processes = {.title = "Processes", .tables = tables};
