/* jobs.c: paths, learning rates, order, processes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/os.h"
#include "common/text.h"
#include "jobs.h"

enum { SECONDS_BETWEEN_TABLES = 20 };

const char *repro_path(const repro *r, const char *folder, const char *name, const char *ending) {
    const char *slash = folder[0] != '\0' ? "/" : "";
    return make_text("%s/%s%s%s%s", r->out, folder, slash, name, ending);
}

int repro_exists(const char *path) {
    return os_kind_of(path, NULL) != OS_NOTHING;
}

int job_is_builtin(const job *j) {
    return same_text(j->corpus, "builtin");
}

int job_is_generated(const job *j) {
    return job_is_builtin(j) || same_text(j->corpus, "facts") || same_text(j->corpus, "labels");
}

const job *job_source(const job *j) {
    return j->same_as != NULL ? j->same_as : j;
}

const char *job_path(const repro *r, const char *folder, const job *j, const char *ending) {
    return repro_path(r, folder, job_source(j)->name, ending);
}

int job_is_finished(const repro *r, const job *j) {
    return repro_exists(job_path(r, "runs", j, ".csv"));
}

/* ---- learning rates ---- */
/* Whether job t tries a learning rate for job j.  GSM8K takes over what OpenStax chose. */
static int tunes(const job *t, const job *j) {
    if (!same_text(t->set, "tune") || j->lr_of == NULL || !same_text(t->arm, j->lr_of)) return 0;
    if (t->s.noisy_bytes != j->lr_bytes) return 0;
    if (same_text(t->corpus, j->corpus)) return 1;
    return same_text(j->corpus, "gsm8k") && same_text(t->corpus, "openstax");
}

double job_valid_loss(const repro *r, const job *j) {
    const char *path = job_path(r, "runs", j, ".csv");
    csv_table t;
    if (csv_load(&t, path) != CSV_READ) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    double loss = csv_number(&t, t.rows - 1, csv_column(&t, "valid_loss"));
    csv_free(&t);
    return loss;
}

int job_is_needless(const repro *r, const job *j) {
    const job *next = j->inward[0];
    const job *after = j->inward[1];
    if (next == NULL) return 0;
    if (job_is_needless(r, next)) return 1;
    if (!job_is_finished(r, next) || !job_is_finished(r, after)) return 0;
    return !(job_valid_loss(r, next) < job_valid_loss(r, after));
}

double job_learning_rate(const repro *r, const job *j) {
    double best = INFINITY;
    double lr = j->lr;
    for (const job *t = r->jobs; t < r->end; t++) {
        if (!t->wanted || !tunes(t, j) || job_is_needless(r, t)) continue;
        double loss = job_valid_loss(r, t);
        if (!(loss < best)) continue;
        best = loss;
        lr = t->lr * (j->lr_scale > 0 ? j->lr_scale : 1);
    }
    return lr;
}

/* ---- order ---- */
/* Whether job j cannot begin before job k has ended. */
static int needs(const job *j, const job *k) {
    if (j->same_as != NULL) return k == j->same_as;
    if (k == j->worth[0] || k == j->worth[1]) return 1;
    if (k == j->inward[0] || k == j->inward[1]) return 1;
    return k == j->start || k == j->reference || k == j->scores || tunes(k, j);
}

void repro_want(repro *r, job *j) {
    if (j->wanted) return;
    j->wanted = 1;
    for (job *k = r->jobs; k < r->end; k++)
        if (needs(j, k)) repro_want(r, k);
}

static int is_ready(const repro *r, const job *j) {
    for (const job *k = r->jobs; k < r->end; k++)
        if (!k->done && needs(j, k)) return 0;
    return 1;
}

uint64_t job_steps(const job *j) {
    const uint64_t steps[] = {[JOB_BASE] = j->s.base_steps,
                              [JOB_REFERENCE] = j->s.tune_steps,
                              [JOB_SCORES] = 0,
                              [JOB_ARM] = j->s.steps + j->then_clean};
    return steps[j->kind];
}

/* Bytes of text that are measured, all points together. */
static double measured_bytes(const job *j) {
    double points = (double)job_steps(j) / (double)j->s.every;
    if (j->kind == JOB_SCORES) return (double)j->s.noisy_bytes;
    if (j->s.early > 0) points += (double)(3 * (j->s.every / j->s.early - 1));
    if (j->kind == JOB_BASE || same_text(j->set, "tune")) points = 1; /* begin and end */
    return (points + 2) * (double)j->s.eval_bytes;
}

