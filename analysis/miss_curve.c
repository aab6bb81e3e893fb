#include "analysis/miss_curve.h"

#include "analysis/heap.h"
#include "analysis/stack_distance.h"

#include <gsl/gsl_statistics_double.h>
#include <inttypes.h>
#include <math.h>

enum { PARTS = 16, SMALLEST = 64 };

struct entry {
    uint32_t object;
    uint64_t bytes; /* 0: it ceases to exist */
};

/* References by distance, the nearest first; what never was there before stands at the end. */
struct curve {
    struct distance {
        uint64_t bytes;   /* UINT64_MAX: first use */
        uint64_t size;    /* of the object */
        double misses;    /* references from here on */
        double size_left; /* their objects' sizes */
    } * distances;
    uint64_t count;
    double expected; /* references there would be if the sample were in proportion */
};

struct miss_curve {
    uint64_t most;
    struct entry *log;
    uint64_t count, room; /* of the log */
    uint64_t kept;        /* of it, references */
    uint64_t references;  /* all there were */
    unsigned halvings;    /* one in 2^halvings objects is looked at */
    struct curve whole, parts[PARTS];
};

struct miss_curve *miss_curve_create(uint64_t most)
{
    struct miss_curve *curve = heap_new(1, sizeof *curve);
    curve->most = most;
    return curve;
}

void miss_curve_destroy(struct miss_curve *curve)
{
    if (curve == NULL)
        return;
    free(curve->log);
    free(curve->whole.distances);
    for (int i = 0; i < PARTS; i++)
        free(curve->parts[i].distances);
    free(curve);
}

