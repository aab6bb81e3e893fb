/* Allocations: from creation to the moment the last user lets go. */
#include "model/vidmm/internal.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static uint64_t round_up(uint64_t size, uint64_t page)
{
    return (size + page - 1) / page * page;
}

/* The coarsest page of the supported segments: the allocation's size is a multiple of it wherever
 * it goes (wddm.md §5.5). */
static uint64_t page_of(const struct vidmm *vidmm, uint32_t segments)
{
    uint64_t page = VIDMM_PAGE;
    for (uint32_t i = 0; i < vidmm->profile->segment_count; i++)
        if ((segments >> i & 1) && vidmm->profile->segments[i].page > page)
            page = vidmm->profile->segments[i].page;
    return page;
}

uint32_t vidmm_first_segment(const struct vidmm_allocation *allocation)
{
    if (allocation->preferred[0])
        return allocation->preferred[0] & VIDMM_SEGMENT_ID;
    for (uint32_t id = 1; id <= allocation->vidmm->profile->segment_count; id++)
        if (allocation->segments >> (id - 1) & 1)
            return id;
    return 0;
}

static uint32_t validate(struct vidmm *vidmm, const struct vidmm_allocation_info *info)
{
    uint32_t known = profile_segment_set(vidmm->profile);
    if (info->size == 0 || info->size > UINT64_C(1) << 48 || !(info->segments & known) ||
        (info->segments & ~known) || (info->alignment & (info->alignment - 1)) ||
        info->bank == VIDMM_BANK_FROM_TOP) /* of no bank */
        return STATUS_INVALID_PARAMETER;
    for (int i = 0; i < 5 && info->preferred[i]; i++) {
        uint32_t id = info->preferred[i] & VIDMM_SEGMENT_ID;
        if (info->preferred[i] & ~(VIDMM_SEGMENT_ID | VIDMM_FROM_END) || id == 0 ||
            !(info->segments >> (id - 1) & 1))
            return STATUS_INVALID_PARAMETER;
    }
    uint64_t largest = 0;
    for (uint32_t i = 0; i < vidmm->profile->segment_count; i++)
        if ((info->segments >> i & 1) && vidmm->segments[i].range.size > largest)
            largest = vidmm->segments[i].range.size;
    uint64_t size = round_up(info->size, page_of(vidmm, info->segments));
    if (size > largest && !info->demand_paged) /* else block by block */
        return STATUS_GRAPHICS_NO_VIDEO_MEMORY;
    return info->borrowed || vidmm_commit_room(vidmm, size) ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

static struct vidmm_allocation *create(struct vidmm *vidmm,
                                       const struct vidmm_allocation_info *info)
{
    struct vidmm_allocation *allocation = memory_pool_take(&vidmm->allocation_pool);
    uint64_t page = page_of(vidmm, info->segments);
    *allocation = (struct vidmm_allocation){
        .vidmm = vidmm,
        .size = round_up(info->size, page),
        .alignment = info->alignment > page ? info->alignment : page,
        .segments = info->segments,
        .contiguous = info->contiguous || !vidmm->explicit_residency,
        .bank = info->bank,
        .from_end = info->from_end,
        .overlay = info->overlay,
        .permanent_system_memory = info->permanent_system_memory,
        .needs_no_zeroing = info->needs_no_zeroing,
        .borrowed = info->borrowed,
        .first_page_in = info->first_page_in,
        .owner = info->owner,
        .context_allocation = info->context_allocation,
        .priority = info->priority,
        .rank = vidmm_priority_class(info->priority),
        .process = vidmm_process_join(vidmm, info->pid),
        .standing.next_use = UINT64_MAX,
        .context = info->context,
        .content = info->has_content ? VIDMM_IN_SYSTEM : VIDMM_NOTHING,
        .label = {.text = info->label.text ? strdup(info->label.text) : NULL,
                  .number = info->label.number},
        .holds = 1,
    };
    memcpy(allocation->preferred, info->preferred, sizeof allocation->preferred);
    allocation->group =
        vidmm_segment_group(&vidmm->profile->segments[vidmm_first_segment(allocation) - 1]);
    vidmm->allocation_count++;
    DL_APPEND2(vidmm->allocations, allocation, all_prev, all_next);
    if (info->context_allocation)
        vidmm->probe->context_allocation(vidmm->probe->self, sim_now(vidmm->sim), info->context, 1,
                                         0);
    return allocation;
}

/* Its blocks hold what it commits; aligned as they like. */
static void create_blocks(struct vidmm_allocation *allocation, struct vidmm_allocation_info info)
{
    uint64_t most = allocation->vidmm->profile->vidmm.fault.block;
    allocation->block_count = (uint32_t)((allocation->size + most - 1) / most);
    allocation->blocks = memory_new(allocation->block_count, sizeof(struct vidmm_allocation *));
    allocation->decommitted = true;
    info.alignment = 0;
    for (uint32_t i = 0; i < allocation->block_count; i++) {
        uint64_t left = allocation->size - i * most;
        info.size = left < most ? left : most;
        struct vidmm_allocation *block = create(allocation->vidmm, &info);
        block->pages = memory_new(1, sizeof *block->pages);
        if (info.has_content)
            vidmm_block_lock(block);
        vidmm_commit(block, true);
        allocation->blocks[i] = block;
        allocation->vidmm->allocation_count--;
    }
}

/* Of its segments those of memory: nothing is moved into an aperture. False: it has none, or likes
 * an aperture better. */
static bool keep_memory(const struct vidmm *vidmm, struct vidmm_allocation_info *info)
{
    const struct profile_segment *segments = vidmm->profile->segments;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < vidmm->profile->segment_count; i++)
        if (segments[i].kind != PROFILE_MEMORY)
            info->segments &= ~(UINT32_C(1) << i);
    for (uint32_t i = 0; i < 5 && info->preferred[i]; i++)
        if (info->segments >> ((info->preferred[i] & VIDMM_SEGMENT_ID) - 1) & 1)
            info->preferred[kept++] = info->preferred[i];
        else if (i == 0)
            return false;
    while (kept < 5)
        info->preferred[kept++] = 0;
    return info->segments;
}

