/* The object layer: what each call answers, and what it leaves behind. Paragraphs are wddm.md's. */
#include "tests/unit/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { LOCAL = 1, APERTURE = 2, PAGE = 4096 };

static struct dxgk_process *process;
static d3dkmt_handle device, other_device;

/* Two devices: 0x40000040 and 0x40000080; the next handle is 0x400000c0. */
static void begin(void)
{
    process = dxgkrnl_process(machine.dxgkrnl, 1);
    child_expects(d3dkmt_create_device(process, some_call(), 0, false, &device), STATUS_SUCCESS);
    child_expects(d3dkmt_create_device(process, some_call(), 0, false, &other_device),
                  STATUS_SUCCESS);
    child_expects(device, 0x40000040);
    child_expects(other_device, 0x40000080);
}

/* A create of `count` plain allocations, to be changed by the test. */
static struct d3dkmt_allocation_info elements[1100];
static struct d3dkmt_create_allocation plain(uint32_t flags, uint32_t count)
{
    for (uint32_t i = 0; i < count && i < 1100; i++)
        elements[i] = (struct d3dkmt_allocation_info){.private_data = {.size = PAGE, .bytes = 10}};
    return (struct d3dkmt_create_allocation){
        .device = device, .flags = flags, .count = count, .allocations = elements};
}

static uint32_t create(struct d3dkmt_create_allocation *args)
{
    return d3dkmt_create_allocation(process, some_call(), args);
}

static uint32_t destroy(d3dkmt_handle resource, const d3dkmt_handle *list, uint32_t count)
{
    return d3dkmt_destroy_allocation2(process, some_call(), device, resource, list, count, 0);
}

/* The call fails with the status and changes nothing. */
static void refuses(const char *what, struct d3dkmt_create_allocation args, uint32_t status)
{
    char *before = machine_dump();
    uint32_t answer = create(&args);
    char *after = machine_dump();
    if (answer != status)
        child_fails("%s: answers %#x, not %#x", what, answer, status);
    if (strcmp(before, after) != 0)
        child_fails("%s: changes\n%sinto\n%s", what, before, after);
    free(before);
    free(after);
}

static const struct d3dkmt_standard_allocation heap = {D3DKMT_EXISTING_HEAP, 2 * PAGE};

/* §1.4, rule by rule. */
static void creates_are_validated(void *owner)
{
    (void)owner;
    begin();
    struct d3dkmt_create_allocation args = plain(0, 0);
    refuses("rule 2: nothing", args, STATUS_INVALID_PARAMETER);
    refuses("rule 2: too many", plain(0, 1025), STATUS_INVALID_PARAMETER);
    static const uint32_t reserved[] = {
        D3DKMT_CREATE_PROTECTED,   D3DKMT_CREATE_WRITE_COMBINED,
        D3DKMT_CREATE_CACHED,      D3DKMT_SWAP_CHAIN_BACK_BUFFER,
        D3DKMT_OPEN_CROSS_ADAPTER, D3DKMT_NO_IMPLICIT_SYNCHRONIZATION,
        UINT32_C(1) << 23,         UINT32_C(1) << 31};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        refuses("rule 3: reserved", plain(reserved[i], 1), STATUS_INVALID_PARAMETER);

    const uint32_t standard = D3DKMT_STANDARD_ALLOCATION | D3DKMT_EXISTING_SYSMEM;
    refuses("rule 4: no kind of memory", plain(D3DKMT_STANDARD_ALLOCATION, 1),
            STATUS_INVALID_PARAMETER);
    refuses("rule 4: memory of no standard", plain(D3DKMT_EXISTING_SYSMEM, 1),
            STATUS_INVALID_PARAMETER);
    refuses("rule 4: section of no standard", plain(D3DKMT_EXISTING_SECTION, 1),
            STATUS_INVALID_PARAMETER);
    refuses("rule 4: both", plain(standard | D3DKMT_EXISTING_SECTION, 1), STATUS_INVALID_PARAMETER);
    refuses("rule 4: no pointer", plain(standard, 1), STATUS_INVALID_PARAMETER);
    const struct {
        struct d3dkmt_standard_allocation standard;
        uint64_t address;
        uint32_t count, flags;
        uint64_t private_data;
    } heaps[] = {
        {{1, PAGE}, PAGE, 2, 0, 0},        {{0, PAGE}, PAGE, 1, 0, 0},
        {{3, PAGE}, PAGE, 1, 0, 0},        {{1, PAGE}, PAGE, 1, 0, 1},
        {{1, PAGE}, 0, 1, 0, 0},           {{1, PAGE}, PAGE + 1, 1, 0, 0},
        {{1, 0}, PAGE, 1, 0, 0},           {{1, PAGE + 1}, PAGE, 1, 0, 0},
        {{2, PAGE}, PAGE, 1, standard, 0}, {{1, PAGE}, PAGE, 0, D3DKMT_CREATE_RESOURCE, 0},
    };
    for (size_t i = 0; i < sizeof heaps / sizeof *heaps; i++) {
        args = plain(standard | heaps[i].flags, heaps[i].count);
        args.standard = &heaps[i].standard;
        args.private_data_bytes = heaps[i].private_data;
        elements[0].system_memory = heaps[i].address;
        elements[1].system_memory = PAGE;
        refuses("rule 4: heap", args, STATUS_INVALID_PARAMETER);
    }

    refuses("rule 5: shared without resource", plain(D3DKMT_CREATE_SHARED, 1),
            STATUS_INVALID_PARAMETER);
    refuses("rule 5: NT without shared",
            plain(D3DKMT_CREATE_RESOURCE | D3DKMT_NT_SECURITY_SHARING, 1),
            STATUS_INVALID_PARAMETER);
    refuses("§1.6: cross-adapter unshared", plain(D3DKMT_CREATE_RESOURCE | D3DKMT_CROSS_ADAPTER, 1),
            STATUS_INVALID_PARAMETER);
    refuses("§1.6: cross-adapter of two",
            plain(D3DKMT_CREATE_RESOURCE | D3DKMT_CREATE_SHARED | D3DKMT_CROSS_ADAPTER, 2),
            STATUS_INVALID_PARAMETER);

    args = plain(0, 1);
    args.device = 0;
    refuses("rule 6: no device", args, STATUS_INVALID_PARAMETER);
    args.device = device;
    args.resource = 0x1000;
    refuses("rule 7: no such resource", args, STATUS_INVALID_HANDLE);
    args.flags = D3DKMT_CREATE_RESOURCE;
    refuses("rule 7: though a new one is made", args, STATUS_INVALID_HANDLE);
    args.resource = device;
    refuses("rule 7: another kind", args, STATUS_INVALID_HANDLE);
    args.device = 0; /* rule 6 comes first */
    refuses("rule 6 before 7", args, STATUS_INVALID_PARAMETER);

    args = plain(0, 2);
    elements[1].system_memory = PAGE;
    refuses("rule 9: memory for one only", args, STATUS_INVALID_PARAMETER);
    elements[0].system_memory = PAGE + 8;
    refuses("rule 9: not on a page", args, STATUS_INVALID_PARAMETER);
    args = plain(0, 1);
    elements[0].flags = D3DDDI_STEREO;
    refuses("§1.2: stereo, not primary", args, STATUS_INVALID_PARAMETER);
    elements[0].flags = 8;
    refuses("§1.2: reserved", args, STATUS_INVALID_PARAMETER);

    /* What Windows accepts though a document says otherwise: an unshared existing heap, private
     * data with it, a global handle without NtSecuritySharing. */
    args = plain(standard, 1);
    args.standard = &heap;
    elements[0].system_memory = 16 * PAGE;
    child_expects(create(&args), STATUS_SUCCESS);
    child_expects(elements[0].allocation, 0x400000c0); /* no failure has used up a handle */
    child_expects(args.resource, 0);
    args = plain(D3DKMT_STANDARD_ALLOCATION | D3DKMT_EXISTING_SECTION, 1);
    args.standard = &heap;
    elements[0].system_memory = 0x123; /* a section's handle */
    child_expects(create(&args), STATUS_SUCCESS);
    const struct d3dkmt_standard_allocation own = {D3DKMT_STANDARD_CROSS_ADAPTER, PAGE};
    args = plain(D3DKMT_STANDARD_ALLOCATION, 1);
    args.standard = &own;
    child_expects(create(&args), STATUS_SUCCESS);
    args = plain(D3DKMT_CREATE_RESOURCE, 0); /* an empty resource */
    child_expects(create(&args), STATUS_SUCCESS);
    child_expects(args.resource, 0x40000180);
}

