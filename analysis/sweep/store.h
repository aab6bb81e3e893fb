/* The folder of a sweep: one file per finished point, whose name says what was run. A point that
 * has its file is never run again, whoever made it and when; one that was being run when its
 * process died has none. */
#ifndef WDDMSIM_ANALYSIS_SWEEP_STORE_H
#define WDDMSIM_ANALYSIS_SWEEP_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { STORE_KEY_SIZE = 33 }; /* 32 hexadecimal digits and the end */

/* Makes the folder and points/ in it, and clears away what processes of this machine that are no
 * more have left half written. False and a message if nothing can be written there. */
bool store_open(const char *directory, char *error, size_t error_size);

/* Whether the point is finished. */
bool store_has(const char *directory, const char *key);

/* Its result, NULL if there is none or it cannot be read; json_decref it. */
json_t *store_load(const char *directory, const char *key);

/* Writes the result under a name of its own and renames it; a note of failure goes. False and a
 * message on failure, with errno set and nothing left behind. */
bool store_save(const char *directory, const char *key, const json_t *result, char *error,
                size_t error_size);

/* Removes a result that turned out to be damaged. */
void store_forget(const char *directory, const char *key);

/* Notes why a point failed, for whoever merges the shards of a sweep; what cannot be written is
 * not noted. */
void store_note_failure(const char *directory, const char *key, const char *message);

/* The note; NULL if there is none; free() it. */
char *store_failure(const char *directory, const char *key);

/* A path for writing DIRECTORY/FOLDER/NAME in private: hidden, of this process, and cleared away by
 * store_open if it is left behind. `ending` may matter to who writes it. free() it. */
char *store_private_path(const char *directory, const char *folder, const char *name,
                         const char *ending);

#endif
