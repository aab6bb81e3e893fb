/* Every step of create, open, context allocation and destroy fails once: the call answers that
 * status, leaves everything as it was, and the next call is none the worse (wddm.md §1.5). */
#include "tests/unit/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { LOCAL = 1, PAGE = 4096, COUNT = 3 };

/* What a walk calls again and again; each has its own preparation. */
struct walk {
    struct dxgk_process *process, *second;
    d3dkmt_handle device, its_device, context, resource, global, allocation, context_allocation;
    d3dkmt_handle made; /* by the call, to be taken back */
};

static struct walk walk;
static struct d3dkmt_allocation_info elements[COUNT];

static uint32_t create(struct dxgk_process *process, d3dkmt_handle device, uint32_t flags,
                       uint32_t count, const struct d3dkmt_standard_allocation *standard,
                       struct d3dkmt_create_allocation *args)
{
    for (uint32_t i = 0; i < count; i++)
        elements[i] = (struct d3dkmt_allocation_info){.private_data = {.size = PAGE, .bytes = 1},
                                                      .system_memory = standard ? PAGE : 0};
    *args = (struct d3dkmt_create_allocation){.device = device,
                                              .flags = flags,
                                              .count = count,
                                              .standard = standard,
                                              .allocations = elements};
    return d3dkmt_create_allocation(process, some_call(), args);
}

static uint32_t destroy_resource(struct dxgk_process *process, d3dkmt_handle device,
                                 d3dkmt_handle resource)
{
    return d3dkmt_destroy_allocation2(process, some_call(), device, resource, NULL, 0, 0);
}

static uint32_t create_shared(void)
{
    struct d3dkmt_create_allocation args;
    uint32_t status = create(walk.process, walk.device,
                             D3DKMT_CREATE_RESOURCE | D3DKMT_CREATE_SHARED, COUNT, NULL, &args);
    walk.made = status == STATUS_SUCCESS ? args.resource : 0;
    return status;
}

static uint32_t create_heap(void)
{
    static const struct d3dkmt_standard_allocation heap = {D3DKMT_EXISTING_HEAP, PAGE};
    struct d3dkmt_create_allocation args;
    uint32_t status =
        create(walk.process, walk.device,
               D3DKMT_CREATE_RESOURCE | D3DKMT_STANDARD_ALLOCATION | D3DKMT_EXISTING_SYSMEM, 1,
               &heap, &args);
    walk.made = status == STATUS_SUCCESS ? args.resource : 0;
    return status;
}

static void destroy_made(void)
{
    child_expects(destroy_resource(walk.process, walk.device, walk.made), STATUS_SUCCESS);
}

/* To a resource that has one allocation already: that one stays. */
static uint32_t create_in_resource(void)
{
    for (uint32_t i = 0; i < 2; i++)
        elements[i] = (struct d3dkmt_allocation_info){.private_data = {.size = PAGE}};
    struct d3dkmt_create_allocation args = {
        .device = walk.device, .resource = walk.resource, .count = 2, .allocations = elements};
    return d3dkmt_create_allocation(walk.process, some_call(), &args);
}

static void destroy_in_resource(void)
{
    d3dkmt_handle list[2] = {elements[0].allocation, elements[1].allocation};
    child_expects(d3dkmt_destroy_allocation2(walk.process, some_call(), walk.device, 0, list, 2, 0),
                  STATUS_SUCCESS);
}

static uint32_t open_shared(void)
{
    d3dkmt_handle opened[COUNT];
    struct d3dkmt_open_resource args = {.device = walk.its_device,
                                        .global_share = walk.global,
                                        .count = COUNT,
                                        .total_private_data_bytes = COUNT,
                                        .allocations = opened};
    uint32_t status = d3dkmt_open_resource(walk.second, some_call(), &args);
    walk.made = args.resource;
    return status;
}

static void destroy_opened(void)
{
    child_expects(destroy_resource(walk.second, walk.its_device, walk.made), STATUS_SUCCESS);
}

static uint32_t create_for_context(void)
{
    struct dxgkargcb_create_context_allocation arg = {.size = PAGE,
                                                      .supported_segment_set = LOCAL,
                                                      .context_allocation_flags =
                                                          DXGK_MAP_GPU_VIRTUAL_ADDRESS};
    return dxgkcb_create_context_allocation(walk.process, some_call(), walk.context, 0, &arg,
                                            (struct probe_label){0}, &walk.made);
}

