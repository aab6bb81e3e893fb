#include "analysis/sweep/metric.h"
#include "analysis/human.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 256 };

/* A new row makes a number known to every sweep. */
const struct metric_known metrics_known[] = {
    {"calls.Submit.latency_ns.p50", "p50", "Submit to done, median", METRIC_LESS, true},
    {"calls.Submit.latency_ns.mean", "mean", "Submit to done, mean", METRIC_LESS, true},
    {"calls.Submit.latency_ns.p95", "p95", "Submit to done, p95", METRIC_LESS, true},
    {"calls.Submit.latency_ns.p99", "p99", "Submit to done, p99", METRIC_LESS, true},
    {"calls.Submit.latency_ns.max", "max", "Submit to done, longest", METRIC_LESS, false},
    {"calls.MakeResident.latency_ns.mean", "make-resident", "MakeResident, mean", METRIC_LESS,
     true},
    {"presents.interval_ns.p50", "frame", "between presents, median", METRIC_LESS, true},
    {"presents.interval_ns.mean", "frame-mean", "between presents, mean", METRIC_LESS, true},
    {"presents.interval_ns.p99", "frame-p99", "between presents, p99", METRIC_LESS, true},
    {"presents.until_shown_ns.p50", "until-shown", "Present to shown, median", METRIC_LESS, true},
    {"presents.dropped", "dropped", "frames dropped", METRIC_LESS, true},
    {"presents.late", "late", "frames late", METRIC_LESS, true},
    {"residency.hit_ratio", "hits", "resident when submitted", METRIC_MORE, true},
    {"paging.page_in_bytes", "page-in", "paged in", METRIC_LESS, true},
    {"paging.page_out_bytes", "page-out", "paged out", METRIC_LESS, true},
    {"paging.evictions", "evictions", "evictions", METRIC_LESS, true},
    {"paging.demotions", "demotions", "demotions", METRIC_LESS, true},
    {"paging.link_busy_ns.in", "link-in", "link busy, in", METRIC_LESS, false},
    {"paging.link_busy_ns.out", "link-out", "link busy, out", METRIC_LESS, false},
    {"scheduling.context_switches", "switches", "context switches", METRIC_LESS, true},
    {"scheduling.context_switches_avoided", "avoided", "context switches avoided", METRIC_NEITHER,
     true},
    {"scheduling.preemptions", "preemptions", "preemptions", METRIC_NEITHER, true},
    {"run.simulated_ns", "time", "simulated time", METRIC_LESS, true},
};
const size_t metrics_known_count = sizeof metrics_known / sizeof *metrics_known;

const struct metric_known *metric_find(const char *text)
{
    for (size_t i = 0; i < metrics_known_count; i++)
        if (strcmp(text, metrics_known[i].path) == 0 || strcmp(text, metrics_known[i].name) == 0)
            return &metrics_known[i];
    return NULL;
}

static bool ends_with(const char *text, size_t length, const char *end)
{
    size_t tail = strlen(end);
    return length >= tail && memcmp(text + length - tail, end, tail) == 0;
}

enum metric_unit metric_unit(const char *path)
{
    static const struct {
        const char *end;
        enum metric_unit unit;
    } units[] = {
        {"_ns", METRIC_NS},       {"_bytes", METRIC_BYTES}, {"_bytes_min", METRIC_BYTES},
        {"_share", METRIC_SHARE}, {"_ratio", METRIC_SHARE}, {"_error", METRIC_SHARE},
        {"bias", METRIC_SHARE},
    };
    const char *end = path + strlen(path), *start = end;
    while (end > path) {
        while (start > path && start[-1] != '.')
            start--;
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (ends_with(start, (size_t)(end - start), units[i].end))
                return units[i].unit;
        end = start > path ? --start : path;
    }
    return METRIC_PLAIN;
}

/* Whether the element of an array is the one that `key` picks. */
static bool is_picked(const json_t *element, const char *key)
{
    static const char *const names[] = {"pid", "id", "context"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const json_t *name = json_object_get(element, names[i]);
        char number[24];
        if (name == NULL)
            continue;
        if (json_is_string(name))
            return strcmp(json_string_value(name), key) == 0;
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(name));
        return strcmp(number, key) == 0;
    }
    return false;
}

