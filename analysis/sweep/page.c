#include "analysis/sweep/page.h"
#include "analysis/heap.h"
#include "analysis/html.h"
#include "analysis/human.h"

#include <math.h>

static void prose(FILE *out, const char *text)
{
    if (text[0] == 0)
        return;
    fputs("<p>", out);
    html_prose(out, text);
    fputs("</p>\n", out);
}

static void key_number(FILE *out, const char *value, const char *meaning)
{
    html(out, "<div><b>%s</b><span>%s</span></div>\n", value, meaning);
}

static void key_numbers(FILE *out, const struct sweep_view *view)
{
    const struct sweep_table *table = view->table;
    const struct sweep_metric *metric = &table->metric[0];
    struct sweep_extreme least, greatest;
    char text[HUMAN_ROOM], meaning[300];
    fputs("<section class=\"keys\">\n", out);
    key_number(out, human_count(text, sweep_table_count(table, SWEEP_DONE)), "runs");
    double baseline = cell_of_role(table, SWEEP_BASELINE, 0).mean;
    if (!isnan(baseline)) {
        snprintf(meaning, sizeof meaning, "%s, at the baseline", metric->title);
        key_number(out, say_value(metric, baseline, text), meaning);
    }
    if (insight_range(table, 0, &least, &greatest)) {
        snprintf(meaning, sizeof meaning, "%s, least", metric->title);
        key_number(out, say_value(metric, least.mean, text), meaning);
        snprintf(meaning, sizeof meaning, "%s, greatest", metric->title);
        key_number(out, say_value(metric, greatest.mean, text), meaning);
    }
    fputs("</section>\n", out);
}

/* Points that are not there, and why: each reason once. */
static void notes(FILE *out, const struct sweep_table *table)
{
    enum { LISTED = 20 };
    size_t missing = sweep_table_count(table, SWEEP_MISSING), listed = 0;
    size_t failed = sweep_table_count(table, SWEEP_FAILED);
    size_t invalid = sweep_table_count(table, SWEEP_INVALID);
    if (missing + failed + invalid == 0)
        return;
    html(out, "<section class=\"notes\">\n<h2>Not all points are there</h2>\n<ul>\n");
    char count[HUMAN_ROOM];
    if (missing > 0)
        html(out, "<li>%s were not run: the sweep is not complete</li>\n",
             human_count(count, missing));
    const char *last = "";
    for (size_t i = 0; i < table->points && listed < LISTED; i++) {
        const struct sweep_point *point = &table->point[i];
        char where[300];
        if (point->state == SWEEP_DONE || point->message == NULL ||
            strcmp(point->message, last) == 0)
            continue;
        say_levels(table, point->at, where, sizeof where);
        html(out, "<li>%s (%s): %s</li>\n", point->role == SWEEP_BASELINE ? "the baseline" : where,
             sweep_state_names[point->state], point->message);
        last = point->message;
        listed++;
    }
    if (failed + invalid > listed)
        html(out, "<li>%s failed, %s invalid in all</li>\n", human_count(count, failed),
             human_count((char[HUMAN_ROOM]){0}, invalid));
    fputs("</ul>\n</section>\n", out);
}

/* Estimates stray below nothing, and a trace of something is nothing, too. */
static char *share_text(char *text, double share)
{
    return human_share(text, share < 5e-4 ? 0 : share > 1 ? 1 : share);
}

/* The share of each key in each metric. */
static void effects_table(FILE *out, const struct sweep_view *view)
{
    const struct sweep_table *table = view->table;
    struct sweep_effect *effect = heap_new(table->axes, sizeof *effect);
    bool any = false;
    for (size_t m = 0; m < view->metrics; m++) {
        size_t count = insight_effects(table, view->metric[m], effect);
        if (count < 2 || !effect[0].explained)
            continue;
        if (!any) {
            fputs("<div class=\"wide\"><table><thead><tr><th>share of the variance, alone (with "
                  "interactions)</th>",
                  out);
            for (size_t a = 0; a < table->axes; a++)
                html(out, "<th>%s</th>", table->axis[a].name);
            fputs("</tr></thead><tbody>\n", out);
            any = true;
        }
        html(out, "<tr><td>%s</td>", table->metric[view->metric[m]].title);
        for (size_t a = 0; a < table->axes; a++) {
            const struct sweep_effect *own = NULL;
            char first[HUMAN_ROOM], total[HUMAN_ROOM];
            for (size_t e = 0; e < count; e++)
                if (effect[e].axis == a)
                    own = &effect[e];
            if (own == NULL || !own->explained) {
                fputs("<td>–</td>", out);
                continue;
            }
            share_text(first, own->indices.first);
            if (isnan(own->indices.total))
                html(out, "<td>%s</td>", first);
            else
                html(out, "<td>%s <span class=\"soft\">(%s)</span></td>", first,
                     share_text(total, own->indices.total));
        }
        fputs("</tr>\n", out);
    }
    if (any)
        fputs("</tbody></table></div>\n", out);
    free(effect);
}

