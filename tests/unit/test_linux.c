/* Recordings of Linux graphics drivers: the figures known of a real one, recordings made up here
 * whose events were worked out by hand, the same one in every form of trace.dat, and damage. */
#include "traces/reader.h"
#include "traces/vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/imported.h"
#include "tests/unit/make_dat.h"
#include "tests/unit/recorded.h"

extern const struct trace_format trace_format_ftrace, trace_format_dat;

/* The real recording */

/* Counts of its README, and what a script of its own made of `trace-cmd report`. */
static void test_recording(void **state)
{
    (void)state;
    static const struct expected_fact facts[] = {
        {"records", 53507},
        {"records-lost", 0},
        {"undecodable", 0},
        {"span-ns", 3548783418},
        {"tracepoint-amdgpu_cs_ioctl", 755},
        {"tracepoint-amdgpu_sched_run_job", 693},
        {"tracepoint-dma_fence_signaled", 1976},
        {"tracepoint-drm_vblank_event", 247},
        {"tracepoint-amdgpu_ttm_bo_move", 2},
        {"tracepoint-amdgpu_vm_flush", 1},
        {"submissions", 755},
        {"jobs-unseen", 693 - 665}, /* handed over; 665 of them were seen submitted */
        {"jobs-done", 641},
        {"jobs-without-end", 755 + 28 - 641},
        {"threads-for-processes", 0},
        {"moves", 2},
        {"moved-in-bytes", 2 * 1048576},
        {"engines", 3},
        {"contexts", 4},
        {"submit-to-done-count", 639},
        {"submit-to-done-min-ns", 1324877},
        {"submit-to-done-median-ns", 3609891},
        {"submit-to-done-p95-ns", 5145049},
        {"submit-to-done-max-ns", 5195838},
        {"submit-to-run-count", 665},
        {"submit-to-run-median-ns", 41067},
        {"submit-to-run-p95-ns", 1374027},
    };
    static const size_t events[TRACE_OPS] = {
        [TRACE_CREATE_DEVICE] = 3, /* the compositor, X and the kernel */
        [TRACE_CREATE_CONTEXT] = 4, [TRACE_CREATE_ALLOCATION] = 2,
        [TRACE_SUBMIT] = 755 + 28,  [TRACE_OBSERVE_TRANSFER] = 2,
    };
    char path[4096];
    struct trace_error error = {0};
    struct trace_reader *reader;
    if (!trace_open(recorded("linux-trace-cmd", "amdgpu-steamvr-2017-07.dat.gz", path, sizeof path),
                    NULL, &reader, &error))
        fail_msg("%s", error.message);
    assert_string_equal(trace_reader_format(reader), "trace.dat");
    assert_string_equal(trace_reader_header(reader)->source,
                        "Linux trace.dat version 6, kernel 4.11.0-rc4+ x86_64");
    assert_facts(reader, facts, sizeof facts / sizeof *facts);
    assert_events(reader, events);
    trace_close(reader);
}

/* Text made up */

static void check_text(const char *text, const char *expected)
{
    struct imported imported;
    import_text(&imported, &trace_format_ftrace, text);
    assert_true(trace_format_ftrace.detect((const unsigned char *)text, strlen(text)));
    assert_lines(&imported, expected);
    assert_string_equal(imported.error.message, "");
    imported_free(&imported);
}

/* The second job is handed over while the first one runs, and counts from its end. A task's name
 * has blanks, dashes and brackets; t 0 is the first record, which is about something else. */
static void test_amdgpu(void **state)
{
    (void)state;
    check_text(
        "cpus=2\n"
        "          <idle>-0     [001] 100.000000000: sched_switch:         swapper/1:0 [120]\n"
        " my [0] app-x-70    [000] 100.000001000: amdgpu_cs_ioctl:      sched_job=1, timeline=gfx, "
        "context=41, seqno=7, ring_name=ffff91cb1ab1bdd0, num_ibs=1\n"
        " gfx-9     [001] 100.000002000: amdgpu_sched_run_job: sched_job=1, timeline=gfx, "
        "context=41, seqno=7, ring_name=ffff91cb1ab1bdd0, num_ibs=1\n"
        " my [0] app-x-71    [000] 100.000003000: amdgpu_cs_ioctl:      sched_job=2, timeline=gfx, "
        "context=41, seqno=8, ring_name=ffff91cb1ab1bdd0, num_ibs=1\n"
        " gfx-9     [001] 100.000004000: amdgpu_sched_run_job: sched_job=2, timeline=gfx, "
        "context=41, seqno=8, ring_name=ffff91cb1ab1bdd0, num_ibs=1\n"
        " <idle>-0  [001] 100.000005000: dma_fence_signaled: driver=amd_sched timeline=gfx "
        "context=40 seqno=7\n"
        " <idle>-0  [001] 100.000012000: dma_fence_signaled: driver=amd_sched timeline=gfx "
        "context=41 seqno=7\n"
        " <idle>-0  [001] 100.000015500: dma_fence_signaled: driver=amd_sched timeline=gfx "
        "context=41 seqno=8\n",
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"pid "
        "70\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"gfx "
        "41\",\"device\":\"pid 70\",\"node\":\"3d\",\"existing\":true}\n"
        "{\"t\":1000,\"pid\":70,\"tid\":70,\"op\":\"Submit\",\"context\":\"gfx "
        "41\",\"gpu\":10000,\"done\":12000}\n"
        "{\"t\":3000,\"pid\":70,\"tid\":71,\"op\":\"Submit\",\"context\":\"gfx "
        "41\",\"gpu\":3500,\"done\":15500}\n");
}

