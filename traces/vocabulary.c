#include "traces/vocabulary.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Flag tables. Bit values are the headers' own (d3dkmthk.h, d3dkmddi.h, d3dukmdt.h). */

#define HIGH(bit) ((uint64_t)(bit) << 32)

const struct trace_flag trace_kmd_flags[] = {
    {"CpuVisible", 0x1},
    {"PermanentSysMem", 0x2},
    {"Cached", 0x4},
    {"Protected", 0x8},
    {"ExistingSysMem", 0x10},
    {"ExistingKernelSysMem", 0x20},
    {"FromEndOfSegment", 0x40},
    {"Swizzled", 0x80},
    {"Overlay", 0x100},
    {"Capture", 0x200},
    {"UseAlternateVA", 0x400},
    {"SynchronousPaging", 0x800},
    {"LinkMirrored", 0x1000},
    {"LinkInstanced", 0x2000},
    {"HistoryBuffer", 0x4000},
    {"AccessedPhysically", 0x8000},
    {"ExplicitResidencyNotification", 0x10000},
    {"HardwareProtected", 0x20000},
    {"CpuVisibleOnDemand", 0x40000},
    {"DisableLargePageMapping", HIGH(0x80)},
    {"CreateInVpr", HIGH(0x400)},
    {"MapApertureCpuVisible", HIGH(0x2000)},
    {NULL, 0},
};

/* DXGK_ALLOCATIONINFOFLAGS2 (WDDM 3.0; the last four 3.2). The order of the bits is ours. */
static const struct trace_flag kmd_flags2[] = {
    {"ShareBackingStoreWithKmd", 0x1},
    {"NoImplicitSynchronization", 0x2},
    {"DisablePartialResidency", 0x4},
    {"RestrictedToSingleSegment", 0x8},
    {"NotifyEviction", 0x10},
    {"NotifyIoMmuUnmap", 0x20},
    {NULL, 0},
};

const struct trace_flag trace_create_flags[] = {
    {"CreateResource", 0x1},
    {"CreateShared", 0x2},
    {"NonSecure", 0x4},
    {"CreateProtected", 0x8},
    {"RestrictSharedAccess", 0x10},
    {"ExistingSysMem", 0x20},
    {"NtSecuritySharing", 0x40},
    {"ReadOnly", 0x80},
    {"CreateWriteCombined", 0x100},
    {"CreateCached", 0x200},
    {"SwapChainBackBuffer", 0x400},
    {"CrossAdapter", 0x800},
    {"OpenCrossAdapter", 0x1000},
    {"PartialSharedCreation", 0x2000},
    {"Zeroed", 0x4000},
    {"WriteWatch", 0x8000},
    {"StandardAllocation", 0x10000},
    {"ExistingSection", 0x20000},
    {"AllowNotZeroed", 0x40000},
    {"PhysicallyContiguous", 0x80000},
    {"NoKmdAccess", 0x100000},
    {"SharedDisplayable", 0x200000},
    {"NoImplicitSynchronization", 0x400000},
    {NULL, 0},
};

static const struct trace_flag allocation_flags[] = {
    {"Primary", 0x1},
    {"Stereo", 0x2},
    {"OverridePriority", 0x4},
    {NULL, 0},
};

static const struct trace_flag destroy_flags[] = {
    {"AssumeNotInUse", 0x1},
    {"SynchronousDestroy", 0x2},
    {NULL, 0},
};

static const struct trace_flag context_allocation_flags[] = {
    {"SharedAcrossContexts", 0x1},
    {"MapGpuVirtualAddress", 0x2},
    {NULL, 0},
};

static const struct trace_flag make_resident_flags[] = {
    {"CantTrimFurther", 0x1},
    {"MustSucceed", 0x2},
    {NULL, 0},
};

static const struct trace_flag evict_flags[] = {
    {"EvictOnlyIfNecessary", 0x1},
    {"NotWrittenTo", 0x2},
    {NULL, 0},
};

static const struct trace_flag offer_flags[] = {
    {"OfferImmediately", 0x1},
    {"AllowDecommit", 0x2},
    {NULL, 0},
};

