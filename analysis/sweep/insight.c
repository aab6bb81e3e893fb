#include "analysis/sweep/insight.h"
#include "analysis/heap.h"

#include <math.h>

static bool is_grid(const struct sweep_table *table)
{
    return table->design.kind == DESIGN_GRID && table->searches == 0;
}

/* Shares of the variance, by whichever way the design allows. */
static void explain(const struct sweep_table *table, size_t metric, struct sweep_effect *effects,
                    size_t count)
{
    struct sensitivity *indices = heap_new(count, sizeof *indices);
    size_t points = 0, seeds = (size_t)table->seeds;
    double *values = heap_new(table->points + 1, sizeof *values);
    double *coordinates = heap_new(table->points + 1, sizeof *coordinates);
    bool explained = false;
    if (is_grid(table)) {
        struct sweep_cells cells;
        cells_make(table, metric, &cells);
        double *means = heap_new(cells.count, sizeof *means);
        for (size_t i = 0; i < cells.count; i++)
            means[i] = cells.cell[i].mean;
        explained = sensitivity_of_grid(means, cells.levels, cells.axes, indices);
        free(means);
        cells_free(&cells);
    } else if (design_samples(&table->design)) {
        double *own = heap_new(seeds, sizeof *own); /* the seeds of a point stand together */
        for (size_t i = 0; i + seeds <= table->points; i += seeds) {
            if (table->point[i].role != SWEEP_POINT)
                break;
            for (size_t s = 0; s < seeds; s++)
                own[s] = table->point[i + s].value[metric];
            values[points++] = cell_of(own, seeds).mean;
        }
        free(own);
        size_t samples = table->design.samples;
        if (table->design.kind == DESIGN_SALTELLI && points == samples * (count + 2))
            explained = sensitivity_of_saltelli(values, samples, count, indices);
        for (size_t e = 0; !explained && e < count; e++) {
            const struct sweep_axis *axis = &table->axis[effects[e].axis];
            for (size_t i = 0; i < points; i++) {
                const struct sweep_point *point = &table->point[i * seeds];
                coordinates[i] = axis->range ? point->at[effects[e].axis].value
                                             : (double)point->level[effects[e].axis];
            }
            effects[e].explained = sensitivity_of_sample(coordinates, values, points, &indices[e]);
            effects[e].indices = indices[e];
        }
    }
    for (size_t e = 0; explained && e < count; e++) {
        effects[e].explained = true;
        effects[e].indices = indices[e];
    }
    free(indices);
    free(values);
    free(coordinates);
}

static void widen(struct sweep_effect *effect, double value, const struct sweep_level *at)
{
    if (isnan(value))
        return;
    if (!effect->swings || value < effect->low) {
        effect->low = value;
        effect->low_at = *at;
    }
    if (!effect->swings || value > effect->high) {
        effect->high = value;
        effect->high_at = *at;
    }
    effect->swings = true;
}

/* Only one key away from the baseline: along the grid's lines through it. */
static void swing_on_grid(const struct sweep_table *table, size_t metric,
                          struct sweep_effect *effects, size_t count)
{
    struct sweep_cells cells;
    cells_make(table, metric, &cells);
    size_t *level = heap_new(cells.axes, sizeof *level);
    for (size_t e = 0; e < count; e++) {
        size_t own = cells.axes;
        for (size_t a = 0; a < cells.axes; a++) {
            const struct sweep_axis *axis = &table->axis[cells.axis[a]];
            level[a] = cells_baseline(axis);
            if (cells.axis[a] == effects[e].axis)
                own = a;
            else if (axis->baseline.label == NULL ||
                     strcmp(axis->level[level[a]].label, axis->baseline.label) != 0)
                effects[e].off_baseline = true;
        }
        if (own == cells.axes) /* it has no levels */
            continue;
        size_t low = 0, high = 0;
        for (level[own] = 0; level[own] < cells.levels[own]; level[own]++) {
            size_t place = cells_place(&cells, level);
            double mean = cells.cell[place].mean;
            bool lower = !effects[e].swings || mean < effects[e].low;
            bool higher = !effects[e].swings || mean > effects[e].high;
            widen(&effects[e], mean, &table->axis[effects[e].axis].level[level[own]]);
            low = lower ? place : low;
            high = higher ? place : high;
        }
        effects[e].half = cells_difference(&cells, low, high).half;
    }
    free(level);
    cells_free(&cells);
}

/* The same where only such points were run. */
static void swing_one_at_a_time(const struct sweep_table *table, size_t metric,
                                struct sweep_effect *effects, size_t count)
{
    double *values = heap_new(table->points, sizeof *values);
    double baseline = cell_of_role(table, SWEEP_BASELINE, metric).mean;
    size_t next = 0;
    for (size_t e = 0; e < count; e++) {
        const struct sweep_axis *axis = &table->axis[effects[e].axis];
        widen(&effects[e], baseline, &axis->baseline);
        for (size_t l = 0; l < axis->levels; l++) {
            size_t found = 0;
            for (uint64_t s = 0; s < table->seeds && next < table->points; s++, next++)
                values[found++] = table->point[next].value[metric];
            widen(&effects[e], cell_of(values, found).mean, &axis->level[l]);
        }
    }
    free(values);
}

/* How much a key matters, for their order. */
static double weight(const struct sweep_effect *effect)
{
    if (effect->explained)
        return isnan(effect->indices.total) ? effect->indices.first : effect->indices.total;
    return effect->swings ? effect->high - effect->low : 0;
}

