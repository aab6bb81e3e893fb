/* Games, so to speak: processes that render frames at a steady rate, keep their textures in video
 * memory, and stream new ones in.
 *
 * Each process is one thread with a 3D and a copy context. It loads its textures through upload
 * buffers, then makes frame after frame: it waits for the frame `latency` frames ago, retires the
 * textures that one replaced, creates and uploads new ones, draws with the textures around a
 * slowly wandering viewpoint, and presents. Times are those of a machine whose 3D engine is shared
 * by all processes and whose memory holds everything; replaying shows what becomes of them
 * elsewhere.
 *
 * A process builds the events of one frame at a time, so memory does not grow with the trace, and
 * the processes' frames are merged by time. */
#include "workloads/workloads.h"
#include "traces/message.h"
#include "traces/vocabulary.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum parameter {
    PROCESSES,
    FRAMES,
    RATE,
    JITTER,
    TEXTURES,
    TEXTURE_SIZE,
    BOUND,
    STREAM,
    TARGET_SIZE,
    GPU_TIME,
    GPU_SPREAD,
    COPY_TIME,
    LATENCY,
    PARAMETERS
};

static const struct workload_parameter parameters[PARAMETERS] = {
    [PROCESSES] = {"processes", "count", 1, 256, 2, "processes that render at the same time"},
    [FRAMES] = {"frames", "count", 1, 1e9, 300,
                "frames of each process; a frame is about 5 + 7 x stream events"},
    [RATE] = {"rate", "number", 0.1, 10000, 60, "frames per second each process aims at"},
    [JITTER] = {"jitter", "time", 0, 1e9, 5e5, "standard deviation of a frame's start"},
    [TEXTURES] = {"textures", "count", 1, 65536, 64, "textures of each process"},
    [TEXTURE_SIZE] = {"texture-size", "size", 4096, 4e12, 16777216, "bytes of a texture"},
    [BOUND] = {"bound", "count", 1, 65536, 16, "textures a frame reads, at most all of them"},
    [STREAM] = {"stream", "number", 0, 64, 1, "textures replaced per frame, on average"},
    [TARGET_SIZE] = {"target-size", "size", 4096, 4e12, 33554432,
                     "bytes of a render target; a process has three and a depth buffer"},
    [GPU_TIME] = {"gpu-time", "time", 1, 1e12, 6e6, "engine time of a frame, median"},
    [GPU_SPREAD] = {"gpu-spread", "number", 0, 3, 0.15,
                    "sigma of its logarithm, which is normally distributed"},
    [COPY_TIME] = {"copy-time", "time", 1, 1e12, 7e5, "engine time of uploading a texture"},
    [LATENCY] = {"latency", "count", 1, 16, 3, "frames the CPU may run ahead"},
};

enum {
    TARGETS = 3,     /* swap chain */
    BATCH = 16,      /* textures loaded at a time before the first frame */
    STREAM_MAX = 64, /* replaced in one frame, however unlikely */
    THINK_NS = 5000, /* CPU time between a call's return and the next call, mean */
    FILL_NS = 150000 /* CPU time of filling an upload buffer, mean */
};

/* Independent random numbers for each purpose: changing one parameter leaves the rest of the trace
 * as it was. */
enum purpose { RANDOM_PACE, RANDOM_ENGINE, RANDOM_STREAM, RANDOM_VIEW, PURPOSES };

struct process {
    gsl_rng *random[PURPOSES];
    uint32_t index;
    uint64_t clock;    /* ns: when the next call is made */
    uint64_t begin_ns; /* when the first frame is due */
    uint64_t frame;
    uint32_t loaded; /* textures so far */
    bool gone;

