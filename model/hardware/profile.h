/* A hardware profile: every number the model knows of a machine, a driver and Windows' policies.
 *
 * keys.c declares each value once: key, type, unit, range, default, meaning. The YAML loader,
 * --set, `hardware keys`, `hardware show`, the manual page and the sweep all read that table. */
#ifndef WDDMSIM_HARDWARE_PROFILE_H
#define WDDMSIM_HARDWARE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct key_spec;

enum { PROFILE_SEGMENTS_MAX = 31, PROFILE_NODES_MAX = 64, PROFILE_NAME_SIZE = 48 };

enum profile_segment_kind { PROFILE_MEMORY, PROFILE_APERTURE };
/* The memory segment group that budgets count a segment in; auto: by its kind. */
enum profile_group {
    PROFILE_GROUP_AUTO,
    PROFILE_GROUP_LOCAL,
    PROFILE_GROUP_NON_LOCAL,
    PROFILE_GROUP_NONE
};
enum profile_node_kind {
    PROFILE_NODE_3D,
    PROFILE_NODE_COMPUTE,
    PROFILE_NODE_COPY,
    PROFILE_NODE_VIDEO,
    PROFILE_NODE_PAGING
};
/* "3d", "compute", ... */
extern const char *const profile_node_kind_names[];

enum profile_context_switch { PROFILE_LAZY, PROFILE_EAGER };

/* How the GPU's packets are scheduled: model/vidsch/policies.c. */
enum profile_policy {
    PROFILE_POLICY_AUTO, /* by the version of WDDM */
    PROFILE_SOFTWARE,
    PROFILE_HARDWARE,
    PROFILE_FIFO
};

/* Where an engine can stop in the middle of its work (wddm.md §8.1), coarse to fine: not at all; at
 * the end of a DMA buffer; inside one, every granule. */
enum profile_preemption {
    PROFILE_PREEMPT_NONE,
    PROFILE_PREEMPT_DMA_BUFFER,
    PROFILE_PREEMPT_PRIMITIVE,
    PROFILE_PREEMPT_TRIANGLE,
    PROFILE_PREEMPT_PIXEL,
    PROFILE_PREEMPT_DISPATCH,
    PROFILE_PREEMPT_THREAD_GROUP,
    PROFILE_PREEMPT_THREAD,
    PROFILE_PREEMPT_INSTRUCTION
};

struct profile_link {
    double bandwidth_in;  /* bytes/s, system memory to adapter */
    double bandwidth_out; /* bytes/s, adapter to system memory */
    uint64_t latency_ns;  /* fixed part of every transfer */
    double duplex_factor; /* share of its bandwidth a direction keeps while the other is busy,
                             0.5..1 */
    bool shared;          /* with all other adapters that say so */
};

struct profile_memory {
    double fill_rate;             /* bytes/s; 0 = free of charge */
    uint64_t page_table_entry_ps; /* picoseconds per page-table entry written */
    uint64_t tlb_flush_ns;        /* updating a page table and flushing the TLB behind it */
    uint64_t aperture_map_ns; /* per aperture mapping or unmapping operation, whatever its size */
};

struct profile_segment {
    char name[PROFILE_NAME_SIZE];
    enum profile_segment_kind kind;
    uint64_t size;              /* bytes */
    uint64_t commit_limit;      /* bytes; 0 = size */
    uint64_t page;              /* bytes: 4 KiB, 64 KiB or 2 MiB */
    uint64_t cpu_visible;       /* bytes from the start that the CPU can map */
    uint64_t cpu_host_aperture; /* bytes that it can have mapped at a time (CPU host aperture) */
    uint32_t banks;             /* parts of equal size that a driver may hint at */
    enum profile_group budget_group;
};

struct profile_node {
    char name[PROFILE_NAME_SIZE];
    enum profile_node_kind kind;
    double speed;        /* 1 = engine times as recorded; 2 = twice as fast */
    uint64_t switch_ns;  /* fixed cost of a context switch, beyond moving the save area */
    uint64_t save_ns;    /* saving the outgoing context's state */
    uint64_t restore_ns; /* restoring the incoming context's state */
    uint64_t save_area;  /* bytes of a context's save-area allocation on this node; 0 = none */
    enum profile_preemption preemption;
    uint64_t granule_ns; /* between two places where a packet that does not say can stop */
};

