/* Training a network of equal layers, step after step.
 *
 * Every layer has weights, gradients, the optimiser's state and the activations of its forward
 * pass. A step uploads its input with the copy engine, goes forward through the layers, backward
 * with twice the work, and then has the optimiser update the weights. All memory lives as long as
 * the program, as with a caching allocator: layers x (weights x (2 + optimizer) + batch x
 * activations) and two inputs. It fits, or it does not: then a program may mind its memory and have
 * each submission's tensors resident around it, free to leave in between.
 *
 * Calls take time; the recorded machine has room for everything. */
#include "workloads/script.h"
#include "workloads/workloads.h"

enum residency { HELD, IN_TURN };

struct training {
    char node[PROFILE_NAME_SIZE];
    uint32_t layers, steps, ahead;
    double batch, optimizer;
    uint64_t weights, activations, input, layer_ns, update_ns;
    enum residency residency;
};

#define ROW(...) WORKLOAD_ROW(training, __VA_ARGS__)

static const struct key_spec parameters[] = {
    {ROW("steps", COUNT, steps, "1..1000000000", "20", "steps of training")},
    {ROW("layers", COUNT, layers, "1..4096", "24", "layers of the network")},
    {ROW("batch", NUMBER, batch, "0.01..10000", "1",
         "factor of activations, input and engine time: twice the batch doubles them")},
    {ROW("weights", SIZE, weights, "4KiB..4TB", "24MiB",
         "bytes of a layer's weights, and of its gradients")},
    {ROW("optimizer", NUMBER, optimizer, "0..16", "6",
         "bytes of the optimiser's state per byte of weights: 6 is Adam with 12 bytes for each "
         "weight of 2; 0: no state")},
    {ROW("activations", SIZE, activations, "4KiB..4TB", "64MiB", "bytes of a layer's activations")},
    {ROW("input", SIZE, input, "4KiB..4TB", "16MiB", "bytes of a step's input; there are two")},
    {ROW("layer-time", TIME, layer_ns, "1ns..1000s", "2ms",
         "engine time of a layer's forward pass; backward takes twice as long")},
    {ROW("update-time", TIME, update_ns, "1ns..1000s", "500us",
         "engine time of updating a layer's weights")},
    {ROW("residency", CHOICE, residency, "held, in-turn", "held",
         "held: everything is resident all the time; in-turn: what a submission needs is resident "
         "around it and evicted, if necessary, behind it")},
    {ROW("ahead", COUNT, ahead, "1..16", "2", "steps that may be in the queue at a time")},
    {ROW("node", TEXT, node, "a node's name", "compute", "the engine that computes")},
};

enum {
    INPUTS = 2,
    THINK_NS = 5000,   /* CPU time between a call's return and the next call, mean */
    FILL_NS = 1000000, /* CPU time of filling an input, mean */
    /* Bytes per ns at which the copy engine of the recorded machine takes an input. */
    COPY_RATE = 25
};

struct layer {
    uint64_t weights, gradients, state, activations;
};

struct trainer {
    struct script script;
    const struct training *training;
    struct engine engine, copier;
    uint64_t compute, copy, stepped, copied; /* contexts; fences */
    struct layer *layers;
    uint64_t inputs[INPUTS], uploads[INPUTS];
    uint64_t step;
    uint64_t *done; /* by step modulo ahead */
    uint32_t created;
};

static void start(struct trainer *trainer)
{
    struct script *script = &trainer->script;
    const struct training *training = trainer->training;
    uint64_t input = (uint64_t)((double)training->input * training->batch) + 1;
    script_create_device(script);
    trainer->compute = script_create_context(script, training->node, 0);
    trainer->copy = script_create_context(script, "copy", 0);
    trainer->stepped = ++script->stage->fences;
    trainer->copied = ++script->stage->fences;
    script_create(script, "buffer", input, trainer->inputs, INPUTS);
    script_create(script, "upload", input, trainer->uploads, INPUTS);
    script_make_resident(script, trainer->inputs, INPUTS);
    script_make_resident(script, trainer->uploads, INPUTS);
}

static void create_tensor(struct trainer *trainer, uint64_t size, uint64_t *name)
{
    script_create(&trainer->script, "buffer", size, name, 1);
    if (trainer->training->residency == HELD)
        script_make_resident(&trainer->script, name, 1);
}

static void create_layer(struct trainer *trainer, struct layer *layer)
{
    const struct training *training = trainer->training;
    create_tensor(trainer, training->weights, &layer->weights);
    create_tensor(trainer, training->weights, &layer->gradients);
    if (training->optimizer > 0)
        create_tensor(trainer, (uint64_t)((double)training->weights * training->optimizer) + 1,
                      &layer->state);
    create_tensor(trainer, (uint64_t)((double)training->activations * training->batch) + 1,
                  &layer->activations);
}