uint32_t vidmm_allocation_create(struct vidmm *vidmm, const struct vidmm_allocation_info *info,
                                 struct vidmm_allocation **out)
{
    uint32_t status = validate(vidmm, info);
    if (status != STATUS_SUCCESS)
        return status;
    *out = create(vidmm, info);
    struct vidmm_allocation_info memory = *info;
    if (info->demand_paged && keep_memory(vidmm, &memory))
        create_blocks(*out, memory);
    else
        vidmm_commit(*out, true);
    return STATUS_SUCCESS;
}

void vidmm_allocation_hold(struct vidmm_allocation *allocation)
{
    allocation->holds++;
}

static void drop_blocks(struct vidmm_allocation *allocation)
{
    for (uint32_t i = 0; allocation->blocks && i < allocation->block_count; i++)
        vidmm_allocation_drop(allocation->blocks[i]);
    free(allocation->blocks);
    allocation->blocks = NULL;
}

void vidmm_allocation_drop(struct vidmm_allocation *allocation)
{
    if (--allocation->holds > 0)
        return;
    struct vidmm *vidmm = allocation->vidmm;
    vidmm->allocation_count -= !allocation->pages;
    drop_blocks(allocation);
    struct probe *probe = vidmm->probe;
    uint64_t now = sim_now(vidmm->sim);
    if (allocation->state == VIDMM_RESIDENT) {
        vidmm_ceases_resident(allocation);
        if (allocation->segment->profile->kind == PROFILE_MEMORY)
            probe->paging(probe->self,
                          &(struct probe_paging){
                              .kind = PROBE_DISCARD,
                              .allocation = allocation->label,
                              .pid = allocation->process->pid,
                              .bytes = vidmm_bytes_here(allocation),
                              .from = vidmm_probe_segment(vidmm, allocation->segment->id),
                              .queued_ns = now,
                              .started_ns = now,
                              .finished_ns = now,
                              .cause = "destroy",
                              .context_allocation = allocation->context_allocation,
                          });
        vidmm_leave_segment(allocation);
        allocation->state = VIDMM_OUT;
    }
    vidmm_offer_end(allocation);
    if (!allocation->decommitted)
        vidmm_commit(allocation, false);
    if (allocation->context_allocation)
        probe->context_allocation(probe->self, now, allocation->context, -1, 0);
    DL_DELETE2(vidmm->allocations, allocation, all_prev, all_next);
    struct probe_thing owner = probe_thing(PROBE_PROCESS, allocation->process->pid);
    vidmm_process_leave(allocation->process);
    free((void *)(uintptr_t)allocation->label.text);
    free(allocation->pages);
    memory_pool_give(&vidmm->allocation_pool, allocation);
    vidmm_kick(vidmm, owner);
}

