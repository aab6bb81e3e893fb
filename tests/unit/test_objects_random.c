/* Random calls against the object layer and against a reference that only keeps books: which handle
 * is what, whose it is, and how often something is referred to. They must never differ.
 *
 *   test_objects_random [CALLS [SEED]]      (1,000,000 calls if not told; the seed is printed) */
#include "tests/unit/machine.h"

enum {
    PROCESSES = 2,
    DEVICES = 6,    /* at once, of both processes */
    VIEWS = 160,    /* of allocations */
    RESOURCES = 60, /* views */
    SHARED = 128,   /* adapters' sides, with those that only an NT handle keeps */
    PER_CALL = 4,
    SLOTS = 1 << 14,
    PAGE = 4096
};

/* A handle table as §0.1 has it: a queue of free slots, to which 1,024 are added when no more than
 * 128 are left. */
struct book_table {
    uint32_t queue[1 << 16], head, tail, slots;
    uint32_t unique[SLOTS];
    uint32_t low_bits;
};

static uint32_t book_take(struct book_table *table)
{
    if (table->tail - table->head <= 128) {
        for (uint32_t slot = table->slots; slot < table->slots + 1024; slot++)
            if (slot > 0)
                table->queue[table->tail++ % (1 << 16)] = slot;
        table->slots += 1024;
    }
    uint32_t slot = table->queue[table->head++ % (1 << 16)];
    table->unique[slot] = table->unique[slot] % 3 + 1;
    return table->unique[slot] << 30 | slot << 6 | table->low_bits;
}

static void book_give(struct book_table *table, uint32_t handle)
{
    table->queue[table->tail++ % (1 << 16)] = handle >> 6 & 0xffffff;
}

/* The adapter's side of an allocation: who refers to it. */
struct book_global {
    uint32_t references;
};

struct book_shared {
    bool used, shared, nt, sealed;
    uint32_t global, views, nt_handles, count;
    int globals[64];
    struct dxgk_shared_resource *object; /* of an NT handle that is open */
};

struct book_device {
    bool used;
    int process;
    uint32_t handle;
};

struct book_resource {
    bool used;
    int device, shared;
    uint32_t handle;
    uint64_t order;
};

struct book_view {
    bool used;
    int device, resource, global; /* resource -1: none */
    uint32_t handle;
    uint64_t order; /* of its coming into the device's list */
};

static struct {
    struct dxgk_process *process[PROCESSES];
    struct book_table table[PROCESSES], globals;
    struct book_device device[DEVICES];
    struct book_resource resource[RESOURCES];
    struct book_view view[VIEWS];
    struct book_shared shared[SHARED];
    struct book_global global[SLOTS];
    int free_globals[SLOTS], free_global_count;
    int64_t allocations; /* globals that are alive */
    uint64_t order, random, calls, call;
    uint64_t created, destroyed, opened, refused; /* calls that did, and that did not succeed */
} book;

static uint64_t below(uint64_t limit)
{
    return child_below(&book.random, limit);
}

static bool sometimes(uint64_t one_in)
{
    return below(one_in) == 0;
}

static void tell(uint64_t *counter, bool success)
{
    (*(success ? counter : &book.refused))++;
}

static void agree(const char *what, uint64_t got, uint64_t wanted)
{
    if (got != wanted)
        child_fails("call %" PRIu64 ": %s is %#" PRIx64 ", the reference says %#" PRIx64, book.call,
                    what, got, wanted);
}

/* A call has been made, and this is its answer. */
static void answers(uint32_t status, uint32_t wanted)
{
    agree("status", status, wanted);
    book.call++;
}

/* Lookups: linear, for there is nothing to get wrong. */
#define FIND(kind, wanted)                                                                         \
    for (int i = 0; i < (int)(sizeof book.kind / sizeof *book.kind); i++)                          \
        if (book.kind[i].used && book.kind[i].handle == handle && (wanted))                        \
            return i;                                                                              \
    return -1

static int find_device(int process, uint32_t handle)
{
    FIND(device, book.device[i].process == process);
}

static int find_resource(int process, uint32_t handle)
{
    FIND(resource, book.device[book.resource[i].device].process == process);
}

static int find_view(int process, uint32_t handle)
{
    FIND(view, book.device[book.view[i].device].process == process);
}

