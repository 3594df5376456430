/* experiment.h: what `make run` and `make repro` share: the five texts, training with a curve, the target's loss and accuracy.
   Everything is done with slm.h's own functions; nothing here knows how a model is trained.  Errors end the program. */
#ifndef EXPERIMENT_H
#define EXPERIMENT_H
#include <time.h>
#include "corpus.h"
#include "common/progress.h"

#define EXPERIMENT_POINTS 512

typedef struct settings {
    corpus_mix general, noisy; /* the mixtures of the base's text and of the text to select from */
    size_t general_bytes, noisy_bytes, clean_bytes, eval_bytes;
    slm_model_config model;
    int32_t B, T;                                  /* sequences per step, tokens per sequence */
    uint64_t base_steps, tune_steps, steps, every; /* every: steps between two points of a curve */
    double base_lr, tune_lr;
    uint64_t seed;
    uint64_t early; /* steps between two points up to 3 * every; 0: as later */
} settings;

typedef struct experiment {
    settings s;
    slm_tokenizer *tokenizer;
    corpus_text text
        [CORPUS_PARTS]; /* the built-in corpus, with its truth; if the texts are files: without */
    slm_corpus *corpus[CORPUS_PARTS];
    slm_corpus
        *piece; /* or NULL: held-out text of the noisy kind, measured at every late point ... */
    uint8_t *piece_kept; /* ... split by this fixed mask (piece->n) */
    slm_tape *tape;
    slm_batch *window; /* for measuring */
    slm_real *loss;
    int quiet;
    uint64_t work_done, work; /* tokens, for the ETA */
    progress bar;
} experiment;

/* The target's loss (nats per token) and accuracy: the mean probability that the model writes a result right, given all before
   (NaN: the text has no results). */
typedef struct measure {
    double loss, accuracy;
} measure;

/* What happened up to each point; of what was seen and chosen: since the last point. */
typedef struct curve {
    const char *name;
    size_t n;
    double tokens[EXPERIMENT_POINTS];  /* processed */
    double trained[EXPERIMENT_POINTS]; /* of these selected: they had a gradient */
    double flops[EXPERIMENT_POINTS];   /* floating-point operations of training: experiment_flops */
    double seconds[EXPERIMENT_POINTS]; /* of training, measuring left out */
    measure target[EXPERIMENT_POINTS];
    double all[EXPERIMENT_POINTS], kept[EXPERIMENT_POINTS],
        dropped[EXPERIMENT_POINTS]; /* training losses */
    double auc
        [EXPERIMENT_POINTS]; /* chance that a token of the target scores higher than one that is not; NaN: no scores */
    double seen[EXPERIMENT_POINTS][CORPUS_KINDS],
        chosen[EXPERIMENT_POINTS][CORPUS_KINDS]; /* tokens by true kind */
    double fixed_kept[EXPERIMENT_POINTS],
        fixed_dropped[EXPERIMENT_POINTS]; /* losses on the piece; NaN: no piece */
    float *piece[EXPERIMENT_POINTS];      /* loss of each token of the piece, or NULL */
} curve;

/* A model's way through a text. */
typedef struct training {
    const char *name;
    slm_model *model; /* trained in place */
    const slm_corpus *corpus;
    const uint8_t *kind;                 /* the truth about each token of the corpus, or NULL */
    const slm_select_options *selection; /* NULL: plain */
    const slm_losses *scores;            /* NULL: none needed */
    double lr;
    uint64_t steps;
    curve *curve; /* NULL: none.  One that has points already is continued */
} training;

static slm_error experiment_error;

static inline void must(slm_status status) {
    if (status == SLM_OK) return;
    fprintf(stderr, "%s\n", experiment_error.text);
    exit(status == SLM_ERR_MEMORY ? 4 : 1);
}

static inline void *must_have(void *memory) {
    if (memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(4);
    }
    return memory;
}

/* The texts are e->text, which the caller has set; empty ones are left out.  The tokenizer becomes e's. */
static inline void experiment_begin(experiment *e, const settings *s, slm_tokenizer *tokenizer) {
    int part;
    e->s = *s;
    e->tokenizer = tokenizer;
    for (part = 0; part < CORPUS_PARTS; part++)
        if (e->text[part].size > 0)
            must(slm_corpus_encode(&e->corpus[part], e->tokenizer, e->text[part].text,
                                   e->text[part].size, &experiment_error));
    must(slm_tape_create(&e->tape, &experiment_error));
    must(slm_batch_create(&e->window, 16, s->T, &experiment_error));
    e->loss = (slm_real *)must_have(malloc(sizeof *e->loss * 16 * (size_t)s->T));
}

