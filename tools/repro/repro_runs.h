/* repro_runs.h: the runs of `make repro`, part 1: what a job is, and how a plan of jobs is carried out.
 *
 * A plan is a list of jobs.  A job trains one model (or scores one text) and leaves runs/NAME.csv, written whole: a job whose
 * file is there is done and never run again, so that a plan may be stopped at any moment and taken up later.  Jobs need other
 * jobs; each runs in a process of its own, a few at a time.  What a job computes does not hang on when or beside what it runs. */
#ifndef REPRO_RUNS_H
#define REPRO_RUNS_H
#include "experiment.h"
#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

typedef enum job_kind {
    JOB_BASE,      /* trains a new model on general text */
    JOB_REFERENCE, /* tunes the model of job `start` on the clean text */
    JOB_SCORES,    /* scores the text with the model of job `reference` */
    JOB_ARM /* trains the model of job `start` (none: a new one) on the text, with the scores of job `scores` */
} job_kind;

typedef enum job_text {
    TEXT_NOISY,
    TEXT_ORACLE, /* with the noise and all that is off the target masked, by the truth */
    TEXT_FILTERED, /* without ids, stamps and markup, and without the problems that have a wrong result */
    TEXT_MIXED, /* part of it, and the clean text as often as the reference saw it: as many tokens */
    TEXT_MATCHED /* the target's own kind of text: the negative control */
} job_text;

typedef struct job {
    char name[96]; /* of its file */
    job_kind kind;
    const char *corpus, *set, *arm;
    settings s;
    job_text text;
    slm_select_options selection;
    double size; /* of the reference, as a share of the model; 0: does not matter */
    double lr;
    const char
        *lr_of; /* NULL, or an arm: the learning rate that tuning chose for it, if the plan tunes */
    uint64_t then_clean; /* steps on the clean text, at tune_lr, after s.steps on this one */
    int start, reference, scores,
        same_as; /* other jobs, -1: none.  same_as: this is that job again, in another set */
    const char
        *view; /* NULL, or the folder under models/ for the token view: another copy of the model */
    int keep;  /* 1: the model is saved; also what the piece's tokens cost at each point */
    int wanted, running, done;
} job;

#define REPRO_JOBS 1000

typedef struct repro {
    char out[200];
    const char *raw, *clean, *eval; /* the user's own files, or NULL */
    int quick, dry_run, at_once;
    const char *only; /* NULL, or a set: only its jobs and what they need */
    job *jobs;        /* the plan */
    int n;
    pid_t parent;
} repro;

static inline const char *repro_path(char out[400], const repro *r, const char *folder,
                                     const char *name, const char *ending) {
    (void)snprintf(out, 400, "%s/%s%s%s%s", r->out, folder, folder[0] != 0 ? "/" : "", name,
                   ending);
    return out;
}

static inline int repro_exists(const char *path) {
    struct stat s;
    return stat(path, &s) == 0;
}

/* The job whose file holds the rows. */
static inline const job *repro_source(const repro *r, const job *j) {
    return j->same_as >= 0 ? &r->jobs[j->same_as] : j;
}

static inline int repro_finished(const repro *r, const job *j) {
    char path[400];
    return repro_exists(repro_path(path, r, "runs", repro_source(r, j)->name, ".csv"));
}

/* ---- learning rates ---- */
static inline int repro_tunes(const job *t, const job *j) {
    return strcmp(t->set, "tune") == 0 && j->lr_of != NULL && strcmp(t->arm, j->lr_of) == 0 &&
           (strcmp(t->corpus, j->corpus) == 0 ||
            (strcmp(j->corpus, "gsm8k") == 0 && strcmp(t->corpus, "openstax") == 0));
}

/* A number in the last row of a finished run; NaN: empty. */
static inline double repro_last(const repro *r, const job *j, size_t column) {
    char path[400], *text, *row, *field;
    size_t size, i;
    double value;
    must(slm_file_read(&text, &size, repro_path(path, r, "runs", repro_source(r, j)->name, ".csv"),
                       &experiment_error));
    for (row = text + size; row > text && row[-1] == '\n'; row--)
        row[-1] = 0;
    while (row > text && row[-1] != '\n')
        row--;
    for (field = row, i = 0; i < column && field != NULL; i++)
        field = strchr(field, ',') == NULL ? NULL : strchr(field, ',') + 1;
    value = field == NULL || *field == ',' || *field == 0 ? NAN : strtod(field, NULL);
    slm_free(text);
    return value;
}

#define REPRO_VALID_LOSS 16 /* its column in curves.csv */

static inline double repro_lr(const repro *r, const job *j) {
    double best = INFINITY, lr = j->lr;
    int i;
    for (i = 0; i < r->n; i++)
        if (r->jobs[i].wanted && repro_tunes(&r->jobs[i], j)) {
            double loss = repro_last(r, &r->jobs[i], REPRO_VALID_LOSS);
            if (loss < best) {
                best = loss;
                lr = r->jobs[i].lr;
            }
        }
    return lr;
}

