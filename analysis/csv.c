/* The analyst's tables. Times are integer nanoseconds, sizes bytes; a mean has three decimals.
 *
 *   latency.csv      one row per process and op: quantiles, and the mean split by cause; the causes
 *                    add up to the mean exactly
 *   latency-cdf.csv  the distribution of each op's latency, simulated and (where the recording has
 *                    it) recorded: how many calls took latency_ns, and the share that took so long
 *                    or less. Every value while there are at most 1,024, else every bucket of the
 *                    histogram by its middle: files of several runs can be added up
 *   residency.csv    who had what where. scope `segment`: the whole segment, with the five figures
 *                    GPUView's users know; scope `process`: one process's share of it. A row stands
 *                    where something changed since that series' last row
 *   paging.csv       one row per paging operation, written as they finish; t_ns is that moment
 *   calls.csv        one row per call, written as they finish (only if asked for)
 *   engines.csv      per node and bin of equal length: share of time busy, mean length of its
 *                    hardware queue and of the software queues in front of it, share of time
 *                    switching; `link-in` and `link-out` are the link into and out of the adapters,
 *                    the mean of them where there are several: `1:link-in` is the second one's
 *   activity.csv     per bin of equal length, sums: bytes paged, context switches made and avoided,
 *                    references of the submissions and how many of them were resident
 *   frames.csv       per process that presents and bin of time in which it did: frames that ended
 *                    there, their mean and longest interval; presents dropped, flips late
 *   switches.csv     per node and pair of contexts: switches made, and avoided where both are the
 *                    same; no `from`: there was none before
 *   recorded.csv     recorded beside simulated latency of the same call, a regular sample */
#include "analysis/heap.h"
#include "analysis/human.h"
#include "analysis/record.h"
#include "model/status.h"

#include <inttypes.h>

static void comma(FILE *file)
{
    putc_unlocked(',', file);
}

static void next_number(FILE *file, uint64_t number)
{
    comma(file);
    csv_number(file, number);
}

static void next_thousandths(FILE *file, uint64_t thousandths)
{
    char text[HUMAN_ROOM];
    comma(file);
    fputs_unlocked(human_thousandths(text, thousandths), file);
}

static void next_decimal(FILE *file, double value)
{
    char text[HUMAN_ROOM];
    comma(file);
    fputs_unlocked(human_decimal(text, value, 6), file);
}

static void blame_columns(FILE *file)
{
    for (int cause = 0; cause < PROBE_CAUSES; cause++)
        fprintf(file, ",blame_%s_ns", probe_cause_names[cause]);
}

void csv_calls_header(FILE *file)
{
    fputs("index,t_ns,start_ns,return_ns,done_ns,pid,tid,op,status,latency_ns", file);
    blame_columns(file);
    putc('\n', file);
}

struct csv_word csv_word(const char *text)
{
    struct csv_word word = {.length = 0};
    size_t length = strlen(text);
    if (length >= sizeof word.text || text[strcspn(text, ",\"\r\n")] != 0)
        return word;
    memcpy(word.text, text, length);
    word.length = (unsigned char)length;
    return word;
}

/* Rows of the tables that are written while the run goes on, one per call or paging operation, are
 * put together here: a call of the library for each field would cost more than the digits. */
static void flush(struct csv_rows *rows)
{
    fwrite_unlocked(rows->text, 1, rows->length, rows->file);
    rows->length = 0;
}

/* Makes room for what a row has at most: CSV_NUMBERS, and texts of up to CSV_TEXT bytes. */
static void row_begin(struct csv_rows *rows)
{
    enum { MOST = CSV_NUMBERS * (HUMAN_DIGITS + 1) + CSV_TEXTS * (CSV_TEXT + 1) };
    if (sizeof rows->text - rows->length < MOST)
        flush(rows);
}

static void row_comma(struct csv_rows *rows)
{
    rows->text[rows->length++] = ',';
}

