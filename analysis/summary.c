/* summary.json: what summary.schema.json describes. Keys stand in a fixed order, so equal runs give
 * equal bytes; only the wall-clock figures under `run` may differ. */
#include "analysis/heap.h"
#include "analysis/record.h"
#include "model/status.h"

#include <string.h>
#include <math.h>

static json_t *whole(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *ratio(double part, double all)
{
    return all > 0 ? number(part / all) : json_null();
}

static json_t *text(const char *string)
{
    json_t *json = string == NULL ? NULL : json_string(string);
    return json != NULL ? json : json_string(""); /* not UTF-8: json_string refuses it */
}

static json_t *quantile(const struct histogram *histogram, unsigned permille)
{
    uint64_t value;
    return histogram_quantile(histogram, permille, &value) ? whole(value) : json_null();
}

/* A mean in thousandths; more digits would pretend. */
static json_t *mean(const struct histogram *histogram)
{
    if (histogram->count == 0)
        return json_null();
    return number((double)(uint64_t)(histogram->sum * 1000 / histogram->count) / 1000);
}

static json_t *quantiles(const struct histogram *histogram)
{
    bool any = histogram->count != 0;
    json_t *json = json_object();
    json_object_set_new(json, "min", any ? whole(histogram->min) : json_null());
    json_object_set_new(json, "mean", mean(histogram));
    json_object_set_new(json, "p50", quantile(histogram, 500));
    json_object_set_new(json, "p90", quantile(histogram, 900));
    json_object_set_new(json, "p95", quantile(histogram, 950));
    json_object_set_new(json, "p99", quantile(histogram, 990));
    json_object_set_new(json, "p999", quantile(histogram, 999));
    json_object_set_new(json, "max", any ? whole(histogram->max) : json_null());
    return json;
}

/* The steady state of batch means, each of `size` observations; null where there is none. `unit` is
 * what one of the means counts. */
static json_t *steady_json(const double *means, size_t count, double size, double unit)
{
    struct estimate estimate;
    size_t warm_up;
    if (!steady_estimate(means, count, &estimate, &warm_up))
        return json_null();
    json_t *json = json_object();
    json_object_set_new(json, "mean", number(unit * estimate.mean));
    json_object_set_new(json, "half_width", number(unit * estimate.half_width));
    json_object_set_new(json, "warm_up", number((double)warm_up * size));
    return json;
}

/* Of a series of observations: warm_up counts them. */
static json_t *steady_observations(const struct batches *batches)
{
    double means[BATCHES];
    size_t count = batches_means(batches, means);
    return steady_json(means, count, (double)((uint64_t)1 << batches->shift), 1);
}

/* Of something over time: warm_up is in nanoseconds. The last bin, of which the run took only a
 * part, is left out. */
static json_t *steady_time(const struct bins *bins, int lane, double unit)
{
    double *means = heap_new(bins->used, sizeof *means),
           width = (double)((uint64_t)1 << bins->shift);
    size_t count = bins->used != 0 ? bins->used - 1 : 0;
    for (size_t i = 0; i < count; i++)
        means[i] = (double)bins->value[i][lane] / width;
    json_t *json = steady_json(means, count, width, unit);
    free(means);
    return json;
}

static json_t *run_json(const struct recorder_run *run)
{
    json_t *json = json_object();
    json_object_set_new(json, "version", text(run->version));
    json_object_set_new(json, "command_line", text(run->command_line));
    json_object_set_new(json, "trace", text(run->trace));
    json_object_set_new(json, "trace_sha256", text(run->trace_sha256));
    json_object_set_new(json, "profile", text(run->profile));
    json_t *overrides = json_object();
    for (size_t i = 0; i < run->override_count; i++)
        json_object_set_new(overrides, run->override_keys[i], text(run->override_values[i]));
    json_object_set_new(json, "overrides", overrides);
    if (run->miniport != NULL) { /* else the built-in one, which is the program's */
        json_object_set_new(json, "miniport", text(run->miniport));
        json_object_set_new(json, "miniport_sha256", text(run->miniport_sha256));
    }
    json_object_set_new(json, "pace", text(run->pace));
    json_object_set_new(json, "seed", whole(run->seed));
    json_object_set_new(json, "events", whole(run->events));
    json_object_set_new(json, "bad_events", whole(run->bad_events));
    json_object_set_new(json, "waiting_calls", whole(run->waiting_calls));
    json_object_set_new(json, "simulated_ns", whole(run->simulated_ns));
    json_object_set_new(json, "wall_s", number(run->wall_s));
    json_object_set_new(json, "events_per_s", ratio((double)run->events, run->wall_s));
    json_object_set_new(json, "partial", json_boolean(run->partial));
    json_t *facts = json_object();
    for (size_t i = 0; i < run->fact_count; i++) {
        double value = run->fact_values[i];
        bool integral = fabs(value) < 9e15 && value == floor(value);
        json_object_set_new(facts, run->fact_keys[i],
                            integral ? json_integer((json_int_t)value) : number(value));
    }
    json_object_set_new(json, "trace_facts", facts);
    return json;
}

/* What quantiles consist of: about as slow calls, taken together. */
static json_t *blame_at_json(const struct record_op *op, const struct histogram *latency)
{
    static const struct {
        const char *name;
        unsigned permille;
    } quantiles[] = {{"p50", 500}, {"p95", 950}, {"p99", 990}};
    json_t *json = json_object();
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        uint64_t value, part[PROBE_CAUSES];
        if (!histogram_quantile(latency, quantiles[i].permille, &value)) {
            json_object_set_new(json, quantiles[i].name, json_null());
            continue;
        }
        json_t *parts = json_object();
        blame_levels_at(&op->levels, value, part);
        for (int cause = 0; cause < PROBE_CAUSES; cause++)
            json_object_set_new(parts, probe_cause_names[cause], whole(part[cause]));
        json_object_set_new(json, quantiles[i].name, parts);
    }
    return json;
}