/* Ours: the bands and states of VIDMM_BUDGET_VISIBILITY_STATE that are not the usual ones. */
static const struct trace_flag process_state_flags[] = {
    {"Dwm", 0x1}, {"Focus", 0x2}, {"Occluded", 0x4}, {"Minimized", 0x8}, {NULL, 0},
};

static const struct trace_flag lock_flags[] = {
    {"ReadOnly", 0x1},         {"WriteOnly", 0x2},        {"DonotWait", 0x4},
    {"IgnoreSync", 0x8},       {"LockEntire", 0x10},      {"DonotEvict", 0x20},
    {"AcquireAperture", 0x40}, {"Discard", 0x80},         {"NoExistingReference", 0x100},
    {"UseAlternateVA", 0x200}, {"IgnoreReadSync", 0x400}, {NULL, 0},
};

/* Scheduling of processes: the enumerations of d3dkmthk.h and d3dkmddi.h, a bit for each value. */
const struct trace_flag trace_classes[] = {
    {"idle", 0x1},  {"below-normal", 0x2}, {"normal", 0x4}, {"above-normal", 0x8},
    {"high", 0x10}, {"realtime", 0x20},    {NULL, 0},
};
const struct trace_flag trace_bands[] = {
    {"idle", 0x1}, {"normal", 0x2}, {"focus", 0x4}, {"realtime", 0x8}, {NULL, 0},
};

/* Fields, op by op, in canonical order. NEED is required, MAY is optional. */

#define ROW(text, field, type, structure, member, required, flags, meaning)                        \
    {                                                                                              \
        text, TRACE_##field, TRACE_TYPE_##type, offsetof(struct structure, member), required,      \
            flags, meaning                                                                         \
    }
#define NEED(text, field, type, member, meaning)                                                   \
    ROW(text, field, type, trace_event, member, true, NULL, meaning)
#define MAY(text, field, type, member, meaning)                                                    \
    ROW(text, field, type, trace_event, member, false, NULL, meaning)
#define FLAGS(table, meaning) ROW("flags", FLAGS, FLAGS, trace_event, flags, false, table, meaning)

static const struct trace_field_spec outcome[] = {
    MAY("status", STATUS, STATUS, status, "what the call answered: NTSTATUS name or number"),
    MAY("dur", DUR, COUNT, dur_ns, "ns from call to return"),
    MAY("done", DONE, COUNT, done_ns, "ns, absolute: when the asynchronous part finished"),
    MAY("existing", EXISTING, BOOL, existing,
        "true before the recording began: no call was made, it just is so"),
};

static const struct trace_field_spec create_device[] = {
    NEED("device", DEVICE, NAME, device, "the new device"),
    MAY("adapter", ADAPTER, COUNT, adapter, "adapter ordinal, 0 when left out"),
    MAY("system", SYSTEM, BOOL, system, "whether it is the system's own"),
};

static const struct trace_field_spec destroy_device[] = {
    NEED("device", DEVICE, NAME, device, "the device to destroy"),
    MAY("adapter", ADAPTER, COUNT, adapter, "adapter ordinal, 0 when left out"),
    MAY("system", SYSTEM, BOOL, system, "whether it is the system's own"),
};

static const struct trace_field_spec create_context[] = {
    NEED("context", CONTEXT, NAME, context, "the new context"),
    NEED("device", DEVICE, NAME, device, "the device that owns it"),
    NEED("node", NODE, NAME, node, "node it runs on: ordinal or the profile's name"),
    MAY("priority", PRIORITY, SIGNED, priority, "scheduling priority, -7 to 7"),
    MAY("in-process", IN_PROCESS, SIGNED, in_process, "priority within its process, -7 to 7"),
    MAY("quantum", QUANTUM, COUNT, quantum_ns, "ns: its own quantum, instead of its band's"),
    MAY("system", SYSTEM, BOOL, system, "whether it is the system's own"),
};

static const struct trace_field_spec destroy_context[] = {
    NEED("context", CONTEXT, NAME, context, "the context to destroy"),
    MAY("device", DEVICE, NAME, device, "the device that owns it"),
    MAY("node", NODE, NAME, node, "node it runs on: ordinal or the profile's name"),
    MAY("priority", PRIORITY, SIGNED, priority, "scheduling priority, -7 to 7"),
    MAY("system", SYSTEM, BOOL, system, "whether it is the system's own"),
};

