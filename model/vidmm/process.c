/* Processes as VidMm sees them: whose an allocation is, how many devices there are, and how much
 * the person in front of the machine cares. */
#include "model/vidmm/internal.h"

#include <stdlib.h>
#include <utlist.h>

struct vidmm_process *vidmm_process_of(const struct vidmm *vidmm, uint32_t pid)
{
    struct vidmm_process *process;
    HASH_FIND(hh, vidmm->process_of_pid, &pid, sizeof pid, process);
    return process;
}

struct vidmm_process *vidmm_process_join(struct vidmm *vidmm, uint32_t pid)
{
    struct vidmm_process *process = vidmm_process_of(vidmm, pid);
    if (!process) {
        process = memory_new(1, sizeof *process);
        process->vidmm = vidmm;
        process->pid = pid;
        process->band = VIDMM_BAND_NORMAL;
        process->visibility = VIDMM_VISIBLE;
        process->unwanted.process = process;
        vidmm_pool_init(&process->unwanted, vidmm, VIDMM_UNWANTED);
        DL_APPEND(vidmm->processes, process);
        HASH_ADD(hh, vidmm->process_of_pid, pid, sizeof pid, process);
    }
    process->members++;
    return process;
}

void vidmm_process_leave(struct vidmm_process *process)
{
    if (--process->members == 0)
        vidmm_process_free(process);
}

void vidmm_process_free(struct vidmm_process *process)
{
    DL_DELETE(process->vidmm->processes, process);
    HASH_DELETE(hh, process->vidmm->process_of_pid, process);
    vidmm_pool_fini(&process->unwanted);
    free(process);
}

void vidmm_process_set_state(struct vidmm *vidmm, uint32_t pid, enum vidmm_band band,
                             enum vidmm_visibility visibility)
{
    struct vidmm_process *process = vidmm_process_join(vidmm, pid);
    bool stated = band != VIDMM_BAND_NORMAL || visibility != VIDMM_VISIBLE;
    process->band = band;
    process->visibility = visibility;
    vidmm_process_reweigh(process);
    if (stated && !process->stated)
        process->members++; /* what was said is remembered though it has nothing yet */
    process->members -= !stated && process->stated;
    process->stated = stated;
    vidmm_process_leave(process);
}

void vidmm_process_exit(struct vidmm *vidmm, uint32_t pid)
{
    if (vidmm_process_of(vidmm, pid))
        vidmm_process_set_state(vidmm, pid, VIDMM_BAND_NORMAL, VIDMM_VISIBLE);
}
