/* slm_eval.h: the verb `eval`, and the mean loss that training's validation uses too. */
#ifndef SLM_EVAL_H
#define SLM_EVAL_H
#include "slm_common.h"

/* A model, ready to take the losses of windows: sum[w] and count[w] of each. */
typedef struct evaluator {
    const slm_model *model;
    slm_tape *tape;
    slm_batch *batch;
    slm_real *loss;
    double *sum;
    size_t *count, windows;
} evaluator;

static inline void evaluator_free(evaluator *e) {
    slm_tape_free(e->tape);
    slm_batch_free(e->batch);
    free(e->loss);
    free(e->sum);
    free(e->count);
    memset(e, 0, sizeof *e);
}

static inline int evaluator_create(evaluator *e, const slm_model *model, int32_t B, int32_t T,
                                   size_t windows) {
    slm_error err;
    slm_status status = slm_tape_create(&e->tape, &err);
    e->model = model;
    e->windows = windows;
    if (status == SLM_OK) status = slm_batch_create(&e->batch, B, T, &err);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
    e->loss = (slm_real *)malloc((size_t)B * (size_t)T * sizeof *e->loss);
    e->sum = (double *)malloc(windows * sizeof *e->sum);
    e->count = (size_t *)malloc(windows * sizeof *e->count);
    return e->loss == NULL || e->sum == NULL || e->count == NULL ? no_memory() : DONE;
}

/* The losses of the first windows of the corpus; stops early with SLM_ERR_CANCELLED where it is asked to. */
static inline slm_status evaluator_run(evaluator *e, const slm_corpus *corpus, watch *w,
                                       slm_error *err) {
    size_t B = (size_t)e->batch->B, T = (size_t)e->batch->T;
    slm_status status = SLM_OK;
    for (size_t first = 0; first < e->windows && status == SLM_OK; first += B) {
        slm_batch_fill(e->batch, corpus, first);
        status = slm_model_losses(e->loss, NULL, e->tape, e->model, e->batch, err);
        for (size_t b = 0; b < B && first + b < e->windows && status == SLM_OK; b++) {
            e->sum[first + b] = 0;
            e->count[first + b] = 0;
            for (size_t i = b * T; i < (b + 1) * T; i++) {
                if (e->batch->targets[i] < 0) continue;
                e->sum[first + b] += (double)e->loss[i];
                e->count[first + b]++;
            }
        }
        if (status == SLM_OK && w != NULL &&
            watch_callback(w, first + B < e->windows ? first + B : e->windows, e->windows) &&
            first + B < e->windows) { /* a stop after the last one comes too late */
            (void)snprintf(err->text, sizeof err->text, "interrupted");
            return SLM_ERR_CANCELLED;
        }
    }
    return status;
}

/* Mean over all targets, nats; *tokens: how many there were. */
static inline double evaluator_mean(const evaluator *e, size_t *tokens) {
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < e->windows; i++) {
        sum += e->sum[i];
        count += e->count[i];
    }
    if (tokens != NULL) *tokens = count;
    return count > 0 ? sum / (double)count : NAN;
}

static inline int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The middle 95% of the means of 1000 draws of as many windows, with replacement.  Windows and not tokens are drawn, since the
   losses within a window hang together. */
static inline int bootstrap(const evaluator *e, uint64_t seed, double interval[2]) {
    enum { DRAWS = 1000 };

    static double mean[DRAWS];
    slm_rng rng = slm_rng_seed(seed);
    for (size_t k = 0; k < DRAWS; k++) {
        double sum = 0;
        size_t count = 0;
        for (size_t i = 0; i < e->windows; i++) {
            size_t w = (size_t)slm_rng_below(&rng, e->windows);
            sum += e->sum[w];
            count += e->count[w];
        }
        mean[k] = count > 0 ? sum / (double)count : NAN;
    }
    qsort(mean, DRAWS, sizeof *mean, by_value);
    interval[0] =
        mean[25 - 1] +
        0.975 * (mean[25] - mean[25 - 1]); /* the 2.5% and 97.5% points between neighbours */
    interval[1] = mean[975 - 1] + 0.025 * (mean[975] - mean[975 - 1]);
    return DONE;
}

typedef struct eval_options {
    option_list data;
    const char *model, *tokenizer, *fields;
    int32_t seq, batch, threads;
    uint64_t seed;
    int json, quiet;
} eval_options;

static inline void put_number(FILE *out, const char *name, double value, const char *end) {
    if (isfinite(value))
        fprintf(out, "\"%s\": %.17g%s", name, value, end);
    else
        fprintf(out, "\"%s\": null%s", name, end);
}

