/* The question as a study file: what study_file.c reads. */
#include "cli/sweep/study.h"
#include "model/hardware/units.h"

#include <inttypes.h>
#include <string.h>

/* Single quotes keep every character but themselves. */
static void quoted(FILE *out, const char *text)
{
    putc('\'', out);
    for (; *text != 0; text++) {
        if (*text == '\'')
            putc('\'', out);
        putc(*text, out);
    }
    putc('\'', out);
}

static void line(FILE *out, const char *option, const char *text)
{
    if (text == NULL)
        return;
    fprintf(out, "%s: ", option);
    quoted(out, text);
    putc('\n', out);
}

static void time_line(FILE *out, const char *option, uint64_t ns, uint64_t standard)
{
    char text[UNITS_TEXT_SIZE];
    if (ns == standard)
        return;
    units_print_ns(ns, text);
    line(out, option, text);
}

static void switch_line(FILE *out, const char *option, bool on)
{
    if (on)
        fprintf(out, "%s: true\n", option);
}

static void list(FILE *out, const char *option, const struct study_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (i == 0)
            fprintf(out, "%s:\n", option);
        fputs("  - ", out);
        quoted(out, texts->items[i].text);
        putc('\n', out);
    }
}

/* KEY=VALUE as a line of a map. */
static void entry(FILE *out, const char *key, size_t length, const char *value)
{
    fprintf(out, "  %.*s: ", (int)length, key);
    quoted(out, value);
    putc('\n', out);
}

static void keyed(FILE *out, const char *option, const struct study_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        size_t length = strcspn(texts->items[i].text, "=");
        if (i == 0)
            fprintf(out, "%s:\n", option);
        entry(out, texts->items[i].text, length, texts->items[i].text + length + 1);
    }
}

static void axis_lines(FILE *out, const struct axis *axis)
{
    const char *name = axis->shown.name;
    if (axis->text != NULL) {
        entry(out, name, strlen(name), axis->text);
        return;
    }
    fprintf(out, "  %s:\n", name);
    for (size_t i = 0; i < axis->shown.levels; i++) {
        fputs("    ", out);
        quoted(out, axis->shown.level[i].label);
        fputs(": {", out);
        for (size_t s = 0; s < axis->settings[i].count; s++) {
            fprintf(out, s > 0 ? ", %s: " : "%s: ", axis->settings[i].items[s].key);
            quoted(out, axis->settings[i].items[s].value);
        }
        fputs("}\n", out);
    }
}

static void play_lines(FILE *out, const struct cli_play *play)
{
    char text[UNITS_TEXT_SIZE];
    line(out, "hardware", play->hardware);
    line(out, "miniport", play->miniport);
    for (size_t i = 0; i < play->set_count; i++) {
        fputs(i == 0 ? "set:\n" : "", out);
        entry(out, play->set_keys[i], strlen(play->set_keys[i]), play->set_values[i]);
    }
    line(out, "format", play->format);
    for (size_t i = 0; i < play->reader.count; i++) {
        fputs(i == 0 ? "reader:\n  - " : "  - ", out);
        quoted(out, play->reader.items[i]);
        putc('\n', out);
    }
    line(out, "pace", cli_pace_names[play->pace]);
    time_line(out, "from", play->from_ns, 0);
    time_line(out, "to", play->to_ns, UINT64_MAX);
    fprintf(out, "seed: %" PRIu64 "\n", play->seed);
    if (play->unknown_size != 0) {
        units_print_size(play->unknown_size, text);
        line(out, "unknown-size", text);
    }
    switch_line(out, "skip-bad", play->skip_bad);
    switch_line(out, "check", play->check);
}

static void search_lines(FILE *out, const struct study *study)
{
    line(out, "find", study->find.text);
    line(out, "such-that", study->such_that.text);
    line(out, study->maximise ? "maximise" : "minimise", study->minimise.text);
    list(out, "over", &study->over);
    if (study->search == STUDY_MINIMISE)
        fprintf(out, "budget: %" PRIu64 "\n", study->budget);
    line(out, "resolution", study->resolution.text);
}

/* The axes that --find and --over have made are written with these. */
static bool is_varied(const struct study *study, const char *name)
{
    if (study->traces.count > 1 && strcmp(name, "trace") == 0)
        return false; /* the list of traces says it */
    for (size_t i = 0; i < study->vary.count; i++) {
        size_t length = strcspn(study->vary.items[i].text, "=");
        if (strlen(name) == length && memcmp(name, study->vary.items[i].text, length) == 0)
            return true;
    }
    return false;
}

void study_write(const struct study *study, FILE *out)
{
    char design[48];
    bool first = true;
    fputs("# What this sweep asks: run it again with wddmsim sweep and this file.\n", out);
    line(out, "title", study->title);
    line(out, "question", study->question);
    list(out, "trace", &study->traces);
    line(out, "workload", study->workload != NULL ? study->workload->name : NULL);
    play_lines(out, &study->play);
    if (study->seeds > 1)
        fprintf(out, "replicate: %" PRIu64 "\n", study->seeds);
    for (size_t i = 0; i < study->axis_count; i++) {
        if (!is_varied(study, study->axes[i].shown.name))
            continue;
        fputs(first ? "vary:\n" : "", out);
        axis_lines(out, &study->axes[i]);
        first = false;
    }
    design_print(&study->design, design);
    line(out, "design", design);
    search_lines(out, study);
    list(out, "metric", &study->metrics);
    if (study->pareto[0] != NULL)
        fprintf(out, "pareto: '%s,%s'\n", study->pareto[0], study->pareto[1]);
    keyed(out, "cost", &study->costs);
}
