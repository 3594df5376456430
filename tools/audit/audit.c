/* build/audit DIR: holds slm.h against a folder of PyTorch ground truth (a small Llama checkpoint and everything that PyTorch
   computes from it in float64), quantity by quantity: `name max_abs max_rel tolerance ok|FAIL`.  Exit 0, or 5 if one fails.
   max_rel is relative to the array's largest magnitude: below 2e-5 in float, 1e-11 in the double build.
   Files of DIR: config.json model.safetensors tokens.npy ref_loss.npy logits.npy loss.npy entropy.npy select_batch.npy
   select_seq.npy grads_clm.safetensors grads_slm.safetensors step_slm.safetensors summary.json */
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "npy.h"

static const double tolerance = sizeof(slm_real) == 4 ? 2e-5 : 1e-11;
static int failures;
static const char *dir;
static slm_error err;

static void stop(const char *why) {
    fprintf(stderr, "audit: %s\n", why);
    exit(3);
}

static void must(slm_status status) {
    if (status != SLM_OK) stop(err.text);
}

static const char *path(const char *name) {
    static char text[4096];
    snprintf(text, sizeof text, "%s/%s", dir, name);
    return text;
}

typedef struct npy {
    double *data;
    size_t shape[NPY_DIMS], n_dims, count;
} npy;

static double element(const unsigned char *p, const char *dtype) {
    uint64_t bits = 0;
    uint32_t low;
    double d;
    float f;
    size_t i, size = (size_t)(dtype[2] - '0');
    for (i = 0; i < size; i++)
        bits |= (uint64_t)p[i] << (8 * i);
    if (size == 8) {
        memcpy(&d, &bits, 8);
        return d;
    }
    low = (uint32_t)bits;
    if (dtype[1] == 'f') {
        memcpy(&f, &low, 4);
        return (double)f;
    }
    return dtype[1] == 'i' ? (double)(int32_t)low : (double)low;
}

static npy load(const char *name, size_t count) { /* count 0: any */
    npy a;
    npy_header h;
    char *bytes, why[4300];
    size_t size, i;
    must(slm_file_read(&bytes, &size, path(name), &err));
    if (npy_parse(&h, (const unsigned char *)bytes, size) != 0 ||
        (strcmp(h.dtype, "<i4") && strcmp(h.dtype, "<f4") && strcmp(h.dtype, "<f8") &&
         strcmp(h.dtype, "|u1"))) {
        snprintf(why, sizeof why, "%s: not a .npy file of i4, f4, f8 or u1 numbers", path(name));
        stop(why);
    }
    if (count != 0 && h.n != count) {
        snprintf(why, sizeof why, "%s holds %zu numbers, %zu are expected", path(name), h.n, count);
        stop(why);
    }
    memcpy(a.shape, h.shape, sizeof a.shape);
    a.n_dims = h.n_dims;
    a.count = h.n;
    a.data = (double *)malloc(h.n * sizeof(double) + 1);
    if (a.data == NULL) stop("out of memory");
    for (i = 0; i < h.n; i++)
        a.data[i] = element((const unsigned char *)bytes + h.start + i * h.width, h.dtype);
    slm_free(bytes);
    return a;
}

static double summary(const char *key) { /* a number of summary.json, by its key */
    char *text, *at;
    size_t size;
    double value;
    char quoted[64];
    must(slm_file_read(&text, &size, path("summary.json"), &err));
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    at = strstr(text, quoted);
    if (at == NULL) {
        snprintf(err.text, sizeof err.text, "%s/summary.json has no %s", dir, key);
        stop(err.text);
    }
    value = strtod(at + strlen(quoted), NULL);
    slm_free(text);
    return value;
}

static void compare(const char *name, const slm_real *ours, const double *truth, size_t n) {
    double worst = 0, largest = 0;
    size_t i;
    int ok;
    for (i = 0; i < n; i++) {
        double difference = fabs((double)ours[i] - truth[i]);
        if (worst == worst && !(difference <= worst)) worst = difference; /* NaN stays */
        if (fabs(truth[i]) > largest) largest = fabs(truth[i]);
    }
    ok = worst <= tolerance * largest;
    failures += !ok;
    printf("%s %.3g %.3g %.0e %s\n", name, worst, largest > 0 ? worst / largest : worst, tolerance,
           ok ? "ok" : "FAIL");
}

