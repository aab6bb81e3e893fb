/* inspect --mrc: what a segment of each size would miss. */
#include "analysis/human.h"
#include "cli/inspect.h"

#include <stdlib.h>

enum { ROWS_PER_OCTAVE = 2 };

void inspect_references_init(struct inspect_references *references, uint64_t unknown_size)
{
    references->unknown_size = unknown_size;
    references->submits = miss_curve_create(INSPECT_REFERENCES_KEPT);
    references->residency = miss_curve_create(INSPECT_REFERENCES_KEPT);
}

void inspect_references_fini(struct inspect_references *references)
{
    miss_curve_destroy(references->submits);
    miss_curve_destroy(references->residency);
    numbers_fini(&references->numbers);
}

void inspect_references_use(struct inspect_references *references, struct miss_curve *curve,
                            uint32_t *number, uint64_t size)
{
    if (*number == 0)
        *number = numbers_take(&references->numbers);
    miss_curve_use(curve, *number, miss_curve_pages(size != 0 ? size : references->unknown_size));
}

void inspect_references_remove(struct inspect_references *references, uint32_t number)
{
    miss_curve_remove(references->submits, number);
    miss_curve_remove(references->residency, number);
    numbers_give(&references->numbers, number);
}

struct miss_curve *inspect_references_curve(struct inspect_references *references)
{
    struct miss_curve *curve = references->submits;
    if (miss_curve_references(curve) == 0)
        curve = references->residency;
    if (miss_curve_references(curve) == 0)
        return NULL;
    miss_curve_finish(curve);
    return curve;
}

static const char *named_by(const struct inspect_references *references,
                            const struct miss_curve *curve)
{
    return curve == references->submits ? "Submit" : "MakeResident";
}

/* Calls `visit` for sizes that people think in, from the first at which the curve steps to the one
 * that is enough. */
static void each_size(const struct miss_curve *curve,
                      void (*visit)(void *self, const struct miss_point *point), void *self)
{
    struct miss_point first;
    uint64_t enough = miss_curve_enough(curve);
    if (!miss_curve_next(curve, 0, &first))
        return;
    uint64_t size = MISS_CURVE_PAGE;
    while (2 * size <= first.bytes)
        size *= 2;
    for (;; size *= 2)
        for (unsigned row = 0; row < ROWS_PER_OCTAVE; row++) {
            uint64_t bytes = size + size / ROWS_PER_OCTAVE * row;
            struct miss_point point = miss_curve_at(curve, bytes < enough ? bytes : enough);
            visit(self, &point);
            if (bytes >= enough)
                return;
        }
}

static void print_row(void *self, const struct miss_point *point)
{
    const struct miss_curve *curve = self;
    char size[HUMAN_ROOM], missed[HUMAN_ROOM];
    printf("  %12s %9.2f %%", human_bytes(size, (double)point->bytes), 100 * point->misses);
    if (miss_curve_rate(curve) < 1)
        printf(" +-%5.2f", 100 * point->error);
    printf(" %12s\n", human_bytes(missed, point->missed_bytes));
}

void inspect_print_curve(const struct inspect_references *references,
                         const struct miss_curve *curve)
{
    char text[HUMAN_ROOM];
    if (curve == NULL) {
        printf("\nno miss-ratio curve: neither Submit nor MakeResident names allocations\n");
        return;
    }
    bool sampled = miss_curve_rate(curve) < 1;
    printf("\nmisses by size of a segment that evicts the least recently used\n");
    printf("  %s references (what %s names), %.2f %% of them first uses, which always miss\n",
           human_count(text, miss_curve_references(curve)), named_by(references, curve),
           100 * miss_curve_first_uses(curve));
    if (sampled)
        printf("  from a sample of one allocation in %.0f; +- is a 95 %% confidence interval\n",
               1 / miss_curve_rate(curve));
    printf("  %12s %11s%s %12s\n", "size", "misses", sampled ? "        " : "", "bytes missed");
    each_size(curve, print_row, (void *)(uintptr_t)curve);
}

static void add_json(void *self, const struct miss_point *point)
{
    json_t *row = json_object();
    json_object_set_new(row, "size_bytes", json_integer((json_int_t)point->bytes));
    json_object_set_new(row, "miss_ratio", json_real(point->misses));
    json_object_set_new(row, "miss_ratio_error_95", json_real(point->error));
    json_object_set_new(row, "missed_bytes", json_real(point->missed_bytes));
    json_array_append_new(self, row);
}

json_t *inspect_curve_json(const struct inspect_references *references,
                           const struct miss_curve *curve)
{
    if (curve == NULL)
        return json_null();
    json_t *object = json_object(), *points = json_array();
    json_object_set_new(object, "named_by", json_string(named_by(references, curve)));
    json_object_set_new(object, "references",
                        json_integer((json_int_t)miss_curve_references(curve)));
    json_object_set_new(object, "first_uses", json_real(miss_curve_first_uses(curve)));
    json_object_set_new(object, "sample_rate", json_real(miss_curve_rate(curve)));
    json_object_set_new(object, "enough_bytes", json_integer((json_int_t)miss_curve_enough(curve)));
    each_size(curve, add_json, points);
    json_object_set_new(object, "points", points);
    return object;
}
