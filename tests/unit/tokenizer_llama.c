/* Tokenizers of characters, like Llama-2's and Mistral's: ids worked out by hand, decoding, bytes
   that fall back, files that must be refused by name, and random tokenizers against a naive encoder
   that never cuts a text.
   make build/tests/tokenizer_llama && build/tests/tokenizer_llama [SCRATCH_FOLDER]               */
#include "inject.h"
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "check.h"

static slm_error err;
static slm_rng rng = {11};

#define MARK "\xe2\x96\x81"       /* U+2581, a space in the file */
#define U_UMLAUT "\xc3\xbc"       /* no token */
#define E_ACUTE "\xc3\xa9"        /* token 266 */
#define EURO "\xe2\x82\xac"       /* no token; begins like U+2581 */
#define FACE "\xf0\x9f\x98\x80"   /* no token */
#define BYTE(value) (3 + (value)) /* its token */

/* ---- a small tokenizer ----
   0 <unk>, 1 <s>, 2 </s>, 3 to 258 the bytes, and then */
static const char *const tokens[] = {
    MARK, "a", "b", "c", "t", "h", "e", E_ACUTE,                /* 259 to 266 */
    MARK "t", "he", MARK "the", "aa", "aaaa", MARK MARK, "ca", /* 267 to 273 */
    "cat", MARK "a"};                                           /* 274, 275 */
#define MERGES                                                                                     \
    "\"" MARK " t\",\"h e\",\"" MARK "t he\",\"a a\",\"aa aa\",\"" MARK " " MARK                   \
    "\",\"c a\",\"ca t\",\"" MARK " a\""
#define PREPEND_STEP "{\"type\":\"Prepend\",\"prepend\":\"" MARK "\"}"
#define REPLACE_STEP                                                                               \
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" MARK "\"}"
#define NORMALIZER                                                                                 \
    "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[" PREPEND_STEP "," REPLACE_STEP        \
    "]},\"pre_tokenizer\":null"
#define METASPACE(more)                                                                            \
    "\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"" MARK        \
    "\"" more "}"
#define FIRST METASPACE(",\"prepend_scheme\":\"first\",\"split\":false")
#define ALWAYS METASPACE(",\"prepend_scheme\":\"always\",\"split\":false")
#define NEVER METASPACE(",\"prepend_scheme\":\"never\",\"split\":false")
#define SPLIT METASPACE(",\"prepend_scheme\":\"always\"")
#define STRIP_STEP ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}"
#define FALLBACK_STEP ",{\"type\":\"ByteFallback\"}"
#define REPLACE_BACK                                                                               \
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"" MARK "\"},\"content\":\" \"}"
#define ADDED(id, content, normalized)                                                             \
    "{\"id\":" id ",\"content\":\"" content "\",\"single_word\":false,\"lstrip\":false,"           \
    "\"rstrip\":false,\"normalized\":" normalized ",\"special\":true}"
#define ADDED_3 ADDED("0", "<unk>", "false") "," ADDED("1", "<s>", "false") ","
#define FLAGS "\"unk_token\":\"<unk>\",\"fuse_unk\":true,\"byte_fallback\":true"

/* Appends to a text that grows. */
static void add(char **out, const char *text) {
    size_t size = strlen(*out);

    *out = (char *)realloc(*out, size + strlen(text) + 1);
    if (*out == NULL) exit(1);
    memcpy(*out + size, text, strlen(text) + 1);
}

static char *empty_text(void) {
    char *text = (char *)calloc(1, 1);

    if (text == NULL) exit(1);
    return text;
}

static void add_token(char **out, const char *token, int id) {
    char text[80];

    (void)snprintf(text, sizeof text, "%s\"%s\":%d", id > 0 ? "," : "", token, id);
    add(out, text);
}

/* The three first tokens and the bytes. */
static void add_first_tokens(char **out) {
    add_token(out, "<unk>", 0);
    add_token(out, "<s>", 1);
    add_token(out, "</s>", 2);
    for (int byte = 0; byte < 256; byte++) {
        char name[8];
        (void)snprintf(name, sizeof name, "<0x%02X>", (unsigned)byte);
        add_token(out, name, BYTE(byte));
    }
}

/* Its tokenizer.json; to be freed. */
static char *small_json(void) {
    char *json = empty_text();

    add(&json, "{\"added_tokens\":[" ADDED_3 ADDED("2", "</s>", "false") "]," NORMALIZER
               ",\"decoder\":{\"type\":\"Sequence\",\"decoders\":[" REPLACE_BACK FALLBACK_STEP
               ",{\"type\":\"Fuse\"}" STRIP_STEP "]},\"model\":{\"type\":\"BPE\"," FLAGS
               ",\"vocab\":{");
    add_first_tokens(&json);
    for (size_t i = 0; i < SLM__COUNT(tokens); i++)
        add_token(&json, tokens[i], 259 + (int)i);
    add(&json, "},\"merges\":[" MERGES "]}}");
    return json;
}

