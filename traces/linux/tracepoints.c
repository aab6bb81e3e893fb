#include "traces/linux/tracepoints.h"

#include <assert.h>
#include <string.h>

/* Field by field: slot, type, its name in the format text, what precedes it in the printed text.
 * Where versions differ there is a row for each spelling; the first one that is found counts. A
 * record without a value that it needs is of no use. */

#define NEED(slot, type, name, anchor)                                                             \
    {                                                                                              \
        LINUX_##slot, LINUX_##type, true, name, anchor                                             \
    }
#define MAY(slot, type, name, anchor)                                                              \
    {                                                                                              \
        LINUX_##slot, LINUX_##type, false, name, anchor                                            \
    }

/* amdgpu: the fence's context and number are of the scheduler's "finished" fence; the timeline is
 * the ring's name, ring_name its address in kernels before 5. */
static const struct linux_field amdgpu_job[] = {
    NEED(CONTEXT, NUMBER, "context", "context="),
    NEED(SEQNO, NUMBER, "seqno", "seqno="),
    NEED(RING, TEXT, "timeline", "timeline="),
    MAY(ID, NUMBER, "sched_job_id", "sched_job="),
};
static const struct linux_field amdgpu_create[] = {
    NEED(OBJECT, ADDRESS, "bo", "bo="),
    NEED(PAGES, NUMBER, "pages", "pages="),
    MAY(PREFERRED, NUMBER, "prefer", "prefered="),
    MAY(PREFERRED, NUMBER, NULL, "preferred="),
    MAY(ALLOWED, NUMBER, "allow", "allowed="),
};
static const struct linux_field amdgpu_move[] = {
    NEED(OBJECT, ADDRESS, "bo", "bo="),
    NEED(BYTES, NUMBER, "bo_size", "size="),
    NEED(FROM, PLACEMENT, "old_placement", "from="),
    NEED(TO, PLACEMENT, "new_placement", "to="),
};
static const struct linux_field amdgpu_list[] = {
    NEED(LIST_OF, ADDRESS, "list", "list="),
    NEED(OBJECT, ADDRESS, "bo", "bo="),
    NEED(BYTES, NUMBER, "bo_size", "bo_size="),
};
static const struct linux_field amdgpu_use[] = {
    NEED(LIST_OF, ADDRESS, "bo_list", "bo_list="),
};

/* The DRM scheduler up to 6.15: fences by address, jobs counted on each ring. */
static const struct linux_field scheduler_job[] = {
    NEED(FENCE, ADDRESS, "fence", "fence="),
    NEED(RING, TEXT, "name", "ring="),
    MAY(ENTITY, ADDRESS, "entity", "entity="),
    MAY(ID, NUMBER, "id", "id="),
};
static const struct linux_field scheduler_done[] = {
    NEED(FENCE, ADDRESS, "fence", "fence="),
};
static const struct linux_field scheduler_wait[] = {
    NEED(RING, TEXT, "name", "ring="),
    NEED(ID, NUMBER, "id", "id="),
    NEED(ON_CONTEXT, NUMBER, "ctx", "context="),
    NEED(ON_SEQNO, NUMBER, "seqno", "seq="),
};

/* From 6.16 on: fences by context and number. */
static const struct linux_field scheduler_job_new[] = {
    NEED(CONTEXT, PAIR, NULL, "fence="),      MAY(CONTEXT, NUMBER, "fence_context", NULL),
    NEED(SEQNO, NUMBER, "fence_seqno", NULL), NEED(RING, TEXT, "name", "ring="),
    MAY(DEVICE, TEXT, "dev", "dev="),
};
static const struct linux_field scheduler_done_new[] = {
    NEED(CONTEXT, PAIR, NULL, "fence="),
    MAY(CONTEXT, NUMBER, "fence_context", NULL),
    NEED(SEQNO, NUMBER, "fence_seqno", NULL),
};
static const struct linux_field scheduler_depends[] = {
    NEED(CONTEXT, PAIR, NULL, "fence="),
    MAY(CONTEXT, NUMBER, "fence_context", NULL),
    NEED(SEQNO, NUMBER, "fence_seqno", NULL),
    NEED(ON_CONTEXT, PAIR, NULL, "depends on fence="),
    MAY(ON_CONTEXT, PAIR, NULL, "depends on unsignalled fence="),
    MAY(ON_CONTEXT, NUMBER, "ctx", NULL),
    NEED(ON_SEQNO, NUMBER, "seqno", NULL),
};

static const struct linux_field fence[] = {
    NEED(CONTEXT, NUMBER, "context", "context="),
    NEED(SEQNO, NUMBER, "seqno", "seqno="),
};

