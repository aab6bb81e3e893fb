/* Traces: both encodings carry every field of every op, bad input is refused with its place, and
 * damaged input never does more than that. */
#include "traces/check.h"
#include "traces/encoder.h"
#include "traces/input.h"
#include "traces/reader.h"
#include "traces/vocabulary.h"
#include "traces/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files live in a folder of their own; names are short so that messages are easy to state. */
static char folder[] = "/tmp/wddmsim-test-traces-XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave_folder(void **state)
{
    (void)state;
    static const char *const files[] = {"a.jsonl",     "b.jsonl",     "a.wtrace", "b.wtrace",
                                        "a.jsonl.gz",  "a.jsonl.zst", "a.zip",    "cut.wtrace",
                                        "flip.wtrace", "t",           "t.wtrace", "none.jsonl"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(files[i]);
    return chdir("/") != 0 || rmdir(folder) != 0;
}

static void write_file(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = malloc(1 << 24);
    assert_non_null(bytes);
    *length = fread(bytes, 1, 1 << 24, file);
    assert_true(*length < 1 << 24);
    fclose(file);
    bytes[*length] = '\0';
    return bytes;
}

static void assert_same_files(const char *a, const char *b)
{
    size_t a_length, b_length;
    char *a_bytes = read_file(a, &a_length), *b_bytes = read_file(b, &b_length);
    assert_string_equal(a_bytes, b_bytes);
    assert_int_equal(a_length, b_length);
    free(a_bytes);
    free(b_bytes);
}

/* Reads a trace and writes it again; every step must succeed. Answers the number of events. */
static size_t convert(const char *from, const char *to)
{
    struct trace_error error = {0};
    struct trace_reader *reader;
    struct trace_writer *writer;
    struct trace_event event;
    enum trace_result result;
    size_t events = 0;
    if (!trace_open(from, NULL, &reader, &error) ||
        !trace_writer_open(to, trace_reader_header(reader), &writer, &error))
        fail_msg("%s", error.message);
    while ((result = trace_next(reader, &event, &error)) == TRACE_EVENT) {
        struct trace_event *copy = trace_event_copy(&event);
        assert_non_null(copy);
        memset(&event, 0xa5, sizeof event); /* the copy stands alone */
        if (!trace_writer_put(writer, copy, &error))
            fail_msg("%s", error.message);
        free(copy);
        events++;
    }
    if (result != TRACE_END || !trace_writer_close(writer, &error))
        fail_msg("%s", error.message);
    trace_close(reader);
    return events;
}

/* Random events, from the vocabulary's own table. */

static uint64_t seed, random_state;

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13; /* xorshift64 */
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint64_t below(uint64_t limit)
{
    return random_bits() % limit;
}

/* Any magnitude is as likely as any other; 2^63 - 1 at most. */
static uint64_t random_count(void)
{
    return random_bits() >> (1 + below(63));
}

static const char *random_text(void)
{
    static const char *const texts[] = {"a",
                                        "local",
                                        "quote \" backslash \\ slash /",
                                        "tab\tnewline\nbell\x07",
                                        "d\xc3\xa9j\xc3\xa0 \xe2\x82\xac \xf0\x9f\x8e\xae",
                                        "\x7f",
                                        "{\"t\":0}",
                                        "123"};
    return texts[below(sizeof texts / sizeof *texts)];
}

static struct trace_name random_name(void)
{
    if (below(2) == 0)
        return (struct trace_name){.text = random_text()};
    return (struct trace_name){.number = random_count()};
}

static struct trace_names random_names(struct trace_name *items, uint32_t room)
{
    uint32_t count = (uint32_t)below(room + 1);
    for (uint32_t i = 0; i < count; i++)
        items[i] = random_name();
    return (struct trace_names){.items = items, .count = count};
}

enum { LISTS = 8, LIST = 5, ELEMENTS = 3 };

/* What a random event points to. */
struct backing {
    struct trace_name names[ELEMENTS + 1][LISTS][LIST];
    struct trace_allocation allocations[ELEMENTS];
};

static const char extras[] = "{\"x-a\":[1,2.5,null],\"x-b\":{\"c\":\"d\"}}";

static void fill(const struct trace_op_spec *spec, void *structure, uint64_t given,
                 struct backing *backing, size_t level)
{
    for (uint32_t i = 0, list = 0; i < spec->field_count; i++) {
        const struct trace_field_spec *field = &spec->fields[i];
        void *value = (unsigned char *)structure + field->offset;
        if (!trace_given(given, field->field))
            continue;
        switch (field->type) {
        case TRACE_TYPE_COUNT:
        case TRACE_TYPE_ADDRESS:
            *(uint64_t *)value = random_count() | trace_must_be_positive(field);
            break;
        case TRACE_TYPE_SIGNED:
            *(int64_t *)value = (int64_t)random_bits() >> below(64);
            break;
        case TRACE_TYPE_BOOL:
            *(bool *)value = below(2) == 1;
            break;
        case TRACE_TYPE_STATUS:
            *(uint32_t *)value = below(2) == 1 ? 0xC01E0100 : (uint32_t)random_bits();
            break;
        case TRACE_TYPE_NAME:
            *(struct trace_name *)value = random_name();
            break;
        case TRACE_TYPE_NAMES:
            assert_true(list < LISTS);
            *(struct trace_names *)value = random_names(backing->names[level][list++], LIST);
            break;
        case TRACE_TYPE_STRING:
            *(const char **)value = random_text();
            break;
        case TRACE_TYPE_FLAGS:
            *(uint64_t *)value = random_bits() & trace_flags_known(field->flags);
            break;
        case TRACE_TYPE_CHOICE:
            *(uint64_t *)value = field->flags[below(4)].bit; /* each table has four at least */
            break;
        case TRACE_TYPE_STANDARD:
            *(struct trace_standard *)value = (struct trace_standard){below(3), random_count()};
            break;
        case TRACE_TYPE_CREATIONS: {
            const struct trace_field_sets sets = trace_allocation_fields();
            uint32_t count = 1 + (uint32_t)below(ELEMENTS);
            memset(backing->allocations, 0, sizeof backing->allocations);
            for (uint32_t e = 0; e < count; e++) {
                struct trace_allocation *item = &backing->allocations[e];
                item->given = sets.required | (random_bits() & sets.allowed);
                if (e == 0)
                    item->given = sets.allowed;
                if (trace_given(item->given, TRACE_EXTRAS))
                    item->extras = extras;
                fill(&trace_allocation_spec, item, item->given, backing, 1 + e);
            }
            *(struct trace_allocations *)value =
                (struct trace_allocations){.items = backing->allocations, .count = count};
            break;
        }
        }
    }
}

static struct trace_event random_event(enum trace_op op, uint64_t given, uint64_t t,
                                       struct backing *backing)
{
    if ((op == TRACE_SIGNAL || op == TRACE_WAIT) && trace_given(given, TRACE_CONTEXT))
        given &= ~TRACE_GIVEN(TRACE_CONTEXTS);
    if (op == TRACE_CREATE_CONTEXT_ALLOCATION && !trace_given(given, TRACE_CONTEXT))
        given |= TRACE_GIVEN(TRACE_DEVICE);
    if (op == TRACE_SET_CONTEXT_PRIORITY && !trace_given(given, TRACE_PRIORITY))
        given |= TRACE_GIVEN(TRACE_IN_PROCESS);
    if (op == TRACE_SET_PROCESS_PRIORITY && !trace_given(given, TRACE_CLASS))
        given |= TRACE_GIVEN(TRACE_BAND);
    struct trace_event event = {.op = op,
                                .given = given,
                                .t_ns = t,
                                .pid = (uint32_t)random_bits(),
                                .tid = (uint32_t)below(3)};
    fill(&trace_ops[op], &event, given, backing, 0);
    fill(&trace_outcome_spec, &event, given, backing, 0);
    if (trace_given(given, TRACE_EXTRAS))
        event.extras = extras;
    return event;
}

/* Writes `rounds` times an event of every op: first with every field, then with some. */
static size_t write_random_trace(const char *path, size_t rounds)
{
    static struct backing backing;
    struct trace_error error;
    struct trace_writer *writer;
    struct trace_header header = {.version = TRACE_VERSION,
                                  .source = "a \"test\"",
                                  .residency = TRACE_RESIDENCY_EXPLICIT,
                                  .create_unknown = true,
                                  .unknown_size = 4096,
                                  .extras = "{\"x-import\":{\"events\":3}}"};
    uint64_t t = 0;
    assert_true(trace_writer_open(path, &header, &writer, &error));
    for (size_t round = 0; round < rounds; round++)
        for (int op = 0; op < TRACE_OPS; op++) {
            struct trace_field_sets sets = trace_op_fields((enum trace_op)op);
            uint64_t given = sets.required | (sets.allowed & random_bits());
            struct trace_event event =
                random_event((enum trace_op)op, round == 0 ? sets.allowed : given, t, &backing);
            if (!trace_writer_put(writer, &event, &error))
                fail_msg("%s", error.message);
            t += below(1000);
        }
    assert_true(trace_writer_close(writer, &error));
    return rounds * TRACE_OPS;
}

static void test_round_trip(void **state)
{
    (void)state;
    const char *given_seed = getenv("SEED");
    seed = given_seed != NULL ? strtoull(given_seed, NULL, 0) : UINT64_C(0x5eed0001);
    random_state = seed;
    print_message("seed %" PRIu64 "\n", seed);
    size_t events = write_random_trace("a.jsonl", 300);
    assert_int_equal(convert("a.jsonl", "b.jsonl"), events);
    assert_same_files("a.jsonl", "b.jsonl");
    assert_int_equal(convert("a.jsonl", "a.wtrace"), events);
    assert_int_equal(convert("a.wtrace", "b.jsonl"), events);
    assert_same_files("a.jsonl", "b.jsonl");
    assert_int_equal(convert("a.wtrace", "b.wtrace"), events);
    size_t a_length, b_length;
    char *a = read_file("a.wtrace", &a_length), *b = read_file("b.wtrace", &b_length);
    assert_int_equal(a_length, b_length);
    assert_memory_equal(a, b, a_length);
    free(a);
    free(b);
}

static void test_vocabulary(void **state)
{
    (void)state;
    enum trace_op op;
    for (int i = 0; i < TRACE_OPS; i++) {
        assert_true(trace_op_from_name(trace_ops[i].name, &op));
        assert_int_equal(op, i);
    }
    assert_false(trace_op_from_name("submit", &op));
    assert_false(trace_op_from_name("", &op));
    /* No two names of a table share a bit: text would not survive. */
    const struct trace_flag *const tables[] = {trace_kmd_flags, trace_create_flags};
    for (size_t table = 0; table < 2; table++) {
        uint64_t seen = 0;
        for (const struct trace_flag *flag = tables[table]; flag->name != NULL; flag++) {
            assert_int_equal(seen & flag->bit, 0);
            seen |= flag->bit;
        }
    }
}

/* The values behind one line of each notation, worked out by hand from the contract. */
static void test_values(void **state)
{
    (void)state;
    static const char text[] =
        "{\"wddmsim\": 1, \"source\": \"hand\", \"residency\": \"at-create\"}\r\n"
        "\n"
        "{\"op\": \"CreateAllocation\", \"t\": 5, \"pid\": 7, \"device\": \"d\", \"resource\": 3,"
        " \"flags\": [\"CreateResource\", \"CreateShared\"], \"status\": \"STATUS_NO_MEMORY\","
        " \"allocations\": [{\"allocation\": 1, \"size\": 4096, \"system-memory\": true,"
        " \"kmd-flags\": [\"CpuVisible\", \"CreateInVpr\"]}], \"x-note\": \"kept\","
        " \"standard\": {\"type\": \"ExistingHeap\", \"size\": 4096}}\n"
        "{\"t\":6,\"op\":\"SetContextPriority\",\"context\":\"0\",\"priority\":-7,"
        "\"status\":3221225485}";
    write_file("a.jsonl", text, sizeof text - 1);
    struct trace_error error;
    struct trace_reader *reader;
    struct trace_event event;
    assert_true(trace_open("a.jsonl", NULL, &reader, &error));
    assert_string_equal(trace_reader_format(reader), "jsonl");
    assert_int_equal(trace_reader_header(reader)->residency, TRACE_RESIDENCY_AT_CREATE);
    assert_string_equal(trace_reader_header(reader)->source, "hand");
    assert_false(trace_reader_header(reader)->create_unknown);
    assert_int_equal(trace_reader_header(reader)->unknown_size, 65536);

    assert_int_equal(trace_next(reader, &event, &error), TRACE_EVENT);
    assert_string_equal(trace_reader_place(reader), "a.jsonl:3"); /* the blank line counts */
    assert_int_equal(event.op, TRACE_CREATE_ALLOCATION);
    assert_int_equal(event.t_ns, 5);
    assert_int_equal(event.pid, 7);
    assert_int_equal(event.tid, 0);
    assert_string_equal(event.device.text, "d");
    assert_null(event.resource.text);
    assert_int_equal(event.resource.number, 3);
    assert_int_equal(event.flags, 0x3);         /* bits 0 and 1 */
    assert_int_equal(event.status, 0xC0000017); /* ntstatus.h */
    assert_int_equal(event.creations.count, 1);
    assert_int_equal(event.creations.items[0].size, 4096);
    assert_int_equal(event.creations.items[0].system_memory, 1);
    /* CreateInVpr shares bit 10 with UseAlternateVA and stands 32 higher: bit 42. */
    assert_int_equal(event.creations.items[0].kmd_flags, UINT64_C(0x1) | UINT64_C(1) << 42);
    assert_int_equal(event.standard.type, 1);
    assert_int_equal(event.standard.size, 4096);
    assert_string_equal(event.extras, "{\"x-note\":\"kept\"}");
    assert_false(trace_given(event.given, TRACE_DUR));

    assert_int_equal(trace_next(reader, &event, &error), TRACE_EVENT);
    assert_string_equal(event.context.text, "0"); /* a string is not the number */
    assert_int_equal(event.priority, -7);
    assert_int_equal(event.status, 0xC000000D); /* 3221225485 = 0xC000000D */
    assert_int_equal(trace_next(reader, &event, &error), TRACE_END);
    trace_close(reader);
}

/* Bad lines, and exactly what is said of them. Each stands on line 2, behind a good header. */
static const struct {
    const char *line, *message;
} bad_lines[] = {
    {"garbage", "t:2: column 7: not valid JSON: invalid token near 'garbage'"},
    {"{\"t\":1", "t:2: column 6: not valid JSON: '}' expected near end of file"},
    {"[1]", "t:2: expected an object"},
    {"{\"t\":1,\"op\":\"Sumbit\"}", "t:2: unknown op \"Sumbit\"; did you mean \"Submit\"?"},
    {"{\"t\":1,\"op\":\"Teleport\"}", "t:2: unknown op \"Teleport\""},
    {"{\"t\":1,\"op\":5}", "t:2: op: expected the name of an op, got \"5\""},
    {"{\"t\":1}", "t:2: op: missing"},
    {"{\"op\":\"ExitProcess\"}", "t:2: ExitProcess: t: missing"},
    {"{\"t\":-1,\"op\":\"ExitProcess\"}",
     "t:2: ExitProcess: t: expected a number of nanoseconds, got \"-1\""},
    {"{\"t\":1.5,\"op\":\"ExitProcess\"}",
     "t:2: ExitProcess: t: expected a number of nanoseconds, got \"1.5\""},
    {"{\"t\":1,\"pid\":4294967296,\"op\":\"ExitProcess\"}",
     "t:2: ExitProcess: pid: expected an integer from 0 to 4294967295, got \"4294967296\""},
    {"{\"t\":1,\"op\":\"Submit\",\"context\":1}", "t:2: Submit: gpu: missing"},
    {"{\"t\":1,\"op\":\"Submit\",\"context\":1,\"gpu\":99999999999999999999}",
     "t:2: column 59: not valid JSON: too big integer near '99999999999999999999'"},
    {"{\"t\":1,\"op\":\"Submit\",\"context\":1,\"gpu\":5,\"gpu\":6}",
     "t:2: column 46: not valid JSON: duplicate object key near '\"gpu\"'"},
    {"{\"t\":1,\"op\":\"Submit\",\"context\":1,\"gpu\":1e3}",
     "t:2: Submit: gpu: expected a number of nanoseconds, got \"1000.0\""},
    {"{\"t\":1,\"op\":\"Submit\",\"context\":1,\"gpu\":\"5\"}",
     "t:2: Submit: gpu: expected a number of nanoseconds, got the string \"5\""},
    {"{\"t\":1,\"op\":\"Submit\",\"context\":1,\"gpu\":5,\"granul\":1}",
     "t:2: Submit: unknown field \"granul\"; did you mean \"granule\"?"},
    {"{\"t\":1,\"op\":\"Submit\",\"context\":\"\",\"gpu\":5}",
     "t:2: Submit: context: expected a name (a non-negative integer or a non-empty string), got "
     "the string \"\""},
    {"{\"t\":1,\"op\":\"Submit\",\"context\":1,\"gpu\":5,\"writes\":[1,-2]}",
     "t:2: Submit: writes[1]: expected a name (a non-negative integer or a non-empty string), got "
     "\"-2\""},
    {"{\"t\":1,\"op\":\"Submit\",\"context\":1,\"gpu\":5,\"writes\":7}",
     "t:2: Submit: writes: expected a list of names, got \"7\""},
    {"{\"t\":1,\"op\":\"Submit\",\"context\":1,\"gpu\":5,\"status\":\"STATUS_GOOD\"}",
     "t:2: Submit: status: expected the name or number of an NTSTATUS, got the string "
     "\"STATUS_GOOD\""},
    {"{\"t\":1,\"op\":\"CreateAllocation\",\"device\":1,\"allocations\":[{\"allocation\":1,"
     "\"size\":4096},{\"allocation\":2,\"size\":-4096}]}",
     "t:2: CreateAllocation: allocations[1]: size: expected a positive number of bytes, got "
     "\"-4096\""},
    {"{\"t\":1,\"op\":\"CreateAllocation\",\"device\":1,\"allocations\":[{\"allocation\":1,"
     "\"size\":0}]}",
     "t:2: CreateAllocation: allocations[0]: size: expected a positive number of bytes, got "
     "\"0\""},
    {"{\"t\":1,\"op\":\"CreateAllocation\",\"device\":1,\"allocations\":[{\"allocation\":1}]}",
     "t:2: CreateAllocation: allocations[0]: size: missing"},
    {"{\"t\":1,\"op\":\"CreateAllocation\",\"device\":1,\"allocations\":[],\"flags\":"
     "[\"CreateResourc\"]}",
     "t:2: CreateAllocation: flags: unknown flag \"CreateResourc\"; did you mean "
     "\"CreateResource\"?"},
    {"{\"t\":1,\"op\":\"CreateContextAllocation\",\"allocation\":1,\"size\":4096}",
     "t:2: CreateContextAllocation: context or device: missing"},
    {"{\"t\":1,\"op\":\"Wait\",\"context\":1,\"contexts\":[2],\"fence\":1,\"value\":1}",
     "t:2: Wait: context and contexts: only one of them may be given"},
    {"{\"t\":1,\"op\":\"CreateDevice\",\"device\":1,\"system\":1}",
     "t:2: CreateDevice: system: expected true or false, got \"1\""},
    {"{\"t\":1,\"op\":\"ExitProcess\",\"\\u001b[31m\":1}",
     "t:2: ExitProcess: unknown field \"?[31m\""},
    {"{\"t\":1,\"op\":\"Submit\",\"context\":[\"" /* 70 letters: 59 and the cut remain */
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"],\"gpu\":5}",
     "t:2: Submit: context: expected a name (a non-negative integer or a non-empty string), got "
     "\"[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\""},
};

static void test_bad_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_lines / sizeof *bad_lines; i++) {
        char text[512];
        int length =
            snprintf(text, sizeof text, "{\"wddmsim\":1}\n%s\n{\"t\":9,\"op\":\"ExitProcess\"}\n",
                     bad_lines[i].line);
        write_file("t", text, (size_t)length);
        struct trace_error error;
        struct trace_reader *reader;
        struct trace_event event;
        assert_true(trace_open("t", NULL, &reader, &error));
        assert_int_equal(trace_next(reader, &event, &error), TRACE_BAD);
        assert_string_equal(error.message, bad_lines[i].message);
        /* What --skip-bad does: go on behind it. */
        assert_true(error.skippable);
        assert_int_equal(trace_next(reader, &event, &error), TRACE_EVENT);
        assert_int_equal(event.t_ns, 9);
        assert_int_equal(trace_next(reader, &event, &error), TRACE_END);
        trace_close(reader);
    }
}