/* Replaces the first `from` in *json by `to`. */
static void edit(char **json, const char *from, const char *to) {
    char *place = strstr(*json, from);
    char *out = empty_text();

    CHECK(place != NULL, "nothing to edit: %s", from);
    if (place == NULL) exit(1);
    *place = 0;
    add(&out, *json);
    add(&out, to);
    add(&out, place + strlen(from));
    free(*json);
    *json = out;
}

static slm_status parse(slm_tokenizer **t, const char *json) {
    return slm_tokenizer_parse(t, json, strlen(json), "t.json", &err);
}

/* ---- ids, worked out by hand ---- */
/* The edits that make another tokenizer of the small one; { NULL } ends them. */
typedef struct edits {
    const char *from[4];
    const char *to[4];
} edits;

static const edits prepend = {{NULL}, {NULL}};
static const edits first = {{NORMALIZER}, {FIRST}};
static const edits always = {{NORMALIZER}, {ALWAYS}};
static const edits never = {{NORMALIZER, STRIP_STEP}, {NEVER, ""}};
static const edits split = {{NORMALIZER}, {SPLIT}};
/* Older files: add_prefix_space instead of prepend_scheme. */
static const edits old_always = {{NORMALIZER}, {METASPACE(",\"add_prefix_space\":true")}};
static const edits old_never = {
    {NORMALIZER},
    {METASPACE(",\"add_prefix_space\":false,\"prepend_scheme\":\"never\",\"split\":false")}};
#define FOO(normalized) "\"added_tokens\":[" ADDED("276", "foo", normalized) ","
static const edits foo = {{"\"added_tokens\":["}, {FOO("true")}};
static const edits exact_foo = {{"\"added_tokens\":["}, {FOO("false")}};
static const edits foo_always = {{"\"added_tokens\":[", NORMALIZER}, {FOO("true"), ALWAYS}};
/* An added token with a space and U+2581 in it. */
static const edits two_words = {{"\"added_tokens\":["},
                                {"\"added_tokens\":[" ADDED("276", "x" MARK "y z", "true") ","}};
/* More bytes of added tokens than the first block of a buffer holds. */
#define LONG "a token that was added, and is as long as few others are, number "
static const edits long_added = {
    {"\"added_tokens\":["},
    {"\"added_tokens\":[" ADDED("276", LONG "1", "false") "," ADDED("277", LONG "2", "false") ","
     ADDED("278", LONG "3", "false") "," ADDED("279", LONG "4", "false") ","
     ADDED("280", LONG "5", "false") ","}};
static const edits no_bytes = {{"\"byte_fallback\":true"}, {"\"byte_fallback\":false"}};
static const edits no_bytes_no_fuse = {{"\"fuse_unk\":true,\"byte_fallback\":true"}, {"\"x\":1"}};
static const edits lacks_c3 = {{"<0xC3>"}, {"<0xc3>"}};
static const edits lacks_c3_no_fuse = {{"<0xC3>", "\"fuse_unk\":true"},
                                       {"<0xc3>", "\"fuse_unk\":false"}};
/* A token that goes on behind a space; a merge of bytes; one of unknown tokens. */
#define MORE_TOKEN(token) ",\"" token "\":276},\"merges\""
static const edits t_mark = {{"},\"merges\"", "\"h e\""},
                             {MORE_TOKEN("t" MARK), "\"t " MARK "\",\"h e\""}};
static const edits byte_merge = {{"},\"merges\"", "\"h e\""},
                                 {MORE_TOKEN("<0xC3><0xBC>"), "\"<0xC3> <0xBC>\",\"h e\""}};
static const edits bytes_merge = {{"},\"merges\"", "\"h e\""}, /* of two characters */
                                  {MORE_TOKEN("<0xBC><0xC3>"), "\"<0xBC> <0xC3>\",\"h e\""}};
static const edits unknown_merge = {
    {"},\"merges\"", "\"h e\"", "\"byte_fallback\":true"},
    {MORE_TOKEN("<unk>b"), "\"<unk> b\",\"h e\"", "\"byte_fallback\":false"}};
/* A space in the file: nothing is ever encoded as this token. */
static const edits real_space = {{"},\"merges\""}, {MORE_TOKEN(" ")}};
/* The merges as pairs. */
static const edits pairs = {{"\"h e\"", "\"ca t\""}, {"[\"h\",\"e\"]", "[\"ca\",\"t\"]"}};

