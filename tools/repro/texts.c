/* texts.c: which text a job trains on, and is measured on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/options.h"
#include "jobs.h"

enum {
    RAW_STRETCH = 2000,       /* bytes of raw text between two records of GSM8K */
    TOKENIZER_BYTES = 1000000 /* of the general text, from which a vocabulary is learned */
};

/* ---- texts from files ---- */
void text_append_file(corpus_text *t, const char *path, const char *fields, size_t from, size_t n) {
    char *bytes;
    size_t size;
    if (n == 0) return;
    must(slm_text_read(&bytes, &size, path, fields, &experiment_error));
    size_t rest = from < size ? size - from : 0;
    corpus_append(t, CORPUS_OTHER, bytes + (size - rest), n < rest ? n : rest);
    slm_free(bytes);
    if (t->size > 0) return;
    fprintf(stderr, "%s: it has %zu bytes, and more than %zu are needed\n", path, size, from);
    exit(3);
}

/* Appends raw text and records in turn until n bytes are full; the records begin anew where they
   end.  Each is a document of its own. */
static void strew_records(corpus_text *t, const corpus_text *raw, const corpus_text *records,
                          size_t n) {
    size_t position = 0, record = 0;
    while (t->size < n && position + RAW_STRETCH < raw->size) {
        const char *blank = strstr(records->text + record, "\n\n");
        size_t end = blank == NULL ? records->size : (size_t)(blank - records->text) + 2;
        corpus_append_part(t, raw, position, RAW_STRETCH);
        corpus_append(t, CORPUS_OTHER, "\n\n", 2);
        corpus_append(t, CORPUS_PROBLEM, records->text + record, end - record);
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
    if (same_text(j->corpus, "gsm8k")) return gsm8k;
    return same_text(j->corpus, "user") ? user : openstax;
}

/* Records of GSM8K strewn into raw text: a fifth of it is of the target's kind. */
static void noisy_with_records(const settings *s, const sources *from, corpus_text *out) {
    corpus_text raw = {.size = 0};
    corpus_text records = {.size = 0};
    text_append_file(&raw, from->raw, NULL, s->general_bytes, s->noisy_bytes);
    corpus_mark_tags(&raw, CORPUS_OTHER);
    text_append_file(&records, from->clean, from->fields, s->eval_bytes / 2 + s->clean_bytes,
                     s->noisy_bytes);
    strew_records(out, &raw, &records, s->noisy_bytes);
    corpus_free(&raw);
    corpus_free(&records);
}

/* What is known of each token of the noisy text: that about its first byte. */
static uint8_t *kinds_of_tokens(const experiment *e) {
    const slm_corpus *c = e->corpus[CORPUS_NOISY];
    const corpus_text *t = &e->text[CORPUS_NOISY];
    uint8_t *kind = (uint8_t *)must_alloc(c->n, 1);
    size_t position = 0, size;
    for (size_t i = 0; i < c->n; i++) {
        kind[i] = t->kind[position < t->size ? position : t->size - 1];
        (void)slm_tokenizer_token_at(&size, e->tokenizer, c->tokens[i], i);
        position += size;
    }
    return kind;
}

/* ---- the texts of a job ---- */
/* The job's settings, with no bytes of the texts that it does not read. */
static settings settings_read(const job *j) {
    settings s = j->s;
    if (j->kind != JOB_BASE) s.general_bytes = 0;
    if (j->kind == JOB_BASE || (j->kind == JOB_REFERENCE && j->text == TEXT_CLEAN))
        s.noisy_bytes = 0;
    if (j->text != TEXT_CLEAN && j->text != TEXT_MIXED && j->then_clean == 0) s.clean_bytes = 0;
    if (j->kind == JOB_SCORES) s.eval_bytes = 0;
    return s;
}

/* General and noisy text are two stretches of the raw file; the beginning of the clean file chooses
   learning rates. */
static void read_texts(const job *j, const sources *from, corpus_text text[CORPUS_PARTS]) {
    const settings s = settings_read(j);
    const size_t valid_bytes = j->s.eval_bytes / 2;
    const struct {
        corpus_part part;
        const char *path;
        size_t from, n;
    } reads[] = {{CORPUS_GENERAL, from->raw, 0, s.general_bytes},
                 {CORPUS_NOISY, from->raw, j->s.general_bytes, s.noisy_bytes},
                 {CORPUS_CLEAN, from->clean, valid_bytes, s.clean_bytes},
                 {CORPUS_VALID, from->clean, 0, s.eval_bytes / 2},
                 {CORPUS_EVAL, from->eval, 0, s.eval_bytes}};
    for (size_t i = 0; i < COUNT(reads); i++) {
        if (reads[i].part == CORPUS_NOISY && reads[i].n > 0 && from->fields != NULL)
            noisy_with_records(&j->s, from, &text[CORPUS_NOISY]);
        else
            text_append_file(&text[reads[i].part], reads[i].path, from->fields, reads[i].from,
                             reads[i].n);
    }
    if (same_text(j->corpus, "openstax") && s.noisy_bytes > 0)
        corpus_mark_tags(&text[CORPUS_NOISY], CORPUS_PROBLEM);
}

/* The tokenizer of the model that the job goes on from; of a base, one learned from its text. */
static slm_tokenizer *tokenizer_of(const repro *r, const job *j, const corpus_text *general) {
    const job *model = j->start != NULL ? j->start : j->reference;
    size_t size = general->size < TOKENIZER_BYTES ? general->size : TOKENIZER_BYTES;
    slm_tokenizer *out;
    if (model != NULL)
        must(slm_tokenizer_load(&out, job_path(r, "models", model, ""), &experiment_error));
    else
        must(slm_tokenizer_train(&out, general->text, size, j->s.model.vocab, NULL, NULL,
                                 &experiment_error));
    return out;
}

/* No answers are marked in real text: of the parts that are measured, kinds are forgotten. */
static void begin_from_files(const repro *r, const job *j, const sources *from, experiment *e) {
    memset(e, 0, sizeof *e);
    read_texts(j, from, e->text);
    experiment_begin(e, &j->s, tokenizer_of(r, j, &e->text[CORPUS_GENERAL]));
    for (int part = CORPUS_VALID; part <= CORPUS_EVAL; part++) {
        free(e->text[part].kind);
        e->text[part].kind = NULL;
    }
}

static int job_has_piece(const job *j) {
    if (j->kind != JOB_ARM || j->reference == NULL) return 0;
    return same_text(j->set, "main") && !same_text(j->corpus, "facts");
}

/* Text that nothing is trained on, of the kind that the job trains on: noisy, or clean and real. */
static void add_piece(const job *j, const sources *from, experiment *e) {
    corpus_text piece = {.size = 0};
    if (job_is_builtin(j))
        corpus_make(&piece, CORPUS_NOISY, &j->s.noisy, REPRO_PIECE_BYTES, REPRO_PIECE_SEED);
    else if (j->text == TEXT_CLEAN)
        text_append_file(&piece, from->eval, from->fields, 0, 4 * REPRO_PIECE_BYTES);
    else
        text_append_file(&piece, from->raw, from->fields, j->s.general_bytes + j->s.noisy_bytes,
                         4 * REPRO_PIECE_BYTES);
    must(slm_corpus_encode(&e->piece, e->tokenizer, piece.text, piece.size, &experiment_error));
    corpus_free(&piece);
}

/* ---- the text that an arm trains on ---- */
static int has_wrong_result(const corpus_text *t, const corpus_problem *problem) {
    size_t n = problem->end - problem->start;
    return memchr(t->kind + problem->start, CORPUS_WRONG, n) != NULL;
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
        corpus_kind kind = (corpus_kind)in->kind[i];
        if (kind < CORPUS_WRONG) corpus_append(out, kind, in->text + i, 1);
        i++;
    }
}

