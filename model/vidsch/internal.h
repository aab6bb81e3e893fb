/* What VidSch's files share among themselves. */
#ifndef WDDMSIM_VIDSCH_INTERNAL_H
#define WDDMSIM_VIDSCH_INTERNAL_H

#include "model/memory.h"
#include "model/vidsch/policies.h"
#include "model/vidsch/vidsch.h"

#include <sys/types.h> /* bsd/sys/tree.h wants it */

#include <bsd/sys/tree.h>
#include <uthash.h>

/* Behind the engines' interrupts: completions, one after the other. */
struct vidsch_dpc {
    struct vidsch *vidsch;
    struct vidsch_task *tasks; /* in order */
    struct sim_timer timer;
    bool running;
    uint64_t last_ns; /* when the last interrupt came */
};

/* A processor that hands packets over: VidSch's one worker thread, or with hardware scheduling an
 * engine's own. It sleeps until a node may have something for it, then goes round the nodes. */
enum vidsch_worker_state { VIDSCH_ASLEEP, VIDSCH_WAKING, VIDSCH_WORKING };

struct vidsch_worker {
    struct vidsch *vidsch;
    enum vidsch_worker_state state;
    uint64_t nodes; /* bit n: node n may have something to do */
    uint32_t turn;  /* the node looked at next */
    struct vidsch_task task;
    struct sim_timer timer;
    uint32_t place; /* as the probe knows it */
    bool serving;   /* and with something in hand */
    const struct vidsch_node *rests_on;
};

/* Why a context's first packet is not going on. */
enum vidsch_context_state {
    VIDSCH_CONTEXT_IDLE,      /* nothing queued */
    VIDSCH_CONTEXT_READY,     /* waits for its turn */
    VIDSCH_CONTEXT_PREPARING, /* VidMm pages in what the first packet needs */
    VIDSCH_CONTEXT_BLOCKED,   /* the first packet waits for a fence */
    VIDSCH_CONTEXT_AHEAD,     /* the first packet is a present that the display is not ready for */
    VIDSCH_CONTEXT_LIFTED     /* ready, and about to be so at another level */
};

/* What of its quantum a context has left (wddm.md §8.4: the four states of the recordings). */
enum vidsch_quantum {
    VIDSCH_QUANTUM_FRESH,   /* all of it */
    VIDSCH_QUANTUM_BEGUN,   /* it counts down while the context runs */
    VIDSCH_QUANTUM_EXPIRED, /* used up */
    VIDSCH_QUANTUM_RENEWED /* all of it, and it does not count while nobody else wants the engine */
};

/* A process, as far as it decides on priorities. */
struct vidsch_process {
    uint32_t pid;
    enum vidsch_class class;
    enum vidsch_band band;
    struct vidsch_context *contexts;
    struct vidsch_share **shares; /* by node: the policy's, or NULL */
    UT_hash_handle hh;
};

/* What of a context's packets completes in order among themselves. */
enum vidsch_order { VIDSCH_ORDER_OTHERS, VIDSCH_ORDER_WAITS, VIDSCH_ORDER_FLIPS, VIDSCH_ORDERS };

struct vidsch_context {
    struct vidsch *vidsch;
    struct vidsch_node *node;
    struct vidsch_process *process;
    uint32_t id;
    int32_t priority, in_process;
    enum vidsch_band band;
    uint32_t level; /* 0..31: of the band, class and priority */
    bool system;
    bool dying;
    bool flushed;  /* waits no longer hold it up */
    bool aborted;  /* nothing of it runs any more */
    uint32_t held; /* in use further up the stack: not to be freed */
    void *owner;
    struct vidmm_context_memory *memory;

    enum vidsch_context_state state;
    bool apart;                  /* ready, and in its node's list of those */
    bool preparing;              /* VidMm is being asked right now */
    struct vidsch_packet *queue; /* the software queue */
    struct vidsch_packet *taken; /* out of it and not complete, in order */
    uint32_t queued;             /* packets in the software queue */
    uint32_t in_flight;          /* packets that are prepared or handed over, and not complete */
    uint32_t uncompleted;        /* packets queued, taken, or anywhere else */
    struct vidsch_packet *last[VIDSCH_ORDERS]; /* youngest not complete, or NULL */
    uint64_t unblocked_order;
    uint64_t blocked_ns; /* time spent behind unreached fences, up to blocked_since_ns */
    uint64_t blocked_since_ns;
    uint64_t told;                        /* the packet that the probe knows as the first */
    struct vidsch_flip_queue *flip_queue; /* NULL: it has presented nothing */

