/* The training step: the row-sparse gradient is the masked dense one; micro-batches, thread counts,
   kept logits and score files change nothing; ratio 1 is plain training to the bit; AdamW follows
   its formula; a step of the caller's own is possible; no allocation after the first step; nothing
   is touched on an error. */
#include <fenv.h>
#include <stddef.h>
#include <stdlib.h>

static size_t allocations, largest;
static long held; /* blocks that are not freed yet */

static void *counting_malloc(size_t size) {
    void *block = malloc(size);
    allocations++;
    held += block != NULL;
    if (size > largest) largest = size;
    return block;
}

static void counting_free(void *block) {
    held -= block != NULL;
    free(block);
}

#define SLM_MALLOC counting_malloc
#define SLM_FREE counting_free
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "check.h"
#include "slm.h"

static const double rounding = sizeof(slm_real) == 4 ? 1e-6 : 1e-13;
static slm_error err;

static slm_model *small_model(int tied, int32_t vocab) {
    slm_model_config c;
    slm_model *model;

    memset(&c, 0, sizeof c);
    c.vocab = vocab;
    c.dim = 24;
    c.n_layers = 3;
    c.n_heads = 4;
    c.n_kv_heads = 2;
    c.ffn = 37;
    c.tie_embeddings = tied;
    CHECK_OK(slm_model_create(&model, &c, 9, &err), err);
    for (size_t i = 0; i < model->n_params; i++)
        model->params[i] *= (slm_real)(i % 5 ? 3 : 1);
    return model;
}

static int32_t some_token(slm_rng *rng, int32_t vocab) {
    return (int32_t)slm_rng_below(rng, (uint64_t)vocab);
}

static slm_batch *some_batch(int32_t B, int32_t T, int32_t vocab, uint64_t seed) {
    slm_batch *b;
    slm_rng rng = slm_rng_seed(seed);

    CHECK_OK(slm_batch_create(&b, B, T, &err), err);
    CHECK_OK(slm_batch_alloc_reference(b, &err), err);
    for (int32_t i = 0; i < B * T; i++) {
        b->inputs[i] = some_token(&rng, vocab);
        b->targets[i] = slm_rng_below(&rng, 9) == 0 ? -1 : some_token(&rng, vocab);
        b->ref_loss[i] = (slm_real)(slm_rng_uniform(&rng) * 5);
        b->ref_entropy[i] = (slm_real)(slm_rng_uniform(&rng) * 3);
    }
    return b;
}

static slm_train_options options_of(slm_criterion criterion, slm_scope scope, double ratio) {
    slm_train_options o = slm_train_defaults();

    o.select.criterion = criterion;
    o.select.scope = scope;
    o.select.ratio = ratio;
    o.select.entropy_ratio = ratio;
    return o;
}

static slm_trainer *trainer_for(slm_model *model, const slm_train_options *options) {
    slm_trainer *t;

    CHECK_OK(slm_trainer_create(&t, model, options, &err), err);
    return t;
}

static int same_params(const slm_model *a, const slm_model *b) {
    return memcmp(a->params, b->params, a->n_params * sizeof(slm_real)) == 0;
}

static void close_to(const char *what, const slm_real *a, const slm_real *b, size_t n,
                     double limit) {
    double worst = 0;
    double scale = 0;

    for (size_t i = 0; i < n; i++) {
        double difference = fabs((double)a[i] - (double)b[i]);

        if (worst == worst && !(difference <= worst)) worst = difference; /* a NaN stays */
        scale = fmax(scale, fabs((double)b[i]));
    }
    CHECK(scale > 1e-4, "%s: nothing to compare", what);
    CHECK(worst <= limit * scale, "%s: %.3g of %.3g", what, worst, scale);
}

/* ---- the row-sparse gradient ---- */

/* The gradient of a selective loss of b by a model, into grads.  With `dense`, the dead rows of
   dL/dh are spelled out as zeros. */
static void gradient_of(slm_real *grads, slm_tape *tape, slm_model *model, slm_batch *b,
                        const uint8_t *mask, size_t k, int dense) {
    const size_t n = (size_t)b->B * (size_t)b->T;
    const size_t width = (size_t)model->config.dim;
    slm_real *loss = (slm_real *)malloc(n * sizeof *loss);
    slm_tensor *head;

    slm_tape_reset(tape);
    slm_tensor *hidden = slm_model_forward(&head, tape, model, b, grads);
    slm_tensor *y =
        slm_selective_loss(tape, hidden, head, b->targets, NULL, mask, (double)k, loss);
    CHECK(y != NULL, "%s", tape->error.text);
    slm__unit_grads *unit = (slm__unit_grads *)tape->last->details;
    CHECK(unit->dhidden.n_live == k, "%d live rows", (int)unit->dhidden.n_live);
    if (dense) {
        for (size_t i = 0; i < n; i++) {
            if (!mask[i]) memset(unit->dhidden.grad + i * width, 0, width * sizeof(slm_real));
        }
        unit->dhidden.live = NULL;
    }
    CHECK_OK(slm_tape_backward(tape, y, &err), err);
    free(loss);
}

static void sparse_equals_dense(int tied, size_t keep_every) {
    enum { B = 3, T = 70, N = B * T };

    slm_model *model = small_model(tied, 50);
    slm_batch *b = some_batch(B, T, 50, 4);
    slm_real *grads[2];
    uint8_t mask[N];
    size_t k = 0;
    slm_tape *tape;

    for (size_t i = 0; i < N; i++) {
        int in_second_sequence = i >= T && i < 2 * T; /* which has no selected target */

        mask[i] = b->targets[i] >= 0 && i % keep_every == 1 && !in_second_sequence;
        k += mask[i];
    }
    CHECK_OK(slm_tape_create(&tape, &err), err);
    for (int dense = 0; dense < 2; dense++) {
        grads[dense] = (slm_real *)calloc(model->n_params, sizeof(slm_real));
        gradient_of(grads[dense], tape, model, b, mask, k, dense);
    }
    close_to("sparse gradient against dense", grads[0], grads[1], model->n_params, rounding);

    free(grads[0]);
    free(grads[1]);
    slm_tape_free(tape);
    slm_batch_free(b);
    slm_model_free(model);
}

