/* A process's GPU virtual address space, as far as Dxgkrnl hands out addresses itself: the mappings
 * of context allocations (wddm.md §4.4). Ranges are kept by address. */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <utlist.h>

enum { PAGE = 4096 };

/* The first page is never given out, so that 0 can say that there is no address; 48 bits is what
 * the page tables of the profiles' adapters span. */
static const uint64_t va_end = UINT64_C(1) << 48;

struct dxgk_va_range {
    uint64_t start, end; /* bytes */
    const void *owner;
    struct dxgk_va_range *next;
};

/* Where a new range of `size` goes: the list position behind which, and its start; 0: nowhere. */
static uint64_t first_fit(struct dxgk_va_range ***at, uint64_t minimum, uint64_t end, uint64_t size)
{
    uint64_t start = minimum > PAGE ? minimum : PAGE;
    for (; start < end && size <= end - start; *at = &(**at)->next) {
        const struct dxgk_va_range *next = **at;
        if (!next || (next->start >= start && size <= next->start - start))
            return start;
        if (next->end > start)
            start = next->end;
    }
    return 0;
}

uint64_t dxgk_va_map(struct dxgk_process *process, const void *owner, uint64_t base,
                     uint64_t minimum, uint64_t maximum, uint64_t size)
{
    uint64_t end = maximum && maximum < va_end ? maximum : va_end;
    if (base) { /* that very range: the limits do not count */
        minimum = base;
        end = va_end;
    }
    if (minimum % PAGE)
        return 0;
    struct dxgk_va_range **at = &process->gpu_va;
    uint64_t start = first_fit(&at, minimum, end, size);
    if (start == 0 || (base && start != base))
        return 0;
    struct dxgk_va_range *range = memory_new(1, sizeof *range);
    *range =
        (struct dxgk_va_range){.start = start, .end = start + size, .owner = owner, .next = *at};
    *at = range;
    return start;
}

void dxgk_va_unmap(struct dxgk_process *process, const void *owner)
{
    struct dxgk_va_range **at = &process->gpu_va;
    while (*at) {
        struct dxgk_va_range *range = *at;
        if (range->owner == owner) {
            *at = range->next;
            free(range);
        } else {
            at = &range->next;
        }
    }
}

void dxgk_va_unmap_all(struct dxgk_process *process)
{
    while (process->gpu_va)
        dxgk_va_unmap(process, process->gpu_va->owner);
}
