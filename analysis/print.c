/* The one-screen summary: at most 100 columns, the same in every locale; plain ASCII unless the
 * terminal can do more. */
#include "analysis/human.h"
#include "analysis/record.h"

#include <inttypes.h>

enum { BAR = 30, WIDTH = 100 };

struct screen {
    FILE *out;
    bool blocks;
    const char *head, *bad, *care, *dim, *plain;
};

static const char *quantile(char *text, const struct histogram *histogram, unsigned permille)
{
    uint64_t value;
    if (!histogram_quantile(histogram, permille, &value))
        return "-";
    return human_time(text, (double)value);
}

static const char *file_name(const char *path)
{
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    return slash != NULL && slash[1] != 0 ? slash + 1 : path == NULL ? "-" : path;
}

static void print_run(const struct screen *screen, const struct recorder *recorder,
                      const struct recorder_run *run)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM];
    fprintf(screen->out, "%s%.48s%s on %s%.32s%s", screen->head, file_name(run->trace),
            screen->plain, screen->head, run->profile != NULL ? run->profile : "-", screen->plain);
    if (run->override_count != 0)
        fprintf(screen->out, " (%zu override%s)", run->override_count,
                run->override_count == 1 ? "" : "s");
    fprintf(screen->out, "\n%s simulated, %s events in %s (%s events/s)\n",
            human_time(a, (double)recorder->end_ns), human_count(b, run->events),
            human_time(c, run->wall_s * 1e9),
            human_count(d, run->wall_s > 0 ? (uint64_t)((double)run->events / run->wall_s) : 0));
}

/* What most of the time of these calls went into. */
static const char *mostly(char *text, const struct record_calls *calls)
{
    uint64_t all = 0;
    int most = 0;
    for (int cause = 0; cause < PROBE_CAUSES; cause++) {
        all += calls->blame_ns[cause];
        if (calls->blame_ns[cause] > calls->blame_ns[most])
            most = cause;
    }
    if (all == 0)
        return "-";
    snprintf(text, HUMAN_ROOM, "%s %.0f %%", probe_cause_names[most],
             100 * (double)calls->blame_ns[most] / (double)all);
    return text;
}

static void print_call(const struct screen *screen, const struct recorder *recorder, uint32_t index)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM], e[HUMAN_ROOM], f[HUMAN_ROOM],
        g[HUMAN_ROOM];
    const struct record_op *op = &recorder->op[index];
    struct record_calls calls;
    record_op_calls(recorder, index, &calls);
    uint64_t failures = record_failures(op);
    fprintf(screen->out, "%-24.24s %12s %s%7s%s %9s %9s %9s %9s %s%15s%s\n", op->name,
            human_count(a, calls.latency.count), failures != 0 ? screen->bad : "",
            failures != 0 ? human_count(b, failures) : "-", failures != 0 ? screen->plain : "",
            quantile(c, &calls.latency, 500), quantile(d, &calls.latency, 950),
            quantile(e, &calls.latency, 990), human_time(f, (double)calls.latency.max), screen->dim,
            mostly(g, &calls), screen->plain);
    record_calls_clear(&calls);
}

static void print_calls(const struct screen *screen, const struct recorder *recorder)
{
    uint32_t order[RECORD_OPS], count = record_sorted_ops(recorder, order);
    if (count == 0)
        return;
    fprintf(screen->out, "\n%s%-24s %12s %7s %9s %9s %9s %9s %15s%s\n", screen->head, "call",
            "count", "failed", "p50", "p95", "p99", "max", "mostly", screen->plain);
    for (uint32_t i = 0; i < count; i++)
        print_call(screen, recorder, order[i]);
}

/* What was recorded of the same calls, beside what came out for them. */
static void print_known(const struct screen *screen, const char *name, const char *until,
                        const struct record_errors *known)
{
    char what[40], a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM], e[HUMAN_ROOM],
        f[HUMAN_ROOM], g[HUMAN_ROOM];
    uint64_t median, p90;
    snprintf(what, sizeof what, "%s %s", name, until);
    bool error = histogram_quantile(&known->ppm, 500, &median);
    error = error && histogram_quantile(&known->ppm, 900, &p90);
    fprintf(screen->out, "%-31.31s %7s %9s %9s %9s %9s %9s %8s\n", what,
            human_count(a, known->recorded.count), quantile(b, &known->recorded, 500),
            quantile(c, &known->simulated, 500), quantile(d, &known->recorded, 950),
            quantile(e, &known->simulated, 950), error ? human_share(f, (double)median / 1e6) : "-",
            error ? human_share(g, (double)p90 / 1e6) : "-");
}

