/* What is run at one point of a sweep, and the name that its result is kept under. */
#ifndef WDDMSIM_CLI_SWEEP_SPOT_H
#define WDDMSIM_CLI_SWEEP_SPOT_H

#include "analysis/sweep/store.h"
#include "cli/sweep/study.h"

/* A trace: a file, or what a generator makes. */
struct spot_source {
    char *name;               /* for people: the path, or the command that generates it */
    char sha256[65];          /* of the file's bytes, "" of what is generated */
    char *identity;           /* what its events follow from */
    char key[STORE_KEY_SIZE]; /* digest of the identity */
    const char *path;         /* of a file */
    void *parameters;         /* of the workload */
    uint64_t seed;            /* of the workload */
};

struct spot {
    struct cli_play play; /* its lists are the spot's, their texts the study's */
    struct spot_source source;
};

/* The point's values applied to the study's; a baseline has none applied. False and one line if
 * they cannot be: the point is invalid. spot_free in any case. */
bool spot_make(const struct study *study, const struct sweep_point *point, struct spot *spot,
               char *error, size_t error_size);
void spot_free(struct spot *spot);

/* What the trace's events follow from: the bytes of a file and how they are read, or a generator
 * and its parameters. False and one line if it cannot be read. */
bool spot_identify(const struct study *study, struct spot *spot, char *error, size_t size);

/* The name of the result: digest of the program, the trace, the whole profile and how the trace is
 * played. Equal runs have equal keys, however they were asked for. False and one line if the
 * profile is no good or the trace cannot be read. */
bool spot_key(const struct study *study, struct spot *spot, char key[STORE_KEY_SIZE], char *error,
              size_t error_size);

/* The value that a key has where nothing is varied; false if it has none. */
bool spot_baseline(const struct study *study, const struct axis *axis, struct sweep_level *level);

#endif
