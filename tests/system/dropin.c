/* dropin.c: calls a function of every section of slm.h, as a program of C or C++ would, and prints
   a hash of what it trained: `ok HASH`, or what went wrong and exit 1.  dropin.sh and check.sh
   build it with every compiler, standard and macro.
   -DUSER     only uses slm.h, which another file implements
   -DWORK=4   a larger model, so that threads get something to do
       cc -std=c99 -I. tests/system/dropin.c -lm && ./a.out FOLDER_FOR_ITS_FILES */
#include "slm.h" /* declarations before, */
#ifndef USER
#define SLM_IMPLEMENTATION
#include "slm.h" /* ... with, */
#endif
#include "slm.h" /* ... and after the implementation */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef WORK
#define WORK 1
#endif
enum { T = 12 * WORK, B = 4, STEPS = 4 };

static slm_error err;

static void need(int ok, const char *what) {
    if (ok) return;
    printf("%s: %s\n", what, err.text);
    exit(1);
}

static void must(slm_status status) {
    need(status == SLM_OK, "failed");
}

/* base, selection, tape, operations: numbers that are known */
static void the_small_parts(void) {
    const slm_real score[5] = {1, 3, 2, 3, 0};
    slm_real x[2] = {1, 2}, w[4] = {1, 2, 3, 4}, dx[2] = {0, 0};
    slm_real ones[2] = {1, 1};
    slm_rng rng = slm_rng_seed(1);
    uint8_t mask[5];
    slm_tape *tape;
    need(strcmp(slm_status_text(SLM_OK), "ok") == 0 && slm_rng_below(&rng, 1) == 0 &&
             slm_hash(SLM_HASH_START, "a", 1) == 0xaf63dc4c8601ec8cULL,
         "base");
    must(slm_select_top(mask, score, NULL, 5, slm_select_count(0.4, 5), &err));
    need(memcmp(mask, "\0\1\0\1\0", 5) == 0, "selection");
    must(slm_tape_create(&tape, &err));
    {
        slm_tensor *y =
            slm_linear(tape, slm_leaf(tape, x, dx, 1, 2), slm_leaf(tape, w, NULL, 2, 2), NULL);
        must(slm_tape_backward(tape, slm_linear(tape, y, slm_leaf(tape, ones, NULL, 1, 2), NULL),
                               &err));
    }
    need(dx[0] == 4 && dx[1] == 6, "backward");
    slm_tape_free(tape);
}
#ifndef SLM_NO_FILES
static void its_files(const char *folder, slm_model *model, slm_tokenizer *tokenizer,
                      slm_losses *scores) {
    char path[4096];
    slm_model *model2;
    slm_losses *scores2;
    slm_tokenizer *tokenizer2;
    must(slm_model_save(model, folder, tokenizer, SLM_DTYPE_NATIVE, &err));
    must(slm_model_load(&model2, folder, &err));
    must(slm_tokenizer_load(&tokenizer2, folder, &err));
    need(slm_model_hash(model2) == slm_model_hash(model) &&
             slm_tokenizer_hash(tokenizer2) == slm_tokenizer_hash(tokenizer),
         "model folder");
    (void)snprintf(path, sizeof path, "%s/scores", folder);
    must(slm_losses_save(scores, path, &err));
    must(slm_losses_load(&scores2, path, &err));
    need(scores2->n == scores->n &&
             memcmp(scores2->loss, scores->loss, scores->n * sizeof(slm_real)) == 0,
         "score file");
    slm_model_free(model2);
    slm_losses_free(scores2);
    slm_tokenizer_free(tokenizer2);
}
#endif
static char *some_text(size_t size) {
    static const char *const words[] = {"one ", "two ", "three ", "four, ", "five. ", "six\n"};
    slm_rng rng = slm_rng_seed(5);
    char *text = (char *)malloc(size + 16);
    size_t at = 0;
    need(text != NULL, "out of memory");
    while (at < size) {
        const char *word = words[slm_rng_below(&rng, 6)];
        memcpy(text + at, word, strlen(word));
        at += strlen(word);
    }
    return text;
}

/* What the method needs: a text's tokens, a reference model and its losses, a model to train. */
typedef struct method {
    char *text;
    slm_tokenizer *tokenizer;
    slm_corpus *corpus;
    slm_model *reference, *model;
    slm_losses *scores;
} method;