/* i915: engines by class and instance; up to 4.16 by number. */
static const struct linux_field request[] = {
    NEED(CONTEXT, NUMBER, "ctx", "ctx="),    NEED(SEQNO, NUMBER, "seqno", "seqno="),
    MAY(RING, PAIR, NULL, "engine="),        MAY(RING, NUMBER, "class", NULL),
    MAY(INSTANCE, NUMBER, "instance", NULL), MAY(INSTANCE, NUMBER, "ring", "ring="),
    MAY(DEVICE, TEXT, "dev", "dev="),
};
static const struct linux_field request_out[] = {
    NEED(CONTEXT, NUMBER, "ctx", "ctx="),
    NEED(SEQNO, NUMBER, "seqno", "seqno="),
    MAY(RING, PAIR, NULL, "engine="),
    MAY(RING, NUMBER, "class", NULL),
    MAY(INSTANCE, NUMBER, "instance", NULL),
    MAY(INSTANCE, NUMBER, "ring", "ring="),
    MAY(COMPLETED, NUMBER, "completed", "completed?="),
    MAY(DEVICE, TEXT, "dev", "dev="),
};
static const struct linux_field i915_create[] = {
    NEED(OBJECT, ADDRESS, "obj", "obj="),
    NEED(BYTES, NUMBER, "size", "size="),
};
static const struct linux_field i915_destroy[] = {
    NEED(OBJECT, ADDRESS, "obj", "obj="),
};

/* xe: execution queues by the number the firmware knows them by. */
static const struct linux_field xe_queue[] = {
    NEED(CLASS, NUMBER, "class", NULL),
    NEED(CLASS, BEFORE, NULL, ":0x"),
    NEED(ENTITY, NUMBER, "guc_id", "guc_id="),
    MAY(DEVICE, TEXT, "dev", "dev="),
};
static const struct linux_field xe_job[] = {
    NEED(FENCE, ADDRESS, "fence", "fence="),
    NEED(ENTITY, NUMBER, "guc_id", "guc_id="),
    MAY(DEVICE, TEXT, "dev", "dev="),
};
static const struct linux_field xe_fence[] = {
    NEED(FENCE, ADDRESS, "fence", "fence="),
};
static const struct linux_field xe_create[] = {
    NEED(BYTES, NUMBER, "size", "size="),
    MAY(OBJECT, ADDRESS, "bo", "bo="),
    MAY(DEVICE, TEXT, "dev", "dev="),
};
static const struct linux_field xe_move[] = {
    NEED(OBJECT, ADDRESS, "bo", "object "),
    NEED(BYTES, NUMBER, "size", "[size "),
    NEED(FROM, PLACEMENT, "old_placement_name", "from "),
    MAY(FROM, PLACEMENT, "old_placement", NULL),
    NEED(TO, PLACEMENT, "new_placement_name", "to "),
    MAY(TO, PLACEMENT, "new_placement", NULL),
    MAY(EMPTY, YES, "move_lacks_source", "move_lacks_source:"),
    MAY(DEVICE, TEXT, "device_id", "device_id:"),
};

static const struct linux_field memory[] = {
    NEED(PID, NUMBER, "pid", "pid="),
    NEED(BYTES, NUMBER, "size", "size="),
};

#define ROW(name, kind, fields)                                                                    \
    {                                                                                              \
        name, LINUX_##kind, fields, sizeof fields / sizeof fields[0]                               \
    }
#define COUNT(name)                                                                                \
    {                                                                                              \
        name, LINUX_COUNTED, NULL, 0                                                               \
    }

