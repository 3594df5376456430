/* Data: windows, the order of training, batches and their losses, whose memory is whose; JSONL and
   token files: good ones, bad ones by name, cut off at every byte, refused allocations and reads.
   make build/tests/data && build/tests/data [SCRATCH_FOLDER]                                     */
#include "inject.h"
#define SLM__STREAM_MAX ((uint64_t)1 << 20)
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "common/corpus_join.h"
#include "common/token_file.h"
#include "check.h"

static slm_error err;
static slm_tokenizer *bytes;

static int one_line(void) {
    return strpbrk(err.text, "\n\r\t") == NULL && err.text[0] != 0;
}

/* Tokens 1, 2, 3, ...: a token tells its place. */
static slm_corpus *counting(size_t n, const uint8_t *masked) {
    int32_t tokens[2000];
    slm_corpus *corpus = NULL;

    for (size_t i = 0; i < n; i++)
        tokens[i] = (int32_t)i + 1;
    CHECK_OK(slm_corpus_create(&corpus, tokens, masked, n, 3000, &err), err);
    if (corpus == NULL) exit(1);
    return corpus;
}

static slm_batch *new_batch(int32_t B, int32_t T) {
    slm_batch *batch = NULL;

    CHECK_OK(slm_batch_create(&batch, B, T, &err), err);
    if (batch == NULL) exit(1);
    return batch;
}

/* Equal, and not NaN. */
static int same_number(slm_real a, double b) {
    return fabs((double)a - b) <= 0;
}

/* ---- windows: every token but the first is a target once, and where the interface says ---- */
static void check_windows(size_t n, int32_t T, int32_t B) {
    slm_corpus *corpus = counting(n, NULL);
    slm_batch *batch = new_batch(B, T);
    size_t windows = slm_corpus_n_windows(corpus, T);
    size_t expected = n < 2 ? 0 : (n - 1 + (size_t)T - 1) / (size_t)T;
    int seen[41] = {0};
    int bad = windows != expected;

    for (size_t w = 0; w < windows + 2; w += (size_t)B) {
        slm_batch_fill(batch, corpus, w);
        for (size_t i = 0; i < (size_t)(B * T); i++) {
            /* The windows of a batch follow each other; so do their targets. */
            size_t p = w * (size_t)T + i + 1;
            if (p >= n) {
                bad += batch->targets[i] != -1 || batch->inputs[i] != 0;
                continue;
            }
            bad += batch->targets[i] != (int32_t)p + 1;
            bad += batch->inputs[i] != (int32_t)p;
            bad += batch->positions[i] != p;
            seen[p]++;
        }
    }
    for (size_t i = 1; i < n; i++)
        bad += seen[i] != 1;
    CHECK(bad == 0, "n %zu, T %d, B %d: %d wrong", n, (int)T, (int)B, bad);
    slm_batch_free(batch);
    slm_corpus_free(corpus);
}

static void test_windows(void) {
    slm_corpus *corpus;
    slm_batch *batch;

    for (size_t n = 0; n < 40; n++)
        for (int32_t T = 1; T < 12; T++)
            for (int32_t B = 1; B < 4; B++)
                check_windows(n, T, B);

    corpus = counting(5, NULL);
    CHECK(slm_corpus_n_windows(corpus, 0) == 0, "windows of no tokens");
    CHECK(slm_corpus_n_windows(corpus, -3) == 0, "windows of -3 tokens");
    batch = new_batch(2, 3);
    slm_batch_fill(batch, corpus, SIZE_MAX);
    CHECK(batch->targets[0] == -1 && batch->targets[5] == -1, "a window far beyond the end");
    slm_batch_free(batch);
    slm_corpus_free(corpus);
}

/* ---- the order of training ---- */
static void test_order_is_a_permutation(void) {
    static int seen[5000];
    uint64_t far = (uint64_t)1 << 40;
    int bad = 0;

    for (uint64_t n = 1; n < 5000; n = n < 300 ? n + 1 : n * 3 / 2) {
        memset(seen, 0, sizeof seen);
        for (uint64_t i = 0; i < n; i++) {
            uint64_t w = slm__window_order(3, n % 7, i, n);
            if (w < n) seen[w]++;
        }
        for (uint64_t i = 0; i < n; i++)
            bad += seen[i] != 1;
    }
    CHECK(bad == 0, "%d windows not visited once", bad);
    CHECK(slm__window_order(1, 0, far - 1, far) < far, "2^40 windows");
}

static void test_orders_differ(void) {
    static int first[10];
    int same = 0;
    int adjacent = 0;
    double chi = 0;

    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t w = slm__window_order(1, 0, i, 1000);
        same += w == slm__window_order(1, 1, i, 1000);
        same += w == slm__window_order(2, 0, i, 1000);
        same += w == i;
        adjacent += i > 0 && slm__window_order(1, 0, i - 1, 1000) + 1 == w;
    }
    /* 3 and 1 are expected. */
    CHECK(same < 30 && adjacent < 15, "orders alike: %d, %d", same, adjacent);

    for (uint64_t epoch = 0; epoch < 20000; epoch++)
        first[slm__window_order(5, epoch, 0, 10)]++;
    for (int i = 0; i < 10; i++)
        chi += (first[i] - 2000.0) * (first[i] - 2000.0) / 2000.0;
    /* 9 is expected; 40 happens once in 100,000 times. */
    CHECK(chi < 40, "the first of 10 windows: chi square %g", chi);
}

/* ---- batches of a corpus of 103 tokens, two of them masked, with losses that tell theirs ---- */
#define N_TOKENS 103
#define N_ENTRIES (N_TOKENS - 1)

typedef struct small_corpus {
    slm_corpus *corpus; /* tokens 5 and 102 masked */
    slm_corpus *plain;  /* the same tokens, no masks */
    slm_real loss[N_ENTRIES];
    slm_real entropy[N_ENTRIES];
    slm_losses losses; /* of `corpus`, in windows of 4: 26, of which the last holds 2 targets */
} small_corpus;

static void small_open(small_corpus *s) {
    uint8_t masked[N_TOKENS] = {0};

    memset(s, 0, sizeof *s);
    masked[5] = 1;
    masked[102] = 1;
    s->corpus = counting(N_TOKENS, masked);
    s->plain = counting(N_TOKENS, NULL);
    CHECK(s->corpus->hash != s->plain->hash, "the mask is not in the fingerprint");
    CHECK(s->corpus->n_documents == 1 && s->plain->n_documents == 1, "all is one document");
    CHECK(s->corpus->masked != NULL && s->corpus->masked[5] == 1, "the mask");
    for (size_t i = 0; i < N_ENTRIES; i++) { /* entry i belongs to token i + 1 */
        s->loss[i] = (slm_real)(i + 1);
        s->entropy[i] = (slm_real)(1000 + i + 1);
    }
    s->losses.n = N_ENTRIES;
    s->losses.loss = s->loss;
    s->losses.entropy = s->entropy;
    s->losses.T = 4;
    s->losses.corpus_hash = s->corpus->hash;
}

static void small_close(small_corpus *s) {
    slm_corpus_free(s->corpus);
    slm_corpus_free(s->plain);
}

/* How many numbers of entry i of the batch are wrong. */
static int wrong_in_entry(const slm_batch *batch, size_t i) {
    size_t p = (size_t)batch->positions[i];
    int32_t target = p == 5 || p == 102 ? -1 : (int32_t)p + 1;
    int bad = 0;

    if (p >= N_TOKENS) {
        bad += batch->targets[i] != -1;
        bad += batch->inputs[i] != 0;
        bad += !same_number(batch->ref_loss[i], 0);
        return bad;
    }
    bad += batch->targets[i] != target;
    bad += batch->inputs[i] != (int32_t)p;
    bad += !same_number(batch->ref_loss[i], (double)p);
    bad += !same_number(batch->ref_entropy[i], (double)(1000 + p));
    return bad;
}

