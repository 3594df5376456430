/* build/bench WHAT --flags: how fast slm.h is, one `key=value ...` line per measurement on stdout.  See `build/bench -h`. */
#define _POSIX_C_SOURCE 200809L
#define SLM_STATIC
#define SLM_IMPLEMENTATION
struct slm_tape;
struct slm__node;
typedef void bench_operation(struct slm_tape *, struct slm__node *);
static void bench_trace(bench_operation *begins, int sweep);
#define SLM__TRACE(operation, sweep) bench_trace(operation, sweep)
#include "slm.h"
#include "peak.h"
#include "threads.h"
#include <dlfcn.h>
#include <sys/resource.h>
#include <time.h>

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the profile: the time from one SLM__TRACE to the next belongs to the first's operation ---- */
#define PROFILE_SLOTS 16

static struct {
    bench_operation *operation;
    double seconds[2];
} profile[PROFILE_SLOTS]; /* forward, backward */

static int profile_now, profile_sweep;
static double profile_since;

static void bench_trace(bench_operation *begins, int sweep) {
    double now = seconds();
    int i = 1;
    profile[profile_now].seconds[profile_sweep] += now - profile_since;
    profile_since = now;
    while (begins != NULL && i < PROFILE_SLOTS - 1 && profile[i].operation != NULL &&
           profile[i].operation != begins)
        i++;
    profile_now = begins == NULL ? 0 : i; /* slot 0: what is no operation (norm, AdamW) */
    profile[profile_now].operation = begins;
    profile_sweep = sweep;
}

static void print_profile(void) {
    static const struct {
        bench_operation *operation;
        const char *name;
    } names[] = {{NULL, "optimizer"},
                 {slm__linear_backward, "linear"},
                 {slm__attention_backward, "attention"},
                 {slm__rmsnorm_backward, "rmsnorm"},
                 {slm__rope_backward, "rope"},
                 {slm__swiglu_grad, "swiglu"},
                 {slm__embedding_backward, "embedding"},
                 {slm__selective_loss_backward, "losses and head"}};

    double all = 0;
    size_t i, j;
    for (i = 0; i < PROFILE_SLOTS; i++)
        all += profile[i].seconds[0] + profile[i].seconds[1];
    for (i = 0; i < SLM__COUNT(names); i++)
        for (j = 0; j < PROFILE_SLOTS; j++)
            if (profile[j].operation == names[i].operation &&
                (j == 0 || names[i].operation != NULL))
                printf("profile operation=\"%s\" forward=%.1f%% backward=%.1f%% share=%.1f%%\n",
                       names[i].name, 100 * profile[j].seconds[0] / all,
                       100 * profile[j].seconds[1] / all,
                       100 * (profile[j].seconds[0] + profile[j].seconds[1]) / all);
}