static const struct {
    const char *text, *message;
} bad_files[] = {
    {"", "t: empty file"},
    {"\n \n", "t: not a trace of a known format; known are "},
    {"hello", "t: not a trace of a known format; known are "},
    {"BZhi", "t: not a trace of a known format; known are "}, /* begins like bzip2 */
    {"{\"events\":[]}",
     "t:1: not a wddmsim trace: the first line must be a header such as {\"wddmsim\": 1}"},
    {"{\"wddmsim\":2}", "t:1: header: wddmsim: expected version 1; the trace was made by a newer "
                        "version of wddmsim, got \"2\""},
    {"{\"wddmsim\":1,\"sorce\":\"x\"}",
     "t:1: header: unknown field \"sorce\"; did you mean \"source\"?"},
    {"{\"wddmsim\":1,\"residency\":\"maybe\"}",
     "t:1: header: residency: expected explicit, at-create, per-submit or fault, got the string "
     "\"maybe\""},
    {"{\"wddmsim\":1,\"unknown-size\":0}",
     "t:1: header: unknown-size: expected a positive number of bytes, got \"0\""},
    {"\xef\xbb\xbf{\"wddmsim\":1}",
     "t:1: starts with a byte order mark: save it as UTF-8 without one"},
};

static void test_bad_files(void **state)
{
    (void)state;
    struct trace_error error;
    struct trace_reader *reader;
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
        write_file("t", bad_files[i].text, strlen(bad_files[i].text));
        assert_false(trace_open("t", NULL, &reader, &error));
        assert_null(reader);
        if (strstr(bad_files[i].message, "known are ") != NULL) /* the list grows */
            assert_memory_equal(error.message, bad_files[i].message, strlen(bad_files[i].message));
        else
            assert_string_equal(error.message, bad_files[i].message);
    }
    assert_false(trace_open("none.jsonl", NULL, &reader, &error));
    assert_string_equal(error.message, "none.jsonl: No such file or directory");
    struct trace_open_options options = {.format = "punchcards"};
    write_file("t", "{\"wddmsim\":1}", 13);
    assert_false(trace_open("t", &options, &reader, &error));
    assert_non_null(strstr(error.message, "there is no format \"punchcards\"; known are "));
}

