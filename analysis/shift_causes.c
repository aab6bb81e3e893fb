/* What the median and the p99 of a latency gain and lose by cause from one result to another. */
#include "analysis/compare.h"
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/page.h"

#include <math.h>
#include <string.h>

enum { OPS = 8, ROWS = 32, LABEL = 128 };

static const char *const quantiles[] = {"p50", "p99"};

struct row {
    const char *op, *quantile, *result; /* the result's label */
    struct shift shift;
    double gained, lost; /* sums over the causes, ns; both positive */
};

struct rows {
    size_t count;
    struct row row[ROWS];
};

/* The ops with most time in the first result, each quantile of which the causes changed. */
static void collect(struct rows *rows, const struct side *sides, size_t count)
{
    const char *ops[OPS];
    size_t op_count = result_ranked(result_at(sides[0].runs[0].summary, "calls", NULL),
                                    result_call_time, ops, OPS);
    rows->count = 0;
    for (size_t i = 0; i < op_count * 2 * (count - 1) && rows->count < ROWS; i++) {
        const struct side *other = &sides[1 + i % (count - 1)];
        struct row row = {.op = ops[i / (count - 1) / 2],
                          .quantile = quantiles[i / (count - 1) % 2],
                          .result = other->label};
        if (!side_shift(&sides[0], other, row.op, row.quantile, &row.shift))
            continue;
        for (int cause = 0; cause < PROBE_CAUSES; cause++) {
            row.gained += fmax(0, row.shift.part[cause]);
            row.lost += fmax(0, -row.shift.part[cause]);
        }
        if (row.gained + row.lost > 0)
            rows->row[rows->count++] = row;
    }
}

static void row_label(char text[LABEL], const struct row *row, size_t count)
{
    snprintf(text, LABEL, "%.40s, %s%s%.40s", row->op, row->quantile, count > 2 ? ", " : "",
             count > 2 ? row->result : "");
}

/* "+1.20 ms" */
static char *change(char text[HUMAN_ROOM], double by)
{
    char size[HUMAN_ROOM];
    snprintf(text, HUMAN_ROOM, "%s%.30s",
             by < 0   ? "-"
             : by > 0 ? "+"
                      : "",
             html_time(size, fabs(by)));
    return text;
}

static void row_amount(char text[LABEL], const struct row *row)
{
    char by[HUMAN_ROOM], share[HUMAN_ROOM];
    const struct shift *shift = &row->shift;
    change(by, shift->by);
    if (shift->first > 0 && shift->by != 0)
        snprintf(text, LABEL, "%s (%s%s)", by, shift->by > 0 ? "+" : "",
                 human_share(share, shift->by / shift->first));
    else
        snprintf(text, LABEL, "%s", shift->by == 0 ? "same" : by);
}

/* A row's pieces: row, cause, from and to; what was lost to the left of zero, what was gained to
 * its right, as shares of both together. */
static void write_pieces(FILE *data, const struct row *row, size_t place, int *used)
{
    double all = row->gained + row->lost, left = 0, right = 0;
    for (int cause = 0; cause < PROBE_CAUSES; cause++) {
        double part = row->shift.part[cause] / all, *edge = part < 0 ? &left : &right;
        double piece[] = {(double)place, cause, fmin(*edge, *edge + part),
                          fmax(*edge, *edge + part)};
        if (part == 0)
            continue;
        plot_row(data, piece, 4);
        *edge += part;
        used[cause] = 1;
    }
}

bool plot_shift_causes(const void *what, size_t count, FILE *script, FILE *data, char *reason,
                       size_t size)
{
    const struct side *sides = what;
    struct rows rows;
    char label[ROWS][LABEL], amount[ROWS][LABEL];
    const char *labels[ROWS], *amounts[ROWS];
    int used[PROBE_CAUSES] = {0};
    collect(&rows, sides, count);
    snprintf(reason, size, "no median or p99 has more or less of any cause");
    for (size_t i = 0; i < rows.count; i++) {
        row_label(label[i], &rows.row[i], count);
        row_amount(amount[i], &rows.row[i]);
        labels[i] = label[i];
        amounts[i] = amount[i];
        write_pieces(data, &rows.row[i], i + 1, used);
    }
    plot_declare(script, "bar", labels, rows.count);
    plot_declare(script, "amount", amounts, rows.count);
    plot_declare(script, "cause", probe_cause_names, PROBE_CAUSES);
    plot_place_legend(script, probe_cause_names, used, PROBE_CAUSES);
    fprintf(script, "array used[%d]\n", PROBE_CAUSES);
    for (int cause = 0; cause < PROBE_CAUSES; cause++)
        fprintf(script, "used[%d] = %d\n", cause + 1, used[cause]);
    return rows.count != 0;
}

void page_say_shift_causes(char *says, size_t size, const struct side *sides, size_t count)
{
    struct rows rows;
    const struct row *most = NULL;
    char text[SHIFT_TEXT];
    collect(&rows, sides, count);
    for (size_t i = 0; i < rows.count; i++)
        if (most == NULL || fabs(rows.row[i].shift.by) > fabs(most->shift.by))
            most = &rows.row[i];
    says[0] = 0;
    if (most != NULL)
        snprintf(says, size,
                 "The largest change is in %.64s: %s. At the left what a cause takes less than in "
                 "%.64s, at the right what it takes more.",
                 most->result, shift_text(text, most->op, most->quantile, &most->shift, html_time),
                 sides[0].label);
}

void page_shift_causes_table(FILE *out, const struct side *sides, size_t count)
{
    struct rows rows;
    char text[LABEL];
    bool used[PROBE_CAUSES] = {false};
    collect(&rows, sides, count);
    fputs("<div class=\"wide\"><table><thead><tr><th>difference of</th><th>latency</th>", out);
    for (int cause = 0; cause < PROBE_CAUSES; cause++) {
        for (size_t i = 0; i < rows.count; i++)
            used[cause] |= rows.row[i].shift.part[cause] != 0;
        if (used[cause])
            html(out, "<th>%s</th>", probe_cause_names[cause]);
    }
    fputs("</tr></thead><tbody>\n", out);
    for (size_t i = 0; i < rows.count; i++) {
        row_label(text, &rows.row[i], count);
        html(out, "<tr><td>%s</td>", text);
        row_amount(text, &rows.row[i]);
        html(out, "<td>%s</td>", text);
        for (int cause = 0; cause < PROBE_CAUSES; cause++)
            if (used[cause])
                html(out, "<td>%s</td>",
                     rows.row[i].shift.part[cause] == 0
                         ? "–"
                         : change(text, rows.row[i].shift.part[cause]));
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
}
