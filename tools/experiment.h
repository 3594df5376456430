/* experiment.h: what `make run` and `make repro` share: the five texts, training with a curve, the target's loss and accuracy.
   Everything is done with slm.h's own functions; nothing here knows how a model is trained.  Errors end the program. */
#ifndef EXPERIMENT_H
#define EXPERIMENT_H
#include "corpus.h"
#include "progress.h"

#define EXPERIMENT_POINTS 512
typedef struct settings {
    corpus_mix general, noisy;           /* the mixtures of the base's text and of the text to select from */
    size_t general_bytes, noisy_bytes, clean_bytes, eval_bytes;
    slm_config model;
    int32_t B, T;                        /* sequences per step, tokens per sequence */
    uint64_t base_steps, tune_steps, steps, every;   /* every: steps between two points of a curve */
    double base_lr, tune_lr;
    uint64_t seed;
} settings;
typedef struct experiment {
    settings s;
    slm_tokenizer *tokenizer;
    corpus_text text[CORPUS_PARTS];      /* the built-in corpus, with its truth; empty if the texts are files */
    slm_corpus *corpus[CORPUS_PARTS];
    slm_tape *tape;
    slm_batch *window;                   /* for measuring */
    slm_real *loss;
    int quiet;
    uint64_t work_done, work;            /* tokens, for the ETA */
    progress bar;
} experiment;
/* The target's loss (nats per token) and accuracy: the mean probability that the model writes a result right, given all before. */
typedef struct measure { double loss, accuracy; } measure;
typedef struct curve {
    const char *name;
    size_t n;
    double tokens[EXPERIMENT_POINTS];    /* processed */
    double trained[EXPERIMENT_POINTS];   /* of these selected: they had a gradient */
    double seconds[EXPERIMENT_POINTS];   /* of training, measuring left out */
    measure target[EXPERIMENT_POINTS];
    double all[EXPERIMENT_POINTS], kept[EXPERIMENT_POINTS], dropped[EXPERIMENT_POINTS];   /* training losses since the last point */
    double seen[EXPERIMENT_POINTS][CORPUS_KINDS], chosen[EXPERIMENT_POINTS][CORPUS_KINDS]; /* tokens by true kind since the last point */
} curve;

static slm_error experiment_error;
static inline void must(slm_status status) {
    if (status == SLM_OK) return;
    fprintf(stderr, "%s\n", experiment_error.text);
    exit(status == SLM_ERR_MEMORY ? 4 : 1);
}
static inline void *must_have(void *memory) {
    if (memory == NULL) { fprintf(stderr, "out of memory\n"); exit(4); }
    return memory;
}

