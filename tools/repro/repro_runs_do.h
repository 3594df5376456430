/* repro_runs_do.h: the runs of `make repro`, part 3: one job, from its texts to its file. */
#ifndef REPRO_RUNS_DO_H
#define REPRO_RUNS_DO_H
#include "repro_runs.h"
#include "repro_runs_texts.h"

/* ---- models and scores of other jobs ---- */
static slm_model *repro_model(const repro *r, int i) {
    char path[400];
    slm_model *model;
    must(slm_model_load(&model,
                        repro_path(path, r, "models", repro_source(r, &r->jobs[i])->name, ""),
                        &experiment_error));
    return model;
}

static slm_losses *repro_scores(const repro *r, int i) {
    char path[400];
    slm_losses *scores;
    must(slm_losses_load(
        &scores, repro_path(path, r, "scores", repro_source(r, &r->jobs[i])->name, ".scores"),
        &experiment_error));
    return scores;
}

static void repro_keep(const repro *r, const job *j, experiment *e, const slm_model *model) {
    char path[400];
    if (!j->keep) return;
    must(slm_model_save(model, repro_path(path, r, "models", j->name, ""), e->tokenizer,
                        SLM_DTYPE_NATIVE, &experiment_error));
    if (j->view != NULL)
        must(slm_model_save(model, repro_path(path, r, "", j->view, ""), e->tokenizer,
                            SLM_DTYPE_NATIVE, &experiment_error));
}

/* A job whose parent was killed leaves nothing: the next parent may be at the same job. */
static void repro_leave_if_orphan(const repro *r) {
    if (getppid() != r->parent) _exit(1);
}

/* ---- what a job is charged for ---- */
/* Tuning the reference (if the text is scored at all) and scoring it. */
static double repro_flops_before(const repro *r, const job *j, const slm_model *reference,
                                 double n_scored) {
    const job *ref;
    double rows = (double)j->s.B * j->s.T, tokens;
    if (j->scores < 0 || reference == NULL) return 0;
    ref = repro_source(r, &r->jobs[r->jobs[j->scores].reference]);
    tokens = rows * (double)(ref->kind == JOB_REFERENCE ? ref->s.tune_steps
                             : ref->kind == JOB_ARM     ? ref->s.steps
                                                        : 0);
    return experiment_flops(reference, j->s.T, tokens, tokens, 0) +
           experiment_flops(reference, j->s.T, n_scored, 0, 1);
}

/* ---- its file ---- */
static void put(FILE *out, double x) {
    if (x == x && x - x == 0)
        fprintf(out, ",%.9g", x);
    else
        fputc(',', out);
}

static const char *const repro_columns =
    "corpus,set,arm,seed,ratio,noise,wrong,size,lr,steps,tokens,trained,flops,flops_all,target_"
    "loss,target_accuracy,valid_loss,"
    "valid_accuracy,all_loss,kept_loss,dropped_loss,precision,recall,auc,seen_problem,seen_step,"
    "seen_result,seen_other,seen_wrong,"
    "seen_id,seen_stamp,seen_markup,kept_problem,kept_step,kept_result,kept_other,kept_wrong,kept_"
    "id,kept_stamp,kept_markup,"
    "fixed_kept_loss,fixed_dropped_loss,fixed_all_loss,target_share,clean_bytes,run\n";

static void repro_put_truth(FILE *out, const curve *c, size_t p) {
    double kept = 0, target = 0, right = 0, seen = 0;
    int k;
    for (k = 0; k < CORPUS_KINDS; k++) {
        seen += c->seen[p][k];
        kept += c->chosen[p][k];
        if (k <= CORPUS_RESULT) {
            target += c->seen[p][k];
            right += c->chosen[p][k];
        }
    }
    put(out, right / kept);
    put(out, right / target);
    put(out, c->auc[p]);
    for (k = 0; k < CORPUS_KINDS; k++)
        put(out, seen > 0 ? c->seen[p][k] : NAN);
    for (k = 0; k < CORPUS_KINDS; k++)
        put(out, seen > 0 ? c->chosen[p][k] : NAN);
}

