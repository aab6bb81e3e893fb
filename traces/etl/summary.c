/* Facts of an import, from its counters and samples. */
#include "traces/etl/import.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

struct counter {
    size_t offset; /* in struct etl_tally */
    const char *key, *meaning, *unit;
};

#define COUNTER(member, key, meaning, unit)                                                        \
    {                                                                                              \
        offsetof(struct etl_tally, member), key, meaning, unit                                     \
    }

static const struct counter counters[] = {
    COUNTER(undecodable, "undecodable", "records with an unknown layout or a payload cut short",
            ""),
    COUNTER(values_too_large, "values-too-large", "records dropped: a number above 2^63", ""),
    COUNTER(contexts_with_engine_work, "contexts-with-engine-work",
            "contexts whose packets ran on an engine", ""),
    COUNTER(contexts_preemption_only, "contexts-preemption-only",
            "contexts that carry preemption packets only", ""),
    COUNTER(devices_assumed, "devices-assumed", "devices made up at t 0", ""),
    COUNTER(contexts_assumed, "contexts-assumed", "contexts made up at t 0", ""),
    COUNTER(contexts_without_node, "contexts-without-node", "of them: node unknown, taken as 0",
            ""),
    COUNTER(allocations_assumed, "allocations-assumed",
            "allocations made up at t 0 from their rundown or destruction", ""),
    COUNTER(allocations_unknown, "allocations-unknown",
            "allocations named but never described: created on first use", ""),
    COUNTER(fences_assumed, "fences-assumed", "fences given a value at t 0", ""),
    COUNTER(fences_never_signalled, "fences-never-signalled",
            "fences waited for that no packet signals", ""),
    COUNTER(allocations_created, "allocations-created", "AdapterAllocation starts", ""),
    COUNTER(bytes_created, "allocations-created-bytes", "their sizes together", "bytes"),
    COUNTER(adapter_allocation_stops, "adapter-allocation-stops", "allocations destroyed", ""),
    COUNTER(terminations, "terminations", "allocations closed by a device", ""),
    COUNTER(terminations_outside_calls, "terminations-outside-calls",
            "of them: not inside a destroy call", ""),
    COUNTER(opens, "opens", "allocations opened by a device other than their creator's", ""),
    COUNTER(opens_without_resource, "opens-without-resource",
            "of them dropped: they belong to no resource", ""),
    COUNTER(make_resident_calls, "make-resident-calls", "MakeResident calls", ""),
    COUNTER(make_resident_done, "make-resident-immediate", "of them: done at once", ""),
    COUNTER(make_resident_pending, "make-resident-pending", "of them: STATUS_PENDING", ""),
    COUNTER(make_resident_failed, "make-resident-failed", "of them: any other status", ""),
    COUNTER(make_resident_empty, "make-resident-empty", "of them dropped: name no allocation", ""),
    COUNTER(make_resident_unfinished, "make-resident-unfinished",
            "of them dropped: their end is not recorded", ""),
    COUNTER(bytes_to_trim, "bytes-to-trim", "bytes MakeResident calls asked to trim", "bytes"),
    COUNTER(references_outside_calls, "references-outside-calls",
            "residency counts changed outside MakeResident and Evict calls", ""),
    COUNTER(evictions_of_references, "evict-references", "allocations named by Evict calls", ""),
    COUNTER(evictions, "evictions", "allocations that left their segment", ""),
    COUNTER(discards, "discards", "contents dropped without a copy", ""),
    COUNTER(fills, "fills", "fills by the paging engine", ""),
    COUNTER(fill_bytes, "fill-bytes", "bytes they filled", "bytes"),
    COUNTER(transfers, "transfers", "copies by the paging engine", ""),
    COUNTER(transfer_bytes, "transfer-bytes", "bytes they copied", "bytes"),
    COUNTER(page_ins_elsewhere, "page-ins-elsewhere", "page-ins to a segment above 31", ""),
    COUNTER(queue_packets[QUEUE_RENDER], "render-queue-packets", "render packets queued", ""),
    COUNTER(queue_packets[QUEUE_DEFERRED], "deferred-queue-packets", "deferred packets queued", ""),
    COUNTER(queue_packets[QUEUE_SYSTEM], "system-queue-packets", "system packets queued", ""),
    COUNTER(queue_packets[QUEUE_FLIP], "flip-queue-packets", "flips queued", ""),
    COUNTER(queue_packets[QUEUE_WAIT], "wait-queue-packets", "waits queued", ""),
    COUNTER(queue_packets[QUEUE_SIGNAL], "signal-queue-packets", "signals queued", ""),
    COUNTER(queue_packets[QUEUE_DEVICE], "device-queue-packets", "device packets queued", ""),
    COUNTER(queue_packets[QUEUE_SOFTWARE], "present-history-queue-packets",
            "software packets queued: present-history tokens", ""),
    COUNTER(queue_packets[QUEUE_PAGING], "paging-queue-packets", "paging packets queued", ""),
    COUNTER(queue_packets_unknown, "unknown-queue-packets", "packets of a type not known", ""),
    COUNTER(queue_unfinished, "queue-packets-unfinished", "queue packets without a stop", ""),
    COUNTER(queue_stops_unpaired, "queue-stops-unpaired", "queue packets without a start", ""),
    COUNTER(submits_without_engine_time, "submissions-without-engine-time",
            "submissions without a DMA packet", ""),
    COUNTER(dma_packets[DMA_RENDER], "render-dma-packets", "render DMA packets completed", ""),
    COUNTER(dma_packets[DMA_PAGING], "paging-dma-packets", "paging DMA packets completed", ""),
    COUNTER(dma_packets[DMA_SYSTEM_PAGING], "system-paging-dma-packets",
            "system paging DMA packets completed", ""),
    COUNTER(dma_packets[DMA_PREEMPTION], "preemption-packets", "preemption packets completed", ""),
    COUNTER(dma_preempted, "preempted", "DMA packets that were preempted", ""),
    COUNTER(dma_unfinished, "dma-packets-unfinished", "DMA packets without a stop", ""),
    COUNTER(dma_stops_unpaired, "dma-stops-unpaired", "DMA packets without a start", ""),
    COUNTER(dma_without_queue_packet, "dma-packets-without-queue-packet",
            "DMA packets whose queue packet is not recorded", ""),
    COUNTER(switches, "context-switches", "submissions' DMA packets behind another context's", ""),
    COUNTER(bands, "bands", "processes found outside the normal band, or changing it", ""),
    COUNTER(broadcasts, "broadcast-signals", "signals on several contexts", ""),
    COUNTER(signals_of_cpu_events, "cpu-event-signals", "signals of events of the processor", ""),
    COUNTER(cpu_waits, "cpu-waits", "waits of the processor: not mapped", ""),
    COUNTER(references_lists, "allocation-lists", "DMA buffers with a list of allocations", ""),
    COUNTER(references_in_lists, "allocation-list-entries", "allocations in those lists", ""),
    COUNTER(references_null, "allocation-list-nulls", "entries that name none", ""),
    COUNTER(paging_starts, "paging-operations", "operations queued on paging queues", ""),
    COUNTER(paging_stops_unpaired, "paging-stops-unpaired", "such operations without a start", ""),
    COUNTER(calls_unpaired, "calls-unpaired", "Profiler calls or returns without the other", ""),
};

