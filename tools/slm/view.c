/* view.c: the verb `view`: the heat map of a text's tokens, with what selection keeps and what the
 * model would have said. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/errors.h"
#include "common/inputs.h"
#include "common/options.h"
#include "common/os.h"
#include "common/output.h"
#include "common/paths.h"
#include "report/heatmap.h"
#include "slm/verbs.h"

enum { N_GUESSES = 5, WINDOWS_AT_ONCE = 4 };

typedef struct view_options {
    option_list data;
    const char *model, *ref, *tokenizer, *out;
    data_options read;
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
    char *text;           /* of all tokens */
    size_t *start;        /* (n + 1) where each begins in it */
    double *loss;         /* (n) nats */
    double *ref_loss;     /* (n) nats, or NULL */
    heatmap_guess *guess; /* (n, N_GUESSES) */
} view_run;

static void free_run(view_run *r) {
    free(r->text);
    free(r->start);
    free(r->loss);
    free(r->ref_loss);
    free(r->guess);
    slm_corpus_free(r->corpus);
    slm_model_free(r->ref);
    slm_model_free(r->model);
    slm_tokenizer_free(r->tokenizer);
}

/* Keeps only the first `limit` tokens. */
static int cut_corpus(view_run *r, uint64_t limit) {
    slm_error err;
    slm_corpus *whole = r->corpus;
    if (whole->n <= limit) return DONE;
    r->corpus = NULL;
    int32_t *tokens = (int32_t *)malloc((size_t)limit * sizeof *tokens);
    if (tokens == NULL) {
        slm_corpus_free(whole);
        return fail_memory();
    }
    for (size_t i = 0; i < limit; i++)
        tokens[i] = slm_corpus_token(whole, i);
    slm_status status = slm_corpus_create(&r->corpus, tokens, whole->masked, (size_t)limit,
                                          slm_tokenizer_vocab(r->tokenizer), &err);
    free(tokens);
    if (status == SLM_OK) {
        size_t n = whole->document_starts != NULL ? whole->n_documents : 0;
        r->corpus->tokenizer_hash = whole->tokenizer_hash;
        r->corpus->within_documents = whole->within_documents;
        while (n > 0 && whole->document_starts[n - 1] >= limit)
            n--;
        if (n > 0)
            status = slm_corpus_set_documents(r->corpus, whole->document_starts, n, &err);
    }
    slm_corpus_free(whole);
    return fail_status(status, FOR_INPUT, &err);
}

static int make_text(view_run *r) {
    size_t n = r->corpus->n;
    size_t offset = 0;
    r->start = (size_t *)malloc((n + 1) * sizeof *r->start);
    if (r->start == NULL) return fail_memory();
    for (size_t i = 0; i < n; i++) {
        size_t size = 0;
        (void)slm_tokenizer_token_at(&size, r->tokenizer, slm_corpus_token(r->corpus, i), i);
        r->start[i] = offset;
        offset += size;
    }
    r->start[n] = offset;

    r->text = (char *)malloc(offset + 1);
    if (r->text == NULL) return fail_memory();
    for (size_t i = 0; i < n; i++) {
        size_t size = 0;
        int32_t id = slm_corpus_token(r->corpus, i);
        const char *bytes = slm_tokenizer_token_at(&size, r->tokenizer, id, i);
        if (bytes != NULL && size > 0) memcpy(r->text + r->start[i], bytes, size);
    }
    return DONE;
}

/* Computes the losses of training: in its windows, by the same forward.  NaN: not a target. */
static int compute_losses(double **out, const view_run *r, const slm_model *model, const char *what,
                          int quiet) {
    const slm_corpus *corpus = r->corpus;
    slm_error err;
    watch w;
    slm_losses *losses = NULL;
    slm_windows windows = slm_corpus_windows(corpus, WINDOWS_AT_ONCE, r->T);
    *out = (double *)malloc(corpus->n * sizeof **out);
    if (*out == NULL) return fail_memory();

    watch_start(&w, what, NULL, quiet);
    set_signal_answer(SIGNAL_ENDS);
    slm_status status =
        slm_losses_compute(&losses, model, corpus, &windows, watch_callback, &w, &err);
    progress_end(&w.bar);
    if (status != SLM_OK) {
        slm_losses_free(losses);
        return fail_status(status, FOR_OUTPUT, &err);
    }
    (*out)[0] = NAN;
    for (size_t i = 1; i < corpus->n; i++) {
        int masked = !slm_corpus_is_target(corpus, i);
        (*out)[i] = masked ? NAN : (double)losses->loss[i - 1];
    }
    slm_losses_free(losses);
    return DONE;
}

