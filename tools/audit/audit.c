/* build/audit DIR: holds slm.h against a folder of PyTorch ground truth (a small Llama checkpoint,
 * and what PyTorch computes from it in float64), quantity by quantity:
 *
 *     name max_abs max_rel tolerance ok|FAIL
 *
 * Exits with 0, or with 5 if one fails.  max_rel is relative to the array's largest magnitude:
 * below 2e-5 in float, 1e-11 in the double build.
 *
 * Files of DIR: config.json model.safetensors tokens.npy ref_loss.npy logits.npy loss.npy
 * entropy.npy select_batch.npy select_seq.npy grads_clm.safetensors grads_slm.safetensors
 * step_slm.safetensors summary.json */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/summary.h"
#include "common/npy.h"
#include "common/start.h"
#include "common/text.h"
#include "slm.h"

enum { OK = 0, USAGE = 2, BAD_INPUT = 3, CHECK_FAILED = 5, ANY_COUNT = 0 };

static const double tolerance = sizeof(slm_real) == sizeof(float) ? 2e-5 : 1e-11;
static int n_failures;
static const char *folder;

/* ---- errors end the program ---- */
static void stop(const char *why) {
    print_message("audit: %s", why);
    exit(BAD_INPUT);
}

static void stop_file(const char *name, const char *why) {
    print_message("audit: %s/%s %s", folder, name, why);
    exit(BAD_INPUT);
}

static void must(slm_status status, const slm_error *err) {
    if (status != SLM_OK) stop(err->text);
}

static void *allocate(size_t n, size_t size) {
    void *memory = calloc(n > 0 ? n : 1, size);
    if (memory == NULL) stop("out of memory");
    return memory;
}

/* ---- files ---- */

/* Holds until the next call. */
static const char *path_of(const char *name) {
    static char text[4096];
    (void)snprintf(text, sizeof text, "%s/%s", folder, name);
    return text;
}

static char *read_file(size_t *size, const char *name) {
    slm_error err;
    char *bytes;
    must(slm_file_read(&bytes, size, path_of(name), &err), &err);
    return bytes;
}

/* An array of the ground truth. */
typedef struct array {
    double *data; /* (n) */
    size_t shape[NPY_MAX_DIMS], n_dims, n;
} array;

typedef enum number_type { INT32, FLOAT32, FLOAT64, UINT8, UNKNOWN } number_type;

static number_type number_type_of(const char *dtype) {
    if (strcmp(dtype, "<i4") == 0) return INT32;
    if (strcmp(dtype, "<f4") == 0) return FLOAT32;
    if (strcmp(dtype, "<f8") == 0) return FLOAT64;
    if (strcmp(dtype, "|u1") == 0) return UINT8;
    return UNKNOWN;
}

/* The number whose little-endian bytes begin at p. */
static double number_at(const unsigned char *p, number_type type, size_t width) {
    uint64_t bits = 0;
    double d;
    float f;
    for (size_t i = 0; i < width; i++)
        bits |= (uint64_t)p[i] << (8 * i);
    uint32_t low = (uint32_t)bits;
    switch (type) {
    case FLOAT64:
        memcpy(&d, &bits, sizeof d);
        return d;
    case FLOAT32:
        memcpy(&f, &low, sizeof f);
        return (double)f;
    case INT32: return (double)(int32_t)low;
    default: return (double)low;
    }
}

/* n: how many numbers there must be, or ANY_COUNT. */
static array load_array(const char *name, size_t n) {
    array a;
    npy_header h;
    size_t size;
    char *bytes = read_file(&size, name);
    int readable = npy_parse(&h, (const unsigned char *)bytes, size);
    number_type type = readable ? number_type_of(h.dtype) : UNKNOWN;
    if (type == UNKNOWN) stop_file(name, "is not a .npy file of i4, f4, f8 or u1 numbers");
    if (n != ANY_COUNT && h.n != n) stop_file(name, "does not hold as many numbers as expected");

    memcpy(a.shape, h.shape, sizeof a.shape);
    a.n_dims = h.n_dims;
    a.n = h.n;
    a.data = (double *)allocate(h.n, sizeof *a.data);
    const unsigned char *data = (const unsigned char *)bytes + h.start;
    for (size_t i = 0; i < h.n; i++)
        a.data[i] = number_at(data + i * h.width, type, h.width);
    slm_free(bytes);
    return a;
}

static summary load_summary(void) {
    static const char name[] = "summary.json";
    summary s;
    slm_error err;
    size_t size;
    char *text = read_file(&size, name);
    must(summary_parse(&s, text, size, path_of(name), &err), &err);
    slm_free(text);
    return s;
}

/* ---- comparisons: one line each ---- */
static void compare(const char *name, const slm_real *ours, const double *truth, size_t n) {
    double worst = 0;
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        double difference = fabs((double)ours[i] - truth[i]);
        /* A NaN becomes the worst, and stays it. */
        if (!isnan(worst) && !(difference <= worst)) worst = difference;
        if (fabs(truth[i]) > largest) largest = fabs(truth[i]);
    }
    int ok = worst <= tolerance * largest;
    double relative = largest > 0 ? worst / largest : worst;
    if (!ok) n_failures++;
    printf("%s %.3g %.3g %.0e %s\n", name, worst, relative, tolerance, ok ? "ok" : "FAIL");
}