/* How long calls took to be done; how long until they returned where nothing is said of the
 * other, or only of few. */
static void print_recorded(const struct screen *screen, const struct recorder *recorder)
{
    uint32_t order[RECORD_OPS], count = record_sorted_ops(recorder, order);
    bool headed = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct record_op *op = &recorder->op[order[i]];
        uint64_t done = op->done.recorded.count, dur = op->dur.recorded.count;
        if (done == 0 && dur == 0)
            continue;
        if (!headed)
            fprintf(screen->out,
                    "\n%s%-31s %7s %9s %9s %9s %9s %9s %8s\n%-31s %7s %9s %9s %9s %9s %9s %8s%s\n",
                    screen->head, "", "", "p50", "p50", "p95", "p95", "error", "error",
                    "from the call to its end", "count", "recorded", "simulated", "recorded",
                    "simulated", "median", "p90", screen->plain);
        headed = true;
        if (done != 0)
            print_known(screen, op->name, "done", &op->done);
        if (dur > 2 * done)
            print_known(screen, op->name, "return", &op->dur);
    }
}

/* How full it was on average (#) and at most (+). */
static void print_bar(const struct screen *screen, double mean, double peak, double size)
{
    for (int cell = 0; cell < BAR; cell++) {
        double edge = size * (cell + 0.5) / BAR;
        putc(mean > edge ? '#' : peak > edge ? '+' : '.', screen->out);
    }
}

/* How full it was over time, each cell the mean of its share of the run. */
static void print_spark(const struct screen *screen, const struct bins *bins, double size,
                        double span)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double width = (double)((uint64_t)1 << bins->shift);
    for (int cell = 0; cell < BAR; cell++) {
        double from = span * cell / BAR, to = span * (cell + 1) / BAR, sum = 0;
        for (uint32_t bin = (uint32_t)(from / width); bin < bins->used && bin * width < to; bin++) {
            double begin = bin * width, end = begin + width < span ? begin + width : span;
            double shared = (to < end ? to : end) - (from > begin ? from : begin);
            if (shared > 0 && end > begin)
                sum += (double)bins->value[bin][0] * shared / (end - begin);
        }
        double level = to > from ? sum * RECORD_PAGE / (to - from) / size : 0;
        fputs(blocks[level > 0 ? 1 + (int)(level >= 1 ? 7 : 8 * level) : 0], screen->out);
    }
}

static void print_segments(const struct screen *screen, const struct recorder *recorder)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM];
    double span = (double)recorder->end_ns;
    if (recorder->segments != 0)
        fprintf(screen->out, "\n%s%-24s %12s %18s %9s %s%s\n", screen->head, "segment", "size",
                "peak resident", "mean", screen->blocks ? "resident over time" : "", screen->plain);
    for (uint32_t i = 1; i <= recorder->segments; i++) {
        const struct record_space *space = &recorder->space[i];
        double size = (double)recorder->segment[i].size_bytes, peak = (double)space->peak_resident;
        double mean = span > 0 ? (double)space->resident_byte_ns / span : 0;
        fprintf(screen->out, "%-24.24s %12s %18s %9s %s", record_segment_name(recorder, i),
                human_bytes(a, size), human_bytes(b, peak), human_bytes(c, mean), screen->dim);
        if (screen->blocks && space->bins != NULL && size > 0 && span > 0)
            print_spark(screen, space->bins, size, span);
        else
            print_bar(screen, mean, peak, size);
        fprintf(screen->out, "%s\n", screen->plain);
    }
}

static void print_flow(const struct screen *screen, const char *name,
                       const struct record_flow *flow)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM];
    if (flow->count != 0)
        fprintf(screen->out, "  %s %s (%s)", name, human_bytes(a, (double)flow->bytes),
                human_count(b, flow->count));
}

