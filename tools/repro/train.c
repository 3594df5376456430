/* train.c: one job, from its texts to its file. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "csv_out.h"
#include "jobs.h"

/* ---- models and scores of other jobs ---- */
static slm_model *load_model(const repro *r, int index) {
    char path[REPRO_PATH_SIZE];
    slm_model *model;
    repro_path(path, r, "models", job_source(r, &r->jobs[index])->name, "");
    must(slm_model_load(&model, path, &experiment_error));
    return model;
}

static slm_losses *load_scores(const repro *r, int index) {
    char path[REPRO_PATH_SIZE];
    slm_losses *scores;
    repro_path(path, r, "scores", job_source(r, &r->jobs[index])->name, ".scores");
    must(slm_losses_load(&scores, path, &experiment_error));
    return scores;
}

static void save_model(const experiment *e, const slm_model *model, const char *path) {
    must(slm_model_save(model, path, e->tokenizer, SLM_DTYPE_NATIVE, &experiment_error));
}

/* A job whose parent was killed leaves nothing: the next parent may be at the same job. */
static void leave_if_orphan(const repro *r) {
    if (getppid() != r->parent) _exit(1);
}

/* What an arm is charged for before it begins: tuning the reference, if the text is scored at all,
   and scoring it. */
static double flops_before(const repro *r, const job *j, const slm_model *reference,
                           const slm_losses *scores) {
    if (j->scores == NO_JOB || reference == NULL) return 0;
    const job *by = job_source(r, &r->jobs[r->jobs[j->scores].reference]);
    double steps = 0;
    if (by->kind == JOB_REFERENCE) steps = (double)by->s.tune_steps;
    if (by->kind == JOB_ARM) steps = (double)by->s.steps;
    double tokens = (double)j->s.B * j->s.T * steps;
    return experiment_flops(reference, j->s.T, tokens, tokens) +
           experiment_forward_flops(reference, j->s.T, (double)scores->n);
}

/* ---- its file ---- */
const char repro_curve_columns[] =
    "corpus,set,arm,seed,ratio,noise,wrong,size,lr,steps,tokens,trained,flops,flops_all,"
    "target_loss,target_accuracy,valid_loss,valid_accuracy,all_loss,kept_loss,dropped_loss,"
    "precision,recall,auc,"
    "seen_problem,seen_step,seen_result,seen_other,seen_wrong,seen_id,seen_stamp,seen_markup,"
    "kept_problem,kept_step,kept_result,kept_other,kept_wrong,kept_id,kept_stamp,kept_markup,"
    "fixed_kept_loss,fixed_dropped_loss,fixed_all_loss,target_share,clean_bytes,run\n";

/* A job's result: what goes into its file. */
typedef struct outcome {
    const curve *c;
    double lr, flops_before;
    measure valid;
    double kept_share; /* of the piece */
} outcome;

/* Precision, recall, AUC and the counts, as far as the truth is known. */
static void put_truth(csv_out *out, const curve_point *p) {
    double kept = 0, target = 0, right = 0, seen = 0;
    for (int k = 0; k < CORPUS_KINDS; k++) {
        seen += p->seen[k];
        kept += p->chosen[k];
        if (k > CORPUS_RESULT) continue;
        target += p->seen[k];
        right += p->chosen[k];
    }
    csv_put_number(out, right / kept);
    csv_put_number(out, right / target);
    csv_put_number(out, p->auc);
    for (int k = 0; k < CORPUS_KINDS; k++)
        csv_put_number(out, seen > 0 ? p->seen[k] : NAN);
    for (int k = 0; k < CORPUS_KINDS; k++)
        csv_put_number(out, seen > 0 ? p->chosen[k] : NAN);
}

static uint64_t steps_of(const job *j) {
    if (j->kind == JOB_BASE) return j->s.base_steps;
    if (j->kind == JOB_REFERENCE) return j->s.tune_steps;
    return j->s.steps + j->then_clean;
}

