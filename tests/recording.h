/* Where a real recording of shared/traces/recorded lies: where WDDMSIM_SHARED says, or in a folder
 * `shared` beside the source or further up. */
#ifndef WDDMSIM_TESTS_RECORDING_H
#define WDDMSIM_TESTS_RECORDING_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* `name` is FOLDER/FILE. False: there is none here; `path` is overwritten. The source's folder is
 * what automake or the Makefile's own targets name. */
static inline bool recording_path(const char *name, char *path, size_t room)
{
    const char *shared = getenv("WDDMSIM_SHARED"), *source = getenv("srcdir");
    if (source == NULL)
        source = getenv("SOURCE");
    if (shared != NULL) {
        snprintf(path, room, "%s/traces/recorded/%s", shared, name);
        if (access(path, R_OK) == 0)
            return true;
    }
    char above[64] = "";
    for (int level = 0; level < 6; level++) {
        snprintf(path, room, "%s/%sshared/traces/recorded/%s", source != NULL ? source : ".", above,
                 name);
        if (access(path, R_OK) == 0)
            return true;
        strcat(above, "../");
    }
    return false;
}

#endif
