#include "analysis/human.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

static inline void two_digits(char *text, uint32_t number)
{
    memcpy(text, pairs + 2 * number, 2);
}

static inline void eight_digits(char *text, uint32_t number)
{
    uint32_t high = number / 10000, low = number % 10000;
    two_digits(text, high / 100);
    two_digits(text + 2, high % 100);
    two_digits(text + 4, low / 100);
    two_digits(text + 6, low % 100);
}

/* As few divisions of 64 bits as there can be, two digits at a time, and a copy of a length that
 * the compiler knows: tables have millions of numbers. */
size_t human_digits(char *text, uint64_t number)
{
    enum { MOST = 24 };
    char digits[2 * MOST];
    size_t first = 16;
    eight_digits(digits + 16, (uint32_t)(number % 100000000));
    if (number >= 100000000) {
        number /= 100000000;
        eight_digits(digits + 8, (uint32_t)(number % 100000000));
        first = 8;
        if (number >= 100000000) {
            eight_digits(digits, (uint32_t)(number / 100000000));
            first = 0;
        }
    }
    while (digits[first] == '0' && first < MOST - 1)
        first++;
    memcpy(text, digits + first, MOST);
    return MOST - first;
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
