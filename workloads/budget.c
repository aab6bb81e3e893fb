/* Programs on a screen, of which one has the focus, until another one gets it.
 *
 * Each program has textures that it requires all the time and reads in turn, some of them each
 * frame. The one in the foreground renders at full rate. The others go on slowly if they can be
 * seen, and not at all if they are minimised; such a program may also offer the memory of a part
 * of its textures, and reclaims it when it is back. SetProcessState tells the system who is where:
 * budgets follow, and whoever is above his has to trim. */
#include "workloads/distribution.h"
#include "workloads/script.h"
#include "workloads/workloads.h"

enum others { VISIBLE, OCCLUDED, MINIMIZED };

struct budget {
    uint32_t processes, changes, textures, bound, latency;
    double rate, background_rate, offer;
    uint64_t dwell_ns, texture_size, target_size, gpu_ns;
    struct distribution dwells;
    enum others others;
    char segment[PROFILE_NAME_SIZE];
};

#define ROW(...) WORKLOAD_ROW(budget, __VA_ARGS__)

static const struct key_spec parameters[] = {
    {ROW("processes", COUNT, processes, "1..256", "2", "programs")},
    {ROW("changes", COUNT, changes, "0..1000000000", "5",
         "times that the focus goes to the next program")},
    {ROW("dwell", TIME, dwell_ns, "1us..100000s", "2s", "how long it stays, mean")},
    DISTRIBUTION_ROWS(budget, "dwells", dwells, "fixed", "0.5", "how long it stays"),
    {ROW("others", CHOICE, others, "visible, occluded, minimized", "occluded",
         "where the programs without the focus are")},
    {ROW("rate", NUMBER, rate, "0.1..10000", "60",
         "frames per second of the program in the foreground")},
    {ROW("background-rate", NUMBER, background_rate, "0.1..10000", "10",
         "frames per second of the others, unless they are minimised")},
    {ROW("textures", COUNT, textures, "1..65536", "256", "textures of each program")},
    {ROW("texture-size", SIZE, texture_size, "4KiB..4TB", "20MiB", "bytes of a texture")},
    {ROW("bound", COUNT, bound, "1..65536", "32",
         "textures a frame reads, the next ones each time, at most all of them")},
    {ROW("target-size", SIZE, target_size, "4KiB..4TB", "32MiB",
         "bytes of a render target; a program has two")},
    {ROW("gpu-time", TIME, gpu_ns, "1ns..1000s", "5ms", "engine time of a frame")},
    {ROW("offer", NUMBER, offer, "0..1", "0",
         "share of its textures that a program offers while it is minimised")},
    WORKLOAD_SEGMENT_ROW(budget, segment, "local", "allocations"),
    {ROW("latency", COUNT, latency, "1..16", "3", "frames the CPU may run ahead")},
};

enum {
    TARGETS = 2,
    BATCH = 64,     /* textures created with one call */
    THINK_NS = 5000 /* CPU time between a call's return and the next call, mean */
};

enum { RANDOM_DWELL = SCRIPT_PACE + 1 };

struct program {
    struct script script;
    struct screen *screen;
    struct engine *engine; /* all programs' */
    uint32_t index, created, bound;
    uint64_t context, fence, targets[TARGETS], *textures;
    uint64_t frame, *done; /* by frame modulo latency */
    uint32_t offered;      /* textures */
};

/* Who has the focus: a thread of the system's that says so. */
struct screen {
    struct script script;
    const struct budget *budget;
    struct program **programs;
    uint32_t focus, changes;
    bool over;
};

static bool has_focus(const struct program *program)
{
    return program->screen->focus == program->index;
}

static void tell_states(struct screen *screen)
{
    static const uint64_t flags[] = {
        [VISIBLE] = 0, [OCCLUDED] = SCRIPT_OCCLUDED, [MINIMIZED] = SCRIPT_MINIMIZED};
    for (uint32_t i = 0; i < screen->budget->processes; i++) {
        screen->script.pid = screen->programs[i]->script.pid;
        script_set_state(&screen->script,
                         i == screen->focus ? SCRIPT_FOCUS : flags[screen->budget->others]);
    }
}

static bool act_screen(struct script *script)
{
    struct screen *screen = (struct screen *)script;
    const struct budget *budget = screen->budget;
    if (script->clock_ns != 0)
        screen->changes++;
    if (screen->changes > budget->changes) {
        screen->over = true;
        return false;
    }
    screen->focus = screen->changes % budget->processes;
    tell_states(screen);
    script->clock_ns +=
        distribution_whole(&budget->dwells, script->random[RANDOM_DWELL], (double)budget->dwell_ns);
    return true;
}