static void compare_number(const char *name, double ours, double truth) {
    slm_real rounded = (slm_real)ours;
    compare(name, &rounded, &truth, 1);
}

static void compare_masks(const char *name, const uint8_t *ours, const double *truth, size_t n) {
    size_t n_different = 0;
    for (size_t i = 0; i < n; i++) {
        if (ours[i] != (truth[i] != 0)) n_different++;
    }
    if (n_different > 0) n_failures++;
    printf("%s %zu %.3g 0 %s\n", name, n_different, (double)n_different / (double)n,
           n_different > 0 ? "FAIL" : "ok");
}

/* Compares all tensors of a file (F64) with one of the model's flat arrays; the worst decides,
 * relative to the file's largest number. */
static void compare_file(const char *name, const char *file_name, const slm_model *model,
                         const slm_real *flat) {
    slm_error err;
    slm_safetensors *file;
    slm_real *ours = (slm_real *)allocate(model->n_params, sizeof *ours);
    slm_real *read = (slm_real *)allocate(model->n_params, sizeof *read);
    double *truth = (double *)allocate(model->n_params, sizeof *truth);
    size_t n = 0;
    must(slm_safetensors_open(&file, path_of(file_name), &err), &err);
    for (size_t i = 0; i < model->n_tensors; i++) {
        const slm_param *param = &model->table[i];
        size_t count = param->rows * param->cols;
        must(slm_safetensors_read(read, file, param->name, count, &err), &err);
        for (size_t j = 0; j < count; j++) {
            ours[n + j] = flat[param->offset + j];
            truth[n + j] = (double)read[j];
        }
        n += count;
    }
    slm_safetensors_close(file);
    compare(name, ours, truth, n);
    free(ours);
    free(read);
    free(truth);
}

/* ---- the audit ---- */
static size_t n_targets(const slm_batch *batch) {
    return (size_t)batch->B * (size_t)batch->T;
}

/* Whether an id is of the vocabulary is for slm.h to say. */
static void check_ids(const array *tokens) {
    for (size_t i = 0; i < tokens->n; i++) {
        double id = tokens->data[i];
        int is_id = id >= INT32_MIN && id <= INT32_MAX && floor(id) >= id;
        if (!is_id) stop_file("tokens.npy", "holds a number that is no token id");
    }
}

/* Reads tokens.npy (B, T+1) and ref_loss.npy (B, T). */
static slm_batch *load_batch(void) {
    slm_error err;
    slm_batch *batch;
    array tokens = load_array("tokens.npy", ANY_COUNT);
    if (tokens.n_dims != 2 || tokens.shape[1] < 2) stop("tokens.npy must have the shape (B, T+1)");
    check_ids(&tokens);
    size_t B = tokens.shape[0];
    size_t T = tokens.shape[1] - 1;
    must(slm_batch_create(&batch, (int32_t)B, (int32_t)T, &err), &err);
    must(slm_batch_alloc_reference(batch, &err), &err);
    for (size_t b = 0; b < B; b++) {
        const double *row = tokens.data + b * (T + 1);
        for (size_t t = 0; t < T; t++) {
            batch->inputs[b * T + t] = (int32_t)row[t];
            batch->targets[b * T + t] = (int32_t)row[t + 1];
        }
    }

    array ref_loss = load_array("ref_loss.npy", B * T);
    for (size_t i = 0; i < B * T; i++)
        batch->ref_loss[i] = (slm_real)ref_loss.data[i];
    free(ref_loss.data);
    free(tokens.data);
    return batch;
}

/* The logits come out of the key-value cache, one token at a time. */
static void audit_logits(const slm_model *model, const slm_batch *batch) {
    size_t N = n_targets(batch);
    size_t V = (size_t)model->config.vocab;
    slm_error err;
    slm_generator *generator;
    slm_real *logits = (slm_real *)allocate(N * V, sizeof *logits);
    array truth = load_array("logits.npy", N * V);
    must(slm_generator_create(&generator, model, batch->T, &err), &err);
    for (size_t n = 0; n < N; n++) {
        const slm_real *row;
        if (n % (size_t)batch->T == 0) slm_generator_reset(generator);
        must(slm_generator_push(&row, generator, batch->inputs[n], &err), &err);
        memcpy(logits + n * V, row, V * sizeof *logits);
    }
    compare("logits", logits, truth.data, N * V);
    slm_generator_free(generator);
    free(logits);
    free(truth.data);
}

/* loss (N) out. */
static void audit_losses(slm_real *loss, const slm_model *model, const slm_batch *batch) {
    size_t N = n_targets(batch);
    slm_error err;
    slm_tape *tape;
    slm_real *entropy = (slm_real *)allocate(N, sizeof *entropy);
    array loss_truth = load_array("loss.npy", N);
    array entropy_truth = load_array("entropy.npy", N);
    must(slm_tape_create(&tape, &err), &err);
    must(slm_model_losses(loss, entropy, tape, model, batch, &err), &err);
    compare("loss", loss, loss_truth.data, N);
    compare("entropy", entropy, entropy_truth.data, N);
    slm_tape_free(tape);
    free(entropy);
    free(loss_truth.data);
    free(entropy_truth.data);
}

