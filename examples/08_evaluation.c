/* Lesson 8: how good is a model?  The losses of a text, their mean with an interval, and why it
 * matters which tokens are counted.
 *
 *     cc -O2 -I. examples/08_evaluation.c -o 08 -lm
 *     ./08
 *
 * It prints:
 *
 *     counted                     tokens  loss and 95% interval  perplexity
 *     100 sums                       599  0.557 [0.545, 0.567]        1.75
 *     1600 sums                     9599  0.565 [0.562, 0.569]        1.76
 *     1600 sums, all but results    7999  0.663 [0.660, 0.665]        1.94
 *     1600 sums, results            1600  0.079 [0.061, 0.096]        1.08
 */
#define SLM_REAL double /* slower, but prints the same digits on every machine */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { B = 8, T = 64, STEPS = 300, MOST_SUMS = 10000, DIGITS = 5 };

static slm_error err;

static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* Sums of two digits below 5, drawn by lot, one in a line: "3+4=7".  A token is a byte. */
static slm_corpus *make_sums(const slm_tokenizer *tokenizer, int n_sums, uint64_t seed) {
    static char text[MOST_SUMS * 8];
    slm_rng rng = slm_rng_seed(seed);
    slm_corpus *corpus;
    int size = 0;
    for (int i = 0; i < n_sums; i++) {
        int a = (int)slm_rng_below(&rng, DIGITS);
        int b = (int)slm_rng_below(&rng, DIGITS);
        size += sprintf(text + size, "%d+%d=%d\n", a, b, a + b);
    }
    must(slm_corpus_encode(&corpus, tokenizer, text, (size_t)size, &err));
    return corpus;
}

static void train(slm_model *model, const slm_corpus *corpus) {
    slm_train_options options = slm_train_defaults();
    slm_cursor cursor = {.seed = 1};
    slm_trainer *trainer;
    slm_batch *batch;
    options.adamw.lr = 0.01;
    options.adamw.warmup = 10;
    options.adamw.steps = STEPS;
    must(slm_trainer_create(&trainer, model, &options, &err));
    must(slm_batch_create(&batch, B, T, &err));
    for (int step = 0; step < STEPS; step++) {
        must(slm_batch_next(batch, &cursor, corpus, NULL, &err));
        must(slm_trainer_step(NULL, trainer, &batch, 1, &err));
    }
    slm_batch_free(batch);
    slm_trainer_free(trainer);
}

/* Masks the results.  A mask is 1 where a token is not to be counted. */
static void mask_results(uint8_t *masked, const slm_corpus *corpus) {
    int in_result = 0;
    for (size_t i = 0; i < corpus->n; i++) {
        if (corpus->tokens[i] == '\n') in_result = 0;
        masked[i] = (uint8_t)in_result;
        if (corpus->tokens[i] == '=') in_result = 1;
    }
}

/* The mean over what is not masked, with an interval: on other text of the same kind the mean would
   be another.  How different?  Windows of this text are drawn with replacement, as many as it has,
   1000 times (the 1 below is the seed); 95% of the means lie within the interval. */
static void show(const char *what, const slm_losses *losses, const slm_corpus *corpus) {
    slm_evaluation e;
    must(slm_losses_evaluate(&e, losses, corpus, 1, &err));
    printf("%-27s %6d  %.3f [%.3f, %.3f]  %10.2f\n", what, (int)e.n_tokens, e.loss, e.low,
           e.high, exp(e.loss));
}

int main(void) {
    static uint8_t masked[MOST_SUMS * 8];
    slm_model_config config = {.vocab = 256, .dim = 32, .n_layers = 2, .n_heads = 4, .ffn = 96};
    slm_tokenizer *tokenizer;
    slm_model *model;
    slm_corpus *learned, *text[2];
    slm_losses *losses[2];

    must(slm_tokenizer_create_bytes(&tokenizer, &err));
    must(slm_model_create(&model, &config, 1, &err));
    learned = make_sums(tokenizer, MOST_SUMS, 1);
    train(model, learned);
    text[0] = make_sums(tokenizer, 100, 2);
    text[1] = make_sums(tokenizer, 1600, 3);

    /* 1. The losses of two texts, neither of which was trained on.  The interval shrinks with the
       root of the length: 16 times the text, about a quarter of the width.  The perplexity is
       exp(loss): the model is as unsure as if it had to guess among that many tokens, all equally
       likely. */
    for (int i = 0; i < 2; i++) {
        slm_windows windows = slm_corpus_windows(text[i], B, T);
        must(slm_losses_compute(&losses[i], model, text[i], &windows, NULL, NULL, &err));
    }
    printf("counted                     tokens  loss and 95%% interval  perplexity\n");
    show("100 sums", losses[0], text[0]);
    show("1600 sums", losses[1], text[1]);

    /* 2. The same losses, counted in parts: the mask of a corpus may be replaced by one of yours.
       Adding is what we wanted to teach, and only the results tell whether it was learned.  The
       mean of all hides it, because the operands are drawn by lot: no model can get them below
       2 ln 5 / 5 = 0.644 nats for each byte of "3+4=\n" that is no result.  (The results are not
       at 0, because a window that begins behind an operand hides it.) */
    text[1]->masked = masked;
    mask_results(masked, text[1]);
    show("1600 sums, all but results", losses[1], text[1]);
    for (size_t i = 0; i < text[1]->n; i++)
        masked[i] = !masked[i];
    show("1600 sums, results", losses[1], text[1]);

    for (int i = 0; i < 2; i++) {
        slm_losses_free(losses[i]);
        slm_corpus_free(text[i]);
    }
    slm_corpus_free(learned);
    slm_model_free(model);
    slm_tokenizer_free(tokenizer);
    return 0;
}
