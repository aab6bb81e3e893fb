#include "workloads/stage.h"

#include "model/memory.h"

#include <assert.h>
#include <stdlib.h>

void stage_init(struct stage *stage, uint64_t seed)
{
    *stage = (struct stage){.seed = seed, .residency = TRACE_RESIDENCY_EXPLICIT};
}

void *stage_memory(struct stage *stage, size_t count, size_t size)
{
    void *memory = trace_arena_take(&stage->memory, count, size);
    if (memory == NULL)
        memory_exhausted();
    return memory;
}

uint32_t stage_process(struct stage *stage)
{
    return 1000 + 4 * stage->processes++;
}

/* A different seed for every script and purpose (the finaliser of splitmix64). */
static unsigned long seed_for(uint64_t seed, uint32_t script, uint32_t purpose)
{
    uint64_t ordinal = (uint64_t)script * SCRIPT_STREAMS + purpose + 1;
    uint64_t z = seed + UINT64_C(0x9E3779B97F4A7C15) * ordinal;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (unsigned long)(z ^ (z >> 31));
}

void *stage_script(struct stage *stage, uint32_t pid, script_act *act, size_t size)
{
    uint32_t index = stage->script_count++;
    assert(size >= sizeof(struct script));
    struct script *script = memory_new(1, size);
    stage->scripts = memory_resize(stage->scripts, stage->script_count, sizeof *stage->scripts);
    stage->scripts[index] = script;
    script->stage = stage;
    script->act = act;
    script->pid = pid;
    script->tid = 5000 + 4 * index;
    for (uint32_t i = 0; i < SCRIPT_STREAMS; i++) {
        script->random[i] = gsl_rng_alloc(gsl_rng_taus2);
        gsl_rng_set(script->random[i], seed_for(stage->seed, index, i));
    }
    return script;
}

/* When the script does something next: a call that it has written down, or writing more. */
static uint64_t date_of(const struct script *script)
{
    return script->next < script->count ? script->events[script->next].t_ns : script->clock_ns;
}

/* Lets the script write its next calls; false when it has ended and all it wrote is in the trace.
 */
static bool act(struct script *script)
{
    uint64_t clock = script->clock_ns;
    script->count = script->next = 0;
    trace_arena_reset(&script->arena);
    if (script->act == NULL)
        return false;
    if (!script->act(script))
        script->act = NULL;
    assert(script->act == NULL || script->count > 0 || script->clock_ns > clock);
    (void)clock;
    return script->count > 0 || script->act != NULL;
}

bool stage_play(struct stage *stage, struct trace_writer *writer, struct trace_error *error)
{
    struct calendar *calendar = &stage->calendar;
    for (uint32_t i = 0; i < stage->script_count; i++) {
        sim_timer_init(&stage->scripts[i]->timer, NULL, stage->scripts[i]);
        calendar_set(calendar, &stage->scripts[i]->timer, date_of(stage->scripts[i]));
    }
    while (calendar->count > 0) {
        struct script *script = calendar_take(calendar)->owner;
        if (script->next == script->count && !act(script))
            continue;
        while (script->next < script->count && date_of(script) <= calendar_next(calendar))
            if (!trace_writer_put(writer, &script->events[script->next++], error))
                return false;
        calendar_set(calendar, &script->timer, date_of(script));
    }
    return true;
}

void stage_fini(struct stage *stage)
{
    for (uint32_t i = 0; i < stage->script_count; i++) {
        struct script *script = stage->scripts[i];
        if (script->fini != NULL)
            script->fini(script);
        for (uint32_t k = 0; k < SCRIPT_STREAMS; k++)
            gsl_rng_free(script->random[k]);
        free(script->events);
        trace_arena_free(&script->arena);
        free(script);
    }
    free(stage->scripts);
    calendar_fini(&stage->calendar);
    trace_arena_free(&stage->memory);
}
