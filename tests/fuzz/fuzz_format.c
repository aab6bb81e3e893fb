/* Fuzz target of one format of foreign recordings, FUZZ_FORMAT. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length <= 1 << 20)
        fuzz_read(fuzz_format(FUZZ_FORMAT), bytes, length);
    return 0;
}
