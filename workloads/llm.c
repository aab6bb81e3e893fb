/* Serving a language model: weights that every step reads, and a cache of keys and values that
 * grows with each request.
 *
 * Requests arrive at random. The server works in steps: each makes one more token for every
 * request of the batch, and reads in the prompts of those that join it. The cache lies in chunks of
 * so many tokens, taken as a request grows and given back when it ends. When the budget for it is
 * used up, the request that came last spills: its chunks are evicted and it stops until there is
 * room for all of them again. A step begins when the one before is done, because it needs the
 * tokens that one made.
 *
 * The recorded machine has room for everything. A program that knows better leaves the part of the
 * weights that does not fit in system memory, and has the engine read it from there. */
#include "workloads/distribution.h"
#include "workloads/script.h"
#include "workloads/workloads.h"

#include "model/memory.h"

#include <stdlib.h>
#include <utlist.h>

struct llm {
    char node[PROFILE_NAME_SIZE];
    uint32_t requests, batch, context, chunk, weight_parts;
    double rate, prompt, reply, overflow_rate;
    uint64_t local, weights, token_size, cache, step_ns, prompt_ns;
    struct distribution intervals, prompts, replies;
    char segment[PROFILE_NAME_SIZE];
};

#define ROW(...) WORKLOAD_ROW(llm, __VA_ARGS__)

static const struct key_spec parameters[] = {
    {ROW("requests", COUNT, requests, "1..1000000000", "100", "requests in all")},
    {ROW("rate", NUMBER, rate, "0.001..1000000", "4", "requests per second, on average")},
    DISTRIBUTION_ROWS(llm, "intervals", intervals, "exponential", "0.5",
                      "the intervals between them"),
    {ROW("prompt", NUMBER, prompt, "1..1000000", "512", "tokens of a prompt, mean")},
    DISTRIBUTION_ROWS(llm, "prompts", prompts, "lognormal", "1", "the prompts' lengths"),
    {ROW("reply", NUMBER, reply, "1..1000000", "128", "tokens made for a request, mean")},
    DISTRIBUTION_ROWS(llm, "replies", replies, "exponential", "0.5", "the replies' lengths"),
    {ROW("context", COUNT, context, "2..1000000", "8192",
         "tokens of a request at most: a prompt is cut to half of it, the reply to the rest")},
    {ROW("batch", COUNT, batch, "1..4096", "16", "requests that are worked on at a time, at most")},
    {ROW("weights", SIZE, weights, "4KiB..4TB", "4GiB", "bytes of the model")},
    {ROW("weight-parts", COUNT, weight_parts, "1..4096", "32", "allocations that it lies in")},
    {ROW("token-size", SIZE, token_size, "1B..1GiB", "128KiB", "bytes of the cache for a token")},
    {ROW("chunk", COUNT, chunk, "1..1000000", "256", "tokens of an allocation of the cache")},
    {ROW("cache", SIZE, cache, "4KiB..4TB", "3GiB",
         "budget of the cache: at least what one request of full length takes")},
    {ROW("step-time", TIME, step_ns, "1ns..1000s", "12ms", "engine time of a step")},
    {ROW("prompt-time", TIME, prompt_ns, "0ns..1s", "100us",
         "engine time of reading a token of a prompt in")},
    {ROW("local", SIZE, local, "0B..4TB", "0B",
         "what the program takes the adapter to have: weights that do not fit beside the cache lie "
         "in "
         "the aperture; 0: it does not ask")},
    {ROW("overflow-rate", RATE, overflow_rate, "1MB/s..100TB/s", "20GB/s",
         "at which the engine reads weights in the aperture: a step takes so much longer")},
    WORKLOAD_SEGMENT_ROW(llm, segment, "any", "weights and cache"),
    {ROW("node", TEXT, node, "a node's name", "compute", "the engine that computes")},
};

enum { THINK_NS = 20000 /* CPU time between a call's return and the next call, mean */ };

enum { RANDOM_ARRIVAL = SCRIPT_PACE + 1, RANDOM_PROMPT, RANDOM_OUTPUT };

struct request {
    uint64_t number;        /* from 1: the value of the fence that says it has come */
    uint32_t prompt, reply; /* tokens */
    uint32_t made;          /* so far */
    uint32_t chunk_count;
    uint64_t *chunks;
    struct request *prev, *next;
};

/* Two threads: one takes requests in, the other computes. */
struct server {
    struct script script;
    const struct llm *llm;
    struct front *front;
    uint64_t compute, stepped, steps; /* context; fence and its value */
    uint64_t *weights;
    uint64_t step_ns;                              /* reading weights from system memory included */
    uint64_t chunk_size, chunks_most, chunks_used; /* of the budget */
    struct request *running, *spilled;             /* in the order they came */
    uint32_t running_count;
    uint32_t prompt_tokens; /* to be read in by the next step */
};

