/* start.c: descriptors 0 to 2, how many threads, and how they wait. */
#include "common/start.h"

#include <ctype.h>
#include <stdlib.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "common/os.h"
#include "common/text.h"

enum { START_FAILED = 1, START_USAGE = 2 };

#ifdef _OPENMP
/* Takes white space, a number from 1 to MAX_THREADS and white space.  Returns what follows, or NULL
 * if there is no such number. */
static const char *skip_count(const char *text) {
    long count = 0;
    while (isspace((unsigned char)*text))
        text++;
    if (*text == '+') text++;
    while (isdigit((unsigned char)*text) && count <= MAX_THREADS) {
        count = 10 * count + (*text - '0');
        text++;
    }
    while (isspace((unsigned char)*text))
        text++;
    return count >= 1 && count <= MAX_THREADS ? text : NULL;
}

/* One number for each level of parallelism, with commas between. */
static int is_list_of_counts(const char *text) {
    text = skip_count(text);
    while (text != NULL && *text == ',')
        text = skip_count(text + 1);
    return text != NULL && *text == '\0';
}

static int check_thread_counts(const char *program) {
    const char *counts = getenv("OMP_NUM_THREADS");
    if (counts == NULL || *counts == '\0' || is_list_of_counts(counts)) return 0;
    print_message("%s: OMP_NUM_THREADS=%.80s: a whole number from 1 to %d is needed", program,
                  counts, (int)MAX_THREADS);
    return START_USAGE;
}

static int start_threads(const char *program, char **argv) {
    int code = check_thread_counts(program);
    if (code != 0) return code;
    int chosen = getenv("GOMP_SPINCOUNT") != NULL || getenv("OMP_WAIT_POLICY") != NULL;
    if (!chosen) os_start_again(argv, "GOMP_SPINCOUNT", "2000");
    /* Without OMP_NUM_THREADS there are as many as processors. */
    if (omp_get_max_threads() > MAX_THREADS) omp_set_num_threads(MAX_THREADS);
    return 0;
}
#else
static int start_threads(const char *program, char **argv) {
    (void)program;
    (void)argv;
    return 0;
}
#endif

int program_start(const char *program, int *argc, char ***argv) {
    if (!os_take_standard_descriptors()) return START_FAILED;
    int code = start_threads(program, *argv);
    if (code != 0) return code;
    *argv = os_arguments(argc, *argv);
    return *argv != NULL ? 0 : START_FAILED;
}
