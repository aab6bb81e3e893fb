#include "analysis/calibration.h"
#include "analysis/heap.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_multifit.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>

enum { ROUNDS_MAX = 16, WAYS = 2, LENGTHS = 4, CANDIDATES = WAYS * LENGTHS };
/* How far a regression's step is taken: the model is piecewise linear at best. */
static const double length_of[LENGTHS] = {1, 0.5, 0.25, 0.1};
/* A fit that gains less than so much of the error has ended. */
static const double least_gain = 0.001;
/* What is left of a key's effect beside those before it, as a share, if it is one of its own. */
static const double least_own = 1e-3;

struct fit {
    const struct calibration *of;
    size_t keys;
    double *at;        /* simulated at the present values */
    double *effect;    /* simulated with a step more of each key */
    double *values;    /* points handed to batch */
    double *candidate; /* simulated there */
    bool *used;        /* keys with an effect of their own */
};

static double relative(const struct fit *fit, const double *simulated, size_t i)
{
    return (simulated[i] - fit->of->recorded[i]) / fit->of->recorded[i];
}

static bool counts(const struct fit *fit, size_t i)
{
    return fit->of->fitted == NULL || fit->of->fitted[i];
}

static double mean_error(const struct fit *fit, const double *simulated)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < fit->of->count; i++)
        if (counts(fit, i) && !isnan(simulated[i]))
            sum += fabs(relative(fit, simulated, i)), n++;
    return n > 0 ? sum / (double)n : (double)INFINITY;
}

/* Simulates a step more of each key. */
static bool measure_effects(struct fit *fit, const struct calibration_key *keys)
{
    size_t k = fit->keys;
    for (size_t p = 0; p < k; p++)
        for (size_t j = 0; j < k; j++)
            fit->values[p * k + j] = keys[j].value + (p == j ? keys[j].step : 0);
    return fit->of->batch(fit->of->self, fit->values, k, fit->effect);
}

/* The rows that were simulated at every point, and in them the change of the relative error for
 * one unit of each key. Returns how many. */
static size_t gather(const struct fit *fit, const struct calibration_key *keys, gsl_matrix *effects,
                     gsl_vector *errors)
{
    size_t n = 0, count = fit->of->count;
    for (size_t i = 0; i < count; i++) {
        bool whole = counts(fit, i) && !isnan(fit->at[i]);
        for (size_t p = 0; whole && p < fit->keys; p++)
            whole = !isnan(fit->effect[p * count + i]);
        if (!whole)
            continue;
        for (size_t p = 0; effects != NULL && p < fit->keys; p++)
            gsl_matrix_set(effects, n, p,
                           (fit->effect[p * count + i] - fit->at[i]) / fit->of->recorded[i] /
                               keys[p].step);
        if (errors != NULL)
            gsl_vector_set(errors, n, -relative(fit, fit->at, i));
        n++;
    }
    return n;
}

/* Finds the keys whose effect is not that of those before them (Gram and Schmidt). */
static size_t choose(struct fit *fit, struct calibration_key *keys, const gsl_matrix *effects)
{
    gsl_matrix *own = heap_check(gsl_matrix_alloc(effects->size1, effects->size2));
    size_t chosen = 0;
    gsl_matrix_memcpy(own, effects);
    for (size_t p = 0; p < fit->keys; p++) {
        gsl_vector_view column = gsl_matrix_column(own, p);
        double all = gsl_blas_dnrm2(&column.vector), projection;
        for (size_t q = 0; q < p; q++) {
            gsl_vector_view before = gsl_matrix_column(own, q);
            if (!fit->used[q])
                continue;
            gsl_blas_ddot(&before.vector, &column.vector, &projection);
            gsl_blas_daxpy(-projection, &before.vector, &column.vector);
        }
        double left = gsl_blas_dnrm2(&column.vector);
        fit->used[p] = all > 0 && left > least_own * all;
        chosen += fit->used[p];
        if (fit->used[p])
            gsl_vector_scale(&column.vector, 1 / left);
        else if (keys[p].verdict == CALIBRATION_KEPT)
            keys[p].verdict = all > 0 ? CALIBRATION_AS_ANOTHER : CALIBRATION_NO_EFFECT;
    }
    gsl_matrix_free(own);
    return chosen;
}

