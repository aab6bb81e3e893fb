/* SimGrid's clock never resets: each simulation of a test runs in a process of its own. */
#ifndef WDDMSIM_TESTS_CHILD_H
#define WDDMSIM_TESTS_CHILD_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `body` in a child and returns whether it came to its end without failing. */
static inline bool child_runs(void (*body)(void *argument), void *argument)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(60); /* a simulation that hangs fails */
        body(argument);
        fflush(NULL);
        _exit(0);
    }
    int status;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* In a child: says what is wrong and ends it. */
#define child_fails(...)                                                                           \
    do {                                                                                           \
        fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                            \
        fprintf(stderr, __VA_ARGS__);                                                              \
        fputc('\n', stderr);                                                                       \
        _exit(1);                                                                                  \
    } while (0)

#define child_expects(got, wanted)                                                                 \
    do {                                                                                           \
        uint64_t got_ = (uint64_t)(got), wanted_ = (uint64_t)(wanted);                             \
        if (got_ != wanted_)                                                                       \
            child_fails("%s is %" PRIu64 ", not %" PRIu64, #got, got_, wanted_);                   \
    } while (0)

/* Memory that a child's writes reach its parent through. */
static inline void *child_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    return memory;
}

/* xorshift64*: the same numbers everywhere for the same seed. */
static inline uint64_t child_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint64_t child_below(uint64_t *state, uint64_t limit)
{
    return (child_random(state) >> 11) % limit;
}

#endif