size_t insight_effects(const struct sweep_table *table, size_t metric, struct sweep_effect *effects)
{
    size_t count = 0;
    for (size_t a = 0; a < table->axes; a++)
        if (!table->searched[a])
            effects[count++] = (struct sweep_effect){.axis = a};
    if (count == 0)
        return 0;
    explain(table, metric, effects, count);
    if (is_grid(table))
        swing_on_grid(table, metric, effects, count);
    else if (table->design.kind == DESIGN_ONE_AT_A_TIME)
        swing_one_at_a_time(table, metric, effects, count);
    for (size_t i = 1; i < count; i++) /* few enough to insert */
        for (size_t j = i; j > 0 && weight(&effects[j]) > weight(&effects[j - 1]); j--) {
            struct sweep_effect other = effects[j];
            effects[j] = effects[j - 1];
            effects[j - 1] = other;
        }
    return count;
}

size_t insight_knee(const double *x, const double *y, size_t count)
{
    enum { LEAST = 5 };
    double low = INFINITY, high = -INFINITY, farthest = 0.1;
    size_t knee = count;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, y[i]);
        high = fmax(high, y[i]);
    }
    if (count < LEAST || !(high > low) || !(x[count - 1] > x[0]))
        return count;
    for (size_t i = 1; i + 1 < count; i++) {
        double along = (x[i] - x[0]) / (x[count - 1] - x[0]);
        double line = y[0] + along * (y[count - 1] - y[0]);
        double distance = fabs(y[i] - line) / (high - low);
        if (distance > farthest + 1e-12) {
            farthest = distance;
            knee = i;
        }
    }
    return knee;
}

/* Values turned so that less is better. */
static double cost(const struct sweep_table *table, size_t metric, double value)
{
    return table->metric[metric].better == METRIC_MORE ? -value : value;
}

static bool same_place(const struct sweep_table *table, const struct sweep_point *one,
                       const struct sweep_point *other)
{
    if (one->role != other->role)
        return false;
    for (size_t a = 0; a < table->axes; a++) {
        const char *here = one->at[a].label, *there = other->at[a].label;
        if (here == NULL || there == NULL ? here != there : strcmp(here, there) != 0)
            return false;
    }
    return true;
}

size_t insight_seeds(const struct sweep_table *table, size_t first)
{
    size_t count = 1;
    while (count < table->seeds && first + count < table->points &&
           same_place(table, &table->point[first], &table->point[first + count]))
        count++;
    return count;
}

double insight_mean(const struct sweep_table *table, size_t first, size_t metric)
{
    size_t count = insight_seeds(table, first), kept = 0;
    double sum = 0;
    for (size_t i = first; i < first + count; i++)
        if (!isnan(table->point[i].value[metric])) {
            sum += table->point[i].value[metric];
            kept++;
        }
    return kept > 0 ? sum / (double)kept : (double)NAN;
}

size_t insight_pareto(const struct sweep_table *table, size_t a, size_t b, bool *front)
{
    size_t marked = 0;
    double *x = heap_new(table->points, sizeof *x), *y = heap_new(table->points, sizeof *y);
    for (size_t i = 0; i < table->points; i++)
        x[i] = y[i] = (double)NAN;
    for (size_t i = 0; i < table->points; i += insight_seeds(table, i)) {
        x[i] = cost(table, a, insight_mean(table, i, a));
        y[i] = cost(table, b, insight_mean(table, i, b));
    }
    for (size_t i = 0; i < table->points; i++) {
        front[i] = !isnan(x[i]) && !isnan(y[i]);
        for (size_t j = 0; front[i] && j < table->points; j++)
            front[i] = !(x[j] <= x[i] && y[j] <= y[i] && (x[j] < x[i] || y[j] < y[i]));
        marked += front[i];
    }
    free(x);
    free(y);
    return marked;
}

size_t insight_wins(const struct sweep_table *table, size_t metric, size_t axis, size_t *wins)
{
    struct sweep_cells cells;
    size_t compared = 0, own = 0, levels = table->axis[axis].levels;
    memset(wins, 0, levels * sizeof *wins);
    if (!is_grid(table) || table->metric[metric].better == METRIC_NEITHER)
        return 0;
    cells_make(table, metric, &cells);
    while (own < cells.axes && cells.axis[own] != axis)
        own++;
    size_t step = 1;
    for (size_t a = own + 1; a < cells.axes; a++)
        step *= cells.levels[a];
    for (size_t i = 0; own < cells.axes && i < cells.count; i++) {
        if (i / step % levels != 0)
            continue;
        double best = (double)NAN;
        for (size_t l = 0; l < levels; l++) {
            double value = cost(table, metric, cells.cell[i + l * step].mean);
            best = isnan(best) || value < best ? value : best;
        }
        if (isnan(best))
            continue;
        compared++;
        for (size_t l = 0; l < levels; l++)
            wins[l] +=
                cost(table, metric, cells.cell[i + l * step].mean) <= best + 1e-3 * fabs(best);
    }
    cells_free(&cells);
    return compared;
}

bool insight_range(const struct sweep_table *table, size_t metric, struct sweep_extreme *least,
                   struct sweep_extreme *greatest)
{
    *least = *greatest = (struct sweep_extreme){NULL, (double)NAN};
    for (size_t i = 0; i < table->points; i += insight_seeds(table, i)) {
        const struct sweep_extreme here = {&table->point[i], insight_mean(table, i, metric)};
        if (isnan(here.mean))
            continue;
        if (least->point == NULL || here.mean < least->mean)
            *least = here;
        if (greatest->point == NULL || here.mean > greatest->mean)
            *greatest = here;
    }
    return least->point != NULL;
}
