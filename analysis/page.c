#include "analysis/page.h"
#include "analysis/heap.h"
#include "analysis/html.h"
#include "analysis/human.h"
#include "analysis/output.h"
#include "analysis/section.h"

#include <math.h>

static void cell(FILE *out, double value, char *(*format)(char *text, double value))
{
    char text[HUMAN_ROOM];
    html(out, "<td>%s</td>", isnan(value) ? "–" : format(text, value));
}

void page_cell_time(FILE *out, double ns)
{
    cell(out, ns, html_time);
}

void page_cell_bytes(FILE *out, double bytes)
{
    cell(out, bytes, human_bytes);
}

void page_cell_count(FILE *out, double count)
{
    cell(out, count, section_count_text);
}

void page_cell_share(FILE *out, double share)
{
    cell(out, share, human_share);
}

void page_cell_interval(FILE *out, double mean, double half_width,
                        char *(*format)(char *text, double value))
{
    char a[HUMAN_ROOM], b[HUMAN_ROOM];
    if (isnan(mean) || isnan(half_width))
        fputs("<td>–</td>", out);
    else
        html(out, "<td>%s <span class=\"soft\">± %s</span></td>", format(a, mean),
             format(b, half_width));
}

const char *page_process(char text[PAGE_PROCESS], double pid)
{
    if (pid == 0)
        snprintf(text, PAGE_PROCESS, "process unknown");
    else
        snprintf(text, PAGE_PROCESS, "process %.0f", pid);
    return text;
}

void page_figure(FILE *out, const char *directory, const char *name, const char *meaning,
                 const struct plot_outcome *outcome)
{
    char file[64];
    if (!outcome->drawn) {
        html(out, "<p class=\"soft\">No figure: %s.</p>\n", outcome->reason);
        return;
    }
    snprintf(file, sizeof file, "plots/%s.svg", name);
    char *path = output_path(directory, file), *line = NULL;
    FILE *svg = fopen(path, "rb");
    size_t room = 0;
    bool inside = false;
    if (meaning[0] != 0) {
        fputs("<p>", out);
        html_prose(out, meaning);
        fputs("</p>\n", out);
    }
    fputs("<figure>\n", out);
    while (svg != NULL && getline(&line, &room, svg) >= 0) {
        inside = inside || strstr(line, "<svg") != NULL; /* behind the XML prolog */
        char *title = strstr(line, "<title>"), *end = strstr(line, "</title>");
        if (title != NULL && end != NULL) /* gnuplot's names for its lines, as tool tips */
            memmove(title, end + strlen("</title>"), strlen(end + strlen("</title>")) + 1);
        if (inside)
            fputs(line, out);
    }
    fputs("</figure>\n", out);
    if (svg != NULL)
        fclose(svg);
    free(line);
    free(path);
}

/* A key as words: underscores become spaces. */
static const char *words(char spaced[128], const char *key)
{
    snprintf(spaced, 128, "%s", key);
    for (char *at = spaced; *at != 0; at++)
        *at = *at == '_' ? ' ' : *at;
    return spaced;
}

static void notes(FILE *out, const json_t *summary)
{
    const json_t *assumptions = AT(summary, "assumptions"), *warnings = AT(summary, "warnings");
    const char *key;
    json_t *value;
    size_t index, count = json_array_size(warnings);
    json_object_foreach((json_t *)(uintptr_t)assumptions, key, value) count +=
        result_number(value) > 0;
    if (count == 0)
        return;
    fputs("<section class=\"notes\">\n<h2>Assumptions and warnings</h2>\n<ul>\n", out);
    json_array_foreach((json_t *)(uintptr_t)warnings, index, value)
        html(out, "<li>%s</li>\n", result_text(value));
    json_object_foreach((json_t *)(uintptr_t)assumptions, key, value)
    {
        char text[HUMAN_ROOM], spaced[128];
        if (result_number(value) > 0)
            html(out, "<li>Assumed, not recorded: %s: %s</li>\n", words(spaced, key),
                 section_count_text(text, result_number(value)));
    }
    fputs("</ul>\n</section>\n", out);
}

