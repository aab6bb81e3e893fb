/* Writes small recordings of each foreign format into a folder, for the fuzz targets to begin with:
 *
 *   seeds FOLDER
 */
#include "tests/unit/make_nsight.h"
#include "tests/unit/make_dat.h"
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

/* Tracepoints of all drivers, so that jobs, objects and waits meet. */
static const char ftrace[] =
    "# tracer: nop\n"
    " a-7 (  5) [000] .... 1.000000: amdgpu_bo_create: bo=0a, pages=16, type=2, preferred=4, "
    "allowed=6, visible=0\n"
    " a-7 (  5) [000] .... 1.000001: amdgpu_bo_list_set: list=1, bo=0a, bo_size=65536\n"
    " a-7 (  5) [000] .... 1.000002: amdgpu_cs: bo_list=1, ring=0, dw=8, fences=0\n"
    " a-7 (  5) [000] .... 1.000003: amdgpu_cs_ioctl: sched_job=1, timeline=gfx, context=4, "
    "seqno=1, ring_name=gfx, num_ibs=1\n"
    " a-7 [001] d.h. 1.000004: amdgpu_sched_run_job: sched_job=1, timeline=gfx, context=4, "
    "seqno=1, "
    "ring_name=gfx, num_ibs=1\n"
    " a-7 [001] 1.000005: dma_fence_wait_start: driver=a timeline=gfx context=4 seqno=1\n"
    " a-7 [001] 1.000006: amdgpu_bo_move: bo=0a, from=2, to=1, size=65536\n"
    " a-7 [001] 1.000007: drm_sched_job: entity=e1, id=2, fence=f1, ring=sdma0, job count:0\n"
    " a-7 [001] 1.000007: drm_sched_job_wait_dep: job ring=sdma0, id=2, depends fence=f0, "
    "context=4, seq=1\n"
    " a-0 [001] 1.000008: dma_fence_signaled: driver=a timeline=gfx context=4 seqno=1\n"
    " a-7 [001] 1.000009: dma_fence_wait_end: driver=a timeline=gfx context=4 seqno=1\n"
    " a-0 [001] 1.000010: drm_run_job: entity=e1, id=2, fence=f1, ring=sdma0, job count:0\n"
    " a-0 [001] 1.000011: drm_sched_process_job: fence=f1 signaled\n"
    " a-7 [001] 1.000012: drm_sched_job_queue: dev=d, fence=6:1, ring=vcn, job count:1\n"
    " a-7 [001] 1.000012: drm_sched_job_add_dep: fence=6:1 depends on fence=4:1\n"
    " a-7 [001] 1.000013: i915_request_add: dev=1, engine=0:0, ctx=9, seqno=2, tail=64\n"
    " a-7 [001] 1.000014: i915_request_in: dev=1, engine=0:0, ctx=9, seqno=2, prio=0, port=0\n"
    " a-7 [001] 1.000015: i915_request_out: dev=1, engine=0:0, ctx=9, seqno=2, completed?=0\n"
    " a-7 [001] 1.000016: xe_exec_queue_create: dev=x, 5:0x1, gt=0, width=1, guc_id=2\n"
    " a-7 [001] 1.000017: xe_sched_job_exec: dev=x, fence=f3, seqno=1, guc_id=2\n"
    " a-7 [001] 1.000018: xe_hw_fence_signal: dev=x, ctx=0x09, fence=f3, seqno=1\n"
    " a-7 [001] 1.000019: xe_bo_move: move_lacks_source:no, migrate object b [size 64] from gtt to "
    "vram0 device_id:x\n"
    " a-7 [001] 1.000020: i915_gem_object_destroy: obj=0a\n"
    "CPU:1 [LOST 2 EVENTS]\n";

/* A context, an allocation, packets, waits and signals of DxgKrnl, as tracerpt and xperf print
 * them. */
#define TRACERPT(id, version, time, data)                                                          \
    "Microsoft-Windows-DxgKrnl, Start , " id ", " version                                          \
    ", 17, 0, 1, 0, 0x4, 0x7, 0x9, 0, , , {0}, , " time ", 0, 0, " data "\n"
