/* Lesson 13: go on from a model that somebody has trained: a Hugging Face folder (Llama
 * architecture: config.json, model.safetensors, tokenizer.json), with a text of your own.
 *
 *     cc -O2 -I. examples/13_pretrained.c -o 13 -lm
 *     ./13
 *
 * Or ./13 FOLDER TEXT OUT.  Without them it makes a folder and a text first, so that there is
 * something to go on from.  It prints:
 *
 *     2 layers of width 32, 4 heads (4 for keys and values), 300 tokens: 45984 weights
 *     39744 bytes are 21253 tokens
 *     loss before: 5.73
 *     loss after:  4.29
 *     read again:  4.29
 */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <stdio.h>
#include <stdlib.h>

enum { B = 4, T = 64 };

static slm_error err;

static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* Stands for the download: a small model that has read counting up, "1 2 3 ... 99", many times. */
static void make_folder(const char *folder, const char *text_file) {
    static char text[40000];
    slm_model_config config = {.dim = 32, .n_layers = 2, .n_heads = 4, .ffn = 96};
    slm_tokenizer *tokenizer;
    slm_model *model;
    FILE *file = fopen(text_file, "wb");
    int n = 0;
    while (n < (int)sizeof text - 400)
        for (int i = 1; i < 100; i++)
            n += sprintf(text + n, "%d ", i);
    must(slm_tokenizer_train(&tokenizer, text, (size_t)n, 300, NULL, NULL, &err));
    config.vocab = slm_tokenizer_vocab(tokenizer);
    must(slm_model_create(&model, &config, 1, &err));
    must(slm_model_save(model, folder, tokenizer, SLM_DTYPE_NATIVE, &err));
    if (file == NULL || fwrite(text, 1, (size_t)n, file) != (size_t)n || fclose(file) != 0) exit(1);
    slm_model_free(model);
    slm_tokenizer_free(tokenizer);
}

/* A pretrained model has something to lose: a tenth of the rate that a new one would get, a warm-up
   so that AdamW's means settle before it moves far, few steps. */
static void train(slm_model *model, const slm_corpus *text, int steps) {
    slm_train_options options = slm_train_defaults();
    slm_cursor cursor = {.seed = 1};
    slm_trainer *trainer;
    slm_batch *batch;
    options.adamw.lr = 0.001;
    options.adamw.warmup = (uint64_t)steps / 10;
    options.adamw.steps = (uint64_t)steps;
    must(slm_trainer_create(&trainer, model, &options, &err));
    must(slm_batch_create(&batch, B, T, &err));
    for (int step = 0; step < steps; step++) {
        must(slm_batch_next(batch, &cursor, text, NULL, &err));
        must(slm_trainer_step(NULL, trainer, &batch, 1, &err));
    }
    slm_batch_free(batch);
    slm_trainer_free(trainer);
}

static double loss_of(const slm_model *model, const slm_corpus *text) {
    slm_windows windows = slm_corpus_windows(text, B, T);
    slm_losses *losses;
    slm_evaluation evaluation;
    must(slm_losses_compute(&losses, model, text, &windows, NULL, NULL, &err));
    must(slm_losses_evaluate(&evaluation, losses, text, 1, &err));
    slm_losses_free(losses);
    return evaluation.loss;
}

int main(int argc, char **argv) {
    const char *folder = argc == 4 ? argv[1] : "pretrained";
    const char *text_file = argc == 4 ? argv[2] : "pretrained.txt";
    const char *out = argc == 4 ? argv[3] : "tuned";
    slm_tokenizer *tokenizer;
    slm_model *model, *again;
    slm_corpus *text;
    if (argc != 4) make_folder(folder, text_file);

    /* The shape comes from config.json, the weights from model.safetensors or its shards (F32, F16
       or BF16).  What slm.h cannot do (another architecture, biases) is refused by name. */
    must(slm_model_load(&model, folder, &err));
    printf("%d layers of width %d, %d heads (%d for keys and values), %d tokens: %zu weights\n",
           (int)model->config.n_layers, (int)model->config.dim, (int)model->config.n_heads,
           (int)model->config.n_kv_heads, (int)model->config.vocab, model->n_params);

    /* The text must be cut by the model's own tokenizer: another one gives ids that mean other
       words, and nothing fails. */
    must(slm_tokenizer_load(&tokenizer, folder, &err));
    must(slm_corpus_load(&text, tokenizer, text_file, NULL, &err));
    printf("%zu bytes are %zu tokens\n", text->bytes, text->n);

    printf("loss before: %.2f\n", loss_of(model, text));
    train(model, text, 60);
    printf("loss after:  %.2f\n", loss_of(model, text));

    /* Other programs read this folder, too; and so do we, to the same loss. */
    must(slm_model_save(model, out, tokenizer, SLM_DTYPE_NATIVE, &err));
    must(slm_model_load(&again, out, &err));
    printf("read again:  %.2f\n", loss_of(again, text));

    slm_model_free(again);
    slm_model_free(model);
    slm_corpus_free(text);
    slm_tokenizer_free(tokenizer);
    return 0;
}
