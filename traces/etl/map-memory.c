/* Residency, CPU access and paging operations: records 41 to 74, 186, 190, 274 and 306 to 341. */
#include "traces/etl/import.h"

enum { OPERATION_MAP = 113, OPERATION_MAKE_RESIDENT = 206 };

static const uint32_t STATUS_PENDING = 0x103;

/* What was built into a paging buffer since it was last queued. */
struct etl_buffer {
    uint64_t bytes;
    uint64_t operations;
    struct trace_name from, to;
};

/* One event about one allocation, named by its local handle. */
static struct trace_event *about_allocation(struct etl_import *import, enum trace_op op,
                                            const struct etl_event *event, uint64_t local,
                                            bool list)
{
    struct etl_opening *opening = etl_opening_of(import, local, event->pid);
    if (opening == NULL)
        return NULL;
    struct trace_name name = etl_use(import, opening, event->pid, false);
    struct etl_device *device = etl_device_of_opening(import, opening, event->pid);
    struct trace_event *emitted =
        device != NULL ? etl_emit(import, op, event, event->t_ns, ORDER_RECORDED) : NULL;
    if (emitted == NULL)
        return NULL;
    if (op != TRACE_SET_ALLOCATION_PRIORITY) {
        emitted->device = device->name;
        emitted->given |= TRACE_GIVEN(TRACE_DEVICE);
    }
    if (list) {
        etl_add_name(import, &emitted->allocations, name);
        emitted->given |= TRACE_GIVEN(TRACE_ALLOCATIONS);
    } else {
        emitted->allocation = name;
        emitted->given |= TRACE_GIVEN(TRACE_ALLOCATION);
    }
    return emitted;
}

static void lock(struct etl_import *import, const struct etl_event *event,
                 const struct etl_values *values, const struct etl_thread *thread)
{
    static const uint16_t lock_calls[] = {2103, 2011, 0}, unlock_calls[] = {2104, 0};
    bool old = event->id == ID_LOCK_OLD || event->id == ID_UNLOCK_OLD;
    bool locks = event->id == ID_LOCK || event->id == ID_LOCK_OLD;
    struct trace_event *emitted =
        about_allocation(import, locks ? TRACE_LOCK : TRACE_UNLOCK, event,
                         etl_get(values, old ? ETL_hAllocationHandle : ETL_pAlloc), false);
    if (emitted != NULL)
        etl_take_duration(import, emitted,
                          etl_enclosing(import, thread, locks ? lock_calls : unlock_calls));
}

static void offer(struct etl_import *import, const struct etl_event *event,
                  const struct etl_values *values, const struct etl_thread *thread)
{
    static const uint16_t calls[] = {2070, 2071, 2007, 0};
    enum trace_op op = event->id == ID_OFFER     ? TRACE_OFFER_ALLOCATIONS
                       : event->id == ID_RECLAIM ? TRACE_RECLAIM_ALLOCATIONS
                                                 : TRACE_SET_ALLOCATION_PRIORITY;
    struct trace_event *emitted =
        about_allocation(import, op, event, etl_get(values, ETL_hAllocationHandle), true);
    if (emitted == NULL)
        return;
    uint64_t priority = etl_get(values, ETL_Priority);
    bool offered = op == TRACE_OFFER_ALLOCATIONS && priority >= 1 && priority <= 4;
    if (offered || op == TRACE_SET_ALLOCATION_PRIORITY) {
        emitted->priority = (int64_t)priority;
        emitted->given |= TRACE_GIVEN(TRACE_PRIORITY);
    }
    etl_take_duration(import, emitted, etl_enclosing(import, thread, calls));
}

/* MakeResident: 338 to 339 on one thread, 320 for each allocation in between */

static void make_resident_start(struct etl_import *import, const struct etl_event *event,
                                struct etl_thread *thread)
{
    static const uint16_t calls[] = {2115, 0};
    import->tally.make_resident_calls++;
    import->tally.make_resident_unfinished += thread->resident != NULL;
    size_t call = etl_enclosing(import, thread, calls);
    uint64_t t_ns = call != SIZE_MAX ? import->calls[call].start_ns : event->t_ns;
    thread->resident = etl_take(import, 1, sizeof *thread->resident);
    thread->resident_start_ns = event->t_ns;
    thread->operations = NULL;
    if (thread->resident == NULL)
        return;
    thread->resident->t_ns = t_ns;
    etl_take_duration(import, thread->resident, call);
}

