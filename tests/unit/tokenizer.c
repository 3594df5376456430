/* Tokenizers: pieces against a naive reading of the regular expression, encoding and training
   against naive versions, golden ids of other programs, tokenizer.json there and back, files that
   must be refused by name, damage, refused allocations.
   make build/tests/tokenizer && build/tests/tokenizer [SCRATCH_FOLDER]                           */
#include "inject.h"
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "slm/gpt2.h"
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
static const char *const bits[] = {
    /* English, and its contractions, whole and broken */
    "the", " cat", "'s", "'re", "'ve", "'ll", "'d", "'m", "'t", "'", "''", "S", "'S", "'LL", "'Ve",
    "'\xc5\xbf",
    /* white space, numbers, signs */
    " ", "  ", "\n", "\t", "\r\n", "\r", "10", "1", "1234", ".", "!?", "{", "_", "\"", "\\",
    /* letters of two and three bytes, a combining accent, spaces of Unicode, a byte order mark */
    "\xc3\xa9", "e\xcc\x81", "\xe6\x97\xa5\xe6\x9c\xac", "\xc2\xa0", "\xc2\x85", "\xe3\x80\x80",
    "\xe2\x80\xa8", "\xef\xbb\xbf",
    /* numbers of Unicode; a face, letters of four bytes */
    "\xc2\xbd", "\xe2\x85\xa7", "\xd9\xa3", "\xf0\x9f\x98\x80", "\xf0\x9d\x90\x80",
    "\xf0\xa0\x80\x80",
    /* what is not UTF-8: stray, cut off, a surrogate, too high, overlong */
    "\xff", "\xc3", "\xe6\x97", "\xf0\x9f\x98", "\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
    "\xc0\x80",
    /* controls; the first is a NUL */
    "\x00", "\x01", "\x1c", "\x7f",
    /* repetitions, where merges overlap */
    "xxxxxxxxxxxxxxxxxxxxxxx", "abababababab", "aaa"};

/* Fills out (room) with bits and now and then random bytes.  Returns how many. */
static size_t random_text(char *out, size_t room) {
    size_t n = 0;

    for (size_t k = below(24); k > 0; k--) {
        const char *bit = bits[below(SLM__COUNT(bits))];
        size_t size = bit[0] == 0 ? 1 : strlen(bit);
        char any[4];
        if (below(4) == 0) {
            bit = any;
            size = 1 + below(4);
            for (size_t i = 0; i < size; i++)
                any[i] = (char)(unsigned char)below(256);
        }
        if (n + size > room) break;
        memcpy(out + n, bit, size);
        n += size;
    }
    return n;
}

/* ---- 1. the classes of characters ----
   Counts of General_Category L* (without surrogates), N* and White_Space in Unicode 16.0's
   DerivedGeneralCategory and PropList.  tests/system/unicode.sh looks at every code point. */
static uint8_t *classes;

static const struct {
    const char *character;
    int expected;
} samples[] = {
    {"a", SLM__CHAR_LETTER},
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
    {"\xf4\x8f\xbf\xbf", SLM__CHAR_OTHER},
};

/* Not UTF-8: the first byte is a unit of its own. */
static const struct {
    const char *bytes;
    size_t n;
} bad_utf8[] = {
    {"\x80", 1},         {"\xff", 1},             {"\xc3", 1},     {"\xc0\x80", 2},
    {"\xed\xa0\x80", 3}, {"\xf4\x90\x80\x80", 4}, {"\xe6\x97", 2}, {"\xe6\x97x", 3},
};

static void test_classes(void) {
    size_t count[4] = {0, 0, 0, 0};
    size_t size;

    for (size_t i = 0; i < SLM__CLASSES_END; i++)
        count[classes[i]]++;
    CHECK(count[SLM__CHAR_LETTER] == 141028, "%zu letters", count[SLM__CHAR_LETTER]);
    CHECK(count[SLM__CHAR_NUMBER] == 1911, "%zu numbers", count[SLM__CHAR_NUMBER]);
    CHECK(count[SLM__CHAR_SPACE] == 25, "%zu spaces", count[SLM__CHAR_SPACE]);

    for (size_t i = 0; i < SLM__COUNT(samples); i++) {
        const char *s = samples[i].character;
        size_t n = strlen(s);
        int found = slm__char_class(classes, s, s + n, &size);
        CHECK(found == samples[i].expected && size == n, "sample %zu: class %d, %zu bytes", i,
              found, size);
    }
    for (size_t i = 0; i < SLM__COUNT(bad_utf8); i++) {
        const char *s = bad_utf8[i].bytes;
        int found = slm__char_class(classes, s, s + bad_utf8[i].n, &size);
        CHECK(found == SLM__CHAR_OTHER && size == 1, "bad UTF-8 %zu: class %d, %zu bytes", i, found,
              size);
    }
}

/* Every code point there and back; the sizes change where they should. */
static void test_utf8(void) {
    int bad = 0;

    for (int32_t c = 0; c < 0x110000; c++) {
        char bytes[4];
        size_t expected = 1;
        size_t size;
        int32_t back;
        if (c >= 0xD800 && c < 0xE000) continue;
        if (c >= 0x80) expected = 2;
        if (c >= 0x800) expected = 3;
        if (c >= 0x10000) expected = 4;
        bad += (size_t)slm__utf8_put(bytes, c) != expected;
        back = slm__utf8(bytes, bytes + expected, &size);
        bad += back != c || size != expected;
        bad += expected > 1 && slm__utf8(bytes, bytes + expected - 1, &size) != -1;
    }
    CHECK(bad == 0, "%d code points do not come back", bad);
}

/* ---- the map: many keys, some of them close together, values 0 and 1 among them ---- */
static void test_map(void) {
    slm__map map;
    int bad = 0;

    memset(&map, 0, sizeof map);
    CHECK(slm__map_get(&map, 5) == -1, "a key in an empty map");
    CHECK(slm__string_next_key(0) != 0, "a key that follows itself is looked for without end");
    for (uint64_t i = 0; i < 5000; i++) {
        slm__map_slot *slot = slm__map_add(&map, i * i, (int64_t)(i % 3), &err);
        CHECK(slot != NULL && slot->used && slot->key == i * i, "key %d", (int)(i * i));
    }
    for (uint64_t i = 0; i < 5000; i++) {
        bad += slm__map_get(&map, i * i) != (int64_t)(i % 3);
        bad += slm__map_get(&map, i * i + 5000 * 5000) != -1 && i > 0;
    }
    CHECK(bad == 0 && map.n == 5000, "%d keys wrong of %zu", bad, map.n);
    CHECK(map.capacity >= 2 * map.n, "%zu slots for %zu keys", map.capacity, map.n);
    CHECK(slm__map_add(&map, 4, 77, &err)->value == 2, "a value was replaced");
    slm__release(map.slots);
}

/* ---- 2. pieces: the regular expression, one alternative after the other ---- */
static size_t naive_contraction(const char *s, size_t n) {
    static const char *const contractions[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};

    for (size_t i = 0; i < SLM__COUNT(contractions); i++) {
        size_t size = strlen(contractions[i]);
        if (n >= size && memcmp(s, contractions[i], size) == 0) return size;
    }
    return 0;
}

/* A text as characters. */
static size_t offset[600]; /* of each character; behind the last one: the text's size */
static int found[600];     /* its class */
static size_t count;

static void naive_characters(const char *s, size_t n) {
    size_t size;
    size_t i = 0;

    for (count = 0; i < n && count < 599; count++) {
        offset[count] = i;
        found[count] = slm__char_class(classes, s + i, s + n, &size);
        i += size;
    }
    offset[count] = i;
}

static size_t naive_gpt2(const char *s, size_t n) {
    static const int runs[] = {SLM__CHAR_LETTER, SLM__CHAR_NUMBER, SLM__CHAR_OTHER};
    size_t i;

    if (naive_contraction(s, n) > 0) return naive_contraction(s, n);
    naive_characters(s, n);
    for (size_t k = 0; k < 3; k++) { /*  ?\p{L}+  ?\p{N}+  ?[^\s\p{L}\p{N}]+ */
        size_t first = s[0] == ' ' && count > 1 && found[1] == runs[k] ? 1 : 0;
        size_t end = first;
        while (end < count && found[end] == runs[k])
            end++;
        if (end > first) return offset[end];
    }
    i = 0;
    while (i < count && found[i] == SLM__CHAR_SPACE)
        i++;
    if (i < count && i > 1) i--; /* \s+(?!\S) gives one back, \s+ does not */
    return offset[i];
}

/* Digits cut before and after each number; what is between is a text of its own. */
static size_t naive_digits(const char *s, size_t n) {
    size_t i = 0;

    naive_characters(s, n);
    if (found[0] == SLM__CHAR_NUMBER) return offset[1];
    while (i < count && found[i] != SLM__CHAR_NUMBER)
        i++;
    return naive_gpt2(s, offset[i]);
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d); the long s is an s. */
static size_t naive_contraction_any_case(const char *s, size_t n) {
    char lower[4] = "";

    if (n >= 3 && memcmp(s, "'\xc5\xbf", 3) == 0) return 3;
    for (size_t i = 0; i < 3 && i < n; i++)
        lower[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] - 'A' + 'a') : s[i];
    return naive_contraction(lower, n < 3 ? n : 3);
}

/* How many characters from i on have that class; at most `most`. */
static size_t naive_run(size_t i, int char_class, size_t most) {
    size_t n = 0;

    while (n < most && i + n < count && found[i + n] == char_class)
        n++;
    return n;
}