/* Buffer objects: one is created in VRAM, one in GTT, one was there before; lists name them, the
 * second list at the same address is another one; an object is created where one is. */
static void test_objects(void **state)
{
    (void)state;
    check_text(
        "# tracer: nop\n#\n"
        "  app-70 (   70) [000] .... 5.000000: amdgpu_bo_create: bo=00000000aa, pages=16, type=2, "
        "preferred=4, allowed=6, visible=0\n"
        "  app-70 (   70) [000] .... 5.000001: amdgpu_bo_create: bo=00000000bb, pages=1, type=1, "
        "prefered=2, allowed=2, visible=0\n"
        "  app-71 (   70) [000] .... 5.000002: amdgpu_bo_list_set: list=11, bo=00000000aa, "
        "bo_size=65536\n"
        "  app-71 (   70) [000] .... 5.000003: amdgpu_bo_list_set: list=11, bo=00000000cc, "
        "bo_size=8192\n"
        "  app-71 (   70) [000] .... 5.000004: amdgpu_cs: bo_list=11, ring=0, dw=8, fences=0\n"
        "  app-71 (   70) [000] .... 5.000005: amdgpu_cs_ioctl: sched_job=1, timeline=comp_1.0.0, "
        "context=5, seqno=1, ring_name=comp_1.0.0, num_ibs=1\n"
        "  app-71 (   70) [000] .... 5.000006: amdgpu_bo_list_set: list=11, bo=00000000bb, "
        "bo_size=4096\n"
        "  app-71 (   70) [000] .... 5.000007: amdgpu_cs_ioctl: sched_job=2, timeline=comp_1.0.0, "
        "context=5, seqno=2, ring_name=comp_1.0.0, num_ibs=1\n"
        "  app-71 (   70) [000] .... 5.000008: amdgpu_bo_move: bo=00000000aa, from=2, to=1, "
        "size=65536\n"
        "  app-70 (-----) [000] .... 5.000009: amdgpu_bo_create: bo=00000000aa, pages=2, type=2, "
        "preferred=4, allowed=4, visible=0\n",
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"pid "
        "70\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"comp_1.0.0 "
        "5\",\"device\":\"pid 70\",\"node\":\"compute\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateAllocation\",\"device\":\"pid "
        "70\",\"allocations\":[{\"allocation\":\"0xcc\",\"size\":8192,\"usage\":\"buffer\"}],"
        "\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":70,\"op\":\"CreateAllocation\",\"device\":\"pid "
        "70\",\"allocations\":[{\"allocation\":\"0xaa\",\"size\":65536,\"usage\":\"buffer\","
        "\"segments\":[\"local\",\"aperture\"],\"preferred\":[\"local\"]}]}\n"
        "{\"t\":1000,\"pid\":70,\"tid\":70,\"op\":\"CreateAllocation\",\"device\":\"pid "
        "70\",\"allocations\":[{\"allocation\":\"0xbb\",\"size\":4096,\"usage\":\"buffer\","
        "\"segments\":[\"aperture\"],\"preferred\":[\"aperture\"]}]}\n"
        "{\"t\":5000,\"pid\":70,\"tid\":71,\"op\":\"Submit\",\"context\":\"comp_1.0.0 "
        "5\",\"gpu\":0,\"allocations\":[\"0xaa\",\"0xcc\"]}\n"
        "{\"t\":7000,\"pid\":70,\"tid\":71,\"op\":\"Submit\",\"context\":\"comp_1.0.0 "
        "5\",\"gpu\":0,\"allocations\":[\"0xbb\"]}\n"
        "{\"t\":8000,\"pid\":70,\"tid\":71,\"op\":\"ObserveTransfer\",\"bytes\":65536,\"dur\":0,"
        "\"from\":\"local\",\"to\":\"aperture\",\"x-kind\":\"move\"}\n"
        "{\"t\":9000,\"pid\":70,\"tid\":70,\"op\":\"DestroyAllocation\",\"device\":\"pid "
        "70\",\"allocations\":[\"0xaa\"]}\n"
        "{\"t\":9000,\"pid\":70,\"tid\":70,\"op\":\"CreateAllocation\",\"device\":\"pid "
        "70\",\"allocations\":[{\"allocation\":\"0xaa#2\",\"size\":8192,\"usage\":\"buffer\","
        "\"segments\":[\"local\"],\"preferred\":[\"local\"]}]}\n");
}

