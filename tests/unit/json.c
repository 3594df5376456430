/* The JSON reader and writer: accepted and refused texts by name, values, numbers to the bit in any
   locale, depth, truncation at every byte, random damage; and, where its folder is given, the whole
   of JSONTestSuite (github.com/nst/JSONTestSuite).
   build/tests/json [SCRATCH_FOLDER [JSONTESTSUITE/test_parsing]] */
#include <stdlib.h>
static size_t fail_at, calls; /* allocation number fail_at is refused */

static void *allocate(size_t size) {
    return ++calls == fail_at ? NULL : malloc(size);
}

#define SLM_MALLOC(size) allocate(size)
#define SLM_FREE(pointer) free(pointer)
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "check.h"
#include <locale.h>
#ifndef _WIN32
#include <dirent.h>
#endif

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Parses a copy that ends where the text ends: a sanitizer sees the first byte read too far. */
static slm_status parse(const char *text, size_t size, slm_error *err) {
    char *copy = (char *)malloc(size + 1);
    char *tight = copy + 1;
    slm__json j;
    slm_status status;

    if (copy == NULL) exit(1);
    if (size > 0) memcpy(tight, text, size);
    status = slm__json_open(&j, tight, size, "test", err);
    CHECK((status == SLM_OK) == (slm__json_root(&j) != NULL), "a value after a failure");
    slm__json_close(&j);
    free(copy);
    return status;
}

/* Texts with a NUL inside are further down. */
static const char *const good[] = {
    "{}", "[]", "0", "-0", "-0.0", "1", "123456789012345678901234567890", "1.5", "1e5", "1E+5",
    "1.25e-7", "0e0", "0.1", "[0]", "true", "false", "null", "\"\"", "\"a\"", " [ ] ",
    "\t\r\n {\t}\n", "[1,2,3]", "[[],{},[[]]]", "{\"a\":1}", "{\"a\":1,\"b\":[2]}", "{\"\":0}",
    "{\"a\":1,\"a\":2}", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\"", "\"\\u0000\"", "\"\x7f\"", "\"\xC2\x80\"",
    "\"\xDF\xBF\"", "\"\xE0\xA0\x80\"", "\"\xED\x9F\xBF\"", "\"\xEE\x80\x80\"", "\"\xEF\xBF\xBF\"",
    "\"\xF0\x90\x80\x80\"", "\"\xF4\x8F\xBF\xBF\"", "1e999", "[-1e-999]", "{\"a\" : [ 1 , 2 ] }",
    "\"\\uFFFF\\uFFFE\""};
static const char *const bad[] = {
    "", " ", "[", "]", "{", "}", "[1", "[1,", "[,", "[,1]", "[1,]", "[1 2]", "[1,,2]", "[1]]",
    "[]{}", "1 2", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{1:1}",
    "{\"a\" 1}", "{\"a\"::1}", "{\"a\":1 \"b\":2}", "[\"a\":1]", "{\"a\",1}", "tru", "True", "nul",
    "NULL", "falsee", "truefalse", "nan", "NaN", "Infinity", "-Infinity", "inf", "undefined", "01",
    "-", "+1", "-01", "1.", ".5", "-.5", "1.e5", "1e", "1e+", "1E-", "1ee5", "1e5.5", "0x10",
    "1_000", "--1", "1-2", "0 1", "1a", "\"", "\"a", "\"\\\"", "\"\\", "\"\\x41\"", "\"\\a\"",
    "\"\\u\"", "\"\\u12\"", "\"\\u123g\"", "\"\\u 123\"", "\"\\U0041\"", "\"\\ud800\"",
    "\"\\udc00\"", "\"\\ud800a\"", "\"\\ud800\\n\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"",
    "\"\\udbff\"", "\"\\ud83d\\u\"", "\"\\ud83d\\ude0\"", "\"\n\"", "\"\t\"", "\"\x01\"",
    "\"\x1f\"", "\"\x80\"", "\"\xC0\x80\"", "\"\xC1\xBF\"", "\"\xC2\"", "\"\xC2\x41\"",
    "\"\xE0\x80\x80\"", "\"\xE0\x9F\xBF\"", "\"\xED\xA0\x80\"", "\"\xED\xBF\xBF\"", "\"\xE2\x82\"",
    "\"\xF0\x80\x80\x80\"", "\"\xF0\x8F\xBF\xBF\"", "\"\xF4\x90\x80\x80\"", "\"\xF5\x80\x80\x80\"",
    "\"\xFF\"", "\"\xF0\x9F\x98\"", "\xEF\xBB\xBF{}", "[\f1]", "[\v1]", "[1\xC2\xA0]", "// c\n1",
    "/* c */1", "[1]#", "[1],", "{\"a\":1}}", "['a']", "[a]", "\xE2\x80\xA8" "1"};

