/* Fuzz target: any bytes as an export of Nsight Systems.
 *
 * Chance seldom makes a database, so what does not begin like one is taken as rows to put into one:
 * a byte for the table, then one for each of its columns. */
#include "tests/fuzz/fuzz.h"

#include <sqlite3.h>

static const char schema[] =
    "PRAGMA page_size=512;"
    "CREATE TABLE StringIds (id, value);"
    "CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start, end, globalTid, correlationId, nameId);"
    "CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start, end, globalPid, deviceId, contextId, "
    "streamId, correlationId);"
    "CREATE TABLE CUPTI_ACTIVITY_KIND_MEMCPY (start, end, globalPid, deviceId, contextId, "
    "streamId, correlationId, bytes, copyKind, srcKind, dstKind, migrationCause);"
    "CREATE TABLE CUPTI_ACTIVITY_KIND_MEMSET (start, end, globalPid, deviceId, contextId, "
    "streamId, bytes);"
    "CREATE TABLE CUDA_GPU_MEMORY_USAGE_EVENTS (start, globalPid, deviceId, address, bytes, "
    "memKind, memoryOperationType);";

static const char packets[] =
    "CREATE TABLE TARGET_INFO_WDDM_CONTEXTS (context, nodeOrdinal);"
    "CREATE TABLE WDDM_QUEUE_PACKET_START_EVENTS (start, globalTid, gpu, context, dmaBufferSize, "
    "packetType, submitSequence, engineType);"
    "CREATE TABLE WDDM_QUEUE_PACKET_STOP_EVENTS (start, context, submitSequence);"
    "CREATE TABLE WDDM_DMA_PACKET_START_EVENTS (start, context, uliSubmissionId, "
    "ulQueueSubmitSequence);"
    "CREATE TABLE WDDM_DMA_PACKET_STOP_EVENTS (start, context, uliCompletionId, "
    "ulQueueSubmitSequence);"
    "CREATE TABLE MEMORY_TRANSFER_EVENTS (start, globalTid, size, memoryTransferType);";

static const struct {
    const char *insert;
    int columns;
} tables[] = {
    {"INSERT INTO StringIds VALUES (?,?)", 2},
    {"INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (?,?,?,?,?)", 5},
    {"INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (?,?,?,?,?,?,?)", 7},
    {"INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", 12},
    {"INSERT INTO CUPTI_ACTIVITY_KIND_MEMSET VALUES (?,?,?,?,?,?,?)", 7},
    {"INSERT INTO CUDA_GPU_MEMORY_USAGE_EVENTS VALUES (?,?,?,?,?,?,?)", 7},
    {"INSERT INTO TARGET_INFO_WDDM_CONTEXTS VALUES (?,?)", 2},
    {"INSERT INTO WDDM_QUEUE_PACKET_START_EVENTS VALUES (?,?,?,?,?,?,?,?)", 8},
    {"INSERT INTO WDDM_QUEUE_PACKET_STOP_EVENTS VALUES (?,?,?)", 3},
    {"INSERT INTO WDDM_DMA_PACKET_START_EVENTS VALUES (?,?,?,?)", 4},
    {"INSERT INTO WDDM_DMA_PACKET_STOP_EVENTS VALUES (?,?,?,?)", 4},
    {"INSERT INTO MEMORY_TRANSFER_EVENTS VALUES (?,?,?,?)", 4},
};
enum { TABLES = sizeof tables / sizeof *tables, MOST_ROWS = 64 };

/* Mostly a small number, so that numbers meet again; some at the edges, some no numbers. */
static void bind(sqlite3_stmt *insert, int column, uint8_t byte)
{
    static const char *const names[] = {"cudaMemcpy_v3020", "cudaStreamSynchronize",
                                        "cuCtxSynchronize", "cudaMemcpyAsync"};
    static const int64_t edges[] = {INT64_MAX,     INT64_MIN,           -1,
                                    UINT32_MAX,    (int64_t)1 << 32,    1 << 24,
                                    INT64_MAX / 2, -4000000000000000000};
    if (byte < 0xe0)
        sqlite3_bind_int64(insert, column, byte);
    else if (byte < 0xf0)
        sqlite3_bind_int64(insert, column, edges[byte % 8]);
    else if (byte < 0xf8)
        sqlite3_bind_text(insert, column, names[byte % 4], -1, SQLITE_STATIC);
    /* else it stays NULL */
}

/* One row out of the bytes at `at`; returns what it used. */
static size_t put_row(sqlite3 *database, const uint8_t *at, size_t left)
{
    size_t table = at[0] % TABLES, used = 1;
    sqlite3_stmt *insert = NULL;
    if (sqlite3_prepare_v2(database, tables[table].insert, -1, &insert, NULL) != SQLITE_OK)
        return 1; /* there are no packets in this one */
    for (int column = 1; column <= tables[table].columns && used < left; column++)
        bind(insert, column, at[used++]);
    sqlite3_step(insert);
    sqlite3_finalize(insert);
    return used;
}

/* A database of the tables without rows, made once. */
static sqlite3 *open_empty(bool with_packets)
{
    static unsigned char *empty[2];
    static sqlite3_int64 size[2];
    sqlite3 *database;
    if (sqlite3_open(":memory:", &database) != SQLITE_OK)
        abort();
    if (empty[with_packets] == NULL) {
        if (sqlite3_exec(database, schema, NULL, NULL, NULL) != SQLITE_OK ||
            (with_packets && sqlite3_exec(database, packets, NULL, NULL, NULL) != SQLITE_OK))
            abort();
        empty[with_packets] = sqlite3_serialize(database, "main", &size[with_packets], 0);
        return database;
    }
    unsigned char *copy = sqlite3_malloc64((sqlite3_uint64)size[with_packets]);
    if (copy == NULL)
        abort();
    memcpy(copy, empty[with_packets], (size_t)size[with_packets]);
    if (sqlite3_deserialize(database, "main", copy, size[with_packets], size[with_packets],
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) !=
        SQLITE_OK)
        abort();
    return database;
}

static void read_rows(const uint8_t *bytes, size_t length)
{
    sqlite3 *database = open_empty(bytes[0] % 2);
    sqlite3_int64 size = 0;
    size_t at = 1;
    sqlite3_exec(database, "BEGIN", NULL, NULL, NULL);
    for (int row = 0; row < MOST_ROWS && at < length; row++)
        at += put_row(database, bytes + at, length - at);
    sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
    unsigned char *made = sqlite3_serialize(database, "main", &size, 0);
    if (made == NULL)
        abort();
    fuzz_read(fuzz_format("nsight"), made, (size_t)size);
    sqlite3_free(made);
    sqlite3_close(database);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char magic[] = "SQLite format 3";
    if (length >= sizeof magic && length <= 1 << 20 && memcmp(bytes, magic, sizeof magic) == 0)
        fuzz_read(fuzz_format("nsight"), bytes, length);
    else if (length > 0)
        read_rows(bytes, length);
    return 0;
}
