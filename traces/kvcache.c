/* The "kvcache" trace format: requests to a server of a language model, and which blocks of the
 * key-value cache each of them needs. JSON Lines as the authors of Mooncake published them:
 *
 *   {"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47, 2353]}
 *
 * with the time in milliseconds, lengths in tokens, and a number for each 512 tokens of input: the
 * same one for the same tokens behind the same beginning. A block is made for the first request
 * that names it, and gone when nothing later does. */
#include "traces/buffer.h"
#include "traces/facts.h"
#include "traces/json_scan.h"
#include "traces/message.h"
#include "traces/reader.h"
#include "traces/sorter.h"
#include "traces/vocabulary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

extern const struct trace_format trace_format_kvcache;

enum {
    BLOCK_TOKENS = 512,
    MOST_TOKENS = 1000000000,
    MOST_BLOCKS = 1 << 20, /* of one request */
    SORTER_MEMORY = 16 * 1024 * 1024,
    PROGRESS_EVERY = 1024,
};

struct request {
    struct trace_sorted order; /* key: its number, in the order of the file */
    uint64_t origin, t_ns, input, output;
};

/* A block that a request needs. First in order of blocks, so that the first and the last use are
 * known, then in order of requests. */
struct use {
    struct trace_sorted order;
    uint64_t block, request;
    bool first, last;
};

struct names {
    struct trace_name *items;
    size_t count, room;
};

struct kvcache {
    struct trace_input *input;
    const struct trace_open_options *options;
    struct json_scan scan;
    struct trace_facts facts;
    struct trace_error damage; /* behind which nothing could be read; message "": none */
    bool damage_told;
    const char *failure; /* of memory or temporary space; NULL: none */
    struct trace_sorter *requests, *blocks, *uses;
    uint64_t *line; /* the blocks of a line */
    size_t line_count, line_room;
    int64_t block_bytes, prefill_ns, decode_ns;
    uint64_t undecodable, count, references, distinct, input_tokens, output_tokens;
    uint64_t most_blocks;
    int64_t start_ns, last_ns;

    /* handing out */
    struct names reads, writes, gone;
    struct trace_allocation *creations;
    size_t creation_room;
    const struct use *use; /* the next one */
    struct trace_event queue[3];
    unsigned queue_count, queue_next;
    bool begun;
    uint64_t origin;
    char place[400];
};

static bool fail(struct kvcache *cache, const struct trace_sorter *sorter)
{
    const char *why = sorter != NULL ? trace_sorter_failure(sorter) : NULL;
    cache->failure = why != NULL ? why : "out of memory";
    return false;
}

/* Reading. Functions that answer false have failed, the scan or `fail`. */

/* A number times 10^decimals; anything else, and what is negative, is -1. */
static bool read_number(struct json_scan *scan, int decimals, int64_t *value)
{
    struct json_text text;
    *value = -1;
    if (json_scan_kind(scan) != '0')
        return json_scan_skip(scan);
    if (!json_scan_number(scan, &text))
        return false;
    if (!json_scaled(text, decimals, value) || *value < 0)
        *value = -1;
    return true;
}

static bool read_blocks(struct kvcache *cache)
{
    struct json_scan *scan = &cache->scan;
    if (!json_scan_enter(scan, '['))
        return false;
    while (json_scan_item(scan)) {
        int64_t block;
        if (cache->line_count == MOST_BLOCKS)
            return json_scan_fail(scan, json_scan_offset(scan), "too many hash_ids");
        if (!read_number(scan, 0, &block))
            return false;
        uint64_t *grown =
            trace_array_grow(cache->line, &cache->line_room, cache->line_count + 1, sizeof *grown);
        if (grown == NULL)
            return fail(cache, NULL);
        cache->line = grown;
        if (block >= 0)
            grown[cache->line_count++] = (uint64_t)block;
        else
            cache->undecodable++;
    }
    return !json_scan_failed(scan);
}

static bool add_request(struct kvcache *cache, struct request *request)
{
    request->order.key = cache->count++;
    cache->input_tokens += request->input;
    cache->output_tokens += request->output;
    if (!trace_sorter_put(cache->requests, request))
        return fail(cache, cache->requests);
    for (size_t i = 0; i < cache->line_count; i++) {
        const struct use use = {.order = {cache->line[i], request->order.key},
                                .block = cache->line[i],
                                .request = request->order.key};
        if (!trace_sorter_put(cache->blocks, &use))
            return fail(cache, cache->blocks);
    }
    return true;
}