static void accepts_and_refuses(void) {
    size_t i;
    slm_error err;
    for (i = 0; i < COUNT(good); i++)
        CHECK(parse(good[i], strlen(good[i]), &err) == SLM_OK, "%s: %s", good[i], err.text);
    for (i = 0; i < COUNT(bad); i++) {
        err.text[0] = 0;
        CHECK(parse(bad[i], strlen(bad[i]), &err) == SLM_ERR_FORMAT, "accepted: %s", bad[i]);
        CHECK(strncmp(err.text, "test: byte ", 11) == 0, "message without a place: %s", err.text);
    }
    CHECK(parse("\0", 1, &err) == SLM_ERR_FORMAT, "NUL");
    CHECK(parse("1\0", 2, &err) == SLM_ERR_FORMAT, "NUL after a value");
    CHECK(parse("\"\0\"", 3, &err) == SLM_ERR_FORMAT, "NUL in a string");
    CHECK(parse("\"\\\0\"", 4, &err) == SLM_ERR_FORMAT, "escaped NUL");
    CHECK(parse("\"\\u00\0"
                "1\"",
                8, &err) == SLM_ERR_FORMAT,
          "NUL among hexadecimal digits");
    CHECK(parse("[1", 2, NULL) == SLM_ERR_FORMAT, "no error wanted");
}

static void depth(void) {
    static char text[200002];
    slm_error err;
    int n;
    for (n = 63; n <= 65; n++) {
        memset(text, '[', (size_t)n);
        memset(text + n, ']', (size_t)n);
        CHECK((parse(text, 2 * (size_t)n, &err) == SLM_OK) == (n <= 64), "%d levels", n);
    }
    memset(text, '[', 200000);
    CHECK(parse(text, 200000, &err) == SLM_ERR_FORMAT, "200000 levels");
    for (n = 0; n < 200000; n += 5)
        memcpy(text + n, "{\"\":", 5);
    CHECK(parse(text, 200000, &err) == SLM_ERR_FORMAT, "40000 objects");
}

static int is_number(double value, double want) {
    return memcmp(&value, &want, sizeof value) == 0;
}

