/* Data: windows, the order of training, batches and their scores, JSONL and (tools/token_file.h) token files: good ones, bad ones by name, cut off
   at every byte, refused allocations and reads.   cc -I. -Itests tests/test_data.c -lm && ./a.out [SCRATCH_FOLDER]          */
#include "inject.h"
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "token_file.h"
#include "check.h"

static slm_error err;
static slm_tokenizer *bytes;

static int one_line(void) {
    return strpbrk(err.text, "\n\r\t") == NULL && err.text[0] != 0;
}

static slm_corpus *counting(
    size_t n, const uint8_t *masked) { /* tokens 1, 2, 3, ...: a token tells its place */
    int32_t tokens[2000];
    slm_corpus *corpus = NULL;
    size_t i;
    for (i = 0; i < n; i++)
        tokens[i] = (int32_t)i + 1;
    CHECK_OK(slm_corpus_create(&corpus, tokens, masked, n, 3000, &err), err);
    if (corpus == NULL) exit(1);
    return corpus;
}

/* ---- windows: every token but the first is a target once, and stands where the interface says ---- */
static void test_windows(void) {
    size_t n;
    int32_t T, B;
    for (n = 0; n < 40; n++)
        for (T = 1; T < 12; T++)
            for (B = 1; B < 4; B++) {
                slm_corpus *corpus = counting(n, NULL);
                slm_batch *batch;
                int seen[41] = {0}, bad = 0;
                size_t windows = slm_corpus_n_windows(corpus, T), w, i;
                if (n < 2)
                    bad += windows != 0;
                else
                    bad += windows != (n - 1 + (size_t)T - 1) / (size_t)T;
                CHECK_OK(slm_batch_create(&batch, B, T, &err), err);
                for (w = 0; w < windows + 2; w += (size_t)B) {
                    slm_batch_fill(batch, corpus, w);
                    for (i = 0; i < (size_t)(B * T); i++) {
                        size_t p = w * (size_t)T + i +
                                   1; /* windows of a batch follow each other: so do its targets */
                        if (p >= n) {
                            bad += batch->targets[i] != -1 || batch->inputs[i] != 0;
                            continue;
                        }
                        bad += batch->targets[i] != (int32_t)p + 1 ||
                               batch->inputs[i] != (int32_t)p || batch->positions[i] != p;
                        seen[p]++;
                    }
                }
                for (i = 1; i < n; i++)
                    bad += seen[i] != 1;
                CHECK(bad == 0, "n %zu, T %d, B %d: %d wrong", n, (int)T, (int)B, bad);
                slm_batch_free(batch);
                slm_corpus_free(corpus);
            }
    {
        slm_corpus *corpus = counting(5, NULL);
        slm_batch *batch;
        CHECK(slm_corpus_n_windows(corpus, 0) == 0 && slm_corpus_n_windows(corpus, -3) == 0,
              "windows of no tokens");
        CHECK_OK(slm_batch_create(&batch, 2, 3, &err), err);
        slm_batch_fill(batch, corpus, SIZE_MAX);
        CHECK(batch->targets[0] == -1 && batch->targets[5] == -1, "a window far beyond the end");
        slm_batch_free(batch);
        slm_corpus_free(corpus);
    }
}