/* The mixer of splitmix64. */
static uint64_t mix(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static bool is_looked_at(const struct miss_curve *curve, uint32_t object)
{
    return curve->halvings == 0 || mix(object) >> (64 - curve->halvings) == 0;
}

static unsigned part_of(uint32_t object)
{
    return (unsigned)(mix(object) % PARTS);
}

/* Half of the objects are forgotten. */
static void halve(struct miss_curve *curve)
{
    curve->halvings++;
    uint64_t kept = 0;
    curve->kept = 0;
    for (uint64_t i = 0; i < curve->count; i++) {
        if (!is_looked_at(curve, curve->log[i].object))
            continue;
        curve->log[kept++] = curve->log[i];
        curve->kept += curve->log[i].bytes != 0;
    }
    curve->count = kept;
}

static void append(struct miss_curve *curve, struct entry entry)
{
    if (curve->count == curve->room) {
        curve->room = curve->room ? 2 * curve->room : 4096;
        curve->log = heap_resize(curve->log, curve->room, sizeof *curve->log);
    }
    curve->log[curve->count++] = entry;
}

void miss_curve_use(struct miss_curve *curve, uint32_t object, uint64_t bytes)
{
    curve->references++;
    if (!is_looked_at(curve, object))
        return;
    append(curve, (struct entry){object, bytes});
    if (++curve->kept > curve->most && curve->halvings < 63)
        halve(curve);
}

void miss_curve_remove(struct miss_curve *curve, uint32_t object)
{
    if (is_looked_at(curve, object))
        append(curve, (struct entry){object, 0});
}

static int by_bytes(const void *a, const void *b)
{
    const struct distance *x = a, *y = b;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static double rate_of(const struct miss_curve *curve)
{
    return ldexp(1, -(int)curve->halvings);
}

/* Works out the curve of one part of the objects, or of all (PARTS). */
static void measure(const struct miss_curve *all, unsigned part, struct curve *curve)
{
    double rate = rate_of(all) / (part < PARTS ? PARTS : 1);
    struct stack_distance stack = {0};
    curve->distances = heap_new(all->kept + 1, sizeof *curve->distances);
    curve->expected = (double)all->references * rate;
    for (uint64_t i = 0; i < all->count; i++) {
        struct entry entry = all->log[i];
        if (part < PARTS && part_of(entry.object) != part)
            continue;
        if (entry.bytes == 0) {
            stack_distance_remove(&stack, entry.object);
            continue;
        }
        uint64_t bytes = stack_distance_use(&stack, entry.object, entry.bytes);
        if (bytes != UINT64_MAX) /* among the others, of whom so many were left out */
            bytes = entry.bytes + (uint64_t)((double)(bytes - entry.bytes) / rate);
        curve->distances[curve->count++] = (struct distance){.bytes = bytes, .size = entry.bytes};
    }
    stack_distance_fini(&stack);
    qsort(curve->distances, curve->count, sizeof *curve->distances, by_bytes);
    double misses = 0, size_left = 0;
    for (uint64_t i = curve->count; i-- > 0;) {
        struct distance *distance = &curve->distances[i];
        distance->misses = misses += 1;
        distance->size_left = size_left += (double)distance->size;
    }
}

void miss_curve_finish(struct miss_curve *curve)
{
    measure(curve, PARTS, &curve->whole);
    for (unsigned part = 0; curve->halvings && part < PARTS; part++)
        measure(curve, part, &curve->parts[part]);
}

uint64_t miss_curve_references(const struct miss_curve *curve)
{
    return curve->references;
}

double miss_curve_rate(const struct miss_curve *curve)
{
    return rate_of(curve);
}

/* The first distance beyond so many bytes; the count: none is. */
static uint64_t first_beyond(const struct curve *curve, uint64_t bytes)
{
    uint64_t low = 0, high = curve->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (curve->distances[middle].bytes > bytes)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* A sample that is too large or too small has too many or too few references to a few favourites,
 * which hit: so the references there should be are what the misses are a share of. */
static double share_beyond(const struct curve *curve, uint64_t bytes)
{
    uint64_t first = first_beyond(curve, bytes);
    double share = first < curve->count ? curve->distances[first].misses / curve->expected : 0;
    return share < 1 ? share : 1;
}

double miss_curve_first_uses(const struct miss_curve *curve)
{
    return share_beyond(&curve->whole, UINT64_MAX - 1);
}

uint64_t miss_curve_enough(const struct miss_curve *curve)
{
    uint64_t first = first_beyond(&curve->whole, UINT64_MAX - 1);
    return first > 0 ? curve->whole.distances[first - 1].bytes : 0;
}

static double error_at(const struct miss_curve *curve, uint64_t bytes)
{
    double shares[PARTS];
    for (int i = 0; i < PARTS; i++)
        shares[i] = share_beyond(&curve->parts[i], bytes);
    const double t_15 = 2.131; /* Student's t, 15 degrees of freedom, 95 % */
    return t_15 * gsl_stats_sd(shares, 1, PARTS) / sqrt(PARTS);
}

struct miss_point miss_curve_at(const struct miss_curve *curve, uint64_t bytes)
{
    const struct curve *whole = &curve->whole;
    uint64_t first = first_beyond(whole, bytes);
    return (struct miss_point){
        .bytes = bytes,
        .misses = share_beyond(whole, bytes),
        .missed_bytes =
            first < whole->count ? whole->distances[first].size_left / rate_of(curve) : 0,
        .error = curve->halvings ? error_at(curve, bytes) : 0,
    };
}

bool miss_curve_next(const struct miss_curve *curve, uint64_t bytes, struct miss_point *point)
{
    const struct curve *whole = &curve->whole;
    uint64_t first = first_beyond(whole, bytes);
    if (first >= whole->count || whole->distances[first].bytes == UINT64_MAX)
        return false;
    *point = miss_curve_at(curve, whole->distances[first].bytes);
    return true;
}

static void write_point(const struct miss_point *point, FILE *out)
{
    fprintf(out, "%" PRIu64 ",%.9g,%.3g,%.0f\n", point->bytes, point->misses, point->error,
            point->missed_bytes);
}

void miss_curve_write(const struct miss_curve *curve, uint64_t apart, FILE *out)
{
    struct miss_point point = {.bytes = 0};
    uint64_t last = 0, enough = miss_curve_enough(curve);
    fputs("size_bytes,miss_ratio,miss_ratio_error_95,missed_bytes\n", out);
    while (miss_curve_next(curve, last != 0 && apart != 0 ? last + apart - 1 : last, &point)) {
        write_point(&point, out);
        last = point.bytes;
    }
    if (last < enough) {
        point = miss_curve_at(curve, enough);
        write_point(&point, out);
    }
}