/* Every kind of value: found, named, decoded. */
static void values(void) {
    static const char text[] =
        "{\"a\":[1,true,false,\"x\\u0000y\\u00e9\\uD83D\\uDE00\",-2.5e-1,[],{\"d\":{}}],"
        "\"\\u0062\":18446744073709551615, \"c\" : null,\"e\":\"f\"}";
    static const slm__json_kind kinds[] = {SLM__JSON_NUMBER, SLM__JSON_TRUE,   SLM__JSON_FALSE,
                                           SLM__JSON_STRING, SLM__JSON_NUMBER, SLM__JSON_ARRAY,
                                           SLM__JSON_OBJECT};
    const slm__value *items[COUNT(kinds)];
    const slm__value *root, *v, *end;
    size_t n = 0;
    slm__json j;
    slm_error err;

    CHECK_OK(slm__json_open(&j, text, sizeof text - 1, "test", &err), err);
    root = slm__json_root(&j);
    CHECK(slm__json_is(root, SLM__JSON_OBJECT) && root->size == sizeof text - 1, "root");
    CHECK(root->n_values == j.values.size / sizeof *root, "%zu values", root->n_values);
    for (v = slm__json_members(&j, root, &end); v != end; v = slm__json_next(v))
        CHECK(v->size == 1 && v->text[0] == "abce"[n++] && v->text[1] == 0, "name %zu", n);
    CHECK(n == 4, "%zu members", n);

    n = 0;
    v = slm__json_items(&j, slm__json_get(&j, root, "a"), &end);
    for (; v != end && n < COUNT(kinds); v = slm__json_next(v)) {
        CHECK(slm__json_is(v, kinds[n]), "item %zu", n);
        items[n++] = v;
    }
    CHECK(v == end && n == COUNT(kinds) && j.status == SLM_OK, "%zu items", n);
    CHECK(slm__json_u64(&j, items[0]) == 1, "1");
    CHECK(slm__json_bool(&j, items[1]) == 1 && slm__json_bool(&j, items[2]) == 0, "true, false");
    CHECK(items[3]->size == 9 && memcmp(items[3]->text, "x\0y\xC3\xA9\xF0\x9F\x98\x80", 10) == 0,
          "decoded string, %zu bytes", items[3]->size);
    CHECK(is_number(slm__json_double(&j, items[4]), -0.25), "-2.5e-1");
    CHECK(slm__json_items(&j, items[5], &end) == end, "an empty array");
    CHECK(slm__json_members(&j, slm__json_get(&j, items[6], "d"), &end) == end, "an empty object");
    CHECK(slm__json_u64(&j, slm__json_get(&j, root, "b")) == UINT64_MAX, "largest number");
    CHECK(slm__json_get(&j, root, "c") == NULL, "null");
    CHECK(slm__json_get(&j, root, "d") == NULL && slm__json_get(&j, root, "") == NULL, "missing");

    v = slm__json_get(&j, root, "e");
    CHECK(slm__json_is_text(v, "f") && !slm__json_is_text(v, ""), "f");
    CHECK(!slm__json_is_text(NULL, ""), "nothing is no text");
    CHECK(strcmp(slm__json_text(&j, v), "f") == 0 && j.status == SLM_OK, "text");
    CHECK(strcmp(slm__json_text(&j, items[3]), "") == 0 &&
              strstr(err.text, "test: byte 19: e: a NUL") != NULL,
          "a NUL: %s", err.text);
    slm__json_close(&j);
}

static void members_twice(void) {
    static const char text[] = "{\"a\":1,\"\\u0061\":2}";
    slm__json j;
    slm_error err;

    CHECK_OK(slm__json_open(&j, text, sizeof text - 1, "test", &err), err);
    CHECK(slm__json_get(&j, slm__json_root(&j), "a") == NULL &&
              strstr(err.text, "test: byte 7: a: is there twice") != NULL,
          "twice: %s", err.text);
    slm__json_close(&j);
}

/* ---- values of other kinds than expected ---- */
/* A text that is one value, and that value. */
typedef struct document {
    slm__json json;
    const slm__value *root;
    slm_error err;
} document;

static void document_open(document *d, const char *text) {
    (void)slm__json_open(&d->json, text, strlen(text), "test", &d->err);
    d->root = slm__json_root(&d->json);
}

/* What was asked of the value must have succeeded, or not. */
static void document_close(document *d, int good, const char *text, const char *what) {
    CHECK((d->json.status == SLM_OK) == good, "%s of %s", what, text);
    slm__json_close(&d->json);
}

static void as_number(const char *text) {
    int is_number = text[0] == '-' || (text[0] >= '0' && text[0] <= '9');
    int is_one = strcmp(text, "1") == 0; /* the only one of the texts that is a whole number */
    document d;

    document_open(&d, text);
    CHECK(slm__json_u64(&d.json, d.root) == (uint64_t)is_one, "u64 of %s", text);
    document_close(&d, is_one, text, "u64");
    document_open(&d, text);
    (void)slm__json_double(&d.json, d.root);
    document_close(&d, is_number, text, "double");
}

static void as_word(const char *text) {
    document d;

    document_open(&d, text);
    CHECK(slm__json_bool(&d.json, d.root) == (text[0] == 't'), "bool of %s", text);
    document_close(&d, text[0] == 't' || text[0] == 'f', text, "bool");
    document_open(&d, text);
    CHECK(strlen(slm__json_text(&d.json, d.root)) == (text[0] == '"'), "text of %s", text);
    document_close(&d, text[0] == '"', text, "text");
}