    uint64_t *textures; /* names, by slot */
    uint64_t oldest;    /* slot to replace next */
    double view;        /* slot the viewpoint is at */
    uint64_t *drawn;    /* by slot: last frame that read it, plus 1 */
    uint64_t *done;     /* by frame modulo latency: when its work is done */
    uint64_t *retired;  /* names replaced, STREAM_MAX per frame modulo latency */
    uint32_t *retired_count;
    uint64_t targets[TARGETS], depth;
    uint64_t *uploads; /* names of upload buffers, used in turn */
    uint64_t upload;   /* uses so far: also the upload fence's value */

    /* The events of the frame at hand, and what they point to. */
    struct trace_event *events;
    uint32_t event_count, event_next;
    struct trace_name *names;
    uint32_t name_count;
    struct trace_allocation *creations;
    uint32_t creation_count;
};

struct generator {
    const double *values;
    uint32_t process_count, textures, bound, latency, uploads;
    uint64_t texture_size, target_size, copy_ns;
    uint64_t next_name;   /* of allocations */
    uint64_t engine_free; /* when the shared 3D engine is done with what it has */
    struct process *processes;
    uint32_t *heap; /* processes by the time of their next event */
    uint32_t heap_count;
};

/* How long the calls take on the machine that the made-up recording is of: somewhat more than the
 * medians of the Windows 10 recording, so that its threads are free again when the next call is
 * due. */
static const uint64_t call_ns[TRACE_OPS] = {
    [TRACE_CREATE_DEVICE] = 5000000,
    [TRACE_CREATE_CONTEXT] = 20000000,
    [TRACE_CREATE_ALLOCATION] = 70000,
    [TRACE_DESTROY_ALLOCATION] = 8000,
    [TRACE_MAKE_RESIDENT] = 13000,
    [TRACE_EVICT] = 4000,
    [TRACE_LOCK] = 4500,
    [TRACE_UNLOCK] = 4500,
    [TRACE_SUBMIT] = 16000,
    [TRACE_SIGNAL] = 13000,
    [TRACE_WAIT] = 5500,
    [TRACE_PRESENT] = 160000,
};

static uint64_t call_time(struct process *process, double mean_ns)
{
    return (uint64_t)gsl_ran_exponential(process->random[RANDOM_PACE], mean_ns);
}

/* Building events. Each starts zeroed and the process' clock moves on behind it. */

static struct trace_event *call(struct process *process, enum trace_op op, uint64_t given)
{
    struct trace_event *event = &process->events[process->event_count++];
    *event = (struct trace_event){
        .op = op,
        .given = given,
        .t_ns = process->clock,
        .pid = 1000 + 4 * process->index,
        .tid = 5000 + 4 * process->index,
    };
    process->clock += call_ns[op] + call_time(process, THINK_NS);
    return event;
}

static struct trace_name name(uint64_t number)
{
    return (struct trace_name){.text = NULL, .number = number};
}

/* Objects of a process: a device, two contexts, a fence each for frames and uploads. */
static struct trace_name device_of(const struct process *process)
{
    return name(process->index + 1);
}

static struct trace_name render_of(const struct process *process)
{
    return name(2 * (uint64_t)process->index + 1);
}

static struct trace_name copy_of(const struct process *process)
{
    return name(2 * (uint64_t)process->index + 2);
}

static struct trace_names list(struct process *process, const uint64_t *numbers, uint32_t count)
{
    struct trace_name *items = process->names + process->name_count;
    process->name_count += count;
    for (uint32_t i = 0; i < count; i++)
        items[i] = name(numbers[i]);
    return (struct trace_names){items, count};
}

static void on_list(struct process *process, enum trace_op op, const uint64_t *numbers,
                    uint32_t count)
{
    struct trace_event *event =
        call(process, op, TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_ALLOCATIONS));
    event->device = device_of(process);
    event->allocations = list(process, numbers, count);
}

