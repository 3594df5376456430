/* repro_runs_texts.h: the runs of `make repro`, part 2: which text a job trains on, and is measured on. */
#ifndef REPRO_RUNS_TEXTS_H
#define REPRO_RUNS_TEXTS_H
#include "repro_runs.h"

#define REPRO_RATIO 0.4        /* of every arm that the sets do not vary it in */
#define REPRO_PIECE_BYTES 8000 /* held out of the noisy text's kind, the same for all seeds */
#define REPRO_PIECE_SEED 1000
#define REPRO_OPENSTAX "../shared/data/openstax"
#define REPRO_GSM8K "../shared/data/gsm8k"

/* ---- texts from files ---- */
static void text_append(corpus_text *t, corpus_kind kind, const char *bytes, size_t n) {
    if (!corpus_append(t, kind, bytes, n)) must_have(NULL);
}

/* Bytes from .. from+n of a file, as far as it goes. */
static void text_slice(corpus_text *t, const char *path, const char *fields, size_t from,
                       size_t n) {
    char *bytes;
    size_t size;
    if (n == 0) return;
    must(slm_text_read(&bytes, &size, path, fields, &experiment_error));
    if (from < size) text_append(t, CORPUS_OTHER, bytes + from, n < size - from ? n : size - from);
    slm_free(bytes);
    if (t->size > 0) return;
    fprintf(stderr, "%s: it has %zu bytes, and more than %zu are needed\n", path, size, from);
    exit(3);
}

/* Raw text with records of GSM8K strewn in, one after every 2000 bytes: a fifth of it is of the target's kind. */
static void text_strew(corpus_text *t, const char *raw_path, size_t raw_from, const char *path,
                       size_t from, size_t n) {
    corpus_text raw, records;
    size_t at = 0, record = 0, end;
    memset(&raw, 0, sizeof raw);
    memset(&records, 0, sizeof records);
    text_slice(&raw, raw_path, NULL, raw_from, n);
    text_slice(&records, path, "question,answer", from, n);
    while (t->size < n && at + 2000 < raw.size) {
        const char *stop = strstr(records.text + record, "\n\n");
        end = stop == NULL ? records.size : (size_t)(stop - records.text) + 2;
        text_append(t, CORPUS_OTHER, raw.text + at, 2000);
        text_append(t, CORPUS_PROBLEM, records.text + record, end - record);
        at += 2000;
        record = end < records.size ? end : 0;
    }
    corpus_free(&raw);
    corpus_free(&records);
}

/* Texts of the user, or OpenStax: general and noisy text are two stretches of RAW; the end of CLEAN chooses learning rates. */
static void texts_from_files(const repro *r, const job *j, experiment *e, corpus_text *piece) {
    const settings *s = &j->s;
    int gsm8k = strcmp(j->corpus, "gsm8k") == 0;
    const char *raw = r->raw != NULL ? r->raw : REPRO_OPENSTAX "/raw.cnxml.txt",
               *fields = gsm8k ? "question,answer" : NULL;
    const char *clean = gsm8k              ? REPRO_GSM8K "/train.jsonl"
                        : r->clean != NULL ? r->clean
                                           : REPRO_OPENSTAX "/clean.txt";
    const char *eval = gsm8k             ? REPRO_GSM8K "/test.jsonl"
                       : r->eval != NULL ? r->eval
                                         : REPRO_OPENSTAX "/eval.txt";
    size_t valid = s->eval_bytes / 2;
    if (j->kind == JOB_BASE) text_slice(&e->text[CORPUS_GENERAL], raw, fields, 0, s->general_bytes);
    if (j->kind == JOB_REFERENCE || j->text == TEXT_MIXED || j->then_clean > 0)
        text_slice(&e->text[CORPUS_CLEAN], clean, fields, valid, s->clean_bytes);
    if (j->kind != JOB_SCORES) {
        text_slice(&e->text[CORPUS_VALID], clean, fields, 0, valid);
        text_slice(&e->text[CORPUS_EVAL], eval, fields, 0, s->eval_bytes);
    }
    if (j->kind != JOB_SCORES && j->kind != JOB_ARM) return;
    if (gsm8k)
        text_strew(&e->text[CORPUS_NOISY], raw, s->general_bytes, clean, valid + s->clean_bytes,
                   s->noisy_bytes);
    else
        text_slice(&e->text[CORPUS_NOISY], raw, fields, s->general_bytes, s->noisy_bytes);
    if (piece != NULL)
        text_slice(piece, raw, fields, s->general_bytes + s->noisy_bytes, 4 * REPRO_PIECE_BYTES);
}

