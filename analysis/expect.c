/* --expect: a trace that carries outcomes is a test case; here its answers are checked. */
#include "analysis/heap.h"
#include "analysis/record.h"
#include "model/status.h"

#include <inttypes.h>

static void check(struct recorder *recorder, bool met, const struct probe_call *call,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

static void check(struct recorder *recorder, bool met, const struct probe_call *call,
                  const char *format, ...)
{
    recorder->expected++;
    if (met)
        return;
    recorder->unmet++;
    if (recorder->unmet_messages == RECORD_MESSAGES)
        return;
    char message[256];
    int length =
        snprintf(message, sizeof message, "event %" PRIu64 " (%s): ", call->index, call->op);
    if (length < 0 || (size_t)length >= sizeof message)
        length = 0;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message + length, sizeof message - (size_t)length, format, arguments);
    va_end(arguments);
    recorder->unmet_message[recorder->unmet_messages++] = heap_text(message);
}

void expect_call(struct recorder *recorder, const struct probe_call *call)
{
    const struct probe_expected *expected = &call->expected;
    uint64_t tolerance = recorder->options.expect_tolerance_ns;
    uint64_t returned = call->return_ns - call->start_ns;
    uint64_t latency = call->asynchronous ? call->done_ns - call->start_ns : returned;
    if (expected->has_status) {
        char wanted[16], got[16];
        check(recorder, expected->status == call->status, call, "status: expected %s, got %s",
              status_text(expected->status, wanted), status_text(call->status, got));
    }
    if (expected->has_dur) {
        uint64_t off =
            returned > expected->dur_ns ? returned - expected->dur_ns : expected->dur_ns - returned;
        check(recorder, off <= tolerance, call, "dur: expected %" PRIu64 " ns, got %" PRIu64 " ns",
              expected->dur_ns, returned);
    }
    if (expected->has_done) {
        uint64_t off = latency > expected->latency_ns ? latency - expected->latency_ns
                                                      : expected->latency_ns - latency;
        check(recorder, off <= tolerance, call,
              "done: expected %" PRIu64 " ns after the call, got %" PRIu64 " ns",
              expected->latency_ns, latency);
    }
}