static const struct trace_field_spec create_allocation[] = {
    NEED("device", DEVICE, NAME, device, "the device that owns them"),
    NEED("allocations", CREATIONS, CREATIONS, creations, "the new allocations"),
    MAY("resource", RESOURCE, NAME, resource, "resource to add to, or the new one's name"),
    FLAGS(trace_create_flags, "D3DKMT_CREATEALLOCATIONFLAGS"),
    MAY("standard", STANDARD, STANDARD, standard, "standard allocation: type and size in bytes"),
    MAY("private-data", PRIVATE_DATA, COUNT, private_data, "bytes of the resource's driver data"),
    MAY("runtime-data", RUNTIME_DATA, COUNT, runtime_data, "bytes of the runtime's data"),
};

static const struct trace_field_spec open_resource[] = {
    NEED("device", DEVICE, NAME, device, "the device that opens it"),
    NEED("resource", RESOURCE, NAME, resource, "the shared resource"),
};

static const struct trace_field_spec destroy_allocation[] = {
    NEED("device", DEVICE, NAME, device, "the device that owns them"),
    MAY("resource", RESOURCE, NAME, resource, "destroy this resource and all it holds"),
    MAY("allocations", ALLOCATIONS, NAMES, allocations, "destroy these allocations"),
    FLAGS(destroy_flags, "D3DDDICB_DESTROYALLOCATION2FLAGS"),
};

static const struct trace_field_spec create_context_allocation[] = {
    NEED("allocation", ALLOCATION, NAME, allocation, "the new allocation"),
    MAY("context", CONTEXT, NAME, context, "context it belongs to"),
    MAY("device", DEVICE, NAME, device, "device it belongs to"),
    NEED("size", SIZE, COUNT, size, "bytes"),
    MAY("alignment", ALIGNMENT, COUNT, alignment, "bytes"),
    MAY("segments", SEGMENTS, NAMES, segments, "supported segments, by name or number"),
    MAY("eviction-segments", EVICTION_SEGMENTS, NAMES, eviction_segments,
        "aperture segments usable for eviction"),
    MAY("preferred", PREFERRED, NAMES, preferred, "segments in order of preference"),
    FLAGS(context_allocation_flags, "DXGK_CREATECONTEXTALLOCATIONFLAGS"),
    ROW("kmd-flags", KMD_FLAGS, FLAGS, trace_event, kmd_flags, false, trace_kmd_flags,
        "DXGK_ALLOCATIONINFOFLAGS"),
    MAY("bank", BANK, COUNT, bank, "bank hint, 0 = none"),
    MAY("physical-adapter", PHYSICAL_ADAPTER, COUNT, physical_adapter,
        "physical adapter of a link, 0 when left out"),
};

static const struct trace_field_spec destroy_context_allocation[] = {
    NEED("allocation", ALLOCATION, NAME, allocation, "the allocation to destroy"),
};

static const struct trace_field_spec map_gpu_virtual_address[] = {
    NEED("device", DEVICE, NAME, device, "the device in whose process it is mapped"),
    NEED("allocation", ALLOCATION, NAME, allocation, "the allocation"),
};

static const struct trace_field_spec make_resident[] = {
    NEED("device", DEVICE, NAME, device, "the device that requires them"),
    NEED("allocations", ALLOCATIONS, NAMES, allocations, "the allocations"),
    FLAGS(make_resident_flags, "D3DDDI_MAKERESIDENT_FLAGS"),
};

static const struct trace_field_spec evict[] = {
    NEED("device", DEVICE, NAME, device, "the device that required them"),
    NEED("allocations", ALLOCATIONS, NAMES, allocations, "the allocations"),
    FLAGS(evict_flags, "D3DDDI_EVICT_FLAGS"),
};

static const struct trace_field_spec set_allocation_priority[] = {
    NEED("allocations", ALLOCATIONS, NAMES, allocations, "the allocations"),
    NEED("priority", PRIORITY, SIGNED, priority, "D3DDDI_ALLOCATIONPRIORITY"),
};

static const struct trace_field_spec offer_allocations[] = {
    NEED("device", DEVICE, NAME, device, "the device that owns them"),
    NEED("allocations", ALLOCATIONS, NAMES, allocations, "the allocations"),
    MAY("priority", PRIORITY, SIGNED, priority, "D3DDDI_OFFER_PRIORITY, 1 to 4"),
    FLAGS(offer_flags, "D3DDDI_OFFER_FLAGS"),
};

