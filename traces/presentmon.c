/* The "presentmon" trace format: CSV of PresentMon in any of its three generations of columns
 * (trace-formats.md §10).
 *
 * A row is a present: when it was called, when the GPU worked for it, when it was seen. The work of
 * a frame becomes one packet. Columns are found by name; times are seconds, milliseconds, or ticks
 * of a counter whose rate the intervals between presents tell. */
#include "traces/buffer.h"
#include "traces/cells.h"
#include "traces/facts.h"
#include "traces/input.h"
#include "traces/map.h"
#include "traces/message.h"
#include "traces/queue.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum column {
    APPLICATION,
    PROCESS,
    CHAIN,
    INTERVAL,
    FRAME_TYPE,
    PRESENT_SECONDS,
    PRESENT_MS,
    PRESENT_TICKS,
    START_MS,
    START_TICKS,
    BETWEEN_PRESENTS,
    BETWEEN_STARTS,
    CPU_BUSY,
    CPU_WAIT,
    IN_PRESENT,
    GPU_LATENCY,
    GPU_TIME,
    GPU_BUSY,
    UNTIL_RENDER_START,
    UNTIL_RENDERED,
    UNTIL_DISPLAYED,
    DISPLAY_LATENCY,
    COLUMNS
};

/* The names they had; the first that a file has counts. Case does not: "ms" became "Ms". */
static const struct {
    enum column column;
    const char *name;
} names[] = {
    {APPLICATION, "Application"},
    {PROCESS, "ProcessID"},
    {CHAIN, "SwapChainAddress"},
    {INTERVAL, "SyncInterval"},
    {FRAME_TYPE, "FrameType"},
    {PRESENT_SECONDS, "TimeInSeconds"},
    {PRESENT_MS, "TimeInMs"},
    {PRESENT_TICKS, "TimeInQPC"},
    {START_MS, "CPUStartTime"},
    {START_MS, "CPUStartTimeInMs"},
    {START_MS, "CPUStartQPCTime"},
    {START_TICKS, "CPUStartQPC"},
    {BETWEEN_PRESENTS, "MsBetweenPresents"},
    {BETWEEN_STARTS, "FrameTime"},
    {BETWEEN_STARTS, "MsBetweenAppStart"},
    {CPU_BUSY, "CPUBusy"},
    {CPU_BUSY, "MsCPUBusy"},
    {CPU_WAIT, "CPUWait"},
    {CPU_WAIT, "MsCPUWait"},
    {IN_PRESENT, "MsInPresentAPI"},
    {GPU_LATENCY, "GPULatency"},
    {GPU_LATENCY, "MsGPULatency"},
    {GPU_TIME, "GPUTime"},
    {GPU_TIME, "MsGPUTime"},
    {GPU_BUSY, "GPUBusy"},
    {GPU_BUSY, "MsGPUBusy"},
    {GPU_BUSY, "MsGPUActive"},
    {UNTIL_RENDER_START, "MsUntilRenderStart"},
    {UNTIL_RENDERED, "MsUntilRenderComplete"},
    {UNTIL_RENDERED, "MsRenderPresentLatency"},
    {UNTIL_DISPLAYED, "MsUntilDisplayed"},
    {DISPLAY_LATENCY, "DisplayLatency"},
};

/* A program's chain of images: a context. */
struct chain {
    const char *name;
    uint32_t process;
    uint64_t last_ticks; /* of the row before, and how long the next one is to come after it */
    double last_ms;
};

struct device {
    const char *name;
    uint32_t process;
};

/* A row, as long as the rate of its ticks is not known: a date, and times from there in ms. NAN:
 * not told. */
struct row {
    struct trace_sorted order; /* as in the file */
    double date_ms;            /* unless in ticks */
    uint64_t ticks;
    double present, in_present, displayed, gpu_start, gpu_end, gpu_busy;
    uint64_t interval, line;
    uint32_t chain;
    bool in_ticks, has_interval;
};

/* A row's packet or present, in order of time. */
struct made {
    struct trace_sorted order; /* by date */
    uint64_t line, gpu_ns, dur_ns, done_ns, interval;
    uint32_t chain;
    bool presents, has_dur, has_done, has_interval;
};

struct tally {
    uint64_t rows, undecodable, generated, presents, undisplayed, packets, without_gpu_time;
};

