/* train.c: one job, from its texts to its file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/options.h"
#include "common/os.h"
#include "jobs.h"

/* ---- models and scores of other jobs ---- */
static slm_model *load_model(const repro *r, const job *j) {
    slm_model *model;
    must(slm_model_load(&model, job_path(r, "models", j, ""), &experiment_error));
    return model;
}

static slm_losses *load_scores(const repro *r, const job *j) {
    slm_losses *scores;
    must(slm_losses_load(&scores, job_path(r, "scores", j, ".scores"), &experiment_error));
    return scores;
}

static void save_model(const experiment *e, const slm_model *model, const char *path) {
    must(slm_model_save(model, path, e->tokenizer, SLM_DTYPE_NATIVE, &experiment_error));
}

/* What an arm is charged for before it begins: tuning the reference, if the text is scored at all,
   and scoring it. */
static double flops_before(const job *j, const slm_model *reference,
                           const slm_losses *scores) {
    if (j->scores == NULL || reference == NULL) return 0;
    const job *by = job_source(j->scores->reference);
    double steps = by->kind == JOB_BASE ? 0 : (double)job_steps(by);
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

static void put_point(csv_out *out, const job *j, const outcome *o, const curve_point *p) {
    const measure unknown = {NAN, NAN};
    const measure valid = p == &o->c->point[o->c->n - 1] ? o->valid : unknown;
    const double share = o->kept_share;
    double kept = 0, target = 0, right = 0, seen = 0;
    for (int k = 0; k < CORPUS_KINDS; k++) {
        seen += p->seen[k];
        kept += p->chosen[k];
        if (k > CORPUS_RESULT) continue;
        target += p->seen[k];
        right += p->chosen[k];
    }
    const double before[] = {o->lr,
                             (double)job_steps(j),
                             p->tokens,
                             p->trained,
                             p->flops,
                             p->flops + o->flops_before,
                             p->target.loss,
                             p->target.accuracy,
                             valid.loss,
                             valid.accuracy,
                             p->all,
                             p->kept,
                             p->dropped > 0 ? p->dropped : NAN, /* 0: none were */
                             right / kept,
                             right / target,
                             p->auc};
    const double after[] = {p->fixed_kept, p->fixed_dropped,
                            share * p->fixed_kept + (1 - share) * p->fixed_dropped,
                            j->s.noisy.target, (double)j->s.clean_bytes};
    repro_put_keys(out, j, j->size > 0 ? j->size : NAN);
    csv_put_numbers(out, before, COUNT(before));
    csv_put_numbers(out, seen > 0 ? p->seen : NULL, CORPUS_KINDS);
    csv_put_numbers(out, seen > 0 ? p->chosen : NULL, CORPUS_KINDS);
    csv_put_numbers(out, after, COUNT(after));
    csv_put_text(out, j->name);
    csv_end_row(out);
}

static void write_run(const repro *r, const job *j, const outcome *o) {
    csv_out out = repro_csv_open(r, "runs", j->name, repro_curve_columns);
    for (size_t i = 0; i < o->c->n; i++)
        put_point(&out, j, o, &o->c->point[i]);
    repro_csv_close(&out);
}

/* The seconds are in a file of their own: nothing else differs between two runs.  The last row is
   of the whole job. */
static void write_times(const repro *r, const job *j, const curve *c, double whole) {
    csv_out out = repro_csv_open(r, "times", j->name, "");
    for (size_t i = 0; i <= c->n; i++) {
        const int is_point = i < c->n;
        csv_put_text(&out, j->name);
        csv_put_number(&out, is_point ? c->point[i].tokens : NAN);
        csv_put(&out, "%.3f", is_point ? c->point[i].seconds : whole);
        csv_end_row(&out);
    }
    repro_csv_close(&out);
}

/* What each token of the piece cost, in float32: by the reference, then at each point that is a
   multiple of s.every. */
static void write_piece(const repro *r, const job *j, const curve *c, const float *reference,
                        size_t n) {
    float *all = (float *)must_alloc((c->n + 1) * n, sizeof *all);
    size_t rows = 1;
    memcpy(all, reference, n * sizeof *all);
    for (size_t i = 0; i < c->n; i++)
        if (c->point[i].piece != NULL) memcpy(all + n * rows++, c->point[i].piece, n * sizeof *all);
    must(slm_file_write(repro_path(r, "pieces", j->name, ".f32"), all, rows * n * sizeof *all,
                        &experiment_error));
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

/* Trains as the job says; scores may be NULL.  Of bases and of trials of a learning rate only the
   beginning and the end are measured. */
static void train(experiment *e, const job *j, slm_model *model, const slm_losses *scores,
                  double lr, curve *c) {
    const corpus_part part = j->kind == JOB_BASE ? CORPUS_GENERAL : CORPUS_CLEAN;
    const int ends_only = j->kind == JOB_BASE || same_text(j->set, "tune");
    const training then = {.name = j->name,
                           .model = model,
                           .corpus = e->corpus[CORPUS_CLEAN],
                           .lr = j->s.tune_lr,
                           .steps = j->then_clean,
                           .curve = c};
    training t = then;
    t.corpus = e->corpus[part];
    t.lr = lr;
    t.steps = job_steps(j) - then.steps;
    if (j->kind == JOB_ARM) {
        t.corpus = e->corpus[CORPUS_NOISY];
        t.kind = e->text[CORPUS_NOISY].kind;
        t.selection = &j->selection;
        t.scores = scores;
    }
    if (ends_only) {
        e->s.every = t.steps;
        e->s.early = 0;
    }
    experiment_train(e, &t);
    if (then.steps == 0) return;
    if (ends_only) e->s.every = then.steps;
    e->s.early = 0;
    experiment_train(e, &then);
}

/* ---- the four kinds of job ---- */
static slm_model *first_model(const repro *r, const job *j) {
    slm_model *model;
    if (j->start != NULL) return load_model(r, j->start);
    must(slm_model_create(&model, &j->s.model, j->s.seed, &experiment_error));
    return model;
}

static void keep_model(const repro *r, const job *j, const experiment *e, const slm_model *model) {
    if (!j->keep) return;
    save_model(e, model, repro_path(r, "models", j->name, ""));
    if (j->view[0] != '\0') save_model(e, model, repro_path(r, "", j->view, ""));
}

static void do_model(const repro *r, const job *j, experiment *e, curve *c) {
    slm_model *reference = j->reference != NULL ? load_model(r, j->reference) : NULL;
    slm_losses *scores = j->scores != NULL ? load_scores(r, j->scores) : NULL;
    slm_model *model = first_model(r, j);
    outcome o = {c, job_learning_rate(r, j), flops_before(j, reference, scores), {NAN, NAN}, 0};
    float *piece = NULL;
    if (reference != NULL && e->piece != NULL)
        piece = prepare_piece(e, model, reference, &o.kept_share);
    train(e, j, model, scores, o.lr, c);
    o.valid = experiment_measure(e, model, CORPUS_VALID);
    os_child_end_with_parent();
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
    slm_model *model = load_model(r, j->reference);
    slm_losses *scores = experiment_score(e, model, e->corpus[CORPUS_NOISY]);
    os_child_end_with_parent();
    must(slm_losses_save(scores, repro_path(r, "scores", j->name, ".scores"), &experiment_error));
    write_run(r, j, &nothing);
    slm_losses_free(scores);
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