static void residency_added(struct etl_import *import, const struct etl_event *event,
                            const struct etl_values *values, const struct etl_thread *thread)
{
    struct trace_event *resident = thread->resident;
    if (resident == NULL) {
        import->tally.references_outside_calls++;
        return;
    }
    struct etl_opening *opening =
        etl_opening_of(import, etl_get(values, ETL_pVidMmAlloc), event->pid);
    if (opening == NULL || opening->allocation->required_by == resident)
        return;
    opening->allocation->required_by = resident;
    if (resident->allocations.count == 0) {
        struct etl_device *device = etl_device_of_opening(import, opening, event->pid);
        if (device == NULL)
            return;
        resident->device = device->name;
    }
    etl_add_name(import, &resident->allocations, etl_use(import, opening, event->pid, true));
}

static void make_resident_stop(struct etl_import *import, const struct etl_event *event,
                               const struct etl_values *values, struct etl_thread *thread)
{
    struct trace_event *built = thread->resident;
    thread->resident = NULL;
    if (built == NULL)
        return; /* it began before the recording */
    uint32_t status = (uint32_t)etl_get(values, ETL_Status);
    import->tally.bytes_to_trim += etl_get(values, ETL_NumBytesToTrim);
    uint64_t took_ns = event->t_ns - thread->resident_start_ns;
    if (status == 0)
        import->tally.make_resident_done++;
    else if (status == STATUS_PENDING)
        import->tally.make_resident_pending++;
    else
        import->tally.make_resident_failed++;
    trace_samples_add(&import->facts,
                      status == STATUS_PENDING ? &import->pending_ns : &import->immediate_ns,
                      took_ns);
    if (built->allocations.count == 0) {
        import->tally.make_resident_empty++;
        return;
    }
    struct trace_event *emitted =
        etl_emit(import, TRACE_MAKE_RESIDENT, event, built->t_ns, ORDER_RECORDED);
    if (emitted == NULL)
        return;
    emitted->device = built->device;
    emitted->allocations = built->allocations;
    emitted->status = status;
    emitted->given |= built->given | TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_ALLOCATIONS) |
                      TRACE_GIVEN(TRACE_STATUS);
    emitted->dur_ns = built->dur_ns;
    if (!trace_given(built->given, TRACE_DUR))
        etl_give_duration(emitted, thread->resident_start_ns, event->t_ns);
    /* Operations queued by the call finish it later: they hold the event they belong to. */
    for (struct etl_operation *operation = thread->operations; operation != NULL;
         operation = operation->next)
        operation->finishes = status == STATUS_PENDING ? emitted : NULL;
    thread->operations = NULL;
}

/* Evict: 321 for each allocation. Other calls drop residency too (destruction does), so where
 * calls are recorded only those inside DxgkEvict count. */
static void residency_dropped(struct etl_import *import, const struct etl_event *event,
                              const struct etl_values *values, struct etl_thread *thread)
{
    static const uint16_t calls[] = {2116, 0};
    size_t call = etl_enclosing(import, thread, calls);
    if (call == SIZE_MAX && import->call_count > 0) {
        import->tally.references_outside_calls++;
        return;
    }
    import->tally.evictions_of_references++;
    struct etl_opening *opening =
        etl_opening_of(import, etl_get(values, ETL_pVidMmAlloc), event->pid);
    struct etl_device *device =
        opening != NULL ? etl_device_of_opening(import, opening, event->pid) : NULL;
    if (device == NULL)
        return;
    struct trace_event *evict = thread->evict;
    if (evict == NULL || call == SIZE_MAX || call != thread->evict_call ||
        evict->device.text != device->name.text) {
        uint64_t t_ns = call != SIZE_MAX ? import->calls[call].start_ns : event->t_ns;
        evict = etl_emit(import, TRACE_EVICT, event, t_ns, ORDER_RECORDED);
        if (evict == NULL)
            return;
        evict->device = device->name;
        evict->given |= TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_ALLOCATIONS);
        etl_take_duration(import, evict, call);
        thread->evict = evict;
        thread->evict_call = call;
    }
    etl_add_name(import, &evict->allocations, etl_use(import, opening, event->pid, false));
}

/* Operations of paging queues */

/* D3DKMTMapGpuVirtualAddress queues one operation: the call's event is made here. */
static struct trace_event *map_address(struct etl_import *import, const struct etl_event *event,
                                       const struct etl_values *values,
                                       const struct etl_thread *thread)
{
    static const uint16_t calls[] = {2100, 0};
    struct trace_event *emitted = about_allocation(import, TRACE_MAP_GPU_VIRTUAL_ADDRESS, event,
                                                   etl_get(values, ETL_Alloc), false);
    if (emitted == NULL)
        return NULL;
    size_t call = etl_enclosing(import, thread, calls);
    if (call != SIZE_MAX)
        emitted->t_ns = import->calls[call].start_ns;
    etl_take_duration(import, emitted, call);
    emitted->status = STATUS_PENDING;
    emitted->given |= TRACE_GIVEN(TRACE_STATUS);
    return emitted;
}

