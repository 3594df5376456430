/* The training step: the row-sparse gradient is the masked dense one; micro-batches, thread counts, kept logits and score files
   change nothing; ratio 1 is plain training to the bit; no allocation after the first step; nothing is touched on an error. */
#include <stddef.h>
#include <stdlib.h>
static size_t allocations, largest;

static void *counting_malloc(size_t size) {
    allocations++;
    if (size > largest) largest = size;
    return malloc(size);
}

#define SLM_MALLOC counting_malloc
#define SLM_REALLOC realloc
#define SLM_FREE free
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "check.h"
#include "slm.h"

static const double rounding = sizeof(slm_real) == 4 ? 1e-6 : 1e-13;
static slm_error err;

static slm_model *small_model(int tied, int32_t vocab) {
    slm_model_config c;
    slm_model *model;
    size_t i;
    memset(&c, 0, sizeof c);
    c.vocab = vocab;
    c.dim = 24;
    c.n_layers = 3;
    c.n_heads = 4;
    c.n_kv_heads = 2;
    c.ffn = 37;
    c.tie_embeddings = tied;
    CHECK_OK(slm_model_create(&model, &c, 9, &err), err);
    for (i = 0; i < model->n_params; i++)
        model->params[i] *= (slm_real)(i % 5 ? 3 : 1);
    return model;
}

static slm_batch *some_batch(int32_t B, int32_t T, int32_t vocab, uint64_t seed) {
    slm_batch *b;
    slm_rng rng = slm_rng_seed(seed);
    int32_t i;
    CHECK_OK(slm_batch_create(&b, B, T, &err), err);
    CHECK_OK(slm_batch_alloc_reference(b, &err), err);
    for (i = 0; i < B * T; i++) {
        b->inputs[i] = (int32_t)slm_rng_below(&rng, (uint64_t)vocab);
        b->targets[i] =
            slm_rng_below(&rng, 9) == 0 ? -1 : (int32_t)slm_rng_below(&rng, (uint64_t)vocab);
        b->ref_loss[i] = (slm_real)(slm_rng_uniform(&rng) * 5);
        b->ref_entropy[i] = (slm_real)(slm_rng_uniform(&rng) * 3);
    }
    return b;
}

static slm_trainer *trainer_for(slm_model *model, slm_criterion score, slm_scope scope,
                                double ratio) {
    slm_select_options how;
    slm_trainer *t;
    memset(&how, 0, sizeof how);
    how.score = score;
    how.scope = scope;
    how.ratio = ratio;
    CHECK_OK(slm_trainer_create(&t, model, &how, NULL, &err), err);
    return t;
}

static void close_to(const char *what, const slm_real *a, const slm_real *b, size_t n,
                     double limit) {
    double worst = 0, scale = 0;
    size_t i;
    for (i = 0; i < n; i++) {
        double difference = fabs((double)a[i] - (double)b[i]);
        if (worst == worst && !(difference <= worst)) worst = difference;
        if (fabs((double)b[i]) > scale) scale = fabs((double)b[i]);
    }
    CHECK(scale > 1e-4, "%s: nothing to compare", what);
    CHECK(worst <= limit * scale, "%s: %.3g of %.3g", what, worst, scale);
}

