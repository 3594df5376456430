/* repro_report_tokens.h: the token view of the saved models, and where the reference is wrong.  Part of repro_report.h.
 *
 * Reads DIR/{base,reference,clm,slm}/ (model folders), DIR/text.bin and, if it is there, DIR/kind.bin (each byte's true kind). */
#ifndef REPRO_REPORT_TOKENS_H
#define REPRO_REPORT_TOKENS_H
#include "repro_report_draw.h"

enum { TOKENS_MOST = 2400, TOKENS_GUESSES = 5, TOKENS_VIEWS = 3, TOKENS_SHOWN = 12 };

typedef struct tokens_text {
    slm_tokenizer *tokenizer;
    slm_corpus *corpus;
    char *bytes, *kinds; /* the text; kind of each byte, or NULL */
    size_t size, n, start[TOKENS_MOST + 1];
    unsigned char kind[TOKENS_MOST];
    int32_t T;
    double ref[TOKENS_MOST];
} tokens_text;

typedef struct tokens_view {
    slm_model *model;
    double loss[TOKENS_MOST];
    heatmap_guess guess[TOKENS_MOST * TOKENS_GUESSES];
} tokens_view;

/* Loss of each token in the windows of training; NaN: the first. */
static inline slm_status tokens_losses(const tokens_text *t, const slm_model *model, double *out,
                                       slm_error *err) {
    slm_losses *scores = NULL;
    slm_windows windows = slm_corpus_windows(t->corpus, 4, t->T);
    slm_status status =
        slm_losses_compute(&scores, model, t->corpus, &windows, NULL, NULL, err);
    for (size_t i = 0; i < t->n; i++) {
        out[i] = i == 0 || status != SLM_OK ? NAN : (double)scores->loss[i - 1];
    }
    slm_losses_free(scores);
    return status;
}

/* The likeliest tokens, lowest id among equals, with their probabilities. */
static inline void tokens_best(const tokens_text *t, const slm_real *logits, heatmap_guess *out) {
    int32_t best[TOKENS_GUESSES], vocab = slm_tokenizer_vocab(t->tokenizer), n = 0;
    double sum = 0;
    for (int32_t id = 0; id < vocab; id++) {
        int32_t at = n < TOKENS_GUESSES ? n++ : TOKENS_GUESSES;
        for (; at > 0 && logits[id] > logits[best[at - 1]]; at--) {
            if (at < TOKENS_GUESSES) {
                best[at] = best[at - 1];
            }
        }
        if (at < TOKENS_GUESSES) {
            best[at] = id;
        }
    }
    for (int32_t id = 0; id < vocab; id++) {
        sum += exp((double)logits[id] - (double)logits[best[0]]);
    }
    for (int32_t i = 0; i < n; i++) {
        out[i].bytes = slm_tokenizer_token(&out[i].size, t->tokenizer, best[i]);
        out[i].p = exp((double)logits[best[i]] - (double)logits[best[0]]) / sum;
    }
}

static inline slm_status tokens_guess(const tokens_text *t, tokens_view *v, slm_error *err) {
    slm_generator *generator = NULL;
    const slm_real *logits = NULL;
    slm_status status = slm_generator_create(&generator, v->model, t->T, err);
    memset(v->guess, 0, sizeof v->guess);
    for (size_t i = 0; i + 1 < t->n && status == SLM_OK; i++) {
        if (i % (size_t)t->T == 0) {
            slm_generator_reset(generator);
        } /* a window begins */
        status = slm_generator_push(&logits, generator, t->corpus->tokens[i], err);
        if (status == SLM_OK) {
            tokens_best(t, logits, &v->guess[(i + 1) * TOKENS_GUESSES]);
        }
    }
    slm_generator_free(generator);
    return status;
}

/* Where each token stands in the text, and its kind: that of its first byte. */
static inline void tokens_places(tokens_text *t, size_t kinds) {
    size_t at = 0, size;
    for (size_t i = 0; i < t->n; i++) {
        t->start[i] = at;
        t->kind[i] = t->kinds != NULL && at < kinds ? (unsigned char)t->kinds[at] : 255;
        size = 0;
        (void)slm_tokenizer_token(&size, t->tokenizer, t->corpus->tokens[i]);
        at += size;
    }
    t->start[t->n] = at;
}

static inline slm_status tokens_load(tokens_text *t, const char *dir, slm_error *err) {
    char path[1024];
    size_t kinds = 0;
    slm_corpus *whole = NULL;
    slm_status status =
        slm_tokenizer_load(&t->tokenizer, data__path(path, sizeof path, dir, "base"), err);
    if (status == SLM_OK) {
        status =
            slm_file_read(&t->bytes, &t->size, data__path(path, sizeof path, dir, "text.bin"), err);
    }
    if (status != SLM_OK) {
        return status;
    }
    if (slm_file_read(&t->kinds, &kinds, data__path(path, sizeof path, dir, "kind.bin"), NULL) !=
        SLM_OK) {
        t->kinds = NULL;
    }
    status = slm_corpus_encode(&whole, t->tokenizer, t->bytes, t->size, err);
    if (status == SLM_OK) {
        t->n = whole->n < TOKENS_MOST ? whole->n : TOKENS_MOST;
        status = slm_corpus_create(&t->corpus, whole->tokens, NULL, t->n,
                                   slm_tokenizer_vocab(t->tokenizer), err);
    }
    if (status == SLM_OK) {
        tokens_places(t, kinds);
    }
    slm_corpus_free(whole);
    return status;
}

