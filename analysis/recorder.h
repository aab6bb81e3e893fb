/* The recorder: watches a replay through probe.h, keeps statistics of bounded size, and writes the
 * result folder. */
#ifndef WDDMSIM_ANALYSIS_RECORDER_H
#define WDDMSIM_ANALYSIS_RECORDER_H

#include "model/probe.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct recorder;

struct recorder_options {
    /* Result folder: made if missing; its files are replaced. NULL: none, see recorder_summary. */
    const char *directory;
    bool calls;  /* write calls.csv */
    bool expect; /* compare outcomes with the recording (--expect) */
    uint64_t expect_tolerance_ns;
    bool timeline; /* write timeline.json.gz */
    bool check; /* follow the chain of every call and compare it with the call's causes (--check) */
    bool uses;  /* keep what submissions name: the miss-ratio curve, the working sets */
    bool beside; /* record on a thread of its own, if one can be had; the results are the same */
};

/* What only the caller of a run knows; strings belong to the caller. */
struct recorder_run {
    const char *version;
    const char *trace;        /* path as given */
    const char *trace_sha256; /* hex */
    const char *command_line;
    const char *miniport, *miniport_sha256; /* NULL: the built-in one */
    const char *profile;                    /* name */
    const char *const *override_keys;
    const char *const *override_values;
    size_t override_count;
    const char *pace;
    uint64_t seed;
    uint64_t events;     /* read from the trace */
    uint64_t bad_events; /* skipped by --skip-bad */
    uint64_t simulated_ns;
    double wall_s;
    bool partial;           /* interrupted */
    uint64_t waiting_calls; /* still waiting when the trace ended */
    /* Facts the reader counted: key, value. */
    const char *const *fact_keys;
    const double *fact_values;
    size_t fact_count;
};

/* Starts recording. NULL and a message in `error` if the folder cannot be made. paging.csv and
 * calls.csv are streamed to temporary files in the folder while the run goes on. */
struct recorder *recorder_create(const struct recorder_options *options, char *error,
                                 size_t error_size);

/* What to hand to the model. Owned by the recorder. */
struct probe *recorder_probe(struct recorder *recorder);

/* Returns when everything that the model has told is recorded. */
void recorder_catch_up(struct recorder *recorder);

/* Closes the time series at simulated_ns and writes every file of the folder (under temporary
 * names, renamed when complete). `hardware` writes the profile as YAML. False and a message on
 * failure. */
bool recorder_finish(struct recorder *recorder, const struct recorder_run *run,
                     void (*hardware)(const void *profile, FILE *out), const void *profile,
                     char *error, size_t error_size);

/* What recorder_finish writes as summary.json, of a recorder without a folder; in its place. The
 * caller's to json_decref. */
struct json_t *recorder_summary(struct recorder *recorder, const struct recorder_run *run);

/* What the place can show that the one-screen summary goes to: colours; block characters (UTF-8).
 */
enum { RECORDER_COLOUR = 1, RECORDER_BLOCKS = 2 };

/* The one-screen summary, after recorder_finish; plain ASCII unless `can` says more. */
void recorder_print(struct recorder *recorder, const struct recorder_run *run, FILE *out,
                    unsigned can);

/* --expect: cases checked and failed; each failed case was printed to standard error by
 * recorder_finish (at most 100, then a count). */
void recorder_expectations(const struct recorder *recorder, uint64_t *checked, uint64_t *failed);

/* --check: NULL, or the first chain that does not add up to the causes of its call. */
const char *recorder_check(const struct recorder *recorder);

/* Removes temporary files and frees everything; NULL is allowed. */
void recorder_destroy(struct recorder *recorder);

#endif
