#include "cli/sweep/plan.h"
#include "analysis/heap.h"

#include <math.h>

enum { POINTS_MAX = 1000000 };

static struct sweep_point blank(const struct study *study, enum sweep_role role)
{
    struct sweep_point point = {.role = role, .seed = study->play.seed};
    point.at = heap_new(study->axis_count, sizeof *point.at);
    point.level = heap_new(study->axis_count, sizeof *point.level);
    for (size_t a = 0; a < study->axis_count; a++) {
        point.at[a].value = (double)NAN;
        point.level[a] = study->axes[a].shown.levels;
    }
    return point;
}

void plan_copy_point(const struct study *study, const struct sweep_point *from,
                     struct sweep_point *to)
{
    *to = blank(study, from->role);
    to->state = from->state;
    to->seed = from->seed;
    to->message = from->message != NULL ? heap_text(from->message) : NULL;
    for (size_t a = 0; a < study->axis_count; a++) {
        to->level[a] = from->level[a];
        to->at[a].value = from->at[a].value;
        if (from->at[a].label != NULL)
            to->at[a].label = heap_text(from->at[a].label);
    }
}

void plan_free_point(const struct study *study, struct sweep_point *point)
{
    for (size_t a = 0; a < study->axis_count; a++)
        free(point->at[a].label);
    free(point->at);
    free(point->level);
    free(point->message);
    free(point->value);
}

static void set_level(const struct study *study, struct sweep_point *point, size_t axis,
                      size_t level)
{
    const struct sweep_level *listed = &study->axes[axis].shown.level[level];
    free(point->at[axis].label);
    point->at[axis] = (struct sweep_level){heap_text(listed->label), listed->value};
    point->level[axis] = level;
}

/* The value where nothing is varied, and its place if it is listed. */
static void set_baseline(const struct study *study, struct sweep_point *point, size_t axis)
{
    const struct sweep_axis *shown = &study->axes[axis].shown;
    if (shown->baseline.label == NULL)
        return;
    point->at[axis] = (struct sweep_level){heap_text(shown->baseline.label), shown->baseline.value};
    for (size_t l = 0; l < shown->levels; l++)
        if (strcmp(shown->level[l].label, shown->baseline.label) == 0)
            point->level[axis] = l;
}

/* Takes the point over and learns its key, or why it has none. */
static size_t add(struct plan *plan, struct sweep_point *point)
{
    struct spot spot;
    char error[700] = "";
    size_t place = plan->count++;
    if (place == plan->room) {
        plan->room = 2 * plan->room + 64;
        plan->points = heap_resize(plan->points, plan->room, sizeof *plan->points);
        plan->keys = heap_resize(plan->keys, plan->room, sizeof *plan->keys);
    }
    memset(plan->keys[place], 0, sizeof plan->keys[place]);
    bool good = spot_make(plan->study, point, &spot, error, sizeof error) &&
                spot_key(plan->study, &spot, plan->keys[place], error, sizeof error);
    spot_free(&spot);
    if (!good) {
        point->state = SWEEP_INVALID;
        point->message = heap_text(error);
    }
    plan->points[place] = *point;
    return place;
}

/* Every seed of a point that is taken over. */
static void add_seeds(struct plan *plan, struct sweep_point *point)
{
    for (uint64_t i = 1; i < plan->study->seeds; i++) {
        struct sweep_point copy;
        plan_copy_point(plan->study, point, &copy);
        copy.seed = point->seed + i - 1;
        add(plan, &copy);
    }
    point->seed += plan->study->seeds - 1;
    add(plan, point);
}

/* Calls `take` for every combination of listed values, the last axis running fastest; axes that
 * are searched over stay open. */
static void combine(struct plan *plan, enum sweep_role role,
                    void (*take)(struct plan *plan, struct sweep_point *point))
{
    const struct study *study = plan->study;
    size_t count = 1;
    for (size_t a = 0; a < study->axis_count; a++)
        count *= study->searched[a] ? 1 : study->axes[a].shown.levels;
    for (size_t i = 0; i < count; i++) {
        struct sweep_point point = blank(study, role);
        size_t rest = i;
        for (size_t a = study->axis_count; a-- > 0;) {
            size_t levels = study->axes[a].shown.levels;
            if (study->searched[a])
                continue;
            set_level(study, &point, a, rest % levels);
            rest /= levels;
        }
        take(plan, &point);
    }
}

