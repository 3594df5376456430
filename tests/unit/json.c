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

static slm_status parse(const char *text, size_t size, slm_error *err) {
    slm__json j;
    char *copy = (char *)malloc(
        size + 1); /* exactly as long as the text: a sanitizer sees the first byte too far */
    slm_status status;
    char *tight;
    if (copy == NULL) exit(1);
    tight = copy + 1;
    if (size > 0) memcpy(tight, text, size);
    status = slm__json_open(&j, tight, size, "test", err);
    CHECK((status == SLM_OK) == (slm__json_root(&j) != NULL), "a value after a failure");
    slm__json_close(&j);
    free(copy);
    return status;
}

/* Two NUL-ended lists; texts with a NUL inside are further down. */
static const char *const good[] = {"{}",
                                   "[]",
                                   "0",
                                   "-0",
                                   "-0.0",
                                   "1",
                                   "123456789012345678901234567890",
                                   "1.5",
                                   "1e5",
                                   "1E+5",
                                   "1.25e-7",
                                   "0e0",
                                   "0.1",
                                   "[0]",
                                   "true",
                                   "false",
                                   "null",
                                   "\"\"",
                                   "\"a\"",
                                   " [ ] ",
                                   "\t\r\n {\t}\n",
                                   "[1,2,3]",
                                   "[[],{},[[]]]",
                                   "{\"a\":1}",
                                   "{\"a\":1,\"b\":[2]}",
                                   "{\"\":0}",
                                   "{\"a\":1,\"a\":2}",
                                   "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
                                   "\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\"",
                                   "\"\\u0000\"",
                                   "\"\x7f\"",
                                   "\"\xC2\x80\"",
                                   "\"\xDF\xBF\"",
                                   "\"\xE0\xA0\x80\"",
                                   "\"\xED\x9F\xBF\"",
                                   "\"\xEE\x80\x80\"",
                                   "\"\xEF\xBF\xBF\"",
                                   "\"\xF0\x90\x80\x80\"",
                                   "\"\xF4\x8F\xBF\xBF\"",
                                   "1e999",
                                   "[-1e-999]",
                                   "{\"a\" : [ 1 , 2 ] }",
                                   "\"\\uFFFF\\uFFFE\""};
static const char *const bad[] = {"",
                                  " ",
                                  "[",
                                  "]",
                                  "{",
                                  "}",
                                  "[1",
                                  "[1,",
                                  "[,",
                                  "[,1]",
                                  "[1,]",
                                  "[1 2]",
                                  "[1,,2]",
                                  "[1]]",
                                  "[]{}",
                                  "1 2",
                                  "{\"a\"}",
                                  "{\"a\":}",
                                  "{\"a\":1,}",
                                  "{,}",
                                  "{a:1}",
                                  "{'a':1}",
                                  "{1:1}",
                                  "{\"a\" 1}",
                                  "{\"a\"::1}",
                                  "{\"a\":1 \"b\":2}",
                                  "[\"a\":1]",
                                  "{\"a\",1}",
                                  "tru",
                                  "True",
                                  "nul",
                                  "NULL",
                                  "falsee",
                                  "truefalse",
                                  "nan",
                                  "NaN",
                                  "Infinity",
                                  "-Infinity",
                                  "inf",
                                  "undefined",
                                  "01",
                                  "-",
                                  "+1",
                                  "-01",
                                  "1.",
                                  ".5",
                                  "-.5",
                                  "1.e5",
                                  "1e",
                                  "1e+",
                                  "1E-",
                                  "1ee5",
                                  "1e5.5",
                                  "0x10",
                                  "1_000",
                                  "--1",
                                  "1-2",
                                  "0 1",
                                  "1a",
                                  "\"",
                                  "\"a",
                                  "\"\\\"",
                                  "\"\\",
                                  "\"\\x41\"",
                                  "\"\\a\"",
                                  "\"\\u\"",
                                  "\"\\u12\"",
                                  "\"\\u123g\"",
                                  "\"\\u 123\"",
                                  "\"\\U0041\"",
                                  "\"\\ud800\"",
                                  "\"\\udc00\"",
                                  "\"\\ud800a\"",
                                  "\"\\ud800\\n\"",
                                  "\"\\ud800\\u0041\"",
                                  "\"\\ud800\\ud800\"",
                                  "\"\\udbff\"",
                                  "\"\\ud83d\\u\"",
                                  "\"\\ud83d\\ude0\"",
                                  "\"\n\"",
                                  "\"\t\"",
                                  "\"\x01\"",
                                  "\"\x1f\"",
                                  "\"\x80\"",
                                  "\"\xC0\x80\"",
                                  "\"\xC1\xBF\"",
                                  "\"\xC2\"",
                                  "\"\xC2\x41\"",
                                  "\"\xE0\x80\x80\"",
                                  "\"\xE0\x9F\xBF\"",
                                  "\"\xED\xA0\x80\"",
                                  "\"\xED\xBF\xBF\"",
                                  "\"\xE2\x82\"",
                                  "\"\xF0\x80\x80\x80\"",
                                  "\"\xF0\x8F\xBF\xBF\"",
                                  "\"\xF4\x90\x80\x80\"",
                                  "\"\xF5\x80\x80\x80\"",
                                  "\"\xFF\"",
                                  "\"\xF0\x9F\x98\"",
                                  "\xEF\xBB\xBF{}",
                                  "[\f1]",
                                  "[\v1]",
                                  "[1\xC2\xA0]",
                                  "// c\n1",
                                  "/* c */1",
                                  "[1]#",
                                  "[1],",
                                  "{\"a\":1}}",
                                  "['a']",
                                  "[a]",
                                  "\xE2\x80\xA8"
                                  "1"};

