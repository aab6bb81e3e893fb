#include "traces/database.h"

#include "traces/message.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much work a file may make: instructions of SQLite's machine. A row takes some thirty and at
 * least six bytes; views and expressions that make more of them are not what a recorder writes. */
enum { STEPS_PER_CALL = 10000, STEPS_PER_BYTE = 16, STEPS_ANYWAY = 1000000 };

/* Bytes of the longest text or blob. */
enum { LONGEST_VALUE = 1 << 20 };

struct database {
    sqlite3 *sqlite;
    const char *path;
    uint64_t bytes, steps;
    struct trace_error damage;
};

static bool out_of_memory(struct database *database, struct trace_error *error)
{
    return trace_fail(error, false, "%s: out of memory", database->path);
}

static bool fail(struct database *database, const char *table)
{
    int code = sqlite3_errcode(database->sqlite);
    const char *why = code == SQLITE_INTERRUPT ? "takes more work than a file of its size should"
                                               : sqlite3_errmsg(database->sqlite);
    return trace_fail(&database->damage, true, "%s: %s%s%s", database->path, table,
                      table[0] != '\0' ? ": " : "", why);
}

/* Everything that comes, for SQLite to own; NULL after a failure. */
static unsigned char *read_all(struct trace_input *input, size_t *length, struct trace_error *error)
{
    unsigned char *bytes = NULL;
    size_t room = 0, got = 1;
    for (*length = 0; got > 0; *length += got) {
        if (room - *length < 1 << 16) {
            room += room / 2 + (1 << 18);
            unsigned char *grown = sqlite3_realloc64(bytes, room);
            if (grown == NULL) {
                sqlite3_free(bytes);
                trace_fail(error, false, "%s: out of memory", trace_input_path(input));
                return NULL;
            }
            bytes = grown;
        }
        if (!trace_input_read(input, bytes + *length, room - *length, &got, error)) {
            sqlite3_free(bytes);
            return NULL;
        }
    }
    return bytes;
}