static int is_line_end(const char *s, size_t i) {
    return i < count && (s[offset[i]] == '\n' || s[offset[i]] == '\r');
}

static size_t naive_llama3(const char *s, size_t n, size_t most_numbers) {
    size_t spaces;
    size_t i;

    if (naive_contraction_any_case(s, n) > 0) return naive_contraction_any_case(s, n);
    naive_characters(s, n);
    for (i = 2; i-- > 0;) { /* [^\r\n\p{L}\p{N}]?\p{L}+ with that character, then without */
        size_t letters = naive_run(i, SLM__CHAR_LETTER, n);
        if (i == 1 && (found[0] == SLM__CHAR_LETTER || found[0] == SLM__CHAR_NUMBER)) continue;
        if (i == 1 && is_line_end(s, 0)) continue;
        if (letters > 0) return offset[i + letters];
    }
    if (found[0] == SLM__CHAR_NUMBER) return offset[naive_run(0, SLM__CHAR_NUMBER, most_numbers)];
    for (i = s[0] == ' ' ? 2 : 1; i-- > 0;) { /*  ?[^\s\p{L}\p{N}]+[\r\n]* */
        size_t end = i + naive_run(i, SLM__CHAR_OTHER, n);
        if (end == i) continue;
        while (is_line_end(s, end))
            end++;
        return offset[end];
    }
    spaces = naive_run(0, SLM__CHAR_SPACE, n);
    for (i = spaces; i > 0; i--) /* \s*[\r\n]+ */
        if (is_line_end(s, i - 1)) return offset[i];
    return offset[spaces < count && spaces > 1 ? spaces - 1 : spaces];
}

static size_t naive_piece(int split, const char *s, size_t n) {
    if (split == SLM__SPLIT_GPT2) return naive_gpt2(s, n);
    if (split == SLM__SPLIT_DIGITS) return naive_digits(s, n);
    if (split == SLM__SPLIT_LLAMA3) return naive_llama3(s, n, 3);
    if (split == SLM__SPLIT_QWEN) return naive_llama3(s, n, 1);
    return n;
}

/* By hand: each alternative of each rule, and where one gives way to the next.  The pieces of the
   text, with | between them. */
static const struct {
    int split;
    const char *pieces;
} cut_by_hand[] = {
    {SLM__SPLIT_GPT2, "it|'s| 12345| cats|,|  | x|\n\n|\n|y| |\t|z| '|S|  "},
    {SLM__SPLIT_DIGITS, "it|'s| |1|2|3| cats|,|  | x| |\xc2\xbd|y|  |4|-|5|   "},
    {SLM__SPLIT_LLAMA3, "it|'s|'LL|'\xc5\xbf|x|'t|\xc3\xa9"},
    {SLM__SPLIT_LLAMA3, " it|-it|\tit|\n|it|\xc2\xa0it|1|it"},
    {SLM__SPLIT_LLAMA3, "123|45| |678|9\xc2\xbd\xd9\xa3|-|1"},
    {SLM__SPLIT_LLAMA3, "!?\n\r\n| (|1|)\n| \n\n| | !|\t|!"},
    {SLM__SPLIT_LLAMA3, "  \n \n|  | x|  | (|   |\t|1| \r\n|  "},
    {SLM__SPLIT_QWEN, "it|'RE| |1|2|3|\xc2\xbd|)\n| x|  | y|'v"},
    {SLM__SPLIT_NONE, "it's 123 cats\n  "},
};

static void test_cut_by_hand(void) {
    for (size_t i = 0; i < SLM__COUNT(cut_by_hand); i++) {
        const char *pieces = cut_by_hand[i].pieces;
        char text[100];
        char cut[200] = "";
        size_t n = 0;
        size_t at = 0;
        for (const char *p = pieces; *p != 0; p++)
            if (*p != '|') text[n++] = *p;
        while (at < n) {
            size_t size = slm__pretoken_size(classes, cut_by_hand[i].split, text + at, n - at);
            (void)strncat(cut, text + at, size);
            at += size;
            if (at < n) (void)strcat(cut, "|");
        }
        CHECK(strcmp(cut, pieces) == 0, "%s is cut as %s", pieces, cut);
    }
}

static int check_pieces(int split) {
    char text[600];

    for (int round = 0; round < 10000; round++) {
        size_t n = random_text(text, 500);
        size_t place = 0;
        size_t piece = 0;
        size_t expected = 0;
        char *tight = (char *)malloc(n + 1); /* a sanitizer sees a read past the end */
        memcpy(tight + 1, text, n);
        while (place < n) {
            piece = slm__pretoken_size(classes, split, tight + 1 + place, n - place);
            expected = naive_piece(split, text + place, n - place);
            if (piece != expected || piece == 0) break;
            place += piece;
        }
        free(tight);
        CHECK(place == n, "split %d, round %d: a piece of %zu bytes, not %zu", split, round, piece,
              expected);
        if (place != n) return 0;
    }
    return 1;
}

static void test_pieces(void) {
    for (int split = SLM__SPLIT_NONE; split <= SLM__SPLIT_QWEN; split++)
        if (!check_pieces(split)) return;
}

/* ---- 3. encoding against the definition: find the lowest rank, merge the leftmost, repeat ---- */
/* Merges once in word (n).  Returns 0 if there is nothing to merge. */
static int naive_merge(const slm_tokenizer *t, int32_t *word, size_t n) {
    int32_t best = INT32_MAX;
    size_t place = 0;

    for (size_t i = 0; i + 1 < n; i++) {
        uint64_t pair = slm__pair_key(word[i], word[i + 1]);
        int32_t rank = (int32_t)slm__map_get(&t->ranks, pair);
        if (rank < 0 || rank >= best) continue;
        best = rank;
        place = i;
    }
    if (best == INT32_MAX) return 0;
    word[place] = SLM__ITEMS(slm__merge, t->merges)[best].id;
    memmove(word + place + 1, word + place + 2, (n - place - 2) * sizeof *word);
    return 1;
}

static size_t naive_encode(const slm_tokenizer *t, const char *s, size_t n, int32_t *ids) {
    size_t out = 0;
    size_t offset = 0;

    while (offset < n) {
        size_t piece = slm__pretoken_size(classes, t->split, s + offset, n - offset);
        size_t symbols = piece;
        for (size_t i = 0; i < piece; i++)
            ids[out + i] = t->byte_id[(unsigned char)s[offset + i]];
        while (naive_merge(t, ids + out, symbols))
            symbols--;
        out += symbols;
        offset += piece;
    }
    return out;
}

static int same_ids(const int32_t *a, size_t n, const int32_t *b, size_t m) {
    return n == m && (n == 0 || memcmp(a, b, n * sizeof *a) == 0);
}

enum { ROUND_TRIP, ROUND_TRIP_AND_NAIVE };

/* One random text there and back.  Returns 0 after a failure. */
static int random_round(const slm_tokenizer *t, const char *name, int what) {
    char text[600];
    char *back = NULL;
    int32_t expected[600];
    int32_t *ids = NULL;
    size_t n = 0;
    size_t size = 0;
    size_t length = random_text(text, 500);
    int good = 0;

    if (slm_tokenizer_encode(&ids, &n, t, text, length, &err) == SLM_OK &&
        slm_tokenizer_decode(&back, &size, t, ids, n, &err) == SLM_OK)
        good = size == length && memcmp(back, text, size) == 0 && back[size] == 0;
    CHECK(good, "%s: a text does not come back (%s)", name, err.text);
    if (good && what == ROUND_TRIP_AND_NAIVE) {
        size_t m = naive_encode(t, text, length, expected);
        good = same_ids(ids, n, expected, m);
        CHECK(good, "%s: other ids than the naive encoder", name);
    }
    slm_free(ids);
    slm_free(back);
    return good;
}

static void test_random(const slm_tokenizer *t, const char *name, int rounds, int what) {
    err.text[0] = 0;
    for (int round = 0; round < rounds; round++)
        if (!random_round(t, name, what)) return;
}

/* expected ends with -1. */
static void check_ids(const slm_tokenizer *t, const char *name, const char *s,
                      const int32_t *expected) {
    int32_t *ids;
    size_t n;
    size_t m = 0;
    int same;

    while (expected[m] >= 0)
        m++;
    if (slm_tokenizer_encode(&ids, &n, t, s, strlen(s), &err) != SLM_OK) {
        CHECK(0, "%s: %s", name, err.text);
        return;
    }
    same = same_ids(ids, n, expected, m);
    CHECK(same, "%s: other ids of \"%s\"", name, s);
    for (size_t i = 0; i < n && !same; i++)
        printf("%d,%s", (int)ids[i], i + 1 == n ? "\n" : "");
    slm_free(ids);
}

