/* Files for what does not fit in memory. */
#ifndef WDDMSIM_TRACES_TEMPORARY_H
#define WDDMSIM_TRACES_TEMPORARY_H

/* Opens a file in TMPDIR, else /tmp, that no other program sees and that goes when it is closed.
 * -1: errno says why. */
int trace_temporary(void);

#endif
