#include "analysis/sweep/pool.h"
#include "analysis/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE = 1024, ATTEMPTS = 2, LOOK_EVERY_MS = 100 };

/* A job under way. */
struct worker {
    pid_t process; /* 0: idle */
    int said;      /* its standard error */
    size_t index;
    unsigned attempt;
    char text[MESSAGE]; /* the beginning of what it said */
    size_t length;
};

struct run {
    const struct pool *pool;
    struct worker *workers, **busy;
    struct pollfd *watched; /* one for each busy worker */
    struct pool_counts counts;
    bool stopped;
    char *message; /* of what stopped it */
    size_t message_size;
};

static void stop(struct run *run, const char *message)
{
    if (!run->stopped)
        snprintf(run->message, run->message_size, "%s", message);
    run->stopped = true;
}

/* In the child: never returns. */
static void become_job(const struct run *run, size_t index, pid_t parent, int says)
{
    /* Of a group of its own, so that a Ctrl-C at the terminal is the parent's to deal with; but
     * never left behind by it. */
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(POOL_FAILED);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(says, STDERR_FILENO);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    enum pool_status status = run->pool->job(run->pool->self, index);
    fflush(NULL);
    _exit((int)status);
}

static bool start(struct run *run, struct worker *worker, size_t index, unsigned attempt)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    fflush(NULL); /* else the child would write it as well */
    pid_t process = fork();
    if (process == 0)
        become_job(run, index, parent, ends[1]);
    close(ends[1]);
    if (process < 0) {
        close(ends[0]);
        return false;
    }
    *worker =
        (struct worker){.process = process, .said = ends[0], .index = index, .attempt = attempt};
    run->counts.running++;
    return true;
}

/* The first line that says something, printable. */
static void first_line(struct worker *worker, char line[MESSAGE])
{
    const char *text = worker->text;
    worker->text[worker->length] = 0;
    text += strspn(text, " \t\r\n");
    snprintf(line, MESSAGE, "%.*s", (int)strcspn(text, "\r\n"), text);
    for (char *c = line; *c != 0; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

/* The worker's process has ended: the job is done, has failed, or is tried again. */
static void settle(struct run *run, struct worker *worker)
{
    int status = 0;
    char said[MESSAGE], message[MESSAGE + 80] = "";
    while (waitpid(worker->process, &status, 0) < 0 && errno == EINTR)
        ;
    close(worker->said);
    worker->process = 0;
    run->counts.running--;
    first_line(worker, said);
    bool done = WIFEXITED(status) && WEXITSTATUS(status) == POOL_DONE;
    bool failed = WIFEXITED(status) &&
                  (WEXITSTATUS(status) == POOL_FAILED || WEXITSTATUS(status) == POOL_STOP);
    if (failed)
        snprintf(message, sizeof message, "%s",
                 said[0] != 0 ? said : "failed, and did not say why");
    else if (WIFSIGNALED(status))
        snprintf(message, sizeof message, "ended by signal %d (%s)%s%s", WTERMSIG(status),
                 strsignal(WTERMSIG(status)), said[0] != 0 ? ": " : "", said);
    else if (!done)
        snprintf(message, sizeof message, "exit status %d%s%s", WEXITSTATUS(status),
                 said[0] != 0 ? ": " : "", said);
    if (failed && WEXITSTATUS(status) == POOL_STOP) {
        stop(run, message);
        return; /* not the job's fault: it has not ended */
    }
    if (!done && !failed && worker->attempt < ATTEMPTS && !run->stopped &&
        start(run, worker, worker->index, worker->attempt + 1))
        return;
    run->counts.done += done;
    run->counts.failed += !done;
    run->pool->ended(run->pool->self, worker->index, done, message);
}

/* Takes in what the worker says; settles it at the end of that, which is its own end. */
static void listen_to(struct run *run, struct worker *worker)
{
    char more[MESSAGE];
    ssize_t got = read(worker->said, more, sizeof more);
    if (got < 0 && errno == EINTR)
        return;
    if (got <= 0) {
        settle(run, worker);
        return;
    }
    size_t room = MESSAGE - 1 - worker->length;
    size_t taken = (size_t)got < room ? (size_t)got : room;
    memcpy(worker->text + worker->length, more, taken);
    worker->length += taken;
}

static void watch(struct run *run)
{
    nfds_t count = 0;
    for (unsigned i = 0; i < run->pool->workers; i++)
        if (run->workers[i].process != 0) {
            run->watched[count] = (struct pollfd){.fd = run->workers[i].said, .events = POLLIN};
            run->busy[count++] = &run->workers[i];
        }
    if (poll(run->watched, count, LOOK_EVERY_MS) <= 0)
        return;
    for (nfds_t i = 0; i < count; i++)
        if (run->watched[i].revents != 0)
            listen_to(run, run->busy[i]);
}

static void end_all(struct run *run)
{
    for (unsigned i = 0; i < run->pool->workers; i++) {
        struct worker *worker = &run->workers[i];
        if (worker->process == 0)
            continue;
        kill(worker->process, SIGKILL);
        while (waitpid(worker->process, NULL, 0) < 0 && errno == EINTR)
            ;
        close(worker->said);
    }
}

enum pool_end pool_run(const struct pool *pool, size_t count, char *message, size_t size)
{
    struct run run = {.pool = pool,
                      .workers = heap_new(pool->workers, sizeof *run.workers),
                      .busy = heap_new(pool->workers, sizeof *run.busy),
                      .watched = heap_new(pool->workers, sizeof *run.watched),
                      .counts = {.count = count},
                      .message = message,
                      .message_size = size};
    bool interrupted = false;
    for (size_t next = 0; !interrupted;) {
        for (unsigned i = 0; i < pool->workers && next < count && !run.stopped; i++) {
            if (run.workers[i].process != 0)
                continue;
            if (start(&run, &run.workers[i], next, 1)) {
                next++;
            } else if (run.counts.running == 0) {
                char why[128];
                snprintf(why, sizeof why, "cannot start a process: %s", strerror(errno));
                stop(&run, why);
            } else {
                break; /* perhaps when one has ended */
            }
        }
        if (run.counts.running == 0)
            break;
        watch(&run);
        interrupted = pool->go_on != NULL && !pool->go_on(pool->self, &run.counts);
    }
    if (interrupted)
        end_all(&run);
    free(run.workers);
    free(run.busy);
    free(run.watched);
    return interrupted ? POOL_INTERRUPTED : run.stopped ? POOL_STOPPED : POOL_COMPLETE;
}
