/* Independent references to blocks of unequal popularity: the k-th most popular one is referred to
 * with a probability proportional to 1 / k^exponent. What a cache of any size makes of it is
 * known (Che's approximation). */
#include "workloads/references.h"

#include <gsl/gsl_randist.h>
#include <math.h>

struct zipf {
    uint32_t blocks, references;
    double exponent, written;
    struct references how;
};

#define ROW(...) WORKLOAD_ROW(zipf, __VA_ARGS__)

static const struct key_spec parameters[] = {
    {ROW("blocks", COUNT, blocks, "1..1000000", "1000", "blocks")},
    {ROW("references", COUNT, references, "1..1000000000", "10000",
         "submissions, each of which refers to one block")},
    {ROW("exponent", NUMBER, exponent, "0..10", "0.8",
         "how unequal: 0 makes all blocks equally popular")},
    {ROW("written", NUMBER, written, "0..1", "0", "share of the references that write")},
    REFERENCES_ROWS(zipf, how),
};

enum { RANDOM_BLOCK = SCRIPT_PACE + 1, RANDOM_WRITE, RANDOM_RANK };

struct drawer {
    struct referrer referrer;
    const struct zipf *zipf;
    gsl_ran_discrete_t *popularity;
    uint32_t *block; /* by rank: popularity has nothing to do with where a block lies */
    uint32_t drawn;
};

static uint32_t choose(struct referrer *referrer)
{
    struct drawer *drawer = (struct drawer *)referrer;
    const struct zipf *zipf = drawer->zipf;
    gsl_rng *const *random = referrer->script.random;
    if (drawer->drawn == zipf->references)
        return 0;
    drawer->drawn++;
    referrer->chosen[0] = drawer->block[gsl_ran_discrete(random[RANDOM_BLOCK], drawer->popularity)];
    referrer->writes = zipf->written > 0 && gsl_rng_uniform(random[RANDOM_WRITE]) < zipf->written;
    return 1;
}

static void fini(struct script *script)
{
    gsl_ran_discrete_free(((struct drawer *)script)->popularity);
}

static void set(struct stage *stage, const void *of)
{
    const struct zipf *zipf = of;
    struct drawer *drawer =
        references_program(stage, &zipf->how, zipf->blocks, 1, choose, sizeof *drawer);
    drawer->referrer.script.fini = fini;
    drawer->zipf = zipf;
    drawer->block = stage_memory(stage, zipf->blocks, sizeof *drawer->block);
    double *weights = stage_memory(stage, zipf->blocks, sizeof *weights);
    for (uint32_t i = 0; i < zipf->blocks; i++) {
        weights[i] = pow(i + 1, -zipf->exponent);
        drawer->block[i] = i;
    }
    drawer->popularity = gsl_ran_discrete_preproc(zipf->blocks, weights);
    gsl_ran_shuffle(drawer->referrer.script.random[RANDOM_RANK], drawer->block, zipf->blocks,
                    sizeof *drawer->block);
}

const struct workload workload_zipf = {
    .name = "zipf",
    .summary = "independent references to blocks of unequal popularity",
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .size = sizeof(struct zipf),
    .set = set,
};
