#include "analysis/section.h"
#include "analysis/html.h"
#include "analysis/human.h"

#include <math.h>
#include <stdarg.h>

extern const struct section section_latency, section_blame, section_slowest, section_delays,
    section_frames, section_residency, section_paging, section_faults, section_misses,
    section_engines, section_recorded, section_processes;

/* In the order of the page: a new section is one line here. */
const struct section *const sections[] = {
    &section_latency, &section_blame,     &section_slowest,  &section_delays,
    &section_frames,  &section_residency, &section_paging,   &section_faults,
    &section_misses,  &section_engines,   &section_recorded, &section_processes,
};
const size_t section_count = sizeof sections / sizeof *sections;

const char *section_largest(const json_t *object, double (*weight)(const json_t *value))
{
    const char *key;
    return result_ranked(object, weight, &key, 1) == 1 ? key : NULL;
}

double section_by_number(const json_t *value)
{
    double number = result_number(value);
    return number > 0 ? number : (double)NAN;
}

double section_by_count(const json_t *entry)
{
    return section_by_number(AT(entry, "count"));
}

char *section_count_text(char *text, double count)
{
    return human_count(text, count > 0 ? (uint64_t)count : 0);
}

void section_table(FILE *out, const char *heading, ...)
{
    va_list headings;
    va_start(headings, heading);
    fputs("<div class=\"wide\"><table><thead><tr>", out);
    for (; heading != NULL; heading = va_arg(headings, const char *))
        html(out, "<th>%s</th>", heading);
    fputs("</tr></thead><tbody>\n", out);
    va_end(headings);
}

void section_table_end(FILE *out)
{
    fputs("</tbody></table></div>\n", out);
}

bool section_rates(const struct result *result, struct section_rates *rates, char *reason,
                   size_t size)
{
    double span = NUMBER(result->summary, "run", "simulated_ns"), seconds[SECTION_BINS] = {0};
    struct result_table table;
    *rates = (struct section_rates){0};
    if (!result_table_open(&table, result, "activity.csv",
                           "t_ns,width_ns,page_in_bytes,page_out_bytes,fill_bytes,discard_bytes,"
                           "switches,switches_avoided",
                           reason, size))
        return false;
    while (result_table_next(&table, 2 + SECTION_RATES)) {
        double t = result_table_number(&table, 0), width = result_table_number(&table, 1);
        if (!(t >= 0 && t < span) || !(width > 0))
            continue;
        size_t bin = (size_t)(t / span * SECTION_BINS);
        seconds[bin] += width / 1e9;
        for (size_t rate = 0; rate < SECTION_RATES; rate++)
            rates->of[rate][bin] += result_table_number(&table, 2 + rate);
    }
    result_table_close(&table);
    for (size_t bin = 0; bin < SECTION_BINS; bin++)
        for (size_t rate = 0; rate < SECTION_RATES; rate++)
            rates->of[rate][bin] /= seconds[bin]; /* NAN where nothing was read */
    return true;
}
