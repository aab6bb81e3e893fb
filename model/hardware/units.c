#include "model/hardware/units.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A unit is worth so many of the smallest thing its quantity is counted in. */
struct unit {
    const char *name;
    uint64_t worth;
};

#define KIB UINT64_C(1024)

static const struct unit size_units[] = {
    {"TiB", KIB *KIB *KIB *KIB},
    {"GiB", KIB *KIB *KIB},
    {"MiB", KIB *KIB},
    {"KiB", KIB},
    {"TB", UINT64_C(1000000000000)},
    {"GB", 1000000000},
    {"MB", 1000000},
    {"KB", 1000},
    {"kB", 1000},
    {"B", 1},
    {NULL, 0},
};

static const struct unit time_units[] = {
    {"s", UINT64_C(1000000000000)},
    {"ms", 1000000000},
    {"us", 1000000},
    {"\xc2\xb5s", 1000000},
    {"ns", 1000},
    {"ps", 1},
    {NULL, 0},
};

static const struct unit *find_unit(const struct unit *units, const char *name, size_t length)
{
    for (; units->name != NULL; units++)
        if (strlen(units->name) == length && memcmp(units->name, name, length) == 0)
            return units;
    return NULL;
}

/* A decimal number kept exactly: digits / 10^decimals. */
struct decimal {
    unsigned __int128 digits;
    unsigned decimals;
};

/* Reads "12", "12.5" or ".5" and moves *text behind it; at most 30 digits. */
static bool read_decimal(const char **text, struct decimal *number)
{
    enum { LONGEST = 30 };
    unsigned count = 0;
    bool point = false;
    *number = (struct decimal){0, 0};
    for (;; (*text)++) {
        if (**text == '.' && !point) {
            point = true;
            continue;
        }
        if (!isdigit((unsigned char)**text))
            break;
        if (++count > LONGEST)
            return false;
        number->digits = number->digits * 10 + (unsigned)(**text - '0');
        number->decimals += point;
    }
    return count > 0;
}

/* number × worth, refused when it is no whole number or leaves 64 bits. */
static bool scale(struct decimal number, uint64_t worth, uint64_t *result)
{
    if (number.digits > UINT64_MAX && worth > 1) /* trailing zeros aside, out of range anyway */
        while (number.decimals > 0 && number.digits % 10 == 0) {
            number.digits /= 10;
            number.decimals--;
        }
    if (number.digits > UINT64_MAX)
        return false;
    unsigned __int128 product = number.digits * worth;
    for (; number.decimals > 0; number.decimals--) {
        if (product % 10 != 0)
            return false;
        product /= 10;
    }
    if (product > UINT64_MAX)
        return false;
    *result = (uint64_t)product;
    return true;
}

static const char *skip_space(const char *text)
{
    while (*text == ' ')
        text++;
    return text;
}

/* Parses "NUMBER [UNIT]"; without a unit the number counts `bare`. */
static bool parse_quantity(const char *text, const struct unit *units, uint64_t bare,
                           uint64_t *result)
{
    struct decimal number;
    text = skip_space(text);
    if (!read_decimal(&text, &number))
        return false;
    text = skip_space(text);
    if (*text == '\0')
        return scale(number, bare, result);
    const struct unit *unit = find_unit(units, text, strlen(text));
    return unit != NULL && scale(number, unit->worth, result);
}

/* Prints value/worth with exactly as many decimals as it needs. */
static void print_decimal(uint64_t value, uint64_t worth, const char *unit, char *text)
{
    uint64_t fraction = value % worth;
    int length = snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64, value / worth);
    if (fraction != 0) {
        text[length++] = '.';
        for (; fraction != 0; fraction %= worth) {
            fraction *= 10;
            text[length++] = (char)('0' + fraction / worth);
        }
    }
    snprintf(text + length, (size_t)(UNITS_TEXT_SIZE - length), "%s", unit);
}

bool units_parse_size(const char *text, uint64_t *bytes)
{
    return parse_quantity(text, size_units, 1, bytes);
}

void units_print_size(uint64_t bytes, char text[UNITS_TEXT_SIZE])
{
    const struct unit *unit = size_units;
    while (bytes == 0 ? unit->worth != 1 : bytes % unit->worth != 0)
        unit++;
    snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64 "%s", bytes / unit->worth, unit->name);
}

