/* The formats that can be read. A new one is one file that defines its `struct trace_format`, one
 * declaration and one row here. Detection asks from the top. */
#include "traces/reader.h"

extern const struct trace_format trace_format_wtrace;
extern const struct trace_format trace_format_jsonl;
extern const struct trace_format trace_format_etl;
extern const struct trace_format trace_format_dat;
extern const struct trace_format trace_format_ftrace;
extern const struct trace_format trace_format_gpgmm;
extern const struct trace_format trace_format_kineto;
extern const struct trace_format trace_format_kvcache;
extern const struct trace_format trace_format_nsight;
extern const struct trace_format trace_format_presentmon;
extern const struct trace_format trace_format_pytorch;
extern const struct trace_format trace_format_tracerpt;
extern const struct trace_format trace_format_xperf;

/* kineto takes any Chrome JSON, and jsonl every object that is nobody else's, to say what is wrong
 * with it. */
/* clang-format off */
const struct trace_format *const trace_formats[] = {
    &trace_format_wtrace,
    &trace_format_etl,
    &trace_format_xperf,
    &trace_format_tracerpt,
    &trace_format_dat,
    &trace_format_ftrace,
    &trace_format_gpgmm,
    &trace_format_kineto,
    &trace_format_kvcache,
    &trace_format_nsight,
    &trace_format_presentmon,
    &trace_format_pytorch,
    &trace_format_jsonl,
};
/* clang-format on */

const size_t trace_format_count = sizeof trace_formats / sizeof *trace_formats;
