/* A4 to A6: programs that let the driver of unified memory bring in what they touch. Blocks are
 * allocations, and a batch of faults is a submission that names what it brings: the engine goes on
 * when that is there. The driver's costs are the uvm set of the profiles' sources: a batch takes
 * 35 us of it, pages touched for the first time 1.24 us per KiB with their transfer, taking them
 * out of the processor's page tables 130 us. */
#include "tests/validation/trial.h"

#include <stdlib.h>

enum { BLOCK = 2097152 };

/* One pass after the other over three arrays at once. */
struct stream {
    uint32_t blocks, passes;
};

static void write_stream(FILE *trace, const void *what)
{
    enum { GPU_NS = 2552 }; /* a block at 822 GB/s */
    const struct stream *stream = what;
    trial_begin(trace, "compute");
    trial_data(trace, 1, stream->blocks, BLOCK);
    uint32_t third = stream->blocks / 3;
    for (uint32_t pass = 0; pass < stream->passes; pass++)
        for (uint32_t i = 0; i < third; i++)
            for (uint32_t array = 0; array < 3; array++) {
                uint32_t block = 1 + array * third + i;
                trial_submit(trace, 1, GPU_NS, &block, 1);
            }
}

#define FAULT_KEYS                                                                                 \
    {"vidmm.request", "35us"}, {"scheduler.submit", "0ns"}, {"scheduler.queue-depth", "1"},        \
        {"scheduler.policy", "fifo"},                                                              \
    {                                                                                              \
        "miniport.context-save-area", "false"                                                      \
    }

static struct trial_result *run_stream(uint32_t mib, uint32_t passes)
{
    struct stream stream = {.blocks = mib / 2 / 3 * 3, .passes = passes};
    return trial_run(&(struct trial){.profile = "v100-16g",
                                     .keys = {FAULT_KEYS, {"segments.local.size", "16077MiB"}},
                                     .what = &stream},
                     write_stream);
}

/* Of the last one. */
static double pass_ms(const struct trial_result *result, uint32_t mib)
{
    uint64_t last = result->calls - 1, blocks = mib / 2 / 3 * 3;
    return (double)(result->done_ns[last] - result->done_ns[last - blocks]) * 1e-6;
}

void cyclic_streaming(void)
{
    static const uint32_t sizes[] = {12288, 24576, 49152};
    double ms[3];
    for (int i = 0; i < 3; i++) {
        struct trial_result *result = run_stream(sizes[i], 3);
        ms[i] = pass_ms(result, sizes[i]);
        if (sizes[i] == 24576) {
            struct trial_result *shorter = run_stream(sizes[i], 2);
            const double mib = 1048576;
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

/* First `full` blocks fill memory; then a batch brings in some pages, or so many blocks. */
struct batch {
    uint32_t full, blocks;
    uint64_t bytes; /* of each */
};

enum { BATCH_NS = 2000000000 };

static void write_batch(FILE *trace, const void *what)
{
    const struct batch *batch = what;
    trial_begin(trace, "compute");
    trial_data(trace, 1, batch->full, BLOCK);
    trial_data(trace, batch->full + 1, batch->blocks, batch->bytes);
    for (uint32_t i = 1; i <= batch->full; i++)
        trial_submit(trace, 1, 1, &i, 1);
    uint32_t *names = malloc((batch->blocks + 1) * sizeof *names);
    for (uint32_t i = 0; i < batch->blocks; i++)
        names[i] = batch->full + 1 + i;
    trial_submit(trace, BATCH_NS, 0, names, 0); /* the context is there */
    trial_submit(trace, BATCH_NS + 1000000, 0, names, batch->blocks);
    free(names);
}

static double batch_us(struct batch batch, const char *page)
{
    struct trial_result *result =
        trial_run(&(struct trial){.profile = "titanv-12g",
                                  .keys = {FAULT_KEYS,
                                           {"segments.local.size", "128MiB"},
                                           {"segments.local.cpu-visible", "0B"},
                                           {"vidmm.page", page}},
                                  .what = &batch},
                  write_batch);
    uint64_t last = result->calls - 1;
    double us = (double)(result->done_ns[last] - result->start_ns[last]) / 1e3;
    trial_free(result);
    return us;
}

/* 1.24 us per KiB with 0.079 of the link. */
static const char first_touch[] = "4640ns";

/* What is touched for the first time comes in by batches of at most 780 KiB; so do whole arrays. */
static void first_touches(void)
{
    for (uint64_t kib = 64; kib <= 768; kib += 352) {
        char text[64];
        snprintf(text, sizeof text, "a batch of %d KiB", (int)kib);
        validation_near(text, 35 + 1.24 * (double)kib,
                        batch_us((struct batch){0, 1, kib << 10}, first_touch), "us", 0.1);
    }
    enum { BATCH_KIB = 768 };
    static const struct {
        const char *name;
        uint64_t mib;
        double ms;
    } rows[] = {{"1 GiB touched", 1024, 1150}, {"8 GiB touched", 8192, 9600}};
    double each = batch_us((struct batch){0, 1, BATCH_KIB << 10}, first_touch);
    for (int i = 0; i < 2; i++)
        validation_near(rows[i].name, rows[i].ms,
                        (double)rows[i].mib * 1024 / BATCH_KIB * each / 1e3, "ms", 0.25);
}

void fault_batches(void)
{
    first_touches();
    for (uint32_t blocks = 1; blocks <= 4; blocks++) {
        char text[64];
        snprintf(text, sizeof text, "%u evicted block%s: each adds", blocks, blocks > 1 ? "s" : "");
        double free_room = batch_us((struct batch){32, blocks, BLOCK}, "0ns");
        double none = batch_us((struct batch){64, blocks, BLOCK}, "0ns");
        validation_near(text, 182, (none - free_room) / blocks, "us", 0.1);
    }
}

/* sgemm of three matrices of 20,000 x 20,000, written by the processor before: 3272 groups of
 * faults of 1.27 MiB each in the mean. */
static void write_product(FILE *trace, const void *what)
{
    enum { GROUPS = 3272, BYTES = 1331200, GPU_NS = 1232000000 / GROUPS };
    (void)what;
    trial_begin(trace, "compute");
    trial_data(trace, 1, GROUPS, BYTES);
    for (uint32_t i = 1; i <= GROUPS; i++)
        trial_submit(trace, 1, GPU_NS, &i, 1);
}

void faulting_product(void)
{
    struct trial_result *result = trial_run(
        &(struct trial){
            .profile = "v100-16g",
            .keys = {FAULT_KEYS, {"vidmm.commit", "130us"}, {"segments.local.page", "4KiB"}}},
        write_product);
    validation_near("moved in", 4.05, (double)result->in_bytes / (1 << 30), "GiB", 0.02);
    validation_near("what faulting adds to 1.232 s", 1.03,
                    (double)result->done_ns[result->calls - 1] * 1e-9 - 1.232, "s", 0.25);
    trial_free(result);
}