static json_t *call_json(const struct recorder *recorder, uint32_t index)
{
    const struct record_op *op = &recorder->op[index];
    struct record_calls calls;
    record_op_calls(recorder, index, &calls);
    json_t *json = json_object(), *failures = json_object(), *others = json_object();
    for (uint32_t i = 0; i < op->statuses; i++) {
        char room[16];
        uint32_t code = op->status[i].code;
        if (code != STATUS_SUCCESS)
            json_object_set_new(status_is_success(code) ? others : failures,
                                status_text(code, room), whole(op->status[i].count));
    }
    if (op->other_failures != 0)
        json_object_set_new(failures, "other", whole(op->other_failures));
    json_object_set_new(json, "count", whole(calls.latency.count));
    json_object_set_new(json, "failures", failures);
    json_object_set_new(json, "other_successes", others);
    json_object_set_new(json, "latency_ns", quantiles(&calls.latency));
    json_object_set_new(json, "steady_ns", steady_observations(&op->steady));
    json_object_set_new(json, "asynchronous", whole(calls.returned.count));
    if (calls.returned.count != 0)
        json_object_set_new(json, "return_latency_ns", quantiles(&calls.returned));
    struct record_blame mean_blame;
    record_blame_mean(calls.blame_ns, calls.latency.count, &mean_blame);
    json_t *blame = json_object(), *total = json_object();
    for (int cause = 0; cause < PROBE_CAUSES; cause++) {
        json_object_set_new(blame, probe_cause_names[cause],
                            number((double)mean_blame.part[cause] / 1000));
        json_object_set_new(total, probe_cause_names[cause], whole(calls.blame_ns[cause]));
    }
    json_object_set_new(json, "blame_ns", blame);
    json_object_set_new(json, "blame_total_ns", total);
    json_object_set_new(json, "blame_at_ns", blame_at_json(op, &calls.latency));
    json_object_set_new(json, "slowest", explain_slowest_json(&op->slowest, true));
    record_calls_clear(&calls);
    return json;
}

static json_t *calls_json(const struct recorder *recorder)
{
    uint32_t order[RECORD_OPS], count = record_sorted_ops(recorder, order);
    json_t *json = json_object();
    for (uint32_t i = 0; i < count; i++)
        json_object_set_new(json, recorder->op[order[i]].name, call_json(recorder, order[i]));
    return json;
}