void text_replace_corpus(experiment *e, const int32_t *tokens, const uint8_t *masked, size_t n) {
    slm_corpus *old = e->corpus[CORPUS_NOISY];
    must(slm_corpus_create(&e->corpus[CORPUS_NOISY], tokens, masked, n,
                           slm_tokenizer_vocab(e->tokenizer), &experiment_error));
    slm_corpus_free(old);
}

void text_replace_kinds(experiment *e, uint8_t *kind) {
    free(e->text[CORPUS_NOISY].kind);
    e->text[CORPUS_NOISY].kind = kind;
}

static void train_on_filtered(experiment *e) {
    corpus_text *noisy = &e->text[CORPUS_NOISY];
    corpus_text filtered = {.size = 0};
    filter_text(&filtered, noisy);
    corpus_free(noisy);
    *noisy = filtered;
    slm_corpus_free(e->corpus[CORPUS_NOISY]);
    must(slm_corpus_encode(&e->corpus[CORPUS_NOISY], e->tokenizer, noisy->text, noisy->size,
                           &experiment_error));
}

/* The noisy text with all that is off the target masked. */
static void train_on_masked(experiment *e) {
    const slm_corpus *c = e->corpus[CORPUS_NOISY];
    uint8_t *masked = (uint8_t *)must_alloc(c->n, 1);
    for (size_t i = 0; i < c->n; i++)
        masked[i] = e->text[CORPUS_NOISY].kind[i] > CORPUS_RESULT;
    text_replace_corpus(e, c->tokens, masked, c->n);
    free(masked);
}

