/* Random valid workloads, replayed with every check: nothing breaks, nobody waits for ever, and
 * what the probe saw adds up. The seeds are printed; WDDMSIM_RANDOM_RUNS sets how many,
 * WDDMSIM_RANDOM_EVENTS how long each of the workloads is. */
#include "model/hardware/hardware.h"
#include "model/vidmm/vidmm.h"
#include "traces/reader.h"
#include "workloads/replay.h"

#include "tests/unit/child.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A workload. It keeps to the rules of the real system's users: names are created before they are
 * used, and nobody waits for a fence value that no earlier event signals. */

enum { PROCESSES = 3, CONTEXTS = 3, ALLOCATIONS = 40, FENCES = 6, SURFACES = 4, EVENTS = 4000 };

struct process {
    bool alive;
    bool context[CONTEXTS];
    bool allocation[ALLOCATIONS];
    bool locked[ALLOCATIONS];
    uint32_t required[ALLOCATIONS]; /* MakeResident less Evict, as far as known */
    bool surface[SURFACES];         /* it has a view of this cross-adapter resource */
};

struct workload {
    uint64_t random;
    FILE *out;
    uint64_t date_ns;
    uint64_t signalled[FENCES];
    struct process processes[PROCESSES];
    bool residency_calls, times_out;
    uint64_t surface_names[SURFACES];
    size_t adapters; /* a process's device is of one of them */
};

static uint64_t below(struct workload *workload, uint64_t limit)
{
    return child_below(&workload->random, limit);
}

static uint64_t object(size_t process, size_t index)
{
    return (process + 1) * 1000 + index;
}

__attribute__((format(printf, 4, 5))) static void event(struct workload *workload, size_t process,
                                                        const char *op, const char *format, ...)
{
    va_list arguments;
    fprintf(workload->out, "{\"t\":%" PRIu64 ",\"pid\":%zu,\"tid\":%" PRIu64 ",\"op\":\"%s\"",
            workload->date_ns, process + 1, below(workload, 2), op);
    va_start(arguments, format);
    vfprintf(workload->out, format, arguments);
    va_end(arguments);
    fputs("}\n", workload->out);
}

/* A comma-separated list of some of the process's allocations; false: it has none. */
static bool some_allocations(struct workload *workload, const struct process *process,
                             size_t number, char list[512], bool chosen[ALLOCATIONS])
{
    size_t length = 0;
    memset(chosen, 0, ALLOCATIONS);
    list[0] = '\0';
    for (uint64_t tries = 1 + below(workload, 8); tries > 0; tries--) {
        size_t i = below(workload, ALLOCATIONS);
        if (!process->allocation[i] || chosen[i])
            continue;
        chosen[i] = true;
        length += (size_t)snprintf(list + length, 512 - length, "%s%" PRIu64, length ? "," : "",
                                   object(number, i));
    }
    return length > 0;
}

static void create_process(struct workload *workload, size_t number)
{
    static const char *const nodes[CONTEXTS] = {"3d", "compute", "copy"};
    static const char *const classes[] = {"normal", "idle", "high", "realtime"};
    static const char *const bands[] = {"normal", "focus", "realtime"};
    struct process *process = &workload->processes[number];
    memset(process, 0, sizeof *process);
    process->alive = true;
    event(workload, number, "CreateDevice", ",\"device\":%zu,\"adapter\":%zu", number,
          number % workload->adapters);
    for (size_t i = 0; i < CONTEXTS; i++) {
        event(workload, number, "CreateContext",
              ",\"device\":%zu,\"context\":%" PRIu64
              ",\"node\":\"%s\",\"priority\":%d,\"in-process\":%d",
              number, object(number, i), nodes[below(workload, CONTEXTS)],
              (int)below(workload, 5) - 2, (int)below(workload, 3) - 1);
        process->context[i] = true;
    }
    event(workload, number, "SetProcessPriority", ",\"class\":\"%s\",\"band\":\"%s\"",
          classes[below(workload, 4)], bands[below(workload, 3)]);
}

