/* Recordings of Linux graphics drivers: what ftrace wrote, as text or as trace.dat, becomes events.
 *
 * Either front end hands the records that matter to linux_add, in any order. They are sorted by
 * time; learn.c walks them once, follows every job from its submission over the engine to its
 * fence, and leaves what is known of each job in a second sorter; emit.c walks both and hands out
 * events. Memory is bounded by what is under way or alive at the same time, not by the length of
 * the recording. Internal to this folder. */
#ifndef WDDMSIM_TRACES_LINUX_LINUX_H
#define WDDMSIM_TRACES_LINUX_LINUX_H

#include "traces/arena.h"
#include "traces/facts.h"
#include "traces/input.h"
#include "traces/linux/tracepoints.h"
#include "traces/map.h"
#include "traces/reader.h"
#include "traces/sorter.h"

/* One record that matters. */
struct linux_record {
    struct trace_sorted order; /* t in ns on the recording's clock; set by linux_add: its place */
    uint64_t origin;           /* line, or offset in the file */
    uint32_t thread, process;  /* process 0: not recorded */
    uint16_t given;            /* bit per slot */
    uint8_t kind;              /* enum linux_kind */
    uint8_t tracepoint;
    uint64_t values[LINUX_SLOTS];
};

static inline bool linux_has(const struct linux_record *record, enum linux_slot slot)
{
    return (record->given >> slot & 1) != 0;
}

static inline void linux_give(struct linux_record *record, unsigned slot, uint64_t value)
{
    record->given = (uint16_t)(record->given | 1U << slot);
    record->values[slot] = value;
}

/* What is known of a job when it is done, and what had to wait for it. Ordered as its submission;
 * the waits of an engine come before the submission that they hold up. */
struct linux_job {
    struct trace_sorted order;
    uint64_t origin;
    uint64_t gpu_ns, done_ns; /* done 0: not recorded */
    uint64_t value;           /* of the fence it signals, or that is waited for */
    uint64_t dur_ns;          /* of a thread's wait */
    uint32_t thread;
    uint32_t process; /* of a thread's wait */
    uint32_t context; /* where it runs or waits; index */
    uint32_t fence;   /* context whose fence is waited for */
    uint8_t kind;     /* enum linux_job_kind */
    bool signals;     /* somebody waits for it */
};

/* Places of one time: a record's, those of the waits before the submission that it is, and that
 * submission's. */
enum { LINUX_PLACES = 16 };

enum linux_job_kind { LINUX_JOB, LINUX_ENGINE_WAIT, LINUX_THREAD_WAIT };

/* A name in the recording: of a ring, a driver, a device. */
struct linux_text {
    struct linux_text *next; /* of the same hash */
    uint16_t number;
    uint16_t length;
    const char *clean; /* the same, printable */
    char text[];
};

/* What executes jobs one after the other. */
struct linux_engine {
    const char *name;
    const char *node; /* of the vocabulary: "3d", "copy2"; set when all are known */
    uint64_t free_ns; /* when its last job was done */
};

/* Where one program's jobs for one engine queue up. */
struct linux_context {
    const char *name, *fence;
    uint32_t engine, device; /* indices */
    bool met;                /* by a submission: else the kernel ran it for itself */
};

struct linux_device {
    const char *name;
    uint32_t process; /* 0: the kernel itself */
    uint32_t ordinal; /* of the adapter, in the order of their first mention */
};

/* A buffer object that was there before it was first mentioned. */
struct linux_held {
    uint64_t object, bytes;
    uint32_t device;
};

struct linux_tally {
    uint64_t events, others, not_understood, undecodable, lost, texts_left_out;
    uint64_t tracepoints[LINUX_TRACEPOINTS_MAX];
    uint64_t submissions, jobs_done, jobs_without_end, jobs_without_begin, jobs_unseen, given_up;
    uint64_t preemptions, ends_unknown, dependencies, dependencies_unknown, dependencies_met;
    uint64_t waits, waits_unknown, waits_met, waits_without_end;
    uint64_t threads_for_processes;
    uint64_t objects_created, objects_destroyed, objects_replaced, objects_without_name;
    uint64_t bytes_created, held_bytes, moves, moves_empty, moved_in, moved_out;
    uint64_t most_memory;
    uint64_t engines_unknown;
};

