/* wddmsim.1, from the tables that --help, the profile loader and the generators read. */
#include "cli/cli.h"
#include "model/hardware/units.h"
#include "workloads/workloads.h"

#include <ctype.h>
#include <string.h>

/* Text with what mdoc would take for a macro or an escape made harmless. */
static void text(FILE *out, const char *words)
{
    bool start = true;
    for (; *words != '\0' && *words != '\v'; words++) {
        if (start && (*words == '.' || *words == '\''))
            fputs("\\&", out);
        start = false;
        if (*words == '\\')
            fputs("\\e", out);
        else if (*words == '-')
            fputs("\\-", out);
        else if ((*words == '.' || *words == '?' || *words == '!') && words[1] == ' ') {
            fprintf(out, "%c\n", *words++); /* a new sentence starts a new line */
            start = true;
        } else if (*words == '\n') {
            fputs("\n", out);
            start = true;
        } else
            fputc(*words, out);
    }
    fputc('\n', out);
}

static void option(FILE *out, const struct argp_option *option)
{
    fputs(".It ", out);
    if (isprint(option->key))
        fprintf(out, "Fl %c , ", option->key);
    fprintf(out, "Fl \\-%s", option->name);
    if (option->arg != NULL && (option->flags & OPTION_ARG_OPTIONAL))
        fprintf(out, " Ns Op = Ns Ar %s", option->arg);
    else if (option->arg != NULL)
        fprintf(out, " Ns = Ns Ar %s", option->arg);
    fputc('\n', out);
    text(out, option->doc);
}

static void options(FILE *out, const struct argp *argp)
{
    const struct argp_option *row = argp->options;
    if (row == NULL || row->name == NULL)
        return;
    fputs(".Bl -tag -width Ds\n", out);
    for (; row->name != NULL; row++)
        if (!(row->flags & OPTION_HIDDEN) && row->doc != NULL)
            option(out, row);
    fputs(".El\n", out);
}

static void command(FILE *out, const struct cli_command *command)
{
    fprintf(out, ".Ss wddmsim %s\n", command->name);
    const char *forms = command->argp->args_doc;
    while (forms != NULL && *forms != '\0') {
        size_t length = strcspn(forms, "\n");
        char form[128];
        snprintf(form, sizeof form, "wddmsim %s %.*s", command->name, (int)length, forms);
        fputs(".D1 ", out);
        text(out, form);
        forms += length + (forms[length] != '\0');
    }
    text(out, command->argp->doc);
    options(out, command->argp);
    const char *more = strchr(command->argp->doc, '\v');
    if (more != NULL) {
        if (command->argp->options != NULL)
            fputs(".Pp\n", out);
        text(out, more + 1);
    }
}

static void keys(FILE *out)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (size_t i = 0; i < profile_key_count(); i++) {
        struct profile_key_row row = profile_key(i);
        fprintf(out, ".It Ic %s\n", row.key);
        text(out, row.meaning);
        fprintf(out, "(%s: ", row.type);
        fprintf(out, "%s; default %s)\n", row.range, row.standard);
    }
    fputs(".El\n", out);
}

static void generators(FILE *out)
{
    for (size_t i = 0; i < workload_count; i++) {
        fprintf(out, ".Ss %s\n", workloads[i]->name);
        text(out, workloads[i]->summary);
        fputs(".Bl -tag -width Ds\n", out);
        for (size_t p = 0; p < workloads[i]->parameter_count; p++) {
            const struct workload_parameter *parameter = &workloads[i]->parameters[p];
            char standard[UNITS_TEXT_SIZE];
            cli_print_parameter(parameter, parameter->standard, standard);
            fprintf(out, ".It Fl \\-%s Ns = Ns Ar %s\n", parameter->name, parameter->type);
            text(out, parameter->meaning);
            fprintf(out, "(default %s)\n", standard);
        }
        fputs(".El\n", out);
    }
}

int cli_manual(FILE *out)
{
    fputs(".\\\" Made by wddmsim __man from the tables of the program.\n"
          ".Dd " RELEASE_DATE "\n"
          ".Dt WDDMSIM 1\n"
          ".Os\n"
          ".Sh NAME\n"
          ".Nm wddmsim\n"
          ".Nd replay GPU traces through a model of the Windows Display Driver Model\n"
          ".Sh SYNOPSIS\n"
          ".Nm\n"
          ".Ar command\n"
          ".Op Ar option ...\n"
          ".Op Ar argument ...\n"
          ".Sh DESCRIPTION\n"
          ".Nm\n"
          "replays recorded GPU allocation and submission traces through a timing\\-accurate model "
          "of the Windows Display Driver Model and reports latency and residency: what a recorded "
          "workload would have felt like on other hardware, another driver policy or another "
          "operating\\-system policy, and why.\n"
          ".Pp\n"
          "Every command has\n"
          ".Fl h , \\-help\n"
          "and\n"
          ".Fl V , \\-version .\n"
          "Sizes are written with B, KiB, MiB, GiB, TiB (powers of 1024) or KB, MB, GB, TB (powers "
          "of 1000), times with ns, us, ms, s, rates with a size per second such as 25.7GB/s.\n"
          "A bare size is in bytes, a bare time in nanoseconds.\n"
          ".Sh COMMANDS\n",
          out);
    for (size_t i = 0; i < cli_command_count; i++)
        command(out, cli_commands[i]);
    fputs(".Sh WORKLOADS\n", out);
    fputs("The parameters of\n.Cm generate ,\neach an option.\n", out);
    generators(out);
    fputs(".Sh HARDWARE PARAMETERS\n"
          "Values of a profile, set with\n"
          ".Fl s Ns = Ns Ar KEY=VALUE\n"
          "or in a YAML file, where the dots are nested maps.\n",
          out);
    keys(out);
    fputs(".Sh EXIT STATUS\n"
          ".Bl -tag -width 130\n"
          ".It 0\ndone\n"
          ".It 1\nthe work failed, a check failed, or calls still waited when the trace ended\n"
          ".It 2\nbad usage or bad input\n"
          ".It 130\ninterrupted; partial results are written and marked partial\n"
          ".El\n"
          ".Sh EXAMPLES\n"
          "Replay a recording on another machine with twice the memory:\n"
          ".Pp\n"
          ".Dl wddmsim replay game.etl -H rtx4090-24g -s segments.local.size=48GiB\n"
          ".Pp\n"
          "What does a trace hold?\n"
          ".Pp\n"
          ".Dl wddmsim inspect game.etl\n",
          out);
    return CLI_OK;
}
