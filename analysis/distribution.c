#include "analysis/distribution.h"
#include "analysis/heap.h"

#include <math.h>

static struct distribution *find(const struct distributions *all, const char *op, bool recorded)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->of[i].recorded == recorded && strcmp(all->of[i].op, op) == 0)
            return &all->of[i];
    return NULL;
}

const struct distribution *distributions_find(const struct distributions *all, const char *op,
                                              bool recorded)
{
    return find(all, op, recorded);
}

static struct distribution *add(struct distributions *all, const char *op, bool recorded)
{
    all->of = heap_resize(all->of, all->count + 1, sizeof *all->of);
    struct distribution *new = &all->of[all->count++];
    *new = (struct distribution){.op = heap_text(op), .recorded = recorded};
    return new;
}

static void append(struct distribution *to, double value, double times)
{
    if (to->count == to->room) {
        to->room = to->room == 0 ? 64 : 2 * to->room;
        to->value = heap_resize(to->value, to->room, sizeof *to->value);
        to->times = heap_resize(to->times, to->room, sizeof *to->times);
    }
    to->value[to->count] = value;
    to->times[to->count++] = times;
    to->total += times;
}

bool distributions_load(struct distributions *all, const struct result *result, char *error,
                        size_t error_size)
{
    struct result_table table;
    struct distribution *last = NULL;
    *all = (struct distributions){0};
    if (!result_table_open(&table, result, "latency-cdf.csv", "op,source,latency_ns,share,count",
                           error, error_size))
        return false;
    while (result_table_next(&table, 5)) {
        bool recorded = strcmp(table.field[1], "recorded") == 0;
        double value = result_table_number(&table, 2), times = result_table_number(&table, 4);
        if (!(value >= 0) || !(times > 0))
            continue;
        if (last == NULL || last->recorded != recorded || strcmp(last->op, table.field[0]) != 0)
            last = find(all, table.field[0], recorded);
        if (last == NULL)
            last = add(all, table.field[0], recorded);
        if (last->count == 0 || value > last->value[last->count - 1])
            append(last, value, times);
    }
    result_table_close(&table);
    return true;
}

static void free_one(struct distribution *distribution)
{
    free(distribution->op);
    free(distribution->value);
    free(distribution->times);
}

void distributions_free(struct distributions *all)
{
    for (size_t i = 0; i < all->count; i++)
        free_one(&all->of[i]);
    free(all->of);
    *all = (struct distributions){0};
}

static void merge(struct distribution *into, const struct distribution *from)
{
    struct distribution both = {.op = heap_text(into->op), .recorded = into->recorded};
    size_t a = 0, b = 0;
    while (a < into->count || b < from->count) {
        double x = a < into->count ? into->value[a] : INFINITY;
        double y = b < from->count ? from->value[b] : INFINITY;
        double times = 0;
        if (x <= y)
            times += into->times[a++];
        if (y <= x)
            times += from->times[b++];
        append(&both, fmin(x, y), times);
    }
    free_one(into);
    *into = both;
}

void distributions_merge(struct distributions *into, const struct distributions *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct distribution *one = &from->of[i];
        struct distribution *mine = find(into, one->op, one->recorded);
        merge(mine != NULL ? mine : add(into, one->op, one->recorded), one);
    }
}

double distribution_quantile(const struct distribution *distribution, double share)
{
    double rank = ceil(share * distribution->total - 1e-9), seen = 0;
    for (size_t i = 0; i < distribution->count; i++)
        if ((seen += distribution->times[i]) >= rank)
            return distribution->value[i];
    return distribution->count != 0 ? distribution->value[distribution->count - 1] : (double)NAN;
}

void distribution_points(const struct distribution *distribution,
                         void (*visit)(void *self, double value, double share), void *self)
{
    double seen = 0, shown = 0, total = distribution->total;
    for (size_t i = 0; i < distribution->count; i++) {
        seen += distribution->times[i];
        bool visible = seen - shown >= total / 400;
        bool tail = total - seen <= (total - shown) * 0.95;
        if (i != 0 && i + 1 != distribution->count && !visible && !tail)
            continue;
        visit(self, distribution->value[i], seen / total);
        shown = seen;
    }
}
