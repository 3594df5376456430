/* Lesson 4: scoring.  A model reads a text once and says how much each token surprised it.
 *
 *     cc -O2 -I. examples/04_score.c -o 04 -lm
 *     ./04
 *
 * Or ./04 FILE MODEL for a text and a model folder of your own (lesson 6 writes one; any Hugging Face Llama folder will do).
 * It prints:
 *
 *     34 tokens, 1.29 nats each
 *
 *      loss  entropy  most surprising
 *      13.2      0.1   east and sets in the > bread
 *      12.7      0.0   and sets in the bread >.
 *       1.1      0.7   the bread.\nIn > winter
 *       4.8      0.2  .\nIn winter the > baker
 *       8.0      1.0  \nIn winter the baker > freezes
 *
 *      loss  entropy  least surprising
 *       0.0      0.0  In the morning > the
 *       0.0      0.0   the morning the baker sells > bread
 *       0.0      0.0   morning the baker sells bread > and
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

enum { LINES = sizeof lines / sizeof lines[0], COPIES = 600 };

static const char
    built_in[] = /* what it is asked to score: the same world, but something is wrong in it */
    "In the morning the baker sells bread and rolls.\n"
    "The sun rises in the east and sets in the bread.\n"
    "In winter the baker freezes and the children skate.\n";

enum { T = 32, B = 8, VOCAB = 400, STEPS = 160 };

static slm_error err;

static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* A tokenizer and a small model for the lines above. */
static void learn_lines(slm_tokenizer **tokenizer, slm_model **model) {
    static char text[COPIES * 64];
    slm_model_config config = {.dim = 32, .n_layers = 2, .n_heads = 4, .ffn = 96};
    slm_train_options options = slm_train_defaults(); /* no selection: all tokens count */
    slm_cursor cursor = {
        .seed = 1, .next_window = 0}; /* seed of the order in which windows come, windows used so far */
    slm_rng rng = slm_rng_seed(1);
    slm_corpus *corpus;
    slm_trainer *trainer;
    slm_batch *batch;
    size_t size = 0;
    int i;
    for (i = 0; i < COPIES; i++)
        size += (size_t)sprintf(text + size, "%s", lines[slm_rng_below(&rng, LINES)]);
    /* Frequent words become one token each (byte-level BPE), so that we get the surprise per word rather than per letter. */
    must(slm_tokenizer_train(tokenizer, text, size, VOCAB, NULL, NULL, &err));
    must(slm_corpus_encode(&corpus, *tokenizer, text, size, &err));
    config.vocab = slm_tokenizer_vocab(*tokenizer);
    must(slm_model_create(model, &config, 1, &err));
    options.adamw.lr = 0.01;
    options.adamw.warmup = 10;
    options.adamw.steps = STEPS;
    must(slm_trainer_create(&trainer, *model, &options, &err));
    must(slm_batch_create(&batch, B, T, &err));
    for (i = 0; i < STEPS;
         i++) { /* as in lesson 3, but each step takes other windows of the text */
        must(slm_batch_next(batch, &cursor, corpus, NULL, &err));
        must(slm_trainer_step(NULL, trainer, &batch, 1, &err));
    }
    slm_batch_free(batch);
    slm_trainer_free(trainer);
    slm_corpus_free(corpus);
}

/* Prints a token so that line ends can be seen. */
static void show_token(const slm_tokenizer *tokenizer, int32_t id) {
    size_t size, i;
    const char *text = slm_tokenizer_token(&size, tokenizer, id);
    for (i = 0; i < size; i++)
        if (text[i] == '\n')
            printf("\\n");
        else
            putchar(text[i] < 32 || text[i] > 126 ? '?' : text[i]);
}

/* Prints the k tokens of highest score, in the order of the text, each behind the tokens that led up to it. */
static void show_top(const slm_tokenizer *tokenizer, const slm_corpus *text,
                     const slm_losses *scores, const slm_real *score, uint8_t *mask, size_t k) {
    size_t i, back;
    must(slm_select_top(mask, score, NULL, scores->n, k < scores->n ? k : scores->n,
                        &err)); /* as in lesson 1 */
    for (i = 0; i < scores->n; i++) {
        size_t at = i + 1; /* entry i belongs to token i+1: nothing predicts the first token */
        if (!mask[i]) continue;
        printf("%5.1f  %7.1f  ", (double)scores->loss[i], (double)scores->entropy[i]);
        for (back = at < 5 ? at : 5; back > 0; back--)
            show_token(tokenizer, text->tokens[at - back]);
        printf(" >");
        show_token(tokenizer, text->tokens[at]);
        printf("\n");
    }
}

int main(int argc, char **argv) {
    slm_tokenizer *tokenizer;
    slm_corpus *text;
    slm_model *model;
    slm_losses *scores;
    slm_windows windows;
    slm_real *score;
    uint8_t *mask;
    size_t i;
    double sum = 0;
    if (argc != 1 && argc != 3) {
        fprintf(stderr, "use: %s [FILE MODEL]\n", argv[0]);
        return 2;
    }
    if (argc == 3) {
        must(slm_tokenizer_load(&tokenizer, argv[2], &err));
        must(slm_corpus_load(&text, tokenizer, argv[1], NULL, &err));
        must(slm_model_load(&model, argv[2], &err));
    } else {
        learn_lines(&tokenizer, &model);
        must(slm_corpus_encode(&text, tokenizer, built_in, strlen(built_in), &err));
    }

    /* The scores: for each token the loss L = -ln P(token | the tokens before it)  (eq. 1), and the entropy of the prediction
       (eq. 8): how uncertain the model was before it saw the token.  The text is read in windows of T tokens.
       This is all that the method ever asks of a reference model, and it is asked once, before training begins. */
    windows = slm_corpus_windows(text, B, T);
    must(slm_losses_compute(&scores, model, text, &windows, NULL, NULL, &err));
    for (i = 0; i < scores->n; i++)
        sum += (double)scores->loss[i];
    printf("%d tokens, %.2f nats each\n", (int)scores->n, sum / (double)scores->n);

    /* The most surprising tokens, and the least.  Ranked by hundredths of a nat: below that, processors may disagree. */
    score = (slm_real *)malloc(scores->n * sizeof *score);
    mask = (uint8_t *)malloc(scores->n);
    if (score == NULL || mask == NULL) {
        fprintf(stderr, "out of memory\n");
        return 1;
    }
    for (i = 0; i < scores->n; i++)
        score[i] = (slm_real)floor(100 * (double)scores->loss[i] + 0.5);
    printf("\n loss  entropy  most surprising\n");
    show_top(tokenizer, text, scores, score, mask, 5);
    for (i = 0; i < scores->n; i++)
        score[i] = -score[i];
    printf("\n loss  entropy  least surprising\n");
    show_top(tokenizer, text, scores, score, mask, 3);
    /* Read the two columns together.  "bread" and "baker": low entropy, high loss.  The model was sure, and wrong.
       "winter": neither is high.  The model knew that it did not know: a sentence that begins with "In" may go on otherwise. */

    free(score);
    free(mask);
    slm_losses_free(scores);
    slm_model_free(model);
    slm_corpus_free(text);
    slm_tokenizer_free(tokenizer);
    return 0;
}