static slm_status guess_token(heatmap_guess *guess, const view_run *r, const slm_real *logits,
                              slm_error *err) {
    slm_choice choices[N_GUESSES];
    int32_t vocab = r->model->config.vocab;
    int32_t k = vocab < N_GUESSES ? vocab : N_GUESSES;
    slm_status status = slm_likeliest_tokens(choices, logits, vocab, k, err);
    for (int32_t i = 0; i < k && status == SLM_OK; i++) {
        guess[i].p = (double)choices[i].p;
        guess[i].bytes = slm_tokenizer_token(&guess[i].size, r->tokenizer, choices[i].token);
        if (guess[i].bytes != NULL) continue;
        guess[i].bytes = "";
        guess[i].size = 0;
    }
    return status;
}

static slm_status guess_tokens(view_run *r, slm_generator *generator, watch *w, slm_error *err) {
    size_t n = r->corpus->n;
    for (size_t i = 1; i < n; i++) {
        const slm_real *logits;
        int window_begins = (i - 1) % (size_t)r->T == 0;
        if (window_begins) slm_generator_reset(generator);
        int32_t before = slm_corpus_token(r->corpus, i - 1);
        slm_status status = slm_generator_push(&logits, generator, before, err);
        if (status == SLM_OK) status = guess_token(r->guess + i * N_GUESSES, r, logits, err);
        if (status != SLM_OK) return status;
        if (watch_callback(w, i, n - 1) && i + 1 < n)
            return error_set(err, SLM_ERR_CANCELLED, "interrupted");
    }
    return SLM_OK;
}

static int make_guesses(view_run *r, int quiet) {
    slm_error err;
    slm_generator *generator;
    watch w;
    r->guess = (heatmap_guess *)calloc(r->corpus->n * N_GUESSES, sizeof *r->guess);
    if (r->guess == NULL) return fail_memory();
    slm_status status = slm_generator_create(&generator, r->model, r->T, &err);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);

    watch_start(&w, "predictions", "tok/s", quiet);
    status = guess_tokens(r, generator, &w, &err);
    progress_end(&w.bar);
    slm_generator_free(generator);
    return fail_status(status, FOR_OUTPUT, &err);
}

static void make_intro(char *out, size_t size, const view_options *o, const view_run *r) {
    int n = snprintf(out, size, "%zu tokens in windows of %d, read by %s", r->corpus->n, (int)r->T,
                     o->model);
    if (n < 0 || (size_t)n >= size) return;
    out += n;
    size -= (size_t)n;
    if (o->ref != NULL) {
        (void)snprintf(out, size,
                       " and the reference %s.  Kept are the tokens of highest excess loss: the "
                       "model's minus the reference's.",
                       o->ref);
    } else {
        (void)snprintf(out, size,
                       ".  Kept are the tokens of highest loss; with --ref, of highest excess "
                       "loss.");
    }
}

/* Whether a picture is asked for, by the name of --out. */
static int is_picture(const view_options *o) {
    size_t n = strlen(o->out);
    return n > 4 && strcmp(o->out + n - 4, ".svg") == 0;
}

static int write_page(const view_options *o, const view_run *r) {
    output_file file;
    char intro[512];
    heatmap_text text = {
        .title = o->data.items[0],
        .bytes = r->text,
        .start = r->start,
        .n = r->corpus->n,
        .loss = r->loss,
        .ref_loss = r->ref_loss,
        .ratio = o->ratio,
        .guess = r->guess,
        .n_guess = N_GUESSES,
    };
    make_intro(intro, sizeof intro, o, r);
    int code = output_file_begin(&file, o->out);
    if (code != DONE) return code;

    int out_of_memory = is_picture(o) ? heatmap_svg(file.stream, &text)
                                      : heatmap_page(file.stream, "Token view", intro, &text, 1);
    code = output_file_end(&file, out_of_memory ? fail_memory() : DONE);
    if (code == DONE) printf("%s: %zu tokens\n", o->out, r->corpus->n);
    return code;
}

