/* What a call may ask for and the model carries without effect is counted, never ignored in
 * silence. RULES.md lists the same flags. */
#include "model/dxgkrnl/internal.h"

struct carried {
    uint64_t flag;
    const char *key;
};

static const struct carried create_flags[] = {
    {D3DKMT_NON_SECURE, "create_flag_without_effect_NonSecure"},
    {D3DKMT_RESTRICT_SHARED_ACCESS, "create_flag_without_effect_RestrictSharedAccess"},
    {D3DKMT_READ_ONLY, "create_flag_without_effect_ReadOnly"},
    {D3DKMT_PARTIAL_SHARED_CREATION, "create_flag_without_effect_PartialSharedCreation"},
    {D3DKMT_ZEROED, "create_flag_without_effect_Zeroed"},
    {D3DKMT_WRITE_WATCH, "create_flag_without_effect_WriteWatch"},
    {D3DKMT_PHYSICALLY_CONTIGUOUS, "create_flag_without_effect_PhysicallyContiguous"},
    {D3DKMT_NO_KMD_ACCESS, "create_flag_without_effect_NoKmdAccess"},
    {D3DKMT_SHARED_DISPLAYABLE, "create_flag_without_effect_SharedDisplayable"},
};

static const struct carried kmd_flags[] = {
    {DXGK_SWIZZLED, "kmd_flag_without_effect_Swizzled"},
    {DXGK_USE_ALTERNATE_VA, "kmd_flag_without_effect_UseAlternateVA"},
    {DXGK_SYNCHRONOUS_PAGING, "kmd_flag_without_effect_SynchronousPaging"},
    {DXGK_LINK_MIRRORED, "kmd_flag_without_effect_LinkMirrored"},
    {DXGK_LINK_INSTANCED, "kmd_flag_without_effect_LinkInstanced"},
    {DXGK_EXPLICIT_RESIDENCY_NOTIFICATION, "kmd_flag_without_effect_ExplicitResidencyNotification"},
    {DXGK_HARDWARE_PROTECTED, "kmd_flag_without_effect_HardwareProtected"},
    {DXGK_DISABLE_LARGE_PAGE_MAPPING, "kmd_flag_without_effect_DisableLargePageMapping"},
    {DXGK_CREATE_IN_VPR, "kmd_flag_without_effect_CreateInVpr"},
};

static void count(struct probe *probe, const struct carried *table, size_t rows, uint64_t flags)
{
    for (size_t i = 0; i < rows; i++)
        if (flags & table[i].flag)
            probe->assume(probe->self, table[i].key, 1);
}

void dxgk_count_carried(struct dxgkrnl *dxgkrnl, uint32_t flags)
{
    if (flags)
        count(dxgkrnl->probe, create_flags, sizeof create_flags / sizeof *create_flags, flags);
}

void dxgk_count_carried_kmd(struct dxgkrnl *dxgkrnl, uint64_t flags)
{
    if (flags)
        count(dxgkrnl->probe, kmd_flags, sizeof kmd_flags / sizeof *kmd_flags, flags);
}