/* ---- the order of training ---- */
static void test_order(void) {
    static int seen[5000], first[10];
    uint64_t n, i, epoch, same = 0, adjacent = 0;
    double chi = 0;
    int bad = 0;
    for (n = 1; n < 5000; n = n < 300 ? n + 1 : n * 3 / 2) {
        memset(seen, 0, sizeof seen);
        for (i = 0; i < n; i++) {
            uint64_t w = slm__window_order(3, n % 7, i, n);
            if (w < n) seen[w]++;
        }
        for (i = 0; i < n; i++)
            bad += seen[i] != 1;
    }
    CHECK(bad == 0, "%d windows not visited once", bad);
    CHECK(slm__window_order(1, 0, ((uint64_t)1 << 40) - 1, (uint64_t)1 << 40) < (uint64_t)1 << 40,
          "2^40 windows");
    for (i = 0; i < 1000; i++) {
        uint64_t w = slm__window_order(1, 0, i, 1000);
        same += (w == slm__window_order(1, 1, i, 1000)) + (w == slm__window_order(2, 0, i, 1000)) +
                (w == i);
        adjacent += i > 0 && slm__window_order(1, 0, i - 1, 1000) + 1 == w;
    }
    CHECK(same < 30 && adjacent < 15, "orders alike: %d, %d", (int)same,
          (int)adjacent); /* 3 and 1 are expected */
    for (epoch = 0; epoch < 20000; epoch++)
        first[slm__window_order(5, epoch, 0, 10)]++;
    for (i = 0; i < 10; i++)
        chi += (first[i] - 2000.0) * (first[i] - 2000.0) / 2000.0;
    CHECK(chi < 40, "the first of 10 windows: chi square %g",
          chi); /* 9 is expected, 40: 1 in 100,000 */
}

/* ---- batches ---- */
static void test_batches(void) {
    uint8_t masked[103] = {0};
    slm_real loss[102], entropy[102];
    slm_corpus *corpus, *other;
    slm_losses scores;
    slm_batch *batch;
    slm_cursor cursor = {11, 0}, again;
    size_t i, step;
    int targets[103] = {0}, bad = 0;
    masked[5] = masked[102] = 1;
    corpus = counting(103, masked);
    other = counting(103, NULL);
    CHECK(corpus->hash != other->hash, "the mask is not in the fingerprint");
    CHECK(corpus->masked != NULL && corpus->masked != masked && corpus->masked[5] == 1, "the mask");
    memset(&scores, 0, sizeof scores);
    for (i = 0; i < 102; i++) {
        loss[i] = (slm_real)(i + 1);
        entropy[i] = (slm_real)(1000 + i + 1);
    } /* entry i: of token i+1 */
    scores.n = 102;
    scores.loss = loss;
    scores.entropy = entropy;
    scores.T = 4;
    scores.corpus_hash = corpus->hash;
    CHECK_OK(slm_batch_create(&batch, 3, 4, &err),
             err); /* 26 windows of 4: the last holds 2 targets */
    CHECK(batch->ref_loss == NULL && batch->ref_entropy == NULL, "references before there are any");
    CHECK_OK(slm_batch_next(batch, &cursor, corpus, NULL, &err), err);
    CHECK(batch->ref_loss == NULL && cursor.next_window == 3, "references without scores");
    cursor.next_window = 0;
    for (step = 0; step < 26; step++) { /* three epochs */
        again = cursor;
        CHECK_OK(slm_batch_next(batch, &cursor, corpus, &scores, &err), err);
        for (i = 0; i < 12; i++) {
            size_t p = (size_t)batch->positions[i];
            if (p < 103) {
                bad += batch->targets[i] != (p == 5 || p == 102 ? -1 : (int32_t)p + 1) ||
                       batch->inputs[i] != (int32_t)p;
                bad += !(batch->ref_loss[i] >= (slm_real)p && batch->ref_loss[i] <= (slm_real)p);
                bad += !(batch->ref_entropy[i] >= (slm_real)(1000 + p) &&
                         batch->ref_entropy[i] <= (slm_real)(1000 + p));
                targets[p]++;
            } else
                bad += batch->targets[i] != -1 || batch->inputs[i] != 0 ||
                       !(batch->ref_loss[i] >= 0 && batch->ref_loss[i] <= 0);
        }
        if (step == 17) { /* a cursor is all there is: the same batch once more */
            slm_batch *twin;
            CHECK_OK(slm_batch_create(&twin, 3, 4, &err), err);
            CHECK_OK(slm_batch_next(twin, &again, corpus, NULL, &err), err);
            CHECK(memcmp(twin->inputs, batch->inputs, 12 * sizeof(int32_t)) == 0 &&
                      again.next_window == cursor.next_window,
                  "not the same batch");
            slm_batch_free(twin);
        }
    }
    for (i = 1; i < 103; i++)
        bad += targets[i] != 3;
    CHECK(bad == 0 && cursor.next_window == 78, "%d wrong, at %d", bad, (int)cursor.next_window);
    CHECK_OK(slm_batch_next(batch, &cursor, corpus, NULL, &err), err);
    for (i = 0; i < 12; i++)
        bad += batch->ref_loss[i] - batch->ref_loss[i] >= 0 ||
               batch->ref_entropy[i] - batch->ref_entropy[i] >= 0;
    CHECK(bad == 0, "%d old references are still there", bad);
    {
        int32_t inputs[4], targets[4]; /* a batch of one's own, without positions */
        slm_batch mine;
        memset(&mine, 0, sizeof mine);
        mine.B = 1;
        mine.T = 4;
        mine.inputs = inputs;
        mine.targets = targets;
        slm_batch_fill(&mine, other, 25);
        CHECK(inputs[0] == 101 && targets[1] == 103 && targets[2] == -1 && mine.positions == NULL,
              "a batch of one's own");
    }
    again = cursor;
    CHECK(slm_batch_next(batch, &cursor, other, &scores, &err) == SLM_ERR_MISMATCH && one_line(),
          "scores of another corpus");
    scores.T = 5;
    CHECK(slm_batch_next(batch, &cursor, corpus, &scores, &err) == SLM_ERR_MISMATCH,
          "scores of other windows");
    scores.T = 4;
    scores.n = 101;
    CHECK(slm_batch_next(batch, &cursor, corpus, &scores, &err) == SLM_ERR_MISMATCH,
          "too few scores");
    CHECK(cursor.next_window == again.next_window, "the cursor moved without a batch");
    slm_corpus_free(corpus);
    slm_corpus_free(other);
    corpus = counting(1, NULL);
    CHECK(slm_batch_next(batch, &cursor, corpus, NULL, &err) == SLM_ERR_ARGUMENT && one_line(),
          "a corpus of one token");
    slm_corpus_free(corpus);
    slm_batch_free(batch);
    slm_batch_free(NULL);
    slm_corpus_free(NULL);
    CHECK(slm_batch_create(&batch, 0, 4, &err) == SLM_ERR_ARGUMENT && batch == NULL, "B 0");
    CHECK(slm_batch_create(&batch, 4, -1, &err) == SLM_ERR_ARGUMENT && batch == NULL, "T -1");
    CHECK(slm_batch_create(&batch, 65536, 32768, &err) == SLM_ERR_ARGUMENT && batch == NULL,
          "2^31 targets");
}