/* Longer lines than a call can make are neither read nor written. */
static void test_long_lines(void **state)
{
    (void)state;
    static const char head[] = "{\"wddmsim\":1}\n",
                      start[] = "{\"t\":1,\"op\":\"CreateDevice\",\"device\":\"", end[] = "\"}";
    enum { HEAD = sizeof head - 1, START = sizeof start - 1, END = sizeof end - 1 };
    char *text = malloc(HEAD + TRACE_LONGEST_LINE + 2);
    assert_non_null(text);
    for (size_t over = 0; over < 2; over++) {
        size_t length = TRACE_LONGEST_LINE + over;
        memset(text, 'x', HEAD + length);
        memcpy(text, head, HEAD);
        memcpy(text + HEAD, start, START);
        memcpy(text + HEAD + length - END, end, END);
        text[HEAD + length] = '\n';
        for (size_t newline = 0; newline < 2; newline++) {
            struct trace_error error;
            struct trace_reader *reader;
            struct trace_event event;
            write_file("t", text, HEAD + length + newline);
            assert_true(trace_open("t", NULL, &reader, &error));
            assert_int_equal(trace_next(reader, &event, &error), over ? TRACE_BAD : TRACE_EVENT);
            if (over)
                assert_string_equal(error.message, "t: offset 14: a line longer than 4 MiB");
            trace_close(reader);
        }
    }
    text[HEAD + TRACE_LONGEST_LINE] = '\0';
    struct trace_header header = {.version = TRACE_VERSION};
    struct trace_event device = {.op = TRACE_CREATE_DEVICE,
                                 .given = TRACE_GIVEN(TRACE_DEVICE),
                                 .device = {.text = text + HEAD + START}};
    struct trace_error error;
    struct trace_writer *writer;
    text[HEAD + START] = 'x';
    memset(text + HEAD, 'x', TRACE_LONGEST_LINE);
    assert_true(trace_writer_open("t", &header, &writer, &error));
    assert_false(trace_writer_put(writer, &device, &error));
    assert_string_equal(error.message, "t: CreateDevice: a line longer than 4 MiB");
    assert_true(error.skippable);
    assert_true(trace_writer_close(writer, &error));
    assert_int_equal(convert("t", "a.jsonl"), 0);
    free(text);
}

