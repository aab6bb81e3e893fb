#include "model/simulation/simulation.h"

#include "model/memory.h"
#include "model/simulation/calendar.h"
#include "model/simulation/flows.h"
#include "model/simulation/sharing.h"

#include <assert.h>
#include <stdlib.h>

struct sim {
    struct calendar calendar;
    uint64_t now_ns;
    uint64_t dates, transfers;
    bool stopped;
    bool always_simgrid;
    const struct sim_link *links, *host; /* the one that shared ones share; NULL: none is */
    struct sim_transfer *under_way;
    struct sim_transfer *alone; /* the only transfer under way, its end computed; or NULL */
    struct flows *flows;        /* transfers that SimGrid carries */
    void (*start)(void *owner);
    void *start_owner;
};

const struct sim_link *sim_shared_link(const struct sim_link *links, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (links[i].shared)
            return &links[i];
    return NULL;
}

struct sim *sim_create(const struct sim_link *links, uint32_t link_count,
                       const struct sim_options *options)
{
    struct sim *sim = memory_new(1, sizeof *sim);
    struct sim_link *copy = memory_new(link_count, sizeof *copy);
    for (uint32_t i = 0; i < link_count; i++)
        copy[i] = links[i];
    sim->links = copy;
    sim->host = sim_shared_link(copy, link_count);
    sim->always_simgrid = options && options->always_simgrid;
    sim->flows = flows_create(sim, links, link_count);
    return sim;
}

uint64_t sim_now(const struct sim *sim)
{
    return sim->now_ns;
}

void sim_at(struct sim *sim, struct sim_timer *timer, uint64_t date_ns)
{
    assert(date_ns >= sim->now_ns);
    calendar_set(&sim->calendar, timer, date_ns);
}

void sim_after(struct sim *sim, struct sim_timer *timer, uint64_t delay_ns)
{
    const uint64_t end = UINT64_MAX - 1; /* UINT64_MAX stands for an empty calendar */
    sim_at(sim, timer, delay_ns < end - sim->now_ns ? sim->now_ns + delay_ns : end);
}

void sim_cancel(struct sim *sim, struct sim_timer *timer)
{
    if (timer->place)
        calendar_remove(&sim->calendar, timer);
}

void sim_stop(struct sim *sim)
{
    sim->stopped = true;
}

void sim_counts(const struct sim *sim, uint64_t *dates, uint64_t *transfers)
{
    *dates = sim->dates;
    *transfers = sim->transfers;
}

/* Of a transfer alone: the narrowest link on its way decides. */
static double bandwidth(const struct sim *sim, const struct sim_transfer *transfer)
{
    const struct sim_link *link = &sim->links[transfer->link];
    bool in = transfer->direction == SIM_IN;
    double own = in ? link->bandwidth_in : link->bandwidth_out;
    const struct sim_link *host = link->shared ? sim->host : link;
    double behind = in ? host->bandwidth_in : host->bandwidth_out;
    return behind < own ? behind : own;
}

/* A second transfer joins: what is left of the lone one becomes a flow of SimGrid's. */
static void hand_over(struct sim *sim)
{
    struct sim_transfer *lone = sim->alone;
    sim->alone = NULL;
    sim_cancel(sim, &lone->timer);
    double elapsed_s = (double)(sim->now_ns - lone->start_ns) * 1e-9;
    double rate = bandwidth(sim, lone);
    double left = (double)lone->bytes - elapsed_s * rate;
    if (flows_round_up_ns(left / rate * 1e9) == 0) /* ends this very nanosecond */
        sim_at(sim, &lone->timer, sim->now_ns);
    else
        flows_start(sim->flows, lone, left);
}

static uint64_t alone_ns(const struct sim *sim, const struct sim_transfer *transfer)
{
    return flows_round_up_ns((double)transfer->bytes / bandwidth(sim, transfer) * 1e9);
}

static void transfer_ended(void *owner)
{
    struct sim_transfer *transfer = owner, **link;
    struct sim *sim = transfer->sim;
    if (sim->alone == transfer)
        sim->alone = NULL;
    sharing_note(sim->under_way, sim->links, sim->now_ns);
    for (link = &sim->under_way; *link != transfer;)
        link = &(*link)->next;
    *link = transfer->next;
    sharing_settle(transfer, alone_ns(sim, transfer), sim->now_ns);
    transfer->ended(transfer->owner);
}

void sim_transfer_start(struct sim *sim, struct sim_transfer *transfer, uint32_t link,
                        enum sim_direction direction, uint64_t bytes, void (*fire)(void *owner),
                        void *owner)
{
    sharing_note(sim->under_way, sim->links, sim->now_ns);
    transfer->sim = sim;
    transfer->ended = fire;
    transfer->owner = owner;
    transfer->link = link;
    transfer->direction = direction;
    transfer->bytes = bytes;
    transfer->start_ns = transfer->noted_ns = sim->now_ns;
    transfer->who = 0;
    transfer->losses = 0;
    transfer->next = sim->under_way;
    sim->under_way = transfer;
    sim_timer_init(&transfer->timer, transfer_ended, transfer);
    sim->transfers++;
    if (bytes == 0) {
        sim_at(sim, &transfer->timer, sim->now_ns);
        return;
    }
    if (sim->alone)
        hand_over(sim);
    if (sim->always_simgrid || flows_active(sim->flows)) {
        flows_start(sim->flows, transfer, (double)bytes);
        return;
    }
    sim->alone = transfer;
    sim_at(sim, &transfer->timer, sim->now_ns + alone_ns(sim, transfer));
}

static void conduct(void *owner)
{
    struct sim *sim = owner;
    sim->start(sim->start_owner);
    while (!sim->stopped) {
        uint64_t next = calendar_next(&sim->calendar);
        if (flows_active(sim->flows))
            next = flows_wait(sim->flows, sim->now_ns, next);
        if (next == UINT64_MAX)
            break;
        sim->now_ns = next;
        while (calendar_next(&sim->calendar) == next && !sim->stopped) {
            struct sim_timer *timer = calendar_take(&sim->calendar);
            sim->dates++;
            timer->fire(timer->owner);
        }
    }
}

void sim_run(struct sim *sim, void (*start)(void *owner), void *owner)
{
    sim->start = start;
    sim->start_owner = owner;
    flows_run(sim->flows, conduct, sim);
}

void sim_destroy(struct sim *sim)
{
    if (!sim)
        return;
    calendar_fini(&sim->calendar);
    flows_destroy(sim->flows);
    free((void *)sim->links);
    free(sim);
}
