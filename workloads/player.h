/* The player: turns one event into the call it recorded. The replayer decides when. */
#ifndef WDDMSIM_WORKLOADS_PLAYER_H
#define WDDMSIM_WORKLOADS_PLAYER_H

#include "model/hardware/hardware.h"
#include "model/memory.h"
#include "model/miniport/miniport.h"
#include "workloads/foresight.h"
#include "workloads/names.h"
#include "workloads/numbers.h"

struct replay_process {
    uint32_t pid;
    struct dxgk_process *dxgk;
    struct named_object *assumed_device; /* made because nothing says which one it was */
    UT_hash_handle hh;
};

/* A call being played. */
struct played_call {
    struct d3dkmt_call call;
    struct probe_call report;
    struct player *player;
    bool silent; /* not the recording's: neither reported nor waited for */
    void (*on_return)(void *owner);
    void *owner;
    struct played_call *prev, *next;
};

struct player_adapter {
    const struct profile *profile;
    struct probe_adapter place; /* among the machine's */
    struct vidsch *vidsch;
    struct vidmm *vidmm;
    int32_t node_map[PROFILE_NODES_MAX]; /* recorded ordinals the profile lacks -> profile's; -1:
                                            none yet */
};

struct player {
    struct sim *sim;
    struct probe *probe;
    struct dxgkrnl *dxgkrnl;
    struct player_adapter adapters[HARDWARE_ADAPTERS_MAX];
    uint32_t adapter_count;
    struct trace_header header;
    struct replay_process *processes;
    struct names devices, contexts, allocations, resources, fences, context_allocations;
    struct played_call *calls; /* not finished */
    struct memory_pool call_pool;
    uint64_t index; /* of the event being played */
    uint64_t marks;
    d3dkmt_handle *handles; /* scratch */
    uint32_t handle_room;
    const struct foresight *foresight; /* NULL: the future is unknown */
    uint64_t *next_uses;               /* scratch, as long as the handles */
    struct probe_use *uses;            /* scratch, likewise */
    uint32_t use_count;
    struct numbers numbers; /* of allocations that submissions name */
    bool check;
    char failure[256]; /* what --check found; empty: nothing */
};

/* Of one adapter or several; the first one's `miniport` NULL: the built-in one, which the others
 * have anyway. Answers what a miniport does when it is started; if one fails nothing can be played.
 */
uint32_t player_init(struct player *player, struct sim *sim, const struct profile *const *profiles,
                     uint32_t adapter_count, struct probe *probe, const struct trace_header *header,
                     const struct dxgkddi *miniport);
void player_fini(struct player *player);

/* Plays the event now. `due_ns`: when the recording made the call. `on_return(owner)` is called
 * when it returns, maybe before this function does. False, and a message in `error`: the event
 * cannot be meant (two creates of a live name); nothing was done. */
bool player_play(struct player *player, const struct trace_event *event, uint64_t index,
                 uint64_t due_ns, void (*on_return)(void *owner), void *owner, char *error,
                 size_t error_size);

/* Plays what happened before the part of the trace that is wanted: objects come and go, fences have
 * their values, nothing takes part in the statistics. */
bool player_skip(struct player *player, const struct trace_event *event, char *error,
                 size_t error_size);

#endif