/* What the encoder would not be given: x- fields that are none. */
static void test_binary_extras(void **state)
{
    (void)state;
    struct trace_header header = {.version = TRACE_VERSION};
    struct trace_event event = {.op = TRACE_EXIT_PROCESS,
                                .given = TRACE_GIVEN(TRACE_EXTRAS),
                                .extras = "{\"op\":\"Submit\"}"};
    struct trace_buffer file = {0};
    struct trace_error error;
    struct trace_reader *reader;
    const struct trace_encoder *encoder = &trace_encoder_wtrace;
    void *writer = encoder->start(&header, &file);
    assert_non_null(writer);
    assert_true(encoder->put(writer, &event, &file, 0, &error));
    assert_true(encoder->finish(writer, &file, 0, &error));
    encoder->free(writer);
    write_file("t.wtrace", file.bytes, file.length);
    assert_true(trace_open("t.wtrace", NULL, &reader, &error));
    assert_int_equal(trace_next(reader, &event, &error), TRACE_BAD);
    assert_non_null(strstr(error.message, "the x- fields are not an object of such"));
    trace_close(reader);
    trace_buffer_free(&file);
}

static void test_time_goes_back(void **state)
{
    (void)state;
    static const char text[] = "{\"wddmsim\":1}\n"
                               "{\"t\":500,\"op\":\"ExitProcess\"}\n"
                               "{\"t\":400,\"op\":\"ExitProcess\"}\n"
                               "{\"t\":500,\"op\":\"ExitProcess\"}\n";
    write_file("t", text, sizeof text - 1);
    struct trace_error error;
    struct trace_reader *reader;
    struct trace_event event;
    assert_true(trace_open("t", NULL, &reader, &error));
    assert_int_equal(trace_next(reader, &event, &error), TRACE_EVENT);
    assert_int_equal(trace_next(reader, &event, &error), TRACE_BAD);
    assert_string_equal(error.message, "t:3: ExitProcess: t: goes back from 500 to 400 ns");
    assert_true(error.skippable);
    assert_int_equal(trace_next(reader, &event, &error), TRACE_EVENT);
    assert_int_equal(trace_next(reader, &event, &error), TRACE_END);
    trace_close(reader);
}

