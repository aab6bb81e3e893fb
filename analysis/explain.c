/* Why calls and frames took as long as they did: chains of the slowest, and who delayed whom. */
#include "analysis/heap.h"
#include "analysis/record.h"

#include <inttypes.h>

void explain_job(void *self, uint64_t now_ns, const struct probe_job *job)
{
    struct recorder *recorder = self;
    chains_job(&recorder->chains, now_ns, job);
}

void explain_wait(void *self, uint64_t now_ns, struct probe_thing who, enum probe_cause cause,
                  struct probe_thing what)
{
    struct recorder *recorder = self;
    chains_wait(&recorder->chains, now_ns, who, cause, what);
}

void explain_wait_timeline(void *self, uint64_t now_ns, struct probe_thing who,
                           enum probe_cause cause, struct probe_thing what)
{
    struct recorder *recorder = self;
    chains_wait(&recorder->chains, now_ns, who, cause, what);
    timeline_wait(recorder->timeline, &recorder->chains, now_ns, who, cause, what);
}

void explain_found(void *self, struct probe_thing who, struct probe_thing what)
{
    struct recorder *recorder = self;
    chains_found(&recorder->chains, who, what);
}

/* Explains the slow calls and frames that are due, or all there are. */
static void explain_slowest(struct recorder *recorder, bool all)
{
    const struct chain_names names = record_names(recorder);
    for (uint32_t i = 0; i < recorder->ops; i++)
        slowest_explain(&recorder->op[i].slowest, &recorder->chains, &names, all);
    slowest_explain(&recorder->slowest_frames, &recorder->chains, &names, all);
    recorder->explain_due = recorder->chains.next + SLOWEST_PATIENCE / 16;
}

void explain_close(struct recorder *recorder)
{
    explain_slowest(recorder, true);
    matrix_close(&recorder->matrix);
}

struct sums {
    uint64_t ns[PROBE_CAUSES];
    bool forgotten; /* some of the causes are not told any more */
};

static void add_piece(void *self, const struct chain_piece *piece)
{
    struct sums *sums = self;
    sums->ns[chain_cause(piece)] += piece->to_ns - piece->from_ns;
    sums->forgotten |= !chain_tells_cause(piece);
}

/* --check: the pieces of the chain add up to the call's own columns, each of them. */
static void check(struct recorder *recorder, const struct probe_call *call, uint64_t end_ns)
{
    struct sums sums = {.forgotten = false};
    uint64_t steps = recorder->chains.steps; /* checking takes nothing from the matrix's budget */
    chains_follow(&recorder->chains, call->job, call->start_ns, end_ns, add_piece, &sums);
    recorder->chains.steps = steps;
    if (sums.forgotten)
        return;
    recorder->chains_checked++;
    for (int cause = 0; cause < PROBE_CAUSES; cause++)
        if (sums.ns[cause] != call->blame_ns[cause]) {
            if (recorder->chain_mismatches++ == 0)
                snprintf(recorder->chain_mismatch, sizeof recorder->chain_mismatch,
                         "event %" PRIu64 " (%s): its chain has %" PRIu64
                         " ns of %s, its columns %" PRIu64,
                         call->index, call->op, sums.ns[cause], probe_cause_names[cause],
                         call->blame_ns[cause]);
            return;
        }
}

void explain_call(struct recorder *recorder, struct record_op *op, const struct probe_call *call,
                  uint64_t latency_ns)
{
    uint64_t end_ns = call->start_ns + latency_ns;
    if (call->job != 0)
        chains_call(&recorder->chains, call);
    matrix_add(&recorder->matrix, &recorder->chains, call->pid, call->job, call->start_ns, end_ns);
    if (recorder->options.check && call->job != 0)
        check(recorder, call, end_ns);
    if (recorder->chains.next >= recorder->explain_due)
        explain_slowest(recorder, false);
    if (!slowest_wants(&op->slowest, latency_ns))
        return;
    struct slow slow = {.index = call->index,
                        .start_ns = call->start_ns,
                        .ns = latency_ns,
                        .pid = call->pid,
                        .tid = call->tid};
    slowest_add(&op->slowest, &slow, call->job, &recorder->chains);
}

