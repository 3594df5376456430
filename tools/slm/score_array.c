/* score_array.c: an array of tokens from NumPy, rows of T+1: inputs are the first T of each,
 * targets the last T. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/errors.h"
#include "common/inputs.h"
#include "common/npy.h"
#include "common/paths.h"
#include "slm/score.h"

enum { T_MAX = 1048576 };

/* The arrays in memory: the tokens, and the two files that are made. */
typedef struct token_array {
    char *file;                  /* all bytes of the .npy */
    const unsigned char *tokens; /* (rows, T + 1) in it */
    size_t rows, T;
    unsigned char *loss;    /* header, then (rows, T) */
    unsigned char *entropy; /* header, then (rows, T) */
} token_array;

static void free_array(token_array *a) {
    slm_free(a->file);
    free(a->loss);
    free(a->entropy);
}

static size_t output_size(const token_array *a) {
    return NPY_HEADER_SIZE + a->rows * a->T * sizeof(slm_real);
}

static int is_token_array(const npy_header *h) {
    if (strcmp(h->dtype, "<i4") != 0 || h->n_dims != 2) return 0;
    return h->shape[0] >= 1 && h->shape[1] >= 2 && h->shape[1] <= T_MAX + 1;
}

static int load_array(token_array *a, const char *path, int32_t vocab) {
    slm_error err;
    npy_header h;
    size_t size;
    slm_status status = slm_file_read(&a->file, &size, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    if (!npy_parse(&h, (const unsigned char *)a->file, size))
        return fail(BAD_INPUT, "%s: not a .npy file of tokens: %s", path, h.fault);
    if (!is_token_array(&h))
        return fail(BAD_INPUT, "%s: not a .npy file of dtype <i4 and shape (rows, T+1)", path);

    a->tokens = (const unsigned char *)a->file + h.start;
    a->rows = h.shape[0];
    a->T = h.shape[1] - 1;
    for (size_t i = 0; i < h.n; i++) {
        int32_t id = npy_i32(a->tokens + 4 * i);
        if (id >= 0 && id < vocab) continue;
        return fail(BAD_INPUT, "%s: token %d in row %zu is outside the model's vocabulary of %d",
                    path, (int)id, i / h.shape[1], (int)vocab);
    }
    a->loss = (unsigned char *)malloc(output_size(a));
    a->entropy = (unsigned char *)malloc(output_size(a));
    return a->loss != NULL && a->entropy != NULL ? DONE : fail_memory();
}

/* Fills the batch with rows from `first` on, as many as it has or as are left; returns how many. */
static size_t fill_batch(slm_batch *batch, const token_array *a, size_t first) {
    size_t B = (size_t)batch->B;
    size_t T = a->T;
    size_t rows = a->rows - first < B ? a->rows - first : B;
    for (size_t i = 0; i < B * T; i++) {
        size_t row = i / T;
        if (row < rows) {
            const unsigned char *p = a->tokens + 4 * ((first + row) * (T + 1) + i % T);
            batch->inputs[i] = npy_i32(p);
            batch->targets[i] = npy_i32(p + 4);
        } else {
            batch->inputs[i] = 0;
            batch->targets[i] = -1;
        }
    }
    return rows;
}

/* Writes numbers as they are in memory: the header says which byte order that is. */
static void put_numbers(unsigned char *file, size_t first, const slm_real *values, size_t n) {
    memcpy(file + NPY_HEADER_SIZE + first * sizeof(slm_real), values, n * sizeof(slm_real));
}

/* What scores a batch, and shows how far it is. */
typedef struct array_scorer {
    const slm_model *model;
    slm_tape *tape;
    slm_batch *batch;
    watch w;
} array_scorer;

static slm_status score_rows(token_array *a, array_scorer *scorer, slm_error *err) {
    slm_batch *batch = scorer->batch;
    size_t first = 0;
    while (first < a->rows) {
        size_t rows = fill_batch(batch, a, first);
        slm_status status = slm_model_losses(batch->ref_loss, batch->ref_entropy, scorer->tape,
                                             scorer->model, batch, err);
        if (status != SLM_OK) return status;
        put_numbers(a->loss, first * a->T, batch->ref_loss, rows * a->T);
        put_numbers(a->entropy, first * a->T, batch->ref_entropy, rows * a->T);
        first += rows;
        if (watch_callback(&scorer->w, first, a->rows) && first < a->rows)
            return error_set(err, SLM_ERR_CANCELLED, "interrupted");
    }
    return SLM_OK;
}

static int compute_losses(token_array *a, const slm_model *model, const score_options *o) {
    slm_error err;
    array_scorer scorer;
    memset(&scorer, 0, sizeof scorer);
    scorer.model = model;
    int32_t B = (size_t)o->batch < a->rows ? o->batch : (int32_t)a->rows;
    slm_status status = slm_tape_create(&scorer.tape, &err);
    if (status == SLM_OK) status = slm_batch_create(&scorer.batch, B, (int32_t)a->T, &err);
    if (status == SLM_OK) status = slm_batch_alloc_reference(scorer.batch, &err);
    watch_start(&scorer.w, "scoring: row", "rows/s", o->quiet);
    if (status == SLM_OK) status = score_rows(a, &scorer, &err);
    progress_end(&scorer.w.bar);
    slm_batch_free(scorer.batch);
    slm_tape_free(scorer.tape);
    return fail_status(status, FOR_OUTPUT, &err);
}

static const char *native_dtype(void) {
    const uint16_t one = 1;
    int little = *(const unsigned char *)&one == 1;
    if (sizeof(slm_real) == sizeof(float)) return little ? "<f4" : ">f4";
    return little ? "<f8" : ">f8";
}

static int save_array(unsigned char *file, const token_array *a, const char *folder,
                      const char *name) {
    char path[PATH_SIZE];
    slm_error err;
    int code = path_join(path, folder, name);
    if (code != DONE) return code;
    npy_write_header(file, native_dtype(), a->rows, a->T);
    return fail_status(slm_file_write(path, file, output_size(a), &err), FOR_OUTPUT, &err);
}

int score_open_folder(score_run *r, const char *folder) {
    static const char *const ours[] = {"loss.npy", "entropy.npy"};
    return output_open_folder(&r->out, folder, ours, COUNT(ours));
}

int score_array(score_run *r, const score_options *o) {
    token_array a;
    memset(&a, 0, sizeof a);
    int code = load_model(&r->model, o->model);
    if (code == DONE) code = load_array(&a, o->tokens, r->model->config.vocab);
    if (code == DONE) code = compute_losses(&a, r->model, o);
    if (code == DONE) code = save_array(a.loss, &a, o->out, "loss.npy");
    if (code == DONE) code = save_array(a.entropy, &a, o->out, "entropy.npy");
    if (code == DONE && o->json) {
        printf("{\"rows\": %zu, \"seq\": %zu}\n", a.rows, a.T);
    } else if (code == DONE) {
        printf("%s: loss.npy and entropy.npy of %zu rows of %zu targets\n", o->out, a.rows, a.T);
    }
    free_array(&a);
    return code;
}