static const struct {
    const edits *edits;
    const char *text;
    int32_t ids[12]; /* to -1 */
} cases[] = {
    {&prepend, "", {-1}},
    {&prepend, "the", {269, -1}},
    {&prepend, "the cat", {269, 259, 274, -1}},
    {&prepend, " ", {272, -1}},
    {&prepend, "  the", {272, 269, -1}},
    {&prepend, "a", {275, -1}},
    /* a a merges before U+2581 a, of equals the leftmost. */
    {&prepend, "aaaaaaa", {259, 271, 270, 260, -1}},
    {&prepend, E_ACUTE, {259, 266, -1}},
    {&prepend, U_UMLAUT "b", {259, BYTE(0xC3), BYTE(0xBC), 261, -1}},
    {&prepend, "\n", {259, BYTE(0x0A), -1}},
    {&prepend, FACE, {259, BYTE(0xF0), BYTE(0x9F), BYTE(0x98), BYTE(0x80), -1}},
    /* Not UTF-8: byte by byte. */
    {&prepend, "\xff" "a", {259, BYTE(0xFF), 260, -1}},
    {&prepend, "a\xe6\x97", {275, BYTE(0xE6), BYTE(0x97), -1}},
    {&prepend, "\xe2\x96", {259, BYTE(0xE2), BYTE(0x96), -1}},
    /* U+2581 in a text is a space. */
    {&prepend, MARK, {272, -1}},
    {&prepend, MARK "the", {259, 269, -1}},
    /* Each text between added tokens gets a space. */
    {&prepend, "<s>the</s> a", {1, 269, 2, 272, 260, -1}},
    {&prepend, "<s>", {1, -1}},
    {&prepend, "<s", {259, BYTE('<'), BYTE('s'), -1}},
    {&prepend, "<0x0>", {259, BYTE('<'), BYTE('0'), BYTE('x'), BYTE('0'), BYTE('>'), -1}},
    {&pairs, "the cat", {269, 259, 274, -1}},
    {&first, "", {-1}},
    {&first, "the", {269, -1}},
    {&first, " the", {269, -1}},
    {&first, MARK "the", {269, -1}},
    {&first, "  the", {259, 269, -1}},
    {&first, "<s>the", {1, 263, 268, -1}},
    {&first, "the<s>the", {269, 1, 263, 268, -1}},
    {&always, "<s>the", {1, 269, -1}},
    {&always, "<s> the", {1, 269, -1}},
    {&always, " ", {259, -1}},
    {&never, "the", {263, 268, -1}},
    {&never, "the the", {263, 268, 269, -1}},
    {&split, "   the", {259, 259, 269, -1}},
    {&split, "    ", {259, 259, 259, 259, -1}},
    {&split, "the a", {269, 275, -1}},
    {&always, "    ", {272, 272, -1}},
    {&old_always, "the  a", {269, 259, 275, -1}},
    {&old_never, "the", {263, 268, -1}},
    /* A normalized token is looked for with its space, in a text with its space. */
    {&foo, "foo", {276, -1}},
    {&foo, "a foo", {275, 276, -1}},
    {&foo, "foo<s>foofoo", {276, 1, 276, BYTE('f'), BYTE('o'), BYTE('o'), -1}},
    {&foo, "a" MARK "foo", {275, 276, -1}},
    {&foo, "afoo", {275, BYTE('f'), BYTE('o'), BYTE('o'), -1}},
    {&exact_foo, "afoo", {275, 276, -1}},
    {&exact_foo, "foo", {276, -1}},
    {&foo_always, "afoo", {275, 276, -1}},
    {&foo_always, "foo", {276, -1}},
    {&foo_always, "a foo", {275, 259, 276, -1}},
    {&two_words, "x y" MARK "z", {276, -1}},
    {&two_words, "x yz", {259, BYTE('x'), 259, BYTE('y'), BYTE('z'), -1}},
    {&long_added, "<s>" LONG "1" LONG "5<s>" LONG "3", {1, 276, 280, 1, 278, -1}},
    /* What is unknown. */
    {&no_bytes, U_UMLAUT, {259, 0, -1}},
    {&no_bytes, U_UMLAUT FACE U_UMLAUT, {259, 0, -1}},
    {&no_bytes, U_UMLAUT "a" U_UMLAUT " " U_UMLAUT, {259, 0, 260, 0, 259, 0, -1}},
    {&no_bytes, "\xff\xfe", {259, 0, -1}},
    {&no_bytes_no_fuse, U_UMLAUT FACE "a", {259, 0, 0, 260, -1}},
    /* One token of the bytes lacks: the character is unknown, and bytes go before it. */
    {&lacks_c3, U_UMLAUT, {259, 0, -1}},
    {&lacks_c3, U_UMLAUT "\n" U_UMLAUT "a", {259, BYTE(0x0A), 0, 260, -1}},
    {&lacks_c3_no_fuse, U_UMLAUT "\n" U_UMLAUT "a", {259, BYTE(0x0A), 0, 0, 260, -1}},
    {&t_mark, "bt b", {259, 261, 276, 261, -1}},
    {&t_mark, "cat a", {259, 273, 276, 260, -1}},
    {&byte_merge, U_UMLAUT U_UMLAUT "\n", {259, 276, 276, BYTE(0x0A), -1}},
    {&bytes_merge, U_UMLAUT U_UMLAUT, {259, BYTE(0xC3), 276, BYTE(0xBC), -1}},
    {&unknown_merge, U_UMLAUT U_UMLAUT "b", {259, 276, -1}},
    {&real_space, "b b", {259, 261, 259, 261, -1}},
};