static const char tracerpt[] =
    "Event Name, Type, Event ID, Version, Channel, Level, Opcode, Task, Keyword, PID, TID, "
    "Processor Number, Instance ID, Parent Instance ID, Activity ID, Related Activity ID, "
    "Clock-Time, Kernel(ms), User(ms), User Data\n"
    "EventTrace, Header, 0, 2, 0, 0, 0, 0, 0x0, 0x8080, 0x46DC, 0, , , {0}, , 100, 30, 15, "
    "1048576, "
    "1, 17134, 8, 999, 156250, 0, 0x0, 25, 1, 8, 7, 2496\n" TRACERPT(
        "30", "0", "110", "0x1, 0, 1, 65536, 0, 0, 0, 0, 0, 0x10, 0x0, 0x0")
        TRACERPT("43", "0", "120", "0x10, 0x20, 2, 0x5, 0x6, true, false")
            TRACERPT("178", "1", "121",
                     "0x10, \"DXGKETW_RENDER_COMMAND_BUFFER \", 5, 4096, 0, 0, false, 0x20, 0x0, 0")
                TRACERPT("175", "1", "122", "0x10, 0x10, 0, 7, 5, 0x20, 0")
                    TRACERPT("176", "0", "150", "0x10, 0, 7, 5, false")
                        TRACERPT("245", "1", "151", "0x10, 6, 0, 1, 0x30, 9")
                            TRACERPT("180", "0", "160", "0x10, 0, 5, false, false")
                                TRACERPT("105", "0", "161", "\"DxgkMakeResident \"")
                                    TRACERPT("338", "0", "162", "0x40, 0x0, 1, 0")
                                        TRACERPT("320", "0", "163", "0x5, 1")
                                            TRACERPT("339", "0", "164", "259, 0, 3")
                                                TRACERPT("106", "0", "165", "2115");
#undef TRACERPT

#define XPERF "  TimeStamp,  Process Name ( PID), ThreadID, CPU, a, b, c, d, "
static const char xperf[] =
    "BeginHeader\n"
    "Microsoft-Windows-DxgKrnl/QueuePacket/win:Start, " XPERF
    "hContext, PacketType, SubmitSequence, DmaBufferSize, AllocationListSize, "
    "PatchLocationListSize, bPresent, hDmaBuffer, pQueuePacket, ProgressFenceValue\n"
    "Microsoft-Windows-DxgKrnl/QueuePacket/win:Start, " XPERF
    "hContext, SubmitSequence, Flags, ObjectCount, ObjectArray[ObjectCount], "
    "FenceValue[ObjectCount]\n"
    "Microsoft-Windows-DxgKrnl/QueuePacket/win:Start, " XPERF
    "hContext, SubmitSequence, Flags, hSyncObject, FenceValue, pQueuePacket\n"
    "Microsoft-Windows-DxgKrnl/QueuePacket/win:Stop, " XPERF
    "hContext, PacketType, SubmitSequence, bPreempted, bTimeouted\n"
    "EndHeader\nOS Version: 10.0.17134, Trace Start: 1\n"
    "Microsoft-Windows-DxgKrnl/QueuePacket/win:Start, 10, a.exe (7), 9, 0, , , , , 0x10, 0, 5, "
    "4096, "
    "0, 0, false, 0x20, 0x30, 0\n"
    "Microsoft-Windows-DxgKrnl/QueuePacket/win:Start, 11, a.exe (7), 9, 0, , , , , 0x10, 6, 0, 2, "
    "[0x30, 0x31], [9, 10]\n"
    "Microsoft-Windows-DxgKrnl/QueuePacket/win:Start, 12, \"b, c\" (8), 9, 0, , , , , hContext : "
    "0x11, SubmitSequence : 7, Flags : 0, hSyncObject : 0x30, FenceValue : 9, pQueuePacket : 0x1\n"
    "Microsoft-Windows-DxgKrnl/QueuePacket/win:Stop, 20, a.exe (7), 9, 0, , , , , 0x10, 0, 5, "
    "false, "
    "false\n";

