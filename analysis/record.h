/* What the recorder keeps of a run, for the writers (summary.c, csv.c, print.c) to read. Private to
 * this room.
 *
 * Its size is bounded by the processes, ops, nodes, contexts and segments there were; the length of
 * the trace does not matter. */
#ifndef WDDMSIM_ANALYSIS_RECORD_H
#define WDDMSIM_ANALYSIS_RECORD_H

#include "analysis/blame_levels.h"
#include "analysis/chains.h"
#include "analysis/frames.h"
#include "analysis/histogram.h"
#include "analysis/matrix.h"
#include "analysis/miss_curve.h"
#include "analysis/output.h"
#include "analysis/recorder.h"
#include "analysis/relay.h"
#include "analysis/series.h"
#include "analysis/slowest.h"
#include "analysis/steady.h"
#include "analysis/timeline.h"
#include "analysis/working_set.h"
#include "model/probe.h"

#include <jansson.h>
#include <stdarg.h>
#include <uthash.h>

enum {
    RECORD_OPS = 64,
    RECORD_SEGMENTS = 33, /* 0 is system memory */
    RECORD_NODES = 64,
    RECORD_ADAPTERS = 8,
    RECORD_STATUSES = 16,  /* different ones per op; more are counted together */
    RECORD_CAUSES = 32,    /* of paging */
    RECORD_KEYS = 64,      /* of assumptions */
    RECORD_MESSAGES = 100, /* warnings, failed expectations */
    RECORD_PAIRS = 2000,   /* recorded-against-simulated points per op */
    RECORD_PAGE = 4096,
    RECORD_SWITCHES = 4096, /* different ones */
    RECORD_FAULTS = 65536,  /* evictions remembered for the re-fault distance */
    RECORD_USES = 262144,   /* of memory, that the miss-ratio curve is of: the first ones */
};

/* The calls of one op by one process. */
struct record_calls {
    struct histogram latency;
    struct histogram returned; /* return - start of those with an asynchronous part */
    uint64_t failures;
    struct blame_levels levels;
    uint64_t blame_ns[PROBE_CAUSES]; /* their sums, at the end */
};

/* What the recording knew of an op's calls, beside what was simulated for the same calls. */
struct record_errors {
    struct histogram recorded, simulated;
    struct histogram ppm; /* |simulated - recorded| / recorded, in millionths */
    uint64_t undefined;   /* recorded as 0 ns and not simulated so: no relative error */
};

/* Every stride-th pair of latencies, so that at most RECORD_PAIRS are kept. */
struct record_pairs {
    uint64_t seen, stride;
    uint32_t count;
    uint64_t (*pair)[2]; /* recorded, simulated */
    bool *done;          /* of the asynchronous part, else of the call */
};

struct record_op {
    const char *name;
    uint32_t statuses; /* status[0] is STATUS_SUCCESS */
    struct {
        uint32_t code;
        uint64_t count;
    } status[RECORD_STATUSES];
    uint64_t other_failures;
    struct batches steady;      /* latencies, as the calls finished */
    struct blame_levels levels; /* all processes', at the end */
    struct slowest slowest;
    struct record_errors dur, done;
    struct record_pairs pairs;
};

/* Bytes in a segment: of one process, or of all. */
struct record_space {
    uint64_t resident, committed, peak_resident, peak_committed;
    histogram_sum resident_byte_ns, committed_byte_ns; /* until last_ns */
    uint64_t last_ns, resident_ns;                     /* resident_ns: time with any resident */
    struct series series;
    struct bins *bins; /* of a whole segment: resident and committed, in units of RECORD_PAGE */
    histogram_sum scattered_ppm_ns; /* share of the free bytes outside their largest block, as the
                                       last sample had it */
    bool dirty;
    struct record_space *next_dirty;
    /* A segment's five figures at the last instant. */
    struct probe_segment_state state;
    uint32_t segment;
    bool whole; /* the segment, not a process's share of it */
};

struct record_process {
    uint32_t pid;
    uint64_t presents, packets, execute_ns;
    struct frames *frames; /* once it has presented */
    struct record_calls *calls[RECORD_OPS];
    struct record_space *space[RECORD_SEGMENTS];
    UT_hash_handle hh;
};

struct record_context {
    uint32_t id, pid, node;
    char *name;
    bool system;
    uint64_t packets, execute_ns, queue_ns, switch_ns;
    struct frame_pace pace;
    /* Its context allocations. */
    uint64_t allocations_alive, allocations_resident, allocations_last_ns;
    UT_hash_handle hh;
};

enum record_node_lane { RECORD_BUSY, RECORD_SWITCHING, RECORD_DEPTH, RECORD_WAITING };

struct record_node {
    uint64_t last_ns, now[BINS_LANES];                          /* now: since last_ns, by lane */
    struct bins bins;                                           /* lanes: enum record_node_lane */
    uint64_t busy_ns, switch_ns, idle_ns, depth_ns, waiting_ns; /* their sums, at the end */
    struct histogram queue, execute;
    uint64_t packets, preemptions, switches, switches_avoided;
    uint64_t attempts[PROBE_ATTEMPTS]; /* to preempt it, by result */
    uint64_t resets, dropped;          /* TDR: times it was reset, packets that this cost */
    bool used;
};

