/* Bytes that one thread writes and another one works off, in blocks: a full block goes over, an
 * empty one comes back, and whoever is ahead waits.
 *
 * Each thread's own lies in cache lines that the other does not come to. */
#ifndef WDDMSIM_ANALYSIS_HANDOVER_H
#define WDDMSIM_ANALYSIS_HANDOVER_H

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Large blocks: to wake the other thread takes as long as to write thousands of bytes. */
enum { HANDOVER_BLOCKS = 8, HANDOVER_BYTES = 1 << 19, CACHE_LINE = 64 };

struct handover {
    /* The writer's: where he writes next, which he moves on; once that is at or behind `full`, he
     * gives the block away. */
    unsigned char *at, *full;
    size_t spare;

    alignas(CACHE_LINE) pthread_t thread;
    void (*work)(void *self, unsigned char *bytes, size_t length);
    void *self;

    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t given_one, taken_one;
    uint64_t given, taken; /* blocks so far */
    bool ended;
    struct {
        unsigned char *bytes;
        size_t length;
    } block[HANDOVER_BLOCKS];
};

/* Starts the other thread, which calls `work` for one block after the other. Behind `full` there
 * are `spare` bytes to write. False: no thread can be had. */
bool handover_start(struct handover *handover, size_t spare,
                    void (*work)(void *self, unsigned char *bytes, size_t length), void *self);

/* What was written so far goes over. */
void handover_give(struct handover *handover);

/* The same; returns when all of it is worked off. */
void handover_catch_up(struct handover *handover);

/* The same, and ends the thread. */
void handover_end(struct handover *handover);

#endif
