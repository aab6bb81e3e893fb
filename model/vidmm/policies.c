#include "model/vidmm/policies.h"

const struct vidmm_policy *const vidmm_policies[] = {
    &vidmm_policy_lru,       &vidmm_policy_priority_lru, &vidmm_policy_clock,
    &vidmm_policy_fifo,      &vidmm_policy_random,       &vidmm_policy_largest,
    &vidmm_policy_two_queue, &vidmm_policy_s3_fifo,      &vidmm_policy_sieve,
    &vidmm_policy_lfu,       &vidmm_policy_mru,          &vidmm_policy_belady,
};
const size_t vidmm_policy_count = sizeof vidmm_policies / sizeof *vidmm_policies;
