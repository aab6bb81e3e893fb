/* The sample trace is part of the program, so that the demonstration works wherever it stands:
 * it is written beside its results, to be played with. */
#include "cli/cli.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char folder[] = "wddmsim-demo";
static const char trace[] = "wddmsim-demo/frames.jsonl";

static const struct argp demo_argp = {
    .doc = "Replay the sample trace with the default profile and write the report into "
           "./wddmsim-demo.\v"
           "The sample: two programs render 40 frames each, with more textures between them than "
           "the video memory holds. It is written to wddmsim-demo/frames.jsonl first.",
    .children = cli_common,
};

static bool write_sample(void)
{
    static const char part[] = "wddmsim-demo/frames.jsonl.part";
    FILE *file = fopen(part, "w");
    bool good = file != NULL && fputs(cli_samples[0].text, file) >= 0;
    if (file != NULL && fclose(file) != 0)
        good = false;
    good = good && rename(part, trace) == 0;
    if (!good) {
        cli_error("%s: %s", trace, strerror(errno));
        unlink(part);
    }
    return good;
}

static int run_demo(int argc, char **argv)
{
    cli_parse(&cli_demo, argc, argv, NULL);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        cli_error("%s: %s", folder, strerror(errno));
        return CLI_FAILED;
    }
    if (!write_sample())
        return CLI_FAILED;
    struct cli_run run = {
        .trace = trace,
        .output = folder,
        .report = true,
        .command_line = "wddmsim demo",
    };
    cli_play_init(&run.play);
    int status = cli_run_replay(&run);
    if (status == CLI_OK)
        printf("\nOpen wddmsim-demo/report.html, or try:\n"
               "  wddmsim replay %s -s nodes.3d.speed=2\n",
               trace);
    return status;
}

const struct cli_command cli_demo = {"demo", "replay the sample trace, write ./wddmsim-demo",
                                     &demo_argp, run_demo};