static const char presentmon[] =
    "Application,ProcessID,SwapChainAddress,Runtime,SyncInterval,Dropped,TimeInSeconds,TimeInQPC,"
    "CPUStartQPC,CPUBusy,FrameType,msInPresentAPI,msBetweenPresents,msUntilRenderComplete,"
    "msUntilDisplayed,msUntilRenderStart,msGPUActive,GPULatency,GPUTime,DisplayLatency\n"
    "a.exe,7,0xAB,DXGI,1,0,0.1,NA,NA,NA,NA,0.5,16,2,16,-8,9,NA,NA,NA\n"
    "b.exe,8,0x0,DXGI,0,0,NA,1000000,NA,NA,Application,0.5,16,2,16,NA,9,1,9,NA\n"
    "b.exe,8,0x0,DXGI,0,0,NA,1160000,NA,NA,Application,0.5,16,2,16,NA,9,1,9,NA\n"
    "c.exe,9,0x1,DXGI,0,0,NA,NA,1160000,2.5,Intel_XEFG,0.5,16,NA,NA,NA,9,1,9,30\n"
    "c.exe,9,0x1,DXGI,0,0,NA,NA,1160000,2.5,Application,0.5,16,NA,NA,NA,9,1,9,30\n";

/* As fuzz_dat.c reads them: the first byte says what the rest is. */
static void write_dat(const char *folder)
{
    struct dat_made made = {.version = 6, .processes = "70 69\n"};
    struct dat_page pages[2];
    struct trace_buffer seed = {0};
    trace_buffer_put_byte(&seed, 0);
    dat_sample(&made);
    trace_buffer_put(&seed, made.file.bytes, made.file.length);
    write_seed(folder, "whole6.dat", seed.bytes, seed.length);
    made.version = 7;
    made.packing = "none";
    made.file.length = seed.length = 0;
    trace_buffer_put_byte(&seed, 4);
    dat_sample(&made);
    trace_buffer_put(&seed, made.file.bytes, made.file.length);
    write_seed(folder, "whole7.dat", seed.bytes, seed.length);
    dat_sample_pages(&made, pages);
    seed.length = 0;
    trace_buffer_put_byte(&seed, 1);
    trace_buffer_put(&seed, pages[1].bytes.bytes, 1024); /* its records, and then nothing */
    write_seed(folder, "pages.dat", seed.bytes, seed.length);
    seed.length = 0;
    trace_buffer_put_byte(&seed, 2);
    trace_buffer_put(&seed, dat_formats[0], strlen(dat_formats[0]));
    write_seed(folder, "format.dat", seed.bytes, seed.length);
    trace_buffer_free(&seed);
    trace_buffer_free(&made.file);
    trace_buffer_free(&pages[0].bytes);
    trace_buffer_free(&pages[1].bytes);
}
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

static const char kvcache[] =
    "{\"timestamp\": 1000, \"input_length\": 513, \"output_length\": 2, \"hash_ids\": [0, 7]}\n"
    "{\"timestamp\": 1003, \"input_length\": 1030, \"output_length\": 9, \"hash_ids\": [0, 7, 9]}\n"
    "{\"timestamp\": 2e3, \"input_length\": 513, \"output_length\": 2, \"hash_ids\": [0, 3]}\n";

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
    write_seed(arguments[1], "sample.ftrace", ftrace, strlen(ftrace));
    write_seed(arguments[1], "sample.presentmon", presentmon, strlen(presentmon));
    write_seed(arguments[1], "sample.tracerpt", tracerpt, strlen(tracerpt));
    write_seed(arguments[1], "sample.xperf", xperf, strlen(xperf));
    write_dat(arguments[1]);
    write_seed(arguments[1], "sample.kineto", kineto, strlen(kineto));
    write_seed(arguments[1], "sample.gpgmm", gpgmm, strlen(gpgmm));
    write_seed(arguments[1], "sample.kvcache", kvcache, strlen(kvcache));
    write_seed(arguments[1], "sample.pytorch", pickle.bytes, pickle.length);
    write_database(arguments[1], "cuda.nsight", nsight_cuda_sample);
    write_database(arguments[1], "wddm.nsight", nsight_wddm_sample);
    write_seed(arguments[1], "cuda-rows.nsight", cuda_rows, sizeof cuda_rows - 1);
    write_seed(arguments[1], "wddm-rows.nsight", wddm_rows, sizeof wddm_rows - 1);
    trace_buffer_free(&pickle);
    return 0;
}
