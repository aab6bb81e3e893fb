/* Making events of the vocabulary out of DxgKrnl records. Internal to this folder.
 *
 * The records lie sorted in memory and are walked several times: calls.c learns how long calls
 * took, objects.c what existed before the recording, engine.c what the engines did; then the
 * map-*.c turn record after record into events, and dxgkrnl.c sorts and hands them out. An event
 * takes sizeof(struct trace_event) + 40 bytes and its lists. */
#ifndef WDDMSIM_TRACES_ETL_IMPORT_H
#define WDDMSIM_TRACES_ETL_IMPORT_H

#include "traces/arena.h"
#include "traces/facts.h"
#include "traces/etl/layouts.h"
#include "traces/map.h"
#include "traces/etl/records.h"
#include "traces/event.h"
#include "traces/vocabulary.h"

/* Queue packet types (178), and the two that have events of their own. */
enum {
    QUEUE_RENDER = 0,
    QUEUE_DEFERRED = 1,
    QUEUE_SYSTEM = 2,
    QUEUE_FLIP = 3,
    QUEUE_WAIT = 4,
    QUEUE_SIGNAL = 5,
    QUEUE_DEVICE = 6,
    QUEUE_SOFTWARE = 7,
    QUEUE_PAGING = 8,
    QUEUE_TYPES
};

enum { DMA_RENDER = 0, DMA_PAGING = 1, DMA_SYSTEM_PAGING = 2, DMA_PREEMPTION = 3, DMA_TYPES };

enum { SYSTEM_PID = 4, NODE_UNKNOWN = UINT32_MAX };

static const uint64_t NEVER = UINT64_MAX;

struct etl_import;

/* One packet in a context's software queue, from 178, 244 or 245 to 180. */
struct etl_packet {
    uint64_t start_ns, stop_ns; /* stop NEVER: not recorded */
    uint64_t gpu_ns;            /* engine time of all its DMA packets */
    uint32_t starts;            /* of them: handed to an idle engine */
    uint64_t driver_ns;         /* the call that handed the last of them over; NEVER: not known */
    uint64_t interrupt_ns;      /* from its interrupt to the DPC; NEVER: not known */
    uint32_t pieces;            /* DMA packets: 2 and more if it was preempted */
    uint32_t switches;          /* of them: after another context's, on the same node */
    uint32_t node;
    uint32_t type;
};

/* One call of a Profiler function. */
struct etl_call {
    uint64_t start_ns, stop_ns; /* stop NEVER: its return is not recorded */
    uint32_t function;
    bool taken; /* its duration stands on an event already */
};

struct etl_device {
    struct trace_name name;
    uint32_t pid;
};

struct etl_context {
    struct trace_name name;
    struct etl_device *device;
    uint32_t node;
    bool system;
};

/* An allocation as 33 to 35 describe it. */
struct etl_description {
    uint64_t size, alignment, device, shared_resource;
    uint64_t kmd_flags;
    int64_t priority;
    uint32_t pid;
    uint32_t write_segments, read_segments, eviction_segments, preferred;
};

struct etl_allocation {
    struct trace_name name;
    struct etl_description *about; /* NULL: never described, its size is not known */
    struct etl_device *device;     /* of its creation, NULL if not known */
    uint64_t resource;             /* handle, 0: none */
    bool shared;                   /* the resource is */
    bool made;                     /* a CreateAllocation stands for it, or will */
    bool recorded;                 /* it was created during the recording */
    bool used;                     /* an event names it */
    bool made_resident_first;      /* the first such event was MakeResident */
    uint32_t resident_in;          /* segment of the rundown, 0: none */
    const void *read_by, *written_by, *required_by; /* the last event that lists it */
    struct trace_event *destroy;                    /* the latest that names it */
    uint64_t terminated_ns;                         /* when the last of its openings was */
};

/* One device's view of an allocation. */
struct etl_opening {
    struct etl_allocation *allocation;
    struct etl_device *device; /* NULL: not known */
    uint64_t resource;         /* handle, 0: none */
    struct trace_event *destroy;
    uint64_t terminated_ns; /* NEVER: not asked for */
    bool told;              /* an event says that the device opened it, or none has to */
};

/* One operation of a paging queue, from 322 or 323 to 325. */
struct etl_operation {
    struct etl_operation *next;   /* queued by the same call */
    struct trace_event *finishes; /* the pending call that ends with it, or NULL */
    uint64_t start_ns;
    uint32_t type;
};

/* What a DMA buffer reads and writes, until it is queued. */
struct etl_references {
    struct trace_names reads, writes;
};

