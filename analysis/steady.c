#include "analysis/steady.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

enum { MSER_GROUP = 5, MSER_LEAST = 10 };

/* The cut with the least error, without a warm-up, is behind a chance peak: to take it would make
 * means too small. A real one lowers the error by more than a fifth. */
static const double WORTH_CUTTING = 0.8;

void batches_turn(struct batches *batches)
{
    if (batches->count == BATCHES) { /* in pairs: the new one is half of the next pair's batch */
        for (uint32_t i = 0; i < BATCHES / 2; i++)
            batches->sum[i] = batches->sum[2 * i] + batches->sum[2 * i + 1];
        batches->count = BATCHES / 2;
        batches->shift++;
        return;
    }
    batches->sum[batches->count++] = batches->open;
    batches->open = batches->open_count = 0;
}

size_t batches_means(const struct batches *batches, double *means)
{
    double size = (double)((uint64_t)1 << batches->shift);
    for (uint32_t i = 0; i < batches->count; i++)
        means[i] = (double)batches->sum[i] / size;
    return batches->count;
}

struct estimate estimate_mean(const double *values, size_t count)
{
    struct estimate estimate = {(double)NAN, (double)NAN};
    if (count != 0)
        estimate.mean = gsl_stats_mean(values, 1, count);
    if (count > 1) {
        double error = gsl_stats_sd_m(values, 1, count, estimate.mean) / sqrt((double)count);
        estimate.half_width = gsl_cdf_tdist_Pinv(0.975, (double)count - 1) * error;
    }
    return estimate;
}

bool steady_warm_up(const double *values, size_t count, size_t *warm_up)
{
    size_t groups = count / MSER_GROUP, best = 0;
    double sum = 0, squares = 0, error = 0, least = INFINITY;
    if (groups < MSER_LEAST)
        return false;
    /* From the end: the squared deviations of the last n groups over n squared. Around the mean of
     * all, so that little is lost to cancellation. */
    double centre = gsl_stats_mean(values, 1, count);
    for (size_t n = 1; n <= groups; n++) {
        double mean = gsl_stats_mean(values + (groups - n) * MSER_GROUP, 1, MSER_GROUP) - centre;
        sum += mean;
        squares += mean * mean;
        double size = (double)n;
        error = fmax(squares - sum * sum / size, 0) / (size * size);
        if (groups - n <= groups / 2 && error <= least) { /* of equal ones, the longer remainder */
            least = error;
            best = groups - n;
        }
    }
    if (least > WORTH_CUTTING * error) /* of all of them */
        best = 0;
    *warm_up = best * MSER_GROUP;
    return best < groups / 2;
}

bool steady_estimate(const double *values, size_t count, struct estimate *estimate, size_t *warm_up)
{
    double means[STEADY_BATCHES];
    if (!steady_warm_up(values, count, warm_up) || count - *warm_up < STEADY_LEAST)
        return false;
    size_t size = (count - *warm_up) / STEADY_BATCHES;
    *warm_up = count - size * STEADY_BATCHES; /* what does not fill a batch goes too */
    for (size_t i = 0; i < STEADY_BATCHES; i++)
        means[i] = gsl_stats_mean(values + *warm_up + i * size, 1, size);
    *estimate = estimate_mean(means, STEADY_BATCHES);
    return true;
}
