#include "analysis/sweep/search.h"
#include "analysis/heap.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_min.h>
#include <gsl/gsl_multimin.h>
#include <gsl/gsl_qrng.h>
#include <gsl/gsl_roots.h>
#include <math.h>

bool search_holds(const struct search_condition *condition, double value)
{
    if (condition->at_least)
        return condition->strictly ? value > condition->bound : value >= condition->bound;
    return condition->strictly ? value < condition->bound : value <= condition->bound;
}

/* A threshold search under way. */
struct threshold {
    const struct search_runs *runs;
    const struct search_condition *condition;
    double low, step;
    bool ended;
};

static double on_the_grid(const struct threshold *search, double x)
{
    return search->low + floor((x - search->low) / search->step + 1e-9) * search->step;
}

/* +1 where the condition holds, -1 where not: its sign changes at the threshold, and it is never
 * zero, which bisection would take for the place looked for. */
static double holds_at(double x, void *owner)
{
    struct threshold *search = owner;
    double value = (double)NAN, place = on_the_grid(search, x);
    if (!search->ended && !search->runs->batch(search->runs->self, &place, 1, &value))
        search->ended = true;
    return search_holds(search->condition, value) ? 1 : -1; /* NaN does not hold */
}

/* Bisects between two neighbours of the first look; `a` < `b`, on the grid. */
static void bisect(struct threshold *search, double a, double b, struct search_threshold *found)
{
    gsl_function function = {.function = holds_at, .params = search};
    gsl_root_fsolver *solver = heap_check(gsl_root_fsolver_alloc(gsl_root_fsolver_bisection));
    double low = a, high = b;
    gsl_root_fsolver_set(solver, &function, a, b);
    while (!search->ended && high - low > search->step / 2) {
        if (gsl_root_fsolver_iterate(solver) != GSL_SUCCESS)
            break;
        low = gsl_root_fsolver_x_lower(solver);
        high = gsl_root_fsolver_x_upper(solver);
    }
    gsl_root_fsolver_free(solver);
    /* The change lies at a grid value within (low, high]. */
    double above = on_the_grid(search, high), below = on_the_grid(search, low);
    found->value = found->from_here_up ? above : below;
    found->next = found->from_here_up ? below : above;
    found->end = search->ended ? SEARCH_ENDED : SEARCH_FOUND;
}

struct search_threshold search_threshold(const struct search_runs *runs, double low, double high,
                                         double step, const struct search_condition *condition)
{
    enum { LOOKS = 9 };
    struct threshold search = {runs, condition, low, step, false};
    struct search_threshold found = {.end = SEARCH_ENDED};
    double place[LOOKS], value[LOOKS];
    bool holds[LOOKS];
    size_t count = 0, changes = 0;
    for (size_t i = 0; i < LOOKS; i++) {
        double x = on_the_grid(&search, low + (high - low) * (double)i / (LOOKS - 1));
        if (count == 0 || x > place[count - 1])
            place[count++] = x;
    }
    if (!runs->batch(runs->self, place, count, value))
        return found;
    for (size_t i = 0; i < count; i++) {
        holds[i] = search_holds(condition, value[i]);
        changes += i > 0 && holds[i] != holds[i - 1];
    }
    found.not_monotone = changes > 1;
    found.from_here_up = holds[count - 1];
    found.value = found.from_here_up ? low : place[count - 1];
    if (isnan(value[0]) && isnan(value[count - 1])) {
        found.end = SEARCH_UNKNOWN;
    } else if (changes == 0 || (holds[0] && holds[count - 1])) {
        found.end = holds[0] ? SEARCH_EVERYWHERE : SEARCH_NOWHERE;
        found.not_monotone = changes > 0;
    } else if (!holds[0] && !holds[count - 1]) {
        found.end = SEARCH_NOWHERE; /* somewhere inside, but at neither end */
    } else {
        size_t at = found.from_here_up ? count - 1 : 1;
        while (holds[at] == holds[at - 1])
            at = found.from_here_up ? at - 1 : at + 1;
        bisect(&search, place[at - 1], place[at], &found);
    }
    return found;
}

/* A minimum search under way: a point outside the cube is as bad as how far outside it is. */
struct minimum {
    const struct search_runs *runs;
    size_t keys, budget, evaluated;
    double *best, least;
    double worst; /* seen so far */
    bool ended;
};

static void note(struct minimum *search, const double *point, double value)
{
    if (isnan(value))
        return;
    if (isnan(search->worst) || value > search->worst)
        search->worst = value;
    if (isnan(search->least) || value < search->least) {
        search->least = value;
        memcpy(search->best, point, search->keys * sizeof *point);
    }
}

/* Whether there are runs left; where equal points are run once, not for ever. */
static bool may_go_on(const struct minimum *search)
{
    size_t made = search->runs->made != NULL ? *search->runs->made : search->evaluated;
    return !search->ended && made < search->budget && search->evaluated < 4 * search->budget;
}