/* The two regressions: the first has no eye for calls that the model misses for another reason than
 * these keys; the second is for when all of them are far off. */
static const gsl_multifit_robust_type *way(size_t w)
{
    return w == 0 ? gsl_multifit_robust_bisquare : gsl_multifit_robust_ols;
}

/* The step of all chosen keys that a regression proposes, 0 where it cannot tell, and its errors.
 */
static void propose(const struct fit *fit, const gsl_matrix *effects, const gsl_vector *errors,
                    size_t chosen, size_t w, double *step, double *step_error)
{
    size_t n = effects->size1, column = 0;
    gsl_matrix *chosen_effects = heap_check(gsl_matrix_alloc(n, chosen));
    gsl_matrix *covariance = heap_check(gsl_matrix_alloc(chosen, chosen));
    gsl_vector *found = heap_check(gsl_vector_alloc(chosen));
    for (size_t p = 0; p < fit->keys; p++)
        if (fit->used[p]) {
            gsl_vector_const_view from = gsl_matrix_const_column(effects, p);
            gsl_matrix_set_col(chosen_effects, column++, &from.vector);
        }
    gsl_multifit_robust_workspace *robust =
        heap_check(gsl_multifit_robust_alloc(way(w), n, chosen));
    /* Not having settled to the last digit is no reason to refuse the step: it is tried out. */
    int status = gsl_multifit_robust(chosen_effects, errors, found, covariance, robust);
    bool good = status == GSL_SUCCESS || status == GSL_EMAXITER;
    column = 0;
    for (size_t p = 0; p < fit->keys; p++) {
        double value = fit->used[p] ? gsl_vector_get(found, column) : 0;
        step[p] = good && isfinite(value) ? value : 0;
        step_error[p] = fit->used[p] ? sqrt(gsl_matrix_get(covariance, column, column)) : 0;
        column += fit->used[p];
    }
    gsl_multifit_robust_free(robust);
    gsl_vector_free(found);
    gsl_matrix_free(covariance);
    gsl_matrix_free(chosen_effects);
}

/* Takes the best of the steps as far as it pays; `*gained` says whether it did. */
static bool take(struct fit *fit, struct calibration_key *keys, const double *step,
                 const double *step_error, bool *gained)
{
    size_t k = fit->keys, count = fit->of->count, best = CANDIDATES;
    double least = mean_error(fit, fit->at) * (1 - least_gain);
    for (size_t c = 0; c < CANDIDATES; c++)
        for (size_t p = 0; p < k; p++)
            fit->values[c * k + p] =
                fmax(0, keys[p].value + length_of[c % LENGTHS] * step[c / LENGTHS * k + p]);
    if (!fit->of->batch(fit->of->self, fit->values, CANDIDATES, fit->candidate))
        return false;
    for (size_t c = 0; c < CANDIDATES; c++) {
        double error = mean_error(fit, fit->candidate + c * count);
        if (error < least)
            least = error, best = c;
    }
    *gained = best < CANDIDATES;
    if (!*gained)
        return true;
    memcpy(fit->at, fit->candidate + best * count, count * sizeof *fit->at);
    for (size_t p = 0; p < k; p++)
        if (fit->used[p]) {
            keys[p].value = fit->values[best * k + p];
            keys[p].error = step_error[best / LENGTHS * k + p];
            keys[p].verdict = CALIBRATION_FITTED;
        }
    return true;
}