static void print_paging(const struct screen *screen, const struct recorder *recorder)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM];
    const struct record_flow *flow = recorder->flow;
    double span = (double)recorder->end_ns;
    fprintf(screen->out, "\n%spaging%s", screen->head, screen->plain);
    print_flow(screen, "in", &flow[PROBE_PAGE_IN]);
    print_flow(screen, "out", &flow[PROBE_PAGE_OUT]);
    print_flow(screen, "filled", &flow[PROBE_FILLED]);
    print_flow(screen, "discarded", &flow[PROBE_DISCARD]);
    print_flow(screen, "demoted", &flow[PROBE_DEMOTE]);
    if (flow[PROBE_PAGE_IN].count + flow[PROBE_PAGE_OUT].count + flow[PROBE_FILLED].count +
            flow[PROBE_DISCARD].count + flow[PROBE_DEMOTE].count ==
        0)
        fputs("  nothing was moved", screen->out);
    putc('\n', screen->out);
    for (uint32_t i = 0; i < RECORD_ADAPTERS && span > 0; i++) {
        const uint64_t *busy = recorder->link_busy_ns[i];
        if (busy[0] + busy[1] == 0)
            continue;
        if (recorder->adapters > 1)
            fprintf(screen->out, "        link of adapter %" PRIu32, i);
        else
            fputs("        link", screen->out);
        fprintf(screen->out, " busy in %s, out %s\n", human_share(a, (double)busy[1] / span),
                human_share(b, (double)busy[0] / span));
    }
    if (recorder->references != 0)
        fprintf(screen->out, "        %s of %s references were resident at submission\n",
                human_share(a, (double)recorder->hits / (double)recorder->references),
                human_count(b, recorder->references));
}

static uint64_t counted(const struct recorder *recorder, const char *key)
{
    for (uint32_t i = 0; i < recorder->counted.keys; i++)
        if (strcmp(recorder->counted.of[i].key, key) == 0)
            return recorder->counted.of[i].count;
    return 0;
}

static void print_faults(const struct screen *screen, const struct recorder *recorder)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM];
    uint64_t stalled = counted(recorder, "faults.stalled_ns");
    uint64_t prefetched = counted(recorder, "faults.prefetched_bytes");
    uint64_t outside = counted(recorder, "faults.read_outside_bytes") +
                       counted(recorder, "faults.written_outside_bytes");
    if (stalled == 0)
        return;
    fprintf(screen->out, "%sfaults%s  %s in %s batches, engines stalled %s", screen->head,
            screen->plain, human_count(a, counted(recorder, "faults.count")),
            human_count(b, counted(recorder, "faults.batches")), human_time(c, (double)stalled));
    if (prefetched != 0)
        fprintf(screen->out, ", %s prefetched", human_bytes(d, (double)prefetched));
    if (outside != 0)
        fprintf(screen->out, ", %s touched outside", human_bytes(d, (double)outside));
    putc('\n', screen->out);
}

static void print_engines(const struct screen *screen, const struct recorder *recorder)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM], e[HUMAN_ROOM];
    double span = (double)recorder->end_ns;
    bool headed = false;
    for (uint32_t i = 0; i < RECORD_NODES; i++) {
        const struct record_node *node = &recorder->node[i];
        if (node->packets == 0 && node->busy_ns == 0 && node->switch_ns == 0)
            continue;
        if (!headed)
            fprintf(screen->out, "\n%s%-24s %12s %8s %9s %9s %9s %11s %9s%s\n", screen->head,
                    "engine", "packets", "busy", "switching", "wait p50", "wait p99", "switches",
                    "avoided", screen->plain);
        headed = true;
        char name[64];
        snprintf(name, sizeof name, "%" PRIu32 " %s", i,
                 recorder->node_facts[i].name != NULL ? recorder->node_facts[i].name : "");
        char busy[HUMAN_ROOM], switching[HUMAN_ROOM];
        fprintf(screen->out, "%-24.24s %12s %8s %9s %9s %9s %11s %9s\n", name,
                human_count(a, node->packets),
                human_share(busy, span > 0 ? (double)node->busy_ns / span : 0),
                human_share(switching, span > 0 ? (double)node->switch_ns / span : 0),
                quantile(b, &node->queue, 500), quantile(c, &node->queue, 990),
                human_count(d, node->switches), human_count(e, node->switches_avoided));
    }
}

static void print_frames(const struct screen *screen, const struct recorder *recorder)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM];
    const struct frames *frames = &recorder->frames;
    double low;
    if (frames->interval.count == 0)
        return;
    fprintf(screen->out, "\n%sframes%s  %s, p50 %s, p99 %s", screen->head, screen->plain,
            human_count(a, frames->interval.count), quantile(b, &frames->interval, 500),
            quantile(c, &frames->interval, 990));
    if (frames_low(frames, &low))
        fprintf(screen->out, ", 1 %% low %s/s", human_decimal(a, low, 1));
    fprintf(screen->out, ", %s stutter%s", human_count(a, frames->stutters),
            frames->stutters == 1 ? "" : "s");
    if (frames->late > 0)
        fprintf(screen->out, ", %s late", human_count(a, frames->late));
    if (frames->dropped > 0)
        fprintf(screen->out, ", %s dropped", human_count(a, frames->dropped));
    fputc('\n', screen->out);
}

