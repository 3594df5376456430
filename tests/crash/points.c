/* points.c: kills the tool before each operation that changes the disk, and in the middle of each
 * write; then lets a reader look, and the tool go on.
 *
 *     points SLM WORK EVERY [SCENARIO...]     EVERY: 1 for all points, n for every n-th
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios.h"

enum { KILLED = 128 + SIGKILL };

typedef struct tally {
    long n_points;
    long n_failed;
} tally;

static int means_write(const trace_operation *o) {
    return trace_changes(o) && o->kind == TRACE_WRITE;
}

static void point(judge *j, const trace_plan *plan, tally *t) {
    const char *how = plan->action == TRACE_KILL ? "before change" : "in the middle of write";
    trace_end end = judge_disturb(j, plan);
    t->n_points++;
    if (end.code == KILLED && judge_state(j) && judge_again(j)) return;
    t->n_failed++;
    if (end.code != KILLED) (void)snprintf(j->why, sizeof j->why, "it ends with %d", end.code);
    printf("FAIL %s: killed %s %ld: %s\n", j->s->name, how, plan->at, j->why);
}

static void points(judge *j, long every, tally *t) {
    trace_plan plan = {.action = TRACE_KILL, .means = trace_changes};
    for (plan.at = 1; plan.at <= j->n_changes; plan.at += every)
        point(j, &plan, t);

    plan.action = TRACE_KILL_HALF;
    plan.means = means_write;
    for (plan.at = 1; plan.at <= j->n_writes; plan.at += every)
        point(j, &plan, t);
}

static int is_wanted(const scenario *s, int n_names, char **names) {
    for (int i = 0; i < n_names; i++) {
        if (strcmp(s->name, names[i]) == 0) return 1;
    }
    return n_names == 0;
}

int main(int argc, char **argv) {
    tally t = {0, 0};
    if (argc < 4 || atol(argv[3]) < 1) {
        fprintf(stderr, "usage: points SLM WORK EVERY [SCENARIO...]\n");
        return 2;
    }
    for (size_t i = 0; i < n_scenarios; i++) {
        judge j;
        long n_before = t.n_points;
        if (scenarios[i].outputs[0] == NULL) continue;
        if (!is_wanted(&scenarios[i], argc - 4, argv + 4)) continue;
        memset(&j, 0, sizeof j);
        judge_begin(&j, &scenarios[i], argv[1], argv[2]);
        points(&j, atol(argv[3]), &t);
        printf("%s: %ld changes of the disk, %ld of them writes; killed at %ld points, "
               "%ld incomplete states refused\n",
               j.s->name, j.n_changes, j.n_writes, t.n_points - n_before, j.n_refused);
        (void)fflush(stdout);
        judge_end(&j);
    }
    printf("%ld passed, %ld failed\n", t.n_points - t.n_failed, t.n_failed);
    return t.n_failed != 0;
}