/* The DRM scheduler up to 6.15, of any driver: fences by address; a fence's address is used again
 * by a job of another engine after the first one is done; a kernel job was submitted before the
 * recording began. */
static void test_scheduler_old(void **state)
{
    (void)state;
    check_text(
        "  app-70 [000] ..... 5.000000: drm_sched_job: entity=00e1, id=1, fence=f00d, "
        "ring=v3d_render, job count:0, hw job count:0\n"
        "  w-9 [000] ..... 5.000010: drm_run_job: entity=00e1, id=1, fence=f00d, ring=v3d_render, "
        "job count:0, hw job count:0\n"
        "  w-9 [001] ..... 5.000015: drm_run_job: entity=00e9, id=77, fence=beef, ring=v3d_tfu, "
        "job count:0, hw job count:0\n"
        "  <idle>-0 [001] d.h1. 5.000030: drm_sched_process_job: fence=f00d signaled\n"
        "  app-70 [000] ..... 5.000040: drm_sched_job: entity=00e2, id=1, fence=f00d, "
        "ring=v3d_csd, job count:0, hw job count:0\n"
        "  w-9 [000] ..... 5.000050: drm_run_job: entity=00e2, id=1, fence=f00d, ring=v3d_csd, job "
        "count:0, hw job count:0\n"
        "  <idle>-0 [001] d.h1. 5.000055: drm_sched_process_job: fence=beef signaled\n"
        "  <idle>-0 [001] d.h1. 5.000065: drm_sched_process_job: fence=f00d signaled\n"
        "  <idle>-0 [001] d.h1. 5.000066: drm_sched_process_job: fence=f00d signaled\n",
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"pid "
        "70\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":0,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"kernel\",\"existing\":"
        "true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"v3d_render "
        "0xe1\",\"device\":\"pid 70\",\"node\":\"3d\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":0,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"v3d_tfu "
        "0xe9\",\"device\":\"kernel\",\"node\":\"copy\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"v3d_csd "
        "0xe2\",\"device\":\"pid 70\",\"node\":\"compute\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":70,\"op\":\"Submit\",\"context\":\"v3d_render "
        "0xe1\",\"gpu\":20000,\"done\":30000}\n"
        "{\"t\":15000,\"pid\":0,\"tid\":0,\"op\":\"Submit\",\"context\":\"v3d_tfu "
        "0xe9\",\"gpu\":40000,\"done\":55000}\n"
        "{\"t\":40000,\"pid\":70,\"tid\":70,\"op\":\"Submit\",\"context\":\"v3d_csd "
        "0xe2\",\"gpu\":15000,\"done\":65000}\n");
}

/* From 6.16 on, with amdgpu telling of the same jobs; a job of the copy engine depends on one of
 * the 3D engine, told twice; a thread waits for it. What it depends on signals, and only that. */
