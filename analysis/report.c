#include "analysis/report.h"
#include "analysis/heap.h"
#include "analysis/output.h"
#include "analysis/page.h"
#include "analysis/section.h"

#include <dirent.h>
#include "analysis/sweep/report.h"

static bool draw(const void *what, size_t which, FILE *script, FILE *data, char *reason,
                 size_t reason_size)
{
    return sections[which]->data(what, script, data, reason, reason_size);
}

static bool draw_figures(const struct result *result, struct plot_outcome *outcomes, char *error,
                         size_t error_size)
{
    for (size_t i = 0; i < section_count; i++) {
        const struct section *section = sections[i];
        char template[64];
        if (section->figure == NULL)
            continue;
        if (section->wanted != NULL && !section->wanted(result)) {
            plot_remove(result->directory, section->figure);
            continue;
        }
        snprintf(template, sizeof template, "%s.gp", section->figure);
        if (!plot_make(result->directory, section->figure, template, draw, result, i, &outcomes[i],
                       error, error_size))
            return false;
    }
    return true;
}

static bool report_one(const char *directory, char *error, size_t error_size)
{
    struct result result;
    if (!result_load(&result, directory, error, error_size))
        return false;
    struct plot_outcome *outcomes = heap_new(section_count, sizeof *outcomes);
    bool done = draw_figures(&result, outcomes, error, error_size);
    struct output output = {.directory = directory};
    FILE *page = done ? output_open(&output, "report.html", error, error_size) : NULL;
    if (page != NULL)
        page_one(page, &result, outcomes);
    done = page != NULL && output_commit(&output, error, error_size);
    result_free(&result);
    free(outcomes);
    return done;
}

static bool report_several(const char *const *directories, size_t count, const char *directory,
                           char *error, size_t error_size)
{
    struct side *sides = heap_new(count, sizeof *sides);
    static const struct {
        const char *name, *template;
        plot_prepare *prepare;
    } figures[PAGE_FIGURES] = {
        [PAGE_COMPARE] = {"compare", "compare.gp", plot_compare},
        [PAGE_SHIFTS] = {"shifts", "shifts.gp", plot_shifts},
        [PAGE_SHIFT_CAUSES] = {"shift-causes", "shift-causes.gp", plot_shift_causes},
    };
    struct plot_outcome outcomes[PAGE_FIGURES];
    struct output output = {.directory = directory};
    bool done = true;
    for (size_t i = 0; done && i < count; i++)
        done = side_load(&sides[i], directories[i], error, error_size);
    done = done && output_folder(directory, error, error_size);
    for (size_t i = 0; done && i < PAGE_FIGURES; i++)
        done = plot_make(directory, figures[i].name, figures[i].template, figures[i].prepare, sides,
                         count, &outcomes[i], error, error_size);
    FILE *page = done ? output_open(&output, "report.html", error, error_size) : NULL;
    if (page != NULL)
        page_several(page, sides, count, directory, outcomes);
    done = page != NULL && output_commit(&output, error, error_size);
    for (size_t i = 0; i < count; i++)
        side_free(&sides[i]);
    free(sides);
    return done;
}

bool report_write(const char *const *directories, size_t count, const char *output, char *error,
                  size_t error_size)
{
    if (count == 0) {
        snprintf(error, error_size, "no result folder was named");
        return false;
    }
    if (count == 1 && sweep_table_is_there(directories[0]))
        return sweep_report(directories[0], error, error_size);
    if (count == 1)
        return report_one(directories[0], error, error_size);
    if (output == NULL) {
        snprintf(error, error_size, "comparing several results needs a folder for the page");
        return false;
    }
    return report_several(directories, count, output, error, error_size);
}

static int is_svg(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && length < 48 && strcmp(entry->d_name + length - 4, ".svg") == 0;
}

static bool convert_all(const char *directory, const char *format, char *error, size_t error_size)
{
    struct dirent **entries;
    char *plots = output_path(directory, "plots");
    int count = scandir(plots, &entries, is_svg, alphasort);
    bool good = true;
    for (int i = 0; i < count; i++) {
        entries[i]->d_name[strlen(entries[i]->d_name) - 4] = 0;
        good = good && plot_convert(directory, entries[i]->d_name, format, error, error_size);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    free(plots);
    return good;
}

bool report_knows_formats(const char *formats)
{
    char *copy = heap_text(formats), *rest;
    bool known = *formats != 0;
    for (char *format = strtok_r(copy, ",", &rest); format != NULL && known;
         format = strtok_r(NULL, ",", &rest))
        known = plot_format_is_known(format);
    free(copy);
    return known;
}

bool report_convert(const char *directory, const char *formats, char *error, size_t error_size)
{
    char *copy = heap_text(formats), *rest;
    bool good = true;
    for (char *format = strtok_r(copy, ",", &rest); format != NULL && good;
         format = strtok_r(NULL, ",", &rest))
        good = convert_all(directory, format, error, error_size);
    free(copy);
    return good;
}
