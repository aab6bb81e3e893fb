/* A machine: one adapter or several, each with the whole of a profile.
 *
 * Keys without a prefix are the first adapter's; those of the others stand under adapters.1,
 * adapters.2 and so on. An adapter begins as a copy of the first one; where a file lists segments
 * (or nodes) for it, it has these and no others. What is the machine's own and not an adapter's,
 * the WDDM version, the system's memory and the CPU time of calls, is the same in all of them. */
#ifndef WDDMSIM_HARDWARE_HARDWARE_H
#define WDDMSIM_HARDWARE_HARDWARE_H

#include "model/hardware/profile.h"

enum { HARDWARE_ADAPTERS_MAX = 8 };

struct hardware {
    uint32_t adapter_count;
    struct profile adapters[HARDWARE_ADAPTERS_MAX];
};

/* As profile_load, profile_set and so on, for the whole machine. Setting adapters.N.name, N being
 * the next one, adds an adapter. */
bool hardware_load(const char *name, struct hardware *hardware, struct profile_error *error);
bool hardware_set(struct hardware *hardware, const char *key, const char *value, const char *place,
                  struct profile_error *error);
bool hardware_check(const struct hardware *hardware, struct profile_error *error);
void hardware_write(const struct hardware *hardware, FILE *out);
void hardware_each(const struct hardware *hardware,
                   void (*visit)(void *self, const char *key, const char *value), void *self);

/* The value of one key as text; false, and no text, if the machine has no such key. */
bool hardware_get(const struct hardware *hardware, const char *key, char *text, size_t size);

#endif
