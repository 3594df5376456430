/* filters.c: documents, windows and tokens that the scores of the whole noisy text keep. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "common/options.h"
#include "jobs.h"
#include "lab/filter.h"

/* ---- what a token is worth ---- */
enum { OF_REFERENCE, OF_BASE };

/* Minus the reference's loss of each token, plus the base's if it is asked for; NaN for the
   first. */
static double *worth_of_tokens(const repro *r, const job *j, size_t n, int by_base) {
    slm_losses *reference = job_load_scores(r, j->worth[OF_REFERENCE]);
    slm_losses *base = by_base ? job_load_scores(r, j->worth[OF_BASE]) : NULL;
    double *worth = (double *)must_alloc(n, sizeof *worth);
    worth[0] = NAN;
    for (size_t i = 1; i < n; i++) {
        worth[i] = -(double)reference->loss[i - 1];
        if (base != NULL) worth[i] += (double)base->loss[i - 1];
    }
    slm_losses_free(reference);
    slm_losses_free(base);
    return worth;
}

/* ---- documents ---- */
static spans documents_of(const job *j, const experiment *e) {
    const size_t longest = job_is_generated(j) ? 0 : REPRO_STRETCH;
    const slm_corpus *c = e->corpus[CORPUS_NOISY];
    size_t *size = (size_t *)must_alloc(c->n, sizeof *size);
    for (size_t i = 0; i < c->n; i++)
        (void)slm_tokenizer_token_at(&size[i], e->tokenizer, c->tokens[i], i);
    spans documents = spans_of_documents(e->text[CORPUS_NOISY].text, size, c->n, longest);
    free(size);
    return documents;
}

slm_real *filter_document_worth(const repro *r, const job *j, const experiment *e) {
    const size_t n = e->corpus[CORPUS_NOISY]->n;
    const spans documents = documents_of(j, e);
    double *worth = worth_of_tokens(r, j, n, 1);
    double *mean = (double *)must_alloc(documents.n, sizeof *mean);
    slm_real *out = (slm_real *)must_alloc(n, sizeof *out);
    spans_mean(mean, &documents, worth);
    for (size_t i = 0; i < documents.n; i++)
        for (size_t k = documents.start[i]; k < documents.start[i + 1]; k++)
            out[k] = (slm_real)(isfinite(mean[i]) ? mean[i] : -1e30);
    free(mean);
    free(worth);
    free(documents.start);
    return out;
}

/* Marks the tokens that the reference vetoes: it gives them far less than the base does, so that
   the clean text must have spoken against them.  Of what it only does not know it says little. */
static uint8_t *vetoed_tokens(const double *worth, size_t n) {
    uint8_t *mask = (uint8_t *)must_alloc(n, 1);
    for (size_t i = 1; i < n; i++)
        mask[i] = worth[i] < -REPRO_VETO;
    return mask;
}

/* Puts the spans that are kept in the place of the noisy text, one after the other; masked (tokens)
   or NULL. */
static void keep_spans(experiment *e, const spans *s, const uint8_t *keep, const uint8_t *masked) {
    const slm_corpus *c = e->corpus[CORPUS_NOISY];
    const uint8_t *kind = e->text[CORPUS_NOISY].kind;
    int32_t *tokens = (int32_t *)must_alloc(c->n, sizeof *tokens);
    uint8_t *kinds = kind != NULL ? (uint8_t *)must_alloc(c->n, 1) : NULL;
    uint8_t *mask = (uint8_t *)must_alloc(c->n, 1);
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const size_t size = s->start[i + 1] - s->start[i];
        if (!keep[i]) continue;
        memcpy(tokens + n, c->tokens + s->start[i], size * sizeof *tokens);
        if (masked != NULL) memcpy(mask + n, masked + s->start[i], size);
        if (kinds != NULL) memcpy(kinds + n, kind + s->start[i], size);
        n += size;
    }
    text_replace_corpus(e, tokens, masked != NULL ? mask : NULL, n);
    text_replace_kinds(e, kinds);
    free(tokens);
    free(mask);
}

/* Makes one span of so many in a row. */
static void join_spans(spans *s, size_t in_a_row) {
    const size_t end = s->start[s->n];
    size_t n = 0;
    for (size_t i = 0; i < s->n; i += in_a_row)
        s->start[n++] = s->start[i];
    s->start[n] = end;
    s->n = n;
}

static void keep_best_spans(experiment *e, const job *j, const spans *s, const double *worth) {
    double *mean = (double *)must_alloc(s->n, sizeof *mean);
    uint8_t *keep = (uint8_t *)must_alloc(s->n, 1);
    uint8_t *masked = j->text == TEXT_VETOED ? vetoed_tokens(worth, s->start[s->n]) : NULL;
    slm_rng rng = slm_rng_seed(j->s.seed);
    if (worth != NULL) spans_mean(mean, s, worth);
    for (size_t i = 0; worth == NULL && i < s->n; i++)
        mean[i] = slm_rng_uniform(&rng);
    spans_keep_best(keep, s, mean, j->share);
    keep_spans(e, s, keep, masked);
    free(masked);
    free(mean);
    free(keep);
}

/* ---- tokens ---- */
/* Masks all but the job's share of the tokens, those that are worth most in the whole text. */
static void mask_tokens(experiment *e, const job *j, const double *worth) {
    const slm_corpus *c = e->corpus[CORPUS_NOISY];
    const size_t targets = c->n - 1;
    slm_real *score = (slm_real *)must_alloc(c->n, sizeof *score);
    uint8_t *mask = (uint8_t *)must_alloc(c->n, 1);
    for (size_t i = 1; i < c->n; i++)
        score[i] = (slm_real)worth[i];
    must(slm_select_top(mask + 1, score + 1, NULL, targets, slm_select_count(j->share, targets),
                        &experiment_error));
    for (size_t i = 0; i < c->n; i++)
        mask[i] = !mask[i];
    text_replace_corpus(e, c->tokens, mask, c->n);
    free(score);
    free(mask);
}

static void mask_vetoed(experiment *e, const double *worth) {
    const slm_corpus *c = e->corpus[CORPUS_NOISY];
    uint8_t *mask = vetoed_tokens(worth, c->n);
    text_replace_corpus(e, c->tokens, mask, c->n);
    free(mask);
}

void filter_noisy_text(const repro *r, const job *j, experiment *e) {
    const size_t n = e->corpus[CORPUS_NOISY]->n;
    const int by_base = j->text != TEXT_LIKELY_DOCUMENTS;
    const int at_random = j->text == TEXT_RANDOM_DOCUMENTS;
    double *worth = at_random ? NULL : worth_of_tokens(r, j, n, by_base);
    if (j->text == TEXT_CLEANED) {
        mask_tokens(e, j, worth);
    } else if (j->text == TEXT_ALL_VETOED) {
        mask_vetoed(e, worth);
    } else {
        const int by_window = j->text == TEXT_WINDOWS;
        spans s = by_window ? spans_of_windows(n, (size_t)j->s.T) : documents_of(j, e);
        if (j->text == TEXT_PAGES) join_spans(&s, REPRO_PAGE);
        keep_best_spans(e, j, &s, worth);
        free(s.start);
    }
    free(worth);
}
