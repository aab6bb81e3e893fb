/* A desktop: many programs that draw into windows now and then, and the compositor that puts the
 * windows together for the display.
 *
 * A window has two surfaces, shared with the compositor. Its program draws into one of them, once
 * the compositor no longer reads it, and presents it. At every refresh of the display for which
 * some window has news, the compositor waits on the GPU for the drawing, reads the surfaces of all
 * windows, and flips. Some programs draw for every refresh, the others at random. */
#include "workloads/distribution.h"
#include "workloads/script.h"
#include "workloads/workloads.h"

#include <gsl/gsl_randist.h>

struct compositor {
    uint32_t windows, busy, frames;
    double refresh, updates, gpu_spread;
    uint64_t window_size, gpu_ns, compose_ns, compose_window_ns, primary_size;
    struct distribution sizes;
    int32_t priority;
};

#define ROW(...) WORKLOAD_ROW(compositor, __VA_ARGS__)

static const struct key_spec parameters[] = {
    {ROW("windows", COUNT, windows, "1..4096", "24", "programs, with one window each")},
    {ROW("busy", COUNT, busy, "0..4096", "2",
         "programs that draw for every refresh: games, films, animations")},
    {ROW("updates", NUMBER, updates, "0.001..1000", "2",
         "what each other one draws per second, on average, at random")},
    {ROW("frames", COUNT, frames, "1..1000000000", "300", "refreshes of the display, in all")},
    {ROW("refresh", NUMBER, refresh, "1..1000", "60", "refreshes per second")},
    {ROW("window-size", SIZE, window_size, "4KiB..4TB", "4MiB",
         "bytes of a surface, mean; a window has two")},
    DISTRIBUTION_ROWS(compositor, "window-sizes", sizes, "lognormal", "0.8", "the sizes"),
    {ROW("gpu-time", TIME, gpu_ns, "1ns..1000s", "800us",
         "engine time of drawing a window, median")},
    {ROW("gpu-spread", NUMBER, gpu_spread, "0..3", "0.5",
         "sigma of its logarithm, which is normally distributed")},
    {ROW("compose-time", TIME, compose_ns, "1ns..1000s", "600us",
         "engine time of composing the desktop")},
    {ROW("compose-window-time", TIME, compose_window_ns, "0ns..1000s", "30us",
         "what each window with news adds to it")},
    {ROW("primary-size", SIZE, primary_size, "4KiB..4TB", "32MiB",
         "bytes of what is displayed; there are two")},
    {ROW("priority", SIGNED, priority, "-7..7", "2",
         "scheduling priority of the compositor; the programs have 0")},
};

enum {
    SURFACES = 2,
    THINK_NS = 5000,     /* CPU time between a call's return and the next call, mean */
    OFFSET_NS = 1000000, /* from the refresh to the compositor's calls */
    JITTER_NS = 200000,  /* of a busy program's, mean */
    APPEAR_NS = 50000000 /* all windows are opened in this time */
};

enum { RANDOM_ENGINE = SCRIPT_PACE + 1, RANDOM_UPDATES, RANDOM_SIZE };

struct window {
    struct script script;
    struct desktop *desktop;
    bool busy, opened; /* by the compositor */
    uint64_t context, fence, resource, surfaces[SURFACES];
    uint64_t drawn;             /* updates so far: the fence's value */
    uint64_t composed;          /* the last one that the compositor took */
    uint64_t presented_ns;      /* when the last one was presented, or the window created */
    uint64_t read_by[SURFACES]; /* the last composition that reads the surface */
    uint64_t done[SURFACES];    /* when its drawing is done */
};

struct desktop {
    struct script script; /* the compositor's */
    const struct compositor *compositor;
    struct window **windows;
    struct engine engine;
    uint64_t context, fence, primaries[SURFACES];
    uint64_t refreshes, compositions;
    uint64_t done[SURFACES]; /* when a composition is done */
};