static const struct trace_field_spec reclaim_allocations[] = {
    NEED("device", DEVICE, NAME, device, "the device that owns them"),
    NEED("allocations", ALLOCATIONS, NAMES, allocations, "the allocations"),
    MAY("priority", PRIORITY, SIGNED, priority, "D3DDDI_OFFER_PRIORITY, 1 to 4"),
};

static const struct trace_field_spec set_process_state[] = {
    FLAGS(process_state_flags, "what it is from now on; none: a visible process like others"),
};

static const struct trace_field_spec lock[] = {
    NEED("device", DEVICE, NAME, device, "the device that owns it"),
    NEED("allocation", ALLOCATION, NAME, allocation, "the allocation"),
    FLAGS(lock_flags, "D3DDDICB_LOCKFLAGS"),
};

static const struct trace_field_spec submit[] = {
    NEED("context", CONTEXT, NAME, context, "the context that submits"),
    NEED("gpu", GPU, COUNT, gpu_ns, "ns of engine time as recorded"),
    MAY("allocations", ALLOCATIONS, NAMES, allocations, "what it reads"),
    MAY("writes", WRITES, NAMES, writes, "what it writes"),
    MAY("switch", SWITCH, COUNT, switch_ns, "ns of gpu that were a context switch when recorded"),
    MAY("granule", GRANULE, COUNT, granule_ns, "ns: longest stretch that cannot be preempted"),
    MAY("driver", DRIVER, COUNT, driver_ns, "ns of the driver's call that handed it over"),
    MAY("interrupt", INTERRUPT, COUNT, interrupt_ns, "ns from engine stop to the DPC"),
    MAY("bytes", BYTES, COUNT, bytes, "bytes of the DMA buffer"),
};

static const struct trace_field_spec fence[] = {
    MAY("context", CONTEXT, NAME, context, "the context whose queue it goes through"),
    MAY("contexts", CONTEXTS, NAMES, contexts, "several contexts: one packet in each"),
    NEED("fence", FENCE, NAME, fence, "the fence"),
    NEED("value", VALUE, COUNT, value, "value to reach"),
};

static const struct trace_field_spec present[] = {
    NEED("context", CONTEXT, NAME, context, "the context that presents"),
    MAY("allocation", ALLOCATION, NAME, allocation, "what is shown"),
    MAY("interval", INTERVAL, COUNT, interval,
        "refreshes that it stays on the display at least; 0: until the next one"),
};

static const struct trace_field_spec set_context_priority[] = {
    NEED("context", CONTEXT, NAME, context, "the context"),
    MAY("priority", PRIORITY, SIGNED, priority, "scheduling priority, -7 to 7"),
    MAY("in-process", IN_PROCESS, SIGNED, in_process, "priority within its process, -7 to 7"),
};

static const struct trace_field_spec set_process_priority[] = {
    ROW("class", CLASS, CHOICE, trace_event, class, false, trace_classes,
        "D3DKMT_SCHEDULINGPRIORITYCLASS"),
    ROW("band", BAND, CHOICE, trace_event, band, false, trace_bands,
        "DXGK_SCHEDULING_PRIORITY_BAND"),
};

static const struct trace_field_spec remove_adapter[] = {
    MAY("adapter", ADAPTER, COUNT, adapter, "adapter ordinal, 0 when left out"),
};

static const struct trace_field_spec mark_device_as_error[] = {
    NEED("device", DEVICE, NAME, device, "the device that may run nothing any more"),
};

static const struct trace_field_spec observe_transfer[] = {
    NEED("bytes", BYTES, COUNT, bytes, "bytes moved"),
    NEED("dur", DUR, COUNT, dur_ns, "ns it took"),
    NEED("from", FROM, NAME, from, "segment name or `system`"),
    NEED("to", TO, NAME, to, "segment name or `system`"),
};

#define ELEMENT(text, field, type, member, required, flags, meaning)                               \
    ROW(text, field, type, trace_allocation, member, required, flags, meaning)