/* One step of all keys. False: batch ended it. */
static bool improve(struct fit *fit, struct calibration_key *keys, bool *gained)
{
    *gained = false;
    if (!measure_effects(fit, keys))
        return false;
    size_t n = gather(fit, keys, NULL, NULL);
    if (n <= fit->keys)
        return true; /* too little was recorded */
    gsl_matrix *effects = heap_check(gsl_matrix_alloc(n, fit->keys));
    gsl_vector *errors = heap_check(gsl_vector_alloc(n));
    double *step = heap_new(2 * WAYS * fit->keys, sizeof *step);
    double *step_error = step + WAYS * fit->keys;
    gather(fit, keys, effects, errors);
    size_t chosen = choose(fit, keys, effects);
    bool go_on = true;
    for (size_t w = 0; chosen > 0 && w < WAYS; w++)
        propose(fit, effects, errors, chosen, w, step + w * fit->keys, step_error + w * fit->keys);
    if (chosen > 0)
        go_on = take(fit, keys, step, step_error, gained);
    free(step);
    gsl_vector_free(errors);
    gsl_matrix_free(effects);
    return go_on;
}

size_t calibration_batch(size_t count)
{
    return count > CANDIDATES ? count : CANDIDATES;
}

bool calibration_fit(const struct calibration *calibration, struct calibration_key *keys,
                     size_t count)
{
    struct fit fit = {
        .of = calibration,
        .keys = count,
        .at = heap_new(calibration->count, sizeof *fit.at),
        .effect = heap_new(count * calibration->count, sizeof *fit.effect),
        .values = heap_new(calibration_batch(count) * count, sizeof *fit.values),
        .candidate = heap_new(CANDIDATES * calibration->count, sizeof *fit.candidate),
        .used = heap_new(count, sizeof *fit.used),
    };
    bool gained = true;
    for (size_t p = 0; p < count; p++) {
        fit.values[p] = keys[p].value;
        keys[p].verdict = CALIBRATION_KEPT;
        keys[p].error = 0;
    }
    bool go_on = calibration->batch(calibration->self, fit.values, 1, fit.at);
    for (int round = 0; go_on && gained && round < ROUNDS_MAX; round++)
        go_on = improve(&fit, keys, &gained);
    free(fit.at);
    free(fit.effect);
    free(fit.values);
    free(fit.candidate);
    free(fit.used);
    return go_on;
}

bool calibration_line(const double *x, const double *y, size_t n, struct calibration_line *line)
{
    enum { LEAST = 10 };
    double lowest, highest;
    if (n < LEAST)
        return false;
    gsl_stats_minmax(&lowest, &highest, x, 1, n);
    if (!(highest > lowest))
        return false;
    gsl_matrix *terms = heap_check(gsl_matrix_alloc(n, 2));
    gsl_matrix *covariance = heap_check(gsl_matrix_alloc(2, 2));
    gsl_vector *found = heap_check(gsl_vector_alloc(2));
    gsl_vector_const_view values = gsl_vector_const_view_array(y, n);
    for (size_t i = 0; i < n; i++) {
        gsl_matrix_set(terms, i, 0, 1);
        gsl_matrix_set(terms, i, 1, x[i]);
    }
    gsl_multifit_robust_workspace *robust =
        heap_check(gsl_multifit_robust_alloc(gsl_multifit_robust_bisquare, n, 2));
    int status = gsl_multifit_robust(terms, &values.vector, found, covariance, robust);
    *line = (struct calibration_line){.fixed = gsl_vector_get(found, 0),
                                      .slope = gsl_vector_get(found, 1),
                                      .slope_error = sqrt(gsl_matrix_get(covariance, 1, 1))};
    gsl_multifit_robust_free(robust);
    gsl_vector_free(found);
    gsl_matrix_free(covariance);
    gsl_matrix_free(terms);
    return (status == GSL_SUCCESS || status == GSL_EMAXITER) &&
           line->slope > 3 * line->slope_error &&
           line->slope * (highest - lowest) > 1e-6 * fabs(line->fixed); /* more than rounding */
}

double calibration_median(double *values, size_t n, double *error)
{
    gsl_sort(values, 1, n);
    double median = gsl_stats_median_from_sorted_data(values, 1, n);
    double *distance = heap_new(n, sizeof *distance);
    for (size_t i = 0; i < n; i++)
        distance[i] = fabs(values[i] - median);
    gsl_sort(distance, 1, n);
    *error = 1.253 * 1.4826 * gsl_stats_median_from_sorted_data(distance, 1, n) / sqrt((double)n);
    free(distance);
    return median;
}
