#include "analysis/compare.h"
#include "analysis/heap.h"
#include "analysis/human.h"
#include "analysis/output.h"
#include "analysis/sweep/metric.h"

#include <ctype.h>
#include <dirent.h>
#include <locale.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

enum { RUNS_MOST = 4096 };

static bool has_summary(const char *directory)
{
    struct stat status;
    char *path = output_path(directory, "summary.json");
    bool there = stat(path, &status) == 0;
    free(path);
    return there;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool add_run(struct side *side, char *directory, char *error, size_t error_size)
{
    side->runs = heap_resize(side->runs, side->count + 1, sizeof *side->runs);
    side->directories = heap_resize(side->directories, side->count + 1, sizeof(char *));
    side->directories[side->count] = directory;
    if (result_load(&side->runs[side->count], directory, error, error_size)) {
        side->count++;
        return true;
    }
    free(directory);
    return false;
}

/* The folders in the folder that hold results, in order of their names. */
static bool add_replications(struct side *side, const char *directory, char *error,
                             size_t error_size)
{
    struct dirent **entries;
    int found = scandir(directory, &entries, is_visible, alphasort);
    bool good = true;
    for (int i = 0; i < found; i++) {
        char *path = output_path(directory, entries[i]->d_name);
        if (good && side->count < RUNS_MOST && has_summary(path))
            good = add_run(side, path, error, error_size);
        else
            free(path);
        free(entries[i]);
    }
    if (found >= 0)
        free(entries);
    return good;
}

bool side_load(struct side *side, const char *directory, char *error, size_t error_size)
{
    *side = (struct side){0};
    bool good = has_summary(directory) || add_replications(side, directory, error, error_size);
    if (good && side->count == 0) /* a result, or what says that it is none */
        good = add_run(side, heap_text(directory), error, error_size);
    if (!good) {
        side_free(side);
        return false;
    }
    const char *end = directory + strlen(directory), *start;
    while (end > directory + 1 && end[-1] == '/')
        end--;
    for (start = end; start > directory && start[-1] != '/';)
        start--;
    side->label = heap_text(start);
    side->label[end - start] = 0;
    return true;
}

void side_free(struct side *side)
{
    for (size_t i = 0; i < side->count; i++) {
        result_free(&side->runs[i]);
        free(side->directories[i]);
    }
    free(side->runs);
    free(side->directories);
    free(side->label);
    *side = (struct side){0};
}

static double seed_of(const struct result *result)
{
    return result_number(result_at(result->summary, "run", "seed", NULL));
}

const struct result *side_partner(const struct side *side, const struct result *run)
{
    for (size_t i = 0; i < side->count; i++)
        if (seed_of(&side->runs[i]) == seed_of(run))
            return &side->runs[i];
    return NULL;
}

bool side_distributions(const struct side *side, struct distributions *all, char *error,
                        size_t error_size)
{
    *all = (struct distributions){0};
    for (size_t i = 0; i < side->count; i++) {
        struct distributions one;
        if (!distributions_load(&one, &side->runs[i], error, error_size)) {
            distributions_free(all);
            return false;
        }
        if (i == 0) {
            *all = one;
            continue;
        }
        distributions_merge(all, &one);
        distributions_free(&one);
    }
    return true;
}

static double mean_of(const struct side *side, const char *path)
{
    double sum = 0;
    for (size_t i = 0; i < side->count; i++)
        sum += metric_value(side->runs[i].summary, path);
    return sum / (double)side->count;
}

struct difference side_difference(const struct side *first, const struct side *second,
                                  const char *path)
{
    struct difference result = {.first = mean_of(first, path), .second = mean_of(second, path)};
    result.difference = (struct estimate){result.second - result.first, (double)NAN};
    if (first->count < 2 || second->count < 2)
        return result;
    double *differences = heap_new(second->count, sizeof *differences);
    for (size_t i = 0; i < second->count; i++) {
        const struct result *partner = side_partner(first, &second->runs[i]);
        if (partner != NULL)
            differences[result.pairs++] =
                metric_value(second->runs[i].summary, path) - metric_value(partner->summary, path);
    }
    if (result.pairs >= 2)
        result.difference = estimate_mean(differences, result.pairs);
    free(differences);
    return result;
}

bool side_shift(const struct side *first, const struct side *second, const char *op,
                const char *quantile, struct shift *shift)
{
    char path[256];
    snprintf(path, sizeof path, "calls.%s.latency_ns.%s", op, quantile);
    struct difference whole = side_difference(first, second, path);
    *shift = (struct shift){.first = whole.first, .by = whole.difference.mean};
    for (int cause = 0; cause < PROBE_CAUSES; cause++) {
        snprintf(path, sizeof path, "calls.%s.blame_at_ns.%s.%s", op, quantile,
                 probe_cause_names[cause]);
        double part = side_difference(first, second, path).difference.mean;
        shift->part[cause] = isnan(part) ? 0 : part;
    }
    return !isnan(shift->by);
}

char *shift_text(char text[SHIFT_TEXT], const char *op, const char *quantile,
                 const struct shift *shift, char *(*time)(char *text, double ns))
{
    enum { CAUSES_TOLD = 4 };
    char size[HUMAN_ROOM];
    double part[PROBE_CAUSES];
    memcpy(part, shift->part, sizeof part);
    size_t used = (size_t)snprintf(text, SHIFT_TEXT, "%s of %.64s %s by %s", quantile, op,
                                   shift->by < 0 ? "fell" : "rose", time(size, fabs(shift->by)));
    for (int told = 0; told < CAUSES_TOLD && used < SHIFT_TEXT; told++) {
        int most = 0;
        for (int cause = 1; cause < PROBE_CAUSES; cause++)
            if (fabs(part[cause]) > fabs(part[most]))
                most = cause;
        if (part[most] == 0 || fabs(part[most]) < 0.02 * fabs(shift->by))
            break;
        used += (size_t)snprintf(text + used, SHIFT_TEXT - used, "%s %s %c%s",
                                 told == 0 ? ":" : ",", probe_cause_names[most],
                                 part[most] < 0 ? '-' : '+', time(size, fabs(part[most])));
        part[most] = 0;
    }
    return text;
}

static const struct {
    const char *name;
    enum metric_unit unit; /* METRIC_PLAIN: of any */
    double factor;
} units[] = {
    {"", METRIC_PLAIN, 1},          {"%", METRIC_SHARE, 0.01},
    {"ns", METRIC_NS, 1},           {"us", METRIC_NS, 1e3},
    {"ms", METRIC_NS, 1e6},         {"s", METRIC_NS, 1e9},
    {"B", METRIC_BYTES, 1},         {"KiB", METRIC_BYTES, 1024},
    {"MiB", METRIC_BYTES, 1048576}, {"GiB", METRIC_BYTES, 1073741824},
    {"KB", METRIC_BYTES, 1e3},      {"MB", METRIC_BYTES, 1e6},
    {"GB", METRIC_BYTES, 1e9},
};

static bool parse_limit(struct condition *condition, const char *text, char *error,
                        size_t error_size)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), users = uselocale(plain);
    char *end;
    condition->difference = *text == '+' || *text == '-';
    condition->limit = strtod(text, &end);
    uselocale(users);
    freelocale(plain);
    bool number = end != text && isfinite(condition->limit);
    while (*end == ' ')
        end++;
    size_t length = strlen(end);
    while (length > 0 && end[length - 1] == ' ')
        length--;
    enum metric_unit own = metric_unit(condition->path);
    for (size_t i = 0; number && i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i].name) != length || strncmp(units[i].name, end, length) != 0)
            continue;
        bool share = units[i].unit == METRIC_SHARE;
        if (units[i].unit != METRIC_PLAIN && units[i].unit != own &&
            !(share && condition->difference))
            break;
        condition->relative = share && condition->difference;
        condition->limit *= units[i].factor;
        return true;
    }
    snprintf(
        error, error_size,
        "expected a number, with a unit of %s if any, or a difference such as +5%%, got \"%s\"",
        condition->path, text);
    return false;
}

