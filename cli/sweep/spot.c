#include "cli/sweep/spot.h"
#include "analysis/heap.h"
#include "cli/session.h"
#include "model/hardware/units.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <nettle/sha2.h>

static void digest_text(const char *text, size_t length, char key[STORE_KEY_SIZE])
{
    unsigned char digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, length, (const unsigned char *)text);
    sha256_digest(&context, sizeof digest, digest);
    for (size_t i = 0; 2 * i + 1 < STORE_KEY_SIZE; i++)
        snprintf(key + 2 * i, 3, "%02x", digest[i]);
}

/* Digests of files: the traces, miniports and this program itself, each read once. */
static const char *digest_of(const char *path)
{
    static struct digest {
        char *path;
        char hex[65];
        struct digest *next;
    } * known;
    struct digest *digest = known;
    while (digest != NULL && strcmp(digest->path, path) != 0)
        digest = digest->next;
    if (digest != NULL)
        return digest->hex[0] != 0 ? digest->hex : NULL;
    digest = heap_new(1, sizeof *digest);
    digest->path = heap_text(path);
    if (!cli_digest(path, digest->hex))
        digest->hex[0] = 0;
    digest->next = known;
    known = digest;
    return digest->hex[0] != 0 ? digest->hex : NULL;
}

/* Sets one key; workload.* are the generator's, the rest that is not how the trace is played is
 * the profile's. */
static bool apply(const struct study *study, struct spot *spot, const char *key, const char *value,
                  char *error, size_t size)
{
    struct cli_play *play = &spot->play;
    bool good = true;
    if (strcmp(key, "hardware") == 0) {
        play->hardware = value;
    } else if (strcmp(key, "miniport") == 0) {
        play->miniport = value;
    } else if (strcmp(key, "trace") == 0) {
        spot->source.path = value;
    } else if (strcmp(key, "pace") == 0) {
        good = cli_parse_pace(value, &play->pace);
        if (!good)
            snprintf(error, size, "pace: expected recorded, think or asap, got \"%.60s\"", value);
    } else if (strcmp(key, "unknown-size") == 0) {
        good = units_parse_size(value, &play->unknown_size);
        if (!good)
            snprintf(error, size, "unknown-size: expected a size, got \"%.60s\"", value);
    } else if (strncmp(key, "workload.", 9) == 0) {
        struct trace_error problem = {.message = "no workload was named (--workload)"};
        good = study->workload != NULL &&
               workload_set(study->workload, spot->source.parameters, key + 9, value, &problem);
        if (!good)
            snprintf(error, size, "workload: %.400s", problem.message);
    } else {
        play->set_keys[play->set_count] = key;
        play->set_values[play->set_count++] = value;
    }
    return good;
}

/* How many settings a point can have at most. */
static size_t room_for(const struct study *study)
{
    size_t room = study->play.set_count;
    for (size_t a = 0; a < study->axis_count; a++) {
        size_t most = 1;
        for (size_t l = 0; l < study->axes[a].shown.levels; l++)
            most =
                study->axes[a].settings[l].count > most ? study->axes[a].settings[l].count : most;
        room += most;
    }
    return room;
}