static void key_number(FILE *out, const char *value, const char *meaning)
{
    html(out, "<div><b>%s</b><span>%s</span></div>\n", value, meaning);
}

static void key_numbers(FILE *out, const json_t *summary)
{
    char text[HUMAN_ROOM];
    double value;
    fputs("<section class=\"keys\">\n", out);
    if (!isnan(value = NUMBER(summary, "run", "simulated_ns")))
        key_number(out, html_time(text, value), "simulated");
    if (!isnan(value = NUMBER(summary, "run", "events")))
        key_number(out, section_count_text(text, value), "events");
    if (!isnan(value = NUMBER(summary, "calls", "Submit", "latency_ns", "p50")))
        key_number(out, html_time(text, value), "Submit to done, median");
    if (!isnan(value = NUMBER(summary, "calls", "Submit", "latency_ns", "p99")))
        key_number(out, html_time(text, value), "Submit to done, p99");
    if (!isnan(value = NUMBER(summary, "presents", "interval_ns", "p50")))
        key_number(out, html_time(text, value), "between presents, median");
    if (!isnan(value = NUMBER(summary, "residency", "hit_ratio")))
        key_number(out, human_share(text, value), "resident when submitted");
    if (!isnan(value = NUMBER(summary, "paging", "page_in_bytes")))
        key_number(out, human_bytes(text, value), "paged in");
    if (!isnan(value = NUMBER(summary, "paging", "page_out_bytes")))
        key_number(out, human_bytes(text, value), "paged out");
    fputs("</section>\n", out);
}

static void run_details(FILE *out, const json_t *summary)
{
    const json_t *run = AT(summary, "run");
    char text[HUMAN_ROOM];
    const char *key;
    json_t *value;
    html(out, "<dl><dt>command</dt><dd><code>%s</code></dd><dt>trace</dt><dd><code>%s</code></dd>",
         TEXT(run, "command_line"), TEXT(run, "trace"));
    html(out, "<dt>SHA-256 of the trace</dt><dd><code>%s</code></dd><dt>profile</dt><dd>%s</dd>",
         TEXT(run, "trace_sha256"), TEXT(run, "profile"));
    json_object_foreach((json_t *)(uintptr_t)AT(run, "overrides"), key, value)
        html(out, "<dt>override</dt><dd><code>%s=%s</code></dd>", key, result_text(value));
    if (AT(run, "miniport"))
        html(out, "<dt>miniport</dt><dd><code>%s</code></dd>", TEXT(run, "miniport"));
    html(out, "<dt>pace</dt><dd>%s</dd><dt>seed</dt><dd>%s</dd>", TEXT(run, "pace"),
         human_decimal(text, NUMBER(run, "seed"), 0));
    html(out, "<dt>wddmsim</dt><dd>%s</dd></dl>\n", TEXT(run, "version"));
}

