#include "cli/sweep/study.h"
#include "analysis/heap.h"
#include "traces/message.h"
#include "workloads/replay.h"

#include <errno.h>
#include <unistd.h>

enum {
    WORKLOAD = 0x4000,
    VARY,
    DESIGN,
    REPLICATE,
    METRIC,
    FIND,
    SUCH_THAT,
    RESOLUTION,
    MINIMISE,
    MAXIMISE,
    OVER,
    BUDGET,
    PARETO,
    COST,
    TITLE,
    QUESTION,
    TRACE,
    SHARD,
    MERGE,
    NO_REPORT,
    LAUNCHER,
    DRY_RUN,
    TASKS,
    TASK_TIME,
    TASK_MEMORY,
    SBATCH
};

const struct argp_option study_options[] = {
    {"vary", VARY, "KEY=VALUES", 0,
     "vary a key of the profile, hardware, pace, miniport, unknown-size or workload.PARAMETER: "
     "A,B,C; LOW..HIGH:STEP; LOW..HIGH*FACTOR; or names for what sets several keys together, "
     "A{KEY=V,KEY=V},B{KEY=V,KEY=V}; several --vary are combined",
     1},
    {"workload", WORKLOAD, "NAME", 0,
     "generate the trace (see wddmsim generate list); -s workload.PARAMETER=VALUE sets its "
     "parameters",
     1},
    {"replicate", REPLICATE, "N", 0,
     "run every point with N seeds, of the generator and of the model, from --seed on; means have "
     "95 % confidence intervals then",
     1},
    {"design", DESIGN, "DESIGN", 0,
     "grid: all combinations (the default); one-at-a-time; sobol:N, halton:N, lhs:N: N points "
     "that cover the space, also of ranges LOW..HIGH; saltelli:N: N times (keys + 2) points, for "
     "sensitivity indices",
     1},
    {"metric", METRIC, "PATH", 0,
     "a number of summary.json (calls.Submit.latency_ns.p99) or a short name (p99), * for any key; "
     "the first is what the report tells about; may be repeated",
     2},
    {"pareto", PARETO, "METRIC,METRIC", 0, "which points no other beats in both", 2},
    {"cost", COST, "KEY=PRICE/UNIT", 0,
     "what a varied key costs, segments.local.size=5/GiB or KEY=VALUE:PRICE,...; the sum is the "
     "metric cost; may be repeated",
     2},
    {"find", FIND, "KEY[=LOW..HIGH]", 0,
     "the value of the key from which on --such-that holds, by bisection, for each combination of "
     "what else is varied",
     3},
    {"such-that", SUCH_THAT, "CONDITION", 0, "\"METRIC <= VALUE\" or >=, <, >", 3},
    {"resolution", RESOLUTION, "VALUE", 0, "find to this step (default: a thousandth of the range)",
     3},
    {"minimise", MINIMISE, "METRIC", 0, "the values at which the metric is least", 3},
    {"maximise", MAXIMISE, "METRIC", 0, "or greatest", 3},
    {"over", OVER, "KEY[=LOW..HIGH]", 0,
     "over this key (default: every range that is varied); may be repeated", 3},
    {"budget", BUDGET, "N", 0, "with at most so many runs (default: 64)", 3},
    {"title", TITLE, "TEXT", 0, "title of the report", 4},
    {"question", QUESTION, "TEXT", 0, "what is asked, for the report", 4},
    {"output", 'o', "DIR", 0, "folder for the results (default: wddmsim-sweep)", 5},
    {"jobs", 'j', "N", 0, "points to run side by side (default: as many as there are processors)",
     5},
    {"no-report", NO_REPORT, NULL, 0, "write the tables only, no plots and no page", 5},
    {"shard", SHARD, "I/N", 0, "run every Nth point only, from the Ith on, and stop there", 6},
    {"merge", MERGE, NULL, 0, "run nothing: collect what shards have left in the folder", 6},
    {"launcher", LAUNCHER, "local|slurm", 0,
     "slurm: submit shards as a job array and their merging as a job that depends on it, and "
     "follow them; the folder must be shared",
     6},
    {"dry-run", DRY_RUN, NULL, 0,
     "print what would be run, or with --launcher slurm the scripts, and stop", 6},
    {"tasks", TASKS, "N", 0, "tasks of the job array (default: 16, or the points)", 6},
    {"task-time", TASK_TIME, "TIME", 0, "time limit of a task (default: the cluster's)", 6},
    {"task-memory", TASK_MEMORY, "SIZE", 0, "memory of a task (default: the cluster's)", 6},
    {"sbatch", SBATCH, "OPTION", 0, "a further option of sbatch; may be repeated", 6},
    {"quiet", 'q', NULL, 0, "no progress, no summary", 7},
    {"verbose", 'v', NULL, 0, "say what was run and what was there already", 7},
    /* What a study file says without dashes on the command line. */
    {"trace", TRACE, "FILE", OPTION_HIDDEN, NULL, 0},
    {0},
};

