/* token_view.c: the heat map of the saved models, and where the reference is wrong.
 *
 * Reads FOLDER/{base,reference,clm,slm}/ (model folders), FOLDER/text.bin and, if it is there,
 * FOLDER/kind.bin (each byte's true kind). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "findings.h"
#include "report/heatmap.h"
#include "slm.h"

enum {
    MAX_TOKENS = 2400,
    GUESSES = 5,
    VIEWS = 3,
    MISTAKES = 12,
    MAX_WINDOW = 256,
    UNKNOWN = 255,
    WINDOWS = 4 /* at once */
};

#define USUAL_RATIO 0.4

typedef struct view_text {
    slm_tokenizer *tokenizer;
    slm_corpus *corpus;
    char *bytes, *kinds; /* the text; the kind of each byte, or NULL */
    size_t size, n_kinds, n, start[MAX_TOKENS + 1];
    unsigned char kind[MAX_TOKENS]; /* of each token: that of its first byte */
    int32_t T;
    double ref_loss[MAX_TOKENS];
} view_text;

typedef struct view {
    double loss[MAX_TOKENS];
    heatmap_guess guess[MAX_TOKENS * GUESSES];
} view;

/* ---- losses and guesses ---- */
/* Loss of each token in the windows of training; NaN: the first. */
static slm_status find_losses(double *out, const view_text *t, const slm_model *model,
                              slm_error *err) {
    slm_losses *losses = NULL;
    const slm_windows windows = slm_corpus_windows(t->corpus, WINDOWS, t->T);
    slm_status status = slm_losses_compute(&losses, model, t->corpus, &windows, NULL, NULL, err);
    out[0] = NAN;
    for (size_t i = 1; i < t->n; i++)
        out[i] = status == SLM_OK ? (double)losses->loss[i - 1] : NAN;
    slm_losses_free(losses);
    return status;
}

static slm_status guess_token(heatmap_guess *out, const view_text *t, const slm_real *logits,
                              slm_error *err) {
    slm_choice best[GUESSES];
    int32_t vocab = slm_tokenizer_vocab(t->tokenizer);
    int32_t n = vocab < GUESSES ? vocab : GUESSES;
    slm_status status = slm_likeliest_tokens(best, logits, vocab, n, err);
    for (int32_t i = 0; i < n && status == SLM_OK; i++) {
        out[i].bytes = slm_tokenizer_token(&out[i].size, t->tokenizer, best[i].token);
        out[i].p = best[i].p;
    }
    return status;
}

/* What the model expects at each token, window by window. */
static slm_status find_guesses(view *v, const view_text *t, const slm_model *model,
                               slm_error *err) {
    slm_generator *generator = NULL;
    const slm_real *logits = NULL;
    slm_status status = slm_generator_create(&generator, model, t->T, err);
    memset(v->guess, 0, sizeof v->guess);
    for (size_t i = 0; i + 1 < t->n && status == SLM_OK; i++) {
        if (i % (size_t)t->T == 0) slm_generator_reset(generator);
        status = slm_generator_push(&logits, generator, t->corpus->tokens[i], err);
        if (status != SLM_OK) break;
        status = guess_token(&v->guess[(i + 1) * GUESSES], t, logits, err);
    }
    slm_generator_free(generator);
    return status;
}

/* ---- the text ---- */
static void place_tokens(view_text *t) {
    size_t position = 0;
    for (size_t i = 0; i < t->n; i++) {
        size_t size = 0;
        int is_known = t->kinds != NULL && position < t->n_kinds;
        t->start[i] = position;
        t->kind[i] = is_known ? (unsigned char)t->kinds[position] : UNKNOWN;
        (void)slm_tokenizer_token_at(&size, t->tokenizer, t->corpus->tokens[i], i);
        position += size;
    }
    t->start[t->n] = position;
}

/* Encodes the text and keeps its first tokens. */
static slm_status encode_text(view_text *t, slm_error *err) {
    slm_corpus *whole = NULL;
    slm_status status = slm_corpus_encode(&whole, t->tokenizer, t->bytes, t->size, err);
    if (status != SLM_OK) return status;
    t->n = whole->n < MAX_TOKENS ? whole->n : MAX_TOKENS;
    status = slm_corpus_create(&t->corpus, whole->tokens, NULL, t->n,
                               slm_tokenizer_vocab(t->tokenizer), err);
    slm_corpus_free(whole);
    return status;
}

