/* What VidSch's files share among themselves. */
#ifndef WDDMSIM_VIDSCH_INTERNAL_H
#define WDDMSIM_VIDSCH_INTERNAL_H

#include "model/memory.h"
#include "model/vidsch/vidsch.h"

/* One transition for the worker to make: it takes `duration_ns`, then `make` is called. */
struct vidsch_task {
    void (*make)(struct vidsch_packet *packet);
    struct vidsch_packet *packet;
    uint64_t duration_ns;
    struct vidsch_task *prev, *next;
};

struct vidsch_worker {
    struct vidsch_task *tasks; /* in order */
    struct sim_timer timer;    /* the first task's end */
    bool running;
};

/* Why a context's first packet is not going on. */
enum vidsch_context_state {
    VIDSCH_CONTEXT_IDLE,      /* nothing queued */
    VIDSCH_CONTEXT_READY,     /* in its node's ready list */
    VIDSCH_CONTEXT_PREPARING, /* VidMm pages in what the first packet needs */
    VIDSCH_CONTEXT_BLOCKED,   /* the first packet waits for a fence */
    VIDSCH_CONTEXT_DRAINING,  /* the first packet wants all earlier ones complete */
    VIDSCH_CONTEXT_TURNING    /* the worker or the display has the first packet */
};

struct vidsch_context {
    struct vidsch *vidsch;
    struct vidsch_node *node;
    uint32_t id;
    uint32_t pid;
    int32_t priority;
    bool system;
    bool dying;
    bool flushed;  /* waits no longer hold it up */
    uint32_t held; /* in use further up the stack: not to be freed */
    void *owner;
    struct vidmm_context_memory *memory;
    enum vidsch_context_state state;
    struct vidsch_packet *queue;
    uint32_t queued;                 /* packets in the software queue */
    uint32_t in_flight;              /* packets handed to the node and not completed */
    struct vidsch_packet *last;      /* youngest packet not completed, flips apart; or NULL */
    struct vidsch_packet *last_flip; /* youngest flip not completed, or NULL */
    struct vidsch_packet *drawing;   /* youngest packet in flight, or NULL */
    uint64_t unblocked_order;
    uint64_t blocked_ns; /* time spent behind unreached fences, up to blocked_since_ns */
    uint64_t blocked_since_ns;
    uint64_t next_vsync_ns;             /* before this its next synchronised flip is not shown */
    struct vidsch_context *prev, *next; /* in the node's ready list */
    struct vidsch_context *all_prev, *all_next; /* all contexts */
};

struct vidsch_node {
    struct vidsch *vidsch;
    uint32_t ordinal;
    const struct profile_node *profile;
    struct vidsch_context *ready;   /* by priority, then by the age of the first packet */
    uint32_t occupied;              /* hardware-queue slots taken, from hand-over to completion */
    struct vidsch_packet *hardware; /* placed, in order; the first one runs */
    uint32_t hardware_count;
    uint32_t waiting;              /* packets in the software queues of its contexts */
    bool saving;                   /* eager: the engine saves the state of what just ended */
    struct vidsch_context *loaded; /* context of the packet placed last; lazily kept */
    struct sim_timer save_timer;
};

struct vidsch {
    struct sim *sim;
    const struct profile *profile;
    struct probe *probe;
    struct vidsch_memory memory;
    struct vidsch_worker worker;
    struct vidsch_node *nodes;
    struct vidsch_context *contexts;
    uint32_t next_context_id;
    uint64_t order;
    uint64_t submitted, completed;
    struct memory_pool tasks;
    struct memory_pool links; /* packet -> barrier */
};

void vidsch_worker_init(struct vidsch *vidsch);

/* Gives the worker one more transition to make, behind those it has. */
void vidsch_worker_add(struct vidsch *vidsch, uint64_t duration_ns, struct vidsch_packet *packet,
                       void (*make)(struct vidsch_packet *packet));

/* Looks at the context's first packet and sets it on its way. */
void vidsch_context_advance(struct vidsch_context *context);

/* Takes the first packet out of the software queue. */
void vidsch_context_take(struct vidsch_context *context);

/* The packet is complete: reports it, passes barriers, lets the context go on. */
void vidsch_packet_complete(struct vidsch_packet *packet);

void vidsch_node_init(struct vidsch *vidsch, uint32_t ordinal);

/* Puts the context into its node's ready list by priority and age. */
void vidsch_node_ready(struct vidsch_context *context);
void vidsch_node_unready(struct vidsch_context *context);

/* Fills the node's hardware queue from its ready contexts. */
void vidsch_node_dispatch(struct vidsch_node *node);

void vidsch_node_report(struct vidsch_node *node);

#endif
