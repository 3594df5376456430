/* Losses of a corpus, in memory and in score files: the same bits for any batch size, in parts,
   stopped anywhere and joined; other fingerprints refused by name, every truncation and every
   flipped bit, a failure injected at every I/O call and at every allocation; the evaluation of a
   text by them.
   (Resuming, and the files of shards, are the command line's: tests/system/cli.sh.) */
#include "inject.h"
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "slm/losses_join.h"
#include "check.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { N = 61, T = 7, VOCAB = 20, WINDOWS = 9 }; /* 60 targets: eight windows of 7 and one of 4 */

enum { TOKENIZER = 77 }; /* hash of a tokenizer */

enum { MASKED = 11 }; /* the token that is no target */

static slm_model *model_of(uint64_t seed) {
    slm_model_config c;
    slm_model *model;
    slm_error err;
    memset(&c, 0, sizeof c);
    c.vocab = VOCAB;
    c.dim = 8;
    c.n_layers = 1;
    c.n_heads = 2;
    c.ffn = 10;
    if (slm_model_create(&model, &c, seed, &err) != SLM_OK) {
        printf("%s\n", err.text);
        exit(1);
    }
    return model;
}

static slm_corpus *corpus_of(size_t n, uint64_t seed) {
    int32_t *tokens = (int32_t *)malloc(n * sizeof *tokens);
    uint8_t *masked = (uint8_t *)calloc(n, 1);
    slm_corpus *corpus;
    slm_error err;
    slm_rng rng = slm_rng_seed(seed);
    size_t i;
    for (i = 0; i < n; i++)
        tokens[i] = (int32_t)slm_rng_below(&rng, VOCAB);
    if (n > MASKED) masked[MASKED] = 1;
    if (slm_corpus_create(&corpus, tokens, masked, n, VOCAB, &err) != SLM_OK) {
        printf("%s\n", err.text);
        exit(1);
    }
    corpus->tokenizer_hash = TOKENIZER;
    free(tokens);
    free(masked);
    return corpus;
}

static int same_scores(const slm_losses *a, const slm_losses *b) {
    return a->n == b->n && a->first == b->first && a->total == b->total && a->T == b->T &&
           a->corpus_hash == b->corpus_hash && a->tokenizer_hash == b->tokenizer_hash &&
           a->model_hash == b->model_hash && a->documents_hash == b->documents_hash &&
           memcmp(a->loss, b->loss, a->n * sizeof(slm_real)) == 0 &&
           memcmp(a->entropy, b->entropy, a->n * sizeof(slm_real)) == 0;
}

/* A progress callback that stops at the k-th call, and checks what it is told. */
typedef struct watch {
    long calls, stop_at;
    uint64_t done, total;
} watch;

static int progress(void *user, uint64_t done, uint64_t total) {
    watch *w = (watch *)user;
    CHECK(done > w->done && done <= total && (w->total == 0 || w->total == total),
          "progress %llu of %llu after %llu", (unsigned long long)done, (unsigned long long)total,
          (unsigned long long)w->done);
    w->done = done;
    w->total = total;
    return ++w->calls == w->stop_at;
}

static slm_model *model, *other_model;
static slm_corpus *corpus, *other_corpus;
static slm_losses *truth;
static char *whole; /* the file of all */
static size_t n_whole;

/* All windows, B of them at a time. */
static slm_status compute(slm_losses **out, const slm_corpus *c, int32_t B, int32_t length,
                          watch *w, slm_error *err) {
    const slm_windows windows = slm_corpus_windows(c, B, length);

    return slm_losses_compute(out, model, c, &windows, w != NULL ? progress : NULL, w, err);
}

/* The losses that all others are compared with. */
static void make_truth(void) {
    watch w = {0, 0, 0, 0};
    slm_error err;

    CHECK_OK(compute(&truth, corpus, 1, T, &w, &err), err);
    CHECK(w.calls == WINDOWS && w.done == N - 1 && w.total == N - 1, "%ld calls", w.calls);
    CHECK(truth->n == N - 1 && truth->first == 0 && truth->total == N - 1 && truth->T == T,
          "sizes");
    CHECK(truth->corpus_hash == corpus->hash && truth->tokenizer_hash == TOKENIZER &&
              truth->model_hash == slm_model_hash(model),
          "fingerprints");
    for (size_t i = 0; i < truth->n; i++) {
        double loss = (double)truth->loss[i];
        double entropy = (double)truth->entropy[i];

        if (i == MASKED - 1)
            CHECK(loss >= 0 && loss <= 0, "the masked target has a loss");
        else
            CHECK(loss > 0 && loss < 20 && entropy > 0 && entropy < 20, "target %zu: %g, %g", i,
                  loss, entropy);
    }
}

