/* Working sets (Denning, CACM 1968): how many bytes were used within the last so much time, on
 * average over the run, for every length of that time at once.
 *
 * From one use of an object to its next one, or to its end, it belongs to the working set for as
 * long as the window is, and no longer than that: so the gaps between uses say it all. */
#ifndef WDDMSIM_ANALYSIS_WORKING_SET_H
#define WDDMSIM_ANALYSIS_WORKING_SET_H

#include "analysis/histogram.h"

#include <stdint.h>
#include <stdio.h>

enum { WORKING_SET_GAPS = 252 }; /* four to the octave */

/* All zero is empty. */
struct working_set {
    struct {
        uint64_t bytes;        /* of the objects, at each such gap */
        histogram_sum byte_ns; /* times its length */
    } gap[WORKING_SET_GAPS];
    struct working_set_use {
        uint64_t t_ns, bytes; /* bytes 0: there is no such object */
    } * last;                 /* [object] */
    uint32_t room;
    uint64_t uses, end_ns;
};

void working_set_fini(struct working_set *set);

/* An object, a small number, is used; ceases to exist: its number may be used again. */
void working_set_use(struct working_set *set, uint64_t now_ns, uint32_t object, uint64_t bytes);
void working_set_gone(struct working_set *set, uint64_t now_ns, uint32_t object);

/* The run is over: what is still there is not used again. */
void working_set_finish(struct working_set *set, uint64_t end_ns);

/* Mean of the bytes used within so much time, after the end; NAN for an empty run and windows
 * longer than it. Exact at the lengths of the CSV's rows, straight lines in between. */
double working_set_mean(const struct working_set *set, uint64_t window_ns);

/* As CSV, for windows from a microsecond on; only its head if nothing was used. */
void working_set_write(const struct working_set *set, FILE *out);

#endif