static void row_number(struct csv_rows *rows, uint64_t number)
{
    rows->length += human_digits(rows->text + rows->length, number);
}

static void row_next(struct csv_rows *rows, uint64_t number)
{
    row_comma(rows);
    if (number < 10)
        rows->text[rows->length++] = (char)('0' + number);
    else
        row_number(rows, number);
}

static void row_text(struct csv_rows *rows, const char *text)
{
    static const bool stops[256] = {
        [0] = true, [','] = true, ['"'] = true, ['\r'] = true, ['\n'] = true};
    size_t length = 0;
    char *to = rows->text + rows->length;
    for (; length < CSV_TEXT && !stops[(unsigned char)text[length]]; length++)
        to[length] = text[length];
    if (text[length] == 0) {
        rows->length += length;
    } else { /* it needs quotes, or more room */
        flush(rows);
        csv_text(rows->file, text);
    }
}

/* The text, of which `word` is the word. */
static void row_word(struct csv_rows *rows, const struct csv_word *word, const char *text)
{
    if (word->length == 0) {
        row_text(rows, text);
        return;
    }
    memcpy(rows->text + rows->length, word->text, sizeof word->text);
    rows->length += word->length;
}

static void row_end(struct csv_rows *rows)
{
    rows->text[rows->length++] = '\n';
}

void csv_calls_row(struct csv_rows *rows, const struct probe_call *call, uint64_t latency_ns)
{
    char room[16];
    row_begin(rows);
    row_number(rows, call->index);
    row_next(rows, call->due_ns);
    row_next(rows, call->start_ns);
    row_next(rows, call->return_ns);
    row_comma(rows);
    if (call->asynchronous)
        row_number(rows, call->done_ns);
    row_next(rows, call->pid);
    row_next(rows, call->tid);
    row_comma(rows);
    row_text(rows, call->op);
    row_comma(rows);
    row_text(rows, status_text(call->status, room));
    row_next(rows, latency_ns);
    for (int cause = 0; cause < PROBE_CAUSES; cause++)
        row_next(rows, call->blame_ns[cause]);
    row_end(rows);
}

void csv_paging_header(FILE *file)
{
    fputs("t_ns,op,allocation,bytes,from,to,queued_ns,started_ns,finished_ns,cause,pid\n", file);
}

static void row_segment(struct csv_rows *rows, const struct recorder *recorder, uint32_t segment)
{
    static const struct csv_word none;
    row_comma(rows);
    row_word(rows, segment < RECORD_SEGMENTS ? &recorder->segment[segment].word : &none,
             record_segment_name(recorder, segment));
}

void csv_paging_row(struct recorder *recorder, const struct probe_paging *operation,
                    const struct csv_word *cause)
{
    struct csv_rows *rows = &recorder->paging_csv;
    char finished[HUMAN_DIGITS]; /* twice in a row */
    size_t digits = human_digits(finished, operation->finished_ns);
    row_begin(rows);
    memcpy(rows->text + rows->length, finished, sizeof finished);
    rows->length += digits;
    row_comma(rows);
    row_word(rows, &recorder->paging_word[operation->kind], probe_paging_names[operation->kind]);
    row_comma(rows);
    if (operation->allocation.text != NULL)
        row_text(rows, operation->allocation.text);
    else
        row_number(rows, operation->allocation.number);
    row_next(rows, operation->bytes);
    row_segment(rows, recorder, operation->from);
    row_segment(rows, recorder, operation->to);
    row_next(rows, operation->queued_ns);
    row_next(rows, operation->started_ns);
    row_comma(rows);
    memcpy(rows->text + rows->length, finished, sizeof finished);
    rows->length += digits;
    row_comma(rows);
    row_word(rows, cause, operation->cause != NULL ? operation->cause : "unknown");
    row_next(rows, operation->pid);
    row_end(rows);
}