static void test_scheduler_new(void **state)
{
    (void)state;
    check_text(
        "  app-70 ( 70) [000] ..... 5.000000: amdgpu_cs_ioctl: sched_job=1, timeline=gfx_0.0.0, "
        "context=4, seqno=1, ring_name=gfx_0.0.0, num_ibs=1\n"
        "  app-70 ( 70) [000] ..... 5.000001: drm_sched_job_queue: dev=0000:03:00.0, fence=4:1, "
        "ring=gfx_0.0.0, job count:1, hw job count:0, client_id:9\n"
        "  app-70 ( 70) [000] ..... 5.000002: drm_sched_job_queue: dev=0000:03:00.0, fence=6:9, "
        "ring=sdma1, job count:1, hw job count:0, client_id:9\n"
        "  app-70 ( 70) [000] ..... 5.000002: drm_sched_job_add_dep: fence=6:9 depends on "
        "fence=4:1\n"
        "  w-9 ( 9) [001] ..... 5.000003: drm_sched_job_run: dev=0000:03:00.0, fence=4:1, "
        "ring=gfx_0.0.0, job count:0, hw job count:1, client_id:9\n"
        "  w-9 ( 9) [001] ..... 5.000004: drm_sched_job_unschedulable: fence=6:9 depends on "
        "unsignalled fence=4:1\n"
        "  app-71 ( 70) [000] ..... 5.000005: dma_fence_wait_start: driver=drm_sched "
        "timeline=sdma1 context=6 seqno=9\n"
        "  <idle>-0 ( 0) [001] ..... 5.000010: drm_sched_job_done: fence=4:1 signaled\n"
        "  w-9 ( 9) [001] ..... 5.000011: drm_sched_job_run: dev=0000:03:00.0, fence=6:9, "
        "ring=sdma1, job count:0, hw job count:1, client_id:9\n"
        "  <idle>-0 ( 0) [001] ..... 5.000021: drm_sched_job_done: fence=6:9 signaled\n"
        "  app-71 ( 70) [000] ..... 5.000022: dma_fence_wait_end: driver=drm_sched "
        "timeline=sdma1 context=6 seqno=9\n",
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"pid "
        "70\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"gfx_0.0.0 "
        "4\",\"device\":\"pid 70\",\"node\":\"3d\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"sdma1 "
        "6\",\"device\":\"pid 70\",\"node\":\"copy\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":70,\"op\":\"Submit\",\"context\":\"gfx_0.0.0 "
        "4\",\"gpu\":7000,\"done\":10000}\n"
        "{\"t\":0,\"pid\":70,\"tid\":70,\"op\":\"Signal\",\"context\":\"gfx_0.0.0 "
        "4\",\"fence\":\"gfx_0.0.0 4 jobs\",\"value\":1}\n"
        "{\"t\":2000,\"pid\":70,\"tid\":70,\"op\":\"Wait\",\"context\":\"sdma1 "
        "6\",\"fence\":\"gfx_0.0.0 4 jobs\",\"value\":1}\n"
        "{\"t\":2000,\"pid\":70,\"tid\":70,\"op\":\"Submit\",\"context\":\"sdma1 "
        "6\",\"gpu\":10000,\"done\":21000}\n"
        "{\"t\":2000,\"pid\":70,\"tid\":70,\"op\":\"Signal\",\"context\":\"sdma1 "
        "6\",\"fence\":\"sdma1 6 jobs\",\"value\":9}\n"
        "{\"t\":5000,\"pid\":70,\"tid\":71,\"op\":\"Wait\",\"fence\":\"sdma1 6 "
        "jobs\",\"value\":9,\"dur\":17000}\n");
}

/* i915: engines by class and instance on two adapters; a request is preempted and resumes; another
 * has no tracepoints but those that every kernel has, so its engine time starts when it is queued
 * or when the engine is free. */
static void test_i915(void **state)
{
    (void)state;
    check_text(
        "  app-70 [000] .... 5.000000: i915_gem_object_create: obj=aa, size=0x3000\n"
        "  app-70 [000] .... 5.000001: i915_request_queue: dev=0, engine=0:0, ctx=21, seqno=2, "
        "flags=0x0\n"
        "  app-70 [000] .... 5.000001: i915_request_add: dev=0, engine=0:0, ctx=21, seqno=2, "
        "tail=64\n"
        "  app-70 [000] d... 5.000002: i915_request_in: dev=0, engine=0:0, ctx=21, seqno=2, "
        "prio=0, "
        "port=0\n"
        "  <idle>-0 [001] d... 5.000007: i915_request_out: dev=0, engine=0:0, ctx=21, seqno=2, "
        "completed?=0\n"
        "  app-75 [000] .... 5.000008: i915_request_add: dev=1, engine=1:1, ctx=33, seqno=4, "
        "tail=64\n"
        "  app-75 [000] .... 5.000009: i915_request_wait_begin: dev=1, engine=1:1, ctx=33, "
        "seqno=4, "
        "flags=0x1\n"
        "  <idle>-0 [001] d... 5.000017: i915_request_in: dev=0, engine=0:0, ctx=21, seqno=2, "
        "prio=0, port=0\n"
        "  <idle>-0 [001] d... 5.000020: i915_request_out: dev=0, engine=0:0, ctx=21, seqno=2, "
        "completed?=1\n"
        "  app-75 [000] .... 5.000028: i915_request_retire: dev=1, engine=1:1, ctx=33, seqno=4, "
        "tail=64\n"
        "  app-75 [000] .... 5.000029: i915_request_wait_end: dev=1, engine=1:1, ctx=33, seqno=4, "
        "tail=64\n"
        "  app-70 [000] .... 5.000030: i915_gem_object_destroy: obj=aa\n"
        "  app-70 [000] .... 5.000031: i915_gem_object_destroy: obj=bb\n",
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"pid "
        "70\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":75,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"pid 75 gpu "
        "1\",\"adapter\":1,\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"render0 "
        "21\",\"device\":\"pid 70\",\"node\":\"3d\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":75,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"copy1 "
        "33\",\"device\":\"pid 75 gpu 1\",\"node\":\"copy\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":70,\"op\":\"CreateAllocation\",\"device\":\"pid "
        "70\",\"allocations\":[{\"allocation\":\"0xaa\",\"size\":12288,\"usage\":\"buffer\"}]}\n"
        "{\"t\":1000,\"pid\":70,\"tid\":70,\"op\":\"Submit\",\"context\":\"render0 "
        "21\",\"gpu\":8000,\"done\":20000}\n"
        "{\"t\":8000,\"pid\":75,\"tid\":75,\"op\":\"Submit\",\"context\":\"copy1 "
        "33\",\"gpu\":20000,\"done\":28000}\n"
        "{\"t\":8000,\"pid\":75,\"tid\":75,\"op\":\"Signal\",\"context\":\"copy1 "
        "33\",\"fence\":\"copy1 33 jobs\",\"value\":4}\n"
        "{\"t\":9000,\"pid\":75,\"tid\":75,\"op\":\"Wait\",\"fence\":\"copy1 33 "
        "jobs\",\"value\":4,\"dur\":20000}\n"
        "{\"t\":30000,\"pid\":70,\"tid\":70,\"op\":\"DestroyAllocation\",\"device\":\"pid "
        "70\",\"allocations\":[\"0xaa\"]}\n");
}