/* §0.1: the resource's handle first, the allocations' behind it; a global handle has 2 in its low
 * six bits and does not advance the local series. §1.4 rule 8: a resource takes allocations until
 * it is sealed. */
static void handles_and_sealing(void *owner)
{
    (void)owner;
    begin();
    struct d3dkmt_create_allocation args = plain(D3DKMT_CREATE_RESOURCE | D3DKMT_CREATE_SHARED, 2);
    args.runtime_data_bytes = 5;
    args.private_data_bytes = 7;
    child_expects(create(&args), STATUS_SUCCESS);
    d3dkmt_handle resource = args.resource, global = args.global_share;
    child_expects(resource, 0x400000c0);
    child_expects(elements[0].allocation, 0x40000100);
    child_expects(elements[1].allocation, 0x40000140);
    child_expects(global, 0x40000042);
    args = plain(0, 1);
    args.resource = resource;
    child_expects(create(&args), STATUS_SUCCESS);
    child_expects(elements[0].allocation, 0x40000180);
    child_expects(args.resource, resource);
    child_expects(args.global_share, 0);
    args = plain(0, 1);
    args.resource = resource;
    args.device = other_device;
    refuses("rule 8: another device's", args, STATUS_INVALID_PARAMETER);

    struct d3dkmt_query_resource_info info = {.device = device, .global_share = resource};
    child_expects(d3dkmt_query_resource_info(process, &info), STATUS_INVALID_PARAMETER);
    info.global_share = global;
    child_expects(d3dkmt_query_resource_info(process, &info), STATUS_SUCCESS);
    child_expects(info.count, 3);
    child_expects(info.runtime_data_bytes, 5);
    child_expects(info.private_data_bytes, 7);
    child_expects(info.total_private_data_bytes, 30);
    args = plain(0, 1);
    args.resource = resource;
    refuses("rule 8: sealed by the query", args, STATUS_INVALID_PARAMETER);

    /* NT sharing: no global handle; sealed when shared out; never an allocation's handle. */
    args = plain(D3DKMT_CREATE_RESOURCE | D3DKMT_CREATE_SHARED | D3DKMT_NT_SECURITY_SHARING, 1);
    child_expects(create(&args), STATUS_SUCCESS);
    child_expects(args.resource, 0x400001c0);
    child_expects(args.global_share, 0);
    struct dxgk_shared_resource *nt;
    child_expects(d3dkmt_share_objects(process, &elements[0].allocation, 1, &nt),
                  STATUS_INVALID_PARAMETER);
    child_expects(d3dkmt_share_objects(process, &resource, 1, &nt), STATUS_INVALID_PARAMETER);
    child_expects(d3dkmt_share_objects(process, &args.resource, 1, &nt), STATUS_SUCCESS);
    struct d3dkmt_create_allocation more = plain(0, 1);
    more.resource = args.resource;
    refuses("rule 8: sealed by sharing", more, STATUS_INVALID_PARAMETER);

    /* The NT handle keeps the allocation alive, and it can still be opened (§1.7). */
    int64_t in_driver = machine.allocations;
    child_expects(destroy(args.resource, NULL, 0), STATUS_SUCCESS);
    child_expects(machine.allocations, in_driver);
    d3dkmt_handle opened[1];
    struct d3dkmt_open_resource open = {.device = other_device,
                                        .nt = nt,
                                        .count = 1,
                                        .total_private_data_bytes = 9,
                                        .allocations = opened};
    child_expects(d3dkmt_open_resource(process, some_call(), &open), STATUS_NO_MEMORY);
    open.total_private_data_bytes = 10;
    open.count = 2;
    child_expects(d3dkmt_open_resource(process, some_call(), &open), STATUS_INVALID_PARAMETER);
    open.count = 1;
    open.runtime_data_bytes = 1;
    child_expects(d3dkmt_open_resource(process, some_call(), &open), STATUS_INVALID_PARAMETER);
    open.runtime_data_bytes = 0;
    child_expects(d3dkmt_open_resource(process, some_call(), &open), STATUS_SUCCESS);
    child_expects(open.resource, 0x40000240); /* failed opens use up no handle */
    child_expects(opened[0], 0x40000280);
    dxgk_close_nt_handle(nt);
    child_expects(machine.allocations, in_driver);
    child_expects(
        d3dkmt_destroy_allocation2(process, some_call(), other_device, open.resource, NULL, 0, 0),
        STATUS_SUCCESS);
    child_expects(machine.allocations, in_driver - 1); /* behind the last one */
    child_expects(machine.resources, 1);
}