static void audit_selection(const char *name, const char *file_name, const slm_targets *targets,
                            slm_scope scope, double ratio) {
    size_t N = targets->n;
    size_t n_selected;
    slm_error err;
    uint8_t *mask = (uint8_t *)allocate(N, sizeof *mask);
    slm_real *scratch = (slm_real *)allocate(N, sizeof *scratch);
    array truth = load_array(file_name, N);
    slm_select_options options = slm_select_defaults();
    options.criterion = SLM_CRITERION_EXCESS;
    options.scope = scope;
    options.ratio = ratio;
    must(slm_select(mask, &n_selected, targets, &options, scratch, &err), &err);
    compare_masks(name, mask, truth.data, N);
    free(mask);
    free(scratch);
    free(truth.data);
}

/* The two kinds of step, and where their truth is. */
typedef struct step_case {
    slm_criterion criterion;
    const char *loss_name, *norm_name;
    const char *grads_name, *grads_file;
} step_case;

static const step_case plain_step = {SLM_CRITERION_NONE, "loss_clm", "grad_norm_clm", "grads_clm",
                                     "grads_clm.safetensors"};
static const step_case selective_step = {SLM_CRITERION_EXCESS, "loss_slm", "grad_norm_slm",
                                         "grads_slm", "grads_slm.safetensors"};

static slm_train_options step_options(slm_criterion criterion, const summary *s) {
    slm_train_options options = slm_train_defaults();
    options.select.criterion = criterion;
    options.select.ratio = s->ratio;
    options.adamw.lr = s->lr;
    options.adamw.lr_min = 1;
    options.adamw.beta1 = s->beta1;
    options.adamw.beta2 = s->beta2;
    options.adamw.eps = s->eps;
    options.adamw.weight_decay = s->weight_decay;
    options.adamw.clip = s->clip;
    return options;
}

/* Takes one training step from the weights of `start`; compares its gradient, and the weights after
 * a selective step. */
static void audit_step(const step_case *step, const slm_model *start, slm_batch *batch,
                       const summary *s) {
    slm_train_options options = step_options(step->criterion, s);
    slm_error err;
    slm_model *model;
    slm_trainer *trainer;
    slm_step_stats stats;
    must(slm_model_copy(&model, start, &err), &err);
    must(slm_trainer_create(&trainer, model, &options, &err), &err);
    must(slm_trainer_step(&stats, trainer, &batch, 1, &err), &err);

    int selective = step->criterion != SLM_CRITERION_NONE;
    double loss = selective ? stats.loss_selected : stats.loss_all;
    compare_number(step->loss_name, loss, selective ? s->slm_batch : s->clm);
    compare_number(step->norm_name, stats.grad_norm,
                   selective ? s->grad_norm_slm : s->grad_norm_clm);
    compare_file(step->grads_name, step->grads_file, model, slm_trainer_grads(trainer));
    if (selective) compare_file("step_slm", "step_slm.safetensors", model, model->params);
    slm_trainer_free(trainer);
    slm_model_free(model);
}

static void audit(void) {
    slm_error err;
    slm_model *model;
    must(slm_model_load(&model, folder, &err), &err);
    slm_batch *batch = load_batch();
    slm_real *loss = (slm_real *)allocate(n_targets(batch), sizeof *loss);
    summary s = load_summary();
    audit_logits(model, batch);
    audit_losses(loss, model, batch);

    slm_targets targets;
    memset(&targets, 0, sizeof targets);
    targets.loss = loss;
    targets.ref_loss = batch->ref_loss;
    targets.targets = batch->targets;
    targets.n = n_targets(batch);
    targets.T = batch->T;
    audit_selection("select_batch", "select_batch.npy", &targets, SLM_SCOPE_BATCH, s.ratio);
    audit_selection("select_seq", "select_seq.npy", &targets, SLM_SCOPE_SEQUENCE, s.ratio);
    audit_step(&plain_step, model, batch, &s);
    audit_step(&selective_step, model, batch, &s);
    free(loss);
    slm_batch_free(batch);
    slm_model_free(model);
}

int main(int argc, char **argv) {
    static const char usage[] =
        "usage: audit DIR     compares slm.h with the PyTorch results in DIR; exit 0 all agree, 5 "
        "one does not\n";
    int code = program_start("audit", &argc, &argv);
    if (code != OK) return code;
    if (argc != 2 || argv[1][0] == '-') {
        fputs(usage, stderr);
        int asked = argc == 2 && strcmp(argv[1], "-h") == 0;
        return asked ? OK : USAGE;
    }
    folder = argv[1];
    audit();
    puts(n_failures > 0 ? "FAIL" : "ok");
    return n_failures > 0 ? CHECK_FAILED : OK;
}