/* Switches of a node from one context to another; the same one: avoided. */
struct record_switch {
    struct record_switch_key {
        uint32_t node, from, to; /* UINT32_MAX: none, or all those there was no room for */
    } key;
    uint64_t made, avoided, cost_ns;
    UT_hash_handle hh;
};

struct record_flow { /* one kind of paging operation */
    uint64_t count, bytes;
};

struct record_link { /* one direction of one adapter */
    bool busy;
    uint64_t since_ns;
};

struct record_message {
    char *text;
    uint64_t count;
};

/* A name as it stands in a table. length 0: it is too long, or needs quotes. */
struct csv_word {
    unsigned char length;
    char text[23];
};

/* Rows that are still to be written to the file. */
enum { CSV_ROWS = 1 << 15, CSV_NUMBERS = 8 + PROBE_CAUSES, CSV_TEXTS = 5, CSV_TEXT = 64 };
struct csv_rows {
    FILE *file;
    size_t length;
    char text[CSV_ROWS];
};

/* Counts by key, in the order the keys came up. */
struct record_tally {
    uint32_t keys;
    struct {
        const char *key;
        uint64_t count;
    } of[RECORD_KEYS];
};

struct recorder {
    struct recorder_options options;
    char *directory;
    struct probe probe;
    struct relay *relay; /* in front of it; NULL: the model calls it itself */
    /* Of what submissions name. */
    struct miss_curve *misses;
    struct working_set *working;
    struct output output;
    struct csv_rows calls_csv, paging_csv; /* file: NULL if it is not asked for */
    uint64_t last_ns, end_ns;              /* latest event; end of the run */
    bool finished;

    /* The machine. Names are copies. */
    uint32_t adapters, segments, nodes;
    struct {
        uint32_t adapter;
        char *name;
        struct csv_word word;
        uint64_t size_bytes, budget_bytes;
        bool aperture;
    } segment[RECORD_SEGMENTS];
    struct {
        uint32_t adapter;
        char *name, *kind;
    } node_facts[RECORD_NODES];
    void (*segment_state)(const void *model, uint32_t segment, struct probe_segment_state *state);
    const void *model;

    /* Calls. */
    uint32_t ops;
    struct record_op op[RECORD_OPS];
    struct {
        const char *name;
        uint32_t op;
    } op_cache[256];
    struct record_process *processes, *process_cache[64];
    struct histogram late; /* start - due; 0 for early ones, and these only at the end */
    uint64_t not_late, early, blame_mismatches, status_checked, status_mismatches;

    /* Who waited for whom. */
    struct chains chains;
    struct matrix matrix;
    struct slowest slowest_frames;
    uint64_t explain_due;      /* chain record at which the slowest are looked at again */
    struct timeline *timeline; /* NULL: not asked for */
    uint64_t chains_checked, chain_mismatches;
    char chain_mismatch[200]; /* the first one */

    /* Expectations. */
    uint64_t expected, unmet;
    uint32_t unmet_messages;
    char *unmet_message[RECORD_MESSAGES];

    /* Residency. */
    struct record_space space[RECORD_SEGMENTS];
    struct sampler sampler;
    struct record_space *dirty;
    uint64_t largest_free_min[RECORD_SEGMENTS];

    /* Paging. */
    struct csv_word paging_word[PROBE_PAGING_KINDS];
    struct record_flow flow[PROBE_PAGING_KINDS];
    uint32_t causes;
    struct {
        const char *name;
        struct csv_word word;
        struct record_flow flow[PROBE_PAGING_KINDS];
    } cause[RECORD_CAUSES];
    struct histogram paging_latency, refault;
    struct record_fault {
        uint64_t key, evicted_ns;
    } * faults;
    struct record_link link[RECORD_ADAPTERS][2];
    uint64_t link_busy_ns[RECORD_ADAPTERS][2]; /* out, in */
    struct bins link_bins;                     /* of all adapters; lanes: out, in */
    struct bins *links;                        /* of each, where there are several; else NULL */
    struct bins paging_bins;                   /* bytes; lanes: in, out, filled, dropped */

    /* Scheduling. */
    struct record_node node[RECORD_NODES];
    struct record_context *contexts, *last_context;
    uint64_t packets[PROBE_PACKET_KINDS];
    uint64_t references, hits, switches, switches_avoided, switch_cost_ns;
    uint64_t presents;
    struct frames frames; /* of all processes, at the end */
    struct record_switch *switch_kinds, *last_switch;
    struct bins switch_bins; /* lanes: made, avoided, references, hits */

    /* Context allocations. */
    uint64_t context_allocations, context_page_ins, context_fills;
    histogram_sum context_alive_ns, context_resident_ns;

