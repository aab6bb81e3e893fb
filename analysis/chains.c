#include "analysis/chains.h"
#include "analysis/heap.h"

#include <assert.h>
#include <inttypes.h>
#include <uthash.h>

struct chain_thread {
    struct chain_thread_key {
        uint32_t pid, tid;
    } key;
    uint32_t number;
    UT_hash_handle hh;
};

void chains_init(struct chains *chains)
{
    *chains = (struct chains){.next = 1};
    chains->record = heap_new(CHAIN_RECORDS, sizeof *chains->record);
    chains->job = heap_new(CHAIN_JOBS, sizeof *chains->job);
}

void chains_clear(struct chains *chains)
{
    struct chain_thread *thread, *next;
    HASH_ITER (hh, chains->threads, thread, next) {
        HASH_DEL(chains->threads, thread);
        free(thread);
    }
    for (size_t i = 0; i < CHAIN_KINDS; i++)
        free(chains->places[i].latest);
    free(chains->record);
    free(chains->job);
    *chains = (struct chains){0};
}

static struct chain_job *job_of(const struct chains *chains, uint64_t number)
{
    struct chain_job *job = &chains->job[number % CHAIN_JOBS];
    return job->number == number && number != 0 ? job : NULL;
}

const struct chain_job *chains_find(const struct chains *chains, uint64_t number)
{
    return job_of(chains, number);
}

void chain_memory_keep(struct chain_memory *memory, const struct probe_label *label)
{
    memory->number = label->number;
    memory->text[0] = 0;
    if (label->text == NULL)
        return;
    size_t length = strnlen(label->text, CHAIN_LABEL - 1);
    memcpy(memory->text, label->text, length);
    memory->text[length] = 0;
}

char *chain_label(char text[CHAIN_LABEL], const struct chain_memory *memory)
{
    if (memory->text[0] != 0)
        strcpy(text, memory->text);
    else
        snprintf(text, CHAIN_LABEL, "%" PRIu64, memory->number);
    return text;
}

void chains_job(struct chains *chains, uint64_t now_ns, const struct probe_job *job)
{
    struct chain_job *slot = &chains->job[job->number % CHAIN_JOBS];
    slot->number = job->number;
    chains->told = true;
    slot->latest.record = 0;
    slot->born_ns = now_ns;
    slot->pid = job->pid;
    slot->context = job->context;
    slot->node = job->node;
    slot->thread = UINT32_MAX;
    slot->kind = job->kind;
    slot->call = job->call;
    slot->paging = job->paging;
    if (job->paging == NULL)
        return;
    slot->owner = job->owner;
    slot->bytes = job->bytes;
    chain_memory_keep(&slot->memory, &job->memory);
}

static void make_room(struct chain_places *places, uint64_t id)
{
    size_t room = places->room == 0 ? 64 : places->room;
    while (room <= id)
        room *= 2;
    places->latest = heap_resize(places->latest, room, sizeof *places->latest);
    memset(places->latest + places->room, 0, (room - places->room) * sizeof *places->latest);
    places->room = room;
}

struct chain_latest *chains_latest(struct chains *chains, struct probe_thing who)
{
    if (who.kind == PROBE_JOB) {
        struct chain_job *job = &chains->job[who.id % CHAIN_JOBS];
        return job->number == who.id ? &job->latest : NULL;
    }
    struct chain_places *places = &chains->places[who.kind];
    if (who.id >= places->room)
        make_room(places, who.id);
    return &places->latest[who.id];
}

void chains_wait_slowly(struct chains *chains, uint64_t now_ns, struct probe_thing who,
                        enum probe_cause cause, struct probe_thing what)
{
    chains_turn(chains, now_ns, chains_latest(chains, who), cause, what);
}

/* NULL: overwritten, or there is none of that number. */
static struct chain_record *record_of(const struct chains *chains, uint64_t number)
{
    bool there = number != 0 && number + CHAIN_RECORDS >= chains->next;
    return there ? &chains->record[number % CHAIN_RECORDS] : NULL;
}

void chains_found(struct chains *chains, struct probe_thing who, struct probe_thing what)
{
    const struct chain_latest *latest = chains_latest(chains, who);
    struct chain_record *record = latest != NULL ? record_of(chains, latest->record) : NULL;
    if (record != NULL)
        record->what = what;
}