static double peak_rss_mb(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, size_t n) {
    qsort(x, n, sizeof *x, by_value);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

static void fail(const char *format, const char *what) {
    fprintf(stderr, "bench: ");
    fprintf(stderr, format, what);
    fprintf(stderr, "\n");
    exit(2);
}

static void check(slm_status status, const slm_error *err) {
    if (status != SLM_OK) {
        fprintf(stderr, "bench: %s\n", err->text);
        exit(1);
    }
}

/* ---- flags: every one takes a value ---- */
static int n_args;
static char **args;

static const char *flag(const char *name, const char *otherwise) {
    int i;
    for (i = 2; i + 1 < n_args; i += 2)
        if (strcmp(args[i], name) == 0) return args[i + 1];
    return otherwise;
}

static long number(const char *name, long otherwise) {
    const char *text = flag(name, NULL);
    char *end;
    long value;
    if (text == NULL) return otherwise;
    value = strtol(text, &end, 10);
    if (*end != 0 || end == text || value < 0) fail("%s needs a whole number of at least 0", name);
    return value;
}

static void check_flags(const char *known) {
    char name[64];
    int i;
    for (i = 2; i < n_args; i += 2) {
        snprintf(name, sizeof name, "%s ", args[i]);
        if (strstr(known, name) == NULL) fail("unknown flag %s (try bench -h)", args[i]);
        if (i + 1 == n_args) fail("%s needs a value", args[i]);
    }
}

static int use_threads(void) {
    long threads = number("--threads", SLM__THREADS());
#ifdef _OPENMP
    if (threads > 0) omp_set_num_threads((int)threads);
#endif
    return SLM__THREADS() + 0 * (int)threads;
}

static slm_real *array(size_t n) {
    slm_error err;
    slm_real *p = (slm_real *)slm__alloc(n, sizeof *p, &err);
    slm_rng rng = slm_rng_seed(n);
    size_t i;
    if (p == NULL) check(SLM_ERR_MEMORY, &err);
    for (i = 0; i < n; i++)
        p[i] = (slm_real)(slm_rng_uniform(&rng) - 0.5);
    return p;
}

/* ---- peak, gemm, select ---- */
static void bench_peak(void) {
    int threads = use_threads();
    printf("peak threads=%d gflops=%.1f\n", threads, slm_bench_peak(threads));
}

/* OpenBLAS, where a path to it is given: the same product in the same run, turn by turn.  Between the turns a rest, because the
   idle threads of either spin for a while and would slow the other; then some work that is not timed, because threads that slept
   may wake up on one core and are spread over the cores only after some milliseconds. */
static void rest(void) {
    struct timespec t = {0, 60000000};
    nanosleep(&t, NULL);
}

#define BENCH_WARM                                                                                 \
    (r == 0 ? 0.3 : 0.05) /* seconds; a process begins with its threads on one core, too */
typedef void bench_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha,
                         const float *a, int lda, const float *b, int ldb, float beta, float *c,
                         int ldc);

static bench_sgemm *blas_open(const char *path, int threads) {
    union {
        void *object;
        bench_sgemm *call;
        void (*threads)(int);
    } symbol;

    void *library = dlopen(path, RTLD_NOW);
    if (library == NULL || sizeof(slm_real) != sizeof(float))
        fail("--blas %s: cannot be loaded", path);
    symbol.object = dlsym(library, "openblas_set_num_threads");
    if (symbol.object != NULL) symbol.threads(threads);
    symbol.object = dlsym(library, "cblas_sgemm");
    if (symbol.object == NULL) fail("--blas %s: it has no cblas_sgemm", path);
    return symbol.call;
}

typedef struct product {
    size_t m, n, k;
    int op;
    slm_real *a, *b, *c, *work;
    bench_sgemm *blas;
} product;

static void multiply(const product *p, int by_blas) {
    slm__mat a = slm__matrix(p->a, p->op == SLM__TN ? p->m : p->k, NULL),
             b = slm__matrix(p->b, p->op == SLM__NT ? p->k : p->n, NULL);
    if (!by_blas)
        slm__gemm(p->op, p->m, p->n, p->k, a, b, 0, slm__matrix_out(p->c, p->n, NULL), p->work);
    else
        p->blas(101, p->op == SLM__TN ? 112 : 111, p->op == SLM__NT ? 112 : 111, (int)p->m,
                (int)p->n, (int)p->k, 1, (float *)p->a, (int)a.ld, (float *)p->b, (int)b.ld, 0,
                (float *)p->c, (int)p->n);
}