    struct record_tally assumed, counted; /* what was assumed; what the memory manager did */
    uint32_t warnings;
    struct record_message warning[RECORD_MESSAGES];
    uint64_t more_warnings;
};

/* Mean latency by cause in thousandths of a nanosecond. The parts add up to the total exactly: what
 * rounding down leaves over goes to the largest remainders. */
struct record_blame {
    uint64_t total;
    uint64_t part[PROBE_CAUSES];
};

void record_blame_mean(const uint64_t blame_ns[PROBE_CAUSES], uint64_t count,
                       struct record_blame *mean);

/* The calls of one op by all processes together, merged anew: record_calls_clear it. */
void record_op_calls(const struct recorder *recorder, uint32_t op, struct record_calls *calls);
void record_calls_clear(struct record_calls *calls);
uint64_t record_failures(const struct record_op *op);

/* Ops in alphabetical order; returns how many. */
uint32_t record_sorted_ops(const struct recorder *recorder, uint32_t order[RECORD_OPS]);

struct record_process *record_process_slowly(struct recorder *recorder, uint32_t pid);

/* Windows gives out multiples of four. */
static inline size_t record_process_slot(uint32_t pid)
{
    return pid / 4 % 64;
}

static inline struct record_process *record_process(struct recorder *recorder, uint32_t pid)
{
    struct record_process *process = recorder->process_cache[record_process_slot(pid)];
    return process != NULL && process->pid == pid ? process : record_process_slowly(recorder, pid);
}

/* Adds to the warnings; the same text again is counted. */
void record_warn(struct recorder *recorder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct chain_names record_names(struct recorder *recorder);
const char *record_segment_name(const struct recorder *recorder, uint32_t segment);

/* expect.c */
void expect_call(struct recorder *recorder, const struct probe_call *call);

/* explain.c: the probes; a finished call; a finished frame, whose present had the job; and what
 * summary.json says of them. */
void explain_job(void *self, uint64_t now_ns, const struct probe_job *job);
void explain_wait(void *self, uint64_t now_ns, struct probe_thing who, enum probe_cause cause,
                  struct probe_thing what);
void explain_wait_timeline(void *self, uint64_t now_ns, struct probe_thing who,
                           enum probe_cause cause, struct probe_thing what);
void explain_found(void *self, struct probe_thing who, struct probe_thing what);
void explain_call(struct recorder *recorder, struct record_op *op, const struct probe_call *call,
                  uint64_t latency_ns);
void explain_close(struct recorder *recorder); /* the run is over */
void explain_frame(struct recorder *recorder, uint32_t pid, uint64_t job, uint64_t begun_ns,
                   uint64_t now_ns);
json_t *explain_slowest_json(const struct slowest *slowest, bool calls);
json_t *explain_matrix_json(const struct matrix *matrix);

/* residency.c: the probes, and closing the books at end_ns. */
void residency_resident(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment, int64_t bytes);
void residency_committed(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment,
                         int64_t bytes);
void residency_paging(void *self, const struct probe_paging *operation);
void residency_context_allocation(void *self, uint64_t now_ns, uint32_t context, int created,
                                  int resident);
void residency_close(struct recorder *recorder);

/* engines.c: likewise. */
void engines_engine(void *self, uint64_t now_ns, uint32_t node, enum probe_engine state,
                    uint32_t depth, uint32_t waiting);
void engines_packet(void *self, uint64_t now_ns, const struct probe_packet *packet);
void engines_context(void *self, uint32_t context, uint32_t pid, uint32_t node,
                     struct probe_label name, bool system);
void engines_context_switch(void *self, uint64_t now_ns, uint32_t node, uint32_t from, uint32_t to,
                            bool made, uint64_t cost_ns);
void engines_attempt(void *self, uint64_t now_ns, uint32_t node, uint32_t context,
                     enum probe_attempt result);
void engines_reset(void *self, uint64_t now_ns, uint32_t node, uint32_t context);
void engines_present(void *self, uint64_t now_ns, const struct probe_present *present);
void engines_link(void *self, uint64_t now_ns, uint32_t adapter, bool into_adapter, bool busy);
struct record_context *engines_find_context(struct recorder *recorder, uint32_t context);
void engines_close(struct recorder *recorder);

/* csv.c: streamed rows while the run goes on, the other tables at its end. */
void csv_calls_header(FILE *file);
void csv_calls_row(struct csv_rows *rows, const struct probe_call *call, uint64_t latency_ns);
void csv_paging_header(FILE *file);
void csv_paging_row(struct recorder *recorder, const struct probe_paging *operation,
                    const struct csv_word *cause); /* of the operation's cause */
struct csv_word csv_word(const char *text);
bool csv_write(struct recorder *recorder, char *error, size_t error_size);

/* summary.c */
struct json_t *summary_make(const struct recorder *recorder, const struct recorder_run *run);
bool summary_write(struct recorder *recorder, const struct recorder_run *run, char *error,
                   size_t error_size);

#endif
