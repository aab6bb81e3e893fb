/* A laboratory for queues: VidSch by itself on the ruler (`ideal`), under arrivals of random or
 * fixed times. A packet's response time is from its submission to its completion. */
#ifndef WDDMSIM_TESTS_LAB_H
#define WDDMSIM_TESTS_LAB_H

#include "model/vidsch/vidsch.h"
#include "tests/validation/validation.h"

/* How long something takes. */
struct lab_time {
    enum lab_distribution { LAB_FIXED, LAB_EXPONENTIAL, LAB_TWO_POINTS } distribution;
    double mean_ns;  /* two points: the first one */
    double other_ns; /* the second one */
    double chance;   /* of the second one */
};

struct lab_source;

/* Where packets come from: one after the other with a pause `between`, or, closed, each customer's
 * next one so long after its last has completed. */
struct lab_source {
    uint32_t node;
    int32_t priority, in_process;
    enum vidsch_band band; /* 0: as processes begin, normal */
    uint64_t quantum_ns;
    uint32_t contexts; /* a packet goes to one that has none; 0: all go to one */
    bool spread;       /* the contexts are on as many nodes, `node` and the next ones, and packets
                        * that find none free wait for one outside, in order */
    bool closed;
    uint32_t customers; /* if it is closed; 0: one */
    struct lab_time between, service;
    uint64_t first_ns;     /* of open ones: when the first arrives */
    uint64_t granule_ns;   /* of the packets */
    uint64_t announced_ns; /* so long ahead of a packet its context asks for the engine, and keeps
                            * it until the packet comes */
    size_t count;          /* of packets that are measured; 0: none */
    void (*completed)(struct lab_source *source); /* NULL, or hears of every completion */

    /* What came of it: response times, dates of completion. */
    double *response_ns, *completed_ns;
    size_t completed_count;

    struct lab *lab; /* the rest is the laboratory's */
    struct vidsch_context **free_contexts;
    uint32_t free_count;
    struct lab_job *idle_jobs, *waiting; /* the latter in order */
    struct sim_timer arrival;
};

enum { LAB_SOURCES = 16 };

struct lab {
    struct profile profile; /* `ideal`; to be changed before the run */
    struct lab_source sources[LAB_SOURCES];
    uint32_t source_count;
    uint64_t until_ns; /* the run ends then; 0: once all that is to be measured has completed */
    uint64_t busy_ns[PROFILE_NODES_MAX]; /* engines running packets */
    uint64_t switches;                   /* made */
    uint64_t seed;

    struct sim *sim;
    struct vidsch *vidsch;
    struct probe probe;
    void *random;
    size_t unfinished;
};

/* A new one, in memory that a child shares. lab_free ends it. */
struct lab *lab_new(void);
void lab_free(struct lab *lab);

/* Sets a key of the profile. */
void lab_set(struct lab *lab, const char *key, const char *value);

/* Runs it in a child process; Little's law and VidSch's invariants are verified at the end. Ends
 * the program if the child fails. */
void lab_run(struct lab *lab);

/* Of the measured response times, in µs. */
struct confident lab_mean_us(const struct lab_source *source);
struct confident lab_quantile_us(const struct lab_source *source, double p);

#endif