static void change_allocation(struct workload *workload, size_t number, size_t i)
{
    static const char *const usages[] = {"texture", "upload", "buffer", "heap"};
    struct process *process = &workload->processes[number];
    if (!process->allocation[i]) {
        static const char *const wishes[] = {
            "",
            ",\"segments\":[\"local\"]",
            ",\"kmd-flags\":[\"AccessedPhysically\"]",
            ",\"kmd-flags\":[\"FromEndOfSegment\"]",
            ",\"bank\":2,\"priority\":2684354560,\"flags\":[\"OverridePriority\"]",
            ",\"priority\":1342177280,\"flags\":[\"OverridePriority\"]",
            ",\"priority\":671088640,\"flags\":[\"OverridePriority\"]",
        };
        event(workload, number, "CreateAllocation",
              ",\"device\":%zu,\"allocations\":[{\"allocation\":%" PRIu64 ",\"size\":%" PRIu64
              ",\"usage\":\"%s\"%s}]",
              number, object(number, i), (1 + below(workload, 96)) * 65536,
              usages[below(workload, 4)], wishes[below(workload, sizeof wishes / sizeof *wishes)]);
        process->allocation[i] = true;
    } else if (process->locked[i]) {
        event(workload, number, "Unlock", ",\"device\":%zu,\"allocation\":%" PRIu64, number,
              object(number, i));
        process->locked[i] = false;
    } else if (below(workload, 3)) {
        event(workload, number, "Lock", ",\"device\":%zu,\"allocation\":%" PRIu64, number,
              object(number, i));
        process->locked[i] = true;
    } else {
        static const char *const flags[] = {"", ",\"flags\":[\"SynchronousDestroy\"]",
                                            ",\"flags\":[\"AssumeNotInUse\"]"};
        event(workload, number, "DestroyAllocation",
              ",\"device\":%zu,\"allocations\":[%" PRIu64 "]%s", number, object(number, i),
              flags[below(workload, 3)]);
        process->allocation[i] = false;
    }
}

/* Cross-adapter resources are created by one process and opened by others, on either adapter. Each
 * has a name of its own: when the last of them has let go of it is not known here. */
static void change_surface(struct workload *workload, size_t number, size_t i)
{
    bool exists = false;
    for (size_t other = 0; other < PROCESSES; other++)
        exists |= workload->processes[other].surface[i];
    bool *mine = &workload->processes[number].surface[i];
    workload->surface_names[i] += !exists;
    uint64_t name = i + SURFACES * workload->surface_names[i];
    if (*mine)
        event(workload, number, "DestroyAllocation",
              ",\"device\":%zu,\"resource\":\"r%" PRIu64 "\"", number, name);
    else if (exists)
        event(workload, number, "OpenResource", ",\"device\":%zu,\"resource\":\"r%" PRIu64 "\"",
              number, name);
    else
        event(workload, number, "CreateAllocation",
              ",\"device\":%zu,\"resource\":\"r%" PRIu64 "\",\"flags\":[\"CreateResource\","
              "\"CreateShared\",\"CrossAdapter\"%s],\"allocations\":[{\"allocation\":\"s%" PRIu64
              "\",\"size\":%" PRIu64 "}]",
              number, name, below(workload, 2) ? ",\"NtSecuritySharing\"" : "", name,
              (1 + below(workload, 16)) * 65536);
    *mine = !*mine;
}

static void move_memory(struct workload *workload, size_t number)
{
    char list[512];
    bool chosen[ALLOCATIONS];
    if (!some_allocations(workload, &workload->processes[number], number, list, chosen))
        return;
    static const struct {
        const char *op, *more;
    } calls[] = {
        {"MakeResident", ""},
        {"MakeResident", ",\"flags\":[\"CantTrimFurther\"]"},
        {"Evict", ""},
        {"Evict", ",\"flags\":[\"NotWrittenTo\"]"},
        {"OfferAllocations", ",\"priority\":2"},
        {"OfferAllocations", ",\"flags\":[\"OfferImmediately\",\"AllowDecommit\"]"},
        {"ReclaimAllocations", ""},
        {"SetAllocationPriority", ",\"priority\":3355443200"},
    };
    uint64_t choice = below(workload, sizeof calls / sizeof *calls);
    if (choice < 4 && !workload->residency_calls)
        return;
    bool of_device = strcmp(calls[choice].op, "SetAllocationPriority") != 0;
    char device[48] = "";
    if (of_device)
        snprintf(device, sizeof device, ",\"device\":%zu", number);
    event(workload, number, calls[choice].op, "%s,\"allocations\":[%s]%s", device, list,
          calls[choice].more);
}

