#include "cli/cli.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

double cli_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void cli_progress_start(struct cli_progress *progress, bool quiet)
{
    *progress = (struct cli_progress){.shown = !quiet && isatty(STDERR_FILENO)};
    progress->begun_s = progress->last_s = cli_seconds();
}

static void print_duration(double seconds)
{
    uint64_t left = (uint64_t)(seconds + 0.5);
    if (left >= 3600)
        fprintf(stderr, "%" PRIu64 "h%02" PRIu64 "m", left / 3600, left / 60 % 60);
    else if (left >= 60)
        fprintf(stderr, "%" PRIu64 "m%02" PRIu64 "s", left / 60, left % 60);
    else
        fprintf(stderr, "%" PRIu64 "s", left);
}

/* Begins to draw the line anew, if it is time: with a bar, how much is done and how long the rest
 * will take. False: not now. */
static bool begin_line(struct cli_progress *progress, uint64_t done, uint64_t total, double *taken)
{
    enum { WIDTH = 30 };
    static const char full[] = "##############################";
    if (!progress->shown)
        return false;
    double now = cli_seconds();
    *taken = now - progress->begun_s;
    if (now - progress->last_s < 0.1)
        return false;
    progress->last_s = now;
    progress->drawn = true;
    fputs("\r\033[K", stderr);
    if (total == 0)
        return true;
    double share = done < total ? (double)done / (double)total : 1;
    int filled = (int)(share * WIDTH);
    fprintf(stderr, "[%.*s%*s] %3.0f %%", filled, full, WIDTH - filled, "", share * 100);
    if (share > 0.01) {
        fputs(", ", stderr);
        print_duration(*taken * (1 - share) / share);
        fputs(" left", stderr);
    }
    return true;
}

void cli_progress_update(struct cli_progress *progress, uint64_t done, uint64_t total,
                         uint64_t events)
{
    double taken;
    if (!begin_line(progress, done, total, &taken))
        return;
    if (total == 0)
        fprintf(stderr, "%.1f MB read", (double)done / 1e6);
    if (events > 0)
        fprintf(stderr, ", %.0f events/s", (double)events / taken);
    fflush(stderr);
}

void cli_progress_points(struct cli_progress *progress, uint64_t done, uint64_t total,
                         uint64_t failed)
{
    double taken;
    if (!begin_line(progress, done, total, &taken))
        return;
    fprintf(stderr, ", %" PRIu64 " of %" PRIu64 " points", done, total);
    if (failed > 0)
        fprintf(stderr, ", %" PRIu64 " failed", failed);
    fflush(stderr);
}

void cli_progress_end(struct cli_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}