/* Another process opens by global handle; each closes its own view (§3.2). */
static void views_are_counted(void *owner)
{
    (void)owner;
    begin();
    struct d3dkmt_create_allocation args = plain(D3DKMT_CREATE_RESOURCE | D3DKMT_CREATE_SHARED, 2);
    child_expects(create(&args), STATUS_SUCCESS);
    struct dxgk_process *second = dxgkrnl_process(machine.dxgkrnl, 2);
    d3dkmt_handle its_device, opened[2], again[2];
    d3dkmt_create_device(second, some_call(), 0, false, &its_device);
    struct d3dkmt_open_resource open = {.device = its_device,
                                        .global_share = args.global_share,
                                        .count = 2,
                                        .total_private_data_bytes = 20,
                                        .allocations = opened};
    child_expects(d3dkmt_open_resource(second, some_call(), &open), STATUS_SUCCESS);
    child_expects(open.resource, 0x40000080); /* a series of its own */
    d3dkmt_handle first_open = open.resource;
    open.allocations = again;
    child_expects(d3dkmt_open_resource(second, some_call(), &open), STATUS_SUCCESS);
    child_expects(machine.opened, 6);
    /* A shared resource's allocations do not go one by one (§3.3). */
    child_expects(destroy(0, &elements[0].allocation, 1), STATUS_INVALID_PARAMETER);
    child_expects(destroy(args.resource, NULL, 0), STATUS_SUCCESS);
    child_expects(machine.opened, 4);
    child_expects(machine.allocations, 2);
    /* The global handle lives as long as any view. */
    struct d3dkmt_query_resource_info info = {.device = its_device,
                                              .global_share = args.global_share};
    child_expects(d3dkmt_query_resource_info(second, &info), STATUS_SUCCESS);
    child_expects(
        d3dkmt_destroy_allocation2(second, some_call(), its_device, first_open, NULL, 0, 0),
        STATUS_SUCCESS);
    child_expects(machine.allocations, 2);
    child_expects(d3dkmt_destroy_device(second, some_call(), its_device), STATUS_SUCCESS);
    child_expects(machine.allocations, 0);
    child_expects(machine.resources, 0);
    child_expects(machine.opened, 0);
    info.device = device;
    child_expects(d3dkmt_query_resource_info(process, &info), STATUS_INVALID_PARAMETER);
}

/* §3.1 to §3.3. */
static void destroys_are_validated(void *owner)
{
    (void)owner;
    begin();
    struct d3dkmt_create_allocation args = plain(0, 2);
    child_expects(create(&args), STATUS_SUCCESS);
    d3dkmt_handle loose[2] = {elements[0].allocation, elements[1].allocation};
    args = plain(D3DKMT_CREATE_RESOURCE, 2);
    child_expects(create(&args), STATUS_SUCCESS);
    d3dkmt_handle resource = args.resource,
                  owned[2] = {elements[0].allocation, elements[1].allocation};
    const struct {
        d3dkmt_handle resource, list[2];
        uint32_t count;
    } bad[] = {
        {0, {loose[0], 0x123}, 2},    {0, {loose[0], loose[0]}, 2},
        {0, {loose[0], owned[0]}, 2}, {0, {resource, 0}, 1},
        {0, {device, 0}, 1},          {owned[0], {0}, 0},
        {0x40, {loose[0]}, 1},        {0, {0}, 1},
    };
    char *before = machine_dump();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        child_expects(destroy(bad[i].resource, bad[i].list, bad[i].count),
                      STATUS_INVALID_PARAMETER);
    child_expects(destroy(0, NULL, 1), STATUS_INVALID_PARAMETER);
    child_expects(d3dkmt_destroy_allocation2(process, some_call(), other_device, 0, loose, 1, 0),
                  STATUS_INVALID_PARAMETER);
    child_expects(d3dkmt_destroy_allocation2(process, some_call(), 0, 0, loose, 1, 0),
                  STATUS_INVALID_PARAMETER);
    for (uint32_t bit = 2; bit < 32; bit++)
        child_expects(d3dkmt_destroy_allocation2(process, some_call(), device, 0, loose, 1,
                                                 UINT32_C(1) << bit),
                      STATUS_INVALID_PARAMETER);
    child_expects(destroy(0, NULL, 0), STATUS_SUCCESS); /* nothing at all is no error */
    char *after = machine_dump();
    if (strcmp(before, after) != 0)
        child_fails("a refused destroy changes\n%sinto\n%s", before, after);
    free(before);
    free(after);
    child_expects(destroy(0, loose, 2), STATUS_SUCCESS);
    child_expects(destroy(0, loose, 1), STATUS_INVALID_PARAMETER); /* gone */
    child_expects(destroy(0, owned, 2), STATUS_SUCCESS);
    child_expects(machine.allocations, 0);
    child_expects(machine.resources, 1); /* survives its last allocation */
    /* With a resource the list is not looked at. */
    child_expects(destroy(resource, loose, 2), STATUS_SUCCESS);
    child_expects(machine.resources, 0);
}

