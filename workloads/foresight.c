#include "workloads/foresight.h"

#include "model/memory.h"
#include "traces/interner.h"

#include <stdlib.h>

enum { NEVER = UINT32_MAX }; /* or in more events than that */

/* Where a name was used last. */
struct latest {
    uint64_t event, place;
};

struct foresight {
    uint64_t *first; /* of each event: its first place */
    uint64_t events, event_room;
    uint32_t *distance; /* of each place: events to the next use; 0: once more in the same event */
    uint64_t places, place_room;
    struct interner names;
    struct latest *latest; /* [number of the name] */
    uint32_t latest_room;
};

static void add_event(struct foresight *foresight)
{
    if (foresight->events == foresight->event_room) {
        foresight->event_room = foresight->event_room ? 2 * foresight->event_room : 1024;
        foresight->first =
            memory_resize(foresight->first, foresight->event_room, sizeof *foresight->first);
    }
    foresight->first[foresight->events++] = foresight->places;
}

static void add_place(struct foresight *foresight)
{
    if (foresight->places == foresight->place_room) {
        foresight->place_room = foresight->place_room ? 2 * foresight->place_room : 4096;
        foresight->distance =
            memory_resize(foresight->distance, foresight->place_room, sizeof *foresight->distance);
    }
    foresight->distance[foresight->places++] = NEVER;
}

static struct latest *latest_of(struct foresight *foresight, struct trace_name name, bool *known)
{
    uint32_t before = foresight->names.count;
    uint32_t number = interner_number(&foresight->names, name);
    if (number == UINT32_MAX)
        return NULL;
    *known = number < before;
    if (number >= foresight->latest_room) {
        foresight->latest_room = foresight->latest_room ? 2 * foresight->latest_room : 256;
        foresight->latest =
            memory_resize(foresight->latest, foresight->latest_room, sizeof *foresight->latest);
    }
    return &foresight->latest[number];
}

/* A use of the latest event; of a new object of that name, if it is created. */
static bool use(struct foresight *foresight, struct trace_name name, bool created)
{
    bool known;
    struct latest *latest = latest_of(foresight, name, &known);
    if (!latest)
        return false;
    uint64_t event = foresight->events - 1;
    if (known && !created && latest->event == event) { /* once more: the first time counts */
        add_place(foresight);
        foresight->distance[foresight->places - 1] = 0;
        return true;
    }
    if (known && !created && event - latest->event < NEVER)
        foresight->distance[latest->place] = (uint32_t)(event - latest->event);
    *latest = (struct latest){event, foresight->places};
    add_place(foresight);
    return true;
}

static bool use_all(struct foresight *foresight, struct trace_names names)
{
    bool good = true;
    for (uint32_t i = 0; i < names.count && good; i++)
        good = use(foresight, names.items[i], false);
    return good;
}

static bool take_in(struct foresight *foresight, const struct trace_event *event)
{
    bool good = true;
    add_event(foresight);
    switch (event->op) {
    case TRACE_CREATE_ALLOCATION:
        for (uint32_t i = 0; i < event->creations.count && good; i++)
            good = use(foresight, event->creations.items[i].allocation, true);
        return good;
    case TRACE_MAKE_RESIDENT:
    case TRACE_RECLAIM_ALLOCATIONS:
        return use_all(foresight, event->allocations);
    case TRACE_SUBMIT:
        return use_all(foresight, event->allocations) && use_all(foresight, event->writes);
    default:
        return true;
    }
}

struct foresight *foresight_read(struct trace_reader *reader, struct trace_error *error)
{
    struct foresight *foresight = memory_new(1, sizeof *foresight);
    struct trace_event event;
    enum trace_result result;
    bool good = true;
    while (good && (result = trace_next(reader, &event, error)) != TRACE_END) {
        good = result == TRACE_EVENT || error->skippable;
        if (result == TRACE_EVENT && !take_in(foresight, &event)) {
            *error = (struct trace_error){.message = "out of memory"};
            good = false;
        }
    }
    if (!good) {
        foresight_free(foresight);
        return NULL;
    }
    add_event(foresight); /* ends the last one's places */
    return foresight;
}

void foresight_free(struct foresight *foresight)
{
    if (!foresight)
        return;
    free(foresight->first);
    free(foresight->distance);
    free(foresight->latest);
    interner_fini(&foresight->names);
    free(foresight);
}

uint64_t foresight_next(const struct foresight *foresight, uint64_t event, uint32_t place)
{
    if (event + 1 >= foresight->events ||
        foresight->first[event] + place >= foresight->first[event + 1])
        return UINT64_MAX;
    uint32_t distance = foresight->distance[foresight->first[event] + place];
    return distance == NEVER ? UINT64_MAX : event + distance;
}
