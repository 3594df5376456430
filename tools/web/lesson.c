/* lesson.c: texts, steps, what a page shows of them, files. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lab/experiment.h"
#include "lesson.h"

enum { GUESSES = 5 };

/* A model on its way. */
typedef struct course {
    slm_model *model; /* NULL: not begun */
    slm_trainer *trainer;
    slm_cursor cursor;
    int steps, done;
} course;

static experiment e;
static course courses[LESSON_MODELS];

static slm_batch *batch;   /* of training */
static slm_losses *scores; /* of the noisy text; NULL: none yet */
static size_t n_scored;    /* windows */
static double ratio = 0.4;

/* Of the last step or of the passage, (B*T) each. */
static slm_real *losses, *excess;
static uint8_t *mask;
static double loss_all, loss_selected;
static measure measured;

static slm_batch *passage;
static slm_real *passage_loss;
static uint8_t *passage_mask;
static int32_t *passage_index;

static int32_t guess_ids[GUESSES];
static float guess_p[GUESSES];

/* The corpus and the model of `make run`, with less text and fewer measurements: a browser is
   slower. */
static const settings small = {.general = {.target = 0.6, .noise = 0.2, .wrong = 0.3},
                               .noisy = {.target = 0.6, .noise = 0.2, .wrong = 0.3},
                               .general_bytes = 1000000,
                               .noisy_bytes = 200000,
                               .clean_bytes = 60000,
                               .eval_bytes = 8000,
                               EXPERIMENT_MODEL};

#define BASE_LR 4e-3
#define TUNE_LR 1e-3 /* of all that begins at the base */

/* ---- the texts ---- */
static size_t n_rows(void) {
    return (size_t)e.s.B * (size_t)e.s.T;
}

static void begin(void) {
    must(slm_batch_create(&batch, e.s.B, e.s.T, &experiment_error));
    must(slm_batch_create(&passage, e.s.B, e.s.T, &experiment_error));
    must(slm_batch_alloc_reference(passage, &experiment_error));
    losses = (slm_real *)must_alloc(n_rows(), sizeof *losses);
    excess = (slm_real *)must_alloc(n_rows(), sizeof *excess);
    mask = (uint8_t *)must_alloc(n_rows(), sizeof *mask);
    passage_loss = (slm_real *)must_alloc(n_rows(), sizeof *passage_loss);
    passage_mask = (uint8_t *)must_alloc(n_rows(), sizeof *passage_mask);
    passage_index = (int32_t *)must_alloc(n_rows(), sizeof *passage_index);
    lesson_passage(0);
}

static settings settings_of(int seed) {
    settings s = small;
    s.seed = (uint64_t)(uint32_t)seed;
    return s;
}

void lesson_begin_built_in(int seed) {
    const settings s = settings_of(seed);
    lesson_end();
    experiment_begin_built_in(&e, &s);
    begin();
}

/* A text whose bytes are of no known kind. */
static void set_text(corpus_part part, const char *text, size_t size) {
    corpus_append(&e.text[part], CORPUS_OTHER, text, size);
    free(e.text[part].kind);
    e.text[part].kind = NULL;
}

void lesson_begin_texts(const char *noisy, size_t noisy_size, const char *clean, size_t clean_size,
                        const char *target, size_t target_size, int seed) {
    const settings s = settings_of(seed);
    slm_tokenizer *tokenizer;
    lesson_end();
    set_text(CORPUS_GENERAL, noisy, noisy_size);
    set_text(CORPUS_NOISY, noisy, noisy_size);
    set_text(CORPUS_CLEAN, clean, clean_size);
    set_text(CORPUS_EVAL, target, target_size);
    must(slm_tokenizer_create_bytes(&tokenizer, &experiment_error));
    experiment_begin(&e, &s, tokenizer);
    begin();
}

static void end_course(course *c) {
    slm_trainer_free(c->trainer);
    slm_model_free(c->model);
    memset(c, 0, sizeof *c);
}

static void forget_scores(void) {
    slm_losses_free(scores);
    scores = NULL;
    n_scored = 0;
}

void lesson_end(void) {
    for (int i = 0; i < LESSON_MODELS; i++)
        end_course(&courses[i]);
    forget_scores();
    slm_batch_free(batch);
    slm_batch_free(passage);
    free(losses);
    free(excess);
    free(mask);
    free(passage_loss);
    free(passage_mask);
    free(passage_index);
    batch = passage = NULL;
    losses = excess = passage_loss = NULL;
    mask = passage_mask = NULL;
    passage_index = NULL;
    experiment_end(&e);
    memset(&e, 0, sizeof e);
}

const char *lesson_text(int part) {
    return e.text[part].text;
}

size_t lesson_text_size(int part) {
    return e.text[part].size;
}

