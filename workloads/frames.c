/* Games, so to speak: processes that render frames at a steady rate, keep their textures in video
 * memory, and stream new ones in.
 *
 * Each process is one thread with a 3D and a copy context. It loads its textures through upload
 * buffers, then makes frame after frame: it waits for the frame `latency` frames ago, retires the
 * textures that one replaced, creates and uploads new ones, draws in some passes with the textures
 * around a slowly wandering viewpoint, and presents. When the camera turns the viewpoint is
 * somewhere else at once. A process that minds its memory gives up what it has not drawn with for
 * some frames and asks for it again when it comes back into view.
 *
 * Times are those of a machine whose 3D engine is shared by all processes and whose memory holds
 * everything; replaying shows what becomes of them elsewhere. */
#include "workloads/script.h"
#include "workloads/workloads.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <utlist.h>

struct frames {
    uint32_t processes, frames, textures, bound, passes, latency, idle, interval;
    double rate, stream, turns, gpu_spread;
    uint64_t jitter_ns, texture_size, target_size, gpu_ns, copy_ns;
    char segment[PROFILE_NAME_SIZE];
};

#define ROW(...) WORKLOAD_ROW(frames, __VA_ARGS__)

static const struct key_spec parameters[] = {
    {ROW("processes", COUNT, processes, "1..256", "2", "processes that render at the same time")},
    {ROW("frames", COUNT, frames, "1..1000000000", "300",
         "frames of each process; a frame is about 4 + passes + 7 x stream events")},
    {ROW("rate", NUMBER, rate, "0.1..10000", "60", "frames per second each process aims at")},
    {ROW("jitter", TIME, jitter_ns, "0ns..1s", "500us", "standard deviation of a frame's start")},
    {ROW("textures", COUNT, textures, "1..65536", "64", "textures of each process")},
    {ROW("texture-size", SIZE, texture_size, "4KiB..4TB", "16MiB", "bytes of a texture")},
    {ROW("bound", COUNT, bound, "1..65536", "16", "textures a frame reads, at most all of them")},
    {ROW("stream", NUMBER, stream, "0..64", "1", "textures replaced per frame, on average")},
    {ROW("turns", NUMBER, turns, "0..1000", "0",
         "turns of the camera per second, on average: the frame after it reads other textures")},
    {ROW("idle", COUNT, idle, "0..1000000", "0",
         "frames after which a texture that none of them read is given up, until it is read again; "
         "0: all are kept")},
    WORKLOAD_SEGMENT_ROW(frames, segment, "any", "textures"),
    {ROW("target-size", SIZE, target_size, "4KiB..4TB", "32MiB",
         "bytes of a render target; a process has three, a depth buffer, and one more for each "
         "further pass")},
    {ROW("passes", COUNT, passes, "1..16", "1",
         "submissions of a frame: each reads its part of the textures and what the pass before "
         "it drew")},
    {ROW("gpu-time", TIME, gpu_ns, "1ns..1000s", "6ms",
         "engine time of a frame, median; passes share it")},
    {ROW("gpu-spread", NUMBER, gpu_spread, "0..3", "0.15",
         "sigma of its logarithm, which is normally distributed")},
    {ROW("copy-time", TIME, copy_ns, "1ns..1000s", "700us", "engine time of uploading a texture")},
    {ROW("latency", COUNT, latency, "1..16", "3", "frames the CPU may run ahead")},
    {ROW("interval", COUNT, interval, "0..16", "1",
         "refreshes that a frame stays on the display at least; 0: until the next one is there")},
};

enum {
    SWAP_CHAIN = 3,  /* targets that are presented in turn */
    PASSES_MAX = 16, /* as the table says */
    BATCH = 16,      /* textures loaded at a time before the first frame */
    STREAM_MAX = 64, /* replaced in one frame, however unlikely */
    THINK_NS = 5000, /* CPU time between a call's return and the next call, mean */
    FILL_NS = 150000 /* CPU time of filling an upload buffer, mean */
};

enum { RANDOM_ENGINE = SCRIPT_PACE + 1, RANDOM_STREAM, RANDOM_VIEW };

