/* A study: the question that a sweep answers. It is what the options of `sweep` say; a YAML file is
 * those options written down: every key of the file is a long option, maps and lists are options
 * given several times. */
#ifndef WDDMSIM_CLI_SWEEP_STUDY_H
#define WDDMSIM_CLI_SWEEP_STUDY_H

#include "cli/cli.h"
#include "cli/sweep/axis.h"

/* An option as it was given; `place` is FILE:LINE if a study file gave it. */
struct study_text {
    const char *text, *place;
};
struct study_texts {
    struct study_text *items;
    size_t count;
};

/* What a key costs: so much for each unit of it, or a price for each of its values. */
struct study_cost {
    size_t axis;  /* the axis it is about */
    double price; /* of `unit` bytes, ns, …; unit 0: see prices */
    double unit;
    double *prices; /* one for each level */
};

enum study_search { STUDY_NO_SEARCH, STUDY_FIND, STUDY_MINIMISE };

struct study {
    /* What is asked. */
    struct cli_play play;            /* every point's, but for what is varied */
    const struct workload *workload; /* generates the trace; NULL: traces are given */
    const char *title, *question;
    struct design design;
    uint64_t seeds;
    const char *pareto[2]; /* two metrics; NULL: none */
    enum study_search search;
    bool maximise;
    uint64_t budget; /* of STUDY_MINIMISE: runs */
    struct study_texts traces, metrics, vary, over, costs;
    struct study_text find, such_that, minimise, resolution;

    /* What study_settle makes of that. */
    struct axis *axes;
    size_t axis_count;
    const char *search_metric;
    struct search_condition condition; /* of STUDY_FIND */
    bool *searched;                    /* one for each axis: whether the search is over it */
    struct study_cost *prices;

    /* How it is run: not part of the question, and not kept with the results. */
    const char *output;
    unsigned jobs;
    bool jobs_given;
    uint64_t shard, shards; /* 1 … shards; 0 of 0: all of it */
    bool merge, report, quiet, verbose;
    bool slurm, dry_run;
    uint64_t tasks, task_time_ns, task_memory;
    struct study_texts sbatch; /* further options of sbatch */

    char **kept; /* texts that the above points into */
    size_t kept_count;
};

/* Fills a study from a command line, and from the study file that it may name or from `text`, a
 * study of that name built into the program (NULL: none). The command line has the last word.
 * Usage errors exit. */
void study_parse(struct study *study, const struct cli_command *command, int argc, char **argv,
                 const char *text, const char *name);

/* The argp of `sweep` and `scenario`. */
extern const struct argp_option study_options[];
error_t study_parse_option(int key, char *text, struct argp_state *state);

/* Writes the question as a file that study_parse reads. */
void study_write(const struct study *study, FILE *out);

void study_free(struct study *study);

/* A text that lives as long as the study; takes it over. */
const char *study_keep(struct study *study, char *text);

/* Ends the program with a usage error about an option, FILE:LINE first if a file gave it. */
_Noreturn void study_refuse(const struct study_text *given, const char *option,
                            const char *message);

/* study_settle.c: axes, search and costs from their texts; what is wrong is a usage error. */
void study_settle(struct study *study);

/* study_cost.c: KEY=5/GiB or KEY=VALUE:PRICE,VALUE:PRICE; then what a point costs, NaN if it has a
 * value without a price. */
bool study_cost_parse(const struct study *study, const char *text, struct study_cost *cost,
                      char *error, size_t error_size);
double study_cost_of(const struct study *study, const struct sweep_point *point);

/* study_file.c: calls `take` for each option that the YAML says, in order; `place` is FILE:LINE.
 * Texts live during the call. False and one line if it is no study. */
bool study_file_read(const char *text, size_t length, const char *name,
                     void (*take)(void *self, const char *place, const char *option,
                                  const char *value),
                     void *self, char *error, size_t error_size);

#endif