static bool read_line(struct kvcache *cache)
{
    struct json_scan *scan = &cache->scan;
    struct json_text key;
    struct request request = {.origin = json_scan_offset(scan)};
    int64_t t_ns = -1, input = -1, output = -1;
    cache->line_count = 0;
    if (!json_scan_enter(scan, '{'))
        return false;
    while (json_scan_key(scan, &key)) {
        if (json_text_is(key, "timestamp")       ? !read_number(scan, 6, &t_ns)
            : json_text_is(key, "input_length")  ? !read_number(scan, 0, &input)
            : json_text_is(key, "output_length") ? !read_number(scan, 0, &output)
            : json_text_is(key, "hash_ids") && json_scan_kind(scan) == '[' ? !read_blocks(cache)
                                                                           : !json_scan_skip(scan))
            return false;
    }
    if (json_scan_failed(scan))
        return false;
    if (t_ns < cache->last_ns || input < 0 || output < 0 || input > MOST_TOKENS ||
        output > MOST_TOKENS) {
        cache->undecodable++;
        return true;
    }
    if (cache->count == 0)
        cache->start_ns = t_ns;
    cache->last_ns = t_ns;
    request.t_ns = (uint64_t)(t_ns - cache->start_ns);
    request.input = (uint64_t)input;
    request.output = (uint64_t)output;
    return add_request(cache, &request);
}

static void show_progress(const struct kvcache *cache)
{
    uint64_t done, total;
    if (cache->options == NULL || cache->options->progress == NULL)
        return;
    trace_input_progress(cache->input, &done, &total);
    cache->options->progress(cache->options->progress_self, done, total);
}

/* What is whole is read; `damage` says what came then. */
static bool read_lines(struct kvcache *cache)
{
    for (uint64_t line = 0; !json_scan_at_end(&cache->scan); line++) {
        if (json_scan_failed(&cache->scan) || !read_line(cache))
            break;
        if (line % PROGRESS_EVERY == 0)
            show_progress(cache);
    }
    return cache->failure == NULL;
}

/* Uses, block by block: which is the first and which the last. */
static bool mark_uses(struct kvcache *cache)
{
    const struct use *next;
    struct use use = {0};
    bool any = false;
    if (!trace_sorter_start(cache->blocks))
        return fail(cache, cache->blocks);
    do {
        next = trace_sorter_next(cache->blocks);
        bool same = any && next != NULL && next->block == use.block;
        if (same && next->request == use.request)
            continue; /* named twice */
        if (any) {
            use.order = (struct trace_sorted){use.request, use.block};
            use.last = !same;
            if (!trace_sorter_put(cache->uses, &use))
                return fail(cache, cache->uses);
        }
        if (next != NULL) {
            use = *next;
            use.first = !same;
            cache->references++;
            cache->distinct += use.first;
        }
        any = true;
    } while (next != NULL);
    return trace_sorter_failure(cache->blocks) == NULL || fail(cache, cache->blocks);
}

/* How many blocks there are at the same time. */
static bool count_blocks(struct kvcache *cache)
{
    uint64_t alive = 0, going = 0, request = 0;
    const struct use *use;
    if (!trace_sorter_start(cache->uses))
        return fail(cache, cache->uses);
    while ((use = trace_sorter_next(cache->uses)) != NULL) {
        if (use->request != request) {
            alive -= going;
            going = 0;
        }
        request = use->request;
        alive += use->first;
        going += use->last;
        if (alive > cache->most_blocks)
            cache->most_blocks = alive;
    }
    return trace_sorter_failure(cache->uses) == NULL || fail(cache, cache->uses);
}

/* Handing out. */

static void give_name(struct trace_event *event, enum trace_field field, struct trace_name *to,
                      const char *name)
{
    *to = (struct trace_name){.text = name};
    event->given |= TRACE_GIVEN(field);
}

static struct trace_event *emit(struct kvcache *cache, enum trace_op op, uint64_t t_ns)
{
    struct trace_event *event = &cache->queue[cache->queue_count++];
    *event = (struct trace_event){.op = op, .t_ns = t_ns};
    return event;
}