/* Where in the order of equal times an event stands: what is assumed to have been there at the
 * start comes before what was recorded at t 0, each kind before those that need it. */
enum etl_order {
    ORDER_DEVICE,
    ORDER_CONTEXT,
    ORDER_FENCE,
    ORDER_ALLOCATION,
    ORDER_OPENING,
    ORDER_RESIDENCY,
    ORDER_RECORDED
};

struct etl_mapped {
    struct trace_event *event;
    uint64_t offset; /* in the file, of the record it came from */
    uint64_t sequence;
    enum etl_order order;
};

/* What stands open on one thread. */
struct etl_thread {
    size_t *calls; /* stack of indices into import->calls */
    size_t depth, capacity;
    struct trace_event *create; /* the CreateAllocation being put together, and its call */
    size_t create_call;
    struct trace_event *destroy; /* the same for DestroyAllocation */
    size_t destroy_call;
    struct trace_event *resident; /* MakeResident between 338 and 339 */
    uint64_t resident_start_ns;
    struct etl_operation *operations; /* paging operations queued meanwhile */
    struct trace_event *evict;        /* the Evict being put together, and its call */
    size_t evict_call;
    uint64_t signalled_at_ns, signal_done_ns; /* its last signal packet was queued and done */
    struct trace_event *signal;               /* the last one, for broadcasts */
    size_t signal_call;
};

/* Things counted while mapping; each becomes a fact. */
struct etl_tally {
    uint64_t undecodable, values_too_large;
    uint64_t devices_assumed, contexts_assumed, contexts_without_node, allocations_assumed;
    uint64_t allocations_unknown, fences_assumed, fences_never_signalled;
    uint64_t allocations_created, bytes_created, adapter_allocation_stops, terminations;
    uint64_t terminations_outside_calls, opens_without_resource, opens;
    uint64_t make_resident_calls, make_resident_done, make_resident_pending, make_resident_failed;
    uint64_t make_resident_empty, make_resident_unfinished, references_outside_calls;
    uint64_t evictions_of_references, bytes_to_trim;
    uint64_t discards, fills, fill_bytes, transfers, transfer_bytes, evictions;
    uint64_t page_ins[32], page_ins_elsewhere;
    uint64_t queue_packets[QUEUE_TYPES], queue_packets_unknown, queue_stops_unpaired;
    uint64_t queue_unfinished;
    uint64_t dma_packets[DMA_TYPES], dma_stops_unpaired, dma_unfinished, dma_preempted;
    uint64_t dma_without_queue_packet, submits_without_engine_time;
    uint64_t paging_starts, paging_stops_unpaired, calls_unpaired, cpu_waits;
    uint64_t signals_of_cpu_events, broadcasts, references_lists, references_in_lists;
    uint64_t references_null, contexts_with_engine_work;
    uint64_t contexts_preemption_only, switches, bands;
};

enum { NODES_MAX = 64, OPERATIONS_MAX = 2048, SEGMENTS_MAX = 32 };

/* Engine state and statistics of one node. */
struct etl_node {
    uint64_t last_stop_ns, last_context;
    struct trace_samples same, other; /* idle engine: hand-over to interrupt, by who was before */
    uint64_t switch_ns;               /* the estimate; 0: none */
    uint64_t switches;                /* submissions' DMA packets behind another context's */
    bool seen;
};

struct etl_import {
    struct etl_records records;
    struct trace_facts facts;
    struct etl_tally tally;
    struct trace_arena arena;
    bool failed; /* out of memory: asked for once, at the end */
    uint64_t unknown_size;
    uint32_t build; /* of Windows */

    struct etl_mapped *events;
    size_t event_count, event_capacity;

    /* engine.c and calls.c, in record order */
    struct etl_packet **packets;
    size_t packet_count, packet_capacity, next_packet;
    struct etl_call *calls;
    size_t call_count, call_capacity, next_call;
    struct etl_node nodes[NODES_MAX + 1]; /* the last one: node not known */
    uint64_t latency_ns; /* of an idle engine's start and interrupt, the estimate; 0: none */
    struct trace_samples queue_ns[QUEUE_TYPES], dma_ns[DMA_TYPES];
    struct trace_samples operation_ns[OPERATIONS_MAX];
    struct trace_samples immediate_ns, pending_ns, closed_ns, destroyed_ns;