/* Reads to the end or to an error behind which it cannot go on. Answers whether all was well. */
static bool read_all(const char *path)
{
    struct trace_error error;
    struct trace_reader *reader;
    struct trace_event event;
    if (!trace_open(path, NULL, &reader, &error))
        return false;
    bool good = true;
    enum trace_result result;
    while ((result = trace_next(reader, &event, &error)) != TRACE_END)
        if (result == TRACE_BAD) {
            good = false;
            if (!error.skippable)
                break;
        }
    trace_close(reader);
    return good;
}

/* A binary trace cut anywhere, or with any one byte changed, is refused: every byte is under a
 * checksum. */
static void test_damaged_binary(void **state)
{
    (void)state;
    random_state = 42;
    write_random_trace("t.wtrace", 1);
    assert_true(read_all("t.wtrace"));
    size_t length;
    char *bytes = read_file("t.wtrace", &length);
    for (size_t cut = 0; cut < length; cut++) {
        write_file("cut.wtrace", bytes, cut);
        assert_false(read_all("cut.wtrace"));
    }
    for (size_t at = 0; at < length; at++) {
        bytes[at] = (char)(bytes[at] ^ (1 << (at % 8)));
        write_file("flip.wtrace", bytes, length);
        assert_false(read_all("flip.wtrace"));
        bytes[at] = (char)(bytes[at] ^ (1 << (at % 8)));
    }
    free(bytes);
}