/* ---- micro-batches: one batch of 4 sequences as 1, 2 and 4 of them ---- */

enum { WHOLE_B = 4, WHOLE_T = 33, WHOLE = WHOLE_B * WHOLE_T };

static slm_batch *part_of(const slm_batch *whole, int part, int n_parts) {
    const size_t rows = WHOLE / (size_t)n_parts;
    const size_t first = (size_t)part * rows;
    slm_batch *b;

    CHECK_OK(slm_batch_create(&b, WHOLE_B / n_parts, WHOLE_T, &err), err);
    CHECK_OK(slm_batch_alloc_reference(b, &err), err);
    memcpy(b->inputs, whole->inputs + first, rows * sizeof(int32_t));
    memcpy(b->targets, whole->targets + first, rows * sizeof(int32_t));
    memcpy(b->ref_loss, whole->ref_loss + first, rows * sizeof(slm_real));
    memcpy(b->ref_entropy, whole->ref_entropy + first, rows * sizeof(slm_real));
    return b;
}

static void micro_batches(slm_criterion criterion, slm_scope scope, double ratio) {
    const slm_train_options options = options_of(criterion, scope, ratio);
    slm_batch *whole = some_batch(WHOLE_B, WHOLE_T, 50, 7);
    slm_real *first = NULL;
    uint8_t mask[WHOLE];

    for (int n_parts = 1; n_parts <= 4; n_parts *= 2) {
        slm_model *model = small_model(0, 50);
        slm_trainer *t = trainer_for(model, &options);
        slm_batch *micro[4];
        slm_step_stats stats;

        for (int i = 0; i < n_parts; i++)
            micro[i] = part_of(whole, i, n_parts);
        CHECK_OK(slm_trainer_step(&stats, t, micro, (size_t)n_parts, &err), err);
        if (n_parts == 1) {
            first = (slm_real *)malloc(model->n_params * sizeof *first);
            memcpy(first, t->grads, model->n_params * sizeof *first);
            memcpy(mask, t->mask, WHOLE);
            CHECK(stats.n_selected > 0 && stats.n_selected < stats.n_valid, "kept %zu",
                  stats.n_selected);
        }
        CHECK(memcmp(mask, t->mask, WHOLE) == 0,
              "criterion %d, scope %d: %d micro-batches keep other tokens", criterion, scope,
              n_parts);
        close_to("gradient of micro-batches", t->grads, first, model->n_params, rounding * 3);

        for (int i = 0; i < n_parts; i++)
            slm_batch_free(micro[i]);
        slm_trainer_free(t);
        slm_model_free(model);
    }
    free(first);
    slm_batch_free(whole);
}

/* ---- equal bits ---- */

/* The model after four steps.  `scorer` fills the reference losses of the batches beforehand; NULL:
   they stay random. */
static slm_model *after_steps(const slm_train_options *options, const slm_model *scorer, int tied) {
    slm_model *model = small_model(tied, 300);
    slm_trainer *t = trainer_for(model, options);
    slm_tape *tape;

    CHECK_OK(slm_tape_create(&tape, &err), err);
    for (int i = 0; i < 4; i++) {
        slm_batch *b = some_batch(2 + i % 2, 150, 300, 20 + (uint64_t)i);

        if (scorer != NULL)
            CHECK_OK(slm_model_losses(b->ref_loss, b->ref_entropy, tape, scorer, b, &err), err);
        CHECK_OK(slm_trainer_step(NULL, t, &b, 1, &err), err);
        slm_batch_free(b);
    }
    slm_tape_free(tape);
    slm_trainer_free(t);
    return model;
}

/* Do the same steps with these options lead to the parameters of `model`? */
static int leads_to(const slm_model *model, const slm_train_options *options,
                    const slm_model *scorer, int tied) {
    slm_model *other = after_steps(options, scorer, tied);
    int same = same_params(model, other);

    slm_model_free(other);
    return same;
}

static slm_model *some_reference(void) {
    slm_model *reference = small_model(0, 300);

    reference->params[7] += 1;
    return reference;
}

static void ratio_one_is_plain_training(void) {
    const slm_train_options plain = options_of(SLM_CRITERION_NONE, SLM_SCOPE_BATCH, .6);
    slm_model *reference = some_reference();
    slm_model *model = after_steps(&plain, NULL, 0);
    slm_train_options o = options_of(SLM_CRITERION_EXCESS, SLM_SCOPE_SEQUENCE, 1);

    o.reference = reference;
    CHECK(leads_to(model, &o, NULL, 0), "ratio 1 is plain training to the bit");
    o.select.scope = SLM_SCOPE_BATCH;
    o.select.ratio = .9;
    CHECK(!leads_to(model, &o, NULL, 0), "ratio 0.9 is not");
    slm_model_free(model);
    slm_model_free(reference);
}

static void threads_and_score_files_change_no_bit(void) {
    const slm_train_options offline = options_of(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .4);
    slm_model *reference = some_reference();
    slm_train_options online = offline;

    online.reference = reference;
    slm_model *model = after_steps(&online, NULL, 1);
    CHECK(leads_to(model, &offline, reference, 1), "scores from before equal scores online");
#ifdef _OPENMP
    const int most = omp_get_max_threads();

    for (int threads = 1; threads <= 7; threads += threads < 4 ? 1 : 3) {
        omp_set_num_threads(threads);
        CHECK(leads_to(model, &online, NULL, 1), "%d threads", threads);
    }
    omp_set_num_threads(most);
#endif
    slm_model_free(model);
    slm_model_free(reference);
}