struct texture {
    uint64_t name;
    uint64_t drawn; /* the last frame that read it, plus 1; 0: none */
    uint64_t seen;  /* the same, or when it came */
    bool resident;
    struct texture *prev, *next; /* among the resident ones, the one not seen for longest first */
};

/* What was replaced in a frame: destroyed when the CPU has seen that frame done. */
struct retired {
    uint64_t names[STREAM_MAX];
    uint32_t count, resident; /* those that are resident come first */
};

struct process {
    struct script script;
    const struct frames *frames;
    struct engine *engine;  /* all processes' */
    uint64_t render, copy;  /* contexts */
    uint64_t drawn, copied; /* fences */
    uint64_t begin_ns;      /* when the first frame was due */
    uint64_t frame;
    uint32_t loaded; /* textures so far */

    struct texture *textures, *resident;
    uint64_t oldest;          /* slot to replace next */
    double view;              /* slot the viewpoint is at */
    uint32_t bound;           /* textures a frame reads */
    struct texture **visible; /* these */
    uint64_t *given_up;       /* room for the names of all */
    uint64_t *done;           /* by frame modulo latency: when its work is done */
    struct retired *retired;  /* by frame modulo latency */
    uint64_t targets[SWAP_CHAIN], depth, buffers[PASSES_MAX];
    uint64_t *uploads; /* names of upload buffers, used in turn */
    uint32_t upload_count;
    uint64_t upload; /* uses so far: also the upload fence's value */
};

/* Fills an upload buffer and has the copy engine carry it into a texture. */
static void upload(struct process *process, uint64_t texture)
{
    struct script *script = &process->script;
    uint64_t *buffer = &process->uploads[process->upload++ % process->upload_count];
    script_access(script, *buffer, FILL_NS);
    script_submit(script, process->copy, process->frames->copy_ns, script_list(script, buffer, 1),
                  script_list(script, &texture, 1));
}

/* The uploads so far come before whatever the 3D context draws next. */
static void join_uploads(struct process *process)
{
    script_signal(&process->script, process->copy, process->copied, process->upload);
    script_wait(&process->script, process->render, process->copied, process->upload);
}

static void start(struct process *process)
{
    struct script *script = &process->script;
    const struct frames *frames = process->frames;
    script_create_device(script);
    process->render = script_create_context(script, "3d", 0);
    process->copy = script_create_context(script, "copy", 0);
    process->drawn = ++script->stage->fences;
    process->copied = ++script->stage->fences;

    script_create(script, "render-target", frames->target_size, process->targets, SWAP_CHAIN);
    script_create(script, "depth", frames->target_size, &process->depth, 1);
    if (frames->passes > 1)
        script_create(script, "render-target", frames->target_size, process->buffers,
                      frames->passes - 1);
    script_create(script, "upload", frames->texture_size, process->uploads, process->upload_count);
    script_make_resident(script, process->targets, SWAP_CHAIN);
    script_make_resident(script, &process->depth, 1);
    script_make_resident(script, process->buffers, frames->passes - 1);
    script_make_resident(script, process->uploads, process->upload_count);
}

static void see(struct process *process, struct texture *texture)
{
    if (texture->resident)
        DL_DELETE(process->resident, texture);
    DL_APPEND(process->resident, texture);
    texture->resident = true;
    texture->seen = process->frame + 1;
}

static void create_textures(struct process *process, uint64_t *names, uint32_t count)
{
    struct script *script = &process->script;
    script->segment = workload_segment(process->frames->segment);
    script_create(script, "texture", process->frames->texture_size, names, count);
    script->segment = NULL;
    script_make_resident(script, names, count);
}

static void load(struct process *process)
{
    uint32_t left = process->frames->textures - process->loaded;
    uint32_t count = left < BATCH ? left : BATCH;
    uint64_t names[BATCH];
    create_textures(process, names, count);
    for (uint32_t i = 0; i < count; i++) {
        struct texture *texture = &process->textures[process->loaded++];
        texture->name = names[i];
        see(process, texture);
        upload(process, names[i]);
    }
    if (process->loaded == process->frames->textures)
        join_uploads(process);
}

