/* A program that refers to blocks of memory, one submission after another: what `scan` and `zipf`
 * share. Which blocks a submission refers to is theirs. */
#ifndef WDDMSIM_WORKLOADS_REFERENCES_H
#define WDDMSIM_WORKLOADS_REFERENCES_H

#include "workloads/script.h"
#include "workloads/workloads.h"

/* Whether a block that is not needed at the moment may leave. */
enum references_residency {
    REFERENCES_IN_TURN,    /* resident around the submission, evicted if necessary */
    REFERENCES_HELD,       /* all resident all the time */
    REFERENCES_PER_SUBMIT, /* no calls: the submissions' lists say it all */
    REFERENCES_FAULT       /* none either: what is touched comes then */
};

struct references {
    char node[PROFILE_NAME_SIZE], segment[PROFILE_NAME_SIZE];
    uint64_t block_size, gpu_ns;
    uint32_t ahead;
    enum references_residency residency;
};

/* Its rows, for a workload's structure that has it as `member`. */
#define REFERENCES_ROWS(structure, member)                                                         \
    {WORKLOAD_ROW(structure, "block-size", SIZE, member.block_size, "4KiB..4TB", "2MiB",           \
                  "bytes of a block")},                                                            \
        {WORKLOAD_ROW(structure, "gpu-time", TIME, member.gpu_ns, "1ns..1000s", "100us",           \
                      "engine time of a submission")},                                             \
        {WORKLOAD_ROW(structure, "ahead", COUNT, member.ahead, "1..1024", "4",                     \
                      "submissions that may be in the queue at a time")},                          \
        {WORKLOAD_ROW(structure, "residency", CHOICE, member.residency,                            \
                      "in-turn, held, per-submit, fault", "in-turn",                               \
                      "in-turn: a block is made resident before a submission and evicted, if "     \
                      "necessary, behind it; held: all are resident all the time; per-submit: no " \
                      "such calls, as before WDDM 2.0; fault: none either, what a submission "     \
                      "touches comes then")},                                                      \
        WORKLOAD_SEGMENT_ROW(structure, member.segment, "local", "blocks"),                        \
    {                                                                                              \
        WORKLOAD_ROW(structure, "node", TEXT, member.node, "a node's name", "3d",                  \
                     "the engine that it works on")                                                \
    }

/* The thread of the program. */
struct referrer {
    struct script script;
    const struct references *references;
    /* Puts the blocks that the next submission refers to into `chosen`, those it writes first;
     * answers how many, 0 at the end. */
    uint32_t (*choose)(struct referrer *referrer);
    uint32_t *chosen, writes; /* of the chosen ones */
    uint32_t blocks, created;
    uint64_t *names; /* of all blocks */
    uint64_t *list;  /* names of the chosen ones */
    uint64_t context, fence, submitted;
    uint64_t *done; /* by submission modulo ahead: when it is done */
    struct engine engine;
};

/* Puts the program on the stage; `most` blocks are chosen at a time, `size` bytes are those of a
 * structure that a referrer is the first part of. */
void *references_program(struct stage *stage, const struct references *references, uint32_t blocks,
                         uint32_t most, uint32_t (*choose)(struct referrer *referrer), size_t size);

#endif
