#include "traces/sink.h"

#include "traces/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { PACKED = 128 * 1024 };

struct trace_sink {
    char *path;
    char *temporary; /* NULL: written to directly */
    int file;
    ZSTD_CCtx *zstd;
    z_stream *gzip;
    unsigned char *packed; /* PACKED bytes for what a compressor delivers */
};

static bool ends_in(const char *path, const char *suffix)
{
    size_t length = strlen(path), tail = strlen(suffix);
    return length > tail && strcmp(path + length - tail, suffix) == 0;
}

static void free_sink(struct trace_sink *sink)
{
    if (sink->file >= 0)
        close(sink->file);
    if (sink->gzip != NULL)
        deflateEnd(sink->gzip);
    ZSTD_freeCCtx(sink->zstd);
    free(sink->gzip);
    free(sink->packed);
    free(sink->temporary);
    free(sink->path);
    free(sink);
}

/* Opens "PATH.PID.N.tmp", which is nobody's yet: beside the target, so that it can be renamed. */
static bool open_temporary(struct trace_sink *sink)
{
    size_t room = strlen(sink->path) + 48;
    sink->temporary = malloc(room);
    if (sink->temporary == NULL)
        return false;
    for (unsigned attempt = 0; attempt < 1000; attempt++) {
        snprintf(sink->temporary, room, "%s.%ld.%u.tmp", sink->path, (long)getpid(), attempt);
        sink->file = open(sink->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (sink->file >= 0 || errno != EEXIST)
            break;
    }
    if (sink->file < 0) {
        int why = errno;
        free(sink->temporary);
        sink->temporary = NULL;
        errno = why;
    }
    return sink->file >= 0;
}

static bool open_file(struct trace_sink *sink)
{
    struct stat status;
    if (strcmp(sink->path, "-") == 0)
        sink->file = dup(STDOUT_FILENO);
    else if (stat(sink->path, &status) == 0 && !S_ISREG(status.st_mode))
        sink->file = open(sink->path, O_WRONLY | O_CLOEXEC);
    else
        return open_temporary(sink);
    return sink->file >= 0;
}

static bool start_compressor(struct trace_sink *sink)
{
    bool zstd = ends_in(sink->path, ".zst"), gzip = ends_in(sink->path, ".gz");
    if (!zstd && !gzip)
        return true;
    sink->packed = malloc(PACKED);
    if (zstd) {
        sink->zstd = ZSTD_createCCtx();
        return sink->packed != NULL && sink->zstd != NULL &&
               !ZSTD_isError(ZSTD_CCtx_setParameter(sink->zstd, ZSTD_c_checksumFlag, 1));
    }
    z_stream *stream = calloc(1, sizeof *stream);
    if (sink->packed == NULL || stream == NULL ||
        deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
            Z_OK) {
        free(stream);
        return false;
    }
    sink->gzip = stream;
    return true;
}

bool trace_sink_open(const char *path, bool compress, struct trace_sink **result,
                     struct trace_error *error)
{
    *result = NULL;
    struct trace_sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL)
        return trace_fail(error, false, "%s: out of memory", path);
    sink->file = -1;
    sink->path = strdup(path);
    if (sink->path == NULL || (compress && !start_compressor(sink))) {
        free_sink(sink);
        return trace_fail(error, false, "%s: out of memory", path);
    }
    if (!open_file(sink)) {
        trace_fail(error, false, "%s: %s", path, strerror(errno));
        free_sink(sink);
        return false;
    }
    *result = sink;
    return true;
}

static bool write_file(struct trace_sink *sink, const void *bytes, size_t length,
                       struct trace_error *error)
{
    const unsigned char *at = bytes;
    while (length > 0) {
        ssize_t written = write(sink->file, at, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return trace_fail(error, false, "%s: %s", sink->path, strerror(errno));
        at += written;
        length -= (size_t)written;
    }
    return true;
}

static bool write_zstd(struct trace_sink *sink, const void *bytes, size_t length, bool last,
                       struct trace_error *error)
{
    ZSTD_inBuffer in = {bytes, length, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {sink->packed, PACKED, 0};
        left = ZSTD_compressStream2(sink->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return trace_fail(error, false, "%s: zstd: %s", sink->path, ZSTD_getErrorName(left));
        if (!write_file(sink, sink->packed, out.pos, error))
            return false;
    } while (last ? left > 0 : in.pos < in.size);
    return true;
}

static bool write_gzip(struct trace_sink *sink, const void *bytes, size_t length, bool last,
                       struct trace_error *error)
{
    const unsigned char *at = bytes;
    do {
        size_t piece = length < PACKED ? length : PACKED; /* zlib counts in 32 bits */
        bool end = last && piece == length;
        sink->gzip->next_in = (z_const Bytef *)at;
        sink->gzip->avail_in = (uInt)piece;
        do {
            sink->gzip->next_out = sink->packed;
            sink->gzip->avail_out = PACKED;
            deflate(sink->gzip, end ? Z_FINISH : Z_NO_FLUSH);
            if (!write_file(sink, sink->packed, PACKED - sink->gzip->avail_out, error))
                return false;
        } while (sink->gzip->avail_out == 0);
        at += piece;
        length -= piece;
    } while (length > 0);
    return true;
}

static bool write_some(struct trace_sink *sink, const void *bytes, size_t length, bool last,
                       struct trace_error *error)
{
    if (sink->zstd != NULL)
        return write_zstd(sink, bytes, length, last, error);
    if (sink->gzip != NULL)
        return write_gzip(sink, bytes, length, last, error);
    return write_file(sink, bytes, length, error);
}

bool trace_sink_write(struct trace_sink *sink, const void *bytes, size_t length,
                      struct trace_error *error)
{
    return write_some(sink, bytes, length, false, error);
}

bool trace_sink_finish(struct trace_sink *sink, struct trace_error *error)
{
    if (!write_some(sink, "", 0, true, error)) {
        trace_sink_abandon(sink);
        return false;
    }
    /* Some file systems report a full disk only here. */
    int file = sink->file;
    sink->file = -1;
    if (close(file) != 0 || (sink->temporary != NULL && rename(sink->temporary, sink->path) != 0)) {
        trace_fail(error, false, "%s: %s", sink->path, strerror(errno));
        trace_sink_abandon(sink);
        return false;
    }
    free_sink(sink);
    return true;
}

void trace_sink_abandon(struct trace_sink *sink)
{
    if (sink->temporary != NULL)
        unlink(sink->temporary);
    free_sink(sink);
}