const uint8_t *lesson_kinds(void) {
    return e.text[CORPUS_NOISY].kind;
}

/* ---- the steps ---- */
static const slm_corpus *corpus_of(lesson_model which) {
    if (which == LESSON_BASE) return e.corpus[CORPUS_GENERAL];
    if (which == LESSON_REFERENCE) return e.corpus[CORPUS_CLEAN];
    return e.corpus[CORPUS_NOISY];
}

/* The share of highest excess loss, of a whole step. */
static slm_select_options selection(void) {
    slm_select_options options = slm_select_defaults();
    options.criterion = SLM_CRITERION_EXCESS;
    options.ratio = ratio;
    return options;
}

/* Plain and selective training have one seed, and so the same windows in the same order.  It is
   another one than the base's: where both texts are the same, they would meet them again in the
   order in which the base has just met them. */
void lesson_start(lesson_model which, int steps) {
    course *c = &courses[which];
    slm_train_options options = slm_train_defaults();
    end_course(c);
    if (which <= LESSON_REFERENCE) forget_scores();
    if (which == LESSON_BASE)
        must(slm_model_create(&c->model, &e.s.model, e.s.seed, &experiment_error));
    else
        must(slm_model_copy(&c->model, courses[LESSON_BASE].model, &experiment_error));
    options.adamw.lr = which == LESSON_BASE ? BASE_LR : TUNE_LR;
    options.adamw.steps = (uint64_t)steps;
    options.adamw.warmup = (uint64_t)steps / 20;
    if (which == LESSON_SELECTIVE) options.select = selection();
    must(slm_trainer_create(&c->trainer, c->model, &options, &experiment_error));
    c->cursor.seed = which == LESSON_BASE ? e.s.seed : e.s.seed + 1;
    c->steps = steps;
}

static slm_targets targets_of(const slm_real *loss, const slm_batch *of) {
    slm_targets t;
    memset(&t, 0, sizeof t);
    t.loss = loss;
    t.ref_loss = of->ref_loss;
    t.targets = of->targets;
    t.n = n_rows();
    t.T = of->T;
    return t;
}

/* Fills mask_out (B*T): the share of highest excess loss (eqs. 3 and 5).  Returns k. */
static size_t select_tokens(uint8_t *mask_out, const slm_real *loss, const slm_batch *of) {
    const slm_targets targets = targets_of(loss, of);
    const slm_select_options options = selection();
    size_t k;
    must(slm_select(mask_out, &k, &targets, &options, excess, &experiment_error));
    return k;
}

static void note_losses(void) {
    double all = 0, selected = 0, n = 0, k = 0;
    for (size_t i = 0; i < n_rows(); i++) {
        if (batch->targets[i] < 0) continue;
        all += (double)losses[i];
        n++;
        if (!mask[i]) continue;
        selected += (double)losses[i];
        k++;
    }
    loss_all = n > 0 ? all / n : NAN;
    loss_selected = k > 0 ? selected / k : NAN;
}

/* The selective step of >>idea in slm.h: a trainer keeps its ratio, but here k may have moved. */
static void step_by_hand(course *c) {
    slm_real *grads = slm_trainer_grads(c->trainer);
    slm_tensor *head;
    slm_tape_reset(e.tape);
    slm_tensor *hidden = slm_model_forward(&head, e.tape, c->model, batch, grads);
    must(slm_token_losses(losses, NULL, e.tape, hidden, head, batch->targets, &experiment_error));
    size_t k = select_tokens(mask, losses, batch);
    slm_tensor *loss = slm_selective_loss(e.tape, hidden, head, batch->targets, NULL, mask,
                                          (double)k, losses);
    must(slm_tape_backward(e.tape, loss, &experiment_error));
    must(slm_trainer_update(NULL, c->trainer, &experiment_error));
    note_losses();
}

static void step_of_trainer(course *c) {
    slm_step_stats stats;
    must(slm_trainer_step(&stats, c->trainer, &batch, 1, &experiment_error));
    loss_all = stats.loss_all;
    loss_selected = stats.loss_selected;
}

int lesson_step(lesson_model which) {
    course *c = &courses[which];
    const slm_losses *ref_losses = which == LESSON_SELECTIVE ? scores : NULL;
    if (c->done == c->steps) return 0;
    must(slm_batch_next(batch, &c->cursor, corpus_of(which), ref_losses, &experiment_error));
    if (which == LESSON_SELECTIVE && ratio != slm_trainer_options(c->trainer)->select.ratio)
        step_by_hand(c);
    else
        step_of_trainer(c);
    c->done++;
    return c->steps - c->done;
}

