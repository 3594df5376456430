/* What every test shares.  CHECK(condition, format, ...) counts, and prints failures; check_end
   prints `N passed, N failed` and returns the exit code.  Comparisons are written so that NaN
   fails: !(difference <= limit).

   A test that includes this file before slm.h has slm.h check its own invariants (SLM_ASSERT): the
   first that is broken ends the test. */
#ifndef CHECK_H
#define CHECK_H
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SLM_ASSERT
static void check_broken(const char *invariant, const char *file, int line) {
    printf("FAIL %s:%d: broken invariant: %s\n", file, line, invariant);
    exit(1);
}
#define SLM_ASSERT(condition)                                                                      \
    ((condition) ? (void)0 : check_broken(#condition, __FILE__, __LINE__))
#endif

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
