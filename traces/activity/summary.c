/* What an import of activities counted, and what such recordings cannot know. */
#include "traces/activity/internal.h"

static void copy_facts(const struct activity_tally *tally, struct trace_facts *facts)
{
    static const char *const keys[MEMORY_KINDS] = {
        [MEMORY_UNKNOWN] = "unknown",
        [MEMORY_PAGEABLE] = "pageable",
        [MEMORY_PINNED] = "pinned",
        [MEMORY_DEVICE] = "device",
    };
    for (int from = 0; from < MEMORY_KINDS; from++)
        for (int to = 0; to < MEMORY_KINDS; to++) {
            if (tally->copies[from][to] == 0)
                continue;
            trace_facts_add_format(facts, "", tally->copies[from][to],
                                   "copies-%s-to-%s|copies from %s to %s memory", keys[from],
                                   keys[to], keys[from], keys[to]);
            trace_facts_add_format(facts, "bytes", tally->copy_bytes[from][to],
                                   "copies-%s-to-%s-bytes|what they moved", keys[from], keys[to]);
            trace_facts_add_format(facts, "ns", tally->copy_ns[from][to],
                                   "copies-%s-to-%s-ns|what they took", keys[from], keys[to]);
        }
}

static void migration_facts(const struct activity_tally *tally, struct trace_facts *facts)
{
    static const char *const keys[CAUSE_KINDS][2] = {
        [CAUSE_NONE] = {"unknown", "no cause"},
        [CAUSE_PREFETCH] = {"prefetch", "asked for by the program"},
        [CAUSE_PAGE_FAULT] = {"page-fault", "somebody touched a page"},
        [CAUSE_SPECULATION] = {"speculative", "somebody touched a neighbour"},
        [CAUSE_EVICTION] = {"eviction", "there was no room"},
        [CAUSE_ACCESS_COUNTERS] = {"access-counters", "it was touched often"},
    };
    static const char *const ways[2] = {"in", "out"};
    for (int cause = 0; cause < CAUSE_KINDS; cause++)
        for (int out = 0; out < 2; out++) {
            if (tally->migrations[cause][out] == 0)
                continue;
            trace_facts_add_format(facts, "", tally->migrations[cause][out],
                                   "migrations-%s-%s|moved %s by the system: %s", ways[out],
                                   keys[cause][0], ways[out], keys[cause][1]);
            trace_facts_add_format(facts, "bytes", tally->migration_bytes[cause][out],
                                   "migrations-%s-%s-bytes|their bytes", ways[out], keys[cause][0]);
        }
}

static void memory_facts(const struct activities *activities, struct trace_facts *facts)
{
    const struct activity_tally *tally = &activities->tally;
    trace_facts_add(facts, "allocations", "pieces of memory taken", "",
                    tally->count[ACTIVITY_ALLOCATE]);
    trace_facts_add(facts, "allocations-bytes", "their bytes", "bytes", tally->bytes_allocated);
    trace_facts_add(facts, "allocations-empty", "of no bytes, left out", "", tally->empty);
    trace_facts_add(facts, "frees", "pieces given back", "", tally->count[ACTIVITY_FREE]);
    trace_facts_add(facts, "allocations-left", "taken and not given back", "", tally->alive);
    trace_facts_add(facts, "allocations-most-bytes", "of those taken, most at the same time",
                    "bytes", tally->most_bytes);
    trace_facts_add(facts, "frees-unknown", "given back, and not seen taken", "",
                    tally->frees_unknown);
    trace_facts_add(facts, "allocations-replaced", "taken where something was: given back before",
                    "", tally->replaced);
    trace_facts_add(facts, "allocations-before", "that were there before, by address", "",
                    activities->held_count);
    trace_facts_add(facts, "allocations-before-bytes", "their bytes", "bytes", tally->held_bytes);
    trace_facts_add(facts, "background-bytes",
                    "that were there before, without an address: one allocation stands for them",
                    "bytes", tally->background_bytes);
}

static void work_facts(const struct activity_tally *tally, struct trace_facts *facts)
{
    trace_facts_add(facts, "kernels", "kernels", "", tally->count[ACTIVITY_KERNEL]);
    trace_facts_add(facts, "fills", "fills of memory", "", tally->count[ACTIVITY_FILL]);
    trace_facts_add(facts, "fills-bytes", "their bytes", "bytes", tally->fill_bytes);
    trace_facts_add(facts, "copies", "copies that a call asked for", "",
                    tally->count[ACTIVITY_COPY]);
    copy_facts(tally, facts);
    if (tally->count[ACTIVITY_PACKET] > 0)
        trace_facts_add(facts, "packets", "packets of WDDM contexts", "",
                        tally->count[ACTIVITY_PACKET]);
    trace_facts_add(facts, "work-unlaunched",
                    "of all these: the call is not recorded; taken to be when they began, or when "
                    "their stream went on",
                    "", tally->unlaunched);
    trace_facts_add(facts, "engine-ns", "what the engines took for all these", "ns", tally->gpu_ns);
    trace_facts_add(facts, "overlapped-ns",
                    "more than that ran at the same time, beside other work of an engine", "ns",
                    tally->work_ns - tally->gpu_ns);
    trace_facts_add(facts, "order-fences",
                    "fences that keep a stream's work in order from engine to engine", "",
                    tally->order_fences);
    uint64_t waits = tally->count[ACTIVITY_WAIT] + tally->count[ACTIVITY_WAIT_LAST] +
                     tally->count[ACTIVITY_WAIT_ALL];
    trace_facts_add(facts, "waits", "waits of a thread for the GPU", "", waits);
    trace_facts_add(facts, "waits-guessed",
                    "of them for a stream not told: taken to be the thread's last", "",
                    tally->count[ACTIVITY_WAIT_LAST]);
}

static uint64_t work_count(const struct activity_tally *tally)
{
    return tally->count[ACTIVITY_KERNEL] + tally->count[ACTIVITY_FILL] +
           tally->count[ACTIVITY_COPY] + tally->count[ACTIVITY_PACKET];
}

void activity_summarize(struct activities *activities, struct trace_facts *facts)
{
    const struct activity_tally *tally = &activities->tally;
    uint64_t moved = 0;
    for (int cause = 0; cause < CAUSE_KINDS; cause++)
        moved += tally->migrations[cause][0] + tally->migrations[cause][1];
    uint64_t memory = tally->count[ACTIVITY_ALLOCATE] + tally->count[ACTIVITY_FREE] +
                      tally->count[ACTIVITY_HELD] + tally->background_bytes;
    if (memory > 0)
        memory_facts(activities, facts);
    else
        trace_facts_lack(facts, "memory: no allocations, so nothing is said about residency");
    if (work_count(tally) > 0) {
        work_facts(tally, facts);
        trace_facts_lack(facts, "which allocations a submission uses: all of its process are "
                                "taken to be needed");
        if (tally->count[ACTIVITY_COPY] > 0)
            trace_facts_lack(facts,
                             "what a copy would take on another link: copies are submissions "
                             "as long as recorded");
    } else {
        trace_facts_lack(facts, "submissions: residency only, and no engine is ever busy");
    }
    if (memory > 0)
        trace_facts_lack(facts, "residency: what is allocated is taken to be resident");
    if (moved > 0)
        migration_facts(tally, facts);
}