static uint64_t bent_flags;
static struct dxgk_allocation_info bent;

static void bend_flags(struct dxgk_allocation_info *answer)
{
    answer->flags = bent_flags;
}

static void bend_all(struct dxgk_allocation_info *answer)
{
    *answer = bent;
}

/* What the miniport may answer: §2.2, §2.3, §1.6. On WDDM 1.2. */
static void answers_are_validated(void *owner)
{
    (void)owner;
    begin();
    static const struct {
        uint64_t flags;
        bool good;
    } cases[] = {
        {DXGK_CPU_VISIBLE, true},
        {DXGK_PERMANENT_SYSMEM, false}, /* requires CpuVisible */
        {DXGK_PERMANENT_SYSMEM | DXGK_CPU_VISIBLE, true},
        {DXGK_CACHED, false},
        {DXGK_CACHED | DXGK_CPU_VISIBLE, true},
        {DXGK_PROTECTED, true},
        {DXGK_PROTECTED | DXGK_EXISTING_SYSMEM, false},
        {DXGK_PROTECTED | DXGK_EXISTING_KERNEL_SYSMEM, false},
        {DXGK_PROTECTED | DXGK_PERMANENT_SYSMEM | DXGK_CPU_VISIBLE, false},
        {DXGK_EXISTING_SYSMEM | DXGK_EXISTING_KERNEL_SYSMEM, false},
        {DXGK_EXISTING_SYSMEM | DXGK_PERMANENT_SYSMEM | DXGK_CPU_VISIBLE, false},
        {DXGK_HISTORY_BUFFER, false},
        {DXGK_HISTORY_BUFFER | DXGK_CPU_VISIBLE | DXGK_CACHED, true},
        {DXGK_HISTORY_BUFFER | DXGK_CPU_VISIBLE | DXGK_PROTECTED, false},
        {DXGK_EXPLICIT_RESIDENCY_NOTIFICATION, false},
        {DXGK_EXPLICIT_RESIDENCY_NOTIFICATION | DXGK_ACCESSED_PHYSICALLY, true},
        {DXGK_USE_ALTERNATE_VA, false}, /* only on a primary */
        {DXGK_SYNCHRONOUS_PAGING | DXGK_LINK_MIRRORED, true},
        {DXGK_DISABLE_LARGE_PAGE_MAPPING, false}, /* of WDDM 2 */
        {0x80000, false},
    };
    machine.bend = bend_flags;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bent_flags = cases[i].flags;
        struct d3dkmt_create_allocation args = plain(0, 1);
        if (!cases[i].good)
            refuses("flags", args, STATUS_INVALID_PARAMETER);
        else
            child_expects(create(&args), STATUS_SUCCESS);
    }
    /* A primary: none of the flags that keep it in system memory, alternate addresses only here. */
    static const uint64_t never[] = {DXGK_PERMANENT_SYSMEM | DXGK_CPU_VISIBLE,
                                     DXGK_CACHED | DXGK_CPU_VISIBLE, DXGK_PROTECTED,
                                     DXGK_EXISTING_SYSMEM, DXGK_EXISTING_KERNEL_SYSMEM};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        struct d3dkmt_create_allocation args = plain(0, 1);
        elements[0].flags = D3DDDI_PRIMARY;
        bent_flags = never[i];
        refuses("primary", args, STATUS_INVALID_PARAMETER);
    }
    struct d3dkmt_create_allocation primary = plain(0, 1);
    elements[0].flags = D3DDDI_PRIMARY | D3DDDI_STEREO;
    bent_flags = DXGK_USE_ALTERNATE_VA;
    child_expects(create(&primary), STATUS_SUCCESS);

    machine.bend = bend_all;
    const struct dxgk_allocation_info good = {.size = PAGE,
                                              .supported_write_segment_set = LOCAL,
                                              .preferred_segment = {1},
                                              .allocation_priority = DXGK_PRIORITY_NORMAL};
    const struct {
        const char *what;
        struct dxgk_allocation_info answer;
        uint32_t flags; /* of the allocation */
    } answers[] = {
        {"priority 0", {.size = PAGE, .supported_write_segment_set = LOCAL}, 0},
        {"no size", {.supported_write_segment_set = LOCAL, .allocation_priority = 1}, 0},
        {"no segment", {.size = PAGE, .allocation_priority = 1}, 0},
        {"eviction to memory",
         {.size = PAGE,
          .supported_write_segment_set = LOCAL,
          .eviction_segment_set = LOCAL,
          .allocation_priority = 1},
         0},
        {"pitch below size",
         {.size = 2 * PAGE,
          .pitch_aligned_size = PAGE,
          .supported_write_segment_set = LOCAL,
          .allocation_priority = 1},
         0},
        {"bank",
         {.size = PAGE,
          .hinted_bank = 128,
          .supported_write_segment_set = LOCAL,
          .allocation_priority = 1},
         0},
        {"preferred, not supported",
         {.size = PAGE,
          .supported_write_segment_set = LOCAL,
          .preferred_segment = {2},
          .allocation_priority = 1},
         0},
        {"a read segment that there is not",
         {.size = PAGE,
          .supported_write_segment_set = LOCAL,
          .supported_read_segment_set = UINT32_C(1) << 30,
          .allocation_priority = 1},
         0},
        {"a second physical adapter",
         {.size = PAGE,
          .supported_write_segment_set = LOCAL,
          .physical_adapter_index = 1,
          .allocation_priority = 1},
         0},
        {"a flag of WDDM 3",
         {.size = PAGE,
          .supported_write_segment_set = LOCAL,
          .flags2 = 1,
          .allocation_priority = 1},
         0},
        {"a usage hint of a later version",
         {.size = PAGE,
          .supported_write_segment_set = LOCAL,
          .usage_hint = &(struct dxgk_allocation_usage_hint){.version = 2},
          .allocation_priority = 1},
         0},
        {"an unknown flag in the usage hint",
         {.size = PAGE,
          .supported_write_segment_set = LOCAL,
          .usage_hint = &(struct dxgk_allocation_usage_hint){.version = 1, .flags = 0x80},
          .allocation_priority = 1},
         0},
        {"rows that do not fit",
         {.private_data = {.surface = D3DKMDT_GDISURFACE_STAGING_CPUVISIBLE, .height = 2},
          .size = PAGE,
          .pitch = PAGE,
          .supported_write_segment_set = LOCAL,
          .allocation_priority = 1},
         0},
        {"CPU-visible where the CPU cannot reach",
         {.size = PAGE,
          .supported_write_segment_set = LOCAL,
          .flags = DXGK_CPU_VISIBLE,
          .allocation_priority = 1},
         0},
        {"primary without preference where the CPU cannot reach",
         {.size = PAGE, .supported_write_segment_set = LOCAL, .allocation_priority = 1},
         D3DDDI_PRIMARY},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct d3dkmt_create_allocation args = plain(0, 1);
        elements[0].flags = answers[i].flags;
        bent = answers[i].answer;
        refuses(answers[i].what, args, STATUS_INVALID_PARAMETER);
    }
    struct d3dkmt_create_allocation args = plain(0, 1);
    bent = good;
    child_expects(create(&args), STATUS_SUCCESS);
    bent.usage_hint = &(struct dxgk_allocation_usage_hint){.version = 1, .flags = 0x7f};
    bent.maximum_renaming_list_length = 3;
    child_expects(create(&args), STATUS_SUCCESS);
    bent.eviction_segment_set = APERTURE; /* an aperture to fall back to */
    bent.flags = DXGK_CPU_VISIBLE;
    child_expects(create(&args), STATUS_SUCCESS);
    /* Cross-adapter: apertures only, CpuVisible, write-combined. */
    const struct {
        uint32_t segments;
        uint64_t flags;
        bool good;
    } cross[] = {
        {APERTURE, DXGK_CPU_VISIBLE, true},
        {APERTURE, 0, false},
        {APERTURE, DXGK_CPU_VISIBLE | DXGK_CACHED, false},
        {LOCAL | APERTURE, DXGK_CPU_VISIBLE, false},
    };
    for (size_t i = 0; i < sizeof cross / sizeof *cross; i++) {
        args = plain(D3DKMT_CREATE_RESOURCE | D3DKMT_CREATE_SHARED | D3DKMT_CROSS_ADAPTER, 1);
        bent = (struct dxgk_allocation_info){.size = PAGE,
                                             .supported_write_segment_set = cross[i].segments,
                                             .flags = cross[i].flags,
                                             .allocation_priority = 1};
        if (!cross[i].good)
            refuses("cross-adapter", args, STATUS_INVALID_PARAMETER);
        else
            child_expects(create(&args), STATUS_SUCCESS);
    }
    /* All or nothing: the third is too large for its segment. */
    machine.bend = NULL;
    args = plain(D3DKMT_CREATE_RESOURCE, 3);
    elements[2].private_data.size = UINT64_C(2) << 30;
    refuses("no room for the third", args, STATUS_GRAPHICS_NO_VIDEO_MEMORY);
}

