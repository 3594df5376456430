/* Every operation of the tape, the whole model and the selective loss against central differences, in double, at odd shapes.
   The scalar that is differentiated is a random projection of the operation's output (a plain sum would hide errors: the sum of
   a softmax is constant).  Errors are signed and relative to the largest gradient of the array: below 1e-7. */
#define SLM_REAL double
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "check.h"
#include "slm.h"

#define MOST 6

typedef struct problem {
    const char *name;
    int n_leaves;
    size_t rows[MOST], cols[MOST];
    double *data[MOST], *grad[MOST];
    slm_tensor *(*output)(slm_tape *tape, slm_tensor **leaf);
} problem;

static slm_tape *tape;
static double *projection;
static int32_t ids[] = {3, 0, 3, 6, 1, 2, 3, 5, 4, 4, 0, 2, 1, 5};
static const int32_t targets[] = {4, -1, 0, 2, 3, 1, 4, 0, -1, 2, 3, 3, 0, 1};
static const uint8_t mask[] = {1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0};

/* An operation of one's own: L = sum_ij a_ij x_ij, a the projection;  dx_ij += dL a_ij. */
static void projected_backward(slm_tape *t, slm__node *node) {
    slm_tensor *x = node->in[0];
    if (slm__grad_prepare_to_add(t, x, NULL, 0))
        slm__axpy(x->grad, node->out->grad[0], projection, x->rows * x->cols);
}

static slm_tensor *projected(slm_tensor *x) {
    slm_tensor *y = slm__tensor(tape, NULL, 1, 1);
    slm__node *node = slm__record(tape, y, projected_backward);
    if (node == NULL) return NULL;
    node->in[0] = x;
    y->data[0] = slm__dot(x->data, projection, x->rows * x->cols);
    return y;
}

static double value(problem *p, int backward) {
    slm_tensor *leaf[MOST], *y;
    slm_error err;
    double loss;
    int i;
    slm_tape_reset(tape);
    for (i = 0; i < p->n_leaves; i++)
        leaf[i] = slm_leaf(tape, p->data[i], p->grad[i], p->rows[i], p->cols[i]);
    y = p->output(tape, leaf);
    if (y != NULL && y->rows * y->cols != 1) y = projected(y);
    if (y == NULL) {
        printf("FAIL %s: %s\n", p->name, tape->error.text);
        exit(1);
    }
    loss = y->data[0];
    if (backward && slm_tape_backward(tape, y, &err) != SLM_OK) {
        printf("FAIL %s: %s\n", p->name, err.text);
        exit(1);
    }
    return loss;
}

static void run(problem *p) {
    slm_rng rng = slm_rng_seed(7);
    double *grads[MOST];
    size_t j, n;
    int i;
    for (i = 0; i < p->n_leaves; i++) {
        n = p->rows[i] * p->cols[i];
        p->data[i] = (double *)calloc(n, sizeof(double));
        p->grad[i] = (double *)calloc(n, sizeof(double));
        for (j = 0; j < n; j++)
            p->data[i][j] = slm_rng_normal(&rng) * 0.7;
    }
    for (j = 0; j < 4096; j++)
        projection[j] = slm_rng_normal(&rng);
    (void)value(p, 1);
    for (i = 0; i < p->n_leaves;
         i++) { /* set aside: the selective loss writes gradients in its forward */
        n = p->rows[i] * p->cols[i];
        grads[i] = (double *)malloc(n * sizeof(double));
        memcpy(grads[i], p->grad[i], n * sizeof(double));
    }
    for (i = 0; i < p->n_leaves; i++) {
        double worst = 0, largest = 0, h = 1e-5, *grad = grads[i];
        n = p->rows[i] * p->cols[i];
        for (j = 0; j < n; j++) {
            double x = p->data[i][j], up, down, difference;
            p->data[i][j] = x + h;
            up = value(p, 0);
            p->data[i][j] = x - h;
            down = value(p, 0);
            p->data[i][j] = x;
            difference = fabs((up - down) / (2 * h) - grad[j]);
            if (worst == worst && !(difference <= worst)) worst = difference; /* NaN stays */
            if (fabs(grad[j]) > largest) largest = fabs(grad[j]);
        }
        CHECK(largest > 1e-3, "%s: the gradient of input %d vanishes: nothing was checked", p->name,
              i);
        CHECK(worst <= 1e-7 * largest, "%s, input %d: error %.3g of %.3g", p->name, i, worst,
              largest);
        free(grad);
    }
    for (i = 0; i < p->n_leaves; i++) {
        free(p->data[i]);
        free(p->grad[i]);
    }
}

