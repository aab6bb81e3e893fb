/* Making databases as Nsight Systems exports them. */
#ifndef WDDMSIM_TESTS_MAKE_NSIGHT_H
#define WDDMSIM_TESTS_MAKE_NSIGHT_H

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

/* The bytes of a database in which this was executed; sqlite3_free releases them. */
static inline unsigned char *make_database(const char *sql, size_t *length)
{
    sqlite3 *database;
    sqlite3_int64 size = 0;
    char *message = NULL;
    if (sqlite3_open(":memory:", &database) != SQLITE_OK ||
        sqlite3_exec(database, "PRAGMA page_size=512", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK) {
        fprintf(stderr, "%s\n", message != NULL ? message : "no database");
        exit(1);
    }
    unsigned char *bytes = sqlite3_serialize(database, "main", &size, 0);
    sqlite3_close(database);
    *length = (size_t)size;
    return bytes;
}

/* Process 50, threads 51 and 52, as they are serialized: the process in bits 24 to 47. */
#define NSIGHT_PID "838860800"
#define NSIGHT_TID "838860851"

/* A launch with its kernel, a copy that waits, a fill, memory taken and given back, and a
 * migration. */
static const char nsight_cuda_sample[] =
    "CREATE TABLE StringIds (id INTEGER NOT NULL PRIMARY KEY, value TEXT NOT NULL);"
    "INSERT INTO StringIds VALUES (1,'cudaLaunchKernel_v7000'),(2,'cudaMemcpy_v3020'),"
    "(3,'cudaDeviceSynchronize_v3020');"
    "CREATE TABLE TARGET_INFO_GPU (id INTEGER, name TEXT, totalMemory INTEGER);"
    "INSERT INTO TARGET_INFO_GPU VALUES (0,'Made Up',1024);"
    "CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INTEGER NOT NULL, end INTEGER NOT NULL, "
    "globalTid INTEGER, correlationId INTEGER, nameId INTEGER);"
    "INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (1000,1400," NSIGHT_TID ",7,1),"
    "(2000,9000," NSIGHT_TID ",8,2),(9500,9900," NSIGHT_TID ",9,3);"
    "CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INTEGER, end INTEGER, deviceId INTEGER, "
    "contextId INTEGER, streamId INTEGER, correlationId INTEGER, globalPid INTEGER);"
    "INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (1500,3500,0,1,7,7," NSIGHT_PID ");"
    "CREATE TABLE CUPTI_ACTIVITY_KIND_MEMCPY (start INTEGER, end INTEGER, deviceId INTEGER, "
    "contextId INTEGER, streamId INTEGER, correlationId INTEGER, globalPid INTEGER, bytes INTEGER, "
    "copyKind INTEGER, srcKind INTEGER, dstKind INTEGER, migrationCause INTEGER);"
    "INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY VALUES (4000,8000,0,1,7,8," NSIGHT_PID
    ",65536,2,2,0,NULL),(8100,8200,0,0,0,0," NSIGHT_PID ",4096,11,7,7,2);"
    "CREATE TABLE CUPTI_ACTIVITY_KIND_MEMSET (start INTEGER, end INTEGER, deviceId INTEGER, "
    "contextId INTEGER, streamId INTEGER, globalPid INTEGER, bytes INTEGER);"
    "INSERT INTO CUPTI_ACTIVITY_KIND_MEMSET VALUES (9910,9920,0,1,7," NSIGHT_PID ",256);"
    "CREATE TABLE CUDA_GPU_MEMORY_USAGE_EVENTS (start INTEGER, globalPid INTEGER, deviceId "
    "INTEGER, "
    "address INTEGER, bytes INTEGER, memKind INTEGER, memoryOperationType INTEGER);"
    "INSERT INTO CUDA_GPU_MEMORY_USAGE_EVENTS VALUES (500," NSIGHT_PID ",0,4096,65536,2,0),"
    "(600," NSIGHT_PID ",0,8192,4096,1,0),(700," NSIGHT_PID ",0,9,100,0,0),"
    "(9950," NSIGHT_PID ",0,4096,65536,2,1);";

/* Two contexts: 3D packet 5 runs in two pieces, as it was preempted by packet 6; a copy; a wait,
 * that is left out; and a transfer. */
static const char nsight_wddm_sample[] =
    "CREATE TABLE TARGET_INFO_WDDM_CONTEXTS (context INTEGER, engineType INTEGER, nodeOrdinal "
    "INTEGER, friendlyName TEXT);"
    "INSERT INTO TARGET_INFO_WDDM_CONTEXTS VALUES (-111,1,0,'3D'),(7000,6,2,'Copy');"
    "CREATE TABLE WDDM_QUEUE_PACKET_START_EVENTS (start INTEGER, globalTid INTEGER, gpu INTEGER, "
    "context INTEGER, dmaBufferSize INTEGER, packetType INTEGER, submitSequence INTEGER, "
    "engineType "
    "INTEGER);"
    "INSERT INTO WDDM_QUEUE_PACKET_START_EVENTS VALUES (100," NSIGHT_TID ",0,-111,64,0,5,1),"
    "(110," NSIGHT_TID ",0,-111,32,0,6,1),(120," NSIGHT_TID ",0,7000,16,0,5,6),"
    "(130," NSIGHT_TID ",0,-111,0,4,7,1);"
    "CREATE TABLE WDDM_QUEUE_PACKET_STOP_EVENTS (start INTEGER, context INTEGER, submitSequence "
    "INTEGER);"
    "INSERT INTO WDDM_QUEUE_PACKET_STOP_EVENTS VALUES (900,-111,5),(600,-111,6),(400,7000,5);"
    "CREATE TABLE WDDM_DMA_PACKET_START_EVENTS (start INTEGER, context INTEGER, uliSubmissionId "
    "INTEGER, ulQueueSubmitSequence INTEGER);"
    "INSERT INTO WDDM_DMA_PACKET_START_EVENTS VALUES (200,-111,1,5),(250,7000,1,5),(260,-111,2,6),"
    "(300,-111,3,5);"
    "CREATE TABLE WDDM_DMA_PACKET_STOP_EVENTS (start INTEGER, context INTEGER, uliCompletionId "
    "INTEGER, ulQueueSubmitSequence INTEGER);"
    "INSERT INTO WDDM_DMA_PACKET_STOP_EVENTS VALUES (290,-111,1,5),(350,7000,1,5),(590,-111,2,6),"
    "(890,-111,3,5);"
    "CREATE TABLE MEMORY_TRANSFER_EVENTS (start INTEGER, globalTid INTEGER, size INTEGER, "
    "memoryTransferType INTEGER);"
    "INSERT INTO MEMORY_TRANSFER_EVENTS VALUES (450," NSIGHT_TID ",4096,1),(460," NSIGHT_TID
    ",4096,7);"
    "CREATE TABLE WDDM_EVICT_ALLOCATION_EVENTS (start INTEGER);"
    "INSERT INTO WDDM_EVICT_ALLOCATION_EVENTS VALUES (440);";

#endif
