#include "analysis/handover.h"
#include "analysis/heap.h"

#include <signal.h>

static void begin_block(struct handover *handover)
{
    handover->at = handover->block[handover->given % HANDOVER_BLOCKS].bytes;
    handover->full = handover->at + HANDOVER_BYTES - handover->spare;
}

void handover_give(struct handover *handover)
{
    pthread_mutex_lock(&handover->mutex);
    size_t slot = handover->given++ % HANDOVER_BLOCKS;
    handover->block[slot].length = (size_t)(handover->at - handover->block[slot].bytes);
    pthread_cond_signal(&handover->given_one);
    while (handover->given - handover->taken == HANDOVER_BLOCKS)
        pthread_cond_wait(&handover->taken_one, &handover->mutex);
    begin_block(handover);
    pthread_mutex_unlock(&handover->mutex);
}

void handover_catch_up(struct handover *handover)
{
    handover_give(handover);
    pthread_mutex_lock(&handover->mutex);
    while (handover->given != handover->taken)
        pthread_cond_wait(&handover->taken_one, &handover->mutex);
    pthread_mutex_unlock(&handover->mutex);
}

/* The other thread. */
static void *work_off(void *self)
{
    struct handover *handover = self;
    pthread_mutex_lock(&handover->mutex);
    for (;;) {
        while (handover->given == handover->taken && !handover->ended)
            pthread_cond_wait(&handover->given_one, &handover->mutex);
        if (handover->given == handover->taken)
            break;
        size_t slot = handover->taken % HANDOVER_BLOCKS;
        pthread_mutex_unlock(&handover->mutex);
        handover->work(handover->self, handover->block[slot].bytes, handover->block[slot].length);
        pthread_mutex_lock(&handover->mutex);
        handover->taken++;
        pthread_cond_signal(&handover->taken_one);
    }
    pthread_mutex_unlock(&handover->mutex);
    return NULL;
}

/* Signals are for the thread that was there before. */
static bool start_thread(struct handover *handover)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool good = pthread_create(&handover->thread, NULL, work_off, handover) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}

static void clear(struct handover *handover)
{
    pthread_mutex_destroy(&handover->mutex);
    pthread_cond_destroy(&handover->given_one);
    pthread_cond_destroy(&handover->taken_one);
    for (size_t i = 0; i < HANDOVER_BLOCKS; i++)
        free(handover->block[i].bytes);
}

bool handover_start(struct handover *handover, size_t spare,
                    void (*work)(void *self, unsigned char *bytes, size_t length), void *self)
{
    *handover = (struct handover){.spare = spare, .work = work, .self = self};
    pthread_mutex_init(&handover->mutex, NULL);
    pthread_cond_init(&handover->given_one, NULL);
    pthread_cond_init(&handover->taken_one, NULL);
    for (size_t i = 0; i < HANDOVER_BLOCKS; i++)
        handover->block[i].bytes = heap_check(malloc(HANDOVER_BYTES));
    begin_block(handover);
    bool good = start_thread(handover);
    if (!good)
        clear(handover);
    return good;
}

void handover_end(struct handover *handover)
{
    handover_catch_up(handover);
    pthread_mutex_lock(&handover->mutex);
    handover->ended = true;
    pthread_cond_signal(&handover->given_one);
    pthread_mutex_unlock(&handover->mutex);
    pthread_join(handover->thread, NULL);
    clear(handover);
}
