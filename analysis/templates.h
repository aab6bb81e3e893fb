/* The plot scripts and the style sheet of templates/, built into the program by embed.awk. */
#ifndef WDDMSIM_ANALYSIS_TEMPLATES_H
#define WDDMSIM_ANALYSIS_TEMPLATES_H

#include <stddef.h>

struct template_file {
    const char *name; /* "latency.gp" */
    const char *text;
};

extern const struct template_file template_files[];
extern const size_t template_files_count;

/* The text of a built-in template; asking for one that does not exist is our own mistake. */
const char *template_text(const char *name);

#endif
