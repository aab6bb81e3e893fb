/* The "ftrace" trace format: what `trace-cmd report`, the kernel's own `trace` file and `perf
 * script` print (trace-formats.md §4.1).
 *
 * A line is a record: task, process or thread numbers, processor, flags, time, tracepoint, and what
 * the tracepoint prints. Lines that are none (stack traces, markers with line ends in them) are
 * counted. */
#include "traces/linux/reader.h"

#include "traces/message.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A line taken apart. */
struct line {
    const char *name; /* of the tracepoint */
    size_t name_length;
    const char *text; /* what it prints */
    uint64_t t_ns;
    uint32_t thread, process;
    bool whole_time; /* without a fraction: another clock than one of time */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Reads digits; false: there are none, or too many. */
static bool read_digits(const char **at, uint64_t *number)
{
    const char *from = *at;
    uint64_t value = 0;
    for (; is_digit(**at); ++*at)
        value = 10 * value + (uint64_t)(**at - '0');
    *number = value;
    return *at > from && *at - from < 19;
}

/* The next "[003]": digits between brackets, behind a blank. NULL: there is none. */
static const char *find_processor(const char *from)
{
    for (const char *at = strchr(from, '['); at != NULL; at = strchr(at + 1, '[')) {
        const char *digit = at + 1;
        while (is_digit(*digit))
            digit++;
        if (digit > at + 1 && *digit == ']' && at > from && (at[-1] == ' ' || at[-1] == '\t'))
            return at;
    }
    return NULL;
}

/* What stands in front of the processor: "task-1234", with "(1200)" behind it where processes are
 * recorded, or as perf has it "task 1200/1234" or "task 1234". */
static bool read_task(const char *line, const char *end, struct line *parts)
{
    while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (end > line && end[-1] == ')') {
        const char *open = end;
        while (open > line && *open != '(')
            open--;
        const char *at = skip_blanks(open + 1);
        uint64_t process;
        if (read_digits(&at, &process) && process <= UINT32_MAX)
            parts->process = (uint32_t)process; /* "(-----)": not recorded */
        for (end = open; end > line && (end[-1] == ' ' || end[-1] == '\t');)
            end--;
    }
    const char *from = end;
    while (from > line && is_digit(from[-1]))
        from--;
    uint64_t thread;
    const char *at = from;
    if (from == line || !read_digits(&at, &thread) || thread > UINT32_MAX)
        return false;
    parts->thread = (uint32_t)thread;
    if (from[-1] == '/') {
        for (at = from - 1; at > line && is_digit(at[-1]);)
            at--;
        uint64_t process;
        if (read_digits(&at, &process) && process <= UINT32_MAX)
            parts->process = (uint32_t)process;
        return true;
    }
    return from[-1] == '-' || from[-1] == ' ' || from[-1] == '\t';
}

/* "630659.115986157:", to ns. */
static const char *read_time(const char *at, struct line *parts)
{
    uint64_t seconds, fraction = 0;
    if (!read_digits(&at, &seconds))
        return NULL;
    parts->whole_time = *at != '.';
    if (*at == '.') {
        const char *from = ++at;
        if (!read_digits(&at, &fraction))
            return NULL;
        for (ptrdiff_t digits = at - from; digits < 9; digits++)
            fraction *= 10;
        for (ptrdiff_t digits = at - from; digits > 9; digits--)
            fraction /= 10;
    }
    if (*at != ':' || seconds > UINT64_C(9000000000))
        return NULL;
    parts->t_ns = seconds * UINT64_C(1000000000) + fraction;
    return at + 1;
}

/* What stands behind the processor, up to the tracepoint; NULL: it is none. */
static const char *read_to_name(const char *text, const char *processor, struct line *parts)
{
    *parts = (struct line){0};
    if (!read_task(text, processor, parts))
        return NULL;
    const char *at = skip_blanks(strchr(processor, ']') + 1);
    if (!is_digit(*at)) { /* flags: "d..1." */
        while (*at != '\0' && *at != ' ' && *at != '\t')
            at++;
        at = skip_blanks(at);
    }
    return read_time(at, parts);
}

static bool take_apart(const char *text, struct line *parts)
{
    const char *processor = find_processor(text), *at = NULL;
    while (processor != NULL && (at = read_to_name(text, processor, parts)) == NULL)
        processor = find_processor(processor + 1); /* it was part of the task's name */
    if (at == NULL)
        return false;
    at = skip_blanks(at);
    parts->name = at;
    while (isalnum((unsigned char)*at) || *at == '_' || *at == ':') {
        /* perf: "system:tracepoint:" */
        if (*at == ':' && (at[1] == ' ' || at[1] == '\0' || at[1] == '\t'))
            break;
        at++;
        if (at[-1] == ':')
            parts->name = at;
    }
    parts->name_length = (size_t)(at - parts->name);
    if (*at != ':' || parts->name_length == 0)
        return false;
    parts->text = skip_blanks(at + 1);
    return true;
}

/* Values. */

/* The first place in the text where the anchor stands and no name goes on in front of it. */
static const char *find_anchor(const char *text, const char *anchor)
{
    for (const char *at = strstr(text, anchor); at != NULL; at = strstr(at + 1, anchor))
        if (at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_'))
            return at;
    return NULL;
}

static bool read_hex(const char *at, uint64_t *number)
{
    uint64_t value = 0;
    size_t digits = 0;
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
        at += 2;
    for (; isxdigit((unsigned char)*at); at++, digits++)
        value = value << 4 | (uint64_t)(is_digit(*at) ? *at - '0' : (*at | 0x20) - 'a' + 10);
    *number = value;
    return digits > 0 && digits <= 16;
}

static bool read_number(const char *at, uint64_t *number)
{
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
        return read_hex(at, number);
    return read_digits(&at, number);
}

/* "sdma0", up to a comma, a blank or the end. */
static size_t word_length(const char *at)
{
    return strcspn(at, ", \t])");
}

static void read_value(struct linux_import *import, const struct linux_field *field,
                       const char *text, struct linux_record *record)
{
    uint64_t value, second;
    const char *found = field->type == LINUX_BEFORE ? strstr(text, field->anchor)
                                                    : find_anchor(text, field->anchor);
    if (found == NULL || linux_has(record, field->slot))
        return;
    const char *at = found + strlen(field->anchor);
    bool good = false;
    switch (field->type) {
    case LINUX_NUMBER:
        good = read_number(at, &value);
        break;
    case LINUX_ADDRESS:
        good = read_hex(at, &value);
        break;
    case LINUX_PAIR:
        good = read_digits(&at, &value) && *at++ == ':' && read_digits(&at, &second);
        if (good)
            linux_give(record, field->slot + 1U, second);
        break;
    case LINUX_TEXT:
        value = linux_text(import, at, word_length(at));
        good = value != 0;
        break;
    case LINUX_BEFORE:
        for (at = found; at > text && is_digit(at[-1]);)
            at--;
        good = at < found && read_digits(&at, &value);
        break;
    case LINUX_PLACEMENT:
        good = linux_placement_named(at, word_length(at), &value) || read_number(at, &value);
        break;
    default: /* LINUX_YES */
        value = strncmp(at, "yes", 3) == 0;
        good = true;
        break;
    }
    if (good)
        linux_give(record, field->slot, value);
}

/* False: failed. */
static bool read_record(struct linux_reader *reader, const struct line *parts, uint64_t number)
{
    struct linux_import *import = &reader->import;
    int tracepoint = linux_lookup(&import->lookup, parts->name, parts->name_length);
    linux_note_time(import, parts->t_ns);
    if (tracepoint < 0) {
        import->tally.others++;
        return true;
    }
    const struct linux_tracepoint *about = &linux_tracepoints[tracepoint];
    struct linux_record record = {
        .order.key = parts->t_ns,
        .origin = number,
        .thread = parts->thread,
        .process = parts->process,
    };
    for (uint8_t i = 0; i < about->field_count; i++)
        if (about->fields[i].anchor != NULL)
            read_value(import, &about->fields[i], parts->text, &record);
    return linux_add(import, tracepoint, &record);
}

/* "CPU:3 [LOST 123 EVENTS]"; "CPU 3: 123 EVENTS DROPPED". */
static bool tells_losses(struct linux_import *import, const char *line)
{
    const char *lost = strstr(line, "LOST "), *dropped = strstr(line, " EVENTS DROPPED");
    uint64_t count;
    if (strncmp(line, "CPU", 3) != 0 || (lost == NULL && dropped == NULL))
        return false;
    if (lost != NULL) {
        lost += 5;
    } else {
        for (lost = dropped; lost > line && is_digit(lost[-1]);)
            lost--;
    }
    import->tally.lost += read_digits(&lost, &count) ? count : 1;
    return true;
}

/* Lines that every such file has and that are no records. */
static bool is_heading(const char *line)
{
    return line[0] == '\0' || line[0] == '#' || strncmp(line, "cpus=", 5) == 0 ||
           strncmp(line, "version = ", 10) == 0 ||
           (strncmp(line, "CPU ", 4) == 0 && strstr(line, " is empty") != NULL);
}

static bool read_lines(struct linux_reader *reader, const struct trace_open_options *options)
{
    char *line;
    size_t length;
    struct line parts;
    struct linux_import *import = &reader->import;
    for (uint64_t number = 1;; number++) {
        if (!trace_input_line(reader->input, &line, &length, &reader->damage) || line == NULL)
            return true; /* what came before damage counts */
        if (length > 0 && line[length - 1] == '\r')
            line[--length] = '\0';
        if (is_heading(line) || tells_losses(import, line))
            continue;
        if (!take_apart(line, &parts)) {
            import->tally.not_understood++;
        } else if (parts.whole_time) {
            trace_fail(&reader->damage, false,
                       "%s:%" PRIu64
                       ": time: expected seconds with a fraction, got a whole number: "
                       "record with a clock of time (trace-cmd -C local), not one of ticks",
                       trace_input_path(reader->input), number);
            return true;
        } else if (!read_record(reader, &parts, number)) {
            return false;
        }
        if ((number & 0x3fff) == 0 && options != NULL && options->progress != NULL) {
            uint64_t done, total;
            trace_input_progress(reader->input, &done, &total);
            options->progress(options->progress_self, done, total);
        }
    }
}

static bool text_open(struct trace_input *input, const struct trace_open_options *options,
                      void **state, struct trace_header *header, struct trace_error *error)
{
    struct linux_reader *reader;
    *state = NULL;
    if (!linux_reader_create(input, "line", &reader, error))
        return false;
    if (!read_lines(reader, options))
        return linux_reader_fail(reader, error);
    snprintf(reader->source, sizeof reader->source, "Linux ftrace, text");
    return linux_reader_finish(reader, state, header, error);
}

/* Headings, and then a record, among the first lines. */
static bool text_detect(const unsigned char *head, size_t length)
{
    enum { LINE = 512 };
    char line[LINE];
    struct line parts;
    bool heading = false;
    for (size_t at = 0, lines = 0; at < length && lines < 32; lines++) {
        const unsigned char *end = memchr(head + at, '\n', length - at);
        size_t size = end != NULL ? (size_t)(end - head) - at : length - at;
        if (memchr(head + at, '\0', size) != NULL)
            return false;
        size_t kept = size < LINE - 1 ? size : LINE - 1;
        memcpy(line, head + at, kept);
        line[kept] = '\0';
        if (kept > 0 && line[kept - 1] == '\r')
            line[kept - 1] = '\0';
        if (take_apart(line, &parts))
            return true;
        heading = heading || strncmp(line, "# tracer:", 9) == 0 || strncmp(line, "cpus=", 5) == 0;
        at += size + 1;
    }
    return heading;
}

const struct trace_format trace_format_ftrace = {
    .name = "ftrace",
    .summary = "Linux ftrace as text: trace-cmd report, the kernel's trace file, perf script",
    .detect = text_detect,
    .open = text_open,
    .next = linux_reader_next,
    .place = linux_reader_place,
    .facts = linux_reader_facts,
    .close = linux_reader_close,
};
