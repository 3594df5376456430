/* experiment.h: what `make run` and `make repro` share: the five texts, training with a curve, the
 * target's loss and accuracy.  Everything is done with slm.h's own functions; nothing here knows
 * how a model is trained.  Errors end the program. */
#ifndef EXPERIMENT_H
#define EXPERIMENT_H
#include "common/progress.h"
#include "corpus.h"
#include "slm.h"
#include "token_rules.h"

enum { EXPERIMENT_MAX_POINTS = 512 };

typedef struct settings {
    corpus_world world;
    corpus_mix general, noisy; /* the mixtures of the base's text and of the text to select from */
    size_t general_bytes, noisy_bytes, clean_bytes, eval_bytes;
    slm_model_config model;
    int32_t B, T;                           /* sequences per step, tokens per sequence */
    uint64_t base_steps, tune_steps, steps; /* of the base, the reference, an arm */
    uint64_t every;                         /* steps between two points of a curve */
    uint64_t early; /* steps between two points up to 3 * every; 0: as later */
    double base_lr, tune_lr;
    double arm_lr; /* of an arm, where nothing is tuned */
    uint64_t seed;
} settings;

/* The model of every experiment on the built-in corpus, in settings: of bytes, small enough for
 * minutes. */
#define EXPERIMENT_MODEL                                                                           \
    .model = {.vocab = 256,                                                                        \
              .dim = 64,                                                                           \
              .n_layers = 3,                                                                       \
              .n_heads = 4,                                                                        \
              .n_kv_heads = 4,                                                                     \
              .head_dim = 16,                                                                      \
              .ffn = 176,                                                                          \
              .max_seq = 128,                                                                      \
              .rope_theta = 10000,                                                                 \
              .norm_eps = 1e-5},                                                                   \
    .B = 8, .T = 128

typedef struct experiment {
    settings s;
    slm_tokenizer *tokenizer;
    corpus_text text[CORPUS_PARTS]; /* with its truth, where that is known */
    slm_corpus *corpus[CORPUS_PARTS];
    slm_corpus *piece;   /* or NULL: held-out text of the noisy kind, measured at late points */
    uint8_t *piece_kept; /* (piece->n) splits the piece once and for all */
    slm_tape *tape;
    slm_batch *window;   /* for measuring */
    slm_real *loss;      /* (EXPERIMENT_WINDOWS * T) */
    uint64_t done, work; /* tokens, for the ETA */
    progress bar;
} experiment;

enum { EXPERIMENT_WINDOWS = 16 }; /* measured at once */

/* The target's loss in nats per token, and its accuracy: the mean probability that the model writes
   a result right, given all before it.  NaN: the text has no results.  Of the facts each question
   is read by itself, and the loss is that of the answers' bytes: the names of other towns in a
   question are as good as random. */
typedef struct measure {
    double loss, accuracy;
} measure;

/* What happened up to a point of training; losses of training, AUC and kinds since the last
   point. */
typedef struct curve_point {
    double tokens;  /* processed */
    double trained; /* of these selected: they had a gradient */
    double flops;   /* floating-point operations of training: experiment_flops */
    double seconds; /* of training, measuring left out */
    measure target;
    double all, kept, dropped;        /* training losses */
    double auc;                       /* see experiment.c; NaN: no scores */
    double seen[CORPUS_KINDS];        /* tokens by true kind */
    double chosen[CORPUS_KINDS];      /* of these selected */
    double fixed_kept, fixed_dropped; /* losses on the two parts of the piece; NaN: no piece */
    float *piece;                     /* loss of each token of the piece, or NULL */
} curve_point;

typedef struct curve {
    const char *name;
    size_t n;
    curve_point point[EXPERIMENT_MAX_POINTS];
} curve;

/* A model's way through a text. */
typedef struct training {
    const char *name;
    slm_model *model; /* trained in place */
    const slm_corpus *corpus;
    const uint8_t *kind;                 /* the truth about each token of the corpus, or NULL */
    const slm_select_options *selection; /* NULL: plain training */
    const slm_losses *scores;            /* NULL: none needed */
    token_rule rule;                     /* in the place of a selection */
    double rule_ratio;
    const slm_losses *base_scores;       /* by the base, where the rule asks for them */
    const slm_real *documents;           /* (corpus->n) worth of each token's document, likewise */
    double lr;
    uint64_t steps;
    curve *curve; /* NULL: none.  One that has points already is continued. */
} training;

/* ---- errors ---- */
extern slm_error experiment_error; /* given to every call */

/* Prints experiment_error and ends the program unless the status is SLM_OK. */
void must(slm_status status);

/* Ends the program if there was no memory. */
void *must_have(void *memory);
void *must_alloc(size_t n, size_t size); /* zeroed */

/* ---- an experiment ---- */
/* Takes over the tokenizer.  The texts are e->text, which the caller has set; empty ones are left
   out. */
void experiment_begin(experiment *e, const settings *s, slm_tokenizer *tokenizer);

/* The same for the built-in corpus.  A part of 0 bytes is left out. */
void experiment_begin_built_in(experiment *e, const settings *s);

void experiment_end(experiment *e);

void experiment_train(experiment *e, const training *t);

/* Scores a corpus with the reference.  The caller frees the losses. */
slm_losses *experiment_score(const experiment *e, const slm_model *model, const slm_corpus *corpus);

/* Loss of each token of a text, NaN for the first, in windows of T.  The caller frees the array. */
double *experiment_losses(experiment *e, const slm_model *model, const slm_corpus *corpus);

measure experiment_measure(experiment *e, const slm_model *model, corpus_part part);

/* Share of the answers of eval that the model gives by itself, byte by byte the likeliest, to
   questions that it reads one at a time.  Of the facts; else NaN. */
double experiment_exact(const experiment *e, const slm_model *model);

/* Floating-point operations of training on `tokens` tokens, `selected` of them, in windows of T. */
double experiment_flops(const slm_model *model, int32_t T, double tokens, double selected);

/* The same for the forward alone. */
double experiment_forward_flops(const slm_model *model, int32_t T, double tokens);

/* Seconds on the clock, or without OpenMP, where one thread does all, of the processor:
   whatever runs beside it does not count. */
double experiment_clock(void);

void curve_free(curve *c);

/* Tokens until the curve first reaches an accuracy, on the straight line between two points; NaN if
   it never does. */
double curve_tokens_to(const curve *c, double accuracy);
#endif