static void accepts_and_refuses(void) {
    size_t i;
    slm_error err;
    for (i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(parse(good[i], strlen(good[i]), &err) == SLM_OK, "%s: %s", good[i], err.text);
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
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

static void values(void) {
    static const char text[] =
        "{\"a\":[1,true,false,\"x\\u0000y\\u00e9\\uD83D\\uDE00\",-2.5e-1,[],{\"d\":{}}],"
        "\"\\u0062\":18446744073709551615, \"c\" : null,\"e\":\"f\"}";
    static const slm__json_kind kinds[] = {
        SLM__JSON_NUMBER, SLM__JSON_TRUE,  SLM__JSON_FALSE, SLM__JSON_STRING,
        SLM__JSON_NUMBER, SLM__JSON_ARRAY, SLM__JSON_OBJECT};
    slm__json j;
    const slm__value *root, *v, *end, *items[8] = {NULL};
    slm_error err;
    double d;
    size_t n = 0;
    CHECK_OK(slm__json_open(&j, text, sizeof text - 1, "test", &err), err);
    root = slm__json_root(&j);
    CHECK(slm__json_is(root, SLM__JSON_OBJECT) && root->n_values == j.values.size / sizeof *root &&
              root->size == sizeof text - 1,
          "root");
    for (v = slm__json_members(&j, root, &end); v != end; v = slm__json_next(v)) {
        CHECK(v->size == 1 && v->text[0] == "abce"[n] && v->text[1] == 0, "name %zu", n);
        n++;
    }
    CHECK(n == 4, "%zu members", n);
    n = 0;
    v = slm__json_items(&j, slm__json_get(&j, root, "a"), &end);
    while (v != end && n < 7) {
        CHECK(slm__json_is(v, kinds[n]), "item %zu", n);
        items[n++] = v;
        v = slm__json_next(v);
    }
    CHECK(n == 7 && j.status == SLM_OK, "%zu items", n);
    CHECK(slm__json_u64(&j, items[0]) == 1 && slm__json_bool(&j, items[1]) == 1 &&
              slm__json_bool(&j, items[2]) == 0,
          "1, true, false");
    CHECK(items[3]->size == 9 && memcmp(items[3]->text, "x\0y\xC3\xA9\xF0\x9F\x98\x80", 10) == 0,
          "decoded string, %zu bytes", items[3]->size);
    d = slm__json_double(&j, items[4]);
    CHECK(d >= -0.25 && d <= -0.25, "%g", d);
    CHECK(slm__json_items(&j, items[5], &end) == end &&
              slm__json_members(&j, slm__json_get(&j, items[6], "d"), &end) == end,
          "empty ones");
    CHECK(slm__json_u64(&j, slm__json_get(&j, root, "b")) == UINT64_MAX, "largest number");
    CHECK(slm__json_get(&j, root, "c") == NULL && slm__json_get(&j, root, "d") == NULL &&
              slm__json_get(&j, root, "") == NULL,
          "null, missing");
    CHECK(slm__json_is_text(slm__json_get(&j, root, "e"), "f") &&
              !slm__json_is_text(slm__json_get(&j, root, "e"), "") &&
              !slm__json_is_text(NULL, "") &&
              strcmp(slm__json_text(&j, slm__json_get(&j, root, "e")), "f") == 0 &&
              j.status == SLM_OK,
          "text");
    CHECK(strcmp(slm__json_text(&j, items[3]), "") == 0 &&
              strstr(err.text, "test: byte 19: e: a NUL") != NULL,
          "a NUL: %s", err.text);
    slm__json_close(&j);
    CHECK_OK(slm__json_open(&j, "{\"a\":1,\"\\u0061\":2}", 18, "test", &err), err);
    CHECK(slm__json_get(&j, slm__json_root(&j), "a") == NULL &&
              strstr(err.text, "test: byte 7: a: is there twice") != NULL,
          "twice: %s", err.text);
    slm__json_close(&j);
}

static void wrong_types(void) {
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
                                        "18446744073709551616",
                                        "-0",
                                        "\"1\""};
    size_t i;
    slm_error err;
    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        slm__json j;
        const slm__value *v, *end;
        int is_number = texts[i][0] == '-' || (texts[i][0] >= '0' && texts[i][0] <= '9');
#define OPEN()                                                                                     \
    (void)slm__json_open(&j, texts[i], strlen(texts[i]), "test", &err), v = slm__json_root(&j)
#define SHUT(good, what)                                                                           \
    CHECK((j.status == SLM_OK) == (good), what " of %s", texts[i]);                                \
    slm__json_close(&j)
        OPEN();
        CHECK(slm__json_u64(&j, v) == (strcmp(texts[i], "1") == 0), "u64");
        SHUT(strcmp(texts[i], "1") == 0, "u64");
        OPEN();
        (void)slm__json_double(&j, v);
        SHUT(is_number, "double");
        OPEN();
        CHECK(slm__json_bool(&j, v) == (texts[i][0] == 't'), "bool");
        SHUT(texts[i][0] == 't' || texts[i][0] == 'f', "bool");
        OPEN();
        CHECK(strlen(slm__json_text(&j, v)) == (texts[i][0] == '"'), "text");
        SHUT(texts[i][0] == '"', "text");
        OPEN();
        CHECK((slm__json_members(&j, v, &end) != NULL) == (texts[i][0] == '{'), "object");
        SHUT(texts[i][0] == '{', "object");
        OPEN();
        CHECK((slm__json_items(&j, v, &end) != NULL) == (texts[i][0] == '['), "array");
        SHUT(texts[i][0] == '[', "array");
        OPEN();
        CHECK(slm__json_get(&j, v, "a") == NULL, "member");
        SHUT(texts[i][0] == '{', "member");
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

static int same(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
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

    uint64_t state = 1;
    size_t i;
    char text[48];
    for (i = 0; i < sizeof exact / sizeof *exact; i++) {
        double d = number(exact[i].text);
        CHECK(same(d, exact[i].value), "%s in locale %s: %.17g", exact[i].text, locale, d);
    }
    for (i = 0; i < 20000; i++) { /* what is written reads back to the bit, and is JSON */
        double d, back;
        slm_rng rng;
        rng.state = state++;
        state += slm_rng_next(&rng) & 0xFFFF;
        rng.state = slm_rng_next(&rng);
        memcpy(&d, &rng.state, sizeof d);
        if (i % 4 == 0) d = (double)(int64_t)(rng.state >> 40) / 1000.0;
        if (!(d - d == 0)) {
            CHECK(!slm__double_text(text, d), "not finite");
            continue;
        }
        CHECK(slm__double_text(text, d) && strlen(text) < 30, "%g", d);
        back = number(text);
        CHECK(same(d, back), "%.17g -> %s -> %.17g (locale %s)", d, text, back, locale);
        CHECK(strpbrk(text, ".e") != NULL, "%s looks like an integer", text);
    }
    CHECK(slm__double_text(text, DBL_MAX) && strcmp(text, "1.7976931348623157e+308") == 0, "%s",
          text);
    CHECK(slm__double_text(text, -DBL_MAX) && strcmp(text, "-1.7976931348623157e+308") == 0, "%s",
          text);
    CHECK(number("1e999") != number("1e999"), "infinity");
}

static void locales(void) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ps_AF",
                                        "fa_IR"};
    size_t i, found = 0;
    numbers("C");
    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (setlocale(LC_ALL, names[i]) != NULL) {
            found++;
            numbers(names[i]);
        }
    (void)setlocale(LC_ALL, "C");
    if (found == 0) printf("skipped: no locale with a decimal comma is installed\n");
}

