#include "traces/chrome.h"

#include <stdlib.h>

enum { PROGRESS_EVERY = 4096 };

static void copy_text(struct json_text from, char text[CHROME_TEXT])
{
    size_t length = from.length < CHROME_TEXT ? from.length : CHROME_TEXT - 1;
    memcpy(text, from.bytes, length);
    text[length] = '\0';
}

bool chrome_text(struct json_scan *scan, char text[CHROME_TEXT])
{
    struct json_text read;
    text[0] = '\0';
    if (json_scan_kind(scan) != '"')
        return json_scan_skip(scan);
    if (!json_scan_text(scan, &read))
        return false;
    copy_text(read, text);
    return true;
}

static bool read_number(struct json_scan *scan, struct chrome_number *number)
{
    struct json_text read;
    int64_t value;
    switch (json_scan_kind(scan)) {
    case '0':
        if (!json_scan_number(scan, &read))
            return false;
        if (json_scaled(read, 0, &value))
            *number = (struct chrome_number){value, true};
        return true;
    case '"': {
        char text[CHROME_TEXT], *end;
        chrome_text(scan, text);
        unsigned long long read_value = strtoull(text, &end, 0);
        if (end != text && *end == '\0' && read_value <= INT64_MAX)
            *number = (struct chrome_number){(int64_t)read_value, true};
        return !json_scan_failed(scan);
    }
    default:
        return json_scan_skip(scan);
    }
}

bool chrome_integer(struct json_scan *scan, int64_t *value)
{
    struct chrome_number number = {0};
    bool good = read_number(scan, &number);
    if (number.given)
        *value = number.value;
    return good;
}

bool chrome_numbers(struct json_scan *scan, const struct chrome_field *fields, void *into)
{
    struct json_text key;
    if (!json_scan_enter(scan, '{'))
        return false;
    while (json_scan_key(scan, &key)) {
        const struct chrome_field *field = fields;
        while (field->key != NULL && !json_text_is(key, field->key))
            field++;
        bool good;
        if (field->key != NULL && field->inside == NULL)
            good = read_number(scan, (void *)((char *)into + field->offset));
        else if (field->key != NULL && json_scan_kind(scan) == '{')
            good = chrome_numbers(scan, field->inside, into);
        else
            good = json_scan_skip(scan);
        if (!good)
            return false;
    }
    return !json_scan_failed(scan);
}

static bool read_32(struct json_scan *scan, uint32_t *value)
{
    int64_t number = 0;
    if (!chrome_integer(scan, &number))
        return false;
    *value = number > 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
    return true;
}

/* Microseconds, with a fraction perhaps, as nanoseconds. */
static bool read_time(struct json_scan *scan, int64_t *value_ns, bool *given)
{
    struct json_text read;
    if (json_scan_kind(scan) != '0')
        return json_scan_skip(scan);
    if (!json_scan_number(scan, &read))
        return false;
    *given = json_scaled(read, 3, value_ns);
    return true;
}

static bool read_phase(struct json_scan *scan, char *phase)
{
    char text[CHROME_TEXT];
    bool good = chrome_text(scan, text);
    *phase = text[0];
    return good;
}

/* The value of one key. */
static bool read_field(const struct chrome_listener *listener, struct json_scan *scan,
                       struct json_text key, struct chrome_event *event)
{
    int64_t number = 0;
    bool given = false;
    if (json_text_is(key, "ph"))
        return read_phase(scan, &event->phase);
    if (json_text_is(key, "cat"))
        return chrome_text(scan, event->category);
    if (json_text_is(key, "name"))
        return chrome_text(scan, event->name);
    if (json_text_is(key, "ts"))
        return read_time(scan, &event->ts_ns, &event->has_ts);
    if (json_text_is(key, "dur")) {
        bool good = read_time(scan, &number, &given);
        event->dur_ns = given && number > 0 ? (uint64_t)number : 0;
        return good;
    }
    if (json_text_is(key, "pid"))
        return read_32(scan, &event->pid);
    if (json_text_is(key, "tid"))
        return read_32(scan, &event->tid);
    if (json_text_is(key, "id")) {
        bool good = chrome_integer(scan, &number);
        event->id = (uint64_t)number;
        return good;
    }
    if (json_text_is(key, "args") && json_scan_kind(scan) == '{')
        return listener->args(listener->self, scan, event);
    return json_scan_skip(scan);
}

static bool read_event(const struct chrome_listener *listener, struct json_scan *scan)
{
    struct chrome_event event = {.offset = json_scan_offset(scan)};
    struct json_text key;
    if (!json_scan_enter(scan, '{'))
        return false;
    while (json_scan_key(scan, &key)) {
        bool telling = key.length == 2 || key.length == 3; /* ph, cat: what decides mostly */
        if (!read_field(listener, scan, key, &event))
            return false;
        if (telling && !listener->wanted(listener->self, &event))
            return json_scan_leave(scan);
    }
    return !json_scan_failed(scan) && listener->event(listener->self, &event);
}

static bool read_events(const struct chrome_listener *listener, struct json_scan *scan)
{
    if (!json_scan_enter(scan, '['))
        return false;
    for (uint64_t events = 0; json_scan_item(scan); events++) {
        if (json_scan_kind(scan) != '{' ? !json_scan_skip(scan) : !read_event(listener, scan))
            return false;
        if (events % PROGRESS_EVERY == 0 && listener->progress != NULL)
            listener->progress(listener->self);
    }
    return !json_scan_failed(scan);
}

bool chrome_read(struct json_scan *scan, const struct chrome_listener *listener)
{
    struct json_text key;
    bool good = true;
    if (json_scan_kind(scan) == '[') {
        good = read_events(listener, scan);
    } else {
        if (!json_scan_enter(scan, '{'))
            return false;
        while (good && json_scan_key(scan, &key)) {
            if (json_text_is(key, "traceEvents"))
                good = read_events(listener, scan);
            else if (listener->other != NULL)
                good = listener->other(listener->self, key, scan);
            else
                good = json_scan_skip(scan);
        }
        good = good && !json_scan_failed(scan);
    }
    if (!good)
        return false;
    return json_scan_at_end(scan) ||
           json_scan_fail(scan, json_scan_offset(scan), "something stands behind the end");
}

bool chrome_detect(const unsigned char *head, size_t length, const char *const *keys)
{
    struct trace_error error;
    struct json_scan scan;
    struct json_text key;
    json_scan_look(&scan, head, length, &error);
    if (json_scan_kind(&scan) == '[') {
        if (!json_scan_enter(&scan, '[') || !json_scan_item(&scan) || !json_scan_enter(&scan, '{'))
            return false;
        while (json_scan_key(&scan, &key) && !json_text_is(key, "ph"))
            json_scan_skip(&scan);
        return !json_scan_failed(&scan) && json_text_is(key, "ph");
    }
    if (json_scan_kind(&scan) != '{' || !json_scan_enter(&scan, '{'))
        return false;
    while (json_scan_key(&scan, &key)) {
        for (size_t i = 0; keys[i] != NULL; i++)
            if (json_text_is(key, keys[i]))
                return true;
        json_scan_skip(&scan);
    }
    return false;
}