/* A quantile, or nothing where there are too few samples for it. */
static void next_quantile(FILE *file, const struct histogram *histogram, unsigned permille)
{
    uint64_t value;
    if (histogram_quantile(histogram, permille, &value))
        next_number(file, value);
    else
        comma(file);
}

static void write_latency(const struct recorder *recorder, FILE *file)
{
    uint32_t order[RECORD_OPS], count = record_sorted_ops(recorder, order);
    fputs("pid,op,count,failures,min_ns,mean_ns,p50_ns,p90_ns,p99_ns,p999_ns,max_ns", file);
    blame_columns(file);
    fputs(",p95_ns\n", file);
    for (const struct record_process *process = recorder->processes; process != NULL;
         process = process->hh.next)
        for (uint32_t i = 0; i < count; i++) {
            const struct record_calls *calls = process->calls[order[i]];
            struct record_blame mean;
            if (calls == NULL)
                continue;
            const struct histogram *latency = &calls->latency;
            record_blame_mean(calls->blame_ns, latency->count, &mean);
            csv_number(file, process->pid);
            comma(file);
            csv_text(file, recorder->op[order[i]].name);
            next_number(file, latency->count);
            next_number(file, calls->failures);
            next_number(file, latency->min);
            next_thousandths(file, (uint64_t)(latency->sum * 1000 / latency->count));
            next_quantile(file, latency, 500);
            next_quantile(file, latency, 900);
            next_quantile(file, latency, 990);
            next_quantile(file, latency, 999);
            next_number(file, latency->max);
            for (int cause = 0; cause < PROBE_CAUSES; cause++)
                next_thousandths(file, mean.part[cause]);
            next_quantile(file, latency, 950);
            putc('\n', file);
        }
}

struct cdf {
    FILE *file;
    const char *op, *source;
    uint64_t count, last;
};

static void cdf_point(void *self, uint64_t value, uint64_t cumulative)
{
    struct cdf *cdf = self;
    csv_text(cdf->file, cdf->op);
    comma(cdf->file);
    fputs_unlocked(cdf->source, cdf->file);
    next_number(cdf->file, value);
    next_decimal(cdf->file, (double)cumulative / (double)cdf->count);
    next_number(cdf->file, cumulative - cdf->last);
    putc_unlocked('\n', cdf->file);
    cdf->last = cumulative;
}

static void write_cdf(const struct recorder *recorder, FILE *file)
{
    uint32_t order[RECORD_OPS], count = record_sorted_ops(recorder, order);
    fputs("op,source,latency_ns,share,count\n", file);
    for (uint32_t i = 0; i < count; i++) {
        const struct record_op *op = &recorder->op[order[i]];
        const struct record_errors *known = op->done.recorded.count != 0 ? &op->done : &op->dur;
        struct record_calls calls;
        record_op_calls(recorder, order[i], &calls);
        struct cdf simulated = {file, op->name, "simulated", calls.latency.count, 0};
        histogram_walk(&calls.latency, cdf_point, &simulated);
        /* How long the call itself took is no match for when its asynchronous part was done. */
        if (known == &op->dur && calls.returned.count != 0)
            known = &op->done;
        struct cdf recorded = {file, op->name, "recorded", known->recorded.count, 0};
        histogram_walk(&known->recorded, cdf_point, &recorded);
        record_calls_clear(&calls);
    }
}

/* Where the writing of one series has got to. */
struct cursor {
    const struct record_space *space;
    uint32_t pid, point;
    uint64_t resident, committed; /* at that point */
    uint64_t outside; /* of an owner's first: what its last row for system memory said */
};