static slm_tensor *embedding(slm_tape *t, slm_tensor **l) {
    return slm_embedding(t, l[0], ids, 14);
}

static slm_tensor *linear(slm_tape *t, slm_tensor **l) {
    return slm_linear(t, l[0], l[1], NULL);
}

static slm_tensor *linear_residual(slm_tape *t, slm_tensor **l) {
    return slm_linear(t, l[0], l[1], l[2]);
}

static slm_tensor *rmsnorm(slm_tape *t, slm_tensor **l) {
    return slm_rmsnorm(t, l[0], l[1], 1e-5);
}

static slm_tensor *rope(slm_tape *t, slm_tensor **l) { /* in place, so on the output of a linear */
    return slm_rope(t, slm_linear(t, l[0], l[1], NULL), slm_rope_angles(t, 7, 6, 10000));
}

static slm_tensor *attention(slm_tape *t, slm_tensor **l) {
    return slm_attention(t, l[0], l[1], l[2], 7, 6);
}

static slm_tensor *attention_long(slm_tape *t, slm_tensor **l) {
    return slm_attention(t, l[0], l[1], l[2], 131, 2);
}

static slm_tensor *swiglu(slm_tape *t, slm_tensor **l) {
    return slm_swiglu(t, l[0], l[1]);
}

static slm_tensor *shared_input(
    slm_tape *t, slm_tensor **l) { /* one tensor used three times: gradients add up */
    slm_tensor *a = slm_linear(t, l[0], l[1], NULL),
               *b = slm_swiglu(t, a, slm_linear(t, a, l[2], NULL));
    return slm_linear(t, b, l[2], a);
}

static double losses[64];

static slm_tensor *selective_loss(slm_tape *t, slm_tensor **l) {
    return slm_selective_loss(t, l[0], l[1], targets, NULL, mask, 5.0, losses);
}

static slm_tensor *plain_loss(slm_tape *t, slm_tensor **l) {
    return slm_selective_loss(t, l[0], l[1], targets, NULL, NULL, 12.0, losses);
}

static slm_tensor *loss_of_a_layer(
    slm_tape *t, slm_tensor **l) { /* live rows through linear, norm, swiglu and attention */
    slm_tensor *a = slm_linear(t, l[0], l[1], NULL), *q = slm_linear(t, a, l[2], NULL),
               *k = slm_linear(t, a, l[3], NULL);
    slm_tensor *y = slm_linear(t, slm_attention(t, q, k, slm_swiglu(t, k, q), 7, 2), l[4], a);
    return slm_selective_loss(t, slm_rmsnorm(t, y, slm_leaf(t, projection, NULL, 1, 6), 1e-5), l[5],
                              targets, NULL, mask, 5.0, losses);
}

/* The whole model: the gradient that a training step leaves, against differences of its loss. */
static double model_loss(slm_model *model, slm_batch *batch, const uint8_t *kept, size_t n_kept) {
    double sum = 0;
    size_t i;
    slm_error err;
    if (slm_model_losses(losses, NULL, tape, model, batch, &err) != SLM_OK) {
        printf("FAIL model: %s\n", err.text);
        exit(1);
    }
    for (i = 0; i < 14; i++)
        if (kept[i]) sum += losses[i];
    return sum / (double)n_kept;
}

