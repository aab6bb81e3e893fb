#include "analysis/heap.h"
#include "analysis/sweep/pool.h"
#include "cli/calibrate.h"
#include "cli/session.h"
#include "model/blind.h"
#include "traces/vocabulary.h"
#include "traces/writer.h"

#include <inttypes.h>
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OBSERVATIONS_MAX = 1 << 17 };

/* Reading the recording. */

static void keep_every(struct observations *all, uint64_t stride)
{
    size_t kept = 0;
    all->stride = stride;
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].event % stride == 0)
            all->items[kept++] = all->items[i];
    all->count = kept;
}

static void observe(struct observations *all, const struct trace_event *event, bool returned,
                    uint64_t ns)
{
    if (ns == 0 || all->events % all->stride != 0)
        return;
    if (all->count == OBSERVATIONS_MAX)
        keep_every(all, 2 * all->stride);
    if (all->count == all->room) {
        all->room = all->room > 0 ? 2 * all->room : 1024;
        all->items = heap_resize(all->items, all->room, sizeof *all->items);
    }
    all->items[all->count++] =
        (struct observation){all->events, event->op, returned, (double)ns, event->t_ns};
}

static bool is_system(const struct trace_name *segment)
{
    return segment->text != NULL && strcmp(segment->text, "system") == 0;
}

static void observe_transfer(struct observations *all, const struct trace_event *event)
{
    bool in = is_system(&event->from), out = is_system(&event->to);
    struct observed_transfers *way = in ? &all->in : &all->out;
    if (in == out || event->bytes == 0 || event->dur_ns == 0 || way->count == OBSERVATIONS_MAX)
        return;
    if (way->count == way->room) {
        way->room = way->room > 0 ? 2 * way->room : 256;
        way->bytes = heap_resize(way->bytes, way->room, sizeof *way->bytes);
        way->ns = heap_resize(way->ns, way->room, sizeof *way->ns);
    }
    way->bytes[way->count] = (double)event->bytes;
    way->ns[way->count++] = (double)event->dur_ns;
}

static void look_at(struct observations *all, const struct cli_play *play,
                    const struct trace_event *event)
{
    if (event->t_ns < play->from_ns || event->t_ns >= play->to_ns ||
        trace_given(event->given, TRACE_EXISTING))
        return;
    if (event->op == TRACE_OBSERVE_TRANSFER) {
        observe_transfer(all, event);
        return;
    }
    if (all->count == 0)
        all->first_ns = event->t_ns;
    all->last_ns = event->t_ns;
    if (trace_given(event->given, TRACE_DUR))
        observe(all, event, true, event->dur_ns);
    if (trace_given(event->given, TRACE_DONE) && event->done_ns > event->t_ns)
        observe(all, event, false, event->done_ns - event->t_ns);
}

/* Opens the file that the decoded trace goes to. */
static struct trace_writer *open_copy(struct observations *all, const struct trace_header *header)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    struct trace_error error;
    struct trace_writer *writer;
    int length = snprintf(path, sizeof path, "%s/wddmsim-calibrate-XXXXXX.wtrace",
                          folder != NULL && *folder != '\0' ? folder : "/tmp");
    int file = (size_t)length < sizeof path ? mkstemps(path, (int)strlen(".wtrace")) : -1;
    if (file < 0) {
        cli_error("%s: cannot make a temporary file", path);
        return NULL;
    }
    close(file);
    all->copy = heap_text(path);
    if (trace_writer_open(path, header, &writer, &error))
        return writer;
    cli_bad_input(error.message);
    return NULL;
}

static int read_events(struct observations *all, const struct cli_play *play,
                       struct trace_reader *reader, struct trace_writer *writer)
{
    struct trace_event event;
    struct trace_error error;
    enum trace_result result;
    while ((result = trace_next(reader, &event, &error)) != TRACE_END && !cli_interrupted()) {
        if (result == TRACE_BAD && play->skip_bad && error.skippable)
            continue;
        if (result == TRACE_BAD)
            return cli_bad_input(error.message);
        look_at(all, play, &event);
        all->events++;
        if (!trace_writer_put(writer, &event, &error)) {
            cli_bad_input(error.message);
            return CLI_FAILED;
        }
    }
    return cli_interrupted() ? CLI_INTERRUPTED : CLI_OK;
}