/* Creates allocations of one kind; their names go to `numbers`. */
static void create(struct generator *generator, struct process *process, const char *usage,
                   uint64_t size, uint64_t *numbers, uint32_t count)
{
    struct trace_event *event = call(process, TRACE_CREATE_ALLOCATION,
                                     TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_CREATIONS));
    struct trace_allocation *items = process->creations + process->creation_count;
    process->creation_count += count;
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = generator->next_name++;
        items[i] = (struct trace_allocation){
            .given =
                TRACE_GIVEN(TRACE_ALLOCATION) | TRACE_GIVEN(TRACE_SIZE) | TRACE_GIVEN(TRACE_USAGE),
            .allocation = name(numbers[i]),
            .size = size,
            .usage = usage,
        };
    }
    event->device = device_of(process);
    event->creations = (struct trace_allocations){items, count};
}

static void on_fence(struct process *process, enum trace_op op, struct trace_name context,
                     struct trace_name fence, uint64_t value)
{
    bool on_cpu = context.number == 0;
    struct trace_event *event = call(process, op,
                                     (on_cpu ? 0 : TRACE_GIVEN(TRACE_CONTEXT)) |
                                         TRACE_GIVEN(TRACE_FENCE) | TRACE_GIVEN(TRACE_VALUE));
    event->context = context;
    event->fence = fence;
    event->value = value;
}

static void create_context(struct process *process, struct trace_name context, const char *node)
{
    struct trace_event *event =
        call(process, TRACE_CREATE_CONTEXT,
             TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_NODE));
    event->context = context;
    event->device = device_of(process);
    event->node = (struct trace_name){.text = node, .number = 0};
}

/* Fills an upload buffer and has the copy engine carry it into textures. */
static void upload(const struct generator *generator, struct process *process,
                   const uint64_t *textures, uint32_t count)
{
    uint64_t *buffer = &process->uploads[process->upload++ % generator->uploads];
    for (int i = 0; i < 2; i++) {
        struct trace_event *access =
            call(process, i == 0 ? TRACE_LOCK : TRACE_UNLOCK,
                 TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_ALLOCATION));
        access->device = device_of(process);
        access->allocation = name(*buffer);
        if (i == 0)
            process->clock += call_time(process, FILL_NS);
    }
    struct trace_event *copy = call(process, TRACE_SUBMIT,
                                    TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_GPU) |
                                        TRACE_GIVEN(TRACE_ALLOCATIONS) | TRACE_GIVEN(TRACE_WRITES));
    copy->context = copy_of(process);
    copy->gpu_ns = count * generator->copy_ns;
    copy->allocations = list(process, buffer, 1);
    copy->writes = list(process, textures, count);
}

/* The uploads so far come before whatever the 3D context draws next. */
static void join_uploads(struct process *process)
{
    on_fence(process, TRACE_SIGNAL, copy_of(process), copy_of(process), process->upload);
    on_fence(process, TRACE_WAIT, render_of(process), copy_of(process), process->upload);
}

static void start(struct generator *generator, struct process *process)
{
    struct trace_event *event = call(process, TRACE_CREATE_DEVICE, TRACE_GIVEN(TRACE_DEVICE));
    event->device = device_of(process);
    create_context(process, render_of(process), "3d");
    create_context(process, copy_of(process), "copy");

    uint64_t size = generator->target_size;
    create(generator, process, "render-target", size, process->targets, TARGETS);
    create(generator, process, "depth", size, &process->depth, 1);
    create(generator, process, "upload", generator->texture_size, process->uploads,
           generator->uploads);
    on_list(process, TRACE_MAKE_RESIDENT, process->targets, TARGETS);
    on_list(process, TRACE_MAKE_RESIDENT, &process->depth, 1);
    on_list(process, TRACE_MAKE_RESIDENT, process->uploads, generator->uploads);
}

static void load(struct generator *generator, struct process *process)
{
    uint32_t left = generator->textures - process->loaded;
    uint32_t count = left < BATCH ? left : BATCH;
    uint64_t *textures = process->textures + process->loaded;
    create(generator, process, "texture", generator->texture_size, textures, count);
    on_list(process, TRACE_MAKE_RESIDENT, textures, count);
    for (uint32_t i = 0; i < count; i++)
        upload(generator, process, textures + i, 1);
    process->loaded += count;
    if (process->loaded == generator->textures)
        join_uploads(process);
}

