/* wddmsim.1, from the tables that --help, the profile loader and the generators read. */
#include "cli/cli.h"
#include "workloads/workloads.h"

#include <ctype.h>
#include <string.h>

enum { COLUMNS = 78 };

/* Text with what mdoc would take for a macro or an escape made harmless, in short lines; a new
 * sentence starts a new one. */
static void text(FILE *out, const char *words)
{
    size_t column = 0;
    while (*words != '\0' && *words != '\v') {
        size_t length = strcspn(words, " \n\v"), wide = length;
        for (size_t i = 0; i < length; i++)
            wide += words[i] == '-' || words[i] == '\\';
        if (column != 0) {
            bool full = column + 1 + wide > COLUMNS;
            bool sentence = words[-1] == ' ' && strchr(".?!", words[-2]) != NULL;
            putc(full || sentence || words[-1] == '\n' ? '\n' : ' ', out);
            column = full || sentence || words[-1] == '\n' ? 0 : column + 1;
        }
        if (column == 0 && (*words == '.' || *words == '\''))
            fputs("\\&", out);
        for (size_t i = 0; i < length; i++)
            if (words[i] == '\\')
                fputs("\\e", out);
            else if (words[i] == '-')
                fputs("\\-", out);
            else
                putc(words[i], out);
        column += wide;
        words += length;
        words += *words == ' ' || *words == '\n';
    }
    putc('\n', out);
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

/* The rows of one group, the command's own first, then those it shares with other commands. */
static void option_group(FILE *out, const struct argp *argp, int group)
{
    static const struct argp_option none[] = {{0}};
    const struct argp_option *row = argp->options != NULL ? argp->options : none;
    for (; row != NULL && row->name != NULL; row++)
        if (row->group == group && !(row->flags & OPTION_HIDDEN) && row->doc != NULL)
            option(out, row);
    const struct argp_child *child = argp->children;
    for (; child != NULL && child->argp != NULL; child++)
        if (child->argp != cli_common->argp)
            option_group(out, child->argp, group);
}

static void options(FILE *out, const struct argp *argp)
{
    enum { GROUPS = 10 };
    bool own = argp->options != NULL && argp->options->name != NULL;
    if (!own && (argp->children == NULL || argp->children->argp == cli_common->argp))
        return;
    fputs(".Bl -tag -width Ds\n", out);
    for (int group = 0; group < GROUPS; group++)
        option_group(out, argp, group);
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
            const struct key_spec *row = &workloads[i]->parameters[p];
            fprintf(out, ".It Fl \\-%s Ns = Ns Ar %s\n", row->key, key_type_name(row));
            text(out, row->meaning);
            fprintf(out, "(%s; default %s)\n", row->range, row->standard);
        }
        fputs(".El\n", out);
    }
}

static void formats(FILE *out)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (size_t i = 0; i < trace_format_count; i++) {
        const struct trace_format *format = trace_formats[i];
        fprintf(out, ".It Cm %s\n", format->name);
        text(out, format->summary);
        for (size_t k = 0; k < format->setting_count; k++) {
            const struct trace_setting *setting = &format->settings[k];
            fprintf(out, ".Pp\n.Fl \\-reader Ns = Ns Ar %s Ns = Ns Ar ...\n:\n", setting->key);
            text(out, setting->meaning);
            fprintf(out, "(%s; default %s)\n", setting->values, setting->standard);
        }
    }
    fputs(".El\n", out);
}

static void results(FILE *out)
{
    static const char *const files[][2] = {
        {"summary.json", "every number of the run, for programs"},
        {"report.html", "the page: figures and tables, in one file"},
        {"latency.csv", "per process and call: count, quantiles, and the mean split by cause"},
        {"latency-cdf.csv", "per call: the distribution, simulated and recorded"},
        {"recorded.csv", "pairs of recorded and simulated times, a sample"},
        {"residency.csv",
         "resident and committed bytes over time, per process and segment, and what "
         "is in no segment (system)"},
        {"miss-ratio.csv", "what share of the references would miss in a segment of each size"},
        {"working-set.csv", "bytes that submissions name within a time, for each length of time"},
        {"engines.csv", "how busy engines and link were over time, and what waited for them"},
        {"activity.csv", "paging, context switches and references over time"},
        {"switches.csv", "context switches made and avoided, by pair of contexts"},
        {"frames.csv", "frame times over time, per process that presents"},
        {"paging.csv", "one row per paging operation"},
        {"calls.csv", "with --calls: one row per call, its latency split by cause"},
        {"timeline.json.gz", "with --timeline: for ui.perfetto.dev and chrome://tracing"},
        {"hardware.yaml", "the profile that was used, overrides applied"},
        {"plots", "the figures as SVG, with their data and gnuplot scripts"},
    };
    fputs(".Sh FILES\nThe folder of a replay holds:\n.Bl -tag -width timeline.json.gz\n", out);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        fprintf(out, ".It Pa %s\n", files[i][0]);
        text(out, files[i][1]);
    }
    fputs(".El\n", out);
    static const char *const sweep[][2] = {
        {"sweep.csv", "one row per point: what was varied, the seed, the metrics"},
        {"sweep.json", "the same for programs, and what searches found"},
        {"report.html", "the page that tells the story"},
        {"study.yaml", "the question: wddmsim sweep takes it"},
        {"points", "a summary per finished point, which is never run again"},
        {"plots", "the figures"},
    };
    fputs("The folder of a sweep holds:\n.Bl -tag -width report.html\n", out);
    for (size_t i = 0; i < sizeof sweep / sizeof *sweep; i++) {
        fprintf(out, ".It Pa %s\n", sweep[i][0]);
        text(out, sweep[i][1]);
    }
    fputs(".El\n", out);
}