/* Without a budget, no logits are kept: they are made twice. */
static void a_step_without_kept_logits(void) {
    slm_model *reference = some_reference();
    slm_train_options o = options_of(SLM_CRITERION_EXCESS, SLM_SCOPE_SEQUENCE, .4);

    o.reference = reference;
    slm_model *model = after_steps(&o, NULL, 0);
    o.logits_budget = 0;
    slm_model *without = after_steps(&o, NULL, 0);
    close_to("without kept logits", without->params, model->params, model->n_params,
             sizeof(slm_real) == 4 ? 1e-3 : 1e-9);
    slm_model_free(without);
    slm_model_free(model);
    slm_model_free(reference);
}

static int own_excess(void *user, slm_real *score, const slm_targets *t) {
    (void)user;
    for (size_t i = 0; i < t->n; i++)
        score[i] = t->loss[i] - t->ref_loss[i];
    return 0;
}

/* A score of the caller's own takes the ways through the step that the excess takes without kept
   logits, whatever the budget. */
static void own_score_trains_as_excess(slm_scope scope, size_t logits_budget) {
    slm_train_options o = options_of(SLM_CRITERION_EXCESS, scope, .4);

    o.logits_budget = 0;
    slm_model *model = after_steps(&o, NULL, 0);
    o.logits_budget = logits_budget;
    o.select.criterion = SLM_CRITERION_OWN;
    o.select.own_score = own_excess;
    CHECK(leads_to(model, &o, NULL, 0), "own score, scope %d: other bits than the excess", scope);
    slm_model_free(model);
}

static void recomputing_changes_no_bit(void) {
    slm_model *reference = some_reference();

    for (int tied = 0; tied < 2; tied++) {
        for (int selective = 0; selective < 2; selective++) {
            slm_criterion criterion = selective ? SLM_CRITERION_EXCESS : SLM_CRITERION_NONE;
            slm_train_options o = options_of(criterion, SLM_SCOPE_BATCH, .5);

            o.reference = reference;
            slm_model *model = after_steps(&o, NULL, tied);
            o.recompute = 1;
            CHECK(leads_to(model, &o, NULL, tied), "recomputed: %s, tied %d",
                  slm_criterion_name(criterion), tied);
            slm_model_free(model);
        }
    }
    slm_model_free(reference);
}

/* ---- memory ---- */

static void recomputing_takes_less_memory(void) {
    slm_train_options o = options_of(SLM_CRITERION_NONE, SLM_SCOPE_BATCH, .6);
    slm_batch *b = some_batch(32, 16, 50, 3);
    slm_model_config deep;
    size_t needed[2];

    memset(&deep, 0, sizeof deep);
    deep.vocab = 50;
    deep.dim = 32;
    deep.n_layers = 8;
    deep.n_heads = 2;
    deep.ffn = 256;
    for (int on = 0; on < 2; on++) {
        slm_model *model;

        CHECK_OK(slm_model_create(&model, &deep, 1, &err), err);
        o.recompute = on;
        slm_trainer *t = trainer_for(model, &o);
        CHECK_OK(slm_trainer_step(NULL, t, &b, 1, &err), err);
        needed[on] = t->tape->arena.needed;
        slm_trainer_free(t);
        slm_model_free(model);
    }
    CHECK(needed[1] * 10 < needed[0] * 6, "recomputing: %zu bytes instead of %zu", needed[1],
          needed[0]);
    slm_batch_free(b);
}

/* A quarter of the rows, but no more than 2^24 logits, in whole units. */
static void rows_of_a_chunk(void) {
    CHECK(slm__chunk_rows(1024, 20000) == 256, "%zu of 1024", slm__chunk_rows(1024, 20000));
    CHECK(slm__chunk_rows(10000, 60000) == 256, "%zu of 10000", slm__chunk_rows(10000, 60000));
    CHECK(slm__chunk_rows(100, 20000) == 64, "%zu of 100", slm__chunk_rows(100, 20000));
    CHECK(slm__chunk_rows(10, 20000) == 10, "%zu of 10", slm__chunk_rows(10, 20000));
}

static void memory_of_a_step(void) {
    const slm_train_options o = options_of(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .5);
    slm_model *model = small_model(0, 20000);
    slm_batch *b = some_batch(4, 256, 20000, 3);
    slm_trainer *t = trainer_for(model, &o);
    size_t before;

    largest = 0;
    CHECK_OK(slm_trainer_step(NULL, t, &b, 1, &err), err);
    before = allocations;
    for (int i = 0; i < 3; i++)
        CHECK_OK(slm_trainer_step(NULL, t, &b, 1, &err), err);
    /* The arena becomes one block, once. */
    CHECK(allocations - before <= 1, "%zu allocations in later steps", allocations - before);
    before = allocations;
    for (int i = 0; i < 3; i++)
        CHECK_OK(slm_trainer_step(NULL, t, &b, 1, &err), err);
    CHECK(allocations == before, "%zu allocations after that", allocations - before);
    CHECK(largest < 1024 * (size_t)20000 * sizeof(slm_real),
          "the logits of all rows were allocated: %zu bytes", largest);
    slm_trainer_free(t);
    slm_batch_free(b);
    slm_model_free(model);
}

/* ---- errors ---- */

/* Does a step fail with this status and with these words? */
static int step_fails(slm_trainer *t, slm_batch *b, size_t n_micro, slm_status status,
                      const char *words) {
    err.text[0] = 0;
    return slm_trainer_step(NULL, t, &b, n_micro, &err) == status &&
           strstr(err.text, words) != NULL;
}