static void add_space(json_t *json, const struct recorder *recorder,
                      const struct record_space *space)
{
    double span = (double)recorder->end_ns;
    json_object_set_new(json, "peak_resident_bytes", whole(space->peak_resident));
    json_object_set_new(json, "mean_resident_bytes", ratio((double)space->resident_byte_ns, span));
    json_object_set_new(json, "resident_time_share", ratio((double)space->resident_ns, span));
    json_object_set_new(json, "resident_byte_seconds",
                        number((double)space->resident_byte_ns / 1e9));
    json_object_set_new(json, "peak_committed_bytes", whole(space->peak_committed));
    json_object_set_new(json, "mean_committed_bytes",
                        ratio((double)space->committed_byte_ns, span));
    json_object_set_new(json, "end_resident_bytes", whole(space->resident));
}

static json_t *segments_json(const struct recorder *recorder)
{
    json_t *json = json_object();
    for (uint32_t i = 1; i <= recorder->segments; i++) {
        json_t *segment = json_object();
        json_object_set_new(segment, "id", whole(i));
        if (recorder->adapters > 1)
            json_object_set_new(segment, "adapter", whole(recorder->segment[i].adapter));
        json_object_set_new(segment, "kind",
                            text(recorder->segment[i].aperture ? "aperture" : "memory"));
        json_object_set_new(segment, "size_bytes", whole(recorder->segment[i].size_bytes));
        add_space(segment, recorder, &recorder->space[i]);
        json_object_set_new(segment, "steady_resident_bytes",
                            recorder->space[i].bins == NULL
                                ? json_null()
                                : steady_time(recorder->space[i].bins, 0, RECORD_PAGE));
        json_object_set_new(
            segment, "fragmentation_mean",
            ratio((double)recorder->space[i].scattered_ppm_ns / 1e6, (double)recorder->end_ns));
        uint64_t least = recorder->largest_free_min[i];
        json_object_set_new(segment, "largest_free_bytes_min",
                            least == UINT64_MAX ? json_null() : whole(least));
        json_object_set_new(segment, "budget_bytes",
                            recorder->segment[i].budget_bytes == 0
                                ? json_null()
                                : whole(recorder->segment[i].budget_bytes));
        json_object_set_new(json, record_segment_name(recorder, i), segment);
    }
    return json;
}

static json_t *flow_json(const struct record_flow flow[PROBE_PAGING_KINDS])
{
    json_t *json = json_object();
    for (int kind = 0; kind < PROBE_PAGING_KINDS; kind++) {
        if (flow[kind].count == 0)
            continue;
        json_t *entry = json_object();
        json_object_set_new(entry, "count", whole(flow[kind].count));
        json_object_set_new(entry, "bytes", whole(flow[kind].bytes));
        json_object_set_new(json, probe_paging_names[kind], entry);
    }
    return json;
}

/* Times an allocation had to leave a segment, copied out or dropped; what was destroyed there did
 * not. */
static uint64_t evictions(const struct recorder *recorder)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < recorder->causes; i++)
        if (strcmp(recorder->cause[i].name, "destroy") != 0)
            count += recorder->cause[i].flow[PROBE_PAGE_OUT].count +
                     recorder->cause[i].flow[PROBE_DISCARD].count;
    return count;
}

/* All together, and each where there are several. */
static void add_links(json_t *json, const struct recorder *recorder)
{
    uint64_t in = 0, out = 0;
    json_t *links = json_array();
    for (uint32_t i = 0; i < RECORD_ADAPTERS; i++) {
        const uint64_t *busy = recorder->link_busy_ns[i];
        in += busy[1];
        out += busy[0];
        if (i < recorder->adapters)
            json_array_append_new(
                links, json_pack("{s:o, s:o}", "in", whole(busy[1]), "out", whole(busy[0])));
    }
    json_object_set_new(json, "link_busy_ns",
                        json_pack("{s:o, s:o}", "in", whole(in), "out", whole(out)));
    if (recorder->adapters > 1)
        json_object_set(json, "links_busy_ns", links);
    json_decref(links);
}