static void batch_sizes(void) {
    static const int32_t sizes[] = {1, 2, 3, 4, 8, 9, 10, 50, INT32_MAX};
    slm_losses *s;
    slm_error err;

    for (size_t i = 0; i < COUNT(sizes); i++) {
        CHECK_OK(compute(&s, corpus, sizes[i], T, NULL, &err), err);
        CHECK(same_scores(s, truth), "B = %d", (int)sizes[i]);
        slm_losses_free(s);
    }
    CHECK(compute(&s, corpus, 0, T, NULL, &err) == SLM_ERR_ARGUMENT && s == NULL, "B = 0");
    CHECK(compute(&s, corpus, 1, 0, NULL, &err) == SLM_ERR_ARGUMENT && s == NULL, "T = 0");
    CHECK(compute(&s, corpus, -1, T, NULL, &err) == SLM_ERR_ARGUMENT && s == NULL, "B = -1");
}

static void stopped_by_progress(void) {
    watch w = {0, 0, 0, 0};
    slm_losses *s = truth;
    slm_error err;

    w.stop_at = 3;
    CHECK(compute(&s, corpus, 2, T, &w, &err) == SLM_ERR_CANCELLED && w.calls == 3, "stopped");
    CHECK(s != NULL && s != truth && s->n == 6 * T && s->total == N - 1 && s->first == 0,
          "what was done when it was stopped");
    CHECK(memcmp(s->loss, truth->loss, s->n * sizeof *s->loss) == 0 &&
              memcmp(s->entropy, truth->entropy, s->n * sizeof *s->entropy) == 0,
          "its numbers");
    slm_losses_free(s);

    memset(&w, 0, sizeof w);
    w.stop_at = WINDOWS;
    CHECK(compute(&s, corpus, 1, T, &w, &err) == SLM_OK && same_scores(s, truth),
          "a stop after the last window is none");
    slm_losses_free(s);
}

static void tiny_corpora(void) {
    slm_corpus *one = corpus_of(1, 3);
    slm_corpus *two = corpus_of(2, 3);
    slm_losses *s;
    slm_error err;

    CHECK(compute(&s, one, 1, T, NULL, &err) == SLM_ERR_ARGUMENT, "one token");
    CHECK_OK(compute(&s, two, 3, T, NULL, &err), err);
    CHECK(s != NULL && s->n == 1, "two tokens");
    slm_losses_free(s);
    slm_losses_free(NULL);
    slm_corpus_free(one);
    slm_corpus_free(two);
}

static void checks(void) {
    slm_error err;
    slm_losses s = *truth;
    slm_corpus other_tokens = *corpus;
    other_tokens.tokenizer_hash = TOKENIZER + 1;
    CHECK_OK(slm_losses_check(truth, corpus, T, &err), err);
    CHECK(slm_losses_check(truth, corpus, T + 1, &err) == SLM_ERR_MISMATCH &&
              strstr(err.text, "windows") != NULL,
          "%s", err.text);
    CHECK(slm_losses_check(truth, &other_tokens, T, &err) == SLM_ERR_MISMATCH &&
              strstr(err.text, "tokenizer") != NULL,
          "%s", err.text);
    CHECK(slm_losses_check(truth, other_corpus, T, &err) == SLM_ERR_MISMATCH &&
              strstr(err.text, "corpus") != NULL,
          "%s", err.text);
    s.n--;
    CHECK(slm_losses_check(&s, corpus, T, &err) == SLM_ERR_MISMATCH &&
              strstr(err.text, "part") != NULL,
          "a part: %s", err.text);
    s.total--;
    CHECK(slm_losses_check(&s, corpus, T, &err) == SLM_ERR_MISMATCH &&
              strstr(err.text, "corpus") != NULL,
          "another length: %s", err.text);
}

/* Where the text is in the file. */
static size_t find_text(const char *text) {
    size_t n = strlen(text);

    for (size_t i = 0; i + n <= n_whole; i++)
        if (memcmp(whole + i, text, n) == 0) return i;
    CHECK(0, "%s is not in the file", text);
    return 0;
}

