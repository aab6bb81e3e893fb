/* A1 and A2: one copy to the adapter on an idle link, as the engine sees it (uvm-eval, TITAN V) and
 * as the program that asks for it does (gpu-benches, V100). */
#include "tests/validation/trial.h"

#include <stdlib.h>

enum { FIRST = 1000000000, APART = 2000000000 }; /* ns */

struct sizes {
    uint64_t bytes[16];
    uint32_t count;
};

/* The first submission loads the context; then each has one allocation to bring in. */
static void write_copies(FILE *trace, const void *what)
{
    const struct sizes *sizes = what;
    trial_begin(trace, "compute");
    trial_submit(trace, 0, 0, NULL, 0);
    for (uint32_t i = 0; i < sizes->count; i++)
        trial_data(trace, i, 1, sizes->bytes[i]);
    for (uint32_t i = 0; i < sizes->count; i++)
        trial_submit(trace, FIRST + (uint64_t)i * APART, 0, &i, 1);
}

static double copy_us(const struct trial_result *result, const struct sizes *sizes, uint32_t i)
{
    uint64_t event = TRIAL_BEGIN_EVENTS + 1 + sizes->count * TRIAL_DATA_EVENTS + i;
    return (double)(result->done_ns[event] - result->start_ns[event]) / 1e3;
}

void engine_copies(void)
{
    static const struct {
        const char *name;
        uint64_t kib;
        double us;
    } rows[] = {{"4 KiB", 4, 1.9},         {"16 KiB", 16, 3.4},       {"64 KiB", 64, 7.4},
                {"256 KiB", 256, 22.5},    {"1 MiB", 1024, 83},       {"4 MiB", 4096, 325},
                {"16 MiB", 16384, 1290},   {"64 MiB", 65536, 5100},   {"256 MiB", 262144, 20400},
                {"1 GiB", 1048576, 82000}, {"8 GiB", 8388608, 650000}};
    struct sizes sizes = {.count = sizeof rows / sizeof *rows};
    for (uint32_t i = 0; i < sizes.count; i++)
        sizes.bytes[i] = rows[i].kib << 10;
    struct trial_result *result =
        trial_run(&(struct trial){.profile = "titanv-12g",
                                  .keys = {{"vidmm.request", "0ns"},
                                           {"scheduler.submit", "0ns"},
                                           {"segments.local.page", "4KiB"}},
                                  .what = &sizes},
                  write_copies);
    for (uint32_t i = 0; i < sizes.count; i++)
        validation_near(rows[i].name, rows[i].us, copy_us(result, &sizes, i), "us", 0.15);
    trial_free(result);
}

void program_copies(void)
{
    static const struct {
        const char *name;
        uint64_t kib;
        double us, tolerance;
    } rows[] = {{"64 KiB", 64, 37, 0.25},         {"128 KiB", 128, 37.9, 0.25},
                {"256 KiB", 256, 49.7, 0.03},     {"512 KiB", 512, 69.6, 0.03},
                {"1 MiB", 1024, 113.4, 0.03},     {"2 MiB", 2048, 199.7, 0.03},
                {"4 MiB", 4096, 367.6, 0.03},     {"8 MiB", 8192, 707.3, 0.03},
                {"16 MiB", 16384, 1385, 0.03},    {"64 MiB", 65536, 5460, 0.03},
                {"256 MiB", 262144, 21753, 0.03}, {"1 GiB", 1048576, 86943, 0.03}};
    struct sizes sizes = {.count = sizeof rows / sizeof *rows};
    for (uint32_t i = 0; i < sizes.count; i++)
        sizes.bytes[i] = rows[i].kib << 10;
    struct trial_result *result =
        trial_run(&(struct trial){.profile = "v100-16g", .what = &sizes}, write_copies);
    for (uint32_t i = 0; i < sizes.count; i++)
        validation_near(rows[i].name, rows[i].us, copy_us(result, &sizes, i), "us",
                        rows[i].tolerance);
    trial_free(result);
}
