/* Writing pickles by hand, opcode by opcode. */
#ifndef WDDMSIM_TESTS_MAKE_PICKLE_H
#define WDDMSIM_TESTS_MAKE_PICKLE_H

#include "traces/buffer.h"

#include <stdarg.h>

static inline void pickle_number(struct trace_buffer *pickle, int64_t number)
{
    unsigned char bytes[10] = {0x8a, 8}; /* LONG1 */
    for (size_t i = 0; i < 8; i++)
        bytes[2 + i] = (unsigned char)((uint64_t)number >> 8 * i);
    if (number >= 0 && number < 256)
        trace_buffer_put(pickle, (unsigned char[]){'K', (unsigned char)number}, 2); /* BININT1 */
    else
        trace_buffer_put(pickle, bytes, sizeof bytes);
}

static inline void pickle_text(struct trace_buffer *pickle, const char *text)
{
    trace_buffer_put(pickle, (unsigned char[]){0x8c, (unsigned char)strlen(text)}, 2);
    trace_buffer_put(pickle, text, strlen(text));
}

/* A pickle from a pattern: 'text' makes a string, a number a number, %d the next argument (int64_t)
 * a number, every other character but blanks the opcode it is; #xx is the opcode of that
 * hexadecimal code. */
static inline void pickle_write(struct trace_buffer *pickle, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at == ' ' || *at == '\n') {
            continue;
        } else if (*at == '\'') {
            char text[256];
            size_t length = strcspn(++at, "'");
            memcpy(text, at, length);
            text[length] = '\0';
            pickle_text(pickle, text);
            at += length;
        } else if (*at == '%') {
            pickle_number(pickle, va_arg(arguments, int64_t));
            at++;
        } else if (*at >= '0' && *at <= '9') {
            char *end;
            pickle_number(pickle, strtoll(at, &end, 10));
            at = end - 1;
        } else if (*at == '#') {
            char code[3] = {at[1], at[2], '\0'};
            trace_buffer_put_byte(pickle, (unsigned char)strtoul(code, NULL, 16));
            at += 2;
        } else {
            trace_buffer_put_byte(pickle, (unsigned char)*at);
        }
    }
    va_end(arguments);
}

/* A snapshot with something of everything: two devices, a history that begins in the middle, an
 * expandable segment, older blocks without an address, shared frames, and a number too large. */
static inline void pickle_sample(struct trace_buffer *pickle)
{
    /* PROTO 4, FRAME of any length, memo 0: the snapshot, 1: its frames */
    pickle_write(pickle, "#80#04 #95#ff#00#00#00#00#00#00#00 } #94 (");
    pickle_write(pickle, "'segments' ] (");
    pickle_write(pickle, "} ( 'address' 4096 'total_size' 8192 'device' 0 'segment_type' 'large' "
                         "'segment_pool_id' 0 0 #86 'is_expandable' #89 'frames' ] #94 } ( 'name' "
                         "'f' 'line' 7 u a 'blocks' ] (");
    pickle_write(pickle, "} ( 'size' 512 'state' 'active_allocated' u "
                         "} ( 'size' 1024 'state' 'inactive' u "
                         "} ( 'size' 256 'state' 'active_pending_free' 'frames' h#01 u e u");
    pickle_write(pickle,
                 "} ( 'address' %d 'total_size' %d 'device' 1 'is_expandable' #88 'blocks' "
                 "] } 'address' %d s a u e",
                 INT64_C(1) << 40, INT64_C(40) << 20, INT64_C(1) << 40);
    pickle_write(pickle, "'device_traces' ] (");
    pickle_write(pickle,
                 "] ( } ( 'action' 'alloc' 'addr' 5632 'size' 100 'stream' 0 'time_us' 1000 "
                 "'frames' h#01 u "
                 "} ( 'action' 'free_requested' 'addr' 5632 'size' 100 'time_us' 1010 u "
                 "} ( 'action' 'free_completed' 'addr' 4864 'size' 300 'time_us' 1015 u "
                 "} ( 'action' 'free_completed' 'addr' 5632 'size' 100 'time_us' 1020 u "
                 "} ( 'action' 'oom' 'device_free' 1 'size' 5 'time_us' 1030 u "
                 "} ( 'action' 'snapshot' 'addr' 0 'size' 0 'time_us' 1040 u e");
    pickle_write(
        pickle,
        "] ( } ( 'action' 'segment_map' 'addr' %d 'size' %d 'time_us' 1001 u "
        "} ( 'action' 'segment_unmap' 'addr' %d 'size' %d 'time_us' 1002 u "
        "} ( 'action' 'new_action' 'addr' N 'size' #8a#09#00#00#00#00#00#00#00#00#01 u e e",
        (INT64_C(1) << 40) + (INT64_C(20) << 20), INT64_C(40) << 20,
        (INT64_C(1) << 40) + (INT64_C(40) << 20), INT64_C(20) << 20);
    pickle_write(pickle, "'allocator_settings' } 'fraction' G#3f#f0#00#00#00#00#00#00 s u .");
}

#endif
