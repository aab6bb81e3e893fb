#include "traces/sorter.h"

#include "traces/buffer.h"
#include "traces/temporary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A sorted piece of the temporary file, being merged. */
struct run {
    uint64_t first, count; /* records in the file */
    uint64_t read;         /* of them in the window so far */
    unsigned char *window;
    size_t at, filled; /* records */
};

struct trace_sorter {
    size_t size, capacity; /* bytes of a record; records that fit in memory */
    unsigned char *records;
    size_t room, held; /* records */
    uint64_t count, written;
    bool started;
    int file; /* -1: everything is in memory */
    struct run *runs;
    size_t run_count, run_room;
    size_t window_room; /* records */
    struct run **heap;  /* the runs that have records left, the one with the first on top */
    size_t heap_count;
    bool taken;  /* the top's record has been handed out */
    size_t next; /* in memory */
    char failure[160];
};

struct trace_sorter *trace_sorter_create(size_t size, size_t memory)
{
    struct trace_sorter *sorter = calloc(1, sizeof *sorter);
    if (sorter == NULL)
        return NULL;
    sorter->size = size;
    sorter->capacity = memory / size / 2; /* qsort takes as much again */
    sorter->file = -1;
    return sorter;
}

static bool fail(struct trace_sorter *sorter, const char *what, int why)
{
    if (sorter->failure[0] == '\0')
        snprintf(sorter->failure, sizeof sorter->failure, "%s%s", what,
                 why != 0 ? strerror(why) : "");
    return false;
}

static int compare(const void *left, const void *right)
{
    const struct trace_sorted *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->tie < b->tie ? -1 : a->tie > b->tie;
}

static void sort_held(struct trace_sorter *sorter)
{
    bool sorted = true; /* recordings often are, nearly */
    for (size_t i = 1; i < sorter->held && sorted; i++)
        sorted = compare(sorter->records + (i - 1) * sorter->size,
                         sorter->records + i * sorter->size) <= 0;
    if (!sorted)
        qsort(sorter->records, sorter->held, sorter->size, compare);
}

/* Makes a run of what is in memory. */
static bool spill(struct trace_sorter *sorter)
{
    if (sorter->held == 0)
        return true;
    if (sorter->file < 0 && (sorter->file = trace_temporary()) < 0)
        return fail(sorter, "a temporary file: ", errno);
    struct run *runs =
        trace_array_grow(sorter->runs, &sorter->run_room, sorter->run_count + 1, sizeof *runs);
    if (runs == NULL)
        return fail(sorter, "out of memory", 0);
    sorter->runs = runs;
    sort_held(sorter);
    size_t left = sorter->held * sorter->size;
    const unsigned char *from = sorter->records;
    while (left > 0) {
        ssize_t wrote = write(sorter->file, from, left);
        if (wrote < 0 && errno != EINTR)
            return fail(sorter, "a temporary file: ", errno);
        if (wrote > 0) {
            from += wrote;
            left -= (size_t)wrote;
        }
    }
    runs[sorter->run_count++] = (struct run){.first = sorter->written, .count = sorter->held};
    sorter->written += sorter->held;
    sorter->held = 0;
    return true;
}

static bool make_room(struct trace_sorter *sorter)
{
    if (sorter->held == sorter->capacity)
        return spill(sorter);
    size_t room = sorter->room == 0 ? 256 : 2 * sorter->room;
    if (room > sorter->capacity)
        room = sorter->capacity;
    unsigned char *records = realloc(sorter->records, room * sorter->size);
    if (records == NULL)
        return fail(sorter, "out of memory", 0);
    sorter->records = records;
    sorter->room = room;
    return true;
}

bool trace_sorter_put(struct trace_sorter *sorter, const void *record)
{
    if (sorter->failure[0] != '\0')
        return false;
    if (sorter->held == sorter->room && !make_room(sorter))
        return false;
    memcpy(sorter->records + sorter->held * sorter->size, record, sorter->size);
    sorter->held++;
    sorter->count++;
    return true;
}