static void test_three_epochs(void) {
    small_corpus s;
    slm_batch *batch = new_batch(3, 4);
    slm_batch *twin = new_batch(3, 4);
    slm_cursor cursor = {11, 0};
    int targets[N_TOKENS] = {0};
    int bad = 0;

    small_open(&s);
    for (int step = 0; step < 26; step++) {
        slm_cursor before = cursor;
        CHECK_OK(slm_batch_next(batch, &cursor, s.corpus, &s.losses, &err), err);
        for (size_t i = 0; i < 12; i++) {
            bad += wrong_in_entry(batch, i);
            if (batch->positions[i] < N_TOKENS) targets[batch->positions[i]]++;
        }
        if (step != 17) continue;
        /* A cursor is all there is: it gives the same batch once more. */
        CHECK_OK(slm_batch_next(twin, &before, s.corpus, NULL, &err), err);
        CHECK(memcmp(twin->inputs, batch->inputs, 12 * sizeof(int32_t)) == 0, "another batch");
        CHECK(before.next_window == cursor.next_window, "another cursor");
    }
    for (size_t i = 1; i < N_TOKENS; i++)
        bad += targets[i] != 3;
    CHECK(bad == 0, "%d numbers wrong", bad);
    CHECK(cursor.next_window == 78, "window %d after three epochs", (int)cursor.next_window);
    small_close(&s);
    slm_batch_free(batch);
    slm_batch_free(twin);
}

static void test_batch_without_losses(void) {
    small_corpus s;
    slm_batch *batch = new_batch(3, 4);
    slm_cursor cursor = {11, 0};
    int bad = 0;

    small_open(&s);
    CHECK(batch->ref_loss == NULL && batch->ref_entropy == NULL, "references out of nothing");
    CHECK(batch->weights == NULL, "weights out of nothing");
    CHECK_OK(slm_batch_next(batch, &cursor, s.corpus, NULL, &err), err);
    CHECK(batch->ref_loss == NULL && cursor.next_window == 3, "references without losses");
    CHECK_OK(slm_batch_next(batch, &cursor, s.corpus, &s.losses, &err), err);
    CHECK(batch->ref_loss != NULL && batch->weights == NULL, "no references, or weights too");

    /* Old references do not stay: they become NaN. */
    CHECK_OK(slm_batch_next(batch, &cursor, s.corpus, NULL, &err), err);
    for (size_t i = 0; i < 12; i++) {
        bad += !isnan((double)batch->ref_loss[i]);
        bad += !isnan((double)batch->ref_entropy[i]);
    }
    CHECK(bad == 0, "%d old references are still there", bad);
    small_close(&s);
    slm_batch_free(batch);
}

static void test_batch_refuses(void) {
    static const struct {
        int32_t B, T;
    } sizes[] = {{0, 4}, {4, -1}, {65536, 32768}};

    small_corpus s;
    slm_batch *batch = new_batch(3, 4);
    slm_cursor cursor = {11, 0};
    slm_corpus *one = counting(1, NULL);
    slm_status status;

    small_open(&s);
    status = slm_batch_next(batch, &cursor, s.plain, &s.losses, &err);
    CHECK(status == SLM_ERR_MISMATCH && one_line(), "losses of another corpus");
    s.losses.T = 5;
    status = slm_batch_next(batch, &cursor, s.corpus, &s.losses, &err);
    CHECK(status == SLM_ERR_MISMATCH, "losses of other windows");
    s.losses.T = 4;
    s.losses.n = N_ENTRIES - 1;
    status = slm_batch_next(batch, &cursor, s.corpus, &s.losses, &err);
    CHECK(status == SLM_ERR_MISMATCH && one_line(), "too few losses");
    CHECK(strstr(err.text, "(101 targets, windows of 4) are not of this corpus (102)") != NULL,
          "%s", err.text);
    status = slm_batch_next(batch, &cursor, one, NULL, &err);
    CHECK(status == SLM_ERR_ARGUMENT && one_line(), "a corpus of one token");
    CHECK(cursor.next_window == 0, "the cursor moved without a batch");
    slm_batch_free(batch);

    for (size_t i = 0; i < SLM__COUNT(sizes); i++) {
        status = slm_batch_create(&batch, sizes[i].B, sizes[i].T, &err);
        CHECK(status == SLM_ERR_ARGUMENT && batch == NULL, "B %d, T %d", (int)sizes[i].B,
              (int)sizes[i].T);
    }
    small_close(&s);
    slm_corpus_free(one);
    slm_batch_free(NULL);
    slm_corpus_free(NULL);
}

/* Rows behind the last window are of no place in the corpus. */
static void test_behind_the_end(void) {
    small_corpus s;
    slm_batch *batch = new_batch(3, 4);

    small_open(&s);
    slm_batch_fill(batch, s.corpus, 25); /* of 26 windows */
    CHECK(batch->positions[0] == 101 && batch->inputs[0] == 101, "the last window");
    for (size_t i = 4; i < 12; i++)
        CHECK(batch->positions[i] == 0 && batch->inputs[i] == 0 && batch->targets[i] == -1,
              "entry %zu is of place %d", i, (int)batch->positions[i]);
    slm_batch_free(batch);
    small_close(&s);
}

/* ---- whose memory: arrays of a batch and of a corpus may be replaced by the caller's ---- */
static void test_replaced_arrays(void) {
    small_corpus s;
    slm_real ref_loss[12];
    slm_real ref_entropy[12];
    slm_real weights[12] = {0};
    int32_t inputs[12];
    int32_t targets[12];
    slm_batch *batch = new_batch(3, 4);
    slm_cursor cursor = {11, 0};

    small_open(&s);
    CHECK_OK(slm_batch_alloc_reference(batch, &err), err);
    CHECK_OK(slm_batch_alloc_weights(batch, &err), err);
    batch->inputs = inputs;
    batch->targets = targets;
    batch->positions = NULL;
    batch->ref_loss = ref_loss;
    batch->ref_entropy = ref_entropy;
    batch->weights = weights;
    CHECK_OK(slm_batch_next(batch, &cursor, s.corpus, &s.losses, &err), err);
    for (size_t i = 0; i < 12; i++) {
        int valid = targets[i] >= 0;
        if (valid) CHECK(targets[i] == inputs[i] + 1, "entry %zu", i);
        if (valid) CHECK(same_number(ref_loss[i], inputs[i]), "loss of entry %zu", i);
        if (valid) CHECK(same_number(ref_entropy[i], 1000 + inputs[i]), "entropy %zu", i);
        CHECK(same_number(weights[i], 0), "weight %zu was written", i);
    }
    slm_batch_free(batch); /* frees its own blocks, and nothing of ours */
    small_close(&s);
}

static void test_half_a_reference(void) {
    slm_real mine[12];
    slm_real *block;
    slm_batch *batch = new_batch(3, 4);

    batch->ref_loss = mine;
    CHECK_OK(slm_batch_alloc_reference(batch, &err), err);
    CHECK(batch->ref_loss == mine, "the loss was replaced");
    CHECK(batch->ref_entropy != NULL, "the entropy is missing");

    /* Taken away and asked for again: the block is there already. */
    block = batch->ref_entropy;
    batch->ref_loss = NULL;
    batch->ref_entropy = NULL;
    CHECK_OK(slm_batch_alloc_reference(batch, &err), err);
    CHECK(batch->ref_loss != NULL && batch->ref_entropy == block, "a second block");
    slm_batch_free(batch);
}

static void test_weights(void) {
    slm_batch *batch = new_batch(3, 4);
    int bad = 0;

    CHECK_OK(slm_batch_alloc_weights(batch, &err), err);
    for (size_t i = 0; i < 12; i++)
        bad += !same_number(batch->weights[i], 1);
    CHECK(bad == 0, "%d weights are not 1", bad);
    batch->weights[3] = 2;
    CHECK_OK(slm_batch_alloc_weights(batch, &err), err);
    CHECK(same_number(batch->weights[3], 2), "a weight was reset");
    slm_batch_free(batch);
}