/* The built-in corpus.  A part of 0 bytes is left out. */
static inline void experiment_begin_built_in(experiment *e, const settings *s) {
    const corpus_mix *mixes[CORPUS_PARTS];
    size_t bytes[CORPUS_PARTS];
    slm_tokenizer *tokenizer;
    int part;
    memset(e, 0, sizeof *e);
    memset(mixes, 0, sizeof mixes);
    mixes[CORPUS_GENERAL] = &s->general;
    mixes[CORPUS_NOISY] = &s->noisy;
    bytes[CORPUS_GENERAL] = s->general_bytes;
    bytes[CORPUS_NOISY] = s->noisy_bytes;
    bytes[CORPUS_CLEAN] = s->clean_bytes;
    bytes[CORPUS_VALID] = bytes[CORPUS_EVAL] = s->eval_bytes;
    for (part = 0; part < CORPUS_PARTS; part++)
        if (!corpus_make(&e->text[part], (corpus_part)part, mixes[part], bytes[part], s->seed))
            must_have(NULL);
    must(slm_tokenizer_create_bytes(&tokenizer, &experiment_error));
    experiment_begin(e, s, tokenizer);
}

static inline void experiment_end(experiment *e) {
    int part;
    for (part = 0; part < CORPUS_PARTS; part++) {
        corpus_free(&e->text[part]);
        slm_corpus_free(e->corpus[part]);
    }
    slm_tokenizer_free(e->tokenizer);
    slm_corpus_free(e->piece);
    free(e->piece_kept);
    slm_tape_free(e->tape);
    slm_batch_free(e->window);
    free(e->loss);
}

/* Loss of each token of a text (NaN: the first), in windows of T. */
static inline double *experiment_losses(experiment *e, const slm_model *model,
                                        const slm_corpus *corpus) {
    double *out = (double *)must_have(malloc(sizeof *out * corpus->n));
    size_t w, i, windows = slm_corpus_n_windows(corpus, e->s.T);
    for (i = 0; i < corpus->n; i++)
        out[i] = NAN;
    for (w = 0; w < windows; w += 16) {
        slm_batch_fill(e->window, corpus, w);
        must(slm_model_losses(e->loss, NULL, e->tape, model, e->window, &experiment_error));
        for (i = 0; i < 16 * (size_t)e->s.T; i++)
            if (e->window->targets[i] >= 0) out[e->window->positions[i]] = (double)e->loss[i];
    }
    return out;
}

static inline measure experiment_measure(experiment *e, const slm_model *model, corpus_part part) {
    const slm_corpus *c = e->corpus[part];
    const uint8_t *kind = e->text[part].kind;
    double *loss = experiment_losses(e, model, c), sum = 0, right = 0, results = 0, one = 0;
    measure m;
    size_t i;
    for (i = 1; i < c->n; i++) {
        sum += loss[i];
        if (kind == NULL || kind[i] != CORPUS_RESULT) continue;
        one += loss[i]; /* a result may have several digits: all of them right */
        if (i + 1 < c->n && kind[i + 1] == CORPUS_RESULT) continue;
        right += exp(-one);
        results++;
        one = 0;
    }
    free(loss);
    m.loss = sum / (double)(c->n - 1);
    m.accuracy = results > 0 ? right / results : NAN;
    return m;
}

static inline void experiment_show(experiment *e, const char *name, uint64_t tokens,
                                   const slm_step_stats *stats) {
    char note[96];
    e->work_done += tokens;
    snprintf(note, sizeof note, "%s  loss %.3f", name, stats->loss_all);
    progress_show(&e->bar, e->work_done, e->work, note);
}

/* Floating-point operations of training: forward 2 per weight and token, backward 4; where a gradient reaches only the selected
   rows (head and, in the last block, MLP, output and query) the backward counts those only.  Attention: 2 T C per layer forward
   (half of it is masked), twice that backward.  selected = tokens: plain training; scoring is the forward alone. */