static void paging_start(struct etl_import *import, const struct etl_event *event,
                         const struct etl_values *values, struct etl_thread *thread)
{
    struct etl_operation *operation = etl_take(import, 1, sizeof *operation);
    if (operation == NULL)
        return;
    operation->start_ns = event->t_ns;
    operation->type = (uint32_t)etl_get(values, ETL_VidMmOpType);
    if (operation->type == OPERATION_MAKE_RESIDENT && thread->resident != NULL) {
        operation->next = thread->operations;
        thread->operations = operation;
    } else if (operation->type == OPERATION_MAP) {
        operation->finishes = map_address(import, event, values, thread);
    }
    import->tally.paging_starts++;
    etl_put(import, &import->paging, etl_get(values, ETL_PagingQueue),
            etl_get(values, ETL_SequenceId), operation);
}

/* VidMm's worker ends an operation when it has queued a signal of the paging fence behind what the
 * operation takes: that is when the fence counts. */
static void paging_stop(struct etl_import *import, const struct etl_event *event,
                        const struct etl_values *values, const struct etl_thread *thread)
{
    uint64_t queue = etl_get(values, ETL_PagingQueue), sequence = etl_get(values, ETL_SequenceId);
    struct etl_operation *operation = trace_map_get(&import->paging, queue, sequence);
    if (operation == NULL) {
        import->tally.paging_stops_unpaired++;
        return;
    }
    etl_put(import, &import->paging, queue, sequence, NULL);
    if (operation->type < OPERATIONS_MAX)
        trace_samples_add(&import->facts, &import->operation_ns[operation->type],
                          event->t_ns - operation->start_ns);
    bool signalled =
        thread->signalled_at_ns >= operation->start_ns && thread->signal_done_ns > event->t_ns;
    uint64_t done_ns = signalled ? thread->signal_done_ns : event->t_ns;
    if (operation->finishes != NULL && operation->finishes->done_ns < done_ns)
        etl_give_done(operation->finishes, done_ns);
}

/* Paging buffers */

static struct trace_event *observe(struct etl_import *import, const struct etl_event *event,
                                   uint64_t bytes, struct trace_name from, struct trace_name to,
                                   const char *extras)
{
    struct trace_event *emitted =
        etl_emit(import, TRACE_OBSERVE_TRANSFER, event, event->t_ns, ORDER_RECORDED);
    if (emitted == NULL)
        return NULL;
    emitted->bytes = bytes;
    emitted->from = from;
    emitted->to = to;
    emitted->extras = extras;
    emitted->given |= TRACE_GIVEN(TRACE_BYTES) | TRACE_GIVEN(TRACE_FROM) | TRACE_GIVEN(TRACE_TO) |
                      TRACE_GIVEN(TRACE_DUR) | TRACE_GIVEN(TRACE_EXTRAS);
    return emitted;
}

static void paging_operation(struct etl_import *import, const struct etl_event *event,
                             const struct etl_values *values)
{
    bool fill = event->id == ID_FILL || event->id == ID_VIRTUAL_FILL;
    bool discard = event->id == ID_DISCARD;
    uint64_t bytes = fill ? etl_get(values, ETL_FillSize) : etl_get(values, ETL_TransferSize);
    uint64_t segment = etl_get(values, ETL_SegmentId);
    uint64_t source = etl_get(values, ETL_SourceSegmentId);
    uint64_t target = etl_get(values, ETL_DestinationSegmentId);
    if (bytes > INT64_MAX) {
        import->tally.values_too_large++;
        return;
    }
    uint64_t handle = etl_get(values, ETL_hDmaBuffer);
    struct etl_buffer *buffer = trace_map_get(&import->buffers, handle, 0);
    if (buffer == NULL) {
        buffer = etl_take(import, 1, sizeof *buffer);
        if (buffer == NULL)
            return;
        etl_put(import, &import->buffers, handle, 0, buffer);
    }
    /* A fill or discard stays within its segment: nothing crosses a link. */
    struct trace_name from = etl_segment(import, fill || discard ? segment : source);
    struct trace_name to = etl_segment(import, fill || discard ? segment : target);
    if (fill) {
        import->tally.fills++;
        import->tally.fill_bytes += bytes;
    } else if (discard) {
        import->tally.discards++;
        bytes = 0;
    } else {
        import->tally.transfers++;
        import->tally.transfer_bytes += bytes;
    }
    if (buffer->operations == 0 || (bytes > 0 && buffer->bytes == 0)) {
        buffer->from = from;
        buffer->to = to;
    }
    buffer->operations++;
    buffer->bytes = buffer->bytes + bytes <= INT64_MAX ? buffer->bytes + bytes : INT64_MAX;
    (void)observe(import, event, bytes, from, to,
                  fill      ? "{\"x-kind\":\"fill\"}"
                  : discard ? "{\"x-kind\":\"discard\"}"
                            : "{\"x-kind\":\"transfer\"}");
}

