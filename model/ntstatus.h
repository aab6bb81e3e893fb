/* NTSTATUS codes that the simulated calls answer.
 *
 * Values and meanings: the Windows SDK's ntstatus.h, as far as the video memory manager, the
 * scheduler and Dxgkrnl use them. */
#ifndef WDDMSIM_NTSTATUS_H
#define WDDMSIM_NTSTATUS_H

#include <stdbool.h>
#include <stdint.h>

#define STATUS_TABLE(X)                                                                            \
    X(STATUS_SUCCESS, 0x00000000)                                                                  \
    X(STATUS_TIMEOUT, 0x00000102)                                                                  \
    X(STATUS_PENDING, 0x00000103)                                                                  \
    X(STATUS_GRAPHICS_PARTIAL_DATA_POPULATED, 0x401E000A)                                          \
    X(STATUS_GRAPHICS_SKIP_ALLOCATION_PREPARATION, 0x401E0201)                                     \
    X(STATUS_UNSUCCESSFUL, 0xC0000001)                                                             \
    X(STATUS_NOT_IMPLEMENTED, 0xC0000002)                                                          \
    X(STATUS_INVALID_HANDLE, 0xC0000008)                                                           \
    X(STATUS_INVALID_PARAMETER, 0xC000000D)                                                        \
    X(STATUS_NO_MEMORY, 0xC0000017)                                                                \
    X(STATUS_ILLEGAL_INSTRUCTION, 0xC000001D)                                                      \
    X(STATUS_ACCESS_DENIED, 0xC0000022)                                                            \
    X(STATUS_BUFFER_TOO_SMALL, 0xC0000023)                                                         \
    X(STATUS_OBJECT_TYPE_MISMATCH, 0xC0000024)                                                     \
    X(STATUS_OBJECT_NAME_INVALID, 0xC0000033)                                                      \
    X(STATUS_OBJECT_NAME_NOT_FOUND, 0xC0000034)                                                    \
    X(STATUS_OBJECT_NAME_COLLISION, 0xC0000035)                                                    \
    X(STATUS_NOT_SUPPORTED, 0xC00000BB)                                                            \
    X(STATUS_DEVICE_REMOVED, 0xC00002B6)                                                           \
    X(STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER, 0xC01E0001)                                         \
    X(STATUS_GRAPHICS_ADAPTER_WAS_RESET, 0xC01E0003)                                               \
    X(STATUS_GRAPHICS_PRESENT_OCCLUDED, 0xC01E0006)                                                \
    X(STATUS_GRAPHICS_DRIVER_MISMATCH, 0xC01E0009)                                                 \
    X(STATUS_GRAPHICS_NO_VIDEO_MEMORY, 0xC01E0100)                                                 \
    X(STATUS_GRAPHICS_CANT_LOCK_MEMORY, 0xC01E0101)                                                \
    X(STATUS_GRAPHICS_ALLOCATION_BUSY, 0xC01E0102)                                                 \
    X(STATUS_GRAPHICS_TOO_MANY_REFERENCES, 0xC01E0103)                                             \
    X(STATUS_GRAPHICS_TRY_AGAIN_LATER, 0xC01E0104)                                                 \
    X(STATUS_GRAPHICS_TRY_AGAIN_NOW, 0xC01E0105)                                                   \
    X(STATUS_GRAPHICS_ALLOCATION_INVALID, 0xC01E0106)                                              \
    X(STATUS_GRAPHICS_UNSWIZZLING_APERTURE_UNAVAILABLE, 0xC01E0107)                                \
    X(STATUS_GRAPHICS_UNSWIZZLING_APERTURE_UNSUPPORTED, 0xC01E0108)                                \
    X(STATUS_GRAPHICS_CANT_EVICT_PINNED_ALLOCATION, 0xC01E0109)                                    \
    X(STATUS_GRAPHICS_INVALID_ALLOCATION_USAGE, 0xC01E0110)                                        \
    X(STATUS_GRAPHICS_CANT_RENDER_LOCKED_ALLOCATION, 0xC01E0111)                                   \
    X(STATUS_GRAPHICS_ALLOCATION_CLOSED, 0xC01E0112)                                               \
    X(STATUS_GRAPHICS_INVALID_ALLOCATION_INSTANCE, 0xC01E0113)                                     \
    X(STATUS_GRAPHICS_INVALID_ALLOCATION_HANDLE, 0xC01E0114)                                       \
    X(STATUS_GRAPHICS_WRONG_ALLOCATION_DEVICE, 0xC01E0115)                                         \
    X(STATUS_GRAPHICS_ALLOCATION_CONTENT_LOST, 0xC01E0116)                                         \
    X(STATUS_GRAPHICS_GPU_EXCEPTION_ON_DEVICE, 0xC01E0200)                                         \
    X(STATUS_GRAPHICS_VIDPN_SOURCE_IN_USE, 0xC01E0342)

#define STATUS_CONSTANT(name, value) static const uint32_t name = (value);
STATUS_TABLE(STATUS_CONSTANT)
#undef STATUS_CONSTANT

/* NT_SUCCESS: success and informational codes have the top bit clear. */
static inline bool status_is_success(uint32_t status)
{
    return (status & 0x80000000u) == 0;
}

#endif