static const struct trace_field_spec allocation[] = {
    ELEMENT("allocation", ALLOCATION, NAME, allocation, true, NULL, "the new allocation"),
    ELEMENT("size", SIZE, COUNT, size, true, NULL, "bytes"),
    ELEMENT("alignment", ALIGNMENT, COUNT, alignment, false, NULL, "bytes"),
    ELEMENT("usage", USAGE, STRING, usage, false, NULL,
            "what it is for: texture, render-target, depth, buffer, upload, ..."),
    ELEMENT("segments", SEGMENTS, NAMES, segments, false, NULL,
            "supported (write) segments, by name or number"),
    ELEMENT("read-segments", READ_SEGMENTS, NAMES, read_segments, false, NULL,
            "segments the GPU can read it from"),
    ELEMENT("preferred", PREFERRED, NAMES, preferred, false, NULL,
            "segments in order of preference"),
    ELEMENT("eviction-segments", EVICTION_SEGMENTS, NAMES, eviction_segments, false, NULL,
            "aperture segments usable for eviction"),
    ELEMENT("kmd-flags", KMD_FLAGS, FLAGS, kmd_flags, false, trace_kmd_flags,
            "DXGK_ALLOCATIONINFOFLAGS"),
    ELEMENT("kmd-flags2", KMD_FLAGS2, FLAGS, kmd_flags2, false, kmd_flags2,
            "DXGK_ALLOCATIONINFOFLAGS2"),
    ELEMENT("flags", FLAGS, FLAGS, flags, false, allocation_flags, "D3DDDI_ALLOCATIONINFO2 flags"),
    ELEMENT("priority", PRIORITY, SIGNED, priority, false, NULL, "D3DDDI_ALLOCATIONPRIORITY"),
    ELEMENT("bank", BANK, COUNT, bank, false, NULL, "bank hint, 0 = none"),
    ELEMENT("physical-adapter", PHYSICAL_ADAPTER, COUNT, physical_adapter, false, NULL,
            "physical adapter of a link, 0 when left out"),
    ELEMENT("vidpn-source", VIDPN_SOURCE, COUNT, vidpn_source, false, NULL,
            "display source of a primary"),
    ELEMENT("gdi-surface", GDI_SURFACE, STRING, gdi_surface, false, NULL,
            "D3DKMDT_GDISURFACETYPE without its prefix: TEXTURE, STAGING_CPUVISIBLE, ..."),
    ELEMENT("width", WIDTH, COUNT, width, false, NULL, "bytes in a row of a surface"),
    ELEMENT("height", HEIGHT, COUNT, height, false, NULL, "rows of a surface"),
    ELEMENT("system-memory", SYSTEM_MEMORY, ADDRESS, system_memory, false, NULL,
            "the caller's address, or true for some page-aligned one"),
    ELEMENT("private-data", PRIVATE_DATA, COUNT, private_data, false, NULL,
            "bytes of its driver data"),
};

/* Ops, in the order of enum trace_op. */

#define SPEC(name, models, fields)                                                                 \
    {                                                                                              \
        name, models, fields, sizeof(fields) / sizeof *(fields)                                    \
    }