/* ---- order ---- */
static inline void repro_want(repro *r, int i) {
    job *j;
    int t;
    if (i < 0 || r->jobs[i].wanted) return;
    j = &r->jobs[i];
    j->wanted = 1;
    repro_want(r, j->same_as);
    if (j->same_as >= 0) return;
    repro_want(r, j->start);
    repro_want(r, j->reference);
    repro_want(r, j->scores);
    for (t = 0; t < r->n; t++)
        if (repro_tunes(&r->jobs[t], j)) repro_want(r, t);
}

static inline int repro_is_done(const repro *r, int i) {
    return i < 0 || r->jobs[i].done;
}

static inline int repro_ready(const repro *r, const job *j) {
    int t;
    if (!repro_is_done(r, j->start) || !repro_is_done(r, j->reference) ||
        !repro_is_done(r, j->scores))
        return 0;
    for (t = 0; t < r->n; t++)
        if (r->jobs[t].wanted && !r->jobs[t].done && repro_tunes(&r->jobs[t], j)) return 0;
    return 1;
}

/* Its own work, roughly, in tokens of plain training of the built-in model. */
static inline double job_work(const job *j) {
    const slm_model_config *c = &j->s.model;
    double layer = (double)c->dim * (4 * c->dim + 3 * c->ffn + j->s.T),
           weights = (double)c->vocab * c->dim + c->n_layers * layer;
    double steps = j->kind == JOB_BASE        ? (double)j->s.base_steps
                   : j->kind == JOB_REFERENCE ? (double)j->s.tune_steps
                   : j->kind == JOB_SCORES    ? 0
                                              : (double)(j->s.steps + j->then_clean);
    double points = steps / (double)j->s.every +
                    (j->s.early > 0 ? (double)(3 * (j->s.every / j->s.early - 1)) : 0),
           text = 0;
    if (j->same_as >= 0) return 0;
    if (j->kind == JOB_SCORES)
        text = (double)j->s.noisy_bytes;
    else
        text = (j->kind == JOB_BASE || strcmp(j->set, "tune") == 0 ? 3 : points + 2) *
               (double)j->s.eval_bytes;
    if (strcmp(j->corpus, "builtin") != 0) text /= 2.5;
    return (steps * j->s.B * j->s.T + 0.4 * text) * weights / 190000;
}

/* ---- carrying it out ---- */
int repro_do(const repro *r, const job *j); /* part 3: the child's whole life */
void repro_write(const repro *r);           /* part 4: the CSVs, from what is finished so far */

static inline void repro_show(const repro *r, progress *bar, double done, double all) {
    char running[200] = "";
    int i;
    for (i = 0; i < r->n; i++)
        if (r->jobs[i].running)
            (void)snprintf(running + strlen(running), sizeof running - strlen(running), "%s%s",
                           running[0] ? ", " : "", r->jobs[i].name);
    progress_show(bar, (uint64_t)(done / 1000), (uint64_t)(all / 1000) + 1, running);
}

static inline int repro_start(repro *r, job *j, pid_t *child) {
    fflush(NULL);
    r->parent = getpid();
    *child = fork();
    if (*child == 0) _exit(repro_do(r, j));
    j->running = *child > 0;
    return *child > 0;
}

/* Runs what is wanted and not done.  0, or 1: a job failed; what was running beside it has ended. */
static inline int repro_carry_out(repro *r) {
    pid_t *child = (pid_t *)must_have(calloc((size_t)r->n, sizeof *child)), ended;
    double all = 0, done = 0, written = progress_clock();
    int i, status, running = 0, failed = 0;
    progress bar;
    for (i = 0; i < r->n; i++) {
        job *j = &r->jobs[i];
        j->done = !j->wanted || repro_finished(r, j);
        if (j->wanted) all += job_work(j);
        if (j->wanted && j->done) done += job_work(j);
    }
    progress_start(&bar, "make repro (k tokens)", 0, (uint64_t)(done / 1000));
    for (;;) {
        for (i = 0; i < r->n && running < r->at_once && !failed; i++) {
            job *j = &r->jobs[i];
            if (j->done || j->running || j->same_as >= 0 || !repro_ready(r, j)) continue;
            if (repro_start(r, j, &child[i]))
                running++;
            else
                failed = 1;
        }
        if (running == 0) break;
        repro_show(r, &bar, done, all);
        ended = waitpid(-1, &status, 0);
        if (ended < 0 && errno == EINTR) continue;
        for (i = 0; i < r->n; i++) {
            if (!r->jobs[i].running || child[i] != ended) continue;
            running--;
            r->jobs[i].running = 0;
            r->jobs[i].done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
            if (!r->jobs[i].done) {
                progress_end(&bar);
                fprintf(stderr, "%s failed\n", r->jobs[i].name);
                failed = 1;
            } else
                done += job_work(&r->jobs[i]);
        }
        if (progress_clock() - written > 20) {
            repro_write(r);
            written = progress_clock();
        }
    }
    progress_end(&bar);
    free(child);
    repro_write(r);
    return failed;
}
#endif
