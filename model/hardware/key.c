/* What can be done with one row of the parameter table. */
#include "model/hardware/keys.h"

#include "model/distance.h"
#include "model/hardware/units.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* A whole number that may have a minus sign. */
static bool parse_signed(const char *text, double *number)
{
    uint64_t size;
    bool minus = *text == '-';
    if (!units_parse_count(text + minus, &size) || size > INT32_MAX)
        return false;
    *number = minus ? -(double)size : (double)size;
    return true;
}

/* A value of any type, before it is put into its field. */
union value {
    uint64_t whole;
    double real;
    char text[PROFILE_NAME_SIZE];
};

/* Position of `text` in a range such as "lazy, eager", or -1. */
static int position(const char *range, const char *text)
{
    size_t length = strlen(text);
    for (int i = 0;; i++) {
        size_t word = strcspn(range, ",");
        if (word == length && memcmp(range, text, length) == 0)
            return i;
        if (range[word] == '\0')
            return -1;
        range += word + 2; /* ", " */
    }
}

/* The word at a position; what is no position gives the last one. */
static void word_at(const char *range, unsigned index, char text[KEY_TEXT_SIZE])
{
    for (;; index--) {
        size_t word = strcspn(range, ",");
        if (index == 0 || range[word] == '\0') {
            snprintf(text, KEY_TEXT_SIZE, "%.*s", (int)word, range);
            return;
        }
        range += word + 2;
    }
}

/* Names go into dotted keys, plain YAML scalars and file names; and a name of digits alone would
 * pass for an ordinal. */
static bool is_name(const char *text, bool dots)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t allowed = 0;
    for (; text[allowed] != '\0'; allowed++)
        if (strchr(letters, text[allowed]) == NULL &&
            strchr("0123456789-_", text[allowed]) == NULL && !(dots && text[allowed] == '.'))
            return false;
    return allowed > 0 && allowed < PROFILE_NAME_SIZE && strpbrk(text, letters) != NULL;
}

static bool parse_value(const struct key_spec *spec, const char *text, union value *value)
{
    int index;
    switch (spec->type) {
    case KEY_SIZE:
        return units_parse_size(text, &value->whole);
    case KEY_TIME:
        return units_parse_ns(text, &value->whole);
    case KEY_FINE:
        return units_parse_ps(text, &value->whole);
    case KEY_COUNT:
        return units_parse_count(text, &value->whole);
    case KEY_SIGNED:
        return parse_signed(text, &value->real);
    case KEY_RATE:
        return units_parse_rate(text, &value->real);
    case KEY_NUMBER:
        return units_parse_number(text, &value->real);
    case KEY_TENTHS:
        if (position(spec->range, text) < 0 || !units_parse_number(text, &value->real))
            return false;
        value->whole = (uint64_t)lround(value->real * 10);
        return true;
    case KEY_CHOICE:
        index = position(spec->range, text);
        value->whole = (uint64_t)index;
        return index >= 0;
    case KEY_SWITCH:
        value->whole = strcmp(text, "true") == 0;
        return value->whole || strcmp(text, "false") == 0;
    case KEY_TEXT:
        if (!is_name(text, spec->offset == offsetof(struct profile, name)))
            return false;
        strcpy(value->text, text); /* is_name bounds it */
        return true;
    }
    return false;
}

static bool is_real(enum key_type type)
{
    return type == KEY_RATE || type == KEY_NUMBER || type == KEY_SIGNED;
}

/* Whether the value lies within "LOW..HIGH"; other ranges were seen to while parsing. */
static bool in_range(const struct key_spec *spec, const union value *value)
{
    char low_text[KEY_TEXT_SIZE];
    const char *dots = strstr(spec->range, "..");
    union value low, high;
    if (dots == NULL || spec->type == KEY_TEXT)
        return true;
    snprintf(low_text, sizeof low_text, "%.*s", (int)(dots - spec->range), spec->range);
    bool readable = parse_value(spec, low_text, &low) && parse_value(spec, dots + 2, &high);
    assert(readable);
    if (!readable)
        return false;
    if (is_real(spec->type))
        return low.real <= value->real && value->real <= high.real;
    return low.whole <= value->whole && value->whole <= high.whole;
}