/* Bits that are WDDM 1's only, or that no profile's adapter can do. */
static void answers_on_wddm2(void *owner)
{
    (void)owner;
    begin();
    machine.bend = bend_flags;
    struct d3dkmt_create_allocation args = plain(0, 1);
    static const uint64_t bad[] = {DXGK_SWIZZLED,         DXGK_SYNCHRONOUS_PAGING,
                                   DXGK_LINK_MIRRORED,    DXGK_LINK_INSTANCED,
                                   DXGK_USE_ALTERNATE_VA, DXGK_MAP_APERTURE_CPU_VISIBLE};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bent_flags = bad[i];
        refuses("flags", args, STATUS_INVALID_PARAMETER);
    }
    bent_flags = DXGK_DISABLE_LARGE_PAGE_MAPPING | DXGK_CREATE_IN_VPR;
    child_expects(create(&args), STATUS_SUCCESS);
    child_expects(machine.assumptions, 2); /* carried, and counted */
}

/* §3.4. */
static void removal_stops_creating(void *owner)
{
    (void)owner;
    begin();
    struct d3dkmt_create_allocation args = plain(D3DKMT_CREATE_RESOURCE, 1);
    child_expects(create(&args), STATUS_SUCCESS);
    d3dkmt_handle resource = args.resource;
    child_expects(d3dkmt_mark_device_as_error(process, some_call(), device), STATUS_SUCCESS);
    args = plain(0, 1);
    refuses("device in error", args, STATUS_DEVICE_REMOVED);
    args.device = other_device;
    child_expects(create(&args), STATUS_SUCCESS);
    child_expects(dxgk_remove_adapter(process, some_call(), 0), STATUS_SUCCESS);
    refuses("adapter gone", args, STATUS_DEVICE_REMOVED);
    args.resource = 0x1000; /* rule 6 comes before rule 7 */
    refuses("adapter gone", args, STATUS_DEVICE_REMOVED);
    d3dkmt_handle more;
    child_expects(d3dkmt_create_device(process, some_call(), 0, false, &more),
                  STATUS_DEVICE_REMOVED);
    struct d3dkmt_create_context context = {.device = device};
    child_expects(d3dkmt_create_context(process, some_call(), &context), STATUS_DEVICE_REMOVED);
    child_expects(destroy(resource, NULL, 0), STATUS_SUCCESS);
    child_expects(d3dkmt_exit_process(process, some_call()), STATUS_SUCCESS);
    child_expects(machine.allocations, 0);
    child_expects(machine.devices, 0);
}

