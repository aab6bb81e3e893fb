/* The simulation layer: the clock, the calendar, and transfers over the host links.
 *
 * SimGrid is the engine of everything shared: each adapter's link is a pair of SimGrid links (and
 * a third that couples the directions), with another such behind it where adapters share one, and
 * its max-min solver decides what concurrent transfers cost. The model's own dates are integer
 * nanoseconds in a calendar. One SimGrid actor, the conductor, takes the dates in turn; while
 * transfers are under way it advances SimGrid's clock from date to date, and while none is, SimGrid
 * has nothing to decide and its clock is left behind until it is needed again.
 *
 * This is the only room that includes SimGrid's headers. */
#ifndef WDDMSIM_SIMULATION_H
#define WDDMSIM_SIMULATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim;

/* A date in the calendar, embedded in whatever waits for it. Zero-initialised, then
 * sim_timer_init. */
struct sim_timer {
    void (*fire)(void *owner);
    void *owner;
    size_t place; /* in the calendar + 1; 0 = not pending */
};

static inline void sim_timer_init(struct sim_timer *timer, void (*fire)(void *owner), void *owner)
{
    timer->fire = fire;
    timer->owner = owner;
    timer->place = 0;
}

static inline bool sim_timer_pending(const struct sim_timer *timer)
{
    return timer->place != 0;
}

/* One host link: system memory <-> adapter. */
struct sim_link {
    double bandwidth_in;  /* bytes/s towards the adapter */
    double bandwidth_out; /* bytes/s towards system memory */
    double duplex_factor; /* 0.5..1: share each direction keeps while both are busy */
    /* Behind it lies the one link that all adapters with this share, as wide as the first one's. */
    bool shared;
};

enum sim_direction { SIM_IN, SIM_OUT };

/* A stretch of time in which not the transfer got on but another one on the same link. */
struct sim_loss {
    uint64_t from_ns, to_ns;
    uint64_t other; /* its `who` */
    double weight;  /* of it among all losses, until they are known */
};

enum { SIM_LOSSES = 8 }; /* that are told apart in one transfer; more count with the latest */

/* A transfer under way, embedded in whatever waits for it. */
struct sim_transfer {
    struct sim_timer timer; /* fires when the transfer ends */
    struct sim *sim;
    void (*ended)(void *owner);
    void *owner;
    uint32_t link;
    enum sim_direction direction;
    uint64_t bytes;
    uint64_t start_ns;
    uint64_t who; /* the owner's number for it, which those are told that lose time to it */
    /* What it took longer than alone, in order of time: complete when it has ended. */
    uint32_t losses;
    struct sim_loss loss[SIM_LOSSES];
    uint64_t noted_ns;
    struct sim_transfer *next; /* of those under way */
};

struct sim_options {
    /* Lone transfers: false computes their end and tells SimGrid only once a second transfer
     * joins; true hands every transfer to SimGrid. Both give the same dates. */
    bool always_simgrid;
};

/* Prepares SimGrid (once per process: its clock never resets). */
struct sim *sim_create(const struct sim_link *links, uint32_t link_count,
                       const struct sim_options *options);

/* Simulated time, ns since the start. */
uint64_t sim_now(const struct sim *sim);

/* Fires the timer at `date_ns` (not before now). Timers of one date fire in the order they were
 * set; a pending timer is moved. */
void sim_at(struct sim *sim, struct sim_timer *timer, uint64_t date_ns);

/* Fires it after a delay. Dates beyond the end of time are the end of time: 584 years. */
void sim_after(struct sim *sim, struct sim_timer *timer, uint64_t delay_ns);

void sim_cancel(struct sim *sim, struct sim_timer *timer);

/* Starts moving `bytes` over a link; `fire(owner)` is called when the last byte has arrived. The
 * caller may set transfer->who behind it. */
void sim_transfer_start(struct sim *sim, struct sim_transfer *transfer, uint32_t link,
                        enum sim_direction direction, uint64_t bytes, void (*fire)(void *owner),
                        void *owner);

/* Runs `start(owner)` at time 0 and then everything that follows from it, until nothing is left to
 * happen or sim_stop is called. */
void sim_run(struct sim *sim, void (*start)(void *owner), void *owner);

/* Ends sim_run after the current handler. */
void sim_stop(struct sim *sim);

/* Dates taken from the calendar so far, and transfers started: for benchmarks. */
void sim_counts(const struct sim *sim, uint64_t *dates, uint64_t *transfers);

void sim_destroy(struct sim *sim);

#endif
