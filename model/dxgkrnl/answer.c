/* What VidMm accepts of the miniport's answer (wddm.md §2.2, §2.3, §1.6). */
#include "model/dxgkrnl/internal.h"

uint32_t dxgk_aperture_set(const struct profile *profile)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < profile->segment_count; i++)
        if (profile->segments[i].kind == PROFILE_APERTURE)
            set |= UINT32_C(1) << i;
    return set;
}

static uint32_t cpu_accessible_set(const struct profile *profile)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < profile->segment_count; i++)
        if (profile->segments[i].cpu_visible > 0 || profile->segments[i].cpu_host_aperture > 0)
            set |= UINT32_C(1) << i;
    return set;
}

/* Each row: a flag, what it needs beside it, what it excludes. */
struct flag_rule {
    uint64_t flag, needs, excludes;
};

static const struct flag_rule rules[] = {
    {DXGK_PERMANENT_SYSMEM, DXGK_CPU_VISIBLE, 0},
    {DXGK_CACHED, DXGK_CPU_VISIBLE, 0},
    {DXGK_PROTECTED, 0, DXGK_PERMANENT_SYSMEM | DXGK_EXISTING_SYSMEM | DXGK_EXISTING_KERNEL_SYSMEM},
    {DXGK_EXISTING_SYSMEM, 0, DXGK_PERMANENT_SYSMEM | DXGK_PROTECTED | DXGK_EXISTING_KERNEL_SYSMEM},
    {DXGK_EXISTING_KERNEL_SYSMEM, 0, DXGK_PERMANENT_SYSMEM | DXGK_PROTECTED | DXGK_EXISTING_SYSMEM},
    {DXGK_HISTORY_BUFFER, DXGK_CPU_VISIBLE,
     DXGK_ALLOCATION_INFO_FLAGS &
         ~(uint64_t)(DXGK_HISTORY_BUFFER | DXGK_CPU_VISIBLE | DXGK_CACHED)},
    {DXGK_EXPLICIT_RESIDENCY_NOTIFICATION, DXGK_ACCESSED_PHYSICALLY, 0},
    /* Needs MapAperture2Supported, which no adapter of the profiles reports. */
    {DXGK_MAP_APERTURE_CPU_VISIBLE, 0, DXGK_MAP_APERTURE_CPU_VISIBLE},
};

uint32_t dxgk_validate_flags(const struct profile *profile, uint64_t flags)
{
    uint64_t unknown = profile->wddm >= 20 ? DXGK_WDDM1_ONLY : DXGK_WDDM2_ONLY;
    if (flags & (unknown | ~DXGK_ALLOCATION_INFO_FLAGS))
        return STATUS_INVALID_PARAMETER;
    for (size_t i = 0; flags && i < sizeof rules / sizeof *rules; i++)
        if ((flags & rules[i].flag) &&
            ((flags & rules[i].needs) != rules[i].needs || (flags & rules[i].excludes)))
            return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* A primary is scanned out: none of the flags that keep it in system memory, and without a
 * preference any supported segment must do for the processor too. */
static bool primary_is_valid(const struct profile *profile,
                             const struct dxgk_allocation_info *answer)
{
    const uint64_t never = DXGK_PERMANENT_SYSMEM | DXGK_CACHED | DXGK_PROTECTED |
                           DXGK_EXISTING_SYSMEM | DXGK_EXISTING_KERNEL_SYSMEM;
    if (answer->flags & never)
        return false;
    return answer->preferred_segment[0] ||
           !(answer->supported_write_segment_set & ~cpu_accessible_set(profile));
}

/* Both adapters reach it, so it stays in system memory, and it is write-combined. */
static bool cross_adapter_is_valid(const struct profile *profile,
                                   const struct dxgk_allocation_info *answer)
{
    return !(answer->supported_write_segment_set & ~dxgk_aperture_set(profile)) &&
           (answer->flags & DXGK_CPU_VISIBLE) && !(answer->flags & DXGK_CACHED);
}

/* The CPU reaches every supported segment, or an aperture to fall back to. */
static bool cpu_access_is_valid(const struct profile *profile,
                                const struct dxgk_allocation_info *answer)
{
    uint32_t set = answer->supported_write_segment_set;
    return !(answer->flags & DXGK_CPU_VISIBLE) || !(set & ~cpu_accessible_set(profile)) ||
           ((set | answer->eviction_segment_set) & dxgk_aperture_set(profile));
}

/* Where a GDI surface is read by the processor, the driver says how far its rows are apart, and the
 * memory holds all of them (wddm.md §2.6). */
static bool pitch_is_valid(const struct dxgk_allocation_info *answer)
{
    uint8_t surface = answer->private_data.surface;
    if (surface != D3DKMDT_GDISURFACE_STAGING_CPUVISIBLE &&
        surface != D3DKMDT_GDISURFACE_EXISTINGSYSMEM)
        return true;
    uint64_t height = answer->private_data.height;
    return answer->pitch > 0 && answer->pitch >= answer->private_data.width &&
           (height == 0 || answer->pitch <= answer->size / height);
}

/* The read set counts before WDDM 2 only; there is no link of adapters, and no WDDM 3. */
static bool rest_is_valid(const struct profile *profile, const struct dxgk_allocation_info *answer)
{
    enum { HINT_FLAGS = 0x7f };
    const struct dxgk_allocation_usage_hint *hint = answer->usage_hint;
    return (profile->wddm >= 20 ||
            !(answer->supported_read_segment_set & ~profile_segment_set(profile))) &&
           answer->physical_adapter_index == 0 && answer->flags2 == 0 &&
           (!hint || (hint->version <= 1 && !(hint->flags & ~(uint32_t)HINT_FLAGS)));
}

/* In a segment of 64 KiB pages the start is a multiple of one (wddm.md §2.2). */
static bool alignment_is_valid(const struct profile *profile,
                               const struct dxgk_allocation_info *answer)
{
    for (uint32_t i = 0; answer->alignment && i < profile->segment_count; i++) {
        uint64_t page = profile->segments[i].page;
        if ((answer->supported_write_segment_set >> i & 1) && page == 65536 &&
            answer->alignment % page)
            return false;
    }
    return true;
}

uint32_t dxgk_validate_answer(const struct profile *profile,
                              const struct dxgk_allocation_info *answer, bool primary,
                              bool cross_adapter)
{
    bool valid = dxgk_validate_flags(profile, answer->flags) == STATUS_SUCCESS &&
                 alignment_is_valid(profile, answer) && pitch_is_valid(answer) &&
                 rest_is_valid(profile, answer) &&
                 (answer->pitch_aligned_size == 0 || answer->pitch_aligned_size >= answer->size) &&
                 !(answer->eviction_segment_set & ~dxgk_aperture_set(profile)) &&
                 answer->allocation_priority != 0 && cpu_access_is_valid(profile, answer) &&
                 (primary || !(answer->flags & DXGK_USE_ALTERNATE_VA)) &&
                 (!primary || primary_is_valid(profile, answer)) &&
                 (!cross_adapter || cross_adapter_is_valid(profile, answer));
    return valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}