/* A score file is a safetensors file as any other. */
static void round_trip(void) {
    slm_real loss[N - 1];
    char text[64];
    slm_safetensors *file;
    slm_losses *s;
    slm_error err;

    CHECK_OK(slm_losses_save(truth, in("scores"), &err), err);
#ifndef _WIN32
    CHECK(strcmp(io_synced, in(".")) == 0, "the folder that is synced is %s", io_synced);
#endif
    whole = get("scores", &n_whole);
    (void)snprintf(text, sizeof text, "\"corpus\":\"%016llx\"", (unsigned long long)corpus->hash);
    CHECK(find_text(text) > 0 && find_text("\"tokenizer\":\"000000000000004d\"") > 0 &&
              find_text("\"window\":\"7\"") > 0,
          "metadata");

    CHECK_OK(slm_safetensors_open(&file, in("scores"), &err), err);
    CHECK(slm_safetensors_count(file) == 2, "two tensors");
    CHECK_OK(slm_safetensors_read(loss, file, "loss", N - 1, &err), err);
    CHECK(memcmp(loss, truth->loss, sizeof loss) == 0, "tensor \"loss\"");
    slm_safetensors_close(file);

    CHECK_OK(slm_losses_load(&s, in("scores"), &err), err);
    CHECK(s != NULL && same_scores(s, truth), "loaded");
    CHECK(slm_safetensors_open(&file, in("scores"), &err) == SLM_OK &&
              slm_safetensors_metadata(file, "documents") == NULL,
          "a file says nothing of documents unless there is need");
    slm_safetensors_close(file);

    s->documents_hash = 0xd0c5;
    CHECK_OK(slm_losses_save(s, in("within"), &err), err);
    slm_losses_free(s);
    CHECK_OK(slm_losses_load(&s, in("within"), &err), err);
    CHECK(s != NULL && s->documents_hash == 0xd0c5, "the documents that it was made within");
    slm_losses_free(s);
}

static void no_score_files(void) {
    slm_real before = truth->loss[17];
    slm_losses *s;
    slm_error err;

    CHECK(slm_losses_load(&s, in("nothing"), &err) == SLM_ERR_IO && s == NULL, "no file");
    CHECK(slm_losses_load(&s, root, &err) == SLM_ERR_IO && s == NULL, "a folder");
    put("text", "some text, no score file", 24);
    CHECK(slm_losses_load(&s, in("text"), &err) == SLM_ERR_FORMAT && s == NULL &&
              strstr(err.text, "safetensors") != NULL,
          "%s", err.text);
    CHECK_OK(slm_model_save(model, in("model"), NULL, SLM_DTYPE_NATIVE, &err), err);
    CHECK(slm_losses_load(&s, in("model/model.safetensors"), &err) == SLM_ERR_FORMAT &&
              strstr(err.text, "not a score file") != NULL,
          "%s", err.text);

    truth->loss[17] = (slm_real)NAN;
    CHECK_OK(slm_losses_save(truth, in("nan"), &err), err);
    CHECK(slm_losses_load(&s, in("nan"), &err) == SLM_ERR_NOT_FINITE && s == NULL, "a NaN");
    truth->loss[17] = before;
}

/* Losses that no windows of a corpus can have are not saved. */
static void impossible(void) {
    slm_error err;

#define IMPOSSIBLE(field, value, what)                                                             \
    do {                                                                                           \
        slm_losses bad = *truth;                                                                   \
        bad.field = value;                                                                         \
        CHECK(slm_losses_save(&bad, in("bad"), &err) == SLM_ERR_ARGUMENT, "saved: " what);         \
    } while (0)
    IMPOSSIBLE(T, 0, "windows of 0");
    IMPOSSIBLE(T, -7, "windows of -7");
    IMPOSSIBLE(total, 0, "of nothing");
    IMPOSSIBLE(total, N - 2, "more than all");
    IMPOSSIBLE(n, 10, "half a window");
    IMPOSSIBLE(first, 1, "beyond the end");
    IMPOSSIBLE(first, SIZE_MAX, "far beyond the end");
}

/* Windows first to last-1, each time another batch size, through a file. */
static slm_losses *part_of(const slm_model *m, const slm_corpus *c, int32_t length, size_t first,
                           size_t last) {
    const slm_windows windows = {(int32_t)(1 + (first + last) % 4), length, first, last};
    slm_losses *s, *back = NULL;
    slm_error err;
    size_t i;
    CHECK_OK(slm_losses_compute(&s, m, c, &windows, NULL, NULL, &err), err);
    CHECK_OK(slm_losses_save(s, in("part"), &err), err);
    CHECK_OK(slm_losses_load(&back, in("part"), &err), err);
    CHECK(back != NULL && same_scores(s, back) && back->total == c->n - 1,
          "part %zu to %zu through a file", first, last);
    if (m == model && c == corpus && length == T)
        for (i = 0; i < s->n; i++)
            CHECK(memcmp(&s->loss[i], &truth->loss[s->first + i], sizeof(slm_real)) == 0,
                  "part %zu to %zu: entry %zu", first, last, i);
    slm_losses_free(s);
    return back;
}