/* A batch that slm_batch_create did not make, without positions. */
static void test_own_batch(void) {
    slm_corpus *corpus = counting(N_TOKENS, NULL);
    int32_t inputs[4];
    int32_t targets[4];
    slm_batch mine;

    memset(&mine, 0, sizeof mine);
    mine.B = 1;
    mine.T = 4;
    mine.inputs = inputs;
    mine.targets = targets;
    slm_batch_fill(&mine, corpus, 25);
    CHECK(inputs[0] == 101 && targets[1] == 103 && targets[2] == -1, "the last window");
    CHECK(mine.positions == NULL && mine.ref_loss == NULL, "arrays out of nothing");
    slm_corpus_free(corpus);
}

static void test_replaced_corpus(void) {
    int32_t tokens[3] = {7, 8, 9};
    uint8_t masked[3] = {0, 1, 0};
    slm_corpus *corpus = counting(N_TOKENS, NULL);
    slm_batch *batch = new_batch(1, 2);

    corpus->tokens = tokens;
    corpus->masked = masked;
    corpus->n = 3;
    slm_batch_fill(batch, corpus, 0);
    CHECK(batch->inputs[0] == 7 && batch->targets[0] == -1, "the masked target");
    CHECK(batch->inputs[1] == 8 && batch->targets[1] == 9, "the other target");
    slm_batch_free(batch);
    slm_corpus_free(corpus);
}

/* ---- corpora ---- */
static void test_corpus(void) {
    static const int32_t tokens[4] = {1, 2, 3, 70000};
    static const int32_t negative[2] = {1, -1};
    static const uint8_t masked[4] = {0, 7, 0, 0};
    slm_corpus *corpus;
    slm_status status;

    /* 64-bit FNV-1a over the ids as little-endian int32, then over the mask as 0 and 1: computed
       with a line of Python. */
    CHECK_OK(slm_corpus_create(&corpus, tokens, NULL, 4, 70001, &err), err);
    CHECK(corpus->hash == 0x6fc647c395fd5a83ULL, "%llx", (unsigned long long)corpus->hash);
    CHECK(corpus->n == 4 && corpus->bytes == 0 && corpus->masked == NULL, "not known is 0");
    CHECK(corpus->tokenizer_hash == 0, "a tokenizer out of nothing");
    slm_corpus_free(corpus);
    CHECK_OK(slm_corpus_create(&corpus, tokens, masked, 4, 70001, &err), err);
    CHECK(corpus->hash == 0x1ce2cee1bd2f7988ULL, "%llx", (unsigned long long)corpus->hash);
    CHECK(corpus->masked[1] == 1 && corpus->masked[2] == 0, "masks are 0 or 1");
    slm_corpus_free(corpus);

    status = slm_corpus_create(&corpus, tokens, NULL, 4, 70000, &err);
    CHECK(status == SLM_ERR_ARGUMENT && corpus == NULL, "a token outside the vocabulary");
    CHECK(strstr(err.text, "70000") != NULL, "%s", err.text);
    status = slm_corpus_create(&corpus, negative, NULL, 2, 70000, &err);
    CHECK(status == SLM_ERR_ARGUMENT && corpus == NULL, "-1");

    CHECK_OK(slm_corpus_encode(&corpus, bytes, "ab\0c", 4, &err), err);
    CHECK(corpus->n == 4 && corpus->bytes == 4, "%zu tokens", corpus->n);
    CHECK(corpus->tokens[2] == 0 && corpus->tokens[3] == 'c', "a text with a NUL");
    CHECK(corpus->tokenizer_hash == slm_tokenizer_hash(bytes), "of which tokenizer");
    slm_corpus_free(corpus);
    CHECK_OK(slm_corpus_encode(&corpus, bytes, NULL, 0, &err), err);
    CHECK(corpus->n == 0 && slm_corpus_n_windows(corpus, 8) == 0, "no text");
    slm_corpus_free(corpus);
}

/* ---- the k-th allocation is refused, for all k ---- */
typedef struct refused {
    slm_corpus *corpus; /* three tokens */
    slm_batch *batch;
    slm_losses losses;
    slm_corpus *made_corpus;
    slm_batch *made_batch;
    slm_cursor cursor;
} refused;

static slm_status make_corpus(refused *r) {
    static const int32_t tokens[3] = {1, 2, 3};
    static const uint8_t masked[3] = {0, 1, 0};

    return slm_corpus_create(&r->made_corpus, tokens, masked, 3, 4, &err);
}

static slm_status make_batch(refused *r) {
    return slm_batch_create(&r->made_batch, 2, 2, &err);
}

static slm_status make_references(refused *r) {
    return slm_batch_next(r->batch, &r->cursor, r->corpus, &r->losses, &err);
}

static slm_status make_weights(refused *r) {
    return slm_batch_alloc_weights(r->batch, &err);
}

static void test_refused_memory(void) {
    static const struct {
        const char *name;
        slm_status (*make)(refused *r);
        long n_allocations;
    } cases[] = {{"a corpus", make_corpus, 2},
                 {"a batch", make_batch, 2},
                 {"references", make_references, 1},
                 {"weights", make_weights, 1}};
    slm_real zero[2] = {0, 0};

    for (size_t i = 0; i < SLM__COUNT(cases); i++) {
        slm_status status = SLM_ERR_MEMORY;
        long k = 0;
        refused r;

        memset(&r, 0, sizeof r);
        inject(0, 0);
        r.corpus = counting(3, NULL);
        r.batch = new_batch(2, 2);
        r.losses.n = 2;
        r.losses.T = 2;
        r.losses.loss = zero;
        r.losses.entropy = zero;
        r.losses.corpus_hash = r.corpus->hash;
        while (status != SLM_OK && k < 20) {
            k++;
            inject(0, 0);
            alloc_fail_at = k;
            status = cases[i].make(&r);
            if (status == SLM_OK) break;
            CHECK(status == SLM_ERR_MEMORY, "%s, allocation %ld", cases[i].name, k);
            CHECK(r.made_corpus == NULL && r.made_batch == NULL, "something after a failure");
            CHECK(r.cursor.next_window == 0, "the cursor moved");
        }
        CHECK(k == cases[i].n_allocations + 1, "%s: %ld allocations", cases[i].name, k - 1);
        inject(0, 0);
        slm_corpus_free(r.corpus);
        slm_corpus_free(r.made_corpus);
        slm_batch_free(r.batch);
        slm_batch_free(r.made_batch);
    }
}

