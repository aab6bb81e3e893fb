/* Decoding traces, beside what it takes to look at the same bytes once. */
#include "tests/bench/bench.h"
#include "tests/recording.h"
#include "traces/input.h"
#include "traces/reader.h"
#include "traces/vocabulary.h"
#include "traces/writer.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned char *load(const char *path, size_t *length)
{
    struct trace_input *input;
    struct trace_error error;
    unsigned char *bytes = NULL;
    size_t room = 0;
    *length = 0;
    if (!trace_input_open(path, &input, &error)) {
        fprintf(stderr, "bench: %s\n", error.message);
        return NULL;
    }
    for (size_t got = 1; got > 0; *length += got) {
        if (room - *length < 1 << 20)
            bytes = realloc(bytes, room = 2 * room + (2 << 20));
        if (!bytes || !trace_input_read(input, bytes + *length, room - *length, &got, &error))
            exit(1);
    }
    trace_input_close(input);
    return bytes;
}

static bool decode(const void *what, struct bench_answer *answer)
{
    struct trace_reader *reader;
    struct trace_event event;
    struct trace_error error;
    double begun = bench_seconds();
    bool good = trace_open(what, NULL, &reader, &error);
    enum trace_result result = TRACE_EVENT;
    while (good && (result = trace_next(reader, &event, &error)) == TRACE_EVENT)
        answer->events++;
    answer->seconds = bench_seconds() - begun;
    if (!good || result == TRACE_BAD) {
        fprintf(stderr, "bench: %s\n", error.message);
        return false;
    }
    trace_close(reader);
    return true;
}

/* Long enough to be measured: as often as makes 256 MiB. */
enum { SCANNED = 256 << 20 };

static bool scan(const void *what, struct bench_answer *answer)
{
    size_t length;
    const unsigned char *bytes = load(what, &length);
    if (!bytes)
        return false;
    size_t times = SCANNED / (length + 1) + 1;
    uint64_t sum = 0;
    double begun = bench_seconds();
    for (size_t i = 0; i < times; i++)
        for (size_t at = 0; at + sizeof sum <= length; at += sizeof sum) {
            uint64_t word;
            memcpy(&word, bytes + at, sizeof word);
            sum += word ^ i;
        }
    answer->seconds = (bench_seconds() - begun) / (double)times;
    answer->bytes = length + (sum == 1); /* so that the sum is wanted */
    return true;
}

/* Submissions without lists: the simplest events that a recording is full of. */
bool bench_submits(const void *what, struct bench_answer *answer)
{
    const struct bench_generate *wanted = what;
    const struct trace_header header = {.version = TRACE_VERSION, .source = "bench"};
    struct trace_writer *writer;
    struct trace_error error;
    double begun = bench_seconds();
    bool good = trace_writer_open(wanted->path, &header, &writer, &error);
    for (uint64_t i = 0; good && i < wanted->events; i++) {
        const struct trace_event event = {
            .op = TRACE_SUBMIT,
            .given = TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_GPU),
            .t_ns = 100000 * i,
            .pid = 1000,
            .tid = 1004,
            .context = {.number = 1 + i % 4},
            .gpu_ns = 50000 + 977 * i % 20000,
        };
        good = trace_writer_put(writer, &event, &error);
    }
    answer->events = wanted->events;
    good = good && trace_writer_close(writer, &error);
    answer->seconds = bench_seconds() - begun;
    if (good)
        return true;
    fprintf(stderr, "bench: %s\n", error.message);
    return false;
}

/* Copying as many events as the trace has, a block's worth at a time. */
static bool copy(const void *what, struct bench_answer *answer)
{
    enum { BLOCK = 1024 };
    const uint64_t *events = what;
    struct trace_event *from = calloc(BLOCK, sizeof *from), *to = calloc(BLOCK, sizeof *to);
    if (!from || !to)
        return false;
    double begun = bench_seconds();
    for (uint64_t copied = 0; copied < *events; copied += BLOCK) {
        from[copied / BLOCK % BLOCK].t_ns = copied;
        memcpy(to, from, BLOCK * sizeof *to);
        answer->bytes += to[copied % BLOCK].t_ns & 1;
    }
    answer->seconds = bench_seconds() - begun;
    return true;
}

