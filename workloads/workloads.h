/* Synthetic workloads: each writes a trace. A new one is one file and one row in workloads.c.
 *
 * A workload is a structure of parameters, the table that says how they are spelled, and a function
 * that puts its threads on the stage. */
#ifndef WDDMSIM_WORKLOADS_WORKLOADS_H
#define WDDMSIM_WORKLOADS_WORKLOADS_H

#include "model/hardware/key.h"
#include "workloads/stage.h"

struct workload {
    const char *name;
    const char *summary;
    const struct key_spec *parameters;
    size_t parameter_count;
    size_t size; /* of the structure that the parameters lie in */
    /* What is wrong with parameters that are well by themselves but not together; NULL: nothing.
     * May be left out. Ask before writing. */
    const char *(*refuse)(const void *parameters);
    /* Puts the scripts on the stage; the parameters live as long as it does. */
    void (*set)(struct stage *stage, const void *parameters);
};

/* A row of a table of parameters: {WORKLOAD_ROW(frames, "rate", NUMBER, rate, "1..9", "5", "...")}
 */
#define WORKLOAD_ROW(structure, name, of_type, member, values, default_value, text)                \
    .key = name, .type = KEY_##of_type, .offset = offsetof(struct structure, member),              \
    .range = values, .standard = default_value, .meaning = text

/* The row of a workload whose allocations may be confined to one segment: memory that an experiment
 * is to run out of, without the aperture to help out. */
#define WORKLOAD_SEGMENT_ROW(structure, member, standard, whose)                                   \
    {                                                                                              \
        WORKLOAD_ROW(structure, "segment", TEXT, member, "a segment's name", standard,             \
                     "the only segment that its " whose " may lie in; any: wherever suits")        \
    }

/* The segment such a row names; NULL: any. */
const char *workload_segment(const char *name);

extern const struct workload *const workloads[];
extern const size_t workload_count;

/* NULL: there is none; `nearest` then is one that may have been meant, or NULL. */
const struct workload *workload_find(const char *name, const char **nearest);

/* Parameters of the workload, at their defaults; the caller frees them. */
void *workload_parameters(const struct workload *workload);

/* Sets a parameter from text. A wrong name or value is an error that says what was expected. */
bool workload_set(const struct workload *workload, void *parameters, const char *name,
                  const char *text, struct trace_error *error);

/* The command that makes the trace: it names the parameters that are not at their defaults. */
void workload_describe(const struct workload *workload, const void *parameters, uint64_t seed,
                       char *text, size_t size);

/* Writes the trace to a path (traces/writer.h); the same seed and parameters give the same bytes.
 */
bool workload_write(const struct workload *workload, const void *parameters, uint64_t seed,
                    const char *path, struct trace_error *error);

#endif