static void test_bytes(void) {
    slm_tokenizer *t;
    int32_t *ids;
    int32_t wrong[2] = {3, 256};
    char text[256];
    char *back;
    size_t n;
    size_t i = 0;
    size_t size;
    slm_status status;

    CHECK_OK(slm_tokenizer_create_bytes(&t, &err), err);
    CHECK(slm_tokenizer_vocab(t) == 256, "%d tokens", (int)slm_tokenizer_vocab(t));
    CHECK(t->merges.size == 0, "merges of bytes");
    /* The fingerprint by a few lines of Python. */
    CHECK(slm_tokenizer_hash(t) == 0x44af92a66d3cd274ULL, "%llx",
          (unsigned long long)slm_tokenizer_hash(t));
    for (int byte = 0; byte < 256; byte++)
        text[byte] = (char)(unsigned char)byte;
    CHECK_OK(slm_tokenizer_encode(&ids, &n, t, text, 256, &err), err);
    while (i < n && ids[i] == (int32_t)i)
        i++;
    CHECK(n == 256 && i == 256, "byte %zu", i);
    slm_free(ids);

    CHECK(slm_tokenizer_token(&size, t, 256) == NULL && size == 0, "token 256");
    CHECK(slm_tokenizer_token(NULL, t, -1) == NULL, "token -1");
    CHECK(slm_tokenizer_token(&size, t, 65) != NULL && size == 1, "token 65");
    CHECK(*slm_tokenizer_token(NULL, t, 65) == 'A', "token 65 is no A");
    status = slm_tokenizer_decode(&back, &size, t, wrong, 2, &err);
    CHECK(status == SLM_ERR_ARGUMENT && strstr(err.text, "256") != NULL, "%s", err.text);
    wrong[1] = -1;
    status = slm_tokenizer_decode(&back, &size, t, wrong, 2, &err);
    CHECK(status == SLM_ERR_ARGUMENT, "-1 was decoded");

    CHECK_OK(slm_tokenizer_encode(&ids, &n, t, NULL, 0, &err), err);
    CHECK(n == 0 && ids != NULL, "%zu ids of nothing", n);
    CHECK_OK(slm_tokenizer_decode(&back, &size, t, ids, 0, &err), err);
    CHECK(size == 0 && back[0] == 0, "%zu bytes of nothing", size);
    slm_free(ids);
    slm_free(back);
    test_random(t, "bytes", 500, ROUND_TRIP_AND_NAIVE);
    slm_tokenizer_free(t);
    slm_tokenizer_free(NULL);
}

/* ---- 4. training against counting everything anew for each merge ---- */
#define MOST_SYMBOLS 4000
#define MOST_TOKENS 400

typedef struct naive_text {
    int32_t ids[MOST_SYMBOLS];
    int ends[MOST_SYMBOLS]; /* 1: the last of its piece */
    size_t n;
} naive_text;

static void naive_cut(naive_text *x, const char *text, size_t size) {
    size_t offset = 0;

    x->n = 0;
    while (offset < size) {
        size_t piece = slm__pretoken_size(classes, SLM__SPLIT_GPT2, text + offset, size - offset);
        for (size_t i = 0; i < piece; i++) {
            x->ids[x->n] = (unsigned char)text[offset + i];
            x->ends[x->n] = i + 1 == piece;
            x->n++;
        }
        offset += piece;
    }
}

/* The most frequent pair of n_tokens tokens.  Returns 0 if none occurs twice. */
static int naive_best(const naive_text *x, int32_t n_tokens, int32_t *a, int32_t *b) {
    static int64_t counts[MOST_TOKENS][MOST_TOKENS];
    int64_t most = 1;

    memset(counts, 0, sizeof counts);
    for (size_t i = 0; i + 1 < x->n; i++)
        if (!x->ends[i]) counts[x->ids[i]][x->ids[i + 1]]++;
    for (int32_t left = 0; left < n_tokens; left++) {
        for (int32_t right = 0; right < n_tokens; right++) {
            if (counts[left][right] <= most) continue;
            most = counts[left][right];
            *a = left;
            *b = right;
        }
    }
    return most > 1;
}

static void naive_replace(naive_text *x, int32_t a, int32_t b, int32_t id) {
    size_t written = 0;

    for (size_t i = 0; i < x->n; i++) {
        int both = i + 1 < x->n && !x->ends[i] && x->ids[i] == a && x->ids[i + 1] == b;
        x->ids[written] = both ? id : x->ids[i];
        if (both) i++;
        x->ends[written] = x->ends[i];
        written++;
    }
    x->n = written;
}

/* Has the tokenizer, trained for `vocab` tokens, the merges that it should have? */
static int naive_train(const slm_tokenizer *t, const char *text, size_t size, int32_t vocab) {
    static naive_text x;
    const slm__merge *merges = SLM__ITEMS(const slm__merge, t->merges);
    size_t n_merges = SLM__N_ITEMS(slm__merge, t->merges);
    int32_t next = 256;
    int32_t a = 0;
    int32_t b = 0;

    naive_cut(&x, text, size);
    while (next < vocab && naive_best(&x, next, &a, &b)) {
        size_t rank = (size_t)(next - 256);
        if (rank >= n_merges) return 0;
        if (merges[rank].a != a || merges[rank].b != b || merges[rank].id != next) return 0;
        naive_replace(&x, a, b, next);
        next++;
    }
    return slm_tokenizer_vocab(t) == next && n_merges == (size_t)(next - 256);
}

static int stop_at_once(void *user, uint64_t done, uint64_t total) {
    int *calls = (int *)user;

    ++*calls;
    return done < total;
}

static void test_training(void) {
    static const char *const alphabets[] = {"a", "ab", "ab ", "abc'", "aab\n ", "xyz 12", "aaaaab"};
    slm_tokenizer *t = NULL;
    char text[2000];

    for (int round = 0; round < 150; round++) {
        const char *alphabet = alphabets[below(SLM__COUNT(alphabets))];
        size_t n = below(300);
        int32_t vocab = 256 + (int32_t)below(60);
        int same;
        for (size_t i = 0; i < n; i++)
            text[i] = alphabet[below(strlen(alphabet))];
        CHECK_OK(slm_tokenizer_train(&t, text, n, vocab, NULL, NULL, &err), err);
        same = naive_train(t, text, n, vocab);
        CHECK(same, "round %d: other merges than the naive trainer", round);
        slm_tokenizer_free(t);
        if (!same) return;
    }
}

/* The example of Wikipedia's article on byte-pair encoding; ties go to the smallest ids: aa, then
   ab (Za there). */
static void test_training_example(void) {
    static const char *const learned[] = {"aa", "ab", "aaab"};
    slm_tokenizer *t = NULL;

    CHECK_OK(slm_tokenizer_train(&t, "aaabdaaabac", 11, 300, NULL, NULL, &err), err);
    CHECK(slm_tokenizer_vocab(t) == 259, "%d tokens", (int)slm_tokenizer_vocab(t));
    for (int32_t i = 0; i < 3; i++) {
        size_t size;
        const char *token = slm_tokenizer_token(&size, t, 256 + i);
        CHECK(token != NULL && size == strlen(learned[i]), "token %d", 256 + (int)i);
        CHECK(token != NULL && memcmp(token, learned[i], size) == 0, "no %s", learned[i]);
    }
    slm_tokenizer_free(t);
}

static void test_training_stops(void) {
    slm_tokenizer *bytes;
    slm_tokenizer *t = NULL;
    slm_status status;
    int calls = 0;

    status = slm_tokenizer_train(&t, lines, 10, 255, NULL, NULL, &err);
    CHECK(status == SLM_ERR_ARGUMENT && t == NULL, "255 tokens");
    status = slm_tokenizer_train(&t, lines, sizeof lines - 1, 300, stop_at_once, &calls, &err);
    CHECK(status == SLM_ERR_CANCELLED && t == NULL && calls == 1, "not stopped");

    /* Without room for merges, or without text, what is learned is the bytes. */
    CHECK_OK(slm_tokenizer_create_bytes(&bytes, &err), err);
    CHECK_OK(slm_tokenizer_train(&t, lines, sizeof lines - 1, 256, NULL, NULL, &err), err);
    CHECK(slm_tokenizer_hash(t) == slm_tokenizer_hash(bytes), "256 tokens");
    slm_tokenizer_free(t);
    CHECK_OK(slm_tokenizer_train(&t, NULL, 0, 300, NULL, NULL, &err), err);
    CHECK(slm_tokenizer_hash(t) == slm_tokenizer_hash(bytes), "no text");
    slm_tokenizer_free(t);
    slm_tokenizer_free(bytes);
}

/* ---- 5. tokenizer.json ---- */
static slm_tokenizer *own; /* trained on `lines`, 300 tokens */
static char *own_json;
static size_t own_size;

/* Parses a copy with no room around it, so that a sanitizer sees a read past its end; checks that a
   message names the file and is one line. */
static slm_status parse(slm_tokenizer **t, const char *json, size_t size) {
    char *tight = (char *)malloc(size + 1);
    slm_status status;

    memcpy(tight + 1, json, size);
    err.text[0] = 0;
    *t = NULL;
    status = slm_tokenizer_parse(t, tight + 1, size, "t.json", &err);
    CHECK((status == SLM_OK) == (*t != NULL), "a tokenizer after a failure");
    if (status != SLM_OK) {
        CHECK(strstr(err.text, "t.json") == err.text, "message: %s", err.text);
        CHECK(strpbrk(err.text, "\n\r\t") == NULL, "message: %s", err.text);
    }
    free(tight);
    return status;
}

/* `json` with the first `from` replaced by `to`; to be freed. */
static char *replaced(const char *json, const char *from, const char *to, size_t *size) {
    const char *place = strstr(json, from);
    size_t length = strlen(json);
    size_t head;
    char *copy;

    CHECK(place != NULL, "nothing to edit: %s", from);
    if (place == NULL) exit(1);
    head = (size_t)(place - json);
    *size = length - strlen(from) + strlen(to);
    copy = (char *)malloc(*size + 1);
    if (copy == NULL) exit(1);
    memcpy(copy, json, head);
    memcpy(copy + head, to, strlen(to));
    memcpy(copy + head + strlen(to), place + strlen(from), length - head - strlen(from) + 1);
    return copy;
}