/* xe: two execution queues for one class of engine share it. */
static void test_xe(void **state)
{
    (void)state;
    check_text(
        "  app-70 [000] ..... 5.000000: xe_exec_queue_create: dev=0000:03:00.0, 5:0x1, gt=0, "
        "width=1, guc_id=2, guc_state=0x0, flags=0x0\n"
        "  app-70 [000] ..... 5.000001: xe_exec_queue_create: dev=0000:03:00.0, 5:0x2, gt=0, "
        "width=1, guc_id=3, guc_state=0x0, flags=0x0\n"
        "  app-70 [000] ..... 5.000002: xe_bo_create: dev=0000:03:00.0, size=4096, flags=0x02, "
        "vm=00\n"
        "  app-70 [000] ..... 5.000003: xe_bo_move: move_lacks_source:no, migrate object beef "
        "[size "
        "65536] from gtt to vram0 device_id:0000:03:00.0\n"
        "  app-70 [000] ..... 5.000010: xe_sched_job_exec: dev=0000:03:00.0, fence=f1, seqno=1, "
        "lrc_seqno=1, gt=0, guc_id=2, batch_addr=0x00, guc_state=0x3, flags=0x0, error=0\n"
        "  app-70 [000] ..... 5.000011: xe_sched_job_exec: dev=0000:03:00.0, fence=f2, seqno=1, "
        "lrc_seqno=1, gt=0, guc_id=3, batch_addr=0x00, guc_state=0x3, flags=0x0, error=0\n"
        "  w-9 [001] ..... 5.000012: xe_sched_job_run: dev=0000:03:00.0, fence=f1, seqno=1, "
        "lrc_seqno=1, gt=0, guc_id=2, batch_addr=0x00, guc_state=0x3, flags=0x0, error=0\n"
        "  w-9 [001] ..... 5.000013: xe_sched_job_run: dev=0000:03:00.0, fence=f2, seqno=1, "
        "lrc_seqno=1, gt=0, guc_id=3, batch_addr=0x00, guc_state=0x3, flags=0x0, error=0\n"
        "  <idle>-0 [001] ..... 5.000022: xe_hw_fence_signal: dev=0000:03:00.0, "
        "ctx=0x0000000000000009, fence=f1, seqno=1\n"
        "  <idle>-0 [001] ..... 5.000025: xe_hw_fence_signal: dev=0000:03:00.0, "
        "ctx=0x000000000000000a, fence=f2, seqno=1\n",
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"pid "
        "70\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"ccs "
        "0x2\",\"device\":\"pid 70\",\"node\":\"compute\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"ccs "
        "0x3\",\"device\":\"pid 70\",\"node\":\"compute\",\"existing\":true}\n"
        "{\"t\":0,\"pid\":70,\"tid\":0,\"op\":\"CreateAllocation\",\"device\":\"pid "
        "70\",\"allocations\":[{\"allocation\":\"0xbeef\",\"size\":65536,\"usage\":\"buffer\"}],"
        "\"existing\":true}\n"
        "{\"t\":3000,\"pid\":70,\"tid\":70,\"op\":\"ObserveTransfer\",\"bytes\":65536,\"dur\":0,"
        "\"from\":\"aperture\",\"to\":\"local\",\"x-kind\":\"move\"}\n"
        "{\"t\":10000,\"pid\":70,\"tid\":70,\"op\":\"Submit\",\"context\":\"ccs "
        "0x2\",\"gpu\":10000,\"done\":22000}\n"
        "{\"t\":11000,\"pid\":70,\"tid\":70,\"op\":\"Submit\",\"context\":\"ccs "
        "0x3\",\"gpu\":3000,\"done\":25000}\n");
}

