/* How far apart two spellings are, for "did you mean". Like status.h it stands on nothing, and
 * traces use it, too. */
#ifndef WDDMSIM_MODEL_DISTANCE_H
#define WDDMSIM_MODEL_DISTANCE_H

#include <stddef.h>

/* Levenshtein distance. Texts longer than a parameter's longest key, 160 bytes, are never near
 * anything: SIZE_MAX. */
size_t edit_distance(const char *a, const char *b);

#endif