static char *edited(const char *from, const char *to, size_t *size) {
    return replaced(own_json, from, to, size);
}

static int is_own(const slm_tokenizer *t) {
    return t != NULL && slm_tokenizer_hash(t) == slm_tokenizer_hash(own);
}

/* Saved and loaded, it is the same. */
static void check_saved(const slm_tokenizer *t, const char *file, const char *name) {
    slm_tokenizer *again = NULL;
    char *saved;
    size_t size = 0;

    CHECK_OK(slm_tokenizer_save(t, in(file), &err), err);
    CHECK_OK(slm_tokenizer_load(&again, path, &err), err);
    CHECK(again != NULL && slm_tokenizer_hash(again) == slm_tokenizer_hash(t),
          "%s: saved and loaded, another tokenizer", name);
    slm_tokenizer_free(again);
    if (t->source.size == 0) return;
    saved = get(file, &size);
    CHECK(saved != NULL && size == t->source.size && memcmp(saved, t->source.data, size) == 0,
          "%s: not saved as it was read", name);
    free(saved);
}

#define EXACT_ONE ",\"normalized\":false"
#define ADDED(id, content, more) "{\"id\":" id ",\"content\":\"" content "\"" more "}"

/* The file's ByteLevel, with `steps` before it. */
#define BYTE_LEVEL                                                                                 \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true}"
#define SEQUENCE_BEGIN "{\"type\":\"Sequence\",\"pretokenizers\":["
#define IN_SEQUENCE(steps)                                                                         \
    "\"pre_tokenizer\":" BYTE_LEVEL, "\"pre_tokenizer\":" SEQUENCE_BEGIN steps BYTE_LEVEL "]}"
#define DIGITS(individual) "{\"type\":\"Digits\",\"individual_digits\":" individual "}"
#define SPLIT_BY(regex, behavior, invert)                                                          \
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" regex "\"},\"behavior\":\"" behavior           \
    "\",\"invert\":" invert "}"
#define LLAMA3_WITH(numbers)                                                                       \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|" numbers                \
    "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define LLAMA3 LLAMA3_WITH("\\\\p{N}{1,3}")
#define QWEN LLAMA3_WITH("\\\\p{N}")
#define GPT2                                                                                       \
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\\\p{L}+| ?\\\\p{N}+| ?[^\\\\s\\\\p{L}\\\\p{N}]+|"                 \
    "\\\\s+(?!\\\\S)|\\\\s+"

static const struct {
    const char *from, *to, *says;
} bad_edits[] = {
    {"\"normalizer\":null", "\"normalizer\":{\"type\":\"NFKC\"}", "not supported: NFKC"},
    {"\"normalizer\":null", "\"normalizer\":{\"type\":\"\\nN\\tC\"}", "?N?C"},
    {"\"type\":\"ByteLevel\"", "\"type\":\"Metaspace\"", "replacement: missing"},
    {"\"pre_tokenizer\":",
     "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[]},\"other\":", "pre_tokenizer"},
    {IN_SEQUENCE("{\"type\":\"Punctuation\"},"), "pre_tokenizer: not supported: Punctuation"},
    {IN_SEQUENCE("{\"type\":\"Split\"},"), "Regex: missing"},
    {IN_SEQUENCE(SPLIT_BY("\\\\p{Lu}+", "Isolated", "false") ","), "not supported: \\p{Lu}+"},
    {IN_SEQUENCE(SPLIT_BY(LLAMA3, "Removed", "false") ","), "behavior: Split: not supported: Rem"},
    {IN_SEQUENCE(SPLIT_BY(LLAMA3, "Contiguous", "false") ","), "Contiguous"},
    {IN_SEQUENCE(SPLIT_BY(LLAMA3, "Isolated", "false") ","), "use_regex"},
    {IN_SEQUENCE(SPLIT_BY(LLAMA3, "Isolated", "false") "," DIGITS("true") ","), "second: Digits"},
    {IN_SEQUENCE(DIGITS("false") ","), "individual_digits"},
    {"\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,",
     "\"pre_tokenizer\":" SEQUENCE_BEGIN DIGITS("true")
     ",{\"type\":\"ByteLevel\",\"add_prefix_space\":true}]},\"other\":{", "add_prefix_space"},
    {"\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,",
     "\"pre_tokenizer\":" SEQUENCE_BEGIN DIGITS("true")
     ",{\"type\":\"ByteLevel\",\"use_regex\":false}]},\"other\":{", "use_regex"},
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
    {"\"A\":65", "\"A\":70000", "far above"},
    {"\"A\":65", "\"A\":18446744073709551615", "model.vocab"},
    {"\"A\":65", "\"A\":18446744073709551616", "byte"},
    {"\"A\":65", "\"B\":65", "is there twice"},
    {"\"A\":65", "\"\xc4\x80\":65", "is there twice"},
    {"\"A\":65", "\"\":65", "model.vocab"},
    {"\"A\":65", "\"\xe6\x97\xa5\":65", "model.vocab: token 65"},
    {"\"A\":65", "\"\xc2\xa0\":65", "model.vocab: token 65"},
    {"\"A\":65", "\"\xc5\x84\":65", "model.vocab: token 65"},
    {"\"h\":104,\n", "", "model.merges"},
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
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("65", "\xe6\x97\xa5", ""), "next free"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("4294967361", "A", ""), "next free"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("300", "A", ""), "added_tokens"},
    {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("233", "\xc3\xa9", ""), "other bytes"},
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

static const char *const good_edits[][2] = {
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
    {"\"truncation\":null", "\"truncation\":{\"max_length\":3}"},
    {IN_SEQUENCE("")},
};

/* "pre_tokenizer" in its known forms. */
#define SEQUENCE(steps)                                                                            \
    SEQUENCE_BEGIN steps ",{\"type\":\"ByteLevel\",\"use_regex\":false}]}"

static const struct {
    const char *pre_tokenizer;
    int split;
} known_splits[] = {
    {BYTE_LEVEL, SLM__SPLIT_GPT2},
    {"{\"type\":\"ByteLevel\",\"use_regex\":false}", SLM__SPLIT_NONE},
    {SEQUENCE(SPLIT_BY(GPT2, "Isolated", "false")), SLM__SPLIT_GPT2},
    {SEQUENCE(SPLIT_BY(LLAMA3, "Isolated", "false")), SLM__SPLIT_LLAMA3},
    {SEQUENCE(SPLIT_BY(LLAMA3, "Removed", "true")), SLM__SPLIT_LLAMA3},
    {SEQUENCE(SPLIT_BY(QWEN, "Isolated", "false")), SLM__SPLIT_QWEN},
    {SEQUENCE_BEGIN DIGITS("true") ",{\"type\":\"ByteLevel\"}]}", SLM__SPLIT_DIGITS},
};

static void test_splits(void) {
    uint64_t hashes[SLM__COUNT(known_splits)];

    for (size_t i = 0; i < SLM__COUNT(known_splits); i++) {
        slm_tokenizer *t;
        size_t size;
        char *json = edited(BYTE_LEVEL, known_splits[i].pre_tokenizer, &size);
        CHECK_OK(parse(&t, json, size), err);
        free(json);
        if (t == NULL) return;
        CHECK(t->split == known_splits[i].split, "%s: split %d", known_splits[i].pre_tokenizer,
              (int)t->split);
        hashes[i] = slm_tokenizer_hash(t);
        for (size_t k = 0; k < i; k++)
            CHECK((hashes[k] == hashes[i]) == (known_splits[k].split == known_splits[i].split),
                  "the fingerprints of %zu and %zu", k, i);
        test_random(t, known_splits[i].pre_tokenizer, 300, ROUND_TRIP_AND_NAIVE);
        check_saved(t, "split.json", known_splits[i].pre_tokenizer);
        slm_tokenizer_free(t);
    }
}

/* Without some bytes: a text that needs one is refused, others are not. */
static void test_missing_bytes(void) {
    size_t size;
    char *json = edited("\"A\":65", "\"AAA\":65", &size);
    slm_tokenizer *t;
    int32_t *ids = NULL;
    size_t n;
    slm_status status;

    CHECK_OK(parse(&t, json, size), err);
    free(json);
    if (t == NULL) return;
    CHECK_OK(slm_tokenizer_encode(&ids, &n, t, "a cat", 5, &err), err);
    slm_free(ids);
    ids = NULL;
    status = slm_tokenizer_encode(&ids, &n, t, "a cat, cAt", 10, &err);
    CHECK(status == SLM_ERR_FORMAT && ids == NULL, "a byte without a token");
    CHECK(strstr(err.text, "byte 8 of the text is 0x41") != NULL, "%s", err.text);
    check_saved(t, "missing.json", "missing bytes");
    slm_tokenizer_free(t);
}

/* A space that is to stand before each text must be a token. */
static void test_no_space(void) {
    static const char *const spaces[2] = {"false", "true"};
    for (int before = 0; before < 2; before++) {
        char json[300];
        slm_tokenizer *t;
        int n = snprintf(json, sizeof json,
                         "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":%s},"
                         "\"decoder\":{\"type\":\"ByteLevel\"},"
                         "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]}}",
                         spaces[before]);
        slm_status status = parse(&t, json, (size_t)n);
        CHECK(status == (before ? SLM_ERR_FORMAT : SLM_OK), "%s: %s", spaces[before], err.text);
        CHECK(!before || strstr(err.text, "no token for the space") != NULL, "%s", err.text);
        slm_tokenizer_free(t);
    }
}

