#include "analysis/relay.h"
#include "analysis/handover.h"
#include "analysis/heap.h"
#include "analysis/series.h"

enum { TEXT_BYTES = 4096 };

enum said {
    SAID_CONTEXT,
    SAID_CALL,
    SAID_EXPECTED_CALL,
    SAID_PACKET,
    SAID_JOB,
    SAID_PAGING_JOB,
    SAID_WAIT,
    SAID_FOUND,
    SAID_ENGINE,
    SAID_SWITCH,
    SAID_ATTEMPT,
    SAID_RESET,
    SAID_PAGING,
    SAID_USES,
    SAID_GONE,
    SAID_RESIDENT,
    SAID_COMMITTED,
    SAID_CONTEXT_ALLOCATION,
    SAID_PRESENT,
    SAID_LINK,
    SAID_COUNT,
    SAID_ASSUME,
    SAID_SEGMENT,
};

/* One thing that the model said. What means nothing at the end of a part is left away, and the text
 * of a label stands behind it. */
struct message {
    uint16_t said, size; /* size: in the block, text included */
    enum probe_cause cause;
    uint64_t now_ns;
    union {
        struct {
            uint32_t id, pid, node;
            bool system;
            struct probe_label name;
        } context;
        struct probe_call call;
        struct probe_packet packet;
        struct probe_job job;
        struct {
            struct probe_thing who, what;
        } wait;
        struct {
            uint32_t node;
            enum probe_engine state;
            uint32_t depth, waiting;
        } engine;
        struct {
            uint32_t node, from, to;
            bool made;
            uint64_t cost_ns;
        } context_switch;
        struct {
            uint32_t node, context;
            enum probe_attempt result;
        } attempt;
        struct probe_paging paging;
        uint32_t uses; /* how many; they stand behind it */
        uint32_t gone;
        struct {
            uint32_t pid, segment;
            int64_t bytes;
        } share;
        struct {
            uint32_t context;
            int created, resident;
        } context_allocation;
        struct probe_present present;
        struct {
            uint32_t adapter;
            bool into_adapter, busy;
        } link;
        struct {
            const char *key;
            uint64_t count;
        } count;
        struct {
            uint32_t id;
            struct probe_segment_state state;
        } segment;
    };
};

/* The size of a message, whole and without the members from `member` on. */
#define MESSAGE(part)                                                                              \
    ((offsetof(struct message, part) + sizeof((struct message *)NULL)->part + 7) & ~(size_t)7)
#define MESSAGE_UNTIL(part, member) offsetof(struct message, part.member)

struct relay {
    struct handover handover;

    /* The model's thread. */
    struct probe probe;
    struct probe_machine machine;
    struct sampler sampler;

    /* The other one. */
    alignas(CACHE_LINE) struct probe *to;
    struct probe_segment_state seen[PROBE_SEGMENTS_MAX + 1]; /* the model's segments */
    struct probe_call call; /* the latest that nothing is expected of */
    struct probe_job job;   /* the latest that does not page */
};

void relay_catch_up(struct relay *relay)
{
    handover_catch_up(&relay->handover);
}

/* Where the next message goes. There is always room for any without a text. */
static inline struct message *room(void *self)
{
    const struct relay *relay = self;
    return (struct message *)(void *)relay->handover.at;
}

/* Puts that message, whose size is a multiple of eight. */
static inline void say(void *self, enum said said, uint64_t now_ns, size_t size)
{
    struct relay *relay = self;
    struct message *message = room(relay);
    message->said = (uint16_t)said;
    message->size = (uint16_t)size;
    message->now_ns = now_ns;
    relay->handover.at += size;
    if (relay->handover.at >= relay->handover.full)
        handover_give(&relay->handover);
}

/* The text goes behind the message, whose size so far that is; returns its size with it. */
static size_t add_text(struct message *message, size_t size, const char *text)
{
    if (text == NULL)
        return size;
    size_t length = strlen(text) + 1;
    memcpy((char *)message + size, text, length);
    return (size + length + 7) & ~(size_t)7;
}

/* A text that is too long for a message: what was told so far has been passed on, and the caller
 * passes this on himself. */
static bool is_too_long(struct relay *relay, const char *text)
{
    if (text == NULL || strnlen(text, TEXT_BYTES) < TEXT_BYTES)
        return false;
    relay_catch_up(relay);
    return true;
}