/* Destroys the textures that were replaced `latency` frames ago: no frame reads them any more. */
static void retire(const struct generator *generator, struct process *process)
{
    uint32_t slot = (uint32_t)(process->frame % generator->latency);
    const uint64_t *names = process->retired + (size_t)slot * STREAM_MAX;
    uint32_t count = process->retired_count[slot];
    if (count == 0)
        return;
    on_list(process, TRACE_EVICT, names, count);
    on_list(process, TRACE_DESTROY_ALLOCATION, names, count);
    process->retired_count[slot] = 0;
}

static void stream(struct generator *generator, struct process *process)
{
    uint32_t slot = (uint32_t)(process->frame % generator->latency);
    uint32_t most = generator->textures < STREAM_MAX ? generator->textures : STREAM_MAX;
    uint32_t count = gsl_ran_poisson(process->random[RANDOM_STREAM], generator->values[STREAM]);
    if (count > most)
        count = most;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *texture = &process->textures[process->oldest++ % generator->textures];
        process->retired[(size_t)slot * STREAM_MAX + i] = *texture;
        create(generator, process, "texture", generator->texture_size, texture, 1);
        on_list(process, TRACE_MAKE_RESIDENT, texture, 1);
        upload(generator, process, texture, 1);
    }
    process->retired_count[slot] = count;
    if (count > 0)
        join_uploads(process);
}

/* What the frame reads: mostly what lies around the viewpoint, some of it anywhere. */
static struct trace_names visible(const struct generator *generator, struct process *process)
{
    gsl_rng *random = process->random[RANDOM_VIEW];
    uint32_t textures = generator->textures, near = generator->bound - generator->bound / 4;
    process->view += gsl_ran_gaussian_ziggurat(random, 0.5);
    process->view -= floor(process->view / textures) * textures;
    uint32_t at = (uint32_t)process->view % textures;

    struct trace_name *items = process->names + process->name_count;
    process->name_count += generator->bound;
    for (uint32_t i = 0; i < generator->bound; i++) {
        if (i >= near)
            at = (uint32_t)gsl_rng_uniform_int(random, textures);
        while (process->drawn[at] == process->frame + 1)
            at = at + 1 < textures ? at + 1 : 0;
        process->drawn[at] = process->frame + 1;
        items[i] = name(process->textures[at]);
    }
    return (struct trace_names){items, generator->bound};
}

static void draw(struct generator *generator, struct process *process)
{
    double spread =
        gsl_ran_gaussian_ziggurat(process->random[RANDOM_ENGINE], generator->values[GPU_SPREAD]);
    uint64_t gpu_ns = (uint64_t)(generator->values[GPU_TIME] * exp(spread)) + 1;
    uint64_t target = process->targets[process->frame % TARGETS];
    const uint64_t writes[] = {target, process->depth};
    uint64_t submitted = process->clock;
    uint64_t given = TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_GPU) |
                     TRACE_GIVEN(TRACE_ALLOCATIONS) | TRACE_GIVEN(TRACE_WRITES);
    struct trace_event *event = call(process, TRACE_SUBMIT, given);
    event->context = render_of(process);
    event->gpu_ns = gpu_ns;
    event->allocations = visible(generator, process);
    event->writes = list(process, writes, 2);
    on_fence(process, TRACE_SIGNAL, render_of(process), render_of(process), process->frame + 1);

    event = call(process, TRACE_PRESENT,
                 TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_ALLOCATION) |
                     TRACE_GIVEN(TRACE_INTERVAL));
    event->context = render_of(process);
    event->allocation = name(target);
    event->interval = 1;

    uint64_t begun = generator->engine_free > submitted ? generator->engine_free : submitted;
    generator->engine_free = begun + gpu_ns;
    process->done[process->frame % generator->latency] = generator->engine_free;
}