static void repro_put_point(FILE *out, const job *j, double lr, const curve *c, size_t p,
                            double before, const measure *valid, double kept_share) {
    int builtin = strcmp(j->corpus, "builtin") == 0;
    fprintf(out, "%s,%s,%s,%llu", j->corpus, j->set, j->arm, (unsigned long long)j->s.seed);
    put(out, j->selection.ratio);
    put(out, builtin ? j->s.noisy.noise : NAN);
    put(out, builtin ? j->s.noisy.wrong : NAN);
    put(out, j->size > 0 ? j->size : NAN);
    put(out, lr);
    put(out, (double)(j->kind == JOB_BASE        ? j->s.base_steps
                      : j->kind == JOB_REFERENCE ? j->s.tune_steps
                                                 : j->s.steps + j->then_clean));
    put(out, c->tokens[p]);
    put(out, c->trained[p]);
    put(out, c->flops[p]);
    put(out, c->flops[p] + before);
    put(out, c->target[p].loss);
    put(out, c->target[p].accuracy);
    put(out, p + 1 == c->n ? valid->loss : NAN);
    put(out, p + 1 == c->n ? valid->accuracy : NAN);
    put(out, c->all[p]);
    put(out, c->kept[p]);
    put(out, c->dropped[p] > 0 ? c->dropped[p] : NAN); /* none were */
    repro_put_truth(out, c, p);
    put(out, c->fixed_kept[p]);
    put(out, c->fixed_dropped[p]);
    put(out, kept_share * c->fixed_kept[p] + (1 - kept_share) * c->fixed_dropped[p]);
    put(out, builtin ? j->s.noisy.target : NAN);
    put(out, (double)j->s.clean_bytes);
    fprintf(out, ",%s\n", j->name);
}

static void repro_put_run(const repro *r, const job *j, double lr, const curve *c, double before,
                          const measure *valid, double kept_share) {
    char path[400], temporary[400];
    FILE *out = fopen(repro_path(temporary, r, "runs", j->name, ".part"), "wb");
    size_t p;
    if (out == NULL) {
        fprintf(stderr, "%s: cannot be written\n", temporary);
        exit(1);
    }
    fputs(repro_columns, out);
    for (p = 0; p < c->n; p++)
        repro_put_point(out, j, lr, c, p, before, valid, kept_share);
    if (fclose(out) != 0 || rename(temporary, repro_path(path, r, "runs", j->name, ".csv")) != 0) {
        fprintf(stderr, "%s: could not be written whole\n", path);
        exit(1);
    }
}

static void repro_put_times(const repro *r, const job *j, const curve *c, double whole) {
    char path[400];
    FILE *out = fopen(repro_path(path, r, "times", j->name, ".csv"), "wb");
    size_t p;
    if (out == NULL) {
        fprintf(stderr, "%s: cannot be written\n", path);
        exit(1);
    }
    for (p = 0; p < c->n; p++)
        fprintf(out, "%s,%.0f,%.3f\n", j->name, c->tokens[p], c->seconds[p]);
    fprintf(out, "%s,,%.3f\n", j->name, whole);
    fclose(out);
}

/* What each token of the piece cost: by the reference, then at each point that is a multiple of s.every; float32. */
static void repro_put_piece(const repro *r, const job *j, const curve *c, const float *reference,
                            size_t n) {
    char path[400];
    float *all = (float *)must_have(malloc((c->n + 1) * n * sizeof(float)));
    size_t p, rows = 1;
    memcpy(all, reference, n * sizeof(float));
    for (p = 0; p < c->n; p++)
        if (c->piece[p] != NULL) memcpy(all + n * rows++, c->piece[p], n * sizeof(float));
    must(slm_file_write(repro_path(path, r, "pieces", j->name, ".f32"), all,
                        rows * n * sizeof(float), &experiment_error));
    free(all);
}

/* ---- the four kinds of job ---- */
/* The piece and its fixed mask: the tokens of highest excess loss of the model at the start.  Returns the reference's losses. */
static float *repro_prepare_piece(experiment *e, const job *j, const slm_model *start,
                                  const slm_model *reference, double *share) {
    size_t n, i;
    float *out;
    double *now, *ref;
    slm_real *excess;
    if (e->piece == NULL) return NULL;
    n = e->piece->n;
    now = experiment_losses(e, start, e->piece);
    ref = experiment_losses(e, reference, e->piece);
    out = (float *)must_have(calloc(n, sizeof *out));
    excess = (slm_real *)must_have(calloc(n, sizeof *excess));
    e->piece_kept = (uint8_t *)must_have(calloc(n, 1));
    for (i = 1; i < n; i++) {
        out[i] = (float)ref[i];
        excess[i] = (slm_real)(now[i] - ref[i]);
    }
    must(slm_select_top(e->piece_kept + 1, excess + 1, NULL, n - 1,
                        slm_select_count(REPRO_RATIO, n - 1), &experiment_error));
    *share = (double)slm_select_count(REPRO_RATIO, n - 1) / (double)(n - 1);
    (void)j;
    free(now);
    free(ref);
    free(excess);
    return out;
}

