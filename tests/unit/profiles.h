/* Profiles for tests that run in a child. */
#ifndef WDDMSIM_TESTS_PROFILES_H
#define WDDMSIM_TESTS_PROFILES_H

#include "model/hardware/profile.h"
#include "tests/unit/child.h"

/* The profile of that name, some values changed: pairs of key and value, ended by NULL; `settings`
 * may be NULL. */
static inline void child_profile(struct profile *profile, const char *name,
                                 const char *const (*settings)[2])
{
    struct profile_error error;
    if (!profile_load(name, profile, &error))
        child_fails("%s", error.message);
    for (; settings && (*settings)[0]; settings++)
        if (!profile_set(profile, (*settings)[0], (*settings)[1], "test", &error))
            child_fails("%s", error.message);
    if (!profile_check(profile, &error))
        child_fails("%s", error.message);
}

#endif