/* Fills the step's input and has it copied, once the step that used its place is done. */
static void upload(struct trainer *trainer)
{
    struct script *script = &trainer->script;
    const struct training *training = trainer->training;
    uint32_t at = trainer->step % INPUTS;
    uint64_t copy_ns = (uint64_t)((double)training->input * training->batch) / COPY_RATE + 1;
    if (trainer->step >= INPUTS)
        script_wait(script, trainer->copy, trainer->stepped, trainer->step - INPUTS + 1);
    script_access(script, trainer->uploads[at], FILL_NS);
    engine_run(&trainer->copier, script->clock_ns, copy_ns);
    script_submit(script, trainer->copy, copy_ns, script_list(script, &trainer->uploads[at], 1),
                  script_list(script, &trainer->inputs[at], 1));
    script_signal(script, trainer->copy, trainer->copied, trainer->step + 1);
    script_wait(script, trainer->compute, trainer->copied, trainer->step + 1);
}

/* A submission on tensors of which the first `reads` are read and the others written; 0 among
 * them is none. */
static void submit(struct trainer *trainer, double gpu_ns, const uint64_t *tensors, uint32_t reads,
                   uint32_t count)
{
    struct script *script = &trainer->script;
    bool in_turn = trainer->training->residency == IN_TURN;
    uint64_t list[8], length = 0, read = 0;
    for (uint32_t i = 0; i < count; i++)
        if (tensors[i] != 0) {
            list[length++] = tensors[i];
            read += i < reads;
        }
    if (in_turn)
        script_make_resident(script, list, (uint32_t)length);
    engine_run(&trainer->engine, script->clock_ns, (uint64_t)gpu_ns + 1);
    script_submit(script, trainer->compute, (uint64_t)gpu_ns + 1,
                  script_list(script, list, (uint32_t)read),
                  script_list(script, list + read, (uint32_t)(length - read)));
    if (in_turn)
        script_evict(script, list, (uint32_t)length, SCRIPT_EVICT_IF_NECESSARY);
}

static void step(struct trainer *trainer)
{
    struct script *script = &trainer->script;
    const struct training *training = trainer->training;
    struct layer *layers = trainer->layers;
    double layer_ns = (double)training->layer_ns * training->batch;
    upload(trainer);
    uint64_t from = trainer->inputs[trainer->step % INPUTS];
    for (uint32_t i = 0; i < training->layers; i++) {
        const uint64_t tensors[] = {layers[i].weights, from, layers[i].activations};
        submit(trainer, layer_ns, tensors, 2, 3);
        from = layers[i].activations;
    }
    for (uint32_t i = training->layers; i-- > 0;) {
        from = i > 0 ? layers[i - 1].activations : trainer->inputs[trainer->step % INPUTS];
        const uint64_t tensors[] = {layers[i].weights, layers[i].activations, from,
                                    layers[i].gradients};
        submit(trainer, 2 * layer_ns, tensors, 3, 4);
    }
    for (uint32_t i = 0; i < training->layers; i++) {
        const uint64_t tensors[] = {layers[i].gradients, layers[i].weights, layers[i].state};
        submit(trainer, (double)training->update_ns, tensors, 1, 3);
    }
    script_signal(script, trainer->compute, trainer->stepped, trainer->step + 1);
    trainer->done[trainer->step++ % training->ahead] = trainer->engine.free_ns;
    if (trainer->step >= training->ahead)
        script_wait_until(script, trainer->stepped, trainer->step - training->ahead + 1,
                          trainer->done[trainer->step % training->ahead]);
}

static bool act(struct script *script)
{
    struct trainer *trainer = (struct trainer *)script;
    const struct training *training = trainer->training;
    if (trainer->compute == 0) {
        start(trainer);
    } else if (trainer->created < training->layers) {
        create_layer(trainer, &trainer->layers[trainer->created++]);
    } else if (trainer->step < training->steps) {
        step(trainer);
    } else {
        script_wait_until(script, trainer->stepped, trainer->step, trainer->engine.free_ns);
        script_exit(script);
        return false;
    }
    return true;
}

static void set(struct stage *stage, const void *of)
{
    const struct training *training = of;
    struct trainer *trainer = stage_script(stage, stage_process(stage), act, sizeof *trainer);
    trainer->training = training;
    trainer->layers = stage_memory(stage, training->layers, sizeof *trainer->layers);
    trainer->done = stage_memory(stage, training->ahead, sizeof *trainer->done);
    trainer->script.think_ns = THINK_NS;
}

const struct workload workload_training = {
    .name = "training",
    .summary = "training a network: layers, activations, the optimiser's state",
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .size = sizeof(struct training),
    .set = set,
};