static void test_compressed(void **state)
{
    (void)state;
    random_state = 43;
    size_t events = write_random_trace("a.jsonl", 100);
    assert_int_equal(convert("a.jsonl", "a.jsonl.gz"), events);
    assert_int_equal(convert("a.jsonl", "a.jsonl.zst"), events);

    size_t length;
    char *bytes = read_file("a.jsonl", &length);
    struct archive *zip = archive_write_new();
    archive_write_set_format_zip(zip);
    assert_int_equal(archive_write_open_filename(zip, "a.zip"), ARCHIVE_OK);
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, "folder/");
    archive_entry_set_filetype(entry, AE_IFDIR);
    archive_write_header(zip, entry);
    archive_entry_clear(entry);
    archive_entry_set_pathname(entry, "folder/a.jsonl");
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, (la_int64_t)length);
    archive_write_header(zip, entry);
    assert_int_equal(archive_write_data(zip, bytes, length), length);
    archive_entry_free(entry);
    assert_int_equal(archive_write_free(zip), ARCHIVE_OK);
    free(bytes);

    static const char *const packed[] = {"a.jsonl.gz", "a.jsonl.zst", "a.zip"};
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++) {
        assert_int_equal(convert(packed[i], "b.jsonl"), events);
        assert_same_files("a.jsonl", "b.jsonl");
        /* Cut in the middle: an error, not a shorter trace. */
        bytes = read_file(packed[i], &length);
        write_file("t", bytes, length / 2);
        assert_false(read_all("t"));
        free(bytes);
    }
}

