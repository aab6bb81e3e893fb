/* Several recordings of one machine as one trace, on one clock. */
#ifndef WDDMSIM_TRACES_MERGE_H
#define WDDMSIM_TRACES_MERGE_H

#include "traces/reader.h"

struct trace_part {
    const char *path;
    bool has_offset;
    int64_t offset_ns; /* its t 0 is so much later than the first part's */
};

enum { TRACE_MOST_PARTS = 64 };

/* Opens all parts; `options` are for each, a reader's setting for those whose format has it. Where
 * no offset is given and both tell when their t 0 was on a clock that they have in common, that
 * decides, else it is the same for both.
 *
 * What is said to have been there before comes first. A device, a context or an allocation that two
 * parts call the same is the same one: the second of such creations is left out. In parts whose
 * format names objects for itself alone, every name but the first part's gets the part's number in
 * front ("2: gpu 0"), and a process that is not known is another one in each. */
bool trace_open_parts(const struct trace_part *parts, size_t count,
                      const struct trace_open_options *options, struct trace_reader **reader,
                      struct trace_error *error);

/* Whether the setting, KEY=VALUE, is one that the format of what is read has. */
bool trace_reader_has_setting(const struct trace_reader *reader, const char *text);

/* Whether what is read calls its objects by names that another recording may use for others. */
bool trace_reader_names_its_own(const struct trace_reader *reader);

/* A reader whose format is not one of the table: it takes over `state`, which trace_close closes.
 */
struct trace_reader *trace_reader_wrap(const struct trace_format *format, void *state,
                                       const struct trace_header *header);

#endif
