#include "analysis/sweep/store.h"
#include "analysis/heap.h"
#include "analysis/output.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOST = 64 };

/* Names of hosts and processes tell writers apart on a shared folder. */
static void host_name(char name[HOST])
{
    if (gethostname(name, HOST) != 0)
        snprintf(name, HOST, "host");
    name[HOST - 1] = 0;
    for (char *c = name; *c != 0; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_'; /* the dots are ours */
}

char *store_private_path(const char *directory, const char *folder, const char *name,
                         const char *ending)
{
    char host[HOST], file[4 * HOST];
    host_name(host);
    snprintf(file, sizeof file, "%s/.%s.%s.%ld%s", folder, name, host, (long)getpid(), ending);
    return output_path(directory, file);
}

static char *path_of(const char *directory, const char *key, const char *ending)
{
    char file[64];
    snprintf(file, sizeof file, "points/%s%s", key, ending);
    return output_path(directory, file);
}

/* Whether ".NAME.HOST.PROCESS.ENDING" is of this host and of a process that is no more. */
static bool is_left_behind(const char *name, const char *host)
{
    const char *at = name[0] == '.' ? strchr(name + 1, '.') : NULL;
    size_t length = strlen(host);
    if (at == NULL || strncmp(at + 1, host, length) != 0 || at[1 + length] != '.')
        return false;
    char *end;
    long process = strtol(at + length + 2, &end, 10);
    return process > 0 && *end == '.' && kill((pid_t)process, 0) != 0 && errno == ESRCH;
}

static void clear(const char *directory, const char *folder)
{
    char host[HOST];
    char *path = output_path(directory, folder);
    DIR *entries = opendir(path);
    host_name(host);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
        if (is_left_behind(entry->d_name, host)) {
            char *part = output_path(path, entry->d_name);
            unlink(part);
            free(part);
        }
    if (entries != NULL)
        closedir(entries);
    free(path);
}

bool store_open(const char *directory, char *error, size_t error_size)
{
    char *points = output_path(directory, "points");
    bool made = output_folder(points, error, error_size);
    free(points);
    if (!made)
        return false;
    clear(directory, "points");
    clear(directory, "traces");
    char *path = store_private_path(directory, "points", "try", ".part");
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        snprintf(error, error_size, "%s: cannot write here: %s", directory, strerror(errno));
    else
        fclose(file);
    unlink(path);
    free(path);
    return file != NULL;
}

/* A file that was renamed into place is whole, unless the machine lost power: then its end lacks.
 */
bool store_has(const char *directory, const char *key)
{
    char *path = path_of(directory, key, ".json"), end[2] = "";
    FILE *file = fopen(path, "rb");
    bool whole = file != NULL && fseek(file, -2, SEEK_END) == 0 && fread(end, 1, 2, file) == 2 &&
                 memcmp(end, "}\n", 2) == 0;
    if (file != NULL)
        fclose(file);
    free(path);
    return whole;
}

json_t *store_load(const char *directory, const char *key)
{
    char *path = path_of(directory, key, ".json");
    FILE *file = fopen(path, "rb");
    struct stat status;
    json_t *result = NULL;
    if (file != NULL && fstat(fileno(file), &status) == 0) {
        /* Whole: jansson takes a file byte by byte. */
        char *text = heap_new((size_t)status.st_size + 1, 1);
        size_t length = fread(text, 1, (size_t)status.st_size, file);
        result = json_loadb(text, length, 0, NULL);
        free(text);
    }
    if (file != NULL)
        fclose(file);
    free(path);
    return result;
}

static bool write_file(const char *path, const json_t *json, const char *text)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return false;
    bool written =
        json == NULL || json_dumpf(json, file, JSON_COMPACT | JSON_REAL_PRECISION(15)) == 0;
    written = fprintf(file, "%s\n", text) > 0 && written;
    int reason = errno;
    if (fclose(file) != 0)
        return false;
    errno = reason;
    return written;
}

/* The file appears whole or not at all. */
static bool replace(const char *directory, const char *key, const char *ending, const json_t *json,
                    const char *text)
{
    char *part = store_private_path(directory, "points", key, ".part");
    char *path = path_of(directory, key, ending);
    errno = 0;
    bool done = write_file(part, json, text) && rename(part, path) == 0;
    int reason = errno;
    if (!done)
        unlink(part);
    free(part);
    free(path);
    errno = reason;
    return done;
}

bool store_save(const char *directory, const char *key, const json_t *result, char *error,
                size_t error_size)
{
    if (!replace(directory, key, ".json", result, "")) {
        int reason = errno;
        snprintf(error, error_size, "%s/points: cannot write: %s", directory,
                 reason != 0 ? strerror(reason) : "the disk may be full");
        errno = reason;
        return false;
    }
    char *note = path_of(directory, key, ".failed");
    unlink(note);
    free(note);
    return true;
}

void store_forget(const char *directory, const char *key)
{
    char *path = path_of(directory, key, ".json");
    unlink(path);
    free(path);
}

void store_note_failure(const char *directory, const char *key, const char *message)
{
    replace(directory, key, ".failed", NULL, message);
}

char *store_failure(const char *directory, const char *key)
{
    char *path = path_of(directory, key, ".failed"), *line = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "rb");
    free(path);
    if (file == NULL)
        return NULL;
    if (getline(&line, &room, file) < 0) {
        free(line);
        line = NULL;
    } else {
        line[strcspn(line, "\r\n")] = 0;
    }
    fclose(file);
    return line;
}