static void record_facts(struct trace_facts *facts, const struct etl_records *records,
                         const struct etl_header *header)
{
    trace_facts_add(facts, "dxgkrnl-records", "records of Microsoft-Windows-DxgKrnl", "",
                    records->dxgkrnl);
    trace_facts_add(facts, "events-lost", "events the recorder dropped", "", header->events_lost);
    trace_facts_add(facts, "buffers-lost", "buffers the recorder dropped", "",
                    header->buffers_lost);
    trace_facts_add(facts, "stamps-out-of-range", "DxgKrnl records dropped for an impossible time",
                    "", records->stamps_out_of_range);
    trace_facts_add(facts, "unknown-ids", "DxgKrnl records with an id the event tables lack", "",
                    records->unknown_ids);
    trace_facts_add(facts, "unmapped",
                    "DxgKrnl records with a known id that a trace has no event for", "",
                    records->unmapped);
    trace_facts_add(facts, "recorder-start-ns", "from the start of the recorder to t 0", "ns",
                    records->start_ns);
    if (records->counter_ns > 0)
        trace_facts_add(facts, "clock-qpc-start-ns", "t 0 on the machine's counter", "ns",
                        records->counter_ns);
    trace_facts_add(facts, "duration-ns", "from t 0 to the last DxgKrnl record", "ns",
                    records->end_ns);
    trace_facts_add(facts, "preemption-attempts", "AttemptPreemption records", "",
                    records->preemption_attempts);
}

/* "DxgkMakeResident" → "dxgk-make-resident" */
static void spell_key(const char *name, char *key, size_t room)
{
    size_t length = 0;
    for (size_t i = 0; name[i] != '\0' && length + 3 < room; i++) {
        if (i > 0 && isupper((unsigned char)name[i]) && !isupper((unsigned char)name[i - 1]))
            key[length++] = '-';
        key[length++] = (char)tolower((unsigned char)name[i]);
    }
    key[length] = '\0';
}