/* The same pass twice: once with live rows, once with the dead rows of dL/dh spelled out as zeros. */
static void sparse_equals_dense(int tied, size_t keep_every) {
    slm_model *model = small_model(tied, 50);
    slm_batch *b = some_batch(3, 70, 50, 4);
    size_t n = model->n_params, N = 210, i, k = 0, pass;
    slm_real *grads[2], *loss = (slm_real *)malloc(N * sizeof *loss);
    uint8_t *mask = (uint8_t *)calloc(N, 1);
    slm_tape *tape;
    for (i = 0; i < N; i++)
        k += mask[i] = b->targets[i] >= 0 && i % keep_every == 1 &&
                       !(i >= 70 && i < 140); /* one sequence has none */
    CHECK_OK(slm_tape_create(&tape, &err), err);
    for (pass = 0; pass < 2; pass++) {
        slm_tensor *head, *hidden, *y;
        slm__unit_grads *unit;
        grads[pass] = (slm_real *)calloc(n, sizeof(slm_real));
        slm_tape_reset(tape);
        hidden = slm_model_forward(&head, tape, model, b, grads[pass]);
        y = slm_selective_loss(tape, hidden, head, b->targets, NULL, mask, (double)k, loss);
        CHECK(y != NULL, "%s", tape->error.text);
        unit = (slm__unit_grads *)tape->last->details;
        CHECK(unit->dhidden.n_live == k, "%d live rows", (int)unit->dhidden.n_live);
        if (pass == 1) {
            for (i = 0; i < N; i++)
                if (!mask[i])
                    memset(unit->dhidden.grad + i * 24, 0, 24 * sizeof(slm_real));
            unit->dhidden.live = NULL;
        }
        CHECK_OK(slm_tape_backward(tape, y, &err), err);
    }
    close_to("sparse gradient against dense", grads[0], grads[1], n, rounding);
    free(grads[0]);
    free(grads[1]);
    free(loss);
    free(mask);
    slm_tape_free(tape);
    slm_batch_free(b);
    slm_model_free(model);
}

/* One batch of 4 sequences as 1, 2 and 4 micro-batches. */
static void micro_batches(slm_criterion score, slm_scope scope, double ratio) {
    slm_batch *whole = some_batch(4, 33, 50, 7), *micro[4];
    slm_real *first = NULL;
    uint8_t mask[132];
    int parts, i;
    for (parts = 1; parts <= 4; parts *= 2) {
        slm_model *model = small_model(0, 50);
        slm_trainer *t = trainer_for(model, score, scope, ratio);
        slm_step_stats stats;
        size_t rows = 132 / (size_t)parts;
        for (i = 0; i < parts; i++) {
            CHECK_OK(slm_batch_create(&micro[i], 4 / parts, 33, &err), err);
            CHECK_OK(slm_batch_alloc_reference(micro[i], &err), err);
            memcpy(micro[i]->inputs, whole->inputs + (size_t)i * rows, rows * sizeof(int32_t));
            memcpy(micro[i]->targets, whole->targets + (size_t)i * rows, rows * sizeof(int32_t));
            memcpy(micro[i]->ref_loss, whole->ref_loss + (size_t)i * rows, rows * sizeof(slm_real));
            memcpy(micro[i]->ref_entropy, whole->ref_entropy + (size_t)i * rows,
                   rows * sizeof(slm_real));
        }
        CHECK_OK(slm_trainer_step(t, micro, (size_t)parts, &stats, &err), err);
        if (parts == 1) {
            first = (slm_real *)malloc(model->n_params * sizeof *first);
            memcpy(first, t->grads, model->n_params * sizeof *first);
            memcpy(mask, t->mask, 132);
            CHECK(stats.n_selected > 0 && stats.n_selected < stats.n_valid, "kept %d",
                  (int)stats.n_selected);
        }
        CHECK(memcmp(mask, t->mask, 132) == 0,
              "score %d, scope %d: %d micro-batches keep other tokens", score, scope, parts);
        close_to("gradient of micro-batches", t->grads, first, model->n_params, rounding * 3);
        for (i = 0; i < parts; i++)
            slm_batch_free(micro[i]);
        slm_trainer_free(t);
        slm_model_free(model);
    }
    free(first);
    slm_batch_free(whole);
}

/* A few steps; the parameters afterwards. */
static int recompute;

