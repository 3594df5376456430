/* Lesson 15: several processes train one model, on one machine or on many.
 *
 *     mpicc -O2 -I. examples/15_mpi.c -o 15 -lm
 *     mpirun -n 2 ./15
 *
 * It prints, for 1, 2, 4 or 8 processes:
 *
 *     step  1: 307 of 512 targets, loss of the selected 5.64
 *     step 10: 307 of 512 targets, loss of the selected 2.57
 *     step 20: 307 of 512 targets, loss of the selected 2.08
 *
 * Each holds the whole model and takes its share of a step's windows.  Selection is over all of
 * them: the library finds the k-th best by histograms, and asks three functions for what the others
 * have.  Do you want the same bits in each run?  MPI may sum in any order: tools/mpi/group_mpi.c
 * has a sum whose order is fixed.
 */
#define SLM_REAL double /* slower, but prints the same digits on every machine */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <mpi.h>
#include <stdio.h>

enum { B = 16, T = 32, N_BYTES = 8000 }; /* B windows in a step, over all processes */

static slm_error err;

/* A process that fails ends the others, who would wait for it. */
static void must(slm_status status) {
    if (status == SLM_OK) return;
    fprintf(stderr, "%s\n", err.text);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static int sum_counts(void *user, uint64_t *counts, size_t n) {
    (void)user;
    return MPI_Allreduce(MPI_IN_PLACE, counts, (int)n, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
}

/* MPI leaves the number open in the first process. */
static int count_before_me(void *user, uint64_t *count) {
    uint64_t before = 0;
    (void)user;
    int failed = MPI_Exscan(count, &before, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    *count = before;
    return failed;
}

static int sum_grads(void *user, slm_real *grads, size_t n) {
    (void)user;
    return MPI_Allreduce(MPI_IN_PLACE, grads, (int)n, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

/* A text that is the same in all processes: letters by lot, each of them once or in a row. */
static slm_corpus *make_text(const slm_tokenizer *tokenizer) {
    static char text[N_BYTES];
    slm_rng rng = slm_rng_seed(1);
    slm_corpus *corpus;
    for (int i = 0; i < N_BYTES; i++) {
        int repeats = i > 0 && slm_rng_below(&rng, 3) > 0;
        text[i] = repeats ? text[i - 1] : "abcdefgh"[slm_rng_below(&rng, 8)];
    }
    must(slm_corpus_encode(&corpus, tokenizer, text, N_BYTES, &err));
    return corpus;
}

int main(int argc, char **argv) {
    slm_model_config config = {.vocab = 256, .dim = 32, .n_layers = 2, .n_heads = 4, .ffn = 96};
    slm_train_options options = slm_train_defaults();
    slm_step_stats stats;
    slm_tokenizer *tokenizer;
    slm_model *model;
    slm_trainer *trainer;
    slm_batch *batch;
    int rank, n_ranks;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &n_ranks);
    uint64_t share = (uint64_t)(B / n_ranks);

    must(slm_tokenizer_create_bytes(&tokenizer, &err));
    slm_corpus *text = make_text(tokenizer);
    must(slm_model_create(&model, &config, 1, &err)); /* the same seed: the same model */
    options.select.criterion = SLM_CRITERION_LOSS;
    options.adamw.lr = 0.01;
    options.group.allreduce_counts = sum_counts;
    options.group.exscan_count = count_before_me;
    options.group.allreduce_grads = sum_grads;
    must(slm_trainer_create(&trainer, model, &options, &err));
    must(slm_batch_create(&batch, (int32_t)share, T, &err));

    for (uint64_t step = 0; step < 20; step++) {
        slm_cursor cursor = {.seed = 1, .next_window = step * B + (uint64_t)rank * share};
        must(slm_batch_next(batch, &cursor, text, NULL, &err));
        must(slm_trainer_step(&stats, trainer, &batch, 1, &err));

        /* The statistics are those of this process's targets. */
        double sums[] = {(double)stats.n_selected, (double)stats.n_valid,
                         stats.loss_selected * (double)stats.n_selected};
        MPI_Allreduce(MPI_IN_PLACE, sums, 3, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
        if (rank == 0 && (step == 0 || step % 10 == 9))
            printf("step %2d: %.0f of %.0f targets, loss of the selected %.2f\n", (int)step + 1,
                   sums[0], sums[1], sums[2] / sums[0]);
    }
    slm_batch_free(batch);
    slm_trainer_free(trainer);
    slm_model_free(model);
    slm_corpus_free(text);
    slm_tokenizer_free(tokenizer);
    MPI_Finalize();
    return 0;
}
