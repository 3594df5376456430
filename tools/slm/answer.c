/* answer.c: see answer.h. */
#include "slm/answer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A piece of a text. */
typedef struct span {
    const char *start;
    size_t size;
} span;

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

#define MINUS_SIGN "\xE2\x88\x92" /* U+2212 */

/* ---- normal form ----
 * A buffer of ANSWER_SIZE is changed in place by one rule after the other; none makes it longer
 * than it can be. */

/* Replaces n bytes at `at`.  Leaves them as they are if there is no room. */
static void splice(char *text, size_t at, size_t n, const char *with) {
    size_t size = strlen(text);
    size_t m = strlen(with);
    if (size - n + m >= ANSWER_SIZE) return;
    memmove(text + at + m, text + at + n, size - at - n + 1);
    memcpy(text + at, with, m);
}

static void replace_all(char *text, const char *what, const char *with) {
    size_t n = strlen(what);
    size_t at = 0;
    while (text[at] != 0) {
        size_t size = strlen(text);
        if (strncmp(text + at, what, n) != 0) {
            at++;
            continue;
        }
        splice(text, at, n, with);
        if (strlen(text) == size && strcmp(what, with) != 0 && n != strlen(with)) return;
        at += strlen(with);
    }
}

/* The content of the braces that open at text[0]; size 0 if they do not close. */
static span braces_at(const char *text) {
    span inside = {text, 0};
    int depth = 0;
    if (text[0] != '{') return inside;
    for (size_t i = 0; text[i] != 0; i++) {
        if (text[i] == '{') depth++;
        if (text[i] == '}') depth--;
        if (depth == 0) {
            inside.start = text + 1;
            inside.size = i - 1;
            return inside;
        }
    }
    return inside;
}

/* Returns 1 if text[at] begins with the braces of a group that ends the text. */
static int group_is_last(const char *group) {
    span inside = braces_at(group);
    return inside.start == group + 1 && inside.start[inside.size + 1] == 0;
}

/* \text{ inches} at the end is a unit and goes; elsewhere the braces go: \text{(A)} is (A). */
static void unwrap_text(char *text, const char *command) {
    char *at;
    size_t n = strlen(command);
    while ((at = strstr(text, command)) != NULL) {
        span inside = braces_at(at + n);
        size_t offset = (size_t)(at - text);
        if (inside.start == at + n) return;
        if (offset > 0 && group_is_last(at + n)) {
            *at = 0;
            return;
        }
        char content[ANSWER_SIZE];
        memcpy(content, inside.start, inside.size);
        content[inside.size] = 0;
        splice(text, offset, n + inside.size + 2, content);
    }
}

static void remove_spaces(char *text) {
    char *to = text;
    for (const char *p = text; *p != 0; p++) {
        if (!is_space(*p)) *to++ = *p;
    }
    *to = 0;
}

/* Of 1,234,567 the commas; of (1,234) or 1,2 none: a group has three digits, and no group of more
 * than three is before it. */
static void remove_thousands(char *text) {
    for (size_t i = 1; text[i] != 0; i++) {
        size_t before = 0;
        int in_list = strchr("([{", text[0]) != NULL;
        if (text[i] != ',' || in_list) continue;
        while (before < i && is_digit(text[i - 1 - before]))
            before++;
        int three = is_digit(text[i + 1]) && is_digit(text[i + 2]) && is_digit(text[i + 3]);
        if (before >= 1 && before <= 3 && three && !is_digit(text[i + 4])) {
            size_t j = i;
            while (text[j] == ',' && is_digit(text[j + 1]) && is_digit(text[j + 2]) &&
                   is_digit(text[j + 3]) && !is_digit(text[j + 4])) {
                splice(text, j, 1, "");
                j += 3;
            }
        }
    }
}

