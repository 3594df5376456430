/* fixture.c: makes the tiny models that fixture.sh cannot make, and then the report of the folder.
 *
 *     make build/fixture && sh tests/support/fixture.sh DIR && build/fixture DIR [--bare]
 *
 * --bare: no models. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <sys/stat.h>
#include "lab/experiment.h"
#include "repro/findings.h"

static void make_model(const slm_tokenizer *tokenizer, const char *path, uint64_t seed) {
    const slm_model_config shape = {.vocab = 256,
                                    .dim = 16,
                                    .n_layers = 1,
                                    .n_heads = 2,
                                    .n_kv_heads = 2,
                                    .head_dim = 8,
                                    .ffn = 32,
                                    .max_seq = 64,
                                    .rope_theta = 10000,
                                    .norm_eps = 1e-5};
    slm_model *model;
    must(slm_model_create(&model, &shape, seed, &experiment_error));
    must(slm_model_save(model, path, tokenizer, SLM_DTYPE_NATIVE, &experiment_error));
    slm_model_free(model);
}

static void write_bytes(const char *dir, const char *name, const void *bytes, size_t size) {
    char path[400];
    (void)snprintf(path, sizeof path, "%s/models/%s.bin", dir, name);
    must(slm_file_write(path, bytes, size, &experiment_error));
}

static void make_models(const char *dir) {
    static const char *const names[4] = {"base", "reference", "clm", "slm"};
    const corpus_mix mix = {.target = 0.5, .noise = 0.2, .wrong = 0.3};
    slm_tokenizer *tokenizer;
    corpus_text text;
    char path[400];
    (void)snprintf(path, sizeof path, "%s/models", dir);
    (void)mkdir(path, 0777);
    must(slm_tokenizer_create_bytes(&tokenizer, &experiment_error));
    for (uint64_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/models/%s", dir, names[i]);
        make_model(tokenizer, path, i + 1);
    }
    corpus_make(&text, CORPUS_NOISY, &mix, 1500, 1);
    write_bytes(dir, "text", text.text, text.size);
    write_bytes(dir, "kind", text.kind, text.size);
    corpus_free(&text);
    slm_tokenizer_free(tokenizer);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fputs("usage: fixture DIR [--bare]\n", stderr);
        return 2;
    }
    if (argc == 2) make_models(argv[1]);
    return repro_report(argv[1]);
}