/* Importing a recording whole: opening, all events. */
static void recording_row(const struct bench *bench, const char *row, const char *name)
{
    char recording[512], path[320];
    if (!recording_path(name, recording, sizeof recording)) {
        printf("%-28s no recording here: set WDDMSIM_SHARED\n", row);
        return;
    }
    size_t length;
    unsigned char *bytes = load(recording, &length);
    snprintf(path, sizeof path, "%s/recording", bench->folder);
    FILE *out = bytes ? fopen(path, "wb") : NULL;
    if (!out || fwrite(bytes, 1, length, out) != length || fclose(out) != 0) {
        fprintf(stderr, "bench: %s cannot be unpacked\n", recording);
        exit(1);
    }
    free(bytes);
    struct bench_answer answer, bare;
    bench_compare(bench, decode, path, scan, path, &answer, &bare);
    bench_row(row, (double)length / answer.seconds * 1e-6, (double)length / bare.seconds * 1e-6,
              "MB/s", "scan of the same bytes");
    unlink(path);
}

/* An export of Nsight Systems: half of the rows are launches, half their kernels. */
static bool generate_database(const void *what, struct bench_answer *answer)
{
    static const char sql[] =
        "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;"
        "CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INTEGER NOT NULL, end INTEGER NOT NULL, "
        "eventClass INTEGER, globalTid INTEGER, correlationId INTEGER, nameId INTEGER);"
        "CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INTEGER NOT NULL, end INTEGER NOT NULL, "
        "deviceId INTEGER, contextId INTEGER, streamId INTEGER, correlationId INTEGER, globalPid "
        "INTEGER, gridX INTEGER, gridY INTEGER, gridZ INTEGER);"
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < %llu) INSERT INTO "
        "CUPTI_ACTIVITY_KIND_RUNTIME SELECT 10000*x, 10000*x+4000, 0, 838860851, x, 5 FROM c;"
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < %llu) INSERT INTO "
        "CUPTI_ACTIVITY_KIND_KERNEL SELECT 10000*x+6000, 10000*x+9000, 0, 1, 7+x%%4, x, 838860800, "
        "64, 1, 1 FROM c;"
        "COMMIT";
    const struct bench_generate *wanted = what;
    unsigned long long half = wanted->events / 2;
    char *text = sqlite3_mprintf(sql, half, half), *message = NULL;
    sqlite3 *database;
    bool good = text && sqlite3_open(wanted->path, &database) == SQLITE_OK &&
                sqlite3_exec(database, text, NULL, NULL, &message) == SQLITE_OK &&
                sqlite3_close(database) == SQLITE_OK;
    if (!good)
        fprintf(stderr, "bench: %s: %s\n", wanted->path, message ? message : "no database");
    sqlite3_free(text);
    answer->events = 2 * half;
    return good;
}

