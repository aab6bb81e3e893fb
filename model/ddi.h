/* The two tables between Dxgkrnl and the display miniport, as in the real WDDM: what the port
 * driver calls (DDI), and what the miniport may call back (wddm.md §2, §4).
 *
 * Every DDI runs at PASSIVE_LEVEL in simulated time zero: its CPU time is part of the call's cost.
 * Entries that a miniport has no use for may be NULL; create_allocation may not.
 *
 * This header is installed (<wddmsim/ddi.h>): a shared object that defines driver_entry takes the
 * built-in miniport's place with `wddmsim replay --miniport FILE.so`. */
#ifndef WDDMSIM_MODEL_DDI_H
#define WDDMSIM_MODEL_DDI_H

#include "ntstatus.h"

#include <stdbool.h>
#include <stdint.h>

/* DXGK_ALLOCATIONINFOFLAGS (wddm.md §2.3). Bits that WDDM 2 gave another meaning stand in the upper
 * half under their new names. */
#define DXGK_WDDM2_FLAG(bit) ((uint64_t)(bit) << 32)
enum {
    DXGK_CPU_VISIBLE = 0x1,
    DXGK_PERMANENT_SYSMEM = 0x2,
    DXGK_CACHED = 0x4,
    DXGK_PROTECTED = 0x8,
    DXGK_EXISTING_SYSMEM = 0x10,
    DXGK_EXISTING_KERNEL_SYSMEM = 0x20,
    DXGK_FROM_END_OF_SEGMENT = 0x40,
    DXGK_SWIZZLED = 0x80, /* WDDM 1 */
    DXGK_OVERLAY = 0x100,
    DXGK_CAPTURE = 0x200,
    DXGK_USE_ALTERNATE_VA = 0x400,   /* WDDM 1 */
    DXGK_SYNCHRONOUS_PAGING = 0x800, /* WDDM 1 */
    DXGK_LINK_MIRRORED = 0x1000,     /* WDDM 1 */
    DXGK_LINK_INSTANCED = 0x2000,    /* WDDM 1 */
    DXGK_HISTORY_BUFFER = 0x4000,
    DXGK_ACCESSED_PHYSICALLY = 0x8000,
    DXGK_EXPLICIT_RESIDENCY_NOTIFICATION = 0x10000,
    DXGK_HARDWARE_PROTECTED = 0x20000,
    DXGK_CPU_VISIBLE_ON_DEMAND = 0x40000,
};
#define DXGK_DISABLE_LARGE_PAGE_MAPPING DXGK_WDDM2_FLAG(0x80)
#define DXGK_CREATE_IN_VPR DXGK_WDDM2_FLAG(0x400)
#define DXGK_MAP_APERTURE_CPU_VISIBLE DXGK_WDDM2_FLAG(0x2000)

/* Bits that only WDDM 1 knows, or only WDDM 2. */
#define DXGK_WDDM1_ONLY                                                                            \
    ((uint64_t)(DXGK_SWIZZLED | DXGK_USE_ALTERNATE_VA | DXGK_SYNCHRONOUS_PAGING |                  \
                DXGK_LINK_MIRRORED | DXGK_LINK_INSTANCED))
#define DXGK_WDDM2_ONLY                                                                            \
    (DXGK_DISABLE_LARGE_PAGE_MAPPING | DXGK_CREATE_IN_VPR | DXGK_MAP_APERTURE_CPU_VISIBLE)
#define DXGK_ALLOCATION_INFO_FLAGS (UINT64_C(0x7ffff) | DXGK_WDDM2_ONLY)

/* D3DDDI_ALLOCATIONPRIORITY_NORMAL; 0 is not a priority (wddm.md §2.2). */
#define DXGK_PRIORITY_NORMAL INT64_C(0x78000000)

/* DXGK_SEGMENTPREFERENCE: a segment's id and, in this bit, that it is filled from its end. */
enum { DXGK_DIRECTION_FROM_END = 0x20 };
/* DXGK_SEGMENTBANKPREFERENCE: a bank from 1 on (wddm.md §0.2) and, in this bit, from its top down.
 */
enum { DXGK_BANK_MAX = 127, DXGK_BANK_FROM_TOP = 0x80 };

