/* timeline.json.gz: what happened when, for ui.perfetto.dev and chrome://tracing (the Trace Event
 * Format).
 *
 * Everything is kept up to TIMELINE_ITEMS. In a longer run only windows of time are, all that began
 * in them: when there are too many items, every other window is given up. The windows are equally
 * long, so the whole run stays covered, and the file says what share of it they are. */
#ifndef WDDMSIM_ANALYSIS_TIMELINE_H
#define WDDMSIM_ANALYSIS_TIMELINE_H

#include "analysis/chains.h"
#include "analysis/output.h"

enum { TIMELINE_ITEMS = 400000, TIMELINE_WINDOWS = 64, TIMELINE_NODES = 64 };

enum timeline_kind {
    TIMELINE_CALL,     /* of a thread */
    TIMELINE_QUEUED,   /* a packet from its submission to its completion */
    TIMELINE_RUN,      /* an engine with a packet */
    TIMELINE_SWITCH,   /* or switching to its context */
    TIMELINE_PAGING,   /* an operation */
    TIMELINE_NEEDS,    /* a job waited for a paging packet */
    TIMELINE_RESIDENT, /* of a process in a segment, from now on */
    TIMELINE_DEPTH,    /* packets in an engine's hardware queue, and in the queues before it */
    TIMELINE_LINK      /* busy or not */
};

struct timeline_item {
    uint64_t start_ns, end_ns;
    uint64_t job;
    uint8_t kind;   /* enum timeline_kind */
    uint8_t packet; /* enum probe_packet_kind */
    uint16_t place; /* node or segment */
    uint32_t pid, tid;
    union {
        struct {
            const char *op;
            uint64_t index;
            uint32_t status;
        } call;
        struct {
            uint32_t context;
        } packet_of;
        struct {
            const char *name, *cause;
            uint64_t bytes;
            uint16_t from, to;
            struct chain_memory memory;
        } paging;
        uint64_t other; /* NEEDS: the paging packet's job; counters: the value */
    } of;
};

struct timeline {
    size_t count, room;
    struct timeline_item *item;
    uint64_t window_ns, stride; /* 0: everything; else of every `stride` windows the first */
    uint64_t left_out;
    struct timeline_running {
        uint64_t job, since_ns;
        bool switching;
    } running[TIMELINE_NODES];
};

void timeline_clear(struct timeline *timeline);

/* A new item that began at start_ns, to be filled in; NULL: it is not to be kept. */
struct timeline_item *timeline_add(struct timeline *timeline, enum timeline_kind kind,
                                   uint64_t start_ns);

/* As the probe tells it: engines and what they run, jobs and what they wait for. */
void timeline_wait(struct timeline *timeline, const struct chains *chains, uint64_t now_ns,
                   struct probe_thing who, enum probe_cause cause, struct probe_thing what);
void timeline_call(struct timeline *timeline, const struct probe_call *call);
void timeline_packet(struct timeline *timeline, const struct probe_packet *packet, uint32_t pid);
/* `place`: a node, a segment, or for the link 1 into the adapter. */
void timeline_counter(struct timeline *timeline, enum timeline_kind kind, uint64_t now_ns,
                      uint32_t pid, uint32_t place, uint64_t value);
void timeline_paging(struct timeline *timeline, const struct probe_paging *operation);

/* Writes the file. False and a message on failure. */
bool timeline_write(struct timeline *timeline, const struct chain_names *names, uint64_t end_ns,
                    struct output *output, char *error, size_t error_size);

#endif
