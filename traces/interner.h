/* Numbers names: the first new one is 0, the next 1, and so on. A name keeps its number for good.
 */
#ifndef WDDMSIM_TRACES_INTERNER_H
#define WDDMSIM_TRACES_INTERNER_H

#include "traces/event.h"

struct interner {
    struct trace_name *names; /* [number]; texts are the interner's own */
    uint32_t count, room;
    uint32_t *slots; /* number + 1; 0: empty. At most half of 2^bits are used */
    unsigned bits;
};

/* The name's number. UINT32_MAX: out of memory. */
uint32_t interner_number(struct interner *interner, struct trace_name name);

void interner_fini(struct interner *interner);

#endif
