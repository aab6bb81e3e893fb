/* Writes small recordings of each foreign format into a folder, for the fuzz targets to begin with:
 *
 *   seeds FOLDER
 */
#include "tests/unit/make_nsight.h"
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

static const char gpgmm[] =
    "{\"traceEvents\":[{\"name\":\"thread_name\",\"ph\":\"M\",\"args\":{\"name\":\"GPGMM_"
    "MainThread\"}},"
    "{\"name\":\"ResourceAllocator.CreateResource\",\"ph\":\"i\",\"tid\":7,\"ts\":112606,\"pid\":5,"
    "\"args\":{\"allocationDescriptor\":{\"HeapType\":1},\"resourceDescriptor\":{\"Dimension\":3,"
    "\"Flags\":1}}},{\"name\":\"ResourceAllocator.CreateResource\",\"ph\":\"B\",\"tid\":7,\"ts\":"
    "112607},"
    "{\"name\":\"Heap\",\"ph\":\"N\",\"id\":\"0x70\",\"tid\":7,\"ts\":113817,\"pid\":5},"
    "{\"name\":\"Heap\",\"ph\":\"O\",\"id\":\"0x70\",\"tid\":7,\"ts\":113860,\"pid\":5,\"args\":{"
    "\"snapshot\":{\"SizeInBytes\":4194304,\"Heap\":{\"Properties\":{\"Type\":4,"
    "\"CPUPageProperty\":2}}}}},"
    "{\"name\":\"GPU allocation latency "
    "(us)\",\"ph\":\"C\",\"tid\":7,\"ts\":114009,\"pid\":5,\"args\":{"
    "\"value\":1383}},{\"name\":\"ResourceAllocator.CreateResource\",\"ph\":\"E\",\"tid\":7,\"ts\":"
    "114010},"
    "{\"name\":\"Heap\",\"ph\":\"D\",\"id\":\"0x70\",\"tid\":7,\"ts\":150000,\"pid\":5}]}";

/* Rows as fuzz_nsight.c reads them: names of calls, launches, a kernel, a copy, a fill, memory
 * taken and given back; and packets. */
static const char cuda_rows[] = "\x00"
                                "\x00\x01\xf0\x00\x02\xf1"
                                "\x01\x05\x09\x03\x07\x01\x01\x10\x19\x03\x08\x02"
                                "\x02\x06\x0e\x03\x00\x01\x07\x07"
                                "\x03\x12\x18\x03\x00\x01\x07\x08\x40\x02\x02\x01\x00"
                                "\x03\x12\x18\x03\x00\x01\x07\x00\x40\x0b\x03\x03\x02"
                                "\x04\x20\x22\x03\x00\x01\x07\x40"
                                "\x05\x01\x03\x00\x50\x40\x02\x00"
                                "\x05\x28\x03\x00\x50\x40\x02\x01";
static const char wddm_rows[] = "\x01"
                                "\x06\x11\x02"
                                "\x07\x05\x03\x00\x11\x40\x00\x01\x01"
                                "\x09\x06\x11\x01\x01\x0a\x08\x11\x01\x01"
                                "\x09\x09\x11\x02\x01\x0a\x0c\x11\x02\x01"
                                "\x08\x0d\x11\x01"
                                "\x0b\x04\x03\x40\x01";

static void write_database(const char *folder, const char *name, const char *sql)
{
    size_t length;
    unsigned char *bytes = make_database(sql, &length);
    write_seed(folder, name, bytes, length);
    sqlite3_free(bytes);
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    struct trace_buffer pickle = {0};
    pickle_sample(&pickle);
    write_seed(arguments[1], "sample.kineto", kineto, strlen(kineto));
    write_seed(arguments[1], "sample.gpgmm", gpgmm, strlen(gpgmm));
    write_seed(arguments[1], "sample.pytorch", pickle.bytes, pickle.length);
    write_database(arguments[1], "cuda.nsight", nsight_cuda_sample);
    write_database(arguments[1], "wddm.nsight", nsight_wddm_sample);
    write_seed(arguments[1], "cuda-rows.nsight", cuda_rows, sizeof cuda_rows - 1);
    write_seed(arguments[1], "wddm-rows.nsight", wddm_rows, sizeof wddm_rows - 1);
    trace_buffer_free(&pickle);
    return 0;
}
