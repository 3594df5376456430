/* Tokenizers: pieces against a naive reading of the regular expression, encoding and training against naive versions, golden
   ids of other programs, tokenizer.json there and back, files that must be refused by name, damage, refused allocations.
   cc -I. -Itests tests/test_tokenizer.c -lm && ./a.out [SCRATCH_FOLDER]                                                    */
#include "inject.h"
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "gpt2.h"
#include "check.h"
#include <time.h>

static slm_error err;
static slm_rng rng = {7};

static size_t below(size_t n) {
    return (size_t)slm_rng_below(&rng, n);
}

/* ---- text to play with ---- */
static const char lines[] =
    "The cat sat on the mat. The cats sat on the mats, and the rat that sat with the cats ate all "
    "that the cats had.\n"
    "It's the cat's mat; they're the cats' mats. \"We'll sit,\" they'd said, \"we've sat, I'm "
    "sitting\".\n\n"
    "  if (x == 10) { y[10] = x + 100; z[100] = y[10] - 1; }    /* 1000 cats, 2000 mats */\n"
    "na\xc3\xafve caf\xc3\xa9, caf\xc3\xa9 na\xc3\xafve; \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e "
    "\xe6\x97\xa5\xe6\x9c\xac\n";
static const char *const bits[] = {"the",
                                   " cat",
                                   "'s",
                                   "'re",
                                   "'ve",
                                   "'ll",
                                   "'d",
                                   "'m",
                                   "'t",
                                   "'",
                                   "''",
                                   "S",
                                   " ",
                                   "  ",
                                   "\n",
                                   "\t",
                                   "\r\n",
                                   "10",
                                   "1",
                                   ".",
                                   "!?",
                                   "{",
                                   "_",
                                   "\"",
                                   "\\",
                                   "\xc3\xa9",
                                   "e\xcc\x81",
                                   "\xe6\x97\xa5\xe6\x9c\xac",
                                   "\xc2\xa0",
                                   "\xc2\x85",
                                   "\xe3\x80\x80",
                                   "\xe2\x80\xa8",
                                   "\xef\xbb\xbf",
                                   "\xc2\xbd",
                                   "\xe2\x85\xa7",
                                   "\xd9\xa3",
                                   "\xf0\x9f\x98\x80",
                                   "\xf0\x9d\x90\x80",
                                   "\xf0\xa0\x80\x80",
                                   "\xff",
                                   "\xc3",
                                   "\xe6\x97",
                                   "\xf0\x9f\x98",
                                   "\x80",
                                   "\xed\xa0\x80",
                                   "\xf4\x90\x80\x80",
                                   "\xc0\x80",
                                   "\x00",
                                   "\x01",
                                   "\x1c",
                                   "\x7f",
                                   "xxxxxxxxxxxxxxxxxxxxxxx",
                                   "abababababab",
                                   "aaa"};

static size_t random_text(char *out, size_t room) {
    size_t n = 0, k = below(24);
    while (k-- > 0) {
        const char *bit = bits[below(SLM__COUNT(bits))];
        size_t size = bit[0] == 0 ? 1 : strlen(bit);
        char any[4];
        if (below(4) == 0) {
            size_t i;
            bit = any;
            size = 1 + below(4);
            for (i = 0; i < size; i++)
                any[i] = (char)(unsigned char)below(256);
        }
        if (n + size > room) break;
        memcpy(out + n, bit, size);
        n += size;
    }
    return n;
}

/* ---- 1. the classes of characters ----
   Counts of General_Category L* (without surrogates), N* and White_Space in Unicode 16.0's DerivedGeneralCategory and PropList. */
static uint8_t *classes;

static void test_classes(void) {
    static const struct {
        const char *s;
        int kind;
    } samples[] = {{"a", SLM__CHAR_LETTER},
                   {"Z", SLM__CHAR_LETTER},
                   {"0", SLM__CHAR_NUMBER},
                   {"_", SLM__CHAR_OTHER},
                   {" ", SLM__CHAR_SPACE},
                   {"\x0b", SLM__CHAR_SPACE},
                   {"\x1c", SLM__CHAR_OTHER},
                   {"\xc2\x85", SLM__CHAR_SPACE},
                   {"\xc2\xa0", SLM__CHAR_SPACE},
                   {"\xef\xbb\xbf", SLM__CHAR_OTHER},
                   {"\xe1\xa0\x8e", SLM__CHAR_OTHER},
                   {"\xe2\x80\x8b", SLM__CHAR_OTHER},
                   {"\xe3\x80\x80", SLM__CHAR_SPACE},
                   {"\xc2\xb2", SLM__CHAR_NUMBER},
                   {"\xc2\xaa", SLM__CHAR_LETTER},
                   {"\xe2\x85\xa7", SLM__CHAR_NUMBER},
                   {"\xcc\x81", SLM__CHAR_OTHER},
                   {"\xc7\x85", SLM__CHAR_LETTER},
                   {"\xca\xb0", SLM__CHAR_LETTER},
                   {"\xe6\x97\xa5", SLM__CHAR_LETTER},
                   {"\xf0\x9d\x9f\x8e", SLM__CHAR_NUMBER},
                   {"\xf0\xb2\x8e\xaf", SLM__CHAR_LETTER},
                   {"\xf0\xb2\x8e\xb0", SLM__CHAR_OTHER},
                   {"\xf4\x8f\xbf\xbf", SLM__CHAR_OTHER}};

    static const struct {
        const char *s;
        size_t n;
    } bad[] = {/* each is one byte of its own */
               {"\x80", 1},     {"\xff", 1},         {"\xc3", 1},
               {"\xc0\x80", 2}, {"\xed\xa0\x80", 3}, {"\xf4\x90\x80\x80", 4},
               {"\xe6\x97", 2}, {"\xe6\x97x", 3}};

    size_t count[4] = {0, 0, 0, 0}, i, length;
    for (i = 0; i < SLM__N_CLASSES; i++)
        count[classes[i]]++;
    CHECK(count[SLM__CHAR_LETTER] == 141028, "%zu letters", count[SLM__CHAR_LETTER]);
    CHECK(count[SLM__CHAR_NUMBER] == 1911, "%zu numbers", count[SLM__CHAR_NUMBER]);
    CHECK(count[SLM__CHAR_SPACE] == 25, "%zu spaces", count[SLM__CHAR_SPACE]);
    for (i = 0; i < SLM__COUNT(samples); i++) {
        int kind =
            slm__char_class(classes, samples[i].s, samples[i].s + strlen(samples[i].s), &length);
        CHECK(kind == samples[i].kind && length == strlen(samples[i].s),
              "sample %zu: class %d, %zu bytes", i, kind, length);
    }
    for (i = 0; i < SLM__COUNT(bad); i++) {
        int kind = slm__char_class(classes, bad[i].s, bad[i].s + bad[i].n, &length);
        CHECK(kind == SLM__CHAR_OTHER && length == 1, "bad UTF-8 %zu: class %d, %zu bytes", i, kind,
              length);
    }
}

