/* One profile: defaults, setting single values, checking the whole, writing it out. */
#include "model/hardware/keys.h"
#include "model/hardware/units.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

bool profile_fail(struct profile_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    /* A file's text must not reach a terminal as control codes. */
    for (char *c = error->message; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return false;
}

void profile_reset(struct profile *profile)
{
    memset(profile, 0, sizeof *profile);
    for (size_t i = 0; i < profile_keys_count; i++)
        if (profile_keys[i].owner == KEY_OF_PROFILE) {
            bool good = key_parse(&profile_keys[i], profile_keys[i].standard, profile);
            assert(good);
            (void)good;
        }
}

/* Segments and nodes are lists of the same kind: named members with rows of their own. */
struct list {
    const char *singular;
    const char *plural;
    uint32_t *count;
    uint32_t limit;
    unsigned char *items;
    size_t item_size; /* the name comes first in each item */
};

static struct list list_of(struct profile *profile, enum key_owner owner)
{
    if (owner == KEY_OF_SEGMENT)
        return (struct list){"segment",
                             "segments",
                             &profile->segment_count,
                             PROFILE_SEGMENTS_MAX,
                             (unsigned char *)profile->segments,
                             sizeof *profile->segments};
    return (struct list){"node",
                         "nodes",
                         &profile->node_count,
                         PROFILE_NODES_MAX,
                         (unsigned char *)profile->nodes,
                         sizeof *profile->nodes};
}

static_assert(offsetof(struct profile_segment, name) == 0 &&
                  offsetof(struct profile_node, name) == 0,
              "list items start with their name");

static void *list_find(const struct list *list, const char *name)
{
    for (uint32_t i = 0; i < *list->count; i++)
        if (strcmp((const char *)list->items + i * list->item_size, name) == 0)
            return list->items + i * list->item_size;
    return NULL;
}

static void *list_add(const struct list *list, enum key_owner owner, const char *name)
{
    if (*list->count == list->limit)
        return NULL;
    unsigned char *item = list->items + (*list->count)++ * list->item_size;
    memset(item, 0, list->item_size);
    strcpy((char *)item, name); /* no longer than a name may be: key_find */
    for (size_t i = 0; i < profile_keys_count; i++)
        if (profile_keys[i].owner == owner)
            key_parse(&profile_keys[i], profile_keys[i].standard, item);
    return item;
}

/* The member of that name, made if it may be. */
static void *member(const struct list *list, const struct key_spec *spec, const char *name,
                    bool may_add, const char *key, const char *place, struct profile_error *error)
{
    const char *dot = strrchr(key, '.');
    void *item = list_find(list, name);
    if (item != NULL)
        return item;
    if (!may_add && strcmp(dot, ".kind") != 0) {
        profile_fail(error,
                     "%s: %s: the profile has no %s \"%s\" (a new one starts with %s.%s.kind)",
                     place, key, list->singular, name, list->plural, name);
        return NULL;
    }
    item = list_add(list, spec->owner, name);
    if (item == NULL)
        profile_fail(error, "%s: %s: expected at most %u %s", place, key, list->limit,
                     list->plural);
    return item;
}

bool profile_store(struct profile *profile, const char *key, const char *value, bool may_add,
                   const char *place, size_t *row, size_t *instance, struct profile_error *error)
{
    char name[PROFILE_NAME_SIZE], suggestion[KEY_PATH_SIZE], expected[128];
    const struct key_spec *spec = key_find(key, name);
    if (spec == NULL) {
        if (key_suggest(key, suggestion))
            return profile_fail(error, "%s: %.100s: no such key, did you mean %s?", place, key,
                                suggestion);
        return profile_fail(error, "%s: %.100s: no such key (see wddmsim hardware keys)", place,
                            key);
    }
    void *owner = profile;
    *row = (size_t)(spec - profile_keys);
    *instance = 0;
    struct profile before = *profile;
    if (spec->owner != KEY_OF_PROFILE) {
        struct list list = list_of(profile, spec->owner);
        owner = member(&list, spec, name, may_add, key, place, error);
        if (owner == NULL)
            return false;
        *instance = (size_t)((unsigned char *)owner - list.items) / list.item_size;
    }
    if (key_parse(spec, value, owner))
        return true;
    *profile = before;
    key_expected(spec, expected, sizeof expected);
    return profile_fail(error, "%s: %s: expected %s, got \"%.60s\"", place, key, expected, value);
}

bool profile_set(struct profile *profile, const char *key, const char *value, const char *place,
                 struct profile_error *error)
{
    size_t row, instance;
    return profile_store(profile, key, value, false, place, &row, &instance, error);
}

static bool check_segment(const struct profile_segment *segment, struct profile_error *error)
{
    uint64_t page = segment->page;
    const char *name = segment->name;
    char size[UNITS_TEXT_SIZE], limit[UNITS_TEXT_SIZE];
    units_print_size(segment->size, size);
    if (page != UINT64_C(4) << 10 && page != UINT64_C(64) << 10 && page != UINT64_C(2) << 20) {
        units_print_size(page, limit);
        return profile_fail(error, "segments.%s.page: expected 4KiB, 64KiB or 2MiB, got %s", name,
                            limit);
    }
    if (segment->size == 0 || segment->size % page != 0)
        return profile_fail(error, "segments.%s.size: expected a whole number of pages, got %s",
                            name, size);
    if (segment->commit_limit > segment->size) {
        units_print_size(segment->commit_limit, limit);
        return profile_fail(error,
                            "segments.%s.commit-limit: expected at most its size of %s, got %s",
                            name, size, limit);
    }
    if (segment->cpu_visible > segment->size) {
        units_print_size(segment->cpu_visible, limit);
        return profile_fail(error,
                            "segments.%s.cpu-visible: expected at most its size of %s, got %s",
                            name, size, limit);
    }
    if (segment->cpu_host_aperture > 0 &&
        (segment->kind == PROFILE_APERTURE || segment->cpu_visible > 0)) {
        units_print_size(segment->cpu_host_aperture, size);
        return profile_fail(error,
                            "segments.%s.cpu-host-aperture: expected 0B in an aperture and beside "
                            "cpu-visible, got %s",
                            name, size);
    }
    return true;
}

static bool check_fault_sizes(const struct profile *profile, struct profile_error *error)
{
    uint64_t block = profile->vidmm.fault.block, page = profile->vidmm.fault.page;
    char text[KEY_TEXT_SIZE];
    units_print_size(block & (block - 1) ? block : page, text);
    if (block & (block - 1))
        return profile_fail(error, "vidmm.fault.block: expected a power of two, got %s", text);
    if (page & (page - 1))
        return profile_fail(error, "vidmm.fault.page: expected a power of two, got %s", text);
    for (uint32_t i = 0; i < profile->segment_count; i++)
        if (profile->segments[i].kind == PROFILE_MEMORY && block < profile->segments[i].page)
            return profile_fail(error,
                                "vidmm.fault.block: expected at least a page of segment \"%s\"",
                                profile->segments[i].name);
    return true;
}

bool profile_check(const struct profile *profile, struct profile_error *error)
{
    if (profile->segment_count == 0)
        return profile_fail(error, "segments: expected at least one");
    for (uint32_t i = 0; i < profile->segment_count; i++)
        if (!check_segment(&profile->segments[i], error))
            return false;
    if (!check_fault_sizes(profile, error))
        return false;

    uint32_t paging = 0;
    for (uint32_t i = 0; i < profile->node_count; i++)
        paging += profile->nodes[i].kind == PROFILE_NODE_PAGING;
    if (paging == 0)
        return profile_fail(error, "nodes: expected at least one of kind paging");
    if (profile->node_count == paging)
        return profile_fail(error, "nodes: expected at least one that is not for paging");

    for (size_t i = 0; i < profile_keys_count; i++) {
        if (strncmp(profile_keys[i].key, "miniport.usage.", 15) != 0)
            continue;
        const char *segment = (const char *)profile + profile_keys[i].offset;
        bool known = false;
        for (uint32_t s = 0; s < profile->segment_count && !known; s++)
            known = strcmp(profile->segments[s].name, segment) == 0;
        if (!known)
            return profile_fail(error, "%s: expected the name of a segment, got \"%s\"",
                                profile_keys[i].key, segment);
    }
    return true;
}

const char *const profile_node_kind_names[] = {
    [PROFILE_NODE_3D] = "3d",         [PROFILE_NODE_COMPUTE] = "compute",
    [PROFILE_NODE_COPY] = "copy",     [PROFILE_NODE_VIDEO] = "video",
    [PROFILE_NODE_PAGING] = "paging",
};

const char *profile_usage_segment(const struct profile *profile, const char *usage)
{
    static const char *const names[PROFILE_USAGES] = {
        [PROFILE_TEXTURE] = "texture", [PROFILE_RENDER_TARGET] = "render-target",
        [PROFILE_DEPTH] = "depth",     [PROFILE_BUFFER] = "buffer",
        [PROFILE_UPLOAD] = "upload",   [PROFILE_READBACK] = "readback",
        [PROFILE_PRIMARY] = "primary", [PROFILE_COMMAND] = "command",
        [PROFILE_HEAP] = "heap",       [PROFILE_OTHER] = "other",
    };
    size_t found = 0;
    while (usage != NULL && found < PROFILE_OTHER && strcmp(usage, names[found]) != 0)
        found++;
    return profile->miniport.usage[usage != NULL ? found : PROFILE_OTHER];
}

void profile_each(const struct profile *profile,
                  void (*visit)(void *self, const char *key, const char *value), void *self)
{
    char path[KEY_PATH_SIZE], text[KEY_TEXT_SIZE];
    for (size_t i = 0; i < profile_keys_count;) {
        const struct key_spec *spec = &profile_keys[i];
        if (spec->owner == KEY_OF_PROFILE) {
            key_print(spec, profile, text);
            visit(self, spec->key, text);
            i++;
            continue;
        }
        /* A block of rows that each segment or node repeats. */
        size_t end = i;
        while (end < profile_keys_count && profile_keys[end].owner == spec->owner)
            end++;
        struct profile *owned = (struct profile *)(uintptr_t)profile; /* only read */
        struct list list = list_of(owned, spec->owner);
        for (uint32_t item = 0; item < *list.count; item++) {
            const unsigned char *owner = list.items + item * list.item_size;
            for (size_t k = i; k < end; k++) {
                key_path(&profile_keys[k], (const char *)owner, path);
                key_print(&profile_keys[k], owner, text);
                visit(self, path, text);
            }
        }
        i = end;
    }
}

/* Turns dotted keys back into nested maps: opens the groups that the key before was not in. */
struct yaml_writer {
    FILE *out;
    char last[KEY_PATH_SIZE + 16];
};

static void write_key(void *self, const char *key, const char *value)
{
    struct yaml_writer *writer = self;
    size_t shared = 0; /* up to behind the last dot in common */
    for (size_t i = 0; key[i] != '\0' && key[i] == writer->last[i]; i++)
        if (key[i] == '.')
            shared = i + 1;
    int depth = 0;
    for (size_t i = 0; i < shared; i++)
        depth += key[i] == '.';
    const char *part = key + shared;
    for (const char *dot; (dot = strchr(part, '.')) != NULL; part = dot + 1)
        fprintf(writer->out, "%*s%.*s:\n", 2 * depth++, "", (int)(dot - part), part);
    fprintf(writer->out, "%*s%s: %s\n", 2 * depth, "", part, value);
    snprintf(writer->last, sizeof writer->last, "%s", key);
}

void hardware_write(const struct hardware *hardware, FILE *out)
{
    struct yaml_writer writer = {.out = out, .last = ""};
    fprintf(out, "# A wddmsim hardware profile, complete. \"wddmsim hardware keys\" explains each "
                 "line.\n");
    hardware_each(hardware, write_key, &writer);
}
