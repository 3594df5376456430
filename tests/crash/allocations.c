/* allocations.c: makes each allocation of the tool fail, once and with all after it.  The tool must
 * end well, or with exit code 4 and one line; leave no temporary file; keep the old or the new
 * state; and go on when it is called again.
 *
 *     allocations SLM WORK LIBRARY EVERY     LIBRARY: failing_malloc.c; EVERY: 1 for all, n for
 *                                            every n-th
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios.h"

enum { OUT_OF_MEMORY = 4 };

typedef struct tally {
    long n_places;
    long n_failed;
    long n_done; /* it ended well all the same */
} tally;

/* Runs the command with the allocation of that number failing.  Returns the exit code. */
static int run_failing(judge *j, const char *library, long at, int forever) {
    char number[32];
    (void)snprintf(number, sizeof number, "%ld", at);
    (void)setenv("SLM_FAIL_ALLOCATION", number, 1);
    (void)setenv("SLM_FAIL_FOREVER", forever ? "1" : "0", 1);
    (void)setenv("LD_PRELOAD", library, 1);
    int code = judge_run(j);
    (void)unsetenv("LD_PRELOAD");
    return code;
}

static long count_allocations(judge *j, const char *library, const char *path) {
    long n = 0;
    if (run_failing(j, library, 0, 0) != 0) die("%s: it fails with the library", j->s->name);
    FILE *f = fopen(path, "r");
    if (f == NULL || fscanf(f, "%ld", &n) != 1) die("%s", path);
    (void)fclose(f);
    return n;
}

static int is_well_ended(judge *j) {
    return judge_has_final(j) && judge_said_as_ever(j) && judge_is_swept(j);
}

static int is_well_failed(judge *j, int code) {
    char line[MAX_WHY];
    int is_one_line = judge_said_one_line(j, line);
    if (code == OUT_OF_MEMORY && is_one_line)
        return judge_is_swept(j) && judge_state(j) && judge_again(j);
    (void)snprintf(j->why, sizeof j->why, "exit %d: %.300s", code, line);
    return 0;
}

static void places(judge *j, const char *library, long n, long every, int forever, tally *t) {
    for (long at = 1; at <= n; at += every) {
        int code = run_failing(j, library, at, forever);
        t->n_places++;
        if (code == 0) t->n_done++;
        if (code == 0 ? is_well_ended(j) : is_well_failed(j, code)) continue;
        t->n_failed++;
        printf("FAIL %s: allocation %ld of %ld%s: %s\n", j->s->name, at, n,
               forever ? " and all after it" : "", j->why);
    }
}

int main(int argc, char **argv) {
    char path[400];
    tally t = {0, 0, 0};
    if (argc != 5 || atol(argv[4]) < 1) {
        fprintf(stderr, "usage: allocations SLM WORK LIBRARY EVERY\n");
        return 2;
    }
    (void)snprintf(path, sizeof path, "%s/allocations.count", argv[2]);
    (void)setenv("SLM_ALLOCATIONS", path, 1);
    for (size_t i = 0; i < n_scenarios; i++) {
        judge j;
        tally before = t;
        memset(&j, 0, sizeof j);
        judge_begin(&j, &scenarios[i], argv[1], argv[2]);
        long n = count_allocations(&j, argv[3], path);
        places(&j, argv[3], n, atol(argv[4]), 0, &t);
        places(&j, argv[3], n, atol(argv[4]), 1, &t);
        printf("%s: %ld allocations, failures at %ld places, %ld of them without effect\n",
               j.s->name, n, t.n_places - before.n_places, t.n_done - before.n_done);
        (void)fflush(stdout);
        judge_end(&j);
    }
    printf("%ld passed, %ld failed\n", t.n_places - t.n_failed, t.n_failed);
    return t.n_failed != 0;
}
