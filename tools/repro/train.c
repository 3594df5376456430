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

slm_losses *job_load_scores(const repro *r, const job *j) {
    slm_losses *scores;
    must(slm_losses_load(&scores, job_path(r, "scores", j, ".scores"), &experiment_error));
    return scores;
}

static void save_model(const experiment *e, const slm_model *model, const char *path) {
    must(slm_model_save(model, path, e->tokenizer, SLM_DTYPE_NATIVE, &experiment_error));
}

/* ---- what an arm costs before it begins ---- */
/* Jobs that an arm could not do without, each once: scores, and the references that made them. */
typedef struct costs {
    const job *job[8];
    size_t n;
} costs;

static void add_cost(costs *all, const job *j) {
    if (j == NULL || j->kind == JOB_BASE) return;
    j = job_source(j);
    for (size_t i = 0; i < all->n; i++)
        if (all->job[i] == j) return;
    if (all->n == COUNT(all->job)) return;
    all->job[all->n++] = j;
    if (j->kind == JOB_SCORES) add_cost(all, j->reference);
    add_cost(all, j->scores);
    add_cost(all, j->worth[0]);
    add_cost(all, j->worth[1]);
}

static double flops_of(const repro *r, const job *j, const slm_model *reference) {
    if (j->kind == JOB_SCORES && j->reference == NULL) return 0;
    if (j->kind == JOB_SCORES) {
        slm_losses *scores = job_load_scores(r, j);
        double tokens = (double)scores->n;
        slm_losses_free(scores);
        return experiment_forward_flops(reference, j->s.T, tokens);
    }
    double tokens = (double)j->s.B * j->s.T * (double)job_steps(j);
    return experiment_flops(reference, j->s.T, tokens, tokens);
}

/* Tuning references, if the text is scored at all, and scoring it. */
static double flops_before(const repro *r, const job *j, const slm_model *reference) {
    costs all = {.n = 0};
    double sum = 0;
    if (reference == NULL) return 0;
    add_cost(&all, j->scores);
    add_cost(&all, j->worth[0]);
    add_cost(&all, j->worth[1]);
    for (size_t i = 0; i < all.n; i++)
        sum += flops_of(r, all.job[i], reference);
    return sum;
}

/* ---- its file ---- */
const char repro_curve_columns[] =
    "corpus,set,arm,seed,ratio,noise,wrong,size,lr,steps,tokens,trained,flops,flops_all,"
    "target_loss,target_accuracy,valid_loss,valid_accuracy,all_loss,kept_loss,dropped_loss,"
    "precision,recall,auc,"
    "seen_problem,seen_step,seen_result,seen_other,seen_wrong,seen_id,seen_stamp,seen_markup,"
    "kept_problem,kept_step,kept_result,kept_other,kept_wrong,kept_id,kept_stamp,kept_markup,"
    "fixed_kept_loss,fixed_dropped_loss,fixed_all_loss,target_share,clean_bytes,target_exact,run\n";

/* A job's result: what goes into its file. */
typedef struct outcome {
    const curve *c;
    double lr, flops_before;
    measure valid;
    double exact;      /* see experiment_exact */
    double kept_share; /* of the piece */
} outcome;

static void put_point(csv_out *out, const job *j, const outcome *o, const curve_point *p) {
    const measure unknown = {NAN, NAN};
    const int is_last = p == &o->c->point[o->c->n - 1];
    const measure valid = is_last ? o->valid : unknown;
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
                            j->s.noisy.target, (double)j->s.clean_bytes, is_last ? o->exact : NAN};
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

static corpus_part part_of(const job *j) {
    if (j->kind == JOB_BASE) return CORPUS_GENERAL;
    return j->text == TEXT_CLEAN ? CORPUS_CLEAN : CORPUS_NOISY;
}

/* Of bases and of trials of a learning rate only the beginning and the end are measured. */
static int has_ends_only(const job *j) {
    return j->kind == JOB_BASE || same_text(j->set, "tune");
}

static void train_stretch(experiment *e, const job *j, training t) {
    if (has_ends_only(j)) e->s.every = t.steps;
    if (has_ends_only(j) || t.curve->n > 0) e->s.early = 0;
    experiment_train(e, &t);
}

/* ---- cleaning in rounds ---- */
/* A part of the text, masked but for the share of its tokens with the highest loss by the base less
   that by a model.  first is a multiple of T, so that its windows are those of the scores. */
static slm_corpus *clean_part(experiment *e, const job *j, const slm_model *by,
                              const slm_losses *base, size_t first, size_t n) {
    const int32_t *tokens = e->corpus[CORPUS_NOISY]->tokens + first;
    const int32_t vocab = slm_tokenizer_vocab(e->tokenizer);
    slm_real *worth = (slm_real *)must_alloc(n, sizeof *worth);
    uint8_t *mask = (uint8_t *)must_alloc(n, 1);
    slm_corpus *part;
    must(slm_corpus_create(&part, tokens, NULL, n, vocab, &experiment_error));
    double *loss = experiment_losses(e, by, part);
    for (size_t i = 1; i < n; i++)
        worth[i] = (slm_real)((double)base->loss[first + i - 1] - loss[i]);
    must(slm_select_top(mask + 1, worth + 1, NULL, n - 1, slm_select_count(j->share, n - 1),
                        &experiment_error));
    for (size_t i = 0; i < n; i++)
        mask[i] = !mask[i];
    slm_corpus_free(part);
    must(slm_corpus_create(&part, tokens, mask, n, vocab, &experiment_error));
    free(worth);
    free(mask);
    free(loss);
    return part;
}

