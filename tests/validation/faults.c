/* A4 to A6: programs that touch memory which is not there (residency `fault`).
 *
 * The driver's costs are the profiles' (vidmm.fault.*): of its batches of faults in unified memory,
 * as measured on a TITAN V. What the experiments have in common else is that a launch costs nothing
 * beside what follows from it. */
#include "tests/validation/trial.h"

#define FAULT_KEYS                                                                                 \
    {"scheduler.submit", "0ns"}, {"scheduler.policy", "fifo"},                                     \
    {                                                                                              \
        "miniport.context-save-area", "false"                                                      \
    }

enum { BLOCK = 2097152 };
static const double mib = 1048576;

/* Arrays that the processor has written, and kernels one after the other that touch all of them. */
struct program {
    uint32_t arrays, kernels;
    uint64_t bytes, gpu_ns; /* of each */
};

static void write_program(FILE *trace, const void *what)
{
    const struct program *program = what;
    uint32_t arrays[3] = {1, 2, 3};
    trial_begin_with(trace, "compute", "fault");
    trial_data(trace, 1, program->arrays, program->bytes);
    for (uint32_t i = 0; i < program->kernels; i++)
        trial_submit(trace, 0, program->gpu_ns, arrays, program->arrays);
}

/* A triad over three arrays side by side, again and again. */
static struct trial_result *run_triad(uint32_t size_mib, uint32_t passes)
{
    const struct program program = {.arrays = 3,
                                    .kernels = passes,
                                    .bytes = (uint64_t)(size_mib / 2 / 3) * BLOCK,
                                    .gpu_ns = (uint64_t)(size_mib * mib / 822)}; /* at 822 GB/s */
    return trial_run(
        &(struct trial){
            .profile = "v100-16g",
            .keys = {FAULT_KEYS, {"vidmm.fault.streams", "3"}, {"segments.local.size", "16077MiB"}},
            .what = &program},
        write_program);
}

static double last_pass_ms(const struct trial_result *result)
{
    uint64_t last = result->calls - 1;
    return (double)(result->done_ns[last] - result->done_ns[last - 1]) * 1e-6;
}

void cyclic_streaming(void)
{
    static const uint32_t sizes[] = {12288, 24576, 49152};
    double ms[3];
    for (int i = 0; i < 3; i++) {
        struct trial_result *result = run_triad(sizes[i], 3);
        ms[i] = last_pass_ms(result);
        if (sizes[i] == 24576) {
            struct trial_result *shorter = run_triad(sizes[i], 2);
            validation_near("24576 MiB: in per pass", sizes[i],
                            (double)(result->in_bytes - shorter->in_bytes) / mib, "MiB", 0);
            validation_near("  out per pass", sizes[i],
                            (double)(result->out_bytes - shorter->out_bytes) / mib, "MiB", 0.0235);
            trial_free(shorter);
        }
        trial_free(result);
    }
    validation_near("12288 MiB: a pass", 15.7, ms[0], "ms", 0.02);
    validation_between("24576 MiB: a pass (measured 5108.3)", 4200, 5900, ms[1], "ms");
    validation_near("49152 MiB in 24576's time", 2.01, ms[2] / ms[1], "", 0.015);
    validation_between("  in core against out of core, GB/s", 130, 1000,
                       12288 / ms[0] * ms[1] / 24576, "");
}

/* How long a kernel is at it that touches so many blocks side by side, without prefetching, in
 * memory that is full of others or not. */
struct touching {
    uint32_t streams, batch, full_mib;
    uint64_t bytes;
    const char *unmap;
};

static void write_touching(FILE *trace, const void *what)
{
    enum { LATER_NS = 2000000000 };
    const struct touching *touching = what;
    uint32_t names[2] = {1, 2};
    trial_begin_with(trace, "compute", "fault");
    trial_data(trace, 1, 1, (uint64_t)touching->full_mib << 20);
    trial_data(trace, 2, 1, touching->bytes);
    trial_submit(trace, 0, 0, names, 1);
    trial_submit(trace, LATER_NS, 0, names + 1, 1);
}