/* Destroys the textures that were replaced `latency` frames ago: no frame reads them any more. */
static void retire(struct process *process)
{
    struct retired *retired = &process->retired[process->frame % process->frames->latency];
    script_evict(&process->script, retired->names, retired->resident, SCRIPT_EVICT_NOW);
    script_destroy(&process->script, retired->names, retired->count);
    retired->count = retired->resident = 0;
}

static void replace(struct process *process, struct texture *texture)
{
    struct retired *retired = &process->retired[process->frame % process->frames->latency];
    uint32_t at = retired->count++;
    if (texture->resident) {
        retired->names[at] = retired->names[retired->resident];
        at = retired->resident++;
    }
    retired->names[at] = texture->name;
    create_textures(process, &texture->name, 1);
    see(process, texture);
    upload(process, texture->name);
}

static void stream(struct process *process)
{
    const struct frames *frames = process->frames;
    uint32_t most = frames->textures < STREAM_MAX ? frames->textures : STREAM_MAX;
    uint32_t count = gsl_ran_poisson(process->script.random[RANDOM_STREAM], frames->stream);
    if (count > most)
        count = most;
    for (uint32_t i = 0; i < count; i++)
        replace(process, &process->textures[process->oldest++ % frames->textures]);
    if (count > 0)
        join_uploads(process);
}

static void move_view(struct process *process)
{
    const struct frames *frames = process->frames;
    gsl_rng *random = process->script.random[RANDOM_VIEW];
    process->view += gsl_ran_gaussian_ziggurat(random, 0.5);
    if (frames->turns > 0 && gsl_rng_uniform(random) < -expm1(-frames->turns / frames->rate))
        process->view = gsl_rng_uniform(random) * frames->textures;
    process->view -= floor(process->view / frames->textures) * frames->textures;
}

/* What the frame reads: mostly what lies around the viewpoint, some of it anywhere. */
static void look(struct process *process)
{
    const struct frames *frames = process->frames;
    gsl_rng *random = process->script.random[RANDOM_VIEW];
    uint32_t near = process->bound - process->bound / 4;
    move_view(process);
    uint32_t at = (uint32_t)process->view % frames->textures;
    for (uint32_t i = 0; i < process->bound; i++) {
        if (i >= near)
            at = (uint32_t)gsl_rng_uniform_int(random, frames->textures);
        while (process->textures[at].drawn == process->frame + 1)
            at = at + 1 < frames->textures ? at + 1 : 0;
        process->visible[i] = &process->textures[at];
        process->visible[i]->drawn = process->frame + 1;
    }
}

/* What comes back into view must be resident again. */
static void take_back(struct process *process)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < process->bound; i++) {
        struct texture *texture = process->visible[i];
        if (!texture->resident)
            process->given_up[count++] = texture->name;
        see(process, texture);
    }
    script_make_resident(&process->script, process->given_up, count);
}

/* What no frame has read for long may leave if there is need of its place. */
static void give_up(struct process *process)
{
    uint32_t count = 0;
    while (process->resident->seen + process->frames->idle <= process->frame) {
        struct texture *texture = process->resident;
        DL_DELETE(process->resident, texture);
        texture->resident = false;
        process->given_up[count++] = texture->name;
    }
    script_evict(&process->script, process->given_up, count, SCRIPT_EVICT_IF_NECESSARY);
}

/* One of the frame's submissions: its share of the textures and what the pass before it drew, into
 * a buffer of its own, the last one into the target. */
static void draw_pass(struct process *process, uint32_t pass, uint64_t target, uint64_t gpu_ns)
{
    struct script *script = &process->script;
    uint32_t passes = process->frames->passes;
    uint32_t first = process->bound * pass / passes;
    uint32_t count = process->bound * (pass + 1) / passes - first;
    struct trace_name *reads = script_names(script, count + 1);
    for (uint32_t i = 0; i < count; i++)
        reads[i].number = process->visible[first + i]->name;
    if (pass > 0)
        reads[count++].number = process->buffers[pass - 1];
    const uint64_t writes[] = {pass + 1 < passes ? process->buffers[pass] : target, process->depth};
    script_submit(script, process->render, gpu_ns, (struct trace_names){reads, count},
                  script_list(script, writes, 2));
}

