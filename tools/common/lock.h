/* lock.h: a lock that one process holds on a file, until it ends in whatever way: the system takes
 * it back, so that the file which a killed process leaves is in nobody's way.  Symbolic links are
 * not followed.  Works on POSIX and on Windows. */
#ifndef LOCK_H
#define LOCK_H
#include <stdint.h>

enum { LOCK_PATH_SIZE = 4608, LOCK_TEXT_SIZE = 128 };

typedef enum lock_status {
    LOCK_TAKEN,
    LOCK_BUSY,      /* another process holds it; text says which, or is "" */
    LOCK_NO_LOCKS,  /* the file system has none: nothing is held */
    LOCK_READ_ONLY, /* there is no such file and none can be made here: text says why */
    LOCK_NO_FOLDER, /* the folder of the file is not there */
    LOCK_FOREIGN,   /* a link, or a file that was not made here; it is left alone */
    LOCK_FAILED     /* text says why */
} lock_status;

typedef struct file_lock {
    int open; /* 1 from lock_take to lock_release, if there is something to release */
    intptr_t handle;
    char path[LOCK_PATH_SIZE];
    char text[LOCK_TEXT_SIZE];
} file_lock;

/* Takes the lock without waiting, and writes into the file who has it.  The path is a name that
 * nothing else has: an existing file is taken over only if it is empty or a lock file. */
lock_status lock_take(file_lock *lock, const char *path);

/* Removes the file and gives the lock back.  Does nothing if none is held. */
void lock_release(file_lock *lock);

#endif
