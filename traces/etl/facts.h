/* What an import counted and measured. */
#ifndef WDDMSIM_TRACES_ETL_FACTS_H
#define WDDMSIM_TRACES_ETL_FACTS_H

#include "traces/arena.h"
#include "traces/reader.h"

struct etl_facts { /* all zero: none */
    struct trace_fact *items;
    size_t count, capacity;
    struct trace_arena arena; /* formatted keys and meanings */
    bool failed;              /* out of memory: asked for once, at the end */
};

/* A growing list of durations in ns. */
struct etl_samples { /* all zero: empty */
    uint64_t *items;
    size_t count, capacity;
};

/* `key` and `meaning` must outlive the facts. */
void etl_fact(struct etl_facts *facts, const char *key, const char *meaning, const char *unit,
              uint64_t value);

/* The same with a formatted key and meaning, both in one format: "key|meaning". */
void etl_fact_format(struct etl_facts *facts, const char *unit, uint64_t value, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));

void etl_sample(struct etl_facts *facts, struct etl_samples *samples, uint64_t value_ns);

/* The value with the fraction `part` of the sorted samples below it: item floor(part * count).
 * Sorts the samples. 0 when there are none. */
uint64_t etl_quantile(struct etl_samples *samples, double part);

/* KEY-count, -min-ns, -median-ns, -p95-ns and -max-ns of the samples, if there are any. */
void etl_fact_quantiles(struct etl_facts *facts, const char *key, const char *meaning,
                        struct etl_samples *samples);

/* {"x-import":{"key":value,...}}, in the arena; NULL: out of memory. */
const char *etl_facts_json(struct etl_facts *facts);

void etl_samples_free(struct etl_samples *samples);
void etl_facts_free(struct etl_facts *facts);

#endif
