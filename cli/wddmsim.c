/* The door: finds the command and hands over. */
#include "cli/cli.h"
#include "traces/message.h"

#include <gsl/gsl_errno.h>
#include <string.h>

static void print_help(FILE *out)
{
    fprintf(out, "Usage: wddmsim COMMAND [OPTION...]\n"
                 "Replay recorded GPU allocation and submission traces through a timing-accurate\n"
                 "model of the Windows Display Driver Model.\n\n"
                 "Commands:\n");
    for (size_t i = 0; i < cli_command_count; i++)
        fprintf(out, "  %-10s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    fprintf(out, "\n  -h, --help     this text; wddmsim COMMAND --help tells more\n"
                 "  -V, --version  the version\n\n"
                 "Start with: wddmsim demo\n");
}

static int unknown_command(const char *name)
{
    struct trace_guess guess = trace_guess_start(name);
    for (size_t i = 0; i < cli_command_count; i++)
        trace_guess_offer(&guess, name, cli_commands[i]->name);
    const char *kind = name[0] == '-' ? "option" : "command";
    if (guess.best != NULL)
        cli_error("unknown %s \"%.60s\", did you mean %s?", kind, name, guess.best);
    else
        cli_error("unknown %s \"%.60s\" (see wddmsim --help)", kind, name);
    return CLI_USAGE;
}

int main(int argc, char **argv)
{
    gsl_set_error_handler_off(); /* its default aborts; results are checked where they arise */
    const char *name = argc > 1 ? argv[1] : "";
    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return cli_finish_output(CLI_OK);
    }
    if (strcmp(name, "-V") == 0 || strcmp(name, "--version") == 0) {
        puts("wddmsim " VERSION);
        return cli_finish_output(CLI_OK);
    }
    if (strcmp(name, "__man") == 0) /* the build asks for the manual page */
        return cli_finish_output(cli_manual(stdout));
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_finish_output(cli_commands[i]->run(argc - 1, argv + 1));
    return unknown_command(name);
}
