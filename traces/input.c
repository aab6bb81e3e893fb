#include "traces/input.h"

#include "traces/message.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WINDOW = 256 * 1024,      /* what is read ahead */
    PACKED = 64 * 1024,       /* what libarchive gets at a time */
    LONGEST_PEEK = 64 * 1024, /* as input.h promises */
};

/* Bytes stand in a window: [start, end) has been read and not yet consumed. A spare byte behind it
 * takes the NUL of a last line without newline. */
struct trace_input {
    char *path;
    unsigned owners;
    int file;                /* -1: none, everything is in the window */
    bool regular;            /* a file that can be sought in */
    bool standard;           /* standard input: `path` is none */
    uint64_t file_size;      /* 0: unknown */
    uint64_t file_read;      /* bytes read(2) delivered */
    struct archive *archive; /* NULL: the file is plain */
    unsigned char *packed;   /* what libarchive is looking at; at first, the head of the file */
    size_t packed_length;
    unsigned char *window;
    size_t capacity, start, end;
    uint64_t base; /* offset in the stream of window[0] */
    bool ended;
};

static bool system_error(struct trace_input *input, struct trace_error *error)
{
    return trace_fail(error, false, "%s: %s", input->path, strerror(errno));
}

static bool archive_failed(struct trace_input *input, struct trace_error *error)
{
    const char *why = archive_error_string(input->archive);
    return trace_fail(error, false, "%s: cannot decompress: %s", input->path,
                      why != NULL ? why : "damaged");
}

static ssize_t read_file(struct trace_input *input, void *buffer, size_t size)
{
    if (input->file < 0)
        return 0;
    ssize_t got;
    do
        got = read(input->file, buffer, size);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        input->file_read += (uint64_t)got;
    return got;
}

/* Up to `size` bytes of the (decompressed) stream; -1: failed. */
static ssize_t read_stream(struct trace_input *input, void *buffer, size_t size,
                           struct trace_error *error)
{
    ssize_t got;
    if (input->archive == NULL) {
        got = read_file(input, buffer, size);
        if (got < 0)
            system_error(input, error);
        return got;
    }
    do
        got = archive_read_data(input->archive, buffer, size);
    while (got == ARCHIVE_RETRY);
    if (got < 0) {
        archive_failed(input, error);
        return -1;
    }
    return got;
}

/* Brings more bytes into the window; sets `ended` when there are none. */
static bool refill(struct trace_input *input, struct trace_error *error)
{
    if (input->start > 0) {
        memmove(input->window, input->window + input->start, input->end - input->start);
        input->base += input->start;
        input->end -= input->start;
        input->start = 0;
    }
    if (input->capacity - input->end < WINDOW / 2) {
        size_t capacity = input->capacity < WINDOW ? WINDOW : input->capacity * 2;
        unsigned char *window = realloc(input->window, capacity);
        if (window == NULL)
            return trace_fail(error, false, "%s: out of memory", input->path);
        input->window = window;
        input->capacity = capacity;
    }
    ssize_t got =
        read_stream(input, input->window + input->end, input->capacity - input->end - 1, error);
    if (got < 0)
        return false;
    input->end += (size_t)got;
    input->ended = got == 0;
    return true;
}

/* libarchive's side: the bytes of the file, beginning with those already read to recognise it. */

static ssize_t give_packed(struct archive *archive, void *context, const void **bytes)
{
    struct trace_input *input = context;
    *bytes = input->packed;
    if (input->packed_length > 0) {
        ssize_t length = (ssize_t)input->packed_length;
        input->packed_length = 0;
        return length;
    }
    ssize_t got = read_file(input, input->packed, PACKED);
    if (got < 0)
        archive_set_error(archive, errno, "%s", strerror(errno));
    return got;
}

static la_int64_t seek_packed(struct archive *archive, void *context, la_int64_t offset, int whence)
{
    struct trace_input *input = context;
    off_t position = lseek(input->file, (off_t)offset, whence);
    if (position < 0) {
        archive_set_error(archive, errno, "%s", strerror(errno));
        return ARCHIVE_FATAL;
    }
    input->packed_length = 0;
    return (la_int64_t)position;
}

