/* Error messages and the small text questions around them. */
#ifndef WDDMSIM_TRACES_MESSAGE_H
#define WDDMSIM_TRACES_MESSAGE_H

#include "traces/event.h"

/* Fills the error and returns false, so that a function can end with it. Whatever the arguments
 * hold, the message is one printable line of valid UTF-8. */
bool trace_fail(struct trace_error *error, bool skippable, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Replaces control characters and what is not UTF-8, in place: a trace may come from anywhere, and
 * what it holds must not reach a terminal as control codes. */
void trace_make_printable(char *text);

/* Cuts `text` in place behind some 60 bytes, between two characters, and marks the cut. `room` is
 * the size of the array and must exceed TRACE_EXCERPT. */
enum { TRACE_EXCERPT = 64 };
void trace_shorten(char *text, size_t room);

/* Whether the bytes are UTF-8 as Unicode defines it: no overlong forms, no surrogates. */
bool trace_is_utf8(const char *text, size_t length);

/* The nearest of the candidates seen so far, for "did you mean". Start with {.distance = limit}. */
struct trace_guess {
    const char *best; /* NULL: none is near */
    size_t distance;
};
struct trace_guess trace_guess_start(const char *text);
void trace_guess_offer(struct trace_guess *guess, const char *text, const char *candidate);

#endif