static void synchronise(struct workload *workload, size_t number, size_t context)
{
    uint64_t fence = below(workload, FENCES), *signalled = &workload->signalled[fence];
    char where[96] = "";
    uint64_t kind = below(workload, 4);
    if (kind == 1)
        snprintf(where, sizeof where, ",\"contexts\":[%" PRIu64 ",%" PRIu64 "]", object(number, 0),
                 object(number, 1));
    else if (kind > 1)
        snprintf(where, sizeof where, ",\"context\":%" PRIu64, object(number, context));
    if (below(workload, 2))
        event(workload, number, "Signal", "%s,\"fence\":%" PRIu64 ",\"value\":%" PRIu64, where,
              fence, ++*signalled);
    else {
        uint64_t value = *signalled - below(workload, *signalled + 1);
        if (workload->times_out) /* devices in error refuse signals */
            event(workload, PROCESSES, "Signal", ",\"fence\":%" PRIu64 ",\"value\":%" PRIu64, fence,
                  value);
        event(workload, number, "Wait", "%s,\"fence\":%" PRIu64 ",\"value\":%" PRIu64, where, fence,
              value);
    }
}

static void submit(struct workload *workload, size_t number, size_t context)
{
    char list[512];
    bool chosen[ALLOCATIONS];
    bool any = some_allocations(workload, &workload->processes[number], number, list, chosen);
    for (size_t i = 0, length = strlen(list); i < SURFACES && length < 480; i++)
        if (workload->processes[number].surface[i] && below(workload, 2)) {
            length += (size_t)snprintf(list + length, sizeof list - length, "%s\"s%" PRIu64 "\"",
                                       any ? "," : "", i + SURFACES * workload->surface_names[i]);
            any = true;
        }
    event(workload, number, "Submit",
          ",\"context\":%" PRIu64 ",\"gpu\":%" PRIu64 ",\"granule\":%" PRIu64
          ",\"allocations\":[%s]",
          object(number, context), below(workload, 400000), below(workload, 3) * 10000, list);
}

/* What a context had queued is lost with it, signals that others wait for, too. Somebody who waits
 * for nothing makes up for them, as a robust program would. */
static void make_up_for_lost_signals(struct workload *workload)
{
    for (size_t fence = 0; fence < FENCES; fence++)
        if (workload->signalled[fence])
            event(workload, PROCESSES, "Signal", ",\"fence\":%zu,\"value\":%" PRIu64, fence,
                  workload->signalled[fence]);
}

static void one_event(struct workload *workload)
{
    size_t number = below(workload, PROCESSES), context = below(workload, CONTEXTS);
    workload->date_ns += below(workload, 300000);
    if (!workload->processes[number].alive) {
        create_process(workload, number);
        return;
    }
    uint64_t choice = below(workload, 1000);
    if (choice < 20 && workload->adapters > 1)
        change_surface(workload, number, below(workload, SURFACES));
    else if (choice < 300)
        change_allocation(workload, number, below(workload, ALLOCATIONS));
    else if (choice < 450)
        move_memory(workload, number);
    else if (choice < 560)
        synchronise(workload, number, context);
    else if (choice < 600)
        event(workload, number, "Present", ",\"context\":%" PRIu64 "%s", object(number, context),
              below(workload, 2) ? ",\"interval\":1" : "");
    else if (choice < 620)
        event(workload, number, "SetContextPriority", ",\"context\":%" PRIu64 ",\"priority\":%d",
              object(number, context), (int)below(workload, 5) - 2);
    else if (choice < 622) {
        static const char *const states[] = {"", "\"Focus\"", "\"Minimized\"", "\"Dwm\""};
        event(workload, number, "SetProcessState", ",\"flags\":[%s]", states[below(workload, 4)]);
    } else if (choice < 624) {
        event(workload, number, "DestroyContext", ",\"context\":%" PRIu64, object(number, context));
        event(workload, number, "CreateContext",
              ",\"device\":%zu,\"context\":%" PRIu64 ",\"node\":\"copy\"", number,
              object(number, context));
        make_up_for_lost_signals(workload);
    } else if (choice < 626) {
        if (below(workload, 2))
            event(workload, number, "DestroyDevice", ",\"device\":%zu", number);
        else
            event(workload, number, "ExitProcess", "%s", "");
        workload->processes[number].alive = false;
        memset(workload->processes[number].surface, 0, SURFACES);
        make_up_for_lost_signals(workload);
    } else {
        submit(workload, number, context);
    }
}