static inline void experiment_begin(experiment *e, const settings *s, const corpus_mix *mixes[CORPUS_PARTS], const size_t bytes[CORPUS_PARTS]) {
    int part;
    memset(e, 0, sizeof *e);
    e->s = *s;
    must(slm_tokenizer_bytes(&e->tokenizer, &experiment_error));
    for (part = 0; part < CORPUS_PARTS; part++) {
        if (!corpus_make(&e->text[part], (corpus_part)part, mixes[part], bytes[part], s->seed)) must_have(NULL);
        must(slm_corpus_from_text(&e->corpus[part], e->tokenizer, e->text[part].text, e->text[part].size, &experiment_error));
    }
    must(slm_tape_create(&e->tape, &experiment_error));
    must(slm_batch_create(&e->window, 16, s->T, &experiment_error));
    e->loss = (slm_real *)must_have(malloc(sizeof *e->loss * 16 * (size_t)s->T));
}
static inline void experiment_begin_built_in(experiment *e, const settings *s) {
    const corpus_mix *mixes[CORPUS_PARTS];
    size_t bytes[CORPUS_PARTS];
    memset(mixes, 0, sizeof mixes);
    mixes[CORPUS_GENERAL] = &s->general;
    mixes[CORPUS_NOISY] = &s->noisy;
    bytes[CORPUS_GENERAL] = s->general_bytes;
    bytes[CORPUS_NOISY] = s->noisy_bytes;
    bytes[CORPUS_CLEAN] = s->clean_bytes;
    bytes[CORPUS_VALID] = bytes[CORPUS_EVAL] = s->eval_bytes;
    experiment_begin(e, s, mixes, bytes);
}
static inline void experiment_end(experiment *e) {
    int part;
    for (part = 0; part < CORPUS_PARTS; part++) { corpus_free(&e->text[part]); slm_corpus_free(e->corpus[part]); }
    slm_tokenizer_free(e->tokenizer);
    slm_tape_free(e->tape);
    slm_batch_free(e->window);
    free(e->loss);
}
/* Loss of each token of a text (NaN: the first), in windows of T. */
static inline double *experiment_losses(experiment *e, const slm_model *model, const slm_corpus *corpus) {
    double *out = (double *)must_have(malloc(sizeof *out * corpus->n));
    size_t w, i, windows = slm_corpus_windows(corpus, e->s.T);
    for (i = 0; i < corpus->n; i++) out[i] = NAN;
    for (w = 0; w < windows; w += 16) {
        slm_batch_window(e->window, corpus, w);
        must(slm_score_batch(model, e->tape, e->window, e->loss, NULL, &experiment_error));
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
        one += loss[i];                                  /* a result may have several digits: all of them right */
        if (i + 1 < c->n && kind[i + 1] == CORPUS_RESULT) continue;
        right += exp(-one);
        results++;
        one = 0;
    }
    free(loss);
    m.loss = sum / (double)(c->n - 1);
    m.accuracy = results > 0 ? right / results : 0;
    return m;
}
static inline void experiment_show(experiment *e, const char *name, uint64_t tokens, const slm_step_stats *stats) {
    char note[96];
    e->work_done += tokens;
    snprintf(note, sizeof note, "%s  loss %.3f", name, stats->loss_all);
    progress_show(&e->bar, e->work_done, e->work, note);
}
static inline void experiment_point(experiment *e, curve *c, const slm_model *model, double tokens, double trained, double seconds) {
    c->tokens[c->n] = tokens;
    c->trained[c->n] = trained;
    c->seconds[c->n] = seconds;
    c->target[c->n] = experiment_measure(e, model, CORPUS_EVAL);
    c->n++;
}
/* Trains the model in place.  selection and scores may be NULL: plain.  c may be NULL: no curve. */
static inline void experiment_train(experiment *e, const char *name, slm_model *model, const slm_corpus *corpus, const uint8_t *kind,
                                    const slm_selection *selection, const slm_scores *scores, double lr, uint64_t steps, curve *c) {
    slm_cursor cursor = { e->s.seed, 0 };
    slm_optimizer optimizer;
    slm_trainer *trainer;
    slm_batch *batch;
    slm_step_stats stats;
    double start, seconds = 0, trained = 0, rows = (double)e->s.B * e->s.T;
    uint64_t i;
    size_t t;
    memset(&optimizer, 0, sizeof optimizer);
    optimizer.lr = lr;
    optimizer.steps = steps;
    optimizer.warmup = steps / 20;
    must(slm_trainer_create(&trainer, model, selection, &optimizer, &experiment_error));
    must(slm_batch_create(&batch, e->s.B, e->s.T, &experiment_error));
    if (c != NULL) {
        memset(c, 0, sizeof *c);
        c->name = name;
        experiment_point(e, c, model, 0, 0, 0);
    }
    for (i = 1; i <= steps; i++) {
        start = progress_clock();
        must(slm_batch_next(batch, corpus, scores, &cursor, &experiment_error));
        must(slm_train_step(trainer, &batch, 1, &stats, &experiment_error));
        seconds += progress_clock() - start;
        trained += (double)stats.n_selected;
        experiment_show(e, name, (uint64_t)rows, &stats);
        if (c == NULL) continue;
        c->all[c->n] += stats.loss_all / (double)e->s.every;
        c->kept[c->n] += stats.loss_selected / (double)e->s.every;
        c->dropped[c->n] += stats.loss_unselected / (double)e->s.every;
        for (t = 0; kind != NULL && t < (size_t)rows; t++)
            if (batch->targets[t] >= 0) {
                c->seen[c->n][kind[batch->positions[t]]]++;
                c->chosen[c->n][kind[batch->positions[t]]] += trainer->mask[t];
            }
        if (i % e->s.every == 0) experiment_point(e, c, model, (double)i * rows, trained, seconds);
    }
    slm_batch_free(batch);
    slm_trainer_free(trainer);
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
            return x[i - 1] + (x[i] - x[i - 1]) * ((by_accuracy ? level : -level) - before) / (now - before);
        }
    }
    return NAN;
}
#endif
