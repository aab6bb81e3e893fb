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

/* Four children to a parent: the tree is half as high as a binary one, and the children of one
 * parent lie side by side. */
enum { CHILDREN = 4 };

static void sift_up(struct calendar *calendar, size_t at, struct calendar_entry entry)
{
    while (at > 0) {
        size_t parent = (at - 1) / CHILDREN;
        if (!earlier(&entry, &calendar->entries[parent]))
            break;
        put(calendar, at, calendar->entries[parent]);
        at = parent;
    }
    put(calendar, at, entry);
}

static void sift_down(struct calendar *calendar, size_t at, struct calendar_entry entry)
{
    const struct calendar_entry *entries = calendar->entries;
    for (;;) {
        size_t first = CHILDREN * at + 1;
        if (first >= calendar->count)
            break;
        size_t end = first + CHILDREN < calendar->count ? first + CHILDREN : calendar->count;
        size_t child = first;
        for (size_t other = first + 1; other < end; other++)
            if (earlier(&entries[other], &entries[child]))
                child = other;
        if (!earlier(&entries[child], &entry))
            break;
        put(calendar, at, entries[child]);
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
    if (at > 0 && earlier(&last, &calendar->entries[(at - 1) / CHILDREN]))
        sift_up(calendar, at, last);
    else
        sift_down(calendar, at, last);
}

struct sim_timer *calendar_take(struct calendar *calendar)
{
    struct sim_timer *timer = calendar->entries[0].timer;
    timer->place = 0;
    if (--calendar->count)
        sift_down(calendar, 0, calendar->entries[calendar->count]);
    return timer;
}

void calendar_fini(struct calendar *calendar)
{
    free(calendar->entries);
    *calendar = (struct calendar){0};
}
