/* build/bench WHAT --flags: how fast slm.h is, one line of `key=value ...` per measurement on
 * stdout.  See `build/bench -h`. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* slm.h calls SLM__TRACE where an operation begins. */
struct slm_tape;
struct slm__node;
typedef void bench_operation(struct slm_tape *, struct slm__node *);
static void trace_operation(bench_operation *begins, int sweep);
#define SLM__TRACE(operation, sweep) trace_operation(operation, sweep)
#define SLM_IMPLEMENTATION
#include "slm.h"

#include "bench/measure.h"
#include "bench/peak.h"
#include "common/cli.h"
#include "common/start.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
    REPEATS = 9, /* of a measurement, whose median counts */
    WARM_UP = 2  /* steps: the first finds out how much memory is needed, the second lays it out */
};

static void check(slm_status status, const slm_error *err) {
    if (status != SLM_OK) stop(err->text);
}

/* ---- the profile ----
   The time from one SLM__TRACE to the next belongs to the operation of the first. */
enum { PROFILE_SLOTS = 16, NO_OPERATION = 0 /* the slot of norm and AdamW */ };

typedef struct profile_slot {
    bench_operation *operation;
    double seconds[2]; /* forward, backward */
} profile_slot;

static struct {
    profile_slot slots[PROFILE_SLOTS];
    int slot, sweep; /* what is running now */
    double since;    /* when it began */
} profile;

static void reset_profile(void) {
    memset(&profile, 0, sizeof profile);
    profile.since = seconds_now();
}

static int find_slot(bench_operation *operation) {
    int i = NO_OPERATION + 1;
    if (operation == NULL) return NO_OPERATION;
    while (i < PROFILE_SLOTS - 1) {
        bench_operation *other = profile.slots[i].operation;
        if (other == NULL || other == operation) break;
        i++;
    }
    return i;
}

static void trace_operation(bench_operation *begins, int sweep) {
    double now = seconds_now();
    profile.slots[profile.slot].seconds[profile.sweep] += now - profile.since;
    profile.since = now;
    profile.slot = find_slot(begins);
    profile.sweep = sweep;
    profile.slots[profile.slot].operation = begins;
}

static void print_slot(const char *name, const profile_slot *slot, double all) {
    double forward = 100 * slot->seconds[0] / all;
    double backward = 100 * slot->seconds[1] / all;
    printf("profile operation=\"%s\" forward=%.1f%% backward=%.1f%% share=%.1f%%\n", name, forward,
           backward, forward + backward);
}

static void print_profile(void) {
    static const struct {
        bench_operation *operation;
        const char *name;
    } names[] = {
        {slm__linear_backward, "linear"},
        {slm__attention_backward, "attention"},
        {slm__rmsnorm_backward, "rmsnorm"},
        {slm__rope_backward, "rope"},
        {slm__swiglu_grad, "swiglu"},
        {slm__embedding_backward, "embedding"},
        {slm__selective_loss_backward, "losses and head"},
    };
    double all = 0;
    for (int i = 0; i < PROFILE_SLOTS; i++)
        all += profile.slots[i].seconds[0] + profile.slots[i].seconds[1];
    print_slot("optimizer", &profile.slots[NO_OPERATION], all);
    for (size_t i = 0; i < COUNT(names); i++) {
        const profile_slot *slot = &profile.slots[find_slot(names[i].operation)];
        if (slot->operation == names[i].operation) print_slot(names[i].name, slot, all);
    }
}

/* ---- what the measurements share ---- */
static int threads_by_flag(void) {
    long threads = flag_number("--threads", 0);
    if (threads > MAX_THREADS) usage_error("%s needs a whole number of at most 1024", "--threads");
    use_threads((int32_t)threads);
    return SLM__THREADS();
}

static slm_real *random_array(size_t n) {
    slm_real *values = (slm_real *)allocate(n, sizeof *values);
    slm_rng rng = slm_rng_seed(n);
    for (size_t i = 0; i < n; i++)
        values[i] = (slm_real)(slm_rng_uniform(&rng) - 0.5);
    return values;
}

static double *seconds_array(long n) {
    return (double *)allocate((size_t)n, sizeof(double));
}

/* ---- peak ---- */
static void bench_peak(void) {
    int threads = threads_by_flag();
    printf("peak threads=%d gflops=%.1f\n", threads, peak_gflops(threads));
}

