/* Pieces that the data and scripts of all figures are made of. */
#include "analysis/human.h"
#include "analysis/plots.h"

#include <math.h>
#include <string.h>

void plot_string(FILE *out, const char *text)
{
    putc('\'', out);
    for (; *text != 0; text++) {
        if (*text == '\'')
            putc('\'', out);
        putc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
    putc('\'', out);
}

void plot_number(FILE *out, double value)
{
    char text[HUMAN_ROOM];
    if (isfinite(value) && fabs(value) < 1e18)
        fputs(human_decimal(text, value, fabs(value) < 1e9 ? 6 : 0), out);
    else
        fputs("NaN", out);
}

void plot_declare(FILE *script, const char *name, const char *const *texts, size_t count)
{
    fprintf(script, "%ss = %zu\narray %s[%zu]\n", name, count, name, count != 0 ? count : 1);
    for (size_t i = 0; i < count; i++) {
        fprintf(script, "%s[%zu] = ", name, i + 1);
        plot_string(script, texts[i]);
        putc('\n', script);
    }
}

void plot_place_legend(FILE *script, const char *const *texts, const int *shown, size_t count)
{
    enum { LEFT = 80, RIGHT = 940, LETTER = 8, AROUND = 38 };
    int x = LEFT, row_number = 0;
    fprintf(script, "array legend_x[%zu]\narray legend_row[%zu]\n", count, count);
    for (size_t i = 0; i < count; i++) {
        int width = LETTER * (int)strlen(texts[i]) + AROUND;
        if (shown != NULL && !shown[i])
            width = 0;
        if (x + width > RIGHT && x > LEFT) {
            x = LEFT;
            row_number++;
        }
        fprintf(script, "legend_x[%zu] = %d\nlegend_row[%zu] = %d\n", i + 1, x, i + 1, row_number);
        x += width;
    }
    fprintf(script, "legend_rows = %d\n", row_number + 1);
}

void plot_declare_number(FILE *script, const char *name, double value)
{
    fprintf(script, "%s = ", name);
    plot_number(script, value);
    putc('\n', script);
}

void plot_row(FILE *data, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            putc(' ', data);
        plot_number(data, values[i]);
    }
    putc('\n', data);
}

double plot_time_unit(FILE *script, double span_ns)
{
    static const struct {
        double unit;
        const char *name;
    } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}};
    size_t i = 0;
    while (i < 3 && span_ns < 2 * units[i].unit)
        i++;
    fprintf(script, "time_unit = '%s'\n", units[i].name);
    plot_declare_number(script, "span", span_ns / units[i].unit);
    return units[i].unit;
}

size_t plot_index_of(const char *const *texts, size_t count, const char *text)
{
    size_t i = 0;
    while (i < count && strcmp(texts[i], text) != 0)
        i++;
    return i;
}
