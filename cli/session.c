#include "cli/session.h"
#include "model/miniport/miniport.h"

#include <stdlib.h>
#include <string.h>

static bool show_progress(void *self, uint64_t events, uint64_t simulated_ns)
{
    struct session *session = self;
    uint64_t done, total;
    (void)simulated_ns;
    if (!session->catching) { /* again: SimGrid took the signal for itself when it started */
        cli_catch_interrupt();
        session->catching = true;
    }
    if (session->progress.shown) {
        trace_reader_progress(session->reader, &done, &total);
        cli_progress_update(&session->progress, done, total, events);
    }
    return !cli_interrupted();
}

static void show_import(void *self, uint64_t done, uint64_t total)
{
    struct session *session = self;
    cli_progress_update(&session->progress, done, total, 0);
}

bool session_hardware(const struct cli_play *play, struct hardware *hardware,
                      struct profile_error *error)
{
    bool good = hardware_load(play->hardware, hardware, error);
    for (size_t i = 0; good && i < play->set_count; i++)
        good = hardware_set(hardware, play->set_keys[i], play->set_values[i], "--set", error);
    if (!good || hardware_check(hardware, error))
        return good;
    char reason[sizeof error->message];
    strcpy(reason, error->message);
    snprintf(error->message, sizeof error->message, "%.100s: %.400s", play->hardware, reason);
    return false;
}

static bool load_miniport(struct session *session)
{
    char error[512];
    if (session->play->miniport == NULL)
        return true;
    bool good = miniport_load(session->play->miniport, &session->miniport, error, sizeof error);
    if (!good)
        cli_bad_input(error);
    return good;
}

static bool open_trace(struct session *session, bool quiet, struct trace_reader **reader)
{
    const struct cli_play *play = session->play;
    struct trace_error error;
    const struct trace_open_options options = {
        .format = play->format,
        .settings = play->reader.items,
        .setting_count = play->reader.count,
        .unknown_size = play->unknown_size,
        .progress = show_import,
        .progress_self = session,
    };
    cli_progress_start(&session->progress, quiet);
    bool opened = trace_open(session->trace, &options, reader, &error);
    cli_progress_end(&session->progress);
    if (!opened)
        cli_bad_input(error.message);
    return opened;
}

/* A victim policy that knows the future has the trace read once before it is played. */
static bool look_ahead(struct session *session, bool quiet)
{
    struct trace_reader *reader;
    struct trace_error error;
    bool needed = false;
    for (uint32_t i = 0; i < session->hardware.adapter_count; i++)
        needed |= replay_needs_foresight(&session->hardware.adapters[i]);
    if (!needed)
        return true;
    if (strcmp(session->trace, "-") == 0) {
        cli_bad_input("-: vidmm.eviction=belady reads the trace twice: expected a file, got "
                      "standard input");
        return false;
    }
    if (!open_trace(session, quiet, &reader))
        return false;
    session->foresight = foresight_read(reader, &error);
    if (session->foresight == NULL)
        cli_bad_input(error.message);
    trace_close(reader);
    return session->foresight != NULL;
}

int session_open(struct session *session, const struct cli_play *play, const char *trace,
                 bool quiet)
{
    struct profile_error error;
    *session = (struct session){.play = play, .trace = trace};
    if (!session_hardware(play, &session->hardware, &error))
        return cli_bad_input(error.message);
    if (!load_miniport(session))
        return CLI_USAGE;
    cli_catch_interrupt();
    bool opened = look_ahead(session, quiet) && open_trace(session, quiet, &session->reader);
    return opened ? CLI_OK : CLI_USAGE;
}

int session_play(struct session *session, struct probe *probe, const struct dxgk_fault *faults,
                 size_t fault_count)
{
    const struct cli_play *play = session->play;
    char error[512];
    const struct replay_options options = {
        .pace = (enum replay_pace)play->pace,
        .from_ns = play->from_ns,
        .to_ns = play->to_ns,
        .seed = play->seed,
        .check = play->check,
        .skip_bad = play->skip_bad,
        .faults = faults,
        .fault_count = fault_count,
        .miniport = play->miniport != NULL ? &session->miniport : NULL,
        .others = &session->hardware.adapters[1],
        .other_count = session->hardware.adapter_count - 1,
        .foresight = session->foresight,
        .progress = show_progress,
        .progress_self = session,
    };
    double begun = cli_seconds();
    enum replay_status status = replay_run(session->reader, &session->hardware.adapters[0], probe,
                                           &options, &session->result, error, sizeof error);
    session->wall_s = cli_seconds() - begun;
    cli_progress_end(&session->progress);
    if (status == REPLAY_BAD_INPUT)
        return cli_bad_input(error);
    if (status == REPLAY_FAILED) {
        cli_error("%s", error);
        return CLI_FAILED;
    }
    return CLI_OK;
}

/* The reader's facts as two lists; false: out of memory. */
static bool list_facts(struct session *session, struct recorder_run *about)
{
    size_t count;
    const struct trace_fact *facts = trace_reader_facts(session->reader, &count);
    session->fact_keys = calloc(count + 1, sizeof *session->fact_keys);
    session->fact_values = calloc(count + 1, sizeof *session->fact_values);
    if (session->fact_keys == NULL || session->fact_values == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        session->fact_keys[i] = facts[i].key;
        session->fact_values[i] = facts[i].value;
    }
    about->fact_keys = session->fact_keys;
    about->fact_values = session->fact_values;
    about->fact_count = count;
    return true;
}

bool session_describe(struct session *session, const char *trace_sha256, const char *command_line,
                      struct recorder_run *about)
{
    const struct cli_play *play = session->play;
    bool digested = play->miniport != NULL && cli_digest(play->miniport, session->miniport_sha256);
    *about = (struct recorder_run){
        .version = VERSION,
        .trace = session->trace,
        .trace_sha256 = trace_sha256,
        .command_line = command_line,
        .profile = session->hardware.adapters[0].name,
        .override_keys = play->set_keys,
        .override_values = play->set_values,
        .override_count = play->set_count,
        .miniport = play->miniport,
        .miniport_sha256 = digested ? session->miniport_sha256 : NULL,
        .pace = cli_pace_names[play->pace],
        .seed = play->seed,
        .events = session->result.events,
        .bad_events = session->result.bad_events,
        .simulated_ns = session->result.simulated_ns,
        .wall_s = session->wall_s,
        .partial = session->result.interrupted,
        .waiting_calls = session->result.waiting_calls,
    };
    if (list_facts(session, about))
        return true;
    cli_error("out of memory");
    return false;
}

void session_close(struct session *session, struct recorder *recorder)
{
    recorder_destroy(recorder); /* it may ask the model until then */
    replay_release();
    if (session->reader != NULL)
        trace_close(session->reader);
    foresight_free(session->foresight);
    free(session->fact_keys);
    free(session->fact_values);
}