/* ---- gemm: a product by slm.h, and by OpenBLAS, where a path to it is given ----
   Both are timed in one run, turn by turn.  Between the turns there is a rest, because the idle
   threads of either spin for a while and would slow the other; then some work that is not timed,
   because threads that slept may wake up on one core, and are spread over the cores only after some
   milliseconds.  A process begins with its threads on one core, too. */
enum { BLAS_ROW_MAJOR = 101, BLAS_PLAIN = 111, BLAS_TRANSPOSED = 112, REST_MILLISECONDS = 60 };
#define FIRST_WARM_UP_SECONDS 0.3
#define WARM_UP_SECONDS 0.05
#define GEMM_GFLOP 2.0 /* work of one timed run, at least */

typedef void blas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k,
                        float alpha, const float *a, int lda, const float *b, int ldb, float beta,
                        float *c, int ldc);

typedef struct product {
    size_t m, n, k;
    slm__gemm_op op;
    slm_real *a, *b, *c, *work;
    blas_sgemm *blas; /* or NULL */
} product;

static blas_sgemm *open_blas(const char *path, int threads) {
    /* ISO C converts no object pointer to a function pointer. */
    union {
        void *object;
        blas_sgemm *sgemm;
        void (*set_threads)(int);
    } symbol;

    void *library = dlopen(path, RTLD_NOW);
    if (library == NULL || sizeof(slm_real) != sizeof(float))
        usage_error("--blas %s: cannot be loaded", path);
    symbol.object = dlsym(library, "openblas_set_num_threads");
    if (symbol.object != NULL) symbol.set_threads(threads);
    symbol.object = dlsym(library, "cblas_sgemm");
    if (symbol.object == NULL) usage_error("--blas %s: it has no cblas_sgemm", path);
    return symbol.sgemm;
}

static slm__gemm_op gemm_op(const char *name) {
    if (strcmp(name, "nn") == 0) return SLM__NN;
    if (strcmp(name, "nt") == 0) return SLM__NT;
    if (strcmp(name, "tn") == 0) return SLM__TN;
    usage_error("--op is %s, it must be nn, nt or tn", name);
    return SLM__NN;
}

static size_t lda_of(const product *p) {
    return p->op == SLM__TN ? p->m : p->k;
}

static size_t ldb_of(const product *p) {
    return p->op == SLM__NT ? p->k : p->n;
}

static void multiply(const product *p) {
    slm__mat a = slm__matrix(p->a, lda_of(p), NULL);
    slm__mat b = slm__matrix(p->b, ldb_of(p), NULL);
    slm__gemm(p->op, p->m, p->n, p->k, a, b, 0, slm__matrix_out(p->c, p->n, NULL), p->work,
              SLM__THREADS());
}

static void multiply_by_blas(const product *p) {
    int transpose_a = p->op == SLM__TN ? BLAS_TRANSPOSED : BLAS_PLAIN;
    int transpose_b = p->op == SLM__NT ? BLAS_TRANSPOSED : BLAS_PLAIN;
    p->blas(BLAS_ROW_MAJOR, transpose_a, transpose_b, (int)p->m, (int)p->n, (int)p->k, 1,
            (float *)p->a, (int)lda_of(p), (float *)p->b, (int)ldb_of(p), 0, (float *)p->c,
            (int)p->n);
}

/* Returns the seconds of one product. */
static double time_product(const product *p, void (*run)(const product *), int turn) {
    size_t repeats = 1 + (size_t)(GEMM_GFLOP / (2e-9 * (double)(p->m * p->n * p->k) + 1e-9));
    double warm_up = turn == 0 ? FIRST_WARM_UP_SECONDS : WARM_UP_SECONDS;
    double start = seconds_now();
    int in_turns = p->blas != NULL;
    if (in_turns) rest_milliseconds(REST_MILLISECONDS);
    if (in_turns || turn == 0) {
        start = seconds_now();
        while (seconds_now() - start < warm_up)
            run(p);
    }
    start = seconds_now();
    for (size_t i = 0; i < repeats; i++)
        run(p);
    return (seconds_now() - start) / (double)repeats;
}