/* The text in rounds: in the first one the reference cleans, then what the model has become.  Each
   round has a schedule of its own, as a training on one part has. */
static void train_in_rounds(const repro *r, experiment *e, const job *j, training t,
                            const slm_model *reference) {
    const uint8_t *kind = t.kind;
    const uint64_t steps = t.steps / (uint64_t)j->rounds;
    const size_t T = (size_t)j->s.T;
    const size_t size = e->corpus[CORPUS_NOISY]->n / (size_t)j->rounds / T * T;
    slm_losses *base = job_load_scores(r, j->worth[1]);
    for (int round = 0; round < j->rounds; round++) {
        const size_t first = (size_t)round * size;
        const slm_model *by = round == 0 ? reference : t.model;
        slm_corpus *part = clean_part(e, j, by, base, first, size + 1);
        t.corpus = part;
        t.kind = kind != NULL ? kind + first : NULL;
        t.steps = steps;
        train_stretch(e, j, t);
        slm_corpus_free(part);
    }
    slm_losses_free(base);
}

/* ---- training as the job says ---- */
/* Trains with a rule in the place of a selection. */
static void train_by_rule(const repro *r, experiment *e, const job *j, training t) {
    slm_losses *base = rule_needs_base(j->rule) ? job_load_scores(r, j->worth[1]) : NULL;
    slm_real *documents = rule_needs_documents(j->rule) ? filter_document_worth(r, j, e) : NULL;
    t.rule = j->rule;
    t.rule_ratio = j->selection.ratio;
    t.base_scores = base;
    t.documents = documents;
    train_stretch(e, j, t);
    slm_losses_free(base);
    free(documents);
}

/* scores and reference may be NULL. */
static void train(const repro *r, experiment *e, const job *j, slm_model *model,
                  const slm_losses *scores, const slm_model *reference, double lr, curve *c) {
    const corpus_part part = part_of(j);
    training t = {.name = j->name,
                  .model = model,
                  .corpus = e->corpus[part],
                  .lr = lr,
                  .steps = job_steps(j) - j->then_clean,
                  .curve = c};
    if (j->kind == JOB_ARM) {
        t.kind = part == CORPUS_NOISY ? e->text[part].kind : NULL;
        t.selection = &j->selection;
        t.scores = scores;
    }
    if (j->rounds > 0)
        train_in_rounds(r, e, j, t, reference);
    else if (j->rule != RULE_NONE)
        train_by_rule(r, e, j, t);
    else
        train_stretch(e, j, t);
    if (j->then_clean == 0) return;
    training then = {.name = j->name,
                     .model = model,
                     .corpus = e->corpus[CORPUS_CLEAN],
                     .lr = j->s.tune_lr,
                     .steps = j->then_clean,
                     .curve = c};
    train_stretch(e, j, then);
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
    slm_losses *scores = j->scores != NULL ? job_load_scores(r, j->scores) : NULL;
    slm_model *model = first_model(r, j);
    outcome o = {c, job_learning_rate(r, j), flops_before(r, j, reference), {NAN, NAN}, NAN, 0};
    float *piece = NULL;
    if (reference != NULL && e->piece != NULL)
        piece = prepare_piece(e, model, reference, &o.kept_share);
    train(r, e, j, model, scores, reference, o.lr, c);
    o.exact = experiment_exact(e, model);
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

static slm_losses *score_by_model(const repro *r, const job *j, const experiment *e) {
    slm_model *model = load_model(r, j->reference);
    slm_losses *scores = experiment_score(e, model, e->corpus[CORPUS_NOISY]);
    slm_model_free(model);
    return scores;
}

static slm_losses *lower_of_two(const repro *r, const job *j) {
    slm_losses *scores = job_load_scores(r, j->worth[0]);
    slm_losses *other = job_load_scores(r, j->worth[1]);
    for (size_t i = 0; i < scores->n; i++)
        if (other->loss[i] < scores->loss[i]) scores->loss[i] = other->loss[i];
    slm_losses_free(other);
    return scores;
}

static void do_scores(const repro *r, const job *j, experiment *e, curve *c) {
    const outcome nothing = {c, NAN, 0, {NAN, NAN}, NAN, 0};
    const int has_model = j->reference != NULL;
    slm_losses *scores = has_model ? score_by_model(r, j, e) : lower_of_two(r, j);
    os_child_end_with_parent();
    must(slm_losses_save(scores, repro_path(r, "scores", j->name, ".scores"), &experiment_error));
    write_run(r, j, &nothing);
    slm_losses_free(scores);
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
