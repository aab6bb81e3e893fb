#include "analysis/sweep/cells.h"
#include "analysis/heap.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

struct sweep_cell cell_of(const double *values, size_t count)
{
    struct sweep_cell cell = {.mean = (double)NAN};
    double *kept = heap_new(count, sizeof *kept);
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]))
            kept[cell.count++] = values[i];
    if (cell.count > 0)
        cell.mean = gsl_stats_mean(kept, 1, cell.count);
    if (cell.count > 1)
        cell.half = gsl_cdf_tdist_Pinv(0.975, (double)(cell.count - 1)) *
                    gsl_stats_sd_m(kept, 1, cell.count, cell.mean) / sqrt((double)cell.count);
    free(kept);
    return cell;
}

size_t cells_place(const struct sweep_cells *cells, const size_t *level)
{
    size_t place = 0;
    for (size_t a = 0; a < cells->axes; a++)
        place = place * cells->levels[a] + level[a];
    return place;
}

/* The place of a point's cell; false if it lies beside the grid. */
static bool place_of(const struct sweep_cells *cells, const struct sweep_point *point,
                     size_t *place)
{
    *place = 0;
    for (size_t a = 0; a < cells->axes; a++) {
        if (point->level[cells->axis[a]] >= cells->levels[a])
            return false;
        *place = *place * cells->levels[a] + point->level[cells->axis[a]];
    }
    return true;
}

void cells_make(const struct sweep_table *table, size_t metric, struct sweep_cells *cells)
{
    *cells = (struct sweep_cells){.count = 1};
    cells->axis = heap_new(table->axes, sizeof *cells->axis);
    cells->levels = heap_new(table->axes, sizeof *cells->levels);
    for (size_t a = 0; a < table->axes; a++) {
        if (table->axis[a].levels == 0 || table->searched[a])
            continue;
        cells->axis[cells->axes] = a;
        cells->levels[cells->axes++] = table->axis[a].levels;
        cells->count *= table->axis[a].levels;
    }
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < table->points; i++)
        first = table->point[i].seed < first ? table->point[i].seed : first;
    cells->seeds = (size_t)table->seeds;
    cells->cell = heap_new(cells->count, sizeof *cells->cell);
    cells->values = heap_new(cells->count * cells->seeds, sizeof *cells->values);
    for (size_t i = 0; i < cells->count * cells->seeds; i++)
        cells->values[i] = (double)NAN;
    for (size_t i = 0; i < table->points; i++) {
        const struct sweep_point *point = &table->point[i];
        size_t place;
        if (point->role == SWEEP_POINT && point->state == SWEEP_DONE &&
            place_of(cells, point, &place) && point->seed - first < cells->seeds)
            cells->values[place * cells->seeds + (size_t)(point->seed - first)] =
                point->value[metric];
    }
    for (size_t i = 0; i < cells->count; i++)
        cells->cell[i] = cell_of(cells->values + i * cells->seeds, cells->seeds);
}

struct sweep_cell cells_difference(const struct sweep_cells *cells, size_t a, size_t b)
{
    double *difference = heap_new(cells->seeds, sizeof *difference);
    for (size_t s = 0; s < cells->seeds; s++)
        difference[s] = cells->values[b * cells->seeds + s] - cells->values[a * cells->seeds + s];
    struct sweep_cell cell = cell_of(difference, cells->seeds);
    free(difference);
    return cell;
}

void cells_free(struct sweep_cells *cells)
{
    free(cells->axis);
    free(cells->levels);
    free(cells->cell);
    free(cells->values);
}

struct sweep_cell cell_of_role(const struct sweep_table *table, enum sweep_role role, size_t metric)
{
    double *values = heap_new(table->points, sizeof *values);
    size_t count = 0;
    for (size_t i = 0; i < table->points; i++)
        if (table->point[i].role == role && table->point[i].state == SWEEP_DONE)
            values[count++] = table->point[i].value[metric];
    struct sweep_cell cell = cell_of(values, count);
    free(values);
    return cell;
}

size_t cells_baseline(const struct sweep_axis *axis)
{
    size_t nearest = 0;
    if (axis->baseline.label == NULL)
        return 0;
    for (size_t l = 0; l < axis->levels; l++) {
        if (strcmp(axis->level[l].label, axis->baseline.label) == 0)
            return l;
        if (axis->numeric && fabs(axis->level[l].value - axis->baseline.value) <
                                 fabs(axis->level[nearest].value - axis->baseline.value))
            nearest = l;
    }
    return nearest;
}