static void bench_gemm(void) {
    const char *name = flag_text("--op", "nt");
    const char *path = flag_text("--blas", NULL);
    int threads = threads_by_flag();
    double ours[REPEATS];
    double theirs[REPEATS];
    product p;
    memset(&p, 0, sizeof p);
    p.m = (size_t)flag_number("--m", 2048);
    p.n = (size_t)flag_number("--n", 512);
    p.k = (size_t)flag_number("--k", 512);
    p.op = gemm_op(name);
    p.a = random_array(p.m * p.k);
    p.b = random_array(p.n * p.k);
    p.c = random_array(p.m * p.n);
    p.work = random_array(slm__gemm_work(threads));
    if (path != NULL) p.blas = open_blas(path, threads);

    for (int turn = 0; turn < REPEATS; turn++) {
        ours[turn] = time_product(&p, multiply, turn);
        if (p.blas != NULL) theirs[turn] = time_product(&p, multiply_by_blas, turn);
    }
    double gflop = 2e-9 * (double)p.m * (double)p.n * (double)p.k;
    double seconds = median(ours, REPEATS);
    printf("gemm op=%s m=%zu n=%zu k=%zu threads=%d gflops=%.1f", name, p.m, p.n, p.k, threads,
           gflop / seconds);
    if (p.blas != NULL) {
        double blas_seconds = median(theirs, REPEATS);
        printf(" blas_gflops=%.1f ratio=%.3f", gflop / blas_seconds, blas_seconds / seconds);
    }
    printf("\n");
}

/* ---- select ---- */
static void bench_select(void) {
    size_t n = (size_t)flag_number("--n", 1 << 20);
    size_t k = slm_select_count(0.6, n);
    slm_real *score = random_array(n);
    uint8_t *mask = (uint8_t *)allocate(n, sizeof *mask);
    double seconds[REPEATS];
    slm_error err;
    for (int i = 0; i < REPEATS; i++) {
        double start = seconds_now();
        check(slm_select_top(mask, score, NULL, n, k, &err), &err);
        seconds[i] = seconds_now() - start;
    }
    printf("select n=%zu k=%zu ms=%.3f\n", n, k, 1e3 * median(seconds, REPEATS));
}

/* ---- models ---- */
#define MODEL_FLAGS                                                                                \
    "--vocab --dim --layers --heads --kv-heads --ffn --tied --batch --seq --threads --ratio "      \
    "--steps --profile --recompute "

static slm_model *random_model(void) {
    slm_model_config c;
    slm_model *model;
    slm_error err;
    memset(&c, 0, sizeof c);
    c.vocab = (int32_t)flag_number("--vocab", 4096);
    c.dim = (int32_t)flag_number("--dim", 256);
    c.n_layers = (int32_t)flag_number("--layers", 6);
    c.n_heads = (int32_t)flag_number("--heads", 8);
    c.n_kv_heads = (int32_t)flag_number("--kv-heads", c.n_heads);
    c.ffn = (int32_t)flag_number("--ffn", 704);
    c.tie_embeddings = (int32_t)flag_number("--tied", 0);
    check(slm_model_create(&model, &c, 1, &err), &err);
    return model;
}

static slm_batch *random_batch(const slm_model *model) {
    int32_t B = (int32_t)flag_number("--batch", 8);
    int32_t T = (int32_t)flag_number("--seq", 256);
    uint64_t vocab = (uint64_t)model->config.vocab;
    slm_rng rng = slm_rng_seed(1);
    slm_batch *batch;
    slm_error err;
    check(slm_batch_create(&batch, B, T, &err), &err);
    check(slm_batch_alloc_reference(batch, &err), &err);
    for (int32_t i = 0; i < B * T; i++) {
        batch->inputs[i] = (int32_t)slm_rng_below(&rng, vocab);
        batch->targets[i] = (int32_t)slm_rng_below(&rng, vocab);
        batch->ref_loss[i] = (slm_real)(slm_rng_uniform(&rng) * 8);
        batch->ref_entropy[i] = 0;
    }
    return batch;
}

static slm_trainer *random_trainer(double ratio) {
    slm_train_options options = slm_train_defaults();
    slm_trainer *trainer;
    slm_error err;
    options.select.ratio = ratio;
    options.select.criterion = ratio < 1 ? SLM_CRITERION_EXCESS : SLM_CRITERION_NONE;
    options.recompute = (int)flag_number("--recompute", 0);
    check(slm_trainer_create(&trainer, random_model(), &options, &err), &err);
    return trainer;
}

