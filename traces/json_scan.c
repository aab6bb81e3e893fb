#include "traces/json_scan.h"

#include "traces/message.h"

#include <inttypes.h>
#include <stdlib.h>

enum { ROOM = 4 * JSON_LONGEST_TEXT };

bool json_scan_open(struct json_scan *scan, struct trace_input *input, struct trace_error *error)
{
    *scan = (struct json_scan){.input = input, .error = error, .bytes = malloc(ROOM)};
    if (scan->bytes != NULL)
        return true;
    scan->failed = true;
    return trace_fail(error, false, "%s: out of memory", trace_input_path(input));
}

void json_scan_close(struct json_scan *scan)
{
    free(scan->bytes);
    scan->bytes = NULL;
}

void json_scan_look(struct json_scan *scan, const unsigned char *bytes, size_t length,
                    struct trace_error *error)
{
    /* Nothing is written: the window is full and has ended, and escapes stay as they are. */
    *scan = (struct json_scan){
        .error = error, .bytes = (unsigned char *)(uintptr_t)bytes, .end = length, .ended = true};
}

uint64_t json_scan_offset(const struct json_scan *scan)
{
    return scan->base + scan->at;
}

bool json_scan_failed(const struct json_scan *scan)
{
    return scan->failed;
}

bool json_scan_fail(struct json_scan *scan, uint64_t offset, const char *message)
{
    scan->failed = true;
    return trace_fail(scan->error, true, "%s: offset %" PRIu64 ": %s",
                      scan->input != NULL ? trace_input_path(scan->input) : "", offset, message);
}

static bool fail_here(struct json_scan *scan, const char *message)
{
    return json_scan_fail(scan, json_scan_offset(scan), message);
}

/* Forgets what lies before `at` and reads more behind what is left. False: nothing came. */
static bool refill(struct json_scan *scan)
{
    if (scan->ended)
        return false;
    size_t left = scan->end - scan->at, got;
    memmove(scan->bytes, scan->bytes + scan->at, left);
    scan->base += scan->at;
    scan->at = 0;
    scan->end = left;
    if (!trace_input_read(scan->input, scan->bytes + left, ROOM - left, &got, scan->error)) {
        scan->failed = true;
        return false;
    }
    scan->end += got;
    scan->ended = got == 0;
    return got > 0;
}