/* Looking at each of its rows. */
static bool walk_rows(const void *what, struct bench_answer *answer)
{
    static const char *const tables[] = {
        "SELECT start,end,globalTid,correlationId,nameId FROM CUPTI_ACTIVITY_KIND_RUNTIME",
        "SELECT start,end,deviceId,contextId,streamId FROM CUPTI_ACTIVITY_KIND_KERNEL"};
    sqlite3 *database;
    sqlite3_stmt *statement;
    double begun = bench_seconds();
    if (sqlite3_open_v2(what, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        return false;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (sqlite3_prepare_v2(database, tables[i], -1, &statement, NULL) != SQLITE_OK)
            return false;
        for (; sqlite3_step(statement) == SQLITE_ROW; answer->events++)
            answer->bytes += (uint64_t)sqlite3_column_int64(statement, 0) & 1;
        sqlite3_finalize(statement);
    }
    sqlite3_close(database);
    answer->seconds = bench_seconds() - begun;
    return true;
}

static void database_row(const struct bench *bench)
{
    char path[320];
    struct bench_answer made, answer, bare;
    snprintf(path, sizeof path, "%s/nsight.sqlite", bench->folder);
    made = bench_run(generate_database, &(struct bench_generate){path, bench->events});
    bench_compare(bench, decode, path, walk_rows, path, &answer, &bare);
    bench_row("Nsight SQLite import", (double)made.events / answer.seconds * 1e-6,
              (double)bare.events / bare.seconds * 1e-6, "M rows/s", "SQLite: the same rows");
    unlink(path);
}

/* What trace-cmd report prints of a game: of each job that it is queued, handed over and done. */
static bool generate_ftrace(const void *what, struct bench_answer *answer)
{
    const struct bench_generate *wanted = what;
    FILE *out = fopen(wanted->path, "w");
    if (!out || fputs("cpus=4\n", out) < 0)
        return false;
    for (uint64_t i = 1; answer->events < wanted->events; i++, answer->events += 3) {
        unsigned long long job = i, us = 1000 * i, context = 40 + i % 4;
        const char *ring = i % 4 == 0 ? "sdma0" : "gfx";
        fprintf(out,
                "vrcompositor-25118 [%03llu] %5llu.%06llu: amdgpu_cs_ioctl:      sched_job=%llu, "
                "timeline=%s, context=%llu, seqno=%llu, ring_name=%s, num_ibs=1\n",
                job % 4, us / 1000000, us % 1000000, job, ring, context, job, ring);
        us += 40;
        fprintf(out,
                "          %s-312   [%03llu] %5llu.%06llu: amdgpu_sched_run_job: sched_job=%llu, "
                "timeline=%s, context=%llu, seqno=%llu, ring_name=%s, num_ibs=1\n",
                ring, job % 4, us / 1000000, us % 1000000, job, ring, context, job, ring);
        us += 900;
        fprintf(out,
                "          <idle>-0     [%03llu] %5llu.%06llu: dma_fence_signaled:   "
                "driver=amdgpu timeline=%s context=%llu seqno=%llu\n",
                job % 4, us / 1000000, us % 1000000, ring, context, job);
    }
    answer->bytes = (uint64_t)ftell(out);
    return fclose(out) == 0;
}

static void ftrace_row(const struct bench *bench)
{
    char path[320];
    struct bench_answer made, answer, bare;
    snprintf(path, sizeof path, "%s/trace.txt", bench->folder);
    made = bench_run(generate_ftrace, &(struct bench_generate){path, bench->events});
    bench_compare(bench, decode, path, scan, path, &answer, &bare);
    bench_row("ftrace text import", (double)made.bytes / answer.seconds * 1e-6,
              (double)made.bytes / bare.seconds * 1e-6, "MB/s", "scan of the same bytes");
    unlink(path);
}

void bench_decode(const struct bench *bench)
{
    char path[320];
    struct bench_answer answer, bare;
    recording_row(bench, "ETL import", "windows-etl/steamvr-win10-17134.etl.gz");
    recording_row(bench, "trace.dat import", "linux-trace-cmd/amdgpu-steamvr-2017-07.dat.gz");
    ftrace_row(bench);
    recording_row(bench, "Kineto JSON import", "kineto-json/training-with-memory-events.json.gz");
    recording_row(bench, "PyTorch snapshot import",
                  "pytorch-snapshot/transformer-medium-ctx1024-training.pickle");
    database_row(bench);

    snprintf(path, sizeof path, "%s/frames.jsonl", bench->folder);
    bench_run(bench_generate, &(struct bench_generate){path, bench->events / 10});
    bench_compare(bench, decode, path, scan, path, &answer, &bare);
    bench_row("JSON Lines parse", (double)answer.events / answer.seconds * 1e-6,
              (double)answer.events / bare.seconds * 1e-6, "M events/s", "scan of the same bytes");
    unlink(path);

    snprintf(path, sizeof path, "%s/frames.wtrace", bench->folder);
    uint64_t events = bench->events;
    bench_compare(bench, decode, path, copy, &events, &answer, &bare);
    bench_row(".wtrace decode, frames", (double)answer.events / answer.seconds * 1e-6,
              (double)events / bare.seconds * 1e-6, "M events/s", "memcpy of the decoded events");

    snprintf(path, sizeof path, "%s/submits.wtrace", bench->folder);
    bench_run(bench_submits, &(struct bench_generate){path, bench->events});
    bench_compare(bench, decode, path, copy, &events, &answer, &bare);
    bench_row(".wtrace decode, submissions", (double)answer.events / answer.seconds * 1e-6,
              (double)events / bare.seconds * 1e-6, "M events/s", "memcpy of the decoded events");
    unlink(path);
}
