#include "cli/inspect.h"
#include "analysis/human.h"
#include "cli/cli.h"
#include "model/status.h"
#include "traces/message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[INSPECT_KINDS] = {
    [INSPECT_DEVICES] = "devices",     [INSPECT_CONTEXTS] = "contexts",
    [INSPECT_RESOURCES] = "resources", [INSPECT_ALLOCATIONS] = "allocations",
    [INSPECT_FENCES] = "fences",
};

static const char *residency_name(enum trace_residency residency)
{
    static const char *const names[] = {
        [TRACE_RESIDENCY_UNSTATED] = "unstated",   [TRACE_RESIDENCY_EXPLICIT] = "explicit",
        [TRACE_RESIDENCY_AT_CREATE] = "at-create", [TRACE_RESIDENCY_PER_SUBMIT] = "per-submit",
        [TRACE_RESIDENCY_FAULT] = "fault",
    };
    return names[residency];
}

/* For people. */

static void print_heading(const struct trace_reader *reader, const struct inspection *inspection,
                          const char *path)
{
    const struct trace_header *header = trace_reader_header(reader);
    char text[HUMAN_ROOM], other[HUMAN_ROOM], source[256];
    snprintf(source, sizeof source, "%s", header->source != NULL ? header->source : "-");
    trace_make_printable(source);
    printf("%s\n", path);
    printf("  format      %s\n", trace_reader_format(reader));
    printf("  source      %s\n", source);
    printf("  residency   %s, unknown names: %s", residency_name(header->residency),
           header->create_unknown ? "created" : "fail");
    if (header->create_unknown)
        printf(" with %s", human_bytes(text, (double)header->unknown_size));
    printf("\n  events      %s", human_count(text, inspection->events));
    if (inspection->bad_events > 0)
        printf(", and %s bad ones, the first: %s", human_count(other, inspection->bad_events),
               inspection->first_bad);
    printf("\n  span        %s, from %s to ",
           human_time(text, (double)(inspection->last_ns - inspection->first_ns)),
           human_time(other, (double)inspection->first_ns));
    printf("%s\n", human_time(text, (double)inspection->last_ns));
    printf("  bytes       %s created, ", human_bytes(text, (double)inspection->bytes_created));
    printf("%s at once\n", human_bytes(text, (double)inspection->bytes_peak));
    printf("  engine time %s in %s submissions, ", human_time(text, (double)inspection->gpu_ns),
           human_count(other, inspection->submits));
    printf("%s references to allocations\n", human_count(text, inspection->references));
}

static void print_objects(const struct inspection *inspection)
{
    printf("\n%-14s %12s %12s %12s %12s\n", "", "created", "destroyed", "left", "most at once");
    for (int kind = 0; kind < INSPECT_KINDS; kind++)
        printf("%-14s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "\n", kind_names[kind],
               inspection->kinds[kind].created, inspection->kinds[kind].destroyed,
               inspection->kinds[kind].alive, inspection->kinds[kind].peak);
}

/* "-", or the quantile as a time. */
static const char *quantile(const struct histogram *histogram, unsigned permille,
                            char text[HUMAN_ROOM])
{
    uint64_t value;
    return histogram_quantile(histogram, permille, &value) ? human_time(text, (double)value) : "-";
}

static void print_times(const char *what, const struct histogram *histogram)
{
    char p50[HUMAN_ROOM], p90[HUMAN_ROOM], p99[HUMAN_ROOM], most[HUMAN_ROOM];
    if (histogram->count == 0)
        return;
    printf("    %-5s %10" PRIu64 "   p50 %-9s p90 %-9s p99 %-9s max %s\n", what, histogram->count,
           quantile(histogram, 500, p50), quantile(histogram, 900, p90),
           quantile(histogram, 990, p99), human_time(most, (double)histogram->max));
}

