/* Processes and files of a sweep: jobs that end well, badly or not at all, results that are whole
 * or not there. */
#include "analysis/output.h"
#include "analysis/sweep/pool.h"
#include "analysis/sweep/store.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { JOBS = 40 };

/* What the jobs leave; the counts are shared with their processes. */
struct record {
    int *runs;
    int done[JOBS], ended[JOBS];
    char message[JOBS][200];
    size_t most_running;
    size_t stop_after; /* jobs; 0: never */
};

static struct record *start(void)
{
    struct record *record = calloc(1, sizeof *record);
    record->runs = mmap(NULL, JOBS * sizeof *record->runs, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(record->runs != MAP_FAILED);
    return record;
}

static void finish(struct record *record)
{
    munmap(record->runs, JOBS * sizeof *record->runs);
    free(record);
}

static void note(void *self, size_t index, bool done, const char *message)
{
    struct record *record = self;
    record->ended[index]++;
    record->done[index] = done;
    snprintf(record->message[index], sizeof record->message[index], "%s", message);
}

static bool look(void *self, const struct pool_counts *counts)
{
    struct record *record = self;
    if (counts->running > record->most_running)
        record->most_running = counts->running;
    return record->stop_after == 0 || counts->done + counts->failed < record->stop_after;
}

/* Every kind of end, by the job's number. */
static enum pool_status all_kinds(void *self, size_t index)
{
    struct record *record = self;
    int run = ++record->runs[index];
    switch (index) {
    case 3:
        fprintf(stderr, "\nno good: \033[31m\nmore\n");
        return POOL_FAILED;
    case 5:
        abort();
    case 7: /* dies once */
        if (run == 1)
            raise(SIGKILL);
        return POOL_DONE;
    case 11:
        fprintf(stderr, "about to leave\n");
        _exit(42);
    case 13:
        return POOL_FAILED;
    case 17: /* more than a pipe holds: nobody waits for anybody */
        for (int i = 0; i < 100000; i++)
            fputs("chatter ", stderr);
        return POOL_DONE;
    default:
        printf("to nobody\n");
        return getchar() == EOF ? POOL_DONE : POOL_FAILED;
    }
}

static void every_end_is_told(void **unused)
{
    (void)unused;
    char message[200];
    for (unsigned workers = 1; workers <= 9; workers += 4) {
        struct record *record = start();
        const struct pool pool = {workers, all_kinds, note, look, record};
        assert_int_equal(pool_run(&pool, JOBS, message, sizeof message), POOL_COMPLETE);
        for (size_t i = 0; i < JOBS; i++) {
            bool fails = i == 3 || i == 5 || i == 11 || i == 13;
            bool crashes = i == 5 || i == 7 || i == 11;
            assert_int_equal(record->ended[i], 1);
            assert_int_equal(record->done[i], !fails);
            assert_int_equal(record->runs[i], crashes ? 2 : 1); /* a second try for crashes only */
            assert_int_equal(record->message[i][0] != 0, fails);
        }
        assert_string_equal(record->message[3], "no good: ?[31m");
        assert_non_null(strstr(record->message[5], "signal 6"));
        assert_string_equal(record->message[11], "exit status 42: about to leave");
        assert_string_equal(record->message[13], "failed, and did not say why");
        assert_in_range(record->most_running, 0, workers);
        finish(record);
    }
}

static enum pool_status stops_at_four(void *self, size_t index)
{
    struct record *record = self;
    record->runs[index]++;
    if (index == 4) {
        fprintf(stderr, "the disk is full\n");
        return POOL_STOP;
    }
    return POOL_DONE;
}

static void what_stops_one_stops_all(void **unused)
{
    (void)unused;
    char message[200];
    struct record *record = start();
    const struct pool pool = {1, stops_at_four, note, NULL, record};
    assert_int_equal(pool_run(&pool, JOBS, message, sizeof message), POOL_STOPPED);
    assert_string_equal(message, "the disk is full");
    for (size_t i = 0; i < JOBS; i++) {
        assert_int_equal(record->runs[i], i <= 4);
        assert_int_equal(record->ended[i], i < 4);
    }
    finish(record);
}

static enum pool_status sleeps(void *self, size_t index)
{
    struct record *record = self;
    record->runs[index] = getpid();
    if (index > 1)
        sleep(60);
    return POOL_DONE;
}

static void interruption_ends_every_job(void **unused)
{
    (void)unused;
    char message[200];
    struct record *record = start();
    record->stop_after = 2;
    const struct pool pool = {3, sleeps, note, look, record};
    assert_int_equal(pool_run(&pool, JOBS, message, sizeof message), POOL_INTERRUPTED);
    for (size_t i = 2; i < JOBS; i++) {
        assert_int_equal(record->ended[i], 0);
        if (record->runs[i] != 0) {
            assert_int_equal(kill(record->runs[i], 0), -1);
            assert_int_equal(errno, ESRCH);
        }
    }
    finish(record);
}

static void nothing_to_do(void **unused)
{
    (void)unused;
    char message[200];
    const struct pool pool = {4, sleeps, note, NULL, NULL};
    assert_int_equal(pool_run(&pool, 0, message, sizeof message), POOL_COMPLETE);
}

/* The store. */

static char folder[64];
static const char key[] = "0123456789abcdef0123456789abcdef";

static int make_folder(void **unused)
{
    (void)unused;
    strcpy(folder, "/tmp/wddmsim-store-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static size_t entries(const char *name)
{
    size_t count = 0;
    char *path = output_path(folder, name);
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (directory != NULL)
        closedir(directory);
    free(path);
    return count;
}

static int remove_folder(void **unused)
{
    (void)unused;
    char *points = output_path(folder, "points");
    DIR *directory = opendir(points);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char *path = output_path(points, entry->d_name);
        unlink(path);
        free(path);
    }
    if (directory != NULL)
        closedir(directory);
    rmdir(points);
    free(points);
    return rmdir(folder);
}

static void write_at(const char *name, const char *text)
{
    char *path = output_path(folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    free(path);
}

static void results_are_whole_or_not_there(void **unused)
{
    (void)unused;
    char error[300];
    assert_true(store_open(folder, error, sizeof error));
    assert_int_equal(entries("points"), 0);
    assert_false(store_has(folder, key));
    assert_null(store_load(folder, key));
    assert_null(store_failure(folder, key));

    store_note_failure(folder, key, "it broke");
    char *why = store_failure(folder, key);
    assert_string_equal(why, "it broke");
    free(why);
    assert_false(store_has(folder, key));

    json_t *result = json_pack("{s:i}", "answer", 42);
    assert_true(store_save(folder, key, result, error, sizeof error));
    assert_true(store_has(folder, key));
    assert_null(store_failure(folder, key)); /* that is over */
    json_t *back = store_load(folder, key);
    assert_true(json_equal(result, back));
    json_decref(back);
    json_decref(result);
    assert_int_equal(entries("points"), 1);

    static const char *const damaged[] = {"", "{", "{\"answer\":4", "{\"answer\":42}"};
    for (size_t i = 0; i < 4; i++) {
        write_at("points/0123456789abcdef0123456789abcdef.json", damaged[i]);
        assert_false(store_has(folder, key));
    }
    write_at("points/0123456789abcdef0123456789abcdef.json", "{]}\n"); /* ends well, and is none */
    assert_true(store_has(folder, key));
    assert_null(store_load(folder, key));
    store_forget(folder, key);
    assert_false(store_has(folder, key));
}

static void leftovers_are_cleared(void **unused)
{
    (void)unused;
    char error[300], name[300], host[64];
    assert_true(store_open(folder, error, sizeof error));
    char *own = store_private_path(folder, "points", key, ".part");
    const char *last = strrchr(own, '/');
    assert_int_equal(last[1], '.');
    assert_int_equal(sscanf(last + 1, ".%*32[0-9a-f].%63[^.]", host), 1);
    snprintf(name, sizeof name, "points/%s", last + 1);
    write_at(name, "of this process, which is alive");
    snprintf(name, sizeof name, "points/.%s.%s.%d.part", key, host, 99999999);
    write_at(name, "of none that is");
    write_at("points/.0.another-host.99999999.part", "of another machine");
    write_at("points/note.txt", "not ours");
    assert_true(store_open(folder, error, sizeof error));
    assert_int_equal(entries("points"), 3);
    assert_int_equal(access(own, F_OK), 0);
    unlink(own);
    free(own);
}

static void folders_that_cannot_be(void **unused)
{
    (void)unused;
    char error[300] = "";
    assert_false(store_open("/proc/no/such/place", error, sizeof error));
    assert_non_null(strstr(error, "/proc"));
    assert_false(store_open("/dev/null", error, sizeof error));
    json_t *result = json_object();
    char *missing = output_path(folder, "missing");
    assert_false(store_save(missing, key, result, error, sizeof error));
    assert_int_equal(errno, ENOENT);
    free(missing);
    json_decref(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_end_is_told),
        cmocka_unit_test(what_stops_one_stops_all),
        cmocka_unit_test(interruption_ends_every_job),
        cmocka_unit_test(nothing_to_do),
        cmocka_unit_test_setup_teardown(results_are_whole_or_not_there, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(leftovers_are_cleared, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(folders_that_cannot_be, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
