/* start.c: descriptors 0 to 2. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "common/start.h"

#include <fcntl.h>
#include <unistd.h>

enum { START_FAILED = 1 };

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
