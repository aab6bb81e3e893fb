#include "model/vidmm/policies.h"

#include <stddef.h>
#include <string.h>

static const struct vidmm_policy *const policies[] = {
    &vidmm_policy_lru,
};

const struct vidmm_policy *vidmm_policy_find(const char *name)
{
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (strcmp(policies[i]->name, name) == 0)
            return policies[i];
    return NULL;
}
