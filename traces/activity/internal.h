/* What the files of this folder share. */
#ifndef WDDMSIM_TRACES_ACTIVITY_INTERNAL_H
#define WDDMSIM_TRACES_ACTIVITY_INTERNAL_H

#include "traces/activity/activity.h"
#include "traces/arena.h"
#include "traces/map.h"
#include "traces/vocabulary.h"

/* Bytes each of the three sorters may take. */
enum { SORTER_MEMORY = 24 * 1024 * 1024 };

struct activity_device {
    uint32_t pid, device;
    const char *name;
    uint64_t background; /* bytes that were allocated before and have no address */
    const char *background_name;
    struct activity_device *next;
};

struct activity_stream {
    struct activity_device *device;
    uint32_t context, stream;
    const char *names[ENGINES]; /* of its contexts, for each engine; NULL: none is needed */
    const char *fence;          /* orders them, and is what threads wait for */
    uint64_t value;             /* signalled last */
    enum activity_engine last;  /* where it ran last */
    bool packets;               /* it is a WDDM context: `context` and `stream` are its handle */
    bool ran;                   /* it ran at all */
    bool used;                  /* it ran since it was waited for */
    struct activity_stream *next;
};

/* Memory that was there before the first event. */
struct activity_held {
    uint32_t pid, device;
    uint64_t address, bytes;
};

/* An account of what was held before, given by a reader. */
struct activity_account {
    uint32_t device;
    int64_t at_ns;
    uint64_t bytes;
};

struct activity_tally {
    uint64_t count[ACTIVITY_KINDS];
    uint64_t copies[MEMORY_KINDS][MEMORY_KINDS], copy_bytes[MEMORY_KINDS][MEMORY_KINDS],
        copy_ns[MEMORY_KINDS][MEMORY_KINDS];
    uint64_t migrations[CAUSE_KINDS][2], migration_bytes[CAUSE_KINDS][2]; /* [1]: out */
    uint64_t fill_bytes, work_ns, gpu_ns, unlaunched;
    uint64_t bytes_allocated, frees_unknown, replaced, alive, alive_bytes, most_bytes;
    uint64_t empty, held_bytes, background_bytes, order_fences;
};

struct activities {
    void (*places)(void *self, uint64_t origin, char place[64]);
    void *self;
    struct trace_sorter *launches; /* by correlation: launches, and the work that has one */
    struct trace_sorter *work;     /* by start */
    struct trace_sorter *timeline; /* by the time of the call */
    struct trace_arena arena;
    const char *failure;
    uint32_t process;
    struct activity_account *accounts;
    size_t account_count, account_room;

    /* learned before the first event is handed out */
    struct trace_map devices, streams;
    struct activity_device *first_device, **last_device;
    struct activity_stream *first_stream, **last_stream;
    struct trace_map held_addresses;
    struct activity_held *held;
    size_t held_count, held_room;
    bool several_processes;
    int64_t start_ns; /* t 0 */
    struct activity_tally tally;

    /* handing out */
    struct trace_map live;    /* (pid, address): bytes */
    struct trace_map threads; /* (pid, tid): the stream it launched into last */
    struct trace_event *queue;
    size_t queue_count, queue_next, queue_room;
    struct trace_arena names;            /* of the queue */
    struct activity_device *next_device; /* of what is told first: what was there before */
    struct activity_stream *next_stream;
    size_t next_held;
    bool started;
    uint64_t origin; /* of the activity that the last events came from */
    bool placed;     /* there is one */
    char place[64];
};

/* activity.c */

/* Remembers the first failure; returns false. */
bool activity_fail(struct activities *activities, const char *what);
bool activity_take_failure(struct activities *activities, const struct trace_sorter *sorter);

static inline bool activity_is_work(const struct activity *activity)
{
    return activity->kind >= ACTIVITY_KERNEL && activity->kind <= ACTIVITY_PACKET;
}

/* Where work runs. */
enum activity_engine activity_engine(const struct activity *activity);

/* join.c: launches and work joined and put on the timeline, with their engine times. */
bool activity_join(struct activities *activities);

/* learn.c: one walk along the timeline before events are made of it. */
bool activity_learn(struct activities *activities);
void activity_summarize(struct activities *activities, struct trace_facts *facts);

/* The device or stream of an activity. NULL: out of memory, or (the stream) never met. */
struct activity_device *activity_device(struct activities *activities, uint32_t pid,
                                        uint32_t device);
struct activity_stream *activity_stream(struct activities *activities, const struct activity *of);

/* Memory taken and given back. `live` maps an address to its bytes + 1. True: it was known there,
 * and *bytes is how much. */
bool activity_live(const struct trace_map *live, uint32_t pid, uint64_t address, uint64_t *bytes);
bool activity_set_live(struct activities *activities, struct trace_map *live, uint32_t pid,
                       uint64_t address, uint64_t bytes_and_1);

#endif