/* Waits on the CPU until at most `ahead` frames are in flight. */
static void wait_for_frames(const struct generator *generator, struct process *process,
                            uint32_t ahead)
{
    if (process->frame < ahead)
        return;
    uint64_t last = process->frame - ahead; /* its fence value is one more */
    uint64_t done = process->done[last % generator->latency];
    on_fence(process, TRACE_WAIT, name(0), render_of(process), last + 1);
    if (process->clock < done)
        process->clock = done;
}

static void frame(struct generator *generator, struct process *process)
{
    /* The grid of the refresh; who is late starts at once. */
    double period = 1e9 / generator->values[RATE];
    double jitter =
        fabs(gsl_ran_gaussian_ziggurat(process->random[RANDOM_PACE], generator->values[JITTER]));
    double due = (double)process->frame * period + (double)process->begin_ns + jitter;
    if ((double)process->clock < due)
        process->clock = (uint64_t)due;
    wait_for_frames(generator, process, generator->latency);
    retire(generator, process);
    stream(generator, process);
    draw(generator, process);
    process->frame++;
}

/* Builds the next events of a process; false when it has none left. */
static bool refill(struct generator *generator, struct process *process)
{
    process->event_count = process->event_next = 0;
    process->name_count = process->creation_count = 0;
    if (process->gone)
        return false;
    if (process->targets[0] == 0) {
        start(generator, process);
    } else if (process->loaded < generator->textures) {
        load(generator, process);
        process->begin_ns = process->clock;
    } else if (process->frame < (uint64_t)generator->values[FRAMES]) {
        frame(generator, process);
    } else {
        wait_for_frames(generator, process, 1);
        call(process, TRACE_EXIT_PROCESS, 0);
        process->gone = true;
    }
    return true;
}

/* The heap of processes; ties go to the lower index, so that the order is always the same. */

static bool earlier(const struct generator *generator, uint32_t a, uint32_t b)
{
    const struct process *first = &generator->processes[a], *second = &generator->processes[b];
    uint64_t first_ns = first->events[first->event_next].t_ns;
    uint64_t second_ns = second->events[second->event_next].t_ns;
    return first_ns != second_ns ? first_ns < second_ns : a < b;
}

static void sink(struct generator *generator, uint32_t at)
{
    uint32_t *heap = generator->heap;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= generator->heap_count)
            return;
        if (child + 1 < generator->heap_count && earlier(generator, heap[child + 1], heap[child]))
            child++;
        if (!earlier(generator, heap[child], heap[at]))
            return;
        uint32_t moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
        at = child;
    }
}

static bool merge(struct generator *generator, struct trace_writer *writer,
                  struct trace_error *error)
{
    for (uint32_t i = 0; i < generator->process_count; i++) {
        refill(generator, &generator->processes[i]);
        generator->heap[generator->heap_count++] = i;
    }
    for (uint32_t i = generator->heap_count; i-- > 0;)
        sink(generator, i);
    while (generator->heap_count > 0) {
        struct process *process = &generator->processes[generator->heap[0]];
        if (!trace_writer_put(writer, &process->events[process->event_next++], error))
            return false;
        if (process->event_next == process->event_count && !refill(generator, process))
            generator->heap[0] = generator->heap[--generator->heap_count];
        sink(generator, 0);
    }
    return true;
}

/* A different seed for every process and purpose (the finaliser of splitmix64). */
static unsigned long seed_for(uint64_t seed, uint32_t process, uint32_t purpose)
{
    uint64_t z = seed + UINT64_C(0x9E3779B97F4A7C15) * ((uint64_t)process * PURPOSES + purpose + 1);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (unsigned long)(z ^ (z >> 31));
}