struct presentmon {
    struct trace_input *input;
    struct trace_cells cells;
    size_t of_column[COLUMNS]; /* + 1; 0: the file does not have it */
    size_t columns;            /* in a row */
    struct trace_sorter *rows, *made, *between, *in_present, *until_displayed, *gpu_busy;
    struct trace_samples rates; /* ticks in a ms, times a million */
    struct trace_facts facts;
    struct trace_arena arena;
    struct trace_map chains_by_address, devices_by_process;
    struct chain *chains;
    struct device *devices;
    size_t chain_count, chain_room, device_count, device_room;
    struct trace_queue queue;
    struct tally tally;
    uint64_t line, start; /* start: key of the first made */
    uint64_t clock_ns;    /* when that is on the counter; 0: not known */
    double ticks_per_ms;
    const char *failure;
    struct trace_error damage;
    size_t next_device, next_chain;
    uint64_t placed; /* line of the last event; 0: none */
    bool ticks;      /* there are rows with dates in ticks */
    bool damage_told;
    char place[400];
};

enum { SORTER = 8 * 1024 * 1024, SAMPLES = 1024 * 1024, MOST_RATES = 10001 };

/* Times farther from the start of a recording than this are damage: 30 years in ms. */
static const double FARTHEST_MS = 1e12;

/* Ticks in a ms. */
static const double USUAL_RATE = 10000;

static bool fail(struct presentmon *reader, const char *what)
{
    if (reader->failure == NULL)
        reader->failure = what != NULL ? what : "out of memory";
    return false;
}

static bool put(struct presentmon *reader, struct trace_sorter *sorter, const void *record)
{
    return trace_sorter_put(sorter, record) || fail(reader, trace_sorter_failure(sorter));
}

static void sample(struct presentmon *reader, struct trace_sorter *sorter, double ms)
{
    if (ms >= 0 && ms < FARTHEST_MS)
        put(reader, sorter, &(struct trace_sorted){.key = (uint64_t)llround(ms * 1e6)});
}

/* Columns and cells. */

static bool read_heading(struct presentmon *reader)
{
    char *line;
    size_t length;
    if (!trace_input_line(reader->input, &line, &length, &reader->damage) || line == NULL)
        return false;
    reader->line = 1;
    if (length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        length -= 3;
    }
    if (length > 0 && line[length - 1] == '\r')
        length--;
    trace_cells_split(&reader->cells, line, length, false);
    reader->columns = reader->cells.count;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (size_t c = 0; c < reader->columns; c++) {
            struct trace_cell cell = reader->cells.items[c];
            if (reader->of_column[names[i].column] == 0 && cell.length == strlen(names[i].name) &&
                strncasecmp(cell.text, names[i].name, cell.length) == 0)
                reader->of_column[names[i].column] = c + 1;
        }
    return !reader->cells.failed;
}

static struct trace_cell cell_of(const struct presentmon *reader, enum column column)
{
    size_t at = reader->of_column[column];
    return at != 0 && at <= reader->cells.count ? reader->cells.items[at - 1]
                                                : (struct trace_cell){"", 0};
}

/* Milliseconds; NAN where there is none ("NA"), or one that cannot be. */
static double ms_of(const struct presentmon *reader, enum column column)
{
    double ms;
    return trace_cell_real(cell_of(reader, column), &ms) && fabs(ms) < FARTHEST_MS ? ms : NAN;
}

/* Whose row it is. */

static uint32_t device_of(struct presentmon *reader, uint32_t process)
{
    enum { ROOM = 16 };
    uintptr_t known = (uintptr_t)trace_map_get(&reader->devices_by_process, process, 0);
    if (known != 0)
        return (uint32_t)(known - 1);
    struct device *grown = trace_array_grow(reader->devices, &reader->device_room,
                                            reader->device_count + 1, sizeof *grown);
    char *name = trace_arena_take(&reader->arena, ROOM, 1);
    if (grown != NULL)
        reader->devices = grown;
    if (grown == NULL || name == NULL ||
        !trace_map_put(&reader->devices_by_process, process, 0,
                       (void *)(uintptr_t)(reader->device_count + 1))) {
        fail(reader, NULL);
        return 0;
    }
    snprintf(name, ROOM, "pid %" PRIu32, process);
    grown[reader->device_count] = (struct device){.name = name, .process = process};
    return (uint32_t)reader->device_count++;
}

