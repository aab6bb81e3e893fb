#include "analysis/slowest.h"
#include "analysis/heap.h"
#include "analysis/human.h"

#include <inttypes.h>
#include <stdarg.h>

enum { STRETCHES = 128, WAY = 1024 };

/* Consecutive pieces that went the same way, other jobs apart. */
struct stretch {
    uint64_t ns, last_job;
    uint32_t jobs, pid;
    enum probe_cause cause;
    bool forgotten;
    uint32_t various; /* bit n: different jobs at hop n */
    size_t hops;
    struct chain_hop hop[CHAIN_HOPS + 2];
};

struct collection {
    const struct chains *chains;
    size_t count;
    struct stretch stretch[STRETCHES]; /* the latest first */
    uint64_t rest_ns;                  /* of those that were left out */
    uint32_t rest;
};

static bool same_way(const struct stretch *stretch, const struct chain_hop *hop, size_t hops,
                     bool forgotten)
{
    if (stretch->hops != hops || stretch->forgotten != forgotten)
        return false;
    for (size_t i = 0; i < hops; i++) {
        const struct chain_hop *a = &stretch->hop[i], *b = &hop[i];
        if (a->thing.kind != b->thing.kind || a->pid != b->pid || a->cause != b->cause ||
            (a->thing.kind != PROBE_JOB && a->thing.id != b->thing.id))
            return false;
    }
    return true;
}

static uint64_t job_at_work(const struct chain_piece *piece)
{
    for (size_t i = piece->hops; i-- > 0;)
        if (piece->hop[i].thing.kind == PROBE_JOB)
            return piece->hop[i].thing.id;
    return 0;
}

