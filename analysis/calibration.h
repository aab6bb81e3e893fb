/* Fitting numbers of the model to what a recording says, whoever runs the model. */
#ifndef WDDMSIM_ANALYSIS_CALIBRATION_H
#define WDDMSIM_ANALYSIS_CALIBRATION_H

#include <stdbool.h>
#include <stddef.h>

enum calibration_verdict {
    CALIBRATION_KEPT,      /* no better value was found */
    CALIBRATION_FITTED,    /* `value` is new, `error` its standard error */
    CALIBRATION_NO_EFFECT, /* it changes nothing that was recorded */
    CALIBRATION_AS_ANOTHER /* it has the same effect as keys before it: only they were fitted */
};

/* A number to be fitted, never below 0. */
struct calibration_key {
    double value; /* where to begin; where it ended */
    double step;  /* how far away its effect is looked at */
    double error;
    enum calibration_verdict verdict;
};

/* Times that were recorded, and the model that simulates them. */
struct calibration {
    size_t count;
    const double *recorded; /* all above 0 */
    const bool *fitted;     /* the others are only simulated; NULL: all take part */
    /* Simulates `points` points of as many values as there are keys; `simulated` has `count` values
     * for each, NaN for what did not happen. False: no more. */
    bool (*batch)(void *self, const double *values, size_t points, double *simulated);
    void *self;
};

/* Fits all keys at once to the times' relative errors, by the method of Gauss and Newton: the
 * effect of each key is measured by running with a little more of it, a linear regression (GSL,
 * robust and ordinary) proposes the step, which is taken as far as the mean error falls. A batch is
 * of at most calibration_batch(count) points. False: batch ended it. */
bool calibration_fit(const struct calibration *calibration, struct calibration_key *keys,
                     size_t count);
size_t calibration_batch(size_t count);

/* y = fixed + slope · x through n points, robustly, with the standard error of the slope. False if
 * they do not tell: fewer than 10, all of one x, or a slope within three standard errors of 0. */
struct calibration_line {
    double fixed, slope, slope_error;
};
bool calibration_line(const double *x, const double *y, size_t n, struct calibration_line *line);

/* Median of `values`, which are put in order, and its standard error as from the normal
 * distribution of the same median absolute deviation (1.253 · 1.4826 · MAD / √n). */
double calibration_median(double *values, size_t n, double *error);

#endif
