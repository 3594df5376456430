/* texts.c: which text a job trains on, and is measured on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jobs.h"

enum {
    RAW_STRETCH = 2000,       /* bytes of raw text between two records of GSM8K */
    TOKENIZER_BYTES = 1000000 /* of the general text, from which a vocabulary is learned */
};

/* ---- texts from files ---- */
static void append(corpus_text *t, corpus_kind kind, const char *bytes, size_t n) {
    if (!corpus_append(t, kind, bytes, n)) must_have(NULL);
}

void text_append_file(corpus_text *t, const char *path, const char *fields, size_t from, size_t n) {
    char *bytes;
    size_t size;
    if (n == 0) return;
    must(slm_text_read(&bytes, &size, path, fields, &experiment_error));
    if (from < size) append(t, CORPUS_OTHER, bytes + from, n < size - from ? n : size - from);
    slm_free(bytes);
    if (t->size > 0) return;
    fprintf(stderr, "%s: it has %zu bytes, and more than %zu are needed\n", path, size, from);
    exit(3);
}

/* Appends raw text and records in turn until n bytes are full; the records begin anew where they
   end. */
static void strew_records(corpus_text *t, const corpus_text *raw, const corpus_text *records,
                          size_t n) {
    size_t position = 0, record = 0;
    while (t->size < n && position + RAW_STRETCH < raw->size) {
        const char *blank = strstr(records->text + record, "\n\n");
        size_t end = blank == NULL ? records->size : (size_t)(blank - records->text) + 2;
        append(t, CORPUS_OTHER, raw->text + position, RAW_STRETCH);
        append(t, CORPUS_PROBLEM, records->text + record, end - record);
        position += RAW_STRETCH;
        record = end < records->size ? end : 0;
    }
}

/* Where the texts of a job come from. */
typedef struct sources {
    const char *raw, *clean, *eval, *fields;
} sources;

static sources sources_of(const repro *r, const job *j) {
    static const sources gsm8k = {REPRO_OPENSTAX "/raw.cnxml.txt", REPRO_GSM8K "/train.jsonl",
                                  REPRO_GSM8K "/test.jsonl", "question,answer"};
    static const sources openstax = {REPRO_OPENSTAX "/raw.cnxml.txt", REPRO_OPENSTAX "/clean.txt",
                                     REPRO_OPENSTAX "/eval.txt", NULL};
    const sources user = {r->raw, r->clean, r->eval, NULL};
    if (strcmp(j->corpus, "gsm8k") == 0) return gsm8k;
    return r->raw != NULL ? user : openstax;
}

static int needs_clean_text(const job *j) {
    return j->kind == JOB_REFERENCE || j->text == TEXT_MIXED || j->then_clean > 0;
}

/* Records of GSM8K strewn into raw text: a fifth of it is of the target's kind. */
static void noisy_with_records(const settings *s, const sources *from, corpus_text *out) {
    corpus_text raw, records;
    memset(&raw, 0, sizeof raw);
    memset(&records, 0, sizeof records);
    text_append_file(&raw, from->raw, NULL, s->general_bytes, s->noisy_bytes);
    text_append_file(&records, from->clean, from->fields, s->eval_bytes / 2 + s->clean_bytes,
                     s->noisy_bytes);
    strew_records(out, &raw, &records, s->noisy_bytes);
    corpus_free(&raw);
    corpus_free(&records);
}

/* General and noisy text are two stretches of the raw file; the beginning of the clean file chooses
   learning rates. */
static void read_texts(const repro *r, const job *j, experiment *e, corpus_text *piece) {
    const settings *s = &j->s;
    const sources from = sources_of(r, j);
    size_t valid_bytes = s->eval_bytes / 2;
    corpus_text *text = e->text;
    if (j->kind == JOB_BASE)
        text_append_file(&text[CORPUS_GENERAL], from.raw, from.fields, 0, s->general_bytes);
    if (needs_clean_text(j))
        text_append_file(&text[CORPUS_CLEAN], from.clean, from.fields, valid_bytes, s->clean_bytes);
    if (j->kind != JOB_SCORES) {
        text_append_file(&text[CORPUS_VALID], from.clean, from.fields, 0, valid_bytes);
        text_append_file(&text[CORPUS_EVAL], from.eval, from.fields, 0, s->eval_bytes);
    }
    if (j->kind != JOB_SCORES && j->kind != JOB_ARM) return;
    if (strcmp(j->corpus, "gsm8k") == 0)
        noisy_with_records(s, &from, &text[CORPUS_NOISY]);
    else
        text_append_file(&text[CORPUS_NOISY], from.raw, from.fields, s->general_bytes,
                         s->noisy_bytes);
    if (piece != NULL)
        text_append_file(piece, from.raw, from.fields, s->general_bytes + s->noisy_bytes,
                         4 * REPRO_PIECE_BYTES);
}

