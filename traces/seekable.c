#include "traces/seekable.h"

#include "traces/buffer.h"
#include "traces/message.h"
#include "traces/temporary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IN_MEMORY = 4 * 1024 * 1024, PIECE = 64 * 1024 };

struct trace_seekable {
    uint64_t size;
    struct trace_buffer copy; /* all of it, unless there is a file */
    int file;                 /* -1: none */
    bool ours;                /* the file is a copy */
};

static bool write_all(int file, const void *bytes, size_t length)
{
    const unsigned char *from = bytes;
    while (length > 0) {
        ssize_t wrote = write(file, from, length);
        if (wrote < 0 && errno != EINTR)
            return false;
        if (wrote > 0) {
            from += wrote;
            length -= (size_t)wrote;
        }
    }
    return true;
}

/* Moves the copy into a file: it grows too large for memory. */
static bool move_out(struct trace_seekable *seekable)
{
    if (seekable->file < 0 && (seekable->file = trace_temporary()) < 0)
        return false;
    seekable->ours = true;
    bool good = write_all(seekable->file, seekable->copy.bytes, seekable->copy.length);
    seekable->copy.length = 0;
    return good;
}

static bool make_copy(struct trace_seekable *seekable, struct trace_input *input,
                      struct trace_error *error)
{
    const char *path = trace_input_path(input);
    for (;;) {
        if (!trace_buffer_reserve(&seekable->copy, PIECE))
            return trace_fail(error, false, "%s: out of memory", path);
        size_t got;
        if (!trace_input_read(input, seekable->copy.bytes + seekable->copy.length, PIECE, &got,
                              error) ||
            got == 0)
            break; /* what there is of a damaged one is as good as all of it */
        seekable->copy.length += got;
        seekable->size += got;
        if (seekable->copy.length > (seekable->ours ? PIECE : IN_MEMORY) && !move_out(seekable))
            return trace_fail(error, false, "%s: a temporary file: %s", path, strerror(errno));
    }
    if (seekable->ours && !move_out(seekable))
        return trace_fail(error, false, "%s: a temporary file: %s", path, strerror(errno));
    return true;
}

bool trace_seekable_open(struct trace_input *input, struct trace_seekable **result,
                         struct trace_error *error)
{
    *result = NULL;
    error->message[0] = '\0';
    struct trace_seekable *seekable = calloc(1, sizeof *seekable);
    if (seekable == NULL)
        return trace_fail(error, false, "%s: out of memory", trace_input_path(input));
    seekable->file = trace_input_file(input);
    struct stat status;
    bool good = true;
    if (seekable->file >= 0 && fstat(seekable->file, &status) != 0)
        seekable->file = -1;
    if (seekable->file >= 0)
        seekable->size = (uint64_t)status.st_size;
    else
        good = make_copy(seekable, input, error);
    if (!good) {
        trace_seekable_close(seekable);
        return false;
    }
    *result = seekable;
    return true;
}

uint64_t trace_seekable_size(const struct trace_seekable *seekable)
{
    return seekable->size;
}

bool trace_seekable_read(struct trace_seekable *seekable, uint64_t offset, void *buffer,
                         size_t size)
{
    if (offset > seekable->size || size > seekable->size - offset)
        return false;
    if (seekable->file < 0) {
        if (size > 0)
            memcpy(buffer, seekable->copy.bytes + offset, size);
        return true;
    }
    unsigned char *to = buffer;
    while (size > 0) {
        ssize_t got = pread(seekable->file, to, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

void trace_seekable_close(struct trace_seekable *seekable)
{
    if (seekable == NULL)
        return;
    if (seekable->ours)
        close(seekable->file);
    trace_buffer_free(&seekable->copy);
    free(seekable);
}