static uint32_t chain_of(struct presentmon *reader, uint32_t process, uint64_t address)
{
    enum { ROOM = 112 };
    uintptr_t known = (uintptr_t)trace_map_get(&reader->chains_by_address, process, address);
    if (known != 0)
        return (uint32_t)(known - 1);
    struct chain *grown = trace_array_grow(reader->chains, &reader->chain_room,
                                           reader->chain_count + 1, sizeof *grown);
    char *name = trace_arena_take(&reader->arena, ROOM, 1);
    if (grown != NULL)
        reader->chains = grown;
    if (grown == NULL || name == NULL ||
        !trace_map_put(&reader->chains_by_address, process, address,
                       (void *)(uintptr_t)(reader->chain_count + 1))) {
        fail(reader, NULL);
        return 0;
    }
    struct trace_cell application = cell_of(reader, APPLICATION);
    int length = application.length < 60 ? (int)application.length : 60;
    snprintf(name, ROOM, "%.*s%s%" PRIu32 " 0x%" PRIx64, length, application.text,
             length > 0 ? " " : "", process, address);
    trace_make_printable(name);
    grown[reader->chain_count] = (struct chain){.name = name, .process = process};
    device_of(reader, process);
    return (uint32_t)reader->chain_count++;
}

/* Rows. */

/* Dates of rows of one chain and what is said to lie between them tell how fast the counter is. */
static void learn_rate(struct presentmon *reader, struct chain *chain, const struct row *row,
                       bool of_start)
{
    double before = of_start ? chain->last_ms : ms_of(reader, BETWEEN_PRESENTS);
    if (chain->last_ticks != 0 && row->ticks > chain->last_ticks && before > 0.05 &&
        reader->rates.count < MOST_RATES) {
        double rate = (double)(row->ticks - chain->last_ticks) / before;
        if (rate > 1 && rate < 1e10)
            trace_samples_add(&reader->facts, &reader->rates, (uint64_t)llround(rate * 1e6));
    }
    chain->last_ticks = row->ticks;
    chain->last_ms = of_start ? ms_of(reader, BETWEEN_STARTS) : NAN;
}

/* The date of a row, and where in it the present was called. False: there is none. */
static bool read_date(struct presentmon *reader, struct row *row, bool *of_start)
{
    *of_start = false;
    row->present = 0;
    row->date_ms = ms_of(reader, PRESENT_SECONDS) * 1000;
    if (!isnan(row->date_ms)) /* the cell's number was of seconds */
        return fabs(row->date_ms) < FARTHEST_MS;
    row->date_ms = ms_of(reader, PRESENT_MS);
    if (!isnan(row->date_ms))
        return true;
    row->in_ticks = true;
    if (trace_cell_number(cell_of(reader, PRESENT_TICKS), &row->ticks))
        return row->ticks <= INT64_MAX;
    *of_start = true;
    row->present = ms_of(reader, CPU_BUSY);
    if (trace_cell_number(cell_of(reader, START_TICKS), &row->ticks))
        return row->ticks <= INT64_MAX && !isnan(row->present);
    row->in_ticks = false;
    row->date_ms = ms_of(reader, START_MS);
    return !isnan(row->date_ms) && !isnan(row->present);
}

static double first_of(double a, double b)
{
    return !isnan(a) ? a : b;
}

/* Times of a row from its date: some columns count from the present on, some from when the program
 * began with the frame. */
static void read_times(const struct presentmon *reader, struct row *row, bool of_start)
{
    double start = of_start ? 0 : row->present - ms_of(reader, CPU_BUSY);
    double gpu_latency = ms_of(reader, GPU_LATENCY), until = ms_of(reader, UNTIL_DISPLAYED);
    row->in_present = first_of(ms_of(reader, IN_PRESENT), ms_of(reader, CPU_WAIT));
    row->gpu_start =
        first_of(row->present + ms_of(reader, UNTIL_RENDER_START), start + gpu_latency);
    row->gpu_end = first_of(row->present + ms_of(reader, UNTIL_RENDERED),
                            start + gpu_latency + ms_of(reader, GPU_TIME));
    row->gpu_busy = ms_of(reader, GPU_BUSY);
    row->displayed =
        first_of(until > 0 ? row->present + until : NAN, start + ms_of(reader, DISPLAY_LATENCY));
}