static json_t *paging_json(const struct recorder *recorder)
{
    const struct record_flow *flow = recorder->flow;
    json_t *json = json_object();
    json_object_set_new(json, "page_in_bytes", whole(flow[PROBE_PAGE_IN].bytes));
    json_object_set_new(json, "page_in_count", whole(flow[PROBE_PAGE_IN].count));
    json_object_set_new(json, "page_out_bytes", whole(flow[PROBE_PAGE_OUT].bytes));
    json_object_set_new(json, "page_out_count", whole(flow[PROBE_PAGE_OUT].count));
    json_object_set_new(json, "fill_bytes", whole(flow[PROBE_FILLED].bytes));
    json_object_set_new(json, "fill_count", whole(flow[PROBE_FILLED].count));
    json_object_set_new(json, "discard_bytes", whole(flow[PROBE_DISCARD].bytes));
    json_object_set_new(json, "discard_count", whole(flow[PROBE_DISCARD].count));
    json_object_set_new(json, "evictions", whole(evictions(recorder)));
    json_object_set_new(json, "demotions", whole(flow[PROBE_DEMOTE].count));
    json_object_set_new(json, "demotion_bytes", whole(flow[PROBE_DEMOTE].bytes));
    add_links(json, recorder);
    json_object_set_new(json, "latency_ns", quantiles(&recorder->paging_latency));
    json_object_set_new(json, "refaults", whole(recorder->refault.count));
    json_object_set_new(json, "refault_distance_ns", quantiles(&recorder->refault));
    json_t *causes = json_object();
    for (uint32_t i = 0; i < recorder->causes; i++)
        json_object_set_new(causes, recorder->cause[i].name, flow_json(recorder->cause[i].flow));
    json_object_set_new(json, "causes", causes);
    return json;
}

/* How attempts to preempt the node ended. Those that found nothing to preempt say no more than that
 * a packet was handed over. */
static json_t *attempts_json(const struct record_node *node)
{
    json_t *json = json_object();
    for (int result = 0; result < PROBE_ATTEMPTS; result++)
        if (node->attempts[result] > 0)
            json_object_set_new(json, probe_attempt_names[result], whole(node->attempts[result]));
    return json;
}

static json_t *tdr_json(uint64_t resets, uint64_t dropped)
{
    return json_pack("{s:o, s:o}", "resets", whole(resets), "dropped_packets", whole(dropped));
}

static json_t *node_json(const struct recorder *recorder, uint32_t index)
{
    const struct record_node *node = &recorder->node[index];
    double span = (double)recorder->end_ns;
    json_t *json = json_object();
    json_object_set_new(json, "name", text(recorder->node_facts[index].name));
    json_object_set_new(json, "kind", text(recorder->node_facts[index].kind));
    if (recorder->adapters > 1)
        json_object_set_new(json, "adapter", whole(recorder->node_facts[index].adapter));
    json_object_set_new(json, "packets", whole(node->packets));
    json_object_set_new(json, "busy_ns", whole(node->busy_ns));
    json_object_set_new(json, "idle_ns", whole(node->idle_ns));
    json_object_set_new(json, "switch_ns", whole(node->switch_ns));
    json_object_set_new(json, "busy_share", ratio((double)node->busy_ns, span));
    json_object_set_new(json, "steady_busy_share", steady_time(&node->bins, RECORD_BUSY, 1));
    json_object_set_new(json, "queue_ns", quantiles(&node->queue));
    json_object_set_new(json, "execute_ns", quantiles(&node->execute));
    json_object_set_new(json, "queue_depth_mean", ratio((double)node->depth_ns, span));
    json_object_set_new(json, "waiting_mean", ratio((double)node->waiting_ns, span));
    json_object_set_new(json, "preemptions", whole(node->preemptions));
    json_object_set_new(json, "preemption_attempts", attempts_json(node));
    json_object_set_new(json, "tdr", tdr_json(node->resets, node->dropped));
    json_object_set_new(json, "context_switches", whole(node->switches));
    json_object_set_new(json, "context_switches_avoided", whole(node->switches_avoided));
    return json;
}

