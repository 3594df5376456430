/* What processes make together, held to the bit against what each of them makes alone: selections
   of arrays and of training steps, and the sum of gradients.  system/mpi.sh starts it.

       mpirun -n N mpi_group        ends with 0 if all is the same
       mpirun -n N mpi_group nan    the last process has a score that is no number: all must end */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/group.h"

enum { N = 3001, B = 2, T = 16, N_MICRO = 9, N_STEPS = 3, N_BYTES = 5000 };

static slm_error err;
static int n_wrong = 0;

static void must(slm_status status) {
    if (status != SLM_OK) exit(group_end(fail_status(status, FOR_OUTPUT, &err)));
}

static void expect(int is_right, const char *what, const char *detail) {
    if (is_right) return;
    n_wrong++;
    fprintf(stderr, "process %d: %s, %s: differs from one process\n", group_rank(), what, detail);
}

/* ---- selections of arrays ---- */
static slm_real loss[N], ref_loss[N], ref_entropy[N];
static int32_t targets[N];

/* Few different numbers, so that most are tied; a tenth of the targets is not valid. */
static void fill_arrays(void) {
    slm_rng rng = slm_rng_seed(5);
    for (int i = 0; i < N; i++) {
        loss[i] = (slm_real)slm_rng_below(&rng, 40) / 8;
        ref_loss[i] = (slm_real)slm_rng_below(&rng, 7) / 4;
        ref_entropy[i] = (slm_real)slm_rng_below(&rng, 5) / 2;
        targets[i] = slm_rng_below(&rng, 10) > 0 ? 1 : -1;
    }
}

static void select_part(uint8_t *mask, size_t first, size_t end, const slm_group *group,
                        const slm_select_options *options) {
    static slm_real scratch[N];
    size_t n_selected;
    slm_targets t;
    memset(&t, 0, sizeof t);
    t.loss = loss + first;
    t.ref_loss = ref_loss + first;
    t.ref_entropy = ref_entropy + first;
    t.targets = targets + first;
    t.n = end - first;
    t.T = 1;
    t.step = 3;
    t.group = group;
    must(slm_select(mask, &n_selected, &t, options, scratch, &err));
}

static void compare_arrays(void) {
    static uint8_t alone[N], shared[N];
    const slm_group group = group_of_trainer();
    size_t first;
    size_t end;
    group_share(&first, &end, N);
    for (int c = SLM_CRITERION_EXCESS; c < SLM_CRITERION_OWN; c++) {
        for (double ratio = 0.0001; ratio < 1; ratio *= 5) {
            slm_select_options options = slm_select_defaults();
            options.criterion = (slm_criterion)c;
            options.ratio = ratio;
            options.entropy_ratio = ratio;
            select_part(alone, 0, N, NULL, &options);
            select_part(shared, first, end, &group, &options);
            expect(memcmp(alone + first, shared, end - first) == 0, "selection of an array",
                   slm_criterion_name(options.criterion));
        }
    }
}

/* ---- selections of training steps ---- */
static slm_corpus *corpus;
static slm_losses *ref_losses;

static slm_model *make_model(uint64_t seed) {
    slm_model_config config = {.vocab = 256, .dim = 16, .n_layers = 1, .n_heads = 2, .ffn = 32};
    slm_model *model;
    must(slm_model_create(&model, &config, seed, &err));
    return model;
}

static void make_corpus(void) {
    static char text[N_BYTES];
    slm_rng rng = slm_rng_seed(1);
    slm_tokenizer *tokenizer;
    for (int i = 0; i < N_BYTES; i++)
        text[i] = (char)('a' + (int)slm_rng_below(&rng, 5));
    must(slm_tokenizer_create_bytes(&tokenizer, &err));
    must(slm_corpus_encode(&corpus, tokenizer, text, N_BYTES, &err));
    slm_tokenizer_free(tokenizer);

    slm_model *reference = make_model(2);
    slm_windows windows = slm_corpus_windows(corpus, B, T);
    must(slm_losses_compute(&ref_losses, reference, corpus, &windows, NULL, NULL, &err));
    slm_model_free(reference);
}