#define ROOM(kind, number)                                                                         \
    uint32_t room = 0;                                                                             \
    for (size_t i = 0; i < sizeof book.kind / sizeof *book.kind; i++)                              \
        room += !book.kind[i].used;                                                                \
    return room >= (number)

static bool room_for_views(uint32_t number)
{
    ROOM(view, number);
}

static bool room_for_resource(void)
{
    ROOM(resource, 1);
}

static bool room_for_shared(void)
{
    ROOM(shared, 1);
}

#define NEW(kind)                                                                                  \
    for (int i = 0;; i++)                                                                          \
        if (!book.kind[i].used) {                                                                  \
            memset(&book.kind[i], 0, sizeof book.kind[i]);                                         \
            book.kind[i].used = true;                                                              \
            return i;                                                                              \
        }

static int new_view(void)
{
    NEW(view)
}

static int new_resource(void)
{
    NEW(resource)
}

static int new_shared(void)
{
    NEW(shared)
}

static int new_global(void)
{
    int global = book.free_globals[--book.free_global_count];
    book.global[global].references = 0;
    book.allocations++;
    return global;
}

static void drop_global(int global)
{
    if (--book.global[global].references > 0)
        return;
    book.allocations--;
    book.free_globals[book.free_global_count++] = global;
}

/* Any handle: mostly one that could be meant, now and then another kind's, another process's, a
 * stale one or nonsense. */
static uint32_t any_handle(int process)
{
    switch (below(5)) {
    case 0:
        return book.device[below(DEVICES)].handle;
    case 1:
        return book.resource[below(RESOURCES)].handle;
    case 2:
        return book.view[below(VIEWS)].handle;
    case 3:
        return (uint32_t)child_random(&book.random);
    default:
        return (1 + (uint32_t)below(3)) << 30 | (uint32_t)below(book.table[process].slots + 1) << 6;
    }
}

static uint32_t device_handle(int process)
{
    if (sometimes(30))
        return any_handle(process);
    for (int tries = 0; tries < 20; tries++) {
        const struct book_device *device = &book.device[below(DEVICES)];
        if (device->used && device->process == process)
            return device->handle;
    }
    return 0;
}

static uint32_t resource_handle(int process)
{
    if (sometimes(20))
        return any_handle(process);
    for (int tries = 0; tries < 50; tries++) {
        const struct book_resource *resource = &book.resource[below(RESOURCES)];
        if (resource->used && book.device[resource->device].process == process)
            return resource->handle;
    }
    return 0;
}

static void create_device(int process)
{
    int free_device = -1;
    for (int i = 0; i < DEVICES; i++)
        if (!book.device[i].used)
            free_device = i;
    if (free_device < 0)
        return;
    uint32_t handle;
    answers(d3dkmt_create_device(book.process[process], some_call(), 0, false, &handle),
            STATUS_SUCCESS);
    book.device[free_device] = (struct book_device){
        .used = true, .process = process, .handle = book_take(&book.table[process])};
    agree("device", handle, book.device[free_device].handle);
}

/* §1.4, as far as these calls go. */
static uint32_t expected_create(int process, const struct d3dkmt_create_allocation *args,
                                int *device, int *resource)
{
    bool makes = args->flags & D3DKMT_CREATE_RESOURCE, shared = args->flags & D3DKMT_CREATE_SHARED,
         nt = args->flags & D3DKMT_NT_SECURITY_SHARING;
    if ((args->count == 0 && !makes) || (args->flags & D3DKMT_CREATE_PROTECTED) ||
        (shared && !makes) || (nt && !shared))
        return STATUS_INVALID_PARAMETER;
    *device = find_device(process, args->device);
    if (*device < 0)
        return STATUS_INVALID_PARAMETER;
    *resource = args->resource ? find_resource(process, args->resource) : -1;
    if (args->resource && *resource < 0)
        return STATUS_INVALID_HANDLE;
    if (makes)
        *resource = -1;
    if (*resource >= 0 && (book.resource[*resource].device != *device ||
                           book.shared[book.resource[*resource].shared].sealed))
        return STATUS_INVALID_PARAMETER;
    return args->count > 0 && args->allocations[args->count - 1].private_data.size == 0
               ? STATUS_INVALID_PARAMETER
               : STATUS_SUCCESS;
}