/* Rows of images that the driver made up between two of the program's. */
static bool is_generated(const struct presentmon *reader)
{
    static const char *const programs[] = {"", "NA", "Application", "NotSet", "Unspecified"};
    struct trace_cell type = cell_of(reader, FRAME_TYPE);
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        if (trace_cell_is(type, programs[i]))
            return false;
    return true;
}

static bool read_row(struct presentmon *reader)
{
    struct row row = {.order.key = reader->line, .line = reader->line};
    uint64_t process, address = 0;
    bool of_start;
    reader->tally.rows++;
    if (is_generated(reader)) {
        reader->tally.generated++;
        return true;
    }
    (void)trace_cell_number(cell_of(reader, CHAIN), &address);
    if (reader->cells.count < reader->columns ||
        !trace_cell_number(cell_of(reader, PROCESS), &process) || process > UINT32_MAX ||
        !read_date(reader, &row, &of_start)) {
        reader->tally.undecodable++;
        return true;
    }
    read_times(reader, &row, of_start);
    row.has_interval =
        trace_cell_number(cell_of(reader, INTERVAL), &row.interval) && row.interval <= INT64_MAX;
    row.chain = chain_of(reader, (uint32_t)process, address);
    if (reader->failure != NULL)
        return false;
    reader->ticks = reader->ticks || row.in_ticks;
    if (row.in_ticks)
        learn_rate(reader, &reader->chains[row.chain], &row, of_start);
    sample(reader, reader->between,
           first_of(ms_of(reader, BETWEEN_PRESENTS), ms_of(reader, BETWEEN_STARTS)));
    return put(reader, reader->rows, &row);
}

static void read_rows(struct presentmon *reader, const struct trace_open_options *options)
{
    char *line;
    size_t length;
    while (reader->failure == NULL &&
           trace_input_line(reader->input, &line, &length, &reader->damage) && line != NULL) {
        reader->line++;
        if (length > 0 && line[length - 1] == '\r')
            length--;
        if (length == 0)
            continue;
        trace_cells_split(&reader->cells, line, length, false);
        if (reader->cells.failed) {
            fail(reader, NULL);
            return;
        }
        read_row(reader);
        if ((reader->line & 0x3fff) == 0 && options != NULL && options->progress != NULL) {
            uint64_t done, total;
            trace_input_progress(reader->input, &done, &total);
            options->progress(options->progress_self, done, total);
        }
    }
}

/* Ticks in a ms: of the usual counter of 10 MHz if it is nearly that. */
static void find_rate(struct presentmon *reader)
{
    double rate = reader->rates.count > 0
                      ? (double)trace_samples_quantile(&reader->rates, 0.5) / 1e6
                      : USUAL_RATE;
    reader->ticks_per_ms =
        fabs(rate / USUAL_RATE - 1) < 1e-4 ? USUAL_RATE : round(rate * 1000) / 1000;
}

/* Packets and presents in order. */

static int64_t ns_at(const struct presentmon *reader, const struct row *row, double ms)
{
    int64_t date_ns;
    if (row->in_ticks) {
        uint64_t rate = (uint64_t)llround(reader->ticks_per_ms * 1000); /* in a second */
        uint64_t whole = row->ticks / rate, rest = row->ticks % rate;
        date_ns = (int64_t)(whole * 1000000000 + (uint64_t)((double)rest * 1e9 / (double)rate));
    } else {
        date_ns = llround(row->date_ms * 1e6);
    }
    return date_ns + llround(ms * 1e6);
}