static inline double experiment_flops(const slm_model *model, int32_t T, double tokens,
                                      double selected, int scoring) {
    const slm_model_config *c = &model->config;
    double all = 0, live = 0, attention = 2.0 * c->n_layers * (double)T * c->n_heads * c->head_dim;
    char last[32];
    size_t i;
    (void)snprintf(last, sizeof last, "model.layers.%d.", (int)c->n_layers - 1);
    for (i = c->tie_embeddings ? 0 : 1; i < model->n_tensors;
         i++) { /* the first is the embedding: looked up, not multiplied */
        const slm_param *p = &model->table[i];
        int keys = strstr(p->name, "k_proj") != NULL || strstr(p->name, "v_proj") != NULL;
        int in_last = strncmp(p->name, last, strlen(last)) == 0 && !keys;
        if (!p->decay) continue;
        all += (double)(p->rows * p->cols);
        if (in_last || i == 0 || i + 1 == model->n_tensors) live += (double)(p->rows * p->cols);
    }
    if (scoring) return tokens * (2 * all + attention);
    return tokens * (2 * all + 4 * (all - live) + 3 * attention) + selected * 4 * live;
}

/* Chance that a token of the target (kinds up to CORPUS_RESULT) has a higher score than one that is not; ties count half.
   By ranks: sort, then sum.  NaN: only one of the two is there. */
typedef struct experiment_ranked {
    slm_real score;
    int target;
} experiment_ranked;

static inline int experiment_by_score(const void *a, const void *b) {
    slm_real x = ((const experiment_ranked *)a)->score, y = ((const experiment_ranked *)b)->score;
    return x < y ? -1 : x > y;
}

static inline double experiment_auc(const slm_real *score, const slm_batch *batch,
                                    const uint8_t *kind) {
    size_t rows = (size_t)batch->B * (size_t)batch->T, i, j, n = 0;
    experiment_ranked *r = (experiment_ranked *)must_have(malloc(rows * sizeof *r));
    double below = 0, wins = 0, targets = 0;
    for (i = 0; i < rows; i++) {
        if (batch->targets[i] < 0) continue;
        r[n].score = score[i];
        r[n].target = kind[batch->positions[i]] <= CORPUS_RESULT;
        targets += r[n++].target;
    }
    qsort(r, n, sizeof *r, experiment_by_score);
    for (i = 0; i < n; i = j) {
        double hits = 0, others = 0;
        for (j = i; j < n && r[j].score == r[i].score; j++) {
            hits += r[j].target;
            others += !r[j].target;
        }
        wins += hits * (below + 0.5 * others);
        below += others;
    }
    free(r);
    return targets > 0 && below > 0 ? wins / (targets * below) : NAN;
}

static inline void experiment_measure_piece(experiment *e, curve *c, const slm_model *model) {
    double *loss, kept = 0, dropped = 0, n = 0;
    size_t i;
    c->fixed_kept[c->n] = c->fixed_dropped[c->n] = NAN;
    if (e->piece == NULL) return;
    loss = experiment_losses(e, model, e->piece);
    c->piece[c->n] = (float *)must_have(calloc(e->piece->n, sizeof(float)));
    for (i = 1; i < e->piece->n; i++) {
        c->piece[c->n][i] = (float)loss[i];
        if (e->piece_kept[i]) {
            kept += loss[i];
            n++;
        } else
            dropped += loss[i];
    }
    if (n > 0) c->fixed_kept[c->n] = kept / n;
    if (n < (double)(e->piece->n - 1))
        c->fixed_dropped[c->n] = dropped / ((double)(e->piece->n - 1) - n);
    free(loss);
}

/* Losses of the tokens in between, since the last point. */
typedef struct interval {
    double steps, all, kept, dropped, auc, aucs;
} interval;

static inline void experiment_point(experiment *e, curve *c, const slm_model *model,
                                    const interval *since, int piece) {
    double n = since->steps;
    c->all[c->n] = n > 0 ? since->all / n : NAN;
    c->kept[c->n] = n > 0 ? since->kept / n : NAN;
    c->dropped[c->n] = n > 0 ? since->dropped / n : NAN;
    c->auc[c->n] = since->aucs > 0 ? since->auc / since->aucs : NAN;
    c->target[c->n] = experiment_measure(e, model, CORPUS_EVAL);
    c->fixed_kept[c->n] = c->fixed_dropped[c->n] = NAN;
    if (piece) experiment_measure_piece(e, c, model);
    c->n++;
}