/* D3DKMDT_STANDARDALLOCATION_TYPE and D3DKMDT_GDISURFACETYPE (wddm.md §1.6). */
enum { D3DKMDT_STANDARDALLOCATION_GDISURFACE = 4 };
enum {
    D3DKMDT_GDISURFACE_INVALID,
    D3DKMDT_GDISURFACE_TEXTURE,
    D3DKMDT_GDISURFACE_STAGING_CPUVISIBLE,
    D3DKMDT_GDISURFACE_STAGING,
    D3DKMDT_GDISURFACE_LOOKUPTABLE,
    D3DKMDT_GDISURFACE_EXISTINGSYSMEM,
    D3DKMDT_GDISURFACE_TEXTURE_CPUVISIBLE,
    D3DKMDT_GDISURFACE_TEXTURE_CROSSADAPTER,
    D3DKMDT_GDISURFACE_TEXTURE_CPUVISIBLE_CROSSADAPTER
};

/* What the user-mode driver tells the miniport about one allocation: its private driver data. Zero
 * fields leave the decision to the miniport. */
struct dxgk_private_data {
    uint64_t bytes;    /* PrivateDriverDataSize, as the runtime sees it */
    const char *usage; /* "texture", "upload", ...; NULL: unknown */
    uint8_t surface;   /* D3DKMDT_GDISURFACETYPE; 0: no GDI surface */
    uint64_t width;    /* bytes in a row of a surface */
    uint64_t height;   /* its rows */
    uint64_t size;     /* bytes */
    uint64_t alignment;
    uint32_t segments; /* set: bit n = segment n + 1 */
    uint32_t read_segments;
    uint32_t eviction_segments;
    uint8_t preferred[5];
    uint8_t bank;
    uint32_t physical_adapter;
    uint64_t flags;  /* DXGK_ALLOCATIONINFOFLAGS */
    uint64_t flags2; /* DXGK_ALLOCATIONINFOFLAGS2 */
    int64_t priority;
};

/* DXGK_ALLOCATIONUSAGEHINT: what an allocation is, for whom it may concern. */
struct dxgk_allocation_usage_hint {
    uint32_t version; /* 0 or 1 */
    uint32_t flags;   /* PrivateFormat 1, Swizzled 2, MipMap 4, Cube 8, Volume 0x10, Vertex 0x20,
                         Index 0x40 */
    uint32_t format, swizzled_format, byte_offset;
    uint32_t width, height, pitch, depth, slice_pitch;
};

/* DXGK_ALLOCATIONINFO: filled by DxgkDdiCreateAllocation (wddm.md §2.2). */
struct dxgk_allocation_info {
    struct dxgk_private_data private_data; /* in */
    uint64_t alignment;                    /* bytes, power of two; 0 = a page */
    uint64_t size;                         /* bytes; in for existing system memory */
    uint64_t pitch_aligned_size;           /* 0, or at least size */
    uint64_t pitch;                        /* of a GDI surface: bytes from row to row */
    uint8_t hinted_bank;                   /* of the first preferred segment; 0: none */
    uint8_t preferred_segment[5];          /* all of the supported set; 0 ends the list */
    uint32_t supported_read_segment_set;   /* ignored from WDDM 2 */
    uint32_t supported_write_segment_set;
    uint32_t eviction_segment_set; /* aperture segments; 0: directly to system pages */
    void *driver_allocation;       /* hAllocation: the miniport's own */
    uint64_t flags;                /* DXGK_ALLOCATIONINFOFLAGS */
    uint64_t flags2;               /* DXGK_ALLOCATIONINFOFLAGS2: WDDM 3.0 */
    int64_t allocation_priority;   /* 0 is invalid */
    /* These two are one field in the real structure, by the WDDM version. */
    uint32_t maximum_renaming_list_length;               /* WDDM 1: 0 = as long as is useful */
    uint32_t physical_adapter_index;                     /* WDDM 2: of a link of adapters */
    const struct dxgk_allocation_usage_hint *usage_hint; /* NULL: none */
};

struct dxgkarg_create_allocation {
    uint64_t private_data_bytes; /* the resource's driver data */
    uint32_t count;
    struct dxgk_allocation_info *allocations;
    bool resource;         /* Flags.Resource: they belong to one */
    void *driver_resource; /* hResource, in/out: NULL for a new one; the latest answer counts */
};

struct dxgkarg_destroy_allocation {
    void *driver_resource;
    bool destroy_resource;
    uint32_t count;
    void *const *allocations; /* the miniport's own */
};