static void create_allocation(int process)
{
    static const uint32_t usual[] = {
        0,
        0,
        D3DKMT_CREATE_RESOURCE,
        D3DKMT_CREATE_RESOURCE | D3DKMT_CREATE_SHARED,
        D3DKMT_CREATE_RESOURCE | D3DKMT_CREATE_SHARED | D3DKMT_NT_SECURITY_SHARING,
    };
    struct d3dkmt_allocation_info elements[PER_CALL] = {0};
    struct d3dkmt_create_allocation args = {
        .device = device_handle(process),
        .flags = sometimes(20) ? (uint32_t)below(128) & ~UINT32_C(0x20) : usual[below(5)],
        .count = (uint32_t)below(PER_CALL + 1),
        .allocations = elements};
    if (sometimes(4))
        args.resource = resource_handle(process);
    for (uint32_t i = 0; i < args.count; i++)
        elements[i].private_data.size = PAGE;
    if (args.count && sometimes(20)) /* VidMm refuses the last: all goes back */
        elements[args.count - 1].private_data.size = 0;
    if (!room_for_views(args.count) || !room_for_resource() || !room_for_shared())
        return;
    int device = -1, resource = -1;
    uint32_t expected = expected_create(process, &args, &device, &resource);
    if (resource >= 0 && book.shared[book.resource[resource].shared].count + args.count > 64)
        return;
    answers(d3dkmt_create_allocation(book.process[process], some_call(), &args), expected);
    tell(&book.created, expected == STATUS_SUCCESS);
    if (expected != STATUS_SUCCESS)
        return;
    struct book_table *table = &book.table[process];
    if (args.flags & D3DKMT_CREATE_RESOURCE) {
        resource = new_resource();
        int shared = new_shared();
        book.shared[shared].shared = args.flags & D3DKMT_CREATE_SHARED;
        book.shared[shared].nt = args.flags & D3DKMT_NT_SECURITY_SHARING;
        book.shared[shared].views = 1;
        book.resource[resource].device = device;
        book.resource[resource].order = book.order++;
        book.resource[resource].shared = shared;
        book.resource[resource].handle = book_take(table);
        if (book.shared[shared].shared && !book.shared[shared].nt)
            book.shared[shared].global = book_take(&book.globals);
        agree("global handle", args.global_share, book.shared[shared].global);
    }
    agree("resource", args.resource, resource < 0 ? 0 : book.resource[resource].handle);
    for (uint32_t i = 0; i < args.count; i++) {
        struct book_view *view = &book.view[new_view()];
        view->device = device;
        view->resource = resource;
        view->global = new_global();
        view->order = book.order++;
        book.global[view->global].references = 1;
        view->handle = book_take(table);
        agree("allocation", elements[i].allocation, view->handle);
        if (resource >= 0) {
            struct book_shared *shared = &book.shared[book.resource[resource].shared];
            shared->globals[shared->count++] = view->global;
        }
    }
}

static void forget_shared(struct book_shared *shared)
{
    if (shared->views == 0 && shared->nt_handles == 0) {
        if (shared->global)
            book_give(&book.globals, shared->global);
        shared->used = false;
    }
}

static void close_view(struct book_view *view)
{
    book_give(&book.table[book.device[view->device].process], view->handle);
    drop_global(view->global);
    view->used = false;
}

/* The views of a resource (or, -1, of a device's own allocations) in the order they came. */
static void close_views(int device, int resource)
{
    for (;;) {
        struct book_view *first = NULL;
        for (int i = 0; i < VIEWS; i++)
            if (book.view[i].used && book.view[i].device == device &&
                book.view[i].resource == resource && (!first || book.view[i].order < first->order))
                first = &book.view[i];
        if (!first)
            return;
        close_view(first);
    }
}

static void close_resource(int resource)
{
    struct book_resource *closed = &book.resource[resource];
    close_views(closed->device, resource);
    book_give(&book.table[book.device[closed->device].process], closed->handle);
    book.shared[closed->shared].views--;
    forget_shared(&book.shared[closed->shared]);
    closed->used = false;
}

