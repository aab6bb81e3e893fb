/* Questions that several writers ask of what was recorded. */
#include "analysis/record.h"
#include "model/ntstatus.h"

const char *record_segment_name(const struct recorder *recorder, uint32_t segment)
{
    if (segment == 0)
        return "system";
    if (segment < RECORD_SEGMENTS && recorder->segment[segment].name != NULL)
        return recorder->segment[segment].name;
    return "unknown";
}

static const char *context_name(void *self, uint32_t id)
{
    const struct recorder *recorder = self;
    const struct record_context *context;
    HASH_FIND(hh, recorder->contexts, &id, sizeof id, context);
    return context != NULL && context->name != NULL ? context->name : "unknown";
}

static const char *node_name(void *self, uint32_t node)
{
    const struct recorder *recorder = self;
    const char *name = node < RECORD_NODES ? recorder->node_facts[node].name : NULL;
    return name != NULL ? name : "unknown";
}

static const char *segment_name(void *self, uint32_t segment)
{
    return record_segment_name(self, segment);
}

struct chain_names record_names(struct recorder *recorder)
{
    return (struct chain_names){context_name, node_name, segment_name, recorder};
}

void record_calls_clear(struct record_calls *calls)
{
    histogram_clear(&calls->latency);
    histogram_clear(&calls->returned);
    blame_levels_clear(&calls->levels);
}

void record_op_calls(const struct recorder *recorder, uint32_t op, struct record_calls *calls)
{
    *calls = (struct record_calls){0};
    for (const struct record_process *process = recorder->processes; process != NULL;
         process = process->hh.next) {
        const struct record_calls *part = process->calls[op];
        if (part == NULL)
            continue;
        histogram_merge(&calls->latency, &part->latency);
        histogram_merge(&calls->returned, &part->returned);
        calls->failures += part->failures;
        for (int cause = 0; cause < PROBE_CAUSES; cause++)
            calls->blame_ns[cause] += part->blame_ns[cause];
    }
}

uint64_t record_failures(const struct record_op *op)
{
    uint64_t failures = op->other_failures;
    for (uint32_t i = 0; i < op->statuses; i++)
        if (!status_is_success(op->status[i].code))
            failures += op->status[i].count;
    return failures;
}

uint32_t record_sorted_ops(const struct recorder *recorder, uint32_t order[RECORD_OPS])
{
    for (uint32_t i = 0; i < recorder->ops; i++) {
        uint32_t at = i;
        while (at > 0 && strcmp(recorder->op[order[at - 1]].name, recorder->op[i].name) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
    return recorder->ops;
}

void record_blame_mean(const uint64_t blame_ns[PROBE_CAUSES], uint64_t count,
                       struct record_blame *mean)
{
    *mean = (struct record_blame){0};
    if (count == 0)
        return;
    histogram_sum total = 0;
    uint64_t remainder[PROBE_CAUSES], given = 0;
    for (int cause = 0; cause < PROBE_CAUSES; cause++) {
        histogram_sum scaled = (histogram_sum)blame_ns[cause] * 1000;
        total += scaled;
        mean->part[cause] = (uint64_t)(scaled / count);
        remainder[cause] = (uint64_t)(scaled % count);
        given += mean->part[cause];
    }
    mean->total = (uint64_t)(total / count);
    for (; given < mean->total; given++) {
        int largest = 0;
        for (int cause = 1; cause < PROBE_CAUSES; cause++)
            if (remainder[cause] > remainder[largest])
                largest = cause;
        mean->part[largest]++;
        remainder[largest] = 0;
    }
}