/* ---- 2. pieces: the regular expression, alternative by alternative, on an array of classes ---- */
static size_t naive_piece(const char *s, size_t n) {
    static const char *const contractions[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    static const int runs[] = {SLM__CHAR_LETTER, SLM__CHAR_NUMBER, SLM__CHAR_OTHER};
    size_t i, k, length, at[600], units = 0, first;
    int kind[600];
    for (i = 0; i < SLM__COUNT(contractions); i++)
        if (n >= strlen(contractions[i]) &&
            memcmp(s, contractions[i], strlen(contractions[i])) == 0)
            return strlen(contractions[i]);
    for (i = 0; i < n && units < 599; i += length, units++) {
        at[units] = i;
        kind[units] = slm__char_class(classes, s + i, s + n, &length);
    }
    at[units] = i;
    for (k = 0; k < 3; k++) { /*  ?\p{L}+  ?\p{N}+  ?[^\s\p{L}\p{N}]+ */
        first = s[0] == ' ' && units > 1 && kind[1] == runs[k] ? 1 : 0;
        for (i = first; i < units && kind[i] == runs[k]; i++)
            continue;
        if (i > first) return at[i];
    }
    for (i = 0; i < units && kind[i] == SLM__CHAR_SPACE; i++)
        continue;
    if (i < units && i > 1) i--; /* \s+(?!\S) gives one back, \s+ does not */
    return at[i];
}

static void test_pieces(void) {
    char text[600];
    int round;
    for (round = 0; round < 20000; round++) {
        size_t n = random_text(text, 500), at, piece, expected;
        char *tight = (char *)malloc(n + 1); /* a sanitizer sees a read past the end */
        memcpy(tight + 1, text, n);
        for (at = 0; at < n; at += piece) {
            piece = slm__pretoken_size(classes, tight + 1 + at, n - at);
            expected = naive_piece(text + at, n - at);
            if (piece != expected || piece == 0) break;
        }
        free(tight);
        if (at != n) {
            CHECK(0, "round %d: a piece of %zu bytes, not %zu", round, piece, expected);
            return;
        }
    }
    CHECK(1, "pieces");
}

/* ---- 3. encoding against the definition: look for the lowest rank, merge the leftmost, again ---- */
static size_t naive_encode(const slm_tokenizer *t, const char *s, size_t n, int32_t *ids) {
    size_t at, piece, out = 0;
    for (at = 0; at < n; at += piece) {
        size_t i, k, m;
        int32_t *word = ids + out;
        piece = slm__pretoken_size(classes, s + at, n - at);
        for (m = 0; m < piece; m++)
            word[m] = t->byte_id[(unsigned char)s[at + m]];
        for (;;) {
            int32_t best = INT32_MAX;
            for (i = 0; i + 1 < m; i++) {
                int32_t rank =
                    (int32_t)slm__map_get(&t->ranks, slm__pair_key(word[i], word[i + 1]));
                if (rank >= 0 && rank < best) {
                    best = rank;
                    k = i;
                }
            }
            if (best == INT32_MAX) break;
            word[k] = SLM__ITEMS(slm__merge, t->merges)[best].id;
            memmove(word + k + 1, word + k + 2, (m - k - 2) * sizeof *word);
            m--;
        }
        out += m;
    }
    return out;
}

static int same_ids(const int32_t *a, size_t n, const int32_t *b, size_t m) {
    return n == m && (n == 0 || memcmp(a, b, n * sizeof *a) == 0);
}

static void test_random(const slm_tokenizer *t, const char *name, int rounds, int naive) {
    char text[600], *back;
    int32_t *ids, expected[600];
    size_t n, size, m;
    int round;
    for (round = 0; round < rounds; round++) {
        size_t length = random_text(text, 500);
        if (slm_tokenizer_encode(&ids, &n, t, text, length, &err) != SLM_OK) {
            CHECK(0, "%s: %s", name, err.text);
            return;
        }
        if (slm_tokenizer_decode(&back, &size, t, ids, n, &err) != SLM_OK) {
            CHECK(0, "%s: %s", name, err.text);
            slm_free(ids);
            return;
        }
        if (size != length || memcmp(back, text, size) != 0 || back[size] != 0) {
            CHECK(0, "%s: round %d does not come back", name, round);
            round = rounds;
        }
        m = naive ? naive_encode(t, text, length, expected) : 0;
        if (naive && !same_ids(ids, n, expected, m)) {
            CHECK(0, "%s: round %d: other ids than the naive encoder", name, round);
            round = rounds;
        }
        slm_free(ids);
        slm_free(back);
    }
    CHECK(1, "random text");
}

static void check_ids(const slm_tokenizer *t, const char *name, const char *s,
                      const int32_t *expected) { /* ends in -1 */
    int32_t *ids;
    size_t n, m = 0, i;
    while (expected[m] >= 0)
        m++;
    if (slm_tokenizer_encode(&ids, &n, t, s, strlen(s), &err) != SLM_OK) {
        CHECK(0, "%s: %s", name, err.text);
        return;
    }
    CHECK(same_ids(ids, n, expected, m), "%s: other ids of \"%s\"", name, s);
    if (!same_ids(ids, n, expected, m)) {
        for (i = 0; i < n; i++)
            printf("%d,", (int)ids[i]);
        printf("\n");
    }
    slm_free(ids);
}

static void test_bytes(void) {
    slm_tokenizer *t;
    int32_t *ids, wrong[2] = {3, 256};
    char text[256], *back;
    size_t n, i, size;
    CHECK_OK(slm_tokenizer_create_bytes(&t, &err), err);
    CHECK(slm_tokenizer_vocab(t) == 256, "%d tokens", (int)slm_tokenizer_vocab(t));
    CHECK(slm_tokenizer_hash(t) == 0x44af92a66d3cd274ULL, "%llx",
          (unsigned long long)slm_tokenizer_hash(t)); /* by a few lines of Python */
    for (i = 0; i < 256; i++)
        text[i] = (char)(unsigned char)i;
    CHECK_OK(slm_tokenizer_encode(&ids, &n, t, text, 256, &err), err);
    for (i = 0; i < n && ids[i] == (int32_t)i; i++)
        continue;
    CHECK(n == 256 && i == 256, "byte %zu", i);
    slm_free(ids);
    CHECK(slm_tokenizer_token(&size, t, 256) == NULL && size == 0 &&
              slm_tokenizer_token(NULL, t, -1) == NULL,
          "a token that is not there");
    CHECK(slm_tokenizer_token(&size, t, 65) != NULL && size == 1 &&
              *slm_tokenizer_token(NULL, t, 65) == 'A',
          "token 65");
    CHECK(slm_tokenizer_decode(&back, &size, t, wrong, 2, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "256") != NULL,
          "%s", err.text);
    wrong[1] = -1;
    CHECK(slm_tokenizer_decode(&back, &size, t, wrong, 2, &err) == SLM_ERR_ARGUMENT,
          "-1 was decoded");
    CHECK_OK(slm_tokenizer_encode(&ids, &n, t, NULL, 0, &err), err);
    CHECK(n == 0, "%zu ids of nothing", n);
    CHECK_OK(slm_tokenizer_decode(&back, &size, t, ids, 0, &err), err);
    CHECK(size == 0 && back[0] == 0, "%zu bytes of nothing", size);
    slm_free(ids);
    slm_free(back);
    test_random(t, "bytes", 500, 1);
    slm_tokenizer_free(t);
    slm_tokenizer_free(NULL);
}

/* ---- 4. training against counting everything anew for each merge ---- */
static int naive_train(const slm_tokenizer *t, const char *text, size_t size,
                       int32_t vocab) {   /* 1: the same merges */
    static int32_t ids[4000], ends[4000]; /* ends[i]: 1 = the last of its piece */
    static int64_t counts[400][400];
    size_t n = 0, at, piece, i, k;
    int32_t next = 256;
    for (at = 0; at < size; at += piece)
        for (piece = slm__pretoken_size(classes, text + at, size - at), i = 0; i < piece;
             i++, n++) {
            ids[n] = (unsigned char)text[at + i];
            ends[n] = i + 1 == piece;
        }
    for (;; next++) {
        int32_t a = -1, b = -1, x, y;
        const slm__merge *merge;
        memset(counts, 0, sizeof counts);
        for (i = 0; i + 1 < n; i++)
            if (!ends[i]) counts[ids[i]][ids[i + 1]]++;
        for (x = 0; x < next; x++)
            for (y = 0; y < next; y++)
                if (counts[x][y] >= 2 && (a < 0 || counts[x][y] > counts[a][b])) {
                    a = x;
                    b = y;
                }
        if (a < 0 || next == vocab)
            return slm_tokenizer_vocab(t) == next &&
                   SLM__N_ITEMS(slm__merge, t->merges) == (size_t)(next - 256);
        if (slm_tokenizer_vocab(t) <= next) return 0;
        merge = SLM__ITEMS(const slm__merge, t->merges) + (next - 256);
        if (merge->a != a || merge->b != b || merge->id != next) return 0;
        for (i = 0, k = 0; i < n; i++, k++) {
            int both = i + 1 < n && !ends[i] && ids[i] == a && ids[i + 1] == b;
            ids[k] = both ? next : ids[i];
            ends[k] = both ? ends[i + 1] : ends[i];
            i += (size_t)both;
        }
        n = k;
    }
}

static int stop_at_once(void *user, uint64_t done, uint64_t total) {
    return ++*(int *)user >= 1 && done < total;
}

static void test_training(void) {
    static const char *const alphabets[] = {"a", "ab", "ab ", "abc'", "aab\n ", "xyz 12", "aaaaab"};
    slm_tokenizer *t = NULL;
    char text[2000];
    size_t size;
    int round, calls = 0;
    for (round = 0; round < 150; round++) {
        const char *alphabet = alphabets[below(SLM__COUNT(alphabets))];
        size_t n = below(300), i;
        int32_t vocab = 256 + (int32_t)below(60);
        for (i = 0; i < n; i++)
            text[i] = alphabet[below(strlen(alphabet))];
        CHECK_OK(slm_tokenizer_train(&t, text, n, vocab, NULL, NULL, &err), err);
        if (!naive_train(t, text, n, vocab)) {
            CHECK(0, "round %d: other merges than the naive trainer", round);
            round = 150;
        }
        slm_tokenizer_free(t);
    }
    /* The example of Wikipedia's article on byte-pair encoding; ties go to the smallest ids: aa, then ab (Za there). */
    CHECK_OK(slm_tokenizer_train(&t, "aaabdaaabac", 11, 300, NULL, NULL, &err), err);
    CHECK(slm_tokenizer_vocab(t) == 259, "%d tokens", (int)slm_tokenizer_vocab(t));
    CHECK(memcmp(slm_tokenizer_token(&size, t, 256), "aa", 2) == 0 && size == 2, "token 256");
    CHECK(memcmp(slm_tokenizer_token(&size, t, 257), "ab", 2) == 0 && size == 2, "token 257");
    CHECK(memcmp(slm_tokenizer_token(&size, t, 258), "aaab", 4) == 0 && size == 4, "token 258");
    slm_tokenizer_free(t);
    CHECK(slm_tokenizer_train(&t, lines, 10, 255, NULL, NULL, &err) == SLM_ERR_ARGUMENT &&
              t == NULL,
          "255 tokens");
    CHECK(slm_tokenizer_train(&t, lines, sizeof lines - 1, 300, stop_at_once, &calls, &err) ==
                  SLM_ERR_CANCELLED &&
              t == NULL && calls == 1,
          "not stopped");
}

/* ---- 5. tokenizer.json ---- */
static slm_tokenizer *own; /* trained on `lines`, 300 tokens */
static char *own_json;
static size_t own_size;

static slm_status parse(slm_tokenizer **t, const char *json, size_t size) {
    char *tight = (char *)malloc(size + 1);
    slm_status status;
    memcpy(tight + 1, json, size);
    err.text[0] = 0;
    *t = NULL;
    status = slm_tokenizer_parse(t, tight + 1, size, "t.json", &err);
    CHECK((status == SLM_OK) == (*t != NULL), "a tokenizer after a failure");
    if (status != SLM_OK)
        CHECK(strstr(err.text, "t.json") == err.text && strpbrk(err.text, "\n\r\t") == NULL,
              "message: %s", err.text);
    free(tight);
    return status;
}

/* own_json with the first `from` replaced by `to`; yours. */
static char *edited(const char *from, const char *to, size_t *size) {
    char *at = strstr(own_json, from), *copy = (char *)malloc(own_size + strlen(to) + 1);
    size_t head = at == NULL ? 0 : (size_t)(at - own_json);
    CHECK(at != NULL, "nothing to edit: %s", from);
    if (at == NULL || copy == NULL) exit(1);
    memcpy(copy, own_json, head);
    memcpy(copy + head, to, strlen(to));
    memcpy(copy + head + strlen(to), at + strlen(from), own_size - head - strlen(from));
    *size = own_size - strlen(from) + strlen(to);
    copy[*size] = 0;
    return copy;
}

#define ADDED(id, content, more) "{\"id\":" id ",\"content\":\"" content "\"" more "}"

static const struct {
    const char *from, *to, *says;
} bad_edits[] = {
    {"\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\"}", "normalizer: not supported: NFC"},
    {"\"normalizer\":null", "\"normalizer\":{\"type\":\"\\nN\\tC\"}", "?N?C"},
    {"\"type\":\"ByteLevel\"", "\"type\":\"Metaspace\"", "Metaspace"},
    {"\"pre_tokenizer\":",
     "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[]},\"other\":", "Sequence"},
    {"\"pre_tokenizer\":", "\"other\":", "pre_tokenizer"},
    {"\"pre_tokenizer\":", "\"pre_tokenizer\":null,\"other\":", "pre_tokenizer"},
    {"\"add_prefix_space\":false", "\"add_prefix_space\":1", "byte"},
    {"\"type\":\"BPE\"", "\"type\":\"Unigram\"", "Unigram"},
    {"\"dropout\":null", "\"dropout\":0.1", "dropout"},
    {"\"continuing_subword_prefix\":null", "\"continuing_subword_prefix\":\"##\"",
     "continuing_subword_prefix"},
    {"\"end_of_word_suffix\":null", "\"end_of_word_suffix\":\"</w>\"", "end_of_word_suffix"},
    {"\"byte_fallback\":false", "\"byte_fallback\":true", "byte_fallback"},
    {"\"model\":", "\"modell\":", "model"},
    {"\"model\":", "\"model\":null,\"m\":", "model"},
    {"\"vocab\":", "\"vokab\":", "model.vocab"},
    {"\"merges\":", "\"merge\":", "model.merges"},
    {"\"vocab\":", "\"merges\":[],\"vocab\":", "byte"},
    {"\"A\":65", "\"A\":66", "model.vocab"},
    {"\"A\":65", "\"A\":-1", "byte"},
    {"\"A\":65", "\"A\":65.0", "byte"},
    {"\"A\":65", "\"A\":300", "model.vocab"},
    {"\"A\":65", "\"A\":18446744073709551615", "model.vocab"},
    {"\"A\":65", "\"A\":18446744073709551616", "byte"},
    {"\"A\":65", "\"B\":65", "stands twice"},
    {"\"A\":65", "\"\xc4\x80\":65", "stands twice"},
    {"\"A\":65", "\"\":65", "model.vocab"},
    {"\"A\":65", "\"\xe6\x97\xa5\":65", "model.vocab"},
    {"\"A\":65", "\"\xc2\xa0\":65", "model.vocab"},
    {"\"A\":65", "\"\xc5\x84\":65", "model.vocab"},
    {"\"A\":65", "\"AAA\":65", "no token for byte 0x41"},
    {"\"A\":65,\n", "", "model.vocab"},
    {"\"t h\"", "\"th\"", "model.merges"},
    {"\"t h\"", "\"t  h\"", "model.merges"},
    {"\"t h\"", "\" t h\"", "model.merges"},
    {"\"t h\"", "\"t h \"", "model.merges"},
    {"\"t h\"", "\"t h e\"", "model.merges"},
    {"\"t h\"", "\"t \"", "model.merges"},
    {"\"t h\"", "\"\"", "model.merges"},
    {"\"t h\"", "\" \"", "model.merges"},
    {"\"t h\"", "\"q q\"", "model.merges"},
    {"\"t h\"", "\"t h\",\"t h\"", "model.merges"},
    {"\"t h\"", "\"\xe6\x97\xa5 h\"", "model.merges"},
    {"\"t h\"", "\"t\\nx h\"", "model.merges"},
    {"\"t h\"", "[\"t\"]", "t.json"},
    {"\"t h\"", "[]", "t.json"},
    {"\"t h\"", "[\"t\",\"h\",\"e\"]", "pair"},
    {"\"t h\"", "[\"t\",3]", "byte"},
    {"\"t h\"", "[\"t\",\"\"]", "model.merges"},
    {"\"t h\"", "7", "byte"},
    {"\"merges\":[", "\"merges\":{}, \"m\":[", "byte"},
    {"\"added_tokens\":[", "\"added_tokens\":{},\"a\":[", "byte"},
    {"\"added_tokens\":[", "\"added_tokens\":[7", "byte"},
    {"\"added_tokens\":[", "\"added_tokens\":[{\"id\":300}", "added_tokens"},
    {"\"added_tokens\":[", "\"added_tokens\":[{\"content\":\"x\"}", "added_tokens"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("300", "", ""), "added_tokens"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("301", "<end>", ""), "next free"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("65", "<end>", ""), "next free"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("4294967361", "A", ""), "next free"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("300", "A", ""), "added_tokens"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("233", "\xc3\xa9", ""), "added_tokens"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("300", "\xc3\xa9", ""), "added_tokens"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("300", "<a>", "") "," ADDED("300", "<a>", ""),
     "added_tokens"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("65", "A", "") "," ADDED("65", "A", ""),
     "twice"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("300", "<a>", ",\"lstrip\":true"), "lstrip"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("300", "<a>", ",\"rstrip\":true"), "rstrip"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("300", "<a>", ",\"single_word\":true"),
     "single_word"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("300", "<a>", ",\"special\":0"), "byte"},
    {"]}}", "]}} x", "byte"},
    {"{\"version\"", "[{\"version\"", "byte"}};

static void test_edits(void) {
    static const char *const good[][2] = {
        {"\"type\":\"BPE\",", ""},
        {"\"unk_token\":null", "\"unk_token\":\"[UNK]\""},
        {"\"dropout\":null", "\"dropout\":0.0"},
        {"\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null",
         "\"continuing_subword_prefix\":\"\",\"end_of_word_suffix\":\"\""},
        {"\"t h\"", "[\"t\",\"h\"]"},
        {"\"merges\":[", "\"merges\":[\"#version: 0.2\","},
        {"\"added_tokens\":[],", ""},
        {"\"added_tokens\":[]", "\"added_tokens\":null"},
        {"\"post_processor\":null", "\"post_processor\":{\"type\":\"TemplateProcessing\"}"},
        {"\"ignore_merges\":false,", ""},
        {",\"use_regex\":true", ""},
        {"\"truncation\":null", "\"truncation\":{\"max_length\":3}"}};
    slm_tokenizer *t;
    size_t i, size;
    for (i = 0; i < SLM__COUNT(bad_edits); i++) {
        char *json = edited(bad_edits[i].from, bad_edits[i].to, &size);
        slm_status status = parse(&t, json, size);
        CHECK(status == SLM_ERR_FORMAT && strstr(err.text, bad_edits[i].says) != NULL,
              "%s -> %s: %s", bad_edits[i].from, bad_edits[i].to, err.text);
        slm_tokenizer_free(t);
        free(json);
    }
    for (i = 0; i < SLM__COUNT(good); i++) {
        char *json = edited(good[i][0], good[i][1], &size);
        CHECK_OK(parse(&t, json, size), err);
        CHECK(t != NULL && slm_tokenizer_hash(t) == slm_tokenizer_hash(own),
              "%s: another tokenizer", good[i][1]);
        slm_tokenizer_free(t);
        free(json);
    }
}

static void test_order(void) { /* ids may stand in any order */
    size_t size;
    char *json = edited("\"A\":65,\n\"B\":66,\n", "\"B\":66,\n\"A\":65,\n", &size);
    slm_tokenizer *t;
    CHECK_OK(parse(&t, json, size), err);
    CHECK(t != NULL && slm_tokenizer_hash(t) == slm_tokenizer_hash(own),
          "another order, another tokenizer");
    slm_tokenizer_free(t);
    free(json);
    json = edited("\"A\":65,\n\"B\":66,\n", "\"A\":66,\n\"B\":65,\n", &size);
    CHECK_OK(parse(&t, json, size), err);
    CHECK(t != NULL && slm_tokenizer_hash(t) != slm_tokenizer_hash(own),
          "other ids, the same fingerprint");
    slm_tokenizer_free(t);
    free(json);
}

static void test_first_added(
    void) { /* token 0 among the added ones: "!" changes places with byte 0 */
    static const char *const edits[][2] = {
        {"\"\xc4\x80\":0", "\"\xc4\x80\":33"},
        {"\"!\":33", "\"!\":0"},
        {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("0", "!", "")}};
    static const int32_t ids[] = {97, 0, 98, -1};
    char *original = own_json;
    size_t original_size = own_size, i;
    slm_tokenizer *t, *again;
    for (i = 0; i < SLM__COUNT(edits); i++) {
        size_t size;
        char *next = edited(edits[i][0], edits[i][1], &size);
        if (own_json != original) free(own_json);
        own_json = next;
        own_size = size;
    }
    CHECK_OK(parse(&t, own_json, own_size), err);
    free(own_json);
    own_json = original;
    own_size = original_size;
    if (t == NULL) return;
    check_ids(t, "token 0 added", "a!b", ids);
    CHECK_OK(slm_tokenizer_save(t, in("first.json"), &err), err);
    CHECK_OK(slm_tokenizer_load(&again, path, &err), err);
    CHECK(again != NULL && slm_tokenizer_hash(again) == slm_tokenizer_hash(t),
          "saved, loaded: another tokenizer");
    slm_tokenizer_free(again);
    slm_tokenizer_free(t);
}

static void test_damage(void) {
    slm_tokenizer *t;
    char *copy = (char *)malloc(own_size);
    size_t i;
    int accepted = 0;
    for (i = 0; i < own_size - 2; i++) { /* the last byte is a newline */
        if (parse(&t, own_json, i) == SLM_OK) accepted++;
        slm_tokenizer_free(t);
    }
    CHECK(accepted == 0, "%d truncated files were accepted", accepted);
    for (i = 0; i < 3000; i++) { /* no crash, no leak; what is accepted must work */
        size_t k = 1 + below(3);
        memcpy(copy, own_json, own_size);
        while (k-- > 0)
            copy[below(own_size)] =
                (char)(unsigned char)(below(2) ? below(256)
                                               : (unsigned char)"\"{}[],:0 9\\"[below(11)]);
        if (parse(&t, copy, own_size) == SLM_OK) test_random(t, "damaged", 2, 0);
        slm_tokenizer_free(t);
    }
    free(copy);
}

/* ---- 6. golden ids ----
   Of `own`, edited as named: from npm's tokenizers 0.23.2 (Hugging Face's Rust), the file that slm_tokenizer_save wrote. */
#define ENDS                                                                                       \
    ADDED("300", "<|end|>", ",\"normalized\":false,\"special\":true")                              \
    "," ADDED("301", "<|end|>>", ",\"normalized\":false")
#define MANY                                                                                       \
    ENDS "," ADDED("302", "  ", ",\"normalized\":true") "," ADDED(                                 \
        "303", "cat",                                                                              \
        ",\"normalized\":true") "," ADDED("304", "e cat s",                                        \
                                          ",\"normalized\":false") "," ADDED("305",                \
                                                                             "\xe6\x97\xa5\xe6"    \
                                                                             "\x9c\xac",           \
                                                                             ",\"normalized\":"    \
                                                                             "true")

static const struct {
    const char *from, *to, *text;
    int32_t ids[96];
} golden[] = {
    {"\"version\"",
     "\"version\"",
     "The cats' mat: it's 10\xc2\xbd mats,  \n they'll sit.\xc2\x85 \xef\xbb\xbf"
     "caf\xc3\xa9 catXY catXYZ",
     {299, 265, 39,  296, 58, 32,  282, 277, 266, 48,  194, 189, 270, 44, 271, 10, 293, 39, 283,
      294, 46,  194, 133, 32, 239, 187, 191, 99,  280, 288, 291, 88,  89, 291, 88, 89,  90, -1}},
    {"\"version\"",
     "\"version\"",
     "\n  the <|end|>the cat sat<|end|>>>  \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e   cat\n",
     {10,  32,  260, 32,  60, 124, 101, 110, 100, 124, 62,  257, 101, 291, 267, 60, 124,
      101, 110, 100, 124, 62, 62,  62,  32,  298, 289, 232, 170, 158, 271, 291, 10, -1}},
    {"\"add_prefix_space\":false",
     "\"add_prefix_space\":true",
     "The cats' mat: it's 10\xc2\xbd mats,  \n they'll sit.\xc2\x85 \xef\xbb\xbf"
     "caf\xc3\xa9 catXY catXYZ",
     {32,  299, 265, 39,  296, 58,  32,  282, 277, 266, 48,  194, 189,
      270, 44,  271, 10,  293, 39,  283, 294, 46,  194, 133, 32,  239,
      187, 191, 99,  280, 288, 291, 88,  89,  291, 88,  89,  90,  -1}},
    {"\"add_prefix_space\":false",
     "\"add_prefix_space\":true",
     "\n  the <|end|>the cat sat<|end|>>>  \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e   cat\n",
     {32,  10,  32,  260, 32, 60, 124, 101, 110, 100, 124, 62,  257, 101, 291, 267, 60, 124,
      101, 110, 100, 124, 62, 62, 62,  32,  298, 289, 232, 170, 158, 271, 291, 10,  -1}},
    {"\"use_regex\":true",
     "\"use_regex\":false",
     "The cats' mat: it's 10\xc2\xbd mats,  \n they'll sit.\xc2\x85 \xef\xbb\xbf"
     "caf\xc3\xa9 catXY catXYZ",
     {299, 265, 39,  296, 58, 32,  282, 277, 266, 48,  194, 189, 270, 44, 271, 10, 293, 39, 283,
      294, 46,  194, 133, 32, 239, 187, 191, 99,  280, 288, 291, 88,  89, 291, 88, 89,  90, -1}},
    {"\"use_regex\":true",
     "\"use_regex\":false",
     "\n  the <|end|>the cat sat<|end|>>>  \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e   cat\n",
     {10,  32,  260, 32, 60, 124, 101, 110, 100, 124, 62,  257, 101, 291, 267, 60, 124, 101,
      110, 100, 124, 62, 62, 62,  271, 230, 285, 289, 232, 170, 158, 271, 291, 10, -1}},
    {"\"ignore_merges\":false,\n\"vocab\":{",
     "\"ignore_merges\":true,\n\"vocab\":{\"\xc4\xa0"
     "catXY\":300,",
     "The cats' mat: it's 10\xc2\xbd mats,  \n they'll sit.\xc2\x85 \xef\xbb\xbf"
     "caf\xc3\xa9 catXY catXYZ",
     {299, 265, 39, 296, 58,  32, 282, 277, 266, 48, 194, 189, 270, 44,  271, 10, 293, 39,
      283, 294, 46, 194, 133, 32, 239, 187, 191, 99, 280, 288, 300, 291, 88,  89, 90,  -1}},
    {"\"ignore_merges\":false,\n\"vocab\":{",
     "\"ignore_merges\":true,\n\"vocab\":{\"\xc4\xa0"
     "catXY\":300,",
     "\n  the <|end|>the cat sat<|end|>>>  \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e   cat\n",
     {10,  32,  260, 32,  60, 124, 101, 110, 100, 124, 62,  257, 101, 291, 267, 60, 124,
      101, 110, 100, 124, 62, 62,  62,  32,  298, 289, 232, 170, 158, 271, 291, 10, -1}},
    {"\"added_tokens\":[",
     "\"added_tokens\":[" ENDS "",
     "The cats' mat: it's 10\xc2\xbd mats,  \n they'll sit.\xc2\x85 \xef\xbb\xbf"
     "caf\xc3\xa9 catXY catXYZ",
     {299, 265, 39,  296, 58, 32,  282, 277, 266, 48,  194, 189, 270, 44, 271, 10, 293, 39, 283,
      294, 46,  194, 133, 32, 239, 187, 191, 99,  280, 288, 291, 88,  89, 291, 88, 89,  90, -1}},
    {"\"added_tokens\":[",
     "\"added_tokens\":[" ENDS "",
     "\n  the <|end|>the cat sat<|end|>>>  \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e   cat\n",
     {10, 32,  260, 32,  300, 257, 101, 291, 267, 301, 62,
      32, 298, 289, 232, 170, 158, 271, 291, 10,  -1}},
    {"\"added_tokens\":[",
     "\"added_tokens\":[" MANY "",
     "The cats' mat: it's 10\xc2\xbd mats,  \n they'll sit.\xc2\x85 \xef\xbb\xbf"
     "caf\xc3\xa9 catXY catXYZ",
     {299, 32, 303, 115, 39,  296, 58,  32,  282, 277, 266, 48, 194, 189,
      270, 44, 302, 10,  293, 39,  283, 294, 46,  194, 133, 32, 239, 187,
      191, 99, 280, 288, 32,  303, 88,  89,  32,  303, 88,  89, 90,  -1}},
    {"\"added_tokens\":[",
     "\"added_tokens\":[" MANY "",
     "\n  the <|end|>the cat sat<|end|>>>  \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e   cat\n",
     {10,  302, 257, 101, 32,  300, 257, 304, 256, 301, 62,
      302, 305, 232, 170, 158, 302, 32,  303, 10,  -1}}};

static void test_golden(void) {
    size_t i, size;
    for (i = 0; i < SLM__COUNT(golden); i++) {
        slm_tokenizer *t;
        char *json = edited(golden[i].from, golden[i].to, &size), *back;
        int32_t *ids;
        size_t n, length;
        CHECK_OK(parse(&t, json, size), err);
        free(json);
        if (t == NULL) continue;
        check_ids(t, golden[i].to, golden[i].text, golden[i].ids);
        CHECK_OK(slm_tokenizer_encode(&ids, &n, t, golden[i].text, strlen(golden[i].text), &err),
                 err);
        CHECK_OK(slm_tokenizer_decode(&back, &length, t, ids, n, &err), err);
        CHECK(strcmp(back + (t->prefix_space && golden[i].text[0] != ' '), golden[i].text) == 0,
              "%s: %s", golden[i].text, back);
        slm_free(ids);
        slm_free(back);
        CHECK_OK(slm_tokenizer_save(t, in("t.json"), &err),
                 err); /* what is saved and loaded is the same */
        {
            slm_tokenizer *again;
            CHECK_OK(slm_tokenizer_load(&again, path, &err), err);
            CHECK(again != NULL && slm_tokenizer_hash(again) == slm_tokenizer_hash(t),
                  "%s: saved, loaded: another tokenizer", golden[i].to);
            if (again != NULL) check_ids(again, "saved and loaded", golden[i].text, golden[i].ids);
            slm_tokenizer_free(again);
        }
        slm_tokenizer_free(t);
    }
}

/* GPT-2's vocabulary: ids from npm's tiktoken 1.0.22 (encode_ordinary) and tokenizers 0.23.2, which agree. */
static const struct {
    const char *text;
    int32_t ids[24];
} gpt2[] = {
    {"Hello world! na\xc3\xafve caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xf0\x9f\xa4\x97",
     {15496, 995, 0, 41492, 40304, 10545, 245, 98, 17312, 105, 45739, 252, 12520, 97, 245, -1}},
    {" \xc2\x85"
     "b",
     {220, 126, 227, 65, -1}},
    {" \xef\xbb\xbf"
     "b",
     {27332, 119, 123, 65, -1}},
    {"It's we'll THEY'RE I'm'd ''s 'S",
     {1026, 338, 356, 1183, 33302, 6, 2200, 314, 1101, 1549, 10148, 82, 705, 50, -1}},
    {"  a\n\n b\t\t\r\n  ", {220, 257, 628, 275, 197, 197, 201, 198, 220, 220, -1}},
    {"abc123\xc2\xbd\xe2\x85\xa7\xd9\xa3 12",
     {39305, 10163, 23141, 158, 227, 100, 149, 96, 1105, -1}},
    {"x=1;\x1c\xe1\xa0\x8e\xe3\x80\x80y   z",
     {87, 28, 16, 26, 216, 157, 254, 236, 5099, 222, 88, 220, 220, 1976, -1}},
    {"!!!''' ?\xc2\xa0\xc2\xa0w", {10185, 7061, 6, 5633, 1849, 1849, 86, -1}},
    {"e\xcc\x81 \xf0\x9d\x90\x80\xf0\xa0\x80\x80\xe1\xb2\x89",
     {68, 136, 223, 220, 47728, 238, 222, 172, 254, 222, 222, 157, 110, 231, -1}},
    {"<|endoftext|> 's\xe2\x80\x99s",
     {27, 91, 437, 1659, 5239, 91, 29, 705, 82, 447, 247, 82, -1}}};

/* A small pair of that kind, made of `own`: the tokenizer that comes out is `own`. */
static void test_pair(void) {
    char *json = edited("\"vocab\":{", "\"vocab\":{", &own_size),
         *vocab = strstr(json, "\"vocab\":{") + 8, *merges = strstr(vocab, "},\n\"merges\":["), *p;
    slm_tokenizer *t;
    (void)REAL_MKDIR(in("pair"));
    put("pair/encoder.json", vocab, (size_t)(merges + 1 - vocab));
    merges += strlen("},\n\"merges\":[");
    for (p = vocab = merges; *p != ']'; p++) { /* "a b",\n"c d" to lines; \" and \\ to one byte */
        if (*p == '\\')
            *vocab++ = *++p;
        else if (*p != '"' && *p != ',')
            *vocab++ = *p;
        else if (*p == ',' && p[1] != '\n')
            *vocab++ = *p;
    }
    put("pair/vocab.bpe", merges, (size_t)(vocab - merges));
    CHECK_OK(gpt2_tokenizer(&t, in("pair"), &err), err);
    CHECK(t != NULL && slm_tokenizer_hash(t) == slm_tokenizer_hash(own),
          "a pair of files: another tokenizer");
    slm_tokenizer_free(t);
    put("pair/vocab.bpe", "#version: 0.2\r\n\r\nt h\nt \x01\n", 26);
    CHECK(gpt2_tokenizer(&t, in("pair"), &err) == SLM_ERR_FORMAT && t == NULL &&
              strstr(err.text, "model.merges") != NULL,
          "%s", err.text);
    (void)remove(in("pair/vocab.bpe"));
    CHECK(gpt2_tokenizer(&t, in("pair"), &err) == SLM_ERR_IO && t == NULL &&
              strstr(err.text, "vocab.bpe") != NULL,
          "%s", err.text);
    free(json);
}

static void test_gpt2(void) {
    slm_tokenizer *t, *again;
    char *text;
    int32_t *ids;
    size_t i, n, size;
    double seconds;
    if (!slm__exists("../shared/data/gpt2/encoder.json")) {
        printf("skipped: GPT-2's vocabulary (no ../shared/data/gpt2)\n");
        return;
    }
    CHECK_OK(gpt2_tokenizer(&t, "../shared/data/gpt2", &err), err);
    if (t == NULL) return;
    CHECK(slm_tokenizer_vocab(t) == 50257, "%d tokens", (int)slm_tokenizer_vocab(t));
    for (i = 0; i < SLM__COUNT(gpt2); i++)
        check_ids(t, "GPT-2", gpt2[i].text, gpt2[i].ids);
    test_random(t, "GPT-2", 1000, 1);
    CHECK_OK(slm_tokenizer_save(t, in("gpt2.json"), &err), err);
    CHECK_OK(slm_tokenizer_load(&again, path, &err), err);
    CHECK(again != NULL && slm_tokenizer_hash(again) == slm_tokenizer_hash(t),
          "saved, loaded: another tokenizer");
    slm_tokenizer_free(again);
    text = (char *)malloc(1000000);
    memset(text, 'x', 1000000);
    seconds = (double)clock();
    CHECK_OK(slm_tokenizer_encode(&ids, &n, t, text, 1000000, &err),
             err); /* tokenizers 0.23.2: 125000 */
    seconds = ((double)clock() - seconds) / CLOCKS_PER_SEC;
    CHECK(n == 125000, "%zu ids of a million x", n);
    CHECK(seconds < 20, "a million x took %.1f s", seconds); /* a quadratic encoder takes minutes */
    slm_free(ids);
    free(text);
    if (slm_file_read(&text, &size, "../shared/data/tinyshakespeare/input.txt", &err) == SLM_OK) {
        CHECK_OK(slm_tokenizer_encode(&ids, &n, t, text, size, &err),
                 err); /* nanoGPT's data/shakespeare: 301,966 + 36,059 */
        CHECK(n == 338025, "%zu ids of tinyshakespeare", n);
        slm_free(ids);
        slm_free(text);
    } else
        printf("skipped: tinyshakespeare (no ../shared/data/tinyshakespeare)\n");
    slm_tokenizer_free(t);
}

/* ---- 7. files and memory ---- */
static void test_files(void) {
    slm_tokenizer *t, *bytes, *twin;
    char *copy;
    size_t size = 0;
    (void)REAL_MKDIR(in("folder"));
    CHECK_OK(slm_tokenizer_save(own, in("folder/tokenizer.json"), &err), err);
    CHECK_OK(slm_tokenizer_load(&t, in("folder"), &err), err);
    CHECK(t != NULL && slm_tokenizer_hash(t) == slm_tokenizer_hash(own),
          "a folder: another tokenizer");
    slm_tokenizer_free(t);
    CHECK(slm_tokenizer_load(&t, in("nowhere"), &err) == SLM_ERR_IO && t == NULL &&
              strstr(err.text, "nowhere") != NULL,
          "%s", err.text);
    CHECK_OK(slm_tokenizer_create_bytes(&bytes, &err), err);
    CHECK_OK(slm_tokenizer_save(bytes, in("bytes.json"), &err), err);
    CHECK_OK(slm_tokenizer_load(&t, path, &err), err);
    CHECK(t != NULL && slm_tokenizer_hash(t) == slm_tokenizer_hash(bytes) &&
              slm_tokenizer_vocab(t) == 256,
          "bytes: another tokenizer");
    copy = get("bytes.json", &size);
    put("copy", copy == NULL ? "" : copy, size);
    free(copy);
    CHECK_OK(slm_tokenizer_load(&twin, in("copy"), &err),
             err); /* the name of a file does not matter */
    CHECK(twin != NULL && slm_tokenizer_hash(twin) == slm_tokenizer_hash(bytes),
          "a copy: another tokenizer");
    slm_tokenizer_free(twin);
    CHECK(slm_tokenizer_hash(bytes) != slm_tokenizer_hash(own), "two tokenizers, one fingerprint");
    slm_tokenizer_free(t);
    slm_tokenizer_free(bytes);
}

static slm_status work(int what) {
    slm_tokenizer *t = NULL;
    int32_t *ids = NULL;
    char *back = NULL;
    size_t n, size;
    slm_status status;
    switch (what) {
    case 0: status = slm_tokenizer_train(&t, lines, 200, 300, NULL, NULL, &err); break;
    case 1: status = slm_tokenizer_parse(&t, own_json, own_size, "t.json", &err); break;
    case 2: status = slm_tokenizer_load(&t, in("t.json"), &err); break;
    case 3: status = slm_tokenizer_save(own, in("s.json"), &err); break;
    default:
        status = slm_tokenizer_encode(&ids, &n, own, lines, sizeof lines - 1, &err);
        if (status == SLM_OK) status = slm_tokenizer_decode(&back, &size, own, ids, n, &err);
    }
    if (status != SLM_OK)
        CHECK(t == NULL && back == NULL, "work %d: something after a failure", what);
    slm_tokenizer_free(t);
    slm_free(ids);
    slm_free(back);
    return status;
}

static void test_memory(void) {
    int what;
    CHECK_OK(slm_tokenizer_save(own, in("t.json"), &err), err);
    for (what = 0; what < 5; what++) {
        long k;
        slm_status status = SLM_ERR_MEMORY;
        for (k = 1; k < 5000 && status != SLM_OK; k++) {
            inject(0, 0);
            alloc_fail_at = k;
            status = work(what);
            if (status != SLM_OK && (status != SLM_ERR_MEMORY || err.status != SLM_ERR_MEMORY)) {
                CHECK(0, "work %d, allocation %ld: status %d", what, k, (int)status);
                break;
            }
        }
        CHECK(status == SLM_OK && k > 3, "work %d: still failing after %ld allocations", what, k);
    }
    inject(0, 0);
}

int main(int argc, char **argv) {
    (void)snprintf(root, sizeof root, "%s", argc > 1 ? argv[1] : "build/tmp");
    (void)slm__make_folder(root, NULL);
    (void)snprintf(root, sizeof root, "%s/tokenizer", argc > 1 ? argv[1] : "build/tmp");
    (void)slm__make_folder(root, NULL);
    CHECK_OK(slm_tokenizer_train(&own, lines, sizeof lines - 1, 300, NULL, NULL, &err), err);
    if (own == NULL) return check_end();
    classes = own->classes;
    CHECK(slm_tokenizer_vocab(own) == 300, "%d tokens", (int)slm_tokenizer_vocab(own));
    CHECK_OK(slm_tokenizer_save(own, in("own.json"), &err), err);
    CHECK_OK(slm_file_read(&own_json, &own_size, path, &err), err);
    if (own_json == NULL) return check_end();
    test_classes();
    test_pieces();
    test_bytes();
    test_random(own, "own", 4000, 1);
    test_training();
    test_edits();
    test_order();
    test_first_added();
    test_golden();
    test_damage();
    test_pair();
    test_gpt2();
    test_files();
    test_memory();
    slm_free(own_json);
    slm_tokenizer_free(own);
    return check_end();
}
