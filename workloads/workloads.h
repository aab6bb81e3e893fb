/* Synthetic workloads: each writes a trace. A new one is one file and one row in workloads.c. */
#ifndef WDDMSIM_WORKLOADS_WORKLOADS_H
#define WDDMSIM_WORKLOADS_WORKLOADS_H

#include "traces/writer.h"

/* A parameter of a workload, as text with a unit on the command line. */
struct workload_parameter {
    const char *name;
    const char *type; /* "count" (a whole number), "number", "size", "time" */
    double minimum, maximum;
    double standard; /* the default; sizes in bytes, times in ns */
    const char *meaning;
};

struct workload {
    const char *name;
    const char *summary;
    const struct workload_parameter *parameters;
    size_t parameter_count;
    /* Streams the events; `values` has one value per parameter. */
    bool (*generate)(const double *values, uint64_t seed, struct trace_writer *writer,
                     struct trace_error *error);
    /* The header the trace starts with. */
    struct trace_header header;
};

extern const struct workload *const workloads[];
extern const size_t workload_count;

#endif
