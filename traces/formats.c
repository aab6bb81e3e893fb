/* The formats that can be read. A new one is one file that defines its `struct trace_format`, one
 * declaration and one row here. Detection asks from the top. */
#include "traces/reader.h"

extern const struct trace_format trace_format_wtrace;
extern const struct trace_format trace_format_jsonl;
extern const struct trace_format trace_format_etl;

const struct trace_format *const trace_formats[] = {
    &trace_format_wtrace,
    &trace_format_jsonl,
    &trace_format_etl,
};

const size_t trace_format_count = sizeof trace_formats / sizeof *trace_formats;