/* ---- text and JSONL ---- */
static const struct {
    const char *name, *file, *fields, *text, *says;
} texts[] = {/* text NULL: refused, and the message says */
             {"a.txt", "as it is\r\n{\"text\":1}", NULL, "as it is\r\n{\"text\":1}", NULL},
             {"empty.txt", "", NULL, "", NULL},
             {"empty.jsonl", "", NULL, "", NULL},
             {"a.jsonl", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n", NULL, "one\n\ntwo\n\n", NULL},
             {"a.jsonl", "{\"text\":\"one\"}\r\n\r\n  \n\t\n{\"text\":\"two\"}", NULL,
              "one\n\ntwo\n\n", NULL},
             {"a.jsonl", "\xef\xbb\xbf{\"text\":\"one\"}", NULL, "one\n\n", NULL},
             {"a.jsonl",
              "{\"id\":[1,{\"text\":\"no\"}],\"text\":\"\\u00e9\\n\\ud83d\\ude00\",\"z\":null}",
              NULL, "\xc3\xa9\n\xf0\x9f\x98\x80\n\n", NULL},
             {"a.jsonl", "{\"a\":\"1\",\"q\":\"2\"}\n{\"q\":\"3\",\"a\":\"4\"}", "q,a",
              "2\n1\n\n3\n4\n\n", NULL},
             {"a.jsonl", "{\"a\":\"1\",\"q\":\"2\"}", "q", "2\n\n", NULL},
             {"a.jsonl", "{\"text\":\"\"}", NULL, "\n\n", NULL},
             {"a.jsonl", "{\"question\":\"1\",\"an\\nswer\":\"2\"}", NULL, NULL,
              "line 1: no field \"text\", but there is: question, an?swer"},
             {"a.jsonl", "{\"text\":\"1\"}\n\n{}", NULL, NULL, "line 3: no field \"text\""},
             {"a.jsonl", "{\"q\":\"1\"}", "q,a", NULL, "no field \"a\""},
             {"a.jsonl", "{\"text\":\"1\"}", "", NULL, "no field \"\""},
             {"a.jsonl", "{\"text\":\"1\"}\n{\"text\":2}\n", NULL, NULL, "line 2"},
             {"a.jsonl", "{\"text\":\"1\",\"text\":\"2\"}", NULL, NULL, "there twice"},
             {"a.jsonl", "{\"text\":\"1\"} {\"text\":\"2\"}", NULL, NULL, "line 1"},
             {"a.jsonl", "{\"text\":\"1\"", NULL, NULL, "line 1"},
             {"a.jsonl", "{\"text\":\"1\n\"}", NULL, NULL, "line 1"},
             {"a.jsonl", "7", NULL, NULL, "line 1"},
             {"a.jsonl", "text", NULL, NULL, "line 1"},
             {"a.jsonl", "{\"text\":\"\xff\"}", NULL, NULL, "UTF-8"},
             {"a.jsonl", "{\"text\":\"\\ud83d\"}", NULL, NULL, "line 1: byte 15: a lone surrogate"},
             {"a.jsonl", "{\"text\":\"\\ude00\"}", NULL, NULL, "a lone surrogate"},
             {"a.jsonl", "{\"text\":\"\\ud83d\\u0041\"}", NULL, NULL, "a lone surrogate"},
             {"a.jsonl", "{\"text\":\"\\x\"}", NULL, NULL, "a bad escape"},
             {"A.JSONL", "{\"text\":\"one\"}", NULL, "one\n\n", NULL},
             {"a.json", "{\"text\":\"one\"}\n{\"text\":\"two\"}", NULL, "one\n\ntwo\n\n", NULL},
             {"a.json", "", NULL, "", NULL},
             {"a.jsonl", "{\"\\u000a\":\"\"}", NULL, NULL, "there is: ?"},
             {"a.ndjson", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n", NULL, "one\n\ntwo\n\n", NULL},
             {"ndjson", "{\"text\":\"one\"}", NULL, "{\"text\":\"one\"}", NULL},
             {"a.txt", "\xef\xbb\xbfone", NULL, "one", NULL},
             {"a.txt", "\xef\xbb\xbf", NULL, "", NULL},
             {"a.txt", "\xef\xbb", NULL, "\xef\xbb", NULL},
             {"a.txt", "one\xef\xbb\xbf", NULL, "one\xef\xbb\xbf", NULL}};

static void test_texts(void) {
    size_t i, size;
    char *text;
    slm_corpus *corpus;
    for (i = 0; i < SLM__COUNT(texts); i++) {
        slm_status status;
        put(texts[i].name, texts[i].file, strlen(texts[i].file));
        text = NULL;
        status = slm_text_read(&text, &size, in(texts[i].name), texts[i].fields, &err);
        if (texts[i].text != NULL) {
            CHECK(status == SLM_OK && size == strlen(texts[i].text) &&
                      strcmp(text, texts[i].text) == 0,
                  "%s: %s", texts[i].file, status == SLM_OK ? text : err.text);
            CHECK_OK(slm_corpus_load(&corpus, bytes, path, texts[i].fields, &err), err);
            CHECK(corpus != NULL && corpus->n == strlen(texts[i].text) &&
                      corpus->bytes == corpus->n,
                  "%s: as a corpus", texts[i].file);
            slm_corpus_free(corpus);
        } else
            CHECK(status == SLM_ERR_FORMAT && strstr(err.text, texts[i].says) != NULL &&
                      strstr(err.text, "a.jsonl: line") != NULL && one_line() && text == NULL,
                  "%s: %s", texts[i].file, err.text);
        slm_free(text);
    }
    {
        size_t n = 0;
        char *same = get("a.txt", &n);
        CHECK_OK(slm_text_read(&text, &size, path, NULL, &err), err);
        CHECK(same != NULL && size == n && memcmp(text, same, n) == 0,
              "a text is not read as it is");
        slm_free(text);
        free(same);
    }
    CHECK(slm_text_read(&text, &size, in("nowhere.txt"), NULL, &err) == SLM_ERR_IO &&
              strstr(err.text, "nowhere.txt") != NULL,
          "%s", err.text);
    put("nul.jsonl", "{\"text\":\"a\\u0000b\"}", 19);
    CHECK_OK(slm_text_read(&text, &size, in("nul.jsonl"), NULL, &err), err);
    CHECK(size == 5 && memcmp(text, "a\0b\n\n", 6) == 0, "a NUL in a record: %zu bytes", size);
    slm_free(text);
    text = NULL;
    if (slm_text_read(&text, &size, "../shared/data/gsm8k/test.jsonl", "question,answer", &err) ==
        SLM_OK) {
        /* size and 64-bit FNV-1a of what Python's json makes of the same file */
        CHECK(size == 707137 && slm_hash(SLM_HASH_START, text, size) == 0x6c99d09d861d3897ULL,
              "GSM8K: %zu bytes", size);
        slm_free(text);
        CHECK(slm_text_read(&text, &size, "../shared/data/gsm8k/test.jsonl", NULL, &err) ==
                      SLM_ERR_FORMAT &&
                  strstr(err.text, "question, answer") != NULL,
              "%s", err.text);
    } else
        printf("skipped: GSM8K (no ../shared/data/gsm8k)\n");
}

/* Loads a file as the tools do, with the bytes as tokens.  options NULL: no flag is given. */
static slm_status load(slm_corpus **out, const char *name, const data_options *options) {
    data_options o = options != NULL ? *options : data_defaults();
    token_reader reader = token_reader_of(bytes, NULL, 256, &o);
    return token_file_load(out, &reader, in(name), &err);
}

/* ---- files that are no text ---- */
#define BYTES(text) text, sizeof(text) - 1

/* says: what the message ends with.  NULL: it is a text. */
static const struct {
    const char *name, *file;
    size_t size;
    const char *says;
} kinds[] = {
    {"a.jsonl.gz", BYTES("\x1f\x8b\x08\0"), "gzip -dc %s > a.jsonl"},
    {"a.jsonl", BYTES("\x1f\x8b\x08\0"), "gzip -dc %s > a.new.jsonl"},
    {"a.new", BYTES("\x1f\x8b\x08\0"), "gzip -dc %s > a.new.new"},
    {"noending", BYTES("\x1f\x8b\x08\0"), "gzip -dc %s > noending.new"},
    {"a.txt.zst", BYTES("\x28\xb5\x2f\xfd"), "zstd -dc %s > a.txt"},
    {"a.txt.xz", BYTES("\xfd\x37zXZ\0..."), "xz -dc %s > a.txt"},
    {"a.txt.bz2", BYTES("BZh11AY&SY"), "bzip2 -dc %s > a.txt"},
    {"a.txt.bz2", BYTES("BZh91AY&SY..."), "bzip2 -dc %s > a.txt"},
    {"a.txt.lz4", BYTES("\x04\x22\x4d\x18"), "lz4 -dc %s > a.txt"},
    {"a.txt.zip", BYTES("PK\3\4"), "unzip -p %s > a.txt"},
    {"a.parquet", BYTES("PAR1\x15"),
     "read_parquet(sys.argv[1]).to_json(sys.argv[2], orient='records', lines=True)\" %s a.jsonl"},
    {"a.arrow", BYTES("ARROW1\0\0"),
     "read_feather(sys.argv[1]).to_json(sys.argv[2], orient='records', lines=True)\" %s a.jsonl"},
    {"a.arrow", BYTES("\xff\xff\xff\xff\x10"),
     "open_stream(sys.argv[1]).read_pandas().to_json(sys.argv[2], orient='records', "
     "lines=True)\" %s a.jsonl"},
    {"a.h5", BYTES("\x89HDF\r\n\x1a\n"), "write its texts to a .txt or .jsonl file"},
    {"a.npy", BYTES("\x93NUMPY\1\0"), NULL},
    {"a.db", BYTES("SQLite format 3\0"), "write its texts to a .txt or .jsonl file"},
    {"a.pdf", BYTES("%PDF-1.4"), "pdftotext %s a.txt"},
    {"a.txt", BYTES("\xff\xfe" "a\0"), "iconv -f UTF-16 -t UTF-8 %s > a.new.txt"},
    {"a.txt", BYTES("\xfe\xff\0a"), "iconv -f UTF-16 -t UTF-8 %s > a.new.txt"},
    {"a.txt", BYTES("\xff\xfe\0\0a\0\0\0"), "iconv -f UTF-32 -t UTF-8 %s > a.new.txt"},
    {"a.txt", BYTES("\0\0\xfe\xff\0\0\0a"), "iconv -f UTF-32 -t UTF-8 %s > a.new.txt"},
    {"a.jsonl", BYTES("\xff\xfe{\0"), "iconv -f UTF-16 -t UTF-8 %s > a.new.jsonl"},
    /* Near those, and texts. */
    {"a.gz", BYTES("\x1f"), NULL},
    {"a.gz", BYTES("a\x1f\x8b"), NULL},
    {"a.txt", BYTES("BZh9 is how bzip2 begins"), NULL},
    {"a.bz2", BYTES("BZh91AY&S"), NULL},
    {"a.txt", BYTES("PAR1 is a gene"), NULL},
    {"a.txt", BYTES("ARROW1 is a name"), NULL},
    {"a.txt", BYTES("PK is a country"), NULL},
    {"a.txt", BYTES("SQLite format 3 is old"), NULL},
    {"a.txt", BYTES("a\0b\0c\0"), NULL}};

/* A text with NULs is a text, unless every second byte of its beginning is one and no other is. */
static void check_nuls(size_t size, size_t at, const char *says) {
    char text[1000];
    size_t start = 9;
    slm_status status;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i % 2 == at && i < size ? 0 : 'a');
    status = slm_text_start(&start, text, size, "a.txt", &err);
    CHECK(status == (says != NULL ? SLM_ERR_FORMAT : SLM_OK), "%zu bytes, NULs at %zu", size, at);
    if (says != NULL) CHECK(strstr(err.text, says) != NULL, "%s", err.text);

    text[10 + at] = 'b';
    CHECK(slm_text_start(&start, text, size, "a.txt", &err) == SLM_OK && start == 0,
          "%zu bytes, all NULs but one", size);
    text[10 + at] = 0;
    text[11 - at] = 0;
    CHECK(slm_text_start(&start, text, size, "a.txt", &err) == SLM_OK && start == 0,
          "%zu bytes, a NUL too many", size);
}

/* Of standard input nobody knows the name: the message has a command for a file. */
static void check_nameless(void) {
    static const char gzip[] = "\x1f\x8b\x08";
    size_t start = 9;

    CHECK(slm_text_start(&start, gzip, 3, "-", &err) == SLM_ERR_FORMAT, "a pipe of gzip's");
    CHECK(strstr(err.text, "of a file FROM, this makes it: gzip -dc FROM > TO") != NULL, "%s",
          err.text);
}

static void test_no_texts(void) {
    char says[2000];

    for (size_t i = 0; i < SLM__COUNT(kinds); i++) {
        const char *name = kinds[i].name;
        slm_corpus *corpus = NULL;
        size_t start = 9;
        slm_status status = slm_text_start(&start, kinds[i].file, kinds[i].size, name, &err);

        if (strcmp(name, "a.npy") == 0) {
            CHECK(status == SLM_ERR_FORMAT && strstr(err.text, "NumPy") != NULL, "%s", err.text);
            continue;
        }
        put(name, kinds[i].file, kinds[i].size);
        if (kinds[i].says == NULL) {
            CHECK(status == SLM_OK && start == 0, "%s: %s", kinds[i].file, err.text);
            CHECK_OK(load(&corpus, name, NULL), err);
            CHECK(corpus != NULL && corpus->n == kinds[i].size, "%s", kinds[i].file);
            slm_corpus_free(corpus);
            continue;
        }
        (void)snprintf(says, sizeof says, kinds[i].says, name);
        CHECK(status == SLM_ERR_FORMAT && strncmp(err.text, name, strlen(name)) == 0 &&
                  strlen(err.text) > strlen(says) && one_line() &&
                  strcmp(err.text + strlen(err.text) - strlen(says), says) == 0,
              "%s: %s", says, err.text);
        CHECK(load(&corpus, name, NULL) == SLM_ERR_FORMAT &&
                  strncmp(err.text, path, strlen(path)) == 0 && corpus == NULL,
              "%s: %s", name, err.text);
        CHECK(slm_corpus_load(&corpus, bytes, path, NULL, &err) == SLM_ERR_FORMAT, "%s", name);
    }
    check_nuls(64, 1, "-f UTF-16LE ");
    check_nuls(999, 1, "-f UTF-16LE ");
    check_nuls(64, 0, "-f UTF-16BE ");
    check_nuls(63, 1, NULL);
    CHECK(slm_text_is_jsonl("a/b.jsonl") && slm_text_is_jsonl("b.ndjson") &&
              slm_text_is_jsonl(".json"),
          "names");
    CHECK(slm_text_is_jsonl("A.JSONL") && slm_text_is_jsonl("a.Json"), "letters of either case");
    CHECK(!slm_text_is_jsonl("jsonl") && !slm_text_is_jsonl("a.jsonl.gz") && !slm_text_is_jsonl(""),
          "names");
    check_nameless();
}

/* ---- token files: the bytes 0, 1, 2, ... as tokens ---- */
static unsigned char made[4096];

static size_t make_tokens(size_t start, size_t n, size_t width) {
    size_t i;
    for (i = 0; i < n; i++)
        slm__store(made + start + i * width, i, width);
    return start + n * width;
}

static size_t make_npy(const char *header, int version, size_t n) { /* header and n int32 */
    size_t wide = version == 1 ? 2 : 4, h = strlen(header);
    memcpy(made, "\x93NUMPY", 6);
    made[6] = (unsigned char)version;
    made[7] = 0;
    slm__store(made + 8, h, wide);
    memcpy(made + 8 + wide, header, h);
    return make_tokens(8 + wide + h, n, 4);
}

static size_t make_shard(uint64_t magic, uint64_t said, size_t n) {
    memset(made, 0, 1024);
    slm__store(made, magic, 4);
    slm__store(made + 4, 1, 4);
    slm__store(made + 8, said, 4);
    return make_tokens(1024, n, magic == 20240520 ? 2 : 4);
}

static void check_tokens(const char *name, size_t size, size_t n,
                         const char *says) { /* says NULL: n tokens must come out */
    slm_corpus *corpus = NULL;
    slm_status status;
    size_t i;
    put(name, made, size);
    status = load(&corpus, name, NULL);
    if (says != NULL) {
        CHECK(status == SLM_ERR_FORMAT && corpus == NULL && strstr(err.text, says) != NULL &&
                  strstr(err.text, name) != NULL && one_line(),
              "%s: %s", says, status == SLM_OK ? "accepted" : err.text);
        slm_corpus_free(corpus);
        return;
    }
    CHECK(status == SLM_OK && corpus != NULL && corpus->n == n && corpus->bytes == n, "%s: %s",
          name, status == SLM_OK ? "accepted" : err.text);
    for (i = 0; corpus != NULL && i < corpus->n && slm_corpus_token(corpus, i) == (int32_t)i;
         i++)
        continue;
    if (corpus != NULL) CHECK(i == corpus->n, "%s: token %zu", name, i);
    slm_corpus_free(corpus);
}

/* Bare ids of 16 bits, whatever they look like. */
static void check_wide(size_t size, size_t n) {
    slm_corpus *corpus = NULL;

    put("a.u16", made, size);
    CHECK_OK(load(&corpus, "a.u16", NULL), err);
    CHECK(corpus != NULL && corpus->n == n, "%zu ids", n);
    slm_corpus_free(corpus);
}

#define NPY(descr, order, shape)                                                                   \
    "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", }"

