/* What goes through the software queues: submissions, presents, waits and signals (178, 244, 245),
 * with what engine.c learned about each packet. */
#include "traces/etl/import.h"

struct etl_fence {
    struct etl_fence *next; /* in the order of first naming */
    struct trace_name name;
    uint64_t lowest_signal, highest_wait; /* NEVER and 0: none */
    bool waited;
};

static struct etl_fence *fence_of(struct etl_import *import, uint64_t handle)
{
    struct etl_fence *fence = trace_map_get(&import->fences, handle, 0);
    if (fence != NULL)
        return fence;
    fence = etl_take(import, 1, sizeof *fence);
    if (fence == NULL)
        return NULL;
    fence->lowest_signal = NEVER;
    /* No record creates or destroys the object in a way that bounds the life of its handle. */
    fence->name = etl_name(import, KIND_FENCE, handle);
    if (import->last_fence != NULL)
        import->last_fence->next = fence;
    else
        import->first_fence = fence;
    import->last_fence = fence;
    etl_put(import, &import->fences, handle, 0, fence);
    return fence;
}

static void give_packet(struct trace_event *event, const struct etl_packet *packet)
{
    if (packet->stop_ns != NEVER && packet->stop_ns > event->done_ns)
        etl_give_done(event, packet->stop_ns);
}

static struct trace_event *emit_on_context(struct etl_import *import, enum trace_op op,
                                           const struct etl_event *event,
                                           const struct etl_values *values)
{
    struct etl_context *context = etl_context_of(import, etl_get(values, ETL_hContext), event);
    struct trace_event *emitted =
        context != NULL ? etl_emit(import, op, event, event->t_ns, ORDER_RECORDED) : NULL;
    if (emitted == NULL)
        return NULL;
    emitted->context = context->name;
    emitted->given |= TRACE_GIVEN(TRACE_CONTEXT);
    return emitted;
}

static void submit(struct etl_import *import, const struct etl_event *event,
                   const struct etl_values *values, const struct etl_thread *thread,
                   const struct etl_packet *packet)
{
    static const uint16_t calls[] = {2102, 2013, 0};
    struct trace_event *emitted = emit_on_context(import, TRACE_SUBMIT, event, values);
    if (emitted == NULL)
        return;
    emitted->gpu_ns = packet->gpu_ns;
    emitted->given |= TRACE_GIVEN(TRACE_GPU);
    uint64_t bytes = etl_get(values, ETL_DmaBufferSize);
    if (bytes <= INT64_MAX) {
        emitted->bytes = bytes;
        emitted->given |= TRACE_GIVEN(TRACE_BYTES);
    } else {
        import->tally.values_too_large++;
    }
    import->tally.submits_without_engine_time += packet->pieces == 0;
    if (packet->driver_ns != NEVER) {
        emitted->driver_ns = packet->driver_ns;
        emitted->given |= TRACE_GIVEN(TRACE_DRIVER);
    }
    if (packet->interrupt_ns != NEVER) { /* with the way there */
        emitted->interrupt_ns = packet->interrupt_ns + import->latency_ns;
        emitted->given |= TRACE_GIVEN(TRACE_INTERRUPT);
    }
    if (packet->switches > 0 && packet->node < NODES_MAX) {
        uint64_t switched = packet->switches * import->nodes[packet->node].switch_ns;
        emitted->switch_ns = switched < packet->gpu_ns / 2 ? switched : packet->gpu_ns / 2;
        if (emitted->switch_ns > 0)
            emitted->given |= TRACE_GIVEN(TRACE_SWITCH);
        import->tally.switches += packet->switches;
        import->nodes[packet->node].switches += packet->switches;
    }
    uint64_t context = etl_get(values, ETL_hContext), buffer = etl_get(values, ETL_hDmaBuffer);
    const struct etl_references *references =
        buffer != 0 ? trace_map_get(&import->references, context, buffer) : NULL;
    if (references != NULL) {
        emitted->allocations = references->reads;
        emitted->writes = references->writes;
        if (references->reads.count > 0)
            emitted->given |= TRACE_GIVEN(TRACE_ALLOCATIONS);
        if (references->writes.count > 0)
            emitted->given |= TRACE_GIVEN(TRACE_WRITES);
        etl_put(import, &import->references, context, buffer, NULL);
    }
    etl_take_duration(import, emitted, etl_enclosing(import, thread, calls));
    give_packet(emitted, packet);
}