const struct linux_tracepoint linux_tracepoints[] = {
    ROW("amdgpu_cs_ioctl", SUBMIT, amdgpu_job),
    ROW("amdgpu_sched_run_job", RUN, amdgpu_job),
    ROW("amdgpu_bo_create", CREATE, amdgpu_create),
    ROW("amdgpu_ttm_bo_move", MOVE, amdgpu_move),
    ROW("amdgpu_bo_move", MOVE, amdgpu_move),
    ROW("amdgpu_bo_list_set", LIST, amdgpu_list),
    ROW("amdgpu_cs", USE, amdgpu_use),
    COUNT("amdgpu_cs_bo_status"),
    COUNT("amdgpu_vm_flush"),
    COUNT("amdgpu_vm_grab_id"),
    COUNT("amdgpu_vm_bo_map"),
    COUNT("amdgpu_vm_bo_unmap"),

    ROW("drm_sched_job", SUBMIT, scheduler_job),
    ROW("drm_run_job", RUN, scheduler_job),
    ROW("drm_sched_process_job", DONE, scheduler_done),
    ROW("drm_sched_job_wait_dep", DEPENDS, scheduler_wait),
    ROW("amd_sched_job", SUBMIT, scheduler_job), /* before 4.15 */
    ROW("amd_sched_process_job", DONE, scheduler_done),
    ROW("drm_sched_job_queue", SUBMIT, scheduler_job_new),
    ROW("drm_sched_job_run", RUN, scheduler_job_new),
    ROW("drm_sched_job_done", DONE, scheduler_done_new),
    ROW("drm_sched_job_add_dep", DEPENDS, scheduler_depends),
    ROW("drm_sched_job_unschedulable", DEPENDS, scheduler_depends),

    ROW("dma_fence_signaled", SIGNALLED, fence),
    ROW("fence_signaled", SIGNALLED, fence), /* before 4.10 */
    ROW("dma_fence_wait_start", WAIT_BEGIN, fence),
    ROW("dma_fence_wait_end", WAIT_END, fence),
    ROW("fence_wait_start", WAIT_BEGIN, fence),
    ROW("fence_wait_end", WAIT_END, fence),
    COUNT("dma_fence_init"),
    COUNT("dma_fence_emit"),
    COUNT("dma_fence_enable_signal"),
    COUNT("dma_fence_destroy"),

    ROW("i915_request_queue", SUBMIT, request),
    ROW("i915_request_add", SUBMIT, request),
    ROW("i915_request_in", RUN, request),
    ROW("i915_request_out", OFF, request_out),
    ROW("i915_request_retire", DONE, request),
    ROW("i915_request_wait_begin", WAIT_BEGIN, request),
    ROW("i915_request_wait_end", WAIT_END, request),
    ROW("i915_gem_request_queue", SUBMIT, request), /* before 4.17 */
    ROW("i915_gem_request_add", SUBMIT, request),
    ROW("i915_gem_request_in", RUN, request),
    ROW("i915_gem_request_out", OFF, request_out),
    ROW("i915_gem_request_retire", DONE, request),
    ROW("i915_gem_request_wait_begin", WAIT_BEGIN, request),
    ROW("i915_gem_request_wait_end", WAIT_END, request),
    ROW("i915_gem_object_create", CREATE, i915_create),
    ROW("i915_gem_object_destroy", DESTROY, i915_destroy),
    COUNT("i915_request_submit"),
    COUNT("i915_request_execute"),
    COUNT("i915_vma_bind"),
    COUNT("i915_vma_unbind"),
    COUNT("i915_gem_evict"),
    COUNT("i915_gem_evict_node"),
    COUNT("i915_gem_evict_vm"),

    ROW("xe_exec_queue_create", QUEUE, xe_queue),
    ROW("xe_sched_job_exec", SUBMIT, xe_job),
    ROW("xe_sched_job_run", RUN, xe_job),
    ROW("xe_hw_fence_signal", DONE, xe_fence),
    ROW("xe_bo_create", CREATE, xe_create),
    ROW("xe_bo_move", MOVE, xe_move),
    COUNT("xe_bo_validate"),
    COUNT("xe_vma_bind"),
    COUNT("xe_vma_unbind"),
    COUNT("xe_vma_evict"),
    COUNT("xe_vma_pagefault"),

    ROW("gpu_mem_total", MEMORY, memory),
    {"drm_vblank_event", LINUX_VBLANK, NULL, 0},
};

const size_t linux_tracepoint_count = sizeof linux_tracepoints / sizeof linux_tracepoints[0];

static_assert(sizeof linux_tracepoints / sizeof linux_tracepoints[0] <= LINUX_TRACEPOINTS_MAX,
              "one count for each");

static size_t slot_of(const char *name, size_t length)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    return (hash ^ hash >> 15) % sizeof((struct linux_lookup *)0)->slots;
}

void linux_lookup_prepare(struct linux_lookup *lookup)
{
    memset(lookup, 0, sizeof *lookup);
    for (size_t i = 0; i < linux_tracepoint_count; i++) {
        size_t slot = slot_of(linux_tracepoints[i].name, strlen(linux_tracepoints[i].name));
        while (lookup->slots[slot] != 0)
            slot = (slot + 1) % sizeof lookup->slots;
        lookup->slots[slot] = (uint8_t)(i + 1);
    }
}

int linux_lookup(const struct linux_lookup *lookup, const char *name, size_t length)
{
    size_t slot = slot_of(name, length);
    for (; lookup->slots[slot] != 0; slot = (slot + 1) % sizeof lookup->slots) {
        const char *candidate = linux_tracepoints[lookup->slots[slot] - 1].name;
        if (strncmp(candidate, name, length) == 0 && candidate[length] == '\0')
            return lookup->slots[slot] - 1;
    }
    return -1;
}

bool linux_placement_named(const char *name, size_t length, uint64_t *place)
{
    static const struct {
        const char *name;
        uint64_t place;
    } names[] = {
        {"system", PLACE_SYSTEM}, {"gtt", PLACE_MAPPED},   {"tt", PLACE_MAPPED},
        {"vram", PLACE_LOCAL},    {"stolen", PLACE_LOCAL},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (length >= strlen(names[i].name) &&
            strncmp(name, names[i].name, strlen(names[i].name)) == 0) {
            *place = names[i].place;
            return true;
        }
    return false;
}
