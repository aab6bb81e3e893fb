#include "analysis/plots.h"
#include "analysis/heap.h"
#include "analysis/output.h"
#include "analysis/templates.h"

#include <unistd.h>

/* Script = what this result asks for, then the two templates as they are. */
static void begin_script(FILE *script, const char *name)
{
    fprintf(script,
            "# Drawn by wddmsim; run again from the result folder with: gnuplot plots/%s.gp\n"
            "if (!exists('svg')) svg = 'plots/%s.svg'\n"
            "data = 'plots/%s.dat'\n",
            name, name, name);
}

static void end_script(FILE *script, const char *template)
{
    fprintf(script, "\n%s\n%s", template_text("common.gp"), template_text(template));
}

enum { CONVERTED = 2 }; /* of the endings, the first */

static void remove_first(const char *directory, const char *name, size_t count)
{
    static const char *const endings[] = {"png", "pdf", "svg", "gp", "dat"};
    if (count > sizeof endings / sizeof *endings)
        count = sizeof endings / sizeof *endings;
    for (size_t i = 0; i < count; i++) {
        char file[64];
        snprintf(file, sizeof file, "plots/%s.%s", name, endings[i]);
        char *path = output_path(directory, file);
        unlink(path);
        free(path);
    }
}

void plot_remove(const char *directory, const char *name)
{
    remove_first(directory, name, SIZE_MAX);
}

bool plot_make(const char *directory, const char *name, const char *template, plot_prepare *prepare,
               const void *what, size_t which, struct plot_outcome *outcome, char *error,
               size_t error_size)
{
    *outcome = (struct plot_outcome){0};
    remove_first(directory, name, CONVERTED);
    char *folder = output_path(directory, "plots"), file[64];
    bool made = output_folder(folder, error, error_size);
    free(folder);
    if (!made)
        return false;
    struct output output = {.directory = directory};
    snprintf(file, sizeof file, "plots/%s.gp", name);
    FILE *script = output_open(&output, file, error, error_size);
    snprintf(file, sizeof file, "plots/%s.dat", name);
    FILE *data = script != NULL ? output_open(&output, file, error, error_size) : NULL;
    if (data == NULL) {
        output_abandon(&output);
        return false;
    }
    begin_script(script, name);
    if (!prepare(what, which, script, data, outcome->reason, sizeof outcome->reason)) {
        output_abandon(&output);
        plot_remove(directory, name);
        return true;
    }
    end_script(script, template);
    return output_commit(&output, error, error_size) &&
           gnuplot_run(directory, name, outcome, error, error_size);
}