struct linux_import {
    struct trace_facts *facts;
    struct linux_lookup lookup;
    struct trace_arena arena;
    struct trace_map texts; /* hash: list of linux_text */
    const struct linux_text **text_list;
    size_t text_count, text_room;
    struct trace_sorter *records, *jobs;
    uint64_t added;
    uint64_t first_ns, last_ns; /* of all events, also those that do not matter */
    bool any;
    const char *failure;
    struct linux_tally tally;

    /* learned */
    struct linux_engine *engines;
    struct linux_context *contexts;
    struct linux_device *devices;
    struct linux_held *held;
    size_t engine_count, engine_room, context_count, context_room, device_count, device_room;
    size_t held_count, held_room;
    /* How long it took, job by job: exact quantiles without the memory for them. */
    struct trace_sorter *queued, *to_done, *on_engine;
    struct trace_map device_numbers;
    uint32_t adapter_count;
    bool has_references; /* lists of submissions are recorded */

    struct linux_emission *emission;
};

/* linux.c */

/* False: out of memory. Freed with linux_free, also after a failure. */
bool linux_init(struct linux_import *import, struct trace_facts *facts);
void linux_free(struct linux_import *import);

/* Remembers the first failure; returns false. */
bool linux_fail(struct linux_import *import, const char *what);
bool linux_take_failure(struct linux_import *import, const struct trace_sorter *sorter);

/* Notes when any event was, whether it matters or not. */
static inline void linux_note_time(struct linux_import *import, uint64_t t_ns)
{
    import->tally.events++;
    if (!import->any || t_ns < import->first_ns)
        import->first_ns = t_ns;
    if (!import->any || t_ns > import->last_ns)
        import->last_ns = t_ns;
    import->any = true;
}

/* The number of a name, from 1 on; 0: empty, or too many different ones. */
uint16_t linux_text(struct linux_import *import, const char *text, size_t length);
const char *linux_text_of(const struct linux_import *import, uint16_t number);

/* Adds a record of the tracepoint, unless it lacks what it needs. False: failed. */
bool linux_add(struct linux_import *import, int tracepoint, struct linux_record *record);

/* All records are there: learns, counts. False: failed. */
bool linux_finish(struct linux_import *import);

/* The next event; false at the end or after a failure. What it points to lives until the next
 * call. */
bool linux_next(struct linux_import *import, struct trace_event *event, uint64_t *origin);

/* learn.c, engines.c, summary.c, emit.c */
bool linux_learn(struct linux_import *import);
bool linux_name_engines(struct linux_import *import);
void linux_summarize(struct linux_import *import);
bool linux_emission_start(struct linux_import *import);
void linux_emission_free(struct linux_import *import);

/* Device of a process (0: the kernel itself) on an adapter that a text names. */
uint32_t linux_device_of(struct linux_import *import, uint32_t process, uint16_t adapter);

/* Size of a buffer object that is created; 0: none that exists. */
static inline uint64_t linux_bytes_of(const struct linux_record *record)
{
    enum { PAGE = 4096 };
    uint64_t bytes = linux_has(record, LINUX_BYTES) ? record->values[LINUX_BYTES]
                     : record->values[LINUX_PAGES] <= INT64_MAX / PAGE
                         ? record->values[LINUX_PAGES] * PAGE
                         : 0;
    return bytes <= INT64_MAX ? bytes : 0;
}

/* The process that a record is taken to be of. */
static inline uint32_t linux_process_of(const struct linux_record *record)
{
    return record->process != 0 ? record->process : record->thread;
}

#endif
