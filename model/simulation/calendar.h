/* The calendar: a heap of dates. Equal dates keep the order they were set in. */
#ifndef WDDMSIM_SIMULATION_CALENDAR_H
#define WDDMSIM_SIMULATION_CALENDAR_H

#include "model/simulation/simulation.h"

struct calendar_entry {
    uint64_t date_ns;
    uint64_t order;
    struct sim_timer *timer;
};

struct calendar {
    struct calendar_entry *entries;
    size_t count, room;
    uint64_t order;
};

void calendar_set(struct calendar *calendar, struct sim_timer *timer, uint64_t date_ns);
void calendar_remove(struct calendar *calendar, struct sim_timer *timer);

/* Takes out the first entry; the calendar must not be empty. */
struct sim_timer *calendar_take(struct calendar *calendar);

/* Date of the first entry; UINT64_MAX when there is none. */
static inline uint64_t calendar_next(const struct calendar *calendar)
{
    return calendar->count ? calendar->entries[0].date_ns : UINT64_MAX;
}

void calendar_fini(struct calendar *calendar);

#endif