/* ---- NFC: by hand ---- */
static const struct {
    const char *text;
    size_t place; /* of what NFC changes; the size of the text: nothing */
} nfc_by_hand[] = {
    {"", 0},
    {"plain", 5},
    {"\xcc\x81", 2},                                 /* a mark without a letter */
    {"\xc3\xa9", 2},                                 /* e acute */
    {"x e\xcc\x81 y", 2},                            /* e, acute */
    {"q\xcc\x81", 3},                                /* there is no q acute */
    {"\xc3\xa9\xcc\xa3", 0},                        /* e acute, dot below: e dot below, acute */
    {"\xc3\xa9\xcc\x96", 4},                        /* e acute, grave below: stays */
    {"e\xcc\x96\xcc\x81", 0},                       /* e, grave below, acute: acute is composed */
    {"q\xcc\x81\xcc\xa3", 0},                       /* acute, dot below: wrong order */
    {"q\xcc\xa3\xcc\x81", 5},                       /* right order */
    {"q\xcc\x81\xcc\x80", 5},                       /* the same class: any order */
    {"\xc3\xaa\xcc\x81", 0},                        /* e circumflex, acute: one letter */
    {"\xe1\xba\xbf\xcc\x81", 5},                   /* that letter and a second acute */
    {"\xe2\x84\xab", 0},                            /* the sign of the angstrom: a letter */
    {"a\xef\xa4\x80", 1},                           /* a compatibility ideograph */
    {"\xe0\xa5\x98", 0},                            /* qa: never composed */
    {"\xe0\xa7\x87\xe0\xa6\xbe", 0},               /* Bengali e, aa: o, both of class 0 */
    {"\xe0\xa6\x95\xe0\xa6\xbe", 6},               /* Bengali ka, aa: stays */
    {"\xe1\x84\x80\xe1\x85\xa1", 0},               /* Hangul: g, a */
    {"\xe1\x84\x80\xe1\x85\xb6", 6},               /* g, an old vowel */
    {"\xea\xb0\x80\xe1\x86\xa8", 0},               /* ga, g */
    {"\xea\xb0\x81\xe1\x86\xa8", 6},               /* gag, g */
    {"\xea\xb0\x80\xe1\x86\xa7", 6},               /* ga, and what is before the consonants */
    {"\xff\xcc\x81\xc3", 4},                        /* bytes that are not UTF-8 */
};

static void test_nfc(void) {
    slm__nfc *nfc = slm__nfc_new(&err);
    char marks[200] = "e";

    if (nfc == NULL) exit(1);
    for (size_t i = 0; i < SLM__COUNT(nfc_by_hand); i++) {
        const char *text = nfc_by_hand[i].text;
        size_t place = slm__nfc_check(nfc, text, strlen(text));
        CHECK(place == nfc_by_hand[i].place, "NFC, case %zu: %zu", i, place);
    }
    for (size_t i = 0; i < SLM__NFC_MARKS; i++)
        (void)strcat(marks, "\xcc\x96");
    CHECK(slm__nfc_check(nfc, marks, strlen(marks)) == strlen(marks), "%d marks", SLM__NFC_MARKS);
    (void)strcat(marks, "\xcc\x96");
    CHECK(slm__nfc_check(nfc, marks, strlen(marks)) == 0, "a mark too many");
    slm__nfc_free(nfc);
}

#define NFC "\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\"}"

/* Between exact added tokens, each text is looked at alone; normalized ones are looked for in the
   normalized text. */
static void test_nfc_tokenizer(void) {
    size_t size;
    char *first = edited(NFC, &size);
    char *json = replaced(first, "\"added_tokens\":[",
                          "\"added_tokens\":[" ADDED("300", "<e>", EXACT_ONE) ","
                          ADDED("301", "<e", ""), &size);
    slm_tokenizer *t;
    int32_t *ids = NULL;
    size_t n;
    slm_status status;
    static const int32_t expected[] = {300, 204, 129, 301, 97, -1};

    CHECK_OK(parse(&t, json, size), err);
    free(json);
    if (t == NULL) return;
    check_ids(t, "NFC", "<e>\xcc\x81<ea", expected);
    status = slm_tokenizer_encode(&ids, &n, t, "ab<e>c <e\xcc\x81", 11, &err);
    CHECK(status == SLM_ERR_FORMAT && ids == NULL, "a text that is not in NFC");
    CHECK(strstr(err.text, "byte 8 of the text") != NULL, "%s", err.text);
    check_saved(t, "nfc.json", "NFC");
    slm_tokenizer_free(t);

    json = replaced(first, "\"added_tokens\":[", "\"added_tokens\":["
                    ADDED("300", "e\xcc\x81", ""), &size);
    status = parse(&t, json, size);
    CHECK(status == SLM_ERR_FORMAT && strstr(err.text, "NFC") != NULL, "%s", err.text);
    free(json);
    free(first);
}

/* Ids of the vocabulary without a token.  The id of an added token outside the vocabulary is the
   number of tokens in it, 302, as Hugging Face's library has it. */
static void test_gaps(void) {
    static const int32_t ids[] = {97, 305, 301, 302, 98, -1};
    size_t size;
    char *first = edited("\"vocab\":{", "\"vocab\":{\"<a>\":301,\"<\xef\xbd\x9c>\":305,", &size);
    char *json = replaced(first, "\"added_tokens\":[",
                          "\"added_tokens\":[" ADDED("301", "<a>", "") ","
                          ADDED("305", "<\xef\xbd\x9c>", "") "," ADDED("302", "<b>", ""), &size);
    slm_tokenizer *t;
    int32_t gap = 303;
    char *text;
    slm_status status;

    CHECK_OK(parse(&t, json, size), err);
    free(json);
    if (t == NULL) return;
    CHECK(slm_tokenizer_vocab(t) == 306, "%d ids", (int)slm_tokenizer_vocab(t));
    CHECK(slm_tokenizer_token(NULL, t, 303) == NULL, "a token in a gap");
    status = slm_tokenizer_decode(&text, &size, t, &gap, 1, &err);
    CHECK(status == SLM_ERR_ARGUMENT, "a gap decoded");
    CHECK(strstr(err.text, "303") != NULL, "%s", err.text);
    check_ids(t, "gaps", "a<\xef\xbd\x9c><a><b>b", ids);
    check_saved(t, "gaps.json", "gaps");
    slm_tokenizer_free(t);

    json = replaced(first, "\"added_tokens\":[",
                    "\"added_tokens\":[" ADDED("301", "<a>", "") ","
                    ADDED("306", "<b>", ""), &size);
    status = parse(&t, json, size);
    CHECK(status == SLM_ERR_FORMAT && strstr(err.text, "next free") != NULL, "%s", err.text);
    free(json);
    free(first);
}

static void test_edits(void) {
    slm_tokenizer *t;
    size_t size;

    for (size_t i = 0; i < SLM__COUNT(bad_edits); i++) {
        char *json = edited(bad_edits[i].from, bad_edits[i].to, &size);
        slm_status status = parse(&t, json, size);
        CHECK(status == SLM_ERR_FORMAT && strstr(err.text, bad_edits[i].says) != NULL,
              "%s -> %s: %s", bad_edits[i].from, bad_edits[i].to, err.text);
        slm_tokenizer_free(t);
        free(json);
    }
    for (size_t i = 0; i < SLM__COUNT(good_edits); i++) {
        char *json = edited(good_edits[i][0], good_edits[i][1], &size);
        CHECK_OK(parse(&t, json, size), err);
        CHECK(is_own(t), "%s: another tokenizer", good_edits[i][1]);
        slm_tokenizer_free(t);
        free(json);
    }
}

/* Ids may come in any order. */
static void test_order(void) {
    size_t size;
    char *json = edited("\"A\":65,\n\"B\":66,\n", "\"B\":66,\n\"A\":65,\n", &size);
    slm_tokenizer *t;

    CHECK_OK(parse(&t, json, size), err);
    CHECK(is_own(t), "another order, another tokenizer");
    slm_tokenizer_free(t);
    free(json);
    json = edited("\"A\":65,\n\"B\":66,\n", "\"A\":66,\n\"B\":65,\n", &size);
    CHECK_OK(parse(&t, json, size), err);
    CHECK(t != NULL && !is_own(t), "other ids, the same fingerprint");
    slm_tokenizer_free(t);
    free(json);
}

/* Vocabulary and merges, as another program would take them: each merge makes the next token. */
static void test_description(void) {
    slm_tokenizer_info info = slm_tokenizer_describe(own);

    CHECK(strcmp(info.family, "gpt2") == 0 && !info.prefix_space && !info.ignore_merges, "%s",
          info.family);
    CHECK(info.n_merges == 44, "%zu merges", info.n_merges);
    for (size_t rank = 0; rank < info.n_merges; rank++) {
        int32_t pair[2];
        char both[256];
        size_t total = 0;
        size_t size;
        slm_tokenizer_merge(&pair[0], &pair[1], own, rank);
        for (int i = 0; i < 2; i++) {
            const char *token = slm_tokenizer_token(&size, own, pair[i]);
            memcpy(both + total, token, size);
            total += size;
        }
        const char *made = slm_tokenizer_token(&size, own, 256 + (int32_t)rank);
        CHECK(size == total && memcmp(made, both, size) == 0, "merge %zu", rank);
    }
    CHECK(slm_tokenizer_token_kind(own, 299) == SLM_TOKEN_NORMAL, "a token made by a merge");
    CHECK(slm_tokenizer_token_kind(own, 300) == SLM_TOKEN_NORMAL, "no token");
}

