/* slm_view.h: the verb `view`: the token heat map of a text, with what selection keeps and what the model would have said. */
#ifndef SLM_VIEW_H
#define SLM_VIEW_H
#include "slm_common.h"
#include "report/heatmap.h"

enum { VIEW_GUESSES = 5 };

typedef struct view_options {
    option_list data;
    const char *model, *ref, *tokenizer, *fields, *out;
    int32_t seq, threads;
    uint64_t limit;
    double ratio;
    int quiet;
} view_options;

typedef struct view_run {
    slm_tokenizer *tokenizer;
    slm_model *model, *ref;
    slm_corpus *corpus;
    int32_t T;
    char *bytes; /* the text of the tokens, and where each begins (n + 1) */
    size_t *start;
    double *loss, *ref_loss; /* (n) */
    heatmap_guess *guess;       /* (n x VIEW_GUESSES) */
} view_run;

/* Only the first `limit` tokens. */
static inline int view_cut(view_run *r, uint64_t limit) {
    slm_error err;
    slm_corpus *whole = r->corpus;
    slm_status status;
    if (whole->n <= limit) return DONE;
    status = slm_corpus_create(&r->corpus, whole->tokens, whole->masked, (size_t)limit,
                               slm_tokenizer_vocab(r->tokenizer), &err);
    if (status == SLM_OK) r->corpus->tokenizer_hash = whole->tokenizer_hash;
    slm_corpus_free(whole);
    return fail_status(status, FOR_INPUT, &err);
}

static inline int view_text_bytes(view_run *r) {
    size_t n = r->corpus->n, at = 0, size;
    r->start = (size_t *)malloc((n + 1) * sizeof *r->start);
    if (r->start == NULL) return no_memory();
    for (size_t i = 0; i < n; i++) {
        r->start[i] = at;
        size = 0;
        (void)slm_tokenizer_token(&size, r->tokenizer, r->corpus->tokens[i]);
        at += size;
    }
    r->start[n] = at;
    if ((r->bytes = (char *)malloc(at + 1)) == NULL) return no_memory();
    for (size_t i = 0; i < n; i++) {
        const char *token = slm_tokenizer_token(&size, r->tokenizer, r->corpus->tokens[i]);
        if (token != NULL && size > 0) memcpy(r->bytes + r->start[i], token, size);
    }
    return DONE;
}

/* The losses of training: in its windows, by the same forward. */
static inline int view_losses(view_run *r, const slm_model *model, const char *what, int quiet,
                              double **out) {
    slm_error err;
    watch w;
    slm_losses *scores = NULL;
    slm_windows windows = slm_corpus_windows(r->corpus, 4, r->T);
    slm_status status;
    *out = (double *)malloc(r->corpus->n * sizeof **out);
    if (*out == NULL) return no_memory();
    watch_start(&w, what, NULL, quiet);
    status = slm_losses_compute(&scores, model, r->corpus, &windows, watch_callback, &w, &err);
    progress_end(&w.bar);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
    (*out)[0] = NAN; /* the first token is no target */
    for (size_t i = 0; i < scores->n; i++)
        (*out)[i + 1] =
            r->corpus->masked != NULL && r->corpus->masked[i + 1] ? NAN : (double)scores->loss[i];
    slm_losses_free(scores);
    return DONE;
}

/* The likeliest tokens, lowest id among equals, with their probabilities. */
static inline void view_best(const view_run *r, const slm_real *logits, heatmap_guess *out) {
    int32_t best[VIEW_GUESSES], V = r->model->config.vocab, n = 0;
    double sum = 0;
    for (int32_t id = 0; id < V; id++) {
        int32_t at = n < VIEW_GUESSES ? n++ : VIEW_GUESSES;
        for (; at > 0 && logits[id] > logits[best[at - 1]]; at--)
            if (at < VIEW_GUESSES) best[at] = best[at - 1];
        if (at < VIEW_GUESSES) best[at] = id;
    }
    for (int32_t id = 0; id < V; id++)
        sum += exp((double)logits[id] - (double)logits[best[0]]);
    for (int32_t i = 0; i < n; i++) {
        out[i].bytes = slm_tokenizer_token(&out[i].size, r->tokenizer, best[i]);
        out[i].p = exp((double)logits[best[i]] - (double)logits[best[0]]) / sum;
        if (out[i].bytes == NULL) {
            out[i].bytes = "";
            out[i].size = 0;
        }
    }
}

static inline int view_guesses(view_run *r, int quiet) {
    slm_error err;
    slm_generator *generator = NULL;
    const slm_real *logits = NULL;
    watch w;
    slm_status status = slm_generator_create(&generator, r->model, r->T, &err);
    size_t n = r->corpus->n;
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
    if ((r->guess = (heatmap_guess *)calloc(n * VIEW_GUESSES, sizeof *r->guess)) == NULL) {
        slm_generator_free(generator);
        return no_memory();
    }
    watch_start(&w, "predictions", "tok/s", quiet);
    for (size_t i = 0; i + 1 < n && status == SLM_OK; i++) {
        if (i % (size_t)r->T == 0) slm_generator_reset(generator); /* a window begins */
        status = slm_generator_push(&logits, generator, r->corpus->tokens[i], &err);
        if (status == SLM_OK) view_best(r, logits, r->guess + (i + 1) * VIEW_GUESSES);
        if (watch_callback(&w, i + 1, n - 1) && i + 2 < n) {
            (void)snprintf(err.text, sizeof err.text, "interrupted");
            status = SLM_ERR_CANCELLED;
        }
    }
    progress_end(&w.bar);
    slm_generator_free(generator);
    return fail_status(status, FOR_OUTPUT, &err);
}