/* The small tokenizer with these edits, or NULL after a failure. */
static slm_tokenizer *small_tokenizer(const edits *e) {
    char *json = small_json();
    slm_tokenizer *t = NULL;

    for (size_t i = 0; i < 4 && e->from[i] != NULL; i++)
        edit(&json, e->from[i], e->to[i]);
    CHECK_OK(parse(&t, json), err);
    free(json);
    return t;
}

static void print_ids(const int32_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++)
        printf("%d%s", (int)ids[i], i + 1 == n ? "\n" : " ");
}

/* Whether the ids of s (size) are these n. */
static int has_ids(const slm_tokenizer *t, const char *s, size_t size, const int32_t *expected,
                   size_t n) {
    int32_t *ids = NULL;
    size_t m = 0;
    int same;

    if (slm_tokenizer_encode(&ids, &m, t, s, size, &err) != SLM_OK) return 0;
    same = n == m && (n == 0 || memcmp(ids, expected, n * sizeof *ids) == 0);
    if (!same) print_ids(ids, m);
    slm_free(ids);
    return same;
}

static void test_ids(void) {
    for (size_t i = 0; i < SLM__COUNT(cases); i++) {
        const char *text = cases[i].text;
        slm_tokenizer *t = small_tokenizer(cases[i].edits);
        size_t n = 0;

        while (cases[i].ids[n] >= 0)
            n++;
        if (t == NULL) return;
        CHECK(has_ids(t, text, strlen(text), cases[i].ids, n), "case %zu: \"%s\"", i, text);
        slm_tokenizer_free(t);
    }
}

/* A NUL is a character. */
static void test_nul(void) {
    static const int32_t ids[] = {275, BYTE(0), 260};
    slm_tokenizer *t = small_tokenizer(&prepend);

    if (t == NULL) return;
    CHECK(has_ids(t, "a\0a", 3, ids, 3), "a NUL");
    slm_tokenizer_free(t);
}

/* ---- decoding ---- */
static const edits keep_space = {{STRIP_STEP}, {""}};
static const edits keep_bytes = {{FALLBACK_STEP}, {""}};
static const edits added_mark = {
    {"\"added_tokens\":["},
    {"\"added_tokens\":[" ADDED("276", MARK "x<0x41>", "false") "," ADDED("277", "<0x41>!", "false")
     ","}};

static const struct {
    const edits *edits;
    int32_t ids[6]; /* to -1 */
    const char *text;
} decoded[] = {
    {&prepend, {-1}, ""},
    {&prepend, {269, 259, 274, -1}, "the cat"},
    {&prepend, {1, 269, -1}, "<s> the"},
    {&prepend, {272, 269, -1}, "  the"},
    {&prepend, {259, -1}, ""},
    {&prepend, {BYTE(' '), 260, -1}, "a"},
    {&prepend, {BYTE('\n'), BYTE(' '), -1}, "\n "},
    {&prepend, {BYTE(0xC3), BYTE(0xBC), -1}, U_UMLAUT},
    {&prepend, {BYTE(0xC3), 260, -1}, "\xc3" "a"},
    {&keep_space, {269, 259, 274, -1}, " the cat"},
    {&keep_bytes, {269, BYTE('A'), -1}, "the<0x41>"},
    {&lacks_c3, {BYTE(0xC3), BYTE(0xBC), -1}, U_UMLAUT}, /* small letters are decoded */
    {&added_mark, {276, 276, 277, -1}, "x<0x41> x<0x41><0x41>!"},
};

static void test_decoding(void) {
    for (size_t i = 0; i < SLM__COUNT(decoded); i++) {
        slm_tokenizer *t = small_tokenizer(decoded[i].edits);
        char *text = NULL;
        size_t n = 0;
        size_t size = 0;

        while (decoded[i].ids[n] >= 0)
            n++;
        if (t == NULL) return;
        CHECK_OK(slm_tokenizer_decode(&text, &size, t, decoded[i].ids, n, &err), err);
        CHECK(text != NULL && size == strlen(text) && strcmp(text, decoded[i].text) == 0,
              "%zu: \"%s\", not \"%s\"", i, text != NULL ? text : "", decoded[i].text);
        slm_free(text);
        slm_tokenizer_free(t);
    }
}