/* What the probe saw. */

enum { NODES = 64, SEGMENTS = 31, CONTEXTS_SEEN = 1 << 14 };

struct seen {
    struct probe_machine machine;
    uint64_t now_ns;
    uint32_t calls;
    struct {
        enum probe_engine state;
        uint32_t depth;
        uint64_t since_ns;
        uint64_t state_ns[3], depth_ns;
        uint64_t execute_ns, switch_ns, sojourn_ns;
        bool preempted, reset;
    } node[NODES];
    struct {
        int64_t resident, came, went;
    } segment[SEGMENTS + 1];
    int64_t committed;
    bool recorded_pace, buddies, faults;
};

static struct seen seen;

static void at(uint64_t now_ns)
{
    if (now_ns < seen.now_ns)
        child_fails("time went back from %" PRIu64 " to %" PRIu64, seen.now_ns, now_ns);
    seen.now_ns = now_ns;
}

static void see_machine(void *self, const struct probe_machine *machine)
{
    (void)self;
    seen.machine = *machine;
}

static void see_context(void *self, uint32_t context, uint32_t pid, uint32_t node,
                        struct probe_label name, bool system)
{
    (void)self, (void)context, (void)pid, (void)name, (void)system;
    child_expects(node < seen.machine.nodes || seen.machine.nodes == 0, true);
}

static void see_call(void *self, const struct probe_call *call)
{
    (void)self;
    uint64_t sum = 0, end = call->asynchronous ? call->done_ns : call->return_ns;
    for (int cause = 0; cause < PROBE_CAUSES; cause++)
        sum += call->blame_ns[cause];
    if (sum != end - call->start_ns)
        child_fails("event %" PRIu64 " (%s): blame is %" PRIu64 " ns of %" PRIu64, call->index,
                    call->op, sum, end - call->start_ns);
    if ((seen.recorded_pace && call->start_ns < call->due_ns) || call->return_ns < call->start_ns)
        child_fails("event %" PRIu64 " (%s): due %" PRIu64 ", made %" PRIu64 ", returned %" PRIu64,
                    call->index, call->op, call->due_ns, call->start_ns, call->return_ns);
    seen.calls++;
}

static void see_packet(void *self, uint64_t now_ns, const struct probe_packet *packet)
{
    (void)self;
    at(now_ns);
    if (packet->kind == PROBE_PREEMPTION) {
        child_expects(packet->queued_ns <= packet->started_ns, true);
        child_expects(packet->started_ns <= packet->finished_ns, true);
        child_expects(packet->finished_ns <= packet->completed_ns, true);
    }
    if (packet->kind != PROBE_RENDER && packet->kind != PROBE_PAGING &&
        packet->kind != PROBE_NULL_SWITCH)
        return;
    child_expects(packet->queued_ns <= packet->placed_ns, true);
    child_expects(packet->placed_ns <= packet->started_ns, true);
    if (packet->preemptions || seen.faults)
        child_expects(packet->started_ns + packet->execute_ns <= packet->finished_ns, true);
    else
        child_expects(packet->started_ns + packet->switch_ns + packet->execute_ns,
                      packet->finished_ns);
    seen.node[packet->node].preempted |= packet->preemptions > 0;
    child_expects(packet->finished_ns <= packet->completed_ns, true);
    child_expects(packet->hits <= packet->references, true);
    seen.node[packet->node].sojourn_ns += packet->finished_ns - packet->placed_ns;
    seen.node[packet->node].execute_ns += packet->execute_ns;
    seen.node[packet->node].switch_ns += packet->switch_ns;
}

static void see_engine(void *self, uint64_t now_ns, uint32_t node, enum probe_engine state,
                       uint32_t depth, uint32_t waiting)
{
    (void)self, (void)waiting;
    at(now_ns);
    uint64_t passed = now_ns - seen.node[node].since_ns;
    seen.node[node].state_ns[seen.node[node].state] += passed;
    seen.node[node].depth_ns += passed * seen.node[node].depth;
    seen.node[node].since_ns = now_ns;
    seen.node[node].state = state;
    seen.node[node].depth = depth;
}

