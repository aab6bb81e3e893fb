#include "analysis/slowest.h"
#include "analysis/heap.h"
#include "analysis/human.h"

#include <inttypes.h>

enum { STRETCHES = 512, WAY = 1024 };

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
    struct stretch *stretch; /* the latest first */
};

static bool same_way(const struct stretch *stretch, const struct chain_piece *piece)
{
    if (stretch->hops != piece->hops || stretch->forgotten != piece->forgotten)
        return false;
    for (size_t i = 0; i < piece->hops; i++) {
        const struct chain_hop *a = &stretch->hop[i], *b = &piece->hop[i];
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

static void collect(void *self, const struct chain_piece *piece)
{
    struct collection *collection = self;
    uint64_t ns = piece->to_ns - piece->from_ns, job = job_at_work(piece);
    struct stretch *last =
        collection->count != 0 ? &collection->stretch[collection->count - 1] : NULL;
    if (last == NULL || (!same_way(last, piece) && collection->count < STRETCHES)) {
        last = &collection->stretch[collection->count++];
        *last = (struct stretch){.last_job = job,
                                 .jobs = 1,
                                 .pid = chain_culprit(collection->chains, piece),
                                 .cause = chain_cause(piece),
                                 .forgotten = piece->forgotten,
                                 .hops = piece->hops};
        memcpy(last->hop, piece->hop, piece->hops * sizeof *piece->hop);
    } else if (!same_way(last, piece)) {
        last->forgotten = true; /* too many to be told apart */
        last->hops = 1;
    }
    for (size_t i = 0; i < last->hops; i++)
        if (last->hop[i].thing.id != piece->hop[i].thing.id)
            last->various |= 1u << i;
    last->jobs += job != last->last_job;
    last->last_job = job;
    last->ns += ns;
}

static void say_job(FILE *out, const struct chains *chains, const struct chain_hop *hop,
                    bool various)
{
    static const char *const kinds[PROBE_PACKET_KINDS] = {
        [PROBE_RENDER] = "packet", [PROBE_PAGING] = "paging",   [PROBE_WAIT] = "wait",
        [PROBE_SIGNAL] = "signal", [PROBE_PRESENT] = "present",
    };
    const struct chain_job *job = chains_find(chains, hop->thing.id);
    char bytes[HUMAN_ROOM];
    if (job == NULL) {
        fputs("a job that is forgotten", out);
        return;
    }
    if (job->call != NULL) {
        fprintf(out, "%s of process %" PRIu32, job->call, job->pid);
    } else if (job->paging != NULL) {
        fputs(job->paging, out);
        if (!various)
            fprintf(out, " of %s (%s)", job->memory, human_bytes(bytes, (double)job->bytes));
        fprintf(out, " for process %" PRIu32, job->pid);
        if (job->owner != job->pid)
            fprintf(out, ", memory of process %" PRIu32, job->owner);
    } else {
        const char *kind = kinds[job->kind] != NULL ? kinds[job->kind] : "packet";
        fprintf(out, "%s%s of process %" PRIu32, kind, various ? "s" : "", job->pid);
    }
}

static void say_hop(FILE *out, const struct chains *chains, const struct slow_names *names,
                    const struct chain_hop *hop, bool various)
{
    uint32_t id = (uint32_t)hop->thing.id;
    switch ((int)hop->thing.kind) {
    case PROBE_JOB:
        say_job(out, chains, hop, various);
        return;
    case PROBE_PROCESS:
        fprintf(out, "process %" PRIu32 " on the processor", hop->pid);
        return;
    case CHAIN_THREAD:
        fprintf(out, "thread of process %" PRIu32, hop->pid);
        return;
    case PROBE_CONTEXT:
        fprintf(out, "queue of context %s", names->context(names->self, id));
        return;
    case PROBE_NODE:
        fprintf(out, "engine %s", names->node(names->self, id));
        return;
    case PROBE_SCHEDULER:
        fputs("VidSch", out);
        return;
    default:
        fputs("VidMm", out);
    }
}

/* The way of a stretch, from behind what was asked about. */
static char *say(const struct stretch *stretch, const struct chains *chains,
                 const struct slow_names *names)
{
    char *text = heap_new(WAY, 1);
    FILE *out = heap_check(fmemopen(text, WAY, "w"));
    for (size_t i = 1; i < stretch->hops; i++) {
        say_hop(out, chains, names, &stretch->hop[i], stretch->various >> i & 1);
        putc('\n', out);
    }
    const struct chain_hop *last = &stretch->hop[stretch->hops - 1];
    if (stretch->forgotten)
        fputs("further back than is remembered", out);
    else if (last->thing.kind == PROBE_JOB)
        fputs(probe_cause_names[last->cause], out);
    else if (last->thing.kind == PROBE_PROCESS || (int)last->thing.kind == CHAIN_THREAD)
        fputs("at its own pace", out);
    else
        fputs("at work", out);
    fclose(out); /* ends the text, if need be by cutting it */
    text[WAY - 1] = 0;
    return text;
}

/* The `most` longest stay, in their order; what is left out is one stretch more. */
static size_t keep_the_longest(struct stretch *stretch, size_t count, size_t most)
{
    uint64_t rest = 0;
    uint32_t left_out = 0;
    while (count > most) {
        size_t least = 0;
        for (size_t i = 1; i < count; i++)
            if (stretch[i].ns < stretch[least].ns)
                least = i;
        rest += stretch[least].ns;
        left_out++;
        memmove(stretch + least, stretch + least + 1, (count - least - 1) * sizeof *stretch);
        count--;
    }
    if (left_out != 0) /* at the end of the list is what was first */
        stretch[count] = (struct stretch){.ns = rest, .jobs = left_out};
    return count;
}

static void explain(struct slow *slow, uint64_t job, struct chains *chains,
                    const struct slow_names *names)
{
    struct collection collection = {.chains = chains};
    collection.stretch = heap_new(STRETCHES + 1, sizeof *collection.stretch);
    chains_follow(chains, job, slow->start_ns, slow->start_ns + slow->ns, collect, &collection);
    size_t kept = keep_the_longest(collection.stretch, collection.count, CHAIN_LINES - 1);
    for (size_t i = kept; i-- > 0;) {
        const struct stretch *stretch = &collection.stretch[i];
        slow->line[slow->lines++] = (struct chain_line){stretch->ns, stretch->cause, stretch->pid,
                                                        stretch->jobs, say(stretch, chains, names)};
    }
    if (kept < collection.count) {
        const struct stretch *rest = &collection.stretch[kept];
        slow->line[slow->lines++] =
            (struct chain_line){rest->ns, PROBE_CAUSES, slow->pid, rest->jobs, NULL};
    }
    free(collection.stretch);
}

static void free_slow(struct slow *slow)
{
    for (size_t i = 0; i < slow->lines; i++)
        free(slow->line[i].way);
    free(slow);
}

void slowest_add(struct slowest *slowest, const struct slow *slow, uint64_t job,
                 struct chains *chains, const struct slow_names *names)
{
    if (!slowest_wants(slowest, slow->ns))
        return;
    struct slow *kept = heap_new(1, sizeof *kept);
    *kept = *slow;
    if (job != 0)
        explain(kept, job, chains, names);
    if (slowest->count == SLOWEST)
        free_slow(slowest->slow[--slowest->count]);
    size_t at = slowest->count++;
    for (; at > 0 && slowest->slow[at - 1]->ns < slow->ns; at--)
        slowest->slow[at] = slowest->slow[at - 1];
    slowest->slow[at] = kept;
}

void slowest_clear(struct slowest *slowest)
{
    for (size_t i = 0; i < slowest->count; i++)
        free_slow(slowest->slow[i]);
    slowest->count = 0;
}
