#include "cli/sweep/drive.h"
#include "analysis/heap.h"
#include "cli/session.h"
#include "cli/sweep/source.h"

#include <errno.h>
#include <math.h>
#include <unistd.h>
#include <uthash.h>

/* What a pool of this sweep's jobs works on: sources first, then points. */
struct work {
    struct drive *drive;
    size_t *places; /* of points; for sources: of one that wants it */
    size_t count;
    struct cli_progress progress;
    size_t found;
};

/* Removes from a message the name that a trace has in the folder: people know it by its own. */
static char *with_its_own_name(const struct drive *drive, const struct spot *spot,
                               const char *message)
{
    char *inner = source_path(&spot->source, drive->directory);
    size_t length = strlen(inner);
    char *text;
    if (strncmp(message, inner, length) != 0) {
        text = heap_text(message);
    } else {
        size_t room = strlen(spot->source.name) + strlen(message) + 1;
        text = heap_new(room, 1);
        snprintf(text, room, "%s%s", spot->source.name, message + length);
    }
    free(inner);
    return text;
}

static void add_key(void *self, const char *key, const char *value)
{
    json_object_set_new(self, key, json_string(value));
}

/* Equal points have equal results, however they were asked for: what the clock on the wall said,
 * and which values of the profile were overridden, gives way to all of them. */
static void make_canonical(json_t *summary, const struct hardware *hardware)
{
    json_t *run = json_object_get(summary, "run"), *keys = json_object();
    hardware_each(hardware, add_key, keys);
    json_object_set_new(run, "hardware", keys);
    json_object_set_new(run, "overrides", json_object());
    json_object_set_new(run, "wall_s", json_null());
    json_object_set_new(run, "events_per_s", json_null());
}

static enum pool_status save(const struct drive *drive, struct session *session,
                             struct recorder *recorder, const struct spot_source *source,
                             const char *key)
{
    struct recorder_run about;
    char error[512];
    if (!session_describe(session, source->sha256, "", &about))
        return POOL_FAILED;
    about.trace = source->parameters != NULL ? source->name : ""; /* the digest says which */
    json_t *summary = recorder_summary(recorder, &about);
    make_canonical(summary, &session->hardware);
    bool saved = store_save(drive->directory, key, summary, error, sizeof error);
    int reason = errno;
    json_decref(summary);
    if (saved)
        return POOL_DONE;
    cli_error("%s", error);
    return reason == ENOMEM ? POOL_FAILED : POOL_STOP;
}

/* In a process of its own. */
static enum pool_status run_point(void *self, size_t index)
{
    const struct work *work = self;
    const struct drive *drive = work->drive;
    size_t place = work->places[index];
    struct spot spot;
    char error[700];
    if (!spot_make(drive->study, &drive->plan->points[place], &spot, error, sizeof error) ||
        !spot_key(drive->study, &spot, drive->plan->keys[place], error, sizeof error)) {
        cli_error("%s", error);
        return POOL_FAILED;
    }
    char *trace = source_path(&spot.source, drive->directory);
    spot.play.format = NULL; /* it is the program's own by now */
    spot.play.reader = (struct cli_settings){0};
    struct session *session = heap_new(1, sizeof *session);
    const struct recorder_options recording = {.directory = NULL};
    enum pool_status status = POOL_FAILED;
    if (session_open(session, &spot.play, trace, true) == CLI_OK) {
        struct recorder *recorder = recorder_create(&recording, error, sizeof error);
        if (session_play(session, recorder_probe(recorder), NULL, 0) == CLI_OK)
            status = save(drive, session, recorder, &spot.source, drive->plan->keys[place]);
    }
    return status; /* the process ends: nothing is taken apart */
}

static bool show(void *self, const struct pool_counts *counts)
{
    struct work *work = self;
    size_t done = counts->done + counts->failed;
    cli_progress_points(&work->progress, done, counts->count, counts->failed);
    return !cli_interrupted();
}

static void fail(struct drive *drive, size_t place, const char *message)
{
    struct sweep_point *point = &drive->plan->points[place];
    struct spot spot;
    char error[700];
    free(point->message);
    point->message = NULL;
    if (spot_make(drive->study, point, &spot, error, sizeof error) &&
        spot_key(drive->study, &spot, drive->plan->keys[place], error, sizeof error))
        point->message = with_its_own_name(drive, &spot, message);
    else
        point->message = heap_text(message);
    spot_free(&spot);
    point->state = SWEEP_FAILED;
    drive->failed++;
    store_note_failure(drive->directory, drive->plan->keys[place], point->message);
}

static void point_ended(void *self, size_t index, bool done, const char *message)
{
    struct work *work = self;
    struct drive *drive = work->drive;
    if (done) {
        drive->plan->points[work->places[index]].state = SWEEP_DONE;
        drive->ran++;
    } else {
        fail(drive, work->places[index], message);
    }
}

/* Sources. */

static enum pool_status make_source(void *self, size_t index)
{
    const struct work *work = self;
    const struct drive *drive = work->drive;
    size_t place = work->places[index];
    struct spot spot;
    char error[700], key[STORE_KEY_SIZE];
    if (!spot_make(drive->study, &drive->plan->points[place], &spot, error, sizeof error) ||
        !spot_key(drive->study, &spot, key, error, sizeof error)) {
        cli_error("%s", error);
        return POOL_FAILED;
    }
    return source_make(drive->study, &spot, drive->directory);
}

/* The failure of a source is told by each point that needs it. */
static void source_ended(void *self, size_t index, bool done, const char *message)
{
    struct work *work = self;
    if (!done)
        work->drive->plan->points[work->places[index]].message = heap_text(message);
}