static void compare_masks(const char *name, const uint8_t *ours, const double *truth, size_t n) {
    size_t i, different = 0;
    for (i = 0; i < n; i++)
        different += ours[i] != (truth[i] != 0);
    failures += different != 0;
    printf("%s %zu %.3g 0 %s\n", name, different, (double)different / (double)n,
           different ? "FAIL" : "ok");
}

/* Every tensor of a file, in F64, against one of our flat arrays; the worst decides, relative to the file's largest number. */
static void compare_file(const char *name, const char *file, const slm_model *model,
                         const slm_real *ours) {
    slm_safetensors *f;
    double *truth = (double *)malloc(model->n_params * sizeof(double));
    slm_real *flat = (slm_real *)malloc(model->n_params * sizeof(slm_real)),
             *wanted = (slm_real *)malloc(model->n_params * sizeof(slm_real));
    size_t i, j, at = 0;
    if (truth == NULL || flat == NULL || wanted == NULL) stop("out of memory");
    must(slm_safetensors_open(&f, path(file), &err));
    for (i = 0; i < model->n_tensors; i++) {
        const slm_param *p = &model->table[i];
        size_t n = p->rows * p->cols;
        must(slm_safetensors_read(wanted, f, p->name, n, &err));
        for (j = 0; j < n; j++) {
            flat[at + j] = ours[p->offset + j];
            truth[at + j] = (double)wanted[j];
        }
        at += n;
    }
    slm_safetensors_close(f);
    compare(name, flat, truth, at);
    free(truth);
    free(flat);
    free(wanted);
}

static void fill_batch(slm_batch *batch, const npy *tokens) {
    size_t T = (size_t)batch->T, b, t;
    for (b = 0; b < (size_t)batch->B; b++)
        for (t = 0; t < T; t++) {
            batch->inputs[b * T + t] = (int32_t)tokens->data[b * (T + 1) + t];
            batch->targets[b * T + t] = (int32_t)tokens->data[b * (T + 1) + t + 1];
        }
}

static void audit_forward(const slm_model *model, slm_batch *batch, slm_real *loss) {
    size_t N = (size_t)batch->B * (size_t)batch->T, V = (size_t)model->config.vocab, n;
    npy logits = load("logits.npy", N * V), truth = load("loss.npy", N), h = load("entropy.npy", N);
    slm_real *entropy = (slm_real *)malloc(N * sizeof *entropy),
             *all = (slm_real *)malloc(N * V * sizeof *all);
    slm_generator *g;
    slm_tape *tape;
    const slm_real *row;
    if (entropy == NULL || all == NULL) stop("out of memory");
    must(slm_generator_create(&g, model, batch->T,
                              &err)); /* logits come out of the KV cache, one token at a time */
    for (n = 0; n < N; n++) {
        if (n % (size_t)batch->T == 0) slm_generator_reset(g);
        must(slm_generator_push(&row, g, batch->inputs[n], &err));
        memcpy(all + n * V, row, V * sizeof *all);
    }
    compare("logits", all, logits.data, N * V);
    must(slm_tape_create(&tape, &err));
    must(slm_model_losses(loss, entropy, tape, model, batch, &err));
    compare("loss", loss, truth.data, N);
    compare("entropy", entropy, h.data, N);
    slm_tape_free(tape);
    slm_generator_free(g);
    free(entropy);
    free(all);
    free(logits.data);
    free(truth.data);
    free(h.data);
}