void vidmm_allocation_destroy(struct vidmm_allocation *allocation)
{
    allocation->dying = true;
    for (uint32_t i = 0; i < vidmm_part_count(allocation); i++)
        vidmm_part(allocation, i)->dying = true;
    struct vidmm_residency *residency, *next;
    DL_FOREACH_SAFE2 (allocation->residencies, residency, next, in_allocation_next)
        vidmm_device_close(residency->device, allocation);
    DL_FOREACH_SAFE2 (allocation->trimmed, residency, next, in_allocation_next)
        vidmm_device_close(residency->device, allocation);
    vidmm_allocation_drop(allocation);
}

static void assume_resident(struct vidmm_allocation *allocation)
{
    struct probe *probe = allocation->vidmm->probe;
    allocation->mapped = allocation->vidmm->explicit_residency;
    if (allocation->state != VIDMM_OUT)
        return;
    allocation->content = VIDMM_IN_SYSTEM;
    if (allocation->pages)
        vidmm_block_lock(allocation);
    allocation->first_page_in = NULL;
    if (!vidmm_place(allocation)) {
        probe->assume(probe->self, "existing_allocations_without_room", 1);
        return;
    }
    if (allocation->segment->profile->kind == PROFILE_MEMORY)
        allocation->content = VIDMM_IN_SEGMENT;
    if (allocation->pages)
        vidmm_block_assume_here(allocation);
    vidmm_became_resident(allocation);
}

void vidmm_allocation_assume_resident(struct vidmm_allocation *allocation)
{
    for (uint32_t i = 0; i < vidmm_part_count(allocation); i++)
        assume_resident(vidmm_part(allocation, i));
}

void vidmm_arrived(struct vidmm_allocation *allocation)
{
    if (--allocation->in_flight > 0)
        return;
    if (!allocation->segment)
        allocation->state = VIDMM_OUT;
    else if (allocation->state != VIDMM_RESIDENT)
        vidmm_became_resident(allocation);
}

uint64_t vidmm_allocations(const struct vidmm *vidmm)
{
    return vidmm->allocation_count;
}

uint64_t vidmm_committed(const struct vidmm *vidmm)
{
    return vidmm->committed_bytes;
}

struct probe_label vidmm_allocation_label(const struct vidmm_allocation *allocation)
{
    return allocation->label;
}

uint64_t vidmm_allocation_size(const struct vidmm_allocation *allocation)
{
    return allocation->size;
}

uint32_t vidmm_allocation_segment(const struct vidmm_allocation *allocation)
{
    return allocation->state == VIDMM_RESIDENT ? allocation->segment->id : 0;
}

void vidmm_allocation_set_priority(struct vidmm_allocation *allocation, int64_t priority)
{
    for (uint32_t i = 0; i < vidmm_part_count(allocation); i++) {
        struct vidmm_allocation *part = vidmm_part(allocation, i);
        part->priority = priority;
        part->rank = vidmm_priority_class(priority);
        vidmm_restand(part);
    }
}
