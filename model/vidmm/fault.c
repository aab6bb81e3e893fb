/* Demand paging: a packet runs, touches its memory, and keeps its engine while what is not there
 * comes.
 *
 * A packet touches all pages of its demand-paged references, in their order. The list is cut into
 * `vidmm.fault.streams` stretches of equal length, which are worked through side by side, a page of
 * each in turn, as the threads of a kernel do. The engine's time is spread evenly over the touches.
 * When it comes upon a page that is not there it goes on touching until so many faults are pending
 * as make a batch, and stalls. VidMm's worker serves the batch: it finds room for blocks that have
 * none, has the pages moved in, and the engine goes on behind them. Of hits VidMm knows nothing: a
 * block is used, to the policy that evicts, when a fault in it is served.
 *
 * That is how the published driver of unified memory does it (open-gpu-kernel-modules,
 * uvm_gpu_replayable_faults.c): blocks of 2 MiB, batches of 256 faults, a tree over the pages of a
 * block that prefetches, detection of thrashing. */
#include "model/vidmm/internal.h"

#include <stdlib.h>
#include <string.h>

/* What the stretch touches next, and how many pages it has left. */
struct stretch {
    uint32_t reference, block, page;
    uint64_t left;
};

struct vidmm_touches {
    struct vidmm *vidmm;
    struct vidsch_packet *packet;
    uint32_t writes_from;
    uint64_t pages, passed; /* to touch in all, and so far */
    struct stretch *stretches;
    uint32_t stretch_count, turn;
    /* What it is stalled for: blocks that it asks for, or bytes touched outside. */
    struct vidmm_allocation **blocks;
    uint32_t block_count, block_room;
    uint64_t outside[2]; /* bytes read, written */
    uint64_t stalled_ns; /* since when */
    struct vidmm_request request;
    struct sim_transfer transfer;
    struct sim_timer timer;
    enum sim_direction direction;
};

static uint64_t pages_of(const struct vidmm_allocation *reference)
{
    return reference->blocks ? reference->size / VIDMM_PAGE : 0;
}

void vidmm_touches_begin(struct vidmm *vidmm, struct vidsch_packet *packet, uint32_t writes_from)
{
    uint64_t pages = 0;
    for (uint32_t i = 0; i < packet->reference_count; i++)
        pages += pages_of(packet->references[i]);
    packet->touches = NULL;
    if (!pages)
        return;
    struct vidmm_touches *touches = memory_new(1, sizeof *touches);
    *touches = (struct vidmm_touches){
        .vidmm = vidmm, .packet = packet, .writes_from = writes_from, .pages = pages};
    packet->touches = touches;
}

void vidmm_touches_end(struct vidsch_packet *packet)
{
    struct vidmm_touches *touches = packet->touches;
    if (!touches)
        return;
    free(touches->stretches);
    free(touches->blocks);
    free(touches);
    packet->touches = NULL;
}

/* The place `pages` further on. */
static void move_on(const struct vidmm_touches *touches, struct stretch *at, uint64_t pages)
{
    const struct vidsch_packet *packet = touches->packet;
    while (at->reference < packet->reference_count) {
        const struct vidmm_allocation *reference = packet->references[at->reference];
        for (; reference->blocks && at->block < reference->block_count; at->block++, at->page = 0) {
            uint64_t left = vidmm_block_pages(reference->blocks[at->block]) - at->page;
            if (pages < left) {
                at->page += (uint32_t)pages;
                return;
            }
            pages -= left;
        }
        at->reference++;
        at->block = 0;
    }
}

/* The first stretches are a page longer if the pages do not divide. */
static void begin(struct vidmm_touches *touches)
{
    uint64_t streams = touches->vidmm->profile->vidmm.fault.streams;
    uint32_t count = (uint32_t)(streams < touches->pages ? streams : touches->pages);
    struct stretch at = {0};
    touches->stretch_count = count;
    touches->stretches = memory_new(count, sizeof at);
    move_on(touches, &at, 0);
    for (uint32_t i = 0; i < count; i++) {
        at.left = touches->pages / count + (i < touches->pages % count);
        touches->stretches[i] = at;
        move_on(touches, &at, at.left);
    }
}

static struct vidmm_allocation *block_at(const struct vidmm_touches *touches,
                                         const struct stretch *at)
{
    return touches->packet->references[at->reference]->blocks[at->block];
}

