/* Pascal's white paper: with preemption at pixels and instructions it takes less than 100 µs from
 * the last pixel or thread in flight to the new context running: what it takes to save the old one,
 * and the fixed part. A new one that was preempted itself has its own state to restore. */
#include "model/hardware/hardware.h"
#include "tests/validation/validation.h"

#include <stdio.h>

void switch_bounds(void)
{
    for (size_t i = 0; i < profile_builtins_count; i++) {
        static struct hardware hardware;
        struct profile_error error;
        uint64_t most = 0;
        if (!hardware_load(profile_builtins[i].name, &hardware, &error)) {
            validation_fail(error.message);
            continue;
        }
        for (uint32_t adapter = 0; adapter < hardware.adapter_count; adapter++) {
            const struct profile *profile = &hardware.adapters[adapter];
            for (uint32_t node = 0; node < profile->node_count; node++) {
                const struct profile_node *at = &profile->nodes[node];
                uint64_t ns = at->switch_ns + at->save_ns;
                most = ns > most ? ns : most;
            }
        }
        char text[64];
        snprintf(text, sizeof text, "%s: the slowest of its nodes", profile_builtins[i].name);
        validation_between(text, 0, 100, (double)most / 1e3, "us");
    }
}