/* What a program may not put into a trace. */
static void test_writer_refuses(void **state)
{
    (void)state;
    struct trace_error error;
    struct trace_writer *writer;
    struct trace_header header = {.version = TRACE_VERSION};
    struct trace_event event = {.op = TRACE_SUBMIT,
                                .given = TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_GPU),
                                .t_ns = 10};
    assert_true(trace_writer_open("a.jsonl", &header, &writer, &error));
    assert_true(trace_writer_put(writer, &event, &error));
    event.t_ns = 9;
    assert_false(trace_writer_put(writer, &event, &error));
    assert_string_equal(error.message, "a.jsonl: t: goes back from 10 to 9 ns");
    event.t_ns = 10;
    event.given = TRACE_GIVEN(TRACE_CONTEXT);
    assert_false(trace_writer_put(writer, &event, &error));
    assert_string_equal(error.message, "a.jsonl: Submit: a required field is missing");
    event.given |= TRACE_GIVEN(TRACE_GPU) | TRACE_GIVEN(TRACE_FENCE);
    assert_false(trace_writer_put(writer, &event, &error));
    assert_string_equal(error.message, "a.jsonl: Submit: carries a field of another op");
    event.given &= ~TRACE_GIVEN(TRACE_FENCE);
    event.context.text = "\xff";
    assert_false(trace_writer_put(writer, &event, &error));
    assert_string_equal(error.message, "a.jsonl: Submit: context: the name is not UTF-8");
    assert_true(trace_writer_close(writer, &error));
    assert_true(read_all("a.jsonl"));
}

static void test_abandon_leaves_nothing(void **state)
{
    (void)state;
    struct trace_error error;
    struct trace_writer *writer;
    struct trace_header header = {.version = TRACE_VERSION};
    unlink("a.jsonl");
    assert_true(trace_writer_open("a.jsonl", &header, &writer, &error));
    assert_int_not_equal(access("a.jsonl", F_OK), 0); /* not before it is complete */
    trace_writer_abandon(writer);
    assert_int_not_equal(access("a.jsonl", F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vocabulary),     cmocka_unit_test(test_values),
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_bad_files),      cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_binary_extras),  cmocka_unit_test(test_time_goes_back),
        cmocka_unit_test(test_damaged_binary), cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_writer_refuses), cmocka_unit_test(test_abandon_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
