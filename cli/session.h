/* A trace played on a machine: what lies between the options of a command and its results. */
#ifndef WDDMSIM_CLI_SESSION_H
#define WDDMSIM_CLI_SESSION_H

#include "analysis/recorder.h"
#include "cli/cli.h"
#include "workloads/replay.h"

struct session {
    const struct cli_play *play;
    const char *trace;
    struct hardware hardware;
    struct dxgkddi miniport; /* where it is not the built-in one */
    struct trace_reader *reader;
    struct foresight *foresight; /* NULL: the victim policy does not ask for it */
    struct cli_progress progress;
    struct replay_result result;
    double wall_s; /* that the replay took */
    bool catching;
    char miniport_sha256[65];
    const char **fact_keys;
    double *fact_values;
};

/* The machine with the overrides applied and checked as a whole. False and one line. */
bool session_hardware(const struct cli_play *play, struct hardware *hardware,
                      struct profile_error *error);

/* Loads hardware and miniport and opens the trace; `*session` need not be initialised. The exit
 * status, after a message if it is not CLI_OK; session_close in any case. */
int session_open(struct session *session, const struct cli_play *play, const char *trace,
                 bool quiet);

/* Plays the trace before the probe, once per process. The exit status, after a message if it is
 * not CLI_OK; an interrupted run is CLI_OK with a partial result. */
int session_play(struct session *session, struct probe *probe, const struct dxgk_fault *faults,
                 size_t fault_count);

/* What the recorder is to say of the run; strings belong to the session and its options.
 * `trace_sha256` may be NULL. False after a message: out of memory. */
bool session_describe(struct session *session, const char *trace_sha256, const char *command_line,
                      struct recorder_run *about);

/* `recorder` is destroyed in between; NULL is allowed. */
void session_close(struct session *session, struct recorder *recorder);

#endif