/* Handles freed by a device's end come back in the documented order (§3.4), once the 1023 - 7
 * others have been given out: allocation, then resource's allocation, resource, context, device. */
static void teardown_order(void *owner)
{
    (void)owner;
    begin();
    struct d3dkmt_create_allocation args = plain(D3DKMT_CREATE_RESOURCE, 1);
    child_expects(create(&args), STATUS_SUCCESS); /* 0xc0, 0x100 */
    args = plain(0, 1);
    child_expects(create(&args), STATUS_SUCCESS); /* 0x140 */
    struct d3dkmt_create_context context = {.device = device};
    child_expects(d3dkmt_create_context(process, some_call(), &context), STATUS_SUCCESS);
    child_expects(context.context, 0x40000180);
    child_expects(d3dkmt_destroy_device(process, some_call(), device), STATUS_SUCCESS);
    child_expects(machine.contexts, 0);
    child_expects(machine.devices, 1);
    child_expects(machine.allocations, 0);
    /* Slots 7 to 1023 are free, and behind them the five: while more than 128 are, none is used
     * again. Then the table grows by 1024, behind the five. */
    device = other_device;
    for (int i = 7; i < 1024; i++) {
        args = plain(0, 1);
        child_expects(create(&args), STATUS_SUCCESS);
        child_expects(elements[0].allocation, 0x40000000 + 0x40 * (uint32_t)i);
    }
    static const uint32_t expected[] = {0x80000140, 0x80000100, 0x800000c0, 0x80000180, 0x80000040};
    for (size_t i = 0; i < 5; i++) {
        args = plain(0, 1);
        child_expects(create(&args), STATUS_SUCCESS);
        child_expects(elements[0].allocation, expected[i]);
    }
    args = plain(0, 1);
    child_expects(create(&args), STATUS_SUCCESS);
    child_expects(elements[0].allocation, 0x40000000 + 0x40 * 1024);
}

static uint32_t create_for_context(d3dkmt_handle context, d3dkmt_handle owner,
                                   struct dxgkargcb_create_context_allocation arg,
                                   d3dkmt_handle *handle)
{
    return dxgkcb_create_context_allocation(process, some_call(), context, owner, &arg,
                                            (struct probe_label){.text = "test"}, handle);
}