/* The micro-batches first .. end-1 of a step. */
static void take_step(slm_trainer *trainer, uint64_t step, size_t first, size_t end) {
    slm_batch *micro[N_MICRO] = {NULL};
    slm_cursor cursor = {.seed = 1, .next_window = (step * N_MICRO + first) * B};
    for (size_t i = first; i < end; i++) {
        must(slm_batch_create(&micro[i], B, T, &err));
        must(slm_batch_next(micro[i], &cursor, corpus, ref_losses, &err));
    }
    must(slm_trainer_step(NULL, trainer, micro + first, end - first, &err));
    for (size_t i = first; i < end; i++)
        slm_batch_free(micro[i]);
}

/* In each step both begin from the same parameters, since gradients are equal up to rounding
 * only. */
static void compare_steps(slm_criterion criterion, slm_scope scope) {
    slm_train_options options = slm_train_defaults();
    slm_model *models[2] = {make_model(1), make_model(1)};
    slm_trainer *alone, *shared;
    size_t first;
    size_t end;
    char detail[64];
    (void)snprintf(detail, sizeof detail, "%s, scope %d", slm_criterion_name(criterion), scope);
    options.select.criterion = criterion;
    options.select.scope = scope;
    must(slm_trainer_create(&alone, models[0], &options, &err));
    options.group = group_of_trainer();
    must(slm_trainer_create(&shared, models[1], &options, &err));
    group_share(&first, &end, N_MICRO);
    for (uint64_t step = 0; step < N_STEPS; step++) {
        take_step(alone, step, 0, N_MICRO);
        take_step(shared, step, first, end);
        const uint8_t *mask = slm_trainer_mask(alone) + first * B * T;
        expect(memcmp(mask, slm_trainer_mask(shared), (end - first) * B * T) == 0,
               "selection of a step", detail);
        memcpy(models[1]->params, models[0]->params, models[0]->n_params * sizeof(slm_real));
    }
    slm_trainer_free(alone);
    slm_trainer_free(shared);
    slm_model_free(models[0]);
    slm_model_free(models[1]);
}

/* ---- the sum of gradients ---- */
static slm_real number_of(int rank, size_t i) {
    return (slm_real)((double)((i * 2654435761u + (size_t)rank * 40503u) % 100003) / 7919 - 6);
}

static void compare_sum(size_t n) {
    const slm_group group = group_of_trainer();
    slm_real *grads = (slm_real *)malloc((n + 1) * sizeof *grads);
    size_t n_other = 0;
    if (grads == NULL) exit(group_end(fail_memory()));
    for (size_t i = 0; i < n; i++)
        grads[i] = number_of(group_rank(), i);
    if (group.allreduce_grads(NULL, grads, n) != 0) exit(group_end(FAILED));
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (int r = 0; r < group_size(); r++)
            sum += (double)number_of(r, i);
        if (!(grads[i] == (slm_real)sum)) n_other++;
    }
    expect(n_other == 0, "the sum of gradients", "in the order of the ranks, in double");
    free(grads);
}

static void compare_all(void) {
    size_t chunk = (size_t)group_size() * 262144;
    compare_arrays();
    for (int scope = SLM_SCOPE_BATCH; scope <= SLM_SCOPE_SEQUENCE; scope++) {
        compare_steps(SLM_CRITERION_EXCESS, (slm_scope)scope);
        compare_steps(SLM_CRITERION_RANDOM, (slm_scope)scope);
        compare_steps(SLM_CRITERION_UNION, (slm_scope)scope);
    }
    compare_sum(0);
    compare_sum(1);
    compare_sum(chunk);
    compare_sum(chunk + 1);
    compare_sum(3 * chunk + 777);
}

static void select_nan(void) {
    static uint8_t mask[N];
    const slm_group group = group_of_trainer();
    slm_select_options options = slm_select_defaults();
    size_t first;
    size_t end;
    options.criterion = SLM_CRITERION_LOSS;
    group_share(&first, &end, N);
    if (group_rank() == group_size() - 1) loss[end - 1] = (slm_real)NAN;
    targets[end - 1] = 1;
    select_part(mask, first, end, &group, &options);
}

int main(int argc, char **argv) {
    double wrong;
    group_start(&argc, &argv);
    set_verb("test");
    fill_arrays();
    if (argc > 1 && strcmp(argv[1], "nan") == 0) {
        select_nan();
    } else {
        make_corpus();
        compare_all();
    }
    wrong = n_wrong;
    if (group_sum(&wrong, 1)) return group_end(FAILED);
    printf("%d processes, %.0f differences\n", group_size(), wrong);
    (void)fflush(stdout);
    return group_end(wrong > 0 ? CHECK_FAILED : DONE);
}
