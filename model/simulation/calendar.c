#include "model/simulation/calendar.h"

#include "model/memory.h"

#include <assert.h>
#include <stdlib.h>

static bool earlier(const struct calendar_entry *a, const struct calendar_entry *b)
{
    return a->date_ns < b->date_ns || (a->date_ns == b->date_ns && a->order < b->order);
}

static void put(struct calendar *calendar, size_t at, struct calendar_entry entry)
{
    calendar->entries[at] = entry;
    entry.timer->place = at + 1;
}

static void sift_up(struct calendar *calendar, size_t at, struct calendar_entry entry)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!earlier(&entry, &calendar->entries[parent]))
            break;
        put(calendar, at, calendar->entries[parent]);
        at = parent;
    }
    put(calendar, at, entry);
}

static void sift_down(struct calendar *calendar, size_t at, struct calendar_entry entry)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= calendar->count)
            break;
        if (child + 1 < calendar->count &&
            earlier(&calendar->entries[child + 1], &calendar->entries[child]))
            child++;
        if (!earlier(&calendar->entries[child], &entry))
            break;
        put(calendar, at, calendar->entries[child]);
        at = child;
    }
    put(calendar, at, entry);
}

void calendar_set(struct calendar *calendar, struct sim_timer *timer, uint64_t date_ns)
{
    if (timer->place)
        calendar_remove(calendar, timer);
    if (calendar->count == calendar->room) {
        calendar->room = calendar->room ? 2 * calendar->room : 256;
        calendar->entries =
            memory_resize(calendar->entries, calendar->room, sizeof *calendar->entries);
    }
    sift_up(calendar, calendar->count++,
            (struct calendar_entry){date_ns, calendar->order++, timer});
}

void calendar_remove(struct calendar *calendar, struct sim_timer *timer)
{
    assert(timer->place > 0 && timer->place <= calendar->count);
    size_t at = timer->place - 1;
    struct calendar_entry last = calendar->entries[--calendar->count];
    timer->place = 0;
    if (at == calendar->count)
        return;
    if (at > 0 && earlier(&last, &calendar->entries[(at - 1) / 2]))
        sift_up(calendar, at, last);
    else
        sift_down(calendar, at, last);
}

struct sim_timer *calendar_take(struct calendar *calendar)
{
    struct sim_timer *timer = calendar->entries[0].timer;
    calendar_remove(calendar, timer);
    return timer;
}

void calendar_fini(struct calendar *calendar)
{
    free(calendar->entries);
    *calendar = (struct calendar){0};
}