struct dxgkarg_open_allocation {
    void *driver_device;
    uint32_t count;
    void *const *allocations;
};

struct dxgkarg_close_allocation {
    void *driver_device;
    uint32_t count;
    void *const *allocations;
};

/* DxgkDdiGetStandardAllocationDriverData: called with `allocation` NULL for the sizes, then again
 * for the data (wddm.md §1.4). */
struct dxgkarg_get_standard_allocation_driver_data {
    uint32_t type;             /* D3DKMDT_STANDARDALLOCATION_TYPE */
    uint8_t surface;           /* D3DKMDT_GDISURFACETYPE */
    uint64_t width;            /* bytes of an existing heap */
    uint32_t height;           /* 1 */
    uint64_t allocation_bytes; /* out; 0 is an error */
    uint64_t resource_bytes;   /* out */
    struct dxgk_private_data *allocation;
};

struct dxgkarg_create_device {
    void *device; /* Dxgkrnl's, for the callbacks */
    bool system;
    void *driver_device; /* out */
};

struct dxgkarg_create_context {
    void *context; /* Dxgkrnl's, for the callbacks */
    uint32_t node;
    bool system;
    void *driver_context; /* out */
};

/* DXGK_OPERATION_INIT_CONTEXT_RESOURCE: a context allocation's first page-in (wddm.md §4.2). */
struct dxgkarg_init_context_resource {
    void *driver_allocation;
    uint64_t size;
    uint32_t segment;           /* where it is now */
    bool virtual_address_valid; /* wddm.md §4.3 */
};

/* DXGK_OPERATION_UPDATE_CONTEXT_ALLOCATION, asked for by the driver itself (wddm.md §4.4). */
struct dxgkarg_update_context_allocation {
    void *driver_allocation;
    uint64_t size;
    uint32_t segment; /* where it is now; 0: in system memory */
    const void *private_driver_data;
    uint32_t private_driver_data_size; /* bytes */
};

/* What the miniport finds on its adapter: in the real system it would know and report it
 * (DXGK_QUERYSEGMENTOUT, node metadata); here the hardware profile does. */
struct dxgk_segment {
    const char *name;
    bool aperture;
    uint64_t size;        /* bytes */
    uint64_t page;        /* bytes */
    uint64_t cpu_visible; /* bytes from the start that the CPU can map */
};

struct dxgk_node {
    const char *name;
    const char *kind;   /* "3d", "compute", "copy", "video", "paging" */
    uint64_t save_area; /* bytes of a context's save area; 0: the engine needs none */
};

struct dxgk_adapter {
    uint32_t wddm;          /* 12, 20, 27: WDDM 1.2, 2.0, 2.7 */
    uint32_t segment_count; /* ids 1.. : [id - 1] */
    const struct dxgk_segment *segments;
    uint32_t node_count; /* ordinals 0.. */
    const struct dxgk_node *nodes;
    bool context_save_area; /* whether contexts are to have save areas */
    /* The segment that the profile prefers for a usage; NULL and unknown ones count as "other". */
    uint8_t (*usage_segment)(const struct dxgk_adapter *adapter, const char *usage);
};

struct dxgkrnl_interface;

/* All of it stays valid as long as the miniport runs. */
struct dxgk_start_info {
    const struct dxgk_adapter *adapter;
    const struct dxgkrnl_interface *dxgkrnl;
};

enum { DXGK_DDI_VERSION = 1 };