static void print_ops(const struct inspection *inspection)
{
    printf("\ncalls, with what was recorded of their outcomes\n");
    for (int i = 0; i < TRACE_OPS; i++) {
        const struct inspect_op *op = &inspection->ops[i];
        if (op->count == 0)
            continue;
        printf("  %-24s %10" PRIu64 "\n", trace_ops[i].name, op->count);
        print_times("dur", &op->dur);
        print_times("done", &op->done);
        for (size_t s = 0; s < op->status_count; s++) {
            char room[STATUS_TEXT_SIZE];
            printf("    %10" PRIu64 " x %s\n", op->statuses[s].count,
                   status_text(op->statuses[s].status, room));
        }
        if (op->other_statuses > 0)
            printf("    %10" PRIu64 " x other statuses\n", op->other_statuses);
    }
}

static int by_events(const void *a, const void *b)
{
    const struct inspect_process *first = a, *second = b;
    if (first->events != second->events)
        return first->events > second->events ? -1 : 1;
    return first->pid < second->pid ? -1 : first->pid > second->pid;
}

static void print_processes(const struct inspection *inspection)
{
    enum { MOST = 20 };
    char time[HUMAN_ROOM], bytes[HUMAN_ROOM];
    printf("\n%-10s %12s %12s %12s %12s %12s\n", "process", "events", "submits", "engine time",
           "created", "presents");
    for (size_t i = 0; i < inspection->process_count && i < MOST; i++) {
        const struct inspect_process *p = &inspection->processes[i];
        printf("%-10" PRIu32 " %12" PRIu64 " %12" PRIu64 " %12s %12s %12" PRIu64 "\n", p->pid,
               p->events, p->submits, human_time(time, (double)p->gpu_ns),
               human_bytes(bytes, (double)p->bytes_created), p->presents);
    }
    if (inspection->process_count > MOST)
        printf("and %zu more processes\n", inspection->process_count - MOST);
}

/* What the recording cannot know, as its importer wrote into the header: a list of texts that the
 * caller releases, or NULL. */
static json_t *lacks_of(const struct trace_reader *reader)
{
    const char *extras = trace_reader_header(reader)->extras;
    json_t *header = extras != NULL ? json_loads(extras, 0, NULL) : NULL;
    json_t *lacks = json_incref(json_object_get(header, "x-lacks"));
    json_decref(header);
    if (json_is_array(lacks))
        return lacks;
    json_decref(lacks);
    return NULL;
}

static void print_lacks(const struct trace_reader *reader)
{
    json_t *lacks = lacks_of(reader);
    if (json_array_size(lacks) > 0)
        printf("\nwhat the recording cannot know\n");
    for (size_t i = 0; i < json_array_size(lacks); i++) {
        const char *what = json_string_value(json_array_get(lacks, i));
        char text[256];
        snprintf(text, sizeof text, "%s", what != NULL ? what : "-");
        trace_make_printable(text);
        printf("  %s\n", text);
    }
    json_decref(lacks);
}

static void print_oddities(const struct inspection *inspection)
{
    printf("\noddities\n");
    bool any = false;
    for (int kind = 0; kind < INSPECT_FENCES; kind++) {
        if (inspection->kinds[kind].not_created > 0) {
            printf("  %" PRIu64 " uses of %s that were not created in the trace\n",
                   inspection->kinds[kind].not_created, kind_names[kind]);
            any = true;
        }
        if (inspection->kinds[kind].twice > 0) {
            printf("  %" PRIu64 " %s created under a name still in use\n",
                   inspection->kinds[kind].twice, kind_names[kind]);
            any = true;
        }
    }
    if (inspection->waits_unsignaled > 0) {
        printf("  %" PRIu64 " fences waited for beyond every signal in the trace\n",
               inspection->waits_unsignaled);
        any = true;
    }
    if (!any)
        printf("  none\n");
}

/* For programs. */