static bool is_packed(const unsigned char *head, size_t length)
{
    static const struct {
        const char *magic;
        size_t length;
    } kinds[] = {
        {"\x1f\x8b", 2},         /* gzip */
        {"\x28\xb5\x2f\xfd", 4}, /* zstd */
        {"\xfd\x37zXZ\0", 6},    /* xz */
        {"BZh", 3},              /* bzip2 */
        {"PK\x03\x04", 4},       /* zip */
        {"PK\x05\x06", 4},       /* zip without members */
        {"\x04\x22\x4d\x18", 4}, /* lz4 */
        {"LZIP", 4},             /* lzip */
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (length >= kinds[i].length && memcmp(head, kinds[i].magic, kinds[i].length) == 0)
            return true;
    return false;
}

/* Stands libarchive between the file and the window, at the first regular member. */
static bool unpack(struct trace_input *input, struct trace_error *error)
{
    struct archive *archive = archive_read_new();
    if (archive == NULL)
        return trace_fail(error, false, "%s: out of memory", input->path);
    input->archive = archive;
    input->packed = input->window;
    input->packed_length = input->end;
    input->window = NULL;
    input->capacity = input->start = input->end = 0;
    input->ended = false; /* of what comes out, nothing has been read */

    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_lz4(archive);
    archive_read_support_filter_lzip(archive);
    archive_read_support_format_raw(archive);
    archive_read_support_format_empty(archive);
    archive_read_support_format_zip(archive);
    archive_read_set_read_callback(archive, give_packed);
    if (input->regular)
        archive_read_set_seek_callback(archive, seek_packed);
    archive_read_set_callback_data(archive, input);
    if (archive_read_open1(archive) < ARCHIVE_WARN)
        return archive_failed(input, error);

    struct archive_entry *entry;
    for (;;) {
        int result = archive_read_next_header(archive, &entry);
        if (result == ARCHIVE_EOF) { /* nothing inside */
            input->ended = true;
            input->window = malloc(1);
            input->capacity = 1;
            return input->window != NULL ||
                   trace_fail(error, false, "%s: out of memory", input->path);
        }
        if (result < ARCHIVE_WARN)
            return archive_failed(input, error);
        if (archive_entry_filetype(entry) == AE_IFREG)
            return true;
    }
}

bool trace_input_open(const char *path, struct trace_input **result, struct trace_error *error)
{
    *result = NULL;
    struct trace_input *input = calloc(1, sizeof *input);
    bool standard = strcmp(path, "-") == 0;
    if (input == NULL || (input->path = strdup(standard ? "standard input" : path)) == NULL) {
        free(input);
        return trace_fail(error, false, "%s: out of memory", path);
    }
    input->owners = 1;
    input->standard = standard;
    input->file = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    bool good = input->file >= 0 && fstat(input->file, &status) == 0;
    if (!good) {
        system_error(input, error);
    } else {
        input->regular = S_ISREG(status.st_mode) && lseek(input->file, 0, SEEK_CUR) == 0;
        input->file_size = input->regular ? (uint64_t)status.st_size : 0;
        good = refill(input, error);
        while (good && !input->ended && input->end < 8)
            good = refill(input, error);
        if (good && is_packed(input->window, input->end))
            good = unpack(input, error);
    }
    if (!good) {
        trace_input_close(input);
        return false;
    }
    *result = input;
    return true;
}

bool trace_input_from_memory(const void *bytes, size_t length, const char *name,
                             struct trace_input **result, struct trace_error *error)
{
    *result = NULL;
    struct trace_input *input = calloc(1, sizeof *input);
    if (input != NULL) {
        input->owners = 1;
        input->file = -1;
        input->path = strdup(name);
        input->window = malloc(length + 1);
    }
    if (input == NULL || input->path == NULL || input->window == NULL) {
        trace_input_close(input);
        return trace_fail(error, false, "%s: out of memory", name);
    }
    if (length > 0)
        memcpy(input->window, bytes, length);
    input->file_size = input->file_read = length;
    input->capacity = length + 1;
    input->end = length;
    input->ended = true;
    *result = input;
    return true;
}

bool trace_input_peek(struct trace_input *input, size_t want, const unsigned char **bytes,
                      size_t *length, struct trace_error *error)
{
    if (want > LONGEST_PEEK)
        want = LONGEST_PEEK;
    while (input->end - input->start < want && !input->ended)
        if (!refill(input, error))
            return false;
    *bytes = input->window + input->start;
    *length = input->end - input->start < want ? input->end - input->start : want;
    return true;
}

bool trace_input_read(struct trace_input *input, void *buffer, size_t size, size_t *got,
                      struct trace_error *error)
{
    *got = 0;
    if (input->start == input->end && !input->ended && !refill(input, error))
        return false;
    size_t ready = input->end - input->start;
    *got = ready < size ? ready : size;
    if (*got > 0)
        memcpy(buffer, input->window + input->start, *got);
    input->start += *got;
    return true;
}

bool trace_input_line(struct trace_input *input, char **line, size_t *length,
                      struct trace_error *error)
{
    size_t seen = 0; /* bytes already searched for the newline */
    for (;;) {
        unsigned char *from = input->window + input->start;
        size_t ready = input->end - input->start;
        unsigned char *newline = ready > seen ? memchr(from + seen, '\n', ready - seen) : NULL;
        if (newline == NULL && !input->ended) {
            if (ready > TRACE_LONGEST_LINE)
                break;
            seen = ready;
            if (!refill(input, error))
                return false;
            continue;
        }
        *length = newline != NULL ? (size_t)(newline - from) : ready;
        if (*length > TRACE_LONGEST_LINE)
            break;
        *line = *length == 0 && newline == NULL ? NULL : (char *)from;
        if (*line != NULL)
            from[*length] = '\0';
        input->start += *length + (newline != NULL);
        return true;
    }
    return trace_fail(error, false, "%s: offset %llu: a line longer than %d MiB", input->path,
                      (unsigned long long)trace_input_offset(input), TRACE_LONGEST_LINE >> 20);
}

const char *trace_input_plain_file(const struct trace_input *input)
{
    return input->regular && input->archive == NULL && !input->standard ? input->path : NULL;
}

int trace_input_file(const struct trace_input *input)
{
    return input->regular && input->archive == NULL ? input->file : -1;
}

const char *trace_input_path(const struct trace_input *input)
{
    return input->path;
}

uint64_t trace_input_offset(const struct trace_input *input)
{
    return input->base + input->start;
}

void trace_input_progress(const struct trace_input *input, uint64_t *done, uint64_t *total)
{
    *done = input->file_read;
    *total = input->file_size;
}

void trace_input_share(struct trace_input *input)
{
    input->owners++;
}

void *trace_input_reader(struct trace_input *input, size_t size, struct trace_error *error)
{
    void *reader = calloc(1, size);
    if (reader == NULL) {
        trace_fail(error, false, "%s: out of memory", trace_input_path(input));
        trace_input_close(input);
    }
    return reader;
}

void trace_input_close(struct trace_input *input)
{
    if (input == NULL || --input->owners > 0)
        return;
    archive_read_free(input->archive);
    if (input->file >= 0)
        close(input->file);
    free(input->packed);
    free(input->window);
    free(input->path);
    free(input);
}
