/* Video streams that are decoded, processed and encoded again: three engines in a row.
 *
 * Each stream is a process with a context on each engine, and each frame goes from one to the next
 * by fences on the GPU. Decoding reads the frames before; encoding, the one that it made last.
 * Surfaces are used in turn, so an engine may run ahead of the next one by as many frames as there
 * are surfaces. The thread hands in frames at the stream's rate and reads each encoded one. */
#include "workloads/distribution.h"
#include "workloads/script.h"
#include "workloads/workloads.h"

struct video {
    uint32_t streams, frames, surfaces, references;
    double rate;
    uint64_t surface_size, bitstream_size, stage_ns[3];
    struct distribution times;
    char nodes[3][PROFILE_NAME_SIZE];
};

#define ROW(...) WORKLOAD_ROW(video, __VA_ARGS__)

enum stage_of_video { DECODE, PROCESS, ENCODE, STAGES };

static const struct key_spec parameters[] = {
    {ROW("streams", COUNT, streams, "1..256", "2", "streams at the same time")},
    {ROW("frames", COUNT, frames, "1..1000000000", "300", "frames of each stream")},
    {ROW("rate", NUMBER, rate, "0..10000", "60",
         "frames per second of each stream; 0: as fast as it goes")},
    {ROW("surfaces", COUNT, surfaces, "2..64", "8",
         "surfaces for decoded frames, and as many for processed ones")},
    {ROW("references", COUNT, references, "0..16", "4",
         "earlier frames that decoding one reads; fewer than surfaces")},
    {ROW("surface-size", SIZE, surface_size, "4KiB..4TB", "12MiB",
         "bytes of a surface: 12 MiB is 3840 x 2160 in 4:2:0")},
    {ROW("bitstream-size", SIZE, bitstream_size, "4KiB..4TB", "512KiB",
         "bytes of a buffer for one frame's bitstream")},
    {ROW("decode-time", TIME, stage_ns[DECODE], "1ns..1000s", "3ms",
         "engine time of decoding a frame, mean")},
    {ROW("process-time", TIME, stage_ns[PROCESS], "1ns..1000s", "1500us",
         "engine time of processing a frame, mean")},
    {ROW("encode-time", TIME, stage_ns[ENCODE], "1ns..1000s", "5ms",
         "engine time of encoding a frame, mean")},
    DISTRIBUTION_ROWS(video, "times", times, "lognormal", "0.3", "the engine times"),
    {ROW("decode-node", TEXT, nodes[DECODE], "a node's name", "video", "the engine that decodes")},
    {ROW("process-node", TEXT, nodes[PROCESS], "a node's name", "3d", "the engine that processes")},
    {ROW("encode-node", TEXT, nodes[ENCODE], "a node's name", "video2", "the engine that encodes")},
};

enum {
    RECONSTRUCTED = 2, /* what the encoder made last, to compare the next frame with */
    THINK_NS = 5000,   /* CPU time between a call's return and the next call, mean */
    FILL_NS = 50000    /* CPU time of writing or reading a bitstream, mean */
};

enum { RANDOM_ENGINE = SCRIPT_PACE + 1 };

struct stream {
    struct script script;
    const struct video *video;
    struct engine *engines; /* one for each stage, all streams' */
    uint64_t contexts[STAGES], fences[STAGES];
    uint64_t *decoded, *processed, reconstructed[RECONSTRUCTED];
    uint64_t *inputs, *outputs; /* bitstreams, one for each surface */
    uint64_t *done;             /* by frame modulo surfaces: when it is encoded */
    uint64_t frame, begin_ns;
};

static void start(struct stream *stream)
{
    struct script *script = &stream->script;
    const struct video *video = stream->video;
    script_create_device(script);
    for (uint32_t i = 0; i < STAGES; i++) {
        stream->contexts[i] = script_create_context(script, video->nodes[i], 0);
        stream->fences[i] = ++script->stage->fences;
    }
    const struct {
        const char *usage;
        uint64_t size, *names;
        uint32_t count;
    } kinds[] = {
        {"texture", video->surface_size, stream->decoded, video->surfaces},
        {"texture", video->surface_size, stream->processed, video->surfaces},
        {"texture", video->surface_size, stream->reconstructed, RECONSTRUCTED},
        {"upload", video->bitstream_size, stream->inputs, video->surfaces},
        {"readback", video->bitstream_size, stream->outputs, video->surfaces},
    };
    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        script_create(script, kinds[i].usage, kinds[i].size, kinds[i].names, kinds[i].count);
        script_make_resident(script, kinds[i].names, kinds[i].count);
    }
    stream->begin_ns = script->clock_ns;
}

/* One stage of the frame: behind the stage before it, and behind whoever still needs what it
 * overwrites. `now_ns` becomes when it is done. */