static void errors_leave_the_model_alone(void) {
    const slm_train_options o = options_of(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .5);
    slm_model *model = small_model(0, 50);
    slm_model *copy;
    slm_batch *b = some_batch(2, 20, 50, 3);
    slm_trainer *t = trainer_for(model, &o);

    CHECK_OK(slm_model_copy(&copy, model, &err), err);
    b->ref_loss[17] = (slm_real)NAN;
    b->targets[17] = 3;
    CHECK(step_fails(t, b, 1, SLM_ERR_NOT_FINITE, ""), "a NaN reference loss is an error");
    b->ref_loss[17] = 1;
    b->inputs[3] = 50;
    CHECK(step_fails(t, b, 1, SLM_ERR_ARGUMENT, "50"), "a token outside the vocabulary: %s",
          err.text);
    b->inputs[3] = 1;
    CHECK(step_fails(t, b, 0, SLM_ERR_ARGUMENT, "micro-batch"), "no micro-batch: %s", err.text);
    t->options.select.criterion = (slm_criterion)9;
    CHECK(step_fails(t, b, 1, SLM_ERR_ARGUMENT, "9"), "an unknown criterion: %s", err.text);
    t->options.select.criterion = SLM_CRITERION_EXCESS;
    CHECK(same_params(copy, model) && slm_trainer_steps(t) == 0, "the model was touched");

    slm_real *weight = &model->params[model->table[1].offset];
    const slm_real kept = *weight;
    *weight = (slm_real)NAN;
    CHECK(step_fails(t, b, 1, SLM_ERR_NOT_FINITE, ""), "a NaN weight is an error");
    *weight = kept;

    slm_batch_free(b);
    CHECK_OK(slm_batch_create(&b, 2, 20, &err), err);
    CHECK(step_fails(t, b, 1, SLM_ERR_ARGUMENT, "reference"), "excess without reference losses: %s",
          err.text);
    memset(b->targets, -1, 40 * sizeof(int32_t));
    t->options.select.criterion = SLM_CRITERION_NONE;
    CHECK_OK(slm_trainer_step(NULL, t, &b, 1, &err), err);
    CHECK(same_params(copy, model), "without valid targets nothing moves");
    slm_model_free(copy);
    slm_trainer_free(t);
    slm_batch_free(b);
    slm_model_free(model);
}

static int two_before_me(void *user, uint64_t *count) {
    (void)user;
    *count = 2;
    return 0;
}

/* Random scores of a process that comes behind one with two micro-batches are those that its own
   micro-batch has as the third of one process. */
static void random_scores_of_a_share(slm_scope scope) {
    enum { N = 3 * 20 };
    slm_train_options o = options_of(SLM_CRITERION_RANDOM, scope, .5);
    slm_batch *b[3] = {some_batch(3, 20, 50, 1), some_batch(3, 20, 50, 2),
                       some_batch(3, 20, 50, 3)};
    slm_model *models[2] = {small_model(0, 50), small_model(0, 50)};
    slm_trainer *alone = trainer_for(models[0], &o);

    o.group.exscan_count = two_before_me;
    slm_trainer *last = trainer_for(models[1], &o);
    for (int step = 0; step < 3; step++) {
        CHECK_OK(slm_trainer_step(NULL, alone, b, 3, &err), err);
        CHECK_OK(slm_trainer_step(NULL, last, b + 2, 1, &err), err);
        CHECK(memcmp(alone->mask + 2 * N, last->mask, N) == 0, "scope %d, step %d", (int)scope,
              step);
    }
    for (int i = 0; i < 3; i++)
        slm_batch_free(b[i]);
    slm_trainer_free(alone);
    slm_trainer_free(last);
    slm_model_free(models[0]);
    slm_model_free(models[1]);
}

static int make_infinite(void *user, slm_real *grads, size_t n) {
    (void)user;
    grads[n / 2] = (slm_real)INFINITY;
    return 0;
}

static void an_infinite_gradient_is_refused(void) {
    slm_train_options o = options_of(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .5);
    slm_model *model = small_model(0, 50);
    slm_model *copy;
    slm_batch *b = some_batch(2, 20, 50, 3);

    o.group.allreduce_grads = make_infinite;
    slm_trainer *t = trainer_for(model, &o);
    CHECK_OK(slm_model_copy(&copy, model, &err), err);
    CHECK(step_fails(t, b, 1, SLM_ERR_NOT_FINITE, "norm"), "%s", err.text);
    CHECK(same_params(copy, model), "the model was touched");
    CHECK(slm_trainer_update(NULL, t, &err) == SLM_ERR_NOT_FINITE && same_params(copy, model) &&
              slm_trainer_steps(t) == 0,
          "an update by it: %s", err.text);
    slm_trainer_free(t);
    slm_batch_free(b);
    slm_model_free(model);
    slm_model_free(copy);
}

static void ratio_one_needs_no_reference(void) {
    const slm_train_options o = options_of(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, 1);
    slm_model *model = small_model(0, 50);
    slm_trainer *t = trainer_for(model, &o);
    slm_batch *b;

    /* Inputs and targets are 0, and there are no reference losses. */
    CHECK_OK(slm_batch_create(&b, 2, 5, &err), err);
    CHECK_OK(slm_trainer_step(NULL, t, &b, 1, &err), err);
    t->options.select.ratio = 0.9;
    CHECK(step_fails(t, b, 1, SLM_ERR_ARGUMENT, "reference"), "%s", err.text);
    slm_batch_free(b);
    slm_trainer_free(t);
    slm_model_free(model);
}

/* ---- options of the trainer ---- */

/* A zero means zero: no default replaces it, and what makes no sense is refused by name. */
static void refuse_options(const slm_train_options *options, const char *words) {
    slm_model *model = small_model(0, 50);
    slm_trainer *t;

    err.text[0] = 0;
    CHECK(slm_trainer_create(&t, model, options, &err) == SLM_ERR_ARGUMENT && t == NULL &&
              strstr(err.text, words) != NULL,
          "%s: %s", words, err.text);
    slm_model_free(model);
}

