/* What inspect finds out about a trace while reading it once. Memory grows with the objects alive
 * at the same time (and with the processes and fences there were), not with the trace. */
#ifndef WDDMSIM_CLI_INSPECT_H
#define WDDMSIM_CLI_INSPECT_H

#include "analysis/histogram.h"
#include "analysis/miss_curve.h"
#include "traces/reader.h"
#include "traces/vocabulary.h"
#include "workloads/numbers.h"

#include <jansson.h>

enum inspect_kind {
    INSPECT_DEVICES,
    INSPECT_CONTEXTS,
    INSPECT_RESOURCES,
    INSPECT_ALLOCATIONS,
    INSPECT_FENCES, /* never destroyed: they stay */
    INSPECT_KINDS,
    INSPECT_UNKNOWN = INSPECT_KINDS, /* allocations used and not created, if references are kept */
    INSPECT_ALL
};

struct inspect_object;

struct inspect_process {
    uint32_t pid;
    uint64_t events, submits, gpu_ns, presents, bytes_created, first_ns, last_ns;
};

enum { INSPECT_STATUSES = 16 };

struct inspect_op {
    uint64_t count;
    struct histogram dur, done; /* as recorded; done from the call on */
    struct {
        uint32_t status;
        uint64_t count;
    } statuses[INSPECT_STATUSES]; /* in the order they came up; later ones count as others */
    size_t status_count;
    uint64_t other_statuses;
};

/* The references of a trace, for its miss-ratio curve. */
struct inspect_references {
    uint64_t unknown_size; /* of what was not created; 0: such names are left out */
    struct miss_curve *submits, *residency; /* what Submit names, what MakeResident names */
    struct numbers numbers;                 /* of allocations */
};

struct inspection {
    struct inspect_references *named; /* NULL: not asked for */
    uint64_t events, bad_events, first_ns, last_ns;
    char first_bad[512];
    struct inspect_op ops[TRACE_OPS];
    struct {
        uint64_t created, destroyed, alive, peak;
        uint64_t not_created; /* names used though nothing of that name was alive */
        uint64_t twice;       /* names created though something of that name was alive */
        struct inspect_object *objects;
    } kinds[INSPECT_ALL];
    uint64_t bytes_created, bytes_alive, bytes_peak;
    uint64_t submits, gpu_ns, references;
    uint64_t waits_unsignaled; /* fences waited for beyond every signal, once the trace ended */
    struct inspect_process *processes; /* in the order they came up */
    size_t process_count;
    struct inspect_pid *pids;
    bool out_of_memory;
};

/* Reads to the end of the trace: TRACE_END, or TRACE_BAD with the error. `tick` is called now and
 * then and may end it early (TRACE_END) by returning false. */
enum trace_result inspect_read(struct inspection *inspection, struct trace_reader *reader,
                               bool skip_bad, bool (*tick)(void *self, uint64_t events), void *self,
                               struct trace_error *error);

void inspect_free(struct inspection *inspection);

/* For inspect_read: an allocation is used by the event; is no more. */
enum { INSPECT_REFERENCES_KEPT = 4000000 };
void inspect_references_init(struct inspect_references *references, uint64_t unknown_size);
void inspect_references_fini(struct inspect_references *references);
void inspect_references_use(struct inspect_references *references, struct miss_curve *curve,
                            uint32_t *number, uint64_t size);
void inspect_references_remove(struct inspect_references *references, uint32_t number);

/* Works out the curve: of what submissions name, or if none names anything, of what MakeResident
 * does. NULL: nothing is named at all. */
struct miss_curve *inspect_references_curve(struct inspect_references *references);

/* The curve for people and for programs. */
void inspect_print_curve(const struct inspect_references *references,
                         const struct miss_curve *curve);
json_t *inspect_curve_json(const struct inspect_references *references,
                           const struct miss_curve *curve);

#endif
