/* Chrome's trace-event JSON, the envelope that several recorders write into: a list of events, bare
 * or as "traceEvents" of an object. */
#ifndef WDDMSIM_TRACES_CHROME_H
#define WDDMSIM_TRACES_CHROME_H

#include "traces/json_scan.h"

enum { CHROME_TEXT = 64 };

/* Text is cut to what fits and terminated. */
struct chrome_event {
    uint64_t offset;
    char phase; /* 0: not said */
    char name[CHROME_TEXT], category[CHROME_TEXT];
    uint64_t id;       /* if it is a number or 0x text */
    int64_t ts_ns;     /* has_ts */
    uint64_t dur_ns;   /* 0 if not said */
    uint32_t pid, tid; /* 0 unless numbers */
    bool has_ts;
};

/* Who reads the events. Functions that answer false have failed the scan. */
struct chrome_listener {
    void *self;
    /* What the event is so far: false when no more of it is wanted. */
    bool (*wanted)(void *self, const struct chrome_event *event);
    /* Walks the value of its "args", perhaps before the rest of the event is known. */
    bool (*args)(void *self, struct json_scan *scan, const struct chrome_event *event);
    /* The event is complete. */
    bool (*event)(void *self, const struct chrome_event *event);
    /* The value of another key of the object around the events; NULL: passed over. */
    bool (*other)(void *self, struct json_text key, struct json_scan *scan);
    /* Now and then. NULL: not wanted. */
    void (*progress)(void *self);
};

/* Reads all. False: the file is damaged, the scan's error says where; what came before it was
 * handed over. */
bool chrome_read(struct json_scan *scan, const struct chrome_listener *listener);

/* Whether a file that begins like this may be such a one: a list of objects, or an object that has
 * one of these keys (NULL at the end) among the first bytes. */
bool chrome_detect(const unsigned char *head, size_t length, const char *const *keys);

/* A number that may stand in an object. */
struct chrome_number {
    int64_t value; /* 0 unless given */
    bool given;
};

/* A key of an object, and where the number behind it belongs, in bytes from the begin of what is
 * filled; or the keys of the object behind it. A NULL key ends the list. */
struct chrome_field {
    const char *key;
    size_t offset; /* of a struct chrome_number */
    const struct chrome_field *inside;
};

/* Reads the object that comes next. False: the scan failed. */
bool chrome_numbers(struct json_scan *scan, const struct chrome_field *fields, void *into);

/* The whole number that comes next, or in a string, decimal or 0x; anything else is passed over and
 * leaves *value as it is. False: the scan failed. */
bool chrome_integer(struct json_scan *scan, int64_t *value);

/* The text that comes next, cut to what fits; anything else is passed over and gives "". */
bool chrome_text(struct json_scan *scan, char text[CHROME_TEXT]);

#endif