/* §4.1 to §4.4 on WDDM 1.2. */
static void context_allocations_are_validated(void *owner)
{
    (void)owner;
    begin();
    struct d3dkmt_create_context context = {.device = device},
                                 system = {.device = device, .system = true};
    child_expects(d3dkmt_create_context(process, some_call(), &context), STATUS_SUCCESS);
    child_expects(d3dkmt_create_context(process, some_call(), &system), STATUS_SUCCESS);
    d3dkmt_handle system_device, handle;
    child_expects(d3dkmt_create_device(process, some_call(), 0, true, &system_device),
                  STATUS_SUCCESS);
    const struct dxgkargcb_create_context_allocation plain_arg = {.size = PAGE,
                                                                  .supported_segment_set = LOCAL},
                                                     shared = {.size = PAGE,
                                                               .supported_segment_set = LOCAL,
                                                               .context_allocation_flags =
                                                                   DXGK_SHARED_ACROSS_CONTEXTS};
    struct {
        d3dkmt_handle context, device;
        struct dxgkargcb_create_context_allocation arg;
        uint32_t status;
    } cases[] = {
        {context.context, device, plain_arg, STATUS_SUCCESS},
        {context.context, 0, plain_arg, STATUS_SUCCESS},
        {context.context, other_device, plain_arg, STATUS_INVALID_PARAMETER},
        {0, device, plain_arg, STATUS_INVALID_PARAMETER},
        {0x123, device, plain_arg, STATUS_INVALID_PARAMETER},
        {0, 0, plain_arg, STATUS_INVALID_PARAMETER},
        {system.context, device, plain_arg, STATUS_INVALID_PARAMETER},
        {0, device, shared, STATUS_SUCCESS},
        {context.context, device, shared, STATUS_INVALID_PARAMETER},
        {0, system_device, shared, STATUS_INVALID_PARAMETER},
        {0, 0, shared, STATUS_INVALID_PARAMETER},
        {context.context, 0, {.size = PAGE}, STATUS_INVALID_PARAMETER},
        {context.context, 0, {.supported_segment_set = LOCAL}, STATUS_INVALID_PARAMETER},
        {context.context,
         0,
         {.size = PAGE, .supported_segment_set = LOCAL, .eviction_segment_set = LOCAL},
         STATUS_INVALID_PARAMETER},
        {context.context,
         0,
         {.size = PAGE, .supported_segment_set = LOCAL, .alignment = 3},
         STATUS_INVALID_PARAMETER},
        {context.context,
         0,
         {.size = PAGE, .supported_segment_set = LOCAL, .context_allocation_flags = 4},
         STATUS_INVALID_PARAMETER},
        {context.context,
         0,
         {.size = PAGE,
          .supported_segment_set = LOCAL,
          .context_allocation_flags = DXGK_MAP_GPU_VIRTUAL_ADDRESS},
         STATUS_INVALID_PARAMETER}, /* WDDM 2 */
        {context.context,
         0,
         {.size = PAGE, .supported_segment_set = LOCAL, .flags = DXGK_ACCESSED_PHYSICALLY},
         STATUS_INVALID_PARAMETER}, /* WDDM 2 */
        {context.context,
         0,
         {.size = UINT64_C(2) << 30, .supported_segment_set = LOCAL},
         STATUS_GRAPHICS_NO_VIDEO_MEMORY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *before = machine_dump();
        uint32_t status =
            create_for_context(cases[i].context, cases[i].device, cases[i].arg, &handle);
        if (status != cases[i].status)
            child_fails("case %zu: %#x, not %#x", i, status, cases[i].status);
        child_expects(handle != 0, status == STATUS_SUCCESS);
        if (status == STATUS_SUCCESS)
            child_expects(dxgkcb_destroy_context_allocation(process, some_call(), handle),
                          STATUS_SUCCESS);
        char *after = machine_dump();
        if (status != STATUS_SUCCESS && strcmp(before, after) != 0)
            child_fails("case %zu changes the state", i);
        free(before);
        free(after);
    }
    child_expects(dxgkcb_destroy_context_allocation(process, some_call(), handle),
                  STATUS_INVALID_PARAMETER);
}

/* §4.4 on WDDM 2: addresses by first fit, a given base or nothing; they go with the allocation. */
static void context_allocations_are_mapped(void *owner)
{
    (void)owner;
    begin();
    struct d3dkmt_create_context context = {.device = device};
    child_expects(d3dkmt_create_context(process, some_call(), &context), STATUS_SUCCESS);
    struct dxgkargcb_create_context_allocation arg = {.size = 2 * PAGE,
                                                      .supported_segment_set = LOCAL,
                                                      .flags = DXGK_ACCESSED_PHYSICALLY,
                                                      .context_allocation_flags =
                                                          DXGK_MAP_GPU_VIRTUAL_ADDRESS};
    d3dkmt_handle first, second;
    child_expects(dxgkcb_create_context_allocation(process, some_call(), context.context, 0, &arg,
                                                   (struct probe_label){0}, &first),
                  STATUS_SUCCESS);
    child_expects(arg.gpu_virtual_address, PAGE); /* the first page is never given out */
    child_expects(dxgkcb_create_context_allocation(process, some_call(), context.context, 0, &arg,
                                                   (struct probe_label){0}, &second),
                  STATUS_SUCCESS);
    child_expects(arg.gpu_virtual_address, 3 * PAGE);
    const struct dxgkrnl_interface callbacks = machine.callbacks;
    /* The callback wants the miniport's handle: one of its own making. */
    struct dxgkargcb_create_context_allocation own = {.device = NULL};
    child_expects(callbacks.create_context_allocation(callbacks.dxgkrnl, &own),
                  STATUS_INVALID_PARAMETER);
    child_expects(dxgkcb_destroy_context_allocation(process, some_call(), first), STATUS_SUCCESS);
    child_expects(dxgkcb_create_context_allocation(process, some_call(), context.context, 0, &arg,
                                                   (struct probe_label){0}, &first),
                  STATUS_SUCCESS);
    child_expects(arg.gpu_virtual_address, PAGE); /* free again */
}

static void *own_allocation;
static uint64_t mapped(uint64_t base, uint64_t minimum, uint64_t maximum, uint64_t offset,
                       uint64_t pages)
{
    const struct dxgkrnl_interface callbacks = machine.callbacks;
    return callbacks.map_context_allocation(
        callbacks.dxgkrnl, &(struct dxgkargcb_map_context_allocation){.base_address = base,
                                                                      .minimum_address = minimum,
                                                                      .maximum_address = maximum,
                                                                      .allocation = own_allocation,
                                                                      .offset_in_pages = offset,
                                                                      .size_in_pages = pages});
}

static uint32_t driver_creates_context(void *self, struct dxgkarg_create_context *arg)
{
    (void)self;
    const struct dxgkrnl_interface callbacks = machine.callbacks;
    struct dxgkargcb_create_context_allocation allocation = {
        .context = arg->context, .size = 4 * PAGE, .supported_segment_set = LOCAL};
    uint32_t status = callbacks.create_context_allocation(callbacks.dxgkrnl, &allocation);
    own_allocation = allocation.allocation;
    return status;
}

static void map_callback(void *owner)
{
    (void)owner;
    begin();
    machine.inner.create_context = driver_creates_context;
    machine.inner.destroy_context = NULL;
    struct d3dkmt_create_context context = {.device = device};
    child_expects(d3dkmt_create_context(process, some_call(), &context), STATUS_SUCCESS);
    child_expects(mapped(0, 0, 0, 0, 4), PAGE);
    child_expects(mapped(0, 0, 0, 1, 4), 0); /* reaches beyond the allocation */
    child_expects(mapped(0, 0, 0, 0, 0), 0);
    child_expects(mapped(3 * PAGE, 0, 0, 0, 1), 0);             /* taken */
    child_expects(mapped(16 * PAGE, 0, PAGE, 3, 1), 16 * PAGE); /* limits do not count */
    child_expects(mapped(0, 15 * PAGE, 0, 0, 2), 17 * PAGE);    /* 16 is taken */
    child_expects(mapped(0, 15 * PAGE, 18 * PAGE, 0, 2), 0);
    child_expects(mapped(0, 0, 7 * PAGE, 0, 2), 5 * PAGE); /* VA + size <= maximum */
    child_expects(mapped(1, 0, 0, 0, 1), 0);               /* not on a page */
    _exit(0); /* the bent miniport cannot take itself apart */
}

static struct d3dkmt_call submitted, destroyed_call, sync_call, now_call;
static struct sim_timer check_timer;
static d3dkmt_handle of_context;

static void submit(d3dkmt_handle context, uint64_t execute_ns, struct d3dkmt_call *call)
{
    *call = (struct d3dkmt_call){.on_return = nothing, .on_finish = nothing};
    child_expects(
        d3dkmt_submit_command(
            process, call, &(struct d3dkmt_submit){.context = context, .execute_ns = execute_ns}),
        STATUS_SUCCESS);
}

static void at(uint64_t date_ns, void (*what)(void *owner))
{
    sim_timer_init(&check_timer, what, NULL);
    sim_at(machine.sim, &check_timer, date_ns);
}

static void all_is_over(void *owner)
{
    (void)owner;
    child_expects(destroyed_call.done_ns, 1000); /* when the packet has completed */
    child_expects(sync_call.return_ns, 1000);
    child_expects(machine.allocations, 0);
}

static void packet_still_runs(void *owner)
{
    (void)owner;
    child_expects(destroyed_call.returned, true);
    child_expects(destroyed_call.return_ns, 0);
    child_expects(sync_call.returned, false); /* SynchronousDestroy waits */
    child_expects(now_call.returned, true);
    child_expects(machine.allocations, 2); /* terminated, not destroyed */
    child_expects(vidmm_allocations(machine.vidmm), 2);
    at(2000, all_is_over);
}

/* §3.2: what a list names is terminated at once and destroyed when the device's packet of 1000 ns
 * is over; with AssumeNotInUse at once; with SynchronousDestroy the call returns only then. */
static void destruction_is_deferred(void *owner)
{
    (void)owner;
    begin();
    struct d3dkmt_create_context context = {.device = device};
    child_expects(d3dkmt_create_context(process, some_call(), &context), STATUS_SUCCESS);
    struct d3dkmt_create_allocation args = plain(0, 3);
    child_expects(create(&args), STATUS_SUCCESS);
    submit(context.context, 1000, &submitted);
    struct d3dkmt_call *calls[] = {&destroyed_call, &now_call, &sync_call};
    static const uint32_t flags[] = {0, D3DKMT_ASSUME_NOT_IN_USE, D3DKMT_SYNCHRONOUS_DESTROY};
    for (int i = 0; i < 3; i++) {
        *calls[i] = (struct d3dkmt_call){.on_return = nothing, .on_finish = nothing};
        child_expects(d3dkmt_destroy_allocation2(process, calls[i], device, 0,
                                                 &elements[i].allocation, 1, flags[i]),
                      STATUS_SUCCESS);
        child_expects(destroy(0, &elements[i].allocation, 1), STATUS_INVALID_PARAMETER);
    }
    at(500, packet_still_runs);
}

static void second_packet_done(void *owner)
{
    (void)owner;
    child_expects(machine.initialised, 1); /* once, not at every page-in or packet */
    child_expects(machine.virtual_address_valid, true);
    child_expects(dxgkcb_destroy_context_allocation(process, some_call(), of_context),
                  STATUS_SUCCESS);
}

static void first_packet_done(void *owner)
{
    (void)owner;
    child_expects(machine.initialised, 1);
    at(2000, second_packet_done);
}

/* §4.2: InitContextResource at the first page-in, that is with the context's first packet. §4.3:
 * the CPU address is valid for CpuVisible and Protected in apertures only. */
static void context_resources_are_initialised_once(void *owner)
{
    (void)owner;
    begin();
    struct d3dkmt_create_context context = {.device = device};
    child_expects(d3dkmt_create_context(process, some_call(), &context), STATUS_SUCCESS);
    struct dxgkargcb_create_context_allocation arg = {.size = PAGE,
                                                      .supported_segment_set = APERTURE,
                                                      .flags = DXGK_CPU_VISIBLE | DXGK_PROTECTED};
    child_expects(create_for_context(context.context, 0, arg, &of_context), STATUS_SUCCESS);
    child_expects(machine.initialised, 0);
    static struct d3dkmt_call second;
    submit(context.context, 100, &submitted);
    submit(context.context, 100, &second);
    at(1000, first_packet_done);
}

static void in_memory_too_done(void *owner)
{
    (void)owner;
    child_expects(machine.initialised, 1);
    child_expects(machine.virtual_address_valid, false);
}

static void no_address_in_memory_segments(void *owner)
{
    (void)owner;
    begin();
    struct d3dkmt_create_context context = {.device = device};
    child_expects(d3dkmt_create_context(process, some_call(), &context), STATUS_SUCCESS);
    struct dxgkargcb_create_context_allocation arg = {.size = PAGE,
                                                      .supported_segment_set = LOCAL | APERTURE,
                                                      .flags = DXGK_CPU_VISIBLE | DXGK_PROTECTED};
    child_expects(create_for_context(context.context, 0, arg, &of_context), STATUS_SUCCESS);
    submit(context.context, 100, &submitted);
    at(1000, in_memory_too_done);
}

static const char *const wddm2[][2] = {{"wddm", "2.0"}, {NULL, NULL}};

#define IN_A_CHILD(body, settings)                                                                 \
    static void body##_child(void *argument)                                                       \
    {                                                                                              \
        (void)argument;                                                                            \
        machine_run(settings, body);                                                               \
    }                                                                                              \
    static void test_##body(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        assert_true(child_runs(body##_child, NULL));                                               \
    }