static void strings_round_trip(void) {
    slm_error err;
    slm__writer w = {{NULL, 0, 0}, &err, SLM_OK};
    slm__json j;
    const slm__value *v;
    char text[160], escaped[32];
    uint32_t c;
    size_t n;
    for (c = 0; c < 0x110000; c += c < 0x300 ? 1 : 251) {
        if (c >= 0xD800 && c < 0xE000) continue;
        n = 0;
        if (c < 0x80)
            text[n++] = (char)c;
        else if (c < 0x800) {
            text[n++] = (char)(0xC0 | c >> 6);
            text[n++] = (char)(0x80 | (c & 63));
        } else if (c < 0x10000) {
            text[n++] = (char)(0xE0 | c >> 12);
            text[n++] = (char)(0x80 | (c >> 6 & 63));
            text[n++] = (char)(0x80 | (c & 63));
        } else {
            text[n++] = (char)(0xF0 | c >> 18);
            text[n++] = (char)(0x80 | (c >> 12 & 63));
            text[n++] = (char)(0x80 | (c >> 6 & 63));
            text[n++] = (char)(0x80 | (c & 63));
        }
        text[n++] = 'z';
        w.text.size = 0;
        slm__print_string(&w, text, n);
        CHECK_OK(w.status, err);
        (void)slm__json_open(&j, w.text.data, w.text.size, "test", &err);
        v = slm__json_root(&j);
        CHECK(slm__json_is(v, SLM__JSON_STRING) && v->size == n && memcmp(v->text, text, n) == 0 &&
                  v->text[n] == 0,
              "U+%04X", (unsigned)c);
        slm__json_close(&j);
        if (c >= 0x10000)
            (void)snprintf(escaped, sizeof escaped, "\"\\u%04X\\u%04x\"",
                           (unsigned)(0xD800 + ((c - 0x10000) >> 10)),
                           (unsigned)(0xDC00 + ((c - 0x10000) & 1023)));
        else
            (void)snprintf(escaped, sizeof escaped, "\"\\u%04X\"", (unsigned)c);
        (void)slm__json_open(&j, escaped, strlen(escaped), "test", &err);
        v = slm__json_root(&j);
        CHECK(slm__json_is(v, SLM__JSON_STRING), "%s", escaped);
        CHECK(v->size == n - 1 && memcmp(v->text, text, n - 1) == 0, "%s", escaped);
        slm__json_close(&j);
    }
    slm__print_string(&w, "a\xFF", 2);
    CHECK(w.status == SLM_ERR_ARGUMENT, "bad UTF-8 was written");
    w.status = SLM_OK;
    slm__print_string(&w, "a\xC3", 2);
    CHECK(w.status == SLM_ERR_ARGUMENT,
          "half a character was written");
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
    char path[1024], *text;
    size_t size;
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
    if (d != NULL) (void)closedir(d);
    printf("JSONTestSuite: %d to accept, %d to refuse, %d either way\n", y, n, other);
#endif
}

int main(int argc, char **argv) {
    accepts_and_refuses();
    depth();
    values();
    wrong_types();
    errors_stick();
    memory();
    locales();
    strings_round_trip();
    truncation_and_damage();
    if (argc > 2)
        suite(argv[2]);
    else
        printf("skipped: JSONTestSuite (no folder given)\n");
    return check_end();
}