static void see_switch(void *self, uint64_t now_ns, uint32_t node, uint32_t from, uint32_t to,
                       bool made, uint64_t cost_ns)
{
    (void)self, (void)node, (void)to;
    at(now_ns);
    child_expects(made || from == to, true);
    child_expects(made || cost_ns == 0, true);
}

static void see_attempt(void *self, uint64_t now_ns, uint32_t node, uint32_t context,
                        enum probe_attempt result)
{
    (void)self, (void)node, (void)context;
    at(now_ns);
    child_expects(result < PROBE_ATTEMPTS, true);
}

static void see_reset(void *self, uint64_t now_ns, uint32_t node, uint32_t context)
{
    (void)self, (void)context;
    at(now_ns);
    child_expects(seen.node[node].state, PROBE_ENGINE_BUSY);
    seen.node[node].reset = true;
}

static void see_paging(void *self, const struct probe_paging *operation)
{
    (void)self;
    at(operation->finished_ns);
    child_expects(operation->queued_ns <= operation->started_ns, true);
    child_expects(operation->started_ns <= operation->finished_ns, true);
    child_expects(operation->cause != NULL, true);
    seen.segment[operation->to].came += (int64_t)operation->bytes;
    seen.segment[operation->from].went += (int64_t)operation->bytes;
}

static void see_resident(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment, int64_t bytes)
{
    (void)self, (void)pid;
    at(now_ns);
    seen.segment[segment].resident += bytes;
    if (seen.segment[segment].resident < 0 ||
        (uint64_t)seen.segment[segment].resident > seen.machine.segment[segment - 1].size_bytes)
        child_fails("%" PRId64 " bytes are resident in segment %u", seen.segment[segment].resident,
                    segment);
}

static void see_committed(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment,
                          int64_t bytes)
{
    (void)self, (void)pid, (void)segment;
    at(now_ns);
    seen.committed += bytes;
    child_expects(seen.committed >= 0, true);
}

static void see_context_allocation(void *self, uint64_t now_ns, uint32_t context, int created,
                                   int resident)
{
    (void)self, (void)context, (void)created, (void)resident;
    at(now_ns);
}

static void see_present(void *self, uint64_t now_ns, const struct probe_present *present)
{
    (void)self;
    child_expects(present->queued_ns <= now_ns, true);
    child_expects(present->flip || (!present->dropped && present->missed == 0), true);
    at(now_ns);
}

static void see_link(void *self, uint64_t now_ns, uint32_t adapter, bool in, bool busy)
{
    (void)self, (void)adapter, (void)in, (void)busy;
    at(now_ns);
}

static void see_assumption(void *self, const char *key, uint64_t count)
{
    (void)self, (void)key, (void)count;
}

static void see_warning(void *self, const char *message)
{
    (void)self, (void)message;
}

static struct probe probe = {
    .machine = see_machine,
    .context = see_context,
    .call = see_call,
    .packet = see_packet,
    .engine = see_engine,
    .context_switch = see_switch,
    .attempt = see_attempt,
    .reset = see_reset,
    .paging = see_paging,
    .resident = see_resident,
    .committed = see_committed,
    .context_allocation = see_context_allocation,
    .present = see_present,
    .link = see_link,
    .assume = see_assumption,
    .warn = see_warning,
};

