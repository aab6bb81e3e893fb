/* The two tables between Dxgkrnl and the display miniport, as in the real WDDM: what the port
 * driver calls (DDI), and what the miniport may call back (wddm.md §2, §4). */
#ifndef WDDMSIM_MODEL_DDI_H
#define WDDMSIM_MODEL_DDI_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of DXGK_ALLOCATIONINFOFLAGS that the model obeys (wddm.md §2.3). */
enum {
    DXGK_CPU_VISIBLE = 0x1,
    DXGK_PERMANENT_SYSMEM = 0x2,
    DXGK_EXISTING_SYSMEM = 0x10,
    DXGK_EXISTING_KERNEL_SYSMEM = 0x20,
    DXGK_ACCESSED_PHYSICALLY = 0x8000
};

/* What the user-mode driver tells the miniport about one allocation: its private driver data. Zero
 * fields leave the decision to the miniport. */
struct dxgk_private_data {
    const char *usage; /* "texture", "upload", ...; NULL: unknown */
    uint64_t size;     /* bytes */
    uint64_t alignment;
    uint32_t segments; /* set: bit n = segment n + 1 */
    uint8_t preferred[5];
    uint64_t flags; /* DXGK_ALLOCATIONINFOFLAGS */
    int64_t priority;
};

/* DXGK_ALLOCATIONINFO: filled by DxgkDdiCreateAllocation. */
struct dxgk_allocation_info {
    struct dxgk_private_data private_data; /* in */
    uint64_t size;
    uint64_t alignment;
    uint32_t supported_write_segment_set;
    uint8_t preferred_segment[5];
    uint64_t flags;
    int64_t allocation_priority;
};

struct dxgkarg_create_allocation {
    uint32_t count;
    struct dxgk_allocation_info *allocations;
};

struct dxgkarg_create_context {
    void *context; /* Dxgkrnl's, for the callbacks */
    uint32_t node;
    bool system;
};

struct dxgkddi {
    void *miniport;
    /* STATUS_SUCCESS, STATUS_INVALID_PARAMETER, STATUS_NO_MEMORY. */
    uint32_t (*create_allocation)(void *miniport, struct dxgkarg_create_allocation *arg);
    uint32_t (*create_context)(void *miniport, const struct dxgkarg_create_context *arg);
};

/* DXGKARGCB_CREATECONTEXTALLOCATION. */
struct dxgkargcb_create_context_allocation {
    void *context; /* NULL with `shared_across_contexts` */
    void *device;
    bool shared_across_contexts;
    uint64_t size;
    uint64_t alignment;
    uint32_t supported_segment_set;
    uint8_t preferred_segment[5];
};

struct dxgkrnl_interface {
    void *dxgkrnl;
    /* STATUS_SUCCESS, STATUS_INVALID_PARAMETER, STATUS_NO_MEMORY, STATUS_GRAPHICS_NO_VIDEO_MEMORY.
     */
    uint32_t (*create_context_allocation)(void *dxgkrnl,
                                          const struct dxgkargcb_create_context_allocation *arg);
};

#endif