static slm_model *after_steps(slm_criterion score, slm_scope scope, double ratio,
                              const slm_model *reference, int own_scores, size_t budget, int tied) {
    slm_model *model = small_model(tied, 300);
    slm_trainer *t = trainer_for(model, score, scope, ratio);
    slm_tape *tape;
    int i;
    t->reference = own_scores ? NULL : reference;
    t->logits_budget = budget;
    t->recompute = recompute;
    CHECK_OK(slm_tape_create(&tape, &err), err);
    for (i = 0; i < 4; i++) {
        slm_batch *b = some_batch(2 + i % 2, 150, 300, 20 + (uint64_t)i);
        if (own_scores && reference != NULL)
            CHECK_OK(slm_model_losses(reference, tape, b, b->ref_loss, b->ref_entropy, &err), err);
        CHECK_OK(slm_trainer_step(t, &b, 1, NULL, &err), err);
        slm_batch_free(b);
    }
    slm_tape_free(tape);
    slm_trainer_free(t);
    return model;
}

static int same_bits(slm_model *a, slm_model *b) {
    int same = memcmp(a->params, b->params, a->n_params * sizeof(slm_real)) == 0;
    slm_model_free(b);
    return same;
}

static void same_bits_whatever(void) {
    slm_model *reference = small_model(0, 300), *a;
    int threads;
    reference->params[7] += 1;
    a = after_steps(SLM_CRITERION_NONE, SLM_SCOPE_BATCH, 0, NULL, 0, 0, 0);
    CHECK(
        same_bits(a, after_steps(SLM_CRITERION_EXCESS, SLM_SCOPE_SEQUENCE, 1, reference, 0, 0, 0)),
        "ratio 1 is plain training to the bit");
    CHECK(!same_bits(a, after_steps(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .9, reference, 0, 0, 0)),
          "ratio 0.9 is not");
    slm_model_free(a);
    a = after_steps(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .4, reference, 0, 0, 1);
    CHECK(same_bits(a, after_steps(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .4, reference, 1, 0, 1)),
          "scores from before equal scores online");
    for (threads = 1; threads <= 7; threads += threads < 4 ? 1 : 3) {
#ifdef _OPENMP
        omp_set_num_threads(threads);
#endif
        CHECK(same_bits(a,
                        after_steps(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .4, reference, 0, 0, 1)),
              "%d threads", threads);
    }
    slm_model_free(a);
    a = after_steps(SLM_CRITERION_EXCESS, SLM_SCOPE_SEQUENCE, .4, reference, 0, 0, 0);
    {
        slm_model *b = after_steps(SLM_CRITERION_EXCESS, SLM_SCOPE_SEQUENCE, .4, reference, 0, 1,
                                   0); /* logits made twice, none kept */
        close_to("without kept logits", b->params, a->params, a->n_params,
                 sizeof(slm_real) == 4 ? 1e-3 : 1e-9);
        slm_model_free(b);
    }
    slm_model_free(a);
    slm_model_free(reference);
}

static void recomputing_takes_less_memory_and_changes_no_bit(void) {
    slm_model *reference = small_model(0, 300), *a;
    slm_batch *b = some_batch(32, 16, 50, 3);
    slm_model_config deep;
    size_t needed[2];
    memset(&deep, 0, sizeof deep);
    deep.vocab = 50;
    deep.dim = 32;
    deep.n_layers = 8;
    deep.n_heads = 2;
    deep.ffn = 256;
    for (int tied = 0; tied < 2; tied++)
        for (int selective = 0; selective < 2; selective++) {
            double ratio = selective ? .5 : 0;
            slm_criterion score = selective ? SLM_CRITERION_EXCESS : SLM_CRITERION_NONE;
            a = after_steps(score, SLM_SCOPE_BATCH, ratio, reference, 0, 0, tied);
            recompute = 1;
            CHECK(same_bits(a, after_steps(score, SLM_SCOPE_BATCH, ratio, reference, 0, 0, tied)),
                  "recomputed: ratio %g, tied %d", ratio, tied);
            recompute = 0;
            slm_model_free(a);
        }
    for (int on = 0; on < 2; on++) {
        slm_trainer *t;
        CHECK_OK(slm_model_create(&a, &deep, 1, &err), err);
        t = trainer_for(a, SLM_CRITERION_NONE, SLM_SCOPE_BATCH, 0);
        t->recompute = on;
        CHECK_OK(slm_trainer_step(t, &b, 1, NULL, &err), err);
        needed[on] = t->tape->arena.needed;
        slm_trainer_free(t);
        slm_model_free(a);
    }
    CHECK(needed[1] * 10 < needed[0] * 6, "recomputing: %zu bytes instead of %zu", needed[1],
          needed[0]);
    slm_batch_free(b);
    slm_model_free(reference);
}