/* Joining two must fail with this status. */
static void not_joined(const slm_losses *a, const slm_losses *b, slm_status want,
                       const char *text) {
    const slm_losses *both[2];
    slm_losses *s;
    slm_error err;

    both[0] = a;
    both[1] = b;
    CHECK(losses_join(&s, both, 2, &err) == want && s == NULL && strstr(err.text, text) != NULL,
          "joined, or another message than \"%s\": %s", text, err.text);
}

/* Windows 0 to a-1, a to b-1 and the rest: joined in any order, some of them empty. */
static void three_parts(size_t a, size_t b) {
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    slm_losses *parts[3];
    slm_error err;

    parts[0] = part_of(model, corpus, T, 0, a);
    parts[1] = part_of(model, corpus, T, a, b);
    parts[2] = part_of(model, corpus, T, b, WINDOWS);
    for (size_t i = 0; i < COUNT(orders); i++) {
        const slm_losses *in_order[3];
        slm_losses *s;

        for (int k = 0; k < 3; k++)
            in_order[k] = parts[orders[i][k]];
        CHECK(losses_join(&s, in_order, 3, &err) == SLM_OK && s != NULL && same_scores(s, truth),
              "joined at %zu and %zu: %s", a, b, err.text);
        slm_losses_free(s);
    }

    if (0 < a && a < b && b < WINDOWS) not_joined(parts[0], parts[2], SLM_ERR_ARGUMENT, "");
    if (a < b) not_joined(parts[1], parts[1], SLM_ERR_ARGUMENT, "");
    if (a < b) not_joined(parts[1], truth, SLM_ERR_ARGUMENT, "");
    for (int k = 0; k < 3; k++)
        slm_losses_free(parts[k]);
}

static void parts(void) {
    const slm_windows too_many = {1, T, 1, WINDOWS + 1};
    const slm_windows backwards = {1, T, 2, 1};
    slm_losses *s;
    slm_error err;

    for (size_t a = 0; a <= WINDOWS; a++)
        for (size_t b = a; b <= WINDOWS; b++)
            three_parts(a, b);

    CHECK(losses_join(&s, NULL, 0, &err) == SLM_ERR_ARGUMENT && s == NULL, "no parts");
    CHECK(slm_losses_compute(&s, model, corpus, &too_many, NULL, NULL, &err) == SLM_ERR_ARGUMENT &&
              s == NULL,
          "a window too many");
    CHECK(slm_losses_compute(&s, model, corpus, &backwards, NULL, NULL, &err) == SLM_ERR_ARGUMENT &&
              s == NULL,
          "windows backwards");
}

static void foreign_parts(void) {
    static const char *const names[] = {"model", "corpus", "tokenizer", "window length"};
    slm_corpus other_tokens = *corpus;
    slm_losses *ours = part_of(model, corpus, T, 0, 2);
    slm_losses *other[4];

    other_tokens.tokenizer_hash = TOKENIZER + 1;
    other[0] = part_of(other_model, corpus, T, 2, 4);
    other[1] = part_of(model, other_corpus, T, 2, 4);
    other[2] = part_of(model, &other_tokens, T, 2, 4);
    other[3] = part_of(model, corpus, 2 * T, 1, 2);
    for (size_t i = 0; i < COUNT(other); i++) {
        not_joined(ours, other[i], SLM_ERR_MISMATCH, names[i]);
        slm_losses_free(other[i]);
    }
    slm_losses_free(ours);
}

