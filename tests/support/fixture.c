/* repro_fixture.c: makes the tiny models that repro_fixture.sh cannot, and then the report of the folder.
 *
 *     cc -std=c99 -O1 -I. -Itools -o fixture tests/repro_fixture.c -lm && ./fixture DIR          (--bare: no models) */
#define _POSIX_C_SOURCE 200809L
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "experiment.h"
#include "repro_report.h"
#include <sys/stat.h>

static void make_models(const char *dir) {
    static const char *const names[] = {"base", "reference", "clm", "slm"};
    const corpus_mix mix = {0.5, 0.2, 0.3};
    slm_model_config shape = {256, 16, 1, 2, 2, 8, 32, 64, 10000, 1e-5, 0};
    slm_tokenizer *tokenizer;
    slm_model *model;
    corpus_text text;
    char path[400];
    snprintf(path, sizeof path, "%s/models", dir);
    (void)mkdir(path, 0777);
    must(slm_tokenizer_create_bytes(&tokenizer, &experiment_error));
    for (uint64_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/models/%s", dir, names[i]);
        must(slm_model_create(&model, &shape, i + 1, &experiment_error));
        must(slm_model_save(model, path, tokenizer, SLM_DTYPE_NATIVE, &experiment_error));
        slm_model_free(model);
    }
    if (!corpus_make(&text, CORPUS_NOISY, &mix, 1500, 1)) {
        must_have(NULL);
    }
    snprintf(path, sizeof path, "%s/models/text.bin", dir);
    must(slm_file_write(path, text.text, text.size, &experiment_error));
    snprintf(path, sizeof path, "%s/models/kind.bin", dir);
    must(slm_file_write(path, text.kind, text.size, &experiment_error));
    corpus_free(&text);
    slm_tokenizer_free(tokenizer);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fputs("usage: fixture DIR [--bare]\n", stderr);
        return 2;
    }
    if (argc == 2) {
        make_models(argv[1]);
    }
    return repro_report(argv[1]);
}