/* \frac12 and \frac1{2} become \frac{1}{2}, \sqrt3 becomes \sqrt{3}. */
static void add_braces(char *text, const char *command, int n_groups) {
    size_t n = strlen(command);
    for (size_t at = 0; text[at] != 0; at++) {
        if (strncmp(text + at, command, n) != 0) continue;
        size_t next = at + n;
        for (int i = 0; i < n_groups && text[next] != 0; i++) {
            char wrapped[4] = {'{', text[next], '}', 0};
            if (text[next] != '{' && text[next] != '[' && text[next] != '\\')
                splice(text, next, 1, wrapped);
            span inside = braces_at(text + next);
            if (inside.start == text + next) break;
            next += inside.size + 2;
        }
    }
}

static int is_whole(const char *text, size_t size) {
    size_t i = size > 0 && text[0] == '-';
    if (i == size) return 0;
    while (i < size && is_digit(text[i]))
        i++;
    return i == size;
}

/* \frac{3}{4} becomes 3/4 where both are whole numbers. */
static void flatten_fractions(char *text) {
    static const char command[] = "\\frac";
    char *at = text;
    while ((at = strstr(at, command)) != NULL) {
        span above = braces_at(at + 5);
        if (above.start != at + 6) return;
        const char *second = above.start + above.size + 1;
        span below = braces_at(second);
        if (below.start == second + 1 && is_whole(above.start, above.size) &&
            is_whole(below.start, below.size)) {
            char flat[ANSWER_SIZE];
            (void)snprintf(flat, sizeof flat, "%.*s/%.*s", (int)above.size, above.start,
                           (int)below.size, below.start);
            splice(text, (size_t)(at - text), 5 + above.size + below.size + 4, flat);
        }
        at++;
    }
}

/* x=5 and f(x)=5 become 5. */
static void remove_left_side(char *text) {
    char *sign = strchr(text, '=');
    if (sign == NULL || strchr(sign + 1, '=') != NULL || sign[1] == 0) return;
    size_t n = (size_t)(sign - text);
    int is_name = n == 1 && is_letter(text[0]);
    int is_call = n == 4 && is_letter(text[0]) && text[1] == '(' && text[3] == ')';
    if (is_name || is_call) memmove(text, sign + 1, strlen(sign + 1) + 1);
}

/* 18.50 becomes 18.5, 18.0 18, .5 0.5, 007 7, +5 5, if all of it is one number. */
static void tidy_decimal(char *text) {
    size_t sign = text[0] == '-';
    size_t whole = 0;
    size_t digits = 0;
    size_t i = sign;
    while (is_digit(text[i + whole]))
        whole++;
    i += whole;
    if (text[i] == '.') {
        while (is_digit(text[i + 1 + digits]))
            digits++;
        i += 1 + digits;
    }
    if (text[i] != 0 || whole + digits == 0) return;

    size_t end = strlen(text);
    if (digits > 0) {
        while (text[end - 1] == '0')
            text[--end] = 0;
    }
    if (text[end - 1] == '.') text[--end] = 0;
    if (whole == 0) splice(text, sign, 0, "0");
    while (text[sign] == '0' && is_digit(text[sign + 1]))
        splice(text, sign, 1, "");
    if (strcmp(text, "-0") == 0 || text[0] == 0) memcpy(text, "0", 2);
}

/* A number with a unit of letters behind it, 12cm, loses that; 2x and 3\pi do not, nor does
 * "3and4". */
static void remove_unit(char *text) {
    static const char *const units[] = {
        "cm",    "mm",    "km",    "m",      "inches", "inch",   "feet",  "ft",     "miles",
        "mile",  "cents", "cent",  "dollars", "dollar", "degrees", "hours", "hour",  "minutes",
        "days",  "years", "units", "percent", "people", "points", "meters", "seconds", "kg",
        "pounds", "grams", "students", "mph", "ways"};
    size_t n = strspn(text, "-0123456789./");
    if (n == 0) return;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text + n, units[i]) == 0) text[n] = 0;
    }
}

/* Dots at the end, and one pair of braces around all of it. */
static void trim_ends(char *text) {
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == '.' || text[n - 1] == ',' || text[n - 1] == ';'))
        text[--n] = 0;
    if (text[0] == '+') memmove(text, text + 1, n);
    if (text[0] == '{' && group_is_last(text)) {
        n = strlen(text);
        text[n - 1] = 0;
        memmove(text, text + 1, n - 1);
    }
}