static json_t *scheduling_json(const struct recorder *recorder)
{
    static const char *const kinds[PROBE_PACKET_KINDS] = {
        "render", "paging", "wait", "signal", "present", "null-switch", "preemption"};
    uint64_t packets = 0, preemptions = 0, resets = 0, dropped = 0;
    json_t *json = json_object(), *by_kind = json_object(), *nodes = json_object();
    for (int kind = 0; kind < PROBE_PACKET_KINDS; kind++) {
        packets += kind < PROBE_NULL_SWITCH ? recorder->packets[kind] : 0;
        json_object_set_new(by_kind, kinds[kind], whole(recorder->packets[kind]));
    }
    for (uint32_t i = 0; i < RECORD_NODES; i++) {
        char key[16];
        if (!recorder->node[i].used)
            continue;
        preemptions += recorder->node[i].preemptions;
        resets += recorder->node[i].resets;
        dropped += recorder->node[i].dropped;
        snprintf(key, sizeof key, "%u", (unsigned)i);
        json_object_set_new(nodes, key, node_json(recorder, i));
    }
    json_object_set_new(json, "packets", whole(packets));
    json_object_set_new(json, "packets_by_kind", by_kind);
    json_object_set_new(json, "preemptions", whole(preemptions));
    json_object_set_new(json, "tdr", tdr_json(resets, dropped));
    json_object_set_new(json, "context_switches", whole(recorder->switches));
    json_object_set_new(json, "context_switches_avoided", whole(recorder->switches_avoided));
    json_object_set_new(json, "context_switch_ns", whole(recorder->switch_cost_ns));
    json_object_set_new(json, "nodes", nodes);
    return json;
}

static json_t *contexts_json(const struct recorder *recorder)
{
    enum { LISTED = 1000 };
    json_t *json = json_object(), *list = json_array();
    for (const struct record_context *context = recorder->contexts; context != NULL;
         context = context->hh.next) {
        if (json_array_size(list) == LISTED)
            break;
        json_t *entry = json_object();
        json_object_set_new(entry, "context", text(context->name));
        json_object_set_new(entry, "pid", whole(context->pid));
        json_object_set_new(entry, "node", whole(context->node));
        json_object_set_new(entry, "system", json_boolean(context->system));
        json_object_set_new(entry, "packets", whole(context->packets));
        json_object_set_new(entry, "execute_ns", whole(context->execute_ns));
        json_object_set_new(entry, "queue_ns", whole(context->queue_ns));
        json_object_set_new(entry, "switch_ns", whole(context->switch_ns));
        json_array_append_new(list, entry);
    }
    json_object_set_new(json, "count", whole(HASH_COUNT(recorder->contexts)));
    json_object_set_new(json, "first", list);
    return json;
}

static void add_frames(json_t *json, const struct frames *frames)
{
    double low;
    json_object_set_new(json, "interval_ns", quantiles(&frames->interval));
    json_object_set_new(json, "one_percent_low_fps",
                        frames_low(frames, &low) ? number(low) : json_null());
    json_object_set_new(json, "stutters", whole(frames->stutters));
    json_object_set_new(json, "dropped", whole(frames->dropped));
    json_object_set_new(json, "late", whole(frames->late));
    json_object_set_new(json, "missed_refreshes", whole(frames->missed));
    json_object_set_new(json, "until_shown_ns", quantiles(&frames->until_shown));
}

/* What a process has in no segment: it exists and is not resident. */
static json_t *outside_json(const struct recorder *recorder, const struct record_process *process)
{
    histogram_sum resident = 0, committed = 0;
    for (uint32_t i = 1; i < RECORD_SEGMENTS; i++)
        if (process->space[i] != NULL) {
            resident += process->space[i]->resident_byte_ns;
            committed += process->space[i]->committed_byte_ns;
        }
    json_t *json = json_object();
    json_object_set_new(
        json, "mean_resident_bytes",
        ratio(committed > resident ? (double)(committed - resident) : 0, (double)recorder->end_ns));
    return json;
}

static json_t *processes_json(const struct recorder *recorder)
{
    json_t *json = json_array();
    for (const struct record_process *process = recorder->processes; process != NULL;
         process = process->hh.next) {
        uint64_t calls = 0, failures = 0;
        for (uint32_t i = 0; i < recorder->ops; i++)
            if (process->calls[i] != NULL) {
                calls += process->calls[i]->latency.count;
                failures += process->calls[i]->failures;
            }
        json_t *entry = json_object(), *segments = json_object();
        json_object_set_new(segments, record_segment_name(recorder, 0),
                            outside_json(recorder, process));
        for (uint32_t i = 1; i < RECORD_SEGMENTS; i++)
            if (process->space[i] != NULL) {
                json_t *space = json_object();
                add_space(space, recorder, process->space[i]);
                json_object_set_new(segments, record_segment_name(recorder, i), space);
            }
        json_object_set_new(entry, "pid", whole(process->pid));
        json_object_set_new(entry, "calls", whole(calls));
        json_object_set_new(entry, "failures", whole(failures));
        json_object_set_new(entry, "packets", whole(process->packets));
        json_object_set_new(entry, "execute_ns", whole(process->execute_ns));
        json_object_set_new(entry, "presents", whole(process->presents));
        if (process->frames != NULL) {
            json_t *frames = json_object();
            add_frames(frames, process->frames);
            json_object_set_new(frames, "steady_ns", steady_observations(&process->frames->steady));
            json_object_set_new(entry, "frames", frames);
        }
        json_object_set_new(entry, "segments", segments);
        json_array_append_new(json, entry);
    }
    return json;
}

