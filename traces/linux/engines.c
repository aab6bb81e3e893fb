/* Which engines there are, and what they are called in a trace. */
#include "traces/linux/linux.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kinds of engines by how their rings' names begin: amdgpu's, i915's as linux.c makes them, xe's,
 * and those of smaller drivers that use the DRM scheduler. */
static const struct {
    const char *prefix, *node;
} kinds[] = {
    {"gfx", "3d"},
    {"comp", "compute"},
    {"sdma", "copy"},
    {"uvd", "video"},
    {"vce", "video"},
    {"vcn", "video"},
    {"jpeg", "video"},
    {"vpe", "video"},
    {"render", "3d"},
    {"copy", "copy"},
    {"video", "video"},
    {"enhance", "video"},
    {"rcs", "3d"},
    {"ccs", "compute"},
    {"bcs", "copy"},
    {"vcs", "video"},
    {"vecs", "video"},
    {"v3d_bin", "3d"},
    {"v3d_render", "3d"},
    {"v3d_csd", "compute"},
    {"v3d_tfu", "copy"},
    {"gpu-ring", "3d"},
    {"pan_js", "3d"},
    {"panthor", "3d"},
    {"gp", "3d"},
    {"pp", "3d"},
    {"etnaviv", "3d"},
    {"nouveau", "3d"},
    {"pvr-geom", "3d"},
    {"pvr-frag", "3d"},
    {"pvr-compute", "compute"},
    {"dma", "copy"},
};

static const char *node_of(const char *ring)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(ring, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return kinds[i].node;
    return NULL;
}

/* Names in the order people count: sdma2 before sdma10. */
static int compare_names(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            char *end_a, *end_b;
            unsigned long long left = strtoull(a, &end_a, 10), right = strtoull(b, &end_b, 10);
            if (left != right)
                return left < right ? -1 : 1;
            a = end_a;
            b = end_b;
        } else if (*a != *b) {
            break;
        } else {
            a++;
            b++;
        }
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static int compare_engines(const void *left, const void *right)
{
    const struct linux_engine *a = *(struct linux_engine *const *)left,
                              *b = *(struct linux_engine *const *)right;
    return compare_names(a->name, b->name);
}

/* Engines of a kind are numbered in the order of their names: "copy", "copy2". Those whose kind the
 * name does not tell are taken for 3D engines. */
bool linux_name_engines(struct linux_import *import)
{
    enum { ROOM = 24 };
    static const char *const nodes[] = {"3d", "compute", "copy", "video"};
    size_t count = import->engine_count, numbers[4] = {0};
    if (count == 0)
        return true;
    struct linux_engine **sorted = calloc(count, sizeof *sorted);
    if (sorted == NULL)
        return linux_fail(import, "out of memory");
    for (size_t i = 0; i < count; i++)
        sorted[i] = &import->engines[i];
    qsort(sorted, count, sizeof *sorted, compare_engines);
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        const char *node = node_of(sorted[i]->name);
        import->tally.engines_unknown += node == NULL;
        size_t kind = 0;
        while (node != NULL && strcmp(node, nodes[kind]) != 0)
            kind++;
        char *text = trace_arena_take(&import->arena, ROOM, 1);
        good = text != NULL || linux_fail(import, "out of memory");
        if (good && ++numbers[kind] == 1)
            snprintf(text, ROOM, "%s", nodes[kind]);
        else if (good)
            snprintf(text, ROOM, "%s%zu", nodes[kind], numbers[kind]);
        sorted[i]->node = text;
    }
    free(sorted);
    return good;
}