    /* objects.c */
    uint32_t apertures;                           /* set of segments, see segments.c */
    struct trace_map first_device, first_context; /* what the first event of a handle told */
    struct trace_map first_global, first_local;
    struct trace_map context_node;
    struct trace_map context_level, context_quantum, process_band; /* priorities.c */
    struct trace_map engine_contexts;
    struct trace_map process_device;                     /* pid: the device, or `several` */
    struct trace_map devices, contexts, globals, locals; /* alive now */
    struct trace_map made_up_devices;                    /* pid */
    struct trace_map generations;                        /* (kind, handle) */
    struct trace_map resources;                          /* alive now */
    struct trace_map fences;
    struct etl_fence *first_fence, *last_fence;
    struct etl_allocation **allocations; /* all named ones, in the order of their naming */
    size_t allocation_count, allocation_capacity;

    /* map-*.c */
    struct trace_map threads;
    struct trace_map buffers;    /* paging buffers being built */
    struct trace_map references; /* (context, DMA buffer): what it reads and writes */
    struct trace_map paging;     /* (queue, sequence) of operations to finish */
    struct etl_thread **thread_list;
    size_t thread_count, thread_capacity;
    uint64_t resident_bytes[SEGMENTS_MAX];
    bool resident_seen[SEGMENTS_MAX];
};

/* import.c */

/* Zeroed memory that lives as long as the import; NULL after remembering the failure. */
void *etl_take(struct etl_import *import, size_t count, size_t size);

/* Sets a map entry; remembers a failure. */
void etl_put(struct etl_import *import, struct trace_map *map, uint64_t a, uint64_t b, void *value);

/* Makes room for one more item in a list that malloc holds; NULL after remembering the failure. */
void *etl_grow(struct etl_import *import, void *items, size_t count, size_t *capacity, size_t size);

/* What the record's payload holds; false: its layout is not known. */
bool etl_decode_event(const struct etl_event *event, struct etl_values *values);

/* A new event of this op at this time, from this record's thread. NULL: out of memory. */
struct trace_event *etl_emit(struct etl_import *import, enum trace_op op,
                             const struct etl_event *from, uint64_t t_ns, enum etl_order order);

/* Adds one name to a list of an event. False: out of memory. */
bool etl_add_name(struct etl_import *import, struct trace_names *names, struct trace_name name);

/* Sets an outcome of the event. */
void etl_give_duration(struct trace_event *event, uint64_t start_ns, uint64_t stop_ns);
void etl_give_done(struct trace_event *event, uint64_t done_ns);

/* objects.c */

/* Notes which objects were there before the recording, and what is told about them. */
void etl_learn_objects(struct etl_import *import);

/* Makes what was there before the recording and a rundown lists. */
void etl_map_rundown(struct etl_import *import);

/* A name for the object that this handle of this kind means from now on: the handle, and from the
 * second object of the same handle on its generation. */
enum etl_kind { KIND_DEVICE, KIND_CONTEXT, KIND_ALLOCATION, KIND_RESOURCE, KIND_FENCE };
struct trace_name etl_name(struct etl_import *import, enum etl_kind kind, uint64_t handle);

/* The name of the resource that the handle means now. */
struct trace_name etl_resource_name(struct etl_import *import, uint64_t handle);

/* The device, context or allocation a handle means now; what was there before the recording is
 * created at t 0 when it is first named. `from` tells the process. NULL: out of memory. */
struct etl_device *etl_device_of_handle(struct etl_import *import, uint64_t handle, uint32_t pid);
struct etl_context *etl_context_of(struct etl_import *import, uint64_t handle,
                                   const struct etl_event *from);
struct etl_opening *etl_opening_of(struct etl_import *import, uint64_t local, uint32_t pid);
struct etl_allocation *etl_allocation_of_global(struct etl_import *import, uint64_t global);

/* The device an opening belongs to, by what is known best; the process's only one, or one made up
 * for it, where nothing is. NULL: out of memory. */
struct etl_device *etl_device_of_opening(struct etl_import *import,
                                         const struct etl_opening *opening, uint32_t pid);

/* What begins to live now: at the time of `from`, or at t 0 where that is NULL. NULL: out of
 * memory. */
struct etl_device *etl_make_device(struct etl_import *import, uint32_t pid, struct trace_name name,
                                   const struct etl_event *from);
struct etl_context *etl_make_context(struct etl_import *import, uint64_t handle,
                                     struct etl_device *device, uint32_t node, bool system,
                                     const struct etl_event *from);
struct etl_allocation *etl_make_allocation(struct etl_import *import, uint64_t handle);
struct etl_opening *etl_make_opening(struct etl_import *import, uint64_t local,
                                     struct etl_allocation *allocation, struct etl_device *device,
                                     uint64_t resource);

/* segments.c */