enum { PROFILE_BANDS = 4 }; /* idle, normal, focus, realtime */

struct profile_scheduler {
    enum profile_policy policy;
    uint32_t queue_depth; /* DMA packets in a node's hardware queue */
    enum profile_context_switch context_switch;
    bool recorded_costs; /* driver and interrupt times that a packet brings along count */

    /* The worker, asleep until something happens, then one thing after the other. */
    uint64_t wake_ns;          /* to wake it */
    uint64_t submit_ns;        /* handing one packet over, without the driver's part */
    uint64_t submit_idle_ns;   /* more, to an idle engine */
    uint64_t driver_ns;        /* that */
    uint64_t driver_idle_ns;   /* more of it, if the engine is idle */
    uint64_t driver_switch_ns; /* more, behind another context's packet */
    uint64_t driver_cold_ns;   /* more instead of both, if the engine was powered down */
    uint64_t power_idle_ns;    /* an engine idle for so long is powered down; 0 = never */
    uint64_t power_up_ns;      /* asking for power again */
    uint64_t power_latency_ns; /* until it is there */
    uint64_t preempt_ns;       /* having an engine preempted */
    uint64_t wait_ns;          /* looking at a wait packet */
    uint64_t signal_ns;        /* taking a signal packet */
    uint64_t present_ns;       /* taking a present */
    uint64_t flip_ns;          /* programming the display, worker or DPC */
    uint64_t firmware_ns;      /* the engine's own processor: picking a packet */

    /* Interrupts and the DPC. */
    uint64_t interrupt_ns;        /* from engine stop to the DPC */
    uint64_t interrupt_cold_ns;   /* more, if the processor slept */
    uint64_t processor_idle_ns;   /* without an interrupt for so long it does; 0 = never */
    uint64_t complete_ns;         /* completing one packet that the engine ran */
    uint64_t complete_signal_ns;  /* completing a signal behind it */
    uint64_t complete_present_ns; /* completing a present behind it */

    uint64_t quantum_ns[PROFILE_BANDS]; /* of a context; 0 = never over */
    uint64_t process_quantum_ns;        /* hardware: of a process; 0 = never over */
    uint64_t
        preemption_quantum_ns; /* software: beyond its quantum before its like may preempt it */
    uint64_t grace_band_ns;    /* hardware: for whoever a higher band preempts */
    uint64_t grace_process_ns; /* ... another process of the band */
    uint64_t grace_same_ns;    /* ... a context of the same process and priority */
    uint64_t grace_lower_ns;   /* ... a context of higher priority in the process */
    double normal_share;       /* of the normal band while the focus band wants all */
    uint64_t yield_slice_ns;   /* and for how long at a time, about */

    uint64_t tdr_delay_ns;     /* asked to stop, an engine has so long; 0 = for ever */
    uint64_t tdr_permitted_ns; /* a packet that runs so long is asked to stop; 0 = never */
    uint64_t tdr_reset_ns;     /* resetting an engine */

    uint64_t vsync_ns;      /* refresh period; 0 = presents never wait for it */
    bool tearing;           /* flips without an interval do not wait for it either */
    uint32_t flip_queue;    /* flips of a context that are not shown; 0 = any number */
    uint32_t frame_latency; /* presents of a context that are not retired; 0 = any number */
};

/* How much a process may require: whatever fits, or its share by weights. */
enum profile_budget { PROFILE_BUDGET_NONE, PROFILE_BUDGET_WEIGHTED };

/* Demand paging. */
struct profile_fault {
    uint64_t block, page; /* bytes: of what gets room, and of what a fault brings in at least */
    uint32_t batch, streams;
    uint64_t batch_ns, block_ns, page_ns, unmap_ns; /* VidMm's worker */
    double prefetch;    /* share of a stretch from which on the rest comes along; 0 = never */
    uint32_t thrashing; /* returns after which a block is pinned outside; 0 = never */
    uint32_t pins;
    uint64_t lapse_ns, pin_ns;
};

