/* What the recorded machine's segments are: video memory or an aperture onto system memory.
 *
 * Numbers mean nothing on another machine, so events name segments by what they are: `local` or
 * `aperture`. A rundown's segment table (78) says it outright. Without one it follows from how
 * allocations are described (33 to 35): an eviction set holds aperture segments only (wddm.md
 * §2.2); what is backed by a program's own memory and supports one set of segments only is at home
 * in apertures; and a segment that no driver asked for but VidMm adds to a finished allocation's
 * set is its own segment of system memory. All others are local. */
#include "traces/etl/import.h"

enum { EXISTING_SYSMEM = 0x10, EXISTING_KERNEL_SYSMEM = 0x20 };
enum { SEGMENT_APERTURE = 0x1 }; /* DXGK_SEGMENTFLAGS */

void etl_learn_segments(struct etl_import *import)
{
    uint32_t told = 0, told_aperture = 0, system_only = 0, asked = 0, finished = 0;
    struct etl_values values;
    for (size_t i = 0; i < import->records.count; i++) {
        const struct etl_event *event = &import->records.items[i];
        if ((event->id != ID_SEGMENT && event->id != ID_GLOBAL_START &&
             event->id != ID_GLOBAL_STOP && event->id != ID_GLOBAL_RUNDOWN) ||
            !etl_decode_event(event, &values))
            continue;
        if (event->id == ID_SEGMENT) {
            uint64_t id = etl_get(&values, ETL_ulSegmentId);
            if (id >= 1 && id < SEGMENTS_MAX) {
                told |= UINT32_C(1) << (id - 1);
                if (etl_get(&values, ETL_Flags) & SEGMENT_APERTURE)
                    told_aperture |= UINT32_C(1) << (id - 1);
            }
            continue;
        }
        uint32_t set = (uint32_t)etl_get(&values, ETL_dwWriteSegment);
        if (event->id == ID_GLOBAL_START)
            asked |= set;
        else
            finished |= set;
        system_only |= (uint32_t)etl_get(&values, ETL_dwEvictionSegment);
        if (etl_get(&values, ETL_Flags) & (EXISTING_SYSMEM | EXISTING_KERNEL_SYSMEM))
            system_only |= set;
    }
    uint32_t added = asked ? finished & ~asked : 0;
    import->apertures = told ? told_aperture | (added & ~told) : system_only | added;
    trace_facts_add(&import->facts, "segments-told", "segments that a rundown describes", "",
                    (uint64_t)__builtin_popcount(told));
    trace_facts_add(&import->facts, "segments-aperture",
                    "segments taken for apertures: bit 0 is segment 1", "", import->apertures);
}

struct trace_name etl_segment(const struct etl_import *import, uint64_t segment)
{
    if (segment == 0 || segment >= SEGMENTS_MAX)
        return (struct trace_name){.text = "system"};
    bool aperture = import->apertures >> (segment - 1) & 1;
    return (struct trace_name){.text = aperture ? "aperture" : "local"};
}

/* Adds a segment's name to a list that may have it already. */
static void add_segment(struct etl_import *import, struct trace_names *names, uint32_t segment)
{
    struct trace_name name = etl_segment(import, segment);
    for (uint32_t i = 0; i < names->count; i++)
        if (names->items[i].text[0] == name.text[0])
            return;
    etl_add_name(import, names, name);
}

struct trace_names etl_segments_of_bits(struct etl_import *import, uint32_t bits)
{
    struct trace_names names = {0};
    for (uint32_t segment = 1; segment < SEGMENTS_MAX; segment++)
        if ((bits >> (segment - 1) & 1) != 0)
            add_segment(import, &names, segment);
    return names;
}

struct trace_names etl_preferred_segments(struct etl_import *import, uint32_t packed)
{
    struct trace_names names = {0};
    for (unsigned entry = 0; entry < 5; entry++) {
        uint32_t segment = packed >> (6 * entry) & 31;
        if (segment != 0)
            add_segment(import, &names, segment);
    }
    return names;
}
