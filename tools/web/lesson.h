/* lesson.h: the paper's three steps, in pieces that are short enough for a page which must not
 * wait: what `make web` compiles to WebAssembly.  It compiles for any other machine too, and gives
 * the same bits there (tests/browser/web.c).
 *
 *     lesson_begin_built_in(seed), or lesson_begin_texts(...)
 *     lesson_start(LESSON_BASE, steps)         0. a model that knows the noisy text
 *     while (lesson_step(LESSON_BASE) > 0)
 *     lesson_start(LESSON_REFERENCE, steps)    1. the same, tuned on clean text
 *     while (lesson_step(LESSON_REFERENCE) > 0)
 *     while (lesson_score() > 0)               2. its loss of every token of the noisy text (eq. 1)
 *     lesson_start(LESSON_PLAIN, steps)        3. from the base, on all tokens (eq. 2), and on the
 *     lesson_start(LESSON_SELECTIVE, steps)       best k of them (eqs. 3 to 5); step by step, in
 *     lesson_step(...)                            any order
 *
 * There is one lesson at a time.  Arguments are numbers and pointers, because JavaScript passes
 * nothing else.  What fails is said on stderr and ends the program (lab/experiment.h). */
#ifndef LESSON_H
#define LESSON_H
#include <stddef.h>
#include <stdint.h>

typedef enum lesson_model {
    LESSON_BASE,
    LESSON_REFERENCE,
    LESSON_PLAIN,
    LESSON_SELECTIVE,
    LESSON_MODELS
} lesson_model;

/* ---- the texts ---- */
/* Both forget the lesson before. */
void lesson_begin_built_in(int seed);
/* The target, which is for measuring only, should be of the clean text's kind. */
void lesson_begin_texts(const char *noisy, size_t noisy_size, const char *clean, size_t clean_size,
                        const char *target, size_t target_size, int seed);
void lesson_end(void);

/* A text of the lesson: 0 the base's, 1 the noisy, 2 the clean, 4 the target (corpus_part). */
const char *lesson_text(int part);
size_t lesson_text_size(int part);
/* What each byte of the noisy text is (corpus_kind), or NULL: not known. */
const uint8_t *lesson_kinds(void);

/* ---- the steps ---- */
/* Makes a model and its optimizer: a random base, or a copy of the base.  A new base or reference
   forgets the scores. */
void lesson_start(lesson_model which, int steps);
/* One step of the optimizer.  Returns how many are left. */
int lesson_step(lesson_model which);
/* Scores the next windows of the noisy text by the reference.  Returns how many are left; the first
   call begins. */
int lesson_score(void);
/* The share of the tokens that selective training keeps, from its next step on. */
void lesson_set_ratio(double ratio);

/* Of the last step: mean loss of all tokens and of those that were selected. */
double lesson_loss_all(void);
double lesson_loss_selected(void);

/* Measures a model on the target; then loss (nats a token) and accuracy (NaN: nothing to count). */
void lesson_measure(lesson_model which);
double lesson_target_loss(void);
double lesson_target_accuracy(void);

/* The fingerprint of a model: 16 hexadecimal digits. */
const char *lesson_hash(lesson_model which);

/* ---- the passage: as many tokens as a step has, from one place of the noisy text ---- */
/* Takes the windows from first_window on. */
void lesson_passage(int first_window);
/* What a model makes of the passage, and which of its tokens a step would select, ranked among
   themselves.  Without scores (the reference has not read the text yet) none is. */
void lesson_look(lesson_model which);

/* (lesson_passage_size()) each; entry i is the passage's i-th target: its index in the text, loss,
   reference loss, 1 = selected. */
size_t lesson_passage_size(void);
const int32_t *lesson_passage_index(void);
const float *lesson_passage_loss(void);
const float *lesson_passage_ref_loss(void);
const uint8_t *lesson_passage_mask(void);

/* The likeliest tokens by a model where token `index` of the noisy text stands in its window: ids
   (5) and probabilities (5). */
void lesson_guess(lesson_model which, int index);
const int32_t *lesson_guess_ids(void);
const float *lesson_guess_p(void);

/* ---- files ---- */
/* The folder of a model; the score file of the noisy text. */
void lesson_save_model(lesson_model which, const char *folder);
void lesson_save_scores(const char *path);
#endif