static void options_are_refused_by_name(void) {
    slm_train_options defaults = slm_train_defaults();
    slm_train_options o = options_of(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, 0);

    refuse_options(&o, "ratio is 0");
    o = options_of(SLM_CRITERION_UNION, SLM_SCOPE_BATCH, .5);
    o.select.entropy_ratio = 0;
    refuse_options(&o, "entropy_ratio is 0");
    o = options_of(SLM_CRITERION_OWN, SLM_SCOPE_BATCH, .5);
    refuse_options(&o, "own_score");
    o = options_of((slm_criterion)9, SLM_SCOPE_BATCH, .5);
    refuse_options(&o, "criterion 9");

#define REFUSE(field, value)                                                                       \
    o = defaults;                                                                                  \
    o.adamw.field = value;                                                                         \
    refuse_options(&o, #field)
    REFUSE(lr, -1);
    REFUSE(lr, (double)NAN);
    REFUSE(lr_min, 1.5);
    REFUSE(beta1, 1);
    REFUSE(beta1, -0.5);
    REFUSE(beta2, 1);
    REFUSE(eps, 0);
    REFUSE(weight_decay, -1);
    REFUSE(clip, -1);
}

static void defaults_and_accessors(void) {
    slm_model *model = small_model(0, 50);
    slm_batch *b = some_batch(2, 20, 50, 3);
    slm_trainer *t = trainer_for(model, NULL);
    const slm_train_options *o = slm_trainer_options(t);

    CHECK(o->select.criterion == SLM_CRITERION_NONE && o->select.ratio == 0.6, "selection");
    CHECK(o->adamw.lr == 1e-3 && o->adamw.beta1 == 0.9 && o->adamw.beta2 == 0.95 &&
              o->adamw.weight_decay == 0.1 && o->adamw.clip == 1 && o->adamw.lr_min == 0.1,
          "AdamW");
    CHECK(o->logits_budget == (size_t)256 << 20 && o->recompute == 0 && o->reference == NULL,
          "the rest");
    CHECK_OK(slm_trainer_step(NULL, t, &b, 1, &err), err);
    CHECK(slm_trainer_model(t) == model && slm_trainer_steps(t) == 1 &&
              slm_trainer_grads(t) == t->grads && slm_trainer_mask(t) == t->mask &&
              slm_trainer_losses(t) == t->loss && slm_trainer_scores(t) == t->score,
          "accessors");
    slm_trainer_free(t);
    slm_batch_free(b);
    slm_model_free(model);
    slm_trainer_free(NULL);
}

/* ---- AdamW ---- */

/* Warm-up to lr, then half a cosine down to a tenth of it. */
/* (eq. 3) Of every micro-batch, where each selects by itself. */
static void scores_of_a_step(void) {
    const slm_train_options o = options_of(SLM_CRITERION_EXCESS, SLM_SCOPE_MICRO, .5);
    slm_model *model = small_model(0, 50);
    slm_batch *b[2] = {some_batch(2, 20, 50, 3), some_batch(2, 20, 50, 4)};
    slm_trainer *t = trainer_for(model, &o);

    CHECK_OK(slm_trainer_step(NULL, t, b, 2, &err), err);
    for (size_t i = 0; i < 80; i++) {
        const slm_batch *batch = b[i / 40];
        const slm_real excess = t->loss[i] - batch->ref_loss[i % 40];
        if (batch->targets[i % 40] < 0) continue;
        CHECK(slm_trainer_scores(t)[i] == excess, "score %zu: %g, not %g", i,
              (double)slm_trainer_scores(t)[i], (double)excess);
    }
    slm_trainer_free(t);
    slm_batch_free(b[0]);
    slm_batch_free(b[1]);
    slm_model_free(model);
}

static void learning_rates(void) {
    static const struct {
        uint64_t step;
        double share;
    } points[] = {{0, .1}, {4, .5}, {9, 1}, {10, 1}, {60, .55}, {110, .1}, {999, .1}};

    slm_adamw_options o = slm_adamw_defaults();

    o.lr = 2;
    o.warmup = 10;
    o.steps = 110;
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        double rate = slm_adamw_learning_rate(&o, points[i].step);

        CHECK(fabs(rate - 2 * points[i].share) < 1e-12, "step %d: %g", (int)points[i].step, rate);
    }

    o.lr_min = 0;
    CHECK(fabs(slm_adamw_learning_rate(&o, 110)) < 1e-12 &&
              fabs(slm_adamw_learning_rate(&o, 60) - 1) < 1e-12,
          "lr_min 0 goes down to 0");
    o.lr_min = 1;
    CHECK(slm_adamw_learning_rate(&o, 60) == 2 && slm_adamw_learning_rate(&o, 999) == 2,
          "lr_min 1 is constant");
    o.lr_min = 0;
    o.steps = 0;
    CHECK(slm_adamw_learning_rate(&o, 999) == 2, "steps 0 is constant");
}

/* Behind its end are numbers whose squares overflow: who reads them leaves a trace. */
static void norm_of_a_long_array(void) {
    const size_t n = 100003;
    const size_t room = n + 2 * SLM__ADAMW_PIECE;
    slm_real *x = (slm_real *)malloc(room * sizeof *x);
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        x[i] = (slm_real)((double)(i % 7) - 3);
        sum += (double)x[i] * (double)x[i];
    }
    for (size_t i = n; i < room; i++)
        x[i] = (slm_real)SLM__BY_TYPE(FLT_MAX, DBL_MAX);
#ifdef _OPENMP
    const int most = omp_get_max_threads();
    omp_set_num_threads(1); /* each thread has its own traces */
#endif
    feclearexcept(FE_ALL_EXCEPT);
    slm__team team;
    memset(&team, 0, sizeof team);
    double norm = slm__norm(x, n, &team);
#ifdef FE_OVERFLOW /* WebAssembly keeps no traces */
    CHECK(fetestexcept(FE_OVERFLOW) == 0, "numbers behind the end were read");
#endif
#ifdef _OPENMP
    omp_set_num_threads(most);
#endif
    CHECK(fabs(norm / sqrt(sum) - 1) < 1e-6, "norm %g, not %g", norm, sqrt(sum));
    free(x);
}

/* So long that the pieces have to be longer than usual: their sums fit the room for them. */
static void norm_of_the_longest_arrays(void) {
    static const size_t lengths[] = {SLM__NORM_PIECES * (SLM__ADAMW_PIECE + 64), (size_t)1 << 25};
    for (size_t i = 0; i < SLM__COUNT(lengths); i++) {
        const size_t n = lengths[i];
        slm_real *x = (slm_real *)calloc(n, sizeof *x);
        slm__team team;
        memset(&team, 0, sizeof team);
        CHECK(x != NULL, "no memory for %zu numbers", n);
        if (x == NULL) continue;
        x[0] = 3;
        x[n - 1] = 4;
        double norm = slm__norm(x, n, &team);
        CHECK(norm == 5, "the norm of %zu numbers is %g", n, norm);
        free(x);
    }
}