static void test_corpus(void) {
    static const int32_t tokens[4] = {1, 2, 3, 70000}, negative[2] = {1, -1};
    static const uint8_t masked[4] = {0, 7, 0, 0};
    slm_corpus *corpus;
    /* 64-bit FNV-1a over the ids as little-endian int32, then over the mask as 0 and 1: computed with a line of Python */
    CHECK_OK(slm_corpus_create(&corpus, tokens, NULL, 4, 70001, &err), err);
    CHECK(corpus->hash == 0x6fc647c395fd5a83ULL && corpus->n == 4 && corpus->bytes == 0 &&
              corpus->masked == NULL,
          "%llx", (unsigned long long)corpus->hash);
    slm_corpus_free(corpus);
    CHECK_OK(slm_corpus_create(&corpus, tokens, masked, 4, 70001, &err), err);
    CHECK(corpus->hash == 0x1ce2cee1bd2f7988ULL, "%llx", (unsigned long long)corpus->hash);
    slm_corpus_free(corpus);
    CHECK(slm_corpus_create(&corpus, tokens, NULL, 4, 70000, &err) == SLM_ERR_ARGUMENT &&
              corpus == NULL && strstr(err.text, "70000") != NULL,
          "%s", err.text);
    CHECK(slm_corpus_create(&corpus, negative, NULL, 2, 70000, &err) == SLM_ERR_ARGUMENT &&
              corpus == NULL,
          "-1");
    CHECK_OK(slm_corpus_encode(&corpus, bytes, "ab\0c", 4, &err), err);
    CHECK(corpus->n == 4 && corpus->bytes == 4 && corpus->tokens[2] == 0 &&
              corpus->tokens[3] == 'c',
          "a text with a NUL");
    slm_corpus_free(corpus);
    CHECK_OK(slm_corpus_encode(&corpus, bytes, NULL, 0, &err), err);
    CHECK(corpus->n == 0 && slm_corpus_n_windows(corpus, 8) == 0, "no text");
    slm_corpus_free(corpus);
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
             {"a.jsonl", "{\"text\":\"1\",\"text\":\"2\"}", NULL, NULL, "second time"},
             {"a.jsonl", "{\"text\":\"1\"} {\"text\":\"2\"}", NULL, NULL, "line 1"},
             {"a.jsonl", "{\"text\":\"1\"", NULL, NULL, "line 1"},
             {"a.jsonl", "{\"text\":\"1\n\"}", NULL, NULL, "line 1"},
             {"a.jsonl", "[\"text\"]", NULL, NULL, "line 1"},
             {"a.jsonl", "text", NULL, NULL, "line 1"},
             {"a.jsonl", "{\"text\":\"\xff\"}", NULL, NULL, "UTF-8"},
             {"a.jsonl", "{\"text\":\"\\ud83d\"}", NULL, NULL, "line 1"},
             {"a.jsonl", "{\"\\u000a\":\"\"}", NULL, NULL, "there is: ?"}};

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
    status = token_file_load(&corpus, bytes, in(name), NULL, &err);
    if (says != NULL) {
        CHECK(status == SLM_ERR_FORMAT && corpus == NULL && strstr(err.text, says) != NULL &&
                  strstr(err.text, name) != NULL && one_line(),
              "%s: %s", says, status == SLM_OK ? "accepted" : err.text);
        slm_corpus_free(corpus);
        return;
    }
    CHECK(status == SLM_OK && corpus != NULL && corpus->n == n && corpus->bytes == n, "%s: %s",
          name, status == SLM_OK ? "accepted" : err.text);
    for (i = 0; corpus != NULL && i < corpus->n && corpus->tokens[i] == (int32_t)i; i++)
        continue;
    if (corpus != NULL) CHECK(i == corpus->n, "%s: token %zu", name, i);
    slm_corpus_free(corpus);
}