static void put_point(csv_out *out, const job *j, const outcome *o, const curve_point *p) {
    const int builtin = job_is_builtin(j);
    const int is_end = p == &o->c->point[o->c->n - 1];
    const double share = o->kept_share;
    csv_put(out, "%s", j->corpus);
    csv_put(out, "%s", j->set);
    csv_put(out, "%s", j->arm);
    csv_put(out, "%llu", (unsigned long long)j->s.seed);
    csv_put_number(out, j->selection.ratio);
    csv_put_number(out, builtin ? j->s.noisy.noise : NAN);
    csv_put_number(out, builtin ? j->s.noisy.wrong : NAN);
    csv_put_number(out, j->size > 0 ? j->size : NAN);
    csv_put_number(out, o->lr);
    csv_put_number(out, (double)steps_of(j));
    csv_put_number(out, p->tokens);
    csv_put_number(out, p->trained);
    csv_put_number(out, p->flops);
    csv_put_number(out, p->flops + o->flops_before);
    csv_put_number(out, p->target.loss);
    csv_put_number(out, p->target.accuracy);
    csv_put_number(out, is_end ? o->valid.loss : NAN);
    csv_put_number(out, is_end ? o->valid.accuracy : NAN);
    csv_put_number(out, p->all);
    csv_put_number(out, p->kept);
    csv_put_number(out, p->dropped > 0 ? p->dropped : NAN); /* 0: none were */
    put_truth(out, p);
    csv_put_number(out, p->fixed_kept);
    csv_put_number(out, p->fixed_dropped);
    csv_put_number(out, share * p->fixed_kept + (1 - share) * p->fixed_dropped);
    csv_put_number(out, builtin ? j->s.noisy.target : NAN);
    csv_put_number(out, (double)j->s.clean_bytes);
    csv_put(out, "%s", j->name);
    csv_end_row(out);
}

static void open_job_csv(csv_out *out, const repro *r, const char *folder, const job *j,
                         const char *header) {
    char path[REPRO_PATH_SIZE];
    if (!csv_open(out, repro_path(path, r, "", folder, ""), j->name, header)) exit(1);
}

static void write_run(const repro *r, const job *j, const outcome *o) {
    csv_out out;
    open_job_csv(&out, r, "runs", j, repro_curve_columns);
    for (size_t i = 0; i < o->c->n; i++)
        put_point(&out, j, o, &o->c->point[i]);
    if (!csv_close(&out)) exit(1);
}

/* The seconds are in a file of their own: nothing else differs between two runs. */
static void write_times(const repro *r, const job *j, const curve *c, double whole) {
    csv_out out;
    open_job_csv(&out, r, "times", j, "");
    for (size_t i = 0; i < c->n; i++) {
        csv_put(&out, "%s", j->name);
        csv_put(&out, "%.0f", c->point[i].tokens);
        csv_put(&out, "%.3f", c->point[i].seconds);
        csv_end_row(&out);
    }
    csv_put(&out, "%s", j->name);
    csv_put(&out, "%s", "");
    csv_put(&out, "%.3f", whole);
    csv_end_row(&out);
    if (!csv_close(&out)) exit(1);
}

/* What each token of the piece cost, in float32: by the reference, then at each point that is a
   multiple of s.every. */
static void write_piece(const repro *r, const job *j, const curve *c, const float *reference,
                        size_t n) {
    char path[REPRO_PATH_SIZE];
    float *all = (float *)must_alloc((c->n + 1) * n, sizeof *all);
    size_t rows = 1;
    memcpy(all, reference, n * sizeof *all);
    for (size_t i = 0; i < c->n; i++)
        if (c->point[i].piece != NULL) memcpy(all + n * rows++, c->point[i].piece, n * sizeof *all);
    repro_path(path, r, "pieces", j->name, ".f32");
    must(slm_file_write(path, all, rows * n * sizeof *all, &experiment_error));
    free(all);
}

/* ---- training ---- */
/* Fixes the mask of the piece: its tokens of highest excess loss of the model at the start.
   Returns the reference's losses, and the share of the tokens in the mask. */
static float *prepare_piece(experiment *e, const slm_model *start, const slm_model *reference,
                            double *share) {
    size_t n = e->piece->n;
    size_t k = slm_select_count(REPRO_RATIO, n - 1);
    double *now = experiment_losses(e, start, e->piece);
    double *ref = experiment_losses(e, reference, e->piece);
    float *out = (float *)must_alloc(n, sizeof *out);
    slm_real *excess = (slm_real *)must_alloc(n, sizeof *excess);
    e->piece_kept = (uint8_t *)must_alloc(n, 1);
    for (size_t i = 1; i < n; i++) {
        out[i] = (float)ref[i];
        excess[i] = (slm_real)(now[i] - ref[i]);
    }
    must(slm_select_top(e->piece_kept + 1, excess + 1, NULL, n - 1, k, &experiment_error));
    *share = (double)k / (double)(n - 1);
    free(now);
    free(ref);
    free(excess);
    return out;
}

/* Only the beginning and the end of a training are of interest. */
static void measure_ends_only(experiment *e, uint64_t steps) {
    e->s.every = steps;
    e->s.early = 0;
}

