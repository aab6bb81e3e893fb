/* How a trace is to be played: the options that replaying, sweeping and calibrating share. */
#include "cli/cli.h"
#include "workloads/replay.h"

#include <stdlib.h>
#include <string.h>

/* Options without a letter of their own, apart from those of the commands. */
enum { FORMAT = 0x3000, PACE, FROM, TO, SEED, CHECK, SKIP_BAD, UNKNOWN_SIZE, READER, MINIPORT };

static const struct argp_option options[] = {
    {"hardware", 'H', "NAME|FILE", 0,
     "hardware profile: a built-in one or a .yaml file (default: " CLI_DEFAULT_PROFILE ")", 1},
    {"set", 's', "KEY=VALUE", 0, "change one value of the profile; may be repeated", 1},
    {"miniport", MINIPORT, "FILE", 0,
     "a display miniport of your own: a shared object built with <wddmsim/ddi.h>", 1},
    {"format", FORMAT, "NAME", 0, "format of the trace (default: detected from its content)", 2},
    {"from", FROM, "TIME", 0, "play the trace from here; what exists by then is set up first", 2},
    {"to", TO, "TIME", 0, "play it to here", 2},
    {"pace", PACE, "PACE", 0,
     "recorded: calls at their recorded times, or when their thread is free (the default); think: "
     "the recorded pauses between calls; asap: as soon as the thread is free",
     2},
    {"reader", READER, "KEY=VALUE", 0,
     "a choice that the reader of the recording's format leaves open; may be repeated; the manual "
     "page lists them",
     2},
    {"unknown-size", UNKNOWN_SIZE, "SIZE", 0,
     "bytes of an object whose creation was not recorded (default: what the trace says)", 2},
    {"skip-bad", SKIP_BAD, NULL, 0, "count and report bad events instead of stopping", 2},
    {"seed", SEED, "N", 0,
     "seed of what is left to chance, such as the victims of vidmm.eviction=random (default: 1)",
     4},
    {"check", CHECK, NULL, 0, "verify the model's invariants while running", 4},
    {0},
};

const char *const cli_pace_names[] = {
    [REPLAY_RECORDED] = "recorded", [REPLAY_THINK] = "think", [REPLAY_ASAP] = "asap"};

bool cli_parse_pace(const char *text, int *pace)
{
    for (int i = REPLAY_RECORDED; i <= REPLAY_ASAP; i++)
        if (strcmp(text, cli_pace_names[i]) == 0) {
            *pace = i;
            return true;
        }
    return false;
}

/* Remembers KEY=VALUE, cut in two. */
static void add_setting(struct cli_play *play, char *text, struct argp_state *state)
{
    char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        argp_error(state, "--set: expected KEY=VALUE, got \"%.60s\"", text);
        return;
    }
    size_t count = play->set_count + 1;
    const char **keys = realloc(play->set_keys, count * sizeof *keys);
    if (keys != NULL)
        play->set_keys = keys;
    const char **values = realloc(play->set_values, count * sizeof *values);
    if (values != NULL)
        play->set_values = values;
    char *key = strndup(text, (size_t)(equals - text));
    if (keys == NULL || values == NULL || key == NULL) {
        free(key);
        argp_failure(state, CLI_FAILED, 0, "out of memory");
        return;
    }
    keys[play->set_count] = key;
    values[play->set_count++] = equals + 1;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct cli_play *play = state->input;
    switch (key) {
    case 'H':
        play->hardware = text;
        return 0;
    case 's':
        add_setting(play, text, state);
        return 0;
    case MINIPORT:
        play->miniport = text;
        return 0;
    case FORMAT:
        play->format = text;
        return 0;
    case FROM:
        play->from_ns = cli_time(text, "from", state);
        return 0;
    case TO:
        play->to_ns = cli_time(text, "to", state);
        return 0;
    case PACE:
        if (!cli_parse_pace(text, &play->pace))
            argp_error(state, "--pace: expected recorded, think or asap, got \"%.60s\"", text);
        return 0;
    case READER:
        cli_add_setting(&play->reader, text, state);
        return 0;
    case UNKNOWN_SIZE:
        play->unknown_size = cli_size(text, "unknown-size", state);
        return 0;
    case SKIP_BAD:
        play->skip_bad = true;
        return 0;
    case SEED:
        play->seed = cli_count(text, "seed", state);
        return 0;
    case CHECK:
        play->check = true;
        return 0;
    case ARGP_KEY_END:
        if (play->from_ns >= play->to_ns)
            argp_error(state, "--from: expected a time before --to");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp cli_play_argp = {.options = options, .parser = parse};

void cli_play_init(struct cli_play *play)
{
    *play = (struct cli_play){
        .hardware = CLI_DEFAULT_PROFILE,
        .to_ns = UINT64_MAX,
        .seed = 1,
        .pace = REPLAY_RECORDED,
    };
}

void cli_play_free(struct cli_play *play)
{
    for (size_t i = 0; i < play->set_count; i++)
        free((char *)(uintptr_t)play->set_keys[i]); /* strndup's */
    free(play->set_keys);
    free(play->set_values);
    free(play->reader.items);
    *play = (struct cli_play){0};
}
