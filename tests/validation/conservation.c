/* B14: what comes in and does not go out is there. A random program on a small memory. */
#include "tests/unit/child.h"
#include "tests/validation/trial.h"

enum { ITEMS = 200, EVENTS = 20000 };

static void write_random(FILE *trace, const void *what)
{
    bool alive[ITEMS] = {false};
    uint64_t random = 88172645463325252;
    (void)what;
    trial_begin(trace, "3d");
    for (uint64_t t = 1; t <= EVENTS; t++) {
        uint32_t i = (uint32_t)child_below(&random, ITEMS);
        uint64_t date = t * 50000;
        if (!alive[i]) {
            fprintf(trace,
                    "{\"t\":%" PRIu64 ",\"pid\":1,\"tid\":1,\"op\":\"CreateAllocation\","
                    "\"device\":1,\"allocations\":[{\"allocation\":%u,\"size\":%" PRIu64
                    ",\"segments\":[\"local\"]}]}\n",
                    date, i, (1 + child_below(&random, 64)) * 65536);
            alive[i] = true;
        } else if (child_below(&random, 20) == 0) {
            fprintf(trace,
                    "{\"t\":%" PRIu64 ",\"pid\":1,\"tid\":1,\"op\":\"DestroyAllocation\","
                    "\"device\":1,\"allocations\":[%u]}\n",
                    date, i);
            alive[i] = false;
        } else {
            trial_submit(trace, date, 1000 + child_below(&random, 20000), &i, 1);
        }
    }
}

void conservation(void)
{
    const double mib = 1048576;
    struct trial_result *result =
        trial_run(&(struct trial){.profile = "rtx3070-8g",
                                  .keys = {{"wddm", "1.2"},
                                           {"segments.local.size", "200MiB"},
                                           {"segments.local.cpu-visible", "0B"}}},
                  write_random);
    validation_near("in, filled in, less out and dropped: resident",
                    (double)result->moved_in[1] / mib, (double)result->resident[1] / mib, "MiB", 0);
    validation_near("  allocated in the segment", (double)result->moved_in[1] / mib,
                    (double)result->allocated[1] / mib, "MiB", 0);
    validation_near("link busy inwards: bytes / bandwidth", (double)result->in_bytes / 25.5e9 * 1e3,
                    (double)result->link_busy_ns[0] * 1e-6, "ms", 1e-5);
    validation_near("  outwards", (double)result->out_bytes / 26e9 * 1e3,
                    (double)result->link_busy_ns[1] * 1e-6, "ms", 1e-5);
    uint64_t engine = result->engine_ns[0][0] + result->engine_ns[0][1] + result->engine_ns[0][2];
    validation_near("engine idle, busy and switching", (double)result->end_ns * 1e-6,
                    (double)engine * 1e-6, "ms", 0);
    trial_free(result);
}
