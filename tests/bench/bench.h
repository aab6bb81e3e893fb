/* What the benchmarks share. Every measurement runs in a child process of its own: SimGrid's clock
 * never resets, and the peak of a process' memory never goes down. */
#ifndef WDDMSIM_TESTS_BENCH_H
#define WDDMSIM_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much of everything is done; see bench.c. */
struct bench {
    uint64_t events; /* of the trace that is replayed */
    unsigned runs;   /* of each measurement; the median counts */
    bool quick, full;
    char folder[256]; /* for traces and results, removed at the end */
};

/* What a measurement answers; each uses what it needs. */
struct bench_answer {
    double seconds;
    uint64_t events, bytes, dates, transfers, paging_operations, simulated_ns;
    uint64_t peak_bytes; /* of the child's memory: filled in by bench_run */
};

/* Measures something once, in the child. False: it failed and has said why. */
typedef bool bench_function(const void *what, struct bench_answer *answer);

/* Runs the function in a child process and waits for it. Ends the program if it fails. */
struct bench_answer bench_run(bench_function *function, const void *what);

/* The same several times, in turn with its baseline, so that both meet the same machine. The
 * answers are those of the run with the median time. */
void bench_compare(const struct bench *bench, bench_function *function, const void *what,
                   bench_function *baseline, const void *baseline_what, struct bench_answer *answer,
                   struct bench_answer *baseline_answer);

double bench_seconds(void);

/* One row of the table: a rate, the baseline's in the same unit, and their ratio. */
void bench_row(const char *name, double rate, double baseline_rate, const char *unit,
               const char *baseline_name);

/* Writes a trace of about so many events; the encoding follows the path. */
struct bench_generate {
    const char *path;
    uint64_t events;
};
bench_function bench_generate;

/* Writes so many of the plainest events. */
bench_function bench_submits;

/* One replay on rtx3070-8g, results and all but the plots. */
enum { BENCH_KEYS = 4 };
struct bench_replaying {
    const char *trace, *output;
    const char *keys[BENCH_KEYS][2]; /* changes to the profile: key and value */
    bool unwatched;                  /* nobody records what happens */
    bool one_thread;                 /* the recorder has none of its own */
};
bench_function bench_replay_trace;

/* The baseline of replays: SimGrid's clock taken from date to date, and flows. */
struct bench_loop {
    uint64_t dates, flows;
};
bench_function bench_simgrid_loop;

/* Writes what several parts read into the folder: the platform of the loop, and frames.wtrace. */
void bench_prepare(const struct bench *bench);

/* The groups of rows. */
void bench_paging(const struct bench *bench);
void bench_replay(const struct bench *bench);
void bench_scheduler(const struct bench *bench);
void bench_memory(const struct bench *bench);
void bench_decode(const struct bench *bench);
void bench_workloads(const struct bench *bench);

#endif