/* xe with the scheduler's tracepoints, too: jobs count once, and "ccs2", "ccs3" are queues for one
 * kind of engine, not engines. */
static void test_xe_with_scheduler(void **state)
{
    (void)state;
    struct imported imported;
    import_text(
        &imported, &trace_format_ftrace,
        "  app-70 [000] ..... 5.000010: xe_sched_job_exec: dev=0000:03:00.0, fence=f1, seqno=1, "
        "lrc_seqno=1, gt=0, guc_id=2, batch_addr=0x00, guc_state=0x3, flags=0x0, error=0\n"
        "  app-70 [000] ..... 5.000010: drm_sched_job: entity=e1, id=5, fence=a1, ring=ccs2, job "
        "count:0, hw job count:0\n"
        "  w-9 [001] ..... 5.000012: xe_sched_job_run: dev=0000:03:00.0, fence=f1, seqno=1, "
        "lrc_seqno=1, gt=0, guc_id=2, batch_addr=0x00, guc_state=0x3, flags=0x0, error=0\n"
        "  w-9 [001] ..... 5.000012: drm_run_job: entity=e1, id=5, fence=a1, ring=ccs2, job "
        "count:0, hw job count:0\n"
        "  <idle>-0 [001] ..... 5.000022: xe_hw_fence_signal: dev=0000:03:00.0, "
        "ctx=0x0000000000000009, fence=f1, seqno=1\n"
        "  <idle>-0 [001] ..... 5.000023: drm_sched_process_job: fence=a1 signaled\n"
        "  app-70 [000] ..... 5.000030: drm_sched_job: entity=e2, id=5, fence=a2, ring=ccs3, job "
        "count:0, hw job count:0\n");
    assert_int_equal((int)imported_fact(&imported, "submissions"), 2);
    assert_int_equal((int)imported_fact(&imported, "jobs-unseen"), 0);
    assert_int_equal((int)imported_fact(&imported, "jobs-done"), 1);
    assert_int_equal((int)imported_fact(&imported, "engines"), 1);
    assert_int_equal((int)imported_fact(&imported, "contexts"), 2);
    imported_free(&imported);
}

/* What perf script prints; a line end of Windows; losses; lines that are none. */
static void test_other_lines(void **state)
{
    (void)state;
    struct imported imported;
    import_text(
        &imported, &trace_format_ftrace,
        "# tracer: nop\r\n"
        "app 69/70 [000] 100.000001: amdgpu:amdgpu_cs_ioctl: sched_job=1, timeline=vcn_dec, "
        "context=41, seqno=7, ring_name=ffff91cb1ab1bdd0, num_ibs=1\r\n"
        "\tffffffff81 amdgpu_cs_ioctl ([kernel])\r\n"
        "CPU:1 [LOST 12 EVENTS]\r\n"
        "CPU 2: 30 EVENTS DROPPED\r\n"
        "CPU 3 is empty\r\n"
        "app 70 [000] 100.000002: amdgpu:amdgpu_cs_ioctl: sched_job=2, timeline=vcn_dec, "
        "context=41, ring_name=ffff91cb1ab1bdd0, num_ibs=1\r\n"
        "app 70 [000] 100.000003: drm:drm_vblank_event: crtc=0, seq=5\r\n");
    assert_int_equal((int)imported_fact(&imported, "records"), 3);
    assert_int_equal((int)imported_fact(&imported, "records-lost"), 42);
    assert_int_equal((int)imported_fact(&imported, "lines-not-understood"), 1);
    assert_int_equal((int)imported_fact(&imported, "undecodable"), 1); /* without a number */
    assert_int_equal((int)imported_fact(&imported, "tracepoint-drm_vblank_event"), 1);
    assert_lines(&imported,
                 "{\"t\":0,\"pid\":69,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"pid "
                 "69\",\"existing\":true}\n"
                 "{\"t\":0,\"pid\":69,\"tid\":0,\"op\":\"CreateContext\",\"context\":"
                 "\"vcn_dec 41\",\"device\":\"pid 69\",\"node\":\"video\",\"existing\":"
                 "true}\n"
                 "{\"t\":0,\"pid\":69,\"tid\":70,\"op\":\"Submit\",\"context\":"
                 "\"vcn_dec 41\",\"gpu\":0}\n");
    imported_free(&imported);
}

