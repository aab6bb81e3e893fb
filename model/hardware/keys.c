/* The parameter table: every value of a profile, once. A new parameter is one row here (and its
 * field in profile.h).
 *
 * The defaults are a Windows 10 machine's: call costs are medians of a recorded machine, one
 * driver, one build (17134); the comments in profiles/rtx3070-8g.yaml give each value's source. */
#include "model/hardware/keys.h"

#include <string.h>

#define ROW(of, structure, key, type, member, range, standard, meaning)                            \
    {                                                                                              \
        key, KEY_##type, KEY_OF_##of, offsetof(struct structure, member), range, standard, meaning \
    }
#define TOP(...) ROW(PROFILE, profile, __VA_ARGS__)
#define SEGMENT(key, ...) ROW(SEGMENT, profile_segment, "segments.NAME." key, __VA_ARGS__)
#define NODE(key, ...) ROW(NODE, profile_node, "nodes.NAME." key, __VA_ARGS__)
#define SCHEDULER(key, member, standard, meaning)                                                  \
    TOP("scheduler." key, TIME, scheduler.member, "0ns..100s", standard, meaning)
#define USAGE(key, index, standard)                                                                \
    TOP("miniport.usage." key, TEXT, miniport.usage[PROFILE_##index], "a segment's name",          \
        standard, "segment preferred for this usage")
#define FIXED(call, index, standard)                                                               \
    TOP("costs." call ".fixed", TIME, costs[PROFILE_##index].fixed_ns, "0ns..10s", standard,       \
        "CPU time of each call")
#define EACH(call, index, standard)                                                                \
    TOP("costs." call ".allocation", TIME, costs[PROFILE_##index].allocation_ns, "0ns..1s",        \
        standard, "CPU time for each allocation it names")
#define DDI(call, member, standard, function)                                                      \
    TOP("costs.ddi." call, TIME, ddi.member, "0ns..1s", standard,                                  \
        "CPU time inside the driver for each allocation: " function)
#define PAGED(call, index, standard)                                                               \
    TOP("costs." call ".page", FINE, costs[PROFILE_##index].page_ps, "0ns..1ms", standard,         \
        "CPU time for each 4 KiB page")

/* Choices stand in the order of their enumeration. */
const struct key_spec profile_keys[] = {
    TOP("name", TEXT, name, "letters, digits . _ -", "custom", "the profile's name"),
    TOP("wddm", TENTHS, wddm, "1.2, 2.0, 2.7", "2.0",
        "WDDM version: 1.2 submissions imply residency, 2.0 explicit residency, 2.7 the same and "
        "hardware scheduling"),

    TOP("link.bandwidth-in", RATE, link.bandwidth_in, "1MB/s..100TB/s", "25.5GB/s",
        "system memory to adapter"),
    TOP("link.bandwidth-out", RATE, link.bandwidth_out, "1MB/s..100TB/s", "26GB/s",
        "adapter to system memory"),
    TOP("link.latency", TIME, link.latency_ns, "0ns..1s", "1.7us", "fixed part of every transfer"),
    TOP("link.duplex-factor", NUMBER, link.duplex_factor, "0.5..1", "0.75",
        "share of its bandwidth a direction keeps while the other is busy"),
    TOP("link.shared", SWITCH, link.shared, "true, false", "false",
        "whether transfers pass one host link with those of all other adapters that say so, as "
        "wide as the first such adapter's"),

    TOP("memory.fill-rate", RATE, memory.fill_rate, "0B/s..100TB/s", "394GB/s",
        "zeroing adapter memory; 0 = free of charge"),
    TOP("memory.page-table-entry", FINE, memory.page_table_entry_ps, "0ns..1ms", "314ps",
        "writing one page-table entry"),
    TOP("memory.tlb-flush", TIME, memory.tlb_flush_ns, "0ns..1s", "9.5us",
        "paging node: one page-table update and the flush of the TLB behind it"),
    TOP("memory.aperture-map", TIME, memory.aperture_map_ns, "0ns..1s", "2us",
        "one aperture mapping or unmapping operation, whatever its size"),

    SEGMENT("kind", CHOICE, kind, "memory, aperture", "memory",
            "adapter memory, or a window on system memory"),
    SEGMENT("size", SIZE, size, "0B..16TiB", "0B", "bytes"),
    SEGMENT("commit-limit", SIZE, commit_limit, "0B..16TiB", "0B",
            "bytes that may be in use at once; 0 = size"),
    SEGMENT("page", SIZE, page, "4KiB..2MiB", "4KiB", "page: 4KiB, 64KiB or 2MiB"),
    SEGMENT("cpu-visible", SIZE, cpu_visible, "0B..16TiB", "0B",
            "bytes from the start that the CPU can map"),
    SEGMENT("cpu-host-aperture", SIZE, cpu_host_aperture, "0B..16TiB", "0B",
            "bytes of it that the CPU can have mapped at a time, wherever they lie; 0 = none"),
    SEGMENT("budget-group", CHOICE, budget_group, "auto, local, non-local, none", "auto",
            "group of segments that budgets count it in; auto: memory local, aperture non-local"),
    SEGMENT("banks", COUNT, banks, "1..127", "1", "parts of equal size that a driver may hint at"),

    NODE("kind", CHOICE, kind, "3d, compute, copy, video, paging", "3d", "what the engine does"),
    NODE("speed", NUMBER, speed, "0.001..1000", "1",
         "divides recorded engine times: 2 = twice as fast"),
    NODE("switch", TIME, switch_ns, "0ns..1s", "20us",
         "fixed cost of a context switch, beyond save and restore"),
    NODE("save", TIME, save_ns, "0ns..1s", "0ns", "saving the outgoing context's state"),
    NODE("restore", TIME, restore_ns, "0ns..1s", "0ns", "restoring the incoming context's state"),
    NODE("save-area", SIZE, save_area, "0B..1TiB", "0B",
         "save area the driver allocates for each context; 0 = none"),
    NODE(
        "preemption", CHOICE, preemption,
        "none, dma-buffer, primitive, triangle, pixel, dispatch, thread-group, thread, instruction",
        "none", "where the engine can stop in the middle of its work"),
    NODE("granule", TIME, granule_ns, "0ns..100s", "0ns",
         "between two such places, where the packet does not say"),

    TOP("scheduler.policy", CHOICE, scheduler.policy, "auto, software, hardware, fifo", "auto",
        "who schedules: Windows' worker, the GPU itself, strict order; auto: the GPU from wddm 2.7 "
        "on, "
        "else the worker"),
    TOP("scheduler.queue-depth", COUNT, scheduler.queue_depth, "1..64", "2",
        "DMA packets in a node's hardware queue"),
    TOP("scheduler.context-switch", CHOICE, scheduler.context_switch, "lazy, eager", "lazy",
        "eager switches in front of every packet, also behind its own context"),
    SCHEDULER("wake", wake_ns, "5.9us", "waking the worker when it sleeps"),
    TOP("scheduler.recorded-costs", SWITCH, scheduler.recorded_costs, "true, false", "true",
        "whether the driver and interrupt times that a trace has for a packet replace the "
        "profile's"),
    SCHEDULER("submit", submit_ns, "12.2us", "worker: handing one packet over, but for the driver"),
    SCHEDULER("submit-idle", submit_idle_ns, "4.4us", "worker: more of that to an idle engine"),
    SCHEDULER("driver", driver_ns, "10.3us", "worker: the driver's part of that"),
    SCHEDULER("driver-idle", driver_idle_ns, "12us", "worker: more of it to an idle engine"),
    SCHEDULER("driver-switch", driver_switch_ns, "25us",
              "worker: more of it behind another context's packet"),
    SCHEDULER("driver-cold", driver_cold_ns, "57us",
              "worker: more of it, instead of both, to an engine that was powered down"),
    SCHEDULER("power-idle", power_idle_ns, "2.2ms",
              "an engine idle for so long is powered down; 0 = never"),
    SCHEDULER("power-up", power_up_ns, "16.6us", "worker: asking for its power"),
    SCHEDULER("power-latency", power_latency_ns, "8.8us", "until the engine has it then"),
    SCHEDULER("preempt", preempt_ns, "26us", "worker: having an engine preempted"),
    SCHEDULER("wait", wait_ns, "9.7us", "worker: looking at a wait packet"),
    SCHEDULER("signal", signal_ns, "8.9us", "worker: taking a signal packet"),
    SCHEDULER("present", present_ns, "6.2us", "worker: taking a present"),
    SCHEDULER("flip", flip_ns, "47.7us", "programming the display for a flip"),
    SCHEDULER("firmware", firmware_ns, "0ns", "hardware policy: the GPU picks a packet"),
    SCHEDULER("interrupt", interrupt_ns, "22.9us", "from engine stop to the DPC"),
    SCHEDULER("interrupt-cold", interrupt_cold_ns, "13.7us",
              "the same, more if the processor slept"),
    SCHEDULER("processor-idle", processor_idle_ns, "500us",
              "without an interrupt for so long it sleeps; 0 = never"),
    SCHEDULER("complete", complete_ns, "9.6us", "DPC: completing a packet that an engine ran"),
    SCHEDULER("complete-signal", complete_signal_ns, "7.5us", "DPC: completing a signal behind it"),
    SCHEDULER("complete-present", complete_present_ns, "7.6us",
              "DPC: completing a present behind it"),
    SCHEDULER("quantum.idle", quantum_ns[0], "5ms", "a context's quantum; 0 = never over"),
    SCHEDULER("quantum.normal", quantum_ns[1], "5ms", "a context's quantum; 0 = never over"),
    SCHEDULER("quantum.focus", quantum_ns[2], "7.5ms", "a context's quantum; 0 = never over"),
    SCHEDULER("quantum.realtime", quantum_ns[3], "7.5ms", "a context's quantum; 0 = never over"),
    SCHEDULER("quantum.process", process_quantum_ns, "5ms",
              "hardware policy: a process' quantum in its band; 0 = never over"),
    SCHEDULER("preemption-quantum", preemption_quantum_ns, "20ms",
              "software policy: on top of its quantum, before its own level preempts it"),
    SCHEDULER("grace.band", grace_band_ns, "0ns",
              "hardware policy: for whoever is preempted by a higher band"),
    SCHEDULER("grace.process", grace_process_ns, "0ns",
              "hardware policy: ... by another process of its band"),
    SCHEDULER("grace.same", grace_same_ns, "0ns",
              "hardware policy: ... by another context of its process and priority"),
    SCHEDULER("grace.lower", grace_lower_ns, "0ns",
              "hardware policy: ... by a context of higher priority in its process"),
    TOP("scheduler.normal-share", NUMBER, scheduler.normal_share, "0..0.5", "0.1",
        "of an engine, for the normal band while the focus band wants all of it"),
    SCHEDULER("yield-slice", yield_slice_ns, "1ms", "for how long about it gets that at a time"),
    SCHEDULER("tdr-delay", tdr_delay_ns, "2s",
              "an engine that was asked to stop and does not for so long is reset; 0 = never"),
    SCHEDULER("tdr-permitted", tdr_permitted_ns, "2s",
              "a packet that runs for so long is asked to stop, whoever waits; 0 = never"),
    SCHEDULER("tdr-reset", tdr_reset_ns, "1.5ms", "resetting an engine"),
    SCHEDULER("vsync", vsync_ns, "0ns", "refresh period; 0 = presents never wait for it"),
    TOP("scheduler.tearing", SWITCH, scheduler.tearing, "true, false", "true",
        "whether a flip without an interval is shown at once; else at the next refresh, if no "
        "newer one is ready by then"),
    TOP("scheduler.flip-queue", COUNT, scheduler.flip_queue, "0..64", "0",
        "flips of a context on their way to the display, behind which its next one waits; 0 = any "
        "number"),
    TOP("scheduler.frame-latency", COUNT, scheduler.frame_latency, "0..16", "3",
        "presents of a context, queued and neither shown nor dropped, behind which the next call "
        "waits (SetMaximumFrameLatency); 0 = any number"),

    TOP("vidmm.eviction", CHOICE, vidmm.eviction,
        "lru, priority-lru, clock, fifo, random, largest, 2q, s3-fifo, sieve, lfu, mru, belady",
        "lru", "which allocations are evicted first (belady: what the trace uses last, a bound)"),
    TOP("vidmm.eviction-throttle", SIZE, vidmm.eviction_throttle, "0B..16TiB", "0B",
        "bytes that one submission may have moved in and out to get room: beyond, what it names "
        "goes, or stays, where it likes it less, if it may; 0 = no limit"),
    TOP("vidmm.placement", CHOICE, vidmm.placement, "best-fit, first-fit, buddy", "best-fit",
        "which free stretch an allocation gets: the smallest that will do, the lowest, or a "
        "power of two bytes at a multiple of as many"),
    TOP("vidmm.zero-fill", SWITCH, vidmm.zero_fill, "true, false", "true",
        "whether the first page-in of an allocation zeroes it"),
    TOP("vidmm.device-quantum", TIME, vidmm.device_quantum_ns, "0ns..10s", "16ms",
        "devices that do not fit together take turns: one that was paged in stays this long"),
    TOP("vidmm.request", TIME, vidmm.request_ns, "0ns..1s", "8us",
        "worker: taking one request of a paging queue"),
    TOP("vidmm.commit", TIME, vidmm.commit_ns, "0ns..1s", "75us",
        "worker: finding and committing the place of an allocation that is paged in"),
    TOP("vidmm.page", FINE, vidmm.page_ps, "0ns..1ms", "0ns",
        "worker: and for each 4 KiB page of it (drivers of unified memory)"),
    TOP("vidmm.build", TIME, vidmm.build_ns, "0ns..1s", "4.9us",
        "worker: building one operation into a paging buffer"),
    TOP("vidmm.submit", TIME, vidmm.submit_ns, "0ns..1s", "20us",
        "worker: submitting a paging buffer and the signal behind it"),
    TOP("vidmm.packet", TIME, vidmm.packet_ns, "0ns..1s", "8.5us",
        "paging node: fixed part of running a paging buffer"),
    TOP("vidmm.paging-buffer", SIZE, vidmm.paging_buffer, "4KiB..1GiB", "64KiB",
        "bytes of a paging buffer: operations take 64, and 8 for each page-table entry they write"),
    TOP("vidmm.scratch", SIZE, vidmm.scratch, "0B..16TiB", "64MiB",
        "bytes that the paging process can map at once: larger transfers are chunks; 0 = all"),

    TOP("vidmm.budget", CHOICE, vidmm.budget, "none, weighted", "weighted",
        "WDDM 2: what a process may require: whatever fits, or its share by weight and what others "
        "leave"),
    TOP("vidmm.budget-local", NUMBER, vidmm.budget_local, "0..1", "0.95",
        "share of the local segments that all processes together may require"),
    TOP("vidmm.budget-non-local", NUMBER, vidmm.budget_non_local, "0..1", "0.95",
        "share of the non-local segments"),
    TOP("vidmm.weight.dwm", NUMBER, vidmm.weight_dwm, "0..1000", "2",
        "weight of the compositor in the dealing of budgets"),
    TOP("vidmm.weight.focus", NUMBER, vidmm.weight_focus, "0..1000", "4",
        "weight of the process in the foreground"),
    TOP("vidmm.weight.visible", NUMBER, vidmm.weight_visible, "0..1000", "2",
        "weight of a visible process"),
    TOP("vidmm.weight.occluded", NUMBER, vidmm.weight_occluded, "0..1000", "1",
        "weight of a process behind others"),
    TOP("vidmm.weight.minimized", NUMBER, vidmm.weight_minimized, "0..1000", "0.5",
        "weight of a minimized process"),
    TOP("vidmm.trim-response", TIME, vidmm.trim_response_ns, "0ns..10s", "1ms",
        "from the moment budgets are exceeded to what drivers have trimmed when told"),
    TOP("vidmm.trim-minimum", TIME, vidmm.trim_minimum_ns, "0ns..1000s", "0ns",
        "time between periodic trims of a process when memory is short; 0 = never"),
    TOP("vidmm.trim-maximum", TIME, vidmm.trim_maximum_ns, "0ns..1000s", "0ns",
        "time between them when it is not; 0 = no periodic trims at all"),
    TOP("vidmm.trim-idle", TIME, vidmm.trim_idle_ns, "0ns..1000s", "0ns",
        "time until a process that submits nothing is trimmed for the last time; 0 = never"),

    TOP("vidmm.fault.block", SIZE, vidmm.fault.block, "4KiB..2MiB", "2MiB",
        "demand paging: bytes of a block, which gets room, and is evicted, as a whole; a power of "
        "two"),
    TOP("vidmm.fault.page", SIZE, vidmm.fault.page, "4KiB..2MiB", "64KiB",
        "bytes around what was touched that come in at least; a power of two"),
    TOP("vidmm.fault.batch", COUNT, vidmm.fault.batch, "1..1000000", "256",
        "faults, of 4 KiB each, that are served together"),
    TOP("vidmm.fault.streams", COUNT, vidmm.fault.streams, "1..65536", "1",
        "stretches of its memory that a packet works through side by side"),
    TOP("vidmm.fault.batch-cost", TIME, vidmm.fault.batch_ns, "0ns..1s", "35us",
        "worker: serving a batch"),
    TOP("vidmm.fault.block-cost", TIME, vidmm.fault.block_ns, "0ns..1s", "1.6us",
        "worker: and for each block in it"),
    TOP("vidmm.fault.page-cost", TIME, vidmm.fault.page_ns, "0ns..1s", "1.33us",
        "worker: and for each page (vidmm.fault.page) that comes in"),
    TOP("vidmm.fault.unmap", TIME, vidmm.fault.unmap_ns, "0ns..1s", "130us",
        "worker: and for a block that the processor has used, when the first of it comes in"),
    TOP("vidmm.fault.prefetch", NUMBER, vidmm.fault.prefetch, "0..1", "0.51",
        "stretches of 2, 4, 8 ... pages come in as a whole when more than this share of them is "
        "there or asked for; 0 = never"),
    TOP("vidmm.fault.thrashing", COUNT, vidmm.fault.thrashing, "0..1000", "3",
        "a block that has come back so many times in a row soon after it had left is pinned in "
        "system memory; 0 = never"),
    TOP("vidmm.fault.lapse", TIME, vidmm.fault.lapse_ns, "0ns..1000s", "500us", "what soon means"),
    TOP("vidmm.fault.pin", TIME, vidmm.fault.pin_ns, "0ns..1000s", "300ms",
        "how long it is pinned, and touched over the link"),
    TOP("vidmm.fault.pins", COUNT, vidmm.fault.pins, "0..1000000", "4",
        "times that a block may be"),

    TOP("miniport.context-save-area", SWITCH, miniport.context_save_area, "true, false", "true",
        "whether the driver allocates a save area for each context"),
    USAGE("texture", TEXTURE, "local"),
    USAGE("render-target", RENDER_TARGET, "local"),
    USAGE("depth", DEPTH, "local"),
    USAGE("buffer", BUFFER, "local"),
    USAGE("upload", UPLOAD, "aperture"),
    USAGE("readback", READBACK, "aperture"),
    USAGE("primary", PRIMARY, "local"),
    USAGE("command", COMMAND, "aperture"),
    USAGE("heap", HEAP, "local"),
    USAGE("other", OTHER, "local"),

    DDI("create-allocation", create_allocation_ns, "22.8us", "DxgkDdiCreateAllocation"),
    DDI("open-allocation", open_allocation_ns, "4.2us", "DxgkDdiOpenAllocation"),
    DDI("close-allocation", close_allocation_ns, "4.8us", "DxgkDdiCloseAllocation"),
    DDI("destroy-allocation", destroy_allocation_ns, "8.5us", "DxgkDdiDestroyAllocation"),
    FIXED("create-device", CREATE_DEVICE, "5ms"),
    FIXED("destroy-device", DESTROY_DEVICE, "1ms"),
    FIXED("create-context", CREATE_CONTEXT, "20ms"),
    FIXED("destroy-context", DESTROY_CONTEXT, "1ms"),
    FIXED("create-allocation", CREATE_ALLOCATION, "15.1us"),
    EACH("create-allocation", CREATE_ALLOCATION, "5.5us"),
    PAGED("create-allocation", CREATE_ALLOCATION, "4.7ns"),
    FIXED("open-resource", OPEN_RESOURCE, "15.1us"),
    EACH("open-resource", OPEN_RESOURCE, "0ns"),
    FIXED("destroy-allocation", DESTROY_ALLOCATION, "7.4us"),
    EACH("destroy-allocation", DESTROY_ALLOCATION, "0ns"),
    FIXED("create-context-allocation", CREATE_CONTEXT_ALLOCATION, "15.1us"),
    PAGED("create-context-allocation", CREATE_CONTEXT_ALLOCATION, "4.7ns"),
    FIXED("destroy-context-allocation", DESTROY_CONTEXT_ALLOCATION, "7.4us"),
    FIXED("map-gpu-virtual-address", MAP_GPU_VIRTUAL_ADDRESS, "5.5us"),
    FIXED("make-resident", MAKE_RESIDENT, "12us"),
    EACH("make-resident", MAKE_RESIDENT, "500ns"),
    FIXED("evict", EVICT, "3us"),
    EACH("evict", EVICT, "300ns"),
    FIXED("set-priority", SET_PRIORITY, "1us"),
    EACH("set-priority", SET_PRIORITY, "300ns"),
    FIXED("offer", OFFER, "3us"),
    EACH("offer", OFFER, "300ns"),
    FIXED("reclaim", RECLAIM, "3us"),
    EACH("reclaim", RECLAIM, "300ns"),
    FIXED("lock", LOCK, "4.2us"),
    FIXED("unlock", UNLOCK, "4.2us"),
    FIXED("submit", SUBMIT, "15.4us"),
    EACH("submit", SUBMIT, "0ns"),
    FIXED("signal", SIGNAL, "12.2us"),
    FIXED("wait", WAIT, "5.1us"),
    FIXED("present", PRESENT, "158us"),
    FIXED("flip", FLIP, "39.1us"),

    TOP("system.memory", SIZE, system.memory, "1MiB..16TiB", "32GiB",
        "system memory that graphics may commit"),
};

const size_t profile_keys_count = sizeof profile_keys / sizeof *profile_keys;

size_t profile_key_count(void)
{
    return profile_keys_count;
}

struct profile_key_row profile_key(size_t index)
{
    const struct key_spec *spec = &profile_keys[index];
    return (struct profile_key_row){spec->key, key_type_name(spec), spec->range, spec->standard,
                                    spec->meaning};
}

const struct key_spec *profile_key_find(const char *key, char suggestion[PROFILE_KEY_SIZE])
{
    char name[PROFILE_NAME_SIZE], rest[PROFILE_KEY_SIZE];
    const char *whole = key;
    uint32_t adapter;
    suggestion[0] = '\0';
    if (!key_adapter(&key, &adapter))
        return NULL;
    const struct key_spec *spec = key_find(key, name);
    size_t prefix = (size_t)(key - whole);
    if (spec == NULL && key_suggest(key, rest) && prefix + strlen(rest) < PROFILE_KEY_SIZE) {
        memcpy(suggestion, whole, prefix);
        strcpy(suggestion + prefix, rest);
    }
    return spec;
}
