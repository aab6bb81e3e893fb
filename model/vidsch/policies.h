/* Scheduling policies: which context goes next on a node, and when it may have the engine taken
 * from another. A new one is one file and one row in policies.c. */
#ifndef WDDMSIM_VIDSCH_POLICIES_H
#define WDDMSIM_VIDSCH_POLICIES_H

#include "model/probe.h"

struct vidsch_node;
struct vidsch_context;

struct vidsch_policy {
    const char *summary;
    /* Waits, signals and presents do not wait for their context's turn on the engine. */
    bool apart;
    /* The engines take packets from the contexts themselves; the worker has no part in it. */
    bool firmware;

    /* The policy's own of a node; it is freed with the node. */
    void *(*create)(struct vidsch_node *node);

    /* The context waits for its turn. `again`: it was selected, and something was missing. */
    void (*ready)(struct vidsch_context *context, bool again);
    void (*unready)(struct vidsch_context *context);

    /* Whose turn it is, or NULL. It stays ready until unready is called. Where time will change the
     * answer, the policy has itself asked again (vidsch_node_again). */
    struct vidsch_context *(*select)(struct vidsch_node *node);

    /* May `context` have the engine taken from `running`, which is another one and can be
     * preempted? PROBE_ATTEMPT_SUCCESS, or the reason why not. */
    enum probe_attempt (*attempt)(struct vidsch_node *node, const struct vidsch_context *context,
                                  struct vidsch_context *running);

    /* The context had the engine for so long. */
    void (*charge)(struct vidsch_context *context, uint64_t ns);
};

/* By profile_policy(); none for `auto`. */
extern const struct vidsch_policy *const vidsch_policies[];

extern const struct vidsch_policy vidsch_policy_software, vidsch_policy_hardware,
    vidsch_policy_fifo;

#endif