/* A header, and what is said of it: the field, its value and what is needed. */
static const struct {
    const char *header, *says;
} bad_headers[] = {
    {NPY("<i8", "False", "(5,)"), "shape says 5 numbers of 8 bytes, but 20 bytes follow"},
    {NPY("<u2", "False", "(5,)"), "shape says 5 numbers of 2 bytes, but 20 bytes follow"},
    {NPY(">i4", "False", "(5,)"), "descr is '>i4': a little-endian number"},
    {NPY("|O", "False", "(5,)"), "descr is '|O': "},
    {NPY("<f4", "False", "(5,)"), "descr is '<f4': token ids are"},
    {NPY("<i2", "False", "(10,)"), "descr is '<i2': token ids are"},
    {NPY("<i4", "True", "(5,)"), "fortran_order is True: False is needed"},
    {NPY("<i4", "False", "(5,1)"), "shape has 2 dimensions: token ids have one, (N,)"},
    {NPY("<i4", "False", "()"), "shape says 1 numbers of 4 bytes, but 20"},
    {NPY("<i4", "False", "(-5,)"), "shape is (-5,),: at most four"},
    {NPY("<i4", "False", "(5)"), "shape is (5),: "},
    {NPY("<i4", "False", "[5]"), "shape is [5],: "},
    {"{'descr': '<i4', 'shape': (5,), }", "'fortran_order' was expected"},
    {"", "the header is empty: no {'descr'"},
    {"{", "the header is {: no {'descr'"},
    {"\n", "the header is empty"},
    {"nonsense\x01\xff", "the header is nonsense??: no {'descr'"},
    {NPY("<i4", "False", "(4,)"), "shape says 4 numbers of 4 bytes, but 20 bytes follow"},
    {NPY("<i4", "False", "(6,)"), "shape says 6 numbers of 4 bytes, but 20 bytes follow"},
    {NPY("<i4", "False", "(99999999999999999999999,)"), "shape is (99999999999999999999999,),: "},
    {NPY("<i4", "False", "(4611686018427387909,)"), /* times 4 it would be 20 */
     "shape is (4611686018427387909,),: "},
};