static const unsigned char *front(const struct trace_sorter *sorter, const struct run *run)
{
    return run->window + run->at * sorter->size;
}

/* Reads on in a run whose window is used up; false at its end, or failed. */
static bool refill(struct trace_sorter *sorter, struct run *run)
{
    uint64_t left = run->count - run->read;
    size_t wanted = left < sorter->window_room ? (size_t)left : sorter->window_room;
    if (wanted == 0)
        return false;
    size_t got = 0, bytes = wanted * sorter->size;
    while (got < bytes) {
        ssize_t more = pread(sorter->file, run->window + got, bytes - got,
                             (off_t)((run->first + run->read) * sorter->size + got));
        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            return fail(sorter, "a temporary file: ", more < 0 ? errno : EIO);
        got += (size_t)more;
    }
    run->read += wanted;
    run->filled = wanted;
    run->at = 0;
    return true;
}

/* Puts the run at the top of the heap where it belongs. */
static void sink(struct trace_sorter *sorter, size_t at)
{
    struct run **heap = sorter->heap, *moved = heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= sorter->heap_count)
            break;
        if (child + 1 < sorter->heap_count &&
            compare(front(sorter, heap[child + 1]), front(sorter, heap[child])) < 0)
            child++;
        if (compare(front(sorter, moved), front(sorter, heap[child])) <= 0)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

/* The memory that gathered records is now the windows of the runs. */
static bool start_merging(struct trace_sorter *sorter)
{
    if (!sorter->started && !spill(sorter))
        return false;
    sorter->window_room = sorter->room / sorter->run_count;
    if (sorter->window_room == 0)
        return fail(sorter, "more records than can be sorted in the memory allowed", 0);
    if (sorter->heap == NULL)
        sorter->heap = calloc(sorter->run_count, sizeof(struct run *));
    if (sorter->heap == NULL)
        return fail(sorter, "out of memory", 0);
    sorter->heap_count = 0;
    for (size_t i = 0; i < sorter->run_count; i++) {
        struct run *run = &sorter->runs[i];
        run->window = sorter->records + i * sorter->window_room * sorter->size;
        run->read = 0;
        if (!refill(sorter, run))
            return false;
        sorter->heap[sorter->heap_count++] = run;
    }
    for (size_t i = sorter->heap_count; i-- > 0;)
        sink(sorter, i);
    return true;
}

bool trace_sorter_start(struct trace_sorter *sorter)
{
    if (sorter->failure[0] != '\0')
        return false;
    sorter->taken = false;
    sorter->next = 0;
    bool good = true;
    if (sorter->run_count > 0)
        good = start_merging(sorter);
    else if (!sorter->started)
        sort_held(sorter);
    sorter->started = true;
    return good;
}

const void *trace_sorter_next(struct trace_sorter *sorter)
{
    if (sorter->failure[0] != '\0')
        return NULL;
    if (sorter->run_count == 0)
        return sorter->next < sorter->held ? sorter->records + sorter->next++ * sorter->size : NULL;
    if (sorter->taken) {
        struct run *top = sorter->heap[0];
        if (++top->at == top->filled && !refill(sorter, top)) {
            if (sorter->failure[0] != '\0')
                return NULL;
            sorter->heap[0] = sorter->heap[--sorter->heap_count];
        }
        if (sorter->heap_count > 0)
            sink(sorter, 0);
    }
    sorter->taken = sorter->heap_count > 0;
    return sorter->taken ? front(sorter, sorter->heap[0]) : NULL;
}

uint64_t trace_sorter_count(const struct trace_sorter *sorter)
{
    return sorter->count;
}

const char *trace_sorter_failure(const struct trace_sorter *sorter)
{
    return sorter->failure[0] != '\0' ? sorter->failure : NULL;
}

void trace_sorter_free(struct trace_sorter *sorter)
{
    if (sorter == NULL)
        return;
    if (sorter->file >= 0)
        close(sorter->file);
    free(sorter->records);
    free(sorter->runs);
    free(sorter->heap);
    free(sorter);
}
