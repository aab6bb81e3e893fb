/* make bench: how fast the program is, and beside each number what the machine could do at most.
 *
 *     make bench                          2 million events; a minute or two
 *     make bench BENCH_EVENTS=10000000    so many events
 *     make bench BENCH_QUICK=1            a first look, some seconds
 *     make bench BENCH_FULL=1             memory also for 100 million events: minutes, gigabytes
 *
 * The variables may stand in the environment, too. Nothing here fails for being slow. */
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS_MAX = 9 };

double bench_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct bench_answer bench_run(bench_function *function, const void *what)
{
    struct bench_answer answer = {0};
    int ends[2];
    fflush(stdout);
    if (pipe(ends) != 0) {
        perror("bench: pipe");
        exit(1);
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        bool good = function(what, &answer) &&
                    write(ends[1], &answer, sizeof answer) == (ssize_t)sizeof answer;
        _exit(good ? 0 : 1);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], &answer, sizeof answer);
    close(ends[0]);
    int status = 1;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0 ||
        got != (ssize_t)sizeof answer) {
        fprintf(stderr, "bench: a measurement failed\n");
        exit(1);
    }
    answer.peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
    return answer;
}

static int by_seconds(const void *a, const void *b)
{
    const struct bench_answer *x = a, *y = b;
    return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

void bench_compare(const struct bench *bench, bench_function *function, const void *what,
                   bench_function *baseline, const void *baseline_what, struct bench_answer *answer,
                   struct bench_answer *baseline_answer)
{
    struct bench_answer answers[RUNS_MAX], baselines[RUNS_MAX];
    for (unsigned run = 0; run < bench->runs; run++) {
        answers[run] = bench_run(function, what);
        baselines[run] = bench_run(baseline, baseline_what);
    }
    qsort(answers, bench->runs, sizeof *answers, by_seconds);
    qsort(baselines, bench->runs, sizeof *baselines, by_seconds);
    *answer = answers[bench->runs / 2];
    *baseline_answer = baselines[bench->runs / 2];
}

void bench_row(const char *name, double rate, double baseline_rate, const char *unit,
               const char *baseline_name)
{
    printf("%-28s %10.3f %-10s %10.3f  %8.4f  %s\n", name, rate, unit, baseline_rate,
           rate / baseline_rate, baseline_name);
    fflush(stdout);
}

static bool is_set(const char *variable)
{
    const char *text = getenv(variable);
    return text && *text && strcmp(text, "0") != 0;
}

static void remove_folder(const char *folder)
{
    char command[320];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "bench: %s is left over\n", folder);
}

static const struct {
    const char *name; /* BENCH_ONLY */
    void (*measure)(const struct bench *bench);
} parts[] = {
    {"replay", bench_replay}, {"scheduler", bench_scheduler}, {"paging", bench_paging},
    {"decode", bench_decode}, {"workloads", bench_workloads}, {"memory", bench_memory},
};

int main(void)
{
    struct bench bench = {.quick = is_set("BENCH_QUICK"), .full = is_set("BENCH_FULL")};
    const char *events = getenv("BENCH_EVENTS"), *temporary = getenv("TMPDIR"),
               *only = getenv("BENCH_ONLY");
    bench.events = bench.quick ? 200000 : 2000000;
    if (events && *events)
        bench.events = strtoull(events, NULL, 10);
    if (bench.events < 1000) {
        fprintf(stderr, "bench: BENCH_EVENTS: expected a number of events, 1000 or more\n");
        return 2;
    }
    bench.runs = bench.quick ? 1 : 5;
    snprintf(bench.folder, sizeof bench.folder, "%s/wddmsim-bench-XXXXXX",
             temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(bench.folder)) {
        perror("bench: a temporary folder");
        return 1;
    }
    printf("%llu events, median of %u; a ratio of 1 is the baseline's speed\n\n",
           (unsigned long long)bench.events, bench.runs);
    printf("%-28s %10s %-10s %10s  %8s  %s\n", "", "measured", "", "baseline", "ratio",
           "baseline is");
    bench_prepare(&bench);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (only == NULL || *only == '\0' || strcmp(only, parts[i].name) == 0)
            parts[i].measure(&bench);
    remove_folder(bench.folder);
    return 0;
}
