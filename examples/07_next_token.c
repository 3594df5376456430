/* Lesson 7: what a model says of the next token.  One forward pass on a tape, down to the logits of
 * every place, and from them the likeliest tokens with their probabilities.
 *
 *     cc -O2 -I. examples/07_next_token.c -o 07 -lm
 *     ./07
 *
 * It prints:
 *
 *     read     likeliest next tokens
 *     |             by 0.51      at 0.49
 *     by           day 1.00
 *      day         the 1.00
 *      the         cat 1.00
 *      cat      sleeps 0.90    eats 0.10
 *     |             by 0.51      at 0.49
 *     at         night 1.00
 *      night       the 1.00
 *      the         cat 1.00
 *      cat       hunts 0.59    eats 0.30  sleeps 0.10
 */
#define SLM_REAL double /* slower, but prints the same digits on every machine */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A world of chance: by day the cat sleeps, nine times in ten; at night it does other things. */
static const char *by_day(uint64_t lot) {
    return lot < 9 ? "sleeps" : "eats";
}

static const char *at_night(uint64_t lot) {
    if (lot < 6) return "hunts";
    return lot < 9 ? "eats" : "sleeps";
}

/* Two beginnings of the same number of tokens, one after the other. */
static const char beginnings[] = "\nby day the cat\nat night the cat";

enum { LINES = 3000, B = 8, T = 32, STEPS = 300, PLACES = 5, CHOICES = 3 };

static slm_error err;

static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* Trains a tokenizer and a small model on many lines drawn by lot, as in lesson 4. */
static void learn(slm_tokenizer **tokenizer, slm_model **model) {
    static char text[LINES * 32];
    slm_model_config config = {.vocab = 300, .dim = 32, .n_layers = 2, .n_heads = 4, .ffn = 64};
    slm_train_options options = slm_train_defaults();
    slm_cursor cursor = {.seed = 1};
    slm_rng rng = slm_rng_seed(1);
    slm_corpus *corpus;
    slm_trainer *trainer;
    slm_batch *batch;
    int size = 0;
    for (int i = 0; i < LINES; i++) {
        int is_day = slm_rng_below(&rng, 2) == 0;
        uint64_t lot = slm_rng_below(&rng, 10);
        const char *when = is_day ? "by day" : "at night";
        const char *what = is_day ? by_day(lot) : at_night(lot);
        size += sprintf(text + size, "\n%s the cat %s", when, what);
    }
    must(slm_tokenizer_train(tokenizer, text, (size_t)size, config.vocab, NULL, NULL, &err));
    must(slm_corpus_encode(&corpus, *tokenizer, text, (size_t)size, &err));
    config.vocab = slm_tokenizer_vocab(*tokenizer);
    must(slm_model_create(model, &config, 1, &err));
    options.adamw.lr = 0.01;
    options.adamw.warmup = 10;
    options.adamw.steps = STEPS;
    must(slm_trainer_create(&trainer, *model, &options, &err));
    must(slm_batch_create(&batch, B, T, &err));
    for (int step = 0; step < STEPS; step++) {
        must(slm_batch_next(batch, &cursor, corpus, NULL, &err));
        must(slm_trainer_step(NULL, trainer, &batch, 1, &err));
    }
    slm_batch_free(batch);
    slm_trainer_free(trainer);
    slm_corpus_free(corpus);
}

/* Prints a token that is a word, or the end of a line, which is shown as |. */
static void show_token(const slm_tokenizer *tokenizer, int32_t id, int width) {
    size_t size;
    const char *text = slm_tokenizer_token(&size, tokenizer, id);
    if (text[0] == '\n') text = "|";
    printf("%*.*s", width, (int)size, text);
}

int main(void) {
    slm_tokenizer *tokenizer;
    slm_model *model;
    slm_batch *batch;
    slm_tape *tape;
    slm_tensor *head;
    int32_t *ids;
    size_t n_ids;
    learn(&tokenizer, &model);

    /* 1. A batch made by hand: two sequences of five tokens.  Nothing is to be learned from it, so
       it needs no targets. */
    must(slm_tokenizer_encode(&ids, &n_ids, tokenizer, beginnings, strlen(beginnings), &err));
    if (n_ids != 2 * PLACES) return 1;
    must(slm_batch_create(&batch, 2, PLACES, &err));
    memcpy(batch->inputs, ids, n_ids * sizeof *ids);

    /* 2. The forward.  hidden has a row for each place of each sequence: what the model has read up
       to there, as dim numbers.  The head turns a row into logits, one number for each token of the
       vocabulary; the probability of token v is exp(z_v) / sum_u exp(z_u). */
    must(slm_tape_create(&tape, &err));
    slm_tensor *hidden = slm_model_forward(&head, tape, model, batch, NULL);
    slm_tensor *logits = slm_linear(tape, hidden, head, NULL);
    must(slm_tape_status(tape, &err));

    /* 3. Each row is a prediction of its own.  It has seen its token and those before it in its
       sequence, but none that follow: one pass predicts at all places at once. */
    printf("read     likeliest next tokens\n");
    for (size_t row = 0; row < n_ids; row++) {
        slm_choice choices[CHOICES];
        const slm_real *row_logits = logits->data + row * logits->cols;
        must(slm_likeliest_tokens(choices, row_logits, (int32_t)logits->cols, CHOICES, &err));
        show_token(tokenizer, ids[row], -8);
        for (int i = 0; i < CHOICES && choices[i].p > 0.05; i++) {
            show_token(tokenizer, choices[i].token, 8);
            printf(" %.2f", choices[i].p);
        }
        printf("\n");
    }

    /* The model never saw the two functions at the top, only lines made by them.  Yet it gives
       their chances: at those its mean loss is least, since the loss of a token is -ln of its
       probability (eq. 1).  The last rows of the two sequences read the same token, " cat"; what
       makes them differ came to them by attention, from "day" and "night". */
    slm_tape_free(tape);
    slm_batch_free(batch);
    slm_free(ids);
    slm_model_free(model);
    slm_tokenizer_free(tokenizer);
    return 0;
}
