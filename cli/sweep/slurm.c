#include "cli/sweep/slurm.h"
#include "analysis/heap.h"
#include "analysis/output.h"
#include "cli/sweep/drive.h"
#include "cli/sweep/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TASKS = 16, ATTEMPTS = 2, ANSWER = 4096, PATH_ROOM = 4096 };

struct cluster {
    const struct study *study;
    struct plan *plan;
    char program[PATH_ROOM], folder[PATH_ROOM]; /* absolute */
    uint64_t tasks;
    char array[32], merge[32]; /* job numbers; empty: none */
};

/* Runs a program and takes what it prints; its messages go to standard error if `loud`. The exit
 * status, -1 if it could not be run. */
static int ask(const char *const *arguments, bool loud, char answer[ANSWER])
{
    int ends[2], status;
    size_t length = 0;
    answer[0] = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        if (!loud)
            dup2(nothing, STDERR_FILENO);
        execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    close(ends[1]);
    for (ssize_t got = 1; process > 0 && (got > 0 || (got < 0 && errno == EINTR));) {
        got = read(ends[0], answer + length, ANSWER - 1 - length);
        length += got > 0 ? (size_t)got : 0;
        if (length == ANSWER - 1)
            break;
    }
    answer[length] = 0;
    answer[strcspn(answer, "\n")] = 0;
    close(ends[0]);
    while (process > 0 && waitpid(process, &status, 0) < 0 && errno == EINTR)
        ;
    if (process < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 127)
        return -1;
    return WEXITSTATUS(status);
}

/* For the shell. */
static void quoted(FILE *out, const char *text)
{
    putc('\'', out);
    for (; *text != 0; text++)
        fputs(*text == '\'' ? "'\\''" : (char[2]){*text, 0}, out);
    putc('\'', out);
}

static void write_head(const struct cluster *cluster, const char *log, bool merge, FILE *out)
{
    const struct study *study = cluster->study;
    fprintf(out,
            "#!/bin/sh\n#SBATCH --job-name=%s\n#SBATCH --output=\"%s/slurm/%s.log\"\n"
            "#SBATCH --open-mode=append\n",
            merge ? "wddmsim-merge" : "wddmsim-sweep", cluster->folder, log);
    if (!merge && study->jobs_given)
        fprintf(out, "#SBATCH --cpus-per-task=%u\n", study->jobs);
    uint64_t seconds = (study->task_time_ns + 999999999) / 1000000000;
    if (seconds > 0)
        fprintf(out, "#SBATCH --time=%" PRIu64 ":%02" PRIu64 ":%02" PRIu64 "\n", seconds / 3600,
                seconds / 60 % 60, seconds % 60);
    if (study->task_memory > 0)
        fprintf(out, "#SBATCH --mem=%" PRIu64 "K\n", (study->task_memory + 1023) / 1024);
    for (size_t i = 0; i < study->sbatch.count; i++)
        fprintf(out, "#SBATCH %s\n", study->sbatch.items[i].text);
    fputs("exec ", out);
    quoted(out, cluster->program);
    fputs(" sweep ", out);
    char *path = output_path(cluster->folder, "study.yaml");
    quoted(out, path);
    free(path);
    fputs(" -q -o ", out);
    quoted(out, cluster->folder);
}

static void write_array(const struct cluster *cluster, FILE *out)
{
    write_head(cluster, "%A_%a", false, out);
    fprintf(out, " -j %u --shard \"$SLURM_ARRAY_TASK_ID/%" PRIu64 "\"\n",
            cluster->study->jobs_given ? cluster->study->jobs : 1, cluster->tasks);
}

static void write_merge(const struct cluster *cluster, FILE *out)
{
    write_head(cluster, "%j", true, out);
    fprintf(out, " --merge%s\n", cluster->study->report ? "" : " --no-report");
}

static bool write_scripts(const struct cluster *cluster, char *error, size_t error_size)
{
    char *folder = output_path(cluster->folder, "slurm");
    bool made = output_folder(folder, error, error_size);
    free(folder);
    struct output output = {.directory = cluster->folder};
    FILE *array = made ? output_open(&output, "slurm/sweep.sh", error, error_size) : NULL;
    FILE *merge = array != NULL ? output_open(&output, "slurm/merge.sh", error, error_size) : NULL;
    if (merge == NULL) {
        output_abandon(&output);
        return false;
    }
    write_array(cluster, array);
    write_merge(cluster, merge);
    return output_commit(&output, error, error_size);
}

