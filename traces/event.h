/* The event vocabulary: what a recording may say, and nothing about how it is encoded.
 *
 * A trace is a header and a time-ordered list of events. Every reader, whatever the file it reads,
 * produces these structures; every writer and the replayer consume them. The table in
 * vocabulary.h says which fields belong to which op, and every encoding is driven by that table,
 * so a new field is one row there. */
#ifndef WDDMSIM_TRACES_EVENT_H
#define WDDMSIM_TRACES_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_op {
    TRACE_CREATE_DEVICE,
    TRACE_DESTROY_DEVICE,
    TRACE_CREATE_CONTEXT,
    TRACE_DESTROY_CONTEXT,
    TRACE_CREATE_ALLOCATION,
    TRACE_OPEN_RESOURCE,
    TRACE_DESTROY_ALLOCATION,
    TRACE_CREATE_CONTEXT_ALLOCATION,
    TRACE_DESTROY_CONTEXT_ALLOCATION,
    TRACE_MAP_GPU_VIRTUAL_ADDRESS,
    TRACE_MAKE_RESIDENT,
    TRACE_EVICT,
    TRACE_SET_ALLOCATION_PRIORITY,
    TRACE_OFFER_ALLOCATIONS,
    TRACE_RECLAIM_ALLOCATIONS,
    TRACE_LOCK,
    TRACE_UNLOCK,
    TRACE_SUBMIT,
    TRACE_SIGNAL,
    TRACE_WAIT,
    TRACE_PRESENT,
    TRACE_SET_CONTEXT_PRIORITY,
    TRACE_SET_PROCESS_PRIORITY,
    TRACE_EXIT_PROCESS,
    TRACE_REMOVE_ADAPTER,
    TRACE_MARK_DEVICE_AS_ERROR,
    TRACE_SET_PROCESS_STATE,
    TRACE_OBSERVE_TRANSFER,
    TRACE_OPS
};

/* The name of an object, chosen by whoever recorded it: a number or a string. Two names are the
 * same object's if both are numbers and equal, or both are strings and equal. */
struct trace_name {
    const char *text; /* NULL: the name is a number. Else NUL-terminated UTF-8, not empty */
    uint64_t number;  /* the number, at most INT64_MAX; 0 when text is given */
};

struct trace_names {
    const struct trace_name *items;
    uint32_t count;
};

/* One element of CreateAllocation's allocations[]. Absent fields are zero; `given` tells zero from
 * absent (TRACE_GIVEN). */
struct trace_allocation {
    uint64_t given;
    struct trace_name allocation;
    uint64_t size;               /* bytes */
    uint64_t alignment;          /* bytes */
    const char *usage;           /* texture, render-target, ...: the miniport's business */
    struct trace_names segments; /* the supported (write) set */
    struct trace_names read_segments;
    struct trace_names preferred; /* in order of preference */
    struct trace_names eviction_segments;
    uint64_t kmd_flags;  /* bits by trace_kmd_flags, vocabulary.h */
    uint64_t kmd_flags2; /* bits by trace_kmd_flags2 */
    uint64_t flags;      /* Primary 1, Stereo 2, OverridePriority 4 */
    int64_t priority;    /* D3DDDI_ALLOCATIONPRIORITY */
    uint64_t bank;
    uint64_t physical_adapter;
    uint64_t vidpn_source;   /* of a primary */
    const char *gdi_surface; /* a name of D3DKMDT_GDISURFACETYPE */
    uint64_t width, height;  /* of a surface: bytes in a row, rows */
    uint64_t system_memory;  /* caller's address; 1 stands for `true`: some aligned one */
    uint64_t private_data;   /* bytes */
    const char *extras;      /* the x- fields as one compact JSON object, or NULL */
};

struct trace_allocations {
    const struct trace_allocation *items;
    uint32_t count;
};

/* CreateAllocation's `standard`: {"type": "ExistingHeap" or a number, "size": bytes}. */
struct trace_standard {
    uint64_t type; /* 1 = ExistingHeap */
    uint64_t size; /* bytes */
};

/* One event. Absent fields are zero; `given` tells zero from absent.
 *
 * Ownership: everything a pointer here leads to belongs to the reader and lives until its next
 * event is read; who needs it longer copies it (trace_event_copy). */