const struct trace_op_spec trace_ops[TRACE_OPS] = {
    [TRACE_CREATE_DEVICE] = SPEC("CreateDevice", "DxgkDdiCreateDevice", create_device),
    [TRACE_DESTROY_DEVICE] = SPEC("DestroyDevice", "DxgkDdiDestroyDevice", destroy_device),
    [TRACE_CREATE_CONTEXT] = SPEC("CreateContext", "DxgkDdiCreateContext", create_context),
    [TRACE_DESTROY_CONTEXT] = SPEC("DestroyContext", "DxgkDdiDestroyContext", destroy_context),
    [TRACE_CREATE_ALLOCATION] =
        SPEC("CreateAllocation", "D3DKMTCreateAllocation(2), DxgkDdiCreateAllocation",
             create_allocation),
    [TRACE_OPEN_RESOURCE] = SPEC("OpenResource", "opening a shared resource", open_resource),
    [TRACE_DESTROY_ALLOCATION] = SPEC(
        "DestroyAllocation", "pfnDeallocateCb, D3DKMTDestroyAllocation2, DxgkDdiDestroyAllocation",
        destroy_allocation),
    [TRACE_CREATE_CONTEXT_ALLOCATION] =
        SPEC("CreateContextAllocation", "DxgkCbCreateContextAllocation", create_context_allocation),
    [TRACE_DESTROY_CONTEXT_ALLOCATION] = SPEC(
        "DestroyContextAllocation", "DxgkCbDestroyContextAllocation", destroy_context_allocation),
    [TRACE_MAP_GPU_VIRTUAL_ADDRESS] =
        SPEC("MapGpuVirtualAddress", "D3DKMTMapGpuVirtualAddress", map_gpu_virtual_address),
    [TRACE_MAKE_RESIDENT] = SPEC("MakeResident", "D3DKMTMakeResident", make_resident),
    [TRACE_EVICT] = SPEC("Evict", "D3DKMTEvict", evict),
    [TRACE_SET_ALLOCATION_PRIORITY] =
        SPEC("SetAllocationPriority", "D3DKMTSetAllocationPriority", set_allocation_priority),
    [TRACE_OFFER_ALLOCATIONS] =
        SPEC("OfferAllocations", "D3DKMTOfferAllocations", offer_allocations),
    [TRACE_RECLAIM_ALLOCATIONS] =
        SPEC("ReclaimAllocations", "D3DKMTReclaimAllocations2", reclaim_allocations),
    [TRACE_LOCK] = SPEC("Lock", "CPU access: D3DKMTLock2", lock),
    [TRACE_UNLOCK] = SPEC("Unlock", "CPU access: D3DKMTUnlock2", lock),
    [TRACE_SUBMIT] = SPEC("Submit", "D3DKMTRender, D3DKMTSubmitCommand", submit),
    [TRACE_SIGNAL] = SPEC("Signal", "monitored fence or synchronisation object", fence),
    [TRACE_WAIT] = SPEC("Wait", "monitored fence or synchronisation object", fence),
    [TRACE_PRESENT] = SPEC("Present", "D3DKMTPresent", present),
    [TRACE_SET_CONTEXT_PRIORITY] =
        SPEC("SetContextPriority", "D3DKMTSetContextSchedulingPriority", set_context_priority),
    [TRACE_SET_PROCESS_PRIORITY] =
        SPEC("SetProcessPriority", "D3DKMTSetProcessSchedulingPriorityClass, focus",
             set_process_priority),
    [TRACE_EXIT_PROCESS] = {"ExitProcess", "process teardown", NULL, 0},
    [TRACE_REMOVE_ADAPTER] = SPEC("RemoveAdapter", "surprise removal", remove_adapter),
    [TRACE_MARK_DEVICE_AS_ERROR] =
        SPEC("MarkDeviceAsError", "D3DKMTMarkDeviceAsError", mark_device_as_error),
    [TRACE_SET_PROCESS_STATE] =
        SPEC("SetProcessState", "where the process is on the screen: VidMm's budgets react to it",
             set_process_state),
    [TRACE_OBSERVE_TRANSFER] =
        SPEC("ObserveTransfer", "a transfer the recording saw; never replayed", observe_transfer),
};

const struct trace_op_spec trace_outcome_spec = SPEC("outcome", "what the call led to", outcome);

const struct trace_op_spec trace_allocation_spec =
    SPEC("allocation", "D3DDDI_ALLOCATIONINFO2 and DXGK_ALLOCATIONINFO", allocation);

/* Ops in the order of their names, for the binary search. */
static const unsigned char ops_by_name[TRACE_OPS] = {
    TRACE_CREATE_ALLOCATION,
    TRACE_CREATE_CONTEXT,
    TRACE_CREATE_CONTEXT_ALLOCATION,
    TRACE_CREATE_DEVICE,
    TRACE_DESTROY_ALLOCATION,
    TRACE_DESTROY_CONTEXT,
    TRACE_DESTROY_CONTEXT_ALLOCATION,
    TRACE_DESTROY_DEVICE,
    TRACE_EVICT,
    TRACE_EXIT_PROCESS,
    TRACE_LOCK,
    TRACE_MAKE_RESIDENT,
    TRACE_MAP_GPU_VIRTUAL_ADDRESS,
    TRACE_MARK_DEVICE_AS_ERROR,
    TRACE_OBSERVE_TRANSFER,
    TRACE_OFFER_ALLOCATIONS,
    TRACE_OPEN_RESOURCE,
    TRACE_PRESENT,
    TRACE_RECLAIM_ALLOCATIONS,
    TRACE_REMOVE_ADAPTER,
    TRACE_SET_ALLOCATION_PRIORITY,
    TRACE_SET_CONTEXT_PRIORITY,
    TRACE_SET_PROCESS_PRIORITY,
    TRACE_SET_PROCESS_STATE,
    TRACE_SIGNAL,
    TRACE_SUBMIT,
    TRACE_UNLOCK,
    TRACE_WAIT,
};

