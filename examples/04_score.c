/* Lesson 4: scoring.  A model reads a text once and says how much each token surprised it.
 *
 *     cc -O2 -I. examples/04_score.c -o 04 -lm
 *     ./04                    (or: ./04 FILE, to score a text of your own)
 *
 * It prints:
 */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the model is trained on: these lines, over and over, in a random order. */
static const char *const lines[] = {
    "The sun rises in the east and sets in the west.\n",   "In the morning the baker sells bread and rolls.\n",
    "In the evening the baker counts his money.\n",         "The river runs from the hills to the sea.\n",
    "In winter the river freezes and the children skate.\n", "The moon rises in the evening over the hills.\n" };
enum { LINES = sizeof lines / sizeof lines[0], COPIES = 100 };

/* What it is asked to score: the same world, but something is wrong in it. */
static const char built_in[] =
    "In the morning the baker sells bread and rolls.\n"
    "The sun rises in the east and sets in the bread.\n"
    "In winter the baker freezes and the children skate.\n";

enum { T = 32, B = 8, VOCAB = 400, STEPS = 150 };

static slm_error err;
static void must(slm_status status) {
    if (status != SLM_OK) { fprintf(stderr, "%s\n", err.text); exit(1); }
}

/* Trains a small model on the text, as in lesson 3, but on random windows of it. */
static slm_model *train(const slm_corpus *corpus, int32_t vocab) {
    slm_config config;
    slm_optimizer optimizer;
    slm_cursor cursor = { 1, 0 };                    /* seed of the order in which windows come, windows used so far */
    slm_model *model;
    slm_trainer *trainer;
    slm_batch *batch;
    int step;
    memset(&config, 0, sizeof config);
    config.vocab = vocab;
    config.dim = 32;
    config.n_layers = 2;
    config.n_heads = 4;
    config.ffn = 96;
    memset(&optimizer, 0, sizeof optimizer);
    optimizer.lr = 0.01;
    optimizer.warmup = 10;
    optimizer.steps = STEPS;                         /* the learning rate falls along a cosine until there */
    must(slm_model_create(&model, &config, 1, &err));
    must(slm_trainer_create(&trainer, model, NULL, &optimizer, &err));           /* NULL: no selection, all tokens count */
    must(slm_batch_create(&batch, B, T, &err));
    for (step = 0; step < STEPS; step++) {
        must(slm_batch_next(batch, corpus, NULL, &cursor, &err));
        must(slm_train_step(trainer, &batch, 1, NULL, &err));
    }
    slm_batch_free(batch);
    slm_trainer_free(trainer);
    return model;
}

/* Prints a token so that line ends can be seen. */
static void show_token(const slm_tokenizer *tokenizer, int32_t id) {
    size_t size, i;
    const char *text = slm_tokenizer_token(tokenizer, id, &size);
    for (i = 0; i < size; i++) {
        if (text[i] == '\n') printf("\\n");
        else putchar(text[i] < 32 || text[i] > 126 ? '?' : text[i]);
    }
}

/* Prints the `most` tokens of highest score, in the order of the text, each behind the tokens that led up to it. */
static void show_top(const slm_tokenizer *tokenizer, const slm_corpus *text, const slm_scores *scores, const slm_real *score, size_t most) {
    uint8_t *mask = (uint8_t *)malloc(scores->n);
    size_t i, back;
    if (mask == NULL) must(SLM_ERR_MEMORY);
    must(slm_select_top(mask, score, NULL, scores->n, most < scores->n ? most : scores->n, &err));      /* as in lesson 1 */
    for (i = 0; i < scores->n; i++) {
        size_t at = i + 1;                           /* entry i belongs to token i+1: nothing predicts the first token */
        if (!mask[i]) continue;
        printf("%5.2f  %7.2f  ", (double)scores->loss[i], (double)scores->entropy[i]);
        for (back = at < 5 ? at : 5; back > 0; back--) show_token(tokenizer, text->tokens[at - back]);
        printf(" >");
        show_token(tokenizer, text->tokens[at]);
        printf("\n");
    }
    free(mask);
}

int main(int argc, char **argv) {
    slm_tokenizer *tokenizer;
    slm_corpus *corpus, *text;
    slm_model *model;
    slm_scores *scores;
    slm_real *score;
    slm_rng rng = slm_rng_seed(1);
    static char training[LINES * COPIES * 64];
    size_t size = 0, i;
    double sum = 0;

    for (i = 0; i < LINES * COPIES; i++) {
        const char *line = lines[slm_rng_below(&rng, LINES)];
        memcpy(training + size, line, strlen(line));
        size += strlen(line);
    }

    /* 1. A tokenizer of its own for this text: frequent words become one token each (byte-level BPE), so that we get the
          surprise per word rather than per letter. */
    must(slm_tokenizer_train(&tokenizer, training, size, VOCAB, NULL, NULL, &err));
    must(slm_corpus_from_text(&corpus, tokenizer, training, size, &err));
    model = train(corpus, slm_tokenizer_vocab(tokenizer));

    /* 2. The text to be scored, and its scores: for each token the loss L = -ln P(token | the tokens before it)  (eq. 1), and
          the entropy of the prediction (eq. 8), which says how uncertain the model was before it saw the token.  This is all
          that the method ever asks of a reference model, and it is asked once, before training begins. */
    if (argc > 1) must(slm_corpus_load(&text, tokenizer, argv[1], NULL, &err));
    else must(slm_corpus_from_text(&text, tokenizer, built_in, strlen(built_in), &err));
    must(slm_score_corpus(&scores, model, text, slm_tokenizer_hash(tokenizer), B, T, NULL, NULL, &err));

    for (i = 0; i < scores->n; i++) sum += (double)scores->loss[i];
    printf("%d tokens, %.2f nats each\n", (int)scores->n, sum / (double)scores->n);

    /* 3. The most surprising tokens, and the least.  Ranked by cents of a nat: below that, different processors may disagree. */
    score = (slm_real *)malloc(scores->n * sizeof *score);
    if (score == NULL) must(SLM_ERR_MEMORY);
    printf("\n loss  entropy  most surprising\n");
    for (i = 0; i < scores->n; i++) score[i] = (slm_real)floor(100 * (double)scores->loss[i] + 0.5);
    show_top(tokenizer, text, scores, score, 5);
    printf("\n loss  entropy  least surprising\n");
    for (i = 0; i < scores->n; i++) score[i] = -score[i];
    show_top(tokenizer, text, scores, score, 5);
    /* Read the two columns together.  "bread" and "baker": entropy low, loss high.  The model was sure, and wrong.
       "winter": both are high.  The model knew that it did not know; a sentence that begins with "In" may go on in many ways. */

    free(score);
    slm_scores_free(scores);
    slm_model_free(model);
    slm_corpus_free(text);
    slm_corpus_free(corpus);
    slm_tokenizer_free(tokenizer);
    return 0;
}
