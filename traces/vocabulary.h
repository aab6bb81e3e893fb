/* The table of the vocabulary: which op carries which fields, how they are spelled, which are
 * required. The text and binary encodings, the copier, and the documentation all read it. */
#ifndef WDDMSIM_TRACES_VOCABULARY_H
#define WDDMSIM_TRACES_VOCABULARY_H

#include "traces/event.h"

/* Every field of an event or of an element of CreateAllocation's allocations[]. */
enum trace_field {
    TRACE_STATUS,
    TRACE_DUR,
    TRACE_DONE,
    TRACE_DEVICE,
    TRACE_CONTEXT,
    TRACE_CONTEXTS,
    TRACE_RESOURCE,
    TRACE_ALLOCATION,
    TRACE_ALLOCATIONS,
    TRACE_CREATIONS,
    TRACE_WRITES,
    TRACE_STANDARD,
    TRACE_FLAGS,
    TRACE_ADAPTER,
    TRACE_SYSTEM,
    TRACE_NODE,
    TRACE_PRIORITY,
    TRACE_IN_PROCESS,
    TRACE_QUANTUM,
    TRACE_CLASS,
    TRACE_BAND,
    TRACE_SIZE,
    TRACE_ALIGNMENT,
    TRACE_USAGE,
    TRACE_SEGMENTS,
    TRACE_READ_SEGMENTS,
    TRACE_EVICTION_SEGMENTS,
    TRACE_PREFERRED,
    TRACE_KMD_FLAGS,
    TRACE_KMD_FLAGS2,
    TRACE_BANK,
    TRACE_PHYSICAL_ADAPTER,
    TRACE_VIDPN_SOURCE,
    TRACE_GDI_SURFACE,
    TRACE_WIDTH,
    TRACE_HEIGHT,
    TRACE_SYSTEM_MEMORY,
    TRACE_GPU,
    TRACE_SWITCH,
    TRACE_GRANULE,
    TRACE_DRIVER,
    TRACE_INTERRUPT,
    TRACE_BYTES,
    TRACE_FENCE,
    TRACE_VALUE,
    TRACE_INTERVAL,
    TRACE_FROM,
    TRACE_TO,
    TRACE_PRIVATE_DATA,
    TRACE_RUNTIME_DATA,
    TRACE_EXISTING,
    TRACE_EXTRAS,
    TRACE_FIELDS
};

#define TRACE_GIVEN(field) (UINT64_C(1) << (field))

static inline bool trace_given(uint64_t given, enum trace_field field)
{
    return (given & TRACE_GIVEN(field)) != 0;
}

enum trace_type {
    TRACE_TYPE_COUNT,    /* uint64_t, at most INT64_MAX in text */
    TRACE_TYPE_SIGNED,   /* int64_t */
    TRACE_TYPE_BOOL,     /* bool */
    TRACE_TYPE_STATUS,   /* uint32_t; text: NTSTATUS name or number */
    TRACE_TYPE_NAME,     /* struct trace_name */
    TRACE_TYPE_NAMES,    /* struct trace_names */
    TRACE_TYPE_STRING,   /* const char * */
    TRACE_TYPE_FLAGS,    /* uint64_t; text: array of flag names */
    TRACE_TYPE_CHOICE,   /* uint64_t with one bit set; text: its name */
    TRACE_TYPE_STANDARD, /* struct trace_standard */
    TRACE_TYPE_ADDRESS,  /* uint64_t; text: number or true */
    TRACE_TYPE_CREATIONS /* struct trace_allocations */
};

/* One named flag bit. A table of them ends with name NULL. */
struct trace_flag {
    const char *name;
    uint64_t bit;
};

/* How one field is spelled and where it lies in its structure. */
struct trace_field_spec {
    const char *name; /* in text */
    enum trace_field field;
    enum trace_type type;
    size_t offset; /* in struct trace_event or struct trace_allocation */
    bool required;
    const struct trace_flag *flags; /* TRACE_TYPE_FLAGS and CHOICE only */
    const char *meaning;            /* one line for the documentation, with the unit */
};

/* One op and its fields, in canonical order (the order text is written in). */
struct trace_op_spec {
    const char *name;
    const char *models; /* what it stands for in WDDM */
    const struct trace_field_spec *fields;
    uint32_t field_count;
};

extern const struct trace_op_spec trace_ops[TRACE_OPS];

/* The outcome fields every op may carry: status, dur, done. */
extern const struct trace_op_spec trace_outcome_spec;

/* The fields of one element of CreateAllocation's allocations[]. */
extern const struct trace_op_spec trace_allocation_spec;

/* Flag tables. The bits of kmd_flags below 32 are those of DXGK_ALLOCATIONINFOFLAGS (wddm.md §2.3);
 * WDDM 2 names that share a bit with an older one stand 32 bits higher, so that text survives. The
 * bits of CreateAllocation's flags are those of D3DKMT_CREATEALLOCATIONFLAGS (§1.3). */
extern const struct trace_flag trace_kmd_flags[];
extern const struct trace_flag trace_create_flags[];
extern const struct trace_flag trace_classes[];
extern const struct trace_flag trace_bands[];

/* The op of that exact name; false if there is none. */
bool trace_op_from_name(const char *name, enum trace_op *op);

/* A deep copy of an event in one block of memory: free() releases it all. NULL: out of memory. */
struct trace_event *trace_event_copy(const struct trace_event *event);

#endif