static void train_base(experiment *e, const job *j, slm_model *model, curve *c) {
    const training t = {.name = j->name,
                        .model = model,
                        .corpus = e->corpus[CORPUS_GENERAL],
                        .lr = j->s.base_lr,
                        .steps = j->s.base_steps,
                        .curve = c};
    measure_ends_only(e, t.steps);
    experiment_train(e, &t);
}

static void train_clean(experiment *e, const job *j, slm_model *model, uint64_t steps, curve *c) {
    const training t = {.name = j->name,
                        .model = model,
                        .corpus = e->corpus[CORPUS_CLEAN],
                        .lr = j->s.tune_lr,
                        .steps = steps,
                        .curve = c};
    experiment_train(e, &t);
}

static void train_arm(experiment *e, const job *j, slm_model *model, const slm_losses *scores,
                      double lr, curve *c) {
    const int is_tuning = strcmp(j->set, "tune") == 0;
    job_corpus text = job_corpus_make(e, j);
    const training t = {.name = j->name,
                        .model = model,
                        .corpus = text.corpus,
                        .kind = text.kind,
                        .selection = &j->selection,
                        .scores = scores,
                        .lr = lr,
                        .steps = j->s.steps,
                        .curve = c};
    if (is_tuning) measure_ends_only(e, t.steps);
    experiment_train(e, &t);
    job_corpus_free(&text, e);
    if (j->then_clean == 0) return;
    if (is_tuning) e->s.every = j->then_clean;
    e->s.early = 0;
    train_clean(e, j, model, j->then_clean, c);
}

/* ---- the four kinds of job ---- */
static slm_model *first_model(const repro *r, const job *j) {
    slm_model *model;
    if (j->start != NO_JOB) return load_model(r, j->start);
    must(slm_model_create(&model, &j->s.model, j->s.seed, &experiment_error));
    return model;
}

static void keep_model(const repro *r, const job *j, const experiment *e, const slm_model *model) {
    char path[REPRO_PATH_SIZE];
    if (!j->keep) return;
    save_model(e, model, repro_path(path, r, "models", j->name, ""));
    if (j->view[0] != '\0') save_model(e, model, repro_path(path, r, "", j->view, ""));
}

static double learning_rate(const repro *r, const job *j) {
    if (j->kind == JOB_BASE) return j->s.base_lr;
    return j->kind == JOB_REFERENCE ? j->s.tune_lr : job_learning_rate(r, j);
}

static void do_model(const repro *r, const job *j, experiment *e, curve *c) {
    slm_model *reference = j->reference != NO_JOB ? load_model(r, j->reference) : NULL;
    slm_losses *scores = j->scores != NO_JOB ? load_scores(r, j->scores) : NULL;
    slm_model *model = first_model(r, j);
    outcome o = {c, learning_rate(r, j), flops_before(r, j, reference, scores), {NAN, NAN}, 0};
    float *piece = NULL;
    if (reference != NULL && e->piece != NULL)
        piece = prepare_piece(e, model, reference, &o.kept_share);
    if (j->kind == JOB_BASE) train_base(e, j, model, c);
    if (j->kind == JOB_REFERENCE) train_clean(e, j, model, j->s.tune_steps, c);
    if (j->kind == JOB_ARM) train_arm(e, j, model, scores, o.lr, c);

    o.valid = experiment_measure(e, model, CORPUS_VALID);
    leave_if_orphan(r);
    keep_model(r, j, e, model);
    if (j->keep && piece != NULL) write_piece(r, j, c, piece, e->piece->n);
    write_run(r, j, &o);
    free(piece);
    slm_losses_free(scores);
    slm_model_free(reference);
    slm_model_free(model);
}

static void do_scores(const repro *r, const job *j, experiment *e, curve *c) {
    const outcome nothing = {c, NAN, 0, {NAN, NAN}, 0};
    char path[REPRO_PATH_SIZE];
    slm_model *model = load_model(r, j->reference);
    job_corpus text = job_corpus_make(e, j);
    slm_losses *scores = experiment_score(e, model, text.corpus);
    leave_if_orphan(r);
    repro_path(path, r, "scores", j->name, ".scores");
    must(slm_losses_save(scores, path, &experiment_error));
    write_run(r, j, &nothing);
    slm_losses_free(scores);
    job_corpus_free(&text, e);
    slm_model_free(model);
}

void repro_do(const repro *r, const job *j) {
    static experiment e;
    static curve c;
    double start = experiment_clock();
    job_begin(r, j, &e);
    progress_start(&e.bar, j->name, 1, 0);
    if (j->kind == JOB_SCORES)
        do_scores(r, j, &e, &c);
    else
        do_model(r, j, &e, &c);
    write_times(r, j, &c, experiment_clock() - start);
    experiment_end(&e);
    curve_free(&c);
}