bool trace_op_from_name(const char *name, enum trace_op *op)
{
    size_t low = 0, high = TRACE_OPS;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, trace_ops[ops_by_name[middle]].name);
        if (order == 0) {
            *op = (enum trace_op)ops_by_name[middle];
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

/* Copying walks an event twice with the same code: once without memory, to learn how much is
 * needed, and once to place everything. */
struct copier {
    unsigned char *block; /* NULL while measuring */
    size_t used;
};

static void *place(struct copier *copier, const void *bytes, size_t length)
{
    size_t at = (copier->used + 15) & ~(size_t)15;
    copier->used = at + length;
    if (copier->block == NULL)
        return NULL;
    return length != 0 ? memcpy(copier->block + at, bytes, length) : copier->block + at;
}

static void copy_string(struct copier *copier, const char **text)
{
    if (*text == NULL)
        return;
    const char *copy = place(copier, *text, strlen(*text) + 1);
    if (copier->block != NULL)
        *text = copy;
}

static void copy_names(struct copier *copier, struct trace_names *names)
{
    struct trace_name *items = place(copier, names->items, names->count * sizeof *items);
    for (uint32_t i = 0; i < names->count; i++) {
        struct trace_name name = names->items[i];
        copy_string(copier, &name.text);
        if (items != NULL)
            items[i] = name;
    }
    if (copier->block != NULL)
        names->items = items;
}

static void copy_fields(struct copier *copier, const struct trace_op_spec *spec, void *structure);

static void copy_creations(struct copier *copier, struct trace_allocations *list)
{
    struct trace_allocation *items = place(copier, list->items, list->count * sizeof *items);
    for (uint32_t i = 0; i < list->count; i++) {
        struct trace_allocation item = list->items[i];
        copy_fields(copier, &trace_allocation_spec, &item);
        copy_string(copier, &item.extras);
        if (items != NULL)
            items[i] = item;
    }
    if (copier->block != NULL)
        list->items = items;
}

static void copy_fields(struct copier *copier, const struct trace_op_spec *spec, void *structure)
{
    for (uint32_t i = 0; i < spec->field_count; i++) {
        void *field = (unsigned char *)structure + spec->fields[i].offset;
        switch (spec->fields[i].type) {
        case TRACE_TYPE_NAME:
            copy_string(copier, &((struct trace_name *)field)->text);
            break;
        case TRACE_TYPE_NAMES:
            copy_names(copier, field);
            break;
        case TRACE_TYPE_STRING:
            copy_string(copier, field);
            break;
        case TRACE_TYPE_CREATIONS:
            copy_creations(copier, field);
            break;
        case TRACE_TYPE_COUNT:
        case TRACE_TYPE_SIGNED:
        case TRACE_TYPE_BOOL:
        case TRACE_TYPE_STATUS:
        case TRACE_TYPE_FLAGS:
        case TRACE_TYPE_CHOICE:
        case TRACE_TYPE_STANDARD:
        case TRACE_TYPE_ADDRESS:
            break; /* held in the structure itself */
        }
    }
}

/* Copies what the event points to and makes it point there. */
static void copy_event(struct copier *copier, struct trace_event *event)
{
    copy_fields(copier, &trace_ops[event->op], event);
    copy_string(copier, &event->extras);
}

struct trace_event *trace_event_copy(const struct trace_event *event)
{
    assert(event->op < TRACE_OPS);
    struct copier copier = {.block = NULL, .used = sizeof *event};
    struct trace_event scratch = *event;
    copy_event(&copier, &scratch);

    struct trace_event *copy = malloc(copier.used);
    if (copy == NULL)
        return NULL;
    *copy = *event;
    copier = (struct copier){.block = (unsigned char *)copy, .used = sizeof *event};
    copy_event(&copier, copy);
    return copy;
}