/* As many tokens as all the arm's steps see; of these, as many clean ones as in tune_steps.  Both
   texts begin anew where they end.  Of a text of the user's no kinds are known. */
static void train_on_mixed(experiment *e) {
    const size_t rows = (size_t)e->s.B * (size_t)e->s.T;
    const size_t n = rows * (size_t)e->s.steps;
    const size_t n_noisy = n - rows * (size_t)e->s.tune_steps;
    int32_t *tokens = (int32_t *)must_alloc(n, sizeof *tokens);
    const int is_known = e->text[CORPUS_NOISY].kind != NULL;
    uint8_t *kind = is_known ? (uint8_t *)must_alloc(n, 1) : NULL;
    for (size_t i = 0; i < n; i++) {
        const corpus_part part = i < n_noisy ? CORPUS_NOISY : CORPUS_CLEAN;
        const slm_corpus *c = e->corpus[part];
        size_t position = (part == CORPUS_NOISY ? i : i - n_noisy) % c->n;
        tokens[i] = c->tokens[position];
        if (is_known) kind[i] = e->text[part].kind[position];
    }
    text_replace_corpus(e, tokens, NULL, n);
    text_replace_kinds(e, kind);
    free(tokens);
}

/* Of OpenStax it is known what is a tag, and of GSM8K what is a record, too; of a text of the
   user's nothing is. */
static void choose_text(const repro *r, experiment *e, const job *j) {
    const int is_known = !same_text(j->corpus, "user");
    if (!job_is_generated(j)) text_replace_kinds(e, is_known ? kinds_of_tokens(e) : NULL);
    if (j->text == TEXT_ORACLE) train_on_masked(e);
    if (j->text == TEXT_MIXED) train_on_mixed(e);
    if (j->text == TEXT_FILTERED) train_on_filtered(e);
    if (j->text >= TEXT_DOCUMENTS) filter_noisy_text(r, j, e);
}

void job_begin(const repro *r, const job *j, experiment *e) {
    const sources from = sources_of(r, j);
    const settings s = settings_read(j);
    if (job_is_generated(j))
        experiment_begin_built_in(e, &s);
    else
        begin_from_files(r, j, &from, e);
    if (job_has_piece(j)) add_piece(j, &from, e);
    if (s.noisy_bytes > 0) choose_text(r, e, j);
}
