/* power.c: the power fails at a random operation of the tool, and a random part of what was not
 * synced is lost; then a reader looks, and the tool goes on.  What a command that ended well has
 * written must be there whatever is lost.
 *
 *     power SLM WORK CASES SEED [CASE]      CASE: only that one
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "scenarios.h"

/* One case in so many fails after the end of the command. */
enum { ENDS = 12 };

typedef struct room {
    judge judge;
    disk_log *log;
    long n_cases;
    long n_failed;
    long n_new;       /* states in which the end is there already */
    long n_different; /* states that are neither the old nor the new one alone */
} room;

static const char *const fates[] = {"all", "data", "names", "any"};

static int is_old(const judge *j, const tree *t) {
    if (t->n != j->old.n) return 0;
    for (size_t i = 0; i < t->n; i++) {
        const tree_file *f = tree_find(&j->old, t->files[i].path);
        if (f == NULL || f->n != t->files[i].n || memcmp(f->bytes, t->files[i].bytes, f->n) != 0)
            return 0;
    }
    return 1;
}

static void one_case(room *r, unsigned long long seed, unsigned long long number) {
    tree after;
    judge *j = &r->judge;
    uint64_t state = seed * 0x100000001B3u + number;
    size_t n_all = disk_log_size(r->log);
    size_t n = (size_t)disk_random(&state, n_all);
    if (disk_random(&state, ENDS) == 0) n = n_all;
    disk_fate fate = (disk_fate)disk_random(&state, DISK_N_FATES);
    disk_crash(&after, &j->old, r->log, n, fate, &state);
    tree_write(&after, j->folder);

    int was_old = is_old(j, &after);
    tree_free(&after);
    int is_final = judge_has_final(j);
    if (is_final) r->n_new++;
    if (!is_final && !was_old) r->n_different++;
    r->n_cases++;
    if ((n < n_all || is_final) && judge_state(j) && judge_again(j)) return;
    r->n_failed++;
    printf("FAIL %s: case %llu of seed %llu, after operation %zu of %zu, loses %s: %s\n",
           j->s->name, number, seed, n, n_all, fates[fate], j->why);
}

static void begin(room *r, const scenario *s, const char *slm, const char *work) {
    memset(r, 0, sizeof *r);
    r->log = disk_log_new();
    r->judge.record = disk_log_add;
    r->judge.user = r->log;
    judge_begin(&r->judge, s, slm, work);
}

static void report(const room *r) {
    printf("%s: %ld cases over %zu operations; %ld found the end, %ld something between; %ld "
           "incomplete states refused\n",
           r->judge.s->name, r->n_cases, disk_log_size(r->log), r->n_new, r->n_different,
           r->judge.n_refused);
}

/* The scenarios that only read come last. */
static size_t count_writers(void) {
    size_t n = 0;
    while (n < n_scenarios && scenarios[n].outputs[0] != NULL)
        n++;
    return n;
}

int main(int argc, char **argv) {
    long n_failed = 0;
    long n_cases = 0;
    size_t n_writers = count_writers();
    if (argc < 5 || argc > 6) {
        fprintf(stderr, "usage: power SLM WORK CASES SEED [CASE]\n");
        return 2;
    }
    room *rooms = (room *)need(calloc(n_writers, sizeof *rooms));
    unsigned long long n = strtoull(argv[3], NULL, 10);
    unsigned long long seed = strtoull(argv[4], NULL, 10);
    for (size_t i = 0; i < n_writers; i++)
        begin(&rooms[i], &scenarios[i], argv[1], argv[2]);

    printf("seed %llu\n", seed);
    if (argc == 6) {
        unsigned long long number = strtoull(argv[5], NULL, 10);
        one_case(&rooms[number % n_writers], seed, number);
    } else {
        for (unsigned long long number = 0; number < n; number++)
            one_case(&rooms[number % n_writers], seed, number);
    }
    for (size_t i = 0; i < n_writers; i++) {
        report(&rooms[i]);
        n_failed += rooms[i].n_failed;
        n_cases += rooms[i].n_cases;
        judge_end(&rooms[i].judge);
        disk_log_free(rooms[i].log);
    }
    free(rooms);
    printf("%ld passed, %ld failed\n", n_cases - n_failed, n_failed);
    return n_failed != 0;
}