/* What is being read: the command line, or a line of a study file. */
struct reading {
    struct study *study;
    const char *place; /* NULL: the command line */
    const char *file;  /* a study file that the command line names */
    const struct argp *argp;
    FILE *says; /* where argp says what is wrong with a file's line */
};

const char *study_keep(struct study *study, char *text)
{
    study->kept = heap_resize(study->kept, study->kept_count + 1, sizeof *study->kept);
    study->kept[study->kept_count++] = text;
    return text;
}

void study_refuse(const struct study_text *given, const char *option, const char *message)
{
    if (given->place != NULL)
        fprintf(stderr, "%s: %s: %s\n", given->place, option, message);
    else
        cli_error("--%s: %s", option, message);
    exit(CLI_USAGE);
}

/* The command line's list takes the place of a study file's. */
static void add(const struct reading *reading, struct study_texts *list, const char *text)
{
    if (reading->place == NULL && list->count > 0 && list->items[0].place != NULL)
        list->count = 0;
    list->items = heap_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = (struct study_text){text, reading->place};
}

/* The same, but only for the same KEY=. */
static void add_keyed(const struct reading *reading, struct study_texts *list, const char *text)
{
    size_t length = strcspn(text, "=") + 1, kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        bool replaced = reading->place == NULL && list->items[i].place != NULL &&
                        strncmp(list->items[i].text, text, length) == 0;
        if (!replaced)
            list->items[kept++] = list->items[i];
    }
    list->items = heap_resize(list->items, kept + 1, sizeof *list->items);
    list->items[kept] = (struct study_text){text, reading->place};
    list->count = kept + 1;
}

static bool is_study_file(const char *path)
{
    size_t length = strlen(path);
    return (length > 5 && strcmp(path + length - 5, ".yaml") == 0) ||
           (length > 4 && strcmp(path + length - 4, ".yml") == 0);
}

static void take_argument(struct reading *reading, const char *text, struct argp_state *state)
{
    if (!is_study_file(text))
        add(reading, &reading->study->traces, text);
    else if (reading->place != NULL)
        argp_error(state, "expected a trace, got \"%.60s\"", text);
    else
        cli_take_argument(&reading->file, text, "study", state);
}