static void add_base(struct plan *plan, struct sweep_point *point)
{
    plan->bases = heap_resize(plan->bases, plan->searches + 1, sizeof *plan->bases);
    plan->bases[plan->searches++] = *point;
}

static void one_at_a_time(struct plan *plan)
{
    const struct study *study = plan->study;
    for (size_t varied = 0; varied < study->axis_count; varied++)
        for (size_t l = 0; l < study->axes[varied].shown.levels; l++) {
            struct sweep_point point = blank(study, SWEEP_POINT);
            for (size_t a = 0; a < study->axis_count; a++)
                if (a == varied)
                    set_level(study, &point, a, l);
                else
                    set_baseline(study, &point, a);
            add_seeds(plan, &point);
        }
}

static bool sample(struct plan *plan, char *error, size_t error_size)
{
    const struct study *study = plan->study;
    size_t keys = study->axis_count, rows = design_rows(&study->design, keys);
    double *unit = design_unit_cube(&study->design, keys, study->play.seed, error, error_size);
    if (unit == NULL)
        return false;
    for (size_t row = 0; row < rows; row++) {
        struct sweep_point point = blank(study, SWEEP_POINT);
        for (size_t a = 0; a < keys; a++)
            point.level[a] = axis_at(&study->axes[a], unit[row * keys + a], &point.at[a]);
        add_seeds(plan, &point);
    }
    free(unit);
    return true;
}

/* Whether the design asks for no more points than anybody will run. */
static bool few_enough(const struct study *study, char *error, size_t error_size)
{
    double count = 1, sum = 0;
    for (size_t a = 0; a < study->axis_count; a++) {
        count *= study->searched[a] ? 1 : (double)study->axes[a].shown.levels;
        sum += (double)study->axes[a].shown.levels;
    }
    if (design_samples(&study->design))
        count = (double)design_rows(&study->design, study->axis_count);
    else if (study->design.kind == DESIGN_ONE_AT_A_TIME)
        count = sum;
    count *= (double)study->seeds;
    if (count <= POINTS_MAX)
        return true;
    snprintf(error, error_size, "%.0f points are more than the %d that a sweep may have", count,
             POINTS_MAX);
    return false;
}

bool plan_make(const struct study *study, struct plan *plan, char *error, size_t error_size)
{
    *plan = (struct plan){.study = study};
    if (!few_enough(study, error, error_size))
        return false;
    if (study->search != STUDY_NO_SEARCH)
        combine(plan, SWEEP_SEARCH, add_base);
    else if (study->design.kind == DESIGN_ONE_AT_A_TIME)
        one_at_a_time(plan);
    else if (!design_samples(&study->design))
        combine(plan, SWEEP_POINT, add_seeds);
    else if (!sample(plan, error, error_size))
        return false;
    struct sweep_point baseline = blank(study, SWEEP_BASELINE);
    for (size_t a = 0; a < study->axis_count; a++)
        set_baseline(study, &baseline, a);
    add_seeds(plan, &baseline);
    return true;
}

size_t plan_add_searched(struct plan *plan, const struct sweep_point *base, const double *values,
                         uint64_t seed)
{
    const struct study *study = plan->study;
    struct sweep_point point;
    plan_copy_point(study, base, &point);
    for (size_t a = 0, s = 0; a < study->axis_count; a++)
        if (study->searched[a])
            axis_value(&study->axes[a], values[s++], &point.at[a]);
    point.seed = seed;
    size_t place = add(plan, &point);
    for (size_t i = 0; i < place; i++)
        if (plan->points[i].role == SWEEP_SEARCH && plan->keys[place][0] != 0 &&
            strcmp(plan->keys[i], plan->keys[place]) == 0) {
            plan_free_point(study, &plan->points[place]);
            plan->count--;
            return i;
        }
    return place;
}

void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        plan_free_point(plan->study, &plan->points[i]);
    for (size_t i = 0; i < plan->searches; i++)
        plan_free_point(plan->study, &plan->bases[i]);
    free(plan->points);
    free(plan->keys);
    free(plan->bases);
}