static slm_status load_text(view_text *t, const char *folder, slm_error *err) {
    slm_status status = slm_tokenizer_load(&t->tokenizer, make_text("%s/base", folder), err);
    if (status != SLM_OK) return status;
    status = slm_file_read(&t->bytes, &t->size, make_text("%s/text.bin", folder), err);
    if (status != SLM_OK) return status;
    const char *kinds = make_text("%s/kind.bin", folder);
    if (slm_file_read(&t->kinds, &t->n_kinds, kinds, NULL) != SLM_OK) t->kinds = NULL;
    status = encode_text(t, err);
    if (status == SLM_OK) place_tokens(t);
    return status;
}

static void free_text(view_text *t) {
    slm_corpus_free(t->corpus);
    slm_free(t->bytes);
    slm_free(t->kinds);
    slm_tokenizer_free(t->tokenizer);
}

/* ---- where the reference is wrong ---- */
typedef enum mistake { NOISE_RANKED_HIGH, TARGET_RANKED_LOW } mistake;

static int is_of(mistake sort, unsigned char kind) {
    if (kind >= DATA_KINDS) return 0;
    return sort == NOISE_RANKED_HIGH ? kind > CORPUS_OTHER : kind < CORPUS_OTHER;
}

/* The token whose excess loss most misleads, among those that are not taken; t->n if there is
   none. */
static size_t worst_token(const view_text *t, const view *v, mistake sort,
                          const unsigned char *taken) {
    const double sign = sort == NOISE_RANKED_HIGH ? 1 : -1;
    size_t worst = t->n;
    double most = -INFINITY;
    for (size_t i = 1; i < t->n; i++) {
        double misleads = sign * (v->loss[i] - t->ref_loss[i]);
        if (taken[i] || !is_of(sort, t->kind[i]) || !(misleads > most)) continue;
        worst = i;
        most = misleads;
    }
    return worst;
}

static char printable(char c) {
    if (c == '\n') return ' ';
    return c >= 0x20 && c < 0x7F && c != '`' ? c : '.';
}

/* Some text around token i, the token itself in brackets, what is not printable as a dot. */
static void put_context(const view_text *t, size_t i, char *out, size_t size) {
    const size_t before = 28, after = 12;
    size_t from = t->start[i] > before ? t->start[i] - before : 0;
    size_t to = t->start[i + 1] + after < t->start[t->n] ? t->start[i + 1] + after : t->start[t->n];
    size_t n = 0;
    for (size_t offset = from; offset < to && n + 4 < size; offset++) {
        if (offset == t->start[i]) out[n++] = '[';
        out[n++] = printable(t->bytes[offset]);
        if (offset + 1 == t->start[i + 1]) out[n++] = ']';
    }
    out[n] = '\0';
}

static void report_mistakes(findings *all, const view_text *t, const view *v) {
    enum { COLUMNS = 6 };

    static const char *const header[COLUMNS] = {"mistake", "text",      "kind",
                                                "loss",    "reference", "excess"};
    const char *cells[MISTAKES * COLUMNS];
    unsigned char taken[MAX_TOKENS] = {0};
    size_t n = 0;
    for (size_t k = 0; k < MISTAKES; k++) {
        mistake sort = k < MISTAKES / 2 ? NOISE_RANKED_HIGH : TARGET_RANKED_LOW;
        size_t i = worst_token(t, v, sort, taken);
        const char **cell = cells + n * COLUMNS;
        char context[72];
        if (i == t->n) continue;
        taken[i] = 1;
        n++;
        put_context(t, i, context, sizeof context);
        cell[0] = sort == NOISE_RANKED_HIGH ? "noise, ranked high" : "target, ranked low";
        cell[1] = make_text("`%s`", context);
        cell[2] = corpus_kind_names[t->kind[i]];
        cell[3] = make_text("%.2f", v->loss[i]);
        cell[4] = make_text("%.2f", t->ref_loss[i]);
        cell[5] = make_text("%.2f", v->loss[i] - t->ref_loss[i]);
    }
    if (n > 0)
        page_table(&all->page,
                   "Where the reference is wrong: by the starting model's excess loss, the noise "
                   "that ranks highest and the target that ranks lowest.",
                   header, COLUMNS, cells, n);
}