static bool finish(struct drive *drive, struct work *work, const struct pool *pool)
{
    char message[1024];
    /* The loop of a pool looks for interruptions; here they are caught. */
    cli_catch_interrupt();
    cli_progress_start(&work->progress, !drive->progress);
    drive->end = pool_run(pool, work->count, message, sizeof message);
    cli_progress_end(&work->progress);
    if (drive->end == POOL_STOPPED)
        fprintf(stderr, "%s\n", message);
    return drive->end == POOL_COMPLETE;
}

/* Where a source's key was seen first. */
struct seen {
    char key[STORE_KEY_SIZE];
    size_t place;
    bool there;
    UT_hash_handle hh;
};

/* Brings the traces into the folder that these points need; the points of a trace that cannot be
 * read have failed, the others stay in the list. */
static bool make_sources(struct drive *drive, size_t *places, size_t *count)
{
    struct work work = {.drive = drive, .places = heap_new(*count, sizeof *work.places)};
    struct seen *all = NULL, *seen, *next, **of = heap_new(*count, sizeof(struct seen *));
    char key[STORE_KEY_SIZE], error[700];
    for (size_t i = 0; i < *count; i++) {
        struct spot spot;
        spot_make(drive->study, &drive->plan->points[places[i]], &spot, error, sizeof error);
        spot_key(drive->study, &spot, key, error, sizeof error);
        HASH_FIND_STR(all, spot.source.key, seen);
        if (seen == NULL) {
            seen = heap_new(1, sizeof *seen);
            memcpy(seen->key, spot.source.key, sizeof seen->key);
            seen->place = places[i];
            seen->there = source_is_there(&spot.source, drive->directory);
            HASH_ADD_STR(all, key, seen);
            if (!seen->there)
                work.places[work.count++] = places[i];
        }
        of[i] = seen;
        spot_free(&spot);
    }
    const struct pool pool = {.workers = drive->workers,
                              .job = make_source,
                              .ended = source_ended,
                              .go_on = show,
                              .self = &work};
    bool good = work.count == 0 || finish(drive, &work, &pool);
    size_t kept = 0;
    for (size_t i = 0; good && i < *count; i++) {
        char *message = drive->plan->points[of[i]->place].message;
        if (message == NULL)
            places[kept++] = places[i];
        else if (places[i] != of[i]->place)
            fail(drive, places[i], message);
    }
    HASH_ITER (hh, all, seen, next) {
        char *message = drive->plan->points[seen->place].message;
        if (good && message != NULL) {
            char *copy = heap_text(message);
            fail(drive, seen->place, copy);
            free(copy);
        }
        HASH_DEL(all, seen);
        free(seen);
    }
    *count = kept;
    free(of);
    free(work.places);
    return good;
}

/* Points. */

struct wanted {
    char key[STORE_KEY_SIZE];
    UT_hash_handle hh;
};

/* Those without a result, each key once. */
static size_t *missing(struct drive *drive, const size_t *places, size_t count, size_t *left)
{
    size_t *list = heap_new(count, sizeof *list);
    struct wanted *all = NULL, *wanted, *next;
    *left = 0;
    for (size_t i = 0; i < count; i++) {
        struct sweep_point *point = &drive->plan->points[places[i]];
        const char *key = drive->plan->keys[places[i]];
        if (point->state != SWEEP_MISSING)
            continue;
        if (store_has(drive->directory, key)) {
            point->state = SWEEP_DONE;
            drive->found++;
            continue;
        }
        HASH_FIND_STR(all, key, wanted);
        if (wanted != NULL)
            continue;
        wanted = heap_new(1, sizeof *wanted);
        memcpy(wanted->key, key, sizeof wanted->key);
        HASH_ADD_STR(all, key, wanted);
        list[(*left)++] = places[i];
    }
    HASH_ITER (hh, all, wanted, next) {
        HASH_DEL(all, wanted);
        free(wanted);
    }
    return list;
}

/* Points with the key of another, and what earlier runs or other shards have noted. */
static void look_again(struct drive *drive, const size_t *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sweep_point *point = &drive->plan->points[places[i]];
        const char *key = drive->plan->keys[places[i]];
        if (point->state != SWEEP_MISSING)
            continue;
        if (store_has(drive->directory, key)) {
            point->state = SWEEP_DONE;
        } else if ((point->message = store_failure(drive->directory, key)) != NULL) {
            point->state = SWEEP_FAILED;
        }
    }
}

bool drive_points(struct drive *drive, const size_t *places, size_t count)
{
    struct work work = {.drive = drive};
    work.places = missing(drive, places, count, &work.count);
    const struct pool pool = {.workers = drive->workers,
                              .job = run_point,
                              .ended = point_ended,
                              .go_on = show,
                              .self = &work};
    bool good = !drive->may_run || work.count == 0 ||
                (make_sources(drive, work.places, &work.count) && finish(drive, &work, &pool));
    look_again(drive, places, count);
    free(work.places);
    return good;
}

bool drive_sources(struct drive *drive)
{
    size_t *all = heap_new(drive->plan->count, sizeof *all), count;
    for (size_t i = 0; i < drive->plan->count; i++)
        all[i] = i;
    size_t *places = missing(drive, all, drive->plan->count, &count);
    bool good = count == 0 || make_sources(drive, places, &count);
    free(places);
    free(all);
    return good;
}

double drive_metric(const struct study *study, const char *directory, const struct plan *plan,
                    size_t place, const char *path)
{
    if (strcmp(path, "cost") == 0)
        return study_cost_of(study, &plan->points[place]);
    json_t *summary = store_load(directory, plan->keys[place]);
    double value = metric_value(summary, path);
    json_decref(summary);
    return value;
}