static void pass(struct vidmm_touches *touches, uint32_t pages)
{
    struct stretch *at = &touches->stretches[touches->turn];
    move_on(touches, at, pages);
    at->left -= pages;
    touches->passed += pages;
    touches->turn = (touches->turn + 1) % touches->stretch_count;
    if (touches->stretches[touches->turn].left == 0) /* it and all behind it are through */
        touches->turn = 0;
}

/* What was touched of what had come along with other pages. */
static void tell_prefetched(struct vidmm *vidmm)
{
    vidmm_count(vidmm, "faults.prefetched_used_bytes", vidmm->prefetched_used * VIDMM_PAGE);
    vidmm->prefetched_used = 0;
}

/* How the next touch goes. */
static enum vidmm_touch look(struct vidmm_touches *touches)
{
    const struct stretch *at = &touches->stretches[touches->turn];
    return vidmm_block_touch(block_at(touches, at), at->page);
}

/* Touches what is there. */
static void pass_hits(struct vidmm_touches *touches)
{
    while (touches->passed < touches->pages) {
        const struct stretch *at = &touches->stretches[touches->turn];
        struct vidmm_allocation *block = block_at(touches, at);
        if (touches->stretch_count == 1 && at->page == 0 && vidmm_block_is_whole(block)) {
            vidmm_block_touch_all(block);
            pass(touches, vidmm_block_pages(block));
        } else if (look(touches) == VIDMM_TOUCH_HIT) {
            pass(touches, 1);
        } else {
            return;
        }
    }
}

uint64_t vidmm_touch(struct vidsch_packet *packet)
{
    struct vidmm_touches *touches = packet->touches;
    if (!touches->stretches)
        begin(touches);
    pass_hits(touches);
    if (touches->vidmm->prefetched_used)
        tell_prefetched(touches->vidmm);
    if (touches->passed == touches->pages)
        return UINT64_MAX;
    uint64_t each = packet->execute_ns / touches->pages, rest = packet->execute_ns % touches->pages;
    uint64_t at = each * touches->passed + rest * touches->passed / touches->pages;
    uint64_t done = packet->execute_ns - packet->remaining_ns;
    return at > done ? at - done : 0;
}

static void ask(struct vidmm_touches *touches, struct vidmm_allocation *block, uint32_t page)
{
    if (block->pages->batch != touches->vidmm->batches) {
        block->pages->batch = touches->vidmm->batches;
        if (touches->block_count == touches->block_room) {
            touches->block_room = touches->block_room ? 2 * touches->block_room : 16;
            touches->blocks = memory_resize(touches->blocks, touches->block_room,
                                            sizeof(struct vidmm_allocation *));
        }
        touches->blocks[touches->block_count++] = block;
    }
    vidmm_block_ask(block, page);
}

/* A batch of faults; or, if the first one is not a fault, touches outside until there is one. */
static void gather(struct vidmm_touches *touches)
{
    struct vidmm *vidmm = touches->vidmm;
    uint64_t most = vidmm->profile->vidmm.fault.batch, faults = 0;
    vidmm->batches++;
    for (; touches->passed < touches->pages && faults < most; pass(touches, 1)) {
        const struct stretch *at = &touches->stretches[touches->turn];
        uint64_t *outside = &touches->outside[at->reference >= touches->writes_from];
        bool remote = touches->outside[0] || touches->outside[1];
        enum vidmm_touch touch = look(touches);
        if (touch == VIDMM_TOUCH_FAULT && !remote) {
            ask(touches, block_at(touches, at), at->page);
            faults++;
        } else if (touch == VIDMM_TOUCH_REMOTE && !faults) {
            *outside += VIDMM_PAGE;
        } else if (touch != VIDMM_TOUCH_HIT) {
            break;
        }
    }
    for (uint32_t i = 0; i < touches->block_count; i++)
        vidmm_block_prefetch(touches->blocks[i]);
    vidmm_count(vidmm, "faults.count", faults);
}

uint64_t vidmm_batch_ns(const struct vidmm *vidmm)
{
    return vidmm->profile->vidmm.fault.batch_ns;
}

uint64_t vidmm_fault_ns(struct vidmm_allocation *block, uint64_t bytes)
{
    const struct profile_fault *profile = &block->vidmm->profile->vidmm.fault;
    uint64_t pages = (bytes + profile->page - 1) / profile->page;
    uint64_t ns = profile->block_ns + pages * profile->page_ns;
    if (block->pages->cpu_mapped)
        ns += profile->unmap_ns;
    block->pages->cpu_mapped = false;
    return ns;
}

