/* Scores of a corpus in memory and in files: the same bits for any batch size, interruption at every byte, shards, fingerprints
   refused by name, every truncation and every flipped bit, a failure injected at every I/O call and at every allocation.
   cc -I. -Itests tests/test_scorefile.c -lm && ./a.out [SCRATCH_FOLDER]                                                      */
#include "inject.h"
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "check.h"

enum { N = 61, T = 7, VOCAB = 20, WINDOWS = 9 };              /* 60 targets: eight windows of 7 and one of 4 */
static slm_model *model_of(uint64_t seed) {
    slm_config c;
    slm_model *model;
    slm_error err;
    memset(&c, 0, sizeof c);
    c.vocab = VOCAB; c.dim = 8; c.n_layers = 1; c.n_heads = 2; c.ffn = 10;
    if (slm_model_create(&model, &c, seed, &err) != SLM_OK) { printf("%s\n", err.text); exit(1); }
    return model;
}
static slm_corpus *corpus_of(size_t n, uint64_t seed) {
    int32_t *tokens = (int32_t *)malloc(n * sizeof *tokens);
    uint8_t *masked = (uint8_t *)calloc(n, 1);
    slm_corpus *corpus;
    slm_error err;
    slm_rng rng = slm_rng_seed(seed);
    size_t i;
    for (i = 0; i < n; i++) tokens[i] = (int32_t)slm_rng_below(&rng, VOCAB);
    if (n > 11) masked[11] = 1;
    if (slm_corpus_from_tokens(&corpus, tokens, masked, n, VOCAB, &err) != SLM_OK) { printf("%s\n", err.text); exit(1); }
    free(tokens);
    free(masked);
    return corpus;
}
static int same_scores(const slm_scores *a, const slm_scores *b) {
    return a->n == b->n && a->T == b->T && a->corpus_hash == b->corpus_hash && a->tokenizer_hash == b->tokenizer_hash
        && a->model_hash == b->model_hash && memcmp(a->loss, b->loss, a->n * sizeof(slm_real)) == 0
        && memcmp(a->entropy, b->entropy, a->n * sizeof(slm_real)) == 0;
}
/* A progress callback that stops at the k-th call, and checks what it is told. */
typedef struct watch { long calls, stop_at; uint64_t done, total; } watch;
static int progress(void *user, uint64_t done, uint64_t total) {
    watch *w = (watch *)user;
    CHECK(done > w->done && done <= total && (w->total == 0 || w->total == total), "progress %llu of %llu after %llu", (unsigned long long)done,
          (unsigned long long)total, (unsigned long long)w->done);
    w->done = done;
    w->total = total;
    return ++w->calls == w->stop_at;
}
static slm_model *model, *other_model;
static slm_corpus *corpus, *other_corpus;
static slm_scores *truth;
static char *whole;                                           /* the finished file of one shard */
static size_t n_whole;
static slm_status score(const char *name, int32_t B, int32_t shard, int32_t shards, watch *w, slm_error *err) {
    return slm_score_file(in(name), model, corpus, 77, B, T, shard, shards, w ? progress : NULL, w, err);
}
static void gone(const char *name) { (void)remove(in(name)); }
static int is_whole(const char *name) {
    size_t n = 0;
    char *bytes = get(name, &n);
    int same = bytes != NULL && n == n_whole && memcmp(bytes, whole, n) == 0;
    free(bytes);
    return same;
}
static void in_memory(void) {
    static const int32_t sizes[] = { 1, 2, 3, 4, 8, 9, 10, 50 };
    size_t i;
    slm_error err;
    slm_scores *s;
    watch w = { 0, 0, 0, 0 };
    CHECK_OK(slm_score_corpus(&truth, model, corpus, 77, 1, T, progress, &w, &err), err);
    CHECK(w.calls == WINDOWS && w.done == N - 1 && w.total == N - 1, "%ld calls", w.calls);
    CHECK(truth->n == N - 1 && truth->T == T && truth->corpus_hash == corpus->hash && truth->tokenizer_hash == 77
          && truth->model_hash == slm_model_hash(model), "fields");
    for (i = 0; i < truth->n; i++)
        if (i == 10) CHECK(truth->loss[i] >= 0 && truth->loss[i] <= 0, "the masked target has a loss");
        else CHECK(truth->loss[i] > 0 && truth->loss[i] < 20 && truth->entropy[i] > 0 && truth->entropy[i] < 20, "target %zu: %g, %g", i,
                   (double)truth->loss[i], (double)truth->entropy[i]);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CHECK_OK(slm_score_corpus(&s, model, corpus, 77, sizes[i], T, NULL, NULL, &err), err);
        CHECK(same_scores(s, truth), "B = %d", (int)sizes[i]);
        slm_scores_free(s);
    }
    memset(&w, 0, sizeof w);
    w.stop_at = 3;
    s = truth;
    CHECK(slm_score_corpus(&s, model, corpus, 77, 2, T, progress, &w, &err) == SLM_ERR_STOPPED && s == NULL && w.calls == 3, "stopped");
    CHECK(slm_score_corpus(&s, model, corpus, 77, 0, T, NULL, NULL, &err) == SLM_ERR_ARGUMENT, "B = 0");
    CHECK(slm_score_corpus(&s, model, corpus, 77, 1, 0, NULL, NULL, &err) == SLM_ERR_ARGUMENT, "T = 0");
    CHECK(slm_score_corpus(&s, model, corpus, 77, -1, T, NULL, NULL, &err) == SLM_ERR_ARGUMENT, "B = -1");
    { slm_corpus *tiny = corpus_of(1, 3);
      CHECK(slm_score_corpus(&s, model, tiny, 77, 1, T, NULL, NULL, &err) == SLM_ERR_ARGUMENT, "one token");
      slm_corpus_free(tiny); }
    { slm_corpus *tiny = corpus_of(2, 3);
      CHECK_OK(slm_score_corpus(&s, model, tiny, 77, 3, T, NULL, NULL, &err), err);
      CHECK(s != NULL && s->n == 1, "two tokens");
      slm_scores_free(s);
      slm_corpus_free(tiny); }
    slm_scores_free(NULL);
}
static void checks(void) {
    slm_error err;
    slm_scores s = *truth;
    CHECK_OK(slm_scores_check(truth, corpus, 77, T, &err), err);
    CHECK(slm_scores_check(truth, corpus, 77, T + 1, &err) == SLM_ERR_STALE && strstr(err.text, "windows") != NULL, "%s", err.text);
    CHECK(slm_scores_check(truth, corpus, 78, T, &err) == SLM_ERR_STALE && strstr(err.text, "tokenizer") != NULL, "%s", err.text);
    CHECK(slm_scores_check(truth, other_corpus, 77, T, &err) == SLM_ERR_STALE && strstr(err.text, "corpus") != NULL, "%s", err.text);
    s.n--;
    CHECK(slm_scores_check(&s, corpus, 77, T, &err) == SLM_ERR_STALE, "another length");
}
static void round_trip(void) {
    slm_scores *s;
    slm_error err;
    static const unsigned char head[] = "SLMSCORE\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    CHECK_OK(slm_scores_save(truth, in("scores"), &err), err);
    whole = get("scores", &n_whole);
    CHECK(n_whole == 112 + 60 * 2 * sizeof(slm_real) + WINDOWS * 8, "%zu bytes", n_whole);
    CHECK(memcmp(whole, head, 24) == 0 && whole[24] == (char)sizeof(slm_real) && whole[32] == 60 && whole[40] == T, "header");
    CHECK(slm__load((unsigned char *)whole + 48, 8) == corpus->hash && slm__load((unsigned char *)whole + 56, 8) == 77, "fingerprints");
    CHECK_OK(slm_scores_load(&s, in("scores"), &err), err);
    CHECK(s != NULL && same_scores(s, truth), "loaded");
    slm_scores_free(s);
    CHECK(slm_scores_load(&s, in("nothing"), &err) == SLM_ERR_IO && s == NULL, "no file");
    CHECK(slm_scores_load(&s, root, &err) == SLM_ERR_IO, "a folder");
    { slm_scores empty = *truth; empty.n = 0; CHECK(slm_scores_save(&empty, in("scores"), &err) == SLM_ERR_ARGUMENT, "empty"); }
    truth->loss[17] = (slm_real)NAN;
    CHECK_OK(slm_scores_save(truth, in("nan"), &err), err);
    CHECK(slm_scores_load(&s, in("nan"), &err) == SLM_ERR_NUMBER && s == NULL, "a NaN");
    CHECK_OK(slm_scores_load(&s, in("scores"), &err), err);
    truth->loss[17] = s->loss[17];
    slm_scores_free(s);
}
static void into_a_file(void) {
    int32_t B;
    slm_error err;
    watch w;
    for (B = 1; B < 14; B += B < 5 ? 1 : 4) {
        gone("f");
        memset(&w, 0, sizeof w);
        CHECK_OK(score("f", B, 0, 1, &w, &err), err);
        CHECK(is_whole("f") && w.calls == (WINDOWS + B - 1) / B && w.done == N - 1, "B = %d", (int)B);
        memset(&w, 0, sizeof w);
        CHECK(score("f", B, 0, 1, &w, &err) == SLM_OK && w.calls == 0 && is_whole("f"), "a finished file was touched");
    }
}
/* Stops after every call, then goes on; cuts the unfinished file at every byte, with and without a tail of zeros. */
static void interrupted(void) {
    slm_error err;
    watch w;
    long stop;
    size_t n, cut, bytes_per_window = T * 2 * sizeof(slm_real) + 8;
    char *copy = (char *)malloc(n_whole);
    for (stop = 1; stop < WINDOWS; stop++) {
        gone("f");
        gone("f.part");
        memset(&w, 0, sizeof w);
        w.stop_at = stop;
        CHECK(score("f", 1, 0, 1, &w, &err) == SLM_ERR_STOPPED && w.calls == stop, "not stopped");
        { char *none = get("f", &n); CHECK(none == NULL, "an unfinished file under the final name"); free(none); }
        memset(&w, 0, sizeof w);
        CHECK_OK(score("f", 2, 0, 1, &w, &err), err);
        CHECK(is_whole("f") && w.calls == (WINDOWS - stop + 1) / 2, "after a stop at window %ld: %ld calls", stop, w.calls);
        { char *none = get("f.part", &n); CHECK(none == NULL, "the unfinished file is still there"); free(none); }
    }
    for (cut = 0; cut <= n_whole; cut++) {
        int zeros;
        for (zeros = 0; zeros < 2; zeros++) {
            long left = cut < 112 ? WINDOWS : WINDOWS - (long)((cut - 112) / bytes_per_window);
            if (cut == n_whole) left = 0;
            gone("f");
            memset(copy, 0, n_whole);
            memcpy(copy, whole, cut);
            put("f.part", copy, zeros ? n_whole : cut);
            memset(&w, 0, sizeof w);
            CHECK_OK(score("f", 1, 0, 1, &w, &err), err);
            CHECK(is_whole("f"), "cut at %zu, zeros %d", cut, zeros);
            CHECK(w.calls == left || (zeros && w.calls <= left), "cut at %zu: %ld windows were scored, expected %ld", cut, w.calls, left);
        }
    }
    free(copy);
}
static void stale(void) {
    static const char *const names[] = { "f", "f.part" };
    size_t i;
    slm_error err;
    for (i = 0; i < 2; i++) {
        gone("f");
        gone("f.part");
        put(names[i], whole, i == 0 ? n_whole : n_whole / 2);
#define STALE(m, c, k, t, shard, shards, word)                                                                                         \
        CHECK(slm_score_file(in("f"), m, c, k, 1, t, shard, shards, NULL, NULL, &err) == SLM_ERR_STALE && strstr(err.text, word) != NULL, \
              "%s: %s", names[i], err.text)
        STALE(other_model, corpus, 77, T, 0, 1, "model");
        STALE(model, other_corpus, 77, T, 0, 1, "corpus");
        STALE(model, corpus, 78, T, 0, 1, "tokenizer");
        STALE(model, corpus, 77, T + 1, 0, 1, "window length");
        STALE(model, corpus, 77, T, 0, 2, "number of shards");
        put(i ? "g.part" : "g", whole, 0);
        gone("g"); gone("g.part");
        CHECK_OK(score("g", 1, 0, 2, NULL, &err), err);
        { size_t n; char *bytes = get("g", &n); put(names[i], bytes, i == 0 ? n : n / 2); free(bytes); }
        STALE(model, corpus, 77, T, 1, 2, "shard");
        gone("g");
    }
    gone("f");
    gone("f.part");
    put("f", "hello", 5);
    CHECK(score("f", 1, 0, 1, NULL, &err) == SLM_ERR_FORMAT, "not a score file");
    gone("f");
    CHECK(score("f", 1, 1, 1, NULL, &err) == SLM_ERR_ARGUMENT && score("f", 1, -1, 1, NULL, &err) == SLM_ERR_ARGUMENT
          && score("f", 1, 0, 0, NULL, &err) == SLM_ERR_ARGUMENT, "shards out of range");
}
static void shards(void) {
    static char names[12][16], full[12][600];
    const char *paths[12];
    int32_t n, i;
    slm_error err;
    slm_scores *s;
    for (i = 0; i < 12; i++) (void)snprintf(names[i], sizeof names[i], "s%d", (int)i);
    for (i = 0; i < 12; i++) { (void)snprintf(full[i], sizeof full[i], "%s", in(names[i])); paths[i] = full[i]; }
    for (n = 1; n <= 12; n++) {                               /* 10 and more: some shards hold no window */
        for (i = 0; i < n; i++) {
            gone(names[i]);
            CHECK_OK(score(names[i], 2, (i + 1) % n, n, NULL, &err), err);      /* in another order */
        }
        CHECK_OK(slm_scores_join(&s, paths, n, &err), err);
        CHECK(s != NULL && same_scores(s, truth), "%d shards", (int)n);
        slm_scores_free(s);
        CHECK(slm_scores_join(&s, paths, n - 1, &err) == SLM_ERR_ARGUMENT && s == NULL, "one of %d shards is missing", (int)n);
        if (n > 1) CHECK(slm_scores_load(&s, paths[0], &err) == SLM_ERR_ARGUMENT, "one of %d shards as a whole", (int)n);
        if (n > 1) { const char *was = paths[1]; paths[1] = paths[0]; CHECK(slm_scores_join(&s, paths, n, &err) == SLM_ERR_ARGUMENT, "a shard twice"); paths[1] = was; }
    }
    CHECK_OK(slm_score_file(in("m"), other_model, corpus, 77, 1, T, 0, 2, NULL, NULL, &err), err);
    gone(names[0]);
    CHECK_OK(score(names[0], 1, 1, 2, NULL, &err), err);
    (void)snprintf(full[1], sizeof full[1], "%s", in("m"));
    CHECK(slm_scores_join(&s, paths, 2, &err) == SLM_ERR_STALE && strstr(err.text, "model") != NULL, "shards of two models: %s", err.text);
    gone("m");
}
static void damage(void) {
    size_t i;
    slm_error err;
    slm_scores *s;
    for (i = 0; i < n_whole; i++) {
        put("d", whole, i);
        CHECK(slm_scores_load(&s, in("d"), &err) == SLM_ERR_FORMAT && s == NULL, "the first %zu bytes were accepted", i);
    }
    { char *more = (char *)calloc(1, n_whole + 1);
      memcpy(more, whole, n_whole);
      put("d", more, n_whole + 1);
      CHECK(slm_scores_load(&s, in("d"), &err) == SLM_ERR_FORMAT, "one byte more was accepted");
      free(more); }
    for (i = 0; i < 8 * n_whole; i += 5) {                    /* 5 and 8 share no factor: every byte, every place in it */
        whole[i / 8] = (char)(whole[i / 8] ^ 1 << i % 8);
        put("d", whole, n_whole);
        CHECK(slm_scores_load(&s, in("d"), &err) == SLM_ERR_FORMAT && s == NULL, "bit %zu", i);
        whole[i / 8] = (char)(whole[i / 8] ^ 1 << i % 8);
    }
    for (i = 0; i < 12; i++) {                                /* headers that are whole but impossible: odd integers, right hash */
        static const uint64_t odd[] = { 0, 1, 2, 3, 60, 61, 0x7fffffff, 0x80000000u, 0xffffffffu, 0x100000000ULL, 0x7fffffffffffffffULL,
                                        0x8000000000000000ULL, 0xffffffffffffffffULL };
        unsigned char *copy = (unsigned char *)malloc(n_whole);
        size_t k;
        for (k = 0; k < sizeof odd / sizeof *odd; k++) {
            memcpy(copy, whole, n_whole);
            if (slm__load(copy + 8 + 8 * i, 8) == odd[k]) continue;
            slm__store(copy + 8 + 8 * i, odd[k], 8);
            slm__store(copy + 104, slm_hash(SLM_HASH_START, copy, 104), 8);
            put("d", copy, n_whole);
            { slm_status status = slm_scores_load(&s, in("d"), &err);
              if (i >= 5 && i <= 7) { CHECK(status == SLM_OK, "%s", err.text); slm_scores_free(s); }     /* a fingerprint may be anything */
              else CHECK(status == SLM_ERR_FORMAT || (i == 8 && status == SLM_ERR_ARGUMENT), "field %zu, %llu: %s", i, (unsigned long long)odd[k], slm_status_name(status)); }
        }
        free(copy);
    }
}
static void failures(void) {
    long k, points = 0;
    slm_error err;
    slm_status status;
    slm_scores *s;
    int sticky;
    size_t n;
    for (sticky = 0; sticky < 2; sticky++)
        for (k = 1; ; k++, points++) {                        /* a failure, then a second try: the same file in the end */
            gone("f");
            inject(k, sticky);
            err.text[0] = 0;
            status = score("f", 2, 0, 1, NULL, &err);
            if (status == SLM_OK && io_calls < k) break;
            io_fail_at = 0;
            CHECK(status == SLM_OK || (status == SLM_ERR_IO && err.text[0] != 0), "call %ld: %s", k, slm_status_name(status));
            { char *bytes = get("f", &n); CHECK(bytes == NULL || is_whole("f"), "call %ld: half a file", k); free(bytes); }
            inject(0, 0);
            CHECK_OK(score("f", 3, 0, 1, NULL, &err), err);
            CHECK(is_whole("f"), "call %ld: other bytes after a second try", k);
        }
    inject(0, 0);
    for (k = 1; ; k++, points++) {
        gone("f");
        alloc_calls = 0;
        alloc_fail_at = k;
        status = score("f", 2, 0, 1, NULL, &err);
        alloc_fail_at = 0;
        if (status == SLM_OK) break;
        CHECK(status == SLM_ERR_MEMORY, "allocation %ld: %s", k, slm_status_name(status));
    }
    for (k = 1; ; k++, points++) {
        inject(k, 0);
        status = slm_scores_load(&s, in("f"), &err);
        if (status == SLM_OK) { CHECK(same_scores(s, truth), "loaded"); slm_scores_free(s); }
        if (io_calls < k) break;
        CHECK(status == SLM_OK || (status == SLM_ERR_IO && s == NULL), "load, call %ld: %s", k, slm_status_name(status));
    }
    inject(0, 0);
    for (k = 1; ; k++, points++) {
        alloc_calls = 0;
        alloc_fail_at = k;
        status = slm_scores_load(&s, in("f"), &err);
        alloc_fail_at = 0;
        if (status == SLM_OK) { slm_scores_free(s); break; }
        CHECK(status == SLM_ERR_MEMORY && s == NULL, "load, allocation %ld: %s", k, slm_status_name(status));
    }
    for (k = 1; ; k++, points++) {
        alloc_calls = 0;
        alloc_fail_at = k;
        status = slm_score_corpus(&s, model, corpus, 77, 2, T, NULL, NULL, &err);
        alloc_fail_at = 0;
        if (status == SLM_OK) { slm_scores_free(s); break; }
        CHECK(status == SLM_ERR_MEMORY && s == NULL, "slm_score_corpus, allocation %ld: %s", k, slm_status_name(status));
    }
    CHECK(points > 60, "only %ld points", points);
    printf("score files: failures at %ld points\n", points);
}
int main(int argc, char **argv) {
    slm_error err;
    (void)snprintf(root, sizeof root, "%s/scores", argc > 1 ? argv[1] : "build/tmp");
    if (slm__make_folder(root, &err) != SLM_OK) { printf("%s\n", err.text); return 1; }
    model = model_of(1);
    other_model = model_of(2);
    corpus = corpus_of(N, 1);
    other_corpus = corpus_of(N, 2);
    in_memory();
    checks();
    round_trip();
    into_a_file();
    interrupted();
    stale();
    shards();
    damage();
    failures();
    slm_scores_free(truth);
    slm_model_free(model);
    slm_model_free(other_model);
    slm_corpus_free(corpus);
    slm_corpus_free(other_corpus);
    free(whole);
    return check_end();
}