static const json_t *element(const json_t *array, const char *key)
{
    size_t index;
    json_t *candidate;
    json_array_foreach((json_t *)(uintptr_t)array, index,
                       candidate) if (is_picked(candidate, key)) return candidate;
    char *end;
    unsigned long place = strtoul(key, &end, 10);
    return *end == 0 && end != key ? json_array_get(array, place) : NULL;
}

double metric_value(const json_t *summary, const char *path)
{
    char key[PATH_SIZE];
    while (summary != NULL && *path != 0) {
        size_t length = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)length, path);
        summary = json_is_array(summary) ? element(summary, key) : json_object_get(summary, key);
        path += length + (path[length] == '.');
    }
    return json_is_number(summary) ? json_number_value(summary) : (double)NAN;
}

static void walk(const json_t *json, const char *pattern, char path[PATH_SIZE], size_t length,
                 void (*visit)(void *self, const char *path, double value), void *self)
{
    if (*pattern == 0) {
        if (json_is_number(json))
            visit(self, path, json_number_value(json));
        return;
    }
    size_t word = strcspn(pattern, ".");
    const char *rest = pattern + word + (pattern[word] == '.');
    if (word == 1 && *pattern == '*' && json_is_object(json)) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)json, key, value)
        {
            int more =
                snprintf(path + length, PATH_SIZE - length, "%s%s", length > 0 ? "." : "", key);
            if (more > 0 && length + (size_t)more < PATH_SIZE)
                walk(value, rest, path, length + (size_t)more, visit, self);
        }
        path[length] = 0;
        return;
    }
    char key[PATH_SIZE];
    snprintf(key, sizeof key, "%.*s", (int)word, pattern);
    const json_t *value = json_is_array(json) ? element(json, key) : json_object_get(json, key);
    int more = snprintf(path + length, PATH_SIZE - length, "%s%s", length > 0 ? "." : "", key);
    if (value != NULL && more > 0 && length + (size_t)more < PATH_SIZE)
        walk(value, rest, path, length + (size_t)more, visit, self);
    path[length] = 0;
}

void metric_each(const json_t *summary, const char *pattern,
                 void (*visit)(void *self, const char *path, double value), void *self)
{
    char path[PATH_SIZE] = "";
    walk(summary, pattern, path, 0, visit, self);
}

static char *rate_text(char *text, double bytes_per_s)
{
    char number[HUMAN_ROOM];
    double unit = bytes_per_s >= 1e9 ? 1e9 : bytes_per_s >= 1e6 ? 1e6 : 1e3;
    double scaled = bytes_per_s / unit;
    snprintf(text, HUMAN_ROOM, "%s %s/s",
             human_decimal(number, scaled,
                           scaled >= 99.95   ? 0
                           : scaled >= 9.995 ? 1
                                             : 2),
             unit >= 1e9   ? "GB"
             : unit >= 1e6 ? "MB"
                           : "KB");
    return text;
}

static char *plain_text(char *text, double value)
{
    char sign[2] = "";
    if (value == floor(value) && fabs(value) < 1e15) {
        char digits[HUMAN_ROOM];
        sign[0] = value < 0 ? '-' : 0;
        snprintf(text, HUMAN_ROOM, "%s%s", sign, human_count(digits, (uint64_t)fabs(value)));
        return text;
    }
    double size = fabs(value);
    return human_decimal(text, value, size >= 100 ? 1 : size >= 1 ? 2 : size >= 0.01 ? 4 : 9);
}

char *metric_text(enum metric_unit unit, double value, char *text)
{
    if (isnan(value)) {
        strcpy(text, "-");
        return text;
    }
    switch (unit) {
    case METRIC_NS:
        return human_time(text, value);
    case METRIC_BYTES:
        return human_bytes(text, value);
    case METRIC_RATE:
        return rate_text(text, value);
    case METRIC_SHARE:
        return human_share(text, value);
    case METRIC_PLAIN:
        break;
    }
    return plain_text(text, value);
}
