/* slm_generate.h: the verb `generate`: continues a text, token by token. */
#ifndef SLM_GENERATE_H
#define SLM_GENERATE_H
#include "slm_common.h"

typedef struct generate_options {
    const char *model, *tokenizer, *prompt;
    int32_t n, top_k, threads;
    double temperature, top_p;
    uint64_t seed;
} generate_options;

typedef struct generate_run {
    slm_tokenizer *tokenizer;
    slm_model *model;
    slm_generator *generator;
    slm_choice *choices; /* (vocab) room for sampling */
    int32_t *prompt;
    size_t n;
} generate_run;

static inline void generate_put(const slm_tokenizer *tokenizer, int32_t id) {
    size_t size = 0;
    const char *bytes =
        slm_tokenizer_token(&size, tokenizer, id); /* none: a row of the model that no text uses */
    if (bytes != NULL) fwrite(bytes, 1, size, stdout);
    (void)fflush(stdout);
}

static inline int generate_run_all(const generate_options *o, generate_run *r) {
    slm_error err;
    slm_rng rng = slm_rng_seed(o->seed);
    slm_status status = SLM_OK;
    slm_sample_options sampling = slm_sample_defaults();
    const slm_real *logits = NULL;
    int32_t token = 0;

    sampling.temperature = o->temperature;
    sampling.top_k = o->top_k;
    sampling.top_p = o->top_p;
    for (size_t i = 0; i < r->n && status == SLM_OK && !stop_requested; i++) {
        generate_put(r->tokenizer, r->prompt[i]);
        status = slm_generator_push(&logits, r->generator, r->prompt[i], &err);
    }
    for (int32_t i = 0; i < o->n && status == SLM_OK && !stop_requested; i++) {
        status = slm_sample_token(&token, logits, r->model->config.vocab, &sampling, &rng,
                                  r->choices, &err);
        if (status != SLM_OK) break;
        generate_put(r->tokenizer, token);
        if (i + 1 < o->n) status = slm_generator_push(&logits, r->generator, token, &err);
    }
    if (isatty(1)) putchar('\n');
    return status != SLM_OK ? fail_status(status, FOR_OUTPUT, &err)
           : stop_requested ? INTERRUPTED
                            : DONE;
}

static inline int generate_main(const generate_options *o, generate_run *r) {
    slm_error err;
    slm_status status;
    int code = load_tokenizer(&r->tokenizer, o->tokenizer, o->model);
    if (code == DONE) code = load_model(&r->model, o->model);
    if (code == DONE) code = check_vocab(r->model, o->model, r->tokenizer);
    if (code != DONE) return code;
    status =
        slm_tokenizer_encode(&r->prompt, &r->n, r->tokenizer, o->prompt, strlen(o->prompt), &err);
    if (status == SLM_OK && r->n > (size_t)(INT32_MAX - o->n))
        return fail(USAGE, "the prompt is too long");
    if (status == SLM_OK)
        status = slm_generator_create(&r->generator, r->model, (int32_t)r->n + o->n, &err);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
    if (r->n + (size_t)o->n > (size_t)r->model->config.max_seq)
        fprintf(stderr,
                "slm generate: note: %zu tokens are more than the context of %d that the model was "
                "made for\n",
                r->n + (size_t)o->n, (int)r->model->config.max_seq);
    r->choices = (slm_choice *)malloc((size_t)r->model->config.vocab * sizeof *r->choices);
    if (r->choices == NULL) return no_memory();
    catch_signals();
    return generate_run_all(o, r);
}

static inline int verb_generate(int argc, char **argv) {
    static const option_page page = {
        "generate",
        "continues a text",
        "generate --model DIR --prompt S [flags]",
        {"slm generate --model run --prompt \"The force on the block is\" -n 100",
         "slm generate --model run --prompt 'Once upon' -n 200 --temp 0.8 --top-p 0.95 --seed 7"},
        "The prompt and what follows go to stdout as bytes, as they are made.  --temp 0 takes the "
        "likeliest token each time.",
        0};
    generate_options o;
    generate_run r;
    option_list rest = {{NULL}, 0};
    int code;
    option table[] = {
        OPTION_TEXT("model", &o.model, "DIR", "the model folder"),
        OPTION_TEXT("prompt", &o.prompt, "S", "the text to continue"),
        OPTION_I32("n", &o.n, 1, 1048576, "N", "tokens to add (default 100)"),
        OPTION_REAL("temp", &o.temperature, 0, 100, "X", "temperature; 0: greedy (default 0.8)"),
        OPTION_I32("top-k", &o.top_k, 0, 16777216, "K", "only the K likeliest; 0: all (default 0)"),
        OPTION_REAL("top-p", &o.top_p, 1e-9, 1, "P",
                    "only the likeliest that make up P together (default 1)"),
        OPTION_U64("seed", &o.seed, 0, 1.8e19, "S", "same seed, same text (default 1)"),
        OPTION_TEXT("tokenizer", &o.tokenizer, "T",
                    "bytes, a tokenizer.json or a folder with one (default: the model's)"),
        OPTION_I32("threads", &o.threads, 1, 4096, "N", "threads (default: all)")};
    memset(&o, 0, sizeof o);
    memset(&r, 0, sizeof r);
    o.n = 100;
    o.temperature = 0.8;
    o.top_p = 1;
    o.seed = 1;
    code = options_parse(&page, table, COUNT(table), &rest, argc, argv);
    if (code != -1) return code;
    if ((code = needed(o.model != NULL, "--model", "DIR")) != DONE ||
        (code = needed(o.prompt != NULL, "--prompt", "S")) != DONE)
        return code;
    if (o.prompt[0] == 0)
        return fail(USAGE, "--prompt is empty: the model needs at least one token to go on from");
    use_threads(o.threads);
    code = generate_main(&o, &r);
    slm_generator_free(r.generator);
    slm_free(r.prompt);
    free(r.choices);
    slm_model_free(r.model);
    slm_tokenizer_free(r.tokenizer);
    return code;
}
#endif
