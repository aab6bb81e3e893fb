/* Fuzz target: any bytes as JSON Lines. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_read(fuzz_format("jsonl"), bytes, length);
    return 0;
}
