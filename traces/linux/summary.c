/* What an import of ftrace counted, and what such recordings cannot know. */
#include "traces/linux/linux.h"

#include <stddef.h>

#define COUNTER(key, meaning, unit, member)                                                        \
    {                                                                                              \
        key, meaning, unit, offsetof(struct linux_tally, member)                                   \
    }

static const struct counter {
    const char *key, *meaning, *unit;
    size_t offset;
} counters[] = {
    COUNTER("records", "records of the recording", "", events),
    COUNTER("records-others", "of them of tracepoints that are not read", "", others),
    COUNTER("records-lost", "that the kernel or the recorder dropped", "", lost),
    COUNTER("lines-not-understood", "lines that are no record", "", not_understood),
    COUNTER("undecodable", "records without what they need, left out", "", undecodable),
    COUNTER("names-left-out", "records with one name too many", "", texts_left_out),
    COUNTER("submissions", "jobs queued", "", submissions),
    COUNTER("jobs-unseen", "jobs whose submission is not recorded, taken to be when they ran", "",
            jobs_unseen),
    COUNTER("jobs-done", "jobs of both kinds whose end is recorded", "", jobs_done),
    COUNTER("jobs-without-end", "jobs whose end is not: no engine time", "", jobs_without_end),
    COUNTER("jobs-without-begin",
            "jobs done whose hand-over is not recorded: engine time from the submission on", "",
            jobs_without_begin),
    COUNTER("jobs-given-up", "jobs without an end, too many at a time", "", given_up),
    COUNTER("preemptions", "jobs taken off an engine", "", preemptions),
    COUNTER("fences-of-no-job", "fences signalled that are no known job's", "", ends_unknown),
    COUNTER("engines-of-unknown-kind", "rings whose names say nothing, taken for 3D engines", "",
            engines_unknown),
    COUNTER("threads-for-processes", "contexts whose process is not recorded: the thread's number",
            "", threads_for_processes),
    COUNTER("dependencies", "waits of a job for one under way on another context", "",
            dependencies),
    COUNTER("dependencies-met", "of jobs that are not known to be under way", "", dependencies_met),
    COUNTER("dependencies-unknown", "of jobs that are not known", "", dependencies_unknown),
    COUNTER("waits", "waits of a thread for a job under way", "", waits),
    COUNTER("waits-met", "waits for what is not known to be under way", "", waits_met),
    COUNTER("waits-without-end", "waits whose end is not recorded, left out", "",
            waits_without_end),
    COUNTER("objects-created", "buffer objects created", "", objects_created),
    COUNTER("objects-created-bytes", "their bytes", "bytes", bytes_created),
    COUNTER("objects-destroyed", "buffer objects destroyed", "", objects_destroyed),
    COUNTER("objects-replaced", "created where one was: destroyed before", "", objects_replaced),
    COUNTER("objects-without-name", "created without an address, left out", "",
            objects_without_name),
    COUNTER("objects-before-bytes", "bytes of those that were there before", "bytes", held_bytes),
    COUNTER("moves", "buffer objects moved", "", moves),
    COUNTER("moves-empty", "moved with nothing in them, left out", "", moves_empty),
    COUNTER("moved-in-bytes", "moved into local memory", "bytes", moved_in),
    COUNTER("moved-out-bytes", "moved out of it", "bytes", moved_out),
    COUNTER("memory-total-bytes", "most that gpu_mem_total told", "bytes", most_memory),
};

static void note_lacks(struct linux_import *import)
{
    const struct linux_tally *tally = &import->tally;
    struct trace_facts *facts = import->facts;
    bool memory = tally->objects_created > 0 || import->held_count > 0;
    if (tally->submissions + tally->jobs_unseen == 0)
        trace_facts_lack(facts, "submissions: residency only, and no engine is ever busy");
    else if (tally->jobs_without_begin > 0 && tally->jobs_without_begin == tally->jobs_done)
        trace_facts_lack(facts, "when jobs reached the engine: waiting for other engines counts as "
                                "engine time");
    if (!memory)
        trace_facts_lack(facts,
                         "memory: no tracepoints of buffer objects, so nothing is said about "
                         "residency");
    if (memory && !import->has_references)
        trace_facts_lack(facts, "which buffer objects a submission uses: all of its process are "
                                "taken to be needed");
    if (memory)
        trace_facts_lack(facts, "where buffer objects lie: what is used is taken to be resident");
    if (tally->moves > 0)
        trace_facts_lack(facts,
                         "how long a move took: it is a job of a copy engine, with no name in "
                         "common");
    trace_facts_lack(facts, "presents: the display's clock is recorded, and nothing that waits for "
                            "it");
    if (tally->threads_for_processes > 0)
        trace_facts_lack(facts, "processes: each thread that submits stands for one");
}

void linux_summarize(struct linux_import *import)
{
    struct trace_facts *facts = import->facts;
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        const uint64_t *value =
            (const uint64_t *)(const void *)((const char *)&import->tally + counters[i].offset);
        trace_facts_add(facts, counters[i].key, counters[i].meaning, counters[i].unit, *value);
    }
    trace_facts_add(facts, "objects-before", "buffer objects that were there before", "",
                    import->held_count);
    trace_facts_add(facts, "engines", "engines that ran jobs", "", import->engine_count);
    trace_facts_add(facts, "contexts", "contexts with jobs", "", import->context_count);
    trace_facts_add(facts, "span-ns", "from the first record to the last", "ns",
                    import->last_ns - import->first_ns);
    trace_facts_add(facts, "clock-linux-start-ns", "t 0 on the kernel's clock", "ns",
                    import->first_ns);
    trace_facts_add_sorted(facts, import->to_done, "submit-to-done", "from submission to the end");
    trace_facts_add_sorted(facts, import->queued, "submit-to-run", "from submission to the engine");
    trace_facts_add_sorted(facts, import->on_engine, "engine", "engine time of a job");
    for (size_t i = 0; i < linux_tracepoint_count; i++)
        if (import->tally.tracepoints[i] > 0)
            trace_facts_add_format(facts, "", import->tally.tracepoints[i],
                                   "tracepoint-%s|records of it", linux_tracepoints[i].name);
    note_lacks(import);
}