static uint64_t refresh_date(const struct desktop *desktop, uint64_t refresh)
{
    return APPEAR_NS + (uint64_t)((double)refresh * 1e9 / desktop->compositor->refresh);
}

static void create_window(struct window *window)
{
    struct script *script = &window->script;
    const struct compositor *compositor = window->desktop->compositor;
    uint64_t size = distribution_whole(&compositor->sizes, script->random[RANDOM_SIZE],
                                       (double)compositor->window_size);
    script_create_device(script);
    window->context = script_create_context(script, "3d", 0);
    window->fence = ++script->stage->fences;
    window->resource =
        script_create_shared(script, "render-target", size, window->surfaces, SURFACES);
    script_make_resident(script, window->surfaces, SURFACES);
    window->presented_ns = script->clock_ns;
}

/* A drawing may begin once the one before the last is done, on the GPU, and no composition reads
 * its surface any more. */
static void draw_window(struct window *window)
{
    struct script *script = &window->script;
    struct desktop *desktop = window->desktop;
    const struct compositor *compositor = desktop->compositor;
    uint32_t at = window->drawn % SURFACES;
    double spread = gsl_ran_lognormal(script->random[RANDOM_ENGINE], 0, compositor->gpu_spread);
    uint64_t gpu_ns = (uint64_t)((double)compositor->gpu_ns * spread) + 1;
    if (window->read_by[at] != 0)
        script_wait(script, window->context, desktop->fence, window->read_by[at]);
    window->done[at] = engine_run(&desktop->engine, script->clock_ns, gpu_ns);
    script_submit(script, window->context, gpu_ns, (struct trace_names){0},
                  script_list(script, &window->surfaces[at], 1));
    script_signal(script, window->context, window->fence, ++window->drawn);
    script_present(script, window->context, window->surfaces[at], SCRIPT_TO_COMPOSITOR);
    window->presented_ns = script->clock_ns;
    if (window->drawn >= SURFACES)
        script_wait_until(script, window->fence, window->drawn - SURFACES + 1,
                          window->done[window->drawn % SURFACES]);
}

/* When the window is drawn next: at the next refresh, or whenever its program has something new. */
static void await_update(struct window *window)
{
    struct script *script = &window->script;
    const struct desktop *desktop = window->desktop;
    if (!window->busy) {
        script->clock_ns += (uint64_t)gsl_ran_exponential(script->random[RANDOM_UPDATES],
                                                          1e9 / desktop->compositor->updates);
        return;
    }
    uint64_t next = 0;
    if (script->clock_ns >= APPEAR_NS)
        next = 1 + (uint64_t)((double)(script->clock_ns - APPEAR_NS) / 1e9 *
                              desktop->compositor->refresh);
    uint64_t due = refresh_date(desktop, next) +
                   (uint64_t)gsl_ran_exponential(script->random[RANDOM_UPDATES], JITTER_NS);
    if (script->clock_ns < due)
        script->clock_ns = due;
}

static bool act_window(struct script *script)
{
    struct window *window = (struct window *)script;
    const struct desktop *desktop = window->desktop;
    if (script->clock_ns >= refresh_date(desktop, desktop->compositor->frames))
        return false;
    if (window->context == 0)
        create_window(window);
    else
        draw_window(window);
    await_update(window);
    return true;
}

static void start(struct desktop *desktop)
{
    struct script *script = &desktop->script;
    script_create_device(script);
    desktop->context = script_create_context(script, "3d", desktop->compositor->priority);
    script_create(script, "primary", desktop->compositor->primary_size, desktop->primaries,
                  SURFACES);
    script_make_resident(script, desktop->primaries, SURFACES);
}

static void open_window(struct desktop *desktop, struct window *window)
{
    script_open(&desktop->script, window->resource);
    script_make_resident(&desktop->script, window->surfaces, SURFACES);
    window->opened = true;
}

/* What the window has presented last, if that is news: the compositor's work waits for its
 * drawing. A drawing may have been written down that is presented only after now. */