/* Ids of the widths that NumPy has. */
static void test_npy_widths(void) {
    static const struct {
        const char *header;
        size_t width;
    } good[] = {{NPY("<i8", "False", "(200,)"), 8},
                {NPY("<i4", "False", "(200,)"), 4},
                {NPY("<u4", "False", "(200,)"), 4},
                {NPY("<u2", "False", "(200,)"), 2}};

    for (size_t i = 0; i < SLM__COUNT(good); i++) {
        size_t width = good[i].width;
        size_t start = 10 + strlen(good[i].header);
        size_t size;
        (void)make_npy(good[i].header, 1, 0);
        size = make_tokens(start, 200, width);
        check_tokens("w.npy", size, 200, NULL);
        slm__store(made + start + 7 * width, 300, width);
        check_tokens("w.npy", size, 0, "token 7 is 300, outside the vocabulary of 256");
        memset(made + start + 7 * width, 255, width);
        if (strstr(good[i].header, "<i") != NULL)
            check_tokens("w.npy", size, 0, "token 7 is -1, outside");
        else
            check_tokens("w.npy", size, 0, width == 2 ? "is 65535, outside" : "is 4294967295,");
    }
}

/* Bare ids, as --dtype says. */
static void check_dtype(const char *name, int dtype, size_t size, size_t n, const char *says) {
    data_options options = data_defaults();
    slm_corpus *corpus = NULL;
    slm_status status;

    options.dtype = dtype;
    put(name, made, size);
    status = load(&corpus, name, &options);
    if (says == NULL)
        CHECK(status == SLM_OK && corpus != NULL && corpus->n == n &&
                  slm_corpus_token(corpus, n - 1) == 99,
              "%s, dtype %d: %s", name, dtype, err.text);
    else
        CHECK(status == SLM_ERR_FORMAT && corpus == NULL && strstr(err.text, says) != NULL,
              "%s, dtype %d: %s", name, dtype, status == SLM_OK ? "accepted" : err.text);
    slm_corpus_free(corpus);
}

static void test_dtypes(void) {
    static const size_t widths[] = {2, 4, 4, 8}; /* u16, u32, i32, i64 */

    for (int dtype = 0; dtype < 4; dtype++) {
        size_t size = make_tokens(0, 100, widths[dtype]);
        check_dtype("d.bin", dtype, size, 100, NULL);
        check_dtype("d.dat", dtype, size, 100, NULL);
        check_dtype("d.bin", dtype, size - 1, 0, "do not make a file of");
        if (dtype >= 2) memset(made, 255, widths[dtype]);
        if (dtype >= 2) check_dtype("d.bin", dtype, size, 0, "token 0 is -1, outside");
    }
    check_dtype("d.bin", 1, make_tokens(0, 100, 8), 0, "every second one is 0");
    check_tokens("d.u32", make_tokens(0, 100, 4), 100, NULL);

    /* The header of the file, or a name of JSON lines, counts more than the flag. */
    check_dtype("d.bin", 3, make_shard(20240520, 100, 100), 100, NULL);
    check_dtype("d.npy", 0, make_npy(NPY("<i4", "False", "(100,)"), 1, 100), 100, NULL);
    memset(made, 'a', 8);
    check_dtype("d.jsonl", 0, 8, 0, "line 1");
}