IN_A_CHILD(creates_are_validated, NULL)
IN_A_CHILD(handles_and_sealing, NULL)
IN_A_CHILD(views_are_counted, NULL)
IN_A_CHILD(destroys_are_validated, NULL)
IN_A_CHILD(answers_are_validated, NULL)
IN_A_CHILD(answers_on_wddm2, wddm2)
IN_A_CHILD(removal_stops_creating, NULL)
IN_A_CHILD(teardown_order, NULL)
IN_A_CHILD(context_allocations_are_validated, NULL)
IN_A_CHILD(context_allocations_are_mapped, wddm2)
IN_A_CHILD(map_callback, wddm2)
IN_A_CHILD(destruction_is_deferred, NULL)
IN_A_CHILD(context_resources_are_initialised_once, NULL)
IN_A_CHILD(no_address_in_memory_segments, NULL)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_creates_are_validated),
        cmocka_unit_test(test_handles_and_sealing),
        cmocka_unit_test(test_views_are_counted),
        cmocka_unit_test(test_destroys_are_validated),
        cmocka_unit_test(test_answers_are_validated),
        cmocka_unit_test(test_answers_on_wddm2),
        cmocka_unit_test(test_removal_stops_creating),
        cmocka_unit_test(test_teardown_order),
        cmocka_unit_test(test_context_allocations_are_validated),
        cmocka_unit_test(test_context_allocations_are_mapped),
        cmocka_unit_test(test_map_callback),
        cmocka_unit_test(test_destruction_is_deferred),
        cmocka_unit_test(test_context_resources_are_initialised_once),
        cmocka_unit_test(test_no_address_in_memory_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
