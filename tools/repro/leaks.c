/* leaks.c: what of the text that is measured can also be read in the texts for training, and how
 * the losses look without it.
 *
 * A word of the measured text counts as seen if it lies in a stretch of 13 words that also stands
 * in the other text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "common/options.h"
#include "jobs.h"

enum { STRETCH = 13 };

/* ---- words ---- */
typedef struct word_list {
    size_t *start;  /* (n) where each word begins in the text */
    uint64_t *hash; /* (n) of the word */
    size_t n;
} word_list;

static int is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static word_list list_words(const corpus_text *t) {
    word_list w = {(size_t *)must_alloc(t->size, sizeof *w.start),
                   (uint64_t *)must_alloc(t->size, sizeof *w.hash), 0};
    size_t i = 0;
    while (i < t->size) {
        size_t start = i;
        while (i < t->size && !is_space(t->text[i]))
            i++;
        if (i > start) {
            w.start[w.n] = start;
            w.hash[w.n] = slm_hash(SLM_HASH_START, t->text + start, i - start);
            w.n++;
        }
        i++;
    }
    return w;
}

static void free_words(word_list *w) {
    free(w->start);
    free(w->hash);
}

static uint64_t hash_of_stretch(const word_list *w, size_t first) {
    return slm_hash(SLM_HASH_START, w->hash + first, STRETCH * sizeof *w->hash);
}

static int compare_hashes(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Marks the words of one text that lie in a stretch of the other. */
static void mark_seen(uint8_t *seen, const word_list *words, const corpus_text *other) {
    word_list theirs = list_words(other);
    size_t n = theirs.n >= STRETCH ? theirs.n - STRETCH + 1 : 0;
    uint64_t *stretches = (uint64_t *)must_alloc(n, sizeof *stretches);
    for (size_t i = 0; i < n; i++)
        stretches[i] = hash_of_stretch(&theirs, i);
    qsort(stretches, n, sizeof *stretches, compare_hashes);
    for (size_t i = 0; i + STRETCH <= words->n && n > 0; i++) {
        uint64_t hash = hash_of_stretch(words, i);
        if (bsearch(&hash, stretches, n, sizeof hash, compare_hashes) != NULL)
            memset(seen + i, 1, STRETCH);
    }
    free(stretches);
    free_words(&theirs);
}

static double mean_of(const uint8_t *flags, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += flags[i];
    return sum / (double)n;
}

/* ---- one corpus ---- */
static job *find_job(const repro *r, const char *corpus, const char *arm) {
    const char *set = same_text(corpus, "confirm") ? corpus : "main";
    for (job *j = r->jobs; j < r->end; j++) {
        const int is_base = j->kind == JOB_BASE;
        if (!same_text(j->corpus, corpus) || !same_text(j->arm, arm) || j->s.seed != 1) continue;
        if (!is_base && !same_text(j->set, set)) continue;
        if (j->selection.ratio != 1 && j->selection.ratio != REPRO_RATIO) continue;
        if (j->size == 0 && job_is_finished(r, j)) return j;
    }
    return NULL;
}

/* Marks what of the measured text stands in one part of what a job reads; writes the share. */
static void put_part(csv_out *out, const repro *r, const char *corpus, const char *arm,
                     corpus_part part, const char *name, uint8_t *seen) {
    static experiment e;
    job *j = find_job(r, corpus, arm);
    if (j == NULL) return;
    job_begin(r, j, &e);
    word_list words = list_words(&e.text[CORPUS_EVAL]);
    uint8_t *own = (uint8_t *)must_alloc(words.n, 1);
    mark_seen(own, &words, &e.text[part]);
    for (size_t i = 0; i < words.n; i++)
        seen[i] |= own[i];
    csv_put_text(out, corpus);
    csv_put_text(out, name);
    csv_put_number(out, (double)words.n);
    csv_put_number(out, mean_of(own, words.n));
    csv_end_row(out);
    free(own);
    free_words(&words);
    experiment_end(&e);
}

/* Mean loss of a model on all tokens of the measured text, and on those outside seen words. */
static void put_losses(csv_out *out, const repro *r, experiment *e, const job *j,
                       const uint8_t *seen, const word_list *words) {
    const slm_corpus *c = e->corpus[CORPUS_EVAL];
    const char *path = job_path(r, "models", j, "");
    slm_model *model;
    double all = 0, unseen = 0, n_unseen = 0;
    size_t position = 0, word = 0, size;
    if (!repro_exists(path)) return;
    must(slm_model_load(&model, path, &experiment_error));
    double *loss = experiment_losses(e, model, c);
    for (size_t i = 0; i < c->n; i++) {
        (void)slm_tokenizer_token_at(&size, e->tokenizer, c->tokens[i], i);
        position += size; /* a token of " word" is of the word in which it ends */
        while (word + 1 < words->n && words->start[word + 1] < position)
            word++;
        if (i == 0) continue;
        all += loss[i];
        unseen += seen[word] ? 0 : loss[i];
        n_unseen += !seen[word];
    }
    const double numbers[] = {all / (double)(c->n - 1), unseen / n_unseen,
                              n_unseen / (double)(c->n - 1)};
    csv_put_text(out, j->corpus);
    csv_put_text(out, j->arm);
    csv_put_numbers(out, numbers, COUNT(numbers));
    csv_end_row(out);
    free(loss);
    slm_model_free(model);
}

static void put_corpus(csv_out *leaks, csv_out *unseen, const repro *r, const char *corpus) {
    static const char *const arms[] = {"base", "reference", "clm", "slm"};
    static experiment e;
    job *plain = find_job(r, corpus, "clm");
    if (plain == NULL) return;
    job_begin(r, plain, &e);
    word_list words = list_words(&e.text[CORPUS_EVAL]);
    uint8_t *seen = (uint8_t *)must_alloc(words.n, 1);
    put_part(leaks, r, corpus, "reference", CORPUS_CLEAN, "clean", seen);
    put_part(leaks, r, corpus, "clm", CORPUS_NOISY, "noisy", seen);
    put_part(leaks, r, corpus, "base", CORPUS_GENERAL, "base", seen);
    for (size_t i = 0; i < COUNT(arms); i++) {
        const job *j = find_job(r, corpus, arms[i]);
        if (j != NULL) put_losses(unseen, r, &e, j, seen, &words);
    }
    free(seen);
    free_words(&words);
    experiment_end(&e);
}

void repro_write_leaks(const repro *r) {
    static const char *const corpora[] = {"builtin", "facts", "openstax", "gsm8k", "confirm",
                                          "user"};
    csv_out leaks = repro_csv_open(r, "", "leaks", "corpus,part,words,share\n");
    csv_out unseen = repro_csv_open(r, "", "unseen", "corpus,arm,loss,loss_unseen,unseen\n");
    for (size_t i = 0; i < COUNT(corpora); i++)
        put_corpus(&leaks, &unseen, r, corpora[i]);
    repro_csv_close(&leaks);
    repro_csv_close(&unseen);
    free_rooms();
}