static double touch_us(struct touching touching, const char *local)
{
    char streams[16], batch[16];
    snprintf(streams, sizeof streams, "%u", touching.streams);
    snprintf(batch, sizeof batch, "%u", touching.batch);
    struct trial_result *result =
        trial_run(&(struct trial){.profile = "titanv-12g",
                                  .keys = {FAULT_KEYS,
                                           {"segments.local.size", local},
                                           {"segments.local.cpu-visible", "0B"},
                                           {"vidmm.fault.streams", streams},
                                           {"vidmm.fault.batch", batch},
                                           {"vidmm.fault.unmap", touching.unmap},
                                           {"vidmm.fault.page", "4KiB"},
                                           {"vidmm.fault.prefetch", "0"}},
                                  .what = &touching},
                  write_touching);
    uint64_t last = result->calls - 1;
    double us = (double)(result->done_ns[last] - result->start_ns[last]) / 1e3;
    trial_free(result);
    return us;
}

/* The pages of a batch of a matrix product lie in a block of their own each: that is what the
 * block's cost was derived with. Blocks are unmapped by the first batch that meets them. */
static void batches_of_a_product(void)
{
    enum { BATCHES = BLOCK / 4096 };
    for (uint32_t kib = 64; kib <= 768; kib += 352) {
        char text[64];
        uint32_t pages = kib / 4;
        snprintf(text, sizeof text, "a batch of %u KiB", kib);
        double all = touch_us((struct touching){.streams = pages,
                                                .batch = pages,
                                                .full_mib = 2,
                                                .bytes = (uint64_t)pages * BLOCK,
                                                .unmap = "0ns"},
                              "12GiB");
        validation_near(text, 35 + 1.24 * kib, all / BATCHES, "us", 0.1);
    }
}

/* An array that the processor has written is touched by the threads in their order: those of 160
 * thread blocks are on the engine at a time, two on each of its 80 multiprocessors. The largest
 * batches had 780 KiB, 195 different pages. */
static void whole_arrays(void)
{
    static const struct {
        const char *name;
        uint32_t mib;
        double ms;
    } rows[] = {{"32 MiB touched", 32, 22},
                {"128 MiB touched", 128, 117},
                {"1 GiB touched", 1024, 1150},
                {"8 GiB touched", 8192, 9600}};
    for (int i = 0; i < 4; i++)
        validation_near(rows[i].name, rows[i].ms,
                        touch_us((struct touching){.streams = 160,
                                                   .batch = 195,
                                                   .full_mib = 2,
                                                   .bytes = (uint64_t)rows[i].mib << 20,
                                                   .unmap = "130us"},
                                 "12GiB") /
                            1e3,
                        "ms", 0.25);
}

void fault_batches(void)
{
    batches_of_a_product();
    whole_arrays();
    for (uint32_t blocks = 1; blocks <= 4; blocks++) {
        char text[64];
        snprintf(text, sizeof text, "%u evicted block%s: each adds", blocks, blocks > 1 ? "s" : "");
        struct touching touching = {.streams = blocks,
                                    .batch = 195,
                                    .full_mib = 64,
                                    .bytes = (uint64_t)blocks * BLOCK,
                                    .unmap = "130us"};
        double free_room = touch_us(touching, "128MiB");
        touching.full_mib = 128;
        validation_near(text, 182, (touch_us(touching, "128MiB") - free_room) / blocks, "us", 0.1);
    }
}

/* sgemm of three matrices of 20,000 x 20,000, written by the processor before. A group of faults is
 * what a batch has of one block. */
void faulting_product(void)
{
    const struct program product = {
        .arrays = 3, .kernels = 1, .bytes = 1600000000, .gpu_ns = 1232000000};
    struct trial_result *result =
        trial_run(&(struct trial){.profile = "v100-16g", .keys = {FAULT_KEYS}, .what = &product},
                  write_program);
    validation_between("moved in (4.05 on the V100, all 4.47 on a P4000)", 4.0, 4.5,
                       (double)result->in_bytes / (1 << 30), "GiB");
    validation_near("  in groups of", 1.27,
                    (double)result->in_bytes / mib / (double)result->in_count, "MiB", 0.25);
    validation_near("what faulting adds to 1.232 s", 1.03,
                    (double)result->done_ns[result->calls - 1] * 1e-9 - 1.232, "s", 0.25);
    trial_free(result);
}
