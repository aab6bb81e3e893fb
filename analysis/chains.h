/* Who waited for whom: the latest of it, from which slow calls are explained.
 *
 * Whenever a job or a place comes to wait for something else, that is one record in a ring; the
 * records of one thing are linked, youngest first. To explain a stretch of time is to follow the
 * links backwards through it, from one thing to what it waited for, down to who got on with his own
 * work. The pieces that come out cover the stretch without gap or overlap, so what was a sum before
 * stays one.
 *
 * The ring holds CHAIN_RECORDS records, and CHAIN_JOBS jobs are remembered; what is older is said
 * to be forgotten. */
#ifndef WDDMSIM_ANALYSIS_CHAINS_H
#define WDDMSIM_ANALYSIS_CHAINS_H

#include "model/probe.h"

#include <stddef.h>

enum {
    CHAIN_RECORDS = 1 << 18,
    CHAIN_JOBS = 1 << 16,
    CHAIN_HOPS = 12,             /* deeper ones are not followed */
    CHAIN_STEPS = 1 << 15,       /* records looked at for one stretch; the rest is forgotten */
    CHAIN_LABEL = 24,            /* of a name of memory, longer ones are cut */
    CHAIN_THREAD = PROBE_THINGS, /* one more kind of place; id: a number of ours */
    CHAIN_KINDS
};

#define CHAIN_NUMBER 0xffffffffffffffu /* of a record: 56 bits */

struct chain_record {
    uint64_t t_ns;
    struct probe_thing what;
    uint64_t cause : 8, previous : 56; /* of the same thing; 0: none */
};

/* A thing's youngest record, 0: none, and its time: kept here too, so that most waits need not look
 * into the ring, which is larger than the processor's cache. */
struct chain_latest {
    uint64_t record, t_ns;
};

struct chain_job {
    uint64_t number, born_ns;
    struct chain_latest latest;
    uint32_t pid, owner, context, node;
    uint32_t thread; /* of its call, once that has been heard of; else UINT32_MAX */
    enum probe_packet_kind kind;
    const char *call, *paging; /* as in probe_job */
    uint64_t bytes;
    struct chain_memory {
        uint64_t number; /* its name, if it has no text */
        char text[CHAIN_LABEL];
    } memory;
};

struct chain_places {
    struct chain_latest *latest; /* by id */
    size_t room;
};

struct chains {
    struct chain_record *record; /* of number n at n % CHAIN_RECORDS; numbers from 1 */
    uint64_t next;
    struct chain_job *job; /* likewise */
    struct chain_places places[CHAIN_KINDS];
    struct chain_thread *threads, *thread_cache[64];
    uint64_t steps; /* looked at so far */
    bool told;      /* of any job: the model says who waits for whom */
};

/* How things are called that have names. */
struct chain_names {
    const char *(*context)(void *self, uint32_t context);
    const char *(*node)(void *self, uint32_t node);
    const char *(*segment)(void *self, uint32_t segment);
    void *self;
};

/* The name of a piece of memory: kept, a text is cut if it is long; and told. */
void chain_memory_keep(struct chain_memory *memory, const struct probe_label *label);
char *chain_label(char text[CHAIN_LABEL], const struct chain_memory *memory);

void chains_init(struct chains *chains);
void chains_clear(struct chains *chains);

/* The probe's. */
void chains_job(struct chains *chains, uint64_t now_ns, const struct probe_job *job);
void chains_found(struct chains *chains, struct probe_thing who, struct probe_thing what);

/* NULL: a job that is forgotten. */
struct chain_latest *chains_latest(struct chains *chains, struct probe_thing who);

/* The thing whose latest that is waits for something else from now on. */
static inline void chains_turn(struct chains *chains, uint64_t now_ns, struct chain_latest *latest,
                               enum probe_cause cause, struct probe_thing what)
{
    struct chain_record *record = &chains->record[latest->record % CHAIN_RECORDS];
    uint64_t previous = latest->record;
    if (latest->t_ns == now_ns && previous != 0 && previous + CHAIN_RECORDS >= chains->next) {
        previous = record->previous; /* nothing came of what was said for this moment */
    } else {
        record = &chains->record[chains->next % CHAIN_RECORDS];
        latest->t_ns = now_ns;
        latest->record = chains->next++;
    }
    *record = (struct chain_record){.t_ns = now_ns,
                                    .what = what,
                                    .cause = (uint64_t)cause & 0xff,
                                    .previous = previous & CHAIN_NUMBER};
}

/* Of a place that there is no room for yet. */
void chains_wait_slowly(struct chains *chains, uint64_t now_ns, struct probe_thing who,
                        enum probe_cause cause, struct probe_thing what);

static inline void chains_wait(struct chains *chains, uint64_t now_ns, struct probe_thing who,
                               enum probe_cause cause, struct probe_thing what)
{
    const struct chain_places *places = &chains->places[who.kind];
    struct chain_job *job = &chains->job[who.id % CHAIN_JOBS];
    if (who.id < places->room)
        chains_turn(chains, now_ns, &places->latest[who.id], cause, what);
    else if (who.kind != PROBE_JOB)
        chains_wait_slowly(chains, now_ns, who, cause, what);
    else if (job->number == who.id)
        chains_turn(chains, now_ns, &job->latest, cause, what);
}

/* A call is over: its job is its thread's, which it held up if it returned no earlier. */
void chains_call(struct chains *chains, const struct probe_call *call);

/* NULL: forgotten. */
const struct chain_job *chains_find(const struct chains *chains, uint64_t number);

/* One thing on the way from what waited to who was at work. */
struct chain_hop {
    struct probe_thing thing;
    enum probe_cause cause; /* of its wait, or of what it was at */
    uint32_t pid;           /* of a job, process, or thread: whose; else that of the one before */
};

struct chain_piece {
    uint64_t from_ns, to_ns;
    const struct chain_hop *hop; /* hop[0] is what was asked about */
    size_t hops;
    bool forgotten; /* the last hop waited for something, and for what is not known any more */
};

/* Follows the job from to_ns back to from_ns and calls `visit` for each piece, the latest first. */
void chains_follow(struct chains *chains, uint64_t job, uint64_t from_ns, uint64_t to_ns,
                   void (*visit)(void *self, const struct chain_piece *piece), void *self);

/* The cause that the piece counts under in the columns of the call that it is a piece of: the first
 * hop's, but who stands behind a fence in his context's queue waits for the fence. */
enum probe_cause chain_cause(const struct chain_piece *piece);

/* Whether that much of it is remembered, and was followed. */
bool chain_tells_cause(const struct chain_piece *piece);

/* Whose doing the piece is. Memory that has to leave for one's own sake is in the way: its owner's.
 */
uint32_t chain_culprit(const struct chains *chains, const struct chain_piece *piece);

#endif