static const struct workload *workload_of(const char *name, struct argp_state *state)
{
    const char *nearest;
    const struct workload *workload = workload_find(name, &nearest);
    if (workload == NULL)
        argp_error(state, "--workload: no workload \"%.60s\"%s%s%s", name,
                   nearest != NULL ? ", did you mean " : " (see wddmsim generate list)",
                   nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    return workload;
}

static void take_shard(struct study *study, const char *text, struct argp_state *state)
{
    char *slash;
    unsigned long shard = strtoul(text, &slash, 10), shards = 0;
    if (*slash == '/')
        shards = strtoul(slash + 1, &slash, 10);
    if (*slash != 0 || shard < 1 || shard > shards)
        argp_error(state, "--shard: expected I/N with I from 1 to N, got \"%.60s\"", text);
    study->shard = shard;
    study->shards = shards;
}

static void take_pareto(struct study *study, const char *text, struct argp_state *state)
{
    const char *comma = strchr(text, ',');
    if (comma == NULL || strchr(comma + 1, ',') != NULL) {
        argp_error(state, "--pareto: expected METRIC,METRIC, got \"%.60s\"", text);
        return;
    }
    study->pareto[0] = study_keep(study, heap_check(strndup(text, (size_t)(comma - text))));
    study->pareto[1] = comma + 1 + strspn(comma + 1, " ");
}

static uint64_t at_least_one(const char *text, const char *option, struct argp_state *state)
{
    uint64_t count = cli_count(text, option, state);
    if (count < 1 || count > 1000000)
        argp_error(state, "--%s: expected a number from 1 to 1000000, got \"%.60s\"", option, text);
    return count;
}

static void search(struct study *study, enum study_search kind, struct argp_state *state)
{
    if (study->search != STUDY_NO_SEARCH && study->search != kind)
        argp_error(state, "--find and --minimise are two different searches: expected one");
    study->search = kind;
}

error_t study_parse_option(int key, char *text, struct argp_state *state)
{
    struct reading *reading = state->input;
    struct study *study = reading->study;
    const struct study_text given = {text, reading->place};
    char error[200];
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[1] = &study->play;
        if (reading->place != NULL)
            state->err_stream = reading->says;
        return 0;
    case WORKLOAD:
        study->workload = workload_of(text, state);
        return 0;
    case VARY:
        add_keyed(reading, &study->vary, text);
        return 0;
    case DESIGN:
        if (!design_parse(text, &study->design, error, sizeof error))
            argp_error(state, "--design: %s", error);
        return 0;
    case REPLICATE:
        study->seeds = at_least_one(text, "replicate", state);
        return 0;
    case METRIC:
        add(reading, &study->metrics, text);
        return 0;
    case PARETO:
        take_pareto(study, text, state);
        return 0;
    case COST:
        add_keyed(reading, &study->costs, text);
        return 0;
    case FIND:
        search(study, STUDY_FIND, state);
        study->find = given;
        return 0;
    case SUCH_THAT:
        study->such_that = given;
        return 0;
    case RESOLUTION:
        study->resolution = given;
        return 0;
    case MINIMISE:
    case MAXIMISE:
        search(study, STUDY_MINIMISE, state);
        study->minimise = given;
        study->maximise = key == MAXIMISE;
        return 0;
    case OVER:
        add(reading, &study->over, text);
        return 0;
    case BUDGET:
        study->budget = at_least_one(text, "budget", state);
        return 0;
    case TITLE:
        study->title = text;
        return 0;
    case QUESTION:
        study->question = text;
        return 0;
    case 'o':
        study->output = text;
        return 0;
    case 'j':
        study->jobs = (unsigned)at_least_one(text, "jobs", state);
        study->jobs_given = true;
        return 0;
    case NO_REPORT:
        study->report = false;
        return 0;
    case SHARD:
        take_shard(study, text, state);
        return 0;
    case MERGE:
        study->merge = true;
        return 0;
    case LAUNCHER:
        study->slurm = strcmp(text, "slurm") == 0;
        if (!study->slurm && strcmp(text, "local") != 0)
            argp_error(state, "--launcher: expected local or slurm, got \"%.60s\"", text);
        return 0;
    case DRY_RUN:
        study->dry_run = true;
        return 0;
    case TASKS:
        study->tasks = at_least_one(text, "tasks", state);
        return 0;
    case TASK_TIME:
        study->task_time_ns = cli_time(text, "task-time", state);
        return 0;
    case TASK_MEMORY:
        study->task_memory = cli_size(text, "task-memory", state);
        return 0;
    case SBATCH:
        add(reading, &study->sbatch, text);
        return 0;
    case 'q':
        study->quiet = true;
        return 0;
    case 'v':
        study->verbose = true;
        return 0;
    case TRACE:
    case ARGP_KEY_ARG:
        take_argument(reading, text, state);
        return 0;
    case ARGP_KEY_END:
        if (reading->place == NULL && study->shards > 0 && study->merge)
            argp_error(state, "--shard runs a part, --merge collects all: expected one");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Study files. */

static const struct argp_option *find_option(const struct argp *argp, const char *name)
{
    const struct argp_option *row = argp->options;
    for (; row != NULL && (row->name != NULL || row->doc != NULL); row++)
        if (row->name != NULL && strcmp(row->name, name) == 0)
            return row;
    const struct argp_child *child = argp->children;
    for (; child != NULL && child->argp != NULL; child++)
        if (child->argp != cli_common->argp && (row = find_option(child->argp, name)) != NULL)
            return row;
    return NULL;
}

static void guess_option(const struct argp *argp, const char *name, struct trace_guess *guess)
{
    const struct argp_option *row = argp->options;
    for (; row != NULL && row->name != NULL; row++)
        trace_guess_offer(guess, name, row->name);
    const struct argp_child *child = argp->children;
    for (; child != NULL && child->argp != NULL; child++)
        if (child->argp != cli_common->argp)
            guess_option(child->argp, name, guess);
}

static _Noreturn void refuse_line(const char *place, const char *message)
{
    fprintf(stderr, "%s: %s\n", place, message);
    exit(CLI_USAGE);
}

/* A path that a study file names counts from the file's own folder. */
static const char *from_the_file(const char *place, const char *option, const char *value)
{
    static const char *const paths[] = {"trace", "hardware", "miniport"};
    const char *slash = strrchr(place, '/');
    bool path = false;
    for (size_t i = 0; i < 3; i++)
        path = path || strcmp(option, paths[i]) == 0;
    if (strcmp(option, "hardware") == 0)
        path = strchr(value, '/') != NULL || is_study_file(value);
    if (!path || value[0] == '/' || slash == NULL)
        return heap_text(value);
    size_t room = (size_t)(slash - place) + strlen(value) + 2;
    char *joined = heap_new(room, 1);
    snprintf(joined, room, "%.*s/%s", (int)(slash - place), place, value);
    return joined;
}

/* One option of the file, taken as if it stood on the command line. */
static void take_line(void *self, const char *place, const char *option, const char *value)
{
    struct reading *reading = self;
    char message[300];
    const struct argp_option *row = find_option(reading->argp, option);
    if (row == NULL) {
        struct trace_guess guess = trace_guess_start(option);
        guess_option(reading->argp, option, &guess);
        if (guess.best != NULL)
            snprintf(message, sizeof message, "no such option \"%.60s\", did you mean %s?", option,
                     guess.best);
        else
            snprintf(message, sizeof message, "no such option \"%.60s\" (see wddmsim sweep --help)",
                     option);
        refuse_line(place, message);
    }
    if (row->arg == NULL && strcmp(value, "false") == 0)
        return;
    if (row->arg == NULL && strcmp(value, "true") != 0) {
        snprintf(message, sizeof message, "%s: expected true or false, got \"%.60s\"", option,
                 value);
        refuse_line(place, message);
    }
    const char *rebased = from_the_file(place, option, value);
    size_t room = strlen(option) + strlen(rebased) + 4;
    char *argument = heap_new(room, 1), *name = heap_text("study");
    snprintf(argument, room, row->arg == NULL ? "--%s" : "--%s=%s", option, rebased);
    free((char *)(uintptr_t)rebased);
    study_keep(reading->study, argument);
    reading->place = study_keep(reading->study, heap_text(place));

    /* argp says what is wrong at length; of that, the first line is told with the place. */
    char *said = NULL, *argv[] = {name, argument, NULL};
    size_t length;
    reading->says = heap_check(open_memstream(&said, &length));
    argp_parse(reading->argp, 2, argv, ARGP_NO_HELP | ARGP_NO_EXIT, NULL, reading);
    fclose(reading->says);
    if (length > 0) {
        const char *colon = strstr(said, ": ");
        said[strcspn(said, "\n")] = 0;
        refuse_line(place, colon != NULL ? colon + 2 : said);
    }
    free(said);
    free(name);
    reading->place = NULL;
}

static void read_study(struct reading *reading, const char *text, size_t length, const char *name)
{
    char error[400];
    if (!study_file_read(text, length, name, take_line, reading, error, sizeof error)) {
        cli_bad_input(error);
        exit(CLI_USAGE);
    }
}

static void read_study_file(struct reading *reading, const char *path)
{
    enum { LONGEST = 1 << 20 };
    FILE *file = fopen(path, "rb");
    char *text = heap_new(LONGEST + 1, 1);
    size_t length = file != NULL ? fread(text, 1, LONGEST + 1, file) : 0;
    if (file == NULL || ferror(file))
        refuse_line(path, strerror(errno));
    fclose(file);
    if (length > LONGEST)
        refuse_line(path, "larger than 1 MiB, not a study");
    read_study(reading, text, length, path);
    free(text);
}

static void start(struct study *study)
{
    *study = (struct study){.seeds = 1, .budget = 64, .report = true};
    study->jobs = cli_processors();
    cli_play_init(&study->play);
}

void study_parse(struct study *study, const struct cli_command *command, int argc, char **argv,
                 const char *text, const char *name)
{
    struct reading reading = {.study = study, .argp = command->argp};
    start(study);
    if (text == NULL) { /* does the command line name a file? */
        cli_parse(command, argc, argv, &reading);
        if (reading.file != NULL) {
            study_free(study);
            start(study);
            read_study_file(&reading, reading.file);
        }
    } else {
        read_study(&reading, text, strlen(text), name);
    }
    if (text != NULL || reading.file != NULL) { /* it has the last word */
        reading.file = NULL;
        cli_parse(command, argc, argv, &reading);
    }
    study_settle(study);
}

void study_free(struct study *study)
{
    struct study_texts *lists[] = {&study->traces, &study->metrics, &study->vary,
                                   &study->over,   &study->costs,   &study->sbatch};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        free(lists[i]->items);
    for (size_t i = 0; i < study->costs.count && study->prices != NULL; i++)
        free(study->prices[i].prices);
    free(study->prices);
    for (size_t i = 0; i < study->axis_count; i++)
        axis_free(&study->axes[i]);
    free(study->axes);
    free(study->searched);
    for (size_t i = 0; i < study->kept_count; i++)
        free(study->kept[i]);
    free(study->kept);
    cli_play_free(&study->play);
}
