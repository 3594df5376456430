/* Lesson 11: is it luck?  With another start, text and order of the windows every loss is another.
 * So: several seeds, differences within each seed, an interval around their mean.
 *
 *     cc -O2 -I. examples/11_seeds.c -o 11 -lm
 *     ./11
 *
 * It prints:
 *
 *     seed   plain  selective  random      (target loss, nats per byte)
 *        1   1.419      1.281   1.451
 *        2   1.418      1.282   1.450
 *        3   1.417      1.268   1.441
 *        4   1.437      1.272   1.448
 *        5   1.425      1.285   1.439
 *     mean difference and its 95% interval:
 *     selective - plain : -0.146 [-0.160, -0.131]  beyond luck
 *     random    - plain : +0.022 [+0.010, +0.035]  beyond luck
 *     selective - random: -0.168 [-0.179, -0.158]  beyond luck
 */
#define SLM_REAL double /* slower, but prints the same digits on every machine */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { B = 8, T = 32, SEEDS = 5, MOST_BYTES = 60000 };
enum { PLAIN, SELECTIVE, RANDOM, ARMS };

#define STUDENT_T 2.776 /* the 97.5% point of Student's t with SEEDS - 1 degrees of freedom */

static slm_error err;

static void must(slm_status status) {
    if (status == SLM_OK) return;
    fprintf(stderr, "%s\n", err.text);
    exit(1);
}

/* Lesson 5's text: sums, "3+4=7"; in the noisy text wrong ones, too, and rubbish between them. */
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
        int wrong = noisy && slm_rng_below(&rng, 10) < 4;
        n += sprintf(text + n, "%d+%d=%d\n", a, b, wrong ? (int)slm_rng_below(&rng, 19) : a + b);
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

static double target_loss(const slm_model *model, const slm_corpus *target) {
    slm_evaluation evaluation;
    slm_losses *losses = losses_of(model, target);
    must(slm_losses_evaluate(&evaluation, losses, target, 1, &err));
    slm_losses_free(losses);
    return evaluation.loss;
}

/* The whole method once.  All that chance has a hand in comes from the seed: texts, first weights,
   order, what is drawn at random.  The arms share all of it. */
static void run(double *loss, const slm_tokenizer *tokenizer, uint64_t seed) {
    static const slm_criterion criteria[ARMS] = {SLM_CRITERION_NONE, SLM_CRITERION_EXCESS,
                                                 SLM_CRITERION_RANDOM};
    slm_model_config config = {.vocab = 256, .dim = 24, .n_layers = 1, .n_heads = 2, .ffn = 64};
    slm_corpus *noisy = make(tokenizer, MOST_BYTES, 1, 3 * seed);
    slm_corpus *clean = make(tokenizer, 600, 0, 3 * seed + 1);
    slm_corpus *target = make(tokenizer, 4000, 0, 3 * seed + 2);
    slm_model *base, *reference, *model;
    slm_losses *ref_losses;
    must(slm_model_create(&base, &config, seed, &err));
    train(base, noisy, NULL, SLM_CRITERION_NONE, seed, 100);
    must(slm_model_copy(&reference, base, &err));
    train(reference, clean, NULL, SLM_CRITERION_NONE, seed, 60);
    ref_losses = losses_of(reference, noisy);
    for (int arm = 0; arm < ARMS; arm++) {
        must(slm_model_copy(&model, base, &err));
        train(model, noisy, ref_losses, criteria[arm], seed + 100, 120);
        loss[arm] = target_loss(model, target);
        slm_model_free(model);
    }
    slm_losses_free(ref_losses);
    slm_model_free(reference);
    slm_model_free(base);
    slm_corpus_free(noisy);
    slm_corpus_free(clean);
    slm_corpus_free(target);
}

/* The mean of the differences between two arms, and its 95% interval: mean +- t s / sqrt(n), where
   s is their standard deviation. */
static void compare(const char *names, double loss[SEEDS][ARMS], int a, int b) {
    double mean = 0;
    double squares = 0;
    for (int i = 0; i < SEEDS; i++)
        mean += (loss[i][a] - loss[i][b]) / SEEDS;
    for (int i = 0; i < SEEDS; i++)
        squares += pow(loss[i][a] - loss[i][b] - mean, 2);
    double half = STUDENT_T * sqrt(squares / (SEEDS - 1) / SEEDS);
    const char *verdict = fabs(mean) <= half ? "open: the interval holds 0" : "beyond luck";
    printf("%s: %+.3f [%+.3f, %+.3f]  %s\n", names, mean, mean - half, mean + half, verdict);
}

int main(void) {
    double loss[SEEDS][ARMS];
    slm_tokenizer *tokenizer;

    must(slm_tokenizer_create_bytes(&tokenizer, &err));
    printf("seed   plain  selective  random      (target loss, nats per byte)\n");
    for (int i = 0; i < SEEDS; i++) {
        run(loss[i], tokenizer, (uint64_t)i + 1);
        printf("%4d  %6.3f  %9.3f  %6.3f\n", i + 1, loss[i][PLAIN], loss[i][SELECTIVE],
               loss[i][RANDOM]);
    }

    /* Paired: what a seed makes easy or hard for both arms cancels. */
    printf("mean difference and its 95%% interval:\n");
    compare("selective - plain ", loss, SELECTIVE, PLAIN);
    compare("random    - plain ", loss, RANDOM, PLAIN);
    compare("selective - random", loss, SELECTIVE, RANDOM);
    slm_tokenizer_free(tokenizer);
    return 0;
}