static bool take_news(struct desktop *desktop, struct window *window, uint64_t now)
{
    uint64_t presented = window->drawn - (window->drawn > 0 && window->presented_ns > now);
    if (presented == window->composed)
        return false;
    script_wait(&desktop->script, desktop->context, window->fence, presented);
    window->composed = presented;
    return true;
}

static void compose(struct desktop *desktop, const struct trace_names *reads, uint32_t news)
{
    struct script *script = &desktop->script;
    const struct compositor *compositor = desktop->compositor;
    uint32_t at = desktop->compositions % SURFACES;
    uint64_t gpu_ns = compositor->compose_ns + news * compositor->compose_window_ns;
    desktop->done[at] = engine_run(&desktop->engine, script->clock_ns, gpu_ns);
    script_submit(script, desktop->context, gpu_ns, *reads,
                  script_list(script, &desktop->primaries[at], 1));
    script_signal(script, desktop->context, desktop->fence, ++desktop->compositions);
    script_present(script, desktop->context, desktop->primaries[at], 1);
    if (desktop->compositions >= SURFACES)
        script_wait_until(script, desktop->fence, desktop->compositions - SURFACES + 1,
                          desktop->done[desktop->compositions % SURFACES]);
}

static void refresh(struct desktop *desktop)
{
    struct script *script = &desktop->script;
    uint64_t now = script->clock_ns;
    struct trace_name *surfaces = script_names(script, desktop->compositor->windows);
    struct trace_names reads = {surfaces, 0};
    uint32_t news = 0;
    for (uint32_t i = 0; i < desktop->compositor->windows; i++) {
        struct window *window = desktop->windows[i];
        if (window->resource == 0 || (!window->opened && window->presented_ns > now))
            continue;
        if (!window->opened)
            open_window(desktop, window);
        news += take_news(desktop, window, now);
        if (window->composed == 0)
            continue;
        uint32_t shown = (window->composed - 1) % SURFACES;
        surfaces[reads.count++].number = window->surfaces[shown];
        window->read_by[shown] = desktop->compositions + 1;
    }
    if (news > 0)
        compose(desktop, &reads, news);
}

static bool act_desktop(struct script *script)
{
    struct desktop *desktop = (struct desktop *)script;
    if (desktop->context == 0)
        start(desktop);
    else
        refresh(desktop);
    while (refresh_date(desktop, desktop->refreshes) + OFFSET_NS <= script->clock_ns)
        desktop->refreshes++; /* missed */
    script->clock_ns = refresh_date(desktop, desktop->refreshes) + OFFSET_NS;
    return desktop->refreshes < desktop->compositor->frames;
}

static void set(struct stage *stage, const void *of)
{
    const struct compositor *compositor = of;
    struct desktop *desktop =
        stage_script(stage, stage_process(stage), act_desktop, sizeof *desktop);
    desktop->script.think_ns = THINK_NS;
    desktop->compositor = compositor;
    desktop->fence = ++stage->fences;
    desktop->windows = stage_memory(stage, compositor->windows, sizeof(struct window *));
    for (uint32_t i = 0; i < compositor->windows; i++) {
        struct window *window =
            stage_script(stage, stage_process(stage), act_window, sizeof *window);
        struct script *script = &window->script;
        window->desktop = desktop;
        window->busy = i < compositor->busy;
        script->think_ns = THINK_NS;
        script->clock_ns = (uint64_t)(gsl_rng_uniform(script->random[SCRIPT_PACE]) * APPEAR_NS / 2);
        desktop->windows[i] = window;
    }
}

static const char *refuse(const void *of)
{
    const struct compositor *compositor = of;
    return distribution_wrong(&compositor->sizes) ? DISTRIBUTION_WRONG : NULL;
}

const struct workload workload_compositor = {
    .name = "compositor",
    .summary = "a desktop of many windows, drawn now and then, put together by a compositor",
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .size = sizeof(struct compositor),
    .refuse = refuse,
    .set = set,
};
