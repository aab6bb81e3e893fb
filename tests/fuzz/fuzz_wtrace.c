/* Fuzz target: any bytes as a binary trace.
 *
 * Checksums would stop almost every change at the door, so the first byte chooses how the rest is
 * dressed: as a whole file, as the unpacked payload of a block behind a good header, or as the
 * unpacked payload of the header before an empty trace. */
#include "tests/fuzz/fuzz.h"

#include "traces/buffer.h"
#include "traces/encoder.h"
#include "traces/wtrace.h"

#include <zlib.h>
#include <zstd.h>

static unsigned char *store32(unsigned char *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        *at++ = (unsigned char)(number >> (8 * i));
    return at;
}

static unsigned char *store64(unsigned char *at, uint64_t number)
{
    return store32(store32(at, (uint32_t)number), (uint32_t)(number >> 32));
}

static void put_section(struct trace_buffer *file, uint32_t kind, uint32_t events, uint64_t last_t,
                        const uint8_t *raw, size_t length)
{
    size_t bound = ZSTD_compressBound(length);
    if (!trace_buffer_reserve(file, WTRACE_SECTION_LENGTH + bound))
        abort();
    unsigned char *head = file->bytes + file->length, *payload = head + WTRACE_SECTION_LENGTH;
    size_t packed = ZSTD_compress(payload, bound, raw, length, 1);
    unsigned char *at = store32(head, kind);
    at = store32(at, (uint32_t)packed);
    at = store32(at, (uint32_t)length);
    at = store32(at, events);
    at = store64(store64(store64(at, 0), 0), last_t);
    at = store32(at, (uint32_t)crc32_z(0, payload, packed));
    store32(at, (uint32_t)crc32_z(0, head, WTRACE_SECTION_LENGTH - 4));
    file->length += WTRACE_SECTION_LENGTH + packed;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct trace_format *format = fuzz_format("wtrace");
    if (length < 2 || length > 1 << 20)
        return 0;
    if (bytes[0] % 4 == 0) {
        fuzz_read(format, bytes + 1, length - 1);
        return 0;
    }
    struct trace_buffer file = {0};
    if (bytes[0] % 4 == 1) {
        trace_buffer_put(&file, WTRACE_MAGIC "\x01", WTRACE_MAGIC_LENGTH);
        put_section(&file, WTRACE_HEAD, 0, 0, bytes + 1, length - 1);
    } else {
        const struct trace_header header = {.version = TRACE_VERSION};
        void *encoder = trace_encoder_wtrace.start(&header, &file);
        if (encoder == NULL)
            abort();
        trace_encoder_wtrace.free(encoder);
        put_section(&file, WTRACE_BLOCK, bytes[1] % 16U + 1, bytes[1] / 16U, bytes + 2, length - 2);
    }
    fuzz_read(format, file.bytes, file.length);
    trace_buffer_free(&file);
    return 0;
}