static void searches_table(FILE *out, const struct sweep_table *table)
{
    if (table->searches == 0)
        return;
    fputs("<div class=\"wide\"><table><thead><tr><th>with</th><th class=\"text\">found</th>"
          "<th>runs</th></tr></thead><tbody>\n",
          out);
    for (size_t i = 0; i < table->searches; i++) {
        char where[300], says[SAY_ROOM], runs[HUMAN_ROOM];
        say_levels(table, table->search[i].at, where, sizeof where);
        say_search(table, &table->search[i], says);
        html(out, "<tr><td>%s</td><td class=\"text\">%s</td><td>%s</td></tr>\n",
             strcmp(where, "everywhere") == 0 ? "the profile as it is" : where, says,
             human_count(runs, table->search[i].runs));
    }
    fputs("</tbody></table></div>\n", out);
}

/* Every point that no other beats, cheapest first. */
static void pareto_table(FILE *out, const struct sweep_table *table)
{
    if (!table->has_pareto)
        return;
    size_t a = table->pareto[0], b = table->pareto[1];
    bool *front = heap_new(table->points, sizeof *front);
    insight_pareto(table, a, b, front);
    html(out,
         "<div class=\"wide\"><table><thead><tr><th>not beaten</th><th>%s</th><th>%s</th></tr>"
         "</thead><tbody>\n",
         table->metric[a].title, table->metric[b].title);
    for (size_t i = 0; i < table->points; i++) {
        char where[300], x[HUMAN_ROOM], y[HUMAN_ROOM];
        if (!front[i])
            continue;
        say_levels(table, table->point[i].at, where, sizeof where);
        html(out, "<tr><td>%s</td><td>%s</td><td>%s</td></tr>\n", where,
             say_value(&table->metric[a], insight_mean(table, i, a), x),
             say_value(&table->metric[b], insight_mean(table, i, b), y));
    }
    fputs("</tbody></table></div>\n", out);
    free(front);
}