static void as_list(const char *text) {
    const slm__value *end;
    document d;

    document_open(&d, text);
    CHECK((slm__json_members(&d.json, d.root, &end) != NULL) == (text[0] == '{'), "%s", text);
    document_close(&d, text[0] == '{', text, "members");
    document_open(&d, text);
    CHECK((slm__json_items(&d.json, d.root, &end) != NULL) == (text[0] == '['), "%s", text);
    document_close(&d, text[0] == '[', text, "items");
    document_open(&d, text);
    CHECK(slm__json_get(&d.json, d.root, "a") == NULL, "a member of %s", text);
    document_close(&d, text[0] == '{', text, "a member");
}

static void wrong_kinds(void) {
    static const char *const texts[] = {"{}",
                                        "[]",
                                        "\"s\"",
                                        "1",
                                        "true",
                                        "false",
                                        "null",
                                        "-1",
                                        "1.0",
                                        "1e2",
                                        "-0",
                                        "\"1\"",
                                        "18446744073709551616"};

    for (size_t i = 0; i < COUNT(texts); i++) {
        as_number(texts[i]);
        as_word(texts[i]);
        as_list(texts[i]);
    }
}

/* A failure sticks: whatever is called after it fails too, with the first message; and what is
   not there is "missing". */
static void errors_stick(void) {
    slm__json j;
    slm_error err, other;
    const slm__value *root, *end;
    (void)slm__json_open(&j, "[1,x,2]", 7, "test", &err);
    CHECK(j.status == SLM_ERR_FORMAT && slm__json_root(&j) == NULL &&
              strstr(err.text, "byte 3") != NULL,
          "x: %s", err.text);
    slm__json_close(&j);
    CHECK_OK(slm__json_open(&j, "[1,true]", 8, "test", &err), err);
    root = slm__json_root(&j);
    CHECK(slm__json_u64(&j, root + 2) == 0 && j.status == SLM_ERR_FORMAT &&
              strstr(err.text, "byte 3") != NULL,
          "message: %s", err.text);
    other = err;
    CHECK(slm__json_u64(&j, root + 1) == 0 && slm__json_bool(&j, root + 2) == 0 &&
              slm__json_items(&j, root, &end) == NULL && end == NULL &&
              slm__json_get(&j, root, "a") == NULL && slm__json_double(&j, root + 1) <= 0,
          "a call after the failure did not fail");
    CHECK(strcmp(err.text, other.text) == 0, "message: %s", err.text);
    slm__json_close(&j);
    CHECK_OK(slm__json_open(&j, "{\"a\":1}", 7, "test", &err), err);
    CHECK(slm__json_u64(&j, slm__json_get(&j, slm__json_root(&j), "b")) == 0 &&
              strstr(err.text, "b: missing") != NULL,
          "message: %s", err.text);
    slm__json_close(&j);
}

/* Every allocation refused: the status says so and nothing is left. */
static void memory(void) {
    static char text[4096];
    size_t k;
    slm_status status = SLM_ERR_MEMORY;
    memset(text, '0', sizeof text);
    for (k = 0; k < sizeof text; k += 2)
        text[k] = k == 0 ? '[' : ',';
    text[sizeof text - 1] = ']';
    text[sizeof text - 2] = '0';
    text[sizeof text - 3] = ' ';
    text[sizeof text - 4] = ',';
    for (k = 1; k < 100 && status != SLM_OK; k++) {
        slm_error err;
        fail_at = k;
        calls = 0;
        status = parse(text, sizeof text, &err);
        fail_at = 0;
        CHECK(status == SLM_OK || (status == SLM_ERR_MEMORY && err.status == SLM_ERR_MEMORY),
              "allocation %zu: %s", k, slm_status_text(status));
    }
    CHECK(status == SLM_OK && k > 5, "still refused at %zu", k);
}

/* The number that a text is; what is no number gives what is not equal to anything. */
static double number(const char *text) {
    slm__json j;
    slm_error err;
    double d;
    (void)slm__json_open(&j, text, strlen(text), "test", &err);
    d = slm__json_double(&j, slm__json_root(&j));
    slm__json_close(&j);
    return j.status == SLM_OK ? d : (double)NAN;
}

