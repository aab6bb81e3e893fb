#include "model/simulation/flows.h"

#include "model/memory.h"

#include <math.h>
#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <simgrid/host.h>
#include <simgrid/semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xbt/config.h>
#include <xbt/log.h>

/* An actor that carries one transfer at a time: a flow needs an actor in SimGrid's C interface, and
 * creating one per flow would cost ten times the flow. */
struct sim_worker {
    struct flows *flows;
    sg_sem_t wake;
    struct sim_transfer *transfer;
    sg_host_t from, to;
    double bytes;
    struct sim_worker *next; /* in the idle list */
};

struct flows {
    struct sim *sim;
    uint32_t link_count;
    sg_host_t system;
    sg_host_t *adapters;
    sg_sem_t ended; /* one release per flow that has arrived */
    struct sim_worker *idle;
    struct sim_worker **workers;
    size_t worker_count;
    struct sim_transfer **arrived; /* in the order they arrived */
    size_t arrived_count;
    size_t active;
    void (*conduct)(void *owner);
    void *owner;
};

/* SimGrid counts whole bytes, but what is left of a transfer that others join need not be whole:
 * its bytes are this part of ours. */
static const double scale = 4096;

uint64_t flows_round_up_ns(double ns)
{
    double whole = ceil(ns - 0.01);
    return whole <= 0 ? 0 : (uint64_t)whole;
}

/* A link has one per direction. Where both directions together cannot have all of it, a third one
 * on both routes carries the sum: each then keeps duplex_factor of its share. */
static void write_link(FILE *out, const char *name, const struct sim_link *link)
{
    fprintf(out, "<link id=\"in%s\" bandwidth=\"%.17gBps\" latency=\"0s\"/>\n", name,
            scale * link->bandwidth_in);
    fprintf(out, "<link id=\"out%s\" bandwidth=\"%.17gBps\" latency=\"0s\"/>\n", name,
            scale * link->bandwidth_out);
    fprintf(out, "<link id=\"both%s\" bandwidth=\"%.17gBps\" latency=\"0s\"/>\n", name,
            scale * link->duplex_factor * (link->bandwidth_in + link->bandwidth_out));
}

static void write_way(FILE *out, const char *direction, const char *name,
                      const struct sim_link *link)
{
    fprintf(out, "<link_ctn id=\"%s%s\"/>", direction, name);
    if (link->duplex_factor < 1)
        fprintf(out, "<link_ctn id=\"both%s\"/>", name);
}

static void write_route(FILE *out, bool in, uint32_t adapter, const struct sim_link *link,
                        const struct sim_link *host)
{
    char name[16];
    const char *direction = in ? "in" : "out";
    snprintf(name, sizeof name, "%u", adapter);
    fprintf(out, "<route src=\"%s%s\" dst=\"%s%s\" symmetrical=\"NO\">", in ? "system" : "adapter",
            in ? "" : name, in ? "adapter" : "system", in ? name : "");
    write_way(out, direction, name, link);
    if (link->shared)
        write_way(out, direction, "host", host);
    fputs("</route>\n", out);
}

static void write_platform(FILE *out, const struct sim_link *links, uint32_t count)
{
    const struct sim_link *host = sim_shared_link(links, count);
    fputs("<?xml version='1.0'?>\n"
          "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
          "<platform version=\"4.1\"><zone id=\"machine\" routing=\"Full\">\n"
          "<host id=\"system\" speed=\"1Gf\"/>\n",
          out);
    for (uint32_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        fprintf(out, "<host id=\"adapter%u\" speed=\"1Gf\"/>\n", i);
        write_link(out, name, &links[i]);
    }
    if (host)
        write_link(out, "host", host);
    for (uint32_t i = 0; i < count; i++) {
        write_route(out, true, i, &links[i], host);
        write_route(out, false, i, &links[i], host);
    }
    fputs("</zone></platform>\n", out);
}

/* What SimGrid needs to be exact at nanoseconds: a model without its TCP corrections, no traffic
 * of acknowledgements, no window, and dates told apart to a picosecond. */
static void configure(void)
{
    int argc = 1;
    char name[] = "wddmsim", *argv[] = {name, NULL};
    xbt_log_control_set("root.thres:error");
    simgrid_init(&argc, argv);
    sg_cfg_set_string("network/model", "CM02");
    sg_cfg_set_boolean("network/crosstraffic", "no");
    sg_cfg_set_double("network/TCP-gamma", 1e30);
    sg_cfg_set_double("surf/precision", 1e-12);
}

static void load_platform(const struct sim_link *links, uint32_t count)
{
    int fd = memfd_create("platform.xml", 0);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out) {
        perror("wddmsim: cannot write the SimGrid platform to memory");
        exit(1);
    }
    write_platform(out, links, count);
    fflush(out);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    simgrid_load_platform(path);
    fclose(out);
}

/* A missing host would make sg_host_sendto spin for ever. */
static sg_host_t host(const char *name)
{
    sg_host_t found = sg_host_by_name(name);
    if (!found) {
        fprintf(stderr, "wddmsim: the SimGrid platform has no host %s\n", name);
        exit(1);
    }
    return found;
}

