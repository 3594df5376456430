/* failures.c: makes operations of the tool on files fail, at each place: once by an error of the
 * device, once by a signal, from there on because the disk is full, and with half of a read or
 * write done.  It must end well, or with one line and an exit code for that; leave no temporary
 * file; keep the old or the new state; and go on when it is called again.
 *
 *     failures SLM WORK EVERY [SCENARIO...]     EVERY: 1 for all places, n for every n-th
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios.h"

typedef struct failure {
    const char *name;
    int (*means)(const trace_operation *o);
    trace_action action;
    int code;
    int forever;
} failure;

static int means_any(const trace_operation *o) {
    (void)o;
    return 1;
}

static int means_interruptible(const trace_operation *o) {
    return o->kind == TRACE_READ || o->kind == TRACE_WRITE || o->kind == TRACE_SYNC;
}

/* What takes room on the disk. */
static int means_room(const trace_operation *o) {
    if (o->kind == TRACE_WRITE) return o->descriptor != TRACE_STDOUT;
    if (o->kind == TRACE_OPEN) return o->creates;
    return o->kind == TRACE_MAKE_FOLDER || o->kind == TRACE_RENAME || o->kind == TRACE_SYNC;
}

static int means_transfer(const trace_operation *o) {
    return o->kind == TRACE_READ || o->kind == TRACE_WRITE;
}

static const failure failures[] = {
    {"a device that fails once", means_any, TRACE_FAIL, EIO, 0},
    {"a signal", means_interruptible, TRACE_FAIL, EINTR, 0},
    {"a full disk", means_room, TRACE_FAIL, ENOSPC, 1},
    {"half of a transfer", means_transfer, TRACE_SHORTEN, 0, 0},
};
enum { N_FAILURES = sizeof failures / sizeof *failures };

typedef struct tally {
    long n_places;
    long n_failed;
    long n_done; /* it ended well all the same */
} tally;

/* The first operation that was made to fail. */
typedef struct place {
    long n_seen;
    trace_kind kind;
    char path[TREE_PATH];
    const trace_plan *plan;
} place;

static void remember(void *user, const trace_operation *o) {
    place *p = (place *)user;
    if (!p->plan->means(o) || ++p->n_seen != p->plan->at) return;
    p->kind = o->kind;
    memcpy(p->path, o->path, TREE_PATH);
}

static int complain(judge *j, const char *why) {
    (void)snprintf(j->why, sizeof j->why, "%s", why);
    return 0;
}

/* What the tool says when a file cannot be read or written, and when memory for that is missing. */
static int is_documented(int code) {
    return code == 1 || code == 3 || code == 4;
}

/* What cannot be removed stays, and a lock that cannot be read or written: the next process takes
 * it over. */
static int may_leave_files(const place *p) {
    size_t n = strlen(p->path);
    return p->kind == TRACE_REMOVE || (n >= 5 && strcmp(p->path + n - 5, ".lock") == 0);
}

static int is_well_ended(judge *j, const place *p) {
    if (!judge_has_final(j) || !judge_said_as_ever(j)) return 0;
    return may_leave_files(p) || judge_is_swept(j);
}

static int is_well_failed(judge *j, int code, const place *p) {
    char line[MAX_WHY];
    if (!is_documented(code)) {
        (void)snprintf(j->why, sizeof j->why, "exit %d", code);
        return 0;
    }
    if (!judge_said_one_line(j, line)) return complain(j, "not one line on standard error");
    if (!may_leave_files(p) && !judge_is_swept(j)) return 0;
    return judge_state(j) && judge_again(j);
}

/* Returns 0 if there is no such place. */
static int one_place(judge *j, const failure *f, trace_plan *plan, tally *t) {
    place p = {.plan = plan};
    plan->user = &p;
    trace_end end = judge_disturb(j, plan);
    if (!end.applied) return 0;
    t->n_places++;
    if (end.code == 0) t->n_done++;
    int is_well = end.code == 0 ? is_well_ended(j, &p) : is_well_failed(j, end.code, &p);
    if (is_well) return 1;
    t->n_failed++;
    printf("FAIL %s: %s at place %ld (%s %s): %s\n", j->s->name, f->name, plan->at,
           trace_kind_names[p.kind], p.path, j->why);
    return 1;
}

static void places(judge *j, const failure *f, long every, tally *t) {
    int applied = 1;
    trace_plan plan = {.action = f->action,
                       .forever = f->forever,
                       .code = f->code,
                       .means = f->means,
                       .seen = remember};
    for (plan.at = 1; applied; plan.at += every)
        applied = one_place(j, f, &plan, t);
}

static int is_wanted(const scenario *s, int n_names, char **names) {
    for (int i = 0; i < n_names; i++) {
        if (strcmp(s->name, names[i]) == 0) return 1;
    }
    return n_names == 0;
}

int main(int argc, char **argv) {
    tally t = {0, 0, 0};
    if (argc < 4 || atol(argv[3]) < 1) {
        fprintf(stderr, "usage: failures SLM WORK EVERY [SCENARIO...]\n");
        return 2;
    }
    for (size_t i = 0; i < n_scenarios; i++) {
        judge j;
        tally before = t;
        if (!is_wanted(&scenarios[i], argc - 4, argv + 4)) continue;
        memset(&j, 0, sizeof j);
        judge_begin(&j, &scenarios[i], argv[1], argv[2]);
        for (size_t k = 0; k < N_FAILURES; k++)
            places(&j, &failures[k], atol(argv[3]), &t);
        printf("%s: failures at %ld places, %ld of them without effect\n", j.s->name,
               t.n_places - before.n_places, t.n_done - before.n_done);
        (void)fflush(stdout);
        judge_end(&j);
    }
    printf("%ld passed, %ld failed\n", t.n_places - t.n_failed, t.n_failed);
    return t.n_failed != 0;
}