static void pass(struct stream *stream, enum stage_of_video stage, struct trace_names reads,
                 struct trace_names writes, uint64_t *now_ns)
{
    struct script *script = &stream->script;
    const struct video *video = stream->video;
    uint64_t gpu_ns = distribution_whole(&video->times, script->random[RANDOM_ENGINE],
                                         (double)video->stage_ns[stage]);
    if (stage != DECODE)
        script_wait(script, stream->contexts[stage], stream->fences[stage - 1], stream->frame + 1);
    if (stage != ENCODE && stream->frame >= video->surfaces)
        script_wait(script, stream->contexts[stage], stream->fences[stage + 1],
                    stream->frame - video->surfaces + 1);
    *now_ns = engine_run(&stream->engines[stage], *now_ns, gpu_ns);
    script_submit(script, stream->contexts[stage], gpu_ns, reads, writes);
    script_signal(script, stream->contexts[stage], stream->fences[stage], stream->frame + 1);
}

static void decode(struct stream *stream, uint32_t at, uint64_t *now_ns)
{
    const struct video *video = stream->video;
    struct trace_name *reads = script_names(&stream->script, video->references + 1);
    uint32_t count = 0;
    reads[count++].number = stream->inputs[at];
    for (uint64_t back = 1; back <= video->references && back <= stream->frame; back++)
        reads[count++].number = stream->decoded[(stream->frame - back) % video->surfaces];
    pass(stream, DECODE, (struct trace_names){reads, count},
         script_list(&stream->script, &stream->decoded[at], 1), now_ns);
}

static void process(struct stream *stream, uint32_t at, uint64_t *now_ns)
{
    struct script *script = &stream->script;
    pass(stream, PROCESS, script_list(script, &stream->decoded[at], 1),
         script_list(script, &stream->processed[at], 1), now_ns);
}

static void encode(struct stream *stream, uint32_t at, uint64_t *now_ns)
{
    struct script *script = &stream->script;
    uint64_t frame = stream->frame;
    const uint64_t reads[] = {stream->processed[at],
                              stream->reconstructed[(frame + 1) % RECONSTRUCTED]};
    const uint64_t writes[] = {stream->outputs[at], stream->reconstructed[frame % RECONSTRUCTED]};
    pass(stream, ENCODE, script_list(script, reads, frame > 0 ? 2 : 1),
         script_list(script, writes, 2), now_ns);
}

/* Reads what was encoded so many frames ago: its surfaces and buffers are free again. */
static void collect(struct stream *stream, uint64_t behind)
{
    if (stream->frame < behind)
        return;
    uint64_t frame = stream->frame - behind;
    uint32_t at = (uint32_t)(frame % stream->video->surfaces);
    script_wait_until(&stream->script, stream->fences[ENCODE], frame + 1, stream->done[at]);
    script_access(&stream->script, stream->outputs[at], FILL_NS);
}

static void hand_in(struct stream *stream)
{
    struct script *script = &stream->script;
    uint32_t at = (uint32_t)(stream->frame % stream->video->surfaces);
    script_access(script, stream->inputs[at], FILL_NS);
    uint64_t now = script->clock_ns;
    decode(stream, at, &now);
    process(stream, at, &now);
    encode(stream, at, &now);
    stream->done[at] = now;
    stream->frame++;
    collect(stream, stream->video->surfaces);
}

static bool act(struct script *script)
{
    struct stream *stream = (struct stream *)script;
    const struct video *video = stream->video;
    if (script->device == 0) {
        start(stream);
        return true;
    }
    if (stream->frame < video->frames) {
        hand_in(stream);
        uint64_t due = stream->begin_ns;
        if (video->rate > 0)
            due += (uint64_t)((double)stream->frame * 1e9 / video->rate);
        if (script->clock_ns < due)
            script->clock_ns = due;
        return true;
    }
    for (uint32_t behind = video->surfaces; behind-- > 1;)
        collect(stream, behind);
    script_exit(script);
    return false;
}

static void set(struct stage *stage, const void *of)
{
    const struct video *video = of;
    struct engine *engines = stage_memory(stage, STAGES, sizeof *engines);
    for (uint32_t i = 0; i < video->streams; i++) {
        struct stream *stream = stage_script(stage, stage_process(stage), act, sizeof *stream);
        struct script *script = &stream->script;
        stream->video = video;
        stream->engines = engines;
        uint64_t **rings[] = {&stream->decoded, &stream->processed, &stream->inputs,
                              &stream->outputs, &stream->done};
        for (uint32_t k = 0; k < sizeof rings / sizeof *rings; k++)
            *rings[k] = stage_memory(stage, video->surfaces, sizeof **rings[k]);
        script->think_ns = THINK_NS;
        script->clock_ns = (uint64_t)(gsl_rng_uniform(script->random[SCRIPT_PACE]) * 5e7);
    }
}

static const char *refuse(const void *of)
{
    const struct video *video = of;
    if (video->references >= video->surfaces)
        return "references: expected fewer than surfaces, which are what they lie in";
    return distribution_wrong(&video->times) ? DISTRIBUTION_WRONG : NULL;
}

const struct workload workload_video = {
    .name = "video",
    .summary = "streams that are decoded, processed and encoded on three engines",
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .size = sizeof(struct video),
    .refuse = refuse,
    .set = set,
};