/* Engines of one kind are numbered as people count; rings with names that say nothing are 3D. */
static void test_engines(void **state)
{
    (void)state;
    static const char *const rings[] = {"sdma10", "sdma2", "whatever", "gfx", "sdma0"};
    char text[2048] = "", expected[64];
    for (size_t i = 0; i < 5; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 " app-70 [000] .... 5.00000%zu: drm_sched_job: entity=%zu, id=1, fence=%zu, "
                 "ring=%s, job count:0, hw job count:0\n",
                 i, i + 1, i + 1, rings[i]);
    struct imported imported;
    import_text(&imported, &trace_format_ftrace, text);
    static const char *const nodes[][2] = {{"sdma10", "copy3"},
                                           {"sdma2", "copy2"},
                                           {"whatever", "3d2"},
                                           {"gfx", "3d"},
                                           {"sdma0", "copy"}};
    for (size_t i = 0; i < 5; i++) {
        snprintf(expected, sizeof expected, "\"%s 0x%zu\",\"device\":\"pid 70\",\"node\":\"%s\"",
                 nodes[i][0], i + 1, nodes[i][1]);
        if (strstr((const char *)imported.lines.bytes, expected) == NULL)
            fail_msg("no %s in\n%s", expected, (const char *)imported.lines.bytes);
    }
    assert_int_equal((int)imported_fact(&imported, "engines-of-unknown-kind"), 1);
    imported_free(&imported);
}

static void test_refused_text(void **state)
{
    (void)state;
    static const char ticks[] = " app-70 [000] .... 123456: amdgpu_vm_flush: ring=0\n",
                      others[] = " app-70 [000] .... 1.000000: sched_switch: a ==> b\n",
                      cut[] = " app-70 [000] .... 1.0";
    assert_refused(&trace_format_ftrace, ticks, strlen(ticks),
                   "t:1: time: expected seconds with a fraction");
    assert_refused(&trace_format_ftrace, others, strlen(others),
                   "holds no jobs and no buffer objects of a graphics driver (1 records");
    assert_refused(&trace_format_ftrace, cut, strlen(cut), "(0 records");
    assert_false(trace_format_ftrace.detect((const unsigned char *)cut, strlen(cut)));
    assert_false(trace_format_ftrace.detect((const unsigned char *)"{\"wddmsim\":1}\n", 14));
}

/* trace.dat */

/* The sample of make_dat.h: two processors; the first job runs from 50 to 900 ns behind its
 * submission, the second one from then on although it was handed over before; thread 70 is of
 * process 69, as a fork notes it. */
static const char dat_expected[] =
    "{\"t\":0,\"pid\":69,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"pid "
    "69\",\"existing\":true}\n"
    "{\"t\":0,\"pid\":80,\"tid\":0,\"op\":\"CreateDevice\",\"device\":\"pid "
    "80\",\"existing\":true}\n"
    "{\"t\":0,\"pid\":69,\"tid\":0,\"op\":\"CreateContext\",\"context\":\"gfx "
    "41\",\"device\":\"pid 69\",\"node\":\"3d\",\"existing\":true}\n"
    "{\"t\":0,\"pid\":80,\"tid\":0,\"op\":\"CreateAllocation\",\"device\":\"pid "
    "80\",\"allocations\":[{\"allocation\":\"0xabc000\",\"size\":65536,\"usage\":\"buffer\"}],"
    "\"existing\":true}\n"
    "{\"t\":0,\"pid\":69,\"tid\":70,\"op\":\"Submit\",\"context\":\"gfx "
    "41\",\"gpu\":850,\"done\":900}\n"
    "{\"t\":200,\"pid\":69,\"tid\":70,\"op\":\"Submit\",\"context\":\"gfx "
    "41\",\"gpu\":999999000,\"done\":999999900}\n"
    "{\"t\":300,\"pid\":80,\"tid\":80,\"op\":\"ObserveTransfer\",\"bytes\":65536,\"dur\":0,"
    "\"from\":\"system\",\"to\":\"local\",\"x-kind\":\"move\"}\n";