static void emit_prelude(struct kvcache *cache)
{
    struct trace_event *event = emit(cache, TRACE_CREATE_DEVICE, 0);
    give_name(event, TRACE_DEVICE, &event->device, "gpu 0");
    event->existing = true;
    event->given |= TRACE_GIVEN(TRACE_EXISTING);
    event = emit(cache, TRACE_CREATE_CONTEXT, 0);
    give_name(event, TRACE_CONTEXT, &event->context, "requests");
    give_name(event, TRACE_DEVICE, &event->device, "gpu 0");
    give_name(event, TRACE_NODE, &event->node, "compute");
    event->existing = true;
    event->given |= TRACE_GIVEN(TRACE_EXISTING);
}

static bool put_name(struct kvcache *cache, struct names *names, uint64_t block)
{
    struct trace_name *grown =
        trace_array_grow(names->items, &names->room, names->count + 1, sizeof *grown);
    if (grown == NULL)
        return fail(cache, NULL);
    names->items = grown;
    grown[names->count++] = (struct trace_name){.number = block};
    return true;
}

static bool put_creation(struct kvcache *cache, size_t count, uint64_t block)
{
    struct trace_allocation *grown =
        trace_array_grow(cache->creations, &cache->creation_room, count + 1, sizeof *grown);
    if (grown == NULL)
        return fail(cache, NULL);
    cache->creations = grown;
    grown[count] = (struct trace_allocation){
        .allocation = {.number = block},
        .size = (uint64_t)cache->block_bytes,
        .usage = "buffer",
        .given = TRACE_GIVEN(TRACE_ALLOCATION) | TRACE_GIVEN(TRACE_SIZE) | TRACE_GIVEN(TRACE_USAGE),
    };
    return true;
}

/* Sorts out what a request needs. */
static bool take_uses(struct kvcache *cache, const struct request *request)
{
    cache->reads.count = cache->writes.count = cache->gone.count = 0;
    for (; cache->use != NULL && cache->use->request == request->order.key;
         cache->use = trace_sorter_next(cache->uses)) {
        const struct use *use = cache->use;
        if (use->first && !put_creation(cache, cache->writes.count, use->block))
            return false;
        if (!put_name(cache, use->first ? &cache->writes : &cache->reads, use->block) ||
            (use->last && !put_name(cache, &cache->gone, use->block)))
            return false;
    }
    return cache->use != NULL || trace_sorter_failure(cache->uses) == NULL ||
           fail(cache, cache->uses);
}

/* Tokens of the input that no earlier request left in the cache; the last one is always computed.
 */
static uint64_t computed(const struct request *request, size_t cached_blocks)
{
    uint64_t cached = (uint64_t)cached_blocks * BLOCK_TOKENS;
    return cached < request->input ? request->input - cached : request->input > 0;
}

static struct trace_names list_of(const struct names *names)
{
    return (struct trace_names){.items = names->items, .count = (uint32_t)names->count};
}

static void emit_request(struct kvcache *cache, const struct request *request)
{
    if (cache->writes.count > 0) {
        struct trace_event *event = emit(cache, TRACE_CREATE_ALLOCATION, request->t_ns);
        give_name(event, TRACE_DEVICE, &event->device, "gpu 0");
        event->creations =
            (struct trace_allocations){cache->creations, (uint32_t)cache->writes.count};
        event->given |= TRACE_GIVEN(TRACE_CREATIONS);
    }
    struct trace_event *event = emit(cache, TRACE_SUBMIT, request->t_ns);
    give_name(event, TRACE_CONTEXT, &event->context, "requests");
    event->gpu_ns = computed(request, cache->reads.count) * (uint64_t)cache->prefill_ns +
                    request->output * (uint64_t)cache->decode_ns;
    event->allocations = list_of(&cache->reads);
    event->writes = list_of(&cache->writes);
    event->given |= TRACE_GIVEN(TRACE_GPU);
    if (cache->reads.count > 0)
        event->given |= TRACE_GIVEN(TRACE_ALLOCATIONS);
    if (cache->writes.count > 0)
        event->given |= TRACE_GIVEN(TRACE_WRITES);
    if (cache->gone.count > 0) {
        event = emit(cache, TRACE_DESTROY_ALLOCATION, request->t_ns);
        give_name(event, TRACE_DEVICE, &event->device, "gpu 0");
        event->allocations = list_of(&cache->gone);
        event->given |= TRACE_GIVEN(TRACE_ALLOCATIONS);
    }
}