static double n_tokens(const slm_batch *batch) {
    return (double)batch->B * (double)batch->T;
}

/* Floating-point operations of one token of plain training: 6 per number of a matrix that
 * multiplies it, and attention's 12 T C per layer, halved because half of it is masked. */
static double flops_per_token(const slm_model *model, int32_t T) {
    const slm_model_config *c = &model->config;
    size_t first = c->tie_embeddings ? 0 : 1; /* the embedding multiplies only if it is the head */
    double matrices = 0;
    for (size_t i = first; i < model->n_tensors; i++) {
        const slm_param *param = &model->table[i];
        if (param->decay) matrices += (double)(param->rows * param->cols);
    }
    return 6 * matrices + 6.0 * c->n_layers * (double)T * c->n_heads * c->head_dim;
}

static void print_rate(const char *what, int threads, double seconds, double tokens, double flops) {
    printf("%s threads=%d ms=%.2f tokens_per_s=%.0f gflops=%.1f", what, threads, 1e3 * seconds,
           tokens / seconds, 1e-9 * flops / seconds);
}

/* ---- step ---- */

/* Returns the seconds of one step. */
static double time_step(slm_step_stats *stats, slm_trainer *trainer, slm_batch *batch) {
    slm_error err;
    double start = seconds_now();
    check(slm_trainer_step(stats, trainer, &batch, 1, &err), &err);
    return seconds_now() - start;
}

static void bench_step(void) {
    int threads = threads_by_flag();
    long steps = flag_number("--steps", 5);
    double ratio = atof(flag_text("--ratio", "1"));
    double peak = 0;
    double *seconds = seconds_array(steps);
    slm_trainer *trainer = random_trainer(ratio);
    const slm_model *model = slm_trainer_model(trainer);
    slm_batch *batch = random_batch(model);
    slm_step_stats stats;
    for (long i = -WARM_UP; i < steps; i++) {
        if (i % 2 == 0) {
            double now = peak_gflops(threads);
            if (now > peak) peak = now;
        }
        if (i == 0) reset_profile();
        profile.since = seconds_now();
        double step_seconds = time_step(&stats, trainer, batch);
        trace_operation(NULL, 0);
        if (i >= 0) seconds[i] = step_seconds;
    }
    double flops = flops_per_token(model, batch->T) * n_tokens(batch);
    double typical = median(seconds, (size_t)steps);
    print_rate("step", threads, typical, n_tokens(batch), flops);
    printf(" mfu=%.3f peak_rss_mb=%.0f loss=%.4f", 1e-9 * flops / typical / peak, peak_rss_mb(),
           stats.loss_all);
    printf(" ratio=%g peak_gflops=%.1f params=%zu\n", ratio, peak, model->n_params);
    if (flag_number("--profile", 0)) print_profile();
}

/* ---- saving ---- */

/* The share of a step's products that can be left out exactly, if only the loss of a share `ratio`
 * of the tokens counts: in the backward of the head and of the last block's q, o, gate, up and
 * down; k and v and the blocks before need every position. */
static double saving_bound(const slm_model *model, double ratio) {
    const slm_model_config *c = &model->config;
    double C = c->dim;
    double head = C * c->vocab;
    double q_and_o = 2 * C * c->n_heads * c->head_dim;
    double k_and_v = 2 * C * c->n_kv_heads * c->head_dim;
    double mlp = 3 * C * c->ffn;
    double skipped = head + q_and_o + mlp;
    double forward = head + c->n_layers * (q_and_o + k_and_v + mlp);
    return (1 - ratio) * 2 * skipped / (3 * forward);
}

