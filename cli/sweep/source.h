/* The traces of a sweep, decoded or generated once and then shared by all its points. */
#ifndef WDDMSIM_CLI_SWEEP_SOURCE_H
#define WDDMSIM_CLI_SWEEP_SOURCE_H

#include "analysis/sweep/pool.h"
#include "cli/sweep/spot.h"

/* Where the source's events are read from: the file itself if it is a .wtrace, else
 * DIRECTORY/traces/KEY.wtrace. free() it. */
char *source_path(const struct spot_source *source, const char *directory);
bool source_is_there(const struct spot_source *source, const char *directory);

/* Imports or generates it; in a process of its own, messages on standard error. */
enum pool_status source_make(const struct study *study, const struct spot *spot,
                             const char *directory);

/* Removes what was imported or generated: a finished sweep does not need it. */
void source_remove_all(const char *directory);

#endif