struct front {
    struct script script;
    const struct llm *llm;
    struct request *queue; /* come, and not yet taken up */
    uint64_t arrived, fence;
};

static uint32_t cut(uint64_t tokens, uint32_t most)
{
    return tokens < most ? (uint32_t)tokens : most;
}

static void arrive(struct front *front)
{
    gsl_rng *const *random = front->script.random;
    const struct llm *llm = front->llm;
    struct request *request = memory_new(1, sizeof *request);
    request->number = ++front->arrived;
    request->prompt = cut(distribution_whole(&llm->prompts, random[RANDOM_PROMPT], llm->prompt),
                          llm->context / 2);
    request->reply = cut(distribution_whole(&llm->replies, random[RANDOM_OUTPUT], llm->reply),
                         llm->context - request->prompt);
    DL_APPEND(front->queue, request);
    script_signal(&front->script, 0, front->fence, request->number);
}

static uint64_t arrival_interval(struct front *front)
{
    return distribution_whole(&front->llm->intervals, front->script.random[RANDOM_ARRIVAL],
                              1e9 / front->llm->rate);
}

static bool act_front(struct script *script)
{
    struct front *front = (struct front *)script;
    if (script->clock_ns != 0)
        arrive(front);
    script->clock_ns += arrival_interval(front);
    return front->arrived < front->llm->requests;
}

static void fini_front(struct script *script)
{
    struct front *front = (struct front *)script;
    struct request *request, *next;
    DL_FOREACH_SAFE (front->queue, request, next)
        free(request);
}

static uint64_t chunks_for(const struct llm *llm, uint64_t tokens)
{
    return (tokens + llm->chunk - 1) / llm->chunk;
}

/* Parts of the weights that the program leaves in system memory. */
static uint32_t parts_outside(const struct llm *llm)
{
    uint64_t part = llm->weights / llm->weight_parts;
    uint64_t room = llm->local > llm->cache ? llm->local - llm->cache : 0;
    if (llm->local == 0 || room >= llm->weights)
        return 0;
    return llm->weight_parts - (uint32_t)(room / part);
}

static void start(struct server *server)
{
    struct script *script = &server->script;
    const struct llm *llm = server->llm;
    script_create_device(script);
    server->compute = script_create_context(script, llm->node, 0);
    server->stepped = ++script->stage->fences;
    uint64_t part = llm->weights / llm->weight_parts;
    uint32_t outside = parts_outside(llm), inside = llm->weight_parts - outside;
    server->step_ns =
        llm->step_ns + (uint64_t)((double)(outside * part) * 1e9 / llm->overflow_rate);
    script->segment = "aperture";
    if (outside != 0)
        script_create(script, "buffer", part, server->weights + inside, outside);
    script->segment = workload_segment(llm->segment);
    if (inside != 0)
        script_create(script, "buffer", part, server->weights, inside);
    script_make_resident(script, server->weights, llm->weight_parts);
}

static void add_chunk(struct server *server, struct request *request)
{
    uint64_t *chunk = &request->chunks[request->chunk_count++];
    script_create(&server->script, "buffer", server->chunk_size, chunk, 1);
    script_make_resident(&server->script, chunk, 1);
    server->chunks_used++;
}

static void join(struct server *server, struct request *request)
{
    DL_APPEND(server->running, request);
    server->running_count++;
}

static void leave(struct server *server, struct request *request)
{
    DL_DELETE(server->running, request);
    server->running_count--;
    server->chunks_used -= request->chunk_count;
}

/* Chunks that the request is short of for its next token. */
static uint64_t shortage(const struct llm *llm, const struct request *request)
{
    return chunks_for(llm, request->prompt + request->made + 1) - request->chunk_count;
}

/* Whether the request can join the batch, and everybody in it still make a token. */
static bool has_room(const struct server *server, const struct request *request)
{
    uint64_t wanted = request->chunk_count + shortage(server->llm, request);
    const struct request *other;
    DL_FOREACH (server->running, other)
        wanted += shortage(server->llm, other);
    return server->running_count < server->llm->batch &&
           wanted <= server->chunks_most - server->chunks_used;
}

static void take_back(struct server *server, struct request *request)
{
    DL_DELETE(server->spilled, request);
    script_make_resident(&server->script, request->chunks, request->chunk_count);
    server->chunks_used += request->chunk_count;
    join(server, request);
}

static void take_up(struct server *server, struct request *request)
{
    struct front *front = server->front;
    DL_DELETE(front->queue, request);
    script_wait(&server->script, 0, front->fence, request->number);
    request->chunks =
        memory_new(chunks_for(server->llm, request->prompt + request->reply), sizeof(uint64_t));
    for (uint64_t chunks = chunks_for(server->llm, request->prompt); chunks > 0; chunks--)
        add_chunk(server, request);
    server->prompt_tokens += request->prompt;
    join(server, request);
}