double job_work(const job *j) {
    const double bytes_per_token = 2.5, forward_share = 0.4, built_in_weights = 190000;
    const slm_model_config *c = &j->s.model;
    double layer = (double)c->dim * (4 * c->dim + 3 * c->ffn + j->s.T);
    double weights = (double)c->vocab * c->dim + c->n_layers * layer;
    double measured = measured_bytes(j);
    if (j->same_as != NULL) return 0;
    if (!job_is_generated(j)) measured /= bytes_per_token;
    double trained = (double)job_steps(j) * j->s.B * j->s.T;
    if (j->rule != RULE_NONE) trained *= 1 + forward_share; /* a rule wants the losses first */
    if (j->rounds > 0) measured += (double)j->s.noisy_bytes; /* each part once */
    return (trained + forward_share * measured) * weights / built_in_weights;
}

/* ---- carrying it out ---- */
/* A plan on its way. */
typedef struct progress_of_plan {
    double all, done;
    int running, failed;
    progress bar;
} progress_of_plan;

static void begin_plan(repro *r, progress_of_plan *p) {
    memset(p, 0, sizeof *p);
    for (job *j = r->jobs; j < r->end; j++) {
        j->done = !j->wanted || job_is_finished(r, j);
        if (!j->wanted || (!j->done && j->inward[0] != NULL)) continue;
        p->all += job_work(j);
        if (j->done) p->done += job_work(j);
    }
    progress_start(&p->bar, "make repro (k tokens)", 0, (uint64_t)(p->done / 1000));
}

static void show_plan(const repro *r, progress_of_plan *p) {
    char running[200] = "";
    for (const job *j = r->jobs; j < r->end; j++)
        if (j->process != 0) SAY(running, "%s%s", running[0] != '\0' ? ", " : "", j->name);
    progress_show(&p->bar, (uint64_t)(p->done / 1000), (uint64_t)(p->all / 1000) + 1, running);
}

/* What a child does. */
typedef struct child_work {
    repro *r;
    job *j;
} child_work;

static void do_child_work(void *user) {
    const child_work *work = (const child_work *)user;
    repro_do(work->r, work->j);
}

static void start_job(repro *r, progress_of_plan *p, job *j) {
    child_work work = {r, j};
    if (j->inward[0] != NULL) p->all += job_work(j); /* now it is known that it is needed */
    j->process = os_child_start(do_child_work, &work);
    if (j->process > 0) {
        p->running++;
        return;
    }
    j->process = 0;
    p->failed = 1;
}

static int is_waiting(const job *j) {
    return !j->done && j->process == 0 && j->same_as == NULL;
}

/* What is not needed is as good as done, and others may wait for it. */
static void leave_out_needless(repro *r) {
    int left_out = 0;
    for (job *j = r->jobs; j < r->end; j++) {
        if (j->inward[0] == NULL || !is_waiting(j) || !is_ready(r, j)) continue;
        j->done = job_is_needless(r, j);
        left_out |= j->done;
    }
    if (left_out) leave_out_needless(r);
}

static void start_jobs(repro *r, progress_of_plan *p) {
    leave_out_needless(r);
    for (job *j = r->jobs; j < r->end && p->running < r->at_once && !p->failed; j++) {
        if (is_waiting(j) && is_ready(r, j)) start_job(r, p, j);
    }
}

static void end_job(repro *r, progress_of_plan *p, long child, int success) {
    for (job *j = r->jobs; j < r->end; j++) {
        if (j->process != child) continue;
        p->running--;
        j->process = 0;
        j->done = success;
        if (j->done) {
            p->done += job_work(j);
            continue;
        }
        progress_end(&p->bar);
        fprintf(stderr, "%s failed\n", j->name);
        p->failed = 1;
    }
}

int repro_carry_out(repro *r) {
    progress_of_plan p;
    double written = progress_clock();
    begin_plan(r, &p);
    for (;;) {
        int success = 0;
        start_jobs(r, &p);
        if (p.running == 0) break;
        show_plan(r, &p);
        long ended = os_child_wait(&success);
        end_job(r, &p, ended, success);
        if (progress_clock() - written > SECONDS_BETWEEN_TABLES) {
            repro_write_tables(r);
            written = progress_clock();
        }
    }
    progress_end(&p.bar);
    repro_write_tables(r);
    return p.failed;
}