#define NPY(descr, order, shape)                                                                   \
    "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", }"

static void test_token_files(void) {
    static const char *const bad_headers[] = {NPY("<i8", "False", "(5,)"),
                                              NPY(">i4", "False", "(5,)"),
                                              NPY("|O", "False", "(5,)"),
                                              NPY("<f4", "False", "(5,)"),
                                              NPY("<i4", "True", "(5,)"),
                                              NPY("<i4", "False", "(5,1)"),
                                              NPY("<i4", "False", "()"),
                                              NPY("<i4", "False", "(-5,)"),
                                              NPY("<i4", "False", "(5)"),
                                              NPY("<i4", "False", "[5]"),
                                              "{'descr': '<i4', 'shape': (5,), }",
                                              "",
                                              "{",
                                              "\n",
                                              "nonsense\x01\xff"};
    size_t size, i;
    check_tokens("a.npy", make_npy(NPY("<i4", "False", "(5,)") "          \n", 1, 5), 5, NULL);
    check_tokens("a.npy", make_npy(NPY("<i4", "False", "(5,)"), 2, 5), 5, NULL);
    check_tokens("a.npy", make_npy("{'descr':'<i4','fortran_order':False,'shape':(256,)}", 3, 256),
                 256, NULL);
    check_tokens("a.npy", make_npy(NPY("<i4", "False", "(0,)"), 1, 0), 0, NULL);
    check_tokens("a.bin", make_npy(NPY("<i4", "False", "(5,)"), 1, 5), 5,
                 NULL); /* what it is decides, not what it is called */
    for (i = 0; i < SLM__COUNT(bad_headers); i++)
        check_tokens("a.npy", make_npy(bad_headers[i], 1, 5), 0, "a .npy file of tokens must hold");
    check_tokens("a.npy", make_npy(NPY("<i4", "False", "(4,)"), 1, 5), 0, "shape (N,)");
    check_tokens("a.npy", make_npy(NPY("<i4", "False", "(6,)"), 1, 5), 0, "shape (N,)");
    check_tokens("a.npy", make_npy(NPY("<i4", "False", "(99999999999999999999999,)"), 1, 5), 0,
                 "shape (N,)");
    check_tokens("a.npy", make_npy(NPY("<i4", "False", "(4611686018427387909,)"), 1, 5), 0,
                 "shape (N,)"); /* times 4 it would be 20 */
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
    check_tokens("a.u16", make_tokens(0, 257, 2), 0, "outside the vocabulary");
}

