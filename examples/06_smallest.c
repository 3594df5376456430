/* Lesson 6: the smallest program that is of use.  Reads two text files, trains on the first with selection, saves the model.
 *
 *     cc -O2 -fopenmp -I. examples/06_smallest.c -o 06 -lm
 *     awk 'BEGIN { for (i = 0; i < 9000; i++) { print i % 8 "+" i % 9 "=" (i % 8 + i % 9); print "id " i * 7919 % 10007 } }' >noisy.txt
 *     awk 'BEGIN { for (i = 0; i < 500; i++) print i % 8 "+" i % 9 "=" (i % 8 + i % 9) }' >clean.txt
 *     ./06 noisy.txt clean.txt model
 *
 * The awk lines make two files to try it on: sums and rubbish, and a few sums.  Do not compare the losses: selection keeps the
 * tokens that are still hard, so theirs is higher than that of all.  (Lesson 5 shows how to judge.)  It prints:
 *
 *     base      step  50: trained on 100% of the tokens, their loss is 1.89
 *     base      step 100: trained on 100% of the tokens, their loss is 1.38
 *     reference step  50: trained on 100% of the tokens, their loss is 1.05
 *     selective step  50: trained on  60% of the tokens, their loss is 1.31
 *     selective step 100: trained on  60% of the tokens, their loss is 1.31
 *     saved
 */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <stdio.h>
#include <stdlib.h>

enum { B = 8, T = 64 }; /* a batch: windows, tokens in each */

static slm_error err;

static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

static void train(const char *name, slm_model *model, const slm_corpus *text,
                  const slm_losses *scores, int steps) {
    slm_train_options options = slm_train_defaults();
    slm_cursor cursor = {.seed = 1};
    slm_step_stats stats;
    slm_trainer *trainer;
    slm_batch *batch;
    if (scores != NULL) options.select.criterion = SLM_CRITERION_EXCESS;
    options.select.ratio = 0.6;
    options.adamw.lr = 0.002;
    options.adamw.warmup = 20;
    options.adamw.steps = (uint64_t)steps;
    must(slm_trainer_create(&trainer, model, &options, &err));
    must(slm_batch_create(&batch, B, T, &err));
    for (int step = 1; step <= steps; step++) {
        must(slm_batch_next(batch, &cursor, text, scores, &err));
        must(slm_trainer_step(&stats, trainer, &batch, 1, &err));
        if (step % 50 == 0)
            printf("%-9s step %3d: trained on %3.0f%% of the tokens, their loss is %.2f\n", name,
                   step, 100.0 * (double)stats.n_selected / (double)stats.n_valid,
                   stats.loss_selected);
    }
    slm_batch_free(batch);
    slm_trainer_free(trainer);
}

int main(int argc, char **argv) {
    slm_model_config shape = {.vocab = 256,
                              .dim = 64,
                              .n_layers = 2,
                              .n_heads = 4,
                              .ffn = 176}; /* small; enlarge at will */
    slm_tokenizer *tokenizer;
    slm_corpus *noisy, *clean;
    slm_model *model, *reference;
    slm_losses *scores;
    slm_windows windows;
    if (argc != 4) {
        fprintf(stderr, "use: %s NOISY.txt CLEAN.txt FOLDER\n", argv[0]);
        return 2;
    }
    must(slm_tokenizer_create_bytes(&tokenizer, &err));
    must(slm_corpus_load(&noisy, tokenizer, argv[1], NULL, &err));
    must(slm_corpus_load(&clean, tokenizer, argv[2], NULL, &err));
    must(slm_model_create(&model, &shape, 1, &err));
    train("base", model, noisy, NULL, 100); /* the model to begin with: all tokens */
    must(slm_model_copy(&reference, model, &err));
    train("reference", reference, clean, NULL, 50); /* it learns what good text looks like ... */
    windows = slm_corpus_windows(noisy, B, T);
    must(slm_losses_compute(&scores, reference, noisy, &windows, NULL, NULL, &err)); /* (eq. 1) */
    train("selective", model, noisy, scores,
          100); /* ... and says what to learn here (eqs. 3 to 5) */
    /* a Hugging Face folder */
    must(slm_model_save(model, argv[3], tokenizer, SLM_DTYPE_NATIVE, &err));
    printf("saved\n");
    slm_model_free(model);
    slm_model_free(reference);
    slm_losses_free(scores);
    slm_corpus_free(noisy);
    slm_corpus_free(clean);
    slm_tokenizer_free(tokenizer);
    return 0;
}
