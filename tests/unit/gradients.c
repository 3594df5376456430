/* Every operation of the tape, the selective loss and the whole model against central differences,
   in double, at odd shapes.  The scalar that is differentiated is a random projection of the
   operation's output: a plain sum would hide errors (the sum of a softmax is constant).  Errors are
   signed and relative to the largest gradient of the array: below 1e-7. */
#define SLM_REAL double
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "check.h"
#include "slm.h"

enum { MAX_LEAVES = 6, MAX_OUTPUT = 4096, N_ROWS = 14 };

/* An operation and the shapes of its inputs. */
typedef struct problem {
    const char *name;
    int n_leaves;
    size_t rows[MAX_LEAVES], cols[MAX_LEAVES];
    slm_tensor *(*output)(slm_tape *tape, slm_tensor **leaf);
} problem;

/* The inputs of one problem, and their gradients. */
typedef struct leaves {
    double *data[MAX_LEAVES], *grad[MAX_LEAVES];
} leaves;

static slm_tape *tape;
static double projection[MAX_OUTPUT];
static double losses[N_ROWS];
static int32_t ids[N_ROWS] = {3, 0, 3, 6, 1, 2, 3, 5, 4, 4, 0, 2, 1, 5};
static const int32_t targets[N_ROWS] = {4, -1, 0, 2, 3, 1, 4, 0, -1, 2, 3, 3, 0, 1};
static const uint8_t mask[N_ROWS] = {1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0};
static const uint8_t other_mask[N_ROWS] = {0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1};
static const uint8_t no_mask[N_ROWS] = {0};
static const double weights[N_ROWS] = {.5, 2, 1, 3, .25, 1, 0, 1.5, 2, -1, .75, 1, 4, .1};

/* ---- an operation of one's own: L = sum_ij a_ij x_ij, a the projection;  dx_ij += dL a_ij ---- */
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

/* ---- the check ---- */
static void stop(const char *name, const char *why) {
    printf("FAIL %s: %s\n", name, why);
    exit(1);
}

/* Returns the scalar; with_sweep: leaves its gradients in l->grad. */
static double value(const problem *p, const leaves *l, int with_sweep) {
    slm_tensor *leaf[MAX_LEAVES];
    slm_error err;
    double result;
    slm_tape_reset(tape);
    for (int i = 0; i < p->n_leaves; i++)
        leaf[i] = slm_leaf(tape, l->data[i], l->grad[i], p->rows[i], p->cols[i]);
    slm_tensor *y = p->output(tape, leaf);
    if (y != NULL) y = projected(y);
    if (y == NULL) stop(p->name, tape->error.text);
    result = y->data[0];
    if (with_sweep && slm_tape_backward(tape, y, &err) != SLM_OK) stop(p->name, err.text);
    return result;
}

/* The largest error of a gradient, and its largest element.  A NaN stays. */
typedef struct comparison {
    double error, largest;
} comparison;

static void compare(comparison *c, double got, double expected) {
    double error = fabs(got - expected);
    if (c->error == c->error && !(error <= c->error)) c->error = error;
    if (fabs(got) > c->largest) c->largest = fabs(got);
}

static void check_input(const problem *p, const leaves *l, int input) {
    const double h = 1e-5;
    comparison c = {0, 0};
    double *x = l->data[input];
    for (size_t i = 0; i < p->rows[input] * p->cols[input]; i++) {
        double middle = x[i];
        x[i] = middle + h;
        double up = value(p, l, 0);
        x[i] = middle - h;
        double down = value(p, l, 0);
        x[i] = middle;
        compare(&c, l->grad[input][i], (up - down) / (2 * h));
    }
    CHECK(c.largest > 1e-3, "%s: the gradient of input %d vanishes: nothing was checked", p->name,
          input);
    CHECK(c.error <= 1e-7 * c.largest, "%s, input %d: error %.3g of %.3g", p->name, input, c.error,
          c.largest);
}