/* One parameter, in double. */
typedef struct adamw_state {
    double p, m, v;
} adamw_state;

/* The formula, naively; t = 1, 2, ... */
static void adamw_formula(adamw_state *s, double g, const slm_adamw_options *o, double decay,
                          int t) {
    s->m = o->beta1 * s->m + (1 - o->beta1) * g;
    s->v = o->beta2 * s->v + (1 - o->beta2) * g * g;

    double m = s->m / (1 - pow(o->beta1, t));
    double v = s->v / (1 - pow(o->beta2, t));
    s->p = s->p * (1 - o->lr * decay) - o->lr * m / (sqrt(v) + o->eps);
}

/* Random gradients in the places of the parameters.  Returns their norm. */
static double fill_gradient(slm_real *grads, const slm_model *model, slm_rng *rng) {
    double sum = 0;

    for (size_t k = 0; k < model->n_tensors; k++) {
        const slm_param *p = &model->table[k];

        for (size_t i = 0; i < p->rows * p->cols; i++) {
            double g = slm_rng_normal(rng);

            grads[p->offset + i] = (slm_real)g;
            sum += g * g;
        }
    }
    return sqrt(sum);
}

/* The largest difference between a trainer and the formula, in shares of the learning rate (of the
   parameters) and of 1 (of the moments). */
static double distance(const slm_trainer *t, const adamw_state *state) {
    const double lr = t->options.adamw.lr;
    double worst = 0;

    for (size_t k = 0; k < t->model->n_tensors; k++) {
        const slm_param *p = &t->model->table[k];

        for (size_t i = p->offset; i < p->offset + p->rows * p->cols; i++) {
            double of_p = fabs((double)t->model->params[i] - state[i].p) / lr;
            double of_m = fabs((double)t->m[i] - state[i].m);
            double of_v = fabs((double)t->v[i] - state[i].v);

            if (!(of_p <= worst)) worst = of_p;
            if (!(of_m <= worst)) worst = of_m;
            if (!(of_v <= worst)) worst = of_v;
        }
    }
    return worst;
}

/* Three steps by slm_trainer_update, with random gradients. */
static void adamw_follows_its_formula(const char *name, const slm_adamw_options *adamw) {
    slm_train_options o = slm_train_defaults();
    slm_model *model = small_model(0, 50);
    adamw_state *state = (adamw_state *)calloc(model->n_params, sizeof *state);
    slm_rng rng = slm_rng_seed(8);

    o.adamw = *adamw;
    slm_trainer *trainer = trainer_for(model, &o);
    for (size_t i = 0; i < model->n_params; i++)
        state[i].p = (double)model->params[i];

    for (int t = 1; t <= 3; t++) {
        slm_real *grads = slm_trainer_grads(trainer);
        slm_step_stats stats = {0, 0, 0, 0, 0, 0, 0};
        double norm = fill_gradient(grads, model, &rng);
        double scale = adamw->clip > 0 ? fmin(1, adamw->clip / (norm + 1e-6)) : 1;

        for (size_t k = 0; k < model->n_tensors; k++) {
            const slm_param *p = &model->table[k];
            double decay = p->decay ? adamw->weight_decay : 0;

            for (size_t i = p->offset; i < p->offset + p->rows * p->cols; i++)
                adamw_formula(&state[i], scale * (double)grads[i], adamw, decay, t);
        }
        CHECK_OK(slm_trainer_update(&stats, trainer, &err), err);
        CHECK(fabs(stats.grad_norm / norm - 1) < 1e-5 && stats.lr == adamw->lr, "%s: stats", name);
        CHECK(stats.n_valid == 0 && stats.n_selected == 0 && stats.loss_all == 0, "%s: stats",
              name);
    }
    CHECK(slm_trainer_steps(trainer) == 3, "%s: steps", name);
    double worst = distance(trainer, state);
    CHECK(worst < rounding * 50, "%s: %.3g away from the formula", name, worst);
    slm_trainer_free(trainer);
    slm_model_free(model);
    free(state);
}

static void adamw(void) {
    slm_adamw_options o = slm_adamw_defaults();

    o.lr = 0.25; /* so large that a wrong decay is seen */
    adamw_follows_its_formula("the defaults", &o);
    o.beta1 = 0;
    adamw_follows_its_formula("beta1 0", &o);
    o.beta2 = 0;
    o.eps = 1e-3;
    adamw_follows_its_formula("both betas 0", &o);
    o = slm_adamw_defaults();
    o.lr = 0.25;
    o.weight_decay = 0;
    adamw_follows_its_formula("weight_decay 0", &o);
    o.clip = 0;
    adamw_follows_its_formula("clip 0", &o);
}

/* ---- a step of the caller's own ---- */

/* A gradient made by operations on a tape, then slm_trainer_update: the bits of a whole step. */
static void own_step_equals_step(void) {
    enum { B = 2, T = 20, N = B * T };

    const slm_train_options o = options_of(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .5);
    slm_model *model[2] = {small_model(0, 50), small_model(0, 50)};
    slm_trainer *by_step = trainer_for(model[0], &o);
    slm_trainer *by_hand = trainer_for(model[1], &o);
    slm_tape *tape;

    CHECK_OK(slm_tape_create(&tape, &err), err);
    for (int i = 0; i < 3; i++) {
        slm_batch *b = some_batch(B, T, 50, 3 + (uint64_t)i);
        slm_step_stats stats[2];

        CHECK_OK(slm_trainer_step(&stats[0], by_step, &b, 1, &err), err);

        slm_real *grads = slm_trainer_grads(by_hand);
        const uint8_t *mask = slm_trainer_mask(by_step);
        gradient_of(grads, tape, model[1], b, mask, stats[0].n_selected, 0);
        CHECK(memcmp(grads, by_step->grads, model[0]->n_params * sizeof(slm_real)) == 0,
              "step %d: the gradient by hand differs", i);
        CHECK_OK(slm_trainer_update(&stats[1], by_hand, &err), err);

        CHECK(same_params(model[0], model[1]), "step %d: the update by hand differs", i);
        CHECK(stats[0].grad_norm == stats[1].grad_norm && stats[0].lr == stats[1].lr,
              "step %d: other statistics", i);
        CHECK(slm_trainer_steps(by_hand) == slm_trainer_steps(by_step), "steps");
        slm_batch_free(b);
    }
    slm_tape_free(tape);
    slm_trainer_free(by_step);
    slm_trainer_free(by_hand);
    slm_model_free(model[0]);
    slm_model_free(model[1]);
}