struct trace_event {
    enum trace_op op;
    uint64_t given;    /* TRACE_GIVEN(field) bits of the fields the event carries */
    uint64_t t_ns;     /* when the call was made, from the start of the trace */
    uint32_t pid, tid; /* 0 when unknown */

    /* What the recording knows of the outcome; replay compares with it and does not obey it. */
    uint32_t status;  /* NTSTATUS */
    uint64_t dur_ns;  /* from call to return */
    uint64_t done_ns; /* absolute: when the asynchronous part finished */

    struct trace_name device;
    struct trace_name context;
    struct trace_names contexts; /* broadcast Signal and Wait */
    struct trace_name resource;
    struct trace_name allocation;
    struct trace_names allocations; /* names; of Submit: what it reads */
    struct trace_names writes;
    struct trace_allocations creations; /* CreateAllocation's `allocations` */
    struct trace_standard standard;
    uint64_t flags; /* bits by the op's own flag table, vocabulary.h */
    uint64_t adapter;
    bool system;
    struct trace_name node; /* node ordinal or profile node name */
    int64_t in_process;     /* context: priority within its process, -7..7 */
    uint64_t quantum_ns;    /* context: its own */
    uint64_t class;         /* process: D3DKMT_SCHEDULINGPRIORITYCLASS, bits by trace_classes */
    uint64_t band;          /* process: DXGK_SCHEDULING_PRIORITY_BAND, bits by trace_bands */
    int64_t priority;       /* context: -7..7; allocation: D3DDDI_ALLOCATIONPRIORITY; offer: 1..4 */
    uint64_t size;          /* bytes */
    uint64_t alignment;     /* bytes */
    struct trace_names segments;
    struct trace_names eviction_segments;
    struct trace_names preferred;
    uint64_t kmd_flags; /* of a context allocation: bits by trace_kmd_flags */
    uint64_t bank;
    uint64_t physical_adapter;
    uint64_t gpu_ns;       /* engine time as recorded */
    uint64_t switch_ns;    /* the part of gpu_ns that was a context switch where it was recorded */
    uint64_t granule_ns;   /* longest stretch that cannot be preempted */
    uint64_t driver_ns;    /* the driver's call that handed it over, when recorded */
    uint64_t interrupt_ns; /* from engine stop to the DPC, when recorded */
    uint64_t bytes;        /* Submit: DMA buffer size; ObserveTransfer: what moved */
    struct trace_name fence;
    uint64_t value;
    uint64_t interval;      /* Present: refreshes that it stays at least; 0 = until the next */
    struct trace_name from; /* ObserveTransfer: segment name or `system` */
    struct trace_name to;
    uint64_t private_data; /* bytes */
    uint64_t runtime_data; /* bytes */
    bool existing;         /* true before the recording began: no call, it just is so */
    const char *extras;    /* the x- fields as one compact JSON object, or NULL */
};

enum trace_residency {
    TRACE_RESIDENCY_UNSTATED, /* explicit if the trace has MakeResident events, else per-submit */
    TRACE_RESIDENCY_EXPLICIT,
    TRACE_RESIDENCY_AT_CREATE,
    TRACE_RESIDENCY_PER_SUBMIT,
    TRACE_RESIDENCY_FAULT,
};

enum { TRACE_VERSION = 1, TRACE_DEFAULT_UNKNOWN_SIZE = 65536 };

/* The first record. Strings belong to the reader. */
struct trace_header {
    uint32_t version;   /* TRACE_VERSION */
    const char *source; /* free text; NULL if not given */
    enum trace_residency residency;
    bool create_unknown;   /* "unknown": "create" */
    uint64_t unknown_size; /* "unknown-size": bytes an object made on first use is taken to have */
    const char *extras; /* the x- fields as one compact JSON object, or NULL. Importers leave their
                           counts in "x-import" */
};

/* Where and why an input is bad. `message` is one line ready to print: place, field, what was
 * expected, what was found. */
struct trace_error {
    char message[512];
    bool skippable; /* reading can go on behind it (--skip-bad) */
};

#endif