/* Marks the tasks of the searches that lack a run. */
static void mark_searches(const struct cluster *cluster, bool *todo)
{
    struct plan *plan = cluster->plan;
    struct drive drive = {
        .study = cluster->study, .directory = cluster->folder, .plan = plan, .workers = 1};
    struct sweep_search *found = heap_new(plan->searches, sizeof *found);
    drive_searches(&drive, 1, 1, found);
    for (size_t i = 0; i < plan->searches; i++) {
        if (found[i].end == SEARCH_ENDED)
            todo[i % cluster->tasks] = true;
        sweep_search_free(&found[i], cluster->study->axis_count);
    }
    free(found);
}

/* The tasks that still have something to do, as sbatch names them: "1,4,5"; free() it. NULL:
 * none. */
static char *tasks_to_do(const struct cluster *cluster)
{
    const struct plan *plan = cluster->plan;
    bool *todo = heap_new(cluster->tasks, sizeof *todo);
    char *list = NULL;
    size_t length;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->points[i].role != SWEEP_SEARCH && plan->points[i].state != SWEEP_INVALID &&
            !store_has(cluster->folder, plan->keys[i]))
            todo[i % cluster->tasks] = true;
    if (plan->searches > 0)
        mark_searches(cluster, todo);
    FILE *out = heap_check(open_memstream(&list, &length));
    for (uint64_t t = 0; t < cluster->tasks; t++)
        if (todo[t])
            fprintf(out, "%s%" PRIu64, ftell(out) > 0 ? "," : "", t + 1);
    fclose(out);
    free(todo);
    if (length > 0)
        return list;
    free(list);
    return NULL;
}

/* Submits a script; the job's number. */
static bool submit(const struct cluster *cluster, const char *script, const char *option,
                   char job[32])
{
    char answer[ANSWER], *path = output_path(cluster->folder, script);
    const char *const arguments[] = {"sbatch", "--parsable", option, path, NULL};
    int status = ask(arguments, true, answer);
    free(path);
    answer[strcspn(answer, ";")] = 0; /* a cluster's name may follow */
    if (status == 0 && answer[0] != 0 && strlen(answer) < 32) {
        strcpy(job, answer);
        return true;
    }
    cli_error(status < 0 ? "sbatch cannot be run: is Slurm installed here?"
                         : "sbatch refused the job");
    return false;
}

static char *jobs_path(const struct cluster *cluster)
{
    return output_path(cluster->folder, "slurm/jobs");
}

/* The numbers are kept, so that the same command follows jobs that are still there. */
static void keep_jobs(const struct cluster *cluster)
{
    char *path = jobs_path(cluster);
    FILE *file = fopen(path, "wb");
    if (file != NULL) {
        fprintf(file, "%s %s\n", cluster->array, cluster->merge);
        fclose(file);
    }
    free(path);
}

static bool find_jobs(struct cluster *cluster)
{
    char *path = jobs_path(cluster);
    FILE *file = fopen(path, "rb");
    bool found = file != NULL && fscanf(file, "%31s %31s", cluster->array, cluster->merge) == 2;
    if (file != NULL)
        fclose(file);
    free(path);
    return found;
}

static bool submit_all(struct cluster *cluster, const char *tasks)
{
    char error[512], dependency[64];
    size_t room = strlen(tasks) + 16;
    char *array = heap_new(room, 1);
    snprintf(array, room, "--array=%s", tasks);
    bool good = write_scripts(cluster, error, sizeof error);
    if (!good)
        cli_error("%s", error);
    good = good && submit(cluster, "slurm/sweep.sh", array, cluster->array);
    free(array);
    if (!good)
        return false;
    snprintf(dependency, sizeof dependency, "--dependency=afterany:%s", cluster->array);
    good = submit(cluster, "slurm/merge.sh", dependency, cluster->merge);
    keep_jobs(cluster);
    if (good && !cluster->study->quiet)
        fprintf(stderr, "submitted: job %s, tasks %s; then %s merges\n", cluster->array, tasks,
                cluster->merge);
    return good;
}

/* Whether the merging job, the last one, is still to end. A cluster that does not answer for a
 * while has not ended it. */
