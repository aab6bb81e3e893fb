/* VidMm: what may be created, where it is placed, and how budgets are dealt out. */
#include "model/vidmm/internal.h"

#include "tests/unit/profiles.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MIB = 1 << 20 };

static void no_context(void *self, uint32_t context, uint32_t pid, uint32_t node,
                       struct probe_label name, bool system)
{
    (void)self, (void)context, (void)pid, (void)node, (void)name, (void)system;
}

static int64_t committed_bytes;

static void commit(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment, int64_t bytes)
{
    (void)self, (void)now_ns, (void)pid, (void)segment;
    committed_bytes += bytes;
}

static void ignore(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment, int64_t bytes)
{
    (void)self, (void)now_ns, (void)pid, (void)segment, (void)bytes;
}

static struct vidmm *vidmm;
static struct profile profile;
static struct sim *sim;
static struct vidsch *vidsch;

/* A machine of the profile `ideal`, some values changed: pairs of key and value, ended by NULL. */
static void start(const char *const (*settings)[2])
{
    child_profile(&profile, "ideal", settings);
    static const struct sim_link link = {1e9, 1e9, 1, false};
    static struct probe probe = {.context = no_context, .committed = commit, .resident = ignore};
    sim = sim_create(&link, 1, NULL);
    vidsch = vidsch_create(sim, &profile, &probe);
    vidmm = vidmm_create(sim, &profile, vidsch, &probe);
}

static void stop(void)
{
    const char *wrong = vidmm_check(vidmm);
    if (wrong)
        child_fails("%s", wrong);
    vidmm_destroy(vidmm);
    vidsch_destroy(vidsch);
    sim_destroy(sim);
}

static uint32_t create(struct vidmm_allocation_info info, uint64_t *size)
{
    struct vidmm_allocation *allocation = NULL;
    uint32_t status = vidmm_allocation_create(vidmm, &info, &allocation);
    child_expects(allocation != NULL, status == STATUS_SUCCESS);
    if (!allocation)
        return status;
    *size = vidmm_allocation_size(allocation);
    child_expects(vidmm_allocation_segment(allocation), 0);
    child_expects(committed_bytes, *size);
    vidmm_allocation_destroy(allocation);
    child_expects(committed_bytes, 0);
    return status;
}