/* Which free stretch of a segment an allocation gets: the smallest that will do, the lowest, or the
 * lowest block of a buddy system. */
enum profile_placement { PROFILE_BEST_FIT, PROFILE_FIRST_FIT, PROFILE_BUDDY };

struct profile_vidmm {
    int eviction; /* victim policy: index into vidmm_policies */
    enum profile_placement placement;
    uint64_t eviction_throttle; /* bytes that may be moved per request to make room; 0 = any */
    bool zero_fill;             /* first page-in costs a fill */
    uint64_t device_quantum_ns; /* a device that was paged in stays that long at least */
    uint64_t request_ns;        /* worker: taking one request of a paging queue */
    uint64_t commit_ns;         /* worker: finding and committing the place of what is paged in */
    uint64_t page_ps;           /* worker: and for each page of it */
    uint64_t build_ns;          /* worker: building one operation into a paging buffer */
    uint64_t submit_ns;         /* worker: submitting a paging buffer and the signal behind it */
    uint64_t packet_ns;         /* node: fixed part of running a paging buffer */
    uint64_t paging_buffer;     /* bytes of a paging buffer */
    uint64_t scratch;           /* bytes that the paging process can map at once; 0 = everything */
    enum profile_budget budget;
    double budget_local, budget_non_local; /* share of a group that processes may require */
    double weight_dwm, weight_focus, weight_visible, weight_occluded, weight_minimized;
    uint64_t trim_response_ns; /* from too little memory to trimmed processes */
    uint64_t trim_minimum_ns, trim_maximum_ns, trim_idle_ns; /* periodic trims; 0 = never */
    struct profile_fault fault;
};

/* What an allocation is for, as traces say it. What is not listed counts as `other`. */
enum profile_usage {
    PROFILE_TEXTURE,
    PROFILE_RENDER_TARGET,
    PROFILE_DEPTH,
    PROFILE_BUFFER,
    PROFILE_UPLOAD,
    PROFILE_READBACK,
    PROFILE_PRIMARY,
    PROFILE_COMMAND,
    PROFILE_HEAP,
    PROFILE_OTHER,
    PROFILE_USAGES
};

struct profile_miniport {
    bool context_save_area; /* the driver makes a save area for each context */
    char usage[PROFILE_USAGES][PROFILE_NAME_SIZE]; /* name of the segment each usage prefers */
};

/* CPU time of the calls: fixed + per allocation + per 4 KiB page. */
struct profile_cost {
    uint64_t fixed_ns;
    uint64_t allocation_ns;
    uint64_t page_ps; /* picoseconds per 4 KiB page */
};

/* CPU time inside the miniport, for each allocation. */
struct profile_ddi {
    uint64_t create_allocation_ns;  /* DxgkDdiCreateAllocation */
    uint64_t open_allocation_ns;    /* DxgkDdiOpenAllocation */
    uint64_t close_allocation_ns;   /* DxgkDdiCloseAllocation */
    uint64_t destroy_allocation_ns; /* DxgkDdiDestroyAllocation */
};

enum profile_call {
    PROFILE_CREATE_DEVICE,
    PROFILE_DESTROY_DEVICE,
    PROFILE_CREATE_CONTEXT,
    PROFILE_DESTROY_CONTEXT,
    PROFILE_CREATE_ALLOCATION,
    PROFILE_OPEN_RESOURCE,
    PROFILE_DESTROY_ALLOCATION,
    PROFILE_CREATE_CONTEXT_ALLOCATION,
    PROFILE_DESTROY_CONTEXT_ALLOCATION,
    PROFILE_MAP_GPU_VIRTUAL_ADDRESS,
    PROFILE_MAKE_RESIDENT,
    PROFILE_EVICT,
    PROFILE_SET_PRIORITY, /* of allocations and of contexts */
    PROFILE_OFFER,
    PROFILE_RECLAIM,
    PROFILE_LOCK,
    PROFILE_UNLOCK,
    PROFILE_SUBMIT,
    PROFILE_SIGNAL,
    PROFILE_WAIT,
    PROFILE_PRESENT, /* handed to the compositor */
    PROFILE_FLIP,    /* handed to the display */
    PROFILE_FREE,    /* nobody's call: has no key and costs nothing */
    PROFILE_CALLS
};