static void numbers(const char *locale) {
    static const struct {
        const char *text;
        double value;
    } exact[] = {{"1e-5", 1e-5},
                 {"1e-05", 1e-5},
                 {"0.00001", 1e-5},
                 {"10000.0", 10000.0},
                 {"10000", 10000.0},
                 {"500000.0", 500000.0},
                 {"1e-6", 1e-6},
                 {"1E6", 1e6},
                 {"0.1", 0.1},
                 {"0.3", 0.3},
                 {"-0.0", -0.0},
                 {"123456789.123456789", 123456789.123456789},
                 {"9007199254740993", 9007199254740993.0},
                 {"1.7976931348623157e308", 1.7976931348623157e308},
                 {"5e-324", 5e-324},
                 {"2.2250738585072014e-308", 2.2250738585072014e-308},
                 {"1e23", 1e23},
                 {"8.41e21", 8.41e21},
                 {"0e999", 0.0}};

    char text[48];

    for (size_t i = 0; i < COUNT(exact); i++)
        CHECK(is_number(number(exact[i].text), exact[i].value), "%s in locale %s", exact[i].text,
              locale);
    CHECK(slm__double_text(text, DBL_MAX) && strcmp(text, "1.7976931348623157e+308") == 0, "%s",
          text);
    CHECK(slm__double_text(text, -DBL_MAX) && strcmp(text, "-1.7976931348623157e+308") == 0, "%s",
          text);
    CHECK(number("1e999") != number("1e999"), "infinity");
}

/* What is written reads back to the bit, and is JSON that is no integer. */
static void written_numbers(const char *locale) {
    slm_rng rng = slm_rng_seed(1);

    for (int i = 0; i < 20000; i++) {
        uint64_t bits = slm_rng_next(&rng);
        char text[48];
        double d;

        memcpy(&d, &bits, sizeof d);
        if (i % 4 == 0) d = (double)(int64_t)(bits >> 40) / 1000.0;
        if (!(d - d == 0)) {
            CHECK(!slm__double_text(text, d), "not finite");
            continue;
        }
        CHECK(slm__double_text(text, d) && strlen(text) < 30, "%g", d);
        CHECK(is_number(number(text), d), "%.17g -> %s (locale %s)", d, text, locale);
        CHECK(strpbrk(text, ".e") != NULL, "%s looks like an integer", text);
    }
}

/* What any locale's point becomes, be it one byte or more; whether or not one is installed. */
static void points(void) {
    char text[32] = "-12,5e3";
    slm__change_point(text, ",", ".");
    CHECK(strcmp(text, "-12.5e3") == 0, "a comma: %s", text);
    slm__change_point(text, ".", "<point>");
    CHECK(strcmp(text, "-12<point>5e3") == 0, "a longer point: %s", text);
    slm__change_point(text, "<point>", ".");
    CHECK(strcmp(text, "-12.5e3") == 0, "a shorter one: %s", text);
    slm__change_point(text, ",", ".");
    CHECK(strcmp(text, "-12.5e3") == 0, "none is left: %s", text);
}

static void locales(void) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ps_AF",
                                        "fa_IR"};
    size_t i, found = 0;
    numbers("C");
    written_numbers("C");
    for (i = 0; i < COUNT(names); i++)
        if (setlocale(LC_ALL, names[i]) != NULL) {
            found++;
            numbers(names[i]);
            written_numbers(names[i]);
        }
    (void)setlocale(LC_ALL, "C");
    if (found == 0) printf("skipped: no locale with a decimal comma is installed\n");
}

/* Writes the character as UTF-8.  Returns how many bytes it takes. */
static size_t utf8(char *out, uint32_t c) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* The JSON must be a string of these n bytes. */
static void check_string(const char *json, size_t size, const char *text, size_t n, uint32_t c) {
    slm__json j;
    slm_error err;
    const slm__value *v;

    (void)slm__json_open(&j, json, size, "test", &err);
    v = slm__json_root(&j);
    CHECK(slm__json_is(v, SLM__JSON_STRING) && v->size == n && memcmp(v->text, text, n) == 0 &&
              v->text[n] == 0,
          "U+%04X", (unsigned)c);
    slm__json_close(&j);
}