/* ---- a corpus ---- */
static slm_status load_reference(view_text *t, const char *folder, slm_error *err) {
    slm_model *reference = NULL;
    slm_status status = slm_model_load(&reference, make_text("%s/reference", folder), err);
    if (status == SLM_OK) status = load_text(t, folder, err);
    if (status == SLM_OK) {
        int32_t context = reference->config.max_seq;
        t->T = context < MAX_WINDOW ? context : MAX_WINDOW;
        status = find_losses(t->ref_loss, t, reference, err);
    }
    slm_model_free(reference);
    return status;
}

static void show_views(findings *all, const view_text *t, const view *views,
                       const heatmap_text *texts, size_t n, const char *title) {
    page_subtitle(&all->page, title);
    if (page_heatmaps(&all->page, texts, n) != 0) {
        fprintf(stderr, "out of memory\n");
        exit(4);
    }
    if (t->kinds != NULL) report_mistakes(all, t, &views[0]);
}

/* Loads the models that are there, and shows them.  Returns 0 if nothing is shown, and *err says
   why. */
static int report_view(findings *all, const char *name, const char *title, double ratio,
                       slm_error *err) {
    static const struct {
        const char *folder, *title;
    } models[VIEWS] = {{"base", "before: the base model"},
                       {"clm", "after plain training"},
                       {"slm", "after selective training"}};

    static view_text t;
    static view views[VIEWS];
    heatmap_text texts[VIEWS];
    const char *folder = make_text("%s/%s", all->dir, name);
    size_t n = 0;
    memset(&t, 0, sizeof t);
    slm_status status = load_reference(&t, folder, err);
    for (size_t k = 0; k < VIEWS && status == SLM_OK; k++) {
        view *v = &views[n];
        const char *path = make_text("%s/%s", folder, models[k].folder);
        slm_model *model = NULL;
        if (slm_model_load(&model, path, err) != SLM_OK) continue;
        status = find_losses(v->loss, &t, model, err);
        if (status == SLM_OK) status = find_guesses(v, &t, model, err);
        slm_model_free(model);
        texts[n++] = (heatmap_text){.title = models[k].title,
                                    .bytes = t.bytes,
                                    .start = t.start,
                                    .n = t.n,
                                    .loss = v->loss,
                                    .ref_loss = t.ref_loss,
                                    .ratio = ratio,
                                    .guess = v->guess,
                                    .n_guess = GUESSES,
                                    .kind = t.kinds != NULL ? t.kind : NULL,
                                    .kinds = corpus_kind_names,
                                    .n_kinds = DATA_KINDS};
    }
    int is_shown = status == SLM_OK && n > 0;
    if (is_shown) show_views(all, &t, views, texts, n, title);
    free_text(&t);
    return is_shown;
}

/* The folder's own name is left out of an error: the page is the same wherever the folder is. */
static const char *without_folder(const char *text, const char *folder) {
    size_t n = strlen(folder);
    return strncmp(text, folder, n) == 0 && text[n] == '/' ? text + n + 1 : text;
}

void report_token_views(findings *all) {
    static const struct {
        const char *folder, *corpus, *title;
    } places[2] = {{"models", "builtin", "Built-in corpus"},
                   {"models_openstax", "openstax", "OpenStax"}};

    page_section(&all->page, "Token by token",
                 "Text of the noisy corpus that no model was trained on.  Colour: excess loss, the "
                 "model's minus the reference's; the slider keeps the top k%.  Choose another "
                 "text to see the same tokens after training.");
    for (size_t i = 0; i < 2; i++) {
        double ratio = data_main(&all->d, places[i].corpus, "slm")->ratio;
        slm_error err = {SLM_OK, ""};
        if (!(ratio > 0 && ratio < 1)) ratio = USUAL_RATIO;
        if (report_view(all, places[i].folder, places[i].title, ratio, &err)) continue;
        page_text(&all->page, make_text("Left out: %s. The saved models are not there or cannot "
                                        "be read (%s).",
                                        places[i].title, without_folder(err.text, all->dir)));
    }
}
