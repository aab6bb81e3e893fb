/* The tracepoints of Linux graphics drivers that are read, across drivers and kernel versions:
 * amdgpu, the DRM scheduler (every driver that uses it), DMA fences, i915, xe. What kernels write
 * is found by name, in the text of a line or in a binary record by its format text, because layouts
 * and spelling change from version to version. */
#ifndef WDDMSIM_TRACES_LINUX_TRACEPOINTS_H
#define WDDMSIM_TRACES_LINUX_TRACEPOINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a tracepoint says. */
enum linux_kind {
    LINUX_COUNTED,    /* nothing that an event of a trace could hold */
    LINUX_SUBMIT,     /* a job was queued */
    LINUX_RUN,        /* it was handed to the engine */
    LINUX_OFF,        /* it left the engine: done, or preempted */
    LINUX_DONE,       /* it is done */
    LINUX_SIGNALLED,  /* a fence is; perhaps a job's */
    LINUX_DEPENDS,    /* a job waits for a fence */
    LINUX_WAIT_BEGIN, /* a thread waits for a fence */
    LINUX_WAIT_END,
    LINUX_QUEUE,   /* an execution queue and its kind of engine */
    LINUX_CREATE,  /* a buffer object */
    LINUX_DESTROY, /* the same */
    LINUX_MOVE,    /* the same, from one kind of memory to another */
    LINUX_LIST,    /* one buffer object of a list that submissions use */
    LINUX_USE,     /* the list that the thread's next submission uses */
    LINUX_VBLANK,
    LINUX_MEMORY, /* bytes that a process has, or all of them */
    LINUX_KINDS
};

/* The values of a record. Those of jobs and those of buffer objects share their places. */
enum linux_slot {
    LINUX_DEVICE, /* text: which adapter */

    /* of jobs, fences, queues */
    LINUX_CONTEXT = 1, /* of the job's fence */
    LINUX_SEQNO,
    LINUX_ON_CONTEXT, /* of the fence that it waits for */
    LINUX_ON_SEQNO,
    LINUX_FENCE,  /* the fence's address */
    LINUX_ENTITY, /* whatever else says whose job it is: address of the entity, number of the queue
                   */
    LINUX_ID,     /* of the job, counted on each ring */
    LINUX_RING,   /* text; of i915 the engine's class and instance, one behind the other */
    LINUX_INSTANCE,

    /* of i915_request_out */
    LINUX_COMPLETED = LINUX_ID,
    /* of execution queues */
    LINUX_CLASS = LINUX_CONTEXT,
    /* of buffer objects */
    LINUX_OBJECT = 1,
    LINUX_BYTES,
    LINUX_PAGES, /* of 4096 bytes, where it says no bytes */
    LINUX_FROM,  /* enum linux_placement */
    LINUX_TO,
    LINUX_LIST_OF, /* address of the list */
    LINUX_PREFERRED,
    LINUX_ALLOWED,
    LINUX_EMPTY, /* nothing was in it that had to be moved */
    LINUX_PID = LINUX_OBJECT,
    LINUX_SLOTS = 10
};

/* Kinds of memory as TTM numbers them; drivers number their own local ones from 2 on. */
enum linux_placement { PLACE_SYSTEM, PLACE_MAPPED, PLACE_LOCAL };

enum linux_type {
    LINUX_NUMBER,    /* decimal, or hexadecimal with 0x */
    LINUX_ADDRESS,   /* hexadecimal */
    LINUX_PAIR,      /* two numbers with a colon between, into the slot and the next */
    LINUX_TEXT,      /* a name; in a record perhaps a number */
    LINUX_BEFORE,    /* a number that ends where the anchor begins */
    LINUX_PLACEMENT, /* a number, or the driver's name for it */
    LINUX_YES        /* "yes": 1 */
};

struct linux_field {
    uint8_t slot, type;
    bool needed;        /* the slot, by whichever row */
    const char *name;   /* in records; NULL: not there */
    const char *anchor; /* what stands in front of it in text; NULL: not there */
};

enum { LINUX_FIELDS = 10 };

struct linux_tracepoint {
    const char *name;
    uint8_t kind;
    const struct linux_field *fields;
    uint8_t field_count;
};

extern const struct linux_tracepoint linux_tracepoints[];
extern const size_t linux_tracepoint_count;

/* The kind of memory that a driver calls so; false: none does. */
bool linux_placement_named(const char *name, size_t length, uint64_t *place);

/* The most tracepoints there can be. */
enum { LINUX_TRACEPOINTS_MAX = 96 };

/* Finding them by name, fast: most lines of a recording are about something else. */
struct linux_lookup {
    uint8_t slots[512]; /* index + 1; 0: none */
};
void linux_lookup_prepare(struct linux_lookup *lookup);

/* The tracepoint's index, or -1. */
int linux_lookup(const struct linux_lookup *lookup, const char *name, size_t length);

#endif