/* Stopped after every call: what was done comes out, and with the rest it is the whole. */
static void stopped(void) {
    long stop;
    slm_error err;
    for (stop = 1; stop < WINDOWS; stop++) {
        watch w = {0, 0, 0, 0};
        slm_losses *done, *rest, *s;
        const slm_losses *q[2];
        w.stop_at = stop;
        CHECK(compute(&done, corpus, 1, T, &w, &err) == SLM_ERR_CANCELLED && w.calls == stop,
              "not stopped");
        CHECK(done != NULL && done->n == (size_t)stop * T && done->total == N - 1,
              "stopped at window %ld: %zu entries", stop, done ? done->n : 0);
        rest = part_of(model, corpus, T, (size_t)stop, WINDOWS);
        q[0] = done;
        q[1] = rest;
        CHECK(losses_join(&s, q, 2, &err) == SLM_OK && same_scores(s, truth),
              "stopped at window %ld and joined: %s", stop, err.text);
        slm_losses_free(s);
        slm_losses_free(done);
        slm_losses_free(rest);
    }
}

static void truncated(void) {
    char *more = (char *)calloc(1, n_whole + 1);
    slm_losses *s;
    slm_error err;

    for (size_t i = 0; i < n_whole; i++) {
        put("d", whole, i);
        CHECK(slm_losses_load(&s, in("d"), &err) == SLM_ERR_FORMAT && s == NULL,
              "the first %zu bytes were accepted", i);
    }
    if (more == NULL) exit(1);
    memcpy(more, whole, n_whole);
    put("d", more, n_whole + 1);
    CHECK(slm_losses_load(&s, in("d"), &err) == SLM_ERR_FORMAT, "one byte more was accepted");
    free(more);
}

/* Every fifth bit: 5 and 8 share no factor, so that it is every byte and every place in it. */
static void flipped_bits(void) {
    slm_losses *s;
    slm_error err;

    for (size_t i = 0; i < 8 * n_whole; i += 5) {
        char bit = (char)(1 << i % 8);
        slm_status status;

        whole[i / 8] ^= bit;
        put("d", whole, n_whole);
        status = slm_losses_load(&s, in("d"), &err);
        CHECK((status == SLM_ERR_FORMAT || status == SLM_ERR_NOT_FINITE) && s == NULL,
              "bit %zu: %s", i, slm_status_text(status));
        whole[i / 8] ^= bit;
    }
}

/* Metadata that are whole, with a checksum that is right, but impossible; and those that only look
   odd. */
static void metadata(void) {
    static const struct {
        const char *window, *at, *all, *corpus;
        int good;
    } cases[] = {{"7", "0", "60", "0000000000000001", 1},
                 {"60", "0", "60", "ffffffffffffffff", 1},
                 {"2147483647", "0", "60", "0000000000000001", 1},
                 {"30", "60", "120", "0000000000000001", 1},
                 {"7", "0", "59", "0000000000000001", 0},
                 {"7", "0", "61", "0000000000000001", 0},
                 {"7", "7", "60", "0000000000000001", 0},
                 {"8", "60", "120", "0000000000000001", 0},
                 {"0", "0", "60", "0000000000000001", 0},
                 {"-7", "0", "60", "0000000000000001", 0},
                 {"07", "0", "60", "0000000000000001", 0},
                 {"7 ", "0", "60", "0000000000000001", 0},
                 {"", "0", "60", "0000000000000001", 0},
                 {"2147483648", "0", "60", "0000000000000001", 0},
                 {"4294967303", "0", "60", "0000000000000001", 0},
                 {"18446744073709551616", "0", "60", "0000000000000001", 0},
                 {"7", "18446744073709551615", "60", "0000000000000001", 0},
                 {"7", "0", "18446744073709551615", "0000000000000001", 0},
                 {"7", "0", "60", "1", 0},
                 {"7", "0", "60", "000000000000000G", 0},
                 {"7", "0", "60", "00000000000000001", 0},
                 {"7", "0", "60", "000000000000000A", 0}};

    size_t i;
    for (i = 0; i < COUNT(cases); i++) {
        const slm_param p = {"", 0, 1, N - 1, 0};
        slm_losses *s;
        slm_error err;
        slm_status status;
        slm__container c =
            slm__container_of(&slm__losses_format, &p, 1, truth->loss, truth->entropy, NULL);
        slm__container_writer w;
        const char *const pairs[] = {"slm",    "score file",      "window",    cases[i].window,
                                     "at",     cases[i].at,       "all",       cases[i].all,
                                     "corpus", cases[i].corpus,   "tokenizer", "0000000000000001",
                                     "model",  "0000000000000002"};
        size_t k;
        memset(&w, 0, sizeof w);
        w.container = &c;
        w.dtype = slm__native_dtype();
        w.header.err = &err;
        w.checksum = SLM_HASH_START;
        for (k = 0; k < COUNT(pairs); k += 2)
            slm__container_put(&w, pairs[k], pairs[k + 1]);
        CHECK_OK(slm__container_end(&w, in("d")), err);
        status = slm_losses_load(&s, in("d"), &err);
        CHECK(status == (cases[i].good ? SLM_OK : SLM_ERR_FORMAT) && (s != NULL) == cases[i].good,
              "case %zu: %s", i, err.text);
        slm_losses_free(s);
    }
}