static void destroy_for_context(void)
{
    child_expects(dxgkcb_destroy_context_allocation(walk.process, some_call(), walk.made),
                  STATUS_SUCCESS);
}

/* A context whose miniport makes it a save area. */
static uint32_t create_context(void)
{
    struct d3dkmt_create_context args = {.device = walk.device};
    uint32_t status = d3dkmt_create_context(walk.process, some_call(), &args);
    walk.made = args.context;
    return status;
}

static void destroy_context(void)
{
    child_expects(d3dkmt_destroy_context(walk.process, some_call(), walk.made), STATUS_SUCCESS);
}

static uint32_t create_device(void)
{
    return d3dkmt_create_device(walk.process, some_call(), 0, false, &walk.made);
}

static void destroy_device(void)
{
    child_expects(d3dkmt_destroy_device(walk.process, some_call(), walk.made), STATUS_SUCCESS);
}

/* A destroy that fails has destroyed nothing. */
static uint32_t destroy_list(void)
{
    return d3dkmt_destroy_allocation2(walk.process, some_call(), walk.device, 0, &walk.allocation,
                                      1, 0);
}

static void create_again(void)
{
    struct d3dkmt_create_allocation args;
    child_expects(create(walk.process, walk.device, 0, 1, NULL, &args), STATUS_SUCCESS);
    walk.allocation = elements[0].allocation;
}

static uint32_t destroy_of_context(void)
{
    return dxgkcb_destroy_context_allocation(walk.process, some_call(), walk.context_allocation);
}

static void create_of_context(void)
{
    child_expects(create_for_context(), STATUS_SUCCESS);
    walk.context_allocation = walk.made;
}

/* How often the call reaches each of the steps that must be walked. */
struct subject {
    const char *name;
    uint32_t (*call)(void);
    void (*undo)(void);
    struct {
        enum dxgk_step step;
        uint32_t times;
    } steps[10];
};

static const struct subject subjects[] = {
    {"create shared",
     create_shared,
     destroy_made,
     {{DXGK_STEP_RESOURCE, 1},
      {DXGK_STEP_DEVICE_ALLOCATION, COUNT},
      {DXGK_STEP_DDI_CREATE_ALLOCATION, 1},
      {DXGK_STEP_ADAPTER_ALLOCATION, COUNT},
      {DXGK_STEP_HANDLE, 1 + COUNT},
      {DXGK_STEP_GLOBAL_HANDLE, 1},
      {DXGK_STEP_DDI_OPEN_ALLOCATION, COUNT}}},
    {"create from a heap",
     create_heap,
     destroy_made,
     {{DXGK_STEP_SECURE_MEMORY, 1},
      {DXGK_STEP_STANDARD_DRIVER_DATA, 1},
      {DXGK_STEP_RESOURCE, 1},
      {DXGK_STEP_DEVICE_ALLOCATION, 1},
      {DXGK_STEP_DDI_CREATE_ALLOCATION, 1},
      {DXGK_STEP_ADAPTER_ALLOCATION, 1},
      {DXGK_STEP_BIND_SYSTEM_MEMORY, 1},
      {DXGK_STEP_HANDLE, 2},
      {DXGK_STEP_DDI_OPEN_ALLOCATION, 1}}},
    {"create in a resource",
     create_in_resource,
     destroy_in_resource,
     {{DXGK_STEP_DEVICE_ALLOCATION, 2},
      {DXGK_STEP_DDI_CREATE_ALLOCATION, 1},
      {DXGK_STEP_ADAPTER_ALLOCATION, 2},
      {DXGK_STEP_HANDLE, 2},
      {DXGK_STEP_DDI_OPEN_ALLOCATION, 2}}},
    {"open",
     open_shared,
     destroy_opened,
     {{DXGK_STEP_RESOURCE, 1},
      {DXGK_STEP_DEVICE_ALLOCATION, COUNT},
      {DXGK_STEP_HANDLE, 1 + COUNT},
      {DXGK_STEP_DDI_OPEN_ALLOCATION, COUNT}}},
    {"context allocation",
     create_for_context,
     destroy_for_context,
     {{DXGK_STEP_CONTEXT_ALLOCATION, 1},
      {DXGK_STEP_MAP_CONTEXT_ALLOCATION, 1},
      {DXGK_STEP_HANDLE, 1}}},
    {"context",
     create_context,
     destroy_context,
     {{DXGK_STEP_DDI_CREATE_CONTEXT, 1}, {DXGK_STEP_CONTEXT_ALLOCATION, 1}, {DXGK_STEP_HANDLE, 1}}},
    {"device",
     create_device,
     destroy_device,
     {{DXGK_STEP_DDI_CREATE_DEVICE, 1}, {DXGK_STEP_HANDLE, 1}}},
    {"destroy", destroy_list, create_again, {{DXGK_STEP_DESTROY, 1}, {DXGK_STEP_TERMINATE, 1}}},
    {"destroy context allocation",
     destroy_of_context,
     create_of_context,
     {{DXGK_STEP_DESTROY_CONTEXT_ALLOCATION, 1}}},
};