/* Sums that must agree once everything is over. */
static void add_up(uint64_t end_ns)
{
    for (uint32_t node = 0; node < seen.machine.nodes; node++) {
        see_engine(NULL, end_ns, node, PROBE_ENGINE_IDLE, 0, 0);
        /* Little's law: the hardware queue's length over time is its packets' time in it; those
         * that were preempted were out of it for some; those of an engine that was reset stood
         * there meanwhile. */
        if (seen.node[node].reset)
            ;
        else if (seen.node[node].preempted)
            child_expects(seen.node[node].depth_ns <= seen.node[node].sojourn_ns, true);
        else
            child_expects(seen.node[node].depth_ns, seen.node[node].sojourn_ns);
        if (seen.faults) /* engines that stall are busy */
            child_expects(seen.node[node].state_ns[PROBE_ENGINE_BUSY] >= seen.node[node].execute_ns,
                          true);
        else
            child_expects(seen.node[node].state_ns[PROBE_ENGINE_BUSY], seen.node[node].execute_ns);
        child_expects(seen.node[node].state_ns[PROBE_ENGINE_SWITCHING] >= seen.node[node].switch_ns,
                      true);
        uint64_t all = 0;
        for (int state = 0; state < 3; state++)
            all += seen.node[node].state_ns[state];
        child_expects(all, end_ns);
    }
    /* Bytes in less bytes out and dropped are what is there. */
    for (uint32_t id = 1; id <= seen.machine.segments; id++) {
        struct probe_segment_state state;
        seen.machine.segment_state(seen.machine.model, id, &state);
        if (seen.machine.segment[id - 1].aperture)
            ;
        else if (seen.faults) /* a block has room for pages that have not come */
            child_expects(
                seen.segment[id].came - seen.segment[id].went <= seen.segment[id].resident, true);
        else
            child_expects(seen.segment[id].came - seen.segment[id].went, seen.segment[id].resident);
        if (seen.buddies) /* their blocks are larger than what lies in them */
            child_expects(state.allocated >= (uint64_t)seen.segment[id].resident, true);
        else
            child_expects(state.allocated, seen.segment[id].resident);
        child_expects(state.allocated + state.free, seen.machine.segment[id - 1].size_bytes);
        child_expects(state.marked <= state.allocated, true);
        child_expects(state.largest_free <= state.free, true);
        child_expects(state.largest_free <= state.largest_free_or_marked, true);
    }
}

static void set_value(struct profile *profile, const char *key, const char *value)
{
    struct profile_error error;
    if (!profile_set(profile, key, value, "test", &error))
        child_fails("%s", error.message);
}

