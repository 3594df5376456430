/* Lesson 6: the smallest program that is of use.  It reads two text files, trains on the first with
 * selection, and saves the model.
 *
 *     cc -O2 -I. examples/06_smallest.c -o 06 -lm
 *     awk 'BEGIN { for (i = 0; i < 9000; i++) {
 *         print i % 8 "+" i % 9 "=" (i % 8 + i % 9)
 *         print "id " i * 7919 % 10007 } }' >noisy.txt
 *     awk 'BEGIN { for (i = 0; i < 500; i++)
 *         print i % 8 "+" i % 9 "=" (i % 8 + i % 9) }' >clean.txt
 *     ./06 noisy.txt clean.txt model
 *
 * (-fopenmp beside -O2 uses all cores.)
 *
 * The awk lines make two files to try it on: sums and rubbish, and a few sums.  Do not compare the
 * losses: selection keeps the tokens that are still hard, so theirs is higher than that of all.
 * (Lesson 5 shows how to judge.)  It prints:
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

/* A batch: B windows of T tokens each. */
enum { B = 8, T = 64 };

static slm_error err;

static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* Trains on the tokens whose loss exceeds ref_losses the most, or on all if there are none. */
static void train(const char *name, slm_model *model, const slm_corpus *text,
                  const slm_losses *ref_losses, int steps) {
    slm_train_options options = slm_train_defaults();
    slm_cursor cursor = {.seed = 1};
    slm_step_stats stats;
    slm_trainer *trainer;
    slm_batch *batch;
    if (ref_losses != NULL) options.select.criterion = SLM_CRITERION_EXCESS;
    options.select.ratio = 0.6;
    options.adamw.lr = 0.002;
    options.adamw.warmup = 20;
    options.adamw.steps = (uint64_t)steps;
    must(slm_trainer_create(&trainer, model, &options, &err));
    must(slm_batch_create(&batch, B, T, &err));
    for (int step = 1; step <= steps; step++) {
        must(slm_batch_next(batch, &cursor, text, ref_losses, &err));
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
    /* A small model; enlarge it at will. */
    slm_model_config config = {.vocab = 256, .dim = 64, .n_layers = 2, .n_heads = 4, .ffn = 176};
    slm_tokenizer *tokenizer;
    slm_corpus *noisy, *clean;
    slm_model *model, *reference;
    slm_losses *ref_losses;
    slm_windows windows;
    if (argc != 4) {
        fprintf(stderr, "use: %s NOISY.txt CLEAN.txt FOLDER\n", argv[0]);
        return 2;
    }
#if defined(__GNUC__) && !defined(__OPTIMIZE__)
    fprintf(stderr, "compiled without -O2: this takes many times as long\n");
#endif
    must(slm_tokenizer_create_bytes(&tokenizer, &err));
    must(slm_corpus_load(&noisy, tokenizer, argv[1], NULL, &err));
    must(slm_corpus_load(&clean, tokenizer, argv[2], NULL, &err));

    /* The model to begin with is trained on all tokens (eq. 2). */
    must(slm_model_create(&model, &config, 1, &err));
    train("base", model, noisy, NULL, 100);

    /* The reference learns what good text looks like, and says it of every noisy token (eq. 1). */
    must(slm_model_copy(&reference, model, &err));
    train("reference", reference, clean, NULL, 50);
    windows = slm_corpus_windows(noisy, B, T);
    must(slm_losses_compute(&ref_losses, reference, noisy, &windows, NULL, NULL, &err));

    /* The model learns the tokens that the reference calls worth learning (eqs. 3 to 5).  What is
       saved is a Hugging Face folder. */
    train("selective", model, noisy, ref_losses, 100);
    must(slm_model_save(model, argv[3], tokenizer, SLM_DTYPE_NATIVE, &err));
    printf("saved\n");
    slm_model_free(model);
    slm_model_free(reference);
    slm_losses_free(ref_losses);
    slm_corpus_free(noisy);
    slm_corpus_free(clean);
    slm_tokenizer_free(tokenizer);
    return 0;
}