static void memory_of_a_step(void) {
    slm_model *model = small_model(0, 20000);
    slm_batch *b = some_batch(4, 256, 20000, 3);
    slm_trainer *t = trainer_for(model, SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .5);
    size_t before;
    int i;
    largest = 0;
    CHECK_OK(slm_trainer_step(t, &b, 1, NULL, &err), err);
    before = allocations;
    for (i = 0; i < 3; i++)
        CHECK_OK(slm_trainer_step(t, &b, 1, NULL, &err), err);
    CHECK(allocations - before <= 1, "%d allocations in later steps",
          (int)(allocations - before)); /* the arena becomes one block, once */
    before = allocations;
    for (i = 0; i < 3; i++)
        CHECK_OK(slm_trainer_step(t, &b, 1, NULL, &err), err);
    CHECK(allocations == before, "%d allocations after that", (int)(allocations - before));
    CHECK(largest < 1024 * (size_t)20000 * sizeof(slm_real),
          "the logits of all rows were allocated: %zu bytes", largest);
    slm_trainer_free(t);
    slm_batch_free(b);
    slm_model_free(model);
}

static void errors_leave_the_model_alone(void) {
    slm_model *model = small_model(0, 50), *copy;
    slm_batch *b = some_batch(2, 20, 50, 3);
    slm_trainer *t = trainer_for(model, SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .5);
    b->ref_loss[17] = (slm_real)NAN;
    b->targets[17] = 3;
    CHECK_OK(slm_model_copy(&copy, model, &err), err);
    CHECK(slm_trainer_step(t, &b, 1, NULL, &err) == SLM_ERR_NOT_FINITE,
          "a NaN reference loss is an error");
    b->ref_loss[17] = 1;
    b->inputs[3] = 50;
    CHECK(slm_trainer_step(t, &b, 1, NULL, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "50") != NULL,
          "a token outside the vocabulary: %s", err.text);
    b->inputs[3] = 1;
    CHECK(slm_trainer_step(t, &b, 0, NULL, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "micro-batch") != NULL,
          "no micro-batch: %s", err.text);
    t->selection.score = (slm_criterion)8;
    CHECK(slm_trainer_step(t, &b, 1, NULL, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "8") != NULL,
          "an unknown score: %s", err.text);
    t->selection.score = SLM_CRITERION_EXCESS;
    CHECK(memcmp(copy->params, model->params, model->n_params * sizeof(slm_real)) == 0 &&
              t->step == 0,
          "the model was touched");
    model->params[model->table[1].offset] = (slm_real)NAN;
    CHECK(slm_trainer_step(t, &b, 1, NULL, &err) == SLM_ERR_NOT_FINITE, "a NaN weight is an error");
    model->params[model->table[1].offset] = copy->params[model->table[1].offset];
    slm_batch_free(b);
    CHECK_OK(slm_batch_create(&b, 2, 20, &err), err);
    CHECK(slm_trainer_step(t, &b, 1, NULL, &err) == SLM_ERR_ARGUMENT,
          "excess without reference scores is an error");
    memset(b->targets, -1, 40 * sizeof(int32_t));
    t->selection.score = SLM_CRITERION_NONE;
    CHECK_OK(slm_trainer_step(t, &b, 1, NULL, &err), err);
    CHECK(memcmp(copy->params, model->params, model->n_params * sizeof(slm_real)) == 0,
          "without valid targets nothing moves");
    slm_model_free(copy);
    slm_trainer_free(t);
    slm_batch_free(b);
    slm_model_free(model);
}

