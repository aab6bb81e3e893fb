#include "workloads/workloads.h"

extern const struct workload workload_frames;

const struct workload *const workloads[] = {
    &workload_frames,
};

const size_t workload_count = sizeof workloads / sizeof *workloads;
