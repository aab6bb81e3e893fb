#include "analysis/output.h"
#include "analysis/heap.h"
#include "analysis/human.h"
#include "model/probe.h"

#include <assert.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 18 };

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool output_folder(const char *directory, char *error, size_t error_size)
{
    char *path = heap_text(directory);
    bool made = true;
    for (char *slash = path; made && slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL)
            *slash = 0;
        int reason = mkdir(path, 0777) == 0 ? 0 : errno;
        if (reason != 0 && !is_folder(path)) {
            snprintf(error, error_size, "%s: cannot make this folder: %s", path,
                     reason == EEXIST ? "a file has its name" : strerror(reason));
            made = false;
        }
        if (slash != NULL)
            *slash = '/';
    }
    free(path);
    return made;
}

char *output_path(const char *directory, const char *name)
{
    size_t room = strlen(directory) + strlen(name) + 2;
    char *path = heap_new(room, 1);
    snprintf(path, room, "%s/%s", directory, name);
    return path;
}

FILE *output_open(struct output *output, const char *name, char *error, size_t error_size)
{
    assert(output->count < OUTPUT_FILES);
    char part[64];
    snprintf(part, sizeof part, "%s.part", name);
    struct output_file file = {.part = output_path(output->directory, part),
                               .final = output_path(output->directory, name)};
    file.file = fopen(file.part, "wb");
    if (file.file == NULL) {
        snprintf(error, error_size, "%s: cannot write: %s", file.part, strerror(errno));
        free(file.part);
        free(file.final);
        return NULL;
    }
    setvbuf(file.file, NULL, _IOFBF, BUFFER);
    output->files[output->count++] = file;
    return file.file;
}

bool output_commit(struct output *output, char *error, size_t error_size)
{
    for (size_t i = 0; i < output->count; i++) {
        struct output_file *file = &output->files[i];
        bool bad = ferror(file->file) != 0;
        errno = 0;
        if (fclose(file->file) != 0 || bad) {
            snprintf(error, error_size, "%s: cannot write: %s", file->final,
                     errno != 0 ? strerror(errno) : "the disk may be full");
            file->file = NULL;
            output_abandon(output);
            return false;
        }
        file->file = NULL;
    }
    for (size_t i = 0; i < output->count; i++)
        if (rename(output->files[i].part, output->files[i].final) != 0) {
            snprintf(error, error_size, "%s: cannot be replaced: %s", output->files[i].final,
                     strerror(errno));
            output_abandon(output);
            return false;
        }
    output_abandon(output); /* every part is gone: only the strings are left */
    return true;
}

void output_abandon(struct output *output)
{
    for (size_t i = 0; i < output->count; i++) {
        struct output_file *file = &output->files[i];
        if (file->file != NULL)
            fclose(file->file);
        unlink(file->part);
        free(file->part);
        free(file->final);
    }
    output->count = 0;
}

void csv_number(FILE *file, uint64_t number)
{
    char digits[HUMAN_DIGITS];
    fwrite_unlocked(digits, 1, human_digits(digits, number), file);
}

void csv_text(FILE *file, const char *text)
{
    bool quoted = false;
    size_t length = 0;
    for (; text[length] != 0; length++)
        quoted = quoted || text[length] == ',' || text[length] == '"' || text[length] == '\r' ||
                 text[length] == '\n';
    if (!quoted) {
        fwrite_unlocked(text, 1, length, file);
        return;
    }
    putc_unlocked('"', file);
    for (; *text != 0; text++) {
        if (*text == '"')
            putc_unlocked('"', file);
        putc_unlocked(*text, file);
    }
    putc_unlocked('"', file);
}