/* ---- selections that keep all by one ranking only ---- */

/* INTERSECT at ratio 1 still cuts by entropy; UNION at ratio 1 keeps all. */
static void two_ratios(slm_criterion criterion, double ratio, double entropy_ratio) {
    slm_train_options o = options_of(criterion, SLM_SCOPE_BATCH, ratio);
    slm_model *model = small_model(0, 50);
    slm_batch *b = some_batch(2, 20, 50, 3);
    const size_t n = 40;
    slm_real *scratch = (slm_real *)malloc(n * sizeof *scratch);
    uint8_t *mask = (uint8_t *)malloc(n);
    slm_targets targets;
    slm_step_stats stats;
    size_t n_selected;

    o.select.entropy_ratio = entropy_ratio;
    memset(&targets, 0, sizeof targets);
    targets.ref_loss = b->ref_loss;
    targets.ref_entropy = b->ref_entropy;
    targets.targets = b->targets;
    targets.n = n;
    CHECK_OK(slm_select(mask, &n_selected, &targets, &o.select, scratch, &err), err);

    slm_trainer *t = trainer_for(model, &o);
    CHECK_OK(slm_trainer_step(&stats, t, &b, 1, &err), err);
    CHECK(stats.n_selected == n_selected && memcmp(mask, t->mask, n) == 0,
          "criterion %d, ratios %g and %g: the step selects %d, slm_select %d", (int)criterion,
          ratio, entropy_ratio, (int)stats.n_selected, (int)n_selected);

    free(scratch);
    free(mask);
    slm_batch_free(b);
    slm_trainer_free(t);
    slm_model_free(model);
}

/* ---- a score that judges a target differently each time ---- */

static int fickle_score(void *user, slm_real *score, const slm_targets *targets) {
    slm_rng *rng = (slm_rng *)user;

    for (size_t i = 0; i < targets->n; i++)
        score[i] = (slm_real)slm_rng_uniform(rng);
    return 0;
}

/* Such a score breaks its promise, but no memory. */
static void a_fickle_score_is_harmless(slm_scope scope) {
    slm_rng rng = slm_rng_seed(1);
    slm_train_options o = options_of(SLM_CRITERION_OWN, scope, .3);
    slm_model *model = small_model(0, 300);
    slm_batch *b = some_batch(4, 70, 300, 3);
    slm_step_stats stats;

    o.select.own_score = fickle_score;
    o.select.own_user = &rng;
    slm_trainer *t = trainer_for(model, &o);
    for (int step = 0; step < 3; step++) {
        CHECK_OK(slm_trainer_step(&stats, t, &b, 1, &err), err);
        CHECK(stats.n_selected > 0 && stats.n_selected < stats.n_valid, "%d of %d",
              (int)stats.n_selected, (int)stats.n_valid);
    }
    slm_batch_free(b);
    slm_trainer_free(t);
    slm_model_free(model);
}

/* ---- weights of targets ---- */

/* Weights of 2 double the gradient, weights of 1 change no bit, a weight of 0 leaves no gradient
   (though the target is counted). */
static void weights_scale_the_gradient(slm_criterion criterion, size_t logits_budget) {
    enum { B = 2, T = 20, N = B * T };

    static const slm_real weight[3] = {1, 2, 0};
    slm_train_options o = options_of(criterion, SLM_SCOPE_BATCH, .5);
    slm_model *model = small_model(0, 50);
    slm_batch *b = some_batch(B, T, 50, 3);
    slm_real *without = (slm_real *)malloc(model->n_params * sizeof *without);
    size_t unequal = 0;

    o.adamw.lr = 0;
    o.logits_budget = logits_budget;
    slm_trainer *t = trainer_for(model, &o);
    CHECK_OK(slm_trainer_step(NULL, t, &b, 1, &err), err);
    memcpy(without, t->grads, model->n_params * sizeof *without);

    CHECK_OK(slm_batch_alloc_weights(b, &err), err);
    CHECK(b->weights[0] == 1 && b->weights[N - 1] == 1, "weights do not begin with 1");
    for (int k = 0; k < 3; k++) {
        for (size_t i = 0; i < N; i++)
            b->weights[i] = weight[k];
        CHECK_OK(slm_trainer_step(NULL, t, &b, 1, &err), err);
        for (size_t i = 0; i < model->n_params; i++)
            unequal += !(t->grads[i] == weight[k] * without[i]);
    }
    CHECK(unequal == 0, "criterion %d: %d entries are not scaled", (int)criterion, (int)unequal);

    free(without);
    slm_batch_free(b);
    slm_trainer_free(t);
    slm_model_free(model);
}

/* ---- operations, models, sizes ---- */

/* slm_rope turns its input in place: what read the input before would find other numbers in the
   backward sweep. */