/* Segments of the machine: 1 local (2 MiB, 64 KiB pages), 2 aperture (1 MiB, 4 KiB pages). */
static void creation_is_validated_body(void *argument)
{
    (void)argument;
    static const char *const settings[][2] = {
        {"segments.local.size", "2MiB"},
        {"segments.local.page", "64KiB"},
        {"segments.aperture.size", "1MiB"},
        {"segments.aperture.cpu-visible", "1MiB"},
        {"segments.local.commit-limit", "1984KiB"},
        {"system.memory", "3MiB"},
        {NULL, NULL},
    };
    start(settings);

    static const struct {
        struct vidmm_allocation_info info;
        uint32_t status;
        uint64_t size;
    } cases[] = {
        {{.size = 1, .segments = 1}, 0, 65536}, /* whole pages */
        {{.size = 65537, .segments = 1}, 0, 131072},
        {{.size = 1, .segments = 2}, 0, 4096},
        {{.size = 1, .segments = 3}, 0, 65536}, /* the coarsest page of where it may go */
        {{.size = 1, .segments = 3, .preferred = {2, 1}}, 0, 65536},
        {{.size = 1, .segments = 1, .alignment = MIB}, 0, 65536},
        {{.size = 2 * MIB - 65536, .segments = 1}, 0, 2 * MIB - 65536}, /* the limit */
        {{.size = 2 * MIB - 65535, .segments = 1}, 0xC01E0100, 0},
        {{.size = MIB + 1, .segments = 2}, 0xC01E0100, 0},
        {{.size = MIB + 1, .segments = 3}, 0, MIB + 65536}, /* fits one of the two */
        {{.size = 0, .segments = 1}, 0xC000000D, 0},
        {{.size = UINT64_MAX, .segments = 1}, 0xC000000D, 0},
        {{.size = 1, .segments = 0}, 0xC000000D, 0},
        {{.size = 1, .segments = 4}, 0xC000000D, 0},
        {{.size = 1, .segments = 5}, 0xC000000D, 0},
        {{.size = 1, .segments = 1, .alignment = 3}, 0xC000000D, 0},
        {{.size = 1, .segments = 1, .preferred = {2}}, 0xC000000D, 0},
        {{.size = 1, .segments = 1, .preferred = {200}}, 0xC000000D, 0},
        {{.size = 1, .segments = 1, .preferred = {1 | VIDMM_FROM_END}}, 0, 65536},
        {{.size = 1, .segments = 1, .preferred = {VIDMM_FROM_END}}, 0xC000000D, 0},
        {{.size = 1, .segments = 1, .bank = 127 | VIDMM_BANK_FROM_TOP}, 0, 65536},
        {{.size = 1, .segments = 1, .bank = VIDMM_BANK_FROM_TOP}, 0xC000000D, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t size = 0;
        uint32_t status = create(cases[i].info, &size);
        if (status != cases[i].status || size != cases[i].size)
            child_fails("case %zu: status %#x, %" PRIu64 " bytes", i, status, size);
    }
    /* Of 3 MiB of system memory one and a half are taken: another one and a half fit, one more page
     * does not. */
    struct vidmm_allocation *a, *b, *c;
    struct vidmm_allocation_info info = {.size = MIB + MIB / 2, .segments = 1};
    child_expects(vidmm_allocation_create(vidmm, &info, &a), STATUS_SUCCESS);
    child_expects(vidmm_allocation_create(vidmm, &info, &b), STATUS_SUCCESS);
    info = (struct vidmm_allocation_info){.size = 1, .segments = 2};
    child_expects(vidmm_allocation_create(vidmm, &info, &c), STATUS_NO_MEMORY);
    /* What someone holds stays until it is dropped. */
    vidmm_allocation_hold(a);
    vidmm_allocation_destroy(a);
    child_expects(vidmm_allocation_create(vidmm, &info, &c), STATUS_NO_MEMORY);
    vidmm_allocation_drop(a);
    child_expects(vidmm_allocation_create(vidmm, &info, &c), STATUS_SUCCESS);
    stop();
}

static void creation_is_validated(void **state)
{
    (void)state;
    assert_true(child_runs(creation_is_validated_body, NULL));
}

/* Two memory segments of 20 pages in four banks of five, and an aperture. One after the other is
 * placed, and stays: where must it lie? */
static void places_where_it_is_wanted_body(void *argument)
{
    (void)argument;
    enum { PAGE = 4096 };
    static const char *const settings[][2] = {
        {"wddm", "2.0"},
        {"segments.local.size", "80KiB"},
        {"segments.local.banks", "4"},
        {"segments.other.kind", "memory"},
        {"segments.other.size", "80KiB"},
        {NULL, NULL},
    };
    start(settings); /* ids: 1 local, 2 aperture, 3 other */
    static const struct {
        uint64_t pages;
        struct vidmm_allocation_info info;
        uint32_t segment, page; /* 0: nowhere without a fight */
    } steps[] = {
        {1, {.segments = 7, .preferred = {1}}, 1, 0},
        {1, {.segments = 7, .preferred = {1}, .from_end = true}, 1, 19},
        {2, {.segments = 7, .preferred = {1 | VIDMM_FROM_END}}, 1, 17},
        {2, {.segments = 7, .preferred = {1}, .bank = 2}, 1, 5},
        {2, {.segments = 7, .preferred = {1}, .bank = 2 | VIDMM_BANK_FROM_TOP}, 1, 8},
        {2, {.segments = 7, .preferred = {1}, .bank = 2}, 1, 1}, /* the bank is full: best fit */
        {1, {.segments = 7, .preferred = {1}, .bank = 5}, 1, 7}, /* there is no such bank */
        {1, {.segments = 5, .preferred = {3}, .overlay = true}, 3, 16},
        {3, {.segments = 5, .preferred = {3}, .overlay = true}, 3, 17},
        {1, {.segments = 5, .preferred = {3}, .overlay = true}, 0, 0}, /* the last fifth is full */
        {16, {.segments = 5, .preferred = {1, 3}}, 3, 0}, /* no room in the first choice */
        {3, {.segments = 1, .preferred = {1}, .contiguous = true}, 1, 10},
        {5, {.segments = 1, .preferred = {1}, .contiguous = true}, 0, 0},
        {6, {.segments = 1, .preferred = {1}}, 1, 13},   /* 4 pages, and 2 of the 2 at page 3 */
        {1, {.segments = 7, .preferred = {1, 3}}, 0, 0}, /* the aperture is not preferred */
        {1, {.segments = 7}, 0, 0},
        {1, {.segments = 2}, 2, 0}, /* all there is */
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct vidmm_allocation_info info = steps[i].info;
        struct vidmm_allocation *allocation;
        info.size = steps[i].pages * PAGE;
        child_expects(vidmm_allocation_create(vidmm, &info, &allocation), STATUS_SUCCESS);
        uint32_t segment = vidmm_place(allocation) ? allocation->segment->id : 0;
        uint64_t lowest = UINT64_MAX, largest = 0;
        for (const struct range_extent *at = chain_first(allocation->extents); at; at = at->more)
            if (at->size > largest) {
                largest = at->size;
                lowest = at->offset / PAGE;
            }
        if (segment != steps[i].segment || (segment && lowest != steps[i].page))
            child_fails("step %zu: segment %" PRIu32 ", page %" PRIu64, i, segment, lowest);
        if (segment)
            vidmm_became_resident(allocation);
        else
            vidmm_allocation_destroy(allocation);
    }
    /* What lies in the overlays' fifth is pinned. */
    const struct vidmm_allocation *victim;
    while ((victim = vidmm_take_victim(&vidmm->segments[2], NULL, VIDMM_MAXIMUM)) != NULL)
        child_expects(victim->overlay, false);
    stop();
}

static void places_where_it_is_wanted(void **state)
{
    (void)state;
    assert_true(child_runs(places_where_it_is_wanted_body, NULL));
}

static struct vidmm_allocation *make(uint32_t pid, uint64_t pages)
{
    struct vidmm_allocation *allocation;
    const struct vidmm_allocation_info info = {
        .size = pages * 4096, .segments = 1, .preferred = {1}, .pid = pid};
    child_expects(vidmm_allocation_create(vidmm, &info, &allocation), STATUS_SUCCESS);
    return allocation;
}

static struct vidmm_allocation *resident(uint32_t pid, uint64_t pages)
{
    struct vidmm_allocation *allocation = make(pid, pages);
    child_expects(vidmm_place(allocation), true);
    vidmm_became_resident(allocation);
    return allocation;
}

static void expect_budget(uint32_t pid, uint64_t budget_pages, uint64_t usage_pages)
{
    struct vidmm_video_memory memory;
    vidmm_video_memory(vidmm, pid, VIDMM_LOCAL, &memory);
    child_expects(memory.budget, budget_pages * 4096);
    child_expects(memory.usage, usage_pages * 4096);
}

/* 20 pages for two processes of equal weight: each is entitled to 10, and to what the other does
 * not use of its 10. What no device requires leaves first if its process is over budget, though it
 * was used later. */
static void budgets_are_dealt_by_weight_body(void *argument)
{
    (void)argument;
    static const char *const settings[][2] = {{"wddm", "2.0"},
                                              {"vidmm.budget", "weighted"},
                                              {"segments.local.size", "80KiB"},
                                              {"vidmm.weight.focus", "9"},
                                              {"vidmm.weight.visible", "1"},
                                              {NULL, NULL}};
    start(settings);
    struct vidmm_device *one = vidmm_device_create(vidmm, 1);
    expect_budget(1, 20, 0); /* a lone process: all of it */
    struct vidmm_device *two = vidmm_device_create(vidmm, 2);
    expect_budget(1, 20, 0);
    struct vidmm_allocation *old = resident(2, 1), *young = resident(1, 1);
    vidmm_device_require(two, make(2, 8));
    expect_budget(1, 12, 0);
    struct vidmm_allocation *most = make(1, 15);
    vidmm_device_require(one, most);
    expect_budget(1, 12, 15); /* 3 too many */
    expect_budget(2, 10, 8);
    struct vidmm_segment *local = &vidmm->segments[0];
    child_expects(vidmm_take_victim(local, NULL, VIDMM_MAXIMUM) == young, true);
    vidmm_restand(young);
    vidmm_process_set_state(vidmm, 1, VIDMM_BAND_FOCUS, VIDMM_VISIBLE);
    expect_budget(1, 18, 15); /* entitled to 18 of 20 */
    expect_budget(2, 5, 8);   /* 1 keeps its 15 */
    child_expects(vidmm_take_victim(local, NULL, VIDMM_MAXIMUM) == old, true);
    vidmm_restand(old);
    vidmm_device_close(one, most);
    expect_budget(2, 20, 8);
    child_expects(vidmm_take_victim(local, NULL, VIDMM_MAXIMUM) == old, true); /* by age */
    vidmm_device_destroy(one);
    vidmm_process_exit(vidmm, 1);
    expect_budget(2, 20, 8);
    vidmm_device_destroy(two);
    stop();
}

static void budgets_are_dealt_by_weight(void **state)
{
    (void)state;
    assert_true(child_runs(budgets_are_dealt_by_weight_body, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creation_is_validated),
        cmocka_unit_test(places_where_it_is_wanted),
        cmocka_unit_test(budgets_are_dealt_by_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