void answer_normalize(char out[ANSWER_SIZE], const char *text, size_t size) {
    static const char *const rules[][2] = {
        {"\\left", ""},   {"\\right", ""},   {"\\!", ""},          {"\\,", ""},
        {"\\;", ""},      {"\\:", ""},       {"\\ ", ""},          {"\\quad", ""},
        {"~", ""},        {"\\$", ""},       {"$", ""},            {"\\%", ""},
        {"%", ""},        {"\\(", ""},       {"\\)", ""},          {"\\[", ""},
        {"\\]", ""},      {"^{\\circ}", ""}, {"^\\circ", ""},      {"\\circ", ""},
        {"{,}", ","},     {"\\dfrac", "\\frac"}, {"\\tfrac", "\\frac"}, {"\\cfrac", "\\frac"},
        {MINUS_SIGN, "-"}, {"\\cdot", "*"}, {"\\times", "*"}, {"\\displaystyle", ""},
        {"**", ""},       {"\xC2\xB0", ""}};
    static const char *const wrappers[] = {"\\text", "\\textbf", "\\mbox", "\\mathrm", "\\mathbf"};
    if (size >= ANSWER_SIZE) size = ANSWER_SIZE - 1;
    memcpy(out, text, size);
    out[size] = 0;
    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0]; i++)
        unwrap_text(out, wrappers[i]);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        replace_all(out, rules[i][0], rules[i][1]);
    remove_spaces(out);
    trim_ends(out);
    remove_thousands(out);
    add_braces(out, "\\frac", 2);
    add_braces(out, "\\sqrt", 1);
    flatten_fractions(out);
    remove_left_side(out);
    remove_unit(out);
    trim_ends(out);
    tidy_decimal(out);
}

/* ---- finding it ---- */

/* Bytes of the sign at text[0], 0 if none is there. */
static size_t sign_size(const char *text) {
    if (strncmp(text, MINUS_SIGN, 3) == 0) return 3;
    return text[0] == '-' || text[0] == '+';
}

/* The number that begins at text[0], with its sign, thousands, decimals and a denominator; size 0
 * if none does. */
static span number_at(const char *text) {
    span number = {text, 0};
    size_t i = sign_size(text);
    if (text[i] == '$') i++;
    size_t first = i;
    while (is_digit(text[i]) || (i > first && text[i] == ',' && is_digit(text[i + 1]) &&
                                 is_digit(text[i + 2]) && is_digit(text[i + 3])))
        i++;
    if (text[i] == '.' && is_digit(text[i + 1])) {
        i++;
        while (is_digit(text[i]))
            i++;
    }
    if (i == first) return number;
    if (text[i] == '/' && is_digit(text[i + 1])) {
        i++;
        while (is_digit(text[i]))
            i++;
    }
    number.size = i;
    return number;
}

/* The size of \frac, or of \dfrac and the like; 0 if it is none. */
static size_t fraction_word_size(const char *p) {
    if (strncmp(p, "\\frac", 5) == 0) return 5;
    if (p[0] != '\\' || p[1] == 0) return 0;
    return strncmp(p + 2, "frac", 4) == 0 ? 6 : 0;
}

/* \frac{3}{4} with whole numbers; size 0 if it is none. */
static span fraction_at(const char *text) {
    span none = {text, 0};
    span all = {text, 0};
    const char *p = text;
    p += sign_size(p);
    size_t word_size = fraction_word_size(p);
    if (word_size == 0) return none;
    p += word_size;
    for (int i = 0; i < 2; i++) {
        span inside = braces_at(p);
        if (inside.start == p || !is_whole(inside.start, inside.size)) return none;
        p = inside.start + inside.size + 1;
    }
    all.size = (size_t)(p - text);
    return all;
}

/* A sign belongs to the number unless something that can be subtracted from is before it: 5-3. */
static int sign_is_minus(const char *text, const char *p) {
    if (p > text && p[-1] == ' ' && p[sign_size(p)] == ' ') return 0;
    return p == text || !(is_digit(p[-1]) || is_letter(p[-1]) || strchr(")}]%", p[-1]) != NULL);
}