static int view(const view_options *o, view_run *r) {
    int code = load_model_and_tokenizer(&r->model, &r->tokenizer, o->model, o->tokenizer);
    if (code == DONE && o->ref != NULL) code = load_reference(&r->ref, o->ref, r->tokenizer);
    if (code != DONE) return code;
    if (r->tokenizer == NULL) {
        return fail(BAD_INPUT, "%s: no tokenizer, but a page shows texts: --tokenizer "
                               "bytes|FILE|FOLDER",
                    o->model);
    }
    int32_t vocab = slm_tokenizer_vocab(r->tokenizer);
    token_reader reader = token_reader_of(r->tokenizer, r->model, vocab, &o->read);
    code = load_corpus(&r->corpus, &reader, &o->data);
    if (code == DONE) say_report(&reader.report);
    if (code == DONE) code = cut_corpus(r, o->limit);
    if (code == DONE) code = check_corpus_ids(r->corpus, r->model, o->model, r->tokenizer);
    if (code == DONE && r->ref != NULL)
        code = check_corpus_ids(r->corpus, r->ref, o->ref, r->tokenizer);
    if (code == DONE) code = make_text(r);
    if (code != DONE) return code;

    r->T = o->seq > 0 ? o->seq : default_seq(r->model);
    code = check_window(r->model, o->model, r->T);
    if (code == DONE && r->ref != NULL) code = check_window(r->ref, o->ref, r->T);
    if (code == DONE) code = compute_losses(&r->loss, r, r->model, "losses: token", o->quiet);
    if (code == DONE && r->ref != NULL)
        code = compute_losses(&r->ref_loss, r, r->ref, "reference: token", o->quiet);
    if (code == DONE && !is_picture(o)) code = make_guesses(r, o->quiet);
    if (code == DONE) code = write_page(o, r);
    return code;
}

static int parse_options(view_options *o, int argc, char **argv) {
    static const option_page page = {
        "view",
        "a text's tokens coloured by loss or excess loss, as one HTML file",
        "view --model DIR [--ref DIR] --data F --out R.html [flags]",
        {"slm view --model base --ref ref --data noisy.txt --out view.html",
         "slm view --model run --data page.txt --limit 500 --out page.html"},
        "The page needs no network: a slider re-cuts what is kept, and each token shows its loss,\n"
        "rank and the model's five best guesses.  --out R.svg makes a picture of the first lines.",
        0};
    option_list rest = {{NULL}, 0};
    option table[] = {
        OPTION_MODEL(&o->model),
        OPTION_TEXT("ref", &o->ref, "DIR", "the reference model: colours and ranks by excess loss"),
        OPTION_DATA(&o->data),
        OPTION_TEXT("out", &o->out, "R.html", "the page to write; or R.svg"),
        OPTION_REAL("ratio", &o->ratio, 1e-9, 1, "R", "where the slider starts (default 0.6)"),
        OPTION_SEQ(&o->seq, OR_THE_CONTEXT),
        OPTION_U64("limit", &o->limit, 2, 1e6, "N", "tokens at most (default 2000)"),
        OPTION_TOKENIZER(&o->tokenizer, OR_THE_MODELS),
        OPTIONS_TEXT(&o->read),
        OPTION_DTYPE(&o->read),
        OPTIONS_DOCUMENTS(&o->read),
        OPTION_THREADS(&o->threads),
        OPTION_QUIET(&o->quiet),
    };
    memset(o, 0, sizeof *o);
    o->read = data_defaults();
    o->ratio = 0.6;
    o->limit = 2000;
    return options_parse(&page, table, COUNT(table), &rest, argc, argv);
}

int verb_view(int argc, char **argv) {
    view_options o;
    view_run r;
    int code = parse_options(&o, argc, argv);
    if (code != OPTIONS_PARSED) return code;
    code = need_flag(o.model != NULL, "--model", "DIR");
    if (code == DONE) code = need_flag(o.data.n > 0, "--data", "F");
    if (code == DONE) code = need_flag(o.out != NULL, "--out", "R.html");
    if (code == DONE) code = check_data(&o.read, &o.data, NULL);
    if (code != DONE) return code;

    output out;
    memset(&r, 0, sizeof r);
    use_threads(o.threads);
    code = output_open_file(&out, o.out);
    if (code == DONE) code = view(&o, &r);
    free_run(&r);
    output_close(&out);
    return code;
}