/* Token 0 among the added ones: "!" changes places with byte 0. */
/* A special token that fails for want of memory leaves the tokenizer as it was, at every
   allocation; the names are long, so that all buffers grow. */
static void test_add_special_memory(void) {
    char name[3000];
    slm_tokenizer *t = NULL;
    slm_status status = SLM_ERR_MEMORY;
    long k = 0;

    CHECK_OK(slm_tokenizer_create_bytes(&t, &err), err);
    CHECK_OK(slm_tokenizer_add_special(t, "<|end|>", &err), err);
    const uint64_t before = slm_tokenizer_hash(t);
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = 0;
    while (status == SLM_ERR_MEMORY && k < 100) {
        int32_t *ids = NULL;
        size_t n = 0;
        alloc_calls = 0;
        alloc_fail_at = ++k;
        status = slm_tokenizer_add_special(t, name, &err);
        alloc_fail_at = 0;
        if (status == SLM_OK) break;
        CHECK(slm_tokenizer_vocab(t) == 257 && slm_tokenizer_hash(t) == before,
              "special token, allocation %ld: another tokenizer", k);
        CHECK_OK(slm_tokenizer_encode(&ids, &n, t, "<|end|>", 7, &err), err);
        CHECK(n == 1 && ids[0] == 256, "special token, allocation %ld: the first is lost", k);
        slm_free(ids);
    }
    CHECK(status == SLM_OK && k > 1, "special token, allocation %ld: status %d", k, (int)status);
    slm_tokenizer_free(t);
}

/* A special token is the next one; it is found in texts, kept in a file, and refused twice. */
static void test_add_special(void) {
    static const char text[] = "to be or not to be";
    const char *path = "build/tmp/special.json";
    slm_tokenizer *t = NULL;
    slm_tokenizer *loaded = NULL;
    int32_t *ids = NULL;
    size_t n = 0;

    CHECK_OK(slm_tokenizer_train(&t, text, sizeof text - 1, 259, NULL, NULL, &err), err);
    const int32_t end = slm_tokenizer_vocab(t);
    const uint64_t before = slm_tokenizer_hash(t);
    CHECK_OK(slm_tokenizer_add_special(t, "<|end|>", &err), err);
    CHECK(slm_tokenizer_vocab(t) == end + 1 && slm_tokenizer_hash(t) != before,
          "special token: not another tokenizer");
    CHECK(slm_tokenizer_token_kind(t, end) == SLM_TOKEN_SPECIAL &&
              slm_tokenizer_find_added(t, "<|end|>") == end,
          "special token: not found");
    CHECK_OK(slm_tokenizer_encode(&ids, &n, t, "a<|end|>b", 9, &err), err);
    CHECK(n == 3 && ids[0] == 'a' && ids[1] == end && ids[2] == 'b',
          "special token: not found in a text");
    slm_free(ids);

    CHECK(slm_tokenizer_add_special(t, "<|end|>", &err) == SLM_ERR_ARGUMENT,
          "special token: taken twice");
    CHECK(slm_tokenizer_add_special(t, "", &err) == SLM_ERR_ARGUMENT,
          "special token: an empty one");
    CHECK(slm_tokenizer_vocab(t) == end + 1, "special token: refused and there");

    CHECK_OK(slm_tokenizer_save(t, path, &err), err);
    CHECK_OK(slm_tokenizer_load(&loaded, path, &err), err);
    CHECK(slm_tokenizer_hash(loaded) == slm_tokenizer_hash(t), "special token: lost in a file");
    CHECK(slm_tokenizer_add_special(loaded, "<|more|>", &err) == SLM_ERR_ARGUMENT,
          "special token: added to the tokenizer of a file");
    slm_tokenizer_free(loaded);
    slm_tokenizer_free(t);
}

static void test_first_added(void) {
    static const char *const edits[][2] = {
        {"\"\xc4\x80\":0", "\"\xc4\x80\":33"},
        {"\"!\":33", "\"!\":0"},
        {"\"added_tokens\":[", "\"added_tokens\":[" ADDED("0", "!", "")}};
    static const int32_t ids[] = {97, 0, 98, -1};
    size_t size = own_size;
    char *json = replaced(own_json, "{", "{", &size);
    slm_tokenizer *t;

    for (size_t i = 0; i < SLM__COUNT(edits); i++) {
        char *next = replaced(json, edits[i][0], edits[i][1], &size);
        free(json);
        json = next;
    }
    CHECK_OK(parse(&t, json, size), err);
    free(json);
    if (t == NULL) return;
    check_ids(t, "token 0 added", "a!b", ids);
    CHECK(slm_tokenizer_token_kind(t, 0) == SLM_TOKEN_ADDED, "token 0 is an added one");
    check_saved(t, "first.json", "token 0 added");
    slm_tokenizer_free(t);
}

/* ---- many added tokens ---- */
enum { MANY_TOKENS = 20000, MANY_TEXT = 200000 };

/* Sets word to the k-th of many words over two letters, so that most begin others. */
static void many_word(char *word, size_t size, int k) {
    size_t n = 0;

    for (k += 2; k > 1 && n + 1 < size; k /= 2)
        word[n++] = k % 2 == 1 ? 'x' : 'y';
    word[n] = 0;
}

/* Puts `count` added tokens into the tokenizer's file: every third one is normalized. */
static slm_tokenizer *with_many_added(int count) {
    size_t room = own_size + (size_t)count * 120;
    char *json = (char *)malloc(room);
    const char *place = strstr(own_json, "\"added_tokens\":[") + strlen("\"added_tokens\":[");
    size_t n = (size_t)(place - own_json);
    slm_tokenizer *t = NULL;

    memcpy(json, own_json, n);
    for (int k = 0; k < count; k++) {
        char word[32];
        many_word(word, sizeof word, k + 2);
        if (k > 0) json[n++] = ',';
        n += (size_t)snprintf(json + n, room - n, "{\"id\":%d,\"content\":\"%s\"", 300 + k, word);
        n += (size_t)snprintf(json + n, room - n, "%s}", k % 3 == 0 ? "" : EXACT_ONE);
    }
    (void)snprintf(json + n, room - n, "%s", place);
    CHECK_OK(parse(&t, json, strlen(json)), err);
    free(json);
    return t;
}

static int32_t added_id(const slm__added_token *token) {
    return token != NULL ? token->id : -1;
}

/* The longest added token of that kind at s, by looking at every one. */
static int32_t naive_added(const slm_tokenizer *t, const char *s, size_t n, int32_t kind) {
    size_t longest = 0;
    int32_t found = -1;

    for (int32_t id = 300; id < slm_tokenizer_vocab(t); id++) {
        const slm__token_entry *e = SLM__ITEMS(const slm__token_entry, t->entries) + id;
        if (e->added != kind || e->size <= longest || e->size > n) continue;
        if (memcmp(t->bytes.data + e->offset, s, e->size) != 0) continue;
        found = id;
        longest = e->size;
    }
    return found;
}

static void test_added_search(void) {
    static const int counts[] = {1, 2, 3, 7, 50, 300};
    char text[64];

    for (size_t c = 0; c < SLM__COUNT(counts); c++) {
        slm_tokenizer *t = with_many_added(counts[c]);
        int bad = 0;
        if (t == NULL) return;
        for (int round = 0; round < 3000; round++) {
            size_t n = 1 + below(12);
            int32_t kind = below(2) ? SLM__ADDED_EXACT : SLM__ADDED_NORMALIZED;
            for (size_t i = 0; i < n; i++)
                text[i] = "xyxyz"[below(5)];
            bad += added_id(slm__added_token_at(t, text, n, kind)) != naive_added(t, text, n, kind);
        }
        CHECK(bad == 0, "%d added tokens: %d of 3000 searches differ", counts[c], bad);
        slm_tokenizer_free(t);
    }
}

/* A search that looks at every token takes 8 * 10^9 comparisons here, a minute at the least. */
static void test_many_added(void) {
    char *text = (char *)malloc(MANY_TEXT);
    slm_tokenizer *t = with_many_added(MANY_TOKENS);
    int32_t *ids = NULL;
    size_t n_ids = 0;
    clock_t start = clock();
    double seconds;

    for (size_t i = 0; i < MANY_TEXT; i++)
        text[i] = "xyz "[below(4)];
    if (t != NULL) CHECK_OK(slm_tokenizer_encode(&ids, &n_ids, t, text, MANY_TEXT, &err), err);
    seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    CHECK(n_ids > 0, "no ids");
    CHECK(seconds < 5, "%d added tokens: %d bytes took %g s", MANY_TOKENS, MANY_TEXT, seconds);
    slm_free(ids);
    slm_tokenizer_free(t);
    free(text);
}

static void test_truncated(void) {
    slm_tokenizer *t;
    int accepted = 0;

    for (size_t i = 0; i < own_size - 2; i++) { /* the last byte is a newline */
        accepted += parse(&t, own_json, i) == SLM_OK;
        slm_tokenizer_free(t);
    }
    CHECK(accepted == 0, "%d truncated files were accepted", accepted);
}