    /* The policy's. */
    uint64_t own_quantum_ns; /* 0: its band's */
    uint64_t quantum_ns;     /* 0: never over */
    int64_t quantum_left_ns; /* below 0: by how much it was overrun */
    enum vidsch_quantum quantum;
    struct vidsch_context *prev, *next;
    RB_ENTRY(vidsch_context) by_age;
    uint64_t ready_order;
    uint64_t ready_ns;

    struct vidsch_context *in_process_prev, *in_process_next;
    struct vidsch_context *all_prev, *all_next; /* all contexts */
};

/* What an engine is doing. */
enum vidsch_engine {
    VIDSCH_ENGINE_IDLE,
    VIDSCH_ENGINE_SWITCHING, /* saves one context's state, restores another's */
    VIDSCH_ENGINE_RUNNING,
    VIDSCH_ENGINE_STALLED, /* its packet touched what is not there */
    VIDSCH_ENGINE_SAVING,  /* saves the state of what it no longer runs: eager, or preempted */
    VIDSCH_ENGINE_RESETTING
};

enum vidsch_power { VIDSCH_POWER_UP, VIDSCH_POWER_DOWN, VIDSCH_POWER_COMING };

struct vidsch_node {
    struct vidsch *vidsch;
    uint32_t ordinal;
    uint32_t number; /* as the probe knows it */
    const struct profile_node *profile;
    struct vidsch_worker *placer; /* hands packets over */
    struct vidsch_worker firmware;
    struct vidsch_context *apart; /* ready with a wait, signal or present, if the policy minds */
    void *ready;                  /* the policy's */
    struct sim_timer again;       /* then the policy may decide otherwise */
    uint64_t again_ns;

    uint32_t waiting;               /* packets in the software queues of its contexts */
    bool stuck;                     /* the worker found no place for who is first in turn */
    uint32_t occupied;              /* hardware-queue slots taken, from hand-over to completion */
    struct vidsch_packet *hardware; /* placed, in order; the first one runs */
    uint32_t hardware_count;
    struct vidsch_context *loaded; /* context of the packet placed last; lazily kept */

    enum vidsch_engine engine;
    struct vidsch_context *state_of; /* whose state is on the engine and not in memory */
    uint32_t previous;               /* id of the context that it ran last; UINT32_MAX: none */
    uint64_t charged_ns;             /* up to here the running context's time is charged */
    struct sim_timer engine_timer;
    uint64_t stretch_ends_ns; /* running: its packet does, or stalls */

    enum vidsch_power power;
    bool cold;              /* just powered up: the driver takes longer */
    uint64_t idle_since_ns; /* if nothing is in the hardware queue */
    struct sim_timer power_timer;

    bool preempting; /* it was decided, and the packets are not handed back yet */
    bool stopping;   /* the engine was told, and stops where it can */
    struct vidsch_task hand_back;

    struct sim_timer watch; /* then the running packet has run for too long */
    bool overdue;           /* it has, and is to be preempted */

    bool unload; /* the null context is wanted */
    struct vidsch_packet null_packet;
    struct vidsch_packet preemption; /* the one under way, for the report */
};

struct vidsch {
    struct sim *sim;
    const struct profile *profile;
    struct probe *probe;
    const struct vidsch_policy *policy;
    struct vidsch_memory memory;
    struct probe_adapter adapter;
    struct vidsch_worker worker;
    struct vidsch_dpc dpc;
    struct vidsch_node *nodes;
    struct vidsch_context *contexts;
    struct vidsch_process *processes;
    struct vidsch_flip_queue *flip_queues;
    uint64_t order;
    uint64_t submitted, completed;
    /* Little's law: packets present, integrated over time, are the times they stayed. */
    uint64_t presence_ns, stayed_ns, presence_since_ns;
    struct memory_pool links; /* packet -> barrier */
    void (*hung)(void *owner, struct vidsch_context *context);
    void *hung_owner;
    struct sim_timer drop; /* then aborted contexts lose what they have queued */
};

/* waits.c: what the probe is told, and the packet's blame with it. */

/* The packet is a job from now on. */
void vidsch_wait_begin(struct vidsch_packet *packet);
void vidsch_wait_for(struct vidsch_packet *packet, enum probe_cause cause, struct probe_thing what);
void vidsch_wait_over(struct vidsch_packet *packet, enum probe_cause cause); /* it gets on */

/* It is not, or no longer, the first of its software queue. */
void vidsch_wait_in_queue(struct vidsch_packet *packet);

/* It is, and ready. */
void vidsch_wait_turn(struct vidsch_packet *packet);

struct probe_thing vidsch_place_node(const struct vidsch_node *node);
struct probe_thing vidsch_place_worker(const struct vidsch_worker *worker);
struct probe_thing vidsch_place_dpc(const struct vidsch *vidsch);