bool units_parse_ps(const char *text, uint64_t *ps)
{
    return parse_quantity(text, time_units, 1000, ps);
}

void units_print_ps(uint64_t ps, char text[UNITS_TEXT_SIZE])
{
    const struct unit *unit = time_units;
    while (ps == 0 ? strcmp(unit->name, "ns") != 0 : ps < unit->worth)
        unit++;
    print_decimal(ps, unit->worth, unit->name, text);
}

/* Times of more than half a year do not fit into picoseconds, so nanoseconds are scaled apart. */
static const struct unit ns_units[] = {
    {"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"\xc2\xb5s", 1000}, {"ns", 1}, {NULL, 0},
};

bool units_parse_ns(const char *text, uint64_t *ns)
{
    uint64_t ps;
    if (parse_quantity(text, ns_units, 1, ns))
        return true;
    if (!units_parse_ps(text, &ps) || ps % 1000 != 0)
        return false;
    *ns = ps / 1000;
    return true;
}

void units_print_ns(uint64_t ns, char text[UNITS_TEXT_SIZE])
{
    const struct unit *unit = ns_units;
    while (ns == 0 ? unit->worth != 1 : ns < unit->worth)
        unit++;
    print_decimal(ns, unit->worth, unit->name, text);
}

bool units_parse_number(const char *text, double *number)
{
    /* strtod would also take "inf", hexadecimal, and signs that no parameter has. */
    text = skip_space(text);
    if (strspn(text, "0123456789.eE+-") != strlen(text) || *text == '-' || *text == '+')
        return false;
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value))
        return false;
    *number = value;
    return true;
}

/* The fewest digits that read back as the same number, without an exponent where 17 digits do. */
void units_print_number(double number, char text[UNITS_TEXT_SIZE])
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, UNITS_TEXT_SIZE, "%.*g", digits, number);
        if (strchr(text, 'e') != NULL && digits < 17)
            continue;
        if (strtod(text, NULL) == number) /* to the last bit, on purpose */
            return;
    }
}

bool units_parse_rate(const char *text, double *bytes_per_s)
{
    char number[UNITS_TEXT_SIZE];
    text = skip_space(text);
    size_t length = strspn(text, "0123456789.eE+-");
    if (length == 0 || length >= sizeof number)
        return false;
    memcpy(number, text, length);
    number[length] = '\0';
    double value;
    if (!units_parse_number(number, &value))
        return false;
    text = skip_space(text + length);
    if (*text == '\0' && value <= 0) {
        *bytes_per_s = 0;
        return true;
    }
    size_t unit_length = strlen(text);
    if (unit_length < 3 || strcmp(text + unit_length - 2, "/s") != 0)
        return false;
    const struct unit *unit = find_unit(size_units, text, unit_length - 2);
    if (unit == NULL)
        return false;
    *bytes_per_s = value * (double)unit->worth;
    return true;
}

void units_print_rate(double bytes_per_s, char text[UNITS_TEXT_SIZE])
{
    static const struct unit rate_units[] = {{"TB", UINT64_C(1000000000000)},
                                             {"GB", 1000000000},
                                             {"MB", 1000000},
                                             {"KB", 1000},
                                             {"B", 1}};
    char number[UNITS_TEXT_SIZE];
    for (size_t i = 0; i < sizeof rate_units / sizeof *rate_units; i++) {
        if (bytes_per_s < (double)rate_units[i].worth && rate_units[i].worth > 1)
            continue;
        units_print_number(bytes_per_s / (double)rate_units[i].worth, number);
        double back;
        snprintf(text, UNITS_TEXT_SIZE, "%.40s%s/s", number, rate_units[i].name);
        if (units_parse_rate(text, &back) && back == bytes_per_s)
            return;
    }
    snprintf(text, UNITS_TEXT_SIZE, "%.17gB/s", bytes_per_s);
}

bool units_parse_count(const char *text, uint64_t *count)
{
    struct decimal number;
    text = skip_space(text);
    return read_decimal(&text, &number) && *text == '\0' && scale(number, 1, count);
}
