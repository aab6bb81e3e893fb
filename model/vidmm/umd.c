/* The user-mode driver's answer to trim callbacks (wddm.md §6.4).
 *
 * It evicts what it used least recently, and only what none of its queued work needs. What it
 * evicted it makes resident again before it submits something that names it: the program above does
 * not notice, so a trace's own MakeResident and Evict go on counting as they did. A driver whose
 * submissions name nothing (WDDM 2 needs no lists) cannot know what it does not use, and evicts
 * nothing. */
#include "model/vidmm/internal.h"

#include <stdlib.h>
#include <utlist.h>

static int by_use(const void *a, const void *b)
{
    const struct vidmm_residency *x = *(const struct vidmm_residency *const *)a;
    const struct vidmm_residency *y = *(const struct vidmm_residency *const *)b;
    return (x->used > y->used) - (x->used < y->used);
}

static bool may_trim(const struct vidmm_residency *residency, enum vidmm_group group)
{
    const struct vidmm_allocation *allocation = residency->allocation;
    return allocation->group == group && residency->count > 0 && !residency->permanent &&
           allocation->holds == 1 && !allocation->pins && !allocation->dying;
}

/* Those it may trim in the order of their use; the caller frees the list. */
static struct vidmm_residency **candidates(const struct vidmm_process *process,
                                           enum vidmm_group group, uint32_t *count)
{
    const struct vidmm *vidmm = process->vidmm;
    const struct vidmm_device *device;
    struct vidmm_residency **found = NULL, *residency;
    uint32_t room = 0;
    *count = 0;
    DL_FOREACH (vidmm->devices, device) {
        if (device->process != process || !device->names_references)
            continue;
        DL_FOREACH2 (device->required, residency, in_device_next) {
            if (!may_trim(residency, group))
                continue;
            if (*count == room) {
                room = room ? 2 * room : 64;
                found = memory_resize(found, room, sizeof(struct vidmm_residency *));
            }
            found[(*count)++] = residency;
        }
    }
    if (*count)
        qsort(found, *count, sizeof(struct vidmm_residency *), by_use);
    return found;
}

/* Trims until so many bytes are given back, of what was not used behind the use of that number. */
static uint64_t trim(const struct vidmm_process *process, enum vidmm_group group, uint64_t bytes,
                     uint64_t until)
{
    uint32_t count;
    uint64_t given = 0;
    struct vidmm_residency **found = candidates(process, group, &count);
    for (uint32_t i = 0; i < count && given < bytes && found[i]->used <= until; i++) {
        given += found[i]->allocation->size;
        vidmm_residency_trim(found[i]);
    }
    free(found);
    if (given) {
        vidmm_count(process->vidmm, "trimmed_bytes", given);
        vidmm_kick(process->vidmm, probe_thing(PROBE_PROCESS, process->pid));
    }
    return given;
}

uint64_t vidmm_umd_trim(const struct vidmm_process *process, enum vidmm_group group, uint64_t bytes)
{
    return trim(process, group, bytes, UINT64_MAX);
}

/* PeriodicTrim: everything that was not used since the last one. */
static void trim_periodically(struct vidmm_process *process)
{
    vidmm_count(process->vidmm, "periodic_trim_callbacks", 1);
    for (enum vidmm_group group = 0; group < VIDMM_GROUPS; group++)
        trim(process, group, UINT64_MAX, process->trimmed_at);
    process->trimmed_at = process->vidmm->uses;
}

/* How long after its last periodic trim a process has the next: soon if memory is short, later if
 * it is not, and if it has submitted nothing meanwhile, when it counts as idle. 0: never. */
static uint64_t interval_of(const struct vidmm_process *process)
{
    const struct vidmm *vidmm = process->vidmm;
    const struct profile_vidmm *policy = &vidmm->profile->vidmm;
    bool short_of = false;
    for (enum vidmm_group group = 0; group < VIDMM_GROUPS; group++)
        short_of |= vidmm->groups[group].usage > vidmm->groups[group].available;
    if (!process->active)
        return policy->trim_idle_ns;
    return short_of ? policy->trim_minimum_ns : policy->trim_maximum_ns;
}

/* The process's periodic trim, if its time has come; when the next one is, UINT64_MAX: not before
 * it submits something. Behind its last submission it has one more, when it has become idle. */
static uint64_t look_at(struct vidmm_process *process, uint64_t now)
{
    uint64_t interval = interval_of(process);
    if (!interval || process->devices == 0 || (!process->active && process->idle_trimmed))
        return UINT64_MAX;
    if (process->trimmed_ns + interval <= now) {
        trim_periodically(process);
        process->trimmed_ns = now;
        process->idle_trimmed = !process->active;
        process->active = false;
        interval = process->idle_trimmed ? 0 : interval_of(process);
    }
    return interval ? process->trimmed_ns + interval : UINT64_MAX;
}

static void come_back_at(struct vidmm *vidmm, uint64_t date_ns)
{
    sim_at(vidmm->sim, &vidmm->periodic, date_ns);
    vidmm->periodic_ns = date_ns;
}

static void look_around(void *owner)
{
    struct vidmm *vidmm = owner;
    uint64_t now = sim_now(vidmm->sim), next = UINT64_MAX;
    struct vidmm_process *process;
    DL_FOREACH (vidmm->processes, process) {
        uint64_t due = look_at(process, now);
        next = due < next ? due : next;
    }
    if (next != UINT64_MAX)
        come_back_at(vidmm, next > now ? next : now + 1);
}

void vidmm_umd_init(struct vidmm *vidmm)
{
    sim_timer_init(&vidmm->periodic, look_around, vidmm);
}

/* Its next trim is due earlier than that of an idle process. */
static void becomes_active(struct vidmm_process *process)
{
    struct vidmm *vidmm = process->vidmm;
    process->active = true;
    process->idle_trimmed = false;
    uint64_t interval = vidmm->profile->vidmm.trim_maximum_ns ? interval_of(process) : 0;
    uint64_t now = sim_now(vidmm->sim), due = process->trimmed_ns + interval;
    if (!interval)
        return;
    if (!sim_timer_pending(&vidmm->periodic) || due < vidmm->periodic_ns)
        come_back_at(vidmm, due > now ? due : now);
}

/* A submission names these: what was trimmed comes back. */
void vidmm_umd_use(struct vidmm_device *device, struct vidmm_allocation *const *items,
                   uint32_t count)
{
    struct vidmm *vidmm = device->vidmm;
    struct vidmm_process *process = device->process;
    device->names_references |= count > 0;
    if (!process->active)
        becomes_active(process);
    vidmm_still_over_budget(vidmm);
    for (uint32_t i = 0; i < count; i++) {
        if (items[i]->trimmed && vidmm_residency_restore(device, items[i]))
            vidmm_count(vidmm, "made_resident_again_after_a_trim", 1);
        struct vidmm_residency *residency = vidmm_residency_of(device, items[i]);
        if (residency)
            residency->used = ++vidmm->uses;
    }
}
