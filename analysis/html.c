#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/templates.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

void html_text(FILE *out, const char *text)
{
    for (; *text != 0; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            putc(*text, out);
        }
}

void html_prose(FILE *out, const char *text)
{
    for (const char *c = text; *c != 0; c++) {
        char one[2] = {*c, 0};
        if (*c == ' ' && c != text && isdigit((unsigned char)c[-1]))
            fputs("&nbsp;", out);
        else
            html_text(out, one);
    }
}

void html(FILE *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    for (; *format != 0; format++) {
        if (*format != '%') {
            putc(*format, out);
            continue;
        }
        format++;
        if (*format == 's') {
            html_text(out, va_arg(arguments, const char *));
        } else if (*format == 'r') {
            fputs(va_arg(arguments, const char *), out);
        } else {
            assert(*format == '%');
            putc('%', out);
        }
    }
    va_end(arguments);
}

char *html_time(char *text, double ns)
{
    char *unit = strstr(human_time(text, ns), " us");
    if (unit != NULL)
        strcpy(unit, " µs");
    return text;
}

const char *template_text(const char *name)
{
    for (size_t i = 0; i < template_files_count; i++)
        if (strcmp(template_files[i].name, name) == 0)
            return template_files[i].text;
    assert(false && "no such template");
    return "";
}

void html_begin(FILE *out, const char *title)
{
    html(out,
         "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
         "style-src 'unsafe-inline'\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n"
         "<title>%s</title>\n<style>\n%r</style>\n</head>\n<body>\n<main>\n",
         title, template_text("style.css"));
}

void html_end(FILE *out)
{
    fputs("</main>\n</body>\n</html>\n", out);
}
