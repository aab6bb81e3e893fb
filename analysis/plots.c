#include "analysis/plots.h"
#include "analysis/heap.h"
#include "analysis/output.h"
#include "analysis/templates.h"

#include <assert.h>
#include <unistd.h>

const char *const plot_names[PLOTS] = {
    [PLOT_LATENCY] = "latency", [PLOT_BLAME] = "blame",       [PLOT_RESIDENCY] = "residency",
    [PLOT_ENGINES] = "engines", [PLOT_RECORDED] = "recorded",
};

/* Script = what this result asks for, then the two templates as they are. */
static void begin_script(FILE *script, const char *name)
{
    fprintf(script,
            "# Drawn by wddmsim; run again from the result folder with: gnuplot plots/%s.gp\n"
            "if (!exists('svg')) svg = 'plots/%s.svg'\n"
            "data = 'plots/%s.dat'\n",
            name, name, name);
}

static void end_script(FILE *script, const char *name)
{
    char file[32];
    snprintf(file, sizeof file, "%s.gp", name);
    fprintf(script, "\n%s\n%s", template_text("common.gp"), template_text(file));
}

typedef bool (*prepare)(const void *what, size_t count, FILE *script, FILE *data, char *reason,
                        size_t size);

static bool prepare_one(const void *what, size_t plot, FILE *script, FILE *data, char *reason,
                        size_t size)
{
    static bool (*const by_plot[PLOTS])(const struct result *result, FILE *script, FILE *data,
                                        char *reason, size_t reason_size) = {
        [PLOT_LATENCY] = plot_data_latency,     [PLOT_BLAME] = plot_data_blame,
        [PLOT_RESIDENCY] = plot_data_residency, [PLOT_ENGINES] = plot_data_engines,
        [PLOT_RECORDED] = plot_data_recorded,
    };
    return by_plot[plot](what, script, data, reason, size);
}

static bool prepare_several(const void *what, size_t count, FILE *script, FILE *data, char *reason,
                            size_t size)
{
    return plot_data_compare(what, count, script, data, reason, size);
}

static void remove_drawing(const char *directory, const char *name)
{
    static const char *const endings[] = {"svg", "gp", "dat"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char file[64];
        snprintf(file, sizeof file, "plots/%s.%s", name, endings[i]);
        char *path = output_path(directory, file);
        unlink(path);
        free(path);
    }
}

static bool draw(const char *directory, const char *name, prepare function, const void *what,
                 size_t count, struct plot_outcome *outcome, char *error, size_t error_size)
{
    *outcome = (struct plot_outcome){0};
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
    if (!function(what, count, script, data, outcome->reason, sizeof outcome->reason)) {
        output_abandon(&output);
        remove_drawing(directory, name);
        return true;
    }
    end_script(script, name);
    return output_commit(&output, error, error_size) &&
           gnuplot_run(directory, name, outcome, error, error_size);
}

bool plot_draw(int plot, const struct result *result, struct plot_outcome *outcome, char *error,
               size_t error_size)
{
    assert(plot >= 0 && plot < PLOTS);
    return draw(result->directory, plot_names[plot], prepare_one, result, (size_t)plot, outcome,
                error, error_size);
}

bool plot_compare(const struct result *results, size_t count, const char *output,
                  struct plot_outcome *outcome, char *error, size_t error_size)
{
    return draw(output, "compare", prepare_several, results, count, outcome, error, error_size);
}