static void go_on(struct vidmm_touches *touches)
{
    struct vidmm *vidmm = touches->vidmm;
    vidmm_count(vidmm, "faults.stalled_ns", sim_now(vidmm->sim) - touches->stalled_ns);
    vidsch_packet_served(touches->packet);
}

static void touch_outside(struct vidmm_touches *touches);

static void touched_outside(void *owner)
{
    struct vidmm_touches *touches = owner;
    vidmm_tell_losses(touches->vidmm, &touches->transfer, blame_thing(&touches->packet->blame));
    vidmm_link(touches->vidmm, touches->direction, false);
    touches->outside[touches->direction] = 0;
    touch_outside(touches);
}

static void transfer(void *owner)
{
    struct vidmm_touches *touches = owner;
    struct vidmm *vidmm = touches->vidmm;
    vidmm_link(vidmm, touches->direction, true);
    sim_transfer_start(vidmm->sim, &touches->transfer, vidmm->adapter.number, touches->direction,
                       touches->outside[touches->direction], touched_outside, touches);
    touches->transfer.who = touches->packet->blame.job;
}

/* The engine reads system memory over the link, then it writes. */
static void touch_outside(struct vidmm_touches *touches)
{
    struct vidmm *vidmm = touches->vidmm;
    touches->direction = touches->outside[SIM_IN] ? SIM_IN : SIM_OUT;
    uint64_t bytes = touches->outside[touches->direction];
    if (!bytes) {
        go_on(touches);
        return;
    }
    vidmm_count(vidmm,
                touches->direction == SIM_IN ? "faults.read_outside_bytes"
                                             : "faults.written_outside_bytes",
                bytes);
    blame_work(&touches->packet->blame, vidmm->probe, PROBE_TRANSFER, sim_now(vidmm->sim));
    sim_timer_init(&touches->timer, transfer, touches);
    sim_after(vidmm->sim, &touches->timer, vidmm->profile->link.latency_ns);
}

static void served(void *owner, struct vidmm_request *request);

static void request(struct vidmm_touches *touches)
{
    struct vidmm *vidmm = touches->vidmm;
    struct vidmm_request *request = &touches->request;
    *request = (struct vidmm_request){
        .kind = VIDMM_FAULT,
        .device = vidsch_context_owner(touches->packet->context),
        .items = memory_new(touches->block_count, sizeof *request->items),
        .count = touches->block_count,
        .cause = "fault",
        .blame = &touches->packet->blame,
        .done = served,
        .owner = touches,
    };
    memcpy(request->items, touches->blocks, touches->block_count * sizeof *request->items);
    vidmm_count(vidmm, "faults.batches", 1);
    vidmm_count(vidmm, "faults.blocks", touches->block_count);
    vidmm_request_start(vidmm, request);
}

/* Blocks for which there was no room beside the others of the batch fault again. If there was none
 * for any of them, they are touched outside this time. */
static void served(void *owner, struct vidmm_request *request_done)
{
    struct vidmm_touches *touches = owner;
    struct vidmm *vidmm = touches->vidmm;
    uint32_t count = touches->block_count;
    (void)request_done;
    touches->block_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct vidmm_allocation *block = touches->blocks[i];
        vidmm_standing_use(block);
        if (!block->dying && !block->segment && vidmm_page_count(&block->pages->asked))
            touches->blocks[touches->block_count++] = block;
    }
    if (touches->block_count && touches->block_count < count) {
        request(touches);
        return;
    }
    for (uint32_t i = 0; i < touches->block_count; i++) {
        struct vidmm_page_set *asked = &touches->blocks[i]->pages->asked;
        touches->outside[SIM_IN] += vidmm_page_count(asked) * (uint64_t)VIDMM_PAGE;
        *asked = (struct vidmm_page_set){0};
        vidmm->probe->assume(vidmm->probe->self, "faults_without_room", 1);
    }
    touches->block_count = 0;
    touch_outside(touches);
}

void vidmm_serve(struct vidsch_packet *packet)
{
    struct vidmm_touches *touches = packet->touches;
    touches->stalled_ns = sim_now(touches->vidmm->sim);
    gather(touches);
    if (touches->block_count)
        request(touches);
    else
        touch_outside(touches);
}