bool key_parse(const struct key_spec *spec, const char *text, void *owner)
{
    union value value;
    if (!parse_value(spec, text, &value) || !in_range(spec, &value))
        return false;
    unsigned char *field = (unsigned char *)owner + spec->offset;
    uint32_t narrow = (uint32_t)value.whole;
    bool truth = value.whole != 0;
    static_assert(sizeof(enum profile_node_kind) == sizeof narrow, "enumerations are stored alike");
    switch (spec->type) {
    case KEY_SIZE:
    case KEY_TIME:
    case KEY_FINE:
        memcpy(field, &value.whole, sizeof value.whole);
        break;
    case KEY_RATE:
    case KEY_NUMBER:
        memcpy(field, &value.real, sizeof value.real);
        break;
    case KEY_SIGNED:
        memcpy(field, &(int32_t){(int32_t)value.real}, sizeof(int32_t));
        break;
    case KEY_COUNT:
    case KEY_TENTHS:
    case KEY_CHOICE:
        memcpy(field, &narrow, sizeof narrow);
        break;
    case KEY_SWITCH:
        memcpy(field, &truth, sizeof truth);
        break;
    case KEY_TEXT:
        memset(field, 0, PROFILE_NAME_SIZE);
        strcpy((char *)field, value.text);
        break;
    }
    return true;
}

void key_print(const struct key_spec *spec, const void *owner, char text[KEY_TEXT_SIZE])
{
    static_assert((int)KEY_TEXT_SIZE >= (int)UNITS_TEXT_SIZE, "every quantity fits");
    const unsigned char *field = (const unsigned char *)owner + spec->offset;
    uint64_t whole;
    double real;
    uint32_t narrow;
    bool truth;
    memcpy(&narrow, field, sizeof narrow);
    switch (spec->type) {
    case KEY_SIZE:
        memcpy(&whole, field, sizeof whole);
        units_print_size(whole, text);
        break;
    case KEY_TIME:
        memcpy(&whole, field, sizeof whole);
        units_print_ns(whole, text);
        break;
    case KEY_FINE:
        memcpy(&whole, field, sizeof whole);
        units_print_ps(whole, text);
        break;
    case KEY_RATE:
        memcpy(&real, field, sizeof real);
        units_print_rate(real, text);
        break;
    case KEY_NUMBER:
        memcpy(&real, field, sizeof real);
        units_print_number(real, text);
        break;
    case KEY_COUNT:
        snprintf(text, KEY_TEXT_SIZE, "%u", narrow);
        break;
    case KEY_SIGNED:
        snprintf(text, KEY_TEXT_SIZE, "%d", (int32_t)narrow);
        break;
    case KEY_TENTHS:
        snprintf(text, KEY_TEXT_SIZE, "%u.%u", narrow / 10, narrow % 10);
        break;
    case KEY_CHOICE:
        word_at(spec->range, narrow, text);
        break;
    case KEY_SWITCH:
        memcpy(&truth, field, sizeof truth);
        strcpy(text, truth ? "true" : "false");
        break;
    case KEY_TEXT:
        snprintf(text, KEY_TEXT_SIZE, "%.*s", PROFILE_NAME_SIZE - 1, (const char *)field);
        break;
    }
}