static inline bool is_blank(unsigned char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* The next byte that is not blank, not consumed; -1 at the end. */
static inline int next_byte(struct json_scan *scan)
{
    if (scan->failed)
        return -1;
    for (;;) {
        while (scan->at < scan->end) {
            unsigned char byte = scan->bytes[scan->at];
            if (!is_blank(byte))
                return byte;
            scan->at++;
        }
        if (!refill(scan))
            return -1;
    }
}

bool json_scan_at_end(struct json_scan *scan)
{
    return next_byte(scan) < 0 && !scan->failed;
}

static bool fail_early(struct json_scan *scan)
{
    return !scan->failed && fail_here(scan, "the file ends in the middle");
}

char json_scan_kind(struct json_scan *scan)
{
    int byte = next_byte(scan);
    switch (byte) {
    case '{':
    case '[':
    case '"':
    case 't':
    case 'f':
    case 'n':
        return (char)byte;
    default:
        return byte == '-' || (byte >= '0' && byte <= '9') ? '0' : 0;
    }
}

bool json_scan_enter(struct json_scan *scan, char kind)
{
    int byte = next_byte(scan);
    if (byte < 0)
        return fail_early(scan);
    if (byte != kind)
        return fail_here(scan, kind == '{' ? "expected an object" : "expected a list");
    if (scan->depth + 1 == JSON_DEEPEST)
        return fail_here(scan, "nested too deep");
    scan->at++;
    scan->depth++;
    uint32_t bit = UINT32_C(1) << scan->depth;
    scan->begun &= ~bit;
    scan->objects = kind == '{' ? scan->objects | bit : scan->objects & ~bit;
    return true;
}

/* Passes the comma in front of an element but the first; false, having passed the bracket, behind
 * the last. */
static inline bool next_element(struct json_scan *scan, char closing)
{
    int byte = next_byte(scan);
    uint32_t bit = UINT32_C(1) << scan->depth;
    if (byte == closing) {
        scan->at++;
        scan->depth--;
        return false;
    }
    if (byte < 0)
        return fail_early(scan);
    if (scan->begun & bit) {
        if (byte != ',')
            return fail_here(scan, closing == '}' ? "expected , or }" : "expected , or ]");
        scan->at++;
    }
    scan->begun |= bit;
    return true;
}

bool json_scan_item(struct json_scan *scan)
{
    return next_element(scan, ']');
}

/* Undoing escapes. */

static int hex_digit(unsigned char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The code of \uXXXX at `from`; -1: there is none. */
static int32_t unicode_escape(const unsigned char *from, size_t left)
{
    int32_t code = 0;
    if (left < 6 || from[0] != '\\' || from[1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(from[i]);
        if (digit < 0)
            return -1;
        code = code << 4 | digit;
    }
    return code;
}

static unsigned char *put_utf8(unsigned char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (unsigned char)code;
    } else if (code < 0x800) {
        *to++ = (unsigned char)(0xc0 | code >> 6);
        *to++ = (unsigned char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (unsigned char)(0xe0 | code >> 12);
        *to++ = (unsigned char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (unsigned char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (unsigned char)(0xf0 | code >> 18);
        *to++ = (unsigned char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (unsigned char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (unsigned char)(0x80 | (code & 0x3f));
    }
    return to;
}

/* In place: what an escape stands for is never longer. Returns the length; SIZE_MAX: malformed. */
static size_t undo_escapes(unsigned char *text, size_t length)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    unsigned char *to = text;
    for (size_t i = 0; i < length;) {
        if (text[i] != '\\') {
            *to++ = text[i++];
            continue;
        }
        const char *letter = i + 1 < length ? strchr(letters, text[i + 1]) : NULL;
        if (letter != NULL && *letter != '\0') {
            *to++ = (unsigned char)meant[letter - letters];
            i += 2;
            continue;
        }
        int32_t code = unicode_escape(text + i, length - i);
        if (code < 0)
            return SIZE_MAX;
        i += 6;
        int32_t low = code >= 0xd800 && code < 0xdc00 ? unicode_escape(text + i, length - i) : -1;
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            i += 6;
        } else if (code >= 0xd800 && code < 0xe000) {
            code = 0xfffd;
        }
        to = put_utf8(to, (uint32_t)code);
    }
    return (size_t)(to - text);
}

/* Finds the end of the string that begins at `at`, which stays: the offset of its closing quote
 * from there, or 0 after a failure. */
static size_t end_of_text(struct json_scan *scan, bool *escaped)
{
    size_t seen = 1;
    *escaped = false;
    for (;;) {
        const unsigned char *from = scan->bytes + scan->at;
        size_t length = scan->end - scan->at;
        while (seen < length && from[seen] != '"') {
            *escaped |= from[seen] == '\\';
            seen += from[seen] == '\\' ? 2 : 1;
        }
        if (seen < length)
            return seen;
        if (length > JSON_LONGEST_TEXT) {
            fail_here(scan, "a string too long to be read");
            return 0;
        }
        if (!refill(scan)) {
            fail_early(scan);
            return 0;
        }
    }
}

bool json_scan_text(struct json_scan *scan, struct json_text *text)
{
    int byte = next_byte(scan);
    if (byte < 0)
        return fail_early(scan);
    if (byte != '"')
        return fail_here(scan, "expected a string");
    bool escaped;
    size_t end = end_of_text(scan, &escaped);
    if (end == 0)
        return false;
    unsigned char *from = scan->bytes + scan->at + 1;
    size_t length = end - 1;
    if (escaped && scan->input != NULL) {
        length = undo_escapes(from, length);
        if (length == SIZE_MAX)
            return fail_here(scan, "a string with a malformed escape");
    }
    *text = (struct json_text){(const char *)from, length};
    scan->at += end + 1;
    return true;
}

bool json_scan_key(struct json_scan *scan, struct json_text *key)
{
    if (!next_element(scan, '}') || !json_scan_text(scan, key))
        return false;
    if (key->length > sizeof scan->key)
        key->length = sizeof scan->key;
    memcpy(scan->key, key->bytes, key->length);
    key->bytes = scan->key;
    int byte = next_byte(scan);
    if (byte < 0)
        return fail_early(scan);
    if (byte != ':')
        return fail_here(scan, "expected : behind a key");
    scan->at++;
    return true;
}

/* Scalars other than strings end where one of these begins. */
static bool ends_scalar(unsigned char byte)
{
    return byte == ',' || byte == '}' || byte == ']' || byte == ':' || is_blank(byte);
}

/* The text of a scalar other than a string, and goes behind it. */
static bool scalar(struct json_scan *scan, struct json_text *text)
{
    size_t length = 0;
    for (;;) {
        while (scan->at + length < scan->end && !ends_scalar(scan->bytes[scan->at + length]))
            length++;
        if (scan->at + length < scan->end)
            break;
        if (length > JSON_LONGEST_TEXT)
            return fail_here(scan, "a number too long to be read");
        if (!refill(scan)) {
            if (scan->failed)
                return false;
            break;
        }
    }
    *text = (struct json_text){(const char *)scan->bytes + scan->at, length};
    scan->at += length;
    return true;
}

bool json_scan_number(struct json_scan *scan, struct json_text *text)
{
    if (next_byte(scan) < 0)
        return fail_early(scan);
    if (json_scan_kind(scan) != '0')
        return fail_here(scan, "expected a number");
    return scalar(scan, text);
}

/* Goes behind the closing quote of a string whose opening one has been passed. */
static bool skip_text(struct json_scan *scan)
{
    for (;;) {
        const unsigned char *from = scan->bytes + scan->at;
        size_t left = scan->end - scan->at;
        const unsigned char *quote = left > 0 ? memchr(from, '"', left) : NULL;
        const unsigned char *escape =
            memchr(from, '\\', quote != NULL ? (size_t)(quote - from) : left);
        if (escape != NULL) {
            size_t behind = (size_t)(escape - from) + 2;
            if (behind <= left) {
                scan->at += behind;
                continue;
            }
            scan->at += left - 1; /* at the backslash, the last byte */
            if (!refill(scan))
                return fail_early(scan);
            continue;
        }
        if (quote != NULL) {
            scan->at += (size_t)(quote - from) + 1;
            return true;
        }
        scan->at = scan->end;
        if (!refill(scan))
            return fail_early(scan);
    }
}

/* What a byte means between the strings of what is passed over. */
enum { PLAIN, QUOTE, OPENS, CLOSES };
static const unsigned char classes[256] = {
    ['"'] = QUOTE, ['{'] = OPENS, ['['] = OPENS, ['}'] = CLOSES, [']'] = CLOSES,
};

/* Goes behind the bracket that closes the object or list whose opening one has been passed. */
static bool skip_nested(struct json_scan *scan, bool object)
{
    uint64_t kinds[JSON_DEEPEST_SKIPPED / 64] = {object}; /* of the open ones; set: an object */
    unsigned open = 1;
    while (open > 0) {
        const unsigned char *at = scan->bytes + scan->at, *end = scan->bytes + scan->end;
        while (at < end && classes[*at] == PLAIN)
            at++;
        scan->at = (size_t)(at - scan->bytes);
        if (at == end) {
            if (!refill(scan))
                return fail_early(scan);
            continue;
        }
        unsigned char byte = *at;
        if (classes[byte] == CLOSES) {
            unsigned inner = open - 1;
            if ((kinds[inner / 64] >> inner % 64 & 1) != (byte == '}'))
                return fail_here(scan, byte == '}' ? "expected ]" : "expected }");
            open--;
        } else if (classes[byte] == OPENS) {
            if (open == JSON_DEEPEST_SKIPPED)
                return fail_here(scan, "nested too deep");
            uint64_t bit = UINT64_C(1) << open % 64;
            kinds[open / 64] = byte == '{' ? kinds[open / 64] | bit : kinds[open / 64] & ~bit;
            open++;
        }
        scan->at++;
        if (classes[byte] == QUOTE && !skip_text(scan))
            return false;
    }
    return true;
}

bool json_scan_skip(struct json_scan *scan)
{
    int byte = next_byte(scan);
    struct json_text text;
    switch (byte) {
    case -1:
        return fail_early(scan);
    case '"':
        scan->at++;
        return skip_text(scan);
    case '{':
    case '[':
        scan->at++;
        return skip_nested(scan, byte == '{');
    default:
        if (!scalar(scan, &text))
            return false;
        return text.length > 0 || fail_here(scan, "expected a value");
    }
}

bool json_scan_leave(struct json_scan *scan)
{
    if (scan->failed || !skip_nested(scan, scan->objects >> scan->depth & 1))
        return false;
    scan->depth--;
    return true;
}

bool json_scaled(struct json_text number, int decimals, int64_t *value)
{
    const char *at = number.bytes, *end = number.bytes + number.length;
    bool negative = at < end && *at == '-';
    at += negative;
    const char *exponent = at;
    while (exponent < end && *exponent != 'e' && *exponent != 'E')
        exponent++;
    int64_t shift = decimals;
    if (exponent < end) {
        const char *digit = exponent + 1;
        bool down = digit < end && *digit == '-';
        digit += digit < end && (*digit == '-' || *digit == '+');
        int64_t power = 0;
        if (digit == end)
            return false;
        for (; digit < end; digit++) {
            if (*digit < '0' || *digit > '9')
                return false;
            power = power < 10000 ? 10 * power + (*digit - '0') : power;
        }
        shift += down ? -power : power;
    }
    /* Digits are taken as long as they are wanted: those behind the point use up the shift. */
    uint64_t sum = 0;
    bool any = false, behind = false, up = false, cut = false;
    for (; at < exponent; at++) {
        if (*at == '.' && !behind) {
            behind = true;
            continue;
        }
        if (*at < '0' || *at > '9')
            return false;
        any = true;
        unsigned digit = (unsigned)(*at - '0');
        if (behind && shift <= 0) {
            up = cut ? up : shift == 0 && digit >= 5;
            cut = true;
            continue;
        }
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = 10 * sum + digit;
        shift -= behind;
    }
    if (!any)
        return false;
    for (; shift > 0 && sum != 0; shift--) {
        if (sum > UINT64_MAX / 10)
            return false;
        sum *= 10;
    }
    for (; shift < 0 && sum != 0; shift++) {
        up = sum % 10 >= 5;
        sum /= 10;
    }
    sum += up;
    if (sum > INT64_MAX)
        return false;
    *value = negative ? -(int64_t)sum : (int64_t)sum;
    return true;
}