static void on_context(void *self, uint32_t id, uint32_t pid, uint32_t node,
                       struct probe_label name, bool system)
{
    struct relay *relay = self;
    if (is_too_long(relay, name.text)) {
        relay->to->context(relay->to->self, id, pid, node, name, system);
        return;
    }
    struct message *message = room(relay);
    message->context.id = id;
    message->context.pid = pid;
    message->context.node = node;
    message->context.name = name;
    message->context.system = system;
    say(relay, SAID_CONTEXT, 0, add_text(message, MESSAGE(context), name.text));
}

static void on_job(void *self, uint64_t now_ns, const struct probe_job *job)
{
    struct relay *relay = self;
    struct message *message = room(relay);
    if (job->paging == NULL) { /* no more is told of it */
        memcpy(&message->job, job, offsetof(struct probe_job, owner));
        say(relay, SAID_JOB, now_ns, MESSAGE_UNTIL(job, owner));
    } else if (is_too_long(relay, job->memory.text)) {
        relay->to->job(relay->to->self, now_ns, job);
    } else {
        message->job = *job;
        say(relay, SAID_PAGING_JOB, now_ns, add_text(message, MESSAGE(job), job->memory.text));
    }
}

static void on_paging(void *self, const struct probe_paging *operation)
{
    struct relay *relay = self;
    struct message *message = room(relay);
    if (is_too_long(relay, operation->allocation.text)) {
        relay->to->paging(relay->to->self, operation);
        return;
    }
    message->paging = *operation;
    say(relay, SAID_PAGING, 0, add_text(message, MESSAGE(paging), operation->allocation.text));
}

static void on_call(void *self, const struct probe_call *call)
{
    const struct probe_expected *expected = &call->expected;
    struct message *message = room(self);
    if (expected->has_status || expected->has_dur || expected->has_done) {
        message->call = *call;
        say(self, SAID_EXPECTED_CALL, 0, MESSAGE(call));
    } else {
        memcpy(&message->call, call, offsetof(struct probe_call, expected));
        say(self, SAID_CALL, 0, MESSAGE_UNTIL(call, expected));
    }
}

static void on_packet(void *self, uint64_t now_ns, const struct probe_packet *packet)
{
    room(self)->packet = *packet;
    say(self, SAID_PACKET, now_ns, MESSAGE(packet));
}

static void on_wait(void *self, uint64_t now_ns, struct probe_thing who, enum probe_cause cause,
                    struct probe_thing what)
{
    struct message *message = room(self);
    message->wait.who = who;
    message->wait.what = what;
    message->cause = cause;
    say(self, SAID_WAIT, now_ns, MESSAGE(wait));
}

static void on_found(void *self, struct probe_thing who, struct probe_thing what)
{
    struct message *message = room(self);
    message->wait.who = who;
    message->wait.what = what;
    say(self, SAID_FOUND, 0, MESSAGE(wait));
}

static void on_engine(void *self, uint64_t now_ns, uint32_t node, enum probe_engine state,
                      uint32_t depth, uint32_t waiting)
{
    struct message *message = room(self);
    message->engine.node = node;
    message->engine.state = state;
    message->engine.depth = depth;
    message->engine.waiting = waiting;
    say(self, SAID_ENGINE, now_ns, MESSAGE(engine));
}

static void on_switch(void *self, uint64_t now_ns, uint32_t node, uint32_t from, uint32_t to,
                      bool made, uint64_t cost_ns)
{
    struct message *message = room(self);
    message->context_switch.node = node;
    message->context_switch.from = from;
    message->context_switch.to = to;
    message->context_switch.made = made;
    message->context_switch.cost_ns = cost_ns;
    say(self, SAID_SWITCH, now_ns, MESSAGE(context_switch));
}

static void on_attempt(void *self, uint64_t now_ns, uint32_t node, uint32_t context,
                       enum probe_attempt result)
{
    struct message *message = room(self);
    message->attempt.node = node;
    message->attempt.context = context;
    message->attempt.result = result;
    say(self, SAID_ATTEMPT, now_ns, MESSAGE(attempt));
}

static void on_reset(void *self, uint64_t now_ns, uint32_t node, uint32_t context)
{
    struct message *message = room(self);
    message->attempt.node = node;
    message->attempt.context = context;
    say(self, SAID_RESET, now_ns, MESSAGE(attempt));
}

static void on_uses(void *self, uint64_t now_ns, const struct probe_use *use, uint32_t count)
{
    enum { MOST = TEXT_BYTES / sizeof *use };
    while (count != 0) {
        struct message *message = room(self);
        uint32_t part = count < MOST ? count : MOST;
        message->uses = part;
        memcpy((char *)message + MESSAGE(uses), use, part * sizeof *use);
        say(self, SAID_USES, now_ns, MESSAGE(uses) + part * sizeof *use);
        use += part;
        count -= part;
    }
}