static void rope_refuses_what_was_read(void) {
    slm_tape *tape;
    slm_real data[16] = {1, 2, 3};
    slm_real w[16] = {1};
    slm_real grad[16], dw[16];

    CHECK_OK(slm_tape_create(&tape, &err), err);
    slm_tensor *y = slm_leaf(tape, data, grad, 4, 4);
    slm_tensor *x = slm_linear(tape, y, slm_leaf(tape, w, dw, 4, 4), NULL);
    slm_tensor *angles = slm_rope_angles(tape, 4, 4, 1e4, NULL);
    CHECK(slm_rope(tape, x, angles) == x, "an unread input is refused");
    CHECK(slm_linear(tape, x, slm_leaf(tape, w, dw, 4, 4), NULL) != NULL, "a reader");
    CHECK(slm_rope(tape, x, angles) == NULL, "a read input is taken");
    CHECK(slm_tape_status(tape, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "read it already") != NULL,
          "%s", err.text);
    slm_tape_free(tape);
}

static void losses_refuse_other_targets(void) {
    slm_tape *tape;
    slm_real data[8] = {1, 2, 3};
    slm_real w[12] = {1};
    slm_real grad[8], dw[12], loss[2];
    int32_t targets[2] = {2, -1}; /* of a vocabulary of 3 */

    CHECK_OK(slm_tape_create(&tape, &err), err);
    slm_tensor *hidden = slm_leaf(tape, data, grad, 2, 4);
    slm_tensor *head = slm_leaf(tape, w, dw, 3, 4);
    CHECK(slm_selective_loss(tape, hidden, head, targets, NULL, NULL, 1, loss) != NULL,
          "the last id");
    targets[0] = 3;
    CHECK(slm_selective_loss(tape, hidden, head, targets, NULL, NULL, 1, loss) == NULL,
          "an id behind the last");
    CHECK(slm_tape_status(tape, &err) == SLM_ERR_ARGUMENT && strstr(err.text, "a target") != NULL,
          "%s", err.text);
    slm_tape_free(tape);
}

/* Matrices start with deviation 0.02, those that write to the residual stream with
   0.02 / sqrt(2 layers). */
static void weights_at_the_start(void) {
    slm_model_config c;
    slm_model *model;

    memset(&c, 0, sizeof c);
    c.vocab = 300;
    c.dim = 64;
    c.n_layers = 8;
    c.n_heads = 4;
    c.n_kv_heads = 4;
    c.head_dim = 16;
    c.ffn = 200;
    c.max_seq = 64;
    CHECK_OK(slm_model_create(&model, &c, 1, &err), err);
    for (size_t t = 0; t < model->n_tensors; t++) {
        const slm_param *p = &model->table[t];
        const size_t n = p->rows * p->cols;
        int writes_residual = strstr(p->name, "o_proj") || strstr(p->name, "down_proj");
        double wanted = writes_residual ? 0.005 : 0.02;
        double sum = 0;

        if (!p->decay) continue;
        for (size_t i = 0; i < n; i++)
            sum += pow((double)model->params[p->offset + i], 2);
        double deviation = sqrt(sum / (double)n);
        CHECK(fabs(deviation / wanted - 1) < 0.05, "%s: deviation %g, not %g", p->name, deviation,
              wanted);
    }
    slm_model_free(model);
}

/* A cache of 2^66 numbers, and little else: a product that is not checked wraps around to 0. */
static void sizes_that_wrap(void) {
    slm_model model;
    slm_generator *generator;

    memset(&model, 0, sizeof model);
    model.config.vocab = 2;
    model.config.dim = 2;
    model.config.ffn = 2;
    model.config.n_layers = 4096;
    model.config.n_heads = 1;
    model.config.n_kv_heads = 4096;
    model.config.head_dim = 1 << 22;
    CHECK(slm_generator_create(&generator, &model, 1 << 20, &err) == SLM_ERR_MEMORY &&
              generator == NULL,
          "2^66 keys");
}

int main(void) {
    const size_t budget = slm_train_defaults().logits_budget;

    sparse_equals_dense(0, 2);
    sparse_equals_dense(1, 3);
    sparse_equals_dense(0, 61);
    micro_batches(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .6);
    micro_batches(SLM_CRITERION_EXCESS, SLM_SCOPE_SEQUENCE, .3);
    micro_batches(SLM_CRITERION_RANDOM, SLM_SCOPE_BATCH, .5);
    micro_batches(SLM_CRITERION_INTERSECT, SLM_SCOPE_SEQUENCE, .7);
    ratio_one_is_plain_training();
    threads_and_score_files_change_no_bit();
    a_step_without_kept_logits();
    own_score_trains_as_excess(SLM_SCOPE_BATCH, budget);
    own_score_trains_as_excess(SLM_SCOPE_SEQUENCE, budget);
    own_score_trains_as_excess(SLM_SCOPE_SEQUENCE, 0);
    recomputing_changes_no_bit();
    recomputing_takes_less_memory();
    rows_of_a_chunk();
    memory_of_a_step();
    errors_leave_the_model_alone();
    an_infinite_gradient_is_refused();
    random_scores_of_a_share(SLM_SCOPE_MICRO);
    random_scores_of_a_share(SLM_SCOPE_SEQUENCE);
    ratio_one_needs_no_reference();
    options_are_refused_by_name();
    defaults_and_accessors();
    scores_of_a_step();
    learning_rates();
    norm_of_a_long_array();
    norm_of_the_longest_arrays();
    adamw();
    own_step_equals_step();
    two_ratios(SLM_CRITERION_INTERSECT, 1, .4);
    two_ratios(SLM_CRITERION_INTERSECT, .4, 1);
    two_ratios(SLM_CRITERION_UNION, 1, .4);
    two_ratios(SLM_CRITERION_UNION, .4, 1);
    a_fickle_score_is_harmless(SLM_SCOPE_BATCH);
    a_fickle_score_is_harmless(SLM_SCOPE_SEQUENCE);
    weights_scale_the_gradient(SLM_CRITERION_NONE, budget);
    weights_scale_the_gradient(SLM_CRITERION_EXCESS, budget);
    weights_scale_the_gradient(SLM_CRITERION_EXCESS, 0);
    rope_refuses_what_was_read();
    losses_refuse_other_targets();
    weights_at_the_start();
    sizes_that_wrap();
    CHECK(held == 0, "%ld blocks of memory are never freed", held);
    return check_end();
}