static void check_token(const slm_tokenizer *t, int32_t id, size_t position, const char *text) {
    size_t size = 99;
    const char *bytes = slm_tokenizer_token_at(&size, t, id, position);

    CHECK(bytes != NULL && size == strlen(text) && memcmp(bytes, text, size) == 0,
          "token %d at %zu", (int)id, position);
}

static void test_tokens(void) {
    slm_tokenizer *t = small_tokenizer(&prepend);
    size_t size = 99;

    if (t == NULL) return;
    check_token(t, 269, 1, " the");
    check_token(t, 269, 0, "the");
    check_token(t, 259, 0, "");
    check_token(t, BYTE('A'), 5, "A");
    check_token(t, 0, 0, "<unk>");
    CHECK(slm_tokenizer_token(&size, t, 269) != NULL && size == 4, "%zu bytes", size);
    CHECK(slm_tokenizer_token_at(&size, t, 276, 0) == NULL && size == 0, "token 276");
    CHECK(slm_tokenizer_token_at(NULL, t, -1, 0) == NULL, "token -1");
    CHECK(slm_tokenizer_token_kind(t, BYTE('a')) == SLM_TOKEN_BYTE, "<0x61>");
    CHECK(slm_tokenizer_token_kind(t, 260) == SLM_TOKEN_NORMAL, "a");
    CHECK(slm_tokenizer_token_kind(t, 1) == SLM_TOKEN_SPECIAL, "<s>");
    CHECK(strcmp(slm_tokenizer_describe(t).family, "llama") == 0, "the family");
    CHECK(slm_tokenizer_describe(t).unknown == 0, "the unknown token");
    slm_tokenizer_free(t);
}

/* ---- what has no token, and files that must be refused ---- */
static void test_no_token(void) {
    static const edits none = {{FLAGS}, {"\"unk_token\":null"}};
    slm_tokenizer *t = small_tokenizer(&none);
    int32_t *ids = NULL;
    size_t n;
    slm_status status;

    if (t == NULL) return;
    status = slm_tokenizer_encode(&ids, &n, t, "a" U_UMLAUT, 3, &err);
    CHECK(status == SLM_ERR_FORMAT && ids == NULL, "unknown: status %d", (int)status);
    CHECK(strstr(err.text, "0xc3") != NULL, "%s", err.text);
    slm_tokenizer_free(t);
}

#define NO_REPLACE "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[" PREPEND_STEP "]}"
#define ONLY_REPLACE "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[" REPLACE_STEP "]}"
#define THREE_STEPS                                                                                \
    "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[" PREPEND_STEP "," REPLACE_STEP        \
    ",{\"type\":\"Lowercase\"}]}"
#define UNDERSCORE                                                                                 \
    "\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\"}"

static const struct {
    const char *from, *to, *says;
} refused[] = {
    {NORMALIZER, NO_REPLACE, "Prepend without Replace"},
    {NORMALIZER, ONLY_REPLACE, "normalizer: not supported"},
    {NORMALIZER, THREE_STEPS, "normalizer: not supported here: Lowercase"},
    {"\"prepend\":\"" MARK "\"", "\"prepend\":\"_\"", "prepend: not supported: _"},
    {"{\"String\":\" \"}", "{\"Regex\":\" \"}", "String: missing"},
    {"{\"String\":\" \"}", "{\"String\":\"  \"}", "String: not supported"},
    {"\"content\":\"" MARK "\"", "\"content\":\"_\"", "content: not supported: _"},
    {"\"pre_tokenizer\":null", "\"pre_tokenizer\":{\"type\":\"ByteLevel\"}",
     "pre_tokenizer: not supported: ByteLevel"},
    {"\"pre_tokenizer\":null", "\"pre_tokenizer\":{\"type\":\"Metaspace\"}",
     "pre_tokenizer: not supported: Metaspace"},
    {NORMALIZER, "\"normalizer\":null,\"pre_tokenizer\":null", "pre_tokenizer"},
    {NORMALIZER, UNDERSCORE, "replacement: not supported: _"},
    {NORMALIZER, METASPACE(",\"prepend_scheme\":\"last\""), "prepend_scheme: not supported: last"},
    {NORMALIZER, METASPACE(",\"prepend_scheme\":1"), "prepend_scheme: not supported: 1"},
    {NORMALIZER, METASPACE(",\"add_prefix_space\":false,\"prepend_scheme\":\"first\""),
     "prepend_scheme: is not what add_prefix_space says: first"},
    {"\"decoder\":", "\"other\":", "decoder: missing"},
    {"\"decoder\":", "\"decoder\":{\"type\":\"Metaspace\"},\"other\":",
     "decoder: not supported here: Metaspace"},
    {"{\"type\":\"Fuse\"}", "{\"type\":\"CTC\"}", "decoder: not supported here: CTC"},
    {",{\"type\":\"Fuse\"}", "", "decoder: not supported here: Strip"},
    {"\"start\":1", "\"start\":2", "only 1 is supported"},
    {"\"stop\":0", "\"stop\":1", "only 0 is supported"},
    {"\"decoders\":[" REPLACE_BACK ",", "\"decoders\":[", "not supported here: ByteFallback"},
    {"\"type\":\"BPE\"", "\"type\":\"BPE\",\"ignore_merges\":true", "ignore_merges: not supported"},
    {"\"type\":\"BPE\"", "\"type\":\"Unigram\"", "type: not supported: Unigram"},
    {"\"unk_token\":\"<unk>\"", "\"unk_token\":\"[UNK]\"", "not in model.vocab: [UNK]"},
    {"\"unk_token\":\"<unk>\"", "\"unk_token\":0", "unk_token"},
    {"\"<0x41>\"", "\"<0x40>\"", "is there twice: <0x40>"},
    {"\"cat\":274", "\"\":274", "model.vocab"},
    {"\"cat\":274", "\"cat\":273", "model.vocab"},
    {"\"h e\"", "\"h x\"", "no two tokens that make a third one: h x"},
    {"\"h e\"", "\"h\"", "no two tokens"},
    {"\"h e\"", "\"h e \"", "no two tokens"},
    {"\"h e\"", "\"h e\",\"h e\"", "a pair is there twice"},
};