void page_definitions(FILE *out)
{
    fputs(
        "<footer>\n<h2>What the words mean</h2>\n"
        "<p><b>Latency</b> of a call is from when the replay made it to when it was done: the end "
        "of its asynchronous part if it has one (Submit, Signal, Present, a pending MakeResident), "
        "else its return. <b>Quantiles</b> are by nearest rank: p90 is the smallest latency that "
        "at "
        "least 90 % of the calls do not exceed, exact up to 1,024 calls and within 0.2 % beyond; "
        "p95 needs 20 calls, p99 a hundred, p99.9 a thousand, else it is left out (–); beyond "
        "1,024 "
        "calls a quantile that moves by less than 0.4 % may not move at all.</p>\n"
        "<p><b>Causes</b>: cpu, the call's own work; lock, another call inside; reserve, finding "
        "room, evictions included; transfer, copies over the link; fill, zeroing; map, page tables "
        "and apertures; queue, behind other work; switch, context switch; preempt, preemption; "
        "execute, the engine's own time; fence, waiting for other work's signal; display, "
        "ahead of it by the frame latency or a full flip queue. "
        "<b>Chains</b> go on from there: what was waited for, what that was waiting for at the "
        "same "
        "time, and so on to who was at work. <b>Whose doing</b> a wait is: of the process whose "
        "packet, call or pace stands at the end of the chain; of the owner of memory that has to "
        "leave for one's own sake.</p>\n"
        "<p><b>Steady mean</b>: the mean once the warm-up is over, ± half the width of its 95 % "
        "confidence interval. The warm-up is cut off where the standard error of what remains is "
        "least (MSER-5, at most half of the run); the rest is cut into 20 batches, whose means "
        "give "
        "the interval by Student's t.</p>\n"
        "<p><b>Resident</b>: in a segment. <b>Committed</b>: created and not destroyed, wherever "
        "it "
        "is; what of it is in no segment is in <b>system memory</b>. <b>Budget of all</b>: what "
        "processes may require of a segment, all together. Means are weighted by time over the "
        "whole run, and so is what is <b>free outside</b> the largest hole. <b>Resident when "
        "submitted</b>: of the allocations that submissions name, those that were in a segment "
        "then. <b>Paged in</b>: copied from system memory to a segment; <b>out</b>: back; "
        "<b>filled</b>: zeroed at the first use, or taken as it is; <b>discarded</b> or "
        "<b>dropped</b>: without a copy. <b>From eviction to being needed again</b>: until the "
        "next page-in or fill is asked for. <b>Misses</b> of a segment of some size: references "
        "that find nothing there if it always evicts the least recently used; of the "
        "first 262,144 references. <b>Named within "
        "a time</b>, the working set: at every instant the bytes of what submissions named in the "
        "last so much time.</p>\n"
        "<p><b>Frame</b>: from one present of a context to its next. <b>1 % low</b>: frames per "
        "second over the slowest 1 % of the frames, from 100 frames on. <b>Stutter</b>: a frame "
        "that took more than twice the median of the 19 before it. <b>Dropped</b>: presented and "
        "never shown, because a newer one was ready before the next refresh; it ends no frame. "
        "<b>Late</b>: shown at least one refresh after the one before it had been on the display "
        "for its interval. <b>Until shown</b>: from the call of a present to when the display, or "
        "the compositor, has it.</p>\n"
        "<p><b>Wait</b> of a packet is from the software queue to the engine; engines take as long "
        "wherever memory is resident, in an aperture too. <b>Switches avoided</b>: packets of the "
        "context that ran last, for which eager switching would have switched. <b>Error</b> is "
        "|simulated − recorded| / recorded, per call.</p>\n</footer>\n",
        out);
}

static void section_put(FILE *out, const struct section *section, const struct result *result,
                        const struct plot_outcome *outcome)
{
    char says[SECTION_SENTENCE] = "";
    bool shown = section->figure == NULL || outcome->drawn;
    if (section->say != NULL && shown)
        section->say(result->summary, says);
    html(out, "<h2>%s</h2>\n", section->title);
    if (section->figure != NULL) {
        page_figure(out, result->directory, section->figure, says, outcome);
    } else if (says[0] != 0) {
        fputs("<p>", out);
        html_prose(out, says);
        fputs("</p>\n", out);
    }
    if (section->tables != NULL)
        section->tables(out, result);
}

void page_one(FILE *out, const struct result *result, const struct plot_outcome *outcomes)
{
    const json_t *summary = result->summary;
    char title[256];
    const char *trace = TEXT(summary, "run", "trace"), *slash = strrchr(trace, '/');
    trace = slash != NULL ? slash + 1 : trace;
    snprintf(title, sizeof title, "%.120s on %.80s", trace, TEXT(summary, "run", "profile"));
    html_begin(out, title);
    html(out, "<h1>%s</h1>\n<p class=\"soft\"><code>%s</code></p>\n", title,
         TEXT(summary, "run", "command_line"));
    notes(out, summary);
    key_numbers(out, summary);
    for (size_t i = 0; i < section_count; i++)
        if (sections[i]->wanted == NULL || sections[i]->wanted(result))
            section_put(out, sections[i], result, &outcomes[i]);
    fputs("<h2>What was run</h2>\n", out);
    run_details(out, summary);
    page_definitions(out);
    html_end(out);
}
