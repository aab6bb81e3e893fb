#include "analysis/result.h"
#include "analysis/heap.h"
#include "analysis/output.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <sys/stat.h>

static char *label_of(const char *directory)
{
    char *copy = heap_text(directory);
    size_t length = strlen(copy);
    while (length > 1 && copy[length - 1] == '/')
        copy[--length] = 0;
    const char *slash = strrchr(copy, '/');
    char *label = heap_text(slash != NULL && slash[1] != 0 ? slash + 1 : copy);
    free(copy);
    return label;
}

bool result_load(struct result *result, const char *directory, char *error, size_t error_size)
{
    struct stat status;
    json_error_t problem;
    *result = (struct result){.directory = directory};
    if (stat(directory, &status) != 0 || !S_ISDIR(status.st_mode)) {
        snprintf(error, error_size, "%s: %s", directory,
                 errno == ENOENT ? "no such folder" : "not a folder");
        return false;
    }
    char *path = output_path(directory, "summary.json");
    FILE *file = fopen(path, "rb");
    bool loaded = false;
    if (file == NULL) {
        snprintf(error, error_size, "%s: %s; is %s the result of a replay?", path, strerror(errno),
                 directory);
    } else {
        result->summary = json_loadf(file, JSON_REJECT_DUPLICATES, &problem);
        fclose(file);
        if (result->summary == NULL)
            snprintf(error, error_size, "%s:%d: not JSON: %s", path, problem.line, problem.text);
        else if (!json_is_object(result_at(result->summary, "run", NULL)) ||
                 !json_is_object(result_at(result->summary, "calls", NULL)))
            snprintf(error, error_size, "%s: not the summary of a replay: no `run` or no `calls`",
                     path);
        else
            loaded = true;
    }
    free(path);
    if (!loaded) {
        result_free(result);
        return false;
    }
    result->label = label_of(directory);
    return true;
}

void result_free(struct result *result)
{
    json_decref(result->summary);
    free(result->label);
    *result = (struct result){0};
}

const json_t *result_at(const json_t *json, const char *key, ...)
{
    va_list keys;
    va_start(keys, key);
    for (; key != NULL && json != NULL; key = va_arg(keys, const char *))
        json = json_object_get(json, key); /* NULL for what is not an object, too */
    va_end(keys);
    return json != NULL ? json : json_null();
}

double result_number(const json_t *json)
{
    return json_is_number(json) ? json_number_value(json) : (double)NAN;
}

const char *result_text(const json_t *json)
{
    return json_is_string(json) ? json_string_value(json) : "";
}

size_t result_ranked(const json_t *object, double (*weight)(const json_t *value), const char **keys,
                     size_t most)
{
    size_t count = 0;
    double *weights = heap_new(most, sizeof *weights);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        double mine = weight(value);
        if (!(mine >= 0))
            continue;
        size_t at = count;
        while (at > 0 && weights[at - 1] < mine)
            at--;
        if (at == most)
            continue;
        size_t kept = count < most ? count : most - 1;
        memmove(keys + at + 1, keys + at, (kept - at) * sizeof *keys);
        memmove(weights + at + 1, weights + at, (kept - at) * sizeof *weights);
        keys[at] = key;
        weights[at] = mine;
        count = kept + 1;
    }
    free(weights);
    return count;
}

double result_call_time(const json_t *call)
{
    double count = result_number(result_at(call, "count", NULL));
    double mean = result_number(result_at(call, "latency_ns", "mean", NULL));
    return count * mean;
}

bool result_table_open(struct result_table *table, const struct result *result, const char *name,
                       const char *header, char *error, size_t error_size)
{
    *table = (struct result_table){0};
    char *path = output_path(result->directory, name);
    table->file = fopen(path, "rb");
    if (table->file == NULL)
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
    else if (getline(&table->line, &table->room, table->file) < 0 ||
             strncmp(table->line, header, strlen(header)) != 0)
        snprintf(error, error_size, "%s: its first line should be \"%s...\"", path, header);
    else
        header = NULL;
    free(path);
    if (header == NULL)
        return true;
    result_table_close(table);
    return false;
}

/* Cuts the line into fields in place; quoted ones lose their quotes. */
static void cut(struct result_table *table)
{
    char *in = table->line;
    table->fields = 0;
    while (table->fields < sizeof table->field / sizeof *table->field) {
        char *out = in;
        table->field[table->fields++] = out;
        bool quoted = *in == '"';
        in += quoted;
        while (*in != 0 && (quoted ? 1 : *in != ',' && *in != '\n' && *in != '\r')) {
            if (quoted && *in == '"' && *++in != '"') {
                quoted = false;
                continue;
            }
            *out++ = *in++;
        }
        bool more = *in == ',';
        in += more;
        *out = 0;
        if (!more)
            return;
    }
}

bool result_table_next(struct result_table *table, size_t least)
{
    while (getline(&table->line, &table->room, table->file) >= 0) {
        cut(table);
        if (table->fields >= least)
            return true;
    }
    return false;
}

double result_table_number(const struct result_table *table, size_t field)
{
    if (field >= table->fields || table->field[field][0] == 0)
        return (double)NAN;
    static locale_t plain; /* a decimal point is a point, whatever the user's locale */
    if (plain == (locale_t)0)
        plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    char *end;
    double value = strtod_l(table->field[field], &end, plain);
    return *end == 0 && isfinite(value) ? value : (double)NAN;
}

void result_table_close(struct result_table *table)
{
    if (table->file != NULL)
        fclose(table->file);
    free(table->line);
    *table = (struct result_table){0};
}
