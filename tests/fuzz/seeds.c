/* Writes small recordings of each foreign format into a folder, for the fuzz targets to begin with:
 *
 *   seeds FOLDER
 */
#include "tests/unit/make_pickle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_seed(const char *folder, const char *name, const void *bytes, size_t length)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static const char kineto[] =
    "{\"schemaVersion\":1,\"deviceProperties\":[{\"id\":0,\"name\":\"GPU\",\"totalGlobalMem\":"
    "1024}],\"baseTimeNanoseconds\":5,\"traceEvents\":[\n"
    "{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"k\",\"pid\":0,\"tid\":7,\"ts\":1005.25,\"dur\":9,"
    "\"args\":{\"device\":0,\"context\":1,\"stream\":7,\"correlation\":11}},\n"
    "{\"ph\":\"X\",\"cat\":\"cuda_runtime\",\"name\":\"cudaLaunchKernel\",\"pid\":5,\"tid\":6,"
    "\"ts\":1000,\"dur\":3,\"args\":{\"correlation\":11}},\n"
    "{\"ph\":\"X\",\"cat\":\"gpu_memcpy\",\"name\":\"Memcpy HtoD (Pinned -> Device)\",\"ts\":1030,"
    "\"dur\":4,\"args\":{\"device\":0,\"stream\":7,\"correlation\":13,\"bytes\":4096}},\n"
    "{\"ph\":\"X\",\"cat\":\"gpu_memset\",\"name\":\"Memset\",\"ts\":1e3,\"dur\":4,\"args\":{"
    "\"stream\":8,\"bytes\":64}},\n"
    "{\"ph\":\"X\",\"cat\":\"cuda_runtime\",\"name\":\"cudaStreamSynchronize\",\"pid\":5,\"tid\":6,"
    "\"ts\":1040,\"dur\":1},\n"
    "{\"ph\":\"i\",\"name\":\"[memory]\",\"pid\":5,\"tid\":6,\"ts\":10,\"args\":{\"Device Type\":1,"
    "\"Device Id\":0,\"Addr\":4096,\"Bytes\":512,\"Total Allocated\":1000}},\n"
    "{\"ph\":\"i\",\"name\":\"[memory]\",\"ts\":12,\"args\":{\"Device Type\":1,\"Addr\":4096,"
    "\"Bytes\":-512}},\n"
    "{\"ph\":\"s\",\"id\":\"0x1f\",\"ts\":1,\"name\":\"\\u00e9\\\"\"}]}\n";

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    struct trace_buffer pickle = {0};
    pickle_sample(&pickle);
    write_seed(arguments[1], "sample.kineto", kineto, strlen(kineto));
    write_seed(arguments[1], "sample.pytorch", pickle.bytes, pickle.length);
    trace_buffer_free(&pickle);
    return 0;
}