static void test_token_files(void) {
    size_t size, i;
    check_tokens("a.npy", make_npy(NPY("<i4", "False", "(5,)") "          \n", 1, 5), 5, NULL);
    check_tokens("a.npy", make_npy(NPY("<i4", "False", "(5,)"), 2, 5), 5, NULL);
    check_tokens("a.npy", make_npy("{'descr':'<i4','fortran_order':False,'shape':(256,)}", 3, 256),
                 256, NULL);
    check_tokens("a.npy", make_npy(NPY("<i4", "False", "(0,)"), 1, 0), 0, NULL);
    check_tokens("a.bin", make_npy(NPY("<i4", "False", "(5,)"), 1, 5), 5,
                 NULL); /* what it is decides, not what it is called */
    for (i = 0; i < SLM__COUNT(bad_headers); i++)
        check_tokens("a.npy", make_npy(bad_headers[i].header, 1, 5), 0, bad_headers[i].says);
    check_tokens("a.npy", make_npy(NPY("<i4", "False", "(257,)"), 1, 257), 0,
                 "token 256 is 256, outside the vocabulary of 256");
    size = make_npy(NPY("<i4", "False", "(5,)"), 1, 5);
    made[size - 1] = 0xff; /* a negative id */
    check_tokens("a.npy", size, 0, "outside the vocabulary");
    size = make_npy(NPY("<i4", "False", "(5,)"), 1, 5);
    made[8] = 0xff;
    made[9] = 0xff; /* a header of 65,535 bytes */
    check_tokens("a.npy", size, 0, "damaged");
    size = make_npy(NPY("<i4", "False", "(5,)"), 1, 5);
    for (i = 6; i < size; i++)
        check_tokens("a.npy", i, 0, "a.npy"); /* cut off; 0 to 5 bytes are a text */
    check_tokens("a.bin", make_shard(20240520, 200, 200), 200, NULL);
    check_tokens("shard", make_shard(20240801, 200, 200), 200, NULL);
    check_tokens("a.bin", make_shard(20240520, 0, 0), 0, NULL);
    check_tokens("a.bin", make_shard(20240520, 199, 200), 0, "199 tokens");
    check_tokens("a.bin", make_shard(20240520, 0xffffffff, 200), 0, "4294967295 tokens");
    check_tokens("a.bin", make_shard(20240801, 0x40000000, 0), 0, "1073741824 tokens");
    check_tokens("a.bin", make_shard(20240520, 300, 300), 0, "token 256 is 256");
    size = make_shard(20240801, 20, 20);
    for (i = 1024; i < size; i++)
        check_tokens("a.bin", i, 0, "20 tokens");
    check_tokens("train.bin", make_tokens(0, 7, 2), 7, NULL);
    check_tokens("a.u16", make_tokens(0, 256, 2), 256, NULL);
    check_tokens("a.u16", 0, 0, NULL);
    check_tokens("a.u16", 7, 0, "3 tokens of 2 bytes");
    check_tokens("a.bin", make_tokens(0, 100, 4), 0, "every second one is 0");
    check_tokens("a.u16", make_tokens(0, 100, 8), 0, "every second one is 0");
    check_tokens("a.u16", make_tokens(0, 16, 4), 0, "every second one is 0"); /* the fewest */
    size = make_tokens(0, 100, 4);
    made[4 * 77 + 2] = 5;
    check_wide(size, 200); /* one that is not 0 is enough */
    check_wide(make_tokens(0, 15, 4), 30);
    memset(made, 0, 200);
    check_wide(200, 100); /* all of them 0: as good at 16 bits */
    check_tokens("a.u16", make_tokens(0, 257, 2), 0, "outside the vocabulary");
}

/* ---- JSON of other shapes ---- */
static void check_shape(const char *name, const char *file, const char *says) {
    slm_corpus *corpus = NULL;

    put(name, file, strlen(file));
    CHECK(load(&corpus, name, NULL) == SLM_ERR_FORMAT && strstr(err.text, says) != NULL &&
              one_line() && corpus == NULL,
          "%s: %s", file, err.text);
    slm_corpus_free(corpus);
}

static void test_json_shapes(void) {
    check_shape("a.json", "\n [{\"text\":\"one\"}]", "a JSON array, not a record a line");
    check_shape("a.json", "[1]", "data/a.jsonl");
    check_shape("a.jsonl", "[1]", "/a.jsonl > lines.jsonl");
    check_shape("a.json", "{ \r\n \"text\": \"one\"\n}\n", "JSON object over several lines");
    check_shape("a.json", "{\n}", "jq -c . ");
    check_shape("a b's.json", "[1]", "jq -c '.[]' '");
    check_shape("a b's.json", "[1]", "/a b'\\''s.json' > '");
    check_shape("a b's.json", "[1]", "/a b'\\''s.jsonl'");
    check_shape("a b.gz", "\x1f\x8b\x08", "/a b.gz' > '");
    check_shape("a b.gz", "\x1f\x8b\x08", "/a b'");
}

/* ---- bad records ---- */
static void test_bad_records(void) {
    static const char file[] = "{\"text\":\"a\"}\n"
                               "{\"text\":\"b\",\"score\":NaN}\n"
                               "{\"text\":\"\\ud83d\"}\n"
                               "\n"
                               "{\"text\":null}\n"
                               "{\"text\":\"\xff\"}\n"
                               "{\"other\":\"c\"}\n"
                               "{\"text\":\"d";
    slm_text_options options = {NULL, 0, 1, NULL, NULL};
    slm_text text;

    CHECK_OK(slm_text_parse(&text, file, sizeof file - 1, "a.jsonl", &options, &err), err);
    CHECK(text.n_records == 7 && text.n_bad == 6 && text.size == 3 &&
              memcmp(text.start, "a\n\n", 4) == 0,
          "%zu of %zu bad", text.n_bad, text.n_records);
    CHECK(strstr(text.first_bad.text, "a.jsonl: line 2: byte 20: ") != NULL, "%s",
          text.first_bad.text);
    slm_text_free(&text);
    options.skip_bad = 0;
    CHECK(slm_text_parse(&text, file, sizeof file - 1, "a.jsonl", &options, &err) ==
                  SLM_ERR_FORMAT &&
              strstr(err.text, "line 2") != NULL && text.size == 0,
          "%s", err.text);
    slm_text_free(&text);

    /* What a bad record began with is not there, either. */
    static const char half[] = "{\"q\":\"1\"}\n{\"q\":\"2\",\"a\":\"3\"}";
    options.skip_bad = 1;
    options.fields = "q,a";
    CHECK_OK(slm_text_parse(&text, half, sizeof half - 1, "a.jsonl", &options, &err), err);
    CHECK(text.n_bad == 1 && text.size == 5 && memcmp(text.start, "2\n3\n\n", 5) == 0, "%zu bytes",
          text.size);
    slm_text_free(&text);
    options.fields = NULL;

    options.jsonl = 1;
    CHECK_OK(slm_text_parse(&text, file, 13, "any name", &options, &err), err);
    CHECK(text.n_records == 1 && text.n_bad == 0 && text.size == 3, "%zu bytes", text.size);
    slm_text_free(&text);
    CHECK_OK(slm_text_parse(&text, " ", 1, "any name", &options, &err), err);
    CHECK(text.n_records == 0 && text.size == 0, "a blank that nothing follows");
    slm_text_free(&text);

    data_options all = data_defaults();
    slm_corpus *corpus;
    all.text.skip_bad = 1;
    put("bad.jsonl", "{\n", 1);
    CHECK(load(&corpus, "bad.jsonl", &all) == SLM_ERR_FORMAT &&
              strstr(err.text, "all 1 records are bad") != NULL,
          "%s", err.text);
}

/* ---- without a tokenizer ---- */
static void test_no_tokenizer(void) {
    data_options options = data_defaults();
    token_reader reader = token_reader_of(NULL, NULL, 400, &options);
    slm_corpus *corpus = NULL;
    size_t size = make_npy(NPY("<i4", "False", "(400,)"), 1, 400);

    put("ids.npy", made, size);
    CHECK_OK(token_file_load(&corpus, &reader, in("ids.npy"), &err), err);
    CHECK(corpus != NULL && corpus->n == 400 && slm_corpus_token(corpus, 399) == 399 &&
              corpus->bytes == 0 && corpus->tokenizer_hash == 0,
          "ids of no tokenizer");
    slm_corpus_free(corpus);
    reader.vocab = 399;
    CHECK(token_file_load(&corpus, &reader, path, &err) == SLM_ERR_FORMAT &&
              strstr(err.text, "token 399 is 399") != NULL,
          "%s", err.text);
    put("some.txt", "text", 4);
    CHECK(token_file_load(&corpus, &reader, in("some.txt"), &err) == SLM_ERR_FORMAT &&
              strstr(err.text, "some.txt: a text, and no tokenizer") != NULL && corpus == NULL,
          "%s", err.text);
}

/* ---- tokens that are not copied ---- */
static size_t n_freed;

/* Token i is i, but for the one that *user says is bad. */
static int32_t counted(void *user, size_t i) {
    return i == *(size_t *)user ? 5000 : (int32_t)i;
}

static void count_free(void *user) {
    (void)user;
    n_freed++;
}

