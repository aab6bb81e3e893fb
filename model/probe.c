#include "model/probe.h"

const char *const probe_cause_names[PROBE_CAUSES] = {
    [PROBE_CPU] = "cpu",           [PROBE_LOCK] = "lock",     [PROBE_RESERVE] = "reserve",
    [PROBE_TRANSFER] = "transfer", [PROBE_FILL] = "fill",     [PROBE_MAP] = "map",
    [PROBE_QUEUE] = "queue",       [PROBE_SWITCH] = "switch", [PROBE_PREEMPT] = "preempt",
    [PROBE_EXECUTE] = "execute",   [PROBE_FENCE] = "fence",
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