static void on_gone(void *self, uint64_t now_ns, uint32_t allocation)
{
    room(self)->gone = allocation;
    say(self, SAID_GONE, now_ns, MESSAGE(gone));
}

static void see(struct relay *relay, uint32_t segment)
{
    struct message *message = room(relay);
    message->segment.id = segment;
    relay->machine.segment_state(relay->machine.model, segment, &message->segment.state);
    say(relay, SAID_SEGMENT, 0, MESSAGE(segment));
}

/* The other thread will come to look at the model's segments behind this change. */
static void look_ahead(struct relay *relay, uint64_t now_ns, uint32_t segment)
{
    bool thinned;
    if (relay->machine.segment_state == NULL)
        return;
    if (sampler_due(&relay->sampler, now_ns)) {
        sampler_add(&relay->sampler, now_ns, &thinned);
        for (uint32_t id = 1; id <= relay->machine.segments; id++)
            see(relay, id);
    } else if (sampler_again(&relay->sampler, now_ns) && segment != 0) {
        see(relay, segment);
    }
}

static void put_share(struct relay *relay, enum said said, uint64_t now_ns, uint32_t pid,
                      uint32_t segment, int64_t bytes)
{
    look_ahead(relay, now_ns, segment);
    struct message *message = room(relay);
    message->share.pid = pid;
    message->share.segment = segment;
    message->share.bytes = bytes;
    say(relay, said, now_ns, MESSAGE(share));
}

static void on_resident(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment, int64_t bytes)
{
    put_share(self, SAID_RESIDENT, now_ns, pid, segment, bytes);
}

static void on_committed(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment, int64_t bytes)
{
    put_share(self, SAID_COMMITTED, now_ns, pid, segment, bytes);
}

static void on_context_allocation(void *self, uint64_t now_ns, uint32_t context, int created,
                                  int resident)
{
    struct message *message = room(self);
    message->context_allocation.context = context;
    message->context_allocation.created = created;
    message->context_allocation.resident = resident;
    say(self, SAID_CONTEXT_ALLOCATION, now_ns, MESSAGE(context_allocation));
}

static void on_present(void *self, uint64_t now_ns, const struct probe_present *present)
{
    room(self)->present = *present;
    say(self, SAID_PRESENT, now_ns, MESSAGE(present));
}

static void on_link(void *self, uint64_t now_ns, uint32_t adapter, bool into_adapter, bool busy)
{
    struct message *message = room(self);
    message->link.adapter = adapter;
    message->link.into_adapter = into_adapter;
    message->link.busy = busy;
    say(self, SAID_LINK, now_ns, MESSAGE(link));
}

static void put_count(struct relay *relay, enum said said, const char *key, uint64_t count)
{
    struct message *message = room(relay);
    message->count.key = key;
    message->count.count = count;
    say(relay, said, 0, MESSAGE(count));
}

static void on_count(void *self, const char *key, uint64_t count)
{
    put_count(self, SAID_COUNT, key, count);
}

static void on_assume(void *self, const char *key, uint64_t count)
{
    put_count(self, SAID_ASSUME, key, count);
}

/* Rare. */
static void on_warn(void *self, const char *text)
{
    struct relay *relay = self;
    relay_catch_up(relay);
    relay->to->warn(relay->to->self, text);
}

static void seen_state(const void *self, uint32_t segment, struct probe_segment_state *state)
{
    const struct relay *relay = self;
    *state = relay->seen[segment];
}

static void on_machine(void *self, const struct probe_machine *machine)
{
    struct relay *relay = self;
    struct probe_machine copy = relay->machine = *machine;
    if (machine->segment_state != NULL) {
        copy.segment_state = seen_state;
        copy.model = relay;
    }
    relay_catch_up(relay);
    relay->to->machine(relay->to->self, &copy);
}

