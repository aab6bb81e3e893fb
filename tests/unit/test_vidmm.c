/* VidMm: what may be created. */
#include "model/vidmm/internal.h"

#include "tests/unit/child.h"

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

static struct vidmm *vidmm;

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
    static struct profile profile;
    static const char *const settings[][2] = {
        {"segments.local.size", "2MiB"},
        {"segments.local.page", "64KiB"},
        {"segments.aperture.size", "1MiB"},
        {"segments.aperture.cpu-visible", "1MiB"},
        {"segments.local.commit-limit", "1984KiB"},
        {"system.memory", "3MiB"},
    };
    struct profile_error error;
    if (!profile_load("ideal", &profile, &error))
        child_fails("%s", error.message);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (!profile_set(&profile, settings[i][0], settings[i][1], "test", &error))
            child_fails("%s", error.message);
    const struct sim_link link = {1e9, 1e9, 1};
    struct probe probe = {.context = no_context, .committed = commit};
    struct sim *sim = sim_create(&link, 1, NULL);
    struct vidsch *vidsch = vidsch_create(sim, &profile, &probe);
    vidmm = vidmm_create(sim, &profile, vidsch, &probe);

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
    const char *wrong = vidmm_check(vidmm);
    if (wrong)
        child_fails("%s", wrong);
    vidmm_destroy(vidmm);
    vidsch_destroy(vidsch);
    sim_destroy(sim);
}

static void creation_is_validated(void **state)
{
    (void)state;
    assert_true(child_runs(creation_is_validated_body, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creation_is_validated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
