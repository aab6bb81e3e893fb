/* gnuplot as a child process, without a shell. */
#include "analysis/heap.h"
#include "analysis/output.h"
#include "analysis/plots.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_STARTED = 127, NO_FOLDER = 126 };

/* In the child: never returns. */
static void become_gnuplot(const char *directory, const char *variables, const char *script,
                           int messages)
{
    int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(messages, STDERR_FILENO);
    if (chdir(directory) != 0)
        _exit(NO_FOLDER);
    /* Plots look the same in every locale, and need no display and no user's start-up file. */
    setenv("LC_ALL", "C.UTF-8", 1);
    execlp("gnuplot", "gnuplot", "--default-settings", "-e", variables, script, (char *)NULL);
    _exit(NOT_STARTED);
}

/* The first line that says something: gnuplot repeats the faulty command and points at it with a
 * caret before it says what is wrong. */
static void first_message(int messages, char *text, size_t size)
{
    FILE *file = fdopen(messages, "r");
    char *line = NULL;
    size_t room = 0;
    snprintf(text, size, "gnuplot failed");
    bool found = false;
    while (file != NULL && getline(&line, &room, file) >= 0) {
        line[strcspn(line, "\r\n")] = 0;
        const char *says = strstr(line, "line ");
        if (found || says == NULL || strchr(says, ':') == NULL || strstr(line, "warning:") != NULL)
            continue;
        snprintf(text, size, "gnuplot: %s", says);
        found = true;
    }
    free(line);
    if (file != NULL)
        fclose(file);
    else
        close(messages);
}

/* Runs the script with these variables set; what it drew is in the file `part`. False: gnuplot
 * could not be run at all. */
static bool run(const char *directory, const char *name, const char *variables, const char *part,
                const char *drawn, struct plot_outcome *outcome, char *error, size_t error_size)
{
    char script[64], message[200];
    int messages[2];
    snprintf(script, sizeof script, "plots/%s.gp", name);
    if (pipe(messages) != 0) {
        snprintf(error, error_size, "cannot run gnuplot: %s", strerror(errno));
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        close(messages[0]);
        become_gnuplot(directory, variables, script, messages[1]);
    }
    close(messages[1]);
    if (child < 0) {
        snprintf(error, error_size, "cannot run gnuplot: %s", strerror(errno));
        close(messages[0]);
        return false;
    }
    first_message(messages[0], message, sizeof message);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    char *from = output_path(directory, part), *to = output_path(directory, drawn);
    bool possible = true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED) {
        snprintf(error, error_size, "gnuplot is not installed (or not in PATH)");
        possible = false;
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || rename(from, to) != 0) {
        snprintf(outcome->reason, sizeof outcome->reason, "%s", message);
        unlink(from);
        unlink(to);
    } else {
        outcome->drawn = true;
    }
    free(from);
    free(to);
    return possible;
}

bool gnuplot_run(const char *directory, const char *name, struct plot_outcome *outcome, char *error,
                 size_t error_size)
{
    char variables[96], part[64], drawn[64];
    snprintf(part, sizeof part, "plots/%s.svg.part", name);
    snprintf(drawn, sizeof drawn, "plots/%s.svg", name);
    snprintf(variables, sizeof variables, "svg = '%s'", part);
    return run(directory, name, variables, part, drawn, outcome, error, error_size);
}

/* What to draw on; %d stands for the height in pixels of a figure 960 wide. */
static const struct {
    const char *name, *canvas;
} formats[] = {
    {"png", "set terminal pngcairo size 1920,2*%d rounded noenhanced font \"sans-serif,10.5\" "
            "fontscale 2 linewidth 2 dashlength 2 pointscale 2 background rgb \"#ffffff\""},
    {"pdf",
     "set terminal pdfcairo size 10in,(%d/96.)in rounded noenhanced font \"sans-serif,10.5\" "
     "fontscale 0.75 dashlength 2 background rgb \"#ffffff\""},
};

bool plot_format_is_known(const char *format)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, format) == 0)
            return true;
    return false;
}

bool plot_convert(const char *directory, const char *name, const char *format, char *error,
                  size_t error_size)
{
    char variables[512], part[64], drawn[64];
    struct plot_outcome outcome = {.drawn = false};
    size_t i = 0;
    while (strcmp(formats[i].name, format) != 0)
        i++;
    snprintf(part, sizeof part, "plots/%s.%s.part", name, format);
    snprintf(drawn, sizeof drawn, "plots/%s.%s", name, format);
    snprintf(variables, sizeof variables, "svg = '%s'; canvas = '%s'", part, formats[i].canvas);
    if (!run(directory, name, variables, part, drawn, &outcome, error, error_size))
        return false;
    if (!outcome.drawn)
        snprintf(error, error_size, "%s/%s: %s", directory, drawn, outcome.reason);
    return outcome.drawn;
}