static void make_models(method *m) {
    slm_model_config config;
    memset(&config, 0, sizeof config);
    config.vocab = slm_tokenizer_vocab(m->tokenizer);
    config.dim = 24 * WORK;
    config.n_layers = 2;
    config.n_heads = 3;
    config.n_kv_heads = 1;
    config.ffn = 40 * WORK;
    must(slm_model_create(&m->reference, &config, 7, &err));
    must(slm_model_create(&m->model, &config, 8, &err));
}

static void begin(method *m) {
    slm_windows windows;
    slm_evaluation evaluation;
    m->text = some_text(4000);
    must(slm_tokenizer_train(&m->tokenizer, m->text, 4000, 270, NULL, NULL, &err));
    must(slm_corpus_encode(&m->corpus, m->tokenizer, m->text, 4000, &err));
    m->corpus->tokenizer_hash = slm_tokenizer_hash(m->tokenizer);
    make_models(m);
    windows = slm_corpus_windows(m->corpus, B, T);
    must(slm_losses_compute(&m->scores, m->reference, m->corpus, &windows, NULL, NULL, &err));
    must(slm_losses_check(m->scores, m->corpus, T, &err));
    must(slm_losses_evaluate(&evaluation, m->scores, m->corpus, 1, &err));
    need(evaluation.low < evaluation.loss && evaluation.loss < evaluation.high, "evaluation");
}

static void train(method *m) {
    slm_train_options options = slm_train_defaults();
    slm_trainer *trainer;
    slm_batch *batch;
    slm_cursor cursor = {3, 0};
    slm_step_stats stats;
    options.select.criterion = SLM_CRITERION_EXCESS;
    options.adamw.lr = 0.01;
    options.adamw.warmup = 2;
    options.adamw.steps = STEPS;
    need(slm_adamw_learning_rate(&options.adamw, 0) == 0.005, "learning rate");
    must(slm_trainer_create(&trainer, m->model, &options, &err));
    must(slm_batch_create(&batch, B, T, &err));
    for (int i = 0; i < STEPS; i++) {
        must(slm_batch_next(batch, &cursor, m->corpus, m->scores, &err));
        must(slm_trainer_step(&stats, trainer, &batch, 1, &err));
    }
    need(stats.n_selected == slm_select_count(0.6, stats.n_valid), "step");
    slm_batch_free(batch);
    slm_trainer_free(trainer);
}

/* Adds what the trained model says to the hash. */
static uint64_t say(const method *m, uint64_t hash) {
    slm_generator *generator;
    const slm_real *logits;
    slm_sample_options sampling = slm_sample_defaults();
    slm_choice choices[270];
    slm_rng rng = slm_rng_seed(2);
    int32_t token;
    char *words;
    size_t size;
    sampling.temperature = 0.5;
    sampling.top_p = 0.9;
    must(slm_generator_create(&generator, m->model, T, &err));
    must(slm_generator_push(&logits, generator, 'o', &err));
    must(slm_sample_token(&token, logits, slm_tokenizer_vocab(m->tokenizer), &sampling, &rng,
                          choices, &err));
    must(slm_tokenizer_decode(&words, &size, m->tokenizer, &token, 1, &err));
    hash = slm_hash(hash, words, size);
    slm_free(words);
    slm_generator_free(generator);
    return hash;
}

static void end(method *m) {
    slm_losses_free(m->scores);
    slm_model_free(m->model);
    slm_model_free(m->reference);
    slm_corpus_free(m->corpus);
    slm_tokenizer_free(m->tokenizer);
    free(m->text);
}

/* The method, small: a reference scores a text, a model is trained on the selected tokens, and says
   something. */
int main(int argc, char **argv) {
    method m;
    uint64_t hash;
    the_small_parts();
    begin(&m);
    train(&m);
    hash = say(&m, slm_model_hash(m.model));
#ifndef SLM_NO_FILES
    need(argc == 2, "usage: dropin FOLDER");
    its_files(argv[1], m.model, m.tokenizer, m.scores);
#else
    (void)argc;
    (void)argv;
#endif
    end(&m);
    printf("ok %016llx\n", (unsigned long long)hash);
    return 0;
}
