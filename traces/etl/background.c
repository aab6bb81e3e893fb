/* What filled the segments when the recording began.
 *
 * A recording without a rundown names only a few of the allocations that are resident, but says how
 * many bytes each segment holds. One made-up allocation per segment stands for the rest, so that
 * a replay has as little room as the recorded machine had. */
#include "traces/etl/import.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const device_name = "background";

static void subtract(uint64_t *from, uint64_t bytes)
{
    *from -= bytes < *from ? bytes : *from;
}

/* Takes out what stands for itself: allocations a rundown found resident, and those that a
 * MakeResident names first. Where the latter lie is not recorded; the lowest segment is the local
 * one. */
static void subtract_named(struct etl_import *import, uint64_t *bytes)
{
    uint32_t lowest = 1;
    while (lowest < SEGMENTS_MAX && !import->resident_seen[lowest])
        lowest++;
    for (size_t i = 0; i < import->allocation_count; i++) {
        const struct etl_allocation *allocation = import->allocations[i];
        uint64_t size = allocation->about != NULL ? allocation->about->size : import->unknown_size;
        if (allocation->recorded)
            continue;
        if (allocation->resident_in != 0) {
            if (allocation->resident_in < SEGMENTS_MAX)
                subtract(&bytes[allocation->resident_in], size);
        } else if (allocation->made_resident_first && lowest < SEGMENTS_MAX) {
            subtract(&bytes[lowest], size);
        }
    }
}

static void fill_segment(struct etl_import *import, uint32_t segment, uint64_t bytes)
{
    enum { ROOM = 32 };
    char *name = etl_take(import, ROOM, 1);
    struct trace_allocation *element = etl_take(import, 1, sizeof *element);
    struct trace_event *create =
        etl_emit(import, TRACE_CREATE_ALLOCATION, NULL, 0, ORDER_ALLOCATION);
    struct trace_event *resident = etl_emit(import, TRACE_MAKE_RESIDENT, NULL, 0, ORDER_RESIDENCY);
    if (name == NULL || element == NULL || create == NULL || resident == NULL)
        return;
    snprintf(name, ROOM, "background-%" PRIu32, segment);
    element->allocation.text = name;
    element->size = bytes;
    element->usage = "background";
    element->segments = etl_segments_of_bits(import, UINT32_C(1) << (segment - 1));
    element->given = TRACE_GIVEN(TRACE_ALLOCATION) | TRACE_GIVEN(TRACE_SIZE) |
                     TRACE_GIVEN(TRACE_USAGE) | TRACE_GIVEN(TRACE_SEGMENTS);
    create->device.text = device_name;
    create->creations = (struct trace_allocations){.items = element, .count = 1};
    create->given |= TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_CREATIONS);
    resident->device.text = device_name;
    etl_add_name(import, &resident->allocations, element->allocation);
    resident->given |= TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_ALLOCATIONS);
}

void etl_map_background(struct etl_import *import)
{
    uint64_t bytes[SEGMENTS_MAX];
    for (uint32_t i = 0; i < SEGMENTS_MAX; i++)
        bytes[i] = import->resident_bytes[i];
    subtract_named(import, bytes);
    bool any = false;
    for (uint32_t segment = 1; segment < SEGMENTS_MAX; segment++) {
        if (!import->resident_seen[segment])
            continue;
        trace_facts_add_format(&import->facts, "bytes", import->resident_bytes[segment],
                               "segment-%" PRIu32 "-resident-bytes|resident in segment %" PRIu32
                               " when first told",
                               segment, segment);
        trace_facts_add_format(&import->facts, "bytes", bytes[segment],
                               "segment-%" PRIu32 "-background-bytes|of them taken up by a made-up "
                               "allocation, as nothing names them",
                               segment);
        if (bytes[segment] == 0)
            continue;
        if (!any) {
            struct trace_event *device =
                etl_emit(import, TRACE_CREATE_DEVICE, NULL, 0, ORDER_DEVICE);
            if (device == NULL)
                return;
            device->device.text = device_name;
            device->system = true;
            device->given |= TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_SYSTEM);
            any = true;
        }
        fill_segment(import, segment, bytes[segment]);
    }
}