/* The place turns to the packet; NULL: to nobody's. */
void vidsch_serves(struct vidsch *vidsch, struct probe_thing place,
                   const struct vidsch_packet *packet);

/* So does the engine. With nothing to run it waits for who hands packets over. */
void vidsch_engine_serves(struct vidsch_node *node, const struct vidsch_packet *packet);
void vidsch_queue_serves_first(struct vidsch_context *context);

/* dpc.c */
void vidsch_dpc_init(struct vidsch *vidsch);

/* An engine's interrupt: the task is ready once it has been delivered, which took that long when it
 * was recorded (NULL: not known). */
void vidsch_dpc_interrupt(struct vidsch *vidsch, struct vidsch_task *task,
                          const uint64_t *recorded_ns);

/* The task goes in front of all others: it belongs to what the DPC is at. */
void vidsch_dpc_next(struct vidsch *vidsch, struct vidsch_task *task);

/* worker.c */
void vidsch_worker_init(struct vidsch_worker *worker, struct vidsch *vidsch, uint32_t place);

/* The node may have something to do. */
void vidsch_worker_look(struct vidsch_worker *worker, const struct vidsch_node *node);

/* context.c */

/* Looks at the context's first packet, which is another one than before. */
void vidsch_context_advance(struct vidsch_context *context);

/* The context waits for its turn; `again`: it had it, and gave it up for want of something. */
void vidsch_context_ready(struct vidsch_context *context, bool again);
void vidsch_context_unready(struct vidsch_context *context, enum vidsch_context_state state);

/* Takes the first packet out of the software queue. */
void vidsch_context_take(struct vidsch_context *context);

/* The first packet, a wait, signal or present, is the worker's to take now: how long that takes,
 * and what then is to be done. */
void vidsch_context_begin(struct vidsch_packet *packet, struct vidsch_task *task);

/* The worker is done with a signal or present. */
void vidsch_context_taken(void *packet);

/* What the display has shown or let in: the context's first packet may be one that waits for it. */
void vidsch_context_display_moved(struct vidsch_context *context);

/* While the worker was at the packet others in front of it were handed back: it is no longer the
 * first. */
bool vidsch_context_is_overtaken(const struct vidsch_packet *packet);

/* A packet that was handed over comes back to the front of the software queue. */
void vidsch_context_hand_back(struct vidsch_packet *packet);

/* A packet that reached the front of its queue was behind other packets until now; as long as the
 * front was waiting for a fence, that was the cause. */
void vidsch_context_settle_blame(struct vidsch_packet *packet, uint64_t now_ns);

/* The first packet stops waiting for its fence; it will wait again when it is the first again. */
void vidsch_context_stop_waiting(struct vidsch_context *context);

/* Time the context has spent, up to now, with an unreached fence in front of its queue. */
uint64_t vidsch_context_blocked_ns(const struct vidsch_context *context, uint64_t now_ns);

/* Ends a hold (held++): the context may be freed now. */
void vidsch_context_let_go(struct vidsch_context *context);

/* packet.c */
bool vidsch_packet_is_dma(const struct vidsch_packet *packet);

/* A signal or present is out of the software queue: it completes behind what was taken before. */
void vidsch_packet_taken(struct vidsch_packet *packet);

/* Does what the packet is for, and completes it. */
void vidsch_packet_conclude(struct vidsch_packet *packet);

/* The packet is complete: reports it, passes barriers. */
void vidsch_packet_complete(struct vidsch_packet *packet);

/* The engine is done with the packet: the DPC completes it and what was taken behind it. */
void vidsch_packet_interrupt(struct vidsch_packet *packet);

void vidsch_packet_report(const struct vidsch_packet *packet, uint64_t now_ns);

void vidsch_barrier_attach(struct vidsch_barrier *barrier, struct vidsch_packet *packet);

/* fence.c, present.c */
void vidsch_signal_complete(struct vidsch_packet *packet);
void vidsch_present_complete(struct vidsch_packet *packet);
void vidsch_present_begin(struct vidsch_packet *packet, struct vidsch_task *task);

/* flip-queue.c */

/* A present is queued in its context: within the frame latency, or held up for a while. */
void vidsch_flip_queue_submit(struct vidsch_packet *packet);

/* The first packet of its context is a present that is not to be taken yet: for what that waits. */
bool vidsch_flip_queue_holds_up(const struct vidsch_packet *packet);
struct probe_thing vidsch_flip_queue_first(const struct vidsch_context *context);

/* A flip whose picture is complete with the packet `drawing`, or is already (NULL). The barrier
 * answered is the caller's to arm. */
struct vidsch_barrier *vidsch_flip_queue_add(const struct vidsch_packet *packet,
                                             struct vidsch_packet *drawing);