/* Saves with the k-th access to a file failing, k = 1, 2, ..., until none fails: afterwards there
   is the old file or the whole new one.  Returns how many failed. */
static long failing_saves(int sticky) {
    long k;
    for (k = 1;; k++) {
        slm_error err;
        slm_status status;
        char *bytes;
        size_t n = 0;
        put("f", "old", 3);
        inject(k, sticky);
        err.text[0] = 0;
        status = slm_losses_save(truth, in("f"), &err);
        if (status == SLM_OK && io_calls < k) break;
        io_fail_at = 0;
        CHECK(status == SLM_ERR_IO && err.text[0] != 0, "save, call %ld: %s", k,
              slm_status_text(status));
        bytes = get("f", &n);
        CHECK(bytes != NULL && ((n == 3 && memcmp(bytes, "old", 3) == 0) ||
                                (n == n_whole && memcmp(bytes, whole, n) == 0)),
              "call %ld: half a file", k);
        free(bytes);
    }
    inject(0, 0);
    return k - 1;
}

static long failing_loads(void) {
    long k;
    for (k = 1;; k++) {
        slm_error err;
        slm_losses *s;
        slm_status status;
        inject(k, 0);
        status = slm_losses_load(&s, in("f"), &err);
        if (status == SLM_OK) {
            CHECK(same_scores(s, truth), "loaded");
            slm_losses_free(s);
        }
        if (io_calls < k) break;
        CHECK(status == SLM_OK || (status == SLM_ERR_IO && s == NULL), "load, call %ld: %s", k,
              slm_status_text(status));
    }
    inject(0, 0);
    return k - 1;
}

typedef enum call_kind { CALL_SAVE, CALL_LOAD, CALL_COMPUTE, CALL_JOIN, N_CALLS } call_kind;

static slm_status call_it(call_kind call, slm_losses **s, slm_error *err) {
    const slm_losses *one = truth;
    *s = NULL;
    switch (call) {
    case CALL_SAVE: return slm_losses_save(truth, in("f"), err);
    case CALL_LOAD: return slm_losses_load(s, in("f"), err);
    case CALL_COMPUTE: return compute(s, corpus, 2, T, NULL, err);
    default: return losses_join(s, &one, 1, err);
    }
}

/* The same with the k-th allocation failing. */
static long failing_allocations(call_kind call) {
    long k;
    for (k = 1;; k++) {
        slm_error err;
        slm_losses *s;
        slm_status status;
        alloc_calls = 0;
        alloc_fail_at = k;
        status = call_it(call, &s, &err);
        alloc_fail_at = 0;
        if (status == SLM_OK) {
            CHECK(call == CALL_SAVE || same_scores(s, truth), "call %d", (int)call);
            slm_losses_free(s);
            return k - 1;
        }
        CHECK(status == SLM_ERR_MEMORY && s == NULL, "call %d, allocation %ld: %s", (int)call, k,
              slm_status_text(status));
    }
}

static void failures(void) {
    long points = failing_saves(0);
    points += failing_saves(1);
    points += failing_loads();
    for (int call = 0; call < N_CALLS; call++)
        points += failing_allocations((call_kind)call);
    CHECK(points > 50, "only %ld points", points);
    printf("score files: failures at %ld points\n", points);
}

/* A model with weights that are finite but far too large: its losses are no results. */
#define REAL_MAX (sizeof(slm_real) == 4 ? (slm_real)FLT_MAX : (slm_real)DBL_MAX)

static void losses_that_are_not_finite(void) {
    slm_model *wild;
    slm_tape *tape;
    slm_batch *batch;
    slm_error err;

    CHECK_OK(slm_model_copy(&wild, model, &err), err);
    const slm_param *head = &wild->table[wild->n_tensors - 1];
    for (size_t i = 0; i < head->rows * head->cols; i++)
        wild->params[head->offset + i] = i % 2 ? REAL_MAX : -REAL_MAX / 2;
    CHECK_OK(slm_tape_create(&tape, &err), err);
    CHECK_OK(slm_batch_create(&batch, 1, T, &err), err);
    CHECK_OK(slm_batch_alloc_reference(batch, &err), err);
    slm_batch_fill(batch, corpus, 0);
    CHECK(slm_model_losses(batch->ref_loss, batch->ref_entropy, tape, wild, batch, &err) ==
                  SLM_ERR_NOT_FINITE &&
              strstr(err.text, "is not finite") != NULL,
          "%s", err.text);
    CHECK(slm_model_losses(batch->ref_loss, NULL, tape, wild, batch, &err) == SLM_ERR_NOT_FINITE,
          "losses alone");
    slm_batch_free(batch);
    slm_tape_free(tape);
    slm_model_free(wild);
}

