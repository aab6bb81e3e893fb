/* Format texts: how the records of a tracepoint are laid out on the recorded machine. */
#include "traces/linux/dat.h"

#include <string.h>

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The number behind the key, before `end`; false: there is none. */
static bool number_behind(const char *text, const char *end, const char *key, uint64_t *number)
{
    size_t length = strlen(key);
    const char *at = memmem(text, (size_t)(end - text), key, length);
    if (at == NULL)
        return false;
    *number = 0;
    const char *digit = at + length;
    for (; digit < end && *digit >= '0' && *digit <= '9' && *number < UINT32_MAX; digit++)
        *number = 10 * *number + (uint64_t)(*digit - '0');
    return digit > at + length;
}

const char *dat_next_field(const char *text, const char *end, struct dat_field_line *line)
{
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline != NULL ? newline : end,
                   *next = newline != NULL ? stop + 1 : end;
        const char *from = memmem(text, (size_t)(stop - text), "field:", 6);
        const char *semicolon = from != NULL ? memchr(from, ';', (size_t)(stop - from)) : NULL;
        text = next;
        if (semicolon == NULL || !number_behind(semicolon, stop, "offset:", &line->offset) ||
            !number_behind(semicolon, stop, "size:", &line->size))
            continue;
        const char *name_end = semicolon;
        line->type = from + 6;
        line->array = name_end > line->type && name_end[-1] == ']';
        if (line->array)
            while (name_end > line->type && *name_end != '[')
                name_end--;
        const char *name = name_end;
        while (name > line->type && is_name(name[-1]))
            name--;
        line->name = name;
        line->name_length = (size_t)(name_end - name);
        line->type_length = (size_t)(name - line->type);
        return next;
    }
    return NULL;
}

static bool names(const struct dat_field_line *line, const char *name)
{
    return line->name_length == strlen(name) && memcmp(line->name, name, line->name_length) == 0;
}

static bool type_begins(const struct dat_field_line *line, const char *word)
{
    size_t length = strlen(word);
    return line->type_length >= length && memcmp(line->type, word, length) == 0;
}

static uint8_t form_of(const struct dat_field_line *line)
{
    if (type_begins(line, "__data_loc"))
        return DAT_LOCATED;
    if (type_begins(line, "__rel_loc"))
        return DAT_LOCATED_BEHIND;
    return line->array && type_begins(line, "char") ? DAT_ARRAY : DAT_NUMBER;
}

/* A later spelling of a slot counts only where no earlier one is there. */
static void place_fields(struct dat_plan *plan, const struct linux_tracepoint *about,
                         const char *text, const char *end)
{
    struct dat_field_line line;
    for (uint8_t i = 0; i < about->field_count; i++) {
        const struct linux_field *field = &about->fields[i];
        bool taken = field->name == NULL;
        for (uint8_t k = 0; k < plan->count; k++)
            taken = taken || plan->places[k].field->slot == field->slot;
        for (const char *at = text; !taken && (at = dat_next_field(at, end, &line)) != NULL;) {
            if (!names(&line, field->name))
                continue;
            plan->places[plan->count++] = (struct dat_place){
                .field = field,
                .offset = (uint32_t)line.offset,
                .size = (uint32_t)line.size,
                .form = form_of(&line),
            };
            taken = true;
        }
    }
}

bool dat_plan_make(const struct linux_lookup *lookup, const char *text, size_t length,
                   struct dat_plan *plan, uint16_t *id)
{
    static const char name_key[] = "name: ";
    enum { KEY = sizeof name_key - 1 };
    const char *end = text + length, *name = memmem(text, length, name_key, KEY);
    uint64_t number;
    if (name == NULL)
        return false;
    name += KEY;
    size_t name_length = 0;
    while (name + name_length < end && is_name(name[name_length]))
        name_length++;
    int tracepoint = linux_lookup(lookup, name, name_length);
    if (tracepoint < 0 || !number_behind(text, end, "ID: ", &number) || number > UINT16_MAX)
        return false;
    *id = (uint16_t)number;
    *plan = (struct dat_plan){.tracepoint = tracepoint, .pid_offset = 4};
    struct dat_field_line line;
    for (const char *at = text; (at = dat_next_field(at, end, &line)) != NULL;)
        if (names(&line, "common_pid"))
            plan->pid_offset = (uint32_t)line.offset;
    place_fields(plan, &linux_tracepoints[tracepoint], text, end);
    return true;
}

void dat_pages_read_format(struct dat_pages *pages, const char *text, size_t length)
{
    struct dat_field_line line;
    for (const char *at = text; (at = dat_next_field(at, text + length, &line)) != NULL;) {
        if (names(&line, "commit")) {
            pages->commit_offset = (uint32_t)line.offset;
            pages->commit_size = (uint32_t)line.size;
        } else if (names(&line, "data")) {
            pages->data_offset = (uint32_t)line.offset;
        }
    }
}