static void test_failures(void) { /* the k-th allocation, the k-th touch of a file */
    int kind;
    long k;
    (void)make_npy(NPY("<i4", "False", "(5,)"), 1, 5);
    put("f.npy", made, make_npy(NPY("<i4", "False", "(5,)"), 1, 5));
    put("f.jsonl", "{\"a\":1,\"text\":\"x\"}\n{\"text\":\"y\"}\n", 32);
    for (kind = 0; kind < 4; kind++) {
        slm_status status = SLM_ERR_MEMORY, wanted = kind < 2 ? SLM_ERR_MEMORY : SLM_ERR_IO;
        for (k = 1; k < 100 && status != SLM_OK; k++) {
            slm_corpus *corpus = (slm_corpus *)&k;
            inject(kind < 2 ? 0 : k, 0);
            alloc_fail_at = kind < 2 ? k : 0;
            status =
                token_file_load(&corpus, bytes, in(kind % 2 ? "f.npy" : "f.jsonl"), NULL, &err);
            if (status != SLM_OK && (status != wanted || err.status != wanted || corpus != NULL)) {
                CHECK(0, "kind %d, call %ld: status %d", kind, k, (int)status);
                break;
            }
            if (status == SLM_OK) slm_corpus_free(corpus);
            if (kind >= 2 && io_calls < k) break;
        }
        CHECK(status == SLM_OK && k > 2, "kind %d: after %ld", kind, k);
    }
    for (kind = 0; kind < 3; kind++) {
        static const int32_t tokens[3] = {1, 2, 3};
        static const uint8_t masked[3] = {0, 1, 0};
        slm_real zero[2] = {0, 0};
        slm_corpus *corpus = NULL, *made_one = NULL;
        slm_batch *batch = NULL, *made_batch = NULL;
        slm_cursor cursor = {1, 0};
        slm_losses scores;
        slm_status status = SLM_ERR_MEMORY;
        inject(0, 0);
        CHECK_OK(slm_corpus_create(&corpus, tokens, NULL, 3, 4, &err), err);
        CHECK_OK(slm_batch_create(&batch, 2, 2, &err), err);
        memset(&scores, 0, sizeof scores);
        scores.n = 2;
        scores.T = 2;
        scores.loss = scores.entropy = zero;
        scores.corpus_hash = corpus->hash;
        for (k = 1; k < 20 && status != SLM_OK; k++) {
            inject(0, 0);
            alloc_fail_at = k;
            status = kind == 0   ? slm_corpus_create(&made_one, tokens, masked, 3, 4, &err)
                     : kind == 1 ? slm_batch_create(&made_batch, 2, 2, &err)
                                 : slm_batch_next(batch, &cursor, corpus, &scores, &err);
            if (status != SLM_OK)
                CHECK(status == SLM_ERR_MEMORY && made_one == NULL && made_batch == NULL &&
                          cursor.next_window == 0,
                      "kind %d, call %ld", kind, k);
        }
        CHECK(status == SLM_OK && k > 2, "kind %d: after %ld", kind, k);
        slm_corpus_free(corpus);
        slm_corpus_free(made_one);
        slm_batch_free(batch);
        slm_batch_free(made_batch);
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
    test_order();
    test_batches();
    test_corpus();
    test_texts();
    test_token_files();
    test_failures();
    slm_tokenizer_free(bytes);
    return check_end();
}
