/* Reading profiles: nested YAML maps are dotted keys, "link: {latency: 1us}" is link.latency. */
#include "model/hardware/keys.h"

#include "model/distance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { FILE_LIMIT = 1 << 20, DEPTH_LIMIT = 8 };

struct loader {
    yaml_parser_t parser;
    yaml_event_t event;
    const char *name; /* for messages */
    struct hardware *hardware;
    struct profile_error *error;
    bool *seen;                       /* adapter × row × instance */
    bool lists_segments, lists_nodes; /* the adapter that is being read */
};

/* "FILE:LINE" of the event at hand. */
static const char *place(const struct loader *loader, char text[256])
{
    snprintf(text, 256, "%.200s:%zu", loader->name, loader->event.start_mark.line + 1);
    return text;
}

static bool fail(struct loader *loader, const char *what)
{
    char text[256];
    return profile_fail(loader->error, "%s: %s", place(loader, text), what);
}

static bool advance(struct loader *loader)
{
    yaml_event_delete(&loader->event);
    if (yaml_parser_parse(&loader->parser, &loader->event))
        return true;
    size_t line = loader->parser.problem_mark.line;
    return profile_fail(loader->error, "%.200s:%zu: %s", loader->name, line + 1,
                        loader->parser.problem != NULL ? loader->parser.problem : "not YAML");
}

/* Appends ".part" to a key; false if it grows longer than any key is. */
static bool join(char path[KEY_PATH_SIZE], const yaml_event_t *event)
{
    size_t used = strlen(path), length = event->data.scalar.length;
    const char *part = (const char *)event->data.scalar.value;
    if (length == 0 || strlen(part) != length || used + 1 + length >= KEY_PATH_SIZE)
        return false;
    snprintf(path + used, KEY_PATH_SIZE - used, "%s%s", used > 0 ? "." : "", part);
    return true;
}

/* The adapter whose key comes next: all of one adapter's keys come before the next one's, for it
 * begins as a copy of the first. Where its segments are told, those that it began with go; so do
 * nodes. */
static bool begin_key(struct loader *loader, const char *key)
{
    char where[256];
    const char *whole = key;
    struct hardware *hardware = loader->hardware;
    uint32_t adapter, last = hardware->adapter_count - 1;
    if (!key_adapter(&key, &adapter) || adapter > last + 1)
        return true; /* what is wrong with it will be said */
    if (adapter < last)
        return profile_fail(loader->error, "%s: %.100s: expected before adapters.%u",
                            place(loader, where), whole, last);
    if (adapter > last) {
        hardware->adapters[hardware->adapter_count++] = hardware->adapters[0];
        loader->lists_segments = loader->lists_nodes = false;
    }
    struct profile *profile = &hardware->adapters[adapter];
    if (adapter > 0 && strncmp(key, "segments.", 9) == 0 && !loader->lists_segments) {
        profile->segment_count = 0;
        memset(profile->segments, 0, sizeof profile->segments);
        loader->lists_segments = true;
    }
    if (adapter > 0 && strncmp(key, "nodes.", 6) == 0 && !loader->lists_nodes) {
        profile->node_count = 0;
        memset(profile->nodes, 0, sizeof profile->nodes);
        loader->lists_nodes = true;
    }
    return true;
}

static bool store(struct loader *loader, const char *path)
{
    char where[256];
    struct hardware_key key;
    const char *value = (const char *)loader->event.data.scalar.value;
    if (!begin_key(loader, path) || !hardware_store(loader->hardware, path, value, true,
                                                    place(loader, where), &key, loader->error))
        return false;
    bool *seen = &loader->seen[(key.adapter * profile_keys_count + key.row) * PROFILE_NODES_MAX +
                               key.instance];
    if (*seen)
        return profile_fail(loader->error, "%s: %s: given twice", where, path);
    *seen = true;
    return true;
}