/* The truth about each token: that about its first byte. */
static uint8_t *kinds_of_tokens(const experiment *e, corpus_part part) {
    const slm_corpus *c = e->corpus[part];
    const corpus_text *t = &e->text[part];
    uint8_t *kind = (uint8_t *)must_alloc(c->n, 1);
    size_t position = 0, size;
    for (size_t i = 0; i < c->n; i++) {
        kind[i] = t->kind[position < t->size ? position : t->size - 1];
        if (slm_tokenizer_token(&size, e->tokenizer, c->tokens[i]) != NULL) position += size;
    }
    return kind;
}

/* ---- the texts of a job ---- */
static void begin_built_in(const job *j, experiment *e, corpus_text *piece) {
    const corpus_mix pure = {1, 0, 0};
    settings s = j->s;
    if (j->kind != JOB_BASE) s.general_bytes = 0;
    if (j->kind == JOB_BASE || j->kind == JOB_REFERENCE) s.noisy_bytes = 0;
    if (!needs_clean_text(j)) s.clean_bytes = 0;
    if (j->kind == JOB_SCORES) s.eval_bytes = 0;
    if (j->text == TEXT_MATCHED) s.noisy = pure;
    experiment_begin_built_in(e, &s);
    if (piece != NULL &&
        !corpus_make(piece, CORPUS_NOISY, &j->s.noisy, REPRO_PIECE_BYTES, REPRO_PIECE_SEED))
        must_have(NULL);
}

static slm_tokenizer *train_tokenizer(const corpus_text *general, int32_t vocab) {
    size_t size = general->size < TOKENIZER_BYTES ? general->size : TOKENIZER_BYTES;
    slm_tokenizer *tokenizer;
    must(
        slm_tokenizer_train(&tokenizer, general->text, size, vocab, NULL, NULL, &experiment_error));
    return tokenizer;
}

static slm_tokenizer *load_tokenizer(const repro *r, int model) {
    char path[REPRO_PATH_SIZE];
    slm_tokenizer *tokenizer;
    repro_path(path, r, "models", job_source(r, &r->jobs[model])->name, "");
    must(slm_tokenizer_load(&tokenizer, path, &experiment_error));
    return tokenizer;
}

static void forget_kinds(corpus_text *t) {
    free(t->kind);
    t->kind = NULL;
}

static void begin_from_files(const repro *r, const job *j, experiment *e, corpus_text *piece) {
    int model = j->start != NO_JOB ? j->start : j->reference;
    memset(e, 0, sizeof *e);
    read_texts(r, j, e, piece);
    if (model == NO_JOB)
        experiment_begin(e, &j->s, train_tokenizer(&e->text[CORPUS_GENERAL], j->s.model.vocab));
    else
        experiment_begin(e, &j->s, load_tokenizer(r, model));
    forget_kinds(&e->text[CORPUS_EVAL]);
    forget_kinds(&e->text[CORPUS_VALID]);
}

void job_begin(const repro *r, const job *j, experiment *e) {
    int has_piece = j->kind == JOB_ARM && j->reference != NO_JOB && strcmp(j->set, "main") == 0;
    corpus_text piece;
    memset(&piece, 0, sizeof piece);
    if (job_is_builtin(j))
        begin_built_in(j, e, has_piece ? &piece : NULL);
    else
        begin_from_files(r, j, e, has_piece ? &piece : NULL);
    if (piece.size > 0)
        must(slm_corpus_encode(&e->piece, e->tokenizer, piece.text, piece.size, &experiment_error));
    corpus_free(&piece);
}

/* ---- the text that an arm trains on ---- */
static int has_wrong_result(const corpus_text *t, const corpus_problem *problem) {
    for (size_t i = problem->start; i < problem->end; i++)
        if (t->kind[i] == CORPUS_WRONG) return 1;
    return 0;
}