static bool is_under_way(const struct cluster *cluster)
{
    char answer[ANSWER];
    const char *const arguments[] = {"squeue", "--noheader",   "--format=%T",
                                     "--jobs", cluster->merge, NULL};
    int status = ask(arguments, false, answer);
    if (status != 0) { /* a job that is long gone is an error, too: then the cluster says so */
        const char *const ping[] = {"squeue", "--noheader", "--me", NULL};
        return ask(ping, false, answer) != 0;
    }
    return answer[0] != 0;
}

static size_t count_done(const struct cluster *cluster)
{
    struct plan *plan = cluster->plan;
    size_t done = 0;
    for (size_t i = 0; i < plan->count; i++) {
        struct sweep_point *point = &plan->points[i];
        if (point->state == SWEEP_MISSING && store_has(cluster->folder, plan->keys[i]))
            point->state = SWEEP_DONE;
        done += point->state != SWEEP_MISSING;
    }
    return done;
}

/* Shows progress until the jobs have ended; false: interrupted. */
static bool follow(struct cluster *cluster)
{
    enum { TICKS = 10 };
    struct cli_progress progress;
    bool under_way = true;
    cli_catch_interrupt();
    cli_progress_start(&progress, cluster->study->quiet);
    for (unsigned tick = 0; under_way && !cli_interrupted(); tick++) {
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
        if (progress.shown && cluster->plan->searches == 0)
            cli_progress_points(&progress, count_done(cluster), cluster->plan->count, 0);
        if (tick % TICKS == 0)
            under_way = is_under_way(cluster);
    }
    cli_progress_end(&progress);
    return !cli_interrupted();
}

static bool prepare(struct cluster *cluster, char *error, size_t error_size)
{
    const struct study *study = cluster->study;
    ssize_t length = readlink("/proc/self/exe", cluster->program, sizeof cluster->program - 1);
    if (length <= 0) {
        snprintf(error, error_size, "/proc/self/exe: %s", strerror(errno));
        return false;
    }
    cluster->program[length] = 0;
    size_t units = cluster->plan->searches > 0 ? cluster->plan->searches : cluster->plan->count;
    cluster->tasks = study->tasks > 0 ? study->tasks : units < TASKS ? units : TASKS;
    if (study->dry_run) { /* nothing is made, so the folder may not be there */
        snprintf(cluster->folder, sizeof cluster->folder, "%s", study->output);
        return true;
    }
    if (!store_open(study->output, error, error_size))
        return false;
    char *folder = realpath(study->output, NULL);
    if (folder == NULL || strlen(folder) >= sizeof cluster->folder) {
        snprintf(error, error_size, "%s: %s", study->output, strerror(errno));
        free(folder);
        return false;
    }
    strcpy(cluster->folder, folder);
    free(folder);
    return true;
}

int slurm_run(struct study *study, struct plan *plan)
{
    char error[512];
    struct cluster *cluster = heap_new(1, sizeof *cluster);
    cluster->study = study;
    cluster->plan = plan;
    int status = CLI_FAILED;
    if (!prepare(cluster, error, sizeof error)) {
        cli_error("%s", error);
        goto out;
    }
    if (study->dry_run) {
        write_array(cluster, stdout);
        putchar('\n');
        write_merge(cluster, stdout);
        status = CLI_OK;
        goto out;
    }
    if (!sweep_save_study(study))
        goto out;
    bool follows = find_jobs(cluster) && is_under_way(cluster);
    struct drive drive = {.study = study,
                          .directory = cluster->folder,
                          .plan = plan,
                          .workers = study->jobs,
                          .progress = !study->quiet};
    if (!follows && !drive_sources(&drive)) {
        status = drive.end == POOL_INTERRUPTED ? CLI_INTERRUPTED : CLI_FAILED;
        goto out;
    }
    if (follows && !study->quiet)
        fprintf(stderr, "following job %s, which is there already\n", cluster->array);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        char *tasks = tasks_to_do(cluster);
        if (tasks == NULL && !follows)
            break;
        bool good = follows || submit_all(cluster, tasks);
        free(tasks);
        if (!good)
            goto out;
        follows = false;
        if (!follow(cluster)) {
            cli_error("interrupted: the jobs go on, and the same command follows them again; "
                      "scancel %s %s ends them",
                      cluster->array, cluster->merge);
            status = CLI_INTERRUPTED;
            goto out;
        }
    }
    status = sweep_merge(study, plan);
out:
    free(cluster);
    return status;
}
