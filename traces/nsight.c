/* The "nsight" trace format: the SQLite export of Nsight Systems (trace-formats.md §7). Tables are
 * there as far as something was recorded, and their columns differ from version to version. */
#include "traces/nsight.h"

#include "traces/buffer.h"
#include "traces/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const nsight_tables[NSIGHT_TABLES] = {
    [NSIGHT_RUNTIME] = "CUPTI_ACTIVITY_KIND_RUNTIME",
    [NSIGHT_KERNEL] = "CUPTI_ACTIVITY_KIND_KERNEL",
    [NSIGHT_MEMSET] = "CUPTI_ACTIVITY_KIND_MEMSET",
    [NSIGHT_MEMCPY] = "CUPTI_ACTIVITY_KIND_MEMCPY",
    [NSIGHT_MEMORY] = "CUDA_GPU_MEMORY_USAGE_EVENTS",
    [NSIGHT_QUEUE_START] = "WDDM_QUEUE_PACKET_START_EVENTS",
    [NSIGHT_QUEUE_STOP] = "WDDM_QUEUE_PACKET_STOP_EVENTS",
    [NSIGHT_DMA_START] = "WDDM_DMA_PACKET_START_EVENTS",
    [NSIGHT_DMA_STOP] = "WDDM_DMA_PACKET_STOP_EVENTS",
    [NSIGHT_TRANSFER] = "MEMORY_TRANSFER_EVENTS",
};

static void place(void *self, uint64_t origin, char text[64])
{
    (void)self;
    snprintf(text, 64, "%s row %" PRIu64, nsight_tables[origin >> 48],
             origin & ((UINT64_C(1) << 48) - 1));
}

/* Whether start and end make sense; counts the row if not. */
static bool in_time(struct nsight *nsight, int64_t start_ns, int64_t end_ns)
{
    nsight->rows++;
    if (end_ns >= start_ns && start_ns >= -ACTIVITY_FARTHEST_NS && end_ns <= ACTIVITY_FARTHEST_NS)
        return true;
    nsight->reader->undecodable++;
    return false;
}

/* Correlations are unique within a process. */
static uint64_t correlation(uint32_t pid, int64_t number)
{
    return number > 0 && number <= UINT32_MAX ? (uint64_t)pid << 32 | (uint64_t)number : 0;
}

