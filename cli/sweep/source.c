#include "cli/sweep/source.h"
#include "analysis/heap.h"
#include "analysis/output.h"
#include "traces/wtrace.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

/* What every point can read as it is: without decompressing, parsing or importing it first. */
static bool is_plain_wtrace(const char *path)
{
    char head[WTRACE_MAGIC_LENGTH];
    FILE *file = fopen(path, "rb");
    bool plain = file != NULL && fread(head, 1, sizeof head, file) == sizeof head &&
                 memcmp(head, WTRACE_MAGIC, WTRACE_MAGIC_LENGTH - 1) == 0;
    if (file != NULL)
        fclose(file);
    return plain;
}

char *source_path(const struct spot_source *source, const char *directory)
{
    char name[64];
    if (source->parameters == NULL && is_plain_wtrace(source->path))
        return heap_text(source->path);
    snprintf(name, sizeof name, "traces/%s.wtrace", source->key);
    return output_path(directory, name);
}

bool source_is_there(const struct spot_source *source, const char *directory)
{
    char *path = source_path(source, directory);
    bool there = access(path, R_OK) == 0;
    free(path);
    return there;
}

static int make(const struct study *study, const struct spot *spot, const char *path)
{
    struct trace_error error;
    if (study->workload != NULL) {
        if (workload_write(study->workload, spot->source.parameters, spot->source.seed, path,
                           &error))
            return CLI_OK;
        cli_bad_input(error.message);
        return CLI_FAILED;
    }
    struct trace_part input = {.path = spot->source.path};
    const struct cli_copy copy = {
        .inputs = &input,
        .input_count = 1,
        .output = path,
        .format = spot->play.format,
        .reader = spot->play.reader,
        .unknown_size = spot->play.unknown_size,
        .skip_bad = spot->play.skip_bad,
        .quiet = true,
    };
    return cli_copy_trace(&copy);
}

enum pool_status source_make(const struct study *study, const struct spot *spot,
                             const char *directory)
{
    char error[512];
    char *folder = output_path(directory, "traces");
    bool made = output_folder(folder, error, sizeof error);
    free(folder);
    if (!made) {
        cli_error("%s", error);
        return POOL_STOP;
    }
    char *part = store_private_path(directory, "traces", spot->source.key, ".wtrace");
    char *path = source_path(&spot->source, directory);
    int status = make(study, spot, part);
    if (status == CLI_OK && rename(part, path) != 0) {
        cli_error("%s: %s", path, strerror(errno));
        status = CLI_FAILED;
    }
    if (status != CLI_OK)
        unlink(part);
    free(part);
    free(path);
    /* What is not the trace's fault is the folder's, and then that of every other source, too. */
    return status == CLI_OK ? POOL_DONE : status == CLI_USAGE ? POOL_FAILED : POOL_STOP;
}

void source_remove_all(const char *directory)
{
    char *folder = output_path(directory, "traces");
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length < 7 || strcmp(entry->d_name + length - 7, ".wtrace") != 0)
            continue;
        char *path = output_path(folder, entry->d_name);
        unlink(path);
        free(path);
    }
    if (entries != NULL)
        closedir(entries);
    rmdir(folder);
    free(folder);
}