static void start(struct program *program)
{
    struct script *script = &program->script;
    script_create_device(script);
    program->context = script_create_context(script, "3d", 0);
    program->fence = ++script->stage->fences;
    script_create(script, "render-target", program->screen->budget->target_size, program->targets,
                  TARGETS);
    script_make_resident(script, program->targets, TARGETS);
}

static void create(struct program *program)
{
    struct script *script = &program->script;
    const struct budget *budget = program->screen->budget;
    uint32_t left = budget->textures - program->created;
    uint32_t count = left < BATCH ? left : BATCH;
    uint64_t *names = program->textures + program->created;
    script_create(script, "texture", budget->texture_size, names, count);
    script_make_resident(script, names, count);
    program->created += count;
}

static void draw(struct program *program)
{
    struct script *script = &program->script;
    const struct budget *budget = program->screen->budget;
    struct trace_name *reads = script_names(script, program->bound);
    uint64_t target = program->targets[program->frame % TARGETS];
    for (uint32_t i = 0; i < program->bound; i++)
        reads[i].number =
            program->textures[(program->frame * program->bound + i) % budget->textures];
    program->done[program->frame++ % budget->latency] =
        engine_run(program->engine, script->clock_ns, budget->gpu_ns);
    script_submit(script, program->context, budget->gpu_ns,
                  (struct trace_names){reads, program->bound}, script_list(script, &target, 1));
    script_signal(script, program->context, program->fence, program->frame);
    script_present(script, program->context, target, has_focus(program) ? 1 : SCRIPT_TO_COMPOSITOR);
    if (program->frame >= budget->latency)
        script_wait_until(script, program->fence, program->frame - budget->latency + 1,
                          program->done[program->frame % budget->latency]);
}

/* A minimised program draws nothing until the focus changes next. */
static void rest(struct program *program)
{
    const struct budget *budget = program->screen->budget;
    uint32_t offered = (uint32_t)(budget->offer * budget->textures);
    if (offered != 0 && program->offered == 0) {
        script_offer(&program->script, program->textures, offered);
        program->offered = offered;
    }
    program->script.clock_ns = program->screen->script.clock_ns + 1;
}

static bool act(struct script *script)
{
    struct program *program = (struct program *)script;
    const struct screen *screen = program->screen;
    const struct budget *budget = screen->budget;
    if (program->context == 0) {
        start(program);
        return true;
    }
    if (program->created < budget->textures) {
        create(program);
        return true;
    }
    if (screen->over) {
        if (program->frame > 0)
            script_wait(script, 0, program->fence, program->frame);
        script_exit(script);
        return false;
    }
    if (!has_focus(program) && budget->others == MINIMIZED) {
        rest(program);
        return true;
    }
    script_reclaim(script, program->textures, program->offered);
    program->offered = 0;
    uint64_t next = script->clock_ns +
                    (uint64_t)(1e9 / (has_focus(program) ? budget->rate : budget->background_rate));
    uint64_t change = screen->script.clock_ns + 1;
    draw(program);
    if (script->clock_ns < next)
        script->clock_ns = next < change || script->clock_ns >= change ? next : change;
    return true;
}

static void set(struct stage *stage, const void *of)
{
    const struct budget *budget = of;
    struct engine *engine = stage_memory(stage, 1, sizeof *engine);
    struct screen *screen = stage_script(stage, 0, act_screen, sizeof *screen);
    screen->budget = budget;
    screen->programs = stage_memory(stage, budget->processes, sizeof(struct program *));
    for (uint32_t i = 0; i < budget->processes; i++) {
        struct program *program = stage_script(stage, stage_process(stage), act, sizeof *program);
        program->script.think_ns = THINK_NS;
        program->script.segment = workload_segment(budget->segment);
        program->screen = screen;
        program->engine = engine;
        program->index = i;
        program->bound = budget->bound < budget->textures ? budget->bound : budget->textures;
        program->textures = stage_memory(stage, budget->textures, sizeof *program->textures);
        program->done = stage_memory(stage, budget->latency, sizeof *program->done);
        screen->programs[i] = program;
    }
}

static const char *refuse(const void *of)
{
    const struct budget *budget = of;
    if (distribution_wrong(&budget->dwells))
        return DISTRIBUTION_WRONG;
    if (budget->offer > 0 && budget->others != MINIMIZED)
        return "offer: only minimised programs offer: expected others to be minimized";
    return NULL;
}

const struct workload workload_budget = {
    .name = "budget",
    .summary = "programs on a screen, of which one has the focus until another one gets it",
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .size = sizeof(struct budget),
    .refuse = refuse,
    .set = set,
};