static bool make_events(struct presentmon *reader, const struct row *row)
{
    if (row->in_ticks && (double)row->ticks / reader->ticks_per_ms > FARTHEST_MS) {
        reader->tally.undecodable++;
        return true;
    }
    int64_t present_ns = ns_at(reader, row, row->present);
    struct made made = {.order.tie = 2 * row->line, .line = row->line, .chain = row->chain};
    if (row->gpu_busy > 0 && !isnan(row->gpu_start)) {
        /* Most of a frame's time on the GPU may be gaps between its pieces: the packet is where it
         * ends with them. */
        bool gaps = row->gpu_end - row->gpu_busy > row->gpu_start;
        int64_t start_ns = ns_at(reader, row, gaps ? row->gpu_end - row->gpu_busy : row->gpu_start);
        made.order.key = trace_sorted_key(start_ns < present_ns ? start_ns : present_ns);
        made.gpu_ns = (uint64_t)llround(row->gpu_busy * 1e6);
        made.has_done = row->gpu_end > row->gpu_start;
        if (made.has_done)
            made.done_ns = trace_sorted_key(ns_at(reader, row, row->gpu_end));
        reader->tally.packets++;
        sample(reader, reader->gpu_busy, row->gpu_busy);
        if (!put(reader, reader->made, &made))
            return false;
    } else {
        reader->tally.without_gpu_time++;
    }
    made = (struct made){
        .order = {trace_sorted_key(present_ns), 2 * row->line + 1},
        .line = row->line,
        .chain = row->chain,
        .presents = true,
        .has_dur = row->in_present >= 0,
        .has_done = row->displayed >= row->present,
        .has_interval = row->has_interval,
        .interval = row->interval,
    };
    if (made.has_dur) {
        made.dur_ns = (uint64_t)llround(row->in_present * 1e6);
        sample(reader, reader->in_present, row->in_present);
    }
    if (made.has_done) {
        made.done_ns = trace_sorted_key(ns_at(reader, row, row->displayed));
        sample(reader, reader->until_displayed, row->displayed - row->present);
    }
    reader->tally.presents++;
    reader->tally.undisplayed += !made.has_done;
    return put(reader, reader->made, &made);
}

static bool make_all(struct presentmon *reader)
{
    const struct row *row;
    if (!trace_sorter_start(reader->rows))
        return fail(reader, trace_sorter_failure(reader->rows));
    while ((row = trace_sorter_next(reader->rows)) != NULL)
        if (!make_events(reader, row))
            return false;
    if (trace_sorter_failure(reader->rows) != NULL)
        return fail(reader, trace_sorter_failure(reader->rows));
    trace_sorter_free(reader->rows);
    reader->rows = NULL;
    if (!trace_sorter_start(reader->made))
        return fail(reader, trace_sorter_failure(reader->made));
    const struct made *first = trace_sorter_next(reader->made);
    if (first != NULL)
        reader->start = first->order.key;
    /* A rate that is only nearly known leads nowhere far from the counter's 0. */
    if (reader->ticks && reader->ticks_per_ms == USUAL_RATE && trace_sorted_date(reader->start) > 0)
        reader->clock_ns = (uint64_t)trace_sorted_date(reader->start);
    return trace_sorter_start(reader->made) || fail(reader, trace_sorter_failure(reader->made));
}

static void summarize(struct presentmon *reader)
{
    const struct tally *tally = &reader->tally;
    struct trace_facts *facts = &reader->facts;
    trace_facts_add(facts, "rows", "rows of the file", "", tally->rows);
    trace_facts_add(facts, "undecodable", "rows without process or time, left out", "",
                    tally->undecodable);
    trace_facts_add(facts, "frames-generated", "rows of images that no program made, left out", "",
                    tally->generated);
    trace_facts_add(facts, "presents", "presents", "", tally->presents);
    trace_facts_add(facts, "presents-not-displayed", "of them never seen", "", tally->undisplayed);
    trace_facts_add(facts, "packets", "frames that the GPU worked for", "", tally->packets);
    trace_facts_add(facts, "frames-without-gpu-time", "frames it did not, as far as is told", "",
                    tally->without_gpu_time);
    trace_facts_add(facts, "processes", "processes", "", reader->device_count);
    trace_facts_add(facts, "swap-chains", "chains of images", "", reader->chain_count);
    if (reader->of_column[PRESENT_SECONDS] == 0 && reader->of_column[PRESENT_MS] == 0) {
        trace_facts_add(facts, "ticks-per-second",
                        "rate of the counter, from what lies between rows", "",
                        (uint64_t)llround(reader->ticks_per_ms * 1000));
        trace_facts_add(facts, "ticks-assumed", "1: nothing told its rate", "",
                        reader->rates.count == 0 && reader->of_column[START_MS] == 0);
    }
    if (reader->clock_ns > 0)
        trace_facts_add(facts, "clock-qpc-start-ns", "t 0 on the machine's counter", "ns",
                        reader->clock_ns);
    trace_facts_add_sorted(facts, reader->between, "between-presents", "from present to present");
    trace_facts_add_sorted(facts, reader->in_present, "in-present", "call of a present");
    trace_facts_add_sorted(facts, reader->until_displayed, "until-displayed",
                           "from the call to the display");
    trace_facts_add_sorted(facts, reader->gpu_busy, "gpu-busy", "work of the GPU for a frame");
    trace_facts_lack(facts, "memory: frames only, so nothing is said about residency");
    trace_facts_lack(facts, "submissions: one packet stands for all the work of a frame");
    trace_facts_lack(facts, "threads, and who waits for whom");
}