static void destroy_resource(int process)
{
    uint32_t device = device_handle(process), handle = resource_handle(process);
    int owner = find_device(process, device), resource = find_resource(process, handle);
    if (handle == 0)
        return;
    bool valid = owner >= 0 && resource >= 0 && book.resource[resource].device == owner;
    answers(d3dkmt_destroy_allocation2(book.process[process], some_call(), device, handle, NULL, 0,
                                       (uint32_t)below(4)),
            valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
    tell(&book.destroyed, valid);
    if (valid)
        close_resource(resource);
}

static uint32_t expected_destroy(int process, uint32_t device, const uint32_t *list, uint32_t count)
{
    int owner = find_device(process, device), first = find_view(process, list[0]);
    for (uint32_t i = 0; i < count; i++) {
        int view = find_view(process, list[i]);
        if (owner < 0 || view < 0 || book.view[view].device != owner ||
            book.view[view].resource != book.view[first].resource)
            return STATUS_INVALID_PARAMETER;
        for (uint32_t j = 0; j < i; j++)
            if (list[j] == list[i])
                return STATUS_INVALID_PARAMETER;
        if (book.view[view].resource >= 0 &&
            book.shared[book.resource[book.view[view].resource].shared].shared)
            return STATUS_INVALID_PARAMETER;
    }
    return owner < 0 ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

static void destroy_list(int process)
{
    uint32_t list[PER_CALL] = {0}, count = 0, wanted = 1 + (uint32_t)below(PER_CALL);
    const struct book_view *first = &book.view[below(VIEWS)];
    /* Mostly what belongs together. */
    for (int i = 0; i < VIEWS && count < wanted; i++)
        if (book.view[i].used && first->used && book.view[i].device == first->device &&
            book.view[i].resource == first->resource && !sometimes(3))
            list[count++] = book.view[i].handle;
    uint32_t device =
        first->used && !sometimes(10) ? book.device[first->device].handle : device_handle(process);
    if (first->used && !sometimes(20))
        process = book.device[first->device].process;
    if (count && sometimes(10))
        list[below(count)] = sometimes(2) ? list[0] : any_handle(process);
    uint32_t expected = expected_destroy(process, device, list, count);
    answers(d3dkmt_destroy_allocation2(book.process[process], some_call(), device, 0, list, count,
                                       (uint32_t)below(4)),
            expected);
    tell(&book.destroyed, expected == STATUS_SUCCESS);
    for (uint32_t i = 0; expected == STATUS_SUCCESS && i < count; i++) {
        struct book_view *view = &book.view[find_view(process, list[i])];
        if (view->resource >= 0) {
            struct book_shared *shared = &book.shared[book.resource[view->resource].shared];
            uint32_t kept = 0;
            for (uint32_t j = 0; j < shared->count; j++)
                if (shared->globals[j] != view->global)
                    shared->globals[kept++] = shared->globals[j];
            shared->count = kept;
        }
        close_view(view);
    }
}

/* The adapter's side that a global handle or an open NT handle leads to. */
static void open_resource(int process)
{
    struct book_shared *shared = &book.shared[below(SHARED)];
    for (int tries = 0; tries < 100 && !(shared->used && (shared->global || shared->object));
         tries++)
        shared = &book.shared[below(SHARED)];
    bool found = shared->used && (shared->global || shared->object);
    d3dkmt_handle opened[64];
    struct d3dkmt_open_resource args = {.device = device_handle(process), .allocations = opened};
    if (found && shared->object)
        args.nt = shared->object;
    else
        args.global_share = found && !sometimes(10) ? shared->global : any_handle(process);
    found = found && (args.nt || args.global_share == shared->global);
    if (!found)
        for (int i = 0; i < SHARED; i++)
            if (book.shared[i].used && book.shared[i].global == args.global_share &&
                args.global_share)
                return; /* nonsense that makes sense */
    args.count = found ? shared->count : 1;
    int device = find_device(process, args.device);
    bool right = !sometimes(10);
    if (!right)
        args.count++;
    if (!room_for_views(args.count) || !room_for_resource() || args.count > 64)
        return;
    bool valid = found && right && device >= 0;
    answers(d3dkmt_open_resource(book.process[process], some_call(), &args),
            valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
    tell(&book.opened, valid);
    if (!valid)
        return;
    shared->sealed = true;
    shared->views++;
    int resource = new_resource();
    book.resource[resource].device = device;
    book.resource[resource].order = book.order++;
    book.resource[resource].shared = (int)(shared - book.shared);
    book.resource[resource].handle = book_take(&book.table[process]);
    agree("resource", args.resource, book.resource[resource].handle);
    for (uint32_t i = 0; i < shared->count; i++) {
        struct book_view *view = &book.view[new_view()];
        view->device = device;
        view->resource = resource;
        view->global = shared->globals[i];
        view->order = book.order++;
        book.global[view->global].references++;
        view->handle = book_take(&book.table[process]);
        agree("allocation", opened[i], view->handle);
    }
}

static void share(int process)
{
    uint32_t handle = resource_handle(process);
    int resource = find_resource(process, handle);
    struct book_shared *shared =
        resource >= 0 ? &book.shared[book.resource[resource].shared] : NULL;
    if (shared && shared->object)
        return;
    bool valid = shared && shared->nt;
    struct dxgk_shared_resource *object;
    answers(d3dkmt_share_objects(book.process[process], &handle, 1, &object),
            valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
    if (!valid)
        return;
    shared->object = object;
    shared->sealed = true;
    shared->nt_handles++;
    for (uint32_t i = 0; i < shared->count; i++)
        book.global[shared->globals[i]].references++;
}

static void close_nt(void)
{
    struct book_shared *shared = &book.shared[below(SHARED)];
    if (!shared->used || !shared->object)
        return;
    dxgk_close_nt_handle(shared->object);
    shared->object = NULL;
    shared->nt_handles--;
    for (uint32_t i = 0; i < shared->count; i++)
        drop_global(shared->globals[i]);
    forget_shared(shared);
}

/* §3.4: own allocations, resources with theirs in the order they came, the device. */
static void close_device(int device)
{
    close_views(device, -1);
    for (;;) {
        int first = -1;
        for (int i = 0; i < RESOURCES; i++)
            if (book.resource[i].used && book.resource[i].device == device &&
                (first < 0 || book.resource[i].order < book.resource[first].order))
                first = i;
        if (first < 0)
            break;
        close_resource(first);
    }
    book_give(&book.table[book.device[device].process], book.device[device].handle);
    book.device[device].used = false;
}

static void destroy_device(int process)
{
    if (!sometimes(40))
        return;
    uint32_t handle = device_handle(process);
    int device = find_device(process, handle);
    answers(d3dkmt_destroy_device(book.process[process], some_call(), handle),
            device >= 0 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
    if (device >= 0)
        close_device(device);
}

static void one_call(void)
{
    int process = (int)below(PROCESSES);
    switch (below(12)) {
    case 0:
        create_device(process);
        break;
    case 1:
        destroy_device(process);
        break;
    case 2:
    case 3:
        destroy_resource(process);
        break;
    case 4:
    case 5:
    case 6:
        destroy_list(process);
        break;
    case 7:
        open_resource(process);
        break;
    case 8:
        sometimes(2) ? share(process) : close_nt();
        break;
    default:
        create_allocation(process);
        break;
    }
    agree("allocations", vidmm_allocations(machine.vidmm), (uint64_t)book.allocations);
    agree("committed", vidmm_committed(machine.vidmm), (uint64_t)book.allocations * PAGE);
    agree("miniport's allocations", (uint64_t)machine.allocations, (uint64_t)book.allocations);
}

static void run(void *owner)
{
    (void)owner;
    for (int i = 0; i < PROCESSES; i++)
        book.process[i] = dxgkrnl_process(machine.dxgkrnl, (uint32_t)i + 1);
    book.globals.low_bits = 2;
    for (int i = SLOTS; i-- > 0;)
        book.free_globals[book.free_global_count++] = i;
    while (book.call < book.calls)
        one_call();
    for (int i = 0; i < SHARED; i++)
        if (book.shared[i].used && book.shared[i].object) {
            dxgk_close_nt_handle(book.shared[i].object);
            book.shared[i].object = NULL;
        }
    for (int i = 0; i < PROCESSES; i++)
        d3dkmt_exit_process(book.process[i], some_call());
    agree("allocations at the end", vidmm_allocations(machine.vidmm), 0);
    agree("miniport's resources at the end", (uint64_t)machine.resources, 0);
    agree("opened at the end", (uint64_t)machine.opened, 0);
    printf("%" PRIu64 " created, %" PRIu64 " opened, %" PRIu64 " destroyed, %" PRIu64 " refused\n",
           book.created, book.opened, book.destroyed, book.refused);
    fflush(stdout);
}

static void run_machine(void *argument)
{
    (void)argument;
    machine_run(NULL, run);
}

int main(int argc, char **argv)
{
    book.calls = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    book.random = seed * 0x9e3779b97f4a7c15 + 1;
    printf("%" PRIu64 " calls, seed %" PRIu64 "\n", book.calls, seed);
    fflush(stdout);
    return child_runs(run_machine, NULL) ? 0 : 1;
}