/* No crash, no leak; what is accepted must work. */
static void test_damage(void) {
    static const char signs[] = "\"{}[],:0 9\\";
    char *copy = (char *)malloc(own_size);
    slm_tokenizer *t;

    for (int round = 0; round < 3000; round++) {
        memcpy(copy, own_json, own_size);
        for (size_t k = 1 + below(3); k > 0; k--) {
            size_t place = below(own_size);
            if (below(2)) {
                copy[place] = (char)(unsigned char)below(256);
            } else {
                copy[place] = signs[below(11)];
            }
        }
        if (parse(&t, copy, own_size) == SLM_OK) test_random(t, "damaged", 2, ROUND_TRIP);
        slm_tokenizer_free(t);
    }
    free(copy);
}

/* ---- 6. golden ids ----
   Of `own`, edited as named: from npm's tokenizers 0.23.2 (Hugging Face's Rust), which read the
   file that slm_tokenizer_save wrote. */
#define EXACT ",\"normalized\":false"
#define NORMALIZED ",\"normalized\":true"
#define ENDS                                                                                       \
    ADDED("300", "<|end|>", EXACT ",\"special\":true") "," ADDED("301", "<|end|>>", EXACT)
#define MANY                                                                                       \
    ENDS "," ADDED("302", "  ", NORMALIZED) "," ADDED("303", "cat", NORMALIZED) "," ADDED(         \
        "304", "e cat s", EXACT) "," ADDED("305", "\xe6\x97\xa5\xe6\x9c\xac", NORMALIZED)

/* Two texts: with contractions, numbers and spaces of Unicode; with what could be added tokens. */
#define TEXT_1                                                                                     \
    "The cats' mat: it's 10\xc2\xbd mats,  \n they'll sit.\xc2\x85 \xef\xbb\xbf"                   \
    "caf\xc3\xa9 catXY catXYZ"
#define TEXT_2                                                                                     \
    "\n  the <|end|>the cat sat<|end|>>>  \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e   cat\n"

/* The edits. */
#define AS_IT_IS "\"version\"", "\"version\""
#define PREFIX_SPACE "\"add_prefix_space\":false", "\"add_prefix_space\":true"
#define NO_REGEX "\"use_regex\":true", "\"use_regex\":false"
#define IGNORE_MERGES                                                                              \
    "\"ignore_merges\":false,\n\"vocab\":{",                                                       \
        "\"ignore_merges\":true,\n\"vocab\":{\"\xc4\xa0"                                           \
        "catXY\":300,"
#define WITH_ADDED(tokens) "\"added_tokens\":[", "\"added_tokens\":[" tokens ""

static const struct {
    const char *from, *to, *text;
    int32_t ids[96];
} golden[] = {
    {AS_IT_IS,
     TEXT_1,
     {299, 265, 39,  296, 58, 32,  282, 277, 266, 48,  194, 189, 270, 44, 271, 10, 293, 39, 283,
      294, 46,  194, 133, 32, 239, 187, 191, 99,  280, 288, 291, 88,  89, 291, 88, 89,  90, -1}},
    {AS_IT_IS,
     TEXT_2,
     {10,  32,  260, 32,  60, 124, 101, 110, 100, 124, 62,  257, 101, 291, 267, 60, 124,
      101, 110, 100, 124, 62, 62,  62,  32,  298, 289, 232, 170, 158, 271, 291, 10, -1}},
    {PREFIX_SPACE,
     TEXT_1,
     {32,  299, 265, 39,  296, 58,  32,  282, 277, 266, 48,  194, 189,
      270, 44,  271, 10,  293, 39,  283, 294, 46,  194, 133, 32,  239,
      187, 191, 99,  280, 288, 291, 88,  89,  291, 88,  89,  90,  -1}},
    {PREFIX_SPACE,
     TEXT_2,
     {32,  10,  32,  260, 32, 60, 124, 101, 110, 100, 124, 62,  257, 101, 291, 267, 60, 124,
      101, 110, 100, 124, 62, 62, 62,  32,  298, 289, 232, 170, 158, 271, 291, 10,  -1}},
    {NO_REGEX,
     TEXT_1,
     {299, 265, 39,  296, 58, 32,  282, 277, 266, 48,  194, 189, 270, 44, 271, 10, 293, 39, 283,
      294, 46,  194, 133, 32, 239, 187, 191, 99,  280, 288, 291, 88,  89, 291, 88, 89,  90, -1}},
    {NO_REGEX,
     TEXT_2,
     {10,  32,  260, 32, 60, 124, 101, 110, 100, 124, 62,  257, 101, 291, 267, 60, 124, 101,
      110, 100, 124, 62, 62, 62,  271, 230, 285, 289, 232, 170, 158, 271, 291, 10, -1}},
    {IGNORE_MERGES,
     TEXT_1,
     {299, 265, 39, 296, 58,  32, 282, 277, 266, 48, 194, 189, 270, 44,  271, 10, 293, 39,
      283, 294, 46, 194, 133, 32, 239, 187, 191, 99, 280, 288, 300, 291, 88,  89, 90,  -1}},
    {IGNORE_MERGES,
     TEXT_2,
     {10,  32,  260, 32,  60, 124, 101, 110, 100, 124, 62,  257, 101, 291, 267, 60, 124,
      101, 110, 100, 124, 62, 62,  62,  32,  298, 289, 232, 170, 158, 271, 291, 10, -1}},
    {WITH_ADDED(ENDS),
     TEXT_1,
     {299, 265, 39,  296, 58, 32,  282, 277, 266, 48,  194, 189, 270, 44, 271, 10, 293, 39, 283,
      294, 46,  194, 133, 32, 239, 187, 191, 99,  280, 288, 291, 88,  89, 291, 88, 89,  90, -1}},
    {WITH_ADDED(ENDS),
     TEXT_2,
     {10, 32,  260, 32,  300, 257, 101, 291, 267, 301, 62,
      32, 298, 289, 232, 170, 158, 271, 291, 10,  -1}},
    {WITH_ADDED(MANY),
     TEXT_1,
     {299, 32, 303, 115, 39,  296, 58,  32,  282, 277, 266, 48, 194, 189,
      270, 44, 302, 10,  293, 39,  283, 294, 46,  194, 133, 32, 239, 187,
      191, 99, 280, 288, 32,  303, 88,  89,  32,  303, 88,  89, 90,  -1}},
    {WITH_ADDED(MANY),
     TEXT_2,
     {10,  302, 257, 101, 32,  300, 257, 304, 256, 301, 62,
      302, 305, 232, 170, 158, 302, 32,  303, 10,  -1}}};

static void check_golden(size_t i) {
    const char *text = golden[i].text;
    char *json;
    char *back = NULL;
    slm_tokenizer *t;
    int32_t *ids = NULL;
    size_t n = 0;
    size_t size;
    size_t added_space;

    json = edited(golden[i].from, golden[i].to, &size);
    CHECK_OK(parse(&t, json, size), err);
    free(json);
    if (t == NULL) return;
    check_ids(t, golden[i].to, text, golden[i].ids);
    added_space = t->prefix_space && text[0] != ' ' ? 1 : 0;
    CHECK_OK(slm_tokenizer_encode(&ids, &n, t, text, strlen(text), &err), err);
    CHECK_OK(slm_tokenizer_decode(&back, &size, t, ids, n, &err), err);
    CHECK(back != NULL && strcmp(back + added_space, text) == 0, "%s: %s", text,
          back != NULL ? back : "nothing");
    slm_free(ids);
    slm_free(back);
    check_saved(t, "t.json", golden[i].to);
    slm_tokenizer_free(t);
}

static void test_golden(void) {
    for (size_t i = 0; i < SLM__COUNT(golden); i++)
        check_golden(i);
}

/* GPT-2's vocabulary: ids from npm's tiktoken 1.0.22 and tokenizers 0.23.2, which agree. */
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
     {50256, 705, 82, 447, 247, 82, -1}},
    {"one<|endoftext|>two", {505, 50256, 11545, -1}}};

/* A list of merges in JSON to one in lines: "a b",\n"c d" becomes a b\nc d; \" and \\ become one
   byte.  Returns the size. */
static size_t merges_to_lines(char *out, const char *json) {
    size_t n = 0;

    for (const char *p = json; *p != ']'; p++) {
        if (*p == '"' || (*p == ',' && p[1] == '\n')) continue;
        if (*p == '\\') p++;
        out[n] = *p;
        n++;
    }
    return n;
}

/* A small pair of files of GPT-2's kind, made of `own`: the tokenizer that comes out is `own`. */
static void test_pair(void) {
    const char *vocab = strstr(own_json, "\"vocab\":{") + strlen("\"vocab\":");
    const char *merges = strstr(vocab, "},\n\"merges\":[");
    char *merge_lines = (char *)malloc(own_size);
    size_t size;
    slm_tokenizer *t;
    slm_status status;

    (void)REAL_MKDIR(in("pair"));
    put("pair/encoder.json", vocab, (size_t)(merges + 1 - vocab));
    size = merges_to_lines(merge_lines, merges + strlen("},\n\"merges\":["));
    put("pair/vocab.bpe", merge_lines, size);
    free(merge_lines);
    CHECK_OK(gpt2_tokenizer(&t, in("pair"), &err), err);
    CHECK(is_own(t), "a pair of files: another tokenizer");
    slm_tokenizer_free(t);

    put("pair/vocab.bpe", "#version: 0.2\r\n\r\nt h\nt \x01\n", 26);
    status = gpt2_tokenizer(&t, in("pair"), &err);
    CHECK(status == SLM_ERR_FORMAT && t == NULL, "a merge that makes no token");
    CHECK(strstr(err.text, "model.merges") != NULL, "%s", err.text);
    (void)remove(in("pair/vocab.bpe"));
    status = gpt2_tokenizer(&t, in("pair"), &err);
    CHECK(status == SLM_ERR_IO && t == NULL, "half a pair");
    CHECK(strstr(err.text, "vocab.bpe") != NULL, "%s", err.text);
}