static void present(struct etl_import *import, const struct etl_event *event,
                    const struct etl_values *values, const struct etl_thread *thread,
                    const struct etl_packet *packet)
{
    static const uint16_t calls[] = {2020, 2092, 2163, 2164, 0};
    struct trace_event *emitted = emit_on_context(import, TRACE_PRESENT, event, values);
    if (emitted == NULL)
        return;
    if (packet->type == QUEUE_FLIP)
        emitted->given |= TRACE_GIVEN(TRACE_INTERVAL); /* 0: when the queue reaches it */
    etl_take_rest(import, emitted, etl_enclosing(import, thread, calls));
    give_packet(emitted, packet);
}

static void wait(struct etl_import *import, const struct etl_event *event,
                 const struct etl_values *values, const struct etl_thread *thread,
                 const struct etl_packet *packet)
{
    static const uint16_t calls[] = {2043, 0};
    uint64_t value = etl_get(values, ETL_FenceValue);
    if (value > INT64_MAX) {
        import->tally.values_too_large++;
        return;
    }
    struct etl_fence *fence = fence_of(import, etl_get(values, ETL_hSyncObject));
    struct trace_event *emitted =
        fence != NULL ? emit_on_context(import, TRACE_WAIT, event, values) : NULL;
    if (emitted == NULL)
        return;
    fence->waited = true;
    if (value > fence->highest_wait)
        fence->highest_wait = value;
    emitted->fence = fence->name;
    emitted->value = value;
    emitted->given |= TRACE_GIVEN(TRACE_FENCE) | TRACE_GIVEN(TRACE_VALUE);
    etl_take_duration(import, emitted, etl_enclosing(import, thread, calls));
    give_packet(emitted, packet);
}

/* A broadcast is logged as one packet per context, a few µs apart; its value counts when the last
 * one is reached. Packets of one call with the same object and value are one, and without calls
 * those of one thread within this time. */
static const uint64_t BROADCAST_NS = 50000;

static bool joins_broadcast(struct trace_event *last, size_t last_call, size_t call,
                            const struct etl_event *event, struct trace_name fence, uint64_t value,
                            struct trace_name context)
{
    enum { MOST_CONTEXTS = 64 };
    if (last == NULL || last->fence.text != fence.text || last->value != value)
        return false;
    if (call != last_call || (call == SIZE_MAX && event->t_ns - last->t_ns > BROADCAST_NS))
        return false;
    if (last->context.text == context.text || last->contexts.count >= MOST_CONTEXTS)
        return false;
    for (uint32_t i = 0; i < last->contexts.count; i++)
        if (last->contexts.items[i].text == context.text)
            return false;
    return true;
}

static void signal_one(struct etl_import *import, const struct etl_event *event,
                       const struct etl_values *values, struct etl_thread *thread,
                       const struct etl_packet *packet, struct trace_name fence, uint64_t value)
{
    static const uint16_t calls[] = {2044, 2190, 2191, 0};
    struct etl_context *context = etl_context_of(import, etl_get(values, ETL_hContext), event);
    if (context == NULL)
        return;
    size_t call = etl_enclosing(import, thread, calls);
    struct trace_event *last = thread->signal;
    if (joins_broadcast(last, thread->signal_call, call, event, fence, value, context->name)) {
        if (last->contexts.count == 0) {
            import->tally.broadcasts++;
            etl_add_name(import, &last->contexts, last->context);
            last->context = (struct trace_name){0};
            last->given &= ~TRACE_GIVEN(TRACE_CONTEXT);
            last->given |= TRACE_GIVEN(TRACE_CONTEXTS);
        }
        etl_add_name(import, &last->contexts, context->name);
        if (packet->stop_ns == NEVER)
            last->given &= ~TRACE_GIVEN(TRACE_DONE);
        else if (trace_given(last->given, TRACE_DONE))
            give_packet(last, packet);
        return;
    }
    struct trace_event *emitted = emit_on_context(import, TRACE_SIGNAL, event, values);
    if (emitted == NULL)
        return;
    emitted->fence = fence;
    emitted->value = value;
    emitted->given |= TRACE_GIVEN(TRACE_FENCE) | TRACE_GIVEN(TRACE_VALUE);
    etl_take_duration(import, emitted, call);
    give_packet(emitted, packet);
    thread->signal = emitted;
    thread->signal_call = call;
}