/* A few tokens around token i, the token itself between bars, what is not printable as a dot. */
static inline void tokens_context(const tokens_text *t, size_t i, char *out, size_t size) {
    size_t from = t->start[i] > 28 ? t->start[i] - 28 : 0,
           to = t->start[i + 1] + 12 < t->start[t->n] ? t->start[i + 1] + 12 : t->start[t->n],
           n = 0;
    for (size_t at = from; at < to && n + 4 < size; at++) {
        unsigned char c = (unsigned char)t->bytes[at];
        if (at == t->start[i]) {
            out[n++] = '[';
        }
        out[n++] = c == '\n' ? ' ' : c >= 0x20 && c < 0x7F && c != '`' ? (char)c : '.';
        if (at + 1 == t->start[i + 1]) {
            out[n++] = ']';
        }
    }
    out[n] = '\0';
}

/* The tokens whose excess loss most misleads: noise that ranks highest, target tokens that rank lowest. */
static inline void tokens_mistakes(findings *r, const tokens_text *t, const tokens_view *v) {
    static const char *const header[6] = {"mistake", "text", "kind", "loss", "reference", "excess"};
    static char cell[TOKENS_SHOWN * 6][96];
    const char *cells[TOKENS_SHOWN * 6];
    unsigned char taken[TOKENS_MOST] = {0};
    size_t n = 0;
    for (size_t k = 0; k < TOKENS_SHOWN; k++) {
        int noise = k < TOKENS_SHOWN / 2;
        size_t worst = t->n;
        for (size_t i = 1; i < t->n; i++) {
            double excess = v->loss[i] - t->ref[i];
            if (taken[i] || t->kind[i] >= DATA_KINDS || !isfinite(excess)) {
                continue;
            }
            if (noise ? t->kind[i] < 4 : t->kind[i] > 2) {
                continue;
            }
            if (worst == t->n || (noise ? excess > v->loss[worst] - t->ref[worst]
                                        : excess < v->loss[worst] - t->ref[worst])) {
                worst = i;
            }
        }
        if (worst == t->n) {
            continue;
        }
        taken[worst] = 1;
        char(*c)[96] = &cell[n * 6], context[72];
        tokens_context(t, worst, context, sizeof context);
        snprintf(c[0], sizeof c[0], "%s", noise ? "noise, ranked high" : "target, ranked low");
        snprintf(c[1], sizeof c[1], "`%s`", context);
        snprintf(c[2], sizeof c[2], "%s", data_kinds[t->kind[worst]]);
        snprintf(c[3], sizeof c[3], "%.2f", v->loss[worst]);
        snprintf(c[4], sizeof c[4], "%.2f", t->ref[worst]);
        snprintf(c[5], sizeof c[5], "%.2f", v->loss[worst] - t->ref[worst]);
        for (size_t j = 0; j < 6; j++) {
            cells[n * 6 + j] = c[j];
        }
        n++;
    }
    if (n == 0) {
        return;
    }
    page_table(&r->page,
                 "Where the reference is wrong: by the starting model's excess loss, the noise "
                 "that ranks highest and "
                 "the target that ranks lowest.",
                 header, 6, cells, n);
}

/* 1: the view is in the page; 0: left out, and *err says why. */
static inline int tokens_section(findings *r, const char *folder, const char *title, double ratio,
                                 slm_error *err) {
    static const char *const names[TOKENS_VIEWS] = {"base", "clm", "slm"};
    static const char *const titles[TOKENS_VIEWS] = {
        "before: the base model", "after plain training", "after selective training"};
    static tokens_text t;
    static tokens_view view[TOKENS_VIEWS];
    heatmap_text texts[TOKENS_VIEWS];
    char dir[800], path[1024], heading[TOKENS_VIEWS][96];
    size_t n = 0;
    slm_model *reference = NULL;
    memset(&t, 0, sizeof t);
    memset(view, 0, sizeof view);
    memset(texts, 0, sizeof texts);
    snprintf(dir, sizeof dir, "%s/%s", r->dir, folder);
    slm_status status =
        slm_model_load(&reference, data__path(path, sizeof path, dir, "reference"), err);
    if (status == SLM_OK) {
        status = tokens_load(&t, dir, err);
    }
    if (status == SLM_OK) {
        t.T = reference->config.max_seq < 256 ? reference->config.max_seq : 256;
        status = tokens_losses(&t, reference, t.ref, err);
    }
    for (size_t k = 0; k < TOKENS_VIEWS && status == SLM_OK; k++) {
        if (slm_model_load(&view[n].model, data__path(path, sizeof path, dir, names[k]), err) !=
            SLM_OK) {
            continue;
        }
        status = tokens_losses(&t, view[n].model, view[n].loss, err);
        if (status == SLM_OK) {
            status = tokens_guess(&t, &view[n], err);
        }
        snprintf(heading[n], sizeof heading[n], "%s", titles[k]);
        texts[n] = (heatmap_text){heading[n],
                               t.bytes,
                               t.start,
                               t.n,
                               0,
                               view[n].loss,
                               t.ref,
                               NULL,
                               NULL,
                               ratio,
                               view[n].guess,
                               TOKENS_GUESSES,
                               t.kinds != NULL ? t.kind : NULL,
                               data_kinds,
                               DATA_KINDS};
        n++;
    }
    if (status == SLM_OK && n > 0) {
        page_subtitle(&r->page, title);
        if (page_heatmaps(&r->page, texts, n) != 0) {
            must_have(NULL);
        }
        if (t.kinds != NULL) {
            tokens_mistakes(r, &t, &view[0]);
        }
    }
    for (size_t k = 0; k < TOKENS_VIEWS; k++) {
        slm_model_free(view[k].model);
    }
    slm_model_free(reference);
    slm_corpus_free(t.corpus);
    slm_free(t.bytes);
    slm_free(t.kinds);
    slm_tokenizer_free(t.tokenizer);
    return status == SLM_OK && n > 0;
}
#endif
