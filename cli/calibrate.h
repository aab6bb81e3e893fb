/* What a recording says of its outcomes, and the model simulating the same: what `calibrate` fits
 * the one to the other with. */
#ifndef WDDMSIM_CLI_CALIBRATE_H
#define WDDMSIM_CLI_CALIBRATE_H

#include "cli/cli.h"
#include "cli/sweep/axis.h"

/* One outcome that was recorded. */
struct observation {
    uint64_t event; /* index of the call's event in the trace */
    enum trace_op op;
    bool returned; /* call to return; else call to the end of its asynchronous part */
    double ns;
    uint64_t t_ns;
};

/* A transfer that was seen between system memory and the adapter (ObserveTransfer). */
struct observed_transfers {
    double *bytes, *ns;
    size_t count, room;
};

struct observations {
    struct observation *items; /* by event */
    size_t count, room;
    uint64_t stride; /* of events: longer recordings are sampled */
    uint64_t first_ns, last_ns, events;
    struct observed_transfers in, out;
    char *copy; /* the trace, decoded, where every run reads it from */
};

/* Reads the trace once. The exit status, after a message if it is not CLI_OK. */
int observations_read(struct observations *observations, const struct cli_play *play,
                      const char *trace, bool quiet);
void observations_free(struct observations *observations);

/* Points to run: values of keys, as text, on top of what the command line sets. */
struct calibration_runs {
    const struct cli_play *play;
    const struct observations *observations;
    const char *const *keys;
    char (*texts)[QUANTITY_TEXT_SIZE]; /* values: of each point, all keys */
    size_t key_count;
    double *simulated; /* of each point, all observations; NaN: it did not happen. Shared memory */
    size_t room;       /* points that there is room for */
    uint64_t made;     /* runs so far */
    bool quiet;
};

/* `room` points of these keys, whose texts are the caller's to fill. False after a message. */
bool calibration_runs_init(struct calibration_runs *runs, size_t room);
void calibration_runs_free(struct calibration_runs *runs);

/* Runs so many points, each in a process of its own, side by side. CLI_OK, CLI_INTERRUPTED, or
 * CLI_FAILED after a message. */
int calibration_run(struct calibration_runs *runs, size_t points);

/* A value that is another one now, or why it is not. */
struct calibration_change {
    const char *key;
    char was[QUANTITY_TEXT_SIZE];
    char is[QUANTITY_TEXT_SIZE]; /* "": kept */
    char error[QUANTITY_TEXT_SIZE], from[160];
};

enum { CALIBRATION_KEYS_MAX = 64, CALIBRATION_CHANGES_MAX = 2 * CALIBRATION_KEYS_MAX };

struct calibrating {
    const struct cli_play *play;
    const char *const *keys; /* to be fitted to completions; none: the usual steps */
    size_t key_count;
    double hold_out; /* share of the recording, at its end, that is not fitted to */
    struct observations seen;
    struct hardware hardware; /* as far as it is calibrated */
    uint64_t runs;
    int status; /* why it ended, if it did */
    struct calibration_change changes[CALIBRATION_CHANGES_MAX];
    size_t change_count;
    /* Of the outcomes that are ends of asynchronous parts: */
    double *recorded;
    bool *fitted;   /* not held out */
    size_t *places; /* in seen.items */
    size_t done_count;
    double *before, *after; /* what was simulated, of all observations */
};

/* Whether it is in the part that is not fitted to. */
bool calibration_holds_out(const struct calibrating *all, const struct observation *observation);

/* Simulates the profile as it is now: one value for each observation, NaN if it did not happen.
 * NULL after a message; free() it. */
double *calibration_simulate(struct calibrating *all);

/* Fits everything that the observations tell. False after a message. */
bool calibration_of_all(struct calibrating *all);

#endif