/* Which process delayed which other most. */
static void print_delays(const struct screen *screen, const struct recorder *recorder)
{
    enum { SHOWN = 3 };
    const struct matrix *matrix = &recorder->matrix;
    uint64_t last = recorder->chains.told ? UINT64_MAX : 0;
    for (int shown = 0; shown < SHOWN; shown++) {
        uint32_t victim = 0, culprit = 0;
        uint64_t most = 0;
        for (uint32_t i = 0; i < matrix->processes; i++)
            for (uint32_t j = 0; j < matrix->processes; j++)
                if (i != j && matrix->ns[i][j] > most && matrix->ns[i][j] < last) {
                    most = matrix->ns[i][j];
                    victim = i;
                    culprit = j;
                }
        if (most == 0)
            return;
        char ns[HUMAN_ROOM], whom[32] = MATRIX_NOBODY;
        last = most;
        if (matrix->pid[culprit] != 0)
            snprintf(whom, sizeof whom, "process %" PRIu32, matrix->pid[culprit]);
        fprintf(screen->out, "%s%s%s  calls of process %" PRIu32 " waited %s for %s\n",
                screen->head, shown == 0 ? "\ndelays" : "      ", screen->plain,
                matrix->pid[victim], human_time(ns, (double)most), whom);
    }
}

/* A key as words: underscores become spaces. */
static const char *words(char spaced[71], const char *key)
{
    snprintf(spaced, 71, "%s", key);
    for (char *at = spaced; *at != 0; at++)
        *at = *at == '_' ? ' ' : *at;
    return spaced;
}

static void print_notes(const struct screen *screen, const struct recorder *recorder)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], key[71];
    enum { SHOWN = 8 };
    putc('\n', screen->out);
    for (uint32_t i = 0; i < recorder->assumed.keys; i++)
        if (recorder->assumed.of[i].count != 0)
            fprintf(screen->out, "%sassumed%s  %s: %s\n", screen->care, screen->plain,
                    words(key, recorder->assumed.of[i].key),
                    human_count(a, recorder->assumed.of[i].count));
    for (uint32_t i = 0; i < recorder->warnings && i < SHOWN; i++)
        fprintf(screen->out, "%swarning%s  %.*s\n", screen->care, screen->plain, WIDTH - 10,
                recorder->warning[i].text);
    if (recorder->warnings > SHOWN)
        fprintf(screen->out, "%swarning%s  ... and %" PRIu64 " more, see summary.json\n",
                screen->care, screen->plain, recorder->warnings - SHOWN + recorder->more_warnings);
    if (recorder->status_mismatches != 0)
        fprintf(screen->out, "%snote%s     %s of %s recorded statuses differ\n", screen->care,
                screen->plain, human_count(a, recorder->status_mismatches),
                human_count(b, recorder->status_checked));
    if (recorder->options.expect)
        fprintf(screen->out, "%sexpected%s %s checked, %s failed\n",
                recorder->unmet != 0 ? screen->bad : screen->head, screen->plain,
                human_count(a, recorder->expected), human_count(b, recorder->unmet));
    fprintf(screen->out, "results in %s\n", recorder->directory);
}

void recorder_print(struct recorder *recorder, const struct recorder_run *run, FILE *out,
                    unsigned can)
{
    bool blocks = (can & RECORDER_BLOCKS) != 0;
    struct screen screen = {out, blocks, "", "", "", "", ""};
    if ((can & RECORDER_COLOUR) != 0)
        screen =
            (struct screen){out, blocks, "\033[1m", "\033[1;31m", "\033[33m", "\033[2m", "\033[0m"};
    print_run(&screen, recorder, run);
    print_calls(&screen, recorder);
    print_recorded(&screen, recorder);
    print_segments(&screen, recorder);
    print_paging(&screen, recorder);
    print_faults(&screen, recorder);
    print_engines(&screen, recorder);
    print_frames(&screen, recorder);
    print_delays(&screen, recorder);
    print_notes(&screen, recorder);
}
