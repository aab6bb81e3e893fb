#include "model/vidsch/policies.h"

#include "model/hardware/profile.h"

const struct vidsch_policy *const vidsch_policies[] = {
    [PROFILE_SOFTWARE] = &vidsch_policy_software,
    [PROFILE_HARDWARE] = &vidsch_policy_hardware,
    [PROFILE_FIFO] = &vidsch_policy_fifo,
};