/* Characters as they are and as escapes. */
static void strings_round_trip(void) {
    slm_error err;
    slm__writer w = {{NULL, 0, 0}, &err, SLM_OK};

    for (uint32_t c = 0; c < 0x110000; c += c < 0x300 ? 1 : 251) {
        char text[8], escaped[32];
        size_t n;

        if (c >= 0xD800 && c < 0xE000) continue;
        n = utf8(text, c);
        text[n] = 'z';
        w.text.size = 0;
        slm__print_string(&w, text, n + 1);
        CHECK_OK(w.status, err);
        check_string(w.text.data, w.text.size, text, n + 1, c);

        if (c >= 0x10000)
            (void)snprintf(escaped, sizeof escaped, "\"\\u%04X\\u%04x\"",
                           (unsigned)(0xD800 + ((c - 0x10000) >> 10)),
                           (unsigned)(0xDC00 + ((c - 0x10000) & 1023)));
        else
            (void)snprintf(escaped, sizeof escaped, "\"\\u%04X\"", (unsigned)c);
        check_string(escaped, strlen(escaped), text, n, c);
    }

    slm__print_string(&w, "a\xFF", 2);
    CHECK(w.status == SLM_ERR_ARGUMENT, "bad UTF-8 was written");
    w.status = SLM_OK;
    slm__print_string(&w, "a\xC3", 2);
    CHECK(w.status == SLM_ERR_ARGUMENT, "half a character was written");
    slm__release(w.text.data);
}

/* Every proper prefix of a document is refused; random damage never reads out of bounds (run this
   with a sanitizer). */
static void truncation_and_damage(void) {
    static const char text[] = "{\"a\\u00e9\xC3\xA9\":[1.5e-3,-0,true,false,null,"
                               "\"\\ud83d\\ude00\",{\"b\":[[],{}]}],\"c\":\"d\"}";
    char copy[sizeof text];
    size_t n;
    int round, accepted = 0;
    slm_rng rng = slm_rng_seed(7);
    slm_error err;
    CHECK_OK(parse(text, sizeof text - 1, &err), err);
    for (n = 0; n < sizeof text - 1; n++)
        CHECK(parse(text, n, &err) == SLM_ERR_FORMAT, "accepted the first %zu bytes", n);
    for (round = 0; round < 50000; round++) {
        memcpy(copy, text, sizeof text);
        for (n = 0; n <= slm_rng_below(&rng, 3); n++)
            copy[slm_rng_below(&rng, sizeof text - 1)] = (char)slm_rng_next(&rng);
        accepted += parse(copy, sizeof text - 1, &err) == SLM_OK;
    }
    CHECK(accepted > 0 && accepted < 25000, "%d of 50000 damaged texts accepted", accepted);
}

static void suite(const char *folder) {
#ifdef _WIN32
    printf("skipped: JSONTestSuite (%s)\n", folder);
#else
    DIR *d = opendir(folder);
    struct dirent *e;
    int y = 0, n = 0, other = 0;
    char path[1024];
    char *text = NULL;
    size_t size = 0;
    slm_error err;

    CHECK(d != NULL, "%s", folder);
    if (d == NULL) return;
    while ((e = readdir(d)) != NULL) {
        slm_status status;

        if (strlen(e->d_name) < 3 || e->d_name[1] != '_') continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        CHECK_OK(slm_file_read(&text, &size, path, &err), err);
        status = parse(text, size, &err);
        if (e->d_name[0] == 'y') {
            y++;
            CHECK(status == SLM_OK, "%s: %s", e->d_name, err.text);
        } else if (e->d_name[0] == 'n') {
            n++;
            CHECK(status == SLM_ERR_FORMAT, "accepted %s", e->d_name);
        } else {
            other++;
            CHECK(status == SLM_OK || status == SLM_ERR_FORMAT, "%s", e->d_name);
        }
        slm_free(text);
    }
    (void)closedir(d);
    printf("JSONTestSuite: %d to accept, %d to refuse, %d either way\n", y, n, other);
#endif
}

int main(int argc, char **argv) {
    accepts_and_refuses();
    depth();
    values();
    members_twice();
    wrong_kinds();
    errors_stick();
    memory();
    points();
    locales();
    strings_round_trip();
    truncation_and_damage();
    if (argc > 2)
        suite(argv[2]);
    else
        printf("skipped: JSONTestSuite (no folder given)\n");
    return check_end();
}
