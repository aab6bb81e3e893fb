/* Passes over arrays, block by block: cyclic, or to and fro.
 *
 * What a replacement policy makes of cyclic access to more than fits is known exactly: the least
 * recently used block is always the one needed next. A submission works on the same blocks of all
 * arrays, as a triad does (A = B + C: three arrays, one of them written). */
#include "workloads/references.h"

enum pattern { CYCLIC, ZIGZAG };

struct scan {
    uint32_t blocks, arrays, written, width, passes;
    enum pattern pattern;
    struct references references;
};

#define ROW(...) WORKLOAD_ROW(scan, __VA_ARGS__)

static const struct key_spec parameters[] = {
    {ROW("blocks", COUNT, blocks, "1..1000000", "64", "blocks of each array")},
    {ROW("arrays", COUNT, arrays, "1..16", "1", "arrays that are passed over side by side")},
    {ROW("written", COUNT, written, "0..16", "0", "arrays that are written; the others are read")},
    {ROW("width", COUNT, width, "1..4096", "1",
         "consecutive blocks of each array that a submission works on")},
    {ROW("passes", COUNT, passes, "1..1000000000", "10", "passes over all blocks")},
    {ROW(
        "pattern", CHOICE, pattern, "cyclic, zigzag", "cyclic",
        "cyclic: every pass from the first block to the last; zigzag: every second one backwards")},
    REFERENCES_ROWS(scan, references),
};

struct scanner {
    struct referrer referrer;
    const struct scan *scan;
    uint32_t pass, at; /* blocks of this pass that are behind */
};

static uint32_t choose(struct referrer *referrer)
{
    struct scanner *scanner = (struct scanner *)referrer;
    const struct scan *scan = scanner->scan;
    if (scanner->at == scan->blocks) {
        scanner->at = 0;
        scanner->pass++;
    }
    if (scanner->pass == scan->passes)
        return 0;
    uint32_t left = scan->blocks - scanner->at;
    uint32_t width = scan->width < left ? scan->width : left, count = 0;
    bool back = scan->pattern == ZIGZAG && scanner->pass % 2 == 1;
    for (uint32_t array = 0; array < scan->arrays; array++)
        for (uint32_t i = 0; i < width; i++) {
            uint32_t block = back ? left - 1 - i : scanner->at + i;
            referrer->chosen[count++] = array * scan->blocks + block;
        }
    scanner->at += width;
    referrer->writes = width * (scan->written < scan->arrays ? scan->written : scan->arrays);
    return count;
}

static void set(struct stage *stage, const void *of)
{
    const struct scan *scan = of;
    struct scanner *scanner =
        references_program(stage, &scan->references, scan->blocks * scan->arrays,
                           scan->width * scan->arrays, choose, sizeof *scanner);
    scanner->scan = scan;
}

const struct workload workload_scan = {
    .name = "scan",
    .summary = "passes over arrays, block by block: cyclic, or to and fro",
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .size = sizeof(struct scan),
    .set = set,
};