static void function_facts(struct etl_import *import)
{
    for (size_t f = 0; f < etl_function_count; f++) {
        struct trace_samples samples = {0};
        for (size_t i = 0; i < import->call_count; i++)
            if (import->calls[i].function == etl_functions[f].id &&
                import->calls[i].stop_ns != NEVER)
                trace_samples_add(&import->facts, &samples,
                                  import->calls[i].stop_ns - import->calls[i].start_ns);
        char key[64];
        spell_key(etl_functions[f].name, key, sizeof key);
        trace_facts_add_quantiles(&import->facts, key, etl_functions[f].name, &samples);
        trace_samples_free(&samples);
    }
}

static void latency_facts(struct etl_import *import)
{
    static const char *const queue_keys[QUEUE_TYPES][2] = {
        {"render-queue", "render packet from submission to completion"},
        {"deferred-queue", "deferred packet from submission to completion"},
        {"system-queue", "system packet from submission to completion"},
        {"flip-queue", "flip from submission to completion"},
        {"wait-queue", "wait from submission to completion"},
        {"signal-queue", "signal from submission to completion"},
        {"device-queue", "device packet from submission to completion"},
        {"present-history-queue", "present-history token from submission to completion"},
        {"paging-queue", "paging packet from submission to completion"},
    };
    static const char *const dma_keys[DMA_TYPES][2] = {
        {"render-dma", "render DMA packet from hand-over to completion"},
        {"paging-dma", "paging DMA packet from hand-over to completion"},
        {"system-paging-dma", "system paging DMA packet from hand-over to completion"},
        {"preemption-dma", "preemption packet from hand-over to completion"},
    };
    struct trace_facts *facts = &import->facts;
    for (size_t i = 0; i < QUEUE_TYPES; i++)
        trace_facts_add_quantiles(facts, queue_keys[i][0], queue_keys[i][1], &import->queue_ns[i]);
    for (size_t i = 0; i < DMA_TYPES; i++)
        trace_facts_add_quantiles(facts, dma_keys[i][0], dma_keys[i][1], &import->dma_ns[i]);
    for (size_t i = 0; i < OPERATIONS_MAX; i++) {
        if (import->operation_ns[i].count == 0)
            continue;
        char key[32], meaning[48];
        snprintf(key, sizeof key, "operation-%zu", i);
        snprintf(meaning, sizeof meaning, "VidMm operation %zu", i);
        trace_facts_add_quantiles(facts, key, meaning, &import->operation_ns[i]);
    }
    trace_facts_add_quantiles(facts, "make-resident-immediate-call", "MakeResident done at once",
                              &import->immediate_ns);
    trace_facts_add_quantiles(facts, "make-resident-pending-call", "MakeResident left pending",
                              &import->pending_ns);
    trace_facts_add_quantiles(facts, "terminated-to-closed", "from closing to closed",
                              &import->closed_ns);
    trace_facts_add_quantiles(facts, "terminated-to-destroyed", "from closing to destroyed",
                              &import->destroyed_ns);
    trace_facts_add(facts, "engine-latency-ns",
                    "estimated start and interrupt of an idle engine, 0: too few packets", "ns",
                    import->latency_ns);
    for (size_t i = 0; i < NODES_MAX; i++)
        if (import->nodes[i].seen)
            trace_facts_add_format(facts, "", import->nodes[i].switches,
                                   "context-switches-node-%zu|of the context switches, on node %zu",
                                   i, i);
    for (size_t i = 0; i < NODES_MAX; i++)
        if (import->nodes[i].seen)
            trace_facts_add_format(
                facts, "ns", import->nodes[i].switch_ns,
                "switch-ns-node-%zu|estimated context switch on node %zu, 0: too few "
                "packets",
                i, i);
}

static void note_lacks(struct etl_import *import)
{
    struct trace_facts *facts = &import->facts;
    trace_facts_lack(facts, "which allocations most packets use: drivers with GPU virtual "
                            "addresses list few of them");
    trace_facts_lack(facts, "the time of one copy: paging buffers hold several operations and have "
                            "one start and one end");
    if (import->tally.allocations_unknown > 0)
        trace_facts_lack(facts, "the sizes of allocations that were there before: no rundown lists "
                                "them");
    if (import->call_count == 0)
        trace_facts_lack(facts, "how long calls took: recorded without the keyword Profiler");
}

void etl_summarize(struct etl_import *import, const struct etl_source *source)
{
    source->facts(source->self, &import->facts);
    record_facts(&import->facts, &import->records, source->header);
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        const uint64_t *value =
            (const uint64_t *)(const void *)((const char *)&import->tally + counters[i].offset);
        trace_facts_add(&import->facts, counters[i].key, counters[i].meaning, counters[i].unit,
                        *value);
    }
    for (uint32_t i = 0; i < SEGMENTS_MAX; i++)
        if (import->tally.page_ins[i] > 0)
            trace_facts_add_format(
                &import->facts, "", import->tally.page_ins[i],
                "page-ins-segment-%" PRIu32 "|allocations paged in to segment %" PRIu32, i, i);
    latency_facts(import);
    function_facts(import);
    note_lacks(import);
}