static void signal_all(struct etl_import *import, const struct etl_event *event,
                       const struct etl_values *values, struct etl_thread *thread,
                       const struct etl_packet *packet)
{
    uint32_t objects = etl_count(values, ETL_ObjectArray);
    if (etl_get(values, ETL_ObjectCount) != objects ||
        etl_count(values, ETL_FenceValue) != objects) {
        import->tally.undecodable++;
        return;
    }
    if (objects == 0) {
        static const struct trace_name cpu_event = {.text = "cpu-event"};
        import->tally.signals_of_cpu_events++;
        signal_one(import, event, values, thread, packet, cpu_event, 0);
    }
    for (uint32_t i = 0; i < objects && !import->failed; i++) {
        uint64_t value = etl_element(values, ETL_FenceValue, i);
        struct etl_fence *fence = fence_of(import, etl_element(values, ETL_ObjectArray, i));
        if (value > INT64_MAX) {
            import->tally.values_too_large++;
            continue;
        }
        if (fence == NULL)
            return;
        if (value < fence->lowest_signal)
            fence->lowest_signal = value;
        signal_one(import, event, values, thread, packet, fence->name, value);
    }
}

void etl_map_queue(struct etl_import *import, const struct etl_event *event,
                   const struct etl_values *values, struct etl_thread *thread)
{
    const struct etl_packet *packet = import->packets[import->next_packet++];
    if (packet->type < QUEUE_TYPES)
        import->tally.queue_packets[packet->type]++;
    else
        import->tally.queue_packets_unknown++;
    import->tally.queue_unfinished += packet->stop_ns == NEVER;
    switch (packet->type) {
    case QUEUE_WAIT:
        if (event->id == ID_QUEUE_WAIT)
            wait(import, event, values, thread, packet);
        break;
    case QUEUE_SIGNAL:
        thread->signalled_at_ns = event->t_ns;
        thread->signal_done_ns = packet->stop_ns == NEVER ? 0 : packet->stop_ns;
        if (event->id == ID_QUEUE_SIGNAL)
            signal_all(import, event, values, thread, packet);
        break;
    case QUEUE_PAGING:
        etl_map_paging_packet(import, event, etl_get(values, ETL_hDmaBuffer), packet);
        break;
    case QUEUE_FLIP:
    case QUEUE_SOFTWARE:
        present(import, event, values, thread, packet);
        break;
    case QUEUE_RENDER:
        submit(import, event, values, thread, packet);
        break;
    default:
        if (packet->pieces > 0) /* deferred, system or device work that reached an engine */
            submit(import, event, values, thread, packet);
        break;
    }
}

/* What a fence had reached when the recording began: the value before the lowest it is brought
 * to, so that waits on older ones pass. A fence that only the processor signals, which is not
 * recorded, is taken to have reached whatever was waited for. */
void etl_map_initial_fences(struct etl_import *import)
{
    for (const struct etl_fence *fence = import->first_fence; fence != NULL; fence = fence->next) {
        bool signalled = fence->lowest_signal != NEVER;
        uint64_t value = !signalled                 ? fence->highest_wait
                         : fence->lowest_signal > 0 ? fence->lowest_signal - 1
                                                    : 0;
        import->tally.fences_never_signalled += !signalled;
        if (value == 0)
            continue;
        struct trace_event *emitted = etl_emit(import, TRACE_SIGNAL, NULL, 0, ORDER_FENCE);
        if (emitted == NULL)
            return;
        emitted->fence = fence->name;
        emitted->value = value;
        emitted->given |= TRACE_GIVEN(TRACE_FENCE) | TRACE_GIVEN(TRACE_VALUE);
        import->tally.fences_assumed++;
    }
}
