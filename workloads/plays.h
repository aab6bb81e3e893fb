/* What the player's files share among themselves. */
#ifndef WDDMSIM_WORKLOADS_PLAYS_H
#define WDDMSIM_WORKLOADS_PLAYS_H

#include "model/status.h"
#include "traces/vocabulary.h"
#include "workloads/player.h"

/* Where a play's refusal goes. */
struct complaint {
    char *text;
    size_t size;
};

/* Counts something taken for granted, in the summary's `assumptions`. */
void player_assume(struct player *player, const char *what);

struct replay_process *player_process(struct player *player, uint32_t pid);

/* A call that the recording did not make. */
struct d3dkmt_call *player_silent_call(struct player *player);

/* The live object of that name. With "unknown": "create" one that the trace never created is made
 * now, taken to have existed before the recording; else NULL. */
struct named_object *player_device(struct player *player, const struct trace_event *event);
struct named_object *player_context(struct player *player, const struct trace_event *event,
                                    struct trace_name name);
struct named_object *player_allocation(struct player *player, const struct trace_event *event,
                                       struct named_object *device, struct trace_name name);
struct vidsch_fence *player_fence(struct player *player, struct trace_name name);

/* The handle under which the device knows the allocation or resource; 0: it does not. */
d3dkmt_handle player_view(const struct named_object *object, const struct named_object *device);
void player_add_view(struct named_object *object, struct named_object *device,
                     d3dkmt_handle handle);
/* The device, which knows it, closes it once. False: nobody has it any more, the name is free. */
bool player_drop_view(struct player *player, struct names *names, struct named_object *object,
                      const struct named_object *device);

/* Room for `count` handles, valid until asked for again. */
d3dkmt_handle *player_handles(struct player *player, uint32_t count);

/* If the future is known: when the event's first `count` allocations are used next. */
void player_foresee(struct player *player, struct d3dkmt_call *call, uint32_t count);

/* Set of segment ids from names; unknown ones are left out and counted. */
uint32_t player_segments(struct player *player, const struct profile *profile,
                         struct trace_names names);
void player_preferred(struct player *player, const struct profile *profile,
                      struct trace_names names, uint32_t supported, uint8_t preferred[5]);

/* Whether a new object may have this name; else complains. */
bool player_name_is_free(const struct names *names, struct trace_name name, const char *op,
                         const char *field, struct complaint *complaint);

/* Flags that only another WDDM version than the profile's knows are left out and counted: the
 * driver for this one does not set them. */
uint64_t player_kmd_flags(struct player *player, uint64_t flags);

/* Banks are small numbers: what is too large names none, and is refused. */
static inline uint8_t player_bank(uint64_t bank)
{
    return bank > DXGK_BANK_MAX ? DXGK_BANK_FROM_TOP : (uint8_t)bank;
}

/* One function per op. */
typedef bool player_play_function(struct player *player, const struct trace_event *event,
                                  struct d3dkmt_call *call, struct complaint *complaint);

player_play_function play_create_device, play_destroy_device, play_create_context,
    play_destroy_context, play_create_allocation, play_open_resource, play_destroy_allocation,
    play_create_context_allocation, play_destroy_context_allocation, play_map_gpu_virtual_address,
    play_make_resident, play_evict, play_set_allocation_priority, play_offer, play_reclaim,
    play_lock, play_unlock, play_submit, play_signal, play_wait, play_present,
    play_set_context_priority, play_set_process_priority, play_set_process_state, play_exit_process,
    play_remove_adapter, play_mark_device_as_error;

#endif
