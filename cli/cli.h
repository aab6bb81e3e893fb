/* What the commands share: messages, exit statuses, common options, values with units. */
#ifndef WDDMSIM_CLI_H
#define WDDMSIM_CLI_H

#include "config.h"

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "model/hardware/hardware.h"
#include "traces/merge.h"
#include "traces/reader.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_INTERRUPTED = 130 };

#define CLI_DEFAULT_PROFILE "rtx3070-8g"

/* A command: one file in cli/ and one row in commands.c. The manual page is made from these. */
struct cli_command {
    const char *name;
    const char *summary;
    const struct argp *argp;
    int (*run)(int argc, char **argv);
};

extern const struct cli_command cli_replay, cli_import, cli_convert, cli_inspect, cli_hardware,
    cli_generate, cli_report, cli_compare, cli_demo, cli_sweep, cli_scenario, cli_calibrate;
extern const struct cli_command *const cli_commands[];
extern const size_t cli_command_count;

/* -h/--help, --usage and -V/--version, which every command has: its argp's `children`. */
extern const struct argp cli_common_argp;
extern const struct argp_child cli_common[];

/* The same, and the options of cli_play_argp: commands that play traces hand it a struct cli_play
 * as child_inputs[1]. */
extern const struct argp_child cli_common_and_play[];

/* argp_parse with the command's own argp; usage errors exit with CLI_USAGE. */
void cli_parse(const struct cli_command *command, int argc, char **argv, void *input);

/* Prints "wddmsim: message" on standard error. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints a message that carries its own place, as it is, and returns CLI_USAGE. */
int cli_bad_input(const char *message);

/* Option values; a bad one is a usage error that names the option. */
uint64_t cli_time(const char *text, const char *option, struct argp_state *state);
uint64_t cli_size(const char *text, const char *option, struct argp_state *state);
uint64_t cli_count(const char *text, const char *option, struct argp_state *state);

/* Takes the only argument of a command; a second one is a usage error. */
void cli_take_argument(const char **argument, const char *text, const char *what,
                       struct argp_state *state);

/* The only argument of a command that takes one trace: what its parser answers to the keys that it
 * has no case of its own for. */
error_t cli_take_trace(const char **trace, int key, const char *text, struct argp_state *state);

/* Choices of a foreign recording's reader (--reader KEY=VALUE), for trace_open. */
struct cli_settings {
    const char **items; /* all zero: none; the texts are the command line's */
    size_t count;
};
void cli_add_setting(struct cli_settings *settings, const char *text, struct argp_state *state);

/* Lists what a reader counted, if it counted anything. */
void cli_print_facts(const struct trace_reader *reader, FILE *out);

/* Flushes standard output; CLI_FAILED and a message when it cannot (a full disk, a closed pipe). */
int cli_finish_output(int status);

/* How many processors there are for us. */
unsigned cli_processors(void);

/* Interrupts: the first Ctrl-C sets a flag, the second ends the program as usual. */
void cli_catch_interrupt(void);
bool cli_interrupted(void);

/* SHA-256 of a file's bytes as hexadecimal text; false for standard
 * input, pipes, and whatever cannot be read. */
bool cli_digest(const char *path, char hex[65]);

/* Progress of a trace being read: a bar on standard error, if that is a terminal. */
struct cli_progress {
    bool shown, drawn;
    double begun_s, last_s;
};
void cli_progress_start(struct cli_progress *progress, bool quiet);
void cli_progress_update(struct cli_progress *progress, uint64_t done, uint64_t total,
                         uint64_t events);
/* The same of runs that are done, out of so many. */
void cli_progress_points(struct cli_progress *progress, uint64_t done, uint64_t total,
                         uint64_t failed);
void cli_progress_end(struct cli_progress *progress);
double cli_seconds(void);

/* Copies a trace event by event: import and convert, whose argp this is a child of. */
struct cli_copy {
    struct trace_part *inputs;
    size_t input_count;
    struct trace_part offsets[TRACE_MOST_PARTS]; /* given on the command line */
    const char *output, *encoding, *format;
    struct cli_settings reader;
    uint64_t unknown_size;
    bool skip_bad, quiet, verbose;
};
extern const struct argp cli_copy_argp;
int cli_copy_trace(const struct cli_copy *copy);
void cli_copy_free(struct cli_copy *copy);

/* How a trace is played: what the options that replay, sweep and calibrate share say (play.c). */
struct cli_play {
    const char *hardware, *format;
    const char *miniport;                /* a shared object; NULL: the built-in one */
    const char **set_keys, **set_values; /* overrides */
    size_t set_count;
    struct cli_settings reader;
    int pace; /* enum replay_pace */
    uint64_t from_ns, to_ns, seed, unknown_size;
    bool check, skip_bad;
};
extern const struct argp cli_play_argp;
void cli_play_init(struct cli_play *play);
void cli_play_free(struct cli_play *play);

extern const char *const cli_pace_names[]; /* by enum replay_pace */
bool cli_parse_pace(const char *text, int *pace);

/* A replay with its results: what `replay` and `demo` do. */
struct cli_run {
    struct cli_play play;
    const char *trace, *output;
    uint64_t tolerance_ns;
    bool calls, expect, timeline, report, quiet, verbose;
    struct dxgk_fault *faults;
    size_t fault_count;
    const char *command_line;
};
int cli_run_replay(const struct cli_run *run);

/* The sample traces of traces/samples/, built into the program by embed.awk. */
struct cli_sample {
    const char *name; /* "frames.jsonl" */
    const char *text;
};
extern const struct cli_sample cli_samples[];
extern const size_t cli_samples_count;

/* The ready what-ifs of workloads/scenarios/, built into the program by embed.awk. */
struct cli_scenario {
    const char *name;
    const char *summary; /* first comment line of the file */
    const char *text;
};
extern const struct cli_scenario cli_scenarios[];
extern const size_t cli_scenarios_count;

/* Writes the manual page. */
int cli_manual(FILE *out);

/* A table in columns as wide as their contents; the last one is wrapped to the terminal. */
struct cli_table {
    size_t columns;
    const char *const *headings;
};
void cli_print_table(const struct cli_table *table, const char *const *cells, size_t rows);

#endif