/* The truth about each token, from the truth about its first byte; NULL: none. */
static uint8_t *kinds_of_tokens(const experiment *e, corpus_part part) {
    const slm_corpus *c = e->corpus[part];
    const corpus_text *t = &e->text[part];
    uint8_t *kind = (uint8_t *)must_have(malloc(c->n));
    size_t i, at = 0, length;
    for (i = 0; i < c->n; i++, at += length) {
        kind[i] = t->kind[at < t->size ? at : t->size - 1];
        if (slm_tokenizer_token(&length, e->tokenizer, c->tokens[i]) == NULL) length = 0;
    }
    return kind;
}

/* ---- the texts of a job ---- */
static int job_is_builtin(const job *j) {
    return strcmp(j->corpus, "builtin") == 0;
}

static int job_has_truth(const job *j) {
    return job_is_builtin(j) || strcmp(j->corpus, "gsm8k") == 0;
}

static void begin_built_in(const job *j, experiment *e, corpus_text *piece) {
    settings s = j->s;
    const corpus_mix matched = {1, 0, 0};
    if (j->kind != JOB_BASE) s.general_bytes = 0;
    if (j->kind == JOB_BASE || j->kind == JOB_REFERENCE) s.noisy_bytes = 0;
    if (j->kind != JOB_REFERENCE && j->text != TEXT_MIXED && j->then_clean == 0) s.clean_bytes = 0;
    if (j->kind == JOB_SCORES) s.eval_bytes = 0;
    if (j->text == TEXT_MATCHED) s.noisy = matched;
    experiment_begin_built_in(e, &s);
    if (piece != NULL &&
        !corpus_make(piece, CORPUS_NOISY, &j->s.noisy, REPRO_PIECE_BYTES, REPRO_PIECE_SEED))
        must_have(NULL);
}

static void begin_from_files(const repro *r, const job *j, experiment *e, corpus_text *piece) {
    char path[400];
    slm_tokenizer *tokenizer;
    const corpus_text *general = &e->text[CORPUS_GENERAL];
    memset(e, 0, sizeof *e);
    texts_from_files(r, j, e, piece);
    if (j->start < 0 && j->reference < 0)
        must(slm_tokenizer_train(&tokenizer, general->text,
                                 general->size < 1000000 ? general->size : 1000000,
                                 j->s.model.vocab, NULL, NULL, &experiment_error));
    else {
        const job *other = repro_source(r, &r->jobs[j->start >= 0 ? j->start : j->reference]);
        must(slm_tokenizer_load(&tokenizer, repro_path(path, r, "models", other->name, ""),
                                &experiment_error));
    }
    experiment_begin(e, &j->s, tokenizer);
}

static void job_begin(const repro *r, const job *j, experiment *e) {
    corpus_text piece;
    int wants_piece = j->kind == JOB_ARM && j->reference >= 0 && strcmp(j->set, "main") == 0;
    memset(&piece, 0, sizeof piece);
    if (job_is_builtin(j))
        begin_built_in(j, e, wants_piece ? &piece : NULL);
    else
        begin_from_files(r, j, e, wants_piece ? &piece : NULL);
    if (piece.size > 0)
        must(slm_corpus_encode(&e->piece, e->tokenizer, piece.text, piece.size, &experiment_error));
    corpus_free(&piece);
    if (!job_is_builtin(j) && j->kind != JOB_SCORES) {
        free(e->text[CORPUS_EVAL].kind);
        free(e->text[CORPUS_VALID].kind);
        e->text[CORPUS_EVAL].kind = e->text[CORPUS_VALID].kind = NULL;
    }
}

/* ---- the text that an arm trains on ---- */
typedef struct job_corpus {
    slm_corpus *corpus;
    uint8_t *kind;
    int owned;
} job_corpus;

