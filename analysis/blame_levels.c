#include "analysis/blame_levels.h"
#include "analysis/heap.h"

#include <string.h>

enum { ALL = HISTOGRAM_OCTAVES * BLAME_LEVELS };

/* Levels are numbered through, from the shortest latencies. */
static int level_of(uint64_t latency_ns)
{
    unsigned octave = histogram_octave(latency_ns);
    return (int)(octave * BLAME_LEVELS +
                 histogram_bucket(latency_ns, octave) / (HISTOGRAM_BUCKETS / BLAME_LEVELS));
}

static struct blame_level *make_octave(struct blame_levels *levels, unsigned octave)
{
    levels->octave[octave] = heap_new(BLAME_LEVELS, sizeof *levels->octave[octave]);
    return levels->octave[octave];
}

uint64_t blame_levels_add(struct blame_levels *levels, uint64_t latency_ns,
                          const uint64_t blame_ns[PROBE_CAUSES])
{
    unsigned octave = histogram_octave(latency_ns);
    struct blame_level *level = levels->octave[octave];
    uint64_t sum = 0;
    if (level == NULL)
        level = make_octave(levels, octave);
    level += (unsigned)level_of(latency_ns) % BLAME_LEVELS;
    level->count++;
    for (int cause = 0; cause < PROBE_CAUSES; cause++) {
        level->ns[cause] += blame_ns[cause];
        sum += blame_ns[cause];
    }
    return sum;
}

void blame_levels_merge(struct blame_levels *into, const struct blame_levels *from)
{
    for (unsigned octave = 0; octave < HISTOGRAM_OCTAVES; octave++) {
        const struct blame_level *level = from->octave[octave];
        if (level == NULL)
            continue;
        struct blame_level *sum = into->octave[octave];
        if (sum == NULL)
            sum = make_octave(into, octave);
        for (int i = 0; i < BLAME_LEVELS; i++) {
            sum[i].count += level[i].count;
            for (int cause = 0; cause < PROBE_CAUSES; cause++)
                sum[i].ns[cause] += level[i].ns[cause];
        }
    }
}

static void add_level(const struct blame_levels *levels, int number, struct blame_level *sum)
{
    if (number < 0 || number >= ALL || levels->octave[number / BLAME_LEVELS] == NULL)
        return;
    const struct blame_level *level = &levels->octave[number / BLAME_LEVELS][number % BLAME_LEVELS];
    sum->count += level->count;
    for (int cause = 0; cause < PROBE_CAUSES; cause++)
        sum->ns[cause] += level->ns[cause];
}

void blame_levels_sum(const struct blame_levels *levels, uint64_t sum_ns[PROBE_CAUSES])
{
    struct blame_level sum = {0};
    for (int number = 0; number < ALL; number++)
        add_level(levels, number, &sum);
    memcpy(sum_ns, sum.ns, sizeof sum.ns);
}

void blame_levels_at(const struct blame_levels *levels, uint64_t latency_ns,
                     uint64_t part_ns[PROBE_CAUSES])
{
    struct blame_level sum = {0};
    int level = level_of(latency_ns);
    add_level(levels, level, &sum);
    for (int away = 1; sum.count < BLAME_LEAST && away < ALL; away++) {
        add_level(levels, level - away, &sum);
        add_level(levels, level + away, &sum);
    }
    histogram_sum all = 0, seen = 0;
    uint64_t given = 0;
    for (int cause = 0; cause < PROBE_CAUSES; cause++)
        all += sum.ns[cause];
    for (int cause = 0; cause < PROBE_CAUSES; cause++) {
        seen += sum.ns[cause];
        uint64_t until = all != 0 ? (uint64_t)(seen * latency_ns / all) : 0;
        part_ns[cause] = until - given;
        given = until;
    }
}

void blame_levels_clear(struct blame_levels *levels)
{
    for (size_t i = 0; i < HISTOGRAM_OCTAVES; i++)
        free(levels->octave[i]);
    *levels = (struct blame_levels){0};
}