static void draw(struct process *process)
{
    struct script *script = &process->script;
    const struct frames *frames = process->frames;
    double spread = gsl_ran_gaussian_ziggurat(script->random[RANDOM_ENGINE], frames->gpu_spread);
    uint64_t gpu_ns = (uint64_t)((double)frames->gpu_ns * exp(spread)) + 1;
    uint64_t target = process->targets[process->frame % SWAP_CHAIN];
    look(process);
    if (frames->idle != 0)
        take_back(process);
    process->done[process->frame % frames->latency] =
        engine_run(process->engine, script->clock_ns, gpu_ns);
    for (uint32_t pass = 0; pass < frames->passes; pass++)
        draw_pass(process, pass, target,
                  gpu_ns * (pass + 1) / frames->passes - gpu_ns * pass / frames->passes);
    script_signal(script, process->render, process->drawn, process->frame + 1);
    script_present(script, process->render, target, (int)frames->interval);
    if (frames->idle != 0)
        give_up(process);
}

/* Waits on the CPU until at most `ahead` frames are in flight. */
static void wait_for_frames(struct process *process, uint32_t ahead)
{
    if (process->frame < ahead)
        return;
    uint64_t last = process->frame - ahead; /* its fence value is one more */
    script_wait_until(&process->script, process->drawn, last + 1,
                      process->done[last % process->frames->latency]);
}

/* The next frame is due on the grid of the refresh; who is late starts at once. */
static void await_frame(struct process *process)
{
    const struct frames *frames = process->frames;
    struct script *script = &process->script;
    double jitter =
        fabs(gsl_ran_gaussian_ziggurat(script->random[SCRIPT_PACE], (double)frames->jitter_ns));
    double due = (double)process->frame * 1e9 / frames->rate + (double)process->begin_ns + jitter;
    if ((double)script->clock_ns < due)
        script->clock_ns = (uint64_t)due;
}

static bool act(struct script *script)
{
    struct process *process = (struct process *)script;
    if (process->render == 0) {
        start(process);
    } else if (process->loaded < process->frames->textures) {
        load(process);
        process->begin_ns = script->clock_ns;
    } else if (process->frame < process->frames->frames) {
        retire(process);
        stream(process);
        draw(process);
        process->frame++;
        wait_for_frames(process, process->frames->latency);
        await_frame(process);
    } else {
        wait_for_frames(process, 1);
        script_exit(script);
        return false;
    }
    return true;
}

static void set(struct stage *stage, const void *of)
{
    const struct frames *frames = of;
    struct engine *engine = stage_memory(stage, 1, sizeof *engine);
    for (uint32_t i = 0; i < frames->processes; i++) {
        struct process *process = stage_script(stage, stage_process(stage), act, sizeof *process);
        struct script *script = &process->script;
        process->frames = frames;
        process->engine = engine;
        process->bound = frames->bound < frames->textures ? frames->bound : frames->textures;
        /* Enough upload buffers that the CPU hardly ever finds the next one in use. */
        process->upload_count =
            (frames->latency + 1) * (uint32_t)fmax(1, fmin(ceil(frames->stream), 8));
        process->textures = stage_memory(stage, frames->textures, sizeof *process->textures);
        process->visible = stage_memory(stage, process->bound, sizeof(struct texture *));
        process->given_up = stage_memory(stage, frames->textures, sizeof *process->given_up);
        process->done = stage_memory(stage, frames->latency, sizeof *process->done);
        process->retired = stage_memory(stage, frames->latency, sizeof *process->retired);
        process->uploads = stage_memory(stage, process->upload_count, sizeof *process->uploads);
        /* Nobody starts everything at the same instant. */
        script->think_ns = THINK_NS;
        script->clock_ns = (uint64_t)(gsl_rng_uniform(script->random[SCRIPT_PACE]) * 5e7);
        process->view = gsl_rng_uniform(script->random[RANDOM_VIEW]) * frames->textures;
    }
}

const struct workload workload_frames = {
    .name = "frames",
    .summary = "games that render frames at a steady rate and stream textures in",
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .size = sizeof(struct frames),
    .set = set,
};
