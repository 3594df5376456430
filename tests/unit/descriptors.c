/* Who has saved a folder and loaded it holds no more descriptors of files than before.
   build/tests/descriptors [SCRATCH_FOLDER] */
#define _POSIX_C_SOURCE 200809L
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "check.h"
#include "slm.h"

#ifndef _WIN32
#include <fcntl.h>
#include <unistd.h>

static slm_error err;

/* The lowest descriptor that is free: the one that a file gets. */
static int lowest_free(void) {
    int descriptor = open(".", O_RDONLY);
    (void)close(descriptor);
    return descriptor;
}

int main(int argc, char **argv) {
    const char *root = argc > 1 ? argv[1] : "build/tmp";
    const slm_model_config c = {.vocab = 5, .dim = 4, .n_layers = 1, .n_heads = 1, .ffn = 6};
    char folder[1024];
    slm_model *model;
    int before = lowest_free();
    (void)snprintf(folder, sizeof folder, "%s/descriptors", root);
    CHECK_OK(slm__make_folder(root, &err), err);
    CHECK_OK(slm_model_create(&model, &c, 1, &err), err);
    CHECK_OK(slm_model_save(model, folder, NULL, SLM_DTYPE_NATIVE, &err), err);
    CHECK(lowest_free() == before, "saved: %d, not %d", lowest_free(), before);
    slm_model_free(model);
    CHECK_OK(slm_model_load(&model, folder, &err), err);
    CHECK(lowest_free() == before, "loaded: %d, not %d", lowest_free(), before);
    slm_model_free(model);
    return check_end();
}
#else
int main(void) {
    printf("skipped: descriptors are those of POSIX\n");
    return check_end();
}
#endif
