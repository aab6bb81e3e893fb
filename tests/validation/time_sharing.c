/* B12: two programs whose working sets do not fit together take turns. Each turn begins with one
 * set moved out and the other in, one after the other: c. Of a turn of length Q that leaves Q - c
 * for work. VidMm counts a device's quantum from the moment when it is paged in: Q - c. */
#include "tests/validation/trial.h"

#include <inttypes.h>

enum { PIECES = 16, PIECE = 4194304, PACKET_NS = 1000000 };
static const uint64_t switch_ns = 2ull * PIECES * PIECE; /* at 1 byte per ns */

static void write_two(FILE *trace, const void *what)
{
    const uint64_t *work_ns = what;
    fputs("{\"wddmsim\":1,\"residency\":\"explicit\"}\n", trace);
    for (int p = 1; p <= 2; p++) {
        fprintf(trace,
                "{\"t\":0,\"pid\":%d,\"tid\":1,\"op\":\"CreateDevice\",\"device\":%d}\n"
                "{\"t\":0,\"pid\":%d,\"tid\":1,\"op\":\"CreateContext\",\"context\":%d,"
                "\"device\":%d,\"node\":\"3d\"}\n",
                p, p, p, p, p);
        for (int i = 0; i < PIECES; i++)
            fprintf(trace,
                    "{\"t\":0,\"pid\":%d,\"tid\":1,\"op\":\"CreateAllocation\",\"device\":%d,"
                    "\"allocations\":[{\"allocation\":%d,\"size\":%d,\"segments\":[\"local\"]}]}\n"
                    "{\"t\":0,\"pid\":%d,\"tid\":1,\"op\":\"MakeResident\",\"device\":%d,"
                    "\"allocations\":[%d]}\n",
                    p, p, 100 * p + i, PIECE, p, p, 100 * p + i);
    }
    /* Each has two packets under way at most. */
    for (uint64_t n = 1; n <= *work_ns / PACKET_NS; n++)
        for (int p = 1; p <= 2; p++)
            fprintf(trace,
                    "{\"t\":1,\"pid\":%d,\"tid\":1,\"op\":\"Submit\",\"context\":%d,\"gpu\":%d,"
                    "\"writes\":[%d]}\n"
                    "{\"t\":1,\"pid\":%d,\"tid\":1,\"op\":\"Signal\",\"context\":%d,\"fence\":%d,"
                    "\"value\":%" PRIu64 "}\n"
                    "{\"t\":1,\"pid\":%d,\"tid\":1,\"op\":\"Wait\",\"fence\":%d,\"value\":%" PRIu64
                    "}\n",
                    p, p, PACKET_NS, 100 * p, p, p, p, n, p, p, n - 1);
}

void time_sharing(void)
{
    static const struct {
        uint64_t ratio;
        double slowdown;
    } rows[] = {{2, 2}, {4, 4.0 / 3}, {10, 10.0 / 9}};
    for (int i = 0; i < 3; i++) {
        uint64_t quantum_ns = (rows[i].ratio - 1) * switch_ns;
        uint64_t work_ns = 20 * quantum_ns; /* each */
        char quantum[32], text[64];
        snprintf(quantum, sizeof quantum, "%" PRIu64 "ns", quantum_ns);
        struct trial_result *result =
            trial_run(&(struct trial){.profile = "ideal",
                                      .keys = {{"wddm", "2.0"},
                                               {"segments.local.size", "64MiB"},
                                               {"scheduler.queue-depth", "1"},
                                               {"vidmm.device-quantum", quantum}},
                                      .what = &work_ns},
                      write_two);
        snprintf(text, sizeof text, "Q = %d c: slowdown Q / (Q - c)", (int)rows[i].ratio);
        validation_near(text, rows[i].slowdown, (double)result->end_ns / (2 * (double)work_ns), "",
                        0.03);
        trial_free(result);
    }
}