static const uint64_t unreached = UINT64_MAX;

/* The nth time from now on. */
static void order(enum dxgk_step step, uint32_t nth, uint64_t *reached)
{
    dxgkrnl_order_fault(machine.dxgkrnl,
                        &(struct dxgk_fault){.step = step,
                                             .nth = reached[step] + nth,
                                             .status = STATUS_GRAPHICS_CANT_LOCK_MEMORY});
}

static void try_each(const struct subject *subject, uint64_t *reached)
{
    for (size_t i = 0; i < 10 && subject->steps[i].times; i++)
        for (uint32_t time = 1; time <= subject->steps[i].times; time++) {
            enum dxgk_step step = subject->steps[i].step;
            dxgkrnl_reached(machine.dxgkrnl, reached);
            order(step, time, reached);
            char *before = machine_dump();
            uint32_t status = subject->call();
            char *after = machine_dump();
            /* An address that cannot be mapped has no status of its own. */
            uint32_t expected = step == DXGK_STEP_MAP_CONTEXT_ALLOCATION
                                    ? STATUS_NO_MEMORY
                                    : STATUS_GRAPHICS_CANT_LOCK_MEMORY;
            if (status != expected)
                child_fails("%s: %s %" PRIu32 ": answers %#x", subject->name, dxgk_step_names[step],
                            time, status);
            if (strcmp(before, after) != 0)
                child_fails("%s: %s %" PRIu32 ": changes\n%sinto\n%s", subject->name,
                            dxgk_step_names[step], time, before, after);
            free(before);
            free(after);
        }
    /* Nothing is in its way now; and the table has missed no step. */
    uint64_t now[DXGK_STEP_COUNT];
    dxgkrnl_reached(machine.dxgkrnl, reached);
    child_expects(subject->call(), STATUS_SUCCESS);
    dxgkrnl_reached(machine.dxgkrnl, now);
    for (int step = 0; step < DXGK_STEP_COUNT; step++) {
        uint64_t times = 0;
        for (size_t i = 0; i < 10; i++)
            if (subject->steps[i].times && subject->steps[i].step == (enum dxgk_step)step)
                times = subject->steps[i].times;
        if (step != DXGK_STEP_ADAPTER && now[step] - reached[step] != times)
            child_fails("%s reaches %s %" PRIu64 " times", subject->name, dxgk_step_names[step],
                        now[step] - reached[step]);
    }
    subject->undo();
}

