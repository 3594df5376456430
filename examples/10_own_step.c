/* Lesson 10: a step of your own.  The paper's step by hand; then weights where it has a mask.
 *
 *     cc -O2 -I. examples/10_own_step.c -o 10 -lm
 *     ./10
 *
 * It prints:
 *
 *     trained as           loss without noise
 *     plain                0.60
 *     selective            0.62
 *     selective, by hand   0.62
 *     weighted             0.53
 *     selective and by hand give the same model: yes
 */
#define SLM_REAL double /* slower, but prints the same digits on every machine */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <stdio.h>
#include <stdlib.h>

enum { B = 4, T = 32, N = B * T, STEPS = 300, LINE = 13, SIZE = 800 * T + 1 };

static slm_error err;
static uint8_t is_noise[SIZE]; /* 1: this token of the text is noise */

static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* Sums, and after each a number drawn by lot, which nobody can predict: "3+4=7 #50321".  The losses
   of the reference come from what we know, not from a model: an operand, one of five, has a loss of
   ln 5, a digit of the number one of ln 10, and all else is certain. */
static void make_text(slm_corpus **text, slm_losses **ref_losses) {
    static int32_t tokens[SIZE];
    slm_rng rng = slm_rng_seed(1);
    char line[LINE + 1];
    must(slm_losses_create(ref_losses, SIZE - 1, T, &err));
    for (int i = 0; i < SIZE; i++) {
        int column = i % LINE;
        int a = (int)slm_rng_below(&rng, 5);
        int b = (int)slm_rng_below(&rng, 5);
        int lot = (int)slm_rng_below(&rng, 100000);
        if (column == 0) (void)snprintf(line, sizeof line, "%d+%d=%d #%05d\n", a, b, a + b, lot);
        tokens[i] = line[column];
        is_noise[i] = column >= 7 && column < 12;
        /* Entry i belongs to token i+1. */
        if (i > 0 && (column == 0 || column == 2)) (*ref_losses)->loss[i - 1] = log(5);
        if (is_noise[i]) (*ref_losses)->loss[i - 1] = log(10);
    }
    must(slm_corpus_create(text, tokens, NULL, SIZE, 256, &err));
    (*ref_losses)->corpus_hash = (*text)->hash;
}

/* One step of the paper by hand, as in >>idea of slm.h: the 60% of highest excess loss. */
static void own_step(slm_trainer *trainer, slm_tape *tape, const slm_batch *batch) {
    const slm_model *model = slm_trainer_model(trainer);
    slm_real loss[N], score[N];
    uint8_t mask[N];
    slm_tensor *head;

    /* 1. Forward.  2. The losses of all targets. */
    slm_tape_reset(tape);
    slm_tensor *hidden = slm_model_forward(&head, tape, model, batch, slm_trainer_grads(trainer));
    must(slm_token_losses(loss, NULL, tape, hidden, head, batch->targets, &err));

    /* 3, 4. The k highest (eq. 5) of their excess over the losses of the reference (eq. 3).  (All
       windows of this text are full; else targets below 0 would have to be left out.) */
    for (int i = 0; i < N; i++)
        score[i] = loss[i] - batch->ref_loss[i];
    size_t k = slm_select_count(0.6, N);
    must(slm_select_top(mask, score, NULL, N, k, &err));

    /* 5. The mean loss of those (eq. 4).  6. Backward.  7. Clip, AdamW. */
    slm_tensor *mean =
        slm_selective_loss(tape, hidden, head, batch->targets, NULL, mask, (double)k, loss);
    must(slm_tape_backward(tape, mean, &err));
    must(slm_trainer_update(NULL, trainer, &err));
}

typedef enum way { PLAIN, PAPER, BY_HAND, WEIGHTED } way;

/* Trains a new model in one of four ways.  Weighted: noise counts a tenth as much as the rest. */
static slm_model *train(way how, const slm_corpus *text, const slm_losses *ref_losses) {
    slm_model_config config = {.vocab = 256, .dim = 32, .n_layers = 2, .n_heads = 4, .ffn = 96};
    slm_train_options options = slm_train_defaults();
    slm_cursor cursor = {.seed = 1};
    slm_model *model;
    slm_trainer *trainer;
    slm_tape *tape;
    slm_batch *batch;
    if (how == PAPER) options.select.criterion = SLM_CRITERION_EXCESS;
    options.select.ratio = 0.6;
    options.adamw.lr = 0.01;
    options.adamw.steps = STEPS;
    must(slm_model_create(&model, &config, 1, &err));
    must(slm_trainer_create(&trainer, model, &options, &err));
    must(slm_tape_create(&tape, &err));
    must(slm_batch_create(&batch, B, T, &err));
    if (how == WEIGHTED) must(slm_batch_alloc_weights(batch, &err));
    for (int step = 0; step < STEPS; step++) {
        must(slm_batch_next(batch, &cursor, text, ref_losses, &err));
        for (int i = 0; i < N && how == WEIGHTED; i++)
            batch->weights[i] = is_noise[batch->positions[i]] ? 0.1 : 1;
        if (how == BY_HAND)
            own_step(trainer, tape, batch);
        else
            must(slm_trainer_step(NULL, trainer, &batch, 1, &err));
    }
    slm_batch_free(batch);
    slm_tape_free(tape);
    slm_trainer_free(trainer);
    return model;
}

int main(void) {
    const char *names[] = {"plain", "selective", "selective, by hand", "weighted"};
    slm_corpus *text;
    slm_losses *ref_losses;
    slm_model *model[4];
    double worst = 0;
    make_text(&text, &ref_losses);
    printf("trained as           loss without noise\n");
    for (way how = PLAIN; how <= WEIGHTED; how = (way)(how + 1)) {
        slm_windows windows = slm_corpus_windows(text, B, T);
        slm_losses *losses;
        slm_evaluation evaluation;
        model[how] = train(how, text, ref_losses);
        must(slm_losses_compute(&losses, model[how], text, &windows, NULL, NULL, &err));
        text->masked = is_noise;
        must(slm_losses_evaluate(&evaluation, losses, text, 1, &err));
        text->masked = NULL;
        printf("%-19s  %.2f\n", names[how], evaluation.loss);
        slm_losses_free(losses);
    }

    /* The step has no secrets: by hand it gives the same model.  Weighted comes out ahead, because
       we told it what is noise; selection has to find that out, and this training is short. */
    for (size_t i = 0; i < model[PAPER]->n_params; i++)
        worst = fmax(worst, fabs(model[PAPER]->params[i] - model[BY_HAND]->params[i]));
    printf("selective and by hand give the same model: %s\n", worst < 1e-9 ? "yes" : "no");
    for (int i = 0; i < 4; i++)
        slm_model_free(model[i]);
    slm_losses_free(ref_losses);
    slm_corpus_free(text);
    return 0;
}
