/* The built-in display miniport: decides what a kernel-mode driver decides, from the profile. */
#ifndef WDDMSIM_MINIPORT_H
#define WDDMSIM_MINIPORT_H

#include "model/ddi.h"
#include "model/hardware/profile.h"

struct miniport {
    const struct profile *profile;
    struct dxgkrnl_interface dxgkrnl;
};

/* DriverEntry: fills the DDI table. */
void miniport_init(struct miniport *miniport, const struct profile *profile, struct dxgkddi *ddi);

#endif
