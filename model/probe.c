#include "model/probe.h"

const char *const probe_cause_names[PROBE_CAUSES] = {
    [PROBE_CPU] = "cpu",           [PROBE_LOCK] = "lock",     [PROBE_RESERVE] = "reserve",
    [PROBE_TRANSFER] = "transfer", [PROBE_FILL] = "fill",     [PROBE_MAP] = "map",
    [PROBE_QUEUE] = "queue",       [PROBE_SWITCH] = "switch", [PROBE_PREEMPT] = "preempt",
    [PROBE_EXECUTE] = "execute",   [PROBE_FENCE] = "fence",   [PROBE_DISPLAY] = "display",
};

const char *const probe_paging_names[PROBE_PAGING_KINDS] = {
    [PROBE_PAGE_IN] = "page-in",
    [PROBE_PAGE_OUT] = "page-out",
    [PROBE_FILLED] = "fill",
    [PROBE_DISCARD] = "discard",
    [PROBE_MAP_APERTURE] = "map-aperture",
    [PROBE_UNMAP_APERTURE] = "unmap-aperture",
    [PROBE_DEMOTE] = "demote",
};

const char *const probe_attempt_names[PROBE_ATTEMPTS] = {
    [PROBE_ATTEMPT_SUCCESS] = "success",
    [PROBE_ATTEMPT_NO_COMMAND] = "no-command",
    [PROBE_ATTEMPT_NOT_ENABLED] = "not-enabled",
    [PROBE_ATTEMPT_PAGING_COMMAND] = "paging-command",
    [PROBE_ATTEMPT_PENDING_FLIP] = "render-pending-flip",
    [PROBE_ATTEMPT_LESS_PRIORITY] = "less-priority",
    [PROBE_ATTEMPT_REMAINING_QUANTUM] = "remaining-quantum",
    [PROBE_ATTEMPT_REMAINING_PREEMPTION_QUANTUM] = "remaining-preemption-quantum",
    [PROBE_ATTEMPT_ALREADY_PREEMPTING] = "already-preempting",
    [PROBE_ATTEMPT_ALREADY_RUNNING] = "already-running",
};
