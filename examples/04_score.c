/* Lesson 4: scoring.  A model reads a text once and says how much each token surprised it.
 *
 *     cc -O2 -I. examples/04_score.c -o 04 -lm
 *     ./04
 *
 * Or ./04 FILE MODEL for a text and a model folder of your own (lesson 6 writes one; any Hugging
 * Face Llama folder will do).  It prints:
 *
 *     34 tokens, 1.29 nats each
 *
 *      loss  entropy  most surprising
 *      13.2      0.1   east and sets in the > bread
 *      12.7      0.0   and sets in the bread >.
 *       1.1      0.7   the bread.|In > winter
 *       4.8      0.2  .|In winter the > baker
 *       8.0      1.0  |In winter the baker > freezes
 */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the model is trained on: these lines, over and over, in a random order. */
static const char *const lines[] = {"The sun rises in the east and sets in the west.\n",
                                    "In the morning the baker sells bread and rolls.\n",
                                    "In the evening the baker counts his money.\n",
                                    "The river runs from the hills to the sea.\n",
                                    "In winter the river freezes and the children skate.\n",
                                    "The moon rises in the evening over the hills.\n"};

/* What it is asked to score: the same world, but something is wrong in it. */
static const char built_in[] = "In the morning the baker sells bread and rolls.\n"
                               "The sun rises in the east and sets in the bread.\n"
                               "In winter the baker freezes and the children skate.\n";

enum { LINES = sizeof lines / sizeof lines[0], COPIES = 600, T = 32, B = 8, STEPS = 160 };

static slm_error err;

static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* Trains a tokenizer and a small model on the lines above. */
static void learn_lines(slm_tokenizer **tokenizer, slm_model **model) {
    static char text[COPIES * 64];
    slm_model_config config = {.vocab = 400, .dim = 32, .n_layers = 2, .n_heads = 4, .ffn = 96};
    slm_train_options options = slm_train_defaults();
    slm_cursor cursor = {.seed = 1};
    slm_rng rng = slm_rng_seed(1);
    slm_corpus *corpus;
    slm_trainer *trainer;
    slm_batch *batch;
    size_t size = 0;
    for (int i = 0; i < COPIES; i++)
        size += (size_t)sprintf(text + size, "%s", lines[slm_rng_below(&rng, LINES)]);

    /* Frequent words become one token each: we want the surprise per word, not per letter. */
    must(slm_tokenizer_train(tokenizer, text, size, config.vocab, NULL, NULL, &err));
    must(slm_corpus_encode(&corpus, *tokenizer, text, size, &err));
    config.vocab = slm_tokenizer_vocab(*tokenizer);
    must(slm_model_create(model, &config, 1, &err));
    options.adamw.lr = 0.01;
    options.adamw.warmup = 10;
    options.adamw.steps = STEPS;
    must(slm_trainer_create(&trainer, *model, &options, &err));
    must(slm_batch_create(&batch, B, T, &err));
    for (int step = 0; step < STEPS; step++) {
        /* As in lesson 3, but each step takes other windows of the text. */
        must(slm_batch_next(batch, &cursor, corpus, NULL, &err));
        must(slm_trainer_step(NULL, trainer, &batch, 1, &err));
    }
    slm_batch_free(batch);
    slm_trainer_free(trainer);
    slm_corpus_free(corpus);
}

/* Prints tokens on one line: what has no printed form, like the end of a line, as |. */
static void show_tokens(const slm_tokenizer *tokenizer, const int32_t *ids, size_t n) {
    char *text;
    size_t size;
    must(slm_tokenizer_decode(&text, &size, tokenizer, ids, n, &err));
    for (size_t i = 0; i < size; i++)
        putchar(text[i] >= 32 && text[i] < 127 ? text[i] : '|');
    slm_free(text);
}

/* Prints the k tokens of highest loss, in the order of the text, each after the tokens that led up
   to it.  The losses are rounded to hundredths: below that, processors may disagree. */
static void show_top(const slm_tokenizer *tokenizer, const slm_corpus *text, slm_losses *losses,
                     size_t k) {
    uint8_t *mask = (uint8_t *)malloc(losses->n);
    if (mask == NULL) exit(1);
    for (size_t i = 0; i < losses->n; i++)
        losses->loss[i] = (slm_real)(int)(100 * losses->loss[i] + 0.5f) / 100;
    must(slm_select_top(mask, losses->loss, NULL, losses->n, k, &err)); /* as in lesson 1 */

    for (size_t i = 0; i < losses->n; i++) {
        if (!mask[i]) continue;
        /* Entry i belongs to token i+1, because nothing predicts the first token. */
        const int32_t *token = &text->tokens[i + 1];
        size_t n_before = i < 4 ? i + 1 : 5;
        printf("%5.1f  %7.1f  ", (double)losses->loss[i], (double)losses->entropy[i]);
        show_tokens(tokenizer, token - n_before, n_before);
        printf(" >");
        show_tokens(tokenizer, token, 1);
        printf("\n");
    }
    free(mask);
}

int main(int argc, char **argv) {
    slm_tokenizer *tokenizer;
    slm_corpus *text;
    slm_model *model;
    slm_losses *losses;
    slm_evaluation whole;
    if (argc == 3) {
        must(slm_tokenizer_load(&tokenizer, argv[2], &err));
        must(slm_corpus_load(&text, tokenizer, argv[1], NULL, &err));
        must(slm_model_load(&model, argv[2], &err));
    } else {
        learn_lines(&tokenizer, &model);
        must(slm_corpus_encode(&text, tokenizer, built_in, strlen(built_in), &err));
    }

    /* For each token the loss L = -ln P(token | the tokens before it)  (eq. 1), and the entropy of
       the prediction (eq. 8): how uncertain the model was before it saw the token.  This is all
       that the method asks of a reference model, once, before training begins. */
    slm_windows windows = slm_corpus_windows(text, B, T);
    must(slm_losses_compute(&losses, model, text, &windows, NULL, NULL, &err));
    must(slm_losses_evaluate(&whole, losses, text, 1, &err));
    printf("%d tokens, %.2f nats each\n", (int)whole.n_tokens, whole.loss);

    /* Read the two columns together.  "bread" and "baker": low entropy, high loss.  The model was
       sure, and wrong.  "winter": neither is high.  The model knew that it did not know: a sentence
       that begins with "In" may go on otherwise. */
    printf("\n loss  entropy  most surprising\n");
    show_top(tokenizer, text, losses, 5);
    slm_losses_free(losses);
    slm_model_free(model);
    slm_corpus_free(text);
    slm_tokenizer_free(tokenizer);
    return 0;
}
