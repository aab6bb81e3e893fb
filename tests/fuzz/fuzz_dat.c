/* Fuzz target: any bytes as trace.dat.
 *
 * Almost every change to a whole file breaks an offset, so the first byte chooses how the rest is
 * dressed: as a whole file, as the pages of a processor, or as the format text of a tracepoint. */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/make_dat.h"

static void read_made(struct dat_made *made, const struct dat_page *pages, size_t count)
{
    if (made->version == 6)
        dat_make_6(made, pages, count);
    else
        dat_make_7(made, pages, count);
    fuzz_read(fuzz_format("trace.dat"), made->file.bytes, made->file.length);
    trace_buffer_free(&made->file);
}

/* Two pages of the bytes. */
static void read_pages(struct dat_made *made, const uint8_t *bytes, size_t length)
{
    struct dat_page pages[2];
    for (size_t i = 0; i < 2; i++) {
        size_t size = length < DAT_PAGE ? length : DAT_PAGE;
        pages[i] = (struct dat_page){0};
        trace_buffer_put(&pages[i].bytes, bytes, size);
        dat_pad(&pages[i].bytes, DAT_PAGE);
        bytes += size;
        length -= size;
    }
    read_made(made, pages, 2);
    trace_buffer_free(&pages[0].bytes);
    trace_buffer_free(&pages[1].bytes);
}

/* The sample, with one tracepoint laid out as the bytes say. */
static void read_format(struct dat_made *made, const uint8_t *bytes, size_t length)
{
    char *text = malloc(length + 1);
    if (text == NULL)
        return;
    memcpy(text, bytes, length);
    text[length] = '\0'; /* what is behind a NUL is not looked at */
    made->format = text;
    dat_sample(made);
    fuzz_read(fuzz_format("trace.dat"), made->file.bytes, made->file.length);
    trace_buffer_free(&made->file);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char *const packings[] = {"none", "zstd", "zlib"};
    if (length < 2 || length > 1 << 20)
        return 0;
    struct dat_made made = {
        .version = (bytes[0] & 4) != 0 ? 7 : 6,
        .big_endian = (bytes[0] & 8) != 0,
        .packing = packings[bytes[0] / 16 % 3],
        .processes = "70 69\n",
    };
    if ((bytes[0] & 3) == 1)
        read_pages(&made, bytes + 1, length - 1);
    else if ((bytes[0] & 3) == 2)
        read_format(&made, bytes + 1, length - 1);
    else
        fuzz_read(fuzz_format("trace.dat"), bytes + 1, length - 1);
    return 0;
}