void etl_map_paging_packet(struct etl_import *import, const struct etl_event *event,
                           uint64_t dma_buffer, const struct etl_packet *packet)
{
    struct etl_buffer *buffer = trace_map_get(&import->buffers, dma_buffer, 0);
    struct trace_name system = etl_segment(import, 0);
    bool empty = buffer == NULL || buffer->operations == 0; /* page tables only */
    struct trace_event *emitted =
        observe(import, event, empty ? 0 : buffer->bytes, empty ? system : buffer->from,
                empty ? system : buffer->to, "{\"x-kind\":\"paging-buffer\"}");
    if (buffer != NULL)
        *buffer = (struct etl_buffer){0};
    if (emitted == NULL)
        return;
    emitted->dur_ns = packet->gpu_ns;
    if (packet->stop_ns != NEVER)
        etl_give_done(emitted, packet->stop_ns);
}

/* Which allocations a DMA buffer touches */

static void references(struct etl_import *import, const struct etl_event *event,
                       const struct etl_values *values)
{
    struct etl_references *lists = etl_take(import, 1, sizeof *lists);
    uint32_t count = etl_count(values, ETL_Allocations);
    if (lists == NULL)
        return;
    import->tally.references_lists++;
    if (etl_get(values, ETL_uiNbAllocations) != count) {
        import->tally.undecodable++;
        return;
    }
    for (uint32_t i = 0; i < count && !import->failed; i++) {
        uint64_t local = etl_element(values, ETL_Allocations, i);
        bool write = i < etl_count(values, ETL_Write) && etl_element(values, ETL_Write, i) != 0;
        if (local == 0) {
            import->tally.references_null++;
            continue;
        }
        import->tally.references_in_lists++;
        struct etl_opening *opening = etl_opening_of(import, local, event->pid);
        if (opening == NULL)
            return;
        struct etl_allocation *allocation = opening->allocation;
        const void **in_list = write ? &allocation->written_by : &allocation->read_by;
        if (*in_list == lists)
            continue;
        *in_list = lists;
        etl_add_name(import, write ? &lists->writes : &lists->reads,
                     etl_use(import, opening, event->pid, false));
    }
    etl_put(import, &import->references, etl_get(values, ETL_hContext),
            etl_get(values, ETL_pDmaBuffer), lists);
}

void etl_map_memory(struct etl_import *import, const struct etl_event *event,
                    const struct etl_values *values, struct etl_thread *thread)
{
    uint64_t segment;
    switch (event->id) {
    case ID_LOCK:
    case ID_LOCK_OLD:
    case ID_UNLOCK:
    case ID_UNLOCK_OLD:
        lock(import, event, values, thread);
        break;
    case ID_OFFER:
    case ID_RECLAIM:
    case ID_SET_PRIORITY:
        offer(import, event, values, thread);
        break;
    case ID_MAKE_RESIDENT_START:
        make_resident_start(import, event, thread);
        break;
    case ID_RESIDENCY_ADDED:
        residency_added(import, event, values, thread);
        break;
    case ID_MAKE_RESIDENT_STOP:
        make_resident_stop(import, event, values, thread);
        break;
    case ID_RESIDENCY_DROPPED:
        residency_dropped(import, event, values, thread);
        break;
    case ID_PAGING_START:
    case ID_PAGING_START_ADAPTER:
        paging_start(import, event, values, thread);
        break;
    case ID_PAGING_STOP:
        paging_stop(import, event, values, thread);
        break;
    case ID_TRANSFER:
    case ID_SPECIAL_TRANSFER:
    case ID_VIRTUAL_TRANSFER:
    case ID_FILL:
    case ID_VIRTUAL_FILL:
    case ID_DISCARD:
        paging_operation(import, event, values);
        break;
    case ID_REFERENCES:
        references(import, event, values);
        break;
    case ID_PAGE_IN:
        segment = etl_get(values, ETL_uiSegmentId);
        if (segment < SEGMENTS_MAX)
            import->tally.page_ins[segment]++;
        else
            import->tally.page_ins_elsewhere++;
        break;
    case ID_EVICT_ALLOCATION:
        import->tally.evictions++;
        break;
    case ID_RESIDENT_BYTES:
        segment = etl_get(values, ETL_SegmentId);
        if (segment < SEGMENTS_MAX && !import->resident_seen[segment] &&
            etl_get(values, ETL_TotalBytesResident) <= INT64_MAX) {
            import->resident_seen[segment] = true;
            import->resident_bytes[segment] = etl_get(values, ETL_TotalBytesResident);
        }
        break;
    default:
        break;
    }
}