static void residency_row(const struct recorder *recorder, FILE *file, uint64_t t_ns,
                          const struct cursor *cursor, const uint64_t *values, uint32_t width)
{
    const struct record_space *space = cursor->space;
    csv_number(file, t_ns);
    fputs(space->whole ? ",segment," : ",process,", file);
    if (!space->whole)
        csv_number(file, cursor->pid);
    comma(file);
    csv_text(file, record_segment_name(recorder, space->segment));
    for (uint32_t i = 0; i < SERIES_WIDTH; i++) {
        comma(file);
        if (i < width)
            csv_number(file, values[i]);
    }
    putc('\n', file);
}

static bool residency_point(const struct recorder *recorder, FILE *file, struct cursor *cursor,
                            uint32_t instant)
{
    const struct series *series = &cursor->space->series;
    if (cursor->point == series->count || series->instant[cursor->point] != instant)
        return false;
    const uint64_t *values = series->values + (size_t)cursor->point * series->width;
    uint32_t width = cursor->space->whole && cursor->space->segment == 0 ? 2 : series->width;
    residency_row(recorder, file, recorder->sampler.t_ns[instant], cursor, values, width);
    cursor->resident = values[0];
    cursor->committed = values[1];
    cursor->point++;
    return true;
}

/* What an owner has in no segment, if that is news: it exists and is not resident. */
static void outside_row(FILE *file, uint64_t t_ns, struct cursor *first, size_t count)
{
    uint64_t resident = 0, committed = 0;
    for (size_t i = 0; i < count; i++) {
        resident += first[i].resident;
        committed += first[i].committed;
    }
    uint64_t outside = committed > resident ? committed - resident : 0;
    if (outside == first->outside)
        return;
    first->outside = outside;
    csv_number(file, t_ns);
    fputs(first->space->whole ? ",segment," : ",process,", file);
    if (!first->space->whole)
        csv_number(file, first->pid);
    fputs(",system,", file);
    csv_number(file, outside);
    fputs(",,,,,,\n", file);
}

/* How many cursors from here on belong to the same owner: the machine, or a process. */
static size_t of_owner(const struct cursor *first, size_t left)
{
    size_t count = 1;
    while (count < left && first[count].space->whole == first->space->whole &&
           first[count].pid == first->pid)
        count++;
    return count;
}

static void write_residency(const struct recorder *recorder, FILE *file)
{
    size_t room = RECORD_SEGMENTS * (1 + (size_t)HASH_COUNT(recorder->processes)), count = 0;
    struct cursor *cursors = heap_new(room, sizeof *cursors);
    for (uint32_t i = 0; i < RECORD_SEGMENTS; i++)
        if (recorder->space[i].series.count != 0)
            cursors[count++] = (struct cursor){.space = &recorder->space[i]};
    for (const struct record_process *process = recorder->processes; process != NULL;
         process = process->hh.next)
        for (uint32_t i = 0; i < RECORD_SEGMENTS; i++)
            if (process->space[i] != NULL)
                cursors[count++] = (struct cursor){.space = process->space[i], .pid = process->pid};

    fputs("t_ns,scope,pid,segment,resident_bytes,committed_bytes,allocated_bytes,marked_bytes,"
          "free_bytes,largest_free_bytes,largest_free_or_marked_bytes\n",
          file);
    for (uint32_t instant = 0; instant < recorder->sampler.count; instant++)
        for (size_t i = 0, owned; i < count; i += owned) {
            bool news = false;
            owned = of_owner(&cursors[i], count - i);
            for (size_t k = i; k < i + owned; k++)
                news |= residency_point(recorder, file, &cursors[k], instant);
            if (news)
                outside_row(file, recorder->sampler.t_ns[instant], &cursors[i], owned);
        }
    /* What held at the end, so that every line reaches it. The five figures were the model's to
     * tell, and it is gone. */
    for (size_t i = 0, owned; i < count; i += owned) {
        owned = of_owner(&cursors[i], count - i);
        for (size_t k = i; k < i + owned; k++) {
            struct cursor *cursor = &cursors[k];
            uint64_t values[2] = {cursor->space->resident, cursor->space->committed};
            residency_row(recorder, file, recorder->end_ns, cursor, values, 2);
            cursor->resident = values[0];
            cursor->committed = values[1];
        }
        cursors[i].outside = UINT64_MAX;
        outside_row(file, recorder->end_ns, &cursors[i], owned);
    }
    free(cursors);
}