static json_t *count(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *times_json(const struct histogram *histogram)
{
    static const struct {
        const char *key;
        unsigned permille;
    } points[] = {{"p50", 500}, {"p90", 900}, {"p99", 990}, {"p999", 999}};
    uint64_t value;
    json_t *object = json_object();
    json_object_set_new(object, "count", count(histogram->count));
    json_object_set_new(object, "min", count(histogram->min));
    json_object_set_new(object, "mean", json_real(histogram_mean(histogram)));
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        json_object_set_new(
            object, points[i].key,
            histogram_quantile(histogram, points[i].permille, &value) ? count(value) : json_null());
    json_object_set_new(object, "max", count(histogram->max));
    return object;
}

static json_t *ops_json(const struct inspection *inspection)
{
    json_t *ops = json_object();
    for (int i = 0; i < TRACE_OPS; i++) {
        const struct inspect_op *op = &inspection->ops[i];
        if (op->count == 0)
            continue;
        json_t *object = json_object();
        json_object_set_new(object, "count", count(op->count));
        if (op->dur.count > 0)
            json_object_set_new(object, "recorded_dur_ns", times_json(&op->dur));
        if (op->done.count > 0)
            json_object_set_new(object, "recorded_done_ns", times_json(&op->done));
        json_t *statuses = json_object();
        for (size_t s = 0; s < op->status_count; s++) {
            char room[STATUS_TEXT_SIZE];
            json_object_set_new(statuses, status_text(op->statuses[s].status, room),
                                count(op->statuses[s].count));
        }
        if (op->other_statuses > 0)
            json_object_set_new(statuses, "other", count(op->other_statuses));
        json_object_set_new(object, "statuses", statuses);
        json_object_set_new(ops, trace_ops[i].name, object);
    }
    return ops;
}

static json_t *processes_json(const struct inspection *inspection)
{
    json_t *processes = json_array();
    for (size_t i = 0; i < inspection->process_count; i++) {
        const struct inspect_process *p = &inspection->processes[i];
        json_t *object = json_object();
        json_object_set_new(object, "pid", count(p->pid));
        json_object_set_new(object, "events", count(p->events));
        json_object_set_new(object, "submits", count(p->submits));
        json_object_set_new(object, "gpu_ns", count(p->gpu_ns));
        json_object_set_new(object, "created_bytes", count(p->bytes_created));
        json_object_set_new(object, "presents", count(p->presents));
        json_object_set_new(object, "first_ns", count(p->first_ns));
        json_object_set_new(object, "last_ns", count(p->last_ns));
        json_array_append_new(processes, object);
    }
    return processes;
}

static json_t *objects_json(const struct inspection *inspection)
{
    json_t *kinds = json_object();
    for (int kind = 0; kind < INSPECT_KINDS; kind++) {
        json_t *object = json_object();
        json_object_set_new(object, "created", count(inspection->kinds[kind].created));
        json_object_set_new(object, "destroyed", count(inspection->kinds[kind].destroyed));
        json_object_set_new(object, "left", count(inspection->kinds[kind].alive));
        json_object_set_new(object, "peak", count(inspection->kinds[kind].peak));
        json_object_set_new(object, "not_created", count(inspection->kinds[kind].not_created));
        json_object_set_new(object, "created_twice", count(inspection->kinds[kind].twice));
        json_object_set_new(kinds, kind_names[kind], object);
    }
    return kinds;
}

static bool print_json(const struct trace_reader *reader, const struct inspection *inspection,
                       const struct miss_curve *curve, const char *path)
{
    const struct trace_header *header = trace_reader_header(reader);
    json_t *root = json_object(), *facts = json_object();
    json_object_set_new(root, "trace", json_string(path));
    json_object_set_new(root, "format", json_string(trace_reader_format(reader)));
    json_object_set_new(root, "source",
                        header->source != NULL ? json_string(header->source) : json_null());
    json_object_set_new(root, "residency", json_string(residency_name(header->residency)));
    json_object_set_new(root, "create_unknown", json_boolean(header->create_unknown));
    json_object_set_new(root, "unknown_size_bytes", count(header->unknown_size));
    json_object_set_new(root, "events", count(inspection->events));
    json_object_set_new(root, "bad_events", count(inspection->bad_events));
    json_object_set_new(root, "first_ns", count(inspection->first_ns));
    json_object_set_new(root, "last_ns", count(inspection->last_ns));
    json_object_set_new(root, "created_bytes", count(inspection->bytes_created));
    json_object_set_new(root, "peak_bytes", count(inspection->bytes_peak));
    json_object_set_new(root, "submits", count(inspection->submits));
    json_object_set_new(root, "gpu_ns", count(inspection->gpu_ns));
    json_object_set_new(root, "references", count(inspection->references));
    json_object_set_new(root, "fences_never_signaled", count(inspection->waits_unsignaled));
    json_object_set_new(root, "objects", objects_json(inspection));
    json_object_set_new(root, "calls", ops_json(inspection));
    json_object_set_new(root, "processes", processes_json(inspection));
    size_t fact_count;
    const struct trace_fact *fact = trace_reader_facts(reader, &fact_count);
    for (size_t i = 0; i < fact_count; i++)
        json_object_set_new(facts, fact[i].key, json_real(fact[i].value));
    json_object_set_new(root, "facts", facts);
    json_t *lacks = lacks_of(reader);
    json_object_set_new(root, "lacks", lacks != NULL ? lacks : json_array());
    if (inspection->named != NULL)
        json_object_set_new(root, "miss_curve", inspect_curve_json(inspection->named, curve));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    json_decref(root);
    if (text == NULL)
        return false;
    puts(text);
    free(text);
    return true;
}

struct request {
    const char *trace, *format;
    bool curve;             /* of misses */
    const char *curve_path; /* where it goes whole; NULL: nowhere */
    struct cli_settings settings;
    uint64_t unknown_size;
    bool json, skip_bad, quiet;
    struct trace_reader *reader;
    struct cli_progress progress;
};

enum { FORMAT = 0x1000, JSON, MRC, READER, SKIP_BAD, UNKNOWN_SIZE };

static const struct argp_option options[] = {
    {"json", JSON, NULL, 0, "print JSON instead of text", 0},
    {"mrc", MRC, "FILE", OPTION_ARG_OPTIONAL,
     "the miss-ratio curve: what share of the references to allocations would miss in a segment of "
     "each size that evicts the least recently used; into FILE all of it, as CSV",
     0},
    {"format", FORMAT, "NAME", 0, "format of the trace (default: detected from its content)", 0},
    {"reader", READER, "KEY=VALUE", 0,
     "a choice that the reader of the recording's format leaves open; may be repeated; the manual "
     "page lists them",
     0},
    {"unknown-size", UNKNOWN_SIZE, "SIZE", 0,
     "bytes of an object whose creation was not recorded (default: what the trace says)", 0},
    {"skip-bad", SKIP_BAD, NULL, 0, "count and report bad events instead of stopping", 0},
    {"quiet", 'q', NULL, 0, "no progress", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case JSON:
        request->json = true;
        return 0;
    case MRC:
        request->curve = true;
        request->curve_path = text;
        return 0;
    case FORMAT:
        request->format = text;
        return 0;
    case READER:
        cli_add_setting(&request->settings, text, state);
        return 0;
    case UNKNOWN_SIZE:
        request->unknown_size = cli_size(text, "unknown-size", state);
        return 0;
    case SKIP_BAD:
        request->skip_bad = true;
        return 0;
    case 'q':
        request->quiet = true;
        return 0;
    default:
        return cli_take_trace(&request->trace, key, text, state);
    }
}

static const struct argp inspect_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE",
    .doc = "Tell what a trace or a foreign recording holds: its span, calls, processes, objects, "
           "bytes, recorded outcomes, what its reader counted, and what is odd about it.\v"
           "The trace is read once, so standard input (-) will do.",
    .children = cli_common,
};