/* Reads the map whose start is the event at hand, up to its end. */
static bool read_map(struct loader *loader, const char *prefix, int depth)
{
    if (depth > DEPTH_LIMIT)
        return fail(loader, "maps lie too deep in each other");
    for (;;) {
        char path[KEY_PATH_SIZE];
        snprintf(path, sizeof path, "%s", prefix);
        if (!advance(loader))
            return false;
        if (loader->event.type == YAML_MAPPING_END_EVENT)
            return true;
        if (loader->event.type != YAML_SCALAR_EVENT || !join(path, &loader->event))
            return fail(loader, "expected a key");
        if (!advance(loader))
            return false;
        if (loader->event.type == YAML_MAPPING_START_EVENT) {
            if (!read_map(loader, path, depth + 1))
                return false;
        } else if (loader->event.type == YAML_SCALAR_EVENT) {
            if (!store(loader, path))
                return false;
        } else {
            char where[256];
            return profile_fail(loader->error, "%s: %s: expected a value or a map",
                                place(loader, where), path);
        }
    }
}

static bool read_document(struct loader *loader)
{
    if (!advance(loader) || !advance(loader)) /* stream start, document start */
        return false;
    if (loader->event.type == YAML_STREAM_END_EVENT)
        return fail(loader, "expected a profile, got an empty file");
    if (!advance(loader))
        return false;
    if (loader->event.type != YAML_MAPPING_START_EVENT)
        return fail(loader, "expected a map of keys and values");
    if (!read_map(loader, "", 0) || !advance(loader) || !advance(loader))
        return false;
    if (loader->event.type != YAML_STREAM_END_EVENT)
        return fail(loader, "expected the end of the file, got a second document");
    return true;
}

static bool load_text(const char *name, const char *text, size_t length, struct hardware *hardware,
                      struct profile_error *error)
{
    struct loader loader = {.name = name, .hardware = hardware, .error = error};
    loader.seen =
        calloc(HARDWARE_ADAPTERS_MAX * profile_keys_count * PROFILE_NODES_MAX, sizeof *loader.seen);
    if (loader.seen == NULL || !yaml_parser_initialize(&loader.parser)) {
        free(loader.seen);
        return profile_fail(error, "%.200s: out of memory", name);
    }
    yaml_parser_set_input_string(&loader.parser, (const unsigned char *)text, length);
    memset(hardware, 0, sizeof *hardware);
    hardware->adapter_count = 1;
    profile_reset(&hardware->adapters[0]);
    bool good = read_document(&loader);
    yaml_event_delete(&loader.event);
    yaml_parser_delete(&loader.parser);
    free(loader.seen);
    return good;
}

static bool load_file(const char *path, struct hardware *hardware, struct profile_error *error)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return profile_fail(error, "%.200s: %s", path, strerror(errno));
    char *text = malloc(FILE_LIMIT + 1);
    if (text == NULL) {
        fclose(file);
        return profile_fail(error, "%.200s: out of memory", path);
    }
    size_t length = fread(text, 1, FILE_LIMIT + 1, file);
    bool good = true;
    if (ferror(file))
        good = profile_fail(error, "%.200s: %s", path, strerror(errno));
    else if (length > FILE_LIMIT)
        good = profile_fail(error, "%.200s: larger than 1 MiB, not a profile", path);
    fclose(file);
    good = good && load_text(path, text, length, hardware, error);
    free(text);
    return good;
}

static bool is_path(const char *name)
{
    const char *dot = strrchr(name, '.');
    return strchr(name, '/') != NULL ||
           (dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0));
}

bool hardware_load(const char *name, struct hardware *hardware, struct profile_error *error)
{
    if (is_path(name))
        return load_file(name, hardware, error);
    const char *nearest = NULL;
    size_t distance = strlen(name) / 2 + 1;
    for (size_t i = 0; i < profile_builtins_count; i++) {
        const struct profile_builtin *builtin = &profile_builtins[i];
        if (strcmp(builtin->name, name) == 0)
            return load_text(name, builtin->yaml, strlen(builtin->yaml), hardware, error);
        if (edit_distance(name, builtin->name) < distance) {
            distance = edit_distance(name, builtin->name);
            nearest = builtin->name;
        }
    }
    if (nearest != NULL)
        return profile_fail(error, "no built-in hardware profile \"%.60s\", did you mean %s?", name,
                            nearest);
    return profile_fail(error,
                        "no built-in hardware profile \"%.60s\" (see wddmsim hardware list; a file "
                        "is named with its .yaml)",
                        name);
}