static void bench_gemm(void) {
    const char *name = flag("--op", "nt"), *path = flag("--blas", NULL);
    product p = {(size_t)number("--m", 2048),
                 (size_t)number("--n", 512),
                 (size_t)number("--k", 512),
                 SLM__NT,
                 0,
                 0,
                 0,
                 0,
                 0};
    double t[2][9], start, flops = 2e-9 * (double)p.m * (double)p.n * (double)p.k;
    size_t repeats = 1 + (size_t)(2 / (flops + 1e-9)), i;
    int threads = use_threads(), r, by_blas;
    if (strcmp(name, "nn") && strcmp(name, "nt") && strcmp(name, "tn"))
        fail("--op is %s, it must be nn, nt or tn", name);
    p.op = strcmp(name, "nn") == 0 ? SLM__NN : strcmp(name, "nt") == 0 ? SLM__NT : SLM__TN;
    p.a = array(p.m * p.k);
    p.b = array(p.n * p.k);
    p.c = array(p.m * p.n);
    p.work = array(slm__gemm_work(threads));
    p.blas = path != NULL ? blas_open(path, threads) : NULL;
    for (r = 0; r < 9; r++)
        for (by_blas = 0; by_blas < (p.blas != NULL ? 2 : 1); by_blas++) {
            if (p.blas != NULL) rest();
            for (start = seconds(); (p.blas != NULL || r == 0) && seconds() - start < BENCH_WARM;)
                multiply(&p, by_blas);
            for (start = seconds(), i = 0; i < repeats; i++)
                multiply(&p, by_blas);
            t[by_blas][r] = (seconds() - start) / (double)repeats;
        }
    printf("gemm op=%s m=%zu n=%zu k=%zu threads=%d gflops=%.1f", name, p.m, p.n, p.k, threads,
           flops / median(t[0], 9));
    if (p.blas != NULL)
        printf(" blas_gflops=%.1f ratio=%.3f", flops / median(t[1], 9),
               median(t[1], 9) / median(t[0], 9));
    printf("\n");
}

static void bench_select(void) {
    size_t n = (size_t)number("--n", 1 << 20), k = slm_select_count(0.6, n), r;
    slm_real *score = array(n);
    uint8_t *mask = (uint8_t *)malloc(n);
    double t[9], start;
    slm_error err;
    for (r = 0; r < 9; r++) {
        start = seconds();
        check(slm_select_top(mask, score, NULL, n, k, &err), &err);
        t[r] = seconds() - start;
    }
    printf("select n=%zu k=%zu ms=%.3f\n", n, k, 1e3 * median(t, 9));
}

/* ---- step, score, generate ---- */
static slm_model_config shape(void) {
    slm_model_config c;
    memset(&c, 0, sizeof c);
    c.vocab = (int32_t)number("--vocab", 4096);
    c.dim = (int32_t)number("--dim", 256);
    c.n_layers = (int32_t)number("--layers", 6);
    c.n_heads = (int32_t)number("--heads", 8);
    c.n_kv_heads = (int32_t)number("--kv-heads", c.n_heads);
    c.ffn = (int32_t)number("--ffn", 704);
    c.tie_embeddings = (int32_t)number("--tied", 0);
    return c;
}

#define SHAPE_FLAGS                                                                                \
    "--vocab --dim --layers --heads --kv-heads --ffn --tied --batch --seq --threads --ratio "      \
    "--steps --profile --recompute "

/* Floating-point operations of one token of plain training: 6 per matrix parameter that multiplies it, and attention's
   12 T C per layer, halved because half of it is masked. */
static double flops_per_token(const slm_model *model, int32_t T) {
    const slm_model_config *c = &model->config;
    double matrices = 0;
    size_t i;
    for (i = c->tie_embeddings ? 0 : 1; i < model->n_tensors; i++)
        if (model->table[i].decay)
            matrices += (double)(model->table[i].rows * model->table[i].cols);
    return 6 * matrices + 6.0 * c->n_layers * (double)T * c->n_heads * c->head_dim;
}

static slm_batch *random_batch(int32_t B, int32_t T, int32_t vocab) {
    slm_batch *batch;
    slm_error err;
    slm_rng rng = slm_rng_seed(1);
    int32_t i;
    check(slm_batch_create(&batch, B, T, &err), &err);
    check(slm_batch_alloc_reference(batch, &err), &err);
    for (i = 0; i < B * T; i++) {
        batch->inputs[i] = (int32_t)slm_rng_below(&rng, (uint64_t)vocab);
        batch->targets[i] = (int32_t)slm_rng_below(&rng, (uint64_t)vocab);
        batch->ref_loss[i] = (slm_real)(slm_rng_uniform(&rng) * 8);
        batch->ref_entropy[i] = 0;
    }
    return batch;
}

