/* Files of a result folder that appear only when they are complete: each is written as NAME.part
 * beside its final place and renamed at the end, all of them together. */
#ifndef WDDMSIM_ANALYSIS_OUTPUT_H
#define WDDMSIM_ANALYSIS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct probe_label;

enum { OUTPUT_FILES = 24 };

/* All zero, with `directory` set (the caller's string), is a folder nothing is written to yet. */
struct output {
    const char *directory;
    size_t count;
    struct output_file {
        FILE *file;
        char *part, *final;
    } files[OUTPUT_FILES];
};

/* Makes a folder and the ones above it; one that exists is fine. */
bool output_folder(const char *directory, char *error, size_t error_size);

/* Opens NAME.part for writing. The stream belongs to `output`. NULL and a message on failure. */
FILE *output_open(struct output *output, const char *name, char *error, size_t error_size);

/* Closes and renames everything opened; on failure nothing new is left behind. */
bool output_commit(struct output *output, char *error, size_t error_size);

/* Closes and removes everything not committed. */
void output_abandon(struct output *output);

/* DIRECTORY/NAME; free() it. */
char *output_path(const char *directory, const char *name);

/* CSV fields, without the comma. Text is quoted when it has to be. */
void csv_number(FILE *file, uint64_t number);
void csv_text(FILE *file, const char *text);

#endif
