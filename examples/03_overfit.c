/* Lesson 3: a language model.  A small one learns a single sentence by heart, and then says it.
 *
 *     cc -O2 -I. examples/03_overfit.c -o 03 -lm
 *     ./03
 *
 * It prints:
 *
 *     the model has 43168 weights, the sentence 72 bytes
 *     step   0   loss 5.56
 *     step  20   loss 1.39
 *     step  40   loss 0.24
 *     step  60   loss 0.01
 *     step  80   loss 0.00
 *     Say what you know, and know that what you say is all that you were told.
 */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char sentence[] =
    "Say what you know, and know that what you say is all that you were told.";

static slm_error err;

static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* Says n bytes: gives the model a token, takes the likeliest next one, gives it that, and so on
   (greedy generation).  With the byte tokenizer a token is the byte itself. */
static void say(const slm_model *model, char first, int n) {
    slm_generator *generator;
    const slm_real *logits;
    slm_choice likeliest = {.token = (unsigned char)first};
    must(slm_generator_create(&generator, model, n, &err));
    for (int i = 0; i < n; i++) {
        int is_printable = likeliest.token >= 32 && likeliest.token < 127;
        putchar(is_printable ? (int)likeliest.token : '?');
        must(slm_generator_push(&logits, generator, likeliest.token, &err));
        must(slm_likeliest_tokens(&likeliest, logits, model->config.vocab, 1, &err));
    }
    putchar('\n');
    slm_generator_free(generator);
}

int main(void) {
    slm_model_config config = {.dim = 32, .n_layers = 2, .n_heads = 4, .ffn = 96};
    slm_train_options options = slm_train_defaults();
    const int length = (int)strlen(sentence);
    slm_tokenizer *tokenizer;
    slm_corpus *corpus;
    slm_batch *batch;
    slm_model *model;
    slm_trainer *trainer;
    slm_step_stats stats;

    /* 1. Text to tokens.  Here each byte is a token: there are 256 of them, and no dictionary. */
    must(slm_tokenizer_create_bytes(&tokenizer, &err));
    must(slm_corpus_encode(&corpus, tokenizer, sentence, strlen(sentence), &err));

    /* 2. Tokens to a batch: one sequence (B = 1) as long as the sentence.  Its inputs are all
       tokens but the last, its targets all but the first: at every place the model must name the
       token that comes next. */
    must(slm_batch_create(&batch, 1, length - 1, &err));
    slm_batch_fill(batch, corpus, 0);

    /* 3. A model with random weights: a Llama, only tiny.  dim is the width of the stream of
       numbers that runs through it, each head looks back at the text in its own way, and ffn is
       the width of the part that thinks about one token at a time.  The comments in slm.h say
       which fields may stay 0, and what they then become. */
    config.vocab = slm_tokenizer_vocab(tokenizer);
    must(slm_model_create(&model, &config, 1, &err));

    /* 4. A trainer: which tokens count (by default all of them: plain language modeling, eq. 2),
       and how the weights are moved (AdamW).  The first steps are smaller (warm-up), because the
       first gradients are wild. */
    options.adamw.lr = 0.01;
    options.adamw.warmup = 10;
    must(slm_trainer_create(&trainer, model, &options, &err));

    /* 5. Train.  An untrained model gives each of the 256 bytes about the same probability: its
       loss is near ln 256 = 5.55.  At a loss of 0 it would be certain of every one of them. */
    printf("the model has %d weights, the sentence %d bytes\n", (int)model->n_params, length);
    for (int step = 0; step <= 80; step++) {
        must(slm_trainer_step(&stats, trainer, &batch, 1, &err));
        if (step % 20 == 0) printf("step %3d   loss %.2f\n", step, stats.loss_all);
    }
    say(model, sentence[0], length);

    slm_trainer_free(trainer);
    slm_model_free(model);
    slm_batch_free(batch);
    slm_corpus_free(corpus);
    slm_tokenizer_free(tokenizer);
    return 0;
}