static void whole_model(int tied, double ratio) {
    slm_model_config c;
    slm_model *model;
    slm_batch *batch;
    slm_trainer *trainer;
    slm_train_options options = slm_train_defaults();
    slm_step_stats stats;
    slm_error err;
    slm_rng rng = slm_rng_seed(3);
    double worst = 0, largest = 0, h = 5e-5;
    size_t i, n_kept = 0;
    memset(&c, 0, sizeof c);
    c.vocab = 7;
    c.dim = 12;
    c.n_layers = 2;
    c.n_heads = 3;
    c.n_kv_heads = tied ? 1 : 3;
    c.head_dim = 4;
    c.ffn = 10;
    c.tie_embeddings = tied;
    options.select.criterion = SLM_CRITERION_EXCESS;
    options.select.ratio = ratio;
    options.adamw.lr = 0; /* the step leaves the parameters, but its gradient */
    CHECK_OK(slm_model_create(&model, &c, 5, &err), err);
    for (i = 0; i < model->n_params; i++)
        model->params[i] *= i % 3 ? 5 : 1; /* far from the small first weights */
    CHECK_OK(slm_batch_create(&batch, 2, 7, &err), err);
    CHECK_OK(slm_batch_alloc_reference(batch, &err), err);
    memcpy(batch->inputs, ids, 14 * sizeof *ids);
    memcpy(batch->targets, targets, 14 * sizeof *targets);
    for (i = 0; i < 14; i++)
        batch->ref_loss[i] = slm_rng_uniform(&rng) * 4;
    CHECK_OK(slm_trainer_create(&trainer, model, &options, &err), err);
    CHECK_OK(slm_trainer_step(&stats, trainer, &batch, 1, &err), err);
    for (i = 0; i < 14; i++)
        n_kept += trainer->mask[i];
    CHECK(n_kept == slm_select_count(ratio, 12) && n_kept == stats.n_selected, "model: %d kept",
          (int)n_kept);
    for (i = 0; i < model->n_params; i++) {
        double x = model->params[i], f[4], difference;
        int k;
        for (k = 0; k < 4; k++) { /* four points: the error is of order h^4 */
            model->params[i] = x + (k < 2 ? k - 2 : k - 1) * h;
            f[k] = model_loss(model, batch, trainer->mask, n_kept);
        }
        model->params[i] = x;
        difference = fabs((f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h) - trainer->grads[i]);
        if (worst == worst && !(difference <= worst)) worst = difference;
        if (fabs(trainer->grads[i]) > largest) largest = fabs(trainer->grads[i]);
    }
    CHECK(largest > 1e-2, "model: the gradient vanishes");
    CHECK(worst <= 1e-7 * largest, "model, tied %d, ratio %g: error %.3g of %.3g", tied, ratio,
          worst, largest);
    slm_trainer_free(trainer);
    slm_batch_free(batch);
    slm_model_free(model);
}

int main(void) {
    problem problems[] = {
        {"embedding", 1, {7}, {5}, {0}, {0}, embedding},
        {"linear", 2, {11, 5}, {7, 7}, {0}, {0}, linear},
        {"linear + residual", 3, {11, 5, 11}, {7, 7, 5}, {0}, {0}, linear_residual},
        {"rmsnorm", 2, {131, 1}, {7, 7}, {0}, {0}, rmsnorm},
        {"rope", 2, {14, 12}, {3, 3}, {0}, {0}, rope},
        {"attention, 4 heads on 2", 3, {14, 14, 14}, {24, 12, 12}, {0}, {0}, attention},
        {"attention over three blocks", 3, {131, 131, 131}, {2, 2, 2}, {0}, {0}, attention_long},
        {"swiglu", 2, {5, 5}, {13, 13}, {0}, {0}, swiglu},
        {"shared input", 3, {5, 4, 4}, {3, 3, 4}, {0}, {0}, shared_input},
        {"selective loss", 2, {14, 5}, {3, 3}, {0}, {0}, selective_loss},
        {"plain loss", 2, {14, 5}, {3, 3}, {0}, {0}, plain_loss},
        {"selective loss of a layer",
         6,
         {14, 6, 4, 4, 6, 5},
         {3, 3, 6, 6, 4, 6},
         {0},
         {0},
         loss_of_a_layer},
    };
    slm_error err;
    size_t i;
    projection = (double *)malloc(4096 * sizeof(double));
    CHECK_OK(slm_tape_create(&tape, &err), err);
    for (i = 0; i < sizeof problems / sizeof *problems; i++)
        run(&problems[i]);
    whole_model(0, 1.0);
    whole_model(0, 0.4);
    whole_model(1, 0.6);
    slm_tape_free(tape);
    free(projection);
    return check_end();
}
