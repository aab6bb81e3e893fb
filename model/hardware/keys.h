/* The rows of the parameter table and what can be done with one: find, parse, print. Internal to
 * model/hardware. */
#ifndef WDDMSIM_HARDWARE_KEYS_H
#define WDDMSIM_HARDWARE_KEYS_H

#include "model/hardware/profile.h"

enum key_type {
    KEY_SIZE,   /* uint64_t, bytes */
    KEY_RATE,   /* double, bytes/s */
    KEY_TIME,   /* uint64_t, ns */
    KEY_FINE,   /* uint64_t, ps */
    KEY_NUMBER, /* double */
    KEY_COUNT,  /* uint32_t */
    KEY_TENTHS, /* uint32_t, ten times the number, which is one of the range */
    KEY_CHOICE, /* enum: the position in the range */
    KEY_SWITCH, /* bool */
    KEY_TEXT    /* char[PROFILE_NAME_SIZE] */
};

/* Where a row's offset counts from. Segments and nodes repeat their rows under each name. */
enum key_owner { KEY_OF_PROFILE, KEY_OF_SEGMENT, KEY_OF_NODE };

struct key_spec {
    const char *key; /* dotted; NAME stands for a segment's or node's name */
    enum key_type type;
    enum key_owner owner;
    size_t offset;
    const char *range;    /* "LOW..HIGH" or "one, another", in the key's own notation */
    const char *standard; /* the default */
    const char *meaning;
};

extern const struct key_spec profile_keys[];
extern const size_t profile_keys_count;

enum { KEY_TEXT_SIZE = 64, KEY_PATH_SIZE = 160 };

/* Parses text into the row's field of `owner`, within its range; false leaves it as it was. */
bool key_parse(const struct key_spec *spec, const char *text, void *owner);

void key_print(const struct key_spec *spec, const void *owner, char text[KEY_TEXT_SIZE]);

/* "a size in 4KiB..16TiB", "one of lazy, eager": how an error says what was expected. */
void key_expected(const struct key_spec *spec, char *text, size_t size);

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

/* Fills the error with one printable line and returns false. */
bool profile_fail(struct profile_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
