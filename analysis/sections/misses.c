/* What a segment of each size would miss: the miss-ratio curve of the submissions' references; and
 * how much these are in a given time: their working set. */
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/section.h"

#include <math.h>

static const char header[] = "size_bytes,miss_ratio";

static bool wanted(const struct result *result)
{
    struct result_table table;
    char reason[256];
    bool there = result_table_open(&table, result, "miss-ratio.csv", header, reason, sizeof reason);
    bool any = there && result_table_next(&table, 2);
    if (there)
        result_table_close(&table);
    return any;
}

/* Rows: window, mean bytes. */
static bool working_set(const struct result *result, FILE *script, FILE *data, char *reason,
                        size_t size)
{
    struct result_table table;
    double rows = 0, most = 0;
    if (!result_table_open(&table, result, "working-set.csv", "window_ns,mean_bytes", reason, size))
        return false;
    while (result_table_next(&table, 2)) {
        double values[] = {result_table_number(&table, 0), result_table_number(&table, 1)};
        if (isnan(values[0] + values[1]))
            continue;
        plot_row(data, values, 2);
        most = fmax(most, values[1]);
        rows++;
    }
    result_table_close(&table);
    plot_declare_number(script, "windows", rows);
    plot_declare_number(script, "most", most);
    return true;
}

/* Rows: size, share that would miss. */
static bool data(const struct result *result, FILE *script, FILE *data, char *reason, size_t size)
{
    enum { SEGMENTS = 6 };
    const json_t *segments = AT(result->summary, "segments");
    const char *names[SEGMENTS];
    double sizes[SEGMENTS], least = NAN, smallest = NAN, largest = 0;
    size_t count = 0;
    struct result_table table;
    const char *name;
    json_t *segment;
    if (!result_table_open(&table, result, "miss-ratio.csv", header, reason, size))
        return false;
    while (result_table_next(&table, 2)) {
        double bytes = result_table_number(&table, 0), misses = result_table_number(&table, 1);
        if (isnan(bytes + misses))
            continue;
        if (isnan(smallest)) { /* in what is smaller than the first step everything misses */
            smallest = bytes / 2;
            plot_row(data, (const double[]){smallest, 100}, 2);
        }
        least = 100 * misses;
        plot_row(data, (const double[]){bytes, least}, 2);
        largest = fmax(largest, bytes);
    }
    result_table_close(&table);
    json_object_foreach((json_t *)(uintptr_t)segments, name, segment)
    {
        double bytes = NUMBER(segment, "size_bytes");
        if (count == SEGMENTS || !(bytes > 0) || !(NUMBER(segment, "peak_resident_bytes") > 0))
            continue;
        names[count] = name;
        sizes[count++] = bytes;
        largest = fmax(largest, bytes);
    }
    plot_declare(script, "segment", names, count);
    fprintf(script, "array size[%zu]\n", count != 0 ? count : 1);
    for (size_t i = 0; i < count; i++) {
        char variable[32];
        snprintf(variable, sizeof variable, "size[%zu]", i + 1);
        plot_declare_number(script, variable, sizes[i]);
    }
    if (isnan(smallest)) {
        snprintf(reason, size, "submissions name no memory");
        return false;
    }
    largest *= 1.25;
    plot_row(data, (const double[]){largest, least}, 2);
    fputs("\n\n", data);
    plot_declare_number(script, "smallest", smallest);
    plot_declare_number(script, "largest", largest);
    return working_set(result, script, data, reason, size);
}

static void say(const json_t *summary, char *says)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM];
    const json_t *curve = AT(summary, "residency", "miss_curve");
    double references = NUMBER(curve, "references"), all = NUMBER(curve, "of_references");
    double named = NUMBER(summary, "residency", "working_set_bytes", "10ms");
    size_t length = (size_t)snprintf(
        says, SECTION_SENTENCE,
        "From %s on only first uses miss, %s of the references; a smaller segment that evicts the "
        "least recently used misses as the curve says, and the profile's segments are marked.",
        human_bytes(a, NUMBER(curve, "enough_bytes")), human_share(b, NUMBER(curve, "first_uses")));
    if (references < all)
        length += (size_t)snprintf(says + length, SECTION_SENTENCE - length,
                                   " That is of the first %s of %s references.",
                                   section_count_text(a, references), section_count_text(b, all));
    if (!isnan(named))
        snprintf(says + length, SECTION_SENTENCE - length,
                 " In any 10 ms submissions name %s on average.", human_bytes(a, named));
}

const struct section section_misses = {.title = "How much memory it takes",
                                       .wanted = wanted,
                                       .figure = "misses",
                                       .data = data,
                                       .say = say};