/* Mean of a lane over one bin of `length` nanoseconds, as a field. */
static void next_mean(FILE *file, const struct bins *bins, uint32_t bin, int lane, uint64_t length)
{
    bool any = bin < bins->used && length != 0;
    next_decimal(file, any ? (double)bins->value[bin][lane] / (double)length : 0);
}

static void write_link(FILE *file, const struct bins *bins, uint64_t start, int in,
                       const char *adapter, uint64_t length)
{
    csv_number(file, start);
    putc(',', file);
    fputs(adapter, file);
    fputs(in ? "link-in" : "link-out", file);
    next_mean(file, bins, (uint32_t)(start >> bins->shift), in, length);
    fputs(",,,\n", file);
}

static void write_engines(const struct recorder *recorder, FILE *file)
{
    uint32_t shift = recorder->link_bins.shift;
    uint64_t width = (uint64_t)1 << shift;
    fputs("t_ns,node,busy_share,queue_depth_mean,waiting_mean,switch_share\n", file);
    for (uint32_t bin = 0; bin < recorder->link_bins.used; bin++) {
        uint64_t start = (uint64_t)bin << shift;
        uint64_t length = recorder->end_ns - start < width ? recorder->end_ns - start : width;
        for (uint32_t i = 0; i < RECORD_NODES; i++) {
            const struct record_node *node = &recorder->node[i];
            if (!node->used)
                continue;
            csv_number(file, start);
            next_number(file, i);
            next_mean(file, &node->bins, bin, RECORD_BUSY, length);
            next_mean(file, &node->bins, bin, RECORD_DEPTH, length);
            next_mean(file, &node->bins, bin, RECORD_WAITING, length);
            next_mean(file, &node->bins, bin, RECORD_SWITCHING, length);
            putc('\n', file);
        }
        for (int in = 1; in >= 0; in--)
            write_link(file, &recorder->link_bins, start, in, "",
                       recorder->adapters > 1 ? length * recorder->adapters : length);
        for (uint32_t i = 0; recorder->links != NULL && i < recorder->adapters; i++)
            for (int in = 1; in >= 0; in--) {
                char adapter[16];
                snprintf(adapter, sizeof adapter, "%" PRIu32 ":", i);
                write_link(file, &recorder->links[i], start, in, adapter, length);
            }
    }
}

static void write_activity(const struct recorder *recorder, FILE *file)
{
    const struct bins *paging = &recorder->paging_bins, *switches = &recorder->switch_bins;
    uint64_t width = (uint64_t)1 << paging->shift;
    fputs("t_ns,width_ns,page_in_bytes,page_out_bytes,fill_bytes,discard_bytes,switches,"
          "switches_avoided,references,hits\n",
          file);
    for (uint32_t bin = 0; bin < paging->used; bin++) {
        uint64_t start = (uint64_t)bin << paging->shift, left = recorder->end_ns - start;
        csv_number(file, start);
        next_number(file, left < width ? left : width);
        for (int lane = 0; lane < BINS_LANES; lane++)
            next_number(file, paging->value[bin][lane]);
        for (int lane = 0; lane < BINS_LANES; lane++)
            next_number(file, bin < switches->used ? switches->value[bin][lane] : 0);
        putc('\n', file);
    }
}

