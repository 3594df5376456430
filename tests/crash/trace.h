/* trace.h: runs a program and sees its operations on files, through ptrace.  One of them can be
 * made to fail, to do half of its work, or to be the program's last.  Linux on x86-64.
 *
 * Seen are the operations on paths without a slash at their beginning, and on what was opened by
 * them; so the program is run in a folder of its own with relative paths.  What is written to
 * standard output is seen too.  The program must have one thread. */
#ifndef TRACE_H
#define TRACE_H
#include <stddef.h>
#include <stdint.h>

#include "tree.h"

typedef enum trace_kind {
    TRACE_OPEN,
    TRACE_CLOSE,
    TRACE_READ,
    TRACE_WRITE,
    TRACE_TRUNCATE,
    TRACE_SYNC,
    TRACE_RENAME,
    TRACE_REMOVE,
    TRACE_MAKE_FOLDER,
    TRACE_REMOVE_FOLDER,
    TRACE_LOCK,
    TRACE_SEEK,
    TRACE_OTHER /* none of these: not told to anybody */
} trace_kind;

extern const char *const trace_kind_names[];

enum {
    TRACE_STDOUT = 1, /* the descriptor */
    TRACE_NO_OFFSET = -1
};

typedef struct trace_operation {
    trace_kind kind;
    char path[TREE_PATH]; /* of an open file: as it was opened; "" for standard output */
    char to[TREE_PATH];   /* of a rename */
    int descriptor;       /* of an open file, or the new one of an open */
    int creates;          /* of an open: O_CREAT */
    int empties;          /* of an open: O_TRUNC */
    int appends;          /* of an open: O_APPEND */
    const unsigned char *bytes; /* what was written */
    size_t n;             /* how many were; of a truncation: the new size */
    int64_t offset;       /* where, or TRACE_NO_OFFSET: behind what was written before */
    long result;          /* as the system gives it: negative if it failed */
} trace_operation;

typedef enum trace_action {
    TRACE_NOTHING,
    TRACE_KILL,      /* instead of the operation */
    TRACE_KILL_HALF, /* after half of a write */
    TRACE_FAIL,      /* the operation is not done, and gives the code */
    TRACE_SHORTEN    /* half of a read or write is done */
} trace_action;

typedef struct trace_plan {
    trace_action action;
    long at;        /* the number of the operation among those that are meant, from 1 */
    int forever;    /* 1: and to all of them after it */
    int code;       /* EIO, ENOSPC, ... */
    /* Whether an operation is meant. */
    int (*means)(const trace_operation *operation);
    /* Called after each operation of any kind that was done, if it is not NULL. */
    void (*seen)(void *user, const trace_operation *operation);
    void *user;
} trace_plan;

typedef struct trace_end {
    int code;     /* the exit code, or 128 and the signal */
    int applied;  /* 1: there was an operation of that number */
    long n_meant; /* operations that are meant */
} trace_end;

/* Whether an operation changes the disk. */
int trace_changes(const trace_operation *operation);

/* Runs argv in the folder.  Its standard output and error go to these files, standard input is
 * empty. */
trace_end trace_run(char *const *argv, const char *folder, const char *out, const char *err,
                    const trace_plan *plan);

/* The same without looking at it. */
int trace_run_alone(char *const *argv, const char *folder, const char *out, const char *err);
#endif