/* The next events into the queue; false: that was all, or failed. */
static bool refill(struct kvcache *cache)
{
    cache->queue_next = cache->queue_count = 0;
    if (!cache->begun) {
        cache->begun = true;
        emit_prelude(cache);
        return true;
    }
    const struct request *request = trace_sorter_next(cache->requests);
    if (request == NULL)
        return trace_sorter_failure(cache->requests) != NULL && fail(cache, cache->requests);
    if (!take_uses(cache, request))
        return false;
    cache->origin = request->origin;
    emit_request(cache, request);
    return true;
}

static bool fail_memory(const struct kvcache *cache, struct trace_error *error)
{
    return trace_fail(error, false, "%s: %s", trace_input_path(cache->input),
                      cache->failure != NULL ? cache->failure : "out of memory");
}

static enum trace_result kvcache_next(void *state, struct trace_event *event,
                                      struct trace_error *error)
{
    struct kvcache *cache = state;
    if (cache->queue_next == cache->queue_count && !refill(cache)) {
        if (cache->failure != NULL) {
            fail_memory(cache, error);
            return TRACE_BAD;
        }
        if (cache->damage.message[0] == '\0' || cache->damage_told)
            return TRACE_END;
        cache->damage_told = true;
        *error = cache->damage;
        return TRACE_BAD;
    }
    *event = cache->queue[cache->queue_next++];
    return TRACE_EVENT;
}

static const char *kvcache_place(void *state)
{
    struct kvcache *cache = state;
    snprintf(cache->place, sizeof cache->place, "%.300s: offset %" PRIu64,
             trace_input_path(cache->input), cache->origin);
    return cache->place;
}

static const struct trace_fact *kvcache_facts(void *state, size_t *count)
{
    struct kvcache *cache = state;
    *count = cache->facts.count;
    return cache->facts.items;
}

static void kvcache_close(void *state)
{
    struct kvcache *cache = state;
    trace_sorter_free(cache->requests);
    trace_sorter_free(cache->blocks);
    trace_sorter_free(cache->uses);
    trace_facts_free(&cache->facts);
    trace_input_close(cache->input);
    free(cache->line);
    free(cache->reads.items);
    free(cache->writes.items);
    free(cache->gone.items);
    free(cache->creations);
    free(cache);
}

/* Opening. */

static void add_facts(struct kvcache *cache)
{
    struct trace_facts *facts = &cache->facts;
    trace_facts_add(facts, "requests", "requests", "", cache->count);
    trace_facts_add(facts, "input-tokens", "tokens they brought", "", cache->input_tokens);
    trace_facts_add(facts, "output-tokens", "tokens they were answered with", "",
                    cache->output_tokens);
    trace_facts_add(facts, "references", "blocks that they needed", "", cache->references);
    trace_facts_add(facts, "blocks", "different ones", "", cache->distinct);
    trace_facts_add(facts, "blocks-most", "most at the same time", "", cache->most_blocks);
    trace_facts_add(facts, "undecodable",
                    "requests left out: incomplete, or earlier than the one before", "",
                    cache->undecodable);
    trace_facts_add(facts, "assumed-block-bytes", "a block is taken to have", "bytes",
                    (uint64_t)cache->block_bytes);
    trace_facts_add(facts, "assumed-prefill-ns", "a token of input that is not cached takes", "ns",
                    (uint64_t)cache->prefill_ns);
    trace_facts_add(facts, "assumed-decode-ns", "a token of output takes", "ns",
                    (uint64_t)cache->decode_ns);
    trace_facts_lack(facts,
                     "how large a block is, and how long the GPU takes for a token: assumed, "
                     "--reader says what");
    trace_facts_lack(facts, "when blocks are dropped: taken to be when nothing later needs them");
    trace_facts_lack(facts, "the model's own memory, and the blocks of what is generated");
}

