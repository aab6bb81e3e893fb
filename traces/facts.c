#include "traces/facts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void trace_facts_add(struct trace_facts *facts, const char *key, const char *meaning,
                     const char *unit, uint64_t value)
{
    if (facts->count == facts->capacity) {
        size_t capacity = facts->capacity == 0 ? 128 : 2 * facts->capacity;
        struct trace_fact *grown = realloc(facts->items, capacity * sizeof *grown);
        if (grown == NULL) {
            facts->failed = true;
            return;
        }
        facts->items = grown;
        facts->capacity = capacity;
    }
    /* Sums over a damaged file can be anything; what no number of a trace may be helps nobody. */
    static const uint64_t LARGEST = UINT64_C(1000000000000000000);
    facts->items[facts->count++] =
        (struct trace_fact){key, meaning, unit, (double)(value < LARGEST ? value : LARGEST)};
}

void trace_facts_add_format(struct trace_facts *facts, const char *unit, uint64_t value,
                            const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char *key = trace_arena_take(&facts->arena, strlen(text) + 1, 1);
    if (key == NULL) {
        facts->failed = true;
        return;
    }
    strcpy(key, text);
    char *meaning = strchr(key, '|');
    if (meaning != NULL)
        *meaning++ = '\0';
    trace_facts_add(facts, key, meaning != NULL ? meaning : "", unit, value);
}

void trace_samples_add(struct trace_facts *facts, struct trace_samples *samples, uint64_t value_ns)
{
    if (samples->count == samples->capacity) {
        size_t capacity = samples->capacity == 0 ? 64 : 2 * samples->capacity;
        uint64_t *grown = realloc(samples->items, capacity * sizeof *grown);
        if (grown == NULL) {
            facts->failed = true;
            return;
        }
        samples->items = grown;
        samples->capacity = capacity;
    }
    samples->items[samples->count++] = value_ns;
}

static int compare_values(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

uint64_t trace_samples_quantile(struct trace_samples *samples, double part)
{
    if (samples->count == 0)
        return 0;
    qsort(samples->items, samples->count, sizeof *samples->items, compare_values);
    size_t at = (size_t)((double)samples->count * part);
    return samples->items[at < samples->count ? at : samples->count - 1];
}

/* Of an even number of samples: halfway between the two in the middle. */
static uint64_t median(struct trace_samples *samples)
{
    uint64_t upper = trace_samples_quantile(samples, 0.5);
    if (samples->count % 2 != 0 || samples->count == 0)
        return upper;
    uint64_t lower = samples->items[samples->count / 2 - 1];
    return lower + (upper - lower) / 2;
}

struct quantiles {
    uint64_t count, low, median, p95, high;
};

static void add_quantiles(struct trace_facts *facts, const char *key, const char *meaning,
                          const struct quantiles *of)
{
    trace_facts_add_format(facts, "", of->count, "%s-count|%s: how many", key, meaning);
    trace_facts_add_format(facts, "ns", of->low, "%s-min-ns|%s: shortest", key, meaning);
    trace_facts_add_format(facts, "ns", of->median, "%s-median-ns|%s: median", key, meaning);
    trace_facts_add_format(facts, "ns", of->p95, "%s-p95-ns|%s: 95 of 100 are shorter", key,
                           meaning);
    trace_facts_add_format(facts, "ns", of->high, "%s-max-ns|%s: longest", key, meaning);
}

void trace_facts_add_quantiles(struct trace_facts *facts, const char *key, const char *meaning,
                               struct trace_samples *samples)
{
    if (samples->count == 0)
        return;
    const struct quantiles quantiles = {
        .count = samples->count,
        .low = trace_samples_quantile(samples, 0),
        .median = median(samples),
        .p95 = trace_samples_quantile(samples, 0.95),
        .high = trace_samples_quantile(samples, 1),
    };
    add_quantiles(facts, key, meaning, &quantiles);
}

void trace_facts_add_sorted(struct trace_facts *facts, struct trace_sorter *samples,
                            const char *key, const char *meaning)
{
    struct quantiles quantiles = {.count = trace_sorter_count(samples)};
    uint64_t p95_at = (uint64_t)((double)quantiles.count * 0.95), previous = 0, at = 0;
    const struct trace_sorted *sample;
    if (quantiles.count == 0)
        return;
    facts->failed = facts->failed || !trace_sorter_start(samples);
    for (; !facts->failed && (sample = trace_sorter_next(samples)) != NULL; at++) {
        if (at == 0)
            quantiles.low = sample->key;
        if (at == quantiles.count / 2)
            quantiles.median =
                quantiles.count % 2 != 0 ? sample->key : previous + (sample->key - previous) / 2;
        if (at == p95_at)
            quantiles.p95 = sample->key;
        quantiles.high = previous = sample->key;
    }
    facts->failed = facts->failed || trace_sorter_failure(samples) != NULL;
    add_quantiles(facts, key, meaning, &quantiles);
}

void trace_facts_lack(struct trace_facts *facts, const char *what)
{
    for (size_t i = 0; i < facts->lack_count; i++)
        if (strcmp(facts->lacks[i], what) == 0)
            return;
    assert(facts->lack_count < TRACE_LACKS_MAX);
    facts->lacks[facts->lack_count++] = what;
}

const char *trace_facts_json(struct trace_facts *facts)
{
    static const char start[] = "{\"x-import\":{", middle[] = "},\"x-lacks\":[", end[] = "]}";
    enum { NUMBER = 24, PUNCTUATION = 4 };
    size_t room = sizeof start + sizeof middle + sizeof end;
    for (size_t i = 0; i < facts->count; i++)
        room += strlen(facts->items[i].key) + NUMBER + PUNCTUATION;
    for (size_t i = 0; i < facts->lack_count; i++)
        room += strlen(facts->lacks[i]) + PUNCTUATION;
    char *json = trace_arena_take(&facts->arena, room, 1);
    if (json == NULL)
        return NULL;
    char *at = stpcpy(json, start);
    for (size_t i = 0; i < facts->count; i++)
        at += sprintf(at, "%s\"%s\":%" PRIu64, i == 0 ? "" : ",", facts->items[i].key,
                      (uint64_t)facts->items[i].value);
    at = stpcpy(at, middle);
    for (size_t i = 0; i < facts->lack_count; i++)
        at += sprintf(at, "%s\"%s\"", i == 0 ? "" : ",", facts->lacks[i]);
    strcpy(at, end);
    return json;
}

void trace_samples_free(struct trace_samples *samples)
{
    if (samples->items != NULL) /* of most kinds there are none */
        free(samples->items);
    *samples = (struct trace_samples){0};
}

void trace_facts_free(struct trace_facts *facts)
{
    free(facts->items);
    trace_arena_free(&facts->arena);
    *facts = (struct trace_facts){0};
}
