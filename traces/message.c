#include "traces/message.h"

#include "model/distance.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the character that starts here, 0 if it is not valid UTF-8. */
static size_t character_length(const unsigned char *text, size_t left)
{
    if (text[0] < 0x80)
        return 1;
    size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] < 0xc2 || text[0] > 0xf4 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xf0 && text[1] < 0x90);
    bool surrogate = text[0] == 0xed && text[1] >= 0xa0;
    bool beyond = text[0] == 0xf4 && text[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : length;
}

bool trace_is_utf8(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < length;) {
        size_t step = character_length(bytes + i, length - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

void trace_make_printable(char *text)
{
    unsigned char *bytes = (unsigned char *)text;
    size_t length = strlen(text);
    for (size_t i = 0; i < length;) {
        size_t step = character_length(bytes + i, length - i);
        bool control = bytes[i] < 0x20 || bytes[i] == 0x7f ||
                       (step == 2 && bytes[i] == 0xc2 && bytes[i + 1] < 0xa0);
        if (step == 0)
            step = 1, control = true;
        if (control)
            memset(bytes + i, '?', step);
        i += step;
    }
}

bool trace_fail(struct trace_error *error, bool skippable, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    trace_make_printable(error->message);
    error->skippable = skippable;
    return false;
}

void trace_shorten(char *text, size_t room)
{
    size_t cut = TRACE_EXCERPT - 4;
    if (strnlen(text, room) <= cut)
        return;
    while (((unsigned char)text[cut] & 0xc0) == 0x80)
        cut--;
    memcpy(text + cut, "...", 4);
}

struct trace_guess trace_guess_start(const char *text)
{
    /* A third of the letters may be wrong: nearer is a slip, farther is another word. */
    return (struct trace_guess){.best = NULL, .distance = strlen(text) / 3 + 1};
}

void trace_guess_offer(struct trace_guess *guess, const char *text, const char *candidate)
{
    size_t distance = edit_distance(text, candidate);
    if (distance > guess->distance || (distance == guess->distance && guess->best != NULL))
        return;
    guess->best = candidate;
    guess->distance = distance;
}