static void write_frames(const struct recorder *recorder, FILE *file)
{
    fputs("t_ns,pid,frames,mean_ns,longest_ns,dropped,late\n", file);
    for (const struct record_process *process = recorder->processes; process != NULL;
         process = process->hh.next)
        for (uint32_t i = 0; process->frames != NULL && i < process->frames->used; i++) {
            const struct frame_bin *bin = &process->frames->bin[i];
            if (bin->count == 0 && bin->dropped == 0 && bin->late == 0)
                continue;
            csv_number(file, (uint64_t)i << process->frames->shift);
            next_number(file, process->pid);
            next_number(file, bin->count);
            if (bin->count != 0)
                next_thousandths(file, (uint64_t)((histogram_sum)bin->sum_ns * 1000 / bin->count));
            else
                comma(file);
            next_number(file, bin->longest_ns);
            next_number(file, bin->dropped);
            next_number(file, bin->late);
            putc('\n', file);
        }
}

static void next_context(FILE *file, const struct recorder *recorder, uint32_t id)
{
    struct record_context *context;
    HASH_FIND(hh, recorder->contexts, &id, sizeof id, context);
    comma(file);
    if (context != NULL)
        csv_text(file, context->name != NULL ? context->name : "");
    comma(file);
    if (context != NULL)
        csv_number(file, context->pid);
}

static void write_switches(const struct recorder *recorder, FILE *file)
{
    fputs("node,from,from_pid,to,to_pid,made,avoided,cost_ns\n", file);
    for (const struct record_switch *kind = recorder->switch_kinds; kind != NULL;
         kind = kind->hh.next) {
        csv_number(file, kind->key.node);
        next_context(file, recorder, kind->key.from);
        next_context(file, recorder, kind->key.to);
        next_number(file, kind->made);
        next_number(file, kind->avoided);
        next_number(file, kind->cost_ns);
        putc('\n', file);
    }
}

static void write_recorded(const struct recorder *recorder, FILE *file)
{
    enum { MOST = 20000 };
    uint32_t order[RECORD_OPS], count = record_sorted_ops(recorder, order);
    uint64_t pairs = 0, at = 0;
    for (uint32_t i = 0; i < count; i++)
        pairs += recorder->op[order[i]].pairs.count;
    uint64_t stride = pairs / MOST + (pairs % MOST != 0);
    fputs("recorded_latency_ns,simulated_latency_ns,op,kind\n", file);
    for (uint32_t i = 0; i < count; i++) {
        const struct record_pairs *kept = &recorder->op[order[i]].pairs;
        for (uint32_t p = 0; p < kept->count; p++, at++) {
            if (at % stride != 0)
                continue;
            csv_number(file, kept->pair[p][0]);
            next_number(file, kept->pair[p][1]);
            comma(file);
            csv_text(file, recorder->op[order[i]].name);
            fputs(kept->done[p] ? ",done\n" : ",dur\n", file);
        }
    }
}

static void write_misses(const struct recorder *recorder, FILE *file)
{
    enum { ROWS = 2000 };
    miss_curve_write(recorder->misses, miss_curve_enough(recorder->misses) / ROWS, file);
}

static void write_working_set(const struct recorder *recorder, FILE *file)
{
    working_set_write(recorder->working, file);
}

bool csv_write(struct recorder *recorder, char *error, size_t error_size)
{
    static const struct {
        const char *name;
        void (*write)(const struct recorder *recorder, FILE *file);
    } tables[] = {
        {"latency.csv", write_latency},     {"latency-cdf.csv", write_cdf},
        {"residency.csv", write_residency}, {"engines.csv", write_engines},
        {"activity.csv", write_activity},   {"frames.csv", write_frames},
        {"switches.csv", write_switches},   {"recorded.csv", write_recorded},
        {"miss-ratio.csv", write_misses},   {"working-set.csv", write_working_set},
    };
    if (recorder->calls_csv.file != NULL)
        flush(&recorder->calls_csv);
    if (recorder->paging_csv.file != NULL)
        flush(&recorder->paging_csv);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        FILE *file = output_open(&recorder->output, tables[i].name, error, error_size);
        if (file == NULL)
            return false;
        tables[i].write(recorder, file);
    }
    return true;
}