static void print_rate(const char *what, double s, double tokens, double flops, int threads) {
    printf("%s threads=%d ms=%.2f tokens_per_s=%.0f gflops=%.1f", what, threads, 1e3 * s,
           tokens / s, 1e-9 * flops / s);
}

static slm_trainer *new_trainer(double ratio) {
    slm_model_config c = shape();
    slm_train_options options = slm_train_defaults();
    slm_model *model;
    slm_trainer *trainer;
    slm_error err;
    options.select.ratio = ratio;
    options.select.criterion = ratio < 1 ? SLM_CRITERION_EXCESS : SLM_CRITERION_NONE;
    check(slm_model_create(&model, &c, 1, &err), &err);
    options.recompute = (int)number("--recompute", 0);
    check(slm_trainer_create(&trainer, model, &options, &err), &err);
    return trainer;
}

static void bench_step(void) {
    int32_t B = (int32_t)number("--batch", 8), T = (int32_t)number("--seq", 256);
    int threads = use_threads();
    long steps = number("--steps", 5), i;
    double *t = (double *)malloc((size_t)(steps + 1) * sizeof *t), start, flops, peak = 0, p,
           ratio = atof(flag("--ratio", "1"));
    slm_trainer *trainer = new_trainer(ratio);
    slm_model *model = slm_trainer_model(trainer);
    slm_batch *batch = random_batch(B, T, model->config.vocab);
    slm_step_stats stats;
    slm_error err;
    for (i = -2; i < steps;
         i++) { /* the first step finds out how much memory it needs, the second lays it out */
        if (i % 2 == 0 && (p = slm_bench_peak(threads)) > peak) peak = p;
        start = profile_since = seconds();
        if (i == 0) memset(profile, 0, sizeof profile);
        check(slm_trainer_step(&stats, trainer, &batch, 1, &err), &err);
        bench_trace(NULL, 0);
        if (i >= 0) t[i] = seconds() - start;
    }
    flops = flops_per_token(model, T) * B * T;
    p = median(t, (size_t)steps);
    print_rate("step", p, (double)B * T, flops, threads);
    printf(" mfu=%.3f peak_rss_mb=%.0f loss=%.4f ratio=%g peak_gflops=%.1f params=%zu\n",
           1e-9 * flops / p / peak, peak_rss_mb(), stats.loss_all, ratio, peak, model->n_params);
    if (number("--profile", 0)) print_profile();
}

/* What of a step's products can be left out exactly, if only the loss of a share `ratio` of the tokens counts: in the backward of
   the head and of the last block's q, o, gate, up and down; k and v and the blocks before need every position. */
static double saving_bound(const slm_model *model, double ratio) {
    const slm_model_config *c = &model->config;
    double C = c->dim, Q = (double)c->n_heads * c->head_dim, head = C * c->vocab,
           skipped = head + 2 * C * Q + 3 * C * c->ffn;
    return (1 - ratio) * 2 * skipped /
           (3 * (head +
                 c->n_layers * (2 * C * Q + 2 * C * c->n_kv_heads * c->head_dim + 3 * C * c->ffn)));
}