/* ---- evaluation ---- */

/* The mean over the targets that are not masked, naively. */
static double naive_mean(const slm_losses *losses, const slm_corpus *c, size_t *n) {
    double sum = 0;

    *n = 0;
    for (size_t i = 0; i < losses->n; i++) {
        if (c->masked != NULL && c->masked[i + 1]) continue;
        sum += (double)losses->loss[i];
        ++*n;
    }
    return sum / (double)*n;
}

/* The limits of the interval, naively: between which of 1000 sorted means a share of them lies. */
static double naive_limit(const slm_losses *losses, const slm_corpus *c, uint64_t seed,
                          double share) {
    double mean[1000];
    const double place = share * 999;
    const size_t below = (size_t)place;
    slm_rng rng = slm_rng_seed(seed);

    for (size_t draw = 0; draw < 1000; draw++) {
        double sum = 0;
        size_t n = 0;

        for (size_t w = 0; w < WINDOWS; w++) {
            size_t first = (size_t)slm_rng_below(&rng, WINDOWS) * (size_t)losses->T;

            for (size_t i = first; i < first + (size_t)losses->T && i < losses->n; i++) {
                if (c->masked != NULL && c->masked[i + 1]) continue;
                sum += (double)losses->loss[i];
                n++;
            }
        }
        mean[draw] = sum / (double)n;
    }
    for (size_t i = 0; i <= below + 1; i++) /* the smallest come first */
        for (size_t j = i + 1; j < 1000; j++)
            if (mean[j] < mean[i]) {
                double kept = mean[i];
                mean[i] = mean[j];
                mean[j] = kept;
            }
    return mean[below] + (place - (double)below) * (mean[below + 1] - mean[below]);
}

static void evaluation(void) {
    const double ln2 = 0.69314718055994530942;
    slm_corpus c = *corpus;
    slm_evaluation e, again;
    slm_error err;
    size_t n;
    double mean = naive_mean(truth, &c, &n);

    CHECK_OK(slm_losses_evaluate(&e, truth, &c, 5, &err), err);
    CHECK(fabs(e.loss - mean) < 1e-12, "mean %.17g, not %.17g", e.loss, mean);
    CHECK(e.n_tokens == n && n == N - 2 && e.n_windows == WINDOWS, "%zu targets in %zu windows",
          e.n_tokens, e.n_windows);
    CHECK(e.low < e.loss && e.loss < e.high, "interval %g to %g around %g", e.low, e.high, e.loss);
    double low = naive_limit(truth, &c, 5, .025);
    double high = naive_limit(truth, &c, 5, .975);
    CHECK(fabs(e.low - low) < 1e-12, "low %.17g, not %.17g", e.low, low);
    CHECK(fabs(e.high - high) < 1e-12, "high %.17g, not %.17g", e.high, high);
    CHECK(e.bits_per_byte != e.bits_per_byte && e.n_bytes == 0,
          "bits per byte of a corpus that knows no bytes");

    CHECK_OK(slm_losses_evaluate(&again, truth, &c, 5, &err), err);
    CHECK(again.loss == e.loss && again.low == e.low && again.high == e.high, "the same seed");
    CHECK_OK(slm_losses_evaluate(&again, truth, &c, 6, &err), err);
    CHECK(again.loss == e.loss && again.low != e.low && again.high != e.high, "another seed");

    /* Only the bytes of the targets count: neither those of the first token, nor of masked ones;
       token 3 is special. */
    int32_t token_bytes[VOCAB];
    size_t n_bytes = 0;
    for (int32_t id = 0; id < VOCAB; id++)
        token_bytes[id] = id == 3 ? 0 : id % 4 + 1;
    for (size_t i = 1; i < c.n; i++)
        if (!c.masked[i]) n_bytes += (size_t)token_bytes[c.tokens[i]];
    c.bytes = 100000; /* of the text: not what is asked for */
    c.token_bytes = token_bytes;
    c.n_token_bytes = VOCAB;
    CHECK_OK(slm_losses_evaluate(&again, truth, &c, 5, &err), err);
    CHECK(again.n_bytes == n_bytes, "%zu bytes, not %zu", again.n_bytes, n_bytes);
    CHECK(fabs(again.bits_per_byte - mean * (double)n / ln2 / (double)n_bytes) < 1e-12,
          "bits per byte %g", again.bits_per_byte);
    c.masked = NULL;

    /* Windows that all have one mean leave no doubt about it. */
    slm_losses *flat;
    CHECK_OK(slm_losses_create(&flat, N - 1, T, &err), err);
    CHECK(slm_losses_evaluate(&again, flat, &c, 5, &err) == SLM_ERR_MISMATCH,
          "losses that do not say to which corpus they belong");
    flat->corpus_hash = c.hash;
    flat->tokenizer_hash = c.tokenizer_hash;
    for (size_t i = 0; i < flat->n; i++)
        flat->loss[i] = 2;
    CHECK_OK(slm_losses_evaluate(&again, flat, &c, 5, &err), err);
    CHECK(again.loss == 2 && again.low == 2 && again.high == 2, "equal losses");

    /* Targets in the first window only: nothing that could vary, so no interval. */
    uint8_t masked[N];
    for (size_t i = 0; i < N; i++)
        masked[i] = i > (size_t)flat->T;
    c.masked = masked;
    CHECK_OK(slm_losses_evaluate(&again, flat, &c, 5, &err), err);
    CHECK(again.loss == 2 && isnan(again.low) && isnan(again.high), "an interval of one window");
    c.masked = NULL;
    flat->loss[3] = (slm_real)NAN;
    CHECK(slm_losses_evaluate(&again, flat, &c, 5, &err) == SLM_ERR_NOT_FINITE, "a NaN");
    slm_losses_free(flat);
}

