/* Order between threads: a call that had to be put off keeps later calls of other threads from
 * overtaking it where that would turn the story around: nobody uses an object before the call that
 * creates it, or after the call that destroys it, if the recording had it the other way. */
#ifndef WDDMSIM_WORKLOADS_ORDER_H
#define WDDMSIM_WORKLOADS_ORDER_H

#include "traces/event.h"

struct order;

struct order *order_create(void);
void order_destroy(struct order *order);

/* Event number `index` (ascending) is put off. */
void order_put_off(struct order *order, uint64_t index, const struct trace_event *event);

/* It is made after all. */
void order_made(struct order *order, uint64_t index, const struct trace_event *event);

/* Whether the event may be made now, as far as calls put off before it are concerned. */
bool order_allows(const struct order *order, uint64_t index, const struct trace_event *event);

#endif