/* Those that spilled go on first; then whoever has come, as long as there is room. */
static void fill_batch(struct server *server)
{
    while (server->spilled != NULL && has_room(server, server->spilled))
        take_back(server, server->spilled);
    while (server->spilled == NULL && server->front->queue != NULL &&
           has_room(server, server->front->queue))
        take_up(server, server->front->queue);
}

static void spill(struct server *server, struct request *request)
{
    leave(server, request);
    script_evict(&server->script, request->chunks, request->chunk_count, SCRIPT_EVICT_NOW);
    DL_PREPEND(server->spilled, request);
}

/* Room for one more token of each request; the last one spills where there is none. */
static void grow(struct server *server)
{
    struct request *request = server->running;
    while (request != NULL) {
        struct request *last = server->running->prev;
        if (shortage(server->llm, request) == 0) {
            request = request->next;
        } else if (server->chunks_used < server->chunks_most) {
            add_chunk(server, request);
        } else {
            request = last != request ? request : NULL;
            spill(server, last);
        }
    }
}

static void compute(struct server *server)
{
    struct script *script = &server->script;
    const struct llm *llm = server->llm;
    struct trace_name *reads =
        script_names(script, llm->weight_parts + (uint32_t)server->chunks_used);
    struct trace_name *writes = script_names(script, server->running_count);
    uint32_t read = 0, written = 0;
    for (uint32_t i = 0; i < llm->weight_parts; i++)
        reads[read++].number = server->weights[i];
    struct request *request;
    DL_FOREACH (server->running, request) {
        uint32_t last = request->chunk_count - 1;
        for (uint32_t i = 0; i < last; i++)
            reads[read++].number = request->chunks[i];
        writes[written++].number = request->chunks[last];
    }
    uint64_t gpu_ns = server->step_ns + server->prompt_tokens * llm->prompt_ns;
    uint64_t done = script->clock_ns + gpu_ns;
    script_submit(script, server->compute, gpu_ns, (struct trace_names){reads, read},
                  (struct trace_names){writes, written});
    script_signal(script, server->compute, server->stepped, ++server->steps);
    script_wait_until(script, server->stepped, server->steps, done);
    server->prompt_tokens = 0;
}

/* Each request has one token more; those that have all give back what they hold. */
static void finish(struct server *server)
{
    struct request *request, *next;
    DL_FOREACH_SAFE (server->running, request, next) {
        if (++request->made < request->reply)
            continue;
        leave(server, request);
        script_evict(&server->script, request->chunks, request->chunk_count, SCRIPT_EVICT_NOW);
        script_destroy(&server->script, request->chunks, request->chunk_count);
        free(request->chunks);
        free(request);
    }
}

static bool act_server(struct script *script)
{
    struct server *server = (struct server *)script;
    const struct front *front = server->front;
    if (server->compute == 0) {
        start(server);
        return true;
    }
    fill_batch(server);
    grow(server);
    if (server->running != NULL) {
        compute(server);
        finish(server);
        return true;
    }
    if (front->arrived < server->llm->requests) { /* the next one comes at the front's clock */
        script_wait_until(script, front->fence, front->arrived + 1, front->script.clock_ns + 1);
        return true;
    }
    script_exit(script);
    return false;
}

static void fini_server(struct script *script)
{
    struct server *server = (struct server *)script;
    struct request *request, *next, *lists[] = {server->running, server->spilled};
    for (uint32_t i = 0; i < 2; i++)
        DL_FOREACH_SAFE (lists[i], request, next) {
            free(request->chunks);
            free(request);
        }
}

static void set(struct stage *stage, const void *of)
{
    const struct llm *llm = of;
    uint32_t pid = stage_process(stage);
    struct server *server = stage_script(stage, pid, act_server, sizeof *server);
    struct front *front = stage_script(stage, pid, act_front, sizeof *front);
    server->llm = front->llm = llm;
    server->front = front;
    server->script.fini = fini_server;
    server->script.think_ns = THINK_NS;
    server->weights = stage_memory(stage, llm->weight_parts, sizeof *server->weights);
    server->chunk_size = llm->chunk * llm->token_size;
    server->chunks_most = llm->cache / server->chunk_size;
    front->script.fini = fini_front;
    front->fence = ++stage->fences;
}

static const char *refuse(const void *of)
{
    const struct llm *llm = of;
    if (distribution_wrong(&llm->intervals) || distribution_wrong(&llm->prompts) ||
        distribution_wrong(&llm->replies))
        return DISTRIBUTION_WRONG;
    if (llm->weights / llm->weight_parts < 4096)
        return "a part of the weights has less than 4 KiB: expected fewer weight-parts";
    if (chunks_for(llm, llm->context) * llm->chunk > llm->cache / llm->token_size)
        return "the cache does not hold one request of full length: expected a larger cache or a "
               "smaller context";
    return NULL;
}

const struct workload workload_llm = {
    .name = "llm",
    .summary = "serving a language model: weights, and a cache that grows with each request",
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .size = sizeof(struct llm),
    .refuse = refuse,
    .set = set,
};
