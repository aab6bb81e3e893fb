#include "cli/cli.h"
#include "model/hardware/units.h"

#include <errno.h>
#include <math.h>
#include <nettle/sha2.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

void cli_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("wddmsim: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

int cli_bad_input(const char *message)
{
    fprintf(stderr, "%s\n", message);
    return CLI_USAGE;
}

/* argp's own help would add -?, so these take its place. */
enum { OPTION_USAGE = 0x2000 };

static error_t parse_common(int key, char *text, struct argp_state *state)
{
    (void)text;
    switch (key) {
    case 'h':
        argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
        return 0;
    case OPTION_USAGE:
        argp_state_help(state, stdout, ARGP_HELP_USAGE | ARGP_HELP_EXIT_OK);
        return 0;
    case 'V':
        puts("wddmsim " VERSION);
        exit(CLI_OK);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option common_options[] = {
    {"help", 'h', NULL, 0, "print this text and exit", -1},
    {"usage", OPTION_USAGE, NULL, OPTION_HIDDEN, NULL, 0},
    {"version", 'V', NULL, 0, "print the version and exit", -1},
    {0},
};
const struct argp cli_common_argp = {.options = common_options, .parser = parse_common};
const struct argp_child cli_common[] = {{&cli_common_argp, 0, NULL, -1}, {0}};
const struct argp_child cli_common_and_play[] = {
    {&cli_common_argp, 0, NULL, -1}, {&cli_play_argp, 0, NULL, 0}, {0}};

void cli_parse(const struct cli_command *command, int argc, char **argv, void *input)
{
    char program[64];
    argp_err_exit_status = CLI_USAGE;
    snprintf(program, sizeof program, "wddmsim %s", command->name);
    char *first = argv[0];
    argv[0] = program;
    error_t failure = argp_parse(command->argp, argc, argv, ARGP_NO_HELP, NULL, input);
    argv[0] = first;
    if (failure != 0) {
        cli_error("%s", strerror(failure));
        exit(CLI_FAILED);
    }
}

uint64_t cli_time(const char *text, const char *option, struct argp_state *state)
{
    uint64_t value = 0;
    if (!units_parse_ns(text, &value))
        argp_error(state, "--%s: expected a time such as 1.5ms, got \"%.60s\"", option, text);
    return value;
}

uint64_t cli_size(const char *text, const char *option, struct argp_state *state)
{
    uint64_t value = 0;
    if (!units_parse_size(text, &value))
        argp_error(state, "--%s: expected a size such as 64KiB, got \"%.60s\"", option, text);
    return value;
}

uint64_t cli_count(const char *text, const char *option, struct argp_state *state)
{
    uint64_t value = 0;
    if (!units_parse_count(text, &value))
        argp_error(state, "--%s: expected a whole number, got \"%.60s\"", option, text);
    return value;
}

void cli_take_argument(const char **argument, const char *text, const char *what,
                       struct argp_state *state)
{
    if (*argument != NULL)
        argp_error(state, "expected one %s, got \"%.60s\" as well", what, text);
    *argument = text;
}

error_t cli_take_trace(const char **trace, int key, const char *text, struct argp_state *state)
{
    switch (key) {
    case ARGP_KEY_ARG:
        cli_take_argument(trace, text, "trace", state);
        return 0;
    case ARGP_KEY_END:
        if (*trace == NULL)
            argp_error(state, "expected a trace (- is standard input)");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

unsigned cli_processors(void)
{
    cpu_set_t ours; /* taskset and batch systems give out less than there is */
    if (sched_getaffinity(0, sizeof ours, &ours) == 0)
        return (unsigned)CPU_COUNT(&ours);
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* more of them than such a set has room for */
    return online > 0 ? (unsigned)online : 1;
}

void cli_add_setting(struct cli_settings *settings, const char *text, struct argp_state *state)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        argp_error(state, "--reader: expected KEY=VALUE, got \"%.60s\"", text);
    const char **items = realloc(settings->items, (settings->count + 1) * sizeof *items);
    if (items == NULL) {
        argp_failure(state, CLI_FAILED, 0, "out of memory");
        return;
    }
    items[settings->count++] = text;
    settings->items = items;
}

void cli_print_facts(const struct trace_reader *reader, FILE *out)
{
    size_t count;
    const struct trace_fact *facts = trace_reader_facts(reader, &count);
    if (count > 0)
        fprintf(out, "\nwhat the reader counted\n");
    for (size_t i = 0; i < count; i++) {
        char text[64];
        bool whole = fabs(facts[i].value) < 9e15 && facts[i].value == floor(facts[i].value);
        snprintf(text, sizeof text, whole ? "%.0f" : "%.6g", facts[i].value);
        fprintf(out, "  %-34s %14s %-5s  %s\n", facts[i].key, text, facts[i].unit,
                facts[i].meaning);
    }
}

int cli_finish_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (errno != EPIPE)
        cli_error("standard output: %s", strerror(errno));
    return status == CLI_OK ? CLI_FAILED : status;
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

void cli_catch_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_interrupt,
                               .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    if (!interrupted) /* else the second one is to end the program */
        sigaction(SIGINT, &action, NULL);
}

bool cli_interrupted(void)
{
    return interrupted != 0;
}

bool cli_digest(const char *path, char hex[65])
{
    unsigned char bytes[1 << 16], digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx context;
    struct stat status; /* what is no regular file cannot be read a second time */
    bool regular = strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode);
    FILE *file = regular ? fopen(path, "rb") : NULL;
    if (file == NULL)
        return false;
    sha256_init(&context);
    for (size_t got; (got = fread(bytes, 1, sizeof bytes, file)) > 0;)
        sha256_update(&context, got, bytes);
    bool good = !ferror(file);
    fclose(file);
    sha256_digest(&context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return good;
}

/* Columns of the terminal; enough for anything when standard output is none. */
static size_t output_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO))
        return SIZE_MAX;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40 ? size.ws_col : 80;
}

/* Prints words from column `left`, continuing there when the line is full. */
static void print_wrapped(const char *text, size_t left, size_t width)
{
    size_t at = left;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (at > left && at + 1 + word > width) {
            printf("\n%*s", (int)left, "");
            at = left;
        } else if (at > left) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)word, text);
        at += word;
        text += word;
        text += strspn(text, " ");
    }
    putchar('\n');
}

void cli_print_table(const struct cli_table *table, const char *const *cells, size_t rows)
{
    enum { MOST = 12 };
    size_t widths[MOST] = {0}, columns = table->columns;
    for (size_t c = 0; c < columns; c++) {
        widths[c] = strlen(table->headings[c]);
        for (size_t r = 0; r < rows; r++)
            if (strlen(cells[r * columns + c]) > widths[c])
                widths[c] = strlen(cells[r * columns + c]);
    }
    for (size_t r = 0; r <= rows; r++) {
        size_t left = 0;
        const char *const *row = r == 0 ? table->headings : cells + (r - 1) * columns;
        for (size_t c = 0; c + 1 < columns; c++) {
            printf("%-*s  ", (int)widths[c], row[c]);
            left += widths[c] + 2;
        }
        print_wrapped(row[columns - 1], left, output_width());
    }
}