/* Learns which segments are apertures. */
void etl_learn_segments(struct etl_import *import);

/* `local`, `aperture`, or `system` for 0. */
struct trace_name etl_segment(const struct etl_import *import, uint64_t segment);

/* The names of a set, each once; bit 0 is segment 1. */
struct trace_names etl_segments_of_bits(struct etl_import *import, uint32_t bits);

/* DXGK_SEGMENTPREFERENCE: five entries of five bits of segment and one of direction, lowest
 * first; 0 is no segment. */
struct trace_names etl_preferred_segments(struct etl_import *import, uint32_t packed);

/* describe.c */

/* What an AdapterAllocation record says; NULL: no memory, or no size that exists. */
struct etl_description *etl_description_of(struct etl_import *import,
                                           const struct etl_values *values);

/* Adds an element to a CreateAllocation. */
void etl_add_creation(struct etl_import *import, struct trace_event *event,
                      const struct etl_allocation *allocation);

/* Names the resource that a CreateAllocation makes for the allocation, if there is one. */
void etl_give_resource(struct etl_import *import, struct trace_event *event,
                       const struct etl_allocation *allocation);

/* Creates at t 0, on this device, what was described by its destruction or by a rundown. */
void etl_make_known(struct etl_import *import, struct etl_allocation *allocation,
                    struct etl_device *device);

/* An OpenResource of this device, at the time of `from`, or at t 0 where that is NULL. */
void etl_emit_opening(struct etl_import *import, const struct etl_event *from,
                      const struct etl_device *device, uint64_t resource);

/* The allocation is about to be named in an event of this process: makes it known at t 0 if it
 * was described. */
struct trace_name etl_use(struct etl_import *import, struct etl_opening *opening, uint32_t pid,
                          bool make_resident);

/* calls.c */

/* Learns how long the calls took. */
void etl_learn_calls(struct etl_import *import);

/* What stands open on the thread of the record. NULL: out of memory. */
struct etl_thread *etl_thread_of(struct etl_import *import, const struct etl_event *event);

/* Follows a thread into its next call and out of one of this function. */
void etl_thread_call(struct etl_import *import, struct etl_thread *thread);
void etl_thread_return(struct etl_import *import, struct etl_thread *thread, uint64_t function);

/* The innermost open call of one of `functions` (0 ends the list); SIZE_MAX: none. */
size_t etl_enclosing(const struct etl_import *import, const struct etl_thread *thread,
                     const uint16_t *functions);

/* Gives the event the duration of the call, unless another event of that call has it. */
void etl_take_duration(struct etl_import *import, struct trace_event *event, size_t call);

/* Likewise from the event's time on: most of the call went by before. */
void etl_take_rest(struct etl_import *import, struct trace_event *event, size_t call);

/* priorities.c: what the scheduler tells of levels and quanta. */
void etl_learn_priorities(struct etl_import *import);

/* Adds it to the context's CreateContext, and makes its process' band known. */
void etl_give_priority(struct etl_import *import, uint64_t handle,
                       const struct etl_context *context, struct trace_event *created);

/* A context was selected (23): it may be at another level now. */
void etl_map_level(struct etl_import *import, const struct etl_event *event,
                   const struct etl_values *values);

/* engine.c: learns what became of each packet of the software queues. */
void etl_learn_engines(struct etl_import *import);

/* map-objects.c: devices, contexts, allocations made and destroyed, 27 to 39. */
void etl_map_object(struct etl_import *import, const struct etl_event *event,
                    const struct etl_values *values, struct etl_thread *thread);

/* map-memory.c: residency, CPU access and paging operations, 41 to 74, 186, 190, 274 and 306 to
 * 341. */
void etl_map_memory(struct etl_import *import, const struct etl_event *event,
                    const struct etl_values *values, struct etl_thread *thread);

/* What was built into this DMA buffer goes through a queue as this packet. */
void etl_map_paging_packet(struct etl_import *import, const struct etl_event *event,
                           uint64_t dma_buffer, const struct etl_packet *packet);

/* map-queue.c: what goes through the software queues, 178, 244 and 245. */
void etl_map_queue(struct etl_import *import, const struct etl_event *event,
                   const struct etl_values *values, struct etl_thread *thread);

/* Brings every fence to what it had reached when the recording began; after all records. */
void etl_map_initial_fences(struct etl_import *import);

/* background.c: makes what filled the segments when the recording began; after all records. */
void etl_map_background(struct etl_import *import);

/* summary.c: turns tally, samples and container counts into facts. */
void etl_summarize(struct etl_import *import, const struct etl_source *source);

#endif
