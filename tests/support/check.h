/* What every test shares: CHECK(condition, format, ...) counts, prints the failures, and check_end prints `N passed, N failed`
   and gives the exit code.  Comparisons are written so that NaN fails: !(difference <= limit). */
#ifndef CHECK_H
#define CHECK_H
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_passed, check_failed;
#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (condition)                                                                             \
            check_passed++;                                                                        \
        else {                                                                                     \
            check_failed++;                                                                        \
            printf("FAIL %s:%d (%s): ", __FILE__, __LINE__, #condition);                           \
            printf(__VA_ARGS__);                                                                   \
            printf("\n");                                                                          \
        }                                                                                          \
    } while (0)
#define CHECK_OK(call, err) CHECK((call) == SLM_OK, "%s", (err).text)

static int check_end(void) {
    printf("%d passed, %d failed\n", check_passed, check_failed);
    return check_failed != 0;
}
#endif