static uint32_t in_32_bits(int64_t value)
{
    return value >= 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

/* Calls. */

static bool read_name(void *self, const struct database_row *row)
{
    struct nsight *nsight = self;
    struct nsight_call call = {.name = row->values[0]};
    call.kind = activity_of_call(row->text, &call.waits);
    if (call.kind == ACTIVITY_LAUNCH && !call.waits)
        return true;
    struct nsight_call *grown =
        trace_array_grow(nsight->calls, &nsight->call_room, nsight->call_count + 1, sizeof *grown);
    if (grown == NULL)
        return false;
    nsight->calls = grown;
    grown[nsight->call_count++] = call;
    return true;
}

static int compare_calls(const void *left, const void *right)
{
    const struct nsight_call *a = left, *b = right;
    return a->name < b->name ? -1 : a->name > b->name;
}

static bool read_names(struct nsight *nsight)
{
    static const char *const columns[] = {"id", "=value", NULL};
    if (!database_read(nsight->database, "StringIds", columns, read_name, nsight))
        return false;
    if (nsight->call_count > 0)
        qsort(nsight->calls, nsight->call_count, sizeof *nsight->calls, compare_calls);
    return true;
}

static bool read_call(void *self, const struct database_row *row)
{
    enum { START, END, TID, CORRELATION, NAME };
    struct nsight *nsight = self;
    const int64_t *values = row->values;
    if (!in_time(nsight, values[START], values[END]))
        return true;
    uint32_t pid = nsight_pid(values[TID]);
    const struct nsight_call wanted = {.name = values[NAME]};
    const struct nsight_call *named = nsight->call_count > 0
                                          ? bsearch(&wanted, nsight->calls, nsight->call_count,
                                                    sizeof *nsight->calls, compare_calls)
                                          : NULL;
    struct activity call = {
        .kind = named != NULL ? (uint8_t)named->kind : ACTIVITY_LAUNCH,
        .origin = nsight_origin(NSIGHT_RUNTIME, row->number),
        .start_ns = values[START],
        .dur_ns = (uint64_t)(values[END] - values[START]),
        .correlation = correlation(pid, values[CORRELATION]),
        .pid = pid,
        .tid = nsight_tid(values[TID]),
        .device = ACTIVITY_ANY_DEVICE,
    };
    if (!nsight_add(nsight, &call))
        return false;
    if (named == NULL || !named->waits)
        return true;
    call.kind = ACTIVITY_WAIT_LAST; /* what it launched comes first */
    call.start_ns++;
    call.dur_ns = 0;
    return nsight_add(nsight, &call);
}

/* Work. */

static const char *const work_columns[] = {
    "start", "end",      "deviceId", "contextId", "streamId",       "globalPid", "correlationId",
    "bytes", "copyKind", "srcKind",  "dstKind",   "migrationCause", "memKind",   NULL,
};
enum work_column {
    WORK_START,
    WORK_END,
    WORK_DEVICE,
    WORK_CONTEXT,
    WORK_STREAM,
    WORK_PID,
    WORK_CORRELATION,
    WORK_BYTES,
    WORK_COPY_KIND,
    WORK_FROM,
    WORK_TO,
    WORK_CAUSE,
    WORK_MEMORY
};

static bool work_of(struct nsight *nsight, const struct database_row *row, enum nsight_table table,
                    enum activity_kind kind, struct activity *work)
{
    const int64_t *values = row->values;
    if (!in_time(nsight, values[WORK_START], values[WORK_END]))
        return false;
    uint32_t pid = nsight_pid(values[WORK_PID]);
    *work = (struct activity){
        .kind = (uint8_t)kind,
        .origin = nsight_origin(table, row->number),
        .start_ns = values[WORK_START],
        .dur_ns = (uint64_t)(values[WORK_END] - values[WORK_START]),
        .bytes = values[WORK_BYTES] > 0 ? (uint64_t)values[WORK_BYTES] : 0,
        .correlation = correlation(pid, values[WORK_CORRELATION]),
        .pid = pid,
        .device = in_32_bits(values[WORK_DEVICE]),
        .context = in_32_bits(values[WORK_CONTEXT]),
        .stream = in_32_bits(values[WORK_STREAM]),
    };
    return true;
}

static bool read_kernel(void *self, const struct database_row *row)
{
    struct nsight *nsight = self;
    struct activity work;
    return !work_of(nsight, row, NSIGHT_KERNEL, ACTIVITY_KERNEL, &work) ||
           nsight_add(nsight, &work);
}

/* ENUM_CUDA_MEM_KIND */
static uint8_t memory_of_kind(int64_t kind)
{
    static const uint8_t memories[] = {MEMORY_PAGEABLE, MEMORY_PINNED, MEMORY_DEVICE,
                                       MEMORY_DEVICE,   MEMORY_DEVICE, MEMORY_DEVICE,
                                       MEMORY_DEVICE,   MEMORY_UNKNOWN};
    return kind >= 0 && kind < (int64_t)sizeof memories ? memories[kind] : MEMORY_UNKNOWN;
}

static bool read_fill(void *self, const struct database_row *row)
{
    struct nsight *nsight = self;
    struct activity work;
    if (!work_of(nsight, row, NSIGHT_MEMSET, ACTIVITY_FILL, &work))
        return true;
    work.to = MEMORY_DEVICE;
    return nsight_add(nsight, &work);
}

/* ENUM_CUDA_UNIF_MEM_MIGRATION */
static uint8_t cause_of(int64_t cause)
{
    static const uint8_t causes[] = {CAUSE_NONE,        CAUSE_PREFETCH, CAUSE_PAGE_FAULT,
                                     CAUSE_SPECULATION, CAUSE_EVICTION, CAUSE_ACCESS_COUNTERS};
    return cause >= 0 && cause < (int64_t)sizeof causes ? causes[cause] : CAUSE_NONE;
}

/* ENUM_CUDA_MEMCPY_OPER: from 1, host or device or array on either side; from 11, unified. */
static bool read_copy(void *self, const struct database_row *row)
{
    enum { FIRST_UNIFIED = 11, KINDS = 14, HOST = MEMORY_UNKNOWN, GPU = MEMORY_DEVICE };
    static const uint8_t ends[KINDS][2] = {
        {HOST, HOST}, {HOST, GPU}, {GPU, HOST},  {HOST, GPU}, {GPU, HOST}, {GPU, GPU},  {GPU, GPU},
        {GPU, GPU},   {GPU, GPU},  {HOST, HOST}, {GPU, GPU},  {HOST, GPU}, {GPU, HOST}, {GPU, GPU},
    };
    struct nsight *nsight = self;
    struct activity copy;
    int64_t kind = row->values[WORK_COPY_KIND];
    if (!work_of(nsight, row, NSIGHT_MEMCPY, ACTIVITY_COPY, &copy))
        return true;
    if (kind < 0 || kind >= KINDS)
        kind = 0;
    copy.from = ends[kind][0];
    copy.to = ends[kind][1];
    /* Whether the host's side is pinned. */
    if (copy.from == HOST && memory_of_kind(row->values[WORK_FROM]) != GPU &&
        (row->given & 1U << WORK_FROM))
        copy.from = memory_of_kind(row->values[WORK_FROM]);
    if (copy.to == HOST && memory_of_kind(row->values[WORK_TO]) != GPU &&
        (row->given & 1U << WORK_TO))
        copy.to = memory_of_kind(row->values[WORK_TO]);
    if (kind < FIRST_UNIFIED)
        return nsight_add(nsight, &copy);
    copy.kind = ACTIVITY_MIGRATION;
    copy.cause = cause_of(row->values[WORK_CAUSE]);
    return copy.bytes == 0 || nsight_add(nsight, &copy);
}

/* Memory. */

static bool read_memory(void *self, const struct database_row *row)
{
    enum { START, PID, DEVICE, ADDRESS, BYTES, KIND, FREES };
    struct nsight *nsight = self;
    const int64_t *values = row->values;
    uint8_t where = memory_of_kind(values[KIND]);
    if (!in_time(nsight, values[START], values[START]))
        return true;
    if (values[BYTES] < 0 || !(row->given & 1U << ADDRESS)) {
        nsight->reader->undecodable++;
        return true;
    }
    if (where == MEMORY_PAGEABLE || where == MEMORY_UNKNOWN)
        return true; /* the GPU knows nothing of it */
    return nsight_add(nsight, &(struct activity){
                                  .kind = values[FREES] == 1 ? ACTIVITY_FREE : ACTIVITY_ALLOCATE,
                                  .origin = nsight_origin(NSIGHT_MEMORY, row->number),
                                  .start_ns = values[START],
                                  .address = (uint64_t)values[ADDRESS],
                                  .bytes = (uint64_t)values[BYTES],
                                  .pid = nsight_pid(values[PID]),
                                  .device = in_32_bits(values[DEVICE]),
                                  .usage = where == MEMORY_PINNED ? USAGE_UPLOAD : USAGE_BUFFER,
                              });
}

/* Counted only. */
static bool count_row(void *self, const struct database_row *row)
{
    uint64_t *count = self;
    *count = row->number;
    return true;
}

static bool count_rows(struct nsight *nsight, const char *table, uint64_t *count)
{
    static const char *const columns[] = {"start", NULL};
    return database_read(nsight->database, table, columns, count_row, count);
}

/* The GPU, for the header. */
static bool read_gpu(void *self, const struct database_row *row)
{
    struct activity_reader *reader = self;
    if (row->number == 1 && row->text[0] != '\0')
        snprintf(reader->source, sizeof reader->source, "Nsight Systems, %.100s", row->text);
    if (row->number == 1 && row->values[1] > 0)
        trace_facts_add(&reader->facts, "gpu-memory-bytes", "memory of the GPU", "bytes",
                        (uint64_t)row->values[1]);
    return true;
}

static bool read_tables(struct nsight *nsight)
{
    static const char *const call_columns[] = {"start",         "end",    "globalTid",
                                               "correlationId", "nameId", NULL};
    static const char *const memory_columns[] = {
        "start",   "globalPid",           "deviceId", "address", "bytes",
        "memKind", "memoryOperationType", NULL};
    static const char *const gpu_columns[] = {"=name", "totalMemory", NULL};
    struct database *database = nsight->database;
    const char *const *tables = nsight_tables;
    nsight->packets = database_has(database, tables[NSIGHT_DMA_START]) &&
                      database_has(database, tables[NSIGHT_DMA_STOP]);
    if (!database_read(database, "TARGET_INFO_GPU", gpu_columns, read_gpu, nsight->reader) ||
        !read_names(nsight) ||
        !database_read(database, tables[NSIGHT_RUNTIME], call_columns, read_call, nsight) ||
        !database_read(database, tables[NSIGHT_MEMORY], memory_columns, read_memory, nsight) ||
        !count_rows(nsight, "CUDA_UM_GPU_PAGE_FAULT_EVENTS", &nsight->page_faults_gpu) ||
        !count_rows(nsight, "CUDA_UM_CPU_PAGE_FAULT_EVENTS", &nsight->page_faults_cpu))
        return false;
    if (nsight->packets) /* CUDA's work lies inside them */
        return nsight_read_wddm(nsight) &&
               count_rows(nsight, "WDDM_PAGING_QUEUE_PACKET_START_EVENTS",
                          &nsight->paging_operations) &&
               count_rows(nsight, "WDDM_EVICT_ALLOCATION_EVENTS", &nsight->evictions) &&
               count_rows(nsight, "WDDM_HW_QUEUE_EVENTS", &nsight->hardware_queues);
    return database_read(database, tables[NSIGHT_KERNEL], work_columns, read_kernel, nsight) &&
           database_read(database, tables[NSIGHT_MEMSET], work_columns, read_fill, nsight) &&
           database_read(database, tables[NSIGHT_MEMCPY], work_columns, read_copy, nsight);
}

static void add_facts(const struct nsight *nsight)
{
    struct trace_facts *facts = &nsight->reader->facts;
    trace_facts_add(facts, "rows", "rows read of the tables that count", "", nsight->rows);
    trace_facts_add(facts, "gpu-page-faults", "page faults of the GPU on unified memory", "",
                    nsight->page_faults_gpu);
    trace_facts_add(facts, "cpu-page-faults", "page faults of the processor on unified memory", "",
                    nsight->page_faults_cpu);
    if (nsight->packets)
        nsight_wddm_facts(nsight, facts);
}

static bool nsight_open(struct trace_input *input, const struct trace_open_options *options,
                        void **state, struct trace_header *header, struct trace_error *error)
{
    struct nsight nsight = {0};
    (void)options;
    *state = NULL;
    if (!activity_reader_create(input, place, NULL, &nsight.reader, error))
        return false;
    struct activity_reader *reader = nsight.reader;
    if (!database_open(input, &nsight.database, error)) {
        activity_reader_close(reader);
        return false;
    }
    snprintf(reader->source, sizeof reader->source, "Nsight Systems");
    bool good = read_tables(&nsight);
    reader->damage = *database_damage(nsight.database);
    database_close(nsight.database);
    free(nsight.calls);
    if (!good && reader->damage.message[0] == '\0') {
        const char *why = activities_failure(reader->activities);
        trace_fail(error, false, "%s: %s", trace_input_path(input),
                   why != NULL ? why : "out of memory");
        activity_reader_close(reader);
        return false;
    }
    add_facts(&nsight);
    return activity_reader_finish(reader, state, header, error);
}

static bool nsight_detect(const unsigned char *head, size_t length)
{
    static const char magic[] = "SQLite format 3"; /* and its NUL */
    return length >= sizeof magic && memcmp(head, magic, sizeof magic) == 0;
}

const struct trace_format trace_format_nsight = {
    .name = "nsight",
    .summary = "SQLite export of Nsight Systems",
    .names_its_own = true,
    .detect = nsight_detect,
    .open = nsight_open,
    .next = activity_reader_next,
    .place = activity_reader_place,
    .facts = activity_reader_facts,
    .close = activity_reader_close,
};
