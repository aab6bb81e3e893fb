/* Fuzz target: any bytes as a Windows event recording.
 *
 * Chance never finds the headers that lead to the interesting code, so the first byte chooses how
 * the rest is dressed: as a whole file, as the records of one buffer behind a good header, as one
 * compressed buffer, or as DxgKrnl events: for each an id out of those that are mapped, a version,
 * a time, a thread, and a payload drawn from few handles, so that they refer to each other. */
#include "tests/fuzz/fuzz.h"

#include "traces/buffer.h"
#include "traces/etl/layouts.h"

enum { BUFFER_HEADER = 72, FLAG_COMPRESSED = 0x40, GENERIC = 0, FILE_HEADER = 4 };

static void put(struct trace_buffer *file, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        trace_buffer_put_byte(file, (unsigned char)(number >> (8 * i)));
}

static void put_zeros(struct trace_buffer *file, size_t count)
{
    for (size_t i = 0; i < count; i++)
        trace_buffer_put_byte(file, 0);
}

static void put_buffer(struct trace_buffer *file, const struct trace_buffer *records,
                       unsigned processor, unsigned flags, unsigned type, size_t expanded)
{
    put(file, BUFFER_HEADER + records->length, 4);
    put_zeros(file, 0x28 - 4);
    put(file, processor, 1);
    put_zeros(file, 7);
    put(file, BUFFER_HEADER + expanded, 4);
    put(file, flags, 2);
    put(file, type, 2);
    put_zeros(file, 16);
    trace_buffer_put(file, records->bytes, records->length);
}

static void put_logfile_header(struct trace_buffer *file)
{
    struct trace_buffer record = {0};
    put(&record, 0xc0020002, 4);
    put(&record, 32 + 280 + 4, 2);
    put_zeros(&record, 32 - 6 + 240 + 16);
    put(&record, 10000000, 8); /* ticks a second */
    put_zeros(&record, 8);
    put(&record, 1, 4);
    put_zeros(&record, 16);
    put_zeros(&record, (8 - record.length % 8) % 8);
    put_buffer(file, &record, 0, 0, FILE_HEADER, record.length);
    trace_buffer_free(&record);
}

static const unsigned char provider[16] = {0x5a, 0xc4, 0x2e, 0x80, 0x99, 0x1e, 0x83, 0x4b,
                                           0x99, 0x20, 0x87, 0xc9, 0x82, 0x77, 0xba, 0x9d};

/* A field: mostly a small number, so that handles meet again; some function ids and statuses. */
static uint64_t word_of(uint8_t byte)
{
    if (byte >= 0xf8)
        return UINT32_MAX;
    if (byte == 0xf7)
        return 0x103; /* STATUS_PENDING */
    if (byte >= 0xc8)
        return etl_functions[(size_t)(byte - 0xc8) % etl_function_count].id;
    return byte;
}

/* One event out of the bytes at `at`; returns what it used. */
static size_t put_event(struct trace_buffer *records, const uint8_t *at, size_t left,
                        uint64_t *stamp)
{
    enum { HEAD = 6 };
    if (left < HEAD)
        return left;
    const struct etl_layout *layout = &etl_layouts[at[0] % etl_layout_count];
    size_t words = at[3] % 32;
    if (words > left - HEAD)
        words = left - HEAD;
    *stamp += at[1];
    size_t size = 80 + 4 * words + at[4] % 4;
    put(records, size | 0xc0U << 24 | (at[5] & 0x80 ? 0x12U : 0x13U) << 16, 4);
    put(records, at[5] >> 6 & 1, 4);    /* extended items */
    put(records, at[2] % 4, 4);         /* thread */
    put(records, 4 + at[2] / 4 % 3, 4); /* process */
    put(records, *stamp, 8);
    trace_buffer_put(records, provider, sizeof provider);
    put(records, layout->id, 2);
    put(records, at[5] % 8 == 7 ? 9 : layout->version, 1);
    put_zeros(records, 80 - 0x2b);
    for (size_t i = 0; i < words; i++)
        put(records, word_of(at[HEAD + i]), 4);
    put_zeros(records, at[4] % 4);
    put_zeros(records, (8 - records->length % 8) % 8);
    return HEAD + words;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct trace_format *format = fuzz_format("etl");
    if (length < 2 || length > 1 << 20)
        return 0;
    if (bytes[0] % 4 == 0) {
        fuzz_read(format, bytes + 1, length - 1);
        return 0;
    }
    struct trace_buffer file = {0}, records = {0};
    put_logfile_header(&file);
    if (bytes[0] % 4 == 3) {
        uint64_t stamp = 0;
        for (size_t at = 1; at < length;)
            at += put_event(&records, bytes + at, length - at, &stamp);
    } else {
        trace_buffer_put(&records, bytes + 1, length - 1);
    }
    bool compressed = bytes[0] % 4 == 2;
    put_buffer(&file, &records, bytes[0] / 4, compressed ? FLAG_COMPRESSED : 0, GENERIC,
               compressed ? (size_t)bytes[1] * 64 : records.length);
    fuzz_read(format, file.bytes, file.length);
    trace_buffer_free(&records);
    trace_buffer_free(&file);
    return 0;
}