static void begin_scores(void) {
    const slm_corpus *noisy = e.corpus[CORPUS_NOISY];
    slm_losses_free(scores);
    must(slm_losses_create(&scores, noisy->n - 1, e.s.T, &experiment_error));
    scores->corpus_hash = noisy->hash;
    scores->tokenizer_hash = noisy->tokenizer_hash;
    scores->model_hash = slm_model_hash(courses[LESSON_REFERENCE].model);
}

int lesson_score(void) {
    const slm_corpus *noisy = e.corpus[CORPUS_NOISY];
    const size_t n_windows = slm_corpus_n_windows(noisy, e.s.T);
    const size_t rows = EXPERIMENT_WINDOWS * (size_t)e.s.T;
    slm_real *entropy = (slm_real *)must_alloc(rows, sizeof *entropy);
    if (n_scored == 0) begin_scores();
    slm_batch_fill(e.window, noisy, n_scored);
    must(slm_model_losses(e.loss, entropy, e.tape, courses[LESSON_REFERENCE].model, e.window,
                          &experiment_error));
    for (size_t i = 0; i < rows; i++) {
        if (e.window->targets[i] < 0) continue;
        scores->loss[e.window->positions[i] - 1] = e.loss[i];
        scores->entropy[e.window->positions[i] - 1] = entropy[i];
    }
    free(entropy);
    n_scored += EXPERIMENT_WINDOWS;
    if (n_scored < n_windows) return (int)(n_windows - n_scored);
    n_scored = 0;
    return 0;
}

void lesson_set_ratio(double share) {
    ratio = share;
}

double lesson_loss_all(void) {
    return loss_all;
}

double lesson_loss_selected(void) {
    return loss_selected;
}

void lesson_measure(lesson_model which) {
    measured = experiment_measure(&e, courses[which].model, CORPUS_EVAL);
}

double lesson_target_loss(void) {
    return measured.loss;
}

double lesson_target_accuracy(void) {
    return measured.accuracy;
}

const char *lesson_hash(lesson_model which) {
    static char text[24];
    uint64_t hash = slm_model_hash(courses[which].model);
    (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    return text;
}

/* ---- the passage ---- */
void lesson_passage(int first_window) {
    slm_batch_fill(passage, e.corpus[CORPUS_NOISY], (size_t)first_window);
    for (size_t i = 0; i < n_rows(); i++) {
        const int is_target = passage->targets[i] >= 0;
        passage_index[i] = is_target ? (int32_t)passage->positions[i] : -1;
    }
    memset(passage_mask, 0, n_rows());
}

static int has_scores(void) {
    return scores != NULL && n_scored == 0;
}

void lesson_look(lesson_model which) {
    must(slm_model_losses(passage_loss, NULL, e.tape, courses[which].model, passage,
                          &experiment_error));
    memset(passage_mask, 0, n_rows());
    if (!has_scores()) return;
    for (size_t i = 0; i < n_rows(); i++)
        if (passage->targets[i] >= 0) passage->ref_loss[i] = scores->loss[passage_index[i] - 1];
    (void)select_tokens(passage_mask, passage_loss, passage);
}

size_t lesson_passage_size(void) {
    return n_rows();
}

const int32_t *lesson_passage_index(void) {
    return passage_index;
}

const float *lesson_passage_loss(void) {
    return passage_loss;
}

const float *lesson_passage_ref_loss(void) {
    return passage->ref_loss;
}

const uint8_t *lesson_passage_mask(void) {
    return passage_mask;
}

void lesson_guess(lesson_model which, int index) {
    const slm_corpus *noisy = e.corpus[CORPUS_NOISY];
    const size_t first = ((size_t)index - 1) / (size_t)e.s.T * (size_t)e.s.T;
    slm_generator *generator;
    slm_choice choices[GUESSES];
    const slm_real *logits = NULL;
    must(slm_generator_create(&generator, courses[which].model, e.s.T, &experiment_error));
    for (size_t i = first; i < (size_t)index; i++)
        must(slm_generator_push(&logits, generator, noisy->tokens[i], &experiment_error));
    must(slm_likeliest_tokens(choices, logits, e.s.model.vocab, GUESSES, &experiment_error));
    for (int i = 0; i < GUESSES; i++) {
        guess_ids[i] = choices[i].token;
        guess_p[i] = (float)choices[i].p;
    }
    slm_generator_free(generator);
}

const int32_t *lesson_guess_ids(void) {
    return guess_ids;
}

const float *lesson_guess_p(void) {
    return guess_p;
}

/* ---- files ---- */
void lesson_save_model(lesson_model which, const char *folder) {
    must(slm_model_save(courses[which].model, folder, e.tokenizer, SLM_DTYPE_NATIVE,
                        &experiment_error));
}

void lesson_save_scores(const char *path) {
    must(slm_losses_save(scores, path, &experiment_error));
}