void key_expected(const struct key_spec *spec, char *text, size_t size)
{
    switch (spec->type) {
    case KEY_SIZE:
        snprintf(text, size, "a size such as 64KiB or 8GiB, in %s", spec->range);
        break;
    case KEY_RATE:
        snprintf(text, size, "a rate such as 25.7GB/s, in %s", spec->range);
        break;
    case KEY_TIME:
    case KEY_FINE:
        snprintf(text, size, "a time such as 15.4us, in %s", spec->range);
        break;
    case KEY_NUMBER:
        snprintf(text, size, "a number in %s", spec->range);
        break;
    case KEY_COUNT:
    case KEY_SIGNED:
        snprintf(text, size, "a whole number in %s", spec->range);
        break;
    case KEY_TENTHS:
    case KEY_CHOICE:
    case KEY_SWITCH:
        snprintf(text, size, "one of %s", spec->range);
        break;
    case KEY_TEXT:
        snprintf(text, size, "a name of letters, digits, - and _, shorter than %d",
                 PROFILE_NAME_SIZE);
        break;
    }
}

const char *key_type_name(const struct key_spec *spec)
{
    static const char *const names[] = {
        [KEY_SIZE] = "size",     [KEY_RATE] = "rate",     [KEY_TIME] = "time",
        [KEY_FINE] = "time",     [KEY_NUMBER] = "number", [KEY_COUNT] = "number",
        [KEY_TENTHS] = "choice", [KEY_CHOICE] = "choice", [KEY_SWITCH] = "switch",
        [KEY_TEXT] = "text",     [KEY_SIGNED] = "number",
    };
    return names[spec->type];
}

/* The NAME in a row's key, or NULL. */
static const char *placeholder(const struct key_spec *spec)
{
    return spec->owner == KEY_OF_PROFILE ? NULL : strstr(spec->key, "NAME");
}

void key_path(const struct key_spec *spec, const char *name, char path[KEY_PATH_SIZE])
{
    const char *hole = placeholder(spec);
    if (hole == NULL)
        snprintf(path, KEY_PATH_SIZE, "%s", spec->key);
    else
        snprintf(path, KEY_PATH_SIZE, "%.*s%.*s%s", (int)(hole - spec->key), spec->key,
                 PROFILE_NAME_SIZE - 1, name, hole + strlen("NAME"));
}

/* The middle part of a key of three; empty if it is not one or too long for a name. */
static void middle(const char *key, char name[PROFILE_NAME_SIZE])
{
    const char *first = strchr(key, '.');
    const char *last = strrchr(key, '.');
    name[0] = '\0';
    if (first != NULL && last > first && last - first - 1 < PROFILE_NAME_SIZE)
        snprintf(name, PROFILE_NAME_SIZE, "%.*s", (int)(last - first - 1), first + 1);
}

/* Whether the row's key is this one, with that name for its placeholder. */
static bool is_key(const struct key_spec *spec, const char *name, const char *key)
{
    const char *hole = placeholder(spec);
    if (hole == NULL)
        return strcmp(spec->key, key) == 0;
    size_t before = (size_t)(hole - spec->key), length = strlen(name);
    return strncmp(spec->key, key, before) == 0 && strncmp(key + before, name, length) == 0 &&
           strcmp(key + before + length, hole + strlen("NAME")) == 0 && is_name(name, false);
}

const struct key_spec *key_find(const char *key, char name[PROFILE_NAME_SIZE])
{
    middle(key, name);
    for (size_t i = 0; i < profile_keys_count; i++)
        if (is_key(&profile_keys[i], name, key))
            return &profile_keys[i];
    return NULL;
}

bool key_suggest(const char *key, char suggestion[KEY_PATH_SIZE])
{
    char name[PROFILE_NAME_SIZE], path[KEY_PATH_SIZE];
    size_t nearest = strlen(key) / 3 + 1;
    bool found = false;
    middle(key, name);
    for (size_t i = 0; i < profile_keys_count; i++) {
        key_path(&profile_keys[i], name[0] != '\0' ? name : "NAME", path);
        size_t distance = edit_distance(key, path);
        if (distance > nearest || (found && distance == nearest))
            continue;
        nearest = distance;
        found = true;
        memcpy(suggestion, path, sizeof path);
    }
    return found;
}