struct profile_system {
    uint64_t memory; /* bytes of system memory that graphics may commit */
};

struct profile {
    char name[PROFILE_NAME_SIZE];
    uint32_t wddm; /* 12, 20, 27: WDDM 1.2, 2.0, 2.7 */
    struct profile_link link;
    struct profile_memory memory;
    uint32_t segment_count; /* ids 1..segment_count, in the order of the file */
    struct profile_segment segments[PROFILE_SEGMENTS_MAX];
    uint32_t node_count; /* ordinals 0..node_count-1, in the order of the file */
    struct profile_node nodes[PROFILE_NODES_MAX];
    struct profile_scheduler scheduler;
    struct profile_vidmm vidmm;
    struct profile_miniport miniport;
    struct profile_cost costs[PROFILE_CALLS];
    struct profile_ddi ddi;
    struct profile_system system;
};

/* One line, ready to print: place, key, what was expected, what was found. */
struct profile_error {
    char message[512];
};

/* Loads a built-in profile by name, or a YAML file by path (anything with '/' or ending in .yaml or
 * .yml). Values the file leaves out have the table's defaults. A machine of several adapters is
 * refused: hardware.h. */
bool profile_load(const char *name, struct profile *profile, struct profile_error *error);

/* Sets one value by its dotted key from text with a unit ("segments.local.size", "8GiB"). Naming a
 * new segment or node adds it. `place` is put before messages ("--set"). */
bool profile_set(struct profile *profile, const char *key, const char *value, const char *place,
                 struct profile_error *error);

/* Checks what single values cannot (at least one node, a page divides its segment, ...). To be
 * called after the last profile_set. */
bool profile_check(const struct profile *profile, struct profile_error *error);

/* The segment that the miniport prefers for allocations of this usage ("texture"); NULL and
 * unknown usages count as "other". */
const char *profile_usage_segment(const struct profile *profile, const char *usage);

/* Who schedules, with `auto` resolved. */
static inline enum profile_policy profile_policy(const struct profile *profile)
{
    if (profile->scheduler.policy != PROFILE_POLICY_AUTO)
        return profile->scheduler.policy;
    return profile->wddm >= 27 ? PROFILE_HARDWARE : PROFILE_SOFTWARE;
}

/* All segments as a set: bit n = segment n + 1. */
static inline uint32_t profile_segment_set(const struct profile *profile)
{
    return (UINT32_C(1) << profile->segment_count) - 1; /* at most 31 */
}

/* The built-in profiles, in the order to list them. `yaml` is the file with its comments. */
struct profile_builtin {
    const char *name;
    const char *summary; /* first comment line of the file */
    const char *yaml;
};
extern const struct profile_builtin profile_builtins[];
extern const size_t profile_builtins_count;

/* A row of the parameter table, for documentation. `key` has NAME in it for segments and nodes. */
struct profile_key_row {
    const char *key;
    const char *type;     /* "size", "rate", "time", "number", "choice", "switch", "text" */
    const char *range;    /* "0.5..1", "lazy, eager" */
    const char *standard; /* the default, as text with its unit */
    const char *meaning;
};
size_t profile_key_count(void);
struct profile_key_row profile_key(size_t index);

/* The row (key.h) of a dotted key such as segments.local.size. NULL if there is none; `suggestion`
 * is then the key most like it, empty if none is near. */
enum { PROFILE_KEY_SIZE = 160 };
const struct key_spec *profile_key_find(const char *key, char suggestion[PROFILE_KEY_SIZE]);

/* Calls `visit` for every key of this profile with its value as text, in table order. */
void profile_each(const struct profile *profile,
                  void (*visit)(void *self, const char *key, const char *value), void *self);

#endif