static inline int eval_print(const eval_options *o, const evaluator *e, const slm_corpus *corpus) {
    size_t tokens;
    double loss = evaluator_mean(e, &tokens), ci[2], bits;
    if (tokens == 0)
        return fail(BAD_INPUT, "%s: every token is masked, there is nothing to predict",
                    o->data.items[0]);
    (void)bootstrap(e, o->seed, ci);
    bits = corpus->bytes > 0 ? loss * (double)tokens / log(2.0) / (double)corpus->bytes : NAN;
    if (o->json) {
        printf("{");
        put_number(stdout, "loss", loss, ", ");
        put_number(stdout, "perplexity", exp(loss), ", ");
        put_number(stdout, "bits_per_byte", bits, ", ");
        printf("\"tokens\": %zu, \"bytes\": %zu, \"ci95\": [%.17g, %.17g]}\n", tokens,
               corpus->bytes, ci[0], ci[1]);
        return DONE;
    }
    printf("loss           %.6f nats per token   (95%%: %.6f to %.6f)\nperplexity     %.4f\n", loss,
           ci[0], ci[1], exp(loss));
    if (isfinite(bits)) printf("bits per byte  %.6f\n", bits);
    printf("tokens         %zu predicted, in %zu windows of %d\nbytes          %zu\n", tokens,
           e->windows, (int)e->batch->T, corpus->bytes);
    return DONE;
}

static inline int eval_run(const eval_options *o, slm_tokenizer **tokenizer, slm_model **model,
                           slm_corpus **corpus, evaluator *e) {
    slm_error err;
    watch w;
    slm_status status;
    size_t windows;
    int32_t T;
    int code = load_tokenizer(tokenizer, o->tokenizer, o->model);
    if (code == DONE) code = load_model(model, o->model);
    if (code == DONE) code = check_vocab(*model, o->model, *tokenizer);
    if (code == DONE) code = load_corpus(corpus, *tokenizer, &o->data, o->fields);
    if (code != DONE) return code;
    T = o->seq > 0 ? o->seq : default_seq(*model);
    windows = slm_corpus_n_windows(*corpus, T);
    code = evaluator_create(e, *model, (size_t)o->batch < windows ? o->batch : (int32_t)windows, T,
                            windows);
    if (code != DONE) return code;
    watch_start(&w, "windows", "windows/s", o->quiet);
    status = evaluator_run(e, *corpus, &w, &err);
    progress_end(&w.bar);
    return status != SLM_OK ? fail_status(status, FOR_OUTPUT, &err) : eval_print(o, e, *corpus);
}

static inline int verb_eval(int argc, char **argv) {
    static const option_page page = {
        "eval",
        "loss, perplexity and bits per byte of a text, with a 95% interval",
        "eval --model DIR --data F... [flags]",
        {"slm eval --model run --data eval.txt", "slm eval --model run --data a.txt b.txt --json"},
        "The loss is the mean over all targets: each token but the first of the text, predicted "
        "from those before it in its window of\n"
        "--seq.  The interval comes from 1000 resamples of whole windows.  --json prints loss "
        "(nats per token), perplexity,\n"
        "bits_per_byte, tokens (targets), bytes (of the text) and ci95 ([low, high], of the loss).",
        0};
    eval_options o;
    option_list rest = {{NULL}, 0};
    slm_tokenizer *tokenizer = NULL;
    slm_model *model = NULL;
    slm_corpus *corpus = NULL;
    evaluator e;
    int code;
    option table[] = {
        OPTION_TEXT("model", &o.model, "DIR", "the model folder"),
        OPTION_LIST("data", &o.data, "F...", "text, .jsonl or token files, one after the other"),
        OPTION_TEXT("tokenizer", &o.tokenizer, "T",
                    "bytes, a tokenizer.json or a folder with one (default: the model's)"),
        OPTION_TEXT("fields", &o.fields, "A,B",
                    "the fields of .jsonl records to join (default: text)"),
        OPTION_I32("seq", &o.seq, 1, 1048576, "T",
                   "window length (default: the model's context, at most 1024)"),
        OPTION_I32("batch", &o.batch, 1, 65536, "B",
                   "windows at once (default 8): a matter of speed and memory only"),
        OPTION_U64("seed", &o.seed, 0, 1.8e19, "S", "of the resampling (default 1)"),
        OPTION_I32("threads", &o.threads, 1, 4096, "N", "threads (default: all)"),
        OPTION_FLAG("json", &o.json, "the result as JSON"),
        OPTION_FLAG("quiet", &o.quiet, "no progress on stderr")};
    memset(&o, 0, sizeof o);
    memset(&e, 0, sizeof e);
    o.batch = 8;
    o.seed = 1;
    code = options_parse(&page, table, COUNT(table), &rest, argc, argv);
    if (code != -1) return code;
    if ((code = needed(o.model != NULL, "--model", "DIR")) != DONE ||
        (code = needed(o.data.n > 0, "--data", "F")) != DONE)
        return code;
    use_threads(o.threads);
    code = eval_run(&o, &tokenizer, &model, &corpus, &e);
    evaluator_free(&e);
    slm_corpus_free(corpus);
    slm_model_free(model);
    slm_tokenizer_free(tokenizer);
    return code;
}
#endif