bool spot_make(const struct study *study, const struct sweep_point *point, struct spot *spot,
               char *error, size_t error_size)
{
    size_t room = room_for(study);
    *spot = (struct spot){.play = study->play};
    spot->play.set_keys = heap_new(room, sizeof *spot->play.set_keys);
    spot->play.set_values = heap_new(room, sizeof *spot->play.set_values);
    spot->play.set_count = 0;
    spot->play.seed = spot->source.seed = point->seed;
    spot->source.path = study->traces.count > 0 ? study->traces.items[0].text : NULL;
    if (study->workload != NULL) {
        spot->source.parameters = heap_check(workload_parameters(study->workload));
    }
    bool good = true;
    for (size_t i = 0; good && i < study->play.set_count; i++)
        good = apply(study, spot, study->play.set_keys[i], study->play.set_values[i], error,
                     error_size);
    for (size_t a = 0; good && point->role != SWEEP_BASELINE && a < study->axis_count; a++) {
        const struct axis *axis = &study->axes[a];
        size_t level = point->level[a];
        if (point->at[a].label == NULL || (axis->named && level == axis->shown.levels))
            continue; /* as the study has it */
        if (!axis->named)
            good = apply(study, spot, axis->shown.name, point->at[a].label, error, error_size);
        for (size_t s = 0; good && axis->named && s < axis->settings[level].count; s++)
            good = apply(study, spot, axis->settings[level].items[s].key,
                         axis->settings[level].items[s].value, error, error_size);
    }
    if (spot->source.path == NULL && study->workload == NULL) /* --vary trace=…, the baseline */
        for (size_t a = 0; a < study->axis_count; a++)
            if (strcmp(study->axes[a].shown.name, "trace") == 0)
                spot->source.path = study->axes[a].settings[0].items[0].value;
    if (good && study->workload != NULL && study->workload->refuse != NULL) {
        const char *refusal = study->workload->refuse(spot->source.parameters);
        good = refusal == NULL;
        if (!good)
            snprintf(error, error_size, "%s: %s", study->workload->name, refusal);
    }
    char name[2048] = "";
    if (study->workload != NULL)
        workload_describe(study->workload, spot->source.parameters, spot->source.seed, name,
                          sizeof name);
    spot->source.name = heap_text(study->workload != NULL     ? name
                                  : spot->source.path != NULL ? spot->source.path
                                                              : "");
    return good;
}

void spot_free(struct spot *spot)
{
    free(spot->play.set_keys);
    free(spot->play.set_values);
    free(spot->source.name);
    free(spot->source.identity);
    free(spot->source.parameters);
}

bool spot_identify(const struct study *study, struct spot *spot, char *error, size_t size)
{
    struct spot_source *source = &spot->source;
    size_t length;
    const char *digest = study->workload == NULL ? digest_of(source->path) : "";
    if (digest == NULL) {
        FILE *file = fopen(source->path, "rb"); /* only to learn why not */
        snprintf(error, size, "%.300s: %s", source->path,
                 file == NULL ? strerror(errno) : "a sweep reads it many times: expected a file");
        if (file != NULL)
            fclose(file);
        return false;
    }
    strcpy(source->sha256, digest);
    FILE *out = heap_check(open_memstream(&source->identity, &length));
    fprintf(out, "%s\n", study->workload != NULL ? source->name : digest);
    for (size_t i = 0; i < spot->play.reader.count; i++)
        fprintf(out, "reader %s\n", spot->play.reader.items[i]);
    if (spot->play.format != NULL)
        fprintf(out, "format %s\n", spot->play.format);
    fprintf(out, "unknown size %" PRIu64 "\n", spot->play.unknown_size);
    fprintf(out, "skip bad %d\nprogram %s\n", spot->play.skip_bad, digest_of("/proc/self/exe"));
    fclose(out);
    digest_text(source->identity, length, source->key);
    return true;
}

bool spot_key(const struct study *study, struct spot *spot, char key[STORE_KEY_SIZE], char *error,
              size_t error_size)
{
    struct hardware *hardware = heap_new(1, sizeof *hardware);
    struct profile_error problem;
    char *text = NULL;
    size_t length;
    if (!session_hardware(&spot->play, hardware, &problem)) {
        /* The settings are named by their keys; that they were set is understood. */
        const char *message = problem.message;
        message += strncmp(message, "--set: ", 7) == 0 ? 7 : 0;
        snprintf(error, error_size, "%s", message);
        free(hardware);
        return false;
    }
    const char *miniport = spot->play.miniport;
    bool good = spot_identify(study, spot, error, error_size);
    if (good && miniport != NULL && digest_of(miniport) == NULL) {
        snprintf(error, error_size, "%.300s: cannot be read", miniport);
        good = false;
    }
    if (good) {
        FILE *out = heap_check(open_memstream(&text, &length));
        fprintf(out, "wddmsim " VERSION "\n%space %d\nfrom %" PRIu64 " to %" PRIu64 "\n",
                spot->source.identity, spot->play.pace, spot->play.from_ns, spot->play.to_ns);
        fprintf(out, "seed %" PRIu64 "\ncheck %d\nminiport %s\n", spot->play.seed, spot->play.check,
                miniport != NULL ? digest_of(miniport) : "built in");
        hardware_write(hardware, out);
        fclose(out);
        digest_text(text, length, key);
        free(text);
    }
    free(hardware);
    return good;
}