int observations_read(struct observations *observations, const struct cli_play *play,
                      const char *trace, bool quiet)
{
    struct session *session = heap_new(1, sizeof *session);
    struct trace_error error;
    *observations = (struct observations){.stride = 1};
    int status = session_open(session, play, trace, quiet);
    struct trace_writer *writer = NULL;
    if (status == CLI_OK) {
        writer = open_copy(observations, trace_reader_header(session->reader));
        status = writer != NULL ? CLI_OK : CLI_FAILED;
    }
    if (status == CLI_OK)
        status = read_events(observations, play, session->reader, writer);
    if (status != CLI_OK) {
        trace_writer_abandon(writer);
    } else if (!trace_writer_close(writer, &error)) {
        cli_bad_input(error.message);
        status = CLI_FAILED;
    }
    session_close(session, NULL);
    free(session);
    return status;
}

void observations_free(struct observations *observations)
{
    if (observations->copy != NULL)
        unlink(observations->copy);
    free(observations->copy);
    free(observations->items);
    free(observations->in.bytes);
    free(observations->in.ns);
    free(observations->out.bytes);
    free(observations->out.ns);
    *observations = (struct observations){0};
}

/* Simulating it. */

struct watcher {
    const struct observations *observations;
    double *simulated;
};

/* The first observation of an event, or where it would be. */
static size_t find(const struct observations *all, uint64_t event)
{
    size_t low = 0, high = all->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (all->items[middle].event < event)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void watch_call(void *self, const struct probe_call *call)
{
    const struct watcher *watcher = self;
    const struct observations *all = watcher->observations;
    uint64_t returned = call->return_ns - call->start_ns;
    uint64_t done = call->asynchronous ? call->done_ns - call->start_ns : returned;
    if (call->index % all->stride != 0)
        return;
    for (size_t i = find(all, call->index); i < all->count && all->items[i].event == call->index;
         i++)
        watcher->simulated[i] = (double)(all->items[i].returned ? returned : done);
}

/* In a process of its own. */
static enum pool_status run_point(void *self, size_t point)
{
    const struct calibration_runs *runs = self;
    const struct observations *all = runs->observations;
    struct watcher watcher = {all, runs->simulated + point * all->count};
    struct probe probe = blind_probe();
    struct cli_play play = *runs->play;
    size_t set = play.set_count;
    probe.self = &watcher;
    probe.call = watch_call;
    play.set_keys = heap_new(set + runs->key_count, sizeof *play.set_keys);
    play.set_values = heap_new(set + runs->key_count, sizeof *play.set_values);
    for (size_t i = 0; i < set; i++) {
        play.set_keys[i] = runs->play->set_keys[i];
        play.set_values[i] = runs->play->set_values[i];
    }
    for (size_t k = 0; k < runs->key_count; k++) {
        play.set_keys[play.set_count] = runs->keys[k];
        play.set_values[play.set_count++] = runs->texts[point * runs->key_count + k];
    }
    play.format = NULL; /* it is the program's own by now */
    play.reader = (struct cli_settings){0};
    for (size_t i = 0; i < all->count; i++)
        watcher.simulated[i] = (double)NAN;
    struct session *session = heap_new(1, sizeof *session);
    bool good = session_open(session, &play, all->copy, true) == CLI_OK &&
                session_play(session, &probe, NULL, 0) == CLI_OK;
    return good ? POOL_DONE : POOL_STOP; /* the process ends: nothing is taken apart */
}

static void point_ended(void *self, size_t point, bool done, const char *message)
{
    struct calibration_runs *runs = self;
    (void)point, (void)message; /* a run that fails stops the pool, which says why */
    runs->made += done;
}

static bool go_on(void *self, const struct pool_counts *counts)
{
    (void)self, (void)counts;
    return !cli_interrupted();
}

bool calibration_runs_init(struct calibration_runs *runs, size_t room)
{
    size_t bytes = (room * runs->observations->count + 1) * sizeof *runs->simulated;
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        cli_error("out of memory");
        return false;
    }
    runs->simulated = shared;
    runs->room = room;
    runs->texts = heap_new(room * runs->key_count, sizeof *runs->texts);
    return true;
}

void calibration_runs_free(struct calibration_runs *runs)
{
    if (runs->simulated != NULL)
        munmap(runs->simulated,
               (runs->room * runs->observations->count + 1) * sizeof *runs->simulated);
    free(runs->texts);
}

int calibration_run(struct calibration_runs *runs, size_t points)
{
    char message[1024] = "";
    const struct pool pool = {.workers = cli_processors(),
                              .job = run_point,
                              .ended = point_ended,
                              .go_on = go_on,
                              .self = runs};
    switch (pool_run(&pool, points, message, sizeof message)) {
    case POOL_COMPLETE:
        return CLI_OK;
    case POOL_INTERRUPTED:
        return CLI_INTERRUPTED;
    case POOL_STOPPED:
        break;
    }
    cli_error("%s", message);
    return CLI_FAILED;
}