static void test_refused(void) {
    for (size_t i = 0; i < SLM__COUNT(refused); i++) {
        char *json = small_json();
        slm_tokenizer *t = NULL;
        slm_status status;

        edit(&json, refused[i].from, refused[i].to);
        status = parse(&t, json);
        CHECK(status == SLM_ERR_FORMAT && t == NULL && strstr(err.text, refused[i].says) != NULL,
              "%s: %s", refused[i].to, err.text);
        slm_tokenizer_free(t);
        free(json);
    }
}

/* Every beginning of the file is refused, or damage changes it. */
static void test_damage(void) {
    char *json = small_json();
    size_t size = strlen(json);

    for (size_t n = 0; n < size; n += 7) {
        char *tight = (char *)malloc(n + 1); /* a sanitizer sees a read past the end */
        slm_tokenizer *t = NULL;
        if (tight == NULL) exit(1);
        memcpy(tight + 1, json, n);
        CHECK(slm_tokenizer_parse(&t, tight + 1, n, "t.json", &err) == SLM_ERR_FORMAT,
              "the first %zu bytes are a tokenizer", n);
        slm_tokenizer_free(t);
        free(tight);
    }
    for (int round = 0; round < 2000; round++) {
        size_t place = (size_t)slm_rng_below(&rng, size);
        char before = json[place];
        slm_tokenizer *t = NULL;
        json[place] = (char)(unsigned char)slm_rng_below(&rng, 256);
        if (parse(&t, json) == SLM_OK) {
            int32_t *ids = NULL;
            size_t n;
            slm_status status =
                slm_tokenizer_encode(&ids, &n, t, "the cat" U_UMLAUT "<s>", 12, &err);
            CHECK((status == SLM_OK) == (ids != NULL), "ids after a failure");
            slm_free(ids);
        }
        slm_tokenizer_free(t);
        json[place] = before;
    }
    free(json);
}

/* ---- random tokenizers, against the definition: the whole text at once, lowest rank first, of
   equals the leftmost ---- */
static const char *const letters[] = {MARK, "a", "b", E_ACUTE};
enum { N_TOKENS = 40, N_MERGES = 60 };

typedef struct random_tokenizer {
    char token[N_TOKENS][64]; /* those after the bytes */
    int n;
    char *json;
    slm_tokenizer *tokenizer;
} random_tokenizer;

static int random_index(int n) {
    return (int)slm_rng_below(&rng, (uint64_t)n);
}

static int find_token(const random_tokenizer *r, const char *token) {
    for (int i = 0; i < r->n; i++)
        if (strcmp(r->token[i], token) == 0) return i;
    return -1;
}