static void test_source(void) {
    size_t bad = 7000;
    slm_token_source source = {counted, count_free, NULL};
    int32_t tokens[500];
    uint8_t masked[500] = {0};
    slm_corpus *copied = NULL;
    slm_corpus *corpus = NULL;
    slm_batch *a = new_batch(3, 16);
    slm_batch *b = new_batch(3, 16);

    source.user = &bad;
    masked[20] = 1;
    for (int i = 0; i < 500; i++)
        tokens[i] = i;
    CHECK_OK(slm_corpus_create(&copied, tokens, masked, 500, 600, &err), err);
    CHECK_OK(slm_corpus_create_from(&corpus, &source, masked, 500, 600, &err), err);
    CHECK(corpus->n_documents == 1, "all is one document");
    CHECK(corpus->hash == copied->hash && corpus->tokens == NULL, "the same hash");
    for (size_t w = 0; w < slm_corpus_n_windows(corpus, 16) + 2; w++) {
        slm_batch_fill(a, corpus, w);
        slm_batch_fill(b, copied, w);
        CHECK(memcmp(a->inputs, b->inputs, 48 * 4) == 0, "inputs of window %zu", w);
        CHECK(memcmp(a->targets, b->targets, 48 * 4) == 0, "targets of window %zu", w);
    }
    n_freed = 0;
    slm_corpus_free(corpus);
    CHECK(n_freed == 1, "the source is freed with it");

    bad = 499;
    CHECK(slm_corpus_create_from(&corpus, &source, NULL, 500, 600, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "token 499 is 5000, outside the vocabulary of 600") != NULL &&
              corpus == NULL && n_freed == 1,
          "%s", err.text);
    for (long k = 1; k <= 2; k++) {
        inject(0, 0);
        alloc_fail_at = k;
        CHECK(slm_corpus_create_from(&corpus, &source, masked, 400, 600, &err) == SLM_ERR_MEMORY &&
                  corpus == NULL && n_freed == 1,
              "allocation %ld", k);
    }
    inject(0, 0);
    slm_corpus_free(copied);
    slm_batch_free(a);
    slm_batch_free(b);
}

/* Files of ids larger than a piece, and texts, one after the other: as if they were one. */
static void test_join(void) {
    static unsigned char many[2 * 20000];
    slm_corpus *parts[4];
    slm_corpus *joined = NULL;
    slm_corpus *copied = NULL;
    static int32_t tokens[40010];
    size_t n = 0;

    for (size_t i = 0; i < 20000; i++)
        slm__store(many + 2 * i, i * i % 251, 2);
    put("many.u16", many, sizeof many);
    CHECK_OK(load(&parts[0], "many.u16", NULL), err);
    put("few.txt", "a few", 5);
    CHECK_OK(load(&parts[1], "few.txt", NULL), err);
    put("none.txt", "", 0);
    CHECK_OK(load(&parts[2], "none.txt", NULL), err);
    CHECK_OK(load(&parts[3], "many.u16", NULL), err);
    for (size_t p = 0; p < 4; p++) {
        for (size_t i = 0; i < parts[p]->n; i++)
            tokens[n++] = slm_corpus_token(parts[p], i);
    }
    CHECK(n == 40005 && tokens[20000] == 'a' && tokens[20006] == 1, "%zu tokens", n);
    CHECK_OK(slm_corpus_create(&copied, tokens, NULL, n, 256, &err), err);
    CHECK_OK(corpus_join(&joined, parts, 4, bytes, 256, &err), err);
    CHECK(joined->n == n && joined->hash == copied->hash, "%zu tokens joined", joined->n);
    CHECK(joined->n_documents == 3 && joined->document_starts[1] == 20000 &&
              joined->document_starts[2] == 20005,
          "%zu documents", joined->n_documents);
    for (size_t i = n; i-- > 0;) { /* and backwards */
        if (slm_corpus_token(joined, i) != tokens[i]) CHECK(0, "token %zu", i);
    }
    slm_corpus_free(joined);
    slm_corpus_free(copied);

    /* A file that becomes shorter while it is in use gives no token of the vocabulary. */
    CHECK_OK(load(&joined, "many.u16", NULL), err);
    FILE *shorter = fopen(in("many.u16"), "wb");
    if (shorter != NULL) (void)fclose(shorter);
    CHECK(slm_corpus_token(joined, 0) == INT32_MAX, "a token of a piece that is gone");
    slm_corpus_free(joined);
}

/* ---- what never ends ---- */
static void test_endless(void) {
    static char much[(1 << 20) + 100];
    slm_corpus *corpus = NULL;
    char *text;
    size_t size;
    FILE *zero = fopen("/dev/zero", "rb");

    memset(much, 'a', sizeof much);
    put("much.txt", much, sizeof much);
    CHECK_OK(load(&corpus, "much.txt", NULL), err); /* a plain file is as large as it is */
    CHECK(corpus != NULL && corpus->n == sizeof much, "a large file");
    slm_corpus_free(corpus);
    if (zero == NULL) {
        printf("skipped: an endless file (no /dev/zero)\n");
        return;
    }
    (void)fclose(zero);
    CHECK(slm_file_read(&text, &size, "/dev/zero", &err) == SLM_ERR_FORMAT &&
              strstr(err.text, "/dev/zero: more than 1 MiB") != NULL,
          "%s", err.text);
}

static void test_failures(void) { /* the k-th allocation, the k-th touch of a file */
    int kind;
    long k;
    (void)make_npy(NPY("<i4", "False", "(5,)"), 1, 5);
    put("f.npy", made, make_npy(NPY("<i4", "False", "(5,)"), 1, 5));
    put("f.jsonl", "{\"a\":1,\"text\":\"x\"}\n{\"text\":\"y\"}\n", 32);
    for (kind = 0; kind < 3; kind++) { /* files of ids are not read by slm.h */
        slm_status status = SLM_ERR_MEMORY, wanted = kind < 2 ? SLM_ERR_MEMORY : SLM_ERR_IO;
        for (k = 1; k < 100 && status != SLM_OK; k++) {
            slm_corpus *corpus = (slm_corpus *)&k;
            inject(kind < 2 ? 0 : k, 0);
            alloc_fail_at = kind < 2 ? k : 0;
            status = load(&corpus, kind % 2 ? "f.npy" : "f.jsonl", NULL);
            if (status != SLM_OK && (status != wanted || err.status != wanted || corpus != NULL)) {
                CHECK(0, "kind %d, call %ld: status %d", kind, k, (int)status);
                break;
            }
            if (status == SLM_OK) slm_corpus_free(corpus);
            if (kind >= 2 && io_calls < k) break;
        }
        CHECK(status == SLM_OK && k > 2, "kind %d: after %ld", kind, k);
    }
    inject(0, 0);
}

int main(int argc, char **argv) {
    (void)snprintf(root, sizeof root, "%s", argc > 1 ? argv[1] : "build/tmp");
    (void)slm__make_folder(root, NULL);
    (void)snprintf(root, sizeof root, "%s/data", argc > 1 ? argv[1] : "build/tmp");
    (void)slm__make_folder(root, NULL);
    CHECK_OK(slm_tokenizer_create_bytes(&bytes, &err), err);
    if (bytes == NULL) return check_end();
    test_windows();
    test_order_is_a_permutation();
    test_orders_differ();
    test_three_epochs();
    test_batch_without_losses();
    test_batch_refuses();
    test_behind_the_end();
    test_replaced_arrays();
    test_half_a_reference();
    test_weights();
    test_own_batch();
    test_replaced_corpus();
    test_corpus();
    test_refused_memory();
    test_texts();
    test_no_texts();
    test_token_files();
    test_npy_widths();
    test_dtypes();
    test_json_shapes();
    test_bad_records();
    test_no_tokenizer();
    test_source();
    test_join();
    test_endless();
    test_failures();
    slm_tokenizer_free(bytes);
    CHECK(alloc_held == 0, "%ld blocks of memory are never freed", alloc_held);
    return check_end();
}
