#include "traces/activity/internal.h"

#include "traces/buffer.h"

#include <stdlib.h>
#include <string.h>

struct activities *activities_create(void (*places)(void *self, uint64_t origin, char place[64]),
                                     void *self)
{
    struct activities *activities = calloc(1, sizeof *activities);
    if (activities == NULL)
        return NULL;
    activities->places = places;
    activities->self = self;
    activities->last_device = &activities->first_device;
    activities->last_stream = &activities->first_stream;
    activities->launches = trace_sorter_create(sizeof(struct activity), SORTER_MEMORY);
    activities->work = trace_sorter_create(sizeof(struct activity), SORTER_MEMORY);
    activities->timeline = trace_sorter_create(sizeof(struct activity), SORTER_MEMORY);
    if (activities->launches == NULL || activities->work == NULL || activities->timeline == NULL) {
        activities_free(activities);
        return NULL;
    }
    return activities;
}

void activities_free(struct activities *activities)
{
    if (activities == NULL)
        return;
    trace_sorter_free(activities->launches);
    trace_sorter_free(activities->work);
    trace_sorter_free(activities->timeline);
    trace_map_free(&activities->devices);
    trace_map_free(&activities->streams);
    trace_map_free(&activities->held_addresses);
    trace_map_free(&activities->live);
    trace_map_free(&activities->threads);
    trace_arena_free(&activities->arena);
    trace_arena_free(&activities->names);
    free(activities->accounts);
    free(activities->held);
    free(activities->queue);
    free(activities);
}

bool activity_fail(struct activities *activities, const char *what)
{
    if (activities->failure == NULL)
        activities->failure = what;
    return false;
}

bool activity_take_failure(struct activities *activities, const struct trace_sorter *sorter)
{
    const char *failure = trace_sorter_failure(sorter);
    return activity_fail(activities, failure != NULL ? failure : "out of memory");
}

const char *activities_failure(const struct activities *activities)
{
    return activities->failure;
}

enum activity_engine activity_engine(const struct activity *activity)
{
    if (activity->kind == ACTIVITY_PACKET)
        return activity->engine;
    bool leaves = activity->from == MEMORY_DEVICE, enters = activity->to == MEMORY_DEVICE;
    if (activity->kind != ACTIVITY_COPY || leaves == enters)
        return ENGINE_COMPUTE;
    return enters ? ENGINE_COPY_IN : ENGINE_COPY_OUT;
}

bool activities_add(struct activities *activities, const struct activity *activity)
{
    static const uint64_t BEHIND_LAUNCHES = UINT64_C(1) << 63;
    if (activity->kind == ACTIVITY_ALLOCATE && activity->bytes == 0) {
        activities->tally.empty++;
        return true;
    }
    struct activity added = *activity;
    struct trace_sorter *sorter = activities->timeline;
    added.order = (struct trace_sorted){trace_sorted_key(activity->start_ns), activity->origin};
    switch (activity->kind) {
    case ACTIVITY_LAUNCH:
        if (activity->correlation == 0)
            return true; /* of nothing that is known */
        sorter = activities->launches;
        added.order.key = activity->correlation;
        break;
    case ACTIVITY_KERNEL:
    case ACTIVITY_FILL:
    case ACTIVITY_COPY:
        added.done_ns = added.start_ns + (int64_t)added.dur_ns;
        if (activity->correlation != 0) {
            sorter = activities->launches;
            added.order.tie = BEHIND_LAUNCHES | added.order.key >> 1; /* what began first */
            added.order.key = activity->correlation;
            break;
        }
        sorter = activities->work;
        added.called_ns = added.start_ns;
        added.unlaunched = true;
        activities->tally.unlaunched++;
        break;
    case ACTIVITY_PACKET:
        added.order.key = trace_sorted_key(activity->called_ns);
        break;
    case ACTIVITY_HELD:
        added.order.key = UINT64_MAX; /* behind all others */
        break;
    default:
        break;
    }
    return trace_sorter_put(sorter, &added) || activity_take_failure(activities, sorter);
}

void activities_set_process(struct activities *activities, uint32_t pid)
{
    activities->process = pid;
}

void activities_held_before(struct activities *activities, uint32_t device, int64_t at_ns,
                            uint64_t bytes)
{
    struct activity_account *account = activities->accounts;
    size_t count = activities->account_count, i = 0;
    while (i < count && account[i].device != device)
        i++;
    if (i == count) {
        account = trace_array_grow(account, &activities->account_room, count + 1, sizeof *account);
        if (account == NULL) {
            activity_fail(activities, "out of memory");
            return;
        }
        activities->accounts = account;
        activities->account_count++;
    } else if (account[i].at_ns <= at_ns) {
        return;
    }
    account[i] = (struct activity_account){device, at_ns, bytes};
}

bool activities_empty(const struct activities *activities)
{
    return activities->first_device == NULL;
}

int64_t activities_start_ns(const struct activities *activities)
{
    return activities->start_ns;
}

enum activity_kind activity_of_call(const char *name, bool *waits)
{
    static const struct {
        const char *name;
        enum activity_kind kind;
    } calls[] = {
        {"DeviceSynchronize", ACTIVITY_WAIT_ALL},
        {"CtxSynchronize", ACTIVITY_WAIT_ALL},
        {"StreamSynchronize", ACTIVITY_WAIT_LAST},
        {"EventSynchronize", ACTIVITY_WAIT_LAST},
    };
    static const char *const libraries[] = {"cuda", "cu", "hip"};
    *waits = false;
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        size_t length = strlen(libraries[i]);
        if (strncmp(name, libraries[i], length) != 0)
            continue;
        const char *rest = name + length;
        for (size_t k = 0; k < sizeof calls / sizeof *calls; k++)
            if (strncmp(rest, calls[k].name, strlen(calls[k].name)) == 0)
                return calls[k].kind;
        *waits = strncmp(rest, "Memcpy", 6) == 0 && strstr(rest, "Async") == NULL;
        if (*waits)
            break;
    }
    return ACTIVITY_LAUNCH;
}

bool activities_finish(struct activities *activities, struct trace_facts *facts)
{
    if (activities->failure != NULL || !activity_join(activities) || !activity_learn(activities))
        return false;
    activity_summarize(activities, facts);
    return true;
}
