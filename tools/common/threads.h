/* threads.h: how threads wait.  Where a thread has nothing to do, GNU's OpenMP lets it spin for milliseconds; on a machine that
   does other work too this takes the core away from the thread it waits for, and training slows to a third.  Spinning for some
   microseconds costs nothing.  The setting is read before main begins, so the program starts itself again, once, with it. */
#ifndef THREADS_H
#define THREADS_H
#include <stdlib.h>
#include <unistd.h>

static inline void threads_wait_gently(char **argv) {
#ifdef _OPENMP
    if (getenv("GOMP_SPINCOUNT") != NULL || getenv("OMP_WAIT_POLICY") != NULL)
        return; /* the user has chosen */
    if (setenv("GOMP_SPINCOUNT", "2000", 1) == 0)
        execvp(argv[0], argv); /* refused: go on as we are */
#endif
    (void)argv;
}
#endif