/* The format. */

static void presentmon_close(void *state)
{
    struct presentmon *reader = state;
    if (reader == NULL)
        return;
    struct trace_sorter *const sorters[] = {
        reader->rows,    reader->made, reader->between, reader->in_present, reader->until_displayed,
        reader->gpu_busy};
    for (size_t i = 0; i < sizeof sorters / sizeof sorters[0]; i++)
        trace_sorter_free(sorters[i]);
    trace_samples_free(&reader->rates);
    trace_facts_free(&reader->facts);
    trace_arena_free(&reader->arena);
    trace_queue_free(&reader->queue);
    trace_map_free(&reader->chains_by_address);
    trace_map_free(&reader->devices_by_process);
    trace_cells_free(&reader->cells);
    free(reader->chains);
    free(reader->devices);
    trace_input_close(reader->input);
    free(reader);
}

static struct presentmon *create(struct trace_input *input, struct trace_error *error)
{
    struct presentmon *reader = trace_input_reader(input, sizeof *reader, error);
    if (reader == NULL)
        return NULL;
    reader->input = input;
    reader->rows = trace_sorter_create(sizeof(struct row), SORTER);
    reader->made = trace_sorter_create(sizeof(struct made), SORTER);
    reader->between = trace_sorter_create(sizeof(struct trace_sorted), SAMPLES);
    reader->in_present = trace_sorter_create(sizeof(struct trace_sorted), SAMPLES);
    reader->until_displayed = trace_sorter_create(sizeof(struct trace_sorted), SAMPLES);
    reader->gpu_busy = trace_sorter_create(sizeof(struct trace_sorted), SAMPLES);
    if (reader->rows == NULL || reader->made == NULL || reader->between == NULL ||
        reader->in_present == NULL || reader->until_displayed == NULL || reader->gpu_busy == NULL) {
        trace_fail(error, false, "%s: out of memory", trace_input_path(input));
        presentmon_close(reader);
        return NULL;
    }
    return reader;
}

static bool presentmon_open(struct trace_input *input, const struct trace_open_options *options,
                            void **state, struct trace_header *header, struct trace_error *error)
{
    *state = NULL;
    struct presentmon *reader = create(input, error);
    if (reader == NULL)
        return false;
    if (read_heading(reader))
        read_rows(reader, options);
    find_rate(reader);
    const char *json = NULL;
    if (reader->failure == NULL && make_all(reader)) {
        summarize(reader);
        json = reader->facts.failed ? NULL : trace_facts_json(&reader->facts);
    }
    bool good = json != NULL && reader->tally.presents > 0;
    if (json == NULL)
        trace_fail(error, false, "%s: %s", trace_input_path(input),
                   reader->failure != NULL ? reader->failure : "out of memory");
    else if (!good && reader->damage.message[0] != '\0')
        *error = reader->damage;
    else if (!good)
        trace_fail(error, false,
                   "%s: holds no presents: %" PRIu64 " rows, %" PRIu64
                   " of them without process or time",
                   trace_input_path(input), reader->tally.rows, reader->tally.undecodable);
    if (!good) {
        error->skippable = false;
        presentmon_close(reader);
        return false;
    }
    *header = (struct trace_header){
        .version = TRACE_VERSION,
        .source = "PresentMon",
        .residency = TRACE_RESIDENCY_AT_CREATE,
        .create_unknown = true,
        .unknown_size = TRACE_DEFAULT_UNKNOWN_SIZE,
        .extras = json,
    };
    *state = reader;
    return true;
}