static inline void experiment_note(interval *since, curve *c, const training *t,
                                   const slm_trainer *trainer, const slm_batch *batch,
                                   const slm_step_stats *stats) {
    size_t rows = (size_t)batch->B * (size_t)batch->T, i;
    const slm_select_options *select = &slm_trainer_options(trainer)->select;
    slm_criterion by = select->criterion;
    since->steps++;
    since->all += stats->loss_all;
    since->kept += stats->loss_selected;
    since->dropped += stats->loss_unselected;
    if (t->kind == NULL) return;
    for (i = 0; i < rows; i++) {
        size_t at = (size_t)batch->positions[i];
        if (at == 0 || at >= t->corpus->n) continue; /* past the end of the text */
        c->seen[c->n][t->kind[at]]++;
        c->chosen[c->n][t->kind[at]] += batch->targets[i] >= 0 && slm_trainer_mask(trainer)[i];
    }
    if (by != SLM_CRITERION_NONE && by < SLM_CRITERION_INTERSECT &&
        select->ratio < 1) {
        double auc = experiment_auc(slm_trainer_scores(trainer), batch, t->kind);
        if (!isnan(auc)) {
            since->auc += auc;
            since->aucs++;
        }
    }
}

/* Seconds: of the clock on the wall; without OpenMP, where one thread does all, of the processor: whatever runs beside it. */
static inline double experiment_clock(void) {
#ifdef _OPENMP
    return progress_clock();
#else
    struct timespec t = {0, 0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
#endif
}

static inline void experiment_train(experiment *e, const training *t) {
    slm_cursor cursor = {e->s.seed, 0};
    slm_train_options options = slm_train_defaults();
    slm_trainer *trainer;
    slm_batch *batch;
    slm_step_stats stats;
    curve *c = t->curve;
    interval since = {0, 0, 0, 0, 0, 0};
    double start, rows = (double)e->s.B * e->s.T, tokens = 0, trained = 0, seconds = 0, flops = 0;
    uint64_t i;
    options.adamw.lr = t->lr;
    options.adamw.steps = t->steps;
    options.adamw.warmup = t->steps / 20;
    if (t->selection != NULL) options.select = *t->selection;
    must(slm_trainer_create(&trainer, t->model, &options, &experiment_error));
    must(slm_batch_create(&batch, e->s.B, e->s.T, &experiment_error));
    if (c != NULL && c->n == 0)
        experiment_point(e, c, t->model, &since, 1);
    else if (c != NULL) {
        tokens = c->tokens[c->n - 1];
        trained = c->trained[c->n - 1];
        seconds = c->seconds[c->n - 1];
        flops = c->flops[c->n - 1];
    }
    for (i = 1; i <= t->steps; i++) {
        int late = i % e->s.every == 0 || i == t->steps;
        start = experiment_clock();
        must(slm_batch_next(batch, &cursor, t->corpus, t->scores, &experiment_error));
        must(slm_trainer_step(&stats, trainer, &batch, 1, &experiment_error));
        seconds += experiment_clock() - start;
        tokens += rows;
        trained += (double)stats.n_selected;
        flops += experiment_flops(t->model, e->s.T, rows, (double)stats.n_selected, 0);
        experiment_show(e, t->name, (uint64_t)rows, &stats);
        if (c == NULL) continue;
        experiment_note(&since, c, t, trainer, batch, &stats);
        if (!late && !(e->s.early > 0 && i <= 3 * e->s.every && i % e->s.early == 0)) continue;
        c->tokens[c->n] = tokens;
        c->trained[c->n] = trained;
        c->seconds[c->n] = seconds;
        c->flops[c->n] = flops;
        experiment_point(e, c, t->model, &since, late);
        memset(&since, 0, sizeof since);
    }
    slm_batch_free(batch);
    slm_trainer_free(trainer);
}

static inline void curve_free(curve *c) {
    size_t i;
    for (i = 0; i < c->n; i++)
        free(c->piece[i]);
    memset(c, 0, sizeof *c);
}

/* Tokens until the curve first reaches a level (between two points: on the straight line); NaN: never. */
static inline double curve_reaches(const curve *c, const double *x, double level, int by_accuracy) {
    size_t i;
    for (i = 0; i < c->n; i++) {
        double now = by_accuracy ? c->target[i].accuracy : -c->target[i].loss;
        if (now < (by_accuracy ? level : -level)) continue;
        if (i == 0) return x[0];
        {
            double before = by_accuracy ? c->target[i - 1].accuracy : -c->target[i - 1].loss;
            return x[i - 1] +
                   (x[i] - x[i - 1]) * ((by_accuracy ? level : -level) - before) / (now - before);
        }
    }
    return NAN;
}
#endif
