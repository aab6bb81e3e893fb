#include "workloads/distribution.h"

#include <gsl/gsl_randist.h>
#include <math.h>

double distribution_draw(const struct distribution *distribution, gsl_rng *random, double mean)
{
    double spread = distribution->spread;
    switch (distribution->kind) {
    case DISTRIBUTION_FIXED:
        return mean;
    case DISTRIBUTION_UNIFORM:
        return gsl_ran_flat(random, mean * (1 - spread), mean * (1 + spread));
    case DISTRIBUTION_EXPONENTIAL:
        return gsl_ran_exponential(random, mean);
    case DISTRIBUTION_LOGNORMAL:
        return mean * exp(gsl_ran_gaussian_ziggurat(random, spread) - spread * spread / 2);
    case DISTRIBUTION_PARETO: /* the least value makes the mean come out */
        return spread > 0 ? gsl_ran_pareto(random, 1 + 1 / spread, mean / (1 + spread)) : mean;
    case DISTRIBUTION_BIMODAL:
        return mean * (gsl_ran_bernoulli(random, 0.1) ? 1 + 9 * spread : 1 - spread);
    }
    return mean;
}

uint64_t distribution_whole(const struct distribution *distribution, gsl_rng *random, double mean)
{
    double value = round(distribution_draw(distribution, random, mean));
    /* Far beyond what a machine has or a run lasts: a heavy tail is cut there. */
    const double most = 1e15;
    return value < 1 ? 1 : (uint64_t)(value < most ? value : most);
}

bool distribution_wrong(const struct distribution *distribution)
{
    return distribution->spread > 1 && (distribution->kind == DISTRIBUTION_UNIFORM ||
                                        distribution->kind == DISTRIBUTION_BIMODAL);
}
