/* Searches: each in a process of its own, which runs its points as it goes; then all of them once
 * more in this process, with every point there already, to learn what they found. */
#include "analysis/heap.h"
#include "cli/sweep/drive.h"

#include <math.h>

/* One search under way. */
struct searching {
    struct drive *drive;
    const struct sweep_point *base;
    double sign; /* -1 if the greatest is looked for */
    size_t runs; /* that were not there before */
};

/* The mean over the seeds at each of the points. */
static bool batch(void *self, const double *values, size_t count, double *metric)
{
    struct searching *searching = self;
    struct drive *drive = searching->drive;
    const struct study *study = drive->study;
    size_t keys = 0, seeds = study->seeds;
    for (size_t a = 0; a < study->axis_count; a++)
        keys += study->searched[a];
    size_t *places = heap_new(count * seeds, sizeof *places), before = drive->plan->count;
    for (size_t i = 0; i < count * seeds; i++)
        places[i] = plan_add_searched(drive->plan, searching->base, values + i / seeds * keys,
                                      study->play.seed + i % seeds);
    bool good = drive_points(drive, places, count * seeds);
    for (size_t i = 0; good && i < count; i++) {
        double sum = 0;
        for (size_t s = 0; s < seeds; s++) {
            size_t place = places[i * seeds + s];
            enum sweep_state state = drive->plan->points[place].state;
            good = good && state != SWEEP_MISSING;
            sum += state == SWEEP_DONE ? drive_metric(study, drive->directory, drive->plan, place,
                                                      study->search_metric)
                                       : (double)NAN;
        }
        metric[i] = searching->sign * sum / (double)seeds;
    }
    searching->runs += drive->plan->count - before;
    free(places);
    return good;
}

/* The minimum is looked for in the unit cube. */
static bool batch_in_cube(void *self, const double *coordinates, size_t count, double *metric)
{
    struct searching *searching = self;
    const struct study *study = searching->drive->study;
    size_t keys = 0;
    for (size_t a = 0; a < study->axis_count; a++)
        keys += study->searched[a];
    double *values = heap_new(count * keys, sizeof *values);
    for (size_t i = 0; i < count; i++)
        for (size_t a = 0, k = 0; a < study->axis_count; a++)
            if (study->searched[a]) {
                struct sweep_level level;
                axis_at(&study->axes[a], coordinates[i * keys + k], &level);
                values[i * keys + k++] = level.value;
                free(level.label);
            }
    bool good = batch(self, values, count, metric);
    free(values);
    return good;
}

static void copy_base(const struct study *study, const struct sweep_point *base,
                      struct sweep_search *found)
{
    *found = (struct sweep_search){.least = (double)NAN};
    found->at = heap_new(study->axis_count, sizeof *found->at);
    for (size_t a = 0; a < study->axis_count; a++) {
        found->at[a].value = base->at[a].value;
        if (base->at[a].label != NULL)
            found->at[a].label = heap_text(base->at[a].label);
    }
}

static void search_one(struct drive *drive, const struct sweep_point *base,
                       struct sweep_search *found)
{
    const struct study *study = drive->study;
    struct searching searching = {drive, base, study->maximise ? -1 : 1, 0};
    copy_base(study, base, found);
    if (study->search == STUDY_FIND) {
        size_t a = 0;
        while (!study->searched[a])
            a++;
        const struct axis *axis = &study->axes[a];
        const struct search_runs runs = {batch, &searching, NULL};
        struct search_threshold threshold = search_threshold(
            &runs, axis->shown.low, axis->shown.high, axis->step, &study->condition);
        found->end = threshold.end;
        found->from_here_up = threshold.from_here_up;
        found->not_monotone = threshold.not_monotone;
        if (threshold.end == SEARCH_FOUND) {
            axis_value(axis, threshold.value, &found->found);
            axis_value(axis, threshold.next, &found->next);
        }
    } else {
        double best[DESIGN_KEYS_MAX], least;
        const struct search_runs runs = {batch_in_cube, &searching, &searching.runs};
        size_t keys = 0;
        for (size_t a = 0; a < study->axis_count; a++)
            keys += study->searched[a];
        size_t budget = study->budget;
        found->minimum = true;
        found->end =
            search_minimum(&runs, keys, budget, best, &least) ? SEARCH_FOUND : SEARCH_ENDED;
        if (found->end == SEARCH_FOUND) {
            found->least = searching.sign * least;
            found->best = heap_new(study->axis_count, sizeof *found->best);
            for (size_t a = 0, k = 0; a < study->axis_count; a++)
                if (study->searched[a])
                    axis_at(&study->axes[a], best[k++], &found->best[a]);
        }
    }
    found->runs = searching.runs;
}

/* The searches of a pool. */
struct searches {
    struct drive *drive;
    uint64_t shard, shards;
    unsigned inner; /* workers of each */
    struct cli_progress progress;
};

static enum pool_status run_search(void *self, size_t index)
{
    struct searches *searches = self;
    struct drive drive = *searches->drive;
    struct sweep_search found;
    drive.workers = searches->inner;
    drive.progress = false;
    size_t place = (size_t)(searches->shard - 1) + index * searches->shards;
    search_one(&drive, &drive.plan->bases[place], &found);
    return drive.end == POOL_COMPLETE ? POOL_DONE : POOL_STOP; /* after its message */
}

static void ended(void *self, size_t index, bool done, const char *message)
{
    (void)self, (void)index;
    if (!done)
        cli_error("a search: %s", message);
}

static bool go_on(void *self, const struct pool_counts *counts)
{
    struct searches *searches = self;
    cli_progress_points(&searches->progress, counts->done, counts->count, counts->failed);
    return !cli_interrupted();
}

bool drive_searches(struct drive *drive, uint64_t shard, uint64_t shards,
                    struct sweep_search *found)
{
    size_t all = drive->plan->searches;
    size_t count = all >= shard ? (size_t)((all - shard) / shards + 1) : 0;
    struct searches searches = {drive, shard, shards, 1, {0}};
    if (count < drive->workers && count > 0)
        searches.inner = drive->workers / (unsigned)count;
    const struct pool pool = {.workers = drive->workers,
                              .job = run_search,
                              .ended = ended,
                              .go_on = go_on,
                              .self = &searches};
    bool good = true;
    if (drive->may_run && count > 0) {
        char message[1024];
        cli_catch_interrupt();
        cli_progress_start(&searches.progress, !drive->progress);
        drive->end = pool_run(&pool, count, message, sizeof message);
        cli_progress_end(&searches.progress);
        if (drive->end == POOL_STOPPED)
            fprintf(stderr, "%s\n", message);
        good = drive->end == POOL_COMPLETE;
    }
    struct drive looking = *drive;
    looking.may_run = false;
    for (size_t i = 0; found != NULL && i < all; i++)
        search_one(&looking, &drive->plan->bases[i], &found[i]);
    drive->found = looking.found;
    return good;
}