/* A present is handed to the compositor; one is retired: shown, dropped, or handed over; one will
 * never be shown, its device is in error. */
void vidsch_flip_queue_composed(const struct vidsch_packet *packet);
void vidsch_flip_queue_retire(struct vidsch_flip_queue *queue);
void vidsch_flip_queue_abandon(struct vidsch_packet *packet);

/* The context goes; what is in its queue will be shown all the same. */
void vidsch_flip_queue_leave(struct vidsch_context *context);
const char *vidsch_flip_queue_check(const struct vidsch *vidsch);
void vidsch_flip_queues_free(struct vidsch *vidsch);

/* priority.c */
struct vidsch_process *vidsch_process(struct vidsch *vidsch, uint32_t pid);
void vidsch_process_join(struct vidsch_process *process, struct vidsch_context *context);
void vidsch_process_leave(struct vidsch_context *context);
void vidsch_process_free(struct vidsch *vidsch, struct vidsch_process *process);

/* node.c */
void vidsch_node_init(struct vidsch *vidsch, uint32_t ordinal);

/* Fills worker->task with the next thing to do on the node; false: there is nothing. */
bool vidsch_node_next(struct vidsch_node *node, struct vidsch_worker *worker);

/* There may be something to hand over. */
void vidsch_node_look(void *node);

/* The policy wants to be asked again then, at the latest. */
void vidsch_node_again(struct vidsch_node *node, uint64_t date_ns);

/* The packet's memory need not stay. */
void vidsch_node_release(struct vidsch_packet *packet);

/* A slot of the hardware queue is free again. */
void vidsch_node_free_slot(struct vidsch_node *node);
void vidsch_node_report(struct vidsch_node *node);

/* engine.c */
void vidsch_engine_init(struct vidsch_node *node);

/* The running context is charged for its time until now. */
void vidsch_engine_charge(struct vidsch_node *node);

/* A packet was placed: the engine runs it, now or when its turn comes. */
void vidsch_engine_placed(struct vidsch_node *node);

/* The engine is to stop at the next boundary, for the DPC to take back what it has. */
void vidsch_engine_preempt(struct vidsch_node *node);

/* Stops the running packet for good and resets the engine; then `done` takes back what was placed
 * and says that it is over. */
void vidsch_engine_reset(struct vidsch_node *node, void (*done)(void *node));
void vidsch_engine_reset_over(struct vidsch_node *node);

/* timeout.c */
void vidsch_timeout_init(struct vidsch *vidsch);
void vidsch_timeout_node_init(struct vidsch_node *node);

/* The running packet begins, is asked to stop, has stopped. */
void vidsch_timeout_begin(struct vidsch_node *node);
void vidsch_timeout_asked(struct vidsch_node *node);
void vidsch_timeout_over(struct vidsch_node *node);

/* Nobody else has asked for it in time: the running packet is to be asked to stop. */
bool vidsch_timeout_preempts(struct vidsch_node *node, struct vidsch_task *task);

/* An aborted context has something to be dropped, as soon as nobody is at it. */
void vidsch_drop_soon(struct vidsch *vidsch);

/* preempt.c */

/* What the node was given, and has not finished, goes back to where it came from. Packets keep
 * their order (wddm.md §8.4). */
void vidsch_preempt_take_back(struct vidsch_node *node, bool preempted);
void vidsch_preempt_over(struct vidsch_node *node);

/* Whether the context may have the engine taken from the one that runs; the result is reported. */
enum probe_attempt vidsch_preempt_attempt(struct vidsch_node *node, struct vidsch_context *context);

/* The context whose packet is placed behind the running one of another, if that one's time is over:
 * it would not be looked at again, because it is not ready. Else NULL. */
struct vidsch_context *vidsch_preempt_for_placed(struct vidsch_node *node);
void vidsch_preempt_begin(struct vidsch_node *node, struct vidsch_context *context,
                          struct vidsch_task *task);
void vidsch_preempt_hand_back(void *node);

/* quantum.c */

/* A new one: it counts when the context runs, or only once somebody else wants the engine. */
void vidsch_quantum_refresh(struct vidsch_context *context);
void vidsch_quantum_renew(struct vidsch_context *context);

/* Of its quantum the context has used so much. */
void vidsch_quantum_charge(struct vidsch_context *context, uint64_t ns);

/* The normal band of a node beside the focus band. */
struct vidsch_starved {
    int64_t credit; /* thousandths of a nanosecond */
    uint64_t since_ns;
    bool wanted, runs; /* since then: both bands want the engine; the normal one has it */
    bool yields;       /* it is the normal band's turn */
};

/* Whether the focus band yields to the normal one. */
bool vidsch_starved_yields(struct vidsch_starved *starved, struct vidsch_node *node,
                           bool both_want_it);

#endif
