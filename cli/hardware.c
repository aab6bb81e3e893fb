#include "cli/cli.h"
#include "model/hardware/units.h"

#include <stdlib.h>
#include <string.h>

struct request {
    const char *action, *name;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (request->action == NULL)
            request->action = text;
        else
            cli_take_argument(&request->name, text, "profile", state);
        return 0;
    case ARGP_KEY_END:
        if (request->action == NULL)
            argp_error(state, "expected list, show or keys");
        else if (strcmp(request->action, "show") == 0 && request->name == NULL)
            argp_error(state, "show: expected the name of a profile, or a .yaml file");
        else if (strcmp(request->action, "show") != 0 && request->name != NULL)
            argp_error(state, "%s: expected nothing behind it, got \"%.60s\"", request->action,
                       request->name);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp hardware_argp = {
    .parser = parse,
    .args_doc = "list\nshow NAME|FILE\nkeys",
    .doc = "List the built-in hardware profiles, show one in full, or explain every parameter.\v"
           "To make your own, redirect what show prints into a .yaml file and change it. Values it "
           "leaves out have the defaults that keys prints. A machine's second adapter has the same "
           "keys "
           "under adapters.1, and is a copy of the first as far as these do not say otherwise.",
    .children = cli_common,
};

enum { ROOM = 96 };

/* One adapter's behind those before it. */
static void append(char text[ROOM], const char *more)
{
    size_t length = strlen(text);
    snprintf(text + length, ROOM - length, "%s%s", length > 0 ? ", " : "", more);
}

static int list(void)
{
    static const char *const headings[] = {"PROFILE", "WDDM", "LOCAL", "LINK IN", "WHAT IT IS"};
    enum { COLUMNS = 5 };
    const char **cells = calloc(profile_builtins_count * COLUMNS, sizeof *cells);
    char(*texts)[3][ROOM] = calloc(profile_builtins_count, sizeof *texts);
    struct hardware *hardware = malloc(sizeof *hardware);
    struct profile_error error;
    int status = CLI_FAILED;
    if (cells == NULL || texts == NULL || hardware == NULL) {
        cli_error("out of memory");
        goto out;
    }
    for (size_t i = 0; i < profile_builtins_count; i++) {
        const struct profile_builtin *builtin = &profile_builtins[i];
        if (!hardware_load(builtin->name, hardware, &error)) {
            cli_error("%s", error.message);
            goto out;
        }
        snprintf(texts[i][0], ROOM, "%u.%u", hardware->adapters[0].wddm / 10,
                 hardware->adapters[0].wddm % 10);
        for (uint32_t a = 0; a < hardware->adapter_count; a++) {
            const struct profile *profile = &hardware->adapters[a];
            char text[UNITS_TEXT_SIZE];
            units_print_size(profile->segments[0].size, text);
            append(texts[i][1], text);
            units_print_rate(profile->link.bandwidth_in, text);
            append(texts[i][2], text);
        }
        const char **row = cells + i * COLUMNS;
        row[0] = builtin->name;
        row[1] = texts[i][0];
        row[2] = texts[i][1];
        row[3] = texts[i][2];
        row[4] = builtin->summary;
    }
    cli_print_table(&(struct cli_table){COLUMNS, headings}, cells, profile_builtins_count);
    status = CLI_OK;
out:
    free(hardware);
    free(texts);
    free(cells);
    return status;
}

static int show(const char *name)
{
    for (size_t i = 0; i < profile_builtins_count; i++)
        if (strcmp(profile_builtins[i].name, name) == 0) {
            fputs(profile_builtins[i].yaml, stdout);
            return CLI_OK;
        }
    struct hardware *hardware = malloc(sizeof *hardware);
    struct profile_error error = {.message = "out of memory"};
    bool good = hardware != NULL && hardware_load(name, hardware, &error) &&
                hardware_check(hardware, &error);
    if (good)
        hardware_write(hardware, stdout);
    free(hardware);
    return good ? CLI_OK : cli_bad_input(error.message);
}

static int keys(void)
{
    static const char *const headings[] = {"KEY", "TYPE", "RANGE", "DEFAULT", "MEANING"};
    enum { COLUMNS = 5 };
    size_t count = profile_key_count();
    const char **cells = calloc(count * COLUMNS, sizeof *cells);
    if (cells == NULL) {
        cli_error("out of memory");
        return CLI_FAILED;
    }
    for (size_t i = 0; i < count; i++) {
        struct profile_key_row row = profile_key(i);
        const char *columns[COLUMNS] = {row.key, row.type, row.range, row.standard, row.meaning};
        memcpy(cells + i * COLUMNS, columns, sizeof columns);
    }
    cli_print_table(&(struct cli_table){COLUMNS, headings}, cells, count);
    free(cells);
    return CLI_OK;
}

static int run_hardware(int argc, char **argv)
{
    struct request request = {0};
    cli_parse(&cli_hardware, argc, argv, &request);
    if (strcmp(request.action, "list") == 0)
        return list();
    if (strcmp(request.action, "show") == 0)
        return show(request.name);
    if (strcmp(request.action, "keys") == 0)
        return keys();
    cli_error("hardware: expected list, show or keys, got \"%.60s\"", request.action);
    return CLI_USAGE;
}

const struct cli_command cli_hardware = {
    "hardware", "list and show hardware profiles, explain their parameters", &hardware_argp,
    run_hardware};
