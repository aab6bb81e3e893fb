/* One row of a table of parameters: a name, a type, where the value lies in a structure, range,
 * default, meaning. The profile's table (keys.c) and those of the generators are made of these. */
#ifndef WDDMSIM_HARDWARE_KEY_H
#define WDDMSIM_HARDWARE_KEY_H

#include "model/hardware/profile.h"

enum key_type {
    KEY_SIZE,   /* uint64_t, bytes */
    KEY_RATE,   /* double, bytes/s */
    KEY_TIME,   /* uint64_t, ns */
    KEY_FINE,   /* uint64_t, ps */
    KEY_NUMBER, /* double */
    KEY_COUNT,  /* uint32_t */
    KEY_SIGNED, /* int32_t */
    KEY_TENTHS, /* uint32_t, ten times the number, which is one of the range */
    KEY_CHOICE, /* enum: the position in the range */
    KEY_SWITCH, /* bool */
    KEY_TEXT    /* char[PROFILE_NAME_SIZE] */
};

/* Where a profile's row counts its offset from. Segments and nodes repeat their rows under each
 * name. */
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

enum { KEY_TEXT_SIZE = 64 };

/* Parses text into the row's field of `owner`, within its range; false leaves it as it was. */
bool key_parse(const struct key_spec *spec, const char *text, void *owner);

void key_print(const struct key_spec *spec, const void *owner, char text[KEY_TEXT_SIZE]);

/* "a size in 4KiB..16TiB", "one of lazy, eager": how an error says what was expected. */
void key_expected(const struct key_spec *spec, char *text, size_t size);

/* What the row holds, in a word: "size", "number", "choice". */
const char *key_type_name(const struct key_spec *spec);

#endif
