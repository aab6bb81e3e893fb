/* Writing HTML in which nothing that came from a trace can be anything but text. */
#ifndef WDDMSIM_ANALYSIS_HTML_H
#define WDDMSIM_ANALYSIS_HTML_H

#include <stdio.h>

/* `format` is HTML of ours; every %s in it is replaced by the next argument, escaped; %r by the
 * next argument as it is (HTML that was made by us); %% by a percent sign. No other directives. */
void html(FILE *out, const char *format, ...);

/* Escaped text. */
void html_text(FILE *out, const char *text);

/* Escaped text of ours in which a number is not parted from its unit at the end of a line. */
void html_prose(FILE *out, const char *text);

/* Units as a page writes them: µs. The others are those of human.h. */
char *html_time(char *text, double ns);

/* Head of a page up to <main>, style sheet included; and its end. */
void html_begin(FILE *out, const char *title);
void html_end(FILE *out);

#endif
