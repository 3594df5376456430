/* start.c: descriptors 0 to 2, and how threads wait. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "common/start.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { START_FAILED = 1, PROGRAM_PATH_SIZE = 4096 };

/* The lowest free number is what open gives, so that they are taken in order.  Each is opened for
 * what nobody does with it: using it fails, as with a closed one. */
static int take_standard_descriptors(void) {
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++) {
        int is_taken = fcntl(number, F_GETFD) != -1;
        int mode = number == STDIN_FILENO ? O_WRONLY : O_RDONLY;
        if (!is_taken && open("/dev/null", mode) != number) return 0;
    }
    return 1;
}

int program_start(void) {
    return take_standard_descriptors() ? 0 : START_FAILED;
}

#ifdef _OPENMP
/* The path is asked for, rather than starting /proc/self/exe itself, so that the process keeps its
 * name.  Comes back only where that failed. */
static void start_again(char **argv) {
    char path[PROGRAM_PATH_SIZE];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path);
    if (size <= 0 || (size_t)size >= sizeof path) return;
    path[size] = '\0';
    (void)execv(path, argv);
}
#endif

void threads_wait_gently(char **argv) {
#ifdef _OPENMP
    int chosen = getenv("GOMP_SPINCOUNT") != NULL || getenv("OMP_WAIT_POLICY") != NULL;
    if (!chosen && setenv("GOMP_SPINCOUNT", "2000", 1) == 0) start_again(argv);
#else
    (void)argv;
#endif
}