struct flows *flows_create(struct sim *sim, const struct sim_link *links, uint32_t link_count)
{
    struct flows *flows = memory_new(1, sizeof *flows);
    flows->sim = sim;
    configure();
    load_platform(links, link_count);
    flows->system = host("system");
    flows->adapters = memory_new(link_count, sizeof(sg_host_t));
    for (uint32_t i = 0; i < link_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "adapter%u", i);
        flows->adapters[i] = host(name);
    }
    flows->ended = sg_sem_init(0);
    return flows;
}

/* Two actor bodies; each finds its structure in its actor's data. */
static void conductor(int argc, char **argv)
{
    (void)argc, (void)argv;
    struct flows *flows = sg_actor_get_data(sg_actor_self());
    flows->conduct(flows->owner);
}

static void carrier(int argc, char **argv)
{
    (void)argc, (void)argv;
    struct sim_worker *worker = sg_actor_get_data(sg_actor_self());
    struct flows *flows = worker->flows;
    for (;;) {
        sg_sem_acquire(worker->wake);
        sg_host_sendto(worker->from, worker->to, worker->bytes);
        flows->arrived[flows->arrived_count++] = worker->transfer;
        worker->next = flows->idle;
        flows->idle = worker;
        sg_sem_release(flows->ended);
    }
}

static void start_actor(const char *name, sg_host_t where, xbt_main_func_t body, bool daemon,
                        void *data)
{
    sg_actor_t actor = sg_actor_init(name, where);
    sg_actor_set_data(actor, data);
    sg_actor_start(actor, body, 0, NULL);
    if (daemon)
        sg_actor_daemonize(actor);
}

void flows_run(struct flows *flows, void (*conduct)(void *owner), void *owner)
{
    flows->conduct = conduct;
    flows->owner = owner;
    start_actor("conductor", flows->system, conductor, false, flows);
    simgrid_run();
}

static struct sim_worker *idle_worker(struct flows *flows)
{
    struct sim_worker *worker = flows->idle;
    if (worker) {
        flows->idle = worker->next;
        return worker;
    }
    worker = memory_new(1, sizeof *worker);
    worker->flows = flows;
    worker->wake = sg_sem_init(0);
    flows->worker_count++;
    flows->workers = memory_resize(flows->workers, flows->worker_count, sizeof *flows->workers);
    flows->workers[flows->worker_count - 1] = worker;
    flows->arrived = memory_resize(flows->arrived, flows->worker_count, sizeof *flows->arrived);
    start_actor("carrier", flows->system, carrier, true, worker);
    return worker;
}

/* SimGrid's clock may lag behind the calendar's: by up to a nanosecond after a rounded end, by any
 * time while no flow was under way. */
static void catch_up(uint64_t now_ns)
{
    double now_s = (double)now_ns * 1e-9;
    if (simgrid_get_clock() < now_s)
        sg_actor_sleep_until(now_s);
}

void flows_start(struct flows *flows, struct sim_transfer *transfer, double bytes)
{
    catch_up(sim_now(flows->sim));
    struct sim_worker *worker = idle_worker(flows);
    bool in = transfer->direction == SIM_IN;
    worker->transfer = transfer;
    worker->from = in ? flows->system : flows->adapters[transfer->link];
    worker->to = in ? flows->adapters[transfer->link] : flows->system;
    worker->bytes = fmax(nearbyint(scale * bytes), 1);
    flows->active++;
    sg_sem_release(worker->wake);
}

bool flows_active(const struct flows *flows)
{
    return flows->active > 0;
}

/* Waits for one arrival, at most until `next_ns`. False: that date came first. */
static bool wait_for_arrival(struct flows *flows, uint64_t next_ns)
{
    if (next_ns == UINT64_MAX) {
        sg_sem_acquire(flows->ended);
        return true;
    }
    double timeout = (double)next_ns * 1e-9 - simgrid_get_clock();
    return timeout > 0 && sg_sem_acquire_timeout(flows->ended, timeout) == 0;
}

uint64_t flows_wait(struct flows *flows, uint64_t now_ns, uint64_t next_ns)
{
    if (flows->arrived_count == 0 && !wait_for_arrival(flows, next_ns))
        return next_ns;
    uint64_t date = flows_round_up_ns(simgrid_get_clock() * 1e9);
    if (date < now_ns)
        date = now_ns;
    if (date > next_ns)
        date = next_ns;
    for (size_t i = 0; i < flows->arrived_count; i++)
        sim_at(flows->sim, &flows->arrived[i]->timer, date);
    flows->active -= flows->arrived_count;
    flows->arrived_count = 0;
    while (!sg_sem_would_block(flows->ended))
        sg_sem_acquire(flows->ended);
    return date;
}

void flows_destroy(struct flows *flows)
{
    for (size_t i = 0; i < flows->worker_count; i++) {
        sg_sem_destroy(flows->workers[i]->wake);
        free(flows->workers[i]);
    }
    sg_sem_destroy(flows->ended);
    free(flows->workers);
    free(flows->arrived);
    free(flows->adapters);
    free(flows);
}
