/* Faults on order: the Nth time a step is reached it fails with a given status. A step that fails
 * has done nothing; what the call did before it must be undone (wddm.md §1.5). */
#ifndef WDDMSIM_DXGKRNL_FAULT_H
#define WDDMSIM_DXGKRNL_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DXGK_STEPS(X)                                                                              \
    X(STANDARD_DRIVER_DATA, "GetStandardAllocationDriverData")                                     \
    X(SECURE_MEMORY, "SecureMemory")                                                               \
    X(RESOURCE, "Resource")                                                                        \
    X(DDI_CREATE_ALLOCATION, "DdiCreateAllocation")                                                \
    X(ADAPTER_ALLOCATION, "AdapterAllocation")                                                     \
    X(DEVICE_ALLOCATION, "DeviceAllocation")                                                       \
    X(BIND_SYSTEM_MEMORY, "BindSystemMemory")                                                      \
    X(HANDLE, "Handle")                                                                            \
    X(GLOBAL_HANDLE, "GlobalHandle")                                                               \
    X(DDI_OPEN_ALLOCATION, "DdiOpenAllocation")                                                    \
    X(DESTROY, "DestroyAllocation")                                                                \
    X(TERMINATE, "TerminateAllocation")                                                            \
    X(DDI_CREATE_DEVICE, "DdiCreateDevice")                                                        \
    X(DDI_CREATE_CONTEXT, "DdiCreateContext")                                                      \
    X(CONTEXT_ALLOCATION, "ContextAllocation")                                                     \
    X(MAP_CONTEXT_ALLOCATION, "MapContextAllocation")                                              \
    X(UPDATE_CONTEXT_ALLOCATION, "UpdateContextAllocation")                                        \
    X(DESTROY_CONTEXT_ALLOCATION, "DestroyContextAllocation")                                      \
    X(ADAPTER, "Adapter") /* asked whether it works: from then on it is removed */

enum dxgk_step {
#define DXGK_STEP(name, text) DXGK_STEP_##name,
    DXGK_STEPS(DXGK_STEP)
#undef DXGK_STEP
        DXGK_STEP_COUNT
};

extern const char *const dxgk_step_names[DXGK_STEP_COUNT];

/* One order. */
struct dxgk_fault {
    enum dxgk_step step;
    uint64_t nth; /* 1: the first time */
    uint32_t status;
};

/* Reads CALL:N:STATUS. False, and why in `error`, if the text is something else. */
bool dxgk_fault_parse(const char *text, struct dxgk_fault *fault, char *error, size_t error_size);

struct dxgk_faults {
    uint64_t reached[DXGK_STEP_COUNT];
    struct dxgk_fault *orders;
    uint32_t count;
};

void dxgk_faults_add(struct dxgk_faults *faults, const struct dxgk_fault *fault);
void dxgk_faults_fini(struct dxgk_faults *faults);

/* Counts the step; STATUS_SUCCESS, or the status on order for this time. */
uint32_t dxgk_faults_reach(struct dxgk_faults *faults, enum dxgk_step step);

#endif