static void check_problem(const problem *p) {
    slm_rng rng = slm_rng_seed(7);
    leaves l;
    for (int i = 0; i < p->n_leaves; i++) {
        size_t n = p->rows[i] * p->cols[i];
        l.data[i] = (double *)calloc(n, sizeof(double));
        l.grad[i] = (double *)malloc(n * sizeof(double));
        for (size_t j = 0; j < n; j++) {
            l.data[i][j] = slm_rng_normal(&rng) * 0.7;
            l.grad[i][j] = 1e30; /* the sweep must overwrite it */
        }
    }
    for (size_t j = 0; j < MAX_OUTPUT; j++)
        projection[j] = slm_rng_normal(&rng);

    (void)value(p, &l, 1);
    for (int i = 0; i < p->n_leaves; i++)
        check_input(p, &l, i);
    for (int i = 0; i < p->n_leaves; i++) {
        free(l.data[i]);
        free(l.grad[i]);
    }
}

/* ---- the problems ---- */
static slm_tensor *embedding(slm_tape *t, slm_tensor **l) {
    return slm_embedding(t, l[0], ids, N_ROWS);
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

/* rmsnorm and linear of what wants no gradient */
static slm_tensor *of_constants(slm_tape *t, slm_tensor **l) {
    slm_tensor *x = slm_constant(t, projection, 67, 3);
    return slm_linear(t, slm_rmsnorm(t, x, l[0], 1e-5), l[1], NULL);
}

/* in place, so on the output of a linear */
static slm_tensor *rope(slm_tape *t, slm_tensor **l) {
    return slm_rope(t, slm_linear(t, l[0], l[1], NULL), slm_rope_angles(t, 7, 6, 10000, NULL));
}

/* Two sequences of 7 rows: three documents, of which one is a row alone; one document and a bit. */
static const int32_t document_start[N_ROWS] = {0, 0, 0, 3, 4, 4, 4, 0, 0, 0, 0, 0, 5, 5};

static slm_tensor *rope_within(slm_tape *t, slm_tensor **l) {
    slm_tensor *x = slm_linear(t, l[0], l[1], NULL);
    return slm_rope_within(t, x, slm_rope_angles(t, 7, 6, 10000, NULL), document_start);
}

static slm_tensor *attention_within(slm_tape *t, slm_tensor **l) {
    return slm_attention_within(t, l[0], l[1], l[2], document_start, 7, 6);
}

/* a document of more than one block of rows, and one that begins within a block */
static slm_tensor *attention_long_within(slm_tape *t, slm_tensor **l) {
    static int32_t start[131];
    for (int32_t n = 0; n < 131; n++) {
        if (n >= 20) start[n] = 20;
        if (n >= 110) start[n] = 110;
    }
    return slm_attention_within(t, l[0], l[1], l[2], start, 131, 2);
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

/* one tensor used three times: gradients add up */
static slm_tensor *shared_input(slm_tape *t, slm_tensor **l) {
    slm_tensor *a = slm_linear(t, l[0], l[1], NULL);
    slm_tensor *b = slm_swiglu(t, a, slm_linear(t, a, l[2], NULL));
    return slm_linear(t, b, l[2], a);
}

static slm_tensor *selective_loss(slm_tape *t, slm_tensor **l) {
    return slm_selective_loss(t, l[0], l[1], targets, NULL, mask, 5.0, losses);
}

static slm_tensor *plain_loss(slm_tape *t, slm_tensor **l) {
    return slm_selective_loss(t, l[0], l[1], targets, NULL, NULL, 12.0, losses);
}

static slm_tensor *weighted_loss(slm_tape *t, slm_tensor **l) {
    return slm_selective_loss(t, l[0], l[1], targets, weights, mask, 5.0, losses);
}

/* a x + b y of two losses, by operations of the tape */
static slm_tensor *combined(slm_tape *t, slm_tensor *x, slm_tensor *y) {
    static const double a = 0.3, b = -1.7;
    slm_tensor *bx = slm_linear(t, x, slm_constant(t, &b, 1, 1), NULL);
    return slm_linear(t, y, slm_constant(t, &a, 1, 1), bx);
}

/* two losses of the same rows, which share the head */
static slm_tensor *two_losses(slm_tape *t, slm_tensor **l) {
    slm_tensor *x = slm_selective_loss(t, l[0], l[1], targets, weights, mask, 5.0, losses);
    slm_tensor *y = slm_selective_loss(t, l[0], l[1], targets, NULL, other_mask, 3.0, losses);
    return combined(t, x, y);
}

/* hidden states and head are outputs, and are read after the losses, too */
static slm_tensor *losses_in_the_middle(slm_tape *t, slm_tensor **l) {
    slm_tensor *hidden = slm_linear(t, l[0], l[1], NULL);
    slm_tensor *head = slm_linear(t, l[2], l[1], NULL);
    slm_tensor *x = slm_selective_loss(t, hidden, head, targets, weights, mask, 5.0, losses);
    slm_tensor *y = slm_selective_loss(t, hidden, head, targets, NULL, NULL, 12.0, losses);
    slm_tensor *none = slm_selective_loss(t, hidden, head, targets, NULL, no_mask, 1.0, losses);
    slm_tensor *logits = slm_linear(t, hidden, head, NULL);
    slm_tensor *loss = combined(t, combined(t, x, y), none);
    slm_tensor *row = slm_linear(t, loss, slm_constant(t, projection, 5, 1), NULL);
    return slm_linear(t, logits, row, NULL);
}

/* live rows through one linear to another, where no norm has made the other rows zero */
static slm_tensor *loss_of_products(slm_tape *t, slm_tensor **l) {
    slm_tensor *hidden = slm_linear(t, slm_linear(t, l[0], l[1], NULL), l[2], NULL);
    return slm_selective_loss(t, hidden, l[3], targets, NULL, mask, 5.0, losses);
}

/* live rows through linear, norm, swiglu and attention */
static const int32_t *layer_documents;

static slm_tensor *loss_of_a_layer(slm_tape *t, slm_tensor **l) {
    slm_tensor *a = slm_linear(t, l[0], l[1], NULL);
    slm_tensor *q = slm_linear(t, a, l[2], NULL);
    slm_tensor *k = slm_linear(t, a, l[3], NULL);
    slm_tensor *v = slm_swiglu(t, k, q);
    slm_tensor *y = slm_attention_within(t, q, k, v, layer_documents, 7, 2);
    slm_tensor *norm = slm_constant(t, projection, 1, 6);
    slm_tensor *hidden = slm_rmsnorm(t, slm_linear(t, y, l[4], a), norm, 1e-5);
    return slm_selective_loss(t, hidden, l[5], targets, NULL, mask, 5.0, losses);
}

static slm_tensor *loss_of_a_layer_within(slm_tape *t, slm_tensor **l) {
    layer_documents = document_start;
    slm_tensor *loss = loss_of_a_layer(t, l);
    layer_documents = NULL;
    return loss;
}

static const problem problems[] = {
    {"embedding", 1, {7}, {5}, embedding},
    {"linear", 2, {11, 5}, {7, 7}, linear},
    {"linear + residual", 3, {11, 5, 11}, {7, 7, 5}, linear_residual},
    {"rmsnorm", 2, {131, 1}, {7, 7}, rmsnorm},
    {"of constants", 2, {1, 5}, {3, 3}, of_constants},
    {"rope", 2, {14, 12}, {3, 3}, rope},
    {"attention, 4 heads on 2", 3, {14, 14, 14}, {24, 12, 12}, attention},
    {"attention over three blocks", 3, {131, 131, 131}, {2, 2, 2}, attention_long},
    {"rope within documents", 2, {14, 12}, {3, 3}, rope_within},
    {"attention within documents", 3, {14, 14, 14}, {24, 12, 12}, attention_within},
    {"attention within long documents", 3, {131, 131, 131}, {2, 2, 2}, attention_long_within},
    {"swiglu", 2, {5, 5}, {13, 13}, swiglu},
    {"shared input", 3, {5, 4, 4}, {3, 3, 4}, shared_input},
    {"selective loss", 2, {14, 5}, {3, 3}, selective_loss},
    {"plain loss", 2, {14, 5}, {3, 3}, plain_loss},
    {"weighted loss", 2, {14, 5}, {3, 3}, weighted_loss},
    {"two losses", 2, {14, 5}, {3, 3}, two_losses},
    {"losses in the middle", 3, {14, 4, 5}, {3, 3, 3}, losses_in_the_middle},
    {"selective loss of products", 4, {14, 6, 3, 5}, {3, 3, 6, 3}, loss_of_products},
    {"selective loss of a layer", 6, {14, 6, 4, 4, 6, 5}, {3, 3, 6, 6, 4, 6}, loss_of_a_layer},
    {"the same within documents",
     6,
     {14, 6, 4, 4, 6, 5},
     {3, 3, 6, 6, 4, 6},
     loss_of_a_layer_within},
};

/* ---- the loss as a number, and where it may not be differentiated ---- */

/* L is the weighted mean of the losses, whatever the place; a weight of 1 changes no bit. */
static void loss_is_the_weighted_sum(void) {
    double h[N_ROWS * 3], w[5 * 3], dw[2][5 * 3], ones[N_ROWS], entropy[N_ROWS], all[N_ROWS];
    double sum = 0;
    slm_error err;
    for (size_t i = 0; i < N_ROWS * 3; i++)
        h[i] = projection[i];
    for (size_t i = 0; i < 5 * 3; i++)
        w[i] = projection[100 + i];
    for (size_t i = 0; i < N_ROWS; i++)
        ones[i] = 1;

    slm_tape_reset(tape);
    slm_tensor *hidden = slm_constant(tape, h, N_ROWS, 3);
    slm_tensor *head = slm_constant(tape, w, 5, 3);
    CHECK_OK(slm_token_losses(all, entropy, tape, hidden, head, targets, &err), err);
    for (size_t i = 0; i < N_ROWS; i++) {
        if (mask[i]) sum += weights[i] * all[i];
        CHECK((all[i] > 0) == (targets[i] >= 0) && (entropy[i] > 0) == (targets[i] >= 0),
              "row %d: loss %g, entropy %g", (int)i, all[i], entropy[i]);
    }
    slm_tensor *loss =
        slm_selective_loss(tape, hidden, head, targets, weights, mask, 5.0, losses);
    CHECK(loss != NULL && fabs(loss->data[0] - sum / 5) < 1e-14, "the weighted mean");

    for (int pass = 0; pass < 2; pass++) {
        slm_tape_reset(tape);
        head = slm_leaf(tape, w, dw[pass], 5, 3);
        hidden = slm_constant(tape, h, N_ROWS, 3);
        loss = slm_selective_loss(tape, hidden, head, targets, pass == 0 ? NULL : ones, mask, 5.0,
                                  losses);
        CHECK_OK(slm_tape_backward(tape, loss, &err), err);
    }
    CHECK(memcmp(dw[0], dw[1], sizeof dw[0]) == 0, "weights of 1 change bits");
}

/* A leaf that the loss does not depend on has the gradient zero; refusals name their reason. */
static void what_the_sweep_refuses(void) {
    double x[4] = {1, 2, 3, 4}, grad[4] = {5, 5, 5, 5}, other[4] = {5, 5, 5, 5};
    const int32_t target[2] = {1, 0};
    slm_error err;
    slm_tape_reset(tape);
    slm_tensor *leaf = slm_leaf(tape, x, grad, 2, 2);
    (void)slm_leaf(tape, x, other, 2, 2);
    CHECK_OK(slm_tape_backward(tape, projected(leaf), &err), err);
    CHECK(grad[0] == projection[0] && other[0] == 0 && other[3] == 0, "%g, %g", grad[0], other[0]);

    slm_tape_reset(tape);
    leaf = slm_leaf(tape, x, grad, 2, 2);
    CHECK(slm_selective_loss(tape, leaf, leaf, target, NULL, NULL, 0, losses) == NULL &&
              slm_tape_status(tape, &err) == SLM_ERR_ARGUMENT && strstr(err.text, "divisor"),
          "a divisor of 0: %s", err.text);
    slm_tape_reset(tape);
    CHECK(slm_tape_backward(tape, slm_constant(tape, x, 2, 2), &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "one row"),
          "a matrix: %s", err.text);
    slm_tape_reset(tape);
    CHECK(slm_leaf(tape, NULL, grad, 2, 2) == NULL && strstr(tape->error.text, "no data"), "%s",
          tape->error.text);
}

/* Live rows ascend, and are rows. */
static void lists_of_live_rows(void) {
    static const int32_t good[] = {0, 2, 4}, twice[] = {0, 2, 2}, back[] = {0, 4, 2};
    static const int32_t below[] = {-1, 2, 4}, behind[] = {0, 2, 5};
    CHECK(slm__is_row_list(good, 3, 5) && slm__is_row_list(NULL, 3, 5), "a list of rows");
    CHECK(!slm__is_row_list(twice, 3, 5) && !slm__is_row_list(back, 3, 5), "they do not ascend");
    CHECK(!slm__is_row_list(below, 3, 5) && !slm__is_row_list(behind, 3, 5), "they are no rows");
}

/* The first id behind the last row is no row. */
static void ids_outside_are_refused(void) {
    double x[4] = {1, 2, 3, 4};
    const int32_t inside[2] = {1, 0}, outside[2] = {1, 2};
    slm_tape_reset(tape);
    slm_tensor *leaf = slm_constant(tape, x, 2, 2);
    CHECK(slm_embedding(tape, leaf, inside, 2) != NULL, "%s", tape->error.text);
    CHECK(slm_embedding(tape, leaf, outside, 2) == NULL && strstr(tape->error.text, "outside"),
          "an id: %s", tape->error.text);
    slm_tape_reset(tape);
    leaf = slm_constant(tape, x, 2, 2);
    CHECK(slm_token_losses(losses, NULL, tape, leaf, leaf, inside, NULL) == SLM_OK, "%s",
          tape->error.text);
    CHECK(slm_token_losses(losses, NULL, tape, leaf, leaf, outside, NULL) == SLM_ERR_ARGUMENT &&
              strstr(tape->error.text, "outside"),
          "a target: %s", tape->error.text);
}

/* A row's document begins at that row, or where that of the row before does. */
static void documents_are_refused(void) {
    static const int32_t bad[][4] = {
        {0, 0, 1, 1}, {1, 1, 1, 1}, {0, -1, -1, -1}, {0, 0, 3, 3}, {0, 1, 0, 0}};
    double x[8] = {0}, grad[8];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        slm_tape_reset(tape);
        slm_tensor *leaf = slm_leaf(tape, x, grad, 4, 2);
        CHECK(slm_attention_within(tape, leaf, leaf, leaf, bad[i], 4, 2) == NULL &&
                  strstr(tape->error.text, "document_start"),
              "attention %d: %s", (int)i, tape->error.text);
        slm_tape_reset(tape);
        leaf = slm_linear(tape, slm_constant(tape, x, 4, 2), slm_constant(tape, x, 2, 2), NULL);
        CHECK(slm_rope_within(tape, leaf, slm_rope_angles(tape, 4, 2, 1e4, NULL), bad[i]) == NULL &&
                  strstr(tape->error.text, "document_start"),
              "rope %d: %s", (int)i, tape->error.text);
    }
}

/* ---- the whole model: the gradient that a training step leaves ---- */
static double model_loss(slm_model *model, slm_batch *batch, const uint8_t *kept, size_t n_kept) {
    double sum = 0;
    slm_error err;
    if (slm_model_losses(losses, NULL, tape, model, batch, &err) != SLM_OK) stop("model", err.text);
    for (size_t i = 0; i < N_ROWS; i++)
        if (kept[i]) sum += losses[i];
    return sum / (double)n_kept;
}

/* Returns d loss / d model->params[index] by four points: the error is of order h^4. */
static double model_difference(slm_model *model, size_t index, slm_batch *batch,
                               const uint8_t *kept, size_t n_kept) {
    static const double steps[4] = {-2, -1, 1, 2};
    const double h = 5e-5;
    double *x = &model->params[index];
    double middle = *x;
    double f[4];
    for (int k = 0; k < 4; k++) {
        *x = middle + steps[k] * h;
        f[k] = model_loss(model, batch, kept, n_kept);
    }
    *x = middle;
    return (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h);
}

static slm_model *some_model(int tied) {
    slm_model_config c;
    slm_model *model;
    slm_error err;
    memset(&c, 0, sizeof c);
    c.vocab = 7;
    c.dim = 12;
    c.n_layers = 2;
    c.n_heads = 3;
    c.n_kv_heads = tied ? 1 : 3;
    c.head_dim = 4;
    c.ffn = 10;
    c.tie_embeddings = tied;
    if (slm_model_create(&model, &c, 5, &err) != SLM_OK) stop("model", err.text);
    for (size_t i = 0; i < model->n_params; i++)
        model->params[i] *= i % 3 ? 5 : 1; /* far from the small first weights */
    return model;
}

static slm_batch *some_batch(void) {
    slm_batch *batch;
    slm_error err;
    slm_rng rng = slm_rng_seed(3);
    CHECK_OK(slm_batch_create(&batch, 2, N_ROWS / 2, &err), err);
    CHECK_OK(slm_batch_alloc_reference(batch, &err), err);
    memcpy(batch->inputs, ids, sizeof ids);
    memcpy(batch->targets, targets, sizeof targets);
    for (size_t i = 0; i < N_ROWS; i++)
        batch->ref_loss[i] = slm_rng_uniform(&rng) * 4;
    return batch;
}

static void whole_model(int tied, double ratio, const int32_t *documents) {
    slm_model *model = some_model(tied);
    slm_batch *batch = some_batch();
    slm_trainer *trainer;
    slm_train_options options = slm_train_defaults();
    slm_step_stats stats;
    slm_error err;
    comparison c = {0, 0};
    size_t n_kept = 0;

    options.select.criterion = SLM_CRITERION_EXCESS;
    options.select.ratio = ratio;
    if (documents != NULL) memcpy(batch->document_start, documents, N_ROWS * sizeof *documents);
    options.adamw.lr = 0; /* the step leaves its gradient, and the parameters as they are */
    CHECK_OK(slm_trainer_create(&trainer, model, &options, &err), err);
    CHECK_OK(slm_trainer_step(&stats, trainer, &batch, 1, &err), err);
    const uint8_t *kept = slm_trainer_mask(trainer);
    for (size_t i = 0; i < N_ROWS; i++)
        n_kept += kept[i];
    CHECK(n_kept == slm_select_count(ratio, 12) && n_kept == stats.n_selected, "model: %d kept",
          (int)n_kept);

    for (size_t i = 0; i < model->n_params; i++)
        compare(&c, slm_trainer_grads(trainer)[i],
                model_difference(model, i, batch, kept, n_kept));
    CHECK(c.largest > 1e-2, "model: the gradient vanishes");
    CHECK(c.error <= 1e-7 * c.largest, "model, tied %d, ratio %g: error %.3g of %.3g", tied, ratio,
          c.error, c.largest);
    slm_trainer_free(trainer);
    slm_batch_free(batch);
    slm_model_free(model);
}

int main(void) {
    slm_error err;
    CHECK_OK(slm_tape_create(&tape, &err), err);
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
        check_problem(&problems[i]);
    loss_is_the_weighted_sum();
    what_the_sweep_refuses();
    lists_of_live_rows();
    ids_outside_are_refused();
    documents_are_refused();
    whole_model(0, 1.0, NULL);
    whole_model(0, 0.4, NULL);
    whole_model(1, 0.6, NULL);
    whole_model(1, 0.6, document_start);
    slm_tape_free(tape);
    return check_end();
}