static void choose_machine(struct workload *workload, struct profile *profile)
{
    static const char *const sizes[] = {"24MiB", "48MiB", "96MiB", "256MiB"};
    static const char *const depths[] = {"1", "2", "3"};
    struct profile_error error;
    if (!profile_load("rtx3070-8g", profile, &error))
        child_fails("%s", error.message);
    set_value(profile, "wddm", below(workload, 2) ? "1.2" : "2.0");
    static const char *const policies[] = {"software", "hardware", "fifo"};
    static const char *const boundaries[] = {"none", "dma-buffer", "pixel", "instruction"};
    static const char *const quanta[] = {"0ns", "50us", "1ms"};
    static const char *const nodes[] = {"nodes.3d", "nodes.compute", "nodes.copy"};
    set_value(profile, "scheduler.policy", policies[below(workload, 3)]);
    for (size_t i = 0; i < 3; i++) {
        char key[64];
        snprintf(key, sizeof key, "%s.preemption", nodes[i]);
        set_value(profile, key, boundaries[below(workload, 4)]);
    }
    set_value(profile, "scheduler.quantum.normal", quanta[below(workload, 3)]);
    set_value(profile, "scheduler.quantum.process", quanta[below(workload, 3)]);
    set_value(profile, "scheduler.preemption-quantum", quanta[below(workload, 3)]);
    set_value(profile, "scheduler.power-idle", quanta[below(workload, 3)]);
    /* What takes no time is done on the spot, one thing inside another. */
    static const char *const steps[] = {
        "wake", "submit", "submit-idle", "driver", "driver-idle", "driver-switch", "preempt",
        "wait", "signal", "present",     "flip",   "firmware",    "interrupt",     "complete"};
    bool free_of_charge = below(workload, 2);
    for (size_t i = 0; i < sizeof steps / sizeof *steps && free_of_charge; i++) {
        char key[64];
        snprintf(key, sizeof key, "scheduler.%s", steps[i]);
        if (below(workload, 8))
            set_value(profile, key, "0ns");
    }
    set_value(profile, "scheduler.context-switch", below(workload, 2) ? "lazy" : "eager");
    set_value(profile, "scheduler.queue-depth", depths[below(workload, 3)]);
    set_value(profile, "segments.local.cpu-visible", "1MiB");
    set_value(profile, "segments.local.size", sizes[below(workload, 4)]);
    set_value(profile, "segments.aperture.cpu-visible", "64MiB");
    set_value(profile, "segments.aperture.size", below(workload, 2) ? "64MiB" : "1GiB");
    set_value(profile, "costs.create-device.fixed", "50us");
    set_value(profile, "costs.create-context.fixed", "50us");
    if (below(workload, 3) == 0)
        set_value(profile, "nodes.paging2.kind", "paging");
    static const char *const evictions[] = {"lru",    "priority-lru", "clock", "fifo",
                                            "random", "largest",      "2q",    "s3-fifo",
                                            "sieve",  "lfu",          "mru"};
    static const char *const placements[] = {"best-fit", "first-fit", "buddy"};
    set_value(profile, "vidmm.eviction",
              evictions[below(workload, sizeof evictions / sizeof *evictions)]);
    set_value(profile, "vidmm.placement", placements[below(workload, 3)]);
    set_value(profile, "vidmm.budget", below(workload, 3) ? "weighted" : "none");
    set_value(profile, "vidmm.eviction-throttle", below(workload, 2) ? "8MiB" : "0B");
    set_value(profile, "vidmm.trim-maximum", below(workload, 2) ? "20ms" : "0ns");
    set_value(profile, "vidmm.trim-minimum", "5ms");
    set_value(profile, "vidmm.trim-idle", "50ms");
    set_value(profile, "segments.local.banks", "4");
    if (below(workload, 3) == 0) { /* then a context that wants memory might not come to be */
        set_value(profile, "system.memory", "96MiB");
        set_value(profile, "miniport.context-save-area", "false");
    }
    if (below(workload, 2))
        set_value(profile, "scheduler.vsync", below(workload, 2) ? "16ms" : "100us");
    static const char *const lengths[] = {"0", "1", "2", "3"};
    set_value(profile, "scheduler.tearing", below(workload, 2) ? "true" : "false");
    set_value(profile, "scheduler.flip-queue", lengths[below(workload, 4)]);
    set_value(profile, "scheduler.frame-latency", lengths[below(workload, 4)]);
    static const char *const delays[] = {"2s", "0ns", "20us", "200us"};
    uint64_t delay = below(workload, 4);
    workload->times_out = delay > 1;
    set_value(profile, "scheduler.tdr-delay", delays[delay]);
    if (delay % 2 == 1) {
        set_value(profile, "segments.local.cpu-visible", "0B");
        set_value(profile, "segments.local.cpu-host-aperture", "512KiB");
    }
    set_value(profile, "scheduler.tdr-permitted", quanta[below(workload, 3)]);
    set_value(profile, "scheduler.tdr-reset", quanta[below(workload, 3)]);
    static const char *const faults[][3] = {
        {"block", "64KiB", "1MiB"},  {"page", "4KiB", "16KiB"}, {"batch", "3", "40"},
        {"streams", "2", "7"},       {"prefetch", "0", "0.3"},  {"thrashing", "0", "1"},
        {"lapse", "10ms", "1s"},     {"pin", "1ms", "20ms"},    {"batch-cost", "0ns", "35us"},
        {"block-cost", "0ns", "1us"}};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char key[64];
        snprintf(key, sizeof key, "vidmm.fault.%s", faults[i][0]);
        uint64_t value = below(workload, 3);
        if (value)
            set_value(profile, key, faults[i][value]);
    }
    if (!profile_check(profile, &error))
        child_fails("%s", error.message);
}

/* Every third machine has a second adapter, faster, with less memory, and half of these share the
 * link. */
static void choose_adapters(struct workload *workload, uint64_t seed, struct hardware *hardware)
{
    struct profile *second = &hardware->adapters[1];
    workload->adapters = hardware->adapter_count = seed % 3 == 0 ? 2 : 1;
    hardware->adapters[0].link.shared = seed % 2;
    *second = hardware->adapters[0];
    set_value(second, "segments.local.size", "32MiB");
    set_value(second, "nodes.3d.speed", "2");
    set_value(second, "link.bandwidth-in", "10GB/s");
}

struct result {
    uint64_t calls, simulated_ns;
};

struct task {
    uint64_t seed;
    struct result *result;
};

