/* NTSTATUS codes and their names. This file stands on nothing; traces read and write the same
 * names. */
#ifndef WDDMSIM_STATUS_H
#define WDDMSIM_STATUS_H

#include "model/ntstatus.h"

/* The code's name, or NULL if it is not in the table. */
const char *status_name(uint32_t status);

enum { STATUS_TEXT_SIZE = 16 };

/* The code's name, or its number written into `room`. */
const char *status_text(uint32_t status, char room[STATUS_TEXT_SIZE]);

/* Finds a code by its exact name; false if there is no such name. */
bool status_from_name(const char *name, uint32_t *status);

#endif
