/* The one-screen summary: at most 100 columns, plain ASCII, the same in every locale. */
#include "analysis/human.h"
#include "analysis/record.h"

#include <inttypes.h>

enum { BAR = 30, WIDTH = 100 };

struct screen {
    FILE *out;
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

static void print_call(const struct screen *screen, const struct recorder *recorder, uint32_t index)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM], d[HUMAN_ROOM], e[HUMAN_ROOM], f[HUMAN_ROOM];
    const struct record_op *op = &recorder->op[index];
    struct record_calls calls;
    record_op_calls(recorder, index, &calls);
    uint64_t failures = record_failures(op);
    fprintf(screen->out, "%-24.24s %12s %s%8s%s %9s %9s %9s %9s\n", op->name,
            human_count(a, calls.latency.count), failures != 0 ? screen->bad : "",
            failures != 0 ? human_count(b, failures) : "-", failures != 0 ? screen->plain : "",
            quantile(c, &calls.latency, 500), quantile(d, &calls.latency, 950),
            quantile(e, &calls.latency, 990), human_time(f, (double)calls.latency.max));
    record_calls_clear(&calls);
}

static void print_calls(const struct screen *screen, const struct recorder *recorder)
{
    uint32_t order[RECORD_OPS], count = record_sorted_ops(recorder, order);
    if (count == 0)
        return;
    fprintf(screen->out, "\n%s%-24s %12s %8s %9s %9s %9s %9s%s\n", screen->head, "call", "count",
            "failed", "p50", "p95", "p99", "max", screen->plain);
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

static void print_segments(const struct screen *screen, const struct recorder *recorder)
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM], c[HUMAN_ROOM];
    if (recorder->segments != 0)
        fprintf(screen->out, "\n%s%-24s %12s %18s %9s%s\n", screen->head, "segment", "size",
                "peak resident", "mean", screen->plain);
    for (uint32_t i = 1; i <= recorder->segments; i++) {
        const struct record_space *space = &recorder->space[i];
        double size = (double)recorder->segment[i].size_bytes, span = (double)recorder->end_ns;
        double mean = span > 0 ? (double)space->resident_byte_ns / span : 0;
        char bar[BAR + 1];
        for (int cell = 0; cell < BAR; cell++) {
            double edge = size * (cell + 0.5) / BAR;
            bar[cell] = mean > edge ? '#' : (double)space->peak_resident > edge ? '+' : '.';
        }
        bar[BAR] = 0;
        fprintf(screen->out, "%-24.24s %12s %18s %9s %s%s%s\n", record_segment_name(recorder, i),
                human_bytes(a, size), human_bytes(b, (double)space->peak_resident),
                human_bytes(c, mean), screen->dim, bar, screen->plain);
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
    if (recorder->link_busy_ns[0] + recorder->link_busy_ns[1] != 0 && span > 0)
        fprintf(screen->out, "        link busy in %s, out %s\n",
                human_share(a, (double)recorder->link_busy_ns[1] / span),
                human_share(b, (double)recorder->link_busy_ns[0] / span));
    if (recorder->references != 0)
        fprintf(screen->out, "        %s of %s references were resident at submission\n",
                human_share(a, (double)recorder->hits / (double)recorder->references),
                human_count(b, recorder->references));
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
    if (recorder->presents > 1)
        fprintf(screen->out, "\n%spresents%s  %s, interval p50 %s, p99 %s\n", screen->head,
                screen->plain, human_count(a, recorder->presents),
                quantile(b, &recorder->frames.interval, 500),
                quantile(c, &recorder->frames.interval, 990));
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

void recorder_print(const struct recorder *recorder, const struct recorder_run *run, FILE *out,
                    bool colour)
{
    struct screen screen = {out, "", "", "", "", ""};
    if (colour)
        screen = (struct screen){out, "\033[1m", "\033[1;31m", "\033[33m", "\033[2m", "\033[0m"};
    print_run(&screen, recorder, run);
    print_calls(&screen, recorder);
    print_recorded(&screen, recorder);
    print_segments(&screen, recorder);
    print_paging(&screen, recorder);
    print_engines(&screen, recorder);
    print_notes(&screen, recorder);
}