void explain_frame(struct recorder *recorder, uint32_t pid, uint64_t job, uint64_t begun_ns,
                   uint64_t now_ns)
{
    uint64_t ns = now_ns - begun_ns;
    if (job == 0 || !slowest_wants(&recorder->slowest_frames, ns))
        return;
    slowest_add(&recorder->slowest_frames,
                &(struct slow){.start_ns = begun_ns, .ns = ns, .pid = pid}, job, &recorder->chains);
}

static json_t *whole(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *way_json(const char *way)
{
    json_t *json = json_array();
    while (way != NULL && *way != 0) {
        size_t length = strcspn(way, "\n");
        json_t *hop = json_stringn(way, length);
        json_array_append_new(json, hop != NULL ? hop : json_string("")); /* not UTF-8 */
        way += length + (way[length] == '\n');
    }
    return json;
}

static json_t *chain_json(const struct slow *slow)
{
    json_t *json = json_array();
    for (size_t i = 0; i < slow->lines; i++) {
        const struct chain_line *line = &slow->line[i];
        bool rest = line->cause == PROBE_CAUSES;
        json_t *entry = json_object();
        json_object_set_new(entry, "ns", whole(line->ns));
        json_object_set_new(entry, "cause",
                            rest ? json_null() : json_string(probe_cause_names[line->cause]));
        json_object_set_new(entry, "pid", rest ? json_null() : whole(line->pid));
        json_object_set_new(entry, "jobs", whole(line->jobs));
        json_object_set_new(entry, "way", way_json(line->way));
        json_array_append_new(json, entry);
    }
    return json;
}

json_t *explain_slowest_json(const struct slowest *slowest, bool calls)
{
    json_t *json = json_array();
    for (size_t i = 0; i < slowest->count; i++) {
        const struct slow *slow = slowest->slow[i];
        json_t *entry = json_object();
        if (calls)
            json_object_set_new(entry, "index", whole(slow->index));
        json_object_set_new(entry, "pid", whole(slow->pid));
        if (calls)
            json_object_set_new(entry, "tid", whole(slow->tid));
        json_object_set_new(entry, "start_ns", whole(slow->start_ns));
        json_object_set_new(entry, calls ? "latency_ns" : "interval_ns", whole(slow->ns));
        json_object_set_new(entry, "chain", chain_json(slow));
        json_array_append_new(json, entry);
    }
    return json;
}

static void process_key(const struct matrix *matrix, uint32_t i, char key[16])
{
    if (matrix->others && i == MATRIX_PROCESSES - 1)
        strcpy(key, "others");
    else
        snprintf(key, 16, "%" PRIu32, matrix->pid[i]);
}

/* Rows and columns in order of pid. */
json_t *explain_matrix_json(const struct matrix *matrix)
{
    uint32_t order[MATRIX_PROCESSES];
    for (uint32_t i = 0; i < matrix->processes; i++) {
        uint32_t at = i;
        for (; at > 0 && matrix->pid[order[at - 1]] > matrix->pid[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    json_t *json = json_object(), *between = json_object();
    for (uint32_t i = 0; i < matrix->processes; i++) {
        json_t *row = json_object();
        char key[16];
        uint64_t sum = 0;
        for (uint32_t j = 0; j < matrix->processes; j++) {
            uint64_t ns = matrix->ns[order[i]][order[j]];
            sum += ns;
            process_key(matrix, order[j], key);
            if (ns != 0)
                json_object_set_new(row, key, whole(ns));
        }
        process_key(matrix, order[i], key);
        if (sum != 0)
            json_object_set_new(between, key, row);
        else
            json_decref(row);
    }
    json_object_set_new(json, "total_ns", whole(matrix->total_ns));
    json_object_set_new(json, "followed_share",
                        matrix->total_ns == 0
                            ? json_null()
                            : json_real((double)matrix->followed_ns / (double)matrix->total_ns));
    json_object_set_new(json, "between_ns", between);
    return json;
}