static void test_dat(void **state)
{
    (void)state;
    static const struct {
        unsigned version;
        bool big_endian;
        const char *packing;
    } files[] = {{6, false, NULL},   {6, true, NULL},   {7, false, "none"}, {7, false, "zstd"},
                 {7, false, "zlib"}, {7, true, "none"}, {7, true, "zstd"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct dat_made made = {
            .version = files[i].version,
            .big_endian = files[i].big_endian,
            .packing = files[i].packing,
            .clock = i == 0 ? "[local] global counter" : NULL,
            .processes = "70 69\n1 1\n",
        };
        struct imported imported;
        dat_sample(&made);
        import(&imported, &trace_format_dat, made.file.bytes, made.file.length, NULL);
        if (imported.state == NULL)
            fail_msg("file %zu: %s", i, imported.error.message);
        assert_string_equal(imported.error.message, "");
        assert_lines(&imported, dat_expected);
        assert_int_equal((int)imported_fact(&imported, "records"), 9);
        assert_int_equal((int)imported_fact(&imported, "records-others"), 1);
        assert_int_equal((int)imported_fact(&imported, "records-lost"), 3);
        assert_int_equal((int)imported_fact(&imported, "moves"), 1);
        assert_int_equal((int)imported_fact(&imported, "moves-empty"), 1);
        assert_string_equal(imported.header.source, files[i].version == 6
                                                        ? "Linux trace.dat version 6, kernel 6.1.0 "
                                                          "x86_64"
                                                        : "Linux trace.dat version 7, kernel 6.1.0 "
                                                          "x86_64");
        imported_free(&imported);
        trace_buffer_free(&made.file);
    }
}

/* Through compression, which cannot be sought in, it is the same; and so is a plain file. */
static void test_dat_of_a_file(void **state)
{
    (void)state;
    struct dat_made made = {.version = 7, .packing = "zstd", .processes = "70 69\n"};
    char path[] = "/tmp/wddmsim-test-XXXXXX";
    struct trace_error error = {.message = "of something else, earlier"};
    struct trace_reader *reader;
    struct trace_event event;
    dat_sample(&made);
    int file = mkstemp(path);
    assert_true(file >= 0 &&
                write(file, made.file.bytes, made.file.length) == (ssize_t)made.file.length);
    close(file);
    if (!trace_open(path, NULL, &reader, &error))
        fail_msg("%s", error.message);
    size_t events = 0;
    enum trace_result result;
    while ((result = trace_next(reader, &event, &error)) == TRACE_EVENT)
        events++;
    assert_int_equal(result, TRACE_END);
    assert_int_equal(events, 7);
    trace_close(reader);
    unlink(path);
    trace_buffer_free(&made.file);
}

/* Clocks of ticks cannot be read as time. */
static void test_dat_clock(void **state)
{
    (void)state;
    struct dat_made made = {.version = 6, .clock = "local global [x86-tsc] mono"};
    dat_sample(&made);
    assert_refused(&trace_format_dat, made.file.bytes, made.file.length,
                   "recorded with a clock of ticks");
    trace_buffer_free(&made.file);
}

/* Cut anywhere, a file gives what is whole or is refused with a place; nothing else happens. What
 * is cut within the data of the second processor still has the first one's jobs. */
static void test_dat_cut(void **state)
{
    (void)state;
    for (unsigned version = 6; version <= 7; version++) {
        struct dat_made made = {.version = version, .packing = "none", .processes = "70 69\n"};
        dat_sample(&made);
        for (size_t length = 0; length < made.file.length; length += 97) {
            struct imported imported;
            import(&imported, &trace_format_dat, made.file.bytes, length, NULL);
            assert_true(imported.error.message[0] != '\0');
            imported_free(&imported);
        }
        if (version == 6) {
            struct imported imported;
            import(&imported, &trace_format_dat, made.file.bytes, made.file.length - 100, NULL);
            assert_non_null(imported.state);
            assert_int_equal((int)imported_fact(&imported, "submissions"), 2);
            assert_non_null(strstr(imported.error.message, "the file ends within its data"));
            assert_true(imported.error.skippable);
            imported_free(&imported);
        }
        trace_buffer_free(&made.file);
    }
}

/* Sizes that nothing has: a reader that believed them would ask for more memory than there is. */
static void test_dat_lies(void **state)
{
    (void)state;
    struct dat_made made = {.version = 6, .processes = "70 69\n"};
    dat_sample(&made);
    const char *flyrecord =
        memmem(made.file.bytes, made.file.length, "flyrecord", sizeof "flyrecord");
    assert_non_null(flyrecord);
    size_t at = (size_t)(flyrecord - (const char *)made.file.bytes) + 10;
    memset(made.file.bytes + at + 8, 0xff, 8); /* bytes of the first processor's data */
    struct imported imported;
    import(&imported, &trace_format_dat, made.file.bytes, made.file.length, NULL);
    assert_non_null(imported.state);
    assert_true(imported.error.message[0] != '\0');
    imported_free(&imported);
    memset(made.file.bytes + at, 0xff, 8); /* and where they are */
    import(&imported, &trace_format_dat, made.file.bytes, made.file.length, NULL);
    assert_true(imported.error.message[0] != '\0');
    imported_free(&imported);
    trace_buffer_free(&made.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recording),
        cmocka_unit_test(test_amdgpu),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_scheduler_old),
        cmocka_unit_test(test_scheduler_new),
        cmocka_unit_test(test_i915),
        cmocka_unit_test(test_xe),
        cmocka_unit_test(test_xe_with_scheduler),
        cmocka_unit_test(test_other_lines),
        cmocka_unit_test(test_engines),
        cmocka_unit_test(test_refused_text),
        cmocka_unit_test(test_dat),
        cmocka_unit_test(test_dat_of_a_file),
        cmocka_unit_test(test_dat_clock),
        cmocka_unit_test(test_dat_cut),
        cmocka_unit_test(test_dat_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