static int falling(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* The `most` longest stay, in their order; the others are one rest. */
static void keep_the_longest(struct collection *collection, size_t most)
{
    uint64_t ns[STRETCHES];
    size_t kept = 0, as_long = 0; /* as_long: as the shortest that stay */
    for (size_t i = 0; i < collection->count; i++)
        ns[i] = collection->stretch[i].ns;
    qsort(ns, collection->count, sizeof *ns, falling);
    uint64_t least = ns[most - 1];
    for (size_t i = most; i-- > 0 && ns[i] == least;)
        as_long++;
    for (size_t i = 0; i < collection->count; i++) {
        const struct stretch *stretch = &collection->stretch[i];
        if (stretch->ns > least || (stretch->ns == least && as_long > 0)) {
            as_long -= stretch->ns == least;
            collection->stretch[kept++] = *stretch;
        } else {
            collection->rest_ns += stretch->ns;
            collection->rest++;
        }
    }
    collection->count = kept;
}

static void collect(void *self, const struct chain_piece *piece)
{
    struct collection *collection = self;
    uint64_t ns = piece->to_ns - piece->from_ns, job = job_at_work(piece);
    struct stretch *last =
        collection->count != 0 ? &collection->stretch[collection->count - 1] : NULL;
    if (last == NULL || !same_way(last, piece->hop, piece->hops, piece->forgotten)) {
        if (collection->count == STRETCHES)
            keep_the_longest(collection, STRETCHES / 2);
        last = &collection->stretch[collection->count++];
        *last = (struct stretch){.last_job = job,
                                 .jobs = 1,
                                 .pid = chain_culprit(collection->chains, piece),
                                 .cause = chain_cause(piece),
                                 .forgotten = piece->forgotten,
                                 .hops = piece->hops};
        memcpy(last->hop, piece->hop, piece->hops * sizeof *piece->hop);
    }
    for (size_t i = 0; i < last->hops; i++)
        if (last->hop[i].thing.id != piece->hop[i].thing.id)
            last->various |= 1u << i;
    last->jobs += job != last->last_job;
    last->last_job = job;
    last->ns += ns;
}

/* Text that is put together; what does not fit is left out. */
struct words {
    char text[WAY];
    size_t length;
};

static void say(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct words *words, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof words->text - words->length;
    int length = vsnprintf(words->text + words->length, room, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < room)
        words->length += (size_t)length;
    words->text[words->length] = 0;
}

/* The first one is not said. */
static void say_adapter(struct words *words, uint32_t adapter)
{
    if (adapter != 0)
        say(words, " of adapter %" PRIu32, adapter);
}

static void say_scheduler(struct words *words, uint32_t id)
{
    static const char *const parts[] = {
        [PROBE_SCHEDULER_WORKER] = "worker", [PROBE_SCHEDULER_DPC] = "DPC"};
    const uint32_t others = PROBE_SCHEDULER_FIRMWARE + PROBE_NODES_MAX;
    if (id >= PROBE_SCHEDULER_FIRMWARE && id < others) {
        say(words, "VidSch's part on the engine");
        return;
    }
    uint32_t adapter = id < others ? 0 : 1 + (id - others) / PROBE_SCHEDULER_FIRMWARE;
    say(words, "VidSch's %s", parts[id < others ? id : (id - others) % PROBE_SCHEDULER_FIRMWARE]);
    say_adapter(words, adapter);
}

static void say_job(struct words *out, const struct chains *chains, const struct chain_hop *hop,
                    bool various)
{
    static const char *const kinds[PROBE_PACKET_KINDS] = {
        [PROBE_RENDER] = "packet", [PROBE_PAGING] = "paging",   [PROBE_WAIT] = "wait",
        [PROBE_SIGNAL] = "signal", [PROBE_PRESENT] = "present", [PROBE_NULL_SWITCH] = "unloading",
    };
    const struct chain_job *job = chains_find(chains, hop->thing.id);
    char bytes[HUMAN_ROOM], memory[CHAIN_LABEL];
    if (job == NULL) {
        say(out, "a job that is forgotten");
        return;
    }
    if (job->call != NULL) {
        say(out, "%s of process %" PRIu32, job->call, job->pid);
    } else if (job->paging != NULL) {
        say(out, "%s", job->paging);
        if (!various)
            say(out, " of %s (%s)", chain_label(memory, &job->memory),
                human_bytes(bytes, (double)job->bytes));
        say(out, " for process %" PRIu32, job->pid);
        if (job->owner != job->pid)
            say(out, ", memory of process %" PRIu32, job->owner);
    } else {
        const char *kind = kinds[job->kind] != NULL ? kinds[job->kind] : "packet";
        say(out, "%s%s of process %" PRIu32, kind, various ? "s" : "", job->pid);
    }
}

static void say_hop(struct words *out, const struct chains *chains, const struct chain_names *names,
                    const struct chain_hop *hop, bool various)
{
    uint32_t id = (uint32_t)hop->thing.id;
    switch ((int)hop->thing.kind) {
    case PROBE_JOB:
        say_job(out, chains, hop, various);
        return;
    case PROBE_PROCESS:
        say(out, "process %" PRIu32 " on the processor", hop->pid);
        return;
    case CHAIN_THREAD:
        say(out, "thread of process %" PRIu32, hop->pid);
        return;
    case PROBE_CONTEXT:
        say(out, "queue of context %s", names->context(names->self, id));
        return;
    case PROBE_NODE:
        say(out, "engine %s", names->node(names->self, id));
        return;
    case PROBE_SCHEDULER:
        say_scheduler(out, id);
        return;
    case PROBE_DESTROYER:
        say(out, "the system worker");
        return;
    case PROBE_SCREEN:
        say(out, "the display");
        return;
    default:
        say(out, "VidMm's worker");
        say_adapter(out, id);
    }
}

static bool is_buffer(const struct chains *chains, const struct chain_hop *hop)
{
    const struct chain_job *job =
        hop->thing.kind == PROBE_JOB ? chains_find(chains, hop->thing.id) : NULL;
    return job != NULL && job->call == NULL && job->kind == PROBE_PAGING && job->paging == NULL;
}

/* The way of a stretch, from behind what was asked about. */
static char *way_of(const struct stretch *stretch, const struct chains *chains,
                    const struct chain_names *names)
{
    struct words words = {.length = 0};
    for (size_t i = 1; i < stretch->hops; i++) {
        if (i + 1 < stretch->hops && is_buffer(chains, &stretch->hop[i]))
            continue; /* what it does is the next one */
        say_hop(&words, chains, names, &stretch->hop[i], stretch->various >> i & 1);
        say(&words, "\n");
    }
    const struct chain_hop *last = &stretch->hop[stretch->hops - 1];
    if (stretch->forgotten)
        say(&words, "further back than is remembered");
    else if (last->thing.kind == PROBE_JOB)
        say(&words, "%s", probe_cause_names[last->cause]);
    else if (last->thing.kind == PROBE_PROCESS || (int)last->thing.kind == CHAIN_THREAD)
        say(&words, "at its own pace");
    else if (last->thing.kind == PROBE_SCREEN)
        say(&words, "until it is its turn to be shown");
    else
        say(&words, "at work");
    return heap_text(words.text);
}

/* Stretches that went the same way become one, where the first of them in time was. */
static void fold(struct collection *collection)
{
    struct stretch *stretch = collection->stretch;
    size_t kept = collection->count; /* from here on: folded, the earliest last */
    for (size_t i = collection->count; i-- > 0;) {
        size_t same = collection->count;
        while (same-- > kept)
            if (same_way(&stretch[same], stretch[i].hop, stretch[i].hops, stretch[i].forgotten))
                break;
        if (same + 1 > kept) {
            stretch[same].ns += stretch[i].ns;
            stretch[same].jobs += stretch[i].jobs;
            stretch[same].various = UINT32_MAX;
        } else if (--kept != i) {
            stretch[kept] = stretch[i];
        }
    }
    collection->count -= kept;
    memmove(stretch, stretch + kept, collection->count * sizeof *stretch);
}

static void explain(struct slow *slow, struct chains *chains, const struct chain_names *names)
{
    struct collection collection;
    collection.chains = chains;
    collection.count = 0;
    collection.rest_ns = collection.rest = 0;
    chains_follow(chains, slow->job, slow->start_ns, slow->start_ns + slow->ns, collect,
                  &collection);
    if (collection.count + (collection.rest != 0) > CHAIN_LINES)
        fold(&collection);
    if (collection.count + (collection.rest != 0) > CHAIN_LINES)
        keep_the_longest(&collection, CHAIN_LINES - 1);
    for (size_t i = collection.count; i-- > 0;) {
        const struct stretch *stretch = &collection.stretch[i];
        slow->line[slow->lines++] =
            (struct chain_line){stretch->ns, stretch->cause, stretch->pid, stretch->jobs,
                                way_of(stretch, chains, names)};
    }
    if (collection.rest != 0)
        slow->line[slow->lines++] =
            (struct chain_line){collection.rest_ns, PROBE_CAUSES, slow->pid, collection.rest, NULL};
}

static void free_slow(struct slow *slow)
{
    for (size_t i = 0; i < slow->lines; i++)
        free(slow->line[i].way);
    free(slow);
}

void slowest_add(struct slowest *slowest, const struct slow *slow, uint64_t job,
                 const struct chains *chains)
{
    if (!slowest_wants(slowest, slow->ns))
        return;
    struct slow *kept = heap_new(1, sizeof *kept);
    *kept = *slow;
    kept->job = job;
    kept->due = chains->next + SLOWEST_PATIENCE;
    if (slowest->count == SLOWEST)
        free_slow(slowest->slow[--slowest->count]);
    size_t at = slowest->count++;
    for (; at > 0 && slowest->slow[at - 1]->ns < slow->ns; at--)
        slowest->slow[at] = slowest->slow[at - 1];
    slowest->slow[at] = kept;
}

void slowest_explain(struct slowest *slowest, struct chains *chains,
                     const struct chain_names *names, bool all)
{
    for (size_t i = 0; i < slowest->count; i++) {
        struct slow *slow = slowest->slow[i];
        if (slow->job == 0 || (slow->due > chains->next && !all))
            continue;
        explain(slow, chains, names);
        slow->job = 0;
    }
}

void slowest_clear(struct slowest *slowest)
{
    for (size_t i = 0; i < slowest->count; i++)
        free_slow(slowest->slow[i]);
    slowest->count = 0;
}