/* rope turns its input in place: whatever read it before would find other numbers in the backward sweep */
static void rope_refuses_what_was_read(void) {
    slm_tape *tape;
    slm_real data[16] = {1, 2, 3}, grad[16], w[16] = {1}, dw[16];
    slm_tensor *x, *y;
    CHECK_OK(slm_tape_create(&tape, &err), err);
    y = slm_leaf(tape, data, grad, 4, 4);
    x = slm_linear(tape, y, slm_leaf(tape, w, dw, 4, 4), NULL);
    CHECK(slm_rope(tape, x, slm_rope_angles(tape, 4, 4, 1e4)) == x, "unread: %s", "refused");
    CHECK(slm_linear(tape, x, slm_leaf(tape, w, dw, 4, 4), NULL) != NULL &&
              slm_rope(tape, x, slm_rope_angles(tape, 4, 4, 1e4)) == NULL,
          "read: %s", "taken");
    CHECK(slm_tape_status(tape, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "read it already") != NULL,
          "%s", err.text);
    slm_tape_free(tape);
}

/* Matrices start with deviation 0.02, those that write to the residual stream with 0.02 / sqrt(2 layers). */
static void weights_at_the_start(void) {
    slm_model_config c = {300, 64, 8, 4, 4, 16, 200, 64, 0, 0, 0};
    slm_model *model;
    size_t i, t;
    CHECK_OK(slm_model_create(&model, &c, 1, &err), err);
    for (t = 0; t < model->n_tensors; t++) {
        const slm_param *p = &model->table[t];
        double sum = 0,
               want = strstr(p->name, "o_proj") != NULL || strstr(p->name, "down_proj") != NULL
                          ? 0.005
                          : 0.02,
               got;
        for (i = 0; p->decay && i < p->rows * p->cols; i++)
            sum += pow((double)model->params[p->offset + i], 2);
        got = sqrt(sum / (double)(p->rows * p->cols));
        CHECK(!p->decay || fabs(got / want - 1) < 0.05, "%s: deviation %g, not %g", p->name, got,
              want);
    }
    slm_model_free(model);
}

/* Warm-up to lr, then half a cosine down to a tenth of it. */
static void learning_rates(void) {
    static const struct {
        uint64_t step;
        double share;
    } points[] = {{0, .1}, {4, .5}, {9, 1}, {10, 1}, {60, .55}, {110, .1}, {999, .1}};

    slm_adamw_options o;
    size_t i;
    memset(&o, 0, sizeof o);
    o.lr = 2;
    o.warmup = 10;
    o.steps = 110;
    for (i = 0; i < sizeof points / sizeof *points; i++) {
        double got = slm_adamw_learning_rate(&o, points[i].step);
        CHECK(fabs(got - 2 * points[i].share) < 1e-12, "step %d: %g", (int)points[i].step, got);
    }
}

static void norm_of_a_long_array(void) {
    size_t n = 100003, i;
    slm_real *x = (slm_real *)malloc(n * sizeof *x);
    double sum = 0, got;
    for (i = 0; i < n; i++) {
        x[i] = (slm_real)((double)(i % 7) - 3);
        sum += (double)x[i] * (double)x[i];
    }
    got = slm__norm(x, n);
    CHECK(fabs(got / sqrt(sum) - 1) < 1e-6, "norm %g, not %g", got, sqrt(sum));
    free(x);
}

static int make_infinite(void *user, slm_real *grads, size_t n) {
    (void)user;
    grads[n / 2] = (slm_real)INFINITY;
    return 0;
}