static void points_table(FILE *out, const struct sweep_view *view)
{
    enum { LISTED = 400 };
    const struct sweep_table *table = view->table;
    size_t listed = table->points < LISTED ? table->points : LISTED;
    fputs("<details><summary>Every point</summary>\n<div class=\"wide\"><table><thead><tr>"
          "<th>point</th>",
          out);
    for (size_t a = 0; a < table->axes; a++)
        html(out, "<th>%s</th>", table->axis[a].name);
    if (table->seeds > 1)
        fputs("<th>seed</th>", out);
    for (size_t m = 0; m < view->metrics; m++)
        html(out, "<th>%s</th>", table->metric[view->metric[m]].title);
    fputs("</tr></thead><tbody>\n", out);
    for (size_t i = 0; i < listed; i++) {
        const struct sweep_point *point = &table->point[i];
        char number[HUMAN_ROOM];
        html(out, "<tr><td>%s%s%s</td>", human_count(number, i + 1),
             point->role == SWEEP_BASELINE ? " baseline" : "",
             point->state == SWEEP_DONE      ? ""
             : point->state == SWEEP_FAILED  ? " failed"
             : point->state == SWEEP_INVALID ? " invalid"
                                             : " missing");
        for (size_t a = 0; a < table->axes; a++)
            html(out, "<td>%s</td>", point->at[a].label != NULL ? point->at[a].label : "–");
        if (table->seeds > 1)
            html(out, "<td>%s</td>", human_decimal(number, (double)point->seed, 0));
        for (size_t m = 0; m < view->metrics; m++)
            html(out, "<td>%s</td>",
                 isnan(point->value[view->metric[m]])
                     ? "–"
                     : say_value(&table->metric[view->metric[m]], point->value[view->metric[m]],
                                 number));
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    if (listed < table->points)
        fputs("<p class=\"soft\">The rest is in sweep.csv.</p>\n", out);
    fputs("</details>\n", out);
}

static void details(FILE *out, const struct sweep_table *table)
{
    char design[48], seeds[HUMAN_ROOM];
    enum { LISTED = 20 };
    fputs("<dl>", out);
    for (size_t i = 0; i < table->traces && i < LISTED; i++) {
        html(out, "<dt>trace</dt><dd><code>%s</code></dd>", table->trace[i].name);
        if (table->trace[i].sha256[0] != 0)
            html(out, "<dt>its SHA-256</dt><dd><code>%s</code></dd>", table->trace[i].sha256);
    }
    design_print(&table->design, design);
    html(out, "<dt>hardware</dt><dd>%s</dd><dt>design</dt><dd>%s</dd><dt>seeds</dt><dd>%s</dd>",
         table->hardware, design, human_count(seeds, table->seeds));
    for (size_t a = 0; a < table->axes; a++) {
        const struct sweep_axis *axis = &table->axis[a];
        html(out, "<dt>%s</dt><dd>", axis->name);
        for (size_t l = 0; l < axis->levels; l++)
            html(out, "%s%s", l > 0 ? ", " : "", axis->level[l].label);
        if (axis->range) {
            char low[HUMAN_ROOM], high[HUMAN_ROOM];
            html(out, "%s to %s", metric_text(axis->unit, axis->low, low),
                 metric_text(axis->unit, axis->high, high));
        }
        if (axis->baseline.label != NULL)
            html(out, " <span class=\"soft\">(baseline %s)</span>", axis->baseline.label);
        fputs("</dd>", out);
    }
    html(out, "<dt>wddmsim</dt><dd>%s</dd></dl>\n", table->version);
    html(out, "<p class=\"soft\">study.yaml beside this page is the question; sweep.csv and "
              "sweep.json hold every point, points/ the whole summary of each run.</p>\n");
}

static void definitions(FILE *out)
{
    fputs(
        "<footer>\n<p><b>The baseline</b> is the profile with nothing varied. <b>Bands and "
        "bars</b> "
        "are 95 % confidence intervals of the mean over the seeds (Student's t). <b>The knee</b> "
        "is the point of a curve farthest from the straight line between its ends, both scaled to "
        "one.</p>\n"
        "<p><b>Shares of the variance</b> are Sobol's indices: what a key explains alone, and "
        "with its interactions. On a grid they are exact for its values, each weighing the same; "
        "in a sample they are estimates.</p>\n</footer>\n",
        out);
}

/* A figure with its sentences; one that there is nothing to draw for is left out. */
static void section(FILE *out, const char *directory, int figure, const char *title,
                    const struct plot_outcome *outcome, const char *const *says, size_t count)
{
    bool broken = strncmp(outcome->reason, "gnuplot", 7) == 0;
    if (!outcome->drawn && !broken)
        return;
    if (title != NULL)
        html(out, "<h2>%s</h2>\n", title);
    for (size_t i = 0; i < count; i++)
        prose(out, says[i]);
    page_figure(out, directory, sweep_figure_name(figure), "", outcome);
}

void page_sweep(FILE *out, const struct sweep_view *view, const char *directory,
                const struct plot_outcome outcomes[SWEEP_FIGURES])
{
    const struct sweep_table *table = view->table;
    char title[SAY_ROOM], range[SAY_ROOM], effects[SAY_ROOM], knee[SAY_ROOM], wins[SAY_ROOM],
        failing[SAY_ROOM];
    say_title(table, title);
    say_range(table, 0, range);
    say_effects(view, effects);
    say_knee(view, knee);
    say_wins(view, wins);
    html_begin(out, title);
    html(out, "<h1>%s</h1>\n", title);
    if (table->question[0] != 0)
        prose(out, table->question);
    notes(out, table);
    say_failing(table, failing);
    if (failing[0] != 0)
        prose(out, failing);
    key_numbers(out, view);
    if (table->searches > 0)
        fputs("<h2>What was found</h2>\n", out);
    searches_table(out, table);
    section(out, directory, SWEEP_THRESHOLD, NULL, &outcomes[SWEEP_THRESHOLD], NULL, 0);
    section(out, directory, SWEEP_MINIMUM, NULL, &outcomes[SWEEP_MINIMUM], NULL, 0);
    section(out, directory, SWEEP_CURVES, "What changes", &outcomes[SWEEP_CURVES],
            (const char *const[]){range, knee, wins}, 3);
    section(
        out, directory, SWEEP_HEAT, "On the plane", &outcomes[SWEEP_HEAT],
        (const char *const[]){"Lines join equal values, where both keys are numbers; the square "
                              "is the baseline."},
        1);
    section(out, directory, SWEEP_HEAT_2, NULL, &outcomes[SWEEP_HEAT_2], NULL, 0);
    section(
        out, directory, SWEEP_CAUSES, "Why", &outcomes[SWEEP_CAUSES],
        (const char *const[]){"Every nanosecond of a call has one cause. Keys that are not shown "
                              "are at the baseline."},
        1);
    section(out, directory, SWEEP_SCATTER, "The sample", &outcomes[SWEEP_SCATTER],
            (const char *const[]){range}, 1);
    section(out, directory, SWEEP_EFFECTS, "What matters", &outcomes[SWEEP_EFFECTS],
            (const char *const[]){effects}, 1);
    effects_table(out, view);
    section(out, directory, SWEEP_PARETO, "What is worth its price", &outcomes[SWEEP_PARETO], NULL,
            0);
    pareto_table(out, table);
    fputs("<h2>What was run</h2>\n", out);
    points_table(out, view);
    details(out, table);
    definitions(out);
    html_end(out);
}
