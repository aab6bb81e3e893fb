#include "workloads/references.h"

enum { BATCH = 64 }; /* blocks created with one call */

static void start(struct referrer *referrer)
{
    struct script *script = &referrer->script;
    script_create_device(script);
    referrer->context = script_create_context(script, referrer->references->node, 0);
    referrer->fence = ++script->stage->fences;
}

static void create(struct referrer *referrer)
{
    struct script *script = &referrer->script;
    uint32_t left = referrer->blocks - referrer->created;
    uint32_t count = left < BATCH ? left : BATCH;
    uint64_t *names = referrer->names + referrer->created;
    script_create(script, "buffer", referrer->references->block_size, names, count);
    if (referrer->references->residency == REFERENCES_HELD)
        script_make_resident(script, names, count);
    referrer->created += count;
}

static void submit(struct referrer *referrer, uint32_t count)
{
    struct script *script = &referrer->script;
    const struct references *references = referrer->references;
    uint32_t writes = referrer->writes < count ? referrer->writes : count;
    for (uint32_t i = 0; i < count; i++)
        referrer->list[i] = referrer->names[referrer->chosen[i]];
    if (references->residency == REFERENCES_IN_TURN)
        script_make_resident(script, referrer->list, count);
    uint64_t *done = &referrer->done[referrer->submitted++ % references->ahead];
    *done = engine_run(&referrer->engine, script->clock_ns, references->gpu_ns);
    script_submit(script, referrer->context, references->gpu_ns,
                  script_list(script, referrer->list + writes, count - writes),
                  script_list(script, referrer->list, writes));
    script_signal(script, referrer->context, referrer->fence, referrer->submitted);
    if (references->residency == REFERENCES_IN_TURN)
        script_evict(script, referrer->list, count, SCRIPT_EVICT_IF_NECESSARY);
    if (referrer->submitted >= references->ahead) {
        uint64_t value = referrer->submitted - references->ahead + 1;
        script_wait_until(script, referrer->fence, value,
                          referrer->done[(value - 1) % references->ahead]);
    }
}

static bool act(struct script *script)
{
    struct referrer *referrer = (struct referrer *)script;
    if (referrer->context == 0) {
        start(referrer);
    } else if (referrer->created < referrer->blocks) {
        create(referrer);
    } else {
        uint32_t count = referrer->choose(referrer);
        if (count == 0) {
            script_wait(script, 0, referrer->fence, referrer->submitted);
            script_exit(script);
            return false;
        }
        submit(referrer, count);
    }
    return true;
}

void *references_program(struct stage *stage, const struct references *references, uint32_t blocks,
                         uint32_t most, uint32_t (*choose)(struct referrer *referrer), size_t size)
{
    struct referrer *referrer = stage_script(stage, stage_process(stage), act, size);
    referrer->references = references;
    referrer->script.segment = workload_segment(references->segment);
    referrer->choose = choose;
    referrer->blocks = blocks;
    referrer->chosen = stage_memory(stage, most, sizeof *referrer->chosen);
    referrer->list = stage_memory(stage, most, sizeof *referrer->list);
    referrer->names = stage_memory(stage, blocks, sizeof *referrer->names);
    referrer->done = stage_memory(stage, references->ahead, sizeof *referrer->done);
    if (references->residency == REFERENCES_PER_SUBMIT)
        stage->residency = TRACE_RESIDENCY_PER_SUBMIT;
    if (references->residency == REFERENCES_FAULT)
        stage->residency = TRACE_RESIDENCY_FAULT;
    return referrer;
}