/* Adds the merge of two random tokens, and its result if it is new. */
static void add_merge(random_tokenizer *r, char **merges, int used[N_TOKENS][N_TOKENS]) {
    int a = random_index(r->n);
    int b = random_index(r->n);
    char both[130];
    char text[200];

    (void)snprintf(both, sizeof both, "%s%s", r->token[a], r->token[b]);
    if (used[a][b] || strlen(both) > 20) return;
    if (find_token(r, both) < 0) {
        if (r->n == N_TOKENS) return;
        memcpy(r->token[r->n], both, strlen(both) + 1);
        r->n++;
    }
    used[a][b] = 1;
    (void)snprintf(text, sizeof text, "%s\"%s %s\"", **merges != 0 ? "," : "", r->token[a],
                   r->token[b]);
    add(merges, text);
}

static void random_make(random_tokenizer *r) {
    static int used[N_TOKENS][N_TOKENS];
    char *merges = empty_text();
    char *json = small_json();

    memset(used, 0, sizeof used);
    r->n = (int)SLM__COUNT(letters);
    for (int i = 0; i < r->n; i++)
        memcpy(r->token[i], letters[i], strlen(letters[i]) + 1);
    for (int i = random_index(N_MERGES); i >= 0; i--)
        add_merge(r, &merges, used);

    *strstr(json, "\"vocab\":{") = 0;
    add(&json, "\"vocab\":{");
    add_first_tokens(&json);
    for (int i = 0; i < r->n; i++)
        add_token(&json, r->token[i], 259 + i);
    add(&json, "},\"merges\":[");
    add(&json, merges);
    add(&json, "]}}");
    free(merges);
    r->json = json;
    r->tokenizer = NULL;
    CHECK_OK(parse(&r->tokenizer, json), err);
}

/* Merges once in word (n).  Returns 0 if there is nothing to merge. */
static int naive_merge(const slm_tokenizer *t, int32_t *word, size_t n) {
    int64_t best = INT64_MAX;
    size_t place = 0;

    for (size_t i = 0; i + 1 < n; i++) {
        int64_t rank = slm__map_get(&t->ranks, slm__pair_key(word[i], word[i + 1]));
        if (rank < 0 || rank >= best) continue;
        best = rank;
        place = i;
    }
    if (best == INT64_MAX) return 0;
    word[place] = SLM__ITEMS(slm__merge, t->merges)[best].id;
    memmove(word + place + 1, word + place + 2, (n - place - 2) * sizeof *word);
    return 1;
}

/* A random text, and the symbols of it with the space before it. */
static size_t random_text(const random_tokenizer *r, char *text, int32_t *symbols) {
    size_t n = 1;

    *text = 0;
    symbols[0] = 259;
    for (int k = random_index(60); k > 0; k--) {
        int letter = random_index((int)SLM__COUNT(letters) + 1);
        if (letter == (int)SLM__COUNT(letters)) {
            strcat(text, U_UMLAUT);
            symbols[n++] = BYTE(0xC3);
            symbols[n++] = BYTE(0xBC);
        } else {
            strcat(text, letter == 0 ? " " : r->token[letter]);
            symbols[n++] = 259 + letter;
        }
    }
    return *text == 0 ? 0 : n;
}

static void test_random(void) {
    int cut = 0;
    int good = 1;

    for (int round = 0; round < 400 && good; round++) {
        random_tokenizer r;
        random_make(&r);
        if (r.tokenizer == NULL) return;
        for (int x = 0; x < 4; x++)
            for (int y = 0; y < 4; y++)
                cut += !slm__characters_join(r.tokenizer->characters, "ab "[x % 3], "ab "[y % 3]);
        for (int k = 0; k < 20 && good; k++) {
            char text[400];
            int32_t symbols[200];
            size_t n = random_text(&r, text, symbols);
            while (naive_merge(r.tokenizer, symbols, n))
                n--;
            good = has_ids(r.tokenizer, text, strlen(text), symbols, n);
            CHECK(good, "round %d: \"%s\" with %s", round, text, strstr(r.json, "merges"));
        }
        slm_tokenizer_free(r.tokenizer);
        free(r.json);
    }
    CHECK(cut > 100, "only %d places where a text may be cut", cut);
}

/* ---- there and back ---- */
/* Without U+2581 and added tokens any bytes come back.  The scheme "always" cannot tell a space at
   the beginning from that which it puts there. */
static void test_round_trip(const edits *e, int keeps_first_space) {
    static const char *const bits[] = {"the", " ", "cat", "  ", "\n", U_UMLAUT, E_ACUTE, FACE,
                                       EURO,  "a", "\xff", "\xe2", "\xe2\x96", "<0x41>", "x"};
    slm_tokenizer *t = small_tokenizer(e);

    for (int round = 0; round < 1000 && t != NULL; round++) {
        char text[200] = "";
        char *back = NULL;
        int32_t *ids = NULL;
        size_t n = 0;
        size_t size = 0;
        for (int k = random_index(20); k > 0; k--)
            strcat(text, bits[random_index((int)SLM__COUNT(bits))]);
        if (strstr(text, MARK) != NULL || (text[0] == ' ' && !keeps_first_space)) continue;
        CHECK_OK(slm_tokenizer_encode(&ids, &n, t, text, strlen(text), &err), err);
        CHECK_OK(slm_tokenizer_decode(&back, &size, t, ids, n, &err), err);
        CHECK(back != NULL && size == strlen(text) && strcmp(back, text) == 0, "\"%s\": \"%s\"",
              text, back != NULL ? back : "");
        slm_free(ids);
        slm_free(back);
    }
    slm_tokenizer_free(t);
}