/* Plain and selective steps in turns, so that what else the machine does slows both. */
static void bench_saving(void) {
    int32_t B = (int32_t)number("--batch", 8), T = (int32_t)number("--seq", 256);
    int threads = use_threads();
    long steps = number("--steps", 9), i, k, one;
    double ratio = atof(flag("--ratio", "0.6")), start, saved, bound, *t[3];
    slm_trainer *trainers[2] = {new_trainer(1), new_trainer(ratio)};
    slm_batch *batch = random_batch(B, T, slm_trainer_model(trainers[0])->config.vocab);
    slm_step_stats stats;
    slm_error err;
    for (k = 0; k < 3; k++)
        t[k] = (double *)malloc((size_t)(steps + 1) * sizeof **t);
    for (i = -2; i < steps; i++) {
        for (k = 0; k < 2; k++) {
            one = (i + 2 + k) % 2; /* the first of a pair is the plain one every other time */
            start = seconds();
            check(slm_trainer_step(&stats, trainers[one], &batch, 1, &err), &err);
            if (i >= 0) t[one][i] = seconds() - start;
        }
        if (i >= 0) t[2][i] = 1 - t[1][i] / t[0][i];
    }
    saved = median(t[2], (size_t)steps);
    bound = saving_bound(slm_trainer_model(trainers[0]), ratio);
    printf("saving threads=%d ratio=%g pairs=%ld plain_ms=%.2f selective_ms=%.2f saved=%.1f%% "
           "quartiles=%.1f%%..%.1f%% bound=%.1f%% of_bound=%.2f\n",
           threads, ratio, steps, 1e3 * median(t[0], (size_t)steps),
           1e3 * median(t[1], (size_t)steps), 100 * saved, 100 * t[2][steps / 4],
           100 * t[2][steps - 1 - steps / 4], 100 * bound, saved / bound);
}

static void bench_score(void) {
    slm_model_config c = shape();
    int32_t B = (int32_t)number("--batch", 8), T = (int32_t)number("--seq", 256);
    int threads = use_threads();
    long steps = number("--steps", 5), i, entropy = number("--entropy", 1);
    double *t = (double *)malloc((size_t)(steps + 1) * sizeof *t), start, p;
    slm_model *model;
    slm_tape *tape;
    slm_batch *batch;
    slm_real *loss = array((size_t)(B * T)), *h = array((size_t)(B * T));
    slm_error err;
    check(slm_model_create(&model, &c, 1, &err), &err);
    check(slm_tape_create(&tape, &err), &err);
    batch = random_batch(B, T, c.vocab);
    for (i = -2; i < steps; i++) {
        start = seconds();
        check(slm_model_losses(loss, entropy ? h : NULL, tape, model, batch, &err), &err);
        if (i >= 0) t[i] = seconds() - start;
    }
    p = median(t, (size_t)steps);
    print_rate("score", p, (double)B * T, flops_per_token(model, T) / 3 * B * T, threads);
    printf(" entropy=%ld peak_rss_mb=%.0f\n", entropy, peak_rss_mb());
}

static double read_memory(const slm_real *stream,
                          size_t words) { /* seconds, 64 pieces, all threads */
    slm_real sums[64];
    double start = seconds(), sum = 0;
    size_t k;
    SLM__PRAGMA(omp parallel for schedule(static))
    for (k = 0; k < 64; k++)
        sums[k] = slm__row_max(stream + k * (words / 64), words / 64);
    for (k = 0; k < 64; k++)
        sum += (double)sums[k];
    return seconds() - start + (sum < 1e9 ? 0 : 1);
}

/* Tokens one by one and, in turn, reads of 256 MiB: both medians, so that what else the machine does slows both. */
static void bench_generate(void) {
    slm_model_config c = shape();
    size_t n = (size_t)number("--n", 64), reads = 0, words = (size_t)64 << 20, i;
    int threads = use_threads();
    slm_model *model;
    slm_generator *g;
    const slm_real *logits;
    slm_choice likeliest;
    slm_error err;
    slm_real *stream = array(words);
    double *token_s = (double *)malloc((n + 1) * sizeof *token_s),
           *read_s = (double *)malloc((n + 1) * sizeof *read_s), start, s, read, bytes;
    if (n < 1) fail("%s needs at least 1 token", "--n");
    check(slm_model_create(&model, &c, 1, &err), &err);
    check(slm_generator_create(&g, model, (int32_t)n + 1, &err), &err);
    check(slm_generator_push(&logits, g, 1, &err), &err);
    for (i = 0; i < n; i++) {
        if (i % 8 == 0) read_s[reads++] = read_memory(stream, words);
        start = seconds();
        check(slm_likeliest_tokens(&likeliest, logits, c.vocab, 1, &err), &err);
        check(slm_generator_push(&logits, g, likeliest.token, &err), &err);
        token_s[i] = seconds() - start;
    }
    s = median(token_s, n);
    read = median(read_s, reads);
    bytes = flops_per_token(model, 0) / 6 * sizeof(slm_real);
    printf("generate threads=%d tokens_per_s=%.1f gb_per_s=%.2f stream_gb_per_s=%.2f share=%.3f "
           "params=%zu\n",
           threads, 1 / s, 1e-9 * bytes / s, 1e-9 * (double)words * sizeof(slm_real) / read,
           bytes / s / ((double)words * sizeof(slm_real) / read), model->n_params);
}