static bool value_of(const struct study *study, const struct spot *spot,
                     const struct hardware *hardware, const char *key, char *text, size_t size)
{
    char value[KEY_TEXT_SIZE] = "";
    if (strcmp(key, "hardware") == 0) {
        snprintf(text, size, "%s", spot->play.hardware);
    } else if (strcmp(key, "pace") == 0) {
        snprintf(text, size, "%s", cli_pace_names[spot->play.pace]);
    } else if (strcmp(key, "trace") == 0) {
        snprintf(text, size, "%s", spot->source.path != NULL ? spot->source.path : "");
    } else if (strcmp(key, "miniport") == 0) {
        snprintf(text, size, "%s", spot->play.miniport != NULL ? spot->play.miniport : "");
    } else if (strcmp(key, "unknown-size") == 0) {
        units_print_size(spot->play.unknown_size, value);
        snprintf(text, size, "%s", value);
        return spot->play.unknown_size != 0;
    } else if (strncmp(key, "workload.", 9) == 0) {
        const struct workload *workload = study->workload;
        bool found = false;
        for (size_t i = 0; workload != NULL && i < workload->parameter_count; i++)
            if (strcmp(workload->parameters[i].key, key + 9) == 0) {
                key_print(&workload->parameters[i], spot->source.parameters, value);
                found = true;
            }
        snprintf(text, size, "%s", value);
        return found;
    } else {
        return hardware_get(hardware, key, text, size);
    }
    return true;
}

static bool same_value(const struct study *study, const char *key, const char *one,
                       const char *other)
{
    struct quantity quantity;
    char error[300];
    double a, b;
    if (quantity_of(key, study->workload, &quantity, error, sizeof error) && quantity.numeric &&
        quantity_parse(&quantity, one, &a) && quantity_parse(&quantity, other, &b))
        return fabs(a - b) <= 1e-12 * fabs(a);
    return strcmp(one, other) == 0;
}

bool spot_baseline(const struct study *study, const struct axis *axis, struct sweep_level *level)
{
    const struct sweep_point nowhere = {.role = SWEEP_BASELINE, .seed = study->play.seed};
    struct hardware *hardware = heap_new(1, sizeof *hardware);
    struct profile_error problem;
    struct spot spot;
    char error[500], text[400];
    *level = (struct sweep_level){NULL, (double)NAN};
    bool good = spot_make(study, &nowhere, &spot, error, sizeof error) &&
                session_hardware(&spot.play, hardware, &problem);
    bool named = axis->named;
    for (size_t l = 0; good && named && l < axis->shown.levels && level->label == NULL; l++) {
        bool same = true;
        for (size_t s = 0; same && s < axis->settings[l].count; s++) {
            const struct axis_setting *setting = &axis->settings[l].items[s];
            same = value_of(study, &spot, hardware, setting->key, text, sizeof text) &&
                   same_value(study, setting->key, setting->value, text);
        }
        if (same)
            level->label = heap_text(axis->shown.level[l].label);
    }
    if (good && !named && value_of(study, &spot, hardware, axis->shown.name, text, sizeof text)) {
        level->label = heap_text(text);
        if (axis->quantity.numeric && !quantity_parse(&axis->quantity, text, &level->value))
            level->value = (double)NAN;
        for (size_t l = 0; l < axis->shown.levels; l++) /* as it is written in the list */
            if (axis->shown.numeric && axis->shown.level[l].value == level->value) {
                free(level->label);
                level->label = heap_text(axis->shown.level[l].label);
            }
    }
    spot_free(&spot);
    free(hardware);
    return level->label != NULL;
}