static void repro_do_training(const repro *r, const job *j, experiment *e, curve *c, double lr,
                              slm_model *model, const slm_losses *scores) {
    training t;
    job_corpus text;
    memset(&t, 0, sizeof t);
    t.name = j->name;
    t.model = model;
    t.lr = lr;
    t.curve = c;
    if (j->kind == JOB_BASE) {
        t.corpus = e->corpus[CORPUS_GENERAL];
        t.steps = j->s.base_steps;
        e->s.every = t.steps; /* only where it begins and ends is of interest */
        e->s.early = 0;
        experiment_train(e, &t);
        return;
    }
    if (j->kind == JOB_REFERENCE) {
        t.corpus = e->corpus[CORPUS_CLEAN];
        t.steps = j->s.tune_steps;
        experiment_train(e, &t);
        return;
    }
    text = job_corpus_make(e, j);
    t.corpus = text.corpus;
    t.kind = text.kind;
    t.selection = &j->selection;
    t.scores = scores;
    t.steps = j->s.steps;
    if (strcmp(j->set, "tune") == 0) {
        e->s.every = t.steps;
        e->s.early = 0;
    }
    experiment_train(e, &t);
    job_corpus_free(&text, e);
    if (j->then_clean == 0) return;
    t.corpus = e->corpus[CORPUS_CLEAN];
    t.kind = NULL;
    t.selection = NULL;
    t.scores = NULL;
    t.lr = j->s.tune_lr;
    t.steps = j->then_clean;
    if (strcmp(j->set, "tune") == 0) e->s.every = t.steps;
    e->s.early = 0;
    experiment_train(e, &t);
    (void)r;
}

static void repro_do_scores(const repro *r, const job *j, experiment *e) {
    char path[400];
    slm_model *model = repro_model(r, j->reference);
    job_corpus text = job_corpus_make(e, j);
    slm_windows windows = slm_corpus_windows(text.corpus, 16, j->s.T);
    slm_losses *scores;

    text.corpus->tokenizer_hash = slm_tokenizer_hash(e->tokenizer);
    must(slm_losses_compute(&scores, model, text.corpus, &windows, NULL, NULL, &experiment_error));
    repro_leave_if_orphan(r);
    must(slm_losses_save(scores, repro_path(path, r, "scores", j->name, ".scores"),
                         &experiment_error));
    slm_losses_free(scores);
    job_corpus_free(&text, e);
    slm_model_free(model);
}

static void repro_do_model(const repro *r, const job *j, experiment *e, curve *c) {
    slm_model *model, *reference = j->reference >= 0 ? repro_model(r, j->reference) : NULL;
    slm_losses *scores = j->scores >= 0 ? repro_scores(r, j->scores) : NULL;
    double lr = j->kind == JOB_BASE        ? j->s.base_lr
                : j->kind == JOB_REFERENCE ? j->s.tune_lr
                                           : repro_lr(r, j),
           share = 0;
    double before = repro_flops_before(r, j, reference, scores == NULL ? 0 : (double)scores->n);
    measure valid;
    float *piece;
    if (j->start >= 0)
        model = repro_model(r, j->start);
    else
        must(slm_model_create(&model, &j->s.model, j->s.seed, &experiment_error));
    piece = reference == NULL ? NULL : repro_prepare_piece(e, j, model, reference, &share);
    repro_do_training(r, j, e, c, lr, model, scores);
    valid = experiment_measure(e, model, CORPUS_VALID);
    repro_leave_if_orphan(r);
    repro_keep(r, j, e, model);
    if (j->keep && piece != NULL) repro_put_piece(r, j, c, piece, e->piece->n);
    repro_put_run(r, j, lr, c, before, &valid, share);
    free(piece);
    slm_losses_free(scores);
    slm_model_free(reference);
    slm_model_free(model);
}

int repro_do(const repro *r, const job *j) {
    static experiment e;
    static curve c;
    const measure none = {NAN, NAN};
    double start = experiment_clock();
    job_begin(r, j, &e);
    progress_start(&e.bar, j->name, 1, 0);
    if (j->kind != JOB_SCORES)
        repro_do_model(r, j, &e, &c);
    else {
        repro_do_scores(r, j, &e);
        repro_put_run(r, j, NAN, &c, 0, &none, 0);
    }
    repro_put_times(r, j, &c, experiment_clock() - start);
    experiment_end(&e);
    curve_free(&c);
    return 0;
}
#endif