static void show_import(void *self, uint64_t done, uint64_t total)
{
    struct request *request = self;
    cli_progress_update(&request->progress, done, total, 0);
}

static bool tick(void *self, uint64_t events)
{
    struct request *request = self;
    uint64_t done, total;
    trace_reader_progress(request->reader, &done, &total);
    cli_progress_update(&request->progress, done, total, events);
    return !cli_interrupted();
}

static void print_text(const struct trace_reader *reader, struct inspection *inspection,
                       const struct miss_curve *curve, const char *path)
{
    if (inspection->process_count > 0)
        qsort(inspection->processes, inspection->process_count, sizeof *inspection->processes,
              by_events);
    print_heading(reader, inspection, path);
    print_objects(inspection);
    print_ops(inspection);
    print_processes(inspection);
    cli_print_facts(reader, stdout);
    print_lacks(reader);
    print_oddities(inspection);
    if (inspection->named != NULL)
        inspect_print_curve(inspection->named, curve);
}

static bool read_trace(struct request *request, struct inspection *inspection)
{
    struct trace_error error;
    struct trace_open_options opening = {
        .format = request->format,
        .settings = request->settings.items,
        .setting_count = request->settings.count,
        .unknown_size = request->unknown_size,
        .progress = show_import,
        .progress_self = request,
    };
    cli_progress_start(&request->progress, request->quiet);
    bool good = trace_open(request->trace, &opening, &request->reader, &error);
    if (good && request->curve) {
        const struct trace_header *header = trace_reader_header(request->reader);
        inspection->named = calloc(1, sizeof *inspection->named);
        inspection->out_of_memory = inspection->named == NULL;
        if (inspection->named != NULL)
            inspect_references_init(inspection->named,
                                    header->create_unknown ? header->unknown_size : 0);
    }
    good = good && inspect_read(inspection, request->reader, request->skip_bad, tick, request,
                                &error) == TRACE_END;
    cli_progress_end(&request->progress);
    if (!good)
        cli_bad_input(error.message);
    return good;
}