bool condition_parse(struct condition *condition, const char *text, char *error, size_t error_size)
{
    *condition = (struct condition){0};
    size_t length = strcspn(text, " <>=");
    const char *rest = text + length + strspn(text + length, " ");
    if (length == 0 || length >= sizeof condition->path || (*rest != '>' && *rest != '<')) {
        snprintf(error, error_size,
                 "expected PATH > LIMIT or PATH < LIMIT, such as "
                 "\"calls.Submit.latency_ns.p99 > +5%%\", got \"%s\"",
                 text);
        return false;
    }
    snprintf(condition->path, sizeof condition->path, "%.*s", (int)length, text);
    const struct metric_known *known = metric_find(condition->path);
    if (known != NULL)
        snprintf(condition->path, sizeof condition->path, "%s", known->path);
    condition->sense = *rest++ == '>' ? CONDITION_ABOVE : CONDITION_BELOW;
    condition->or_equal = *rest == '=';
    rest += condition->or_equal;
    return parse_limit(condition, rest + strspn(rest, " "), error, error_size);
}

bool condition_holds(const struct condition *condition, const struct side *first,
                     const struct side *second, bool *holds, char *error, size_t error_size)
{
    struct difference found = side_difference(first, second, condition->path);
    bool needs_first = condition->difference;
    if (isnan(found.second) || (needs_first && isnan(found.first))) {
        snprintf(error, error_size, "%s: there is no number %s",
                 isnan(found.second) ? second->label : first->label, condition->path);
        return false;
    }
    double value = found.second;
    if (condition->difference)
        value = condition->relative ? found.second / found.first - 1 : found.difference.mean;
    if (condition->relative && found.first == 0)
        value = found.second == 0 ? 0 : copysign(INFINITY, found.second);
    double limit = condition->limit;
    *holds = condition->sense == CONDITION_ABOVE ? value > limit : value < limit;
    *holds |= condition->or_equal && value == limit;
    return true;
}