static void walk_all_steps(void *owner)
{
    (void)owner;
    walk.process = dxgkrnl_process(machine.dxgkrnl, 1);
    walk.second = dxgkrnl_process(machine.dxgkrnl, 2);
    dxgkrnl_order_fault(machine.dxgkrnl, &(struct dxgk_fault){.nth = unreached}); /* counts */
    d3dkmt_create_device(walk.process, some_call(), 0, false, &walk.device);
    d3dkmt_create_device(walk.second, some_call(), 0, false, &walk.its_device);
    child_expects(create_context(), STATUS_SUCCESS);
    walk.context = walk.made;
    struct d3dkmt_create_allocation args;
    child_expects(create(walk.process, walk.device, D3DKMT_CREATE_RESOURCE | D3DKMT_CREATE_SHARED,
                         COUNT, NULL, &args),
                  STATUS_SUCCESS);
    walk.global = args.global_share;
    d3dkmt_handle shared = args.resource;
    child_expects(create(walk.process, walk.device, D3DKMT_CREATE_RESOURCE, 1, NULL, &args),
                  STATUS_SUCCESS);
    walk.resource = args.resource;
    create_again();
    create_of_context();
    uint64_t reached[DXGK_STEP_COUNT];
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        try_each(&subjects[i], reached);
    /* Everything goes, and nothing is left. */
    child_expects(destroy_resource(walk.process, walk.device, shared), STATUS_SUCCESS);
    child_expects(d3dkmt_exit_process(walk.process, some_call()), STATUS_SUCCESS);
    child_expects(d3dkmt_exit_process(walk.second, some_call()), STATUS_SUCCESS);
    child_expects(machine.allocations, 0);
    child_expects(machine.resources, 0);
    child_expects(machine.opened, 0);
    child_expects(machine.contexts, 0);
    child_expects(machine.devices, 0);
    child_expects(vidmm_allocations(machine.vidmm), 0);
    child_expects(vidmm_committed(machine.vidmm), 0);
}

static void removed(void *owner)
{
    (void)owner;
    walk.process = dxgkrnl_process(machine.dxgkrnl, 1);
    d3dkmt_create_device(walk.process, some_call(), 0, false, &walk.device);
    /* The third create finds the adapter gone, and so does every one behind it. */
    dxgkrnl_order_fault(
        machine.dxgkrnl,
        &(struct dxgk_fault){.step = DXGK_STEP_ADAPTER, .nth = 3, .status = STATUS_DEVICE_REMOVED});
    struct d3dkmt_create_allocation args;
    for (int i = 1; i <= 5; i++)
        child_expects(create(walk.process, walk.device, 0, 1, NULL, &args),
                      i < 3 ? STATUS_SUCCESS : STATUS_DEVICE_REMOVED);
}

static const char *const save_areas[][2] = {{"wddm", "2.0"},
                                            {"miniport.context-save-area", "true"},
                                            {"nodes.3d.save-area", "64KiB"},
                                            {NULL, NULL}};

static void walk_child(void *argument)
{
    (void)argument;
    machine_run(save_areas, walk_all_steps);
}

static void removed_child(void *argument)
{
    (void)argument;
    machine_run(NULL, removed);
}

static void every_step_can_fail(void **state)
{
    (void)state;
    assert_true(child_runs(walk_child, NULL));
}

static void an_adapter_can_go(void **state)
{
    (void)state;
    assert_true(child_runs(removed_child, NULL));
}

/* CALL:N:STATUS as the command line gives it. */
static void orders_are_read(void **state)
{
    (void)state;
    struct dxgk_fault fault;
    char error[700];
    assert_true(dxgk_fault_parse("Handle:3:STATUS_NO_MEMORY", &fault, error, sizeof error));
    assert_int_equal(fault.step, DXGK_STEP_HANDLE);
    assert_int_equal(fault.nth, 3);
    assert_int_equal(fault.status, STATUS_NO_MEMORY);
    assert_true(dxgk_fault_parse("Adapter:1:0xC00002B6", &fault, error, sizeof error));
    assert_int_equal(fault.status, STATUS_DEVICE_REMOVED);
    static const char *const bad[] = {"",
                                      "Handle",
                                      "Handle:1",
                                      "Handles:1:STATUS_NO_MEMORY",
                                      "Handle:0:STATUS_NO_MEMORY",
                                      "Handle:-1:STATUS_NO_MEMORY",
                                      "Handle:x:STATUS_NO_MEMORY",
                                      "Handle:1:",
                                      "Handle:1:STATUS_SUCCESS",
                                      "Handle:1:NO_MEMORY",
                                      "Handle:1:0x103",
                                      "Handle:1:0x1C00002B6",
                                      "Handle:99999999999999999999:STATUS_NO_MEMORY"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(dxgk_fault_parse(bad[i], &fault, error, sizeof error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_can_fail),
        cmocka_unit_test(an_adapter_can_go),
        cmocka_unit_test(orders_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