static bool process_make(const struct generator *generator, struct process *process, uint32_t index,
                         uint64_t seed)
{
    size_t latency = generator->latency, textures = generator->textures;
    size_t names = generator->bound + generator->uploads + (size_t)8 * STREAM_MAX;
    process->index = index;
    process->textures = calloc(textures, sizeof *process->textures);
    process->drawn = calloc(textures, sizeof *process->drawn);
    process->done = calloc(latency, sizeof *process->done);
    process->retired = calloc(latency * STREAM_MAX, sizeof *process->retired);
    process->retired_count = calloc(latency, sizeof *process->retired_count);
    process->uploads = calloc(generator->uploads, sizeof *process->uploads);
    process->events = calloc((size_t)8 * STREAM_MAX, sizeof *process->events);
    process->names = calloc(names, sizeof *process->names);
    process->creations = calloc(generator->uploads + STREAM_MAX, sizeof *process->creations);
    if (process->textures == NULL || process->drawn == NULL || process->done == NULL ||
        process->retired == NULL || process->retired_count == NULL || process->uploads == NULL ||
        process->events == NULL || process->names == NULL || process->creations == NULL)
        return false;
    for (uint32_t i = 0; i < PURPOSES; i++) {
        process->random[i] = gsl_rng_alloc(gsl_rng_taus2);
        if (process->random[i] == NULL)
            return false;
        gsl_rng_set(process->random[i], seed_for(seed, index, i));
    }
    /* Nobody starts everything at the same instant. */
    process->clock = (uint64_t)(gsl_rng_uniform(process->random[RANDOM_PACE]) * 5e7);
    process->view = gsl_rng_uniform(process->random[RANDOM_VIEW]) * (double)textures;
    return true;
}

static void process_free(struct process *process)
{
    for (uint32_t i = 0; i < PURPOSES; i++)
        if (process->random[i] != NULL)
            gsl_rng_free(process->random[i]);
    free(process->textures);
    free(process->drawn);
    free(process->done);
    free(process->retired);
    free(process->retired_count);
    free(process->uploads);
    free(process->events);
    free(process->names);
    free(process->creations);
}

static bool generate(const double *values, uint64_t seed, struct trace_writer *writer,
                     struct trace_error *error)
{
    struct generator generator = {
        .values = values,
        .process_count = (uint32_t)values[PROCESSES],
        .textures = (uint32_t)values[TEXTURES],
        .bound = (uint32_t)fmin(values[BOUND], values[TEXTURES]),
        .latency = (uint32_t)values[LATENCY],
        .texture_size = (uint64_t)values[TEXTURE_SIZE],
        .target_size = (uint64_t)values[TARGET_SIZE],
        .copy_ns = (uint64_t)values[COPY_TIME],
        .next_name = 1,
    };
    /* Enough upload buffers that the CPU hardly ever finds the next one in use. */
    generator.uploads = (generator.latency + 1) * (uint32_t)fmax(1, fmin(ceil(values[STREAM]), 8));
    generator.processes = calloc(generator.process_count, sizeof *generator.processes);
    generator.heap = calloc(generator.process_count, sizeof *generator.heap);
    bool good = generator.processes != NULL && generator.heap != NULL;
    for (uint32_t i = 0; good && i < generator.process_count; i++)
        good = process_make(&generator, &generator.processes[i], i, seed);
    if (good)
        good = merge(&generator, writer, error);
    else
        trace_fail(error, false, "frames: out of memory");
    for (uint32_t i = 0; generator.processes != NULL && i < generator.process_count; i++)
        process_free(&generator.processes[i]);
    free(generator.processes);
    free(generator.heap);
    return good;
}

const struct workload workload_frames = {
    .name = "frames",
    .summary = "processes that render frames at a steady rate and stream textures in",
    .parameters = parameters,
    .parameter_count = PARAMETERS,
    .generate = generate,
    .header = {.version = TRACE_VERSION,
               .source = "wddmsim generate frames",
               .residency = TRACE_RESIDENCY_EXPLICIT},
};