static json_t *error_quantile(const struct histogram *ppm, unsigned permille)
{
    uint64_t value;
    return histogram_quantile(ppm, permille, &value) ? number((double)value / 1e6) : json_null();
}

static json_t *errors_json(const struct record_errors *errors)
{
    json_t *json = json_object();
    double recorded = (double)errors->recorded.sum, simulated = (double)errors->simulated.sum;
    json_object_set_new(json, "count", whole(errors->recorded.count));
    json_object_set_new(json, "median_error", error_quantile(&errors->ppm, 500));
    json_object_set_new(json, "p90_error", error_quantile(&errors->ppm, 900));
    json_object_set_new(json, "undefined", whole(errors->undefined));
    json_object_set_new(json, "bias", ratio(simulated - recorded, recorded));
    json_object_set_new(json, "recorded_ns", quantiles(&errors->recorded));
    json_object_set_new(json, "simulated_ns", quantiles(&errors->simulated));
    return json;
}

static json_t *recorded_json(const struct recorder *recorder)
{
    uint32_t order[RECORD_OPS], count = record_sorted_ops(recorder, order);
    json_t *json = json_object(), *dur = json_object(), *done = json_object();
    for (uint32_t i = 0; i < count; i++) {
        const struct record_op *op = &recorder->op[order[i]];
        if (op->dur.recorded.count != 0)
            json_object_set_new(dur, op->name, errors_json(&op->dur));
        if (op->done.recorded.count != 0)
            json_object_set_new(done, op->name, errors_json(&op->done));
    }
    json_object_set_new(json, "dur", dur);
    json_object_set_new(json, "done", done);
    json_object_set_new(json, "status_checked", whole(recorder->status_checked));
    json_object_set_new(json, "status_mismatches", whole(recorder->status_mismatches));
    return json;
}

/* How far the replay ran behind the recording. */
static json_t *drift_json(const struct recorder *recorder)
{
    const struct histogram *late = &recorder->late;
    histogram_sum on_time = 0;
    if (late->raw != NULL)
        for (uint64_t i = 0; i < late->count; i++)
            on_time += late->raw[i] == 0;
    else if (late->octave[0] != NULL)
        on_time = late->octave[0][0];
    json_t *json = json_object();
    json_object_set_new(json, "late_ns", quantiles(late));
    json_object_set_new(json, "late_share",
                        ratio((double)late->count - (double)on_time, (double)late->count));
    json_object_set_new(json, "early_share", ratio((double)recorder->early, (double)late->count));
    return json;
}

/* The counts whose keys begin with `group` and a dot, or with no group at all. */
static void add_tally(json_t *json, const struct record_tally *tally, const char *group)
{
    for (uint32_t i = 0; i < tally->keys; i++) {
        const char *key = tally->of[i].key, *dot = strchr(key, '.');
        size_t length = dot != NULL ? (size_t)(dot - key) : 0;
        if (length == strlen(group) && strncmp(key, group, length) == 0)
            json_object_set_new(json, dot != NULL ? dot + 1 : key, whole(tally->of[i].count));
    }
}

static json_t *assumptions_json(const struct recorder *recorder)
{
    json_t *json = json_object();
    json_object_set_new(json, "unknown_handles", whole(0)); /* stays if nobody assumed any */
    add_tally(json, &recorder->assumed, "");
    return json;
}

static json_t *counted_json(const struct recorder *recorder, const char *group)
{
    json_t *json = json_object();
    add_tally(json, &recorder->counted, group);
    return json;
}