/* The first or the last number of text[0..size). */
static int find_number(span *out, const char *text, size_t size, int last) {
    int found = 0;
    size_t i = 0;
    while (i < size) {
        span number = {text + i, 0};
        if (sign_size(text + i) == 0 || sign_is_minus(text, text + i)) {
            number = fraction_at(text + i);
            if (number.size == 0) number = number_at(text + i);
        }
        if (number.size == 0) {
            i++;
            continue;
        }
        *out = number;
        found = 1;
        if (!last) return 1;
        i += number.size;
    }
    return found;
}

/* Returns what follows the last place where the words stand, in letters of either case, or NULL. */
static const char *after_last(const char *text, const char *words) {
    const char *found = NULL;
    size_t n = strlen(words);
    for (; *text != 0; text++) {
        size_t i = 0;
        while (i < n && lower(text[i]) == words[i])
            i++;
        if (i == n) found = text + n;
    }
    return found;
}

static size_t line_size(const char *text) {
    return strcspn(text, "\n");
}

/* Up to the end of the sentence: a dot that no digit follows, or the end of the line. */
static size_t sentence_size(const char *text) {
    size_t n = 0;
    while (text[n] != 0 && text[n] != '\n') {
        if (text[n] == '.' && (text[n + 1] == 0 || is_space(text[n + 1]))) break;
        n++;
    }
    return n;
}

/* The content of the last \boxed{} or \fbox{}, or what follows "\boxed ". */
static int find_box(span *out, const char *text) {
    static const char *const names[] = {"\\boxed", "\\fbox"};
    const char *box = NULL;
    for (size_t i = 0; i < 2; i++) {
        const char *after = after_last(text, names[i]);
        if (after != NULL && (box == NULL || after > box)) box = after;
    }
    if (box == NULL) return 0;
    while (*box == ' ')
        box++;
    *out = braces_at(box);
    if (out->start == box) out->size = *box == '{' ? 0 : strcspn(box, " $\n");
    return out->size > 0;
}

static int find_marked_number(span *out, const char *text) {
    static const char *const marks[] = {"####", "answer is", "answer:"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const char *after = after_last(text, marks[i]);
        if (after != NULL && find_number(out, after, line_size(after), 0)) return 1;
    }
    return 0;
}

static int find_answer(span *out, answer_kind kind, const char *text) {
    span box;
    const char *after = after_last(text, "answer is");
    if (kind == ANSWER_BOX) {
        if (find_box(out, text)) return 1;
        if (after != NULL) {
            while (is_space(*after) || *after == ':')
                after++;
            out->start = after;
            out->size = sentence_size(after);
            if (out->size > 0) return 1;
        }
    }
    if (find_marked_number(out, text)) return 1;
    if (find_box(&box, text) && find_number(out, box.start, box.size, 1)) return 1;
    return find_number(out, text, strlen(text), 1);
}

int answer_extract(char out[ANSWER_SIZE], answer_kind kind, const char *text) {
    span found;
    out[0] = 0;
    if (!find_answer(&found, kind, text)) return 0;
    answer_normalize(out, found.start, found.size);
    return out[0] != 0;
}

/* ---- comparing ---- */

/* Reads "-1.25" or "3/4".  Returns 0 if the text is no such number. */
static int read_value(double *value, const char *text) {
    char *end;
    if (strspn(text, "-0123456789./") != strlen(text) || text[0] == 0) return 0;
    *value = strtod(text, &end);
    if (end == text) return 0;
    if (*end == 0) return 1;
    if (*end != '/') return 0;
    const char *below = end + 1;
    double denominator = strtod(below, &end);
    if (end == below || *end != 0 || !(fabs(denominator) > 0)) return 0;
    *value /= denominator;
    return 1;
}

int answer_equal(const char *a, const char *b) {
    double x;
    double y;
    if (a[0] == 0 || b[0] == 0) return 0;
    if (strcmp(a, b) == 0) return 1;
    if (!read_value(&x, a) || !read_value(&y, b)) return 0;
    return fabs(x - y) <= 1e-9 * (fabs(x) > 1 ? fabs(x) : 1);
}