/* Without ids, stamps and markup; without the problems that have a wrong result. */
static void corpus_filter(corpus_text *out, const corpus_text *in) {
    size_t i, k, problem = 0;
    for (i = 0; i < in->size; i++) {
        while (problem < in->n_problems && in->problems[problem].end <= i)
            problem++;
        if (problem < in->n_problems && in->problems[problem].start == i) {
            for (k = i; k < in->problems[problem].end && in->kind[k] != CORPUS_WRONG; k++) {
            }
            if (k < in->problems[problem].end) {
                i = in->problems[problem].end - 1;
                continue;
            }
        }
        if (in->kind[i] < CORPUS_WRONG) text_append(out, (corpus_kind)in->kind[i], in->text + i, 1);
    }
}

static job_corpus corpus_masked(const experiment *e) {
    const slm_corpus *c = e->corpus[CORPUS_NOISY];
    uint8_t *masked = (uint8_t *)must_have(malloc(c->n));
    job_corpus out = {NULL, e->text[CORPUS_NOISY].kind, 1};
    size_t i;
    for (i = 0; i < c->n; i++)
        masked[i] = out.kind[i] > CORPUS_RESULT;
    must(slm_corpus_create(&out.corpus, c->tokens, masked, c->n, slm_tokenizer_vocab(e->tokenizer),
                           &experiment_error));
    free(masked);
    return out;
}

/* As many tokens as all the arm's steps see: those of tune_steps are clean ones, over and over. */
static job_corpus corpus_mixed(const experiment *e) {
    const slm_corpus *noisy = e->corpus[CORPUS_NOISY], *clean = e->corpus[CORPUS_CLEAN];
    size_t rows = (size_t)e->s.B * (size_t)e->s.T, n_clean = rows * (size_t)e->s.tune_steps, i;
    size_t n_noisy = rows * (size_t)(e->s.steps - e->s.tune_steps);
    int32_t *tokens = (int32_t *)must_have(malloc((n_noisy + n_clean) * sizeof *tokens));
    uint8_t *kind = (uint8_t *)must_have(malloc(n_noisy + n_clean));
    job_corpus out = {NULL, NULL, 1};
    for (i = 0; i < n_noisy + n_clean; i++) {
        int from_noisy = i < n_noisy;
        size_t at = from_noisy ? i % noisy->n : (i - n_noisy) % clean->n;
        const uint8_t *truth = e->text[from_noisy ? CORPUS_NOISY : CORPUS_CLEAN].kind;
        tokens[i] = (from_noisy ? noisy : clean)->tokens[at];
        kind[i] = truth != NULL ? truth[at] : 0;
    }
    must(slm_corpus_create(&out.corpus, tokens, NULL, n_noisy + n_clean,
                           slm_tokenizer_vocab(e->tokenizer), &experiment_error));
    free(tokens);
    out.kind = kind;
    return out;
}

static job_corpus job_corpus_make(experiment *e, const job *j) {
    job_corpus out = {e->corpus[CORPUS_NOISY], NULL, 0};
    corpus_text filtered;
    if (!job_has_truth(j)) {
        if (j->text == TEXT_MIXED) {
            out = corpus_mixed(e);
            free(out.kind);
            out.kind = NULL;
        }
        return out;
    }
    if (!job_is_builtin(j)) {
        out.kind = kinds_of_tokens(e, CORPUS_NOISY);
        return out;
    }
    out.kind = e->text[CORPUS_NOISY].kind;
    if (j->text == TEXT_ORACLE) return corpus_masked(e);
    if (j->text == TEXT_MIXED) return corpus_mixed(e);
    if (j->text != TEXT_FILTERED) return out;
    memset(&filtered, 0, sizeof filtered);
    corpus_filter(&filtered, &e->text[CORPUS_NOISY]);
    must(slm_corpus_encode(&out.corpus, e->tokenizer, filtered.text, filtered.size,
                           &experiment_error));
    out.kind = filtered.kind;
    out.owned = 1;
    filtered.kind = NULL;
    corpus_free(&filtered);
    return out;
}

static void job_corpus_free(job_corpus *c, const experiment *e) {
    if (c->owned) slm_corpus_free(c->corpus);
    if (c->kind != e->text[CORPUS_NOISY].kind) free(c->kind);
}
#endif
