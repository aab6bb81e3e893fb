#include "analysis/human.h"

#include <endian.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The eight digits of a number below 10^8, the first in the lowest byte, as values: both halves are
 * split into hundreds at once, and all four hundreds into tens. */
static inline uint64_t eight_digits(uint32_t number)
{
    uint64_t fours = number / 10000 | (uint64_t)(number % 10000) << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & 0x7f0000007f; /* each / 100 */
    uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = (twos * 103 >> 10) & 0xf000f000f000f; /* each / 10 */
    return tens | (twos - 10 * tens) << 8;
}

static inline void put_eight(char *text, uint64_t digits)
{
    digits = htole64(digits + 0x3030303030303030);
    memcpy(text, &digits, sizeof digits);
}

/* Without the zeros in front. */
static inline size_t put_first(char *text, uint32_t number)
{
    uint64_t digits = eight_digits(number);
    int zeros = number != 0 ? __builtin_ctzll(digits) / 8 : 7;
    put_eight(text, digits >> 8 * zeros);
    return 8 - (size_t)zeros;
}

/* Tables have millions of numbers: no loop, and all digits of a number at once. */
size_t human_digits(char *text, uint64_t number)
{
    const uint64_t part = 100000000;
    if (number < part)
        return put_first(text, (uint32_t)number);
    uint64_t high = number / part;
    size_t length = 0;
    if (high < part) {
        length = put_first(text, (uint32_t)high);
    } else {
        length = put_first(text, (uint32_t)(high / part));
        put_eight(text + length, eight_digits((uint32_t)(high % part)));
        length += 8;
    }
    put_eight(text + length, eight_digits((uint32_t)(number % part)));
    return length + 8;
}

/* printf's %f follows the locale's decimal point; whole numbers do not. */
char *human_decimal(char *text, double value, int decimals)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    if (decimals < 0 || decimals > 9)
        decimals = 3;
    if (!isfinite(value) || fabs(value) >= 1e18 / powers[decimals]) {
        snprintf(text, HUMAN_ROOM, "%s", isnan(value) ? "nan" : value < 0 ? "-huge" : "huge");
        return text;
    }
    uint64_t scaled = (uint64_t)llround(fabs(value) * powers[decimals]);
    uint64_t one = (uint64_t)powers[decimals];
    char *end = text;
    if (value < 0 && scaled != 0)
        *end++ = '-';
    end += human_digits(end, scaled / one);
    if (decimals != 0) {
        char digits[HUMAN_DIGITS]; /* a one in front keeps the zeros */
        human_digits(digits, one + scaled % one);
        *end++ = '.';
        memcpy(end, digits + 1, (size_t)decimals);
        end += decimals;
    }
    *end = 0;
    return text;
}

char *human_thousandths(char *text, uint64_t thousandths)
{
    char *end = text + human_digits(text, thousandths / 1000), digits[HUMAN_DIGITS];
    human_digits(digits, 1000 + thousandths % 1000);
    digits[0] = '.';
    memcpy(end, digits, 4);
    end[4] = 0;
    return text;
}

/* Three significant digits of a number that a unit has already brought below about 1000. */
static int digits_behind(double value)
{
    double size = fabs(value);
    return size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
}

static char *with_unit(char *text, double value, double unit, const char *name)
{
    char number[HUMAN_ROOM];
    double scaled = value / unit;
    int decimals = unit > 1 || scaled != floor(scaled) ? digits_behind(scaled) : 0;
    snprintf(text, HUMAN_ROOM, "%s %s", human_decimal(number, scaled, decimals), name);
    return text;
}

char *human_time(char *text, double ns)
{
    double size = fabs(ns);
    if (size < 999.5)
        return with_unit(text, ns, 1, "ns");
    if (size < 999.5e3)
        return with_unit(text, ns, 1e3, "us");
    if (size < 999.5e6)
        return with_unit(text, ns, 1e6, "ms");
    return with_unit(text, ns, 1e9, "s");
}

char *human_bytes(char *text, double bytes)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double unit = 1;
    size_t i = 0;
    while (i + 1 < sizeof names / sizeof *names && fabs(bytes) >= 1023.5 * unit) {
        unit *= 1024;
        i++;
    }
    return with_unit(text, bytes, unit, names[i]);
}

char *human_count(char *text, uint64_t count)
{
    char plain[HUMAN_ROOM];
    int length = snprintf(plain, sizeof plain, "%" PRIu64, count);
    char *out = text;
    for (int i = 0; i < length; i++) {
        if (i != 0 && (length - i) % 3 == 0)
            *out++ = ',';
        *out++ = plain[i];
    }
    *out = 0;
    return text;
}

char *human_share(char *text, double share)
{
    char number[HUMAN_ROOM];
    double percent = 100 * share, size = fabs(percent);
    int decimals = size >= 99.95 || size == 0 ? 0 : size >= 0.0995 ? 1 : size >= 0.00995 ? 2 : 3;
    snprintf(text, HUMAN_ROOM, "%s %%", human_decimal(number, percent, decimals));
    return text;
}