static bool read_setting(struct kvcache *cache, const char *key, int64_t least, int64_t most,
                         int64_t *value, struct trace_error *error)
{
    const char *text = trace_setting(&trace_format_kvcache, cache->options, key);
    struct json_text number = {text, strlen(text)};
    return (json_scaled(number, 0, value) && *value >= least && *value <= most) ||
           trace_fail_setting(&trace_format_kvcache, key, text, error);
}

static bool read_settings(struct kvcache *cache, struct trace_error *error)
{
    static const int64_t LARGEST = INT64_C(1) << 40, LONGEST = 1000000000;
    return read_setting(cache, "block-bytes", 1, LARGEST, &cache->block_bytes, error) &&
           read_setting(cache, "prefill-ns", 0, LONGEST, &cache->prefill_ns, error) &&
           read_setting(cache, "decode-ns", 0, LONGEST, &cache->decode_ns, error);
}

static bool read_all(struct kvcache *cache, struct trace_error *error)
{
    if (!json_scan_open(&cache->scan, cache->input, error))
        return false;
    cache->scan.error = &cache->damage;
    bool good = read_lines(cache) && mark_uses(cache) && count_blocks(cache);
    json_scan_close(&cache->scan);
    if (!good)
        return fail_memory(cache, error);
    if (cache->count == 0) {
        if (cache->damage.message[0] != '\0')
            *error = cache->damage;
        else
            trace_fail(error, false, "%s: holds no requests", trace_input_path(cache->input));
        error->skippable = false;
        return false;
    }
    if (!trace_sorter_start(cache->requests) || !trace_sorter_start(cache->uses)) {
        fail(cache, NULL);
        return fail_memory(cache, error);
    }
    cache->use = trace_sorter_next(cache->uses);
    return true;
}

static bool kvcache_open(struct trace_input *input, const struct trace_open_options *options,
                         void **state, struct trace_header *header, struct trace_error *error)
{
    struct kvcache *cache = trace_input_reader(input, sizeof *cache, error);
    *state = NULL;
    if (cache == NULL)
        return false;
    cache->input = input;
    cache->options = options;
    cache->requests = trace_sorter_create(sizeof(struct request), SORTER_MEMORY);
    cache->blocks = trace_sorter_create(sizeof(struct use), SORTER_MEMORY);
    cache->uses = trace_sorter_create(sizeof(struct use), SORTER_MEMORY);
    bool good = cache->requests != NULL && cache->blocks != NULL && cache->uses != NULL;
    if (!good)
        fail_memory(cache, error);
    good = good && read_settings(cache, error) && read_all(cache, error);
    if (good)
        add_facts(cache);
    const char *json = good ? trace_facts_json(&cache->facts) : NULL;
    if (good && (json == NULL || cache->facts.failed))
        good = fail_memory(cache, error);
    if (!good) {
        kvcache_close(cache);
        return false;
    }
    *header = (struct trace_header){
        .version = TRACE_VERSION,
        .source = "requests to a language model and their cache blocks",
        .residency = TRACE_RESIDENCY_PER_SUBMIT,
        .unknown_size = TRACE_DEFAULT_UNKNOWN_SIZE,
        .extras = json,
    };
    *state = cache;
    return true;
}

static bool kvcache_detect(const unsigned char *head, size_t length)
{
    static const char key[] = "\"hash_ids\"";
    size_t line = 0;
    while (line < length && head[line] != '\n')
        line++;
    return length > 0 && head[0] == '{' && memmem(head, line, key, sizeof key - 1) != NULL;
}

static const struct trace_setting settings[] = {
    {"block-bytes", "a number of bytes", "67108864",
     "what a block of 512 tokens takes; 64 MiB is 128 KiB a token, as of Llama 3 8B in 16 bits"},
    {"prefill-ns", "a number of nanoseconds", "25000",
     "engine time for each token of input that is not in the cache"},
    {"decode-ns", "a number of nanoseconds", "170000", "engine time for each token of output"},
};

const struct trace_format trace_format_kvcache = {
    .name = "kvcache",
    .summary = "requests to a language model and their cache blocks (JSON Lines)",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .names_its_own = true,
    .detect = kvcache_detect,
    .open = kvcache_open,
    .next = kvcache_next,
    .place = kvcache_place,
    .facts = kvcache_facts,
    .close = kvcache_close,
};