static void evaluation_of_masked_tokens(void) {
    slm_corpus c = *corpus;
    slm_evaluation e, again;
    slm_error err;
    uint8_t masked[N];
    size_t n;

    /* All of window 2, and a token of window 0. */
    memset(masked, 0, sizeof masked);
    memset(masked + 2 * T + 1, 1, T);
    masked[3] = 1;
    c.masked = masked;
    CHECK_OK(slm_losses_evaluate(&e, truth, &c, 5, &err), err);
    double mean = naive_mean(truth, &c, &n);
    CHECK(fabs(e.loss - mean) < 1e-12 && e.n_tokens == N - 1 - T - 1, "masked: %g, not %g", e.loss,
          mean);

    /* What is masked does not count, whatever it is. */
    const slm_real kept = truth->loss[2];
    truth->loss[2] = 1e6;
    CHECK_OK(slm_losses_evaluate(&again, truth, &c, 5, &err), err);
    CHECK(again.loss == e.loss && again.low == e.low && again.high == e.high,
          "a masked loss counts");
    truth->loss[2] = kept;

    memset(masked, 1, sizeof masked);
    CHECK(slm_losses_evaluate(&again, truth, &c, 5, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "masked") != NULL,
          "all is masked: %s", err.text);
    c.n--;
    CHECK(slm_losses_evaluate(&again, truth, &c, 5, &err) == SLM_ERR_MISMATCH &&
              strstr(err.text, "another corpus") != NULL,
          "another corpus: %s", err.text);
}

int main(int argc, char **argv) {
    slm_error err;
    (void)snprintf(root, sizeof root, "%s/scores", argc > 1 ? argv[1] : "build/tmp");
    if (slm__make_folder(root, &err) != SLM_OK) {
        printf("%s\n", err.text);
        return 1;
    }
    model = model_of(1);
    other_model = model_of(2);
    corpus = corpus_of(N, 1);
    other_corpus = corpus_of(N, 2);
    make_truth();
    batch_sizes();
    stopped_by_progress();
    tiny_corpora();
    checks();
    round_trip();
    no_score_files();
    impossible();
    parts();
    foreign_parts();
    stopped();
    losses_that_are_not_finite();
    evaluation();
    evaluation_of_masked_tokens();
    truncated();
    flipped_bits();
    metadata();
    failures();
    slm_losses_free(truth);
    slm_model_free(model);
    slm_model_free(other_model);
    slm_corpus_free(corpus);
    slm_corpus_free(other_corpus);
    free(whole);
    CHECK(alloc_held == 0, "%ld blocks of memory are never freed", alloc_held);
    return check_end();
}