/* What is saved is what was read, so that other programs find all of it. */
static void test_saving(void) {
    char *json = small_json();
    char *saved = NULL;
    size_t size = 0;
    slm_tokenizer *t = NULL;
    slm_tokenizer *again = NULL;

    CHECK_OK(parse(&t, json), err);
    CHECK_OK(slm_tokenizer_save(t, in("t.json"), &err), err);
    CHECK_OK(slm_file_read(&saved, &size, path, &err), err);
    CHECK(size == strlen(json) && memcmp(saved, json, size) == 0, "another text was saved");
    CHECK_OK(slm_tokenizer_load(&again, path, &err), err);
    CHECK(again != NULL && slm_tokenizer_hash(again) == slm_tokenizer_hash(t), "another one");
    slm_tokenizer_free(t);
    slm_tokenizer_free(again);
    slm_free(saved);
    free(json);
}

/* All that changes ids or text changes the fingerprint. */
static void test_fingerprint(void) {
    static const edits *const all[] = {&prepend, &first,   &always,           &never,
                                       &split,   &foo,     &exact_foo,        &no_bytes,
                                       &t_mark,  &lacks_c3, &no_bytes_no_fuse, &keep_space,
                                       &keep_bytes};
    uint64_t hash[SLM__COUNT(all)];

    for (size_t i = 0; i < SLM__COUNT(all); i++) {
        slm_tokenizer *t = small_tokenizer(all[i]);
        if (t == NULL) return;
        hash[i] = slm_tokenizer_hash(t);
        slm_tokenizer_free(t);
        for (size_t k = 0; k < i; k++)
            CHECK(hash[k] != hash[i], "tokenizers %zu and %zu have one fingerprint", k, i);
    }
}

/* ---- no memory ---- */
static slm_status load_and_use(const char *json) {
    slm_tokenizer *t = NULL;
    int32_t *ids = NULL;
    size_t n = 0;
    slm_status status = parse(&t, json);

    CHECK((status == SLM_OK) == (t != NULL), "a tokenizer after a failure");
    if (status == SLM_OK) status = slm_tokenizer_encode(&ids, &n, t, "foo<s>the foo", 13, &err);
    slm_free(ids);
    slm_tokenizer_free(t);
    return status;
}

static void test_memory(void) {
    char *json = small_json();
    slm_status status = SLM_ERR_MEMORY;
    long k = 0;

    edit(&json, foo.from[0], foo.to[0]);
    while (status == SLM_ERR_MEMORY && k < 5000) {
        k++;
        alloc_calls = 0;
        alloc_fail_at = k;
        status = load_and_use(json);
        CHECK(status == SLM_OK || err.status == status, "allocation %ld: %s", k, err.text);
    }
    alloc_fail_at = 0;
    CHECK(status == SLM_OK && k > 10, "allocation %ld: status %d", k, (int)status);
    free(json);
}

/* ---- a long run, which no cut makes shorter ---- */
static void test_long_run(void) {
    enum { RUN = 200000 };
    slm_tokenizer *t = small_tokenizer(&prepend);
    char *text = (char *)malloc(RUN);
    int32_t *ids = NULL;
    size_t n = 0;

    if (t == NULL || text == NULL) return;
    memset(text, 'a', RUN);
    CHECK_OK(slm_tokenizer_encode(&ids, &n, t, text, RUN, &err), err);
    CHECK(n == 1 + RUN / 4 && ids[0] == 259 && ids[1] == 271 && ids[n - 1] == 271, "%zu ids", n);
    slm_free(ids);
    free(text);
    slm_tokenizer_free(t);
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : "build/tmp";

    (void)slm__make_folder(folder, NULL);
    (void)snprintf(root, sizeof root, "%s/tokenizer_llama", folder);
    (void)slm__make_folder(root, NULL);
    test_ids();
    test_nul();
    test_decoding();
    test_tokens();
    test_no_token();
    test_refused();
    test_damage();
    test_random();
    test_round_trip(&prepend, 1);
    test_round_trip(&always, 0);
    test_saving();
    test_fingerprint();
    test_memory();
    test_long_run();
    CHECK(alloc_held == 0, "%ld blocks of memory are never freed", alloc_held);
    return check_end();
}