static json_t *warnings_json(const struct recorder *recorder)
{
    json_t *json = json_array();
    for (uint32_t i = 0; i < recorder->warnings; i++) {
        char line[1200];
        if (recorder->warning[i].count > 1)
            snprintf(line, sizeof line, "%s (%llu times)", recorder->warning[i].text,
                     (unsigned long long)recorder->warning[i].count);
        else
            snprintf(line, sizeof line, "%s", recorder->warning[i].text);
        json_array_append_new(json, text(line));
    }
    if (recorder->more_warnings != 0) {
        char line[64];
        snprintf(line, sizeof line, "... and %llu more",
                 (unsigned long long)recorder->more_warnings);
        json_array_append_new(json, text(line));
    }
    return json;
}

static json_t *working_set_json(const struct recorder *recorder)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } windows[] = {{"1ms", 1000000}, {"10ms", 10000000}, {"100ms", 100000000}, {"1s", 1000000000}};
    json_t *json = json_object();
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        json_object_set_new(json, windows[i].name,
                            number(working_set_mean(recorder->working, windows[i].ns)));
    return json;
}

static json_t *residency_json(const struct recorder *recorder)
{
    const struct miss_curve *curve = recorder->misses;
    json_t *json = json_pack("{s:o, s:o, s:o}", "references", whole(recorder->references), "hits",
                             whole(recorder->hits), "hit_ratio",
                             ratio((double)recorder->hits, (double)recorder->references));
    json_object_set_new(json, "miss_curve",
                        miss_curve_references(curve) == 0
                            ? json_null()
                            : json_pack("{s:o, s:o, s:o, s:o}", "references",
                                        whole(miss_curve_references(curve)), "of_references",
                                        whole(recorder->working->uses), "first_uses",
                                        number(miss_curve_first_uses(curve)), "enough_bytes",
                                        whole(miss_curve_enough(curve))));
    json_object_set_new(json, "working_set_bytes",
                        miss_curve_references(curve) == 0 ? json_null()
                                                          : working_set_json(recorder));
    return json;
}

json_t *summary_make(const struct recorder *recorder, const struct recorder_run *run)
{
    json_t *json = json_object();
    json_object_set_new(json, "run", run_json(run));
    json_object_set_new(json, "calls", calls_json(recorder));
    json_object_set_new(json, "blame",
                        recorder->chains.told ? explain_matrix_json(&recorder->matrix)
                                              : json_null());
    json_object_set_new(json, "segments", segments_json(recorder));
    json_object_set_new(json, "residency", residency_json(recorder));
    json_object_set_new(json, "paging", paging_json(recorder));
    json_object_set_new(json, "memory", counted_json(recorder, ""));
    json_object_set_new(json, "faults", counted_json(recorder, "faults"));
    json_object_set_new(json, "scheduling", scheduling_json(recorder));
    json_object_set_new(
        json, "context_allocations",
        json_pack("{s:o, s:o, s:o, s:o}", "created", whole(recorder->context_allocations),
                  "resident_ns_share",
                  ratio((double)recorder->context_resident_ns, (double)recorder->context_alive_ns),
                  "page_ins", whole(recorder->context_page_ins), "fills",
                  whole(recorder->context_fills)));
    json_t *presents = json_object();
    json_object_set_new(presents, "count", whole(recorder->presents));
    add_frames(presents, &recorder->frames);
    json_object_set_new(presents, "slowest",
                        explain_slowest_json(&recorder->slowest_frames, false));
    json_object_set_new(json, "presents", presents);
    json_object_set_new(json, "recorded", recorded_json(recorder));
    json_object_set_new(json, "drift", drift_json(recorder));
    json_object_set_new(json, "expectations",
                        json_pack("{s:o, s:o}", "checked", whole(recorder->expected), "failed",
                                  whole(recorder->unmet)));
    json_object_set_new(json, "processes", processes_json(recorder));
    json_object_set_new(json, "contexts", contexts_json(recorder));
    json_object_set_new(json, "assumptions", assumptions_json(recorder));
    json_object_set_new(json, "warnings", warnings_json(recorder));
    return json;
}

bool summary_write(struct recorder *recorder, const struct recorder_run *run, char *error,
                   size_t error_size)
{
    FILE *file = output_open(&recorder->output, "summary.json", error, error_size);
    if (file == NULL)
        return false;
    json_t *json = summary_make(recorder, run);
    bool written = json_dumpf(json, file, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) == 0;
    putc('\n', file);
    json_decref(json);
    if (!written)
        snprintf(error, error_size, "%s/summary.json: cannot write", recorder->directory);
    return written;
}
