/* Lesson 12: what a selection looks like on text, before and after training.
 *
 *     cc -O2 -I. examples/12_seen.c -o 12 -lm
 *     ./12
 *
 * A mark below a character says that it is kept: its loss exceeds the reference's the most.  | is
 * the end of a line.  It prints:
 *
 *     >|0+9=9|3+2=5|<p id=4ebc76>|<p id=5080c2>|9+4=3|<p id=2a2f3d>|1+
 *        ^^   ^^^             ^           ^     ^^^  ^        ^      ^  before, 20%
 *      ^ ^^^  ^^^^ ^     ^    ^  ^ ^^  ^  ^    ^^^^^ ^     ^  ^    ^ ^  before, 40%
 *      ^ ^^^^ ^^^^ ^ ^^^^^^   ^  ^ ^^^ ^^ ^    ^^^^^ ^ ^^^ ^  ^ ^  ^ ^  before, 60%
 *     >|0+9=9|3+2=5|<p id=4ebc76>|<p id=5080c2>|9+4=3|<p id=2a2f3d>|1+
 *      ^  ^^     ^ ^             ^        ^    ^^^ ^ ^             ^    after, 20%
 *      ^ ^^^   ^^^ ^ ^   ^       ^ ^^^ ^  ^    ^^^^^ ^ ^   ^       ^ ^  after, 40%
 *      ^^^^^^  ^^^ ^ ^^^^^       ^ ^^^^^  ^    ^^^^^ ^ ^^^^^  ^ ^  ^^^  after, 60%
 */
#define SLM_REAL double /* slower, but prints the same digits on every machine */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <stdio.h>
#include <stdlib.h>

enum { B = 8, T = 32, FIRST = 25, SHOWN = 64, MOST_BYTES = 100000 };

static slm_error err;

static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* Lesson 5's text: sums, one in a line, "3+4=7".  In the noisy text four in ten have a result drawn
   by lot, and every other line is rubbish with a random number in it. */
static slm_corpus *make(const slm_tokenizer *tokenizer, int size, int noisy, uint64_t seed) {
    static char text[MOST_BYTES + 64];
    slm_rng rng = slm_rng_seed(seed);
    slm_corpus *corpus;
    int n = 0;
    while (n < size) {
        if (noisy && slm_rng_below(&rng, 2) == 0) {
            n += sprintf(text + n, "<p id=%06x>\n", (unsigned)slm_rng_below(&rng, 1 << 24));
            continue;
        }
        int a = (int)slm_rng_below(&rng, 10);
        int b = (int)slm_rng_below(&rng, 10);
        int by_lot = noisy && slm_rng_below(&rng, 10) < 4;
        int result = by_lot ? (int)slm_rng_below(&rng, 19) : a + b;
        n += sprintf(text + n, "%d+%d=%d\n", a, b, result);
    }
    must(slm_corpus_encode(&corpus, tokenizer, text, (size_t)n, &err));
    return corpus;
}

static void train(slm_model *model, const slm_corpus *text, const slm_losses *ref_losses,
                  slm_criterion criterion, uint64_t seed, int steps) {
    slm_train_options options = slm_train_defaults();
    slm_cursor cursor = {.seed = seed};
    slm_trainer *trainer;
    slm_batch *batch;
    options.select.criterion = criterion;
    options.select.ratio = 0.6;
    options.select.seed = seed;
    options.adamw.lr = 0.003;
    options.adamw.warmup = 10;
    options.adamw.steps = (uint64_t)steps;
    must(slm_trainer_create(&trainer, model, &options, &err));
    must(slm_batch_create(&batch, B, T, &err));
    for (int step = 0; step < steps; step++) {
        must(slm_batch_next(batch, &cursor, text, ref_losses, &err));
        must(slm_trainer_step(NULL, trainer, &batch, 1, &err));
    }
    slm_batch_free(batch);
    slm_trainer_free(trainer);
}

static slm_losses *losses_of(const slm_model *model, const slm_corpus *text) {
    slm_windows windows = slm_corpus_windows(text, B, T);
    slm_losses *losses;
    must(slm_losses_compute(&losses, model, text, &windows, NULL, NULL, &err));
    return losses;
}

/* Marks what is kept of SHOWN targets from FIRST on.  Target i is token i + 1 of the text: the
   first token is predicted by nothing. */
static void show(const char *when, const slm_model *model, const slm_corpus *text,
                 const slm_losses *ref_losses, double ratio) {
    slm_losses *losses = losses_of(model, text);
    slm_select_options options = slm_select_defaults();
    const slm_targets targets = {.loss = losses->loss + FIRST,
                                 .ref_loss = ref_losses->loss + FIRST,
                                 .n = SHOWN,
                                 .T = SHOWN};
    slm_real scratch[SHOWN];
    uint8_t mask[SHOWN];
    size_t n_kept;
    options.criterion = SLM_CRITERION_EXCESS;
    options.ratio = ratio;
    must(slm_select(mask, &n_kept, &targets, &options, scratch, &err));
    for (int i = 0; i < SHOWN; i++)
        putchar(mask[i] ? '^' : ' ');
    printf("  %s, %2.0f%%\n", when, 100 * ratio);
    slm_losses_free(losses);
}

static void show_ratios(const char *when, const slm_model *model, const slm_corpus *text,
                        const slm_losses *ref_losses) {
    for (int i = 0; i < SHOWN; i++) {
        int32_t byte = text->tokens[FIRST + i + 1];
        putchar(byte == '\n' ? '|' : byte);
    }
    putchar('\n');
    for (int percent = 20; percent <= 60; percent += 20)
        show(when, model, text, ref_losses, percent / 100.0);
}

int main(void) {
    slm_model_config config = {.vocab = 256, .dim = 32, .n_layers = 2, .n_heads = 4, .ffn = 96};
    slm_tokenizer *tokenizer;
    slm_corpus *noisy, *clean;
    slm_model *model, *reference;
    slm_losses *ref_losses;

    must(slm_tokenizer_create_bytes(&tokenizer, &err));
    noisy = make(tokenizer, MOST_BYTES, 1, 1);
    clean = make(tokenizer, 600, 0, 2);
    must(slm_model_create(&model, &config, 1, &err));
    train(model, noisy, NULL, SLM_CRITERION_NONE, 7, 150);
    must(slm_model_copy(&reference, model, &err));
    train(reference, clean, NULL, SLM_CRITERION_NONE, 7, 80);
    ref_losses = losses_of(reference, noisy);

    /* The reference is fixed, but the model is not: what is kept is decided anew in every step.
       At 20% it is sums.  The wrong result of 9+4=3 and nearly all random digits are dropped at
       every ratio: no model can know them.  At 60% there are not enough sums any more, and the
       frame of the rubbish comes along.  What training has learned sinks in the ranking. */
    show_ratios("before", model, noisy, ref_losses);
    train(model, noisy, ref_losses, SLM_CRITERION_EXCESS, 8, 200);
    show_ratios("after", model, noisy, ref_losses);

    slm_losses_free(ref_losses);
    slm_model_free(reference);
    slm_model_free(model);
    slm_corpus_free(noisy);
    slm_corpus_free(clean);
    slm_tokenizer_free(tokenizer);
    return 0;
}