static bool write_curve(const struct request *request, const struct miss_curve *curve)
{
    if (request->curve_path == NULL)
        return true;
    FILE *out = fopen(request->curve_path, "w");
    bool good = out != NULL;
    if (good) {
        miss_curve_write(curve, 0, out);
        good = !ferror(out);
    }
    if (out != NULL && fclose(out) != 0)
        good = false;
    if (!good)
        cli_error("%s: %s", request->curve_path, strerror(errno));
    return good;
}

static int inspect(struct request *request, struct inspection *inspection)
{
    cli_catch_interrupt();
    if (!read_trace(request, inspection))
        return CLI_USAGE;
    if (inspection->out_of_memory) {
        cli_error("out of memory");
        return CLI_FAILED;
    }
    struct inspect_references *references = inspection->named;
    struct miss_curve *curve = references != NULL ? inspect_references_curve(references) : NULL;
    if (!request->json)
        print_text(request->reader, inspection, curve, request->trace);
    else if (!print_json(request->reader, inspection, curve, request->trace))
        return CLI_FAILED;
    if (curve != NULL && !write_curve(request, curve))
        return CLI_FAILED;
    if (!cli_interrupted())
        return CLI_OK;
    cli_error("interrupted: this covers what was read by then");
    return CLI_INTERRUPTED;
}

static int run_inspect(int argc, char **argv)
{
    struct request request = {0};
    cli_parse(&cli_inspect, argc, argv, &request);
    struct inspection *inspection = calloc(1, sizeof *inspection);
    if (inspection == NULL) {
        cli_error("out of memory");
        return CLI_FAILED;
    }
    int status = inspect(&request, inspection);
    if (request.reader != NULL)
        trace_close(request.reader);
    if (inspection->named != NULL)
        inspect_references_fini(inspection->named);
    free(inspection->named);
    inspect_free(inspection);
    free(inspection);
    free(request.settings.items);
    return status;
}

const struct cli_command cli_inspect = {"inspect", "tell what a trace holds", &inspect_argp,
                                        run_inspect};