static uint32_t thread_of(struct chains *chains, uint32_t pid, uint32_t tid)
{
    struct chain_thread_key key = {pid, tid};
    struct chain_thread **cached = &chains->thread_cache[(pid + tid) / 4 % 64]; /* as Windows' */
    struct chain_thread *thread = *cached;
    if (thread != NULL && thread->key.pid == pid && thread->key.tid == tid)
        return thread->number;
    HASH_FIND(hh, chains->threads, &key, sizeof key, thread);
    if (thread == NULL) {
        thread = heap_new(1, sizeof *thread);
        thread->key = key;
        thread->number = HASH_COUNT(chains->threads);
        HASH_ADD(hh, chains->threads, key, sizeof thread->key, thread);
    }
    *cached = thread;
    return thread->number;
}

void chains_call(struct chains *chains, const struct probe_call *call)
{
    struct chain_job *job = job_of(chains, call->job);
    if (job == NULL)
        return;
    job->thread = thread_of(chains, call->pid, call->tid);
    if (call->asynchronous)
        return;
    struct probe_thing thread = probe_thing((enum probe_thing_kind)CHAIN_THREAD, job->thread);
    chains_wait(chains, call->start_ns, thread, PROBE_CPU, probe_thing(PROBE_JOB, call->job));
    chains_wait(chains, call->return_ns, thread, PROBE_CPU, probe_thing(PROBE_PROCESS, call->pid));
}

/* The way that is being followed. */
struct way {
    struct chains *chains;
    void (*visit)(void *self, const struct chain_piece *piece);
    void *self;
    struct chain_hop hop[CHAIN_HOPS + 2];
    size_t hops, steps;
    /* Time only goes backwards on the whole way, and so does the place in each thing's records. */
    struct {
        struct probe_thing thing;
        uint64_t record;
    } reached[64];
    size_t things;
};