/* The other thread. */
static void pass_on(struct relay *relay, struct message *message)
{
    struct probe *to = relay->to;
    void *self = to->self;
    uint64_t now_ns = message->now_ns;
    switch ((enum said)message->said) {
    case SAID_CONTEXT:
        if (message->context.name.text != NULL)
            message->context.name.text = (char *)message + MESSAGE(context);
        to->context(self, message->context.id, message->context.pid, message->context.node,
                    message->context.name, message->context.system);
        return;
    case SAID_CALL:
        memcpy(&relay->call, &message->call, offsetof(struct probe_call, expected));
        to->call(self, &relay->call);
        return;
    case SAID_EXPECTED_CALL:
        to->call(self, &message->call);
        return;
    case SAID_PACKET:
        to->packet(self, now_ns, &message->packet);
        return;
    case SAID_JOB:
        memcpy(&relay->job, &message->job, offsetof(struct probe_job, owner));
        to->job(self, now_ns, &relay->job);
        return;
    case SAID_PAGING_JOB:
        if (message->job.memory.text != NULL)
            message->job.memory.text = (char *)message + MESSAGE(job);
        to->job(self, now_ns, &message->job);
        return;
    case SAID_WAIT:
        to->wait(self, now_ns, message->wait.who, message->cause, message->wait.what);
        return;
    case SAID_FOUND:
        to->found(self, message->wait.who, message->wait.what);
        return;
    case SAID_ENGINE:
        to->engine(self, now_ns, message->engine.node, message->engine.state, message->engine.depth,
                   message->engine.waiting);
        return;
    case SAID_SWITCH:
        to->context_switch(self, now_ns, message->context_switch.node, message->context_switch.from,
                           message->context_switch.to, message->context_switch.made,
                           message->context_switch.cost_ns);
        return;
    case SAID_ATTEMPT:
        to->attempt(self, now_ns, message->attempt.node, message->attempt.context,
                    message->attempt.result);
        return;
    case SAID_RESET:
        to->reset(self, now_ns, message->attempt.node, message->attempt.context);
        return;
    case SAID_PAGING:
        if (message->paging.allocation.text != NULL)
            message->paging.allocation.text = (char *)message + MESSAGE(paging);
        to->paging(self, &message->paging);
        return;
    case SAID_USES:
        to->uses(self, now_ns, (void *)((char *)message + MESSAGE(uses)), message->uses);
        return;
    case SAID_GONE:
        to->gone(self, now_ns, message->gone);
        return;
    case SAID_RESIDENT:
        to->resident(self, now_ns, message->share.pid, message->share.segment,
                     message->share.bytes);
        return;
    case SAID_COMMITTED:
        to->committed(self, now_ns, message->share.pid, message->share.segment,
                      message->share.bytes);
        return;
    case SAID_CONTEXT_ALLOCATION:
        to->context_allocation(self, now_ns, message->context_allocation.context,
                               message->context_allocation.created,
                               message->context_allocation.resident);
        return;
    case SAID_PRESENT:
        to->present(self, now_ns, &message->present);
        return;
    case SAID_LINK:
        to->link(self, now_ns, message->link.adapter, message->link.into_adapter,
                 message->link.busy);
        return;
    case SAID_COUNT:
        to->count(self, message->count.key, message->count.count);
        return;
    case SAID_ASSUME:
        to->assume(self, message->count.key, message->count.count);
        return;
    case SAID_SEGMENT:
        relay->seen[message->segment.id] = message->segment.state;
        return;
    }
}

static void pass_block_on(void *self, unsigned char *bytes, size_t length)
{
    for (unsigned char *at = bytes; at < bytes + length;) {
        struct message *message = (void *)at;
        at += message->size;
        pass_on(self, message);
    }
}

struct relay *relay_start(struct probe *to)
{
    struct relay *relay = heap_check(aligned_alloc(alignof(struct relay), sizeof *relay));
    *relay = (struct relay){.to = to};
    relay->probe = (struct probe){
        .self = relay,
        .machine = on_machine,
        .context = on_context,
        .call = on_call,
        .packet = on_packet,
        .job = to->job != NULL ? on_job : NULL,
        .wait = to->wait != NULL ? on_wait : NULL,
        .found = to->found != NULL ? on_found : NULL,
        .engine = on_engine,
        .context_switch = on_switch,
        .attempt = on_attempt,
        .reset = to->reset != NULL ? on_reset : NULL,
        .paging = on_paging,
        .uses = to->uses != NULL ? on_uses : NULL,
        .gone = to->gone != NULL ? on_gone : NULL,
        .resident = on_resident,
        .committed = on_committed,
        .context_allocation = on_context_allocation,
        .present = on_present,
        .link = on_link,
        .count = to->count != NULL ? on_count : NULL,
        .assume = on_assume,
        .warn = on_warn,
    };
    if (handover_start(&relay->handover, sizeof(struct message) + TEXT_BYTES, pass_block_on, relay))
        return relay;
    free(relay);
    return NULL;
}

struct probe *relay_probe(struct relay *relay)
{
    return &relay->probe;
}

void relay_end(struct relay *relay)
{
    if (relay == NULL)
        return;
    handover_end(&relay->handover);
    free(relay->sampler.t_ns);
    free(relay);
}
