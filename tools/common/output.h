/* output.h: the place a verb writes to, a folder or a file, locked against other processes from
 * before the first look at it to the end.  The lock is DIR/.lock or FILE.lock, and is gone when the
 * verb ends; what a killed process leaves is taken over.  What goes wrong is said as cli.h's fail
 * does, and its exit code returned. */
#ifndef OUTPUT_H
#define OUTPUT_H
#include <stddef.h>
#include <stdio.h>

#include "common/lock.h"
#include "common/paths.h"

typedef struct output {
    file_lock lock;
    char folder[PATH_SIZE]; /* "" for a file */
    size_t n_existed;       /* bytes of the folder's path that were there before */
} output;

/* Makes and locks the folder, then removes NAME.tmp, for each of the n names, that a killed process
 * left. */
int output_open_folder(output *o, const char *folder, const char *const *names, size_t n);

/* The same for one file, with FILE.tmp and FILE.part.tmp. */
int output_open_file(output *o, const char *path);

/* A file that is replaced as a whole: it is written under a temporary name. */
typedef struct output_file {
    FILE *stream;
    char path[PATH_SIZE];
    char temporary[PATH_SIZE]; /* PATH.tmp */
} output_file;

int output_file_begin(output_file *f, const char *path);

/* Renames the file to its path if `code` is DONE and all is on the disk; else removes it.  Returns
 * the code, or that of what went wrong. */
int output_file_end(output_file *f, int code);

/* Gives the lock back, and removes the folders that were made if nothing is in them.  Does nothing
 * if all of *o is 0. */
void output_close(output *o);

#endif
