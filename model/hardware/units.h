/* Sizes, times, rates and ratios as people write them: "8GiB", "15.4us", "25.7GB/s", "0.75".
 *
 * Parsing and printing are exact inverses: what print makes of a value, parse turns back into the
 * same value. */
#ifndef WDDMSIM_HARDWARE_UNITS_H
#define WDDMSIM_HARDWARE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

enum { UNITS_TEXT_SIZE = 48 };

/* Bytes: B, KiB MiB GiB TiB (powers of 1024), KB MB GB TB (powers of 1000). A bare number is
 * bytes. A space before the unit is allowed; what does not come to whole bytes is refused. */
bool units_parse_size(const char *text, uint64_t *bytes);
void units_print_size(uint64_t bytes, char text[UNITS_TEXT_SIZE]);

/* Nanoseconds: ps ns us ms s. A bare number is nanoseconds; fractions of one are refused. */
bool units_parse_ns(const char *text, uint64_t *ns);
void units_print_ns(uint64_t ns, char text[UNITS_TEXT_SIZE]);

/* The same in picoseconds; a bare number still means nanoseconds. */
bool units_parse_ps(const char *text, uint64_t *ps);
void units_print_ps(uint64_t ps, char text[UNITS_TEXT_SIZE]);

/* Bytes per second: a size's unit followed by "/s". The unit must be there, save for 0. */
bool units_parse_rate(const char *text, double *bytes_per_s);
void units_print_rate(double bytes_per_s, char text[UNITS_TEXT_SIZE]);

/* A plain finite decimal number. */
bool units_parse_number(const char *text, double *number);
void units_print_number(double number, char text[UNITS_TEXT_SIZE]);

/* A whole number without a sign. */
bool units_parse_count(const char *text, uint64_t *count);

#endif