/* A quadratic encoder would take minutes. */
static void check_long_run(const slm_tokenizer *t) {
    char *text = (char *)malloc(1000000);
    int32_t *ids;
    size_t n;
    double seconds;

    memset(text, 'x', 1000000);
    seconds = (double)clock();
    CHECK_OK(slm_tokenizer_encode(&ids, &n, t, text, 1000000, &err), err);
    seconds = ((double)clock() - seconds) / CLOCKS_PER_SEC;
    CHECK(n == 125000, "%zu ids of a million x", n); /* as tokenizers 0.23.2 */
    CHECK(seconds < 20, "a million x took %.1f s", seconds);
    slm_free(ids);
    free(text);
}

static void check_tinyshakespeare(const slm_tokenizer *t) {
    char *text;
    int32_t *ids;
    size_t n;
    size_t size;

    if (slm_file_read(&text, &size, "../shared/data/tinyshakespeare/input.txt", &err) != SLM_OK) {
        printf("skipped: tinyshakespeare (no ../shared/data/tinyshakespeare)\n");
        return;
    }
    CHECK_OK(slm_tokenizer_encode(&ids, &n, t, text, size, &err), err);
    CHECK(n == 338025, "%zu ids of tinyshakespeare", n); /* nanoGPT: 301,966 + 36,059 */
    slm_free(ids);
    slm_free(text);
}

static void test_gpt2(void) {
    slm_tokenizer *t;

    if (!slm__exists("../shared/data/gpt2/encoder.json")) {
        printf("skipped: GPT-2's vocabulary (no ../shared/data/gpt2)\n");
        return;
    }
    CHECK_OK(gpt2_tokenizer(&t, "../shared/data/gpt2", &err), err);
    if (t == NULL) return;
    CHECK(slm_tokenizer_vocab(t) == 50257, "%d tokens", (int)slm_tokenizer_vocab(t));
    for (size_t i = 0; i < SLM__COUNT(gpt2); i++)
        check_ids(t, "GPT-2", gpt2[i].text, gpt2[i].ids);
    test_random(t, "GPT-2", 1000, ROUND_TRIP_AND_NAIVE);
    check_saved(t, "gpt2.json", "GPT-2");
    check_long_run(t);
    check_tinyshakespeare(t);
    slm_tokenizer_free(t);
}

/* ---- 7. files and memory ---- */
/* Above SLM__CACHE_TEXT bytes, short pieces come from a cache. */
static void test_long_text(void) {
    char *text = (char *)malloc(300000);
    int32_t *expected = (int32_t *)malloc(300000 * sizeof *expected);
    int32_t *ids = NULL;
    size_t n = 0;
    size_t size = 0;

    while (size < 299000)
        size += random_text(text + size, 500);
    CHECK_OK(slm_tokenizer_encode(&ids, &n, own, text, size, &err), err);
    CHECK(same_ids(ids, n, expected, naive_encode(own, text, size, expected)),
          "a long text: other ids than the naive encoder");
    slm_free(ids);
    free(expected);
    free(text);
}

static void test_files(void) {
    slm_tokenizer *t;
    slm_tokenizer *bytes;
    char *copy;
    size_t size = 0;
    slm_status status;

    (void)REAL_MKDIR(in("folder"));
    CHECK_OK(slm_tokenizer_save(own, in("folder/tokenizer.json"), &err), err);
    CHECK_OK(slm_tokenizer_load(&t, in("folder"), &err), err);
    CHECK(is_own(t), "a folder: another tokenizer");
    slm_tokenizer_free(t);
    status = slm_tokenizer_load(&t, in("nowhere"), &err);
    CHECK(status == SLM_ERR_IO && t == NULL, "a file that is not there");
    CHECK(strstr(err.text, "nowhere") != NULL, "%s", err.text);

    CHECK_OK(slm_tokenizer_create_bytes(&bytes, &err), err);
    CHECK(slm_tokenizer_hash(bytes) != slm_tokenizer_hash(own), "two tokenizers, one fingerprint");
    check_saved(bytes, "bytes.json", "bytes");
    /* The name of a file does not matter. */
    copy = get("bytes.json", &size);
    put("copy", copy == NULL ? "" : copy, size);
    free(copy);
    CHECK_OK(slm_tokenizer_load(&t, in("copy"), &err), err);
    CHECK(t != NULL && slm_tokenizer_hash(t) == slm_tokenizer_hash(bytes), "a copy is another");
    slm_tokenizer_free(t);
    slm_tokenizer_free(bytes);
}

/* What is done while an allocation is refused, and what it may leave behind. */
typedef struct job_result {
    slm_tokenizer *tokenizer;
    int32_t *ids;
    char *text;
} job_result;

static slm_status job_bytes(job_result *r) {
    return slm_tokenizer_create_bytes(&r->tokenizer, &err);
}

static slm_status job_train(job_result *r) {
    return slm_tokenizer_train(&r->tokenizer, lines, 200, 300, NULL, NULL, &err);
}

static slm_status job_parse(job_result *r) {
    return slm_tokenizer_parse(&r->tokenizer, own_json, own_size, "t.json", &err);
}

static slm_status job_parse_nfc(job_result *r) {
    size_t size;
    char *json = edited(NFC, &size);
    slm_status status = slm_tokenizer_parse(&r->tokenizer, json, size, "t.json", &err);

    free(json);
    return status;
}

static slm_status job_load(job_result *r) {
    return slm_tokenizer_load(&r->tokenizer, in("t.json"), &err);
}

static slm_status job_save(job_result *r) {
    (void)r;
    return slm_tokenizer_save(own, in("s.json"), &err);
}

static slm_status job_encode(job_result *r) {
    size_t n;

    return slm_tokenizer_encode(&r->ids, &n, own, lines, sizeof lines - 1, &err);
}

static slm_status job_decode(job_result *r) {
    int32_t ids[100];
    size_t size;

    for (int32_t i = 0; i < 100; i++)
        ids[i] = 200 + i;
    return slm_tokenizer_decode(&r->text, &size, own, ids, 100, &err);
}

static void test_memory(void) {
    static const struct {
        const char *name;
        slm_status (*run)(job_result *r);
    } jobs[] = {{"bytes", job_bytes}, {"train", job_train},   {"parse", job_parse},
                {"NFC", job_parse_nfc}, {"load", job_load},   {"save", job_save},
                {"encode", job_encode}, {"decode", job_decode}};

    CHECK_OK(slm_tokenizer_save(own, in("t.json"), &err), err);
    for (size_t i = 0; i < SLM__COUNT(jobs); i++) {
        slm_status status = SLM_ERR_MEMORY;
        long k = 0;
        while (status == SLM_ERR_MEMORY && k < 5000) {
            job_result r = {NULL, NULL, NULL};
            k++;
            inject(0, 0);
            alloc_fail_at = k;
            status = jobs[i].run(&r);
            if (status != SLM_OK) {
                CHECK(err.status == status, "%s, allocation %ld: %s", jobs[i].name, k, err.text);
                CHECK(r.tokenizer == NULL && r.ids == NULL && r.text == NULL,
                      "%s: something after a failure", jobs[i].name);
            }
            slm_tokenizer_free(r.tokenizer);
            slm_free(r.ids);
            slm_free(r.text);
        }
        CHECK(status == SLM_OK && k > 1, "%s, allocation %ld: status %d", jobs[i].name, k,
              (int)status);
    }
    inject(0, 0);
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : "build/tmp";

    (void)slm__make_folder(folder, NULL);
    (void)snprintf(root, sizeof root, "%s/tokenizer", folder);
    (void)slm__make_folder(root, NULL);
    CHECK_OK(slm_tokenizer_train(&own, lines, sizeof lines - 1, 300, NULL, NULL, &err), err);
    if (own == NULL) return check_end();
    classes = own->classes;
    CHECK(slm_tokenizer_vocab(own) == 300, "%d tokens", (int)slm_tokenizer_vocab(own));
    CHECK_OK(slm_tokenizer_save(own, in("own.json"), &err), err);
    CHECK_OK(slm_file_read(&own_json, &own_size, path, &err), err);
    if (own_json == NULL) return check_end();
    test_map();
    test_utf8();
    test_classes();
    test_cut_by_hand();
    test_pieces();
    test_bytes();
    test_random(own, "own", 4000, ROUND_TRIP_AND_NAIVE);
    test_long_text();
    test_training();
    test_training_example();
    test_description();
    test_training_stops();
    test_edits();
    test_splits();
    test_no_space();
    test_missing_bytes();
    test_nfc();
    test_nfc_tokenizer();
    test_gaps();
    test_order();
    test_add_special();
    test_add_special_memory();
    test_first_added();
    test_added_search();
    test_many_added();
    test_golden();
    test_truncated();
    test_damage();
    test_pair();
    test_gpt2();
    test_files();
    test_memory();
    slm_free(own_json);
    slm_tokenizer_free(own);
    CHECK(alloc_held == 0, "%ld blocks of memory are never freed", alloc_held);
    return check_end();
}
