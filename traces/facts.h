/* What an import counted and measured, and what its recording cannot know. */
#ifndef WDDMSIM_TRACES_FACTS_H
#define WDDMSIM_TRACES_FACTS_H

#include "traces/arena.h"
#include "traces/reader.h"
#include "traces/sorter.h"

enum { TRACE_LACKS_MAX = 12 };

struct trace_facts { /* all zero: none */
    struct trace_fact *items;
    size_t count, capacity;
    const char *lacks[TRACE_LACKS_MAX];
    size_t lack_count;
    struct trace_arena arena; /* formatted keys and meanings */
    bool failed;              /* out of memory: asked for once, at the end */
};

/* A growing list of durations in ns. */
struct trace_samples { /* all zero: empty */
    uint64_t *items;
    size_t count, capacity;
};

/* `key` and `meaning` must outlive the facts. */
void trace_facts_add(struct trace_facts *facts, const char *key, const char *meaning,
                     const char *unit, uint64_t value);

/* The same with a formatted key and meaning, both in one format: "key|meaning". */
void trace_facts_add_format(struct trace_facts *facts, const char *unit, uint64_t value,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

void trace_samples_add(struct trace_facts *facts, struct trace_samples *samples, uint64_t value_ns);

/* The value with the fraction `part` of the sorted samples below it: item floor(part * count).
 * Sorts the samples. 0 when there are none. */
uint64_t trace_samples_quantile(struct trace_samples *samples, double part);

/* KEY-count, -min-ns, -median-ns, -p95-ns and -max-ns of the samples, if there are any. */
void trace_facts_add_quantiles(struct trace_facts *facts, const char *key, const char *meaning,
                               struct trace_samples *samples);

/* The same of samples that are the keys of a sorter's records, however many: nothing more is put
 * into it. */
void trace_facts_add_sorted(struct trace_facts *facts, struct trace_sorter *samples,
                            const char *key, const char *meaning);

/* Notes what such a recording cannot know, and what follows: "no submissions: residency only". One
 * line for people, plain text that lives as long as the program; the same one is noted once. */
void trace_facts_lack(struct trace_facts *facts, const char *what);

/* {"x-import":{"key":value,...},"x-lacks":["what",...]}, the x- fields of an importer's header, in
 * the arena; NULL: out of memory. */
const char *trace_facts_json(struct trace_facts *facts);

void trace_samples_free(struct trace_samples *samples);
void trace_facts_free(struct trace_facts *facts);

#endif
