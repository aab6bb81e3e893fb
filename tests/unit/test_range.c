/* The address range of a segment against a map with one byte per page. */
#include "model/vidmm/range.h"

#include "tests/unit/child.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { PAGE = 4096, PAGES = 192, OWNERS = 48 };

static unsigned char map[PAGES]; /* owner + 1, 0 = free */
static char owners[OWNERS];      /* their addresses are the owners */
static struct range_extent *extents[OWNERS];

static size_t free_pages(void)
{
    size_t count = 0;
    for (size_t i = 0; i < PAGES; i++)
        count += map[i] == 0;
    return count;
}

static bool hole_exists(size_t pages, size_t alignment)
{
    for (size_t at = 0; at + pages <= PAGES; at += alignment) {
        size_t run = 0;
        while (run < pages && map[at + run] == 0)
            run++;
        if (run == pages)
            return true;
    }
    return false;
}

static bool is_even(const void *owner)
{
    return ((const char *)owner - owners) % 2 == 0;
}

static size_t largest(bool marked_too)
{
    size_t best = 0, run = 0;
    for (size_t i = 0; i < PAGES; i++) {
        run = map[i] == 0 || (marked_too && (map[i] - 1) % 2 == 0) ? run + 1 : 0;
        best = run > best ? run : best;
    }
    return best;
}

static void take(struct range *range, size_t owner, size_t pages, size_t alignment, bool contiguous)
{
    struct range_extent *taken =
        range_take(range, pages * PAGE, alignment * PAGE, contiguous, &owners[owner]);
    bool possible = contiguous ? hole_exists(pages, alignment) : pages <= free_pages();
    bool whole = hole_exists(pages, alignment);
    assert_int_equal(taken != NULL, possible);
    if (!taken)
        return;
    size_t got = 0;
    for (const struct range_extent *extent = taken; extent; extent = extent->more) {
        assert_ptr_equal(extent->owner, &owners[owner]);
        assert_int_equal(extent->offset % PAGE, 0);
        for (size_t i = 0; i < extent->size / PAGE; i++) {
            assert_int_equal(map[extent->offset / PAGE + i], 0);
            map[extent->offset / PAGE + i] = (unsigned char)(owner + 1);
        }
        got += extent->size / PAGE;
    }
    assert_int_equal(got, pages);
    if (whole) { /* in one piece wherever that is possible */
        assert_null(taken->more);
        assert_int_equal(taken->offset % (alignment * PAGE), 0);
    }
    extents[owner] = taken;
}

static void give(struct range *range, size_t owner)
{
    range_give(range, extents[owner]);
    extents[owner] = NULL;
    for (size_t i = 0; i < PAGES; i++)
        if (map[i] == owner + 1)
            map[i] = 0;
}

static void takes_and_gives_like_a_map(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t random = seed * 104729;
        struct range range;
        range_init(&range, PAGES * PAGE);
        memset(map, 0, sizeof map);
        memset(extents, 0, sizeof extents);
        for (int step = 0; step < 3000; step++) {
            size_t owner = child_below(&random, OWNERS);
            if (extents[owner])
                give(&range, owner);
            else
                take(&range, owner, 1 + child_below(&random, 24),
                     (size_t)1 << child_below(&random, 4), child_below(&random, 3) > 0);
            const char *wrong = range_check(&range);
            if (wrong)
                fail_msg("seed %" PRIu64 ", step %d: %s", seed, step, wrong);
            assert_int_equal(range.free, free_pages() * PAGE);
            assert_int_equal(range_largest(&range), largest(false) * PAGE);
            assert_int_equal(range_largest_where(&range, is_even), largest(true) * PAGE);
        }
        range_fini(&range);
    }
}

/* Holes of 3, 1 and 2 pages: a page goes into the hole of 1, two go into that of 2. */
static void the_best_fit_is_taken(void **state)
{
    (void)state;
    struct range range;
    range_init(&range, 9 * PAGE);
    struct range_extent *parts[6];
    static const size_t sizes[6] = {3, 1, 1, 1, 2, 1};
    for (int i = 0; i < 6; i++)
        parts[i] = range_take(&range, sizes[i] * PAGE, PAGE, true, &owners[i]);
    assert_int_equal(range.free, 0);
    assert_int_equal(range_largest(&range), 0);
    assert_null(range_take(&range, PAGE, PAGE, false, &owners[6]));
    range_give(&range, parts[0]);
    range_give(&range, parts[2]);
    range_give(&range, parts[4]);
    assert_int_equal(range_take(&range, PAGE, PAGE, true, &owners[6])->offset, 4 * PAGE);
    assert_int_equal(range_take(&range, 2 * PAGE, PAGE, true, &owners[7])->offset, 6 * PAGE);
    assert_null(range_check(&range));
    range_fini(&range);
}

static void an_empty_range_holds_nothing(void **state)
{
    (void)state;
    struct range range;
    range_init(&range, 0);
    assert_null(range_take(&range, PAGE, PAGE, false, &owners[0]));
    assert_int_equal(range_largest(&range), 0);
    assert_null(range_check(&range));
    range_fini(&range);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_and_gives_like_a_map),
        cmocka_unit_test(the_best_fit_is_taken),
        cmocka_unit_test(an_empty_range_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
