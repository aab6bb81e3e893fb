/* The display miniport: the built-in one, and how another takes its place. */
#ifndef WDDMSIM_MINIPORT_H
#define WDDMSIM_MINIPORT_H

#include "model/ddi.h"

#include <stddef.h>

/* The built-in miniport: decides what a kernel-mode driver decides, from the profile. */
uint32_t miniport_driver_entry(struct dxgkddi *ddi);

/* Loads a shared object and calls its driver_entry. It stays loaded until the program ends. False,
 * and why in `error`. */
bool miniport_load(const char *path, struct dxgkddi *ddi, char *error, size_t error_size);

#endif
