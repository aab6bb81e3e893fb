/* The rows of the profile's parameter table: finding one, setting it. Internal to model/hardware.
 */
#ifndef WDDMSIM_HARDWARE_KEYS_H
#define WDDMSIM_HARDWARE_KEYS_H

#include "model/hardware/hardware.h"
#include "model/hardware/key.h"

extern const struct key_spec profile_keys[];
extern const size_t profile_keys_count;

enum { KEY_PATH_SIZE = PROFILE_KEY_SIZE };

/* The row of a dotted key; a NAME in it is copied to `name`. NULL: there is none. */
const struct key_spec *key_find(const char *key, char name[PROFILE_NAME_SIZE]);

/* The key most like a misspelled one, with the NAME it would have; false: none is near. */
bool key_suggest(const char *key, char suggestion[KEY_PATH_SIZE]);

/* Writes the row's key with NAME replaced. */
void key_path(const struct key_spec *spec, const char *name, char path[KEY_PATH_SIZE]);

/* Everything zero, then the table's defaults; no segment, no node. */
void profile_reset(struct profile *profile);

/* Sets a key; `may_add` allows any key of an unknown segment or node to add it, otherwise only its
 * kind does. On success tells the row and which segment or node it was. */
bool profile_store(struct profile *profile, const char *key, const char *value, bool may_add,
                   const char *place, size_t *row, size_t *instance, struct profile_error *error);

/* The key of a machine: takes a prefix such as "adapters.1." off it. False: what begins like one is
 * none. */
bool key_adapter(const char **key, uint32_t *adapter);

/* What profile_store told of a key, and whose it was. */
struct hardware_key {
    uint32_t adapter;
    size_t row, instance;
};
bool hardware_store(struct hardware *hardware, const char *key, const char *value, bool may_add,
                    const char *place, struct hardware_key *stored, struct profile_error *error);

/* Fills the error with one printable line and returns false. */
bool profile_fail(struct profile_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