static void an_infinite_gradient_is_refused(void) {
    slm_model *model = small_model(0, 50), *copy;
    slm_batch *b = some_batch(2, 20, 50, 3);
    slm_trainer *t = trainer_for(model, SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .5);
    CHECK_OK(slm_model_copy(&copy, model, &err), err);
    t->group.allreduce_grads = make_infinite;
    CHECK(slm_trainer_step(t, &b, 1, NULL, &err) == SLM_ERR_NOT_FINITE, "%s", err.text);
    CHECK(memcmp(copy->params, model->params, model->n_params * sizeof(slm_real)) == 0,
          "the model was touched");
    slm_trainer_free(t);
    slm_batch_free(b);
    slm_model_free(model);
    slm_model_free(copy);
}

static void ratio_one_needs_no_reference(void) {
    slm_model *model = small_model(0, 50);
    slm_trainer *t = trainer_for(model, SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, 1);
    slm_batch *b;
    CHECK_OK(slm_batch_create(&b, 2, 5, &err),
             err); /* inputs and targets are 0, reference losses are not there */
    CHECK_OK(slm_trainer_step(t, &b, 1, NULL, &err), err);
    t->selection.ratio = 0.9;
    CHECK(slm_trainer_step(t, &b, 1, NULL, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "reference") != NULL,
          "%s", err.text);
    slm_batch_free(b);
    slm_trainer_free(t);
    slm_model_free(model);
}

static void losses_refuse_other_targets(void) {
    slm_tape *tape;
    slm_real data[8] = {1, 2, 3}, grad[8], w[12] = {1}, dw[12], loss[2];
    int32_t targets[2] = {2, -1}; /* of a vocabulary of 3 */
    CHECK_OK(slm_tape_create(&tape, &err), err);
    CHECK(slm_selective_loss(tape, slm_leaf(tape, data, grad, 2, 4), slm_leaf(tape, w, dw, 3, 4),
                             targets, NULL, NULL, 1, loss) != NULL,
          "the last id");
    targets[0] = 3;
    CHECK(slm_selective_loss(tape, slm_leaf(tape, data, grad, 2, 4), slm_leaf(tape, w, dw, 3, 4),
                             targets, NULL, NULL, 1, loss) == NULL &&
              slm_tape_status(tape, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "a target") != NULL,
          "%s", err.text);
    slm_tape_free(tape);
}

/* A cache of 2^66 numbers: the product of its sizes wraps around to 0 where nobody looks. */
static void sizes_that_wrap(void) {
    slm_model model;
    slm_generator *generator;
    memset(&model, 0, sizeof model);
    model.config.vocab = model.config.dim = model.config.ffn = 2;
    model.config.n_layers = model.config.n_heads = model.config.n_kv_heads = model.config.head_dim =
        4096;
    CHECK(slm_generator_create(&generator, &model, 1 << 30, &err) == SLM_ERR_MEMORY &&
              generator == NULL,
          "2^66 keys");
}

int main(void) {
    sparse_equals_dense(0, 2);
    sparse_equals_dense(1, 3);
    sparse_equals_dense(0, 61);
    micro_batches(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .6);
    micro_batches(SLM_CRITERION_EXCESS, SLM_SCOPE_SEQUENCE, .3);
    micro_batches(SLM_CRITERION_RANDOM, SLM_SCOPE_BATCH, .5);
    micro_batches(SLM_CRITERION_INTERSECT, SLM_SCOPE_SEQUENCE, .7);
    same_bits_whatever();
    recomputing_takes_less_memory_and_changes_no_bit();
    memory_of_a_step();
    errors_leave_the_model_alone();
    rope_refuses_what_was_read();
    weights_at_the_start();
    learning_rates();
    norm_of_a_long_array();
    an_infinite_gradient_is_refused();
    ratio_one_needs_no_reference();
    losses_refuse_other_targets();
    sizes_that_wrap();
    return check_end();
}