static void bench_tokenize(void) {
    slm_tokenizer *t;
    char *text = NULL;
    int32_t *ids;
    size_t size = 0;
    size_t n = 0;
    double start, s;
    slm_error err;
    if (flag("--tokenizer", NULL) == NULL || flag("--data", NULL) == NULL)
        fail("%s needs --tokenizer FILE and --data FILE", "tokenize");
    check(slm_tokenizer_load(&t, flag("--tokenizer", ""), &err), &err);
    check(slm_text_read(&text, &size, flag("--data", ""), flag("--fields", NULL), &err), &err);
    start = seconds();
    check(slm_tokenizer_encode(&ids, &n, t, text, size, &err), &err);
    s = seconds() - start;
    printf("tokenize bytes=%zu tokens=%zu ms=%.1f mb_per_s=%.1f\n", size, n, 1e3 * s,
           1e-6 * (double)size / s);
}

static const char help[] =
    "usage: bench WHAT --flag value ...      one line of key=value per measurement\n"
    "  peak      --threads                          the machine's multiply-add limit\n"
    "  gemm      --m --n --k --op nn|nt|tn --threads [--blas libopenblas.so.0]\n"
    "  step      --vocab --dim --layers --heads --kv-heads --ffn --tied --batch --seq --threads "
    "--ratio --steps --profile 0|1\n            --recompute 0|1                        gate, up "
    "and v are made again: less memory, more time\n"
    "  saving    the same shape, --ratio --steps    plain and selective steps in turns: the share "
    "of time saved, and its bound\n"
    "  score     the same, and --entropy 0|1        forward only: loss and entropy of every token\n"
    "  generate  the same shape, --n                one token at a time, against the speed of "
    "memory\n"
    "  select    --n                                top 60% of n scores\n"
    "  tokenize  --tokenizer FILE --data FILE [--fields F]\n"
    "examples:\n"
    "  build/bench gemm --m 2048 --n 512 --k 512 --op nt --threads 2\n"
    "  build/bench step --ratio 0.6\n";

int main(int argc, char **argv) {
    static const struct {
        const char *name, *flags;
        void (*run)(void);
    } verbs[] = {
        {"peak", "--threads ", bench_peak},
        {"gemm", "--m --n --k --op --threads --blas ", bench_gemm},
        {"step", SHAPE_FLAGS, bench_step},
        {"saving", SHAPE_FLAGS, bench_saving},
        {"score", SHAPE_FLAGS "--entropy ", bench_score},
        {"generate", SHAPE_FLAGS "--n ", bench_generate},
        {"select", "--n ", bench_select},
        {"tokenize", "--tokenizer --data --fields ", bench_tokenize},
    };

    size_t i;
    threads_wait_gently(argv);
    n_args = argc;
    args = argv;
    if (argc < 2 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
        fputs(help, argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    for (i = 0; i < SLM__COUNT(verbs); i++)
        if (strcmp(argv[1], verbs[i].name) == 0) {
            check_flags(verbs[i].flags);
            verbs[i].run();
            return 0;
        }
    fail("unknown measurement %s (try bench -h)", argv[1]);
    return 2;
}