static double evaluate(struct minimum *search, const double *point)
{
    double outside = 0, value = (double)NAN;
    for (size_t k = 0; k < search->keys; k++)
        outside += point[k] < 0 ? -point[k] : point[k] > 1 ? point[k] - 1 : 0;
    double scale = fabs(search->worst) + fabs(search->worst - search->least);
    if (outside > 0)
        return search->worst + outside * scale;
    if (!may_go_on(search))
        return search->worst + scale;
    search->evaluated++;
    if (!search->runs->batch(search->runs->self, point, 1, &value))
        search->ended = true;
    note(search, point, value);
    return isnan(value) ? search->worst + scale : value;
}

static double evaluate_one(double x, void *owner)
{
    return evaluate(owner, &x);
}

static double evaluate_vector(const gsl_vector *x, void *owner)
{
    return evaluate(owner, gsl_vector_const_ptr(x, 0));
}

/* Brent's method between the neighbours of the best of `looks` evenly spaced values. */
static void refine_line(struct minimum *search, const double *places, const double *values,
                        size_t looks)
{
    size_t best = 0;
    for (size_t i = 1; i < looks; i++)
        if (isnan(values[best]) || values[i] < values[best])
            best = i;
    if (best == 0 || best == looks - 1 || !(values[best] < values[best - 1]) ||
        !(values[best] < values[best + 1]))
        return; /* at an end or on a plain: nothing lies lower in between */
    gsl_function function = {.function = evaluate_one, .params = search};
    gsl_min_fminimizer *solver = heap_check(gsl_min_fminimizer_alloc(gsl_min_fminimizer_brent));
    bool good = gsl_min_fminimizer_set_with_values(
                    solver, &function, places[best], values[best], places[best - 1],
                    values[best - 1], places[best + 1], values[best + 1]) == GSL_SUCCESS;
    while (good && may_go_on(search) &&
           gsl_min_fminimizer_x_upper(solver) - gsl_min_fminimizer_x_lower(solver) > 1e-4)
        good = gsl_min_fminimizer_iterate(solver) == GSL_SUCCESS;
    gsl_min_fminimizer_free(solver);
}

/* The simplex from the best place, again with a smaller one while there are runs left. */
static void refine_cube(struct minimum *search)
{
    gsl_multimin_function function = {.f = evaluate_vector, .n = search->keys, .params = search};
    gsl_vector *start = heap_check(gsl_vector_alloc(search->keys));
    gsl_vector *steps = heap_check(gsl_vector_alloc(search->keys));
    gsl_multimin_fminimizer *solver =
        heap_check(gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, search->keys));
    for (double step = 0.2; step > 1e-3 && may_go_on(search); step /= 4) {
        for (size_t k = 0; k < search->keys; k++) {
            gsl_vector_set(start, k, search->best[k]);
            gsl_vector_set(steps, k, search->best[k] + step > 1 ? -step : step);
        }
        if (gsl_multimin_fminimizer_set(solver, &function, start, steps) != GSL_SUCCESS)
            break;
        while (may_go_on(search) && gsl_multimin_fminimizer_iterate(solver) == GSL_SUCCESS &&
               gsl_multimin_fminimizer_size(solver) > step / 50)
            ;
    }
    gsl_multimin_fminimizer_free(solver);
    gsl_vector_free(start);
    gsl_vector_free(steps);
}

bool search_minimum(const struct search_runs *runs, size_t keys, size_t budget, double *best,
                    double *least)
{
    size_t looks = budget / 2 < 3 ? budget : budget / 2;
    struct minimum search = {.runs = runs,
                             .keys = keys,
                             .budget = budget,
                             .evaluated = looks,
                             .best = best,
                             .least = (double)NAN,
                             .worst = (double)NAN};
    double *places = heap_new(looks * keys, sizeof *places);
    double *values = heap_new(looks, sizeof *values);
    gsl_qrng *sobol = keys > 1 ? gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)keys) : NULL;
    for (size_t i = 0; i < looks; i++)
        if (sobol != NULL)
            gsl_qrng_get(sobol, places + i * keys);
        else
            for (size_t k = 0; k < keys; k++)
                places[i * keys + k] = looks > 1 ? (double)i / (double)(looks - 1) : 0.5;
    if (sobol != NULL)
        gsl_qrng_free(sobol);
    search.ended = !runs->batch(runs->self, places, looks, values);
    for (size_t i = 0; !search.ended && i < looks; i++)
        note(&search, places + i * keys, values[i]);
    if (!search.ended && !isnan(search.least)) {
        if (keys == 1)
            refine_line(&search, places, values, looks);
        else
            refine_cube(&search);
    }
    free(places);
    free(values);
    *least = search.least;
    return !search.ended && !isnan(search.least);
}
