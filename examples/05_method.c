/* Lesson 5: the whole method.  Base, reference, losses; then plain against selective training.
 *
 *     cc -O2 -I. examples/05_method.c -o 05 -lm
 *     ./05
 *
 * Or ./05 NOISY CLEAN TARGET for three text files of your own.  (The equations are those of the
 * paper, see >>idea in slm.h.)  It prints:
 *
 *     trained as             target loss, nats per byte
 *     base                   1.47
 *     reference              1.22
 *     plain                  1.33
 *     selective              1.20
 *     selective, at random   1.34
 */
#define SLM_REAL double /* slower, but prints the same digits on every machine */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <stdio.h>
#include <stdlib.h>

enum { B = 8, T = 32, BASE_STEPS = 150 }; /* B windows in a batch, of T tokens each */

static slm_error err;

static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* The target are sums, one in a line: "3+4=7".  The noisy text has them too, but four in ten have a
   result drawn by lot, and every other line is rubbish with a random number in it.  So we know what
   a good selection would keep; the method does not. */
static slm_corpus *make(const slm_tokenizer *tokenizer, int size, int noisy, uint64_t seed) {
    static char text[200000 + 64];
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

/* Each step takes the next windows with their reference losses, selects and updates the model. */
static void train(slm_model *model, const slm_corpus *text, const slm_losses *ref_losses,
                  slm_criterion criterion, int first_step, int steps) {
    slm_train_options options = slm_train_defaults();
    slm_cursor cursor = {.seed = 7, .next_window = (uint64_t)first_step * B};
    slm_trainer *trainer;
    slm_batch *batch;
    options.select.criterion = criterion;
    options.select.ratio = 0.6;
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

/* How good is it?  Judged by the mean loss of ALL tokens of the target (eq. 2): selection is for
   training, never for judging. */
static void judge(const char *name, const slm_model *model, const slm_corpus *target) {
    slm_windows windows = slm_corpus_windows(target, B, T);
    slm_losses *losses;
    slm_evaluation evaluation;
    must(slm_losses_compute(&losses, model, target, &windows, NULL, NULL, &err));
    must(slm_losses_evaluate(&evaluation, losses, target, 1, &err));
    printf("%-22s %.2f\n", name, evaluation.loss);
    slm_losses_free(losses);
}

int main(int argc, char **argv) {
    slm_model_config config = {.vocab = 256, .dim = 32, .n_layers = 2, .n_heads = 4, .ffn = 96};
    slm_tokenizer *tokenizer;
    slm_corpus *noisy, *clean, *target;
    slm_model *base, *reference;
    slm_losses *ref_losses;

    /* Much noisy text, a little clean text, and the target, which nothing is ever trained on. */
    must(slm_tokenizer_create_bytes(&tokenizer, &err));
    if (argc == 4) {
        must(slm_corpus_load(&noisy, tokenizer, argv[1], NULL, &err));
        must(slm_corpus_load(&clean, tokenizer, argv[2], NULL, &err));
        must(slm_corpus_load(&target, tokenizer, argv[3], NULL, &err));
    } else {
        noisy = make(tokenizer, 200000, 1, 1);
        clean = make(tokenizer, 600, 0, 2);
        target = make(tokenizer, 8000, 0, 3);
    }
    printf("trained as             target loss, nats per byte\n");

    /* The base stands for the pretrained model that one begins with.  Step 1 of the paper: the
       reference is the base, tuned on the clean text. */
    must(slm_model_create(&base, &config, 1, &err));
    train(base, noisy, NULL, SLM_CRITERION_NONE, 0, BASE_STEPS);
    judge("base", base, target);
    must(slm_model_copy(&reference, base, &err));
    train(reference, clean, NULL, SLM_CRITERION_NONE, 0, 80);
    judge("reference", reference, target);

    /* Step 2: the reference reads the noisy text once and leaves a loss for every token (eq. 1). */
    slm_windows windows = slm_corpus_windows(noisy, B, T);
    must(slm_losses_compute(&ref_losses, reference, noisy, &windows, NULL, NULL, &err));

    /* Step 3: train the base on the noisy text.  Plain: on all tokens.  Selective: on the 60% of
       each batch whose loss exceeds the reference's the most (eqs. 3 to 5).  At random: on as many,
       drawn by lot; fewer alone is not better.  All see the same new windows in the same order. */
    const char *names[] = {"plain", "selective", "selective, at random"};
    slm_criterion criteria[] = {SLM_CRITERION_NONE, SLM_CRITERION_EXCESS, SLM_CRITERION_RANDOM};
    for (int i = 0; i < 3; i++) {
        slm_model *model;
        must(slm_model_copy(&model, base, &err));
        train(model, noisy, ref_losses, criteria[i], BASE_STEPS, 200);
        judge(names[i], model, target);
        slm_model_free(model);
    }

    /* What to make of it.  Plain training must expect rubbish in every other line, and pays for it
       on the target; selection drops what the reference calls hopeless.  The reference has the
       taste, but saw only some 90 sums; the selective model has its taste and saw many more.  But
       this text was made to show it.  A fair test takes several seeds and tunes the learning rate
       of each arm; and if the reference knows no more than the base, expect no gain. */
    slm_losses_free(ref_losses);
    slm_model_free(reference);
    slm_model_free(base);
    slm_corpus_free(noisy);
    slm_corpus_free(clean);
    slm_corpus_free(target);
    slm_tokenizer_free(tokenizer);
    return 0;
}