/* Without ids, stamps and markup; without the problems that have a wrong result. */
static void filter_text(corpus_text *out, const corpus_text *in) {
    const corpus_problem *problem = in->problems;
    const corpus_problem *end = in->problems + in->n_problems;
    size_t i = 0;
    while (i < in->size) {
        while (problem < end && problem->end <= i)
            problem++;
        if (problem < end && problem->start == i && has_wrong_result(in, problem)) {
            i = problem->end;
            continue;
        }
        if (in->kind[i] < CORPUS_WRONG) append(out, (corpus_kind)in->kind[i], in->text + i, 1);
        i++;
    }
}

static job_corpus make_filtered(const experiment *e) {
    job_corpus out = {NULL, NULL, 1};
    corpus_text filtered;
    memset(&filtered, 0, sizeof filtered);
    filter_text(&filtered, &e->text[CORPUS_NOISY]);
    must(slm_corpus_encode(&out.corpus, e->tokenizer, filtered.text, filtered.size,
                           &experiment_error));
    out.kind = filtered.kind;
    filtered.kind = NULL;
    corpus_free(&filtered);
    return out;
}

/* The noisy text with all that is off the target masked. */
static job_corpus make_masked(const experiment *e) {
    const slm_corpus *c = e->corpus[CORPUS_NOISY];
    uint8_t *masked = (uint8_t *)must_alloc(c->n, 1);
    job_corpus out = {NULL, e->text[CORPUS_NOISY].kind, 1};
    for (size_t i = 0; i < c->n; i++)
        masked[i] = out.kind[i] > CORPUS_RESULT;
    must(slm_corpus_create(&out.corpus, c->tokens, masked, c->n, slm_tokenizer_vocab(e->tokenizer),
                           &experiment_error));
    free(masked);
    return out;
}

/* Copies n tokens and their kinds from the beginning of a part, over and over. */
static void repeat_tokens(const experiment *e, corpus_part part, size_t n, int32_t *tokens,
                          uint8_t *kind) {
    const slm_corpus *c = e->corpus[part];
    const uint8_t *truth = e->text[part].kind;
    for (size_t i = 0; i < n; i++) {
        tokens[i] = c->tokens[i % c->n];
        kind[i] = truth != NULL ? truth[i % c->n] : 0;
    }
}

/* As many tokens as all the arm's steps see; of these, as many clean ones as in tune_steps. */
static job_corpus make_mixed(const experiment *e) {
    size_t rows = (size_t)e->s.B * (size_t)e->s.T;
    size_t n_clean = rows * (size_t)e->s.tune_steps;
    size_t n_noisy = rows * (size_t)(e->s.steps - e->s.tune_steps);
    int32_t *tokens = (int32_t *)must_alloc(n_noisy + n_clean, sizeof *tokens);
    job_corpus out = {NULL, (uint8_t *)must_alloc(n_noisy + n_clean, 1), 1};
    repeat_tokens(e, CORPUS_NOISY, n_noisy, tokens, out.kind);
    repeat_tokens(e, CORPUS_CLEAN, n_clean, tokens + n_noisy, out.kind + n_noisy);
    must(slm_corpus_create(&out.corpus, tokens, NULL, n_noisy + n_clean,
                           slm_tokenizer_vocab(e->tokenizer), &experiment_error));
    free(tokens);
    return out;
}

job_corpus job_corpus_make(experiment *e, const job *j) {
    job_corpus out = {e->corpus[CORPUS_NOISY], NULL, 0};
    if (job_is_builtin(j)) {
        if (j->text == TEXT_ORACLE) return make_masked(e);
        if (j->text == TEXT_MIXED) return make_mixed(e);
        if (j->text == TEXT_FILTERED) return make_filtered(e);
        out.kind = e->text[CORPUS_NOISY].kind;
    } else if (strcmp(j->corpus, "gsm8k") == 0) {
        out.kind = kinds_of_tokens(e, CORPUS_NOISY);
    } else if (j->text == TEXT_MIXED) {
        out = make_mixed(e);
        free(out.kind);
        out.kind = NULL; /* nothing is known of real text */
    }
    return out;
}

void job_corpus_free(job_corpus *c, const experiment *e) {
    if (c->owned) slm_corpus_free(c->corpus);
    if (c->kind != e->text[CORPUS_NOISY].kind) free(c->kind);
}
