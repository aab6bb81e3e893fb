/* The command: from a study to its table and report. */
#include "analysis/heap.h"
#include "analysis/output.h"
#include "analysis/sweep/report.h"
#include "cli/sweep/collect.h"
#include "cli/sweep/drive.h"
#include "cli/sweep/slurm.h"
#include "cli/sweep/source.h"
#include "cli/sweep/sweep.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

bool sweep_save_study(const struct study *study)
{
    char error[512];
    struct output output = {.directory = study->output};
    FILE *file = output_open(&output, "study.yaml", error, sizeof error);
    if (file != NULL)
        study_write(study, file);
    bool good = file != NULL && output_commit(&output, error, sizeof error);
    if (!good)
        cli_error("%s", error);
    return good;
}

/* Points that cannot be run are told before any is; each reason once. False if none can. */
static bool tell_invalid(const struct study *study, const struct plan *plan)
{
    enum { TOLD = 20 };
    size_t invalid = 0, told = 0, wanted = 0, runnable = 0; /* beside the baseline */
    const char *last = NULL;
    for (size_t i = 0; i < plan->count; i++) {
        const struct sweep_point *point = &plan->points[i];
        wanted += point->role == SWEEP_POINT;
        runnable += point->role == SWEEP_POINT && point->state != SWEEP_INVALID;
        if (point->state != SWEEP_INVALID)
            continue;
        invalid++;
        bool again = last != NULL && strcmp(last, point->message) == 0;
        last = point->message;
        if (again || told++ >= TOLD)
            continue;
        fprintf(stderr, "invalid%s", point->role == SWEEP_BASELINE ? ", the baseline" : ":");
        for (size_t a = 0; point->role != SWEEP_BASELINE && a < study->axis_count; a++)
            if (point->at[a].label != NULL)
                fprintf(stderr, " %s=%s", study->axes[a].shown.name, point->at[a].label);
        fprintf(stderr, ": %s\n", point->message);
    }
    if (told > TOLD)
        fprintf(stderr, "... and more\n");
    if (invalid == 0)
        return true;
    bool none = wanted > 0 && runnable == 0;
    if (none)
        cli_error("no point can be run");
    else
        cli_error("%zu of %zu points are invalid; the others are run", invalid, plan->count);
    return !none;
}

/* The places of the points that this process is to run: all, or every shards-th. */
static size_t *places_of(const struct study *study, const struct plan *plan, size_t *count)
{
    size_t *places = heap_new(plan->count, sizeof *places);
    *count = 0;
    for (size_t i = 0; i < plan->count; i++)
        if (study->shards == 0 || i % study->shards == study->shard - 1)
            places[(*count)++] = i;
    return places;
}

static bool run(struct drive *drive, struct sweep_search *found)
{
    const struct study *study = drive->study;
    size_t count;
    size_t *places = places_of(study, drive->plan, &count);
    bool good = drive_points(drive, places, count);
    free(places);
    if (good && drive->plan->searches > 0)
        good = drive_searches(drive, study->shards == 0 ? 1 : study->shard,
                              study->shards == 0 ? 1 : study->shards, found);
    return good;
}

/* What the end of the sweep says, once its table is written. */
static int conclude(const struct study *study, const struct sweep_table *table, bool interrupted)
{
    enum { TOLD = 10 };
    size_t told = 0, failed = sweep_table_count(table, SWEEP_FAILED);
    size_t missing = sweep_table_count(table, SWEEP_MISSING);
    for (size_t i = 0; i < table->points && told < TOLD; i++) {
        const struct sweep_point *point = &table->point[i];
        if (point->state != SWEEP_FAILED)
            continue;
        told++;
        fputs("failed:", stderr);
        for (size_t a = 0; a < table->axes; a++)
            if (point->at[a].label != NULL)
                fprintf(stderr, " %s=%s", table->axis[a].name, point->at[a].label);
        fprintf(stderr, ": %s\n", point->message);
    }
    if (failed > told)
        fprintf(stderr, "... and %zu more\n", failed - told);
    if (interrupted)
        cli_error("interrupted: what is finished is kept in %s; the same command goes on from "
                  "there",
                  study->output);
    else if (table->partial)
        cli_error("%zu points are not there yet; the same command runs them", missing);
    return interrupted ? CLI_INTERRUPTED : failed > 0 || table->partial ? CLI_FAILED : CLI_OK;
}

/* Collects what the folder has into the table, the figures and the page. */
static int finish(const struct study *study, const struct plan *plan, struct sweep_search *found,
                  bool interrupted)
{
    char error[512];
    struct sweep_table table;
    collect(study, plan, study->output, found, &table);
    int status = CLI_FAILED;
    if (sweep_table_count(&table, SWEEP_DONE) == 0) {
        status = conclude(study, &table, interrupted);
    } else if (!sweep_table_write(&table, study->output, error, sizeof error)) {
        cli_error("%s", error);
    } else {
        if (study->report && !sweep_report(study->output, error, sizeof error))
            cli_error("no plots: %s", error); /* the tables are there: not a failure */
        if (!study->quiet)
            sweep_print(&table, study->output, stdout);
        status = conclude(study, &table, interrupted);
    }
    if (status == CLI_OK)
        source_remove_all(study->output);
    sweep_table_free(&table);
    return status;
}

