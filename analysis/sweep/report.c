#include "analysis/sweep/report.h"
#include "analysis/heap.h"
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/output.h"
#include "analysis/sweep/page.h"

#include <math.h>
#include <unistd.h>

/* The figures of a sweep, in the order of the page. */
static const struct {
    const char *name, *template;
    plot_prepare *prepare;
} figures[SWEEP_FIGURES] = {
    [SWEEP_THRESHOLD] = {"threshold", "sweep-threshold.gp", figure_threshold},
    [SWEEP_MINIMUM] = {"minimum", "sweep-minimum.gp", figure_minimum},
    [SWEEP_CURVES] = {"curves", "sweep-curves.gp", figure_curves},
    [SWEEP_HEAT] = {"heat", "sweep-heat.gp", figure_heat},
    [SWEEP_HEAT_2] = {"heat-2", "sweep-heat.gp", figure_heat},
    [SWEEP_CAUSES] = {"causes", "sweep-causes.gp", figure_causes},
    [SWEEP_SCATTER] = {"scatter", "sweep-scatter.gp", figure_scatter},
    [SWEEP_EFFECTS] = {"effects", "sweep-effects.gp", figure_effects},
    [SWEEP_PARETO] = {"pareto", "sweep-pareto.gp", figure_pareto},
};

const char *sweep_figure_name(int figure)
{
    return figures[figure].name;
}

/* What the figure's function is told: of a heat map, which of the view's metrics. */
static size_t which_of(int figure)
{
    return figure == SWEEP_HEAT_2 ? 1 : 0;
}

static bool draw(const struct sweep_view *view, const char *directory,
                 struct plot_outcome outcomes[SWEEP_FIGURES], char *error, size_t error_size)
{
    for (int f = 0; f < SWEEP_FIGURES; f++) {
        outcomes[f] = (struct plot_outcome){0};
        if (which_of(f) >= view->metrics)
            continue;
        if (!plot_make(directory, figures[f].name, figures[f].template, figures[f].prepare, view,
                       which_of(f), &outcomes[f], error, error_size))
            return false;
    }
    return true;
}

bool sweep_report(const char *directory, char *error, size_t error_size)
{
    struct sweep_table table;
    struct sweep_view view;
    struct plot_outcome outcomes[SWEEP_FIGURES];
    if (!sweep_table_read(&table, directory, error, error_size))
        return false;
    sweep_view_make(&table, &view);
    bool done = draw(&view, directory, outcomes, error, error_size);
    struct output output = {.directory = directory};
    FILE *page = done ? output_open(&output, "report.html", error, error_size) : NULL;
    if (page != NULL)
        page_sweep(page, &view, directory, outcomes);
    done = page != NULL && output_commit(&output, error, error_size);
    sweep_view_free(&view);
    sweep_table_free(&table);
    return done;
}

/* One line per metric: at the baseline, the least, the greatest. */
static void print_metrics(const struct sweep_table *table, FILE *out)
{
    enum { SHOWN = 16 };
    size_t shown = 0;
    fprintf(out, "\n%-36s %12s %12s %12s\n", "metric", "baseline", "least", "greatest");
    for (size_t m = 0; m < table->metrics && shown < SHOWN; m++) {
        struct sweep_extreme least, greatest;
        char base[HUMAN_ROOM], low[HUMAN_ROOM], high[HUMAN_ROOM];
        if (strstr(table->metric[m].path, ".blame_ns.") != NULL ||
            !insight_range(table, m, &least, &greatest))
            continue;
        enum metric_unit unit = table->metric[m].unit;
        fprintf(out, "%-36.36s %12s %12s %12s\n", table->metric[m].title,
                metric_text(unit, cell_of_role(table, SWEEP_BASELINE, m).mean, base),
                metric_text(unit, least.mean, low), metric_text(unit, greatest.mean, high));
        shown++;
    }
}

static void print_line(FILE *out, const char *text)
{
    if (text[0] != 0)
        fprintf(out, "%s\n", text);
}

void sweep_print(const struct sweep_table *table, const char *directory, FILE *out)
{
    char text[SAY_ROOM];
    struct sweep_view view;
    sweep_view_make(table, &view);
    say_title(table, text);
    fprintf(out, "%s\n", text);
    fprintf(out, "%zu points: %zu done", table->points, sweep_table_count(table, SWEEP_DONE));
    static const enum sweep_state others[] = {SWEEP_FAILED, SWEEP_INVALID, SWEEP_MISSING};
    for (size_t i = 0; i < 3; i++)
        if (sweep_table_count(table, others[i]) > 0)
            fprintf(out, ", %zu %s", sweep_table_count(table, others[i]),
                    sweep_state_names[others[i]]);
    putc('\n', out);
    print_metrics(table, out);
    putc('\n', out);
    say_failing(table, text);
    print_line(out, text);
    for (size_t i = 0; i < table->searches; i++) {
        char where[300];
        say_levels(table, table->search[i].at, where, sizeof where);
        say_search(table, &table->search[i], text);
        fprintf(out, "%s%s%s\n", table->searches > 1 ? where : "", table->searches > 1 ? ": " : "",
                text);
    }
    if (table->searches == 0) {
        say_effects(&view, text);
        print_line(out, text);
        say_knee(&view, text);
        print_line(out, text);
        say_wins(&view, text);
        print_line(out, text);
    }
    char *page = output_path(directory, "report.html");
    bool drawn = access(page, F_OK) == 0;
    fprintf(out, "results in %s\n", drawn ? page : directory);
    free(page);
    sweep_view_free(&view);
}