static void audit_selection(const slm_batch *batch, const slm_real *loss, double ratio) {
    static const char *const names[] = {"select_batch", "select_seq"};
    size_t N = (size_t)batch->B * (size_t)batch->T, kept;
    uint8_t *mask = (uint8_t *)malloc(N);
    slm_real *scratch = (slm_real *)malloc(N * sizeof *scratch);
    slm_select_options how = slm_select_defaults();
    slm_targets targets = {.loss = loss, .ref_loss = batch->ref_loss, .targets = batch->targets};
    int i;
    if (mask == NULL || scratch == NULL) stop("out of memory");
    targets.n = N;
    targets.T = batch->T;
    how.criterion = SLM_CRITERION_EXCESS;
    how.ratio = ratio;
    for (i = 0; i < 2; i++) {
        npy truth = load(i == 0 ? "select_batch.npy" : "select_seq.npy", N);
        how.scope = i == 0 ? SLM_SCOPE_BATCH : SLM_SCOPE_SEQUENCE;
        must(slm_select(mask, &kept, &targets, &how, scratch, &err));
        compare_masks(names[i], mask, truth.data, N);
        free(truth.data);
    }
    free(mask);
    free(scratch);
}

/* One training step from the file's weights: its gradient, then its weights. */
static void audit_step(const slm_model *start, slm_batch *batch, int selective, double ratio) {
    slm_model *model;
    slm_trainer *trainer;
    slm_train_options options = slm_train_defaults();
    slm_step_stats stats;
    double truth;
    slm_real value;
    options.select.criterion = selective ? SLM_CRITERION_EXCESS : SLM_CRITERION_NONE;
    options.select.ratio = ratio;
    options.adamw.lr = summary("lr");
    options.adamw.beta1 = summary("beta1");
    options.adamw.beta2 = summary("beta2");
    options.adamw.eps = summary("eps");
    options.adamw.weight_decay = summary("weight_decay");
    options.adamw.clip = summary("clip");
    must(slm_model_copy(&model, start, &err));
    must(slm_trainer_create(&trainer, model, &options, &err));
    must(slm_trainer_step(&stats, trainer, &batch, 1, &err));
    value = (slm_real)(selective ? stats.loss_selected : stats.loss_all);
    truth = summary(selective ? "slm_batch" : "clm");
    compare(selective ? "loss_slm" : "loss_clm", &value, &truth, 1);
    value = (slm_real)stats.grad_norm;
    truth = summary(selective ? "grad_norm_slm" : "grad_norm_clm");
    compare(selective ? "grad_norm_slm" : "grad_norm_clm", &value, &truth, 1);
    compare_file(selective ? "grads_slm" : "grads_clm",
                 selective ? "grads_slm.safetensors" : "grads_clm.safetensors", model,
                 slm_trainer_grads(trainer));
    if (selective) compare_file("step_slm", "step_slm.safetensors", model, model->params);
    slm_trainer_free(trainer);
    slm_model_free(model);
}

int main(int argc, char **argv) {
    slm_model *model;
    slm_batch *batch;
    npy tokens, ref;
    slm_real *loss;
    size_t N, i;
    double ratio;
    if (argc != 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: audit DIR     compares slm.h with the PyTorch results in DIR; exit "
                        "0 all agree, 5 one does not\n");
        return argc == 2 && strcmp(argv[1], "-h") == 0 ? 0 : 2;
    }
    dir = argv[1];
    must(slm_model_load(&model, dir, &err));
    tokens = load("tokens.npy", 0);
    if (tokens.n_dims != 2 || tokens.shape[1] < 2) stop("tokens.npy must have the shape (B, T+1)");
    must(slm_batch_create(&batch, (int32_t)tokens.shape[0], (int32_t)tokens.shape[1] - 1, &err));
    must(slm_batch_alloc_reference(batch, &err));
    N = (size_t)batch->B * (size_t)batch->T;
    fill_batch(batch, &tokens);
    ref = load("ref_loss.npy", N);
    for (i = 0; i < N; i++)
        batch->ref_loss[i] = (slm_real)ref.data[i];
    loss = (slm_real *)malloc(N * sizeof *loss);
    if (loss == NULL) stop("out of memory");
    ratio = summary("ratio");
    audit_forward(model, batch, loss);
    audit_selection(batch, loss, ratio);
    audit_step(model, batch, 0, ratio);
    audit_step(model, batch, 1, ratio);
    printf("%s\n", failures ? "FAIL" : "ok");
    free(loss);
    free(tokens.data);
    free(ref.data);
    slm_batch_free(batch);
    slm_model_free(model);
    return failures ? 5 : 0;
}