/* Takes plain and selective steps in turns, so that what else the machine does slows both. */
static void bench_saving(void) {
    int threads = threads_by_flag();
    long steps = flag_number("--steps", 9);
    double ratio = atof(flag_text("--ratio", "0.6"));
    slm_trainer *trainers[2] = {random_trainer(1), random_trainer(ratio)};
    double *seconds[2] = {seconds_array(steps), seconds_array(steps)};
    double *saved = seconds_array(steps);
    slm_batch *batch = random_batch(slm_trainer_model(trainers[0]));
    for (long i = -WARM_UP; i < steps; i++) {
        for (int k = 0; k < 2; k++) {
            /* The first of a pair is the plain one every other time. */
            int which = (int)(i + WARM_UP + k) % 2;
            slm_step_stats stats;
            double step_seconds = time_step(&stats, trainers[which], batch);
            if (i >= 0) seconds[which][i] = step_seconds;
        }
        if (i >= 0) saved[i] = 1 - seconds[1][i] / seconds[0][i];
    }
    double bound = saving_bound(slm_trainer_model(trainers[0]), ratio);
    double typical = median(saved, (size_t)steps);
    printf("saving threads=%d ratio=%g pairs=%ld plain_ms=%.2f selective_ms=%.2f", threads, ratio,
           steps, 1e3 * median(seconds[0], (size_t)steps), 1e3 * median(seconds[1], (size_t)steps));
    printf(" saved=%.1f%% quartiles=%.1f%%..%.1f%% bound=%.1f%% of_bound=%.2f\n", 100 * typical,
           100 * saved[steps / 4], 100 * saved[steps - 1 - steps / 4], 100 * bound,
           typical / bound);
}

/* ---- score ---- */
static void bench_score(void) {
    int threads = threads_by_flag();
    long steps = flag_number("--steps", 5);
    long with_entropy = flag_number("--entropy", 1);
    double *seconds = seconds_array(steps);
    slm_model *model = random_model();
    slm_batch *batch = random_batch(model);
    slm_real *loss = random_array((size_t)n_tokens(batch));
    slm_real *entropy = random_array((size_t)n_tokens(batch));
    slm_tape *tape;
    slm_error err;
    if (!with_entropy) entropy = NULL;
    check(slm_tape_create(&tape, &err), &err);
    for (long i = -WARM_UP; i < steps; i++) {
        double start = seconds_now();
        check(slm_model_losses(loss, entropy, tape, model, batch, &err), &err);
        if (i >= 0) seconds[i] = seconds_now() - start;
    }
    double forward = flops_per_token(model, batch->T) / 3 * n_tokens(batch);
    print_rate("score", threads, median(seconds, (size_t)steps), n_tokens(batch), forward);
    printf(" entropy=%ld peak_rss_mb=%.0f\n", with_entropy, peak_rss_mb());
}

/* ---- generate ---- */
enum { STREAM_PIECES = 64, TOKENS_PER_READ = 8 };
#define STREAM_WORDS ((size_t)64 << 20)

/* Returns the seconds that all threads need to read the stream, in pieces. */
static double read_stream_once(const slm_real *stream) {
    size_t piece = STREAM_WORDS / STREAM_PIECES;
    slm_real sums[STREAM_PIECES];
    volatile slm_real used = 0;
    double start = seconds_now();
    int k;
    SLM__PRAGMA(omp parallel for schedule(static))
    for (k = 0; k < STREAM_PIECES; k++)
        sums[k] = slm__row_max(stream + (size_t)k * piece, piece);
    double seconds = seconds_now() - start;
    for (k = 0; k < STREAM_PIECES; k++)
        used = used + sums[k];
    return seconds;
}

/* Draws the likeliest token and pushes it; returns the seconds of both. */
static double time_token(const slm_real **logits, slm_generator *generator, int32_t vocab,
                         slm_choice *scratch) {
    slm_sample_options greedy = slm_sample_defaults();
    slm_rng rng = slm_rng_seed(1);
    int32_t token;
    slm_error err;
    greedy.temperature = 0;
    double start = seconds_now();
    check(slm_sample_token(&token, *logits, vocab, &greedy, &rng, scratch, &err), &err);
    check(slm_generator_push(logits, generator, token, &err), &err);
    return seconds_now() - start;
}

/* Makes tokens one by one and, in turn, reads 256 MiB: both medians, so that what else the machine
 * does slows both. */
