/* Every command, in the order of --help and of the manual page. */
#include "cli/cli.h"

const struct cli_command *const cli_commands[] = {
    &cli_demo,    &cli_replay,  &cli_sweep,  &cli_scenario, &cli_calibrate, &cli_report,
    &cli_compare, &cli_inspect, &cli_import, &cli_convert,  &cli_generate,  &cli_hardware,
};

const size_t cli_command_count = sizeof cli_commands / sizeof *cli_commands;
