/* Numbers for people, the same in every locale. Each function writes into `text` (at least
 * HUMAN_ROOM bytes) and returns it. */
#ifndef WDDMSIM_ANALYSIS_HUMAN_H
#define WDDMSIM_ANALYSIS_HUMAN_H

#include <stddef.h>
#include <stdint.h>

enum { HUMAN_ROOM = 40, HUMAN_DIGITS = 24 };

/* The number's digits, without a terminator, at most 20; returns how many. `text` has room for
 * HUMAN_DIGITS bytes, and what stands behind the digits is no matter. */
size_t human_digits(char *text, uint64_t number);

/* With exactly `decimals` (0..9) digits behind the point: 12.50. */
char *human_decimal(char *text, double value, int decimals);

/* A whole number of thousandths with the point where it belongs: 12500 -> 12.500. */
char *human_thousandths(char *text, uint64_t thousandths);

/* Three significant digits and a unit: 812 ns, 1.25 us, 33.1 ms, 12.0 s. */
char *human_time(char *text, double ns);

/* 640 B, 64.0 KiB, 1.50 GiB. */
char *human_bytes(char *text, double bytes);

/* Groups of three: 1,234,567. */
char *human_count(char *text, uint64_t count);

/* 0.125 -> 12.5 %. Below 0.1 % two significant digits. */
char *human_share(char *text, double share);

#endif