static void bench_generate(void) {
    int threads = threads_by_flag();
    long n = flag_number("--n", 64);
    long n_reads = 0;
    if (n < 1) usage_error("%s needs at least 1 token", "--n");
    double *token_seconds = seconds_array(n);
    double *read_seconds = seconds_array(n);
    slm_real *stream = random_array(STREAM_WORDS);
    slm_model *model = random_model();
    int32_t vocab = model->config.vocab;
    slm_choice *scratch = (slm_choice *)allocate((size_t)vocab, sizeof *scratch);
    const slm_real *logits;
    slm_generator *generator;
    slm_error err;
    check(slm_generator_create(&generator, model, (int32_t)n + 1, &err), &err);
    check(slm_generator_push(&logits, generator, 1, &err), &err);
    for (long i = 0; i < n; i++) {
        if (i % TOKENS_PER_READ == 0) read_seconds[n_reads++] = read_stream_once(stream);
        token_seconds[i] = time_token(&logits, generator, vocab, scratch);
    }
    double weights = flops_per_token(model, 0) / 6 * sizeof(slm_real); /* bytes */
    double seconds = median(token_seconds, (size_t)n);
    double speed = weights / seconds;
    double memory_speed = (double)(STREAM_WORDS * sizeof(slm_real)) /
                          median(read_seconds, (size_t)n_reads);
    printf("generate threads=%d tokens_per_s=%.1f gb_per_s=%.2f", threads, 1 / seconds,
           1e-9 * speed);
    printf(" stream_gb_per_s=%.2f share=%.3f params=%zu\n", 1e-9 * memory_speed,
           speed / memory_speed, model->n_params);
}

/* ---- tokenize ---- */
static void bench_tokenize(void) {
    const char *tokenizer_path = flag_text("--tokenizer", NULL);
    const char *data_path = flag_text("--data", NULL);
    slm_tokenizer *tokenizer;
    char *text = NULL;
    int32_t *ids;
    size_t size = 0;
    size_t n = 0;
    slm_error err;
    if (tokenizer_path == NULL || data_path == NULL)
        usage_error("%s needs --tokenizer FILE and --data FILE", "tokenize");
    check(slm_tokenizer_load(&tokenizer, tokenizer_path, &err), &err);
    check(slm_text_read(&text, &size, data_path, flag_text("--fields", NULL), &err), &err);
    double start = seconds_now();
    check(slm_tokenizer_encode(&ids, &n, tokenizer, text, size, &err), &err);
    double seconds = seconds_now() - start;
    printf("tokenize bytes=%zu tokens=%zu ms=%.1f mb_per_s=%.1f\n", size, n, 1e3 * seconds,
           1e-6 * (double)size / seconds);
}

/* ---- the program ---- */
static const char help[] =
    "usage: bench WHAT --flag value ...      one line of key=value per measurement\n"
    "  peak      --threads                   the machine's multiply-add limit\n"
    "  gemm      --m --n --k --op nn|nt|tn --threads [--blas libopenblas.so.0]\n"
    "  step      --vocab --dim --layers --heads --kv-heads --ffn --tied --batch --seq --threads\n"
    "            --ratio --steps --profile 0|1\n"
    "            --recompute 0|1             gate, up and v are made again: less memory, more\n"
    "                                        time\n"
    "  saving    the same, --ratio --steps   plain and selective steps in turns: the share of\n"
    "                                        time saved, and its bound\n"
    "  score     the same, --entropy 0|1     forward only: loss and entropy of every token\n"
    "  generate  the same shape, --n         one token at a time, against the speed of memory\n"
    "  select    --n                         top 60% of n scores\n"
    "  tokenize  --tokenizer FILE --data FILE [--fields F]\n"
    "examples:\n"
    "  build/bench gemm --m 2048 --n 512 --k 512 --op nt --threads 2\n"
    "  build/bench step --ratio 0.6\n";

typedef struct measurement {
    const char *name, *flags;
    void (*run)(void);
} measurement;

static const measurement measurements[] = {
    {"peak", "--threads ", bench_peak},
    {"gemm", "--m --n --k --op --threads --blas ", bench_gemm},
    {"step", MODEL_FLAGS, bench_step},
    {"saving", MODEL_FLAGS, bench_saving},
    {"score", MODEL_FLAGS "--entropy ", bench_score},
    {"generate", MODEL_FLAGS "--n ", bench_generate},
    {"select", "--n ", bench_select},
    {"tokenize", "--tokenizer --data --fields ", bench_tokenize},
};

int main(int argc, char **argv) {
    int code = program_start("bench", &argc, &argv);
    if (code != DONE) return code;
    if (argc < 2) {
        fputs(help, stderr);
        return USAGE;
    }
    if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return DONE;
    }
    for (size_t i = 0; i < COUNT(measurements); i++) {
        if (strcmp(argv[1], measurements[i].name) != 0) continue;
        flags_parse(argc, argv, measurements[i].flags);
        measurements[i].run();
        return DONE;
    }
    usage_error("unknown measurement %s (try bench -h)", argv[1]);
    return USAGE;
}
