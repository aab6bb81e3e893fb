/* A machine for tests of the object layer: profile `ideal`, its clock, scheduler and memory, and a
 * miniport whose every call is counted and whose answers a test can bend. To be used in a child,
 * once. */
#ifndef WDDMSIM_TESTS_MACHINE_H
#define WDDMSIM_TESTS_MACHINE_H

#include "model/blind.h"
#include "model/dxgkrnl/dxgkrnl.h"
#include "model/memory.h"
#include "model/miniport/miniport.h"
#include "model/status.h"
#include "tests/unit/profiles.h"

struct machine {
    struct profile profile;
    struct probe probe;
    struct sim *sim;
    struct vidsch *vidsch;
    struct vidmm *vidmm;
    struct dxgkddi inner; /* the built-in miniport's */
    struct dxgkrnl *dxgkrnl;
    struct dxgkrnl_interface callbacks;
    /* What the miniport has of each. */
    int64_t allocations, resources, opened, contexts, devices, initialised;
    bool virtual_address_valid; /* of the last initialisation */
    int64_t assumptions;
    /* Changes an answer before Dxgkrnl sees it. */
    void (*bend)(struct dxgk_allocation_info *answer);
};

static struct machine machine;

static uint32_t note_start(void *self, const struct dxgk_start_info *info)
{
    machine.callbacks = *info->dxgkrnl;
    return machine.inner.start_device(self, info);
}

static uint32_t count_create(void *self, struct dxgkarg_create_allocation *arg)
{
    (void)self;
    uint32_t status = machine.inner.create_allocation(machine.inner.miniport, arg);
    for (uint32_t i = 0; i < arg->count; i++) {
        if (machine.bend)
            machine.bend(&arg->allocations[i]);
        arg->allocations[i].driver_allocation = &machine.allocations;
    }
    machine.allocations += arg->count;
    machine.resources += arg->resource && !arg->driver_resource;
    arg->driver_resource = arg->resource ? &machine.resources : NULL;
    return status;
}

static void count_destroy(void *self, const struct dxgkarg_destroy_allocation *arg)
{
    (void)self;
    machine.allocations -= arg->count;
    machine.resources -= arg->destroy_resource;
    for (uint32_t i = 0; i < arg->count; i++)
        if (arg->allocations[i] != &machine.allocations)
            child_fails("the miniport is given a handle that is not its own");
}

static uint32_t count_open(void *self, const struct dxgkarg_open_allocation *arg)
{
    (void)self;
    machine.opened += arg->count;
    return STATUS_SUCCESS;
}

static void count_close(void *self, const struct dxgkarg_close_allocation *arg)
{
    (void)self;
    machine.opened -= arg->count;
}

static uint32_t count_device(void *self, struct dxgkarg_create_device *arg)
{
    (void)self;
    machine.devices++;
    arg->driver_device = &machine.devices;
    return STATUS_SUCCESS;
}

static void count_device_gone(void *self, void *driver_device)
{
    (void)self;
    if (driver_device != &machine.devices)
        child_fails("not the miniport's device");
    machine.devices--;
}

static uint32_t count_context(void *self, struct dxgkarg_create_context *arg)
{
    (void)self;
    uint32_t status = machine.inner.create_context(machine.inner.miniport, arg);
    machine.contexts += status == STATUS_SUCCESS;
    return status;
}

static void count_context_gone(void *self, void *driver_context)
{
    (void)self;
    machine.inner.destroy_context(machine.inner.miniport, driver_context);
    machine.contexts--;
}

static void count_initialised(void *self, const struct dxgkarg_init_context_resource *arg)
{
    (void)self;
    machine.initialised++;
    machine.virtual_address_valid = arg->virtual_address_valid;
}

static void count_assumption(void *self, const char *key, uint64_t count)
{
    (void)self, (void)key;
    machine.assumptions += (int64_t)count;
}

static void nothing(void *owner, struct d3dkmt_call *call)
{
    (void)owner, (void)call;
}

/* A call whose answer alone is wanted; good until the next few. */
static inline struct d3dkmt_call *some_call(void)
{
    static struct d3dkmt_call calls[4096];
    static size_t next;
    struct d3dkmt_call *call = &calls[next++ % 4096];
    *call = (struct d3dkmt_call){.on_return = nothing, .on_finish = nothing};
    return call;
}

/* `settings`: pairs of key and value, ended by NULL; may be NULL. */
static inline void machine_run(const char *const (*settings)[2], void (*body)(void *owner))
{
    child_profile(&machine.profile, "ideal", settings);
    machine.probe = blind_probe();
    machine.probe.assume = count_assumption;
    const struct sim_link link = {1e9, 1e9, 1, false};
    machine.sim = sim_create(&link, 1, NULL);
    machine.vidsch = vidsch_create(machine.sim, &machine.profile, &machine.probe);
    machine.vidmm = vidmm_create(machine.sim, &machine.profile, machine.vidsch, &machine.probe);
    child_expects(miniport_driver_entry(&machine.inner), STATUS_SUCCESS);
    const struct dxgkddi ddi = {.version = DXGK_DDI_VERSION,
                                .miniport = machine.inner.miniport,
                                .start_device = note_start,
                                .remove_device = machine.inner.remove_device,
                                .create_allocation = count_create,
                                .destroy_allocation = count_destroy,
                                .open_allocation = count_open,
                                .close_allocation = count_close,
                                .get_standard_allocation_driver_data =
                                    machine.inner.get_standard_allocation_driver_data,
                                .create_device = count_device,
                                .destroy_device = count_device_gone,
                                .create_context = count_context,
                                .destroy_context = count_context_gone,
                                .init_context_resource = count_initialised};
    machine.dxgkrnl = dxgkrnl_create(machine.sim, &machine.profile, machine.vidsch, machine.vidmm,
                                     &ddi, &machine.probe);
    child_expects(dxgkrnl_start_device(machine.dxgkrnl), STATUS_SUCCESS);
    sim_run(machine.sim, body, NULL);
    dxgkrnl_destroy(machine.dxgkrnl);
    vidmm_destroy(machine.vidmm);
    vidsch_destroy(machine.vidsch);
    sim_destroy(machine.sim);
}

/* The state of the object layer and of the miniport; the caller frees it. */
static inline char *machine_dump(void)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    dxgkrnl_dump(machine.dxgkrnl, out);
    fprintf(out, "miniport %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
            machine.allocations, machine.resources, machine.opened, machine.contexts,
            machine.devices);
    fclose(out);
    return text;
}

#endif