static bool open_memory(struct database *database, struct trace_input *input,
                        struct trace_error *error)
{
    enum { WRITE_VERSION = 18, READ_VERSION = 19, HEADER = 100 };
    size_t length;
    unsigned char *bytes = read_all(input, &length, error);
    if (bytes == NULL)
        return false;
    database->bytes = length;
    if (length >= HEADER) /* a write-ahead log would be a file of its own, and is not there */
        bytes[WRITE_VERSION] = bytes[READ_VERSION] = 1;
    if (sqlite3_open_v2(":memory:", &database->sqlite, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        sqlite3_free(bytes);
        return out_of_memory(database, error);
    }
    /* Frees the bytes, also when it fails. */
    if (sqlite3_deserialize(
            database->sqlite, "main", bytes, (sqlite3_int64)length, (sqlite3_int64)length,
            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY) != SQLITE_OK)
        return out_of_memory(database, error);
    return true;
}

/* "file:PATH?immutable=1": no locks, no journal, nothing is ever written beside the file. */
static char *uri_of(const char *path)
{
    static const char hexadecimal[] = "0123456789abcdef", rest[] = "?immutable=1";
    char *uri = malloc(sizeof "file:" + 3 * strlen(path) + sizeof rest);
    if (uri == NULL)
        return NULL;
    char *to = stpcpy(uri, "file:");
    for (const char *at = path; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (strchr("?#%", *at) == NULL && byte > ' ' && byte < 0x7f) {
            *to++ = *at;
            continue;
        }
        *to++ = '%';
        *to++ = hexadecimal[byte >> 4];
        *to++ = hexadecimal[byte & 15];
    }
    strcpy(to, rest);
    return uri;
}

static bool open_file(struct database *database, const char *path, struct trace_error *error)
{
    char *uri = uri_of(path);
    if (uri == NULL)
        return out_of_memory(database, error);
    int code =
        sqlite3_open_v2(uri, &database->sqlite, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    free(uri);
    if (code == SQLITE_OK)
        return true;
    return trace_fail(error, false, "%s: %s", database->path,
                      database->sqlite != NULL ? sqlite3_errmsg(database->sqlite)
                                               : "out of memory");
}

static int count_steps(void *self)
{
    struct database *database = self;
    database->steps += STEPS_PER_CALL;
    return database->steps > STEPS_ANYWAY + STEPS_PER_BYTE * database->bytes;
}

/* What a schema may contain that is more than data is switched off. */
static void disarm(struct database *database)
{
    static const int off[] = {SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER,
                              SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_DQS_DDL,
                              SQLITE_DBCONFIG_DQS_DML};
    sqlite3 *sqlite = database->sqlite;
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        sqlite3_db_config(sqlite, off[i], 0, (int *)NULL);
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    sqlite3_limit(sqlite, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
    sqlite3_limit(sqlite, SQLITE_LIMIT_SQL_LENGTH, LONGEST_VALUE);
    sqlite3_limit(sqlite, SQLITE_LIMIT_EXPR_DEPTH, 64);
    sqlite3_limit(sqlite, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(sqlite, SQLITE_LIMIT_WORKER_THREADS, 0);
    sqlite3_progress_handler(sqlite, STEPS_PER_CALL, count_steps, database);
    sqlite3_exec(sqlite, "PRAGMA query_only=1; PRAGMA cell_size_check=1; PRAGMA mmap_size=0", NULL,
                 NULL, NULL);
}

bool database_open(struct trace_input *input, struct database **result, struct trace_error *error)
{
    const char *file = trace_input_plain_file(input);
    struct database *database = calloc(1, sizeof *database);
    *result = NULL;
    if (database == NULL)
        return trace_fail(error, false, "%s: out of memory", trace_input_path(input));
    database->path = trace_input_path(input);
    uint64_t done;
    trace_input_progress(input, &done, &database->bytes);
    if (file != NULL ? !open_file(database, file, error) : !open_memory(database, input, error)) {
        database_close(database);
        return false;
    }
    disarm(database);
    *result = database;
    return true;
}

void database_close(struct database *database)
{
    if (database == NULL)
        return;
    sqlite3_close(database->sqlite);
    free(database);
}

const struct trace_error *database_damage(const struct database *database)
{
    return &database->damage;
}

static bool prepare(struct database *database, const char *sql, sqlite3_stmt **statement,
                    const char *table)
{
    if (database->damage.message[0] != '\0')
        return false;
    return sqlite3_prepare_v2(database->sqlite, sql, -1, statement, NULL) == SQLITE_OK ||
           fail(database, table);
}

bool database_has(struct database *database, const char *table)
{
    static const char sql[] = "SELECT rootpage FROM sqlite_master WHERE type='table' AND name=?1";
    sqlite3_stmt *statement;
    if (!prepare(database, sql, &statement, ""))
        return false;
    sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    bool has = code == SQLITE_ROW && sqlite3_column_int64(statement, 0) > 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        fail(database, "");
    sqlite3_finalize(statement);
    return has;
}

/* "SELECT a,NULL,c FROM t": NULL for a column that the table lacks. Names are the program's own. */
static void make_select(struct database *database, const char *table, const char *const *columns,
                        char *sql, size_t room)
{
    size_t used = (size_t)snprintf(sql, room, "SELECT ");
    for (size_t i = 0; columns[i] != NULL && used < room; i++) {
        const char *column = columns[i] + (columns[i][0] == '=');
        bool exists = sqlite3_table_column_metadata(database->sqlite, "main", table, column, NULL,
                                                    NULL, NULL, NULL, NULL) == SQLITE_OK;
        used += (size_t)snprintf(sql + used, room - used, "%s%s%s%s", i > 0 ? "," : "",
                                 exists ? "\"" : "", exists ? column : "NULL", exists ? "\"" : "");
    }
    if (used < room)
        snprintf(sql + used, room - used, " FROM main.\"%s\"", table);
}

static void take_row(sqlite3_stmt *statement, const char *const *columns, struct database_row *row)
{
    row->given = 0;
    row->text = "";
    row->number++;
    for (int i = 0; columns[i] != NULL; i++) {
        row->values[i] = 0;
        if (columns[i][0] == '=') {
            const unsigned char *text = sqlite3_column_text(statement, i);
            row->text = text != NULL ? (const char *)text : "";
        } else if (sqlite3_column_type(statement, i) == SQLITE_INTEGER) {
            row->values[i] = sqlite3_column_int64(statement, i);
            row->given |= UINT32_C(1) << i;
        }
    }
}

bool database_read(struct database *database, const char *table, const char *const *columns,
                   bool (*take)(void *self, const struct database_row *row), void *self)
{
    enum { ROOM = 1024 };
    char sql[ROOM];
    sqlite3_stmt *statement;
    struct database_row row = {.number = 0};
    if (!database_has(database, table))
        return database->damage.message[0] == '\0';
    make_select(database, table, columns, sql, sizeof sql);
    if (!prepare(database, sql, &statement, table))
        return false;
    int code;
    bool good = true;
    while (good && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        take_row(statement, columns, &row);
        good = take(self, &row);
    }
    if (good && code != SQLITE_DONE)
        good = fail(database, table);
    sqlite3_finalize(statement);
    return good;
}