static void print_plan(const struct study *study, const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct sweep_point *point = &plan->points[i];
        printf("%s seed=%" PRIu64, sweep_role_names[point->role], point->seed);
        for (size_t a = 0; a < study->axis_count; a++)
            if (point->at[a].label != NULL)
                printf(" %s=%s", study->axes[a].shown.name, point->at[a].label);
        printf("%s%s\n", point->state == SWEEP_INVALID ? ": invalid: " : "",
               point->state == SWEEP_INVALID ? point->message : "");
    }
    if (plan->searches > 0)
        printf("%zu searches\n", plan->searches);
}

/* In this process and its children. */
static int run_here(const struct study *study, struct plan *plan)
{
    char error[512];
    struct drive drive = {.study = study,
                          .directory = study->output,
                          .plan = plan,
                          .workers = study->jobs,
                          .may_run = !study->merge,
                          .progress = !study->quiet};
    struct sweep_search *found = NULL;
    if (plan->searches > 0 && study->shards == 0)
        found = heap_new(plan->searches, sizeof *found);
    if (!store_open(study->output, error, sizeof error)) {
        cli_error("%s", error);
        return CLI_FAILED;
    }
    if (study->shards == 0 && !sweep_save_study(study))
        return CLI_FAILED;
    bool good = run(&drive, found);
    bool interrupted = !good && drive.end == POOL_INTERRUPTED;
    if (study->verbose && plan->searches == 0)
        fprintf(stderr, "%zu points were there already, %zu were run, %zu of them in vain\n",
                drive.found, drive.ran + drive.failed, drive.failed);
    if (study->shards > 0) {
        if (interrupted)
            cli_error("interrupted: what is finished is kept");
        return interrupted ? CLI_INTERRUPTED : good && drive.failed == 0 ? CLI_OK : CLI_FAILED;
    }
    int status = finish(study, plan, found, interrupted);
    return good || status != CLI_OK ? status : CLI_FAILED;
}

int sweep_merge(struct study *study, struct plan *plan)
{
    study->merge = true;
    for (size_t i = 0; i < plan->count; i++) /* to be looked at again */
        if (plan->points[i].state != SWEEP_INVALID)
            plan->points[i].state = SWEEP_MISSING;
    return run_here(study, plan);
}

static bool traces_are_there(const struct study *study)
{
    for (size_t i = 0; i < study->traces.count; i++)
        if (access(study->traces.items[i].text, R_OK) != 0) {
            fprintf(stderr, "%s: %s\n", study->traces.items[i].text, strerror(errno));
            return false;
        }
    return true;
}

int sweep_run(struct study *study, const char *output)
{
    char error[512];
    struct plan plan;
    if (!traces_are_there(study))
        return CLI_USAGE;
    if (study->output == NULL)
        study->output = output;
    for (size_t a = 0; a < study->axis_count; a++)
        spot_baseline(study, &study->axes[a], &study->axes[a].shown.baseline);
    if (!plan_make(study, &plan, error, sizeof error)) {
        cli_error("%s", error);
        return CLI_USAGE;
    }
    int status = CLI_OK;
    if (!tell_invalid(study, &plan))
        status = CLI_USAGE;
    else if (study->slurm)
        status = slurm_run(study, &plan);
    else if (study->dry_run)
        print_plan(study, &plan);
    else
        status = run_here(study, &plan);
    plan_free(&plan);
    return status;
}

static const struct argp sweep_argp = {
    .options = study_options,
    .parser = study_parse_option,
    .args_doc = "TRACE... --vary KEY=VALUES...\nSTUDY.yaml",
    .doc =
        "Replay traces many times with other hardware, drivers or policies, side by side, and say "
        "what that changes: a table, figures, and a page that tells the story.\v"
        "A study file holds these options: every key is one, and lists and maps are options given "
        "several times (vary: {segments.local.size: 1GiB..8GiB:1GiB}). The one of a sweep is "
        "written beside its results. Every finished point has a file in the folder, and the same "
        "command goes on where it was: nothing is run twice.\n"
        "Exit status: 0 done; 1 points failed or are missing; 2 bad usage or bad input; 130 "
        "interrupted.",
    .children = cli_common_and_play,
};

static int run_sweep(int argc, char **argv)
{
    struct study study;
    study_parse(&study, &cli_sweep, argc, argv, NULL, NULL);
    int status = sweep_run(&study, "wddmsim-sweep");
    study_free(&study);
    return status;
}

const struct cli_command cli_sweep = {
    "sweep", "replay with other hardware or policies, many at once", &sweep_argp, run_sweep};