static const struct {
    const char *question;
    const char *line[3];
} examples[] = {
    {"What does a recording hold?", {"wddmsim inspect game.etl"}},
    {"Replay it, on the default profile and with less memory, and compare:",
     {"wddmsim replay game.etl -o before",
      "wddmsim replay game.etl -s segments.local.size=4GiB -o less",
      "wddmsim compare before less -o comparison"}},
    {"How much memory does it take, and does a faster link do as well?",
     {"wddmsim sweep game.etl --vary segments.local.size=2GiB..8GiB:1GiB "
      "--vary link.bandwidth-in=12GB/s,25GB/s,55GB/s",
      "wddmsim sweep game.etl --find segments.local.size=2GiB..8GiB --such-that 'p99 <= 16ms'"}},
    {"A profile of your own:",
     {"wddmsim hardware show rtx4090-24g > mine.yaml", "wddmsim replay game.etl -H mine.yaml"}},
    {"Three programs that fight for memory:",
     {"wddmsim generate frames --processes 3 -o frames.wtrace", "wddmsim replay frames.wtrace"}},
};

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
          ".Nm\n",
          out);
    text(out, "replays recorded GPU allocation and submission traces through a timing-accurate "
              "model of the Windows Display Driver Model and reports latency and residency: what a "
              "recorded workload would have felt like on other hardware, another driver policy or "
              "another operating-system policy, and why.");
    fputs(".Pp\n"
          "Every command has\n"
          ".Fl h , \\-help\n"
          "and\n"
          ".Fl V , \\-version .\n",
          out);
    text(out, "Sizes are written with B, KiB, MiB, GiB, TiB (powers of 1024) or KB, MB, GB, TB "
              "(powers of 1000), times with ns, us, ms, s, rates with a size per second such as "
              "25.7GB/s. A bare size is in bytes, a bare time in nanoseconds. Wherever a trace is "
              "read, - is standard input, and a foreign recording does as well. Results go "
              "to files and standard output, messages and progress to standard error.");
    fputs(".Sh COMMANDS\n", out);
    for (size_t i = 0; i < cli_command_count; i++)
        command(out, cli_commands[i]);
    fputs(".Sh TRACE FORMATS\n"
          "What is read, told apart by content, and what its reader lets one choose:\n",
          out);
    formats(out);
    fputs(".Sh WORKLOADS\n", out);
    fputs("The parameters of\n.Cm generate ,\neach an option.\n", out);
    generators(out);
    fputs(".Sh HARDWARE PARAMETERS\n"
          "Values of a profile, set with\n"
          ".Fl s Ns = Ns Ar KEY=VALUE\n"
          "or in a YAML file, where the dots are nested maps.\n"
          "They are the first adapter's; those of others have\n"
          ".Cm adapters.N.\\&\n"
          "before them, N from 1, and a new one begins with its name as a copy of the first.\n"
          "Where a file lists segments or nodes for it, it has these and no others.\n"
          "What is the machine's own (wddm, system, costs other than costs.ddi) cannot be set "
          "there.\n",
          out);
    keys(out);
    results(out);
    fputs(".Sh EXIT STATUS\n"
          ".Bl -tag -width 130\n"
          ".It 0\ndone\n"
          ".It 1\nthe work failed, a check failed, or calls still waited when the trace ended\n"
          ".It 2\nbad usage or bad input\n"
          ".It 130\ninterrupted; partial results are written and marked partial\n"
          ".El\n"
          ".Sh EXAMPLES\n",
          out);
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        text(out, examples[i].question);
        for (size_t line = 0; line < 3 && examples[i].line[line] != NULL; line++) {
            fputs(line == 0 ? ".Pp\n.Dl " : ".Dl ", out);
            text(out, examples[i].line[line]);
        }
        fputs(i + 1 < sizeof examples / sizeof *examples ? ".Pp\n" : "", out);
    }
    return CLI_OK;
}