static bool same(struct probe_thing a, struct probe_thing b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool is_on_the_way(const struct way *way, struct probe_thing thing)
{
    for (size_t i = 0; i < way->hops; i++)
        if (same(way->hop[i].thing, thing))
            return true;
    return false;
}

static void end(struct way *way, uint64_t from_ns, uint64_t to_ns, bool forgotten)
{
    way->visit(way->self, &(struct chain_piece){.from_ns = from_ns,
                                                .to_ns = to_ns,
                                                .hop = way->hop,
                                                .hops = way->hops,
                                                .forgotten = forgotten});
}

/* Where the records of a place have been followed to; NULL: it is not remembered. */
static uint64_t *reached(struct way *way, struct probe_thing thing)
{
    for (size_t i = 0; i < way->things; i++)
        if (same(way->reached[i].thing, thing))
            return &way->reached[i].record;
    if (way->things == sizeof way->reached / sizeof *way->reached)
        return NULL;
    way->reached[way->things].thing = thing;
    uint64_t *record = &way->reached[way->things++].record;
    *record = chains_latest(way->chains, thing)->record;
    return record;
}

static void follow(struct way *way, struct probe_thing thing, uint64_t from_ns, uint64_t to_ns);

/* The thing at the end of the way waited for `what`. */
static void go_on(struct way *way, const struct chain_record *record, uint64_t from_ns,
                  uint64_t to_ns)
{
    way->hop[way->hops - 1].cause = (enum probe_cause)record->cause;
    struct probe_thing what = record->what;
    if (what.kind == PROBE_NOTHING || is_on_the_way(way, what))
        end(way, from_ns, to_ns, false);
    else if (way->hops > CHAIN_HOPS || way->steps >= CHAIN_STEPS)
        end(way, from_ns, to_ns, true);
    else
        follow(way, what, from_ns, to_ns);
}

/* What lies before the oldest record: a job was not there yet, its thread had not come to it. */
static void before_it_began(struct way *way, const struct chain_job *job, uint64_t from_ns,
                            uint64_t to_ns)
{
    way->hop[way->hops - 1].cause = PROBE_CPU;
    struct probe_thing thread = job->thread == UINT32_MAX
                                    ? probe_thing(PROBE_PROCESS, job->pid)
                                    : probe_thing((enum probe_thing_kind)CHAIN_THREAD, job->thread);
    if (is_on_the_way(way, thread))
        end(way, from_ns, to_ns, false);
    else
        follow(way, thread, from_ns, to_ns);
}

static void follow(struct way *way, struct probe_thing thing, uint64_t from_ns, uint64_t to_ns)
{
    struct chain_job *job = thing.kind == PROBE_JOB ? job_of(way->chains, thing.id) : NULL;
    struct chain_hop *hop = &way->hop[way->hops];
    *hop = (struct chain_hop){thing, PROBE_CPU, way->hops != 0 ? hop[-1].pid : 0};
    if (thing.kind == PROBE_PROCESS)
        hop->pid = (uint32_t)thing.id;
    else if (job != NULL)
        hop->pid = job->pid;
    way->hops++;
    if (thing.kind == PROBE_PROCESS || (thing.kind == PROBE_JOB && job == NULL)) {
        end(way, from_ns, to_ns, thing.kind == PROBE_JOB);
        way->hops--;
        return;
    }
    uint64_t own = job != NULL ? job->latest.record : 0;
    uint64_t *at = job != NULL ? &own : reached(way, thing);
    if (at == NULL) {
        own = chains_latest(way->chains, thing)->record;
        at = &own;
    }
    const struct chain_record *record;
    bool asked = way->hops == 1; /* of it, all is looked at that is remembered: its causes count */
    while (to_ns > from_ns && (way->steps++ < CHAIN_STEPS || asked) &&
           (record = record_of(way->chains, *at)) != NULL) {
        uint64_t since_ns = record->t_ns > from_ns ? record->t_ns : from_ns;
        if (since_ns < to_ns) {
            go_on(way, record, since_ns, to_ns);
            to_ns = since_ns;
        }
        if (record->t_ns >= to_ns) /* it says nothing of what is earlier */
            *at = record->previous;
    }
    way->hop[way->hops - 1].cause = PROBE_CPU;
    if (to_ns > from_ns && *at != 0) {
        end(way, from_ns, to_ns, true);
    } else if (to_ns > from_ns && job != NULL) {
        uint64_t born_ns = job->born_ns > from_ns ? job->born_ns : from_ns;
        if (born_ns < to_ns)
            end(way, born_ns, to_ns, false);
        if (from_ns < born_ns)
            before_it_began(way, job, from_ns, born_ns < to_ns ? born_ns : to_ns);
    } else if (to_ns > from_ns) {
        end(way, from_ns, to_ns, false);
    }
    way->hops--;
}

void chains_follow(struct chains *chains, uint64_t job, uint64_t from_ns, uint64_t to_ns,
                   void (*visit)(void *self, const struct chain_piece *piece), void *self)
{
    struct way way = {.chains = chains, .visit = visit, .self = self};
    if (from_ns < to_ns)
        follow(&way, probe_thing(PROBE_JOB, job), from_ns, to_ns);
    chains->steps += way.steps;
}

/* The hop that gives the piece its cause. */
static size_t telling_hop(const struct chain_piece *piece)
{
    size_t i = 0;
    while (i + 1 < piece->hops && piece->hop[i + 1].thing.kind == PROBE_CONTEXT)
        i += 2; /* to the front of that queue */
    return i;
}

bool chain_tells_cause(const struct chain_piece *piece)
{
    return !piece->forgotten || telling_hop(piece) + 1 < piece->hops;
}

enum probe_cause chain_cause(const struct chain_piece *piece)
{
    size_t i = telling_hop(piece);
    if (i != 0 && i < piece->hops && piece->hop[i].cause == PROBE_FENCE)
        return PROBE_FENCE;
    return piece->hop[0].cause;
}

uint32_t chain_culprit(const struct chains *chains, const struct chain_piece *piece)
{
    uint32_t victim = piece->hop[0].pid;
    for (size_t i = piece->hops; i-- > 0;) {
        const struct chain_hop *hop = &piece->hop[i];
        const struct chain_job *job =
            hop->thing.kind == PROBE_JOB ? chains_find(chains, hop->thing.id) : NULL;
        if (job != NULL && job->paging != NULL && job->pid == victim)
            return job->owner;
        if (job != NULL || hop->thing.kind == PROBE_PROCESS)
            return hop->pid;
    }
    return victim;
}