/* DRIVER_INITIALIZATION_DATA. */
struct dxgkddi {
    uint32_t version; /* DXGK_DDI_VERSION that the miniport was built with */
    void *miniport;   /* the miniport's own */
    /* Called once, before all others. A failure ends the run. */
    uint32_t (*start_device)(void *miniport, const struct dxgk_start_info *info);
    /* Called once, behind all others: the miniport frees what is its own. */
    void (*remove_device)(void *miniport);
    /* STATUS_SUCCESS, STATUS_INVALID_PARAMETER, STATUS_NO_MEMORY, STATUS_GRAPHICS_DRIVER_MISMATCH;
     * on failure the miniport keeps nothing of the call. */
    uint32_t (*create_allocation)(void *miniport, struct dxgkarg_create_allocation *arg);
    void (*destroy_allocation)(void *miniport, const struct dxgkarg_destroy_allocation *arg);
    uint32_t (*open_allocation)(void *miniport, const struct dxgkarg_open_allocation *arg);
    void (*close_allocation)(void *miniport, const struct dxgkarg_close_allocation *arg);
    uint32_t (*get_standard_allocation_driver_data)(
        void *miniport, struct dxgkarg_get_standard_allocation_driver_data *arg);
    uint32_t (*create_device)(void *miniport, struct dxgkarg_create_device *arg);
    void (*destroy_device)(void *miniport, void *driver_device);
    uint32_t (*create_context)(void *miniport, struct dxgkarg_create_context *arg);
    void (*destroy_context)(void *miniport, void *driver_context);
    void (*init_context_resource)(void *miniport, const struct dxgkarg_init_context_resource *arg);
    void (*update_context_allocation)(void *miniport,
                                      const struct dxgkarg_update_context_allocation *arg);
};

/* DXGK_CREATECONTEXTALLOCATIONFLAGS. */
enum { DXGK_SHARED_ACROSS_CONTEXTS = 1, DXGK_MAP_GPU_VIRTUAL_ADDRESS = 2 };

/* DXGKARGCB_CREATECONTEXTALLOCATION (wddm.md §4.1). */
struct dxgkargcb_create_context_allocation {
    uint32_t context_allocation_flags; /* DXGK_CREATECONTEXTALLOCATIONFLAGS */
    void *device;                      /* NULL: the context's */
    void *context;                     /* NULL with SharedAcrossContexts */
    void *driver_allocation;           /* the miniport's own */
    uint64_t size;                     /* bytes */
    uint64_t alignment;                /* bytes, power of two; 0 = a page */
    uint32_t supported_segment_set;    /* at least one */
    uint32_t eviction_segment_set;     /* aperture segments */
    uint8_t preferred_segment[5];
    uint8_t hinted_bank;
    uint32_t physical_adapter_index;
    uint64_t flags;               /* DXGK_ALLOCATIONINFOFLAGS */
    const char *name;             /* for reports; may be NULL */
    void *allocation;             /* out: for the other callbacks */
    uint64_t gpu_virtual_address; /* out: with MapGpuVirtualAddress */
};

/* DXGKARGCB_MAPCONTEXTALLOCATION (wddm.md §4.4). Pages are of 4 KiB. */
struct dxgkargcb_map_context_allocation {
    uint64_t base_address;                     /* 0: first fit between the two below */
    uint64_t minimum_address, maximum_address; /* bytes; maximum 0: no limit */
    void *allocation;
    uint64_t offset_in_pages, size_in_pages;
};

/* DXGKARGCB_UPDATECONTEXTALLOCATION. The data is copied. */
struct dxgkargcb_update_context_allocation {
    void *allocation;
    const void *private_driver_data; /* for dxgkddi.update_context_allocation */
    uint32_t private_driver_data_size;
};

struct dxgkrnl_interface {
    void *dxgkrnl;
    /* STATUS_SUCCESS, STATUS_INVALID_PARAMETER, STATUS_NO_MEMORY,
     * STATUS_GRAPHICS_NO_VIDEO_MEMORY. */
    uint32_t (*create_context_allocation)(void *dxgkrnl,
                                          struct dxgkargcb_create_context_allocation *arg);
    void (*destroy_context_allocation)(void *dxgkrnl, void *allocation);
    /* The GPU virtual address, or 0. */
    uint64_t (*map_context_allocation)(void *dxgkrnl,
                                       const struct dxgkargcb_map_context_allocation *arg);
    /* WDDM 2. The call that the miniport is in returns when the allocation has been written; the
     * miniport itself goes on at once, and is told by its own update_context_allocation. Outside
     * of calls (work that the system does later) nothing waits. STATUS_SUCCESS,
     * STATUS_NOT_SUPPORTED, STATUS_INVALID_PARAMETER. */
    uint32_t (*update_context_allocation)(void *dxgkrnl,
                                          const struct dxgkargcb_update_context_allocation *arg);
};

/* DriverEntry: fills the table. Anything but STATUS_SUCCESS: the miniport cannot run here. */
typedef uint32_t dxgk_driver_entry(struct dxgkddi *ddi);
/* A miniport of one's own defines this. */
dxgk_driver_entry driver_entry;

#endif
