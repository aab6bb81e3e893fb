/* Study files: YAML in which every key is an option.
 *
 *   pace: think                          --pace=think
 *   metric: [p99, hits]                  --metric=p99 --metric=hits
 *   set: {scheduler: {queue-depth: 3}}   --set=scheduler.queue-depth=3
 *   vary: {a.b: [1, 2]}                  --vary=a.b=1,2
 *   vary: {PCIe: {gen3: {a.b: 1}}}       --vary=PCIe=gen3{a.b=1}
 *   cost: {PCIe: {gen3: 0, gen4: 20}}    --cost=PCIe=gen3:0,gen4:20  */
#include "analysis/heap.h"
#include "cli/sweep/study.h"

#include <yaml.h>

struct file {
    yaml_document_t document;
    const char *name;
    void (*take)(void *self, const char *place, const char *option, const char *value);
    void *self;
    char *error;
    size_t error_size;
};

static bool fail(struct file *file, const yaml_node_t *node, const char *what)
{
    snprintf(file->error, file->error_size, "%.200s:%zu: %s", file->name,
             node != NULL ? node->start_mark.line + 1 : 1, what);
    return false;
}

static yaml_node_t *node_at(struct file *file, yaml_node_item_t item)
{
    return yaml_document_get_node(&file->document, item);
}

static bool is_scalar(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE;
}

static const char *scalar(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

/* A folded text becomes one line. */
static void give(struct file *file, const yaml_node_t *node, const char *option, const char *value)
{
    char place[256], *line = heap_text(value);
    size_t length = strlen(line);
    while (length > 0 && strchr(" \r\n", line[length - 1]) != NULL)
        line[--length] = 0;
    for (char *c = line; *c != 0; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    snprintf(place, sizeof place, "%.200s:%zu", file->name, node->start_mark.line + 1);
    file->take(file->self, place, option, line);
    free(line);
}

/* Writes the value of one key of a map option: a scalar, a list, or a map of named values. */
static bool write_value(struct file *file, yaml_node_t *node, FILE *out)
{
    if (is_scalar(node)) {
        fputs(scalar(node), out);
        return true;
    }
    if (node->type == YAML_SEQUENCE_NODE) {
        const yaml_node_item_t *item = node->data.sequence.items.start;
        for (; item < node->data.sequence.items.top; item++) {
            yaml_node_t *value = node_at(file, *item);
            if (!is_scalar(value))
                return fail(file, value, "expected a value");
            fprintf(out, "%s%s", item > node->data.sequence.items.start ? "," : "", scalar(value));
        }
        return true;
    }
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = node_at(file, pair->key), *value = node_at(file, pair->value);
        if (!is_scalar(key) || value->type == YAML_SEQUENCE_NODE)
            return fail(file, value, "expected a name and its values");
        fprintf(out, "%s%s", pair > node->data.mapping.pairs.start ? "," : "", scalar(key));
        if (is_scalar(value)) {
            fprintf(out, ":%s", scalar(value));
            continue;
        }
        putc('{', out);
        const yaml_node_pair_t *set = value->data.mapping.pairs.start;
        for (; set < value->data.mapping.pairs.top; set++) {
            yaml_node_t *what = node_at(file, set->key), *to = node_at(file, set->value);
            if (!is_scalar(what) || !is_scalar(to))
                return fail(file, what, "expected a key and a value");
            fprintf(out, "%s%s=%s", set > value->data.mapping.pairs.start ? "," : "", scalar(what),
                    scalar(to));
        }
        putc('}', out);
    }
    return true;
}

/* An option of KEY=VALUE: one for each key. `prefix` is the dotted key so far; only `set` nests. */
static bool give_map(struct file *file, yaml_node_t *map, const char *option, const char *prefix)
{
    bool nests = strcmp(option, "set") == 0, good = true;
    const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
    for (; good && pair < map->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = node_at(file, pair->key), *value = node_at(file, pair->value);
        char *text = NULL;
        size_t length;
        if (!is_scalar(key))
            return fail(file, key, "expected a key");
        FILE *out = heap_check(open_memstream(&text, &length));
        fprintf(out, "%s%s%s", prefix, prefix[0] != 0 ? "." : "", scalar(key));
        bool deeper = nests && value->type == YAML_MAPPING_NODE;
        if (!deeper) {
            putc('=', out);
            good = write_value(file, value, out);
        }
        fclose(heap_check(out));
        if (good && deeper)
            good = give_map(file, value, option, text);
        else if (good)
            give(file, key, option, text);
        free(text);
    }
    return good;
}

static bool give_option(struct file *file, yaml_node_t *key, yaml_node_t *value)
{
    const char *option = scalar(key);
    if (is_scalar(value)) {
        give(file, key, option, scalar(value));
        return true;
    }
    if (value->type == YAML_MAPPING_NODE)
        return give_map(file, value, option, "");
    const yaml_node_item_t *item = value->data.sequence.items.start;
    for (; item < value->data.sequence.items.top; item++) {
        yaml_node_t *each = node_at(file, *item);
        if (!is_scalar(each))
            return fail(file, each, "expected a value");
        give(file, each, option, scalar(each));
    }
    return true;
}

/* An alias may make a map part of itself; so deep nothing is written by hand. */
static bool is_shallow(struct file *file, yaml_node_t *node, int depth)
{
    enum { DEEPEST = 6 };
    if (depth > DEEPEST)
        return fail(file, node, "maps lie too deep in each other");
    if (node->type == YAML_SEQUENCE_NODE) {
        const yaml_node_item_t *item = node->data.sequence.items.start;
        for (; item < node->data.sequence.items.top; item++)
            if (!is_shallow(file, node_at(file, *item), depth + 1))
                return false;
    } else if (node->type == YAML_MAPPING_NODE) {
        const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
        for (; pair < node->data.mapping.pairs.top; pair++)
            if (!is_shallow(file, node_at(file, pair->key), depth + 1) ||
                !is_shallow(file, node_at(file, pair->value), depth + 1))
                return false;
    }
    return true;
}

static bool read_options(struct file *file)
{
    yaml_node_t *root = yaml_document_get_root_node(&file->document);
    if (root == NULL || root->type != YAML_MAPPING_NODE)
        return fail(file, root, "expected a study: a map of options (see wddmsim sweep --help)");
    if (!is_shallow(file, root, 0))
        return false;
    const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
    for (; pair < root->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = node_at(file, pair->key), *value = node_at(file, pair->value);
        if (!is_scalar(key))
            return fail(file, key, "expected the name of an option");
        if (!give_option(file, key, value))
            return false;
    }
    return true;
}

bool study_file_read(const char *text, size_t length, const char *name,
                     void (*take)(void *self, const char *place, const char *option,
                                  const char *value),
                     void *self, char *error, size_t error_size)
{
    struct file file = {
        .name = name, .take = take, .self = self, .error = error, .error_size = error_size};
    yaml_parser_t parser;
    heap_check(yaml_parser_initialize(&parser) ? &parser : NULL);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    bool good = yaml_parser_load(&parser, &file.document);
    if (!good) {
        snprintf(error, error_size, "%.200s:%zu: %s", name, parser.problem_mark.line + 1,
                 parser.problem != NULL ? parser.problem : "not YAML");
    } else {
        good = read_options(&file);
        yaml_document_delete(&file.document);
    }
    yaml_parser_delete(&parser);
    return good;
}