static void emit(struct presentmon *reader, const struct made *made)
{
    const struct chain *chain = &reader->chains[made->chain];
    struct trace_event *event =
        trace_queue_add(&reader->queue, made->presents ? TRACE_PRESENT : TRACE_SUBMIT,
                        made->order.key - reader->start);
    if (event == NULL)
        return;
    reader->placed = made->line;
    event->pid = chain->process;
    trace_give_name(event, TRACE_CONTEXT, &event->context, chain->name);
    if (!made->presents) {
        event->gpu_ns = made->gpu_ns;
        event->given |= TRACE_GIVEN(TRACE_GPU);
    }
    if (made->has_interval) {
        event->interval = made->interval;
        event->given |= TRACE_GIVEN(TRACE_INTERVAL);
    }
    if (made->has_dur) {
        event->dur_ns = made->dur_ns;
        event->given |= TRACE_GIVEN(TRACE_DUR);
    }
    if (made->has_done && made->done_ns >= reader->start) {
        event->done_ns = made->done_ns - reader->start;
        event->given |= TRACE_GIVEN(TRACE_DONE);
    }
}

/* Devices and contexts. False: that was all. */
static bool emit_prelude(struct presentmon *reader)
{
    bool of_device = reader->next_device < reader->device_count;
    if (!of_device && reader->next_chain == reader->chain_count)
        return false;
    struct trace_event *event =
        trace_queue_add(&reader->queue, of_device ? TRACE_CREATE_DEVICE : TRACE_CREATE_CONTEXT, 0);
    if (event == NULL)
        return true;
    event->existing = true;
    event->given |= TRACE_GIVEN(TRACE_EXISTING);
    if (of_device) {
        const struct device *device = &reader->devices[reader->next_device++];
        event->pid = device->process;
        trace_give_name(event, TRACE_DEVICE, &event->device, device->name);
        return true;
    }
    const struct chain *chain = &reader->chains[reader->next_chain++];
    event->pid = chain->process;
    trace_give_name(event, TRACE_CONTEXT, &event->context, chain->name);
    trace_give_name(event, TRACE_DEVICE, &event->device,
                    reader->devices[device_of(reader, chain->process)].name);
    trace_give_name(event, TRACE_NODE, &event->node, "3d");
    return true;
}

static enum trace_result presentmon_next(void *state, struct trace_event *event,
                                         struct trace_error *error)
{
    struct presentmon *reader = state;
    while (!trace_queue_take(&reader->queue, event)) {
        const struct made *made = NULL;
        if (!emit_prelude(reader)) {
            made = trace_sorter_next(reader->made);
            if (made != NULL)
                emit(reader, made);
        }
        const char *failure =
            reader->queue.failed ? "out of memory" : trace_sorter_failure(reader->made);
        if (failure != NULL) {
            trace_fail(error, false, "%s: %s", trace_input_path(reader->input), failure);
            return TRACE_BAD;
        }
        if (reader->queue.count > 0)
            continue;
        reader->placed = 0;
        if (reader->damage.message[0] == '\0' || reader->damage_told)
            return TRACE_END;
        reader->damage_told = true;
        *error = reader->damage;
        error->skippable = true;
        return TRACE_BAD;
    }
    return TRACE_EVENT;
}

static const char *presentmon_place(void *state)
{
    struct presentmon *reader = state;
    int length =
        snprintf(reader->place, sizeof reader->place, "%.300s", trace_input_path(reader->input));
    if (reader->placed != 0)
        snprintf(reader->place + length, sizeof reader->place - (size_t)length, ":%" PRIu64,
                 reader->placed);
    return reader->place;
}

static const struct trace_fact *presentmon_facts(void *state, size_t *count)
{
    const struct presentmon *reader = state;
    *count = reader->facts.count;
    return reader->facts.items;
}

static bool presentmon_detect(const unsigned char *head, size_t length)
{
    static const char bom[] = "\xef\xbb\xbf", first[] = "Application,ProcessID,SwapChainAddress,";
    if (length >= 3 && memcmp(head, bom, 3) == 0) {
        head += 3;
        length -= 3;
    }
    return length >= sizeof first && memcmp(head, first, sizeof first - 1) == 0;
}

const struct trace_format trace_format_presentmon = {
    .name = "presentmon",
    .summary = "CSV of PresentMon: presents and frame times",
    .detect = presentmon_detect,
    .open = presentmon_open,
    .next = presentmon_next,
    .place = presentmon_place,
    .facts = presentmon_facts,
    .close = presentmon_close,
};