static inline int view_write(const view_options *o, const view_run *r) {
    char temporary[PATH_MOST], intro[512];
    heatmap_text text;
    FILE *f;
    int wrong;
    memset(&text, 0, sizeof text);
    text.title = o->data.items[0];
    text.bytes = r->bytes;
    text.start = r->start;
    text.n = r->corpus->n;
    text.loss = r->loss;
    text.ref_loss = r->ref_loss;
    text.ratio = o->ratio;
    text.guess = r->guess;
    text.n_guess = VIEW_GUESSES;
    (void)snprintf(
        intro, sizeof intro, "%zu tokens in windows of %d, read by %s%s%s.  %s", r->corpus->n,
        (int)r->T, o->model, o->ref != NULL ? " and the reference " : "",
        o->ref != NULL ? o->ref : "",
        o->ref != NULL
            ? "Kept are the tokens of highest excess loss: the model's minus the reference's."
            : "Kept are the tokens of highest loss; with --ref, of highest excess loss.");
    if (snprintf(temporary, sizeof temporary, "%s.tmp", o->out) >= (int)sizeof temporary)
        return fail(USAGE, "%.60s...: the path is too long", o->out);
    if ((f = fopen(temporary, "wb")) == NULL)
        return fail(FAILED, "%s: cannot open for writing: %s", temporary, strerror(errno));
    wrong = heatmap_page(f, "Token view", intro, &text, 1);
    if (ferror(f) | fclose(f) | wrong || rename(temporary, o->out) != 0) {
        int code =
            wrong ? no_memory() : fail(FAILED, "%s: cannot write: %s", o->out, strerror(errno));
        (void)remove(temporary);
        return code;
    }
    printf("%s: %zu tokens\n", o->out, r->corpus->n);
    return DONE;
}

static inline int view_main(const view_options *o, view_run *r) {
    int code = load_tokenizer(&r->tokenizer, o->tokenizer, o->model);
    if (code == DONE) code = load_model(&r->model, o->model);
    if (code == DONE) code = check_vocab(r->model, o->model, r->tokenizer);
    if (code == DONE && o->ref != NULL) code = load_reference(&r->ref, o->ref, r->tokenizer);
    if (code == DONE) code = load_corpus(&r->corpus, r->tokenizer, &o->data, o->fields);
    if (code == DONE) code = view_cut(r, o->limit);
    if (code == DONE) code = view_text_bytes(r);
    if (code != DONE) return code;
    r->T = o->seq > 0 ? o->seq : default_seq(r->model);
    code = view_losses(r, r->model, "losses: token", o->quiet, &r->loss);
    if (code == DONE && r->ref != NULL)
        code = view_losses(r, r->ref, "reference: token", o->quiet, &r->ref_loss);
    if (code == DONE) code = view_guesses(r, o->quiet);
    return code == DONE ? view_write(o, r) : code;
}

static inline int verb_view(int argc, char **argv) {
    static const option_page page = {
        "view",
        "a text's tokens coloured by loss or excess loss, as one HTML file",
        "view --model DIR [--ref DIR] --data F --out R.html [flags]",
        {"slm view --model base --ref ref --data noisy.txt --out view.html",
         "slm view --model run --data page.txt --limit 500 --out page.html"},
        "The page needs no network: a slider re-cuts what is kept, and each token shows its loss, "
        "rank and the model's five best guesses.",
        0};
    view_options o;
    view_run r;
    option_list rest = {{NULL}, 0};
    int code;
    option table[] = {
        OPTION_TEXT("model", &o.model, "DIR", "the model folder"),
        OPTION_TEXT("ref", &o.ref, "DIR", "the reference model: colours and ranks by excess loss"),
        OPTION_LIST("data", &o.data, "F...", "text, .jsonl or token files"),
        OPTION_TEXT("out", &o.out, "R.html", "the page to write"),
        OPTION_REAL("ratio", &o.ratio, 1e-9, 1, "R", "where the slider starts (default 0.6)"),
        OPTION_I32("seq", &o.seq, 1, 1048576, "T",
                   "window length (default: the model's context, at most 1024)"),
        OPTION_U64("limit", &o.limit, 2, 1e6, "N", "tokens at most (default 2000)"),
        OPTION_TEXT("tokenizer", &o.tokenizer, "T",
                    "bytes, a tokenizer.json or a folder with one (default: the model's)"),
        OPTION_TEXT("fields", &o.fields, "A,B",
                    "the fields of .jsonl records to join (default: text)"),
        OPTION_I32("threads", &o.threads, 1, 4096, "N", "threads (default: all)"),
        OPTION_FLAG("quiet", &o.quiet, "no progress on stderr")};
    memset(&o, 0, sizeof o);
    memset(&r, 0, sizeof r);
    o.ratio = 0.6;
    o.limit = 2000;
    code = options_parse(&page, table, COUNT(table), &rest, argc, argv);
    if (code != -1) return code;
    if ((code = needed(o.model != NULL, "--model", "DIR")) != DONE ||
        (code = needed(o.data.n > 0, "--data", "F")) != DONE ||
        (code = needed(o.out != NULL, "--out", "R.html")) != DONE)
        return code;
    use_threads(o.threads);
    code = view_main(&o, &r);
    free(r.bytes);
    free(r.start);
    free(r.loss);
    free(r.ref_loss);
    free(r.guess);
    slm_corpus_free(r.corpus);
    slm_model_free(r.ref);
    slm_model_free(r.model);
    slm_tokenizer_free(r.tokenizer);
    return code;
}
#endif