static void write_workload(struct workload *workload, const char *path)
{
    static const char *const residencies[] = {"explicit", "at-create", "per-submit", "fault"};
    uint64_t residency = below(workload, 4);
    seen.faults = residency == 3;
    workload->residency_calls = residency == 0 || (seen.faults && below(workload, 2));
    workload->out = fopen(path, "w");
    if (!workload->out)
        child_fails("cannot write %s", path);
    fprintf(workload->out, "{\"wddmsim\":1,\"residency\":\"%s\"}\n", residencies[residency]);
    const char *wish = getenv("WDDMSIM_RANDOM_EVENTS");
    uint64_t events = wish ? strtoull(wish, NULL, 10) : EVENTS;
    if (wish)
        alarm(0); /* as long as that takes */
    for (uint64_t i = 0; i < events; i++)
        one_event(workload);
    for (size_t i = 0; i < PROCESSES; i++)
        if (workload->processes[i].alive && below(workload, 2))
            event(workload, i, "ExitProcess", "%s", "");
    make_up_for_lost_signals(workload);
    fclose(workload->out);
}

static void run_one(void *argument)
{
    const struct task *task = argument;
    struct workload *workload = calloc(1, sizeof *workload);
    struct hardware *hardware = malloc(sizeof *hardware);
    if (!workload || !hardware)
        child_fails("out of memory");
    struct profile *profile = &hardware->adapters[0];
    workload->random = task->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    choose_machine(workload, profile);
    choose_adapters(workload, task->seed, hardware);
    char path[] = "/tmp/wddmsim-random-XXXXXX.jsonl";
    int fd = mkstemps(path, 6);
    if (fd < 0)
        child_fails("no temporary file");
    close(fd);
    write_workload(workload, path);

    struct trace_reader *reader;
    struct trace_error trace_error;
    struct trace_open_options opening = {0};
    bool opened = trace_open(path, &opening, &reader, &trace_error);
    if (!getenv("WDDMSIM_RANDOM_KEEP"))
        unlink(path);
    if (!opened)
        child_fails("%s", trace_error.message);
    const struct replay_options options = {.pace = (enum replay_pace)below(workload, 3),
                                           .to_ns = UINT64_MAX,
                                           .others = &hardware->adapters[1],
                                           .other_count = hardware->adapter_count - 1,
                                           .check = true};
    seen.buddies = profile->vidmm.placement == PROFILE_BUDDY;
    seen.recorded_pace = options.pace == REPLAY_RECORDED;
    struct replay_result result;
    char error[512] = "";
    probe.self = NULL;
    if (replay_run(reader, profile, &probe, &options, &result, error, sizeof error) != REPLAY_OK)
        child_fails("seed %" PRIu64 ": %s", task->seed, error);
    if (result.waiting_calls)
        child_fails("seed %" PRIu64 ": %" PRIu64 " calls still wait: %s", task->seed,
                    result.waiting_calls, result.waiting);
    child_expects(seen.calls, result.events);
    add_up(result.simulated_ns);
    *task->result = (struct result){seen.calls, result.simulated_ns};
    trace_close(reader);
    replay_release();
    free(workload);
    free(hardware);
}

static void random_workloads_hold_together(void **state)
{
    (void)state;
    const char *wish = getenv("WDDMSIM_RANDOM_RUNS"), *first = getenv("WDDMSIM_RANDOM_SEED");
    uint64_t runs = wish ? strtoull(wish, NULL, 10) : 24, failures = 0;
    uint64_t begin = first ? strtoull(first, NULL, 10) : 1;
    struct result *results = child_shared(2 * sizeof *results);
    for (uint64_t seed = begin; seed < begin + runs; seed++) {
        bool good = child_runs(run_one, &(struct task){seed, &results[0]});
        /* The same again, now and then: the same numbers. */
        if (good && seed % 8 == 0)
            good = child_runs(run_one, &(struct task){seed, &results[1]}) &&
                   memcmp(&results[0], &results[1], sizeof results[0]) == 0;
        if (!good)
            print_message("seed %" PRIu64 " fails\n", seed);
        failures += !good;
    }
    print_message("seeds %" PRIu64 " to %" PRIu64 "\n", begin, begin + runs - 1);
    assert_int_equal(failures, 0);
    munmap(results, 2 * sizeof *results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_workloads_hold_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
