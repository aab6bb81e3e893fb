/* Machines of several adapters: which adapter a key is about, and what all of them share. */
#include "model/hardware/hardware.h"

#include "model/hardware/keys.h"

#include <stdlib.h>
#include <string.h>

static const char prefix[] = "adapters.";

bool key_adapter(const char **key, uint32_t *adapter)
{
    *adapter = 0;
    if (strncmp(*key, prefix, sizeof prefix - 1) != 0)
        return true;
    const char *number = *key + sizeof prefix - 1;
    char *end;
    if (*number < '1' || *number > '9')
        return false;
    unsigned long parsed = strtoul(number, &end, 10);
    if (*end != '.' || parsed >= HARDWARE_ADAPTERS_MAX)
        return false;
    *adapter = (uint32_t)parsed;
    *key = end + 1;
    return true;
}

/* Dxgkrnl's own cost is the machine's; that of a driver is its adapter's. */
static bool is_machines(const char *key)
{
    return strcmp(key, "wddm") == 0 || strncmp(key, "system.", 7) == 0 ||
           (strncmp(key, "costs.", 6) == 0 && strncmp(key, "costs.ddi.", 10) != 0);
}

/* The adapter, added if it is the next one and may be. */
static struct profile *adapter_of(struct hardware *hardware, uint32_t adapter, bool may_add,
                                  const char *place, const char *whole, struct profile_error *error)
{
    if (adapter < hardware->adapter_count)
        return &hardware->adapters[adapter];
    if (adapter > hardware->adapter_count) {
        profile_fail(error, "%s: %.100s: expected adapters.%u before it", place, whole,
                     hardware->adapter_count);
        return NULL;
    }
    if (!may_add) {
        profile_fail(error,
                     "%s: %.100s: the profile has no adapter %u (a new one starts with %s%u.name)",
                     place, whole, adapter, prefix, adapter);
        return NULL;
    }
    hardware->adapters[adapter] = hardware->adapters[0];
    hardware->adapter_count++;
    return &hardware->adapters[adapter];
}

bool hardware_store(struct hardware *hardware, const char *whole, const char *value, bool may_add,
                    const char *place, struct hardware_key *stored, struct profile_error *error)
{
    const char *key = whole;
    char inner[300];
    if (!key_adapter(&key, &stored->adapter))
        return profile_fail(error,
                            "%s: %.100s: expected adapters.N.KEY, N in 1..%d (the first adapter's "
                            "keys have no prefix)",
                            place, whole, HARDWARE_ADAPTERS_MAX - 1);
    if (stored->adapter > 0 && is_machines(key))
        return profile_fail(error, "%s: %.100s: %.60s is the machine's, not an adapter's", place,
                            whole, key);
    struct profile *profile = adapter_of(hardware, stored->adapter,
                                         may_add || strcmp(key, "name") == 0, place, whole, error);
    if (profile == NULL)
        return false;
    snprintf(inner, sizeof inner, "%.200s", place);
    if (stored->adapter > 0)
        snprintf(inner, sizeof inner, "%.200s: %s%u", place, prefix, stored->adapter);
    if (!profile_store(profile, key, value, may_add, inner, &stored->row, &stored->instance, error))
        return false;
    if (stored->adapter == 0 && is_machines(key))
        for (uint32_t i = 1; i < hardware->adapter_count; i++)
            profile_store(&hardware->adapters[i], key, value, false, place, &stored->row,
                          &stored->instance, error);
    return true;
}

bool hardware_set(struct hardware *hardware, const char *key, const char *value, const char *place,
                  struct profile_error *error)
{
    struct hardware_key stored;
    return hardware_store(hardware, key, value, false, place, &stored, error);
}

bool hardware_check(const struct hardware *hardware, struct profile_error *error)
{
    uint32_t segments = 0, nodes = 0;
    for (uint32_t i = 0; i < hardware->adapter_count; i++) {
        if (!profile_check(&hardware->adapters[i], error)) {
            char reason[sizeof error->message];
            strcpy(reason, error->message);
            return i == 0 ? false : profile_fail(error, "%s%u.%.400s", prefix, i, reason);
        }
        segments += hardware->adapters[i].segment_count;
        nodes += hardware->adapters[i].node_count;
    }
    if (segments > PROFILE_SEGMENTS_MAX)
        return profile_fail(error, "adapters: expected at most %d segments in all, got %u",
                            PROFILE_SEGMENTS_MAX, segments);
    if (nodes > PROFILE_NODES_MAX)
        return profile_fail(error, "adapters: expected at most %d nodes in all, got %u",
                            PROFILE_NODES_MAX, nodes);
    return true;
}

/* Hands the keys of one more adapter on, with its prefix. */
struct prefixer {
    uint32_t adapter;
    void (*visit)(void *self, const char *key, const char *value);
    void *self;
};

static void visit_prefixed(void *self, const char *key, const char *value)
{
    const struct prefixer *prefixer = self;
    char path[KEY_PATH_SIZE + 16];
    if (is_machines(key))
        return;
    snprintf(path, sizeof path, "%s%u.%s", prefix, prefixer->adapter, key);
    prefixer->visit(prefixer->self, path, value);
}

void hardware_each(const struct hardware *hardware,
                   void (*visit)(void *self, const char *key, const char *value), void *self)
{
    profile_each(&hardware->adapters[0], visit, self);
    for (uint32_t i = 1; i < hardware->adapter_count; i++) {
        struct prefixer prefixer = {i, visit, self};
        profile_each(&hardware->adapters[i], visit_prefixed, &prefixer);
    }
}

/* Looks for one key's value. */
struct getter {
    const char *key;
    char *text;
    size_t size;
    bool found;
};

static void get(void *self, const char *key, const char *value)
{
    struct getter *getter = self;
    if (strcmp(key, getter->key) != 0)
        return;
    snprintf(getter->text, getter->size, "%s", value);
    getter->found = true;
}

bool hardware_get(const struct hardware *hardware, const char *key, char *text, size_t size)
{
    struct getter getter = {key, text, size, false};
    snprintf(text, size, "%s", "");
    hardware_each(hardware, get, &getter);
    return getter.found;
}

bool profile_load(const char *name, struct profile *profile, struct profile_error *error)
{
    struct hardware *hardware = malloc(sizeof *hardware);
    if (hardware == NULL)
        return profile_fail(error, "%.200s: out of memory", name);
    bool good = hardware_load(name, hardware, error);
    if (good && hardware->adapter_count > 1)
        good = profile_fail(error, "%.200s: expected one adapter, got %u", name,
                            hardware->adapter_count);
    if (good)
        *profile = hardware->adapters[0];
    free(hardware);
    return good;
}
